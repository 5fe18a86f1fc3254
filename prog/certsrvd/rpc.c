/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The CA's port, for ICertPassage and for DCOM: stubs become typed requests
 * here and go to ca with the name of their security context; typed replies
 * become stubs.  Nothing is decided and nothing is kept.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin_rpc.h"
#include "front.h"
#include "metrics.h"
#include "sys/clock.h"
#include "sys/sandbox.h"
#include "wcce/request.h"

#define CALLS_MAX 4096u /* with ca at one time */
#define REPLY_STUB_MAX (8u * 1024u * 1024u)

/* A call that ca has. */
struct pending {
	bool used;
	uint16_t generation;
	uint32_t conn, call;
	bool orpc; /* the answer needs an ORPCTHAT */
	enum ae_wcce_iface iface;
	enum ae_wcce_call method;
	uint16_t opnum;
};

struct worker {
	struct front front; /* first: p->state is a struct front */
	struct pending call[CALLS_MAX];
	size_t next, inflight;
	struct ae_arena *arena;
	struct admin_rpc *admin; /* NULL: not served */
	char sec_addr[8];
	struct ae_source *figures;
};

/* What we serve; the row's tag is its enum ae_wcce_iface. */
static struct ae_rpc_iface ifaces[] = {
	{ .name = "ICertPassage", /* MS-ICPR 3.2.4.1; privacy: ESC11 */
	    .nops = 1,
	    .min_level = AE_RPC_LEVEL_PRIVACY,
	    .tag = AE_WCCE_ICERTPASSAGE },
	{ .name = "ICertRequestD", /* MS-WCCE 3.2.1.4.2 */
	    .nops = 6,
	    .min_level = AE_RPC_LEVEL_PRIVACY,
	    .tag = AE_WCCE_ICERTREQUESTD },
	{ .name = "ICertRequestD2", /* MS-WCCE 3.2.1.4.3 */
	    .nops = 10,
	    .min_level = AE_RPC_LEVEL_PRIVACY,
	    .tag = AE_WCCE_ICERTREQUESTD2 },
};

static struct pending *
pending_new(struct worker *w, uint32_t *id)
{
	size_t i;

	for (i = 0; i < CALLS_MAX; i++) {
		size_t k = (w->next + i) % CALLS_MAX;
		struct pending *c = &w->call[k];

		if (c->used)
			continue;
		w->next = k + 1;
		w->inflight++;
		c->used = true;
		c->generation++;
		*id = (uint32_t)c->generation << 16 | (uint32_t)k;
		return c;
	}
	return NULL;
}

static struct pending *
pending_find(struct worker *w, uint32_t id)
{
	struct pending *c = &w->call[(id & 0xffff) % CALLS_MAX];

	return c->used && c->generation == id >> 16 && (id & 0xffff) < CALLS_MAX
	    ? c
	    : NULL;
}

static void
pending_done(struct worker *w, struct pending *c)
{
	c->used = false;
	w->inflight--;
}

/* ---- from client to ca ---- */

static bool
forward(struct worker *w, struct ae_run_conn *c, const struct ae_rpc_call *call,
    const struct ae_wcce_request *q, bool orpc)
{
	struct pending *pend;
	struct ae_wr wr;
	uint32_t id = 0;
	bool ok = false;

	ae_wr_init(&wr, MSG_REQUEST_MAX);
	ae_wr_u64(&wr, call->name);
	put_str(&wr, ae_run_conn_ip(c));
	put_request(&wr, q);
	pend = pending_new(w, &id);
	if (pend != NULL) {
		pend->conn = ae_run_conn_id(c);
		pend->call = call->call;
		pend->orpc = orpc;
		pend->iface = q->iface;
		pend->method = q->call;
		pend->opnum = q->opnum;
		ok = peer_send(
		    peer_of(w->front.p, ROLE_CA, 0), MSG_REQUEST, id, &wr);
		if (!ok)
			pending_done(w, pend);
	}
	ae_wr_done(&wr);
	return ok;
}

