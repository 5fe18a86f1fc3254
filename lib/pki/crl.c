/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Parsing CRLs.  The list of entries is kept as bytes and stepped over, so
 * that a long one costs its size and not an object per entry.
 */
#include "pki/crl.h"

#include <openssl/err.h>
#include <openssl/objects.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "pki/ext_int.h"
#include "pki/ossl.h"

/* RFC 5280 5.1 in its order */
typedef struct {
	ASN1_INTEGER *version;
	ASN1_TYPE *alg;
	ASN1_TYPE *issuer;
	ASN1_TIME *this_update;
	ASN1_TIME *next_update;
	ASN1_STRING *revoked; /* the whole SEQUENCE OF as bytes */
	STACK_OF(X509_EXTENSION) * exts;
} AE_TBS_CRL;

typedef struct {
	ASN1_TYPE *tbs;
	ASN1_TYPE *alg;
	ASN1_BIT_STRING *sig;
} AE_CRL;

typedef struct {
	ASN1_INTEGER *serial;
	ASN1_TIME *date;
	STACK_OF(X509_EXTENSION) * exts;
} AE_REVOKED;

/* clang-format off */
ASN1_SEQUENCE(AE_TBS_CRL) = {
	ASN1_OPT(AE_TBS_CRL, version, ASN1_INTEGER),
	ASN1_SIMPLE(AE_TBS_CRL, alg, ASN1_ANY),
	ASN1_SIMPLE(AE_TBS_CRL, issuer, ASN1_ANY),
	ASN1_SIMPLE(AE_TBS_CRL, this_update, ASN1_TIME),
	ASN1_OPT(AE_TBS_CRL, next_update, ASN1_TIME),
	ASN1_OPT(AE_TBS_CRL, revoked, ASN1_SEQUENCE),
	ASN1_EXP_SEQUENCE_OF_OPT(AE_TBS_CRL, exts, X509_EXTENSION, 0),
} static_ASN1_SEQUENCE_END(AE_TBS_CRL)

ASN1_SEQUENCE(AE_CRL) = {
	ASN1_SIMPLE(AE_CRL, tbs, ASN1_ANY),
	ASN1_SIMPLE(AE_CRL, alg, ASN1_ANY),
	ASN1_SIMPLE(AE_CRL, sig, ASN1_BIT_STRING),
} static_ASN1_SEQUENCE_END(AE_CRL)

ASN1_SEQUENCE(AE_REVOKED) = {
	ASN1_SIMPLE(AE_REVOKED, serial, ASN1_INTEGER),
	ASN1_SIMPLE(AE_REVOKED, date, ASN1_TIME),
	ASN1_SEQUENCE_OF_OPT(AE_REVOKED, exts, X509_EXTENSION),
} static_ASN1_SEQUENCE_END(AE_REVOKED)
/* clang-format on */

#define CRL_ARENA_MAX (256u * 1024u) /* all but the entries */

struct impl {
	struct ae_arena *arena;
	AE_CRL *signed_;
	AE_TBS_CRL *tbs;
};

static int
bad(struct ae_err *e, const char *what)
{
	return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0, "CRL: %s", what);
}

static int
get_u64(uint64_t *out, bool *has, struct ae_der v, struct ae_err *e)
{
	ASN1_INTEGER *n = NULL;
	int rc;

	rc = ae_item_decode(&n, ASN1_ITEM_rptr(ASN1_INTEGER), v, "number", e);
	if (rc == AE_OK && ASN1_INTEGER_get_uint64(out, n) != 1)
		rc = ae_fail_ossl(e, AE_EPROTO, "a number out of 0..2^64-1");
	*has = rc == AE_OK;
	ASN1_INTEGER_free(n);
	return rc;
}

static int
get_time(int64_t *out, struct ae_der v, struct ae_err *e)
{
	ASN1_TIME *t = NULL;
	int rc;

	rc = ae_item_decode(&t, ASN1_ITEM_rptr(ASN1_TIME), v, "time", e);
	if (rc == AE_OK && !ae_asn1_time(out, t))
		rc = bad(e, "next publication time");
	ASN1_TIME_free(t);
	return rc;
}

