/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Templates and enrollment services from attribute values.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ad/enrollment_service.h"
#include "ad/template.h"
#include "mutate.h"
#include "torture.h"

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
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

#define ONE_YEAR "\x00\x40\x39\x87\x2e\xe1\xfe\xff"
#define SIX_WEEKS "\x00\x80\xa6\x0a\xff\xde\xff\xff"

/* One plain allow for Everyone, owner Everyone. */
#define SD                                                                 \
	"\x01\x00\x04\x80\x30\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00" \
	"\x14\x00\x00\x00\x02\x00\x1c\x00\x01\x00\x00\x00\x00\x00\x14\x00" \
	"\x14\x00\x02\x00\x01\x01\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00" \
	"\x01\x01\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00"

/* KerberosAuthentication as MS-CRTD note 42 lists it. */
/* clang-format off */
static const struct ae_attr kerberos[] = {
	ATTR("cn", V("KerberosAuthentication")),
	ATTR("DisplayName", V("Kerberos Authentication")),
	ATTR("flags", V("65632")),
	ATTR("revision", V("110")),
	ATTR("msPKI-Template-Schema-Version", V("2")),
	ATTR("msPKI-Template-Minor-Revision", V("0")),
	ATTR("msPKI-Certificate-Name-Flag", V("138412032")),
	ATTR("msPKI-Enrollment-Flag", V("32")),
	ATTR("msPKI-Private-Key-Flag", V("0")),
	ATTR("msPKI-RA-Signature", V("0")),
	ATTR("msPKI-Minimal-Key-Size", V("2048")),
	ATTR("msPKI-Cert-Template-OID", V("1.3.6.1.4.1.311.21.8.11034890.834619.12601478.16236816.7255827.176.1.33")),
	ATTR("pKIDefaultKeySpec", V("1")),
	ATTR("pKIMaxIssuingDepth", V("0")),
	ATTR("pKIKeyUsage", V("\xa0\x00")),
	ATTR("pKIExpirationPeriod", V(ONE_YEAR)),
	ATTR("pKIOverlapPeriod", V(SIX_WEEKS)),
	ATTR("pKIExtendedKeyUsage", V("1.3.6.1.5.5.7.3.2"), V("1.3.6.1.5.5.7.3.1"),
	    V("1.3.6.1.4.1.311.20.2.2"), V("1.3.6.1.5.2.3.5")),
	ATTR("msPKI-Certificate-Application-Policy", V("1.3.6.1.5.5.7.3.2"),
	    V("1.3.6.1.5.5.7.3.1"), V("1.3.6.1.4.1.311.20.2.2"), V("1.3.6.1.5.2.3.5")),
	ATTR("pKICriticalExtensions", V("2.5.29.15"), V("2.5.29.17")),
	ATTR("pKIDefaultCSPs", V("3,Three"), V("1,Microsoft RSA SChannel Cryptographic Provider"), V("2,Two, too")),
	ATTR("msPKI-Supersede-Templates", V("DomainController")),
	ATTR("nTSecurityDescriptor", V(SD)),
	ATTR("whenChanged", V("20261123134028.0Z")),
	ATTR("uSNChanged", V("3894")),
};
/* clang-format on */

static struct ae_template *
decoded(const struct ae_attr *attrs, size_t n)
{
	struct ae_entry entry = { "CN=x", attrs, n };
	struct ae_err e = AE_ERR_INIT;
	struct ae_template *t = NULL;

	if (ae_template_decode(&t, &entry, &e) != AE_OK)
		fail_msg("%s", e.text);
	return t;
}

