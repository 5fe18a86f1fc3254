/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Reading OCSP requests, and response data before it is signed.
 */
#include <openssl/ocsp.h>
#include <stdlib.h>
#include <string.h>

#include "pki/ocsp.h"
#include "pki/oid.h"
#include "pki/ossl.h"

#define ARENA_MAX (32u * 1024u)

static int
bad(struct ae_err *e, const char *what)
{
	return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0, "OCSP: %s", what);
}

/* ---- requests ---- */

static enum ae_hash
hash_of(const ASN1_OBJECT *o)
{
	switch (OBJ_obj2nid(o)) {
	case NID_sha1:
		return AE_HASH_SHA1;
	case NID_sha256:
		return AE_HASH_SHA256;
	default:
		return AE_HASH_NONE;
	}
}

/* The CertID as it is encoded, into the arena. */
static int
whole_id(
    struct ae_der *out, struct ae_arena *a, OCSP_CERTID *id, struct ae_err *e)
{
	struct ae_wr w;
	int rc;

	ae_wr_init(&w, AE_OCSP_ID_MAX);
	rc = ae_item_encode(&w, ASN1_ITEM_rptr(OCSP_CERTID), id, e);
	if (rc == AE_OK && !ae_wr_ok(&w))
		rc = ae_wr_full(&w) ? bad(e, "a CertID too long")
				    : ae_fail_mem(e);
	if (rc == AE_OK) {
		*out = ae_arena_der(a, w.p, w.len);
		if (out->p == NULL)
			rc = ae_fail_arena(a, e);
	}
	ae_wr_done(&w);
	return rc;
}

static int
take_id(struct ae_ocsp_request *q, OCSP_CERTID *id, struct ae_err *e)
{
	struct ae_ocsp_id *out = &q->id[q->n];
	struct ae_arena *a = q->arena;
	ASN1_OCTET_STRING *name = NULL, *key = NULL;
	ASN1_INTEGER *serial = NULL;
	ASN1_OBJECT *md = NULL;
	int rc;

	if (q->n == AE_OCSP_IDS_MAX)
		return ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
		    "OCSP: more than %u certificates at once", AE_OCSP_IDS_MAX);
	rc = whole_id(&out->der, a, id, e);
	if (rc != AE_OK)
		return rc;
	if (OCSP_id_get0_info(&name, &md, &key, &serial, id) != 1)
		return bad(e, "a CertID");
	out->hash = hash_of(md);
	out->name_hash = ae_arena_asn1(a, name);
	out->key_hash = ae_arena_asn1(a, key);
	out->serial = ae_arena_asn1(a, serial);
	if (out->name_hash.p == NULL || out->key_hash.p == NULL ||
	    out->serial.p == NULL)
		return ae_fail_arena(a, e);
	/* A negative one is nobody's: it is not looked for. */
	if (ASN1_STRING_type(serial) == V_ASN1_NEG_INTEGER)
		out->hash = AE_HASH_NONE;
	q->n++;
	return AE_OK;
}

/* Of the request, or of one entry of it: only a nonce is known. */
static int
take_extension(
    struct ae_ocsp_request *q, X509_EXTENSION *x, bool whole, struct ae_err *e)
{
	const ASN1_OCTET_STRING *v = X509_EXTENSION_get_data(x);
	const int nid = OBJ_obj2nid(X509_EXTENSION_get_object(x));

	if (!whole || nid != NID_id_pkix_OCSP_Nonce)
		return X509_EXTENSION_get_critical(x)
		    ? bad(e, "a critical extension that is not known")
		    : AE_OK;
	if (q->nonce.p != NULL)
		return bad(e, "two nonces");
	if (ASN1_STRING_length(v) < 1 ||
	    ASN1_STRING_length(v) > (int)AE_OCSP_NONCE_MAX)
		return bad(e, "a nonce too long, or empty");
	q->nonce = ae_arena_asn1(q->arena, v);
	return q->nonce.p != NULL ? AE_OK : ae_fail_arena(q->arena, e);
}

