/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Values, restrictions over them, and the marshaled forms of rows and
 * columns, both ways.
 */
#include "wcce/admin_view.h"

#include <string.h>
#include <strings.h>

#include "base/rd.h"
#include "base/utf16.h"

#define COLUMN_SIZE 20 /* CERTTRANSDBCOLUMN */
#define ROW_SIZE 12    /* CERTTRANSDBRESULTROW */
#define CELL_SIZE 16   /* CERTTRANSDBRESULTCOLUMN */
#define PAIR_SIZE 8    /* CERTTRANSDBATTRIBUTE */
#define EXT_SIZE 16    /* CERTTRANSDBEXTENSION */

/* ---- restrictions ---- */

static enum ae_admin_type
type_of(const struct ae_admin_column *c)
{
	return (enum ae_admin_type)(c->type & AE_ADMIN_TYPE_MASK);
}

/* UTF-16LE, with or without its NUL; none inside. */
static const char *
text_value(const uint8_t *p, size_t len, struct ae_arena *a)
{
	size_t units = len / 2;

	if (units > 0 && p[2 * units - 2] == 0 && p[2 * units - 1] == 0)
		units--;
	if (len % 2 != 0 || !ae_utf16_valid(p, units))
		return NULL;
	return ae_utf16_to_utf8(a, p, units);
}

/* The bytes of a column of this type; false: they are none, or no memory. */
static bool
value_get(struct ae_admin_value *v, enum ae_admin_type type, const uint8_t *p,
    size_t len, struct ae_arena *a)
{
	struct ae_rd r;

	*v = (struct ae_admin_value){ .type = type };
	ae_rd_init(&r, p, len);
	switch (type) {
	case AE_ADMIN_LONG:
		v->number = ae_rd_u32(&r);
		return ae_rd_done(&r);
	case AE_ADMIN_DATE:
		v->date = ae_rd_u64(&r);
		return ae_rd_done(&r);
	case AE_ADMIN_BINARY:
		v->p = ae_arena_dup(a, len > 0 ? p : (const uint8_t *)"", len);
		v->len = len;
		return v->p != NULL;
	case AE_ADMIN_STRING:
		v->text = text_value(p, len, a);
		return v->text != NULL;
	case AE_ADMIN_NONE:
		break;
	}
	return false;
}

static bool
is_seek(uint32_t seek)
{
	return seek == AE_ADMIN_SEEK_EQ || seek == AE_ADMIN_SEEK_LT ||
	    seek == AE_ADMIN_SEEK_LE || seek == AE_ADMIN_SEEK_GE ||
	    seek == AE_ADMIN_SEEK_GT;
}

int
ae_admin_filter_parse(struct ae_admin_filter *out,
    const struct ae_admin_restriction *r, struct ae_arena *a, struct ae_err *e)
{
	const struct ae_admin_column *c = ae_admin_column_find(r->column);
	struct ae_admin_filter f = { .column = r->column };

	if (c == NULL)
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, r->column,
		    "a restriction of column 0x%x, which does not exist",
		    r->column);
	if (r->sort > AE_ADMIN_SORT_DESC ||
	    (!is_seek(r->seek) &&
		(r->seek != AE_ADMIN_SEEK_NONE ||
		    r->sort == AE_ADMIN_SORT_NONE)))
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, r->seek,
		    "%s: no such operator or order", c->name);
	if (type_of(c) == AE_ADMIN_BINARY && r->seek > AE_ADMIN_SEEK_EQ)
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, r->seek,
		    "%s: bytes can be equal or not", c->name);
	f.seek = (enum ae_admin_seek)r->seek;
	f.sort = (enum ae_admin_sort)r->sort;
	if (f.seek != AE_ADMIN_SEEK_NONE &&
	    !value_get(&f.value, type_of(c), r->value, r->len, a))
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, r->column,
		    "%s: the value is not of its type", c->name);
	*out = f;
	return AE_OK;
}

