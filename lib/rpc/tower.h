/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Protocol towers (C706 appendix L, MS-RPCE 2.2.1.2.2): where an interface
 * can be reached, as octets.  TCP over IPv4 is made; others are told apart.
 */
#ifndef AE_RPC_TOWER_H
#define AE_RPC_TOWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/wr.h"
#include "rpc/types.h"

#define AE_RPC_TOWER_MAX 2000 /* octets, MS-RPCE 2.2.1.2.2 */

struct ae_rpc_tower {
	struct ae_rpc_syntax iface;
	struct ae_rpc_syntax transfer;
	bool tcp; /* connection oriented, over TCP and IPv4 */
	uint16_t port;
	uint8_t ip[4];
};

/* Append a TCP tower; t->tcp is taken as said. */
void ae_rpc_tower_put(struct ae_wr *w, const struct ae_rpc_tower *t);

/* False: malformed.  A well-formed one that is not TCP has tcp false. */
bool ae_rpc_tower_get(struct ae_rpc_tower *t, const uint8_t *p, size_t len);

#endif
