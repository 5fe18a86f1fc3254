/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Editing policy.conf, and the list of policy servers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "policy/settings.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct {
	const char *text, *section, *key, *values[3], *want;
} edits[] = {
	/* Nothing there yet. */
	{ "", "computer", "ae-policy", { "7" }, "[computer]\nae-policy = 7\n" },
	{ "", "computer", "ae-policy", { NULL }, "" },
	{ "# mine\n", "user", "ae-policy", { "7" },
	    "# mine\n\n[user]\nae-policy = 7\n" },
	/* The same key of the other section stays. */
	{ "[computer]\nae-policy = 1\n[user]\nae-policy = 2\n", "user",
	    "ae-policy", { "7" },
	    "[computer]\nae-policy = 1\n[user]\nae-policy = 7\n" },
	/* Comments stay where they are, a commented key is none. */
	{ "[computer]\n# ae-policy = 1\n ae-policy=0x8000 \n; why\n",
	    "computer", "ae-policy", { "0x7" },
	    "[computer]\n# ae-policy = 1\nae-policy = 0x7\n; why\n" },
	/* A new key stands behind its section's last line. */
	{ "[computer]\nlog-level = 4\n\n[user]\n", "computer", "ae-policy",
	    { "7" }, "[computer]\nlog-level = 4\nae-policy = 7\n\n[user]\n" },
	{ "[computer]\nlog-level = 4", "computer", "ae-policy", { "7" },
	    "[computer]\nlog-level = 4\nae-policy = 7\n" },
	/* One key is not the beginning of another. */
	{ "[computer]\nstored = 1\n", "computer", "store", { "A" },
	    "[computer]\nstored = 1\nstore = A\n" },
	/* Lists: all old lines go, the new ones stand where the first did. */
	{ "[computer]\nstore = A\nlog-level = 1\nstore = B\n", "computer",
	    "store", { "X", "Y" },
	    "[computer]\nstore = X\nstore = Y\nlog-level = 1\n" },
	/* Taken out. */
	{ "[computer]\nae-policy = 7\n# end\n", "computer", "ae-policy",
	    { NULL }, "[computer]\n# end\n" },
	{ "[user]\nae-policy = 7", "user", "ae-policy", { NULL }, "[user]\n" },
};

static void
edited(void **state)
{
	size_t i, n;

	(void)state;
	for (i = 0; i < COUNT(edits); i++) {
		struct ae_wr w;

		for (n = 0; edits[i].values[n] != NULL; n++)
			;
		ae_wr_init(&w, AE_LOCAL_FILE_MAX);
		ae_local_edit(&w, edits[i].text, strlen(edits[i].text),
		    edits[i].section, edits[i].key, edits[i].values, n);
		if (strcmp(ae_wr_cstr(&w), edits[i].want) != 0)
			fail_msg("row %zu: %s", i, ae_wr_cstr(&w));
		ae_wr_done(&w);
	}
}

static void
names(void **state)
{
	bool list = true;

	(void)state;
	assert_string_equal(ae_local_key("aepolicy", &list), "ae-policy");
	assert_false(list);
	assert_string_equal(
	    ae_local_key("OfflineExpirationStoreNames", &list), "store");
	assert_true(list);
	assert_null(ae_local_key("Cost", &list));
}

#define OURS "{6B29FC40-CA47-1067-B31D-00DD010662DA}"
#define THEIRS "{11111111-2222-3333-4444-555555555555}"

