/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Where the database stands, and how it goes on behind what was given out
 * after the state that it was put back to.
 */
#include "db/rollback.h"

#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "db/impl.h"

#define ID_MAX INT32_MAX
#define NUMBER_MAX (INT64_MAX / 4)

/* One statement with at most one row; the caller finalizes. */
static int
prepare(struct ae_db *db, const char *sql, sqlite3_stmt **st, struct ae_err *e)
{
	int rc;

	if (db->broken)
		return ae_fail(
		    e, AE_EIO, AE_DOM_NONE, 0, "the database failed before");
	rc = sqlite3_prepare_v2(db->h, sql, -1, st, NULL);
	return rc == SQLITE_OK ? AE_OK
			       : ae_db_fail(db, rc, "preparing a look-up", e);
}

/* The end of such a statement that rc was the last step of. */
static int
finish(struct ae_db *db, sqlite3_stmt *st, int rc, const char *what,
    struct ae_err *e)
{
	sqlite3_finalize(st);
	return rc == SQLITE_DONE || rc == SQLITE_ROW
	    ? AE_OK
	    : ae_db_fail(db, rc, what, e);
}

static int
last_id(struct ae_db *db, int64_t *out, struct ae_err *e)
{
	static const char sql[] =
	    "SELECT max(ifnull((SELECT seq FROM sqlite_sequence"
	    " WHERE name = 'request'), 0),"
	    " ifnull((SELECT max(id) FROM request), 0))";
	sqlite3_stmt *st = NULL;
	int rc = prepare(db, sql, &st, e);

	if (rc != AE_OK)
		return rc;
	rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		*out = sqlite3_column_int64(st, 0);
	return finish(db, st, rc, "reading the last request id", e);
}

int
ae_db_state(struct ae_db *db, struct ae_db_state *out, struct ae_err *e)
{
	sqlite3_stmt *st = NULL;
	int rc, src;

	memset(out, 0, sizeof(*out));
	out->seq = db->seq_committed;
	memcpy(out->link, db->link_committed, sizeof(out->link));
	rc = last_id(db, &out->last_id, e);
	if (rc == AE_OK)
		rc = prepare(db,
		    "SELECT key_index, number FROM crl_number ORDER BY 1", &st,
		    e);
	if (rc != AE_OK)
		return rc;
	while ((src = sqlite3_step(st)) == SQLITE_ROW)
		if (!ae_db_state_crl_raise(out,
			(unsigned)sqlite3_column_int(st, 0),
			sqlite3_column_int64(st, 1))) {
			sqlite3_finalize(st);
			return ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
			    "more than %d keys with CRLs", AE_DB_CRL_KEYS_MAX);
		}
	return finish(db, st, src, "reading the CRL numbers", e);
}

int64_t
ae_db_state_crl(const struct ae_db_state *s, unsigned key)
{
	size_t i;

	for (i = 0; i < s->ncrl; i++)
		if (s->crl[i].key == key)
			return s->crl[i].number;
	return 0;
}

bool
ae_db_state_crl_raise(struct ae_db_state *s, unsigned key, int64_t number)
{
	size_t i;

	for (i = 0; i < s->ncrl && s->crl[i].key != key; i++)
		;
	if (i == AE_DB_CRL_KEYS_MAX)
		return false;
	if (i == s->ncrl)
		s->crl[s->ncrl++] = (struct ae_db_crl_last){ key, 0 };
	if (number > s->crl[i].number)
		s->crl[i].number = number;
	return true;
}

int
ae_db_audit_link(struct ae_db *db, int64_t seq, uint8_t link[AE_DB_HASH_LEN],
    struct ae_err *e)
{
	sqlite3_stmt *st = NULL;
	int rc = prepare(db, "SELECT link FROM audit WHERE seq = ?1", &st, e);

	if (rc != AE_OK)
		return rc;
	sqlite3_bind_int64(st, 1, seq);
	rc = sqlite3_step(st);
	if (rc == SQLITE_DONE) {
		sqlite3_finalize(st);
		return ae_fail(e, AE_ENOTFOUND, AE_DOM_NONE, seq,
		    "the audit chain has no entry %lld", (long long)seq);
	}
	if (rc == SQLITE_ROW) {
		memset(link, 0, AE_DB_HASH_LEN);
		if (sqlite3_column_bytes(st, 0) == AE_DB_HASH_LEN)
			memcpy(
			    link, sqlite3_column_blob(st, 0), AE_DB_HASH_LEN);
	}
	return finish(db, st, rc, "reading the audit chain", e);
}

