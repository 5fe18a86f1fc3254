/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Policy, templates, CAs and trust, out of the plan: the reasons are those of
 * the run itself, so that the diagnosis is the decision.
 */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "diag/checks.h"

const json_t *
ae_diag_reason(const json_t *item, const char *check)
{
	const json_t *r, *found = NULL;
	size_t i;

	/* The gravest of several with this check. */
	json_array_foreach(json_object_get(item, "reasons"), i, r)
	{
		if (ae_fact_is(r, "check", check) &&
		    (found == NULL || ae_fact_is(r, "verdict", "fail")))
			found = r;
	}
	return found;
}

bool
ae_diag_reason_is(const json_t *item, const char *check, const char *verdict)
{
	const json_t *r = ae_diag_reason(item, check);

	return r != NULL && ae_fact_is(r, "verdict", verdict);
}

/* How many checks speak against it; context: it is for another kind. */
static size_t
against(const json_t *item, bool *context)
{
	const json_t *r;
	size_t i, n = 0;

	*context = false;
	json_array_foreach(json_object_get(item, "reasons"), i, r)
	{
		if (!ae_fact_is(r, "verdict", "fail"))
			continue;
		n++;
		*context |=
		    strncmp(ae_fact_text(r, "check"), "context.", 8) == 0;
	}
	return n;
}

/* Somebody had the account in mind, if not quite to the end. */
static bool
was_meant(const json_t *item)
{
	return ae_diag_reason_is(item, "template.enroll-right", "pass") ||
	    ae_diag_reason_is(item, "template.autoenroll-right", "pass") ||
	    ae_diag_reason_is(item, "template.deny-ace", "fail");
}

/* The fewest reasons against a template that was meant for us. */
static size_t
nearest(const json_t *facts)
{
	const json_t *item;
	size_t i, n, best = SIZE_MAX;
	bool context;

	json_array_foreach(ae_fact(facts, "plan.plan"), i, item)
	{
		n = against(item, &context);
		if (!context && was_meant(item) && n < best)
			best = n;
	}
	return best;
}

static bool
any_candidate(const json_t *facts)
{
	const json_t *item;
	size_t i;

	json_array_foreach(ae_fact(facts, "plan.plan"), i, item)
	{
		if (ae_fact_yes(item, "candidate"))
			return true;
	}
	return false;
}

bool
ae_diag_is_ours(const json_t *facts, const json_t *item)
{
	const char *only = ae_fact_str(facts, "asked.template");
	size_t n;
	bool context;

	if (only != NULL)
		return ae_str_eq_nocase(only, ae_fact_text(item, "template"));
	if (any_candidate(facts))
		return ae_fact_yes(item, "candidate");
	n = against(item, &context);
	return !context && was_meant(item) && n == nearest(facts);
}

static json_t *
item_args(const json_t *facts, const json_t *item)
{
	return json_pack("{s:s, s:s, s:s}", "template",
	    ae_fact_text(item, "template"), "display_name",
	    ae_fact_text(item, "display_name"), "account",
	    ae_fact_text(facts, "krb.principal"));
}

/*
 * Where a certificate is there, plan only warns of what would stand against
 * the next one: it will not be renewed.
 */
void
ae_diag_by_plan(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w), *item, *r;
	json_t *args;
	size_t i;
	bool keep, fails;

	json_array_foreach(ae_fact(facts, "plan.plan"), i, item)
	{
		r = ae_diag_reason(item, ae_diag_row(w)->id);
		keep = ae_fact_is(item, "action", "keep");
		fails = r != NULL && ae_fact_is(r, "verdict", "fail");
		if (r == NULL || ae_fact_is(r, "verdict", "pass") ||
		    (!fails && !keep) || !ae_diag_is_ours(facts, item))
			continue;
		args = item_args(facts, item);
		if (!fails)
			(void)json_object_set_new(
			    args, "category", json_string("R"));
		ae_diag_fail(w, ae_fact_text(item, "template"), args, "%s.",
		    ae_fact_text(r, "text"));
	}
}

