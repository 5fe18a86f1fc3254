/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Tests of enroll/plan.h: what is there already decides what is done –
 * every state of a certificate under every policy that matters.
 */
#include "plan_world.h"

#include <stdlib.h>
#include <string.h>

#define YEAR (365 * DAY)
#define SUPPLIES AE_CT_ENROLLEE_SUPPLIES_SUBJECT
#define AUTO AE_CT_AUTO_ENROLLMENT
#define NONE AE_PLAN_SKIP /* for the eye: an action that is not expected */

enum wrong {
	FINE,
	NO_KEY,
	EXPIRED,
	REVOKED,
	HELD,
	UNTRUSTED,
	FUTURE,
	OTHER_SID,
	OTHER_DNS,
	OTHER_DNS_JUST_NOW,
	OTHER_UPN,
	OLDER_REVISION,
	ARCHIVED,
	DUE,
	DUE_AND_OLDER,
	DUE_AND_OTHER_DNS,
};

static char elsewhere[] = "old.lab.example";

/* One certificate in the state that wrong says. */
static void
put(struct world *w, enum wrong wrong)
{
	struct ae_inv_cert *c = &w->cert[0];

	w->in.have.ncerts = 1;
	switch (wrong) {
	case FINE:
		break;
	case NO_KEY:
		c->has_key = false;
		break;
	case EXPIRED:
		c->not_before = NOW - YEAR;
		c->not_after = NOW;
		break;
	case REVOKED:
		c->revocation = AE_INV_REVOKED;
		c->revoked_why = "key compromise";
		c->revoked_at = NOW - DAY;
		break;
	case HELD:
		c->revocation = AE_INV_HOLD;
		break;
	case UNTRUSTED:
		c->trusted = false;
		break;
	case FUTURE:
		c->not_before = NOW + 1;
		break;
	case OTHER_SID:
		c->sid = world_sid("S-1-5-21-1-2-3-9999");
		break;
	case OTHER_DNS_JUST_NOW:
		c->not_before = NOW - 600;
		w->dns[0] = elsewhere;
		break;
	case OTHER_DNS:
		w->dns[0] = elsewhere;
		break;
	case OTHER_UPN:
		w->t.name_flag = AE_CT_SAN_UPN;
		w->upn[0] = elsewhere;
		break;
	case OLDER_REVISION:
		w->t.revision = 101;
		break;
	case ARCHIVED:
		c->archived = true;
		break;
	case DUE_AND_OLDER:
		w->t.revision = 101;
		c->not_before = NOW - 330 * DAY;
		c->not_after = NOW + 35 * DAY;
		break;
	case DUE_AND_OTHER_DNS:
		w->dns[0] = elsewhere;
		c->not_before = NOW - 330 * DAY;
		c->not_after = NOW + 35 * DAY;
		break;
	case DUE:
		c->not_before = NOW - 330 * DAY;
		c->not_after = NOW + 35 * DAY;
		break;
	}
}

