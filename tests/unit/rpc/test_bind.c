/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * bind, alter_context and auth3: what is negotiated, what is refused and how.
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

static const struct ae_rpc_syntax unknown = { .uuid = { .d1 = 0xdead },
	.major = 1 };
static const struct ae_rpc_syntax features = {
	.uuid = { 0x6cb71c2c, 0x9812, 0x4540, { 0xff } },
	.major = 1,
};

static void
answers(void **state)
{
	struct ae_rpc_ack_result res;
	struct ae_rpc_ack a;
	struct raw r;

	(void)state;
	raw_open(&r, NULL);
	raw_send_bind(&r, &(struct raw_bind){ .call_id = 3, .ctx = 500 });
	raw_expect(&r, AE_RPC_BIND_ACK, 3);
	assert_int_equal(r.pdu.hdr.flags, FL);
	assert_true(ae_rpc_ack_decode(&a, &r.pdu));
	assert_int_equal(a.max_xmit, 5840);
	assert_int_equal(a.max_recv, 5840);
	assert_true(a.group != 0);
	assert_memory_equal(r.bytes + 24,
	    "\x04\x00"
	    "135",
	    6);
	res = raw_result(&r);
	assert_true(ae_rpc_syntax_equal(&res.transfer, &ae_rpc_ndr20));
	/* Asked again as it stands: accepted again, no address. */
	raw_send_bind(
	    &r, &(struct raw_bind){ .ptype = AE_RPC_ALTER, .ctx = 500 });
	raw_expect(&r, AE_RPC_ALTER_RESP, 0);
	assert_int_equal(r.bytes[24], 0);
	assert_int_equal(raw_result(&r).result, AE_RPC_ACCEPTANCE);
	raw_close(&r);
}

static void
sizes(void **state)
{
	static const struct {
		uint16_t xmit, recv, both;
	} rows[] = {
		{ 0xffff, 0xffff, 5840 },
		{ 3199, 0xffff, 3192 },
		{ 0xffff, 3199, 3192 },
		{ 1, 0xffff, 2048 },
		{ 3199, 1, 2048 },
		{ 5840, 4280, 4280 },
	};
	struct ae_rpc_ack a;
	struct raw r;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		raw_open(&r, NULL);
		raw_send_bind(&r,
		    &(struct raw_bind){
			.xmit = rows[i].xmit, .recv = rows[i].recv });
		raw_expect(&r, AE_RPC_BIND_ACK, 0);
		assert_true(ae_rpc_ack_decode(&a, &r.pdu));
		assert_int_equal(a.max_xmit, rows[i].both);
		assert_int_equal(a.max_recv, rows[i].both);
		/* An alter_context changes nothing about it. */
		raw_send_bind(
		    &r, &(struct raw_bind){ .ptype = AE_RPC_ALTER, .xmit = 9 });
		raw_expect(&r, AE_RPC_ALTER_RESP, 0);
		assert_true(ae_rpc_ack_decode(&a, &r.pdu));
		assert_int_equal(a.max_xmit, rows[i].both);
		raw_close(&r);
	}
}

static void
rejections(void **state)
{
	struct ae_rpc_ack_result res;
	struct raw r;

	(void)state;
	raw_open(&r, NULL);
	raw_send_bind(&r, &(struct raw_bind){ .iface = &unknown });
	raw_expect(&r, AE_RPC_BIND_ACK, 0);
	res = raw_result(&r);
	assert_int_equal(res.result, AE_RPC_PROVIDER_REJECTION);
	assert_int_equal(res.reason, AE_RPC_REASON_ABSTRACT);
	/* NDR64 alone: politely. */
	raw_send_bind(&r,
	    &(struct raw_bind){
		.ptype = AE_RPC_ALTER, .ctx = 2, .transfer = &ae_rpc_ndr64 });
	raw_expect(&r, AE_RPC_ALTER_RESP, 0);
	res = raw_result(&r);
	assert_int_equal(res.result, AE_RPC_PROVIDER_REJECTION);
	assert_int_equal(res.reason, AE_RPC_REASON_TRANSFER);
	/* Nothing of it is there. */
	raw_send_request(
	    &r, &(struct raw_request){ .flags = FL, .call_id = 1, .ctx = 2 });
	raw_expect_fault(&r, 1, 0, AE_RPC_FAULT_UNK_IF, UNDONE, false);
	raw_close(&r);
}

