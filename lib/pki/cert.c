/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Parsing certificates by item templates of our own: OpenSSL's X509 would
 * decode the public key on the way, at twenty times the cost of all the
 * rest.
 */
#include "pki/cert.h"

#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/str.h"
#include "pki/ext_int.h"
#include "pki/name.h"
#include "pki/ossl.h"

/* RFC 5280 4.1 in its order.  ASN1_ANY keeps a part's bytes as they are. */
typedef struct {
	ASN1_TIME *not_before;
	ASN1_TIME *not_after;
} AE_VALIDITY;

typedef struct {
	ASN1_INTEGER *version;
	ASN1_INTEGER *serial;
	ASN1_TYPE *alg;
	ASN1_TYPE *issuer;
	AE_VALIDITY *validity;
	ASN1_TYPE *subject;
	ASN1_TYPE *spki;
	ASN1_BIT_STRING *issuer_uid;
	ASN1_BIT_STRING *subject_uid;
	STACK_OF(X509_EXTENSION) * exts;
} AE_TBS_CERT;

typedef struct {
	ASN1_TYPE *tbs;
	ASN1_TYPE *alg;
	ASN1_BIT_STRING *sig;
} AE_SIGNED;

/* clang-format off */
ASN1_SEQUENCE(AE_VALIDITY) = {
	ASN1_SIMPLE(AE_VALIDITY, not_before, ASN1_TIME),
	ASN1_SIMPLE(AE_VALIDITY, not_after, ASN1_TIME),
} static_ASN1_SEQUENCE_END(AE_VALIDITY)

ASN1_SEQUENCE(AE_TBS_CERT) = {
	ASN1_EXP_OPT(AE_TBS_CERT, version, ASN1_INTEGER, 0),
	ASN1_SIMPLE(AE_TBS_CERT, serial, ASN1_INTEGER),
	ASN1_SIMPLE(AE_TBS_CERT, alg, ASN1_ANY),
	ASN1_SIMPLE(AE_TBS_CERT, issuer, ASN1_ANY),
	ASN1_SIMPLE(AE_TBS_CERT, validity, AE_VALIDITY),
	ASN1_SIMPLE(AE_TBS_CERT, subject, ASN1_ANY),
	ASN1_SIMPLE(AE_TBS_CERT, spki, ASN1_ANY),
	ASN1_IMP_OPT(AE_TBS_CERT, issuer_uid, ASN1_BIT_STRING, 1),
	ASN1_IMP_OPT(AE_TBS_CERT, subject_uid, ASN1_BIT_STRING, 2),
	ASN1_EXP_SEQUENCE_OF_OPT(AE_TBS_CERT, exts, X509_EXTENSION, 3),
} static_ASN1_SEQUENCE_END(AE_TBS_CERT)

ASN1_SEQUENCE(AE_SIGNED) = {
	ASN1_SIMPLE(AE_SIGNED, tbs, ASN1_ANY),
	ASN1_SIMPLE(AE_SIGNED, alg, ASN1_ANY),
	ASN1_SIMPLE(AE_SIGNED, sig, ASN1_BIT_STRING),
} static_ASN1_SEQUENCE_END(AE_SIGNED)
/* clang-format on */

/* What a certificate of 64 KB may decode to. */
#define CERT_ARENA_MAX (1024u * 1024u)

static int
bad(struct ae_err *e, const char *what)
{
	return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0, "certificate: %s", what);
}

static int
copy_sequence(
    struct ae_der *out, struct ae_cert *c, const ASN1_TYPE *t, struct ae_err *e)
{
	struct ae_der d = ae_any_sequence(t);

	if (d.p == NULL)
		return bad(e, "a part is not a SEQUENCE");
	*out = ae_arena_der(c->arena, d.p, d.len);
	return out->p != NULL ? AE_OK : ae_fail_arena(c->arena, e);
}

