/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Strings: [string] char and wchar_t (C706 14.3.4), and the buffer of an
 * RPC_UNICODE_STRING (MS-DTYP 2.3.10).  On our side all are UTF-8.
 */
#include "ndr/walk.h"

#include <string.h>

#include "base/utf16.h"

/* A buffer's Length is 16 bits of bytes. */
#define USTR_UNITS_MAX 32767u

static size_t
unit_size(const struct ae_ndr_row *row)
{
	return row->shape == AE_NDR_STR8 ? 1 : 2;
}

/* The wire's units in the byte order ae_utf16_to_utf8 wants. */
static const uint8_t *
little(struct ndr_walk *x, const uint8_t *p, size_t units)
{
	uint8_t *copy;
	size_t i;

	if (!x->r.big)
		return p;
	copy = ndr_alloc(x, units, 2);
	if (copy == NULL)
		return NULL;
	for (i = 0; i < units; i++) {
		copy[2 * i] = p[2 * i + 1];
		copy[2 * i + 1] = p[2 * i];
	}
	return copy;
}

/* units UTF-16 units of the input, without terminator, to *slot. */
static int
take_utf16(struct ndr_walk *x, const struct ae_ndr_row *row, const uint8_t *p,
    size_t units, uint8_t *slot)
{
	const uint8_t *le = little(x, p, units);
	char *s;

	if (le == NULL)
		return x->e->rc;
	if (!ae_utf16_valid(le, units))
		return ndr_bad(x, row, "not UTF-16, or a NUL inside it");
	s = ae_utf16_to_utf8(x->a, le, units);
	if (s == NULL && ae_arena_full(x->a))
		return ndr_over(x, row, "larger than the message's ceiling");
	if (s == NULL)
		return ae_fail_mem(x->e);
	ndr_store_ptr(slot, s);
	return AE_OK;
}

static int
take_utf8(struct ndr_walk *x, const struct ae_ndr_row *row, const uint8_t *p,
    size_t len, uint8_t *slot)
{
	char *s;

	if (memchr(p, 0, len) != NULL)
		return ndr_bad(x, row, "a NUL inside the string");
	s = ndr_alloc(x, len + 1, 1);
	if (s == NULL)
		return x->e->rc;
	memcpy(s, p, len);
	if (!ae_utf8_valid(s))
		return ndr_bad(x, row, "not UTF-8");
	ndr_store_ptr(slot, s);
	return AE_OK;
}

static int
check_units(struct ndr_walk *x, const struct ae_ndr_row *row, uint64_t units)
{
	if (units == 0)
		return ndr_bad(x, row, "a string without terminator");
	if (units < row->min || units > row->max)
		return ndr_over(x, row, "a string of %ju units, not %ju..%ju",
		    (uintmax_t)units, (uintmax_t)row->min, (uintmax_t)row->max);
	return AE_OK;
}

int
ndr_string_units(struct ndr_walk *x, const struct ae_ndr_row *row,
    const uint8_t *slot, uint64_t *units)
{
	const char *s = (const char *)ndr_load_ptr(slot);
	size_t n;

	if (s == NULL)
		return ndr_bad(x, row, "no string");
	n = ae_utf16_units(s);
	if (n == SIZE_MAX)
		return ndr_bad(x, row, "not UTF-8");
	if (row->shape == AE_NDR_STR8)
		n = strlen(s);
	*units = n + 1;
	return check_units(x, row, *units);
}

