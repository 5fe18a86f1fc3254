/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Many hosts counted by cause; see csv_report.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "diag/csv_report.h"
#include "diag/page.h"

#define SENTENCE_MAX 4096

struct cause {
	char key[AE_DIAG_KEY_MAX * 2];
	char category;
	size_t hosts;
	char names[AE_DIAG_FLEET_NAMES][AE_DIAG_EV_HOST_MAX];
};

struct ae_diag_fleet {
	struct cause causes[AE_DIAG_FLEET_CAUSES];
	size_t n;
	size_t hosts, healthy, unread, beyond; /* beyond: no room for it */
};

struct ae_diag_fleet *
ae_diag_fleet_new(void)
{
	return calloc(1, sizeof(struct ae_diag_fleet));
}

void
ae_diag_fleet_free(struct ae_diag_fleet *f)
{
	free(f);
}

void
ae_diag_fleet_add(
    struct ae_diag_fleet *f, const struct ae_diag_verdict *v, const char *host)
{
	const char *key;
	struct cause *c;
	size_t i;

	f->hosts++;
	if (v == NULL) {
		f->unread++;
		return;
	}
	if (v->category == 'O') {
		f->healthy++;
		return;
	}
	key = v->root == NULL ? "-" : v->key;
	for (i = 0; i < f->n &&
	     (strcmp(f->causes[i].key, key) != 0 ||
		 f->causes[i].category != v->category);
	     i++)
		;
	if (i == AE_DIAG_FLEET_CAUSES) {
		f->beyond++;
		return;
	}
	c = &f->causes[i];
	if (i == f->n) {
		f->n++;
		c->category = v->category;
		(void)snprintf(c->key, sizeof(c->key), "%s", key);
	}
	if (c->hosts < AE_DIAG_FLEET_NAMES)
		(void)snprintf(
		    c->names[c->hosts], AE_DIAG_EV_HOST_MAX, "%s", host);
	c->hosts++;
}

static int
by_hosts(const void *a, const void *b)
{
	const struct cause *x = *(const struct cause *const *)a;
	const struct cause *y = *(const struct cause *const *)b;

	if (x->hosts != y->hosts)
		return x->hosts > y->hosts ? -1 : 1;
	return strcmp(x->key, y->key);
}

static size_t
sorted(const struct ae_diag_fleet *f,
    const struct cause *out[AE_DIAG_FLEET_CAUSES])
{
	size_t i;

	for (i = 0; i < f->n; i++)
		out[i] = &f->causes[i];
	qsort(out, f->n, sizeof(out[0]), by_hosts);
	return f->n;
}

/* What its code or symptom means; of a check, what is wrong. */
static void
said(struct ae_wr *w, const struct cause *c, enum ae_diag_lang lang)
{
	const struct ae_diag_meaning *m = ae_diag_meaning_find(c->key);
	const struct ae_diag_text *t = ae_diag_text_find(c->key);

	ae_wr_reset(w);
	if (t != NULL)
		ae_diag_text_render(w, t, lang, AE_DIAG_CAUSE, NULL, 0);
	else if (m != NULL && m->say[lang] != NULL)
		ae_wr_str(w, m->say[lang]);
}

json_t *
ae_diag_fleet_report(const struct ae_diag_fleet *f, enum ae_diag_lang lang)
{
	const struct cause *list[AE_DIAG_FLEET_CAUSES] = { NULL };
	json_t *causes = json_array(), *names;
	size_t n = sorted(f, list), i, k;
	struct ae_wr w;

	ae_wr_init(&w, SENTENCE_MAX);
	for (i = 0; i < n; i++) {
		const char category[] = { list[i]->category, '\0' };

		names = json_array();
		for (k = 0; k < list[i]->hosts && k < AE_DIAG_FLEET_NAMES; k++)
			(void)json_array_append_new(
			    names, json_string(list[i]->names[k]));
		said(&w, list[i], lang);
		(void)json_array_append_new(causes,
		    json_pack("{s:s, s:s, s:s, s:I, s:o}", "key", list[i]->key,
			"category", category, "meaning", ae_wr_cstr(&w),
			"hosts", (json_int_t)list[i]->hosts, "names", names));
	}
	ae_wr_done(&w);
	return json_pack("{s:I, s:I, s:I, s:I, s:o}", "hosts",
	    (json_int_t)f->hosts, "healthy", (json_int_t)f->healthy, "unread",
	    (json_int_t)f->unread, "beyond", (json_int_t)f->beyond, "causes",
	    causes);
}

static void
put_names(struct ae_wr *w, const struct cause *c, enum ae_diag_lang lang)
{
	size_t k;

	for (k = 0; k < c->hosts && k < AE_DIAG_FLEET_NAMES; k++) {
		ae_wr_str(w, k == 0 ? "" : ", ");
		ae_diag_put_safe(w, c->names[k], AE_DIAG_EV_HOST_MAX);
	}
	if (c->hosts > AE_DIAG_FLEET_NAMES)
		ae_wr_printf(w, ", %zu %s", c->hosts - AE_DIAG_FLEET_NAMES,
		    ae_diag_frame(lang, "csv.more"));
}

void
ae_diag_fleet_text(
    struct ae_wr *w, const struct ae_diag_fleet *f, enum ae_diag_lang lang)
{
	const struct cause *list[AE_DIAG_FLEET_CAUSES] = { NULL };
	size_t n = sorted(f, list), i;
	char key[] = "category.?";
	struct ae_wr words;

	ae_wr_init(&words, SENTENCE_MAX);
	ae_wr_printf(w, "\n%zu %s: %zu %s", f->hosts,
	    ae_diag_frame(lang, "csv.hosts"), f->healthy,
	    ae_diag_frame(lang, "category.ok"));
	if (f->unread > 0)
		ae_wr_printf(w, ", %zu %s", f->unread,
		    ae_diag_frame(lang, "csv.unread"));
	ae_wr_str(w, "\n");
	for (i = 0; i < n; i++) {
		key[sizeof(key) - 2] = list[i]->category;
		ae_wr_printf(w, "%6zu  %-36s %s\n", list[i]->hosts,
		    list[i]->key,
		    ae_diag_frame(lang,
			list[i]->category == '?' ? "category.unknown" : key));
		said(&words, list[i], lang);
		if (words.len > 0)
			ae_diag_page(w, 0, "", ae_wr_cstr(&words));
		ae_wr_printf(w, "%*s", AE_DIAG_PAGE_LABEL, "");
		put_names(w, list[i], lang);
		ae_wr_u8(w, '\n');
	}
	ae_wr_done(&words);
	if (f->beyond > 0)
		ae_wr_printf(w, "%6zu  %s\n", f->beyond,
		    ae_diag_frame(lang, "csv.more"));
}