/* A context that stands may not be turned into another one. */
static void
cve_2015_5370_changed_contexts(void **state)
{
	static const struct raw_bind rows[] = {
		{ .ptype = AE_RPC_ALTER, .iface = &unknown },
		{ .ptype = AE_RPC_ALTER, .transfer = &ae_rpc_ndr64 },
	};
	struct raw r;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		raw_open(&r, NULL);
		raw_bound(&r, &echo_iface);
		raw_send_bind(&r, &rows[i]);
		raw_expect_fault(
		    &r, 0, 0, AE_RPC_FAULT_PROTO_ERROR, UNDONE, true);
		raw_close(&r);
	}
}

static void
cve_2015_5370_out_of_place(void **state)
{
	static const uint8_t auth3[4] = { 0 };
	struct raw r;

	(void)state;
	raw_open(&r, NULL); /* twice */
	raw_bound(&r, &echo_iface);
	raw_send_bind(&r, &(struct raw_bind){ .call_id = 1 });
	raw_expect_nak(&r, 1, AE_RPC_NAK_NONE);
	raw_close(&r);

	raw_open(&r, NULL);
	raw_send_bind(&r, &(struct raw_bind){ .ptype = AE_RPC_ALTER });
	raw_expect_fault(&r, 0, 0, AE_RPC_FAULT_PROTO_ERROR, UNDONE, true);
	raw_close(&r);

	raw_open(&r, NULL);
	raw_send_request(&r, &(struct raw_request){ .flags = FL });
	raw_expect_fault(&r, 0, 0, AE_RPC_FAULT_PROTO_ERROR, UNDONE, true);
	raw_close(&r);

	raw_open(&r, NULL);
	raw_bound(&r, &echo_iface);
	raw_send(&r, AE_RPC_AUTH3, 1, auth3, 4);
	raw_expect_fault(&r, 1, 0, AE_RPC_FAULT_PROTO_ERROR, UNDONE, true);
	raw_close(&r);

	raw_open(&r, NULL);
	raw_bound(&r, &echo_iface);
	raw_send(&r, AE_RPC_RESPONSE, 1, auth3, 4);
	raw_expect_fault(&r, 1, 0, AE_RPC_FAULT_PROTO_ERROR, UNDONE, true);
	raw_close(&r);

	raw_open(&r, NULL); /* a connectionless PDU */
	raw_send(&r, (enum ae_rpc_ptype)1, 1, NULL, 0);
	raw_expect_fault(&r, 1, 0, AE_RPC_FAULT_PROTO_ERROR, UNDONE, true);
	raw_close(&r);
}

/* An element list of its own, built with bytes. */
static void
send_elements(struct raw *r, enum ae_rpc_ptype ptype, uint8_t n,
    const struct ae_rpc_syntax *abstract, const struct ae_rpc_syntax *transfer,
    uint8_t ntransfer)
{
	struct ae_wr w;
	size_t start;
	uint8_t i, j;

	ae_wr_init(&w, 65536);
	start = ae_rpc_pdu_begin(&w, ptype, FL, 0);
	ae_wr_u16(&w, 5840);
	ae_wr_u16(&w, 5840);
	ae_wr_u32(&w, 0);
	ae_wr_u8(&w, n);
	if (n > 0)
		ae_wr_zeros(&w, 3);
	for (i = 0; i < n; i++) {
		ae_wr_u16(&w, i);
		ae_wr_u8(&w, ntransfer);
		ae_wr_u8(&w, 0);
		ae_rpc_syntax_put(&w, abstract);
		for (j = 0; j < ntransfer; j++)
			ae_rpc_syntax_put(&w, &transfer[j]);
	}
	ae_rpc_pdu_end(&w, start, 0);
	(void)end_feed(&r->x, w.p, w.len);
	ae_wr_done(&w);
}

