/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Authentication of an association: types and levels, several contexts, the
 * acceptor's legs; what is too long or too slow.
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

static const struct ae_rpc_syntax unknown = { .uuid = { .d1 = 0xdead },
	.major = 1 };

#define UNDONE AE_RPC_PFC_DID_NOT_EXECUTE

static void
auth_type_refused(void **state)
{
	static const struct {
		uint8_t type, level;
		uint16_t reason;
	} rows[] = {
		{ 0, 1, AE_RPC_NAK_NONE },
		{ 0, 2, AE_RPC_NAK_AUTH_TYPE },
		{ 0, 6, AE_RPC_NAK_AUTH_TYPE },
		{ 0, 0, AE_RPC_NAK_NONE },
		{ 0, 255, AE_RPC_NAK_NONE },
		{ 10, 5, AE_RPC_NAK_AUTH_TYPE }, /* NTLM */
		{ 14, 6, AE_RPC_NAK_AUTH_TYPE }, /* Schannel */
		{ 68, 6, AE_RPC_NAK_AUTH_TYPE }, /* Netlogon */
		{ 255, 6, AE_RPC_NAK_AUTH_TYPE },
		{ 9, 1, AE_RPC_NAK_NONE },
		{ 9, 7, AE_RPC_NAK_NONE },
		{ 9, 3, AE_RPC_NAK_CHECKSUM },
		{ 16, 3, AE_RPC_NAK_CHECKSUM },
	};
	struct raw r;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		raw_open(&r, NULL);
		raw_send_bind(&r,
		    &(struct raw_bind){ .auth_type = rows[i].type,
			.auth_level = rows[i].level,
			.token = "hello1" });
		raw_expect_nak(&r, 0, rows[i].reason);
		assert_int_equal(r.x.gone, 0);
		raw_close(&r);
	}
}

/* A second leg that does not continue the first. */
static void
cve_2015_5370_wrong_second_leg(void **state)
{
	static const struct {
		struct raw_bind b;
		uint32_t status;
	} rows[] = {
		{ { .auth_type = 16,
		      .auth_level = 5,
		      .auth_id = 7,
		      .token = "first" },
		    AE_RPC_FAULT_SEC_PKG_ERROR },
		{ { .auth_type = 9,
		      .auth_level = 5,
		      .auth_id = 7,
		      .token = "last!" },
		    AE_RPC_FAULT_SEC_PKG_ERROR },
		{ { .auth_type = 16,
		      .auth_level = 6,
		      .auth_id = 7,
		      .token = "last!" },
		    AE_RPC_FAULT_ACCESS_DENIED },
		{ { .auth_type = 16,
		      .auth_level = 2,
		      .auth_id = 7,
		      .token = "last!" },
		    AE_RPC_FAULT_ACCESS_DENIED },
		{ { .auth_type = 16,
		      .auth_level = 5,
		      .auth_id = 8,
		      .token = "last!" },
		    AE_RPC_FAULT_PROTO_ERROR },
		{ { .auth_type = 0,
		      .auth_level = 5,
		      .auth_id = 7,
		      .token = "last!" },
		    AE_RPC_FAULT_ACCESS_DENIED },
		{ { .auth_type = 10,
		      .auth_level = 5,
		      .auth_id = 8,
		      .token = "last!" },
		    AE_RPC_FAULT_SEC_PKG_ERROR },
		/* the presentation context is looked at first */
		{ { .auth_type = 9,
		      .auth_level = 5,
		      .auth_id = 7,
		      .iface = &unknown,
		      .token = "last!" },
		    AE_RPC_FAULT_PROTO_ERROR },
	};
	struct raw_bind b;
	struct raw r;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		raw_open(&r, NULL);
		raw_send_bind(&r,
		    &(struct raw_bind){ .auth_type = 16,
			.auth_level = 5,
			.auth_id = 7,
			.token = "hello1" });
		raw_expect(&r, AE_RPC_BIND_ACK, 0);
		b = rows[i].b;
		b.ptype = AE_RPC_ALTER;
		raw_send_bind(&r, &b);
		raw_expect_fault(&r, 0, 0, rows[i].status, UNDONE, true);
		assert_int_equal(r.x.gone, 1);
		raw_close(&r);
	}
}

