/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Certificates as files have them, and their thumbprints.
 */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#include "pki/cert.h"
#include "pki/ossl.h"

static void
thumbprint(uint8_t *out, size_t want, enum ae_hash h, const struct ae_cert *c)
{
	uint8_t hash[AE_HASH_MAX] = { 0 };

	(void)ae_hash_bytes(hash, h, c->der.p, c->der.len);
	memcpy(out, hash, want);
}

void
ae_cert_sha1(uint8_t out[20], const struct ae_cert *c)
{
	thumbprint(out, 20, AE_HASH_SHA1, c);
}

void
ae_cert_sha256(uint8_t out[32], const struct ae_cert *c)
{
	thumbprint(out, 32, AE_HASH_SHA256, c);
}

void
ae_cert_put_pem(struct ae_wr *w, const struct ae_cert *c)
{
	unsigned char line[65];
	size_t off, n;

	ae_wr_str(w, "-----BEGIN CERTIFICATE-----\n");
	for (off = 0; off < c->der.len; off += n) {
		n = c->der.len - off > 48 ? 48 : c->der.len - off;
		(void)EVP_EncodeBlock(line, c->der.p + off, (int)n);
		ae_wr_str(w, (char *)line);
		ae_wr_str(w, "\n");
	}
	ae_wr_str(w, "-----END CERTIFICATE-----\n");
}

void
ae_certs_free(struct ae_cert **v, size_t n)
{
	if (v == NULL)
		return;
	for (size_t i = 0; i < n; i++)
		ae_cert_free(v[i]);
	free(v);
}

static bool
at_end(void)
{
	unsigned long code = ERR_peek_last_error();

	return ERR_GET_LIB(code) == ERR_LIB_PEM &&
	    ERR_GET_REASON(code) == PEM_R_NO_START_LINE;
}

static int
read_pem(struct ae_cert **v, size_t *n, size_t max, BIO *bio, struct ae_err *e)
{
	char *name, *header;
	unsigned char *der;
	long len;
	int rc = AE_OK;

	ERR_clear_error();
	while (
	    rc == AE_OK && PEM_read_bio(bio, &name, &header, &der, &len) == 1) {
		if (strcmp(name, PEM_STRING_X509) != 0)
			;
		else if (*n == max)
			rc = ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
			    "more than %zu certificates", max);
		else if ((rc = ae_cert_parse(&v[*n], der, (size_t)len, e)) ==
		    AE_OK)
			(*n)++;
		OPENSSL_free(name);
		OPENSSL_free(header);
		OPENSSL_free(der);
	}
	if (rc == AE_OK && !at_end())
		return ae_fail_ossl(e, AE_EPROTO, "PEM");
	ERR_clear_error();
	return rc;
}

int
ae_certs_read(struct ae_cert ***out, size_t *n, size_t max, const void *p,
    size_t len, struct ae_err *e)
{
	struct ae_cert **v;
	BIO *bio = NULL;
	size_t got = 0;
	int rc;

	if (len > AE_PKI_RESPONSE_MAX)
		return ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
		    "a certificate file of %zu bytes", len);
	v = calloc(max + 1, sizeof(v[0]));
	if (v == NULL)
		return ae_fail_mem(e);
	if (len > 0 && *(const uint8_t *)p == AE_DER_SEQUENCE && max > 0) {
		rc = ae_cert_parse(&v[0], p, len, e);
		got = rc == AE_OK;
	} else if ((bio = BIO_new_mem_buf(p, (int)len)) == NULL) {
		rc = ae_fail_ossl(e, AE_ENOMEM, "reading certificates");
	} else {
		rc = read_pem(v, &got, max, bio, e);
	}
	BIO_free(bio);
	if (rc == AE_OK && got == 0)
		rc = ae_fail(e, AE_ENOTFOUND, AE_DOM_NONE, 0, "no certificate");
	if (rc != AE_OK) {
		ae_certs_free(v, got);
		return rc;
	}
	*out = v;
	*n = got;
	return AE_OK;
}
