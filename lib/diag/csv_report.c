/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * A verdict in words and as JSON; see csv_report.h.
 */
#include "diag/csv_report.h"

#include <stdio.h>
#include <string.h>

#include "diag/page.h"
#include "wcce/hresult.h"

#define SENTENCE_MAX 4096
#define ARGS 3

/* What is known to fill sentences in. */
struct args {
	struct ae_diag_arg v[ARGS];
	char account[AE_DIAG_EV_HOST_MAX + 2];
	char code[16];
};

static void
args_of(struct args *a, const struct ae_diag_found *f, const char *host)
{
	const struct ae_diag_ev *ev = &f->ev;

	a->v[0] = (struct ae_diag_arg){ "template",
		ev->template[0] == '\0' ? NULL : ev->template };
	a->v[1] = (struct ae_diag_arg){ "account",
		ev->account[0] == '\0' ? NULL : ev->account };
	a->v[2] = (struct ae_diag_arg){ "code", ev->coded ? a->code : NULL };
	if (ev->account[0] == '\0' && ev->whose == AE_DIAG_FOR_MACHINE) {
		(void)snprintf(a->account, sizeof(a->account), "%.*s$",
		    AE_DIAG_EV_HOST_MAX - 1, host);
		a->v[1].value = a->account;
	}
	(void)snprintf(a->code, sizeof(a->code), "0x%08x", ev->code);
}

static const char *
sentence(struct ae_wr *w, const struct ae_diag_text *t, enum ae_diag_lang lang,
    enum ae_diag_say say, const struct args *a)
{
	const char *s;

	ae_wr_reset(w);
	ae_diag_text_render(w, t, lang, say, a->v, ARGS);
	s = ae_wr_cstr(w);
	return s == NULL ? "" : s;
}

static const char *
category_title(char category, enum ae_diag_lang lang)
{
	char key[] = "category.?";

	if (category == 'O')
		return ae_diag_frame(lang, "category.ok");
	if (category == '?')
		return ae_diag_frame(lang, "category.unknown");
	key[sizeof(key) - 2] = category;
	return ae_diag_frame(lang, key);
}

/* What its code, event or symptom means, when no check is named. */
static const char *
meaning(char buf[AE_DIAG_ENGLISH_MAX], const struct ae_diag_found *f,
    enum ae_diag_lang lang)
{
	const struct ae_diag_meaning *m = ae_diag_meaning_find(f->key);
	const struct ae_event_def *def;
	const struct ae_hresult *h;

	if (m != NULL && m->say[lang] != NULL)
		return m->say[lang];
	h = f->ev.coded ? ae_hresult_find(f->ev.code) : NULL;
	if (h != NULL)
		return ae_diag_in_english(buf, h->text, lang);
	def = ae_diag_event_def(&f->ev.event);
	return def == NULL || def->remedy == NULL
	    ? ""
	    : ae_diag_in_english(buf, def->remedy, lang);
}

static const char *
symbol(const struct ae_diag_found *f)
{
	const struct ae_diag_code code = { AE_DIAG_HRESULT, f->ev.code };

	return f->ev.coded ? ae_diag_code_symbol(&code) : NULL;
}

/* ---- JSON ---- */

static json_t *
checks_json(
    const struct ae_diag_found *f, enum ae_diag_lang lang, const struct args *a)
{
	json_t *list = json_array();
	struct ae_wr w;
	size_t i;

	ae_wr_init(&w, SENTENCE_MAX);
	for (i = 0; i < f->nchecks; i++) {
		const struct ae_diag_text *t = f->checks[i];
		json_t *c = json_pack("{s:s}", "check_id", t->id);

		(void)json_object_set_new(c, "cause",
		    json_string(sentence(&w, t, lang, AE_DIAG_CAUSE, a)));
		(void)json_object_set_new(c, "expected",
		    json_string(sentence(&w, t, lang, AE_DIAG_EXPECTED, a)));
		(void)json_object_set_new(c, "fix",
		    json_string(sentence(&w, t, lang, AE_DIAG_FIX, a)));
		ae_wr_reset(&w);
		ae_diag_who_render(&w, lang, t->who);
		(void)json_object_set_new(
		    c, "who", json_string(ae_wr_cstr(&w)));
		(void)json_array_append_new(list, c);
	}
	ae_wr_done(&w);
	return list;
}

