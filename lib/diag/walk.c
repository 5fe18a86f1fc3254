/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The walk over the checks and who explains whom; see diag.h.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "diag/checks.h"
#include "diag/text.h"

struct ae_diag_walk {
	struct ae_diag *d;
	const json_t *facts;
	const struct ae_diag_check *row;
	size_t room;
	bool failed; /* out of memory */
};

const char *
ae_diag_verdict_name(enum ae_diag_verdict v)
{
	static const char *const names[] = { [AE_DIAG_FINE] = "fine",
		[AE_DIAG_FAIL] = "fail",
		[AE_DIAG_HARMLESS] = "harmless",
		[AE_DIAG_UNKNOWN] = "unknown" };

	return names[v];
}

const struct ae_diag_check *
ae_diag_find(const char *id, const struct ae_diag_stage **stage)
{
	const struct ae_diag_check *row;
	const struct ae_diag_stage *s;

	for (s = ae_diag_stages; s->name != NULL; s++) {
		for (row = s->v; row->id != NULL; row++) {
			if (strcmp(row->id, id) != 0)
				continue;
			if (stage != NULL)
				*stage = s;
			return row;
		}
	}
	return NULL;
}

bool
ae_diag_match(const char *patterns, const char *id)
{
	size_t len;

	if (patterns == NULL)
		return false;
	for (; *patterns != '\0'; patterns += len) {
		patterns += strspn(patterns, " ");
		len = strcspn(patterns, " ");
		if (len > 1 && patterns[len - 1] == '*' &&
		    strncmp(patterns, id, len - 1) == 0)
			return true;
		if (strlen(id) == len && strncmp(patterns, id, len) == 0)
			return true;
	}
	return false;
}

const json_t *
ae_diag_facts(const struct ae_diag_walk *w)
{
	return w->facts;
}

const struct ae_diag_check *
ae_diag_row(const struct ae_diag_walk *w)
{
	return w->row;
}

static bool
same_subject(const char *a, const char *b)
{
	return a == NULL || b == NULL || ae_str_eq_nocase(a, b);
}

bool
ae_diag_failed(
    const struct ae_diag_walk *w, const char *patterns, const char *subject)
{
	const struct ae_diag *d = w->d;
	size_t i;

	for (i = 0; i < d->n; i++)
		if (d->v[i].verdict == AE_DIAG_FAIL &&
		    ae_diag_match(patterns, d->v[i].check->id) &&
		    same_subject(subject, d->v[i].subject))
			return true;
	return false;
}

static struct ae_diag_finding *
grow(struct ae_diag_walk *w)
{
	struct ae_diag *d = w->d;
	struct ae_diag_finding *v;

	if (d->n == w->room) {
		w->room = w->room == 0 ? 32 : 2 * w->room;
		v = reallocarray(d->v, w->room, sizeof(*v));
		if (v == NULL)
			return NULL;
		d->v = v;
	}
	v = &d->v[d->n++];
	memset(v, 0, sizeof(*v));
	return v;
}

static struct ae_diag_finding *
add(struct ae_diag_walk *w, enum ae_diag_verdict verdict, const char *subject,
    json_t *args)
{
	struct ae_diag_finding *f;

	if (w->d->n == AE_DIAG_FINDINGS_MAX) {
		json_decref(args);
		return NULL;
	}
	f = grow(w);
	if (f == NULL) {
		w->failed = true;
		json_decref(args);
		return NULL;
	}
	f->check = w->row;
	f->verdict = verdict;
	f->cause = AE_DIAG_NOBODY;
	f->args = args != NULL ? args : json_object();
	if (subject != NULL) {
		f->subject = strdup(subject);
		w->failed |= f->subject == NULL;
		(void)json_object_set_new(
		    f->args, "subject", json_string(subject));
	}
	w->failed |= f->args == NULL;
	return f;
}

void
ae_diag_say(struct ae_diag_walk *w, enum ae_diag_verdict verdict,
    const char *subject, json_t *args, const char *seen)
{
	struct ae_diag_finding *f = add(w, verdict, subject, args);

	if (f == NULL)
		return;
	f->seen = ae_diag_seen_find(w->row->id, seen);
	assert(f->seen != NULL);
}

void
ae_diag_say_why(struct ae_diag_walk *w, enum ae_diag_verdict verdict,
    json_t *args, const char *path)
{
	struct ae_fact_why why;

	ae_fact_why(&why, w->facts, path);
	if (args == NULL)
		args = json_object();
	(void)json_object_update_new(args, ae_diag_why_args(&why));
	ae_diag_say(w, verdict, NULL, args, why.seen);
}

