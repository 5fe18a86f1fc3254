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
#include "base/utf16.h"
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

/* s, or a copy of what is no UTF-8 without the bytes that make it so. */
static const char *
utf8(char *copy, size_t max, const char *s)
{
	char *c;

	if (ae_utf8_valid(s))
		return s;
	(void)snprintf(copy, max, "%s", s);
	for (c = copy; *c != '\0'; c++)
		if ((*c & 0x80) != 0)
			*c = '?';
	return copy;
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
	char clean_who[256], clean[ENTRY_MAX];
	struct ae_db_st *st;
	int rc;

	/* what is hashed is what every backend gives back */
	n.who = utf8(clean_who, sizeof(clean_who), n.who);
	n.detail = utf8(clean, sizeof(clean), n.detail);
	memcpy(link, db->link, sizeof(link));
	rc = advance(link, &n, e);
	if (rc == AE_OK)
		rc = ae_db_stmt(db, ST_AUDIT_ADD, &st, e);
	if (rc != AE_OK) {
		ae_db_rollback(db);
		return rc;
	}
	ae_db_num(st, 1, n.seq);
	ae_db_num(st, 2, n.at);
	ae_db_text(st, 3, n.what);
	ae_db_num(st, 4, n.request_id);
	ae_db_text(st, 5, n.who);
	ae_db_text(st, 6, n.detail);
	ae_db_blob(st, 7, link, sizeof(link));
	rc = ae_db_step_done(st, "writing the audit chain", e);
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
	struct ae_db_st *st;
	const void *link;
	size_t len;
	int rc;

	rc = ae_db_stmt(db, ST_AUDIT_LAST, &st, e);
	if (rc != AE_OK)
		return rc;
	rc = ae_db_step_row(st, "reading the audit chain", e);
	if (rc == AE_ENOTFOUND) {
		if (e != NULL)
			*e = (struct ae_err)AE_ERR_INIT;
		return AE_OK;
	}
	if (rc != AE_OK)
		return rc;
	if (ae_db_col_num(st, 0) < db->seq_committed && !db->opt.forgiving) {
		rc = ae_fail(e, AE_ETRUST, AE_DOM_NONE, db->seq_committed,
		    AE_DB_GONE_BACK, (long long)db->seq_committed);
		ae_db_reset(st);
		return rc;
	}
	db->seq = ae_db_col_num(st, 0);
	link = ae_db_col_blob(st, 1, &len);
	if (len == AE_DB_HASH_LEN)
		memcpy(db->link, link, AE_DB_HASH_LEN);
	else
		rc = ae_fail(e, AE_EPROTO, AE_DOM_NONE, db->seq,
		    "the last link of the audit chain is no hash");
	ae_db_reset(st);
	db->seq_committed = db->seq;
	memcpy(db->link_committed, db->link, sizeof(db->link));
	return rc;
}

/* Does the entry a statement stands on follow seq and link? */
static int
follows(struct ae_db_st *st, int64_t seq, uint8_t link[AE_DB_HASH_LEN],
    struct ae_err *e)
{
	const void *stored;
	size_t len;
	struct entry n = {
		.seq = ae_db_col_num(st, 0),
		.at = ae_db_col_num(st, 1),
		.what = ae_db_col_text(st, 2),
		.request_id = ae_db_col_num(st, 3),
		.who = ae_db_col_text(st, 4),
		.detail = ae_db_col_text(st, 5),
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
	stored = ae_db_col_blob(st, 6, &len);
	if (len != AE_DB_HASH_LEN ||
	    (memcmp(stored, link, AE_DB_HASH_LEN) != 0 &&
		!AE_BREAK(audit_chain)))
		return ae_fail(e, AE_EPROTO, AE_DOM_NONE, seq,
		    "audit entry %lld does not match its link", (long long)seq);
	return AE_OK;
}

int
ae_db_audit_verify(struct ae_db *db, int64_t *links, struct ae_err *e)
{
	uint8_t link[AE_DB_HASH_LEN] = { 0 };
	struct ae_db_st st;
	int64_t seq = 0;
	int rc;

	rc = db->in_batch ? AE_OK : db->port->patient(db, false, e);
	if (rc != AE_OK)
		return rc;
	rc = ae_db_stmt_text(db, &st, ae_db_sql[ST_AUDIT_ALL].text, true, e);
	while (rc == AE_OK) {
		rc = db->port->step(&st, "reading the audit chain", e);
		if (rc == AE_OK)
			rc = follows(&st, ++seq, link, e);
	}
	ae_db_finish(&st);
	if (rc != AE_ENOTFOUND)
		return rc;
	*links = seq;
	return AE_OK;
}

int
ae_db_meta_get(struct ae_db *db, const char *key, char **value,
    struct ae_arena *a, struct ae_err *e)
{
	struct ae_db_st *st;
	int rc;

	*value = NULL;
	rc = ae_db_stmt(db, ST_META_GET, &st, e);
	if (rc != AE_OK)
		return rc;
	ae_db_text(st, 1, key);
	rc = ae_db_step_row(st, "reading a setting", NULL);
	if (rc == AE_ENOTFOUND)
		return AE_OK;
	if (rc != AE_OK)
		return ae_fail(e, rc, AE_DOM_NONE, 0, "reading \"%s\"", key);
	*value = ae_arena_strdup(a, ae_db_col_text(st, 0));
	ae_db_reset(st);
	return *value == NULL ? ae_fail_mem(e) : AE_OK;
}

int
ae_db_meta_set(
    struct ae_db *db, const char *key, const char *value, struct ae_err *e)
{
	struct ae_db_st *st;
	int rc;

	rc = ae_db_op(db, e);
	if (rc == AE_OK)
		rc = ae_db_stmt(db, ST_META_SET, &st, e);
	if (rc != AE_OK)
		return rc;
	ae_db_text(st, 1, key);
	ae_db_text(st, 2, value);
	return ae_db_step_done(st, "writing a setting", e);
}
