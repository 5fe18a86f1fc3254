/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Links, the choice of GPOs, their files and the settings that follow.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hexfile.h"
#include "mutate.h"
#include "policy/settings.h"
#include "torture.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define AE_KEY "Software\\Policies\\Microsoft\\Cryptography\\AutoEnrollment"
#define PS_KEY "Software\\Policies\\Microsoft\\Cryptography\\PolicyServers"

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

/*
 * A scene: scopes of one letter each with their links, GPOs that may be
 * applied by everybody.  A link is the GPO's letter, then '!' for enforced,
 * '-' for disabled.
 */
struct scope {
	enum ae_som_kind kind;
	bool blocks;
	const char *links;
};

static char *
letter_dn(char c)
{
	char *dn;

	assert_true(asprintf(&dn, "CN={%c},CN=Policies", c) > 0);
	return dn;
}

static struct ae_sd *
open_sd(uint32_t rights, bool apply)
{
	const struct ae_sid everyone = { 1, 1, { 0 } };
	struct ae_err e = AE_ERR_INIT;
	struct ae_sd *sd = ae_sd_new();

	assert_int_equal(
	    ae_sd_allow(sd, 0, rights, NULL, &everyone, &e), AE_OK);
	if (apply)
		assert_int_equal(
		    ae_sd_allow(sd, 0, AE_ACCESS_CONTROL,
			&ae_right_apply_group_policy, &everyone, &e),
		    AE_OK);
	return sd;
}

static struct ae_gpos *
scene(const struct scope *scopes, size_t n, const char *letters)
{
	struct ae_gpos *g = calloc(1, sizeof(*g));
	struct ae_wr w;
	char *dn;
	const char *p;
	size_t i;

	g->soms = calloc(n + 1, sizeof(*g->soms));
	for (i = 0; i < n; i++) {
		struct ae_som *s = &g->soms[g->nsoms++];

		s->kind = scopes[i].kind;
		s->blocks = scopes[i].blocks;
		assert_true(asprintf(&s->dn, "scope %zu", i) > 0);
		ae_wr_init(&w, 10000);
		for (p = scopes[i].links; *p != '\0'; p++) {
			if (*p == '!' || *p == '-')
				continue;
			dn = letter_dn(*p);
			ae_wr_printf(&w, "[LDAP://%s;%d]", dn,
			    p[1] == '!'	      ? 2
				: p[1] == '-' ? 1
					      : 0);
			free(dn);
		}
		assert_int_equal(
		    ae_gplink_parse(&s->links, ae_wr_cstr(&w), NULL), AE_OK);
		ae_wr_done(&w);
	}
	g->gpos = calloc(strlen(letters) + 1, sizeof(*g->gpos));
	for (p = letters; *p != '\0'; p++) {
		struct ae_gpo *o = calloc(1, sizeof(*o));

		o->dn = letter_dn(*p);
		assert_true(asprintf(&o->name, "%c", *p) > 0);
		o->id.d1 = (uint32_t)*p;
		assert_true(asprintf(&o->path,
				"\\\\dom.test\\SysVol\\dom.test\\Policies\\"
				"{000000%02x-0000-0000-0000-000000000000}",
				(unsigned int)*p) > 0);
		o->version = 0x00010001;
		o->functionality = 2;
		o->computer_extensions = strdup(
		    "[{other}{x}][" AE_GPO_CSE_REGISTRY AE_GPO_TOOL_COMPUTER
		    "]");
		o->user_extensions =
		    strdup("[" AE_GPO_CSE_REGISTRY AE_GPO_TOOL_USER "]");
		o->sd = open_sd(AE_ACCESS_READ, true);
		g->gpos[g->ngpos++] = o;
	}
	return g;
}

static struct ae_token *
anybody(void)
{
	const struct ae_sid user = { 5, 5, { 21, 1, 2, 3, 1104 } };
	struct ae_token *t = NULL;

	assert_int_equal(ae_token_new(&t, &user, NULL, 0, 0, NULL), AE_OK);
	return t;
}

