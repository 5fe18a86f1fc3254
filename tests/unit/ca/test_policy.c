/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Policy files in the decision: which one counts, how its violations become
 * reasons, and what it writes into the certificate.  The rules themselves
 * are tested in tests/unit/rules.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca/signcheck.h"
#include "fixture.h"
#include "pki/name.h"
#include "pki/oid.h"

static struct fx f;
static struct ae_rules_set *set;
static struct ae_wr subject;

static int
setup(void **state)
{
	(void)state;
	ae_wr_init(&subject, 4096);
	return fx_begin(&f) ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	fx_end(&f);
	ae_rules_set_free(set);
	ae_wr_done(&subject);
	return 0;
}

static int
fresh(void **state)
{
	(void)state;
	ae_rules_set_free(set);
	set = ae_rules_set_new();
	assert_non_null(set);
	fx_reset(&f);
	f.t.algorithms.asymmetric = strdup("ECDSA_P256");
	f.other.algorithms.asymmetric = strdup("ECDSA_P256");
	f.in.policies = set;
	return 0;
}

/* The policy file of a template. */
static void
policy(const char *template, const char *elements)
{
	struct ae_err e = AE_ERR_INIT;
	char xml[4096], file[64];

	(void)snprintf(xml, sizeof(xml),
	    "<CertificateRequestPolicy>%s</CertificateRequestPolicy>",
	    elements);
	(void)snprintf(file, sizeof(file), "%s.xml", template);
	assert_int_equal(
	    ae_rules_set_add(set, file, xml, strlen(xml), NULL, &e), AE_OK);
}

/* The template takes names from the request, which has these. */
static void
supplied(const char *cn, const char *country)
{
	const struct ae_name_part parts[] = { { "C", country }, { "CN", cn } };
	const size_t skip = country == NULL;

	f.t.name_flag = AE_CT_ENROLLEE_SUPPLIES_SUBJECT;
	f.cfg.allow_supplied_auth_subject = true;
	ae_wr_reset(&subject);
	assert_int_equal(
	    ae_name_encode(&subject, parts + skip, 2 - skip, NULL), AE_OK);
	f.csr_spec.subject = (struct ae_der){ subject.p, subject.len };
	fx_csr(&f);
}

static struct ae_cert *
certificate(void)
{
	struct ae_cert *c = NULL;

	assert_int_equal(f.d.verdict, AE_CA_ISSUE);
	assert_int_equal(
	    ae_cert_parse_tbs(&c, f.d.tbs, f.d.tbs_len, &f.e), AE_OK);
	return c;
}

static void
expect_subject(const struct ae_cert *c, const char *text)
{
	char *s = NULL;

	assert_int_equal(ae_name_print(&s, c->subject, NULL), AE_OK);
	assert_string_equal(s, text);
	free(s);
}

/* What the directory says of somebody. */
static void
answer_object(unsigned found)
{
	static const struct ae_rules_value attributes[] = {
		{ "department", "IT" }, { "mail", "pc1@example.com" }
	};

	f.answers.answered |= AE_CA_ASK_OBJECT;
	f.answers.object = (struct ae_rules_object){ .found = found,
		.dn = "CN=PC1,CN=Computers,DC=example,DC=com",
		.attributes = attributes,
		.nattributes = 2 };
	assert_true(ae_sid_parse(&f.answers.object.sid, "S-1-5-21-1-2-3-1999"));
}

#define CN_RULE                                                              \
	"<Subject><SubjectRule><Field>commonName</Field><Patterns><Pattern>" \
	"<Expression>\\.example\\.com$</Expression></Pattern></Patterns>"    \
	"</SubjectRule></Subject>"

static void
without_a_file_nothing_changes(void **state)
{
	(void)state;
	policy("Elsewhere", CN_RULE);
	fx_decide(&f);
	assert_int_equal(f.d.verdict, AE_CA_ISSUE);
	f.in.policies = NULL;
	fx_decide(&f);
	assert_int_equal(f.d.verdict, AE_CA_ISSUE);
}