static void
judge(struct ae_diag_walk *w, const struct ae_diag_check *row)
{
	w->row = row;
	if (row->fact != NULL && ae_fact(w->facts, row->fact) == NULL)
		ae_diag_say_why(w, AE_DIAG_UNKNOWN, NULL, row->fact);
	else
		row->judge(w);
	w->d->nchecks++;
}

/*
 * Who explains finding i: the first failed one that its row names.  Nobody
 * explains himself, and of two that name each other the earlier stands.
 */
static size_t
explained_by(const struct ae_diag *d, size_t i)
{
	const struct ae_diag_finding *f = &d->v[i], *c;
	size_t k;

	if (f->verdict == AE_DIAG_HARMLESS || f->check->after == NULL)
		return AE_DIAG_NOBODY;
	for (k = 0; k < d->n; k++) {
		c = &d->v[k];
		if (k == i || c->verdict != AE_DIAG_FAIL ||
		    strcmp(c->check->id, f->check->id) == 0 ||
		    !ae_diag_match(f->check->after, c->check->id) ||
		    !same_subject(f->subject, c->subject))
			continue;
		if (k > i && ae_diag_match(c->check->after, f->check->id))
			continue;
		return k;
	}
	return AE_DIAG_NOBODY;
}

static void
fold(struct ae_diag *d)
{
	size_t i;

	d->root = AE_DIAG_NOBODY;
	for (i = 0; i < d->n; i++)
		d->v[i].cause = explained_by(d, i);
	for (i = 0; i < d->n; i++)
		if (d->v[i].verdict == AE_DIAG_FAIL &&
		    d->v[i].cause == AE_DIAG_NOBODY &&
		    d->root == AE_DIAG_NOBODY)
			d->root = i;
}

/* The order in which a row's findings weigh. */
static int
weight(enum ae_diag_verdict v)
{
	return v == AE_DIAG_FAIL    ? 3
	    : v == AE_DIAG_UNKNOWN  ? 2
	    : v == AE_DIAG_HARMLESS ? 1
				    : 0;
}

enum ae_diag_verdict
ae_diag_verdict_of(const struct ae_diag *d, const struct ae_diag_check *row)
{
	enum ae_diag_verdict v = AE_DIAG_FINE;
	bool said = false, cut = false;
	size_t i;

	for (i = 0; i < d->n; i++) {
		const struct ae_diag_finding *f = &d->v[i];

		if (f->check == row) {
			said = true;
			if (weight(f->verdict) > weight(v))
				v = f->verdict;
		} else if (f->verdict == AE_DIAG_FAIL) {
			cut |= ae_diag_match(row->after, f->check->id);
		}
	}
	return !said && cut ? AE_DIAG_UNKNOWN : v;
}

static void
count_fine(struct ae_diag *d)
{
	const struct ae_diag_check *row;
	const struct ae_diag_stage *s;

	for (s = d->stages; s->name != NULL; s++)
		for (row = s->v; row->id != NULL; row++)
			d->nfine += ae_diag_verdict_of(d, row) == AE_DIAG_FINE;
}

static int
walk(struct ae_diag **out, const struct ae_diag_stage *stages,
    const json_t *facts, struct ae_err *e)
{
	const struct ae_diag_check *row;
	const struct ae_diag_stage *s;
	struct ae_diag_walk w = { .facts = facts };

	w.d = calloc(1, sizeof(*w.d));
	if (w.d == NULL)
		return ae_fail_mem(e);
	w.d->stages = stages;
	for (s = stages; s->name != NULL; s++)
		for (row = s->v; row->id != NULL; row++)
			judge(&w, row);
	if (w.failed) {
		ae_diag_free(w.d);
		return ae_fail_mem(e);
	}
	fold(w.d);
	count_fine(w.d);
	*out = w.d;
	return AE_OK;
}

int
ae_diag_make(struct ae_diag **out, const json_t *facts, struct ae_err *e)
{
	return walk(out, ae_diag_stages, facts, e);
}

int
ae_diag_make_server(struct ae_diag **out, const json_t *facts, struct ae_err *e)
{
	return walk(out, ae_diag_server_stages, facts, e);
}

void
ae_diag_free(struct ae_diag *d)
{
	size_t i;

	if (d == NULL)
		return;
	for (i = 0; i < d->n; i++) {
		free(d->v[i].subject);
		json_decref(d->v[i].args);
	}
	free(d->v);
	free(d);
}
