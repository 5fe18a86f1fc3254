/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Opening and sealing; see envelope.h.
 */
#include "pki/envelope.h"

#include <openssl/cms.h>
#include <openssl/err.h>
#include <string.h>

#include "pki/ossl.h"

/* RFC 5652 6.1, as far as the algorithm; the rest is OpenSSL's. */
typedef struct {
	ASN1_OBJECT *type;
	X509_ALGOR *alg;
	ASN1_OCTET_STRING *content;
} AE_ENCRYPTED;

typedef struct {
	ASN1_INTEGER *version;
	ASN1_STRING *originator;
	ASN1_TYPE *recipients;
	AE_ENCRYPTED *encrypted;
	ASN1_STRING *attrs;
} AE_ENVELOPED;

typedef struct {
	ASN1_OBJECT *type;
	AE_ENVELOPED *enveloped;
} AE_ENVELOPE;

/* clang-format off */
ASN1_SEQUENCE(AE_ENCRYPTED) = {
	ASN1_SIMPLE(AE_ENCRYPTED, type, ASN1_OBJECT),
	ASN1_SIMPLE(AE_ENCRYPTED, alg, X509_ALGOR),
	ASN1_IMP_OPT(AE_ENCRYPTED, content, ASN1_OCTET_STRING, 0),
} static_ASN1_SEQUENCE_END(AE_ENCRYPTED)

ASN1_SEQUENCE(AE_ENVELOPED) = {
	ASN1_SIMPLE(AE_ENVELOPED, version, ASN1_INTEGER),
	ASN1_IMP_OPT(AE_ENVELOPED, originator, ASN1_SEQUENCE, 0),
	ASN1_SIMPLE(AE_ENVELOPED, recipients, ASN1_ANY),
	ASN1_SIMPLE(AE_ENVELOPED, encrypted, AE_ENCRYPTED),
	ASN1_IMP_OPT(AE_ENVELOPED, attrs, ASN1_SEQUENCE, 1),
} static_ASN1_SEQUENCE_END(AE_ENVELOPED)

ASN1_SEQUENCE(AE_ENVELOPE) = {
	ASN1_SIMPLE(AE_ENVELOPE, type, ASN1_OBJECT),
	ASN1_EXP(AE_ENVELOPE, enveloped, AE_ENVELOPED, 0),
} static_ASN1_SEQUENCE_END(AE_ENVELOPE)
/* clang-format on */

static X509 *
x509_of(const struct ae_cert *c)
{
	const unsigned char *p = c->der.p;

	return d2i_X509(NULL, &p, (long)c->der.len);
}

/* A message that is enveloped-data and nothing behind it; NULL: it is not. */
static CMS_ContentInfo *
enveloped(const void *der, size_t len)
{
	const unsigned char *p = der;
	CMS_ContentInfo *cms;

	if (len == 0 || len > AE_ENVELOPE_MAX)
		return NULL;
	cms = d2i_CMS_ContentInfo(NULL, &p, (long)len);
	if (cms != NULL &&
	    (p != (const unsigned char *)der + len ||
		OBJ_obj2nid(CMS_get0_type(cms)) != NID_pkcs7_enveloped)) {
		CMS_ContentInfo_free(cms);
		cms = NULL;
	}
	return cms;
}

int
ae_envelope_check(
    const void *der, size_t len, const char *what, struct ae_err *e)
{
	CMS_ContentInfo *cms = enveloped(der, len);

	if (cms == NULL)
		return ae_fail_ossl(
		    e, AE_EPROTO, "%s is no enveloped message", what);
	CMS_ContentInfo_free(cms);
	return AE_OK;
}

/* The serial number of a recipient that is named by one. */
static const ASN1_INTEGER *
serial_of(CMS_ContentInfo *cms)
{
	STACK_OF(CMS_RecipientInfo) *all = CMS_get0_RecipientInfos(cms);
	ASN1_INTEGER *serial = NULL;
	CMS_RecipientInfo *r;

	if (sk_CMS_RecipientInfo_num(all) < 1)
		return NULL;
	r = sk_CMS_RecipientInfo_value(all, 0);
	if (CMS_RecipientInfo_type(r) != CMS_RECIPINFO_TRANS ||
	    CMS_RecipientInfo_ktri_get0_signer_id(r, NULL, NULL, &serial) != 1)
		return NULL;
	return serial;
}

