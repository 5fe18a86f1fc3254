/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The words both sides of a connection share: syntaxes, levels, fault
 * codes.  No PDU layout (pdu.h) and no state.
 */
#ifndef AE_RPC_TYPES_H
#define AE_RPC_TYPES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/guid.h"

/* A syntax identifier, C706 12.6.3.1 p_syntax_id_t. */
struct ae_rpc_syntax {
	struct ae_guid uuid;
	uint16_t major;
	uint16_t minor;
};

bool ae_rpc_syntax_equal(
    const struct ae_rpc_syntax *a, const struct ae_rpc_syntax *b);

extern const struct ae_rpc_syntax ae_rpc_ndr20; /* MS-RPCE 2.2.4.12 */
extern const struct ae_rpc_syntax ae_rpc_ndr64; /* MS-RPCE 2.2.5 */

/* Authentication levels, MS-RPCE 2.2.1.1.8. */
enum ae_rpc_level {
	AE_RPC_LEVEL_DEFAULT = 0,
	AE_RPC_LEVEL_NONE = 1,
	AE_RPC_LEVEL_CONNECT = 2,
	AE_RPC_LEVEL_CALL = 3, /* treated as PKT */
	AE_RPC_LEVEL_PKT = 4,
	AE_RPC_LEVEL_INTEGRITY = 5,
	AE_RPC_LEVEL_PRIVACY = 6,
};

/* Authentication types, MS-RPCE 2.2.1.1.7: those we know. */
enum ae_rpc_auth_type {
	AE_RPC_AUTH_NONE = 0,
	AE_RPC_AUTH_SPNEGO = 9,
	AE_RPC_AUTH_KRB5 = 16,
};

/* Fault status, MS-RPCE 3.1.1.5.5 and C706 appendix E. */
#define AE_RPC_FAULT_ACCESS_DENIED 0x00000005U
#define AE_RPC_FAULT_NO_RESOURCES 0x000006b9U /* RPC_S_OUT_OF_RESOURCES */
#define AE_RPC_FAULT_NO_CALL_ACTIVE 0x000006bdU
#define AE_RPC_FAULT_CANT_PERFORM 0x000006d8U
#define AE_RPC_FAULT_BAD_STUB_DATA 0x000006f7U
#define AE_RPC_FAULT_SEC_PKG_ERROR 0x00000721U
#define AE_RPC_FAULT_OP_RNG_ERROR 0x1c010002U
#define AE_RPC_FAULT_UNK_IF 0x1c010003U
#define AE_RPC_FAULT_PROTO_ERROR 0x1c01000bU
#define AE_RPC_FAULT_SERVER_TOO_BUSY 0x1c010014U
#define AE_RPC_FAULT_CANCEL 0x1c00000dU
#define AE_RPC_FAULT_CONTEXT_MISMATCH 0x1c00001aU
#define AE_RPC_FAULT_REMOTE_NO_MEMORY 0x1c00001bU
#define AE_RPC_FAULT_INVALID_CONTEXT_ID 0x1c00001cU
#define AE_RPC_FAULT_UNSUPPORTED_LEVEL 0x1c00001dU
#define AE_RPC_FAULT_OBJECT_NOT_FOUND 0x1c000024U

/*
 * Fill *e for a fault or reject status that the other side sent: the rc is
 * AE_EDENIED, AE_ELIMIT, AE_EUNAVAIL, AE_ENOTFOUND or AE_EREMOTE, dom is
 * AE_DOM_RPC and code the status.  Returns that rc.
 */
int ae_rpc_fault_err(struct ae_err *e, uint32_t status);

/* The spec's name of a fault status ("nca_op_rng_error") or NULL. */
const char *ae_rpc_fault_name(uint32_t status);

/* "privacy" and the like; never NULL. */
const char *ae_rpc_level_name(enum ae_rpc_level level);

#endif
