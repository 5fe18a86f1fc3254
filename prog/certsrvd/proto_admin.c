/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The bodies of MSG_MANAGE and MSG_MANAGED.
 */
#include <string.h>

#include "proto.h"

void
put_manage(struct ae_wr *w, const struct ae_admin_request *q)
{
	uint32_t i;

	ae_wr_u16(w, q->opnum);
	put_str(w, q->authority);
	ae_wr_u32(w, q->id);
	put_str(w, q->text);
	put_str(w, q->entry);
	ae_wr_u32(w, q->flags);
	ae_wr_u32(w, q->time.lo);
	ae_wr_u32(w, q->time.hi);
	ae_wr_u32(w, q->table);
	ae_wr_u32(w, q->from);
	ae_wr_u32(w, q->count);
	ae_wr_u32(w, q->prop_id);
	ae_wr_u32(w, q->prop_index);
	ae_wr_u32(w, q->prop_type);
	ae_wr_u32(w, q->nrestrictions);
	for (i = 0; i < q->nrestrictions; i++) {
		ae_wr_u32(w, q->restrictions[i].column);
		ae_wr_u32(w, q->restrictions[i].seek);
		ae_wr_u32(w, q->restrictions[i].sort);
		put_bytes(w, q->restrictions[i].value, q->restrictions[i].len);
	}
	ae_wr_u32(w, q->ncolumns);
	for (i = 0; i < q->ncolumns; i++)
		ae_wr_u32(w, q->columns[i]);
}

static void
get_restrictions(
    struct ae_rd *r, struct ae_admin_request *q, struct ae_arena *a)
{
	struct ae_admin_restriction *v;
	const uint8_t *p;
	uint32_t i;
	size_t len;

	q->nrestrictions = ae_rd_u32(r);
	if (q->nrestrictions > AE_ADMIN_RESTRICTIONS_MAX) {
		q->nrestrictions = 0;
		ae_rd_fail(r);
		return;
	}
	v = ae_arena_array(a, q->nrestrictions + 1, sizeof(*v));
	if (v == NULL) {
		q->nrestrictions = 0;
		ae_rd_fail(r);
		return;
	}
	memset(v, 0, (q->nrestrictions + 1) * sizeof(*v));
	for (i = 0; i < q->nrestrictions; i++) {
		v[i].column = ae_rd_u32(r);
		v[i].seek = ae_rd_u32(r);
		v[i].sort = ae_rd_u32(r);
		p = get_bytes(r, &len);
		v[i].value = len > 0 ? ae_arena_dup(a, p, len) : NULL;
		v[i].len = (uint32_t)len;
		if (len > AE_ADMIN_VALUE_MAX || (len > 0 && v[i].value == NULL))
			ae_rd_fail(r);
	}
	q->restrictions = v;
}

static void
get_columns(struct ae_rd *r, struct ae_admin_request *q, struct ae_arena *a)
{
	uint32_t *v, i;

	q->ncolumns = ae_rd_u32(r);
	v = q->ncolumns > AE_ADMIN_COLUMNS_MAX
	    ? NULL
	    : ae_arena_array(a, q->ncolumns + 1, sizeof(*v));
	if (v == NULL) {
		q->ncolumns = 0;
		ae_rd_fail(r);
		return;
	}
	for (i = 0; i < q->ncolumns; i++)
		v[i] = ae_rd_u32(r);
	q->columns = v;
}

void
get_manage(struct ae_rd *r, struct ae_admin_request *q, struct ae_arena *a)
{
	memset(q, 0, sizeof(*q));
	q->opnum = ae_rd_u16(r);
	q->authority = get_str(r, a);
	q->id = ae_rd_u32(r);
	q->text = get_str(r, a);
	q->entry = get_str(r, a);
	q->flags = ae_rd_u32(r);
	q->time.lo = ae_rd_u32(r);
	q->time.hi = ae_rd_u32(r);
	q->table = ae_rd_u32(r);
	q->from = ae_rd_u32(r);
	q->count = ae_rd_u32(r);
	q->prop_id = ae_rd_u32(r);
	q->prop_index = ae_rd_u32(r);
	q->prop_type = ae_rd_u32(r);
	get_restrictions(r, q, a);
	get_columns(r, q, a);
}

void
put_managed(struct ae_wr *w, const struct ae_admin_reply *p)
{
	ae_wr_u32(w, p->hresult);
	ae_wr_u32(w, p->n);
	ae_wr_u32(w, p->m);
	put_bytes(w, p->blob.p, p->blob.len);
	ae_wr_u16(w, p->vt);
	put_str(w, p->text);
}

void
get_managed(struct ae_rd *r, struct ae_admin_reply *p, struct ae_arena *a)
{
	const uint8_t *blob;
	size_t len;

	memset(p, 0, sizeof(*p));
	p->hresult = ae_rd_u32(r);
	p->n = ae_rd_u32(r);
	p->m = ae_rd_u32(r);
	blob = get_bytes(r, &len);
	p->vt = ae_rd_u16(r);
	p->text = get_str(r, a);
	if (blob == NULL || len == 0)
		return;
	p->blob.p = ae_arena_dup(a, blob, len);
	p->blob.len = (uint32_t)len;
	if (p->blob.p == NULL)
		ae_rd_fail(r);
}
