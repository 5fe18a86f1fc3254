/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * SQLite's online backup, out of a read transaction on a connection of its
 * own: writers go on, and the copy is of one moment.  Of a server's database
 * the rows are copied, in a transaction of the same kind.
 */
#include "db/backup.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "db/copy.h"
#include "db/lite.h"

#define GENERATION "backup-generation"

struct ae_db_backup {
	sqlite3 *from, *to;
	sqlite3_backup *b;
	char *path;
	bool done;
};

static int
open_from(struct ae_db_backup *b, const char *path, struct ae_err *e)
{
	int rc;

	if (access(path, F_OK) != 0)
		return ae_fail(
		    e, AE_ENOTFOUND, AE_DOM_NONE, 0, "there is no database");
	rc = sqlite3_open_v2(path, &b->from,
	    SQLITE_OPEN_READONLY | SQLITE_OPEN_PRIVATECACHE |
		SQLITE_OPEN_NOFOLLOW,
	    NULL);
	if (b->from == NULL)
		return ae_fail_mem(e);
	sqlite3_busy_timeout(b->from, AE_DB_BUSY_MS);
	/* the moment: what the first read sees */
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(b->from,
		    "PRAGMA cell_size_check = ON; BEGIN;"
		    "SELECT count(*) FROM sqlite_schema",
		    NULL, NULL, NULL);
	return rc == SQLITE_OK
	    ? AE_OK
	    : ae_db_lite_fail(b->from, rc, "reading the database", NULL, e);
}

static int
open_to(struct ae_db_backup *b, const char *path, struct ae_err *e)
{
	int rc,
	    fd = open(
		path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return errno == EEXIST
		    ? ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
			  "there is a file already")
		    : ae_fail_errno(e, errno, "making the copy");
	(void)close(fd);
	b->path = strdup(path);
	if (b->path == NULL) {
		(void)unlink(path);
		return ae_fail_mem(e);
	}
	rc = sqlite3_open_v2(path, &b->to,
	    SQLITE_OPEN_READWRITE | SQLITE_OPEN_PRIVATECACHE, NULL);
	if (b->to == NULL)
		return ae_fail_mem(e);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(
		    b->to, "PRAGMA synchronous = FULL", NULL, NULL, NULL);
	return rc == SQLITE_OK
	    ? AE_OK
	    : ae_db_lite_fail(b->to, rc, "making the copy", NULL, e);
}

int
ae_db_backup_new(struct ae_db_backup **out, const char *from, const char *to,
    struct ae_err *e)
{
	struct ae_db_backup *b = calloc(1, sizeof(*b));
	int rc;

	if (b == NULL)
		return ae_fail_mem(e);
	rc = open_from(b, from, e);
	if (rc < 0)
		rc = ae_note(e, rc, "%s", from);
	if (rc == AE_OK && (rc = open_to(b, to, e)) < 0)
		rc = ae_note(e, rc, "%s", to);
	if (rc == AE_OK) {
		b->b = sqlite3_backup_init(b->to, "main", b->from, "main");
		if (b->b == NULL)
			rc = ae_db_lite_fail(b->to, sqlite3_errcode(b->to),
			    "beginning a copy", NULL, e);
	}
	if (rc == AE_OK)
		*out = b;
	else
		ae_db_backup_free(b);
	return rc;
}

/* One file that needs no other beside it, written back. */
static int
seal(sqlite3 **to, const char *path, struct ae_err *e)
{
	int rc, fd;

	rc =
	    sqlite3_exec(*to, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL);
	if (rc != SQLITE_OK)
		return ae_db_lite_fail(*to, rc, "ending a copy", NULL, e);
	if (sqlite3_close(*to) != SQLITE_OK)
		return ae_fail(e, AE_EINTERNAL, AE_DOM_NONE, 0,
		    "the copy is still in use");
	*to = NULL;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || fsync(fd) != 0)
		rc = ae_fail_errno(e, errno, "%s", path);
	else
		rc = AE_OK;
	if (fd >= 0)
		(void)close(fd);
	return rc;
}

