/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Calls of a connection: requests put together from verified fragments,
 * answers in the right order (C706 12.6.4.9, MS-RPCE 3.3.3.5).
 *
 * A fault without "did not execute" ends the connection; one with it was
 * decided before the request was looked at, and the connection goes on.
 */
#include <stdlib.h>
#include <string.h>

#include "base/breaks.h"
#include "rpc/server_impl.h"

/* MS-RPCE 3.3.3.5.6: fragments of calls that are gone. */
#define OLD_CALLS 150

/* One request PDU on its way through. */
struct frag {
	const struct ae_rpc_pdu *pdu;
	uint8_t *bytes;
	struct ae_rpc_request req;
};

/* ---- the list ---- */

static void
call_free(struct call *k)
{
	ae_wr_done(&k->stub);
	free(k->reply);
	free(k);
}

static void
call_remove(struct ae_rpc_conn *c, struct call *k)
{
	struct call **link;

	for (link = &c->calls; *link != k; link = &(*link)->next)
		;
	*link = k->next;
	c->ncalls--;
	c->call_bytes -= k->stub.len;
	c->reply_bytes -= k->reply_len;
	call_free(k);
	c->active = c->now;
}

void
conn_calls_free(struct ae_rpc_conn *c)
{
	struct call *k;

	while ((k = c->calls) != NULL) {
		c->calls = k->next;
		call_free(k);
	}
	c->receiving = NULL;
	c->ncalls = 0;
	c->call_bytes = c->reply_bytes = 0;
}

/* ---- answers ---- */

static void
send_answer(struct ae_rpc_conn *c, const struct call *k)
{
	struct ae_rpc_msg m = {
		.ptype = AE_RPC_RESPONSE,
		.call_id = k->call_id,
		.context_id = k->context_id,
		.stub = k->reply,
		.len = k->reply_len,
		.max_frag = c->max_frag,
	};
	struct ae_err e = AE_ERR_INIT;
	size_t before = c->out.len;
	int rc;

	if (k->maybe || k->orphaned)
		return; /* nobody waits for it */
	if (k->fault != 0) {
		conn_fault(c, k->call_id, k->context_id, k->fault,
		    k->executed ? 0 : AE_RPC_PFC_DID_NOT_EXECUTE);
		return;
	}
	if (k->sec != NULL && k->level >= AE_RPC_LEVEL_PKT)
		m.auth = (struct ae_rpc_auth){
			.sec = &k->sec->sec,
			.type = k->sec->type,
			.level = k->level,
			.id = k->sec->id,
			.header_sign = c->header_sign,
		};
	rc = ae_rpc_msg_put(&c->out, &m, &e);
	if (rc != AE_OK) {
		c->out.len = before;
		c->out.bad = c->out.full = false;
		conn_close(c, (enum ae_rc)rc, 0, "answering: %s", e.text);
		return;
	}
	conn_wrote(c);
}

/*
 * Send what may be sent now: all, or in order up to the first unanswered,
 * but no more than the peer takes.
 */
void
conn_flush(struct ae_rpc_conn *c)
{
	struct call *k, *next;

	for (k = c->calls; k != NULL && !c->closing; k = next) {
		if (conn_backlog(c) > c->limits->max_reply)
			break;
		next = k->next;
		if (k->state == CALL_ANSWERED) {
			send_answer(c, k);
			if (!c->closing)
				call_remove(c, k);
		} else if (!c->conc_mpx) {
			break;
		}
	}
	if (c->draining && c->ncalls == 0)
		conn_close(c, AE_OK, 0, "shut down");
}

/* The answer to k is known: a reply, or a fault when fault is not 0. */
static void
answer(struct ae_rpc_conn *c, struct call *k, uint32_t fault,
    const uint8_t *stub, size_t len)
{
	k->fault = fault;
	if (fault == 0 && len > c->limits->max_reply) {
		k->fault = AE_RPC_FAULT_NO_RESOURCES;
	} else if (fault == 0 && len > 0) {
		k->reply = malloc(len);
		if (k->reply == NULL) {
			k->fault = AE_RPC_FAULT_NO_RESOURCES;
		} else {
			memcpy(k->reply, stub, len);
			k->reply_len = len;
			c->reply_bytes += len;
		}
	}
	k->state = CALL_ANSWERED;
	c->call_bytes -= k->stub.len;
	ae_wr_done(&k->stub);
	c->server->stats.calls_out++;
	conn_flush(c);
}

static struct call *
dispatched(const struct ae_rpc_conn *c, uint32_t handle)
{
	struct call *k;

	for (k = c->calls; k != NULL; k = k->next)
		if (k->handle == handle && k->state == CALL_DISPATCHED)
			return k;
	return NULL;
}

