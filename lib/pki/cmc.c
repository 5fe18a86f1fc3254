/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * CMC controls; see cmc_int.h.
 */
#include "pki/cmc_int.h"

/* clang-format off */
ASN1_SEQUENCE(AE_CONTROL) = {
	ASN1_SIMPLE(AE_CONTROL, id, ASN1_INTEGER),
	ASN1_SIMPLE(AE_CONTROL, type, ASN1_OBJECT),
	ASN1_SET_OF(AE_CONTROL, values, ASN1_ANY),
} ASN1_SEQUENCE_END(AE_CONTROL)

/*
 * CMC_ADD_ATTRIBUTES as Windows sends it, laid out like RFC 2797 5.3's
 * AddExtensions; MS-WCCE's text has the bare SET OF Attribute instead.
 */
typedef struct {
	ASN1_INTEGER *data;
	STACK_OF(ASN1_INTEGER) *refs;
	STACK_OF(AE_ATTR) *attrs;
} AE_ADD_ATTRS;

ASN1_SEQUENCE(AE_ADD_ATTRS) = {
	ASN1_SIMPLE(AE_ADD_ATTRS, data, ASN1_INTEGER),
	ASN1_SEQUENCE_OF(AE_ADD_ATTRS, refs, ASN1_INTEGER),
	ASN1_SET_OF(AE_ADD_ATTRS, attrs, AE_ATTR),
} static_ASN1_SEQUENCE_END(AE_ADD_ATTRS)

ASN1_ITEM_TEMPLATE(AE_ATTR_SET) =
	ASN1_EX_TEMPLATE_TYPE(ASN1_TFLG_SET_OF, 0, AE_ATTR_SET, AE_ATTR)
static_ASN1_ITEM_TEMPLATE_END(AE_ATTR_SET)
/* clang-format on */

int
ae_control_one(const ASN1_TYPE **out, const STACK_OF(AE_CONTROL) *l,
    const char *oid, struct ae_err *e)
{
	const AE_CONTROL *c, *found = NULL;

	*out = NULL;
	for (int i = 0; l != NULL && i < sk_AE_CONTROL_num(l); i++) {
		c = sk_AE_CONTROL_value(l, i);
		if (!ae_oid_is(c->type, oid))
			continue;
		if (found != NULL || sk_ASN1_TYPE_num(c->values) != 1)
			return ae_fail(e, AE_EPROTO, AE_DOM_HRESULT,
			    AE_HR_INVALID_DATA, "CMC control %s more than once",
			    oid);
		found = c;
	}
	if (found != NULL)
		*out = sk_ASN1_TYPE_value(found->values, 0);
	return AE_OK;
}

int
ae_arena_any(struct ae_der *out, struct ae_arena *a, const ASN1_TYPE *v,
    struct ae_err *e)
{
	unsigned char *der = NULL;
	int n = i2d_ASN1_TYPE(v, &der);

	if (n < 0)
		return ae_fail_ossl(e, AE_ENOMEM, "a value");
	*out = ae_arena_der(a, der, (size_t)n);
	OPENSSL_free(der);
	return out->p != NULL ? AE_OK : ae_fail_arena(a, e);
}

static int
take_octets(struct ae_der *out, struct ae_arena *a,
    const STACK_OF(AE_ATTR) * attrs, const char *oid, struct ae_err *e)
{
	const ASN1_TYPE *v = ae_attrs_one(attrs, oid);

	if (v == NULL && !ae_attrs_has(attrs, oid))
		return AE_OK;
	if (v == NULL || v->type != V_ASN1_OCTET_STRING)
		return ae_fail(e, AE_EPROTO, AE_DOM_HRESULT, AE_HR_INVALID_DATA,
		    "CMC attribute %s is no octet string", oid);
	*out = ae_arena_asn1(a, v->value.octet_string);
	return out->p != NULL ? AE_OK : ae_fail_arena(a, e);
}

int
ae_added_octets(struct ae_der *out, struct ae_arena *a,
    const STACK_OF(AE_CONTROL) * l, const char *oid, struct ae_err *e)
{
	STACK_OF(AE_ATTR) *set = NULL;
	AE_ADD_ATTRS *add = NULL;
	const ASN1_TYPE *v;
	struct ae_der d;
	int rc;

	rc = ae_control_one(&v, l, AE_OID_CMC_ADD_ATTRIBUTES, e);
	if (rc != AE_OK || v == NULL)
		return rc;
	rc = ae_arena_any(&d, a, v, e);
	if (rc != AE_OK)
		return rc;
	if (v->type == V_ASN1_SET)
		rc = ae_item_decode(
		    &set, ASN1_ITEM_rptr(AE_ATTR_SET), d, "CMC attributes", e);
	else
		rc = ae_item_decode(
		    &add, ASN1_ITEM_rptr(AE_ADD_ATTRS), d, "CMC attributes", e);
	if (rc == AE_OK)
		rc =
		    take_octets(out, a, add != NULL ? add->attrs : set, oid, e);
	ASN1_item_free((ASN1_VALUE *)set, ASN1_ITEM_rptr(AE_ATTR_SET));
	ASN1_item_free((ASN1_VALUE *)add, ASN1_ITEM_rptr(AE_ADD_ATTRS));
	return rc;
}
