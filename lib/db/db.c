/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Opening, batches, and what becomes of SQLite's errors.
 */
#include "db/db.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/breaks.h"
#include "db/impl.h"

/* WAL frames after which a commit is followed by a checkpoint. */
#define CHECKPOINT_PAGES 1000

/* Of 4096 bytes: a database up to this size is looked through when opened. */
#define WALK_PAGES 4096

/* clang-format off */
static const char *const sql[ST_COUNT] = {
	[ST_BEGIN] = "BEGIN IMMEDIATE",
	[ST_COMMIT] = "COMMIT",
	[ST_ROLLBACK] = "ROLLBACK",
	[ST_ADD] =
	    "INSERT INTO request (disp, hresult, message, sid, account,"
	    " template, subject, attrs, flags, csr_hash, serial, tbs_hash,"
	    " submitted, resolved, not_before, not_after, csr, on_behalf,"
	    " request_flags, issuer)"
	    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13,"
	    " ?14, ?15, ?16, ?17, ?18, ?19, ?20)",
	[ST_CALLER_ADD] =
	    "INSERT INTO pending (request_id, caller) VALUES (?1, ?2)",
	[ST_CALLER_GET] = "SELECT caller FROM pending WHERE request_id = ?1",
	[ST_CALLER_DROP] = "DELETE FROM pending WHERE request_id = ?1",
	[ST_KEY_ADD] =
	    "INSERT INTO archived_key (request_id, blob) VALUES (?1, ?2)",
	[ST_KEY_GET] = "SELECT blob FROM archived_key WHERE request_id = ?1",
	[ST_SERIAL_GET] = "SELECT request_id FROM serial WHERE serial = ?1",
	[ST_SERIAL_ADD] =
	    "INSERT INTO serial (serial, request_id) VALUES (?1, ?2)",
	[ST_STATE] = "SELECT disp, sid FROM request WHERE id = ?1",
	[ST_ACTIVATE] =
	    "UPDATE request SET disp = 8, serial = ?2, tbs_hash = ?3,"
	    " issuer = ?4 WHERE id = ?1",
	[ST_ISSUE] =
	    "UPDATE request SET disp = 20, hresult = 0, cert = ?2,"
	    " not_before = ?3, not_after = ?4, resolved = ?5, message = ?6"
	    " WHERE id = ?1",
	[ST_REFUSE] =
	    "UPDATE request SET disp = ?2, hresult = ?3, message = ?4,"
	    " resolved = ?5 WHERE id = ?1",
	[ST_SET_ATTRS] = "UPDATE request SET set_attrs = ?2 WHERE id = ?1",
	[ST_REVOKE] =
	    "UPDATE request SET disp = 21, revoked_at = ?2,"
	    " revoked_reason = ?3 WHERE id = ?1",
	[ST_REVOKED_ADD] =
	    "INSERT OR REPLACE INTO revoked (serial, request_id, revoked_at,"
	    " reason, not_after, key_index, changed)"
	    " SELECT serial, id, ?2, ?3, not_after, issuer >> 16, ?4"
	    " FROM request WHERE id = ?1",
	[ST_RELEASED_ADD] =
	    "INSERT OR REPLACE INTO released (serial, request_id, key_index,"
	    " released_at, changed, not_after)"
	    " SELECT serial, request_id, key_index, ?2, ?4, not_after"
	    " FROM revoked WHERE request_id = ?1",
	[ST_RELEASED_DROP] =
	    "DELETE FROM released WHERE serial ="
	    " (SELECT serial FROM request WHERE id = ?1)",
	[ST_RELEASED_PURGE] =
	    "DELETE FROM released WHERE key_index = ?1 AND changed <= ?2",
	[ST_REVOKED_REASON] =
	    "SELECT revoked_reason FROM request WHERE id = ?1",
	[ST_RELEASE] =
	    "UPDATE request SET disp = 20, revoked_at = 0,"
	    " revoked_reason = 0 WHERE id = ?1",
	[ST_REVOKED_DROP] =
	    "DELETE FROM revoked WHERE serial ="
	    " (SELECT serial FROM request WHERE id = ?1)",
	[ST_QUOTA_GET] =
	    "SELECT pending, refused, day FROM quota WHERE sid = ?1",
	[ST_QUOTA_SET] =
	    "INSERT OR REPLACE INTO quota (sid, pending, refused, day)"
	    " VALUES (?1, ?2, ?3, ?4)",
	[ST_CRL_GET] = "SELECT number FROM crl_number WHERE key_index = ?1",
	[ST_CRL_SET] =
	    "INSERT OR REPLACE INTO crl_number (key_index, number)"
	    " VALUES (?1, ?2)",
	[ST_CRL_BASE_GET] =
	    "SELECT number, changed, at FROM crl_base WHERE key_index = ?1",
	[ST_CRL_BASE_SET] =
	    "INSERT OR REPLACE INTO crl_base (key_index, number, changed, at)"
	    " VALUES (?1, ?2, ?3, ?4)",
	[ST_META_GET] = "SELECT value FROM meta WHERE key = ?1",
	[ST_META_SET] =
	    "INSERT OR REPLACE INTO meta (key, value) VALUES (?1, ?2)",
	[ST_AUDIT_ADD] =
	    "INSERT INTO audit (seq, at, what, request_id, who, detail, link)"
	    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
	[ST_AUDIT_LAST] =
	    "SELECT seq, link FROM audit ORDER BY seq DESC LIMIT 1",
	[ST_GET] = "SELECT " AE_DB_ROW_COLUMNS AE_DB_ROW_BLOBS
	    " FROM request WHERE id = ?1",
	[ST_BY_SERIAL] = "SELECT " AE_DB_ROW_COLUMNS AE_DB_ROW_BLOBS
	    " FROM request WHERE id ="
	    " (SELECT request_id FROM serial WHERE serial = ?1)",
	[ST_SAME] = "SELECT " AE_DB_ROW_COLUMNS AE_DB_ROW_BLOBS
	    " FROM request INDEXED BY request_answered"
	    " WHERE csr_hash = ?2 AND sid = ?1 AND disp IN (9, 20)"
	    " AND ifnull(attrs, '') = ifnull(?3, '')"
	    " ORDER BY id DESC LIMIT 1",
	[ST_INTENTS] =
	    "SELECT id, serial, tbs_hash FROM request WHERE disp = 8"
	    " ORDER BY id",
};

