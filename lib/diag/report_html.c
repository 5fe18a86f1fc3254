/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The report as one page that needs nothing else: to be handed over to
 * whoever must put it right.  See report.h.
 */
#include <stdio.h>
#include <string.h>

#include "base/utf16.h"
#include "diag/checks.h"
#include "diag/report.h"

#define STAGES_MAX 24u
#define STEP 92	 /* pixels between two stages of the way */
#define WAY_Y 34 /* of the line */
#define WAY_H 92 /* of a row */
#define PER_ROW 10u

/* clang-format off */
static const char style[] =
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b1f24;background:#fff}"
    "h1{font-size:1.5rem;margin:0}h2{font-size:1.1rem;margin:2rem 0 .4rem}"
    ".sub{color:#57606a;margin:.2rem 0 1.2rem}"
    ".card{border:1px solid #d0d7de;border-left:6px solid #cf222e;border-radius:6px;padding:.8rem 1rem;margin:1rem 0}"
    ".card.ok{border-left-color:#1a7f37}.card.unknown{border-left-color:#9a6700}"
    ".id{font:13px ui-monospace,monospace;color:#57606a}"
    ".cause{font-size:1.15rem;margin:.2rem 0 .8rem}"
    "dl{display:grid;grid-template-columns:7rem 1fr;gap:.35rem 1rem;margin:0}dt{color:#57606a}dd{margin:0;overflow-wrap:anywhere}"
    "code{font:14px ui-monospace,monospace;background:#eff1f3;border-radius:4px;padding:.05rem .3rem}"
    "table{border-collapse:collapse;width:100%}td,th{text-align:left;vertical-align:top;padding:.25rem .6rem .25rem 0;border-bottom:1px solid #eaeef2;overflow-wrap:anywhere}"
    "svg{max-width:100%;height:auto}svg text{font:12px system-ui,sans-serif;fill:#57606a}"
    ".ours{font-weight:bold}.fine{color:#1a7f37}.fail{color:#cf222e}.unknown{color:#9a6700}.harmless{color:#57606a}"
    "@media (prefers-color-scheme:dark){body{background:#0d1117;color:#e6edf3}.card,td,th{border-color:#30363d}code{background:#262c36}}"
    "@media print{body{margin:0}}";
/* clang-format on */

/* Text into HTML: nothing in it is markup, or turns the page around, whoever
 * wrote it. */
static void
put_text(struct ae_wr *w, const char *s)
{
	size_t len, left = strlen(s);

	for (; left > 0; s += len, left -= len) {
		len = ae_utf8_shown(s, left);
		if (*s == '&')
			ae_wr_str(w, "&amp;");
		else if (*s == '<')
			ae_wr_str(w, "&lt;");
		else if (*s == '>')
			ae_wr_str(w, "&gt;");
		else if (*s == '"')
			ae_wr_str(w, "&quot;");
		else if (*s == '\'')
			ae_wr_str(w, "&#39;");
		else if (len > 0)
			ae_wr_bytes(w, s, len);
		else if (*s == '\n' || *s == '\t')
			ae_wr_u8(w, ' ');
		else
			ae_wr_printf(w, "\\x%02x", (unsigned char)*s);
		len = len == 0 ? 1 : len;
	}
}

/* The same, with what stands in `backquotes` as code. */
static void
put_sentence(struct ae_wr *w, const char *s)
{
	char part[4096];
	bool code = false;
	size_t len;

	while (*s != '\0') {
		len = strcspn(s, "`");
		(void)snprintf(part, sizeof(part), "%.*s",
		    len < sizeof(part) ? (int)len : (int)sizeof(part) - 1, s);
		put_text(w, part);
		s += len;
		if (*s == '`') {
			ae_wr_str(w, code ? "</code>" : "<code>");
			code = !code;
			s++;
		}
	}
	if (code)
		ae_wr_str(w, "</code>");
}

static void
put_row(struct ae_wr *w, const char *name, const char *s)
{
	if (s[0] == '\0')
		return;
	ae_wr_str(w, "<dt>");
	put_text(w, name);
	ae_wr_str(w, "</dt><dd>");
	put_sentence(w, s);
	ae_wr_str(w, "</dd>\n");
}

