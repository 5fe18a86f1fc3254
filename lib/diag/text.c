/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Finding sentences and filling them in; see text.h.
 */
#include "diag/text.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "base/utf16.h"

#define NAME_MAX_LEN 32

const struct ae_diag_text *
ae_diag_text_find(const char *id)
{
	size_t i;

	for (i = 0; i < ae_diag_ntexts; i++)
		if (strcmp(ae_diag_texts[i].id, id) == 0)
			return &ae_diag_texts[i];
	return NULL;
}

const struct ae_diag_seen *
ae_diag_seen_find(const char *id, const char *name)
{
	const struct ae_diag_text *t = ae_diag_text_find(id);
	size_t i;

	for (i = 0; t != NULL && i < t->nseen; i++)
		if (strcmp(t->seen[i].name, name) == 0)
			return &t->seen[i];
	for (i = 0; i < ae_diag_nshared; i++)
		if (strcmp(ae_diag_shared[i].name, name) == 0)
			return &ae_diag_shared[i];
	return NULL;
}

size_t
ae_diag_text_order(const struct ae_diag_text *t)
{
	size_t i;

	for (i = 0; i < ae_diag_ntexts && &ae_diag_texts[i] != t; i++)
		;
	return i;
}

/* ---- values ---- */

void
ae_diag_put_safe(struct ae_wr *w, const char *s, size_t max)
{
	const unsigned char *p = (const unsigned char *)s;
	size_t left = strlen(s), room = max, n, need;

	for (; left > 0; p += n, left -= n) {
		n = ae_utf8_shown((const char *)p, left);
		need = n == 0 ? 4 : n;
		if (need > room) {
			ae_wr_str(w, "…");
			return;
		}
		room -= need;
		if (n == 0) {
			ae_wr_printf(w, "\\x%02x", p[0]);
			n = 1;
		} else {
			ae_wr_bytes(w, p, n);
		}
	}
}

static const char *
value_of(
    const char *name, size_t len, const struct ae_diag_arg *args, size_t nargs)
{
	size_t i;

	for (i = 0; i < nargs; i++)
		if (strncmp(args[i].name, name, len) == 0 &&
		    args[i].name[len] == '\0')
			return args[i].value;
	return NULL;
}

/* ---- sentences ---- */

/* What is being filled in. */
struct filling {
	struct ae_wr *w;
	const struct ae_diag_arg *args;
	size_t nargs;
	bool command; /* between backquotes: for a shell */
};

/* A value that a shell takes as it stands. */
static bool
plain(const char *s)
{
	static const char ok[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	    "._@/:=+,-";

	return *s != '\0' && s[strspn(s, ok)] == '\0';
}

/* As one word for a shell. */
static void
put_word(struct ae_wr *w, const char *value)
{
	struct ae_wr shown_value;
	const char *p;

	if (plain(value)) {
		ae_diag_put_safe(w, value, AE_DIAG_VALUE_MAX);
		return;
	}
	ae_wr_init(&shown_value, AE_DIAG_VALUE_MAX + 16);
	ae_diag_put_safe(&shown_value, value, AE_DIAG_VALUE_MAX);
	p = ae_wr_cstr(&shown_value);
	ae_wr_u8(w, '\'');
	for (; p != NULL && *p != '\0'; p++) {
		if (*p == '\'')
			ae_wr_str(w, "'\\''");
		else
			ae_wr_u8(w, (uint8_t)*p);
	}
	ae_wr_u8(w, '\'');
	if (p == NULL)
		w->bad = true;
	ae_wr_done(&shown_value);
}

/* Has every placeholder from p to end a value? */
static bool
complete(const struct filling *f, const char *p, const char *end)
{
	const char *close;

	while ((p = memchr(p, '{', (size_t)(end - p))) != NULL) {
		close = memchr(p, '}', (size_t)(end - p));
		if (close == NULL)
			return true;
		if (value_of(p + 1, (size_t)(close - p - 1), f->args,
			f->nargs) == NULL)
			return false;
		p = close;
	}
	return true;
}

/* A placeholder at p; returns what is behind it. */
static const char *
put_placeholder(struct filling *f, const char *p, const char *end)
{
	const char *close = memchr(p, '}', (size_t)(end - p)), *value;
	size_t len;

	if (close == NULL || close - p > NAME_MAX_LEN) {
		ae_wr_u8(f->w, (uint8_t)*p);
		return p + 1;
	}
	len = (size_t)(close - p - 1);
	value = value_of(p + 1, len, f->args, f->nargs);
	if (value == NULL)
		ae_wr_printf(f->w, "<%.*s>", (int)len, p + 1);
	else if (f->command)
		put_word(f->w, value);
	else
		ae_diag_put_safe(f->w, value, AE_DIAG_VALUE_MAX);
	return close + 1;
}

static void
put_piece(struct filling *f, const char *p, const char *end)
{
	while (p < end) {
		if (*p == '{') {
			p = put_placeholder(f, p, end);
			continue;
		}
		if (*p == '`')
			f->command = !f->command;
		ae_wr_u8(f->w, (uint8_t)*p++);
	}
}

static void
fill(struct filling *f, const char *s)
{
	const char *end = s + strlen(s), *open, *close;

	while ((open = strchr(s, '[')) != NULL &&
	    (close = strchr(open, ']')) != NULL) {
		put_piece(f, s, open);
		if (complete(f, open + 1, close))
			put_piece(f, open + 1, close);
		s = close + 1;
	}
	put_piece(f, s, end);
}

void
ae_diag_fill(struct ae_wr *w, const char *s, const struct ae_diag_arg *args,
    size_t nargs)
{
	struct filling f = { .w = w, .args = args, .nargs = nargs };

	fill(&f, s);
}

void
ae_diag_text_render(struct ae_wr *w, const struct ae_diag_text *t,
    enum ae_diag_lang lang, enum ae_diag_say which,
    const struct ae_diag_arg *args, size_t nargs)
{
	ae_diag_fill(w, t->say[lang][which], args, nargs);
}

/* A value that others chose, of which a command may be made. */
static bool
commandable(const char *value)
{
	struct ae_wr w;
	bool same;

	ae_wr_init(&w, AE_DIAG_VALUE_MAX + 16);
	ae_diag_put_safe(&w, value, AE_DIAG_VALUE_MAX);
	same = ae_wr_cstr(&w) != NULL && strcmp(ae_wr_cstr(&w), value) == 0;
	ae_wr_done(&w);
	return same && value[0] != '-' && value[0] != '\0';
}

bool
ae_diag_command_fits(const struct ae_diag_command *c,
    const struct ae_diag_arg *args, size_t nargs)
{
	return c->when == NULL ||
	    value_of(c->when, strlen(c->when), args, nargs) != NULL;
}

/* Those in brackets may be missing, together with what is around them. */
static bool
all_commandable(const struct filling *f, const char *p)
{
	const char *close, *value;
	bool optional = false;
	size_t len;

	for (; *p != '\0'; p++) {
		if (*p == '[' || *p == ']')
			optional = *p == '[';
		if (*p != '{' || (close = strchr(p, '}')) == NULL)
			continue;
		len = (size_t)(close - p - 1);
		value = value_of(p + 1, len, f->args, f->nargs);
		if (value == NULL ? !optional
				  : !commandable(value) &&
			    strncmp(p, "{user}", len + 2) != 0)
			return false;
		p = close;
	}
	return true;
}

bool
ae_diag_command_render(struct ae_wr *w, const struct ae_diag_command *c,
    const struct ae_diag_arg *args, size_t nargs)
{
	struct filling f = { w, args, nargs, true };

	if (!all_commandable(&f, c->run))
		return false;
	fill(&f, c->run);
	return true;
}

void
ae_diag_who_render(struct ae_wr *w, enum ae_diag_lang lang, unsigned who)
{
	static const struct {
		enum ae_diag_who bit;
		const char *key;
	} names[] = { { AE_DIAG_USER, "who.user" },
		{ AE_DIAG_HOST, "who.host" }, { AE_DIAG_AD, "who.ad" },
		{ AE_DIAG_NETWORK, "who.network" }, { AE_DIAG_CA, "who.ca" } };
	const char *comma = "";
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if ((who & (unsigned)names[i].bit) == 0)
			continue;
		ae_wr_printf(
		    w, "%s%s", comma, ae_diag_frame(lang, names[i].key));
		comma = ", ";
	}
}

