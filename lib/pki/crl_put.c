/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Writing CRLs: an entry costs its bytes and nothing else.  RFC 5280 5.
 */
#include <string.h>

#include "pki/crl.h"
#include "pki/ext_int.h"
#include "pki/name.h"
#include "pki/signed.h"

static int
check_spec(const struct ae_crl_spec *s, struct ae_err *e)
{
	if (ae_name_is_empty(s->issuer) || s->aki.p == NULL ||
	    s->next_update <= s->this_update)
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "cannot be a CRL: no issuer, no key identifier, or times "
		    "reversed");
	return AE_OK;
}

/* 5.1.2, all before the list. */
static void
put_fields(struct ae_wr *w, const struct ae_crl_spec *s)
{
	ae_der_uint(w, 1);
	ae_sigalg_put(w, &s->sigalg);
	ae_der_raw(w, s->issuer);
	ae_der_time(w, s->this_update);
	ae_der_time(w, s->next_update);
}

/* 5.3.1; the extension as a whole, but for the reason itself. */
static const uint8_t reason_head[] = { 0x30, 0x0c, 0x30, 0x0a, 0x06, 0x03, 0x55,
	0x1d, 0x15, 0x04, 0x03, 0x0a, 0x01 };

/* 2050-01-01: where UTCTime ends */
#define GENERALIZED_FROM INT64_C(2524608000)

static size_t
entry_content(size_t serial_len, int64_t revoked, enum ae_crl_reason reason)
{
	return 2 + serial_len + (revoked >= GENERALIZED_FROM ? 17u : 15u) +
	    (reason != AE_CRL_UNSPECIFIED ? sizeof(reason_head) + 1 : 0);
}

/* Without leading zeros, as DER has it. */
static struct ae_der
serial_trim(const uint8_t *p, size_t len)
{
	while (len > 1 && p[0] == 0 && (p[1] & 0x80) == 0) {
		p++;
		len--;
	}
	return (struct ae_der){ p, len };
}

static bool
serial_ok(const uint8_t *p, size_t len)
{
	struct ae_der n;

	if (len < 1 || len > 20 || (p[0] & 0x80) != 0)
		return false;
	n = serial_trim(p, len);
	return n.len > 1 || n.p[0] != 0;
}

size_t
ae_crl_entry_size(
    const void *serial, size_t len, int64_t revoked, enum ae_crl_reason reason)
{
	size_t n;

	if (!serial_ok(serial, len))
		return 0;
	n = entry_content(serial_trim(serial, len).len, revoked, reason);
	return ae_der_head_size(n) + n;
}

int
ae_crl_entry(struct ae_wr *w, const struct ae_crl_spec *s, const void *serial,
    size_t len, int64_t revoked, enum ae_crl_reason reason, struct ae_err *e)
{
	struct ae_der n;

	if (!serial_ok(serial, len))
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "CRL: a serial number of %zu bytes, zero or negative", len);
	if (reason == AE_CRL_REMOVE && !s->delta)
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "CRL: removal has no place in a base CRL");
	n = serial_trim(serial, len);
	ae_der_head(w, AE_DER_SEQUENCE, entry_content(n.len, revoked, reason));
	ae_der_put(w, AE_DER_INTEGER, n.p, n.len);
	ae_der_time(w, revoked);
	if (reason != AE_CRL_UNSPECIFIED) {
		ae_wr_bytes(w, reason_head, sizeof(reason_head));
		ae_wr_u8(w, (uint8_t)reason);
	}
	if (!ae_wr_ok(w))
		return ae_wr_full(w) ? ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
					   "CRL: more entries than it may hold")
				     : ae_fail_mem(e);
	return AE_OK;
}

struct mark {
	size_t ext, val;
};

static struct mark
ext_open(struct ae_wr *w, const char *oid, bool critical)
{
	struct mark m;

	m.ext = ae_der_open(w, AE_DER_SEQUENCE);
	(void)ae_der_oid(w, oid);
	if (critical)
		ae_der_bool(w, true);
	m.val = ae_der_open(w, AE_DER_OCTETS);
	return m;
}

static void
ext_close(struct ae_wr *w, struct mark m)
{
	ae_der_close(w, m.val);
	ae_der_close(w, m.ext);
}

/* 5.2.5, with nothing but a name */
static int
put_idp(struct ae_wr *w, const struct ae_strv *urls, struct ae_err *e)
{
	struct mark m = ext_open(w, AE_OID_IDP, true);
	size_t seq, dpn, full;

	seq = ae_der_open(w, AE_DER_SEQUENCE);
	dpn = ae_der_open(w, AE_DER_CTX_CONS(0));
	full = ae_der_open(w, AE_DER_CTX_CONS(0));
	for (size_t i = 0; i < urls->n; i++) {
		for (const char *p = urls->v[i]; *p != '\0'; p++)
			if ((unsigned char)*p < 0x21 ||
			    (unsigned char)*p > 0x7e)
				return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
				    "CRL: not a URL: %.100s", urls->v[i]);
		ae_der_put(w, AE_DER_CTX(6), urls->v[i], strlen(urls->v[i]));
	}
	ae_der_close(w, full);
	ae_der_close(w, dpn);
	ae_der_close(w, seq);
	ext_close(w, m);
	return AE_OK;
}

