/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * See fixture.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "fixture.h"

#include <openssl/crypto.h>

#include "pki/name.h"

static char text1[] = AE_OID_EKU_CLIENT_AUTH;
static char text2[] = AE_OID_EKU_SERVER_AUTH;
static char text3[] = "1.3.6.1.4.1.311.21.8.1.2.3.1.402";
static char text4[] = AE_OID_KEY_USAGE;
static char text5[] = "ldap:///CN=Example%20CA,CN=ca1";
static char text6[] = "http://ca1.example.com/ca.crl";
static char text7[] = "http://ca1.example.com/ca.crt";
static char text8[] = "http://ca1.example.com/ocsp";
static struct ae_key *ca_key, *leaf_key, *rsa_key;
static struct ae_wr root, leaf, csr, root_name, leaf_name;

static void *
mem_alloc(size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	return n == 0 ? NULL : malloc(n);
}

static void *
mem_realloc(void *p, size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	if (n == 0) {
		free(p);
		return NULL;
	}
	return realloc(p, n);
}

static void
mem_free(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	free(p);
}

void
fix_init(void)
{
	if (CRYPTO_set_mem_functions(mem_alloc, mem_realloc, mem_free) != 1)
		abort();
}

int
fix_done(int failed)
{
	ae_key_free(ca_key);
	ae_key_free(leaf_key);
	ae_key_free(rsa_key);
	ae_wr_done(&root);
	ae_wr_done(&leaf);
	ae_wr_done(&csr);
	ae_wr_done(&root_name);
	ae_wr_done(&leaf_name);
	return failed;
}

static struct ae_key *
once(struct ae_key **k, enum ae_key_type type, unsigned bits)
{
	if (*k == NULL)
		assert_ok(ae_key_generate(k, type, bits, NULL));
	return *k;
}

struct ae_key *
fix_ca_key(void)
{
	return once(&ca_key, AE_KEY_EC, 256);
}

struct ae_key *
fix_leaf_key(void)
{
	return once(&leaf_key, AE_KEY_EC, 256);
}

struct ae_key *
fix_rsa_key(void)
{
	return once(&rsa_key, AE_KEY_RSA, 2048);
}

static struct ae_der
bytes(const struct ae_wr *w)
{
	struct ae_der d = { w->p, w->len };

	return d;
}

static struct ae_der
name(struct ae_wr *w, const char *text)
{
	if (w->p == NULL) {
		ae_wr_init(w, AE_PKI_NAME_MAX);
		assert_ok(ae_name_from_text(w, text, NULL));
	}
	return bytes(w);
}

struct ae_der
fix_root(void)
{
	static const uint8_t serial[] = { 0x11, 0x22, 0x33 };
	uint8_t keyid[AE_KEY_ID_LEN];
	struct ae_tbs t;

	if (root.p != NULL)
		return bytes(&root);
	assert_ok(ae_tbs_root(&t, fix_ca_key(), AE_HASH_SHA256,
	    name(&root_name, "CN=Example CA,DC=example,DC=com"),
	    (struct ae_der){ serial, sizeof(serial) }, FIX_NOW - 86400,
	    FIX_NOW + 3650 * INT64_C(86400), keyid, NULL));
	ae_wr_init(&root, AE_PKI_CERT_MAX);
	assert_ok(ae_tbs_sign(&root, &t, fix_ca_key(), NULL));
	return bytes(&root);
}

