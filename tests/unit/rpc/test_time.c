/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Deadlines of a server's connection, its orderly end, and memory that runs
 * out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "raw.h"

static const struct ae_rpc_limits limits = {
	.bind_ms = 100,
	.partial_ms = 200,
	.idle_ms = 1000,
	.close_ms = 50,
};

/* At that time, and not a moment before. */
static void
ends_at(struct raw *r, uint64_t at, const char *why)
{
	assert_int_equal(ae_rpc_conn_deadline(r->x.conn), at);
	ae_rpc_conn_tick(r->x.conn, at - 1);
	end_run(&r->x);
	assert_false(r->x.closed);
	ae_rpc_conn_tick(r->x.conn, at);
	end_run(&r->x);
	assert_true(r->x.closed);
	assert_int_equal(r->x.why.rc, AE_ETIMEDOUT);
	assert_non_null(strstr(r->x.why.text, why));
	assert_true(ae_rpc_conn_finished(r->x.conn));
}

static void
silent(void **state)
{
	struct raw r;

	(void)state;
	raw_open(&r, &limits); /* from the start */
	ends_at(&r, 1100, "no bind");
	raw_close(&r);

	raw_open(&r, &limits); /* after the bind */
	r.x.now = 1050;
	raw_bound(&r, &echo_iface);
	ends_at(&r, 2050, "idleness");
	raw_close(&r);

	raw_open(&r, &limits); /* between the legs of a second context */
	r.x.now = 1050;
	raw_bound(&r, &echo_iface);
	r.x.now = 1500;
	raw_send_bind(&r,
	    &(struct raw_bind){ .ptype = AE_RPC_ALTER,
		.auth_type = 16,
		.auth_level = 6,
		.token = "hello1" });
	raw_expect(&r, AE_RPC_ALTER_RESP, 0);
	ends_at(&r, 1600, "authentication");
	raw_close(&r);
}

static void
half_a_pdu(void **state)
{
	struct raw r;

	(void)state;
	raw_open(&r, &limits);
	raw_bound(&r, &echo_iface);
	r.x.now = 1300;
	assert_int_equal(end_feed(&r.x, "\x05", 1), 1);
	r.x.now = 1400; /* more bytes do not buy more time */
	assert_int_equal(end_feed(&r.x, "\x00\x00", 2), 2);
	ends_at(&r, 1500, "PDU");
	raw_close(&r);
}

static void
half_a_request(void **state)
{
	struct raw_request q = { .flags = AE_RPC_PFC_FIRST, .call_id = 1 };
	struct raw r;

	(void)state;
	raw_open(&r, &limits);
	raw_bound(&r, &echo_iface);
	r.x.now = 1300;
	raw_send_request(&r, &q);
	r.x.now = 1400;
	q.flags = 0;
	raw_send_request(&r, &q);
	ends_at(&r, 1500, "request");
	raw_close(&r);
}

static void
f12_takes_nothing(void **state)
{
	struct raw r;
	size_t len;

	(void)state;
	raw_open(&r, &limits);
	raw_bound(&r, &echo_iface);
	r.x.now = 1300;
	raw_send_request(
	    &r, &(struct raw_request){ .flags = FL, .call_id = 1 });
	assert_int_equal(ae_rpc_conn_deadline(r.x.conn), 1500);
	ae_rpc_conn_sent(r.x.conn, 1, 1400); /* a little is progress */
	assert_int_equal(ae_rpc_conn_deadline(r.x.conn), 1600);
	ae_rpc_conn_tick(r.x.conn, 1600);
	end_run(&r.x);
	assert_true(r.x.closed);
	/* What is left still gets its chance, and then no more. */
	assert_false(ae_rpc_conn_finished(r.x.conn));
	assert_non_null(ae_rpc_conn_output(r.x.conn, &len));
	assert_int_equal(ae_rpc_conn_deadline(r.x.conn), 1650);
	ae_rpc_conn_tick(r.x.conn, 1650);
	assert_true(ae_rpc_conn_finished(r.x.conn));
	raw_close(&r);
}

/* A call that takes its time is nobody's fault. */
static void
slow_call(void **state)
{
	struct raw r;

	(void)state;
	raw_open(&r, &limits);
	raw_bound(&r, &echo_iface);
	raw_send_request(
	    &r, &(struct raw_request){ .flags = FL, .call_id = 1, .opnum = 2 });
	assert_true(ae_rpc_conn_deadline(r.x.conn) == UINT64_MAX);
	ae_rpc_conn_reply(r.x.conn, r.x.held[0], NULL, 0, 100000);
	r.x.now = 100000;
	raw_expect(&r, AE_RPC_RESPONSE, 1);
	assert_int_equal(ae_rpc_conn_deadline(r.x.conn), 101000);
	raw_close(&r);
}

