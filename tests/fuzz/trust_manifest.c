/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Door: the manifest of the system's trust, and the list of what was
 * deployed: files that decide what is removed.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "deploy/manifest.h"
#include "deploy/state.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct ae_deployed_list l;
	struct ae_manifest m, again;
	struct ae_wr w;
	size_t i;

	if (ae_deployed_parse(&l, (const char *)p, len, NULL) == AE_OK)
		ae_deployed_done(&l);
	if (ae_manifest_parse(&m, (const char *)p, len, NULL) != AE_OK)
		return 0;
	for (i = 0; i < m.n; i++)
		if (!ae_manifest_name_ok(m.v[i].name))
			abort();
	ae_wr_init(&w, 2 * AE_MANIFEST_MAX);
	ae_manifest_print(&w, &m);
	if (ae_manifest_parse(&again, (char *)w.p, w.len, NULL) != AE_OK ||
	    again.n != m.n)
		abort();
	ae_manifest_done(&again);
	ae_manifest_done(&m);
	ae_wr_done(&w);
	return 0;
}
