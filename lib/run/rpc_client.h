/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Drives rpc/client.h on a TCP connection: resolve, connect, bind, call,
 * each with a deadline, each recorded as a stage.  Blocks with poll(): for
 * processes that do nothing else meanwhile (net, the command line).
 */
#ifndef AE_RUN_RPC_CLIENT_H
#define AE_RUN_RPC_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/err.h"
#include "base/guid.h"
#include "rpc/types.h"

struct ae_gss_cred;

/* ---- what happened, stage by stage ---- */

enum ae_run_stage_kind {
	AE_RUN_NAME,	/* what: "ca1.example.com" */
	AE_RUN_CONNECT, /* "192.0.2.7:135" */
	AE_RUN_TICKET,	/* "host/ca1.example.com" */
	AE_RUN_BIND,	/* "192.0.2.7:135 privacy" */
	AE_RUN_CALL,	/* "ept_map", "ICertRequestD2::Ping2" */
};

struct ae_run_stage {
	enum ae_run_stage_kind kind;
	char what[112];
	int64_t us;	   /* how long it took, microseconds */
	struct ae_err err; /* rc AE_OK: it went well */
};

#define AE_RUN_STAGES_MAX 48

/* Caller's storage; zeroed is empty.  What does not fit is dropped. */
struct ae_run_trace {
	struct ae_run_stage v[AE_RUN_STAGES_MAX];
	size_t n;
	/*
	 * How often something was sent and answered, over all connections
	 * that told this trace; emptying v leaves it.
	 */
	unsigned int trips;
};

/* "name", "connect", "ticket", "bind", "call"; for people and JSON. */
const char *ae_run_stage_name(enum ae_run_stage_kind kind);

/* ---- addresses ---- */

#define AE_RUN_ADDRS_MAX 8

struct ae_run_addrs {
	struct sockaddr_storage v[AE_RUN_ADDRS_MAX];
	socklen_t len[AE_RUN_ADDRS_MAX];
	size_t n; /* in the order to try; ports are not set */
};

/*
 * host is a DNS name or a numeric address.  How long this may take is the
 * resolver's configuration.  AE_ENOTFOUND: no such name; AE_EUNAVAIL: no
 * answer.  trace may be NULL.
 */
int ae_run_resolve(struct ae_run_addrs *out, const char *host,
    struct ae_run_trace *trace, struct ae_err *e) AE_MUST_CHECK;

/* ---- one connection ---- */

struct ae_run_rpc;

/* Borrowed during ae_run_rpc_open; cred for the connection's life. */
struct ae_run_target {
	const struct ae_run_addrs *addrs;
	uint16_t port;
	enum ae_rpc_auth_type auth; /* NONE: the rest of the group unused */
	enum ae_rpc_level level;
	struct ae_gss_cred *cred;
	const char *spn;
	const struct ae_rpc_syntax *ifaces; /* contexts, by index in calls */
	size_t nifaces;
	/* Zero takes the default that is named. */
	uint32_t connect_ms; /* an address: 5 s */
	uint32_t bind_ms;    /* all legs: 20 s */
	uint32_t call_ms;    /* one call: 60 s */
	int64_t deadline;    /* of everything, ae_clock_mono_ms(); 0: none */
	struct ae_run_trace *trace; /* NULL: none; else outlives it */
};

/*
 * Connects to the first address that answers and binds.  AE_EUNAVAIL,
 * AE_ETIMEDOUT: nobody there; AE_EAUTH: no ticket, or refused; otherwise as
 * the bind failed.  The error names the stage.
 */
int ae_run_rpc_open(struct ae_run_rpc **out, const struct ae_run_target *t,
    struct ae_err *e) AE_MUST_CHECK;
void ae_run_rpc_close(struct ae_run_rpc *r);

/*
 * Nothing has arrived since the last answer, not the end either.  A server
 * that closes connections that were silent for long is noticed so, before a
 * call is lost on it.
 */
bool ae_run_rpc_alive(const struct ae_run_rpc *r);

/* Another deadline for what follows (as in the target; 0: none). */
void ae_run_rpc_until(struct ae_run_rpc *r, int64_t deadline);

/* What came back; stub until the next call on the connection. */
struct ae_run_reply {
	const uint8_t *stub;
	size_t len;
	bool big_endian;
	uint32_t fault; /* not 0: the failure is the server's fault status */
	/*
	 * After a failure: the server cannot have acted on the call (it was
	 * never sent whole, or the server says so).  Only then is it safe to
	 * ask again in another way.
	 */
	bool not_executed;
};

/*
 * One call and its answer.  name is for the trace and texts.  AE_OK: out
 * has the answer.  A fault is a failure with out->fault set and the
 * connection still good; after any other failure it can only be closed.
 */
int ae_run_rpc_call(struct ae_run_rpc *r, uint32_t context, uint16_t opnum,
    const struct ae_guid *object, const uint8_t *stub, size_t len,
    const char *name, struct ae_run_reply *out, struct ae_err *e) AE_MUST_CHECK;

/*
 * Where does the host serve this interface over TCP?  Asks its endpoint
 * mapper, anonymously.  t names addrs, deadlines and trace; its port is the
 * mapper's (0: 135).  AE_ENOTFOUND: not registered there.
 */
int ae_run_epm_port(uint16_t *port, const struct ae_run_target *t,
    const struct ae_rpc_syntax *iface, struct ae_err *e) AE_MUST_CHECK;

#endif
