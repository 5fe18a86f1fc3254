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
text_col(const char **out, sqlite3_stmt *st, int i, struct ae_arena *a)
{
	const char *s = (const char *)sqlite3_column_text(st, i);

	*out = NULL;
	if (s == NULL)
		return sqlite3_column_type(st, i) == SQLITE_NULL;
	*out = ae_arena_strdup(a, s);
	return *out != NULL;
}

static bool
blob_col(const uint8_t **out, size_t *len, sqlite3_stmt *st, int i,
    struct ae_arena *a)
{
	const void *p = sqlite3_column_blob(st, i);

	*len = (size_t)sqlite3_column_bytes(st, i);
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
fixed_col(uint8_t *out, size_t max, sqlite3_stmt *st, int i)
{
	const void *p = sqlite3_column_blob(st, i);
	size_t len = (size_t)sqlite3_column_bytes(st, i);

	if (p == NULL || len > max)
		return 0;
	memcpy(out, p, len);
	return len;
}

int
ae_db_row(struct ae_db_request *out, sqlite3_stmt *st, bool blobs,
    struct ae_arena *a, struct ae_err *e)
{
	struct ae_db_request r = { 0 };
	bool ok;

	r.id = sqlite3_column_int64(st, 0);
	r.disp = (enum ae_db_disp)sqlite3_column_int(st, 1);
	r.hresult = (uint32_t)sqlite3_column_int64(st, 2);
	ok = text_col(&r.message, st, 3, a) && text_col(&r.sid, st, 4, a) &&
	    text_col(&r.account, st, 5, a) && text_col(&r.template, st, 6, a) &&
	    text_col(&r.subject, st, 7, a) && text_col(&r.attrs, st, 8, a);
	r.flags = (uint32_t)sqlite3_column_int64(st, 9);
	(void)fixed_col(r.csr_hash, sizeof(r.csr_hash), st, 10);
	r.serial_len = fixed_col(r.serial, sizeof(r.serial), st, 11);
	r.submitted = sqlite3_column_int64(st, 12);
	r.resolved = sqlite3_column_int64(st, 13);
	r.not_before = sqlite3_column_int64(st, 14);
	r.not_after = sqlite3_column_int64(st, 15);
	r.revoked_at = sqlite3_column_int64(st, 16);
	r.revoked_reason = sqlite3_column_int(st, 17);
	ok = ok && text_col(&r.on_behalf, st, 18, a);
	r.request_flags = (uint32_t)sqlite3_column_int64(st, 19);
	r.issuer = (uint32_t)sqlite3_column_int64(st, 20);
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
one(struct ae_db *db, sqlite3_stmt *st, struct ae_db_request *out,
    struct ae_arena *a, struct ae_err *e)
{
	int rc;

	rc = ae_db_step_row(db, st, "looking for a request", e);
	if (rc != AE_OK)
		return rc;
	rc = ae_db_row(out, st, true, a, e);
	sqlite3_reset(st);
	return rc;
}

/* Who asked for a row that waits. */
static int
caller_get(struct ae_db *db, struct ae_db_request *r, struct ae_arena *a,
    struct ae_err *e)
{
	sqlite3_stmt *st;
	bool ok;
	int rc;

	rc = ae_db_stmt(db, ST_CALLER_GET, &st, e);
	if (rc != AE_OK)
		return rc;
	sqlite3_bind_int64(st, 1, r->id);
	rc = ae_db_step_row(db, st, "looking for a caller", e);
	if (rc != AE_OK)
		return rc == AE_ENOTFOUND ? AE_OK : rc;
	ok = blob_col(&r->caller, &r->caller_len, st, 0, a);
	sqlite3_reset(st);
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
	sqlite3_stmt *st;
	int rc;

	rc = ae_db_stmt(db, ST_GET, &st, e);
	if (rc != AE_OK)
		return rc;
	sqlite3_bind_int64(st, 1, id);
	rc = one(db, st, out, a, e);
	if (rc == AE_OK && out->disp == AE_DB_PENDING)
		rc = caller_get(db, out, a, e);
	return rc;
}

int
ae_db_request_by_serial(struct ae_db *db, const uint8_t *serial,
    size_t serial_len, struct ae_db_request *out, struct ae_arena *a,
    struct ae_err *e)
{
	sqlite3_stmt *st;
	int rc;

	rc = ae_db_stmt(db, ST_BY_SERIAL, &st, e);
	if (rc != AE_OK)
		return rc;
	ae_db_blob(st, 1, serial, serial_len);
	return one(db, st, out, a, e);
}

int
ae_db_request_same(struct ae_db *db, const char *sid,
    const uint8_t csr_hash[AE_DB_HASH_LEN], const char *attrs,
    struct ae_db_request *out, struct ae_arena *a, struct ae_err *e)
{
	sqlite3_stmt *st;
	int rc;