static void
lists(void **state)
{
	struct ae_rpc_syntax both[2] = { ae_rpc_ndr64, ae_rpc_ndr20 };
	struct ae_rpc_ack_result res;
	struct ae_rpc_ack a;
	struct raw r;

	(void)state;
	raw_open(&r, NULL); /* empty */
	send_elements(&r, AE_RPC_BIND, 0, NULL, NULL, 0);
	raw_expect_nak(&r, 0, AE_RPC_NAK_NONE);
	raw_close(&r);

	raw_open(&r, NULL); /* no transfer syntax */
	send_elements(&r, AE_RPC_BIND, 1, &echo_iface.id, NULL, 0);
	raw_expect_nak(&r, 0, AE_RPC_NAK_NONE);
	raw_close(&r);

	raw_open(&r, NULL);
	raw_bound(&r, &echo_iface);
	send_elements(&r, AE_RPC_ALTER, 0, NULL, NULL, 0);
	raw_expect_fault(&r, 0, 0, AE_RPC_FAULT_PROTO_ERROR, UNDONE, true);
	raw_close(&r);

	raw_open(&r, NULL); /* more than we hold */
	send_elements(&r, AE_RPC_BIND, 65, &unknown, &ae_rpc_ndr20, 1);
	raw_expect_nak(&r, 0, AE_RPC_NAK_LIMIT);
	raw_close(&r);

	raw_open(&r, NULL); /* NDR20 among others; one context a PDU */
	send_elements(&r, AE_RPC_BIND, 2, &echo_iface.id, both, 2);
	raw_expect(&r, AE_RPC_BIND_ACK, 0);
	assert_true(ae_rpc_ack_decode(&a, &r.pdu));
	assert_int_equal(a.nresults, 2);
	ae_rpc_ack_next(&a, &res);
	assert_int_equal(res.result, AE_RPC_ACCEPTANCE);
	assert_true(ae_rpc_syntax_equal(&res.transfer, &ae_rpc_ndr20));
	ae_rpc_ack_next(&a, &res);
	assert_int_equal(res.result, AE_RPC_PROVIDER_REJECTION);
	assert_int_equal(res.reason, AE_RPC_REASON_TRANSFER);
	raw_close(&r);
}

static void
many_contexts(void **state)
{
	struct ae_rpc_limits l = { .max_contexts = 3 };
	struct raw r;
	uint16_t i;

	(void)state;
	raw_open(&r, &l);
	raw_bound(&r, &echo_iface);
	for (i = 1; i < 3; i++) {
		raw_send_bind(
		    &r, &(struct raw_bind){ .ptype = AE_RPC_ALTER, .ctx = i });
		raw_expect(&r, AE_RPC_ALTER_RESP, 0);
		assert_int_equal(raw_result(&r).result, AE_RPC_ACCEPTANCE);
	}
	raw_send_bind(
	    &r, &(struct raw_bind){ .ptype = AE_RPC_ALTER, .ctx = 3 });
	raw_expect_fault(&r, 0, 0, AE_RPC_FAULT_PROTO_ERROR, UNDONE, true);
	raw_close(&r);
}

static void
bind_time_features(void **state)
{
	struct ae_rpc_syntax twice[2] = { features, features };
	struct ae_rpc_ack_result res;
	struct raw r;

	(void)state;
	raw_open(&r, NULL);
	raw_send_bind(&r, &(struct raw_bind){ .transfer = &features });
	raw_expect(&r, AE_RPC_BIND_ACK, 0);
	res = raw_result(&r);
	assert_int_equal(res.result, AE_RPC_NEGOTIATE_ACK);
	assert_int_equal(res.reason, 3); /* what we know of 0xff */
	assert_true(ae_guid_is_nil(&res.transfer.uuid));
	/* Too late in an alter_context. */
	raw_send_bind(&r,
	    &(struct raw_bind){ .ptype = AE_RPC_ALTER, .transfer = &features });
	raw_expect(&r, AE_RPC_ALTER_RESP, 0);
	assert_int_equal(raw_result(&r).result, AE_RPC_PROVIDER_REJECTION);
	raw_close(&r);

	raw_open(&r, NULL); /* only the first syntax of an element counts */
	send_elements(&r, AE_RPC_BIND, 1, &echo_iface.id, twice, 2);
	raw_expect(&r, AE_RPC_BIND_ACK, 0);
	assert_int_equal(raw_result(&r).result, AE_RPC_NEGOTIATE_ACK);
	raw_close(&r);

	raw_open(&r, NULL); /* two elements */
	send_elements(&r, AE_RPC_BIND, 2, &echo_iface.id, &features, 1);
	raw_expect_nak(&r, 0, AE_RPC_NAK_NONE);
	raw_close(&r);
}

