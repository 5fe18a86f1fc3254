/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Tests of pki/cert.h, pki/tbs.h and pki/ext.h: what is written is what is
 * read, and what cannot be is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include <stdio.h>

#include "fixture.h"
#include "hexfile.h"
#include "mutate.h"
#include "pki/name.h"
#include "torture.h"

static char eku_agent[] = AE_OID_EKU_ENROLLMENT_AGENT;
static char text1[] = "1.2.x";
static char text2[] = "http://\x01";
static struct ae_cert *
parse(struct ae_der d)
{
	struct ae_cert *c = NULL;
	struct ae_err e = AE_ERR_INIT;
	int rc = ae_cert_parse(&c, d.p, d.len, &e);

	if (rc != AE_OK)
		print_error("%s\n", e.text);
	assert_ok(rc);
	return c;
}

static void
same_list(const struct ae_strv *a, const struct ae_strv *b)
{
	assert_int_equal(a->n, b->n);
	for (size_t i = 0; i < a->n; i++)
		assert_string_equal(a->v[i], b->v[i]);
}

static void
leaf_reads_as_written(void **state)
{
	struct ae_tbs t = fix_leaf_tbs();
	struct ae_cert *c = parse(fix_leaf());
	static const uint8_t ip[] = { 192, 0, 2, 7 };

	(void)state;
	assert_true(ae_der_equal(c->serial, t.serial));
	assert_true(ae_der_equal(c->issuer, t.issuer));
	assert_true(ae_der_equal(c->subject, t.subject));
	assert_true(ae_der_equal(c->spki, t.spki));
	assert_true(ae_sigalg_equal(&c->sigalg, &t.sigalg));
	assert_true(c->not_before == t.not_before);
	assert_true(c->not_after == t.not_after);
	assert_null(c->x.template_name);
	assert_string_equal(c->x.template_oid, t.x.template_oid);
	assert_int_equal(c->x.template_major, 100);
	assert_int_equal(c->x.template_minor, 3);
	assert_true(c->x.has_template_major && c->x.has_template_minor);
	same_list(&c->x.eku, &t.x.eku);
	same_list(&c->x.app_policies, &t.x.app_policies);
	same_list(&c->x.cert_policies, &t.x.cert_policies);
	same_list(&c->x.cdp, &t.x.cdp);
	same_list(&c->x.aia_issuers, &t.x.aia_issuers);
	same_list(&c->x.aia_ocsp, &t.x.aia_ocsp);
	assert_true(c->x.has_key_usage);
	assert_int_equal(c->x.key_usage, t.x.key_usage);
	assert_false(c->x.has_basic_constraints || c->x.ca);
	assert_int_equal(c->x.path_len, -1);
	assert_true(ae_der_equal(c->x.ski, t.x.ski));
	assert_true(ae_der_equal(c->x.aki, t.x.aki));
	assert_true(c->x.has_sid && ae_sid_equal(&c->x.sid, &t.x.sid));
	assert_int_equal(c->x.nsans, 6);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(c->x.sans[i].type, t.x.sans[i].type);
		assert_string_equal(c->x.sans[i].text, t.x.sans[i].text);
	}
	assert_true(ae_guid_equal(&c->x.sans[4].guid, &t.x.sans[4].guid));
	assert_memory_equal(
	    ae_exts_san(&c->x, AE_SAN_IP)->der.p, ip, sizeof(ip));
	assert_null(ae_exts_san(&c->x, AE_SAN_DN));
	assert_true(ae_exts_find(&c->x, AE_OID_KEY_USAGE)->critical);
	assert_false(ae_exts_find(&c->x, AE_OID_MS_SID)->critical);
	assert_null(ae_exts_find(&c->x, AE_OID_BASIC_CONSTRAINTS));
	assert_true(ae_cert_has_key(c, fix_leaf_key()));
	assert_false(ae_cert_has_key(c, fix_ca_key()));
	assert_false(ae_cert_has_key(c, fix_rsa_key()));
	assert_false(ae_cert_self_issued(c));
	assert_true(ae_cert_allows(c, AE_OID_EKU_CLIENT_AUTH));
	assert_false(ae_cert_allows(c, AE_OID_EKU_ENROLLMENT_AGENT));
	assert_ok(ae_cert_verify(c, fix_ca_key(), NULL));
	assert_rc(ae_cert_verify(c, fix_leaf_key(), NULL), AE_ETRUST);
	assert_rc(ae_cert_verify(c, fix_rsa_key(), NULL), AE_ETRUST);
	ae_cert_free(c);
}

