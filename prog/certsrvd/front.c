/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Tokens go to auth, contexts come back.  This process cannot judge a token
 * and never sees the keytab; a context it gets bears a name that the CA
 * knows the caller by.
 */
#include "front.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gss/ctx.h"
#include "pki/key.h"
#include "rpc/mgmt.h"
#include "rpc/sec.h"
#include "sys/clock.h"
#include "wcce/admin.h"
#include "wcce/request.h"

#define ADDRESSES_MAX 8 /* told in string bindings, beside the name */
#define REPLY_MAX 262144u

/* f is where the role's state begins: see front_open(). */
static struct front *
front_of(const struct peer *peer)
{
	return peer->p->state;
}

/* ---- tokens ---- */

static bool
pending_add(struct front *f, uint32_t conn, uint32_t auth)
{
	if (f->npending == f->cap) {
		size_t cap = f->cap == 0 ? 64 : f->cap * 2;
		struct front_auth *v = realloc(f->pending, cap * sizeof(*v));

		if (v == NULL)
			return false;
		f->pending = v;
		f->cap = cap;
	}
	f->pending[f->npending].conn = conn;
	f->pending[f->npending].auth = auth;
	f->npending++;
	return true;
}

static bool
pending_take(struct front *f, uint32_t conn, uint32_t auth)
{
	size_t i;

	for (i = 0; i < f->npending; i++) {
		if (f->pending[i].conn != conn || f->pending[i].auth != auth)
			continue;
		f->pending[i] = f->pending[--f->npending];
		return true;
	}
	return false;
}

static void
auth_failed(struct ae_run_conn *c, uint32_t auth)
{
	struct ae_rpc_auth_result r = { .status = AE_RPC_AUTH_FAILED };

	ae_run_conn_auth_done(c, auth, &r);
}

static void
on_auth(void *arg, struct ae_run_conn *c, const struct ae_rpc_auth_event *ev)
{
	struct front *f = arg;
	struct peer *auth = peer_of(f->p, ROLE_AUTH, 0);
	uint32_t conn = ae_run_conn_id(c);
	struct ae_wr w;

	ae_wr_init(&w, MSG_TOKEN_MAX);
	ae_wr_u32(&w, conn);
	ae_wr_u32(&w, ev->auth);
	ae_wr_u8(&w, ev->first);
	ae_wr_u8(&w, (uint8_t)ev->type);
	ae_wr_u8(&w, (uint8_t)ev->level);
	ae_wr_bytes(&w, ev->token, ev->token_len);
	if (!pending_add(f, conn, ev->auth))
		auth_failed(c, ev->auth);
	else if (!peer_send(auth, MSG_AUTH_STEP, 0, &w)) {
		(void)pending_take(f, conn, ev->auth);
		auth_failed(c, ev->auth);
	}
	ae_wr_done(&w);
}

static void
on_auth_gone(void *arg, struct ae_run_conn *c, uint32_t auth, uint64_t name)
{
	struct front *f = arg;
	struct ae_wr w;

	if (name != 0) {
		holders_remove(f->holders, name);
		if (f->ops->forget != NULL)
			f->ops->forget(f, name);
		return;
	}
	ae_wr_init(&w, 8);
	ae_wr_u32(&w, ae_run_conn_id(c));
	ae_wr_u32(&w, auth);
	(void)peer_send(peer_of(f->p, ROLE_AUTH, 0), MSG_AUTH_DROP, 0, &w);
	ae_wr_done(&w);
	(void)pending_take(f, ae_run_conn_id(c), auth);
}

/* The connection an answer of auth is for; NULL when it is gone. */
static struct ae_run_conn *
answered(struct front *f, struct ae_rd *r, uint32_t *auth)
{
	uint32_t conn = ae_rd_u32(r);

	*auth = ae_rd_u32(r);
	if (!ae_rd_ok(r) || !pending_take(f, conn, *auth))
		return NULL;
	return ae_run_server_conn(f->run, conn);
}

