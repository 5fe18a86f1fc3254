/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What one issuance costs, stage by stage and on one thread: request parsed,
 * weak key test, proof of possession, to-be-signed certificate, parsed back
 * for judging, signed, verified.  Prints microseconds, the median of rounds.
 *
 *	pki_stages [ec|rsa2048|rsa3072|rsa4096 [ec|rsa2048]]	CA key, leaf key
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "pki/cert.h"
#include "pki/crl.h"
#include "pki/csr.h"
#include "pki/name.h"
#include "pki/request.h"
#include "pki/tbs.h"

#define ROUNDS 21
#define NOW INT64_C(1795000000)

static struct ae_key *ca, *leaf;
static struct ae_wr csr, cmc, tbs, ca_name, leaf_name, sig, crl;
static struct ae_tbs spec;
static struct ae_csr *parsed;
static const struct ae_key_policy policy = { 2048, 4096, 256 };

static void
must(int rc)
{
	if (rc == AE_OK)
		return;
	(void)fprintf(stderr, "pki_stages: %s\n", ae_rc_name(rc));
	exit(1);
}

static struct ae_key *
key_of(const char *name)
{
	struct ae_key *k = NULL;

	if (strncmp(name, "rsa", 3) == 0)
		must(ae_key_generate(
		    &k, AE_KEY_RSA, (unsigned)atoi(name + 3), NULL));
	else
		must(ae_key_generate(&k, AE_KEY_EC, 256, NULL));
	return k;
}

static char client[] = AE_OID_EKU_CLIENT_AUTH,
	    server[] = AE_OID_EKU_SERVER_AUTH,
	    cdp1[] = "ldap:///CN=Example%20CA,CN=ca1,CN=CDP,CN=Public%20Key%20"
		     "Services,CN=Services,CN=Configuration,DC=example,DC=com"
		     "?certificateRevocationList?base",
	    aia1[] = "http://ca1.example.com/CertEnroll/ca1_Example%20CA.crt",
	    ku[] = AE_OID_KEY_USAGE;
static char *eku[] = { client, server }, *cdp[] = { cdp1 }, *aia[] = { aia1 },
	    *critical[] = { ku };
static const struct ae_san sans[] = { { AE_SAN_DNS, "pc1.example.com" } };
static uint8_t ski[AE_KEY_ID_LEN], aki[AE_KEY_ID_LEN];

/* What the Computer template gives: eleven extensions. */
static void
prepare(void)
{
	static const uint8_t serial[17] = { 0x21, 1, 2, 3 };
	struct ae_csr_spec c = { .hash = AE_HASH_SHA256,
		.os_version = "10.0.20348.2",
		.client = { 6, "pc1.example.com", "EXAMPLE\\pc1$", "x" } };
	struct ae_request_spec r = { .hash = AE_HASH_SHA256 };

	ae_wr_init(&csr, AE_PKI_REQUEST_MAX);
	ae_wr_init(&cmc, AE_PKI_REQUEST_MAX);
	ae_wr_init(&tbs, AE_PKI_CERT_MAX);
	ae_wr_init(&ca_name, AE_PKI_NAME_MAX);
	ae_wr_init(&leaf_name, AE_PKI_NAME_MAX);
	ae_wr_init(&sig, AE_SIG_MAX);
	ae_wr_init(&crl, 128u << 20);
	must(ae_name_from_text(
	    &ca_name, "CN=Example CA,DC=example,DC=com", NULL));
	must(ae_name_from_text(&leaf_name, "CN=pc1.example.com", NULL));
	must(ae_key_id(ski, leaf, NULL));
	must(ae_key_id(aki, ca, NULL));
	spec.serial = (struct ae_der){ serial, sizeof(serial) };
	spec.sigalg = ae_key_sigalg(ca, AE_HASH_SHA256);
	spec.issuer = (struct ae_der){ ca_name.p, ca_name.len };
	spec.subject = (struct ae_der){ leaf_name.p, leaf_name.len };
	spec.not_before = NOW;
	spec.not_after = NOW + 365 * 86400;
	spec.spki = ae_key_spki(leaf);
	spec.x.template_oid = "1.3.6.1.4.1.311.21.8.11034890.834619.12601478."
			      "16236816.7255827.176.1.14";
	spec.x.has_template_major = spec.x.has_template_minor = true;
	spec.x.template_major = 100;
	spec.x.eku = spec.x.app_policies = (struct ae_strv){ eku, 2 };
	spec.x.has_key_usage = true;
	spec.x.key_usage = AE_KU_DIGITAL_SIGNATURE | AE_KU_KEY_ENCIPHERMENT;
	spec.x.critical = (struct ae_strv){ critical, 1 };
	spec.x.path_len = -1;
	c.x = spec.x;
	spec.x.ski = (struct ae_der){ ski, sizeof(ski) };
	spec.x.aki = (struct ae_der){ aki, sizeof(aki) };
	spec.x.cdp = (struct ae_strv){ cdp, 1 };
	spec.x.aia_issuers = (struct ae_strv){ aia, 1 };
	spec.x.sans = sans;
	spec.x.nsans = 1;
	spec.x.has_sid =
	    ae_sid_parse(&spec.x.sid, "S-1-5-21-1004336348-1177238915-7-1104");
	must(ae_csr_build(&csr, &c, leaf, NULL));
	must(ae_csr_parse(&parsed, csr.p, csr.len, NULL));
	r.pkcs10 = (struct ae_der){ csr.p, csr.len };
	r.key = leaf;
	must(ae_request_build_cmc(&cmc, &r, NULL));
	must(ae_tbs_encode(&tbs, &spec, NULL));
	must(ae_key_sign(&sig, ca, &spec.sigalg, tbs.p, tbs.len, NULL));
}

