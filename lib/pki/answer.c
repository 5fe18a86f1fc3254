/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Taking a CA's answer apart, on the client.
 */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "pki/cmc_int.h"
#include "pki/ext_int.h"
#include "pki/response.h"

/* RFC 2797 3.2 and 5.1 */
typedef struct {
	STACK_OF(AE_CONTROL) * controls;
	STACK_OF(ASN1_TYPE) * cms;
	STACK_OF(ASN1_TYPE) * other;
} AE_RESPONSE_BODY;

typedef struct {
	ASN1_OCTET_STRING *token;
	ASN1_GENERALIZEDTIME *time;
} AE_PEND_INFO;

typedef struct {
	int type; /* 0: failInfo, 1: pendInfo */
	union {
		ASN1_INTEGER *fail;
		AE_PEND_INFO *pend;
	} d;
} AE_OTHER_INFO;

typedef struct {
	ASN1_INTEGER *status;
	STACK_OF(ASN1_INTEGER) * body;
	ASN1_UTF8STRING *text;
	AE_OTHER_INFO *other;
} AE_STATUS_INFO;

/* clang-format off */
ASN1_SEQUENCE(AE_RESPONSE_BODY) = {
	ASN1_SEQUENCE_OF(AE_RESPONSE_BODY, controls, AE_CONTROL),
	ASN1_SEQUENCE_OF(AE_RESPONSE_BODY, cms, ASN1_ANY),
	ASN1_SEQUENCE_OF(AE_RESPONSE_BODY, other, ASN1_ANY),
} static_ASN1_SEQUENCE_END(AE_RESPONSE_BODY)

ASN1_SEQUENCE(AE_PEND_INFO) = {
	ASN1_SIMPLE(AE_PEND_INFO, token, ASN1_OCTET_STRING),
	ASN1_SIMPLE(AE_PEND_INFO, time, ASN1_GENERALIZEDTIME),
} static_ASN1_SEQUENCE_END(AE_PEND_INFO)

ASN1_CHOICE(AE_OTHER_INFO) = {
	ASN1_SIMPLE(AE_OTHER_INFO, d.fail, ASN1_INTEGER),
	ASN1_SIMPLE(AE_OTHER_INFO, d.pend, AE_PEND_INFO),
} static_ASN1_CHOICE_END(AE_OTHER_INFO)

ASN1_SEQUENCE(AE_STATUS_INFO) = {
	ASN1_SIMPLE(AE_STATUS_INFO, status, ASN1_INTEGER),
	ASN1_SEQUENCE_OF(AE_STATUS_INFO, body, ASN1_INTEGER),
	ASN1_OPT(AE_STATUS_INFO, text, ASN1_UTF8STRING),
	ASN1_OPT(AE_STATUS_INFO, other, AE_OTHER_INFO),
} static_ASN1_SEQUENCE_END(AE_STATUS_INFO)
/* clang-format on */

static int
bad(struct ae_err *e, const char *what)
{
	return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0, "answer: %s", what);
}

static int
take_crls(struct ae_answer *a, const AE_SIGNED_DATA *sd, struct ae_err *e)
{
	int n = sd->crls == NULL ? 0 : sk_ASN1_TYPE_num(sd->crls);
	struct ae_der d;

	if (n > AE_CHAIN_MAX)
		return ae_fail(
		    e, AE_ELIMIT, AE_DOM_NONE, 0, "answer: %d CRLs", n);
	a->crls = ae_arena_array(a->arena, (size_t)n, sizeof(a->crls[0]));
	if (a->crls == NULL)
		return ae_fail_arena(a->arena, e);
	for (int i = 0; i < n; i++) {
		d = ae_any_sequence(sk_ASN1_TYPE_value(sd->crls, i));
		if (d.p == NULL)
			continue;
		d = ae_arena_der(a->arena, d.p, d.len);
		if (d.p == NULL)
			return ae_fail_arena(a->arena, e);
		a->crls[a->ncrls++] = d;
	}
	return AE_OK;
}

