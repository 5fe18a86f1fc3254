/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Door: a connection file that somebody else wrote.  What was set stays set.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "deploy/keyfile.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	static const struct ae_keyfile_row rows[] = {
		{ "connection", "id", "x", .keep = true },
		{ "802-1x", "client-cert", "/cert.pem" },
		{ "802-1x", "phase2", NULL },
	};
	struct ae_wr once, twice;

	ae_wr_init(&once, 4 * AE_KEYFILE_MAX);
	ae_wr_init(&twice, 4 * AE_KEYFILE_MAX);
	if (ae_keyfile_update(&once, (const char *)p, len, rows, 3, NULL) ==
		AE_OK &&
	    once.len <= AE_KEYFILE_MAX) {
		if (ae_keyfile_update(&twice, (const char *)once.p, once.len,
			rows, 3, NULL) != AE_OK ||
		    twice.len != once.len ||
		    memcmp(once.p, twice.p, once.len) != 0)
			abort();
	}
	ae_wr_done(&once);
	ae_wr_done(&twice);
	return 0;
}
