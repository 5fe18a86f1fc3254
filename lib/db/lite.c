/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The port to SQLite: one file, one writer.  Opening, batches, and what
 * becomes of SQLite's errors.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/breaks.h"
#include "db/impl.h"
#include "db/lite.h"

/* WAL frames after which a commit is followed by a checkpoint. */
#define CHECKPOINT_PAGES 1000

/* Of 4096 bytes: a database up to this size is looked through when opened. */
#define WALK_PAGES 4096

/* "AECA": tells file(1) and us that this is a CA's database. */
#define APPLICATION_ID 0x41454341

/* clang-format off */
/*
 * cell_size_check: look for damage while reading.  trusted_schema: a file
 * someone prepared runs no code.
 */
static const char pragmas[] =
    "PRAGMA synchronous = FULL;"
    "PRAGMA temp_store = MEMORY;"
    "PRAGMA cell_size_check = ON;"
    "PRAGMA trusted_schema = OFF;"
    "PRAGMA wal_autocheckpoint = 0;"
    "PRAGMA journal_size_limit = 67108864;";
/* clang-format on */

enum { BEGIN, COMMIT, ROLLBACK, NCONTROLS };

struct lite {
	sqlite3 *h;
	/* made at the start: one of them must not need memory */
	sqlite3_stmt *control[NCONTROLS];
};

static sqlite3 *
handle(const struct ae_db *db)
{
	return ((const struct lite *)db->impl)->h;
}

static sqlite3_stmt *
stmt(const struct ae_db_st *st)
{
	return st->impl;
}

int
ae_db_lite_fail(
    sqlite3 *h, int rc, const char *what, bool *broken, struct ae_err *e)
{
	const int x = sqlite3_extended_errcode(h);
	bool ignored = false, *breaks = broken != NULL ? broken : &ignored;
	const char *text = sqlite3_errmsg(h);

	switch (rc & 0xff) {
	case SQLITE_NOMEM:
		rc = ae_fail_mem(e);
		break;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		rc = ae_fail(e, AE_EUNAVAIL, AE_DOM_SQLITE, x,
		    "%s: another process holds the database", what);
		break;
	case SQLITE_FULL:
	full:
		rc = ae_fail(e, AE_ELIMIT, AE_DOM_SQLITE, x,
		    "%s: no room for the database", what);
		break;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		*breaks = true;
		rc = ae_fail(e, AE_EPROTO, AE_DOM_SQLITE, x,
		    "%s: the database is damaged (%s); \"certsrv db check\" "
		    "looks closer",
		    what, text);
		break;
	case SQLITE_IOERR:
		/* the shared index could not grow: nothing was written */
		if (x == SQLITE_IOERR_SHMSIZE)
			goto full;
		/* FALLTHROUGH */
	case SQLITE_READONLY:
	case SQLITE_CANTOPEN:
	case SQLITE_PERM:
		/*
		 * A write or sync that failed may have lost what an earlier
		 * one wrote, and trying again can seem to work: never do.
		 */
		*breaks = !AE_BREAK(f3_broken);
		rc = ae_fail(e, AE_EIO, AE_DOM_SQLITE, x, "%s: %s", what, text);
		break;
	default:
		*breaks = true;
		rc = ae_fail(
		    e, AE_EINTERNAL, AE_DOM_SQLITE, x, "%s: %s", what, text);
		break;
	}
	return rc;
}

static int
fail(struct ae_db *db, int rc, const char *what, struct ae_err *e)
{
	rc = ae_db_lite_fail(handle(db), rc, what, &db->broken, e);
	if (db->in_batch)
		ae_db_rollback(db);
	return rc;
}

static int
run(struct ae_db *db, const char *sql, const char *what, struct ae_err *e)
{
	int rc = sqlite3_exec(handle(db), sql, NULL, NULL, NULL);

	return rc == SQLITE_OK ? AE_OK : fail(db, rc, what, e);
}

/* ---- statements ---- */

