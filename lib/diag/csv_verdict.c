/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Judging what was collected from a host's events; see csv_judge.h.  The
 * rules are those of the walk: what comes first in it is the cause; what
 * worked later is past; a code with several causes accuses none of them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "diag/csv_int.h"

#define CHECKS_MAX 32

static bool
is(const struct ae_diag_ev *ev, const char *source, unsigned id)
{
	return ev->event.id == id && strcmp(ev->event.source, source) == 0;
}

/* A request was on its way to a CA, or at it. */
static bool
sent(const struct ae_diag_ev *ev)
{
	return is(ev, "CE", 13) || is(ev, "CE", 16) || is(ev, "CE", 17) ||
	    is(ev, "CE", 18) || is(ev, "CE", 53) || is(ev, "CE", 54) ||
	    is(ev, "CE", 82) || is(ev, "CE", 21) || is(ev, "CE", 22);
}

/* ---- causes ---- */

static size_t
both(const struct ae_diag_text **out, const struct ae_diag_text *const *a,
    size_t na, const struct ae_diag_text *const *b, size_t nb)
{
	size_t i, k, n = 0;

	for (i = 0; i < na; i++) {
		for (k = 0; k < nb && b[k] != a[i]; k++)
			;
		if (k < nb && n < AE_DIAG_FOUND_CHECKS)
			out[n++] = a[i];
	}
	return n;
}

/* Has the code questions that tell its causes apart? */
static bool
has_questions(const struct ae_diag_ev *ev)
{
	const struct ae_diag_code code = { AE_DIAG_HRESULT, ev->code };
	const struct ae_diag_meaning *m;
	char key[AE_DIAG_KEY_MAX];

	m = ae_diag_meaning_find(ae_diag_code_key(key, &code));
	return m != NULL && m->nasks > 0;
}

/* Of a run that did not get as far as a template: not what is about a CA. */
static size_t
before_templates(const struct ae_diag_text **list, size_t n)
{
	static const char *const rooms[] = { "env.", "join.", "time.",
		"dns.resolver-wrong", "dc.", "policy.", "cep.", "trigger.",
		"ad." };
	size_t i, k, kept = 0;

	for (i = 0; i < n; i++)
		for (k = 0; k < sizeof(rooms) / sizeof(rooms[0]); k++)
			if (strncmp(list[i]->id, rooms[k], strlen(rooms[k])) ==
			    0) {
				list[kept++] = list[i];
				break;
			}
	return kept;
}

/*
 * A code with several causes keeps them all, since from here the questions
 * cannot be answered; of any other those count that fit the event.  With a
 * response that could not be installed the code is about that.
 */
static void
causes(struct ae_diag_found *f)
{
	const struct ae_diag_text *a[CHECKS_MAX], *b[CHECKS_MAX];
	const struct ae_diag_code code = { AE_DIAG_HRESULT, f->ev.code };
	bool installing = is(&f->ev, "CE", 31) || is(&f->ev, "CE", 50);
	size_t na = 0, nb;

	nb = ae_diag_event_checks(b, CHECKS_MAX, &f->ev.event);
	if (f->ev.coded)
		na = ae_diag_code_checks(a, CHECKS_MAX, &code);
	if (ae_diag_role(&f->ev) == ROLE_DIRECTORY)
		na = before_templates(a, na);
	if (installing || !has_questions(&f->ev))
		f->nchecks = both(f->checks, a, na, b, nb);
	if (f->nchecks > 0)
		return;
	if (na == 0) {
		memcpy(a, b, nb * sizeof(b[0]));
		na = sent(&f->ev) && f->ev.coded ? 0 : nb;
		f->by_event = na > 0;
	}
	f->nchecks = na < AE_DIAG_FOUND_CHECKS ? na : AE_DIAG_FOUND_CHECKS;
	memcpy(f->checks, a, f->nchecks * sizeof(a[0]));
}

static char
category(const struct ae_diag_found *f)
{
	const struct ae_diag_ev *ev = &f->ev;

	if (is(ev, "CE", 21) || is(ev, "CE", 22) || is(ev, "CE", 32))
		return 'P';
	if (is(ev, "CE", 9) || (sent(ev) && ev->code >> 12 == 0x80094))
		return 'D';
	if (is(ev, "AE", 64))
		return 'R';
	if (ae_diag_role(ev) == ROLE_DIRECTORY)
		return 'N'; /* whatever kept it away, nothing was requested */
	return f->nchecks > 0 ? f->checks[0]->category[0] : '?';
}

