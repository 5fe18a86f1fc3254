/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Sealing a key for the archive; see archive.h.
 */
#include "pki/archive.h"

#include <openssl/cms.h>

#include "base/secret.h"
#include "pki/ossl.h"

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
	rc = ae_key_to_private_blob(&blob, k, e);
	if (rc == AE_OK)
		rc = envelop(w, &blob, x, e);
	ae_secret_done(&blob);
	X509_free(x);
	if (rc == AE_OK && !ae_wr_ok(w))
		rc = ae_fail_mem(e);
	return rc;
}
