/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Requests in files: PEM around the DER, as certreq writes and reads it.
 */
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#include "pki/ossl.h"
#include "pki/request.h"

/* certreq's, whichever of the three forms is inside. */
#define LABEL "NEW CERTIFICATE REQUEST"

static bool
is_request(const char *label)
{
	static const char *const labels[] = { LABEL, "CERTIFICATE REQUEST",
		"PKCS7", "CMS" };
	size_t i;

	for (i = 0; i < sizeof(labels) / sizeof(labels[0]); i++)
		if (strcmp(label, labels[i]) == 0)
			return true;
	return false;
}

/* Base64 and white space, nothing else; false: something else. */
static bool
read_base64(struct ae_wr *w, const void *p, size_t len)
{
	EVP_ENCODE_CTX *c = EVP_ENCODE_CTX_new();
	unsigned char *out = malloc(len + 3);
	int n = 0, tail = 0, rc = -1;

	if (c != NULL && out != NULL && len > 0 && len <= INT32_MAX) {
		EVP_DecodeInit(c);
		rc = EVP_DecodeUpdate(c, out, &n, p, (int)len);
		if (rc >= 0)
			rc = EVP_DecodeFinal(c, out + n, &tail);
	}
	if (rc >= 0 && n + tail > 0 && out[0] == AE_DER_SEQUENCE)
		ae_wr_bytes(w, out, (size_t)n + (size_t)tail);
	else
		rc = -1;
	free(out);
	EVP_ENCODE_CTX_free(c);
	ERR_clear_error();
	return rc >= 0;
}

int
ae_request_read(struct ae_wr *w, const void *p, size_t len, struct ae_err *e)
{
	char *label = NULL, *header = NULL;
	unsigned char *der = NULL;
	long n = 0;
	BIO *in;
	int rc = AE_ENOTFOUND;

	if (len > 0 && ((const uint8_t *)p)[0] == AE_DER_SEQUENCE) {
		ae_wr_bytes(w, p, len);
		return ae_wr_ok(w) ? AE_OK : ae_fail_mem(e);
	}
	in = BIO_new_mem_buf(p, (int)len);
	if (in == NULL)
		return ae_fail_mem(e);
	while (rc == AE_ENOTFOUND &&
	    PEM_read_bio(in, &label, &header, &der, &n) == 1) {
		if (is_request(label)) {
			ae_wr_bytes(w, der, (size_t)n);
			rc = ae_wr_ok(w) ? AE_OK : ae_fail_mem(e);
		}
		OPENSSL_free(label);
		OPENSSL_free(header);
		OPENSSL_free(der);
	}
	BIO_free(in);
	if (rc == AE_ENOTFOUND && read_base64(w, p, len))
		return ae_wr_ok(w) ? AE_OK : ae_fail_mem(e);
	if (rc == AE_ENOTFOUND)
		return ae_fail_ossl(e, AE_EPROTO,
		    "neither a DER nor a PEM certificate request");
	return rc;
}

int
ae_request_put_pem(struct ae_wr *w, struct ae_der der, struct ae_err *e)
{
	BIO *out = BIO_new(BIO_s_mem());
	char *text = NULL;
	long n;
	int rc = AE_OK;

	if (out == NULL ||
	    PEM_write_bio(out, LABEL, "", der.p, (long)der.len) <= 0) {
		rc = ae_fail_mem(e);
	} else {
		n = BIO_get_mem_data(out, &text);
		ae_wr_bytes(w, text, (size_t)n);
		rc = ae_wr_ok(w) ? AE_OK : ae_fail_mem(e);
	}
	BIO_free(out);
	return rc;
}