/* Object identifiers come back as they were written, the odd ones too. */
static void
odd_oids(void **state)
{
	static char a[] = "0.39", b[] = "1.0.8571.2", c[] = "2.0",
		    d[] = "2.47.128", e[] = "2.48.16383.16384",
		    f[] = "1.3.6.1.4.1.311.18446744073709551609",
		    g[] = "2.25.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1",
		    uuid[] = "2.25.329800735698586629295641978511506172918";
	static char *all[] = { a, b, c, d, e, f, g };
	/* what ours does not write: the arc of a UUID, in the place of g's */
	static const uint8_t uuid_arc[] = { 0x83, 0xf0, 0x9d, 0xa7, 0xeb, 0xcf,
		0xde, 0xe0, 0xc7, 0xa1, 0xa7, 0xb2, 0xc0, 0x94, 0x8c, 0xc8,
		0xf9, 0xd7, 0x76 };
	uint8_t ones[sizeof(uuid_arc)];
	struct ae_tbs t = fix_leaf_tbs();
	struct ae_cert *back = NULL;
	struct ae_wr w;
	uint8_t *at;

	(void)state;
	ae_wr_init(&w, AE_PKI_CERT_MAX);
	t.x.eku = (struct ae_strv){ all, sizeof(all) / sizeof(all[0]) };
	t.x.cert_policies = (struct ae_strv){ all, 6 };
	assert_ok(ae_tbs_encode(&w, &t, NULL));
	assert_ok(ae_cert_parse_tbs(&back, w.p, w.len, NULL));
	same_list(&back->x.eku, &t.x.eku);
	same_list(&back->x.cert_policies, &t.x.cert_policies);
	ae_cert_free(back);
	memset(ones, 1, sizeof(ones));
	at = memmem(w.p, w.len, ones, sizeof(ones));
	assert_non_null(at);
	memcpy(at, uuid_arc, sizeof(uuid_arc));
	assert_ok(ae_cert_parse_tbs(&back, w.p, w.len, NULL));
	assert_string_equal(back->x.eku.v[6], uuid);
	ae_cert_free(back);
	ae_wr_done(&w);
}

/* CVE-2024-49019: an application policy does not widen the EKU. */
static void
usage_is_what_both_lists_allow(void **state)
{
	static char *agent[] = { eku_agent };
	struct ae_tbs t = fix_leaf_tbs();
	struct ae_strv both = t.x.eku;
	struct ae_cert *c = NULL;
	struct ae_wr w;

	(void)state;
	ae_wr_init(&w, AE_PKI_CERT_MAX);
	for (int i = 0; i < 4; i++) {
		t.x.app_policies =
		    (i & 1) ? (struct ae_strv){ agent, 1 } : both;
		t.x.eku = (i & 2) ? (struct ae_strv){ NULL, 0 } : both;
		ae_wr_reset(&w);
		assert_ok(ae_tbs_encode(&w, &t, NULL));
		assert_ok(ae_cert_parse_tbs(&c, w.p, w.len, NULL));
		assert_int_equal(
		    ae_cert_allows(c, AE_OID_EKU_ENROLLMENT_AGENT), i == 3);
		assert_int_equal(ae_cert_allows(c, AE_OID_EKU_CLIENT_AUTH),
		    i == 0 || i == 2);
		ae_cert_free(c);
	}
	memset(&t.x.eku, 0, sizeof(t.x.eku));
	memset(&t.x.app_policies, 0, sizeof(t.x.app_policies));
	ae_wr_reset(&w);
	assert_ok(ae_tbs_encode(&w, &t, NULL));
	assert_ok(ae_cert_parse_tbs(&c, w.p, w.len, NULL));
	assert_false(ae_cert_allows(c, AE_OID_EKU_CLIENT_AUTH));
	ae_cert_free(c);
	ae_wr_done(&w);
}

