/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Taking enrollment requests apart: form, PKCS#10, signers.  MS-WCCE
 * 3.2.1.4.2.1.4.1 and .2 say what to refuse and with which number.
 */
#include "pki/request.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/utf16.h"
#include "pki/cmc_int.h"

/* RFC 2797 3.1 */
typedef struct {
	ASN1_INTEGER *id;
	ASN1_TYPE *pkcs10;
} AE_TCR;

typedef struct {
	int type; /* 0: PKCS#10, 1: CRMF */
	union {
		AE_TCR *tcr;
		ASN1_TYPE *crm;
	} d;
} AE_TAGGED_REQUEST;
DEFINE_STACK_OF(AE_TAGGED_REQUEST)

typedef struct {
	STACK_OF(AE_CONTROL) * controls;
	STACK_OF(AE_TAGGED_REQUEST) * requests;
	STACK_OF(ASN1_TYPE) * cms;
	STACK_OF(ASN1_TYPE) * other;
} AE_PKI_DATA;

/* clang-format off */
ASN1_SEQUENCE(AE_TCR) = {
	ASN1_SIMPLE(AE_TCR, id, ASN1_INTEGER),
	ASN1_SIMPLE(AE_TCR, pkcs10, ASN1_ANY),
} static_ASN1_SEQUENCE_END(AE_TCR)

ASN1_CHOICE(AE_TAGGED_REQUEST) = {
	ASN1_IMP(AE_TAGGED_REQUEST, d.tcr, AE_TCR, 0),
	ASN1_EXP(AE_TAGGED_REQUEST, d.crm, ASN1_ANY, 1),
} static_ASN1_CHOICE_END(AE_TAGGED_REQUEST)

ASN1_SEQUENCE(AE_PKI_DATA) = {
	ASN1_SEQUENCE_OF(AE_PKI_DATA, controls, AE_CONTROL),
	ASN1_SEQUENCE_OF(AE_PKI_DATA, requests, AE_TAGGED_REQUEST),
	ASN1_SEQUENCE_OF(AE_PKI_DATA, cms, ASN1_ANY),
	ASN1_SEQUENCE_OF(AE_PKI_DATA, other, ASN1_ANY),
} static_ASN1_SEQUENCE_END(AE_PKI_DATA)
/* clang-format on */

#define REQUEST_ARENA_MAX (512u * 1024u)

static int
bad(struct ae_err *e, int64_t hr, const char *what)
{
	return ae_fail(e, AE_EPROTO, AE_DOM_HRESULT, hr, "request: %s", what);
}

static int
not_the_form(struct ae_err *e)
{
	return bad(e, AE_HR_INVALID_MSG_TYPE, "of another form than declared");
}

/*
 * The PKCS#10's own proof.  Inside CMS and CMC a null signature will do for
 * now, MS-WCCE 2.2.2.6.5: another one must then be by the new key.
 */
static int
prove(struct ae_request *r, bool inside, struct ae_err *e)
{
	int rc;

	rc = ae_csr_verify(r->csr, e);
	if (rc == AE_OK) {
		r->pop = AE_POP_SIGNATURE;
		r->possession = true;
	} else if (rc == AE_ETRUST && inside &&
	    ae_csr_verify_null(r->csr, NULL) == AE_OK) {
		r->pop = AE_POP_NULL;
		rc = AE_OK;
	}
	return rc;
}

static int
take_pkcs10(
    struct ae_request *r, struct ae_der d, bool inside, struct ae_err *e)
{
	int rc;

	rc = ae_csr_parse(&r->csr, d.p, d.len, e);
	return rc == AE_OK ? prove(r, inside, e) : rc;
}

/*
 * "Name=Value&Name=Value", MS-WCCE 2.2.2.6.3.  What has no '=' is ignored,
 * as it is in pwszAttributes (3.2.1.4.2.1.2).
 */
