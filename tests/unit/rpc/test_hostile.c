/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Damaged conversations, both sides: a recorded one with every bit, byte and
 * length changed; and a server that does to our client what it should not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake.h"
#include "mutate.h"
#include "raw.h"

/* ---- a recorded conversation ---- */

struct record {
	struct ae_wr up;   /* what the client said */
	struct ae_wr down; /* what the server said */
};

static struct ae_rpc_client *
client_new(enum ae_rpc_level level, bool header_sign)
{
	struct ae_rpc_client_config g = { .auth_type = AE_RPC_AUTH_KRB5,
		.level = level,
		.sec = fake_initiator('1'),
		.no_header_sign = !header_sign,
		.max_reply = 65536 };

	return ae_rpc_client_new(&g, 0);
}

/* Act on the client's events: one call once it is bound. */
static bool
client_run(struct ae_rpc_client *cl)
{
	struct ae_rpc_client_event ev;
	bool replied = false;
	uint32_t id;

	while (ae_rpc_client_event(cl, &ev)) {
		if (ev.type == AE_RPC_CLIENT_BOUND)
			assert_int_equal(ae_rpc_client_call(cl, 0, 0, NULL,
					     (const uint8_t *)"a small stub",
					     12, &id, 0, NULL),
			    AE_OK);
		replied |= ev.type == AE_RPC_CLIENT_REPLY;
	}
	return replied;
}

static void
record(struct record *rec, enum ae_rpc_level level, bool header_sign)
{
	struct ae_rpc_client *cl = client_new(level, header_sign);
	struct ae_rpc_server *s = test_server(NULL);
	bool moved, replied = false;
	const uint8_t *p;
	struct end x;
	size_t len;

	ae_wr_init(&rec->up, 65536);
	ae_wr_init(&rec->down, 65536);
	end_init(&x, s, "peer");
	assert_int_equal(
	    ae_rpc_client_bind(cl, &vault_iface.id, 1, 0, NULL), AE_OK);
	do {
		moved = false;
		p = ae_rpc_client_output(cl, &len);
		if (p != NULL) {
			ae_wr_bytes(&rec->up, p, len);
			assert_int_equal(end_feed(&x, p, len), len);
			ae_rpc_client_sent(cl, len, 0);
			moved = true;
		}
		end_run(&x);
		p = ae_rpc_conn_output(x.conn, &len);
		if (p != NULL) {
			ae_wr_bytes(&rec->down, p, len);
			ae_rpc_client_feed(cl, p, len, 0);
			ae_rpc_conn_sent(x.conn, len, 0);
			moved = true;
		}
		replied |= client_run(cl);
	} while (moved);
	assert_true(replied || level < AE_RPC_LEVEL_PRIVACY);
	ae_rpc_client_free(cl);
	end_done(&x);
	ae_rpc_server_free(s);
}

static void
record_done(struct record *rec)
{
	ae_wr_done(&rec->up);
	ae_wr_done(&rec->down);
	assert_int_equal(fake_live, 0);
}

/* ---- the server hears damaged bytes ---- */

struct heard {
	const struct record *rec;
	size_t executed;
};

static void
to_server(const uint8_t *p, size_t len, void *arg)
{
	struct ae_rpc_server *s = test_server(NULL);
	struct heard *h = arg;
	struct end x;
	size_t out;

	end_init(&x, s, "peer");
	(void)end_feed(&x, p, len);
	end_run(&x);
	/*
	 * Whatever was changed: at privacy a call that came through is the
	 * one that was sent, octet for octet.
	 */
	assert_true(x.calls <= 1);
	if (x.calls == 1) {
		assert_true(x.last_stub.len >= 12);
		assert_memory_equal(x.last_stub.p, "a small stub", 12);
		assert_int_equal(x.last.level, AE_RPC_LEVEL_PRIVACY);
		assert_int_equal(x.last.opnum, 0);
		h->executed++;
	}
	/* All that is left is output and a wish to be closed. */
	while (ae_rpc_conn_output(x.conn, &out) != NULL)
		ae_rpc_conn_sent(x.conn, out, 0);
	if (x.closed)
		assert_true(ae_rpc_conn_finished(x.conn));
	end_done(&x);
	ae_rpc_server_free(s);
}

