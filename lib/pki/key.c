/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Key objects: an EVP_PKEY with what is asked of it often kept beside it.
 * Making and importing keys; pki/key_use.c signs and verifies.
 */
#include "pki/key.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/obj_mac.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pki/key_int.h"
#include "pki/ossl.h"

#define RSA_BITS_MAX 16384

/* clang-format off */
static const struct curve {
	unsigned bits;
	int nid;
	const char *group;
	const char *name;
} curves[] = {
	{ 256, NID_X9_62_prime256v1, "P-256", "p256" },
	{ 384, NID_secp384r1, "P-384", "p384" },
	{ 521, NID_secp521r1, "P-521", "p521" },
};
/* clang-format on */

static const struct curve *
curve_find(unsigned bits, int nid)
{
	for (size_t i = 0; i < sizeof(curves) / sizeof(curves[0]); i++)
		if (curves[i].bits == bits || curves[i].nid == nid)
			return &curves[i];
	return NULL;
}

/* Takes pkey over in any case.  spki NULL: have OpenSSL encode it. */
static int
key_wrap(struct ae_key **out, EVP_PKEY *pkey, bool private,
    const struct ae_der *spki, struct ae_err *e)
{
	struct ae_key *k = NULL;
	int n, rc = AE_ENOMEM;

	k = calloc(1, sizeof(*k));
	if (k == NULL)
		goto out;
	k->refs = 1;
	k->private = private;
	k->bits = (unsigned)EVP_PKEY_get_bits(pkey);
	k->type =
	    EVP_PKEY_get_base_id(pkey) == EVP_PKEY_RSA ? AE_KEY_RSA : AE_KEY_EC;
	if (spki != NULL) {
		k->spki = OPENSSL_memdup(spki->p, spki->len);
		k->spki_len = spki->len;
	} else if ((n = i2d_PUBKEY(pkey, &k->spki)) > 0) {
		k->spki_len = (size_t)n;
	}
	k->cache = calloc(1, sizeof(*k->cache));
	if (k->spki == NULL || k->cache == NULL)
		goto out;
	k->pkey = pkey;
	pkey = NULL;
	*out = k;
	k = NULL;
	rc = AE_OK;
out:
	ae_key_free(k);
	EVP_PKEY_free(pkey);
	if (rc != AE_OK)
		ERR_clear_error();
	return rc == AE_OK ? rc : ae_fail_mem(e);
}

int
ae_key_generate(
    struct ae_key **out, enum ae_key_type type, unsigned bits, struct ae_err *e)
{
	const struct curve *c = curve_find(bits, 0);
	EVP_PKEY *pkey = NULL;

	if (type == AE_KEY_RSA && bits >= 2048 && bits <= 8192 &&
	    bits % 1024 == 0)
		pkey = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)bits);
	else if (type == AE_KEY_EC && c != NULL)
		pkey = EVP_PKEY_Q_keygen(NULL, NULL, "EC", c->group);
	else
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "no keys of %u bits of this kind are made", bits);
	if (pkey == NULL)
		return ae_fail_ossl(e, AE_EINTERNAL, "generating a key");
	return key_wrap(out, pkey, true, NULL, e);
}

static EVP_PKEY *
import_params(const char *type, OSSL_PARAM_BLD *b)
{
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(b);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *pkey = NULL;

	if (params == NULL || ctx == NULL || EVP_PKEY_fromdata_init(ctx) <= 0 ||
	    EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) <= 0)
		pkey = NULL;
	EVP_PKEY_CTX_free(ctx);
	OSSL_PARAM_free(params);
	return pkey;
}