static void
shutdowns(void **state)
{
	struct raw r;

	(void)state;
	raw_open(&r, NULL); /* nothing in flight: at once */
	raw_bound(&r, &echo_iface);
	ae_rpc_conn_shutdown(r.x.conn, 1000);
	raw_expect_end(&r);
	assert_int_equal(r.x.why.rc, AE_OK);
	raw_close(&r);

	raw_open(&r, NULL); /* what is in flight is answered first */
	raw_bound(&r, &echo_iface);
	raw_send_request(
	    &r, &(struct raw_request){ .flags = FL, .call_id = 1, .opnum = 2 });
	ae_rpc_conn_shutdown(r.x.conn, 1000);
	raw_expect_nothing(&r);
	raw_send_request(
	    &r, &(struct raw_request){ .flags = FL, .call_id = 2 });
	ae_rpc_conn_reply(r.x.conn, r.x.held[0], NULL, 0, 1000);
	raw_expect(&r, AE_RPC_RESPONSE, 1);
	raw_expect_fault(&r, 2, 0, AE_RPC_FAULT_SERVER_TOO_BUSY,
	    AE_RPC_PFC_DID_NOT_EXECUTE, true);
	raw_close(&r);
}

static void
f12_peers_that_leave(void **state)
{
	struct raw r;

	(void)state;
	raw_open(&r, NULL);
	raw_bound(&r, &echo_iface);
	ae_rpc_conn_eof(r.x.conn, 1000);
	raw_expect_end(&r);
	assert_int_equal(r.x.why.rc, AE_OK);
	raw_close(&r);

	raw_open(&r, NULL);
	raw_bound(&r, &echo_iface);
	(void)end_feed(&r.x, "\x05", 1);
	ae_rpc_conn_eof(r.x.conn, 1000);
	raw_expect_end(&r);
	assert_int_equal(r.x.why.rc, AE_EPROTO);
	/* What still comes is swallowed. */
	assert_true(ae_rpc_conn_room(r.x.conn) > 0);
	(void)end_feed(&r.x, "junk", 4);
	raw_expect_end(&r);
	raw_close(&r);

	/* Contexts are told to be gone, calls are void. */
	raw_open(&r, NULL);
	raw_authed(&r, &echo_iface, AE_RPC_LEVEL_PRIVACY, 0);
	raw_send_request(
	    &r, &(struct raw_request){ .flags = FL, .call_id = 1, .opnum = 2 });
	ae_rpc_conn_eof(r.x.conn, 1000);
	raw_expect_end(&r);
	assert_int_equal(r.x.gone, 1);
	ae_rpc_conn_reply(r.x.conn, r.x.held[0], NULL, 0, 1000);
	raw_expect_end(&r);
	raw_close(&r);
}

/* A peer that asks and does not read is not read either. */
static void
backpressure(void **state)
{
	struct ae_rpc_limits l = { .max_reply = 20000 };
	struct raw_request q = {
		.flags = FL, .opnum = 3, .stub = "\x00\x40\0", .len = 4
	}; /* 16384 bytes, please */
	struct raw r;
	struct ae_wr w;
	size_t took, len, i;

	(void)state;
	raw_open(&r, &l);
	raw_bound(&r, &echo_iface);
	ae_wr_init(&w, 65536);
	for (i = 0; i < 1000; i++) {
		q.call_id = (uint32_t)i + 1;
		raw_put_request(&r, &w, &q);
	}
	took = end_feed(&r.x, w.p, w.len);
	assert_true(took <= w.len);
	assert_int_equal(r.x.calls, 2);
	assert_non_null(ae_rpc_conn_output(r.x.conn, &len));
	assert_true(len < 3 * 20000);
	assert_int_equal(ae_rpc_conn_room(r.x.conn), 0);
	/* It reads: on we go, to the last of those that are here. */
	for (i = 1; i <= 64; i++) {
		raw_expect(&r, AE_RPC_RESPONSE, (uint32_t)i);
		while (!(r.pdu.hdr.flags & AE_RPC_PFC_LAST))
			raw_expect(&r, AE_RPC_RESPONSE, (uint32_t)i);
	}
	assert_true(r.x.calls > 64);
	ae_wr_done(&w);
	raw_close(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(silent),
		cmocka_unit_test(half_a_pdu),
		cmocka_unit_test(half_a_request),
		cmocka_unit_test(f12_takes_nothing),
		cmocka_unit_test(slow_call),
		cmocka_unit_test(shutdowns),
		cmocka_unit_test(f12_peers_that_leave),
		cmocka_unit_test(backpressure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
