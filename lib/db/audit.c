/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The audit chain: each entry's link is a hash over the link before it and
 * the entry, so that a changed, inserted or removed entry breaks every link
 * behind it.  Cutting off the end is not visible from inside; the last
 * link belongs into a backup or a log elsewhere.  Also CRL numbers and meta
 * values, which are as small.
 */
#include <stdio.h>
#include <string.h>

#include "base/breaks.h"
#include "base/wr.h"
#include "db/impl.h"
#include "pki/key.h"

#define ENTRY_MAX 4096

struct entry {
	int64_t seq, at, request_id;
	const char *what, *who, *detail;
};

static void
put_text(struct ae_wr *w, const char *s)
{
	ae_wr_u32(w, (uint32_t)strlen(s));
	ae_wr_str(w, s);
}

/* link = SHA-256(link || entry); AE_ENOMEM or AE_ELIMIT. */
static int
advance(uint8_t link[AE_DB_HASH_LEN], const struct entry *n, struct ae_err *e)
{
	uint8_t hash[AE_HASH_MAX];
	struct ae_wr w;
	int rc = AE_OK;

	ae_wr_init(&w, ENTRY_MAX);
	ae_wr_bytes(&w, link, AE_DB_HASH_LEN);
	ae_wr_u64(&w, (uint64_t)n->seq);
	ae_wr_u64(&w, (uint64_t)n->at);
	ae_wr_u64(&w, (uint64_t)n->request_id);
	put_text(&w, n->what);
	put_text(&w, n->who);
	put_text(&w, n->detail);
	if (ae_wr_full(&w))
		rc = ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
		    "an audit entry of more than %d bytes", ENTRY_MAX);
	else if (!ae_wr_ok(&w) ||
	    ae_hash_bytes(hash, AE_HASH_SHA256, w.p, w.len) == 0)
		rc = ae_fail_mem(e);
	else
		memcpy(link, hash, AE_DB_HASH_LEN);
	ae_wr_done(&w);
	return rc;
}

int
ae_db_audit_add(struct ae_db *db, const char *what, int64_t request_id,
    const char *who, const char *detail, int64_t now, struct ae_err *e)
{
	struct entry n = { .seq = db->seq + 1,
		.at = now,
		.request_id = request_id,
		.what = what,
		.who = who == NULL ? "" : who,
		.detail = detail == NULL ? "" : detail };
	uint8_t link[AE_DB_HASH_LEN];
	sqlite3_stmt *st;
	int rc;

	memcpy(link, db->link, sizeof(link));
	rc = advance(link, &n, e);
	if (rc == AE_OK)
		rc = ae_db_stmt(db, ST_AUDIT_ADD, &st, e);
	if (rc != AE_OK) {
		ae_db_rollback(db);
		return rc;
	}
	sqlite3_bind_int64(st, 1, n.seq);
	sqlite3_bind_int64(st, 2, n.at);
	ae_db_text(st, 3, n.what);
	sqlite3_bind_int64(st, 4, n.request_id);
	ae_db_text(st, 5, n.who);
	ae_db_text(st, 6, n.detail);
	ae_db_blob(st, 7, link, sizeof(link));
	rc = ae_db_step_done(db, st, "writing the audit chain", e);
	if (rc != AE_OK)
		return rc;
	db->seq = n.seq;
	memcpy(db->link, link, sizeof(link));
	return AE_OK;
}

int
ae_db_audit(struct ae_db *db, const char *what, int64_t request_id,
    const char *who, const char *detail, int64_t now, struct ae_err *e)
{
	int rc = ae_db_op(db, e);

	return rc != AE_OK
	    ? rc
	    : ae_db_audit_add(db, what, request_id, who, detail, now, e);
}

int
ae_db_audit_load(struct ae_db *db, struct ae_err *e)
{
	sqlite3_stmt *st;
	int rc;

	rc = ae_db_stmt(db, ST_AUDIT_LAST, &st, e);
	if (rc != AE_OK)
		return rc;
	rc = ae_db_step_row(db, st, "reading the audit chain", e);
	if (rc == AE_ENOTFOUND) {
		if (e != NULL)
			*e = (struct ae_err)AE_ERR_INIT;
		return AE_OK;
	}
	if (rc != AE_OK)
		return rc;
	db->seq = sqlite3_column_int64(st, 0);
	if (sqlite3_column_bytes(st, 1) == AE_DB_HASH_LEN)
		memcpy(db->link, sqlite3_column_blob(st, 1), AE_DB_HASH_LEN);
	else
		rc = ae_fail(e, AE_EPROTO, AE_DOM_NONE, db->seq,
		    "the last link of the audit chain is no hash");
	sqlite3_reset(st);
	db->seq_committed = db->seq;
	memcpy(db->link_committed, db->link, sizeof(db->link));
	return rc;
}

