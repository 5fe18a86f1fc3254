/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Every table of MS-DCOM: the first byte chooses it and the byte order.
 * What decodes must encode and print.
 */
#include <stdint.h>
#include <stdlib.h>

#include "dcom/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

static const struct ae_ndr_type *const tables[] = { &ae_dcom_this_type,
	&ae_dcom_that_type, &ae_dcom_custom_header_type,
	&ae_dcom_instantiation_type, &ae_dcom_special_type,
	&ae_dcom_scm_request_type, &ae_dcom_activation_context_type,
	&ae_dcom_location_type, &ae_dcom_security_info_type,
	&ae_dcom_scm_reply_type, &ae_dcom_props_out_type,
	&ae_dcom_resolve_in_type, &ae_dcom_resolve_out_type,
	&ae_dcom_resolve2_out_type, &ae_dcom_simple_ping_in_type,
	&ae_dcom_complex_ping_in_type, &ae_dcom_complex_ping_out_type,
	&ae_dcom_status_out_type, &ae_dcom_alive2_out_type,
	&ae_dcom_remote_activation_in_type, &ae_dcom_remote_activation_out_type,
	&ae_dcom_create_instance_in_type, &ae_dcom_get_class_in_type,
	&ae_dcom_activate_out_type, &ae_dcom_rem_qi_in_type,
	&ae_dcom_rem_qi_out_type, &ae_dcom_rem_qi2_in_type,
	&ae_dcom_rem_qi2_out_type, &ae_dcom_refs_in_type,
	&ae_dcom_add_ref_out_type, &ae_dcom_orpc_out_type,
	&ae_dcom_factory_create_in_type, &ae_dcom_factory_create_out_type,
	&ae_dcom_factory_lock_in_type };

static void
must(int rc)
{
	if (rc != AE_OK && rc != AE_ENOMEM)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	const struct ae_ndr_type *t;
	struct ae_arena *a;
	uint64_t v[64];
	size_t used;
	struct ae_wr w;

	if (len < 1)
		return 0;
	t = tables[(p[0] & 0x7f) % (sizeof(tables) / sizeof(tables[0]))];
	if (t->size > sizeof(v))
		abort();
	a = ae_arena_new(1 << 18);
	ae_wr_init(&w, 1 << 22);
	if (a != NULL &&
	    ae_ndr_decode(t, v, p + 1, len - 1, p[0] & 0x80, a, &used, NULL) ==
		AE_OK) {
		must(ae_ndr_encode(t, v, &w, NULL));
		ae_wr_reset(&w);
		must(ae_ndr_print(t, v, &w, NULL));
	}
	ae_wr_done(&w);
	ae_arena_free(a);
	return 0;
}
