/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The primitives of the walk: integers, octets, counts.  Each reads or
 * writes, as the walk's direction says.
 */
#include "ndr/walk.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static int fail_at(struct ndr_walk *x, const struct ae_ndr_row *row, int rc,
    uint32_t code, const char *fmt, va_list ap) AE_PRINTF(5, 0);

static int
fail_at(struct ndr_walk *x, const struct ae_ndr_row *row, int rc, uint32_t code,
    const char *fmt, va_list ap)
{
	ae_vfail(x->e, rc, AE_DOM_RPC, code, fmt, ap);
	if (x->encode)
		return ae_note(x->e, rc, "%s", row->name);
	return ae_note(x->e, rc, "%s at byte %zu", row->name, x->r.off);
}

int
ndr_bad(struct ndr_walk *x, const struct ae_ndr_row *row, const char *fmt, ...)
{
	va_list ap;
	int rc;

	va_start(ap, fmt);
	rc = fail_at(x, row, x->encode ? AE_EINVAL : AE_EPROTO,
	    AE_NDR_BAD_STUB_DATA, fmt, ap);
	va_end(ap);
	return rc;
}

int
ndr_over(struct ndr_walk *x, const struct ae_ndr_row *row, const char *fmt, ...)
{
	va_list ap;
	int rc;

	va_start(ap, fmt);
	rc = fail_at(x, row, x->encode ? AE_EINVAL : AE_ELIMIT,
	    AE_NDR_INVALID_BOUND, fmt, ap);
	va_end(ap);
	return rc;
}

uint64_t
ndr_load(const uint8_t *p, size_t n)
{
	uint64_t v = 0;
	uint32_t v4;
	uint16_t v2;

	switch (n) {
	case 1:
		return p[0];
	case 2:
		memcpy(&v2, p, 2);
		return v2;
	case 4:
		memcpy(&v4, p, 4);
		return v4;
	default:
		assert(n == 8);
		memcpy(&v, p, 8);
		return v;
	}
}

bool
ndr_store(uint8_t *p, size_t n, uint64_t v)
{
	uint32_t v4 = (uint32_t)v;
	uint16_t v2 = (uint16_t)v;

	if (n < 8 && v >> (8 * n) != 0)
		return false;
	switch (n) {
	case 1:
		p[0] = (uint8_t)v;
		break;
	case 2:
		memcpy(p, &v2, 2);
		break;
	case 4:
		memcpy(p, &v4, 4);
		break;
	default:
		assert(n == 8);
		memcpy(p, &v, 8);
	}
	return true;
}

uint8_t *
ndr_load_ptr(const uint8_t *slot)
{
	uint8_t *p;

	memcpy(&p, slot, sizeof(p));
	return p;
}

void
ndr_store_ptr(uint8_t *slot, const void *p)
{
	memcpy(slot, &p, sizeof(p));
}

void *
ndr_alloc(struct ndr_walk *x, size_t n, size_t size)
{
	void *p = ae_arena_array(x->a, n, size);

	if (p != NULL)
		return p;
	if (ae_arena_full(x->a))
		ae_fail(x->e, AE_ELIMIT, AE_DOM_RPC, AE_NDR_INVALID_BOUND,
		    "the message decodes to more than its ceiling");
	else
		ae_fail_mem(x->e);
	return NULL;
}

int
ndr_align(struct ndr_walk *x, size_t n)
{
	if (x->encode)
		ae_wr_align(x->w, n);
	else
		ae_rd_align(&x->r, n);
	return AE_OK;
}

static int
ended(struct ndr_walk *x, const struct ae_ndr_row *row)
{
	if (ae_rd_ok(&x->r))
		return AE_OK;
	return ndr_bad(x, row, "the data ends inside it");
}