/* NULL: there is none. */
static const char *
find_frame(enum ae_diag_lang lang, const char *key)
{
	size_t i;

	for (i = 0; i < ae_diag_nframes; i++)
		if (strcmp(ae_diag_frames[i].key, key) == 0)
			return ae_diag_frames[i].say[lang];
	return NULL;
}

const char *
ae_diag_frame(enum ae_diag_lang lang, const char *key)
{
	const char *said = find_frame(lang, key);

	return said == NULL ? key : said;
}

const char *
ae_diag_word(enum ae_diag_lang lang, const char *group, const char *name)
{
	char key[64];
	const char *word;

	(void)snprintf(key, sizeof(key), "%s.%s", group, name);
	word = find_frame(lang, key);
	return word == NULL ? name : word;
}

const char *
ae_diag_in_english(
    char buf[AE_DIAG_ENGLISH_MAX], const char *english, enum ae_diag_lang lang)
{
	const char *sentence = ae_diag_frame(lang, "in-english"), *at;

	at = strstr(sentence, "{about}");
	if (lang == AE_DIAG_EN || english[0] == '\0' || at == NULL)
		return english;
	(void)snprintf(buf, AE_DIAG_ENGLISH_MAX, "%.*s%.*s%s",
	    (int)(at - sentence), sentence, AE_DIAG_ENGLISH_MAX - 128, english,
	    at + strlen("{about}"));
	return buf;
}

/* ---- languages ---- */

static const char *const lang_names[] = {
	[AE_DIAG_EN] = "en",
	[AE_DIAG_FR] = "fr",
};

const char *
ae_diag_lang_name(enum ae_diag_lang lang)
{
	return lang_names[lang];
}

bool
ae_diag_lang_find(enum ae_diag_lang *out, const char *name)
{
	char two[3] = { 0 };
	unsigned i;

	if (strcspn(name, "_.@-") != 2)
		return false;
	memcpy(two, name, 2);
	for (i = 0; i < AE_DIAG_LANGS; i++) {
		if (ae_str_eq_nocase(two, lang_names[i])) {
			*out = (enum ae_diag_lang)i;
			return true;
		}
	}
	return false;
}

enum ae_diag_lang
ae_diag_lang_pick(const char *lc_all, const char *lc_messages, const char *lang)
{
	enum ae_diag_lang out = AE_DIAG_EN;
	const char *name = lang;

	if (lc_messages != NULL && lc_messages[0] != '\0')
		name = lc_messages;
	if (lc_all != NULL && lc_all[0] != '\0')
		name = lc_all;
	if (name != NULL)
		(void)ae_diag_lang_find(&out, name);
	return out;
}
