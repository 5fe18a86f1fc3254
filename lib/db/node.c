/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Several nodes of one CA: who answers a request, who makes the next CRL, and
 * the newest one for all.  Times are the database's, so that clocks of nodes do
 * not matter; the epoch is the fence: who was stopped for too long finds
 * another one.
 */
#include <stdio.h>

#include "base/hex.h"
#include "db/impl.h"

#define HRESULT_GIVEN_UP 0x80094006u /* CERTSRV_E_SERVER_SUSPENDED */

static const char lease[] = "crl";

struct holder {
	int64_t instance, epoch, left;
};

static int
holder_get(struct ae_db *db, struct holder *h, struct ae_err *e)
{
	struct ae_db_st *st;
	int rc;

	*h = (struct holder){ 0 };
	rc = ae_db_stmt(db, ST_LEASE_GET, &st, e);
	if (rc != AE_OK)
		return rc;
	ae_db_text(st, 1, lease);
	rc = ae_db_step_row(st, "reading a lease", e);
	if (rc != AE_OK)
		return rc == AE_ENOTFOUND ? AE_OK : rc;
	h->instance = ae_db_col_num(st, 0);
	h->epoch = ae_db_col_num(st, 1);
	h->left = ae_db_col_num(st, 2);
	ae_db_reset(st);
	return AE_OK;
}

static int
holder_set(struct ae_db *db, int64_t epoch, int64_t seconds, struct ae_err *e)
{
	struct ae_db_st *st;
	int rc;

	rc = ae_db_stmt(db, ST_LEASE_SET, &st, e);
	if (rc != AE_OK)
		return rc;
	ae_db_text(st, 1, lease);
	ae_db_num(st, 2, db->opt.instance);
	ae_db_num(st, 3, epoch);
	ae_db_num(st, 4, seconds);
	return ae_db_step_done(st, "writing a lease", e);
}

/* The number of the one that is kept; 0: none is. */
static int
kept(struct ae_db *db, unsigned key_index, bool delta, int64_t *number,
    struct ae_err *e)
{
	struct ae_db_st *st;
	int rc;

	*number = 0;
	rc = ae_db_stmt(db, ST_NEWEST_NUMBER, &st, e);
	if (rc != AE_OK)
		return rc;
	ae_db_num(st, 1, key_index);
	ae_db_num(st, 2, delta);
	rc = ae_db_step_row(st, "reading the newest CRL's number", e);
	if (rc != AE_OK)
		return rc == AE_ENOTFOUND ? AE_OK : rc;
	*number = ae_db_col_num(st, 0);
	ae_db_reset(st);
	return AE_OK;
}

int
ae_db_crl_lead(struct ae_db *db, unsigned key_index, bool delta, int64_t have,
    int64_t seconds, int64_t *epoch, struct ae_err *e)
{
	struct holder h;
	int64_t number;
	int rc;

	rc = ae_db_op(db, e);
	if (rc == AE_OK)
		rc = kept(db, key_index, delta, &number, e);
	if (rc == AE_OK && number > have)
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "another node has published CRL %lld", (long long)number);
	if (rc == AE_OK)
		rc = holder_get(db, &h, e);
	if (rc != AE_OK)
		return rc;
	if (h.left > 0 && h.instance != db->opt.instance)
		return ae_fail(e, AE_EDENIED, AE_DOM_NONE, 0,
		    "node %lld is making a CRL", (long long)h.instance);
	rc = holder_set(db, h.epoch + 1, seconds, e);
	if (rc == AE_OK)
		*epoch = h.epoch + 1;
	return rc;
}

/* AE_EDENIED unless it is still ours. */
static int
expect_lead(struct ae_db *db, int64_t epoch, struct ae_err *e)
{
	struct holder h;
	int rc = holder_get(db, &h, e);

	if (rc == AE_OK && (h.epoch != epoch || h.instance != db->opt.instance))
		rc = ae_fail(e, AE_EDENIED, AE_DOM_NONE, 0,
		    "it took too long: node %lld makes CRLs now",
		    (long long)h.instance);
	return rc;
}

