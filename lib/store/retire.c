/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Taking certificates out of use: archived ones stay and say when and why,
 * deleted ones are gone.  See store.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/time.h"
#include "store/internal.h"
#include "sys/files.h"

int
store_note_archived(int tmpl_fd, unsigned number, int64_t when, const char *why,
    struct ae_err *e)
{
	char name[16], at[AE_TIME_STR_MAX];
	json_t *j;
	char *text;
	int fd, rc;

	(void)snprintf(name, sizeof(name), "%u", number);
	fd = store_dir(tmpl_fd, name, false, e);
	if (fd < 0)
		return fd == AE_ENOTFOUND ? AE_OK : fd;
	j = json_pack(
	    "{s:s, s:s}", "archived", ae_time_print(at, when), "why", why);
	text = j == NULL ? NULL : json_dumps(j, JSON_INDENT(2));
	if (text == NULL)
		rc = ae_fail(e, AE_EINTERNAL, AE_DOM_NONE, 0,
		    "archived.json: not text or out of memory");
	else
		rc = ae_file_write_at(
		    fd, "archived.json", text, strlen(text), 0644, e);
	free(text);
	json_decref(j);
	(void)close(fd);
	return rc;
}

int
store_read_archived(int fd, struct ae_store_entry *en, struct ae_err *e)
{
	const char *when, *why;
	uint8_t *text = NULL;
	size_t len;
	json_t *j;
	int rc;

	rc = store_read_at(fd, "archived.json", &text, &len, e);
	if (rc != AE_OK)
		return rc == AE_ENOTFOUND ? AE_OK : rc;
	j = json_loadb((const char *)text, len, JSON_REJECT_DUPLICATES, NULL);
	when = json_string_value(json_object_get(j, "archived"));
	why = json_string_value(json_object_get(j, "why"));
	if (when == NULL || !ae_time_parse(&en->archived, when))
		en->archived = 0;
	(void)snprintf(en->why, sizeof(en->why), "%s", why == NULL ? "" : why);
	json_decref(j);
	free(text);
	return AE_OK;
}

static int
drop_current(int tmpl_fd, struct ae_err *e)
{
	if (unlinkat(tmpl_fd, "current", 0) != 0 && errno != ENOENT)
		return ae_fail_errno(e, errno, "remove current");
	return ae_file_sync_dir(tmpl_fd, e);
}

static int
open_template(struct ae_store *s, const char *tmpl, struct ae_err *e)
{
	if (!s->write || !ae_store_name_ok(tmpl))
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "'%s' cannot be archived or deleted in this store", tmpl);
	return store_dir(s->my, tmpl, false, e);
}

int
ae_store_archive(struct ae_store *s, const char *tmpl, unsigned number,
    int64_t when, const char *why, struct ae_err *e)
{
	int rc, fd = open_template(s, tmpl, e);

	if (fd < 0)
		return fd;
	rc = store_note_archived(fd, number, when, why, e);
	if (rc == AE_OK && store_current(fd) == number)
		rc = drop_current(fd, e);
	(void)close(fd);
	return rc == AE_OK ? AE_OK
			   : ae_note(e, rc, "archive %s/%u", tmpl, number);
}

int
ae_store_delete(
    struct ae_store *s, const char *tmpl, unsigned number, struct ae_err *e)
{
	int rc = AE_OK, fd = open_template(s, tmpl, e);

	if (fd < 0)
		return fd == AE_ENOTFOUND ? AE_OK : fd;
	if (store_current(fd) == number)
		rc = drop_current(fd, e);
	if (rc == AE_OK)
		rc = store_retire(fd, number, e);
	(void)close(fd);
	return rc == AE_OK ? AE_OK
			   : ae_note(e, rc, "delete %s/%u", tmpl, number);
}

/* First out of the way in one step, so that nobody ever sees half of it. */
int
store_retire(int dir, unsigned number, struct ae_err *e)
{
	char name[16], old[32];
	int rc;

	(void)snprintf(name, sizeof(name), "%u", number);
	(void)snprintf(old, sizeof(old), STORE_DRAFT_PREFIX "old-%u", number);
	if (renameat(dir, name, dir, old) != 0) {
		if (errno == ENOENT)
			return AE_OK;
		return ae_fail_errno(e, errno, "remove %s", name);
	}
	rc = ae_file_sync_dir(dir, e);
	return rc == AE_OK ? store_remove_draft(dir, old, e) : rc;
}
