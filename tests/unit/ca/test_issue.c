/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What is issued: every field from where it must come, nothing from where it
 * must not; questions, approval, repeats; mutated requests are never issued.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca/lint.h"
#include "fixture.h"
#include "mutate.h"
#include "pki/name.h"
#include "pki/oid.h"
#include "pki/request.h"
#include "pki/tbs.h"
#include "torture.h"
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
	return 0;
}

/* Decide, expect a certificate, parse it into cert. */
static void
issue(void)
{
	fx_decide(&f);
	if (f.d.verdict != AE_CA_ISSUE)
		print_message(
		    "%s: %s\n", fx_stop(&f)->check, fx_stop(&f)->text);
	assert_int_equal(f.d.verdict, AE_CA_ISSUE);
	ae_cert_free(cert);
	cert = NULL;
	assert_int_equal(
	    ae_cert_parse_tbs(&cert, f.d.tbs, f.d.tbs_len, &f.e), AE_OK);
}

static void
every_field(void **state)
{
	static const char *const order[] = { AE_OID_SAN, AE_OID_KEY_USAGE,
		AE_OID_EKU, AE_OID_MS_APP_POLICIES, AE_OID_MS_TEMPLATE_V2,
		AE_OID_SKI, AE_OID_AKI, AE_OID_CDP, AE_OID_AIA, AE_OID_MS_SID };
	uint8_t id[AE_KEY_ID_LEN], hash[AE_HASH_MAX];
	const struct ae_san *san;
	char *subject = NULL;
	size_t i;

	(void)state;
	issue();
	assert_int_equal(cert->serial.len, AE_CA_SERIAL_LEN);
	assert_int_equal(cert->serial.p[0], 0x1f);
	assert_memory_equal(cert->serial.p + 1, f.random, AE_CA_RANDOM_LEN);
	assert_memory_equal(f.d.serial, cert->serial.p, AE_CA_SERIAL_LEN);
	assert_true(ae_der_equal(cert->issuer, f.ca_cert->subject));
	assert_int_equal(cert->not_before, FX_NOW - 600);
	assert_int_equal(cert->not_after, FX_NOW - 600 + 365 * 86400);
	assert_int_equal(f.d.not_after, cert->not_after);
	assert_true(ae_cert_has_key(cert, f.key));
	assert_int_equal(ae_name_print(&subject, cert->subject, NULL), AE_OK);
	assert_string_equal(subject, "CN=pc1.example.com");
	assert_string_equal(f.d.subject, subject);
	free(subject);

	assert_int_equal(cert->x.nsans, 1);
	san = ae_exts_san(&cert->x, AE_SAN_DNS);
	assert_non_null(san);
	assert_string_equal(san->text, "pc1.example.com");
	assert_string_equal(cert->x.template_oid, f.t.oid);
	assert_int_equal(cert->x.template_major, 100);
	assert_int_equal(cert->x.template_minor, 3);
	assert_int_equal(cert->x.eku.n, 2);
	assert_string_equal(cert->x.eku.v[0], AE_OID_EKU_CLIENT_AUTH);
	assert_int_equal(cert->x.app_policies.n, 2);
	assert_int_equal(cert->x.key_usage, AE_KU_DIGITAL_SIGNATURE);
	assert_true(ae_exts_find(&cert->x, AE_OID_KEY_USAGE)->critical);
	assert_true(cert->x.has_sid);
	assert_true(ae_sid_equal(&cert->x.sid, &f.user));
	assert_int_equal(
	    ae_spki_id(id, cert->spki.p, cert->spki.len, NULL), AE_OK);
	assert_memory_equal(cert->x.ski.p, id, sizeof(id));
	assert_memory_equal(cert->x.aki.p, f.ca_ski, sizeof(f.ca_ski));
	assert_string_equal(cert->x.cdp.v[0], "http://ca1.example.com/ca.crl");
	assert_string_equal(
	    cert->x.aia_issuers.v[0], "http://ca1.example.com/ca.crt");
	assert_false(cert->x.has_basic_constraints);

	/* that is all: as many extensions as the template makes */
	assert_int_equal(cert->x.nraw, sizeof(order) / sizeof(order[0]));
	for (i = 0; i < cert->x.nraw; i++)
		assert_non_null(ae_exts_find(&cert->x, order[i]));

	assert_ptr_equal(f.d.template, &f.t);
	assert_string_equal(f.d.message, "Issued");
	assert_string_equal(f.d.requester, "EXAMPLE\\PC1$");
	assert_true(f.d.store);
	assert_true(
	    ae_hash_bytes(hash, AE_HASH_SHA256, f.csr.p, f.csr.len) == 32);
	assert_memory_equal(f.d.csr_hash, hash, 32);
	/* the reasons tell of every permission that was looked at */
	assert_true(fx_has_reason(&f, "ca.request-right"));
	assert_true(fx_has_reason(&f, "template.enroll-right"));
	assert_true(fx_has_reason(&f, "request.possession"));
}