	rc = ae_db_stmt(db, ST_SAME, &st, e);
	if (rc != AE_OK)
		return rc;
	ae_db_text(st, 1, sid);
	ae_db_blob(st, 2, csr_hash, AE_DB_HASH_LEN);
	ae_db_text(st, 3, attrs);
	return one(db, st, out, a, e);
}

/*
 * The statement of a page.  Numbers are written into the text so that the
 * planner sees them; strings are bound.
 */
static int
list_stmt(struct ae_db *db, const struct ae_db_filter *f, sqlite3_stmt **out,
    struct ae_err *e)
{
	struct ae_wr w;
	const char *text;
	int rc;

	ae_wr_init(&w, 2048);
	ae_wr_printf(&w, "SELECT " AE_DB_ROW_COLUMNS "%s FROM request WHERE ",
	    f->blobs ? AE_DB_ROW_BLOBS : "");
	if (f->newest_first && f->after == 0)
		ae_wr_str(&w, "id > 0");
	else
		ae_wr_printf(&w, "id %s %lld", f->newest_first ? "<" : ">",
		    (long long)f->after);
	if (f->disp != 0)
		ae_wr_printf(&w, " AND disp = %d", f->disp);
	if (f->sid != NULL)
		ae_wr_str(&w, " AND sid = ?1");
	if (f->template != NULL)
		ae_wr_str(&w, " AND template = ?2");
	if (f->serial_len > 0)
		ae_wr_str(&w,
		    " AND id = (SELECT request_id FROM serial"
		    " WHERE serial = ?3)");
	ae_wr_printf(&w, " ORDER BY id%s LIMIT %u",
	    f->newest_first ? " DESC" : "", f->limit);
	text = ae_wr_cstr(&w);
	if (text == NULL) {
		ae_wr_done(&w);
		return ae_fail_mem(e);
	}
	rc = sqlite3_prepare_v2(db->h, text, -1, out, NULL);
	ae_wr_done(&w);
	if (rc != SQLITE_OK)
		return ae_db_fail(db, rc, "preparing a list", e);
	if (f->sid != NULL)
		ae_db_text(*out, 1, f->sid);
	if (f->template != NULL)
		ae_db_text(*out, 2, f->template);
	if (f->serial_len > 0)
		ae_db_blob(*out, 3, f->serial, f->serial_len);
	return AE_OK;
}

int
ae_db_request_list(struct ae_db *db, const struct ae_db_filter *f,
    struct ae_db_request **out, size_t *n, struct ae_arena *a, struct ae_err *e)
{
	struct ae_db_request *v;
	sqlite3_stmt *st = NULL;
	size_t got = 0;
	int rc, src = SQLITE_DONE;

	if (f->limit == 0 || f->limit > AE_DB_PAGE_MAX)
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "a page has 1 to %d rows", AE_DB_PAGE_MAX);
	if (db->broken)
		return ae_fail(
		    e, AE_EIO, AE_DOM_NONE, 0, "the database failed before");
	v = ae_arena_array(a, f->limit, sizeof(*v));
	if (v == NULL)
		return ae_fail_mem(e);
	rc = list_stmt(db, f, &st, e);
	while (rc == AE_OK && got < f->limit &&
	    (src = sqlite3_step(st)) == SQLITE_ROW)
		rc = ae_db_row(&v[got++], st, f->blobs, a, e);
	if (rc == AE_OK && src != SQLITE_ROW && src != SQLITE_DONE)
		rc = ae_db_fail(db, src, "listing requests", e);
	sqlite3_finalize(st);
	if (rc != AE_OK)
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
	sqlite3_stmt *st;
	size_t got = 0;
	int rc;

	v = ae_arena_array(a, INTENTS_MAX, sizeof(*v));
	if (v == NULL)
		return ae_fail_mem(e);
	rc = ae_db_stmt(db, ST_INTENTS, &st, e);
	if (rc != AE_OK)
		return rc;
	while (got < INTENTS_MAX &&
	    (rc = ae_db_step_row(db, st, "reading intents", NULL)) == AE_OK) {
		v[got].id = sqlite3_column_int64(st, 0);
		v[got].serial_len =
		    fixed_col(v[got].serial, sizeof(v[got].serial), st, 1);
		(void)fixed_col(
		    v[got].tbs_hash, sizeof(v[got].tbs_hash), st, 2);
		got++;
	}
	sqlite3_reset(st);
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
