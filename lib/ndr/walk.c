/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The walk: which value comes where.  The same code runs in both
 * directions; only the primitives of wire.c and str.c know which.
 *
 * The order is that of C706 14.3.12.3: a root (a parameter, or a referent)
 * is written whole, its embedded pointers as referent ids only; then their
 * referents follow in the order of the pointers, each one a root again
 * whose own pointers are followed before the next is.
 */
#include "ndr/walk.h"

#include "base/breaks.h"

#include <stdlib.h>
#include <string.h>

static int walk_type(struct ndr_walk *x, const struct ae_ndr_row *row,
    const struct ae_ndr_type *t, uint8_t *base, uint8_t *at);

static int
deeper(struct ndr_walk *x, const struct ae_ndr_row *row)
{
	if (x->depth == AE_NDR_DEPTH_MAX)
		return ndr_over(
		    x, row, "nested deeper than %d", AE_NDR_DEPTH_MAX);
	x->depth++;
	return AE_OK;
}

static int
put_off(struct ndr_walk *x, const struct ndr_later *l)
{
	size_t cap = x->later_cap == 0 ? 16 : x->later_cap * 2;
	struct ndr_later *grown;

	if (x->nlater == x->later_cap) {
		grown = realloc(x->later, cap * sizeof(*grown));
		if (grown == NULL)
			return ae_fail_mem(x->e);
		x->later = grown;
		x->later_cap = cap;
	}
	x->later[x->nlater++] = *l;
	return AE_OK;
}

static uint32_t
new_id(struct ndr_walk *x)
{
	uint32_t id = x->next_id;

	x->next_id += 4;
	return id;
}

/* A pointer: its referent id now, what it points to later. */
static int
walk_pointer(struct ndr_walk *x, const struct ae_ndr_row *row, uint8_t *base,
    uint8_t *slot, bool has_id)
{
	struct ndr_later l = { .row = row, .base = base, .slot = slot };
	uint64_t id = 1;
	int rc;

	if (x->encode && ndr_load_ptr(slot) == NULL)
		id = 0;
	else if (x->encode && has_id)
		id = new_id(x);
	if (has_id) {
		rc = ndr_uint(x, row, &id, 4);
		if (rc != AE_OK)
			return rc;
	}
	if (id == 0)
		return row->ptr == AE_NDR_REF
		    ? ndr_bad(x, row, "a reference pointer is NULL")
		    : AE_OK;
	l.id = (uint32_t)id;
	return put_off(x, &l);
}

static int
walk_ustr(struct ndr_walk *x, const struct ae_ndr_row *row, uint8_t *slot)
{
	struct ndr_later l = { .row = row, .slot = slot, .ustr = true };
	int rc;

	if (x->encode && ndr_load_ptr(slot) != NULL)
		l.id = new_id(x);
	rc = ndr_ustr_inline(x, row, slot, &l.id, &l.units);
	if (rc != AE_OK || l.id == 0)
		return rc;
	return put_off(x, &l);
}

static uint64_t
rounded(const struct ae_ndr_row *row, uint64_t n)
{
	uint64_t unit = row->round == 0 ? 1 : row->round;

	return (n + unit - 1) & ~(unit - 1);
}

static bool
out_of_range(const struct ae_ndr_row *row, uint64_t n)
{
	return (n < row->min || n > row->max) && !AE_BREAK(ndr_range);
}

/*
 * The counts of an array: *n elements in C, *total on the wire.  What of
 * and cap name has been read before (lint sees to it), or is set here.
 */