/* A request id: up to four bytes, little endian as Windows sends it. */
static int
take_pend_info(struct ae_answer *a, const AE_PEND_INFO *p, struct ae_err *e)
{
	int n = ASN1_STRING_length(p->token);
	const uint8_t *b = ASN1_STRING_get0_data(p->token);

	if (n < 1 || n > 4)
		return bad(e, "pending token is no request id");
	for (int i = n; i > 0; i--)
		a->request_id = a->request_id << 8 | b[i - 1];
	a->has_request_id = true;
	return AE_OK;
}

static int
take_status(struct ae_answer *a, const AE_STATUS_INFO *si, struct ae_err *e)
{
	uint64_t v = 0;
	int rc = AE_OK;

	if (ASN1_INTEGER_get_uint64(&v, si->status) != 1)
		return bad(e, "status");
	switch (v) {
	case AE_CMC_SUCCESS:
	case AE_CMC_FAILED:
	case AE_CMC_PENDING:
		a->status = (enum ae_cmc_status)v;
		break;
	default:
		return bad(e, "status is none that MS-WCCE has");
	}
	if (si->text != NULL)
		rc = ae_arena_text(&a->status_text, a->arena, si->text, e);
	if (rc == AE_OK && si->other != NULL && si->other->type == 1)
		rc = take_pend_info(a, si->other->d.pend, e);
	return rc;
}

static int
take_controls(
    struct ae_answer *a, const STACK_OF(AE_CONTROL) * l, struct ae_err *e)
{
	AE_STATUS_INFO *si = NULL;
	const ASN1_TYPE *v;
	struct ae_der d;
	int rc;

	rc = ae_control_one(&v, l, AE_OID_CMC_STATUS_INFO, e);
	if (rc != AE_OK)
		return rc;
	if (v == NULL)
		return bad(e, "full response without a status");
	rc = ae_arena_any(&d, a->arena, v, e);
	if (rc == AE_OK)
		rc = ae_item_decode(
		    &si, ASN1_ITEM_rptr(AE_STATUS_INFO), d, "status", e);
	if (rc == AE_OK)
		rc = take_status(a, si, e);
	ASN1_item_free((ASN1_VALUE *)si, ASN1_ITEM_rptr(AE_STATUS_INFO));
	if (rc == AE_OK)
		rc = ae_added_octets(&a->issued_hash, a->arena, l,
		    AE_OID_MS_ISSUED_CERT_HASH, e);
	if (rc == AE_OK)
		rc = ae_added_octets(&a->challenge, a->arena, l,
		    AE_OID_MS_ATTESTATION_CHALLENGE, e);
	if (rc == AE_OK)
		rc = ae_added_octets(&a->exchange_hash, a->arena, l,
		    AE_OID_MS_CAXCHGCERT_HASH, e);
	return rc;
}

/* MS-WCCE 3.2.1.4.2.1.4.8.2: a single signer, by issuer and serial. */
static int
verify(struct ae_answer *a, const AE_SIGNED_DATA *sd, struct ae_err *e)
{
	const AE_SIGNER_INFO *si;
	const struct ae_cert *c;
	struct ae_key *k = NULL;
	int rc;

	if (sk_AE_SIGNER_INFO_num(sd->signers) != 1)
		return bad(e, "full response has not one signer");
	si = sk_AE_SIGNER_INFO_value(sd->signers, 0);
	c = ae_cms_signer_cert(si, a->certs, a->ncerts);
	if (c == NULL)
		return ae_fail(e, AE_ETRUST, AE_DOM_NONE, 0,
		    "answer: the signer's certificate did not come along");
	rc = ae_key_from_spki(&k, c->spki.p, c->spki.len, e);
	if (rc == AE_OK)
		rc = ae_cms_verify(sd, si, k, e);
	ae_key_free(k);
	a->signer = c;
	return rc;
}

