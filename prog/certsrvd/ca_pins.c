/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Pinned templates (ESC4): the parent passes their files on unread, here they
 * are read, put in the place of what the directory says, and compared with
 * it.  While they differ there is an alarm; a pin that is not good lets
 * nobody have its template.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ad/template.h"
#include "base/time.h"
#include "ca.h"
#include "ca/changes.h"
#include "ca/pins.h"
#include "sys/clock.h"

#define TEXT_MAX 800u /* of an event's text */

static void
pins_free(struct pins *l)
{
	size_t i;

	for (i = 0; l != NULL && i < l->n; i++) {
		free(l->v[i].file);
		ae_template_free(l->v[i].t);
		free(l->v[i].error);
		free(l->v[i].told);
	}
	if (l != NULL)
		free(l->v);
	free(l);
}

/* Of this template, whether its file is good or not. */
static struct pin *
pin_of(const struct pins *l, const char *cn)
{
	const size_t n = strlen(cn);
	size_t i;

	for (i = 0; l != NULL && i < l->n; i++)
		if (strncasecmp(l->v[i].file, cn, n) == 0 &&
		    strcasecmp(l->v[i].file + n, AE_CA_PIN_SUFFIX) == 0)
			return &l->v[i];
	return NULL;
}

/* ---- files ---- */

static int
take_file(struct ca *ca, struct ae_rd *r, struct ae_arena *a, struct ae_err *e)
{
	struct ae_err why = AE_ERR_INIT;
	const char *name = get_str(r, a), *error = get_str(r, a);
	const uint8_t *text;
	struct pins *l = ca->pins_next;
	struct pin *v;
	size_t len;

	text = get_bytes(r, &len);
	if (!ae_rd_done(r) || name == NULL)
		return bad_message(r, "PIN_FILE", e);
	if (l == NULL && (l = ca->pins_next = calloc(1, sizeof(*l))) == NULL)
		return ae_fail_mem(e);
	if (l->n == AE_CA_PINS_MAX)
		return ae_fail(
		    e, AE_EPROTO, AE_DOM_NONE, 0, "too many pinned templates");
	v = realloc(l->v, (l->n + 1) * sizeof(*v));
	if (v == NULL)
		return ae_fail_mem(e);
	l->v = v;
	v += l->n++;
	memset(v, 0, sizeof(*v));
	v->file = strdup(name);
	if (v->file == NULL)
		return ae_fail_mem(e);
	if (error == NULL && ae_ca_pin_parse(&v->t, name, text, len, &why) < 0)
		error = why.text;
	if (error != NULL && (v->error = strdup(error)) == NULL)
		return ae_fail_mem(e);
	return AE_OK;
}

/* What was wrong before and still is, is not told again. */
static void
inherit(struct pins *now, struct pins *before)
{
	struct pin *old;
	size_t i, k;

	for (i = 0; before != NULL && i < now->n; i++)
		for (k = 0; k < before->n; k++) {
			old = &before->v[k];
			if (strcmp(old->file, now->v[i].file) != 0)
				continue;
			now->v[i].told = old->told;
			now->v[i].since = old->since;
			old->told = NULL;
		}
}

/* All were told: they count from now on. */
static int
take_set(struct ca *ca, uint32_t n, struct ae_err *e)
{
	struct pins *l = ca->pins_next;

	if (l == NULL && (l = calloc(1, sizeof(*l))) == NULL)
		return ae_fail_mem(e);
	ca->pins_next = NULL;
	if (n != l->n) {
		pins_free(l);
		return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
		    "%u pinned templates were announced", n);
	}
	inherit(l, ca->pins);
	pins_free(ca->pins);
	ca->pins = l;
	if (l->n > 0)
		log_line(ca->p, AE_LOG_NOTICE, "pinned templates: %zu", l->n);
	return snapshot_again(ca, e);
}

int
ca_pins(struct proc *p, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct ca *ca = p->state;
	struct ae_arena *a;
	struct ae_rd r;
	uint32_t n;
	int rc;

	ae_rd_init(&r, m->body, m->len);
	if (m->type == MSG_PIN_FILE) {
		a = ae_arena_new(2 * MSG_TEXT_MAX);
		rc = a == NULL ? ae_fail_mem(e) : take_file(ca, &r, a, e);
		ae_arena_free(a);
		return rc;
	}
	n = ae_rd_u32(&r);
	if (!ae_rd_done(&r))
		return bad_message(&r, "PINS", e);
	return take_set(ca, n, e);
}