static int
sign(bool less, bool more)
{
	return less ? -1 : more ? 1 : 0;
}

int
ae_admin_value_compare(uint32_t column, const struct ae_admin_value *a,
    const struct ae_admin_value *b)
{
	size_t n;
	int c;

	if (a->type == AE_ADMIN_NONE || b->type == AE_ADMIN_NONE ||
	    a->type != b->type)
		return sign(a->type<b->type, a->type> b->type);
	switch (a->type) {
	case AE_ADMIN_LONG: /* signed on the wire, MS-CSRA 2.2.1.7 */
		return sign(
		    (int32_t)
			a->number<(int32_t)b->number, (int32_t)a->number>(
			     int32_t) b->number);
	case AE_ADMIN_DATE:
		return sign(a->date<b->date, a->date> b->date);
	case AE_ADMIN_BINARY:
		n = a->len < b->len ? a->len : b->len;
		c = n > 0 ? memcmp(a->p, b->p, n) : 0;
		return c != 0 ? c : sign(a->len<b->len, a->len> b->len);
	case AE_ADMIN_STRING:
		return column == AE_ADMIN_COL_SERIAL
		    ? strcmp(a->text, b->text)
		    : strcasecmp(a->text, b->text);
	case AE_ADMIN_NONE:
		break;
	}
	return 0;
}

bool
ae_admin_filter_match(
    const struct ae_admin_filter *f, const struct ae_admin_value *have)
{
	int c;

	if (f->seek == AE_ADMIN_SEEK_NONE)
		return true;
	if (have->type != f->value.type)
		return false;
	c = ae_admin_value_compare(f->column, have, &f->value);
	switch (f->seek) {
	case AE_ADMIN_SEEK_NONE:
		break;
	case AE_ADMIN_SEEK_EQ:
		return c == 0;
	case AE_ADMIN_SEEK_LT:
		return c < 0;
	case AE_ADMIN_SEEK_LE:
		return c <= 0;
	case AE_ADMIN_SEEK_GE:
		return c >= 0;
	case AE_ADMIN_SEEK_GT:
		return c > 0;
	}
	return false;
}

/* ---- marshaled forms ---- */

/* Pad to four from base, note the offset at where, and write the string. */
static void
put_string(struct ae_wr *w, size_t base, size_t where, const char *s)
{
	while ((w->len - base) % 4 != 0 && ae_wr_ok(w))
		ae_wr_u8(w, 0);
	ae_wr_set_u32(w, where, (uint32_t)(w->len - base));
	(void)ae_utf16_put(w, s);
	ae_wr_u16(w, 0);
}

static void
put_blob(
    struct ae_wr *w, size_t base, size_t where, const uint8_t *p, size_t len)
{
	while ((w->len - base) % 4 != 0 && ae_wr_ok(w))
		ae_wr_u8(w, 0);
	ae_wr_set_u32(w, where, (uint32_t)(w->len - base));
	ae_wr_bytes(w, p, len);
}

void
ae_admin_put_columns(struct ae_wr *w, const struct ae_admin_column *v, size_t n)
{
	const size_t base = w->len;
	size_t i;

	for (i = 0; i < n; i++) {
		ae_wr_u32(w, v[i].type);
		ae_wr_u32(w, v[i].id);
		ae_wr_u32(w, v[i].max);
		ae_wr_zeros(w, 8);
	}
	for (i = 0; i < n && ae_wr_ok(w); i++) {
		put_string(w, base, base + i * COLUMN_SIZE + 12, v[i].name);
		put_string(w, base, base + i * COLUMN_SIZE + 16, v[i].display);
	}
}

static void
put_cell(
    struct ae_wr *w, size_t base, size_t at, const struct ae_admin_value *v)
{
	const size_t begin = w->len;