static void
cve_2015_5370_before_it_is_done(void **state)
{
	struct raw r;

	(void)state;
	raw_open(&r, NULL);
	raw_send_bind(&r,
	    &(struct raw_bind){ .auth_type = 16,
		.auth_level = 5,
		.auth_id = 7,
		.token = "hello1" });
	raw_expect(&r, AE_RPC_BIND_ACK, 0);
	raw_send_request(
	    &r, &(struct raw_request){ .flags = FL, .call_id = 1 });
	raw_expect_fault(&r, 1, 0, AE_RPC_FAULT_PROTO_ERROR, UNDONE, true);
	raw_close(&r);
}

/* After it stands: no more legs, in no form. */
static void
cve_2015_5370_after_it_is_done(void **state)
{
	struct raw_bind b = { .ptype = AE_RPC_ALTER,
		.auth_type = 16,
		.auth_level = 5,
		.auth_id = 7,
		.token = "hello1" };
	uint8_t auth3[4 + 8 + 6] = { 0, 0, 0, 0, 16, 5, 0, 0, 7, 0, 0, 0 };
	struct raw r;

	(void)state;
	raw_open(&r, NULL);
	raw_authed(&r, &echo_iface, AE_RPC_LEVEL_INTEGRITY, 0);
	raw_send_bind(&r, &b);
	raw_expect_fault(&r, 0, 0, AE_RPC_FAULT_ACCESS_DENIED, UNDONE, true);
	raw_close(&r);

	raw_open(&r, NULL);
	raw_authed(&r, &echo_iface, AE_RPC_LEVEL_INTEGRITY, 0);
	raw_send(&r, AE_RPC_AUTH3, 2, auth3, sizeof(auth3));
	raw_expect_fault(&r, 2, 0, AE_RPC_FAULT_PROTO_ERROR, UNDONE, true);
	raw_close(&r);
}

static void
send_auth3(struct raw *r, const char *token, uint8_t flags)
{
	struct ae_wr w;
	size_t start;

	ae_wr_init(&w, 4096);
	start = ae_rpc_pdu_begin(&w, AE_RPC_AUTH3, FL | flags, 1);
	ae_wr_zeros(&w, 4);
	ae_rpc_trailer_put(
	    &w, &(struct ae_rpc_trailer){ .type = 16, .level = 5, .id = 7 });
	ae_wr_str(&w, token);
	ae_rpc_pdu_end(&w, start, strlen(token));
	(void)end_feed(&r->x, w.p, w.len);
	ae_wr_done(&w);
}

static void
auth3(void **state)
{
	struct raw_bind b = { .auth_type = 16,
		.auth_level = 5,
		.auth_id = 7,
		.token = "hello1" };
	struct raw r;

	(void)state;
	/* The last leg may come so; header signing is not offered there. */
	raw_open(&r, NULL);
	raw_send_bind(&r, &b);
	raw_expect(&r, AE_RPC_BIND_ACK, 0);
	send_auth3(&r, "last!", AE_RPC_PFC_HEADER_SIGN);
	raw_expect_nothing(&r);
	r.sec = fake_initiator('1');
	r.level = AE_RPC_LEVEL_INTEGRITY;
	raw_send_request(
	    &r, &(struct raw_request){ .flags = FL, .call_id = 2 });
	raw_expect(&r, AE_RPC_RESPONSE, 2);
	assert_int_equal(r.x.last.name, 1000 + '1');
	raw_close(&r);

	/* Failed: nobody is told before the first request. */
	raw_open(&r, NULL);
	raw_send_bind(&r, &b);
	raw_expect(&r, AE_RPC_BIND_ACK, 0);
	send_auth3(&r, "wrong", 0);
	raw_expect_nothing(&r);
	assert_int_equal(r.x.gone, 1);
	raw_send_request(
	    &r, &(struct raw_request){ .flags = FL, .call_id = 2 });
	raw_expect_fault(&r, 2, 0, AE_RPC_FAULT_ACCESS_DENIED, 0, true);
	assert_int_equal(r.x.gone, 1); /* not told twice */
	raw_close(&r);
}