int
ae_db_crl_lead_on(
    struct ae_db *db, int64_t epoch, int64_t seconds, struct ae_err *e)
{
	int rc = ae_db_op(db, e);

	if (rc == AE_OK)
		rc = expect_lead(db, epoch, e);
	return rc == AE_OK ? holder_set(db, epoch, seconds, e) : rc;
}

/* The last number that anybody was given. */
static int
given(struct ae_db *db, unsigned key_index, int64_t *number, struct ae_err *e)
{
	struct ae_db_st *st;
	int rc;

	*number = 0;
	rc = ae_db_stmt(db, ST_CRL_GET, &st, e);
	if (rc != AE_OK)
		return rc;
	ae_db_num(st, 1, key_index);
	rc = ae_db_step_row(st, "reading the CRL number", e);
	if (rc != AE_OK)
		return rc == AE_ENOTFOUND ? AE_OK : rc;
	*number = ae_db_col_num(st, 0);
	ae_db_reset(st);
	return AE_OK;
}

int
ae_db_crl_keep(struct ae_db *db, const struct ae_db_crl_newest *n,
    int64_t epoch, struct ae_err *e)
{
	struct ae_db_st *st;
	char detail[96];
	int64_t last;
	int rc;

	rc = ae_db_op(db, e);
	if (rc == AE_OK)
		rc = expect_lead(db, epoch, e);
	if (rc == AE_OK)
		rc = given(db, n->key_index, &last, e);
	if (rc == AE_OK && n->number != last)
		rc = ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "CRL %lld after number %lld was given out",
		    (long long)n->number, (long long)last);
	if (rc == AE_OK && n->der_len > AE_DB_CRL_MAX)
		rc = ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0, "a CRL of %zu bytes",
		    n->der_len);
	if (rc == AE_OK)
		rc = ae_db_stmt(db, ST_NEWEST_SET, &st, e);
	if (rc != AE_OK)
		return rc;
	ae_db_num(st, 1, n->key_index);
	ae_db_num(st, 2, n->delta);
	ae_db_num(st, 3, n->number);
	ae_db_num(st, 4, n->this_update);
	ae_db_num(st, 5, n->next_update);
	ae_db_num(st, 6, n->next_publish);
	ae_db_blob(st, 7, n->der, n->der_len);
	rc = ae_db_step_done(st, "keeping a CRL", e);
	if (rc == AE_OK)
		rc = holder_set(db, epoch, 0, e);
	if (rc != AE_OK)
		return rc;
	(void)snprintf(detail, sizeof(detail), "key %u %s %lld by node %u",
	    n->key_index, n->delta ? "delta" : "base", (long long)n->number,
	    db->opt.instance);
	return ae_db_audit_add(
	    db, "crl-kept", 0, NULL, detail, n->this_update, e);
}

int
ae_db_crl_newest(struct ae_db *db, unsigned key_index, bool delta, int64_t have,
    struct ae_db_crl_newest *out, struct ae_arena *a, struct ae_err *e)
{
	struct ae_db_crl_newest n = { .key_index = key_index, .delta = delta };
	struct ae_db_st *st;
	const void *p;
	int rc;

	rc = kept(db, key_index, delta, &n.number, e);
	if (rc == AE_OK && n.number <= have)
		rc = ae_fail(
		    e, AE_ENOTFOUND, AE_DOM_NONE, 0, "there is no newer CRL");
	if (rc == AE_OK)
		rc = ae_db_stmt(db, ST_NEWEST_GET, &st, e);
	if (rc != AE_OK)
		return rc;
	ae_db_num(st, 1, key_index);
	ae_db_num(st, 2, delta);
	rc = ae_db_step_row(st, "reading the newest CRL", e);
	if (rc != AE_OK)
		return rc;
	n.number = ae_db_col_num(st, 0);
	n.this_update = ae_db_col_num(st, 1);
	n.next_update = ae_db_col_num(st, 2);
	n.next_publish = ae_db_col_num(st, 3);
	p = ae_db_col_blob(st, 4, &n.der_len);
	n.der = p == NULL ? NULL : ae_arena_dup(a, p, n.der_len);
	ae_db_reset(st);
	if (p != NULL && n.der == NULL)
		return ae_fail_mem(e);
	*out = n;
	return AE_OK;
}