static int
take_reginfo(struct ae_request *r, const ASN1_TYPE *v, struct ae_err *e)
{
	struct ae_pair *pairs;
	char *text, *next, *eq;
	size_t len, n = 0;

	if (v->type != V_ASN1_OCTET_STRING)
		return bad(e, AE_HR_INVALID_DATA, "RegInfo is no octet string");
	len = (size_t)ASN1_STRING_length(v->value.octet_string);
	text = ae_arena_strndup(r->arena,
	    len > 0 ? (const char *)ASN1_STRING_get0_data(v->value.octet_string)
		    : "",
	    len);
	pairs = ae_arena_array(r->arena, AE_PAIRS_MAX, sizeof(*pairs));
	if (text == NULL || pairs == NULL)
		return ae_fail_arena(r->arena, e);
	if (strlen(text) != len || !ae_utf8_valid(text))
		return bad(e, AE_HR_INVALID_DATA, "RegInfo is not UTF-8");
	for (; text != NULL && *text != '\0'; text = next) {
		next = strchr(text, '&');
		if (next != NULL)
			*next++ = '\0';
		eq = strchr(text, '=');
		if (eq == NULL || eq == text)
			continue;
		if (n == AE_PAIRS_MAX)
			return ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
			    "RegInfo of more than %d pairs", AE_PAIRS_MAX);
		*eq = '\0';
		pairs[n].name = text;
		pairs[n++].value = eq + 1;
	}
	r->reginfo = pairs;
	r->nreginfo = n;
	return AE_OK;
}

/*
 * The hash as a control of its own, as MS-WCCE 3.1.1.4.3.6.1 can be read;
 * Windows puts it among the added attributes.
 */
static int
take_hash_control(struct ae_request *r, const AE_PKI_DATA *pd, struct ae_err *e)
{
	const ASN1_TYPE *v;
	int rc;

	rc = ae_control_one(&v, pd->controls, AE_OID_MS_ENCRYPTED_KEY_HASH, e);
	if (rc != AE_OK || v == NULL)
		return rc;
	if (v->type != V_ASN1_OCTET_STRING)
		return bad(
		    e, AE_HR_INVALID_DATA, "a key hash that is no octets");
	r->encrypted_key_hash = ae_arena_asn1(r->arena, v->value.octet_string);
	return r->encrypted_key_hash.p != NULL ? AE_OK
					       : ae_fail_arena(r->arena, e);
}

static int
take_pki_data(struct ae_request *r, const AE_PKI_DATA *pd, struct ae_err *e)
{
	const AE_TAGGED_REQUEST *tr;
	const ASN1_TYPE *v;
	struct ae_der d;
	int rc;

	if (sk_AE_TAGGED_REQUEST_num(pd->requests) != 1)
		return bad(e, AE_HR_INVALID_DATA, "not exactly one request");
	tr = sk_AE_TAGGED_REQUEST_value(pd->requests, 0);
	if (tr->type != 0)
		return bad(e, AE_HR_INVALID_DATA, "CRMF is not supported");
	d = ae_any_sequence(tr->d.tcr->pkcs10);
	if (d.p == NULL)
		return bad(e, AE_HR_INVALID_DATA, "not a PKCS#10");
	rc = take_pkcs10(r, d, true, e);
	if (rc == AE_OK)
		rc = ae_control_one(&v, pd->controls, AE_OID_CMC_REG_INFO, e);
	if (rc == AE_OK && v != NULL)
		rc = take_reginfo(r, v, e);
	if (rc == AE_OK)
		rc = ae_added_octets(&r->encrypted_key_hash, r->arena,
		    pd->controls, AE_OID_MS_ENCRYPTED_KEY_HASH, e);
	if (rc == AE_OK && r->encrypted_key_hash.p == NULL)
		rc = take_hash_control(r, pd, e);
	return rc;
}

/* Signed by the new key: no certificate has this key identifier yet. */
static bool
names_new_key(const struct ae_request *r, const AE_SIGNER_INFO *si)
{
	uint8_t id[AE_KEY_ID_LEN];
	struct ae_der d, own = { id, sizeof(id) };

	if (si->sid->type != 1)
		return false;
	d.p = ASN1_STRING_get0_data(si->sid->d.ski);
	d.len = (size_t)ASN1_STRING_length(si->sid->d.ski);
	if (r->csr->x.ski.p != NULL && ae_der_equal(r->csr->x.ski, d))
		return true;
	return ae_key_id(id, r->csr->key, NULL) == AE_OK &&
	    ae_der_equal(own, d);
}