int
ae_envelope_recipient(uint8_t serial[AE_RECIPIENT_MAX], size_t *serial_len,
    const void *der, size_t len, struct ae_err *e)
{
	CMS_ContentInfo *cms = enveloped(der, len);
	const ASN1_INTEGER *s = cms == NULL ? NULL : serial_of(cms);
	int n = s == NULL ? 0 : ASN1_STRING_length((const ASN1_STRING *)s);
	int rc = AE_OK;

	if (n <= 0 || n > AE_RECIPIENT_MAX)
		rc = ae_fail_ossl(e, AE_EPROTO,
		    "an envelope for no certificate with a serial number");
	if (rc == AE_OK) {
		memcpy(serial, ASN1_STRING_get0_data((const ASN1_STRING *)s),
		    (size_t)n);
		*serial_len = (size_t)n;
	}
	CMS_ContentInfo_free(cms);
	return rc;
}

static int
take(struct ae_secret *out, BIO *from, size_t max, const char *what,
    struct ae_err *e)
{
	char *p = NULL;
	long n = BIO_get_mem_data(from, &p);
	int rc = AE_OK;

	if (n <= 0 || (size_t)n > max)
		rc = ae_fail(
		    e, AE_EPROTO, AE_DOM_NONE, 0, "%s of %ld bytes", what, n);
	else if (ae_secret_set(out, p, (size_t)n) != 0)
		rc = ae_fail_mem(e);
	if (n > 0)
		OPENSSL_cleanse(p, (size_t)n);
	return rc;
}

int
ae_envelope_open(struct ae_secret *out, const void *der, size_t len,
    const struct ae_key *k, const struct ae_cert *to, size_t max,
    const char *what, struct ae_err *e)
{
	CMS_ContentInfo *cms = enveloped(der, len);
	X509 *cert = x509_of(to);
	BIO *into = BIO_new(BIO_s_mem());
	int rc;

	if (cms == NULL)
		rc = ae_fail_ossl(
		    e, AE_EPROTO, "%s is no enveloped message", what);
	else if (cert == NULL || into == NULL)
		rc = ae_fail_ossl(e, AE_ENOMEM, "opening %s", what);
	else if (CMS_decrypt(cms, ae_key_pkey(k), cert, NULL, into, 0) != 1)
		rc = ae_fail_ossl(e, AE_ETRUST,
		    "%s is not for this exchange certificate", what);
	else
		rc = take(out, into, max, what, e);
	BIO_free(into);
	X509_free(cert);
	CMS_ContentInfo_free(cms);
	return rc;
}

int
ae_envelope_seal(struct ae_wr *w, const void *p, size_t len,
    const struct ae_cert *to, struct ae_err *e)
{
	STACK_OF(X509) *certs = sk_X509_new_null();
	BIO *in = BIO_new_mem_buf(p, (int)len);
	X509 *x = x509_of(to);
	CMS_ContentInfo *cms = NULL;
	unsigned char *der = NULL;
	int n, rc = AE_OK;

	if (x == NULL) {
		rc = ae_fail_ossl(
		    e, AE_EPROTO, "reading the exchange certificate");
		goto out;
	}
	if (certs == NULL || in == NULL || sk_X509_push(certs, x) <= 0) {
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
	if (rc == AE_OK && !ae_wr_ok(w))
		rc = ae_fail_mem(e);
out:
	OPENSSL_free(der);
	CMS_ContentInfo_free(cms);
	BIO_free(in);
	X509_free(x);
	sk_X509_free(certs);
	return rc;
}

int
ae_envelope_algorithm(
    struct ae_wr *w, const void *der, size_t len, struct ae_err *e)
{
	AE_ENVELOPE *v = NULL;
	X509_ALGOR *alg;
	int rc;

	if (len > AE_ENVELOPE_MAX)
		return ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
		    "an envelope of %zu bytes", len);
	rc = ae_item_decode(&v, ASN1_ITEM_rptr(AE_ENVELOPE),
	    (struct ae_der){ der, len }, "envelope", e);
	if (rc != AE_OK)
		return rc;
	alg = X509_ALGOR_new();
	if (alg == NULL ||
	    X509_ALGOR_set0(alg,
		OBJ_dup(v->enveloped->encrypted->alg->algorithm), V_ASN1_UNDEF,
		NULL) != 1)
		rc = ae_fail_mem(e);
	else
		rc = ae_item_encode(w, ASN1_ITEM_rptr(X509_ALGOR), alg, e);
	X509_ALGOR_free(alg);
	ASN1_item_free((ASN1_VALUE *)v, ASN1_ITEM_rptr(AE_ENVELOPE));
	return rc;
}
