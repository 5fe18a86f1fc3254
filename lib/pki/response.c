/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Writing what a CA answers with.
 */
#include "pki/response.h"

#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "base/utf16.h"
#include "pki/cms_int.h"

static int
build_chain(struct ae_wr *w, struct ae_der content, const struct ae_der *certs,
    size_t n, const struct ae_der *crls, size_t m, struct ae_err *e)
{
	struct ae_cms_out o;

	if (n == 0 || n > AE_CHAIN_MAX || m > AE_CHAIN_MAX)
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "a chain of %zu certificates and %zu CRLs", n, m);
	ae_cms_open(w, &o, 1, NULL, 0, AE_OID_CMS_DATA, content);
	ae_cms_put_all(w, 0, certs, n);
	ae_cms_put_all(w, 1, crls, m);
	ae_der_put(w, AE_DER_SET, NULL, 0);
	ae_cms_close(w, &o);
	return ae_wr_ok(w) ? AE_OK : ae_fail_mem(e);
}

int
ae_chain_build(struct ae_wr *w, const struct ae_der *certs, size_t n,
    const struct ae_der *crls, size_t m, struct ae_err *e)
{
	const struct ae_der none = { NULL, 0 };

	return build_chain(w, none, certs, n, crls, m, e);
}

int
ae_chain_build_around(struct ae_wr *w, struct ae_der content,
    const struct ae_der *certs, size_t n, const struct ae_der *crls, size_t m,
    struct ae_err *e)
{
	return build_chain(w, content, certs, n, crls, m, e);
}

/* What finish needs of begin. */
struct ae_response {
	struct ae_wr body; /* ResponseBody */
	struct ae_wr attrs;
	struct ae_cert *ca;
	struct ae_sigalg alg;
	struct ae_wr certs, crls; /* their DER, one after the other */
};

static size_t
open_control(struct ae_wr *w, unsigned id, const char *oid, size_t *set)
{
	size_t mark = ae_der_open(w, AE_DER_SEQUENCE);

	ae_der_uint(w, id);
	(void)ae_der_oid(w, oid);
	*set = ae_der_open(w, AE_DER_SET);
	return mark;
}

/* RFC 2797 5.1 GeneralizedTime of pendTime */
static void
put_gentime(struct ae_wr *w, int64_t t)
{
	char text[AE_TIME_STR_MAX], *o = text;

	(void)ae_time_print(text, t);
	for (const char *p = text; *p != '\0'; p++)
		if ((*p >= '0' && *p <= '9') || *p == 'Z')
			*o++ = *p;
	ae_der_put(w, AE_DER_GENTIME, text, (size_t)(o - text));
}

/* The request id as the pendToken: four bytes, as Windows has it, LE. */
static void
put_pend_info(struct ae_wr *w, const struct ae_response_spec *s)
{
	size_t mark = ae_der_open(w, AE_DER_SEQUENCE);
	uint8_t id[4];

	for (size_t i = 0; i < sizeof(id); i++)
		id[i] = (uint8_t)(s->request_id >> (8 * i));
	ae_der_put(w, AE_DER_OCTETS, id, sizeof(id));
	put_gentime(w, s->pend_time);
	ae_der_close(w, mark);
}

static void
put_status(struct ae_wr *w, const struct ae_response_spec *s)
{
	size_t control, set, info, list;

	control = open_control(w, 1, AE_OID_CMC_STATUS_INFO, &set);
	info = ae_der_open(w, AE_DER_SEQUENCE);
	ae_der_uint(w, s->status);
	list = ae_der_open(w, AE_DER_SEQUENCE);
	ae_der_uint(w, 1);
	ae_der_close(w, list);
	if (s->status_text != NULL)
		ae_der_put(
		    w, AE_DER_UTF8, s->status_text, strlen(s->status_text));
	if (s->status == AE_CMC_PENDING)
		put_pend_info(w, s);
	ae_der_close(w, info);
	ae_der_close(w, set);
	ae_der_close(w, control);
}

static void
put_octets_attr(struct ae_wr *w, const char *oid, const void *p, size_t len)
{
	size_t attr, vals;

	attr = ae_der_open(w, AE_DER_SEQUENCE);
	(void)ae_der_oid(w, oid);
	vals = ae_der_open(w, AE_DER_SET);
	ae_der_put(w, AE_DER_OCTETS, p, len);
	ae_der_close(w, vals);
	ae_der_close(w, attr);
}

