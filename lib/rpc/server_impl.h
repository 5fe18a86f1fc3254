/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Inside the server side: what server.c, assoc.c and conn*.c share.  Nobody
 * else includes this.
 */
#ifndef AE_RPC_SERVER_IMPL_H
#define AE_RPC_SERVER_IMPL_H

#include "base/wr.h"
#include "rpc/frag.h"
#include "rpc/pdu.h"
#include "rpc/server.h"
#include "rpc/vt.h"

#define PEER_MAX 16 /* an IPv6 address */

/* ---- assoc.c ---- */

struct handle;

struct ae_rpc_group {
	struct ae_rpc_group *next;
	uint32_t id;
	uint8_t peer[PEER_MAX];
	size_t peer_len;
	size_t refs; /* connections */
	struct handle *handles;
	size_t nhandles;
};

/*
 * Join group id (0: make one) as this peer.  NULL: there is none, or the
 * limit is reached, or out of memory; *rc says which (AE_ENOTFOUND,
 * AE_ELIMIT, AE_ENOMEM).
 */
struct ae_rpc_group *ae_rpc_group_join(struct ae_rpc_server *s, uint32_t id,
    const uint8_t *peer, size_t peer_len, int *rc);
void ae_rpc_group_leave(struct ae_rpc_server *s, struct ae_rpc_group *g);

/* ---- server.c ---- */

struct ae_rpc_server {
	struct ae_rpc_server_config config; /* limits: none is 0 */
	const struct ae_rpc_iface **ifaces;
	size_t nifaces;
	struct ae_rpc_group *groups;
	size_t ngroups;
	uint32_t next_group;
	uint64_t next_handle;
	size_t nconns;
	struct ae_rpc_stats stats;
};

const struct ae_rpc_iface *ae_rpc_server_find(
    const struct ae_rpc_server *s, const struct ae_rpc_syntax *id);

/* ---- conn.c ---- */

enum sec_state {
	SEC_PENDING, /* more tokens are expected */
	SEC_DONE,
	SEC_FAILED, /* an auth3 that nobody could be told about */
};

/* One security context; lives as long as its connection. */
struct sec_ctx {
	struct sec_ctx *next;
	uint32_t handle; /* the owner's */
	uint32_t id;	 /* auth_context_id */
	enum ae_rpc_auth_type type;
	enum ae_rpc_level level;
	enum sec_state state;
	uint32_t legs;
	bool gone; /* AUTH_GONE is due */
	bool told; /* it was delivered */
	struct ae_rpc_sec sec;
	uint64_t name;
	struct ae_sid sid;
};

/* A negotiated presentation context; the transfer syntax is NDR20. */
struct pres {
	uint16_t id;
	const struct ae_rpc_iface *iface;
	struct ae_rpc_syntax abstract; /* as the client named it */
};

enum call_state {
	CALL_RECEIVING,
	CALL_READY,	 /* the CALL event is due */
	CALL_DISPATCHED, /* the owner has it */
	CALL_ANSWERED,	 /* waits for its turn to be sent */
};

struct call {
	struct call *next;
	uint32_t handle;
	enum call_state state;
	uint32_t call_id;
	uint16_t context_id;
	uint16_t opnum;
	bool big;
	bool has_object;
	struct ae_guid object;
	const struct ae_rpc_iface *iface;
	struct ae_rpc_syntax abstract;
	struct sec_ctx *sec; /* NULL: no trailer */
	enum ae_rpc_level level;
	uint32_t nfrags;
	bool executed;	/* the owner saw it */
	bool maybe;	/* PFC_MAYBE: no answer is wanted */
	bool orphaned;	/* the client does not look at the answer */
	bool cancel;	/* CANCEL is due */
	uint32_t fault; /* not 0: the answer is this fault */
	struct ae_wr stub;
	uint64_t since;
	uint8_t *reply; /* when ANSWERED */
	size_t reply_len;
};

/* The answer to a bind or alter_context that waits for the acceptor. */
struct held {
	enum ae_rpc_ptype ptype; /* the request's; 0: none */
	uint32_t call_id;
	uint8_t flags; /* of the answer */
	struct ae_rpc_ack_result *results;
	size_t nresults;
};

struct ae_rpc_conn {
	struct ae_rpc_server *server;
	const struct ae_rpc_limits *limits;
	uint8_t peer[PEER_MAX];
	size_t peer_len;
	uint64_t now;