static void
deny_without_policy(void **state)
{
	(void)state;
	f.cfg.policy_required = true;
	fx_decide(&f);
	assert_int_equal(f.d.verdict, AE_CA_DENY);
	assert_int_equal(f.d.hresult, 0x80090020);
	assert_string_equal(fx_stop(&f)->check, "rules.missing");
	f.in.policies = NULL;
	fx_decide(&f);
	assert_int_equal(f.d.hresult, 0x80090020);
	f.in.policies = set;
	policy("workstation", "");
	fx_decide(&f);
	assert_int_equal(f.d.verdict, AE_CA_ISSUE);
	assert_true(fx_has_reason(&f, "rules.kept"));
}

static void
a_broken_file_denies_its_template_alone(void **state)
{
	(void)state;
	policy("Workstation", "<Subjekt/>");
	fx_decide(&f);
	assert_int_equal(f.d.verdict, AE_CA_DENY);
	assert_int_equal(f.d.hresult, 0x80090020);
	assert_true(f.d.store);
	assert_string_equal(fx_stop(&f)->check, "rules.broken");
	assert_non_null(strstr(
	    f.d.message, "Workstation.xml:1:27: unknown element <Subjekt>"));
	f.rq.attributes = "CertificateTemplate:Other";
	fx_decide(&f);
	assert_int_equal(f.d.verdict, AE_CA_ISSUE);
}

static void
every_violation_is_a_reason(void **state)
{
	size_t i, n = 0;

	(void)state;
	policy("Workstation",
	    CN_RULE "<MinimumKeyLength>384"
		    "</MinimumKeyLength>");
	supplied("www.evil.org", "XX");
	fx_decide(&f);
	assert_int_equal(f.d.verdict, AE_CA_DENY);
	assert_int_equal(f.d.hresult, 0x80094811); /* of the first */
	for (i = 0; i < f.d.nreasons; i++)
		n += strncmp(f.d.reasons[i].check, "rules.", 6) == 0;
	assert_int_equal(n, 3);
	assert_true(fx_has_reason(&f, "rules.key"));
	assert_string_equal(fx_stop(&f)->check, "rules.subject");
	/* the row and the client have all of them */
	assert_non_null(strstr(f.d.message,
	    "Denied by Policy Module  "
	    "0x80094811, a key of 256 bits"));
	assert_non_null(strstr(f.d.message, "countryName \"XX\" is not"));
	assert_non_null(strstr(f.d.message, "commonName \"www.evil.org\""));
	supplied("www.example.com", NULL);
	policy("Other", "");
	fx_decide(&f);
	assert_int_equal(f.d.verdict, AE_CA_DENY);
	assert_int_equal(f.d.hresult, 0x80094811);
}

static void
audit_only(void **state)
{
	struct ae_cert *c;

	(void)state;
	policy("Workstation",
	    CN_RULE
	    "<AuditOnly>true</AuditOnly><OutboundSubject><OutboundSubjectRule>"
	    "<Field>organizationName</Field><Value>ACME</Value>"
	    "</OutboundSubjectRule></OutboundSubject>");
	supplied("www.evil.org", NULL);
	fx_decide(&f);
	c = certificate();
	assert_true(fx_has_reason(&f, "rules.subject"));
	assert_true(fx_has_reason(&f, "rules.audit-only"));
	expect_subject(c, "CN=www.evil.org");
	ae_cert_free(c);
	/* and what is kept is not written either */
	supplied("www.example.com", NULL);
	fx_decide(&f);
	c = certificate();
	assert_false(fx_has_reason(&f, "rules.audit-only"));
	expect_subject(c, "CN=www.example.com");
	ae_cert_free(c);
}