/* RFC 5280 4.1.2.2: positive, at most 20 octets. */
static int
get_serial(struct ae_cert *c, const ASN1_INTEGER *n, struct ae_err *e)
{
	if (ASN1_STRING_type(n) != V_ASN1_INTEGER || ASN1_STRING_length(n) > 20)
		return bad(e, "serial number is negative or too long");
	c->serial = ae_arena_asn1(c->arena, n);
	return c->serial.p != NULL ? AE_OK : ae_fail_arena(c->arena, e);
}

/* 4.1.2.1: version 3, or 1 where there is nothing that needs 3. */
static int
check_version(const AE_TBS_CERT *t, struct ae_err *e)
{
	uint64_t v = 0;

	if (t->version != NULL &&
	    (ASN1_INTEGER_get_uint64(&v, t->version) != 1 || v != 2))
		return bad(e, "version is neither 1 nor 3");
	if (t->version == NULL && t->exts != NULL)
		return bad(e, "version 1 with extensions");
	if (t->issuer_uid != NULL || t->subject_uid != NULL)
		return bad(e, "unique identifiers, which nobody may use");
	if (t->exts != NULL && sk_X509_EXTENSION_num(t->exts) == 0)
		return bad(e, "an empty list of extensions");
	return AE_OK;
}

static int
check_name(struct ae_der name, struct ae_err *e)
{
	X509_NAME *nm = NULL;
	int rc;

	rc = ae_item_decode(&nm, ASN1_ITEM_rptr(X509_NAME), name, "name", e);
	X509_NAME_free(nm);
	return rc;
}

static int
take_tbs(struct ae_cert *c, const AE_TBS_CERT *t, struct ae_err *e)
{
	struct ae_der alg = ae_any_sequence(t->alg);
	int rc;

	rc = check_version(t, e);
	if (rc == AE_OK)
		rc = get_serial(c, t->serial, e);
	if (rc == AE_OK)
		rc = ae_sigalg_get(&c->sigalg, alg.p, alg.len, e);
	if (rc == AE_OK)
		rc = copy_sequence(&c->issuer, c, t->issuer, e);
	if (rc == AE_OK)
		rc = copy_sequence(&c->subject, c, t->subject, e);
	if (rc == AE_OK)
		rc = copy_sequence(&c->spki, c, t->spki, e);
	if (rc == AE_OK)
		rc = check_name(c->issuer, e);
	if (rc == AE_OK)
		rc = check_name(c->subject, e);
	if (rc != AE_OK)
		return rc;
	if (!ae_asn1_time(&c->not_before, t->validity->not_before) ||
	    !ae_asn1_time(&c->not_after, t->validity->not_after))
		return bad(e, "a time not of the form RFC 5280 has");
	return ae_exts_decode(&c->x, c->arena, t->exts, e);
}

static struct ae_cert *
cert_new(struct ae_err *e)
{
	struct ae_cert *c = calloc(1, sizeof(*c));

	if (c != NULL)
		c->arena = ae_arena_new(CERT_ARENA_MAX);
	if (c == NULL || c->arena == NULL) {
		free(c);
		(void)ae_fail_mem(e);
		return NULL;
	}
	return c;
}

static int
parse_tbs(struct ae_cert *c, struct ae_err *e)
{
	AE_TBS_CERT *t = NULL;
	int rc;

	rc = ae_item_decode(
	    &t, ASN1_ITEM_rptr(AE_TBS_CERT), c->tbs, "certificate", e);
	if (rc == AE_OK)
		rc = take_tbs(c, t, e);
	ASN1_item_free((ASN1_VALUE *)t, ASN1_ITEM_rptr(AE_TBS_CERT));
	return rc;
}

static int
take_signed(struct ae_cert *c, const AE_SIGNED *s, struct ae_err *e)
{
	struct ae_der alg = ae_any_sequence(s->alg);
	struct ae_sigalg outer;
	int rc;

	rc = copy_sequence(&c->tbs, c, s->tbs, e);
	if (rc == AE_OK)
		rc = parse_tbs(c, e);
	if (rc == AE_OK)
		rc = ae_sigalg_get(&outer, alg.p, alg.len, e);
	if (rc != AE_OK)
		return rc;
	if (!ae_sigalg_equal(&outer, &c->sigalg))
		return bad(e, "two signature algorithms");
	return ae_arena_bits(&c->signature, c->arena, s->sig, e);
}