static const struct {
	int disp;
	const char *name;
} disp_names[] = {
	{ AE_DB_ACTIVE, "active" }, { AE_DB_PENDING, "pending" },
	{ AE_DB_ISSUED, "issued" }, { AE_DB_REVOKED, "revoked" },
	{ AE_DB_VOID, "void" }, { AE_DB_FAILED, "failed" },
	{ AE_DB_DENIED, "denied" },
};

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

const char *
ae_db_disp_name(int disp)
{
	size_t i;

	for (i = 0; i < sizeof(disp_names) / sizeof(disp_names[0]); i++)
		if (disp_names[i].disp == disp)
			return disp_names[i].name;
	return "?";
}

int
ae_db_fail(struct ae_db *db, int rc, const char *what, struct ae_err *e)
{
	const int x = sqlite3_extended_errcode(db->h);
	const char *text = sqlite3_errmsg(db->h);

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
		db->broken = true;
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
		db->broken = !AE_BREAK(f3_broken);
		rc = ae_fail(e, AE_EIO, AE_DOM_SQLITE, x, "%s: %s", what, text);
		break;
	default:
		db->broken = true;
		rc = ae_fail(
		    e, AE_EINTERNAL, AE_DOM_SQLITE, x, "%s: %s", what, text);
		break;
	}
	if (db->in_batch)
		ae_db_rollback(db);
	return rc;
}

int
ae_db_stmt(struct ae_db *db, enum ae_db_stmt which, sqlite3_stmt **out,
    struct ae_err *e)
{
	int rc;

	if (db->broken)
		return ae_fail(e, AE_EIO, AE_DOM_NONE, 0,
		    "the database failed before: nothing is done until a "
		    "restart");
	if (db->st[which] == NULL) {
		rc = sqlite3_prepare_v3(db->h, sql[which], -1,
		    SQLITE_PREPARE_PERSISTENT, &db->st[which], NULL);
		if (rc != SQLITE_OK)
			return ae_db_fail(db, rc, "preparing a statement", e);
	}
	sqlite3_reset(db->st[which]);
	sqlite3_clear_bindings(db->st[which]);
	*out = db->st[which];
	return AE_OK;
}

int
ae_db_step_row(
    struct ae_db *db, sqlite3_stmt *st, const char *what, struct ae_err *e)
{
	int rc = sqlite3_step(st);

