/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Group policy: does it say that this account enrolls, and if not, why not?
 */
#include "diag/checks.h"

/* clang-format off */
#define RUN(id)	     { id, "plan.policy_reasons", AFTER_DIRECTORY, ae_diag_by_run }

const struct ae_diag_check ae_diag_policy[] = {
	RUN("policy.aepolicy-absent"),
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
