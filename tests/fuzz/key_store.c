/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Door: what is stored beside a certificate, key.pem or key.uri, read for its
 * public half.
 */
#include <stddef.h>
#include <stdint.h>

#include "pki/keydev.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	uint8_t id[AE_KEY_ID_LEN];
	struct ae_key *k = NULL;

	if (ae_key_stored_public(&k, id, p, len, NULL) == AE_OK)
		ae_key_free(k);
	return 0;
}