	switch (v->type) {
	case AE_ADMIN_NONE:
		return;
	case AE_ADMIN_LONG:
		ae_wr_u32(w, v->number);
		break;
	case AE_ADMIN_DATE:
		ae_wr_u64(w, v->date);
		break;
	case AE_ADMIN_BINARY:
		ae_wr_bytes(w, v->p, v->len);
		break;
	case AE_ADMIN_STRING:
		(void)ae_utf16_put(w, v->text);
		ae_wr_u16(w, 0);
		break;
	}
	if (!ae_wr_ok(w))
		return;
	ae_wr_set_u32(w, at + 8, (uint32_t)(begin - base));
	ae_wr_set_u32(w, at + 12, (uint32_t)(w->len - begin));
	/* each value takes whole DWORDs, MS-CSRA 2.2.3 */
	while ((w->len - base) % 4 != 0 && ae_wr_ok(w))
		ae_wr_u8(w, 0);
}

void
ae_admin_put_row(struct ae_wr *w, uint32_t row, const uint32_t *ids,
    const struct ae_admin_value *values, size_t n)
{
	const size_t base = w->len;
	const struct ae_admin_column *c;
	size_t i;

	ae_wr_u32(w, row);
	ae_wr_u32(w, (uint32_t)n);
	ae_wr_u32(w, 0);
	for (i = 0; i < n; i++) {
		c = ae_admin_column_find(ids[i]);
		ae_wr_u32(w, c != NULL ? c->type : 0);
		ae_wr_u32(w, ids[i]);
		ae_wr_zeros(w, 8);
	}
	for (i = 0; i < n && ae_wr_ok(w); i++)
		put_cell(w, base, base + ROW_SIZE + i * CELL_SIZE, &values[i]);
	if (ae_wr_ok(w))
		ae_wr_set_u32(w, base + 8, (uint32_t)(w->len - base));
}

void
ae_admin_put_end(struct ae_wr *w, uint32_t total)
{
	ae_wr_u32(w, total);
	ae_wr_u32(w, ~total);
	ae_wr_u32(w, ROW_SIZE);
}

void
ae_admin_put_attributes(
    struct ae_wr *w, const struct ae_admin_pair *v, size_t n)
{
	const size_t base = w->len;
	size_t i;

	ae_wr_zeros(w, n * PAIR_SIZE);
	for (i = 0; i < n && ae_wr_ok(w); i++) {
		put_string(w, base, base + i * PAIR_SIZE, v[i].name);
		put_string(w, base, base + i * PAIR_SIZE + 4, v[i].value);
	}
}

void
ae_admin_put_extensions(
    struct ae_wr *w, const struct ae_admin_extension *v, size_t n)
{
	const size_t base = w->len;
	size_t i, at;

	for (i = 0; i < n; i++) {
		ae_wr_u32(w, 0);
		ae_wr_u32(w, v[i].flags);
		ae_wr_u32(w, (uint32_t)v[i].len);
		ae_wr_u32(w, 0);
	}
	for (i = 0; i < n && ae_wr_ok(w); i++) {
		at = base + i * EXT_SIZE;
		put_string(w, base, at, v[i].oid);
		put_blob(w, base, at + 12, v[i].p, v[i].len);
	}
}

/* ---- and back ---- */

/* The terminated string at an offset of r; NULL: there is none. */
static const char *
string_at(const struct ae_rd *r, size_t off, struct ae_arena *a)
{
	size_t units = 0;

	if (off % 4 != 0 || off >= r->len)
		return NULL;
	while (off + 2 * units + 1 < r->len &&
	    (r->p[off + 2 * units] != 0 || r->p[off + 2 * units + 1] != 0))
		units++;
	if (off + 2 * units + 1 >= r->len || !ae_utf16_valid(r->p + off, units))
		return NULL;
	return ae_utf16_to_utf8(a, r->p + off, units);
}

