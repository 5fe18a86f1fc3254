/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Reading names: subjectAltName, and the SID extension, which borrows its
 * encoding.
 */
#include "pki/san_int.h"

#include <openssl/x509v3.h>
#include <string.h>

#include "base/rd.h"
#include "base/utf16.h"

static int
bad(struct ae_err *e, const char *what)
{
	return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0, "%s", what);
}

int
ae_arena_ascii(const char **out, struct ae_arena *a, const ASN1_STRING *s,
    struct ae_err *e)
{
	size_t len = (size_t)ASN1_STRING_length(s);
	const uint8_t *p = ASN1_STRING_get0_data(s);

	for (size_t i = 0; i < len; i++)
		if (p[i] < 0x20 || p[i] > 0x7e)
			return bad(e, "a name that is not printable ASCII");
	if (len == 0)
		return bad(e, "an empty name");
	*out = ae_arena_strndup(a, (const char *)p, len);
	return *out != NULL ? AE_OK : ae_fail_arena(a, e);
}

/* The whole element, by re-encoding: for forms that are only passed on. */
static int
keep_raw(struct ae_san *out, struct ae_arena *a, const GENERAL_NAME *g,
    struct ae_err *e)
{
	unsigned char *der = NULL;
	int n = i2d_GENERAL_NAME(g, &der);

	if (n < 0)
		return ae_fail_ossl(e, AE_ENOMEM, "a name");
	out->type = AE_SAN_RAW;
	out->der = ae_arena_der(a, der, (size_t)n);
	OPENSSL_free(der);
	return out->der.p != NULL ? AE_OK : ae_fail_arena(a, e);
}

static int
get_upn(struct ae_san *out, struct ae_arena *a, const ASN1_TYPE *v,
    struct ae_err *e)
{
	const ASN1_STRING *s = v->value.asn1_string;
	const char *p;
	size_t len;

	if (v->type != V_ASN1_UTF8STRING)
		return bad(e, "a UPN that is not a UTF8String");
	p = (const char *)ASN1_STRING_get0_data(s);
	len = (size_t)ASN1_STRING_length(s);
	if (len == 0 || memchr(p, 0, len) != NULL)
		return bad(e, "a UPN that is empty or holds a NUL");
	out->type = AE_SAN_UPN;
	out->text = ae_arena_strndup(a, p, len);
	if (out->text == NULL)
		return ae_fail_arena(a, e);
	return ae_utf8_valid(out->text) ? AE_OK
					: bad(e, "a UPN that is not UTF-8");
}

static int
get_guid(struct ae_san *out, const ASN1_TYPE *v, struct ae_err *e)
{
	struct ae_rd r;

	if (v->type != V_ASN1_OCTET_STRING ||
	    ASN1_STRING_length(v->value.octet_string) != 16)
		return bad(e, "an objectGUID that is not 16 octets");
	ae_rd_init(&r, ASN1_STRING_get0_data(v->value.octet_string), 16);
	out->type = AE_SAN_GUID;
	out->guid = ae_guid_get(&r);
	return AE_OK;
}

static int
get_other(struct ae_san *out, struct ae_arena *a, const OTHERNAME *o,
    struct ae_err *e)
{
	unsigned char *der = NULL;
	int n;

	out->text = ae_arena_oid(a, o->type_id);
	if (out->text == NULL)
		return bad(e, "an otherName's type");
	if (strcmp(out->text, AE_OID_MS_UPN) == 0)
		return get_upn(out, a, o->value, e);
	if (strcmp(out->text, AE_OID_MS_NTDS_REPLICATION) == 0) {
		out->text = NULL;
		return get_guid(out, o->value, e);
	}
	n = i2d_ASN1_TYPE(o->value, &der);
	if (n < 0)
		return ae_fail_ossl(e, AE_ENOMEM, "an otherName");
	out->type = AE_SAN_OTHER;
	out->der = ae_arena_der(a, der, (size_t)n);
	OPENSSL_free(der);
	return out->der.p != NULL ? AE_OK : ae_fail_arena(a, e);
}

static int
get_dn(struct ae_san *out, struct ae_arena *a, const X509_NAME *nm,
    struct ae_err *e)
{
	unsigned char *der = NULL;
	int n = i2d_X509_NAME(nm, &der);

