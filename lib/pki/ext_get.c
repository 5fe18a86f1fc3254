/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Reading extensions: a row for each one that is understood; its value is
 * decoded by an OpenSSL item and copied out.  pki/san_get.c has the names.
 */
#include <openssl/x509v3.h>
#include <string.h>

#include "base/utf16.h"
#include "pki/ext_int.h"
#include "pki/san_int.h"

/* MS-WCCE 2.2.2.7.7.2 CertificateTemplateOID */
typedef struct {
	ASN1_OBJECT *id;
	ASN1_INTEGER *major;
	ASN1_INTEGER *minor;
} AE_TEMPLATE_OID;

/* clang-format off */
ASN1_SEQUENCE(AE_TEMPLATE_OID) = {
	ASN1_SIMPLE(AE_TEMPLATE_OID, id, ASN1_OBJECT),
	ASN1_OPT(AE_TEMPLATE_OID, major, ASN1_INTEGER),
	ASN1_OPT(AE_TEMPLATE_OID, minor, ASN1_INTEGER),
} static_ASN1_SEQUENCE_END(AE_TEMPLATE_OID)
/* clang-format on */

typedef int ae_ext_get_fn(struct ae_exts *x, struct ae_arena *a,
    struct ae_der v, struct ae_err *e);

static int
bad(struct ae_err *e, const char *what)
{
	return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0, "%s", what);
}

int
ae_arena_strv(struct ae_strv *l, struct ae_arena *a, size_t n, struct ae_err *e)
{
	if (n > AE_EXT_LIST_MAX)
		return ae_fail(
		    e, AE_ELIMIT, AE_DOM_NONE, 0, "a list of %zu elements", n);
	l->n = 0;
	l->v = ae_arena_array(a, n, sizeof(l->v[0]));
	return l->v != NULL ? AE_OK : ae_fail_arena(a, e);
}

static int
add_oid(struct ae_strv *l, struct ae_arena *a, const ASN1_OBJECT *o,
    struct ae_err *e)
{
	char text[AE_OID_TEXT_MAX];

	if (!ae_oid_text(text, o))
		return bad(e, "an object identifier too long to be one");
	l->v[l->n] = ae_arena_strdup(a, text);
	if (l->v[l->n] == NULL)
		return ae_fail_arena(a, e);
	l->n++;
	return AE_OK;
}

static int
bmp_text(const char **out, struct ae_arena *a, const ASN1_STRING *s,
    struct ae_err *e)
{
	size_t len = (size_t)ASN1_STRING_length(s);
	const uint8_t *p = ASN1_STRING_get0_data(s);
	uint8_t *le;

	if (len % 2 != 0)
		return bad(e, "a BMPString of odd length");
	le = ae_arena_alloc(a, len);
	if (le == NULL)
		return ae_fail_arena(a, e);
	for (size_t i = 0; i < len; i += 2) {
		le[i] = p[i + 1];
		le[i + 1] = p[i];
	}
	if (!ae_utf16_valid(le, len / 2))
		return bad(e, "a BMPString that is not text");
	*out = ae_utf16_to_utf8(a, le, len / 2);
	return *out != NULL ? AE_OK : ae_fail_arena(a, e);
}

int
ae_arena_text(const char **out, struct ae_arena *a, const ASN1_STRING *s,
    struct ae_err *e)
{
	size_t len = (size_t)ASN1_STRING_length(s);
	const char *p = (const char *)ASN1_STRING_get0_data(s);
	char *copy;

	switch (ASN1_STRING_type(s)) {
	case V_ASN1_BMPSTRING:
		return bmp_text(out, a, s, e);
	case V_ASN1_UTF8STRING:
	case V_ASN1_PRINTABLESTRING:
	case V_ASN1_IA5STRING:
	case V_ASN1_NUMERICSTRING:
	case V_ASN1_VISIBLESTRING:
		break;
	default:
		return bad(e, "a string of a type that is not accepted");
	}
	if (len > 0 && memchr(p, 0, len) != NULL)
		return bad(e, "a string that holds a NUL");
	copy = ae_arena_strndup(a, len > 0 ? p : "", len);
	if (copy == NULL)
		return ae_fail_arena(a, e);
	if (!ae_utf8_valid(copy))
		return bad(e, "a string that is not UTF-8");
	*out = copy;
	return AE_OK;
}

