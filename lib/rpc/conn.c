/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * One connection of the server: bytes to PDUs, PDUs to their handlers,
 * events, deadlines, the end.
 */
#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "rpc/server_impl.h"

/* The longest bind and a part of what follows. */
#define IN_MAX (UINT16_MAX + AE_RPC_FRAG_MAX)

/* Unanswered stubs of one connection, in whole requests, before it waits. */
#define STUBS_MAX 4

struct ae_rpc_conn *
ae_rpc_conn_new(
    struct ae_rpc_server *s, const uint8_t *peer, size_t peer_len, uint64_t now)
{
	struct ae_rpc_conn *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->server = s;
	c->limits = &s->config.limits;
	c->peer_len = peer_len < PEER_MAX ? peer_len : PEER_MAX;
	memcpy(c->peer, peer, c->peer_len);
	/* One reply being sent and one being written, with their headers. */
	ae_wr_init(&c->out, 4 * c->limits->max_reply + 64 * 1024);
	ae_wr_init(&c->in, IN_MAX);
	c->max_frag = c->limits->max_frag;
	c->now = c->created = c->active = c->out_since = now;
	s->nconns++;
	return c;
}

void
ae_rpc_conn_free(struct ae_rpc_conn *c)
{
	struct sec_ctx *x;

	if (c == NULL)
		return;
	conn_calls_free(c);
	while ((x = c->secs) != NULL) {
		c->secs = x->next;
		ae_rpc_sec_done(&x->sec);
		free(x);
	}
	ae_rpc_group_leave(c->server, c->group);
	c->server->nconns--;
	ae_wr_done(&c->out);
	free(c->held.results);
	free(c->token);
	free(c->pres);
	ae_wr_done(&c->in);
	free(c);
}

/* ---- the end ---- */

void
conn_close(
    struct ae_rpc_conn *c, enum ae_rc rc, uint32_t status, const char *fmt, ...)
{
	struct sec_ctx *x;
	va_list ap;

	if (c->closing)
		return;
	c->closing = c->closed_event = true;
	c->closing_since = c->now;
	va_start(ap, fmt);
	(void)ae_vfail(&c->closed, rc, status == 0 ? AE_DOM_NONE : AE_DOM_RPC,
	    status, fmt, ap);
	va_end(ap);
	conn_calls_free(c);
	for (x = c->secs; x != NULL; x = x->next)
		x->gone = !x->told;
	c->auth_event = c->auth_waiting = false;
	c->pending = NULL;
	free(c->token);
	c->token = NULL;
	ae_wr_reset(&c->in);
}

void
conn_wrote(struct ae_rpc_conn *c)
{
	c->server->stats.pdus_out++;
	if (!c->out_busy) {
		c->out_busy = true;
		c->out_since = c->now;
	}
	if (!ae_wr_ok(&c->out)) {
		/* What is half written must not go out. */
		ae_wr_done(&c->out);
		c->out.bad = false;
		c->out_off = 0;
		conn_close(c, AE_ENOMEM, 0, "no memory for output");
	}
}

void
conn_fault(struct ae_rpc_conn *c, uint32_t call_id, uint16_t context_id,
    uint32_t status, uint8_t flags)
{
	size_t start = ae_rpc_pdu_begin(&c->out, AE_RPC_FAULT,
	    AE_RPC_PFC_FIRST | AE_RPC_PFC_LAST | flags, call_id);

	ae_rpc_fault_put(&c->out, context_id, status);
	ae_rpc_pdu_end(&c->out, start, 0);
	conn_wrote(c);
}

void
conn_refuse(struct ae_rpc_conn *c, const struct ae_rpc_pdu *pdu,
    uint32_t status, const char *why)
{
	conn_fault(c, pdu->hdr.call_id, 0, status, AE_RPC_PFC_DID_NOT_EXECUTE);
	conn_close(c, AE_EPROTO, status, "%s", why);
}

/* ---- input ---- */

static void
on_shutdown(struct ae_rpc_conn *c, const struct ae_rpc_pdu *pdu)
{
	/* A server's PDU; ignored, C706 12.6.4.11. */
	(void)c;
	(void)pdu;
}

