/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * A private copy of the keytab.
 */
#include "keytab.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/secret.h"
#include "sys/files.h"

#define KEYTAB_MAX (256u * 1024u)

int
keytab_copy(struct proc *p, const char *name, char **path, struct ae_err *e)
{
	char *dir = conf_path(&p->conf, RUN_DIR "/auth");
	struct ae_secret bytes = { NULL, 0 };
	int fd = -1, rc;

	if (dir == NULL || asprintf(path, "%s/%s", dir, name) < 0) {
		free(dir);
		return ae_fail_mem(e);
	}
	rc = ae_file_read(&bytes.p, &bytes.len, p->conf.keytab, KEYTAB_MAX, e);
	if (rc == AE_OK &&
	    (fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		rc = ae_fail_errno(e, errno, "%s", dir);
	if (rc == AE_OK)
		rc = ae_file_write_owned(
		    fd, name, bytes.p, bytes.len, 0400, p->uid, p->gid, e);
	if (fd >= 0)
		(void)close(fd);
	ae_secret_done(&bytes);
	free(dir);
	return rc;
}