/* RFC 5480 2.1.1: a named curve and an uncompressed point. */
static int
import_ec(EVP_PKEY **out, const AE_SPKI *s, struct ae_err *e)
{
	int len = ASN1_STRING_length(s->key);
	const unsigned char *p = ASN1_STRING_get0_data(s->key);
	const struct curve *c = NULL;
	OSSL_PARAM_BLD *b;
	const void *param;
	int type;

	X509_ALGOR_get0(NULL, &type, &param, s->alg);
	if (type == V_ASN1_OBJECT)
		c = curve_find(0, OBJ_obj2nid(param));
	if (c == NULL)
		return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
		    "an EC key that is not on P-256, P-384 or P-521");
	if (len < 1 || p[0] != POINT_CONVERSION_UNCOMPRESSED ||
	    (size_t)len != 1 + 2 * (((size_t)c->bits + 7) / 8))
		return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
		    "an EC point that is not an uncompressed one of %s",
		    c->group);
	b = OSSL_PARAM_BLD_new();
	if (b != NULL &&
	    OSSL_PARAM_BLD_push_utf8_string(
		b, OSSL_PKEY_PARAM_GROUP_NAME, c->group, 0) &&
	    OSSL_PARAM_BLD_push_octet_string(
		b, OSSL_PKEY_PARAM_PUB_KEY, p, (size_t)len))
		*out = import_params("EC", b);
	OSSL_PARAM_BLD_free(b);
	return *out != NULL
	    ? AE_OK
	    : ae_fail_ossl(e, AE_EPROTO, "an EC point of %s", c->group);
}

/* RFC 3279 2.3.1.  The parameters are NULL; absent ones are seen too. */
static int
import_rsa(EVP_PKEY **out, const AE_SPKI *s, struct ae_err *e)
{
	const unsigned char *p = ASN1_STRING_get0_data(s->key), *end;
	long len = ASN1_STRING_length(s->key);
	int type, rc;

	X509_ALGOR_get0(NULL, &type, NULL, s->alg);
	if (type != V_ASN1_NULL && type != V_ASN1_UNDEF)
		return ae_fail(
		    e, AE_EPROTO, AE_DOM_NONE, 0, "an RSA key with parameters");
	if (len > RSA_BITS_MAX / 8 * 2)
		return ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
		    "an RSA key of %ld bytes", len);
	rc = ae_der_check(p, (size_t)len, e);
	if (rc != AE_OK)
		return ae_note(e, rc, "RSA key");
	end = p + len;
	*out = d2i_PublicKey(EVP_PKEY_RSA, NULL, &p, len);
	if (*out == NULL || p != end)
		return ae_fail_ossl(e, AE_EPROTO, "RSA key");
	if (EVP_PKEY_get_bits(*out) > RSA_BITS_MAX)
		return ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
		    "an RSA key of %d bits", EVP_PKEY_get_bits(*out));
	return AE_OK;
}

int
ae_key_from_spki(
    struct ae_key **out, const void *spki, size_t len, struct ae_err *e)
{
	struct ae_der d = { spki, len };
	const ASN1_OBJECT *o;
	EVP_PKEY *pkey = NULL;
	AE_SPKI *s = NULL;
	int rc;

	if (len > AE_PKI_REQUEST_MAX)
		return ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
		    "a public key of %zu bytes", len);
	rc = ae_item_decode(&s, ASN1_ITEM_rptr(AE_SPKI), d, "public key", e);
	if (rc != AE_OK)
		return rc;
	X509_ALGOR_get0(&o, NULL, NULL, s->alg);
	if ((s->key->flags & 7) != 0)
		o = NULL;
	switch (o == NULL ? NID_undef : OBJ_obj2nid(o)) {
	case NID_rsaEncryption:
		rc = import_rsa(&pkey, s, e);
		break;
	case NID_X9_62_id_ecPublicKey:
		rc = import_ec(&pkey, s, e);
		break;
	default:
		rc = ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
		    "a public key that is neither RSA nor EC");
		break;
	}
	ASN1_item_free((ASN1_VALUE *)s, ASN1_ITEM_rptr(AE_SPKI));
	if (rc != AE_OK) {
		EVP_PKEY_free(pkey);
		return rc;
	}
	return key_wrap(out, pkey, false, &d, e);
}

struct ae_key *
ae_key_ref(struct ae_key *k)
{
	k->refs++;
	return k;
}

