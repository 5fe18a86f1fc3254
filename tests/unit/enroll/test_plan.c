/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Tests of enroll/plan.h: the template, its permissions, its CAs, and
 * policy.  In a healthy world one thing is wrong at a time.
 */
#include "plan_world.h"

#include <string.h>

#include "torture.h"

/* The first template is skipped because of exactly this check. */
static void
expect_skip(struct world *w, const char *check, uint16_t event)
{
	const struct ae_plan *p = world_plan(w);
	const struct ae_reason *r = ae_plan_decisive(&p->items[0]);

	assert_int_equal(p->items[0].action, AE_PLAN_SKIP);
	assert_non_null(r);
	assert_string_equal(r->check, check);
	assert_int_equal(r->event, event);
	assert_true(strlen(r->text) > 0);
}

static void
healthy_world_enrolls(void **state)
{
	struct world *w = *state;
	const struct ae_plan *p = world_plan(w);

	assert_true(p->enabled);
	assert_int_equal(p->nitems, 1);
	assert_int_equal(p->items[0].action, AE_PLAN_ENROLL);
	assert_null(ae_plan_decisive(&p->items[0]));
	assert_true(p->items[0].candidate);
	assert_int_equal(p->items[0].ncas, 1);
	assert_ptr_equal(p->items[0].cas[0], &w->ca);
	assert_int_equal(p->items[0].key.bits, 2048);
	assert_null(p->items[0].have);
}

static void
policy_values(void **state)
{
	static const struct {
		bool set;
		uint32_t value;
		bool enrolls;
		const char *check;
	} rows[] = {
		{ false, 0, false, "policy.aepolicy-absent" },
		{ true, 0, false, "policy.aepolicy-absent" },
		{ true, 1, true, "policy.no-renew-bit" },
		{ true, 3, true, "pending.pickup-disabled" },
		{ true, 6, false, "policy.no-enroll-bit" },
		{ true, 7, true, "policy.enabled" },
		{ true, 0x8000, false, "policy.aepolicy-disabled" },
		{ true, 0x8007, false, "policy.aepolicy-disabled" },
	};
	struct world *w = *state;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct ae_plan *p;

		w->in.policy_set = rows[i].set;
		w->in.policy = rows[i].value;
		p = world_plan(w);
		assert_int_equal(
		    p->enabled, rows[i].value != 0 && rows[i].value < 0x8000);
		assert_int_equal(p->may, p->enabled ? rows[i].value : 0);
		assert_string_equal(p->reasons.v[0].check, rows[i].check);
		assert_int_equal(p->items[0].action,
		    rows[i].enrolls ? AE_PLAN_ENROLL : AE_PLAN_SKIP);
	}
}

static void
wrong_context(void **state)
{
	struct world *w = *state;

	w->in.context = AE_CONTEXT_USER;
	expect_skip(w, "context.machine-template-in-user", 42);
	w->in.context = AE_CONTEXT_MACHINE;
	w->t.flags = 0;
	expect_skip(w, "context.user-template-in-machine", 51);
	assert_false(world_plan(w)->items[0].candidate);
	w->t.flags = AE_CT_MACHINE_TYPE | AE_CT_IS_CA;
	expect_skip(w, "context.ca-template", 0);
}

static void
rights_are_each_needed(void **state)
{
	static const struct {
		unsigned grant;
		const char *check;
	} rows[] = {
		{ 6, "template.no-read-right" },
		{ 5, "template.no-enroll-right" },
		{ 3, "template.no-autoenroll-right" },
		{ 0, "template.no-read-right" },
	};
	struct world *w = *state;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ae_sd_free(w->t.sd);
		w->t.sd = world_grants(rows[i].grant);
		expect_skip(w, rows[i].check, 46);
	}
	ae_sd_free(w->t.sd);
	w->t.sd = NULL; /* unreadable descriptor: no rights, not all rights */
	expect_skip(w, "template.no-read-right", 46);
}