static int
verify_by_cert(const AE_SIGNED_DATA *sd, const AE_SIGNER_INFO *si,
    const struct ae_cert *cert, struct ae_err *e)
{
	struct ae_key *k = NULL;
	int rc;

	rc = ae_key_from_spki(&k, cert->spki.p, cert->spki.len, e);
	if (rc == AE_OK)
		rc = ae_cms_verify(sd, si, k, e);
	ae_key_free(k);
	return rc;
}

static int
take_signer_pairs(struct ae_signer *s, struct ae_request *r,
    const AE_SIGNER_INFO *si, struct ae_err *e)
{
	const AE_ATTR *a;

	for (int i = 0;
	     si->signed_attrs != NULL && i < sk_AE_ATTR_num(si->signed_attrs);
	     i++) {
		a = sk_AE_ATTR_value(si->signed_attrs, i);
		if (!ae_oid_is(a->type, AE_OID_MS_NAME_VALUE_PAIR))
			continue;
		if (s->pairs != NULL)
			return bad(
			    e, AE_HR_INVALID_DATA, "two attributes of pairs");
		return ae_pairs_decode(&s->pairs, &s->npairs, r->arena, a, e);
	}
	return AE_OK;
}

/* MS-WCCE 3.2.2.6.2.1.2.2: where a private key may be, and is. */
static int
take_archived(struct ae_request *r, const struct ae_signer *s,
    const AE_SIGNER_INFO *si, struct ae_err *e)
{
	const ASN1_TYPE *v;

	if (!ae_attrs_has(si->unsigned_attrs, AE_OID_MS_ARCHIVED_KEY))
		return AE_OK;
	v = ae_attrs_one(si->unsigned_attrs, AE_OID_MS_ARCHIVED_KEY);
	if (r->has_archived_key || s->kind != AE_SIGNER_NEW_KEY || v == NULL) {
		r->archived_key = (struct ae_der){ NULL, 0 };
		r->has_archived_key = true;
		return AE_OK; /* two, or not where it belongs */
	}
	r->has_archived_key = true;
	return ae_arena_any(&r->archived_key, r->arena, v, e);
}

static int
take_signer(struct ae_signer *s, struct ae_request *r, const AE_SIGNED_DATA *sd,
    const AE_SIGNER_INFO *si, struct ae_err *e)
{
	int rc;

	s->hash = ae_cms_hash(si);
	if (ae_cms_no_signature(si)) {
		s->kind = AE_SIGNER_NO_SIGNATURE;
		rc = ae_cms_verify(sd, si, NULL, e);
	} else if (names_new_key(r, si)) {
		s->kind = AE_SIGNER_NEW_KEY;
		rc = ae_cms_verify(sd, si, r->csr->key, e);
		if (rc == AE_OK)
			r->possession = true;
	} else {
		s->kind = AE_SIGNER_CERT;
		s->cert = ae_cms_signer_cert(si, r->certs, r->ncerts);
		if (s->cert == NULL)
			return ae_fail(e, AE_ETRUST, AE_DOM_HRESULT,
			    AE_HR_BAD_SIGNATURE,
			    "request: the certificate of a signer is missing");
		rc = verify_by_cert(sd, si, s->cert, e);
	}
	if (rc != AE_OK)
		return rc;
	rc = take_archived(r, s, si, e);
	return rc == AE_OK ? take_signer_pairs(s, r, si, e) : rc;
}