void
ae_key_free(struct ae_key *k)
{
	if (k == NULL || --k->refs > 0)
		return;
	if (k->ops != NULL)
		k->ops->free(k->at);
	EVP_PKEY_free(k->pkey);
	OPENSSL_free(k->spki);
	if (k->cache != NULL) {
		EVP_MD_CTX_free(k->cache->ctx);
		EVP_MD_CTX_free(k->cache->verify);
	}
	free(k->cache);
	free(k);
}

void
ae_key_attach(struct ae_key *k, const struct ae_key_ops *ops, void *at)
{
	k->private = true;
	k->ops = ops;
	k->at = at;
}

const char *
ae_key_curve(unsigned bits)
{
	const struct curve *c = curve_find(bits, 0);

	return c == NULL ? NULL : c->group;
}

EVP_PKEY *
ae_key_pkey(const struct ae_key *k)
{
	return k->pkey;
}

bool
ae_key_is_private(const struct ae_key *k)
{
	return k->private;
}

enum ae_key_type
ae_key_type(const struct ae_key *k)
{
	return k->type;
}

unsigned
ae_key_bits(const struct ae_key *k)
{
	return k->bits;
}

struct ae_der
ae_key_spki(const struct ae_key *k)
{
	struct ae_der d = { k->spki, k->spki_len };

	return d;
}

int
ae_spki_id(
    uint8_t out[AE_KEY_ID_LEN], const void *spki, size_t len, struct ae_err *e)
{
	struct ae_der d = { spki, len };
	uint8_t hash[AE_HASH_MAX];
	AE_SPKI *s = NULL;
	size_t n;
	int rc;

	rc = ae_item_decode(&s, ASN1_ITEM_rptr(AE_SPKI), d, "public key", e);
	if (rc != AE_OK)
		return rc;
	n = ae_hash_bytes(hash, AE_HASH_SHA1, ASN1_STRING_get0_data(s->key),
	    (size_t)ASN1_STRING_length(s->key));
	ASN1_item_free((ASN1_VALUE *)s, ASN1_ITEM_rptr(AE_SPKI));
	if (n != AE_KEY_ID_LEN)
		return ae_fail_ossl(e, AE_ENOMEM, "hashing a public key");
	memcpy(out, hash, AE_KEY_ID_LEN);
	return AE_OK;
}

int
ae_key_id(uint8_t out[AE_KEY_ID_LEN], const struct ae_key *k, struct ae_err *e)
{
	return ae_spki_id(out, k->spki, k->spki_len, e);
}

bool
ae_key_same_public(const struct ae_key *a, const struct ae_key *b)
{
	bool same;

	if (a->spki_len == b->spki_len &&
	    memcmp(a->spki, b->spki, a->spki_len) == 0)
		return true;
	same = EVP_PKEY_eq(a->pkey, b->pkey) == 1;
	ERR_clear_error();
	return same;
}

const char *
ae_key_print(char out[16], const struct ae_key *k)
{
	const struct curve *c = curve_find(k->bits, 0);

	if (k->type == AE_KEY_EC && c != NULL)
		(void)snprintf(out, 16, "%s", c->name);
	else
		(void)snprintf(out, 16, "rsa%u", k->bits % 100000);
	return out;
}

/* A private key read from a file: of a kind we use, with its public half. */
int
ae_key_wrap_private(struct ae_key **out, EVP_PKEY *take, struct ae_err *e)
{
	char group[32] = "";
	size_t n = 0;

	if (EVP_PKEY_get_base_id(take) == EVP_PKEY_EC)
		(void)EVP_PKEY_get_group_name(take, group, sizeof(group), &n);
	if (EVP_PKEY_get_base_id(take) != EVP_PKEY_RSA &&
	    curve_find(0, OBJ_txt2nid(group)) == NULL) {
		EVP_PKEY_free(take);
		ERR_clear_error();
		return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
		    "a private key that is neither RSA nor on P-256, P-384 or "
		    "P-521");
	}
	return key_wrap(out, take, true, NULL, e);
}
