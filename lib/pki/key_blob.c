/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Private keys as key archival carries them: MS-WCCE 2.2.2.9.1 for RSA (the
 * PRIVATEKEYBLOB of CryptoAPI, little endian) and 2.2.2.9.3 for EC.
 */
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <string.h>

#include "base/rd.h"
#include "pki/key_int.h"
#include "pki/nte.h"
#include "pki/ossl.h"

#define PRIVATEKEYBLOB 0x07
#define CUR_BLOB_VERSION 0x02
#define CALG_RSA_KEYX 0x0000a400u
#define MAGIC_RSA2 0x32415352u
#define ECK2_P256 0x324b4345u /* "ECK2", and so on by two */
#define BLOB_MAX 8192
#define NPARTS 7

/* clang-format off */

/* The numbers of an RSA key in the order of the blob; size: bits by this. */
static const struct {
	const char *name;
	unsigned divisor;
} parts[NPARTS] = {
	{ OSSL_PKEY_PARAM_RSA_N, 8 },
	{ OSSL_PKEY_PARAM_RSA_FACTOR1, 16 },
	{ OSSL_PKEY_PARAM_RSA_FACTOR2, 16 },
	{ OSSL_PKEY_PARAM_RSA_EXPONENT1, 16 },
	{ OSSL_PKEY_PARAM_RSA_EXPONENT2, 16 },
	{ OSSL_PKEY_PARAM_RSA_COEFFICIENT1, 16 },
	{ OSSL_PKEY_PARAM_RSA_D, 8 },
};
/* clang-format on */

static size_t
part_len(size_t i, unsigned bits)
{
	return (bits + parts[i].divisor - 1) / parts[i].divisor;
}

static unsigned
ec_magic(unsigned bits)
{
	return ECK2_P256 +
	    (bits == 521	  ? 4u
		    : bits == 384 ? 2u
				  : 0) *
	    0x1000000u;
}

/* A number of the key into len bytes; false when it does not fit. */
static bool
put_bn(struct ae_wr *w, const EVP_PKEY *pkey, const char *name, size_t len,
    bool little)
{
	BIGNUM *bn = NULL;
	uint8_t *p;
	bool ok;

	if (EVP_PKEY_get_bn_param(pkey, name, &bn) != 1)
		return false;
	p = ae_wr_room(w, len);
	ok = p != NULL &&
	    (little ? BN_bn2lebinpad(bn, p, (int)len)
		    : BN_bn2binpad(bn, p, (int)len)) == (int)len;
	BN_clear_free(bn);
	return ok;
}

static bool
put_rsa(struct ae_wr *w, const struct ae_key *k)
{
	bool ok;

	ae_wr_u8(w, PRIVATEKEYBLOB);
	ae_wr_u8(w, CUR_BLOB_VERSION);
	ae_wr_u16(w, 0);
	ae_wr_u32(w, CALG_RSA_KEYX);
	ae_wr_u32(w, MAGIC_RSA2);
	ae_wr_u32(w, k->bits);
	ok = put_bn(w, k->pkey, OSSL_PKEY_PARAM_RSA_E, 4, true);
	for (size_t i = 0; ok && i < NPARTS; i++)
		ok = put_bn(
		    w, k->pkey, parts[i].name, part_len(i, k->bits), true);
	return ok;
}

/* X, Y and d as CNG has them, big endian; see doc/differences.md. */
static bool
put_ec(struct ae_wr *w, const struct ae_key *k)
{
	size_t len = (k->bits + 7) / 8;

	ae_wr_u32(w, ec_magic(k->bits));
	ae_wr_u32(w, (uint32_t)len);
	return put_bn(w, k->pkey, OSSL_PKEY_PARAM_EC_PUB_X, len, false) &&
	    put_bn(w, k->pkey, OSSL_PKEY_PARAM_EC_PUB_Y, len, false) &&
	    put_bn(w, k->pkey, OSSL_PKEY_PARAM_PRIV_KEY, len, false);
}

int
ae_key_to_private_blob(
    struct ae_secret *out, const struct ae_key *k, struct ae_err *e)
{
	struct ae_wr w;
	int rc = AE_OK;
	bool ok;

	if (!k->private || k->ops != NULL)
		return ae_fail(e, AE_EDENIED, AE_DOM_HRESULT, NTE_BAD_KEY_STATE,
		    "this private key cannot be handed out");
	ae_wr_init(&w, BLOB_MAX);
	ok = k->type == AE_KEY_RSA ? put_rsa(&w, k) : put_ec(&w, k);
	if (!ok)
		rc = ae_fail_ossl(e, AE_EINTERNAL, "writing a private key");
	else if (!ae_wr_ok(&w) || ae_secret_set(out, w.p, w.len) != 0)
		rc = ae_fail_mem(e);
	ae_wr_wipe(&w);
	return rc;
}

