/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Making the key of a request, before any CA is asked; see role_key.h.
 */
#include "role_key.h"

#include "enroll/keyspec.h"

int
key_make(struct key_role *k, uint32_t alg, uint32_t bits, struct ae_err *e)
{
	if (alg > AE_ALG_P521)
		return key_malformed(e, "key algorithm");
	return ae_key_generate(
	    &k->key, alg == AE_ALG_RSA ? AE_KEY_RSA : AE_KEY_EC, bits, e);
}
