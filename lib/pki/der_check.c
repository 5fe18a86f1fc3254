/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The strictness gate: is this DER at all?  It knows the rules of encoding
 * (X.690 10 and 11) and nothing of what is encoded.
 */
#include "pki/der.h"

#include <string.h>

#include "base/breaks.h"
#include "base/rd.h"

bool
ae_der_equal(struct ae_der a, struct ae_der b)
{
	if (a.p == NULL || b.p == NULL)
		return a.p == b.p;
	return a.len == b.len && memcmp(a.p, b.p, a.len) == 0;
}

/* X.690 10.1: definite and as short as can be. */
static size_t
get_length(struct ae_rd *r)
{
	uint8_t b = ae_rd_u8(r);
	size_t len = 0;

	if (b < 0x80)
		return b;
	b &= 0x7f;
	if (b == 0 || b > 4) {
		ae_rd_fail(r);
		return 0;
	}
	for (uint8_t i = 0; i < b; i++) {
		len = len << 8 | ae_rd_u8(r);
		if (len == 0)
			ae_rd_fail(r);
	}
	if (len < 0x80)
		ae_rd_fail(r);
	return len;
}

static bool
integer_ok(const uint8_t *p, size_t len)
{
	if (len == 0)
		return false;
	if (len == 1)
		return true;
	return !(p[0] == 0x00 && p[1] < 0x80) &&
	    !(p[0] == 0xff && p[1] >= 0x80);
}

static bool
bits_ok(const uint8_t *p, size_t len)
{
	if (len == 0 || p[0] > 7)
		return false;
	if (len == 1)
		return p[0] == 0;
	return (p[len - 1] & ((1u << p[0]) - 1)) == 0;
}

static bool
oid_ok(const uint8_t *p, size_t len)
{
	bool first = true;

	for (size_t i = 0; i < len; i++) {
		if (first && p[i] == 0x80)
			return false;
		first = (p[i] & 0x80) == 0;
	}
	return len > 0 && first;
}

static bool
primitive_ok(uint8_t tag, const uint8_t *p, size_t len)
{
	if ((tag & 0xc0) != 0)
		return true;
	switch (tag) {
	case 0:	   /* end of contents, only in indefinite forms */
	case 0x10: /* SEQUENCE */
	case 0x11: /* SET */
		return false;
	case AE_DER_BOOLEAN:
		return len == 1 && (p[0] == 0x00 || p[0] == 0xff);
	case AE_DER_INTEGER:
	case AE_DER_ENUMERATED:
		return integer_ok(p, len);
	case AE_DER_BITSTRING:
		return bits_ok(p, len);
	case AE_DER_NULL:
		return len == 0;
	case AE_DER_OID:
		return oid_ok(p, len);
	default:
		return true;
	}
}

/* One element; *at is the absolute offset for the message. */
static bool
element_ok(struct ae_rd *r, size_t base, unsigned depth, size_t *at)
{
	struct ae_rd in;
	uint8_t tag;
	size_t len;

	*at = base + r->off;
	tag = ae_rd_u8(r);
	len = get_length(r);
	if (!ae_rd_ok(r) || (tag & 0x1f) == 0x1f)
		return false;
	base += r->off;
	in = ae_rd_sub(r, len);
	if (!ae_rd_ok(r))
		return false;
	if ((tag & 0x20) == 0)
		return primitive_ok(tag, in.p, len);
	if ((tag & 0xc0) == 0 && tag != AE_DER_SEQUENCE && tag != AE_DER_SET)
		return false;
	if (depth == 0 && !AE_BREAK(der_depth))
		return false;
	while (ae_rd_left(&in) > 0)
		if (!element_ok(&in, base, depth - 1, at))
			return false;
	return true;
}

int
ae_der_check(const void *der, size_t len, struct ae_err *e)
{
	struct ae_rd r;
	size_t at = 0;

	ae_rd_init(&r, der, len);
	if (!element_ok(&r, 0, AE_DER_DEPTH_MAX, &at))
		return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
		    "not strict DER at byte %zu", at);
	if (!ae_rd_done(&r))
		return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
		    "%zu bytes after the DER element", ae_rd_left(&r));
	return AE_OK;
}