static void
send_reply(struct worker *w, struct ae_run_conn *c, uint32_t call, bool orpc,
    const struct ae_wcce_request *q, const struct ae_wcce_reply *p)
{
	struct ae_err e = AE_ERR_INIT;
	struct ae_wr wr, stub;
	int rc;

	ae_wr_init(&wr, REPLY_STUB_MAX);
	ae_wr_init(&stub, REPLY_STUB_MAX);
	if (orpc)
		ae_dcom_reply_begin(&wr);
	rc = ae_wcce_reply_encode(&stub, q, p, &e);
	ae_wr_bytes(&wr, stub.p, stub.len);
	ae_wr_done(&stub);
	if (rc == AE_OK && ae_wr_ok(&wr)) {
		ae_run_conn_reply(c, call, wr.p, wr.len);
	} else {
		log_line(
		    w->front.p, AE_LOG_ERROR, "building a reply: %s", e.text);
		ae_run_conn_fault(c, call, AE_RPC_FAULT_NO_RESOURCES);
	}
	ae_wr_done(&wr);
}

static uint32_t
decode_fault(int rc)
{
	if (rc == AE_ENOTFOUND)
		return AE_RPC_FAULT_OP_RNG_ERROR;
	if (rc == AE_ENOMEM)
		return AE_RPC_FAULT_NO_RESOURCES;
	return AE_RPC_FAULT_BAD_STUB_DATA;
}

/* The arguments of a call: all of the stub, or what follows ORPCTHIS. */
static uint32_t
open_call(struct worker *w, const struct ae_rpc_call *call,
    const uint8_t **args, size_t *len, struct ae_err *e)
{
	struct ae_dcom_orpc o;
	uint32_t fault;

	*args = call->stub;
	*len = call->stub_len;
	if (call->iface->tag == AE_WCCE_ICERTPASSAGE)
		return 0;
	fault = ae_dcom_exporter_open(w->front.dcom, call, &o, e);
	if (fault != 0)
		return fault;
	*args = o.args;
	*len = o.args_len;
	return 0;
}

static void
on_call(struct front *f, struct ae_run_conn *c, const struct ae_rpc_call *call)
{
	struct worker *w = (struct worker *)f;
	bool orpc = call->iface->tag != AE_WCCE_ICERTPASSAGE;
	struct ae_wcce_request q;
	struct ae_wcce_reply p = { .hresult = 0 };
	struct ae_err e = AE_ERR_INIT;
	const uint8_t *args;
	uint32_t refuse = 0, fault;
	size_t len;
	int rc;

	if (front_common(f, c, call) || admin_rpc_call(w->admin, c, call))
		return;
	ae_arena_reset(w->arena);
	fault = open_call(w, call, &args, &len, &e);
	if (fault == 0) {
		rc = ae_wcce_request_decode(&q, &refuse,
		    (enum ae_wcce_iface)call->iface->tag, call->opnum, args,
		    len, call->big_endian, w->arena, &e);
		fault = rc < 0 ? decode_fault(rc) : 0;
	}
	if (fault != 0) {
		log_outside(f->p, "%s: %s: %s", ae_run_conn_peer(c),
		    call->iface->name, e.text);
		ae_run_conn_fault(c, call->call, fault);
	} else if (refuse != 0) {
		p.hresult = refuse;
		send_reply(w, c, call->call, orpc, &q, &p);
	} else if (!forward(w, c, call, &q, orpc)) {
		ae_run_conn_fault(c, call->call, AE_RPC_FAULT_SERVER_TOO_BUSY);
	}
}

static void
forget(struct front *f, uint64_t name)
{
	struct ae_wr w;

	ae_wr_init(&w, 8);
	ae_wr_u64(&w, name);
	(void)peer_send(peer_of(f->p, ROLE_CA, 0), MSG_FORGET, 0, &w);
	ae_wr_done(&w);
}

static const struct front_ops ops = { .call = on_call, .forget = forget };

/* ---- from ca to client ---- */

static int
on_reply(void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct peer *peer = arg;
	struct worker *w = peer->p->state;
	struct pending *pend = pending_find(w, m->id);
	struct ae_wcce_request q = { .csr = { NULL, 0 } };
	struct ae_wcce_reply p;
	struct ae_run_conn *c;
	struct ae_arena *a = ae_arena_new(MSG_REPLY_MAX);
	struct ae_rd r;

	(void)ipc;
	if (a == NULL)
		return ae_fail_mem(e);
	ae_rd_init(&r, m->body, m->len);
	get_reply(&r, &p, a);
	if (!ae_rd_done(&r) || pend == NULL) {
		ae_arena_free(a);
		return bad_message(&r, "REPLY", e);
	}
	c = ae_run_server_conn(w->front.run, pend->conn);
	q.iface = pend->iface;
	q.call = pend->method;
	q.opnum = pend->opnum;
	pending_done(w, pend);
	if (c != NULL)
		send_reply(w, c, pend->call, pend->orpc, &q, &p);
	ae_arena_free(a);
	return AE_OK;
}

