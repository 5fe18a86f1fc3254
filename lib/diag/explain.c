/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Meanings put together; see explain.h.
 */
#include "diag/explain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "diag/code.h"
#include "wcce/hresult.h"

#define SENTENCE_MAX 4096
#define CHECKS_MAX 48
#define NEAREST_MAX 3
#define WORD_MAX 80

static const struct {
	const char *prefix, *command;
} commands[] = {
	{ "policy.", "autoenroll policy show -v" },
	{ "trigger.", "autoenroll task -v" },
	{ "existing.", "autoenroll store list -v" },
	{ "renew.", "autoenroll templates --explain" },
	{ "template.", "autoenroll templates --explain" },
	{ "context.", "autoenroll templates --explain --all" },
	{ "ca.", "autoenroll ca templates" },
	{ "key.", "autoenroll key providers" },
	{ "trust.", "autoenroll trust list" },
	{ "net.", "autoenroll ca ping --stages" },
	{ "dns.", "autoenroll ca ping --stages" },
	{ "auth.", "autoenroll ca ping --stages" },
	{ "dcom.", "autoenroll ca ping --stages" },
	{ "rpc.", "autoenroll ca ping --stages" },
	{ "token.", "autoenroll groups" },
	{ "pending.", "autoenroll pulse --wait" },
	{ "install.", "autoenroll events --level error,warning" },
	{ "deny.", "certsrv request list --state denied" },
	{ "publish.", "certsrv request show" },
};

const char *
ae_diag_command(const char *check_id)
{
	size_t i;

	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strncmp(check_id, commands[i].prefix,
			strlen(commands[i].prefix)) == 0)
			return commands[i].command;
	return "autoenroll diagnose";
}

static json_t *
said(const struct ae_diag_text *t, enum ae_diag_lang lang,
    enum ae_diag_say which)
{
	json_t *j;
	struct ae_wr w;

	ae_wr_init(&w, SENTENCE_MAX);
	ae_diag_text_render(&w, t, lang, which, NULL, 0);
	j = json_string(ae_wr_cstr(&w));
	ae_wr_done(&w);
	return j;
}

/* ---- several causes ---- */

static json_t *
cause(const struct ae_diag_text *t, const struct ae_diag_meaning *m,
    enum ae_diag_lang lang)
{
	json_t *j = json_pack("{s:s, s:s, s:o, s:o}", "check_id", t->id,
	    "category", t->category, "cause", said(t, lang, AE_DIAG_CAUSE),
	    "fix", said(t, lang, AE_DIAG_FIX));
	size_t i;

	for (i = 0; m != NULL && i < m->nasks; i++)
		if (strcmp(m->asks[i].id, t->id) == 0)
			(void)json_object_set_new(
			    j, "question", json_string(m->asks[i].say[lang]));
	return j;
}

/* Commands, each once, and the one that looks at everything. */
static json_t *
run_next(const struct ae_diag_text *const *checks, size_t n)
{
	json_t *list = json_array(), *e;
	size_t i, k;

	for (i = 0; i < n && json_array_size(list) < 3; i++) {
		const char *command = ae_diag_command(checks[i]->id);
		bool there = strcmp(command, "autoenroll diagnose") == 0;

		json_array_foreach(list, k, e)
		{
			there |= strcmp(json_string_value(e), command) == 0;
		}
		if (!there)
			(void)json_array_append_new(list, json_string(command));
	}
	(void)json_array_append_new(list, json_string("autoenroll diagnose"));
	return list;
}

static void
put_causes(json_t *item, const struct ae_diag_text *const *checks, size_t n,
    const struct ae_diag_meaning *m, enum ae_diag_lang lang)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < n; i++)
		(void)json_array_append_new(list, cause(checks[i], m, lang));
	(void)json_object_set_new(item, "causes", list);
	(void)json_object_set_new(item, "run", run_next(checks, n));
}

/* ---- nearest ---- */

