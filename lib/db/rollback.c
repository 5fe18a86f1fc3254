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

static int
last_id(struct ae_db *db, int64_t *out, struct ae_err *e)
{
	struct ae_db_st *st;
	int rc = ae_db_stmt(db, ST_LAST_ID, &st, e);

	if (rc == AE_OK)
		rc = ae_db_step_row(st, "reading the last request id", e);
	if (rc != AE_OK)
		return rc;
	*out = ae_db_col_num(st, 0);
	ae_db_reset(st);
	return AE_OK;
}

int
ae_db_state(struct ae_db *db, struct ae_db_state *out, struct ae_err *e)
{
	struct ae_db_st *st;
	int rc = AE_OK;

	memset(out, 0, sizeof(*out));
	if (!db->in_batch) /* another node may have written since */
		rc = ae_db_audit_load(db, e);
	out->seq = db->seq_committed;
	memcpy(out->link, db->link_committed, sizeof(out->link));
	if (rc == AE_OK)
		rc = last_id(db, &out->last_id, e);
	if (rc == AE_OK)
		rc = ae_db_stmt(db, ST_CRL_NUMBERS, &st, e);
	if (rc != AE_OK)
		return rc;
	while ((rc = db->port->step(st, "reading the CRL numbers", e)) == AE_OK)
		if (!ae_db_state_crl_raise(out, (unsigned)ae_db_col_num(st, 0),
			ae_db_col_num(st, 1))) {
			ae_db_reset(st);
			return ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
			    "more than %d keys with CRLs", AE_DB_CRL_KEYS_MAX);
		}
	ae_db_reset(st);
	return rc == AE_ENOTFOUND ? AE_OK : rc;
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
	struct ae_db_st *st;
	const void *p;
	size_t len;
	int rc = ae_db_stmt(db, ST_AUDIT_LINK, &st, e);

	if (rc != AE_OK)
		return rc;
	ae_db_num(st, 1, seq);
	rc = ae_db_step_row(st, "reading the audit chain", e);
	if (rc == AE_ENOTFOUND)
		return ae_fail(e, AE_ENOTFOUND, AE_DOM_NONE, seq,
		    "the audit chain has no entry %lld", (long long)seq);
	if (rc != AE_OK)
		return rc;
	p = ae_db_col_blob(st, 0, &len);
	memset(link, 0, AE_DB_HASH_LEN);
	if (len == AE_DB_HASH_LEN)
		memcpy(link, p, AE_DB_HASH_LEN);
	ae_db_reset(st);
	return AE_OK;
}

/* ---- going on ---- */

static int
set_last_id(struct ae_db *db, int64_t id, struct ae_err *e)
{
	static const enum ae_db_stmt all[] = { ST_LAST_ID_SET,
		ST_LAST_ID_MAKE };
	struct ae_db_st *st;
	size_t i;
	int rc = AE_OK;

	for (i = 0; i < 2 && rc == AE_OK; i++) {
		rc = ae_db_stmt(db, all[i], &st, e);
		if (rc != AE_OK)
			return rc;
		ae_db_num(st, 1, id);
		rc = ae_db_step_done(st, "setting the last request id", e);
	}
	return rc;
}

static int
set_crl_number(
    struct ae_db *db, const struct ae_db_crl_last *c, struct ae_err *e)
{
	struct ae_db_st *st;
	int rc = ae_db_stmt(db, ST_CRL_RAISE, &st, e);

	if (rc != AE_OK)
		return rc;
	ae_db_num(st, 1, c->key);
	ae_db_num(st, 2, c->number);
	return ae_db_step_done(st, "setting the number of a CRL", e);
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
	if (rc == AE_OK)
		rc = ae_db_meta_set(db, AE_DB_SUSPENDED, "", e);
	return rc != AE_OK
	    ? rc
	    : ae_db_audit_add(db, AE_DB_GAP, 0, by, detail, now, e);
}

/* ---- all nodes stand still ---- */

int
ae_db_suspended(
    struct ae_db *db, char **why, struct ae_arena *a, struct ae_err *e)
{
	int rc = ae_db_meta_get(db, AE_DB_SUSPENDED, why, a, e);

	if (rc == AE_OK && *why != NULL && (*why)[0] == '\0')
		*why = NULL;
	return rc;
}

