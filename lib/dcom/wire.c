/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The structures of MS-DCOM as tables; see wire.h.  Section numbers are
 * those of MS-DCOM.
 */
#include "dcom/wire.h"

/* clang-format off */
/* 2.2.11 */
const struct ae_ndr_type ae_dcom_version_type = AE_NDR_STRUCT("COMVERSION",
    struct ae_dcom_version, 2,
	AE_NDR_FIELD(struct ae_dcom_version, major, &ae_ndr_u16),
	AE_NDR_FIELD(struct ae_dcom_version, minor, &ae_ndr_u16));

/* 2.2.13.1 */
static const struct ae_ndr_type ae_dcom_extent_type = AE_NDR_STRUCT("ORPC_EXTENT",
    struct ae_dcom_extent, 4,
	AE_NDR_FIELD(struct ae_dcom_extent, id, &ae_ndr_guid),
	AE_NDR_FIELD(struct ae_dcom_extent, size, &ae_ndr_u32),
	AE_NDR_ARRAY(struct ae_dcom_extent, data, AE_NDR_VAL, AE_NDR_CONF, &ae_ndr_u8, size, AE_DCOM_EXTENT_MAX, .round = 8));

static const struct ae_ndr_type ae_dcom_extent_ptr = {
	.name = "ORPC_EXTENT *", .op = AE_NDR_OP_PTR, .align = 4, .size = sizeof(void *),
	.rows = AE_NDR_ROWS({ .name = "ORPC_EXTENT *", .type = &ae_dcom_extent_type,
	    .size = sizeof(void *), .ptr = AE_NDR_UNIQUE }),
};

/* 2.2.13.2 */
static const struct ae_ndr_type ae_dcom_extents_type = AE_NDR_STRUCT("ORPC_EXTENT_ARRAY",
    struct ae_dcom_extents, 4,
	AE_NDR_FIELD(struct ae_dcom_extents, size, &ae_ndr_u32),
	AE_NDR_FIELD(struct ae_dcom_extents, reserved, &ae_ndr_u32),
	AE_NDR_ARRAY(struct ae_dcom_extents, extent, AE_NDR_UNIQUE, AE_NDR_CONF, &ae_dcom_extent_ptr, size, AE_DCOM_EXTENTS_MAX, .round = 2));

/* 2.2.13.3 */
const struct ae_ndr_type ae_dcom_this_type = AE_NDR_STRUCT("ORPCTHIS",
    struct ae_dcom_this, 4,
	AE_NDR_FIELD(struct ae_dcom_this, version, &ae_dcom_version_type),
	AE_NDR_FIELD(struct ae_dcom_this, flags, &ae_ndr_u32),
	AE_NDR_FIELD(struct ae_dcom_this, reserved, &ae_ndr_u32),
	AE_NDR_FIELD(struct ae_dcom_this, cid, &ae_ndr_guid),
	AE_NDR_PTR(struct ae_dcom_this, extensions, AE_NDR_UNIQUE, &ae_dcom_extents_type));

/* 2.2.13.4 */
const struct ae_ndr_type ae_dcom_that_type = AE_NDR_STRUCT("ORPCTHAT",
    struct ae_dcom_that, 4,
	AE_NDR_FIELD(struct ae_dcom_that, flags, &ae_ndr_u32),
	AE_NDR_PTR(struct ae_dcom_that, extensions, AE_NDR_UNIQUE, &ae_dcom_extents_type));

/* 2.2.14 */
const struct ae_ndr_type ae_dcom_mip_type = AE_NDR_STRUCT("MInterfacePointer",
    struct ae_dcom_mip, 4,
	AE_NDR_FIELD(struct ae_dcom_mip, len, &ae_ndr_u32),
	AE_NDR_ARRAY(struct ae_dcom_mip, data, AE_NDR_VAL, AE_NDR_CONF, &ae_ndr_u8, len, AE_DCOM_OBJREF_MAX));

