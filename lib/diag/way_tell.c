/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The end of a way as a finding; see way.h.
 */
#include <stdio.h>
#include <string.h>

#include "diag/way.h"

/* Where it ended, how long it took, and what was said. */
static json_t *
end_args(const struct ae_diag_end *x)
{
	double ms = json_real_value(json_object_get(x->stage, "ms"));
	json_t *args;

	if (x->stage == NULL)
		return json_pack(
		    "{s:s}", "error", ae_fact_text(x->way, "error.text"));
	args = json_pack("{s:s, s:s, s:I, s:s}", "kind", x->kind, "what",
	    x->what, "ms", (json_int_t)(ms < 0 || ms > 1e6 ? 0 : ms + 0.5),
	    "error", ae_fact_text(x->stage, "error"));
	if (strcmp(x->rc, "AE_ETIMEDOUT") == 0)
		(void)json_object_set_new(
		    args, "late", ae_diag_phrase("way", "late", NULL));
	return args;
}

static bool
is_cause(const struct ae_diag_end *x, const char *id)
{
	const char *cause = ae_diag_end_cause(x);

	return cause != NULL && strcmp(cause, id) == 0;
}

/* What the sentences of the cause want to name. */
static void
put_value(json_t *args, const struct ae_diag_end *x)
{
	const bool nat = is_cause(x, "net.nat-oxid-binding");
	const json_t *bindings = json_object_get(x->way, "bindings"),
		     *owners = json_object_get(x->ca, "spn_owners");

	if (ae_fact_str(x->way, "same_as") != NULL) {
		(void)json_object_set(
		    args, "value", json_object_get(x->way, "same_as"));
		return;
	}
	if (is_cause(x, "dns.alias")) {
		(void)json_object_set(
		    args, "value", json_object_get(x->way, "canonical"));
		return;
	}
	if (nat && json_array_size(bindings) > 0)
		(void)json_object_set_new(
		    args, "value", ae_diag_names(bindings, "host"));
	else if (!nat && json_array_size(owners) > 1)
		(void)json_object_set_new(
		    args, "value", ae_diag_names(owners, NULL));
}

void
ae_diag_tell_end(struct ae_diag_walk *w, const struct ae_diag_end *x)
{
	const char *config = ae_fact_text(x->ca, "config");
	char principal[300];
	json_t *args = end_args(x);
	const char *port = strrchr(x->what, ':');

	(void)json_object_update_new(args,
	    json_pack("{s:s, s:s, s:s, s:s?, s:s?}", "ca", config, "host",
		ae_fact_text(x->ca, "host"), "spn", x->what, "owner",
		ae_fact_str(x->ca, "owner"), "other",
		ae_fact_str(x->ca, "other")));

	if (strcmp(x->kind, "connect") == 0 && port != NULL)
		(void)json_object_set_new(args, "port", json_string(port + 1));
	(void)snprintf(principal, sizeof(principal), "%s%s",
	    strcmp(x->kind, "ticket") == 0 ? "" : "host/",
	    strcmp(x->kind, "ticket") == 0 ? x->what
					   : ae_fact_text(x->ca, "host"));
	(void)json_object_set_new(args, "principal", json_string(principal));
	put_value(args, x);
	if (ae_diag_answers(x->facts, config))
		ae_diag_say(w, AE_DIAG_HARMLESS, config, args, "way-ends-icpr");
	else if (!ae_diag_needs_ca(x->facts, x->ca))
		ae_diag_say(
		    w, AE_DIAG_HARMLESS, config, args, "way-ends-unused");
	else
		ae_diag_say(w, AE_DIAG_FAIL, config, args, "way-ends");
}

/* Each CA whose way by DCOM ends for the reason of this row. */
void
ae_diag_judge_way(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w), *ca, *way;
	const char *cause;
	struct ae_diag_end x;
	size_t i;

	json_array_foreach(ae_fact(facts, "ad.cas"), i, ca)
	{
		way = ae_diag_way_to(facts, "dcom", ae_fact_text(ca, "config"));
		if (!ae_diag_end_read(&x, facts, ca, way))
			continue;
		cause = ae_diag_end_cause(&x);
		if (cause != NULL && strcmp(cause, ae_diag_row(w)->id) == 0)
			ae_diag_tell_end(w, &x);
	}
}

/* Nobody came back to tell how it went. */
static bool
is_cut_off(const json_t *way)
{
	return way != NULL && ae_fact(way, "ok") == NULL &&
	    !ae_fact_is(way, "state", "done");
}

static void
tell_cut_off(struct ae_diag_walk *w, const char *config, const json_t *way)
{
	ae_diag_say(w, AE_DIAG_UNKNOWN, config,
	    json_pack("{s:o}", "doing",
		ae_diag_phrase("doing",
		    ae_fact_str(way, "doing.what") != NULL
			? ae_fact_text(way, "doing.what")
			: "it",
		    ae_fact_text(way, "doing.about"))),
	    "broke-off");
}

/* It ended, and no row knows why: the raw facts are better than a guess. */
void
ae_diag_judge_rest(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w), *ca, *way;
	const char *config;
	struct ae_diag_end x;
	size_t i;

	json_array_foreach(ae_fact(facts, "ad.cas"), i, ca)
	{
		config = ae_fact_text(ca, "config");
		way = ae_diag_way_to(facts, "dcom", config);
		if (!ae_diag_end_read(&x, facts, ca, way)) {
			if (is_cut_off(way))
				tell_cut_off(w, config, way);
			continue;
		}
		if (ae_diag_end_cause(&x) != NULL)
			continue;
		ae_diag_say(
		    w, AE_DIAG_UNKNOWN, config, end_args(&x), "way-ends");
	}
}
