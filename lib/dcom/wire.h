/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The NDR tables of MS-DCOM: structures, activation properties, and one
 * table a direction of each method.  ORPC methods' tables begin with
 * ORPCTHIS and ORPCTHAT, which are implicit parameters in the IDL.
 *
 * Interface pointers are opaque bytes here; objref.h reads them.
 */
#ifndef AE_DCOM_WIRE_H
#define AE_DCOM_WIRE_H

#include "dcom/types.h"
#include "ndr/ndr.h"

/* Our maxima, below the IDL's 0x8000 (2.2.28.1) where nobody needs that. */
#define AE_DCOM_IIDS_MAX 256
#define AE_DCOM_PROTSEQS_MAX 256
#define AE_DCOM_REFS_MAX 256
#define AE_DCOM_OIDS_MAX 1024
#define AE_DCOM_PROPS_MAX 10   /* MAX_ACTPROP_LIMIT */
#define AE_DCOM_EXTENTS_MAX 16 /* of ORPCTHIS or ORPCTHAT */
#define AE_DCOM_EXTENT_MAX 16384
#define AE_DCOM_OBJREF_MAX 131072
#define AE_DCOM_DSA_MAX 8192 /* 16-bit units of a DUALSTRINGARRAY */
#define AE_DCOM_NAME_MAX 1024

struct ae_dcom_extent { /* 2.2.13.1 */
	struct ae_guid id;
	uint32_t size;
	uint8_t *data;
};

struct ae_dcom_extents { /* 2.2.13.2 */
	uint32_t size;
	uint32_t reserved;
	struct ae_dcom_extent **extent;
};

struct ae_dcom_this { /* ORPCTHIS, 2.2.13.3 */
	struct ae_dcom_version version;
	uint32_t flags;
	uint32_t reserved;
	struct ae_guid cid;
	struct ae_dcom_extents *extensions;
};

struct ae_dcom_that { /* ORPCTHAT, 2.2.13.4 */
	uint32_t flags;
	struct ae_dcom_extents *extensions;
};

struct ae_dcom_mip { /* MInterfacePointer, 2.2.14 */
	uint32_t len;
	uint8_t *data;
};

struct ae_dcom_std { /* STDOBJREF, 2.2.18.1 */
	uint32_t flags;
	uint32_t refs;
	uint64_t oxid;
	uint64_t oid;
	struct ae_guid ipid;
};

struct ae_dcom_dsa { /* DUALSTRINGARRAY, 2.2.19.2 */
	uint16_t entries;
	uint16_t security;
	uint16_t *units;
};

extern const struct ae_ndr_type ae_dcom_version_type, ae_dcom_this_type,
    ae_dcom_that_type, ae_dcom_mip_type, ae_dcom_std_type, ae_dcom_dsa_type;

/* ---- activation properties, 2.2.22 ---- */

struct ae_dcom_custom_header { /* 2.2.22.1 */
	uint32_t total_size;
	uint32_t header_size;
	uint32_t reserved;
	uint32_t dest_ctx;
	uint32_t n;
	struct ae_guid class_info;
	struct ae_guid *clsids;
	uint32_t *sizes;
	uint32_t *reserved2;
};

struct ae_dcom_instantiation { /* 2.2.22.2.1 */
	struct ae_guid clsid;
	uint32_t class_ctx;
	uint32_t flags;
	uint32_t surrogate;
	uint32_t n;
	uint32_t inst_flag;
	struct ae_guid *iids;
	uint32_t this_size;
	struct ae_dcom_version version;
};

struct ae_dcom_special { /* 2.2.22.2.2, up to where the two forms part */
	uint32_t session;
	uint32_t remote_this_session;
	uint32_t impersonating;
	uint32_t partition_present;
	uint32_t authn_level;
	struct ae_guid partition;
	uint32_t prt_flags;
	uint32_t orig_class_ctx;
	uint32_t flags;
	uint32_t reserved[8];
};

