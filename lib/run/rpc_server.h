/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Serves rpc/server.h on listening sockets: accepts within limits, moves
 * bytes, keeps deadlines, and hands what happens to a table of callbacks.
 * What a token or a call means is the owner's business.
 */
#ifndef AE_RUN_RPC_SERVER_H
#define AE_RUN_RPC_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "rpc/server.h"
#include "sys/loop.h"

struct ae_run_server;
struct ae_run_conn;

/* Zero members take the default that is named. */
struct ae_run_limits {
	uint32_t max_conns;	  /* of this server: 12000, at most 65535 */
	uint32_t max_anon_per_ip; /* not authenticated, one address: 32 */
	uint32_t max_anon;	  /* not authenticated, in all: 1024 */
	uint32_t anon_idle_ms;	  /* silence of those: 60 s */
	uint32_t write_ms;	  /* without progress of a write: 30 s */
	size_t max_output;	  /* unread by the peer before we stop
				     reading: 256 KiB */
};

struct ae_run_server_ops {
	/* A token for the acceptor; answer with ae_run_conn_auth_done(). */
	void (*auth)(void *arg, struct ae_run_conn *c,
	    const struct ae_rpc_auth_event *ev);
	/* A call; answer with ae_run_conn_reply() or _fault(), at any time. */
	void (*call)(
	    void *arg, struct ae_run_conn *c, const struct ae_rpc_call *call);
	/* The client gave a call up.  NULL: it is answered all the same. */
	void (*cancel)(void *arg, struct ae_run_conn *c, uint32_t call);
	/* A security context is gone; name is 0 when it never was complete. */
	void (*auth_gone)(
	    void *arg, struct ae_run_conn *c, uint32_t auth, uint64_t name);
	/* The connection ended; c is gone after this.  why->rc may be AE_OK. */
	void (*closed)(
	    void *arg, struct ae_run_conn *c, const struct ae_err *why);
	/* A connection was not taken in; reason is one sentence. */
	void (*refused)(void *arg, const char *peer, const char *reason);
};

/* rpc, ops, arg and loop are borrowed for the server's life. */
int ae_run_server_new(struct ae_run_server **out, struct ae_loop *l,
    struct ae_rpc_server *rpc, const struct ae_run_limits *limits,
    const struct ae_run_server_ops *ops, void *arg,
    struct ae_err *e) AE_MUST_CHECK;

/* Closes every connection without telling. */
void ae_run_server_free(struct ae_run_server *s);

/* Accept on this socket (taken; bound and listening). */
int ae_run_server_listen(
    struct ae_run_server *s, int take_fd, struct ae_err *e) AE_MUST_CHECK;

/* Take in a connected socket (taken); peer as in ae_rpc_conn_new(). */
int ae_run_server_adopt(struct ae_run_server *s, int take_fd,
    const uint8_t *peer, size_t peer_len, struct ae_err *e) AE_MUST_CHECK;

/* No new connections; those there are end when their calls are answered. */
void ae_run_server_shutdown(struct ae_run_server *s);

/* ae_run_conn_drop() for every connection. */
void ae_run_server_drop_all(struct ae_run_server *s, const char *why);

size_t ae_run_server_conns(const struct ae_run_server *s);

/*
 * A number that names a connection for as long as it is there and, for some
 * 65000 successors in its place, no other; and back, NULL when it is gone.
 */
uint32_t ae_run_conn_id(const struct ae_run_conn *c);
struct ae_run_conn *ae_run_server_conn(struct ae_run_server *s, uint32_t id);

/* "192.0.2.7:49152"; the address part alone is ae_run_conn_ip(). */
const char *ae_run_conn_peer(const struct ae_run_conn *c);
const char *ae_run_conn_ip(const struct ae_run_conn *c);

/* Our own address on this connection, IPv4; zeros when it is none. */
void ae_run_conn_local_ip(const struct ae_run_conn *c, uint8_t ip[4]);

/* As their namesakes in rpc/server.h. */
void ae_run_conn_auth_done(
    struct ae_run_conn *c, uint32_t auth, struct ae_rpc_auth_result *r);
void ae_run_conn_reply(
    struct ae_run_conn *c, uint32_t call, const uint8_t *stub, size_t len);
void ae_run_conn_fault(struct ae_run_conn *c, uint32_t call, uint32_t status);

/* Close now, answering nothing; closed() is called from the loop. */
void ae_run_conn_drop(struct ae_run_conn *c, const char *why);

/*
 * A listening TCP socket, non-blocking, close-on-exec.  addr is numeric;
 * "0.0.0.0" and "::" mean all.  IPv6 sockets take IPv6 only.
 */
int ae_run_tcp_listen(
    int *fd, const char *addr, uint16_t port, struct ae_err *e) AE_MUST_CHECK;

#endif