/* clang-format off */
static const struct {
	enum ae_rpc_ptype ptype;
	void (*fn)(struct ae_rpc_conn *c, const struct ae_rpc_pdu *pdu);
	uint32_t malformed; /* fault for one that cannot be parsed */
} handlers[] = {
	{ AE_RPC_BIND,      conn_on_bind,     0 },
	{ AE_RPC_ALTER,     conn_on_alter,    AE_RPC_FAULT_PROTO_ERROR },
	{ AE_RPC_AUTH3,     conn_on_auth3,    AE_RPC_FAULT_REMOTE_NO_MEMORY },
	{ AE_RPC_CO_CANCEL, conn_on_cancel,   AE_RPC_FAULT_PROTO_ERROR },
	{ AE_RPC_ORPHANED,  conn_on_orphaned, AE_RPC_FAULT_PROTO_ERROR },
	{ AE_RPC_SHUTDOWN,  on_shutdown,      AE_RPC_FAULT_PROTO_ERROR },
};
/* clang-format on */

static void
malformed(struct ae_rpc_conn *c, const struct ae_rpc_pdu *pdu, uint32_t status)
{
	if (status != 0) {
		conn_refuse(c, pdu, status, "malformed PDU");
		return;
	}
	conn_send_nak(c, pdu->hdr.call_id, AE_RPC_NAK_VERSION);
}

/* One whole PDU at p, which is changed when it is decrypted. */
static void
on_pdu(struct ae_rpc_conn *c, const struct ae_rpc_hdr *h, uint8_t *p)
{
	struct ae_rpc_pdu pdu;
	bool sound = ae_rpc_pdu_decode(&pdu, h, p);
	size_t i;

	c->server->stats.pdus_in++;
	if (h->ptype == AE_RPC_REQUEST) {
		if (sound)
			conn_on_request(c, &pdu, p);
		else
			malformed(c, &pdu, AE_RPC_FAULT_PROTO_ERROR);
		return;
	}
	for (i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++) {
		if (h->ptype != handlers[i].ptype)
			continue;
		if (sound)
			handlers[i].fn(c, &pdu);
		else
			malformed(c, &pdu, handlers[i].malformed);
		return;
	}
	conn_refuse(c, &pdu, AE_RPC_FAULT_PROTO_ERROR,
	    "a PDU that servers do not receive");
}

/* Judge the header before its PDU is there.  False: the end. */
static bool
header_ok(struct ae_rpc_conn *c, const struct ae_rpc_hdr *h, bool sound)
{
	if (h->vers != 5 || h->vers_minor > 1) {
		if (h->ptype == AE_RPC_BIND)
			conn_send_nak(c, h->call_id, AE_RPC_NAK_VERSION);
		conn_close(c, AE_EPROTO, 0, "RPC version %u.%u", h->vers,
		    h->vers_minor);
		return false;
	}
	if (!sound) {
		conn_close(c, AE_EPROTO, 0, "malformed PDU header");
		return false;
	}
	/*
	 * Not what was negotiated: Windows and Samba hold every fragment
	 * against this constant.  Handshakes may be longer, for tickets of
	 * people in many groups.
	 */
	if (h->frag_len > AE_RPC_FRAG_MAX && h->ptype != AE_RPC_BIND &&
	    h->ptype != AE_RPC_ALTER && h->ptype != AE_RPC_AUTH3) {
		conn_fault(c, h->call_id, 0, AE_RPC_FAULT_PROTO_ERROR, 0);
		conn_close(c, AE_ELIMIT, AE_RPC_FAULT_PROTO_ERROR,
		    "a fragment of %u bytes", h->frag_len);
		return false;
	}
	return true;
}