/* ---- going on ---- */

static int
set_last_id(struct ae_db *db, int64_t id, struct ae_err *e)
{
	static const char *const sql[] = {
		"UPDATE sqlite_sequence SET seq = ?1 WHERE name = 'request'"
		" AND seq < ?1",
		"INSERT INTO sqlite_sequence (name, seq) SELECT 'request', ?1"
		" WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence"
		" WHERE name = 'request')",
	};
	size_t i;
	int rc = AE_OK;

	for (i = 0; i < 2 && rc == AE_OK; i++) {
		sqlite3_stmt *st = NULL;

		rc = prepare(db, sql[i], &st, e);
		if (rc != AE_OK)
			return rc;
		sqlite3_bind_int64(st, 1, id);
		rc = finish(
		    db, st, sqlite3_step(st), "setting the last request id", e);
	}
	return rc;
}

static int
set_crl_number(
    struct ae_db *db, const struct ae_db_crl_last *c, struct ae_err *e)
{
	sqlite3_stmt *st = NULL;
	int rc = prepare(db,
	    "INSERT INTO crl_number (key_index, number) VALUES (?1, ?2)"
	    " ON CONFLICT (key_index) DO UPDATE"
	    " SET number = max(number, excluded.number)",
	    &st, e);

	if (rc != AE_OK)
		return rc;
	sqlite3_bind_int64(st, 1, c->key);
	sqlite3_bind_int64(st, 2, c->number);
	return finish(
	    db, st, sqlite3_step(st), "setting the number of a CRL", e);
}

int
ae_db_go_past(struct ae_db *db, const struct ae_db_state *to, const char *by,
    const char *detail, int64_t now, struct ae_err *e)
{
	size_t i;
	int rc = ae_db_op(db, e);

	if (rc != AE_OK)
		return rc;
	if (to->last_id < 0 || to->last_id >= ID_MAX)
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "request ids end at %d", ID_MAX);
	for (i = 0; i < to->ncrl; i++)
		if (to->crl[i].number < 0 || to->crl[i].number > NUMBER_MAX)
			return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
			    "the CRL number of key %u is too high",
			    to->crl[i].key);
	rc = set_last_id(db, to->last_id, e);
	for (i = 0; i < to->ncrl && rc == AE_OK; i++)
		rc = set_crl_number(db, &to->crl[i], e);
	return rc != AE_OK
	    ? rc
	    : ae_db_audit_add(db, AE_DB_GAP, 0, by, detail, now, e);
}

/* ---- revocations that were published ---- */

#define IMPORTED "revoked by a CRL that was published"

/*
 * A row that ends as revoked: a new one, or one whose certificate this
 * database never saw.
 */
static int
store_revoked(struct ae_db *db, const struct ae_db_revoked *r,
    unsigned key_index, int64_t not_after, const char *by, bool is_new,
    int64_t now, struct ae_err *e)
{
	static const char *const sql[] = {
		"INSERT INTO request (disp, hresult, message, sid, flags,"
		" csr_hash, serial, submitted, resolved, not_after,"
		" revoked_at, revoked_reason, issuer)"
		" VALUES (21, 0, '" IMPORTED "', '', 0, zeroblob(32), ?1, ?2,"
		" ?2, ?3, ?4, ?5, ?6 << 16)",
		"INSERT INTO serial (serial, request_id)"
		" VALUES (?1, last_insert_rowid())",
		"UPDATE request SET disp = 21, message = '" IMPORTED "',"
		" resolved = ?2, not_after = max(not_after, ?3),"
		" revoked_at = ?4, revoked_reason = ?5, issuer = ?6 << 16"
		" WHERE id = (SELECT request_id FROM serial WHERE serial = ?1)",
		"INSERT OR REPLACE INTO revoked (serial, request_id,"
		" revoked_at, reason, not_after, key_index, changed)"
		" SELECT ?1, request_id, ?4, ?5, ?3, ?6, ?2 FROM serial"
		" WHERE serial = ?1",
	};
	char hex[2 * AE_DB_SERIAL_MAX + 1], detail[128];
	size_t i;
	int rc = AE_OK;

	for (i = 0; i < 4 && rc == AE_OK; i++) {
		sqlite3_stmt *st = NULL;

		if (i < 3 && (i == 2) == is_new)
			continue;
		rc = prepare(db, sql[i], &st, e);
		if (rc != AE_OK)
			return rc;
		ae_db_blob(st, 1, r->serial, r->serial_len);
		sqlite3_bind_int64(st, 2, i == 3 ? db->seq + 1 : now);
		sqlite3_bind_int64(st, 3, not_after);
		sqlite3_bind_int64(st, 4, r->revoked_at);
		sqlite3_bind_int(st, 5, r->reason);
		sqlite3_bind_int64(st, 6, key_index);
		rc = finish(db, st, sqlite3_step(st),
		    "storing a revocation that was published", e);
	}
	if (rc != AE_OK)
		return rc;
	ae_hex_encode(hex, r->serial, r->serial_len);
	(void)snprintf(
	    detail, sizeof(detail), "reason %d serial %s", r->reason, hex);
	return ae_db_audit_add(db, "revoked-unknown", 0, by, detail, now, e);
}

