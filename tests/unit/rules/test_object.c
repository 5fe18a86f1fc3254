/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Tests of rules/judge.h: what is asked of the directory, and what is thought
 * of the object it has; names that come of it.
 */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
what_is_asked(void **state)
{
	struct ae_rules_question q;
	struct world *w = *state;

	rx_prepare(w,
	    MAP("<SearchRoot>OU=x,DC=y</SearchRoot>"
		"<AllowedSecurityGroups><string>CN=a</string>"
		"</AllowedSecurityGroups><DisallowedSecurityGroups>"
		"<string>CN=b</string></DisallowedSecurityGroups>"
		"<SupplementServicePrincipalNames>true"
		"</SupplementServicePrincipalNames>" ATTRIBUTE(
		    "department", "")),
	    "CN=jdoe", "", NULL);
	assert_true(ae_rules_ask(&q, w->rules, &w->f, w->a));
	assert_false(q.own);
	assert_string_equal(q.attribute, "sAMAccountName");
	assert_string_equal(q.value, "jdoe");
	assert_string_equal(q.category, "user");
	assert_string_equal(q.search_root, "OU=x,DC=y");
	assert_int_equal(q.attributes.n, 1);
	assert_int_equal(q.groups.n, 2);
	assert_string_equal(q.groups.v[1], "CN=b");
	assert_true(q.spns);
	/* where the directory supplies the names it is the requester's own */
	w->f.supplied = false;
	w->f.user = false;
	assert_true(ae_rules_ask(&q, w->rules, &w->f, w->a));
	assert_true(q.own);
	assert_null(q.value);
	assert_string_equal(q.category, "computer");
	w->f.supplied = true;
	rx_prepare(w, MAP(""), "O=x", "", NULL);
	assert_false(ae_rules_ask(&q, w->rules, &w->f, w->a));
	rx_prepare(w, CN(ANY), "CN=jdoe", "", NULL);
	assert_false(ae_rules_ask(&q, w->rules, &w->f, w->a));
}

static void
mapped_objects(void **state)
{
	static const struct {
		const char *policy;
		unsigned found;
		const char *text;
	} v[] = {
		{ MAP(""), 1, NULL },
		{ MAP(""), 0, "has no user with sAMAccountName \"jdoe\"" },
		{ MAP(""), 2, "more than one user" },
		{ MAP("<Action>Deny</Action>"), 1, "there must be none" },
		{ MAP("<Action>Deny</Action>"), 0, NULL },
		{ MAP("<Action>Continue</Action>"), 1, NULL },
		{ MAP("<Action>Continue</Action>"), 0, NULL },
		{ MAP("<Action>Continue</Action>"), 2, "more than one user" },
		/* units */
		{ MAP(LIST("AllowedOrganizationalUnits",
		      "OU=Staff,DC=example,DC=com")),
		    1, NULL },
		{ MAP(LIST("AllowedOrganizationalUnits",
		      "ou=people,OU=Staff,DC=example,DC=com")),
		    1, NULL },
		{ MAP(LIST("AllowedOrganizationalUnits",
		      "OU=Guests,DC=example,DC=com")),
		    1, "in no organizational unit that is allowed" },
		/* the tail of another unit's name is not that unit */
		{ MAP(LIST("AllowedOrganizationalUnits",
		      "eople,OU=Staff,DC=example,DC=com")),
		    1, "in no organizational unit" },
		{ MAP(LIST("DisallowedOrganizationalUnits",
		      "OU=Guests,DC=example,DC=com")),
		    1, NULL },
		{ MAP(LIST("DisallowedOrganizationalUnits",
		      "OU=Staff,DC=example,DC=com")),
		    1, "which is not allowed" },
		/* groups: the first that is asked for he is in */
		{ MAP(LIST("AllowedSecurityGroups", "CN=in")), 1, NULL },
		{ MAP("<AllowedSecurityGroups><string>CN=in</string><string>"
		      "CN=out</string></AllowedSecurityGroups>"),
		    1, NULL },
		{ MAP(LIST("DisallowedSecurityGroups", "CN=in")), 1,
		    "in the group \"CN=in\", which is not allowed" },
		{ MAP(LIST("AllowedSecurityGroups", "CN=in")
			  LIST("DisallowedSecurityGroups", "CN=out")),
		    1, NULL },
		{ MAP("<AllowedSecurityGroups><string>CN=in</string>"
		      "</AllowedSecurityGroups><DisallowedSecurityGroups>"
		      "<string>1</string><string>2</string><string>CN=none"
		      "</string></DisallowedSecurityGroups>"),
		    1, "there is no group \"CN=none\"" },
		/* attributes */
		{ MAP(ATTRIBUTE("department",
		      "<Patterns>" PATTERN("^IT$", "") "</Patterns>")),
		    1, NULL },
		{ MAP(ATTRIBUTE("department",
		      "<Patterns>" PATTERN("^HR$", "") "</Patterns>")),
		    1, "department, \"IT\", matches no pattern" },
		{ MAP(ATTRIBUTE("department",
		      "<Patterns>" PATTERN("IT", DENY) "</Patterns>")),
		    1, "which denies it" },
		{ MAP(ATTRIBUTE("department",
		      "<Patterns>" PATTERN("HR", DENY) "</Patterns>")),
		    1, NULL },
		{ MAP(ATTRIBUTE(
		      "company", "<Patterns>" PATTERN("x", "") "</Patterns>")),
		    1, NULL },
		{ MAP(ATTRIBUTE("company", "<Mandatory>true</Mandatory>")), 1,
		    "has no attribute company" },
		/* the password, of a minute ago */
		{ MAP("<MaximumPasswordAge>2</MaximumPasswordAge>"), 1, NULL },
	};
	struct world *w = *state;
	size_t i;

	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		rx_prepare(w, v[i].policy, "CN=jdoe", "", NULL);
		w->o.found = v[i].found;
		rx_judge(w);
		if (v[i].text == NULL)
			rx_good(w, v[i].policy);
		else
			rx_bad(w, v[i].policy, 1, 0x80094012, v[i].text);
	}
}

