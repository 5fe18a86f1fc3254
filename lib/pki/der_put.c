/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The forward DER writer.  An open element has a one-byte length; closing
 * it makes room for a longer one by moving what is in it, which for the
 * sizes of a certificate is cheaper than planning ahead.
 */
#include "pki/der.h"

#include <assert.h>
#include <string.h>
#include <time.h>

#include "base/utf16.h"

size_t
ae_der_open(struct ae_wr *w, uint8_t tag)
{
	size_t mark = w->len;

	ae_wr_u8(w, tag);
	ae_wr_u8(w, 0);
	return mark;
}

/* How many bytes follow the first one of a length. */
static size_t
length_extra(size_t len)
{
	size_t n = 0;

	if (len < 0x80)
		return 0;
	for (; len > 0; len >>= 8)
		n++;
	return n;
}

static void
length_store(uint8_t *p, size_t len, size_t extra)
{
	if (extra == 0) {
		p[0] = (uint8_t)len;
		return;
	}
	p[0] = (uint8_t)(0x80 | extra);
	for (size_t i = extra; i > 0; i--, len >>= 8)
		p[i] = (uint8_t)len;
}

void
ae_der_close(struct ae_wr *w, size_t mark)
{
	size_t len, extra;

	if (!ae_wr_ok(w))
		return;
	assert(mark + 2 <= w->len);
	len = w->len - mark - 2;
	extra = length_extra(len);
	if (extra > 0) {
		if (ae_wr_room(w, extra) == NULL)
			return;
		memmove(w->p + mark + 2 + extra, w->p + mark + 2, len);
	}
	length_store(w->p + mark + 1, len, extra);
}

size_t
ae_der_head_size(size_t len)
{
	return 2 + length_extra(len);
}

void
ae_der_head(struct ae_wr *w, uint8_t tag, size_t len)
{
	uint8_t head[1 + sizeof(size_t)];
	size_t extra = length_extra(len);

	ae_wr_u8(w, tag);
	length_store(head, len, extra);
	ae_wr_bytes(w, head, 1 + extra);
}

void
ae_der_put(struct ae_wr *w, uint8_t tag, const void *p, size_t len)
{
	ae_der_head(w, tag, len);
	ae_wr_bytes(w, p, len);
}

void
ae_der_raw(struct ae_wr *w, struct ae_der d)
{
	ae_wr_bytes(w, d.p, d.len);
}

void
ae_der_bool(struct ae_wr *w, bool v)
{
	uint8_t b = v ? 0xff : 0x00;

	ae_der_put(w, AE_DER_BOOLEAN, &b, 1);
}

void
ae_der_bignum(struct ae_wr *w, const void *be, size_t len)
{
	const uint8_t *p = be;
	size_t mark;

	while (len > 0 && *p == 0) {
		p++;
		len--;
	}
	if (len > 0 && *p < 0x80) {
		ae_der_put(w, AE_DER_INTEGER, p, len);
		return;
	}
	mark = ae_der_open(w, AE_DER_INTEGER);
	ae_wr_u8(w, 0);
	ae_wr_bytes(w, p, len);
	ae_der_close(w, mark);
}

void
ae_der_uint(struct ae_wr *w, uint64_t v)
{
	uint8_t be[8];

	for (size_t i = sizeof(be); i > 0; i--, v >>= 8)
		be[i - 1] = (uint8_t)v;
	ae_der_bignum(w, be, sizeof(be));
}

/* Base 128, high bit on all but the last: X.690 8.19.2. */
static size_t
arc_store(uint8_t out[10], uint64_t arc)
{
	uint8_t tmp[10];
	size_t n = 0;

	do {
		tmp[n++] = arc & 0x7f;
		arc >>= 7;
	} while (arc > 0);
	for (size_t i = 0; i < n; i++)
		out[i] = (uint8_t)(tmp[n - 1 - i] | (i + 1 < n ? 0x80 : 0));
	return n;
}

/* The next arc of dotted text: digits without leading zeros. */
static bool
arc_get(const char **s, uint64_t *arc)
{
	const char *p = *s;
	uint64_t v = 0;

	if (*p < '0' || *p > '9' || (p[0] == '0' && p[1] >= '0' && p[1] <= '9'))
		return false;
	for (; *p >= '0' && *p <= '9'; p++) {
		if (v > (UINT64_MAX - 9) / 10)
			return false;
		v = v * 10 + (uint64_t)(*p - '0');
	}
	if (*p == '.' && p[1] != '\0')
		p++;
	else if (*p != '\0')
		return false;
	*s = p;
	*arc = v;
	return true;
}

bool
ae_der_oid(struct ae_wr *w, const char *oid)
{
	uint8_t out[128];
	uint64_t a, b;
	size_t n;

	if (!arc_get(&oid, &a) || *oid == '\0' || !arc_get(&oid, &b) || a > 2 ||
	    (a < 2 && b > 39) || b > UINT64_MAX - 80)
		return false;
	n = arc_store(out, a * 40 + b);
	while (*oid != '\0') {
		if (n > sizeof(out) - 10 || !arc_get(&oid, &a))
			return false;
		n += arc_store(out + n, a);
	}
	ae_der_put(w, AE_DER_OID, out, n);
	return true;
}

static void
two_digits(uint8_t *p, int v)
{
	p[0] = (uint8_t)('0' + v / 10 % 10);
	p[1] = (uint8_t)('0' + v % 10);
}

/* YYYYMMDDHHMMSSZ; the year. */
static int
time_text(uint8_t s[15], int64_t t)
{
	time_t tt = (time_t)t;
	struct tm tm;
	int year;

	if (gmtime_r(&tt, &tm) == NULL)
		memset(&tm, 0, sizeof(tm));
	year = tm.tm_year + 1900;
	two_digits(s, year / 100);
	two_digits(s + 2, year);
	two_digits(s + 4, tm.tm_mon + 1);
	two_digits(s + 6, tm.tm_mday);
	two_digits(s + 8, tm.tm_hour);
	two_digits(s + 10, tm.tm_min);
	two_digits(s + 12, tm.tm_sec);
	s[14] = 'Z';
	return year;
}

void
ae_der_gentime(struct ae_wr *w, int64_t t)
{
	uint8_t s[15];

	(void)time_text(s, t);
	ae_der_put(w, AE_DER_GENTIME, s, sizeof(s));
}

void
ae_der_time(struct ae_wr *w, int64_t t)
{
	uint8_t s[15];
	int year = time_text(s, t);

	if (year >= 1950 && year < 2050)
		ae_der_put(w, AE_DER_UTCTIME, s + 2, sizeof(s) - 2);
	else
		ae_der_put(w, AE_DER_GENTIME, s, sizeof(s));
}

static bool
put_bmp(struct ae_wr *w, const char *s, bool nul)
{
	size_t mark, start;
	uint8_t t;

	if (!ae_utf8_valid(s))
		return false;
	mark = ae_der_open(w, AE_DER_BMPSTRING);
	start = w->len;
	if (!ae_utf16_put(w, s) || !ae_wr_ok(w))
		return true;
	if (nul)
		ae_wr_zeros(w, 2);
	for (size_t i = start; i + 1 < w->len; i += 2) {
		t = w->p[i];
		w->p[i] = w->p[i + 1];
		w->p[i + 1] = t;
	}
	ae_der_close(w, mark);
	return true;
}

bool
ae_der_bmp(struct ae_wr *w, const char *s)
{
	return put_bmp(w, s, false);
}

bool
ae_der_bmp_nul(struct ae_wr *w, const char *s)
{
	return put_bmp(w, s, true);
}