static int
counts(struct ndr_walk *x, const struct ae_ndr_row *row, uint8_t *base,
    uint64_t *n, uint64_t *total)
{
	bool told = x->encode || !row->sets;
	uint64_t max = 0, actual;
	int rc = AE_OK;

	*n = told ? ndr_load(base + row->of, row->of_size) : 0;
	if (told && out_of_range(row, *n))
		return ndr_over(x, row, "%ju elements, not %ju..%ju",
		    (uintmax_t)*n, (uintmax_t)row->min, (uintmax_t)row->max);
	actual = *n;
	if (x->encode)
		max = row->cap_size != 0
		    ? ndr_load(base + row->cap, row->cap_size)
		    : rounded(row, *n);
	if (row->shape != AE_NDR_VARYING)
		rc = ndr_conformance(x, row, &max);
	if (rc == AE_OK && row->shape != AE_NDR_CONF)
		rc = ndr_variance(x, row, &actual);
	if (rc != AE_OK)
		return rc;
	if (row->shape == AE_NDR_CONFVAR && actual > max)
		return ndr_bad(x, row, "%ju elements in an array of %ju",
		    (uintmax_t)actual, (uintmax_t)max);
	if (row->shape == AE_NDR_CONF)
		actual = max;
	*total = actual;
	if (x->encode)
		return AE_OK;
	if (!told)
		*n = actual;
	else if (actual != rounded(row, *n) && !AE_BREAK(cve_2012_1182_counts))
		return ndr_bad(x, row, "%ju elements where %ju were announced",
		    (uintmax_t)actual, (uintmax_t)*n);
	if (out_of_range(row, *n))
		return ndr_over(x, row, "%ju elements, not %ju..%ju",
		    (uintmax_t)*n, (uintmax_t)row->min, (uintmax_t)row->max);
	if (row->sets && !ndr_store(base + row->of, row->of_size, *n))
		return ndr_over(x, row, "too many elements");
	if (row->cap_size != 0 &&
	    !ndr_store(base + row->cap, row->cap_size, max))
		return ndr_over(x, row, "the maximum count is too large");
	return AE_OK;
}

/* n elements at at, whose type is not octets. */
static int
walk_elements(struct ndr_walk *x, const struct ae_ndr_row *row, uint8_t *base,
    uint8_t *at, uint64_t n)
{
	uint64_t i;
	int rc;

	for (i = 0; i < n; i++) {
		rc = walk_type(
		    x, row, row->type, base, at + i * row->type->size);
		if (rc != AE_OK)
			return rc;
	}
	return AE_OK;
}

/* Elements that are on the wire only for the rounding. */
static void
pad_elements(struct ndr_walk *x, const struct ae_ndr_row *row, uint64_t n)
{
	if (row->type->op == AE_NDR_OP_PTR)
		ndr_align(x, 4);
	ae_wr_zeros(x->w, (size_t)n * ndr_wire_min(row->type));
}

static int
walk_array(struct ndr_walk *x, const struct ae_ndr_row *row, uint8_t *base,
    uint8_t *slot)
{
	size_t least = ndr_wire_min(row->type);
	uint64_t n, total = 0;
	uint8_t *p;
	int rc;

	rc = counts(x, row, base, &n, &total);
	if (rc != AE_OK)
		return rc;
	if (x->encode) {
		p = ndr_load_ptr(slot);
		if (p == NULL && n != 0)
			return ndr_bad(x, row, "no array");
	} else {
		if (least != 0 && total > ae_rd_left(&x->r) / least)
			return ndr_bad(x, row,
			    "%ju elements do not fit the "
			    "data",
			    (uintmax_t)total);
		p = ndr_alloc(x, (size_t)total, row->type->size);
		if (p == NULL)
			return x->e->rc;
		ndr_store_ptr(slot, p);
		n = total;
	}
	if (n != 0 && row->type->op == AE_NDR_OP_U8)
		rc = ndr_octets(x, row, p, (size_t)n);
	else
		rc = walk_elements(x, row, base, p, n);
	if (rc == AE_OK && n < total)
		pad_elements(x, row, total - n);
	return rc;
}

/* What a row describes, where it is: not the pointer, but the thing. */
static int
walk_value(struct ndr_walk *x, const struct ae_ndr_row *row, uint8_t *base,
    uint8_t *at)
{
	switch (row->shape) {
	case AE_NDR_ONE:
		if (row->type == NULL) /* an empty arm */
			return AE_OK;
		return walk_type(x, row, row->type, base, at);
	case AE_NDR_FIXED:
		if (row->type->op == AE_NDR_OP_U8)
			return ndr_octets(x, row, at, (size_t)row->max);
		return walk_elements(x, row, base, at, row->max);
	case AE_NDR_STR8:
	case AE_NDR_STR16:
		return ndr_string(x, row, at);
	default:
		return walk_array(x, row, base, at);
	}
}

/* A NULL array counts nothing, whichever of the two came first. */
static int
check_null_arrays(
    struct ndr_walk *x, const struct ae_ndr_type *t, uint8_t *base)
{
	const struct ae_ndr_row *row;

	for (row = t->rows; row->name != NULL; row++) {
		if (row->ptr == AE_NDR_VAL || !ndr_is_array(row->shape) ||
		    row->sets || ndr_load_ptr(base + row->off) != NULL)
			continue;
		if (ndr_load(base + row->of, row->of_size) != 0)
			return ndr_bad(x, row, "NULL, yet it has a count");
	}
	return AE_OK;
}

