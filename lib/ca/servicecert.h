/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Certificates that the CA makes for keys of its own processes, without a
 * request and without a template of the directory.
 */
#ifndef AE_CA_SERVICECERT_H
#define AE_CA_SERVICECERT_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/wr.h"
#include "ca/config.h"
#include "ca/decide.h"
#include "pki/tbs.h"

/*
 * Append the TBSCertificate for a public key: "<CA><suffix>", from now for so
 * many days but not beyond the CA, with these extensions and both key
 * identifiers.  The serial number goes to serial, made of random.
 */
int ae_ca_service_tbs(struct ae_wr *w, uint8_t serial[AE_CA_SERIAL_LEN],
    int64_t *not_after, const struct ae_ca_config *cfg,
    const struct ae_exts *exts, const char *suffix, unsigned days,
    struct ae_der spki, int64_t now, const uint8_t random[AE_CA_RANDOM_LEN],
    struct ae_err *e) AE_MUST_CHECK;

#endif