static void
the_object_is_asked_for(void **state)
{
	struct ae_cert *c;

	(void)state;
	policy("Workstation",
	    "<DirectoryServicesMapping/><OutboundSubject><OutboundSubjectRule>"
	    "<Field>organizationalUnitName</Field><Value>{ad:department}"
	    "</Value><Mandatory>true</Mandatory></OutboundSubjectRule>"
	    "</OutboundSubject><OutboundSubjectAlternativeName>"
	    "<OutboundSubjectRule><Field>rfc822Name</Field><Value>{ad:mail}"
	    "</Value></OutboundSubjectRule></OutboundSubjectAlternativeName>");
	fx_decide(&f);
	assert_int_equal(f.d.verdict, AE_CA_ASK);
	assert_int_equal(f.d.ask, AE_CA_ASK_OBJECT);
	assert_true(f.d.ask_object.own);
	assert_string_equal(f.d.ask_object.category, "computer");
	assert_int_equal(f.d.ask_object.attributes.n, 2);
	assert_true(ae_sid_equal(f.d.ask_sid, &f.user));
	f.answers.failed |= AE_CA_ASK_OBJECT;
	fx_decide(&f);
	assert_int_equal(f.d.verdict, AE_CA_DENY);
	assert_int_equal(f.d.hresult, 0x8007200f);
	f.answers.failed = 0;
	answer_object(0);
	fx_decide(&f);
	assert_int_equal(f.d.hresult, 0x80094012);
	answer_object(1);
	fx_decide(&f);
	c = certificate();
	expect_subject(c, "CN=pc1.example.com,OU=IT");
	assert_int_equal(c->x.nsans, 2);
	assert_string_equal(
	    ae_exts_san(&c->x, AE_SAN_EMAIL)->text, "pc1@example.com");
	/* whose SID is another's only where the file says so */
	assert_true(ae_sid_equal(&c->x.sid, &f.user));
	ae_cert_free(c);
}

static void
a_mapped_object_by_name(void **state)
{
	struct ae_cert *c;

	(void)state;
	policy("Workstation",
	    CN_RULE
	    "<SecurityIdentifierExtension>Add</SecurityIdentifierExtension>"
	    "<DirectoryServicesMapping><CertificateAttribute>commonName"
	    "</CertificateAttribute><DirectoryServicesAttribute>dNSHostName"
	    "</DirectoryServicesAttribute><ObjectCategory>computer"
	    "</ObjectCategory></DirectoryServicesMapping>");
	supplied("www.example.com", NULL);
	fx_decide(&f);
	assert_int_equal(f.d.verdict, AE_CA_ASK);
	assert_false(f.d.ask_object.own);
	assert_string_equal(f.d.ask_object.attribute, "dNSHostName");
	assert_string_equal(f.d.ask_object.value, "www.example.com");
	answer_object(1);
	fx_decide(&f);
	c = certificate();
	assert_true(ae_sid_equal(&c->x.sid, &f.answers.object.sid));
	ae_cert_free(c);
}

/* What the policy file asks next, and how many others bear which of them. */
static void
answer_hosts(size_t answered, unsigned others)
{
	f.answers.answered |= AE_CA_ASK_HOSTS;
	f.answers.nhosts = answered;
	f.answers.host_other_owners = others;
}

/*
 * CVE-2022-26923 by way of a policy file: a host name that an account says
 * of itself goes into a certificate only when nobody else bears it.
 */
static void
cve_2022_26923_names_of_a_policy_file(void **state)
{
	static const char *spns[] = { "HTTP/web.example.com:8080",
		"HOST/PC1.example.com", "MSSQL/db.example.com" };
	static const struct ae_rules_value attributes[] = {
		{ "dNSHostName", "pc1.example.com" },
		{ "mail", "pc1@example.com" },
	};
	struct ae_cert *c;

	(void)state;
	policy("Workstation",
	    "<DirectoryServicesMapping><SupplementServicePrincipalNames>true"
	    "</SupplementServicePrincipalNames></DirectoryServicesMapping>"
	    "<OutboundSubjectAlternativeName><OutboundSubjectRule><Field>"
	    "dNSName</Field><Value>{ad:dNSHostName}</Value><Force>true</Force>"
	    "</OutboundSubjectRule><OutboundSubjectRule><Field>dNSName</Field>"
	    "<Value>fixed.example.com</Value><Force>true</Force>"
	    "</OutboundSubjectRule><OutboundSubjectRule><Field>rfc822Name"
	    "</Field><Value>{ad:mail}</Value></OutboundSubjectRule>"
	    "</OutboundSubjectAlternativeName>");
	answer_object(1);
	f.answers.object.attributes = attributes;
	f.answers.object.spns = (struct ae_rules_strings){ spns, 3 };
	fx_decide(&f);
	assert_int_equal(f.d.verdict, AE_CA_ASK);
	assert_int_equal(f.d.ask, AE_CA_ASK_HOSTS);
	/* of what the file itself says, and of other kinds, nobody is asked */
	assert_int_equal(f.d.nask_hosts, 2);
	assert_string_equal(f.d.ask_hosts[0], "web.example.com");
	assert_string_equal(f.d.ask_hosts[1], "PC1.example.com");
	assert_true(ae_sid_equal(f.d.ask_hosts_sid, &f.answers.object.sid));
	answer_hosts(1, 1);
	fx_decide(&f);
	assert_int_equal(f.d.verdict, AE_CA_DENY);
	assert_int_equal(f.d.hresult, 0x8009480f);
	assert_string_equal(fx_stop(&f)->check, "deny.duplicate-name");
	assert_non_null(strstr(f.d.message, "web.example.com"));
	answer_hosts(2, 3);
	fx_decide(&f);
	assert_int_equal(f.d.verdict, AE_CA_DENY);
	assert_non_null(strstr(f.d.message,
	    "3 other accounts bear the name "
	    "\"PC1.example.com\""));
	/* one that was not answered is no permission */
	answer_hosts(1, 0);
	fx_decide(&f);
	assert_int_equal(f.d.verdict, AE_CA_DENY);
	f.answers.answered &= ~(unsigned)AE_CA_ASK_HOSTS;
	f.answers.failed = AE_CA_ASK_HOSTS;
	fx_decide(&f);
	assert_int_equal(f.d.hresult, 0x8007200f);
	f.answers.failed = 0;
	answer_hosts(2, 0);
	fx_decide(&f);
	c = certificate();
	assert_true(fx_has_reason(&f, "rules.hosts"));
	assert_int_equal(c->x.nsans, 4);
	ae_cert_free(c);
}

