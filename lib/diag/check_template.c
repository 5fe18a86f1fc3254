/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Templates: why this one is passed over.  The reasons are plan's where it
 * has them; the rest is what people mistake and plan cannot know: names,
 * objects that nobody may read, the wrong kind of account.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "diag/checks.h"

static const json_t *
displayed_as(const json_t *facts, const char *name)
{
	const json_t *t;
	size_t i;

	json_array_foreach(ae_fact(facts, "ad.templates"), i, t)
	{
		if (ae_str_eq_nocase(ae_fact_text(t, "display_name"), name))
			return t;
	}
	return NULL;
}

/* --template with what people see in the console. */
static void
display_name(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w), *t;
	const char *asked = ae_fact_str(facts, "asked.template");

	if (asked == NULL || ae_diag_template_of(facts, asked) != NULL)
		return;
	t = displayed_as(facts, asked);
	if (t != NULL)
		ae_diag_say(w, AE_DIAG_FAIL, asked,
		    json_pack("{s:s, s:s, s:s, s:s}", "template",
			ae_fact_text(t, "cn"), "display_name", asked, "value",
			asked, "expected", ae_fact_text(t, "cn")),
		    "");
}

static void
missing(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w), *one;
	const char *asked = ae_fact_str(facts, "asked.template");
	size_t i;

	if (asked == NULL)
		return;
	json_array_foreach(ae_fact(facts, "ad.unseen"), i, one)
	{
		if (ae_fact_is(one, "state", "absent") &&
		    ae_str_eq_nocase(ae_fact_text(one, "cn"), asked))
			ae_diag_say(w, AE_DIAG_FAIL, asked,
			    json_pack("{s:s, s:s}", "template", asked, "dn",
				ae_fact_text(one, "dn")),
			    "");
	}
}

/* An object that shows its name and nothing else. */
static void
unreadable(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w), *one;
	const char *asked = ae_fact_str(facts, "asked.template"), *cn;
	size_t i;

	json_array_foreach(ae_fact(facts, "ad.unseen"), i, one)
	{
		cn = ae_fact_text(one, "cn");
		if (!ae_fact_is(one, "state", "unreadable") ||
		    (asked != NULL && !ae_str_eq_nocase(asked, cn)))
			continue;
		ae_diag_say(w, AE_DIAG_FAIL, cn,
		    json_pack("{s:s, s:s, s:s}", "template", cn, "dn",
			ae_fact_text(one, "dn"), "account",
			ae_fact_text(facts, "krb.principal")),
		    "unreadable");
	}
	ae_diag_by_plan(w);
}

/*
 * Of the other kind.  When nobody gave the account any right on it, the
 * question was the wrong one; when somebody did, the template is.
 */
static void
other_kind(struct ae_diag_walk *w, bool meant)
{
	const json_t *facts = ae_diag_facts(w), *item, *r, *t;
	const char *asked = ae_fact_str(facts, "asked.template"), *cn;
	const char *id = ae_diag_row(w)->id;
	size_t i;

	json_array_foreach(ae_fact(facts, "plan.plan"), i, item)
	{
		cn = ae_fact_text(item, "template");
		if (asked == NULL || !ae_str_eq_nocase(asked, cn) ||
		    !ae_diag_is_other_kind(item))
			continue;
		r = ae_diag_reason(item, "context.machine-template-in-user");
		if (r == NULL)
			r = ae_diag_reason(
			    item, "context.user-template-in-machine");
		t = ae_diag_template_of(facts, cn);
		if (r == NULL || ae_fact_yes(t, "may.enroll") != meant ||
		    (meant && !ae_fact_is(r, "check", id)))
			continue;
		ae_diag_say(w, AE_DIAG_FAIL, cn,
		    ae_diag_template_args(facts, item, NULL),
		    ae_fact_yes(facts, "host.user") ? "for-computers"
						    : "for-users");
	}
}

static void
wrong_question(struct ae_diag_walk *w)
{
	other_kind(w, false);
}

static void
wrong_kind(struct ae_diag_walk *w)
{
	other_kind(w, true);
}