/* Several security contexts, some negotiated while others are in use. */
static void
several_contexts(void **state)
{
	struct ae_rpc_limits l = { .max_sec_contexts = 2 };
	struct raw_bind b = { .ptype = AE_RPC_ALTER,
		.auth_type = 16,
		.auth_level = 5,
		.auth_id = 9,
		.token = "hello2" };
	struct raw_request q = { .flags = FL, .call_id = 1 };
	struct raw r;
	struct ae_rpc_sec first;

	(void)state;
	raw_open(&r, &l);
	raw_authed(&r, &echo_iface, AE_RPC_LEVEL_INTEGRITY, 0);
	raw_send_bind(&r, &b);
	raw_expect(&r, AE_RPC_ALTER_RESP, 0);
	/* The first one still works in between. */
	raw_send_request(&r, &q);
	raw_expect(&r, AE_RPC_RESPONSE, 1);
	b.token = "last!";
	raw_send_bind(&r, &b);
	raw_expect(&r, AE_RPC_ALTER_RESP, 0);
	first = r.sec;
	r.sec = fake_initiator('2');
	q.auth_id = 9;
	raw_send_request(&r, &q);
	raw_expect(&r, AE_RPC_RESPONSE, 1);
	assert_int_equal(r.x.last.name, 1000 + '2');
	assert_int_equal(r.pdu.trailer.id, 9);
	/* One signed with the other's key. */
	ae_rpc_sec_done(&r.sec);
	r.sec = first;
	raw_send_request(&r, &q);
	raw_expect_fault(&r, 1, 0, AE_RPC_FAULT_SEC_PKG_ERROR, 0, true);
	assert_int_equal(r.x.gone, 2);
	raw_close(&r);

	raw_open(&r, &l); /* one too many */
	raw_authed(&r, &echo_iface, AE_RPC_LEVEL_INTEGRITY, 0);
	b.token = "hello2";
	raw_send_bind(&r, &b);
	raw_expect(&r, AE_RPC_ALTER_RESP, 0);
	b.token = "last!";
	raw_send_bind(&r, &b);
	raw_expect(&r, AE_RPC_ALTER_RESP, 0);
	b.token = "hello3";
	b.auth_id = 10;
	raw_send_bind(&r, &b);
	raw_expect_fault(&r, 0, 0, AE_RPC_FAULT_PROTO_ERROR, UNDONE, true);
	raw_close(&r);
}

/* Header signing that is agreed on later holds for all contexts. */
static void
header_sign_later(void **state)
{
	struct raw_request q = { .flags = FL, .call_id = 1 };
	struct raw r;
	int upgrade;

	(void)state;
	for (upgrade = 0; upgrade < 2; upgrade++) {
		raw_open(&r, NULL);
		raw_authed(&r, &echo_iface, AE_RPC_LEVEL_INTEGRITY, 0);
		raw_send_request(&r, &q);
		raw_expect(&r, AE_RPC_RESPONSE, 1);
		raw_send_bind(&r,
		    &(struct raw_bind){ .ptype = AE_RPC_ALTER,
			.flags = AE_RPC_PFC_HEADER_SIGN });
		raw_expect(&r, AE_RPC_ALTER_RESP, 0);
		assert_int_equal(r.pdu.hdr.flags, FL | AE_RPC_PFC_HEADER_SIGN);
		r.header_sign = upgrade;
		raw_send_request(&r, &q);
		if (upgrade)
			raw_expect(&r, AE_RPC_RESPONSE, 1);
		else
			raw_expect_fault(
			    &r, 1, 0, AE_RPC_FAULT_SEC_PKG_ERROR, 0, true);
		raw_close(&r);
	}
}

