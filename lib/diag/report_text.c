/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The report at a terminal; see report.h.
 */
#include <stdio.h>
#include <string.h>

#include "diag/checks.h"
#include "diag/page.h"
#include "diag/report.h"
#include "diag/report_ways.h"

#define LINE_MAX_LEN 8192

static void
put_events(struct ae_wr *w, const json_t *f, enum ae_diag_lang lang)
{
	json_t *names = ae_diag_names(json_object_get(f, "events"), NULL);

	if (json_string_length(names) > 0)
		ae_diag_pagef(w, 0, "", "%s: %s",
		    ae_diag_frame(lang, "windows-events"),
		    json_string_value(names));
	json_decref(names);
}

static void
put_finding(struct ae_wr *w, const json_t *f, enum ae_diag_lang lang)
{
	static const struct {
		const char *frame, *member;
	} lines[] = { { "seen", "seen" }, { "expected", "expected" },
		{ "fix", "fix" }, { "who", "who" } };
	size_t i;

	ae_diag_page_cell(w, ae_fact_text(f, "check_id"), 0);
	if (ae_fact_str(f, "subject") != NULL) {
		ae_wr_str(w, "  (");
		ae_diag_page_cell(w, ae_fact_text(f, "subject"), 0);
		ae_wr_u8(w, ')');
	}
	ae_wr_u8(w, '\n');
	ae_diag_page(w, 0, "", ae_fact_text(f, "cause"));
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		if (ae_fact_text(f, lines[i].member)[0] != '\0')
			ae_diag_page(w, 0, ae_diag_frame(lang, lines[i].frame),
			    ae_fact_text(f, lines[i].member));
	put_events(w, f, lang);
}

static void
put_short(struct ae_wr *w, const json_t *list, const char *title,
    enum ae_diag_lang lang)
{
	const json_t *f;
	char line[LINE_MAX_LEN];
	size_t i;

	if (json_array_size(list) == 0)
		return;
	ae_diag_page_title(w, title, lang);
	json_array_foreach(list, i, f)
	{
		(void)snprintf(line, sizeof(line), "%s%s%s%s: %s",
		    ae_fact_text(f, "check_id"),
		    ae_fact_str(f, "subject") == NULL ? "" : " (",
		    ae_fact_text(f, "subject"),
		    ae_fact_str(f, "subject") == NULL ? "" : ")",
		    ae_fact_text(f, "seen"));
		ae_diag_page(w, 2, "-", line);
	}
}

static void
put_unknown(struct ae_wr *w, const json_t *r, enum ae_diag_lang lang)
{
	const json_t *list = json_object_get(r, "unknown"), *u;
	char line[LINE_MAX_LEN];
	size_t i, n;

	if (json_array_size(list) == 0)
		return;
	ae_diag_page_title(w, "unknown-because", lang);
	json_array_foreach(list, i, u)
	{
		n = json_array_size(json_object_get(u, "checks"));
		(void)snprintf(line, sizeof(line), "%s%s%s (%zu)",
		    ae_fact_text(u, "because"),
		    ae_fact_str(u, "of") == NULL ? "" : " – ",
		    ae_fact_text(u, "of"), n);
		ae_diag_page(w, 2, "-", line);
	}
}

static void
put_others(struct ae_wr *w, const json_t *r, enum ae_diag_lang lang)
{
	const json_t *list = json_object_get(r, "others"), *o;
	char line[LINE_MAX_LEN];
	size_t i;

	if (json_array_size(list) == 0)
		return;
	ae_diag_page_title(w, "others", lang);
	json_array_foreach(list, i, o)
	{
		(void)snprintf(line, sizeof(line), "%s: %s",
		    ae_fact_text(o, "name"), ae_fact_text(o, "state"));
		ae_diag_page(w, 2, "-", line);
	}
}

static void
put_matrix(struct ae_wr *w, const json_t *r, enum ae_diag_lang lang)
{
	const json_t *list = json_object_get(r, "matrix"), *m, *reason;
	size_t i, k;
	const char *why;

	if (json_array_size(list) > 0)
		ae_diag_page_title(w, "matrix", lang);
	json_array_foreach(list, i, m)
	{
		why = "";
		json_array_foreach(json_object_get(m, "reasons"), k, reason)
		{
			if (!ae_fact_is(reason, "verdict", "fail"))
				continue;
			why = ae_fact_text(reason, "check");
			break;
		}
		ae_wr_str(w, ae_fact_yes(m, "ours") ? "> " : "  ");
		ae_diag_page_cell(w, ae_fact_text(m, "template"), 31);
		ae_diag_page_cell(w,
		    ae_diag_word(lang, "action", ae_fact_text(m, "action")),
		    11);
		ae_diag_page_cell(w, why, 0);
		ae_wr_u8(w, '\n');
	}
}

static void
put_walk(struct ae_wr *w, const json_t *r, enum ae_diag_lang lang)
{
	const json_t *list = json_object_get(r, "walk"), *c, *probe;
	const char *name;
	size_t i;

	ae_diag_page_title(w, "path", lang);
	json_array_foreach(list, i, c)
	{
		ae_wr_str(w, "  ");
		ae_diag_page_cell(w,
		    ae_diag_word(lang, "stage", ae_fact_text(c, "stage")), 16);
		ae_diag_page_cell(w,
		    ae_diag_word(lang, "verdict", ae_fact_text(c, "verdict")),
		    13);
		ae_diag_page_cell(w, ae_fact_text(c, "check_id"), 0);
		ae_wr_u8(w, '\n');
	}
	ae_diag_page_title(w, "time", lang);
	json_object_foreach(
	    (json_t *)(uintptr_t)json_object_get(r, "probes"), name, probe)
	{
		ae_wr_str(w, "  ");
		ae_diag_page_cell(w, name, 9);
		ae_diag_page_cell(w,
		    ae_diag_word(lang, "probe", ae_fact_text(probe, "state")),
		    14);
		ae_wr_printf(w, "%8.1f ms\n",
		    json_real_value(json_object_get(probe, "ms")));
	}
}

void
ae_diag_report_text(
    struct ae_wr *w, const json_t *r, enum ae_diag_lang lang, bool all)
{
	const json_t *root = json_object_get(r, "root"), *also, *f;
	size_t i;

	ae_diag_page_cell(w, ae_fact_text(r, "host"), 0);
	ae_wr_str(w, ", ");
	ae_diag_page_cell(w, ae_fact_text(r, "account"), 0);
	ae_wr_printf(w, ": %s\n", ae_fact_text(r, "category_text"));
	if (json_is_object(root)) {
		ae_wr_u8(w, '\n');
		put_finding(w, root, lang);
	} else {
		ae_wr_printf(w, "%s\n",
		    ae_diag_frame(lang,
			ae_fact_is(r, "category", "ok") ? "healthy"
							: "not-all-seen"));
	}
	also = json_object_get(r, "also");
	json_array_foreach(also, i, f)
	{
		ae_wr_u8(w, '\n');
		put_finding(w, f, lang);
	}
	put_short(w, json_object_get(r, "consequences"), "consequences", lang);
	put_short(w, json_object_get(r, "harmless"), "not-the-cause", lang);
	put_unknown(w, r, lang);
	put_others(w, r, lang);
	put_matrix(w, r, lang);
	if (!all)
		return;
	put_walk(w, r, lang);
	ae_diag_put_ways(w, r, lang);
}