static const struct row {
	enum wrong wrong;
	uint32_t policy;
	uint32_t enrollment_flag;
	unsigned rights; /* 1 Read, 2 Enroll, 4 Autoenroll */
	uint32_t name_flag;
	enum ae_plan_action action;
	const char *check; /* is among the reasons */
} rows[] = {
	/* clang-format off */
	/* A good one is kept, whatever else is in the way. */
	{ FINE,      7, AUTO, 7, AE_CT_SAN_DNS, AE_PLAN_KEEP, "existing.valid-present" },
	{ FINE,      0, AUTO, 7, AE_CT_SAN_DNS, AE_PLAN_KEEP, "existing.valid-present" },
	{ FINE,      7, 0,    0, SUPPLIES,      AE_PLAN_KEEP, "template.no-read-right" },
	{ FINE,      7, 0,    3, AE_CT_SAN_DNS, AE_PLAN_KEEP, "template.not-configured-autoenroll" },
	/* One that is archived is not there. */
	{ ARCHIVED,  7, AUTO, 7, AE_CT_SAN_DNS, AE_PLAN_ENROLL, "existing.none" },
	{ ARCHIVED,  7, 0,    3, AE_CT_SAN_DNS, AE_PLAN_SKIP, "template.not-configured-autoenroll" },
	/* Useless ones: replaced as if there were none. */
	{ NO_KEY,    7, AUTO, 7, AE_CT_SAN_DNS, AE_PLAN_ENROLL, "existing.key-missing" },
	{ EXPIRED,   7, AUTO, 7, AE_CT_SAN_DNS, AE_PLAN_ENROLL, "existing.expired" },
	{ REVOKED,   7, AUTO, 7, AE_CT_SAN_DNS, AE_PLAN_ENROLL, "existing.revoked" },
	{ UNTRUSTED, 7, AUTO, 7, AE_CT_SAN_DNS, AE_PLAN_ENROLL, "existing.untrusted" },
	{ NO_KEY,    1, AUTO, 7, AE_CT_SAN_DNS, AE_PLAN_ENROLL, "existing.key-missing" },
	{ NO_KEY,    6, AUTO, 7, AE_CT_SAN_DNS, AE_PLAN_SKIP, "policy.no-enroll-bit" },
	{ EXPIRED,   6, AUTO, 7, AE_CT_SAN_DNS, AE_PLAN_SKIP, "policy.no-enroll-bit" },
	{ EXPIRED,   0, AUTO, 7, AE_CT_SAN_DNS, AE_PLAN_SKIP, "policy.aepolicy-absent" },
	{ EXPIRED,   0x8007, AUTO, 7, AE_CT_SAN_DNS, AE_PLAN_SKIP, "policy.aepolicy-disabled" },
	{ EXPIRED,   7, AUTO, 3, AE_CT_SAN_DNS, AE_PLAN_SKIP, "template.no-autoenroll-right" },
	{ EXPIRED,   7, 0,    7, AE_CT_SAN_DNS, AE_PLAN_SKIP, "template.not-configured-autoenroll" },
	{ EXPIRED,   7, AUTO, 7, SUPPLIES,      AE_PLAN_SKIP, "template.supplies-subject" },
	{ REVOKED,   6, AUTO, 7, AE_CT_SAN_DNS, AE_PLAN_SKIP, "policy.no-enroll-bit" },
	{ REVOKED,   7, AUTO, 5, AE_CT_SAN_DNS, AE_PLAN_SKIP, "template.no-enroll-right" },
	/* On hold, or not valid yet: wait. */
	{ HELD,      7, AUTO, 7, AE_CT_SAN_DNS, AE_PLAN_KEEP, "existing.on-hold" },
	{ FUTURE,    7, AUTO, 7, AE_CT_SAN_DNS, AE_PLAN_KEEP, "existing.not-yet-valid" },
	/* Names that are not ours any more. */
	{ OTHER_SID, 7, AUTO, 7, AE_CT_SAN_DNS, AE_PLAN_ENROLL, "use.sid-mismatch" },
	{ OTHER_SID, 6, AUTO, 7, AE_CT_SAN_DNS, AE_PLAN_KEEP, "use.sid-mismatch" },
	{ OTHER_DNS, 7, AUTO, 7, AE_CT_SAN_DNS, AE_PLAN_ENROLL, "existing.dns-mismatch" },
	{ OTHER_DNS, 7, 0,    3, AE_CT_SAN_DNS, AE_PLAN_KEEP, "existing.dns-mismatch" },
	{ OTHER_DNS, 7, AUTO, 3, AE_CT_SAN_DNS, AE_PLAN_KEEP, "existing.dns-mismatch" },
	{ OTHER_DNS, 7, AUTO, 7, 0,             AE_PLAN_KEEP, "existing.valid-present" },
	{ OTHER_DNS, 7, AUTO, 7, SUPPLIES | AE_CT_SAN_DNS, AE_PLAN_KEEP, "existing.valid-present" },
	{ OTHER_DNS_JUST_NOW, 7, AUTO, 7, AE_CT_SAN_DNS, AE_PLAN_KEEP, "existing.dns-mismatch" },
	{ OTHER_UPN, 7, AUTO, 7, AE_CT_SAN_UPN, AE_PLAN_ENROLL, "existing.upn-mismatch" },
	{ DUE_AND_OTHER_DNS, 6, 0, 3, AE_CT_SAN_DNS, AE_PLAN_RENEW, "existing.dns-mismatch" },
	/* "Re-enroll all certificate holders". */
	{ OLDER_REVISION, 7, AUTO, 7, AE_CT_SAN_DNS, AE_PLAN_ENROLL, "existing.template-revised" },
	{ OLDER_REVISION, 1, AUTO, 7, AE_CT_SAN_DNS, AE_PLAN_ENROLL, "existing.template-revised" },
	{ OLDER_REVISION, 6, AUTO, 7, AE_CT_SAN_DNS, AE_PLAN_KEEP, "existing.template-revised" },
	{ OLDER_REVISION, 7, 0,    3, AE_CT_SAN_DNS, AE_PLAN_KEEP, "existing.template-revised" },
	{ OLDER_REVISION, 7, AUTO, 7, SUPPLIES,      AE_PLAN_RENEW, "existing.template-revised" },
	{ DUE_AND_OLDER,  6, AUTO, 7, AE_CT_SAN_DNS, AE_PLAN_RENEW, "existing.template-revised" },
	/* Renewal: bit 0x2, Read and Enroll; nothing else is needed. */
	{ DUE,       7, AUTO, 7, AE_CT_SAN_DNS, AE_PLAN_RENEW, "existing.renewal-due" },
	{ DUE,       6, AUTO, 7, AE_CT_SAN_DNS, AE_PLAN_RENEW, "existing.renewal-due" },
	{ DUE,       2, AUTO, 7, AE_CT_SAN_DNS, AE_PLAN_RENEW, "existing.renewal-due" },
	{ DUE,       2, 0,    3, AE_CT_SAN_DNS, AE_PLAN_RENEW, "existing.renewal-due" },
	{ DUE,       2, 0,    3, SUPPLIES,      AE_PLAN_RENEW, "template.subject" },
	{ DUE,       1, AUTO, 7, AE_CT_SAN_DNS, AE_PLAN_KEEP, "policy.no-renew-bit" },
	{ DUE,       5, AUTO, 7, AE_CT_SAN_DNS, AE_PLAN_KEEP, "policy.no-renew-bit" },
	{ DUE,       0, AUTO, 7, AE_CT_SAN_DNS, AE_PLAN_KEEP, "policy.no-renew-bit" },
	{ DUE,       0x8007, AUTO, 7, AE_CT_SAN_DNS, AE_PLAN_KEEP, "policy.no-renew-bit" },
	{ DUE,       7, AUTO, 6, AE_CT_SAN_DNS, AE_PLAN_SKIP, "template.no-read-right" },
	{ DUE,       7, AUTO, 5, AE_CT_SAN_DNS, AE_PLAN_SKIP, "template.no-enroll-right" },
	{ DUE,       7, AUTO | AE_CT_SKIP_AUTO_RENEWAL, 7, AE_CT_SAN_DNS, AE_PLAN_KEEP, "template.skip-auto-renewal" },
	{ DUE,       7, AUTO | AE_CT_USER_INTERACTION_REQUIRED, 7, AE_CT_SAN_DNS, AE_PLAN_SKIP, "template.user-interaction" },
	/* clang-format on */
};

