/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * bind and alter_context: presentation contexts, features, association
 * group (C706 12.6.4.3, MS-RPCE 3.3.1.5.3, 3.3.1.5.6, 3.3.1.5.7).  The
 * authentication in them is conn_auth.c's.
 */
#include <stdlib.h>

#include "rpc/server_impl.h"

/* Negotiation is refused as a whole; otherwise results tell. */
enum verdict { FINE, BROKEN, OVER_LIMIT };

const struct pres *
conn_pres_find(const struct ae_rpc_conn *c, uint16_t id)
{
	size_t i;

	for (i = 0; i < c->npres; i++)
		if (c->pres[i].id == id)
			return &c->pres[i];
	return NULL;
}

static enum verdict
pres_add(struct ae_rpc_conn *c, const struct ae_rpc_bind_elem *elem,
    const struct ae_rpc_iface *iface)
{
	struct pres *v;

	if (c->npres >= c->limits->max_contexts)
		return OVER_LIMIT;
	v = reallocarray(c->pres, c->npres + 1, sizeof(*v));
	if (v == NULL)
		return OVER_LIMIT;
	v[c->npres++] = (struct pres){
		.id = elem->id,
		.iface = iface,
		.abstract = elem->abstract,
	};
	c->pres = v;
	return FINE;
}

/* What a list of transfer syntaxes holds. */
struct offer {
	bool features; /* the first one is a feature bitmask */
	uint16_t bits;
	bool ndr20;
	bool ndr64;
};

static struct offer
read_offer(const struct ae_rpc_bind_elem *elem)
{
	struct ae_rd r = elem->transfer;
	struct offer o = { .features = false };
	struct ae_rpc_syntax s;
	uint8_t i;

	for (i = 0; i < elem->ntransfer; i++) {
		s = ae_rpc_syntax_get(&r);
		if (i == 0)
			o.features = ae_rpc_btf_get(&s, &o.bits);
		o.ndr20 |= ae_rpc_syntax_equal(&s, &ae_rpc_ndr20);
		o.ndr64 |= ae_rpc_syntax_equal(&s, &ae_rpc_ndr64);
	}
	return o;
}

static void
reject(struct ae_rpc_ack_result *res, enum ae_rpc_reason reason)
{
	*res = (struct ae_rpc_ack_result){
		.result = AE_RPC_PROVIDER_REJECTION,
		.reason = (uint16_t)reason,
	};
}

/* Bind time features: in the bind, once.  MS-RPCE 3.3.1.5.3. */
static enum verdict
negotiate_features(struct ae_rpc_conn *c, bool in_bind, uint16_t bits,
    struct ae_rpc_ack_result *res)
{
	if (!in_bind) {
		reject(res, AE_RPC_REASON_TRANSFER);
		return FINE;
	}
	if (c->features_done)
		return BROKEN;
	c->features_done = true;
	c->features = bits & (AE_RPC_BTF_MULTIPLEX | AE_RPC_BTF_KEEP_ON_ORPHAN);
	*res = (struct ae_rpc_ack_result){
		.result = AE_RPC_NEGOTIATE_ACK,
		.reason = c->features,
	};
	return FINE;
}

/* A context that stands must be asked for as it stands. */
static enum verdict
negotiate_again(const struct pres *p, const struct ae_rpc_iface *iface,
    const struct offer *o, struct ae_rpc_ack_result *res)
{
	if (p->iface != iface || o->ndr64)
		return BROKEN;
	if (!o->ndr20) {
		reject(res, AE_RPC_REASON_TRANSFER);
		return FINE;
	}
	*res = (struct ae_rpc_ack_result){ .transfer = ae_rpc_ndr20 };
	return FINE;
}

