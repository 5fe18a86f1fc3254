/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The files of the GPOs that were chosen, and the settings that follow.
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
#include "mutate.h"
#include "policy/settings.h"
#include "torture.h"

#define AE_KEY "Software\\Policies\\Microsoft\\Cryptography\\AutoEnrollment"
#define PS_KEY "Software\\Policies\\Microsoft\\Cryptography\\PolicyServers"

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
