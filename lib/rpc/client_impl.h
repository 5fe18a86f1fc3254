/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Inside the client side: what client.c, client_bind.c and client_call.c
 * share.  Nobody else includes this.
 */
#ifndef AE_RPC_CLIENT_IMPL_H
#define AE_RPC_CLIENT_IMPL_H

#include "base/wr.h"
#include "rpc/client.h"
#include "rpc/frag.h"
#include "rpc/pdu.h"

#define CLIENT_IFACES_MAX 16

enum client_state {
	CLIENT_NEW,
	CLIENT_BINDING,	 /* bind is out */
	CLIENT_AUTHING,	 /* a further leg is out */
	CLIENT_ALTERING, /* a presentation context is asked for */
	CLIENT_BOUND,
	CLIENT_CLOSED,
};

/* A presentation context; its id is its index. */
struct client_ctx {
	struct ae_rpc_syntax iface;
	bool accepted;
};

struct client_call {
	struct client_call *next;
	uint32_t call_id;      /* the caller's handle too */
	struct ae_rpc_msg msg; /* stub and object are this struct's own */
	struct ae_guid object;
	uint8_t *stub;
};

struct ae_rpc_client {
	struct ae_rpc_client_config config; /* no member is 0 that has a
					       default */
	enum client_state state;
	uint64_t now;

	uint8_t *in; /* one fragment */
	size_t in_len;
	struct ae_wr out;
	size_t out_off;

	struct ae_rpc_sec sec;
	bool sec_done;
	bool header_sign;
	unsigned int legs;
	uint16_t max_frag;
	uint32_t group;
	uint32_t next_call_id;
	uint32_t bind_call_id; /* of the bind or alter_context that is out */
	uint64_t since;	       /* when it, or the current call, went out */

	struct client_ctx ctx[CLIENT_IFACES_MAX];
	size_t nctx;
	size_t asking; /* which one the bind or alter_context asks for */
	bool by_alter; /* ae_rpc_client_alter asked */

	struct client_call *calls; /* the first one is out */
	struct ae_wr reply;
	struct ae_wr told; /* the last reply, lent to the caller */
	uint32_t nfrags;

	/* Events that are due; at most one of each kind. */
	bool ev_bound;
	bool ev_altered;
	struct ae_err altered;
	bool ev_reply; /* for the first call */
	bool reply_big;
	bool ev_fault;
	uint32_t fault;
	bool did_not_execute;
	bool ev_closed;
	struct ae_err closed;
};

/* The end, for the reason that is in *e. */
void client_close(struct ae_rpc_client *c, const struct ae_err *e);
void client_fail(struct ae_rpc_client *c, enum ae_rc rc, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Asks the writer; false: closed for want of memory. */
bool client_wrote(struct ae_rpc_client *c);

/* What fragments of requests and responses travel under. */
struct ae_rpc_auth client_auth(const struct ae_rpc_client *c);

/* client_bind.c */
void client_on_ack(struct ae_rpc_client *c, const struct ae_rpc_pdu *pdu);
void client_on_nak(struct ae_rpc_client *c, const struct ae_rpc_pdu *pdu);
void client_on_bind_fault(
    struct ae_rpc_client *c, const struct ae_rpc_pdu *pdu);

/* client_call.c: bytes are the PDU's own. */
void client_on_response(
    struct ae_rpc_client *c, const struct ae_rpc_pdu *pdu, uint8_t *bytes);
void client_on_fault(struct ae_rpc_client *c, const struct ae_rpc_pdu *pdu);
void client_calls_free(struct ae_rpc_client *c);
bool client_call_event(
    struct ae_rpc_client *c, struct ae_rpc_client_event *out);

#endif