/* The letters that apply, in order. */
static void
applied(const struct ae_gpos *g, char *out)
{
	size_t i;

	for (i = 0; i < g->nchoices; i++)
		if (g->choices[i].verdict == AE_GPO_APPLIES)
			*out++ = g->choices[i].gpo->name[0];
	*out = '\0';
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

/* A Registry.pol of one AEPolicy, or other text values. */
static uint8_t *
pol(uint32_t value, size_t *len)
{
	const uint8_t b[4] = { (uint8_t)value, (uint8_t)(value >> 8), 0, 0 };
	const struct ae_pol_instruction v[] = {
		{ AE_KEY, "AEPolicy", AE_REG_DWORD, b, 4 },
		{ AE_KEY, "OfflineExpirationPercent", AE_REG_DWORD,
		    (const uint8_t *)"\x14\0\0\0", 4 },
		{ AE_KEY, "OfflineExpirationStoreNames", AE_REG_SZ,
		    (const uint8_t *)"M\0Y\0;\0W\0\0\0", 10 },
		{ PS_KEY "\\abc", "URL", AE_REG_SZ,
		    (const uint8_t *)"L\0D\0A\0P\0:\0\0\0", 12 },
		{ PS_KEY "\\abc", "Cost", AE_REG_DWORD,
		    (const uint8_t *)"\x07\0\0\0", 4 },
		{ PS_KEY, "Flags", AE_REG_DWORD, (const uint8_t *)"\0\0\0\0",
		    4 },
	};
	struct ae_wr w;

	ae_wr_init(&w, AE_POL_FILE_MAX);
	assert_int_equal(ae_pol_encode(&w, v, COUNT(v), NULL), AE_OK);
	return ae_wr_take(&w, len);
}

/* Answer a request: every GPO has version 1 and this AEPolicy. */
static void
answer(struct ae_sysvol_reply *r, const struct ae_sysvol_request *q,
    const uint32_t *values)
{
	size_t i;

	r->n = q->n;
	r->files = calloc(q->n + 1, sizeof(*r->files));
	for (i = 0; i + 1 < q->n; i += 2) {
		r->files[i].data =
		    (uint8_t *)strdup("[General]\r\nVersion=65537\r\n");
		r->files[i].len = strlen((char *)r->files[i].data);
		r->files[i + 1].data = pol(values[i / 2], &r->files[i + 1].len);
	}
}

static const struct scope two[] = { { AE_SOM_OU, false, "a" },
	{ AE_SOM_DOMAIN, false, "b" } };

static void
settings_from_files(void **state)
{
	static const uint32_t values[] = { 1, 7 }; /* b, then a */
	struct ae_policy_cache c = { 0 };
	struct ae_sysvol_request q = { 0 };
	struct ae_sysvol_reply r = { 0 };
	struct ae_settings *s = NULL, *again = NULL;
	struct ae_gpos *g = scene(two, 2, "ab");
	struct ae_token *t = anybody();
	struct ae_err e = AE_ERR_INIT;
	struct ae_wr w;
	struct ae_rd rd;
	char text[100];
	size_t *of = NULL;

	(void)state;
	assert_int_equal(ae_gpo_select(g, t, &e), AE_OK);
	assert_int_equal(
	    ae_policy_request(&q, &of, g, &c, "dc1.dom.test", "DOM.test", &e),
	    AE_OK);
	assert_int_equal(q.n, 4);
	assert_string_equal(q.server, "dc1.dom.test");
	assert_string_equal(
	    q.files[0].path, "{00000062-0000-0000-0000-000000000000}\\GPT.INI");
	assert_string_equal(q.files[3].path,
	    "{00000061-0000-0000-0000-000000000000}\\Machine\\Registry.pol");
	answer(&r, &q, values);
	assert_int_equal(ae_policy_take(&c, g, of, &r, &e), AE_OK);
	ae_sysvol_request_done(&q);
	ae_sysvol_reply_done(&r);
	free(of);

	/* Nothing is read again while the versions stand. */
	assert_int_equal(
	    ae_policy_request(&q, &of, g, &c, "dc1.dom.test", "dom.test", &e),
	    AE_OK);
	assert_int_equal(q.n, 0);
	ae_sysvol_request_done(&q);
	free(of);

	assert_int_equal(ae_settings_build(&s, g, &c, &e), AE_OK);
	ae_wr_init(&w, AE_SETTINGS_ENCODED_MAX);
	ae_settings_put(&w, s);
	ae_rd_init(&rd, w.p, w.len);
	assert_int_equal(ae_settings_get(&again, &rd, &e), AE_OK);
	assert_true(ae_rd_done(&rd));
	assert_int_equal(again->ae_policy, 7);
	assert_int_equal(again->ae_policy_from.source, AE_SETTING_GPO);
	assert_string_equal(again->gpos[again->ae_policy_from.gpo].name, "a");
	assert_int_equal(again->expiry_percent, 20);
	assert_int_equal(again->expiry_stores.n, 2);
	assert_string_equal(again->expiry_stores.v[1], "W");
	assert_int_equal(again->log_level, 3);
	assert_int_equal(again->log_level_from.source, AE_SETTING_DEFAULT);
	assert_int_equal(again->pending_days, 60);
	assert_int_equal(again->pending_days_from.source, AE_SETTING_DEFAULT);
	assert_int_equal(again->nservers, 1);
	assert_string_equal(again->servers[0].key, "abc");
	assert_string_equal(again->servers[0].url, "LDAP:");
	assert_int_equal(again->servers[0].cost, 7);
	assert_true(ae_settings_may(again, AE_POLICY_ENROLL));
	assert_string_equal(ae_settings_text(again, text, sizeof(text)),
	    "enroll, renew and clean up, fetch pending");
	ae_settings_free(s);
	ae_settings_free(again);
	ae_wr_done(&w);
	ae_policy_cache_done(&c);
	ae_gpos_free(g);
	ae_token_free(t);
}

/* One GPO "a", its cached file, and the settings of that. */
static struct ae_settings *
with_file(uint32_t version, uint32_t file_version, const void *p, size_t len,
    bool present, const struct ae_local_policy *local)
{
	struct ae_policy_cached one = { .id = { .d1 = 'a' },
		.version = version,
		.file_version = file_version,
		.present = present,
		.len = len };
	struct ae_policy_cache c = { &one, 1 };
	struct ae_gpos *g = scene(two, 1, "a");
	struct ae_token *t = anybody();
	struct ae_settings *s = NULL;
	struct ae_err e = AE_ERR_INIT;

	one.data = malloc(len + 1);
	if (len != 0)
		memcpy(one.data, p, len);
	g->gpos[0]->version = version;
	assert_int_equal(ae_gpo_select(g, t, &e), AE_OK);
	if (ae_settings_build(&s, g, &c, &e) != AE_OK ||
	    (local != NULL &&
		ae_settings_override(s, local, AE_SETTING_LOCAL, &e) != AE_OK))
		fail_msg("%s", e.text);
	free(one.data);
	ae_gpos_free(g);
	ae_token_free(t);
	return s;
}

static void
files_passed_over(void **state)
{
	struct ae_settings *s;
	uint8_t *p;
	size_t len;

	(void)state;
	p = pol(7, &len);
	s = with_file(0, 0, p, len, true, NULL);
	assert_int_equal(s->gpos[0].verdict, AE_GPO_EMPTY);
	assert_int_equal(s->ae_policy, 0);
	ae_settings_free(s);
	s = with_file(0x10000, 0x10000, p, len, true, NULL); /* user half */
	assert_int_equal(s->gpos[0].verdict, AE_GPO_EMPTY);
	ae_settings_free(s);
	s = with_file(0, 1, p, len, true, NULL); /* SYSVOL is ahead */
	assert_int_equal(s->gpos[0].verdict, AE_GPO_APPLIES);
	assert_int_equal(s->ae_policy, 7);
	ae_settings_free(s);
	s = with_file(1, 1, NULL, 0, false, NULL);
	assert_int_equal(s->gpos[0].verdict, AE_GPO_FILE_MISSING);
	ae_settings_free(s);
	s = with_file(1, 1, p, len - 1, true, NULL);
	assert_int_equal(s->gpos[0].verdict, AE_GPO_FILE_BAD);
	assert_non_null(s->gpos[0].detail);
	assert_int_equal(s->ae_policy, 0);
	assert_int_equal(s->ae_policy_from.source, AE_SETTING_DEFAULT);
	ae_settings_free(s);
	s = with_file(1, 1, "", 0, true, NULL);
	assert_int_equal(s->gpos[0].verdict, AE_GPO_FILE_BAD);
	ae_settings_free(s);
	free(p);
}

static void
local_layer(void **state)
{
	static const char text[] = "[computer]\nae-policy = 0x8000\n"
				   "log-level = 5\nstore = A\nstore = B\n"
				   "max-pending-days = 7\n"
				   "[user]\nae-policy = 1\n";
	struct ae_local_policy l;
	struct ae_err e = AE_ERR_INIT;
	struct ae_settings *s;
	char words[64];
	uint8_t *p;
	size_t len;

	(void)state;
	assert_int_equal(ae_local_policy_parse(
			     &l, "policy.conf", text, sizeof(text) - 1, &e),
	    AE_OK);
	assert_int_equal(l.user.ae_policy, 1);
	assert_int_equal(l.user.log_level, AE_LOCAL_UNSET);
	p = pol(7, &len);
	s = with_file(1, 1, p, len, true, &l);
	assert_int_equal(s->ae_policy, 0x8000);
	assert_int_equal(s->ae_policy_from.source, AE_SETTING_LOCAL);
	assert_false(ae_settings_may(s, AE_POLICY_ENROLL));
	assert_string_equal(
	    ae_settings_text(s, words, sizeof(words)), "disabled");
	assert_int_equal(s->log_level, 5);
	assert_int_equal(s->pending_days, 7);
	assert_int_equal(s->pending_days_from.source, AE_SETTING_LOCAL);
	assert_int_equal(s->expiry_percent, 20); /* not overridden */
	assert_int_equal(s->expiry_percent_from.source, AE_SETTING_GPO);
	assert_int_equal(s->expiry_stores.n, 2);
	assert_int_equal(s->expiry_stores_from.source, AE_SETTING_LOCAL);
	ae_settings_free(s);
	ae_local_policy_done(&l);
	free(p);
}

static void
local_refused(void **state)
{
	static const char *const rows[] = { "[computer]\nae-policy = 0x10000\n",
		"[computer]\nlog-level = 6\n", "[computer]\nAEPolicy = 7\n",
		"[computer]\nexpiry-percent = 101\n", "ae-policy = 7\n",
		"[machine]\nae-policy = 7\n" };
	struct ae_local_policy l;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		struct ae_err e = AE_ERR_INIT;

		if (ae_local_policy_parse(
			&l, "p", rows[i], strlen(rows[i]), &e) == AE_OK)
			fail_msg("%s", rows[i]);
		assert_int_equal(strncmp(e.text, "p:", 2), 0);
	}
	assert_int_equal(
	    ae_local_policy_read(&l, "/nonexistent/policy.conf", NULL), AE_OK);
	assert_int_equal(l.computer.ae_policy, AE_LOCAL_UNSET);
	ae_local_policy_done(&l);
}