/* Does the entry a statement stands on follow seq and link? */
static int
follows(sqlite3_stmt *st, int64_t seq, uint8_t link[AE_DB_HASH_LEN],
    struct ae_err *e)
{
	const void *stored;
	struct entry n = {
		.seq = sqlite3_column_int64(st, 0),
		.at = sqlite3_column_int64(st, 1),
		.what = (const char *)sqlite3_column_text(st, 2),
		.request_id = sqlite3_column_int64(st, 3),
		.who = (const char *)sqlite3_column_text(st, 4),
		.detail = (const char *)sqlite3_column_text(st, 5),
	};
	int rc;

	if (n.what == NULL || n.who == NULL || n.detail == NULL)
		return ae_fail_mem(e);
	if (n.seq != seq)
		return ae_fail(e, AE_EPROTO, AE_DOM_NONE, seq,
		    "audit entry %lld is missing", (long long)seq);
	rc = advance(link, &n, e);
	if (rc != AE_OK)
		return rc;
	stored = sqlite3_column_blob(st, 6);
	if (sqlite3_column_bytes(st, 6) != AE_DB_HASH_LEN ||
	    (memcmp(stored, link, AE_DB_HASH_LEN) != 0 &&
		!AE_BREAK(audit_chain)))
		return ae_fail(e, AE_EPROTO, AE_DOM_NONE, seq,
		    "audit entry %lld does not match its link", (long long)seq);
	return AE_OK;
}

int
ae_db_audit_verify(struct ae_db *db, int64_t *links, struct ae_err *e)
{
	static const char text[] =
	    "SELECT seq, at, what, request_id, who, detail, link FROM audit"
	    " ORDER BY seq";
	uint8_t link[AE_DB_HASH_LEN] = { 0 };
	sqlite3_stmt *st = NULL;
	int64_t seq = 0;
	int rc = AE_OK, src;

	if (db->broken)
		return ae_fail(
		    e, AE_EIO, AE_DOM_NONE, 0, "the database failed before");
	src = sqlite3_prepare_v2(db->h, text, -1, &st, NULL);
	if (src != SQLITE_OK)
		return ae_db_fail(db, src, "reading the audit chain", e);
	while (rc == AE_OK && (src = sqlite3_step(st)) == SQLITE_ROW)
		rc = follows(st, ++seq, link, e);
	if (rc == AE_OK && src != SQLITE_DONE)
		rc = ae_db_fail(db, src, "reading the audit chain", e);
	sqlite3_finalize(st);
	if (rc == AE_OK)
		*links = seq;
	return rc;
}

int
ae_db_meta_get(struct ae_db *db, const char *key, char **value,
    struct ae_arena *a, struct ae_err *e)
{
	sqlite3_stmt *st;
	int rc;

	*value = NULL;
	rc = ae_db_stmt(db, ST_META_GET, &st, e);
	if (rc != AE_OK)
		return rc;
	ae_db_text(st, 1, key);
	rc = ae_db_step_row(db, st, "reading a setting", NULL);
	if (rc == AE_ENOTFOUND)
		return AE_OK;
	if (rc != AE_OK)
		return ae_fail(e, rc, AE_DOM_NONE, 0, "reading \"%s\"", key);
	*value = ae_arena_strdup(a, (const char *)sqlite3_column_text(st, 0));
	sqlite3_reset(st);
	return *value == NULL ? ae_fail_mem(e) : AE_OK;
}

int
ae_db_meta_set(
    struct ae_db *db, const char *key, const char *value, struct ae_err *e)
{
	sqlite3_stmt *st;
	int rc;

	rc = ae_db_op(db, e);
	if (rc == AE_OK)
		rc = ae_db_stmt(db, ST_META_SET, &st, e);
	if (rc != AE_OK)
		return rc;
	ae_db_text(st, 1, key);
	ae_db_text(st, 2, value);
	return ae_db_step_done(db, st, "writing a setting", e);
}
