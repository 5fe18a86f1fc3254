/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Reading rows.
 */
#include <stdio.h>
#include <string.h>

#include "base/wr.h"
#include "db/impl.h"

/* A column's text into the arena; SQL NULL is NULL. */
static bool
text_col(const char **out, struct ae_db_st *st, int i, struct ae_arena *a)
{
	const char *s = ae_db_col_text(st, i);

	*out = NULL;
	if (s == NULL)
		return st->db->port->is_null(st, i);
	*out = ae_arena_strdup(a, s);
	return *out != NULL;
}

static bool
blob_col(const uint8_t **out, size_t *len, struct ae_db_st *st, int i,
    struct ae_arena *a)
{
	const void *p = ae_db_col_blob(st, i, len);

	*out = NULL;
	if (*len == 0)
		return true;
	if (p == NULL)
		return false;
	*out = ae_arena_dup(a, p, *len);
	return *out != NULL;
}

/* A blob of at most max bytes into place; its length. */
static size_t
fixed_col(uint8_t *out, size_t max, struct ae_db_st *st, int i)
{
	size_t len;
	const void *p = ae_db_col_blob(st, i, &len);

	if (p == NULL || len > max)
		return 0;
	memcpy(out, p, len);
	return len;
}

int
ae_db_row(struct ae_db_request *out, struct ae_db_st *st, bool blobs,
    struct ae_arena *a, struct ae_err *e)
{
	struct ae_db_request r = { 0 };
	bool ok;

	r.id = ae_db_col_num(st, 0);
	r.disp = (enum ae_db_disp)(int)ae_db_col_num(st, 1);
	r.hresult = (uint32_t)ae_db_col_num(st, 2);
	ok = text_col(&r.message, st, 3, a) && text_col(&r.sid, st, 4, a) &&
	    text_col(&r.account, st, 5, a) && text_col(&r.template, st, 6, a) &&
	    text_col(&r.subject, st, 7, a) && text_col(&r.attrs, st, 8, a);
	r.flags = (uint32_t)ae_db_col_num(st, 9);
	(void)fixed_col(r.csr_hash, sizeof(r.csr_hash), st, 10);
	r.serial_len = fixed_col(r.serial, sizeof(r.serial), st, 11);
	r.submitted = ae_db_col_num(st, 12);
	r.resolved = ae_db_col_num(st, 13);
	r.not_before = ae_db_col_num(st, 14);
	r.not_after = ae_db_col_num(st, 15);
	r.revoked_at = ae_db_col_num(st, 16);
	r.revoked_reason = (int)ae_db_col_num(st, 17);
	ok = ok && text_col(&r.on_behalf, st, 18, a);
	r.request_flags = (uint32_t)ae_db_col_num(st, 19);
	r.issuer = (uint32_t)ae_db_col_num(st, 20);
	ok = ok && text_col(&r.set_attrs, st, 21, a);
	if (blobs)
		ok = ok && blob_col(&r.csr, &r.csr_len, st, 22, a) &&
		    blob_col(&r.cert, &r.cert_len, st, 23, a);
	if (!ok)
		return ae_arena_full(a)
		    ? ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
			  "request %lld is larger than the room for it",
			  (long long)r.id)
		    : ae_fail_mem(e);
	*out = r;
	return AE_OK;
}

/* One row of a prepared look-up. */
static int
one(struct ae_db_st *st, struct ae_db_request *out, struct ae_arena *a,
    struct ae_err *e)
{
	int rc;

	rc = ae_db_step_row(st, "looking for a request", e);
	if (rc != AE_OK)
		return rc;
	rc = ae_db_row(out, st, true, a, e);
	ae_db_reset(st);
	return rc;
}

/* Who asked for a row that waits. */
static int
caller_get(struct ae_db *db, struct ae_db_request *r, struct ae_arena *a,
    struct ae_err *e)
{
	struct ae_db_st *st;
	bool ok;
	int rc;