/* more: an earlier element of this PDU was accepted already. */
static enum verdict
negotiate_one(struct ae_rpc_conn *c, bool in_bind, bool more,
    const struct ae_rpc_bind_elem *elem, struct ae_rpc_ack_result *res)
{
	const struct ae_rpc_iface *iface;
	struct offer o = read_offer(elem);
	const struct pres *p;

	reject(res, AE_RPC_REASON_ABSTRACT);
	if (elem->ntransfer == 0)
		return BROKEN;
	if (o.features)
		return negotiate_features(c, in_bind, o.bits, res);
	iface = ae_rpc_server_find(c->server, &elem->abstract);
	p = conn_pres_find(c, elem->id);
	/*
	 * Like Windows, one presentation context a PDU: others are asked for
	 * one by one.  A client that offers NDR20 and NDR64 side by side
	 * needs the first only.
	 */
	if (more) {
		if (iface != NULL)
			reject(res, AE_RPC_REASON_TRANSFER);
		return FINE;
	}
	if (p != NULL)
		return negotiate_again(p, iface, &o, res);
	if (iface == NULL)
		return FINE;
	if (!o.ndr20) {
		reject(res, AE_RPC_REASON_TRANSFER);
		return FINE;
	}
	*res = (struct ae_rpc_ack_result){ .transfer = ae_rpc_ndr20 };
	return pres_add(c, elem, iface);
}

/* Fills c->held.results. */
static enum verdict
negotiate(struct ae_rpc_conn *c, struct ae_rpc_bind *b, bool in_bind)
{
	struct ae_rpc_bind_elem elem;
	enum verdict v;
	bool more = false;
	size_t i;

	if (b->nctx == 0)
		return BROKEN;
	if (b->nctx > c->limits->max_contexts)
		return OVER_LIMIT;
	free(c->held.results);
	c->held.nresults = 0;
	c->held.results = calloc(b->nctx, sizeof(*c->held.results));
	if (c->held.results == NULL)
		return OVER_LIMIT;
	for (i = 0; i < b->nctx; i++) {
		ae_rpc_bind_next(b, &elem);
		v = negotiate_one(c, in_bind, more, &elem, &c->held.results[i]);
		if (v != FINE)
			return v;
		more |= c->held.results[i].result == AE_RPC_ACCEPTANCE;
	}
	c->held.nresults = b->nctx;
	return FINE;
}

/* ---- answers ---- */

void
conn_send_nak(struct ae_rpc_conn *c, uint32_t call_id, enum ae_rpc_nak reason)
{
	size_t start = ae_rpc_pdu_begin(&c->out, AE_RPC_BIND_NAK,
	    AE_RPC_PFC_FIRST | AE_RPC_PFC_LAST, call_id);

	ae_rpc_nak_put(&c->out, reason);
	ae_rpc_pdu_end(&c->out, start, 0);
	conn_wrote(c);
	conn_close(c, AE_EPROTO, (uint32_t)reason,
	    "bind refused, reject reason %d", (int)reason);
}

void
conn_send_ack(struct ae_rpc_conn *c, const struct sec_ctx *sec,
    const uint8_t *token, size_t token_len)
{
	bool bind = c->held.ptype == AE_RPC_BIND;
	size_t start = ae_rpc_pdu_begin(&c->out,
	    bind ? AE_RPC_BIND_ACK : AE_RPC_ALTER_RESP, c->held.flags,
	    c->held.call_id);

	ae_rpc_ack_put(&c->out, start, c->max_frag, c->group->id,
	    bind ? c->server->config.sec_addr : NULL, c->held.results,
	    c->held.nresults);
	if (sec != NULL) {
		/* A trailer also without token: the last leg had nothing. */
		ae_rpc_trailer_put(&c->out,
		    &(struct ae_rpc_trailer){ .type = (uint8_t)sec->type,
			.level = (uint8_t)sec->level,
			.id = sec->id });
		ae_wr_bytes(&c->out, token, token_len);
	}
	ae_rpc_pdu_end(&c->out, start, sec == NULL ? 0 : token_len);
	free(c->held.results);
	c->held = (struct held){ .results = NULL };
	conn_wrote(c);
}

/* ---- PDUs ---- */

static uint16_t
min_u16(uint16_t a, uint16_t b)
{
	return a < b ? a : b;
}

/* One size for both directions, a multiple of 8, as Windows answers. */
static uint16_t
negotiate_frag(const struct ae_rpc_conn *c, const struct ae_rpc_bind *b)
{
	uint16_t n = min_u16(b->max_xmit, b->max_recv);

	n = min_u16(n, c->limits->max_frag) & 0xfff8;
	return n < AE_RPC_FRAG_MIN ? AE_RPC_FRAG_MIN : n;
}