struct ae_dcom_scm_request_info { /* 2.2.22.2.4.1 */
	uint32_t imp_level;
	uint16_t n;
	uint16_t *protseqs;
};

struct ae_dcom_scm_request { /* 2.2.22.2.4 */
	uint32_t *reserved;
	struct ae_dcom_scm_request_info *info;
};

struct ae_dcom_activation_context { /* 2.2.22.2.5 */
	uint32_t client_ok, reserved1, reserved2, reserved3;
	struct ae_dcom_mip *client;
	struct ae_dcom_mip *prototype;
};

struct ae_dcom_location { /* 2.2.22.2.6 */
	char *machine;
	uint32_t process, apartment, context;
};

struct ae_dcom_server_info { /* COSERVERINFO, 2.2.22.2.7.1 */
	uint32_t reserved1;
	char *name;
	uint32_t *reserved2;
	uint32_t reserved3;
};

struct ae_dcom_security_info { /* 2.2.22.2.7 */
	uint32_t flags;
	struct ae_dcom_server_info *server;
	uint32_t *reserved;
};

struct ae_dcom_scm_reply_info { /* 2.2.22.2.8.1 */
	uint64_t oxid;
	struct ae_dcom_dsa *bindings;
	struct ae_guid rem_unknown;
	uint32_t authn_hint;
	struct ae_dcom_version version;
};

struct ae_dcom_scm_reply { /* 2.2.22.2.8 */
	uint32_t *reserved;
	struct ae_dcom_scm_reply_info *info;
};

struct ae_dcom_props_out { /* 2.2.22.2.9 */
	uint32_t n;
	struct ae_guid *iids;
	uint32_t *results;
	struct ae_dcom_mip **objrefs;
};

extern const struct ae_ndr_type ae_dcom_custom_header_type,
    ae_dcom_instantiation_type, ae_dcom_special_type, ae_dcom_scm_request_type,
    ae_dcom_activation_context_type, ae_dcom_location_type,
    ae_dcom_security_info_type, ae_dcom_scm_reply_type, ae_dcom_props_out_type;

/* ---- IObjectExporter, 3.1.2.5.1 ---- */

struct ae_dcom_resolve_in {
	uint64_t oxid;
	uint16_t n;
	uint16_t *protseqs;
};

struct ae_dcom_resolve_out {
	struct ae_dcom_dsa *bindings;
	struct ae_guid rem_unknown;
	uint32_t authn_hint;
	struct ae_dcom_version version; /* ResolveOxid2 only */
	uint32_t status;
};

struct ae_dcom_simple_ping_in {
	uint64_t set;
};

struct ae_dcom_complex_ping_in {
	uint64_t set;
	uint16_t sequence;
	uint16_t nadd, ndel;
	uint64_t *add, *del;
};

struct ae_dcom_complex_ping_out {
	uint64_t set;
	uint16_t backoff;
	uint32_t status;
};

struct ae_dcom_status_out {
	uint32_t status;
};

struct ae_dcom_alive2_out {
	struct ae_dcom_version version;
	struct ae_dcom_dsa *bindings;
	uint32_t reserved;
	uint32_t status;
};

extern const struct ae_ndr_type ae_dcom_resolve_in_type,
    ae_dcom_resolve_out_type, ae_dcom_resolve2_out_type,
    ae_dcom_simple_ping_in_type, ae_dcom_complex_ping_in_type,
    ae_dcom_complex_ping_out_type, ae_dcom_status_out_type,
    ae_dcom_alive2_out_type;

/* ---- activation, 3.1.2.5.2.3 ---- */

struct ae_dcom_remote_activation_in {
	struct ae_dcom_this this;
	struct ae_guid clsid;
	char *name;
	struct ae_dcom_mip *storage;
	uint32_t imp_level;
	uint32_t mode;
	uint32_t n;
	struct ae_guid *iids;
	uint16_t nprotseqs;
	uint16_t *protseqs;
};