/* In the order Windows CAs have been seen to emit. */
static int
put_extensions(struct ae_wr *w, const struct ae_crl_spec *s, struct ae_err *e)
{
	struct mark m;
	size_t seq;
	int rc = AE_OK;

	m = ext_open(w, AE_OID_AKI, false);
	seq = ae_der_open(w, AE_DER_SEQUENCE);
	ae_der_put(w, AE_DER_CTX(0), s->aki.p, s->aki.len);
	ae_der_close(w, seq);
	ext_close(w, m);
	m = ext_open(w, AE_OID_MS_CA_VERSION, false);
	ae_der_uint(w, s->ca_version);
	ext_close(w, m);
	m = ext_open(w, AE_OID_CRL_NUMBER, false);
	ae_der_uint(w, s->number);
	ext_close(w, m);
	if (s->delta) {
		m = ext_open(w, AE_OID_DELTA_CRL, true);
		ae_der_uint(w, s->base_number);
		ext_close(w, m);
	}
	if (s->next_publish != 0) {
		m = ext_open(w, AE_OID_MS_CRL_NEXT_PUBLISH, false);
		ae_der_time(w, s->next_publish);
		ext_close(w, m);
	}
	if (s->freshest.n > 0 && !s->delta) {
		m = ext_open(w, AE_OID_FRESHEST_CRL, false);
		rc = ae_ext_put_cdp(w, &s->freshest, e);
		ext_close(w, m);
	}
	if (rc == AE_OK && s->self_cdp.n > 0) {
		m = ext_open(w, AE_OID_MS_CRL_SELF_CDP, false);
		rc = ae_ext_put_cdp(w, &s->self_cdp, e);
		ext_close(w, m);
	}
	if (rc == AE_OK && s->idp.n > 0)
		rc = put_idp(w, &s->idp, e);
	return rc;
}

int
ae_crl_tail(struct ae_wr *w, const struct ae_crl_spec *s, struct ae_err *e)
{
	size_t outer, seq;
	int rc;

	outer = ae_der_open(w, AE_DER_CTX_CONS(0));
	seq = ae_der_open(w, AE_DER_SEQUENCE);
	rc = put_extensions(w, s, e);
	if (rc != AE_OK)
		return rc;
	ae_der_close(w, seq);
	ae_der_close(w, outer);
	return ae_wr_ok(w) ? AE_OK : ae_fail_mem(e);
}

int
ae_crl_head(struct ae_wr *w, size_t *total, const struct ae_crl_spec *s,
    size_t list, struct ae_err *e)
{
	struct ae_wr fields, tail;
	size_t n;
	int rc;

	ae_wr_init(&fields, AE_CRL_HEAD_MAX);
	ae_wr_init(&tail, AE_CRL_HEAD_MAX);
	rc = check_spec(s, e);
	if (rc == AE_OK)
		rc = ae_crl_tail(&tail, s, e);
	put_fields(&fields, s);
	if (rc == AE_OK && !ae_wr_ok(&fields))
		rc = ae_fail_mem(e);
	if (rc == AE_OK) {
		/* 5.1.2.6: no list at all when nothing is revoked. */
		n = fields.len + tail.len +
		    (list > 0 ? ae_der_head_size(list) + list : 0);
		*total = ae_der_head_size(n) + n;
		ae_der_head(w, AE_DER_SEQUENCE, n);
		ae_wr_bytes(w, fields.p, fields.len);
		if (list > 0)
			ae_der_head(w, AE_DER_SEQUENCE, list);
		if (!ae_wr_ok(w))
			rc = ae_fail_mem(e);
	}
	ae_wr_done(&fields);
	ae_wr_done(&tail);
	return rc;
}

int
ae_crl_begin(struct ae_crl_build *b, struct ae_wr *w,
    const struct ae_crl_spec *s, struct ae_err *e)
{
	int rc = check_spec(s, e);

	if (rc != AE_OK)
		return rc;
	b->w = w;
	b->spec = s;
	b->n = 0;
	b->tbs = ae_der_open(w, AE_DER_SEQUENCE);
	put_fields(w, s);
	b->list = ae_der_open(w, AE_DER_SEQUENCE);
	return ae_wr_ok(w) ? AE_OK : ae_fail_mem(e);
}

int
ae_crl_add(struct ae_crl_build *b, const void *serial, size_t len,
    int64_t revoked, enum ae_crl_reason reason, struct ae_err *e)
{
	b->n++;
	return ae_crl_entry(b->w, b->spec, serial, len, revoked, reason, e);
}

int
ae_crl_end(struct ae_crl_build *b, struct ae_err *e)
{
	struct ae_wr *w = b->w;
	int rc;

	if (b->n == 0 && ae_wr_ok(w))
		w->len = b->list;
	else
		ae_der_close(w, b->list);
	rc = ae_crl_tail(w, b->spec, e);
	if (rc != AE_OK)
		return rc;
	ae_der_close(w, b->tbs);
	return ae_wr_ok(w) ? AE_OK : ae_fail_mem(e);
}

int
ae_crl_assemble(struct ae_wr *w, const void *tbs, size_t len,
    const struct ae_sigalg *alg, const void *sig, size_t siglen,
    struct ae_err *e)
{
	return ae_signed_put(w, tbs, len, alg, sig, siglen, e);
}
