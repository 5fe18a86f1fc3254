/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * SIGNED{}: see signed.h.
 */
#include "pki/signed.h"

#include "pki/der.h"

int
ae_signed_put(struct ae_wr *w, const void *tbs, size_t len,
    const struct ae_sigalg *alg, const void *sig, size_t siglen,
    struct ae_err *e)
{
	size_t all, bits;

	all = ae_der_open(w, AE_DER_SEQUENCE);
	ae_wr_bytes(w, tbs, len);
	ae_sigalg_put(w, alg);
	bits = ae_der_open(w, AE_DER_BITSTRING);
	ae_wr_u8(w, 0);
	ae_wr_bytes(w, sig, siglen);
	ae_der_close(w, bits);
	ae_der_close(w, all);
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