static int
take_request(struct ae_ocsp_request *q, OCSP_REQUEST *r, struct ae_err *e)
{
	const int n = OCSP_request_onereq_count(r);
	int i, k, rc = AE_OK;

	if (n < 1)
		return bad(e, "a request for nothing");
	for (i = 0; i < n && rc == AE_OK; i++) {
		OCSP_ONEREQ *one = OCSP_request_onereq_get0(r, i);

		rc = take_id(q, OCSP_onereq_get0_id(one), e);
		for (k = 0; k < OCSP_ONEREQ_get_ext_count(one) && rc == AE_OK;
		     k++)
			rc = take_extension(
			    q, OCSP_ONEREQ_get_ext(one, k), false, e);
	}
	for (k = 0; k < OCSP_REQUEST_get_ext_count(r) && rc == AE_OK; k++)
		rc = take_extension(q, OCSP_REQUEST_get_ext(r, k), true, e);
	return rc;
}

static struct ae_ocsp_request *
request_new(void)
{
	struct ae_ocsp_request *q = calloc(1, sizeof(*q));

	if (q != NULL && (q->arena = ae_arena_new(ARENA_MAX)) == NULL) {
		free(q);
		q = NULL;
	}
	return q;
}

int
ae_ocsp_request_parse(
    struct ae_ocsp_request **out, const void *der, size_t len, struct ae_err *e)
{
	struct ae_ocsp_request *q;
	OCSP_REQUEST *r = NULL;
	int rc;

	if (len > AE_OCSP_REQUEST_MAX)
		return ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
		    "an OCSP request of %zu bytes", len);
	q = request_new();
	if (q == NULL)
		return ae_fail_mem(e);
	rc = ae_item_decode(&r, ASN1_ITEM_rptr(OCSP_REQUEST),
	    (struct ae_der){ der, len }, "OCSP request", e);
	if (rc == AE_OK)
		rc = take_request(q, r, e);
	OCSP_REQUEST_free(r);
	if (rc == AE_OK)
		*out = q;
	else
		ae_ocsp_request_free(q);
	return rc;
}

int
ae_ocsp_id_parse(
    struct ae_ocsp_request **out, const void *der, size_t len, struct ae_err *e)
{
	struct ae_ocsp_request *q;
	OCSP_CERTID *id = NULL;
	int rc;

	if (len > AE_OCSP_ID_MAX)
		return bad(e, "a CertID too long");
	q = request_new();
	if (q == NULL)
		return ae_fail_mem(e);
	rc = ae_item_decode(&id, ASN1_ITEM_rptr(OCSP_CERTID),
	    (struct ae_der){ der, len }, "CertID", e);
	if (rc == AE_OK)
		rc = take_id(q, id, e);
	OCSP_CERTID_free(id);
	if (rc == AE_OK)
		*out = q;
	else
		ae_ocsp_request_free(q);
	return rc;
}

void
ae_ocsp_request_free(struct ae_ocsp_request *q)
{
	if (q == NULL)
		return;
	ae_arena_free(q->arena);
	free(q);
}

int
ae_ocsp_issuer(struct ae_ocsp_issuer *out, enum ae_hash h, struct ae_der name,
    struct ae_der spki, struct ae_err *e)
{
	AE_SPKI *k = NULL;
	int rc;

	rc = ae_item_decode(&k, ASN1_ITEM_rptr(AE_SPKI), spki, "key", e);
	if (rc != AE_OK)
		return rc;
	out->len = ae_hash_bytes(out->name, h, name.p, name.len);
	if (out->len == 0 ||
	    ae_hash_bytes(out->key, h, ASN1_STRING_get0_data(k->key),
		(size_t)ASN1_STRING_length(k->key)) != out->len)
		rc = ae_fail_ossl(e, AE_EINTERNAL, "hashing");
	ASN1_item_free((ASN1_VALUE *)k, ASN1_ITEM_rptr(AE_SPKI));
	return rc;
}

/* ---- response data ---- */

static bool
gentime(int64_t *out, const ASN1_GENERALIZEDTIME *t)
{
	struct tm tm;

	if (t == NULL || ASN1_STRING_length(t) != 15 ||
	    ASN1_TIME_to_tm(t, &tm) != 1)
		return false;
	*out = (int64_t)timegm(&tm);
	return true;
}

