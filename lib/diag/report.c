/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The report; see report.h.
 */
#include "diag/report.h"

#include <stdio.h>
#include <string.h>

#include "diag/checks.h"
#include "diag/denial.h"
#include "diag/others.h"
#include "diag/report_ways.h"

#define ARGS_MAX 24u
#define SENTENCE_MAX 4096u

/* ---- words ---- */

struct args {
	struct ae_diag_arg v[ARGS_MAX];
	char made[ARGS_MAX][AE_DIAG_VALUE_MAX + 8]; /* of those not a string */
	size_t n;
	char sam[256];
};

static void
add_arg(struct args *a, const char *name, const char *value)
{
	size_t i;

	if (value == NULL || value[0] == '\0')
		return;
	for (i = 0; i < a->n; i++)
		if (strcmp(a->v[i].name, name) == 0)
			return; /* the more special one came first */
	if (a->n < ARGS_MAX)
		a->v[a->n++] = (struct ae_diag_arg){ name, value };
}

/* A phrase as ae_diag_phrase made it. */
static void
put_phrase(char *out, size_t len, const json_t *phrase, enum ae_diag_lang lang)
{
	const struct ae_diag_arg about = { "about",
		ae_fact_text(phrase, "about") };
	const char *key = ae_fact_text(phrase, "phrase"), *s;
	struct ae_wr w;

	ae_wr_init(&w, SENTENCE_MAX);
	ae_diag_fill(&w, ae_diag_frame(lang, key), &about, 1);
	s = ae_wr_cstr(&w);
	(void)snprintf(out, len, "%s", s == NULL ? "" : s);
	ae_wr_done(&w);
}

static void
add_value(struct args *a, const char *name, const json_t *value,
    enum ae_diag_lang lang)
{
	char *made;

	if (a->n == ARGS_MAX)
		return;
	made = a->made[a->n];
	if (json_is_integer(value))
		(void)snprintf(made, sizeof(a->made[0]),
		    "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	else if (json_is_object(value))
		put_phrase(made, sizeof(a->made[0]), value, lang);
	else
		made = NULL;
	add_arg(a, name, made != NULL ? made : json_string_value(value));
}

/* "PC1$@EXAMPLE.COM" is PC1$ to samba-tool. */
static void
add_sam(struct args *a)
{
	size_t i, len;

	for (i = 0; i < a->n; i++) {
		if (strcmp(a->v[i].name, "account") != 0)
			continue;
		len = strcspn(a->v[i].value, "@");
		if (len < sizeof(a->sam)) {
			memcpy(a->sam, a->v[i].value, len);
			a->sam[len] = '\0';
			add_arg(a, "sam", a->sam);
		}
		return;
	}
}

/* A finding's own values, then what holds for the whole of it. */
static void
collect_args(struct args *a, const struct ae_diag_finding *f,
    const json_t *facts, enum ae_diag_lang lang)
{
	static const struct {
		const char *name, *path;
	} common[] = {
		{ "account", "krb.principal" },
		{ "account", "host.principal" },
		{ "principal", "host.principal" },
		{ "host", "host.fqdn" },
		{ "host", "host.name" },
		{ "domain", "dc.domain" },
		{ "dc", "dc.host" },
	};
	const char *key;
	json_t *value;
	size_t i;

	a->n = 0;
	json_object_foreach(f->args, key, value)
	{
		add_value(a, key, value, lang);
	}
	for (i = 0; i < sizeof(common) / sizeof(common[0]); i++)
		add_arg(a, common[i].name, ae_fact_str(facts, common[i].path));
	/* Commands are for the one or the other. */
	if (ae_fact_yes(facts, "host.user"))
		add_arg(a, "user", "--user");
	else
		add_arg(a, "computer", ae_fact_str(facts, "host.name"));
	add_sam(a);
}

static json_t *
sentence(const char *s, const struct args *a)
{
	struct ae_wr w;
	json_t *j;

	ae_wr_init(&w, SENTENCE_MAX);
	ae_diag_fill(&w, s, a->v, a->n);
	j = json_string(ae_wr_cstr(&w));
	ae_wr_done(&w);
	return j;
}

/* All of them, or none: half of a fix may be worse than nothing. */
static json_t *
commands_json(const struct ae_diag_text *t, const struct args *a)
{
	json_t *list = json_array();
	struct ae_wr w;
	bool ok = true;
	size_t i;

	for (i = 0; i < t->ncommands && ok; i++) {
		if (!ae_diag_command_fits(&t->commands[i], a->v, a->n))
			continue;
		ae_wr_init(&w, SENTENCE_MAX);
		ok = ae_diag_command_render(&w, &t->commands[i], a->v, a->n);
		if (ok)
			(void)json_array_append_new(list,
			    json_pack("{s:s, s:s?}", "where",
				t->commands[i].where, "run", ae_wr_cstr(&w)));
		ae_wr_done(&w);
	}
	if (!ok)
		(void)json_array_clear(list);
	return list;
}

static json_t *
events_json(const struct ae_diag_text *t)
{
	json_t *list = json_array();
	char text[64];
	size_t i;

	for (i = 0; i < t->nevents; i++) {
		(void)snprintf(text, sizeof(text), "%s %u", t->events[i].source,
		    t->events[i].id);
		(void)json_array_append_new(list, json_string(text));
	}
	return list;
}

static json_t *
finding_json(const struct ae_diag_finding *f, const json_t *facts,
    enum ae_diag_lang lang)
{
	const struct ae_diag_text *t = ae_diag_text_find(f->check->id);
	json_t *j = json_pack(
	    "{s:s, s:s?}", "check_id", f->check->id, "subject", f->subject);
	char category[2] = "";
	struct args a;
	struct ae_wr w;

