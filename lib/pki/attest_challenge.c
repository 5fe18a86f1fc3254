/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The challenge of key attestation: TPM2_MakeCredential in software, in the
 * container Windows' provider expects around it.
 */
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/kdf.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <string.h>

#include "base/rd.h"
#include "base/secret.h"
#include "pki/attest.h"
#include "pki/ossl.h"

#define MAGIC 0x48434154u /* "TACH" */
#define VERSION 1
#define PLATFORM_TPM20 2
#define HEADER 24

/* Of the default template: nameAlg SHA-256, AES-128 in CFB mode. */
#define SEED 32
#define DIGEST 32
#define AES_KEY 16

/* TPM 2.0 Part 1, 11.4.10.2 KDFa: SP 800-108 with a counter in front. */
static bool
kdfa(uint8_t *out, size_t len, const uint8_t seed[SEED], const char *label,
    const uint8_t *context, size_t context_len)
{
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "KBKDF", NULL);
	EVP_KDF_CTX *c = kdf == NULL ? NULL : EVP_KDF_CTX_new(kdf);
	OSSL_PARAM p[] = {
		OSSL_PARAM_construct_utf8_string(
		    OSSL_KDF_PARAM_DIGEST, (char[]){ "SHA256" }, 0),
		OSSL_PARAM_construct_utf8_string(
		    OSSL_KDF_PARAM_MAC, (char[]){ "HMAC" }, 0),
		OSSL_PARAM_construct_utf8_string(
		    OSSL_KDF_PARAM_MODE, (char[]){ "COUNTER" }, 0),
		OSSL_PARAM_construct_octet_string(
		    OSSL_KDF_PARAM_KEY, (uint8_t *)(uintptr_t)seed, SEED),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT,
		    (char *)(uintptr_t)label, strlen(label)),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO,
		    (uint8_t *)(uintptr_t)context, context_len),
		OSSL_PARAM_construct_end(),
	};
	bool ok = c != NULL && EVP_KDF_derive(c, out, len, p) == 1;

	EVP_KDF_CTX_free(c);
	EVP_KDF_free(kdf);
	return ok;
}

/* RSAES-OAEP by SHA-256 with the label "IDENTITY", its NUL included. */
static int
wrap_seed(struct ae_wr *w, const struct ae_key *ek, const uint8_t seed[SEED],
    struct ae_err *e)
{
	EVP_PKEY_CTX *c =
	    EVP_PKEY_CTX_new_from_pkey(NULL, ae_key_pkey(ek), NULL);
	char *label = OPENSSL_strdup("IDENTITY");
	uint8_t out[AE_SIG_MAX];
	size_t n = sizeof(out);
	int rc = AE_OK;

	if (c == NULL || label == NULL || EVP_PKEY_encrypt_init(c) != 1 ||
	    EVP_PKEY_CTX_set_rsa_padding(c, RSA_PKCS1_OAEP_PADDING) != 1 ||
	    EVP_PKEY_CTX_set_rsa_oaep_md(c, EVP_sha256()) != 1 ||
	    EVP_PKEY_CTX_set_rsa_mgf1_md(c, EVP_sha256()) != 1 ||
	    EVP_PKEY_CTX_set0_rsa_oaep_label(
		c, label, (int)sizeof("IDENTITY")) != 1) {
		OPENSSL_free(label);
		rc = ae_fail_ossl(e, AE_EINTERNAL, "preparing a challenge");
	} else if (EVP_PKEY_encrypt(c, out, &n, seed, SEED) != 1) {
		rc = ae_fail_ossl(
		    e, AE_EINVAL, "encrypting to the endorsement key");
	} else {
		ae_wr_u16(w, (uint16_t)n);
		ae_wr_bytes(w, out, n);
	}
	EVP_PKEY_CTX_free(c);
	return rc;
}

/* The secret as a TPM2B, under AES-128-CFB with a zero IV. */
static bool
encrypt(uint8_t out[2 + AE_ATTEST_SECRET], const uint8_t key[AES_KEY],
    const uint8_t secret[AE_ATTEST_SECRET])
{
	static const uint8_t iv[16];
	uint8_t in[2 + AE_ATTEST_SECRET] = { 0, AE_ATTEST_SECRET };
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	int n = 0;
	bool ok;

	memcpy(in + 2, secret, AE_ATTEST_SECRET);
	ok = c != NULL &&
	    EVP_EncryptInit_ex(c, EVP_aes_128_cfb128(), NULL, key, iv) == 1 &&
	    EVP_EncryptUpdate(c, out, &n, in, sizeof(in)) == 1 &&
	    n == (int)sizeof(in);
	EVP_CIPHER_CTX_free(c);
	OPENSSL_cleanse(in, sizeof(in));
	return ok;
}

