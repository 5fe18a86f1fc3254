/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Which domain of the forest a SID, a NetBIOS name or a host is of.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ad/forest.h"

static const struct ae_ad_forest forest = {
	.n = 3,
	.v = { { .dns = "lab.example",
		   .netbios = "LAB",
		   .has_sid = true,
		   .sid = { 5, 4, { 21, 1, 2, 3 } } },
	    { .dns = "child.lab.example",
		.netbios = "CHILD",
		.has_sid = true,
		.sid = { 5, 4, { 21, 4, 5, 6 } } },
	    { .dns = "far.child.lab.example", .netbios = "FAR" } },
};

static const char *
name(const struct ae_ad_forest_domain *d)
{
	return d != NULL ? d->netbios : "none";
}

static void
test_sid(void **state)
{
	const struct ae_sid root = { 5, 5, { 21, 1, 2, 3, 1104 } };
	const struct ae_sid child = { 5, 5, { 21, 4, 5, 6, 1104 } };
	const struct ae_sid other = { 5, 5, { 21, 4, 5, 7, 1104 } };
	const struct ae_sid itself = { 5, 4, { 21, 4, 5, 6 } };
	const struct ae_sid nothing = { 0 };

	(void)state;
	assert_string_equal(name(ae_ad_forest_by_sid(&forest, &root)), "LAB");
	assert_string_equal(
	    name(ae_ad_forest_by_sid(&forest, &child)), "CHILD");
	assert_null(ae_ad_forest_by_sid(&forest, &other));
	assert_null(ae_ad_forest_by_sid(&forest, &itself));
	assert_null(ae_ad_forest_by_sid(&forest, &nothing));
}

static void
test_netbios(void **state)
{
	(void)state;
	assert_string_equal(
	    name(ae_ad_forest_by_netbios(&forest, "child\\pc2$", 5)), "CHILD");
	assert_null(ae_ad_forest_by_netbios(&forest, "CHIL", 4));
	assert_null(ae_ad_forest_by_netbios(&forest, "CHILDREN", 8));
	assert_null(ae_ad_forest_by_netbios(&forest, "", 0));
}

static void
test_host(void **state)
{
	(void)state;
	assert_string_equal(
	    name(ae_ad_forest_by_host(&forest, "dc1.LAB.example")), "LAB");
	assert_string_equal(
	    name(ae_ad_forest_by_host(&forest, "pc2.child.lab.example")),
	    "CHILD");
	assert_string_equal(
	    name(ae_ad_forest_by_host(&forest, "a.b.far.child.lab.example")),
	    "FAR");
	assert_null(ae_ad_forest_by_host(&forest, "pc1.otherlab.example"));
	assert_null(ae_ad_forest_by_host(&forest, "notlab.example"));
	assert_null(ae_ad_forest_by_host(&forest, ".example"));
	assert_null(ae_ad_forest_by_host(&forest, ""));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sid),
		cmocka_unit_test(test_netbios),
		cmocka_unit_test(test_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