/* The common name of a machine is read as its host name, too. */
static void
cve_2022_26923_common_names(void **state)
{
	static const struct ae_rules_value attributes[] = { { "dNSHostName",
	    "pc1.example.com" } };
	static const char file[] =
	    "<DirectoryServicesMapping/><OutboundSubject><OutboundSubjectRule>"
	    "<Field>commonName</Field><Value>{ad:dNSHostName}</Value><Force>"
	    "true</Force></OutboundSubjectRule></OutboundSubject>";

	(void)state;
	policy("Workstation", file);
	answer_object(1);
	f.answers.object.attributes = attributes;
	f.answers.object.nattributes = 1;
	fx_decide(&f);
	assert_int_equal(f.d.verdict, AE_CA_ASK);
	assert_int_equal(f.d.nask_hosts, 1);
	f.t.flags &= ~AE_CT_MACHINE_TYPE;
	fx_decide(&f);
	assert_int_equal(f.d.verdict, AE_CA_ISSUE);
}

static void
the_certificate_has_what_the_file_says(void **state)
{
	static const char urls[] =
	    "<NotAfter>2026-12-31T00:00:00.0000000Z</NotAfter>"
	    "<CrlDistributionPoints><string>http://%1/%3.crl</string>"
	    "</CrlDistributionPoints><OnlineCertificateStatusProtocol>"
	    "<string>http://ocsp.example.com/</string>"
	    "</OnlineCertificateStatusProtocol><CustomCertificateExtensions>"
	    "<CustomCertificateExtension><Oid>1.3.6.1.5.5.7.1.24</Oid>"
	    "<Value>MAMCAQU=</Value></CustomCertificateExtension>"
	    "</CustomCertificateExtensions>";
	struct ae_ca_sign_config sign = { .issuer = f.ca_cert->subject,
		.sigalg = f.cfg.sigalg,
		.ca_not_before = f.ca_cert->not_before,
		.ca_not_after = f.ca_cert->not_after,
		.max_backdate = 3600,
		.serial_instance = 0x1f,
		.rsa_bits_min = 2048,
		.rsa_bits_max = 4096 };
	const struct ae_ext *x;
	struct ae_cert *c;

	(void)state;
	policy("Workstation", urls);
	fx_decide(&f);
	c = certificate();
	assert_int_equal(c->not_after, 1798675200);
	assert_int_equal(f.d.not_after, 1798675200);
	assert_int_equal(c->x.cdp.n, 1);
	assert_string_equal(
	    c->x.cdp.v[0], "http://ca1.example.com/Example%20CA.crl");
	/* one extension: what the file does not name is not in it */
	assert_int_equal(c->x.aia_issuers.n, 0);
	assert_string_equal(c->x.aia_ocsp.v[0], "http://ocsp.example.com/");
	x = ae_exts_find(&c->x, "1.3.6.1.5.5.7.1.24");
	assert_non_null(x);
	assert_false(x->critical);
	assert_memory_equal(x->value.p, "\x30\x03\x02\x01\x05", 5);
	/* and it is signed */
	sign.keyid = c->x.aki;
	if (ae_ca_sign_check(&sign, f.d.tbs, f.d.tbs_len, FX_NOW, &f.e) !=
	    AE_OK)
		fail_msg("%s", f.e.text);
	ae_cert_free(c);
}

