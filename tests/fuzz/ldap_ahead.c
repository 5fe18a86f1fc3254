/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Door: what an earlier connection to the directory was asked, as it is kept
 * in a file.  What is read is written as it was.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ad/ahead.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct ae_arena *a = ae_arena_new(1024 * 1024);
	struct ae_ad_query q;
	const uint8_t *bytes;
	struct ae_wr w;
	struct ae_rd r;
	size_t n;

	ae_rd_init(&r, p, len);
	while (a != NULL && ae_ad_question_get(&q, &bytes, &n, a, &r)) {
		ae_wr_init(&w, 1024 * 1024);
		ae_ad_question_put(&w, &q);
		if (ae_wr_ok(&w) &&
		    (w.len != n + 4 || memcmp(w.p + 4, bytes, n) != 0))
			abort();
		ae_wr_done(&w);
	}
	ae_arena_free(a);
	return 0;
}
