/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The client's connection: bytes to PDUs, PDUs to their handlers, events,
 * deadlines, the end.
 */
#include "rpc/client.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "rpc/client_impl.h"

static void
defaults(struct ae_rpc_client_config *g)
{
	if (g->max_frag == 0 || g->max_frag > AE_RPC_FRAG_MAX)
		g->max_frag = AE_RPC_FRAG_MAX;
	if (g->max_frag < AE_RPC_FRAG_MIN)
		g->max_frag = AE_RPC_FRAG_MIN;
	if (g->max_stub == 0)
		g->max_stub = 1024 * 1024;
	if (g->max_reply == 0)
		g->max_reply = 4 * 1024 * 1024;
	if (g->bind_ms == 0)
		g->bind_ms = 20 * 1000;
	if (g->call_ms == 0)
		g->call_ms = 60 * 1000;
	if (g->auth_type == AE_RPC_AUTH_NONE)
		g->level = AE_RPC_LEVEL_NONE;
	else if (g->level == AE_RPC_LEVEL_DEFAULT)
		g->level = AE_RPC_LEVEL_PRIVACY;
}

struct ae_rpc_client *
ae_rpc_client_new(const struct ae_rpc_client_config *config, uint64_t now)
{
	struct ae_rpc_client *c = calloc(1, sizeof(*c));
	struct ae_rpc_sec sec = config->sec;

	if (c == NULL) {
		ae_rpc_sec_done(&sec);
		return NULL;
	}
	assert((config->auth_type == AE_RPC_AUTH_NONE) == (sec.ops == NULL));
	c->config = *config;
	c->config.sec = (struct ae_rpc_sec){ .ops = NULL };
	c->sec = sec;
	defaults(&c->config);
	c->max_frag = c->config.max_frag;
	/* The fragments' headers and tokens are less than the stub again. */
	ae_wr_init(&c->out, 2 * c->config.max_stub + 64 * 1024);
	ae_wr_init(&c->reply, c->config.max_reply);
	c->now = c->since = now;
	return c;
}

void
ae_rpc_client_free(struct ae_rpc_client *c)
{
	if (c == NULL)
		return;
	client_calls_free(c);
	ae_rpc_sec_done(&c->sec);
	ae_wr_done(&c->out);
	ae_wr_wipe(&c->reply);
	ae_wr_wipe(&c->told);
	free(c->in);
	free(c);
}

int
ae_rpc_client_context(
    const struct ae_rpc_client *c, const struct ae_rpc_syntax *iface)
{
	size_t i;

	for (i = 0; i < c->nctx; i++)
		if (c->ctx[i].accepted &&
		    ae_rpc_syntax_equal(&c->ctx[i].iface, iface))
			return (int)i;
	return -1;
}

uint32_t
ae_rpc_client_group(const struct ae_rpc_client *c)
{
	return c->group;
}

bool
ae_rpc_client_header_sign(const struct ae_rpc_client *c)
{
	return c->header_sign;
}

struct ae_rpc_auth
client_auth(const struct ae_rpc_client *c)
{
	if (c->config.level < AE_RPC_LEVEL_PKT)
		return (struct ae_rpc_auth){ .sec = NULL };
	return (struct ae_rpc_auth){
		.sec = &c->sec,
		.type = c->config.auth_type,
		.level = c->config.level,
		.id = 0,
		.header_sign = c->header_sign,
	};
}

/* ---- the end ---- */

void
client_close(struct ae_rpc_client *c, const struct ae_err *e)
{
	if (c->state == CLIENT_CLOSED)
		return;
	c->state = CLIENT_CLOSED;
	c->closed = *e;
	c->ev_closed = true;
	/* A reply that is complete is still told; the rest is void. */
	c->ev_bound = c->ev_altered = false;
	if (!c->ev_reply && !c->ev_fault)
		client_calls_free(c);
	c->in_len = 0;
	ae_wr_done(&c->out);
	c->out_off = 0;
}

void
client_fail(struct ae_rpc_client *c, enum ae_rc rc, const char *fmt, ...)
{
	struct ae_err e = AE_ERR_INIT;
	va_list ap;

	va_start(ap, fmt);
	(void)ae_vfail(&e, rc, AE_DOM_NONE, 0, fmt, ap);
	va_end(ap);
	client_close(c, &e);
}

bool
client_wrote(struct ae_rpc_client *c)
{
	if (ae_wr_ok(&c->out))
		return true;
	client_fail(c, AE_ENOMEM, "no memory for output");
	return false;
}

/* ---- input ---- */

static bool
expected(const struct ae_rpc_client *c, uint8_t ptype)
{
	switch (c->state) {
	case CLIENT_BINDING:
		return ptype == AE_RPC_BIND_ACK || ptype == AE_RPC_BIND_NAK ||
		    ptype == AE_RPC_FAULT;
	case CLIENT_AUTHING:
	case CLIENT_ALTERING:
		return ptype == AE_RPC_ALTER_RESP || ptype == AE_RPC_FAULT;
	case CLIENT_BOUND:
		return c->calls != NULL &&
		    (ptype == AE_RPC_RESPONSE || ptype == AE_RPC_FAULT);
	default:
		return false;
	}
}

