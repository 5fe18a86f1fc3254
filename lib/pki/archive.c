/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Sealing a key for the archive; see archive.h.
 */
#include "pki/archive.h"

#include <openssl/cms.h>
#include <openssl/core_names.h>
#include <string.h>

#include "pki/ossl.h"

#define BLOB_MAX 8192 /* RSA 8192: twelve bytes and 4.5 times 1024 */

#define PRIVATEKEYBLOB 0x07
#define BLOB_VERSION 0x02
#define CALG_RSA_KEYX 0x0000a400u
#define MAGIC_RSA2 0x32415352u

static int
no_key(struct ae_err *e)
{
	return ae_fail_ossl(e, AE_EINVAL,
	    "the private key cannot be read out, so it cannot be archived");
}

/* One number of the key, len bytes, either end first. */
static int
put_number(struct ae_wr *w, const EVP_PKEY *k, const char *name, size_t len,
    bool little, struct ae_err *e)
{
	uint8_t buf[1024];
	BIGNUM *n = NULL;
	int rc = AE_OK;

	if (len > sizeof(buf) || EVP_PKEY_get_bn_param(k, name, &n) != 1 ||
	    (little ? BN_bn2lebinpad(n, buf, (int)len)
		    : BN_bn2binpad(n, buf, (int)len)) < 0)
		rc = no_key(e);
	else
		ae_wr_bytes(w, buf, len);
	OPENSSL_cleanse(buf, sizeof(buf));
	BN_clear_free(n);
	return rc;
}

/* MS-WCCE 2.2.2.9.1 */
static int
rsa_blob(struct ae_wr *w, const EVP_PKEY *k, unsigned bits, struct ae_err *e)
{
	static const char *const parts[] = { OSSL_PKEY_PARAM_RSA_N,
		OSSL_PKEY_PARAM_RSA_FACTOR1, OSSL_PKEY_PARAM_RSA_FACTOR2,
		OSSL_PKEY_PARAM_RSA_EXPONENT1, OSSL_PKEY_PARAM_RSA_EXPONENT2,
		OSSL_PKEY_PARAM_RSA_COEFFICIENT1, OSSL_PKEY_PARAM_RSA_D };
	size_t whole = (bits + 7) / 8, half = (bits + 15) / 16, i;
	int rc;

	ae_wr_u8(w, PRIVATEKEYBLOB);
	ae_wr_u8(w, BLOB_VERSION);
	ae_wr_u16(w, 0);
	ae_wr_u32(w, CALG_RSA_KEYX);
	ae_wr_u32(w, MAGIC_RSA2);
	ae_wr_u32(w, bits);
	rc = put_number(w, k, OSSL_PKEY_PARAM_RSA_E, 4, true, e);
	for (i = 0; rc == AE_OK && i < sizeof(parts) / sizeof(parts[0]); i++)
		rc = put_number(
		    w, k, parts[i], i == 0 || i == 6 ? whole : half, true, e);
	return rc;
}

/* MS-WCCE 2.2.2.9.3: X, Y and the private number, big-endian. */
static int
ec_blob(struct ae_wr *w, const EVP_PKEY *k, unsigned bits, struct ae_err *e)
{
	static const struct {
		unsigned bits;
		uint32_t magic; /* "ECK2", "ECK4", "ECK6" */
	} curves[] = { { 256, 0x324b4345u }, { 384, 0x344b4345u },
		{ 521, 0x364b4345u } };
	static const char *const parts[] = { OSSL_PKEY_PARAM_EC_PUB_X,
		OSSL_PKEY_PARAM_EC_PUB_Y, OSSL_PKEY_PARAM_PRIV_KEY };
	size_t len = (bits + 7) / 8, i;
	int rc = AE_OK;

	for (i = 0; curves[i].bits != bits;)
		if (++i == sizeof(curves) / sizeof(curves[0]))
			return no_key(e);
	ae_wr_u32(w, curves[i].magic);
	ae_wr_u32(w, (uint32_t)len);
	for (i = 0; rc == AE_OK && i < sizeof(parts) / sizeof(parts[0]); i++)
		rc = put_number(w, k, parts[i], len, false, e);
	return rc;
}

int
ae_key_to_blob(struct ae_secret *out, const struct ae_key *k, struct ae_err *e)
{
	const EVP_PKEY *pkey = ae_key_pkey(k);
	struct ae_wr w;
	int rc;

	if (!ae_key_is_private(k))
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "a public key has nothing to archive");
	ae_wr_init(&w, BLOB_MAX);
	rc = ae_key_type(k) == AE_KEY_RSA
	    ? rsa_blob(&w, pkey, ae_key_bits(k), e)
	    : ec_blob(&w, pkey, ae_key_bits(k), e);
	if (rc == AE_OK &&
	    (!ae_wr_ok(&w) || ae_secret_set(out, w.p, w.len) != 0))
		rc = ae_fail_mem(e);
	ae_wr_wipe(&w);
	return rc;
}

static int
envelop(
    struct ae_wr *w, const struct ae_secret *blob, X509 *to, struct ae_err *e)
{
	STACK_OF(X509) *certs = sk_X509_new_null();
	BIO *in = BIO_new_mem_buf(blob->p, (int)blob->len);
	CMS_ContentInfo *cms = NULL;
	unsigned char *der = NULL;
	int n, rc = AE_OK;

	if (certs == NULL || in == NULL || sk_X509_push(certs, to) <= 0) {
		rc = ae_fail_mem(e);
		goto out;
	}
	cms = CMS_encrypt(certs, in, EVP_aes_256_cbc(), CMS_BINARY);
	n = cms == NULL ? -1 : i2d_CMS_ContentInfo(cms, &der);
	if (n <= 0)
		rc = ae_fail_ossl(e, AE_EINVAL,
		    "encrypting to the CA's exchange certificate");
	else
		ae_wr_bytes(w, der, (size_t)n);
out:
	OPENSSL_free(der);
	CMS_ContentInfo_free(cms);
	BIO_free(in);
	sk_X509_free(certs);
	return rc;
}

int
ae_archive_seal(struct ae_wr *w, const struct ae_key *k,
    const struct ae_cert *to, struct ae_err *e)
{
	const unsigned char *p = to->der.p;
	struct ae_secret blob = { 0 };
	X509 *x = NULL;
	int rc;

	x = d2i_X509(NULL, &p, (long)to->der.len);
	if (x == NULL)
		return ae_fail_ossl(
		    e, AE_EPROTO, "reading the exchange certificate");
	rc = ae_key_to_blob(&blob, k, e);
	if (rc == AE_OK)
		rc = envelop(w, &blob, x, e);
	ae_secret_done(&blob);
	X509_free(x);
	if (rc == AE_OK && !ae_wr_ok(w))
		rc = ae_fail_mem(e);
	return rc;
}
