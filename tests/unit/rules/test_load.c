/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Tests of rules/rules.h: what files say, and what is wrong with others.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/wr.h"
#include "mutate.h"
#include "rules/rules.h"
#include "torture.h"

#define ROOT                                                       \
	"<CertificateRequestPolicy "                               \
	"xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" " \
	"xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\">"
#define END "</CertificateRequestPolicy>"

/* Every element there is. */
static const char whole[] =
    "\xef\xbb\xbf<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<!-- all "
    "-->\n" ROOT "<AuditOnly>true</AuditOnly>"
    "<NotAfter>2030-12-31T23:59:59.0000000+01:00</NotAfter>"
    "<AllowedProcesses><string>taskhostw.exe</string></AllowedProcesses>"
    "<DisallowedProcesses><string>mmc.exe</string></DisallowedProcesses>"
    "<AllowedCryptoProviders><string> A KSP </string><string>B</string>"
    "</AllowedCryptoProviders>"
    "<DisallowedCryptoProviders><string>C</string></DisallowedCryptoProviders>"
    "<CrlDistributionPoints><string>http://%1/%3%8.crl</string>"
    "</CrlDistributionPoints>"
    "<AuthorityInformationAccess><string>http://%1/a</string>"
    "</AuthorityInformationAccess>"
    "<OnlineCertificateStatusProtocol><string>http://o/</string>"
    "</OnlineCertificateStatusProtocol>"
    "<MinimumKeyLength>2048</MinimumKeyLength>"
    "<MaximumKeyLength>4096</MaximumKeyLength>"
    "<Subject><SubjectRule><Field>commonName</Field><Mandatory>1</Mandatory>"
    "<MaxOccurrences>2</MaxOccurrences><MinLength>3</MinLength>"
    "<MaxLength>64</MaxLength><Patterns>"
    "<Pattern><Expression>^[a-z\\.]*$</Expression></Pattern>"
    "<Pattern><Expression>x|y</Expression><TreatAs>RegExIgnoreCase</TreatAs>"
    "<Action>Deny</Action></Pattern></Patterns></SubjectRule>"
    "<SubjectRule><Field>OID.1.2.3.4</Field></SubjectRule></Subject>"
    "<SubjectAlternativeName><SubjectRule><Field>iPAddress</Field><Patterns>"
    "<Pattern><Expression>10.0.0.0/8</Expression><TreatAs>Cidr</TreatAs>"
    "</Pattern><Pattern><Expression>a</Expression>"
    "<TreatAs>ExactMatch</TreatAs></Pattern><Pattern>"
    "<Expression>b</Expression><TreatAs>ExactMatchIgnoreCase</TreatAs>"
    "</Pattern></Patterns></SubjectRule></SubjectAlternativeName>"
    "<OutboundSubject><OutboundSubjectRule><Field>commonName</Field>"
    "<Value>{ad:sn}, {ad:givenName} {ad:mine} {sdn:x} {not}</Value>"
    "<Mandatory>true</Mandatory><Force>true</Force></OutboundSubjectRule>"
    "</OutboundSubject>"
    "<OutboundSubjectAlternativeName><OutboundSubjectRule>"
    "<Field>dNSName</Field><Value></Value></OutboundSubjectRule>"
    "</OutboundSubjectAlternativeName>"
    "<SecurityIdentifierExtension>Add</SecurityIdentifierExtension>"
    "<DirectoryServicesMapping><Action>Continue</Action>"
    "<SearchRoot>OU=a\\,b,DC=x</SearchRoot>"
    "<CertificateAttribute>dNSName</CertificateAttribute>"
    "<DirectoryServicesAttribute>dNSHostName</DirectoryServicesAttribute>"
    "<ObjectCategory>computer</ObjectCategory>"
    "<DirectoryObjectRules><DirectoryObjectRule>"
    "<DirectoryServicesAttribute>department</DirectoryServicesAttribute>"
    "<Mandatory>true</Mandatory><Patterns><Pattern>"
    "<Expression>IT</Expression></Pattern></Patterns></DirectoryObjectRule>"
    "</DirectoryObjectRules>"
    "<CustomAttributes><string>mine</string></CustomAttributes>"
    "<AllowedSecurityGroups><string>CN=a</string></AllowedSecurityGroups>"
    "<DisallowedSecurityGroups><string>CN=b</string>"
    "</DisallowedSecurityGroups>"
    "<AllowedOrganizationalUnits><string>OU=a</string>"
    "</AllowedOrganizationalUnits>"
    "<DisallowedOrganizationalUnits><string>OU=b</string>"
    "</DisallowedOrganizationalUnits>"
    "<PermitDisabledAccounts>true</PermitDisabledAccounts>"
    "<SupplementServicePrincipalNames>true</SupplementServicePrincipalNames>"
    "<AddSidUniformResourceIdentifier>true</AddSidUniformResourceIdentifier>"
    "<MaximumPasswordAge>60</MaximumPasswordAge></DirectoryServicesMapping>"
    "<YubiKeyPolicies><YubiKeyPolicy /><YubiKeyPolicy><Action>Deny</Action>"
    "<PinPolicy><string>Once</string><string>Always</string></PinPolicy>"
    "<TouchPolicy><string>Cached</string></TouchPolicy>"
    "<FormFactor><string>UsbCNano</string></FormFactor>"
    "<MaximumFirmwareVersion>5.6.9</MaximumFirmwareVersion>"
    "<MinimumFirmwareVersion>4.3</MinimumFirmwareVersion>"
    "<Edition><string>FIPS</string></Edition><Slot><string>9a</string></Slot>"
    "<KeyAlgorithm><string>ECC</string></KeyAlgorithm></YubiKeyPolicy>"
    "</YubiKeyPolicies>"
    "<SupplementDnsNames>true</SupplementDnsNames>"
    "<SupplementUnqualifiedNames>false</SupplementUnqualifiedNames>"
    "<ReadSubjectFromRequest>true</ReadSubjectFromRequest>"
    "<PermitEmptyIdentities>true</PermitEmptyIdentities>"
    "<CustomCertificateExtensions><CustomCertificateExtension>"
    "<Oid>1.3.6.1.5.5.7.1.24</Oid><Value>MAMCAQU=</Value>"
    "</CustomCertificateExtension></CustomCertificateExtensions>" END;

