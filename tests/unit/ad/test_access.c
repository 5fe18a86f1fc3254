/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The access check, MS-DTYP 2.5.3.2 and MS-ADTS 5.1.3.3, rule by rule.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ad/sd.h"
#include "torture.h"

#define DOMAIN "S-1-5-21-111-222-333"
#define CR AE_ACCESS_CONTROL

/* One ACE of a test: 'A'llow or 'D'eny, 'E'nroll, 'U' autoenroll or plain. */
struct row {
	char type;
	char object;
	uint8_t flags;
	uint32_t mask;
	const char *sid;
};

static struct ae_sid
sid(const char *s)
{
	struct ae_sid out;

	assert_true(ae_sid_parse(&out, s));
	return out;
}

static struct ae_sd *
make(const char *owner, const struct row *rows, size_t n)
{
	struct ae_err e = AE_ERR_INIT;
	const struct ae_guid *object;
	struct ae_sd *sd = ae_sd_new();
	struct ae_sid s = sid(owner);
	size_t i;

	ae_sd_set_owner(sd, &s);
	sd->has_dacl = true;
	for (i = 0; i < n; i++) {
		s = sid(rows[i].sid);
		object = rows[i].object == 'E' ? &ae_right_enroll
		    : rows[i].object == 'U'    ? &ae_right_autoenroll
					       : NULL;
		assert_int_equal(
		    (rows[i].type == 'A' ? ae_sd_allow : ae_sd_deny)(
			sd, rows[i].flags, rows[i].mask, object, &s, &e),
		    AE_OK);
	}
	return sd;
}

static struct ae_token *
token(const char *user, const char *group)
{
	struct ae_err e = AE_ERR_INIT;
	struct ae_token *t = NULL;
	struct ae_sid u = sid(user), g = sid(group);

	assert_int_equal(ae_token_new(&t, &u, &g, 1, 0, &e), AE_OK);
	return t;
}

#define USER DOMAIN "-1104"
#define GROUP DOMAIN "-515"
#define OTHER DOMAIN "-512"

struct enroll_case {
	const char *what;
	struct row rows[4];
	size_t n;
	bool enroll, autoenroll;
};

static const struct enroll_case enroll_cases[] = {
	{ "object allow to a group", { { 'A', 'E', 0, CR, GROUP } }, 1, true,
	    false },
	{ "object allow to the user", { { 'A', 'U', 0, CR, USER } }, 1, false,
	    true },
	{ "both rights",
	    { { 'A', 'E', 0, CR, GROUP }, { 'A', 'U', 0, CR, USER } }, 2, true,
	    true },
	{ "plain allow gives all extended rights", { { 'A', 0, 0, CR, GROUP } },
	    1, true, true },
	{ "full control", { { 'A', 0, 0, AE_ACCESS_FULL, GROUP } }, 1, true,
	    true },
	{ "another's", { { 'A', 'E', 0, CR, OTHER } }, 1, false, false },
	{ "the right GUID without the bit",
	    { { 'A', 'E', 0, AE_ACCESS_READ_PROP, GROUP } }, 1, false, false },
	{ "deny first",
	    { { 'D', 'E', 0, CR, USER }, { 'A', 'E', 0, CR, GROUP } }, 2, false,
	    false },
	{ "allow first: order counts",
	    { { 'A', 'E', 0, CR, GROUP }, { 'D', 'E', 0, CR, USER } }, 2, true,
	    false },
	{ "plain deny", { { 'D', 0, 0, CR, USER }, { 'A', 'E', 0, CR, GROUP } },
	    2, false, false },
	{ "deny of the other right",
	    { { 'D', 'U', 0, CR, USER }, { 'A', 0, 0, CR, GROUP } }, 2, true,
	    false },
	{ "deny to another",
	    { { 'D', 'E', 0, CR, OTHER }, { 'A', 'E', 0, CR, GROUP } }, 2, true,
	    false },
	{ "inherit-only allow",
	    { { 'A', 'E', AE_ACE_INHERIT_ONLY, CR, GROUP } }, 1, false, false },
	{ "inherit-only deny",
	    { { 'D', 'E', AE_ACE_INHERIT_ONLY, CR, GROUP },
		{ 'A', 'E', 0, CR, GROUP } },
	    2, true, false },
	{ "inherited allow", { { 'A', 'E', AE_ACE_INHERITED, CR, GROUP } }, 1,
	    true, false },
	{ "everyone", { { 'A', 'E', 0, CR, "S-1-1-0" } }, 1, true, false },
	{ "authenticated users", { { 'A', 'U', 0, CR, "S-1-5-11" } }, 1, false,
	    true },
	{ "anonymous is nobody we know", { { 'A', 'E', 0, CR, "S-1-5-7" } }, 1,
	    false, false },
	{ "generic all in an ACE allows nothing",
	    { { 'A', 0, 0, AE_ACCESS_GENERIC_ALL, GROUP } }, 1, false, false },
	{ "generic all in an ACE denies",
	    { { 'D', 0, 0, AE_ACCESS_GENERIC_ALL, GROUP },
		{ 'A', 'E', 0, CR, GROUP } },
	    2, false, false },
	{ "empty DACL", { { 0 } }, 0, false, false },
};

