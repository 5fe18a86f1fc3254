/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Bytes that only who has the CA's key can read: how nodes of one CA hand
 * each other a secret through the database.  AES-256-GCM under a key that
 * HKDF makes from the CA's: from an RSA key by a signature over a text that
 * is nothing else, which a device can make as well and which is the same each
 * time; from an EC key by the key itself.
 */
#ifndef AE_PKI_SEAL_H
#define AE_PKI_SEAL_H

#include "base/err.h"
#include "base/secret.h"
#include "base/wr.h"
#include "pki/key.h"

#define AE_SEALED_MAX 8192 /* what may be sealed, and what it becomes */

/*
 * Append p sealed under the private key k, for the use that label names.
 * AE_EUNAVAIL: an EC key that a device holds gives no secret away.
 */
int ae_seal(struct ae_wr *w, const struct ae_key *k, const char *label,
    const void *p, size_t len, struct ae_err *e) AE_MUST_CHECK;

/* AE_ETRUST: it was sealed under another key or label, or was changed. */
int ae_unseal(struct ae_secret *out, const struct ae_key *k, const char *label,
    const void *sealed, size_t len, struct ae_err *e) AE_MUST_CHECK;

#endif
