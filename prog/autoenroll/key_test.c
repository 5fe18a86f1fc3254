/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Testing a place for keys; see key_test.h.
 */
#include "key_test.h"

#include <string.h>

#include "base/hex.h"
#include "pki/cert.h"
#include "pki/name.h"
#include "pki/tbs.h"
#include "sys/clock.h"

#define DAY 86400

/* clang-format off */
static const struct {
	const char *name;
	enum ae_key_type type;
	unsigned bits;
	enum ae_hash hash;
	bool usual;
} algs[] = {
	{ "RSA:2048", AE_KEY_RSA, 2048, AE_HASH_SHA256, true },
	{ "RSA:3072", AE_KEY_RSA, 3072, AE_HASH_SHA256, false },
	{ "RSA:4096", AE_KEY_RSA, 4096, AE_HASH_SHA256, false },
	{ "P256",     AE_KEY_EC,  256,  AE_HASH_SHA256, true },
	{ "P384",     AE_KEY_EC,  384,  AE_HASH_SHA384, true },
	{ "P521",     AE_KEY_EC,  521,  AE_HASH_SHA512, true },
};
/* clang-format on */

const char *
key_test_name(size_t i)
{
	return i < sizeof(algs) / sizeof(algs[0]) ? algs[i].name : NULL;
}

bool
key_test_usual(size_t i)
{
	return algs[i].usual;
}

/* Sign something, and verify with nothing but the public half. */
static int
sign(const struct ae_key *k, enum ae_hash hash, bool pss, struct ae_err *e)
{
	static const char what[] = "autoenroll key test";
	struct ae_sigalg alg = ae_key_sigalg(k, hash);
	struct ae_der spki = ae_key_spki(k);
	struct ae_key *pub = NULL;
	struct ae_wr sig;
	int rc;

	alg.pss = pss;
	ae_wr_init(&sig, AE_SIG_MAX);
	rc = ae_key_sign(&sig, k, &alg, what, sizeof(what), e);
	if (rc == AE_OK)
		rc = ae_key_from_spki(&pub, spki.p, spki.len, e);
	if (rc == AE_OK)
		rc = ae_key_verify(
		    pub, &alg, what, sizeof(what), sig.p, sig.len, e);
	ae_key_free(pub);
	ae_wr_done(&sig);
	return rc;
}

/* What was stored is the key: opened again, it signs. */
static int
reopen(struct keys *k, const struct ae_key *key, enum ae_hash hash,
    struct ae_err *e)
{
	struct ae_secret text = { 0 };
	struct ae_key *again = NULL;
	int rc;

	rc = ae_key_store(&text, key, e);
	if (rc == AE_OK)
		rc = ae_keydev_open(&again, k->dev, text.p, text.len, e);
	if (rc == AE_OK && !ae_key_same_public(again, key))
		rc = ae_fail(e, AE_EINTERNAL, AE_DOM_HRESULT, 0x80090016,
		    "what was stored is another key");
	if (rc == AE_OK)
		rc = sign(again, hash, false, e);
	ae_key_free(again);
	ae_secret_done(&text);
	return rc;
}

static int
self_sign(char thumbprint[41], const struct ae_key *key, enum ae_hash hash,
    struct ae_err *e)
{
	uint64_t serial = ae_random_u64() >> 1 | 1;
	struct ae_tbs t = { .sigalg = ae_key_sigalg(key, hash),
		.spki = ae_key_spki(key) };
	struct ae_cert *c = NULL;
	struct ae_wr name, der;
	uint8_t be[8], sha1[20];
	int rc;

	for (int i = 0; i < 8; i++)
		be[i] = (uint8_t)(serial >> (56 - 8 * i));
	t.serial = (struct ae_der){ be, sizeof(be) };
	t.not_before = ae_clock_now();
	t.not_after = t.not_before + DAY;
	ae_wr_init(&name, AE_PKI_NAME_MAX);
	ae_wr_init(&der, AE_PKI_CERT_MAX);
	rc = ae_name_from_text(&name, "CN=Test", e);
	t.issuer = t.subject = (struct ae_der){ name.p, name.len };
	if (rc == AE_OK)
		rc = ae_tbs_sign(&der, &t, key, e);
	if (rc == AE_OK)
		rc = ae_cert_parse(&c, der.p, der.len, e);
	if (rc == AE_OK)
		rc = ae_cert_verify(c, key, e);
	if (rc == AE_OK) {
		ae_cert_sha1(sha1, c);
		ae_hex_encode(thumbprint, sha1, sizeof(sha1));
	}
	ae_cert_free(c);
	ae_wr_done(&der);
	ae_wr_done(&name);
	return rc;
}

void
key_test(struct key_result *r, struct keys *k, enum ae_provider kind,
    size_t alg, bool self_signed)
{
	struct ae_err gone = AE_ERR_INIT, *e = &r->err;
	int64_t began = ae_clock_mono_ms();
	enum ae_hash hash = algs[alg].hash;
	struct ae_key *key = NULL;
	int rc;

	memset(r, 0, sizeof(*r));
	r->name = algs[alg].name;
	rc = keys_generate(&key, k, kind, algs[alg].type, algs[alg].bits,
	    "autoenroll key test", e);
	if (rc == AE_OK)
		rc = sign(key, hash, false, e);
	if (rc == AE_OK)
		rc = reopen(k, key, hash, e);
	if (rc == AE_OK && self_signed)
		rc = self_sign(r->thumbprint, key, hash, e);
	if (rc == AE_OK && algs[alg].type == AE_KEY_RSA)
		r->pss = sign(key, hash, true, NULL) == AE_OK;
	if (key != NULL && ae_keydev_destroy(key, &gone) != AE_OK &&
	    rc == AE_OK)
		*e = gone;
	ae_key_free(key);
	r->ms = ae_clock_mono_ms() - began;
}
