/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What CRLs are made of: numbers, the base that deltas refer to, and the
 * revoked rows as they were at one moment, a page at a time, while others go
 * on being written.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/breaks.h"
#include "db/impl.h"
#include "db/spool.h"

int
ae_db_crl_number(struct ae_db *db, unsigned key_index, int64_t at_least,
    int64_t now, int64_t *number, struct ae_err *e)
{
	struct ae_db_st *st;
	int64_t next = 0;
	char detail[64];
	int rc;

	rc = ae_db_op(db, e);
	if (rc == AE_OK)
		rc = ae_db_stmt(db, ST_CRL_GET, &st, e);
	if (rc != AE_OK)
		return rc;
	ae_db_num(st, 1, key_index);
	rc = ae_db_step_row(st, "reading the CRL number", e);
	if (rc == AE_OK) {
		next = ae_db_col_num(st, 0);
		ae_db_reset(st);
	} else if (rc != AE_ENOTFOUND) {
		return rc;
	}
	next = (next > at_least ? next : at_least) + 1;
	rc = ae_db_stmt(db, ST_CRL_SET, &st, e);
	if (rc != AE_OK)
		return rc;
	ae_db_num(st, 1, key_index);
	ae_db_num(st, 2, next);
	rc = ae_db_step_done(st, "writing the CRL number", e);
	if (rc != AE_OK)
		return rc;
	/* never the same entry on two nodes: see pg_batch.c */
	(void)snprintf(detail, sizeof(detail), "key %u number %lld", key_index,
	    (long long)next);
	if (db->opt.instance != 0)
		(void)snprintf(detail, sizeof(detail),
		    "key %u number %lld node %u", key_index, (long long)next,
		    db->opt.instance);
	rc = ae_db_audit_add(db, "crl-number", 0, NULL, detail, now, e);
	if (rc == AE_OK)
		*number = next;
	return rc;
}

int
ae_db_crl_base(struct ae_db *db, unsigned key_index, struct ae_db_crl_base *out,
    struct ae_err *e)
{
	struct ae_db_st *st;
	int rc;

	memset(out, 0, sizeof(*out));
	rc = ae_db_stmt(db, ST_CRL_BASE_GET, &st, e);
	if (rc != AE_OK)
		return rc;
	ae_db_num(st, 1, key_index);
	rc = ae_db_step_row(st, "reading the base CRL's place", e);
	if (rc == AE_ENOTFOUND)
		return AE_OK;
	if (rc != AE_OK)
		return rc;
	out->number = ae_db_col_num(st, 0);
	out->changed = ae_db_col_num(st, 1);
	out->at = ae_db_col_num(st, 2);
	ae_db_reset(st);
	return AE_OK;
}

int
ae_db_crl_published(struct ae_db *db, unsigned key_index,
    const struct ae_db_crl_base *base, int64_t now, struct ae_err *e)
{
	struct ae_db_crl_base was;
	struct ae_db_st *st;
	char detail[64];
	int rc;

	rc = ae_db_op(db, e);
	if (rc == AE_OK)
		rc = ae_db_crl_base(db, key_index, &was, e);
	if (rc == AE_OK && base->number <= was.number &&
	    !AE_BREAK(f19_crl_number))
		rc = ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "base CRL %lld after %lld", (long long)base->number,
		    (long long)was.number);
	if (rc == AE_OK)
		rc = ae_db_stmt(db, ST_CRL_BASE_SET, &st, e);
	if (rc != AE_OK)
		return rc;
	ae_db_num(st, 1, key_index);
	ae_db_num(st, 2, base->number);
	ae_db_num(st, 3, base->changed);
	ae_db_num(st, 4, base->at);
	rc = ae_db_step_done(st, "keeping the base CRL's place", e);
	/* deltas of this base do not tell what it has left out already */
	if (rc == AE_OK)
		rc = ae_db_stmt(db, ST_RELEASED_PURGE, &st, e);
	if (rc != AE_OK)
		return rc;
	ae_db_num(st, 1, key_index);
	ae_db_num(st, 2, base->changed);
	rc = ae_db_step_done(st, "forgetting old releases", e);
	if (rc != AE_OK)
		return rc;
	(void)snprintf(detail, sizeof(detail), "key %u number %lld", key_index,
	    (long long)base->number);
	return ae_db_audit_add(db, "crl-published", 0, NULL, detail, now, e);
}

/* ---- the rows ---- */

/*
 * A connection of its own, in a read transaction, until all rows were read:
 * what it sees stays.  The length of a list stands before its entries, so
 * whoever makes a CRL needs them twice: from then on they come from the spool.
 */