int
ae_db_exchange_keep(struct ae_db *db, const uint8_t *serial, size_t serial_len,
    const void *sealed, size_t len, int64_t until, int64_t now,
    struct ae_err *e)
{
	char hex[2 * AE_DB_SERIAL_MAX + 1];
	struct ae_db_st *st;
	int rc;

	rc = ae_db_op(db, e);
	if (rc == AE_OK &&
	    (serial_len == 0 || serial_len > AE_DB_SERIAL_MAX || len == 0 ||
		len > AE_DB_BLOB_MAX))
		rc = ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "an exchange key of %zu bytes", len);
	if (rc == AE_OK)
		rc = ae_db_stmt(db, ST_XCHG_PURGE, &st, e);
	if (rc != AE_OK)
		return rc;
	ae_db_num(st, 1, now);
	rc = ae_db_step_done(st, "forgetting exchange keys", e);
	if (rc == AE_OK)
		rc = ae_db_stmt(db, ST_XCHG_ADD, &st, e);
	if (rc != AE_OK)
		return rc;
	ae_db_blob(st, 1, serial, serial_len);
	ae_db_blob(st, 2, sealed, len);
	ae_db_num(st, 3, until);
	rc = ae_db_step_done(st, "keeping an exchange key", e);
	if (rc != AE_OK)
		return rc;
	ae_hex_encode(hex, serial, serial_len);
	return ae_db_audit_add(db, "exchange-key", 0, NULL, hex, now, e);
}

int
ae_db_exchange_get(struct ae_db *db, const uint8_t *serial, size_t serial_len,
    const uint8_t **sealed, size_t *len, struct ae_arena *a, struct ae_err *e)
{
	struct ae_db_st *st;
	const void *p;
	int rc = ae_db_stmt(db, ST_XCHG_GET, &st, e);

	if (rc != AE_OK)
		return rc;
	ae_db_blob(st, 1, serial, serial_len);
	rc = ae_db_step_row(st, "looking for an exchange key", e);
	if (rc != AE_OK)
		return rc;
	p = ae_db_col_blob(st, 0, len);
	*sealed = ae_arena_dup(a, p, *len);
	ae_db_reset(st);
	return *sealed == NULL ? ae_fail_mem(e) : AE_OK;
}

int
ae_db_alone(struct ae_db *db, const struct ae_db_request *r, struct ae_err *e)
{
	struct ae_db_st *st;
	int64_t id, submitted;
	int disp, rc;

	if (r->after < 0 ||
	    (r->disp != AE_DB_ACTIVE && r->disp != AE_DB_PENDING))
		return AE_OK;
	for (;;) {
		rc = ae_db_stmt(db, ST_SAME_SINCE, &st, e);
		if (rc != AE_OK)
			return rc;
		ae_db_text(st, 1, r->sid);
		ae_db_blob(st, 2, r->csr_hash, sizeof(r->csr_hash));
		ae_db_text(st, 3, r->attrs);
		ae_db_num(st, 4, r->after);
		rc = ae_db_step_row(st, "looking for the same request", e);
		if (rc != AE_OK)
			return rc == AE_ENOTFOUND ? AE_OK : rc;
		id = ae_db_col_num(st, 0);
		disp = (int)ae_db_col_num(st, 1);
		submitted = ae_db_col_num(st, 2);
		ae_db_reset(st);
		if (disp != AE_DB_ACTIVE ||
		    submitted + AE_DB_INTENT_S > r->submitted)
			return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
			    "the same request is request %lld, which is %s",
			    (long long)id, ae_db_disp_name(disp));
		rc = ae_db_request_refuse(db, id, AE_DB_VOID, HRESULT_GIVEN_UP,
		    "given up: the request came again", NULL, r->submitted, e);
		if (rc != AE_OK)
			return rc;
	}
}
