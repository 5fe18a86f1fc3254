/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Reading CMS signed-data and checking its signatures.  Done over templates
 * of our own, because OpenSSL's CMS can verify only by certificate and a
 * CMC request is signed by a key that has none yet.
 */
#include "pki/cms_int.h"

#include <openssl/err.h>
#include <openssl/objects.h>
#include <stdlib.h>
#include <string.h>

#include "pki/name.h"

#define OID_CONTENT_TYPE "1.2.840.113549.1.9.3"
#define OID_MESSAGE_DIGEST "1.2.840.113549.1.9.4"

/* clang-format off */
ASN1_SEQUENCE(AE_CONTENT_INFO) = {
	ASN1_SIMPLE(AE_CONTENT_INFO, type, ASN1_OBJECT),
	ASN1_EXP_OPT(AE_CONTENT_INFO, content, ASN1_ANY, 0),
} static_ASN1_SEQUENCE_END(AE_CONTENT_INFO)

ASN1_SEQUENCE(AE_ENCAP) = {
	ASN1_SIMPLE(AE_ENCAP, type, ASN1_OBJECT),
	ASN1_EXP_OPT(AE_ENCAP, content, ASN1_OCTET_STRING, 0),
} static_ASN1_SEQUENCE_END(AE_ENCAP)

ASN1_SEQUENCE(AE_ISSUER_SERIAL) = {
	ASN1_SIMPLE(AE_ISSUER_SERIAL, issuer, ASN1_ANY),
	ASN1_SIMPLE(AE_ISSUER_SERIAL, serial, ASN1_INTEGER),
} static_ASN1_SEQUENCE_END(AE_ISSUER_SERIAL)

ASN1_CHOICE(AE_SID) = {
	ASN1_SIMPLE(AE_SID, d.issuer, AE_ISSUER_SERIAL),
	ASN1_IMP(AE_SID, d.ski, ASN1_OCTET_STRING, 0),
} static_ASN1_CHOICE_END(AE_SID)

/* The signed attributes are kept in their order: it is what was hashed. */
ASN1_SEQUENCE(AE_SIGNER_INFO) = {
	ASN1_SIMPLE(AE_SIGNER_INFO, version, ASN1_INTEGER),
	ASN1_SIMPLE(AE_SIGNER_INFO, sid, AE_SID),
	ASN1_SIMPLE(AE_SIGNER_INFO, digest, ASN1_ANY),
	ASN1_IMP_SEQUENCE_OF_OPT(AE_SIGNER_INFO, signed_attrs, AE_ATTR, 0),
	ASN1_SIMPLE(AE_SIGNER_INFO, alg, ASN1_ANY),
	ASN1_SIMPLE(AE_SIGNER_INFO, signature, ASN1_OCTET_STRING),
	ASN1_IMP_SET_OF_OPT(AE_SIGNER_INFO, unsigned_attrs, AE_ATTR, 1),
} static_ASN1_SEQUENCE_END(AE_SIGNER_INFO)

ASN1_SEQUENCE(AE_SIGNED_DATA) = {
	ASN1_SIMPLE(AE_SIGNED_DATA, version, ASN1_INTEGER),
	ASN1_SET_OF(AE_SIGNED_DATA, digests, ASN1_ANY),
	ASN1_SIMPLE(AE_SIGNED_DATA, encap, AE_ENCAP),
	ASN1_IMP_SET_OF_OPT(AE_SIGNED_DATA, certs, ASN1_ANY, 0),
	ASN1_IMP_SET_OF_OPT(AE_SIGNED_DATA, crls, ASN1_ANY, 1),
	ASN1_SET_OF(AE_SIGNED_DATA, signers, AE_SIGNER_INFO),
} static_ASN1_SEQUENCE_END(AE_SIGNED_DATA)

