/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Sanitized names, MS-WCCE 3.1.1.4.1.1, and what a pwszAuthority may be.
 */
#include "wcce/name.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "base/utf16.h"
#include "base/wr.h"

#define SHORT_BASE 51	   /* characters kept of a long name */
#define ESCAPE_LEN 5	   /* "!0021" */
#define NAME_UNITS_MAX 512 /* a CN has at most 64 characters in X.520 */

/* MS-WCCE 3.1.1.4.1.1.2 */
static bool
disallowed(uint16_t c)
{
	return c < 0x20 || c >= 0x7f ||
	    strchr("!\"#%&'()*+,/:;<=>?[\\]^`{|}", (int)c) != NULL;
}

/* s into out as sanitized text; false when it is not UTF-8 or too long. */
static bool
sanitize(struct ae_wr *out, const char *s)
{
	struct ae_wr units;
	size_t i;
	uint16_t c;
	bool ok;

	ae_wr_init(&units, 2 * (size_t)NAME_UNITS_MAX);
	ok = ae_utf16_put(&units, s) && ae_wr_ok(&units);
	for (i = 0; ok && i + 1 < units.len; i += 2) {
		c = (uint16_t)(units.p[i] | units.p[i + 1] << 8);
		if (disallowed(c))
			ae_wr_printf(out, "!%04x", c);
		else
			ae_wr_u8(out, (uint8_t)c);
	}
	ae_wr_done(&units);
	return ok && ae_wr_ok(out);
}

/* Where to cut: before an escape that the 51st character would split. */
static size_t
cut_at(const char *s)
{
	size_t i, last = 0;

	for (i = 0; i < SHORT_BASE;) {
		last = i;
		i += s[i] == '!' ? ESCAPE_LEN : 1;
	}
	return i == SHORT_BASE ? i : last;
}

/* MS-WCCE 3.1.1.4.1.1.1 */
static uint16_t
name_hash(const char *s)
{
	uint16_t h = 0;

	for (; *s != '\0'; s++)
		h = (uint16_t)((h << 1 | h >> 15) + (unsigned char)*s);
	return h;
}

static char *
finish(struct ae_arena *a, struct ae_wr *w, bool cut)
{
	const char *s = ae_wr_cstr(w);
	char *out = NULL;
	size_t n;

	if (s != NULL && (!cut || strlen(s) <= SHORT_BASE)) {
		out = ae_arena_strdup(a, s);
	} else if (s != NULL) {
		n = cut_at(s);
		out = ae_arena_printf(
		    a, "%.*s-%05u", (int)n, s, name_hash(s + n));
	}
	ae_wr_done(w);
	return out;
}

char *
ae_wcce_sanitize(struct ae_arena *a, const char *name)
{
	struct ae_wr w;

	ae_wr_init(&w, (size_t)ESCAPE_LEN * NAME_UNITS_MAX + 1);
	if (!sanitize(&w, name)) {
		ae_wr_done(&w);
		return NULL;
	}
	return finish(a, &w, false);
}

char *
ae_wcce_sanitize_short(struct ae_arena *a, const char *name)
{
	struct ae_wr w;

	ae_wr_init(&w, (size_t)ESCAPE_LEN * NAME_UNITS_MAX + 1);
	if (!sanitize(&w, name)) {
		ae_wr_done(&w);
		return NULL;
	}
	return finish(a, &w, true);
}

bool
ae_wcce_authority_matches(const char *name, const char *asked, bool empty_ok)
{
	struct ae_arena *a;
	const char *full, *brief;
	bool ok;

	if (asked == NULL || asked[0] == '\0')
		return empty_ok;
	if (ae_str_eq_nocase(name, asked))
		return true;
	a = ae_arena_new(16384);
	if (a == NULL)
		return false;
	full = ae_wcce_sanitize(a, name);
	brief = ae_wcce_sanitize_short(a, name);
	ok = full != NULL && brief != NULL &&
	    (ae_str_eq_nocase(full, asked) || ae_str_eq_nocase(brief, asked));
	ae_arena_free(a);
	return ok;
}

char *
ae_wcce_config_string(
    struct ae_arena *a, const char *dns_name, const char *ca_name)
{
	return ae_arena_printf(a, "%s\\%s", dns_name, ca_name);
}
