/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The client's calls, one on the wire at a time: request out, response put
 * together from verified fragments, or a fault.
 */
#include <stdlib.h>
#include <string.h>

#include "rpc/client_impl.h"
#include "rpc/vt.h"

/* More fragments than the largest reply needs at the smallest size. */
#define FRAGS_MAX 16384

static void
call_free(struct client_call *k)
{
	if (k->stub != NULL)
		explicit_bzero(k->stub, k->msg.len);
	free(k->stub);
	free(k);
}

void
client_calls_free(struct ae_rpc_client *c)
{
	struct client_call *k;

	while ((k = c->calls) != NULL) {
		c->calls = k->next;
		call_free(k);
	}
}

/* Put the first call on the wire. */
static void
send_first(struct ae_rpc_client *c)
{
	struct client_call *k = c->calls;
	struct ae_err e = AE_ERR_INIT;

	c->since = c->now;
	c->nfrags = 0;
	ae_wr_wipe(&c->reply);
	ae_wr_reset(&c->reply);
	if (ae_rpc_msg_put(&c->out, &k->msg, &e) != AE_OK)
		client_close(c, &e);
}

/*
 * The stub as it is sent: without header signing and with protection, the
 * verification trailer repeats in it what else would go unsigned (MS-RPCE
 * 2.2.2.13).
 */
static uint8_t *
make_stub(const struct ae_rpc_client *c, const struct ae_rpc_msg *m,
    const uint8_t *stub, size_t *len)
{
	struct ae_rpc_vt v = {
		.offered_header_sign = !c->config.no_header_sign,
		.call_id = m->call_id,
		.context_id = m->context_id,
		.opnum = m->opnum,
		.abstract = c->ctx[m->context_id].iface,
		.transfer = ae_rpc_ndr20,
	};
	struct ae_wr w;
	uint8_t *p;

	ae_wr_init(&w, *len + 256);
	ae_wr_bytes(&w, stub, *len);
	if (m->auth.sec != NULL && !m->auth.header_sign)
		ae_rpc_vt_put(&w, &v);
	p = ae_wr_take(&w, len);
	ae_wr_wipe(&w);
	return p;
}

int
ae_rpc_client_call(struct ae_rpc_client *c, uint32_t context, uint16_t opnum,
    const struct ae_guid *object, const uint8_t *stub, size_t len,
    uint32_t *call, uint64_t now, struct ae_err *e)
{
	struct client_call *k, **link;

	if (c->state != CLIENT_BOUND || context >= c->nctx ||
	    !c->ctx[context].accepted)
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "a call on context %u, which is not bound", context);
	if (len > c->config.max_stub)
		return ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
		    "a request of %zu bytes", len);
	k = calloc(1, sizeof(*k));
	if (k == NULL)
		return ae_fail_mem(e);
	c->now = now;
	k->call_id = c->next_call_id + 1;
	k->msg = (struct ae_rpc_msg){
		.ptype = AE_RPC_REQUEST,
		.call_id = k->call_id,
		.context_id = (uint16_t)context,
		.opnum = opnum,
		.len = len,
		.max_frag = c->max_frag,
		.auth = client_auth(c),
	};
	if (object != NULL) {
		k->object = *object;
		k->msg.object = &k->object;
	}
	k->stub = make_stub(c, &k->msg, stub, &k->msg.len);
	k->msg.stub = k->stub;
	if (k->stub == NULL) {
		free(k);
		return ae_fail_mem(e);
	}
	c->next_call_id++;
	*call = k->call_id;
	for (link = &c->calls; *link != NULL; link = &(*link)->next)
		;
	*link = k;
	if (c->calls == k)
		send_first(c);
	return AE_OK;
}

void
client_on_response(
    struct ae_rpc_client *c, const struct ae_rpc_pdu *pdu, uint8_t *bytes)
{
	const struct client_call *k = c->calls;
	bool first = pdu->hdr.flags & AE_RPC_PFC_FIRST;
	struct ae_rpc_auth auth = client_auth(c);
	struct ae_err e = AE_ERR_INIT;
	struct ae_rpc_response r;
	size_t len;

	if (pdu->hdr.call_id != k->call_id ||
	    !ae_rpc_response_decode(&r, pdu) || first != (c->nfrags == 0) ||
	    (!first && pdu->hdr.big != c->reply_big)) {
		client_fail(c, AE_EPROTO, "a response that is out of place");
		return;
	}
	if (ae_rpc_fragment_open(pdu, bytes, r.stub_off, &auth, &len, &e) !=
	    AE_OK) {
		(void)ae_note(&e, e.rc, "the server's response");
		client_close(c, &e);
		return;
	}
	c->reply_big = pdu->hdr.big;
	if (++c->nfrags > FRAGS_MAX) {
		client_fail(c, AE_ELIMIT, "a response of endless fragments");
		return;
	}
	ae_wr_bytes(&c->reply, bytes + r.stub_off, len);
	if (!ae_wr_ok(&c->reply)) {
		client_fail(c, ae_wr_full(&c->reply) ? AE_ELIMIT : AE_ENOMEM,
		    "no room for a response of more than %zu bytes",
		    c->config.max_reply);
		return;
	}
	c->ev_reply = pdu->hdr.flags & AE_RPC_PFC_LAST;
}

void
client_on_fault(struct ae_rpc_client *c, const struct ae_rpc_pdu *pdu)
{
	struct ae_rpc_fault f;

	if (pdu->hdr.call_id != c->calls->call_id ||
	    !ae_rpc_fault_decode(&f, pdu)) {
		client_fail(c, AE_EPROTO, "a fault that is out of place");
		return;
	}
	/*
	 * Faults are not signed, by nobody: whoever is on the path can make
	 * a call fail, and could as well cut the line.
	 */
	c->ev_fault = true;
	c->fault = f.status;
	c->did_not_execute = pdu->hdr.flags & AE_RPC_PFC_DID_NOT_EXECUTE;
}

bool
client_call_event(struct ae_rpc_client *c, struct ae_rpc_client_event *out)
{
	struct client_call *k = c->calls;

	if (!c->ev_reply && !c->ev_fault)
		return false;
	out->call = k->call_id;
	if (c->ev_reply) {
		out->type = AE_RPC_CLIENT_REPLY;
		/* Moved aside, as the next call may start at once. */
		ae_wr_wipe(&c->told);
		c->told = c->reply;
		ae_wr_init(&c->reply, c->config.max_reply);
		out->stub = c->told.p;
		out->stub_len = c->told.len;
		out->big_endian = c->reply_big;
	} else {
		out->type = AE_RPC_CLIENT_FAULT;
		out->fault = c->fault;
		out->did_not_execute = c->did_not_execute;
		(void)ae_rpc_fault_err(&out->err, c->fault);
	}
	c->ev_reply = c->ev_fault = false;
	c->calls = k->next;
	call_free(k);
	if (c->state == CLIENT_CLOSED)
		client_calls_free(c);
	else if (c->calls != NULL)
		send_first(c);
	return true;
}
