/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * A CA that answers what it is told to: endpoint mapper, DCOM and ICertPassage
 * on one port, Kerberos and sealing as they should be, and for each request
 *
 *	INTERFACE CSR-BYTES\n<CSR>
 *
 * on standard output; the answer is read from standard input:
 *
 *	REQUEST-ID DISPOSITION HRESULT CERTIFICATE-BYTES CHAIN-BYTES\n<both>
 *
 * For tests only: no privilege separation, no sandbox.
 *
 *	lying_ca PORT KEYTAB HOST dcom|icpr
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "dcom/exporter.h"
#include "gss/caller.h"
#include "gss/cred.h"
#include "gss/ctx.h"
#include "rpc/epm.h"
#include "rpc/mgmt.h"
#include "run/rpc_server.h"
#include "sys/clock.h"
#include "sys/loop.h"
#include "wcce/request.h"

#define HALF_OPEN 64
#define REPLY_MAX (16u * 1024u * 1024u)

static struct ae_rpc_iface ifaces[] = {
	{ .name = "ICertPassage",
	    .nops = 1,
	    .min_level = AE_RPC_LEVEL_PRIVACY,
	    .tag = AE_WCCE_ICERTPASSAGE },
	{ .name = "ICertRequestD",
	    .nops = 6,
	    .min_level = AE_RPC_LEVEL_PRIVACY,
	    .tag = AE_WCCE_ICERTREQUESTD },
	{ .name = "ICertRequestD2",
	    .nops = 10,
	    .min_level = AE_RPC_LEVEL_PRIVACY,
	    .tag = AE_WCCE_ICERTREQUESTD2 },
};

static const struct ae_rpc_iface *const dcom_ifaces[] = {
	&ae_dcom_object_exporter_iface, &ae_dcom_activation_iface,
	&ae_dcom_scm_iface, &ae_dcom_rem_unknown_iface,
	&ae_dcom_rem_unknown2_iface, &ae_dcom_class_factory_iface
};