/* RFC 5652 5.4: signed as a SET OF with its own tag, not the [0]. */
ASN1_ITEM_TEMPLATE(AE_ATTRS_TO_SIGN) =
	ASN1_EX_TEMPLATE_TYPE(ASN1_TFLG_SEQUENCE_OF | ASN1_TFLG_IMPTAG |
	    ASN1_TFLG_UNIVERSAL, V_ASN1_SET, AE_ATTRS_TO_SIGN, AE_ATTR)
static_ASN1_ITEM_TEMPLATE_END(AE_ATTRS_TO_SIGN)
/* clang-format on */

bool
ae_oid_is(const ASN1_OBJECT *o, const char *oid)
{
	char text[AE_OID_TEXT_MAX];

	return ae_oid_text(text, o) && strcmp(text, oid) == 0;
}

int
ae_cms_decode(AE_SIGNED_DATA **out, struct ae_der d, struct ae_err *e)
{
	AE_CONTENT_INFO *ci = NULL;
	struct ae_der content;
	int rc;

	rc = ae_item_decode(
	    &ci, ASN1_ITEM_rptr(AE_CONTENT_INFO), d, "CMS", NULL);
	if (rc != AE_OK)
		return rc == AE_ENOMEM ? ae_fail_mem(e) : AE_EINVAL;
	content = ae_any_sequence(ci->content);
	if (!ae_oid_is(ci->type, AE_OID_CMS_SIGNED_DATA) || content.p == NULL)
		rc = ae_fail(e, AE_EPROTO, AE_DOM_HRESULT,
		    AE_HR_INVALID_MSG_TYPE, "CMS that is not signed-data");
	else
		rc = ae_item_decode(out, ASN1_ITEM_rptr(AE_SIGNED_DATA),
		    content, "signed-data", e);
	ASN1_item_free((ASN1_VALUE *)ci, ASN1_ITEM_rptr(AE_CONTENT_INFO));
	return rc;
}

void
ae_cms_free(AE_SIGNED_DATA *sd)
{
	ASN1_item_free((ASN1_VALUE *)sd, ASN1_ITEM_rptr(AE_SIGNED_DATA));
}

bool
ae_cms_is(const AE_SIGNED_DATA *sd, const char *oid)
{
	return ae_oid_is(sd->encap->type, oid);
}

struct ae_der
ae_cms_content(const AE_SIGNED_DATA *sd)
{
	struct ae_der d = { NULL, 0 };

	if (sd->encap->content != NULL) {
		d.p = ASN1_STRING_get0_data(sd->encap->content);
		d.len = (size_t)ASN1_STRING_length(sd->encap->content);
	}
	return d;
}

int
ae_cms_certs(struct ae_cert ***v, size_t *n, size_t max,
    const AE_SIGNED_DATA *sd, struct ae_err *e)
{
	int count = sd->certs == NULL ? 0 : sk_ASN1_TYPE_num(sd->certs), rc;
	struct ae_der d;

	*n = 0;
	*v = NULL;
	if (count < 0 || (size_t)count > max)
		return ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
		    "a message with %d certificates", count);
	*v = calloc((size_t)count + 1, sizeof(**v));
	if (*v == NULL)
		return ae_fail_mem(e);
	for (int i = 0; i < count; i++) {
		d = ae_any_sequence(sk_ASN1_TYPE_value(sd->certs, i));
		if (d.p == NULL)
			continue;
		rc = ae_cert_parse(&(*v)[*n], d.p, d.len, e);
		if (rc != AE_OK)
			return rc;
		(*n)++;
	}
	return AE_OK;
}

enum ae_hash
ae_cms_hash(const AE_SIGNER_INFO *si)
{
	struct ae_der d = ae_any_sequence(si->digest);

	return d.p == NULL ? AE_HASH_NONE : ae_hash_get(d);
}

