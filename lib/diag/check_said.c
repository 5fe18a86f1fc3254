/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What a CA says of itself beside what the directory says of it.
 */
#include "diag/checks.h"

/* A CA reads the directory now and then; until then it may differ. */
#define LAG 900

static void
not_loaded(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w), *item, *ca, *said;
	const char *cn, *config;
	json_t *args;
	size_t i, k;

	json_array_foreach(ae_fact(facts, "plan.plan"), i, item)
	{
		cn = ae_fact_text(item, "template");
		json_array_foreach(ae_fact(facts, "ad.cas"), k, ca)
		{
			config = ae_fact_text(ca, "config");
			said = json_object_get(
			    ae_diag_way_to(facts, "dcom", config), "templates");
			if (said == NULL || ae_diag_lists(said, cn) ||
			    !ae_diag_lists(
				json_object_get(ca, "templates"), cn) ||
			    !ae_diag_is_ours(facts, item))
				continue;
			args = json_pack("{s:s, s:s, s:I}", "template", cn,
			    "ca", config, "count",
			    (json_int_t)json_array_size(said));
			if (ae_fact_is(item, "action", "keep"))
				(void)json_object_set_new(
				    args, "category", json_string("R"));
			ae_diag_say(w, AE_DIAG_FAIL, cn, args, "");
		}
	}
}

/* Changed in AD a moment ago it is only not read yet. */
static void
not_in_ad(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w), *item, *ca, *said;
	const char *cn, *config;
	int64_t now = 0, changed = 0;
	json_t *args;
	size_t i, k;

	(void)ae_fact_int(&now, facts, "host.now");
	json_array_foreach(ae_fact(facts, "plan.plan"), i, item)
	{
		cn = ae_fact_text(item, "template");
		json_array_foreach(ae_fact(facts, "ad.cas"), k, ca)
		{
			config = ae_fact_text(ca, "config");
			said = json_object_get(
			    ae_diag_way_to(facts, "dcom", config), "templates");
			if (!ae_diag_lists(said, cn) ||
			    ae_diag_lists(
				json_object_get(ca, "templates"), cn) ||
			    !ae_diag_is_ours(facts, item))
				continue;
			args = json_pack(
			    "{s:s, s:s}", "template", cn, "ca", config);
			if (ae_fact_int(&changed, ca, "changed") &&
			    now - changed > LAG)
				ae_diag_say(w, AE_DIAG_FAIL, cn, args, "");
			else
				ae_diag_say(
				    w, AE_DIAG_HARMLESS, cn, args, "yet");
		}
	}
}

/* clang-format off */
const struct ae_diag_check ae_diag_said[] = {
	{ "ca.published-ad-not-loaded", "plan.plan",
	    AFTER_DIRECTORY " ca.cert-missing-in-object trust.ca-cert-expired"
	    " trust.constraint-or-eku trust.weak-hash-rejected trust.intermediate-missing", not_loaded },
	{ "ca.published-loaded-not-ad", "plan.plan", AFTER_DIRECTORY, not_in_ad },
	{ 0 },
};
/* clang-format on */