/* HMAC over what was encrypted and the name of whom it is for. */
static bool
authenticate(uint8_t out[DIGEST], const uint8_t key[DIGEST],
    const uint8_t *cred, size_t len, const struct ae_attestation *to)
{
	uint8_t all[2 + AE_ATTEST_SECRET + sizeof(to->aik_name)];
	size_t n = 0;

	memcpy(all, cred, len);
	memcpy(all + len, to->aik_name, to->aik_name_len);
	return EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, key, DIGEST, all,
		   len + to->aik_name_len, out, DIGEST, &n) != NULL &&
	    n == DIGEST;
}

/* TPM2B_ID_OBJECT and TPM2B_ENCRYPTED_SECRET, TPM 2.0 Part 1, 24. */
static int
make_credential(struct ae_wr *w, const struct ae_key *ek,
    const struct ae_attestation *to, const uint8_t secret[AE_ATTEST_SECRET],
    struct ae_err *e)
{
	uint8_t seed[SEED], aes[AES_KEY], mac[DIGEST], hmac[DIGEST];
	uint8_t cred[2 + AE_ATTEST_SECRET];
	int rc;

	if (RAND_bytes(seed, sizeof(seed)) != 1 ||
	    !kdfa(aes, sizeof(aes), seed, "STORAGE", to->aik_name,
		to->aik_name_len) ||
	    !encrypt(cred, aes, secret) ||
	    !kdfa(hmac, sizeof(hmac), seed, "INTEGRITY", NULL, 0) ||
	    !authenticate(mac, hmac, cred, sizeof(cred), to)) {
		rc = ae_fail_ossl(e, AE_EINTERNAL, "making a challenge");
	} else {
		ae_wr_u16(w, 2 + sizeof(mac) + sizeof(cred));
		ae_wr_u16(w, sizeof(mac));
		ae_wr_bytes(w, mac, sizeof(mac));
		ae_wr_bytes(w, cred, sizeof(cred));
		rc = wrap_seed(w, ek, seed, e);
	}
	OPENSSL_cleanse(seed, sizeof(seed));
	OPENSSL_cleanse(aes, sizeof(aes));
	OPENSSL_cleanse(hmac, sizeof(hmac));
	return rc;
}

int
ae_attest_challenge(struct ae_wr *w, const struct ae_key *ek,
    const struct ae_attestation *to, const uint8_t secret[AE_ATTEST_SECRET],
    struct ae_err *e)
{
	struct ae_wr made;
	int rc;

	ae_wr_init(&made, 2 * AE_SIG_MAX);
	made.big = true;
	rc = make_credential(&made, ek, to, secret, e);
	if (rc == AE_OK && !ae_wr_ok(&made))
		rc = ae_fail_mem(e);
	if (rc == AE_OK) {
		ae_wr_u32(w, MAGIC);
		ae_wr_u32(w, VERSION);
		ae_wr_u32(w, PLATFORM_TPM20);
		ae_wr_u32(w, HEADER);
		ae_wr_u32(w, (uint32_t)made.len);
		ae_wr_u32(w, (uint32_t)to->aik_opaque.len);
		ae_wr_bytes(w, made.p, made.len);
		ae_wr_bytes(w, to->aik_opaque.p, to->aik_opaque.len);
		if (!ae_wr_ok(w))
			rc = ae_fail_mem(e);
	}
	ae_wr_done(&made);
	return rc;
}

/* A TPM2B with its length in front. */
static struct ae_der
take_2b(struct ae_rd *r)
{
	struct ae_der d = { r->p + r->off, 0 };
	size_t n = ae_rd_u16(r);

	ae_rd_skip(r, n);
	d.len = n + 2;
	return d;
}

int
ae_attest_challenge_parse(struct ae_der *id_object, struct ae_der *encrypted,
    const void *p, size_t len, struct ae_err *e)
{
	uint32_t magic, version, platform, header, ncred, nopaque;
	struct ae_der id, secret;
	struct ae_rd r, cred;

	ae_rd_init(&r, p, len);
	magic = ae_rd_u32(&r);
	version = ae_rd_u32(&r);
	platform = ae_rd_u32(&r);
	header = ae_rd_u32(&r);
	ncred = ae_rd_u32(&r);
	nopaque = ae_rd_u32(&r);
	if (magic != MAGIC || version != VERSION ||
	    platform != PLATFORM_TPM20 || header != HEADER ||
	    len > AE_ATTEST_CHALLENGE_MAX)
		ae_rd_fail(&r);
	cred = ae_rd_sub(&r, ncred);
	ae_rd_skip(&r, nopaque);
	cred.big = true;
	id = take_2b(&cred);
	secret = take_2b(&cred);
	if (!ae_rd_done(&r) || !ae_rd_done(&cred))
		return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
		    "the attestation challenge is not one for a TPM 2.0");
	*id_object = id;
	*encrypted = secret;
	return AE_OK;
}
