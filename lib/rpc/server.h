/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The server side of connection-oriented DCE/RPC as a step function.  A
 * struct ae_rpc_server holds what connections of one process share:
 * interfaces, limits, association groups, context handles.  A struct
 * ae_rpc_conn is one connection: bytes and the time go in, bytes, events
 * and the next deadline come out.  No sockets, clock or randomness here, no
 * NDR of any interface and no identity: a finished security context comes
 * from the owner together with the name under which the caller is known.
 *
 * The owner's loop for one connection:
 *
 *	read at most ae_rpc_conn_room() bytes, ae_rpc_conn_feed() them;
 *	while (ae_rpc_conn_event(c, &ev)) act on ev;
 *	write ae_rpc_conn_output(), tell ae_rpc_conn_sent();
 *	at ae_rpc_conn_deadline() call ae_rpc_conn_tick();
 *	when ae_rpc_conn_finished(): close the socket, ae_rpc_conn_free().
 *
 * Any order is fine.  ae_rpc_conn_auth_done(), _reply() and _fault() may
 * come at any later time; after each, events and output may be new.
 * Times are milliseconds of any clock that does not go back.
 */
#ifndef AE_RPC_SERVER_H
#define AE_RPC_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/guid.h"
#include "base/sid.h"
#include "rpc/sec.h"
#include "rpc/types.h"

struct ae_rpc_server;
struct ae_rpc_conn;

/* One interface: a row in the owner's table, borrowed for the server's life. */
struct ae_rpc_iface {
	const char *name; /* for logs */
	struct ae_rpc_syntax id;
	uint16_t nops;		     /* opnum >= nops: nca_op_rng_error */
	enum ae_rpc_level min_level; /* lower: fault 5; NONE: anonymous may */
	int tag;		     /* the owner's, to tell rows apart */
	const void *data;	     /* the owner's, its method table perhaps */
};

/* Zero members take the default that is named. */
struct ae_rpc_limits {
	uint16_t max_frag;	   /* both directions: 5840 */
	size_t max_stub;	   /* of a whole request: 1 MiB */
	size_t max_reply;	   /* of a whole response: 1 MiB */
	uint32_t max_calls;	   /* in flight per connection: 64 */
	uint32_t max_fragments;	   /* of one request: 2048 */
	uint32_t max_contexts;	   /* presentation contexts: 64 */
	uint32_t max_sec_contexts; /* security contexts: 16 */
	uint32_t max_auth_legs;	   /* tokens for one context: 8 */
	uint32_t max_token;	   /* bytes of one token: 48 KiB */
	uint32_t max_groups;	   /* association groups: 16384 */
	uint32_t max_handles;	   /* context handles per group: 64 */
	uint32_t bind_ms;	   /* from connect to a finished bind: 10 s */
	uint32_t partial_ms;	   /* for the rest of a PDU or request: 30 s */
	uint32_t idle_ms;	   /* nothing in flight: 15 min */
	uint32_t close_ms;	   /* to take our last bytes: 5 s */
};

struct ae_rpc_server_config {
	struct ae_rpc_limits limits;
	/* Random bytes: group ids start here, handles are made from them. */
	uint8_t seed[16];
	/*
	 * Several processes serve the port: a group id that is not known
	 * here was given out by another one, and is adopted.  Context
	 * handles never cross processes.
	 */
	bool adopt_groups;
	/* Send bind_ack's secondary address: "135" and the like; may be "". */
	char sec_addr[16];
};

/* Copies config.  NULL when out of memory. */
struct ae_rpc_server *ae_rpc_server_new(const struct ae_rpc_server_config *c);

/* Asserts that no connection is left. */
void ae_rpc_server_free(struct ae_rpc_server *s);

/* Register an interface row (borrowed).  AE_EINVAL: already there. */
int ae_rpc_server_add(struct ae_rpc_server *s, const struct ae_rpc_iface *i,
    struct ae_err *e) AE_MUST_CHECK;

/* Row n of the registered interfaces, NULL past the end. */
const struct ae_rpc_iface *ae_rpc_server_iface(
    const struct ae_rpc_server *s, size_t n);

/* What mgmt's inq_stats reports, C706 appendix Q. */
struct ae_rpc_stats {
	uint32_t calls_in;
	uint32_t calls_out; /* answered; a server makes no calls */
	uint32_t pdus_in;
	uint32_t pdus_out;
};
void ae_rpc_server_stats(
    const struct ae_rpc_server *s, struct ae_rpc_stats *out);

/* ---- one connection ---- */

/*
 * peer: the client's address without port, as bytes: an association group
 * may only be joined from the address that made it (MS-RPCE 3.3.1.5.7).
 */
struct ae_rpc_conn *ae_rpc_conn_new(struct ae_rpc_server *s,
    const uint8_t *peer, size_t peer_len, uint64_t now);
void ae_rpc_conn_free(struct ae_rpc_conn *c);

/* How many bytes feed will take now; 0 while the connection is paused. */
size_t ae_rpc_conn_room(const struct ae_rpc_conn *c);

/*
 * Bytes from the peer, at most ae_rpc_conn_room().  A protocol error is
 * not an error of this function: it becomes output, a CLOSED event and
 * ae_rpc_conn_finished().
 */
void ae_rpc_conn_feed(
    struct ae_rpc_conn *c, const uint8_t *p, size_t len, uint64_t now);

/* The peer closed its side. */
void ae_rpc_conn_eof(struct ae_rpc_conn *c, uint64_t now);

/* Time passed.  Also let the deadline come to pass when it is due. */
void ae_rpc_conn_tick(struct ae_rpc_conn *c, uint64_t now);

