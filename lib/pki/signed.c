/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * SIGNED{}: see signed.h.
 */
#include "pki/signed.h"

#include "pki/der.h"

void
ae_signed_tail(struct ae_wr *w, const struct ae_sigalg *alg, const void *sig,
    size_t siglen)
{
	ae_sigalg_put(w, alg);
	ae_der_head(w, AE_DER_BITSTRING, siglen + 1);
	ae_wr_u8(w, 0);
	ae_wr_bytes(w, sig, siglen);
}

void
ae_signed_head(
    struct ae_wr *w, size_t len, const struct ae_sigalg *alg, size_t siglen)
{
	const size_t at = w->len;
	size_t behind;

	ae_sigalg_put(w, alg); /* for its size */
	behind = w->len - at + ae_der_head_size(siglen + 1) + siglen + 1;
	w->len = at;
	ae_der_head(w, AE_DER_SEQUENCE, len + behind);
}

int
ae_signed_put(struct ae_wr *w, const void *tbs, size_t len,
    const struct ae_sigalg *alg, const void *sig, size_t siglen,
    struct ae_err *e)
{
	ae_signed_head(w, len, alg, siglen);
	ae_wr_bytes(w, tbs, len);
	ae_signed_tail(w, alg, sig, siglen);
	return ae_wr_ok(w) ? AE_OK : ae_fail_mem(e);
}

int
ae_signed_make(struct ae_wr *w, const void *tbs, size_t len,
    const struct ae_sigalg *alg, const struct ae_key *k, struct ae_err *e)
{
	struct ae_wr sig;
	int rc;

	ae_wr_init(&sig, AE_SIG_MAX);
	rc = ae_key_sign(&sig, k, alg, tbs, len, e);
	if (rc == AE_OK)
		rc = ae_key_verify(k, alg, tbs, len, sig.p, sig.len, e);
	if (rc == AE_OK)
		rc = ae_signed_put(w, tbs, len, alg, sig.p, sig.len, e);
	ae_wr_done(&sig);
	return rc;
}