static void
enroll_rights(void **state)
{
	struct ae_token *t = token(USER, GROUP);
	struct ae_sd *sd;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(enroll_cases) / sizeof(enroll_cases[0]); i++) {
		const struct enroll_case *c = &enroll_cases[i];

		sd = make(OTHER, c->rows, c->n);
		if (ae_sd_can_enroll(sd, t) != c->enroll ||
		    ae_sd_can_autoenroll(sd, t) != c->autoenroll)
			fail_msg("%s", c->what);
		ae_sd_free(sd);
	}
	ae_token_free(t);
}

/* A directory that leaves the DACL out opens nothing. */
static void
no_dacl(void **state)
{
	struct ae_token *t = token(USER, GROUP);
	struct ae_sd *sd = ae_sd_new();
	uint32_t granted = 0;

	(void)state;
	assert_true(ae_sd_access_check(sd, t, CR, NULL, NULL, &granted));
	assert_int_equal(granted, CR);
	assert_true(ae_sd_access_check(
	    sd, t, AE_ACCESS_MAXIMUM_ALLOWED, NULL, NULL, &granted));
	assert_int_equal(granted, AE_ACCESS_FULL);
	assert_false(ae_sd_can_enroll(sd, t));
	assert_false(ae_sd_can_autoenroll(sd, t));
	assert_false(ae_sd_can_read(sd, t));
	assert_false(ae_sd_can_enroll(NULL, t));
	assert_false(ae_sd_can_read(NULL, t));
	ae_sd_free(sd);
	ae_token_free(t);
}

static void
owner_rights(void **state)
{
	static const struct row limits[] = { { 'A', 0, 0, AE_ACCESS_READ_PROP,
	    "S-1-3-4" } };
	static const struct row elsewhere[] = { { 'A', 0, AE_ACE_INHERIT_ONLY,
	    AE_ACCESS_READ_PROP, "S-1-3-4" } };
	static const struct row denies[] = { { 'D', 0, 0, AE_ACCESS_WRITE_DAC,
	    USER } };
	struct ae_token *t = token(USER, GROUP);
	struct ae_sd *sd = make(USER, NULL, 0);
	uint32_t granted;

	(void)state;
	assert_true(ae_sd_access_check(sd, t,
	    AE_ACCESS_READ_CONTROL | AE_ACCESS_WRITE_DAC, NULL, NULL, NULL));
	assert_false(
	    ae_sd_access_check(sd, t, AE_ACCESS_WRITE_OWNER, NULL, NULL, NULL));
	assert_false(ae_sd_can_enroll(sd, t));
	ae_sd_free(sd);
	sd = make(USER, limits, 1);
	assert_false(
	    ae_sd_access_check(sd, t, AE_ACCESS_WRITE_DAC, NULL, NULL, NULL));
	assert_true(ae_sd_access_check(
	    sd, t, AE_ACCESS_MAXIMUM_ALLOWED, NULL, NULL, &granted));
	assert_int_equal(granted, AE_ACCESS_READ_PROP);
	ae_sd_free(sd);
	sd = make(OTHER, limits, 1);
	assert_false(
	    ae_sd_access_check(sd, t, AE_ACCESS_READ_PROP, NULL, NULL, NULL));
	ae_sd_free(sd);
	sd = make(USER, elsewhere, 1);
	assert_true(
	    ae_sd_access_check(sd, t, AE_ACCESS_WRITE_DAC, NULL, NULL, NULL));
	ae_sd_free(sd);
	sd = make(USER, denies, 1); /* what the owner has is had before ACEs */
	assert_true(
	    ae_sd_access_check(sd, t, AE_ACCESS_WRITE_DAC, NULL, NULL, NULL));
	ae_sd_free(sd);
	ae_token_free(t);
}

