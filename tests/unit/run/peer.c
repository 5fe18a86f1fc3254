/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The other end; see peer.h.
 */
#include "peer.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dcom/exporter.h"
#include "gss/cred.h"
#include "gss/ctx.h"
#include "rpc/epm.h"
#include "run/rpc_server.h"
#include "sys/clock.h"
#include "sys/loop.h"
#include "wcce/icpr.h"

static struct ae_rpc_iface icpr = {
	.name = "ICertPassage",
	.nops = 1,
	.min_level = AE_RPC_LEVEL_PRIVACY,
};

static struct ae_rpc_iface request_d = {
	.name = "ICertRequestD",
	.nops = 6,
	.min_level = AE_RPC_LEVEL_PRIVACY,
};

static struct ae_rpc_iface request_d2 = {
	.name = "ICertRequestD2",
	.nops = 10,
	.min_level = AE_RPC_LEVEL_PRIVACY,
};

static const struct ae_rpc_iface *const dcom_ifaces[] = {
	&ae_dcom_object_exporter_iface,
	&ae_dcom_activation_iface,
	&ae_dcom_scm_iface,
	&ae_dcom_rem_unknown_iface,
	&ae_dcom_rem_unknown2_iface,
	&ae_dcom_class_factory_iface,
};
#define NDCOM (sizeof(dcom_ifaces) / sizeof(dcom_ifaces[0]))

struct prog {
	enum peer_how how;
	enum peer_dcom dcom;
	struct ae_dcom_exporter *exporter;
	struct ae_rpc_server *rpc;
	struct ae_rpc_epm *epm;
	struct ae_gss_cred *cred;
	struct ae_gss_ctx *half; /* one connection at a time authenticates */
	struct ae_loop *loop;
	struct ae_run_server *server;
	int fd;	  /* listens */
	int tell; /* see struct peer */
	int seen;
};

static void
must(int rc, const struct ae_err *e, const char *what)
{
	if (rc == AE_OK)
		return;
	(void)fprintf(stderr, "peer: %s: %s\n", what, e->text);
	_exit(99);
}

static void
on_auth(void *arg, struct ae_run_conn *c, const struct ae_rpc_auth_event *ev)
{
	struct ae_gss_acceptor conf = { .mech = (enum ae_gss_mech)ev->type,
		.level = (enum ae_gss_level)ev->level };
	struct ae_rpc_auth_result r = { .status = AE_RPC_AUTH_FAILED };
	struct prog *p = arg;
	struct ae_err e = AE_ERR_INIT;
	struct ae_wr out;
	bool done = false;

	ae_wr_init(&out, AE_GSS_TOKEN_MAX);
	if (ev->first) {
		ae_gss_ctx_free(p->half);
		p->half = NULL;
		must(ae_gss_ctx_accept(&p->half, p->cred, &conf, &e), &e,
		    "accept");
	}
	if (p->half != NULL &&
	    ae_gss_step(p->half, ev->token, ev->token_len, &out, &done, &e) ==
		AE_OK) {
		r.status = done ? AE_RPC_AUTH_COMPLETE : AE_RPC_AUTH_CONTINUE;
		r.token = out.p;
		r.token_len = out.len;
		if (done) {
			r.sec = ae_rpc_sec_gss(p->half);
			p->half = NULL;
			r.name = 1;
		}
	}
	ae_run_conn_auth_done(c, ev->auth, &r);
	ae_wr_done(&out);
}

/* What this CA says to a request it could decode. */
static void
answer(struct prog *p, struct ae_run_conn *c, const struct ae_rpc_call *call,
    const struct ae_wcce_request *rq)
{
	struct ae_wcce_reply reply = { .request_id = 7,
		.disposition = AE_CR_DISP_ISSUED,
		.message = "fine" };
	struct ae_err e = AE_ERR_INIT;
	struct ae_wr out;

	if (rq->call == AE_WCCE_CALL_GETPROPERTY)
		reply = (struct ae_wcce_reply){
			.value = { (const uint8_t *)"\x2a\0\0", 4 }
		};
	else if (rq->call != AE_WCCE_CALL_REQUEST)
		reply = (struct ae_wcce_reply){ .hresult = 0 };
	else
		reply.cert = rq->csr;
	if (p->how == PEER_DENIES)
		reply = (struct ae_wcce_reply){ .hresult = 0x80094011 };
	ae_wr_init(&out, 1 << 20);
	if (rq->iface != AE_WCCE_ICERTPASSAGE)
		ae_dcom_reply_begin(&out);
	must(ae_wcce_reply_encode(&out, rq, &reply, &e), &e, "reply");
	ae_run_conn_reply(c, call->call, out.p, out.len);
	ae_wr_done(&out);
}

