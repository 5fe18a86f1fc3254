/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Version, salt, ciphertext, tag.  Each salt makes a key of its own, so the
 * nonce need not differ.
 */
#include "pki/seal.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <string.h>

#include "pki/ossl.h"

#define VERSION 1
#define SALT_LEN 16u
#define KEY_LEN 32u
#define TAG_LEN 16u
#define OVERHEAD (1 + SALT_LEN + TAG_LEN)

/* No certificate, CRL or other structure begins like that. */
static const char text[] = "certsrv: the secret of this CA's nodes, version 1";

/* What only who has the key can know, the same each time. */
static int
secret_of(struct ae_secret *out, const struct ae_key *k, struct ae_err *e)
{
	const struct ae_sigalg alg = { .key = AE_KEY_RSA,
		.hash = AE_HASH_SHA256 };
	struct ae_wr sig;
	int rc;

	if (ae_key_type(k) == AE_KEY_EC) {
		rc = ae_key_to_private_blob(out, k, e);
		return rc == AE_EDENIED
		    ? ae_fail(e, AE_EUNAVAIL, AE_DOM_NONE, 0,
			  "the CA's EC key is in a device, and gives no "
			  "secret away that nodes could share")
		    : rc;
	}
	ae_wr_init(&sig, AE_SIG_MAX);
	rc = ae_key_sign(&sig, k, &alg, text, sizeof(text) - 1, e);
	if (rc == AE_OK && ae_secret_set(out, sig.p, sig.len) != 0)
		rc = ae_fail_mem(e);
	ae_wr_wipe(&sig);
	return rc;
}

static int
derive(uint8_t key[KEY_LEN], const struct ae_key *k, const char *label,
    const uint8_t salt[SALT_LEN], struct ae_err *e)
{
	struct ae_secret from = { 0 };
	EVP_KDF *kdf = NULL;
	EVP_KDF_CTX *ctx = NULL;
	OSSL_PARAM p[5];
	int rc = secret_of(&from, k, e);

	if (rc != AE_OK)
		return rc;
	p[0] = OSSL_PARAM_construct_utf8_string(
	    OSSL_KDF_PARAM_DIGEST, (char[]){ "SHA256" }, 0);
	p[1] = OSSL_PARAM_construct_octet_string(
	    OSSL_KDF_PARAM_KEY, from.p, from.len);
	p[2] = OSSL_PARAM_construct_octet_string(
	    OSSL_KDF_PARAM_SALT, (void *)(uintptr_t)salt, SALT_LEN);
	p[3] = OSSL_PARAM_construct_octet_string(
	    OSSL_KDF_PARAM_INFO, (void *)(uintptr_t)label, strlen(label));
	p[4] = OSSL_PARAM_construct_end();
	kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	if (kdf != NULL)
		ctx = EVP_KDF_CTX_new(kdf);
	if (ctx == NULL || EVP_KDF_derive(ctx, key, KEY_LEN, p) != 1)
		rc = ae_fail_ossl(e, AE_EINTERNAL, "deriving a key");
	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
	ae_secret_done(&from);
	return rc;
}

/* out: as long as in; tag: written, or (to decrypt) compared. */
static bool
gcm(bool encrypt, const uint8_t key[KEY_LEN], const void *in, size_t len,
    uint8_t *out, uint8_t tag[TAG_LEN])
{
	static const uint8_t nonce[12];
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	int n, more;
	bool ok;

	ok = c != NULL &&
	    EVP_CipherInit_ex2(
		c, EVP_aes_256_gcm(), key, nonce, encrypt, NULL) == 1;
	if (ok && !encrypt)
		ok = EVP_CIPHER_CTX_ctrl(
			 c, EVP_CTRL_AEAD_SET_TAG, TAG_LEN, tag) == 1;
	ok = ok && EVP_CipherUpdate(c, out, &n, in, (int)len) == 1 &&
	    EVP_CipherFinal_ex(c, out + n, &more) == 1;
	if (ok && encrypt)
		ok = EVP_CIPHER_CTX_ctrl(
			 c, EVP_CTRL_AEAD_GET_TAG, TAG_LEN, tag) == 1;
	EVP_CIPHER_CTX_free(c);
	return ok;
}

int
ae_seal(struct ae_wr *w, const struct ae_key *k, const char *label,
    const void *p, size_t len, struct ae_err *e)
{
	uint8_t key[KEY_LEN], out[AE_SEALED_MAX];
	int rc;

	if (len > AE_SEALED_MAX - OVERHEAD)
		return ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
		    "%zu bytes are too many to be sealed", len);
	out[0] = VERSION;
	if (RAND_bytes(out + 1, SALT_LEN) != 1)
		return ae_fail_ossl(e, AE_EINTERNAL, "sealing");
	rc = derive(key, k, label, out + 1, e);
	if (rc != AE_OK)
		return rc;
	if (gcm(true, key, p, len, out + 1 + SALT_LEN,
		out + 1 + SALT_LEN + len))
		ae_wr_bytes(w, out, OVERHEAD + len);
	else
		rc = ae_fail_ossl(e, AE_EINTERNAL, "sealing");
	OPENSSL_cleanse(key, sizeof(key));
	return rc == AE_OK && !ae_wr_ok(w) ? ae_fail_mem(e) : rc;
}

int
ae_unseal(struct ae_secret *out, const struct ae_key *k, const char *label,
    const void *sealed, size_t len, struct ae_err *e)
{
	const uint8_t *b = sealed;
	uint8_t key[KEY_LEN], tag[TAG_LEN], plain[AE_SEALED_MAX];
	size_t n;
	int rc;

	if (len < OVERHEAD || len > AE_SEALED_MAX || b[0] != VERSION)
		return ae_fail(
		    e, AE_ETRUST, AE_DOM_NONE, 0, "nothing is sealed there");
	n = len - OVERHEAD;
	rc = derive(key, k, label, b + 1, e);
	if (rc != AE_OK)
		return rc;
	memcpy(tag, b + len - TAG_LEN, TAG_LEN);
	if (!gcm(false, key, b + 1 + SALT_LEN, n, plain, tag))
		rc = ae_fail_ossl(e, AE_ETRUST,
		    "it was sealed under another key, or was changed");
	else if (ae_secret_set(out, plain, n) != 0)
		rc = ae_fail_mem(e);
	OPENSSL_cleanse(key, sizeof(key));
	OPENSSL_cleanse(plain, sizeof(plain));
	return rc;
}