struct ae_db_crl_rows {
	struct ae_db db; /* only port, impl and broken are used */
	struct ae_db_st st;
	struct ae_db_spool *spool;
	bool spooled; /* all of them */
	struct ae_db_crl_query q;
	int64_t changed;
};

/* The snapshot begins with the first read: where the audit chain ends. */
static int
snapshot(struct ae_db_crl_rows *l, struct ae_err *e)
{
	const enum ae_db_stmt which =
	    l->q.since >= 0 ? ST_CRL_SINCE : ST_CRL_ALL;
	struct ae_db_st last;
	int rc;

	rc = ae_db_stmt_text(
	    &l->db, &last, ae_db_sql[ST_AUDIT_LAST].text, false, e);
	if (rc == AE_OK)
		rc = l->db.port->step(&last, "reading", e);
	if (rc == AE_OK)
		l->changed = ae_db_col_num(&last, 0);
	ae_db_finish(&last);
	if (rc != AE_OK && rc != AE_ENOTFOUND)
		return rc;
	rc = ae_db_stmt_text(&l->db, &l->st, ae_db_sql[which].text, true, e);
	if (rc != AE_OK)
		return rc;
	ae_db_num(&l->st, 1, l->q.key_index);
	ae_db_num(&l->st, 2, l->q.not_after);
	if (l->q.since >= 0)
		ae_db_num(&l->st, 3, l->q.since);
	return AE_OK;
}

int
ae_db_crl_rows_new(struct ae_db_crl_rows **out, struct ae_db *db,
    const struct ae_db_crl_query *q, struct ae_err *e)
{
	struct ae_db_crl_rows *l = calloc(1, sizeof(*l));
	int rc;

	if (l == NULL)
		return ae_fail_mem(e);
	l->q = *q;
	l->db.port = db->port;
	rc = ae_db_spool_new(&l->spool, q->dir, e);
	if (rc == AE_OK)
		rc = db->port->beside(&l->db, db, e);
	if (rc == AE_OK)
		rc = snapshot(l, e);
	if (rc == AE_OK)
		*out = l;
	else
		ae_db_crl_rows_free(l);
	return rc;
}

int64_t
ae_db_crl_rows_changed(const struct ae_db_crl_rows *l)
{
	return l->changed;
}

/* The next row of the database; the last one ends the connection. */
static int
fresh(struct ae_db_crl_rows *l, struct ae_db_revoked *r, struct ae_err *e)
{
	int rc = l->db.port->step(&l->st, "listing revocations", e);

	if (rc == AE_ENOTFOUND) {
		ae_db_finish(&l->st);
		l->db.port->close(&l->db);
		l->spooled = true;
		rc = ae_db_spool_rewind(l->spool, e);
		return rc == AE_OK ? AE_ENOTFOUND : rc;
	}
	if (rc != AE_OK)
		return rc;
	r->serial = ae_db_col_blob(&l->st, 0, &r->serial_len);
	r->revoked_at = ae_db_col_num(&l->st, 1);
	r->reason = (int)ae_db_col_num(&l->st, 2);
	return ae_db_spool_add(l->spool, r, e);
}

static int
again(struct ae_db_crl_rows *l, struct ae_db_revoked *r, struct ae_err *e)
{
	int rc = ae_db_spool_next(l->spool, r, e);

	if (rc != AE_ENOTFOUND)
		return rc;
	rc = ae_db_spool_rewind(l->spool, e);
	return rc == AE_OK ? AE_ENOTFOUND : rc;
}

int
ae_db_crl_rows_next(struct ae_db_crl_rows *l, unsigned max,
    ae_db_revoked_fn *fn, void *arg, bool *done, struct ae_err *e)
{
	struct ae_db_revoked r;
	int rc = AE_OK;
	unsigned n;

	*done = false;
	for (n = 0; n < max && rc == AE_OK; n++) {
		rc = l->spooled ? again(l, &r, e) : fresh(l, &r, e);
		if (rc == AE_ENOTFOUND) {
			*done = true; /* the next one begins again */
			return AE_OK;
		}
		if (rc == AE_OK)
			rc = fn(arg, &r, e);
	}
	return rc;
}

void
ae_db_crl_rows_free(struct ae_db_crl_rows *l)
{
	if (l == NULL)
		return;
	if (!l->spooled) {
		ae_db_finish(&l->st);
		l->db.port->close(&l->db);
	}
	ae_db_spool_free(l->spool);
	free(l);
}
