/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Tests of rules/judge.h: what is written into the certificate, and that
 * without memory nothing is decided.
 */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "torture.h"

#define OUT(field, value, more)                               \
	"<OutboundSubject><OutboundSubjectRule><Field>" field \
	"</Field><Value>" value "</Value>" more               \
	"</OutboundSubjectRule></OutboundSubject>"
#define OUTSAN(field, value, more)                                           \
	"<OutboundSubjectAlternativeName><OutboundSubjectRule><Field>" field \
	"</Field><Value>" value "</Value>" more                              \
	"</OutboundSubjectRule></OutboundSubjectAlternativeName>"
#define MUST "<Mandatory>true</Mandatory>"
#define FORCE "<Force>true</Force>"
#define ALL(names)                                                  \
	"<Subject>" RULE(                                           \
	    "commonName", "<MaxOccurrences>3</MaxOccurrences>" ANY) \
	    RULE("stateOrProvinceName", ANY)                        \
		RULE("domainComponent", ANY) "</Subject>" names

static const char *
subject_text(const struct world *w)
{
	static char *text;
	struct ae_wr der;

	free(text);
	text = NULL;
	ae_wr_init(&der, 4096);
	assert_int_equal(
	    ae_name_encode(&der, w->out.subject, w->out.nsubject, NULL), AE_OK);
	assert_int_equal(
	    ae_name_print(&text, (struct ae_der){ der.p, der.len }, NULL),
	    AE_OK);
	ae_wr_done(&der);
	return text;
}

static void
subjects_are_written(void **state)
{
	static const struct {
		const char *rule, *subject, *out, *text;
	} v[] = {
		/* put where it belongs in a name, the common name last */
		{ OUT("organizationName", "ACME", ""), "CN=a", "CN=a,O=ACME",
		    NULL },
		{ OUT("countryName", "{ad:c}", ""), "DC=x;CN=a",
		    "CN=a,DC=x,"
		    "C=DE",
		    NULL },
		{ OUT("emailAddress", "{ad:mail}", ""), "CN=a",
		    "emailAddress=john@example.com,CN=a", NULL },
		/* Force */
		{ OUT("commonName", "b", ""), "CN=a", "CN=a", NULL },
		{ OUT("commonName", "b", FORCE), "CN=a", "CN=b", NULL },
		{ OUT("commonName", "b", FORCE), "DC=x;CN=a;CN=c", "CN=b,DC=x",
		    NULL },
		/* variables */
		{ OUT("commonName", "{ad:sn}, {ad:GIVENNAME}!", FORCE), "CN=a",
		    "CN=Doe\\, John!", NULL },
		{ OUT("commonName", "{ad:displayName}", FORCE), "CN=a",
		    "CN=J\xc3\xb6hn Doe", NULL },
		{ OUT("organizationName", "{sdn:commonName} {x} {ad:}x", ""),
		    "CN=a", "CN=a", NULL },
		{ OUT("organizationName", "{sdn:commonName} {x}", ""), "CN=a",
		    "CN=a,O=a {x}", NULL },
		{ OUT("organizationName", "{sdn:commonName}", ""), "CN={ad:sn}",
		    "CN={ad:sn},O={ad:sn}", NULL },
		/* one without a value */
		{ OUT("title", "{ad:title}", ""), "CN=a", "CN=a", NULL },
		{ OUT("title", "{ad:title}", MUST), "CN=a", "CN=a",
		    "title is made of {ad:title}, which has no value" },
		{ OUT("title", "{yk:Slot}", MUST), "CN=a", "CN=a",
		    "{yk:Slot}, which has no value" },
		/* taken away, or moved */
		{ OUT("stateOrProvinceName", "", FORCE), "ST=x;CN=a", "CN=a",
		    NULL },
		{ OUT("stateOrProvinceName", "", ""), "ST=x;CN=a", "CN=a,ST=x",
		    NULL },
		{ "<OutboundSubject><OutboundSubjectRule><Field>"
		  "stateOrProvinceName</Field><Value></Value>" FORCE
		  "</OutboundSubjectRule><OutboundSubjectRule><Field>"
		  "serialNumber</Field><Value>{sdn:stateOrProvinceName}"
		  "</Value></OutboundSubjectRule></OutboundSubject>",
		    "ST=x;CN=a", "CN=a,serialNumber=x", NULL },
		/* too long is never written */
		{ OUT("commonName", "{ad:info}", FORCE), "CN=a", "CN=a",
		    "more than 64 characters" },
		{ OUT("countryName", "DEU", ""), "CN=a", "CN=a",
		    "more than 2 characters" },
	};
	struct world *w = *state;
	size_t i;

	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		char policy[2048];

		(void)snprintf(policy, sizeof(policy),
		    ALL("%s") "<DirectoryServicesMapping>"
			      "<CertificateAttribute>commonName</"
			      "CertificateAttribute>"
			      "</DirectoryServicesMapping>",
		    v[i].rule);
		rx_prepare(w, policy, v[i].subject, "", NULL);
		rx_judge(w);
		if (v[i].text == NULL)
			rx_good(w, v[i].rule);
		else
			rx_bad(w, v[i].rule, 1, 0x80094012, v[i].text);
		if (strcmp(subject_text(w), v[i].out) != 0)
			fail_msg("%s: %s, not %s", v[i].rule, subject_text(w),
			    v[i].out);
	}
	/* without a mapping there is nothing to take from the directory */
	rx_prepare(w, ALL(OUT("title", "{ad:mail}", MUST)), "CN=a", "", NULL);
	rx_judge(w);
	rx_bad(w, "no mapping", 1, 0x80094012, "which has no value");
	free(NULL);
}

