/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * See dbconf.h.
 */
#include "dbconf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "role.h"
#include "setup_files.h"
#include "sys/files.h"

#define PASSWORD_MAX 1024

int
dbconf_password(const struct conf *c, struct ae_secret *out, struct ae_err *e)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");
	const char *path = c->db_password_file;
	char credential[4096];
	uint8_t *text = NULL;
	struct stat st;
	size_t len, all;
	int rc;

	if (path == NULL && dir != NULL &&
	    snprintf(credential, sizeof(credential), "%s/database-password",
		dir) < (int)sizeof(credential) &&
	    access(credential, F_OK) == 0)
		path = credential;
	if (path == NULL)
		return AE_OK;
	if (stat(path, &st) != 0)
		return ae_fail_errno(e, errno, "%s", path);
	if (path != credential && (st.st_mode & 077) != 0)
		return ae_fail(e, AE_EDENIED, AE_DOM_NONE, 0,
		    "%s is not its owner's alone (mode %03o); make it 0600",
		    path, (unsigned)(st.st_mode & 0777));
	rc = ae_file_read(&text, &len, path, PASSWORD_MAX, e);
	if (rc != AE_OK)
		return rc;
	all = len;
	while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r'))
		len--;
	text[len] = '\0'; /* ae_file_read leaves room for one */
	rc = ae_secret_set(out, text, len + 1) == 0 ? AE_OK : ae_fail_mem(e);
	explicit_bzero(text, all);
	free(text);
	return rc;
}

const char *
dbconf_text(const struct ae_secret *s)
{
	return s->len == 0 ? NULL : (const char *)s->p;
}

int
dbconf_open(struct ae_db **out, const struct conf *c, struct ae_db_options *opt,
    struct ae_err *e)
{
	const uid_t uid = geteuid();
	const gid_t gid = getegid();
	struct ae_secret password = { 0 };
	uid_t its_uid = uid;
	gid_t its_gid = gid;
	int rc = AE_OK;

	opt->path = c->database;
	if (!conf_shared(c))
		return ae_db_open(out, opt, e);
	rc = dbconf_password(c, &password, e);
	if (rc == AE_OK && uid == 0)
		rc = setup_owner(
		    c->uid_base, ROLE_DB, SETUP_DB_USER, &its_uid, &its_gid, e);
	opt->password = dbconf_text(&password);
	if (rc == AE_OK && uid == 0 &&
	    (setegid(its_gid) < 0 || seteuid(its_uid) < 0))
		rc = ae_fail_errno(e, errno, "becoming %s", SETUP_DB_USER);
	if (rc == AE_OK)
		rc = ae_db_open(out, opt, e);
	if (uid == 0 && (seteuid(uid) < 0 || setegid(gid) < 0))
		abort(); /* neither the one nor the other */
	opt->password = NULL;
	ae_secret_done(&password);
	return rc;
}