	collect_args(&a, f, facts, lang);
	(void)json_object_set_new(j, "seen", sentence(f->seen->say[lang], &a));
	if (t == NULL) /* a test sees to it that there are none */
		return j;
	/* A judge may know better which of several it is. */
	category[0] = ae_fact_str(f->args, "category") != NULL
	    ? ae_fact_text(f->args, "category")[0]
	    : t->category[0];
	(void)json_object_set_new(j, "category", json_string(category));
	(void)json_object_set_new(
	    j, "cause", sentence(t->say[lang][AE_DIAG_CAUSE], &a));
	(void)json_object_set_new(
	    j, "expected", sentence(t->say[lang][AE_DIAG_EXPECTED], &a));
	(void)json_object_set_new(
	    j, "fix", sentence(t->say[lang][AE_DIAG_FIX], &a));
	(void)json_object_set_new(j, "commands", commands_json(t, &a));
	ae_wr_init(&w, 512);
	ae_diag_who_render(&w, lang, t->who);
	(void)json_object_set_new(j, "who", json_string(ae_wr_cstr(&w)));
	ae_wr_done(&w);
	(void)json_object_set_new(j, "events", events_json(t));
	return j;
}

/* ---- what is unknown, by its reason ---- */

static json_t *
same_reason(json_t *list, const json_t *why, const char *of)
{
	const char *because = json_string_value(why);
	json_t *j;
	size_t i;

	if (because == NULL)
		because = "";

	json_array_foreach(list, i, j)
	{
		if (strcmp(ae_fact_text(j, "because"), because) == 0 &&
		    strcmp(ae_fact_text(j, "of"), of) == 0)
			return j;
	}
	j = json_pack("{s:s, s:s?, s:[]}", "because", because, "of",
	    of[0] == '\0' ? NULL : of, "checks");
	(void)json_array_append_new(list, j);
	return j;
}

/* The finding at the end of the chain of explanations. */
static const struct ae_diag_finding *
root_of(const struct ae_diag *d, size_t i)
{
	size_t n;

	for (n = 0; n < d->n && d->v[i].cause != AE_DIAG_NOBODY; n++)
		i = d->v[i].cause;
	return &d->v[i];
}

static void
put_unknown(json_t *list, const struct ae_diag *d, size_t i,
    const json_t *facts, enum ae_diag_lang lang)
{
	const struct ae_diag_finding *f = &d->v[i], *root = root_of(d, i);
	struct args a;
	json_t *j, *why;

	collect_args(&a, f, facts, lang);
	why = sentence(f->seen->say[lang], &a);
	j = same_reason(list, why, root == f ? "" : root->check->id);
	json_decref(why);
	(void)json_array_append_new(
	    json_object_get(j, "checks"), json_string(f->check->id));
}

/* ---- the whole ---- */

/* A reason of plan in the reader's language; what passes is only named. */
static json_t *
reason_json(const json_t *facts, const json_t *item, const json_t *reason,
    enum ae_diag_lang lang)
{
	const char *check = ae_fact_text(reason, "check");
	const struct ae_diag_text *t = ae_diag_text_find(check);
	struct ae_diag_finding f = { .seen = ae_diag_seen_find(check, "") };
	json_t *j = json_pack("{s:s, s:s}", "check", check, "verdict",
	    ae_fact_text(reason, "verdict"));
	struct args a;

