/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * PDUs by hand; see raw.h.
 */
#include "raw.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake.h"

void
raw_open(struct raw *r, const struct ae_rpc_limits *limits)
{
	struct ae_rpc_server *s = test_server(limits);

	assert_non_null(s);
	raw_join(r, s, "10.0.0.1");
	r->s = s;
}

void
raw_join(struct raw *r, struct ae_rpc_server *s, const char *peer)
{
	memset(r, 0, sizeof(*r));
	end_init(&r->x, s, peer);
	assert_non_null(r->x.conn);
}

void
raw_close(struct raw *r)
{
	end_done(&r->x);
	ae_rpc_sec_done(&r->sec);
	ae_rpc_server_free(r->s);
	if (r->s != NULL)
		assert_int_equal(fake_live, 0);
}

static void
feed(struct raw *r, struct ae_wr *w)
{
	assert_true(ae_wr_ok(w));
	(void)end_feed(&r->x, w->p, w->len);
	end_run(&r->x);
	ae_wr_done(w);
}

void
raw_put_bind(struct ae_wr *w, const struct raw_bind *b)
{
	size_t start, len = b->token == NULL ? 0 : strlen(b->token);
	uint16_t xmit = b->xmit != 0 ? b->xmit : 5840;

	start = ae_rpc_pdu_begin(w, b->ptype == 0 ? AE_RPC_BIND : b->ptype,
	    b->flags | FL, b->call_id);
	ae_rpc_bind_put(w, xmit, b->group, b->ctx,
	    b->iface == NULL ? &echo_iface.id : b->iface,
	    b->transfer == NULL ? &ae_rpc_ndr20 : b->transfer);
	if (b->recv != 0)
		ae_wr_set_u16(w, start + 18, b->recv);
	if (b->token != NULL) {
		ae_rpc_trailer_put(w,
		    &(struct ae_rpc_trailer){ .type = b->auth_type,
			.level = b->auth_level,
			.id = b->auth_id });
		ae_wr_bytes(w, b->token, len);
	}
	ae_rpc_pdu_end(w, start, len);
}

void
raw_send_bind(struct raw *r, const struct raw_bind *b)
{
	struct ae_wr w;

	ae_wr_init(&w, 65536);
	raw_put_bind(&w, b);
	feed(r, &w);
}

void
raw_bound(struct raw *r, const struct ae_rpc_iface *i)
{
	raw_send_bind(r, &(struct raw_bind){ .iface = &i->id });
	raw_expect(r, AE_RPC_BIND_ACK, 0);
	assert_int_equal(raw_result(r).result, AE_RPC_ACCEPTANCE);
}

/* Our half of the context, which has gone through its legs already. */
static struct ae_rpc_sec
client_half(uint8_t who)
{
	struct ae_rpc_sec s = fake_initiator(who);
	struct ae_wr w;
	bool done;

	ae_wr_init(&w, 100);
	assert_int_equal(s.ops->step(s.ctx, NULL, 0, &w, &done, NULL), AE_OK);
	assert_int_equal(
	    s.ops->step(s.ctx, (const uint8_t *)"reply", 5, &w, &done, NULL),
	    AE_OK);
	ae_wr_done(&w);
	return s;
}

void
raw_authed(struct raw *r, const struct ae_rpc_iface *i, enum ae_rpc_level level,
    uint8_t flags)
{
	struct raw_bind b = { .flags = flags,
		.iface = &i->id,
		.auth_type = AE_RPC_AUTH_KRB5,
		.auth_level = (uint8_t)level,
		.auth_id = 7,
		.token = "hello1" };

	raw_send_bind(r, &b);
	raw_expect(r, AE_RPC_BIND_ACK, 0);
	assert_int_equal(r->pdu.trailer.token_len, 5);
	b.ptype = AE_RPC_ALTER;
	b.token = "last!";
	b.call_id = 1;
	raw_send_bind(r, &b);
	raw_expect(r, AE_RPC_ALTER_RESP, 1);
	r->sec = client_half('1');
	r->level = level;
	r->header_sign = flags & AE_RPC_PFC_HEADER_SIGN;
}

