/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Every flag of MS-CRTD 2.4, 2.26, 2.27 and 2.28, one row each: what it does
 * to a certificate, or that it does nothing because it is the client's own
 * business, a renewal's, or reserved.  tools/check-rules holds the rows of
 * doc/ca-rules.md against these.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "pki/name.h"
#include "pki/oid.h"
#include "wcce/hresult.h"

static struct fx f;
static struct ae_cert *cert;

static int
setup(void **state)
{
	(void)state;
	fx_reset(&f);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	ae_cert_free(cert);
	cert = NULL;
	ae_strv_done(&f.csr_spec.x.cert_policies);
	return 0;
}

/* ---- what comes of it ---- */

static void
issue(void)
{
	fx_decide(&f);
	if (f.d.verdict != AE_CA_ISSUE)
		fail_msg("%s: %s", fx_stop(&f)->check, fx_stop(&f)->text);
	ae_cert_free(cert);
	cert = NULL;
	assert_int_equal(
	    ae_cert_parse_tbs(&cert, f.d.tbs, f.d.tbs_len, &f.e), AE_OK);
}

static void
refused(uint32_t hr)
{
	fx_decide(&f);
	assert_int_equal(f.d.verdict, AE_CA_DENY);
	assert_int_equal(f.d.hresult, hr);
}

static void
subject_is(const char *want)
{
	char *text = NULL;

	issue();
	assert_int_equal(ae_name_print(&text, cert->subject, &f.e), AE_OK);
	assert_string_equal(text, want);
	free(text);
}

/* Exactly these alternative names, of one type. */
static void
names_are(enum ae_san_type type, const char *first, const char *second)
{
	issue();
	assert_int_equal(cert->x.nsans, second == NULL ? 1 : 2);
	assert_int_equal(cert->x.sans[0].type, type);
	assert_string_equal(cert->x.sans[0].text, first);
	if (second != NULL)
		assert_string_equal(cert->x.sans[1].text, second);
}

/* A user's template, for usages that authenticate nobody. */
static void
server_auth_only(void)
{
	ae_strv_done(&f.t.ekus);
	ae_strv_done(&f.t.application_policies);
	assert_true(ae_strv_add(&f.t.ekus, AE_OID_EKU_SERVER_AUTH));
}

/* ---- 2.4 flags ---- */

static void
machine_type(void)
{
	/* a computer's CN is its host name, and it must have one */
	f.t.name_flag = AE_CT_SUBJECT_COMMON_NAME;
	subject_is("CN=pc1.example.com");
	f.answers.requester.dns_host_name = NULL;
	refused(AE_HR_SUBJECT_DNS_REQUIRED);
	f.t.flags = 0;
	subject_is("CN=PC1");
}

static void
is_ca(void)
{
	f.t.flags |= AE_CT_IS_CA;
	refused(AE_HR_UNSUPPORTED_CERT_TYPE);
}

static void
is_cross_ca(void)
{
	f.t.flags |= AE_CT_IS_CROSS_CA;
	refused(AE_HR_UNSUPPORTED_CERT_TYPE);
}

/* ---- 2.26 msPKI-Enrollment-Flag ---- */

static void
symmetric_algorithms(void)
{
	issue();
	assert_null(ae_exts_find(&cert->x, AE_OID_SMIME_CAPS));
	f.t.enrollment_flag |= AE_CT_INCLUDE_SYMMETRIC_ALGORITHMS;
	issue();
	assert_non_null(ae_exts_find(&cert->x, AE_OID_SMIME_CAPS));
}

static void
pend_all(void)
{
	f.t.enrollment_flag |= AE_CT_PEND_ALL_REQUESTS;
	fx_decide(&f);
	assert_int_equal(f.d.verdict, AE_CA_PEND);
	assert_string_equal(f.d.message, "Taken Under Submission");
}

static void
ocsp_nocheck(void)
{
	f.t.enrollment_flag |= AE_CT_ADD_OCSP_NOCHECK;
	issue(); /* not for OCSP signing: it means nothing */
	assert_false(cert->x.ocsp_nocheck);
	assert_int_equal(cert->x.cdp.n, 1);
	assert_true(
	    ae_strv_add(&f.t.application_policies, AE_OID_EKU_OCSP_SIGNING));
	issue();
	assert_true(cert->x.ocsp_nocheck);
	assert_int_equal(cert->x.cdp.n + cert->x.aia_issuers.n, 0);
}

