/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * How far CAs are, from the sites they name or their addresses are in.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gather/nearness.h"

#define CONFIG ",CN=Sites,CN=Configuration,DC=lab,DC=example"
#define LINKS ",CN=IP,CN=Inter-Site Transports" CONFIG

/* clang-format off */
#define V(s) { (const uint8_t *)(s), sizeof(s) - 1 }
static const struct ae_value site[] = { V("site") }, link[] = { V("siteLink") },
    a[] = { V("A") }, b[] = { V("B") }, c[] = { V("C") }, x[] = { V("X") },
    hundred[] = { V("100") }, forty[] = { V("40") },
    ab[] = { V("CN=A" CONFIG), V("CN=B" CONFIG) },
    ac[] = { V("CN=A" CONFIG), V("CN=C" CONFIG) };
static const struct ae_attr
    site_a[] = { { "objectClass", site, 1 }, { "cn", a, 1 } },
    site_b[] = { { "objectClass", site, 1 }, { "cn", b, 1 } },
    site_c[] = { { "objectClass", site, 1 }, { "cn", c, 1 } },
    site_x[] = { { "objectClass", site, 1 }, { "cn", x, 1 } },
    link_ab[] = { { "objectClass", link, 1 }, { "cost", hundred, 1 }, { "siteList", ab, 2 } },
    link_ac[] = { { "objectClass", link, 1 }, { "cost", forty, 1 }, { "siteList", ac, 2 } };
static struct ae_entry entries[] = {
	{ "CN=A" CONFIG, site_a, 2 }, { "CN=B" CONFIG, site_b, 2 },
	{ "CN=C" CONFIG, site_c, 2 }, { "CN=X" CONFIG, site_x, 2 },
	{ "CN=ab" LINKS, link_ab, 3 }, { "CN=ac" LINKS, link_ac, 3 },
};
/* clang-format on */

static char host[] = "ca.lab.example", lower_b[] = "b", name_c[] = "C",
	    name_x[] = "X", nowhere[] = "Nowhere";
static char *v_b[] = { lower_b }, *v_bc[] = { lower_b, name_c },
	    *v_x[] = { name_x }, *v_nowhere[] = { nowhere };
static struct ae_enrollment_service in_b = { .sites = { v_b, 1 } },
				    in_both = { .sites = { v_bc, 2 } },
				    cut_off = { .sites = { v_x, 1 } },
				    unheard = { .sites = { v_nowhere, 1 },
					    .dns_host_name = host },
				    silent = { .dns_host_name = host },
				    homeless = { 0 };
static struct ae_enrollment_service *const all[] = { &in_b, &in_both, &cut_off,
	&unheard, &silent, &homeless };
#define N 6

static size_t
asked_for(void *arg, const struct ae_ad_sites *sites, const char *name)
{
	unsigned *calls = arg;

	assert_string_equal(name, host);
	++*calls;
	return ae_ad_site_find(sites, "A");
}

static void
judged(struct ae_ca_cost *costs, const char *own, ae_nearness_fn *fn,
    unsigned *calls, struct ae_arena *arena)
{
	const struct ae_entries l = { .v = entries, .n = 6 };
	struct ae_ad_sites *sites = NULL;

	assert_int_equal(ae_ad_sites_decode(&sites, &l, NULL), AE_OK);
	assert_int_equal(ae_nearness_judge(
			     costs, all, N, sites, own, fn, calls, arena, NULL),
	    AE_OK);
	ae_ad_sites_free(sites);
}

static void
from_our_site(void **state)
{
	struct ae_arena *arena = ae_arena_new(4096);
	struct ae_ca_cost costs[N];
	unsigned calls = 0;

	(void)state;
	judged(costs, "a", asked_for, &calls, arena);
	assert_int_equal(costs[0].cost, 100);
	assert_string_equal(costs[0].site, "B");
	assert_int_equal(costs[1].cost, 40); /* the nearest of those it names */
	assert_string_equal(costs[1].site, "C");
	assert_int_equal(costs[2].cost, AE_CA_COST_NO_WAY);
	assert_string_equal(costs[2].site, "X");
	assert_int_equal(costs[3].cost, AE_CA_COST_UNKNOWN);
	assert_null(costs[3].site);
	assert_int_equal(costs[4].cost, 0); /* by its address */
	assert_string_equal(costs[4].site, "A");
	assert_int_equal(costs[5].cost, AE_CA_COST_UNKNOWN);
	/* Who names a site, known or not, is not looked up; nor who has no
	 * name. */
	assert_int_equal(calls, 1);
	ae_arena_free(arena);
}

static void
when_little_is_known(void **state)
{
	struct ae_arena *arena = ae_arena_new(4096);
	const char *const own[] = { NULL, "", "Nowhere" };
	struct ae_ca_cost costs[N];
	unsigned calls = 0;
	size_t i, k;

	(void)state;
	for (k = 0; k < 3; k++) {
		judged(costs, own[k], asked_for, &calls, arena);
		for (i = 0; i < N; i++)
			assert_int_equal(costs[i].cost, AE_CA_COST_UNKNOWN);
	}
	assert_int_equal(calls, 0);
	judged(costs, "A", NULL, NULL, arena);
	assert_int_equal(costs[4].cost, AE_CA_COST_UNKNOWN);
	ae_arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(from_our_site),
		cmocka_unit_test(when_little_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
