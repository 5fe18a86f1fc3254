/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The bounded reader; see rd.h.
 */
#include "base/rd.h"

#include <string.h>

void
ae_rd_init(struct ae_rd *r, const void *p, size_t len)
{
	*r = (struct ae_rd){ .p = p, .len = len };
}

bool
ae_rd_ok(const struct ae_rd *r)
{
	return !r->bad;
}

bool
ae_rd_done(const struct ae_rd *r)
{
	return !r->bad && r->off == r->len;
}

size_t
ae_rd_left(const struct ae_rd *r)
{
	return r->bad ? 0 : r->len - r->off;
}

void
ae_rd_fail(struct ae_rd *r)
{
	r->bad = true;
}

const uint8_t *
ae_rd_take(struct ae_rd *r, size_t len)
{
	static const uint8_t nothing[1];
	const uint8_t *p;

	if (r->bad || len > r->len - r->off) {
		r->bad = true;
		return NULL;
	}
	p = r->p == NULL ? nothing : r->p + r->off;
	r->off += len;
	return p;
}

uint8_t
ae_rd_u8(struct ae_rd *r)
{
	const uint8_t *p = ae_rd_take(r, 1);

	return p == NULL ? 0 : p[0];
}

static uint64_t
get(struct ae_rd *r, size_t n)
{
	const uint8_t *p = ae_rd_take(r, n);
	uint64_t v = 0;
	size_t i;

	if (p == NULL)
		return 0;
	for (i = 0; i < n; i++)
		v = v << 8 | p[r->big ? i : n - 1 - i];
	return v;
}

uint16_t
ae_rd_u16(struct ae_rd *r)
{
	return (uint16_t)get(r, 2);
}

uint32_t
ae_rd_u32(struct ae_rd *r)
{
	return (uint32_t)get(r, 4);
}

uint64_t
ae_rd_u64(struct ae_rd *r)
{
	return get(r, 8);
}

void
ae_rd_copy(struct ae_rd *r, void *out, size_t len)
{
	const uint8_t *p = ae_rd_take(r, len);

	if (p == NULL)
		memset(out, 0, len);
	else
		memcpy(out, p, len);
}

void
ae_rd_skip(struct ae_rd *r, size_t len)
{
	(void)ae_rd_take(r, len);
}

void
ae_rd_align(struct ae_rd *r, size_t n)
{
	ae_rd_skip(r, (n - (r->off & (n - 1))) & (n - 1));
}

void
ae_rd_seek(struct ae_rd *r, size_t off)
{
	if (r->bad || off > r->len)
		r->bad = true;
	else
		r->off = off;
}

struct ae_rd
ae_rd_sub(struct ae_rd *r, size_t len)
{
	const uint8_t *p = ae_rd_take(r, len);
	struct ae_rd s = { .p = p, .len = p == NULL ? 0 : len, .big = r->big };

	s.bad = p == NULL;
	return s;
}