static int
lite_prepare(
    struct ae_db_st *st, const char *text, bool stream, struct ae_err *e)
{
	char own[AE_DB_SQL_MAX];
	sqlite3_stmt *s = NULL;
	int rc;

	if (!ae_db_dialect(own, sizeof(own), text, AE_DB_LITE))
		return ae_fail(e, AE_EINTERNAL, AE_DOM_NONE, 0,
		    "a statement of more than %d bytes", AE_DB_SQL_MAX);
	rc = sqlite3_prepare_v3(handle(st->db), own, -1,
	    stream ? 0 : SQLITE_PREPARE_PERSISTENT, &s, NULL);
	st->impl = s;
	return rc == SQLITE_OK ? AE_OK
			       : fail(st->db, rc, "preparing a statement", e);
}

static void
lite_finish(struct ae_db_st *st)
{
	sqlite3_finalize(stmt(st));
	st->impl = NULL;
}

static void
lite_reset(struct ae_db_st *st)
{
	sqlite3_reset(stmt(st));
}

static void
lite_clear(struct ae_db_st *st)
{
	sqlite3_clear_bindings(stmt(st));
}

static void
lite_num(struct ae_db_st *st, int i, int64_t v)
{
	sqlite3_bind_int64(stmt(st), i, v);
}

static void
lite_text(struct ae_db_st *st, int i, const char *s)
{
	sqlite3_bind_text(stmt(st), i, s, -1, SQLITE_STATIC);
}

static void
lite_blob(struct ae_db_st *st, int i, const void *p, size_t len)
{
	sqlite3_bind_blob64(stmt(st), i, p, len, SQLITE_STATIC);
}

static int
lite_step(struct ae_db_st *st, const char *what, struct ae_err *e)
{
	int rc = sqlite3_step(stmt(st));

	if (rc == SQLITE_ROW)
		return AE_OK;
	sqlite3_reset(stmt(st));
	return rc == SQLITE_DONE ? AE_ENOTFOUND : fail(st->db, rc, what, e);
}

static bool
lite_is_null(struct ae_db_st *st, int i)
{
	return sqlite3_column_type(stmt(st), i) == SQLITE_NULL;
}

static int64_t
lite_col_num(struct ae_db_st *st, int i)
{
	return sqlite3_column_int64(stmt(st), i);
}

static const char *
lite_col_text(struct ae_db_st *st, int i)
{
	return (const char *)sqlite3_column_text(stmt(st), i);
}

static const void *
lite_col_blob(struct ae_db_st *st, int i, size_t *len)
{
	const void *p = sqlite3_column_blob(stmt(st), i);

	*len = (size_t)sqlite3_column_bytes(stmt(st), i);
	return p;
}

static int
lite_explain(struct ae_db *db, const char *text,
    void (*line)(void *, const char *), void *arg, struct ae_err *e)
{
	char own[AE_DB_SQL_MAX + 32] = "EXPLAIN QUERY PLAN ";
	const size_t n = strlen(own);
	sqlite3_stmt *s = NULL;
	int rc;

	if (!ae_db_dialect(own + n, AE_DB_SQL_MAX, text, AE_DB_LITE))
		return ae_fail(e, AE_EINTERNAL, AE_DOM_NONE, 0, "too long");
	rc = sqlite3_prepare_v2(handle(db), own, -1, &s, NULL);
	while (rc == SQLITE_OK && sqlite3_step(s) == SQLITE_ROW)
		line(arg, (const char *)sqlite3_column_text(s, 3));
	sqlite3_finalize(s);
	return rc == SQLITE_OK ? AE_OK : fail(db, rc, "explaining", e);
}

/* ---- batches ---- */

static int
control(struct ae_db *db, int which, const char *what, struct ae_err *e)
{
	sqlite3_stmt *s = ((struct lite *)db->impl)->control[which];
	int rc = sqlite3_step(s);

	sqlite3_reset(s);
	return rc == SQLITE_DONE ? AE_OK : fail(db, rc, what, e);
}