struct ae_tbs
fix_leaf_tbs(void)
{
	static const uint8_t serial[] = { 0x61, 1, 2, 3, 4, 5, 6, 7, 8, 9 };
	static const uint8_t ip[] = { 192, 0, 2, 7 };
	static char *eku[] = { text1, text2 };
	static char *pol[] = { text3 };
	static char *crit[] = { text4 };
	static char *cdp[] = { text5, text6 };
	static char *aia[] = { text7 };
	static char *ocsp[] = { text8 };
	static struct ae_san sans[] = { { AE_SAN_DNS, "pc1.example.com" },
		{ AE_SAN_UPN, "pc1$@example.com" },
		{ AE_SAN_EMAIL, "pc1@example.com" },
		{ AE_SAN_URI, "tag:microsoft.com,2022-09-14:sid:S-1-5-21-1" },
		{ AE_SAN_GUID, NULL,
		    { 0x01020304, 0x0506, 0x0708,
			{ 9, 10, 11, 12, 13, 14, 15, 16 } } },
		{ AE_SAN_IP, NULL, { 0 }, { ip, sizeof(ip) } } };
	static uint8_t ski[AE_KEY_ID_LEN], aki[AE_KEY_ID_LEN];
	struct ae_tbs t = { 0 };

	assert_ok(ae_key_id(ski, fix_leaf_key(), NULL));
	assert_ok(ae_key_id(aki, fix_ca_key(), NULL));
	t.serial = (struct ae_der){ serial, sizeof(serial) };
	t.sigalg = ae_key_sigalg(fix_ca_key(), AE_HASH_SHA256);
	t.issuer = name(&root_name, "CN=Example CA,DC=example,DC=com");
	t.subject =
	    name(&leaf_name, "CN=pc1.example.com,OU=Bür\\,o,DC=example,DC=com");
	t.not_before = FIX_NOW - 600;
	t.not_after = FIX_NOW + 365 * 86400;
	t.spki = ae_key_spki(fix_leaf_key());
	t.x.template_oid = "1.3.6.1.4.1.311.21.8.11034890.834619.12601478."
			   "16236816.7255827.176.1.7";
	t.x.has_template_major = t.x.has_template_minor = true;
	t.x.template_major = 100;
	t.x.template_minor = 3;
	t.x.eku = (struct ae_strv){ eku, 2 };
	t.x.app_policies = (struct ae_strv){ eku, 2 };
	t.x.cert_policies = (struct ae_strv){ pol, 1 };
	t.x.has_key_usage = true;
	t.x.key_usage = AE_KU_DIGITAL_SIGNATURE | AE_KU_KEY_ENCIPHERMENT;
	t.x.critical = (struct ae_strv){ crit, 1 };
	t.x.path_len = -1;
	t.x.ski = (struct ae_der){ ski, sizeof(ski) };
	t.x.aki = (struct ae_der){ aki, sizeof(aki) };
	t.x.cdp = (struct ae_strv){ cdp, 2 };
	t.x.aia_issuers = (struct ae_strv){ aia, 1 };
	t.x.aia_ocsp = (struct ae_strv){ ocsp, 1 };
	t.x.sans = sans;
	t.x.nsans = sizeof(sans) / sizeof(sans[0]);
	t.x.has_sid = ae_sid_parse(
	    &t.x.sid, "S-1-5-21-1004336348-1177238915-682003330-11040");
	return t;
}

struct ae_der
fix_leaf(void)
{
	struct ae_tbs t;

	if (leaf.p != NULL)
		return bytes(&leaf);
	t = fix_leaf_tbs();
	ae_wr_init(&leaf, AE_PKI_CERT_MAX);
	assert_ok(ae_tbs_sign(&leaf, &t, fix_ca_key(), NULL));
	return bytes(&leaf);
}

struct ae_der
fix_csr(void)
{
	static const struct ae_pair pairs[] = { { "CertificateTemplate",
						    "Machine" },
		{ "rmd", "pc1.example.com" } };
	struct ae_csr_spec s = { 0 };

	if (csr.p != NULL)
		return bytes(&csr);
	s.subject =
	    name(&leaf_name, "CN=pc1.example.com,OU=Bür\\,o,DC=example,DC=com");
	s.x = fix_leaf_tbs().x;
	s.x.aki.p = NULL;
	s.ms_extensions = true;
	s.os_version = "10.0.20348.2";
	s.csp_name = "Microsoft Software Key Storage Provider";
	s.client = (struct ae_client_info){ 6, "pc1.example.com",
		"EXAMPLE\\pc1$", "autoenrolld" };
	s.pairs = pairs;
	s.npairs = 2;
	s.renewal_cert = fix_leaf();
	s.hash = AE_HASH_SHA256;
	ae_wr_init(&csr, AE_PKI_REQUEST_MAX);
	assert_ok(ae_csr_build(&csr, &s, fix_leaf_key(), NULL));
	return bytes(&csr);
}