static int
put_cert_hash(
    struct ae_wr *w, const char *oid, struct ae_der cert, struct ae_err *e)
{
	uint8_t hash[AE_HASH_MAX];

	if (ae_hash_bytes(hash, AE_HASH_SHA1, cert.p, cert.len) != 20)
		return ae_fail_ossl(e, AE_ENOMEM, "hashing a certificate");
	put_octets_attr(w, oid, hash, 20);
	return AE_OK;
}

/* The certificate's hash, the archived key's. */
static int
put_issued_hash(
    struct ae_wr *w, const struct ae_response_spec *s, struct ae_err *e)
{
	int rc = put_cert_hash(w, AE_OID_MS_ISSUED_CERT_HASH, s->issued, e);

	if (rc == AE_OK && s->encrypted_key_hash.p != NULL)
		put_octets_attr(w, AE_OID_MS_ENCRYPTED_KEY_HASH,
		    s->encrypted_key_hash.p, s->encrypted_key_hash.len);
	return rc;
}

/* MS-WCCE 2.2.2.8.1 */
static int
put_challenge(
    struct ae_wr *w, const struct ae_response_challenge *c, struct ae_err *e)
{
	size_t attr, vals;
	int rc;

	put_octets_attr(w, AE_OID_MS_ATTESTATION_CHALLENGE, c->challenge.p,
	    c->challenge.len);
	rc = put_cert_hash(w, AE_OID_MS_CAXCHGCERT_HASH, c->exchange_cert, e);
	if (rc != AE_OK)
		return rc;
	attr = ae_der_open(w, AE_DER_SEQUENCE);
	(void)ae_der_oid(w, AE_OID_MS_KSP_NAME);
	vals = ae_der_open(w, AE_DER_SET);
	(void)ae_der_bmp_nul(w, c->ksp_name);
	ae_der_close(w, vals);
	ae_der_close(w, attr);
	attr = ae_der_open(w, AE_DER_SEQUENCE);
	(void)ae_der_oid(w, AE_OID_MS_ENCRYPTION_ALGORITHM);
	vals = ae_der_open(w, AE_DER_SET);
	ae_der_raw(w, c->algorithm);
	ae_der_close(w, vals);
	ae_der_close(w, attr);
	return AE_OK;
}

/* ADD_ATTRIBUTES of body part 1 */
static int
put_added(struct ae_wr *w, const struct ae_response_spec *s, struct ae_err *e)
{
	size_t control, set, add, refs, attrs;
	int rc = AE_OK;

	control = open_control(w, 2, AE_OID_CMC_ADD_ATTRIBUTES, &set);
	add = ae_der_open(w, AE_DER_SEQUENCE);
	ae_der_uint(w, 0);
	refs = ae_der_open(w, AE_DER_SEQUENCE);
	ae_der_uint(w, 1);
	ae_der_close(w, refs);
	attrs = ae_der_open(w, AE_DER_SET);
	if (s->issued.p != NULL)
		rc = put_issued_hash(w, s, e);
	else
		rc = put_challenge(w, s->challenge, e);
	ae_der_close(w, attrs);
	ae_der_close(w, add);
	ae_der_close(w, set);
	ae_der_close(w, control);
	return rc;
}

/* RFC 2797 3.2 ResponseBody */
static int
put_body(struct ae_wr *w, const struct ae_response_spec *s, struct ae_err *e)
{
	size_t all, seq;
	int rc = AE_OK;

	all = ae_der_open(w, AE_DER_SEQUENCE);
	seq = ae_der_open(w, AE_DER_SEQUENCE);
	put_status(w, s);
	if (s->issued.p != NULL || s->challenge != NULL)
		rc = put_added(w, s, e);
	ae_der_close(w, seq);
	ae_der_put(w, AE_DER_SEQUENCE, NULL, 0);
	ae_der_put(w, AE_DER_SEQUENCE, NULL, 0);
	ae_der_close(w, all);
	if (rc == AE_OK && !ae_wr_ok(w))
		rc = ae_fail_mem(e);
	return rc;
}

