/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Opening what clients archive and wrapping it anew; see recover.h.
 */
#include "pki/recover.h"

#include <openssl/cms.h>
#include <string.h>

#include "pki/cms_int.h"
#include "pki/envelope.h"
#include "pki/ossl.h"

#define SIGNERS_MAX 8

static X509 *
x509_of(const struct ae_cert *c)
{
	const unsigned char *p = c->der.p;

	return d2i_X509(NULL, &p, (long)c->der.len);
}

int
ae_archive_open(struct ae_secret *blob, const void *der, size_t len,
    const struct ae_key *k, const struct ae_cert *to, struct ae_err *e)
{
	return ae_envelope_open(
	    blob, der, len, k, to, AE_ARCHIVED_KEY_MAX, "the archived key", e);
}

int
ae_archive_matches(const struct ae_secret *blob, const void *spki, size_t len,
    struct ae_err *e)
{
	const struct ae_der want = { spki, len };
	struct ae_key *k = NULL;
	int rc;

	rc = ae_key_from_private_blob(&k, blob->p, blob->len, e);
	if (rc == AE_ENOMEM)
		return rc;
	if (rc == AE_OK && !ae_der_equal(ae_key_spki(k), want))
		rc = ae_fail(e, AE_ETRUST, AE_DOM_NONE, 0,
		    "the archived key is not that of the request");
	else if (rc != AE_OK)
		rc = ae_note(e, AE_ETRUST, "the archived key");
	ae_key_free(k);
	return rc;
}

int
ae_archive_wrap(struct ae_wr *w, const struct ae_secret *blob,
    const struct ae_cert *const *agents, size_t n, struct ae_err *e)
{
	STACK_OF(X509) *certs = sk_X509_new_null();
	BIO *in = BIO_new_mem_buf(blob->p, (int)blob->len);
	CMS_ContentInfo *cms = NULL;
	unsigned char *der = NULL;
	int len = -1, rc = AE_OK;
	X509 *x;
	size_t i;

	for (i = 0; certs != NULL && i < n; i++) {
		x = x509_of(agents[i]);
		if (x == NULL || sk_X509_push(certs, x) <= 0) {
			X509_free(x);
			break;
		}
	}
	if (certs == NULL || in == NULL || i != n || n == 0) {
		rc = ae_fail_ossl(e, AE_EINVAL, "the recovery agents");
		goto out;
	}
	cms = CMS_encrypt(certs, in, EVP_aes_256_cbc(), CMS_BINARY);
	if (cms != NULL)
		len = i2d_CMS_ContentInfo(cms, &der);
	if (len <= 0)
		rc = ae_fail_ossl(
		    e, AE_EINVAL, "encrypting to the recovery agents");
	else
		ae_wr_bytes(w, der, (size_t)len);
	if (rc == AE_OK && !ae_wr_ok(w))
		rc = ae_fail_mem(e);
out:
	OPENSSL_free(der);
	CMS_ContentInfo_free(cms);
	BIO_free(in);
	sk_X509_pop_free(certs, X509_free);
	return rc;
}

/* ---- on its way to the agent ---- */

int
ae_archive_attrs(struct ae_wr *w, const void *der, size_t len,
    enum ae_hash hash, struct ae_err *e)
{
	const struct ae_der content = { der, len };
	int rc = ae_envelope_check(der, len, "the archived key", e);

	return rc == AE_OK
	    ? ae_cms_signed_attrs(w, AE_OID_CMS_DATA, hash, content, e)
	    : rc;
}

int
ae_archive_sign(struct ae_wr *w, const void *der, size_t len,
    const struct ae_cert *ca, const struct ae_sigalg *alg, struct ae_der attrs,
    struct ae_der sig, struct ae_err *e)
{
	const struct ae_der content = { der, len }, none = { NULL, 0 };
	struct ae_cms_out o;
	size_t set;

	ae_cms_open(w, &o, 1, &alg->hash, 1, AE_OID_CMS_DATA, content);
	ae_cms_put_all(w, 0, &ca->der, 1);
	set = ae_der_open(w, AE_DER_SET);
	ae_cms_put_signer(w, ca, none, alg, attrs, sig, none);
	ae_der_close(w, set);
	ae_cms_close(w, &o);
	return ae_wr_ok(w) ? AE_OK : ae_fail_mem(e);
}

static int
verify_one(const AE_SIGNED_DATA *sd, struct ae_cert *const *v, size_t n,
    struct ae_err *e)
{
	const AE_SIGNER_INFO *si;
	const struct ae_cert *c;
	struct ae_key *k = NULL;
	int rc;

	if (sk_AE_SIGNER_INFO_num(sd->signers) != 1)
		return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
		    "an archived key with %d signers",
		    sk_AE_SIGNER_INFO_num(sd->signers));
	si = sk_AE_SIGNER_INFO_value(sd->signers, 0);
	c = ae_cms_signer_cert(si, v, n);
	if (c == NULL)
		return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
		    "the signer of an archived key is not with it");
	rc = ae_key_from_spki(&k, c->spki.p, c->spki.len, e);
	if (rc == AE_OK)
		rc = ae_cms_verify(sd, si, k, e);
	ae_key_free(k);
	return rc;
}

int
ae_archive_unwrap(
    struct ae_wr *w, const void *der, size_t len, struct ae_err *e)
{
	const struct ae_der d = { der, len };
	AE_SIGNED_DATA *sd = NULL;
	struct ae_cert **v = NULL;
	struct ae_der content;
	size_t n = 0;
	int rc = ae_cms_decode(&sd, d, e);

	if (rc == AE_EINVAL)
		return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
		    "the archived key is no signed message");
	if (rc == AE_OK)
		rc = ae_cms_certs(&v, &n, SIGNERS_MAX, sd, e);
	if (rc == AE_OK)
		rc = verify_one(sd, v, n, e);
	content = rc == AE_OK ? ae_cms_content(sd) : (struct ae_der){ NULL, 0 };
	if (rc == AE_OK && content.p == NULL)
		rc = ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
		    "the archived key's message is empty");
	if (rc == AE_OK) {
		ae_wr_bytes(w, content.p, content.len);
		rc = ae_wr_ok(w) ? AE_OK : ae_fail_mem(e);
	}
	ae_certs_free(v, n);
	ae_cms_free(sd);
	return rc;
}