/* A certificate of a template that is of the other kind by now. */
static void
ea_mismatch(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w), *item;
	size_t i;

	/* With one OID for two, nobody can tell whose it is. */
	if (ae_fact_str(facts, "asked.template") != NULL ||
	    ae_diag_failed(w, "template.duplicate-oid", NULL))
		return;
	json_array_foreach(ae_fact(facts, "plan.plan"), i, item)
	{
		if (ae_fact_str(item, "have") == NULL ||
		    !ae_diag_is_other_kind(item) ||
		    ae_diag_reason(item, "context.ca-template") != NULL)
			continue;
		ae_diag_say(w, AE_DIAG_FAIL, ae_fact_text(item, "template"),
		    json_pack("{s:s, s:s}", "template",
			ae_fact_text(item, "template"), "thumbprint",
			ae_fact_text(item, "have")),
		    "");
	}
}

/* Of each item of ours what the directory says. */
static const json_t *
raw_of(const json_t *facts, const json_t *item)
{
	return ae_diag_is_ours(facts, item)
	    ? ae_diag_template_of(facts, ae_fact_text(item, "template"))
	    : NULL;
}

/* A finding about the item, with one more value; NULL: without. */
static void
fail(struct ae_diag_walk *w, const json_t *item, const char *name,
    const char *value, const char *seen)
{
	json_t *args = ae_diag_template_args(ae_diag_facts(w), item, NULL);

	if (name != NULL)
		(void)json_object_set_new(args, name, json_string(value));
	ae_diag_say(
	    w, AE_DIAG_FAIL, ae_fact_text(item, "template"), args, seen);
}

static void
oid_missing(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w), *item, *t;
	int64_t schema = 0;
	size_t i;

	json_array_foreach(ae_fact(facts, "plan.plan"), i, item)
	{
		t = raw_of(facts, item);
		if (t == NULL || !ae_fact_int(&schema, t, "schema_version") ||
		    schema < 2)
			continue;
		if (ae_fact_str(t, "oid") == NULL)
			fail(w, item, "dn", ae_fact_text(t, "dn"), "attribute");
		else if (ae_fact_no(t, "oid_entry"))
			fail(w, item, "oid", ae_fact_text(t, "oid"), "object");
	}
}

static bool
any_starts_with(const json_t *list, const char *with)
{
	const char *s;
	size_t i;

	for (i = 0; i < json_array_size(list); i++) {
		s = json_string_value(json_array_get(list, i));
		if (s != NULL && strstr(s, with) != NULL)
			return true;
	}
	return false;
}

#define LEGACY_PROVIDER 0x100

/* Schema 4 says which kind of provider is meant; the names must be of it. */
static void
legacy_or_cng(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w), *item, *t, *csps;
	int64_t schema = 0, flags = 0;
	bool ksp, legacy;
	size_t i;

	json_array_foreach(ae_fact(facts, "plan.plan"), i, item)
	{
		t = raw_of(facts, item);
		if (t == NULL || !ae_fact_int(&schema, t, "schema_version") ||
		    schema != 4 || !ae_fact_int(&flags, t, "private_key_flag"))
			continue;
		csps = json_object_get(t, "csps");
		ksp = any_starts_with(csps, "Key Storage Provider") ||
		    any_starts_with(csps, "Platform Crypto Provider");
		legacy = any_starts_with(csps, "Cryptographic Provider");
		if (((flags & LEGACY_PROVIDER) != 0 && ksp && !legacy) ||
		    ((flags & LEGACY_PROVIDER) == 0 && legacy && !ksp))
			fail(w, item, NULL, NULL,
			    (flags & LEGACY_PROVIDER) != 0 ? "legacy" : "ksp");
	}
}

#define SKIP_AUTO_RENEWAL 0x40000

