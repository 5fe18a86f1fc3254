/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The client side of connection-oriented DCE/RPC as a step function: one
 * connection with one security context and some presentation contexts.
 * Bytes and the time go in; bytes, events and the next deadline come out.
 * It trusts the server no more than the server trusts it: every fragment
 * of a response is verified, sizes are bounded.
 *
 *	c = ae_rpc_client_new(&config, now);
 *	ae_rpc_client_bind(c, ifaces, n, now);
 *	... exchange bytes until AE_RPC_CLIENT_BOUND ...
 *	ae_rpc_client_call(c, 0, opnum, NULL, stub, len, &call, now, &e);
 *	... exchange bytes until AE_RPC_CLIENT_REPLY or _FAULT ...
 *
 * Times are milliseconds of any clock that does not go back.
 */
#ifndef AE_RPC_CLIENT_H
#define AE_RPC_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/guid.h"
#include "rpc/sec.h"
#include "rpc/types.h"

struct ae_rpc_client;

/* Zero members take the default that is named. */
struct ae_rpc_client_config {
	enum ae_rpc_auth_type auth_type; /* NONE: anonymous */
	enum ae_rpc_level level;	 /* PRIVACY when authenticated */
	struct ae_rpc_sec sec; /* taken by _new: a fresh initiator context */
	bool no_header_sign;   /* do not offer it (for tests) */
	uint32_t group;	       /* association group to join, 0: a new one */
	uint16_t max_frag;     /* 5840 */
	size_t max_stub;       /* of one request: 1 MiB */
	size_t max_reply;      /* of one response: 4 MiB */
	uint32_t bind_ms;      /* for the bind with all its legs: 20 s */
	uint32_t call_ms;      /* for one call: 60 s */
};

/* Takes config->sec even on failure (NULL: out of memory). */
struct ae_rpc_client *ae_rpc_client_new(
    const struct ae_rpc_client_config *config, uint64_t now);
void ae_rpc_client_free(struct ae_rpc_client *c);

/*
 * Start the bind with one presentation context an interface (1..16); they
 * are named by their index in calls.  Once.
 */
int ae_rpc_client_bind(struct ae_rpc_client *c,
    const struct ae_rpc_syntax *ifaces, size_t n, uint64_t now,
    struct ae_err *e) AE_MUST_CHECK;

/*
 * Add an interface by alter_context; *context is its index.  An ALTERED
 * event follows.  Only when bound and no call is in flight.
 */
int ae_rpc_client_alter(struct ae_rpc_client *c,
    const struct ae_rpc_syntax *iface, uint32_t *context, uint64_t now,
    struct ae_err *e) AE_MUST_CHECK;

/* The index of an interface that is bound on this connection; -1: none. */
int ae_rpc_client_context(
    const struct ae_rpc_client *c, const struct ae_rpc_syntax *iface);

/*
 * Send a request; *call is its id in later events.  object may be NULL.
 * Calls may be queued; they go out one after the other.
 */
int ae_rpc_client_call(struct ae_rpc_client *c, uint32_t context,
    uint16_t opnum, const struct ae_guid *object, const uint8_t *stub,
    size_t len, uint32_t *call, uint64_t now, struct ae_err *e) AE_MUST_CHECK;

/* Bytes from the server, how many it will take, and its end of stream. */
size_t ae_rpc_client_room(const struct ae_rpc_client *c);
void ae_rpc_client_feed(
    struct ae_rpc_client *c, const uint8_t *p, size_t len, uint64_t now);
void ae_rpc_client_eof(struct ae_rpc_client *c, uint64_t now);

/* As in server.h. */
void ae_rpc_client_tick(struct ae_rpc_client *c, uint64_t now);
uint64_t ae_rpc_client_deadline(const struct ae_rpc_client *c);
const uint8_t *ae_rpc_client_output(const struct ae_rpc_client *c, size_t *len);
void ae_rpc_client_sent(struct ae_rpc_client *c, size_t len, uint64_t now);

enum ae_rpc_client_event_type {
	AE_RPC_CLIENT_BOUND,   /* calls may be made */
	AE_RPC_CLIENT_ALTERED, /* err: AE_OK or why the interface is refused */
	AE_RPC_CLIENT_REPLY,
	AE_RPC_CLIENT_FAULT,  /* err: the fault; the connection goes on */
	AE_RPC_CLIENT_CLOSED, /* err: why; all calls are void.  The last one */
};

struct ae_rpc_client_event {
	enum ae_rpc_client_event_type type;
	uint32_t call;	     /* REPLY, FAULT */
	uint32_t context;    /* ALTERED */
	const uint8_t *stub; /* REPLY: until the next call on this client */
	size_t stub_len;
	bool big_endian;      /* the stub's drep */
	uint32_t fault;	      /* FAULT: the status */
	bool did_not_execute; /* FAULT: the server says so; safe to repeat */
	struct ae_err err;
};

/* The next event; false when there is none. */
bool ae_rpc_client_event(
    struct ae_rpc_client *c, struct ae_rpc_client_event *out);

/* Once bound: the association group, and whether headers are signed. */
uint32_t ae_rpc_client_group(const struct ae_rpc_client *c);
bool ae_rpc_client_header_sign(const struct ae_rpc_client *c);

#endif