int
ae_db_backup_step(
    struct ae_db_backup *b, int pages, bool *done, struct ae_err *e)
{
	int rc;

	*done = false;
	if (b->b == NULL)
		return ae_fail(
		    e, AE_EINTERNAL, AE_DOM_NONE, 0, "the copy has ended");
	rc = sqlite3_backup_step(b->b, pages);
	if (rc == SQLITE_OK)
		return AE_OK;
	if (rc != SQLITE_DONE) {
		/* whose fault: a full disk is the copy's */
		int ended = sqlite3_backup_finish(b->b);

		b->b = NULL;
		return ae_db_lite_fail(
		    b->to, ended != SQLITE_OK ? ended : rc, "copying", NULL, e);
	}
	rc = sqlite3_backup_finish(b->b);
	b->b = NULL;
	if (rc != SQLITE_OK)
		return ae_db_lite_fail(b->to, rc, "ending a copy", NULL, e);
	rc = seal(&b->to, b->path, e);
	b->done = *done = rc == AE_OK;
	return rc;
}

void
ae_db_backup_progress(const struct ae_db_backup *b, int *copied, int *total)
{
	*total = b->b == NULL ? 0 : sqlite3_backup_pagecount(b->b);
	*copied = b->b == NULL ? 0 : *total - sqlite3_backup_remaining(b->b);
}

void
ae_db_backup_free(struct ae_db_backup *b)
{
	if (b == NULL)
		return;
	if (b->b != NULL)
		(void)sqlite3_backup_finish(b->b);
	if (b->to != NULL)
		(void)sqlite3_close(b->to);
	(void)sqlite3_close(b->from);
	if (!b->done && b->path != NULL)
		(void)unlink(b->path);
	free(b->path);
	free(b);
}

/* What SQLite may have left beside a file. */
static void
remove_with_log(const char *path)
{
	static const char *const ends[] = { "", "-wal", "-shm", "-journal" };
	char *name = NULL;
	size_t i;

	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (asprintf(&name, "%s%s", path, ends[i]) >= 0) {
			(void)unlink(name);
			free(name);
		}
}

int
ae_db_backup_server(struct ae_db *from, const char *to, struct ae_err *e)
{
	const struct ae_db_options o = { .path = to, .create = true };
	struct ae_db_copied copied;
	struct ae_db *db = NULL;
	sqlite3 *h = NULL;
	int rc;

	if (access(to, F_OK) == 0)
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "%s: there is a file already", to);
	rc = ae_db_open(&db, &o, e);
	if (rc == AE_OK)
		rc = ae_db_copy(db, from, &copied, e);
	ae_db_free(db);
	if (rc == AE_OK) {
		rc = sqlite3_open_v2(to, &h,
		    SQLITE_OPEN_READWRITE | SQLITE_OPEN_PRIVATECACHE |
			SQLITE_OPEN_NOFOLLOW,
		    NULL);
		rc = rc == SQLITE_OK
		    ? seal(&h, to, e)
		    : ae_db_lite_fail(h, rc, "ending a copy", NULL, e);
	}
	(void)sqlite3_close(h);
	if (rc != AE_OK)
		remove_with_log(to);
	return rc;
}

int
ae_db_backup_begin(struct ae_db *db, const char *by, int64_t now,
    int64_t *generation, struct ae_err *e)
{
	struct ae_arena *a = ae_arena_new(4096);
	char text[32], detail[64];
	char *was = NULL;
	int rc = a == NULL ? ae_fail_mem(e)
			   : ae_db_meta_get(db, GENERATION, &was, a, e);

	if (rc == AE_OK) {
		*generation = was == NULL ? 1 : strtoll(was, NULL, 10) + 1;
		(void)snprintf(text, sizeof(text), "%" PRId64, *generation);
		(void)snprintf(
		    detail, sizeof(detail), "generation %" PRId64, *generation);
		rc = ae_db_meta_set(db, GENERATION, text, e);
	}
	if (rc == AE_OK)
		rc = ae_db_audit(db, "backup", 0, by, detail, now, e);
	ae_arena_free(a);
	return rc;
}
