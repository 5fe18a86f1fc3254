/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Requests in fragments, right and wrong: order, call ids, security context
 * of each, limits, cancels.  What Samba's suite tests with NETLOGON and NTLM
 * is here with a toy provider.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake.h"
#include "raw.h"

#define UNDONE AE_RPC_PFC_DID_NOT_EXECUTE
#define FIRST AE_RPC_PFC_FIRST
#define LAST AE_RPC_PFC_LAST

static void
send(struct raw *r, uint8_t flags, uint32_t call_id, const char *stub)
{
	raw_send_request(r,
	    &(struct raw_request){ .flags = flags,
		.call_id = call_id,
		.stub = stub,
		.len = strlen(stub) });
}

static void
expect_echo(struct raw *r, uint32_t call_id, const char *text)
{
	struct ae_rpc_response resp;

	raw_expect(r, AE_RPC_RESPONSE, call_id);
	assert_true(ae_rpc_response_decode(&resp, &r->pdu));
	assert_int_equal(resp.alloc_hint, strlen(text));
	if (r->sec.ops == NULL)
		assert_memory_equal(
		    r->bytes + resp.stub_off, text, strlen(text));
}

static void
in_order(void **state)
{
	struct raw r;

	(void)state;
	raw_open(&r, NULL);
	raw_bound(&r, &echo_iface);
	send(&r, FIRST, 2, "one ");
	raw_expect_nothing(&r);
	send(&r, 0, 2, "two ");
	send(&r, LAST, 2, "three");
	expect_echo(&r, 2, "one two three");
	/* The same call id again, as that call is over. */
	send(&r, FL, 2, "again");
	expect_echo(&r, 2, "again");
	raw_close(&r);
}

static void
without_first(void **state)
{
	static const uint8_t flags[] = { 0, LAST };
	struct raw r;
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		raw_open(&r, NULL);
		raw_bound(&r, &echo_iface);
		send(&r, flags[i], 2, "x");
		raw_expect_fault(&r, 2, 0, AE_RPC_FAULT_PROTO_ERROR, 0, true);
		raw_close(&r);
	}
}

static void
first_twice(void **state)
{
	/* Flags that mean nothing in a request change nothing. */
	static const uint8_t flags[] = { FIRST, FIRST | AE_RPC_PFC_MAYBE,
		FIRST | UNDONE, FIRST | AE_RPC_PFC_CONC_MPX, FIRST | 8 };
	struct raw r;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(flags); i++) {
		raw_open(&r, NULL);
		raw_bound(&r, &echo_iface);
		send(&r, flags[i], 2, "x");
		raw_expect_nothing(&r);
		send(&r, flags[i], 2, "x");
		raw_expect_fault(&r, 2, 0, AE_RPC_FAULT_PROTO_ERROR, 0, true);
		raw_close(&r);
	}
}

static void
two_at_once(void **state)
{
	struct raw r;

	(void)state;
	/* The fault is the older call's … */
	raw_open(&r, NULL);
	raw_bound(&r, &echo_iface);
	send(&r, FIRST, 50, "x");
	send(&r, FIRST, 51, "x");
	raw_expect_fault(&r, 50, 0, AE_RPC_FAULT_PROTO_ERROR, 0, true);
	raw_close(&r);
	/* … and the newer one's on a multiplexed connection. */
	raw_open(&r, NULL);
	raw_send_bind(&r, &(struct raw_bind){ .flags = AE_RPC_PFC_CONC_MPX });
	raw_expect(&r, AE_RPC_BIND_ACK, 0);
	assert_int_equal(r.pdu.hdr.flags, FL | AE_RPC_PFC_CONC_MPX);
	send(&r, FIRST, 50, "x");
	send(&r, FIRST, 51, "x");
	raw_expect_fault(&r, 51, 0, AE_RPC_FAULT_PROTO_ERROR, 0, true);
	raw_close(&r);
	/* A fragment of another call in between. */
	raw_open(&r, NULL);
	raw_bound(&r, &echo_iface);
	send(&r, FIRST, 50, "x");
	send(&r, LAST, 51, "x");
	raw_expect_fault(&r, 50, 0, AE_RPC_FAULT_PROTO_ERROR, 0, true);
	raw_close(&r);
}