static int
get_string(struct ndr_walk *x, const struct ae_ndr_row *row, uint8_t *slot)
{
	uint64_t max, units;
	size_t size = unit_size(row), n;
	const uint8_t *p;
	int rc;

	rc = ndr_conformance(x, row, &max);
	if (rc == AE_OK)
		rc = ndr_variance(x, row, &units);
	if (rc == AE_OK)
		rc = check_units(x, row, units);
	if (rc != AE_OK)
		return rc;
	if (units > max)
		return ndr_bad(x, row, "%ju units in a string of at most %ju",
		    (uintmax_t)units, (uintmax_t)max);
	n = (size_t)units;
	if (n > ae_rd_left(&x->r) / size)
		return ndr_bad(x, row, "the data ends inside it");
	p = ae_rd_take(&x->r, n * size);
	if (p[(n - 1) * size] != 0 || p[n * size - 1] != 0)
		return ndr_bad(x, row, "the string is not terminated");
	if (size == 1)
		return take_utf8(x, row, p, n - 1, slot);
	return take_utf16(x, row, p, n - 1, slot);
}

int
ndr_string(struct ndr_walk *x, const struct ae_ndr_row *row, uint8_t *slot)
{
	const char *s;
	uint64_t units;
	int rc;

	if (!x->encode)
		return get_string(x, row, slot);
	rc = ndr_string_units(x, row, slot, &units);
	if (rc == AE_OK)
		rc = ndr_conformance(x, row, &units);
	if (rc == AE_OK)
		rc = ndr_variance(x, row, &units);
	if (rc != AE_OK)
		return rc;
	s = (const char *)ndr_load_ptr(slot);
	if (row->shape == AE_NDR_STR8) {
		ae_wr_bytes(x->w, s, strlen(s) + 1);
		return AE_OK;
	}
	ae_utf16_put(x->w, s);
	ae_wr_u16(x->w, 0);
	return AE_OK;
}

int
ndr_ustr_inline(struct ndr_walk *x, const struct ae_ndr_row *row, uint8_t *slot,
    uint32_t *id, uint16_t *units)
{
	uint64_t max = row->max != 0 ? row->max : USTR_UNITS_MAX;
	uint64_t len = 0, cap, ref = *id;
	const char *s;
	int rc;

	if (x->encode) {
		s = (const char *)ndr_load_ptr(slot);
		len = s == NULL ? 0 : ae_utf16_units(s);
		if (len == SIZE_MAX)
			return ndr_bad(x, row, "not UTF-8");
		if (len > max)
			return ndr_over(x, row, "%ju units, at most %ju",
			    (uintmax_t)len, (uintmax_t)max);
		len *= 2;
	}
	cap = len;
	ndr_align(x, 4);
	rc = ndr_uint(x, row, &len, 2);
	if (rc == AE_OK)
		rc = ndr_uint(x, row, &cap, 2);
	if (rc == AE_OK)
		rc = ndr_uint(x, row, &ref, 4);
	if (rc != AE_OK)
		return rc;
	if (len % 2 != 0 || len > cap || (ref == 0 && len != 0))
		return ndr_bad(x, row, "length %ju of %ju does not make sense",
		    (uintmax_t)len, (uintmax_t)cap);
	if (len / 2 > max)
		return ndr_over(x, row, "%ju units, at most %ju",
		    (uintmax_t)len / 2, (uintmax_t)max);
	*id = (uint32_t)ref;
	*units = (uint16_t)(len / 2);
	return AE_OK;
}

int
ndr_ustr_buffer(struct ndr_walk *x, const struct ndr_later *l)
{
	uint64_t max = l->units, units = l->units;
	const uint8_t *p;
	int rc;

	rc = ndr_conformance(x, l->row, &max);
	if (rc == AE_OK)
		rc = ndr_variance(x, l->row, &units);
	if (rc != AE_OK)
		return rc;
	if (x->encode) {
		ae_utf16_put(x->w, (const char *)ndr_load_ptr(l->slot));
		return AE_OK;
	}
	if (units != l->units || units > max)
		return ndr_bad(x, l->row,
		    "a buffer of %ju units, %ju of them used, for a length of "
		    "%u",
		    (uintmax_t)max, (uintmax_t)units, (unsigned)l->units);
	p = ae_rd_take(&x->r, (size_t)units * 2);
	if (!ae_rd_ok(&x->r))
		return ndr_bad(x, l->row, "the data ends inside it");
	return take_utf16(x, l->row, p, (size_t)units, l->slot);
}
