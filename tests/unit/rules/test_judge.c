/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Tests of rules/judge.h: each element about a request against one that keeps
 * it and one that breaks it.
 */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"

static void
names_of_a_request(void **state)
{
	static const struct {
		const char *policy, *subject, *sans;
		size_t n; /* violations */
		const char *text;
	} v[] = {
		/* no rule, no name */
		{ CN(ANY), "CN=a", "", 0, NULL },
		{ "", "CN=a", "", 1, "commonName \"a\" is not allowed" },
		{ CN(ANY), "C=DE;CN=a", "", 1, "countryName \"DE\" is not" },
		{ CN(ANY), "CN=a;1.2.3.4=b", "", 1, "OID.1.2.3.4 \"b\"" },
		{ "<Subject>" RULE("commonName", ANY)
			RULE("OID.1.2.3.4", ANY) "</Subject>",
		    "CN=a;1.2.3.4=b", "", 0, NULL },
		{ CN(ANY), "CN=a", "DNS:b", 1, "dNSName \"b\" is not allowed" },
		{ CN(ANY), "CN=a", "DIR:x", 1, "directoryName" },
		/* Field, whatever its case */
		{ "<Subject>" RULE("CommonName", ANY) "</Subject>", "CN=a", "",
		    0, NULL },
		/* Mandatory */
		{ CN("<Mandatory>true</Mandatory>" ANY), "CN=a", "", 0, NULL },
		{ "<Subject>" RULE("commonName", ANY) RULE(
		      "title", "<Mandatory>true</Mandatory>" ANY) "</Subject>",
		    "CN=a", "", 1, "has no title" },
		/* MaxOccurrences */
		{ CN("<MaxOccurrences>2</MaxOccurrences>" ANY), "CN=a;CN=b", "",
		    0, NULL },
		{ CN(ANY), "CN=a;CN=b", "", 1, "there 2 times, the most is 1" },
		{ CN("<MaxOccurrences>9</MaxOccurrences>" ANY), "CN=a;CN=a", "",
		    1, "is there twice" },
		/* MinLength, MaxLength: in UTF-16 units */
		{ CN("<MinLength>3</MinLength>" ANY), "CN=abc", "", 0, NULL },
		{ CN("<MinLength>3</MinLength>" ANY), "CN=\xc3\xa4\xc3\xb6", "",
		    1, "less than 3 characters" },
		{ CN("<MaxLength>2</MaxLength>" ANY), "CN=\xc3\xa4\xc3\xb6", "",
		    0, NULL },
		{ CN("<MaxLength>2</MaxLength>" ANY), "CN=abc", "", 1,
		    "more than 2 characters" },
		/* Patterns */
		{ CN(""), "CN=a", "", 1, "the rule for commonName has no" },
		{ CN_LIKE(PATTERN("^[a-z]+$", "")), "CN=abc", "", 0, NULL },
		{ CN_LIKE(PATTERN("^[a-z]+$", "")), "CN=ABC", "", 1,
		    "matches no pattern that allows it" },
		{ CN_LIKE(PATTERN("b", "")), "CN=abc", "", 0, NULL },
		{ CN_LIKE(PATTERN("^\\w+\\u0064$", "")),
		    "CN=\xc3\xa4"
		    "d",
		    "", 0, NULL },
		{ CN_LIKE(PATTERN("a", "") PATTERN("b", DENY)), "CN=ab", "", 1,
		    "matches \"b\", which denies it" },
		{ CN_LIKE(PATTERN("a", DENY)), "CN=b", "", 1, "no pattern" },
		{ CN_LIKE(PATTERN("A", AS("RegExIgnoreCase"))), "CN=a", "", 0,
		    NULL },
		{ CN_LIKE(PATTERN("a.c", AS("ExactMatch"))), "CN=a.c", "", 0,
		    NULL },
		{ CN_LIKE(PATTERN("a.c", AS("ExactMatch"))), "CN=abc", "", 1,
		    "no pattern" },
		{ CN_LIKE(PATTERN("a.c", AS("ExactMatch"))), "CN=A.C", "", 1,
		    "no pattern" },
		{ CN_LIKE(PATTERN("\xc3\x84.c", AS("ExactMatchIgnoreCase"))),
		    "CN=\xc3\xa4.C", "", 0, NULL },
		{ CN_LIKE(PATTERN("a.c", AS("ExactMatchIgnoreCase"))),
		    "CN=xa.c", "", 1, "no pattern" },
		/* all of it, not only the first */
		{ CN("<MinLength>9</MinLength><Patterns>" PATTERN("x", "")
			  PATTERN("a", DENY) PATTERN("b", DENY) "</Patterns>"),
		    "C=DE;CN=ab", "DNS:c", 6, "which denies it" },
		/* alternative names */
		{ SAN("dNSName", PATTERN("^a\\.", "")), "CN=x", "DNS:a.b", 0,
		    NULL },
		{ SAN("dNSName", PATTERN("^a\\.", "")), "CN=x", "DNS:b.b", 1,
		    "dNSName \"b.b\" matches no pattern" },
		{ SAN("dNSName", PATTERN("^a\\.", "")), "CN=x",
		    "DNS:a.b;DNS:a.c", 1, "there 2 times" },
		{ SAN("rfc822Name", PATTERN("@b$", "")), "CN=x", "MAIL:a@b", 0,
		    NULL },
		{ SAN("userPrincipalName", PATTERN("@b$", "")), "CN=x",
		    "UPN:a@c", 1, "userPrincipalName" },
		{ SAN("uniformResourceIdentifier", PATTERN("^https:", "")),
		    "CN=x", "URI:https://a/", 0, NULL },
		{ SAN("iPAddress", PATTERN("10.0.0.0/8", AS("Cidr"))), "CN=x",
		    "IP:10.1.2.3", 0, NULL },
		{ SAN("iPAddress", PATTERN("10.0.0.0/8", AS("Cidr"))), "CN=x",
		    "IP:11.1.2.3", 1, "iPAddress \"11.1.2.3\" matches no" },
		{ SAN("iPAddress",
		      PATTERN("10.0.0.0/8", AS("Cidr"))
			  PATTERN("10.9.0.0/16", AS("Cidr") DENY)),
		    "CN=x", "IP:10.9.2.3", 1, "\"10.9.0.0/16\", which denies" },
		{ SAN("iPAddress", PATTERN("fd00::/8", AS("Cidr"))), "CN=x",
		    "IP:fd00::1", 0, NULL },
		/* no address where one is expected: neither allowed … */
		{ CN_LIKE(PATTERN("0.0.0.0/0", AS("Cidr"))), "CN=x", "", 1,
		    "no pattern that allows" },
		/* … nor let through */
		{ CN_LIKE(
		      PATTERN("x", "") PATTERN("10.0.0.0/8", AS("Cidr") DENY)),
		    "CN=x", "", 1, "which denies it" },
	};
	struct world *w = *state;
	size_t i;

	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		rx_prepare(w, v[i].policy, v[i].subject, v[i].sans, NULL);
		rx_judge(w);
		if (v[i].n == 0)
			rx_good(w, v[i].policy);
		else
			rx_bad(w, v[i].policy, v[i].n, 0x800b0114, v[i].text);
	}
}

