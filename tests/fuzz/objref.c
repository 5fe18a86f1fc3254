/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Object references and everything that is looked for inside one: bindings,
 * contexts, activation properties of both directions.
 */
#include <stdint.h>
#include <stdlib.h>

#include "dcom/actprops.h"
#include "dcom/objref.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct ae_arena *a = ae_arena_new(1 << 18);
	struct ae_dcom_props_reply reply;
	struct ae_dcom_props_in in;
	struct ae_dcom_bindings b;
	struct ae_dcom_mip m;
	struct ae_dcom_objref o;
	uint32_t hr = 0;

	if (a == NULL || len > AE_DCOM_OBJREF_MAX)
		goto out;
	m = (struct ae_dcom_mip){ (uint32_t)len, ae_arena_dup(a, p, len) };
	if (m.data == NULL)
		goto out;
	if (ae_dcom_objref_decode(&o, m.data, m.len, a, NULL) == AE_OK &&
	    o.kind != AE_DCOM_OBJREF_CUSTOM)
		(void)!ae_dcom_bindings_get(&b, &o.resolver, a, NULL);
	(void)!ae_dcom_context_ok(&m, a);
	if (ae_dcom_props_in_get(&in, &m, a, &hr, NULL) != AE_OK && hr == 0)
		abort();
	(void)!ae_dcom_props_reply_get(&reply, &m, a, NULL);
out:
	ae_arena_free(a);
	return 0;
}