static int
on_continue(
    void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct front *f = front_of(arg);
	struct ae_rpc_auth_result res = { .status = AE_RPC_AUTH_CONTINUE };
	struct ae_run_conn *c;
	struct ae_rd r;
	uint32_t auth;

	(void)ipc;
	ae_rd_init(&r, m->body, m->len);
	c = answered(f, &r, &auth);
	res.token_len = ae_rd_left(&r);
	res.token = ae_rd_take(&r, res.token_len);
	if (!ae_rd_done(&r))
		return bad_message(&r, "AUTH_CONTINUE", e);
	if (c != NULL)
		ae_run_conn_auth_done(c, auth, &res);
	return AE_OK;
}

static int
on_failed(void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct front *f = front_of(arg);
	struct ae_run_conn *c;
	char quoted[AE_ERR_TEXT_MAX + 64];
	const uint8_t *text;
	size_t len;
	struct ae_rd r;
	uint32_t auth;

	(void)ipc;
	ae_rd_init(&r, m->body, m->len);
	c = answered(f, &r, &auth);
	text = get_bytes(&r, &len);
	if (!ae_rd_done(&r))
		return bad_message(&r, "AUTH_FAILED", e);
	if (c == NULL)
		return AE_OK;
	log_outside(f->p, "%s: authentication failed: %s", ae_run_conn_peer(c),
	    ae_str_quote(quoted, sizeof(quoted), (const char *)text, len));
	f->told = true; /* closing it is no second line */
	auth_failed(c, auth);
	f->told = false;
	return AE_OK;
}

static int
on_done(void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct front *f = front_of(arg);
	struct ae_rpc_auth_result res = { .status = AE_RPC_AUTH_COMPLETE };
	struct ae_gss_ctx *ctx = NULL;
	struct ae_err why = AE_ERR_INIT;
	const uint8_t *exported;
	char sid[AE_SID_STR_MAX];
	struct ae_run_conn *c;
	struct ae_rd r;
	uint32_t auth;
	size_t len;

	(void)ipc;
	ae_rd_init(&r, m->body, m->len);
	c = answered(f, &r, &auth);
	res.name = ae_rd_u64(&r);
	res.sid = ae_sid_get(&r);
	res.token = get_bytes(&r, &res.token_len);
	exported = get_bytes(&r, &len);
	if (!ae_rd_done(&r) || res.name == 0)
		return bad_message(&r, "AUTH_DONE", e);
	if (c == NULL) {
		/* The client left while auth worked. */
		if (f->ops->forget != NULL)
			f->ops->forget(f, res.name);
		return AE_OK;
	}
	if (!holders_add(f->holders, res.name, &res.sid)) {
		log_outside(f->p, "%s: %s has its share of connections already",
		    ae_run_conn_peer(c), ae_sid_print(sid, &res.sid));
		if (f->ops->forget != NULL)
			f->ops->forget(f, res.name);
		f->told = true;
		auth_failed(c, auth);
		f->told = false;
		return AE_OK;
	}
	if (ae_gss_import(&ctx, exported, len, &why) < 0) {
		log_line(
		    f->p, AE_LOG_ERROR, "taking over a context: %s", why.text);
		/* It came from auth, so it is not the client's doing: most
		   likely krb5.conf has changed, which this process cannot
		   read any more.  The next one can. */
		proc_exit(f->p, 1);
		return AE_OK;
	}
	res.sec = ae_rpc_sec_gss(ctx);
	ae_run_conn_auth_done(c, auth, &res);
	return AE_OK;
}

const struct ae_ipc_row front_auth_rows[] = {
	{ MSG_AUTH_CONTINUE, MSG_TOKEN_MAX, 1, false, on_continue },
	{ MSG_AUTH_FAILED, MSG_TEXT_MAX, 1, false, on_failed },
	{ MSG_AUTH_DONE, MSG_CONTEXT_MAX, 1, false, on_done },
	{ .handle = NULL },
};

void
front_auth_down(struct front *f)
{
	while (f->npending > 0) {
		struct front_auth a = f->pending[--f->npending];
		struct ae_run_conn *c = ae_run_server_conn(f->run, a.conn);

		if (c != NULL)
			auth_failed(c, a.auth);
	}
}

