/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The endpoint mapper's parameters (C706 appendix O) as C structs with their
 * NDR tables; for epm.c and epm_client.c.
 */
#ifndef AE_RPC_EPM_NDR_H
#define AE_RPC_EPM_NDR_H

#include "ndr/ndr.h"
#include "rpc/tower.h"

#define EPM_ENTRIES_MAX 512 /* in one answer */
#define EPM_ANNOTATION_MAX 64

struct epm_twr {
	uint32_t len;
	uint8_t *octets;
};

struct epm_if_id {
	struct ae_guid uuid;
	uint16_t major;
	uint16_t minor;
};

struct epm_entry {
	struct ae_guid object;
	struct epm_twr *tower;
	uint32_t annotation_len; /* terminator included */
	uint8_t *annotation;
};

struct epm_lookup_in {
	uint32_t inquiry_type;
	struct ae_guid *object;
	struct epm_if_id *iface;
	uint32_t vers_option;
	struct ae_ndr_context_handle handle;
	uint32_t max;
};

struct epm_lookup_out {
	struct ae_ndr_context_handle handle;
	uint32_t max; /* of the request; not on the wire as itself */
	uint32_t n;
	struct epm_entry *entries;
	uint32_t status;
};

struct epm_map_in {
	struct ae_guid *object;
	struct epm_twr *tower;
	struct ae_ndr_context_handle handle;
	uint32_t max;
};

struct epm_map_out {
	struct ae_ndr_context_handle handle;
	uint32_t max;
	uint32_t n;
	struct epm_twr **towers;
	uint32_t status;
};

struct epm_free_in {
	struct ae_ndr_context_handle handle;
};

struct epm_free_out {
	struct ae_ndr_context_handle handle;
	uint32_t status;
};

extern const struct ae_ndr_type epm_lookup_in_ndr, epm_lookup_out_ndr,
    epm_map_in_ndr, epm_map_out_ndr, epm_free_in_ndr, epm_free_out_ndr;

#endif
