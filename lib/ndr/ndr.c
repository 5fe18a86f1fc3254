/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The calls of ndr.h: set up a walk, run it, take it down; and the headers
 * of type serialization version 1 (MS-RPCE 2.2.6).
 */
#include "ndr/ndr.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "ndr/walk.h"

#define FIRST_REFERENT 0x00020000u

/* MS-RPCE 2.2.6.1 */
#define PICKLE_VERSION 1
#define PICKLE_LITTLE 0x10
#define PICKLE_COMMON_LEN 8
#define PICKLE_HEADER_LEN 16
#define PICKLE_FILLER 0xccccccccu

int
ae_ndr_decode(const struct ae_ndr_type *t, void *out, const void *p, size_t len,
    bool big, struct ae_arena *a, size_t *used, struct ae_err *e)
{
	struct ae_ndr_row row = { .name = t->name, .type = t };
	struct ae_err unheard = AE_ERR_INIT;
	struct ndr_walk x = { .a = a, .e = e != NULL ? e : &unheard };
	uint8_t *v;
	int rc;

	ae_rd_init(&x.r, p, len);
	x.r.big = big;
	v = ndr_alloc(&x, 1, t->size);
	rc = v == NULL ? x.e->rc : ndr_walk_root(&x, &row, v, v);
	free(x.later);
	if (v == NULL || rc != AE_OK)
		return ae_note(e, rc, "%s", t->name);
	if (used == NULL && !ae_rd_done(&x.r))
		return ae_fail(e, AE_EPROTO, AE_DOM_RPC, AE_NDR_BAD_STUB_DATA,
		    "%s: %zu bytes too many", t->name, ae_rd_left(&x.r));
	if (used != NULL)
		*used = x.r.off;
	memcpy(out, v, t->size);
	return AE_OK;
}

/* The walk takes one kind of pointer for both directions; encoding only
 * reads through it. */
static uint8_t *
unconst(const void *v)
{
	uint8_t *p;

	memcpy(&p, &v, sizeof(p));
	return p;
}

int
ae_ndr_encode(const struct ae_ndr_type *t, const void *v, struct ae_wr *w,
    struct ae_err *e)
{
	struct ae_ndr_row row = { .name = t->name, .type = t };
	struct ae_err unheard = AE_ERR_INIT;
	struct ndr_walk x = { .encode = true,
		.w = w,
		.next_id = FIRST_REFERENT,
		.e = e != NULL ? e : &unheard };
	size_t start = w->len;
	uint8_t *at = unconst(v);
	int rc;

	assert(start % 8 == 0 && !w->big);
	rc = ndr_walk_root(&x, &row, at, at);
	free(x.later);
	if (rc == AE_OK && ae_wr_full(w))
		rc = ae_fail(e, AE_ELIMIT, AE_DOM_RPC, AE_NDR_INVALID_BOUND,
		    "larger than the %zu bytes there are for it", w->max);
	else if (rc == AE_OK && !ae_wr_ok(w))
		rc = ae_fail_mem(e);
	if (rc == AE_OK)
		return AE_OK;
	w->len = start;
	return ae_note(e, rc, "%s", t->name);
}

static int
bad_pickle(struct ae_err *e, const struct ae_ndr_type *t, const char *what)
{
	return ae_fail(e, AE_EPROTO, AE_DOM_RPC, AE_NDR_BAD_STUB_DATA,
	    "%s: serialized type: %s", t->name, what);
}

int
ae_ndr_unpickle(const struct ae_ndr_type *t, void *out, const void *p,
    size_t len, struct ae_arena *a, size_t *used, struct ae_err *e)
{
	size_t body_used;
	struct ae_rd r;
	const uint8_t *body;
	uint8_t version, order;
	uint32_t body_len;
	bool big;
	int rc;

	ae_rd_init(&r, p, len);
	version = ae_rd_u8(&r);
	order = ae_rd_u8(&r);
	big = order == 0;
	r.big = big;
	if (ae_rd_u16(&r) != PICKLE_COMMON_LEN || version != PICKLE_VERSION ||
	    (order != 0 && order != PICKLE_LITTLE))
		return bad_pickle(e, t, "not a version 1 common header");
	ae_rd_skip(&r, 4); /* filler, to be ignored */
	body_len = ae_rd_u32(&r);
	ae_rd_skip(&r, 4);
	body = ae_rd_take(&r, body_len);
	if (!ae_rd_ok(&r))
		return bad_pickle(e, t, "the data ends inside it");
	if (used == NULL && !ae_rd_done(&r))
		return bad_pickle(e, t, "bytes follow it");
	rc = ae_ndr_decode(t, out, body, body_len, big, a, &body_used, e);
	if (rc == AE_OK && used != NULL)
		*used = r.off;
	return rc;
}

int
ae_ndr_pickle(const struct ae_ndr_type *t, const void *v, struct ae_wr *w,
    struct ae_err *e)
{
	size_t start = w->len;
	int rc;

	assert(start % 8 == 0);
	ae_wr_u8(w, PICKLE_VERSION);
	ae_wr_u8(w, PICKLE_LITTLE);
	ae_wr_u16(w, PICKLE_COMMON_LEN);
	ae_wr_u32(w, PICKLE_FILLER);
	ae_wr_u64(w, 0);
	if (ae_wr_ok(w))
		rc = ae_ndr_encode(t, v, w, e);
	else
		rc = ae_wr_full(w)
		    ? ae_fail(e, AE_ELIMIT, AE_DOM_RPC, AE_NDR_INVALID_BOUND,
			  "%s: no room to serialize it", t->name)
		    : ae_fail_mem(e);
	if (rc == AE_OK) {
		ae_wr_align(w, 8);
		if (!ae_wr_ok(w))
			rc = ae_wr_full(w)
			    ? ae_fail(e, AE_ELIMIT, AE_DOM_RPC,
				  AE_NDR_INVALID_BOUND,
				  "%s: no room for its padding", t->name)
			    : ae_fail_mem(e);
	}
	if (rc != AE_OK) {
		w->len = start;
		return rc;
	}
	ae_wr_set_u32(w, start + PICKLE_COMMON_LEN,
	    (uint32_t)(w->len - start - PICKLE_HEADER_LEN));
	return AE_OK;
}