static void
every_state_under_every_policy(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct ae_plan_item *it;
		void *v = NULL;
		struct world *w;

		assert_int_equal(world_setup(&v), 0);
		w = v;
		put(w, rows[i].wrong);
		w->in.policy = rows[i].policy;
		w->in.policy_set = rows[i].policy != 0;
		w->t.enrollment_flag = rows[i].enrollment_flag;
		w->t.name_flag = rows[i].name_flag;
		world_set_rights(&w->t, rows[i].rights);
		it = world_item(w);
		if (it->action != rows[i].action ||
		    !world_has(it, rows[i].check))
			fail_msg("row %zu: %s, expected %s because of %s", i,
			    ae_plan_action_name(it->action),
			    ae_plan_action_name(rows[i].action), rows[i].check);
		/* Whatever is skipped says why, and nothing else does. */
		assert_int_equal(
		    it->action == AE_PLAN_SKIP, ae_plan_decisive(it) != NULL);
		if (rows[i].wrong != ARCHIVED)
			assert_ptr_equal(it->have, &w->cert[0]);
		(void)world_teardown(&v);
	}
}

static void
a_missing_right_is_named_as_an_event_of_the_renewal(void **state)
{
	struct world *w = *state;

	put(w, DUE);
	w->t.enrollment_flag = 0;
	world_set_rights(&w->t, 1);
	assert_int_equal(ae_plan_decisive(world_item(w))->event, 25);
	assert_true(world_item(w)->candidate);
	world_set_rights(&w->t, 3);
	w->ca.templates.n = 0;
	assert_int_equal(ae_plan_decisive(world_item(w))->event, 23);
	w->in.ncas = 0;
	assert_int_equal(ae_plan_decisive(world_item(w))->event, 23);
}