static void
check_kerberos(const struct ae_template *t)
{
	assert_string_equal(t->dn, "CN=x");
	assert_string_equal(t->cn, "KerberosAuthentication");
	assert_string_equal(t->display_name, "Kerberos Authentication");
	assert_int_equal(t->flags, 0x10060);
	assert_int_equal(t->revision, 110);
	assert_int_equal(t->schema_version, 2);
	assert_int_equal(t->name_flag, 0x8400000);
	assert_int_equal(t->enrollment_flag, AE_CT_AUTO_ENROLLMENT);
	assert_int_equal(t->min_key_size, 2048);
	assert_int_equal(t->key_spec, AE_CT_AT_KEYEXCHANGE);
	assert_int_equal(t->validity, 365 * 86400);
	assert_int_equal(t->overlap, 42 * 86400);
	assert_int_equal(t->key_usage.len, 2);
	assert_int_equal(t->key_usage.p[0], 0xa0);
	assert_int_equal(t->ekus.n, 4);
	assert_string_equal(t->ekus.v[3], "1.3.6.1.5.2.3.5");
	assert_int_equal(t->application_policies.n, 4);
	assert_int_equal(t->critical_extensions.n, 2);
	assert_int_equal(t->csps.n, 3);
	assert_string_equal(
	    t->csps.v[0], "Microsoft RSA SChannel Cryptographic Provider");
	assert_string_equal(t->csps.v[1], "Two, too");
	assert_string_equal(t->csps.v[2], "Three");
	assert_int_equal(t->supersedes.n, 1);
	assert_int_equal(t->sd_raw.len, sizeof(SD) - 1);
	assert_non_null(t->sd);
	assert_int_equal(t->sd->dacl.n, 1);
	assert_int_equal(t->when_changed, 1795441228);
	assert_int_equal(t->usn_changed, 3894);
}

static void
stock_template(void **state)
{
	struct ae_err e = AE_ERR_INIT;
	struct ae_template *t = decoded(kerberos, COUNT(kerberos)), *again;
	struct ae_template *const v[] = { t };
	struct ae_wr w;
	struct ae_rd r;

	(void)state;
	check_kerberos(t);
	assert_ptr_equal(ae_template_find(v, 1, "kerberosauthentication"), t);
	assert_ptr_equal(ae_template_find(v, 1, t->oid), t);
	assert_null(ae_template_find(v, 1, "Kerberos Authentication"));
	assert_null(ae_template_find(v, 0, "KerberosAuthentication"));
	ae_wr_init(&w, AE_TEMPLATE_ENCODED_MAX);
	ae_template_put(&w, t);
	assert_true(ae_wr_ok(&w));
	ae_rd_init(&r, w.p, w.len);
	assert_int_equal(ae_template_get(&again, &r, &e), AE_OK);
	assert_true(ae_rd_done(&r));
	check_kerberos(again);
	assert_true(ae_sd_equal(t->sd, again->sd));
	ae_template_free(again);
	ae_template_free(t);
	ae_wr_done(&w);
}

static void
defaults(void **state)
{
	const struct ae_attr attrs[] = { ATTR("CN", V("x")) };
	struct ae_template *t = decoded(attrs, 1);

	(void)state;
	assert_int_equal(t->schema_version, 1);
	assert_null(t->oid);
	assert_null(t->display_name);
	assert_null(t->sd);
	assert_int_equal(t->validity, 0);
	assert_int_equal(t->max_issuing_depth, 0);
	assert_int_equal(t->when_changed, INT64_MAX);
	ae_template_free(t);
}

static void
signed_numbers(void **state)
{
	const struct ae_attr attrs[] = { ATTR("cn", V("x")),
		ATTR("msPKI-Certificate-Name-Flag", V("-1509949440")),
		ATTR("msPKI-Enrollment-Flag", V("4294967295")),
		ATTR("msPKI-Private-Key-Flag", V("-2147483648")),
		ATTR("pKIMaxIssuingDepth", V("-1")) };
	struct ae_template *t = decoded(attrs, COUNT(attrs));

	(void)state;
	assert_int_equal(t->name_flag, 0xa6000000);
	assert_int_equal(t->enrollment_flag, 0xffffffff);
	assert_int_equal(t->private_key_flag, 0x80000000);
	assert_int_equal(t->max_issuing_depth, -1);
	ae_template_free(t);
}

