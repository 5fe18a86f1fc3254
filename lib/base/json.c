/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * JSON as text; see json.h.
 */
#include "base/json.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "base/utf16.h"

#define DEPTH_MAX 64

static void
put_escaped(struct ae_wr *w, unsigned char c)
{
	static const char of[] = "\"\\\b\f\n\r\t", as[] = "\"\\bfnrt";
	const char *at = memchr(of, c, sizeof(of) - 1);

	if (at != NULL)
		ae_wr_printf(w, "\\%c", as[at - of]);
	else
		ae_wr_printf(w, "\\u%04X", c);
}

static void
put_text(struct ae_wr *w, const char *s)
{
	const char *from = s;

	for (; *s != '\0'; s++) {
		unsigned char c = (unsigned char)*s;

		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		ae_wr_bytes(w, from, (size_t)(s - from));
		put_escaped(w, c);
		from = s + 1;
	}
	ae_wr_bytes(w, from, (size_t)(s - from));
}

void
ae_json_put_str(struct ae_wr *w, const char *s)
{
	size_t len = strlen(s);
	char *quoted;

	ae_wr_u8(w, '"');
	if (ae_utf8_valid(s)) {
		put_text(w, s);
	} else if ((quoted = malloc(4 * len + 1)) != NULL) {
		put_text(w, ae_str_quote(quoted, 4 * len + 1, s, len));
		free(quoted);
	} else {
		w->bad = true;
	}
	ae_wr_u8(w, '"');
}

void
ae_json_put_next(struct ae_wr *w)
{
	if (w->len > 0 && w->p[w->len - 1] != '{' && w->p[w->len - 1] != '[')
		ae_wr_u8(w, ',');
}

void
ae_json_put_member(struct ae_wr *w, const char *name, const char *s)
{
	ae_json_put_next(w);
	ae_json_put_str(w, name);
	ae_wr_u8(w, ':');
	ae_json_put_str(w, s);
}

/* Past the string that begins at i; 0: it does not end. */
static size_t
skip_string(const char *p, size_t len, size_t i)
{
	bool escaped = false;

	for (i++; i < len; i++) {
		if ((unsigned char)p[i] < 0x20)
			return 0;
		if (p[i] == '"' && !escaped)
			return i + 1;
		escaped = p[i] == '\\' && !escaped;
	}
	return 0;
}

/* Past the object or list that begins at i; 0: it does not end. */
static size_t
skip_nested(const char *p, size_t len, size_t i)
{
	char open[DEPTH_MAX];
	size_t depth = 0;

	while (i < len) {
		char c = p[i];

		if (c == '"') {
			i = skip_string(p, len, i);
			if (i == 0)
				return 0;
			continue;
		}
		if ((unsigned char)c < 0x20)
			return 0;
		if (c == '{' || c == '[') {
			if (depth == DEPTH_MAX)
				return 0;
			open[depth++] = c;
		} else if (c == '}' || c == ']') {
			if (open[--depth] != (c == '}' ? '{' : '['))
				return 0;
		}
		i++;
		if (depth == 0)
			return i;
	}
	return 0;
}

bool
ae_json_is_line(const char *p, size_t len)
{
	return len >= 2 && p[0] == '{' && skip_nested(p, len, 0) == len;
}

static size_t
skip_value(const char *p, size_t len)
{
	size_t i = 0;

	if (len == 0)
		return 0;
	if (p[0] == '"')
		return skip_string(p, len, 0);
	if (p[0] == '{' || p[0] == '[')
		return skip_nested(p, len, 0);
	while (i < len && strchr(",:]} \t\r\n\"", p[i]) == NULL)
		i++;
	return i;
}

static void
skip_space(struct ae_json_walk *w)
{
	while (w->p < w->end && memchr(" \t\r\n", *w->p, 4) != NULL)
		w->p++;
}

/* The next character, past it, when it is c. */
static bool
take(struct ae_json_walk *w, char c)
{
	skip_space(w);
	if (w->p == w->end || *w->p != c)
		return false;
	w->p++;
	skip_space(w);
	return true;
}

static bool
take_value(struct ae_json_walk *w, const char **p, size_t *len)
{
	*p = w->p;
	*len = skip_value(w->p, (size_t)(w->end - w->p));
	w->p += *len;
	return *len > 0;
}

bool
ae_json_walk(struct ae_json_walk *w, const char *p, size_t len)
{
	*w = (struct ae_json_walk){ .p = p, .end = p + len, .more = true };
	w->object = take(w, '{');
	return w->object || take(w, '[');
}

bool
ae_json_step(struct ae_json_walk *w, struct ae_json_part *out)
{
	struct ae_json_part part = { 0 };

	if (!w->more)
		return false;
	if (w->object) {
		if (w->p == w->end || *w->p != '"' ||
		    !take_value(w, &part.name, &part.name_len))
			return false;
		w->any = true; /* what begins here must go on */
		if (!take(w, ':'))
			return false;
		part.name++;
		part.name_len -= 2;
	}
	if (!take_value(w, &part.p, &part.len))
		return false;
	w->more = take(w, ',');
	w->any = true;
	*out = part;
	return true;
}

bool
ae_json_ended(const struct ae_json_walk *w)
{
	return w->end - w->p == 1 && *w->p == (w->object ? '}' : ']') &&
	    (!w->more || !w->any);
}

bool
ae_json_is(const struct ae_json_part *part, const char *name)
{
	return part->name != NULL && part->name_len == strlen(name) &&
	    memcmp(part->name, name, part->name_len) == 0;
}
