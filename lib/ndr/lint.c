/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What can be known of a table without data: its smallest wire size, where
 * its conformant end is, and whether its author made a mistake.
 */
#include "ndr/walk.h"

#include <assert.h>

bool
ndr_is_string(enum ae_ndr_shape shape)
{
	return shape == AE_NDR_STR8 || shape == AE_NDR_STR16;
}

bool
ndr_is_array(enum ae_ndr_shape shape)
{
	return shape == AE_NDR_CONF || shape == AE_NDR_VARYING ||
	    shape == AE_NDR_CONFVAR;
}

static bool
is_conformant(enum ae_ndr_shape shape)
{
	return shape == AE_NDR_CONF || shape == AE_NDR_CONFVAR ||
	    ndr_is_string(shape);
}

static size_t
row_wire_min(const struct ae_ndr_row *row)
{
	if (row->ptr != AE_NDR_VAL)
		return 4;
	if (row->shape == AE_NDR_FIXED)
		return (size_t)row->max * ndr_wire_min(row->type);
	if (row->shape != AE_NDR_ONE || row->type == NULL)
		return 0;
	return ndr_wire_min(row->type);
}

/* A lower bound, alignment left out: enough to refuse a count by. */
size_t
ndr_wire_min(const struct ae_ndr_type *t)
{
	const struct ae_ndr_row *row;
	size_t sum = 0;

	switch (t->op) {
	case AE_NDR_OP_ENUM:
		return 2;
	case AE_NDR_OP_GUID:
		return 16;
	case AE_NDR_OP_PTR:
		return 4;
	case AE_NDR_OP_USTR:
		return 8;
	case AE_NDR_OP_UNION:
		return t->tag_len;
	case AE_NDR_OP_CUSTOM:
		return t->custom->wire_min;
	case AE_NDR_OP_STRUCT:
	case AE_NDR_OP_PARAMS:
		for (row = t->rows; row->name != NULL; row++)
			sum += row_wire_min(row);
		return sum;
	default:
		return t->size;
	}
}

const struct ae_ndr_row *
ndr_tail(const struct ae_ndr_type *t, size_t *off)
{
	const struct ae_ndr_row *row, *last = NULL;

	if (t->op != AE_NDR_OP_STRUCT)
		return NULL;
	for (row = t->rows; row->name != NULL; row++)
		last = row;
	if (last == NULL || last->ptr != AE_NDR_VAL)
		return NULL;
	if (is_conformant(last->shape))
		return last;
	if (last->shape != AE_NDR_ONE || last->type == NULL)
		return NULL;
	*off += last->off;
	return ndr_tail(last->type, off);
}

/* What is to be checked, and how deep we are: a list may hold itself. */
struct lint {
	const struct ae_ndr_type *t;
	const struct ae_ndr_row *row;
	struct ae_err *e;
	unsigned depth;
};

static int lint_type(
    const struct ae_ndr_type *t, unsigned depth, struct ae_err *e);

static int
wrong(const struct lint *l, const char *what)
{
	return ae_fail(l->e, AE_EINTERNAL, AE_DOM_NONE, 0, "%s.%s: %s",
	    l->t->name, l->row == NULL ? "" : l->row->name, what);
}

static size_t
row_align(const struct ae_ndr_row *row)
{
	if (row->ptr != AE_NDR_VAL)
		return 4;
	if (is_conformant(row->shape) || row->shape == AE_NDR_VARYING)
		return row->type == NULL || row->type->align < 4
		    ? 4
		    : row->type->align;
	return row->type == NULL ? 1 : row->type->align;
}

/* The row of t that owns the member at off, or NULL. */
static const struct ae_ndr_row *
row_at(const struct ae_ndr_type *t, size_t off)
{
	const struct ae_ndr_row *row;

	for (row = t->rows; row->name != NULL; row++)
		if (row->off == off && row->size != 0)
			return row;
	return NULL;
}

static bool
int_width(size_t n)
{
	return n == 1 || n == 2 || n == 4 || n == 8;
}

/* The member a count or discriminant lives in. */
static int
lint_of(const struct lint *l)
{
	const struct ae_ndr_row *row = l->row, *of;

	if (!int_width(row->of_size) || row->of + row->of_size > l->t->size)
		return wrong(l, "its count is not an integer of the struct");
	of = row_at(l->t, row->of);
	if (row->sets)
		return of == NULL ? AE_OK
				  : wrong(l, "sets a member that has a row");
	if (of == NULL)
		return wrong(l, "its count has no row; say .sets");
	if (of->type == NULL || of->shape != AE_NDR_ONE ||
	    of->ptr != AE_NDR_VAL || of->type->op > AE_NDR_OP_ENUM)
		return wrong(l, "its count is not an integer row");
	if (of > row &&
	    (row->ptr == AE_NDR_VAL || l->t->op == AE_NDR_OP_PARAMS))
		return wrong(l, "its count comes after it");
	return AE_OK;
}

static int
lint_array(const struct lint *l)
{
	const struct ae_ndr_row *row = l->row;
	size_t off = 0;

	if (row->type == NULL || row->size != sizeof(void *))
		return wrong(l, "an array needs a type and a C pointer");
	if (row->max == 0 || row->max < row->min || row->max > UINT32_MAX)
		return wrong(l, "an array needs a maximum");
	if (row->of_size == 0)
		return wrong(l, "an array needs a count");
	if (row->cap_size != 0 &&
	    (row->shape != AE_NDR_CONFVAR || !int_width(row->cap_size) ||
		row->cap + row->cap_size > l->t->size ||
		row_at(l->t, row->cap) != NULL))
		return wrong(l, "its maximum count is not a free member");
	if (row->round != 0 &&
	    (row->shape != AE_NDR_CONF || row->sets ||
		(row->round & (row->round - 1)) != 0 ||
		(row->type->op != AE_NDR_OP_U8 &&
		    row->type->op != AE_NDR_OP_PTR)))
		return wrong(l, "only counted octets or pointers are rounded");
	if (row->type->op == AE_NDR_OP_UNION)
		return wrong(l, "an array of unions needs a struct around it");
	if (row->type == &ae_ndr_sid || ndr_tail(row->type, &off) != NULL)
		return wrong(l, "an array of conformant structs");
	return lint_of(l);
}