#define PROPS                                                   \
	"msPKI-Asymmetric-Algorithm`PZPWSTR`ECDSA_P256`"        \
	"msPKI-Hash-Algorithm`PZPWSTR`SHA256`"                  \
	"msPKI-Key-Usage`DWORD`2`"                              \
	"msPKI-Key-Security-Descriptor`PZPWSTR`D:(A;;FA;;;BA)`" \
	"msPKI-Symmetric-Algorithm`PZPWSTR`AES`"                \
	"msPKI-Symmetric-Key-Length`DWORD`256`"                 \
	"msPKI-Something-New`PZPWSTR`later`"                    \
	"msPKI-RA-Application-Policies`PZPWSTR`1.2.3,1.2.4`"

static void
packed_properties(void **state)
{
	const struct ae_attr attrs[] = { ATTR("cn", V("x")),
		ATTR("msPKI-Template-Schema-Version", V("4")),
		ATTR("msPKI-RA-Application-Policies", V(PROPS)) };
	struct ae_template *t = decoded(attrs, COUNT(attrs));

	(void)state;
	assert_string_equal(t->algorithms.asymmetric, "ECDSA_P256");
	assert_string_equal(t->algorithms.hash, "SHA256");
	assert_string_equal(t->algorithms.symmetric, "AES");
	assert_string_equal(t->algorithms.key_sd, "D:(A;;FA;;;BA)");
	assert_int_equal(t->algorithms.key_usage, 2);
	assert_int_equal(t->algorithms.symmetric_bits, 256);
	assert_int_equal(t->ra_application_policies.n, 2);
	assert_string_equal(t->ra_application_policies.v[1], "1.2.4");
	ae_template_free(t);
}

/* MS-CRTD 2.23: schema 2, and 4 with the legacy bit, hold plain OIDs. */
static void
plain_policies(void **state)
{
	const struct ae_attr two[] = { ATTR("cn", V("x")),
		ATTR("msPKI-Template-Schema-Version", V("2")),
		ATTR("msPKI-RA-Application-Policies", V("1.2.3"), V("1.2.4")) };
	const struct ae_attr legacy[] = { ATTR("cn", V("x")),
		ATTR("msPKI-Template-Schema-Version", V("4")),
		ATTR("msPKI-Private-Key-Flag", V("256")),
		ATTR("msPKI-RA-Application-Policies", V("1.2.3")) };
	const struct ae_attr wrong[] = { ATTR("cn", V("x")),
		ATTR("msPKI-Template-Schema-Version", V("2")),
		ATTR("msPKI-RA-Application-Policies", V(PROPS)) };
	struct ae_entry entry = { "CN=x", wrong, COUNT(wrong) };
	struct ae_err e = AE_ERR_INIT;
	struct ae_template *t = decoded(two, COUNT(two));

	(void)state;
	assert_int_equal(t->ra_application_policies.n, 2);
	ae_template_free(t);
	t = decoded(legacy, COUNT(legacy));
	assert_int_equal(t->ra_application_policies.n, 1);
	ae_template_free(t);
	assert_int_equal(ae_template_decode(&t, &entry, &e), AE_EPROTO);
}

struct refusal {
	const char *what; /* must appear in the message */
	int rc;
	struct ae_attr attr;
};

static char long_string[AE_TEMPLATE_STR_MAX + 1];