/* ---- connections ---- */

static void
on_call(void *arg, struct ae_run_conn *c, const struct ae_rpc_call *call)
{
	struct front *f = arg;

	f->ops->call(f, c, call);
}

static void
on_closed(void *arg, struct ae_run_conn *c, const struct ae_err *why)
{
	struct front *f = arg;

	/* A client that goes away is no news; one that broke the rules is. */
	if (f->told)
		return;
	if (why->rc == AE_EPROTO || why->rc == AE_ELIMIT ||
	    why->rc == AE_ETRUST || why->rc == AE_EDENIED)
		log_outside(
		    f->p, "%s: closed: %s", ae_run_conn_peer(c), why->text);
}

static void
on_refused(void *arg, const char *peer, const char *reason)
{
	struct front *f = arg;

	log_outside(f->p, "%s: not accepted: %s", peer, reason);
}

static const struct ae_run_server_ops run_ops = {
	.auth = on_auth,
	.call = on_call,
	.auth_gone = on_auth_gone,
	.closed = on_closed,
	.refused = on_refused,
};

/* Send what a room answered, or its fault. */
static void
finish_call(
    struct ae_run_conn *c, uint32_t call, uint32_t fault, const struct ae_wr *w)
{
	if (fault == 0 && ae_wr_ok(w))
		ae_run_conn_reply(c, call, w->p, w->len);
	else
		ae_run_conn_fault(
		    c, call, fault != 0 ? fault : AE_RPC_FAULT_NO_RESOURCES);
}

bool
front_common(
    struct front *f, struct ae_run_conn *c, const struct ae_rpc_call *call)
{
	static const struct ae_rpc_iface *const dcom[] = {
		&ae_dcom_object_exporter_iface,
		&ae_dcom_activation_iface,
		&ae_dcom_scm_iface,
		&ae_dcom_rem_unknown_iface,
		&ae_dcom_rem_unknown2_iface,
		&ae_dcom_class_factory_iface,
	};
	struct ae_err e = AE_ERR_INIT;
	char princ[300];
	struct ae_wr w;
	uint32_t fault;
	size_t i;

	for (i = 0; i < sizeof(dcom) / sizeof(dcom[0]); i++)
		if (call->iface == dcom[i])
			break;
	ae_wr_init(&w, REPLY_MAX);
	if (call->iface == &ae_rpc_mgmt_iface) {
		(void)snprintf(
		    princ, sizeof(princ), "host/%s", f->p->conf.dns_name);
		fault = ae_rpc_mgmt_call(f->rpc, call, princ, &w);
	} else if (i < sizeof(dcom) / sizeof(dcom[0])) {
		/* Every authenticated caller may activate; what a certificate
		   takes is decided by ca. */
		fault = ae_dcom_exporter_call(f->dcom, call, true,
		    (uint64_t)ae_loop_now(f->p->loop), &w, &e);
		if (fault != 0)
			log_outside(f->p, "%s: %s: %s", ae_run_conn_peer(c),
			    call->iface->name, e.text);
	} else {
		return false;
	}
	finish_call(c, call->call, fault, &w);
	ae_wr_done(&w);
	return true;
}

/*
 * The addresses clients reach us at, as text, for those that cannot resolve
 * the name: the configured ones, or every IPv4 address of this host.
 */
static size_t
own_addresses(const struct conf *c, char text[][INET_ADDRSTRLEN], size_t max)
{
	struct ifaddrs *all = NULL, *i;
	struct sockaddr_in in;
	size_t n = 0, k;

	for (k = 0; k < c->address.n && n < max; k++)
		if (inet_pton(AF_INET, c->address.v[k], &in.sin_addr) == 1 &&
		    in.sin_addr.s_addr != htonl(INADDR_ANY))
			(void)snprintf(
			    text[n++], INET_ADDRSTRLEN, "%s", c->address.v[k]);
	if (n > 0 || getifaddrs(&all) < 0)
		return n;
	for (i = all; i != NULL && n < max; i = i->ifa_next) {
		if (i->ifa_addr == NULL || i->ifa_addr->sa_family != AF_INET ||
		    (i->ifa_flags & IFF_LOOPBACK) != 0)
			continue;
		memcpy(&in, i->ifa_addr, sizeof(in));
		if (inet_ntop(AF_INET, &in.sin_addr, text[n],
			INET_ADDRSTRLEN) != NULL)
			n++;
	}
	freeifaddrs(all);
	return n;
}