struct prog {
	struct ae_rpc_server *rpc;
	struct ae_rpc_epm *epm;
	struct ae_dcom_exporter *dcom;
	struct ae_gss_cred *cred;
	struct half {
		struct ae_run_conn *conn;
		uint32_t auth;
		struct ae_gss_ctx *ctx;
	} half[HALF_OPEN];
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

static void
on_auth(void *arg, struct ae_run_conn *c, const struct ae_rpc_auth_event *ev)
{
	struct ae_gss_acceptor conf = { .mech = (enum ae_gss_mech)ev->type,
		.level = (enum ae_gss_level)ev->level };
	struct ae_rpc_auth_result r = { .status = AE_RPC_AUTH_FAILED };
	struct prog *p = arg;
	struct half *h =
	    half_find(p, ev->first ? NULL : c, ev->first ? 0 : ev->auth);
	struct ae_caller *who = NULL;
	struct ae_err e = AE_ERR_INIT;
	bool done = false;
	struct ae_wr out;
	int rc;

	ae_wr_init(&out, AE_GSS_TOKEN_MAX);
	rc = h == NULL ? AE_ELIMIT : AE_OK;
	if (rc == AE_OK && ev->first) {
		rc = ae_gss_ctx_accept(&h->ctx, p->cred, &conf, &e);
		h->conn = c;
		h->auth = ev->auth;
	}
	if (rc == AE_OK)
		rc = ae_gss_step(
		    h->ctx, ev->token, ev->token_len, &out, &done, &e);
	if (rc == AE_OK && done)
		rc = ae_caller_get(&who, h->ctx, &e);
	if (rc == AE_OK) {
		r.status = done ? AE_RPC_AUTH_COMPLETE : AE_RPC_AUTH_CONTINUE;
		r.token = out.p;
		r.token_len = out.len;
	} else {
		(void)fprintf(stderr, "lying_ca: %s\n", e.text);
		if (h != NULL)
			half_drop(h);
	}
	if (rc == AE_OK && done) {
		r.sec = ae_rpc_sec_gss(h->ctx);
		h->ctx = NULL;
		half_drop(h);
		r.name = ++p->names;
		r.sid = who->user;
	}
	ae_run_conn_auth_done(c, ev->auth, &r);
	ae_caller_free(who);
	ae_wr_done(&out);
}

static uint8_t *
take(size_t len)
{
	uint8_t *p = malloc(len + 1);

	if (p == NULL || fread(p, 1, len, stdin) != len)
		exit(1);
	return p;
}

/* What we are told to say. */
static void
consult(struct ae_wr *out, const struct ae_rpc_iface *iface,
    const struct ae_wcce_request *q)
{
	struct ae_wcce_reply r = { 0 };
	size_t cert = 0, chain = 0;
	char line[128];
	uint8_t *c, *m;

	(void)printf("%s %zu\n", iface->name, q->csr.len);
	(void)fwrite(q->csr.p == NULL ? (const uint8_t *)"" : q->csr.p, 1,
	    q->csr.len, stdout);
	(void)fflush(stdout);
	if (fgets(line, sizeof(line), stdin) == NULL ||
	    sscanf(line, "%" SCNu32 " %" SCNu32 " %" SCNu32 " %zu %zu",
		&r.request_id, &r.disposition, &r.hresult, &cert, &chain) != 5)
		exit(0); /* who tells us is gone */
	c = take(cert);
	m = take(chain);
	r.cert = (struct ae_wcce_blob){ cert > 0 ? c : NULL, cert };
	r.chain = (struct ae_wcce_blob){ chain > 0 ? m : NULL, chain };
	if (ae_wcce_reply_encode(out, q, &r, NULL) != AE_OK)
		exit(1);
	free(c);
	free(m);
}

static uint32_t
request(struct prog *p, const struct ae_rpc_call *call, struct ae_wr *out)
{
	struct ae_arena *a = ae_arena_new(AE_WCCE_ARENA_MAX);
	struct ae_dcom_orpc o = { .args = call->stub,
		.args_len = call->stub_len };
	struct ae_err e = AE_ERR_INIT;
	struct ae_wcce_request q;
	uint32_t fault = 0, refuse = 0;
	struct ae_wr stub;

	ae_wr_init(&stub, REPLY_MAX);
	if (call->iface->tag != AE_WCCE_ICERTPASSAGE) {
		fault = ae_dcom_exporter_open(p->dcom, call, &o, &e);
		ae_dcom_reply_begin(out);
	}
	if (fault == 0 &&
	    (a == NULL ||
		ae_wcce_request_decode(&q, &refuse,
		    (enum ae_wcce_iface)call->iface->tag, call->opnum, o.args,
		    o.args_len, call->big_endian, a, &e) != AE_OK))
		fault = AE_RPC_FAULT_BAD_STUB_DATA;
	if (fault == 0)
		consult(&stub, call->iface, &q);
	ae_wr_bytes(out, stub.p, stub.len);
	ae_wr_done(&stub);
	ae_arena_free(a);
	return fault;
}

static void
on_call(void *arg, struct ae_run_conn *c, const struct ae_rpc_call *call)
{
	struct prog *p = arg;
	struct ae_err e = AE_ERR_INIT;
	uint8_t local[4];
	uint32_t fault;
	struct ae_wr out;

	ae_wr_init(&out, REPLY_MAX);
	ae_run_conn_local_ip(c, local);
	if (call->iface == &ae_rpc_epm_iface)
		fault = ae_rpc_epm_call(p->epm, p->rpc, call, local, &out);
	else if (call->iface == &ae_rpc_mgmt_iface)
		fault = ae_rpc_mgmt_call(p->rpc, call, NULL, &out);
	else if (call->iface >= ifaces && call->iface < ifaces + 3)
		fault = request(p, call, &out);
	else
		fault = ae_dcom_exporter_call(p->dcom, call, true,
		    (uint64_t)ae_clock_mono_ms(), &out, &e);
	if (fault != 0)
		ae_run_conn_fault(c, call->call, fault);
	else
		ae_run_conn_reply(c, call->call, out.p, out.len);
	ae_wr_done(&out);
}

static void
on_closed(void *arg, struct ae_run_conn *c, const struct ae_err *why)
{
	struct prog *p = arg;
	size_t i;

	(void)why;
	for (i = 0; i < HALF_OPEN; i++)
		if (p->half[i].conn == c)
			half_drop(&p->half[i]);
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
on_refused(void *arg, const char *peer, const char *reason)
{
	(void)arg;
	(void)fprintf(stderr, "lying_ca: %s: %s\n", peer, reason);
}

static const struct ae_run_server_ops ops = {
	.auth = on_auth,
	.call = on_call,
	.auth_gone = on_auth_gone,
	.closed = on_closed,
	.refused = on_refused,
};

static int
add_ifaces(struct prog *p, uint16_t port, bool dcom, struct ae_err *e)
{
	struct ae_rpc_epm_entry icpr = { .port = port };
	size_t i;
	int rc;

	ifaces[0].id.uuid = ae_iid_icertpassage;
	ifaces[1].id.uuid = ae_iid_icertrequestd;
	ifaces[2].id.uuid = ae_iid_icertrequestd2;
	icpr.id = ifaces[0].id;
	rc = ae_rpc_epm_add(p->epm, &icpr, e);
	if (rc == AE_OK)
		rc = ae_rpc_server_add(p->rpc, &ae_rpc_epm_iface, e);
	if (rc == AE_OK)
		rc = ae_rpc_server_add(p->rpc, &ae_rpc_mgmt_iface, e);
	for (i = 0; rc == AE_OK && i < (dcom ? 3 : 1); i++)
		rc = ae_rpc_server_add(p->rpc, &ifaces[i], e);
	for (i = 0; rc == AE_OK && dcom && i < 6; i++)
		rc = ae_rpc_server_add(p->rpc, dcom_ifaces[i], e);
	return rc;
}

static int
make_dcom(struct prog *p, const char *host, uint16_t port, struct ae_err *e)
{
	struct ae_dcom_class class = { .clsid = ae_clsid_ccertrequestd,
		.iids = { ae_iid_icertrequestd, ae_iid_icertrequestd2 },
		.niids = 2 };
	struct ae_dcom_exporter_config conf = { .hosts = &host,
		.nhosts = 1,
		.port = port,
		.classes = &class,
		.nclasses = 1,
		.noping = true };

	ae_random(conf.seed, sizeof(conf.seed));
	return ae_dcom_exporter_new(&p->dcom, &conf, e);
}

int
main(int argc, char **argv)
{
	struct ae_run_limits limits = { .max_anon_per_ip = 64 };
	struct ae_rpc_server_config g = { .limits = {
					      .max_reply = REPLY_MAX } };
	struct ae_gss_service service = { .keytab = argc > 2 ? argv[2] : NULL };
	struct ae_run_server *server = NULL;
	struct ae_loop *loop = NULL;
	struct ae_err e = AE_ERR_INIT;
	struct prog p = { .rpc = NULL };
	int code = 1, fd = -1;
	uint16_t port;

	if (argc != 5) {
		(void)fprintf(
		    stderr, "usage: lying_ca PORT KEYTAB HOST dcom|icpr\n");
		return 2;
	}
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* with who tells us */
	port = (uint16_t)strtoul(argv[1], NULL, 10);
	(void)snprintf(g.sec_addr, sizeof(g.sec_addr), "%s", argv[1]);
	ae_random(g.seed, sizeof(g.seed));
	p.rpc = ae_rpc_server_new(&g);
	p.epm = ae_rpc_epm_new(16);
	if (p.rpc != NULL && p.epm != NULL &&
	    make_dcom(&p, argv[3], port, &e) == AE_OK &&
	    add_ifaces(&p, port, strcmp(argv[4], "dcom") == 0, &e) == AE_OK &&
	    ae_gss_cred_service(&p.cred, &service, &e) == AE_OK &&
	    ae_loop_new(&loop, &e) == AE_OK &&
	    ae_run_tcp_listen(&fd, "0.0.0.0", port, &e) == AE_OK &&
	    ae_run_server_new(&server, loop, p.rpc, &limits, &ops, &p, &e) ==
		AE_OK &&
	    ae_run_server_listen(server, fd, &e) == AE_OK) {
		(void)printf("ready 0\n");
		(void)fflush(stdout);
		if (ae_loop_run(loop, &code, &e) != AE_OK)
			code = 1;
	}
	(void)fprintf(stderr, "lying_ca: %s\n", e.text);
	ae_run_server_free(server);
	if (loop != NULL)
		ae_loop_free(loop);
	ae_gss_cred_free(p.cred);
	ae_dcom_exporter_free(p.dcom);
	ae_rpc_epm_free(p.epm);
	ae_rpc_server_free(p.rpc);
	return code;
}
