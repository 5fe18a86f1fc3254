/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * OBJREF, MS-DCOM 2.2.18, and the context of 2.2.20; see objref.h.
 */
#include "dcom/objref.h"

#include <stdlib.h>
#include <string.h>

#define SIGNATURE 0x574f454dU	       /* "MEOW" */
#define EXTENDED_SIGNATURE 0x4e535956U /* "VYSN" */
#define CONTEXT_BYVAL 2
#define CONTEXT_PROPS_MAX 64

static int
bad(struct ae_err *e, const char *what)
{
	return ae_fail(e, AE_EPROTO, AE_DOM_HRESULT, AE_DCOM_E_INVALID_OBJREF,
	    "object reference: %s", what);
}

static struct ae_dcom_std
get_std(struct ae_rd *r)
{
	struct ae_dcom_std s;

	s.flags = ae_rd_u32(r);
	s.refs = ae_rd_u32(r);
	s.oxid = ae_rd_u64(r);
	s.oid = ae_rd_u64(r);
	s.ipid = ae_guid_get(r);
	return s;
}

static void
put_std(struct ae_wr *w, const struct ae_dcom_std *s)
{
	ae_wr_u32(w, s->flags);
	ae_wr_u32(w, s->refs);
	ae_wr_u64(w, s->oxid);
	ae_wr_u64(w, s->oid);
	ae_guid_put(w, &s->ipid);
}

/* MS-DCOM 2.2.19.1; false: out of memory, or over the arena's ceiling. */
static bool
get_dsa(struct ae_rd *r, struct ae_dcom_dsa *d, struct ae_arena *a)
{
	uint16_t i;

	d->entries = ae_rd_u16(r);
	d->security = ae_rd_u16(r);
	d->units = NULL;
	if (d->entries > AE_DCOM_DSA_MAX || d->security > d->entries ||
	    d->entries > ae_rd_left(r) / 2) {
		ae_rd_fail(r);
		return true;
	}
	d->units = ae_arena_array(a, d->entries, sizeof(*d->units));
	if (d->units == NULL)
		return false;
	for (i = 0; i < d->entries; i++)
		d->units[i] = ae_rd_u16(r);
	return true;
}

static void
put_dsa(struct ae_wr *w, const struct ae_dcom_dsa *d)
{
	uint16_t i;

	ae_wr_u16(w, d->entries);
	ae_wr_u16(w, d->security);
	for (i = 0; i < d->entries; i++)
		ae_wr_u16(w, d->units[i]);
}

/* What follows the bindings of an OBJREF_EXTENDED, 2.2.18.7 and 2.2.18.8. */
static void
get_element(struct ae_rd *r, struct ae_dcom_objref *o)
{
	uint32_t count = ae_rd_u32(r);
	uint32_t signature = ae_rd_u32(r);
	uint32_t size, rounded;

	o->clsid = ae_guid_get(r);
	size = ae_rd_u32(r);
	rounded = ae_rd_u32(r);
	if (count != 1 || signature != EXTENDED_SIGNATURE || size == 0 ||
	    size > UINT32_MAX - 7 || rounded != ((size + 7) & ~7U))
		ae_rd_fail(r);
	o->data = ae_rd_take(r, size);
	o->data_len = size;
}

int
ae_dcom_objref_decode(struct ae_dcom_objref *out, const uint8_t *p, size_t len,
    struct ae_arena *a, struct ae_err *e)
{
	struct ae_dcom_objref o = { 0 };
	uint32_t signature, flags;
	bool memory = true;
	struct ae_rd r;

	ae_rd_init(&r, p, len);
	signature = ae_rd_u32(&r);
	flags = ae_rd_u32(&r);
	o.iid = ae_guid_get(&r);
	if (!ae_rd_ok(&r) || signature != SIGNATURE)
		return bad(e, "no signature");
	if (flags != AE_DCOM_OBJREF_STANDARD &&
	    flags != AE_DCOM_OBJREF_HANDLER && flags != AE_DCOM_OBJREF_CUSTOM &&
	    flags != AE_DCOM_OBJREF_EXTENDED)
		return bad(e, "of no known kind");
	o.kind = (enum ae_dcom_objref_kind)flags;
	if (o.kind == AE_DCOM_OBJREF_CUSTOM) {
		o.clsid = ae_guid_get(&r);
		ae_rd_skip(&r, 8); /* cbExtension and reserved, ignored */
		o.data_len = ae_rd_left(&r);
		o.data = ae_rd_take(&r, o.data_len);
	} else {
		o.std = get_std(&r);
		if (o.kind == AE_DCOM_OBJREF_HANDLER)
			o.clsid = ae_guid_get(&r);
		if (o.kind == AE_DCOM_OBJREF_EXTENDED &&
		    ae_rd_u32(&r) != EXTENDED_SIGNATURE)
			ae_rd_fail(&r);
		memory = get_dsa(&r, &o.resolver, a);
		if (memory && o.kind == AE_DCOM_OBJREF_EXTENDED)
			get_element(&r, &o);
	}
	if (!memory)
		return ae_arena_full(a) ? bad(e, "too large") : ae_fail_mem(e);
	if (!ae_rd_ok(&r))
		return bad(e, "ends early, or its lengths do not fit");
	*out = o;
	return AE_OK;
}

