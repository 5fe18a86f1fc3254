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

const json_t *
ae_diag_item_of(const json_t *facts, const char *cn)
{
	const json_t *item;
	size_t i;

	json_array_foreach(ae_fact(facts, "plan.plan"), i, item)
	{
		if (ae_str_eq_nocase(ae_fact_text(item, "template"), cn))
			return item;
	}
	return NULL;
}

const json_t *
ae_diag_template_of(const json_t *facts, const char *cn)
{
	const json_t *t;
	size_t i;

	json_array_foreach(ae_fact(facts, "ad.templates"), i, t)
	{
		if (ae_str_eq_nocase(ae_fact_text(t, "cn"), cn))
			return t;
	}
	return NULL;
}

const json_t *
ae_diag_ca_of(const json_t *facts, const char *config)
{
	const json_t *ca;
	size_t i;

	json_array_foreach(ae_fact(facts, "ad.cas"), i, ca)
	{
		if (ae_str_eq_nocase(ae_fact_text(ca, "config"), config))
			return ca;
	}
	return NULL;
}

bool
ae_diag_lists(const json_t *names, const char *name)
{
	const json_t *one;
	size_t i;

	json_array_foreach(names, i, one)
	{
		if (json_is_string(one) &&
		    ae_str_eq_nocase(json_string_value(one), name))
			return true;
	}
	return false;
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

/* ---- what a reason says, as values for the catalogue's sentence ---- */

/*
 * The CA that the reasons of this check are about: the first that one of them
 * names.  When none does and there is just one CA, that one.
 */
static const char *
ca_of(const json_t *facts, const json_t *item, const char *check)
{
	const json_t *cas = ae_fact(facts, "ad.cas"), *ca, *r;
	const char *name;
	size_t i, k;

	json_array_foreach(json_object_get(item, "reasons"), i, r)
	{
		if (!ae_fact_is(r, "check", check))
			continue;
		json_array_foreach(cas, k, ca)
		{
			name = ae_fact_text(ca, "name");
			if (ae_fact_is(r, "about", name))
				return name;
		}
	}
	return json_array_size(cas) == 1
	    ? ae_fact_str(json_array_get(cas, 0), "name")
	    : NULL;
}

/* What keeps the CA of this name from being trusted; NULL: nothing. */
static const char *
chain_error(const json_t *facts, const char *name)
{
	const json_t *ca;
	size_t i;

	json_array_foreach(ae_fact(facts, "ad.cas"), i, ca)
	{
		if (name != NULL && ae_fact_is(ca, "name", name))
			return ae_fact_str(ca, "chain.error");
	}
	return NULL;
}

static void
put_flags(json_t *args, const char *name, const json_t *t, const char *member)
{
	char text[AE_DIAG_FLAGS_MAX];
	int64_t flags;

	if (ae_fact_int(&flags, t, member))
		(void)json_object_set_new(
		    args, name, json_string(ae_diag_flags(text, flags)));
}

static void
put_number(json_t *args, const char *name, const json_t *t, const char *member)
{
	int64_t n;

	if (ae_fact_int(&n, t, member))
		(void)json_object_set_new(
		    args, name, json_integer((json_int_t)n));
}

static void
put_span(json_t *args, const char *name, const json_t *t, const char *member)
{
	int64_t seconds;

	if (ae_fact_int(&seconds, t, member))
		(void)json_object_set_new(args, name, ae_diag_span(seconds));
}

/* What the directory has of the template and sentences may want to name. */
static void
put_template(json_t *args, const json_t *t)
{
	put_number(args, "schema", t, "schema_version");
	put_number(args, "value", t, "ra_signature");
	put_number(args, "bits", t, "min_key_size");
	put_flags(args, "flags", t, "enrollment_flag");
	put_flags(args, "name_flag", t, "name_flag");
	put_flags(args, "key_flag", t, "private_key_flag");
	put_span(args, "validity", t, "validity");
	put_span(args, "overlap", t, "overlap");
	(void)json_object_set_new(
	    args, "providers", ae_diag_names(json_object_get(t, "csps"), NULL));
}

json_t *
ae_diag_reason_args(const json_t *facts, const json_t *item, const json_t *r)
{
	const char *about = ae_fact_text(r, "about"),
		   *ca = ca_of(facts, item, ae_fact_text(r, "check")),
		   *error = chain_error(facts, ca);
	json_t *args = ae_diag_template_args(facts, item, ca);

	put_template(
	    args, ae_diag_template_of(facts, ae_fact_text(item, "template")));
	(void)json_object_set_new(args, "about", json_string(about));
	(void)json_object_set_new(
	    args, "error", json_string(error == NULL ? "" : error));
	if (ae_fact_is(r, "check", "template.superseded"))
		(void)json_object_set_new(args, "value", json_string(about));
	return args;
}

/* Where another CA serves the template, one that does not is in nobody's way.
 */
static bool
is_about_spare_ca(const json_t *facts, const json_t *item, const json_t *r)
{
	const json_t *ca;
	size_t i;

	if (json_array_size(json_object_get(item, "cas")) == 0)
		return false;
	json_array_foreach(ae_fact(facts, "ad.cas"), i, ca)
	{
		if (ae_fact_is(r, "about", ae_fact_text(ca, "name")))
			return true;
	}
	return false;
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
	const char *id = ae_diag_row(w)->id;
	json_t *args;
	size_t i;
	bool keep, fails;

	json_array_foreach(ae_fact(facts, "plan.plan"), i, item)
	{
		r = ae_diag_reason(item, id);
		keep = ae_fact_is(item, "action", "keep");
		fails = r != NULL && ae_fact_is(r, "verdict", "fail");
		if (r == NULL || ae_fact_is(r, "verdict", "pass") ||
		    (!fails &&
			((!keep && !warns) ||
			    is_about_spare_ca(facts, item, r))) ||
		    !ae_diag_is_ours(facts, item))
			continue;
		args = ae_diag_reason_args(facts, item, r);
		if (!fails && keep)
			(void)json_object_set_new(
			    args, "category", json_string("R"));
		ae_diag_say(
		    w, AE_DIAG_FAIL, ae_fact_text(item, "template"), args, "");
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
	return ae_diag_lists(
	    json_object_get(ae_diag_template_of(facts, cn), "ekus"),
	    OID_SMARTCARD_LOGON);
}

/* It stands against some uses of the certificates, not against having them. */
static void
not_in_ntauth(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w), *item, *r;
	const char *cn, *id = ae_diag_row(w)->id;
	size_t i;

	json_array_foreach(ae_fact(facts, "plan.plan"), i, item)
	{
		r = ae_diag_reason(item, id);
		if (r == NULL || ae_fact_is(r, "verdict", "pass") ||
		    !ae_diag_is_ours(facts, item))
			continue;
		cn = ae_fact_text(item, "template");
		ae_diag_say(w,
		    ae_fact_is(r, "verdict", "fail") || is_for_logon(facts, cn)
			? AE_DIAG_FAIL
			: AE_DIAG_HARMLESS,
		    cn, ae_diag_reason_args(facts, item, r), "");
	}
}

static json_t *
policy_args(const json_t *facts)
{
	const bool local = !ae_fact_is(facts, "plan.policy.source", "gpo");
	const char *layer = ae_fact_str(facts, "host.local_policy.path");
	json_t *args;
	int64_t value = 0;
	char text[AE_DIAG_FLAGS_MAX];

	(void)ae_fact_int(&value, facts, "plan.policy.aepolicy");
	args = json_pack("{s:s, s:s, s:s?}", "account",
	    ae_fact_text(facts, "krb.principal"), "value",
	    ae_diag_flags(text, value), "gpo",
	    local ? layer : ae_fact_str(facts, "plan.policy.gpo"));
	if (local && layer != NULL && !ae_fact_yes(facts, "host.user"))
		(void)json_object_set_new(args, "layer", json_string(layer));
	return args;
}

static json_t *
server_args(const json_t *facts)
{
	const json_t *all = ae_fact(facts, "plan.policy.policy_servers"),
		     *first = json_array_get(all, 0);

	return json_pack("{s:s?, s:s?, s:s?, s:I}", "url",
	    ae_fact_str(first, "url"), "value", ae_fact_str(first, "policy_id"),
	    "gpo", ae_fact_str(first, "gpo"), "count",
	    (json_int_t)json_array_size(all));
}

/* A reason of the run as a whole. */
void
ae_diag_by_run(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w), *r;
	const char *id = ae_diag_row(w)->id;
	const bool unset = ae_fact_no(facts, "plan.policy.aepolicy_set");
	json_t *args;
	size_t i;

	json_array_foreach(ae_fact(facts, "plan.policy_reasons"), i, r)
	{
		if (!ae_fact_is(r, "check", id) ||
		    ae_fact_is(r, "verdict", "pass"))
			continue;
		args =
		    ae_diag_match("policy.policyserver-* policy.policyid-*", id)
		    ? server_args(facts)
		    : policy_args(facts);
		(void)json_object_set_new(
		    args, "about", json_string(ae_fact_text(r, "about")));
		ae_diag_say(w, AE_DIAG_FAIL, NULL, args,
		    strcmp(id, "policy.aepolicy-absent") == 0 && !unset ? "zero"
									: "");
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
	  AFTER_DIRECTORY " trust.constraint-or-eku trust.weak-hash-rejected trust.intermediate-missing trust.aia-unreachable", ae_diag_by_plan },
	{ "trust.ntauth-missing", "plan.plan", AFTER_DIRECTORY, not_in_ntauth },
	{ 0 },
};
/* clang-format on */
