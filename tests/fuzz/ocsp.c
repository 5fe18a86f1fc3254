/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Fuzz door: OCSP requests, as anybody may send them, and the response data
 * that the signer is shown.
 */
#include <stddef.h>
#include <stdint.h>

#include "pki/ocsp.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct ae_ocsp_request *q = NULL, *id = NULL;
	struct ae_ocsp_data d;

	if (ae_ocsp_request_parse(&q, p, len, NULL) == AE_OK &&
	    ae_ocsp_id_parse(&id, q->id[0].der.p, q->id[0].der.len, NULL) !=
		AE_OK)
		__builtin_trap(); /* what was a CertID still is one */
	ae_ocsp_request_free(id);
	ae_ocsp_request_free(q);
	if (ae_ocsp_data_parse(&d, p, len, NULL) == AE_OK && d.n == 0)
		__builtin_trap();
	return 0;
}