static void
write_uint(struct ae_wr *w, uint64_t v, size_t n)
{
	switch (n) {
	case 1:
		ae_wr_u8(w, (uint8_t)v);
		break;
	case 2:
		ae_wr_u16(w, (uint16_t)v);
		break;
	case 4:
		ae_wr_u32(w, (uint32_t)v);
		break;
	default:
		ae_wr_u64(w, v);
	}
}

static uint64_t
read_uint(struct ae_rd *r, size_t n)
{
	switch (n) {
	case 1:
		return ae_rd_u8(r);
	case 2:
		return ae_rd_u16(r);
	case 4:
		return ae_rd_u32(r);
	default:
		return ae_rd_u64(r);
	}
}

int
ndr_uint(
    struct ndr_walk *x, const struct ae_ndr_row *row, uint64_t *v, size_t n)
{
	ndr_align(x, n);
	if (x->encode) {
		if (n < 8 && *v >> (8 * n) != 0)
			return ndr_over(x, row, "%#jx does not fit %zu bytes",
			    (uintmax_t)*v, n);
		write_uint(x->w, *v, n);
		return AE_OK;
	}
	*v = read_uint(&x->r, n);
	return ended(x, row);
}

int
ndr_scalar(struct ndr_walk *x, const struct ae_ndr_row *row,
    const struct ae_ndr_type *t, uint8_t *at)
{
	uint64_t v = x->encode ? ndr_load(at, t->size) : 0;
	bool ranged = row->max != 0 && row->shape == AE_NDR_ONE;
	int rc;

	rc = ndr_uint(x, row, &v, t->op == AE_NDR_OP_ENUM ? 2 : t->size);
	if (rc != AE_OK)
		return rc;
	if (ranged && (v < row->min || v > row->max))
		return ndr_over(x, row, "%ju is not in %ju..%ju", (uintmax_t)v,
		    (uintmax_t)row->min, (uintmax_t)row->max);
	if (!x->encode)
		ndr_store(at, t->size, v);
	return AE_OK;
}

int
ndr_guid(struct ndr_walk *x, const struct ae_ndr_row *row, uint8_t *at)
{
	struct ae_guid g;

	ndr_align(x, 4);
	if (x->encode) {
		memcpy(&g, at, sizeof(g));
		ae_guid_put(x->w, &g);
		return AE_OK;
	}
	g = ae_guid_get(&x->r);
	memcpy(at, &g, sizeof(g));
	return ended(x, row);
}

int
ndr_octets(
    struct ndr_walk *x, const struct ae_ndr_row *row, uint8_t *at, size_t n)
{
	if (x->encode) {
		ae_wr_bytes(x->w, at, n);
		return AE_OK;
	}
	ae_rd_copy(&x->r, at, n);
	return ended(x, row);
}

int
ndr_custom(struct ndr_walk *x, const struct ae_ndr_row *row,
    const struct ae_ndr_type *t, uint8_t *at)
{
	ndr_align(x, t->align);
	if (x->encode) {
		t->custom->put(x->w, at);
		return AE_OK;
	}
	t->custom->get(&x->r, at, x->a);
	if (ae_rd_ok(&x->r))
		return AE_OK;
	if (ae_arena_full(x->a))
		return ndr_over(x, row, "larger than the message's ceiling");
	return ndr_bad(x, row, "not a valid %s", t->name);
}

int
ndr_conformance(struct ndr_walk *x, const struct ae_ndr_row *row, uint64_t *max)
{
	if (!x->hoisted)
		return ndr_uint(x, row, max, 4);
	x->hoisted = false;
	*max = x->hoist;
	return AE_OK;
}

int
ndr_variance(struct ndr_walk *x, const struct ae_ndr_row *row, uint64_t *actual)
{
	uint64_t offset = 0;
	int rc;

	rc = ndr_uint(x, row, &offset, 4);
	if (rc != AE_OK)
		return rc;
	if (offset != 0)
		return ndr_bad(x, row,
		    "starts at element %ju, not at the first",
		    (uintmax_t)offset);
	return ndr_uint(x, row, actual, 4);
}