static void
no_revocation(void)
{
	assert_true(ae_strv_add(&f.cfg.ocsp_urls, "http://o.example.com/"));
	issue();
	assert_int_equal(cert->x.cdp.n + cert->x.aia_ocsp.n, 2);
	f.t.enrollment_flag |= AE_CT_NOREVOCATIONINFO;
	issue();
	assert_int_equal(cert->x.cdp.n + cert->x.aia_ocsp.n, 0);
	assert_int_equal(cert->x.aia_issuers.n, 1);
}

static void
basic_constraints(void)
{
	issue();
	assert_false(cert->x.has_basic_constraints);
	f.t.enrollment_flag |= AE_CT_INCLUDE_BASIC_CONSTRAINTS_FOR_EE;
	issue();
	assert_true(cert->x.has_basic_constraints);
	assert_false(cert->x.ca);
	assert_int_equal(cert->x.path_len, -1);
}

static void
policies_from_request(void)
{
	assert_true(ae_strv_add(&f.t.certificate_policies, "1.2.3.4"));
	assert_true(ae_strv_add(&f.t.certificate_policies, "1.2.3.5"));
	assert_true(ae_strv_add(&f.csr_spec.x.cert_policies, "1.2.3.5"));
	fx_csr(&f);
	issue();
	assert_int_equal(cert->x.cert_policies.n, 2);
	f.t.enrollment_flag |= AE_CT_ISSUANCE_POLICIES_FROM_REQUEST;
	issue();
	assert_int_equal(cert->x.cert_policies.n, 1);
	assert_string_equal(cert->x.cert_policies.v[0], "1.2.3.5");
	ae_strv_done(&f.t.certificate_policies);
	refused(AE_HR_TEMPLATE_CONFLICT);
}

static void
no_security_extension(void)
{
	server_auth_only();
	issue();
	assert_true(cert->x.has_sid);
	f.t.enrollment_flag |= AE_CT_NO_SECURITY_EXTENSION;
	issue();
	assert_false(cert->x.has_sid);
}

/* ---- 2.27 msPKI-Private-Key-Flag ---- */

static void
archival(void)
{
	f.t.private_key_flag |= AE_CT_REQUIRE_PRIVATE_KEY_ARCHIVAL;
	refused(AE_HR_ARCHIVED_KEY_REQUIRED);
	f.t.schema_version = 1; /* which knows no such flags */
	issue();
}

static void
attest_required(void)
{
	f.t.private_key_flag |= AE_CT_ATTEST_REQUIRED;
	refused(AE_HR_KEY_ATTESTATION);
}

static void
server_version(void)
{
	uint32_t v;

	for (v = 0; v < 16; v++) {
		f.t.private_key_flag = v << 16;
		if (v <= 6)
			issue();
		else
			refused(AE_HR_UNSUPPORTED_CERT_TYPE);
	}
}

/* ---- 2.28 msPKI-Certificate-Name-Flag ---- */

static void
supplies_subject(void)
{
	f.csr_spec.subject = f.ca_cert->subject;
	fx_csr(&f);
	f.cfg.allow_supplied_auth_subject = true;
	subject_is("CN=pc1.example.com"); /* what it asked for is ignored */
	f.t.name_flag |= AE_CT_ENROLLEE_SUPPLIES_SUBJECT;
	issue();
	assert_true(ae_der_equal(cert->subject, f.ca_cert->subject));
	f.csr_spec.subject = (struct ae_der){ NULL, 0 };
	fx_csr(&f);
	refused(AE_HR_BAD_REQUESTSUBJECT);
}

static void
san_domain_dns(void)
{
	f.t.name_flag = AE_CT_SAN_DOMAIN_DNS;
	names_are(AE_SAN_DNS, "example.com", "EXAMPLE");
}