static void
put_events(struct ae_wr *w, const json_t *f, enum ae_diag_lang lang)
{
	json_t *names = ae_diag_names(json_object_get(f, "events"), NULL);

	put_row(w, ae_diag_frame(lang, "windows-events"),
	    json_string_length(names) > 0 ? json_string_value(names) : "");
	json_decref(names);
}

static void
put_card(struct ae_wr *w, const json_t *f, enum ae_diag_lang lang)
{
	static const char *const rows[] = { "seen", "expected", "fix", "who" };
	size_t i;

	ae_wr_str(w, "<div class=\"card\"><div class=\"id\">");
	put_text(w, ae_fact_text(f, "check_id"));
	if (ae_fact_str(f, "subject") != NULL) {
		ae_wr_str(w, " · ");
		put_text(w, ae_fact_text(f, "subject"));
	}
	ae_wr_str(w, "</div>\n<p class=\"cause\">");
	put_sentence(w, ae_fact_text(f, "cause"));
	ae_wr_str(w, "</p>\n<dl>\n");
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		put_row(
		    w, ae_diag_frame(lang, rows[i]), ae_fact_text(f, rows[i]));
	put_events(w, f, lang);
	ae_wr_str(w, "</dl></div>\n");
}

/* ---- the way ---- */

struct stage {
	const char *name;
	bool fail, unknown, root;
};

static size_t
stages_of(struct stage v[STAGES_MAX], const json_t *r)
{
	const char *root = ae_fact_text(r, "root.check_id");
	const json_t *c;
	size_t i, n = 0;

	json_array_foreach(json_object_get(r, "walk"), i, c)
	{
		const char *name = ae_fact_text(c, "stage");

		if (n == 0 || strcmp(v[n - 1].name, name) != 0) {
			if (n == STAGES_MAX)
				break;
			v[n++] = (struct stage){ .name = name };
		}
		v[n - 1].fail |= ae_fact_is(c, "verdict", "fail");
		v[n - 1].unknown |= ae_fact_is(c, "verdict", "unknown");
		v[n - 1].root |= ae_fact_is(c, "check_id", root);
	}
	return n;
}

static const char *
colour(const struct stage *s)
{
	return s->fail ? "#cf222e" : s->unknown ? "#bf8700" : "#1a7f37";
}

static int
x_of(size_t i)
{
	return (int)(i % PER_ROW) * STEP + STEP / 2;
}

static int
y_of(size_t i)
{
	return (int)(i / PER_ROW) * WAY_H + WAY_Y;
}

/* From one stage on; dashed where it is not known how it goes on. */
static void
put_line(struct ae_wr *w, int x, int to, int y, const struct stage *from)
{
	ae_wr_printf(w,
	    "<line x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\" stroke=\"%s\" "
	    "stroke-width=\"3\"%s/>\n",
	    x, y, to, y, colour(from),
	    from->fail || from->unknown ? " stroke-dasharray=\"4 5\"" : "");
}

/* At the end of a row it goes on at the beginning of the next. */
static void
put_lines(struct ae_wr *w, const struct stage *v, size_t n)
{
	size_t i;

	for (i = 1; i < n; i++) {
		if (i % PER_ROW != 0) {
			put_line(w, x_of(i - 1), x_of(i), y_of(i), &v[i - 1]);
			continue;
		}
		put_line(w, x_of(i - 1), x_of(i - 1) + STEP / 2, y_of(i - 1),
		    &v[i - 1]);
		put_line(w, 0, x_of(i), y_of(i), &v[i - 1]);
	}
}

