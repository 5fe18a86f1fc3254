/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * A server for conformance suites: endpoint mapper, mgmt and an echo
 * interface on one port, Kerberos accepted in this process.  For tests only:
 * no privilege separation, no sandbox.
 *
 *	rpc_server PORT KEYTAB [MAX_SEC_CONTEXTS]
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "gss/caller.h"
#include "gss/cred.h"
#include "gss/ctx.h"
#include "rpc/epm.h"
#include "rpc/mgmt.h"
#include "run/rpc_server.h"
#include "sys/loop.h"

#define HALF_OPEN 256
#define REPLY_MAX (1024 * 1024)

/* Echoes its stub; needs privacy. */
static const struct ae_rpc_iface echo = {
	.name = "echo",
	.id = { .uuid = { 0xae0ec400, 0x0001, 0x0002,
		    { 1, 2, 3, 4, 5, 6, 7, 8 } },
	    .major = 1 },
	.nops = 1,
	.min_level = AE_RPC_LEVEL_PRIVACY,
};

/* A context that is being accepted. */
struct half {
	struct ae_run_conn *conn;
	uint32_t auth;
	struct ae_gss_ctx *ctx;
};

struct prog {
	struct ae_rpc_server *rpc;
	struct ae_rpc_epm *epm;
	struct ae_gss_cred *cred;
	struct half half[HALF_OPEN];
	uint64_t names;
};

static struct half *
half_find(struct prog *p, const struct ae_run_conn *c, uint32_t auth)
{
	size_t i;

	for (i = 0; i < HALF_OPEN; i++)
		if (p->half[i].conn == c && p->half[i].auth == auth)
			return &p->half[i];
	return NULL;
}

static void
half_drop(struct half *h)
{
	ae_gss_ctx_free(h->ctx);
	*h = (struct half){ .conn = NULL };
}

static struct half *
half_begin(
    struct prog *p, struct ae_run_conn *c, const struct ae_rpc_auth_event *ev)
{
	struct ae_gss_acceptor conf = { .mech = (enum ae_gss_mech)ev->type,
		.level = (enum ae_gss_level)ev->level };
	struct half *h = half_find(p, NULL, 0);
	struct ae_err e = AE_ERR_INIT;

	if (h == NULL)
		return NULL;
	if (ae_gss_ctx_accept(&h->ctx, p->cred, &conf, &e) != AE_OK) {
		fprintf(stderr, "accept: %s\n", e.text);
		return NULL;
	}
	h->conn = c;
	h->auth = ev->auth;
	return h;
}

static void
on_auth(void *arg, struct ae_run_conn *c, const struct ae_rpc_auth_event *ev)
{
	struct ae_rpc_auth_result r = { .status = AE_RPC_AUTH_FAILED };
	struct prog *p = arg;
	struct ae_caller *who = NULL;
	struct ae_err e = AE_ERR_INIT;
	struct half *h;
	struct ae_wr out;
	bool done;

	ae_wr_init(&out, AE_GSS_TOKEN_MAX);
	h = ev->first ? half_begin(p, c, ev) : half_find(p, c, ev->auth);
	if (h == NULL)
		goto out;
	if (ae_gss_step(h->ctx, ev->token, ev->token_len, &out, &done, &e) !=
		AE_OK ||
	    (done && ae_caller_get(&who, h->ctx, &e) != AE_OK)) {
		fprintf(stderr, "%s: %s\n", ae_run_conn_peer(c), e.text);
		half_drop(h);
		goto out;
	}
	r.status = done ? AE_RPC_AUTH_COMPLETE : AE_RPC_AUTH_CONTINUE;
	r.token = out.p;
	r.token_len = out.len;
	if (done) {
		r.sec = ae_rpc_sec_gss(h->ctx);
		h->ctx = NULL;
		half_drop(h);
		r.name = ++p->names;
		r.sid = who->user;
	}
out:
	ae_run_conn_auth_done(c, ev->auth, &r);
	ae_caller_free(who);
	ae_wr_done(&out);
}

static void
on_call(void *arg, struct ae_run_conn *c, const struct ae_rpc_call *call)
{
	struct prog *p = arg;
	uint8_t local[4];
	uint32_t fault = 0;
	struct ae_wr out;

	ae_wr_init(&out, REPLY_MAX);
	ae_run_conn_local_ip(c, local);
	if (call->iface == &ae_rpc_epm_iface)
		fault = ae_rpc_epm_call(p->epm, p->rpc, call, local, &out);
	else if (call->iface == &ae_rpc_mgmt_iface)
		fault = ae_rpc_mgmt_call(p->rpc, call, NULL, &out);
	else
		ae_wr_bytes(&out, call->stub, call->stub_len);
	if (fault != 0)
		ae_run_conn_fault(c, call->call, fault);
	else
		ae_run_conn_reply(c, call->call, out.p, out.len);
	ae_wr_done(&out);
}