/* The same request where the directory supplies the names. */
static void
rules_of_names_are_for_requested_names(void **state)
{
	struct world *w = *state;

	rx_prepare(w, "", "CN=a", "DNS:b", NULL);
	w->f.supplied = false;
	rx_judge(w);
	rx_good(w, "names from the directory");
}

/* An expression that takes for ever ends, and decides against the request. */
static void
costly_expressions_end(void **state)
{
	struct world *w = *state;

	rx_prepare(w, CN_LIKE(PATTERN("^(a+)+$", "")),
	    "CN=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", "",
	    NULL);
	rx_judge(w);
	rx_bad(w, "allow", 1, 0x800b0114, "no pattern that allows");
	rx_prepare(w, CN_LIKE(PATTERN("a", "") PATTERN("^(a+)+$", DENY)),
	    "CN=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", "",
	    NULL);
	rx_judge(w);
	rx_bad(w, "deny", 1, 0x800b0114, "which denies");
}

static void
process_and_provider(void **state)
{
	static const struct ae_csr_spec made = { .hash = AE_HASH_SHA256,
		.csp_name = "Microsoft Platform Crypto Provider",
		.client = { .client_id = 6,
		    .machine = "pc1",
		    .user = "u",
		    .process = "TaskHostW.exe" } };
	static const struct ae_pair pair = { "RequestCSPProvider", "Mine" };
	static const struct ae_csr_spec by_pair = {
		.hash = AE_HASH_SHA256, .pairs = &pair, .npairs = 1
	};
	static const struct {
		const char *policy;
		const struct ae_csr_spec *spec;
		const char *text;
	} v[] = {
		{ LIST("AllowedProcesses", "taskhostw.exe"), &made, NULL },
		{ LIST("AllowedProcesses", "certreq.exe"), &made,
		    "process \"TaskHostW.exe\" is not among" },
		{ LIST("AllowedProcesses", "taskhostw.exe"), NULL,
		    "does not say by which process" },
		{ LIST("DisallowedProcesses", "mmc.exe"), &made, NULL },
		{ LIST("DisallowedProcesses", "taskhostw.exe"), &made,
		    "process \"TaskHostW.exe\" is not allowed" },
		{ LIST("DisallowedProcesses", "mmc.exe"), NULL,
		    "does not say by which process" },
		{ LIST("AllowedCryptoProviders",
		      "microsoft platform crypto provider"),
		    &made, NULL },
		{ LIST("AllowedCryptoProviders", "Mine"), &by_pair, NULL },
		{ LIST("AllowedCryptoProviders", "Other"), &made,
		    "is not among those" },
		{ LIST("DisallowedCryptoProviders",
		      "Microsoft Platform Crypto Provider"),
		    &made, "is not allowed" },
		{ LIST("DisallowedCryptoProviders", "Other"), NULL,
		    "does not say by which provider" },
	};
	struct world *w = *state;
	size_t i;
	int online;

	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++)
		for (online = 0; online < 2; online++) {
			char policy[512];

			(void)snprintf(
			    policy, sizeof(policy), "%s" CN(ANY), v[i].policy);
			rx_prepare(w, policy, "CN=a", "", v[i].spec);
			w->f.supplied = online == 0;
			rx_judge(w);
			if (v[i].text == NULL)
				rx_good(w, policy);
			else
				rx_bad(w, policy, 1, 0x80094012, v[i].text);
		}
}