static void
principal_self(void **state)
{
	static const struct row rows[] = { { 'A', 'E', 0, CR, "S-1-5-10" } };
	struct ae_token *t = token(USER, GROUP);
	struct ae_sd *sd = make(OTHER, rows, 1);
	struct ae_sid me = sid(USER), you = sid(OTHER);

	(void)state;
	assert_true(ae_sd_access_check(sd, t, CR, &ae_right_enroll, &me, NULL));
	assert_false(
	    ae_sd_access_check(sd, t, CR, &ae_right_enroll, &you, NULL));
	assert_false(
	    ae_sd_access_check(sd, t, CR, &ae_right_enroll, NULL, NULL));
	ae_sd_free(sd);
	ae_token_free(t);
}

static void
conditional_aces(void **state)
{
	static const struct row rows[] = { { 'A', 0, 0, CR, GROUP },
		{ 'A', 0, 0, CR, GROUP } };
	struct ae_token *t = token(USER, GROUP);
	struct ae_sd *sd = make(OTHER, rows, 2);

	(void)state;
	sd->dacl.v[0].type = AE_ACE_DENIED_CALLBACK;
	assert_false(ae_sd_can_enroll(sd, t));
	sd->dacl.v[0].type = AE_ACE_ALLOWED_CALLBACK;
	sd->dacl.v[1].mask = AE_ACCESS_READ;
	assert_false(ae_sd_can_enroll(sd, t));
	assert_true(ae_sd_can_read(sd, t));
	sd->dacl.v[0].type = AE_ACE_AUDIT;
	assert_false(ae_sd_can_enroll(sd, t));
	sd->dacl.v[0].type = 0x77;
	sd->dacl.v[0].known = false;
	assert_false(ae_sd_can_enroll(sd, t));
	ae_sd_free(sd);
	ae_token_free(t);
}

static void
masks_accumulate(void **state)
{
	static const struct row rows[] = {
		{ 'A', 0, 0, AE_ACCESS_READ_PROP, USER },
		{ 'D', 0, 0, AE_ACCESS_WRITE_PROP, "S-1-1-0" },
		{ 'A', 0, 0,
		    AE_ACCESS_LIST | AE_ACCESS_READ_CONTROL |
			AE_ACCESS_WRITE_PROP,
		    GROUP },
	};
	struct ae_token *t = token(USER, GROUP);
	struct ae_sd *sd = make(OTHER, rows, 3);
	uint32_t granted = 77;

	(void)state;
	assert_true(ae_sd_can_read(sd, t));
	assert_true(ae_sd_access_check(
	    sd, t, AE_ACCESS_MAXIMUM_ALLOWED, NULL, NULL, &granted));
	assert_int_equal(granted, AE_ACCESS_READ);
	assert_false(ae_sd_access_check(sd, t,
	    AE_ACCESS_MAXIMUM_ALLOWED | AE_ACCESS_WRITE_PROP, NULL, NULL,
	    &granted));
	assert_int_equal(granted, 0);
	/* Generic bits in the request are mapped: LIST_OBJECT is missing. */
	assert_false(ae_sd_access_check(
	    sd, t, AE_ACCESS_GENERIC_READ, NULL, NULL, NULL));
	assert_true(ae_sd_access_check(
	    sd, t, AE_ACCESS_GENERIC_EXECUTE, NULL, NULL, NULL));
	assert_false(ae_sd_access_check(
	    sd, t, AE_ACCESS_SYSTEM_SECURITY, NULL, NULL, NULL));
	/* Asking for nothing is granted, and says so. */
	assert_true(ae_sd_access_check(sd, t, 0, NULL, NULL, NULL));
	ae_sd_free(sd);
	ae_token_free(t);
}

