/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * PDUs that a test writes itself, right or wrong, and what comes back.
 */
#ifndef AE_TEST_RPC_RAW_H
#define AE_TEST_RPC_RAW_H

#include "pair.h"
#include "rpc/frag.h"

#define FL (AE_RPC_PFC_FIRST | AE_RPC_PFC_LAST)

/* A peer that speaks PDUs: an end, and the client's half of a context. */
struct raw {
	struct ae_rpc_server *s;
	struct end x;
	struct ae_rpc_sec sec; /* of the client, when authenticated */
	enum ae_rpc_level level;
	bool header_sign;
	uint8_t bytes[6000]; /* of the last answer */
	struct ae_rpc_pdu pdu;
};

/* A bind or alter_context with one element. */
struct raw_bind {
	enum ae_rpc_ptype ptype;
	uint8_t flags;
	uint32_t call_id;
	uint32_t group;
	uint16_t xmit, recv; /* 0: 5840 */
	uint16_t ctx;
	const struct ae_rpc_syntax *iface;
	const struct ae_rpc_syntax *transfer; /* NULL: NDR20 */
	uint8_t auth_type;		      /* 0 and no token: none */
	uint8_t auth_level;
	uint32_t auth_id;
	const char *token;
};

void raw_open(struct raw *r, const struct ae_rpc_limits *limits);
void raw_join(struct raw *r, struct ae_rpc_server *s, const char *peer);
void raw_close(struct raw *r); /* also the server, when raw_open made it */

void raw_put_bind(struct ae_wr *w, const struct raw_bind *b);
void raw_send_bind(struct raw *r, const struct raw_bind *b);

/* Bind context 0 to i: anonymous, or with all legs (auth id 7). */
void raw_bound(struct raw *r, const struct ae_rpc_iface *i);
void raw_authed(struct raw *r, const struct ae_rpc_iface *i,
    enum ae_rpc_level level, uint8_t flags);

/* One request fragment. */
struct raw_request {
	uint8_t flags;
	uint32_t call_id;
	uint32_t hint;
	uint16_t ctx;
	uint16_t opnum;
	const void *stub;
	size_t len;
	bool plain; /* no trailer, though there is a context */
	/* Lies in the trailer, when not 0. */
	uint32_t auth_id;
	uint8_t auth_type;
	uint8_t auth_level;
	bool spoil; /* one bit of the stub, after protection */
};

void raw_put_request(
    struct raw *r, struct ae_wr *w, const struct raw_request *q);
void raw_send_request(struct raw *r, const struct raw_request *q);

/* co_cancel, orphaned, auth3, shutdown: header and body as they are. */
void raw_send(struct raw *r, enum ae_rpc_ptype ptype, uint32_t call_id,
    const void *body, size_t len);

/* The next answer must be of this type and call. */
void raw_expect(struct raw *r, enum ae_rpc_ptype ptype, uint32_t call_id);
void raw_expect_nothing(struct raw *r);
/* A fault with these flags; end: the connection closes after it. */
void raw_expect_fault(struct raw *r, uint32_t call_id, uint16_t ctx,
    uint32_t status, uint8_t flags, bool end);
void raw_expect_nak(struct raw *r, uint32_t call_id, uint16_t reason);
void raw_expect_end(struct raw *r);

/* Result of the only element of an ack that was just expected. */
struct ae_rpc_ack_result raw_result(struct raw *r);

#endif
