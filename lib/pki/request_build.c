/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Wrapping a PKCS#10 the way Windows clients do.
 */
#include "pki/request.h"

#include "pki/cms_int.h"

/* RFC 2797 3.1 PKIData: the request has body part 1, RegInfo 2. */
static int
put_pki_data(struct ae_wr *w, const struct ae_request_spec *s, struct ae_err *e)
{
	size_t all, seq, one, set, text;
	int rc;

	all = ae_der_open(w, AE_DER_SEQUENCE);
	seq = ae_der_open(w, AE_DER_SEQUENCE);
	if (s->nreginfo > 0) {
		one = ae_der_open(w, AE_DER_SEQUENCE);
		ae_der_uint(w, 2);
		(void)ae_der_oid(w, AE_OID_CMC_REG_INFO);
		set = ae_der_open(w, AE_DER_SET);
		text = ae_der_open(w, AE_DER_OCTETS);
		rc = ae_pairs_put(w, s->reginfo, s->nreginfo, e);
		if (rc != AE_OK)
			return rc;
		ae_der_close(w, text);
		ae_der_close(w, set);
		ae_der_close(w, one);
	}
	ae_der_close(w, seq);
	seq = ae_der_open(w, AE_DER_SEQUENCE);
	one = ae_der_open(w, AE_DER_CTX_CONS(0));
	ae_der_uint(w, 1);
	ae_der_raw(w, s->pkcs10);
	ae_der_close(w, one);
	ae_der_close(w, seq);
	ae_der_put(w, AE_DER_SEQUENCE, NULL, 0);
	ae_der_put(w, AE_DER_SEQUENCE, NULL, 0);
	ae_der_close(w, all);
	return ae_wr_ok(w) ? AE_OK : ae_fail_mem(e);
}

/* A SignerInfo over attrs: by cert's issuer and serial, or by key id. */
static int
sign(struct ae_wr *w, const struct ae_key *k, const struct ae_cert *cert,
    enum ae_hash hash, const struct ae_wr *attrs, struct ae_err *e)
{
	struct ae_sigalg alg = ae_key_sigalg(k, hash);
	struct ae_der over = { attrs->p, attrs->len }, ski, made;
	uint8_t id[AE_KEY_ID_LEN];
	struct ae_wr sig;
	int rc;

	ae_wr_init(&sig, AE_SIG_MAX);
	rc = ae_key_id(id, k, e);
	if (rc == AE_OK)
		rc = ae_key_sign(&sig, k, &alg, over.p, over.len, e);
	if (rc == AE_OK) {
		ski.p = id;
		ski.len = sizeof(id);
		made.p = sig.p;
		made.len = sig.len;
		ae_cms_put_signer(w, cert, ski, &alg, over, made);
	}
	ae_wr_done(&sig);
	return rc;
}

/* The signers: the new key when by_new, the old one when there is one. */
static int
put_message(struct ae_wr *w, const struct ae_request_spec *s, bool by_new,
    const char *type, struct ae_der content, struct ae_err *e)
{
	struct ae_cms_out o;
	struct ae_wr attrs;
	size_t set;
	int rc;

	ae_wr_init(&attrs, 1024);
	rc = ae_cms_signed_attrs(&attrs, type, s->hash, content, e);
	if (rc != AE_OK)
		goto out;
	ae_cms_open(w, &o, by_new ? 3 : 1, &s->hash, 1, type, content);
	if (s->old_cert != NULL)
		ae_cms_put_all(w, 0, &s->old_cert->der, 1);
	set = ae_der_open(w, AE_DER_SET);
	if (by_new)
		rc = sign(w, s->key, NULL, s->hash, &attrs, e);
	if (rc == AE_OK && s->old_key != NULL)
		rc = sign(w, s->old_key, s->old_cert, s->hash, &attrs, e);
	ae_der_close(w, set);
	ae_cms_close(w, &o);
	if (rc == AE_OK && !ae_wr_ok(w))
		rc = ae_fail_mem(e);
out:
	ae_wr_done(&attrs);
	return rc;
}

static int
check(const struct ae_request_spec *s, struct ae_err *e)
{
	if (s->pkcs10.p == NULL || s->hash == AE_HASH_NONE ||
	    (s->old_key == NULL) != (s->old_cert == NULL) ||
	    (s->old_cert != NULL && !ae_cert_has_key(s->old_cert, s->old_key)))
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "request: no PKCS#10, no hash, or a certificate that is "
		    "not the old key's");
	return AE_OK;
}

static int
undo(struct ae_wr *w, size_t len, int rc)
{
	if (rc != AE_OK && ae_wr_ok(w))
		w->len = len;
	return rc;
}

int
ae_request_build_cmc(
    struct ae_wr *w, const struct ae_request_spec *s, struct ae_err *e)
{
	size_t start = w->len;
	struct ae_der d;
	struct ae_wr body;
	int rc;

	rc = check(s, e);
	if (rc == AE_OK && s->key == NULL)
		rc = ae_fail(
		    e, AE_EINVAL, AE_DOM_NONE, 0, "request: no new key");
	if (rc != AE_OK)
		return rc;
	ae_wr_init(&body, AE_PKI_REQUEST_MAX);
	rc = put_pki_data(&body, s, e);
	d.p = body.p;
	d.len = body.len;
	if (rc == AE_OK)
		rc = put_message(w, s, true, AE_OID_CMC_PKI_DATA, d, e);
	ae_wr_done(&body);
	return undo(w, start, rc);
}

int
ae_request_build_cms(
    struct ae_wr *w, const struct ae_request_spec *s, struct ae_err *e)
{
	size_t start = w->len;
	int rc;

	rc = check(s, e);
	if (rc == AE_OK && s->old_key == NULL)
		rc = ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "request: a CMS is signed by the old key");
	if (rc == AE_OK)
		rc = put_message(w, s, false, AE_OID_CMS_DATA, s->pkcs10, e);
	return undo(w, start, rc);
}