void
ae_rpc_conn_reply(struct ae_rpc_conn *c, uint32_t call, const uint8_t *stub,
    size_t len, uint64_t now)
{
	struct call *k = dispatched(c, call);

	c->now = now;
	if (k == NULL)
		return;
	answer(c, k, 0, stub, len);
	conn_pump(c);
}

void
ae_rpc_conn_fault(
    struct ae_rpc_conn *c, uint32_t call, uint32_t status, uint64_t now)
{
	struct call *k = dispatched(c, call);

	c->now = now;
	if (k == NULL)
		return;
	/* A fault of 0 would be no fault, MS-RPCE 3.3.3.5.1. */
	answer(c, k, status == 0 ? AE_RPC_FAULT_CANT_PERFORM : status, NULL, 0);
	conn_pump(c);
}

/* ---- refusals ---- */

/* The end, told to a call or to nobody in particular (context_id 0). */
static void
fatal(struct ae_rpc_conn *c, uint32_t call_id, uint16_t context_id,
    uint32_t status, const char *why)
{
	conn_fault(c, call_id, context_id, status, 0);
	conn_close(c,
	    status == AE_RPC_FAULT_SEC_PKG_ERROR ? AE_ETRUST : AE_EPROTO,
	    status, "%s", why);
}

/* ---- authentication of one fragment ---- */

/*
 * Which security context a first fragment travels under, *x; NULL is
 * anonymous.  False: it was refused.
 */
static bool
choose_sec(struct ae_rpc_conn *c, const struct frag *f, struct sec_ctx **x)
{
	const struct ae_rpc_trailer *t = &f->pdu->trailer;
	uint32_t call_id = f->pdu->hdr.call_id;

	*x = NULL;
	if (!t->present)
		return true;
	*x = conn_sec_find(c, t->id);
	if (*x == NULL ||
	    (((*x)->type != t->type || (*x)->level != t->level) &&
		!AE_BREAK(fragment_context)) ||
	    (*x)->state == SEC_FAILED) {
		fatal(c, call_id, f->req.context_id, AE_RPC_FAULT_ACCESS_DENIED,
		    "a request under a security context that is not there");
		return false;
	}
	if ((*x)->state != SEC_DONE) {
		conn_refuse(c, f->pdu, AE_RPC_FAULT_PROTO_ERROR,
		    "a request under an unfinished security context");
		return false;
	}
	return true;
}

/* Verify and decrypt; *len is the stub without padding.  False: refused. */
static bool
open_frag(struct ae_rpc_conn *c, const struct frag *f, struct sec_ctx *x,
    uint16_t context_id, size_t *len)
{
	struct ae_rpc_auth auth = { .sec = NULL };
	struct ae_err e = AE_ERR_INIT;

	if (x != NULL)
		auth = (struct ae_rpc_auth){
			.sec = &x->sec,
			.type = x->type,
			.level = x->level,
			.id = x->id,
			.header_sign = c->header_sign,
		};
	if (ae_rpc_fragment_open(
		f->pdu, f->bytes, f->req.stub_off, &auth, len, &e) == AE_OK ||
	    AE_BREAK(fragment_verify))
		return true;
	fatal(c, f->pdu->hdr.call_id, context_id, AE_RPC_FAULT_SEC_PKG_ERROR,
	    e.text);
	return false;
}

/* ---- whole requests ---- */

static bool
check_vt(const struct ae_rpc_conn *c, struct call *k)
{
	struct ae_rpc_vt v = {
		.offered_header_sign = c->header_sign,
		.big_endian = k->big,
		.call_id = k->call_id,
		.context_id = k->context_id,
		.opnum = k->opnum,
		.abstract = k->abstract,
		.transfer = ae_rpc_ndr20,
	};

	return k->level < AE_RPC_LEVEL_PKT ||
	    ae_rpc_vt_check(&v, k->stub.p, &k->stub.len);
}

/* Everything is there: give it to the owner, or refuse it. */
static void
complete(struct ae_rpc_conn *c, struct call *k)
{
	size_t before = k->stub.len;

	c->receiving = NULL;
	c->server->stats.calls_in++;
	if (k->fault == 0 && !check_vt(c, k))
		k->fault = AE_RPC_FAULT_ACCESS_DENIED;
	c->call_bytes -= before - k->stub.len;
	if (k->fault == 0 && k->level < k->iface->min_level &&
	    !AE_BREAK(rpc_level))
		k->fault = AE_RPC_FAULT_ACCESS_DENIED;
	if (k->fault == 0 && k->opnum >= k->iface->nops)
		k->fault = AE_RPC_FAULT_OP_RNG_ERROR;
	if (k->fault == 0 && c->draining)
		k->fault = AE_RPC_FAULT_SERVER_TOO_BUSY;
	if (k->fault != 0) {
		answer(c, k, k->fault, NULL, 0);
		return;
	}
	k->executed = true;
	k->state = CALL_READY;
}

