/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What key a template wants, and which of this machine's providers can make
 * it.
 */
#ifndef AE_ENROLL_KEYSPEC_H
#define AE_ENROLL_KEYSPEC_H

#include <stdbool.h>
#include <stdint.h>

#include "ad/template.h"
#include "base/err.h"
#include "enroll/provider.h"
#include "pki/key.h"

enum ae_key_alg {
	AE_ALG_RSA,
	AE_ALG_P256,
	AE_ALG_P384,
	AE_ALG_P521,
};

struct ae_key_spec {
	enum ae_key_alg alg;
	uint32_t bits;		   /* RSA modulus, or the curve's size */
	enum ae_provider provider; /* the first that can serve */
	const char *provider_name; /* the template's word for it, borrowed from
				      the template; NULL: it has no list */
	enum ae_hash hash;	   /* to sign the request with */
	bool pss;		   /* RSASSA-PSS instead of PKCS#1 v1.5 */
	bool exportable; /* may leave in a PKCS#12, or has to for archival */

	/* after a failure: what failed, as knowledge of checks names it */
	const char *check; /* "key.provider-missing" and the like */
	uint16_t event;	   /* of CertEnroll */
};

/*
 * Reads the template's key settings (MS-CRTD 2.8, 2.19, 2.23, 2.27).  p says
 * what is at hand here; NULL: software alone.  RSA keys are at least 2048
 * bits whatever the template says, and SHA-1 is not obeyed.  AE_EINVAL with an
 * MS-ERREF code when the algorithm is unknown, the size is not one we make,
 * or none of the listed providers can serve; e names each with its reason,
 * out->check and out->event say which, and provider is NONE in the last case.
 */
int ae_key_spec_from_template(struct ae_key_spec *out,
    const struct ae_template *t, const struct ae_providers *p,
    struct ae_err *e) AE_MUST_CHECK;

/*
 * Whether a kind of provider may serve this template: NULL, or why not.  A
 * key that is archived or exported has to be able to leave, MS-CRTD 2.27.
 */
const char *ae_key_kind_refused(
    const struct ae_template *t, enum ae_provider kind);

/* "RSA", "ECDSA_P256" … as templates spell them. */
const char *ae_key_alg_name(enum ae_key_alg alg);

/* Attestation as msPKI-Private-Key-Flag words it. */
enum ae_attest {
	AE_ATTEST_NONE,
	AE_ATTEST_PREFERRED, /* a request without it is as good */
	AE_ATTEST_REQUIRED,
};

#define AE_ATTEST_STR_MAX 256

/*
 * What the template wants, and the sentence about it: who must vouch for the
 * endorsement key, and that no key here is attested, which with
 * ATTEST_REQUIRED means that nothing is requested (MS-WCCE 3.1.2.4.2.2.2.2;
 * check key.attestation, event 85, CERTSRV_E_KEY_ATTESTATION_NOT_SUPPORTED).
 */
enum ae_attest ae_attestation(
    const struct ae_template *t, char text[AE_ATTEST_STR_MAX]);
#define AE_ATTEST_HR UINT32_C(0x80094017)

#endif