static int
check(const struct ae_response_spec *s, struct ae_err *e)
{
	const char *why = NULL;

	if (s->ca == NULL || s->ca->der.p == NULL)
		why = "no CA certificate to sign with";
	else if ((s->status == AE_CMC_SUCCESS) != (s->issued.p != NULL))
		why = "a certificate goes with success, and only with it";
	else if (s->challenge != NULL && s->status != AE_CMC_PENDING)
		why = "a challenge goes with pending alone";
	else if (s->status_text != NULL && !ae_utf8_valid(s->status_text))
		why = "the status is not UTF-8";
	else if (s->nchain > AE_CHAIN_MAX || s->ncrls > AE_CHAIN_MAX)
		why = "the chain is too long";
	if (why == NULL)
		return AE_OK;
	return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0, "response: %s", why);
}

/* The new certificate, the chain, and the signer's unless it is in there. */
static void
collect(struct ae_response *r, const struct ae_response_spec *s)
{
	bool there = false;

	ae_der_raw(&r->certs, s->issued);
	for (size_t i = 0; i < s->nchain; i++) {
		ae_der_raw(&r->certs, s->chain[i]);
		there = there || ae_der_equal(s->chain[i], s->ca->der);
	}
	if (!there)
		ae_der_raw(&r->certs, s->ca->der);
	for (size_t i = 0; i < s->ncrls; i++)
		ae_der_raw(&r->crls, s->crls[i]);
}

int
ae_response_begin(struct ae_response **out, struct ae_der *to_sign,
    const struct ae_response_spec *s, struct ae_err *e)
{
	struct ae_response *r;
	struct ae_key *k = NULL;
	struct ae_der body;
	int rc;

	rc = check(s, e);
	if (rc == AE_OK)
		rc = ae_key_from_spki(&k, s->ca->spki.p, s->ca->spki.len, e);
	if (rc != AE_OK)
		return rc;
	r = calloc(1, sizeof(*r));
	if (r == NULL) {
		ae_key_free(k);
		return ae_fail_mem(e);
	}
	r->alg = ae_key_sigalg(k, s->hash);
	ae_key_free(k);
	ae_wr_init(&r->body, AE_PKI_REQUEST_MAX);
	ae_wr_init(&r->attrs, 1024);
	ae_wr_init(&r->certs, AE_PKI_RESPONSE_MAX);
	ae_wr_init(&r->crls, AE_PKI_RESPONSE_MAX);
	collect(r, s);
	r->ca = ae_cert_dup(s->ca);
	if (r->ca == NULL || !ae_wr_ok(&r->certs) || !ae_wr_ok(&r->crls))
		rc = ae_fail_mem(e);
	if (rc == AE_OK)
		rc = put_body(&r->body, s, e);
	body.p = r->body.p;
	body.len = r->body.len;
	if (rc == AE_OK)
		rc = ae_cms_signed_attrs(
		    &r->attrs, AE_OID_CMC_PKI_RESPONSE, s->hash, body, e);
	if (rc != AE_OK) {
		ae_response_free(r);
		return rc;
	}
	to_sign->p = r->attrs.p;
	to_sign->len = r->attrs.len;
	*out = r;
	return AE_OK;
}

int
ae_response_finish(struct ae_wr *w, const struct ae_response *r,
    const void *sig, size_t len, struct ae_err *e)
{
	struct ae_der body = { r->body.p, r->body.len },
		      certs = { r->certs.p, r->certs.len },
		      crls = { r->crls.p, r->crls.len },
		      attrs = { r->attrs.p, r->attrs.len }, none = { NULL, 0 },
		      made = { sig, len };
	struct ae_cms_out o;
	size_t set;

	ae_cms_open(w, &o, 3, &r->alg.hash, 1, AE_OID_CMC_PKI_RESPONSE, body);
	ae_cms_put_all(w, 0, &certs, 1);
	ae_cms_put_all(w, 1, &crls, crls.len > 0 ? 1 : 0);
	set = ae_der_open(w, AE_DER_SET);
	ae_cms_put_signer(w, r->ca, none, &r->alg, attrs, made, none);
	ae_der_close(w, set);
	ae_cms_close(w, &o);
	return ae_wr_ok(w) ? AE_OK : ae_fail_mem(e);
}

void
ae_response_free(struct ae_response *r)
{
	if (r == NULL)
		return;
	ae_wr_done(&r->body);
	ae_wr_done(&r->attrs);
	ae_wr_done(&r->certs);
	ae_wr_done(&r->crls);
	ae_cert_free(r->ca);
	free(r);
}