static void
keys(void **state)
{
	struct world *w = *state;

	rx_prepare(w,
	    CN(ANY) "<MinimumKeyLength>256</MinimumKeyLength>"
		    "<MaximumKeyLength>256</MaximumKeyLength>",
	    "CN=a", "", NULL);
	rx_judge(w);
	rx_good(w, "256");
	rx_prepare(w, CN(ANY) "<MinimumKeyLength>384</MinimumKeyLength>",
	    "CN=a", "", NULL);
	rx_judge(w);
	rx_bad(w, "min", 1, 0x80094811, "256 bits, the least is 384");
	rx_prepare(w, CN(ANY) "<MaximumKeyLength>255</MaximumKeyLength>",
	    "CN=a", "", NULL);
	rx_judge(w);
	rx_bad(w, "max", 1, 0x80094811, "256 bits, the most is 255");
	/* the kind is the template's; one that does not say is for RSA */
	rx_prepare(w, CN(ANY), "CN=a", "", NULL);
	w->f.wanted_key = AE_KEY_RSA;
	rx_judge(w);
	rx_bad(w, "kind", 1, 0x80094811, "the kind RSA, the request has E");
	w->f.wanted_key = 0;
	rx_judge(w);
	rx_bad(w, "no kind", 1, 0x80094811, "the kind RSA");
}

static void
fixed_date(void **state)
{
	struct world *w = *state;

	/* NOW is 2026-09-21T14:13:20Z */
	rx_prepare(w,
	    CN(ANY) "<NotAfter>2026-12-31T00:00:00.0000000+00:00"
		    "</NotAfter>",
	    "CN=a", "", NULL);
	rx_judge(w);
	rx_good(w, "before the usual end");
	assert_true(w->out.new_not_after);
	assert_int_equal(w->out.not_after, 1798675200);
	w->f.not_after = NOW + 86400;
	rx_judge(w);
	assert_false(w->out.new_not_after);
	rx_prepare(w, CN(ANY) "<NotAfter>2026-09-21T14:13:20Z</NotAfter>",
	    "CN=a", "", NULL);
	rx_judge(w);
	rx_bad(w, "passed", 1, 0x8007076d, "a date that has passed");
	rx_prepare(w, CN(ANY) "<NotAfter></NotAfter>", "CN=a", "", NULL);
	rx_judge(w);
	rx_good(w, "none");
}

#define SID_MODE(m) \
	"<SecurityIdentifierExtension>" m "</SecurityIdentifierExtension>"

static void
sid_extension(void **state)
{
	struct ae_csr_spec spec = { .hash = AE_HASH_SHA256 };
	struct world *w = *state;
	struct ae_sid asked;

	assert_true(ae_sid_parse(&asked, "S-1-5-21-1-2-3-500"));
	spec.x.has_sid = true;
	spec.x.sid = asked;
	rx_prepare(w, CN(ANY), "CN=a", "", &spec);
	rx_judge(w);
	rx_bad(w, "default", 1, 0x80094012, "1.3.6.1.4.1.311.25.2");
	rx_prepare(w, CN(ANY) SID_MODE("Deny"), "CN=a", "", NULL);
	rx_judge(w);
	rx_good(w, "deny, and none there");
	assert_false(w->out.new_sid);
	rx_prepare(w, CN(ANY) SID_MODE("Allow"), "CN=a", "", &spec);
	rx_judge(w);
	rx_good(w, "allow");
	assert_true(w->out.new_sid && ae_sid_equal(&w->out.sid, &asked));
	rx_prepare(w, CN(ANY) SID_MODE("Remove"), "CN=a", "", &spec);
	rx_judge(w);
	rx_good(w, "remove");
	assert_false(w->out.new_sid);
	rx_prepare(w,
	    CN(ANY) SID_MODE(
		"Add") "<DirectoryServicesMapping>"
		       "<CertificateAttribute>commonName</CertificateAttribute>"
		       "</DirectoryServicesMapping>",
	    "CN=a", "", &spec);
	rx_judge(w);
	rx_good(w, "add");
	assert_true(w->out.new_sid && ae_sid_equal(&w->out.sid, &w->sid));
	/* Add without anybody who is mapped adds nobody */
	rx_prepare(w, CN(ANY) SID_MODE("Add"), "CN=a", "", &spec);
	rx_judge(w);
	assert_false(w->out.new_sid);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(names_of_a_request),
		T(rules_of_names_are_for_requested_names),
		T(costly_expressions_end),
		T(process_and_provider),
		T(keys),
		T(fixed_date),
		T(sid_extension),
	};

	return cmocka_run_group_tests(tests, rx_setup, rx_teardown);
}