/* The algorithm's OID, and the hash in its parameters if that is there. */
static bool
alg_parts(const AE_SIGNER_INFO *si, char oid[128], enum ae_hash *param)
{
	struct ae_der d = ae_any_sequence(si->alg), p = { NULL, 0 };
	const ASN1_OBJECT *o;
	const void *val = NULL;
	X509_ALGOR *alg = NULL;
	int n, type;

	if (d.p == NULL ||
	    ae_item_decode(&alg, ASN1_ITEM_rptr(X509_ALGOR), d, "", NULL) !=
		AE_OK)
		return false;
	X509_ALGOR_get0(&o, &type, &val, alg);
	n = OBJ_obj2txt(oid, 128, o, 1);
	if (type == V_ASN1_SEQUENCE) {
		p.p = ASN1_STRING_get0_data(val);
		p.len = (size_t)ASN1_STRING_length(val);
	}
	*param = p.p == NULL ? AE_HASH_NONE : ae_hash_get(p);
	X509_ALGOR_free(alg);
	return n > 0 && n < 128;
}

bool
ae_cms_no_signature(const AE_SIGNER_INFO *si)
{
	enum ae_hash h;
	char oid[128];

	return alg_parts(si, oid, &h) &&
	    strcmp(oid, AE_OID_CMC_NO_SIGNATURE) == 0;
}

/*
 * How a signer signed.  CMS lets the algorithm be the key's alone
 * (rsaEncryption, RFC 3370 3.2; ecdsa-with-Specified is what Windows sends
 * for EC keys), with the hash from digestAlgorithm.
 */
static bool
signer_alg(
    struct ae_sigalg *out, const AE_SIGNER_INFO *si, const struct ae_key *k)
{
	struct ae_der d = ae_any_sequence(si->alg);
	enum ae_hash hash = ae_cms_hash(si), param;
	char oid[128];

	if (hash == AE_HASH_NONE || d.p == NULL)
		return false;
	if (ae_sigalg_get(out, d.p, d.len, NULL) == AE_OK)
		return out->hash == hash && out->key == ae_key_type(k);
	*out = ae_key_sigalg(k, hash);
	if (!alg_parts(si, oid, &param))
		return false;
	if (strcmp(oid, "1.2.840.113549.1.1.1") == 0)
		return out->key == AE_KEY_RSA;
	if (strcmp(oid, "1.2.840.10045.4.3") == 0)
		return out->key == AE_KEY_EC && param == hash;
	return false;
}

static bool
serial_is(const struct ae_cert *c, const ASN1_INTEGER *n)
{
	struct ae_der d = { ASN1_STRING_get0_data(n),
		(size_t)ASN1_STRING_length(n) };

	return ASN1_STRING_type(n) == V_ASN1_INTEGER &&
	    ae_der_equal(c->serial, d);
}

const struct ae_cert *
ae_cms_signer_cert(const AE_SIGNER_INFO *si, struct ae_cert *const *v, size_t n)
{
	struct ae_der d;

	for (size_t i = 0; i < n; i++) {
		if (si->sid->type == 1) {
			d.p = ASN1_STRING_get0_data(si->sid->d.ski);
			d.len = (size_t)ASN1_STRING_length(si->sid->d.ski);
			if (v[i]->x.ski.p != NULL &&
			    ae_der_equal(v[i]->x.ski, d))
				return v[i];
			continue;
		}
		d = ae_any_sequence(si->sid->d.issuer->issuer);
		if (d.p != NULL && serial_is(v[i], si->sid->d.issuer->serial) &&
		    ae_name_equal(v[i]->issuer, d))
			return v[i];
	}
	return NULL;
}

bool
ae_attrs_has(const STACK_OF(AE_ATTR) * l, const char *oid)
{
	for (int i = 0; l != NULL && i < sk_AE_ATTR_num(l); i++)
		if (ae_oid_is(sk_AE_ATTR_value(l, i)->type, oid))
			return true;
	return false;
}

