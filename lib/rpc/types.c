/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Names of what is on the wire, and what a fault means to a program.
 */
#include "rpc/types.h"

#include <stddef.h>

const struct ae_rpc_syntax ae_rpc_ndr20 = {
	.uuid = { 0x8a885d04, 0x1ceb, 0x11c9,
	    { 0x9f, 0xe8, 0x08, 0x00, 0x2b, 0x10, 0x48, 0x60 } },
	.major = 2,
};

const struct ae_rpc_syntax ae_rpc_ndr64 = {
	.uuid = { 0x71710533, 0xbeba, 0x4937,
	    { 0x83, 0x19, 0xb5, 0xdb, 0xef, 0x9c, 0xcc, 0x36 } },
	.major = 1,
};

/* clang-format off */
static const struct {
	uint32_t status;
	enum ae_rc rc;
	const char *name;
} faults[] = {
	{ AE_RPC_FAULT_ACCESS_DENIED,      AE_EDENIED,   "access denied" },
	{ AE_RPC_FAULT_NO_CALL_ACTIVE,     AE_EREMOTE,   "no call active" },
	{ AE_RPC_FAULT_CANT_PERFORM,       AE_EREMOTE,   "cannot perform the operation" },
	{ AE_RPC_FAULT_NO_RESOURCES,       AE_EUNAVAIL,  "out of resources" },
	{ AE_RPC_FAULT_BAD_STUB_DATA,      AE_EREMOTE,   "bad stub data" },
	{ AE_RPC_FAULT_SEC_PKG_ERROR,      AE_EAUTH,     "security package error" },
	{ AE_RPC_FAULT_OP_RNG_ERROR,       AE_ENOTFOUND, "nca_op_rng_error" },
	{ AE_RPC_FAULT_UNK_IF,             AE_ENOTFOUND, "nca_unk_if" },
	{ AE_RPC_FAULT_PROTO_ERROR,        AE_EREMOTE,   "nca_proto_error" },
	{ AE_RPC_FAULT_SERVER_TOO_BUSY,    AE_EUNAVAIL,  "nca_server_too_busy" },
	{ AE_RPC_FAULT_CANCEL,             AE_EREMOTE,   "nca_s_fault_cancel" },
	{ AE_RPC_FAULT_CONTEXT_MISMATCH,   AE_EREMOTE,   "nca_s_fault_context_mismatch" },
	{ AE_RPC_FAULT_REMOTE_NO_MEMORY,   AE_EUNAVAIL,  "nca_s_fault_remote_no_memory" },
	{ AE_RPC_FAULT_INVALID_CONTEXT_ID, AE_EREMOTE,   "invalid presentation context id" },
	{ AE_RPC_FAULT_UNSUPPORTED_LEVEL,  AE_EDENIED,   "unsupported authentication level" },
	{ AE_RPC_FAULT_OBJECT_NOT_FOUND,   AE_ENOTFOUND, "nca_s_fault_object_not_found" },
};
/* clang-format on */

static const char *const levels[] = {
	[AE_RPC_LEVEL_DEFAULT] = "default",
	[AE_RPC_LEVEL_NONE] = "none",
	[AE_RPC_LEVEL_CONNECT] = "connect",
	[AE_RPC_LEVEL_CALL] = "call",
	[AE_RPC_LEVEL_PKT] = "packet",
	[AE_RPC_LEVEL_INTEGRITY] = "integrity",
	[AE_RPC_LEVEL_PRIVACY] = "privacy",
};

bool
ae_rpc_syntax_equal(
    const struct ae_rpc_syntax *a, const struct ae_rpc_syntax *b)
{
	return ae_guid_equal(&a->uuid, &b->uuid) && a->major == b->major &&
	    a->minor == b->minor;
}

int
ae_rpc_fault_err(struct ae_err *e, uint32_t status)
{
	const char *name = ae_rpc_fault_name(status);
	enum ae_rc rc = AE_EREMOTE;
	size_t i;

	for (i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		if (faults[i].status == status)
			rc = faults[i].rc;
	return ae_fail(e, rc, AE_DOM_RPC, status,
	    "the server's fault 0x%08x%s%s", status, name == NULL ? "" : ": ",
	    name == NULL ? "" : name);
}

const char *
ae_rpc_fault_name(uint32_t status)
{
	size_t i;

	for (i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		if (faults[i].status == status)
			return faults[i].name;
	return NULL;
}

const char *
ae_rpc_level_name(enum ae_rpc_level level)
{
	if ((unsigned int)level >= sizeof(levels) / sizeof(levels[0]))
		return "unknown";
	return levels[level];
}