/* How many letters must be changed, added or taken; more than max is max. */
static size_t
distance(const char *a, const char *b, size_t max)
{
	size_t row[WORD_MAX + 1], la = strlen(a), lb = strlen(b), i, k;

	if (la > WORD_MAX || lb > WORD_MAX || la > lb + max || lb > la + max)
		return max;
	for (k = 0; k <= lb; k++)
		row[k] = k;
	for (i = 1; i <= la; i++) {
		size_t before = row[0];

		row[0] = i;
		for (k = 1; k <= lb; k++) {
			size_t swap =
			    before + ((a[i - 1] | 0x20) != (b[k - 1] | 0x20));
			size_t less = row[k] < row[k - 1] ? row[k] : row[k - 1];

			before = row[k];
			row[k] = less + 1 < swap ? less + 1 : swap;
		}
	}
	return row[lb] < max ? row[lb] : max;
}

struct near {
	const char *name[NEAREST_MAX];
	size_t far[NEAREST_MAX];
	size_t n;
};

static void
offer(struct near *near, const char *name, size_t far)
{
	size_t at = near->n, i;

	while (at > 0 && near->far[at - 1] > far)
		at--;
	if (at == NEAREST_MAX)
		return;
	if (near->n < NEAREST_MAX)
		near->n++;
	for (i = near->n - 1; i > at; i--) {
		near->name[i] = near->name[i - 1];
		near->far[i] = near->far[i - 1];
	}
	near->name[at] = name;
	near->far[at] = far;
}

/* Names that look like the word. */
static json_t *
nearest_names(const char *word)
{
	size_t len = strlen(word), max = len / 3 + 1, i, far;
	struct near near = { .n = 0 };
	json_t *list = json_array();

	for (i = 0; len >= 4 && i < ae_diag_ntexts; i++) {
		far = distance(word, ae_diag_texts[i].id, max);
		if (far < max || strstr(ae_diag_texts[i].id, word) != NULL)
			offer(&near, ae_diag_texts[i].id, far);
	}
	for (i = 0; len >= 4 && i < ae_hresult_count; i++) {
		far = distance(word, ae_hresult_table[i].symbol, max);
		if (far < max)
			offer(&near, ae_hresult_table[i].symbol, far);
	}
	for (i = 0; i < near.n; i++)
		(void)json_array_append_new(list, json_string(near.name[i]));
	return list;
}

/* Known codes of the same family with the nearest numbers. */
static json_t *
nearest_codes(uint32_t value)
{
	struct near near = { .n = 0 };
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < ae_hresult_count; i++) {
		uint32_t v = ae_hresult_table[i].value;

		if (v >> 16 == value >> 16)
			offer(&near, ae_hresult_table[i].symbol,
			    v > value ? v - value : value - v);
	}
	for (i = 0; i < near.n; i++)
		(void)json_array_append_new(list, json_string(near.name[i]));
	return list;
}

/* ---- items ---- */

static json_t *
explain_code(const struct ae_diag_mention *m, enum ae_diag_lang lang)
{
	const struct ae_diag_text *checks[CHECKS_MAX];
	const struct ae_diag_meaning *meaning;
	const struct ae_hresult *h = NULL;
	const char *symbol = ae_diag_code_symbol(&m->code), *say = NULL;
	char key[AE_DIAG_KEY_MAX], english[AE_DIAG_ENGLISH_MAX];
	size_t n = ae_diag_code_checks(checks, CHECKS_MAX, &m->code);
	json_t *j;

	meaning = ae_diag_meaning_find(ae_diag_code_key(key, &m->code));
	if (m->code.space == AE_DIAG_HRESULT)
		h = ae_hresult_find(m->code.value);
	if (meaning != NULL)
		say = meaning->say[lang];
	if (say == NULL && h != NULL)
		say = ae_diag_in_english(english, h->text, lang);
	j = json_pack("{s:s, s:s, s:b, s:b}", "kind", "code", "code", key,
	    "known", say != NULL || n > 0, "words", m->words);
	if (m->code.space == AE_DIAG_HRESULT) {
		(void)json_object_set_new(j, "hresult", json_string(key));
		(void)json_object_set_new(
		    j, "decimal", json_integer((int32_t)m->code.value));
	}
	if (m->code.space == AE_DIAG_HRESULT && m->code.value >> 16 == 0x8007)
		(void)json_object_set_new(
		    j, "win32", json_integer(m->code.value & 0xffff));
	if (symbol != NULL)
		(void)json_object_set_new(j, "symbol", json_string(symbol));
	if (say != NULL)
		(void)json_object_set_new(j, "meaning", json_string(say));
	else if (n == 0)
		(void)json_object_set_new(
		    j, "nearest", nearest_codes(m->code.value));
	put_causes(j, checks, n, meaning, lang);
	return j;
}