static int
take_single(struct ae_ocsp_data *d, OCSP_SINGLERESP *s, struct ae_err *e)
{
	ASN1_GENERALIZEDTIME *revoked, *from = NULL, *until = NULL;
	int64_t a, b;
	int reason;

	if (OCSP_single_get0_status(s, &reason, &revoked, &from, &until) < 0 ||
	    !gentime(&a, from) || !gentime(&b, until))
		return bad(e, "a response without its times");
	if (OCSP_SINGLERESP_get_ext_count(s) > 0)
		return bad(e, "a response with extensions");
	if (d->n == 0) {
		d->this_first = d->this_last = a;
		d->next_first = d->next_last = b;
	}
	d->this_first = a < d->this_first ? a : d->this_first;
	d->this_last = a > d->this_last ? a : d->this_last;
	d->next_first = b < d->next_first ? b : d->next_first;
	d->next_last = b > d->next_last ? b : d->next_last;
	d->n++;
	return AE_OK;
}

static int
take_data(struct ae_ocsp_data *d, OCSP_BASICRESP *r, struct ae_err *e)
{
	const ASN1_OCTET_STRING *key = NULL;
	const X509_NAME *name = NULL;
	int i, rc = AE_OK;

	if (OCSP_resp_get0_id(r, &key, &name) != 1 || key == NULL ||
	    ASN1_STRING_length(key) != AE_KEY_ID_LEN)
		return bad(e, "a responder that is no key");
	memcpy(d->responder, ASN1_STRING_get0_data(key), AE_KEY_ID_LEN);
	if (!gentime(&d->produced, OCSP_resp_get0_produced_at(r)))
		return bad(e, "no time of production");
	for (i = 0; i < OCSP_resp_count(r) && rc == AE_OK; i++)
		rc = take_single(d, OCSP_resp_get0(r, i), e);
	for (i = 0; i < OCSP_BASICRESP_get_ext_count(r) && rc == AE_OK; i++)
		if (OBJ_obj2nid(X509_EXTENSION_get_object(
			OCSP_BASICRESP_get_ext(r, i))) !=
		    NID_id_pkix_OCSP_Nonce)
			rc = bad(e, "an extension that is no nonce");
	if (rc == AE_OK && d->n == 0)
		rc = bad(e, "data about nothing");
	return rc;
}

int
ae_ocsp_data_parse(
    struct ae_ocsp_data *out, const void *der, size_t len, struct ae_err *e)
{
	/* OpenSSL reads the signed whole: a signature of no bytes beside it */
	const struct ae_sigalg any = { .key = AE_KEY_EC,
		.hash = AE_HASH_SHA256 };
	struct ae_ocsp_data d = { .n = 0 };
	OCSP_BASICRESP *r = NULL;
	struct ae_wr w;
	size_t seq;
	int rc;

	if (len > AE_OCSP_DATA_MAX)
		return ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
		    "OCSP response data of %zu bytes", len);
	/* one element and no more, or it would reach into what is behind */
	rc = ae_der_check(der, len, e);
	if (rc != AE_OK)
		return ae_note(e, rc, "OCSP response data");
	ae_wr_init(&w, AE_OCSP_DATA_MAX + 256);
	seq = ae_der_open(&w, AE_DER_SEQUENCE);
	ae_wr_bytes(&w, der, len);
	ae_sigalg_put(&w, &any);
	ae_der_put(&w, AE_DER_BITSTRING, "", 1);
	ae_der_close(&w, seq);
	rc = ae_wr_ok(&w)
	    ? ae_item_decode(&r, ASN1_ITEM_rptr(OCSP_BASICRESP),
		  (struct ae_der){ w.p, w.len }, "OCSP response data", e)
	    : ae_fail_mem(e);
	if (rc == AE_OK)
		rc = take_data(&d, r, e);
	OCSP_BASICRESP_free(r);
	ae_wr_done(&w);
	if (rc == AE_OK)
		*out = d;
	return rc;
}