void
conn_pump(struct ae_rpc_conn *c)
{
	struct ae_rpc_hdr h;
	size_t off = 0;
	bool sound;

	if (c->was_paused)
		c->in_since = c->now;
	while (!conn_paused(c) && c->in.len - off >= AE_RPC_HDR_LEN) {
		sound = ae_rpc_hdr_decode(&h, c->in.p + off);
		if (!header_ok(c, &h, sound))
			break;
		if (c->in.len - off < h.frag_len)
			break;
		on_pdu(c, &h, c->in.p + off);
		off += h.frag_len;
		c->in_since = c->now;
	}
	c->was_paused = conn_paused(c);
	if (c->closing) /* which emptied the buffer */
		off = 0;
	if (off > 0) {
		memmove(c->in.p, c->in.p + off, c->in.len - off);
		c->in.len -= off;
	}
	if (c->in.len == 0)
		ae_wr_done(&c->in);
}

size_t
conn_backlog(const struct ae_rpc_conn *c)
{
	return c->out.len - c->out_off;
}

/* The peer is behind with our answers: make no more of them. */
static bool
congested(const struct ae_rpc_conn *c)
{
	return conn_backlog(c) + c->reply_bytes > c->limits->max_reply;
}

bool
conn_paused(const struct ae_rpc_conn *c)
{
	return c->closing || c->auth_waiting || c->auth_event ||
	    (c->receiving == NULL && c->ncalls >= c->limits->max_calls) ||
	    c->call_bytes >= STUBS_MAX * c->limits->max_stub || congested(c);
}

size_t
ae_rpc_conn_room(const struct ae_rpc_conn *c)
{
	/* What comes after the end is taken, to be thrown away. */
	if (c->closing)
		return IN_MAX;
	return conn_paused(c) ? 0 : IN_MAX - c->in.len;
}

void
ae_rpc_conn_feed(
    struct ae_rpc_conn *c, const uint8_t *p, size_t len, uint64_t now)
{
	assert(len <= ae_rpc_conn_room(c));
	c->now = c->active = now;
	if (c->closing || len == 0)
		return;
	if (c->in.len == 0)
		c->in_since = now;
	ae_wr_bytes(&c->in, p, len);
	if (!ae_wr_ok(&c->in)) {
		conn_close(c, AE_ENOMEM, 0, "no memory for input");
		return;
	}
	conn_pump(c);
}

void
ae_rpc_conn_eof(struct ae_rpc_conn *c, uint64_t now)
{
	c->now = now;
	if (c->in.len > 0)
		conn_close(c, AE_EPROTO, 0, "the peer closed inside a PDU");
	else
		conn_close(c, AE_OK, 0, "closed by the peer");
}

/* ---- output ---- */

const uint8_t *
ae_rpc_conn_output(const struct ae_rpc_conn *c, size_t *len)
{
	*len = c->out.len - c->out_off;
	return *len == 0 ? NULL : c->out.p + c->out_off;
}

void
ae_rpc_conn_sent(struct ae_rpc_conn *c, size_t len, uint64_t now)
{
	assert(len <= c->out.len - c->out_off);
	c->now = c->active = c->out_since = now;
	c->out_off += len;
	if (c->out_off == c->out.len) {
		/* Replies are rare and large: keep no memory between them. */
		ae_wr_done(&c->out);
		c->out_off = 0;
		c->out_busy = false;
	} else if (c->out_off >= c->out.len / 2) {
		memmove(c->out.p, c->out.p + c->out_off, conn_backlog(c));
		c->out.len -= c->out_off;
		c->out_off = 0;
	}
	conn_flush(c);
	conn_pump(c);
}

bool
ae_rpc_conn_finished(const struct ae_rpc_conn *c)
{
	return c->closing && c->out.len == c->out_off;
}

void
ae_rpc_conn_shutdown(struct ae_rpc_conn *c, uint64_t now)
{
	c->now = now;
	c->draining = true;
	if (c->ncalls == 0)
		conn_close(c, AE_OK, 0, "shut down");
}

/* ---- time ---- */

struct deadline {
	uint64_t at;
	const char *why;
};

static void
sooner(struct deadline *d, bool applies, uint64_t since, uint32_t ms,
    const char *why)
{
	if (applies && since + ms < d->at)
		*d = (struct deadline){ .at = since + ms, .why = why };
}