static struct ae_rules *
load(const char *xml)
{
	struct ae_err e = AE_ERR_INIT;
	struct ae_rules *r = NULL;

	if (ae_rules_load(&r, "T.xml", xml, strlen(xml), &e) != AE_OK)
		fail_msg("%s", e.text);
	return r;
}

static void
every_element_is_read(void **state)
{
	static const uint8_t staple[] = { 0x30, 0x03, 0x02, 0x01, 0x05 };
	struct ae_rules *r = load(whole);
	const struct ae_rules_directory *d = r->directory;

	(void)state;
	assert_true(r->audit_only);
	assert_int_equal(r->not_after, 1924988399);
	assert_string_equal(r->allowed_processes.v[0], "taskhostw.exe");
	assert_string_equal(r->disallowed_processes.v[0], "mmc.exe");
	assert_int_equal(r->allowed_providers.n, 2);
	assert_string_equal(r->allowed_providers.v[0], "A KSP");
	assert_string_equal(r->disallowed_providers.v[0], "C");
	assert_string_equal(r->cdp.v[0], "http://%1/%3%8.crl");
	assert_string_equal(r->aia.v[0], "http://%1/a");
	assert_string_equal(r->ocsp.v[0], "http://o/");
	assert_int_equal(r->min_key, 2048);
	assert_int_equal(r->max_key, 4096);
	assert_int_equal(r->subject.n, 2);
	assert_true(r->subject.v[0].mandatory);
	assert_int_equal(r->subject.v[0].max_occurrences, 2);
	assert_int_equal(r->subject.v[0].min_length, 3);
	assert_int_equal(r->subject.v[0].max_length, 64);
	assert_int_equal(r->subject.v[0].patterns.n, 2);
	assert_int_equal(
	    r->subject.v[0].patterns.v[1].treat_as, AE_RULES_REGEX_NOCASE);
	assert_int_equal(r->subject.v[0].patterns.v[1].action, AE_RULES_DENY);
	assert_int_equal(r->subject.v[1].max_length, 128);
	assert_int_equal(r->san.v[0].patterns.v[0].net.bits, 8);
	assert_true(r->out_subject.v[0].mandatory && r->out_subject.v[0].force);
	assert_string_equal(r->out_san.v[0].value, "");
	assert_int_equal(r->sid, AE_RULES_ADD);
	assert_int_equal(d->action, AE_RULES_MAP_CONTINUE);
	assert_string_equal(d->search_root, "OU=a\\,b,DC=x");
	assert_string_equal(d->certificate_attribute, "dNSName");
	assert_string_equal(d->directory_attribute, "dNSHostName");
	assert_string_equal(d->object_category, "computer");
	assert_string_equal(d->rules.v[0].attribute, "department");
	assert_true(d->rules.v[0].mandatory);
	assert_string_equal(d->allowed_groups.v[0], "CN=a");
	assert_string_equal(d->disallowed_groups.v[0], "CN=b");
	assert_string_equal(d->allowed_units.v[0], "OU=a");
	assert_string_equal(d->disallowed_units.v[0], "OU=b");
	assert_true(d->permit_disabled && d->supplement_spns && d->add_sid_uri);
	assert_int_equal(d->password_age, 60);
	assert_int_equal(r->yubikey.n, 2);
	assert_int_equal(r->yubikey.v[0].action, AE_RULES_ALLOW);
	assert_int_equal(r->yubikey.v[0].firmware_min, -1);
	assert_int_equal(r->yubikey.v[1].pin, 1 << 2 | 1 << 3);
	assert_int_equal(r->yubikey.v[1].touch, 1 << 3);
	assert_int_equal(r->yubikey.v[1].form, 1 << 4);
	assert_int_equal(r->yubikey.v[1].edition, 1 << AE_RULES_YK_FIPS);
	assert_int_equal(r->yubikey.v[1].algorithm, 1 << AE_RULES_YK_ECC);
	assert_true(r->yubikey.v[1].firmware_max == AE_RULES_FIRMWARE(5, 6, 9));
	assert_true(
	    r->yubikey.v[1].firmware_min == AE_RULES_FIRMWARE(4, 3, -1));
	assert_true(r->supplement_dns && !r->supplement_unqualified);
	assert_true(r->subject_from_request && r->permit_empty);
	assert_int_equal(r->extensions.v[0].len, sizeof(staple));
	assert_memory_equal(r->extensions.v[0].value, staple, sizeof(staple));
	/* what the directory is asked for */
	assert_int_equal(r->attributes.n, 5);
	assert_string_equal(r->attributes.v[2], "mine");
	assert_string_equal(r->attributes.v[4], "pwdLastSet");
	ae_rules_free(r);
}

