/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * IRemUnknown and IRemUnknown2 (MS-DCOM 3.1.1.5.6, 3.1.1.5.7), and the
 * class factory.  Reference counts are not kept: the objects live as long
 * as the exporter, so every count is good and every release is heard.
 */
#include "dcom/export.h"

uint32_t
dcom_rem_query_interface(struct dcom_call *c)
{
	const struct ae_dcom_rem_qi_in *in = c->in;
	struct ae_dcom_rem_qi_out out = { 0 };
	size_t object, slot, i;

	if (!dcom_find(c->x, &in->ipid, &object, &slot)) {
		out.hresult = AE_DCOM_E_INVALID_OBJECT;
		return dcom_reply(c, &ae_dcom_rem_qi_out_type, &out);
	}
	out.results = ae_arena_array(c->a, in->n, sizeof(*out.results));
	if (out.results == NULL)
		return AE_DCOM_E_OUTOFMEMORY;
	out.n = in->n;
	for (i = 0; i < in->n; i++) {
		if (dcom_slot(c->x, object, &in->iids[i], &slot))
			out.results[i].std =
			    dcom_std(c->x, object, slot, in->refs);
		else
			out.results[i].hresult = AE_DCOM_E_NOINTERFACE;
	}
	return dcom_reply(c, &ae_dcom_rem_qi_out_type, &out);
}

uint32_t
dcom_rem_query_interface2(struct dcom_call *c)
{
	const struct ae_dcom_rem_qi2_in *in = c->in;
	struct ae_dcom_rem_qi2_out out = { .n = in->n, .nresults = in->n };
	size_t object, slot, i;
	bool found = dcom_find(c->x, &in->ipid, &object, &slot);

	out.results = ae_arena_array(c->a, in->n, sizeof(*out.results));
	out.objrefs = ae_arena_array(c->a, in->n, sizeof(*out.objrefs));
	if (out.results == NULL || out.objrefs == NULL)
		return AE_DCOM_E_OUTOFMEMORY;
	if (!found)
		out.hresult = AE_DCOM_E_INVALID_OBJECT;
	for (i = 0; i < in->n; i++) {
		if (!found || !dcom_slot(c->x, object, &in->iids[i], &slot)) {
			out.results[i] = AE_DCOM_E_NOINTERFACE;
			continue;
		}
		out.objrefs[i] = dcom_mip(c, object, slot, TYPICAL_REFS);
		if (out.objrefs[i] == NULL)
			return AE_DCOM_E_OUTOFMEMORY;
	}
	return dcom_reply(c, &ae_dcom_rem_qi2_out_type, &out);
}

uint32_t
dcom_rem_add_ref(struct dcom_call *c)
{
	const struct ae_dcom_refs_in *in = c->in;
	struct ae_dcom_add_ref_out out = { .n = in->n };
	size_t object, slot, i;

	out.results = ae_arena_array(c->a, in->n, sizeof(*out.results));
	if (out.results == NULL)
		return AE_DCOM_E_OUTOFMEMORY;
	for (i = 0; i < in->n; i++)
		if (!dcom_find(c->x, &in->refs[i].ipid, &object, &slot))
			out.results[i] = AE_DCOM_E_OBJNOTREG;
	return dcom_reply(c, &ae_dcom_add_ref_out_type, &out);
}

/* An IPID that is not known is passed over, 3.1.1.5.6.1.3. */
uint32_t
dcom_rem_release(struct dcom_call *c)
{
	const struct ae_dcom_orpc_out out = { 0 };

	return dcom_reply(c, &ae_dcom_orpc_out_type, &out);
}

uint32_t
dcom_factory_create(struct dcom_call *c)
{
	const struct ae_dcom_factory_create_in *in = c->in;
	struct ae_dcom_factory_create_out out = { 0 };
	size_t factory, object, slot;

	/* The envelope was checked: the object is there, and a factory. */
	if (!dcom_find(c->x, &c->rpc->object, &factory, &slot))
		return AE_DCOM_E_DISCONNECTED;
	object = OBJECT_OF(CLASS_OF(factory));
	if (!dcom_slot(c->x, object, &in->iid, &slot)) {
		out.hresult = AE_DCOM_E_NOINTERFACE;
		return dcom_reply(c, &ae_dcom_factory_create_out_type, &out);
	}
	out.object = dcom_mip(c, object, slot, TYPICAL_REFS);
	if (out.object == NULL)
		return AE_DCOM_E_OUTOFMEMORY;
	return dcom_reply(c, &ae_dcom_factory_create_out_type, &out);
}

/* Our factories stay loaded with or without a lock. */
uint32_t
dcom_factory_lock(struct dcom_call *c)
{
	const struct ae_dcom_orpc_out out = { 0 };

	return dcom_reply(c, &ae_dcom_orpc_out_type, &out);
}