static void
import_key(void)
{
	struct ae_key *k = NULL;
	struct ae_der d = ae_key_spki(leaf);

	must(ae_key_from_spki(&k, d.p, d.len, NULL));
	ae_key_free(k);
}

static void
parse_csr(void)
{
	struct ae_csr *c = NULL;

	must(ae_csr_parse(&c, csr.p, csr.len, NULL));
	ae_csr_free(c);
}

static void
parse_and_prove(void)
{
	struct ae_csr *c = NULL;

	must(ae_csr_parse(&c, csr.p, csr.len, NULL));
	must(ae_csr_verify(c, NULL));
	ae_csr_free(c);
}

static void
parse_cmc(void)
{
	struct ae_request *r = NULL;

	must(ae_request_parse(&r, AE_REQUEST_CMC, cmc.p, cmc.len, NULL));
	ae_request_free(r);
}

static void
check_key(void)
{
	must(ae_key_check(parsed->key, &policy, NULL));
}

static void
prove(void)
{
	must(ae_csr_verify(parsed, NULL));
}

static void
build_tbs(void)
{
	ae_wr_reset(&tbs);
	must(ae_tbs_encode(&tbs, &spec, NULL));
}

static void
judge_tbs(void)
{
	struct ae_cert *c = NULL;

	must(ae_cert_parse_tbs(&c, tbs.p, tbs.len, NULL));
	ae_cert_free(c);
}

static void
sign(void)
{
	ae_wr_reset(&sig);
	must(ae_key_sign(&sig, ca, &spec.sigalg, tbs.p, tbs.len, NULL));
}

static void
verify(void)
{
	must(ae_key_verify(
	    ca, &spec.sigalg, tbs.p, tbs.len, sig.p, sig.len, NULL));
}

/* A million entries with a reason, without the signature. */
static void
build_crl(void)
{
	struct ae_crl_spec s = { .sigalg = spec.sigalg,
		.issuer = spec.issuer,
		.this_update = NOW,
		.next_update = NOW + 86400,
		.number = 1,
		.aki = spec.x.aki };
	struct ae_crl_build b;
	uint8_t serial[17] = { 0x21 };

	ae_wr_reset(&crl);
	must(ae_crl_begin(&b, &crl, &s, NULL));
	for (uint32_t i = 0; i < 1000000; i++) {
		memcpy(serial + 13, &i, sizeof(i));
		must(ae_crl_add(&b, serial, sizeof(serial), NOW,
		    AE_CRL_KEY_COMPROMISE, NULL));
	}
	must(ae_crl_end(&b, NULL));
}

static void
parse_crl(void)
{
	struct ae_crl *c = NULL;

	must(ae_crl_parse(&c, crl.p, crl.len, crl.len, true, NULL));
	ae_crl_free(c);
}

static double
us(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int
by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* The median over rounds of n calls each. */
static void
measure(const char *what, void (*fn)(void), int n, int rounds)
{
	double v[ROUNDS], t;

	fn();
	for (int r = 0; r < rounds; r++) {
		t = us();
		for (int i = 0; i < n; i++)
			fn();
		v[r] = (us() - t) / n;
	}
	qsort(v, (size_t)rounds, sizeof(v[0]), by_value);
	(void)printf("%-28s %10.2f us\n", what, v[rounds / 2]);
}

int
main(int argc, char **argv)
{
	const char *ca_kind = argc > 1 ? argv[1] : "ec";
	const char *leaf_kind = argc > 2 ? argv[2] : "ec";

	ca = key_of(ca_kind);
	leaf = key_of(leaf_kind);
	prepare();
	(void)printf("CA %s, leaf %s, CSR %zu bytes, TBS %zu bytes\n", ca_kind,
	    leaf_kind, csr.len, tbs.len);
	measure("public key import", import_key, 200, ROUNDS);
	measure("parse PKCS#10", parse_csr, 200, ROUNDS);
	measure("weak key test", check_key, 50, ROUNDS);
	measure("possession, key used before", prove, 100, ROUNDS);
	measure("parse and possession", parse_and_prove, 100, ROUNDS);
	measure("parse and verify CMC", parse_cmc, 50, ROUNDS);
	measure("build TBS", build_tbs, 500, ROUNDS);
	measure("parse TBS back", judge_tbs, 200, ROUNDS);
	measure("sign", sign, 20, ROUNDS);
	measure("verify signature", verify, 50, ROUNDS);
	measure("CRL of 1 M entries", build_crl, 1, 5);
	measure("parse it back", parse_crl, 1, 5);
	ae_csr_free(parsed);
	ae_key_free(ca);
	ae_key_free(leaf);
	ae_wr_done(&csr);
	ae_wr_done(&cmc);
	ae_wr_done(&tbs);
	ae_wr_done(&ca_name);
	ae_wr_done(&leaf_name);
	ae_wr_done(&sig);
	ae_wr_done(&crl);
	return 0;
}
