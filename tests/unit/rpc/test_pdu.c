/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Codecs by themselves: PDUs, verification trailer, towers, the names of
 * faults; each mutated.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mutate.h"
#include "raw.h"
#include "rpc/tower.h"
#include "rpc/vt.h"

static bool
decode(const uint8_t *p, size_t len, struct ae_rpc_pdu *pdu)
{
	struct ae_rpc_hdr h;

	return len >= AE_RPC_HDR_LEN && ae_rpc_hdr_decode(&h, p) &&
	    h.frag_len == len && ae_rpc_pdu_decode(pdu, &h, p);
}

/* Every body decoder on every PDU: the type does not matter to memory. */
static void
all_decoders(const uint8_t *p, size_t len, void *arg)
{
	struct ae_rpc_ack_result res;
	struct ae_rpc_bind_elem elem;
	struct ae_rpc_response resp;
	struct ae_rpc_request req;
	struct ae_rpc_fault fault;
	struct ae_rpc_bind bind;
	struct ae_rpc_ack ack;
	struct ae_rpc_pdu pdu;
	uint16_t reason;
	unsigned int i;

	(void)arg;
	if (!decode(p, len, &pdu))
		return;
	assert_true(pdu.body_end <= len);
	if (ae_rpc_bind_decode(&bind, &pdu))
		for (i = 0; i < bind.nctx; i++) {
			ae_rpc_bind_next(&bind, &elem);
			assert_true(ae_rd_ok(&bind.elems));
		}
	if (ae_rpc_ack_decode(&ack, &pdu))
		for (i = 0; i < ack.nresults; i++) {
			ae_rpc_ack_next(&ack, &res);
			assert_true(ae_rd_ok(&ack.results));
		}
	if (ae_rpc_request_decode(&req, &pdu))
		assert_true(req.stub_off + pdu.trailer.pad <= pdu.body_end);
	if (ae_rpc_response_decode(&resp, &pdu))
		assert_true(resp.stub_off + pdu.trailer.pad <= pdu.body_end);
	(void)ae_rpc_fault_decode(&fault, &pdu);
	(void)ae_rpc_nak_decode(&reason, &pdu);
}

static void
mutated(void **state)
{
	struct ae_rpc_ack_result res[2] = { { .transfer = ae_rpc_ndr20 },
		{ .result = 3 } };
	struct ae_wr w;
	size_t start;

	(void)state;
	ae_wr_init(&w, 4096);
	raw_put_bind(&w,
	    &(struct raw_bind){
		.token = "token", .auth_type = 9, .auth_level = 6 });
	assert_true(ae_mutate(w.p, w.len, all_decoders, NULL) > 500);
	ae_wr_reset(&w);
	start = ae_rpc_pdu_begin(&w, AE_RPC_BIND_ACK, FL, 1);
	ae_rpc_ack_put(&w, start, 5840, 1, "135", res, 2);
	ae_rpc_pdu_end(&w, start, 0);
	assert_true(ae_mutate(w.p, w.len, all_decoders, NULL) > 500);
	ae_wr_reset(&w);
	start = ae_rpc_pdu_begin(&w, AE_RPC_BIND_NAK, FL, 1);
	ae_rpc_nak_put(&w, AE_RPC_NAK_LIMIT);
	ae_rpc_pdu_end(&w, start, 0);
	assert_true(ae_mutate(w.p, w.len, all_decoders, NULL) > 200);
	ae_wr_reset(&w);
	start = ae_rpc_pdu_begin(&w, AE_RPC_FAULT, FL, 1);
	ae_rpc_fault_put(&w, 1, 5);
	ae_rpc_pdu_end(&w, start, 0);
	assert_true(ae_mutate(w.p, w.len, all_decoders, NULL) > 200);
	ae_wr_done(&w);
}

/* The trailer is found from the end; its padding is bounded by the body. */
static void
trailers(void **state)
{
	struct ae_rpc_pdu pdu;
	struct ae_wr w;
	size_t start;

	(void)state;
	ae_wr_init(&w, 4096);
	start = ae_rpc_pdu_begin(&w, AE_RPC_ALTER, FL, 1);
	ae_rpc_bind_put(&w, 5840, 0, 0, &echo_iface.id, &ae_rpc_ndr20);
	ae_wr_zeros(&w, 44); /* surplus, as impacket leaves it */
	ae_rpc_trailer_put(
	    &w, &(struct ae_rpc_trailer){ .type = 16, .level = 6, .id = 5 });
	ae_wr_str(&w, "token");
	ae_rpc_pdu_end(&w, start, 5);
	assert_true(decode(w.p, w.len, &pdu));
	assert_true(pdu.trailer.present);
	assert_int_equal(pdu.trailer.off, 16 + 56 + 44);
	assert_int_equal(pdu.trailer.id, 5);
	assert_int_equal(pdu.trailer.token_len, 5);
	w.p[pdu.trailer.off + 2] = 16 + 56 + 44 - 24;
	assert_true(decode(w.p, w.len, &pdu));
	w.p[pdu.trailer.off + 2]++;
	assert_false(decode(w.p, w.len, &pdu));
	w.p[pdu.trailer.off + 2] = 0;
	/* auth_length that reaches into the header, or out of the PDU. */
	ae_wr_set_u16(&w, 10, (uint16_t)(w.len - 16 - 7));
	assert_false(decode(w.p, w.len, &pdu));
	ae_wr_set_u16(&w, 10, 0xffff);
	assert_false(decode(w.p, w.len, &pdu));
	ae_wr_done(&w);
}

