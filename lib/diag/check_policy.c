/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Group policy: does it say that this account enrolls, and if not, why not?
 */
#include <inttypes.h>

#include "diag/checks.h"

/* Set for the other kind of account by the layer of this host alone. */
static void
other_half(struct ae_diag_walk *w, bool user)
{
	const json_t *facts = ae_diag_facts(w);
	int64_t mine = 0, other = 0;

	if (ae_fact_yes(facts, "host.user") != user ||
	    !ae_fact_no(facts, "plan.policy.aepolicy_set") ||
	    ae_fact_int(&mine, facts,
		user ? "host.local_policy.user"
		     : "host.local_policy.computer") ||
	    !ae_fact_int(&other, facts,
		user ? "host.local_policy.computer" : "host.local_policy.user"))
		return;
	ae_diag_fail(w, NULL,
	    json_pack("{s:s, s:s}", "account",
		ae_fact_text(facts, "krb.principal"), "gpo",
		ae_fact_text(facts, "host.local_policy.path")),
	    "AEPolicy is 0x%" PRIx64 " for %s, and not set for %s.",
	    (uint64_t)other, user ? "computers" : "users",
	    user ? "users" : "computers");
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
	ae_diag_fail(w, NULL,
	    json_pack("{s:s, s:s}", "date",
		ae_fact_text(facts, "plan.policy.read_at"), "path",
		ae_fact_text(facts, "plan.policy.dc")),
	    "%s; what was read on %s holds meanwhile.",
	    ae_fact_text(facts, "plan.policy.not_fresh_because"),
	    ae_fact_text(facts, "plan.policy.read_at"));
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
	{ "policy.user-only", "plan.policy", AFTER_DIRECTORY, user_only },
	{ "policy.machine-only", "plan.policy", AFTER_DIRECTORY, machine_only },
	{ "policy.aepolicy-absent", "plan.policy_reasons",
	  AFTER_DIRECTORY " policy.user-only policy.machine-only policy.sysvol-unreadable", ae_diag_by_run },
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
