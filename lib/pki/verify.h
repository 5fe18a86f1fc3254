/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Chains: is this certificate good under these anchors at this time?
 */
#ifndef AE_PKI_VERIFY_H
#define AE_PKI_VERIFY_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "pki/cert.h"

/* Borrowed for the call. */
struct ae_verify {
	const struct ae_cert *const *anchors; /* trusted, roots or not */
	size_t nanchors;
	const struct ae_cert *const *others; /* may be used to get there */
	size_t nothers;
	int64_t at;
	/*
	 * OID the leaf must allow, see ae_cert_allows; one with neither
	 * list is for any purpose.  NULL: not looked at.
	 */
	const char *eku;
};

/*
 * AE_ETRUST with the X509_V_ERR number and text when there is no valid chain.
 * Revocation is not looked at.  Critical extensions that are not known are
 * refused; Microsoft's own are never critical.
 */
int ae_verify_chain(const struct ae_cert *leaf, const struct ae_verify *v,
    struct ae_err *e) AE_MUST_CHECK;

#endif
