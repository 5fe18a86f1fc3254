/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Is this the exchange certificate of a CA of ours?  Judged before a private
 * key is encrypted to it (MS-WCCE 3.1.1.4.3.6).
 */
#ifndef AE_ENROLL_EXCHANGE_H
#define AE_ENROLL_EXCHANGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "pki/cert.h"

struct ae_exchange_trust {
	const char *authority;	    /* the CA's name, which issued it */
	const struct ae_der *roots; /* DER, from the directory */
	size_t nroots;
	const struct ae_der *others; /* DER intermediates, likewise */
	size_t nothers;
	int64_t now;
};

/*
 * AE_OK, or AE_ETRUST with the reason: it is valid now, for the usage "CA
 * exchange" (1.3.6.1.4.1.311.21.5), no CA certificate, has an RSA key,
 * names this CA as its issuer, and chains to a root of the directory.
 */
int ae_exchange_check(const struct ae_cert *c,
    const struct ae_exchange_trust *t, struct ae_err *e) AE_MUST_CHECK;

#endif