/* MS-RPCE 3.3.3.5.2 and 3.3.3.5.6. */
static void
call_ids(void **state)
{
	struct raw r;

	(void)state;
	raw_open(&r, NULL);
	raw_bound(&r, &echo_iface);
	send(&r, FL, 200, "x");
	expect_echo(&r, 200, "x");
	/* Stragglers of older calls are ignored, up to a distance. */
	send(&r, 0, 199, "x");
	send(&r, LAST, 51, "x");
	raw_expect_nothing(&r);
	send(&r, LAST, 50, "x");
	raw_expect_fault(&r, 50, 0, AE_RPC_FAULT_PROTO_ERROR, 0, true);
	raw_close(&r);

	raw_open(&r, NULL);
	raw_bound(&r, &echo_iface);
	send(&r, FL, 200, "x");
	expect_echo(&r, 200, "x");
	send(&r, FL, 199, "x");
	raw_expect_fault(&r, 199, 0, AE_RPC_FAULT_PROTO_ERROR, UNDONE, true);
	raw_close(&r);

	/* In use. */
	raw_open(&r, NULL);
	raw_bound(&r, &echo_iface);
	raw_send_request(
	    &r, &(struct raw_request){ .flags = FL, .call_id = 9, .opnum = 2 });
	assert_int_equal(r.x.nheld, 1);
	send(&r, FL, 9, "x");
	raw_expect_fault(&r, 9, 0, AE_RPC_FAULT_PROTO_ERROR, UNDONE, true);
	raw_close(&r);
}

static void
cancels(void **state)
{
	struct raw r;

	(void)state;
	raw_open(&r, NULL);
	raw_bound(&r, &echo_iface);
	/* Of what is not there: nothing. */
	raw_send(&r, AE_RPC_CO_CANCEL, 3, NULL, 0);
	raw_send(&r, AE_RPC_ORPHANED, 3, NULL, 0);
	raw_send(&r, AE_RPC_SHUTDOWN, 0, NULL, 0);
	raw_expect_nothing(&r);
	/* Of what is not complete: nothing either. */
	send(&r, FIRST, 4, "a");
	raw_send(&r, AE_RPC_CO_CANCEL, 4, NULL, 0);
	raw_send(&r, AE_RPC_ORPHANED, 4, NULL, 0);
	raw_expect_nothing(&r);
	send(&r, AE_RPC_PFC_PENDING_CANCEL, 4, "b");
	send(&r, LAST | AE_RPC_PFC_PENDING_CANCEL, 4, "c");
	expect_echo(&r, 4, "abc");
	assert_int_equal(r.x.cancels, 0);
	/* A cancel that comes with the beginning makes no sense. */
	send(&r, FIRST | AE_RPC_PFC_PENDING_CANCEL, 5, "a");
	raw_expect_fault(&r, 5, 0, AE_RPC_FAULT_NO_CALL_ACTIVE, UNDONE, true);
	raw_close(&r);
}

