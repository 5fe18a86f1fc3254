/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The encoding of object.h.
 */
#include "object.h"

#define LIST_MAX 1024u

static void
put_list(struct ae_wr *w, const struct ae_rules_strings *l)
{
	size_t i;

	ae_wr_u32(w, (uint32_t)l->n);
	for (i = 0; i < l->n; i++)
		put_str(w, l->v[i]);
}

/* A count of things that have at least size bytes each. */
static uint32_t
get_count(struct ae_rd *r, size_t size)
{
	uint32_t n = ae_rd_u32(r);

	if (n > LIST_MAX || n > ae_rd_left(r) / size) {
		ae_rd_fail(r);
		return 0;
	}
	return n;
}

static void
get_list(struct ae_rd *r, struct ae_rules_strings *l, struct ae_arena *a)
{
	uint32_t i, n = get_count(r, 4);

	l->v = ae_arena_array(a, n, sizeof(*l->v));
	l->n = 0;
	if (l->v == NULL) {
		ae_rd_fail(r);
		return;
	}
	for (i = 0; i < n && ae_rd_ok(r); i++)
		if ((l->v[i] = get_str(r, a)) == NULL)
			ae_rd_fail(r);
	l->n = ae_rd_ok(r) ? n : 0;
}

void
put_question(struct ae_wr *w, const struct ae_rules_question *q,
    const struct ae_sid *own)
{
	ae_wr_u8(w, q->own);
	ae_sid_put(w, own);
	put_str(w, q->attribute);
	put_str(w, q->value);
	put_str(w, q->category);
	put_str(w, q->search_root);
	put_list(w, &q->attributes);
	ae_wr_u8(w, q->spns);
	put_list(w, &q->groups);
}

void
get_question(struct ae_rd *r, struct ae_rules_question *q, struct ae_sid *own,
    struct ae_arena *a)
{
	q->own = ae_rd_u8(r) != 0;
	*own = ae_sid_get(r);
	q->attribute = get_str(r, a);
	q->value = get_str(r, a);
	q->category = get_str(r, a);
	q->search_root = get_str(r, a);
	get_list(r, &q->attributes, a);
	q->spns = ae_rd_u8(r) != 0;
	get_list(r, &q->groups, a);
	if (q->category == NULL ||
	    (!q->own && (q->attribute == NULL || q->value == NULL)))
		ae_rd_fail(r);
}

void
put_object(struct ae_wr *w, bool ok, const struct ae_rules_object *o)
{
	size_t i;

	ae_wr_u8(w, ok);
	ae_wr_u32(w, ok ? o->found : 0);
	if (!ok || o->found != 1)
		return;
	put_str(w, o->dn);
	ae_sid_put(w, &o->sid);
	ae_wr_u32(w, o->account_control);
	ae_wr_u32(w, (uint32_t)o->nattributes);
	for (i = 0; i < o->nattributes; i++) {
		put_str(w, o->attributes[i].field);
		put_str(w, o->attributes[i].value);
	}
	put_list(w, &o->spns);
	put_bytes(w, o->groups, o->ngroups);
}

static void
get_attributes(struct ae_rd *r, struct ae_rules_object *o, struct ae_arena *a)
{
	uint32_t i, n = get_count(r, 8);
	struct ae_rules_value *v = ae_arena_array(a, n, sizeof(*v));

	if (v == NULL) {
		ae_rd_fail(r);
		return;
	}
	for (i = 0; i < n && ae_rd_ok(r); i++) {
		v[i].field = get_str(r, a);
		v[i].value = get_str(r, a);
		if (v[i].field == NULL || v[i].value == NULL)
			ae_rd_fail(r);
	}
	o->attributes = v;
	o->nattributes = ae_rd_ok(r) ? n : 0;
}

void
get_object(
    struct ae_rd *r, bool *ok, struct ae_rules_object *o, struct ae_arena *a)
{
	const uint8_t *groups;

	*ok = ae_rd_u8(r) != 0;
	o->found = ae_rd_u32(r);
	if (!*ok || o->found != 1)
		return;
	o->dn = get_str(r, a);
	o->sid = ae_sid_get(r);
	o->account_control = ae_rd_u32(r);
	get_attributes(r, o, a);
	get_list(r, &o->spns, a);
	groups = get_bytes(r, &o->ngroups);
	o->groups = ae_arena_dup(a, groups, groups == NULL ? 0 : o->ngroups);
	if (o->dn == NULL || o->groups == NULL)
		ae_rd_fail(r);
}
