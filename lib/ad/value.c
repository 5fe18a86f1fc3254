/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Attribute values as types; see value.h.
 */
#include "ad/value.h"

#include <stdlib.h>
#include <string.h>

#include "base/rd.h"
#include "base/time.h"
#include "base/utf16.h"

bool
ae_value_is_text(const char *s, size_t len)
{
	return strlen(s) == len && ae_utf8_valid(s);
}

/* Decimal digits only, at least one, up to max. */
static bool
decimal(const uint8_t *p, size_t len, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;
	unsigned int digit;
	size_t i;

	if (len == 0)
		return false;
	for (i = 0; i < len; i++) {
		if (p[i] < '0' || p[i] > '9')
			return false;
		digit = (unsigned int)(p[i] - '0');
		if (v > (max - digit) / 10)
			return false;
		v = v * 10 + digit;
	}
	*out = v;
	return true;
}

bool
ae_value_u32(const struct ae_value *v, uint32_t *out)
{
	bool negative = v->len > 0 && v->p[0] == '-';
	uint64_t n;

	if (negative) {
		if (!decimal(v->p + 1, v->len - 1, UINT64_C(1) << 31, &n))
			return false;
		*out = (uint32_t)(UINT64_C(0) - n);
		return true;
	}
	if (!decimal(v->p, v->len, UINT32_MAX, &n))
		return false;
	*out = (uint32_t)n;
	return true;
}

bool
ae_value_u64(const struct ae_value *v, uint64_t *out)
{
	return decimal(v->p, v->len, INT64_MAX, out);
}

bool
ae_value_time(const struct ae_value *v, int64_t *out)
{
	/* Through the one parser of times that base has. */
	char t[] = "0000-00-00T00:00:00Z";
	static const uint8_t at[14] = { 0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15,
		17, 18 };
	size_t i;

	if (v->len < 15 || v->p[v->len - 1] != 'Z')
		return false;
	for (i = 0; i < 14; i++) {
		if (v->p[i] < '0' || v->p[i] > '9')
			return false;
		t[at[i]] = (char)v->p[i];
	}
	if (v->len > 15 && v->p[14] != '.')
		return false;
	for (i = 15; i + 1 < v->len; i++)
		if (v->p[i] < '0' || v->p[i] > '9')
			return false;
	return ae_time_parse(out, t);
}

bool
ae_value_sid(const struct ae_value *v, struct ae_sid *out)
{
	struct ae_sid sid;
	struct ae_rd r;

	ae_rd_init(&r, v->p, v->len);
	sid = ae_sid_get(&r);
	if (!ae_rd_done(&r))
		return false;
	*out = sid;
	return true;
}

bool
ae_value_is_oid(const char *s)
{
	size_t arcs = 0, digits;

	if (*s < '0' || *s > '2')
		return false;
	for (;; s++) {
		for (digits = 0; s[digits] >= '0' && s[digits] <= '9'; digits++)
			;
		if (digits == 0 || (digits > 1 && *s == '0'))
			return false;
		if (arcs == 0 && digits != 1)
			return false;
		s += digits;
		arcs++;
		if (*s == '\0')
			return arcs >= 2;
		if (*s != '.')
			return false;
	}
}

char *
ae_value_strdup(const struct ae_value *v, size_t max, bool *oom)
{
	char *s;

	*oom = false;
	if (v->len > max)
		return NULL;
	s = malloc(v->len + 1);
	if (s == NULL) {
		*oom = true;
		return NULL;
	}
	if (v->len != 0)
		memcpy(s, v->p, v->len);
	s[v->len] = '\0';
	if (!ae_value_is_text(s, v->len)) {
		free(s);
		return NULL;
	}
	return s;
}
