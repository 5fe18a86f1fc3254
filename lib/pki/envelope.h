/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Something encrypted to the CA's exchange certificate: a CMS EnvelopedData
 * (RFC 5652 6) with one RSA recipient.  Archived keys, endorsement keys and
 * the answers to attestation challenges come in one.
 */
#ifndef AE_PKI_ENVELOPE_H
#define AE_PKI_ENVELOPE_H

#include <stddef.h>

#include "base/err.h"
#include "base/secret.h"
#include "base/wr.h"
#include "pki/cert.h"
#include "pki/key.h"

#define AE_ENVELOPE_MAX 0x8000 /* the whole message */
#define AE_RECIPIENT_MAX 20    /* a serial number, RFC 5280 4.1.2.2 */

/* AE_EPROTO unless der is such a message and nothing behind it. */
int ae_envelope_check(const void *der, size_t len, const char *what,
    struct ae_err *e) AE_MUST_CHECK;

/*
 * What is in the ContentInfo der, at most max bytes, which is enveloped for
 * the certificate to with the key k.  what names it in the message.
 * AE_EPROTO: no such message, AE_ETRUST: it cannot be opened with that key.
 */
int ae_envelope_open(struct ae_secret *out, const void *der, size_t len,
    const struct ae_key *k, const struct ae_cert *to, size_t max,
    const char *what, struct ae_err *e) AE_MUST_CHECK;

/*
 * Which certificate the ContentInfo der is enveloped for: the serial number of
 * its first recipient.  AE_EPROTO: no such message, or one that names its
 * recipient another way.
 */
int ae_envelope_recipient(uint8_t serial[AE_RECIPIENT_MAX], size_t *serial_len,
    const void *der, size_t len, struct ae_err *e) AE_MUST_CHECK;

/* Append one for that certificate, under AES-256-CBC. */
int ae_envelope_seal(struct ae_wr *w, const void *p, size_t len,
    const struct ae_cert *to, struct ae_err *e) AE_MUST_CHECK;

/* The OID of the algorithm the content is encrypted by, appended in DER. */
int ae_envelope_algorithm(struct ae_wr *w, const void *der, size_t len,
    struct ae_err *e) AE_MUST_CHECK;

#endif
