/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Fuzz door: certificates to be signed, as the sign process judges them.
 */
#include <stddef.h>
#include <stdint.h>

#include "pki/cert.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct ae_cert *c = NULL;

	if (ae_cert_parse_tbs(&c, p, len, NULL) == AE_OK)
		(void)ae_cert_self_issued(c);
	ae_cert_free(c);
	return 0;
}