static int
take_signers(struct ae_request *r, const AE_SIGNED_DATA *sd, struct ae_err *e)
{
	int n = sk_AE_SIGNER_INFO_num(sd->signers), rc;
	struct ae_signer *v;

	if (n < 1)
		return bad(e, AE_HR_NO_SIGNER, "nobody signed it");
	if (n > AE_SIGNERS_MAX)
		return ae_fail(
		    e, AE_ELIMIT, AE_DOM_NONE, 0, "request: %d signers", n);
	v = ae_arena_array(r->arena, (size_t)n, sizeof(*v));
	if (v == NULL)
		return ae_fail_arena(r->arena, e);
	r->signers = v;
	for (int i = 0; i < n; i++) {
		rc = take_signer(
		    &v[i], r, sd, sk_AE_SIGNER_INFO_value(sd->signers, i), e);
		if (rc != AE_OK)
			return rc;
		r->nsigners++;
	}
	return AE_OK;
}

static int
take_content(struct ae_request *r, struct ae_der content, struct ae_err *e)
{
	AE_PKI_DATA *pd = NULL;
	int rc;

	if (r->form == AE_REQUEST_CMS)
		return take_pkcs10(r, content, true, e);
	rc =
	    ae_item_decode(&pd, ASN1_ITEM_rptr(AE_PKI_DATA), content, "CMC", e);
	if (rc == AE_OK)
		rc = take_pki_data(r, pd, e);
	ASN1_item_free((ASN1_VALUE *)pd, ASN1_ITEM_rptr(AE_PKI_DATA));
	return rc;
}

static int
take_cms(struct ae_request *r, enum ae_request_form expected,
    const AE_SIGNED_DATA *sd, struct ae_err *e)
{
	struct ae_der content = ae_cms_content(sd);
	int rc;

	if (ae_cms_is(sd, AE_OID_CMC_PKI_DATA))
		r->form = AE_REQUEST_CMC;
	else if (ae_cms_is(sd, AE_OID_CMS_DATA))
		r->form = AE_REQUEST_CMS;
	else
		return bad(
		    e, AE_HR_INVALID_MSG_TYPE, "CMS of an unknown content");
	if (expected != AE_REQUEST_ANY && expected != r->form)
		return not_the_form(e);
	if (content.p == NULL)
		return bad(e, AE_HR_INVALID_DATA, "CMS without content");
	rc = ae_cms_certs(&r->certs, &r->ncerts, AE_REQUEST_CERTS_MAX, sd, e);
	if (rc == AE_OK)
		rc = take_content(r, content, e);
	return rc == AE_OK ? take_signers(r, sd, e) : rc;
}

static int
take(struct ae_request *r, enum ae_request_form expected, struct ae_der d,
    struct ae_err *e)
{
	AE_SIGNED_DATA *sd = NULL;
	int rc;

	rc = ae_cms_decode(&sd, d, e);
	if (rc == AE_OK) {
		rc = take_cms(r, expected, sd, e);
		ae_cms_free(sd);
		return rc;
	}
	if (rc != AE_EINVAL)
		return rc;
	r->form = AE_REQUEST_PKCS10;
	if (expected == AE_REQUEST_CMS || expected == AE_REQUEST_CMC)
		return not_the_form(e);
	return take_pkcs10(r, d, false, e);
}

int
ae_request_parse(struct ae_request **out, enum ae_request_form expected,
    const void *der, size_t len, struct ae_err *e)
{
	struct ae_der d = { der, len };
	struct ae_request *r;
	int rc;

	if (len > AE_PKI_REQUEST_MAX)
		return ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
		    "a request of %zu bytes", len);
	r = calloc(1, sizeof(*r));
	if (r == NULL)
		return ae_fail_mem(e);
	r->arena = ae_arena_new(REQUEST_ARENA_MAX);
	rc = r->arena == NULL ? ae_fail_mem(e) : take(r, expected, d, e);
	if (rc == AE_OK)
		*out = r;
	else
		ae_request_free(r);
	/* What is malformed without a number of its own is bad ASN.1. */
	if (rc == AE_EPROTO && e != NULL && e->dom != AE_DOM_HRESULT) {
		e->dom = AE_DOM_HRESULT;
		e->code = AE_HR_ASN1_BAD_TAG;
	}
	return rc;
}

void
ae_request_free(struct ae_request *r)
{
	if (r == NULL)
		return;
	ae_csr_free(r->csr);
	ae_certs_free(r->certs, r->ncerts);
	ae_arena_free(r->arena);
	free(r);
}