int
ae_dcom_objref_encode(
    const struct ae_dcom_objref *o, struct ae_wr *w, struct ae_err *e)
{
	if (o->kind != AE_DCOM_OBJREF_STANDARD &&
	    o->kind != AE_DCOM_OBJREF_CUSTOM)
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "object reference: kind %d is not for sending",
		    (int)o->kind);
	ae_wr_u32(w, SIGNATURE);
	ae_wr_u32(w, (uint32_t)o->kind);
	ae_guid_put(w, &o->iid);
	if (o->kind == AE_DCOM_OBJREF_CUSTOM) {
		ae_guid_put(w, &o->clsid);
		ae_wr_u32(w, 0);
		/* Reserved; senders write the size of what follows plus 8. */
		ae_wr_u32(w, (uint32_t)o->data_len + 8);
		ae_wr_bytes(w, o->data, o->data_len);
	} else {
		put_std(w, &o->std);
		put_dsa(w, &o->resolver);
	}
	if (ae_wr_ok(w))
		return AE_OK;
	return ae_wr_full(w) ? ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
				   "object reference: too large")
			     : ae_fail_mem(e);
}

struct ae_dcom_mip *
ae_dcom_objref_mip(
    const struct ae_dcom_objref *o, struct ae_arena *a, struct ae_err *e)
{
	struct ae_dcom_mip *m = ae_arena_alloc(a, sizeof(*m));
	struct ae_wr w;

	if (m == NULL) {
		ae_fail_mem(e);
		return NULL;
	}
	ae_wr_init(&w, AE_DCOM_OBJREF_MAX);
	if (ae_dcom_objref_encode(o, &w, e) != AE_OK) {
		ae_wr_done(&w);
		return NULL;
	}
	m->len = (uint32_t)w.len;
	m->data = ae_arena_dup(a, w.p, w.len);
	ae_wr_done(&w);
	if (m->data == NULL) {
		ae_fail_mem(e);
		return NULL;
	}
	return m;
}

bool
ae_dcom_context_ok(const struct ae_dcom_mip *m, struct ae_arena *a)
{
	struct ae_dcom_objref o;
	uint32_t flags, extents, extent_bytes, count, i;
	uint16_t major, minor;
	struct ae_rd r;

	if (ae_dcom_objref_decode(&o, m->data, m->len, a, NULL) != AE_OK ||
	    o.kind != AE_DCOM_OBJREF_CUSTOM ||
	    !ae_guid_equal(&o.clsid, &ae_dcom_clsid_context_marshaler) ||
	    !ae_guid_equal(&o.iid, &ae_dcom_iid_context))
		return false;
	ae_rd_init(&r, o.data, o.data_len);
	major = ae_rd_u16(&r);
	minor = ae_rd_u16(&r);
	ae_rd_skip(&r, 16); /* ContextId */
	flags = ae_rd_u32(&r);
	ae_rd_skip(&r, 4); /* Reserved */
	extents = ae_rd_u32(&r);
	extent_bytes = ae_rd_u32(&r);
	ae_rd_skip(&r, 4); /* MshlFlags */
	count = ae_rd_u32(&r);
	ae_rd_skip(&r, 4); /* Frozen */
	if (!ae_rd_ok(&r) || major != 1 || minor != 1 ||
	    (flags & CONTEXT_BYVAL) == 0 || extents != 0 || extent_bytes != 0 ||
	    count > CONTEXT_PROPS_MAX)
		return false;
	for (i = 0; i < count; i++) {
		ae_rd_skip(&r, 36); /* clsid, policyId, flags */
		ae_rd_skip(&r, ae_rd_u32(&r));
	}
	return ae_rd_ok(&r);
}
