/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Picking codes, events and check ids out of a message; see code.h.  It is
 * folded first, so that one set of rules serves every language and case.
 */
#include "diag/code.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "wcce/hresult.h"

#define WORD_MAX 96
#define SYMBOL_MIN 10 /* of a name without an underscore */

struct scan {
	struct ae_diag_mention *out;
	size_t n;
	const char *source; /* the source of events that was named last */
	const char *past;   /* what is before it has been taken already */
};

static bool
same(const struct ae_diag_mention *a, const struct ae_diag_mention *b)
{
	if (a->kind != b->kind)
		return false;
	switch (a->kind) {
	case AE_DIAG_A_CODE:
		return a->code.space == b->code.space &&
		    a->code.value == b->code.value;
	case AE_DIAG_AN_EVENT:
		return a->event.id == b->event.id &&
		    a->event.source == b->event.source;
	case AE_DIAG_A_CHECK:
		return a->check == b->check;
	}
	return false;
}

static void
mention(struct scan *s, const struct ae_diag_mention *m)
{
	size_t i;

	for (i = 0; i < s->n && !same(&s->out[i], m); i++)
		;
	if (i == s->n && s->n < AE_DIAG_MENTIONS_MAX)
		s->out[s->n++] = *m;
}

static void
mention_code(
    struct scan *s, enum ae_diag_space space, uint32_t value, bool words)
{
	struct ae_diag_mention m = {
		.kind = AE_DIAG_A_CODE, .code = { space, value }, .words = words
	};

	/* 0x6ba: a Win32 code, shown as Windows shows it otherwise. */
	if (space == AE_DIAG_HRESULT && value > 1 && value < 0x10000)
		m.code.value = 0x80070000u | value;
	mention(s, &m);
}

static void
mention_event(struct scan *s, const char *source, unsigned long id)
{
	struct ae_diag_mention m = { .kind = AE_DIAG_AN_EVENT,
		.event = { source, (unsigned)id } };

	if (id > 0 && id < 0x10000)
		mention(s, &m);
}

/* ---- numbers ---- */

/* The number at p, decimal or 0x; false when there is none. */
static bool
number(const char *p, unsigned long *out, const char **past)
{
	char *end;

	p += strspn(p, " :#");
	if (*p < '0' || *p > '9' || strspn(p, "0123456789abcdefx") > 10)
		return false;
	*out = strtoul(p, &end, strncmp(p, "0x", 2) == 0 ? 16 : 10);
	if (end == p || (*end >= 'a' && *end <= 'z'))
		return false;
	if (past != NULL)
		*past = end;
	return true;
}

static bool
take_hex(struct scan *s, const char *w, size_t len)
{
	char copy[9];
	size_t digits = len - 2;

	if (len < 3 || strncmp(w, "0x", 2) != 0 || digits > 8 ||
	    strspn(w + 2, "0123456789abcdef") < digits)
		return false;
	memcpy(copy, w + 2, digits);
	copy[digits] = '\0';
	mention_code(
	    s, AE_DIAG_HRESULT, (uint32_t)strtoul(copy, NULL, 16), false);
	return true;
}

/* -2147024891, 2147942405, or eight digits that begin an HRESULT. */
static bool
take_decimal(struct scan *s, const char *w, size_t len, bool minus)
{
	char copy[12];
	long long v;

	if (len > 10 || len < 8)
		return false;
	memcpy(copy, w, len);
	copy[len] = '\0';
	if (strspn(copy, "0123456789") == len && (minus || len == 10)) {
		v = strtoll(copy, NULL, 10);
		if (minus)
			v = -v;
		if (v < INT32_MIN || v > UINT32_MAX ||
		    (v >= 0 && v <= INT32_MAX))
			return false;
		mention_code(s, AE_DIAG_HRESULT, (uint32_t)v, false);
		return true;
	}
	if (len == 8 && copy[0] == '8' && copy[1] == '0' && !minus &&
	    strspn(copy, "0123456789abcdef") == 8) {
		mention_code(s, AE_DIAG_HRESULT,
		    (uint32_t)strtoul(copy, NULL, 16), false);
		return true;
	}
	return false;
}

/* ---- names ---- */

static bool
take_symbol(struct scan *s, const char *w)
{
	const struct ae_hresult *h;
	const char *plain = strncmp(w, "krb5", 4) == 0 ? w + 4 : w;
	struct ae_diag_code code;
	unsigned long v;
	size_t i;

	if (strchr(w, '_') == NULL && strlen(w) < SYMBOL_MIN)
		return false;
	for (i = 0; i < ae_diag_nmeanings; i++) {
		const struct ae_diag_meaning *m = &ae_diag_meanings[i];

		if (m->symbol == NULL || !ae_str_eq_nocase(m->symbol, plain))
			continue;
		code.space = m->key[0] == 'K' ? AE_DIAG_KRB : AE_DIAG_LDAP;
		if (!number(strchr(m->key, ' '), &v, NULL))
			continue;
		mention_code(s, code.space, (uint32_t)v, false);
		return true;
	}
	if (strchr(w, '_') == NULL)
		return false;
	h = ae_hresult_find_symbol(w);
	if (h == NULL)
		return false;
	mention_code(s, AE_DIAG_HRESULT, h->value, false);
	return true;
}

static bool
take_check(struct scan *s, const char *w)
{
	struct ae_diag_mention m = { .kind = AE_DIAG_A_CHECK };

	m.check = strchr(w, '.') == NULL ? NULL : ae_diag_text_find(w);
	if (m.check != NULL)
		mention(s, &m);
	return m.check != NULL;
}