	/* Input: bytes of at most one PDU and what came with it. */
	struct ae_wr in;
	uint64_t in_since; /* when its first byte came */
	bool was_paused;

	/* Output. */
	struct ae_wr out;
	size_t out_off;
	uint64_t out_since; /* when the peer last took some */
	bool out_busy;	    /* out_since counts */

	/* Negotiated. */
	bool bound;
	bool allow_request; /* anonymous bind, or a context is done */
	bool conc_mpx;
	bool header_sign;
	uint16_t features;
	bool features_done;
	uint16_t max_frag;
	struct ae_rpc_group *group;
	struct pres *pres;
	size_t npres;

	struct sec_ctx *secs;
	size_t nsecs;
	uint32_t next_sec;
	struct sec_ctx *pending; /* the one whose legs are under way */
	uint64_t pending_since;
	bool auth_event;   /* AUTH is due */
	bool auth_waiting; /* for ae_rpc_conn_auth_done */
	bool auth_last_leg;
	bool auth3_failed;
	uint8_t *token;
	size_t token_len;
	struct held held;

	struct call *calls;	/* in order of arrival */
	struct call *receiving; /* one of them: more fragments will come */
	size_t ncalls;
	size_t call_bytes;  /* of their stubs */
	size_t reply_bytes; /* of their answers, not yet written to out */
	uint32_t next_call;
	uint32_t max_call_id;
	bool seen_call;

	uint64_t created;
	uint64_t active; /* something happened */
	bool draining;
	bool closing;
	bool closed_event;
	uint64_t closing_since;
	struct ae_err closed;
};

/*
 * End the connection: what is in the output still goes out, everything else
 * is dropped.  The first reason is the one that is told.
 */
void conn_close(struct ae_rpc_conn *c, enum ae_rc rc, uint32_t status,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* Queue a fault, with closing the connection or without. */
void conn_fault(struct ae_rpc_conn *c, uint32_t call_id, uint16_t context_id,
    uint32_t status, uint8_t flags);

/*
 * A protocol error in a PDU that reached no call: fault with "did not
 * execute" and context 0, then the end.
 */
void conn_refuse(struct ae_rpc_conn *c, const struct ae_rpc_pdu *pdu,
    uint32_t status, const char *why);

/* One more PDU was written to c->out; checks the writer. */
void conn_wrote(struct ae_rpc_conn *c);

/* Handle all whole PDUs that are in the input, as long as we may. */
void conn_pump(struct ae_rpc_conn *c);

/* Output that the peer has not taken. */
size_t conn_backlog(const struct ae_rpc_conn *c);

/* Nothing more is taken from the input now. */
bool conn_paused(const struct ae_rpc_conn *c);

/* ---- conn_bind.c ---- */

const struct pres *conn_pres_find(const struct ae_rpc_conn *c, uint16_t id);
void conn_on_bind(struct ae_rpc_conn *c, const struct ae_rpc_pdu *pdu);
void conn_on_alter(struct ae_rpc_conn *c, const struct ae_rpc_pdu *pdu);

/* Send the held answer, with a trailer and token when sec is not NULL. */
void conn_send_ack(struct ae_rpc_conn *c, const struct sec_ctx *sec,
    const uint8_t *token, size_t token_len);
void conn_send_nak(
    struct ae_rpc_conn *c, uint32_t call_id, enum ae_rpc_nak reason);

/* ---- conn_auth.c ---- */

/*
 * Start or continue the context that the PDU's trailer names.  Returns 0, or
 * the fault status (alter) to refuse with.
 */
uint32_t conn_auth_token(
    struct ae_rpc_conn *c, const struct ae_rpc_pdu *pdu, bool last_leg);
void conn_on_auth3(struct ae_rpc_conn *c, const struct ae_rpc_pdu *pdu);
struct sec_ctx *conn_sec_find(const struct ae_rpc_conn *c, uint32_t id);

/* ---- conn_call.c ---- */

/* bytes: the PDU's own, to decrypt in place. */
void conn_on_request(
    struct ae_rpc_conn *c, const struct ae_rpc_pdu *pdu, uint8_t *bytes);
void conn_on_cancel(struct ae_rpc_conn *c, const struct ae_rpc_pdu *pdu);
void conn_on_orphaned(struct ae_rpc_conn *c, const struct ae_rpc_pdu *pdu);
/* Send the answers whose turn it is. */
void conn_flush(struct ae_rpc_conn *c);
void conn_calls_free(struct ae_rpc_conn *c);

#endif