static int
on_may(void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct peer *peer = arg;
	struct worker *w = peer->p->state;

	(void)ipc;
	return admin_rpc_may(w->admin, m, e);
}

static int
on_managed(
    void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct peer *peer = arg;
	struct worker *w = peer->p->state;

	(void)ipc;
	return admin_rpc_done(w->admin, m, e);
}

static const struct ae_ipc_row ca_rows[] = {
	{ MSG_REPLY, MSG_REPLY_MAX, 1, false, on_reply },
	{ MSG_MANAGE_MAY, 4, 1, false, on_may },
	{ MSG_MANAGED, MSG_REPLY_MAX, 1, false, on_managed },
	{ .handle = NULL },
};

/*
 * Without ca nobody knows what our contexts' names stand for: clients have
 * to come again.
 */
static void
ca_down(struct worker *w)
{
	size_t i;

	for (i = 0; i < CALLS_MAX; i++) {
		struct pending *p = &w->call[i];
		struct ae_run_conn *c;

		if (!p->used)
			continue;
		pending_done(w, p);
		c = ae_run_server_conn(w->front.run, p->conn);
		if (c != NULL)
			ae_run_conn_fault(
			    c, p->call, AE_RPC_FAULT_SERVER_TOO_BUSY);
	}
	admin_rpc_down(w->admin);
	ae_run_server_drop_all(w->front.run, "the CA process was restarted");
}

static void
peer_down(struct proc *p, struct peer *peer)
{
	if (peer->role == ROLE_CA)
		ca_down(p->state);
	else
		front_auth_down(p->state);
}

static void
on_figures(void *arg)
{
	struct worker *w = arg;
	struct metrics m = { .v = { 0 } };

	m.v[M_CONNECTIONS] = ae_run_server_conns(w->front.run);
	figures_send(w->front.p, &m);
	ae_source_set_timer(w->figures, ae_clock_mono_ms() + FIGURES_MS);
}

static int
worker_open(struct proc *p, struct ae_err *e)
{
	static const struct ae_rpc_iface *const dcom[] = {
		&ae_dcom_rem_unknown_iface, &ae_dcom_rem_unknown2_iface,
		&ae_dcom_class_factory_iface
	};
	struct worker *w = calloc(1, sizeof(*w));
	size_t i;
	int rc;

	if (w == NULL)
		return ae_fail_mem(e);
	(void)snprintf(w->sec_addr, sizeof(w->sec_addr), "%u",
	    (unsigned)(uint16_t)p->conf.port);
	w->arena = ae_arena_new(AE_WCCE_ARENA_MAX);
	if (w->arena == NULL) {
		free(w);
		return ae_fail_mem(e);
	}
	ifaces[0].id.uuid = ae_iid_icertpassage;
	ifaces[1].id.uuid = ae_iid_icertrequestd;
	ifaces[2].id.uuid = ae_iid_icertrequestd2;
	rc = front_open(&w->front, p, &ops, w->sec_addr, e);
	for (i = 0; i < 3 && rc == AE_OK; i++) {
		rc = ae_rpc_server_add(w->front.rpc, &ifaces[i], e);
		if (rc == AE_OK)
			rc = ae_rpc_server_add(w->front.rpc, dcom[i], e);
	}
	if (rc == AE_OK && p->conf.admin_network)
		rc = admin_rpc_new(&w->admin, &w->front, e);
	return rc;
}

static int
worker_start(struct proc *p, struct ae_err *e)
{
	struct worker *w = p->state;
	int rc = front_start(&w->front, e);

	if (rc == AE_OK)
		rc = ae_loop_timer(&w->figures, p->loop, on_figures, w, e);
	if (rc == AE_OK)
		on_figures(w);
	return rc;
}

static void
stop(struct proc *p)
{
	front_stop(p->state);
}

static const struct role_link links[] = {
	{ ROLE_AUTH, front_auth_rows },
	{ ROLE_CA, ca_rows },
	{ .rows = NULL },
};

const struct role_def role_rpc = {
	.role = ROLE_RPC,
	.user = "_certsrv-rpc",
	.may = AE_MAY_ACCEPT,
	.max_memory = 2048ULL * 1024 * 1024,
	.oom = 600,
	.links = links,
	.open = worker_open,
	.start = worker_start,
	.peer_down = peer_down,
	.stop = stop,
};
