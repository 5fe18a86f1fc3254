/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * GUIDs; see guid.h.
 */
#include "base/guid.h"

#include <stdio.h>
#include <string.h>

#include "base/hex.h"

struct ae_guid
ae_guid_get(struct ae_rd *r)
{
	struct ae_guid g;

	g.d1 = ae_rd_u32(r);
	g.d2 = ae_rd_u16(r);
	g.d3 = ae_rd_u16(r);
	ae_rd_copy(r, g.d4, sizeof(g.d4));
	return g;
}

void
ae_guid_put(struct ae_wr *w, const struct ae_guid *g)
{
	ae_wr_u32(w, g->d1);
	ae_wr_u16(w, g->d2);
	ae_wr_u16(w, g->d3);
	ae_wr_bytes(w, g->d4, sizeof(g->d4));
}

bool
ae_guid_equal(const struct ae_guid *a, const struct ae_guid *b)
{
	return a->d1 == b->d1 && a->d2 == b->d2 && a->d3 == b->d3 &&
	    memcmp(a->d4, b->d4, sizeof(a->d4)) == 0;
}

bool
ae_guid_is_nil(const struct ae_guid *g)
{
	static const struct ae_guid nil;

	return ae_guid_equal(g, &nil);
}

const char *
ae_guid_print(char out[AE_GUID_STR_MAX], const struct ae_guid *g)
{
	(void)snprintf(out, AE_GUID_STR_MAX,
	    "%08x-%04x-%04x-%02x%02x-%02x%02x%02x%02x%02x%02x", g->d1, g->d2,
	    g->d3, g->d4[0], g->d4[1], g->d4[2], g->d4[3], g->d4[4], g->d4[5],
	    g->d4[6], g->d4[7]);
	return out;
}

bool
ae_guid_parse(struct ae_guid *g, const char *s)
{
	static const uint8_t dash[] = { 8, 13, 18, 23 };
	size_t len = strlen(s), i, n = 0;
	char digits[33];
	uint8_t b[16];
	struct ae_rd r;

	if (len == 38 && s[0] == '{' && s[37] == '}') {
		s++;
		len -= 2;
	}
	if (len != 36)
		return false;
	for (i = 0; i < sizeof(dash); i++)
		if (s[dash[i]] != '-')
			return false;
	for (i = 0; i < 36; i++)
		if (s[i] != '-' && n < 32)
			digits[n++] = s[i];
	digits[n] = '\0';
	if (!ae_hex_decode(b, sizeof(b), digits))
		return false;
	ae_rd_init(&r, b, sizeof(b));
	r.big = true;
	*g = ae_guid_get(&r);
	return true;
}
