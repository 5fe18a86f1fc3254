/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Explanations at a terminal; see explain.h.
 */
#include <stdio.h>
#include <string.h>

#include "diag/explain.h"
#include "diag/page.h"

#define MANY 8 /* more causes than these are named only */
#define LINE_MAX_LEN 2048

static const char *
text(const json_t *j, const char *key)
{
	const char *s = json_string_value(json_object_get(j, key));

	return s == NULL ? "" : s;
}

static void
field(struct ae_wr *w, const json_t *j, const char *frame, const char *key,
    enum ae_diag_lang lang)
{
	if (text(j, key)[0] != '\0')
		ae_diag_page(w, 0, ae_diag_frame(lang, frame), text(j, key));
}

/* A list of strings in one paragraph. */
static void
list(struct ae_wr *w, const json_t *j, const char *frame, const char *key,
    const char *quote, enum ae_diag_lang lang)
{
	char line[LINE_MAX_LEN] = "";
	const json_t *e;
	size_t i, n = 0;

	json_array_foreach(json_object_get(j, key), i, e)
	{
		const char *s = json_is_string(e) ? json_string_value(e)
						  : text(e, "check_id");

		if (n < sizeof(line))
			n += (size_t)snprintf(line + n, sizeof(line) - n,
			    "%s%s%s%s", i == 0 ? "" : ", ", quote, s, quote);
	}
	if (i > 0)
		ae_diag_page(w, 0, ae_diag_frame(lang, frame), line);
}

/* brief: the code that tells which is explained beside it. */
static void
causes(struct ae_wr *w, const json_t *j, bool brief, enum ae_diag_lang lang)
{
	const json_t *all = json_object_get(j, "causes"), *c;
	bool asked = false;
	char label[24];
	size_t i;

	json_array_foreach(all, i, c)
	{
		asked |= text(c, "question")[0] != '\0';
	}
	if (json_array_size(all) == 0) {
		ae_diag_page(w, 0, "", ae_diag_frame(lang, "explain.no-cause"));
		return;
	}
	if (json_array_size(all) > MANY && !asked) {
		if (!brief)
			list(w, j, "causes", "causes", "", lang);
		ae_diag_page(w, 0, "", ae_diag_frame(lang, "explain.which"));
		return;
	}
	ae_diag_page_title(w,
	    asked			    ? "tell-apart"
		: json_array_size(all) == 1 ? "cause"
					    : "causes",
	    lang);
	json_array_foreach(all, i, c)
	{
		(void)snprintf(label, sizeof(label), "%zu.", i + 1);
		ae_diag_pagef(w, 0, label, "%s%s%s (%s)", text(c, "question"),
		    asked ? " " : "", text(c, "check_id"), text(c, "category"));
		ae_diag_page(w, 0, "", text(c, "cause"));
	}
}

static void
code(struct ae_wr *w, const json_t *j, enum ae_diag_lang lang)
{
	const json_t *win32 = json_object_get(j, "win32");

	ae_wr_printf(w, "%s", text(j, "code"));
	if (text(j, "symbol")[0] != '\0')
		ae_wr_printf(w, "  %s", text(j, "symbol"));
	if (json_is_integer(json_object_get(j, "decimal")))
		ae_wr_printf(w, "  (%d",
		    (int)json_integer_value(json_object_get(j, "decimal")));
	if (win32 != NULL)
		ae_wr_printf(w, ", Win32 %d", (int)json_integer_value(win32));
	if (json_is_integer(json_object_get(j, "decimal")))
		ae_wr_str(w, ")");
	if (json_is_true(json_object_get(j, "words")))
		ae_wr_printf(
		    w, "  [%s]", ae_diag_frame(lang, "explain.in-its-words"));
	ae_wr_str(w, "\n\n");
	if (!json_is_true(json_object_get(j, "known"))) {
		ae_diag_page(
		    w, 0, "", ae_diag_frame(lang, "explain.unknown-code"));
		list(w, j, "explain.nearest", "nearest", "", lang);
	}
	field(w, j, "meaning", "meaning", lang);
	if (json_is_true(json_object_get(j, "known")))
		causes(w, j, false, lang);
}

static void
event(struct ae_wr *w, const json_t *j, bool brief, enum ae_diag_lang lang)
{
	/* The client's own catalogue of events has one language. */
	bool ours = lang == AE_DIAG_EN || text(j, "meaning")[0] == '\0';

	ae_wr_printf(w, "%s %d", text(j, "source"),
	    (int)json_integer_value(json_object_get(j, "id")));
	if (text(j, "provider")[0] != '\0')
		ae_wr_printf(w, "  %s", text(j, "provider"));
	if (text(j, "level")[0] != '\0')
		ae_wr_printf(w, ", %s", text(j, "level"));
	ae_wr_str(w, "\n\n");
	if (!json_is_true(json_object_get(j, "known"))) {
		ae_diag_page(
		    w, 0, "", ae_diag_frame(lang, "explain.unknown-event"));
		return;
	}
	if (ours)
		field(w, j, "explain.logged", "text", lang);
	field(w, j, "meaning", "meaning", lang);
	if (ours)
		field(w, j, "fix", "remedy", lang);
	if (ours && text(j, "absent")[0] != '\0')
		ae_diag_pagef(w, 0, "", "(%s %s)",
		    ae_diag_frame(lang, "explain.not-written"),
		    text(j, "absent"));
	if (json_array_size(json_object_get(j, "causes")) > 0)
		causes(w, j, brief, lang);
}

static void
check(struct ae_wr *w, const json_t *j, enum ae_diag_lang lang)
{
	ae_wr_printf(w, "%s  (%s: %s)\n\n", text(j, "check_id"),
	    text(j, "category"), text(j, "title"));
	field(w, j, "cause", "cause", lang);
	field(w, j, "expected", "expected", lang);
	field(w, j, "fix", "fix", lang);
	field(w, j, "who", "who", lang);
	list(w, j, "codes", "codes", "", lang);
	list(w, j, "windows-events", "events", "", lang);
	list(w, j, "see-also", "see", "", lang);
}

void
ae_diag_explain_text(
    struct ae_wr *w, const json_t *explained, enum ae_diag_lang lang)
{
	const json_t *items = json_object_get(explained, "items"), *j;
	bool coded = false;
	size_t i;

	json_array_foreach(items, i, j)
	{
		coded |= strcmp(text(j, "kind"), "code") == 0;
	}
	json_array_foreach(items, i, j)
	{
		const char *kind = text(j, "kind");

		if (i > 0)
			ae_wr_u8(w, '\n');
		if (strcmp(kind, "code") == 0)
			code(w, j, lang);
		else if (strcmp(kind, "event") == 0)
			event(w, j, coded, lang);
		else
			check(w, j, lang);
		list(w, j, "run-next", "run", "`", lang);
	}
	if (json_array_size(items) == 0) {
		ae_diag_page(w, 0, "", ae_diag_frame(lang, "explain.nothing"));
		list(w, explained, "explain.nearest", "nearest", "", lang);
	}
}
