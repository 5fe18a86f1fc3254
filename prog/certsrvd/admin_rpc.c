/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * A call comes, is parked, and ca is asked whether this caller may make it;
 * only then its arguments are decoded and sent to ca, which judges them and
 * asks itself once more.  See admin_rpc.h.
 */
#include "admin_rpc.h"

#include <stdlib.h>
#include <string.h>

#include "wcce/admin.h"
#include "wcce/hresult.h"

#define CALLS_MAX 64u /* parked or with ca at one time */
#define REPLY_STUB_MAX (8u * 1024u * 1024u)
#define E_NOTIMPL 0x80004001u /* as the status of a fault, MS-DCOM 2.2.10 */

struct parked {
	bool used, asked; /* asked: the arguments are with ca */
	uint16_t generation, opnum;
	uint32_t conn, call;
	uint64_t name;
	uint8_t *args;
	size_t len;
	bool big;
};

struct admin_rpc {
	struct front *front;
	struct ae_rpc_iface iface[2];
	struct parked call[CALLS_MAX];
};

int
admin_rpc_new(struct admin_rpc **out, struct front *f, struct ae_err *e)
{
	struct admin_rpc *r = calloc(1, sizeof(*r));
	int rc;

	if (r == NULL)
		return ae_fail_mem(e);
	*out = r;
	r->front = f;
	r->iface[0] = (struct ae_rpc_iface){ .name = "ICertAdminD",
		.nops = AE_ADMIN_OPS_D,
		.min_level = AE_RPC_LEVEL_PRIVACY }; /* CVE-2022-37976 */
	r->iface[0].id.uuid = ae_iid_icertadmind;
	r->iface[1] = (struct ae_rpc_iface){ .name = "ICertAdminD2",
		.nops = AE_ADMIN_OPS_D2,
		.min_level = AE_RPC_LEVEL_PRIVACY };
	r->iface[1].id.uuid = ae_iid_icertadmind2;
	rc = ae_rpc_server_add(f->rpc, &r->iface[0], e);
	return rc < 0 ? rc : ae_rpc_server_add(f->rpc, &r->iface[1], e);
}

static uint32_t
id_of(const struct admin_rpc *r, const struct parked *p)
{
	return (uint32_t)p->generation << 16 | (uint32_t)(p - r->call);
}

static struct parked *
find(struct admin_rpc *r, uint32_t id)
{
	struct parked *p;

	if ((id & 0xffff) >= CALLS_MAX)
		return NULL;
	p = &r->call[id & 0xffff];
	return p->used && p->generation == id >> 16 ? p : NULL;
}

static void
release(struct parked *p)
{
	free(p->args);
	p->args = NULL;
	p->used = false;
}

/* The connection that waits; NULL: it is gone. */
static struct ae_run_conn *
conn_of(struct admin_rpc *r, const struct parked *p)
{
	return ae_run_server_conn(r->front->run, p->conn);
}

/* Answer, and the call is over. */
static void
finish(struct admin_rpc *r, struct parked *p, const struct ae_admin_reply *a)
{
	struct ae_run_conn *c = conn_of(r, p);
	struct ae_err e = AE_ERR_INIT;
	struct ae_wr wr, stub;
	int rc;

	ae_wr_init(&wr, REPLY_STUB_MAX);
	ae_wr_init(&stub, REPLY_STUB_MAX);
	ae_dcom_reply_begin(&wr);
	rc = ae_admin_reply_encode(&stub, p->opnum, a, &e);
	ae_wr_bytes(&wr, stub.p, stub.len);
	ae_wr_done(&stub);
	if (c != NULL && rc == AE_OK && ae_wr_ok(&wr))
		ae_run_conn_reply(c, p->call, wr.p, wr.len);
	else if (c != NULL) {
		log_line(
		    r->front->p, AE_LOG_ERROR, "building a reply: %s", e.text);
		ae_run_conn_fault(c, p->call, AE_RPC_FAULT_NO_RESOURCES);
	}
	ae_wr_done(&wr);
	release(p);
}

static void
fault(struct admin_rpc *r, struct parked *p, uint32_t status)
{
	struct ae_run_conn *c = conn_of(r, p);

	if (c != NULL)
		ae_run_conn_fault(c, p->call, status);
	release(p);
}

static struct parked *
park(struct admin_rpc *r, struct ae_run_conn *c, const struct ae_rpc_call *call,
    const struct ae_dcom_orpc *o)
{
	struct parked *p;
	size_t i;

	for (i = 0; i < CALLS_MAX && r->call[i].used; i++)
		;
	if (i == CALLS_MAX)
		return NULL;
	p = &r->call[i];
	p->args = malloc(o->args_len + 1);
	if (p->args == NULL)
		return NULL;
	if (o->args_len > 0)
		memcpy(p->args, o->args, o->args_len);
	p->len = o->args_len;
	p->big = call->big_endian;
	p->used = true;
	p->asked = false;
	p->generation++;
	p->opnum = call->opnum;
	p->conn = ae_run_conn_id(c);
	p->call = call->call;
	p->name = call->name;
	return p;
}

