/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Door: Registry.pol from SYSVOL, parsed, written again, carried out.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "policy/registry.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	static const char *const prefixes[] = { "Software", NULL };
	struct ae_pol pol, again;
	struct ae_registry *r;
	struct ae_wr w;

	if (ae_pol_parse(&pol, p, len, NULL) != AE_OK)
		return 0;
	ae_wr_init(&w, AE_POL_FILE_MAX);
	if (ae_pol_encode(&w, pol.v, pol.n, NULL) == AE_OK) {
		if (ae_pol_parse(&again, w.p, w.len, NULL) != AE_OK ||
		    again.n != pol.n)
			abort();
		ae_pol_done(&again);
	}
	ae_wr_done(&w);
	r = ae_registry_new(prefixes);
	if (r != NULL && ae_registry_apply(r, &pol, 0, NULL) == AE_OK)
		free(ae_registry_text(ae_registry_get(r, "Software", "x")));
	ae_registry_free(r);
	ae_pol_done(&pol);
	return 0;
}