static struct deadline
deadline(const struct ae_rpc_conn *c)
{
	const struct ae_rpc_limits *l = c->limits;
	const struct call *r = c->receiving;
	bool output = c->out.len > c->out_off;
	struct deadline d = { .at = UINT64_MAX };

	if (c->closing) {
		sooner(&d, output, c->closing_since, l->close_ms, "closing");
		return d;
	}
	sooner(&d, !c->allow_request, c->created, l->bind_ms, "no bind");
	sooner(&d, c->pending != NULL, c->pending_since, l->bind_ms,
	    "an unfinished authentication");
	sooner(&d, c->in.len > 0 && !conn_paused(c), c->in_since, l->partial_ms,
	    "an unfinished PDU");
	sooner(&d, r != NULL, r == NULL ? 0 : r->since, l->partial_ms,
	    "an unfinished request");
	sooner(&d, output, c->out_since, l->partial_ms,
	    "a peer that takes nothing");
	sooner(&d, c->ncalls == 0, c->active, l->idle_ms, "idleness");
	return d;
}

uint64_t
ae_rpc_conn_deadline(const struct ae_rpc_conn *c)
{
	return deadline(c).at;
}

void
ae_rpc_conn_tick(struct ae_rpc_conn *c, uint64_t now)
{
	struct deadline d;

	c->now = now;
	d = deadline(c);
	if (now < d.at)
		return;
	if (c->closing) {
		ae_wr_done(&c->out);
		c->out_off = 0;
		return;
	}
	conn_close(c, AE_ETIMEDOUT, 0, "timed out: %s", d.why);
}

/* ---- events ---- */

static void
call_event(
    const struct ae_rpc_conn *c, const struct call *k, struct ae_rpc_call *out)
{
	*out = (struct ae_rpc_call){
		.call = k->handle,
		.iface = k->iface,
		.opnum = k->opnum,
		.has_object = k->has_object,
		.object = k->object,
		.stub = k->stub.p,
		.stub_len = k->stub.len,
		.big_endian = k->big,
		.level = k->level,
		.group = c->group->id,
		.assoc = c->group,
	};
	if (k->sec != NULL) {
		out->auth_type = k->sec->type;
		out->auth = k->sec->handle;
		out->name = k->sec->name;
		out->sid = &k->sec->sid;
	}
}

static bool
calls_event(struct ae_rpc_conn *c, struct ae_rpc_event *out)
{
	struct call *k;

	for (k = c->calls; k != NULL; k = k->next) {
		if (k->state == CALL_READY && !congested(c)) {
			k->state = CALL_DISPATCHED;
			out->type = AE_RPC_EVENT_CALL;
			call_event(c, k, &out->u.call);
			return true;
		}
		if (k->cancel && k->state == CALL_DISPATCHED) {
			k->cancel = false;
			out->type = AE_RPC_EVENT_CANCEL;
			out->u.cancel = k->handle;
			return true;
		}
	}
	return false;
}

static bool
gone_event(struct ae_rpc_conn *c, struct ae_rpc_event *out)
{
	struct sec_ctx *x;

	for (x = c->secs; x != NULL; x = x->next) {
		if (!x->gone)
			continue;
		x->gone = false;
		x->told = true;
		out->type = AE_RPC_EVENT_AUTH_GONE;
		out->u.gone.auth = x->handle;
		out->u.gone.name = x->name;
		return true;
	}
	return false;
}

bool
ae_rpc_conn_event(struct ae_rpc_conn *c, struct ae_rpc_event *out)
{
	if (c->auth_event) {
		c->auth_event = false;
		c->auth_waiting = true;
		out->type = AE_RPC_EVENT_AUTH;
		out->u.auth = (struct ae_rpc_auth_event){
			.auth = c->pending->handle,
			.first = c->pending->legs == 1,
			.last_leg = c->auth_last_leg,
			.type = c->pending->type,
			.level = c->pending->level,
			.token = c->token,
			.token_len = c->token_len,
		};
		return true;
	}
	if (calls_event(c, out) || gone_event(c, out))
		return true;
	if (c->closed_event) {
		c->closed_event = false;
		out->type = AE_RPC_EVENT_CLOSED;
		out->u.closed = c->closed;
		return true;
	}
	return false;
}