#define ANYSAN                                                   \
	"<SubjectAlternativeName>" RULE(                         \
	    "dNSName", "<MaxOccurrences>3</MaxOccurrences>" ANY) \
	    RULE("userPrincipalName", ANY) "</SubjectAlternativeName>"

static void
alternative_names_are_written(void **state)
{
	static const struct {
		const char *rule, *sans;
		size_t n;
		const char *has, *text;
	} v[] = {
		{ OUTSAN("userPrincipalName", "{ad:userPrincipalName}", MUST),
		    "", 1, "john@example.com", NULL },
		{ OUTSAN("dnsName", "{sdn:commonName}.x", MUST), "", 1, "a.x",
		    NULL },
		{ OUTSAN("rfc822Name", "{ad:mail}", ""), "", 1,
		    "john@example.com", NULL },
		{ OUTSAN("iPAddress", "fd00::1", ""), "", 1, "fd00::1", NULL },
		{ OUTSAN("uniformResourceIdentifier", "urn:x", ""), "", 1,
		    "urn:x", NULL },
		/* Force adds one more; the same twice is one */
		{ OUTSAN("dNSName", "b", ""), "DNS:c", 1, "c", NULL },
		{ OUTSAN("dNSName", "b", FORCE), "DNS:c", 2, "b", NULL },
		{ OUTSAN("dNSName", "C", FORCE), "DNS:c", 1, "c", NULL },
		/* nothing takes all of the kind away */
		{ OUTSAN("dNSName", "", MUST FORCE), "DNS:c;DNS:d;UPN:e", 1,
		    "e", NULL },
		/* what is no such name */
		{ OUTSAN("dNSName", "a b", ""), "DNS:c", 1, "c", NULL },
		{ OUTSAN("dNSName", "a b", MUST FORCE), "DNS:c", 1, "c",
		    "\"a b\" cannot be an alternative name of type dNSName" },
		{ OUTSAN("iPAddress", "1.2.3", MUST), "DNS:c", 1, "c",
		    "cannot be" },
		{ OUTSAN("rfc822Name", "x", MUST), "DNS:c", 1, "c",
		    "cannot be" },
		{ OUTSAN("dNSName", "{ad:title}", MUST), "", 0, NULL,
		    "no value" },
		{ OUTSAN("dNSName", "{san:userPrincipalName}x", ""), "UPN:e", 2,
		    "ex", NULL },
	};
	struct world *w = *state;
	size_t i;

	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		char policy[2048];

		(void)snprintf(
		    policy, sizeof(policy), MAP("") ANYSAN "%s", v[i].rule);
		rx_prepare(w, policy, "CN=a", v[i].sans, NULL);
		rx_judge(w);
		if (v[i].text == NULL)
			rx_good(w, v[i].rule);
		else
			rx_bad(w, v[i].rule, 1, 0x80094012, v[i].text);
		if (w->out.nsans != v[i].n ||
		    (v[i].has != NULL && !rx_has_san(w, v[i].has)))
			fail_msg("%s: %zu names", v[i].rule, w->out.nsans);
	}
}