	if (rc == SQLITE_ROW)
		return AE_OK;
	sqlite3_reset(st);
	if (rc == SQLITE_DONE)
		return ae_fail(
		    e, AE_ENOTFOUND, AE_DOM_NONE, 0, "%s: there is none", what);
	return ae_db_fail(db, rc, what, e);
}

int
ae_db_step_done(
    struct ae_db *db, sqlite3_stmt *st, const char *what, struct ae_err *e)
{
	int rc = sqlite3_step(st);

	sqlite3_reset(st);
	return rc == SQLITE_DONE ? AE_OK : ae_db_fail(db, rc, what, e);
}

int
ae_db_op(struct ae_db *db, struct ae_err *e)
{
	if (db->broken)
		return ae_fail(e, AE_EIO, AE_DOM_NONE, 0,
		    "the database failed before: nothing is done until a "
		    "restart");
	if (!db->in_batch)
		return ae_fail(e, AE_EINTERNAL, AE_DOM_NONE, 0,
		    "a database change outside a batch");
	if (db->nops++ >= AE_DB_BATCH_MAX) {
		ae_db_rollback(db);
		return ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
		    "more than %d changes in one batch", AE_DB_BATCH_MAX);
	}
	return AE_OK;
}

void
ae_db_text(sqlite3_stmt *st, int i, const char *s)
{
	if (s != NULL)
		sqlite3_bind_text(st, i, s, -1, SQLITE_STATIC);
}

void
ae_db_blob(sqlite3_stmt *st, int i, const void *p, size_t len)
{
	if (len > 0)
		sqlite3_bind_blob64(st, i, p, len, SQLITE_STATIC);
}

int
ae_db_begin(struct ae_db *db, struct ae_err *e)
{
	sqlite3_stmt *st = NULL;
	int rc;

	if (db->in_batch)
		return ae_fail(
		    e, AE_EINTERNAL, AE_DOM_NONE, 0, "a batch inside a batch");
	rc = ae_db_stmt(db, ST_BEGIN, &st, e);
	if (rc == AE_OK)
		rc = ae_db_step_done(db, st, "beginning a batch", e);
	if (rc != AE_OK)
		return rc;
	db->in_batch = true;
	db->nops = 0;
	return AE_OK;
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
	    db->h, NULL, SQLITE_CHECKPOINT_PASSIVE, &frames, NULL);
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

int
ae_db_commit(struct ae_db *db, struct ae_err *e)
{
	sqlite3_stmt *st = NULL;
	bool full = false;
	int rc;

	if (!db->in_batch)
		return ae_fail(
		    e, AE_EINTERNAL, AE_DOM_NONE, 0, "no batch to commit");
	sqlite3_wal_hook(db->h, on_wal, &full);
	rc = ae_db_stmt(db, ST_COMMIT, &st, e);
	if (rc == AE_OK)
		rc = ae_db_step_done(db, st, "committing a batch", e);
	sqlite3_wal_hook(db->h, NULL, NULL);
	if (rc != AE_OK)
		return rc; /* ae_db_step_done has rolled back */
	db->in_batch = false;
	db->seq_committed = db->seq;
	memcpy(db->link_committed, db->link, sizeof(db->link));
	if (full)
		checkpoint(db);
	return AE_OK;
}

void
ae_db_rollback(struct ae_db *db)
{
	sqlite3_stmt *st = db->st[ST_ROLLBACK];

	if (!db->in_batch)
		return;
	db->in_batch = false;
	db->seq = db->seq_committed;
	memcpy(db->link, db->link_committed, sizeof(db->link));
	if (sqlite3_get_autocommit(db->h))
		return; /* SQLite has undone it already */
	sqlite3_reset(st);
	if (sqlite3_step(st) != SQLITE_DONE)
		db->broken = true;
	sqlite3_reset(st);
}

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

