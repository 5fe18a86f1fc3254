/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The C form of a value as text for a person.  It follows the same rows as
 * the walk but not the wire: what was decoded is shown, not how.
 */
#include "ndr/walk.h"

#include <string.h>

#include "base/str.h"

#define HEX_MAX 64
#define INDENT 2

struct printer {
	struct ae_wr *w;
	unsigned depth;
};

static void print_type(struct printer *p, const struct ae_ndr_row *row,
    const struct ae_ndr_type *t, const uint8_t *base, const uint8_t *at);

static void
name(struct printer *p, const char *text)
{
	unsigned i;

	for (i = 0; i < p->depth * INDENT; i++)
		ae_wr_u8(p->w, ' ');
	ae_wr_str(p->w, text);
	ae_wr_str(p->w, ":");
}

static void
number(struct printer *p, uint64_t v)
{
	if (v < 10)
		ae_wr_printf(p->w, " %ju\n", (uintmax_t)v);
	else
		ae_wr_printf(p->w, " %ju (%#jx)\n", (uintmax_t)v, (uintmax_t)v);
}

static void
octets(struct printer *p, const uint8_t *v, size_t n)
{
	size_t i;

	ae_wr_printf(p->w, " %zu bytes ", n);
	for (i = 0; i < n && i < HEX_MAX; i++)
		ae_wr_printf(p->w, "%02x", v[i]);
	ae_wr_str(p->w, i < n ? "...\n" : "\n");
}

static void
string(struct printer *p, const struct ae_ndr_row *row, const char *s)
{
	char text[1024];

	if (s == NULL)
		ae_wr_str(p->w, " NULL\n");
	else if (row->secret)
		ae_wr_printf(p->w, " secret, %zu bytes\n", strlen(s));
	else
		ae_wr_printf(p->w, " \"%s\"\n",
		    ae_str_quote(text, sizeof(text), s, strlen(s)));
}

static void
array(struct printer *p, const struct ae_ndr_row *row, const uint8_t *base,
    const uint8_t *v, uint64_t n)
{
	uint64_t i;

	if (v == NULL) {
		ae_wr_str(p->w, " NULL\n");
		return;
	}
	if (row->secret) {
		ae_wr_printf(p->w, " secret, %ju bytes\n",
		    (uintmax_t)(n * row->type->size));
		return;
	}
	if (row->type->op == AE_NDR_OP_U8) {
		octets(p, v, (size_t)n);
		return;
	}
	ae_wr_printf(p->w, " %ju elements\n", (uintmax_t)n);
	p->depth++;
	for (i = 0; i < n && ae_wr_ok(p->w); i++) {
		name(p, row->type->name);
		print_type(p, row, row->type, base, v + i * row->type->size);
	}
	p->depth--;
}

static void
print_row(struct printer *p, const struct ae_ndr_row *row, const uint8_t *base)
{
	const uint8_t *at = base + row->off;

	name(p, row->name);
	if (ndr_is_string(row->shape)) {
		string(p, row, (const char *)ndr_load_ptr(at));
	} else if (row->type == NULL) {
		ae_wr_str(p->w, " empty\n");
	} else if (row->shape == AE_NDR_FIXED) {
		array(p, row, base, at, row->max);
	} else if (row->shape != AE_NDR_ONE) {
		array(p, row, base, ndr_load_ptr(at),
		    ndr_load(base + row->of, row->of_size));
	} else if (row->ptr != AE_NDR_VAL && ndr_load_ptr(at) == NULL) {
		ae_wr_str(p->w, " NULL\n");
	} else if (row->secret && row->type->op != AE_NDR_OP_USTR) {
		ae_wr_printf(p->w, " secret, %zu bytes\n", row->type->size);
	} else {
		if (row->ptr != AE_NDR_VAL)
			at = ndr_load_ptr(at);
		print_type(p, row, row->type, base, at);
	}
}

static void
nested(struct printer *p, const struct ae_ndr_row *row,
    const struct ae_ndr_type *t, const uint8_t *base, const uint8_t *at)
{
	const struct ae_ndr_row *r;
	uint64_t tag = 0;

	if (p->depth == AE_NDR_DEPTH_MAX) {
		ae_wr_str(p->w, " ...\n");
		return;
	}
	ae_wr_str(p->w, "\n");
	p->depth++;
	if (t->op == AE_NDR_OP_UNION)
		tag = ndr_load(base + row->of, row->of_size);
	for (r = t->rows; r->name != NULL && ae_wr_ok(p->w); r++) {
		if (t->op == AE_NDR_OP_UNION && !r->is_default && r->tag != tag)
			continue;
		print_row(p, r, at);
		if (t->op == AE_NDR_OP_UNION)
			break;
	}
	p->depth--;
}

static void
guid(struct printer *p, const uint8_t *at)
{
	char text[AE_GUID_STR_MAX];
	struct ae_guid g;

	memcpy(&g, at, sizeof(g));
	ae_wr_printf(p->w, " %s\n", ae_guid_print(text, &g));
}

static void
print_type(struct printer *p, const struct ae_ndr_row *row,
    const struct ae_ndr_type *t, const uint8_t *base, const uint8_t *at)
{
	switch (t->op) {
	case AE_NDR_OP_GUID:
		guid(p, at);
		break;
	case AE_NDR_OP_STRUCT:
	case AE_NDR_OP_PARAMS:
	case AE_NDR_OP_UNION:
		nested(p, row, t, base, at);
		break;
	case AE_NDR_OP_PTR:
		ae_wr_str(p->w, "\n");
		p->depth++;
		print_row(p, t->rows, at);
		p->depth--;
		break;
	case AE_NDR_OP_USTR:
		string(p, row, (const char *)ndr_load_ptr(at));
		break;
	case AE_NDR_OP_CUSTOM:
		ae_wr_str(p->w, " ");
		t->custom->print(p->w, at);
		ae_wr_str(p->w, "\n");
		break;
	default:
		number(p, ndr_load(at, t->size));
	}
}

int
ae_ndr_print(const struct ae_ndr_type *t, const void *v, struct ae_wr *w,
    struct ae_err *e)
{
	struct ae_ndr_row row = { .name = t->name, .type = t };
	struct printer p = { .w = w };

	print_row(&p, &row, v);
	if (ae_wr_ok(w))
		return AE_OK;
	return ae_wr_full(w) ? ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
				   "printing %s: text too long", t->name)
			     : ae_fail_mem(e);
}
