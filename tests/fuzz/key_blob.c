/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Door: keys in Microsoft's and the TPM's own binary forms.  The first byte
 * says which: an archived private key, or a TPM2B_PUBLIC.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "pki/key.h"
#include "pki/tss2.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct ae_secret blob = { 0 };
	struct ae_key *k = NULL;

	if (len == 0)
		return 0;
	if (p[0] == 1) {
		if (ae_tpm2b_public(&k, p + 1, len - 1, NULL) == AE_OK)
			ae_key_free(k);
	} else if (ae_key_from_private_blob(&k, p + 1, len - 1, NULL) ==
	    AE_OK) {
		/* What was read can be written. */
		if (ae_key_to_private_blob(&blob, k, NULL) != AE_OK)
			abort();
		ae_secret_done(&blob);
		ae_key_free(k);
	}
	return 0;
}