static EVP_PKEY *
import(const char *type, OSSL_PARAM_BLD *b)
{
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(b);
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_name(NULL, type, NULL), *check;
	EVP_PKEY *pkey = NULL;

	if (params == NULL || c == NULL || EVP_PKEY_fromdata_init(c) <= 0 ||
	    EVP_PKEY_fromdata(c, &pkey, EVP_PKEY_KEYPAIR, params) <= 0)
		pkey = NULL;
	EVP_PKEY_CTX_free(c);
	OSSL_PARAM_free(params);
	if (pkey == NULL)
		return NULL;
	check = EVP_PKEY_CTX_new(pkey, NULL);
	if (check == NULL || EVP_PKEY_pairwise_check(check) != 1) {
		EVP_PKEY_free(pkey);
		pkey = NULL;
	}
	EVP_PKEY_CTX_free(check);
	return pkey;
}

static EVP_PKEY *
get_rsa(struct ae_rd *r)
{
	OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
	BIGNUM *bn[NPARTS + 1] = { NULL };
	EVP_PKEY *pkey = NULL;
	const uint8_t *p;
	uint32_t bits;
	size_t i;
	bool ok;

	ae_rd_skip(r, 3); /* version and reserved, looked at by the caller */
	(void)ae_rd_u32(r);
	if (ae_rd_u32(r) != MAGIC_RSA2)
		ae_rd_fail(r);
	bits = ae_rd_u32(r);
	if (bits < 1024 || bits > 16384)
		ae_rd_fail(r);
	p = ae_rd_take(r, 4);
	bn[NPARTS] = p == NULL ? NULL : BN_lebin2bn(p, 4, NULL);
	ok = b != NULL && bn[NPARTS] != NULL &&
	    OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_E, bn[NPARTS]);
	for (i = 0; ok && i < NPARTS; i++) {
		p = ae_rd_take(r, part_len(i, bits));
		bn[i] = BN_secure_new();
		ok = p != NULL && bn[i] != NULL &&
		    BN_lebin2bn(p, (int)part_len(i, bits), bn[i]) != NULL &&
		    OSSL_PARAM_BLD_push_BN(b, parts[i].name, bn[i]);
	}
	if (ok && ae_rd_done(r))
		pkey = import("RSA", b);
	OSSL_PARAM_BLD_free(b);
	for (i = 0; i <= NPARTS; i++)
		BN_clear_free(bn[i]);
	return pkey;
}

/* One reading of the three numbers; other writers have them little endian. */
static EVP_PKEY *
import_ec(unsigned bits, const uint8_t *p, size_t len, bool little)
{
	OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
	uint8_t point[1 + 2 * 66] = { 4 };
	EVP_PKEY *pkey = NULL;
	BIGNUM *d = BN_secure_new();
	size_t i;

	for (i = 0; i < len; i++) {
		point[1 + i] = p[little ? len - 1 - i : i];
		point[1 + len + i] = p[len + (little ? len - 1 - i : i)];
	}
	p += 2 * len;
	if (b != NULL && d != NULL &&
	    (little ? BN_lebin2bn(p, (int)len, d)
		    : BN_bin2bn(p, (int)len, d)) != NULL &&
	    OSSL_PARAM_BLD_push_utf8_string(
		b, OSSL_PKEY_PARAM_GROUP_NAME, ae_key_curve(bits), 0) &&
	    OSSL_PARAM_BLD_push_octet_string(
		b, OSSL_PKEY_PARAM_PUB_KEY, point, 1 + 2 * len) &&
	    OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_PRIV_KEY, d))
		pkey = import("EC", b);
	OSSL_PARAM_BLD_free(b);
	BN_clear_free(d);
	return pkey;
}

static EVP_PKEY *
get_ec(struct ae_rd *r, uint32_t magic)
{
	unsigned bits = magic == ec_magic(521) ? 521
	    : magic == ec_magic(384)	       ? 384
					       : 256;
	size_t len = (bits + 7) / 8;
	const uint8_t *p;
	EVP_PKEY *pkey;

	if (magic != ec_magic(bits) || ae_rd_u32(r) != len)
		return NULL;
	p = ae_rd_take(r, 3 * len);
	if (p == NULL || !ae_rd_done(r))
		return NULL;
	pkey = import_ec(bits, p, len, false);
	return pkey != NULL ? pkey : import_ec(bits, p, len, true);
}

int
ae_key_from_private_blob(
    struct ae_key **out, const void *blob, size_t len, struct ae_err *e)
{
	struct ae_rd r, peek;
	EVP_PKEY *pkey;

	ae_rd_init(&r, blob, len);
	peek = r;
	if (ae_rd_u8(&peek) == PRIVATEKEYBLOB &&
	    ae_rd_u8(&peek) == CUR_BLOB_VERSION) {
		ae_rd_skip(&r, 1);
		pkey = get_rsa(&r);
	} else {
		pkey = get_ec(&r, ae_rd_u32(&r));
	}
	if (pkey == NULL)
		return ae_fail_ossl(e, AE_EPROTO,
		    "a private key blob that is malformed or does not fit "
		    "together");
	return ae_key_wrap_private(out, pkey, e);
}
