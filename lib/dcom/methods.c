/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The methods of MS-DCOM as tables, a direction each; see wire.h.  Section
 * numbers are those of MS-DCOM.
 */
#include "dcom/wire.h"

/* clang-format off */
static const struct ae_ndr_type ae_dcom_mip_ptr = {
	.name = "MInterfacePointer *", .op = AE_NDR_OP_PTR, .align = 4, .size = sizeof(void *),
	.rows = AE_NDR_ROWS({ .name = "MInterfacePointer *", .type = &ae_dcom_mip_type,
	    .size = sizeof(void *), .ptr = AE_NDR_UNIQUE }),
};

/* 3.1.2.5.1.1 */
const struct ae_ndr_type ae_dcom_resolve_in_type = AE_NDR_PARAMS("ResolveOxid",
    struct ae_dcom_resolve_in,
	AE_NDR_FIELD(struct ae_dcom_resolve_in, oxid, &ae_ndr_u64),
	AE_NDR_FIELD(struct ae_dcom_resolve_in, n, &ae_ndr_u16),
	AE_NDR_ARRAY(struct ae_dcom_resolve_in, protseqs, AE_NDR_VAL, AE_NDR_CONF, &ae_ndr_u16, n, AE_DCOM_PROTSEQS_MAX));

const struct ae_ndr_type ae_dcom_resolve_out_type = AE_NDR_PARAMS("ResolveOxid",
    struct ae_dcom_resolve_out,
	AE_NDR_PTR(struct ae_dcom_resolve_out, bindings, AE_NDR_UNIQUE, &ae_dcom_dsa_type),
	AE_NDR_FIELD(struct ae_dcom_resolve_out, rem_unknown, &ae_ndr_guid),
	AE_NDR_FIELD(struct ae_dcom_resolve_out, authn_hint, &ae_ndr_u32),
	AE_NDR_FIELD(struct ae_dcom_resolve_out, status, &ae_ndr_u32));

/* 3.1.2.5.1.5 */
const struct ae_ndr_type ae_dcom_resolve2_out_type = AE_NDR_PARAMS("ResolveOxid2",
    struct ae_dcom_resolve_out,
	AE_NDR_PTR(struct ae_dcom_resolve_out, bindings, AE_NDR_UNIQUE, &ae_dcom_dsa_type),
	AE_NDR_FIELD(struct ae_dcom_resolve_out, rem_unknown, &ae_ndr_guid),
	AE_NDR_FIELD(struct ae_dcom_resolve_out, authn_hint, &ae_ndr_u32),
	AE_NDR_FIELD(struct ae_dcom_resolve_out, version, &ae_dcom_version_type),
	AE_NDR_FIELD(struct ae_dcom_resolve_out, status, &ae_ndr_u32));

/* 3.1.2.5.1.2 */
const struct ae_ndr_type ae_dcom_simple_ping_in_type = AE_NDR_PARAMS("SimplePing",
    struct ae_dcom_simple_ping_in,
	AE_NDR_FIELD(struct ae_dcom_simple_ping_in, set, &ae_ndr_u64));

/* 3.1.2.5.1.3 */
const struct ae_ndr_type ae_dcom_complex_ping_in_type = AE_NDR_PARAMS("ComplexPing",
    struct ae_dcom_complex_ping_in,
	AE_NDR_FIELD(struct ae_dcom_complex_ping_in, set, &ae_ndr_u64),
	AE_NDR_FIELD(struct ae_dcom_complex_ping_in, sequence, &ae_ndr_u16),
	AE_NDR_FIELD(struct ae_dcom_complex_ping_in, nadd, &ae_ndr_u16),
	AE_NDR_FIELD(struct ae_dcom_complex_ping_in, ndel, &ae_ndr_u16),
	AE_NDR_ARRAY(struct ae_dcom_complex_ping_in, add, AE_NDR_UNIQUE, AE_NDR_CONF, &ae_ndr_u64, nadd, AE_DCOM_OIDS_MAX),
	AE_NDR_ARRAY(struct ae_dcom_complex_ping_in, del, AE_NDR_UNIQUE, AE_NDR_CONF, &ae_ndr_u64, ndel, AE_DCOM_OIDS_MAX));

const struct ae_ndr_type ae_dcom_complex_ping_out_type = AE_NDR_PARAMS("ComplexPing",
    struct ae_dcom_complex_ping_out,
	AE_NDR_FIELD(struct ae_dcom_complex_ping_out, set, &ae_ndr_u64),
	AE_NDR_FIELD(struct ae_dcom_complex_ping_out, backoff, &ae_ndr_u16),
	AE_NDR_FIELD(struct ae_dcom_complex_ping_out, status, &ae_ndr_u32));

