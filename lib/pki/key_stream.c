/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Signing and verifying what comes in parts.
 */
#include <openssl/rsa.h>
#include <stdlib.h>

#include "pki/key_int.h"
#include "pki/nte.h"
#include "pki/ossl.h"

struct ae_key_stream {
	struct ae_key *key;
	struct ae_sigalg alg;
	EVP_MD_CTX *hash;
};

int
ae_key_stream_new(struct ae_key_stream **out, struct ae_key *k,
    const struct ae_sigalg *alg, struct ae_err *e)
{
	struct ae_key_stream *s;

	if (alg->key != k->type || ae_hash_md(alg->hash) == NULL)
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "this key cannot sign with %s", ae_sigalg_name(alg));
	s = calloc(1, sizeof(*s));
	if (s == NULL)
		return ae_fail_mem(e);
	s->key = ae_key_ref(k);
	s->alg = *alg;
	s->hash = EVP_MD_CTX_new();
	if (s->hash == NULL ||
	    EVP_DigestInit_ex(s->hash, ae_hash_md(alg->hash), NULL) != 1) {
		ae_key_stream_free(s);
		return ae_fail_ossl(e, AE_EINTERNAL, "hashing");
	}
	*out = s;
	return AE_OK;
}

int
ae_key_stream_add(
    struct ae_key_stream *s, const void *p, size_t len, struct ae_err *e)
{
	return EVP_DigestUpdate(s->hash, p, len) == 1
	    ? AE_OK
	    : ae_fail_ossl(e, AE_EINTERNAL, "hashing");
}

static EVP_PKEY_CTX *
context(const struct ae_key_stream *s, bool sign)
{
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new(s->key->pkey, NULL);

	if (c == NULL ||
	    (sign ? EVP_PKEY_sign_init(c) : EVP_PKEY_verify_init(c)) != 1 ||
	    EVP_PKEY_CTX_set_signature_md(c, ae_hash_md(s->alg.hash)) != 1 ||
	    (s->alg.pss &&
		(EVP_PKEY_CTX_set_rsa_padding(c, RSA_PKCS1_PSS_PADDING) <= 0 ||
		    EVP_PKEY_CTX_set_rsa_pss_saltlen(
			c, RSA_PSS_SALTLEN_DIGEST) <= 0))) {
		EVP_PKEY_CTX_free(c);
		return NULL;
	}
	return c;
}

static int
finish(struct ae_key_stream *s, uint8_t hash[EVP_MAX_MD_SIZE], unsigned *n,
    struct ae_err *e)
{
	return EVP_DigestFinal_ex(s->hash, hash, n) == 1
	    ? AE_OK
	    : ae_fail_ossl(e, AE_EINTERNAL, "hashing");
}

static int
verify(const struct ae_key_stream *s, const uint8_t *hash, size_t n,
    const void *sig, size_t len, struct ae_err *e)
{
	EVP_PKEY_CTX *c = context(s, false);
	int rc = AE_OK;

	if (c == NULL)
		return ae_fail_ossl(e, AE_EINTERNAL, "preparing to verify");
	if (EVP_PKEY_verify(c, sig, len, hash, n) != 1)
		rc = ae_fail_ossl(e, AE_ETRUST, "the signature is wrong");
	EVP_PKEY_CTX_free(c);
	return rc;
}

static int
sign_in_device(const struct ae_key_stream *s, struct ae_wr *sig,
    const uint8_t *hash, size_t n, struct ae_err *e)
{
	const size_t start = sig->len;
	int rc = s->key->ops->sign(s->key, sig, &s->alg, hash, n, e);

	if (rc == AE_OK && !ae_wr_ok(sig))
		return ae_fail_mem(e);
	if (rc == AE_OK)
		rc = verify(s, hash, n, sig->p + start, sig->len - start, e);
	if (rc == AE_ETRUST)
		return ae_fail(e, AE_ETRUST, AE_DOM_HRESULT, NTE_BAD_SIGNATURE,
		    "the device made a signature (%s) that its public key does "
		    "not verify",
		    ae_sigalg_name(&s->alg));
	return rc;
}

int
ae_key_stream_sign(struct ae_key_stream *s, struct ae_wr *sig, struct ae_err *e)
{
	uint8_t hash[EVP_MAX_MD_SIZE], buf[AE_SIG_MAX];
	size_t len = sizeof(buf);
	EVP_PKEY_CTX *c;
	unsigned n;
	int rc;

	if (!s->key->private)
		return ae_fail(
		    e, AE_EINVAL, AE_DOM_NONE, 0, "a public key does not sign");
	rc = finish(s, hash, &n, e);
	if (rc != AE_OK)
		return rc;
	if (s->key->ops != NULL)
		return sign_in_device(s, sig, hash, n, e);
	c = context(s, true);
	if (c == NULL || EVP_PKEY_sign(c, buf, &len, hash, n) != 1)
		rc = ae_fail_ossl(e, AE_EINTERNAL, "signing");
	else
		ae_wr_bytes(sig, buf, len);
	EVP_PKEY_CTX_free(c);
	return rc == AE_OK && !ae_wr_ok(sig) ? ae_fail_mem(e) : rc;
}

int
ae_key_stream_verify(
    struct ae_key_stream *s, const void *sig, size_t len, struct ae_err *e)
{
	uint8_t hash[EVP_MAX_MD_SIZE];
	unsigned n;
	int rc = finish(s, hash, &n, e);

	return rc == AE_OK ? verify(s, hash, n, sig, len, e) : rc;
}

size_t
ae_key_sig_size(const struct ae_key *k)
{
	int n = EVP_PKEY_get_size(k->pkey);

	return n > 0 ? (size_t)n : 0;
}

void
ae_key_stream_free(struct ae_key_stream *s)
{
	if (s == NULL)
		return;
	EVP_MD_CTX_free(s->hash);
	ae_key_free(s->key);
	free(s);
}