/* BMPString as seen, UTF8String or SEQUENCE { UTF8String } as written. */
static int
get_template_v1(
    struct ae_exts *x, struct ae_arena *a, struct ae_der v, struct ae_err *e)
{
	STACK_OF(ASN1_TYPE) *seq = NULL;
	ASN1_TYPE *t = NULL, *text = NULL;
	int rc;

	if (v.len > 0 && v.p[0] == AE_DER_SEQUENCE) {
		rc = ae_item_decode(&seq, ASN1_ITEM_rptr(ASN1_SEQUENCE_ANY), v,
		    "template name", e);
		if (rc == AE_OK && sk_ASN1_TYPE_num(seq) == 1)
			text = sk_ASN1_TYPE_value(seq, 0);
	} else {
		rc = ae_item_decode(
		    &t, ASN1_ITEM_rptr(ASN1_ANY), v, "template name", e);
		text = t;
	}
	if (rc == AE_OK &&
	    (text == NULL ||
		(text->type != V_ASN1_BMPSTRING &&
		    text->type != V_ASN1_UTF8STRING &&
		    text->type != V_ASN1_PRINTABLESTRING)))
		rc = bad(e, "template name is not a string");
	if (rc == AE_OK)
		rc = ae_arena_text(
		    &x->template_name, a, text->value.asn1_string, e);
	if (rc == AE_OK && x->template_name[0] == '\0')
		rc = bad(e, "template name is empty");
	ASN1_TYPE_free(t);
	sk_ASN1_TYPE_pop_free(seq, ASN1_TYPE_free);
	return rc;
}

static int
get_u32(uint32_t *out, bool *has, const ASN1_INTEGER *n, struct ae_err *e)
{
	uint64_t v = 0;

	if (n == NULL)
		return AE_OK;
	if (ASN1_INTEGER_get_uint64(&v, n) != 1 || v > UINT32_MAX)
		return bad(e, "a number out of 0..2^32-1");
	*out = (uint32_t)v;
	*has = true;
	return AE_OK;
}

static int
get_template_v2(
    struct ae_exts *x, struct ae_arena *a, struct ae_der v, struct ae_err *e)
{
	AE_TEMPLATE_OID *t = NULL;
	int rc;

	rc = ae_item_decode(
	    &t, ASN1_ITEM_rptr(AE_TEMPLATE_OID), v, "template", e);
	if (rc != AE_OK)
		return rc;
	x->template_oid = ae_arena_oid(a, t->id);
	if (x->template_oid == NULL)
		rc = bad(e, "template OID");
	if (rc == AE_OK)
		rc = get_u32(
		    &x->template_major, &x->has_template_major, t->major, e);
	if (rc == AE_OK)
		rc = get_u32(
		    &x->template_minor, &x->has_template_minor, t->minor, e);
	ASN1_item_free((ASN1_VALUE *)t, ASN1_ITEM_rptr(AE_TEMPLATE_OID));
	return rc;
}

static int
get_eku(
    struct ae_exts *x, struct ae_arena *a, struct ae_der v, struct ae_err *e)
{
	EXTENDED_KEY_USAGE *l = NULL;
	int n, rc;

	rc =
	    ae_item_decode(&l, ASN1_ITEM_rptr(EXTENDED_KEY_USAGE), v, "EKU", e);
	if (rc != AE_OK)
		return rc;
	n = sk_ASN1_OBJECT_num(l);
	rc = n < 1 ? bad(e, "an empty list of usages")
		   : ae_arena_strv(&x->eku, a, (size_t)n, e);
	for (int i = 0; i < n && rc == AE_OK; i++)
		rc = add_oid(&x->eku, a, sk_ASN1_OBJECT_value(l, i), e);
	EXTENDED_KEY_USAGE_free(l);
	return rc;
}

static int
get_policies(
    struct ae_strv *out, struct ae_arena *a, struct ae_der v, struct ae_err *e)
{
	CERTIFICATEPOLICIES *l = NULL;
	int n, rc;