/* "%1 could not …" with the parameters' names in angle brackets. */
static json_t *
event_text(const struct ae_event_def *def, enum ae_diag_lang lang)
{
	char english[AE_DIAG_ENGLISH_MAX];
	char name[AE_EVENT_NAME_MAX];
	const char *s, *pct;
	struct ae_wr w;
	json_t *j;

	ae_wr_init(&w, SENTENCE_MAX);
	for (s = def->text; (pct = strchr(s, '%')) != NULL; s = pct + 2) {
		ae_wr_bytes(&w, s, (size_t)(pct - s));
		if (ae_event_param(name, def, (size_t)(pct[1] - '1')))
			ae_wr_printf(&w, "<%s>", name);
	}
	ae_wr_str(&w, s);
	s = ae_wr_cstr(&w);
	j = json_string(ae_diag_in_english(english, s == NULL ? "" : s, lang));
	ae_wr_done(&w);
	return j;
}

/* NULL: that source has no such event. */
static json_t *
explain_event(const struct ae_diag_event *ev, enum ae_diag_lang lang)
{
	const struct ae_diag_text *checks[CHECKS_MAX];
	const struct ae_event_def *def = ae_diag_event_def(ev);
	const struct ae_diag_meaning *m;
	size_t n = ae_diag_event_checks(checks, CHECKS_MAX, ev);
	char key[AE_DIAG_KEY_MAX], english[AE_DIAG_ENGLISH_MAX];
	json_t *j;

	(void)snprintf(key, sizeof(key), "%s %u", ev->source, ev->id);
	m = ae_diag_meaning_find(key);
	if (def == NULL && n == 0 && m == NULL)
		return NULL;
	j = json_pack("{s:s, s:s, s:s, s:I, s:b}", "kind", "event", "source",
	    ev->source, "provider", ae_diag_source_name(ev->source), "id",
	    (json_int_t)ev->id, "known", true);
	if (def != NULL) {
		(void)json_object_set_new(j, "level",
		    json_string(ae_diag_word(
			lang, "level", ae_event_level_name(def->level))));
		(void)json_object_set_new(j, "text", event_text(def, lang));
	}
	if (m != NULL && m->say[lang] != NULL)
		(void)json_object_set_new(
		    j, "meaning", json_string(m->say[lang]));
	if (def != NULL && def->remedy != NULL)
		(void)json_object_set_new(j, "remedy",
		    json_string(
			ae_diag_in_english(english, def->remedy, lang)));
	if (def != NULL && def->absent != NULL)
		(void)json_object_set_new(j, "absent",
		    json_string(
			ae_diag_in_english(english, def->absent, lang)));
	put_causes(j, checks, n, m, lang);
	return j;
}

/*
 * Of the source that was named, or of each that has the number.  A number
 * that no event has may still be a code: maybe.
 */
static void
explain_events(json_t *items, const struct ae_diag_event *ev, bool maybe,
    enum ae_diag_lang lang)
{
	static const char *const all[] = { "AE", "CSC", "CE", "CA", "KDC",
		"DCOM", "CAPI2", "Kerberos", "Security", "GroupPolicy",
		"CertCli" };
	struct ae_diag_event one = *ev;
	size_t before = json_array_size(items), i;
	json_t *j;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (ev->source != NULL && strcmp(ev->source, all[i]) != 0)
			continue;
		one.source = all[i];
		j = explain_event(&one, lang);
		if (j != NULL)
			(void)json_array_append_new(items, j);
	}
	if (json_array_size(items) == before && !maybe)
		(void)json_array_append_new(items,
		    json_pack("{s:s, s:s?, s:I, s:b}", "kind", "event",
			"source", ev->source, "id", (json_int_t)ev->id, "known",
			false));
}

