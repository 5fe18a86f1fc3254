/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Links, and the choice of GPOs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gpo_scene.h"
#include "policy/files.h"

static void
links(void **state)
{
	struct ae_err e = AE_ERR_INIT;
	struct ae_gplinks l;
	struct ae_wr w;

	(void)state;
	assert_int_equal(
	    ae_gplink_parse(
		&l, "[LDAP://cn={A},DC=x;0][ldap://CN={B}\\;c,DC=x;2]", &e),
	    AE_OK);
	assert_int_equal(l.n, 2);
	assert_string_equal(l.v[0].dn, "cn={A},DC=x");
	assert_string_equal(l.v[1].dn, "CN={B}\\;c,DC=x");
	assert_int_equal(l.v[1].options, AE_GPLINK_ENFORCED);
	ae_wr_init(&w, 1000);
	ae_gplink_put(&w, &l);
	assert_string_equal(
	    ae_wr_cstr(&w), "[LDAP://cn={A},DC=x;0][LDAP://CN={B}\\;c,DC=x;2]");
	ae_wr_done(&w);
	ae_gplinks_done(&l);
	assert_int_equal(ae_gplink_parse(&l, " ", &e), AE_OK);
	assert_int_equal(l.n, 0);
	ae_gplinks_done(&l);
}

static void
links_malformed(void **state)
{
	static const char *const rows[] = { "x", "[", "[LDAP://",
		"[LDAP://CN=a;0", "[LDAP://CN=a]", "[LDAP://;0]",
		"[LDAP://CN=a;]", "[LDAP://CN=a;x]", "[LDAP://CN=a;4294967296]",
		"[LDAP://CN=a;99999999999999999999]", "[LDAP://CN=a;0]x",
		"[LDAP://CN=a;-1]", "[HTTP://CN=a;0]" };
	struct ae_gplinks l = { 0 };
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		struct ae_err e = AE_ERR_INIT;

		if (ae_gplink_parse(&l, rows[i], &e) != AE_EPROTO)
			fail_msg("%s", rows[i]);
		assert_null(l.v);
	}
}

static void
links_too_many(void **state)
{
	struct ae_err e = AE_ERR_INIT;
	struct ae_gplinks l;
	struct ae_wr w;
	size_t i;

	(void)state;
	ae_wr_init(&w, AE_GPLINK_TEXT_MAX);
	for (i = 0; i <= AE_GPLINK_MAX; i++)
		ae_wr_str(&w, "[LDAP://CN=a;0]");
	assert_int_equal(ae_gplink_parse(&l, ae_wr_cstr(&w), &e), AE_ELIMIT);
	ae_wr_done(&w);
}

static const struct {
	struct scope s[4];
	size_t n;
	const char *want;
} order_rows[] = {
	/* OU, its parent, domain, site: the nearest is applied last. */
	{ { { AE_SOM_OU, false, "a" }, { AE_SOM_OU, false, "b" },
	      { AE_SOM_DOMAIN, false, "c" }, { AE_SOM_SITE, false, "d" } },
	    4, "dcba" },
	/* The first link of a scope wins over the second. */
	{ { { AE_SOM_OU, false, "ab" }, { AE_SOM_DOMAIN, false, "cd" } }, 2,
	    "dcba" },
	/* Enforced links come after all others, the furthest last. */
	{ { { AE_SOM_OU, false, "a!" }, { AE_SOM_DOMAIN, false, "c!d" } }, 2,
	    "dac" },
	{ { { AE_SOM_OU, false, "ab" }, { AE_SOM_OU, false, "c!" },
	      { AE_SOM_DOMAIN, false, "d!" } },
	    3, "bacd" },
	/* Blocking lets the scope's own links and enforced ones through. */
	{ { { AE_SOM_OU, true, "a" }, { AE_SOM_OU, false, "b" },
	      { AE_SOM_DOMAIN, false, "c!" }, { AE_SOM_SITE, false, "d" } },
	    4, "ac" },
	{ { { AE_SOM_OU, false, "a" }, { AE_SOM_OU, true, "b" },
	      { AE_SOM_DOMAIN, false, "cd!" } },
	    3, "bad" },
	{ { { AE_SOM_DOMAIN, true, "a" }, { AE_SOM_SITE, false, "bc!" } }, 2,
	    "ac" },
	/* Disabled links, enforced or not. */
	{ { { AE_SOM_OU, false, "a-b" }, { AE_SOM_DOMAIN, false, "c-" } }, 2,
	    "b" },
	/* One GPO linked twice counts twice. */
	{ { { AE_SOM_OU, false, "a" }, { AE_SOM_DOMAIN, false, "ba" } }, 2,
	    "aba" },
	{ { { AE_SOM_DOMAIN, false, "" } }, 1, "" },
};