static const struct ae_ndr_type ae_dcom_mip_ptr = {
	.name = "MInterfacePointer *", .op = AE_NDR_OP_PTR, .align = 4, .size = sizeof(void *),
	.rows = AE_NDR_ROWS({ .name = "MInterfacePointer *", .type = &ae_dcom_mip_type,
	    .size = sizeof(void *), .ptr = AE_NDR_UNIQUE }),
};

/* 2.2.18.3 */
const struct ae_ndr_type ae_dcom_std_type = AE_NDR_STRUCT("STDOBJREF",
    struct ae_dcom_std, 8,
	AE_NDR_FIELD(struct ae_dcom_std, flags, &ae_ndr_u32),
	AE_NDR_FIELD(struct ae_dcom_std, refs, &ae_ndr_u32),
	AE_NDR_FIELD(struct ae_dcom_std, oxid, &ae_ndr_u64),
	AE_NDR_FIELD(struct ae_dcom_std, oid, &ae_ndr_u64),
	AE_NDR_FIELD(struct ae_dcom_std, ipid, &ae_ndr_guid));

/* 2.2.19.2 */
const struct ae_ndr_type ae_dcom_dsa_type = AE_NDR_STRUCT("DUALSTRINGARRAY",
    struct ae_dcom_dsa, 4,
	AE_NDR_FIELD(struct ae_dcom_dsa, entries, &ae_ndr_u16),
	AE_NDR_FIELD(struct ae_dcom_dsa, security, &ae_ndr_u16),
	AE_NDR_ARRAY(struct ae_dcom_dsa, units, AE_NDR_VAL, AE_NDR_CONF, &ae_ndr_u16, entries, AE_DCOM_DSA_MAX));

/* 2.2.22.1 */
const struct ae_ndr_type ae_dcom_custom_header_type = AE_NDR_STRUCT("CustomHeader",
    struct ae_dcom_custom_header, 4,
	AE_NDR_FIELD(struct ae_dcom_custom_header, total_size, &ae_ndr_u32),
	AE_NDR_FIELD(struct ae_dcom_custom_header, header_size, &ae_ndr_u32),
	AE_NDR_FIELD(struct ae_dcom_custom_header, reserved, &ae_ndr_u32),
	AE_NDR_FIELD(struct ae_dcom_custom_header, dest_ctx, &ae_ndr_u32),
	AE_NDR_FIELD(struct ae_dcom_custom_header, n, &ae_ndr_u32, .min = 1, .max = AE_DCOM_PROPS_MAX),
	AE_NDR_FIELD(struct ae_dcom_custom_header, class_info, &ae_ndr_guid),
	AE_NDR_ARRAY(struct ae_dcom_custom_header, clsids, AE_NDR_UNIQUE, AE_NDR_CONF, &ae_ndr_guid, n, AE_DCOM_PROPS_MAX),
	AE_NDR_ARRAY(struct ae_dcom_custom_header, sizes, AE_NDR_UNIQUE, AE_NDR_CONF, &ae_ndr_u32, n, AE_DCOM_PROPS_MAX),
	AE_NDR_PTR(struct ae_dcom_custom_header, reserved2, AE_NDR_UNIQUE, &ae_ndr_u32));

/* 2.2.22.2.1 */
const struct ae_ndr_type ae_dcom_instantiation_type = AE_NDR_STRUCT("InstantiationInfoData",
    struct ae_dcom_instantiation, 4,
	AE_NDR_FIELD(struct ae_dcom_instantiation, clsid, &ae_ndr_guid),
	AE_NDR_FIELD(struct ae_dcom_instantiation, class_ctx, &ae_ndr_u32),
	AE_NDR_FIELD(struct ae_dcom_instantiation, flags, &ae_ndr_u32),
	AE_NDR_FIELD(struct ae_dcom_instantiation, surrogate, &ae_ndr_u32),
	AE_NDR_FIELD(struct ae_dcom_instantiation, n, &ae_ndr_u32, .min = 1, .max = AE_DCOM_IIDS_MAX),
	AE_NDR_FIELD(struct ae_dcom_instantiation, inst_flag, &ae_ndr_u32),
	AE_NDR_ARRAY(struct ae_dcom_instantiation, iids, AE_NDR_UNIQUE, AE_NDR_CONF, &ae_ndr_guid, n, AE_DCOM_IIDS_MAX),
	AE_NDR_FIELD(struct ae_dcom_instantiation, this_size, &ae_ndr_u32),
	AE_NDR_FIELD(struct ae_dcom_instantiation, version, &ae_dcom_version_type));