/* clang-format off */
static const struct refusal refusals[] = {
	{ "cn", AE_EPROTO, ATTR("cn", V("a"), V("b")) },
	{ "cn", AE_EPROTO, ATTR("cn", V("")) },
	{ "cn", AE_EPROTO, ATTR("cn", V("a\0b")) },
	{ "cn", AE_EPROTO, ATTR("cn", V("\xff\xfe")) },
	{ "cn", AE_ELIMIT, ATTR("cn", { (const uint8_t *)long_string, sizeof(long_string) }) },
	{ "flags", AE_EPROTO, ATTR("flags", V("")) },
	{ "flags", AE_EPROTO, ATTR("flags", V("12x")) },
	{ "flags", AE_EPROTO, ATTR("flags", V("-")) },
	{ "flags", AE_EPROTO, ATTR("flags", V("+1")) },
	{ "flags", AE_EPROTO, ATTR("flags", V(" 1")) },
	{ "flags", AE_EPROTO, ATTR("flags", V("4294967296")) },
	{ "flags", AE_EPROTO, ATTR("flags", V("-2147483649")) },
	{ "flags", AE_EPROTO, ATTR("flags", V("99999999999999999999999")) },
	{ "flags", AE_EPROTO, ATTR("flags", V("1"), V("2")) },
	{ "uSNChanged", AE_EPROTO, ATTR("uSNChanged", V("-1")) },
	{ "uSNChanged", AE_EPROTO, ATTR("uSNChanged", V("9223372036854775808")) },
	{ "whenChanged", AE_EPROTO, ATTR("whenChanged", V("2026")) },
	{ "whenChanged", AE_EPROTO, ATTR("whenChanged", V("20261323134028.0Z")) },
	{ "whenChanged", AE_EPROTO, ATTR("whenChanged", V("20261123134028.0+0100")) },
	{ "pKIExpirationPeriod", AE_EPROTO, ATTR("pKIExpirationPeriod", V("1234567")) },
	{ "pKIExpirationPeriod", AE_EPROTO, ATTR("pKIExpirationPeriod", V("\1\0\0\0\0\0\0\0")) },
	{ "pKIOverlapPeriod", AE_EPROTO, ATTR("pKIOverlapPeriod", V(SIX_WEEKS SIX_WEEKS)) },
	{ "pKIKeyUsage", AE_EPROTO, ATTR("pKIKeyUsage", V("12345678901234567")) },
	{ "pKIExtendedKeyUsage", AE_EPROTO, ATTR("pKIExtendedKeyUsage", V("1")) },
	{ "pKIExtendedKeyUsage", AE_EPROTO, ATTR("pKIExtendedKeyUsage", V("1..2")) },
	{ "pKIExtendedKeyUsage", AE_EPROTO, ATTR("pKIExtendedKeyUsage", V("1.2.")) },
	{ "pKIExtendedKeyUsage", AE_EPROTO, ATTR("pKIExtendedKeyUsage", V("3.2")) },
	{ "pKIExtendedKeyUsage", AE_EPROTO, ATTR("pKIExtendedKeyUsage", V("1.02")) },
	{ "pKIExtendedKeyUsage", AE_EPROTO, ATTR("pKIExtendedKeyUsage", V("serverAuth")) },
	{ "msPKI-Cert-Template-OID", AE_EPROTO, ATTR("msPKI-Cert-Template-OID", V("")) },
	{ "pKIDefaultCSPs", AE_EPROTO, ATTR("pKIDefaultCSPs", V("Provider")) },
	{ "pKIDefaultCSPs", AE_EPROTO, ATTR("pKIDefaultCSPs", V("1,")) },
	{ "pKIDefaultCSPs", AE_EPROTO, ATTR("pKIDefaultCSPs", V("99999999999999999999,x")) },
	{ "security descriptor", AE_EPROTO, ATTR("nTSecurityDescriptor", V("\1\0\4\x80")) },
	{ "RA-Application", AE_EPROTO, ATTR("msPKI-RA-Application-Policies", V("a`PZPWSTR")) },
	{ "RA-Application", AE_EPROTO, ATTR("msPKI-RA-Application-Policies", V("a`PZPWSTR`b")) },
	{ "RA-Application", AE_EPROTO, ATTR("msPKI-RA-Application-Policies", V("msPKI-RA-Application-Policies`PZPWSTR`x`")) },
	{ "Key-Usage", AE_EPROTO, ATTR("msPKI-RA-Application-Policies", V("msPKI-Key-Usage`DWORD`many`")) },
	{ "Key-Usage", AE_EPROTO, ATTR("msPKI-RA-Application-Policies", V("msPKI-Key-Usage`PZPWSTR`1`")) },
	{ "Hash", AE_EPROTO, ATTR("msPKI-RA-Application-Policies", V("msPKI-Hash-Algorithm`DWORD`1`")) },
	{ "Hash", AE_EPROTO, ATTR("msPKI-RA-Application-Policies",
	    V("msPKI-Hash-Algorithm`PZPWSTR`SHA1`msPKI-Hash-Algorithm`PZPWSTR`SHA256`")) },
};
/* clang-format on */

