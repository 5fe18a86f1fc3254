/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Identifiers that need no table: an IPID is the seed with object and slot
 * added to its first member, an OID the OXID plus the object's number.  So
 * every process with the same seed knows all of them.  They are names, not
 * secrets.
 */
#include "dcom/export.h"

#include <string.h>

#include "dcom/objref.h"

#define SLOT_BITS 8

/* Spread a seed over 64 bits (the finalizer of splitmix64); never 0. */
static uint64_t
mix(uint64_t v)
{
	v = (v ^ v >> 30) * 0xbf58476d1ce4e5b9u;
	v = (v ^ v >> 27) * 0x94d049bb133111ebu;
	v ^= v >> 31;
	/* OIDs count up from here, so keep off the end. */
	return (v & 0x7fffffffffffff00u) | 0x0100000000000000u;
}

void
dcom_ids_init(struct ae_dcom_exporter *x, const uint8_t seed[16])
{
	struct ae_rd r;
	uint64_t low, high;

	ae_rd_init(&r, seed, 16);
	x->base = ae_guid_get(&r);
	ae_rd_init(&r, seed, 16);
	low = ae_rd_u64(&r);
	high = ae_rd_u64(&r);
	x->oxid = mix(low ^ mix(high));
	x->next_set = mix(high ^ mix(low));
}

size_t
dcom_objects(const struct ae_dcom_exporter *x)
{
	return 1 + 2 * x->nclasses;
}

const struct ae_guid *
dcom_iid(const struct ae_dcom_exporter *x, size_t object, size_t slot)
{
	const struct ae_dcom_class *class;

	if (slot == 0)
		return &ae_dcom_iid_unknown;
	if (object == OBJECT_REM_UNKNOWN)
		return slot == 1 ? &ae_dcom_iid_rem_unknown
		    : slot == 2	 ? &ae_dcom_iid_rem_unknown2
				 : NULL;
	if (IS_FACTORY(object))
		return slot == 1 ? &ae_dcom_iid_class_factory : NULL;
	class = &x->classes[CLASS_OF(object)];
	return slot <= class->niids ? &class->iids[slot - 1] : NULL;
}

bool
dcom_slot(const struct ae_dcom_exporter *x, size_t object,
    const struct ae_guid *iid, size_t *slot)
{
	const struct ae_guid *own;
	size_t i;

	for (i = 0; (own = dcom_iid(x, object, i)) != NULL; i++) {
		if (ae_guid_equal(own, iid)) {
			*slot = i;
			return true;
		}
	}
	return false;
}

struct ae_guid
dcom_ipid(const struct ae_dcom_exporter *x, size_t object, size_t slot)
{
	struct ae_guid g = x->base;

	g.d1 += (uint32_t)(object << SLOT_BITS | slot);
	return g;
}

bool
dcom_find(const struct ae_dcom_exporter *x, const struct ae_guid *ipid,
    size_t *object, size_t *slot)
{
	uint32_t n = ipid->d1 - x->base.d1;
	struct ae_guid same = x->base;

	same.d1 = ipid->d1;
	if (!ae_guid_equal(&same, ipid) || n >> SLOT_BITS >= dcom_objects(x) ||
	    dcom_iid(x, n >> SLOT_BITS, n & ((1u << SLOT_BITS) - 1)) == NULL)
		return false;
	*object = n >> SLOT_BITS;
	*slot = n & ((1u << SLOT_BITS) - 1);
	return true;
}

uint64_t
dcom_oid(const struct ae_dcom_exporter *x, size_t object)
{
	return x->oxid + 1 + object;
}

bool
dcom_find_oid(const struct ae_dcom_exporter *x, uint64_t oid, size_t *object)
{
	uint64_t n = oid - x->oxid - 1;

	if (n >= dcom_objects(x))
		return false;
	*object = (size_t)n;
	return true;
}

struct ae_dcom_std
dcom_std(
    const struct ae_dcom_exporter *x, size_t object, size_t slot, uint32_t refs)
{
	return (struct ae_dcom_std){
		.flags = x->noping ? AE_DCOM_SORF_NOPING : 0,
		.refs = refs,
		.oxid = x->oxid,
		.oid = dcom_oid(x, object),
		.ipid = dcom_ipid(x, object, slot),
	};
}

struct ae_dcom_mip *
dcom_mip(struct dcom_call *c, size_t object, size_t slot, uint32_t refs)
{
	struct ae_dcom_objref o = { .kind = AE_DCOM_OBJREF_STANDARD,
		.iid = *dcom_iid(c->x, object, slot),
		.std = dcom_std(c->x, object, slot, refs),
		.resolver = c->x->resolver };

	return ae_dcom_objref_mip(&o, c->a, c->e);
}

struct ae_guid
ae_dcom_exporter_ipid(
    const struct ae_dcom_exporter *x, size_t class, size_t iid)
{
	return dcom_ipid(x, OBJECT_OF(class), iid + 1);
}

struct ae_guid
ae_dcom_exporter_rem_unknown(const struct ae_dcom_exporter *x)
{
	return dcom_ipid(x, OBJECT_REM_UNKNOWN, 1);
}

uint64_t
ae_dcom_exporter_oxid(const struct ae_dcom_exporter *x)
{
	return x->oxid;
}