static void
cancels_in_flight(void **state)
{
	struct raw_request q = { .flags = FL, .call_id = 4, .opnum = 2 };
	struct raw r;

	(void)state;
	raw_open(&r, NULL);
	raw_bound(&r, &echo_iface);
	raw_send_request(&r, &q);
	raw_send(&r, AE_RPC_CO_CANCEL, 4, NULL, 0);
	raw_send(&r, AE_RPC_CO_CANCEL, 5, NULL, 0);
	assert_int_equal(r.x.cancels, 1);
	ae_rpc_conn_fault(r.x.conn, r.x.held[0], AE_RPC_FAULT_CANCEL, r.x.now);
	raw_expect_fault(&r, 4, 0, AE_RPC_FAULT_CANCEL, 0, false);
	/* Orphaned: the owner hears of it, the client hears nothing. */
	q.call_id = 5;
	raw_send_request(&r, &q);
	raw_send(&r, AE_RPC_ORPHANED, 5, NULL, 0);
	assert_int_equal(r.x.cancels, 2);
	ae_rpc_conn_reply(r.x.conn, r.x.held[1], NULL, 0, r.x.now);
	raw_expect_nothing(&r);
	/* Maybe: no answer is wanted. */
	q.call_id = 6;
	q.opnum = 0;
	q.flags |= AE_RPC_PFC_MAYBE;
	raw_send_request(&r, &q);
	raw_expect_nothing(&r);
	assert_int_equal(r.x.calls, 3);
	/* A handle that was answered, or never was, is ignored. */
	ae_rpc_conn_reply(r.x.conn, r.x.held[1], NULL, 0, r.x.now);
	ae_rpc_conn_fault(r.x.conn, 4711, 5, r.x.now);
	raw_expect_nothing(&r);
	raw_close(&r);
}

static void
orphaned_then_another(void **state)
{
	struct raw r;

	(void)state;
	raw_open(&r, NULL);
	raw_bound(&r, &echo_iface);
	send(&r, FIRST, 1, "x");
	raw_send(&r, AE_RPC_ORPHANED, 1, NULL, 0);
	raw_expect_nothing(&r);
	send(&r, FL, 2, "x");
	raw_expect_fault(&r, 1, 0, AE_RPC_FAULT_PROTO_ERROR, 0, true);
	raw_close(&r);
}

/* ---- limits ---- */

static void
f14_hints(void **state)
{
	struct ae_rpc_limits l = { .max_stub = 10000 };
	struct raw_request q = { .flags = FIRST,
		.call_id = 1,
		.hint = 10000,
		.stub = "x",
		.len = 1 };
	struct raw r;

	(void)state;
	raw_open(&r, &l);
	raw_bound(&r, &echo_iface);
	raw_send_request(&r, &q);
	raw_expect_nothing(&r);
	q.flags = LAST;
	q.hint = 0;
	raw_send_request(&r, &q);
	expect_echo(&r, 1, "xx");
	/* Alone, a fragment says itself how long it is. */
	q.flags = FL;
	q.hint = 0xffffffff;
	raw_send_request(&r, &q);
	expect_echo(&r, 1, "x");
	q.flags = FIRST;
	q.hint = 10001;
	raw_send_request(&r, &q);
	raw_expect_fault(&r, 1, 0, AE_RPC_FAULT_ACCESS_DENIED, 0, true);
	raw_close(&r);
}

static void
f14_too_much(void **state)
{
	struct ae_rpc_limits l = { .max_stub = 10000, .max_fragments = 5 };
	static uint8_t big[5000];
	struct raw_request q = {
		.flags = FIRST, .call_id = 1, .stub = big, .len = sizeof(big)
	};
	struct raw r;
	int i;

	(void)state;
	raw_open(&r, &l);
	raw_bound(&r, &echo_iface);
	raw_send_request(&r, &q);
	q.flags = 0;
	raw_send_request(&r, &q);
	raw_expect_nothing(&r);
	q.len = 1;
	raw_send_request(&r, &q);
	raw_expect_fault(&r, 1, 0, AE_RPC_FAULT_ACCESS_DENIED, 0, true);
	raw_close(&r);

	/* A flood of empty fragments. */
	raw_open(&r, &l);
	raw_bound(&r, &echo_iface);
	q.len = 0;
	for (i = 0; i < 5; i++) {
		q.flags = i == 0 ? FIRST : 0;
		raw_send_request(&r, &q);
	}
	raw_expect_nothing(&r);
	raw_send_request(&r, &q);
	raw_expect_fault(&r, 1, 0, AE_RPC_FAULT_ACCESS_DENIED, 0, true);
	raw_close(&r);
}