/*
 * Forty extensions, each a thing someone might wish for.  The certificate is
 * byte for byte the one made for a request without them.
 */
static void
esc15_no_requested_extension_gets_through(void **state)
{
	static const char *const oids[] = { "2.5.29.9", "2.5.29.16",
		"2.5.29.18", "2.5.29.20", "2.5.29.21", "2.5.29.24", "2.5.29.27",
		"2.5.29.28", "2.5.29.30", "2.5.29.33", "2.5.29.36", "2.5.29.46",
		"2.5.29.54", "1.3.6.1.5.5.7.1.2", "1.3.6.1.5.5.7.1.3",
		"1.3.6.1.5.5.7.1.7", "1.3.6.1.5.5.7.1.11", "1.3.6.1.5.5.7.1.24",
		"1.3.6.1.4.1.11129.2.4.2", "1.3.6.1.4.1.11129.2.4.3",
		"1.3.6.1.4.1.311.21.11", "1.3.6.1.4.1.311.21.12",
		"1.3.6.1.4.1.311.21.22", "1.3.6.1.4.1.311.10.9.1",
		"2.16.840.1.113730.1.1", "2.16.840.1.113730.1.13", "1.2.3.4",
		"0.0.1", "2.999.1", "1.3.6.1.4.1.99999.1" };
	static const uint8_t value[] = { 0x30, 0x03, 0x02, 0x01, 0x05 };
	struct ae_exts *x = &f.csr_spec.x;
	struct ae_ext raw[sizeof(oids) / sizeof(oids[0])];
	uint8_t *plain;
	size_t len, i;

	(void)state;
	issue();
	len = f.d.tbs_len;
	plain = malloc(len);
	assert_non_null(plain);
	memcpy(plain, f.d.tbs, len);

	for (i = 0; i < sizeof(oids) / sizeof(oids[0]); i++) {
		raw[i] = (struct ae_ext){ .oid = oids[i],
			.critical = i % 2 == 0,
			.value = { value, sizeof(value) } };
		/* one at a time, and below all at once */
		x->raw = &raw[i];
		x->nraw = 1;
		fx_csr(&f);
		issue();
		assert_int_equal(f.d.tbs_len, len);
		assert_memory_equal(f.d.tbs, plain, len);
		assert_true(fx_has_reason(&f, "request.extensions-ignored"));
	}
	x->raw = raw;
	x->nraw = sizeof(oids) / sizeof(oids[0]);
	/* and those that mean something: a CA, another's SID, usages, … */
	x->has_basic_constraints = x->ca = true;
	x->path_len = 3;
	x->has_key_usage = true;
	x->key_usage = AE_KU_KEY_CERT_SIGN | AE_KU_CRL_SIGN;
	x->has_sid = true;
	x->sid = f.admins;
	assert_true(ae_strv_add(&x->eku, AE_OID_EKU_ENROLLMENT_AGENT));
	assert_true(ae_strv_add(&x->app_policies, AE_OID_EKU_SMARTCARD_LOGON));
	assert_true(ae_strv_add(&x->cert_policies, "1.2.3.4.5"));
	assert_true(ae_strv_add(&x->cdp, "http://evil.example/x.crl"));
	assert_true(ae_strv_add(&x->aia_issuers, "http://evil.example/"));
	x->ocsp_nocheck = true;
	x->ski = (struct ae_der){ value, sizeof(value) };
	x->aki = (struct ae_der){ value, sizeof(value) };
	x->sans = (const struct ae_san[]){ { .type = AE_SAN_UPN,
					       .text = "admin@example.com" },
		{ .type = AE_SAN_DNS, .text = "dc1.example.com" } };
	x->nsans = 2;
	x->template_oid = f.t.oid;
	fx_csr(&f);
	issue();
	assert_int_equal(f.d.tbs_len, len);
	assert_memory_equal(f.d.tbs, plain, len);
	ae_strv_done(&x->eku);
	ae_strv_done(&x->app_policies);
	ae_strv_done(&x->cert_policies);
	ae_strv_done(&x->cdp);
	ae_strv_done(&x->aia_issuers);
	free(plain);
}