static void
hold(struct ae_rpc_conn *c, const struct ae_rpc_pdu *pdu)
{
	c->held.ptype = pdu->hdr.ptype;
	c->held.call_id = pdu->hdr.call_id;
	c->held.flags = AE_RPC_PFC_FIRST | AE_RPC_PFC_LAST;
	/* For the whole connection from now on, MS-RPCE 3.3.1.5.2.2. */
	if (pdu->hdr.flags & AE_RPC_PFC_HEADER_SIGN) {
		c->header_sign = true;
		c->held.flags |= AE_RPC_PFC_HEADER_SIGN;
	}
	if (pdu->hdr.ptype == AE_RPC_BIND &&
	    (pdu->hdr.flags & AE_RPC_PFC_CONC_MPX)) {
		c->conc_mpx = true;
		c->held.flags |= AE_RPC_PFC_CONC_MPX;
	}
}

/*
 * MS-RPCE 2.2.2.5 names the reasons; Windows evaluates the type only under a
 * level that exists, and has no provider for level CALL.
 */
static enum ae_rpc_nak
auth_nak(const struct ae_rpc_trailer *t)
{
	if (t->level < AE_RPC_LEVEL_CONNECT || t->level > AE_RPC_LEVEL_PRIVACY)
		return AE_RPC_NAK_NONE;
	if (t->type != AE_RPC_AUTH_SPNEGO && t->type != AE_RPC_AUTH_KRB5)
		return AE_RPC_NAK_AUTH_TYPE;
	return AE_RPC_NAK_CHECKSUM;
}

void
conn_on_bind(struct ae_rpc_conn *c, const struct ae_rpc_pdu *pdu)
{
	uint32_t call_id = pdu->hdr.call_id;
	struct ae_rpc_bind b;
	enum verdict v;
	int rc = AE_OK;

	if (c->bound) {
		conn_send_nak(c, call_id, AE_RPC_NAK_NONE);
		return;
	}
	if (!ae_rpc_bind_decode(&b, pdu)) {
		conn_send_nak(c, call_id, AE_RPC_NAK_VERSION);
		return;
	}
	v = negotiate(c, &b, true);
	if (v != FINE) {
		conn_send_nak(c, call_id,
		    v == BROKEN ? AE_RPC_NAK_NONE : AE_RPC_NAK_LIMIT);
		return;
	}
	c->group =
	    ae_rpc_group_join(c->server, b.group, c->peer, c->peer_len, &rc);
	if (c->group == NULL) {
		conn_send_nak(c, call_id,
		    rc == AE_ENOTFOUND ? AE_RPC_NAK_NONE : AE_RPC_NAK_LIMIT);
		return;
	}
	c->bound = true;
	c->max_frag = negotiate_frag(c, &b);
	hold(c, pdu);
	if (!pdu->trailer.present) {
		c->allow_request = true;
		conn_send_ack(c, NULL, NULL, 0);
	} else if (conn_auth_token(c, pdu, false) != 0) {
		conn_send_nak(c, call_id, auth_nak(&pdu->trailer));
	}
}

void
conn_on_alter(struct ae_rpc_conn *c, const struct ae_rpc_pdu *pdu)
{
	struct ae_rpc_bind b;
	uint32_t fault;

	if (!c->bound || !ae_rpc_bind_decode(&b, pdu)) {
		conn_refuse(c, pdu, AE_RPC_FAULT_PROTO_ERROR,
		    c->bound ? "malformed alter_context"
			     : "alter_context before bind");
		return;
	}
	if (pdu->trailer.present && pdu->trailer.type == AE_RPC_AUTH_NONE) {
		conn_refuse(c, pdu, AE_RPC_FAULT_ACCESS_DENIED,
		    "authentication of type none");
		return;
	}
	/* Sizes and group of an alter_context mean nothing, C706 12.6.4.1. */
	if (negotiate(c, &b, false) != FINE) {
		conn_refuse(c, pdu, AE_RPC_FAULT_PROTO_ERROR,
		    "presentation contexts make no sense");
		return;
	}
	hold(c, pdu);
	if (!pdu->trailer.present) {
		conn_send_ack(c, NULL, NULL, 0);
		return;
	}
	fault = conn_auth_token(c, pdu, false);
	if (fault != 0)
		conn_refuse(c, pdu, fault, "authentication refused");
}