static void
deny_wins(void **state)
{
	struct ae_sid group = world_sid("S-1-5-21-1-2-3-515");
	struct world *w = *state;

	assert_int_equal(ae_sd_deny(w->t.sd, 0, AE_ACCESS_CONTROL,
			     &ae_right_enroll, &group, NULL),
	    AE_OK);
	ae_sd_canonicalize(w->t.sd);
	expect_skip(w, "template.deny-ace", 46);
}

static void
groups_that_the_ticket_lacks(void **state)
{
	struct world *w = *state;
	struct ae_token *old = NULL;

	assert_int_equal(ae_token_new(&old, &w->sid, NULL, 0, 0, NULL), AE_OK);
	w->in.ticket = old;
	/* A warning: it is the CA's to refuse. */
	assert_true(world_has(world_item(w), "token.group-not-in-ticket"));
	assert_int_equal(world_item(w)->action, AE_PLAN_ENROLL);
	w->in.ticket = w->token;
	assert_false(world_has(world_item(w), "token.group-not-in-ticket"));
	w->in.ticket = old;
	world_set_rights(&w->t, 5);
	assert_false(world_has(world_item(w), "token.group-not-in-ticket"));
	ae_token_free(old);
}

static void
rights_for_the_other_kind_of_account(void **state)
{
	struct ae_sid users = world_sid("S-1-5-21-1-2-3-513");
	struct world *w = *state;

	world_set_rights(&w->t, 1);
	assert_false(
	    world_has(world_item(w), "template.rights-for-wrong-type"));
	assert_int_equal(ae_sd_allow(w->t.sd, 0, AE_ACCESS_CONTROL,
			     &ae_right_enroll, &users, NULL),
	    AE_OK);
	expect_skip(w, "template.no-enroll-right", 46);
	assert_true(world_has(world_item(w), "template.rights-for-wrong-type"));
}

static void
logons_want_ntauth(void **state)
{
	char smart_card[] = "1.3.6.1.4.1.311.20.2.2";
	char client[] = "1.3.6.1.5.5.7.3.2", *ekus[] = { client };
	struct world *w = *state;

	w->t.ekus = (struct ae_strv){ ekus, 1 };
	assert_false(world_has(world_item(w), "trust.ntauth-missing"));
	w->cas[0].ntauth = false;
	assert_true(world_has(world_item(w), "trust.ntauth-missing"));
	assert_int_equal(world_item(w)->action, AE_PLAN_ENROLL);
	ekus[0] = smart_card;
	expect_skip(w, "trust.ntauth-missing", 52);
	w->cas[0].ntauth = true;
	assert_int_equal(world_item(w)->action, AE_PLAN_ENROLL);
	w->t.ekus.n = 0;
}

static void
periods_and_oids_that_trip_people(void **state)
{
	struct world *w = *state;

	w->t.validity = 4 * DAY;
	w->t.overlap = DAY;
	assert_true(world_has(world_item(w), "template.validity-too-short"));
	w->t.overlap = 4 * DAY;
	assert_true(world_has(world_item(w), "template.overlap-too-long"));
	w->in.ntemplates = 2;
	w->t2.oid = w->t.oid;
	assert_true(world_has(world_item(w), "template.duplicate-oid"));
	assert_int_equal(world_item(w)->action, AE_PLAN_ENROLL);
}

static void
many_reasons_find_room(void **state)
{
	struct ae_plan_ca cas[100];
	struct world *w = *state;
	size_t i;

	for (i = 0; i < 100; i++)
		cas[i] = w->cas[0];
	w->in.cas = cas;
	w->in.ncas = 100;
	assert_int_equal(world_item(w)->ncas, 100);
	assert_true(world_item(w)->reasons.n > 100);
}

