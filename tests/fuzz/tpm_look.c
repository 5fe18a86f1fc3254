/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Door: what a TPM, or whatever answers in its place, says of itself.
 */
#include <stdint.h>
#include <stdlib.h>

#include "pki/tpm_look.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct ae_tpm_seen seen;
	bool yes;

	/* They are told apart by their length alone. */
	if (ae_tpm_take_properties(&seen, p, len) &&
	    ae_tpm_take_verdict(&yes, p, len))
		abort();
	return 0;
}