static int
lite_begin(struct ae_db *db, struct ae_err *e)
{
	return control(db, BEGIN, "beginning a batch", e);
}

/*
 * Move the log into the file.  What was committed is durable in the log
 * already; but a sync that fails here must end our use of the file as well.
 */
static void
checkpoint(struct ae_db *db)
{
	int frames = 0, rc;

	rc = sqlite3_wal_checkpoint_v2(
	    handle(db), NULL, SQLITE_CHECKPOINT_PASSIVE, &frames, NULL);
	if ((rc & 0xff) == SQLITE_IOERR || (rc & 0xff) == SQLITE_CORRUPT)
		db->broken = true;
}

static int
on_wal(void *arg, sqlite3 *h, const char *name, int pages)
{
	(void)h;
	(void)name;
	*(bool *)arg = pages >= CHECKPOINT_PAGES;
	return SQLITE_OK;
}

static int
lite_commit(struct ae_db *db, struct ae_err *e)
{
	bool full = false;
	int rc;

	sqlite3_wal_hook(handle(db), on_wal, &full);
	rc = control(db, COMMIT, "committing a batch", e);
	sqlite3_wal_hook(handle(db), NULL, NULL);
	if (rc == AE_OK && full)
		checkpoint(db);
	return rc;
}

static void
lite_rollback(struct ae_db *db)
{
	sqlite3_stmt *s = ((struct lite *)db->impl)->control[ROLLBACK];

	if (sqlite3_get_autocommit(handle(db)))
		return; /* SQLite has undone it already */
	sqlite3_reset(s);
	if (sqlite3_step(s) != SQLITE_DONE)
		db->broken = true;
	sqlite3_reset(s);
}

/* ---- the schema ---- */

