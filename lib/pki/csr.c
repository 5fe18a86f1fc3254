/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Parsing PKCS#10 requests.  The attribute rows say what is understood and
 * how many values it must have; the rest is passed over.
 */
#include "pki/csr.h"

#include <assert.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/breaks.h"
#include "pki/cert.h"
#include "pki/csr_int.h"
#include "pki/ext_int.h"
#include "pki/ossl.h"

/* RFC 2986 4 in its order. */
typedef struct {
	ASN1_INTEGER *version;
	ASN1_TYPE *subject;
	ASN1_TYPE *spki;
	STACK_OF(AE_ATTR) * attrs;
} AE_CSR_INFO;

typedef struct {
	ASN1_TYPE *info;
	ASN1_TYPE *alg;
	ASN1_BIT_STRING *sig;
} AE_CSR;

/* MS-WCCE 2.2.2.7.2 and 2.2.2.7.4 */
typedef struct {
	ASN1_INTEGER *spec;
	ASN1_STRING *name;
	ASN1_BIT_STRING *sig;
} AE_CSP;

typedef struct {
	ASN1_INTEGER *id;
	ASN1_UTF8STRING *machine;
	ASN1_UTF8STRING *user;
	ASN1_UTF8STRING *process;
} AE_CLIENT_INFO;

/* clang-format off */
ASN1_SEQUENCE(AE_CSR_INFO) = {
	ASN1_SIMPLE(AE_CSR_INFO, version, ASN1_INTEGER),
	ASN1_SIMPLE(AE_CSR_INFO, subject, ASN1_ANY),
	ASN1_SIMPLE(AE_CSR_INFO, spki, ASN1_ANY),
	ASN1_IMP_SET_OF_OPT(AE_CSR_INFO, attrs, AE_ATTR, 0),
} static_ASN1_SEQUENCE_END(AE_CSR_INFO)

ASN1_SEQUENCE(AE_CSR) = {
	ASN1_SIMPLE(AE_CSR, info, ASN1_ANY),
	ASN1_SIMPLE(AE_CSR, alg, ASN1_ANY),
	ASN1_SIMPLE(AE_CSR, sig, ASN1_BIT_STRING),
} static_ASN1_SEQUENCE_END(AE_CSR)

ASN1_SEQUENCE(AE_CSP) = {
	ASN1_SIMPLE(AE_CSP, spec, ASN1_INTEGER),
	ASN1_SIMPLE(AE_CSP, name, ASN1_BMPSTRING),
	ASN1_SIMPLE(AE_CSP, sig, ASN1_BIT_STRING),
} static_ASN1_SEQUENCE_END(AE_CSP)

ASN1_SEQUENCE(AE_CLIENT_INFO) = {
	ASN1_SIMPLE(AE_CLIENT_INFO, id, ASN1_INTEGER),
	ASN1_SIMPLE(AE_CLIENT_INFO, machine, ASN1_UTF8STRING),
	ASN1_SIMPLE(AE_CLIENT_INFO, user, ASN1_UTF8STRING),
	ASN1_SIMPLE(AE_CLIENT_INFO, process, ASN1_UTF8STRING),
} static_ASN1_SEQUENCE_END(AE_CLIENT_INFO)
/* clang-format on */

/* What a request of 64 KB may decode to. */
#define CSR_ARENA_MAX (1024u * 1024u)
#define CSR_ATTRS_MAX 64

static int
bad(struct ae_err *e, const char *what)
{
	return ae_fail(e, AE_EPROTO, AE_DOM_HRESULT, AE_HR_INVALID_DATA,
	    "request: %s", what);
}

/* The element a value is, as bytes for a decoder. */
static int
value_der(struct ae_der *out, struct ae_arena *a, const ASN1_TYPE *v,
    struct ae_err *e)
{
	unsigned char *der = NULL;
	int n = i2d_ASN1_TYPE(v, &der);