/* Add one opened fragment to k. */
static void
append(struct ae_rpc_conn *c, struct call *k, const struct frag *f, size_t len)
{
	k->nfrags++;
	if ((k->nfrags > c->limits->max_fragments ||
		k->stub.len + len > c->limits->max_stub) &&
	    !AE_BREAK(f14_limits)) {
		fatal(c, k->call_id, k->context_id, AE_RPC_FAULT_ACCESS_DENIED,
		    "a request over the limit");
		return;
	}
	if (k->fault == 0) {
		ae_wr_bytes(&k->stub, f->bytes + f->req.stub_off, len);
		if (!ae_wr_ok(&k->stub)) {
			conn_close(c, AE_ENOMEM, 0, "no memory for a request");
			return;
		}
		c->call_bytes += len;
	}
	if (f->pdu->hdr.flags & AE_RPC_PFC_LAST)
		complete(c, k);
}

/* ---- first fragments ---- */

static bool
call_id_ok(const struct ae_rpc_conn *c, uint32_t id)
{
	const struct call *k;

	/* Never falls, MS-RPCE 3.3.3.5.2; equal only when that call is over. */
	if (c->seen_call && id < c->max_call_id)
		return false;
	for (k = c->calls; k != NULL; k = k->next)
		if (k->call_id == id)
			return false;
	return true;
}

static struct call *
call_new(struct ae_rpc_conn *c, const struct frag *f, struct sec_ctx *x)
{
	struct call *k = calloc(1, sizeof(*k)), **link;

	if (k == NULL)
		return NULL;
	k->handle = ++c->next_call;
	k->call_id = f->pdu->hdr.call_id;
	k->context_id = f->req.context_id;
	k->opnum = f->req.opnum;
	k->big = f->pdu->hdr.big;
	k->has_object = f->req.has_object;
	k->object = f->req.object;
	k->maybe = f->pdu->hdr.flags & AE_RPC_PFC_MAYBE;
	k->sec = x;
	k->level = x == NULL ? AE_RPC_LEVEL_NONE : x->level;
	k->since = c->now;
	ae_wr_init(&k->stub, c->limits->max_stub);
	for (link = &c->calls; *link != NULL; link = &(*link)->next)
		;
	*link = k;
	c->ncalls++;
	c->receiving = k;
	c->max_call_id = k->call_id;
	c->seen_call = true;
	return k;
}

/* A first fragment while another request is not complete. */
static void
interleaved(struct ae_rpc_conn *c, const struct frag *f)
{
	const struct call *k = c->receiving;
	uint32_t call_id = f->pdu->hdr.call_id;

	if (c->conc_mpx && call_id != k->call_id)
		fatal(c, call_id, 0, AE_RPC_FAULT_PROTO_ERROR,
		    "a request inside another one");
	else
		fatal(c, k->call_id, k->context_id, AE_RPC_FAULT_PROTO_ERROR,
		    "a request inside another one");
}

static void
first(struct ae_rpc_conn *c, const struct frag *f)
{
	const struct pres *p = conn_pres_find(c, f->req.context_id);
	bool whole = f->pdu->hdr.flags & AE_RPC_PFC_LAST;
	struct sec_ctx *x;
	struct call *k;
	size_t len;

	if (c->receiving != NULL) {
		interleaved(c, f);
		return;
	}
	if (f->pdu->hdr.flags & AE_RPC_PFC_PENDING_CANCEL) {
		conn_refuse(c, f->pdu, AE_RPC_FAULT_NO_CALL_ACTIVE,
		    "a cancel of what did not begin");
		return;
	}
	if (!call_id_ok(c, f->pdu->hdr.call_id)) {
		conn_refuse(c, f->pdu, AE_RPC_FAULT_PROTO_ERROR,
		    "a call id that was used or is too low");
		return;
	}
	/* MS-RPCE 2.2.2.6; alone, a fragment says itself how long it is. */
	if (!whole && f->req.alloc_hint > c->limits->max_stub) {
		fatal(c, f->pdu->hdr.call_id, f->req.context_id,
		    AE_RPC_FAULT_ACCESS_DENIED, "alloc_hint is over the limit");
		return;
	}
	if (!choose_sec(c, f, &x) ||
	    !open_frag(c, f, x, f->req.context_id, &len))
		return;
	k = call_new(c, f, x);
	if (k == NULL) {
		conn_close(c, AE_ENOMEM, 0, "no memory for a call");
		return;
	}
	if (p != NULL) {
		k->iface = p->iface;
		k->abstract = p->abstract;
	} else {
		/* Its other fragments are verified too, and not kept. */
		k->fault = AE_RPC_FAULT_UNK_IF;
		k->context_id = 0;
	}
	append(c, k, f, len);
}

