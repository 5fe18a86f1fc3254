/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The signer's own judgement of what it is asked to sign, made from the bytes
 * and its own configuration alone: whoever has taken over the deciding
 * process still cannot have a CA certificate, another issuer's certificate
 * or a certificate without bounds signed (doc/privsep.md).
 */
#ifndef AE_CA_SIGNCHECK_H
#define AE_CA_SIGNCHECK_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "pki/crl_parts.h"
#include "pki/der.h"
#include "pki/key.h"

#define AE_CA_TBS_MAX 0x10000
#define AE_CA_TBSCRL_MAX UINT64_C(0x40000000)
#define AE_CA_SIGN_CLOCK_SLACK 300 /* clocks of two processes, seconds */

struct ae_ca_sign_config {
	struct ae_der issuer;	 /* DER Name: the CA certificate's subject */
	struct ae_der keyid;	 /* the authority key identifier it writes */
	struct ae_sigalg sigalg; /* it signs with this and nothing else */
	int64_t ca_not_before;
	int64_t ca_not_after;
	int64_t max_lifetime;	    /* of a certificate, seconds; 0: CA's own */
	int64_t max_crl_lifetime;   /* of a CRL; 0: CA's own */
	int64_t max_delta_lifetime; /* of a delta CRL; 0: none is signed */
	int64_t max_backdate;	    /* notBefore not older than now - this */
	int64_t max_postdate;	    /* nor later than now + this */
	uint8_t serial_instance;
	unsigned rsa_bits_min;
	unsigned rsa_bits_max;
	struct ae_strv more_extensions; /* besides those of lint.c */
};

/* Of the certificate that was judged. */
struct ae_ca_signing {
	uint8_t serial[20]; /* RFC 5280 4.1.2.2 */
	size_t serial_len;
	int64_t not_after;
};

/*
 * May this DER TBSCertificate be signed at time now?  AE_OK, AE_EPROTO (not
 * a TBSCertificate) or AE_EDENIED; e says which rule of which value.  _which
 * tells what it is as well.
 */
int ae_ca_sign_check(const struct ae_ca_sign_config *cfg, const void *tbs,
    size_t len, int64_t now, struct ae_err *e) AE_MUST_CHECK;
int ae_ca_sign_check_which(struct ae_ca_signing *out,
    const struct ae_ca_sign_config *cfg, const void *tbs, size_t len,
    int64_t now, struct ae_err *e) AE_MUST_CHECK;

/*
 * The same for a TBSCertList that came in parts: parts has seen all but what
 * stands behind the list, which is given here.
 */
int ae_ca_sign_check_crl(const struct ae_ca_sign_config *cfg,
    struct ae_crl_parts *parts, const void *tail, size_t len, int64_t now,
    struct ae_err *e) AE_MUST_CHECK;

/*
 * The same for the signed attributes of a CMC full response (MS-WCCE
 * 3.2.1.4.2.1.4.8.2): exactly contentType id-cct-PKIResponse and a
 * messageDigest, so that nothing else can be had signed under that name.
 */
int ae_ca_sign_check_response(const struct ae_ca_sign_config *cfg,
    const void *attrs, size_t len, struct ae_err *e) AE_MUST_CHECK;

#endif