	if (n < 0)
		return ae_fail_ossl(e, AE_ENOMEM, "an attribute's value");
	*out = ae_arena_der(a, der, (size_t)n);
	OPENSSL_free(der);
	return out->p != NULL ? AE_OK : ae_fail_arena(a, e);
}

static int
get_os_version(struct ae_csr *c, const AE_ATTR *attr, struct ae_err *e)
{
	const ASN1_TYPE *v = sk_ASN1_TYPE_value(attr->values, 0);

	switch (v->type) {
	case V_ASN1_NUMERICSTRING:
	case V_ASN1_PRINTABLESTRING:
	case V_ASN1_IA5STRING:
	case V_ASN1_VISIBLESTRING:
	case V_ASN1_UTF8STRING:
	case V_ASN1_BMPSTRING:
		return ae_arena_text(
		    &c->os_version, c->arena, v->value.asn1_string, e);
	default:
		return bad(e, "OS version is not a string");
	}
}

static int
get_csp(struct ae_csr *c, const AE_ATTR *attr, struct ae_err *e)
{
	AE_CSP *csp = NULL;
	struct ae_der d;
	int rc;

	rc = value_der(&d, c->arena, sk_ASN1_TYPE_value(attr->values, 0), e);
	if (rc == AE_OK)
		rc = ae_item_decode(
		    &csp, ASN1_ITEM_rptr(AE_CSP), d, "provider", e);
	if (rc == AE_OK)
		rc = ae_arena_text(&c->csp_name, c->arena, csp->name, e);
	ASN1_item_free((ASN1_VALUE *)csp, ASN1_ITEM_rptr(AE_CSP));
	return rc;
}

static int
get_client_info(struct ae_csr *c, const AE_ATTR *attr, struct ae_err *e)
{
	AE_CLIENT_INFO *ci = NULL;
	struct ae_der d;
	uint64_t id = 0;
	int rc;

	rc = value_der(&d, c->arena, sk_ASN1_TYPE_value(attr->values, 0), e);
	if (rc == AE_OK)
		rc = ae_item_decode(&ci, ASN1_ITEM_rptr(AE_CLIENT_INFO), d,
		    "client information", e);
	if (rc == AE_OK &&
	    (ASN1_INTEGER_get_uint64(&id, ci->id) != 1 || id > UINT32_MAX))
		rc = bad(e, "client id");
	c->client.client_id = (uint32_t)id;
	if (rc == AE_OK)
		rc =
		    ae_arena_text(&c->client.machine, c->arena, ci->machine, e);
	if (rc == AE_OK)
		rc = ae_arena_text(&c->client.user, c->arena, ci->user, e);
	if (rc == AE_OK)
		rc =
		    ae_arena_text(&c->client.process, c->arena, ci->process, e);
	ASN1_item_free((ASN1_VALUE *)ci, ASN1_ITEM_rptr(AE_CLIENT_INFO));
	return rc;
}

static int
get_pairs(struct ae_csr *c, const AE_ATTR *attr, struct ae_err *e)
{
	return ae_pairs_decode(&c->pairs, &c->npairs, c->arena, attr, e);
}

static int
get_extensions(struct ae_csr *c, const AE_ATTR *attr, struct ae_err *e)
{
	STACK_OF(X509_EXTENSION) *exts = NULL;
	struct ae_der d;
	int rc;

	if (c->x.nraw > 0)
		return bad(e, "two lists of extensions");
	rc = value_der(&d, c->arena, sk_ASN1_TYPE_value(attr->values, 0), e);
	if (rc == AE_OK)
		rc = ae_item_decode(
		    &exts, ASN1_ITEM_rptr(X509_EXTENSIONS), d, "extensions", e);
	if (rc == AE_OK)
		rc = ae_exts_decode(&c->x, c->arena, exts, e);
	sk_X509_EXTENSION_pop_free(exts, X509_EXTENSION_free);
	return rc;
}