static void
extension_order(void **state)
{
	static const char *const want[] = { AE_OID_MS_TEMPLATE_V2, AE_OID_EKU,
		AE_OID_KEY_USAGE, AE_OID_MS_APP_POLICIES, AE_OID_CERT_POLICIES,
		AE_OID_SKI, AE_OID_AKI, AE_OID_CDP, AE_OID_AIA, AE_OID_SAN,
		AE_OID_MS_SID };
	struct ae_cert *c = parse(fix_leaf());

	(void)state;
	assert_int_equal(c->x.nraw, 11);
	for (size_t i = 0; i < 11; i++)
		assert_string_equal(c->x.raw[i].oid, want[i]);
	ae_cert_free(c);
}

static void
root_is_a_ca(void **state)
{
	struct ae_cert *c = parse(fix_root());

	(void)state;
	assert_true(ae_cert_self_issued(c));
	assert_true(c->x.has_basic_constraints && c->x.ca);
	assert_int_equal(c->x.path_len, -1);
	assert_int_equal(c->x.key_usage, 0x86);
	assert_true(c->x.has_ca_version);
	assert_int_equal(c->x.ca_version, 0);
	assert_true(ae_exts_find(&c->x, AE_OID_BASIC_CONSTRAINTS)->critical);
	assert_true(ae_exts_find(&c->x, AE_OID_KEY_USAGE)->critical);
	assert_ok(ae_cert_verify(c, fix_ca_key(), NULL));
	ae_cert_free(c);
}

/* The value an extension has in the certificate made from t. */
static void
value_is(const struct ae_tbs *t, const char *oid, const void *want, size_t len)
{
	struct ae_cert *c = NULL;
	const struct ae_ext *x;
	struct ae_wr w;

	ae_wr_init(&w, AE_PKI_CERT_MAX);
	assert_ok(ae_tbs_encode(&w, t, NULL));
	assert_ok(ae_cert_parse_tbs(&c, w.p, w.len, NULL));
	x = ae_exts_find(&c->x, oid);
	assert_non_null(x);
	assert_int_equal(x->value.len, len);
	assert_memory_equal(x->value.p, want, len);
	ae_cert_free(c);
	ae_wr_done(&w);
}

static void
value_is_vector(const struct ae_tbs *t, const char *oid, const char *file)
{
	uint8_t *want;
	size_t len;

	want = ae_hexfile(AE_VECTORS, file, &len);
	value_is(t, oid, want, len);
	free(want);
}