/* 64-bit Windows: NDR20, NDR64 and the features, side by side. */
static void
windows(void **state)
{
	const struct ae_rpc_syntax *transfer[3] = { &ae_rpc_ndr20,
		&ae_rpc_ndr64, &features };
	static const uint16_t result[3] = { AE_RPC_ACCEPTANCE,
		AE_RPC_PROVIDER_REJECTION, AE_RPC_NEGOTIATE_ACK };
	static const uint16_t reason[3] = { 0, AE_RPC_REASON_TRANSFER, 3 };
	struct ae_rpc_ack_result res;
	struct ae_rpc_ack a;
	struct raw r;
	struct ae_wr w;
	size_t start;
	uint16_t i;

	(void)state;
	ae_wr_init(&w, 4096);
	start = ae_rpc_pdu_begin(&w, AE_RPC_BIND,
	    FL | AE_RPC_PFC_HEADER_SIGN | AE_RPC_PFC_CONC_MPX, 2);
	ae_wr_u16(&w, 5840);
	ae_wr_u16(&w, 5840);
	ae_wr_u32(&w, 0);
	ae_wr_u32(&w, 3);
	for (i = 0; i < 3; i++) {
		ae_wr_u16(&w, i);
		ae_wr_u16(&w, 1);
		ae_rpc_syntax_put(&w, &echo_iface.id);
		ae_rpc_syntax_put(&w, transfer[i]);
	}
	ae_rpc_pdu_end(&w, start, 0);
	raw_open(&r, NULL);
	(void)end_feed(&r.x, w.p, w.len);
	raw_expect(&r, AE_RPC_BIND_ACK, 2);
	assert_int_equal(
	    r.pdu.hdr.flags, FL | AE_RPC_PFC_HEADER_SIGN | AE_RPC_PFC_CONC_MPX);
	assert_true(ae_rpc_ack_decode(&a, &r.pdu));
	assert_int_equal(a.nresults, 3);
	for (i = 0; i < 3; i++) {
		ae_rpc_ack_next(&a, &res);
		assert_int_equal(res.result, result[i]);
		assert_int_equal(res.reason, reason[i]);
	}
	ae_wr_done(&w);
	raw_close(&r);
}

static void
versions(void **state)
{
	uint8_t p[128];
	struct raw r;
	struct ae_wr w;

	(void)state;
	ae_wr_init(&w, 4096);
	raw_put_bind(&w, &(struct raw_bind){ .call_id = 8 });
	memcpy(p, w.p, w.len);
	raw_open(&r, NULL);
	p[1] = 1; /* 5.1 is fine */
	(void)end_feed(&r.x, p, w.len);
	raw_expect(&r, AE_RPC_BIND_ACK, 8);
	raw_close(&r);
	raw_open(&r, NULL);
	p[0] = 4;
	(void)end_feed(&r.x, p, w.len);
	raw_expect_nak(&r, 8, AE_RPC_NAK_VERSION);
	raw_close(&r);
	/* Not even a header of ours: no answer. */
	raw_open(&r, NULL);
	(void)end_feed(&r.x, "GET / HTTP/1.1\r\n\r\n", 18);
	raw_expect_end(&r);
	assert_int_equal(r.x.why.rc, AE_EPROTO);
	raw_close(&r);
	/* EBCDIC, and a PDU that is shorter than its header. */
	raw_open(&r, NULL);
	p[0] = 5;
	p[4] = 0x11;
	(void)end_feed(&r.x, p, w.len);
	raw_expect_end(&r);
	raw_close(&r);
	raw_open(&r, NULL);
	p[4] = 0x10;
	p[8] = 15;
	(void)end_feed(&r.x, p, w.len);
	raw_expect_end(&r);
	raw_close(&r);
	ae_wr_done(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers),
		cmocka_unit_test(sizes),
		cmocka_unit_test(rejections),
		cmocka_unit_test(cve_2015_5370_changed_contexts),
		cmocka_unit_test(cve_2015_5370_out_of_place),
		cmocka_unit_test(lists),
		cmocka_unit_test(many_contexts),
		cmocka_unit_test(bind_time_features),
		cmocka_unit_test(windows),
		cmocka_unit_test(versions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
