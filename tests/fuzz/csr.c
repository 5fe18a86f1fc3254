/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Fuzz door: PKCS#10 requests.
 */
#include <stddef.h>
#include <stdint.h>

#include "pki/csr.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	static const struct ae_key_policy policy = { 2048, 4096, 256 };
	struct ae_csr *c = NULL;

	if (ae_csr_parse(&c, p, len, NULL) == AE_OK &&
	    (ae_csr_verify(c, NULL) == AE_OK ||
		ae_csr_verify_null(c, NULL) == AE_OK ||
		ae_key_check(c->key, &policy, NULL) == AE_OK))
		(void)ae_pairs_get(c->pairs, c->npairs, "rmd");
	ae_csr_free(c);
	return 0;
}
