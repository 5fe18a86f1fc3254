/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Reading and replacing the anchor.
 */
#include "anchorfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sys/files.h"

int
anchorfile_read(struct ae_anchor *a, const char *path, struct ae_err *e)
{
	uint8_t *p = NULL;
	size_t len;
	int rc = ae_file_read(&p, &len, path, AE_ANCHOR_MAX, e);

	if (rc == AE_ELIMIT) {
		*e = (struct ae_err)AE_ERR_INIT;
		rc = ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0, "it is too long");
	}
	if (rc == AE_OK)
		rc = ae_anchor_parse(a, p, len, e);
	free(p);
	return rc == AE_OK || rc == AE_ENOTFOUND
	    ? rc
	    : ae_note(e, rc, "the anchor %s", path);
}

/* The directory of path, open, and the name in it. */
static int
open_dir(int *fd, const char **name, const char *path, struct ae_err *e)
{
	const char *slash = strrchr(path, '/');
	char *dir = slash == NULL ? strdup(".")
				  : strndup(path, (size_t)(slash - path) + 1);
	int rc = AE_OK;

	if (dir == NULL)
		return ae_fail_mem(e);
	*name = slash == NULL ? path : slash + 1;
	*fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*fd < 0)
		rc = ae_fail_errno(e, errno, "%s", dir);
	free(dir);
	return rc;
}

int
anchorfile_write(const char *path, const struct ae_anchor *a, uid_t uid,
    gid_t gid, struct ae_err *e)
{
	const char *name = NULL;
	struct ae_wr w;
	int fd = -1, rc;

	ae_wr_init(&w, AE_ANCHOR_MAX);
	ae_anchor_put(&w, a);
	rc = ae_wr_ok(&w) ? open_dir(&fd, &name, path, e) : ae_fail_mem(e);
	if (rc == AE_OK)
		rc = ae_file_write_owned(
		    fd, name, w.p, w.len, 0600, uid, gid, e);
	if (fd >= 0)
		(void)close(fd);
	ae_wr_done(&w);
	return rc == AE_OK ? rc : ae_note(e, rc, "the anchor %s", path);
}