static void
skips_renewal(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w), *item, *t;
	char text[AE_DIAG_FLAGS_MAX];
	json_t *args;
	int64_t flags = 0;
	size_t i;

	json_array_foreach(ae_fact(facts, "plan.plan"), i, item)
	{
		t = raw_of(facts, item);
		if (t == NULL || ae_fact_str(item, "have") == NULL ||
		    !ae_fact_int(&flags, t, "enrollment_flag") ||
		    (flags & SKIP_AUTO_RENEWAL) == 0)
			continue;
		args = ae_diag_template_args(facts, item, NULL);
		(void)json_object_update_new(args,
		    json_pack("{s:s, s:s}", "flags", ae_diag_flags(text, flags),
			"thumbprint", ae_fact_text(item, "have")));
		ae_diag_say(
		    w, AE_DIAG_FAIL, ae_fact_text(item, "template"), args, "");
	}
}

#define SUBJECT_DNS 0x18000000 /* as subject or as alternative name */

/* The CA takes the name out of the directory. */
static void
no_dns_name(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w), *item, *t;
	char text[AE_DIAG_FLAGS_MAX];
	int64_t flags = 0;
	size_t i;

	if (!ae_fact_yes(facts, "ad.me.computer") ||
	    ae_fact_str(facts, "ad.me.dns_host_name") != NULL)
		return;
	json_array_foreach(ae_fact(facts, "plan.plan"), i, item)
	{
		t = raw_of(facts, item);
		if (t == NULL || !ae_fact_int(&flags, t, "name_flag") ||
		    (flags & SUBJECT_DNS) == 0)
			continue;
		ae_diag_say(w, AE_DIAG_FAIL, ae_fact_text(t, "cn"),
		    json_pack("{s:s, s:s, s:s, s:s}", "template",
			ae_fact_text(t, "cn"), "dn",
			ae_fact_text(facts, "ad.me.dn"), "host",
			ae_fact_text(facts, "host.fqdn"), "name_flag",
			ae_diag_flags(text, flags)),
		    "");
	}
}

/*
 * The right is a group's that does not come with us: a domain local one of
 * another domain (scope), or one that has us as a stranger.
 */
static void
trustees(struct ae_diag_walk *w, bool scope)
{
	const json_t *facts = ae_diag_facts(w), *t;
	const char *only = ae_fact_str(facts, "asked.template"), *cn;
	size_t i;

	json_array_foreach(ae_fact(facts, "ad.trustees"), i, t)
	{
		cn = ae_fact_text(t, "template");
		if ((only != NULL && !ae_str_eq_nocase(only, cn)) ||
		    !ae_fact_yes(t, scope ? "member" : "foreign_member") ||
		    (scope &&
			(!ae_fact_is(t, "scope", "domain-local") ||
			    ae_fact_str(t, "domain") == NULL)) ||
		    ae_diag_failed(w, ae_diag_row(w)->id, cn))
			continue;
		ae_diag_say(w, AE_DIAG_FAIL, cn,
		    json_pack("{s:s, s:s, s:s?, s:s}", "template", cn, "group",
			ae_fact_text(t, "name"), "domain",
			ae_fact_str(t, "domain"), "account",
			ae_fact_text(facts, "krb.principal")),
		    "");
	}
}

static void
group_scope(struct ae_diag_walk *w)
{
	trustees(w, true);
}

static void
group_foreign(struct ae_diag_walk *w)
{
	trustees(w, false);
}

/* Nobody has a smart card without a provider for it. */
static void
csp_list_empty(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w), *item, *t;
	size_t i;

	json_array_foreach(ae_fact(facts, "plan.plan"), i, item)
	{
		t = raw_of(facts, item);
		if (t != NULL &&
		    any_starts_with(
			json_object_get(t, "ekus"), "1.3.6.1.4.1.311.20.2.2") &&
		    json_array_size(json_object_get(t, "csps")) == 0 &&
		    ae_fact_no(t, "machine"))
			fail(w, item, NULL, NULL, "");
	}
}

/* Rights were given, and yet nothing is left. */
static void
none_eligible(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w), *item;
	size_t i, n = 0, kinds = 0;

	json_array_foreach(ae_fact(facts, "plan.plan"), i, item)
	{
		if (!ae_fact_is(item, "action", "skip"))
			return;
		n++;
		kinds += !ae_diag_is_other_kind(item);
	}
	if (!ae_fact_yes(facts, "plan.enabled") ||
	    !json_is_array(ae_fact(facts, "plan.plan")) ||
	    ae_fact_str(facts, "asked.template") != NULL)
		return;
	ae_diag_say(w, AE_DIAG_FAIL, NULL,
	    json_pack("{s:s, s:I, s:I}", "account",
		ae_fact_text(facts, "krb.principal"), "count", (json_int_t)n,
		"kinds", (json_int_t)kinds),
	    "");
}