static int
walk_struct(struct ndr_walk *x, const struct ae_ndr_type *t, uint8_t *at)
{
	const struct ae_ndr_row *row;
	size_t mark = x->nlater;
	int rc = AE_OK;

	ndr_align(x, t->align);
	for (row = t->rows; row->name != NULL && rc == AE_OK; row++) {
		if (row->ptr == AE_NDR_VAL)
			rc = walk_value(x, row, at, at + row->off);
		else
			rc = walk_pointer(x, row, at, at + row->off, true);
	}
	if (rc != AE_OK)
		return rc;
	/* Until their referents are read, pointers say only NULL or not. */
	for (; !x->encode && mark < x->nlater; mark++)
		ndr_store_ptr(x->later[mark].slot, x);
	return check_null_arrays(x, t, at);
}

static int walk_later(struct ndr_walk *x, size_t mark);

static int
walk_params(struct ndr_walk *x, const struct ae_ndr_type *t, uint8_t *at)
{
	const struct ae_ndr_row *row;
	size_t mark = x->nlater;
	int rc = AE_OK;

	for (row = t->rows; row->name != NULL && rc == AE_OK; row++) {
		if (row->ptr == AE_NDR_VAL) {
			rc = ndr_walk_root(x, row, at, at + row->off);
			continue;
		}
		rc = walk_pointer(
		    x, row, at, at + row->off, row->ptr != AE_NDR_REF);
		if (rc == AE_OK)
			rc = walk_later(x, mark);
	}
	return rc != AE_OK ? rc : check_null_arrays(x, t, at);
}

static int
walk_union(struct ndr_walk *x, const struct ae_ndr_row *row,
    const struct ae_ndr_type *t, uint8_t *base, uint8_t *at)
{
	uint64_t want = x->encode || !row->sets
	    ? ndr_load(base + row->of, row->of_size)
	    : 0;
	const struct ae_ndr_row *arm;
	uint64_t tag = want;
	int rc;

	rc = ndr_uint(x, row, &tag, t->tag_len);
	if (rc != AE_OK)
		return rc;
	if (row->sets && !x->encode &&
	    !ndr_store(base + row->of, row->of_size, tag))
		return ndr_over(x, row, "the discriminant is too large");
	if (!row->sets && tag != want)
		return ndr_bad(x, row, "arm %ju where %ju was announced",
		    (uintmax_t)tag, (uintmax_t)want);
	for (arm = t->rows; arm->name != NULL; arm++)
		if (arm->is_default || arm->tag == tag)
			break;
	if (arm->name == NULL)
		return ndr_bad(x, row, "no arm %ju", (uintmax_t)tag);
	if (arm->ptr == AE_NDR_VAL)
		return walk_value(x, arm, at, at + arm->off);
	return walk_pointer(x, arm, at, at + arm->off, true);
}

static int
walk_nested(struct ndr_walk *x, const struct ae_ndr_row *row,
    const struct ae_ndr_type *t, uint8_t *base, uint8_t *at)
{
	int rc = deeper(x, row);

	if (rc != AE_OK)
		return rc;
	if (t->op == AE_NDR_OP_UNION)
		rc = walk_union(x, row, t, base, at);
	else if (t->op == AE_NDR_OP_PARAMS)
		rc = walk_params(x, t, at);
	else
		rc = walk_struct(x, t, at);
	x->depth--;
	return rc;
}

static int
walk_type(struct ndr_walk *x, const struct ae_ndr_row *row,
    const struct ae_ndr_type *t, uint8_t *base, uint8_t *at)
{
	switch (t->op) {
	case AE_NDR_OP_GUID:
		return ndr_guid(x, row, at);
	case AE_NDR_OP_STRUCT:
	case AE_NDR_OP_PARAMS:
	case AE_NDR_OP_UNION:
		return walk_nested(x, row, t, base, at);
	case AE_NDR_OP_PTR:
		return walk_pointer(x, t->rows, at, at, true);
	case AE_NDR_OP_USTR:
		return walk_ustr(x, row, at);
	case AE_NDR_OP_CUSTOM:
		return ndr_custom(x, row, t, at);
	default:
		return ndr_scalar(x, row, t, at);
	}
}

/* The [ptr] with that referent id, if the message had it before. */
static struct ndr_full *
find_full(struct ndr_walk *x, uint32_t id)
{
	size_t i;

	for (i = 0; i < x->nfull; i++)
		if (x->full[i].id == id)
			return &x->full[i];
	return NULL;
}