static void
f14_largest_fragment(void **state)
{
	static uint8_t big[6000];
	struct raw_request q = {
		.flags = FL, .call_id = 1, .stub = big, .len = 5840 - 24
	};
	struct raw r;

	(void)state;
	raw_open(&r, NULL);
	/* Whatever was negotiated. */
	raw_send_bind(&r, &(struct raw_bind){ .xmit = 2048 });
	raw_expect(&r, AE_RPC_BIND_ACK, 0);
	raw_send_request(&r, &q);
	raw_expect(&r, AE_RPC_RESPONSE, 1);
	assert_int_equal(r.pdu.hdr.frag_len, 2048);
	raw_expect(&r, AE_RPC_RESPONSE, 1);
	raw_expect(&r, AE_RPC_RESPONSE, 1);
	raw_expect_nothing(&r);
	q.len++;
	raw_send_request(&r, &q);
	raw_expect_fault(&r, 1, 0, AE_RPC_FAULT_PROTO_ERROR, 0, true);
	raw_close(&r);
}

/* In flight: 64, then the connection waits. */
static void
f14_in_flight(void **state)
{
	struct raw_request q = { .flags = FL, .opnum = 2 };
	struct ae_rpc_limits l = { .max_calls = 8 };
	struct raw r;
	struct ae_wr w;
	size_t took, i;

	(void)state;
	raw_open(&r, &l);
	raw_send_bind(&r, &(struct raw_bind){ .flags = AE_RPC_PFC_CONC_MPX });
	raw_expect(&r, AE_RPC_BIND_ACK, 0);
	ae_wr_init(&w, 65536);
	for (i = 0; i < 12; i++) {
		q.call_id = (uint32_t)i + 1;
		raw_put_request(&r, &w, &q);
	}
	took = end_feed(&r.x, w.p, w.len);
	assert_int_equal(took, w.len); /* one gulp, but … */
	assert_int_equal(r.x.nheld, 8);
	assert_int_equal(ae_rpc_conn_room(r.x.conn), 0);
	/* Out of order is fine: it was negotiated. */
	ae_rpc_conn_reply(r.x.conn, r.x.held[3], NULL, 0, r.x.now);
	raw_expect(&r, AE_RPC_RESPONSE, 4);
	assert_int_equal(r.x.nheld, 9);
	for (i = 0; i < r.x.nheld; i++)
		ae_rpc_conn_reply(r.x.conn, r.x.held[i], NULL, 0, r.x.now);
	end_run(&r.x);
	assert_int_equal(r.x.nheld, 12);
	ae_wr_done(&w);
	raw_close(&r);
}

/* Without multiplexing answers go out in the order of the requests. */
static void
ordered(void **state)
{
	struct raw_request q = { .flags = FL, .opnum = 2 };
	struct raw r;
	size_t i;

	(void)state;
	raw_open(&r, NULL);
	raw_bound(&r, &echo_iface);
	for (i = 0; i < 3; i++) {
		q.call_id = (uint32_t)i + 1;
		raw_send_request(&r, &q);
	}
	assert_int_equal(r.x.nheld, 3);
	ae_rpc_conn_reply(r.x.conn, r.x.held[2], NULL, 0, r.x.now);
	ae_rpc_conn_fault(r.x.conn, r.x.held[1], 0x77, r.x.now);
	raw_expect_nothing(&r);
	ae_rpc_conn_reply(r.x.conn, r.x.held[0], NULL, 0, r.x.now);
	raw_expect(&r, AE_RPC_RESPONSE, 1);
	raw_expect(&r, AE_RPC_FAULT, 2);
	raw_expect(&r, AE_RPC_RESPONSE, 3);
	raw_expect_nothing(&r);
	raw_close(&r);
}

