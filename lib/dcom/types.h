/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The words of MS-DCOM both sides share: versions, identifiers, status
 * codes, bindings.  No wire layout (wire.h) and no state.
 */
#ifndef AE_DCOM_TYPES_H
#define AE_DCOM_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/guid.h"
#include "rpc/types.h"

/* COMVERSION, MS-DCOM 2.2.11. */
struct ae_dcom_version {
	uint16_t major;
	uint16_t minor;
};

#define AE_DCOM_MAJOR 5
#define AE_DCOM_MINOR 7	    /* ours */
#define AE_DCOM_MINOR_OLD 1 /* of a server without ServerAlive2 */
#define AE_DCOM_MINOR_SCM 6 /* first with IRemoteSCMActivator */

/* MS-DCOM 1.7: the version a client may speak to a server of ours. */
bool ae_dcom_version_ok(const struct ae_dcom_version *client);

/* MS-ERREF 2.1 and 2.2: what this protocol answers. */
#define AE_DCOM_E_NOTIMPL 0x80004001U
#define AE_DCOM_E_NOINTERFACE 0x80004002U
#define AE_DCOM_E_ACCESSDENIED 0x80070005U
#define AE_DCOM_E_OUTOFMEMORY 0x8007000eU
#define AE_DCOM_E_INVALIDARG 0x80070057U
#define AE_DCOM_E_VERSION_MISMATCH 0x80010110U
#define AE_DCOM_E_INVALID_HEADER 0x80010111U
#define AE_DCOM_E_INVALID_EXTENSION 0x80010112U
#define AE_DCOM_E_DISCONNECTED 0x80010108U
#define AE_DCOM_E_INVALID_OBJECT 0x80010114U
#define AE_DCOM_E_INVALID_OBJREF 0x8001011dU
#define AE_DCOM_E_CLASSNOTREG 0x80040154U
#define AE_DCOM_E_OBJNOTREG 0x800401fbU
#define AE_DCOM_E_NOAGGREGATION 0x80040110U
#define AE_DCOM_OR_INVALID_OXID 0x776U
#define AE_DCOM_OR_INVALID_OID 0x777U
#define AE_DCOM_OR_INVALID_SET 0x778U
#define AE_DCOM_OUT_OF_RESOURCES 0x6b9U /* RPC_S_OUT_OF_RESOURCES */

/* Well-known identifiers, MS-DCOM 1.9. */
extern const struct ae_guid ae_dcom_iid_unknown;
extern const struct ae_guid ae_dcom_iid_class_factory;
extern const struct ae_guid ae_dcom_iid_rem_unknown;
extern const struct ae_guid ae_dcom_iid_rem_unknown2;
extern const struct ae_guid ae_dcom_iid_object_exporter;
extern const struct ae_guid ae_dcom_iid_activation;
extern const struct ae_guid ae_dcom_iid_scm_activator;
extern const struct ae_guid ae_dcom_iid_props_in;
extern const struct ae_guid ae_dcom_iid_props_out;
extern const struct ae_guid ae_dcom_iid_context;
extern const struct ae_guid ae_dcom_clsid_props_in;
extern const struct ae_guid ae_dcom_clsid_props_out;
extern const struct ae_guid ae_dcom_clsid_context_marshaler;
extern const struct ae_guid ae_dcom_clsid_special; /* SpecialSystemProperties */
extern const struct ae_guid ae_dcom_clsid_instantiation; /* InstantiationInfo */
extern const struct ae_guid ae_dcom_clsid_activation_context;
extern const struct ae_guid ae_dcom_clsid_security_info;
extern const struct ae_guid ae_dcom_clsid_location; /* ServerLocationInfo */
extern const struct ae_guid ae_dcom_clsid_scm_request;
extern const struct ae_guid ae_dcom_clsid_instance_info;
extern const struct ae_guid ae_dcom_clsid_scm_reply;

/* Opnums; IUnknown's 0..2 are never on the wire. */
enum {
	AE_DCOM_OP_RESOLVE_OXID = 0,
	AE_DCOM_OP_SIMPLE_PING = 1,
	AE_DCOM_OP_COMPLEX_PING = 2,
	AE_DCOM_OP_SERVER_ALIVE = 3,
	AE_DCOM_OP_RESOLVE_OXID2 = 4,
	AE_DCOM_OP_SERVER_ALIVE2 = 5,

	AE_DCOM_OP_REMOTE_ACTIVATION = 0,

	AE_DCOM_OP_GET_CLASS_OBJECT = 3,
	AE_DCOM_OP_CREATE_INSTANCE = 4,

	AE_DCOM_OP_REM_QUERY_INTERFACE = 3,
	AE_DCOM_OP_REM_ADD_REF = 4,
	AE_DCOM_OP_REM_RELEASE = 5,
	AE_DCOM_OP_REM_QUERY_INTERFACE2 = 6,

	AE_DCOM_OP_FACTORY_CREATE = 3,
	AE_DCOM_OP_FACTORY_LOCK = 4,
};

#define AE_DCOM_TOWER_TCP 0x0007 /* C706 appendix I: ncacn_ip_tcp */

/* STRINGBINDING, MS-DCOM 2.2.19.3, taken apart. */
struct ae_dcom_binding {
	uint16_t tower;
	const char *host; /* without the endpoint; for TCP, else all of it */
	uint16_t port;	  /* TCP's endpoint; 0: none named */
};

/* SECURITYBINDING, MS-DCOM 2.2.19.4. */
struct ae_dcom_security {
	uint16_t service; /* enum ae_rpc_auth_type, or others */
	const char *spn;  /* "" when none */
};

/* DUALSTRINGARRAY, taken apart; order is preference. */
struct ae_dcom_bindings {
	const struct ae_dcom_binding *strings;
	size_t nstrings;
	const struct ae_dcom_security *security;
	size_t nsecurity;
};

#endif