/* key, URL, PolicyID, Flags, AuthFlags, Cost; letters say the verdicts. */
static const struct {
	struct {
		const char *key, *url, *id;
		uint32_t flags, auth, cost;
	} v[3];
	uint32_t list_flags;
	const char *order; /* keys in the order of use */
	enum ae_server_verdict want[3];
	const char *check; /* NULL: Active Directory may be asked */
} lists[] = {
	{ { { NULL } }, 0, "", { AE_SERVER_USED }, NULL },
	{ { { "a", "LDAP:", OURS, 0x14, 2, 5 } }, 0, "a", { AE_SERVER_USED },
	    NULL },
	{ { { "a", "ldap:", "{6b29fc40-ca47-1067-b31d-00dd010662da}", 0x10, 2,
	      5 } },
	    0, "a", { AE_SERVER_USED }, NULL },
	{ { { "a", "LDAP:", OURS, 0x4, 2, 5 } }, 0, "a", { AE_SERVER_NOT_AUTO },
	    "policy.policyserver-autoenroll-flag-off" },
	{ { { "a", "LDAP:", THEIRS, 0x14, 2, 5 } }, 0, "a",
	    { AE_SERVER_OTHER_ID }, "policy.policyid-mismatch" },
	{ { { "a", "LDAP:", NULL, 0x14, 2, 5 } }, 0, "a",
	    { AE_SERVER_OTHER_ID }, "policy.policyid-mismatch" },
	{ { { "a", "https://cep/x", OURS, 0x14, 2, 5 } }, 0, "a",
	    { AE_SERVER_WEB }, "policy.policyserver-override" },
	{ { { "a", NULL, OURS, 0x14, 2, 5 } }, 0, "a", { AE_SERVER_MALFORMED },
	    "policy.policyserver-override" },
	{ { { "a", "ftp://x", OURS, 0x14, 2, 5 } }, 0, "a",
	    { AE_SERVER_MALFORMED }, "policy.policyserver-override" },
	/* Switched off as a whole: as if there were none. */
	{ { { "a", "https://cep/x", OURS, 0x14, 2, 5 } }, 2, "a",
	    { AE_SERVER_LIST_OFF }, NULL },
	/* By cost; what is not spoken here does not stand in the way. */
	{ { { "a", "LDAP:", OURS, 0x14, 2, 9 },
	      { "b", "https://cep/x", OURS, 0x14, 2, 1 } },
	    0, "ba", { AE_SERVER_WEB, AE_SERVER_USED }, NULL },
	/* At the same cost Kerberos, then anonymous, then the rest. */
	{ { { "a", "https://c/x", OURS, 0x14, 8, 1 },
	      { "b", "https://b/x", OURS, 0x14, 1, 1 },
	      { "c", "https://a/x", OURS, 0x14, 2, 1 } },
	    0, "cba", { AE_SERVER_WEB, AE_SERVER_WEB, AE_SERVER_WEB },
	    "policy.policyserver-override" },
	{ { { "a", "LDAP:", OURS, 0x14, 2, 2 },
	      { "b", "LDAP:", OURS, 0x14, 2, 1 } },
	    0, "ba", { AE_SERVER_USED, AE_SERVER_SPARE }, NULL },
	/* Another policy in the list takes nothing away from ours. */
	{ { { "a", "https://x/y", THEIRS, 0x14, 2, 1 },
	      { "b", "LDAP:", OURS, 0x14, 2, 5 } },
	    0, "ab", { AE_SERVER_WEB, AE_SERVER_USED }, NULL },
};

static char *
copy(const char *s)
{
	return s == NULL ? NULL : strdup(s);
}

static void
servers(void **state)
{
	struct ae_guid forest;
	const char *check, *text;
	size_t i, j;

	(void)state;
	assert_true(ae_guid_parse(&forest, OURS));
	for (i = 0; i < COUNT(lists); i++) {
		struct ae_settings *s = calloc(1, sizeof(*s));

		s->servers = calloc(3, sizeof(*s->servers));
		s->servers_flags = lists[i].list_flags;
		for (j = 0; j < 3 && lists[i].v[j].key != NULL; j++)
			s->servers[s->nservers++] = (struct ae_policy_server){
				.key = copy(lists[i].v[j].key),
				.url = copy(lists[i].v[j].url),
				.policy_id = copy(lists[i].v[j].id),
				.flags = lists[i].v[j].flags,
				.auth_flags = lists[i].v[j].auth,
				.cost = lists[i].v[j].cost
			};
		ae_settings_judge_servers(s, &forest);
		for (j = 0; j < s->nservers; j++)
			if (s->servers[j].key[0] != lists[i].order[j] ||
			    s->servers[j].verdict != lists[i].want[j])
				fail_msg("row %zu, place %zu: %s, %s", i, j,
				    s->servers[j].key,
				    ae_server_verdict_name(
					(enum ae_server_verdict)s->servers[j]
					    .verdict));
		check = ae_settings_servers_check(s, &text);
		if (lists[i].check == NULL) {
			assert_null(check);
			assert_null(text);
		} else {
			assert_string_equal(check, lists[i].check);
			assert_non_null(text);
		}
		ae_settings_free(s);
	}
}

/* A DC that does not have the forest's root cannot refuse an id. */
static void
forest_not_known(void **state)
{
	struct ae_policy_server v = { .flags = 0x10 };
	struct ae_settings s = { .servers = &v, .nservers = 1 };
	char url[] = "LDAP:", id[] = THEIRS;
	const char *text;

	(void)state;
	v.url = url;
	v.policy_id = id;
	ae_settings_judge_servers(&s, NULL);
	assert_int_equal(v.verdict, AE_SERVER_USED);
	assert_null(ae_settings_servers_check(&s, &text));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(edited),
		cmocka_unit_test(names),
		cmocka_unit_test(servers),
		cmocka_unit_test(forest_not_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
