/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The encoded caller that processes pass each other.  What decodes encodes
 * to the same bytes.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gss/caller.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct ae_caller *c = NULL;
	struct ae_wr w;
	struct ae_rd r;

	ae_rd_init(&r, p, len);
	if (ae_caller_decode(&c, &r, NULL) != AE_OK)
		return 0;
	ae_wr_init(&w, AE_CALLER_WIRE_MAX);
	ae_caller_encode(&w, c);
	if (!ae_wr_ok(&w) || w.len != r.off || memcmp(w.p, p, w.len) != 0)
		abort();
	ae_wr_done(&w);
	ae_caller_free(c);
	return 0;
}