static void
accounts_and_passwords(void **state)
{
	struct world *w = *state;

	rx_prepare(w, MAP(""), "CN=jdoe", "", NULL);
	w->o.account_control = 0x202;
	rx_judge(w);
	rx_bad(w, "disabled", 1, 0x80094012, "is disabled");
	rx_prepare(w,
	    MAP("<PermitDisabledAccounts>true</PermitDisabledAccounts>"),
	    "CN=jdoe", "", NULL);
	rx_judge(w);
	rx_good(w, "disabled, and permitted");
	w->o.account_control = 0x200;
	rx_prepare(w, MAP("<MaximumPasswordAge>2</MaximumPasswordAge>"),
	    "CN=jdoe", "", NULL);
	w->f.now = NOW + 3 * 60;
	w->f.not_after = w->f.now + 86400;
	rx_judge(w);
	rx_bad(w, "old", 1, 0x80094012, "older than 2 minutes");
	w->o.nattributes = 0;
	rx_judge(w);
	rx_bad(w, "unknown", 1, 0x80094012, "it is not known when");
	rx_prepare(w, MAP(""), "O=jdoe", "", NULL);
	rx_judge(w);
	rx_bad(w, "nobody named", 3, 0x80094012,
	    "no commonName to find somebody by");
	/* the requester's own, elsewhere than the search begins */
	rx_prepare(w,
	    MAP("<SearchRoot>OU=Guests,DC=example,DC=com</SearchRoot>"),
	    "CN=jdoe", "", NULL);
	w->f.supplied = false;
	rx_judge(w);
	rx_bad(w, "elsewhere", 1, 0x80094012, "below OU=Guests");
	rx_prepare(w,
	    MAP("<SearchRoot>OU=Staff,DC=example,DC=com</SearchRoot>"),
	    "CN=jdoe", "", NULL);
	rx_judge(w);
	rx_good(w, "below it");
}

static void
names_are_supplemented(void **state)
{
	struct world *w = *state;

#define SUPPLEMENT                                   \
	CN("<MaxOccurrences>4</MaxOccurrences>" ANY) \
	"<SupplementDnsNames>true</SupplementDnsNames>"
	rx_prepare(w, SUPPLEMENT,
	    "CN=www.example.com;CN=10.1.2.3;CN=Hello World", "", NULL);
	rx_judge(w);
	rx_good(w, "supplement");
	assert_int_equal(w->out.nsans, 2);
	assert_true(
	    rx_has_san(w, "www.example.com") && rx_has_san(w, "10.1.2.3"));
	rx_prepare(w, SUPPLEMENT, "CN=www", "", NULL);
	rx_judge(w);
	assert_true(w->out.new_sans && rx_has_san(w, "www"));
	rx_prepare(w,
	    SUPPLEMENT "<SupplementUnqualifiedNames>false"
		       "</SupplementUnqualifiedNames>",
	    "CN=www", "", NULL);
	rx_judge(w);
	assert_false(w->out.new_sans);
	rx_prepare(w, CN(ANY), "CN=www.example.com", "", NULL);
	rx_judge(w);
	assert_false(w->out.new_sans);
	/* services of the mapped object */
	rx_prepare(w,
	    MAP("<SupplementServicePrincipalNames>true"
		"</SupplementServicePrincipalNames>"),
	    "CN=jdoe", "", NULL);
	rx_judge(w);
	rx_good(w, "spns");
	assert_int_equal(w->out.nsans, 3);
	assert_true(rx_has_san(w, "pc1") && rx_has_san(w, "pc1.example.com") &&
	    rx_has_san(w, "www.example.com"));
	rx_prepare(w,
	    MAP("<AddSidUniformResourceIdentifier>true"
		"</AddSidUniformResourceIdentifier>"),
	    "CN=jdoe", "", NULL);
	rx_judge(w);
	assert_true(rx_has_san(
	    w, "tag:microsoft.com,2022-09-14:sid:S-1-5-21-1-2-3-1105"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(what_is_asked),
		T(mapped_objects),
		T(accounts_and_passwords),
		T(names_are_supplemented),
	};

	return cmocka_run_group_tests(tests, rx_setup, rx_teardown);
}
