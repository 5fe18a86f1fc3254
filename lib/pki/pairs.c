/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Enrollment name-value pairs, MS-WCCE 2.2.2.6.3 and 2.2.2.7.10, and the
 * attribute template they and others come in.
 */
#include <string.h>

#include "base/str.h"
#include "base/utf16.h"
#include "pki/csr.h"
#include "pki/csr_int.h"
#include "pki/ext_int.h"

/* clang-format off */
ASN1_SEQUENCE(AE_ATTR) = {
	ASN1_SIMPLE(AE_ATTR, type, ASN1_OBJECT),
	ASN1_SET_OF(AE_ATTR, values, ASN1_ANY),
} ASN1_SEQUENCE_END(AE_ATTR)

typedef struct {
	ASN1_STRING *name;
	ASN1_STRING *value;
} AE_PAIR;

ASN1_SEQUENCE(AE_PAIR) = {
	ASN1_SIMPLE(AE_PAIR, name, ASN1_BMPSTRING),
	ASN1_SIMPLE(AE_PAIR, value, ASN1_BMPSTRING),
} static_ASN1_SEQUENCE_END(AE_PAIR)
/* clang-format on */

int
ae_attr_count(const AE_ATTR *a, int n, const char *what, struct ae_err *e)
{
	int got = sk_ASN1_TYPE_num(a->values);

	if (got == n)
		return AE_OK;
	return ae_fail(e, AE_EPROTO, AE_DOM_HRESULT, AE_HR_INVALID_DATA,
	    "attribute %s has %d values, not %d", what, got, n);
}

int
ae_der_set_order(const uint8_t *a, size_t alen, const uint8_t *b, size_t blen)
{
	int d = memcmp(a, b, alen < blen ? alen : blen);

	if (d != 0)
		return d;
	return alen < blen ? -1 : alen > blen;
}

static int
decode_pair(struct ae_pair *out, struct ae_arena *a, const ASN1_TYPE *v,
    struct ae_err *e)
{
	struct ae_der d = ae_any_sequence(v);
	AE_PAIR *p = NULL;
	int rc;

	if (d.p == NULL)
		return ae_fail(e, AE_EPROTO, AE_DOM_HRESULT, AE_HR_INVALID_DATA,
		    "a pair that is none");
	rc = ae_item_decode(&p, ASN1_ITEM_rptr(AE_PAIR), d, "pair", e);
	if (rc == AE_OK)
		rc = ae_arena_text(&out->name, a, p->name, e);
	if (rc == AE_OK)
		rc = ae_arena_text(&out->value, a, p->value, e);
	ASN1_item_free((ASN1_VALUE *)p, ASN1_ITEM_rptr(AE_PAIR));
	return rc;
}

int
ae_pairs_decode(const struct ae_pair **out, size_t *n, struct ae_arena *a,
    const AE_ATTR *attr, struct ae_err *e)
{
	int count = sk_ASN1_TYPE_num(attr->values), rc = AE_OK;
	struct ae_pair *v;

	if (count > AE_PAIRS_MAX)
		return ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0, "%d pairs", count);
	v = ae_arena_array(a, (size_t)count, sizeof(*v));
	if (v == NULL)
		return ae_fail_arena(a, e);
	for (int i = 0; i < count && rc == AE_OK; i++)
		rc = decode_pair(
		    &v[i], a, sk_ASN1_TYPE_value(attr->values, i), e);
	if (rc == AE_OK) {
		*out = v;
		*n = (size_t)count;
	}
	return rc;
}

int
ae_pairs_put(
    struct ae_wr *w, const struct ae_pair *v, size_t n, struct ae_err *e)
{
	for (size_t i = 0; i < n; i++) {
		if (v[i].name[0] == '\0' || strpbrk(v[i].name, "=&") != NULL ||
		    strchr(v[i].value, '&') != NULL ||
		    !ae_utf8_valid(v[i].name) || !ae_utf8_valid(v[i].value))
			return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
			    "a pair that cannot be written: %.64s", v[i].name);
		if (i > 0)
			ae_wr_u8(w, '&');
		ae_wr_str(w, v[i].name);
		ae_wr_u8(w, '=');
		ae_wr_str(w, v[i].value);
	}
	return ae_wr_ok(w) ? AE_OK : ae_fail_mem(e);
}

const char *
ae_pairs_get(const struct ae_pair *v, size_t n, const char *name)
{
	for (size_t i = n; i > 0; i--)
		if (ae_str_eq_nocase(v[i - 1].name, name))
			return v[i - 1].value;
	return NULL;
}
