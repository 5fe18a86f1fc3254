/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Door: what the sysvol helper answers, and what it is asked.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/rd.h"
#include "policy/files.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct ae_sysvol_request q;
	struct ae_sysvol_reply r;
	struct ae_policy_cache c;
	struct ae_rd rd;
	size_t i;

	for (i = 1; i <= 4; i++)
		if (ae_sysvol_reply_get(&r, p, len, i, NULL) == AE_OK)
			ae_sysvol_reply_done(&r);
	if (ae_sysvol_request_get(&q, p, len, NULL) == AE_OK) {
		for (i = 0; i < q.n; i++)
			(void)ae_sysvol_path_ok(q.files[i].path);
		ae_sysvol_request_done(&q);
	}
	ae_rd_init(&rd, p, len);
	if (ae_policy_cache_get(&c, &rd, NULL) == AE_OK)
		ae_policy_cache_done(&c);
	return 0;
}