static void
vectors(void **state)
{
	struct ae_tbs t = fix_leaf_tbs();

	(void)state;
	value_is_vector(&t, AE_OID_MS_SID, "pki-sid-extension.hex");
	value_is_vector(&t, AE_OID_MS_TEMPLATE_V2, "pki-template-v2.hex");
	t.x.template_name = "Machine";
	value_is_vector(&t, AE_OID_MS_TEMPLATE_V1, "pki-template-v1.hex");
	t.x.has_ca_version = true;
	t.x.ca_version = 0x00010002;
	value_is(&t, AE_OID_MS_CA_VERSION, "\x02\x03\x01\x00\x02", 5);
	value_is(&t, AE_OID_KEY_USAGE, "\x03\x02\x05\xa0", 4);
	t.x.key_usage = AE_KU_DECIPHER_ONLY | AE_KU_DIGITAL_SIGNATURE;
	value_is(&t, AE_OID_KEY_USAGE, "\x03\x03\x07\x80\x80", 5);
	t.x.key_usage = 0;
	value_is(&t, AE_OID_KEY_USAGE, "\x03\x01\x00", 3);
	t.x.has_basic_constraints = true;
	value_is(&t, AE_OID_BASIC_CONSTRAINTS, "\x30\x00", 2);
	t.x.ca = true;
	value_is(&t, AE_OID_BASIC_CONSTRAINTS, "\x30\x03\x01\x01\xff", 5);
	t.x.path_len = 0;
	value_is(&t, AE_OID_BASIC_CONSTRAINTS,
	    "\x30\x06\x01\x01\xff\x02\x01\x00", 8);
	t.x.ocsp_nocheck = true;
	value_is(&t, AE_OID_OCSP_NOCHECK, "\x05\x00", 2);
	t.x.previous_cert_hash = t.x.ski;
	t.x.smime_caps = (struct ae_der){ (const uint8_t *)"\x30\x00", 2 };
	value_is(&t, AE_OID_SMIME_CAPS, "\x30\x00", 2);
	t.x.has_template_minor = false;
	value_is_vector(&t, AE_OID_MS_TEMPLATE_V2, "pki-template-major.hex");
}

static void
raw_extensions_and_other_names(void **state)
{
	static const uint8_t dn[] = { 0x30, 0x00 }, nul[] = { 5, 0 },
			     rid[] = { 0x88, 0x01, 0x2a };
	struct ae_san sans[] = { { AE_SAN_DN, NULL, { 0 }, { dn, 2 } },
		{ AE_SAN_OTHER, "1.2.3", { 0 }, { nul, 2 } },
		{ AE_SAN_RAW, NULL, { 0 }, { rid, 3 } } };
	struct ae_ext raw[] = { { "1.2.3.4", true, { nul, 2 } },
		{ "1.2.3.5", false, { NULL, 0 } } };
	struct ae_tbs t = fix_leaf_tbs();
	struct ae_cert *c = NULL;
	struct ae_wr w;

	(void)state;
	t.x.sans = sans;
	t.x.nsans = 3;
	t.x.raw = raw;
	t.x.nraw = 2;
	ae_wr_init(&w, AE_PKI_CERT_MAX);
	assert_ok(ae_tbs_encode(&w, &t, NULL));
	assert_ok(ae_cert_parse_tbs(&c, w.p, w.len, NULL));
	assert_int_equal(c->x.nsans, 3);
	assert_true(ae_der_equal(c->x.sans[0].der, sans[0].der));
	assert_string_equal(c->x.sans[1].text, "1.2.3");
	assert_true(ae_der_equal(c->x.sans[1].der, sans[1].der));
	assert_true(ae_der_equal(c->x.sans[2].der, sans[2].der));
	assert_true(ae_exts_find(&c->x, "1.2.3.4")->critical);
	assert_int_equal(ae_exts_find(&c->x, "1.2.3.5")->value.len, 0);
	ae_cert_free(c);
	ae_wr_done(&w);
}

static void
refused(const struct ae_tbs *t, const char *why)
{
	struct ae_err e = AE_ERR_INIT;
	struct ae_wr w;

	ae_wr_init(&w, AE_PKI_CERT_MAX);
	assert_rc(ae_tbs_encode(&w, t, &e), AE_EINVAL);
	assert_int_equal(w.len, 0);
	if (strstr(e.text, why) == NULL)
		fail_msg("%s does not mention %s", e.text, why);
	ae_wr_done(&w);
}

