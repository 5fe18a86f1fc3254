/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The activation properties blob, MS-DCOM 2.2.22: two sizes, a custom
 * header that lists the properties, and the properties, each one a
 * serialized type of its own.
 */
#include "dcom/actprops.h"

#include <string.h>

#include "base/rd.h"
#include "base/wr.h"
#include "dcom/objref.h"

#define DIFFERENT_MACHINE 2 /* destCtx, as other senders have it */
#define IMPERSONATE 2	    /* ClientImpLevel likewise */

/* One kind of property: where it goes when it is there. */
struct kind {
	const struct ae_guid *clsid;
	const struct ae_ndr_type *type;
	void *out;
	bool required;
	bool found;
};

static int
bad(struct ae_err *e, const char *what)
{
	return ae_fail(e, AE_EPROTO, AE_DOM_HRESULT, AE_DCOM_E_INVALIDARG,
	    "activation properties: %s", what);
}

/* The blob inside m: an OBJREF_CUSTOM of that class and interface. */
static int
open_blob(const struct ae_dcom_mip *m, const struct ae_guid *clsid,
    const struct ae_guid *iid, struct ae_rd *blob, struct ae_arena *a,
    struct ae_err *e)
{
	struct ae_dcom_objref o;
	uint32_t size;
	struct ae_rd r;
	int rc;

	if (m == NULL)
		return ae_fail(e, AE_EPROTO, AE_DOM_HRESULT,
		    AE_DCOM_E_INVALID_OBJREF, "no activation properties");
	rc = ae_dcom_objref_decode(&o, m->data, m->len, a, e);
	if (rc != AE_OK)
		return rc;
	if (o.kind != AE_DCOM_OBJREF_CUSTOM ||
	    !ae_guid_equal(&o.clsid, clsid) || !ae_guid_equal(&o.iid, iid))
		return ae_fail(e, AE_EPROTO, AE_DOM_HRESULT,
		    AE_DCOM_E_INVALID_OBJREF,
		    "not a reference to activation properties");
	ae_rd_init(&r, o.data, o.data_len);
	size = ae_rd_u32(&r);
	ae_rd_skip(&r, 4);
	*blob = ae_rd_sub(&r, size);
	if (!ae_rd_ok(&r))
		return bad(e, "the size does not fit");
	return AE_OK;
}

static int
get_property(struct kind *kinds, size_t nkinds, const struct ae_guid *clsid,
    struct ae_rd *bytes, struct ae_arena *a, struct ae_err *e)
{
	size_t i, used;

	for (i = 0; i < nkinds; i++)
		if (ae_guid_equal(kinds[i].clsid, clsid))
			break;
	if (i == nkinds)
		return AE_OK; /* ignored, MS-DCOM 3.1.2.5.2.3.2 */
	if (kinds[i].found)
		return bad(e, "one is there twice");
	kinds[i].found = true;
	return ae_ndr_unpickle(
	    kinds[i].type, kinds[i].out, bytes->p, bytes->len, a, &used, e);
}

static int
get_blob(const struct ae_dcom_mip *m, const struct ae_guid *clsid,
    const struct ae_guid *iid, struct kind *kinds, size_t nkinds,
    struct ae_arena *a, struct ae_err *e)
{
	struct ae_dcom_custom_header h;
	struct ae_rd blob, one;
	size_t used, i;
	int rc;

	rc = open_blob(m, clsid, iid, &blob, a, e);
	if (rc != AE_OK)
		return rc;
	rc = ae_ndr_unpickle(
	    &ae_dcom_custom_header_type, &h, blob.p, blob.len, a, &used, e);
	if (rc != AE_OK)
		return rc;
	if (h.header_size < used || h.header_size > blob.len ||
	    h.clsids == NULL || h.sizes == NULL)
		return bad(e, "the custom header does not add up");
	ae_rd_seek(&blob, h.header_size);
	for (i = 0; i < h.n; i++) {
		one = ae_rd_sub(&blob, h.sizes[i]);
		if (!ae_rd_ok(&blob))
			return bad(e, "the sizes do not add up");
		rc = get_property(kinds, nkinds, &h.clsids[i], &one, a, e);
		if (rc != AE_OK)
			return rc;
	}
	for (i = 0; i < nkinds; i++)
		if (kinds[i].required && !kinds[i].found)
			return ae_note(
			    e, bad(e, "missing"), "%s", kinds[i].type->name);
	return AE_OK;
}

/*
 * MS-DCOM 2.2.22.2.5: a client context that is there must be one.  A NULL
 * one should be refused by the letter, but is what impacket sends and
 * Windows takes.
 */