/* What the article's table says of each value. */
static void
aepolicy_values(void **state)
{
	static const struct {
		uint32_t value;
		const char *text;
		bool enroll, manage, pending;
	} rows[] = {
		{ 0, "nothing", false, false, false },
		{ 1, "enroll", true, false, false },
		{ 6, "renew and clean up, fetch pending", false, true, true },
		{ 7, "enroll, renew and clean up, fetch pending", true, true,
		    true },
		{ 0x8000, "disabled", false, false, false },
		{ 0x8007, "disabled", false, false, false },
	};
	struct ae_settings s = { 0 };
	char text[64];
	size_t i;

	(void)state;
	assert_string_equal(
	    ae_settings_text(&s, text, sizeof(text)), "not configured");
	s.ae_policy_from.source = AE_SETTING_GPO;
	for (i = 0; i < COUNT(rows); i++) {
		s.ae_policy = rows[i].value;
		assert_string_equal(
		    ae_settings_text(&s, text, sizeof(text)), rows[i].text);
		assert_int_equal(
		    ae_settings_may(&s, AE_POLICY_ENROLL), rows[i].enroll);
		assert_int_equal(
		    ae_settings_may(&s, AE_POLICY_MANAGE), rows[i].manage);
		assert_int_equal(
		    ae_settings_may(&s, AE_POLICY_PENDING), rows[i].pending);
	}
}

