/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Base64.
 */
#include "base/base64.h"

#include <string.h>

static bool
digit(char c, uint32_t *v)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				       "abcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c == '\0' ? NULL : strchr(alphabet, c);

	if (at == NULL)
		return false;
	*v = (uint32_t)(at - alphabet);
	return true;
}

/* Four characters, of which pad at the end are '='; up to three bytes. */
static bool
group(uint8_t out[3], const char *p, size_t pad)
{
	uint32_t v = 0, d;
	size_t i;

	for (i = 0; i < 4; i++) {
		d = 0;
		if (i < 4 - pad ? !digit(p[i], &d) : p[i] != '=')
			return false;
		v = v << 6 | d;
	}
	out[0] = (uint8_t)(v >> 16);
	out[1] = (uint8_t)(v >> 8);
	out[2] = (uint8_t)v;
	return (v & ((UINT32_C(1) << 8 * pad) - 1)) == 0;
}

bool
ae_base64_decode(
    uint8_t *out, size_t max, size_t *n, const char *text, size_t len)
{
	uint8_t three[3];
	size_t i, pad, have;

	*n = 0;
	if (len % 4 != 0)
		return false;
	for (i = 0; i < len; i += 4) {
		pad = 0;
		if (i + 4 == len && text[i + 3] == '=')
			pad = text[i + 2] == '=' ? 2 : 1;
		have = 3 - pad;
		if (!group(three, text + i, pad) || have > max - *n)
			return false;
		memcpy(out + *n, three, have);
		*n += have;
	}
	return true;
}