static void
damaged_requests(void **state)
{
	struct record rec;
	struct heard h = { .executed = 0 };
	int sign;

	(void)state;
	for (sign = 0; sign < 2; sign++) {
		record(&rec, AE_RPC_LEVEL_PRIVACY, sign);
		assert_true(
		    ae_mutate(rec.up.p, rec.up.len, to_server, &h) > 3000);
		record_done(&rec);
	}
	/* Some changes do not matter: reserved octets, sizes, minor version. */
	assert_true(h.executed > 10);
}

/* ---- the client hears damaged bytes ---- */

static void
to_client(const uint8_t *p, size_t len, void *arg)
{
	const bool *sign = arg;
	struct ae_rpc_client *cl = client_new(AE_RPC_LEVEL_PRIVACY, *sign);
	struct ae_rpc_client_event ev;
	size_t n, out, done = 0;
	bool closed = false;
	uint32_t id;

	assert_int_equal(
	    ae_rpc_client_bind(cl, &vault_iface.id, 1, 0, NULL), AE_OK);
	while (done < len && !closed) {
		while (ae_rpc_client_output(cl, &out) != NULL)
			ae_rpc_client_sent(cl, out, 0);
		n = ae_rpc_client_room(cl);
		n = n < len - done ? n : len - done;
		/* One byte at a time lets the call go out when it is due. */
		n = n > 1 ? 1 : n;
		ae_rpc_client_feed(cl, p + done, n, 0);
		done += n;
		while (ae_rpc_client_event(cl, &ev)) {
			if (ev.type == AE_RPC_CLIENT_BOUND)
				assert_int_equal(
				    ae_rpc_client_call(cl, 0, 0, NULL,
					(const uint8_t *)"a small stub", 12,
					&id, 0, NULL),
				    AE_OK);
			closed |= ev.type == AE_RPC_CLIENT_CLOSED;
			if (ev.type != AE_RPC_CLIENT_REPLY)
				continue;
			/* Unsigned, the padding's length can be changed. */
			n = ev.stub_len < 12 ? ev.stub_len : 12;
			assert_true(n == 12 || !*sign);
			assert_memory_equal(ev.stub, "a small stub", n);
		}
	}
	ae_rpc_client_free(cl);
}

static void
cve_2015_5370_damaged_responses(void **state)
{
	struct record rec;
	bool sign;
	int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		sign = i;
		record(&rec, AE_RPC_LEVEL_PRIVACY, sign);
		assert_true(ae_mutate(rec.down.p, rec.down.len, to_client,
				&sign) > 2000);
		record_done(&rec);
	}
}

/* ---- a server that lies ---- */

struct liar {
	struct ae_rpc_client *cl;
	struct ae_rpc_sec sec; /* the server's half */
	struct ae_wr w;
	uint32_t call;
};

static void
tell(struct liar *l)
{
	size_t out;

	while (ae_rpc_client_output(l->cl, &out) != NULL)
		ae_rpc_client_sent(l->cl, out, 0);
	assert_true(ae_wr_ok(&l->w));
	ae_rpc_client_feed(l->cl, l->w.p, l->w.len, 0);
	ae_wr_reset(&l->w);
}

static void
put_ack(struct liar *l, enum ae_rpc_ptype ptype, uint32_t call_id,
    const struct ae_rpc_ack_result *res, size_t n, const char *token)
{
	size_t start = ae_rpc_pdu_begin(&l->w, ptype, FL, call_id);

	ae_rpc_ack_put(&l->w, start, 5840, 77, "135", res, n);
	if (token != NULL) {
		ae_rpc_trailer_put(
		    &l->w, &(struct ae_rpc_trailer){ .type = 16, .level = 6 });
		ae_wr_str(&l->w, token);
	}
	ae_rpc_pdu_end(&l->w, start, token == NULL ? 0 : strlen(token));
}

static const struct ae_rpc_ack_result fine = {
	.transfer = { .uuid = { 0x8a885d04, 0x1ceb, 0x11c9,
			  { 0x9f, 0xe8, 0x08, 0x00, 0x2b, 0x10, 0x48, 0x60 } },
	    .major = 2 },
};