static void
path_elsewhere(void **state)
{
	static const char *const paths[] = {
		"\\\\evil.test\\share\\dom.test\\Policies\\"
		"{00000061-0000-0000-0000-000000000000}",
		"\\\\dom.test\\sysvol\\other.test\\Policies\\"
		"{00000061-0000-0000-0000-000000000000}",
		"\\\\dom.test\\sysvol\\dom.test\\Policies\\"
		"{00000062-0000-0000-0000-000000000000}",
		"\\\\dom.test\\sysvol\\dom.test\\Policies\\"
		"{00000061-0000-0000-0000-000000000000}\\..\\x",
		"C:\\x", "", NULL
	};
	struct ae_policy_cache c = { 0 };
	struct ae_sysvol_request q;
	struct ae_token *t = anybody();
	struct ae_gpos *g;
	size_t i, *of;

	(void)state;
	for (i = 0; i < COUNT(paths); i++) {
		g = scene(two, 1, "a");
		free(g->gpos[0]->path);
		g->gpos[0]->path = paths[i] != NULL ? strdup(paths[i]) : NULL;
		assert_int_equal(ae_gpo_select(g, t, NULL), AE_OK);
		assert_int_equal(ae_policy_request(&q, &of, g, &c,
				     "dc.dom.test", "dom.test", NULL),
		    AE_OK);
		assert_int_equal(q.n, 0);
		assert_int_equal(g->choices[0].verdict, AE_GPO_MALFORMED);
		ae_sysvol_request_done(&q);
		free(of);
		ae_gpos_free(g);
	}
	ae_token_free(t);
}

