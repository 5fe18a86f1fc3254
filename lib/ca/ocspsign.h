/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The key that signs OCSP responses: the certificate the CA makes for it
 * (RFC 6960 4.2.2.2: issued by the key whose certificates it speaks of), and
 * the judgement of who holds it.
 */
#ifndef AE_CA_OCSPSIGN_H
#define AE_CA_OCSPSIGN_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/wr.h"
#include "ca/config.h"
#include "ca/decide.h"

#define AE_CA_OCSP_DAYS 7
/* A new one is made when so much of it is left. */
#define AE_CA_OCSP_ROTATE (2 * 86400)

/*
 * Append its TBSCertificate for this public key, under cfg->cert; the serial
 * number goes to serial, made of random.
 */
int ae_ca_ocsp_tbs(struct ae_wr *w, uint8_t serial[AE_CA_SERIAL_LEN],
    int64_t *not_after, const struct ae_ca_config *cfg, const void *spki,
    size_t len, int64_t now, const uint8_t random[AE_CA_RANDOM_LEN],
    struct ae_err *e) AE_MUST_CHECK;

/*
 * May this ResponseData be signed at time now by the key of that identifier?
 * It must speak for that key, be of this moment and be forgotten within
 * max_validity.  AE_EPROTO or AE_EDENIED.
 */
int ae_ca_sign_check_ocsp(const void *data, size_t len,
    const uint8_t keyid[AE_KEY_ID_LEN], int64_t max_validity, int64_t now,
    struct ae_err *e) AE_MUST_CHECK;

#endif