static void
an_empty_policy_has_the_defaults(void **state)
{
	struct ae_rules *r = load(ROOT "<DirectoryServicesMapping />" END);

	(void)state;
	assert_false(r->audit_only);
	assert_true(r->not_after == INT64_MAX);
	assert_int_equal(r->sid, AE_RULES_DENY);
	assert_true(r->supplement_unqualified);
	assert_false(r->permit_empty);
	assert_int_equal(r->directory->action, AE_RULES_MAP_ALLOW);
	assert_string_equal(
	    r->directory->certificate_attribute, "userPrincipalName");
	assert_string_equal(r->directory->object_category, "user");
	ae_rules_free(r);
	ae_rules_free(NULL);
}

#define SUBJECT(inner) \
	ROOT "<Subject><SubjectRule>" inner "</SubjectRule></Subject>" END
#define PATTERN(inner)                                               \
	SUBJECT("<Field>commonName</Field><Patterns><Pattern>" inner \
		"</Pattern></Patterns>")
#define MAP(inner)                              \
	ROOT "<DirectoryServicesMapping>" inner \
	     "</DirectoryServicesMapping>" END

static const struct {
	const char *xml, *error;
} broken[] = {
	/* form */
	{ "", "T.xml:1:1: no element found" },
	{ "<a", "T.xml:1:" },
	{ "<CertificateRequestPolicy><AuditOnly></CertificateRequestPolicy>",
	    "T.xml:1:40: mismatched tag" },
	{ "<Policy />", "T.xml:1:1: unknown element <Policy>" },
	{ "\n\n  <CertificateRequestPolicy>\n    <Subjekt/>\n" END,
	    "T.xml:4:5: unknown element <Subjekt> in <CertificateRequest" },
	{ "<!DOCTYPE CertificateRequestPolicy []>" ROOT END,
	    "document type declaration is not allowed" },
	{ "<!DOCTYPE lolz [<!ENTITY a \"b\">]>" ROOT
	  "<NotAfter>&a;</NotAfter>" END,
	    "document type declaration is not allowed" },
	{ "<!DOCTYPE x SYSTEM \"file:///etc/passwd\">" ROOT END,
	    "document type declaration is not allowed" },
	{ ROOT "<NotAfter>&a;</NotAfter>" END, "undefined entity" },
	{ "<CertificateRequestPolicy a=\"b\"/>",
	    "T.xml:1:1: unknown attribute a" },
	{ "<CertificateRequestPolicy xmlns=\"urn:x\"/>", "unknown element" },
	{ ROOT "<AuditOnly xsi:nil=\"true\"/>" END, "unknown attribute" },
	{ ROOT "text" END,
	    "text in <CertificateRequestPolicy>, where only elements" },
	{ ROOT "<AuditOnly>true</AuditOnly><AuditOnly>true</AuditOnly>" END,
	    "<AuditOnly> is there twice" },
	{ ROOT "<AuditOnly><x/></AuditOnly>" END,
	    "unknown element <x> in <AuditOnly>" },
	{ ROOT "<Subject><x/></Subject>" END,
	    "unknown element <x> in <Subject>: only <SubjectRule> may" },
	{ ROOT "<AllowedProcesses>a</AllowedProcesses>" END,
	    "text in <AllowedProcesses>" },
	{ ROOT "<AllowedProcesses><s>a</s></AllowedProcesses>" END,
	    "only <string> may stand there" },
	{ MAP("<OutboundSubject/>"),
	    "unknown element <OutboundSubject> in <DirectoryServicesMapping>" },
	/* values */
	{ ROOT "<AuditOnly>yes</AuditOnly>" END, "not true or false" },
	{ ROOT "<AuditOnly></AuditOnly>" END, "not true or false" },
	{ ROOT "<MinimumKeyLength>-1</MinimumKeyLength>" END, "not a number" },
	{ ROOT "<MinimumKeyLength>99999999999</MinimumKeyLength>" END,
	    "not a number" },
	{ ROOT "<NotAfter>tomorrow</NotAfter>" END, "is not a date like" },
	{ ROOT "<NotAfter>2030-02-30T00:00:00.0000000Z</NotAfter>" END,
	    "is not a date like" },
	{ ROOT "<NotAfter>2030-12-31T23:59:59</NotAfter>" END,
	    "is not a date like" },
	{ ROOT "<NotAfter>2030-12-31</NotAfter>" END, "is not a date like" },
	{ ROOT "<SecurityIdentifierExtension>add</"
	       "SecurityIdentifierExtension>" END,
	    "\"add\" is not a value this element may have" },
	{ ROOT "<YubiKeyPolicies><YubiKeyPolicy><PinPolicy><string>Twice"
	       "</string></PinPolicy></YubiKeyPolicy></YubiKeyPolicies>" END,
	    "\"Twice\" is not a value" },
	{ ROOT
	    "<YubiKeyPolicies><YubiKeyPolicy><MinimumFirmwareVersion>5"
	    "</MinimumFirmwareVersion></YubiKeyPolicy></YubiKeyPolicies>" END,
	    "not a version" },
	/* sense */
	{ SUBJECT("<Mandatory>true</Mandatory>"), "SubjectRule without Field" },
	{ SUBJECT("<Field>comonName</Field>"), "\"comonName\" is the name of" },
	{ SUBJECT("<Field>dNSName</Field>"), "no field of a subject" },
	{ SUBJECT("<Field>OID.1.2.x</Field>"), "no field of a subject" },
	{ SUBJECT("<Field>title</Field><MinLength>9</MinLength>"
		  "<MaxLength>8</MaxLength>"),
	    "MinLength is larger" },
	{ ROOT "<Subject><SubjectRule><Field>title</Field></SubjectRule>"
	       "<SubjectRule><Field>title</Field></SubjectRule></Subject>" END,
	    "two rules for title" },
	{ ROOT "<SubjectAlternativeName><SubjectRule><Field>title</Field>"
	       "</SubjectRule></SubjectAlternativeName>" END,
	    "no field of an alternative name" },
	{ PATTERN("<TreatAs>RegEx</TreatAs>"), "Pattern without Expression" },
	{ PATTERN("<Expression>(</Expression>"), "character 2 of the expr" },
	{ PATTERN("<Expression>[a-z-[aeiou]]</Expression>"),
	    "class subtraction is not supported" },
	{ PATTERN("<Expression>10.0.0.0</Expression><TreatAs>Cidr</TreatAs>"),
	    "is no network" },
	{ PATTERN("<Expression>a</Expression><Action>Add</Action>"),
	    "\"Add\" is not a value" },
	{ PATTERN("<Expression>a</Expression><TreatAs>Regex</TreatAs>"),
	    "\"Regex\" is not a value" },
	{ MAP("<DirectoryServicesAttribute>mail</DirectoryServicesAttribute>"),
	    "DirectoryServicesAttribute may be" },
	{ MAP("<ObjectCategory>group</ObjectCategory>"),
	    "ObjectCategory may be" },
	{ MAP("<CertificateAttribute>upn</CertificateAttribute>"),
	    "CertificateAttribute is the name of no field" },
	{ MAP("<DirectoryObjectRules><DirectoryObjectRule>"
	      "<DirectoryServicesAttribute>a)(b</DirectoryServicesAttribute>"
	      "</DirectoryObjectRule></DirectoryObjectRules>"),
	    "is no name of an attribute" },
	{ ROOT "<OutboundSubject><OutboundSubjectRule><Value>a</Value>"
	       "</OutboundSubjectRule></OutboundSubject>" END,
	    "OutboundSubjectRule without Field" },
	{ ROOT "<OutboundSubject><OutboundSubjectRule><Field>postalCode</Field>"
	       "</OutboundSubjectRule></OutboundSubject>" END,
	    "postalCode cannot be written into a subject" },
	{ ROOT "<CustomCertificateExtensions><CustomCertificateExtension>"
	       "<Oid>2.5.29.19</Oid></CustomCertificateExtension>"
	       "</CustomCertificateExtensions>" END,
	    "the CA itself writes the extension 2.5.29.19" },
	{ ROOT "<CustomCertificateExtensions><CustomCertificateExtension>"
	       "<Oid>1.2.3.4</Oid><Value>A</Value></CustomCertificateExtension>"
	       "</CustomCertificateExtensions>" END,
	    "is not base64" },
	{ ROOT "<CustomCertificateExtensions><CustomCertificateExtension>"
	       "<Oid>1.2.</Oid></CustomCertificateExtension>"
	       "</CustomCertificateExtensions>" END,
	    "without an object identifier" },
	{ ROOT "<MinimumKeyLength>3</MinimumKeyLength>"
	       "<MaximumKeyLength>2</MaximumKeyLength>" END,
	    "MinimumKeyLength is larger" },
};

