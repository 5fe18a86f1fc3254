/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * A private key in a CA's archive, the CA's half (the client's is archive.h):
 * out of the client's envelope, and into one for the key recovery agents.
 */
#ifndef AE_PKI_RECOVER_H
#define AE_PKI_RECOVER_H

#include <stddef.h>

#include "base/err.h"
#include "base/secret.h"
#include "base/wr.h"
#include "pki/cert.h"
#include "pki/key.h"

#define AE_ARCHIVED_MAX 0x8000	 /* an envelope with a key in it */
#define AE_ARCHIVED_KEY_MAX 8192 /* the key in it */
#define AE_RECOVERY_AGENTS_MAX 8

/*
 * The BLOB (MS-WCCE 2.2.2.9) in the ContentInfo der, which is enveloped for
 * the certificate to with the key k.  AE_EPROTO: no such message, AE_ETRUST:
 * it cannot be opened with that key.
 */
int ae_archive_open(struct ae_secret *blob, const void *der, size_t len,
    const struct ae_key *k, const struct ae_cert *to,
    struct ae_err *e) AE_MUST_CHECK;

/* AE_ETRUST unless the BLOB is the private half of this public key. */
int ae_archive_matches(const struct ae_secret *blob, const void *spki,
    size_t len, struct ae_err *e) AE_MUST_CHECK;

/*
 * Append a DER ContentInfo: the BLOB under AES-256-CBC for each of the n
 * certificates, which have RSA keys.
 */
int ae_archive_wrap(struct ae_wr *w, const struct ae_secret *blob,
    const struct ae_cert *const *agents, size_t n,
    struct ae_err *e) AE_MUST_CHECK;

/*
 * The answer of GetArchivedKey, MS-CSRA 3.1.4.2.9: a CMS signed by the CA
 * around that ContentInfo.  In two steps, for a key in another process: attrs
 * appends what is to be signed (AE_EPROTO: der is no enveloped message), sign
 * puts all together.  unwrap appends the message that is inside; the
 * signature is verified with the certificate that came along, which proves
 * integrity and nothing about trust.
 */
int ae_archive_attrs(struct ae_wr *w, const void *der, size_t len,
    enum ae_hash hash, struct ae_err *e) AE_MUST_CHECK;
int ae_archive_sign(struct ae_wr *w, const void *der, size_t len,
    const struct ae_cert *ca, const struct ae_sigalg *alg, struct ae_der attrs,
    struct ae_der sig, struct ae_err *e) AE_MUST_CHECK;
int ae_archive_unwrap(struct ae_wr *w, const void *der, size_t len,
    struct ae_err *e) AE_MUST_CHECK;

#endif