static int
take_full(struct ae_answer *a, const AE_SIGNED_DATA *sd, struct ae_err *e)
{
	struct ae_der content = ae_cms_content(sd);
	AE_RESPONSE_BODY *rb = NULL;
	int rc;

	a->cmc = true;
	if (content.p == NULL)
		return bad(e, "full response without content");
	rc = verify(a, sd, e);
	if (rc == AE_OK)
		rc = ae_item_decode(&rb, ASN1_ITEM_rptr(AE_RESPONSE_BODY),
		    content, "full response", e);
	if (rc == AE_OK)
		rc = take_controls(a, rb->controls, e);
	ASN1_item_free((ASN1_VALUE *)rb, ASN1_ITEM_rptr(AE_RESPONSE_BODY));
	return rc;
}

static int
take(struct ae_answer *a, const AE_SIGNED_DATA *sd, struct ae_err *e)
{
	int rc;

	rc = ae_cms_certs(&a->certs, &a->ncerts, AE_CHAIN_MAX, sd, e);
	if (rc == AE_OK)
		rc = take_crls(a, sd, e);
	if (rc != AE_OK)
		return rc;
	if (ae_cms_is(sd, AE_OID_CMC_PKI_RESPONSE))
		return take_full(a, sd, e);
	if (!ae_cms_is(sd, AE_OID_CMS_DATA))
		return bad(e, "CMS of an unknown content");
	if (sk_AE_SIGNER_INFO_num(sd->signers) != 0 ||
	    ae_cms_content(sd).len != 0) /* some write an empty one */
		return bad(e, "certificates, but something beside them");
	return AE_OK;
}

int
ae_answer_parse(
    struct ae_answer **out, const void *der, size_t len, struct ae_err *e)
{
	struct ae_der d = { der, len };
	AE_SIGNED_DATA *sd = NULL;
	struct ae_answer *a;
	int rc;

	if (len > AE_PKI_RESPONSE_MAX)
		return ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
		    "an answer of %zu bytes", len);
	a = calloc(1, sizeof(*a));
	if (a == NULL)
		return ae_fail_mem(e);
	a->arena = ae_arena_new(2 * (size_t)AE_PKI_RESPONSE_MAX);
	rc = a->arena == NULL ? ae_fail_mem(e) : ae_cms_decode(&sd, d, e);
	if (rc == AE_EINVAL)
		rc = bad(e, "not CMS");
	if (rc == AE_OK)
		rc = take(a, sd, e);
	ae_cms_free(sd);
	if (rc == AE_OK)
		*out = a;
	else
		ae_answer_free(a);
	return rc;
}

void
ae_answer_free(struct ae_answer *a)
{
	if (a == NULL)
		return;
	ae_certs_free(a->certs, a->ncerts);
	ae_arena_free(a->arena);
	free(a);
}

int
ae_answer_cert(const struct ae_cert **out, const struct ae_answer *a,
    const struct ae_key *k, struct ae_err *e)
{
	const struct ae_cert *found = NULL;
	struct ae_der hash;
	uint8_t sha1[20];

	for (size_t i = 0; i < a->ncerts; i++) {
		if (!ae_cert_has_key(a->certs[i], k))
			continue;
		ae_cert_sha1(sha1, a->certs[i]);
		hash.p = sha1;
		hash.len = sizeof(sha1);
		if (a->issued_hash.p != NULL &&
		    !ae_der_equal(a->issued_hash, hash))
			continue;
		if (found != NULL &&
		    !ae_der_equal(found->der, a->certs[i]->der))
			return bad(e, "several certificates for the key");
		found = a->certs[i];
	}
	if (found == NULL)
		return ae_fail(e, AE_ENOTFOUND, AE_DOM_NONE, 0,
		    "answer: no certificate for the key");
	*out = found;
	return AE_OK;
}