static void
what_is_wrong_is_told_with_its_place(void **state)
{
	struct ae_rules *r = NULL;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		struct ae_err e = AE_ERR_INIT;
		int rc = ae_rules_load(
		    &r, "T.xml", broken[i].xml, strlen(broken[i].xml), &e);

		if (rc != AE_EPROTO && rc != AE_EINVAL)
			fail_msg("%zu: %d for %s", i, rc, broken[i].xml);
		assert_null(r);
		if (strstr(e.text, broken[i].error) == NULL ||
		    strncmp(e.text, "T.xml:1:", 6) != 0)
			fail_msg("%zu: \"%s\" for \"%s\"", i, e.text,
			    broken[i].error);
	}
}

/* A document of many, of long, of deep. */
static void
files_are_bounded(void **state)
{
	struct ae_err e = AE_ERR_INIT;
	struct ae_rules *r = NULL;
	struct ae_wr w;
	size_t i;

	(void)state;
	ae_wr_init(&w, 1 << 20);
	ae_wr_str(&w, ROOT "<AllowedProcesses>");
	for (i = 0; i <= AE_RULES_ITEMS_MAX; i++)
		ae_wr_str(&w, "<string>a</string>");
	assert_int_equal(ae_rules_load(&r, "T", w.p, w.len, &e), AE_ELIMIT);
	ae_wr_reset(&w);
	ae_wr_str(&w, ROOT "<AllowedProcesses><string>");
	for (i = 0; i <= AE_RULES_TEXT_MAX; i++)
		ae_wr_u8(&w, 'a');
	assert_int_equal(ae_rules_load(&r, "T", w.p, w.len, &e), AE_EPROTO);
	ae_wr_reset(&w);
	while (w.len <= AE_RULES_FILE_MAX)
		ae_wr_u8(&w, ' ');
	assert_int_equal(ae_rules_load(&r, "T", w.p, w.len, &e), AE_ELIMIT);
	ae_wr_done(&w);
	assert_null(r);
}

