/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What it costs to get from site to site, after MS-DRSR 4.1.16.3, and the
 * site of an address.
 */
#include <arpa/inet.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ad/sites.h"
#include "torture.h"

#define CONFIG ",CN=Sites,CN=Configuration,DC=lab,DC=example"
#define IP ",CN=IP,CN=Inter-Site Transports" CONFIG
#define SMTP ",CN=SMTP,CN=Inter-Site Transports" CONFIG
#define NONE AE_AD_COST_NONE
#define MAX 32

/* An entry as a directory gives it; up to three values an attribute. */
struct row {
	const char *dn, *class, *cn;
	struct {
		const char *name, *v[3];
	} more[2];
};

struct world {
	struct ae_entry v[MAX];
	struct ae_attr attrs[MAX][4];
	struct ae_value values[MAX][4][3];
	struct ae_entries l;
};

static void
put(struct world *w, size_t i, size_t k, const char *name, const char *const *v)
{
	struct ae_attr *a = &w->attrs[i][k];

	*a = (struct ae_attr){ .name = name, .v = w->values[i][k] };
	for (; a->n < 3 && v[a->n] != NULL; a->n++)
		w->values[i][k][a->n] =
		    (struct ae_value){ (const uint8_t *)v[a->n],
			    strlen(v[a->n]) };
}

static void
make(struct world *w, const struct row *rows, size_t n)
{
	size_t i, k;

	memset(w, 0, sizeof(*w));
	for (i = 0; i < n; i++) {
		const char *class[] = { "top", rows[i].class, NULL };
		const char *cn[] = { rows[i].cn, NULL };

		put(w, i, 0, "objectClass", class);
		put(w, i, 1, "cn", cn);
		for (k = 0; k < 2 && rows[i].more[k].name != NULL; k++)
			put(w, i, 2 + k, rows[i].more[k].name,
			    rows[i].more[k].v);
		w->v[i] = (struct ae_entry){ rows[i].dn, w->attrs[i], 2 + k };
	}
	w->l.v = w->v;
	w->l.n = n;
}

#define SITE(name)                               \
	{                                        \
		"CN=" name CONFIG, "site", name, \
		{                                \
			{                        \
				NULL,            \
				{                \
					NULL     \
				}                \
			}                        \
		}                                \
	}
#define LINK(name, c, ...)                          \
	{                                           \
		"CN=" name IP, "siteLink", name,    \
		{                                   \
			{ "cost", { c } },          \
			{                           \
				"siteList",         \
				{                   \
					__VA_ARGS__ \
				}                   \
			}                           \
		}                                   \
	}

/* clang-format off */
static const struct row forest[] = {
	SITE("A"), SITE("B"), SITE("C"), SITE("D"), SITE("Lonely"),
	LINK("ab", "100", "CN=A" CONFIG, "CN=B" CONFIG),
	LINK("bc", "50", "cn=b" CONFIG, "CN=C" CONFIG),
	LINK("ac", "400", "CN=A" CONFIG, "CN=C" CONFIG),
	LINK("mesh", "7", "CN=C" CONFIG, "CN=D" CONFIG, "CN=Gone" CONFIG),
	/* of no account */
	LINK("negative", "-1", "CN=A" CONFIG, "CN=Lonely" CONFIG),
	LINK("nothing", "0", "CN=A" CONFIG, "CN=Lonely" CONFIG),
	LINK("words", "cheap", "CN=A" CONFIG, "CN=Lonely" CONFIG),
	{ "CN=mail" SMTP, "siteLink", "mail",
	    { { "cost", { "1" } }, { "siteList", { "CN=A" CONFIG, "CN=Lonely" CONFIG } } } },
	{ "CN=x" IP, "siteLinkBridge", "x",
	    { { "siteLinkList", { "CN=ab" IP, "CN=bc" IP, "CN=gone" IP } }, { NULL, { NULL } } } },
	{ "CN=IP,CN=Inter-Site Transports" CONFIG, "interSiteTransport", "IP",
	    { { "options", { "0" } }, { NULL, { NULL } } } },
};
/* clang-format on */

#define N (sizeof(forest) / sizeof(forest[0]))

static void
expect(const struct row *rows, size_t n, const char *from, const char *to,
    uint32_t cost)
{
	struct ae_ad_sites *s = NULL;
	uint32_t costs[MAX];
	struct world w;
	size_t a, b;

	make(&w, rows, n);
	assert_int_equal(ae_ad_sites_decode(&s, &w.l, NULL), AE_OK);
	a = ae_ad_site_find(s, from);
	b = ae_ad_site_find(s, to);
	assert_int_not_equal(a, AE_AD_SITE_NONE);
	assert_int_not_equal(b, AE_AD_SITE_NONE);
	assert_int_equal(ae_ad_sites_costs(costs, s, a, NULL), AE_OK);
	if (costs[b] != cost)
		fail_msg("%s to %s: %u, not %u", from, to, costs[b], cost);
	ae_ad_sites_free(s);
}

static void
every_way(void **state)
{
	(void)state;
	expect(forest, N, "A", "A", 0);
	expect(forest, N, "a", "b", 100);
	expect(forest, N, "A", "C", 150); /* not the direct one for 400 */
	expect(forest, N, "A", "D", 157);
	expect(forest, N, "D", "A", 157);
	expect(forest, N, "A", "Lonely", NONE);
	expect(forest, N, "Lonely", "A", NONE);
}

