/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * A fingerprint of the GPOs that apply; see gpo_version.h.
 */
#include "policy/gpo_version.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"

const char *
ae_gpos_version(char out[AE_GPO_VERSION_STR_MAX], const struct ae_gpos *g)
{
	uint64_t h = AE_HASH_INIT;
	size_t i;

	for (i = 0; i < g->nchoices; i++) {
		const struct ae_gpo_choice *c = &g->choices[i];
		uint32_t version;

		if (c->verdict != AE_GPO_APPLIES || c->gpo == NULL)
			continue;
		version =
		    g->user ? c->gpo->version >> 16 : c->gpo->version & 0xffff;
		h = ae_hash(h, c->dn, strlen(c->dn) + 1);
		h = ae_hash(h, &version, sizeof(version));
	}
	(void)snprintf(
	    out, AE_GPO_VERSION_STR_MAX, "%016" PRIx64, ae_hash_finish(h));
	return out;
}