static void
token_contents(void **state)
{
	static const char *const always[] = { "S-1-1-0", "S-1-5-11", "S-1-5-15",
		USER, GROUP };
	struct ae_err e = AE_ERR_INIT;
	struct ae_sid u = sid(USER),
		      g[3] = { sid(GROUP), sid(GROUP), sid("S-1-5-1000") };
	const struct ae_sid *v;
	struct ae_token *t;
	struct ae_sid s;
	size_t i, n;

	(void)state;
	assert_int_equal(ae_token_new(&t, &u, g, 2, 0, &e), AE_OK);
	v = ae_token_sids(t, &n);
	assert_int_equal(n, 5);
	for (i = 1; i < n; i++)
		assert_true(ae_sid_compare(&v[i - 1], &v[i]) < 0);
	for (i = 0; i < 5; i++) {
		s = sid(always[i]);
		assert_true(ae_token_has(t, &s));
	}
	s = sid("S-1-5-9");
	assert_false(ae_token_has(t, &s));
	ae_token_free(t);

	assert_int_equal(
	    ae_token_new(&t, &u, g, 3, AE_TOKEN_DC | AE_TOKEN_NETWORK, &e),
	    AE_OK);
	assert_true(ae_token_has(t, &s));
	s = sid("S-1-5-2");
	assert_true(ae_token_has(t, &s));
	s = sid("S-1-5-15"); /* of another organization */
	assert_false(ae_token_has(t, &s));
	ae_token_free(t);

	assert_int_equal(ae_token_exact(&t, &u, 1, &e), AE_OK);
	(void)ae_token_sids(t, &n);
	assert_int_equal(n, 1);
	ae_token_free(t);
	assert_int_equal(ae_token_exact(&t, NULL, 0, &e), AE_OK);
	assert_false(ae_token_has(t, &u));
	ae_token_free(t);
	assert_int_equal(ae_token_exact(&t, &u, 100000, &e), AE_ELIMIT);
}

static bool
work(void *arg)
{
	struct ae_err e = AE_ERR_INIT;
	struct ae_sid u = sid(USER), g = sid(GROUP);
	struct ae_token *t = NULL;

	(void)arg;
	if (ae_token_new(&t, &u, &g, 1, 0, &e) != AE_OK)
		return false;
	ae_token_free(t);
	return true;
}

static void
token_torture(void **state)
{
	(void)state;
	assert_int_equal(ae_torture(work, NULL, 10, true), 3);
}

/* A full-size token: every SID of it is found, its neighbours are not. */
static void
large_token(void **state)
{
	struct ae_err e = AE_ERR_INIT;
	struct ae_sid dom = sid(DOMAIN), v[4096], s;
	struct ae_token *t;
	uint32_t i;

	(void)state;
	for (i = 0; i < 4096; i++)
		assert_true(ae_sid_append(&v[i], &dom, 1000 + 2 * i));
	assert_int_equal(ae_token_exact(&t, v, 4096, &e), AE_OK);
	for (i = 0; i < 4096; i++) {
		assert_true(ae_token_has(t, &v[i]));
		assert_true(ae_sid_append(&s, &dom, 1001 + 2 * i));
		assert_false(ae_token_has(t, &s));
	}
	ae_token_free(t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(enroll_rights),
		cmocka_unit_test(no_dacl),
		cmocka_unit_test(owner_rights),
		cmocka_unit_test(principal_self),
		cmocka_unit_test(conditional_aces),
		cmocka_unit_test(masks_accumulate),
		cmocka_unit_test(token_contents),
		cmocka_unit_test(token_torture),
		cmocka_unit_test(large_token),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