static void
unknown_context(void **state)
{
	struct raw_request q = {
		.flags = FL, .call_id = 1, .ctx = 77, .stub = "x", .len = 1
	};
	struct raw r;

	(void)state;
	raw_open(&r, NULL);
	raw_authed(&r, &echo_iface, AE_RPC_LEVEL_INTEGRITY, 0);
	raw_send_request(&r, &q);
	raw_expect_fault(&r, 1, 0, AE_RPC_FAULT_UNK_IF, UNDONE, false);
	/* In fragments: all verified, so the sequence goes on. */
	q.flags = FIRST;
	q.call_id = 2;
	raw_send_request(&r, &q);
	raw_expect_nothing(&r);
	q.flags = LAST;
	raw_send_request(&r, &q);
	raw_expect_fault(&r, 2, 0, AE_RPC_FAULT_UNK_IF, UNDONE, false);
	send(&r, FL, 3, "x");
	expect_echo(&r, 3, "x");
	raw_close(&r);
}

/* ---- the security context of each fragment ---- */

/* The second of two fragments, spoilt in one way. */
static void
second_fragment(const struct raw_request *lie, enum ae_rpc_level level,
    uint8_t bind_flags, uint32_t status)
{
	struct raw_request q = *lie;
	struct raw r;

	raw_open(&r, NULL);
	raw_authed(&r, &echo_iface, level, bind_flags);
	send(&r, FIRST, 3, "sixteen bytes...");
	raw_expect_nothing(&r);
	q.flags = LAST;
	q.call_id = 3;
	q.stub = "more";
	q.len = 4;
	raw_send_request(&r, &q);
	if (status == 0) {
		expect_echo(&r, 3, "sixteen bytes...more");
	} else {
		raw_expect_fault(&r, 3, 0, status, 0, true);
		assert_int_equal(r.x.calls, 0);
	}
	raw_close(&r);
}

/* CVE-2021-23192: every fragment counts, not only the first. */
static void
cve_2021_23192_replaced_fragments(void **state)
{
	static const enum ae_rpc_level levels[] = { AE_RPC_LEVEL_PKT,
		AE_RPC_LEVEL_INTEGRITY, AE_RPC_LEVEL_PRIVACY };
	static const uint8_t flags[] = { 0, AE_RPC_PFC_HEADER_SIGN };
	size_t i, j;

	(void)state;
	for (i = 0; i < 3; i++)
		for (j = 0; j < 2; j++) {
			second_fragment(&(struct raw_request){ .ctx = 0 },
			    levels[i], flags[j], 0);
			second_fragment(&(struct raw_request){ .spoil = true },
			    levels[i], flags[j], AE_RPC_FAULT_SEC_PKG_ERROR);
			second_fragment(&(struct raw_request){ .plain = true },
			    levels[i], flags[j], AE_RPC_FAULT_PROTO_ERROR);
			second_fragment(&(struct raw_request){ .auth_id = 8 },
			    levels[i], flags[j], AE_RPC_FAULT_SEC_PKG_ERROR);
			second_fragment(
			    &(struct raw_request){
				.auth_type = AE_RPC_AUTH_SPNEGO },
			    levels[i], flags[j], AE_RPC_FAULT_SEC_PKG_ERROR);
			second_fragment(
			    &(struct raw_request){
				.auth_level = AE_RPC_LEVEL_CONNECT },
			    levels[i], flags[j], AE_RPC_FAULT_SEC_PKG_ERROR);
			second_fragment(&(struct raw_request){ .opnum = 1 },
			    levels[i], flags[j], AE_RPC_FAULT_PROTO_ERROR);
			second_fragment(&(struct raw_request){ .ctx = 1 },
			    levels[i], flags[j], AE_RPC_FAULT_PROTO_ERROR);
		}
}

/*
 * Fragment k of n, for every n of 2 to 50: one bit of it changed on its way,
 * and the call never gets to anybody.
 */