/* 2.2.22.2.2, the alternate form: the other one only says more of what is
 * reserved, in the same bytes */
const struct ae_ndr_type ae_dcom_special_type = AE_NDR_STRUCT("SpecialPropertiesData",
    struct ae_dcom_special, 4,
	AE_NDR_FIELD(struct ae_dcom_special, session, &ae_ndr_u32),
	AE_NDR_FIELD(struct ae_dcom_special, remote_this_session, &ae_ndr_u32),
	AE_NDR_FIELD(struct ae_dcom_special, impersonating, &ae_ndr_u32),
	AE_NDR_FIELD(struct ae_dcom_special, partition_present, &ae_ndr_u32),
	AE_NDR_FIELD(struct ae_dcom_special, authn_level, &ae_ndr_u32),
	AE_NDR_FIELD(struct ae_dcom_special, partition, &ae_ndr_guid),
	AE_NDR_FIELD(struct ae_dcom_special, prt_flags, &ae_ndr_u32),
	AE_NDR_FIELD(struct ae_dcom_special, orig_class_ctx, &ae_ndr_u32),
	AE_NDR_FIELD(struct ae_dcom_special, flags, &ae_ndr_u32),
	AE_NDR_FIXED_ARRAY(struct ae_dcom_special, reserved, &ae_ndr_u32));

/* 2.2.22.2.4.1 */
static const struct ae_ndr_type ae_dcom_scm_request_info_type = AE_NDR_STRUCT("customREMOTE_REQUEST_SCM_INFO",
    struct ae_dcom_scm_request_info, 4,
	AE_NDR_FIELD(struct ae_dcom_scm_request_info, imp_level, &ae_ndr_u32),
	AE_NDR_FIELD(struct ae_dcom_scm_request_info, n, &ae_ndr_u16),
	AE_NDR_ARRAY(struct ae_dcom_scm_request_info, protseqs, AE_NDR_UNIQUE, AE_NDR_CONF, &ae_ndr_u16, n, AE_DCOM_PROTSEQS_MAX));

/* 2.2.22.2.4 */
const struct ae_ndr_type ae_dcom_scm_request_type = AE_NDR_STRUCT("ScmRequestInfoData",
    struct ae_dcom_scm_request, 4,
	AE_NDR_PTR(struct ae_dcom_scm_request, reserved, AE_NDR_UNIQUE, &ae_ndr_u32),
	AE_NDR_PTR(struct ae_dcom_scm_request, info, AE_NDR_UNIQUE, &ae_dcom_scm_request_info_type));

/* 2.2.22.2.5 */
const struct ae_ndr_type ae_dcom_activation_context_type = AE_NDR_STRUCT("ActivationContextInfoData",
    struct ae_dcom_activation_context, 4,
	AE_NDR_FIELD(struct ae_dcom_activation_context, client_ok, &ae_ndr_u32),
	AE_NDR_FIELD(struct ae_dcom_activation_context, reserved1, &ae_ndr_u32),
	AE_NDR_FIELD(struct ae_dcom_activation_context, reserved2, &ae_ndr_u32),
	AE_NDR_FIELD(struct ae_dcom_activation_context, reserved3, &ae_ndr_u32),
	AE_NDR_PTR(struct ae_dcom_activation_context, client, AE_NDR_UNIQUE, &ae_dcom_mip_type),
	AE_NDR_PTR(struct ae_dcom_activation_context, prototype, AE_NDR_UNIQUE, &ae_dcom_mip_type));

/* 2.2.22.2.6 */
const struct ae_ndr_type ae_dcom_location_type = AE_NDR_STRUCT("LocationInfoData",
    struct ae_dcom_location, 4,
	AE_NDR_STRING(struct ae_dcom_location, machine, AE_NDR_UNIQUE, AE_NDR_STR16, AE_DCOM_NAME_MAX),
	AE_NDR_FIELD(struct ae_dcom_location, process, &ae_ndr_u32),
	AE_NDR_FIELD(struct ae_dcom_location, apartment, &ae_ndr_u32),
	AE_NDR_FIELD(struct ae_dcom_location, context, &ae_ndr_u32));

