/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Security identifiers; see sid.h.
 */
#include "base/sid.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct ae_sid
ae_sid_get(struct ae_rd *r)
{
	struct ae_sid s = { 0 };
	size_t i;

	if (ae_rd_u8(r) != 1)
		ae_rd_fail(r);
	s.nsubs = ae_rd_u8(r);
	if (s.nsubs > AE_SID_SUBS_MAX)
		ae_rd_fail(r);
	for (i = 0; i < 6; i++)
		s.authority = s.authority << 8 | ae_rd_u8(r);
	for (i = 0; i < s.nsubs && ae_rd_ok(r); i++)
		s.sub[i] = ae_rd_u32(r);
	if (!ae_rd_ok(r))
		memset(&s, 0, sizeof(s));
	return s;
}

void
ae_sid_put(struct ae_wr *w, const struct ae_sid *s)
{
	int shift;
	size_t i;

	ae_wr_u8(w, 1);
	ae_wr_u8(w, s->nsubs);
	for (shift = 40; shift >= 0; shift -= 8)
		ae_wr_u8(w, (uint8_t)(s->authority >> shift));
	for (i = 0; i < s->nsubs; i++)
		ae_wr_u32(w, s->sub[i]);
}

int
ae_sid_compare(const struct ae_sid *a, const struct ae_sid *b)
{
	size_t i;

	if (a->authority != b->authority)
		return a->authority < b->authority ? -1 : 1;
	if (a->nsubs != b->nsubs)
		return a->nsubs < b->nsubs ? -1 : 1;
	for (i = 0; i < a->nsubs; i++)
		if (a->sub[i] != b->sub[i])
			return a->sub[i] < b->sub[i] ? -1 : 1;
	return 0;
}

bool
ae_sid_equal(const struct ae_sid *a, const struct ae_sid *b)
{
	return ae_sid_compare(a, b) == 0;
}

const char *
ae_sid_print(char out[AE_SID_STR_MAX], const struct ae_sid *s)
{
	size_t i, n;

	/* MS-DTYP 2.4.2.1: authorities of 2^32 and more are written in hex. */
	if (s->authority >> 32 != 0)
		n = (size_t)snprintf(
		    out, AE_SID_STR_MAX, "S-1-0x%012" PRIx64, s->authority);
	else
		n = (size_t)snprintf(
		    out, AE_SID_STR_MAX, "S-1-%" PRIu64, s->authority);
	for (i = 0; i < s->nsubs && i < AE_SID_SUBS_MAX; i++)
		n += (size_t)snprintf(
		    out + n, AE_SID_STR_MAX - n, "-%" PRIu32, s->sub[i]);
	return out;
}

/* One number between dashes; base 16 only after "0x". */
static bool
number(const char **p, uint64_t max, bool hex_allowed, uint64_t *out)
{
	const char *s = *p;
	int base = 10;
	char *end;

	if (hex_allowed && s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) {
		base = 16;
		s += 2;
	}
	if (!((*s >= '0' && *s <= '9') ||
		(base == 16 &&
		    ((*s >= 'a' && *s <= 'f') || (*s >= 'A' && *s <= 'F')))))
		return false;
	errno = 0;
	*out = strtoull(s, &end, base);
	if (errno != 0 || *out > max)
		return false;
	*p = end;
	return true;
}

bool
ae_sid_parse(struct ae_sid *out, const char *s)
{
	struct ae_sid sid = { 0 };
	uint64_t v;

	if ((s[0] != 'S' && s[0] != 's') || strncmp(s + 1, "-1-", 3) != 0)
		return false;
	s += 4;
	if (!number(&s, 0xffffffffffffu, true, &sid.authority))
		return false;
	while (*s == '-') {
		s++;
		if (sid.nsubs == AE_SID_SUBS_MAX ||
		    !number(&s, UINT32_MAX, false, &v))
			return false;
		sid.sub[sid.nsubs++] = (uint32_t)v;
	}
	if (*s != '\0' || sid.nsubs == 0)
		return false;
	*out = sid;
	return true;
}

bool
ae_sid_append(struct ae_sid *out, const struct ae_sid *domain, uint32_t rid)
{
	if (domain->nsubs >= AE_SID_SUBS_MAX)
		return false;
	*out = *domain;
	out->sub[out->nsubs++] = rid;
	return true;
}

static int
compare(const void *a, const void *b)
{
	return ae_sid_compare(a, b);
}

void
ae_sid_sort(struct ae_sid *v, size_t n)
{
	if (n > 1)
		qsort(v, n, sizeof(*v), compare);
}

bool
ae_sid_in(const struct ae_sid *sorted, size_t n, const struct ae_sid *s)
{
	return n > 0 && bsearch(s, sorted, n, sizeof(*sorted), compare) != NULL;
}
