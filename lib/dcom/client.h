/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The calling side as a step function: from "this class on that host" to
 * interface pointers that can be called, and back to releasing them.  It
 * makes no connection and no call itself; it says which it needs:
 *
 *	ae_dcom_client_new(&c, &config, &e);
 *	for (;;) {
 *		ae_dcom_client_want(c, &want);
 *		CONNECT: a new connection; ae_dcom_client_connected()
 *		CALL:    on the last connection; ae_dcom_client_reply()
 *		         or ae_dcom_client_fault()
 *		READY:   call the application's methods on the last
 *		         connection; _query() or _release() for more
 *		DONE, FAILED: stop
 *	}
 *
 * It only ever asks for connections to the host of its config.  From the
 * bindings a server returns it takes the port, nothing else: an answer
 * cannot send us to another machine or to another service principal.
 */
#ifndef AE_DCOM_CLIENT_H
#define AE_DCOM_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/guid.h"
#include "base/wr.h"
#include "dcom/types.h"

#define AE_DCOM_CLIENT_IIDS_MAX 8
#define AE_DCOM_CLIENT_HOST_MAX 256
#define AE_DCOM_RESOLVER_PORT 135

/* Copied by _new.  Zero members take the default that is named. */
struct ae_dcom_client_config {
	const char *host; /* DNS name of the server; also names its SPNs */
	struct ae_guid clsid;
	const struct ae_guid *iids; /* 1..AE_DCOM_CLIENT_IIDS_MAX */
	size_t niids;
	struct ae_guid cid;		    /* random causality id */
	enum ae_rpc_level activation_level; /* INTEGRITY */
	enum ae_rpc_level call_level;	    /* PRIVACY, or the server's hint */
	bool no_hint;			    /* call_level, and nothing else */
	/*
	 * What ServerAlive2 said when this host was asked before, as
	 * ae_dcom_client_server tells: not asked again, and a connection is
	 * saved.
	 */
	struct ae_dcom_version server;
	/*
	 * The interfaces are alternatives: only the first of them that the
	 * server has is bound, and only its proxy may be called.
	 */
	bool alternatives;
};

enum ae_dcom_client_want_type {
	AE_DCOM_WANT_CONNECT,
	AE_DCOM_WANT_CALL,
	AE_DCOM_WANT_READY,
	AE_DCOM_WANT_DONE,   /* released */
	AE_DCOM_WANT_FAILED, /* ae_dcom_client_error says why */
};

/* Everything borrowed until the next call on the client. */
struct ae_dcom_client_want {
	enum ae_dcom_client_want_type type;
	/* CONNECT: close the connection before, if any, and make a new one. */
	const char *host;
	uint16_t port;
	enum ae_rpc_auth_type auth_type; /* NONE: anonymous */
	enum ae_rpc_level level;
	const char *spn; /* "RPCSS/host"; NULL when anonymous */
	const struct ae_rpc_syntax *ifaces;
	size_t nifaces;
	/* CALL: presentation context by index in ifaces of the CONNECT. */
	uint32_t iface;
	uint16_t opnum;
	const struct ae_guid *object; /* NULL: none */
	const uint8_t *stub;
	size_t stub_len;
};

struct ae_dcom_client;

int ae_dcom_client_new(struct ae_dcom_client **out,
    const struct ae_dcom_client_config *config, struct ae_err *e) AE_MUST_CHECK;
void ae_dcom_client_free(struct ae_dcom_client *c);

void ae_dcom_client_want(
    const struct ae_dcom_client *c, struct ae_dcom_client_want *out);

/* The connection that was wanted stands (bound), or does not. */
void ae_dcom_client_connected(struct ae_dcom_client *c);
void ae_dcom_client_refused(struct ae_dcom_client *c, const struct ae_err *why);

/* The call that was wanted was answered: by a stub, or by a fault. */
void ae_dcom_client_reply(
    struct ae_dcom_client *c, const uint8_t *stub, size_t len, bool big_endian);
void ae_dcom_client_fault(struct ae_dcom_client *c, uint32_t status);

/*
 * The story of a failure; after FAILED.  HRESULTs keep their number
 * (AE_DOM_HRESULT), faults theirs (AE_DOM_RPC).
 */
const struct ae_err *ae_dcom_client_error(const struct ae_dcom_client *c);

/*
 * A TCP binding that the activation named.  Nobody goes there: it is told
 * because other clients would, and it may not be the address we dialled.
 */
struct ae_dcom_seen {
	char host[AE_DCOM_CLIENT_HOST_MAX]; /* cut, if need be */
	uint16_t port;
};
#define AE_DCOM_CLIENT_SEEN_MAX 8

/* In the server's order; *n 0 before an activation was answered. */
const struct ae_dcom_seen *ae_dcom_client_seen(
    const struct ae_dcom_client *c, size_t *n);

/* The level that the activation hinted at for calls; 0: it did not. */
uint32_t ae_dcom_client_hint(const struct ae_dcom_client *c);

/* ---- when READY ---- */

/* An interface that was asked for. */
struct ae_dcom_proxy {
	struct ae_guid iid;
	uint32_t hresult; /* 0: the rest is good */
	struct ae_guid ipid;
	uint32_t refs;
	uint32_t iface; /* presentation context on the last CONNECT */
};

/* In the order of config.iids. */
const struct ae_dcom_proxy *ae_dcom_client_proxy(
    const struct ae_dcom_client *c, size_t i);

/* The version spoken, and the server's own. */
struct ae_dcom_version ae_dcom_client_version(const struct ae_dcom_client *c);
struct ae_dcom_version ae_dcom_client_server(const struct ae_dcom_client *c);

/* Start the stub of a call on a proxy: ORPCTHIS, 32 bytes; w is empty. */
void ae_dcom_client_call_begin(const struct ae_dcom_client *c, struct ae_wr *w);

/*
 * The stub of the answer: *args is what follows ORPCTHAT.  AE_EPROTO when
 * it does not begin with one.
 */
int ae_dcom_client_answer(const uint8_t *stub, size_t len, bool big_endian,
    const uint8_t **args, size_t *args_len, struct ae_err *e) AE_MUST_CHECK;

/*
 * Ask by RemQueryInterface for those of config.iids that activation did not
 * give (an old server gives them one by one).  Needs at least one good proxy;
 * READY comes again.
 */
void ae_dcom_client_query(struct ae_dcom_client *c);

/* Give all references back; DONE follows, also when the server objects. */
void ae_dcom_client_release(struct ae_dcom_client *c);

#endif
