/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Fragments: see frag.h.  MS-RPCE 2.2.2.11 has the padding, 3.3.1.5.2.2 what
 * is signed.
 */
#include "rpc/frag.h"

#include <assert.h>

static size_t
header_len(const struct ae_rpc_msg *m)
{
	return m->object != NULL ? AE_RPC_REQUEST_LEN + 16 : AE_RPC_REQUEST_LEN;
}

/* Most stub bytes in one fragment; with a token a multiple of the padding. */
static size_t
stub_room(const struct ae_rpc_msg *m, size_t token_len)
{
	size_t room = m->max_frag - header_len(m);

	if (token_len == 0)
		return room;
	assert(room > AE_RPC_TRAILER_LEN + token_len + AE_RPC_AUTH_PAD);
	return (room - AE_RPC_TRAILER_LEN - token_len) &
	    ~(size_t)(AE_RPC_AUTH_PAD - 1);
}

static void
put_header(struct ae_wr *w, const struct ae_rpc_msg *m, size_t left)
{
	ae_wr_u32(w, (uint32_t)left); /* alloc_hint, MS-RPCE 2.2.2.6 */
	if (m->ptype == AE_RPC_REQUEST) {
		ae_wr_u16(w, m->context_id);
		ae_wr_u16(w, m->opnum);
	} else {
		/*
		 * As Windows does: a response carries the low byte of its
		 * context id only.  Clients go by the call id.
		 */
		ae_wr_u16(w, m->context_id & 0xff);
		ae_wr_u16(w, 0); /* cancel_count, reserved */
	}
	if (m->object != NULL)
		ae_guid_put(w, m->object);
}

static int
protect(struct ae_wr *w, const struct ae_rpc_msg *m, size_t start,
    size_t body_len, size_t token_len, struct ae_err *e)
{
	size_t hdr_len = header_len(m);
	uint8_t *p;

	if (!ae_wr_ok(w))
		return AE_OK; /* the caller asks */
	p = w->p + start;
	return m->auth.sec->ops->protect(m->auth.sec->ctx, m->auth.level,
	    m->auth.header_sign,
	    &(struct ae_rpc_sec_buf){
		.header = p,
		.header_len = hdr_len,
		.body = p + hdr_len,
		.body_len = body_len,
		.trailer = p + hdr_len + body_len,
		.trailer_len = AE_RPC_TRAILER_LEN,
		.token = p + hdr_len + body_len + AE_RPC_TRAILER_LEN,
		.token_len = token_len,
	    },
	    e);
}

static int
put_fragment(struct ae_wr *w, const struct ae_rpc_msg *m, size_t off, size_t n,
    size_t token_len, struct ae_err *e)
{
	struct ae_rpc_trailer t = { .type = (uint8_t)m->auth.type,
		.level = (uint8_t)m->auth.level,
		.id = m->auth.id };
	uint8_t flags = 0;
	size_t start, pad;

	flags |= off == 0 ? AE_RPC_PFC_FIRST : 0;
	flags |= off + n == m->len ? AE_RPC_PFC_LAST : 0;
	flags |= m->object != NULL ? AE_RPC_PFC_OBJECT : 0;
	start = ae_rpc_pdu_begin(w, m->ptype, flags, m->call_id);
	put_header(w, m, m->len - off);
	ae_wr_bytes(w, m->stub == NULL ? NULL : m->stub + off, n);
	if (token_len == 0) {
		ae_rpc_pdu_end(w, start, 0);
		return AE_OK;
	}
	pad = (AE_RPC_AUTH_PAD - n % AE_RPC_AUTH_PAD) % AE_RPC_AUTH_PAD;
	t.pad = (uint8_t)pad;
	ae_wr_zeros(w, pad);
	ae_rpc_trailer_put(w, &t);
	ae_wr_zeros(w, token_len);
	ae_rpc_pdu_end(w, start, token_len);
	return protect(w, m, start, n + pad, token_len, e);
}

int
ae_rpc_msg_put(struct ae_wr *w, const struct ae_rpc_msg *m, struct ae_err *e)
{
	size_t off = 0, n, room, token_len = 0;
	int rc;

	assert(m->max_frag >= AE_RPC_FRAG_MIN);
	if (m->auth.sec != NULL && m->auth.level >= AE_RPC_LEVEL_PKT) {
		token_len = m->auth.sec->ops->token_len(
		    m->auth.sec->ctx, m->auth.level);
		if (token_len == 0 || token_len > AE_RPC_SEC_TOKEN_MAX)
			return ae_fail(e, AE_EAUTH, AE_DOM_NONE, 0,
			    "the security context cannot protect at level %s",
			    ae_rpc_level_name(m->auth.level));
	}
	room = stub_room(m, token_len);
	do {
		n = m->len - off < room ? m->len - off : room;
		rc = put_fragment(w, m, off, n, token_len, e);
		if (rc != AE_OK)
			return ae_note(e, rc, "protecting a fragment");
		off += n;
	} while (off < m->len);
	if (!ae_wr_ok(w))
		return ae_wr_full(w)
		    ? ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
			  "%zu bytes of stub do not fit the output", m->len)
		    : ae_fail_mem(e);
	return AE_OK;
}

int
ae_rpc_fragment_open(const struct ae_rpc_pdu *pdu, uint8_t *bytes,
    size_t stub_off, const struct ae_rpc_auth *auth, size_t *len,
    struct ae_err *e)
{
	const struct ae_rpc_trailer *t = &pdu->trailer;
	size_t body_len = pdu->body_end - stub_off;
	int rc;

	if (auth->sec == NULL) {
		*len = body_len;
		return AE_OK;
	}
	if (!t->present || t->id != auth->id || t->type != auth->type ||
	    t->level != auth->level)
		return ae_fail(e, AE_ETRUST, AE_DOM_NONE, 0,
		    "a fragment of another security context");
	if (auth->level >= AE_RPC_LEVEL_PKT) {
		rc = auth->sec->ops->unprotect(auth->sec->ctx, auth->level,
		    auth->header_sign,
		    &(struct ae_rpc_sec_buf){
			.header = bytes,
			.header_len = stub_off,
			.body = bytes + stub_off,
			.body_len = body_len,
			.trailer = bytes + t->off,
			.trailer_len = AE_RPC_TRAILER_LEN,
			.token = bytes + t->off + AE_RPC_TRAILER_LEN,
			.token_len = t->token_len,
		    },
		    e);
		if (rc != AE_OK)
			return ae_note(e, rc, "checking a fragment");
	}
	*len = body_len - t->pad;
	return AE_OK;
}