static void
refused_whole(void **state)
{
	struct ae_attr attrs[3] = { [1] = ATTR("cn", V("x")),
		[2] = ATTR("msPKI-Template-Schema-Version", V("3")) };
	struct ae_entry entry = { "CN=x", attrs, 3 };
	struct ae_template *t = NULL;
	size_t i;

	(void)state;
	memset(long_string, 'a', sizeof(long_string));
	for (i = 0; i < COUNT(refusals); i++) {
		struct ae_err e = AE_ERR_INIT;
		int rc;

		attrs[0] = refusals[i].attr;
		rc = ae_template_decode(&t, &entry, &e);
		if (rc != refusals[i].rc || t != NULL ||
		    strstr(e.text, refusals[i].what) == NULL)
			fail_msg("row %zu (%s): %d %s", i, refusals[i].what, rc,
			    e.text);
	}
	entry.attrs = NULL;
	entry.n = 0;
	assert_int_equal(ae_template_decode(&t, &entry, NULL), AE_EPROTO);
}

static void
too_many_values(void **state)
{
	static struct ae_value many[AE_TEMPLATE_VALUES_MAX + 1];
	static const char *const names[] = { "pKIExtendedKeyUsage",
		"pKIDefaultCSPs", "msPKI-RA-Application-Policies" };
	struct ae_attr attrs[2] = { ATTR("cn", V("x")) };
	struct ae_entry entry = { "CN=x", attrs, 2 };
	struct ae_template *t = NULL;
	struct ae_err e = AE_ERR_INIT;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(many); i++)
		many[i] = (struct ae_value)V("1.2");
	for (i = 0; i < COUNT(names); i++) {
		attrs[1] = (struct ae_attr){ names[i], many, COUNT(many) };
		assert_int_equal(ae_template_decode(&t, &entry, &e), AE_ELIMIT);
	}
	attrs[1].name = names[0];
	attrs[1].n--;
	assert_int_equal(ae_template_decode(&t, &entry, &e), AE_OK);
	assert_int_equal(t->ekus.n, AE_TEMPLATE_VALUES_MAX);
	ae_template_free(t);
}

static bool
work(void *arg)
{
	struct ae_entry entry = { "CN=x", kerberos, COUNT(kerberos) };
	struct ae_err e = AE_ERR_INIT;
	struct ae_template *t = NULL, *again = NULL;
	struct ae_wr w;
	struct ae_rd r;
	bool ok = false;

	(void)arg;
	ae_wr_init(&w, AE_TEMPLATE_ENCODED_MAX);
	if (ae_template_decode(&t, &entry, &e) == AE_OK) {
		ae_template_put(&w, t);
		if (ae_wr_ok(&w)) {
			ae_rd_init(&r, w.p, w.len);
			ok = ae_template_get(&again, &r, &e) == AE_OK;
		}
	}
	ae_template_free(t);
	ae_template_free(again);
	ae_wr_done(&w);
	return ok;
}

static void
torture(void **state)
{
	(void)state;
	assert_true(ae_torture(work, NULL, 500, true) > 50);
}

static void
mutated(const uint8_t *p, size_t len, void *arg)
{
	struct ae_err e = AE_ERR_INIT;
	struct ae_template *t = NULL;
	struct ae_rd r;

	(void)arg;
	ae_rd_init(&r, p, len);
	if (ae_template_get(&t, &r, &e) != AE_OK) {
		assert_null(t);
		return;
	}
	assert_true(t->cn[0] != '\0');
	ae_template_free(t);
}

static void
every_mutation(void **state)
{
	struct ae_template *t = decoded(kerberos, COUNT(kerberos));
	struct ae_wr w;

	(void)state;
	ae_wr_init(&w, AE_TEMPLATE_ENCODED_MAX);
	ae_template_put(&w, t);
	assert_true(ae_mutate(w.p, w.len, mutated, NULL) > w.len);
	ae_wr_done(&w);
	ae_template_free(t);
}

