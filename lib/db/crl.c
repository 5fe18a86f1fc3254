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

int
ae_db_crl_number(struct ae_db *db, unsigned key_index, int64_t at_least,
    int64_t now, int64_t *number, struct ae_err *e)
{
	sqlite3_stmt *st;
	int64_t next = 0;
	char detail[64];
	int rc;

	rc = ae_db_op(db, e);
	if (rc == AE_OK)
		rc = ae_db_stmt(db, ST_CRL_GET, &st, e);
	if (rc != AE_OK)
		return rc;
	sqlite3_bind_int64(st, 1, key_index);
	rc = ae_db_step_row(db, st, "reading the CRL number", e);
	if (rc == AE_OK) {
		next = sqlite3_column_int64(st, 0);
		sqlite3_reset(st);
	} else if (rc != AE_ENOTFOUND) {
		return rc;
	}
	next = (next > at_least ? next : at_least) + 1;
	rc = ae_db_stmt(db, ST_CRL_SET, &st, e);
	if (rc != AE_OK)
		return rc;
	sqlite3_bind_int64(st, 1, key_index);
	sqlite3_bind_int64(st, 2, next);
	rc = ae_db_step_done(db, st, "writing the CRL number", e);
	if (rc != AE_OK)
		return rc;
	(void)snprintf(detail, sizeof(detail), "key %u number %lld", key_index,
	    (long long)next);
	rc = ae_db_audit_add(db, "crl-number", 0, NULL, detail, now, e);
	if (rc == AE_OK)
		*number = next;
	return rc;
}

int
ae_db_crl_base(struct ae_db *db, unsigned key_index, struct ae_db_crl_base *out,
    struct ae_err *e)
{
	sqlite3_stmt *st;
	int rc;

	memset(out, 0, sizeof(*out));
	rc = ae_db_stmt(db, ST_CRL_BASE_GET, &st, e);
	if (rc != AE_OK)
		return rc;
	sqlite3_bind_int64(st, 1, key_index);
	rc = ae_db_step_row(db, st, "reading the base CRL's place", e);
	if (rc == AE_ENOTFOUND)
		return AE_OK;
	if (rc != AE_OK)
		return rc;
	out->number = sqlite3_column_int64(st, 0);
	out->changed = sqlite3_column_int64(st, 1);
	out->at = sqlite3_column_int64(st, 2);
	sqlite3_reset(st);
	return AE_OK;
}

int
ae_db_crl_published(struct ae_db *db, unsigned key_index,
    const struct ae_db_crl_base *base, int64_t now, struct ae_err *e)
{
	struct ae_db_crl_base was;
	sqlite3_stmt *st;
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
	sqlite3_bind_int64(st, 1, key_index);
	sqlite3_bind_int64(st, 2, base->number);
	sqlite3_bind_int64(st, 3, base->changed);
	sqlite3_bind_int64(st, 4, base->at);
	rc = ae_db_step_done(db, st, "keeping the base CRL's place", e);
	/* deltas of this base do not tell what it has left out already */
	if (rc == AE_OK)
		rc = ae_db_stmt(db, ST_RELEASED_PURGE, &st, e);
	if (rc != AE_OK)
		return rc;
	sqlite3_bind_int64(st, 1, key_index);
	sqlite3_bind_int64(st, 2, base->changed);
	rc = ae_db_step_done(db, st, "forgetting old releases", e);
	if (rc != AE_OK)
		return rc;
	(void)snprintf(detail, sizeof(detail), "key %u number %lld", key_index,
	    (long long)base->number);
	return ae_db_audit_add(db, "crl-published", 0, NULL, detail, now, e);
}

/* ---- the rows ---- */

/* A connection of its own, in a read transaction: what it sees stays. */
struct ae_db_crl_rows {
	struct ae_db db; /* only h and broken are used */
	sqlite3_stmt *st;
	struct ae_db_crl_query q;
	int64_t changed;
};

/*
 * In the order the table has them: by an index each row would be looked for
 * once more.
 */
#define ALL                                                          \
	"SELECT serial, revoked_at, reason FROM revoked NOT INDEXED" \
	" WHERE key_index = ?1 AND not_after >= ?2 ORDER BY serial"
#define SINCE                                                        \
	"SELECT serial, revoked_at, reason FROM revoked"             \
	" WHERE key_index = ?1 AND not_after >= ?2 AND changed > ?3" \
	" UNION ALL "                                                \
	"SELECT serial, released_at, 8 FROM released"                \
	" WHERE key_index = ?1 AND not_after >= ?2 AND changed > ?3"

static int
run(struct ae_db *db, const char *sql, struct ae_err *e)
{
	int rc = sqlite3_exec(db->h, sql, NULL, NULL, NULL);

	return rc == SQLITE_OK ? AE_OK : ae_db_fail(db, rc, "reading", e);
}

/* The snapshot begins with the first read: where the audit chain ends. */
static int
snapshot(struct ae_db_crl_rows *l, struct ae_err *e)
{
	sqlite3_stmt *st = NULL;
	int rc;

	rc = run(&l->db, "PRAGMA cell_size_check = ON; BEGIN", e);
	if (rc != AE_OK)
		return rc;
	rc = sqlite3_prepare_v2(
	    l->db.h, "SELECT max(seq) FROM audit", -1, &st, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		l->changed = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	if (rc != SQLITE_ROW)
		return ae_db_fail(&l->db, rc, "reading", e);
	rc = sqlite3_prepare_v2(
	    l->db.h, l->q.since >= 0 ? SINCE : ALL, -1, &l->st, NULL);
	if (rc != SQLITE_OK)
		return ae_db_fail(&l->db, rc, "preparing a list", e);
	sqlite3_bind_int64(l->st, 1, l->q.key_index);
	sqlite3_bind_int64(l->st, 2, l->q.not_after);
	if (l->q.since >= 0)
		sqlite3_bind_int64(l->st, 3, l->q.since);
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
	rc = sqlite3_open_v2(sqlite3_db_filename(db->h, "main"), &l->db.h,
	    SQLITE_OPEN_READONLY | SQLITE_OPEN_PRIVATECACHE, NULL);
	rc = rc == SQLITE_OK ? snapshot(l, e)
	    : l->db.h == NULL
	    ? ae_fail_mem(e)
	    : ae_db_fail(&l->db, rc, "opening it once more", e);
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

int
ae_db_crl_rows_next(struct ae_db_crl_rows *l, unsigned max,
    ae_db_revoked_fn *fn, void *arg, bool *done, struct ae_err *e)
{
	struct ae_db_revoked r;
	int rc = AE_OK, src = SQLITE_ROW;
	unsigned n;

	*done = false;
	for (n = 0; n < max && rc == AE_OK; n++) {
		src = sqlite3_step(l->st);
		if (src != SQLITE_ROW)
			break;
		r.serial = sqlite3_column_blob(l->st, 0);
		r.serial_len = (size_t)sqlite3_column_bytes(l->st, 0);
		r.revoked_at = sqlite3_column_int64(l->st, 1);
		r.reason = sqlite3_column_int(l->st, 2);
		rc = fn(arg, &r, e);
	}
	if (rc == AE_OK && src == SQLITE_DONE) {
		sqlite3_reset(l->st); /* the next one begins again */
		*done = true;
	} else if (rc == AE_OK && src != SQLITE_ROW) {
		rc = ae_db_fail(&l->db, src, "listing revocations", e);
	}
	return rc;
}

void
ae_db_crl_rows_free(struct ae_db_crl_rows *l)
{
	if (l == NULL)
		return;
	sqlite3_finalize(l->st);
	sqlite3_close(l->db.h);
	free(l);
}
