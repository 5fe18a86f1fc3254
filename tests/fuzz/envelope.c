/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Door: a private key that a client archives, as far as ca reads it: which
 * exchange certificate it is encrypted to.
 */
#include <stdlib.h>

#include "pki/envelope.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t serial[AE_RECIPIENT_MAX];
	struct ae_err e = AE_ERR_INIT;
	size_t len = 0;
	int rc = ae_envelope_recipient(serial, &len, data, size, &e);

	if (rc == AE_OK ? len == 0 || len > sizeof(serial)
			: rc != AE_EPROTO && rc != AE_ENOMEM)
		abort();
	return 0;
}