static void
cve_2021_23192_fragment_k_of_n(void **state)
{
	struct raw_request q;
	size_t n, k, i;
	struct raw r;

	(void)state;
	for (n = 2; n <= 50; n++)
		for (k = 0; k < n; k++) {
			raw_open(&r, NULL);
			raw_authed(&r, &echo_iface, AE_RPC_LEVEL_PRIVACY,
			    AE_RPC_PFC_HEADER_SIGN);
			for (i = 0; i <= k; i++) {
				q = (struct raw_request){ .call_id = 3,
					.stub = "sixteen bytes...",
					.len = 16,
					.spoil = i == k };
				q.flags = (uint8_t)((i == 0 ? FIRST : 0) |
				    (i == n - 1 ? LAST : 0));
				raw_send_request(&r, &q);
				if (i < k)
					raw_expect_nothing(&r);
			}
			raw_expect_fault(
			    &r, 3, 0, AE_RPC_FAULT_SEC_PKG_ERROR, 0, true);
			assert_int_equal(r.x.calls, 0);
			raw_close(&r);
		}
}

/* What a first, or only, fragment may not claim. */
static void
cve_2021_23192_first_fragment(void **state)
{
	static const struct {
		struct raw_request lie;
		uint32_t status;
	} rows[] = {
		{ { .spoil = true }, AE_RPC_FAULT_SEC_PKG_ERROR },
		{ { .auth_id = 8 }, AE_RPC_FAULT_ACCESS_DENIED },
		{ { .auth_type = AE_RPC_AUTH_SPNEGO },
		    AE_RPC_FAULT_ACCESS_DENIED },
		{ { .auth_type = 10 }, AE_RPC_FAULT_ACCESS_DENIED },
		{ { .auth_level = AE_RPC_LEVEL_CONNECT },
		    AE_RPC_FAULT_ACCESS_DENIED },
		{ { .auth_level = AE_RPC_LEVEL_PRIVACY },
		    AE_RPC_FAULT_ACCESS_DENIED },
		{ { .auth_level = 111 }, AE_RPC_FAULT_ACCESS_DENIED },
	};
	struct raw_request q;
	struct raw r;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		raw_open(&r, NULL);
		raw_authed(&r, &echo_iface, AE_RPC_LEVEL_INTEGRITY, 0);
		q = rows[i].lie;
		q.flags = FL;
		q.call_id = 3;
		q.stub = "hello";
		q.len = 5;
		raw_send_request(&r, &q);
		raw_expect_fault(&r, 3, 0, rows[i].status, 0, true);
		assert_int_equal(r.x.calls, 0);
		raw_close(&r);
	}
}

/* A trailer on a connection that has no security context at all. */
static void
no_context(void **state)
{
	struct raw r;

	(void)state;
	raw_open(&r, NULL);
	raw_bound(&r, &echo_iface);
	r.sec = fake_initiator(1);
	r.level = AE_RPC_LEVEL_CONNECT;
	send(&r, FL, 3, "x");
	raw_expect_fault(&r, 3, 0, AE_RPC_FAULT_ACCESS_DENIED, 0, true);
	raw_close(&r);
}

/* Replayed and left-out PDUs: the provider's sequence decides. */
static void
replay(void **state)
{
	struct raw_request q = {
		.flags = FL, .call_id = 3, .stub = "x", .len = 1
	};
	struct raw r;
	struct ae_wr w;

	(void)state;
	raw_open(&r, NULL);
	raw_authed(&r, &echo_iface, AE_RPC_LEVEL_PRIVACY, 0);
	ae_wr_init(&w, 4096);
	raw_put_request(&r, &w, &q);
	assert_int_equal(end_feed(&r.x, w.p, w.len), w.len);
	raw_expect(&r, AE_RPC_RESPONSE, 3);
	assert_int_equal(end_feed(&r.x, w.p, w.len), w.len);
	raw_expect_fault(&r, 3, 0, AE_RPC_FAULT_SEC_PKG_ERROR, 0, true);
	ae_wr_done(&w);
	raw_close(&r);

	raw_open(&r, NULL);
	raw_authed(&r, &echo_iface, AE_RPC_LEVEL_PRIVACY, 0);
	ae_wr_init(&w, 4096);
	raw_put_request(&r, &w, &q); /* is lost */
	ae_wr_done(&w);
	raw_send_request(&r, &q);
	raw_expect_fault(&r, 3, 0, AE_RPC_FAULT_SEC_PKG_ERROR, 0, true);
	raw_close(&r);
}