static void
liar_open(struct liar *l, bool bound)
{
	int state = 0;
	uint8_t out[32], who;
	size_t outlen;
	bool done;
	struct ae_rpc_client_event ev;

	l->sec = (struct ae_rpc_sec){ .ops = NULL };
	l->cl = client_new(AE_RPC_LEVEL_PRIVACY, true);
	ae_wr_init(&l->w, 200000);
	assert_int_equal(
	    ae_rpc_client_bind(l->cl, &vault_iface.id, 1, 0, NULL), AE_OK);
	if (!bound)
		return;
	put_ack(l, AE_RPC_BIND_ACK, 1, &fine, 1, "reply");
	tell(l);
	put_ack(l, AE_RPC_ALTER_RESP, 2, &fine, 1, NULL);
	tell(l);
	assert_true(ae_rpc_client_event(l->cl, &ev));
	assert_int_equal(ev.type, AE_RPC_CLIENT_BOUND);
	assert_int_equal(ae_rpc_client_group(l->cl), 77);
	assert_true(fake_accept(&state, (const uint8_t *)"hello1", 6, out,
	    &outlen, &done, &l->sec, &who));
	assert_true(fake_accept(&state, (const uint8_t *)"last!", 5, out,
	    &outlen, &done, &l->sec, &who));
	assert_int_equal(
	    ae_rpc_client_call(l->cl, 0, 0, NULL, NULL, 0, &l->call, 0, NULL),
	    AE_OK);
}

static void
liar_close(struct liar *l, enum ae_rc rc)
{
	struct ae_rpc_client_event ev;

	assert_true(ae_rpc_client_event(l->cl, &ev));
	assert_int_equal(ev.type, AE_RPC_CLIENT_CLOSED);
	assert_int_equal(ev.err.rc, rc);
	assert_false(ae_rpc_client_event(l->cl, &ev));
	assert_true(ae_rpc_client_deadline(l->cl) == UINT64_MAX);
	ae_rpc_client_free(l->cl);
	ae_rpc_sec_done(&l->sec);
	ae_wr_done(&l->w);
	assert_int_equal(fake_live, 0);
}

/* A response of this many bytes, in fragments, protected or not. */
static void
put_response(struct liar *l, uint32_t call_id, size_t len, bool sealed)
{
	uint8_t *stub = calloc(1, len + 1);
	struct ae_rpc_msg m = { .ptype = AE_RPC_RESPONSE,
		.call_id = call_id,
		.stub = stub,
		.len = len,
		.max_frag = 5840 };

	assert_non_null(stub);
	if (sealed)
		m.auth = (struct ae_rpc_auth){
			.sec = &l->sec, .type = 16, .level = 6
		};
	assert_int_equal(ae_rpc_msg_put(&l->w, &m, NULL), AE_OK);
	free(stub);
}

static void
bad_acks(void **state)
{
	struct ae_rpc_ack_result res = fine, two[2] = { fine, fine };
	struct liar l;
	int i;

	(void)state;
	for (i = 0; i < 9; i++) {
		enum ae_rc rc = AE_EPROTO;

		res = fine;
		liar_open(&l, false);
		switch (i) {
		case 0: /* another call */
			put_ack(&l, AE_RPC_BIND_ACK, 2, &fine, 1, "reply");
			break;
		case 1: /* not what was asked for */
			put_ack(&l, AE_RPC_ALTER_RESP, 1, &fine, 1, "reply");
			break;
		case 2:
			put_ack(&l, AE_RPC_BIND_ACK, 1, two, 2, "reply");
			break;
		case 3:
			put_ack(&l, AE_RPC_BIND_ACK, 1, NULL, 0, "reply");
			break;
		case 4: /* a transfer syntax of its own */
			res.transfer.major = 3;
			put_ack(&l, AE_RPC_BIND_ACK, 1, &res, 1, "reply");
			break;
		case 5: /* no authentication after all */
			put_ack(&l, AE_RPC_BIND_ACK, 1, &fine, 1, NULL);
			rc = AE_EAUTH;
			break;
		case 6:
			put_ack(&l, AE_RPC_BIND_ACK, 1, &fine, 1, "wrong");
			rc = AE_EAUTH;
			break;
		case 7: /* a response to nothing */
			put_response(&l, 1, 10, false);
			break;
		default: /* somebody else's protocol */
			ae_wr_str(&l.w, "HTTP/1.1 400 Bad Request\r\n");
			break;
		}
		tell(&l);
		liar_close(&l, rc);
	}
}