/* The signer knows the same list, so that nothing is promised in vain. */
static void
other_extensions_are_the_configuration_s(void **state)
{
	struct ae_cert *c;

	(void)state;
	policy("Workstation",
	    "<CustomCertificateExtensions>"
	    "<CustomCertificateExtension><Oid>1.2.3.4</Oid><Value>BQA=</Value>"
	    "</CustomCertificateExtension></CustomCertificateExtensions>");
	fx_decide(&f);
	assert_int_equal(f.d.verdict, AE_CA_DENY);
	assert_int_equal(f.d.hresult, 0x80090020);
	assert_string_equal(fx_stop(&f)->check, "rules.extension");
	assert_true(ae_strv_add(&f.cfg.more_extensions, "1.2.3.4"));
	fx_decide(&f);
	c = certificate();
	assert_non_null(ae_exts_find(&c->x, "1.2.3.4"));
	ae_cert_free(c);
	ae_strv_done(&f.cfg.more_extensions);
}

/* The date a policy file had is over for everybody. */
static void
a_date_that_has_passed(void **state)
{
	(void)state;
	policy("Workstation", "<NotAfter>2020-01-01T00:00:00Z</NotAfter>");
	fx_decide(&f);
	assert_int_equal(f.d.verdict, AE_CA_DENY);
	assert_int_equal(f.d.hresult, 0x8007076d);
}

static void
names_alone_are_critical(void **state)
{
	struct ae_cert *c;

	(void)state;
	policy("Workstation",
	    "<OutboundSubject><OutboundSubjectRule>"
	    "<Field>commonName</Field><Value></Value><Force>true</Force>"
	    "</OutboundSubjectRule></OutboundSubject>");
	fx_decide(&f);
	c = certificate();
	expect_subject(c, "");
	assert_true(ae_exts_find(&c->x, AE_OID_SAN)->critical);
	ae_cert_free(c);
	/* what no name can hold is refused */
	assert_int_equal(fresh(state), 0);
	policy("Workstation",
	    "<OutboundSubject><OutboundSubjectRule>"
	    "<Field>emailAddress</Field><Value>\xc3\xa4@x</Value>"
	    "</OutboundSubjectRule></OutboundSubject>");
	fx_decide(&f);
	assert_int_equal(f.d.verdict, AE_CA_DENY);
	assert_string_equal(fx_stop(&f)->check, "rules.outbound");
}

static void
one_that_is_only_tried(void **state)
{
	struct ae_rules_entry tried = { .template = NULL };
	struct ae_err e = AE_ERR_INIT;
	const char *xml = "<CertificateRequestPolicy><MinimumKeyLength>999"
			  "</MinimumKeyLength></CertificateRequestPolicy>";

	(void)state;
	policy("Workstation", "");
	assert_int_equal(
	    ae_rules_load(&tried.rules, "T", xml, strlen(xml), &e), AE_OK);
	f.in.policy = &tried;
	fx_decide(&f);
	assert_int_equal(f.d.hresult, 0x80094811);
	ae_rules_free(tried.rules);
}

#define T(t) cmocka_unit_test_setup(t, fresh)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(without_a_file_nothing_changes),
		T(deny_without_policy),
		T(a_broken_file_denies_its_template_alone),
		T(every_violation_is_a_reason),
		T(audit_only),
		T(the_object_is_asked_for),
		T(a_mapped_object_by_name),
		T(cve_2022_26923_names_of_a_policy_file),
		T(cve_2022_26923_common_names),
		T(the_certificate_has_what_the_file_says),
		T(other_extensions_are_the_configuration_s),
		T(a_date_that_has_passed),
		T(names_alone_are_critical),
		T(one_that_is_only_tried),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