/* The C member is what the row says it is. */
static int
lint_member(const struct lint *l)
{
	const struct ae_ndr_row *row = l->row;
	size_t off = 0;

	if (row->off + row->size > l->t->size)
		return wrong(l, "lies outside the struct");
	if (ndr_is_array(row->shape))
		return lint_array(l);
	if (ndr_is_string(row->shape)) {
		if (row->size != sizeof(char *) || row->max == 0 ||
		    row->max < row->min || row->max > UINT32_MAX)
			return wrong(l, "a string needs a maximum");
		return AE_OK;
	}
	if (row->type == NULL)
		return l->t->op == AE_NDR_OP_UNION && row->ptr == AE_NDR_VAL
		    ? AE_OK
		    : wrong(l, "no type");
	if (row->ptr != AE_NDR_VAL && row->shape == AE_NDR_FIXED)
		return wrong(l, "a pointer to a fixed array needs a struct");
	if (row->ptr != AE_NDR_VAL ? row->size != sizeof(void *)
				   : row->size !=
		    row->type->size *
			(row->shape == AE_NDR_FIXED ? row->max : 1))
		return wrong(l, "the C member has another size");
	if (row->shape == AE_NDR_FIXED && ndr_tail(row->type, &off) != NULL)
		return wrong(l, "an array of conformant structs");
	if (row->max != 0 && row->max < row->min)
		return wrong(l, "an empty range");
	if ((row->type->op == AE_NDR_OP_UNION) != (row->of_size != 0))
		return wrong(l, "a union, and only a union, is switched");
	return row->of_size != 0 ? lint_of(l) : AE_OK;
}

/* Conformance only where it can be hoisted from. */
static int
lint_place(const struct lint *l)
{
	const struct ae_ndr_row *row = l->row;
	size_t off = 0;
	bool tail = row->ptr == AE_NDR_VAL &&
	    (is_conformant(row->shape) ||
		(row->shape == AE_NDR_ONE && row->type != NULL &&
		    (row->type == &ae_ndr_sid ||
			ndr_tail(row->type, &off) != NULL)));

	if (!tail || l->t->op == AE_NDR_OP_PARAMS)
		return AE_OK;
	if (row->type == &ae_ndr_sid)
		return wrong(l, "an RPC_SID stands behind a pointer");
	if (l->t->op == AE_NDR_OP_UNION)
		return wrong(l, "a conformant arm stands behind a pointer");
	if (row[1].name != NULL)
		return wrong(l, "something conformant comes last");
	return AE_OK;
}

static int
lint_row(const struct lint *l)
{
	const struct ae_ndr_row *row = l->row;
	int rc;

	if (l->t->op == AE_NDR_OP_UNION && row->of_size != 0)
		return wrong(l, "a counted arm needs a struct around it");
	rc = lint_member(l);
	if (rc == AE_OK)
		rc = lint_place(l);
	if (rc == AE_OK && row->type != NULL)
		rc = lint_type(row->type, l->depth + 1, l->e);
	return rc;
}

static int
lint_pointer_type(const struct lint *l)
{
	const struct ae_ndr_row *row = l->t->rows;

	if (row == NULL || row->name == NULL || row[1].name != NULL ||
	    row->ptr == AE_NDR_VAL || row->off != 0 || row->of_size != 0 ||
	    l->t->size != sizeof(void *) || l->t->align != 4)
		return wrong(l, "a pointer type is one pointer row");
	return AE_OK;
}

static int
lint_type(const struct ae_ndr_type *t, unsigned depth, struct ae_err *e)
{
	struct lint l = { .t = t, .e = e, .depth = depth };
	size_t align = t->op == AE_NDR_OP_UNION ? t->tag_len : 1;
	const struct ae_ndr_row *row;
	int rc = AE_OK;

	if (depth > 8)
		return AE_OK; /* seen from nearer before, or a list */
	if (t->op == AE_NDR_OP_CUSTOM)
		return t->custom != NULL ? AE_OK : wrong(&l, "no functions");
	if (t->op < AE_NDR_OP_STRUCT || t->op == AE_NDR_OP_USTR)
		return AE_OK;
	if (t->op == AE_NDR_OP_PTR && (rc = lint_pointer_type(&l)) != AE_OK)
		return rc;
	if (t->op == AE_NDR_OP_UNION && t->tag_len != 1 && t->tag_len != 2 &&
	    t->tag_len != 4)
		return wrong(&l, "a discriminant of 1, 2 or 4 bytes");
	if (t->op == AE_NDR_OP_PARAMS && depth != 0)
		return wrong(&l, "parameters inside something");
	for (row = t->rows; row->name != NULL && rc == AE_OK; row++) {
		l.row = row;
		rc = lint_row(&l);
		if (row_align(row) > align)
			align = row_align(row);
	}
	if (rc == AE_OK && t->op != AE_NDR_OP_PARAMS && t->align != align) {
		l.row = NULL;
		rc = wrong(&l, "the alignment is another one");
	}
	return rc;
}

int
ae_ndr_lint(const struct ae_ndr_type *t, struct ae_err *e)
{
	return lint_type(t, 0, e);
}