static void
refusals(void **state)
{
	static const struct {
		uint16_t reason;
		enum ae_rc rc;
	} naks[] = {
		{ AE_RPC_NAK_NONE, AE_EREMOTE },
		{ AE_RPC_NAK_LIMIT, AE_EUNAVAIL },
		{ AE_RPC_NAK_VERSION, AE_EREMOTE },
		{ AE_RPC_NAK_AUTH_TYPE, AE_EAUTH },
		{ AE_RPC_NAK_CHECKSUM, AE_EAUTH },
		{ 999, AE_EREMOTE },
	};
	struct liar l;
	size_t i, start;

	(void)state;
	for (i = 0; i < sizeof(naks) / sizeof(naks[0]); i++) {
		liar_open(&l, false);
		start = ae_rpc_pdu_begin(&l.w, AE_RPC_BIND_NAK, FL, 1);
		ae_rpc_nak_put(&l.w, (enum ae_rpc_nak)naks[i].reason);
		ae_rpc_pdu_end(&l.w, start, 0);
		tell(&l);
		liar_close(&l, naks[i].rc);
	}
	liar_open(&l, false);
	start = ae_rpc_pdu_begin(&l.w, AE_RPC_FAULT, FL, 1);
	ae_rpc_fault_put(&l.w, 0, AE_RPC_FAULT_ACCESS_DENIED);
	ae_rpc_pdu_end(&l.w, start, 0);
	tell(&l);
	liar_close(&l, AE_EDENIED);
}

static void
cve_2013_4408_bad_responses(void **state)
{
	struct liar l;
	int i;

	(void)state;
	for (i = 0; i < 8; i++) {
		enum ae_rc rc = AE_ETRUST;

		liar_open(&l, true);
		switch (i) {
		case 0: /* in clear, as if nothing had been agreed on */
			put_response(&l, l.call, 100, false);
			break;
		case 1: /* one bit */
			put_response(&l, l.call, 100, true);
			l.w.p[40] ^= 4;
			break;
		case 2: /* sealed, then one fragment in clear */
			put_response(&l, l.call, 5000, true);
			l.w.p[3] = AE_RPC_PFC_FIRST;
			/* the flags were not signed: refused later at the
			 * latest */
			put_response(&l, l.call, 100, false);
			l.w.p[l.w.len - 124 + 3] = AE_RPC_PFC_LAST;
			break;
		case 3: /* a lower level in the trailer */
			put_response(&l, l.call, 8, true);
			l.w.p[24 + 16 + 1] = AE_RPC_LEVEL_CONNECT;
			break;
		case 4: /* another call */
			put_response(&l, l.call + 1, 100, true);
			rc = AE_EPROTO;
			break;
		case 5: /* the second fragment only */
			put_response(&l, l.call, 100, true);
			l.w.p[3] = AE_RPC_PFC_LAST;
			rc = AE_EPROTO;
			break;
		case 6: /* more than we take */
			put_response(&l, l.call, 65537, true);
			rc = AE_ELIMIT;
			break;
		default: /* a request, from a server */
			ae_rpc_pdu_end(&l.w,
			    ae_rpc_pdu_begin(&l.w, AE_RPC_REQUEST, FL, l.call),
			    0);
			rc = AE_EPROTO;
			break;
		}
		while (l.w.len > ae_rpc_client_room(l.cl)) {
			size_t n = ae_rpc_client_room(l.cl);

			if (n == 0)
				break;
			ae_rpc_client_feed(l.cl, l.w.p, n, 0);
			memmove(l.w.p, l.w.p + n, l.w.len - n);
			l.w.len -= n;
		}
		if (ae_rpc_client_room(l.cl) >= l.w.len)
			tell(&l);
		liar_close(&l, rc);
	}
}

/* What nobody asked for, and a shutdown, which is only a wish. */
static void
uninvited(void **state)
{
	struct ae_rpc_client_event ev;
	struct liar l;

	(void)state;
	liar_open(&l, true);
	ae_rpc_pdu_end(&l.w, ae_rpc_pdu_begin(&l.w, AE_RPC_SHUTDOWN, FL, 0), 0);
	tell(&l);
	assert_false(ae_rpc_client_event(l.cl, &ev));
	put_response(&l, l.call, 5, true);
	tell(&l);
	assert_true(ae_rpc_client_event(l.cl, &ev));
	assert_int_equal(ev.type, AE_RPC_CLIENT_REPLY);
	/* A second answer to the same call. */
	put_response(&l, l.call, 5, true);
	tell(&l);
	liar_close(&l, AE_EPROTO);

	liar_open(&l, true);
	ae_rpc_client_eof(l.cl, 0);
	liar_close(&l, AE_EUNAVAIL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(damaged_requests),
		cmocka_unit_test(cve_2015_5370_damaged_responses),
		cmocka_unit_test(bad_acks),
		cmocka_unit_test(refusals),
		cmocka_unit_test(cve_2013_4408_bad_responses),
		cmocka_unit_test(uninvited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