/* A file that cannot be read fails the whole, never loosens it. */
static void
unreadable_sysvol(void **state)
{
	static const struct {
		uint32_t status;
		int rc;
	} rows[] = {
		{ AE_SYSVOL_DENIED, AE_EDENIED },
		{ AE_SYSVOL_UNAVAILABLE, AE_EUNAVAIL },
		{ AE_SYSVOL_TOO_LARGE, AE_ELIMIT },
		{ AE_SYSVOL_REFUSED, AE_EINTERNAL },
		{ AE_SYSVOL_FAILED, AE_EIO },
		{ 99, AE_EPROTO },
	};
	const size_t of[] = { 0 };
	struct ae_token *t = anybody();
	struct ae_gpos *g = scene(two, 1, "a");
	size_t i, j;

	(void)state;
	assert_int_equal(ae_gpo_select(g, t, NULL), AE_OK);
	for (i = 0; i < COUNT(rows); i++)
		for (j = 0; j < 2; j++) {
			struct ae_sysvol_file f[2] = { 0 };
			struct ae_sysvol_reply r = { f, 2 };
			struct ae_policy_cache c = { 0 };
			struct ae_err e = AE_ERR_INIT;

			f[j].status = rows[i].status;
			f[j].error = 13;
			assert_int_equal(
			    ae_policy_take(&c, g, of, &r, &e), rows[i].rc);
			assert_int_equal(strncmp(e.text, "SYSVOL: ", 8), 0);
			assert_int_equal(c.n, 0);
		}
	ae_gpos_free(g);
	ae_token_free(t);
}

