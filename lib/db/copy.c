/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * See copy.h.  Every table by a row of this table; test_nodes.c fails when
 * the schema has one that is not here.
 */
#include "db/copy.h"

#include <string.h>

#include "db/impl.h"

/* types: a letter for each column, number, text or blob */
static const struct table {
	const char *name, *columns, *types;
} tables[] = {
	{ "meta", "key, value", "tt" },
	{ "request", AE_DB_ROW_COLUMNS ", tbs_hash" AE_DB_ROW_BLOBS,
	    "nnnttttttnbbnnnnnntnntbbb" },
	{ "pending", "request_id, caller", "nb" },
	{ "archived_key", "request_id, blob", "nb" },
	{ "serial", "serial, request_id", "bn" },
	{ "revoked",
	    "serial, request_id, revoked_at, reason, not_after, key_index,"
	    " changed",
	    "bnnnnnn" },
	{ "released",
	    "serial, request_id, key_index, released_at, changed, not_after",
	    "bnnnnn" },
	{ "crl_number", "key_index, number", "nn" },
	{ "crl_base", "key_index, number, changed, at", "nnnn" },
	{ "quota", "sid, pending, refused, day", "tnnn" },
	{ "audit", "seq, at, what, request_id, who, detail, link", "nntnttb" },
	{ "lease", "name, holder, epoch, until", "tnnn" },
	{ "crl_newest",
	    "key_index, delta, number, this_update, next_update,"
	    " next_publish, der",
	    "nnnnnnb" },
	{ "exchange_key", "serial, sealed, until", "bbn" },
};

#define NTABLES (sizeof(tables) / sizeof(tables[0]))

/* What is inserted into: ?1, ?2 and so on. */
static const char *
insert_text(struct ae_wr *w, const struct table *t)
{
	size_t i;

	ae_wr_printf(w, "INSERT INTO %s (%s) VALUES (", t->name, t->columns);
	for (i = 0; t->types[i] != '\0'; i++)
		ae_wr_printf(w, "%s?%zu", i == 0 ? "" : ", ", i + 1);
	ae_wr_str(w, ")");
	return ae_wr_cstr(w);
}

static void
move_row(struct ae_db_st *to, struct ae_db_st *from, const char *types)
{
	const void *p;
	size_t len;
	int i;

	for (i = 0; types[i] != '\0'; i++) {
		if (from->db->port->is_null(from, i))
			continue;
		if (types[i] == 'n') {
			ae_db_num(to, i + 1, ae_db_col_num(from, i));
		} else if (types[i] == 't') {
			ae_db_text(to, i + 1, ae_db_col_text(from, i));
		} else {
			p = ae_db_col_blob(from, i, &len);
			/* empty is not NULL */
			to->db->port->blob(to, i + 1, len == 0 ? "" : p, len);
		}
	}
}

static int
copy_table(struct ae_db *to, struct ae_db *from, const struct table *t,
    int64_t *rows, struct ae_err *e)
{
	struct ae_db_st in = { .db = to }, out = { .db = from };
	struct ae_wr w, s;
	const char *insert, *select;
	int rc;

	ae_wr_init(&w, 2048);
	ae_wr_init(&s, 2048);
	insert = insert_text(&w, t);
	ae_wr_printf(&s, "SELECT %s FROM %s", t->columns, t->name);
	select = ae_wr_cstr(&s);
	rc = insert == NULL || select == NULL
	    ? ae_fail_mem(e)
	    : ae_db_stmt_text(to, &in, insert, false, e);
	if (rc == AE_OK)
		rc = ae_db_stmt_text(from, &out, select, true, e);
	while (rc == AE_OK) {
		rc = from->port->step(&out, t->name, e);
		if (rc != AE_OK)
			break;
		to->port->reset(&in);
		to->port->clear(&in);
		move_row(&in, &out, t->types);
		rc = ae_db_step_done(&in, t->name, e);
		++*rows;
	}
	ae_db_finish(&in);
	ae_db_finish(&out);
	ae_wr_done(&w);
	ae_wr_done(&s);
	return rc == AE_ENOTFOUND ? AE_OK : rc;
}

static int
count(struct ae_db *db, const struct table *t, int64_t *n, struct ae_err *e)
{
	struct ae_db_st st = { .db = db };
	struct ae_wr w;
	const char *text;
	int rc;

	ae_wr_init(&w, 256);
	ae_wr_printf(&w, "SELECT count(*) FROM %s", t->name);
	text = ae_wr_cstr(&w);
	rc = text == NULL ? ae_fail_mem(e)
			  : ae_db_stmt_text(db, &st, text, false, e);
	if (rc == AE_OK)
		rc = ae_db_step_row(&st, "counting rows", e);
	if (rc == AE_OK)
		*n = ae_db_col_num(&st, 0);
	ae_db_finish(&st);
	ae_wr_done(&w);
	return rc;
}