/* ---- verification trailer ---- */

static const struct ae_rpc_vt facts = {
	.offered_header_sign = true,
	.call_id = 7,
	.context_id = 3,
	.opnum = 12,
	.abstract = { .uuid = { .d1 = 9 }, .major = 1 },
	.transfer = { .uuid = { .d1 = 8 }, .major = 2 },
};

static void
vt_of(struct ae_wr *w, const char *stub, const struct ae_rpc_vt *v)
{
	ae_wr_init(w, 65536);
	ae_wr_str(w, stub);
	ae_rpc_vt_put(w, v);
	assert_true(ae_wr_ok(w));
}

static void
vt_agrees(void **state)
{
	struct ae_rpc_vt v = facts;
	struct ae_wr w;
	size_t len;

	(void)state;
	vt_of(&w, "12345", &facts);
	len = w.len;
	assert_true(ae_rpc_vt_check(&facts, w.p, &len));
	assert_int_equal(len, 8); /* stub and what aligned the trailer */
	/* Padding may follow, up to the largest that is used. */
	ae_wr_zeros(&w, 12);
	len = w.len;
	assert_true(ae_rpc_vt_check(&facts, w.p, &len));
	assert_int_equal(len, 8);
	/* No promise made: fine, whatever was offered. */
	ae_wr_done(&w);
	v.offered_header_sign = false;
	vt_of(&w, "", &v);
	len = w.len;
	assert_true(ae_rpc_vt_check(&facts, w.p, &len));
	assert_int_equal(len, 0);
	ae_wr_done(&w);
}

static void
vt_disagrees(void **state)
{
	struct ae_rpc_vt rows[8];
	struct ae_wr w;
	size_t i, len;

	(void)state;
	for (i = 0; i < 8; i++)
		rows[i] = facts;
	rows[0].offered_header_sign = false; /* the flag was stripped */
	rows[1].call_id++;
	rows[2].context_id++;
	rows[3].opnum++;
	rows[4].abstract.uuid.d1++;
	rows[5].abstract.minor++;
	rows[6].transfer.major++;
	rows[7].big_endian = true;
	vt_of(&w, "stub", &facts);
	for (i = 0; i < 8; i++) {
		len = w.len;
		assert_false(ae_rpc_vt_check(&rows[i], w.p, &len));
	}
	ae_wr_done(&w);
}

static void
vt_commands(void **state)
{
	/* clang-format off */
	static const struct { uint8_t p[40]; size_t len; bool fine; size_t cut; } rows[] = {
#define SIG 0x8a, 0xe3, 0x13, 0x71, 0x02, 0xf4, 0x36, 0x71
		{ { SIG, 0x77, 0x40, 0, 0 }, 12, true, 0 },		/* unknown, not a must */
		{ { SIG, 0x77, 0xc0, 0, 0 }, 12, false, 0 },		/* unknown, a must */
		{ { SIG, 0x01, 0x40, 4, 0, 0, 0, 0, 0 }, 16, true, 0 },
		{ { SIG, 0x01, 0x40, 0, 0 }, 12, false, 0 },		/* too short */
		{ { SIG, 0x01, 0x40, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0 }, 20, false, 0 },
		{ { SIG, 0x77, 0x00, 0, 0 }, 12, true, 12 },		/* no end: no trailer */
		{ { SIG, 0x77, 0x40, 3, 0, 0, 0, 0 }, 15, true, 15 },	/* not a multiple of 4 */
		{ { SIG }, 8, true, 8 },
		{ { 0, SIG, 0x77, 0xc0, 0, 0 }, 13, true, 13 },		/* not aligned */
		{ { SIG, 0x77, 0xc0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }, 28, true, 28 },
		{ { SIG, SIG, 0x77, 0x40, 0, 0 }, 20, true, 8 },	/* the last one counts */
		{ { 0 }, 0, true, 0 },
		{ { 0 }, 7, true, 7 },
#undef SIG
	};
	/* clang-format on */
	size_t i, len;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		len = rows[i].len;
		assert_int_equal(
		    ae_rpc_vt_check(&facts, rows[i].p, &len), rows[i].fine);
		if (rows[i].fine)
			assert_int_equal(len, rows[i].cut);
	}
}