static int
get_renewal(struct ae_csr *c, const AE_ATTR *attr, struct ae_err *e)
{
	struct ae_cert *old = NULL;
	int rc;

	rc = value_der(
	    &c->renewal_cert, c->arena, sk_ASN1_TYPE_value(attr->values, 0), e);
	if (rc == AE_OK)
		rc = ae_cert_parse(
		    &old, c->renewal_cert.p, c->renewal_cert.len, e);
	ae_cert_free(old);
	return rc == AE_OK ? rc : ae_note(e, rc, "certificate to be renewed");
}

static int
get_key_hash(struct ae_csr *c, const AE_ATTR *attr, struct ae_err *e)
{
	const ASN1_TYPE *v = sk_ASN1_TYPE_value(attr->values, 0);

	if (v->type != V_ASN1_OCTET_STRING)
		return bad(e, "encrypted key hash is not an octet string");
	c->encrypted_key_hash = ae_arena_asn1(c->arena, v->value.octet_string);
	return c->encrypted_key_hash.p != NULL ? AE_OK
					       : ae_fail_arena(c->arena, e);
}

/* The message itself, or in an OCTET STRING as some clients have it. */
static int
get_envelope(
    struct ae_der *out, struct ae_csr *c, const AE_ATTR *attr, struct ae_err *e)
{
	const ASN1_TYPE *v = sk_ASN1_TYPE_value(attr->values, 0);

	if (v->type == V_ASN1_OCTET_STRING)
		*out = ae_arena_asn1(c->arena, v->value.octet_string);
	else
		return value_der(out, c->arena, v, e);
	return out->p != NULL ? AE_OK : ae_fail_arena(c->arena, e);
}

static int
get_ek_info(struct ae_csr *c, const AE_ATTR *attr, struct ae_err *e)
{
	return get_envelope(&c->ek_info, c, attr, e);
}

static int
get_aik_info(struct ae_csr *c, const AE_ATTR *attr, struct ae_err *e)
{
	return get_envelope(&c->aik_info, c, attr, e);
}

static int
get_attestation(struct ae_csr *c, const AE_ATTR *attr, struct ae_err *e)
{
	const ASN1_TYPE *v = sk_ASN1_TYPE_value(attr->values, 0);

	if (v->type != V_ASN1_OCTET_STRING)
		return bad(e, "the attestation is not an octet string");
	if (c->attestation.p != NULL)
		return bad(e, "two attestations");
	c->attestation = ae_arena_asn1(c->arena, v->value.octet_string);
	return c->attestation.p != NULL ? AE_OK : ae_fail_arena(c->arena, e);
}

/* Windows ends the string with a NUL. */
static int
get_ksp_name(struct ae_csr *c, const AE_ATTR *attr, struct ae_err *e)
{
	const ASN1_TYPE *v = sk_ASN1_TYPE_value(attr->values, 0);
	ASN1_STRING *s = ASN1_STRING_type_new(V_ASN1_BMPSTRING);
	const uint8_t *p;
	int n, rc;

	if (v->type != V_ASN1_BMPSTRING) {
		ASN1_STRING_free(s);
		return bad(e, "the provider's name is not Unicode");
	}
	p = ASN1_STRING_get0_data(v->value.bmpstring);
	n = ASN1_STRING_length(v->value.bmpstring);
	if (n >= 2 && p[n - 2] == 0 && p[n - 1] == 0)
		n -= 2;
	rc = s != NULL && ASN1_STRING_set(s, p, n) == 1
	    ? ae_arena_text(&c->ksp_name, c->arena, s, e)
	    : ae_fail_mem(e);
	ASN1_STRING_free(s);
	return rc;
}

