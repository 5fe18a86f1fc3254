/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The groups of a ticket beside those of the directory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gather/groups.h"
#include "torture.h"

static struct ae_sid
sid(const char *text)
{
	struct ae_sid s;

	assert_true(ae_sid_parse(&s, text));
	return s;
}

static void
side_by_side(void **state)
{
	const struct ae_sid self = sid("S-1-5-21-1-2-3-1104");
	const struct ae_sid ticket[] = { sid("S-1-5-21-1-2-3-515"),
		sid("S-1-5-21-1-2-3-1200"), self, sid("S-1-18-1"),
		sid("S-1-5-21-0-0-0-497"), sid("S-1-5-21-1-2-3-515") };
	const struct ae_sid directory[] = { sid("S-1-5-32-545"), self,
		sid("S-1-5-21-1-2-3-515"), sid("S-1-5-21-1-2-3-1300") };
	static const struct {
		const char *sid, *check;
		bool ticket, directory, comparable;
	} want[] = {
		{ "S-1-18-1", NULL, true, false, false },
		{ "S-1-5-21-0-0-0-497", NULL, true, false, false },
		{ "S-1-5-21-1-2-3-515", NULL, true, true, true },
		{ "S-1-5-21-1-2-3-1200", "token.group-removed-still-in-ticket",
		    true, false, true },
		{ "S-1-5-21-1-2-3-1300", "token.group-not-in-ticket", false,
		    true, true },
		{ "S-1-5-32-545", NULL, false, true, false },
	};
	struct ae_groups g = { 0 };
	size_t i, k, found;

	(void)state;
	assert_int_equal(
	    ae_groups_merge(&g, ticket, 6, directory, 4, &self, NULL), AE_OK);
	assert_int_equal(g.n, 6);
	for (i = 0; i < 6; i++) {
		struct ae_sid s = sid(want[i].sid);

		for (k = 0, found = 0; k < g.n; k++) {
			const struct ae_group *one = &g.v[k];

			if (!ae_sid_equal(&one->sid, &s))
				continue;
			found++;
			assert_int_equal(one->in_ticket, want[i].ticket);
			assert_int_equal(one->in_directory, want[i].directory);
			assert_int_equal(one->comparable, want[i].comparable);
			if (want[i].check == NULL)
				assert_null(ae_group_check(one));
			else
				assert_string_equal(
				    ae_group_check(one), want[i].check);
		}
		assert_int_equal(found, 1);
	}
	for (i = 1; i < g.n; i++)
		assert_true(ae_sid_compare(&g.v[i - 1].sid, &g.v[i].sid) < 0);
	assert_int_equal(ae_groups_differ(&g), 2);
	ae_groups_done(&g);
	assert_int_equal(g.n, 0);
}

static void
nothing(void **state)
{
	struct ae_groups g = { 0 };

	(void)state;
	assert_int_equal(
	    ae_groups_merge(&g, NULL, 0, NULL, 0, NULL, NULL), AE_OK);
	assert_int_equal(g.n, 0);
	assert_int_equal(ae_groups_differ(&g), 0);
	ae_groups_done(&g);
}

static bool
merge_once(void *arg)
{
	const struct ae_sid *v = arg;
	struct ae_groups g = { 0 };
	bool ok = ae_groups_merge(&g, v, 2, v, 1, NULL, NULL) == AE_OK;

	if (ok)
		ae_groups_done(&g);
	return ok;
}

static void
out_of_memory(void **state)
{
	struct ae_sid v[] = { sid("S-1-5-21-1-2-3-515"),
		sid("S-1-5-21-1-2-3-516") };

	(void)state;
	assert_true(ae_torture(merge_once, v, 20, true) >= 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(side_by_side),
		cmocka_unit_test(nothing),
		cmocka_unit_test(out_of_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