	rc = ae_item_decode(
	    &l, ASN1_ITEM_rptr(CERTIFICATEPOLICIES), v, "policies", e);
	if (rc != AE_OK)
		return rc;
	n = sk_POLICYINFO_num(l);
	rc = n < 1 ? bad(e, "an empty list of policies")
		   : ae_arena_strv(out, a, (size_t)n, e);
	for (int i = 0; i < n && rc == AE_OK; i++)
		rc = add_oid(out, a, sk_POLICYINFO_value(l, i)->policyid, e);
	CERTIFICATEPOLICIES_free(l);
	return rc;
}

static int
get_app_policies(
    struct ae_exts *x, struct ae_arena *a, struct ae_der v, struct ae_err *e)
{
	return get_policies(&x->app_policies, a, v, e);
}

static int
get_cert_policies(
    struct ae_exts *x, struct ae_arena *a, struct ae_der v, struct ae_err *e)
{
	return get_policies(&x->cert_policies, a, v, e);
}

static int
get_key_usage(
    struct ae_exts *x, struct ae_arena *a, struct ae_der v, struct ae_err *e)
{
	ASN1_BIT_STRING *b = NULL;
	const uint8_t *p;
	int n, rc;

	(void)a;
	rc = ae_item_decode(
	    &b, ASN1_ITEM_rptr(ASN1_BIT_STRING), v, "key usage", e);
	if (rc != AE_OK)
		return rc;
	n = ASN1_STRING_length(b);
	p = ASN1_STRING_get0_data(b);
	if (n > 2) {
		rc = bad(e, "key usage of more than two bytes");
	} else {
		x->has_key_usage = true;
		x->key_usage =
		    (uint16_t)((n > 0 ? p[0] : 0) | (n > 1 ? p[1] << 8 : 0));
	}
	ASN1_BIT_STRING_free(b);
	return rc;
}

static int
get_basic_constraints(
    struct ae_exts *x, struct ae_arena *a, struct ae_der v, struct ae_err *e)
{
	BASIC_CONSTRAINTS *b = NULL;
	uint64_t len = 0;
	int rc;

	(void)a;
	rc = ae_item_decode(
	    &b, ASN1_ITEM_rptr(BASIC_CONSTRAINTS), v, "basic constraints", e);
	if (rc != AE_OK)
		return rc;
	x->has_basic_constraints = true;
	x->ca = b->ca != 0;
	if (b->pathlen != NULL &&
	    (ASN1_INTEGER_get_uint64(&len, b->pathlen) != 1 || len > 1000))
		rc = bad(e, "a path length out of 0..1000");
	else if (b->pathlen != NULL)
		x->path_len = (int)len;
	BASIC_CONSTRAINTS_free(b);
	return rc;
}

static int
get_octets(
    struct ae_der *out, struct ae_arena *a, struct ae_der v, struct ae_err *e)
{
	ASN1_OCTET_STRING *o = NULL;
	int rc;

	rc = ae_item_decode(
	    &o, ASN1_ITEM_rptr(ASN1_OCTET_STRING), v, "octet string", e);
	if (rc != AE_OK)
		return rc;
	*out = ae_arena_asn1(a, o);
	ASN1_OCTET_STRING_free(o);
	return out->p != NULL ? AE_OK : ae_fail_arena(a, e);
}

static int
get_ski(
    struct ae_exts *x, struct ae_arena *a, struct ae_der v, struct ae_err *e)
{
	return get_octets(&x->ski, a, v, e);
}

static int
get_previous_hash(
    struct ae_exts *x, struct ae_arena *a, struct ae_der v, struct ae_err *e)
{
	return get_octets(&x->previous_cert_hash, a, v, e);
}

static int
get_aki(
    struct ae_exts *x, struct ae_arena *a, struct ae_der v, struct ae_err *e)
{
	AUTHORITY_KEYID *k = NULL;
	int rc;

	rc = ae_item_decode(&k, ASN1_ITEM_rptr(AUTHORITY_KEYID), v,
	    "authority key identifier", e);
	if (rc != AE_OK)
		return rc;
	if (k->keyid != NULL) {
		x->aki = ae_arena_asn1(a, k->keyid);
		if (x->aki.p == NULL)
			rc = ae_fail_arena(a, e);
	}
	AUTHORITY_KEYID_free(k);
	return rc;
}

