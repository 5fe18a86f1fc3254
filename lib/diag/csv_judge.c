/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Collecting the events of a host; see csv_judge.h.  Judging them is in
 * csv_verdict.c.
 */
#include "diag/csv_judge.h"

#include <stdlib.h>
#include <string.h>

#include "diag/csv_int.h"

struct ae_diag_judge *
ae_diag_judge_new(void)
{
	return calloc(1, sizeof(struct ae_diag_judge));
}

void
ae_diag_judge_free(struct ae_diag_judge *j)
{
	free(j);
}

/* What an event is to a run. */
static const struct {
	const char *source;
	unsigned id;
	enum ae_diag_role role;
} roles[] = {
	{ "AE", 2, ROLE_START },
	{ "AE", 3, ROLE_END },
	{ "AE", 4, ROLE_ENGINE },
	{ "AE", 5, ROLE_ENGINE },
	{ "CE", 64, ROLE_POLICY },
	{ "CE", 65, ROLE_POLICY },
	{ "CE", 66, ROLE_POLICY },
	{ "CE", 14, ROLE_ISSUED },
	{ "CE", 19, ROLE_ISSUED },
	{ "CE", 20, ROLE_ISSUED },
	{ "CE", 49, ROLE_ISSUED },
	{ "CSC", 1, ROLE_NOTHING },
	{ "CSC", 2, ROLE_NOTHING },
	{ "CSC", 3, ROLE_NOTHING },
	{ "CSC", 4, ROLE_NOTHING },
	{ "CE", 8, ROLE_NOTHING },
	{ "CE", 10, ROLE_NOTHING },
	{ "CE", 28, ROLE_NOTHING },
	{ "CE", 29, ROLE_NOTHING },
	{ "CE", 33, ROLE_NOTHING },
	{ "CE", 78, ROLE_NOTHING },
	{ "CE", 79, ROLE_NOTHING },
	{ "CE", 84, ROLE_NOTHING },
	{ "CE", 88, ROLE_NOTHING },
	/* Every healthy run may have these. */
	{ "CE", 41, ROLE_NOISE },
	{ "CE", 42, ROLE_NOISE },
	{ "CE", 51, ROLE_NOISE },
	{ "CE", 56, ROLE_NOISE },
	{ "CE", 57, ROLE_NOISE },
	{ "CE", 58, ROLE_NOISE },
	{ "CE", 77, ROLE_NOISE },
	{ "CSC", 502, ROLE_NOISE },
	/* The directory was not read: no template was looked at. */
	{ "AE", 1, ROLE_DIRECTORY },
	{ "AE", 6, ROLE_DIRECTORY },
	{ "AE", 15, ROLE_DIRECTORY },
	{ "CE", 4, ROLE_DIRECTORY },
	{ "CE", 12, ROLE_DIRECTORY },
	{ "CE", 15, ROLE_DIRECTORY },
	{ "CE", 63, ROLE_DIRECTORY },
	{ "CE", 67, ROLE_DIRECTORY },
	{ "CE", 68, ROLE_DIRECTORY },
	{ "CE", 70, ROLE_DIRECTORY },
	{ "CE", 72, ROLE_DIRECTORY },
	{ "CE", 74, ROLE_DIRECTORY },
	{ "CE", 75, ROLE_DIRECTORY },
};