/* clang-format off */
static const struct row {
	const char *oid;
	const char *what;
	bool many; /* else exactly one value */
	int (*get)(struct ae_csr *c, const AE_ATTR *attr, struct ae_err *e);
} rows[] = {
	{ AE_OID_EXTENSION_REQUEST,     "extensionRequest",    false, get_extensions },
	{ AE_OID_MS_CERT_EXTENSIONS,    "CERT_EXTENSIONS",     false, get_extensions },
	{ AE_OID_MS_OS_VERSION,         "OS_VERSION",          false, get_os_version },
	{ AE_OID_MS_CSP_PROVIDER,       "CSP_PROVIDER",        false, get_csp },
	{ AE_OID_MS_CLIENT_INFO,        "REQUEST_CLIENT_INFO", false, get_client_info },
	{ AE_OID_MS_NAME_VALUE_PAIR,    "NAME_VALUE_PAIR",     true,  get_pairs },
	{ AE_OID_MS_RENEWAL_CERT,       "RENEWAL_CERTIFICATE", false, get_renewal },
	{ AE_OID_MS_ENCRYPTED_KEY_HASH, "ENCRYPTED_KEY_HASH",  false, get_key_hash },
	{ AE_OID_MS_EK_INFO,            "ENROLL_EK_INFO",      false, get_ek_info },
	{ AE_OID_MS_AIK_INFO,           "ENROLL_AIK_INFO",     false, get_aik_info },
	{ AE_OID_MS_ATTESTATION,        "ENROLL_ATTESTATION_STATEMENT", false, get_attestation },
	{ AE_OID_MS_ATTESTATION_WCCE,   "ENROLL_ATTESTATION_STATEMENT", false, get_attestation },
	{ AE_OID_MS_KSP_NAME,           "ENROLL_KSP_NAME",     false, get_ksp_name },
};
/* clang-format on */

static int
take_attr(struct ae_csr *c, const AE_ATTR *attr, struct ae_err *e)
{
	const char *oid = ae_arena_oid(c->arena, attr->type);
	int rc;

	if (oid == NULL)
		return bad(e, "an attribute's OID");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (strcmp(rows[i].oid, oid) != 0)
			continue;
		rc = rows[i].many ? AE_OK
				  : ae_attr_count(attr, 1, rows[i].what, e);
		if (rc == AE_OK)
			rc = rows[i].get(c, attr, e);
		return rc == AE_OK ? rc : ae_note(e, rc, "%s", rows[i].what);
	}
	return AE_OK;
}

static int
take_attrs(struct ae_csr *c, const STACK_OF(AE_ATTR) * l, struct ae_err *e)
{
	int n = l == NULL ? 0 : sk_AE_ATTR_num(l), rc;

	c->x.path_len = -1;
	if (n > CSR_ATTRS_MAX)
		return ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
		    "a request with %d attributes", n);
	for (int i = 0; i < n; i++) {
		for (int j = 0; j < i; j++)
			if (OBJ_cmp(sk_AE_ATTR_value(l, i)->type,
				sk_AE_ATTR_value(l, j)->type) == 0)
				return bad(e, "an attribute twice");
		rc = take_attr(c, sk_AE_ATTR_value(l, i), e);
		if (rc != AE_OK)
			return rc;
	}
	return AE_OK;
}

static int
copy_sequence(
    struct ae_der *out, struct ae_csr *c, const ASN1_TYPE *t, struct ae_err *e)
{
	struct ae_der d = ae_any_sequence(t);

	if (d.p == NULL)
		return bad(e, "a part is not a SEQUENCE");
	*out = ae_arena_der(c->arena, d.p, d.len);
	return out->p != NULL ? AE_OK : ae_fail_arena(c->arena, e);
}

static int
take_info(struct ae_csr *c, const AE_CSR_INFO *i, struct ae_err *e)
{
	X509_NAME *nm = NULL;
	uint64_t v = 0;
	int rc;

	if (ASN1_INTEGER_get_uint64(&v, i->version) != 1 || v != 0)
		return bad(e, "version is not 1");
	rc = copy_sequence(&c->subject, c, i->subject, e);
	if (rc == AE_OK)
		rc = copy_sequence(&c->spki, c, i->spki, e);
	if (rc == AE_OK)
		rc = ae_item_decode(
		    &nm, ASN1_ITEM_rptr(X509_NAME), c->subject, "subject", e);
	X509_NAME_free(nm);
	if (rc == AE_OK)
		rc = ae_key_from_spki(&c->key, c->spki.p, c->spki.len, e);
	return rc == AE_OK ? take_attrs(c, i->attrs, e) : rc;
}