	rc = ae_db_stmt(db, ST_CALLER_GET, &st, e);
	if (rc != AE_OK)
		return rc;
	ae_db_num(st, 1, r->id);
	rc = ae_db_step_row(st, "looking for a caller", e);
	if (rc != AE_OK)
		return rc == AE_ENOTFOUND ? AE_OK : rc;
	ok = blob_col(&r->caller, &r->caller_len, st, 0, a);
	ae_db_reset(st);
	if (ok)
		return AE_OK;
	return ae_arena_full(a) ? ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
				      "a caller larger than the room for it")
				: ae_fail_mem(e);
}

int
ae_db_request_get(struct ae_db *db, int64_t id, struct ae_db_request *out,
    struct ae_arena *a, struct ae_err *e)
{
	struct ae_db_st *st;
	int rc;

	rc = ae_db_stmt(db, ST_GET, &st, e);
	if (rc != AE_OK)
		return rc;
	ae_db_num(st, 1, id);
	rc = one(st, out, a, e);
	if (rc == AE_OK && out->disp == AE_DB_PENDING)
		rc = caller_get(db, out, a, e);
	return rc;
}

int
ae_db_request_by_serial(struct ae_db *db, const uint8_t *serial,
    size_t serial_len, struct ae_db_request *out, struct ae_arena *a,
    struct ae_err *e)
{
	struct ae_db_st *st;
	int rc;

	rc = ae_db_stmt(db, ST_BY_SERIAL, &st, e);
	if (rc != AE_OK)
		return rc;
	ae_db_blob(st, 1, serial, serial_len);
	return one(st, out, a, e);
}

int
ae_db_request_same(struct ae_db *db, const char *sid,
    const uint8_t csr_hash[AE_DB_HASH_LEN], const char *attrs,
    struct ae_db_request *out, struct ae_arena *a, struct ae_err *e)
{
	struct ae_db_st *st;
	int rc;

	rc = ae_db_stmt(db, ST_SAME, &st, e);
	if (rc != AE_OK)
		return rc;
	ae_db_text(st, 1, sid);
	ae_db_blob(st, 2, csr_hash, AE_DB_HASH_LEN);
	ae_db_text(st, 3, attrs);
	return one(st, out, a, e);
}

/*
 * Numbers are written into the text so that the planner sees them; strings
 * are bound: ?1, ?2, ?3 in the order SID, template, serial number, of those
 * that are given.
 */
const char *
ae_db_list_text(struct ae_wr *w, const struct ae_db_filter *f)
{
	unsigned n = 0;

	ae_wr_printf(w, "SELECT " AE_DB_ROW_COLUMNS "%s FROM request WHERE ",
	    f->blobs ? AE_DB_ROW_BLOBS : "");
	if (f->newest_first && f->after == 0)
		ae_wr_str(w, "id > 0");
	else
		ae_wr_printf(w, "id %s %lld", f->newest_first ? "<" : ">",
		    (long long)f->after);
	if (f->disp != 0)
		ae_wr_printf(w, " AND disp = %d", f->disp);
	if (f->sid != NULL)
		ae_wr_printf(w, " AND sid = ?%u", ++n);
	if (f->template != NULL)
		ae_wr_printf(w, " AND template = ?%u", ++n);
	if (f->serial_len > 0)
		ae_wr_printf(w,
		    " AND id = (SELECT request_id FROM serial"
		    " WHERE serial = ?%u)",
		    ++n);
	ae_wr_printf(w, " ORDER BY id%s LIMIT %u",
	    f->newest_first ? " DESC" : "", f->limit);
	return ae_wr_cstr(w);
}

static int
list_stmt(struct ae_db *db, const struct ae_db_filter *f, struct ae_db_st *out,
    struct ae_err *e)
{
	struct ae_wr w;
	const char *text;
	int rc, n = 0;