/* 2.2.22.2.7.1 */
static const struct ae_ndr_type ae_dcom_server_info_type = AE_NDR_STRUCT("COSERVERINFO",
    struct ae_dcom_server_info, 4,
	AE_NDR_FIELD(struct ae_dcom_server_info, reserved1, &ae_ndr_u32),
	AE_NDR_STRING(struct ae_dcom_server_info, name, AE_NDR_UNIQUE, AE_NDR_STR16, AE_DCOM_NAME_MAX),
	AE_NDR_PTR(struct ae_dcom_server_info, reserved2, AE_NDR_UNIQUE, &ae_ndr_u32),
	AE_NDR_FIELD(struct ae_dcom_server_info, reserved3, &ae_ndr_u32));

/* 2.2.22.2.7 */
const struct ae_ndr_type ae_dcom_security_info_type = AE_NDR_STRUCT("SecurityInfoData",
    struct ae_dcom_security_info, 4,
	AE_NDR_FIELD(struct ae_dcom_security_info, flags, &ae_ndr_u32),
	AE_NDR_PTR(struct ae_dcom_security_info, server, AE_NDR_UNIQUE, &ae_dcom_server_info_type),
	AE_NDR_PTR(struct ae_dcom_security_info, reserved, AE_NDR_UNIQUE, &ae_ndr_u32));

/* 2.2.22.2.8.1 */
static const struct ae_ndr_type ae_dcom_scm_reply_info_type = AE_NDR_STRUCT("customREMOTE_REPLY_SCM_INFO",
    struct ae_dcom_scm_reply_info, 8,
	AE_NDR_FIELD(struct ae_dcom_scm_reply_info, oxid, &ae_ndr_u64),
	AE_NDR_PTR(struct ae_dcom_scm_reply_info, bindings, AE_NDR_UNIQUE, &ae_dcom_dsa_type),
	AE_NDR_FIELD(struct ae_dcom_scm_reply_info, rem_unknown, &ae_ndr_guid),
	AE_NDR_FIELD(struct ae_dcom_scm_reply_info, authn_hint, &ae_ndr_u32),
	AE_NDR_FIELD(struct ae_dcom_scm_reply_info, version, &ae_dcom_version_type));

/* 2.2.22.2.8 */
const struct ae_ndr_type ae_dcom_scm_reply_type = AE_NDR_STRUCT("ScmReplyInfoData",
    struct ae_dcom_scm_reply, 4,
	AE_NDR_PTR(struct ae_dcom_scm_reply, reserved, AE_NDR_UNIQUE, &ae_ndr_u32),
	AE_NDR_PTR(struct ae_dcom_scm_reply, info, AE_NDR_UNIQUE, &ae_dcom_scm_reply_info_type));

/* 2.2.22.2.9 */
const struct ae_ndr_type ae_dcom_props_out_type = AE_NDR_STRUCT("PropsOutInfo",
    struct ae_dcom_props_out, 4,
	AE_NDR_FIELD(struct ae_dcom_props_out, n, &ae_ndr_u32, .min = 1, .max = AE_DCOM_IIDS_MAX),
	AE_NDR_ARRAY(struct ae_dcom_props_out, iids, AE_NDR_UNIQUE, AE_NDR_CONF, &ae_ndr_guid, n, AE_DCOM_IIDS_MAX),
	AE_NDR_ARRAY(struct ae_dcom_props_out, results, AE_NDR_UNIQUE, AE_NDR_CONF, &ae_ndr_u32, n, AE_DCOM_IIDS_MAX),
	AE_NDR_ARRAY(struct ae_dcom_props_out, objrefs, AE_NDR_UNIQUE, AE_NDR_CONF, &ae_dcom_mip_ptr, n, AE_DCOM_IIDS_MAX));
/* clang-format on */
