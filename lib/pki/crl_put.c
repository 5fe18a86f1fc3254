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

int
ae_crl_begin(struct ae_crl_build *b, struct ae_wr *w,
    const struct ae_crl_spec *s, struct ae_err *e)
{
	if (ae_name_is_empty(s->issuer) || s->aki.p == NULL ||
	    s->next_update <= s->this_update)
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "cannot be a CRL: no issuer, no key identifier, or times "
		    "reversed");
	b->w = w;
	b->spec = s;
	b->n = 0;
	b->tbs = ae_der_open(w, AE_DER_SEQUENCE);
	ae_der_uint(w, 1);
	ae_sigalg_put(w, &s->sigalg);
	ae_der_raw(w, s->issuer);
	ae_der_time(w, s->this_update);
	ae_der_time(w, s->next_update);
	b->list = ae_der_open(w, AE_DER_SEQUENCE);
	return ae_wr_ok(w) ? AE_OK : ae_fail_mem(e);
}

/* 5.3.1; the extension as a whole, but for the reason itself. */
static void
put_reason(struct ae_wr *w, enum ae_crl_reason reason)
{
	static const uint8_t head[] = { 0x30, 0x0c, 0x30, 0x0a, 0x06, 0x03,
		0x55, 0x1d, 0x15, 0x04, 0x03, 0x0a, 0x01 };

	ae_wr_bytes(w, head, sizeof(head));
	ae_wr_u8(w, (uint8_t)reason);
}

int
ae_crl_add(struct ae_crl_build *b, const void *serial, size_t len,
    int64_t revoked, enum ae_crl_reason reason, struct ae_err *e)
{
	const uint8_t *p = serial;
	struct ae_wr *w = b->w;
	size_t mark;

	if (len < 1 || len > 20 || (p[0] & 0x80) != 0)
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "CRL: a serial number of %zu bytes, or negative", len);
	if (reason == AE_CRL_REMOVE && !b->spec->delta)
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "CRL: removal has no place in a base CRL");
	mark = ae_der_open(w, AE_DER_SEQUENCE);
	ae_der_bignum(w, p, len);
	ae_der_time(w, revoked);
	if (reason != AE_CRL_UNSPECIFIED)
		put_reason(w, reason);
	ae_der_close(w, mark);
	b->n++;
	if (!ae_wr_ok(w))
		return ae_wr_full(w)
		    ? ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
			  "CRL: more than it may hold after %zu entries", b->n)
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
	if (rc == AE_OK && s->idp.n > 0)
		rc = put_idp(w, &s->idp, e);
	return rc;
}

int
ae_crl_end(struct ae_crl_build *b, struct ae_err *e)
{
	struct ae_wr *w = b->w;
	size_t outer, seq;
	int rc;

	/* 5.1.2.6: no list at all when nothing is revoked. */
	if (b->n == 0 && ae_wr_ok(w))
		w->len = b->list;
	else
		ae_der_close(w, b->list);
	outer = ae_der_open(w, AE_DER_CTX_CONS(0));
	seq = ae_der_open(w, AE_DER_SEQUENCE);
	rc = put_extensions(w, b->spec, e);
	if (rc != AE_OK)
		return rc;
	ae_der_close(w, seq);
	ae_der_close(w, outer);
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