	*out = (struct ae_db_st){ .db = db };
	ae_wr_init(&w, 2048);
	text = ae_db_list_text(&w, f);
	rc = text == NULL ? ae_fail_mem(e)
			  : ae_db_stmt_text(db, out, text, false, e);
	ae_wr_done(&w);
	if (rc != AE_OK)
		return rc;
	if (f->sid != NULL)
		ae_db_text(out, ++n, f->sid);
	if (f->template != NULL)
		ae_db_text(out, ++n, f->template);
	if (f->serial_len > 0)
		ae_db_blob(out, ++n, f->serial, f->serial_len);
	return AE_OK;
}

int
ae_db_request_list(struct ae_db *db, const struct ae_db_filter *f,
    struct ae_db_request **out, size_t *n, struct ae_arena *a, struct ae_err *e)
{
	struct ae_db_request *v;
	struct ae_db_st st;
	size_t got = 0;
	int rc;

	if (f->limit == 0 || f->limit > AE_DB_PAGE_MAX)
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "a page has 1 to %d rows", AE_DB_PAGE_MAX);
	v = ae_arena_array(a, f->limit, sizeof(*v));
	if (v == NULL)
		return ae_fail_mem(e);
	rc = list_stmt(db, f, &st, e);
	while (rc == AE_OK && got < f->limit) {
		rc = db->port->step(&st, "listing requests", e);
		if (rc == AE_OK)
			rc = ae_db_row(&v[got++], &st, f->blobs, a, e);
	}
	ae_db_finish(&st);
	if (rc != AE_OK && rc != AE_ENOTFOUND)
		return rc;
	*out = v;
	*n = got;
	return AE_OK;
}

/* Intents per call: the caller resolves these and asks again. */
#define INTENTS_MAX 1024

int
ae_db_intents(struct ae_db *db, struct ae_db_intent **out, size_t *n,
    struct ae_arena *a, struct ae_err *e)
{
	struct ae_db_intent *v;
	struct ae_db_st *st;
	size_t got = 0;
	int rc;

	v = ae_arena_array(a, INTENTS_MAX, sizeof(*v));
	if (v == NULL)
		return ae_fail_mem(e);
	rc = ae_db_stmt(db, ST_INTENTS, &st, e);
	if (rc != AE_OK)
		return rc;
	ae_db_blob(st, 1, &db->opt.instance, db->opt.instance == 0 ? 0 : 1);
	while (got < INTENTS_MAX &&
	    (rc = ae_db_step_row(st, "reading intents", NULL)) == AE_OK) {
		v[got].id = ae_db_col_num(st, 0);
		v[got].serial_len =
		    fixed_col(v[got].serial, sizeof(v[got].serial), st, 1);
		(void)fixed_col(
		    v[got].tbs_hash, sizeof(v[got].tbs_hash), st, 2);
		got++;
	}
	ae_db_reset(st);
	if (rc != AE_OK && rc != AE_ENOTFOUND)
		return ae_fail(e, rc, AE_DOM_NONE, 0, "reading intents");
	*out = v;
	*n = got;
	return AE_OK;
}

int
ae_db_void_intents(struct ae_db *db, uint32_t hresult, const char *message,
    int64_t now, size_t *n, struct ae_err *e)
{
	struct ae_arena *a = ae_arena_new(1u << 20);
	struct ae_db_intent *v;
	size_t got = 0, i;
	int rc;

	*n = 0;
	if (a == NULL)
		return ae_fail_mem(e);
	do {
		ae_arena_reset(a);
		rc = ae_db_intents(db, &v, &got, a, e);
		if (rc != AE_OK || got == 0)
			break;
		rc = ae_db_begin(db, e);
		for (i = 0; i < got && rc == AE_OK; i++)
			rc = ae_db_request_refuse(db, v[i].id, AE_DB_VOID,
			    hresult, message, NULL, now, e);
		if (rc == AE_OK)
			rc = ae_db_commit(db, e);
		if (rc == AE_OK)
			*n += got;
	} while (rc == AE_OK);
	ae_db_rollback(db);
	ae_arena_free(a);
	return rc;
}
