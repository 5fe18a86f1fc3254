/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Chain verification by OpenSSL, over certificates our own parser has
 * accepted first.
 */
#include "pki/verify.h"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <time.h>

#include "pki/ossl.h"

static X509 *
to_x509(const struct ae_cert *c)
{
	const unsigned char *p = c->der.p;

	return d2i_X509(NULL, &p, (long)c->der.len);
}

static bool
push(STACK_OF(X509) * st, const struct ae_cert *c)
{
	X509 *x = to_x509(c);

	if (x != NULL && sk_X509_push(st, x) > 0)
		return true;
	X509_free(x);
	return false;
}

static STACK_OF(X509) * to_stack(const struct ae_cert *const *v, size_t n)
{
	STACK_OF(X509) *st = sk_X509_new_null();

	for (size_t i = 0; st != NULL && i < n; i++)
		if (!push(st, v[i])) {
			sk_X509_pop_free(st, X509_free);
			return NULL;
		}
	return st;
}

/*
 * Anchors need not be roots: PARTIAL_CHAIN ends the chain at whichever of
 * them it meets.
 */
static bool
set_up(X509_STORE_CTX *ctx, STACK_OF(X509) * anchors, X509 *leaf,
    STACK_OF(X509) * others, int64_t at)
{
	X509_VERIFY_PARAM *p;

	if (X509_STORE_CTX_init(ctx, NULL, leaf, others) != 1)
		return false;
	X509_STORE_CTX_set0_trusted_stack(ctx, anchors);
	p = X509_STORE_CTX_get0_param(ctx);
	X509_VERIFY_PARAM_set_time(p, (time_t)at);
	X509_VERIFY_PARAM_set_depth(p, 10);
	return X509_VERIFY_PARAM_set_flags(p, X509_V_FLAG_PARTIAL_CHAIN) == 1;
}

int
ae_verify_chain(
    const struct ae_cert *leaf, const struct ae_verify *v, struct ae_err *e)
{
	STACK_OF(X509) *anchors = NULL, *others = NULL;
	X509_STORE_CTX *ctx = NULL;
	X509 *x = NULL;
	int rc, err;

	if (v->eku != NULL && !ae_cert_allows(leaf, v->eku) &&
	    leaf->x.eku.n + leaf->x.app_policies.n > 0)
		return ae_fail(e, AE_ETRUST, AE_DOM_X509,
		    X509_V_ERR_INVALID_PURPOSE, "the certificate is not for %s",
		    v->eku);
	if (leaf->der.p == NULL)
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "what is to be signed has no chain");
	x = to_x509(leaf);
	anchors = to_stack(v->anchors, v->nanchors);
	others = to_stack(v->others, v->nothers);
	ctx = X509_STORE_CTX_new();
	if (x == NULL || anchors == NULL || others == NULL || ctx == NULL ||
	    !set_up(ctx, anchors, x, others, v->at)) {
		rc = ae_fail_ossl(e, AE_ENOMEM, "preparing to verify");
		goto out;
	}
	rc = AE_OK;
	if (X509_verify_cert(ctx) != 1) {
		err = X509_STORE_CTX_get_error(ctx);
		ERR_clear_error();
		rc = err == X509_V_ERR_OUT_OF_MEM
		    ? ae_fail_mem(e)
		    : ae_fail(e, AE_ETRUST, AE_DOM_X509, err,
			  "chain at depth %d: %s",
			  X509_STORE_CTX_get_error_depth(ctx),
			  X509_verify_cert_error_string(err));
	}
out:
	X509_STORE_CTX_free(ctx);
	sk_X509_pop_free(others, X509_free);
	sk_X509_pop_free(anchors, X509_free);
	X509_free(x);
	return rc;
}
