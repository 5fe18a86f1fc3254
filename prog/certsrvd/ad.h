/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Between the files of the process that speaks LDAP.
 */
#ifndef CERTSRVD_AD_H
#define CERTSRVD_AD_H

#include "base/err.h"
#include "conf.h"

struct ae_ad;

/*
 * Replace the CRL of this CA's object below CN=CDP.  AE_ENOTFOUND: certsrv
 * setup has not made it; AE_EDENIED: the host's account may not write it.
 */
int ad_write_crl(const struct conf *c, struct ae_ad *ad, const void *der,
    size_t len, struct ae_err *e) AE_MUST_CHECK;

#endif