static void
name(struct ae_diag_found *f)
{
	const struct ae_diag_code code = { AE_DIAG_HRESULT, f->ev.code };

	if (f->nchecks == 1) {
		f->key = f->checks[0]->id;
		return;
	}
	if (f->ev.coded && !f->by_event)
		(void)ae_diag_code_key(f->key_buf, &code);
	else
		(void)snprintf(f->key_buf, sizeof(f->key_buf), "%s %u",
		    f->ev.event.source, f->ev.event.id);
	f->key = f->key_buf;
}

/* ---- time ---- */

/* Is something of s newer than all of f? */
static bool
newer(const struct ae_diag_judge *j, const struct span *s, const struct span *f)
{
	if (!s->any)
		return false;
	return j->v.newest_first ? s->min < f->min : s->max > f->max;
}

static bool
newer_for(const struct ae_diag_judge *j, const struct span *spans,
    const struct collected *c)
{
	size_t i;

	for (i = 0; i < AE_DIAG_FORS; i++)
		if ((i == (size_t)c->f.ev.whose ||
			c->f.ev.whose == AE_DIAG_FOR_UNKNOWN) &&
		    newer(j, &spans[i], &c->span))
			return true;
	return false;
}

static bool
issued_later(const struct ae_diag_judge *j, const struct collected *c)
{
	size_t i;

	if (c->f.ev.template[0] == '\0')
		return newer_for(j, j->issued_any, c);
	for (i = 0; i < j->nissued; i++)
		if (j->issued[i].whose == c->f.ev.whose &&
		    strcmp(j->issued[i].template, c->f.ev.template) == 0 &&
		    newer(j, &j->issued[i].span, &c->span))
			return true;
	return false;
}

static bool
anything_sent(const struct ae_diag_judge *j, enum ae_diag_ev_for whose)
{
	size_t i;

	if (j->issued_any[whose].any)
		return true;
	for (i = 0; i < j->nfound; i++)
		if (j->found[i].f.ev.whose == whose && sent(&j->found[i].f.ev))
			return true;
	return false;
}

static enum ae_diag_state
state(const struct ae_diag_judge *j, const struct collected *c)
{
	const struct ae_diag_ev *ev = &c->f.ev;

	switch (ae_diag_role(ev)) {
	case ROLE_NOISE:
		/* A key was made all the same, by another provider. */
		return (is(ev, "CE", 57) || is(ev, "CE", 58)) &&
			!anything_sent(j, ev->whose)
		    ? AE_DIAG_OPEN
		    : AE_DIAG_HARMLESS;
	case ROLE_DIRECTORY:
		if (newer_for(j, j->policy, c) ||
		    newer_for(j, j->issued_any, c) ||
		    newer_for(j, j->beyond, c))
			return AE_DIAG_PAST;
		return AE_DIAG_OPEN;
	default:
		break;
	}
	if (!issued_later(j, c))
		return AE_DIAG_OPEN;
	return is(ev, "CE", 17) || is(ev, "CE", 18) || is(ev, "CE", 53)
	    ? AE_DIAG_HARMLESS
	    : AE_DIAG_PAST;
}

/* A provider that wants to ask: often the echo of what failed before it. */
static bool
echo(const struct ae_diag_ev *ev)
{
	return ev->code == 0x80090022u || ev->code == 0x8009002eu ||
	    is(ev, "CE", 5); /* no template is left: each had its reason */
}

/* What only follows from another finding of the same account. */
static void
fold_echoes(struct ae_diag_judge *j)
{
	size_t i, k;

	for (i = 0; i < j->nfound; i++) {
		struct ae_diag_found *f = &j->found[i].f;

		for (k = 0; k < j->nfound && echo(&f->ev); k++)
			if (j->found[k].f.state == AE_DIAG_OPEN &&
			    f->state == AE_DIAG_OPEN &&
			    j->found[k].f.ev.whose == f->ev.whose &&
			    !echo(&j->found[k].f.ev))
				f->state = AE_DIAG_HARMLESS;
	}
}

/* ---- the whole ---- */

static void
finish(struct ae_diag_judge *j, struct collected *c)
{
	const struct ae_diag_ev *old = j->v.newest_first ? &c->last : &c->first;

	c->f.ev = j->v.newest_first ? c->first : c->last;
	c->f.newest_line = c->f.ev.line;
	c->f.oldest_line = old->line;
	memcpy(c->f.oldest, old->time, sizeof(old->time));
	causes(&c->f);
	c->f.category = category(&c->f);
	name(&c->f);
}