/* May it be read?  One that nobody may call is refused here. */
static void
ask(struct admin_rpc *r, struct ae_run_conn *c, struct parked *p)
{
	struct ae_wr w;
	bool ok;

	ae_wr_init(&w, MSG_TEXT_MAX);
	ae_wr_u64(&w, p->name);
	put_str(&w, ae_run_conn_ip(c));
	ae_wr_u16(&w, p->opnum);
	ok = peer_send(
	    peer_of(r->front->p, ROLE_CA, 0), MSG_MANAGE_ASK, id_of(r, p), &w);
	ae_wr_done(&w);
	if (!ok)
		fault(r, p, AE_RPC_FAULT_SERVER_TOO_BUSY);
}

bool
admin_rpc_call(
    struct admin_rpc *r, struct ae_run_conn *c, const struct ae_rpc_call *call)
{
	struct ae_err e = AE_ERR_INIT;
	struct ae_dcom_orpc o;
	struct parked *p = NULL;
	uint32_t status;

	if (r == NULL ||
	    (call->iface != &r->iface[0] && call->iface != &r->iface[1]))
		return false;
	status = ae_dcom_exporter_open(r->front->dcom, call, &o, &e);
	if (status == 0 && ae_admin_method_find(call->opnum) == NULL)
		status = E_NOTIMPL;
	if (status == 0 && o.args_len > AE_ADMIN_STUB_MAX)
		status = AE_RPC_FAULT_BAD_STUB_DATA;
	if (status == 0 && (p = park(r, c, call, &o)) == NULL)
		status = AE_RPC_FAULT_SERVER_TOO_BUSY;
	if (p != NULL) {
		ask(r, c, p);
		return true;
	}
	log_outside(r->front->p, "%s: %s, method %u: refused with 0x%08x: %s",
	    ae_run_conn_peer(c), call->iface->name, call->opnum, status,
	    e.text);
	ae_run_conn_fault(c, call->call, status);
	return true;
}

/* The arguments, now that they may be read. */
static void
read_and_send(struct admin_rpc *r, struct parked *p, struct ae_arena *a)
{
	struct ae_run_conn *c = conn_of(r, p);
	struct ae_err e = AE_ERR_INIT;
	struct ae_admin_request q;
	struct ae_wr w;
	bool ok;
	int rc;

	if (c == NULL) { /* nobody waits for it any more */
		release(p);
		return;
	}
	rc = ae_admin_request_decode(
	    &q, p->opnum, p->args, p->len, p->big, a, &e);
	if (rc < 0) {
		log_outside(r->front->p, "%s: ICertAdminD2: %s",
		    ae_run_conn_peer(c), e.text);
		fault(r, p,
		    rc == AE_ENOMEM ? AE_RPC_FAULT_NO_RESOURCES
				    : AE_RPC_FAULT_BAD_STUB_DATA);
		return;
	}
	ae_wr_init(&w, MSG_MANAGE_MAX);
	ae_wr_u64(&w, p->name);
	put_str(&w, ae_run_conn_ip(c));
	put_manage(&w, &q);
	ok = peer_send(
	    peer_of(r->front->p, ROLE_CA, 0), MSG_MANAGE, id_of(r, p), &w);
	ae_wr_done(&w);
	p->asked = ok;
	if (!ok)
		fault(r, p, AE_RPC_FAULT_SERVER_TOO_BUSY);
}

int
admin_rpc_may(struct admin_rpc *r, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct parked *p = r != NULL ? find(r, m->id) : NULL;
	struct ae_admin_reply no = { .hresult = 0 };
	struct ae_arena *a;
	struct ae_rd rd;

	ae_rd_init(&rd, m->body, m->len);
	no.hresult = ae_rd_u32(&rd);
	if (!ae_rd_done(&rd) || p == NULL || p->asked)
		return bad_message(&rd, "MANAGE_MAY", e);
	if (no.hresult != 0) {
		finish(r, p, &no);
		return AE_OK;
	}
	a = ae_arena_new(AE_ADMIN_ARENA_MAX);
	if (a == NULL)
		return ae_fail_mem(e);
	read_and_send(r, p, a);
	ae_arena_free(a);
	return AE_OK;
}

int
admin_rpc_done(struct admin_rpc *r, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct parked *p = r != NULL ? find(r, m->id) : NULL;
	struct ae_arena *a = ae_arena_new(MSG_REPLY_MAX);
	struct ae_admin_reply reply;
	struct ae_rd rd;

	if (a == NULL)
		return ae_fail_mem(e);
	ae_rd_init(&rd, m->body, m->len);
	get_managed(&rd, &reply, a);
	if (!ae_rd_done(&rd) || p == NULL || !p->asked) {
		ae_arena_free(a);
		return bad_message(&rd, "MANAGED", e);
	}
	finish(r, p, &reply);
	ae_arena_free(a);
	return AE_OK;
}

void
admin_rpc_down(struct admin_rpc *r)
{
	size_t i;

	for (i = 0; r != NULL && i < CALLS_MAX; i++)
		if (r->call[i].used)
			fault(r, &r->call[i], AE_RPC_FAULT_SERVER_TOO_BUSY);
}
