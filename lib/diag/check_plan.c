/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Policy, templates, CAs and trust, out of the plan: the reasons are those of
 * the run itself, so that the diagnosis is the decision.
 */
#include <inttypes.h>
#include <stdio.h>
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

bool
ae_diag_is_other_kind(const json_t *item)
{
	const json_t *r;
	size_t i;

	json_array_foreach(json_object_get(item, "reasons"), i, r)
	{
		if (strncmp(ae_fact_text(r, "check"), "context.", 8) == 0 &&
		    !ae_fact_is(r, "verdict", "pass"))
			return true;
	}
	return false;
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

/* Set up for it, or what it has a certificate of already. */
static bool
is_candidate(const json_t *item)
{
	bool context;

	(void)against(item, &context);
	return ae_fact_yes(item, "candidate") ||
	    (ae_fact_str(item, "have") != NULL && !context &&
		!ae_diag_is_other_kind(item));
}

static bool
any_candidate(const json_t *facts)
{
	const json_t *item;
	size_t i;

	json_array_foreach(ae_fact(facts, "plan.plan"), i, item)
	{
		if (is_candidate(item))
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
		return is_candidate(item);
	n = against(item, &context);
	return !context && was_meant(item) && n == nearest(facts);
}

json_t *
ae_diag_template_args(const json_t *facts, const json_t *item, const char *ca)
{
	return json_pack("{s:s, s:s, s:s, s:s?, s:s?}", "template",
	    ae_fact_text(item, "template"), "display_name",
	    ae_fact_text(item, "display_name"), "account",
	    ae_fact_text(facts, "krb.principal"), "ca", ca, "gpo",
	    ae_fact_str(facts, "plan.policy.gpo"));
}

/*
 * The CA that a reason is about: plan's own words begin with its name.  When
 * they are about all of them and there is just one, that one.
 */
static const char *
ca_of(const json_t *facts, const char *text)
{
	const json_t *cas = ae_fact(facts, "ad.cas"), *ca;
	const char *name;
	size_t i;

	json_array_foreach(cas, i, ca)
	{
		name = ae_fact_text(ca, "name");
		if (json_array_size(cas) == 1 ||
		    (strncmp(text, name, strlen(name)) == 0 &&
			text[strlen(name)] == ':'))
			return name;
	}
	return NULL;
}

/*
 * Where a certificate is there, plan only warns of what would stand against
 * the next one: it will not be renewed.  warns: what it only warns of counts
 * without a certificate, too.
 */
static void
by_plan(struct ae_diag_walk *w, bool warns)
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
		    (!fails && !keep && !warns) ||
		    !ae_diag_is_ours(facts, item))
			continue;
		args = ae_diag_template_args(
		    facts, item, ca_of(facts, ae_fact_text(r, "text")));
		if (!fails && keep)
			(void)json_object_set_new(
			    args, "category", json_string("R"));
		ae_diag_fail(w, ae_fact_text(item, "template"), args, "%s.",
		    ae_fact_text(r, "text"));
	}
}

void
ae_diag_by_plan(struct ae_diag_walk *w)
{
	by_plan(w, false);
}

void
ae_diag_by_warning(struct ae_diag_walk *w)
{
	by_plan(w, true);
}

#define OID_SMARTCARD_LOGON "1.3.6.1.4.1.311.20.2.2"

/* Is logging on what the template is for? */
static bool
is_for_logon(const json_t *facts, const char *cn)
{
	const json_t *t, *oid;
	size_t i, k;

	json_array_foreach(ae_fact(facts, "ad.templates"), i, t)
	{
		if (!ae_fact_is(t, "cn", cn))
			continue;
		json_array_foreach(json_object_get(t, "ekus"), k, oid)
		{
			if (strcmp(json_string_value(oid),
				OID_SMARTCARD_LOGON) == 0)
				return true;
		}
	}
	return false;
}

/* It stands against some uses of the certificates, not against having them. */
static void
not_in_ntauth(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w), *item, *r;
	const char *ca;
	size_t i;

	json_array_foreach(ae_fact(facts, "plan.plan"), i, item)
	{
		r = ae_diag_reason(item, ae_diag_row(w)->id);
		if (r == NULL || ae_fact_is(r, "verdict", "pass") ||
		    !ae_diag_is_ours(facts, item))
			continue;
		ca = ca_of(facts, ae_fact_text(r, "text"));
		if (ae_fact_is(r, "verdict", "fail") ||
		    is_for_logon(facts, ae_fact_text(item, "template")))
			ae_diag_fail(w, ae_fact_text(item, "template"),
			    ae_diag_template_args(facts, item, ca), "%s.",
			    ae_fact_text(r, "text"));
		else
			ae_diag_harmless(w, ae_fact_text(item, "template"),
			    ae_diag_template_args(facts, item, ca), "%s.",
			    ae_fact_text(r, "text"));
	}
}

static json_t *
policy_args(const json_t *facts)
{
	int64_t value = 0;
	char text[32];

	(void)ae_fact_int(&value, facts, "plan.policy.aepolicy");
	(void)snprintf(text, sizeof(text), "0x%" PRIx64, (uint64_t)value);
	return json_pack("{s:s, s:s, s:s?}", "account",
	    ae_fact_text(facts, "krb.principal"), "value", text, "gpo",
	    ae_fact_is(facts, "plan.policy.source", "gpo")
		? ae_fact_str(facts, "plan.policy.gpo")
		: "policy.conf");
}

static json_t *
server_args(const json_t *facts)
{
	const json_t *first =
	    json_array_get(ae_fact(facts, "plan.policy.policy_servers"), 0);

	return json_pack("{s:s?, s:s?, s:s?}", "url", ae_fact_str(first, "url"),
	    "value", ae_fact_str(first, "policy_id"), "gpo",
	    ae_fact_str(first, "gpo"));
}

/* A reason of the run as a whole. */
void
ae_diag_by_run(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w), *r;
	size_t i;

	json_array_foreach(ae_fact(facts, "plan.policy_reasons"), i, r)
	{
		if (!ae_fact_is(r, "check", ae_diag_row(w)->id) ||
		    ae_fact_is(r, "verdict", "pass"))
			continue;
		ae_diag_fail(w, NULL,
		    ae_diag_match("policy.policyserver-* policy.policyid-*",
			ae_diag_row(w)->id)
			? server_args(facts)
			: policy_args(facts),
		    "%s.", ae_fact_text(r, "text"));
		return;
	}
}

/* clang-format off */
#define PLAN(id)     { id, "plan.plan", AFTER_DIRECTORY, ae_diag_by_plan }

const struct ae_diag_check ae_diag_ca[] = {
	PLAN("ca.none-in-forest"),
	{ "ca.template-not-published", "plan.plan",
	  AFTER_DIRECTORY " ca.none-in-forest", ae_diag_by_plan },
	PLAN("ca.no-enroll-right"),
	PLAN("ca.object-stale-host"),
	PLAN("ca.cert-missing-in-object"),
	PLAN("trust.ca-cert-expired"),
	{ "trust.root-missing", "plan.plan",
	  AFTER_DIRECTORY " trust.constraint-or-eku trust.weak-hash-rejected trust.intermediate-missing", ae_diag_by_plan },
	{ "trust.ntauth-missing", "plan.plan", AFTER_DIRECTORY, not_in_ntauth },
	{ 0 },
};
/* clang-format on */