static void
the_best_of_several_counts(void **state)
{
	struct world *w = *state;

	/* [0] is good; newer ones that do not work do not hide it. */
	w->in.have.ncerts = 4;
	w->cert[1] = w->cert[2] = w->cert[3] = w->cert[0];
	w->cert[1].not_before = NOW - DAY;
	w->cert[1].has_key = false;
	w->cert[2].not_before = NOW - 2 * DAY;
	w->cert[2].revocation = AE_INV_REVOKED;
	w->cert[3].not_before = NOW - 60 * DAY;
	assert_ptr_equal(world_item(w)->have, &w->cert[0]);
	assert_int_equal(world_item(w)->action, AE_PLAN_KEEP);
	w->cert[1].has_key = true;
	assert_ptr_equal(world_item(w)->have, &w->cert[1]);
}

static void
the_key_of_a_renewal(void **state)
{
	struct world *w = *state;
	char tpm[] = "Microsoft Platform Crypto Provider", *csps[] = { tpm };

	put(w, DUE);
	assert_false(world_item(w)->same_key);
	w->t.private_key_flag = AE_CT_REQUIRE_SAME_KEY_RENEWAL;
	assert_true(world_item(w)->same_key);
	/* No provider is needed for a key that exists. */
	w->t.csps = (struct ae_strv){ csps, 1 };
	assert_int_equal(world_item(w)->action, AE_PLAN_RENEW);
	w->t.private_key_flag = 0;
	assert_string_equal(
	    ae_plan_decisive(world_item(w))->check, "key.provider-missing");
	/* A first request has no key to use again. */
	w->in.have.ncerts = 0;
	w->t.csps.n = 0;
	w->t.private_key_flag = AE_CT_REQUIRE_SAME_KEY_RENEWAL;
	assert_false(world_item(w)->same_key);
	assert_int_equal(world_item(w)->action, AE_PLAN_ENROLL);
}

static void
signatures_of_a_registration_authority(void **state)
{
	char agent[] = "1.3.6.1.4.1.311.20.2.1", *want[] = { agent };
	char policy[] = "1.2.3.4", *policies[] = { policy };
	struct world *w = *state;
	const struct ae_plan_item *it;

	w->t.ra_signature = 1;
	w->t.ra_application_policies = (struct ae_strv){ want, 1 };
	assert_string_equal(
	    ae_plan_decisive(world_item(w))->check, "template.ra-signature");
	assert_int_equal(ae_plan_decisive(world_item(w))->event, 48);

	/* An own certificate that may sign. */
	w->in.have.ncerts = 1;
	w->cert[0].template_oid = "1.2.3";
	assert_string_equal(
	    ae_plan_decisive(world_item(w))->check, "template.ra-signature");
	w->usage[0] = agent;
	it = world_item(w);
	assert_int_equal(it->action, AE_PLAN_ENROLL);
	assert_ptr_equal(it->signer, &w->cert[0]);
	w->t.ra_policies = (struct ae_strv){ policies, 1 };
	assert_int_equal(world_item(w)->action, AE_PLAN_SKIP);
	w->cert[0].policies = (struct ae_strv){ policies, 1 };
	assert_int_equal(world_item(w)->action, AE_PLAN_ENROLL);
	/* … but not with a broken one. */
	w->cert[0].has_key = false;
	assert_int_equal(world_item(w)->action, AE_PLAN_SKIP);
	w->cert[0].has_key = true;
	w->cert[0].archived = true;
	assert_int_equal(world_item(w)->action, AE_PLAN_SKIP);
	w->cert[0].archived = false;
	w->cert[0].revocation = AE_INV_REVOKED;
	assert_int_equal(world_item(w)->action, AE_PLAN_SKIP);
	w->cert[0].revocation = AE_INV_GOOD;
	w->t.ra_signature = 2;
	assert_string_equal(
	    ae_plan_decisive(world_item(w))->check, "template.ra-signature");
	w->in.manual = w->in.signed_by_hand = true;
	assert_int_equal(world_item(w)->action, AE_PLAN_ENROLL);
}

