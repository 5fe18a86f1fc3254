/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * IObjectExporter without its pings, MS-DCOM 3.1.2.5.1.
 */
#include "dcom/export.h"

static uint32_t
resolve(struct dcom_call *c, const struct ae_ndr_type *t)
{
	const struct ae_dcom_resolve_in *in = c->in;
	struct ae_dcom_resolve_out out = { 0 };

	/*
	 * The protocol sequences asked for are not looked at: we listen on
	 * TCP, and whoever asks is there.
	 */
	if (in->oxid != c->x->oxid) {
		out.status = AE_DCOM_OR_INVALID_OXID;
		return dcom_reply(c, t, &out);
	}
	out.bindings = &c->x->bindings;
	out.rem_unknown = ae_dcom_exporter_rem_unknown(c->x);
	out.authn_hint = (uint32_t)c->x->call_level;
	out.version = (struct ae_dcom_version){ AE_DCOM_MAJOR, AE_DCOM_MINOR };
	return dcom_reply(c, t, &out);
}

uint32_t
dcom_resolve_oxid(struct dcom_call *c)
{
	return resolve(c, &ae_dcom_resolve_out_type);
}

uint32_t
dcom_resolve_oxid2(struct dcom_call *c)
{
	return resolve(c, &ae_dcom_resolve2_out_type);
}

uint32_t
dcom_server_alive(struct dcom_call *c)
{
	const struct ae_dcom_status_out out = { 0 };

	return dcom_reply(c, &ae_dcom_status_out_type, &out);
}

uint32_t
dcom_server_alive2(struct dcom_call *c)
{
	const struct ae_dcom_alive2_out out = {
		.version = { AE_DCOM_MAJOR, AE_DCOM_MINOR },
		.bindings = &c->x->resolver,
	};

	return dcom_reply(c, &ae_dcom_alive2_out_type, &out);
}
