/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Certificates to be signed: a description is written to DER in one pass,
 * signed elsewhere (the sign process parses it back with ae_cert_parse_tbs
 * and judges it first), and put together here.
 */
#ifndef AE_PKI_TBS_H
#define AE_PKI_TBS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/wr.h"
#include "pki/der.h"
#include "pki/ext.h"
#include "pki/key.h"

#define AE_SERIAL_MAX 20 /* RFC 5280 4.1.2.2 */

/* Everything is borrowed for the call. */
struct ae_tbs {
	struct ae_der serial;	 /* big endian, 1..20 bytes, positive */
	struct ae_sigalg sigalg; /* the issuer's */
	struct ae_der issuer;	 /* DER Name */
	struct ae_der subject;	 /* DER Name, may be empty */
	int64_t not_before, not_after;
	struct ae_der spki;
	struct ae_exts x;
};

/*
 * Append the TBSCertificate.  The names and the SubjectPublicKeyInfo are
 * copied as they are.  AE_EINVAL when the description cannot be a
 * certificate: serial zero, negative or too long, times reversed or out of
 * years 1950..9999, empty issuer, subject and SAN both empty.
 */
int ae_tbs_encode(
    struct ae_wr *w, const struct ae_tbs *t, struct ae_err *e) AE_MUST_CHECK;

/* Append the certificate made of a TBS, its algorithm and a signature. */
int ae_tbs_assemble(struct ae_wr *w, const void *tbs, size_t len,
    const struct ae_sigalg *alg, const void *sig, size_t siglen,
    struct ae_err *e) AE_MUST_CHECK;

/*
 * All of it where the key is at hand: encode, sign, verify the signature,
 * append the certificate.
 */
int ae_tbs_sign(struct ae_wr *w, const struct ae_tbs *t,
    const struct ae_key *issuer, struct ae_err *e) AE_MUST_CHECK;

/*
 * Fill a description of a self-signed CA certificate for key k: issuer =
 * subject = name, CA:TRUE, key usage digitalSignature|keyCertSign|cRLSign,
 * SKI, CA version 0.0.  keyid is storage that must live as long as *t.
 */
int ae_tbs_root(struct ae_tbs *t, const struct ae_key *k, enum ae_hash hash,
    struct ae_der name, struct ae_der serial, int64_t not_before,
    int64_t not_after, uint8_t keyid[AE_KEY_ID_LEN],
    struct ae_err *e) AE_MUST_CHECK;

#endif