/* Green as far as it went; where it broke, a cross. */
static void
put_stage(struct ae_wr *w, const struct stage *s, int x, int y,
    enum ae_diag_lang lang)
{
	ae_wr_printf(w, "<circle cx=\"%d\" cy=\"%d\" r=\"%d\" fill=\"%s\"/>\n",
	    x, y, s->root ? 15 : 9, colour(s));
	if (s->fail)
		ae_wr_printf(w,
		    "<path d=\"M%d %dl10 10m0 -10l-10 10\" stroke=\"#fff\" "
		    "stroke-width=\"3\"/>\n",
		    x - 5, y - 5);
	ae_wr_printf(w, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\"%s>", x,
	    y + 36, s->root ? " font-weight=\"bold\"" : "");
	put_text(w, ae_diag_word(lang, "stage", s->name));
	ae_wr_str(w, "</text>\n");
}

static void
put_way(struct ae_wr *w, const json_t *r, enum ae_diag_lang lang)
{
	struct stage v[STAGES_MAX];
	size_t n = stages_of(v, r), columns = n < PER_ROW ? n : PER_ROW, i;

	if (n == 0)
		return;
	ae_wr_printf(w,
	    "<svg viewBox=\"0 0 %d %d\" width=\"%d\" role=\"img\" "
	    "aria-label=\"",
	    (int)columns * STEP, y_of(n - 1) - WAY_Y + WAY_H,
	    (int)columns * STEP);
	put_text(w, ae_diag_frame(lang, "path"));
	ae_wr_str(w, "\">\n");
	put_lines(w, v, n);
	for (i = 0; i < n; i++)
		put_stage(w, &v[i], x_of(i), y_of(i), lang);
	ae_wr_str(w, "</svg>\n");
}

/* ---- tables ---- */

/* One row of a table; member: its name where the table is an object's. */
typedef void row_fn(struct ae_wr *w, const json_t *one, const char *member,
    enum ae_diag_lang lang);

/* class: NULL, or how it is shown. */
static void
put_cell(struct ae_wr *w, const char *class, const char *s)
{
	ae_wr_str(w, "<td");
	if (class != NULL) {
		ae_wr_str(w, " class=\"");
		put_text(w, class);
		ae_wr_u8(w, '"');
	}
	ae_wr_u8(w, '>');
	put_sentence(w, s);
	ae_wr_str(w, "</td>");
}

/* Every element of a list, or member of an object. */
static void
put_rows(
    struct ae_wr *w, const json_t *all, row_fn *row, enum ae_diag_lang lang)
{
	const json_t *one;
	const char *member;
	size_t i;

	ae_wr_str(w, "<table>\n");
	json_array_foreach(all, i, one)
	{
		ae_wr_str(w, "<tr>");
		row(w, one, NULL, lang);
		ae_wr_str(w, "</tr>\n");
	}
	json_object_foreach((json_t *)(uintptr_t)all, member, one)
	{
		ae_wr_str(w, "<tr>");
		row(w, one, member, lang);
		ae_wr_str(w, "</tr>\n");
	}
	ae_wr_str(w, "</table>\n");
}

/* A list under a heading; nothing at all when it is empty. */
static void
put_list(struct ae_wr *w, const json_t *list, const char *title, row_fn *row,
    enum ae_diag_lang lang)
{
	if (json_array_size(list) == 0)
		return;
	ae_wr_str(w, "<h2>");
	put_text(w, ae_diag_frame(lang, title));
	ae_wr_str(w, "</h2>\n");
	put_rows(w, list, row, lang);
}

static void
finding_row(struct ae_wr *w, const json_t *f, const char *member,
    enum ae_diag_lang lang)
{
	(void)member;
	(void)lang;
	put_cell(w, "id", ae_fact_text(f, "check_id"));
	put_cell(w, NULL, ae_fact_text(f, "subject"));
	put_cell(w, NULL, ae_fact_text(f, "seen"));
}

static void
unknown_row(struct ae_wr *w, const json_t *u, const char *member,
    enum ae_diag_lang lang)
{
	const json_t *id;
	size_t i;

	(void)member;
	(void)lang;
	put_cell(w, NULL, ae_fact_text(u, "because"));
	ae_wr_str(w, "<td class=\"id\">");
	json_array_foreach(json_object_get(u, "checks"), i, id)
	{
		ae_wr_str(w, i == 0 ? "" : ", ");
		put_text(w, json_is_string(id) ? json_string_value(id) : "");
	}
	ae_wr_str(w, "</td>");
}

