/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Writing OCSP responses, RFC 6960 4.2.1.
 */
#include "pki/oid.h"
#include "pki/ocsp.h"
#include "pki/signed.h"

/* CertStatus; its tags are implicit */
static void
put_status(struct ae_wr *w, const struct ae_ocsp_single *s)
{
	size_t info, reason;

	if (s->status != AE_OCSP_REVOKED) {
		ae_der_head(
		    w, AE_DER_CTX(s->status == AE_OCSP_GOOD ? 0 : 2), 0);
		return;
	}
	info = ae_der_open(w, AE_DER_CTX_CONS(1));
	ae_der_gentime(w, s->revoked);
	if (s->reason != AE_CRL_UNSPECIFIED) {
		const uint8_t why = (uint8_t)s->reason;

		reason = ae_der_open(w, AE_DER_CTX_CONS(0));
		ae_der_put(w, AE_DER_ENUMERATED, &why, 1);
		ae_der_close(w, reason);
	}
	ae_der_close(w, info);
}

static void
put_single(struct ae_wr *w, const struct ae_ocsp_single *s)
{
	size_t seq, next;

	seq = ae_der_open(w, AE_DER_SEQUENCE);
	ae_der_raw(w, s->id);
	put_status(w, s);
	ae_der_gentime(w, s->this_update);
	next = ae_der_open(w, AE_DER_CTX_CONS(0));
	ae_der_gentime(w, s->next_update);
	ae_der_close(w, next);
	ae_der_close(w, seq);
}

static void
put_nonce(struct ae_wr *w, struct ae_der nonce)
{
	size_t outer, seq, ext;

	outer = ae_der_open(w, AE_DER_CTX_CONS(1));
	seq = ae_der_open(w, AE_DER_SEQUENCE);
	ext = ae_der_open(w, AE_DER_SEQUENCE);
	(void)ae_der_oid(w, AE_OID_OCSP_NONCE);
	ae_der_put(w, AE_DER_OCTETS, nonce.p, nonce.len);
	ae_der_close(w, ext);
	ae_der_close(w, seq);
	ae_der_close(w, outer);
}

int
ae_ocsp_data_put(struct ae_wr *w, const uint8_t responder[AE_KEY_ID_LEN],
    int64_t produced, const struct ae_ocsp_single *v, size_t n,
    struct ae_der nonce, struct ae_err *e)
{
	size_t all, by_key, list, i;

	if (n == 0 || n > AE_OCSP_IDS_MAX || nonce.len > AE_OCSP_NONCE_MAX)
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "an OCSP response for %zu certificates", n);
	all = ae_der_open(w, AE_DER_SEQUENCE);
	by_key = ae_der_open(w, AE_DER_CTX_CONS(2));
	ae_der_put(w, AE_DER_OCTETS, responder, AE_KEY_ID_LEN);
	ae_der_close(w, by_key);
	ae_der_gentime(w, produced);
	list = ae_der_open(w, AE_DER_SEQUENCE);
	for (i = 0; i < n; i++)
		put_single(w, &v[i]);
	ae_der_close(w, list);
	if (nonce.p != NULL)
		put_nonce(w, nonce);
	ae_der_close(w, all);
	return ae_wr_ok(w) ? AE_OK : ae_fail_mem(e);
}

int
ae_ocsp_assemble(struct ae_wr *w, const void *data, size_t len,
    const struct ae_sigalg *alg, const void *sig, size_t siglen,
    struct ae_der cert, struct ae_err *e)
{
	size_t all, bytes, type, octets, basic, certs, list;

	all = ae_der_open(w, AE_DER_SEQUENCE);
	ae_der_put(w, AE_DER_ENUMERATED, "", 1); /* successful */
	bytes = ae_der_open(w, AE_DER_CTX_CONS(0));
	type = ae_der_open(w, AE_DER_SEQUENCE);
	(void)ae_der_oid(w, AE_OID_OCSP_BASIC);
	octets = ae_der_open(w, AE_DER_OCTETS);
	basic = ae_der_open(w, AE_DER_SEQUENCE);
	ae_wr_bytes(w, data, len);
	ae_signed_tail(w, alg, sig, siglen);
	if (cert.p != NULL) {
		certs = ae_der_open(w, AE_DER_CTX_CONS(0));
		list = ae_der_open(w, AE_DER_SEQUENCE);
		ae_der_raw(w, cert);
		ae_der_close(w, list);
		ae_der_close(w, certs);
	}
	ae_der_close(w, basic);
	ae_der_close(w, octets);
	ae_der_close(w, type);
	ae_der_close(w, bytes);
	ae_der_close(w, all);
	return ae_wr_ok(w) ? AE_OK : ae_fail_mem(e);
}

void
ae_ocsp_error_put(struct ae_wr *w, enum ae_ocsp_error what)
{
	const uint8_t v = (uint8_t)what;
	size_t all = ae_der_open(w, AE_DER_SEQUENCE);

	ae_der_put(w, AE_DER_ENUMERATED, &v, 1);
	ae_der_close(w, all);
}