static void
an_approval_lives_on_in_the_renewal(void **state)
{
	struct world *w = *state;

	put(w, DUE);
	w->t.ra_signature = 2;
	assert_int_equal(world_item(w)->action, AE_PLAN_SKIP);
	w->t.enrollment_flag |= AE_CT_PREVIOUS_APPROVAL_VALIDATE_REENROLLMENT;
	assert_int_equal(world_item(w)->action, AE_PLAN_RENEW);
	assert_null(world_item(w)->signer);
	/* Signed by a registration authority it is no renewal,
	 * MS-WCCE 3.1.2.4.2.1. */
	w->t.enrollment_flag = AE_CT_AUTO_ENROLLMENT;
	w->t.ra_signature = 1;
	assert_int_equal(world_item(w)->action, AE_PLAN_ENROLL);
	assert_ptr_equal(world_item(w)->signer, &w->cert[0]);
	assert_ptr_equal(world_item(w)->have, &w->cert[0]);
}

static void
a_ca_at_its_end_renews_nothing(void **state)
{
	struct world *w = *state;

	put(w, DUE);
	w->cas[0].not_after = w->cert[0].not_after;
	assert_string_equal(
	    ae_plan_decisive(world_item(w))->check, "deny.ca-expires-soon");
	w->cas[0].not_after++;
	assert_int_equal(world_item(w)->action, AE_PLAN_RENEW);
	w->cas[0].not_after = 0; /* not known */
	assert_int_equal(world_item(w)->action, AE_PLAN_RENEW);
}

static void
published_in_the_directory(void **state)
{
	static const char check[] = "existing.published-in-ds";
	struct world *w = *state;

	w->in.have.npublished = 1;
	assert_int_equal(world_item(w)->action, AE_PLAN_ENROLL);
	w->t.enrollment_flag |= AE_CT_CHECK_USER_DS_CERTIFICATE;
	assert_string_equal(ae_plan_decisive(world_item(w))->check, check);
	assert_true(world_item(w)->candidate);
	/* Only a valid one of this very template counts. */
	w->published.not_after = NOW;
	assert_int_equal(world_item(w)->action, AE_PLAN_ENROLL);
	w->published.not_after = NOW + DAY;
	w->published.trusted = false;
	assert_int_equal(world_item(w)->action, AE_PLAN_ENROLL);
	w->published.trusted = true;
	w->published.revocation = AE_INV_REVOKED;
	assert_int_equal(world_item(w)->action, AE_PLAN_ENROLL);
	w->published.revocation = AE_INV_UNKNOWN;
	w->published.major = 99;
	assert_int_equal(world_item(w)->action, AE_PLAN_ENROLL);
	w->published.major = 100;
	w->published.template_oid = "1.2.3";
	assert_int_equal(world_item(w)->action, AE_PLAN_ENROLL);
	w->published.template_oid = w->t.oid;
	assert_string_equal(ae_plan_decisive(world_item(w))->check, check);
	/* It says nothing about the renewal of what is here. */
	put(w, DUE);
	assert_int_equal(world_item(w)->action, AE_PLAN_RENEW);
	w->in.have.ncerts = 0;
	w->in.manual = true;
	assert_int_equal(world_item(w)->action, AE_PLAN_ENROLL);
}

