/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The report at a terminal; see report.h.
 */
#include <stdio.h>
#include <string.h>

#include "diag/facts.h"
#include "diag/report.h"

#define WIDTH 78
#define LABEL 11

/* What was seen comes from others, too: nothing a terminal obeys. */
static size_t
safe_len(const char *s, char out[8])
{
	unsigned char c = (unsigned char)s[0];

	if (c >= 0x20 && c != 0x7f) {
		out[0] = s[0];
		out[1] = '\0';
	} else {
		(void)snprintf(out, 8, "\\x%02x", c);
	}
	return strlen(out);
}

/* s, and blanks up to a width; 0: none. */
static void
put_safe(struct ae_wr *w, const char *s, size_t width)
{
	char one[8];
	size_t n = 0;

	for (; *s != '\0'; s++) {
		n += safe_len(s, one);
		ae_wr_str(w, one);
	}
	for (; n < width; n++)
		ae_wr_u8(w, ' ');
}

/* Characters, as far as a terminal counts them: bytes that begin one. */
static size_t
columns(const char *s)
{
	size_t n = 0;

	for (; *s != '\0'; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

static void
put_label(struct ae_wr *w, const char *label)
{
	size_t n = columns(label);

	ae_wr_str(w, label);
	ae_wr_u8(w, ' ');
	for (n++; n < LABEL; n++)
		ae_wr_u8(w, ' ');
}

/* "label     words words", broken at blanks and indented. */
static void
paragraph(struct ae_wr *w, const char *label, const char *s)
{
	char one[8];
	size_t column = LABEL, len;

	put_label(w, label);
	while (*s != '\0') {
		len = strcspn(s, " ");
		if (column > LABEL && column + len >= WIDTH) {
			ae_wr_printf(w, "\n%-*s", LABEL, "");
			column = LABEL;
		} else if (column > LABEL) {
			ae_wr_u8(w, ' ');
			column++;
		}
		for (; len > 0; len--, s++) {
			(void)safe_len(s, one);
			column += columns(one);
			ae_wr_str(w, one);
		}
		s += strspn(s, " ");
	}
	ae_wr_u8(w, '\n');
}

static void
put_events(struct ae_wr *w, const json_t *f, enum ae_diag_lang lang)
{
	const json_t *list = json_object_get(f, "events"), *e;
	char line[512] = "";
	size_t i;

	json_array_foreach(list, i, e)
	{
		(void)snprintf(line + strlen(line), sizeof(line) - strlen(line),
		    "%s%s", i == 0 ? "" : ", ", json_string_value(e));
	}
	if (line[0] != '\0')
		ae_wr_printf(w, "%-*s%s: %s\n", LABEL, "",
		    ae_diag_frame(lang, "windows-events"), line);
}

static void
put_finding(struct ae_wr *w, const json_t *f, enum ae_diag_lang lang)
{
	static const struct {
		const char *frame, *member;
	} lines[] = { { "seen", "seen" }, { "expected", "expected" },
		{ "fix", "fix" }, { "who", "who" } };
	size_t i;

	put_safe(w, ae_fact_text(f, "check_id"), 0);
	if (ae_fact_str(f, "subject") != NULL) {
		ae_wr_str(w, "  (");
		put_safe(w, ae_fact_text(f, "subject"), 0);
		ae_wr_u8(w, ')');
	}
	ae_wr_u8(w, '\n');
	paragraph(w, "", ae_fact_text(f, "cause"));
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		if (ae_fact_text(f, lines[i].member)[0] != '\0')
			paragraph(w, ae_diag_frame(lang, lines[i].frame),
			    ae_fact_text(f, lines[i].member));
	put_events(w, f, lang);
}

static void
put_short(struct ae_wr *w, const json_t *list, const char *title)
{
	const json_t *f;
	char line[2048];
	size_t i;

	if (json_array_size(list) == 0)
		return;
	ae_wr_printf(w, "\n%s:\n", title);
	json_array_foreach(list, i, f)
	{
		(void)snprintf(line, sizeof(line), "%s%s%s%s: %s",
		    ae_fact_text(f, "check_id"),
		    ae_fact_str(f, "subject") == NULL ? "" : " (",
		    ae_fact_text(f, "subject"),
		    ae_fact_str(f, "subject") == NULL ? "" : ")",
		    ae_fact_text(f, "seen"));
		paragraph(w, "  -", line);
	}
}

static void
put_unknown(struct ae_wr *w, const json_t *r, enum ae_diag_lang lang)
{
	const json_t *list = json_object_get(r, "unknown"), *u;
	char line[2048];
	size_t i, n;

	if (json_array_size(list) == 0)
		return;
	ae_wr_printf(w, "\n%s:\n", ae_diag_frame(lang, "unknown-because"));
	json_array_foreach(list, i, u)
	{
		n = json_array_size(json_object_get(u, "checks"));
		(void)snprintf(line, sizeof(line), "%s%s%s (%zu)",
		    ae_fact_text(u, "because"),
		    ae_fact_str(u, "of") == NULL ? "" : " – ",
		    ae_fact_text(u, "of"), n);
		paragraph(w, "  -", line);
	}
}

static void
put_matrix(struct ae_wr *w, const json_t *r)
{
	const json_t *list = json_object_get(r, "matrix"), *m, *reason;
	size_t i, k;
	const char *why;

	if (json_array_size(list) > 0)
		ae_wr_u8(w, '\n');
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
		put_safe(w, ae_fact_text(m, "template"), 31);
		put_safe(w, ae_fact_text(m, "action"), 8);
		put_safe(w, why, 0);
		ae_wr_u8(w, '\n');
	}
}

static void
put_walk(struct ae_wr *w, const json_t *r, enum ae_diag_lang lang)
{
	const json_t *list = json_object_get(r, "walk"), *c, *probe;
	const char *name;
	size_t i;

	ae_wr_printf(w, "\n%s:\n", ae_diag_frame(lang, "path"));
	json_array_foreach(list, i, c)
	{
		ae_wr_printf(w, "  %-8s %-9s %s\n", ae_fact_text(c, "stage"),
		    ae_fact_text(c, "verdict"), ae_fact_text(c, "check_id"));
	}
	ae_wr_printf(w, "\n%s:\n", ae_diag_frame(lang, "time"));
	json_object_foreach(
	    (json_t *)(uintptr_t)json_object_get(r, "probes"), name, probe)
	{
		ae_wr_str(w, "  ");
		put_safe(w, name, 9);
		put_safe(w, ae_fact_text(probe, "state"), 10);
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

	put_safe(w, ae_fact_text(r, "host"), 0);
	ae_wr_str(w, ", ");
	put_safe(w, ae_fact_text(r, "account"), 0);
	ae_wr_printf(w, ": %s\n", ae_fact_text(r, "category_text"));
	if (json_is_object(root)) {
		ae_wr_u8(w, '\n');
		put_finding(w, root, lang);
	} else if (ae_fact_is(r, "category", "ok")) {
		ae_wr_printf(w, "%s\n", ae_diag_frame(lang, "healthy"));
	}
	also = json_object_get(r, "also");
	json_array_foreach(also, i, f)
	{
		ae_wr_u8(w, '\n');
		put_finding(w, f, lang);
	}
	put_short(w, json_object_get(r, "consequences"),
	    ae_diag_frame(lang, "consequences"));
	put_short(w, json_object_get(r, "harmless"),
	    ae_diag_frame(lang, "not-the-cause"));
	put_unknown(w, r, lang);
	put_matrix(w, r);
	if (all)
		put_walk(w, r, lang);
}