static json_t *
codes_of(const struct ae_diag_text *t)
{
	json_t *list = json_array();
	char key[AE_DIAG_KEY_MAX], line[128];
	const char *symbol;
	size_t i;

	for (i = 0; i < t->ncodes; i++) {
		symbol = ae_diag_code_symbol(&t->codes[i]);
		(void)snprintf(line, sizeof(line), "%s%s%s",
		    ae_diag_code_key(key, &t->codes[i]),
		    symbol == NULL ? "" : " ", symbol == NULL ? "" : symbol);
		(void)json_array_append_new(list, json_string(line));
	}
	return list;
}

static json_t *
explain_check(const struct ae_diag_text *t, enum ae_diag_lang lang)
{
	json_t *events = json_array(), *see = json_array(), *j;
	char line[64], frame[] = "category.?";
	struct ae_wr w;
	size_t i;

	for (i = 0; i < t->nevents; i++) {
		(void)snprintf(line, sizeof(line), "%s %u", t->events[i].source,
		    t->events[i].id);
		(void)json_array_append_new(events, json_string(line));
	}
	for (i = 0; i < t->nsee; i++)
		(void)json_array_append_new(see, json_string(t->see[i]));
	frame[sizeof(frame) - 2] = t->category[0];
	ae_wr_init(&w, SENTENCE_MAX);
	ae_diag_who_render(&w, lang, t->who);
	j = json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:s, s:o, s:o, s:o, "
		      "s:o, s:b}",
	    "kind", "check", "check_id", t->id, "category", t->category,
	    "title", ae_diag_frame(lang, frame), "cause",
	    said(t, lang, AE_DIAG_CAUSE), "expected",
	    said(t, lang, AE_DIAG_EXPECTED), "fix", said(t, lang, AE_DIAG_FIX),
	    "who", ae_wr_cstr(&w), "events", events, "codes", codes_of(t),
	    "see", see, "run", run_next(&t, 1), "known", true);
	ae_wr_done(&w);
	return j;
}

/* ---- the whole ---- */

/* One word, for names that look like it; "" when it is more. */
static void
one_word(char out[WORD_MAX], const char *what, size_t len)
{
	size_t i;

	while (len > 0 && (unsigned char)what[len - 1] <= 0x20)
		len--;
	for (i = 0; i < len && i + 1 < WORD_MAX; i++)
		if ((unsigned char)what[i] <= 0x20)
			break;
	if (i < len)
		i = 0;
	memcpy(out, what, i);
	out[i] = '\0';
}

json_t *
ae_diag_explain(const char *what, size_t len, enum ae_diag_lang lang)
{
	struct ae_diag_mention m[AE_DIAG_MENTIONS_MAX];
	json_t *items = json_array(), *nearest = json_array(), *item;
	size_t n = ae_diag_scan_word(m, what, len), i;
	char word[WORD_MAX];
	bool known = false;

	for (i = 0; i < n; i++) {
		if (m[i].kind == AE_DIAG_A_CODE)
			(void)json_array_append_new(
			    items, explain_code(&m[i], lang));
		else if (m[i].kind == AE_DIAG_AN_EVENT)
			explain_events(items, &m[i].event, n > 1, lang);
		else
			(void)json_array_append_new(
			    items, explain_check(m[i].check, lang));
	}
	json_array_foreach(items, i, item)
	{
		known |= json_is_true(json_object_get(item, "known"));
	}
	one_word(word, what, len);
	if (n == 0) {
		json_decref(nearest);
		nearest = nearest_names(word);
	}
	return json_pack("{s:b, s:s, s:o, s:o}", "known", known, "lang",
	    ae_diag_lang_name(lang), "items", items, "nearest", nearest);
}