static void
san_spn(void)
{
	f.t.name_flag = AE_CT_SAN_SPN;
	names_are(AE_SAN_UPN, "PC1$@example.com", NULL);
}

static void
san_guid(void)
{
	f.t.name_flag = AE_CT_SAN_DIRECTORY_GUID;
	issue();
	assert_int_equal(cert->x.sans[0].type, AE_SAN_GUID);
	assert_true(
	    ae_guid_equal(&cert->x.sans[0].guid, &f.answers.requester.guid));
}

static void
san_upn(void)
{
	f.t.name_flag = AE_CT_SAN_UPN;
	names_are(AE_SAN_UPN, "PC1$@example.com", NULL);
	f.answers.requester.upn = NULL;
	refused(AE_HR_SUBJECT_UPN_REQUIRED);
}

static void
san_email(void)
{
	f.t.name_flag = AE_CT_SAN_EMAIL;
	names_are(AE_SAN_EMAIL, "pc1@example.com", NULL);
	f.answers.requester.mail = NULL;
	refused(AE_HR_SUBJECT_EMAIL_REQUIRED);
}

static void
san_dns(void)
{
	f.t.name_flag = AE_CT_SAN_DNS;
	names_are(AE_SAN_DNS, "pc1.example.com", NULL);
}

static void
dns_as_cn(void)
{
	f.t.name_flag = AE_CT_SUBJECT_DNS_AS_CN;
	subject_is("CN=pc1.example.com");
}

static void
subject_email(void)
{
	f.t.flags = 0;
	f.t.name_flag = AE_CT_SUBJECT_EMAIL | AE_CT_SUBJECT_COMMON_NAME;
	issue();
	f.t.name_flag = AE_CT_SUBJECT_EMAIL;
	f.answers.requester.mail = NULL;
	refused(AE_HR_SUBJECT_EMAIL_REQUIRED);
}

static void
common_name(void)
{
	f.t.flags = 0;
	f.t.name_flag = AE_CT_SUBJECT_COMMON_NAME;
	subject_is("CN=PC1");
}

static void
directory_path(void)
{
	/* before the common name, and whoever it is for */
	f.t.name_flag =
	    AE_CT_SUBJECT_DIRECTORY_PATH | AE_CT_SUBJECT_COMMON_NAME;
	subject_is("CN=PC1,CN=Computers,DC=example,DC=com");
}

/* ---- the rows ---- */

enum place { FLAGS, ENROLLMENT, KEY, NAME };