static void
template_settings(void **state)
{
	struct world *w = *state;

	w->t.enrollment_flag = 0;
	expect_skip(w, "template.not-configured-autoenroll", 0);
	w->t.enrollment_flag = AE_CT_AUTO_ENROLLMENT;
	w->t.schema_version = 1;
	expect_skip(w, "template.v1-no-autoenroll", 0);
	w->t.schema_version = 5;
	expect_skip(w, "template.schema-unknown", 0);
	w->t.schema_version = 4;
	w->t.private_key_flag = 7u << 24;
	expect_skip(w, "template.client-too-old", 0);
	w->t.private_key_flag = 6u << 24;
	assert_int_equal(world_plan(w)->items[0].action, AE_PLAN_ENROLL);
	w->t.private_key_flag = AE_CT_STRONG_KEY_PROTECTION;
	expect_skip(w, "template.user-interaction", 37);
	w->t.private_key_flag = AE_CT_REQUIRE_PRIVATE_KEY_ARCHIVAL;
	assert_true(world_has(world_item(w), "key.archival"));
	assert_int_equal(world_item(w)->action, AE_PLAN_ENROLL);
	w->t.private_key_flag = AE_CT_ATTEST_REQUIRED;
	expect_skip(w, "key.attestation", 85);
	w->t.private_key_flag = 0;
	w->t.enrollment_flag |= AE_CT_USER_INTERACTION_REQUIRED;
	expect_skip(w, "template.user-interaction", 38);
	w->t.enrollment_flag = AE_CT_AUTO_ENROLLMENT;
	w->t.name_flag = AE_CT_ENROLLEE_SUPPLIES_SUBJECT;
	expect_skip(w, "template.supplies-subject", 38);
	w->t.name_flag = AE_CT_ENROLLEE_SUPPLIES_SAN;
	expect_skip(w, "template.supplies-subject", 38);
	w->t.name_flag = 0;
	w->t.ra_signature = 1;
	expect_skip(w, "template.ra-signature", 48);
	w->t.ra_signature = 0;
	w->t.min_key_size = 16384;
	expect_skip(w, "key.min-size-local", 45);
}

static void
ca_selection(void **state)
{
	struct world *w = *state;

	w->in.ncas = 0;
	expect_skip(w, "ca.none-in-forest", 11);
	w->in.ncas = 1;
	w->ca.templates.n = 0;
	expect_skip(w, "ca.template-not-published", 47);
	w->ca.templates.n = 2;
	ae_sd_free(w->ca.sd);
	w->ca.sd = world_grants(1);
	expect_skip(w, "ca.no-enroll-right", 47);
	ae_sd_free(w->ca.sd);
	w->ca.sd = NULL;
	expect_skip(w, "ca.no-enroll-right", 47);
	w->ca.sd = world_grants(3);
	w->cas[0].trust = AE_CA_NOT_TRUSTED;
	expect_skip(w, "trust.root-missing", 52);
	w->cas[0].trust = AE_CA_EXPIRED;
	expect_skip(w, "trust.ca-cert-expired", 52);
	w->cas[0].trust = AE_CA_NO_CERT;
	expect_skip(w, "ca.cert-missing-in-object", 52);
	w->cas[0].trust = AE_CA_TRUSTED;
	w->ca.dns_host_name = NULL;
	expect_skip(w, "ca.object-stale-host", 47);
}

static void
one_good_ca_is_enough(void **state)
{
	struct world *w = *state;
	struct ae_enrollment_service other = w->ca;
	struct ae_plan_ca cas[2] = { { .service = &other,
					 .trust = AE_CA_NOT_TRUSTED,
					 .trust_text = "no root" },
		w->cas[0] };
	const struct ae_plan *p;

	w->in.cas = cas;
	w->in.ncas = 2;
	p = world_plan(w);
	assert_int_equal(p->items[0].action, AE_PLAN_ENROLL);
	assert_int_equal(p->items[0].ncas, 1);
	assert_ptr_equal(p->items[0].cas[0], &w->ca);
	assert_true(world_has(&p->items[0], "trust.root-missing"));
}