/*
 * A second pointer to the same referent.  Only where nothing but the row's
 * own type decides what it looks like, and never into what is still being
 * read: that would be a cycle.
 */
static int
follow_alias(
    struct ndr_walk *x, const struct ndr_later *l, const struct ndr_full *f)
{
	const struct ae_ndr_row *row = l->row;
	bool same = f->row == row ||
	    (f->row->type == row->type && row->type != NULL &&
		f->row->min == row->min && f->row->max == row->max &&
		f->row->shape == AE_NDR_ONE && row->shape == AE_NDR_ONE);

	if (f->p == NULL || !same || row->of_size != 0 || f->row->of_size != 0)
		return ndr_bad(x, row,
		    "refers to %#x again, which is a cycle or of another kind",
		    l->id);
	ndr_store_ptr(l->slot, f->p);
	return AE_OK;
}

static int
walk_referent(struct ndr_walk *x, const struct ndr_later *l)
{
	const struct ae_ndr_row *row = l->row;
	uint8_t *at = l->slot;

	if (l->ustr)
		return ndr_ustr_buffer(x, l);
	if (row->shape != AE_NDR_ONE)
		return ndr_walk_root(x, row, l->base, at);
	if (!x->encode) {
		at = ndr_alloc(x, 1, row->type->size);
		if (at == NULL)
			return x->e->rc;
		ndr_store_ptr(l->slot, at);
	} else {
		at = ndr_load_ptr(at);
	}
	return ndr_walk_root(x, row, l->base, at);
}

static int
walk_full(struct ndr_walk *x, const struct ndr_later *l)
{
	struct ndr_full *f = find_full(x, l->id);
	size_t i;
	int rc;

	if (f != NULL)
		return follow_alias(x, l, f);
	if (x->nfull == AE_NDR_FULL_MAX)
		return ndr_over(
		    x, l->row, "more than %d full pointers", AE_NDR_FULL_MAX);
	i = x->nfull++;
	x->full[i] = (struct ndr_full){ .id = l->id, .row = l->row };
	rc = walk_referent(x, l);
	x->full[i].p = ndr_load_ptr(l->slot);
	return rc;
}

/* The referents put off since mark, in order. */
static int
walk_later(struct ndr_walk *x, size_t mark)
{
	size_t i, end = x->nlater;
	struct ndr_later l;
	int rc;

	for (i = mark; i < end; i++) {
		l = x->later[i];
		if (l.row->ptr == AE_NDR_FULL && !l.ustr && !x->encode)
			rc = walk_full(x, &l);
		else
			rc = walk_referent(x, &l);
		if (rc != AE_OK)
			return rc;
	}
	x->nlater = mark;
	return AE_OK;
}

/*
 * A struct that ends in a conformant array has the array's maximum count
 * before it (C706 14.3.7.1).
 */
static int
hoist(struct ndr_walk *x, const struct ae_ndr_row *row, uint8_t *at)
{
	const struct ae_ndr_row *tail;
	uint64_t max = 0;
	size_t off = 0;
	int rc;

	if (row->shape != AE_NDR_ONE || row->type == NULL ||
	    (tail = ndr_tail(row->type, &off)) == NULL)
		return AE_OK;
	at += off;
	if (x->encode && ndr_is_string(tail->shape)) {
		rc = ndr_string_units(x, tail, at + tail->off, &max);
		if (rc != AE_OK)
			return rc;
	} else if (x->encode && tail->cap_size != 0) {
		max = ndr_load(at + tail->cap, tail->cap_size);
	} else if (x->encode) {
		max = rounded(tail, ndr_load(at + tail->of, tail->of_size));
	}
	rc = ndr_uint(x, tail, &max, 4);
	if (rc != AE_OK)
		return rc;
	x->hoist = (uint32_t)max;
	x->hoisted = true;
	return AE_OK;
}

int
ndr_walk_root(struct ndr_walk *x, const struct ae_ndr_row *row, uint8_t *base,
    uint8_t *at)
{
	size_t mark = x->nlater;
	int rc;

	rc = deeper(x, row);
	if (rc != AE_OK)
		return rc;
	rc = hoist(x, row, at);
	if (rc == AE_OK)
		rc = walk_value(x, row, base, at);
	if (rc == AE_OK)
		rc = walk_later(x, mark);
	x->depth--;
	return rc;
}