static void
esc6_attributes_and_subject_change_nothing(void **state)
{
	const struct ae_name_part part = { "CN", "Administrator" };
	struct ae_wr name;
	uint8_t *plain;
	size_t len;

	(void)state;
	issue();
	len = f.d.tbs_len;
	plain = malloc(len);
	assert_non_null(plain);
	memcpy(plain, f.d.tbs, len);
	ae_wr_init(&name, 256);
	assert_int_equal(ae_name_encode(&name, &part, 1, NULL), AE_OK);
	f.csr_spec.subject = (struct ae_der){ name.p, name.len };
	f.rq.attributes = "CertificateTemplate:Workstation\n"
			  "san:upn=administrator@example.com&dns=dc1\n"
			  "CertificateUsage:1.3.6.1.4.1.311.20.2.1\n"
			  "ValidityPeriod:Years\nValidityPeriodUnits:99\n"
			  "requestername:EXAMPLE\\administrator\n"
			  "cdc:127.0.0.9\nrmd:127.0.0.9\nccm:pc1";
	fx_csr(&f);
	issue();
	assert_int_equal(f.d.tbs_len, len);
	assert_memory_equal(f.d.tbs, plain, len);
	assert_true(fx_has_reason(&f, "request.attribute-ignored"));
	ae_wr_done(&name);
	free(plain);
}

/* RegInfo and a PKCS#10's pairs: the template, and nothing else. */
static void
pairs_that_mean_nothing_are_told(void **state)
{
	static const struct ae_pair own[] = {
		{ "CertificateTemplate", "Workstation" },
		{ "requestername", "EXAMPLE\\Administrator" },
		{ "san", "upn=administrator@example.com" },
	};
	size_t i, n = 0;

	(void)state;
	f.csr_spec.pairs = own;
	f.csr_spec.npairs = 3;
	fx_csr(&f);
	f.rq.attributes = NULL;
	issue();
	for (i = 0; i < f.d.nreasons; i++)
		n += strcmp(f.d.reasons[i].check,
			 "request.attribute-ignored") == 0;
	assert_int_equal(n, 2);
	assert_null(f.d.on_behalf);
	assert_int_equal(cert->x.nsans, 1);
	f.csr_spec.npairs = 0;
}

static void
schema_1_has_the_name(void **state)
{
	(void)state;
	f.t.schema_version = 1;
	issue();
	assert_string_equal(cert->x.template_name, "Workstation");
	assert_null(cert->x.template_oid);
	assert_int_equal(cert->x.app_policies.n, 0);
	assert_int_equal(cert->x.eku.n, 2);
}

static void
users_and_paths(void **state)
{
	char *text = NULL;

	(void)state;
	f.t.flags = 0;
	f.t.name_flag = AE_CT_SUBJECT_COMMON_NAME | AE_CT_SUBJECT_EMAIL |
	    AE_CT_SAN_UPN | AE_CT_SAN_EMAIL | AE_CT_SAN_DIRECTORY_GUID;
	issue();
	assert_int_equal(ae_name_print(&text, cert->subject, NULL), AE_OK);
	assert_non_null(strstr(text, "CN=PC1"));
	assert_non_null(strstr(text, "pc1@example.com"));
	free(text);
	assert_int_equal(cert->x.nsans, 3);
	assert_false(ae_exts_find(&cert->x, AE_OID_SAN)->critical);
	assert_string_equal(
	    ae_exts_san(&cert->x, AE_SAN_UPN)->text, "PC1$@example.com");
	assert_string_equal(
	    ae_exts_san(&cert->x, AE_SAN_EMAIL)->text, "pc1@example.com");
	assert_true(ae_guid_equal(&ae_exts_san(&cert->x, AE_SAN_GUID)->guid,
	    &f.answers.requester.guid));

	f.t.name_flag = AE_CT_SUBJECT_DIRECTORY_PATH;
	issue();
	assert_int_equal(ae_name_print(&text, cert->subject, NULL), AE_OK);
	assert_string_equal(text, "CN=PC1,CN=Computers,DC=example,DC=com");
	free(text);
	assert_int_equal(cert->x.nsans, 0);

	f.t.name_flag = AE_CT_SAN_DOMAIN_DNS;
	issue();
	assert_int_equal(cert->x.nsans, 2);
	assert_string_equal(cert->x.sans[0].text, "example.com");
	assert_string_equal(cert->x.sans[1].text, "EXAMPLE");
	/* the subject is empty: RFC 5280 4.2.1.6 */
	assert_true(ae_exts_find(&cert->x, AE_OID_SAN)->critical);
	assert_string_equal(f.d.subject, "(example.com)");
}

