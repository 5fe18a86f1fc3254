/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Fuzz door: enrollment requests of every form, with their signatures.
 */
#include <stddef.h>
#include <stdint.h>

#include "pki/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct ae_request *r = NULL;

	if (ae_request_parse(&r, AE_REQUEST_ANY, p, len, NULL) == AE_OK)
		(void)ae_pairs_get(r->reginfo, r->nreginfo, "rmd");
	ae_request_free(r);
	return 0;
}
