/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Strings; see str.h.
 */
#include "base/str.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool
ae_strv_add(struct ae_strv *l, const char *s)
{
	char **v = realloc(l->v, (l->n + 1) * sizeof(*v));

	if (v == NULL)
		return false;
	l->v = v;
	v[l->n] = strdup(s);
	if (v[l->n] == NULL)
		return false;
	l->n++;
	return true;
}

void
ae_strv_done(struct ae_strv *l)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		free(l->v[i]);
	free(l->v);
	l->v = NULL;
	l->n = 0;
}

bool
ae_strv_has(const struct ae_strv *l, const char *s)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		if (strcmp(l->v[i], s) == 0)
			return true;
	return false;
}

bool
ae_strv_has_nocase(const struct ae_strv *l, const char *s)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		if (ae_str_eq_nocase(l->v[i], s))
			return true;
	return false;
}

static int
fold(char c)
{
	return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

bool
ae_str_eq_nocase(const char *a, const char *b)
{
	for (; *a != '\0' && fold(*a) == fold(*b); a++, b++)
		;
	return fold(*a) == fold(*b);
}

static bool
shown_as_is(char c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

const char *
ae_str_quote(char *out, size_t outlen, const char *src, size_t len)
{
	size_t i, n = 0, need = 0, room;

	if (outlen == 0)
		return out;
	for (i = 0; i < len; i++)
		need += shown_as_is(src[i]) ? 1 : 4;
	room = need < outlen ? need : (outlen > 4 ? outlen - 4 : 0);
	for (i = 0; i < len; i++) {
		if (n + (shown_as_is(src[i]) ? 1 : 4) > room)
			break;
		if (shown_as_is(src[i]))
			out[n++] = src[i];
		else
			n += (size_t)snprintf(
			    out + n, outlen - n, "\\x%02x", (uint8_t)src[i]);
	}
	if (i < len && outlen > 4) {
		memcpy(out + n, "...", 3);
		n += 3;
	}
	out[n] = '\0';
	return out;
}