static void
what_cannot_be_written(void **state)
{
	static const uint8_t zero[] = { 0, 0 }, neg[] = { 0x80 },
			     big[21] = { 1 };
	static char *bad_oid[] = { text1 };
	static char *bad_url[] = { text2 };
	struct ae_san san = { AE_SAN_DNS, "" };
	struct ae_ext twice = { AE_OID_EKU, false, { zero, 1 } };
	struct ae_tbs good = fix_leaf_tbs(), t = good;

	(void)state;
	t.serial = (struct ae_der){ zero, 2 };
	refused(&t, "serial");
	t.serial = (struct ae_der){ neg, 1 };
	refused(&t, "serial");
	t.serial = (struct ae_der){ big, 21 };
	refused(&t, "serial");
	t.serial = (struct ae_der){ NULL, 0 };
	refused(&t, "serial");
	t = good;
	t.not_after = t.not_before - 1;
	refused(&t, "validity");
	t.not_after = INT64_MAX;
	refused(&t, "validity");
	t = good;
	t.issuer = (struct ae_der){ NULL, 0 };
	refused(&t, "issuer");
	t = good;
	t.subject = (struct ae_der){ NULL, 0 };
	t.x.nsans = 0;
	refused(&t, "subject");
	t = good;
	t.spki = (struct ae_der){ NULL, 0 };
	refused(&t, "public key");
	t = good;
	t.x.eku = (struct ae_strv){ bad_oid, 1 };
	refused(&t, AE_OID_EKU);
	t = good;
	t.x.cert_policies = (struct ae_strv){ bad_oid, 1 };
	refused(&t, AE_OID_CERT_POLICIES);
	t = good;
	t.x.template_oid = "1";
	refused(&t, AE_OID_MS_TEMPLATE_V2);
	t = good;
	t.x.template_name = "";
	refused(&t, AE_OID_MS_TEMPLATE_V1);
	t = good;
	t.x.cdp = (struct ae_strv){ bad_url, 1 };
	refused(&t, AE_OID_CDP);
	t = good;
	t.x.aia_ocsp = (struct ae_strv){ bad_url, 1 };
	refused(&t, AE_OID_AIA);
	t = good;
	t.x.sans = &san;
	t.x.nsans = 1;
	refused(&t, AE_OID_SAN);
	san.text = "b\xc3\xbc.example";
	refused(&t, AE_OID_SAN);
	san = (struct ae_san){ AE_SAN_UPN, "\xff" };
	refused(&t, AE_OID_SAN);
	san = (struct ae_san){ AE_SAN_IP, NULL, { 0 }, { big, 5 } };
	refused(&t, AE_OID_SAN);
	san = (struct ae_san){ AE_SAN_OTHER, "x", { 0 }, { zero, 2 } };
	refused(&t, AE_OID_SAN);
	san = (struct ae_san){ (enum ae_san_type)99 };
	refused(&t, AE_OID_SAN);
	t = good;
	t.x.raw = &twice;
	t.x.nraw = 1;
	refused(&t, "twice");
}

/* The TBS of a leaf with one byte run replaced; must be refused. */
static void
tbs_refused(const char *find, size_t flen, const char *put, const char *why)
{
	struct ae_tbs t = fix_leaf_tbs();
	struct ae_err e = AE_ERR_INIT;
	struct ae_cert *c = NULL;
	uint8_t *at;
	struct ae_wr w;

	ae_wr_init(&w, AE_PKI_CERT_MAX);
	assert_ok(ae_tbs_encode(&w, &t, NULL));
	at = memmem(w.p, w.len, find, flen);
	assert_non_null(at);
	memcpy(at, put, flen);
	assert_rc(ae_cert_parse_tbs(&c, w.p, w.len, &e), AE_EPROTO);
	assert_null(c);
	if (strstr(e.text, why) == NULL)
		fail_msg("\"%s\" does not mention %s", e.text, why);
	ae_wr_done(&w);
}
#define TBS_REFUSED(find, put, why) \
	tbs_refused(find, sizeof(find) - 1, put, why)

