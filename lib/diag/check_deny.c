/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The CA's decision: the groups in the ticket, by which it decides, beside
 * those of the directory; and denials explained.
 */
#include <stdio.h>
#include <string.h>

#include "diag/denial.h"

/* RFC 4120 7.5.9 */
#define KRB_RESPONSE_TOO_BIG 52
#define KRB_FIELD_TOOLONG 61
/* MS-ADTS: what a token may hold, less what the system adds. */
#define GROUPS_MAX 1010u

/* The client decides by the directory, the CA by the ticket. */
static void
groups(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w), *g;
	const char *check;
	json_t *names = json_array();
	size_t i, n = 0;

	json_array_foreach(ae_fact(facts, "ad.groups"), i, g)
	{
		check = ae_fact_text(g, "check");
		if (strcmp(check, ae_diag_row(w)->id) != 0)
			continue;
		n++;
		(void)json_array_append(names,
		    json_object_get(
			g, ae_fact_str(g, "name") != NULL ? "name" : "sid"));
	}
	if (n > 0)
		ae_diag_say(w, AE_DIAG_FAIL, NULL,
		    json_pack("{s:o, s:s, s:s, s:I}", "group",
			ae_diag_names(names, NULL), "account",
			ae_fact_text(facts, "krb.principal"), "when",
			ae_fact_text(facts, "krb.auth_time"), "count",
			(json_int_t)n),
		    "");
	json_decref(names);
}

static void
too_many(struct ae_diag_walk *w)
{
	size_t n = json_array_size(ae_fact(ae_diag_facts(w), "krb.groups"));

	if (n > GROUPS_MAX)
		ae_diag_say(w, AE_DIAG_FAIL, NULL,
		    json_pack("{s:I}", "value", (json_int_t)n), "");
}

static void
too_big(struct ae_diag_walk *w)
{
	static const char *const errors[] = { "krb.groups_error",
		"krb.fresh.error", "krb.failure" };
	const json_t *facts = ae_diag_facts(w), *error;
	int64_t n;
	size_t i;

	for (i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		error = ae_fact(facts, errors[i]);
		if (!ae_fact_int(&n, error, "kdc_error") ||
		    (n != KRB_RESPONSE_TOO_BIG && n != KRB_FIELD_TOOLONG))
			continue;
		ae_diag_say(w, AE_DIAG_FAIL, NULL,
		    json_pack("{s:s}", "error", ae_fact_text(error, "text")),
		    "said");
		return;
	}
}

/* Denied with a code that no row knows: it is said, and not guessed at. */
static void
by_another_code(struct ae_diag_walk *w)
{
	struct ae_diag_denial v[AE_DIAG_DENIALS_MAX];
	size_t n = ae_diag_denials(v, ae_diag_facts(w)), i;

	ae_diag_judge_denial(w);
	for (i = 0; i < n; i++)
		if (ae_diag_denial_cause(&v[i]) == NULL)
			ae_diag_say(w, AE_DIAG_FAIL, v[i].tmpl,
			    ae_diag_denial_args(&v[i]),
			    v[i].live ? "denied-now" : "denied");
}

/* clang-format off */
#define AFTER_WAY AFTER_DIRECTORY " dns.* net.* auth.* dcom.* rpc.*"
#define AFTER_ALL AFTER_WAY " join.* token.* template.* ca.* trust.* existing.dns-mismatch"
#define DENY(id) { id, "plan.plan", AFTER_ALL, ae_diag_judge_denial }

const struct ae_diag_check ae_diag_deny[] = {
	{ "token.pac-too-big", "probes.krb", AFTER_TICKET, too_big },
	{ "token.sid-limit", "krb.groups", AFTER_TICKET, too_many },
	{ "token.group-not-in-ticket", "ad.groups", AFTER_DIRECTORY, groups },
	{ "token.group-removed-still-in-ticket", "ad.groups", AFTER_DIRECTORY, groups },
	{ "ca.acl-not-synced", "plan.plan", AFTER_WAY " token.* ca.no-enroll-right", ae_diag_judge_denial },
	{ "deny.policy-module-custom", "plan.plan", AFTER_WAY " token.*", ae_diag_judge_denial },
	DENY("deny.ca-no-request-right"),
	DENY("deny.template-no-enroll"),
	DENY("deny.template-not-supported"),
	DENY("deny.no-template-info"),
	DENY("deny.template-conflict"),
	DENY("deny.template-version"),
	DENY("deny.subject-guid"),
	DENY("deny.san-required"),
	DENY("deny.smime-required"),
	DENY("deny.archived-required"),
	DENY("deny.archive-unexpected"),
	DENY("deny.key-length"),
	DENY("deny.key-algorithm"),
	DENY("deny.ra-policy"),
	DENY("deny.ra-count"),
	DENY("deny.ra-rejected"),
	DENY("deny.ra-issuance"),
	DENY("deny.restricted-ea"),
	DENY("deny.renewal-attr"),
	DENY("deny.renewal-subject"),
	DENY("deny.renewal-same-key"),
	DENY("deny.attestation"),
	DENY("deny.requester-lookup"),
	DENY("deny.dc-signing"),
	DENY("deny.untrusted-signer"),
	DENY("deny.sign-failure"),
	DENY("deny.db-io"),
	DENY("deny.encoding-length"),
	DENY("deny.request-too-large"),
	DENY("deny.bad-request"),
	DENY("deny.bad-signature"),
	DENY("deny.weak-signature"),
	DENY("deny.manager"),
	DENY("deny.san-attribute-blocked"),
	DENY("deny.bad-status"),
	{ "deny.access-denied", "plan.plan", AFTER_ALL, by_another_code },
	{ 0 },
};
/* clang-format on */