static void
on_request(struct prog *p, struct ae_run_conn *c,
    const struct ae_rpc_call *call, enum ae_wcce_iface iface,
    const uint8_t *args, size_t len)
{
	struct ae_arena *a = ae_arena_new(AE_WCCE_ARENA_MAX);
	struct ae_wcce_request rq;
	struct ae_err e = AE_ERR_INIT;
	uint32_t refuse = 0;

	p->seen++;
	must(ae_wcce_request_decode(&rq, &refuse, iface, call->opnum, args, len,
		 call->big_endian, a, &e),
	    &e, "request");
	switch (p->how) {
	case PEER_FAULTS_EARLY:
		ae_run_conn_fault(c, call->call, AE_RPC_FAULT_ACCESS_DENIED);
		break;
	case PEER_FAULTS_LATE:
		ae_run_conn_fault(c, call->call, 0x8000ffff);
		break;
	case PEER_HANGS_UP:
		ae_run_conn_drop(c, "as told");
		break;
	case PEER_STALLS:
		break;
	case PEER_TALKS_NONSENSE:
		ae_run_conn_reply(
		    c, call->call, (const uint8_t *)"nonsense", 8);
		break;
	default:
		answer(p, c, call, &rq);
		break;
	}
	ae_arena_free(a);
}

/* A call on an object; its envelope first. */
static void
on_object(struct prog *p, struct ae_run_conn *c, const struct ae_rpc_call *call)
{
	struct ae_err e = AE_ERR_INIT;
	struct ae_dcom_orpc o;
	uint32_t fault;

	fault = ae_dcom_exporter_open(p->exporter, call, &o, &e);
	if (fault != 0)
		ae_run_conn_fault(c, call->call, fault);
	else
		on_request(p, c, call,
		    call->iface == &request_d2 ? AE_WCCE_ICERTREQUESTD2
					       : AE_WCCE_ICERTREQUESTD,
		    o.args, o.args_len);
}

static void
on_call(void *arg, struct ae_run_conn *c, const struct ae_rpc_call *call)
{
	struct prog *p = arg;
	struct ae_err e = AE_ERR_INIT;
	uint32_t fault;
	struct ae_wr out;

	if (call->iface == &icpr) {
		on_request(p, c, call, AE_WCCE_ICERTPASSAGE, call->stub,
		    call->stub_len);
		return;
	}
	if (call->iface == &request_d || call->iface == &request_d2) {
		on_object(p, c, call);
		return;
	}
	ae_wr_init(&out, 1 << 20);
	if (call->iface == &ae_rpc_epm_iface)
		fault = ae_rpc_epm_call(
		    p->epm, p->rpc, call, (const uint8_t[4]){ 0 }, &out);
	else
		fault = ae_dcom_exporter_call(p->exporter, call,
		    p->dcom != PEER_NO_ACTIVATION, (uint64_t)ae_clock_mono_ms(),
		    &out, &e);
	if (fault != 0)
		ae_run_conn_fault(c, call->call, fault);
	else
		ae_run_conn_reply(c, call->call, out.p, out.len);
	ae_wr_done(&out);
}

static void
on_gone(void *arg, struct ae_run_conn *c, uint32_t auth, uint64_t name)
{
	(void)arg;
	(void)c;
	(void)auth;
	(void)name;
}

static void
on_closed(void *arg, struct ae_run_conn *c, const struct ae_err *why)
{
	(void)arg;
	(void)c;
	(void)why;
}

static void
on_refused(void *arg, const char *peer, const char *reason)
{
	(void)arg;
	(void)fprintf(stderr, "peer: refused %s: %s\n", peer, reason);
}

static const struct ae_run_server_ops ops = {
	.auth = on_auth,
	.call = on_call,
	.auth_gone = on_gone,
	.closed = on_closed,
	.refused = on_refused,
};

static void
on_signal(void *arg, int signo)
{
	(void)signo;
	ae_loop_exit(arg, 0);
}

static void
listen_on(struct prog *p)
{
	struct ae_err e = AE_ERR_INIT;
	int fd = fcntl(p->fd, F_DUPFD_CLOEXEC, 0);

	must(ae_run_server_new(&p->server, p->loop, p->rpc, NULL, &ops, p, &e),
	    &e, "server");
	must(ae_run_server_listen(p->server, fd, &e), &e, "listen");
}

/* A new server knows no connection of the old one's. */
static void
on_forget(void *arg, int signo)
{
	struct prog *p = arg;

	(void)signo;
	ae_run_server_free(p->server);
	listen_on(p);
	if (write(p->tell, "", 1) != 1)
		_exit(99);
}