/* PRAGMA quick_check or integrity_check: "ok" or the first finding. */
static int
integrity(struct ae_db *db, const char *pragma, struct ae_err *e)
{
	sqlite3_stmt *st = NULL;
	const char *text;
	int rc;

	rc = sqlite3_prepare_v2(db->h, pragma, -1, &st, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	if (rc != SQLITE_ROW) {
		sqlite3_finalize(st);
		return ae_db_fail(db, rc == SQLITE_DONE ? SQLITE_CORRUPT : rc,
		    "checking the database", e);
	}
	text = (const char *)sqlite3_column_text(st, 0);
	rc = AE_OK;
	if (text == NULL || strcmp(text, "ok") != 0) {
		db->broken = true;
		rc = ae_fail(e, AE_EPROTO, AE_DOM_SQLITE, SQLITE_CORRUPT,
		    "the database is damaged (%s); \"certsrv db check\" looks "
		    "closer",
		    text == NULL ? "no verdict" : text);
	}
	sqlite3_finalize(st);
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
	sqlite3_stmt *st = NULL;
	int rc;

	rc = sqlite3_prepare_v2(db->h, "PRAGMA page_count", -1, &st, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		*yes = sqlite3_column_int64(st, 0) <= WALK_PAGES;
	sqlite3_finalize(st);
	return rc == SQLITE_ROW
	    ? AE_OK
	    : ae_db_fail(db, rc == SQLITE_DONE ? SQLITE_CORRUPT : rc,
		  "asking for the database's size", e);
}

static int
configure(struct ae_db *db, struct ae_err *e)
{
	char text[64];
	int rc;

	sqlite3_extended_result_codes(db->h, 1);
	sqlite3_busy_timeout(db->h, AE_DB_BUSY_MS);
	sqlite3_limit(db->h, SQLITE_LIMIT_LENGTH, 8 * AE_DB_BLOB_MAX);
	rc = sqlite3_exec(db->h, pragmas, NULL, NULL, NULL);
	if (AE_BREAK(f2_synchronous))
		rc = sqlite3_exec(
		    db->h, "PRAGMA synchronous = OFF", NULL, NULL, NULL);
	if (rc == SQLITE_OK && !db->opt.read_only)
		rc = sqlite3_exec(
		    db->h, "PRAGMA journal_mode = WAL", NULL, NULL, NULL);
	if (rc == SQLITE_OK && db->opt.max_pages > 0) {
		snprintf(text, sizeof(text), "PRAGMA max_page_count = %u",
		    db->opt.max_pages);
		rc = sqlite3_exec(db->h, text, NULL, NULL, NULL);
	}
	return rc == SQLITE_OK ? AE_OK
			       : ae_db_fail(db, rc, "opening the database", e);
}

static int
open_handle(struct ae_db *db, const char *path, struct ae_err *e)
{
	int flags =
	    db->opt.read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
	sqlite3_stmt *st;
	bool walk = false;
	int rc;

	rc = sqlite3_open_v2(path, &db->h,
	    flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW |
		SQLITE_OPEN_PRIVATECACHE,
	    NULL);
	if (db->h == NULL)
		return ae_fail_mem(e);
	if (rc != SQLITE_OK && access(path, F_OK) == -1 && errno == ENOENT)
		return ae_fail(e, AE_ENOTFOUND, AE_DOM_NONE, 0,
		    "there is no database there");
	if (rc != SQLITE_OK)
		return ae_db_fail(db, rc, "opening the database", e);
	rc = configure(db, e);
	if (rc == AE_OK)
		rc = small(db, &walk, e);
	if (rc == AE_OK && walk)
		rc = integrity(db, "PRAGMA quick_check(1)", e);
	if (rc == AE_OK)
		rc = ae_db_schema(db, e);
	/* the one statement that must not need memory when it is needed */
	if (rc == AE_OK)
		rc = ae_db_stmt(db, ST_ROLLBACK, &st, e);
	if (rc == AE_OK)
		rc = ae_db_audit_load(db, e);
	return rc;
}

int
ae_db_open(
    struct ae_db **out, const struct ae_db_options *opt, struct ae_err *e)
{
	struct ae_db *db;
	int rc;

	db = calloc(1, sizeof(*db));
	if (db == NULL)
		return ae_fail_mem(e);
	db->opt = *opt;
	db->opt.path = NULL;
	rc = opt->create && !opt->read_only ? create_file(opt->path, e) : AE_OK;
	if (rc == AE_OK)
		rc = open_handle(db, opt->path, e);
	if (rc != AE_OK) {
		ae_db_free(db);
		return ae_note(e, rc, "%s", opt->path);
	}
	*out = db;
	return AE_OK;
}

void
ae_db_free(struct ae_db *db)
{
	size_t i;

	if (db == NULL)
		return;
	ae_db_rollback(db);
	for (i = 0; i < ST_COUNT; i++)
		sqlite3_finalize(db->st[i]);
	(void)sqlite3_close(db->h);
	free(db);
}

int
ae_db_check(struct ae_db *db, struct ae_err *e)
{
	return integrity(db, "PRAGMA integrity_check(1)", e);
}