/* Nothing may be in it yet. */
static int
expect_empty(struct ae_db *to, struct ae_err *e)
{
	int64_t n = 0;
	size_t i;
	int rc = AE_OK;

	for (i = 0; i < NTABLES && rc == AE_OK; i++) {
		rc = count(to, &tables[i], &n, e);
		if (rc == AE_OK && n > 0)
			rc = ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
			    "it has %lld rows in %s already: it has to be "
			    "empty",
			    (long long)n, tables[i].name);
	}
	return rc;
}

/* As many on both sides, now that all are there. */
static int
compare(struct ae_db *to, struct ae_db *from, struct ae_db_copied *out,
    struct ae_err *e)
{
	int64_t a = 0, b = 0;
	size_t i;
	int rc = AE_OK;

	for (i = 0; i < NTABLES && rc == AE_OK; i++) {
		rc = count(from, &tables[i], &a, e);
		if (rc == AE_OK)
			rc = count(to, &tables[i], &b, e);
		if (rc == AE_OK && a != b)
			rc = ae_fail(e, AE_EINTERNAL, AE_DOM_NONE, 0,
			    "%s has %lld rows there and %lld here",
			    tables[i].name, (long long)a, (long long)b);
		if (strcmp(tables[i].name, "request") == 0)
			out->requests = b;
	}
	return rc;
}

/* A request id is never used twice, whatever was given and rolled back. */
static int
copy_last_id(struct ae_db *to, struct ae_db *from, struct ae_err *e)
{
	static const enum ae_db_stmt all[] = { ST_LAST_ID_SET,
		ST_LAST_ID_MAKE };
	struct ae_db_st *st;
	int64_t id;
	size_t i;
	int rc = ae_db_stmt(from, ST_LAST_ID, &st, e);

	if (rc == AE_OK)
		rc = ae_db_step_row(st, "reading the last request id", e);
	if (rc != AE_OK)
		return rc;
	id = ae_db_col_num(st, 0);
	ae_db_reset(st);
	for (i = 0; id > 0 && i < 2 && rc == AE_OK; i++) {
		rc = ae_db_stmt(to, all[i], &st, e);
		if (rc != AE_OK)
			break;
		ae_db_num(st, 1, id);
		rc = ae_db_step_done(st, "setting the last request id", e);
	}
	return rc;
}

bool
ae_db_copy_table(size_t i, const char **name)
{
	if (i < NTABLES)
		*name = tables[i].name;
	return i < NTABLES;
}

int
ae_db_is_empty(struct ae_db *db, bool *empty, struct ae_err *e)
{
	struct ae_err why = AE_ERR_INIT;
	int rc = expect_empty(db, &why);

	*empty = rc == AE_OK;
	if (rc == AE_OK || rc == AE_EINVAL)
		return AE_OK;
	if (e != NULL)
		*e = why;
	return rc;
}

int
ae_db_copy(struct ae_db *to, struct ae_db *from, struct ae_db_copied *out,
    struct ae_err *e)
{
	struct ae_db_copied c = { 0 };
	int64_t links = 0;
	size_t i;
	int rc;

	rc = from->port->patient(from, true, e);
	if (rc == AE_OK)
		rc = to->port->patient(to, false, e);
	if (rc == AE_OK)
		rc = ae_db_audit_verify(from, &links, e);
	if (rc == AE_OK)
		rc = ae_db_begin(to, e);
	if (rc == AE_OK)
		rc = expect_empty(to, e);
	for (i = 0; i < NTABLES && rc == AE_OK; i++)
		rc = copy_table(to, from, &tables[i], &c.rows, e);
	if (rc == AE_OK)
		rc = copy_last_id(to, from, e);
	if (rc == AE_OK)
		rc = compare(to, from, &c, e);
	if (rc == AE_OK)
		rc = ae_db_audit_verify(to, &c.links, e);
	if (rc == AE_OK && c.links != links)
		rc = ae_fail(e, AE_EINTERNAL, AE_DOM_NONE, 0,
		    "the audit chain has %lld links there and %lld here",
		    (long long)links, (long long)c.links);
	if (rc == AE_OK)
		rc = ae_db_commit(to, e);
	from->port->rollback(from);
	if (rc != AE_OK) {
		ae_db_rollback(to);
		return rc;
	}
	*out = c;
	return ae_db_audit_load(to, e);
}