/* Big endian PDUs are understood; the answer is little endian. */
static void
big_endian(void **state)
{
	static const uint8_t bind[] = { 5, 0, 11, 3, 0, 0, 0, 0, 0, 72, 0, 0, 0,
		0, 0, 9, 0x16, 0xd0, 0x16, 0xd0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 5,
		1, 0,
		/* echo, 1.0 */
		0, 0, 0xec, 0x40, 0, 1, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0,
		1,
		/* NDR20 */
		0x8a, 0x88, 0x5d, 0x04, 0x1c, 0xeb, 0x11, 0xc9, 0x9f, 0xe8,
		0x08, 0x00, 0x2b, 0x10, 0x48, 0x60, 0, 0, 0, 2 };
	static const uint8_t request[] = { 5, 0, 0, 3, 0, 0, 0, 0, 0, 28, 0, 0,
		0, 0, 0, 10, 0, 0, 0, 4, 0, 5, 0, 0, 0xab, 0xcd, 0xef, 0x01 };
	static const uint8_t last[] = { 5, 0, 0, 2, 0, 0, 0, 0, 0, 28, 0, 0, 0,
		0, 0, 10, 0, 0, 0, 4, 0, 5, 0, 0, 0xab, 0xcd, 0xef, 0x01 };
	struct raw r;

	(void)state;
	raw_open(&r, NULL);
	assert_int_equal(end_feed(&r.x, bind, sizeof(bind)), sizeof(bind));
	raw_expect(&r, AE_RPC_BIND_ACK, 9);
	assert_int_equal(raw_result(&r).result, AE_RPC_ACCEPTANCE);
	assert_false(r.pdu.hdr.big);
	assert_int_equal(
	    end_feed(&r.x, request, sizeof(request)), sizeof(request));
	raw_expect(&r, AE_RPC_RESPONSE, 10);
	assert_true(r.x.last.big_endian);
	assert_memory_equal(r.bytes + 24, request + 24, 4);
	/* But not in the middle of a call. */
	raw_send_request(&r,
	    &(struct raw_request){ .flags = FIRST, .call_id = 10, .ctx = 5 });
	assert_int_equal(end_feed(&r.x, last, sizeof(last)), sizeof(last));
	raw_expect_fault(&r, 10, 5, AE_RPC_FAULT_PROTO_ERROR, 0, true);
	raw_close(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_order),
		cmocka_unit_test(without_first),
		cmocka_unit_test(first_twice),
		cmocka_unit_test(two_at_once),
		cmocka_unit_test(call_ids),
		cmocka_unit_test(cancels),
		cmocka_unit_test(cancels_in_flight),
		cmocka_unit_test(orphaned_then_another),
		cmocka_unit_test(f14_hints),
		cmocka_unit_test(f14_too_much),
		cmocka_unit_test(f14_largest_fragment),
		cmocka_unit_test(f14_in_flight),
		cmocka_unit_test(ordered),
		cmocka_unit_test(unknown_context),
		cmocka_unit_test(cve_2021_23192_replaced_fragments),
		cmocka_unit_test(cve_2021_23192_fragment_k_of_n),
		cmocka_unit_test(cve_2021_23192_first_fragment),
		cmocka_unit_test(no_context),
		cmocka_unit_test(replay),
		cmocka_unit_test(big_endian),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
