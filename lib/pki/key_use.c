/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Signing and verifying.
 */
#include <openssl/err.h>
#include <openssl/rsa.h>

#include "pki/key_int.h"
#include "pki/nte.h"
#include "pki/ossl.h"

static bool
set_padding(EVP_PKEY_CTX *ctx, const struct ae_sigalg *alg)
{
	if (!alg->pss)
		return true;
	return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) > 0 &&
	    EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) > 0;
}

/* The prepared context for alg, made when it is not the one we have. */
static EVP_MD_CTX *
sign_ctx(const struct ae_key *k, const struct ae_sigalg *alg)
{
	struct ae_key_cache *c = k->cache;
	EVP_PKEY_CTX *pctx = NULL;
	EVP_MD_CTX *ctx;

	if (c->ctx != NULL && ae_sigalg_equal(&c->alg, alg))
		return c->ctx;
	ctx = EVP_MD_CTX_new();
	if (ctx == NULL ||
	    EVP_DigestSignInit(
		ctx, &pctx, ae_hash_md(alg->hash), NULL, k->pkey) != 1 ||
	    !set_padding(pctx, alg)) {
		EVP_MD_CTX_free(ctx);
		return NULL;
	}
	EVP_MD_CTX_free(c->ctx);
	c->ctx = ctx;
	c->alg = *alg;
	return ctx;
}

static bool
usable(const struct ae_key *k, const struct ae_sigalg *alg)
{
	return alg->key == k->type && ae_hash_md(alg->hash) != NULL &&
	    (!alg->pss || k->type == AE_KEY_RSA);
}

/* A device is given the hash, and what it answers is looked at. */
static int
sign_in_device(struct ae_wr *sig, const struct ae_key *k,
    const struct ae_sigalg *alg, const void *tbs, size_t len, struct ae_err *e)
{
	uint8_t hash[AE_HASH_MAX];
	size_t start = sig->len;
	size_t n = ae_hash_bytes(hash, alg->hash, tbs, len);
	int rc;

	if (n == 0)
		return ae_fail_ossl(e, AE_EINTERNAL, "hashing");
	rc = k->ops->sign(k, sig, alg, hash, n, e);
	if (rc == AE_OK && !ae_wr_ok(sig))
		return ae_fail_mem(e);
	if (rc == AE_OK)
		rc = ae_key_verify(
		    k, alg, tbs, len, sig->p + start, sig->len - start, e);
	if (rc == AE_ETRUST)
		return ae_fail(e, AE_ETRUST, AE_DOM_HRESULT, NTE_BAD_SIGNATURE,
		    "the device made a signature (%s) that its public key does "
		    "not verify",
		    ae_sigalg_name(alg));
	return rc;
}

int
ae_key_sign(struct ae_wr *sig, const struct ae_key *k,
    const struct ae_sigalg *alg, const void *tbs, size_t len, struct ae_err *e)
{
	EVP_MD_CTX *ready, *ctx;
	uint8_t buf[AE_SIG_MAX];
	size_t n = sizeof(buf);
	int rc = AE_OK;

	if (!k->private || !usable(k, alg))
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "this key cannot sign with %s", ae_sigalg_name(alg));
	if (k->ops != NULL)
		return sign_in_device(sig, k, alg, tbs, len, e);
	ready = sign_ctx(k, alg);
	ctx = EVP_MD_CTX_new();
	if (ready == NULL || ctx == NULL ||
	    EVP_MD_CTX_copy_ex(ctx, ready) != 1 ||
	    EVP_DigestSign(ctx, buf, &n, tbs, len) != 1)
		rc = ae_fail_ossl(e, AE_EINTERNAL, "signing");
	else
		ae_wr_bytes(sig, buf, n);
	EVP_MD_CTX_free(ctx);
	if (rc == AE_OK && !ae_wr_ok(sig))
		return ae_fail_mem(e);
	return rc;
}

/* Into the fresh ctx. */
static bool
verify_init(
    EVP_MD_CTX *ctx, const struct ae_key *k, const struct ae_sigalg *alg)
{
	EVP_PKEY_CTX *pctx = NULL;

	return EVP_DigestVerifyInit(
		   ctx, &pctx, ae_hash_md(alg->hash), NULL, k->pkey) == 1 &&
	    set_padding(pctx, alg);
}

/* The same; one that is for the next ones is made on the way. */
static bool
verify_ready(
    EVP_MD_CTX *ctx, const struct ae_key *k, const struct ae_sigalg *alg)
{
	struct ae_key_cache *c = k->cache;
	EVP_MD_CTX *ready;

	if (c->verify != NULL && ae_sigalg_equal(&c->verify_alg, alg))
		return EVP_MD_CTX_copy_ex(ctx, c->verify) == 1;
	if (!c->verified) {
		c->verified = true;
		return verify_init(ctx, k, alg);
	}
	ready = EVP_MD_CTX_new();
	if (ready == NULL || !verify_init(ready, k, alg) ||
	    EVP_MD_CTX_copy_ex(ctx, ready) != 1) {
		EVP_MD_CTX_free(ready);
		return false;
	}
	EVP_MD_CTX_free(c->verify);
	c->verify = ready;
	c->verify_alg = *alg;
	return true;
}

int
ae_key_verify(const struct ae_key *k, const struct ae_sigalg *alg,
    const void *tbs, size_t len, const void *sig, size_t siglen,
    struct ae_err *e)
{
	EVP_MD_CTX *ctx;
	int rc = AE_OK;

	if (!usable(k, alg))
		return ae_fail(e, AE_ETRUST, AE_DOM_NONE, 0,
		    "a signature by another kind of key");
	ctx = EVP_MD_CTX_new();
	if (ctx == NULL || !verify_ready(ctx, k, alg))
		rc = ae_fail_ossl(e, AE_EINTERNAL, "preparing to verify");
	else if (EVP_DigestVerify(ctx, sig, siglen, tbs, len) != 1)
		rc = ae_fail_ossl(e, AE_ETRUST, "the signature is wrong");
	EVP_MD_CTX_free(ctx);
	return rc;
}