/* SimplePing, ServerAlive */
const struct ae_ndr_type ae_dcom_status_out_type = AE_NDR_PARAMS("error_status_t",
    struct ae_dcom_status_out,
	AE_NDR_FIELD(struct ae_dcom_status_out, status, &ae_ndr_u32));

/* 3.1.2.5.1.6 */
const struct ae_ndr_type ae_dcom_alive2_out_type = AE_NDR_PARAMS("ServerAlive2",
    struct ae_dcom_alive2_out,
	AE_NDR_FIELD(struct ae_dcom_alive2_out, version, &ae_dcom_version_type),
	AE_NDR_PTR(struct ae_dcom_alive2_out, bindings, AE_NDR_UNIQUE, &ae_dcom_dsa_type),
	AE_NDR_FIELD(struct ae_dcom_alive2_out, reserved, &ae_ndr_u32),
	AE_NDR_FIELD(struct ae_dcom_alive2_out, status, &ae_ndr_u32));

/* 3.1.2.5.2.3.1 */
const struct ae_ndr_type ae_dcom_remote_activation_in_type = AE_NDR_PARAMS("RemoteActivation",
    struct ae_dcom_remote_activation_in,
	AE_NDR_FIELD(struct ae_dcom_remote_activation_in, this, &ae_dcom_this_type),
	AE_NDR_FIELD(struct ae_dcom_remote_activation_in, clsid, &ae_ndr_guid),
	AE_NDR_STRING(struct ae_dcom_remote_activation_in, name, AE_NDR_UNIQUE, AE_NDR_STR16, AE_DCOM_NAME_MAX),
	AE_NDR_PTR(struct ae_dcom_remote_activation_in, storage, AE_NDR_UNIQUE, &ae_dcom_mip_type),
	AE_NDR_FIELD(struct ae_dcom_remote_activation_in, imp_level, &ae_ndr_u32),
	AE_NDR_FIELD(struct ae_dcom_remote_activation_in, mode, &ae_ndr_u32),
	AE_NDR_FIELD(struct ae_dcom_remote_activation_in, n, &ae_ndr_u32, .min = 1, .max = AE_DCOM_IIDS_MAX),
	AE_NDR_ARRAY(struct ae_dcom_remote_activation_in, iids, AE_NDR_UNIQUE, AE_NDR_CONF, &ae_ndr_guid, n, AE_DCOM_IIDS_MAX),
	AE_NDR_FIELD(struct ae_dcom_remote_activation_in, nprotseqs, &ae_ndr_u16),
	AE_NDR_ARRAY(struct ae_dcom_remote_activation_in, protseqs, AE_NDR_VAL, AE_NDR_CONF, &ae_ndr_u16, nprotseqs, AE_DCOM_PROTSEQS_MAX));

const struct ae_ndr_type ae_dcom_remote_activation_out_type = AE_NDR_PARAMS("RemoteActivation",
    struct ae_dcom_remote_activation_out,
	AE_NDR_FIELD(struct ae_dcom_remote_activation_out, that, &ae_dcom_that_type),
	AE_NDR_FIELD(struct ae_dcom_remote_activation_out, oxid, &ae_ndr_u64),
	AE_NDR_PTR(struct ae_dcom_remote_activation_out, bindings, AE_NDR_UNIQUE, &ae_dcom_dsa_type),
	AE_NDR_FIELD(struct ae_dcom_remote_activation_out, rem_unknown, &ae_ndr_guid),
	AE_NDR_FIELD(struct ae_dcom_remote_activation_out, authn_hint, &ae_ndr_u32),
	AE_NDR_FIELD(struct ae_dcom_remote_activation_out, version, &ae_dcom_version_type),
	AE_NDR_FIELD(struct ae_dcom_remote_activation_out, hresult, &ae_ndr_u32),
	AE_NDR_ARRAY(struct ae_dcom_remote_activation_out, objrefs, AE_NDR_VAL, AE_NDR_CONF, &ae_dcom_mip_ptr, n, AE_DCOM_IIDS_MAX, .sets = true),
	AE_NDR_ARRAY(struct ae_dcom_remote_activation_out, results, AE_NDR_VAL, AE_NDR_CONF, &ae_ndr_u32, nresults, AE_DCOM_IIDS_MAX, .sets = true),
	AE_NDR_FIELD(struct ae_dcom_remote_activation_out, status, &ae_ndr_u32));