static void
on_pdu(struct ae_rpc_client *c, const struct ae_rpc_hdr *h, uint8_t *p)
{
	struct ae_rpc_pdu pdu;

	if (!ae_rpc_pdu_decode(&pdu, h, p)) {
		client_fail(
		    c, AE_EPROTO, "a malformed PDU of type %u", h->ptype);
	} else if (h->ptype == AE_RPC_SHUTDOWN) {
		/* A wish; the server closes when it means it. */
	} else if (!expected(c, h->ptype)) {
		client_fail(
		    c, AE_EPROTO, "an unexpected PDU of type %u", h->ptype);
	} else if (h->ptype == AE_RPC_BIND_NAK) {
		client_on_nak(c, &pdu);
	} else if (h->ptype == AE_RPC_RESPONSE) {
		client_on_response(c, &pdu, p);
	} else if (h->ptype != AE_RPC_FAULT) {
		client_on_ack(c, &pdu);
	} else if (c->state == CLIENT_BOUND) {
		client_on_fault(c, &pdu);
	} else {
		client_on_bind_fault(c, &pdu);
	}
}

/* Nothing more is taken before the reply that is there was looked at. */
static bool
paused(const struct ae_rpc_client *c)
{
	return c->state == CLIENT_CLOSED || c->ev_reply || c->ev_fault;
}

/* One PDU that is in the buffer.  False: it is not whole, or not now. */
static bool
step(struct ae_rpc_client *c)
{
	struct ae_rpc_hdr h;

	if (paused(c) || c->in_len < AE_RPC_HDR_LEN)
		return false;
	if (!ae_rpc_hdr_decode(&h, c->in) || h.vers != 5 || h.vers_minor > 1) {
		client_fail(c, AE_EPROTO, "not a PDU of DCE/RPC 5");
		return false;
	}
	if (h.frag_len > AE_RPC_FRAG_MAX) {
		client_fail(c, AE_ELIMIT, "a fragment of %u bytes", h.frag_len);
		return false;
	}
	if (c->in_len < h.frag_len)
		return false;
	on_pdu(c, &h, c->in);
	if (c->state == CLIENT_CLOSED)
		return false;
	memmove(c->in, c->in + h.frag_len, c->in_len - h.frag_len);
	c->in_len -= h.frag_len;
	return true;
}

size_t
ae_rpc_client_room(const struct ae_rpc_client *c)
{
	return paused(c) ? 0 : AE_RPC_FRAG_MAX - c->in_len;
}

void
ae_rpc_client_feed(
    struct ae_rpc_client *c, const uint8_t *p, size_t len, uint64_t now)
{
	assert(len <= ae_rpc_client_room(c));
	c->now = now;
	if (len == 0)
		return;
	if (c->in == NULL)
		c->in = malloc(AE_RPC_FRAG_MAX);
	if (c->in == NULL) {
		client_fail(c, AE_ENOMEM, "no memory for input");
		return;
	}
	memcpy(c->in + c->in_len, p, len);
	c->in_len += len;
	while (step(c))
		;
}

void
ae_rpc_client_eof(struct ae_rpc_client *c, uint64_t now)
{
	c->now = now;
	client_fail(c, AE_EUNAVAIL, "the server closed the connection%s",
	    c->state != CLIENT_BOUND ? " during the bind"
		: c->calls != NULL   ? " before it answered"
				     : "");
}

/* ---- output, time, events ---- */

const uint8_t *
ae_rpc_client_output(const struct ae_rpc_client *c, size_t *len)
{
	*len = c->out.len - c->out_off;
	return *len == 0 ? NULL : c->out.p + c->out_off;
}

void
ae_rpc_client_sent(struct ae_rpc_client *c, size_t len, uint64_t now)
{
	assert(len <= c->out.len - c->out_off);
	c->now = now;
	c->out_off += len;
	if (c->out_off == c->out.len) {
		ae_wr_done(&c->out);
		c->out_off = 0;
	}
}

uint64_t
ae_rpc_client_deadline(const struct ae_rpc_client *c)
{
	if (c->state == CLIENT_CLOSED || c->ev_reply || c->ev_fault ||
	    (c->state == CLIENT_BOUND && c->calls == NULL))
		return UINT64_MAX;
	return c->since +
	    (c->state == CLIENT_BOUND ? c->config.call_ms : c->config.bind_ms);
}

void
ae_rpc_client_tick(struct ae_rpc_client *c, uint64_t now)
{
	c->now = now;
	if (now >= ae_rpc_client_deadline(c))
		client_fail(c, AE_ETIMEDOUT, "the server did not answer %s",
		    c->state == CLIENT_BOUND ? "a call" : "the bind");
}

bool
ae_rpc_client_event(struct ae_rpc_client *c, struct ae_rpc_client_event *out)
{
	*out = (struct ae_rpc_client_event){ .call = 0 };
	if (c->ev_bound) {
		c->ev_bound = false;
		out->type = AE_RPC_CLIENT_BOUND;
		return true;
	}
	if (c->ev_altered) {
		c->ev_altered = false;
		out->type = AE_RPC_CLIENT_ALTERED;
		out->context = (uint32_t)c->asking;
		out->err = c->altered;
		return true;
	}
	if (client_call_event(c, out)) {
		while (step(c))
			;
		return true;
	}
	if (c->ev_closed) {
		c->ev_closed = false;
		out->type = AE_RPC_CLIENT_CLOSED;
		out->err = c->closed;
		return true;
	}
	return false;
}
