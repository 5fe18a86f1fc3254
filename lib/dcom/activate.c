/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Activation, MS-DCOM 3.1.2.5.2.3: by IActivation and by
 * IRemoteSCMActivator.  There is nothing to start: the object of a class is
 * always there, so activation names it.
 */
#include "dcom/actprops.h"
#include "dcom/export.h"
#include "dcom/objref.h"

#define MODE_CLASS_FACTORY 0xffffffffU

/* What an activation gives for the interfaces asked for. */
struct grant {
	uint32_t *results;
	struct ae_dcom_mip **objrefs;
};

/* MS-DCOM 3.1.2.5.2.3, in its order; 0 or the HRESULT. */
static uint32_t
check(struct dcom_call *c, const struct ae_dcom_this *this)
{
	if (!c->may_activate) {
		ae_fail(c->e, AE_EDENIED, AE_DOM_HRESULT,
		    AE_DCOM_E_ACCESSDENIED, "activation is not permitted");
		return AE_DCOM_E_ACCESSDENIED;
	}
	if (!ae_dcom_version_ok(&this->version)) {
		ae_fail(c->e, AE_EPROTO, AE_DOM_HRESULT,
		    AE_DCOM_E_VERSION_MISMATCH, "activation: COM version %u.%u",
		    (unsigned)this->version.major,
		    (unsigned)this->version.minor);
		return AE_DCOM_E_VERSION_MISMATCH;
	}
	return 0;
}

static bool
find_class(const struct ae_dcom_exporter *x, const struct ae_guid *clsid,
    bool factory, size_t *object)
{
	size_t i;

	for (i = 0; i < x->nclasses; i++) {
		if (!ae_guid_equal(&x->classes[i].clsid, clsid))
			continue;
		*object = factory ? FACTORY_OF(i) : OBJECT_OF(i);
		return true;
	}
	return false;
}

/*
 * Interface pointers for iids on a class's object or factory.  0,
 * REGDB_E_CLASSNOTREG, E_NOINTERFACE when there is none of them, or
 * E_OUTOFMEMORY.
 */
static uint32_t
activate(struct dcom_call *c, const struct ae_guid *clsid, bool factory,
    const struct ae_guid *iids, size_t n, struct grant *out)
{
	size_t object, slot, i, given = 0;

	if (!find_class(c->x, clsid, factory, &object))
		return AE_DCOM_E_CLASSNOTREG;
	for (i = 0; i < n; i++) {
		out->results[i] = AE_DCOM_E_NOINTERFACE;
		if (!dcom_slot(c->x, object, &iids[i], &slot))
			continue;
		out->objrefs[i] = dcom_mip(c, object, slot, TYPICAL_REFS);
		if (out->objrefs[i] == NULL)
			return AE_DCOM_E_OUTOFMEMORY;
		out->results[i] = 0;
		given++;
	}
	return given != 0 ? 0 : AE_DCOM_E_NOINTERFACE;
}

static bool
new_grant(struct dcom_call *c, size_t n, struct grant *g)
{
	g->results = ae_arena_array(c->a, n, sizeof(*g->results));
	g->objrefs = ae_arena_array(c->a, n, sizeof(*g->objrefs));
	return g->results != NULL && g->objrefs != NULL;
}

/* Blank the arrays of an activation that failed as a whole. */
static void
clear_grant(struct grant *g, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		g->results[i] = 0;
		g->objrefs[i] = NULL;
	}
}

uint32_t
dcom_remote_activation(struct dcom_call *c)
{
	const struct ae_dcom_remote_activation_in *in = c->in;
	struct ae_dcom_remote_activation_out out = { .n = in->n,
		.nresults = in->n };
	struct grant g;

	if (!new_grant(c, in->n, &g))
		return AE_DCOM_E_OUTOFMEMORY;
	out.status = check(c, &in->this);
	if (out.status == 0 && in->iids == NULL)
		out.status = AE_DCOM_E_INVALIDARG;
	/* Nothing of ours can be initialised from a file or a storage. */
	if (out.status != 0)
		out.hresult = out.status;
	else if (in->name != NULL || in->storage != NULL)
		out.hresult = AE_DCOM_E_NOINTERFACE;
	else
		out.hresult = activate(c, &in->clsid,
		    in->mode == MODE_CLASS_FACTORY, in->iids, in->n, &g);
	if (out.hresult != 0)
		clear_grant(&g, in->n);
	out.objrefs = g.objrefs;
	out.results = g.results;
	out.version = (struct ae_dcom_version){ AE_DCOM_MAJOR, AE_DCOM_MINOR };
	if (out.hresult == 0) {
		out.oxid = c->x->oxid;
		out.bindings = &c->x->bindings;
		out.rem_unknown = ae_dcom_exporter_rem_unknown(c->x);
		out.authn_hint = (uint32_t)c->x->call_level;
	}
	return dcom_reply(c, &ae_dcom_remote_activation_out_type, &out);
}

/* The properties of a reply; NULL and *hresult when there are none. */
static struct ae_dcom_mip *
reply_props(struct dcom_call *c, const struct ae_dcom_props_in *in,
    bool factory, uint32_t *hresult)
{
	struct ae_dcom_props_reply reply = { 0 };
	struct ae_dcom_mip *m;
	struct grant g;

	if (!new_grant(c, in->niids, &g)) {
		*hresult = AE_DCOM_E_OUTOFMEMORY;
		return NULL;
	}
	*hresult = activate(c, &in->clsid, factory, in->iids, in->niids, &g);
	if (*hresult != 0)
		return NULL;
	reply.scm.oxid = c->x->oxid;
	reply.scm.bindings = &c->x->bindings;
	reply.scm.rem_unknown = ae_dcom_exporter_rem_unknown(c->x);
	reply.scm.authn_hint = (uint32_t)c->x->call_level;
	reply.scm.version =
	    (struct ae_dcom_version){ AE_DCOM_MAJOR, AE_DCOM_MINOR };
	reply.out.n = (uint32_t)in->niids;
	reply.out.iids =
	    ae_arena_dup(c->a, in->iids, in->niids * sizeof(*in->iids));
	reply.out.results = g.results;
	reply.out.objrefs = g.objrefs;
	m = reply.out.iids == NULL
	    ? NULL
	    : ae_dcom_props_reply_put(&reply, c->a, c->e);
	if (m == NULL)
		*hresult = AE_DCOM_E_OUTOFMEMORY;
	return m;
}

static uint32_t
scm_activate(struct dcom_call *c, const struct ae_dcom_this *this,
    const struct ae_dcom_mip *props, bool factory)
{
	struct ae_dcom_activate_out out = { 0 };
	struct ae_dcom_props_in in;

	out.hresult = check(c, this);
	if (out.hresult == 0 &&
	    ae_dcom_props_in_get(&in, props, c->a, &out.hresult, c->e) == AE_OK)
		out.props = reply_props(c, &in, factory, &out.hresult);
	return dcom_reply(c, &ae_dcom_activate_out_type, &out);
}

uint32_t
dcom_create_instance(struct dcom_call *c)
{
	const struct ae_dcom_create_instance_in *in = c->in;

	return scm_activate(c, &in->this, in->props, false);
}

uint32_t
dcom_get_class_object(struct dcom_call *c)
{
	const struct ae_dcom_get_class_in *in = c->in;

	return scm_activate(c, &in->this, in->props, true);
}