static void
esc15_supplied_names_are_used_and_only_names(void **state)
{
	const struct ae_name_part part = { "CN", "www.example.com" };
	const struct ae_san sans[] = { { .type = AE_SAN_DNS,
					   .text = "www.example.com" },
		{ .type = AE_SAN_DNS, .text = "web.example.com" },
		{ .type = AE_SAN_IP,
		    .der = { (const uint8_t *)"\x0a\0\0\1", 4 } } };
	struct ae_wr name;

	(void)state;
	ae_wr_init(&name, 256);
	assert_int_equal(ae_name_encode(&name, &part, 1, NULL), AE_OK);
	ae_strv_done(&f.t.ekus);
	ae_strv_done(&f.t.application_policies);
	assert_true(ae_strv_add(&f.t.ekus, AE_OID_EKU_SERVER_AUTH));
	f.t.name_flag = AE_CT_ENROLLEE_SUPPLIES_SUBJECT;
	f.csr_spec.subject = (struct ae_der){ name.p, name.len };
	f.csr_spec.x.sans = sans;
	f.csr_spec.x.nsans = 3;
	f.csr_spec.x.has_sid = true;
	f.csr_spec.x.sid = f.admins; /* not this one */
	fx_csr(&f);
	f.answers.answered = AE_CA_ASK_ROW_SAME; /* no directory needed */
	issue();
	assert_true(ae_der_equal(cert->subject, f.csr_spec.subject));
	assert_int_equal(cert->x.nsans, 3);
	assert_string_equal(cert->x.sans[1].text, "web.example.com");
	assert_int_equal(cert->x.sans[2].type, AE_SAN_IP);
	assert_true(ae_sid_equal(&cert->x.sid, &f.user));
	ae_wr_done(&name);
}

static void
esc9_the_sid_stays_where_it_authenticates(void **state)
{
	(void)state;
	f.t.enrollment_flag |= AE_CT_NO_SECURITY_EXTENSION;
	issue();
	assert_true(cert->x.has_sid);
	assert_true(fx_has_reason(&f, "template.no-security-extension"));
	ae_strv_done(&f.t.ekus);
	ae_strv_done(&f.t.application_policies);
	assert_true(ae_strv_add(&f.t.ekus, AE_OID_EKU_SERVER_AUTH));
	issue();
	assert_false(cert->x.has_sid);
}

/* One TLV of less than 256 bytes in front of what is there. */
static size_t
wrap(uint8_t *p, size_t len, uint8_t tag)
{
	const size_t head = len < 128 ? 2 : 3;

	memmove(p + head, p, len);
	p[0] = tag;
	if (len >= 128)
		p[1] = 0x81;
	p[head - 1] = (uint8_t)len;
	return len + head;
}

/*
 * A thousand accounts: the extension is theirs, byte for byte as it is
 * written down here by hand (MS-WCCE 2.2.2.7.7.4).
 */