static void
an_identity_there_must_be(void **state)
{
	struct world *w = *state;
	const char *rules =
	    "<Subject>" RULE("organizationName", ANY) "</Subject>";
	char policy[512];

	rx_prepare(w, rules, "O=a", "", NULL);
	rx_judge(w);
	rx_bad(w, "nobody", 1, 0x800b0114, "neither a commonName");
	(void)snprintf(policy, sizeof(policy),
	    "%s<PermitEmptyIdentities>true</PermitEmptyIdentities>", rules);
	rx_prepare(w, policy, "O=a", "", NULL);
	rx_judge(w);
	rx_good(w, "permitted");
	(void)snprintf(
	    policy, sizeof(policy), "%s" OUT("commonName", "b", ""), rules);
	rx_prepare(w, policy, "O=a", "", NULL);
	rx_judge(w);
	rx_good(w, "written");
}

static void
urls_and_extensions(void **state)
{
	struct world *w = *state;

	rx_prepare(w,
	    CN(ANY) LIST("CrlDistributionPoints", "http://%1/%3%8%9.crl")
		LIST("AuthorityInformationAccess", "http://%2/%7%4.crt")
		    LIST("OnlineCertificateStatusProtocol",
			"http://o/?x=1") "<CustomCertificateExtensions><"
					 "CustomCertificateExtension>"
					 "<Oid>1.3.6.1.5.5.7.1.24</"
					 "Oid><Value>MAMCAQU=</Value>"
					 "</"
					 "CustomCertificateExtension><"
					 "CustomCertificateExtension>"
					 "<Oid>1.3.6.1.5.5.7.48.1.5</Oid></"
					 "CustomCertificateExtension>"
					 "</CustomCertificateExtensions>",
	    "CN=a", "", NULL);
	rx_judge(w);
	rx_good(w, "urls");
	/* their variables are the CA's to put in */
	assert_string_equal(w->out.cdp.v[0], "http://%1/%3%8%9.crl");
	assert_string_equal(w->out.aia.v[0], "http://%2/%7%4.crt");
	assert_string_equal(w->out.ocsp.v[0], "http://o/?x=1");
	assert_int_equal(w->out.nextensions, 1);
	assert_string_equal(w->out.extensions[0].oid, "1.3.6.1.5.5.7.1.24");
	assert_int_equal(w->out.extensions[0].value.len, 5);
	assert_true(w->out.ocsp_nocheck);
	rx_prepare(w, CN(ANY), "CN=a", "", NULL);
	rx_judge(w);
	assert_int_equal(w->out.cdp.n + w->out.aia.n + w->out.ocsp.n, 0);
}

static void
no_attestation(void **state)
{
	struct world *w = *state;

	rx_prepare(w,
	    CN(ANY) "<YubiKeyPolicies><YubiKeyPolicy/>"
		    "</YubiKeyPolicies>",
	    "CN=a", "", NULL);
	rx_judge(w);
	rx_bad(w, "none", 1, 0x80094012, "no attestation of a YubiKey");
}

/* Everything at once, and without memory for it. */
static bool
judge_all(void *arg)
{
	struct world *w = arg;
	struct ae_arena *a = ae_arena_new(1 << 20);
	struct ae_rules_outcome out;
	bool ok;

	if (a == NULL)
		return false;
	ok = ae_rules_judge(&out, w->rules, &w->f, a, NULL) == AE_OK;
	ae_arena_free(a);
	return ok;
}

static void
without_memory_nothing_is_decided(void **state)
{
	struct world *w = *state;

	rx_prepare(w,
	    MAP("<SupplementServicePrincipalNames>true"
		"</SupplementServicePrincipalNames>")
		ANYSAN OUT("organizationName", "{ad:mail}", MUST)
		    OUTSAN("dNSName", "b.{ad:sn}", FORCE)
			LIST("CrlDistributionPoints", "http://%1/"),
	    "CN=a", "UPN:x", NULL);
	rx_judge(w);
	rx_good(w, "all");
	assert_true(ae_torture(judge_all, w, 4000, false) > 3);
	/* nor with an arena that is too small */
	{
		struct ae_arena *a = ae_arena_new(2048);
		struct ae_rules_outcome out;

		assert_int_equal(
		    ae_rules_judge(&out, w->rules, &w->f, a, NULL), AE_ELIMIT);
		ae_arena_free(a);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(subjects_are_written),
		T(alternative_names_are_written),
		T(an_identity_there_must_be),
		T(urls_and_extensions),
		T(no_attestation),
		T(without_memory_nothing_is_decided),
	};

	return cmocka_run_group_tests(tests, rx_setup, rx_teardown);
}
