/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * "TSS2 PRIVATE KEY" files: what they say in the clear.  The private half is
 * sealed to one TPM; the public half is read here without asking it.  For
 * this folder and its tests.
 */
#ifndef AE_PKI_TSS2_H
#define AE_PKI_TSS2_H

#include "pki/key.h"

#define AE_TSS2_PEM "TSS2 PRIVATE KEY"

/*
 * The public key of a TSS2 file in PEM.  AE_EPROTO when it is none, or not a
 * key on a curve of ours or RSA with a usable exponent.
 */
int ae_tss2_public(struct ae_key **out, const void *pem, size_t len,
    struct ae_err *e) AE_MUST_CHECK;

/* The same from the TPM2B_PUBLIC inside. */
int ae_tpm2b_public(struct ae_key **out, const void *p, size_t len,
    struct ae_err *e) AE_MUST_CHECK;

#endif
