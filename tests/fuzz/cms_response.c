/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Fuzz door: what a CA answers.
 */
#include <stddef.h>
#include <stdint.h>

#include "pki/response.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct ae_answer *a = NULL;

	if (ae_answer_parse(&a, p, len, NULL) == AE_OK && a->ncerts > 0)
		(void)ae_cert_self_issued(a->certs[0]);
	ae_answer_free(a);
	return 0;
}