static json_t *
found_json(
    const struct ae_diag_found *f, const char *host, enum ae_diag_lang lang)
{
	static const char *const states[] = { "open", "harmless", "past" };
	static const char *const whose[] = { NULL, "machine", "user" };
	const char category[] = { f->category, '\0' };
	char english[AE_DIAG_ENGLISH_MAX], hr[16];
	struct args a;
	json_t *j;

	args_of(&a, f, host);
	j = json_pack("{s:s, s:s, s:s, s:s, s:I, s:s, s:I, s:s, s:I, s:s}",
	    "key", f->key, "category", category, "state", states[f->state],
	    "source", f->ev.event.source, "count", (json_int_t)f->count, "last",
	    f->ev.time, "line", (json_int_t)f->newest_line, "first", f->oldest,
	    "id", (json_int_t)f->ev.event.id, "meaning",
	    meaning(english, f, lang));
	if (j == NULL)
		return NULL;
	(void)snprintf(hr, sizeof(hr), "0x%08x", f->ev.code);
	if (f->ev.coded)
		(void)json_object_set_new(j, "hresult", json_string(hr));
	if (symbol(f) != NULL)
		(void)json_object_set_new(j, "symbol", json_string(symbol(f)));
	if (whose[f->ev.whose] != NULL)
		(void)json_object_set_new(
		    j, "context", json_string(whose[f->ev.whose]));
	if (f->ev.account[0] != '\0')
		(void)json_object_set_new(
		    j, "account", json_string(f->ev.account));
	if (f->ev.template[0] != '\0')
		(void)json_object_set_new(
		    j, "template", json_string(f->ev.template));
	if (f->nchecks == 1)
		(void)json_object_set_new(
		    j, "check_id", json_string(f->checks[0]->id));
	(void)json_object_set_new(j, "message", json_string(f->text));
	(void)json_object_set_new(j, "causes", checks_json(f, lang, &a));
	return j;
}

json_t *
ae_diag_csv_report(const struct ae_diag_verdict *v, const char *file,
    const char *host, const char *damage, enum ae_diag_lang lang)
{
	const char category[] = { v->category, '\0' };
	char english[AE_DIAG_ENGLISH_MAX];
	json_t *found = json_array(), *j;
	size_t i;

	for (i = 0; i < v->nfound; i++)
		(void)json_array_append_new(
		    found, found_json(v->found[i], host, lang));
	j = json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:s, s:s, "
		      "s:I, s:I, s:I, s:o}",
	    "file", file, "host", host, "category", category, "title",
	    category_title(v->category, lang), "key", v->key, "events",
	    (json_int_t)v->rows, "runs", (json_int_t)v->runs, "quiet_runs",
	    (json_int_t)v->quiet_runs, "issued", (json_int_t)v->issued, "first",
	    v->first, "last", v->last, "bad_rows", (json_int_t)v->bad_rows,
	    "cut_rows", (json_int_t)v->cut_rows, "dropped",
	    (json_int_t)v->dropped, "findings", found);
	if (j != NULL && damage != NULL)
		(void)json_object_set_new(j, "damage",
		    json_string(ae_diag_in_english(english, damage, lang)));
	return j;
}

/* ---- text ---- */

static void
put_seen(struct ae_wr *w, const struct ae_diag_found *f, const char *label,
    enum ae_diag_lang lang)
{
	ae_diag_pagef(w, 0, label, "%zu %s %s (%s %zu): %s %u: %s", f->count,
	    ae_diag_frame(lang, "csv.times"), f->ev.time,
	    ae_diag_frame(lang, "csv.line"), f->newest_line, f->ev.event.source,
	    f->ev.event.id, f->text[0] == '\0' ? f->key : f->text);
}

