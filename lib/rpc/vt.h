/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The verification trailer of requests, MS-RPCE 2.2.2.13: repeats parts of
 * the header inside the protected stub, for peers that do not sign headers.
 */
#ifndef AE_RPC_VT_H
#define AE_RPC_VT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/wr.h"
#include "rpc/types.h"

/* What the trailer is compared with, or made from. */
struct ae_rpc_vt {
	bool offered_header_sign; /* the client did, in its bind */
	bool big_endian;
	uint32_t call_id;
	uint16_t context_id;
	uint16_t opnum;
	struct ae_rpc_syntax abstract;
	struct ae_rpc_syntax transfer;
};

/* Append a trailer, aligned to 4 from the stub's start at w's offset 0. */
void ae_rpc_vt_put(struct ae_wr *w, const struct ae_rpc_vt *v);

/*
 * Look for a trailer at the end of a whole stub.  False: there is one and it
 * disagrees, or demands what we do not understand (fault 5).  Otherwise
 * *len is cut to what precedes it, when there is one.
 */
bool ae_rpc_vt_check(
    const struct ae_rpc_vt *v, const uint8_t *stub, size_t *len);

#endif
