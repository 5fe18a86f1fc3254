/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The end of a way as a finding; see way.h.
 */
#include <stdio.h>
#include <string.h>

#include "diag/way.h"

static void
describe(char *out, size_t len, const struct ae_diag_end *x)
{
	double ms = json_real_value(json_object_get(x->stage, "ms"));

	if (x->stage == NULL)
		(void)snprintf(
		    out, len, "%s", ae_fact_text(x->way, "error.text"));
	else
		(void)snprintf(out, len,
		    "The way ends at '%s %s' after %.0f ms%s: %s", x->kind,
		    x->what, ms,
		    strcmp(x->rc, "AE_ETIMEDOUT") == 0
			? " (no answer: dropped on the way)"
			: "",
		    ae_fact_text(x->stage, "error"));
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
	char list[512] = "";
	const bool nat = is_cause(x, "net.nat-oxid-binding");
	const json_t *from;
	const char *one;
	size_t i;

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
	from = json_object_get(
	    nat ? x->way : x->ca, nat ? "bindings" : "spn_owners");
	for (i = 0; i < json_array_size(from) && i < 4; i++) {
		one = json_string_value(json_array_get(from, i));
		if (one == NULL)
			one = ae_fact_text(json_array_get(from, i), "host");
		(void)snprintf(list + strlen(list), sizeof(list) - strlen(list),
		    "%s%.*s", i == 0 ? "" : "; ", 100, one);
	}
	if (list[0] != '\0' && (nat || i > 1))
		(void)json_object_set_new(args, "value", json_string(list));
}

void
ae_diag_tell_end(struct ae_diag_walk *w, const struct ae_diag_end *x)
{
	const char *config = ae_fact_text(x->ca, "config");
	char seen[1024];
	char principal[300];
	json_t *args = json_pack("{s:s, s:s, s:s}", "ca", config, "host",
	    ae_fact_text(x->ca, "host"), "spn", x->what);
	const char *port = strrchr(x->what, ':');

	if (strcmp(x->kind, "connect") == 0 && port != NULL)
		(void)json_object_set_new(args, "port", json_string(port + 1));
	(void)snprintf(principal, sizeof(principal), "%s%s",
	    strcmp(x->kind, "ticket") == 0 ? "" : "host/",
	    strcmp(x->kind, "ticket") == 0 ? x->what
					   : ae_fact_text(x->ca, "host"));
	(void)json_object_set_new(args, "principal", json_string(principal));
	put_value(args, x);
	describe(seen, sizeof(seen), x);
	if (ae_diag_answers(x->facts, config))
		ae_diag_harmless(w, config, args,
		    "%s. Plain RPC (ICPR) works, and is used instead.", seen);
	else if (!ae_diag_needs_ca(x->facts, x->ca))
		ae_diag_harmless(w, config, args,
		    "%s. No certificate of ours depends on this CA.", seen);
	else
		ae_diag_fail(w, config, args, "%s.", seen);
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

/* It ended, and no row knows why: the raw facts are better than a guess. */
void
ae_diag_judge_rest(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w), *ca, *way;
	const char *config;
	struct ae_diag_end x;
	char seen[1024];
	size_t i;

	json_array_foreach(ae_fact(facts, "ad.cas"), i, ca)
	{
		config = ae_fact_text(ca, "config");
		way = ae_diag_way_to(facts, "dcom", config);
		if (!ae_diag_end_read(&x, facts, ca, way) ||
		    ae_diag_end_cause(&x) != NULL)
			continue;
		describe(seen, sizeof(seen), &x);
		ae_diag_unknown(w, config, "%s.", seen);
	}
}