static void
other_row(struct ae_wr *w, const json_t *o, const char *member,
    enum ae_diag_lang lang)
{
	(void)member;
	(void)lang;
	put_cell(w, NULL, ae_fact_text(o, "name"));
	put_cell(w, NULL, ae_fact_text(o, "state"));
}

static void
template_row(struct ae_wr *w, const json_t *m, const char *member,
    enum ae_diag_lang lang)
{
	const json_t *reason;
	size_t i;

	(void)member;
	put_cell(w, ae_fact_yes(m, "ours") ? "ours" : NULL,
	    ae_fact_text(m, "template"));
	put_cell(
	    w, NULL, ae_diag_word(lang, "action", ae_fact_text(m, "action")));
	ae_wr_str(w, "<td>");
	json_array_foreach(json_object_get(m, "reasons"), i, reason)
	{
		if (ae_fact_is(reason, "verdict", "pass"))
			continue;
		ae_wr_printf(w, "<div class=\"%s\">",
		    ae_fact_is(reason, "verdict", "fail") ? "fail" : "unknown");
		put_text(w, ae_fact_text(reason, "check"));
		ae_wr_str(w, ": ");
		put_sentence(w, ae_fact_text(reason, "text"));
		ae_wr_str(w, "</div>");
	}
	ae_wr_str(w, "</td>");
}

static void
check_row(struct ae_wr *w, const json_t *c, const char *member,
    enum ae_diag_lang lang)
{
	const char *verdict = ae_fact_text(c, "verdict");

	(void)member;
	put_cell(
	    w, NULL, ae_diag_word(lang, "stage", ae_fact_text(c, "stage")));
	put_cell(w, verdict, ae_diag_word(lang, "verdict", verdict));
	put_cell(w, "id", ae_fact_text(c, "check_id"));
}

static void
probe_row(struct ae_wr *w, const json_t *probe, const char *member,
    enum ae_diag_lang lang)
{
	char ms[32];

	(void)snprintf(ms, sizeof(ms), "%.0f ms",
	    json_real_value(json_object_get(probe, "ms")));
	put_cell(w, NULL, member == NULL ? "" : member);
	put_cell(
	    w, NULL, ae_diag_word(lang, "probe", ae_fact_text(probe, "state")));
	put_cell(w, NULL, ms);
	put_cell(w, NULL, ae_fact_text(probe, "because"));
}

/* Every check and every look, for who wants to know. */
static void
put_walk(struct ae_wr *w, const json_t *r, enum ae_diag_lang lang)
{
	ae_wr_str(w, "<details><summary>");
	put_text(w, ae_diag_frame(lang, "path"));
	ae_wr_str(w, "</summary>\n");
	put_rows(w, json_object_get(r, "walk"), check_row, lang);
	put_rows(w, json_object_get(r, "probes"), probe_row, lang);
	ae_wr_str(w, "</details>\n");
}

/* A machine that gave no report. */
static void
put_silent(struct ae_wr *w, const json_t *r)
{
	ae_wr_str(w, "<h1>");
	put_text(w, ae_fact_text(r, "host"));
	ae_wr_str(w, "</h1>\n<div class=\"card unknown\">");
	put_text(w, ae_fact_text(r, "error"));
	ae_wr_str(w, "</div>\n");
}