static int
get_ca_version(
    struct ae_exts *x, struct ae_arena *a, struct ae_der v, struct ae_err *e)
{
	ASN1_INTEGER *n = NULL;
	int rc;

	(void)a;
	rc = ae_item_decode(
	    &n, ASN1_ITEM_rptr(ASN1_INTEGER), v, "CA version", e);
	if (rc != AE_OK)
		return rc;
	rc = get_u32(&x->ca_version, &x->has_ca_version, n, e);
	ASN1_INTEGER_free(n);
	return rc;
}

static int
get_smime(
    struct ae_exts *x, struct ae_arena *a, struct ae_der v, struct ae_err *e)
{
	x->smime_caps = ae_arena_der(a, v.p, v.len);
	return x->smime_caps.p != NULL ? AE_OK : ae_fail_arena(a, e);
}

static int
get_nocheck(
    struct ae_exts *x, struct ae_arena *a, struct ae_der v, struct ae_err *e)
{
	(void)a;
	if (v.len != 2 || v.p[0] != AE_DER_NULL)
		return bad(e, "OCSP nocheck is not NULL");
	x->ocsp_nocheck = true;
	return AE_OK;
}

static int
add_url(struct ae_strv *l, struct ae_arena *a, const GENERAL_NAME *g,
    struct ae_err *e)
{
	const char *text;
	int rc;

	if (g->type != GEN_URI)
		return AE_OK;
	if (l->n == AE_EXT_LIST_MAX)
		return ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0, "too many URLs");
	rc = ae_arena_ascii(&text, a, g->d.uniformResourceIdentifier, e);
	if (rc != AE_OK)
		return rc;
	l->v[l->n] = ae_arena_strdup(a, text);
	if (l->v[l->n] == NULL)
		return ae_fail_arena(a, e);
	l->n++;
	return AE_OK;
}

static int
urls_of_point(struct ae_strv *l, struct ae_arena *a, const DIST_POINT *dp,
    struct ae_err *e)
{
	const GENERAL_NAMES *names;
	int rc = AE_OK;

	if (dp->distpoint == NULL || dp->distpoint->type != 0)
		return AE_OK;
	names = dp->distpoint->name.fullname;
	for (int i = 0; i < sk_GENERAL_NAME_num(names) && rc == AE_OK; i++)
		rc = add_url(l, a, sk_GENERAL_NAME_value(names, i), e);
	return rc;
}

static int
get_cdp(
    struct ae_exts *x, struct ae_arena *a, struct ae_der v, struct ae_err *e)
{
	CRL_DIST_POINTS *l = NULL;
	int rc;

	rc = ae_item_decode(&l, ASN1_ITEM_rptr(CRL_DIST_POINTS), v, "CDP", e);
	if (rc != AE_OK)
		return rc;
	rc = ae_arena_strv(&x->cdp, a, AE_EXT_LIST_MAX, e);
	for (int i = 0; i < sk_DIST_POINT_num(l) && rc == AE_OK; i++)
		rc = urls_of_point(&x->cdp, a, sk_DIST_POINT_value(l, i), e);
	CRL_DIST_POINTS_free(l);
	return rc;
}

static int
get_aia(
    struct ae_exts *x, struct ae_arena *a, struct ae_der v, struct ae_err *e)
{
	AUTHORITY_INFO_ACCESS *l = NULL;
	const ACCESS_DESCRIPTION *d;
	struct ae_strv *to;
	int rc;

	rc = ae_item_decode(
	    &l, ASN1_ITEM_rptr(AUTHORITY_INFO_ACCESS), v, "AIA", e);
	if (rc != AE_OK)
		return rc;
	rc = ae_arena_strv(&x->aia_issuers, a, AE_EXT_LIST_MAX, e);
	if (rc == AE_OK)
		rc = ae_arena_strv(&x->aia_ocsp, a, AE_EXT_LIST_MAX, e);
	for (int i = 0; i < sk_ACCESS_DESCRIPTION_num(l) && rc == AE_OK; i++) {
		d = sk_ACCESS_DESCRIPTION_value(l, i);
		switch (OBJ_obj2nid(d->method)) {
		case NID_ad_ca_issuers:
			to = &x->aia_issuers;
			break;
		case NID_ad_OCSP:
			to = &x->aia_ocsp;
			break;
		default:
			continue;
		}
		rc = add_url(to, a, d->location, e);
	}
	AUTHORITY_INFO_ACCESS_free(l);
	return rc;
}