/* It stands against some uses of the certificates, not against having them. */
static void
not_in_ntauth(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w), *item, *r;
	size_t i;

	json_array_foreach(ae_fact(facts, "plan.plan"), i, item)
	{
		r = ae_diag_reason(item, ae_diag_row(w)->id);
		if (r == NULL || ae_fact_is(r, "verdict", "pass") ||
		    !ae_diag_is_ours(facts, item))
			continue;
		if (ae_fact_is(r, "verdict", "fail"))
			ae_diag_fail(w, ae_fact_text(item, "template"),
			    item_args(facts, item), "%s.",
			    ae_fact_text(r, "text"));
		else
			ae_diag_harmless(w, ae_fact_text(item, "template"),
			    item_args(facts, item), "%s.",
			    ae_fact_text(r, "text"));
	}
}

/* A reason of the run as a whole. */
static void
by_run(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w), *r;
	size_t i;

	json_array_foreach(ae_fact(facts, "plan.policy_reasons"), i, r)
	{
		if (!ae_fact_is(r, "check", ae_diag_row(w)->id) ||
		    ae_fact_is(r, "verdict", "pass"))
			continue;
		ae_diag_fail(w, NULL,
		    json_pack("{s:s}", "account",
			ae_fact_text(facts, "krb.principal")),
		    "%s.", ae_fact_text(r, "text"));
		return;
	}
}

/* clang-format off */
#define RUN(id)	     { id, "plan.policy_reasons", AFTER_DIRECTORY, by_run }
#define PLAN(id)     { id, "plan.plan", AFTER_DIRECTORY, ae_diag_by_plan }

const struct ae_diag_check ae_diag_policy[] = {
	RUN("policy.aepolicy-absent"),
	RUN("policy.aepolicy-disabled"),
	RUN("policy.no-enroll-bit"),
	RUN("policy.no-renew-bit"),
	RUN("policy.policyserver-override"),
	RUN("policy.policyserver-autoenroll-flag-off"),
	RUN("policy.policyid-mismatch"),
	{ 0 },
};

const struct ae_diag_check ae_diag_template[] = {
	PLAN("context.ca-template"),
	PLAN("context.machine-template-in-user"),
	PLAN("context.user-template-in-machine"),
	PLAN("template.no-read-right"),
	PLAN("template.deny-ace"),
	PLAN("template.no-enroll-right"),
	PLAN("template.not-configured-autoenroll"),
	PLAN("template.no-autoenroll-right"),
	PLAN("template.v1-no-autoenroll"),
	PLAN("template.schema-unknown"),
	PLAN("template.client-too-old"),
	PLAN("template.superseded"),
	PLAN("template.supplies-subject"),
	PLAN("template.user-interaction"),
	PLAN("template.ra-signature"),
	PLAN("existing.published-in-ds"),
	PLAN("existing.key-missing"),
	PLAN("key.attestation"),
	PLAN("key.provider-missing"),
	PLAN("key.algorithm-unknown"),
	PLAN("key.min-size-local"),
	PLAN("key.exportable-hardware"),
	{ 0 },
};

const struct ae_diag_check ae_diag_ca[] = {
	PLAN("ca.none-in-forest"),
	{ "ca.template-not-published", "plan.plan",
	  AFTER_DIRECTORY " ca.none-in-forest", ae_diag_by_plan },
	PLAN("ca.no-enroll-right"),
	PLAN("ca.object-stale-host"),
	PLAN("ca.cert-missing-in-object"),
	PLAN("trust.ca-cert-expired"),
	PLAN("trust.root-missing"),
	{ "trust.ntauth-missing", "plan.plan", AFTER_DIRECTORY, not_in_ntauth },
	{ 0 },
};
/* clang-format on */
