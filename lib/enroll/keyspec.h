/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What key a template wants, and which of our providers can make it.
 */
#ifndef AE_ENROLL_KEYSPEC_H
#define AE_ENROLL_KEYSPEC_H

#include <stdbool.h>
#include <stdint.h>

#include "ad/template.h"
#include "base/err.h"

enum ae_key_alg {
	AE_ALG_RSA,
	AE_ALG_P256,
	AE_ALG_P384,
	AE_ALG_P521,
};

enum ae_provider {
	AE_PROVIDER_NONE, /* nothing here can serve */
	AE_PROVIDER_SOFTWARE,
	AE_PROVIDER_TPM,
	AE_PROVIDER_TOKEN, /* smart card or HSM */
};

struct ae_key_spec {
	enum ae_key_alg alg;
	uint32_t bits; /* RSA modulus, or the curve's size */
	enum ae_provider provider;
};

/*
 * Reads the template's key settings (MS-CRTD 2.8, 2.19, 2.23).  RSA keys are
 * at least 2048 bits whatever the template says.  Fails with AE_EINVAL when
 * the algorithm is unknown, the size is not one we make, or none of the
 * listed providers has a counterpart here; e then names which.
 */
int ae_key_spec_from_template(struct ae_key_spec *out,
    const struct ae_template *t, struct ae_err *e) AE_MUST_CHECK;

/*
 * The counterpart of a Windows provider name: what is between "N," and the
 * end of a pKIDefaultCSPs line.  Unknown names give AE_PROVIDER_NONE.
 */
enum ae_provider ae_provider_find(const char *windows_name);

/* "RSA", "ECDSA_P256" … as templates spell them. */
const char *ae_key_alg_name(enum ae_key_alg alg);

#endif