/* The same on all nodes of a CA: identifiers are names, not secrets. */
static bool
shared_seed(const struct conf *c, uint8_t seed[16])
{
	uint8_t hash[AE_HASH_MAX];
	char text[1024];

	(void)snprintf(text, sizeof(text), "dcom %s %s", c->name, c->dns_name);
	if (ae_hash_bytes(hash, AE_HASH_SHA256, text, strlen(text)) == 0)
		return false;
	memcpy(seed, hash, 16);
	return true;
}

static int
open_dcom(struct front *f, struct ae_err *e)
{
	char text[ADDRESSES_MAX][INET_ADDRSTRLEN];
	const char *hosts[1 + ADDRESSES_MAX] = { f->p->conf.dns_name };
	size_t i, n = own_addresses(&f->p->conf, text, ADDRESSES_MAX);
	const struct ae_dcom_class classes[] = {
		{ .clsid = ae_clsid_ccertrequestd,
		    .iids = { ae_iid_icertrequestd, ae_iid_icertrequestd2 },
		    .niids = 2 },
		{ .clsid = ae_clsid_ccertadmind,
		    .iids = { ae_iid_icertadmind, ae_iid_icertadmind2 },
		    .niids = 2 },
	};
	struct ae_dcom_exporter_config conf = { .hosts = hosts,
		.nhosts = 1 + n,
		.port = (uint16_t)f->p->conf.port,
		.classes = classes,
		.nclasses = f->p->conf.admin_network ? 2 : 1 };

	for (i = 0; i < n; i++)
		hosts[1 + i] = text[i];
	memcpy(conf.seed, f->p->seed, sizeof(conf.seed));
	/* a client that was activated at one node may call another */
	if (conf_shared(&f->p->conf) && !shared_seed(&f->p->conf, conf.seed))
		return ae_fail_mem(e);
	return ae_dcom_exporter_new(&f->dcom, &conf, e);
}

int
front_open(struct front *f, struct proc *p, const struct front_ops *ops,
    const char *sec_addr, struct ae_err *e)
{
	struct ae_rpc_server_config rc = { .adopt_groups =
					       p->def->role == ROLE_RPC };
	int rcode;

	f->p = p;
	f->ops = ops;
	p->state = f;
	ae_random(rc.seed, sizeof(rc.seed));
	(void)snprintf(rc.sec_addr, sizeof(rc.sec_addr), "%s", sec_addr);
	f->rpc = ae_rpc_server_new(&rc);
	f->holders = holders_new(p->conf.max_per_account != 0
		? p->conf.max_per_account
		: p->conf.max_connections / 4);
	if (f->rpc == NULL || f->holders == NULL)
		return ae_fail_mem(e);
	/* Contexts are imported later, when no file can be opened. */
	rcode = ae_gss_warm_new(&f->warm, e);
	if (rcode == AE_OK)
		rcode = open_dcom(f, e);
	if (rcode == AE_OK)
		rcode = ae_rpc_server_add(f->rpc, &ae_rpc_mgmt_iface, e);
	return rcode;
}

int
front_start(struct front *f, struct ae_err *e)
{
	struct ae_run_limits lim = { .max_conns = f->p->conf.max_connections };
	size_t i;
	int rc;

	rc = ae_run_server_new(
	    &f->run, f->p->loop, f->rpc, &lim, &run_ops, f, e);
	for (i = 0; i < f->p->nlisten && rc == AE_OK; i++)
		rc = ae_run_server_listen(f->run, f->p->listen[i], e);
	return rc;
}

void
front_stop(struct front *f)
{
	/* Calls that are with the CA get their answer or a fault when it
	   goes; there is no use in waiting for idle clients. */
	ae_run_server_shutdown(f->run);
	proc_exit(f->p, 0);
}