	if (n < 0)
		return ae_fail_ossl(e, AE_ENOMEM, "a directory name");
	out->type = AE_SAN_DN;
	out->der = ae_arena_der(a, der, (size_t)n);
	OPENSSL_free(der);
	return out->der.p != NULL ? AE_OK : ae_fail_arena(a, e);
}

static int
get_ip(struct ae_san *out, struct ae_arena *a, const ASN1_OCTET_STRING *s,
    struct ae_err *e)
{
	if (ASN1_STRING_length(s) != 4 && ASN1_STRING_length(s) != 16)
		return bad(e, "an IP address of neither 4 nor 16 bytes");
	out->type = AE_SAN_IP;
	out->der = ae_arena_asn1(a, s);
	return out->der.p != NULL ? AE_OK : ae_fail_arena(a, e);
}

static int
get_name(struct ae_san *out, struct ae_arena *a, const GENERAL_NAME *g,
    struct ae_err *e)
{
	switch (g->type) {
	case GEN_DNS:
		out->type = AE_SAN_DNS;
		return ae_arena_ascii(&out->text, a, g->d.dNSName, e);
	case GEN_EMAIL:
		out->type = AE_SAN_EMAIL;
		return ae_arena_ascii(&out->text, a, g->d.rfc822Name, e);
	case GEN_URI:
		out->type = AE_SAN_URI;
		return ae_arena_ascii(
		    &out->text, a, g->d.uniformResourceIdentifier, e);
	case GEN_OTHERNAME:
		return get_other(out, a, g->d.otherName, e);
	case GEN_IPADD:
		return get_ip(out, a, g->d.iPAddress, e);
	case GEN_DIRNAME:
		return get_dn(out, a, g->d.directoryName, e);
	default:
		return keep_raw(out, a, g, e);
	}
}

int
ae_san_decode(
    struct ae_exts *x, struct ae_arena *a, struct ae_der v, struct ae_err *e)
{
	GENERAL_NAMES *l = NULL;
	struct ae_san *sans;
	int n, rc;

	rc = ae_item_decode(
	    &l, ASN1_ITEM_rptr(GENERAL_NAMES), v, "subjectAltName", e);
	if (rc != AE_OK)
		return rc;
	n = sk_GENERAL_NAME_num(l);
	if (n < 1 || n > AE_EXT_LIST_MAX) {
		rc = bad(e, "no names, or too many");
		goto out;
	}
	sans = ae_arena_array(a, (size_t)n, sizeof(*sans));
	if (sans == NULL) {
		rc = ae_fail_arena(a, e);
		goto out;
	}
	for (int i = 0; i < n && rc == AE_OK; i++)
		rc = get_name(&sans[i], a, sk_GENERAL_NAME_value(l, i), e);
	x->sans = sans;
	x->nsans = (size_t)n;
out:
	GENERAL_NAMES_free(l);
	return rc;
}

/* Exactly one otherName of szOID_NTDS_OBJECTSID, MS-WCCE 2.2.2.7.7.4. */
int
ae_sid_decode(
    struct ae_exts *x, struct ae_arena *a, struct ae_der v, struct ae_err *e)
{
	GENERAL_NAMES *l = NULL;
	const GENERAL_NAME *g;
	char text[AE_SID_STR_MAX];
	const char *oid;
	size_t len;
	int rc;

	rc = ae_item_decode(&l, ASN1_ITEM_rptr(GENERAL_NAMES), v, "SID", e);
	if (rc != AE_OK)
		return rc;
	rc = bad(e, "not one octet string with a SID");
	if (sk_GENERAL_NAME_num(l) != 1)
		goto out;
	g = sk_GENERAL_NAME_value(l, 0);
	if (g->type != GEN_OTHERNAME ||
	    g->d.otherName->value->type != V_ASN1_OCTET_STRING)
		goto out;
	oid = ae_arena_oid(a, g->d.otherName->type_id);
	len = (size_t)ASN1_STRING_length(
	    g->d.otherName->value->value.octet_string);
	if (oid == NULL || strcmp(oid, AE_OID_MS_SID_OBJECTSID) != 0 ||
	    len >= sizeof(text))
		goto out;
	if (len > 0)
		memcpy(text,
		    ASN1_STRING_get0_data(
			g->d.otherName->value->value.octet_string),
		    len);
	text[len] = '\0';
	if (strlen(text) != len || !ae_sid_parse(&x->sid, text))
		goto out;
	x->has_sid = true;
	rc = AE_OK;
out:
	GENERAL_NAMES_free(l);
	return rc;
}