static void
what_is_no_certificate(void **state)
{
	(void)state;
	TBS_REFUSED("\xa0\x03\x02\x01\x02", "\xa0\x03\x02\x01\x01", "version");
	TBS_REFUSED("\xa0\x03\x02\x01\x02", "\xa0\x03\x02\x01\x03", "version");
	TBS_REFUSED("\x02\x0a\x61", "\x02\x0a\x81", "serial");
	TBS_REFUSED("\x2a\x86\x48\xce\x3d\x04\x03\x02",
	    "\x2a\x86\x48\xce\x3d\x04\x03\x01", "algorithm");
	TBS_REFUSED("\x06\x03\x55\x1d\x0e", "\x06\x03\x55\x1d\x0f", "twice");
	TBS_REFUSED("S-1-5-21-1004336348", "S-2-5-21-1004336348", "SID");
	TBS_REFUSED("S-1-5-21-1004336348",
	    "S-1-5-21-10043\x00"
	    "6348",
	    "SID");
	TBS_REFUSED("\x37\x19\x02\x01\xa0\x30\x04",
	    "\x37\x19\x02\x01\xa0\x30\x0c", "SID");
	TBS_REFUSED("\x37\x19\x02\x01\xa0", "\x37\x19\x02\x02\xa0", "SID");
	TBS_REFUSED("\x82\x0fpc1", "\x82\x0fpc\x00", AE_OID_SAN);
	TBS_REFUSED("\x82\x0fpc1", "\x82\x0fpc\xfc", AE_OID_SAN);
	TBS_REFUSED("\x0c\x10pc1$", "\x16\x10pc1$", "UPN");
	TBS_REFUSED("\x0c\x10pc1$", "\x0c\x10pc\xff$", "UPN");
	TBS_REFUSED("Z\x17\x0d", "+\x17\x0d", "time");
}

static void
outer_and_inner_algorithm_differ(void **state)
{
	struct ae_sigalg other = { AE_KEY_EC, AE_HASH_SHA384, false };
	struct ae_tbs t = fix_leaf_tbs();
	struct ae_cert *c = NULL;
	struct ae_wr tbs, w;

	(void)state;
	ae_wr_init(&tbs, AE_PKI_CERT_MAX);
	ae_wr_init(&w, AE_PKI_CERT_MAX);
	assert_ok(ae_tbs_encode(&tbs, &t, NULL));
	assert_ok(ae_tbs_assemble(&w, tbs.p, tbs.len, &other, "x", 1, NULL));
	assert_rc(ae_cert_parse(&c, w.p, w.len, NULL), AE_EPROTO);
	ae_wr_reset(&w);
	assert_ok(ae_tbs_assemble(&w, tbs.p, tbs.len, &t.sigalg, "x", 1, NULL));
	assert_ok(ae_cert_parse(&c, w.p, w.len, NULL));
	assert_rc(ae_cert_verify(c, fix_ca_key(), NULL), AE_ETRUST);
	ae_cert_free(c);
	ae_wr_done(&tbs);
	ae_wr_done(&w);
}

static void
no_extensions_and_empty_subject(void **state)
{
	struct ae_tbs t = fix_leaf_tbs(), bare = t;
	struct ae_cert *c = NULL;
	struct ae_wr w;

	(void)state;
	memset(&bare.x, 0, sizeof(bare.x));
	ae_wr_init(&w, AE_PKI_CERT_MAX);
	assert_ok(ae_tbs_encode(&w, &bare, NULL));
	assert_ok(ae_cert_parse_tbs(&c, w.p, w.len, NULL));
	assert_int_equal(c->x.nraw, 0);
	assert_rc(ae_cert_verify(c, fix_ca_key(), NULL), AE_EINVAL);
	ae_cert_free(c);
	c = NULL;
	ae_wr_reset(&w);
	t.subject = (struct ae_der){ NULL, 0 };
	assert_ok(ae_tbs_encode(&w, &t, NULL));
	assert_ok(ae_cert_parse_tbs(&c, w.p, w.len, NULL));
	assert_true(ae_name_is_empty(c->subject));
	ae_cert_free(c);
	ae_wr_done(&w);
}