static int
check_contexts(const struct ae_dcom_activation_context *c, struct ae_arena *a,
    struct ae_err *e)
{
	if ((c->client != NULL && !ae_dcom_context_ok(c->client, a)) ||
	    (c->prototype != NULL && !ae_dcom_context_ok(c->prototype, a)))
		return ae_fail(e, AE_EPROTO, AE_DOM_HRESULT,
		    AE_DCOM_E_INVALID_OBJREF, "not a marshalled context");
	return AE_OK;
}

int
ae_dcom_props_in_get(struct ae_dcom_props_in *out, const struct ae_dcom_mip *m,
    struct ae_arena *a, uint32_t *hresult, struct ae_err *e)
{
	struct ae_err unheard = AE_ERR_INIT;
	struct ae_dcom_activation_context context = { 0 };
	struct ae_dcom_instantiation inst;
	struct ae_dcom_scm_request scm;
	struct ae_dcom_location location;
	struct kind kinds[] = {
		{ &ae_dcom_clsid_instantiation, &ae_dcom_instantiation_type,
		    &inst, true, false },
		{ &ae_dcom_clsid_scm_request, &ae_dcom_scm_request_type, &scm,
		    true, false },
		{ &ae_dcom_clsid_location, &ae_dcom_location_type, &location,
		    true, false },
		{ &ae_dcom_clsid_activation_context,
		    &ae_dcom_activation_context_type, &context, false, false },
	};
	int rc;

	e = e != NULL ? e : &unheard;
	rc = get_blob(m, &ae_dcom_clsid_props_in, &ae_dcom_iid_props_in, kinds,
	    sizeof(kinds) / sizeof(kinds[0]), a, e);
	if (rc == AE_OK)
		rc = check_contexts(&context, a, e);
	if (rc == AE_OK && inst.iids == NULL)
		rc = bad(e, "no interface is asked for");
	if (rc != AE_OK) {
		*hresult = rc == AE_ENOMEM     ? AE_DCOM_E_OUTOFMEMORY
		    : e->dom == AE_DOM_HRESULT ? (uint32_t)e->code
					       : AE_DCOM_E_INVALIDARG;
		return rc;
	}
	*out = (struct ae_dcom_props_in){ .clsid = inst.clsid,
		.flags = inst.flags,
		.iids = inst.iids,
		.niids = inst.n };
	return AE_OK;
}

/* A property to be written. */
struct part {
	const struct ae_guid *clsid;
	const struct ae_ndr_type *type;
	const void *v;
};

static struct ae_dcom_mip *
wrap_blob(const struct ae_wr *blob, const struct ae_guid *clsid,
    const struct ae_guid *iid, struct ae_arena *a, struct ae_err *e)
{
	struct ae_dcom_objref o = { .kind = AE_DCOM_OBJREF_CUSTOM,
		.iid = *iid,
		.clsid = *clsid,
		.data = blob->p,
		.data_len = blob->len };

	return ae_dcom_objref_mip(&o, a, e);
}

/* The custom header for properties of these sizes. */
static int
put_header(struct ae_wr *w, const struct part *parts, size_t n, uint32_t *sizes,
    uint32_t header, uint32_t total, struct ae_err *e)
{
	struct ae_guid clsids[AE_DCOM_PROPS_MAX];
	struct ae_dcom_custom_header h = { .total_size = total,
		.header_size = header,
		.dest_ctx = DIFFERENT_MACHINE,
		.n = (uint32_t)n,
		.clsids = clsids,
		.sizes = sizes };
	size_t i;

	for (i = 0; i < n; i++)
		clsids[i] = *parts[i].clsid;
	return ae_ndr_pickle(&ae_dcom_custom_header_type, &h, w, e);
}

static struct ae_dcom_mip *
put_blob(const struct part *parts, size_t n, const struct ae_guid *clsid,
    const struct ae_guid *iid, struct ae_arena *a, struct ae_err *e)
{
	uint32_t sizes[AE_DCOM_PROPS_MAX] = { 0 }, header = 0, total;
	struct ae_dcom_mip *m = NULL;
	struct ae_wr props, blob;
	size_t i, start;
	int rc = AE_OK;

	ae_wr_init(&props, AE_DCOM_OBJREF_MAX);
	ae_wr_init(&blob, AE_DCOM_OBJREF_MAX);
	for (i = 0; i < n && rc == AE_OK; i++) {
		start = props.len;
		rc = ae_ndr_pickle(parts[i].type, parts[i].v, &props, e);
		sizes[i] = (uint32_t)(props.len - start);
	}
	/* The header's length does not depend on the sizes in it. */
	if (rc == AE_OK)
		rc = put_header(&blob, parts, n, sizes, 0, 0, e);
	if (rc == AE_OK) {
		header = (uint32_t)blob.len;
		total = header + (uint32_t)props.len;
		ae_wr_reset(&blob);
		ae_wr_u32(&blob, total);
		ae_wr_u32(&blob, 0);
		rc = put_header(&blob, parts, n, sizes, header, total, e);
	}
	if (rc == AE_OK) {
		ae_wr_bytes(&blob, props.p, props.len);
		if (ae_wr_ok(&blob))
			m = wrap_blob(&blob, clsid, iid, a, e);
		else
			ae_fail_mem(e);
	}
	ae_wr_done(&props);
	ae_wr_done(&blob);
	return m;
}

