/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The seam to OpenSSL that the files of this folder share; see ossl.h.
 */
#include "pki/ossl.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* clang-format off */
ASN1_SEQUENCE(AE_SPKI) = {
	ASN1_SIMPLE(AE_SPKI, alg, X509_ALGOR),
	ASN1_SIMPLE(AE_SPKI, key, ASN1_BIT_STRING),
} ASN1_SEQUENCE_END(AE_SPKI)
/* clang-format on */

int
ae_fail_ossl(struct ae_err *e, enum ae_rc rc, const char *fmt, ...)
{
	unsigned long code, last = 0;
	const char *reason;
	bool mem = false;
	char text[256];
	va_list ap;

	while ((code = ERR_get_error()) != 0) {
		if (ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE)
			mem = true;
		last = code;
	}
	if (mem)
		return ae_fail_mem(e);
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (last == 0)
		return ae_fail(e, rc, AE_DOM_NONE, 0, "%s", text);
	reason = ERR_reason_error_string(last);
	return ae_fail(e, rc, AE_DOM_OPENSSL, (int64_t)last, "%s: %s", text,
	    reason != NULL ? reason : "unnamed OpenSSL error");
}

int
ae_item_decode(void *out, const ASN1_ITEM *it, struct ae_der d,
    const char *what, struct ae_err *e)
{
	const unsigned char *p = d.p;
	ASN1_VALUE *v;
	int rc;

	rc = ae_der_check(d.p, d.len, e);
	if (rc != AE_OK)
		return ae_note(e, rc, "%s", what);
	v = ASN1_item_d2i(NULL, &p, (long)d.len, it);
	if (v == NULL)
		return ae_fail_ossl(e, AE_EPROTO, "%s", what);
	if (p != d.p + d.len) {
		ASN1_item_free(v, it);
		return ae_fail(
		    e, AE_EPROTO, AE_DOM_NONE, 0, "%s: not one element", what);
	}
	*(ASN1_VALUE **)out = v;
	return AE_OK;
}

int
ae_item_encode(
    struct ae_wr *w, const ASN1_ITEM *it, const void *val, struct ae_err *e)
{
	unsigned char *der = NULL;
	int n;

	n = ASN1_item_i2d((const ASN1_VALUE *)val, &der, it);
	if (n < 0)
		return ae_fail_ossl(e, AE_EINTERNAL, "encoding ASN.1");
	ae_wr_bytes(w, der, (size_t)n);
	OPENSSL_free(der);
	return AE_OK;
}

struct ae_der
ae_arena_der(struct ae_arena *a, const void *p, size_t len)
{
	struct ae_der d = { NULL, 0 };

	d.p = ae_arena_dup(a, p, len);
	if (d.p != NULL)
		d.len = len;
	return d;
}

struct ae_der
ae_arena_asn1(struct ae_arena *a, const ASN1_STRING *s)
{
	return ae_arena_der(
	    a, ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s));
}

int
ae_arena_bits(struct ae_der *out, struct ae_arena *a, const ASN1_BIT_STRING *s,
    struct ae_err *e)
{
	if ((s->flags & 7) != 0)
		return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
		    "a signature of no whole number of bytes");
	*out = ae_arena_asn1(a, s);
	return out->p != NULL ? AE_OK : ae_fail_arena(a, e);
}

/* Decimal digits with a dot before them; false: no room. */
static bool
put_arc(char *out, size_t *n, uint64_t arc)
{
	char digit[20];
	size_t k = 0;

	do
		digit[k++] = (char)('0' + arc % 10);
	while ((arc /= 10) > 0);
	if (AE_OID_TEXT_MAX - *n < k + 2)
		return false;
	out[(*n)++] = '.';
	while (k > 0)
		out[(*n)++] = digit[--k];
	out[*n] = '\0';
	return true;
}

/* X.690 8.19, when no arc is beyond 64 bits. */
static bool
oid_text(char *out, const unsigned char *p, size_t len)
{
	uint64_t arc = 0;
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		if (arc > UINT64_MAX >> 7)
			return false;
		arc = arc << 7 | (p[i] & 0x7fu);
		if ((p[i] & 0x80) != 0)
			continue;
		if (n == 0) {
			unsigned first = arc < 80 ? (unsigned)arc / 40 : 2;

			out[n++] = (char)('0' + first);
			arc -= first * 40u;
		}
		if (!put_arc(out, &n, arc))
			return false;
		arc = 0;
	}
	return n > 0 && (p[len - 1] & 0x80) == 0;
}

/*
 * OBJ_obj2txt goes by big numbers and printf, which took a third of the time
 * of reading a certificate: it is left the arcs that need them (2.25.UUID).
 */
bool
ae_oid_text(char out[AE_OID_TEXT_MAX], const ASN1_OBJECT *o)
{
	int n;

	if (oid_text(out, OBJ_get0_data(o), OBJ_length(o)))
		return true;
	n = OBJ_obj2txt(out, AE_OID_TEXT_MAX, o, 1);
	return n > 0 && n < AE_OID_TEXT_MAX;
}

const char *
ae_arena_oid(struct ae_arena *a, const ASN1_OBJECT *o)
{
	char text[AE_OID_TEXT_MAX];

	return ae_oid_text(text, o) ? ae_arena_strdup(a, text) : NULL;
}

struct ae_der
ae_any_sequence(const ASN1_TYPE *t)
{
	struct ae_der d = { NULL, 0 };

	if (t == NULL || t->type != V_ASN1_SEQUENCE)
		return d;
	d.p = ASN1_STRING_get0_data(t->value.sequence);
	d.len = (size_t)ASN1_STRING_length(t->value.sequence);
	return d;
}

bool
ae_asn1_time(int64_t *out, const ASN1_TIME *t)
{
	int len = ASN1_STRING_length(t);
	const unsigned char *p = ASN1_STRING_get0_data(t);
	struct tm tm;
	int want;

	want = ASN1_STRING_type(t) == V_ASN1_UTCTIME ? 13 : 15;
	if (len != want || p[len - 1] != 'Z' || ASN1_TIME_to_tm(t, &tm) != 1)
		return false;
	*out = timegm(&tm);
	return true;
}

int
ae_fail_arena(struct ae_arena *a, struct ae_err *e)
{
	if (ae_arena_full(a))
		return ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
		    "decodes to more than it may");
	return ae_fail_mem(e);
}