/*
 * What supersedes it can be enrolled, or is there: who did not ask for this one
 * misses nothing.
 */
static void
superseded(struct ae_diag_walk *w)
{
	if (ae_fact_str(ae_diag_facts(w), "asked.template") != NULL)
		ae_diag_by_plan(w);
}

/* clang-format off */
#define PLAN(id)     { id, "plan.plan", AFTER_DIRECTORY, ae_diag_by_plan }
#define WARNS(id)    { id, "plan.plan", AFTER_DIRECTORY, ae_diag_by_warning }
#define RAW(id, how) { id, "ad.templates", AFTER_DIRECTORY, how }

const struct ae_diag_check ae_diag_template[] = {
	RAW("template.name-is-displayname", display_name),
	{ "template.missing", "ad.templates",
	  AFTER_DIRECTORY " template.name-is-displayname", missing },
	{ "template.no-read-right", "plan.plan", AFTER_DIRECTORY, unreadable },
	{ "env.wrong-context", "plan.plan", AFTER_DIRECTORY, wrong_question },
	PLAN("context.ca-template"),
	{ "context.machine-template-in-user", "plan.plan",
	  AFTER_DIRECTORY " env.wrong-context", wrong_kind },
	{ "context.user-template-in-machine", "plan.plan",
	  AFTER_DIRECTORY " env.wrong-context", wrong_kind },
	PLAN("template.deny-ace"),
	WARNS("template.rights-for-wrong-type"),
	RAW("template.group-scope", group_scope),
	RAW("template.group-nested-fsp", group_foreign),
	{ "template.no-enroll-right", "plan.plan",
	  AFTER_DIRECTORY " template.rights-for-wrong-type template.group-*", ae_diag_by_plan },
	PLAN("template.not-configured-autoenroll"),
	{ "template.no-autoenroll-right", "plan.plan",
	  AFTER_DIRECTORY " template.rights-for-wrong-type template.group-*", ae_diag_by_plan },
	PLAN("template.v1-no-autoenroll"),
	PLAN("template.schema-unknown"),
	PLAN("template.client-too-old"),
	{ "template.superseded", "plan.plan", AFTER_DIRECTORY, superseded },
	PLAN("template.supplies-subject"),
	PLAN("template.user-interaction"),
	PLAN("template.ra-signature"),
	RAW("join.dnshostname-empty", no_dns_name),
	RAW("template.oid-missing", oid_missing),
	WARNS("template.duplicate-oid"),
	WARNS("template.overlap-too-long"),
	WARNS("template.validity-too-short"),
	PLAN("existing.published-in-ds"),
	WARNS("existing.dns-mismatch"),
	RAW("template.skip-auto-renewal", skips_renewal),
	{ "renew.template-gone-or-denied", "plan.policy_reasons",
	  AFTER_DIRECTORY " template.missing template.no-read-right template.oid-missing", ae_diag_by_run },
	{ "renew.ea-type-mismatch", "plan.plan",
	  AFTER_DIRECTORY " template.duplicate-oid", ea_mismatch },
	PLAN("key.attestation"),
	RAW("key.legacy-vs-cng", legacy_or_cng),
	RAW("key.csp-list-empty", csp_list_empty),
	{ "key.provider-missing", "plan.plan",
	  AFTER_DIRECTORY " key.tpm-not-ready", ae_diag_by_plan },
	PLAN("key.algorithm-unknown"),
	PLAN("key.min-size-local"),
	PLAN("key.exportable-hardware"),
	{ "template.none-eligible", "plan.plan",
	  AFTER_DIRECTORY " policy.* template.* context.* env.* key.* ca.* trust.* existing.* time.* renew.*",
	  none_eligible },
	{ 0 },
};
/* clang-format on */