static void
kb5014754_a_thousand_sids(void **state)
{
	static const uint8_t oid[] = { 0x06, 0x0a, 0x2b, 0x06, 0x01, 0x04, 0x01,
		0x82, 0x37, 0x19, 0x02, 0x01 };
	char text[AE_SID_STR_MAX];
	const struct ae_ext *x;
	uint8_t want[256];
	uint32_t n = 4711;
	unsigned i, k;
	size_t len;

	(void)state;
	for (i = 0; i < 1000; i++) {
		f.user.nsubs = (uint8_t)(2 + i % 14);
		for (k = 0; k < f.user.nsubs; k++) {
			n = n * 1664525 + 1013904223;
			f.user.sub[k] = i % 7 == 0 ? n >> 28 : n;
		}
		f.user.sub[0] = 21;
		f.caller.user = f.answers.requester.sid = f.user;
		issue();
		x = ae_exts_find(&cert->x, AE_OID_MS_SID);
		assert_non_null(x);
		assert_false(x->critical);
		len = strlen(ae_sid_print(text, &f.user));
		memcpy(want, text, len);
		len = wrap(want, len, 0x04);
		len = wrap(want, len, 0xa0);
		memmove(want + sizeof(oid), want, len);
		memcpy(want, oid, sizeof(oid));
		len = wrap(want, len + sizeof(oid), 0xa0);
		len = wrap(want, len, 0x30);
		assert_int_equal(x->value.len, len);
		assert_memory_equal(x->value.p, want, len);
		if (i % 100 == 99) /* the arena of one decision */
			fx_reset(&f);
	}
}

static void
template_flags(void **state)
{
	(void)state;
	f.t.enrollment_flag = AE_CT_INCLUDE_BASIC_CONSTRAINTS_FOR_EE |
	    AE_CT_INCLUDE_SYMMETRIC_ALGORITHMS | AE_CT_NOREVOCATIONINFO;
	assert_true(ae_strv_add(&f.t.certificate_policies, "1.2.3.4"));
	assert_true(ae_strv_add(&f.cfg.ocsp_urls, "http://o.example.com/"));
	issue();
	assert_true(cert->x.has_basic_constraints);
	assert_false(cert->x.ca);
	assert_non_null(ae_exts_find(&cert->x, AE_OID_SMIME_CAPS));
	assert_int_equal(cert->x.cdp.n, 0);
	assert_int_equal(cert->x.aia_issuers.n, 1);
	assert_int_equal(cert->x.aia_ocsp.n, 0);
	assert_int_equal(cert->x.cert_policies.n, 1);

	f.t.enrollment_flag = AE_CT_ADD_OCSP_NOCHECK;
	issue(); /* not for OCSP signing: the flag means nothing */
	assert_false(cert->x.ocsp_nocheck);
	assert_int_equal(cert->x.aia_ocsp.n, 1);
	assert_true(
	    ae_strv_add(&f.t.application_policies, AE_OID_EKU_OCSP_SIGNING));
	issue();
	assert_true(cert->x.ocsp_nocheck);
	assert_int_equal(cert->x.cdp.n, 0);
	assert_int_equal(cert->x.aia_issuers.n, 0);
}

static void
policies_from_the_request_are_only_chosen_from(void **state)
{
	(void)state;
	f.t.enrollment_flag |= AE_CT_ISSUANCE_POLICIES_FROM_REQUEST;
	assert_true(ae_strv_add(&f.t.certificate_policies, "1.2.3.4"));
	assert_true(ae_strv_add(&f.t.certificate_policies, "1.2.3.5"));
	assert_true(ae_strv_add(&f.csr_spec.x.cert_policies, "1.2.3.5"));
	assert_true(ae_strv_add(&f.csr_spec.x.cert_policies, "1.2.3.9"));
	fx_csr(&f);
	issue();
	assert_int_equal(cert->x.cert_policies.n, 1);
	assert_string_equal(cert->x.cert_policies.v[0], "1.2.3.5");
	ae_strv_done(&f.csr_spec.x.cert_policies);
}

static void
key_usage_follows_the_key(void **state)
{
	struct ae_key *rsa = NULL;

	(void)state;
	f.t.key_usage.p[0] = AE_KU_DIGITAL_SIGNATURE | AE_KU_KEY_ENCIPHERMENT;
	issue();
	assert_int_equal(
	    cert->x.key_usage, AE_KU_DIGITAL_SIGNATURE | AE_KU_KEY_AGREEMENT);
	assert_int_equal(ae_key_generate(&rsa, AE_KEY_RSA, 2048, &f.e), AE_OK);
	fx_csr_with(&f, rsa);
	issue();
	assert_int_equal(cert->x.key_usage,
	    AE_KU_DIGITAL_SIGNATURE | AE_KU_KEY_ENCIPHERMENT);
	ae_key_free(rsa);
}