void
raw_put_request(struct raw *r, struct ae_wr *w, const struct raw_request *q)
{
	struct ae_rpc_trailer t = {
		.type = AE_RPC_AUTH_KRB5, .level = (uint8_t)r->level, .id = 7
	};
	bool secure = r->sec.ops != NULL && !q->plain;
	size_t start, pad = 0, token = 0;
	uint8_t *p;

	start = ae_rpc_pdu_begin(w, AE_RPC_REQUEST, q->flags, q->call_id);
	ae_wr_u32(w, q->hint);
	ae_wr_u16(w, q->ctx);
	ae_wr_u16(w, q->opnum);
	ae_wr_bytes(w, q->stub, q->len);
	if (secure) {
		pad = (16 - q->len % 16) % 16;
		t.pad = (uint8_t)pad;
		t.id = q->auth_id != 0 ? q->auth_id : t.id;
		t.type = q->auth_type != 0 ? q->auth_type : t.type;
		t.level = q->auth_level != 0 ? q->auth_level : t.level;
		ae_wr_zeros(w, pad);
		ae_rpc_trailer_put(w, &t);
		token = FAKE_TOKEN;
		ae_wr_zeros(w, token);
	}
	ae_rpc_pdu_end(w, start, token);
	if (!secure || r->level < AE_RPC_LEVEL_PKT)
		return;
	p = w->p + start;
	assert_int_equal(
	    r->sec.ops->protect(r->sec.ctx, r->level, r->header_sign,
		&(struct ae_rpc_sec_buf){ .header = p,
		    .header_len = 24,
		    .body = p + 24,
		    .body_len = q->len + pad,
		    .trailer = p + 24 + q->len + pad,
		    .trailer_len = 8,
		    .token = p + 32 + q->len + pad,
		    .token_len = token },
		NULL),
	    AE_OK);
	if (q->spoil)
		p[24] ^= 0x10;
}

void
raw_send_request(struct raw *r, const struct raw_request *q)
{
	struct ae_wr w;

	ae_wr_init(&w, 65536);
	raw_put_request(r, &w, q);
	feed(r, &w);
}

void
raw_send(struct raw *r, enum ae_rpc_ptype ptype, uint32_t call_id,
    const void *body, size_t len)
{
	struct ae_wr w;
	size_t start;

	ae_wr_init(&w, 65536);
	start = ae_rpc_pdu_begin(&w, ptype, FL, call_id);
	ae_wr_bytes(&w, body, len);
	ae_rpc_pdu_end(&w, start, 0);
	feed(r, &w);
}

void
raw_expect(struct raw *r, enum ae_rpc_ptype ptype, uint32_t call_id)
{
	assert_true(end_pdu(&r->x, &r->pdu, r->bytes));
	assert_int_equal(r->pdu.hdr.ptype, ptype);
	assert_int_equal(r->pdu.hdr.call_id, call_id);
}

void
raw_expect_nothing(struct raw *r)
{
	assert_false(end_pdu(&r->x, &r->pdu, r->bytes));
	assert_false(r->x.closed);
	assert_false(ae_rpc_conn_finished(r->x.conn));
}

void
raw_expect_end(struct raw *r)
{
	assert_false(end_pdu(&r->x, &r->pdu, r->bytes));
	assert_true(r->x.closed);
	assert_true(ae_rpc_conn_finished(r->x.conn));
}

void
raw_expect_fault(struct raw *r, uint32_t call_id, uint16_t ctx, uint32_t status,
    uint8_t flags, bool end)
{
	struct ae_rpc_fault f;

	raw_expect(r, AE_RPC_FAULT, call_id);
	assert_int_equal(r->pdu.hdr.flags, FL | flags);
	assert_int_equal(r->pdu.hdr.frag_len, AE_RPC_FAULT_LEN);
	assert_true(ae_rpc_fault_decode(&f, &r->pdu));
	assert_int_equal(f.status, status);
	assert_int_equal(f.context_id, ctx);
	if (end)
		raw_expect_end(r);
	else
		raw_expect_nothing(r);
}

void
raw_expect_nak(struct raw *r, uint32_t call_id, uint16_t reason)
{
	uint16_t got;

	raw_expect(r, AE_RPC_BIND_NAK, call_id);
	assert_true(ae_rpc_nak_decode(&got, &r->pdu));
	assert_int_equal(got, reason);
	raw_expect_end(r);
}

struct ae_rpc_ack_result
raw_result(struct raw *r)
{
	struct ae_rpc_ack_result res;
	struct ae_rpc_ack a;

	assert_true(ae_rpc_ack_decode(&a, &r->pdu));
	assert_int_equal(a.nresults, 1);
	ae_rpc_ack_next(&a, &res);
	return res;
}