static void
cache_round_trip(void **state)
{
	struct ae_policy_cached v[2] = {
		{ .id = { .d1 = 'a' },
		    .version = 3,
		    .file_version = 4,
		    .present = true,
		    .data = (uint8_t *)(uintptr_t) "xyz",
		    .len = 3 },
		{ .id = { .d1 = 'z' }, .user = true },
	};
	struct ae_policy_cache c = { v, 2 }, again;
	struct ae_gpos *g = scene(two, 1, "a");
	const struct ae_policy_cached *f;
	struct ae_guid id = { .d1 = 'a' };
	struct ae_err e = AE_ERR_INIT;
	struct ae_wr w;
	struct ae_rd r;
	size_t i;

	(void)state;
	ae_wr_init(&w, 1000);
	ae_policy_cache_put(&w, &c);
	for (i = 0; i < w.len; i++) {
		ae_rd_init(&r, w.p, i);
		assert_int_equal(
		    ae_policy_cache_get(&again, &r, &e), AE_EPROTO);
	}
	ae_rd_init(&r, w.p, w.len);
	assert_int_equal(ae_policy_cache_get(&again, &r, &e), AE_OK);
	f = ae_policy_cache_find(&again, &id, false);
	assert_non_null(f);
	assert_int_equal(f->file_version, 4);
	assert_memory_equal(f->data, "xyz", 3);
	assert_null(ae_policy_cache_find(&again, &id, true));
	ae_policy_cache_keep(&again, g); /* z is a user's: not its business */
	assert_int_equal(again.n, 2);
	g->user = true;
	ae_policy_cache_keep(&again, g);
	assert_int_equal(again.n, 1);
	ae_policy_cache_done(&again);
	ae_gpos_free(g);
	ae_wr_done(&w);
}

/* The user's own file is the weaker of the two local layers. */
static void
own_layer(void **state)
{
	struct ae_local_policy own, machine;
	struct ae_err e = AE_ERR_INIT;
	struct ae_settings s = { .user = true, .log_level = 3 };

	(void)state;
	ae_local_policy_init(&own);
	ae_local_policy_init(&machine);
	own.user.ae_policy = 1;
	own.user.expiry_percent = 30;
	own.computer.log_level = 5; /* not a user's to say */
	machine.user.ae_policy = 0x8000;
	machine.computer.expiry_percent = 40;
	assert_int_equal(
	    ae_settings_override(&s, &own, AE_SETTING_OWN, &e), AE_OK);
	assert_int_equal(s.ae_policy, 1);
	assert_int_equal(s.ae_policy_from.source, AE_SETTING_OWN);
	assert_int_equal(
	    ae_settings_override(&s, &machine, AE_SETTING_LOCAL, &e), AE_OK);
	assert_int_equal(s.ae_policy, 0x8000);
	assert_int_equal(s.ae_policy_from.source, AE_SETTING_LOCAL);
	assert_int_equal(s.expiry_percent, 30);
	assert_int_equal(s.expiry_percent_from.source, AE_SETTING_OWN);
	assert_int_equal(s.log_level, 3);
}

static void
mutated_last(const uint8_t *p, size_t len, void *arg)
{
	struct ae_policy_last l;
	struct ae_rd r;

	(void)arg;
	ae_rd_init(&r, p, len);
	if (ae_policy_last_get(&l, &r, NULL) == AE_OK) {
		assert_non_null(l.settings);
		ae_policy_last_done(&l);
	}
}

static bool
last_work(void *arg)
{
	const struct ae_wr *w = arg;
	struct ae_policy_last l;
	struct ae_rd r;

	ae_rd_init(&r, w->p, w->len);
	if (ae_policy_last_get(&l, &r, NULL) != AE_OK)
		return false;
	ae_policy_last_done(&l);
	return true;
}

