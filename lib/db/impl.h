/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Inside the database folder: the handle, its prepared statements and the
 * few calls through which everything reaches SQLite.
 */
#ifndef AE_DB_IMPL_H
#define AE_DB_IMPL_H

#include <sqlite3.h>

#include "db/db.h"

enum ae_db_stmt {
	ST_BEGIN,
	ST_COMMIT,
	ST_ROLLBACK,
	ST_ADD,
	ST_CALLER_ADD,
	ST_CALLER_GET,
	ST_CALLER_DROP,
	ST_KEY_ADD,
	ST_KEY_GET,
	ST_SERIAL_GET,
	ST_SERIAL_ADD,
	ST_STATE,
	ST_ACTIVATE,
	ST_ISSUE,
	ST_REFUSE,
	ST_SET_ATTRS,
	ST_REVOKE,
	ST_REVOKED_ADD,
	ST_REVOKED_REASON,
	ST_RELEASE,
	ST_REVOKED_DROP,
	ST_RELEASED_ADD,
	ST_RELEASED_DROP,
	ST_RELEASED_PURGE,
	ST_QUOTA_GET,
	ST_QUOTA_SET,
	ST_CRL_GET,
	ST_CRL_SET,
	ST_CRL_BASE_GET,
	ST_CRL_BASE_SET,
	ST_META_GET,
	ST_META_SET,
	ST_AUDIT_ADD,
	ST_AUDIT_LAST,
	ST_GET,
	ST_BY_SERIAL,
	ST_SAME,
	ST_INTENTS,
	ST_COUNT
};

struct ae_db {
	sqlite3 *h;
	sqlite3_stmt *st[ST_COUNT];
	struct ae_db_options opt; /* path is not kept */
	bool in_batch;
	bool broken; /* a write or sync failed: nothing is done any more */
	unsigned nops;
	/* the audit chain's end, as of the last commit and in this batch */
	int64_t seq, seq_committed;
	uint8_t link[AE_DB_HASH_LEN], link_committed[AE_DB_HASH_LEN];
};

/* The statement, reset and ready to be bound; AE_EIO when broken. */
int ae_db_stmt(struct ae_db *db, enum ae_db_stmt which, sqlite3_stmt **out,
    struct ae_err *e) AE_MUST_CHECK;

/*
 * Step a statement that yields at most one row: AE_OK with a row there (read
 * it, then sqlite3_reset), AE_ENOTFOUND without one.
 */
int ae_db_step_row(struct ae_db *db, sqlite3_stmt *st, const char *what,
    struct ae_err *e) AE_MUST_CHECK;

/* Step a statement that yields none. */
int ae_db_step_done(struct ae_db *db, sqlite3_stmt *st, const char *what,
    struct ae_err *e) AE_MUST_CHECK;

/*
 * SQLite's verdict as ours, in doing what; a batch that cannot go on is
 * rolled back, a handle that cannot is broken.
 */
int ae_db_fail(struct ae_db *db, int sqlite_rc, const char *what,
    struct ae_err *e) AE_MUST_CHECK;

/* In a batch, not broken, with room for one more operation? */
int ae_db_op(struct ae_db *db, struct ae_err *e) AE_MUST_CHECK;

/* Bind one value; NULL and empty blobs become SQL NULL. */
void ae_db_text(sqlite3_stmt *st, int i, const char *s);
void ae_db_blob(sqlite3_stmt *st, int i, const void *p, size_t len);

/* Create or migrate the schema; AE_EINVAL when it is newer than we are. */
int ae_db_schema(struct ae_db *db, struct ae_err *e) AE_MUST_CHECK;

/* Append a link to the audit chain; who and detail may be NULL. */
int ae_db_audit_add(struct ae_db *db, const char *what, int64_t request_id,
    const char *who, const char *detail, int64_t now,
    struct ae_err *e) AE_MUST_CHECK;

/* Where the audit chain ends now. */
int ae_db_audit_load(struct ae_db *db, struct ae_err *e) AE_MUST_CHECK;

#define AE_DB_ROW_COLUMNS                                              \
	"id, disp, hresult, message, sid, account, template, subject," \
	" attrs, flags, csr_hash, serial, submitted, resolved,"        \
	" not_before, not_after, revoked_at, revoked_reason,"          \
	" on_behalf, request_flags, issuer, set_attrs"
#define AE_DB_ROW_BLOBS ", csr, cert"

/* The row a statement with those columns stands on. */
int ae_db_row(struct ae_db_request *out, sqlite3_stmt *st, bool blobs,
    struct ae_arena *a, struct ae_err *e) AE_MUST_CHECK;

#endif