	if (ae_fact_is(reason, "verdict", "pass"))
		return j;
	f.args = ae_diag_reason_args(facts, item, reason);
	collect_args(&a, &f, facts, lang);
	if (f.seen != NULL)
		(void)json_object_set_new(
		    j, "text", sentence(f.seen->say[lang], &a));
	else if (t != NULL)
		(void)json_object_set_new(
		    j, "text", sentence(t->say[lang][AE_DIAG_CAUSE], &a));
	json_decref(f.args);
	return j;
}

static json_t *
reasons_json(const json_t *facts, const json_t *item, enum ae_diag_lang lang)
{
	json_t *list = json_array();
	const json_t *reason;
	size_t i;

	json_array_foreach(json_object_get(item, "reasons"), i, reason)
	{
		(void)json_array_append_new(
		    list, reason_json(facts, item, reason, lang));
	}
	return list;
}

static json_t *
matrix(const json_t *facts, enum ae_diag_lang lang)
{
	json_t *list = json_array(), *j;
	const json_t *item;
	size_t i;

	json_array_foreach(ae_fact(facts, "plan.plan"), i, item)
	{
		j = json_pack("{s:s, s:s, s:b, s:o}", "template",
		    ae_fact_text(item, "template"), "action",
		    ae_fact_text(item, "action"), "ours",
		    ae_diag_is_ours(facts, item), "reasons",
		    reasons_json(facts, item, lang));
		(void)json_array_append_new(list, j);
	}
	return list;
}

/* Every row and what it found, in walk order. */
static json_t *
walk_json(const struct ae_diag *d)
{
	const struct ae_diag_check *row;
	const struct ae_diag_stage *s;
	json_t *list = json_array();

	for (s = d->stages; s->name != NULL; s++)
		for (row = s->v; row->id != NULL; row++)
			(void)json_array_append_new(list,
			    json_pack("{s:s, s:s, s:s}", "stage", s->name,
				"check_id", row->id, "verdict",
				ae_diag_verdict_name(
				    ae_diag_verdict_of(d, row))));
	return list;
}

/* How each probe went, and why not to its end. */
static json_t *
probes_json(const json_t *facts, enum ae_diag_lang lang)
{
	json_t *all = json_object(), *how, *j;
	struct ae_diag_finding f;
	struct ae_fact_why why;
	const char *name;
	struct args a;

	json_object_foreach(json_object_get(facts, "probes"), name, how)
	{
		j = json_pack("{s:O?, s:O?}", "state",
		    json_object_get(how, "state"), "ms",
		    json_object_get(how, "ms"));
		if (!ae_fact_is(how, "state", "done")) {
			ae_fact_why(&why, facts, name);
			f = (struct ae_diag_finding){ .args = ae_diag_why_args(
							  &why),
				.seen = ae_diag_seen_find("", why.seen) };
			collect_args(&a, &f, facts, lang);
			(void)json_object_set_new(
			    j, "because", sentence(f.seen->say[lang], &a));
			json_decref(f.args);
		}
		(void)json_object_set_new(all, name, j);
	}
	return all;
}

/*
 * Without the plan, the way to a CA, or the answer to a request that was made
 * to learn it, nothing can be said to be in order;
 * something smaller that was not seen is only listed.
 */
static bool
is_decided(const json_t *facts)
{
	return ae_fact(facts, "server.config") != NULL ||
	    (ae_fact(facts, "plan.plan") != NULL &&
		ae_fact(facts, "dcom") != NULL && !ae_diag_live_is_open(facts));
}

static void
put_category(json_t *r, const json_t *facts, enum ae_diag_lang lang)
{
	const char *letter = ae_fact_str(r, "root.category");
	char key[32];

	if (letter == NULL)
		letter = is_decided(facts) ? "ok" : "unknown";
	(void)snprintf(key, sizeof(key), "category.%s", letter);
	(void)json_object_set_new(r, "category", json_string(letter));
	(void)json_object_set_new(
	    r, "category_text", json_string(ae_diag_frame(lang, key)));
}

json_t *
ae_diag_report(
    const struct ae_diag *d, const json_t *facts, enum ae_diag_lang lang)
{
	json_t *also = json_array(), *folded = json_array(),
	       *harmless = json_array(), *unknown = json_array(), *r, *one;
	size_t i;

	r = json_pack("{s:s, s:s, s:s?, s:n}", "host",
	    ae_fact_text(facts, "host.name"), "account",
	    ae_fact_str(facts, "krb.principal") != NULL
		? ae_fact_text(facts, "krb.principal")
		: ae_fact_text(facts, "host.principal"),
	    "template", ae_fact_str(facts, "asked.template"), "root");
	for (i = 0; i < d->n; i++) {
		const struct ae_diag_finding *f = &d->v[i];

		if (f->verdict == AE_DIAG_UNKNOWN) {
			put_unknown(unknown, d, i, facts, lang);
			continue;
		}
		one = finding_json(f, facts, lang);
		if (f->verdict == AE_DIAG_HARMLESS) {
			(void)json_array_append_new(harmless, one);
		} else if (i == d->root) {
			(void)json_object_set_new(r, "root", one);
		} else if (f->cause == AE_DIAG_NOBODY) {
			(void)json_array_append_new(also, one);
		} else {
			(void)json_object_set_new(
			    one, "of", json_string(root_of(d, i)->check->id));
			(void)json_array_append_new(folded, one);
		}
	}
	(void)json_object_set_new(r, "also", also);
	(void)json_object_set_new(r, "consequences", folded);
	(void)json_object_set_new(r, "harmless", harmless);
	(void)json_object_set_new(r, "unknown", unknown);
	(void)json_object_set_new(r, "others", ae_diag_others(facts, lang));
	(void)json_object_set_new(r, "matrix", matrix(facts, lang));
	(void)json_object_set_new(r, "walk", walk_json(d));
	(void)json_object_set_new(
	    r, "checks", json_integer((json_int_t)d->nchecks));
	(void)json_object_set_new(
	    r, "fine", json_integer((json_int_t)d->nfine));
	(void)json_object_set_new(r, "probes", probes_json(facts, lang));
	(void)json_object_set_new(r, "ways", ae_diag_ways(facts));
	(void)json_object_set_new(r, "measured", ae_diag_measured(facts));
	(void)json_object_set_new(
	    r, "time", json_string(ae_fact_text(facts, "asked.time")));
	put_category(r, facts, lang);
	return r;
}