static void
one_vt(const uint8_t *p, size_t len, void *arg)
{
	size_t cut = len;

	(void)arg;
	(void)ae_rpc_vt_check(&facts, p, &cut);
	assert_true(cut <= len);
}

static void
vt_mutated(void **state)
{
	struct ae_wr w;

	(void)state;
	vt_of(&w, "some stub", &facts);
	assert_true(ae_mutate(w.p, w.len, one_vt, NULL) > 500);
	ae_wr_done(&w);
}

/* ---- towers ---- */

static void
towers(void **state)
{
	struct ae_rpc_tower t = { .iface = echo_iface.id,
		.transfer = ae_rpc_ndr20,
		.tcp = true,
		.port = 49500,
		.ip = { 192, 0, 2, 7 } };
	struct ae_rpc_tower u;
	struct ae_wr w;

	(void)state;
	ae_wr_init(&w, AE_RPC_TOWER_MAX);
	ae_rpc_tower_put(&w, &t);
	assert_int_equal(w.len, 75); /* as everybody's TCP tower */
	assert_true(ae_rpc_tower_get(&u, w.p, w.len));
	assert_true(ae_rpc_syntax_equal(&u.iface, &t.iface));
	assert_true(ae_rpc_syntax_equal(&u.transfer, &t.transfer));
	assert_true(u.tcp);
	assert_int_equal(u.port, 49500);
	assert_memory_equal(u.ip, t.ip, 4);
	/* Over a pipe: understood, but not TCP. */
	w.p[61] = 0x0f;
	assert_true(ae_rpc_tower_get(&u, w.p, w.len));
	assert_false(u.tcp);
	/* Trailing octets, too few floors, no interface. */
	w.p[61] = 0x07;
	ae_wr_u8(&w, 0);
	assert_false(ae_rpc_tower_get(&u, w.p, w.len));
	w.len--;
	w.p[0] = 2;
	assert_false(ae_rpc_tower_get(&u, w.p, w.len));
	w.p[0] = 200;
	assert_false(ae_rpc_tower_get(&u, w.p, w.len));
	w.p[0] = 5;
	w.p[4] = 0x0c;
	assert_false(ae_rpc_tower_get(&u, w.p, w.len));
	ae_wr_done(&w);
}

static void
one_tower(const uint8_t *p, size_t len, void *arg)
{
	struct ae_rpc_tower t;

	(void)arg;
	(void)ae_rpc_tower_get(&t, p, len);
}

static void
towers_mutated(void **state)
{
	struct ae_rpc_tower t = { .port = 1 };
	struct ae_wr w;

	(void)state;
	ae_wr_init(&w, AE_RPC_TOWER_MAX);
	ae_rpc_tower_put(&w, &t);
	assert_true(ae_mutate(w.p, w.len, one_tower, NULL) > 800);
	ae_wr_done(&w);
}

/* ---- names ---- */

static void
fault_names(void **state)
{
	struct ae_err e = AE_ERR_INIT;

	(void)state;
	assert_int_equal(
	    ae_rpc_fault_err(&e, AE_RPC_FAULT_ACCESS_DENIED), AE_EDENIED);
	assert_int_equal(e.code, 5);
	assert_int_equal(e.dom, AE_DOM_RPC);
	assert_int_equal(
	    ae_rpc_fault_err(&e, AE_RPC_FAULT_SERVER_TOO_BUSY), AE_EUNAVAIL);
	assert_int_equal(
	    ae_rpc_fault_err(&e, AE_RPC_FAULT_OP_RNG_ERROR), AE_ENOTFOUND);
	assert_int_equal(ae_rpc_fault_err(&e, 0x80070005), AE_EREMOTE);
	assert_int_equal(e.code, 0x80070005);
	assert_null(ae_rpc_fault_name(0x80070005));
	assert_string_equal(
	    ae_rpc_fault_name(AE_RPC_FAULT_UNK_IF), "nca_unk_if");
	assert_string_equal(ae_rpc_level_name(AE_RPC_LEVEL_PRIVACY), "privacy");
	assert_string_equal(
	    ae_rpc_level_name((enum ae_rpc_level)99), "unknown");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mutated),
		cmocka_unit_test(trailers),
		cmocka_unit_test(vt_agrees),
		cmocka_unit_test(vt_disagrees),
		cmocka_unit_test(vt_commands),
		cmocka_unit_test(vt_mutated),
		cmocka_unit_test(towers),
		cmocka_unit_test(towers_mutated),
		cmocka_unit_test(fault_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
