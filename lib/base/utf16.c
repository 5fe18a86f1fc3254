/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * UTF-16LE and UTF-8; see utf16.h.
 */
#include "base/utf16.h"

#include <string.h>

#define BAD UINT32_MAX

/* The code point at p[*i], stepping over it; BAD when malformed. */
static uint32_t
next16(const uint8_t *p, size_t units, size_t *i)
{
	uint32_t hi, lo;

	hi = (uint32_t)p[2 * *i] | (uint32_t)p[2 * *i + 1] << 8;
	(*i)++;
	if (hi < 0xd800 || hi > 0xdfff)
		return hi;
	if (hi > 0xdbff || *i == units)
		return BAD;
	lo = (uint32_t)p[2 * *i] | (uint32_t)p[2 * *i + 1] << 8;
	(*i)++;
	if (lo < 0xdc00 || lo > 0xdfff)
		return BAD;
	return 0x10000 + ((hi - 0xd800) << 10) + (lo - 0xdc00);
}

static size_t
put8(char *out, uint32_t c)
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

/* UTF-8 length of the string, SIZE_MAX when malformed. */
static size_t
utf8_len(const uint8_t *p, size_t units)
{
	char scratch[4];
	size_t i = 0, len = 0;

	while (i < units) {
		uint32_t c = next16(p, units, &i);

		if (c == BAD || c == 0)
			return SIZE_MAX;
		len += put8(scratch, c);
	}
	return len;
}

bool
ae_utf16_valid(const uint8_t *p, size_t units)
{
	return utf8_len(p, units) != SIZE_MAX;
}

char *
ae_utf16_to_utf8(struct ae_arena *a, const uint8_t *p, size_t units)
{
	size_t i = 0, n = 0, len = utf8_len(p, units);
	char *out;

	if (len == SIZE_MAX)
		return NULL;
	out = ae_arena_alloc(a, len + 1);
	if (out == NULL)
		return NULL;
	while (i < units)
		n += put8(out + n, next16(p, units, &i));
	return out;
}

/* The code point at *s, stepping over it; BAD when malformed. */
static uint32_t
next8(const char **s)
{
	static const uint32_t least[] = { 0, 0x80, 0x800, 0x10000 };
	const uint8_t *p = (const uint8_t *)*s;
	size_t i, more;
	uint32_t c;

	if (p[0] < 0x80)
		more = 0;
	else if ((p[0] & 0xe0) == 0xc0)
		more = 1;
	else if ((p[0] & 0xf0) == 0xe0)
		more = 2;
	else if ((p[0] & 0xf8) == 0xf0)
		more = 3;
	else
		return BAD;
	c = more == 0 ? p[0] : p[0] & (0x3fu >> more);
	for (i = 1; i <= more; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return BAD;
		c = c << 6 | (p[i] & 0x3f);
	}
	if (c < least[more] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return BAD;
	*s += more + 1;
	return c;
}

size_t
ae_utf16_units(const char *s)
{
	size_t n = 0;

	while (*s != '\0') {
		uint32_t c = next8(&s);

		if (c == BAD)
			return SIZE_MAX;
		n += c < 0x10000 ? 1 : 2;
	}
	return n;
}

bool
ae_utf8_valid(const char *s)
{
	return ae_utf16_units(s) != SIZE_MAX;
}

static void
put16(struct ae_wr *w, uint32_t unit)
{
	ae_wr_u8(w, (uint8_t)unit);
	ae_wr_u8(w, (uint8_t)(unit >> 8));
}

bool
ae_utf16_put(struct ae_wr *w, const char *s)
{
	if (!ae_utf8_valid(s))
		return false;
	while (*s != '\0') {
		uint32_t c = next8(&s);

		if (c < 0x10000) {
			put16(w, c);
			continue;
		}
		put16(w, 0xd800 + ((c - 0x10000) >> 10));
		put16(w, 0xdc00 + ((c - 0x10000) & 0x3ff));
	}
	return true;
}

/* n when that many bytes belong together, else 0. */
static size_t
follow(const unsigned char *p, size_t left, size_t n)
{
	size_t i;

	for (i = 1; i < n; i++)
		if (i >= left || (p[i] & 0xc0) != 0x80)
			return 0;
	return n;
}

/* Of U+2000 to U+206F, and the Arabic letter mark U+061C. */
static bool
is_direction(const unsigned char *p)
{
	if (p[0] == 0xd8)
		return p[1] == 0x9c;
	return p[0] == 0xe2 &&
	    ((p[1] == 0x80 &&
		 (p[2] == 0x8e || p[2] == 0x8f ||
		     (p[2] >= 0xa8 && p[2] <= 0xae))) ||
		(p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9));
}

size_t
ae_utf8_shown(const char *s, size_t left)
{
	const unsigned char *p = (const unsigned char *)s;
	size_t n;

	if (left == 0)
		return 0;
	if (p[0] < 0x80)
		return p[0] >= 0x20 && p[0] != 0x7f;
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	n = follow(p, left, p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2);
	if (n == 0 || (p[0] == 0xc2 && p[1] < 0xa0))
		return 0;
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
	    (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return is_direction(p) ? 0 : n;
}
