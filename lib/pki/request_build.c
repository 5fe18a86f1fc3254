/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Wrapping a PKCS#10 the way Windows clients do.
 */
#include "pki/request.h"

#include "pki/cms_int.h"

/* SEQUENCE { bodyPartID, type, SET OF value } is left open: one control. */
static size_t
control_open(struct ae_wr *w, size_t *set, unsigned id, const char *type)
{
	size_t one = ae_der_open(w, AE_DER_SEQUENCE);

	ae_der_uint(w, id);
	(void)ae_der_oid(w, type);
	*set = ae_der_open(w, AE_DER_SET);
	return one;
}

static int
put_reginfo(struct ae_wr *w, const struct ae_request_spec *s, struct ae_err *e)
{
	size_t one, set, text;
	int rc;

	if (s->nreginfo == 0)
		return AE_OK;
	one = control_open(w, &set, 2, AE_OID_CMC_REG_INFO);
	text = ae_der_open(w, AE_DER_OCTETS);
	rc = ae_pairs_put(w, s->reginfo, s->nreginfo, e);
	if (rc != AE_OK)
		return rc;
	ae_der_close(w, text);
	ae_der_close(w, set);
	ae_der_close(w, one);
	return AE_OK;
}

/*
 * The hash of the archived key in CMC_ADD_ATTRIBUTES, laid out like RFC 2797
 * 5.3's AddExtensions: no body part is referred to but the request, 1.
 */
static int
put_key_hash(struct ae_wr *w, const struct ae_request_spec *s, struct ae_err *e)
{
	size_t one, set, add, refs, attrs, attr, vals, n;
	uint8_t hash[AE_HASH_MAX];

	if (s->archived_key.p == NULL)
		return AE_OK;
	n = ae_hash_bytes(
	    hash, s->hash, s->archived_key.p, s->archived_key.len);
	if (n == 0)
		return ae_fail_ossl(e, AE_EINVAL, "hashing the archived key");
	one = control_open(w, &set, 3, AE_OID_CMC_ADD_ATTRIBUTES);
	add = ae_der_open(w, AE_DER_SEQUENCE);
	ae_der_uint(w, 0);
	refs = ae_der_open(w, AE_DER_SEQUENCE);
	ae_der_uint(w, 1);
	ae_der_close(w, refs);
	attrs = ae_der_open(w, AE_DER_SET);
	attr = ae_der_open(w, AE_DER_SEQUENCE);
	(void)ae_der_oid(w, AE_OID_MS_ENCRYPTED_KEY_HASH);
	vals = ae_der_open(w, AE_DER_SET);
	ae_der_put(w, AE_DER_OCTETS, hash, n);
	ae_der_close(w, vals);
	ae_der_close(w, attr);
	ae_der_close(w, attrs);
	ae_der_close(w, add);
	ae_der_close(w, set);
	ae_der_close(w, one);
	return AE_OK;
}

/* RFC 2797 3.1 PKIData: the request has body part 1. */
static int
put_pki_data(struct ae_wr *w, const struct ae_request_spec *s, struct ae_err *e)
{
	size_t all, seq, one;
	int rc;

	all = ae_der_open(w, AE_DER_SEQUENCE);
	seq = ae_der_open(w, AE_DER_SEQUENCE);
	rc = put_reginfo(w, s, e);
	if (rc == AE_OK)
		rc = put_key_hash(w, s, e);
	if (rc != AE_OK)
		return rc;
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

/* SET OF Attribute with the one attribute, tagged [1]: unsignedAttrs. */
static void
put_archived_key(struct ae_wr *w, struct ae_der key)
{
	size_t set, attr, vals;

	set = ae_der_open(w, AE_DER_CTX_CONS(1));
	attr = ae_der_open(w, AE_DER_SEQUENCE);
	(void)ae_der_oid(w, AE_OID_MS_ARCHIVED_KEY);
	vals = ae_der_open(w, AE_DER_SET);
	ae_der_raw(w, key);
	ae_der_close(w, vals);
	ae_der_close(w, attr);
	ae_der_close(w, set);
}

/* A SignerInfo over attrs: by cert's issuer and serial, or by key id. */
static int
sign(struct ae_wr *w, const struct ae_request_spec *s, const struct ae_key *k,
    const struct ae_cert *cert, const struct ae_wr *attrs, struct ae_err *e)
{
	struct ae_der over = { attrs->p, attrs->len }, ski, made, no = { 0 };
	struct ae_sigalg alg = ae_key_sigalg(k, s->hash);
	uint8_t id[AE_KEY_ID_LEN];
	struct ae_wr sig, extra;
	int rc;

	alg.pss = s->pss && alg.key == AE_KEY_RSA;
	ae_wr_init(&sig, AE_SIG_MAX);
	ae_wr_init(&extra, AE_PKI_REQUEST_MAX);
	if (cert == NULL && s->archived_key.p != NULL)
		put_archived_key(&extra, s->archived_key);
	rc = ae_key_id(id, k, e);
	if (rc == AE_OK)
		rc = ae_key_sign(&sig, k, &alg, over.p, over.len, e);
	/* A fault in the signer must not leave it. */
	if (rc == AE_OK)
		rc =
		    ae_key_verify(k, &alg, over.p, over.len, sig.p, sig.len, e);
	if (rc == AE_OK && !ae_wr_ok(&extra))
		rc = ae_fail_mem(e);
	if (rc == AE_OK) {
		ski.p = id;
		ski.len = sizeof(id);
		made.p = sig.p;
		made.len = sig.len;
		if (extra.len > 0)
			no = (struct ae_der){ extra.p, extra.len };
		ae_cms_put_signer(w, cert, ski, &alg, over, made, no);
	}
	ae_wr_done(&extra);
	ae_wr_done(&sig);
	return rc;
}

static void
put_certs(struct ae_wr *w, const struct ae_request_spec *s)
{
	const struct ae_cert *v[] = { s->old_cert, s->agent_cert };
	size_t mark, i;

	if (v[0] == NULL && v[1] == NULL)
		return;
	mark = ae_der_open(w, AE_DER_CTX_CONS(0));
	for (i = 0; i < 2; i++)
		if (v[i] != NULL)
			ae_der_raw(w, v[i]->der);
	ae_der_close(w, mark);
}

/* The signers: the new key when by_new, the old one, the agent's. */
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
	put_certs(w, s);
	set = ae_der_open(w, AE_DER_SET);
	if (by_new)
		rc = sign(w, s, s->key, NULL, &attrs, e);
	if (rc == AE_OK && s->old_key != NULL)
		rc = sign(w, s, s->old_key, s->old_cert, &attrs, e);
	if (rc == AE_OK && s->agent_key != NULL)
		rc = sign(w, s, s->agent_key, s->agent_cert, &attrs, e);
	ae_der_close(w, set);
	ae_cms_close(w, &o);
	if (rc == AE_OK && !ae_wr_ok(w))
		rc = ae_fail_mem(e);
out:
	ae_wr_done(&attrs);
	return rc;
}

/* Both or neither, and of the same pair. */
static bool
is_pair(const struct ae_key *k, const struct ae_cert *c)
{
	return (k == NULL) == (c == NULL) &&
	    (c == NULL || ae_cert_has_key(c, k));
}

static int
check(const struct ae_request_spec *s, struct ae_err *e)
{
	if (s->pkcs10.p == NULL || s->hash == AE_HASH_NONE ||
	    !is_pair(s->old_key, s->old_cert) ||
	    !is_pair(s->agent_key, s->agent_cert))
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "request: no PKCS#10, no hash, or a certificate that is "
		    "not the key's");
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