static void
order(void **state)
{
	struct ae_token *t = anybody();
	char got[16];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(order_rows); i++) {
		struct ae_gpos *g =
		    scene(order_rows[i].s, order_rows[i].n, "abcd");

		assert_int_equal(ae_gpo_select(g, t, NULL), AE_OK);
		applied(g, got);
		if (strcmp(got, order_rows[i].want) != 0)
			fail_msg(
			    "row %zu: %s, not %s", i, got, order_rows[i].want);
		ae_gpos_free(g);
	}
	ae_token_free(t);
}

/* Of a user: his OU and domain, then the computer's for a loopback. */
static void
loopback(void **state)
{
	static const struct {
		struct scope s[4];
		size_t n, computers; /* from this scope on */
		const char *want;
	} rows[] = {
		/* Merge: all of the computer's list comes after the user's. */
		{ { { AE_SOM_OU, false, "a" }, { AE_SOM_DOMAIN, false, "b" },
		      { AE_SOM_OU, false, "c" },
		      { AE_SOM_DOMAIN, false, "b" } },
		    4, 2, "babc" },
		/* Even what is enforced for the user. */
		{ { { AE_SOM_DOMAIN, false, "a!b" },
		      { AE_SOM_DOMAIN, false, "c" } },
		    2, 1, "bac" },
		/* Blocking on one way up does not block on the other. */
		{ { { AE_SOM_OU, true, "a" }, { AE_SOM_DOMAIN, false, "b" },
		      { AE_SOM_OU, false, "c" },
		      { AE_SOM_DOMAIN, false, "d" } },
		    4, 2, "adc" },
		{ { { AE_SOM_OU, false, "a" }, { AE_SOM_DOMAIN, false, "b" },
		      { AE_SOM_OU, true, "c" }, { AE_SOM_DOMAIN, false, "d" } },
		    4, 2, "bac" },
		/* Replace: there are the computer's alone. */
		{ { { AE_SOM_OU, false, "c" }, { AE_SOM_DOMAIN, false, "d" } },
		    2, 0, "dc" },
	};
	struct ae_token *t = anybody();
	char got[16];
	size_t i, j;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		struct ae_gpos *g = scene(rows[i].s, rows[i].n, "abcd");

		g->user = true;
		for (j = rows[i].computers; j < g->nsoms; j++)
			g->soms[j].loopback = true;
		assert_int_equal(ae_gpo_select(g, t, NULL), AE_OK);
		applied(g, got);
		if (strcmp(got, rows[i].want) != 0)
			fail_msg("row %zu: %s, not %s", i, got, rows[i].want);
		ae_gpos_free(g);
	}
	ae_token_free(t);
}

static enum ae_gpo_verdict
verdict(struct ae_gpos *g, const struct ae_token *t)
{
	enum ae_gpo_verdict v;

	assert_int_equal(ae_gpo_select(g, t, NULL), AE_OK);
	assert_int_equal(g->nchoices, 1);
	v = g->choices[0].verdict;
	ae_gpos_free(g);
	return v;
}

static void
filtering(void **state)
{
	static const struct scope dom = { AE_SOM_DOMAIN, false, "a" };
	static const struct scope off = { AE_SOM_DOMAIN, false, "a-" };
	struct ae_token *t = anybody();
	const struct ae_sid user = { 5, 5, { 21, 1, 2, 3, 1104 } };
	struct ae_gpos *g;

	(void)state;
	assert_int_equal(verdict(scene(&dom, 1, "a"), t), AE_GPO_APPLIES);
	assert_int_equal(verdict(scene(&off, 1, "a"), t), AE_GPO_LINK_DISABLED);
	assert_int_equal(verdict(scene(&dom, 1, ""), t), AE_GPO_UNREADABLE);
	g = scene(&dom, 1, "a");
	g->gpos[0]->functionality = 1;
	assert_int_equal(verdict(g, t), AE_GPO_FUNCTIONALITY);
	g = scene(&dom, 1, "a");
	g->gpos[0]->flags = 2;
	assert_int_equal(verdict(g, t), AE_GPO_HALF_DISABLED);
	g = scene(&dom, 1, "a");
	g->gpos[0]->flags = 1;
	assert_int_equal(verdict(g, t), AE_GPO_APPLIES);
	g = scene(&dom, 1, "a");
	g->gpos[0]->flags = 1;
	g->user = true;
	assert_int_equal(verdict(g, t), AE_GPO_HALF_DISABLED);
	g = scene(&dom, 1, "a");
	ae_sd_free(g->gpos[0]->sd);
	g->gpos[0]->sd = open_sd(AE_ACCESS_READ, false);
	assert_int_equal(verdict(g, t), AE_GPO_NO_APPLY);
	g = scene(&dom, 1, "a");
	ae_sd_free(g->gpos[0]->sd);
	g->gpos[0]->sd = open_sd(AE_ACCESS_LIST, true);
	assert_int_equal(verdict(g, t), AE_GPO_NO_READ);
	/* A directory that leaves the descriptor out opens nothing. */
	g = scene(&dom, 1, "a");
	ae_sd_free(g->gpos[0]->sd);
	g->gpos[0]->sd = NULL;
	assert_int_equal(verdict(g, t), AE_GPO_NO_READ);
	g = scene(&dom, 1, "a");
	assert_int_equal(ae_sd_deny(g->gpos[0]->sd, 0, AE_ACCESS_CONTROL,
			     &ae_right_apply_group_policy, &user, NULL),
	    AE_OK);
	ae_sd_canonicalize(g->gpos[0]->sd);
	assert_int_equal(verdict(g, t), AE_GPO_NO_APPLY);
	g = scene(&dom, 1, "a");
	free(g->gpos[0]->computer_extensions);
	g->gpos[0]->computer_extensions = NULL;
	assert_int_equal(verdict(g, t), AE_GPO_NO_REGISTRY);
	g = scene(&dom, 1, "");
	g->refused = calloc(1, sizeof(*g->refused));
	g->refused[0].dn = letter_dn('a');
	g->refused[0].why = strdup("why");
	g->nrefused = 1;
	assert_int_equal(verdict(g, t), AE_GPO_MALFORMED);
	ae_token_free(t);
}

