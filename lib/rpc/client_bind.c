/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The client's bind: security legs in bind and alter_context, each of which
 * asks for the next interface too, then one alter_context for each that is
 * left.  Windows accepts one presentation context a PDU, so nobody is asked
 * for more.
 */
#include <stdlib.h>

#include "rpc/client_impl.h"

/* More legs than any exchange of ours has. */
#define LEGS_MAX 8

static uint8_t
bind_flags(const struct ae_rpc_client *c)
{
	uint8_t flags = AE_RPC_PFC_FIRST | AE_RPC_PFC_LAST;

	if (c->config.level >= AE_RPC_LEVEL_PKT && !c->config.no_header_sign)
		flags |= AE_RPC_PFC_HEADER_SIGN;
	return flags;
}

/* A bind or alter_context for context c->asking; token may be NULL. */
static void
send_bind(
    struct ae_rpc_client *c, enum ae_rpc_ptype ptype, const struct ae_wr *token)
{
	size_t start, token_len = token == NULL ? 0 : token->len;

	c->bind_call_id = ++c->next_call_id;
	start =
	    ae_rpc_pdu_begin(&c->out, ptype, bind_flags(c), c->bind_call_id);
	ae_rpc_bind_put(&c->out, c->config.max_frag,
	    ptype == AE_RPC_BIND ? c->config.group : c->group,
	    (uint16_t)c->asking, &c->ctx[c->asking].iface, &ae_rpc_ndr20);
	if (token_len > 0) {
		ae_rpc_trailer_put(&c->out,
		    &(struct ae_rpc_trailer){
			.type = (uint8_t)c->config.auth_type,
			.level = (uint8_t)c->config.level,
		    });
		ae_wr_bytes(&c->out, token->p, token_len);
	}
	ae_rpc_pdu_end(&c->out, start, token_len);
	(void)client_wrote(c);
}

/*
 * Give the server's token to the context and put ours into out, which holds
 * at most what one PDU can carry.
 */
static int
step_sec(struct ae_rpc_client *c, const uint8_t *in, size_t len,
    struct ae_wr *out, struct ae_err *e)
{
	int rc;

	if (++c->legs > LEGS_MAX)
		return ae_fail(
		    e, AE_EAUTH, AE_DOM_NONE, 0, "authentication does not end");
	rc = c->sec.ops->step(c->sec.ctx, in, len, out, &c->sec_done, e);
	if (rc != AE_OK)
		return ae_note(e, rc, "authenticating");
	if (!ae_wr_ok(out))
		return ae_wr_full(out)
		    ? ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
			  "an authentication token that fits no PDU")
		    : ae_fail_mem(e);
	if (!c->sec_done && out->len == 0)
		return ae_fail(e, AE_EAUTH, AE_DOM_NONE, 0,
		    "authentication has nothing to say but is not done");
	return AE_OK;
}

int
ae_rpc_client_bind(struct ae_rpc_client *c, const struct ae_rpc_syntax *ifaces,
    size_t n, uint64_t now, struct ae_err *e)
{
	struct ae_wr token;
	size_t i;
	int rc;

	if (c->state != CLIENT_NEW || n == 0 || n > CLIENT_IFACES_MAX)
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "a bind for %zu interfaces", n);
	c->now = c->since = now;
	for (i = 0; i < n; i++)
		c->ctx[i] = (struct client_ctx){ .iface = ifaces[i] };
	c->nctx = n;
	c->asking = 0;
	c->state = CLIENT_BINDING;
	if (c->sec.ops == NULL) {
		send_bind(c, AE_RPC_BIND, NULL);
		return AE_OK;
	}
	/*
	 * The first token carries a ticket with its PAC and may be larger
	 * than a fragment: then it cannot be sent at all.
	 */
	ae_wr_init(&token, AE_RPC_TOKEN_OUT_MAX);
	rc = step_sec(c, NULL, 0, &token, e);
	if (rc == AE_OK)
		send_bind(c, AE_RPC_BIND, &token);
	else
		c->state = CLIENT_NEW;
	ae_wr_done(&token);
	return rc;
}

int
ae_rpc_client_alter(struct ae_rpc_client *c, const struct ae_rpc_syntax *iface,
    uint32_t *context, uint64_t now, struct ae_err *e)
{
	if (c->state != CLIENT_BOUND || c->calls != NULL)
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "an alter_context at this time");
	if (c->nctx == CLIENT_IFACES_MAX)
		return ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
		    "more than %d interfaces", CLIENT_IFACES_MAX);
	c->now = c->since = now;
	c->ctx[c->nctx] = (struct client_ctx){ .iface = *iface };
	c->asking = c->nctx++;
	*context = (uint32_t)c->asking;
	c->by_alter = true;
	c->state = CLIENT_ALTERING;
	send_bind(c, AE_RPC_ALTER, NULL);
	return AE_OK;
}

/* ---- answers ---- */

/* The answer to the context that was asked for. */
static int
read_result(struct ae_rpc_client *c, struct ae_rpc_ack *a, struct ae_err *e)
{
	struct ae_rpc_ack_result r;

	if (a->nresults != 1)
		return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
		    "%u results for one presentation context", a->nresults);
	ae_rpc_ack_next(a, &r);
	if (r.result != AE_RPC_ACCEPTANCE)
		return ae_fail(e, AE_ENOTFOUND, AE_DOM_RPC, r.reason,
		    "the server refuses the interface: result %u, reason %u%s",
		    r.result, r.reason,
		    r.reason == AE_RPC_REASON_ABSTRACT ? " (unknown there)"
						       : "");
	if (!ae_rpc_syntax_equal(&r.transfer, &ae_rpc_ndr20))
		return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
		    "the server chose a transfer syntax of its own");
	c->ctx[c->asking].accepted = true;
	return AE_OK;
}

