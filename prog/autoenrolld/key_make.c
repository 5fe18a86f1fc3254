/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Making keys and finding them again, before any CA is asked; see
 * role_key.h.
 */
#include "role_key.h"

#include <stdio.h>

#include "enroll/keyspec.h"

int
key_make(struct ae_key **out, uint32_t alg, uint32_t bits, struct ae_err *e)
{
	if (alg > AE_ALG_P521)
		return key_malformed(e, "key algorithm");
	return ae_key_generate(
	    out, alg == AE_ALG_RSA ? AE_KEY_RSA : AE_KEY_EC, bits, e);
}

int
key_file(struct ae_secret *out, const char **name, const struct ae_key *k,
    struct ae_err *e)
{
	*name = AE_STORE_KEY_PEM;
	return ae_key_to_pem(out, k, NULL, e);
}

int
key_open(struct ae_key **out, const struct role *r, const char *area,
    const char *tmpl, unsigned number, struct ae_err *e)
{
	char uri[4096];

	if ((size_t)snprintf(uri, sizeof(uri), "file:%s/%s/%s/%u/%s",
		r->c->state_dir, area, tmpl, number,
		AE_STORE_KEY_PEM) >= sizeof(uri))
		return ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
		    "the path of a key is too long");
	return ae_key_open(out, uri, NULL, e);
}