static void
setup_dcom(struct prog *p, uint16_t port)
{
	const char *const hosts[] = { "localhost" };
	struct ae_dcom_class class = { .clsid = ae_clsid_ccertrequestd };
	struct ae_dcom_exporter_config x = { .seed = { 2 },
		.hosts = hosts,
		.nhosts = 1,
		.port = port,
		.classes = &class,
		.nclasses = 1 };
	struct ae_err e = AE_ERR_INIT;
	size_t i;

	class.iids[class.niids++] = ae_iid_icertrequestd;
	if (p->dcom != PEER_D)
		class.iids[class.niids++] = ae_iid_icertrequestd2;
	request_d.id.uuid = ae_iid_icertrequestd;
	request_d2.id.uuid = ae_iid_icertrequestd2;
	must(ae_dcom_exporter_new(&p->exporter, &x, &e), &e, "exporter");
	for (i = 0; i < NDCOM; i++)
		must(ae_rpc_server_add(p->rpc, dcom_ifaces[i], &e), &e, "dcom");
	must(ae_rpc_server_add(p->rpc, &request_d, &e), &e, "D");
	must(ae_rpc_server_add(p->rpc, &request_d2, &e), &e, "D2");
}

static void
setup(struct prog *p, uint16_t port, const char *keytab)
{
	struct ae_rpc_server_config g = { .seed = { 1 } };
	struct ae_gss_service service = { .keytab = keytab };
	struct ae_rpc_epm_entry row = { .port = port };
	struct ae_err e = AE_ERR_INIT;

	icpr.id.uuid = ae_iid_icertpassage;
	row.id = icpr.id;
	p->rpc = ae_rpc_server_new(&g);
	p->epm = ae_rpc_epm_new(4);
	if (p->rpc == NULL || p->epm == NULL)
		_exit(99);
	must(ae_rpc_server_add(p->rpc, &ae_rpc_epm_iface, &e), &e, "epm");
	must(ae_rpc_server_add(p->rpc, &icpr, &e), &e, "icpr");
	if (p->how != PEER_UNREGISTERED)
		must(ae_rpc_epm_add(p->epm, &row, &e), &e, "entry");
	if (p->dcom != PEER_NO_DCOM)
		setup_dcom(p, port);
	must(ae_gss_cred_service(&p->cred, &service, &e), &e, "keytab");
}

static int
serve(int fd, int tell, uint16_t port, enum peer_how how, enum peer_dcom dcom,
    const char *keytab)
{
	struct prog p = { .how = how, .dcom = dcom, .fd = fd, .tell = tell };
	struct ae_source *term = NULL, *usr1 = NULL;
	struct ae_err e = AE_ERR_INIT;
	int code = 0;

	setup(&p, port, keytab);
	must(ae_loop_new(&p.loop, &e), &e, "loop");
	must(ae_loop_signal(&term, p.loop, SIGTERM, on_signal, p.loop, &e), &e,
	    "signal");
	must(ae_loop_signal(&usr1, p.loop, SIGUSR1, on_forget, &p, &e), &e,
	    "signal");
	listen_on(&p);
	must(ae_loop_run(p.loop, &code, &e), &e, "run");
	ae_run_server_free(p.server);
	ae_source_free(usr1);
	ae_source_free(term);
	ae_loop_free(p.loop);
	ae_gss_ctx_free(p.half);
	ae_gss_cred_free(p.cred);
	ae_rpc_epm_free(p.epm);
	ae_dcom_exporter_free(p.exporter);
	ae_rpc_server_free(p.rpc);
	return p.seen;
}

/* No server at all. */
static void
misbehave(int fd, enum peer_how how)
{
	char buf[4096];
	int c;

	while ((c = accept4(fd, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		if (how == PEER_SENDS_GARBAGE) {
			(void)!read(c, buf, sizeof(buf));
			memset(buf, 'x', sizeof(buf));
			(void)!write(c, buf, sizeof(buf));
		}
		if (how != PEER_IS_MUTE)
			(void)close(c);
	}
}

struct peer
peer_start(enum peer_how how, enum peer_dcom dcom, const char *keytab)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	socklen_t len = sizeof(sin);
	struct peer p;
	int fd, told[2];

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	fd = socket(AF_INET,
	    SOCK_STREAM | SOCK_CLOEXEC |
		(how < PEER_CLOSES_AT_ONCE ? SOCK_NONBLOCK : 0),
	    0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&sin, sizeof(sin)) != 0 ||
	    getsockname(fd, (struct sockaddr *)&sin, &len) != 0 ||
	    listen(fd, 8) != 0 || pipe2(told, O_CLOEXEC) != 0) {
		perror("peer");
		abort();
	}
	p.how = how;
	p.port = ntohs(sin.sin_port);
	p.pid = fork();
	if (p.pid < 0)
		abort();
	if (p.pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (how >= PEER_CLOSES_AT_ONCE)
			misbehave(fd, how);
		_exit(serve(fd, told[1], p.port, how, dcom, keytab));
	}
	(void)close(fd);
	(void)close(told[1]);
	p.told = told[0];
	return p;
}

void
peer_forget(struct peer *p)
{
	char c;

	if (kill(p->pid, SIGUSR1) != 0 || read(p->told, &c, 1) != 1)
		abort();
}

int
peer_stop(struct peer *p)
{
	int status;

	(void)kill(p->pid, SIGTERM);
	if (waitpid(p->pid, &status, 0) != p->pid)
		abort();
	(void)close(p->told);
	p->pid = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