static void
superseding(void **state)
{
	struct world *w = *state;
	const struct ae_plan *p;

	w->in.ntemplates = 2;
	w->t2.supersedes = (struct ae_strv){ w->supersedes, 1 };
	expect_skip(w, "template.superseded", 56);
	p = world_plan(w);
	assert_int_equal(p->items[1].action, AE_PLAN_ENROLL);
	/* Out of our reach it supersedes nothing. */
	ae_sd_free(w->t2.sd);
	w->t2.sd = world_grants(3);
	assert_int_equal(world_plan(w)->items[0].action, AE_PLAN_ENROLL);
}

static void
matching_by_version_one_name(void **state)
{
	struct world *w = *state;

	w->in.have = (struct ae_inventory){ .certs = w->cert, .ncerts = 1 };
	w->cert[0].template_oid = NULL;
	w->cert[0].template_name = "workstation";
	assert_int_equal(world_plan(w)->items[0].action, AE_PLAN_KEEP);
	w->cert[0].template_name = "Other";
	assert_int_equal(world_plan(w)->items[0].action, AE_PLAN_ENROLL);
	w->cert[0].template_name = NULL;
	assert_int_equal(world_plan(w)->items[0].action, AE_PLAN_ENROLL);
}

static void
renewal_window(void **state)
{
	(void)state;
	/* A year with six weeks of overlap: 80 % is at day 292, the overlap
	 * begins at day 323. */
	assert_int_equal(ae_plan_renew_at(0, 365 * DAY, 42 * DAY), 323 * DAY);
	/* Overlap longer than 20 %: the 80 % point decides. */
	assert_int_equal(ae_plan_renew_at(0, 100 * DAY, 50 * DAY), 80 * DAY);
	assert_int_equal(ae_plan_renew_at(0, 100 * DAY, 0), 100 * DAY);
}

static void
by_hand(void **state)
{
	struct world *w = *state;
	const struct ae_plan *p;

	w->in.manual = true;
	w->in.policy_set = false;
	w->in.only = "WORKSTATION";
	w->in.have = (struct ae_inventory){ .certs = w->cert, .ncerts = 1 };
	w->t.enrollment_flag = 0;
	w->t.name_flag = AE_CT_ENROLLEE_SUPPLIES_SUBJECT;
	w->in.ntemplates = 2;
	p = world_plan(w);
	assert_int_equal(p->nitems, 1);
	assert_int_equal(p->items[0].action, AE_PLAN_ENROLL);
	w->in.only = "Nothing";
	assert_int_equal(world_plan(w)->nitems, 0);
}

static bool
make(void *arg)
{
	struct world *w = arg;
	struct ae_arena *a = ae_arena_new(1 << 20);
	struct ae_plan *p;
	bool ok;

	ok = a != NULL && ae_plan_make(&p, &w->in, a, NULL) == AE_OK;
	ae_arena_free(a);
	return ok;
}

static void
out_of_memory(void **state)
{
	struct world *w = *state;
	struct ae_arena *tiny = ae_arena_new(512);
	struct ae_plan *p;

	assert_true(ae_torture(make, w, 50, true) >= 2);
	assert_int_equal(ae_plan_make(&p, &w->in, tiny, NULL), AE_ELIMIT);
	ae_arena_free(tiny);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(healthy_world_enrolls),
		T(policy_values),
		T(wrong_context),
		T(rights_are_each_needed),
		T(deny_wins),
		T(groups_that_the_ticket_lacks),
		T(rights_for_the_other_kind_of_account),
		T(logons_want_ntauth),
		T(periods_and_oids_that_trip_people),
		T(many_reasons_find_room),
		T(template_settings),
		T(ca_selection),
		T(one_good_ca_is_enough),
		T(superseding),
		T(matching_by_version_one_name),
		T(renewal_window),
		T(by_hand),
		T(out_of_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