/* The token of an ack, and ours in return.  *more: another leg is out. */
static int
next_leg(struct ae_rpc_client *c, const struct ae_rpc_pdu *pdu, bool *more,
    struct ae_err *e)
{
	const struct ae_rpc_trailer *t = &pdu->trailer;
	struct ae_wr token;
	int rc;

	*more = false;
	if (c->sec.ops == NULL || c->sec_done)
		return t->present && t->token_len > 0 && c->sec.ops == NULL
		    ? ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
			  "a security token that nobody asked for")
		    : AE_OK;
	if (!t->present || t->type != c->config.auth_type ||
	    t->level != c->config.level || t->id != 0)
		return ae_fail(e, AE_EAUTH, AE_DOM_NONE, 0,
		    "the server did not continue the authentication");
	ae_wr_init(&token, AE_RPC_TOKEN_OUT_MAX);
	rc = step_sec(
	    c, pdu->p + t->off + AE_RPC_TRAILER_LEN, t->token_len, &token, e);
	if (rc == AE_OK && token.len > 0) {
		if (c->asking + 1 < c->nctx)
			c->asking++;
		c->state = CLIENT_AUTHING;
		send_bind(c, AE_RPC_ALTER, &token);
		*more = true;
	}
	ae_wr_done(&token);
	return rc;
}

/* Ask for the next interface, or be bound. */
static void
advance(struct ae_rpc_client *c)
{
	if (c->by_alter) {
		c->by_alter = false;
		c->state = CLIENT_BOUND;
		c->ev_altered = true;
		return;
	}
	if (c->asking + 1 < c->nctx) {
		c->asking++;
		c->state = CLIENT_ALTERING;
		send_bind(c, AE_RPC_ALTER, NULL);
		return;
	}
	c->state = CLIENT_BOUND;
	c->ev_bound = true;
}

static void
first_ack(struct ae_rpc_client *c, const struct ae_rpc_pdu *pdu,
    const struct ae_rpc_ack *a)
{
	uint16_t frag = a->max_recv;

	c->group = a->group;
	if (frag < c->max_frag)
		c->max_frag = frag;
	if (c->max_frag < AE_RPC_FRAG_MIN)
		c->max_frag = AE_RPC_FRAG_MIN;
	c->header_sign = (bind_flags(c) & AE_RPC_PFC_HEADER_SIGN) &&
	    (pdu->hdr.flags & AE_RPC_PFC_HEADER_SIGN);
}

void
client_on_ack(struct ae_rpc_client *c, const struct ae_rpc_pdu *pdu)
{
	struct ae_err e = AE_ERR_INIT;
	struct ae_rpc_ack a;
	bool more = false;
	int rc;

	if (pdu->hdr.call_id != c->bind_call_id ||
	    !ae_rpc_ack_decode(&a, pdu)) {
		client_fail(c, AE_EPROTO, "a malformed answer to the bind");
		return;
	}
	if (c->state == CLIENT_BINDING)
		first_ack(c, pdu, &a);
	rc = read_result(c, &a, &e);
	if (c->by_alter && rc == AE_ENOTFOUND) {
		/* Told; the connection and its other contexts go on. */
		c->altered = e;
		advance(c);
		return;
	}
	c->altered = (struct ae_err)AE_ERR_INIT;
	if (rc == AE_OK)
		rc = next_leg(c, pdu, &more, &e);
	if (rc != AE_OK)
		client_close(c, &e);
	else if (!more)
		advance(c);
}

/* clang-format off */
static const struct {
	uint16_t reason;
	enum ae_rc rc;
	const char *text;
} naks[] = {
	{ AE_RPC_NAK_CONGESTION, AE_EUNAVAIL, "temporary congestion" },
	{ AE_RPC_NAK_LIMIT,      AE_EUNAVAIL, "local limit exceeded" },
	{ AE_RPC_NAK_VERSION,    AE_EREMOTE,  "protocol version not supported" },
	{ AE_RPC_NAK_AUTH_TYPE,  AE_EAUTH,    "authentication type not recognized" },
	{ AE_RPC_NAK_CHECKSUM,   AE_EAUTH,    "authentication failed" },
};
/* clang-format on */

void
client_on_nak(struct ae_rpc_client *c, const struct ae_rpc_pdu *pdu)
{
	struct ae_err e = AE_ERR_INIT;
	const char *text = "not specified";
	enum ae_rc rc = AE_EREMOTE;
	uint16_t reason;
	size_t i;

	if (!ae_rpc_nak_decode(&reason, pdu)) {
		client_fail(c, AE_EPROTO, "a malformed bind_nak");
		return;
	}
	for (i = 0; i < sizeof(naks) / sizeof(naks[0]); i++)
		if (naks[i].reason == reason) {
			rc = naks[i].rc;
			text = naks[i].text;
		}
	(void)ae_fail(&e, rc, AE_DOM_RPC, reason,
	    "the server refuses the bind: reject reason %u, %s", reason, text);
	client_close(c, &e);
}

void
client_on_bind_fault(struct ae_rpc_client *c, const struct ae_rpc_pdu *pdu)
{
	struct ae_err e = AE_ERR_INIT;
	struct ae_rpc_fault f;

	if (!ae_rpc_fault_decode(&f, pdu)) {
		client_fail(c, AE_EPROTO, "a malformed fault");
		return;
	}
	(void)ae_rpc_fault_err(&e, f.status);
	(void)ae_note(&e, e.rc, "binding");
	client_close(c, &e);
}