/* ---- what counts ---- */

int
pins_apply(struct ca *ca, struct snapshot *s, struct ae_err *e)
{
	const struct ae_pki *pki = s->pki;
	const struct ae_template **v = calloc(pki->ntemplates + 1, sizeof(*v));
	const struct pin *pin;
	size_t i;
	int rc;

	s->templates.v = (const struct ae_template *const *)v;
	s->own = calloc(pki->ntemplates + 1, sizeof(*s->own));
	if (v == NULL || s->own == NULL)
		return ae_fail_mem(e);
	for (i = 0; i < pki->ntemplates; i++) {
		pin = pin_of(ca->pins, pki->templates[i]->cn);
		if (pin == NULL) {
			v[s->templates.n++] = pki->templates[i];
			continue;
		}
		if (pin->t == NULL)
			continue; /* not offered until it is repaired */
		rc = ae_ca_pin_apply(&s->own[i], pin->t, pki->templates[i], e);
		if (rc < 0)
			return rc;
		v[s->templates.n++] = s->own[i];
	}
	return AE_OK;
}

/* ---- the alarm ---- */

static const struct ae_template *
in_directory(const struct ca *ca, const char *cn)
{
	const struct ae_pki *pki = ca->snapshot->pki;
	size_t i;

	for (i = 0; i < pki->ntemplates; i++)
		if (ae_str_eq_nocase(pki->templates[i]->cn, cn))
			return pki->templates[i];
	return NULL;
}

/* Into w what is wrong with it; nothing: all is well. */
static void
judge(struct ae_wr *w, const struct ca *ca, const struct pin *pin)
{
	char when[AE_TIME_STR_MAX];
	const struct ae_template *now;
	struct ae_wr diff;

	if (pin->t == NULL) {
		ae_wr_printf(w,
		    "the pin is not good, nobody gets the "
		    "template: %s",
		    pin->error != NULL ? pin->error : "out of memory");
		return;
	}
	now = in_directory(ca, pin->t->cn);
	if (now == NULL) {
		ae_wr_str(w,
		    "the directory does not have the template any "
		    "more, or nothing that can be read");
		return;
	}
	ae_wr_init(&diff, TEXT_MAX);
	if (ae_ca_template_changes(&diff, pin->t, now) > 0)
		ae_wr_printf(w,
		    "the directory has another one (whenChanged %s); what was "
		    "pinned goes on to count: %s",
		    now->when_changed == INT64_MAX
			? "unknown"
			: ae_time_print(when, now->when_changed),
		    ae_wr_cstr(&diff) != NULL ? ae_wr_cstr(&diff)
					      : "too much to tell");
	ae_wr_done(&diff);
}

static void
watch_one(struct ca *ca, struct pin *pin)
{
	const size_t suffix = sizeof(AE_CA_PIN_SUFFIX) - 1;
	const int name = (int)(strlen(pin->file) - suffix);
	const char *text;
	struct ae_wr w;

	ae_wr_init(&w, 2 * TEXT_MAX);
	judge(&w, ca, pin);
	text = ae_wr_cstr(&w);
	if (text == NULL)
		text = "";
	if (*text == '\0' && pin->told != NULL) {
		event_own(ca, AE_LOG_NOTICE, 6,
		    "template %.*s is in the directory what was pinned again",
		    name, pin->file);
		free(pin->told);
		pin->told = NULL;
	} else if (*text != '\0' &&
	    (pin->told == NULL || strcmp(pin->told, text) != 0)) {
		event_own(ca, AE_LOG_ERROR, 5, "pinned template %.*s: %s", name,
		    pin->file, text);
		if (pin->told == NULL)
			pin->since = ae_clock_now();
		free(pin->told);
		pin->told = strdup(text);
	}
	ae_wr_done(&w);
}

void
pins_watch(struct ca *ca)
{
	size_t i;

	for (i = 0; ca->snapshot != NULL && ca->pins != NULL && i < ca->pins->n;
	     i++)
		watch_one(ca, &ca->pins->v[i]);
}

void
pins_count(const struct ca *ca, size_t *n, size_t *wrong)
{
	size_t i;

	*n = ca->pins == NULL ? 0 : ca->pins->n;
	for (i = 0, *wrong = 0; i < *n; i++)
		*wrong += ca->pins->v[i].told != NULL;
}