/* clang-format off */
static const struct flag {
	enum place place;
	const char *name;
	uint32_t bit;
	void (*effect)(void); /* NULL: on a new request it has none */
} flags[] = {
	{ FLAGS, "CT_FLAG_ADD_EMAIL", 0x00000002, NULL },
	{ FLAGS, "CT_FLAG_PUBLISH_TO_DS (reserved)", 0x00000008, NULL },
	{ FLAGS, "CT_FLAG_EXPORTABLE_KEY (reserved)", 0x00000010, NULL },
	{ FLAGS, "CT_FLAG_AUTO_ENROLLMENT (flags)", 0x00000020, NULL },
	{ FLAGS, "CT_FLAG_MACHINE_TYPE", 0x00000040, machine_type },
	{ FLAGS, "CT_FLAG_IS_CA", 0x00000080, is_ca },
	{ FLAGS, "CT_FLAG_ADD_TEMPLATE_NAME", 0x00000200, NULL },
	{ FLAGS, "CT_FLAG_IS_CROSS_CA", 0x00000800, is_cross_ca },
	{ FLAGS, "CT_FLAG_DONOTPERSISTINDB", 0x00001000, NULL },
	{ FLAGS, "CT_FLAG_IS_DEFAULT", 0x00010000, NULL },
	{ FLAGS, "CT_FLAG_IS_MODIFIED", 0x00020000, NULL },

	{ ENROLLMENT, "CT_FLAG_INCLUDE_SYMMETRIC_ALGORITHMS", 0x00000001, symmetric_algorithms },
	{ ENROLLMENT, "CT_FLAG_PEND_ALL_REQUESTS", 0x00000002, pend_all },
	{ ENROLLMENT, "CT_FLAG_PUBLISH_TO_KRA_CONTAINER", 0x00000004, NULL },
	{ ENROLLMENT, "CT_FLAG_PUBLISH_TO_DS", 0x00000008, NULL },
	{ ENROLLMENT, "CT_FLAG_AUTO_ENROLLMENT_CHECK_USER_DS_CERTIFICATE", 0x00000010, NULL },
	{ ENROLLMENT, "CT_FLAG_AUTO_ENROLLMENT", 0x00000020, NULL },
	{ ENROLLMENT, "CT_FLAG_PREVIOUS_APPROVAL_VALIDATE_REENROLLMENT", 0x00000040, NULL },
	{ ENROLLMENT, "CT_FLAG_USER_INTERACTION_REQUIRED", 0x00000100, NULL },
	{ ENROLLMENT, "CT_FLAG_REMOVE_INVALID_CERTIFICATE_FROM_PERSONAL_STORE", 0x00000400, NULL },
	{ ENROLLMENT, "CT_FLAG_ALLOW_ENROLL_ON_BEHALF_OF", 0x00000800, NULL },
	{ ENROLLMENT, "CT_FLAG_ADD_OCSP_NOCHECK", 0x00001000, ocsp_nocheck },
	{ ENROLLMENT, "CT_FLAG_ENABLE_KEY_REUSE_ON_NT_TOKEN_KEYSET_STORAGE_FULL", 0x00002000, NULL },
	{ ENROLLMENT, "CT_FLAG_NOREVOCATIONINFOINISSUEDCERTS", 0x00004000, no_revocation },
	{ ENROLLMENT, "CT_FLAG_INCLUDE_BASIC_CONSTRAINTS_FOR_EE_CERTS", 0x00008000, basic_constraints },
	{ ENROLLMENT, "CT_FLAG_ALLOW_PREVIOUS_APPROVAL_KEYBASEDRENEWAL_VALIDATE_REENROLLMENT", 0x00010000, NULL },
	{ ENROLLMENT, "CT_FLAG_ISSUANCE_POLICIES_FROM_REQUEST", 0x00020000, policies_from_request },
	{ ENROLLMENT, "CT_FLAG_SKIP_AUTO_RENEWAL", 0x00040000, NULL },
	{ ENROLLMENT, "CT_FLAG_NO_SECURITY_EXTENSION", 0x00080000, no_security_extension },

	{ KEY, "CT_FLAG_REQUIRE_PRIVATE_KEY_ARCHIVAL", 0x00000001, archival },
	{ KEY, "CT_FLAG_EXPORTABLE_KEY", 0x00000010, NULL },
	{ KEY, "CT_FLAG_STRONG_KEY_PROTECTION_REQUIRED", 0x00000020, NULL },
	{ KEY, "CT_FLAG_REQUIRE_ALTERNATE_SIGNATURE_ALGORITHM", 0x00000040, NULL },
	{ KEY, "CT_FLAG_REQUIRE_SAME_KEY_RENEWAL", 0x00000080, NULL },
	{ KEY, "CT_FLAG_USE_LEGACY_PROVIDER", 0x00000100, NULL },
	{ KEY, "CT_FLAG_EK_TRUST_ON_USE", 0x00000200, NULL },
	{ KEY, "CT_FLAG_EK_VALIDATE_CERT", 0x00000400, NULL },
	{ KEY, "CT_FLAG_EK_VALIDATE_KEY", 0x00000800, NULL },
	{ KEY, "CT_FLAG_ATTEST_PREFERRED", 0x00001000, NULL },
	{ KEY, "CT_FLAG_ATTEST_REQUIRED", 0x00002000, attest_required },
	{ KEY, "CT_FLAG_ATTESTATION_WITHOUT_POLICY", 0x00004000, NULL },
	{ KEY, "(the CA's version)", 0x000f0000, server_version },
	{ KEY, "CT_FLAG_HELLO_LOGON_KEY", 0x00200000, NULL },
	{ KEY, "(the client's version)", 0x0f000000, NULL },

	{ NAME, "CT_FLAG_ENROLLEE_SUPPLIES_SUBJECT", 0x00000001, supplies_subject },
	{ NAME, "CT_FLAG_OLD_CERT_SUPPLIES_SUBJECT_AND_ALT_NAME", 0x00000008, NULL },
	{ NAME, "CT_FLAG_ENROLLEE_SUPPLIES_SUBJECT_ALT_NAME", 0x00010000, NULL },
	{ NAME, "CT_FLAG_SUBJECT_ALT_REQUIRE_DOMAIN_DNS", 0x00400000, san_domain_dns },
	{ NAME, "CT_FLAG_SUBJECT_ALT_REQUIRE_SPN", 0x00800000, san_spn },
	{ NAME, "CT_FLAG_SUBJECT_ALT_REQUIRE_DIRECTORY_GUID", 0x01000000, san_guid },
	{ NAME, "CT_FLAG_SUBJECT_ALT_REQUIRE_UPN", 0x02000000, san_upn },
	{ NAME, "CT_FLAG_SUBJECT_ALT_REQUIRE_EMAIL", 0x04000000, san_email },
	{ NAME, "CT_FLAG_SUBJECT_ALT_REQUIRE_DNS", 0x08000000, san_dns },
	{ NAME, "CT_FLAG_SUBJECT_REQUIRE_DNS_AS_CN", 0x10000000, dns_as_cn },
	{ NAME, "CT_FLAG_SUBJECT_REQUIRE_EMAIL", 0x20000000, subject_email },
	{ NAME, "CT_FLAG_SUBJECT_REQUIRE_COMMON_NAME", 0x40000000, common_name },
	{ NAME, "CT_FLAG_SUBJECT_REQUIRE_DIRECTORY_PATH", 0x80000000, directory_path },
};
/* clang-format on */