/* clang-format off */
static const struct ae_attr service[] = {
	ATTR("cn", V("LAB-CA")),
	ATTR("displayName", V("LAB CA")),
	ATTR("dNSHostName", V("ca1.lab.test")),
	ATTR("cACertificateDN", V("CN=LAB CA,DC=lab,DC=test")),
	ATTR("flags", V("10")),
	ATTR("certificateTemplates", V("Machine"), V("User")),
	ATTR("cACertificate", V("\x30\x00"), V("\x30\x01\x00")),
	ATTR("msPKI-Enrollment-Servers", V("1\n2\n0\nhttps://x/CES\n0")),
	ATTR("nTSecurityDescriptor", V(SD)),
};
/* clang-format on */

static void
enrollment_service(void **state)
{
	struct ae_entry entry = { "CN=LAB-CA", service, COUNT(service) };
	struct ae_err e = AE_ERR_INIT;
	struct ae_enrollment_service *s = NULL, *again = NULL;
	struct ae_wr w;
	struct ae_rd r;

	(void)state;
	assert_int_equal(ae_enrollment_service_decode(&s, &entry, &e), AE_OK);
	ae_wr_init(&w, AE_ENROLLMENT_SERVICE_ENCODED_MAX);
	ae_enrollment_service_put(&w, s);
	ae_enrollment_service_free(s);
	ae_rd_init(&r, w.p, w.len);
	assert_int_equal(ae_enrollment_service_get(&again, &r, &e), AE_OK);
	assert_true(ae_rd_done(&r));
	assert_string_equal(again->dn, "CN=LAB-CA");
	assert_string_equal(again->cn, "LAB-CA");
	assert_string_equal(again->display_name, "LAB CA");
	assert_string_equal(again->dns_host_name, "ca1.lab.test");
	assert_string_equal(
	    again->ca_certificate_dn, "CN=LAB CA,DC=lab,DC=test");
	assert_int_equal(again->flags,
	    AE_ES_SUPPORTS_NT_AUTHENTICATION | AE_ES_SERVERTYPE_ADVANCED);
	assert_int_equal(again->ca_certificates.n, 2);
	assert_int_equal(again->ca_certificates.v[1].len, 3);
	assert_int_equal(again->enrollment_servers.n, 1);
	assert_true(ae_enrollment_service_offers(again, "machine"));
	assert_false(ae_enrollment_service_offers(again, "Mach"));
	assert_non_null(again->sd);
	ae_enrollment_service_free(again);
	ae_wr_done(&w);
}

static void
enrollment_service_refused(void **state)
{
	const struct ae_attr bad[][2] = {
		{ ATTR("cn", V("x")), ATTR("nTSecurityDescriptor", V("x")) },
		{ ATTR("cn", V("x")), ATTR("flags", V("x")) },
		{ ATTR("cn", V("x")), ATTR("dNSHostName", V("a"), V("b")) },
		{ ATTR("displayName", V("x")), ATTR("flags", V("1")) },
	};
	struct ae_enrollment_service *s = NULL;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(bad); i++) {
		struct ae_entry entry = { NULL, bad[i], 2 };
		struct ae_err e = AE_ERR_INIT;

		assert_int_equal(
		    ae_enrollment_service_decode(&s, &entry, &e), AE_EPROTO);
		assert_null(s);
	}
}

static bool
service_work(void *arg)
{
	struct ae_entry entry = { "CN=LAB-CA", service, COUNT(service) };
	struct ae_enrollment_service *s = NULL;
	struct ae_err e = AE_ERR_INIT;

	(void)arg;
	if (ae_enrollment_service_decode(&s, &entry, &e) != AE_OK)
		return false;
	ae_enrollment_service_free(s);
	return true;
}

static void
service_torture(void **state)
{
	(void)state;
	assert_true(ae_torture(service_work, NULL, 100, true) > 10);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stock_template),
		cmocka_unit_test(defaults),
		cmocka_unit_test(signed_numbers),
		cmocka_unit_test(packed_properties),
		cmocka_unit_test(plain_policies),
		cmocka_unit_test(refused_whole),
		cmocka_unit_test(too_many_values),
		cmocka_unit_test(torture),
		cmocka_unit_test(every_mutation),
		cmocka_unit_test(enrollment_service),
		cmocka_unit_test(enrollment_service_refused),
		cmocka_unit_test(service_torture),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