static int
take_csr(struct ae_csr *c, const AE_CSR *r, struct ae_err *e)
{
	struct ae_der alg = ae_any_sequence(r->alg);
	AE_CSR_INFO *info = NULL;
	int rc;

	rc = copy_sequence(&c->info, c, r->info, e);
	if (rc == AE_OK)
		rc = ae_item_decode(
		    &info, ASN1_ITEM_rptr(AE_CSR_INFO), c->info, "request", e);
	if (rc == AE_OK)
		rc = take_info(c, info, e);
	ASN1_item_free((ASN1_VALUE *)info, ASN1_ITEM_rptr(AE_CSR_INFO));
	if (rc != AE_OK)
		return rc;
	if (alg.p == NULL)
		return bad(e, "signature algorithm");
	c->null_hash = ae_hash_get(alg);
	c->has_sigalg =
	    ae_sigalg_get(&c->sigalg, alg.p, alg.len, NULL) == AE_OK;
	return ae_arena_bits(&c->signature, c->arena, r->sig, e);
}

int
ae_csr_parse(struct ae_csr **out, const void *der, size_t len, struct ae_err *e)
{
	struct ae_csr *c;
	AE_CSR *r = NULL;
	int rc;

	if (len > AE_PKI_REQUEST_MAX)
		return ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
		    "a request of %zu bytes", len);
	c = calloc(1, sizeof(*c));
	if (c == NULL)
		return ae_fail_mem(e);
	c->arena = ae_arena_new(CSR_ARENA_MAX);
	if (c->arena == NULL) {
		rc = ae_fail_mem(e);
		goto out;
	}
	c->der = ae_arena_der(c->arena, der, len);
	if (c->der.p == NULL)
		rc = ae_fail_arena(c->arena, e);
	else
		rc = ae_item_decode(
		    &r, ASN1_ITEM_rptr(AE_CSR), c->der, "request", e);
	if (rc == AE_OK) {
		assert(r != NULL);
		rc = take_csr(c, r, e);
	}
out:
	ASN1_item_free((ASN1_VALUE *)r, ASN1_ITEM_rptr(AE_CSR));
	if (rc == AE_OK)
		*out = c;
	else
		ae_csr_free(c);
	return rc;
}

void
ae_csr_free(struct ae_csr *c)
{
	if (c == NULL)
		return;
	ae_key_free(c->key);
	ae_arena_free(c->arena);
	free(c);
}

int
ae_csr_verify(const struct ae_csr *c, struct ae_err *e)
{
	int rc;

	if (!c->has_sigalg)
		return ae_fail(e, AE_ETRUST, AE_DOM_HRESULT,
		    AE_HR_BAD_SIGNATURE,
		    "request: signature algorithm is not one we accept");
	rc = ae_key_verify(c->key, &c->sigalg, c->info.p, c->info.len,
	    c->signature.p, c->signature.len, e);
	if (rc == AE_ETRUST && AE_BREAK(csr_signature))
		return AE_OK;
	if (rc == AE_ETRUST)
		return ae_fail(e, rc, AE_DOM_HRESULT, AE_HR_BAD_SIGNATURE,
		    "request: not signed by the key in it");
	return rc;
}

int
ae_csr_verify_null(const struct ae_csr *c, struct ae_err *e)
{
	uint8_t hash[AE_HASH_MAX];
	size_t n;

	if (c->null_hash != AE_HASH_NONE) {
		n = ae_hash_bytes(hash, c->null_hash, c->info.p, c->info.len);
		if (n == 0)
			return ae_fail_ossl(e, AE_ENOMEM, "hashing a request");
		if (n == c->signature.len &&
		    memcmp(hash, c->signature.p, n) == 0)
			return AE_OK;
	}
	return ae_fail(e, AE_ETRUST, AE_DOM_HRESULT, AE_HR_BAD_SIGNATURE,
	    "request: no null signature");
}