struct ae_dcom_mip *
ae_dcom_props_in_put(const struct ae_dcom_props_in *in,
    const struct ae_dcom_version *version, struct ae_arena *a, struct ae_err *e)
{
	uint16_t tcp = AE_DCOM_TOWER_TCP;
	struct ae_dcom_scm_request_info info = {
		.imp_level = IMPERSONATE, .n = 1, .protseqs = &tcp
	};
	const struct ae_dcom_scm_request scm = { .info = &info };
	const struct ae_dcom_location location = { 0 };
	struct ae_dcom_instantiation inst = { .clsid = in->clsid,
		.flags = in->flags,
		.n = (uint32_t)in->niids,
		.version = *version };
	const struct part parts[] = {
		{ &ae_dcom_clsid_instantiation, &ae_dcom_instantiation_type,
		    &inst },
		{ &ae_dcom_clsid_location, &ae_dcom_location_type, &location },
		{ &ae_dcom_clsid_scm_request, &ae_dcom_scm_request_type, &scm },
	};
	/* thisSize: headers, 44 octets, count and interfaces, all to 8. */
	size_t raw = 16 + 44 + 4 + 16 * in->niids;

	if (in->niids == 0 || in->niids > AE_DCOM_IIDS_MAX) {
		ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "activation of %zu interfaces", in->niids);
		return NULL;
	}
	inst.iids = ae_arena_dup(a, in->iids, in->niids * sizeof(*in->iids));
	if (inst.iids == NULL) {
		ae_fail_mem(e);
		return NULL;
	}
	inst.this_size = (uint32_t)((raw + 7) & ~(size_t)7);
	return put_blob(parts, sizeof(parts) / sizeof(parts[0]),
	    &ae_dcom_clsid_props_in, &ae_dcom_iid_props_in, a, e);
}

int
ae_dcom_props_reply_get(struct ae_dcom_props_reply *out,
    const struct ae_dcom_mip *m, struct ae_arena *a, struct ae_err *e)
{
	struct ae_err unheard = AE_ERR_INIT;
	struct ae_dcom_scm_reply scm;
	struct ae_dcom_props_out props;
	struct kind kinds[] = {
		{ &ae_dcom_clsid_scm_reply, &ae_dcom_scm_reply_type, &scm, true,
		    false },
		{ &ae_dcom_clsid_props_out, &ae_dcom_props_out_type, &props,
		    true, false },
	};
	int rc;

	e = e != NULL ? e : &unheard;
	rc = get_blob(m, &ae_dcom_clsid_props_out, &ae_dcom_iid_props_out,
	    kinds, sizeof(kinds) / sizeof(kinds[0]), a, e);
	if (rc != AE_OK)
		return rc;
	if (scm.info == NULL || scm.info->bindings == NULL ||
	    props.iids == NULL || props.results == NULL ||
	    props.objrefs == NULL)
		return bad(e, "the reply leaves out what it must have");
	out->scm = *scm.info;
	out->out = props;
	return AE_OK;
}

struct ae_dcom_mip *
ae_dcom_props_reply_put(const struct ae_dcom_props_reply *reply,
    struct ae_arena *a, struct ae_err *e)
{
	struct ae_dcom_scm_reply_info info = reply->scm;
	const struct ae_dcom_scm_reply scm = { .info = &info };
	/* In this order: impacket takes the first for PropsOutInfo. */
	const struct part parts[] = {
		{ &ae_dcom_clsid_props_out, &ae_dcom_props_out_type,
		    &reply->out },
		{ &ae_dcom_clsid_scm_reply, &ae_dcom_scm_reply_type, &scm },
	};

	return put_blob(parts, sizeof(parts) / sizeof(parts[0]),
	    &ae_dcom_clsid_props_out, &ae_dcom_iid_props_out, a, e);
}