static void
verdicts_have_words(void **state)
{
	int v;

	(void)state;
	for (v = AE_GPO_APPLIES; v <= AE_GPO_FILE_BAD; v++) {
		assert_true(
		    strlen(ae_gpo_verdict_text((enum ae_gpo_verdict)v)) > 5);
		assert_string_not_equal(
		    ae_gpo_verdict_name((enum ae_gpo_verdict)v), "unknown");
	}
}

#define V(s)                                        \
	{                                           \
		(const uint8_t *)(s), sizeof(s) - 1 \
	}
#define ATTR(name, ...)                                                \
	{                                                              \
		name, (const struct ae_value[]){ __VA_ARGS__ },        \
		    sizeof((const struct ae_value[]){ __VA_ARGS__ }) / \
		    sizeof(struct ae_value)                            \
	}

static void
decode(void **state)
{
	const struct ae_attr attrs[] = {
		ATTR("cn", V("{31B2F340-016D-11D2-945F-00C04FB984F9}")),
		ATTR("displayName", V("Default Domain Policy")),
		ATTR("versionNumber", V("65539")), ATTR("flags", V("0")),
		ATTR("gPCFunctionalityVersion", V("2")),
		ATTR("gPCWQLFilter", V("[x;{y};0]"))
	};
	const struct ae_attr nonsense[] = { ATTR("cn", V("Policy")) };
	struct ae_entry entry = { "CN=g", attrs, COUNT(attrs) };
	struct ae_err e = AE_ERR_INIT;
	struct ae_gpo *g = NULL;

	(void)state;
	assert_int_equal(ae_gpo_decode(&g, &entry, &e), AE_OK);
	assert_string_equal(g->name, "Default Domain Policy");
	assert_int_equal(g->id.d1, 0x31b2f340);
	assert_int_equal(g->version, 0x10003);
	assert_string_equal(g->wmi_filter, "[x;{y};0]");
	assert_null(g->path);
	assert_null(g->sd);
	ae_gpo_free(g);
	entry.attrs = nonsense;
	entry.n = 1;
	assert_int_equal(ae_gpo_decode(&g, &entry, &e), AE_EPROTO);
	entry.n = 0;
	assert_int_equal(ae_gpo_decode(&g, &entry, &e), AE_EDENIED);
}

static void
gpt_ini(void **state)
{
	static const struct {
		const char *text;
		bool ok;
		uint32_t version;
	} rows[] = {
		{ "[General]\r\nVersion=65537\r\n", true, 65537 },
		{ "[general]\nversion = 7 \n", true, 7 },
		{ "\n\n[General]\nDisplayName=Version=3\nVersion=4", true, 4 },
		{ "[Other]\nVersion=1\n[General]\nVersion=2\n", true, 2 },
		{ "[General]\nVersionX=1\n", false, 0 },
		{ "Version=1\n", false, 0 },
		{ "[General]\nVersion=\n", true, 0 },
		{ "[General]\nVersion=1x\n", false, 0 },
		{ "[General]\nVersion=4294967296\n", false, 0 },
		{ "[General]\nVersion=99999999999999999999999999\n", false, 0 },
		{ "", false, 0 },
	};
	uint32_t v;
	struct ae_wr w;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		v = 0;
		if (ae_gpt_ini_version(
			&v, rows[i].text, strlen(rows[i].text)) != rows[i].ok ||
		    v != rows[i].version)
			fail_msg("row %zu: %u", i, v);
	}
	ae_wr_init(&w, 100);
	ae_gpt_ini_put(&w, 65537, "x");
	assert_true(ae_gpt_ini_version(&v, w.p, w.len));
	assert_int_equal(v, 65537);
	ae_wr_done(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(links),
		cmocka_unit_test(links_malformed),
		cmocka_unit_test(links_too_many),
		cmocka_unit_test(order),
		cmocka_unit_test(loopback),
		cmocka_unit_test(filtering),
		cmocka_unit_test(verdicts_have_words),
		cmocka_unit_test(decode),
		cmocka_unit_test(gpt_ini),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
