/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Inside lib/dcom: the exporter's state, and one call on its way through
 * the files that answer it.
 */
#ifndef AE_DCOM_EXPORT_H
#define AE_DCOM_EXPORT_H

#include "base/arena.h"
#include "base/sid.h"
#include "dcom/exporter.h"
#include "dcom/wire.h"

/* The objects: Remote Unknown, then each class's object and factory. */
#define OBJECT_REM_UNKNOWN 0
#define OBJECTS_MAX (1 + 2 * AE_DCOM_CLASSES_MAX)
#define OBJECT_OF(class) (1 + 2 * (class))
#define FACTORY_OF(class) (2 + 2 * (class))
#define IS_FACTORY(object) ((object) != 0 && (object) % 2 == 0)
#define CLASS_OF(object) (((object)-1) / 2)

/* An object's interfaces: IUnknown is slot 0, its own ones follow. */
#define SLOTS_MAX (1 + AE_DCOM_CLASS_IIDS_MAX)

#define TYPICAL_REFS 5 /* MS-DCOM 3.1.1.5.1 */

struct dcom_set; /* ping.c */

struct ae_dcom_exporter {
	struct ae_guid base; /* of all IPIDs */
	uint64_t oxid;
	struct ae_dcom_class classes[AE_DCOM_CLASSES_MAX];
	size_t nclasses;
	enum ae_rpc_level activation_level, call_level;
	bool noping;
	struct ae_arena *arena;	     /* for what lives as long as we */
	struct ae_dcom_dsa bindings; /* of the exporter, with ports */
	struct ae_dcom_dsa resolver; /* of the resolver, without */
	struct dcom_set *sets;
	size_t nsets, sets_cap, max_sets, max_caller_sets;
	uint64_t next_set;
};

/* A call; in is the decoded input, whose table the dispatcher knew. */
struct dcom_call {
	struct ae_dcom_exporter *x;
	const struct ae_rpc_call *rpc;
	bool may_activate;
	uint64_t now;
	struct ae_arena *a;
	struct ae_wr *out;
	struct ae_err *e;
	const void *in;
};

/* Encode the reply; 0, or the fault. */
uint32_t dcom_reply(
    struct dcom_call *c, const struct ae_ndr_type *t, const void *v);

/* The fault for a failure of decoding or memory that e tells about. */
uint32_t dcom_fault(const struct ae_err *e);

/* ids.c */
void dcom_ids_init(struct ae_dcom_exporter *x, const uint8_t seed[16]);
size_t dcom_objects(const struct ae_dcom_exporter *x);
/* IID of an object's slot; NULL past its last one. */
const struct ae_guid *dcom_iid(
    const struct ae_dcom_exporter *x, size_t object, size_t slot);
/* The slot with that IID; false: E_NOINTERFACE. */
bool dcom_slot(const struct ae_dcom_exporter *x, size_t object,
    const struct ae_guid *iid, size_t *slot);
struct ae_guid dcom_ipid(
    const struct ae_dcom_exporter *x, size_t object, size_t slot);
bool dcom_find(const struct ae_dcom_exporter *x, const struct ae_guid *ipid,
    size_t *object, size_t *slot);
uint64_t dcom_oid(const struct ae_dcom_exporter *x, size_t object);
bool dcom_find_oid(
    const struct ae_dcom_exporter *x, uint64_t oid, size_t *object);
struct ae_dcom_std dcom_std(const struct ae_dcom_exporter *x, size_t object,
    size_t slot, uint32_t refs);
/* The interface pointer, in c's arena; NULL with e filled. */
struct ae_dcom_mip *dcom_mip(
    struct dcom_call *c, size_t object, size_t slot, uint32_t refs);

/* orpc.c: the envelope of a call on any ORPC interface. */
uint32_t dcom_envelope(const struct ae_dcom_exporter *x,
    const struct ae_rpc_call *call, const struct ae_dcom_this *this,
    size_t *object, size_t *slot, struct ae_err *e);

/* The methods. */
uint32_t dcom_resolve_oxid(struct dcom_call *c);
uint32_t dcom_resolve_oxid2(struct dcom_call *c);
uint32_t dcom_server_alive(struct dcom_call *c);
uint32_t dcom_server_alive2(struct dcom_call *c);
uint32_t dcom_simple_ping(struct dcom_call *c);
uint32_t dcom_complex_ping(struct dcom_call *c);
uint32_t dcom_remote_activation(struct dcom_call *c);
uint32_t dcom_create_instance(struct dcom_call *c);
uint32_t dcom_get_class_object(struct dcom_call *c);
uint32_t dcom_rem_query_interface(struct dcom_call *c);
uint32_t dcom_rem_query_interface2(struct dcom_call *c);
uint32_t dcom_rem_add_ref(struct dcom_call *c);
uint32_t dcom_rem_release(struct dcom_call *c);
uint32_t dcom_factory_create(struct dcom_call *c);
uint32_t dcom_factory_lock(struct dcom_call *c);

#endif