const ASN1_TYPE *
ae_attrs_one(const STACK_OF(AE_ATTR) * l, const char *oid)
{
	const AE_ATTR *a, *found = NULL;

	for (int i = 0; l != NULL && i < sk_AE_ATTR_num(l); i++) {
		a = sk_AE_ATTR_value(l, i);
		if (!ae_oid_is(a->type, oid))
			continue;
		if (found != NULL)
			return NULL;
		found = a;
	}
	if (found == NULL || sk_ASN1_TYPE_num(found->values) != 1)
		return NULL;
	return sk_ASN1_TYPE_value(found->values, 0);
}

/* RFC 5652 11.1 and 11.2: of this content, and of this type. */
static bool
attrs_match(const AE_SIGNED_DATA *sd, const AE_SIGNER_INFO *si)
{
	const ASN1_TYPE *type, *digest;
	struct ae_der content = ae_cms_content(sd);
	uint8_t hash[AE_HASH_MAX];
	size_t n;

	type = ae_attrs_one(si->signed_attrs, OID_CONTENT_TYPE);
	digest = ae_attrs_one(si->signed_attrs, OID_MESSAGE_DIGEST);
	if (type == NULL || type->type != V_ASN1_OBJECT || digest == NULL ||
	    digest->type != V_ASN1_OCTET_STRING ||
	    OBJ_cmp(type->value.object, sd->encap->type) != 0)
		return false;
	n = ae_hash_bytes(hash, ae_cms_hash(si), content.p, content.len);
	return n > 0 &&
	    n == (size_t)ASN1_STRING_length(digest->value.octet_string) &&
	    memcmp(hash, ASN1_STRING_get0_data(digest->value.octet_string),
		n) == 0;
}

static int
wrong(struct ae_err *e, const char *what)
{
	return ae_fail(e, AE_ETRUST, AE_DOM_HRESULT, AE_HR_BAD_SIGNATURE,
	    "signature of a message: %s", what);
}

static int
verify_over(const AE_SIGNER_INFO *si, const struct ae_key *key,
    struct ae_der over, struct ae_err *e)
{
	const uint8_t *sig = ASN1_STRING_get0_data(si->signature);
	size_t n, len = (size_t)ASN1_STRING_length(si->signature);
	uint8_t hash[AE_HASH_MAX];
	struct ae_sigalg alg;
	int rc;

	if (key == NULL) {
		n = ae_hash_bytes(hash, ae_cms_hash(si), over.p, over.len);
		if (n == 0 || n != len || memcmp(hash, sig, n) != 0)
			return wrong(e, "not the hash of the content");
		return AE_OK;
	}
	if (!signer_alg(&alg, si, key))
		return wrong(e, "not an algorithm we accept");
	rc = ae_key_verify(key, &alg, over.p, over.len, sig, len, e);
	return rc == AE_ETRUST ? wrong(e, "not by the signer's key") : rc;
}

int
ae_cms_verify(const AE_SIGNED_DATA *sd, const AE_SIGNER_INFO *si,
    const struct ae_key *key, struct ae_err *e)
{
	struct ae_der over = ae_cms_content(sd);
	struct ae_wr w;
	int rc;

	if (over.p == NULL)
		return wrong(e, "of no content");
	/* 5.3: without attributes only plain data may be signed. */
	if (si->signed_attrs == NULL)
		return ae_cms_is(sd, AE_OID_CMS_DATA)
		    ? verify_over(si, key, over, e)
		    : wrong(e, "no signed attributes");
	if (!attrs_match(sd, si))
		return wrong(e, "attributes are not of this content");
	ae_wr_init(&w, AE_PKI_RESPONSE_MAX);
	rc = ae_item_encode(
	    &w, ASN1_ITEM_rptr(AE_ATTRS_TO_SIGN), si->signed_attrs, e);
	if (rc == AE_OK && !ae_wr_ok(&w))
		rc = ae_fail_mem(e);
	over.p = w.p;
	over.len = w.len;
	if (rc == AE_OK)
		rc = verify_over(si, key, over, e);
	ae_wr_done(&w);
	return rc;
}