static void
put_one(struct ae_wr *w, const struct ae_diag_found *f, enum ae_diag_lang lang,
    const struct args *a)
{
	const struct ae_diag_text *t = f->checks[0];
	struct ae_wr s;

	ae_wr_init(&s, SENTENCE_MAX);
	ae_diag_page(w, 0, ae_diag_frame(lang, "cause"),
	    sentence(&s, t, lang, AE_DIAG_CAUSE, a));
	put_seen(w, f, ae_diag_frame(lang, "seen"), lang);
	ae_diag_page(w, 0, ae_diag_frame(lang, "expected"),
	    sentence(&s, t, lang, AE_DIAG_EXPECTED, a));
	ae_diag_page(w, 0, ae_diag_frame(lang, "fix"),
	    sentence(&s, t, lang, AE_DIAG_FIX, a));
	ae_wr_reset(&s);
	ae_diag_who_render(&s, lang, t->who);
	ae_diag_page(w, 0, ae_diag_frame(lang, "who"), ae_wr_cstr(&s));
	ae_wr_done(&s);
}

static const char *
question(const struct ae_diag_found *f, const char *id, enum ae_diag_lang lang)
{
	const struct ae_diag_meaning *m = ae_diag_meaning_find(f->key);
	size_t i;

	for (i = 0; m != NULL && i < m->nasks; i++)
		if (strcmp(m->asks[i].id, id) == 0)
			return m->asks[i].say[lang];
	return "";
}

static void
put_several(struct ae_wr *w, const struct ae_diag_found *f,
    enum ae_diag_lang lang, const struct args *a)
{
	struct ae_wr s;
	char label[24];
	size_t i;

	put_seen(w, f, ae_diag_frame(lang, "seen"), lang);
	if (f->nchecks > 0)
		ae_diag_page_title(w, "tell-apart", lang);
	ae_wr_init(&s, SENTENCE_MAX);
	for (i = 0; i < f->nchecks; i++) {
		(void)snprintf(label, sizeof(label), "%zu.", i + 1);
		ae_diag_pagef(w, 0, label, "%s %s",
		    question(f, f->checks[i]->id, lang), f->checks[i]->id);
		ae_diag_page(
		    w, 0, "", sentence(&s, f->checks[i], lang, AE_DIAG_FIX, a));
	}
	ae_wr_done(&s);
}

static void
put_root(struct ae_wr *w, const struct ae_diag_found *f, const char *host,
    enum ae_diag_lang lang)
{
	char english[AE_DIAG_ENGLISH_MAX];
	const char *name = symbol(f), *said = meaning(english, f, lang);
	struct args a;

	args_of(&a, f, host);
	if (f->nchecks == 1) {
		ae_wr_printf(w, "%s", f->key);
		if (f->ev.coded)
			ae_wr_printf(w, "  (0x%08x%s%s)", f->ev.code,
			    name == NULL ? "" : " ", name == NULL ? "" : name);
		ae_wr_str(w, "\n\n");
		put_one(w, f, lang, &a);
		return;
	}
	ae_wr_printf(w, "%s%s%s\n\n", f->key, name == NULL ? "" : "  ",
	    name == NULL ? "" : name);
	if (said[0] != '\0')
		ae_diag_page(w, 0, ae_diag_frame(lang, "meaning"), said);
	put_several(w, f, lang, &a);
}

static void
put_others(struct ae_wr *w, const struct ae_diag_verdict *v,
    enum ae_diag_state state, const char *frame, enum ae_diag_lang lang)
{
	bool any = false;
	size_t i;