static int
take_extensions(struct ae_crl *c, struct ae_arena *a,
    const STACK_OF(X509_EXTENSION) * exts, struct ae_err *e)
{
	const struct ae_ext *x;
	struct ae_exts all = { 0 };
	int rc;

	rc = ae_exts_decode(&all, a, exts, e);
	if (rc != AE_OK)
		return rc;
	c->aki = all.aki;
	c->has_ca_version = all.has_ca_version;
	c->ca_version = all.ca_version;
	x = ae_exts_find(&all, AE_OID_CRL_NUMBER);
	if (x != NULL)
		rc = get_u64(&c->number, &c->has_number, x->value, e);
	x = ae_exts_find(&all, AE_OID_DELTA_CRL);
	if (rc == AE_OK && x != NULL)
		rc = get_u64(&c->base_number, &c->has_base_number, x->value, e);
	x = ae_exts_find(&all, AE_OID_MS_CRL_NEXT_PUBLISH);
	if (rc == AE_OK && x != NULL)
		rc = get_time(&c->next_publish, x->value, e);
	for (size_t i = 0; i < all.nraw && rc == AE_OK; i++)
		if (all.raw[i].critical &&
		    strcmp(all.raw[i].oid, AE_OID_IDP) != 0 &&
		    strcmp(all.raw[i].oid, AE_OID_DELTA_CRL) != 0)
			rc = bad(e, "a critical extension that is not known");
	return rc;
}

/* The inside of the list, which has been checked to be DER. */
static bool
entries(const struct ae_crl *c, const uint8_t **p, const uint8_t **end)
{
	const struct impl *m = c->impl;
	int tag, class;
	long len;

	if (m->tbs->revoked == NULL)
		return false;
	*p = ASN1_STRING_get0_data(m->tbs->revoked);
	*end = *p + ASN1_STRING_length(m->tbs->revoked);
	return (ASN1_get_object(p, &len, &tag, &class, *end - *p) & 0x80) == 0;
}

/* Each entry is a SEQUENCE; what is in it is looked at when it is asked for. */
static int
count_entries(struct ae_crl *c, struct ae_err *e)
{
	const uint8_t *p, *end;
	int tag, class;
	long len;

	if (!entries(c, &p, &end))
		return AE_OK;
	for (; p < end; p += len, c->entries++)
		if ((ASN1_get_object(&p, &len, &tag, &class, end - p) & 0x80) !=
			0 ||
		    tag != V_ASN1_SEQUENCE || class != V_ASN1_UNIVERSAL)
			return bad(e, "an entry is no SEQUENCE");
	return c->entries > 0 ? AE_OK : bad(e, "an empty list");
}

static int
take_tbs(struct ae_crl *c, struct ae_err *e)
{
	struct impl *m = c->impl;
	const AE_TBS_CRL *t = m->tbs;
	struct ae_der alg = ae_any_sequence(t->alg);
	X509_NAME *nm = NULL;
	uint64_t v = 0;
	int rc;

	if (t->version == NULL ||
	    ASN1_INTEGER_get_uint64(&v, t->version) != 1 || v != 1)
		return bad(e, "version is not 2");
	rc = ae_sigalg_get(&c->sigalg, alg.p, alg.len, e);
	if (rc != AE_OK)
		return ae_note(e, rc, "CRL");
	c->issuer = ae_any_sequence(t->issuer);
	rc = ae_item_decode(
	    &nm, ASN1_ITEM_rptr(X509_NAME), c->issuer, "issuer", e);
	X509_NAME_free(nm);
	if (rc != AE_OK)
		return rc;
	if (!ae_asn1_time(&c->this_update, t->this_update) ||
	    (t->next_update != NULL &&
		!ae_asn1_time(&c->next_update, t->next_update)))
		return bad(e, "a time not of the form RFC 5280 has");
	rc = take_extensions(c, m->arena, t->exts, e);
	return rc == AE_OK ? count_entries(c, e) : rc;
}

static int
take_signed(struct ae_crl *c, struct ae_err *e)
{
	struct impl *m = c->impl;
	struct ae_sigalg outer;
	struct ae_der alg;
	int rc;

	rc = ae_item_decode(
	    &m->signed_, ASN1_ITEM_rptr(AE_CRL), c->der, "CRL", e);
	if (rc != AE_OK)
		return rc;
	c->tbs = ae_any_sequence(m->signed_->tbs);
	alg = ae_any_sequence(m->signed_->alg);
	rc = ae_item_decode(
	    &m->tbs, ASN1_ITEM_rptr(AE_TBS_CRL), c->tbs, "CRL", e);
	if (rc == AE_OK)
		rc = take_tbs(c, e);
	if (rc == AE_OK)
		rc = ae_sigalg_get(&outer, alg.p, alg.len, e);
	if (rc == AE_OK && !ae_sigalg_equal(&outer, &c->sigalg))
		rc = bad(e, "two signature algorithms");
	if (rc == AE_OK)
		rc = ae_arena_bits(&c->signature, m->arena, m->signed_->sig, e);
	return rc;
}