static uint32_t *
word(enum place place)
{
	switch (place) {
	case FLAGS:
		return &f.t.flags;
	case ENROLLMENT:
		return &f.t.enrollment_flag;
	case KEY:
		return &f.t.private_key_flag;
	case NAME:
		return &f.t.name_flag;
	}
	return NULL;
}

static void
each_flag_does_what_it_says(void **state)
{
	size_t i;

	for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		if (flags[i].effect == NULL)
			continue;
		(void)setup(state);
		flags[i].effect();
		ae_strv_done(&f.csr_spec.x.cert_policies);
	}
}

/* Byte for byte, with templates of every version. */
static void
the_others_change_no_certificate(void **state)
{
	uint8_t without[4096];
	size_t i, len;
	uint32_t schema;

	for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		for (schema = 1; flags[i].effect == NULL && schema <= 4;
		     schema++) {
			(void)setup(state);
			f.t.schema_version = schema;
			issue();
			len = f.d.tbs_len;
			assert_true(len <= sizeof(without));
			memcpy(without, f.d.tbs, len);
			*word(flags[i].place) |= flags[i].bit;
			issue();
			if (f.d.tbs_len != len ||
			    memcmp(without, f.d.tbs, len) != 0)
				fail_msg(
				    "%s changes a certificate of schema %u",
				    flags[i].name, schema);
		}
	}
}

/* Bits that no specification names change nothing either. */
static void
unknown_bits_mean_nothing(void **state)
{
	uint32_t known[4] = { 0 }, bit;
	uint8_t without[4096];
	size_t i, len;
	int place;

	(void)state;
	for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		known[flags[i].place] |= flags[i].bit;
	issue();
	len = f.d.tbs_len;
	memcpy(without, f.d.tbs, len);
	for (place = 0; place < 4; place++)
		for (bit = 1; bit != 0; bit <<= 1) {
			uint32_t *w = word((enum place)place), was = *w;

			if (known[place] & bit)
				continue;
			*w |= bit;
			issue();
			assert_int_equal(f.d.tbs_len, len);
			assert_memory_equal(f.d.tbs, without, len);
			*w = was;
		}
}

#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		T(each_flag_does_what_it_says),
		T(the_others_change_no_certificate),
		T(unknown_bits_mean_nothing),
	};
	int n;

	if (!fx_begin(&f))
		return 1;
	n = cmocka_run_group_tests(tests, NULL, NULL);
	fx_end(&f);
	return n;
}
