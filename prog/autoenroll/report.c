/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * A report, and what is left out of it before it is built; see report.h.
 */
#include "report.h"

#include <string.h>

#include "base/json.h"
#include "base/wr.h"

static bool
is_value(const struct ae_json_part *part, const char *value)
{
	return part->len == strlen(value) &&
	    memcmp(part->p, value, part->len) == 0;
}

static bool
fails(const struct ae_json_part *reason)
{
	struct ae_json_walk w;
	struct ae_json_part part;

	if (!ae_json_walk(&w, reason->p, reason->len))
		return false;
	while (ae_json_step(&w, &part))
		if (ae_json_is(&part, "verdict"))
			return is_value(&part, "\"fail\"");
	return false;
}

static void
put_name(struct ae_wr *w, const struct ae_json_part *part)
{
	ae_json_put_next(w);
	if (part->name == NULL)
		return;
	ae_wr_u8(w, '"');
	ae_wr_bytes(w, part->name, part->name_len);
	ae_wr_str(w, "\":");
}

/* What is no list stays what it is. */
static void
put_reasons(struct ae_wr *w, const struct ae_json_part *reasons)
{
	struct ae_json_walk list;
	struct ae_json_part one;
	bool found = false;

	if (!ae_json_walk(&list, reasons->p, reasons->len) || list.object) {
		ae_wr_bytes(w, reasons->p, reasons->len);
		return;
	}
	ae_wr_u8(w, '[');
	while (ae_json_step(&list, &one)) {
		if (!found && fails(&one)) {
			ae_wr_bytes(w, one.p, one.len);
			found = true;
		}
	}
	ae_wr_u8(w, ']');
	w->bad = w->bad || !ae_json_ended(&list);
}

static void
put_item(struct ae_wr *w, const struct ae_json_part *item)
{
	struct ae_json_walk members;
	struct ae_json_part part;

	if (!ae_json_walk(&members, item->p, item->len) || !members.object) {
		ae_wr_bytes(w, item->p, item->len);
		return;
	}
	ae_wr_u8(w, '{');
	while (ae_json_step(&members, &part)) {
		put_name(w, &part);
		if (ae_json_is(&part, "reasons"))
			put_reasons(w, &part);
		else
			ae_wr_bytes(w, part.p, part.len);
	}
	ae_wr_u8(w, '}');
	w->bad = w->bad || !ae_json_ended(&members);
}

static void
put_plan(struct ae_wr *w, const struct ae_json_part *plan)
{
	struct ae_json_walk list;
	struct ae_json_part item;

	if (!ae_json_walk(&list, plan->p, plan->len) || list.object) {
		ae_wr_bytes(w, plan->p, plan->len);
		return;
	}
	ae_wr_u8(w, '[');
	while (ae_json_step(&list, &item)) {
		put_name(w, &item);
		put_item(w, &item);
	}
	ae_wr_u8(w, ']');
	w->bad = w->bad || !ae_json_ended(&list);
}

json_t *
report_read(const char *text, size_t len, bool all)
{
	struct ae_json_walk members;
	struct ae_json_part part;
	struct ae_wr w;
	json_t *j = NULL;

	while (len > 0 && text[len - 1] == '\n')
		len--;
	if (all || !ae_json_is_line(text, len) ||
	    !ae_json_walk(&members, text, len))
		return json_loadb(text, len, 0, NULL);
	ae_wr_init(&w, len + 1);
	ae_wr_u8(&w, '{');
	while (ae_json_step(&members, &part)) {
		put_name(&w, &part);
		if (ae_json_is(&part, "plan"))
			put_plan(&w, &part);
		else
			ae_wr_bytes(&w, part.p, part.len);
	}
	ae_wr_u8(&w, '}');
	if (ae_wr_ok(&w) && ae_json_ended(&members))
		j = json_loadb((const char *)w.p, w.len, 0, NULL);
	ae_wr_done(&w);
	return j;
}