static void
f8_clocks_that_disagree(void **state)
{
	struct world *w = *state;
	const struct ae_plan *p;

	w->in.ntemplates = 2;
	put(w, EXPIRED);
	w->in.now = NOW + 301 + 2;
	p = world_plan(w);
	assert_string_equal(p->reasons.v[1].check, "time.skew");
	assert_string_equal(ae_plan_decisive(&p->items[0])->check, "time.skew");
	assert_string_equal(ae_plan_decisive(&p->items[1])->check, "time.skew");
	assert_int_equal(p->nstore, 0);
	assert_int_equal(p->nexpiring, 0);
	w->in.now = NOW - 301 + 2;
	assert_int_equal(world_item(w)->action, AE_PLAN_SKIP);
	w->in.now = NOW + 2;
	assert_int_equal(world_item(w)->action, AE_PLAN_ENROLL);
	w->in.dc_now = 0;
	assert_int_equal(world_item(w)->action, AE_PLAN_ENROLL);
	/* Somebody who asks by hand is told, not stopped. */
	w->in.dc_now = NOW + YEAR;
	w->in.manual = true;
	assert_true(world_has(world_item(w), "time.skew"));
	assert_int_equal(world_item(w)->action, AE_PLAN_ENROLL);
}

/* F8: ten years ahead, and a thousand certificates are not renewed. */
static void
f8_no_mass_renewal_on_one_bad_reading(void **state)
{
	static const int64_t jumps[] = { 3650LL * DAY, 365LL * DAY, DAY, -DAY,
		-365LL * DAY, 7200, -7200, 86399 };
	struct world *w = *state;
	size_t i;

	for (i = 0; i < sizeof(jumps) / sizeof(jumps[0]); i++) {
		const struct ae_plan *p;

		put(w, FINE);
		w->in.now = NOW + jumps[i];
		p = world_plan(w);
		assert_int_not_equal(p->items[0].action, AE_PLAN_ENROLL);
		assert_int_not_equal(p->items[0].action, AE_PLAN_RENEW);
		assert_int_equal(p->nstore, 0);
	}
}

static void
matching_by_version_one_name(void **state)
{
	struct world *w = *state;

	put(w, FINE);
	w->cert[0].template_oid = NULL;
	w->cert[0].template_name = "workstation";
	assert_int_equal(world_item(w)->action, AE_PLAN_KEEP);
	w->cert[0].template_name = "Other";
	assert_int_equal(world_item(w)->action, AE_PLAN_ENROLL);
	w->cert[0].template_name = NULL;
	assert_int_equal(world_item(w)->action, AE_PLAN_ENROLL);
}

static void
a_certificate_without_its_template(void **state)
{
	struct world *w = *state;
	const struct ae_plan *p;

	put(w, FINE);
	w->cert[0].template_oid = "1.2.3";
	p = world_plan(w);
	assert_int_equal(p->reasons.n, 2);
	assert_string_equal(
	    p->reasons.v[1].check, "renew.template-gone-or-denied");
	assert_int_equal(p->reasons.v[1].event, 25);
	assert_int_equal(p->nstore, 0);
}

static void
a_stale_revocation_list_is_mentioned(void **state)
{
	struct world *w = *state;

	put(w, FINE);
	w->cert[0].crl_stale = true;
	w->cert[0].revocation = AE_INV_UNKNOWN;
	assert_true(world_has(world_item(w), "trust.revocation-offline"));
	assert_int_equal(world_item(w)->action, AE_PLAN_KEEP);
}

static void
a_users_world(void **state)
{
	struct world *w = *state;

	w->in.context = AE_CONTEXT_USER;
	w->t.flags = 0;
	assert_int_equal(world_item(w)->action, AE_PLAN_ENROLL);
	put(w, DUE);
	assert_int_equal(world_item(w)->action, AE_PLAN_RENEW);
	w->t.private_key_flag = AE_CT_STRONG_KEY_PROTECTION;
	assert_int_equal(ae_plan_decisive(world_item(w))->event, 38);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_state_under_every_policy),
		T(a_missing_right_is_named_as_an_event_of_the_renewal),
		T(the_best_of_several_counts),
		T(the_key_of_a_renewal),
		T(signatures_of_a_registration_authority),
		T(an_approval_lives_on_in_the_renewal),
		T(a_ca_at_its_end_renews_nothing),
		T(published_in_the_directory),
		T(f8_clocks_that_disagree),
		T(f8_no_mass_renewal_on_one_bad_reading),
		T(matching_by_version_one_name),
		T(a_certificate_without_its_template),
		T(a_stale_revocation_list_is_mentioned),
		T(a_users_world),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