static size_t
order(const struct ae_diag_found *f)
{
	size_t i, least = ae_diag_ntexts, at;

	for (i = 0; i < f->nchecks; i++) {
		at = ae_diag_text_order(f->checks[i]);
		if (at < least)
			least = at;
	}
	return least;
}

static int
by_walk(const void *a, const void *b)
{
	const struct ae_diag_found *x = *(const struct ae_diag_found *const *)a;
	const struct ae_diag_found *y = *(const struct ae_diag_found *const *)b;
	size_t ox = order(x), oy = order(y);

	if (x->state != y->state)
		return x->state < y->state ? -1 : 1;
	if (ox != oy)
		return ox < oy ? -1 : 1;
	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	return x->newest_line < y->newest_line ? -1 : 1;
}

/* A run that says nothing is a finding of its own; ev: first and last. */
static void
add_symptom(struct ae_diag_judge *j, const char *key, const char *seen,
    const struct ae_diag_ev *ev, size_t count)
{
	const struct ae_diag_meaning *m = ae_diag_meaning_find(key);
	struct collected *c = &j->found[j->nfound];
	const struct ae_diag_ev *first = &ev[0], *last = &ev[count > 1];
	size_t i;

	if (m == NULL || j->nfound >= AE_DIAG_FOUND_MAX + 2)
		return;
	j->nfound++;
	c->first = *first;
	c->last = *last;
	c->f.ev = j->v.newest_first ? *first : *last;
	c->f.ev.message = NULL;
	c->f.count = count;
	c->f.newest_line = c->f.ev.line;
	c->f.oldest_line = j->v.newest_first ? last->line : first->line;
	memcpy(c->f.oldest, j->v.newest_first ? last->time : first->time,
	    sizeof(c->f.oldest));
	(void)snprintf(c->f.text, sizeof(c->f.text), "%s", seen);
	c->f.category = 'N';
	c->f.key = m->key;
	for (i = 0; i < m->nasks && c->f.nchecks < AE_DIAG_FOUND_CHECKS; i++)
		c->f.checks[c->f.nchecks++] = ae_diag_text_find(m->asks[i].id);
}

static void
add_symptoms(struct ae_diag_judge *j)
{
	const struct runs *runs = &j->runs[j->v.newest_first ? 1 : 0];
	size_t i;

	for (i = 0; i < j->nfound; i++)
		if (j->found[i].f.state == AE_DIAG_OPEN)
			return;
	if (runs->off > 0 && runs->off >= runs->quiet)
		add_symptom(
		    j, "policy-off", "AE 2, AE 3", runs->off_ev, runs->off);
	else if (runs->quiet > 0 && !j->issued_any[runs->quiet_ev[0].whose].any)
		add_symptom(j, "nothing-happens",
		    "AE 2, AE 4, CE 65, CE 64, AE 5, AE 3", runs->quiet_ev,
		    runs->quiet);
}

static char
without_root(const struct ae_diag_verdict *v)
{
	return v->issued > 0 || v->runs > 0 ? 'O' : '?';
}

const struct ae_diag_verdict *
ae_diag_judge_end(struct ae_diag_judge *j)
{
	struct ae_diag_verdict *v = &j->v;
	char swap[AE_DIAG_EV_TIME_MAX];
	size_t i;

	v->newest_first = j->descending >= j->ascending;
	if (v->newest_first) {
		memcpy(swap, v->first, sizeof(swap));
		memcpy(v->first, v->last, sizeof(swap));
		memcpy(v->last, swap, sizeof(swap));
	}
	v->runs = j->runs[v->newest_first ? 1 : 0].n;
	v->quiet_runs = j->runs[v->newest_first ? 1 : 0].quiet;
	for (i = 0; i < j->nfound; i++)
		finish(j, &j->found[i]);
	for (i = 0; i < j->nfound; i++)
		j->found[i].f.state = state(j, &j->found[i]);
	fold_echoes(j);
	add_symptoms(j);
	for (i = 0; i < j->nfound; i++)
		v->found[v->nfound++] = &j->found[i].f;
	qsort(v->found, v->nfound, sizeof(v->found[0]), by_walk);
	v->key = "";
	v->category = without_root(v);
	if (v->nfound > 0 && v->found[0]->state == AE_DIAG_OPEN) {
		v->root = v->found[0];
		v->key = v->root->key;
		v->category = v->root->category;
	}
	return v;
}
