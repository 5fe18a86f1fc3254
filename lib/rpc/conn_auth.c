/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Security contexts of a connection: their legs arrive in bind,
 * alter_context and auth3 (MS-RPCE 3.3.1.5.2), the tokens go to the owner and
 * come back with its verdict.  One context is negotiated at a time; its type
 * and level are those of its first leg.
 */
#include <stdlib.h>
#include <string.h>

#include "base/breaks.h"
#include "rpc/server_impl.h"

/* A token of ours fits a fragment together with the longest answer. */
#define TOKEN_OUT_MAX (AE_RPC_FRAG_MAX / 2)

struct sec_ctx *
conn_sec_find(const struct ae_rpc_conn *c, uint32_t id)
{
	struct sec_ctx *x;

	for (x = c->secs; x != NULL; x = x->next)
		if (x->id == id)
			return x;
	return NULL;
}

/* A first leg.  NULL: *fault says why not. */
static struct sec_ctx *
start(struct ae_rpc_conn *c, const struct ae_rpc_trailer *t, uint32_t *fault)
{
	struct sec_ctx *x;

	/* Level CALL is for connectionless RPC; Windows refuses it too. */
	if (t->level < AE_RPC_LEVEL_CONNECT ||
	    t->level > AE_RPC_LEVEL_PRIVACY || t->level == AE_RPC_LEVEL_CALL ||
	    (t->type != AE_RPC_AUTH_SPNEGO && t->type != AE_RPC_AUTH_KRB5 &&
		!AE_BREAK(auth_type))) {
		*fault = AE_RPC_FAULT_SEC_PKG_ERROR;
		return NULL;
	}
	*fault = AE_RPC_FAULT_PROTO_ERROR;
	if (c->pending != NULL || c->nsecs >= c->limits->max_sec_contexts)
		return NULL;
	x = calloc(1, sizeof(*x));
	if (x == NULL) {
		*fault = AE_RPC_FAULT_REMOTE_NO_MEMORY;
		return NULL;
	}
	x->handle = ++c->next_sec;
	x->id = t->id;
	x->type = t->type;
	x->level = t->level;
	x->next = c->secs;
	c->secs = x;
	c->nsecs++;
	c->pending_since = c->now;
	*fault = 0;
	return x;
}

/* A further leg of x: may it be? */
static uint32_t
continues(const struct ae_rpc_conn *c, const struct sec_ctx *x,
    const struct ae_rpc_trailer *t)
{
	if (x->state != SEC_PENDING || x != c->pending)
		return AE_RPC_FAULT_ACCESS_DENIED;
	if (x->type != t->type)
		return AE_RPC_FAULT_SEC_PKG_ERROR;
	if (x->level != t->level && !AE_BREAK(level_second_leg))
		return AE_RPC_FAULT_ACCESS_DENIED;
	if (x->legs >= c->limits->max_auth_legs)
		return AE_RPC_FAULT_PROTO_ERROR;
	return 0;
}

uint32_t
conn_auth_token(
    struct ae_rpc_conn *c, const struct ae_rpc_pdu *pdu, bool last_leg)
{
	const struct ae_rpc_trailer *t = &pdu->trailer;
	struct sec_ctx *x = conn_sec_find(c, t->id);
	uint32_t fault = 0;

	if (t->token_len > c->limits->max_token)
		return AE_RPC_FAULT_SEC_PKG_ERROR;
	if (x == NULL)
		x = start(c, t, &fault);
	else
		fault = continues(c, x, t);
	if (fault != 0)
		return fault;
	c->token = malloc(t->token_len);
	if (c->token == NULL)
		return AE_RPC_FAULT_REMOTE_NO_MEMORY;
	memcpy(c->token, pdu->p + t->off + AE_RPC_TRAILER_LEN, t->token_len);
	c->token_len = t->token_len;
	c->pending = x;
	c->auth_event = true;
	c->auth_last_leg = last_leg;
	x->legs++;
	return 0;
}

void
conn_on_auth3(struct ae_rpc_conn *c, const struct ae_rpc_pdu *pdu)
{
	uint32_t fault = AE_RPC_FAULT_PROTO_ERROR;

	/* Continues what a bind or alter_context began, and only that. */
	if (pdu->trailer.present && c->pending != NULL &&
	    c->pending->id == pdu->trailer.id)
		fault = conn_auth_token(c, pdu, true);
	if (fault != 0)
		conn_refuse(c, pdu, fault, "an auth3 that nothing waits for");
}

/* ---- the verdict ---- */

static void
finish(struct ae_rpc_conn *c, struct sec_ctx *x, struct ae_rpc_auth_result *r)
{
	x->state = SEC_DONE;
	x->sec = r->sec;
	r->sec = (struct ae_rpc_sec){ .ops = NULL };
	x->name = r->name;
	x->sid = r->sid;
	c->pending = NULL;
	c->allow_request = true;
}

/*
 * What a client asked for must be possible: sealing with a context that
 * cannot is refused here, not at the first request.
 */
static bool
usable(const struct sec_ctx *x, const struct ae_rpc_auth_result *r)
{
	return x->level != AE_RPC_LEVEL_PRIVACY ||
	    r->sec.ops->token_len(r->sec.ctx, x->level) != 0;
}

static void
failed(struct ae_rpc_conn *c, struct sec_ctx *x)
{
	x->state = SEC_FAILED;
	x->gone = true;
	c->pending = NULL;
	if (c->auth_last_leg) {
		/* No answer to auth3: told to the first request. */
		c->auth3_failed = true;
		c->allow_request = true;
	} else if (c->held.ptype == AE_RPC_BIND) {
		conn_send_nak(c, c->held.call_id, AE_RPC_NAK_CHECKSUM);
	} else {
		conn_fault(c, c->held.call_id, 0, AE_RPC_FAULT_SEC_PKG_ERROR,
		    AE_RPC_PFC_DID_NOT_EXECUTE);
		conn_close(c, AE_EAUTH, AE_RPC_FAULT_SEC_PKG_ERROR,
		    "authentication failed");
	}
}

void
ae_rpc_conn_auth_done(struct ae_rpc_conn *c, uint32_t auth,
    struct ae_rpc_auth_result *r, uint64_t now)
{
	struct sec_ctx *x = c->pending;
	bool good = r->status != AE_RPC_AUTH_FAILED;

	c->now = c->active = now;
	if (!c->auth_waiting || x == NULL || x->handle != auth)
		goto out; /* the connection closed meanwhile */
	c->auth_waiting = false;
	free(c->token);
	c->token = NULL;
	if (r->status == AE_RPC_AUTH_COMPLETE)
		good = usable(x, r);
	/* There is no way to send more after an auth3. */
	if (c->auth_last_leg &&
	    (r->status != AE_RPC_AUTH_COMPLETE || r->token_len > 0))
		good = false;
	if (r->token_len > TOKEN_OUT_MAX)
		good = false;
	if (!good) {
		failed(c, x);
	} else {
		if (r->status == AE_RPC_AUTH_COMPLETE)
			finish(c, x, r);
		if (!c->auth_last_leg)
			conn_send_ack(c, x, r->token, r->token_len);
	}
	conn_pump(c);
out:
	ae_rpc_sec_done(&r->sec);
}