static void
last_good(void **state)
{
	char dc[] = "dc1.dom.test", who[] = "PC1$@DOM.TEST";
	struct ae_policy_last l = { 1795000000, dc, who, NULL }, again;
	struct ae_err e = AE_ERR_INIT;
	struct ae_rd r;
	struct ae_wr w;
	uint8_t *p;
	size_t len;

	(void)state;
	p = pol(6, &len);
	l.settings = with_file(1, 1, p, len, true, NULL);
	l.settings->loopback = AE_LOOPBACK_MERGE;
	ae_wr_init(&w, AE_SETTINGS_ENCODED_MAX);
	ae_policy_last_put(&w, &l);
	ae_rd_init(&r, w.p, w.len);
	assert_int_equal(ae_policy_last_get(&again, &r, &e), AE_OK);
	assert_int_equal(again.read_at, 1795000000);
	assert_string_equal(again.dc, dc);
	assert_string_equal(again.principal, who);
	assert_int_equal(again.settings->ae_policy, 6);
	assert_int_equal(again.settings->loopback, AE_LOOPBACK_MERGE);
	ae_policy_last_done(&again);
	/* Nothing behind it, nothing else in front. */
	ae_wr_u8(&w, 0);
	ae_rd_init(&r, w.p, w.len);
	assert_int_equal(ae_policy_last_get(&again, &r, &e), AE_EPROTO);
	w.len--;
	assert_true(ae_mutate(w.p, w.len, mutated_last, NULL) > w.len);
	assert_true(ae_torture(last_work, &w, 100, true) > 5);
	ae_wr_done(&w);
	ae_settings_free(l.settings);
	free(p);
}

static void
mutated_settings(const uint8_t *p, size_t len, void *arg)
{
	struct ae_settings *s;
	struct ae_rd r;

	(void)arg;
	ae_rd_init(&r, p, len);
	if (ae_settings_get(&s, &r, NULL) == AE_OK) {
		assert_true(s->ae_policy_from.source != AE_SETTING_GPO ||
		    s->ae_policy_from.gpo < s->ngpos);
		ae_settings_free(s);
	}
}

static void
settings_mutations(void **state)
{
	struct ae_settings *s;
	struct ae_wr w;
	uint8_t *p;
	size_t len;

	(void)state;
	p = pol(7, &len);
	s = with_file(1, 1, p, len, true, NULL);
	ae_wr_init(&w, AE_SETTINGS_ENCODED_MAX);
	ae_settings_put(&w, s);
	assert_true(ae_mutate(w.p, w.len, mutated_settings, NULL) > w.len);
	ae_wr_done(&w);
	ae_settings_free(s);
	free(p);
}

static bool
select_work(void *arg)
{
	struct ae_gpos *g = arg;
	struct ae_token *t = NULL;
	bool ok;
	size_t i;

	for (i = 0; i < g->nchoices; i++)
		free(g->choices[i].detail);
	free(g->choices);
	g->choices = NULL;
	g->nchoices = 0;
	if (ae_token_new(&t, NULL, NULL, 0, 0, NULL) != AE_OK)
		return false;
	ok = ae_gpo_select(g, t, NULL) == AE_OK;
	ae_token_free(t);
	return ok;
}

static void
torture(void **state)
{
	struct ae_gpos *g = scene(two, 2, "ab");

	(void)state;
	assert_true(ae_torture(select_work, g, 50, true) >= 5);
	ae_gpos_free(g);
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
		cmocka_unit_test(settings_from_files),
		cmocka_unit_test(files_passed_over),
		cmocka_unit_test(local_layer),
		cmocka_unit_test(local_refused),
		cmocka_unit_test(own_layer),
		cmocka_unit_test(last_good),
		cmocka_unit_test(aepolicy_values),
		cmocka_unit_test(path_elsewhere),
		cmocka_unit_test(unreadable_sysvol),
		cmocka_unit_test(cache_round_trip),
		cmocka_unit_test(settings_mutations),
		cmocka_unit_test(torture),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
