/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * A private key on its way into a CA's archive: the BLOB of MS-WCCE 2.2.2.9
 * in a CMS EnvelopedData (RFC 5652 6) for the CA's exchange certificate.
 * The client's half.
 */
#ifndef AE_PKI_ARCHIVE_H
#define AE_PKI_ARCHIVE_H

#include "base/err.h"
#include "base/wr.h"
#include "pki/cert.h"
#include "pki/key.h"

/*
 * Append a DER ContentInfo: k's BLOB (ae_key_to_private_blob) under
 * AES-256-CBC, whose key is encrypted to the RSA key of the certificate, which
 * is named by issuer and serial.  Whether that certificate is to be trusted is
 * the caller's.
 */
int ae_archive_seal(struct ae_wr *w, const struct ae_key *k,
    const struct ae_cert *to, struct ae_err *e) AE_MUST_CHECK;

#endif