/* The acceptor answers when it likes; the connection waits for it. */
static void
slow_acceptor(void **state)
{
	struct ae_rpc_auth_result res = { .status = AE_RPC_AUTH_CONTINUE,
		.token = (const uint8_t *)"reply",
		.token_len = 5 };
	struct raw_bind b = { .auth_type = 16,
		.auth_level = 5,
		.auth_id = 7,
		.token = "hello1" };
	struct raw r;

	(void)state;
	raw_open(&r, NULL);
	r.x.hold_auth = true;
	raw_send_bind(&r, &b);
	raw_expect_nothing(&r);
	assert_true(r.x.auth.first);
	assert_int_equal(r.x.auth.type, AE_RPC_AUTH_KRB5);
	assert_int_equal(ae_rpc_conn_room(r.x.conn), 0);
	ae_rpc_conn_auth_done(r.x.conn, r.x.auth.auth + 1, &res, 1000);
	raw_expect_nothing(&r); /* not the one we wait for */
	ae_rpc_conn_auth_done(r.x.conn, r.x.auth.auth, &res, 1000);
	raw_expect(&r, AE_RPC_BIND_ACK, 0);
	raw_close(&r);

	/* The peer leaves meanwhile: the late verdict is released. */
	raw_open(&r, NULL);
	r.x.hold_auth = true;
	raw_send_bind(&r, &b);
	ae_rpc_conn_eof(r.x.conn, 1000);
	res.status = AE_RPC_AUTH_COMPLETE;
	res.sec = fake_initiator(1);
	ae_rpc_conn_auth_done(r.x.conn, r.x.auth.auth, &res, 1000);
	assert_null(res.sec.ops);
	raw_expect_end(&r);
	assert_int_equal(r.x.gone, 1);
	raw_close(&r);
}

/* Endless legs. */
static void
too_many_legs(void **state)
{
	struct ae_rpc_auth_result res = { .status = AE_RPC_AUTH_CONTINUE };
	struct ae_rpc_limits l = { .max_auth_legs = 3, .max_token = 100 };
	struct raw_bind b = {
		.auth_type = 9, .auth_level = 6, .auth_id = 7, .token = "hello1"
	};
	char big[102];
	struct raw r;
	int i;

	(void)state;
	raw_open(&r, &l);
	r.x.hold_auth = true;
	for (i = 0; i < 3; i++) {
		raw_send_bind(&r, &b);
		assert_true(i == 0 || !r.x.auth.first);
		ae_rpc_conn_auth_done(r.x.conn, r.x.auth.auth, &res, 1000);
		raw_expect(&r, i == 0 ? AE_RPC_BIND_ACK : AE_RPC_ALTER_RESP, 0);
		b.ptype = AE_RPC_ALTER;
	}
	raw_send_bind(&r, &b);
	raw_expect_fault(&r, 0, 0, AE_RPC_FAULT_PROTO_ERROR, UNDONE, true);
	raw_close(&r);

	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	b.ptype = AE_RPC_BIND;
	b.token = big;
	raw_open(&r, &l);
	raw_send_bind(&r, &b);
	raw_expect_nak(&r, 0, AE_RPC_NAK_CHECKSUM);
	raw_close(&r);
}

/* Tickets with many groups make long binds: up to 64 KiB, not only 5840. */
static void
long_bind(void **state)
{
	struct ae_rpc_limits l = { .max_token = 60000 };
	char *token = malloc(40001);
	struct raw r;

	(void)state;
	assert_non_null(token);
	memset(token, 'x', 40000);
	token[40000] = '\0';
	raw_open(&r, &l);
	r.x.hold_auth = true;
	raw_send_bind(&r,
	    &(struct raw_bind){
		.auth_type = 9, .auth_level = 6, .token = token });
	assert_int_equal(r.x.auth.token_len, 40000);
	free(token);
	raw_close(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(auth_type_refused),
		cmocka_unit_test(cve_2015_5370_wrong_second_leg),
		cmocka_unit_test(cve_2015_5370_before_it_is_done),
		cmocka_unit_test(cve_2015_5370_after_it_is_done),
		cmocka_unit_test(auth3),
		cmocka_unit_test(several_contexts),
		cmocka_unit_test(header_sign_later),
		cmocka_unit_test(slow_acceptor),
		cmocka_unit_test(too_many_legs),
		cmocka_unit_test(long_bind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