/* 3.1.2.5.2.3.3 */
const struct ae_ndr_type ae_dcom_create_instance_in_type = AE_NDR_PARAMS("RemoteCreateInstance",
    struct ae_dcom_create_instance_in,
	AE_NDR_FIELD(struct ae_dcom_create_instance_in, this, &ae_dcom_this_type),
	AE_NDR_PTR(struct ae_dcom_create_instance_in, outer, AE_NDR_UNIQUE, &ae_dcom_mip_type),
	AE_NDR_PTR(struct ae_dcom_create_instance_in, props, AE_NDR_UNIQUE, &ae_dcom_mip_type));

/* 3.1.2.5.2.3.2 */
const struct ae_ndr_type ae_dcom_get_class_in_type = AE_NDR_PARAMS("RemoteGetClassObject",
    struct ae_dcom_get_class_in,
	AE_NDR_FIELD(struct ae_dcom_get_class_in, this, &ae_dcom_this_type),
	AE_NDR_PTR(struct ae_dcom_get_class_in, props, AE_NDR_UNIQUE, &ae_dcom_mip_type));

const struct ae_ndr_type ae_dcom_activate_out_type = AE_NDR_PARAMS("IRemoteSCMActivator",
    struct ae_dcom_activate_out,
	AE_NDR_FIELD(struct ae_dcom_activate_out, that, &ae_dcom_that_type),
	AE_NDR_PTR(struct ae_dcom_activate_out, props, AE_NDR_UNIQUE, &ae_dcom_mip_type),
	AE_NDR_FIELD(struct ae_dcom_activate_out, hresult, &ae_ndr_u32));

/* 3.1.1.5.6.1.1 */
const struct ae_ndr_type ae_dcom_rem_qi_in_type = AE_NDR_PARAMS("RemQueryInterface",
    struct ae_dcom_rem_qi_in,
	AE_NDR_FIELD(struct ae_dcom_rem_qi_in, this, &ae_dcom_this_type),
	AE_NDR_FIELD(struct ae_dcom_rem_qi_in, ipid, &ae_ndr_guid),
	AE_NDR_FIELD(struct ae_dcom_rem_qi_in, refs, &ae_ndr_u32),
	AE_NDR_FIELD(struct ae_dcom_rem_qi_in, n, &ae_ndr_u16),
	AE_NDR_ARRAY(struct ae_dcom_rem_qi_in, iids, AE_NDR_VAL, AE_NDR_CONF, &ae_ndr_guid, n, AE_DCOM_IIDS_MAX));

/* 2.2.24 */
static const struct ae_ndr_type ae_dcom_qi_result_type = AE_NDR_STRUCT("REMQIRESULT",
    struct ae_dcom_qi_result, 8,
	AE_NDR_FIELD(struct ae_dcom_qi_result, hresult, &ae_ndr_u32),
	AE_NDR_FIELD(struct ae_dcom_qi_result, std, &ae_dcom_std_type));

const struct ae_ndr_type ae_dcom_rem_qi_out_type = AE_NDR_PARAMS("RemQueryInterface",
    struct ae_dcom_rem_qi_out,
	AE_NDR_FIELD(struct ae_dcom_rem_qi_out, that, &ae_dcom_that_type),
	AE_NDR_ARRAY(struct ae_dcom_rem_qi_out, results, AE_NDR_UNIQUE, AE_NDR_CONF, &ae_dcom_qi_result_type, n, AE_DCOM_IIDS_MAX, .sets = true),
	AE_NDR_FIELD(struct ae_dcom_rem_qi_out, hresult, &ae_ndr_u32));

/* 3.1.1.5.7.1.1 */
const struct ae_ndr_type ae_dcom_rem_qi2_in_type = AE_NDR_PARAMS("RemQueryInterface2",
    struct ae_dcom_rem_qi2_in,
	AE_NDR_FIELD(struct ae_dcom_rem_qi2_in, this, &ae_dcom_this_type),
	AE_NDR_FIELD(struct ae_dcom_rem_qi2_in, ipid, &ae_ndr_guid),
	AE_NDR_FIELD(struct ae_dcom_rem_qi2_in, n, &ae_ndr_u16),
	AE_NDR_ARRAY(struct ae_dcom_rem_qi2_in, iids, AE_NDR_VAL, AE_NDR_CONF, &ae_ndr_guid, n, AE_DCOM_IIDS_MAX));