/* ---- other fragments ---- */

/* Not the first one, and nothing that it continues. */
static void
stray(struct ae_rpc_conn *c, const struct frag *f)
{
	uint32_t call_id = f->pdu->hdr.call_id;
	const struct call *k = c->receiving;
	struct sec_ctx *x;
	size_t len;

	if (k != NULL && !c->conc_mpx) {
		fatal(c, k->call_id, k->context_id, AE_RPC_FAULT_PROTO_ERROR,
		    "a fragment of another call");
		return;
	}
	if (c->seen_call && call_id < c->max_call_id &&
	    c->max_call_id - call_id < OLD_CALLS)
		return;
	if (!c->conc_mpx || k != NULL) {
		fatal(c, call_id, 0, AE_RPC_FAULT_PROTO_ERROR,
		    "a fragment without a first one");
		return;
	}
	if (conn_pres_find(c, f->req.context_id) == NULL) {
		conn_fault(c, call_id, 0, AE_RPC_FAULT_UNK_IF,
		    AE_RPC_PFC_DID_NOT_EXECUTE);
		return;
	}
	if (choose_sec(c, f, &x) && open_frag(c, f, x, f->req.context_id, &len))
		fatal(c, call_id, f->req.context_id, AE_RPC_FAULT_PROTO_ERROR,
		    "a fragment without a first one");
}

/* What all fragments of a call have in common, with the first one's word. */
static bool
belongs(const struct call *k, const struct frag *f)
{
	const struct ae_rpc_trailer *t = &f->pdu->trailer;

	return f->pdu->hdr.big == k->big && f->req.opnum == k->opnum &&
	    (f->req.context_id == k->context_id ||
		k->fault == AE_RPC_FAULT_UNK_IF) &&
	    f->req.has_object == k->has_object &&
	    ae_guid_equal(&f->req.object, &k->object) &&
	    t->present == (k->sec != NULL);
}

static void
further(struct ae_rpc_conn *c, const struct frag *f)
{
	struct call *k = c->receiving;
	size_t len;

	if (k == NULL || k->call_id != f->pdu->hdr.call_id) {
		stray(c, f);
		return;
	}
	if (!belongs(k, f)) {
		fatal(c, k->call_id, k->context_id, AE_RPC_FAULT_PROTO_ERROR,
		    "a fragment that differs from the first one");
		return;
	}
	if (open_frag(c, f, k->sec, k->context_id, &len))
		append(c, k, f, len);
}

void
conn_on_request(
    struct ae_rpc_conn *c, const struct ae_rpc_pdu *pdu, uint8_t *bytes)
{
	struct frag f = { .pdu = pdu, .bytes = bytes };

	if (!c->allow_request) {
		conn_refuse(c, pdu, AE_RPC_FAULT_PROTO_ERROR,
		    "a request before the bind was finished");
		return;
	}
	if (!ae_rpc_request_decode(&f.req, pdu)) {
		conn_refuse(
		    c, pdu, AE_RPC_FAULT_PROTO_ERROR, "a malformed request");
		return;
	}
	if (c->auth3_failed) {
		fatal(c, pdu->hdr.call_id, f.req.context_id,
		    AE_RPC_FAULT_ACCESS_DENIED, "authentication failed");
		return;
	}
	if (pdu->hdr.flags & AE_RPC_PFC_FIRST)
		first(c, &f);
	else
		further(c, &f);
}

/* ---- the client lost interest ---- */

static struct call *
in_flight(const struct ae_rpc_conn *c, uint32_t call_id)
{
	struct call *k;

	for (k = c->calls; k != NULL; k = k->next)
		if (k->call_id == call_id && k->state != CALL_RECEIVING)
			return k;
	return NULL;
}

void
conn_on_cancel(struct ae_rpc_conn *c, const struct ae_rpc_pdu *pdu)
{
	struct call *k = in_flight(c, pdu->hdr.call_id);

	/* For a call that is over, or not yet there, it means nothing. */
	if (k != NULL)
		k->cancel = true;
}

void
conn_on_orphaned(struct ae_rpc_conn *c, const struct ae_rpc_pdu *pdu)
{
	struct call *k = in_flight(c, pdu->hdr.call_id);

	if (k != NULL)
		k->cancel = k->orphaned = true;
}