int
ae_admin_get_columns(struct ae_admin_column **out, size_t n, const void *p,
    size_t len, struct ae_arena *a, struct ae_err *e)
{
	struct ae_admin_column *v;
	struct ae_rd r;
	size_t i;

	ae_rd_init(&r, p, len);
	if (n > len / COLUMN_SIZE)
		return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
		    "%zu columns in %zu bytes", n, len);
	v = ae_arena_array(a, n == 0 ? 1 : n, sizeof(*v));
	if (v == NULL)
		return ae_fail_mem(e);
	for (i = 0; i < n; i++) {
		v[i].type = ae_rd_u32(&r);
		v[i].id = ae_rd_u32(&r);
		v[i].max = ae_rd_u32(&r);
		v[i].name = string_at(&r, ae_rd_u32(&r), a);
		v[i].display = string_at(&r, ae_rd_u32(&r), a);
		if (v[i].name == NULL || v[i].display == NULL)
			return ae_arena_full(a)
			    ? ae_fail_mem(e)
			    : ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
				  "column %zu has no name", i);
	}
	*out = v;
	return AE_OK;
}

static int
bad_row(size_t i, struct ae_err *e)
{
	return ae_fail(
	    e, AE_EPROTO, AE_DOM_NONE, 0, "row %zu does not decode", i);
}

/* One row, all of whose bytes are r. */
static int
get_row(struct ae_admin_row *row, struct ae_rd *r, size_t i, struct ae_arena *a,
    struct ae_err *e)
{
	uint32_t type, off, len;
	size_t k;

	row->id = ae_rd_u32(r);
	row->n = ae_rd_u32(r);
	ae_rd_skip(r, 4);
	if (row->n > ae_rd_left(r) / CELL_SIZE)
		return bad_row(i, e);
	row->ids = ae_arena_array(a, row->n + 1, sizeof(*row->ids));
	row->values = ae_arena_array(a, row->n + 1, sizeof(*row->values));
	if (row->ids == NULL || row->values == NULL)
		return ae_fail_mem(e);
	for (k = 0; k < row->n; k++) {
		type = ae_rd_u32(r) & AE_ADMIN_TYPE_MASK;
		row->ids[k] = ae_rd_u32(r);
		off = ae_rd_u32(r);
		len = ae_rd_u32(r);
		row->values[k].type = AE_ADMIN_NONE;
		if (len == 0)
			continue;
		if (off > r->len || len > r->len - off ||
		    type > AE_ADMIN_STRING ||
		    !value_get(&row->values[k], (enum ae_admin_type)type,
			r->p + off, len, a))
			return ae_arena_full(a) ? ae_fail_mem(e)
						: bad_row(i, e);
	}
	return ae_rd_ok(r) ? AE_OK : bad_row(i, e);
}

int
ae_admin_get_rows(struct ae_admin_row **out, size_t n, int64_t *total,
    const void *p, size_t len, struct ae_arena *a, struct ae_err *e)
{
	struct ae_admin_row *v;
	struct ae_rd r, one;
	uint32_t size, first, second;
	size_t i;
	int rc;

	ae_rd_init(&r, p, len);
	if (n > len / ROW_SIZE)
		return bad_row(0, e);
	v = ae_arena_array(a, n == 0 ? 1 : n, sizeof(*v));
	if (v == NULL)
		return ae_fail_mem(e);
	for (i = 0; i < n; i++) {
		one = r;
		ae_rd_skip(&one, 8);
		size = ae_rd_u32(&one);
		if (!ae_rd_ok(&one) || size < ROW_SIZE || size > ae_rd_left(&r))
			return bad_row(i, e);
		one = ae_rd_sub(&r, size);
		if ((rc = get_row(&v[i], &one, i, a, e)) != AE_OK)
			return rc;
	}
	*total = -1;
	if (ae_rd_left(&r) >= ROW_SIZE) {
		first = ae_rd_u32(&r);
		second = ae_rd_u32(&r);
		if (first == ~second)
			*total = first;
	}
	*out = v;
	return AE_OK;
}