/* The way to each CA, stage by stage, where it ended in red. */
static void
put_ways(struct ae_wr *w, const json_t *r, enum ae_diag_lang lang)
{
	const json_t *list = json_object_get(r, "ways"), *way, *s;
	char key[64];
	size_t i, k;
	bool fails;

	if (json_array_size(list) == 0)
		return;
	ae_wr_str(w, "<details><summary>");
	put_text(w, ae_diag_frame(lang, "ways"));
	ae_wr_str(w, "</summary>\n<table>\n");
	json_array_foreach(list, i, way)
	{
		(void)snprintf(
		    key, sizeof(key), "way.%s", ae_fact_text(way, "result"));
		ae_wr_str(w, "<tr><th>");
		put_text(w, ae_fact_text(way, "ca"));
		ae_wr_str(w, "</th><th>");
		put_text(w, ae_fact_text(way, "way"));
		ae_wr_str(w, "</th><th>");
		put_text(w, ae_diag_frame(lang, key));
		ae_wr_printf(w, "</th><th>%.1f ms</th></tr>\n",
		    json_real_value(json_object_get(way, "ms")));
		json_array_foreach(json_object_get(way, "stages"), k, s)
		{
			fails = ae_fact_str(s, "error") != NULL &&
			    ae_fact_is(way, "result", "ended");
			ae_wr_printf(
			    w, "<tr class=\"%s\"><td>", fails ? "fail" : "");
			put_text(w, ae_fact_text(s, "stage"));
			ae_wr_str(w, "</td><td>");
			put_text(w, ae_fact_text(s, "what"));
			ae_wr_str(w, "</td><td>");
			put_text(w, ae_fact_text(s, "error"));
			ae_wr_printf(w, "</td><td>%.1f ms</td></tr>\n",
			    json_real_value(json_object_get(s, "ms")));
		}
	}
	ae_wr_str(w, "</table></details>\n");
}

static void
put_report(struct ae_wr *w, const json_t *r, enum ae_diag_lang lang)
{
	const json_t *root = json_object_get(r, "root"), *f;
	size_t i;

	ae_wr_str(w, "<h1>");
	put_text(w, ae_fact_text(r, "category_text"));
	ae_wr_str(w, "</h1>\n<p class=\"sub\">");
	put_text(w, ae_fact_text(r, "host"));
	ae_wr_str(w, " · ");
	put_text(w, ae_fact_text(r, "account"));
	ae_wr_str(w, " · ");
	put_text(w, ae_fact_text(r, "time"));
	ae_wr_str(w, "</p>\n");
	put_way(w, r, lang);
	if (json_is_object(root)) {
		put_card(w, root, lang);
	} else {
		ae_wr_printf(w, "<div class=\"card %s\">",
		    ae_fact_is(r, "category", "ok") ? "ok" : "unknown");
		put_text(w,
		    ae_diag_frame(lang,
			ae_fact_is(r, "category", "ok") ? "healthy"
							: "not-all-seen"));
		ae_wr_str(w, "</div>\n");
	}
	json_array_foreach(json_object_get(r, "also"), i, f)
	{
		put_card(w, f, lang);
	}
	put_list(w, json_object_get(r, "consequences"), "consequences",
	    finding_row, lang);
	put_list(w, json_object_get(r, "harmless"), "not-the-cause",
	    finding_row, lang);
	put_list(w, json_object_get(r, "unknown"), "unknown-because",
	    unknown_row, lang);
	put_list(w, json_object_get(r, "others"), "others", other_row, lang);
	put_list(w, json_object_get(r, "matrix"), "matrix", template_row, lang);
	put_ways(w, r, lang);
	put_walk(w, r, lang);
}

void
ae_diag_report_html(
    struct ae_wr *w, const json_t *reports, enum ae_diag_lang lang)
{
	const json_t *r;
	size_t i;

	ae_wr_printf(w,
	    "<!DOCTYPE html>\n<html lang=\"%s\"><head><meta charset=\"utf-8\">"
	    "<meta name=\"viewport\" content=\"width=device-width\">"
	    "<meta http-equiv=\"Content-Security-Policy\" content=\""
	    "default-src 'none'; style-src 'unsafe-inline'\">"
	    "<title>autoenroll diagnose</title>\n<style>%s</style></head>"
	    "<body>\n",
	    ae_diag_lang_name(lang), style);
	json_array_foreach(reports, i, r)
	{
		if (i > 0)
			ae_wr_str(w, "<hr>\n");
		if (ae_fact_str(r, "error") != NULL)
			put_silent(w, r);
		else
			put_report(w, r, lang);
	}
	ae_wr_str(w, "</body></html>\n");
}