/* The row's state and, when it is revoked, why; 0: there is no row. */
static int
known(struct ae_db *db, const struct ae_db_revoked *r, int *disp, int *reason,
    struct ae_err *e)
{
	sqlite3_stmt *st = NULL;
	int rc = prepare(db,
	    "SELECT disp, revoked_reason FROM request WHERE id ="
	    " (SELECT request_id FROM serial WHERE serial = ?1)",
	    &st, e);

	*disp = *reason = 0;
	if (rc != AE_OK)
		return rc;
	ae_db_blob(st, 1, r->serial, r->serial_len);
	rc = sqlite3_step(st);
	if (rc == SQLITE_ROW) {
		*disp = sqlite3_column_int(st, 0);
		*reason = sqlite3_column_int(st, 1);
	}
	return finish(db, st, rc, "looking for a serial number", e);
}

int
ae_db_revoked_import(struct ae_db *db, const struct ae_db_revoked *r,
    unsigned key_index, int64_t not_after, const char *by, int64_t now,
    bool *was_new, struct ae_err *e)
{
	int disp = 0, reason = 0, rc = ae_db_op(db, e);

	*was_new = false;
	if (rc == AE_OK &&
	    (r->serial_len == 0 || r->serial_len > AE_DB_SERIAL_MAX))
		rc = ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "a serial number of %zu bytes", r->serial_len);
	if (rc == AE_OK)
		rc = known(db, r, &disp, &reason, e);
	if (rc != AE_OK ||
	    (disp == AE_DB_REVOKED &&
		(reason != AE_DB_REASON_HOLD || reason == r->reason)))
		return rc;
	*was_new = true;
	if (disp == AE_DB_ISSUED || disp == AE_DB_REVOKED)
		return ae_db_revoke(db, r->serial, r->serial_len, r->reason,
		    r->revoked_at, by, e);
	return store_revoked(
	    db, r, key_index, not_after, by, disp == 0, now, e);
}

int
ae_db_audit_each(struct ae_db *db, const char *what, ae_db_audit_fn *fn,
    void *arg, struct ae_err *e)
{
	sqlite3_stmt *st = NULL;
	int src = SQLITE_DONE,
	    rc = prepare(db,
		"SELECT seq, at, what, request_id, who, detail FROM audit"
		" WHERE what = ?1 ORDER BY seq",
		&st, e);

	if (rc != AE_OK)
		return rc;
	ae_db_text(st, 1, what);
	while (rc == AE_OK && (src = sqlite3_step(st)) == SQLITE_ROW) {
		const struct ae_db_audit_entry n = {
			.seq = sqlite3_column_int64(st, 0),
			.at = sqlite3_column_int64(st, 1),
			.what = (const char *)sqlite3_column_text(st, 2),
			.request_id = sqlite3_column_int64(st, 3),
			.who = (const char *)sqlite3_column_text(st, 4),
			.detail = (const char *)sqlite3_column_text(st, 5),
		};

		rc = n.what == NULL || n.who == NULL || n.detail == NULL
		    ? ae_fail_mem(e)
		    : fn(arg, &n, e);
	}
	if (rc != AE_OK) {
		sqlite3_finalize(st);
		return rc;
	}
	return finish(db, st, src, "reading the audit chain", e);
}