/* "certenroll 13", "ca 53"; or the name of a source alone. */
static bool
take_source(struct scan *s, const char *w, size_t len, const char *rest)
{
	const char *source = ae_diag_source_find(w, len);
	unsigned long id;

	if (source == NULL)
		return false;
	if (number(rest, &id, &s->past))
		mention_event(s, source, id);
	else if (len > 8) /* "CA" or "AE" alone says nothing */
		s->source = source;
	return true;
}

/* "event 53", "Ereignis-ID: 13", "ID de l'événement 13", "win32: 1722". */
static bool
take_word(struct scan *s, const char *w, const char *rest)
{
	static const char *const events[] = { "event", "ereignis",
		"ereignis-id", "evenement", "eventid", "event-id",
		"l'evenement", "d'evenement" };
	unsigned long v;
	size_t i;

	if (strcmp(w, "win32") == 0 && number(rest, &v, &s->past)) {
		mention_code(s, AE_DIAG_HRESULT, (uint32_t)v, false);
		return true;
	}
	if (strcmp(w, "krb") == 0 && number(rest, &v, &s->past)) {
		mention_code(s, AE_DIAG_KRB, (uint32_t)v, false);
		return true;
	}
	if (strcmp(w, "ldap") == 0 && number(rest, &v, &s->past)) {
		mention_code(s, AE_DIAG_LDAP, (uint32_t)v, false);
		return true;
	}
	for (i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		if (strcmp(w, events[i]) != 0)
			continue;
		rest += strspn(rest, " ");
		if (strncmp(rest, "id", 2) == 0)
			rest += 2;
		if (number(rest, &v, &s->past))
			mention_event(s, NULL, v);
		return true;
	}
	return false;
}

/* ---- the message ---- */

static bool
in_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
	    c == '.' || c == '-' || c == '\'' || ((unsigned char)c & 0x80) != 0;
}

static void
take(struct scan *s, const char *w, size_t len, const char *rest)
{
	bool minus = w[0] == '-';
	char copy[WORD_MAX];

	while (len > 0 && (w[0] == '\'' || w[0] == '.' || w[0] == '-')) {
		w++;
		len--;
	}
	while (len > 0 &&
	    (w[len - 1] == '.' || w[len - 1] == '\'' || w[len - 1] == '-'))
		len--;
	if (len == 0 || len >= sizeof(copy))
		return;
	memcpy(copy, w, len);
	copy[len] = '\0';
	if (take_hex(s, copy, len) || take_decimal(s, copy, len, minus) ||
	    take_symbol(s, copy) || take_check(s, copy))
		return;
	if (!take_word(s, copy, rest))
		(void)take_source(s, copy, len, rest);
}

static void
take_phrases(struct scan *s, const char *folded)
{
	const struct ae_diag_meaning *m;
	struct ae_diag_mention said = { .kind = AE_DIAG_A_CHECK,
		.words = true };
	unsigned long v;
	size_t i, k;

	for (i = 0; i < ae_diag_nmeanings; i++) {
		m = &ae_diag_meanings[i];
		for (k = 0; k < m->nphrases; k++)
			if (ae_diag_phrase_in(folded, m->phrases[k]))
				break;
		if (k == m->nphrases)
			continue;
		if (m->key[0] == '0')
			mention_code(s, AE_DIAG_HRESULT,
			    (uint32_t)strtoul(m->key, NULL, 16), true);
		else if (strncmp(m->key, "KRB ", 4) == 0 &&
		    number(m->key + 4, &v, NULL))
			mention_code(s, AE_DIAG_KRB, (uint32_t)v, true);
		else if (strncmp(m->key, "LDAP ", 5) == 0 &&
		    number(m->key + 5, &v, NULL))
			mention_code(s, AE_DIAG_LDAP, (uint32_t)v, true);
		else if (strncmp(m->key, "CE ", 3) == 0 &&
		    number(m->key + 3, &v, NULL))
			mention_event(s, "CE", v);
		else if ((said.check = ae_diag_text_find(m->key)) != NULL)
			mention(s, &said);
	}
}

size_t
ae_diag_scan(
    struct ae_diag_mention out[AE_DIAG_MENTIONS_MAX], const char *s, size_t len)
{
	struct scan scan = { .out = out };
	size_t size = (len < AE_DIAG_SCAN_MAX ? len : AE_DIAG_SCAN_MAX) + 3;
	char *folded = malloc(size);
	size_t n, i, k;

	if (folded == NULL)
		return 0;
	n = ae_diag_fold(folded, size, s, len);
	scan.past = folded;
	for (i = 0; i < n; i = k + 1) {
		for (k = i; k < n && in_word(folded[k]); k++)
			;
		if (k > i && folded + i >= scan.past)
			take(&scan, folded + i, k - i, folded + k);
	}
	take_phrases(&scan, folded);
	for (i = 0; i < scan.n && scan.source != NULL; i++)
		if (out[i].kind == AE_DIAG_AN_EVENT &&
		    out[i].event.source == NULL)
			out[i].event.source = scan.source;
	free(folded);
	return scan.n;
}

size_t
ae_diag_scan_word(
    struct ae_diag_mention out[AE_DIAG_MENTIONS_MAX], const char *s, size_t len)
{
	struct scan scan = { .out = out };
	char copy[8];

	scan.n = ae_diag_scan(out, s, len);
	if (len == 0 || len >= sizeof(copy))
		return scan.n;
	memcpy(copy, s, len);
	copy[len] = '\0';
	if (strspn(copy, "0123456789") != len)
		return scan.n;
	mention_event(&scan, NULL, strtoul(copy, NULL, 10));
	mention_code(
	    &scan, AE_DIAG_HRESULT, (uint32_t)strtoul(copy, NULL, 10), false);
	return scan.n;
}