static int
check_size(size_t len, struct ae_err *e)
{
	if (len <= AE_PKI_CERT_MAX)
		return AE_OK;
	return ae_fail(
	    e, AE_ELIMIT, AE_DOM_NONE, 0, "a certificate of %zu bytes", len);
}

int
ae_cert_parse(
    struct ae_cert **out, const void *der, size_t len, struct ae_err *e)
{
	AE_SIGNED *s = NULL;
	struct ae_cert *c;
	int rc;

	rc = check_size(len, e);
	if (rc != AE_OK)
		return rc;
	c = cert_new(e);
	if (c == NULL)
		return AE_ENOMEM;
	c->der = ae_arena_der(c->arena, der, len);
	if (c->der.p == NULL)
		rc = ae_fail_arena(c->arena, e);
	if (rc == AE_OK)
		rc = ae_item_decode(
		    &s, ASN1_ITEM_rptr(AE_SIGNED), c->der, "certificate", e);
	if (rc == AE_OK)
		rc = take_signed(c, s, e);
	ASN1_item_free((ASN1_VALUE *)s, ASN1_ITEM_rptr(AE_SIGNED));
	if (rc == AE_OK)
		*out = c;
	else
		ae_cert_free(c);
	return rc;
}

int
ae_cert_parse_tbs(
    struct ae_cert **out, const void *der, size_t len, struct ae_err *e)
{
	struct ae_cert *c;
	int rc;

	rc = check_size(len, e);
	if (rc != AE_OK)
		return rc;
	c = cert_new(e);
	if (c == NULL)
		return AE_ENOMEM;
	c->tbs = ae_arena_der(c->arena, der, len);
	rc = c->tbs.p == NULL ? ae_fail_arena(c->arena, e) : parse_tbs(c, e);
	if (rc == AE_OK)
		*out = c;
	else
		ae_cert_free(c);
	return rc;
}

void
ae_cert_free(struct ae_cert *c)
{
	if (c == NULL)
		return;
	ae_arena_free(c->arena);
	free(c);
}

struct ae_cert *
ae_cert_dup(const struct ae_cert *c)
{
	struct ae_cert *copy = NULL;
	int rc;

	if (c->der.p != NULL)
		rc = ae_cert_parse(&copy, c->der.p, c->der.len, NULL);
	else
		rc = ae_cert_parse_tbs(&copy, c->tbs.p, c->tbs.len, NULL);
	return rc == AE_OK ? copy : NULL;
}

bool
ae_cert_self_issued(const struct ae_cert *c)
{
	return ae_name_equal(c->issuer, c->subject);
}

bool
ae_cert_has_key(const struct ae_cert *c, const struct ae_key *k)
{
	struct ae_key *own = NULL;
	bool same;

	if (ae_der_equal(c->spki, ae_key_spki(k)))
		return true;
	if (ae_key_from_spki(&own, c->spki.p, c->spki.len, NULL) != AE_OK)
		return false;
	same = ae_key_same_public(own, k);
	ae_key_free(own);
	return same;
}

bool
ae_cert_allows(const struct ae_cert *c, const char *oid)
{
	const struct ae_strv *app = &c->x.app_policies, *eku = &c->x.eku;

	if (app->n + eku->n == 0)
		return false;
	return (app->n == 0 || ae_strv_has(app, oid)) &&
	    (eku->n == 0 || ae_strv_has(eku, oid));
}

int
ae_cert_verify(
    const struct ae_cert *c, const struct ae_key *issuer, struct ae_err *e)
{
	int rc;

	if (c->signature.p == NULL)
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "what is to be signed has no signature to verify");
	rc = ae_key_verify(issuer, &c->sigalg, c->tbs.p, c->tbs.len,
	    c->signature.p, c->signature.len, e);
	return rc == AE_OK ? rc : ae_note(e, rc, "certificate");
}