const struct ae_ndr_type ae_dcom_rem_qi2_out_type = AE_NDR_PARAMS("RemQueryInterface2",
    struct ae_dcom_rem_qi2_out,
	AE_NDR_FIELD(struct ae_dcom_rem_qi2_out, that, &ae_dcom_that_type),
	AE_NDR_ARRAY(struct ae_dcom_rem_qi2_out, results, AE_NDR_VAL, AE_NDR_CONF, &ae_ndr_u32, nresults, AE_DCOM_IIDS_MAX, .sets = true),
	AE_NDR_ARRAY(struct ae_dcom_rem_qi2_out, objrefs, AE_NDR_VAL, AE_NDR_CONF, &ae_dcom_mip_ptr, n, AE_DCOM_IIDS_MAX, .sets = true),
	AE_NDR_FIELD(struct ae_dcom_rem_qi2_out, hresult, &ae_ndr_u32));

/* 2.2.23 */
static const struct ae_ndr_type ae_dcom_ref_type = AE_NDR_STRUCT("REMINTERFACEREF",
    struct ae_dcom_ref, 4,
	AE_NDR_FIELD(struct ae_dcom_ref, ipid, &ae_ndr_guid),
	AE_NDR_FIELD(struct ae_dcom_ref, public_refs, &ae_ndr_u32),
	AE_NDR_FIELD(struct ae_dcom_ref, private_refs, &ae_ndr_u32));

/* 3.1.1.5.6.1.2, 3.1.1.5.6.1.3 */
const struct ae_ndr_type ae_dcom_refs_in_type = AE_NDR_PARAMS("RemAddRef, RemRelease",
    struct ae_dcom_refs_in,
	AE_NDR_FIELD(struct ae_dcom_refs_in, this, &ae_dcom_this_type),
	AE_NDR_FIELD(struct ae_dcom_refs_in, n, &ae_ndr_u16),
	AE_NDR_ARRAY(struct ae_dcom_refs_in, refs, AE_NDR_VAL, AE_NDR_CONF, &ae_dcom_ref_type, n, AE_DCOM_REFS_MAX));

const struct ae_ndr_type ae_dcom_add_ref_out_type = AE_NDR_PARAMS("RemAddRef",
    struct ae_dcom_add_ref_out,
	AE_NDR_FIELD(struct ae_dcom_add_ref_out, that, &ae_dcom_that_type),
	AE_NDR_ARRAY(struct ae_dcom_add_ref_out, results, AE_NDR_VAL, AE_NDR_CONF, &ae_ndr_u32, n, AE_DCOM_REFS_MAX, .sets = true),
	AE_NDR_FIELD(struct ae_dcom_add_ref_out, hresult, &ae_ndr_u32));

const struct ae_ndr_type ae_dcom_orpc_out_type = AE_NDR_PARAMS("HRESULT",
    struct ae_dcom_orpc_out,
	AE_NDR_FIELD(struct ae_dcom_orpc_out, that, &ae_dcom_that_type),
	AE_NDR_FIELD(struct ae_dcom_orpc_out, hresult, &ae_ndr_u32));

/* IClassFactory, which MS-DCOM leaves to the platform: opnums 3 and 4 */
const struct ae_ndr_type ae_dcom_factory_create_in_type = AE_NDR_PARAMS("IClassFactory::RemoteCreateInstance",
    struct ae_dcom_factory_create_in,
	AE_NDR_FIELD(struct ae_dcom_factory_create_in, this, &ae_dcom_this_type),
	AE_NDR_FIELD(struct ae_dcom_factory_create_in, iid, &ae_ndr_guid));

const struct ae_ndr_type ae_dcom_factory_create_out_type = AE_NDR_PARAMS("IClassFactory::RemoteCreateInstance",
    struct ae_dcom_factory_create_out,
	AE_NDR_FIELD(struct ae_dcom_factory_create_out, that, &ae_dcom_that_type),
	AE_NDR_PTR(struct ae_dcom_factory_create_out, object, AE_NDR_UNIQUE, &ae_dcom_mip_type),
	AE_NDR_FIELD(struct ae_dcom_factory_create_out, hresult, &ae_ndr_u32));

const struct ae_ndr_type ae_dcom_factory_lock_in_type = AE_NDR_PARAMS("IClassFactory::RemoteLockServer",
    struct ae_dcom_factory_lock_in,
	AE_NDR_FIELD(struct ae_dcom_factory_lock_in, this, &ae_dcom_this_type),
	AE_NDR_FIELD(struct ae_dcom_factory_lock_in, lock, &ae_ndr_u32));
/* clang-format on */
