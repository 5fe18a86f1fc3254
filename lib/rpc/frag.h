/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Protection of single PDUs, and cutting a stub into protected fragments.
 * Both sides use it: requests and responses differ in two header fields.
 */
#ifndef AE_RPC_FRAG_H
#define AE_RPC_FRAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/guid.h"
#include "base/wr.h"
#include "rpc/pdu.h"
#include "rpc/sec.h"

/* Under what the PDUs of one call travel; sec NULL: no trailer at all. */
struct ae_rpc_auth {
	const struct ae_rpc_sec *sec;
	enum ae_rpc_auth_type type;
	enum ae_rpc_level level;
	uint32_t id;
	bool header_sign;
};

struct ae_rpc_msg {
	enum ae_rpc_ptype ptype; /* REQUEST or RESPONSE */
	uint32_t call_id;
	uint16_t context_id;
	uint16_t opnum;		      /* REQUEST */
	const struct ae_guid *object; /* REQUEST; may be NULL */
	const uint8_t *stub;
	size_t len;
	uint16_t max_frag;
	struct ae_rpc_auth auth;
};

/* Append all fragments of m to w.  On failure w is to be thrown away. */
int ae_rpc_msg_put(struct ae_wr *w, const struct ae_rpc_msg *m,
    struct ae_err *e) AE_MUST_CHECK;

/*
 * Check one fragment and decrypt it in place: bytes are the PDU's own.  The
 * trailer must be the one auth says.  *len: stub without padding, which
 * starts at stub_off.  AE_ETRUST: not what the peer sent.
 */
int ae_rpc_fragment_open(const struct ae_rpc_pdu *pdu, uint8_t *bytes,
    size_t stub_off, const struct ae_rpc_auth *auth, size_t *len,
    struct ae_err *e) AE_MUST_CHECK;

#endif
