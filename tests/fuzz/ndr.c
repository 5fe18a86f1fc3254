/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The NDR engine over the tables of the unit tests.  The first byte chooses
 * table and byte order.  What decodes must encode, and then decode again.
 */
#include <stdint.h>
#include <stdlib.h>

#include "tables.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

static void
must(int rc)
{
	if (rc != AE_OK && rc != AE_ENOMEM)
		abort();
}

static void
once(const struct ae_ndr_type *t, const uint8_t *p, size_t len, bool big)
{
	struct ae_arena *a = ae_arena_new(1 << 18);
	uint64_t v[64];
	size_t used;
	struct ae_wr w;

	ae_wr_init(&w, 1 << 20);
	if (a != NULL && t->size <= sizeof(v) &&
	    ae_ndr_decode(t, v, p, len, big, a, &used, NULL) == AE_OK) {
		must(ae_ndr_encode(t, v, &w, NULL));
		ae_arena_reset(a);
		if (ae_ndr_decode(t, v, w.p, w.len, false, a, NULL, NULL) ==
		    AE_OK) {
			ae_wr_reset(&w);
			must(ae_ndr_print(t, v, &w, NULL));
		}
	}
	ae_wr_done(&w);
	ae_arena_free(a);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	static const struct ae_ndr_type *const all[] = { &epm_map_in,
		&epm_map_out, &lsa_open_in, &lsa_policy_out, &logon_info_ptr,
		&zoo_type, &node_type };
	const size_t n = sizeof(all) / sizeof(all[0]);

	if (len < 1)
		return 0;
	once(all[(p[0] & 0x7f) % n], p + 1, len - 1, p[0] & 0x80);
	return 0;
}
