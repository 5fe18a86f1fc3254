/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * A server with one test interface and connections to it, without sockets:
 * from our client, or from PDUs that a test wrote itself.
 */
#ifndef AE_TEST_RPC_PAIR_H
#define AE_TEST_RPC_PAIR_H

#include "rpc/client.h"
#include "rpc/pdu.h"
#include "rpc/server.h"

/*
 * "echo": opnum 0 answers with the stub, 1 with fault 0x1234, 2 with nothing
 * until the test answers itself, 3 with as many bytes as the stub's first
 * four say.  Privacy is needed for "vault", nothing for "echo".
 */
extern const struct ae_rpc_iface echo_iface, vault_iface;

struct end {
	struct ae_rpc_conn *conn;
	int accept_state[8];
	bool weak;		       /* contexts that cannot seal */
	bool hold_auth;		       /* the test answers AUTH itself */
	struct ae_rpc_auth_event auth; /* the last one; token is gone */
	uint32_t calls;		       /* CALL events seen */
	struct ae_rpc_call last;       /* stub is gone */
	struct ae_wr last_stub;
	uint32_t held[80]; /* calls of opnum 2 */
	size_t nheld;
	uint32_t cancels;
	uint32_t gone;
	bool closed;
	struct ae_err why;
	uint64_t now;
};

struct ae_rpc_server *test_server(const struct ae_rpc_limits *limits);

void end_init(struct end *x, struct ae_rpc_server *s, const char *peer);
void end_done(struct end *x);

/* Act on all events. */
void end_run(struct end *x);

/* Feed bytes as far as there is room; returns what was taken. */
size_t end_feed(struct end *x, const void *p, size_t len);

/* Take one PDU of the output; false: there is none.  bytes: 6000. */
bool end_pdu(struct end *x, struct ae_rpc_pdu *pdu, uint8_t *bytes);

/* Move everything both ways until nothing moves.  chunk: 0 is all at once. */
void exchange(struct end *x, struct ae_rpc_client *cl, size_t chunk);

#endif