int
ae_crl_parse(struct ae_crl **out, const void *der, size_t len, size_t max,
    bool bare, struct ae_err *e)
{
	struct impl *m;
	struct ae_crl *c;
	uint8_t *copy;
	int rc;

	if (len > max)
		return ae_fail(
		    e, AE_ELIMIT, AE_DOM_NONE, 0, "a CRL of %zu bytes", len);
	c = calloc(1, sizeof(*c));
	m = calloc(1, sizeof(*m));
	copy = malloc(len + 1);
	if (c == NULL || m == NULL || copy == NULL ||
	    (m->arena = ae_arena_new(CRL_ARENA_MAX)) == NULL) {
		free(c);
		free(m);
		free(copy);
		return ae_fail_mem(e);
	}
	if (len > 0)
		memcpy(copy, der, len);
	c->impl = m;
	c->der.p = copy;
	c->der.len = len;
	if (bare) {
		c->tbs = c->der;
		rc = ae_item_decode(
		    &m->tbs, ASN1_ITEM_rptr(AE_TBS_CRL), c->tbs, "CRL", e);
		if (rc == AE_OK)
			rc = take_tbs(c, e);
	} else {
		rc = take_signed(c, e);
	}
	if (rc == AE_OK)
		*out = c;
	else
		ae_crl_free(c);
	return rc;
}

void
ae_crl_free(struct ae_crl *c)
{
	struct impl *m;
	void *own;

	if (c == NULL)
		return;
	m = c->impl;
	memcpy(&own, &c->der.p, sizeof(own));
	free(own);
	ASN1_item_free((ASN1_VALUE *)m->tbs, ASN1_ITEM_rptr(AE_TBS_CRL));
	ASN1_item_free((ASN1_VALUE *)m->signed_, ASN1_ITEM_rptr(AE_CRL));
	ae_arena_free(m->arena);
	free(m);
	free(c);
}

int
ae_crl_verify(const struct ae_crl *c, const struct ae_key *k, struct ae_err *e)
{
	int rc;

	if (c->signature.p == NULL)
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "what is to be signed has no signature to verify");
	rc = ae_key_verify(k, &c->sigalg, c->tbs.p, c->tbs.len, c->signature.p,
	    c->signature.len, e);
	return rc == AE_OK ? rc : ae_note(e, rc, "CRL");
}

static enum ae_crl_reason
entry_reason(const AE_REVOKED *r)
{
	static const uint8_t head[] = { 0x0a, 0x01 };
	const ASN1_OCTET_STRING *v;
	X509_EXTENSION *x;

	for (int i = 0; r->exts != NULL && i < sk_X509_EXTENSION_num(r->exts);
	     i++) {
		x = sk_X509_EXTENSION_value(r->exts, i);
		v = X509_EXTENSION_get_data(x);
		if (OBJ_obj2nid(X509_EXTENSION_get_object(x)) ==
			NID_crl_reason &&
		    ASN1_STRING_length(v) == 3 &&
		    memcmp(ASN1_STRING_get0_data(v), head, 2) == 0)
			return (enum ae_crl_reason)ASN1_STRING_get0_data(v)[2];
	}
	return AE_CRL_UNSPECIFIED;
}

int
ae_crl_each(
    const struct ae_crl *c, ae_crl_entry_fn *fn, void *arg, struct ae_err *e)
{
	const uint8_t *p, *end;
	struct ae_der d;
	AE_REVOKED *r;
	int64_t at;
	int rc = AE_OK;

	if (!entries(c, &p, &end))
		return AE_OK;
	while (rc == AE_OK && p < end) {
		r = (AE_REVOKED *)ASN1_item_d2i(
		    NULL, &p, end - p, ASN1_ITEM_rptr(AE_REVOKED));
		if (r == NULL)
			return ae_fail_ossl(e, AE_EPROTO, "CRL: an entry");
		d.p = ASN1_STRING_get0_data(r->serial);
		d.len = (size_t)ASN1_STRING_length(r->serial);
		if (!ae_asn1_time(&at, r->date))
			rc = bad(e, "an entry's time");
		else
			rc = fn(arg, d, at, entry_reason(r), e);
		ASN1_item_free((ASN1_VALUE *)r, ASN1_ITEM_rptr(AE_REVOKED));
	}
	return rc;
}

/* What ae_crl_find looks for, and what it found. */
struct wanted {
	struct ae_der serial;
	int64_t *revoked;
	enum ae_crl_reason *reason;
};

#define FOUND 1

static int
is_wanted(void *arg, struct ae_der serial, int64_t revoked,
    enum ae_crl_reason reason, struct ae_err *e)
{
	const struct wanted *w = arg;

	(void)e;
	if (!ae_der_equal(serial, w->serial))
		return AE_OK;
	*w->revoked = revoked;
	*w->reason = reason;
	return FOUND;
}

int
ae_crl_find(const struct ae_crl *c, struct ae_der serial, bool *listed,
    int64_t *revoked, enum ae_crl_reason *reason, struct ae_err *e)
{
	struct wanted w = { serial, revoked, reason };
	int rc = ae_crl_each(c, is_wanted, &w, e);

	*listed = rc == FOUND;
	return rc == FOUND ? AE_OK : rc;
}