static void
dates(void **state)
{
	const int64_t end = f.ca_cert->not_after;

	(void)state;
	/* the configuration's bound */
	f.cfg.max_validity = 86400;
	issue();
	assert_int_equal(cert->not_after, FX_NOW - 600 + 86400);
	assert_true(fx_has_reason(&f, "ca.validity-bounded"));
	/* the CA certificate's end */
	f.cfg.max_validity = 0;
	f.in.now = end - 3600;
	f.row.not_after = end;
	issue();
	assert_int_equal(cert->not_after, end);
	assert_true(fx_has_reason(&f, "deny.ca-expires-soon"));
	/* its beginning */
	f.in.now = f.ca_cert->not_before + 10;
	issue();
	assert_int_equal(cert->not_before, f.ca_cert->not_before);
	/* a validity that would overflow */
	f.in.now = FX_NOW;
	f.t.validity = INT64_MAX;
	issue();
	assert_int_equal(cert->not_after, end);
}

static void
questions_are_asked_one_after_the_other(void **state)
{
	static const unsigned order[] = { AE_CA_ASK_ROW_SAME,
		AE_CA_ASK_REQUESTER, AE_CA_ASK_DNS_OWNERS };
	struct ae_wcce_reply r;
	size_t i;

	(void)state;
	f.answers.answered = 0;
	for (i = 0; i < 3; i++) {
		fx_decide(&f);
		assert_int_equal(f.d.verdict, AE_CA_ASK);
		assert_int_equal(f.d.ask, order[i]);
		assert_null(f.d.tbs);
		ae_ca_reply(&r, &f.d, 1); /* never looks like an answer */
		assert_int_equal(r.hresult, AE_HR_E_UNEXPECTED);
		f.answers.answered |= order[i];
	}
	assert_string_equal(f.d.ask_dns, "pc1.example.com");
	issue();
	/* without answers at all */
	f.in.answers = NULL;
	fx_decide(&f);
	assert_int_equal(f.d.verdict, AE_CA_ASK);
	/* what is denied anyway asks nothing of the directory */
	f.in.answers = &f.answers;
	f.answers.answered = AE_CA_ASK_ROW_SAME;
	f.t.min_key_size = 4096;
	fx_decide(&f);
	assert_int_equal(f.d.verdict, AE_CA_DENY);
}

static void
a_request_is_parsed_once(void **state)
{
	struct ae_request *kept = NULL, *first;

	(void)state;
	f.in.parsed = &kept;
	f.answers.answered = 0;
	fx_decide(&f);
	assert_int_equal(f.d.verdict, AE_CA_ASK);
	assert_non_null(kept);
	first = kept;
	f.answers.answered =
	    AE_CA_ASK_ROW_SAME | AE_CA_ASK_REQUESTER | AE_CA_ASK_DNS_OWNERS;
	issue();
	assert_ptr_equal(kept, first);
	ae_request_free(kept);
	kept = NULL;
	/* what does not parse, or proves nothing, is not kept */
	f.rq.csr.len--;
	fx_decide(&f);
	assert_int_equal(f.d.verdict, AE_CA_FAIL);
	assert_null(kept);
	f.rq.csr.len++;
	f.csr.p[f.csr.len - 1] ^= 1;
	fx_decide(&f);
	assert_int_equal(f.d.verdict, AE_CA_FAIL);
	assert_null(kept);
}

static void
pending_and_approved(void **state)
{
	struct ae_wcce_reply r;

	(void)state;
	f.t.enrollment_flag |= AE_CT_PEND_ALL_REQUESTS;
	fx_decide(&f);
	assert_int_equal(f.d.verdict, AE_CA_PEND);
	assert_true(f.d.store);
	assert_null(f.d.tbs);
	assert_string_equal(f.d.message, "Taken Under Submission");
	ae_ca_reply(&r, &f.d, 12);
	assert_int_equal(r.disposition, 5);
	assert_int_equal(r.request_id, 12);
	assert_null(r.cert.p);
	f.in.approved = true;
	f.rq.request_id = 12;
	issue();
	/* approval does not stand above the checks */
	f.t.min_key_size = 4096;
	fx_decide(&f);
	assert_int_equal(f.d.verdict, AE_CA_DENY);

	fx_reset(&f);
	f.cfg.request_disposition = AE_REQDISP_PENDINGFIRST | AE_REQDISP_ISSUE;
	fx_decide(&f);
	assert_int_equal(f.d.verdict, AE_CA_PEND);
	f.cfg.request_disposition = AE_REQDISP_PENDING;
	fx_decide(&f);
	assert_int_equal(f.d.verdict, AE_CA_PEND);
}