static void
on_auth_gone(void *arg, struct ae_run_conn *c, uint32_t auth, uint64_t name)
{
	struct half *h = half_find(arg, c, auth);

	(void)name;
	if (h != NULL)
		half_drop(h);
}

static void
on_closed(void *arg, struct ae_run_conn *c, const struct ae_err *why)
{
	struct prog *p = arg;
	size_t i;

	for (i = 0; i < HALF_OPEN; i++)
		if (p->half[i].conn == c)
			half_drop(&p->half[i]);
	if (why->rc != AE_OK)
		fprintf(
		    stderr, "%s: closed: %s\n", ae_run_conn_peer(c), why->text);
}

static void
on_refused(void *arg, const char *peer, const char *reason)
{
	(void)arg;
	fprintf(stderr, "%s: refused: %s\n", peer, reason);
}

static const struct ae_run_server_ops ops = {
	.auth = on_auth,
	.call = on_call,
	.auth_gone = on_auth_gone,
	.closed = on_closed,
	.refused = on_refused,
};

static void
on_signal(void *arg, int signo)
{
	(void)signo;
	ae_loop_exit(arg, 0);
}

static int
add_endpoints(struct prog *p, uint16_t port, struct ae_err *e)
{
	static const struct ae_rpc_iface *const rows[] = { &ae_rpc_epm_iface,
		&ae_rpc_mgmt_iface, &echo };
	struct ae_rpc_epm_entry x;
	size_t i;
	int rc;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		x = (struct ae_rpc_epm_entry){ .id = rows[i]->id,
			.port = port };
		(void)snprintf(
		    x.annotation, sizeof(x.annotation), "%s", rows[i]->name);
		rc = ae_rpc_epm_add(p->epm, &x, e);
		if (rc == AE_OK)
			rc = ae_rpc_server_add(p->rpc, rows[i], e);
		if (rc != AE_OK)
			return rc;
	}
	return AE_OK;
}

int
main(int argc, char **argv)
{
	struct ae_run_limits limits = { .max_anon_per_ip = 500 };
	struct ae_rpc_server_config g = { .limits = { .max_stub = 0 } };
	struct ae_gss_service service = { .keytab = argc > 2 ? argv[2] : NULL };
	struct ae_source *term = NULL, *intr = NULL;
	struct ae_run_server *server = NULL;
	struct ae_loop *loop = NULL;
	struct ae_err e = AE_ERR_INIT;
	struct prog p = { .rpc = NULL };
	int code = 1, fd = -1;

	if (argc < 3) {
		fprintf(stderr,
		    "usage: rpc_server PORT KEYTAB [MAX_SEC_CONTEXTS]\n");
		return 2;
	}
	(void)snprintf(g.sec_addr, sizeof(g.sec_addr), "%s", argv[1]);
	if (argc > 3)
		g.limits.max_sec_contexts = (uint32_t)atoi(argv[3]);
	if (getrandom(g.seed, sizeof(g.seed), 0) != sizeof(g.seed))
		return 1;
	p.rpc = ae_rpc_server_new(&g);
	p.epm = ae_rpc_epm_new(16);
	if (p.rpc == NULL || p.epm == NULL)
		return 1;
	if (add_endpoints(&p, (uint16_t)atoi(argv[1]), &e) != AE_OK ||
	    ae_gss_cred_service(&p.cred, &service, &e) != AE_OK ||
	    ae_loop_new(&loop, &e) != AE_OK ||
	    ae_loop_signal(&term, loop, 15, on_signal, loop, &e) != AE_OK ||
	    ae_loop_signal(&intr, loop, 2, on_signal, loop, &e) != AE_OK ||
	    ae_run_tcp_listen(&fd, "0.0.0.0", (uint16_t)atoi(argv[1]), &e) !=
		AE_OK ||
	    ae_run_server_new(&server, loop, p.rpc, &limits, &ops, &p, &e) !=
		AE_OK ||
	    ae_run_server_listen(server, fd, &e) != AE_OK)
		goto out;
	fprintf(stderr, "ready\n");
	if (ae_loop_run(loop, &code, &e) != AE_OK)
		code = 1;
out:
	if (code != 0)
		fprintf(stderr, "rpc_server: %s\n", e.text);
	ae_run_server_free(server);
	ae_source_free(term);
	ae_source_free(intr);
	if (loop != NULL)
		ae_loop_free(loop);
	ae_gss_cred_free(p.cred);
	ae_rpc_epm_free(p.epm);
	ae_rpc_server_free(p.rpc);
	return code;
}
