/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Tests of object.h: a question about an object and its answer come back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "mutate.h"
#include "object.h"

static const char *const names[] = { "mail", "sn" };
static const char *const dns[] = { "CN=a", "CN=b", "CN=c" };

static void
fill(struct ae_rules_question *q, const char **a, const char **g)
{
	memcpy(a, names, sizeof(names));
	memcpy(g, dns, sizeof(dns));
	*q = (struct ae_rules_question){ .attribute = "cn",
		.value = "x",
		.category = "user",
		.attributes = { a, 2 },
		.spns = true,
		.groups = { g, 3 } };
}

static void
a_question_comes_back(void **state)
{
	struct ae_arena *a = ae_arena_new(1 << 16);
	struct ae_rules_question q, got;
	const char *av[2], *gv[3];
	struct ae_sid sid, own;
	struct ae_wr w;
	struct ae_rd r;

	(void)state;
	fill(&q, av, gv);
	assert_true(ae_sid_parse(&sid, "S-1-5-21-1-2-3-4"));
	ae_wr_init(&w, OBJECT_ASK_MAX);
	put_question(&w, &q, &sid);
	ae_rd_init(&r, w.p, w.len);
	get_question(&r, &got, &own, a);
	assert_true(ae_rd_done(&r));
	assert_false(got.own);
	assert_true(ae_sid_equal(&own, &sid));
	assert_string_equal(got.value, "x");
	assert_null(got.search_root);
	assert_int_equal(got.attributes.n, 2);
	assert_string_equal(got.groups.v[2], "CN=c");
	assert_true(got.spns);
	/* one by name must say which */
	q.value = NULL;
	ae_wr_reset(&w);
	put_question(&w, &q, &sid);
	ae_rd_init(&r, w.p, w.len);
	get_question(&r, &got, &own, a);
	assert_false(ae_rd_done(&r));
	ae_wr_done(&w);
	ae_arena_free(a);
}

static void
an_answer_comes_back(void **state)
{
	static const struct ae_rules_value values[] = { { "mail", "a@b" } };
	static const uint8_t groups[] = { 0, 1, 2 };
	struct ae_arena *a = ae_arena_new(1 << 16);
	struct ae_rules_object o = { .found = 1,
		.dn = "CN=x",
		.account_control = 0x202,
		.attributes = values,
		.nattributes = 1,
		.groups = groups,
		.ngroups = 3 };
	struct ae_rules_object got = { .found = 0 };
	const char *spns[2];
	struct ae_wr w;
	struct ae_rd r;
	bool ok;

	(void)state;
	memcpy(spns, names, sizeof(spns));
	o.spns = (struct ae_rules_strings){ spns, 2 };
	assert_true(ae_sid_parse(&o.sid, "S-1-5-21-1-2-3-4"));
	ae_wr_init(&w, OBJECT_ANSWER_MAX);
	put_object(&w, true, &o);
	ae_rd_init(&r, w.p, w.len);
	get_object(&r, &ok, &got, a);
	assert_true(ae_rd_done(&r) && ok);
	assert_string_equal(got.dn, "CN=x");
	assert_true(ae_sid_equal(&got.sid, &o.sid));
	assert_int_equal(got.account_control, 0x202);
	assert_string_equal(got.attributes[0].value, "a@b");
	assert_string_equal(got.spns.v[1], "sn");
	assert_memory_equal(got.groups, groups, 3);
	/* none, several, and not to be had */
	o.found = 2;
	ae_wr_reset(&w);
	put_object(&w, true, &o);
	ae_rd_init(&r, w.p, w.len);
	get_object(&r, &ok, &got, a);
	assert_true(ae_rd_done(&r) && ok && got.found == 2);
	ae_wr_reset(&w);
	put_object(&w, false, &o);
	ae_rd_init(&r, w.p, w.len);
	get_object(&r, &ok, &got, a);
	assert_true(ae_rd_done(&r) && !ok);
	ae_wr_done(&w);
	ae_arena_free(a);
}

static void
mutation(const uint8_t *p, size_t len, void *arg)
{
	struct ae_arena *a = ae_arena_new(1 << 16);
	struct ae_rules_question q;
	struct ae_rules_object o;
	struct ae_sid own;
	struct ae_rd r;
	bool ok;

	assert_non_null(a);
	ae_rd_init(&r, p, len);
	if (*(const bool *)arg)
		get_question(&r, &q, &own, a);
	else
		get_object(&r, &ok, &o, a);
	ae_arena_free(a);
}

static void
mutations(void **state)
{
	static const struct ae_rules_value values[] = { { "mail", "a@b" } };
	struct ae_rules_object o = { .found = 1,
		.dn = "CN=x",
		.attributes = values,
		.nattributes = 1,
		.groups = (const uint8_t *)"\2",
		.ngroups = 1 };
	struct ae_rules_question q;
	const char *av[2], *gv[3];
	bool question = true;
	struct ae_wr w;

	(void)state;
	fill(&q, av, gv);
	assert_true(ae_sid_parse(&o.sid, "S-1-5-21-1-2-3-4"));
	ae_wr_init(&w, OBJECT_ANSWER_MAX);
	put_question(&w, &q, &o.sid);
	assert_true(ae_mutate(w.p, w.len, mutation, &question) > 400);
	ae_wr_reset(&w);
	question = false;
	put_object(&w, true, &o);
	assert_true(ae_mutate(w.p, w.len, mutation, &question) > 400);
	ae_wr_done(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_question_comes_back),
		cmocka_unit_test(an_answer_comes_back),
		cmocka_unit_test(mutations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