static void
f23_the_same_request_has_the_same_answer(void **state)
{
	struct ae_wcce_reply r;

	(void)state;
	f.answers.row_same = &f.row;
	fx_decide(&f);
	assert_int_equal(f.d.verdict, AE_CA_STORED);
	ae_ca_reply(&r, &f.d, 0);
	assert_int_equal(r.request_id, 42);
	assert_int_equal(r.disposition, 3);
	assert_int_equal(r.cert.len, 11);
	/* still pending: the same id */
	f.row.disp = AE_DB_PENDING;
	fx_decide(&f);
	assert_int_equal(f.d.verdict, AE_CA_STORED);
	/* not: other attributes, too long ago, expired, refused, revoked */
	f.row.disp = AE_DB_ISSUED;
	f.row.attrs = "CertificateTemplate:Other";
	issue();
	f.row.attrs = "CertificateTemplate:Workstation";
	f.row.resolved = FX_NOW - AE_CA_REPEAT_WINDOW_DEFAULT - 1;
	issue();
	f.row.resolved = FX_NOW;
	f.row.not_after = FX_NOW;
	issue();
	f.row.not_after = FX_NOW + 1;
	f.row.disp = AE_DB_DENIED;
	issue();
	f.row.disp = AE_DB_REVOKED;
	issue();
	f.row.disp = AE_DB_ISSUED;
	f.cfg.repeat_window = 0;
	issue();
}

static void
decided_twice_is_the_same(void **state)
{
	uint8_t *first;
	size_t len;

	(void)state;
	issue();
	len = f.d.tbs_len;
	first = malloc(len);
	assert_non_null(first);
	memcpy(first, f.d.tbs, len);
	issue();
	assert_int_equal(f.d.tbs_len, len);
	assert_memory_equal(f.d.tbs, first, len);
	/* the template's version is in it */
	f.t.minor_revision = 2;
	issue();
	assert_true(f.d.tbs_len != len || memcmp(f.d.tbs, first, len) != 0);
	free(first);
}

static void
lint_sees_what_was_not_meant(void **state)
{
	struct ae_tbs t = { 0 };
	struct ae_err e = AE_ERR_INIT;

	(void)state;
	issue();
	t.serial = cert->serial;
	t.issuer = cert->issuer;
	t.subject = cert->subject;
	t.spki = cert->spki;
	t.sigalg = cert->sigalg;
	t.not_before = cert->not_before;
	t.not_after = cert->not_after;
	t.x = cert->x;
	assert_int_equal(
	    ae_ca_lint(&t, f.d.tbs, f.d.tbs_len, &f.cfg.more_extensions, &e),
	    AE_OK);
#define WRONG(change, word)                                           \
	do {                                                          \
		struct ae_tbs keep = t;                               \
		change;                                               \
		assert_int_equal(ae_ca_lint(&t, f.d.tbs, f.d.tbs_len, \
				     &f.cfg.more_extensions, &e),     \
		    AE_EINTERNAL);                                    \
		assert_non_null(strstr(e.text, word));                \
		t = keep;                                             \
	} while (0)
	WRONG(t.serial.len--, "serial");
	WRONG(t.issuer = t.subject, "issuer");
	WRONG(t.subject = t.issuer, "subject");
	WRONG(t.spki = f.ca_cert->spki, "public key");
	WRONG(t.not_after++, "validity");
	WRONG(t.sigalg.hash = AE_HASH_SHA384, "algorithm");
	WRONG(t.x.template_minor++, "template");
	WRONG(t.x.template_oid = f.other.oid, "template");
	WRONG(t.x.eku.n--, "usages");
	WRONG(t.x.app_policies.n--, "usages");
	WRONG(t.x.key_usage = 0, "key usage");
	WRONG(t.x.cdp.n = 0, "revocation");
	WRONG(t.x.aki = t.x.ski, "identifiers");
	WRONG(t.x.nsans = 0, "names");
	WRONG(t.x.sid = f.admins, "SID");
	WRONG(t.x.has_sid = false, "SID");
	WRONG(t.x.has_basic_constraints = true, "basic");
	assert_int_equal(ae_ca_lint(&t, f.d.tbs, f.d.tbs_len - 1,
			     &f.cfg.more_extensions, &e),
	    AE_EINVAL);
}