static int
pragma_int(struct ae_db *db, const char *sql, int *out, struct ae_err *e)
{
	sqlite3_stmt *s = NULL;
	int rc;

	rc = sqlite3_prepare_v2(handle(db), sql, -1, &s, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(s);
	if (rc == SQLITE_ROW) {
		*out = sqlite3_column_int(s, 0);
		rc = SQLITE_OK;
	}
	sqlite3_finalize(s);
	return rc == SQLITE_OK ? AE_OK
			       : fail(db, rc, "reading the schema version", e);
}

static int
lite_version(struct ae_db *db, int *version, struct ae_err *e)
{
	int app = 0, rc;

	rc = pragma_int(db, "PRAGMA user_version", version, e);
	if (rc == AE_OK)
		rc = pragma_int(db, "PRAGMA application_id", &app, e);
	/* a version above ours says more than the mark */
	if (rc == AE_OK && *version > 0 && *version <= ae_db_version &&
	    app != APPLICATION_ID)
		rc = ae_fail(e, AE_EPROTO, AE_DOM_NONE, app,
		    "the file is not a database of a CA");
	return rc;
}

/* One step in one transaction: a kill in between leaves the old version. */
static int
lite_upgrade(struct ae_db *db, int to, const char *text, struct ae_err *e)
{
	char own[AE_DB_SQL_MAX], tail[96];
	int rc;

	if (!ae_db_dialect(own, sizeof(own), text, AE_DB_LITE))
		return ae_fail(e, AE_EINTERNAL, AE_DOM_NONE, to,
		    "a step of more than %d bytes", AE_DB_SQL_MAX);
	snprintf(tail, sizeof(tail),
	    "PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT",
	    APPLICATION_ID, to);
	rc = run(db, "BEGIN IMMEDIATE", "migrating the schema", e);
	if (rc == AE_OK)
		rc = run(db, own, "migrating the schema", e);
	if (rc == AE_OK)
		rc = run(db, tail, "migrating the schema", e);
	if (rc != AE_OK)
		(void)sqlite3_exec(handle(db), "ROLLBACK", NULL, NULL, NULL);
	return rc;
}

/* There is one writer: nothing was held. */
static void
lite_unlock(struct ae_db *db)
{
	(void)db;
}

/* ---- opening ---- */

/* An empty file of mode 0600 whose name is durable; existing is fine. */
static int
create_file(const char *path, struct ae_err *e)
{
	const char *slash = strrchr(path, '/');
	char *dir;
	int fd, rc = AE_OK;

	fd = open(
	    path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd == -1 && errno == EEXIST)
		return AE_OK;
	if (fd == -1)
		return ae_fail_errno(e, errno, "creating %s", path);
	if (fsync(fd) == -1)
		rc = ae_fail_errno(e, errno, "syncing %s", path);
	(void)close(fd);
	dir = slash == NULL ? strdup(".")
			    : strndup(path, (size_t)(slash - path) + 1);
	if (dir == NULL)
		return ae_fail_mem(e);
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (rc == AE_OK && (fd == -1 || fsync(fd) == -1))
		rc = ae_fail_errno(e, errno, "syncing %s", dir);
	if (fd != -1)
		(void)close(fd);
	free(dir);
	return rc;
}

/*
 * Few enough pages to look at all of them.  A walk through a database of ten
 * million rows would keep a CA down for minutes after each restart; its damage
 * is noticed where it is read, and by "certsrv db check".
 */
static int
small(struct ae_db *db, bool *yes, struct ae_err *e)
{
	sqlite3_stmt *s = NULL;
	int rc;

	rc = sqlite3_prepare_v2(handle(db), "PRAGMA page_count", -1, &s, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(s);
	if (rc == SQLITE_ROW)
		*yes = sqlite3_column_int64(s, 0) <= WALK_PAGES;
	sqlite3_finalize(s);
	return rc == SQLITE_ROW
	    ? AE_OK
	    : fail(db, rc == SQLITE_DONE ? SQLITE_CORRUPT : rc,
		  "asking for the database's size", e);
}

/* PRAGMA quick_check or integrity_check: "ok" or the first finding. */
static int
lite_check(struct ae_db *db, bool thorough, struct ae_err *e)
{
	sqlite3_stmt *s = NULL;
	const char *text;
	bool walk = thorough;
	int rc = thorough ? AE_OK : small(db, &walk, e);

	if (rc != AE_OK || !walk)
		return rc;
	rc = sqlite3_prepare_v2(handle(db),
	    thorough ? "PRAGMA integrity_check(1)" : "PRAGMA quick_check(1)",
	    -1, &s, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(s);
	if (rc != SQLITE_ROW) {
		sqlite3_finalize(s);
		return fail(db, rc == SQLITE_DONE ? SQLITE_CORRUPT : rc,
		    "checking the database", e);
	}
	text = (const char *)sqlite3_column_text(s, 0);
	rc = AE_OK;
	if (text == NULL || strcmp(text, "ok") != 0) {
		db->broken = true;
		rc = ae_fail(e, AE_EPROTO, AE_DOM_SQLITE, SQLITE_CORRUPT,
		    "the database is damaged (%s); \"certsrv db check\" looks "
		    "closer",
		    text == NULL ? "no verdict" : text);
	}
	sqlite3_finalize(s);
	return rc;
}

static int
configure(struct ae_db *db, struct ae_err *e)
{
	static const char *const texts[NCONTROLS] = { "BEGIN IMMEDIATE",
		"COMMIT", "ROLLBACK" };
	static const char what[] = "opening the database";
	struct lite *l = db->impl;
	char text[64];
	int rc, i;

	sqlite3_extended_result_codes(l->h, 1);
	sqlite3_busy_timeout(l->h, AE_DB_BUSY_MS);
	sqlite3_limit(l->h, SQLITE_LIMIT_LENGTH, 8 * AE_DB_BLOB_MAX);
	rc = run(db, pragmas, what, e);
	if (rc == AE_OK && AE_BREAK(f2_synchronous))
		rc = run(db, "PRAGMA synchronous = OFF", what, e);
	if (rc == AE_OK && !db->opt.read_only)
		rc = run(db, "PRAGMA journal_mode = WAL", what, e);
	if (rc == AE_OK && db->opt.max_pages > 0) {
		snprintf(text, sizeof(text), "PRAGMA max_page_count = %u",
		    db->opt.max_pages);
		rc = run(db, text, what, e);
	}
	for (i = 0; i < NCONTROLS && rc == AE_OK; i++) {
		rc = sqlite3_prepare_v3(l->h, texts[i], -1,
		    SQLITE_PREPARE_PERSISTENT, &l->control[i], NULL);
		rc = rc == SQLITE_OK ? AE_OK : fail(db, rc, what, e);
	}
	return rc;
}

static int
open_file(struct ae_db *db, const char *path, int flags, struct ae_err *e)
{
	struct lite *l = calloc(1, sizeof(*l));
	int rc;

	if (l == NULL)
		return ae_fail_mem(e);
	/* No process of ours has threads; too late is no harm. */
	(void)sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	rc = sqlite3_open_v2(path, &l->h,
	    flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW |
		SQLITE_OPEN_PRIVATECACHE,
	    NULL);
	if (l->h == NULL) {
		free(l);
		return ae_fail_mem(e);
	}
	db->impl = l;
	if (rc != SQLITE_OK && access(path, F_OK) == -1 && errno == ENOENT)
		return ae_fail(e, AE_ENOTFOUND, AE_DOM_NONE, 0,
		    "there is no database there");
	return rc == SQLITE_OK ? AE_OK
			       : fail(db, rc, "opening the database", e);
}

static int
lite_open(struct ae_db *db, const struct ae_db_options *opt, struct ae_err *e)
{
	int rc = AE_OK;

	if (opt->create && !opt->read_only)
		rc = create_file(opt->path, e);
	if (rc == AE_OK)
		rc = open_file(db, opt->path,
		    opt->read_only ? SQLITE_OPEN_READONLY
				   : SQLITE_OPEN_READWRITE,
		    e);
	return rc == AE_OK ? configure(db, e) : rc;
}

static void
lite_close(struct ae_db *db)
{
	struct lite *l = db->impl;
	int i;

	if (l == NULL)
		return;
	for (i = 0; i < NCONTROLS; i++)
		sqlite3_finalize(l->control[i]);
	(void)sqlite3_close(l->h);
	free(l);
	db->impl = NULL;
}

/* The snapshot begins with the first read. */
static int
lite_beside(struct ae_db *out, struct ae_db *db, struct ae_err *e)
{
	int rc;

	rc = open_file(out, sqlite3_db_filename(handle(db), "main"),
	    SQLITE_OPEN_READONLY, e);
	if (rc == AE_OK)
		rc = run(
		    out, "PRAGMA cell_size_check = ON; BEGIN", "reading", e);
	return rc;
}

static int
lite_patient(struct ae_db *db, bool frozen, struct ae_err *e)
{
	return frozen
	    ? run(db, "BEGIN; SELECT count(*) FROM sqlite_schema", "reading", e)
	    : AE_OK;
}

const struct ae_db_port ae_db_port_lite = {
	.open = lite_open,
	.close = lite_close,
	.beside = lite_beside,
	.patient = lite_patient,
	.check = lite_check,
	.version = lite_version,
	.upgrade = lite_upgrade,
	.unlock = lite_unlock,
	.begin = lite_begin,
	.commit = lite_commit,
	.rollback = lite_rollback,
	.prepare = lite_prepare,
	.finish = lite_finish,
	.reset = lite_reset,
	.clear = lite_clear,
	.num = lite_num,
	.text = lite_text,
	.blob = lite_blob,
	.step = lite_step,
	.is_null = lite_is_null,
	.col_num = lite_col_num,
	.col_text = lite_col_text,
	.col_blob = lite_col_blob,
	.explain = lite_explain,
};
