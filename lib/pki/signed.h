/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * X.509's SIGNED{}: what is signed, the algorithm, the signature.  For this
 * folder only: certificates, requests and CRLs share it.
 */
#ifndef AE_PKI_SIGNED_H
#define AE_PKI_SIGNED_H

#include "base/err.h"
#include "base/wr.h"
#include "pki/key.h"

/* Append SEQUENCE { tbs, algorithm, BIT STRING sig }. */
int ae_signed_put(struct ae_wr *w, const void *tbs, size_t len,
    const struct ae_sigalg *alg, const void *sig, size_t siglen,
    struct ae_err *e) AE_MUST_CHECK;

/*
 * Sign, verify what came out (a fault in the signer must not leave it), and
 * append the whole.
 */
int ae_signed_make(struct ae_wr *w, const void *tbs, size_t len,
    const struct ae_sigalg *alg, const struct ae_key *k,
    struct ae_err *e) AE_MUST_CHECK;

/*
 * The same around something of len bytes that is elsewhere: what stands
 * before it, for a signature of siglen bytes, and what stands behind.
 */
void ae_signed_head(
    struct ae_wr *w, size_t len, const struct ae_sigalg *alg, size_t siglen);
void ae_signed_tail(struct ae_wr *w, const struct ae_sigalg *alg,
    const void *sig, size_t siglen);

#endif
