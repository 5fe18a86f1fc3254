/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The CA's exchange certificate, to which clients encrypt the private keys
 * they have archived: made by the CA for itself, without a template of the
 * directory (MS-WCCE 3.2.1.4.3.2.15.1).
 */
#ifndef AE_CA_EXCHANGE_H
#define AE_CA_EXCHANGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/wr.h"
#include "ca/config.h"
#include "ca/decide.h"

#define AE_CA_EXCHANGE_DAYS 7
/* A new one is made when so much of it is left. */
#define AE_CA_EXCHANGE_ROTATE (2 * 86400)

/*
 * Append its TBSCertificate for this public key; the serial number goes to
 * serial, made of random.
 */
int ae_ca_exchange_tbs(struct ae_wr *w, uint8_t serial[AE_CA_SERIAL_LEN],
    int64_t *not_after, const struct ae_ca_config *cfg, const void *spki,
    size_t len, int64_t now, const uint8_t random[AE_CA_RANDOM_LEN],
    struct ae_err *e) AE_MUST_CHECK;

#endif