static void
load_any(const uint8_t *p, size_t len, void *arg)
{
	struct ae_rules *r = NULL;

	(void)arg;
	if (ae_rules_load(&r, "T", p, len, NULL) == AE_OK)
		ae_rules_free(r);
}

static void
mutated_files_do_no_harm(void **state)
{
	static const char small[] = PATTERN("<Expression>^a$</Expression>");

	(void)state;
	assert_true(ae_mutate((const uint8_t *)small, sizeof(small) - 1,
			load_any, NULL) > 1000);
}

static bool
load_whole(void *arg)
{
	struct ae_rules *r = NULL;

	(void)arg;
	if (ae_rules_load(&r, "T", whole, sizeof(whole) - 1, NULL) != AE_OK)
		return false;
	ae_rules_free(r);
	return true;
}

static void
without_memory_there_is_no_policy(void **state)
{
	(void)state;
	assert_true(ae_torture(load_whole, NULL, 2000, false) > 5);
}

static void
a_set_finds_files_by_template(void **state)
{
	static const char good[] = ROOT END;
	struct ae_rules_set *s = ae_rules_set_new();
	const struct ae_rules_entry *entry;
	struct ae_err e = AE_ERR_INIT;

	(void)state;
	assert_int_equal(
	    ae_rules_set_add(s, "Web.xml", good, strlen(good), NULL, &e),
	    AE_OK);
	assert_int_equal(
	    ae_rules_set_add(s, "Broken.xml", "<x/>", 4, NULL, &e), AE_OK);
	assert_int_equal(
	    ae_rules_set_add(s, "Odd.xml", NULL, 0, "too large", &e), AE_OK);
	assert_int_equal(
	    ae_rules_set_add(s, "README", good, 1, NULL, &e), AE_EINVAL);
	assert_int_equal(ae_rules_set_count(s), 3);
	entry = ae_rules_set_find(s, "web");
	assert_non_null(entry);
	assert_non_null(entry->rules);
	/* characters that no file could have under Windows */
	assert_ptr_equal(ae_rules_set_find(s, "W:e/b?"), entry);
	assert_null(ae_rules_set_find(s, "Web1"));
	assert_null(ae_rules_set_find(s, ""));
	entry = ae_rules_set_find(s, "Broken");
	assert_null(entry->rules);
	assert_string_equal(entry->error,
	    "Broken.xml:1:1: unknown element "
	    "<x>: a policy file is a <CertificateRequestPolicy>");
	assert_string_equal(ae_rules_set_find(s, "Odd")->error, "too large");
	ae_rules_set_free(s);
	ae_rules_set_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_element_is_read),
		cmocka_unit_test(an_empty_policy_has_the_defaults),
		cmocka_unit_test(what_is_wrong_is_told_with_its_place),
		cmocka_unit_test(files_are_bounded),
		cmocka_unit_test(mutated_files_do_no_harm),
		cmocka_unit_test(without_memory_there_is_no_policy),
		cmocka_unit_test(a_set_finds_files_by_template),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