/* When tick must be called next; UINT64_MAX: never. */
uint64_t ae_rpc_conn_deadline(const struct ae_rpc_conn *c);

/* Borrowed until the next call on c; NULL and 0 when there is nothing. */
const uint8_t *ae_rpc_conn_output(const struct ae_rpc_conn *c, size_t *len);
void ae_rpc_conn_sent(struct ae_rpc_conn *c, size_t len, uint64_t now);

/* Nothing will come out any more: close the socket and free. */
bool ae_rpc_conn_finished(const struct ae_rpc_conn *c);

/* Answer what is in flight, then close; new requests are refused. */
void ae_rpc_conn_shutdown(struct ae_rpc_conn *c, uint64_t now);

/* ---- events ---- */

enum ae_rpc_event_type {
	AE_RPC_EVENT_AUTH,	/* a token for the acceptor */
	AE_RPC_EVENT_CALL,	/* a complete, verified request */
	AE_RPC_EVENT_CANCEL,	/* the client gave the call up; answer it */
	AE_RPC_EVENT_AUTH_GONE, /* a context is no longer used: forget it */
	AE_RPC_EVENT_CLOSED,	/* the connection ended; calls are void */
};

/* A token for the acceptor: step it and call ae_rpc_conn_auth_done. */
struct ae_rpc_auth_event {
	uint32_t auth; /* handle of the context on this connection */
	bool first;    /* no context there yet: make one */
	bool last_leg; /* auth3: no reply token can be sent any more */
	enum ae_rpc_auth_type type;
	enum ae_rpc_level level;
	const uint8_t *token; /* until ae_rpc_conn_auth_done */
	size_t token_len;
};

/* A request.  Everything borrowed is good until reply or fault. */
struct ae_rpc_call {
	uint32_t call; /* handle for reply and fault */
	const struct ae_rpc_iface *iface;
	uint16_t opnum;
	bool has_object;
	struct ae_guid object;
	/*
	 * Peers may pad a stub, so a few octets may follow what the method
	 * takes: decode with a `used`, do not insist on the end.
	 */
	const uint8_t *stub;
	size_t stub_len;
	bool big_endian; /* the stub's drep; we answer little endian */
	/* Under which security context; NONE and 0 when anonymous. */
	enum ae_rpc_level level;
	enum ae_rpc_auth_type auth_type;
	uint32_t auth;		    /* handle as in the AUTH event */
	uint64_t name;		    /* as told by ae_rpc_conn_auth_done */
	const struct ae_sid *sid;   /* likewise; NULL when anonymous */
	uint32_t group;		    /* association group id */
	struct ae_rpc_group *assoc; /* the group itself: for context handles */
};

struct ae_rpc_event {
	enum ae_rpc_event_type type;
	union {
		struct ae_rpc_auth_event auth;
		struct ae_rpc_call call;
		uint32_t cancel; /* the call's handle */
		struct {
			uint32_t auth;
			uint64_t name; /* 0: was never finished */
		} gone;
		struct ae_err closed; /* AE_OK: in an orderly way */
	} u;
};

/* The next event; false when there is none. */
bool ae_rpc_conn_event(struct ae_rpc_conn *c, struct ae_rpc_event *out);

/* What the acceptor said about one token. */
struct ae_rpc_auth_result {
	enum {
		AE_RPC_AUTH_CONTINUE, /* token goes out, more is expected */
		AE_RPC_AUTH_COMPLETE, /* sec, name and sid are filled in */
		AE_RPC_AUTH_FAILED,
	} status;
	const uint8_t *token; /* copied; may be empty */
	size_t token_len;
	struct ae_rpc_sec sec; /* taken */
	uint64_t name;	       /* of the context, never 0 */
	struct ae_sid sid;
};

/*
 * Exactly one for each AUTH event.  No effect on a connection that closed
 * meanwhile (sec is released).
 */
void ae_rpc_conn_auth_done(struct ae_rpc_conn *c, uint32_t auth,
    struct ae_rpc_auth_result *r, uint64_t now);

/*
 * Answer a call, in any order; calls that must go out in order wait (C706
 * 12.6.3.1, CONC_MPX).  stub is copied.  Unknown handles (the connection
 * closed) are ignored.  A reply that is too large becomes a fault.
 */
void ae_rpc_conn_reply(struct ae_rpc_conn *c, uint32_t call,
    const uint8_t *stub, size_t len, uint64_t now);
void ae_rpc_conn_fault(
    struct ae_rpc_conn *c, uint32_t call, uint32_t status, uint64_t now);

/* ---- context handles (C706 6.1.6) ---- */

#define AE_RPC_HANDLE_DATA 64

/* A context handle as it is on the wire: attributes and UUID. */
struct ae_rpc_handle {
	uint32_t attributes;
	struct ae_guid uuid;
};

/*
 * What a handle stands for: plain bytes, kept by the association group of
 * the call and tied to its interface and caller.  NULL: limit reached or
 * out of memory.  The pointer is good until the handle is closed.
 */
void *ae_rpc_handle_new(struct ae_rpc_server *s, const struct ae_rpc_call *call,
    struct ae_rpc_handle *out);

/*
 * The bytes behind a handle, NULL when this caller has no such handle in
 * this group on this interface: answer AE_RPC_FAULT_CONTEXT_MISMATCH.
 */
void *ae_rpc_handle_get(struct ae_rpc_server *s, const struct ae_rpc_call *call,
    const struct ae_rpc_handle *h);

/* False as ae_rpc_handle_get gives NULL. */
bool ae_rpc_handle_close(struct ae_rpc_server *s,
    const struct ae_rpc_call *call, const struct ae_rpc_handle *h);

#endif
