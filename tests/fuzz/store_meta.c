/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Door: meta.json of a request under way, which an earlier version or a
 * broken disk may have left.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "store/internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct ae_store_request_meta m, again;
	struct ae_wr w;

	if (store_meta_parse(&m, p, len, NULL) != AE_OK)
		return 0;
	ae_wr_init(&w, AE_STORE_FILE_MAX);
	if (store_meta_put(&w, &m, NULL) != AE_OK ||
	    store_meta_parse(&again, w.p, w.len, NULL) != AE_OK)
		abort();
	if (m.state != again.state || m.request_id != again.request_id ||
	    strcmp(m.ca_config, again.ca_config) != 0 ||
	    strcmp(m.renews, again.renews) != 0)
		abort();
	ae_wr_done(&w);
	return 0;
}
