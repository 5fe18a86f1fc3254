/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Door: nTSecurityDescriptor.  What parses must encode, parse again to the
 * same, and be checkable.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "ad/sd.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	static const struct ae_sid who = { 1, 1, { 0 } };
	struct ae_sd *sd = NULL, *again = NULL;
	struct ae_token *t = NULL;
	struct ae_wr w;
	uint32_t granted;

	if (ae_sd_parse(&sd, p, len, NULL) != AE_OK)
		return 0;
	ae_wr_init(&w, AE_SD_BYTES_MAX);
	if (ae_sd_encode(&w, sd, NULL) == AE_OK &&
	    (ae_sd_parse(&again, w.p, w.len, NULL) != AE_OK ||
		!ae_sd_equal(sd, again)))
		abort();
	if (ae_token_exact(&t, &who, 1, NULL) == AE_OK) {
		(void)ae_sd_can_enroll(sd, t);
		(void)ae_sd_access_check(
		    sd, t, AE_ACCESS_MAXIMUM_ALLOWED, NULL, &who, &granted);
	}
	ae_token_free(t);
	ae_sd_canonicalize(sd);
	ae_sd_free(again);
	ae_sd_free(sd);
	ae_wr_done(&w);
	return 0;
}
