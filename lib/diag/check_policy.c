/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Group policy: does it say that this account enrolls, and if not, why not?
 */
#include "diag/checks.h"

#define BIT_ENROLL 0x1
#define BIT_DISABLED 0x8000

/* A GPO's file says that certificates are requested. */
static bool
enrolls(const json_t *gpo, const char *half)
{
	int64_t value;

	return ae_fact_int(&value, gpo, half) &&
	    (value & (BIT_ENROLL | BIT_DISABLED)) == BIT_ENROLL;
}

static bool
applies(const json_t *gpo)
{
	return ae_fact_is(gpo, "verdict", "applies");
}

static json_t *
gpo_args(const json_t *facts, const json_t *gpo)
{
	return json_pack("{s:s, s:s, s:o}", "account",
	    ae_fact_text(facts, "krb.principal"), "gpo",
	    ae_fact_text(gpo, "name"), "value",
	    ae_diag_phrase("gpo", ae_fact_text(gpo, "verdict"), NULL));
}

/* How many GPOs have the setting and are passed over; NULL: counted only. */
static size_t
passed_over(const json_t *facts, struct ae_diag_walk *w)
{
	const json_t *gpo;
	size_t i, n = 0;

	json_array_foreach(ae_fact(facts, "gpo.gpos"), i, gpo)
	{
		if (applies(gpo) || !enrolls(gpo, "mine"))
			continue;
		n++;
		if (w != NULL)
			ae_diag_say(
			    w, AE_DIAG_FAIL, NULL, gpo_args(facts, gpo), "");
	}
	return n;
}

static void
not_applied(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w), *gpo;
	json_t *args;
	size_t i;

	if (!ae_fact_no(facts, "plan.policy.aepolicy_set") ||
	    passed_over(facts, w) > 0)
		return;
	/* What it may not read it does not accuse. */
	json_array_foreach(ae_fact(facts, "gpo.gpos"), i, gpo)
	{
		if (applies(gpo) || ae_fact_is(gpo, "file", "ok"))
			continue;
		args = gpo_args(facts, gpo);
		(void)json_object_set_new(
		    args, "error", json_string(ae_fact_text(gpo, "file")));
		ae_diag_say(w, AE_DIAG_UNKNOWN, NULL, args, "file");
	}
}

/* The directory has a newer GPO than its files are. */
static void
lag(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w), *gpo;
	int64_t version, file;
	json_t *args;
	size_t i;

	json_array_foreach(ae_fact(facts, "gpo.gpos"), i, gpo)
	{
		if (!ae_fact_int(&version, gpo, "version") ||
		    !ae_fact_int(&file, gpo, "file_version") ||
		    file >= version ||
		    (!applies(gpo) &&
			!ae_fact_is(gpo, "verdict", "file-missing")) ||
		    (!ae_fact_no(facts, "plan.policy.aepolicy_set") &&
			!ae_fact_is(facts, "plan.policy.gpo",
			    ae_fact_text(gpo, "name"))))
			continue;
		args = gpo_args(facts, gpo);
		(void)json_object_update_new(args,
		    json_pack("{s:I, s:I}", "value", (json_int_t)file,
			"expected", (json_int_t)version));
		ae_diag_say(w, AE_DIAG_FAIL, NULL, args, "");
	}
}

/* A GPO that is not passed over has it in the other half of its files. */
static void
other_half_of_gpo(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w), *gpo;
	size_t i;

	if (passed_over(facts, NULL) > 0)
		return;
	json_array_foreach(ae_fact(facts, "gpo.gpos"), i, gpo)
	{
		if (!enrolls(gpo, "other") ||
		    (!applies(gpo) &&
			!ae_fact_is(gpo, "verdict", "no-registry") &&
			!ae_fact_is(gpo, "verdict", "file-missing")))
			continue;
		ae_diag_say(w, AE_DIAG_FAIL, NULL, gpo_args(facts, gpo), "gpo");
		return;
	}
}

/* Set for the other kind of account, by a GPO or this host's own layer. */
static void
other_half(struct ae_diag_walk *w, bool user)
{
	const json_t *facts = ae_diag_facts(w);
	char text[AE_DIAG_FLAGS_MAX];
	int64_t mine = 0, other = 0;

	if (ae_fact_yes(facts, "host.user") != user ||
	    !ae_fact_no(facts, "plan.policy.aepolicy_set"))
		return;
	other_half_of_gpo(w);
	if (ae_diag_failed(w, ae_diag_row(w)->id, NULL) ||
	    ae_fact_int(&mine, facts,
		user ? "host.local_policy.user"
		     : "host.local_policy.computer") ||
	    !ae_fact_int(&other, facts,
		user ? "host.local_policy.computer" : "host.local_policy.user"))
		return;
	ae_diag_say(w, AE_DIAG_FAIL, NULL,
	    json_pack("{s:s, s:s, s:s}", "account",
		ae_fact_text(facts, "krb.principal"), "gpo",
		ae_fact_text(facts, "host.local_policy.path"), "aepolicy",
		ae_diag_flags(text, other)),
	    "local");
}

