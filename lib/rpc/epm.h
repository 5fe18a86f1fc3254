/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The endpoint mapper (C706 appendix O, MS-RPCE 2.2.1.2): as server a table
 * of what listens where, and ept_map for a client.  TCP over IPv4 floors
 * only.  ept_insert, ept_delete and what else would change the table from
 * outside do not exist here.
 */
#ifndef AE_RPC_EPM_H
#define AE_RPC_EPM_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/guid.h"
#include "base/wr.h"
#include "rpc/server.h"
#include "rpc/types.h"

#define AE_RPC_EPM_PORT 135
#define AE_RPC_EPM_NOT_REGISTERED 0x16c9a0d6U

extern const struct ae_rpc_iface ae_rpc_epm_iface; /* min_level NONE */

/* One endpoint. */
struct ae_rpc_epm_entry {
	struct ae_rpc_syntax id;
	struct ae_guid object; /* nil: none */
	uint16_t port;
	uint8_t ip[4]; /* 0.0.0.0: the address the client asks us at */
	char annotation[64];
};

struct ae_rpc_epm;

/* A table that holds at most max entries. */
struct ae_rpc_epm *ae_rpc_epm_new(size_t max);
void ae_rpc_epm_free(struct ae_rpc_epm *m);

/* Copies the entry.  AE_ELIMIT when full. */
int ae_rpc_epm_add(struct ae_rpc_epm *m, const struct ae_rpc_epm_entry *entry,
    struct ae_err *e) AE_MUST_CHECK;

/*
 * Answer one call on ae_rpc_epm_iface: the reply's stub is appended to out.
 * local: our address on the client's connection, which stands for 0.0.0.0 in
 * entries; clients that only look up dial what a tower says.  Returns 0, or
 * the fault status to send (out is then unspecified).
 */
uint32_t ae_rpc_epm_call(struct ae_rpc_epm *m, struct ae_rpc_server *s,
    const struct ae_rpc_call *call, const uint8_t local[4], struct ae_wr *out);

/* Client: the stub of ept_map (opnum 3) asking for id over TCP. */
#define AE_RPC_EPM_OP_MAP 3
int ae_rpc_epm_map_request(struct ae_wr *out, const struct ae_rpc_syntax *id,
    struct ae_err *e) AE_MUST_CHECK;

/*
 * Client: the first TCP endpoint of ept_map's answer.  AE_ENOTFOUND (code:
 * the mapper's status) when the server has none.
 */
int ae_rpc_epm_map_reply(struct ae_rpc_epm_entry *out, const uint8_t *stub,
    size_t len, bool big_endian, const struct ae_rpc_syntax *id,
    struct ae_err *e) AE_MUST_CHECK;

#endif