int
ae_db_suspend(struct ae_db *db, const char *why, int64_t now, struct ae_err *e)
{
	const bool was = db->opt.forgiving;
	struct ae_arena *a = ae_arena_new(4096);
	char *before = NULL;
	int rc;

	if (a == NULL)
		return ae_fail_mem(e);
	db->opt.forgiving = true;
	rc = ae_db_begin(db, e);
	if (rc == AE_OK)
		rc = ae_db_suspended(db, &before, a, e);
	if (rc == AE_OK && before == NULL) {
		rc = ae_db_meta_set(db, AE_DB_SUSPENDED, why, e);
		if (rc == AE_OK)
			rc = ae_db_audit_add(
			    db, AE_DB_SUSPENDED, 0, NULL, why, now, e);
	}
	if (rc == AE_OK)
		rc = ae_db_commit(db, e);
	else
		ae_db_rollback(db);
	db->opt.forgiving = was;
	ae_arena_free(a);
	return rc;
}

/* ---- revocations that were published ---- */

/*
 * A row that ends as revoked: a new one, or one whose certificate this
 * database never saw.
 */
static int
store_row(struct ae_db *db, const struct ae_db_revoked *r, unsigned key_index,
    int64_t not_after, enum ae_db_stmt which, int64_t when, int64_t *id,
    struct ae_err *e)
{
	static const char what[] = "storing a revocation that was published";
	struct ae_db_st *st;
	int rc = ae_db_stmt(db, which, &st, e);

	if (rc != AE_OK)
		return rc;
	ae_db_blob(st, 1, r->serial, r->serial_len);
	ae_db_num(st, 2, when);
	ae_db_num(st, 3, not_after);
	ae_db_num(st, 4, r->revoked_at);
	ae_db_num(st, 5, r->reason);
	ae_db_num(st, 6, key_index);
	if (id == NULL)
		return ae_db_step_done(st, what, e);
	rc = ae_db_step_row(st, what, e);
	if (rc != AE_OK)
		return rc;
	*id = ae_db_col_num(st, 0);
	ae_db_reset(st);
	return AE_OK;
}

static int
store_revoked(struct ae_db *db, const struct ae_db_revoked *r,
    unsigned key_index, int64_t not_after, const char *by, bool is_new,
    int64_t now, struct ae_err *e)
{
	char hex[2 * AE_DB_SERIAL_MAX + 1], detail[128];
	struct ae_db_st *st;
	int64_t id = 0;
	int rc;

	if (!is_new) {
		rc = store_row(
		    db, r, key_index, not_after, ST_IMPORT_SET, now, NULL, e);
	} else {
		rc = store_row(
		    db, r, key_index, not_after, ST_IMPORT_ADD, now, &id, e);
		if (rc == AE_OK)
			rc = ae_db_stmt(db, ST_SERIAL_ADD, &st, e);
		if (rc != AE_OK)
			return rc;
		ae_db_blob(st, 1, r->serial, r->serial_len);
		ae_db_num(st, 2, id);
		rc = ae_db_step_done(st, "writing a serial number", e);
	}
	if (rc == AE_OK)
		rc = store_row(db, r, key_index, not_after, ST_IMPORT_REVOKED,
		    db->seq + 1, NULL, e);
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
	struct ae_db_st *st;
	int rc = ae_db_stmt(db, ST_KNOWN, &st, e);

	*disp = *reason = 0;
	if (rc != AE_OK)
		return rc;
	ae_db_blob(st, 1, r->serial, r->serial_len);
	rc = ae_db_step_row(st, "looking for a serial number", e);
	if (rc != AE_OK)
		return rc == AE_ENOTFOUND ? AE_OK : rc;
	*disp = (int)ae_db_col_num(st, 0);
	*reason = (int)ae_db_col_num(st, 1);
	ae_db_reset(st);
	return AE_OK;
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
	struct ae_db_st st;
	int rc = ae_db_stmt_text(db, &st, ae_db_sql[ST_AUDIT_OF].text, true, e);

	if (rc == AE_OK)
		ae_db_text(&st, 1, what);
	while (rc == AE_OK) {
		rc = db->port->step(&st, "reading the audit chain", e);
		if (rc != AE_OK)
			break;
		const struct ae_db_audit_entry n = {
			.seq = ae_db_col_num(&st, 0),
			.at = ae_db_col_num(&st, 1),
			.what = ae_db_col_text(&st, 2),
			.request_id = ae_db_col_num(&st, 3),
			.who = ae_db_col_text(&st, 4),
			.detail = ae_db_col_text(&st, 5),
		};

		rc = n.what == NULL || n.who == NULL || n.detail == NULL
		    ? ae_fail_mem(e)
		    : fn(arg, &n, e);
	}
	ae_db_finish(&st);
	return rc == AE_ENOTFOUND ? AE_OK : rc;
}