static void
pem_files(void **state)
{
	struct ae_cert **v = NULL, *root = parse(fix_root()),
		       *leaf = parse(fix_leaf());
	struct ae_wr w;
	uint8_t h[32];
	size_t n = 0;

	(void)state;
	ae_wr_init(&w, 1 << 16);
	ae_wr_str(&w, "a comment\n");
	ae_cert_put_pem(&w, leaf);
	ae_cert_put_pem(&w, root);
	assert_true(ae_wr_ok(&w));
	assert_ok(ae_certs_read(&v, &n, 2, w.p, w.len, NULL));
	assert_int_equal(n, 2);
	assert_true(ae_der_equal(v[0]->der, leaf->der));
	assert_true(ae_der_equal(v[1]->der, root->der));
	ae_certs_free(v, n);
	v = NULL;
	assert_rc(ae_certs_read(&v, &n, 1, w.p, w.len, NULL), AE_ELIMIT);
	assert_rc(ae_certs_read(&v, &n, 2, w.p, w.len / 2, NULL), AE_EPROTO);
	assert_rc(ae_certs_read(&v, &n, 2, "hello", 5, NULL), AE_ENOTFOUND);
	assert_rc(ae_certs_read(&v, &n, 2, "", 0, NULL), AE_ENOTFOUND);
	assert_null(v);
	assert_ok(ae_certs_read(&v, &n, 1, leaf->der.p, leaf->der.len, NULL));
	assert_int_equal(n, 1);
	ae_cert_sha256(h, v[0]);
	ae_cert_sha1(h, v[0]);
	ae_certs_free(v, n);
	ae_wr_done(&w);
	ae_cert_free(root);
	ae_cert_free(leaf);
}

static void
try_cert(const uint8_t *p, size_t len, void *arg)
{
	struct ae_cert *c = NULL;

	(void)arg;
	if (ae_cert_parse(&c, p, len, NULL) == AE_OK)
		ae_cert_free(c);
}

static void
survives_mutation(void **state)
{
	struct ae_der leaf = fix_leaf(), root = fix_root();

	(void)state;
	assert_true(ae_mutate(leaf.p, leaf.len, try_cert, NULL) > 10000);
	assert_true(ae_mutate(root.p, root.len, try_cert, NULL) > 4000);
}

static bool
work(void *arg)
{
	const struct ae_tbs *t = arg;
	struct ae_cert *c = NULL, *copy = NULL;
	struct ae_wr w;
	bool ok;

	ae_wr_init(&w, AE_PKI_CERT_MAX);
	ok = ae_tbs_sign(&w, t, fix_ca_key(), NULL) == AE_OK &&
	    ae_cert_parse(&c, w.p, w.len, NULL) == AE_OK &&
	    (copy = ae_cert_dup(c)) != NULL;
	ae_cert_free(c);
	ae_cert_free(copy);
	ae_wr_done(&w);
	return ok;
}

static void
survives_lack_of_memory(void **state)
{
	struct ae_tbs t = fix_leaf_tbs();

	(void)state;
	assert_true(work(&t));
	assert_true(ae_torture(work, &t, 20000, false) > 100);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(leaf_reads_as_written),
		cmocka_unit_test(odd_oids),
		cmocka_unit_test(usage_is_what_both_lists_allow),
		cmocka_unit_test(extension_order),
		cmocka_unit_test(root_is_a_ca),
		cmocka_unit_test(vectors),
		cmocka_unit_test(raw_extensions_and_other_names),
		cmocka_unit_test(what_cannot_be_written),
		cmocka_unit_test(what_is_no_certificate),
		cmocka_unit_test(outer_and_inner_algorithm_differ),
		cmocka_unit_test(no_extensions_and_empty_subject),
		cmocka_unit_test(pem_files),
		cmocka_unit_test(survives_mutation),
		cmocka_unit_test(survives_lack_of_memory),
	};

	fix_init();
	return fix_done(cmocka_run_group_tests(tests, NULL, NULL));
}