/* NTDSTRANSPORT_OPT_BRIDGES_REQUIRED: a bridge, or one link alone. */
static void
bridges(void **state)
{
	struct row rows[N];

	(void)state;
	memcpy(rows, forest, sizeof(rows));
	rows[N - 1].more[0].v[0] = "2";
	expect(rows, N, "A", "A", 0);
	expect(rows, N, "A", "B", 100);
	expect(rows, N, "A", "C", 150); /* by the bridge */
	expect(rows, N, "C", "D", 7);
	expect(rows, N, "A", "D", NONE); /* no bridge has the mesh */
	rows[N - 2].more[0].v[1] = NULL;
	expect(rows, N, "A", "C", 400); /* the bridge is one link long */
}

/* So far that the sum does not fit is no way. */
static void
huge_costs(void **state)
{
	static const struct row rows[] = {
		SITE("A"),
		SITE("B"),
		SITE("C"),
		SITE("D"),
		LINK("ab", "2147483647", "CN=A" CONFIG, "CN=B" CONFIG),
		LINK("bc", "2147483647", "CN=B" CONFIG, "CN=C" CONFIG),
		LINK("cd", "2147483647", "CN=C" CONFIG, "CN=D" CONFIG),
	};

	(void)state;
	expect(rows, 7, "A", "C", 4294967294u);
	expect(rows, 7, "A", "D", NONE);
}

#define SUBNET(name, site)                                       \
	{                                                        \
		"CN=" name ",CN=Subnets" CONFIG, "subnet", name, \
		{                                                \
			{ "siteObject", { "CN=" site CONFIG } }, \
			{                                        \
				NULL,                            \
				{                                \
					NULL                     \
				}                                \
			}                                        \
		}                                                \
	}

static void
addresses(void **state)
{
	static const struct row rows[] = {
		SITE("A"),
		SITE("B"),
		SITE("C"),
		SUBNET("192.0.2.0/24", "A"),
		SUBNET("192.0.2.32/29", "B"),
		SUBNET("2001:db8::/33", "C"),
		SUBNET("0.0.0.0/0", "C"),
		SUBNET("10.0.0.0/33", "A"),
		SUBNET("10.0.0.0", "A"),
		SUBNET("10.0.0.0/x", "A"),
		SUBNET("10.0.0.0/8/8", "A"),
		SUBNET("words/8", "A"),
		SUBNET("10.0.0.0/-1", "A"),
		SUBNET("10.0.0.0/8", "Gone"),
	};
	static const struct {
		const char *address, *site;
	} want[] = { { "192.0.2.30", "A" }, { "192.0.2.32", "B" },
		{ "192.0.2.39", "B" }, { "192.0.2.40", "A" },
		{ "192.0.3.1", "C" }, { "10.1.2.3", "C" },
		{ "2001:db8::1", "C" }, { "2001:db8:8000::1", NULL },
		{ "::1", NULL } };
	struct ae_ad_sites *s = NULL;
	uint8_t bin[16];
	struct world w;
	size_t i, got;

	(void)state;
	make(&w, rows, sizeof(rows) / sizeof(rows[0]));
	assert_int_equal(ae_ad_sites_decode(&s, &w.l, NULL), AE_OK);
	for (i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		bool v6 = strchr(want[i].address, ':') != NULL;

		assert_int_equal(
		    inet_pton(v6 ? AF_INET6 : AF_INET, want[i].address, bin),
		    1);
		got = ae_ad_site_of_address(s, bin, v6 ? 16 : 4);
		if (want[i].site == NULL)
			assert_int_equal(got, AE_AD_SITE_NONE);
		else
			assert_string_equal(
			    ae_ad_site_name(s, got), want[i].site);
	}
	ae_ad_sites_free(s);
}

static void
nothing(void **state)
{
	struct ae_ad_sites *s = NULL;
	const struct ae_entries none = { 0 };
	uint32_t costs[1];

	(void)state;
	assert_int_equal(ae_ad_sites_decode(&s, &none, NULL), AE_OK);
	assert_int_equal(ae_ad_sites_n(s), 0);
	assert_int_equal(ae_ad_site_find(s, "A"), AE_AD_SITE_NONE);
	assert_int_equal(ae_ad_site_find(s, NULL), AE_AD_SITE_NONE);
	assert_null(ae_ad_site_name(s, 0));
	assert_int_equal(
	    ae_ad_sites_costs(costs, s, AE_AD_SITE_NONE, NULL), AE_OK);
	ae_ad_sites_free(s);
	ae_ad_sites_free(NULL);
}

static bool
decode_once(void *arg)
{
	const struct world *w = arg;
	struct ae_ad_sites *s = NULL;
	uint32_t costs[MAX];
	int rc = ae_ad_sites_decode(&s, &w->l, NULL);

	if (rc == AE_OK)
		rc = ae_ad_sites_costs(costs, s, 0, NULL);
	ae_ad_sites_free(s);
	return rc == AE_OK;
}

static void
out_of_memory(void **state)
{
	struct row rows[N];
	struct world w;

	(void)state;
	memcpy(rows, forest, sizeof(rows));
	rows[N - 1].more[0].v[0] = "2";
	make(&w, rows, N);
	assert_true(ae_torture(decode_once, &w, 200, true) > 5);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_way),
		cmocka_unit_test(bridges),
		cmocka_unit_test(huge_costs),
		cmocka_unit_test(addresses),
		cmocka_unit_test(nothing),
		cmocka_unit_test(out_of_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
