/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * NDR tables of the endpoint mapper, C706 appendix O with the limits of
 * MS-RPCE 2.2.1.2.
 */
#include "rpc/epm_ndr.h"

/* clang-format off */

/* typedef struct { unsigned32 tower_length;
 *                  [size_is(tower_length)] byte tower_octet_string[]; } twr_t; */
static const struct ae_ndr_type twr_ndr = AE_NDR_STRUCT("twr_t", struct epm_twr, 4,
	AE_NDR_FIELD(struct epm_twr, len, &ae_ndr_u32),
	AE_NDR_ARRAY(struct epm_twr, octets, AE_NDR_VAL, AE_NDR_CONF, &ae_ndr_u8, len, AE_RPC_TOWER_MAX));

static const struct ae_ndr_type twr_p_ndr = { .name = "twr_p_t", .op = AE_NDR_OP_PTR, .align = 4,
	.size = sizeof(void *), .rows = AE_NDR_ROWS({ .name = "tower", .type = &twr_ndr,
	.size = sizeof(void *), .ptr = AE_NDR_FULL }) };

/* typedef struct { uuid_t uuid; unsigned16 vers_major; unsigned16 vers_minor; } rpc_if_id_t; */
static const struct ae_ndr_type if_id_ndr = AE_NDR_STRUCT("rpc_if_id_t", struct epm_if_id, 4,
	AE_NDR_FIELD(struct epm_if_id, uuid, &ae_ndr_guid),
	AE_NDR_FIELD(struct epm_if_id, major, &ae_ndr_u16),
	AE_NDR_FIELD(struct epm_if_id, minor, &ae_ndr_u16));

/* typedef struct { uuid_t object; twr_p_t tower;
 *                  [string] char annotation[ept_max_annotation_size]; } ept_entry_t; */
static const struct ae_ndr_type entry_ndr = AE_NDR_STRUCT("ept_entry_t", struct epm_entry, 4,
	AE_NDR_FIELD(struct epm_entry, object, &ae_ndr_guid),
	AE_NDR_PTR(struct epm_entry, tower, AE_NDR_UNIQUE, &twr_ndr),
	AE_NDR_ARRAY(struct epm_entry, annotation, AE_NDR_VAL, AE_NDR_VARYING, &ae_ndr_u8, annotation_len,
	    EPM_ANNOTATION_MAX, .sets = true));

/* ept_lookup, opnum 2 */
const struct ae_ndr_type epm_lookup_in_ndr = AE_NDR_PARAMS("ept_lookup", struct epm_lookup_in,
	AE_NDR_FIELD(struct epm_lookup_in, inquiry_type, &ae_ndr_u32),
	AE_NDR_PTR(struct epm_lookup_in, object, AE_NDR_FULL, &ae_ndr_guid),
	AE_NDR_PTR(struct epm_lookup_in, iface, AE_NDR_FULL, &if_id_ndr),
	AE_NDR_FIELD(struct epm_lookup_in, vers_option, &ae_ndr_u32),
	AE_NDR_FIELD(struct epm_lookup_in, handle, &ae_ndr_ctx),
	AE_NDR_FIELD(struct epm_lookup_in, max, &ae_ndr_u32));

const struct ae_ndr_type epm_lookup_out_ndr = AE_NDR_PARAMS("ept_lookup", struct epm_lookup_out,
	AE_NDR_FIELD(struct epm_lookup_out, handle, &ae_ndr_ctx),
	AE_NDR_FIELD(struct epm_lookup_out, n, &ae_ndr_u32),
	AE_NDR_ARRAY(struct epm_lookup_out, entries, AE_NDR_VAL, AE_NDR_CONFVAR, &entry_ndr, n, EPM_ENTRIES_MAX,
	    .cap = offsetof(struct epm_lookup_out, max), .cap_size = 4),
	AE_NDR_FIELD(struct epm_lookup_out, status, &ae_ndr_u32));

/* ept_map, opnum 3 */
const struct ae_ndr_type epm_map_in_ndr = AE_NDR_PARAMS("ept_map", struct epm_map_in,
	AE_NDR_PTR(struct epm_map_in, object, AE_NDR_FULL, &ae_ndr_guid),
	AE_NDR_PTR(struct epm_map_in, tower, AE_NDR_FULL, &twr_ndr),
	AE_NDR_FIELD(struct epm_map_in, handle, &ae_ndr_ctx),
	AE_NDR_FIELD(struct epm_map_in, max, &ae_ndr_u32));

const struct ae_ndr_type epm_map_out_ndr = AE_NDR_PARAMS("ept_map", struct epm_map_out,
	AE_NDR_FIELD(struct epm_map_out, handle, &ae_ndr_ctx),
	AE_NDR_FIELD(struct epm_map_out, n, &ae_ndr_u32),
	AE_NDR_ARRAY(struct epm_map_out, towers, AE_NDR_VAL, AE_NDR_CONFVAR, &twr_p_ndr, n, EPM_ENTRIES_MAX,
	    .cap = offsetof(struct epm_map_out, max), .cap_size = 4),
	AE_NDR_FIELD(struct epm_map_out, status, &ae_ndr_u32));

/* ept_lookup_handle_free, opnum 4 */
const struct ae_ndr_type epm_free_in_ndr = AE_NDR_PARAMS("ept_lookup_handle_free", struct epm_free_in,
	AE_NDR_FIELD(struct epm_free_in, handle, &ae_ndr_ctx));

const struct ae_ndr_type epm_free_out_ndr = AE_NDR_PARAMS("ept_lookup_handle_free", struct epm_free_out,
	AE_NDR_FIELD(struct epm_free_out, handle, &ae_ndr_ctx),
	AE_NDR_FIELD(struct epm_free_out, status, &ae_ndr_u32));

/* clang-format on */
