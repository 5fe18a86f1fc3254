/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Making one and comparing one; see pkcs12.h.
 */
#include "pki/pkcs12.h"

#include <openssl/err.h>
#include <openssl/pkcs12.h>
#include <string.h>

#include "pki/ossl.h"

#define FILE_MAX (1024 * 1024)

static X509 *
to_x509(const struct ae_cert *c)
{
	const unsigned char *p = c->der.p;

	return d2i_X509(NULL, &p, (long)c->der.len);
}

static STACK_OF(X509) * to_stack(const struct ae_pkcs12 *p)
{
	STACK_OF(X509) *st = sk_X509_new_null();
	size_t i;

	for (i = 0; st != NULL && i < p->nchain; i++) {
		X509 *x = to_x509(p->chain[i]);

		if (x == NULL || sk_X509_push(st, x) <= 0) {
			X509_free(x);
			sk_X509_pop_free(st, X509_free);
			return NULL;
		}
	}
	return st;
}

int
ae_pkcs12_build(
    struct ae_secret *out, const struct ae_pkcs12 *p, struct ae_err *e)
{
	size_t plen = p->password == NULL ? 0 : strlen(p->password);
	STACK_OF(X509) *chain = NULL;
	unsigned char *der = NULL;
	PKCS12 *p12 = NULL;
	X509 *x = NULL;
	int rc = AE_OK, len;

	if (!ae_key_is_private(p->key) || plen == 0 ||
	    plen > AE_PKCS12_PASSWORD_MAX)
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "PKCS#12 wants a private key and a password of 1 to %d "
		    "bytes",
		    AE_PKCS12_PASSWORD_MAX);
	x = to_x509(p->cert);
	chain = to_stack(p);
	if (x != NULL && chain != NULL)
		p12 = PKCS12_create(p->password, p->name, ae_key_pkey(p->key),
		    x, chain, NID_aes_256_cbc, NID_aes_256_cbc,
		    PKCS12_DEFAULT_ITER, PKCS12_DEFAULT_ITER, 0);
	if (p12 == NULL || (len = i2d_PKCS12(p12, &der)) <= 0)
		rc = ae_fail_ossl(e, AE_EINTERNAL, "making PKCS#12");
	else if (ae_secret_set(out, der, (size_t)len) != 0)
		rc = ae_fail_mem(e);
	OPENSSL_free(der);
	PKCS12_free(p12);
	sk_X509_pop_free(chain, X509_free);
	X509_free(x);
	return rc;
}

static bool
same_cert(X509 *x, const struct ae_cert *c)
{
	unsigned char *der = NULL;
	int len = i2d_X509(x, &der);
	bool same = len > 0 && (size_t)len == c->der.len &&
	    memcmp(der, c->der.p, c->der.len) == 0;

	OPENSSL_free(der);
	return same;
}

static bool
same_chain(const STACK_OF(X509) * st, const struct ae_pkcs12 *p)
{
	int n = st == NULL ? 0 : sk_X509_num(st), i;
	size_t j;

	if ((size_t)n != p->nchain)
		return false;
	for (i = 0; i < n; i++) {
		for (j = 0; j < p->nchain; j++)
			if (same_cert(sk_X509_value(st, i), p->chain[j]))
				break;
		if (j == p->nchain)
			return false;
	}
	return true;
}

bool
ae_pkcs12_same(const void *der, size_t len, const struct ae_pkcs12 *p)
{
	const unsigned char *at = der;
	STACK_OF(X509) *chain = NULL;
	PKCS12 *p12 = NULL;
	EVP_PKEY *key = NULL;
	X509 *x = NULL;
	bool same = false;

	if (len <= FILE_MAX && p->password != NULL)
		p12 = d2i_PKCS12(NULL, &at, (long)len);
	if (p12 != NULL &&
	    PKCS12_parse(p12, p->password, &key, &x, &chain) == 1)
		same = key != NULL && x != NULL && same_cert(x, p->cert) &&
		    EVP_PKEY_eq(key, ae_key_pkey(p->key)) == 1 &&
		    same_chain(chain, p);
	ERR_clear_error();
	EVP_PKEY_free(key);
	X509_free(x);
	sk_X509_pop_free(chain, X509_free);
	PKCS12_free(p12);
	return same;
}