	for (i = v->root == NULL ? 0 : 1; i < v->nfound; i++) {
		if (v->found[i]->state != state ||
		    (v->root != NULL && strcmp(v->found[i]->key, v->key) == 0))
			continue; /* the same told by another event */
		if (!any)
			ae_diag_page_title(w, frame, lang);
		any = true;
		put_seen(w, v->found[i], "", lang);
		ae_wr_printf(
		    w, "%*s%s\n", AE_DIAG_PAGE_LABEL, "", v->found[i]->key);
	}
}

static void
put_remarks(struct ae_wr *w, const struct ae_diag_verdict *v,
    const char *damage, enum ae_diag_lang lang)
{
	const struct {
		size_t n;
		const char *frame;
	} rows[] = { { v->cut_rows, "csv.cut" }, { v->bad_rows, "csv.bad" },
		{ v->dropped, "csv.dropped" } };
	char english[AE_DIAG_ENGLISH_MAX];
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].n > 0)
			ae_wr_printf(w, "\n%zu %s\n", rows[i].n,
			    ae_diag_frame(lang, rows[i].frame));
	if (damage != NULL) {
		ae_wr_u8(w, '\n');
		ae_diag_page(w, 0, ae_diag_frame(lang, "csv.unread"),
		    ae_diag_in_english(english, damage, lang));
	}
}

void
ae_diag_csv_text(struct ae_wr *w, const struct ae_diag_verdict *v,
    const char *file, const char *host, const char *damage,
    enum ae_diag_lang lang, bool all)
{
	ae_diag_put_safe(w, host, AE_DIAG_VALUE_MAX);
	ae_wr_str(w, " (");
	ae_diag_put_safe(w, file, AE_DIAG_VALUE_MAX);
	ae_wr_printf(w, "): %zu %s, %zu %s, %zu %s; ", v->rows,
	    ae_diag_frame(lang, "csv.events"), v->runs,
	    ae_diag_frame(lang, "csv.runs"), v->issued,
	    ae_diag_frame(lang, "csv.issued"));
	ae_diag_put_safe(w, v->first, AE_DIAG_EV_TIME_MAX);
	ae_wr_str(w, " – ");
	ae_diag_put_safe(w, v->last, AE_DIAG_EV_TIME_MAX);
	ae_wr_printf(w, "\n%s\n", category_title(v->category, lang));
	if (v->root != NULL)
		put_root(w, v->root, host, lang);
	else if (v->category == '?')
		ae_diag_page(w, 0, "", ae_diag_frame(lang, "csv.silent"));
	put_others(w, v, AE_DIAG_OPEN, "csv.also", lang);
	put_others(w, v, AE_DIAG_HARMLESS, "not-the-cause", lang);
	if (all || v->root == NULL)
		put_others(w, v, AE_DIAG_PAST, "csv.past", lang);
	put_remarks(w, v, damage, lang);
}

void
ae_diag_csv_line(struct ae_wr *w, const struct ae_diag_verdict *v,
    const char *host, const char *damage, enum ae_diag_lang lang)
{
	const char *name = v->root == NULL ? NULL : symbol(v->root);
	char english[AE_DIAG_ENGLISH_MAX];

	ae_diag_put_safe(w, host, AE_DIAG_EV_HOST_MAX);
	ae_wr_printf(w, ": %s", category_title(v->category, lang));
	if (v->root != NULL)
		ae_wr_printf(w, ": %s%s%s%s", v->key, name == NULL ? "" : " (",
		    name == NULL ? "" : name, name == NULL ? "" : ")");
	if (v->root != NULL && v->root->ev.template[0] != '\0') {
		ae_wr_str(w, ", ");
		ae_diag_put_safe(
		    w, v->root->ev.template, AE_DIAG_EV_TEMPLATE_MAX);
	}
	if (damage != NULL) {
		ae_wr_printf(w, "; %s: ", ae_diag_frame(lang, "csv.unread"));
		ae_diag_put_safe(w, ae_diag_in_english(english, damage, lang),
		    AE_DIAG_VALUE_MAX);
	}
	ae_wr_u8(w, '\n');
}