struct ae_dcom_remote_activation_out {
	struct ae_dcom_that that;
	uint64_t oxid;
	struct ae_dcom_dsa *bindings;
	struct ae_guid rem_unknown;
	uint32_t authn_hint;
	struct ae_dcom_version version;
	uint32_t hresult;
	uint32_t n; /* of objrefs; a parameter of the other side */
	struct ae_dcom_mip **objrefs;
	uint32_t nresults; /* as n */
	uint32_t *results;
	uint32_t status;
};

struct ae_dcom_create_instance_in { /* RemoteCreateInstance */
	struct ae_dcom_this this;
	struct ae_dcom_mip *outer;
	struct ae_dcom_mip *props;
};

struct ae_dcom_get_class_in { /* RemoteGetClassObject */
	struct ae_dcom_this this;
	struct ae_dcom_mip *props;
};

struct ae_dcom_activate_out { /* of both */
	struct ae_dcom_that that;
	struct ae_dcom_mip *props;
	uint32_t hresult;
};

extern const struct ae_ndr_type ae_dcom_remote_activation_in_type,
    ae_dcom_remote_activation_out_type, ae_dcom_create_instance_in_type,
    ae_dcom_get_class_in_type, ae_dcom_activate_out_type;

/* ---- IRemUnknown, IRemUnknown2, 3.1.1.5.6 and 3.1.1.5.7 ---- */

struct ae_dcom_rem_qi_in {
	struct ae_dcom_this this;
	struct ae_guid ipid;
	uint32_t refs;
	uint16_t n;
	struct ae_guid *iids;
};

struct ae_dcom_qi_result { /* REMQIRESULT, 2.2.24 */
	uint32_t hresult;
	struct ae_dcom_std std;
};

struct ae_dcom_rem_qi_out {
	struct ae_dcom_that that;
	uint16_t n; /* a parameter of the other side */
	struct ae_dcom_qi_result *results;
	uint32_t hresult;
};

struct ae_dcom_rem_qi2_in {
	struct ae_dcom_this this;
	struct ae_guid ipid;
	uint16_t n;
	struct ae_guid *iids;
};

struct ae_dcom_rem_qi2_out {
	struct ae_dcom_that that;
	uint16_t nresults; /* a parameter of the other side */
	uint32_t *results;
	uint16_t n; /* as nresults */
	struct ae_dcom_mip **objrefs;
	uint32_t hresult;
};

struct ae_dcom_ref { /* REMINTERFACEREF, 2.2.23 */
	struct ae_guid ipid;
	uint32_t public_refs;
	uint32_t private_refs;
};

struct ae_dcom_refs_in { /* RemAddRef, RemRelease */
	struct ae_dcom_this this;
	uint16_t n;
	struct ae_dcom_ref *refs;
};

struct ae_dcom_add_ref_out {
	struct ae_dcom_that that;
	uint16_t n; /* a parameter of the other side */
	uint32_t *results;
	uint32_t hresult;
};

struct ae_dcom_orpc_out { /* ORPCTHAT and a HRESULT, nothing between */
	struct ae_dcom_that that;
	uint32_t hresult;
};

extern const struct ae_ndr_type ae_dcom_rem_qi_in_type, ae_dcom_rem_qi_out_type,
    ae_dcom_rem_qi2_in_type, ae_dcom_rem_qi2_out_type, ae_dcom_refs_in_type,
    ae_dcom_add_ref_out_type, ae_dcom_orpc_out_type;

/* ---- IClassFactory ---- */

struct ae_dcom_factory_create_in {
	struct ae_dcom_this this;
	struct ae_guid iid;
};

struct ae_dcom_factory_create_out {
	struct ae_dcom_that that;
	struct ae_dcom_mip *object;
	uint32_t hresult;
};

struct ae_dcom_factory_lock_in {
	struct ae_dcom_this this;
	uint32_t lock;
};

extern const struct ae_ndr_type ae_dcom_factory_create_in_type,
    ae_dcom_factory_create_out_type, ae_dcom_factory_lock_in_type;

#endif