enum ae_diag_role
ae_diag_role(const struct ae_diag_ev *ev)
{
	size_t i;

	for (i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
		if (roles[i].id == ev->event.id &&
		    strcmp(roles[i].source, ev->event.source) == 0)
			return roles[i].role;
	return strcmp(ev->event.source, "Lifecycle") == 0 ? ROLE_NOTHING
							  : ROLE_FINDING;
}

/* ---- runs ---- */

/*
 * What is between a start and an end is a run when the file has the oldest
 * first; what is between an end and a start, when it has the newest first.
 * Both are counted until the order is known.
 */
static void
mark(struct ae_diag_judge *j, const struct ae_diag_ev *ev,
    enum ae_diag_role role)
{
	struct run *r = &j->run[ev->whose];
	struct runs *runs;

	if (r->mark != ROLE_NOTHING && r->mark != role) {
		runs = &j->runs[r->mark == ROLE_END];
		runs->n++;
		if (!r->finding && !r->issued && r->engine) {
			runs->quiet_ev[runs->quiet > 0] = *ev;
			runs->quiet++;
		}
		if (!r->finding && !r->issued && !r->engine && !r->policy) {
			runs->off_ev[runs->off > 0] = *ev;
			runs->off++;
		}
	}
	*r = (struct run){ .mark = role };
}

static void
note_run(struct ae_diag_judge *j, const struct ae_diag_ev *ev,
    enum ae_diag_role role)
{
	struct run *r = &j->run[ev->whose];

	switch (role) {
	case ROLE_START:
	case ROLE_END:
		mark(j, ev, role);
		break;
	case ROLE_ENGINE:
		r->engine = true;
		break;
	case ROLE_POLICY:
		r->policy = true;
		break;
	case ROLE_ISSUED:
		r->issued = true;
		break;
	case ROLE_FINDING:
	case ROLE_DIRECTORY:
		r->finding = true;
		break;
	case ROLE_NOISE:
	case ROLE_NOTHING:
		break;
	}
}

/* ---- what is collected ---- */

static void
widen(struct span *s, size_t at)
{
	if (!s->any || at < s->min)
		s->min = at;
	if (!s->any || at > s->max)
		s->max = at;
	s->any = true;
}

static void
note_issued(struct ae_diag_judge *j, const struct ae_diag_ev *ev)
{
	size_t i;

	j->v.issued++;
	widen(&j->issued_any[ev->whose], j->at);
	for (i = 0; i < j->nissued; i++)
		if (j->issued[i].whose == ev->whose &&
		    strcmp(j->issued[i].template, ev->template) == 0)
			break;
	if (i == ISSUED_MAX)
		return;
	if (i == j->nissued) {
		j->nissued++;
		j->issued[i].whose = ev->whose;
		memcpy(
		    j->issued[i].template, ev->template, sizeof(ev->template));
	}
	widen(&j->issued[i].span, j->at);
}

/* On one line. */
static void
keep_text(struct ae_diag_found *f, const char *message)
{
	size_t n = 0;

	for (; *message != '\0' && n + 1 < sizeof(f->text); message++) {
		char c = (unsigned char)*message <= 0x20 ? ' ' : *message;

		if (c != ' ' || (n > 0 && f->text[n - 1] != ' '))
			f->text[n++] = c;
	}
	if (*message != '\0') /* cut, but not inside a character */
		while (n > 0 && ((unsigned char)f->text[n - 1] & 0xc0) == 0x80)
			n--;
	if (*message != '\0' && n > 0 &&
	    ((unsigned char)f->text[n - 1] & 0x80) != 0)
		n--;
	f->text[n] = '\0';
}

static bool
same(const struct ae_diag_ev *a, const struct ae_diag_ev *b)
{
	return a->event.id == b->event.id && a->code == b->code &&
	    a->whose == b->whose &&
	    strcmp(a->event.source, b->event.source) == 0 &&
	    strcmp(a->template, b->template) == 0 &&
	    strcmp(a->account, b->account) == 0;
}

/* Rows come in file order; which end is the newest is known later. */
static void
note_finding(struct ae_diag_judge *j, const struct ae_diag_ev *ev)
{
	struct collected *c;
	size_t i;

	for (i = 0; i < j->nfound && !same(&j->found[i].first, ev); i++)
		;
	if (i == AE_DIAG_FOUND_MAX) {
		j->v.dropped++;
		return;
	}
	c = &j->found[i];
	if (i == j->nfound) {
		j->nfound++;
		c->first = *ev;
		c->first.message = NULL;
		keep_text(&c->f, ev->message);
	}
	c->last = *ev;
	c->last.message = NULL;
	c->f.count++;
	widen(&c->span, j->at);
}

static void
note_order(struct ae_diag_judge *j, const struct ae_diag_ev *ev)
{
	int order;

	if (j->v.first[0] == '\0')
		memcpy(j->v.first, ev->time, sizeof(ev->time));
	order = ae_diag_csv_time_cmp(j->v.last, ev->time);
	if (order < 0)
		j->ascending++;
	else if (order > 0)
		j->descending++;
	memcpy(j->v.last, ev->time, sizeof(ev->time));
}

int
ae_diag_judge_row(
    void *arg, const struct ae_diag_csv_row *row, struct ae_err *e)
{
	struct ae_diag_judge *j = arg;
	struct ae_diag_ev ev;
	enum ae_diag_role role;
	int rc;

	if (!j->named) {
		if (row->n > 0 && strncmp(row->field[0], "#TYPE", 5) == 0)
			return AE_OK;
		rc = ae_diag_csv_columns(&j->cols, row, e);
		j->named = rc == AE_OK;
		return rc;
	}
	j->v.cut_rows += row->cut;
	if (!ae_diag_csv_event(&ev, &j->cols, row)) {
		j->v.bad_rows++;
		return AE_OK;
	}
	j->v.rows++;
	j->at++;
	if (ev.host[0] != '\0')
		memcpy(j->v.host, ev.host, sizeof(ev.host));
	note_order(j, &ev);
	role = ae_diag_role(&ev);
	note_run(j, &ev, role);
	if (role == ROLE_POLICY)
		widen(&j->policy[ev.whose], j->at);
	else if (role == ROLE_ISSUED)
		note_issued(j, &ev);
	else if (role >= ROLE_NOISE)
		note_finding(j, &ev);
	if (role == ROLE_FINDING)
		widen(&j->beyond[ev.whose], j->at);
	return AE_OK;
}