static void
user_only(struct ae_diag_walk *w)
{
	other_half(w, false);
}

static void
machine_only(struct ae_diag_walk *w)
{
	other_half(w, true);
}

#define WRONG_KEY "Software\\Microsoft\\Cryptography\\AutoEnrollment"

/* In the key where Windows keeps its own, which is none of policy. */
static void
wrong_key(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w), *gpo;
	bool missing = ae_fact_no(facts, "plan.policy.aepolicy_set");
	json_t *args;
	size_t i;

	json_array_foreach(ae_fact(facts, "gpo.gpos"), i, gpo)
	{
		if (!applies(gpo) || !enrolls(gpo, "elsewhere") ||
		    enrolls(gpo, "mine"))
			continue;
		args = gpo_args(facts, gpo);
		(void)json_object_set_new(args, "path", json_string(WRONG_KEY));
		(void)json_object_set_new(args, "category", json_string("N"));
		ae_diag_say(w, missing ? AE_DIAG_FAIL : AE_DIAG_HARMLESS, NULL,
		    args, "");
	}
}

/* What is held on to is what a controller said before. */
static void
not_fresh(struct ae_diag_walk *w, bool sysvol)
{
	const json_t *facts = ae_diag_facts(w);

	/* What could not be planned at all has another cause. */
	if (!ae_fact_no(facts, "plan.policy.fresh") ||
	    ae_fact(facts, "plan.plan") == NULL ||
	    ae_fact_is(facts, "plan.policy.not_fresh_check",
		"policy.sysvol-unreadable") != sysvol)
		return;
	ae_diag_say(w, AE_DIAG_FAIL, NULL,
	    json_pack("{s:s, s:s, s:s}", "date",
		ae_fact_text(facts, "plan.policy.read_at"), "path",
		ae_fact_text(facts, "plan.policy.dc"), "error",
		ae_fact_text(facts, "plan.policy.not_fresh_because")),
	    "old-policy");
}

static void
sysvol(struct ae_diag_walk *w)
{
	not_fresh(w, true);
}

static void
stale(struct ae_diag_walk *w)
{
	not_fresh(w, false);
}

/* clang-format off */
#define RUN(id)	     { id, "plan.policy_reasons", AFTER_DIRECTORY, ae_diag_by_run }

const struct ae_diag_check ae_diag_policy[] = {
	{ "policy.sysvol-unreadable", "plan.policy", AFTER_DIRECTORY, sysvol },
	{ "policy.stale-after-unlink", "plan.policy", AFTER_DIRECTORY, stale },
	{ "policy.sysvol-version-lag", "gpo.looked",
	  AFTER_DIRECTORY " policy.sysvol-unreadable", lag },
	{ "policy.gpo-exists-not-applied", "gpo.looked",
	  AFTER_DIRECTORY " policy.sysvol-unreadable policy.sysvol-version-lag", not_applied },
	{ "policy.user-only", "plan.policy", AFTER_DIRECTORY, user_only },
	{ "policy.machine-only", "plan.policy", AFTER_DIRECTORY, machine_only },
	{ "policy.local-hive-instead", "gpo.looked",
	  AFTER_DIRECTORY " policy.sysvol-unreadable", wrong_key },
	{ "policy.aepolicy-absent", "plan.policy_reasons",
	  AFTER_DIRECTORY " policy.user-only policy.machine-only policy.sysvol-unreadable policy.sysvol-version-lag"
	  " policy.gpo-exists-not-applied policy.local-hive-instead", ae_diag_by_run },
	RUN("policy.aepolicy-disabled"),
	RUN("policy.no-enroll-bit"),
	RUN("policy.no-renew-bit"),
	{ "pending.pickup-disabled", "plan.policy_reasons",
	  AFTER_DIRECTORY " policy.*", ae_diag_by_run },
	RUN("policy.policyserver-override"),
	RUN("policy.policyserver-autoenroll-flag-off"),
	RUN("policy.policyid-mismatch"),
	{ 0 },
};
/* clang-format on */