/* clang-format off */
static const struct row {
	const char *oid;
	ae_ext_get_fn *get;
} rows[] = {
	{ AE_OID_KEY_USAGE,             get_key_usage },
	{ AE_OID_EKU,                   get_eku },
	{ AE_OID_SAN,                   ae_san_decode },
	{ AE_OID_BASIC_CONSTRAINTS,     get_basic_constraints },
	{ AE_OID_SKI,                   get_ski },
	{ AE_OID_AKI,                   get_aki },
	{ AE_OID_CDP,                   get_cdp },
	{ AE_OID_AIA,                   get_aia },
	{ AE_OID_CERT_POLICIES,         get_cert_policies },
	{ AE_OID_MS_APP_POLICIES,       get_app_policies },
	{ AE_OID_MS_TEMPLATE_V1,        get_template_v1 },
	{ AE_OID_MS_TEMPLATE_V2,        get_template_v2 },
	{ AE_OID_MS_SID,                ae_sid_decode },
	{ AE_OID_MS_CA_VERSION,         get_ca_version },
	{ AE_OID_MS_PREVIOUS_CERT_HASH, get_previous_hash },
	{ AE_OID_SMIME_CAPS,            get_smime },
	{ AE_OID_OCSP_NOCHECK,          get_nocheck },
};
/* clang-format on */

static int
decode_one(struct ae_exts *x, struct ae_arena *a, const struct ae_ext *ext,
    struct ae_err *e)
{
	int rc;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (strcmp(rows[i].oid, ext->oid) != 0)
			continue;
		rc = ae_der_check(ext->value.p, ext->value.len, e);
		if (rc == AE_OK)
			rc = rows[i].get(x, a, ext->value, e);
		return rc == AE_OK ? rc
				   : ae_note(e, rc, "extension %s", ext->oid);
	}
	return AE_OK;
}

static int
copy_one(struct ae_ext *out, struct ae_arena *a, const X509_EXTENSION *in,
    struct ae_err *e)
{
	/* OpenSSL's getters are not const-correct; nothing is changed. */
	X509_EXTENSION *ext;

	memcpy(&ext, &in, sizeof(ext));
	out->oid = ae_arena_oid(a, X509_EXTENSION_get_object(ext));
	out->critical = X509_EXTENSION_get_critical(in) != 0;
	out->value = ae_arena_asn1(a, X509_EXTENSION_get_data(ext));
	if (out->value.p == NULL)
		return ae_fail_arena(a, e);
	return out->oid != NULL ? AE_OK : bad(e, "an extension's OID");
}

int
ae_exts_decode(struct ae_exts *x, struct ae_arena *a,
    const STACK_OF(X509_EXTENSION) * exts, struct ae_err *e)
{
	int n = exts == NULL ? 0 : sk_X509_EXTENSION_num(exts);
	struct ae_ext *raw;
	int rc;

	x->path_len = -1;
	if (n > AE_EXTS_MAX)
		return ae_fail(
		    e, AE_ELIMIT, AE_DOM_NONE, 0, "%d extensions", n);
	raw = ae_arena_array(a, (size_t)n, sizeof(*raw));
	if (raw == NULL)
		return ae_fail_arena(a, e);
	x->raw = raw;
	for (int i = 0; i < n; i++) {
		rc = copy_one(&raw[i], a, sk_X509_EXTENSION_value(exts, i), e);
		if (rc != AE_OK)
			return rc;
		if (ae_exts_find(x, raw[i].oid) != NULL)
			return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
			    "extension %s twice", raw[i].oid);
		x->nraw++;
		rc = decode_one(x, a, &raw[i], e);
		if (rc != AE_OK)
			return rc;
	}
	return AE_OK;
}