struct mutation {
	const uint8_t *original;
	size_t len;
	size_t verified;
};

static void
mutated(const uint8_t *p, size_t len, void *arg)
{
	struct mutation *m = arg;

	if (len == m->len && memcmp(p, m->original, len) == 0)
		return; /* a byte set to what it was */
	f.rq.csr = (struct ae_wcce_blob){ p, len };
	fx_decide(&f);
	/* the signature covers everything: no mutation is issued */
	assert_int_equal(f.d.verdict, AE_CA_FAIL);
	assert_true(f.d.hresult & 0x80000000);
	if (f.d.store)
		m->verified++;
}

static void
f15_mutations_are_never_issued(void **state)
{
	struct mutation m = { 0 };
	uint8_t *p;
	size_t n;

	(void)state;
	f.csr_spec.x.template_oid = f.t.oid;
	fx_csr(&f);
	p = malloc(f.csr.len);
	assert_non_null(p);
	memcpy(p, f.csr.p, f.csr.len);
	m.original = p;
	m.len = f.csr.len;
	n = ae_mutate(p, m.len, mutated, &m);
	assert_true(n > 2000);
	assert_true(m.verified > 100); /* some got as far as the signature */
	free(p);
}

static bool
tortured(void *arg)
{
	struct ae_arena *a = ae_arena_new(1 << 20);
	struct ae_decision d;
	bool ok;

	(void)arg;
	if (a == NULL)
		return false;
	ok = ae_ca_decide(&d, &f.in, a, NULL) == AE_OK;
	/* whatever failed: what is granted is whole */
	if (ok && d.verdict == AE_CA_ISSUE) {
		assert_non_null(d.tbs);
		assert_non_null(d.subject);
		assert_non_null(d.message);
	} else if (ok) {
		ok = false; /* memory is no reason to refuse */
		print_message("refused: %s\n", d.reasons[d.nreasons - 1].text);
		assert_true(ok);
	}
	ae_arena_free(a);
	return ok;
}

static void
f16_torture(void **state)
{
	(void)state;
	assert_true(ae_torture(tortured, NULL, 500, false) > 20);
}

static void
a_small_arena_is_a_limit(void **state)
{
	struct ae_arena *a = ae_arena_new(9000);
	struct ae_decision d;

	(void)state;
	assert_non_null(a);
	assert_int_equal(ae_ca_decide(&d, &f.in, a, &f.e), AE_ELIMIT);
	ae_arena_free(a);
}

#define T(x) cmocka_unit_test_setup_teardown(x, setup, teardown)

static int
begin(void **state)
{
	(void)state;
	return fx_begin(&f) ? 0 : -1;
}

static int
end(void **state)
{
	(void)state;
	fx_end(&f);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(every_field),
		T(esc15_no_requested_extension_gets_through),
		T(esc6_attributes_and_subject_change_nothing),
		T(pairs_that_mean_nothing_are_told),
		T(schema_1_has_the_name),
		T(users_and_paths),
		T(esc15_supplied_names_are_used_and_only_names),
		T(esc9_the_sid_stays_where_it_authenticates),
		T(kb5014754_a_thousand_sids),
		T(template_flags),
		T(policies_from_the_request_are_only_chosen_from),
		T(key_usage_follows_the_key),
		T(dates),
		T(questions_are_asked_one_after_the_other),
		T(a_request_is_parsed_once),
		T(pending_and_approved),
		T(f23_the_same_request_has_the_same_answer),
		T(decided_twice_is_the_same),
		T(lint_sees_what_was_not_meant),
		T(f15_mutations_are_never_issued),
		T(f16_torture),
		T(a_small_arena_is_a_limit),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
