/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Bodies of messages between the processes: what is put is got, and nothing
 * else is believed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "explain.h"
#include "mutate.h"
#include "proto.h"

static const uint8_t csr[] = { 0x30, 0x03, 0x02, 0x01, 0x00 };

static const struct ae_wcce_request request = {
	.iface = AE_WCCE_ICERTREQUESTD2,
	.call = AE_WCCE_CALL_GETPROPERTY,
	.opnum = 7,
	.authority = "Example CA",
	.flags = 0x40100,
	.request_id = 17,
	.serial = NULL,
	.attributes = "CertificateTemplate:User\nccm:pc1",
	.csr = { csr, sizeof(csr) },
	.fchain = 1,
	.prop_id = -1,
	.prop_index = 2,
	.prop_type = 3,
};

static const struct ae_wcce_reply reply = {
	.hresult = 0x80094012,
	.request_id = 9,
	.disposition = 3,
	.cert = { csr, sizeof(csr) },
	.chain = { csr, 0 }, /* empty is not absent */
	.message = "Issued",
	.nprops = -4,
};

static const struct ae_db_request row = {
	.id = 1234567890123,
	.disp = AE_DB_ISSUED,
	.hresult = 1,
	.message = "m",
	.sid = "S-1-5-21-1-2-3-1104",
	.account = "LAB\\PC1$",
	.template = NULL,
	.subject = "CN=pc1",
	.attrs = "",
	.flags = 0x100,
	.csr = csr,
	.csr_len = sizeof(csr),
	.csr_hash = { 1, 2, 3 },
	.serial = { 1, 9, 9 },
	.serial_len = 3,
	.cert = csr,
	.cert_len = 2,
	.submitted = 1,
	.resolved = 2,
	.not_before = 3,
	.not_after = -4,
	.revoked_at = 5,
	.revoked_reason = 6,
	.caller = (const uint8_t *)"who",
	.caller_len = 3,
	.on_behalf = "LAB\\alice",
	.request_flags = 0x10,
	.set_attrs = "Ticket:1\n",
};

static const uint32_t columns[] = { 0x1000, 0x2007 };
static const struct ae_admin_restriction restrictions[] = {
	{ 0x1009, 1, 0, csr, sizeof(csr) },
	{ 0x1000, 0, 2, NULL, 0 },
};
static const struct ae_admin_request manage = {
	.opnum = AE_ADMIN_OPENVIEW,
	.authority = "Example CA",
	.id = 7,
	.text = NULL,
	.flags = 0xfffffffe,
	.time = { 1, 2 },
	.table = 3,
	.from = 4,
	.count = 5,
	.prop_id = 6,
	.prop_index = 7,
	.prop_type = 8,
	.nrestrictions = 2,
	.restrictions = restrictions,
	.ncolumns = 2,
	.columns = columns,
};

static void
same(const char *a, const char *b)
{
	assert_int_equal(a == NULL, b == NULL);
	if (a != NULL)
		assert_string_equal(a, b);
}

static void
administration_comes_back(void **state)
{
	const struct ae_admin_reply in = {
		.hresult = 1, .n = 2, .m = 3, .blob = { sizeof(csr), csr }
	};
	struct ae_arena *a = ae_arena_new(65536);
	struct ae_admin_request q;
	struct ae_admin_reply p;
	struct ae_wr once, twice;
	struct ae_rd r;

	(void)state;
	ae_wr_init(&once, 65536);
	ae_wr_init(&twice, 65536);
	put_manage(&once, &manage);
	ae_rd_init(&r, once.p, once.len);
	get_manage(&r, &q, a);
	assert_true(ae_rd_done(&r));
	assert_int_equal(q.opnum, 14);
	same(q.authority, manage.authority);
	same(q.text, NULL);
	assert_int_equal(q.nrestrictions, 2);
	assert_null(q.restrictions[1].value);
	put_manage(&twice, &q);
	assert_int_equal(once.len, twice.len);
	assert_memory_equal(once.p, twice.p, once.len);
	/* more restrictions than there may be: their number is at 62 */
	ae_wr_set_u32(&once, 62, AE_ADMIN_RESTRICTIONS_MAX + 1);
	ae_rd_init(&r, once.p, once.len);
	get_manage(&r, &q, a);
	assert_false(ae_rd_ok(&r));
	ae_wr_reset(&once);
	put_managed(&once, &in);
	ae_rd_init(&r, once.p, once.len);
	get_managed(&r, &p, a);
	assert_true(ae_rd_done(&r));
	assert_int_equal(p.hresult, 1);
	assert_int_equal(p.n, 2);
	assert_int_equal(p.m, 3);
	assert_int_equal(p.blob.len, sizeof(csr));
	assert_memory_equal(p.blob.p, csr, sizeof(csr));
	ae_wr_done(&once);
	ae_wr_done(&twice);
	ae_arena_free(a);
}

static void
request_comes_back(void **state)
{
	struct ae_arena *a = ae_arena_new(65536);
	struct ae_wcce_request q;
	struct ae_wr w;
	struct ae_rd r;

	(void)state;
	ae_wr_init(&w, 65536);
	put_request(&w, &request);
	ae_rd_init(&r, w.p, w.len);
	get_request(&r, &q, a);
	assert_true(ae_rd_done(&r));
	assert_int_equal(q.iface, request.iface);
	assert_int_equal(q.call, request.call);
	assert_int_equal(q.opnum, 7);
	same(q.authority, request.authority);
	same(q.serial, NULL);
	same(q.attributes, request.attributes);
	assert_int_equal(q.flags, request.flags);
	assert_int_equal(q.request_id, 17);
	assert_int_equal(q.csr.len, sizeof(csr));
	assert_memory_equal(q.csr.p, csr, sizeof(csr));
	assert_int_equal(q.prop_id, -1);
	assert_int_equal(q.prop_type, 3);
	ae_wr_done(&w);
	ae_arena_free(a);
}

static void
reply_comes_back(void **state)
{
	struct ae_arena *a = ae_arena_new(65536);
	struct ae_wcce_reply p;
	struct ae_wr w;
	struct ae_rd r;

	(void)state;
	ae_wr_init(&w, 65536);
	put_reply(&w, &reply);
	ae_rd_init(&r, w.p, w.len);
	get_reply(&r, &p, a);
	assert_true(ae_rd_done(&r));
	assert_int_equal(p.hresult, reply.hresult);
	assert_int_equal(p.disposition, 3);
	assert_int_equal(p.nprops, -4);
	assert_non_null(p.chain.p);
	assert_int_equal(p.chain.len, 0);
	assert_null(p.value.p);
	assert_memory_equal(p.cert.p, csr, sizeof(csr));
	same(p.message, "Issued");
	ae_wr_done(&w);
	ae_arena_free(a);
}

static void
row_comes_back(void **state)
{
	struct ae_arena *a = ae_arena_new(65536);
	struct ae_db_request q;
	struct ae_wr w;
	struct ae_rd r;

	(void)state;
	ae_wr_init(&w, 65536);
	put_row(&w, &row);
	ae_rd_init(&r, w.p, w.len);
	get_row(&r, &q, a);
	assert_true(ae_rd_done(&r));
	assert_int_equal(q.id, row.id);
	assert_int_equal(q.disp, AE_DB_ISSUED);
	same(q.sid, row.sid);
	same(q.account, row.account);
	same(q.template, NULL);
	same(q.attrs, "");
	assert_int_equal(q.serial_len, 3);
	assert_memory_equal(q.serial, row.serial, 3);
	assert_memory_equal(q.csr_hash, row.csr_hash, 32);
	assert_int_equal(q.cert_len, 2);
	assert_int_equal(q.not_after, -4);
	assert_int_equal(q.revoked_reason, 6);
	assert_int_equal(q.caller_len, 3);
	assert_memory_equal(q.caller, "who", 3);
	assert_string_equal(q.on_behalf, "LAB\\alice");
	assert_int_equal(q.request_flags, 0x10);
	ae_wr_done(&w);
	ae_arena_free(a);
}

/* ---- what is not believed ---- */

static void
a_string_with_a_nul(void **state)
{
	static const uint8_t b[] = { 3, 0, 0, 0, 'a', 0, 'b' };
	struct ae_arena *a = ae_arena_new(64);
	struct ae_rd r;

	(void)state;
	ae_rd_init(&r, b, sizeof(b));
	assert_null(get_str(&r, a));
	assert_false(ae_rd_ok(&r));
	ae_arena_free(a);
}

static void
a_length_past_the_end(void **state)
{
	static const uint8_t b[] = { 0xfe, 0xff, 0xff, 0xff, 'a' };
	struct ae_arena *a = ae_arena_new(64);
	struct ae_rd r;
	size_t len = 9;

	(void)state;
	ae_rd_init(&r, b, sizeof(b));
	assert_null(get_str(&r, a));
	assert_false(ae_rd_ok(&r));
	ae_rd_init(&r, b, sizeof(b));
	assert_null(get_bytes(&r, &len));
	assert_int_equal(len, 0);
	assert_false(ae_rd_ok(&r));
	ae_arena_free(a);
}

/* The arena's ceiling is the end, not a crash. */
static void
more_than_the_arena_takes(void **state)
{
	struct ae_arena *a = ae_arena_new(16);
	struct ae_wcce_request q;
	struct ae_wr w;
	struct ae_rd r;

	(void)state;
	ae_wr_init(&w, 65536);
	put_request(&w, &request);
	ae_rd_init(&r, w.p, w.len);
	get_request(&r, &q, a);
	assert_false(ae_rd_done(&r));
	ae_wr_done(&w);
	ae_arena_free(a);
}

static void
an_interface_that_is_none(void **state)
{
	struct ae_arena *a = ae_arena_new(65536);
	struct ae_wcce_request q;
	struct ae_wr w;
	struct ae_rd r;

	(void)state;
	ae_wr_init(&w, 65536);
	put_request(&w, &request);
	w.p[0] = 3;
	ae_rd_init(&r, w.p, w.len);
	get_request(&r, &q, a);
	assert_false(ae_rd_done(&r));
	w.p[0] = 2;
	w.p[1] = 5;
	ae_rd_init(&r, w.p, w.len);
	get_request(&r, &q, a);
	assert_false(ae_rd_done(&r));
	ae_wr_done(&w);
	ae_arena_free(a);
}

static void
a_serial_that_is_too_long(void **state)
{
	struct ae_arena *a = ae_arena_new(65536);
	struct ae_db_request big = row, q;
	struct ae_wr w;
	struct ae_rd r;
	uint8_t *at;

	(void)state;
	big.serial_len = 20;
	ae_wr_init(&w, 65536);
	put_row(&w, &big);
	/* 20 becomes 21: the byte after the hash */
	at = memmem(w.p, w.len, "\x14\0\0\0\x01\x09\x09", 7);
	assert_non_null(at);
	at[0] = 21;
	ae_rd_init(&r, w.p, w.len);
	get_row(&r, &q, a);
	assert_false(ae_rd_done(&r));
	assert_true(q.serial_len <= sizeof(q.serial));
	ae_wr_done(&w);
	ae_arena_free(a);
}

static const struct ae_ca_reason reasons[] = {
	{ AE_CA_PASS, "template.offered", "MS-WCCE 1", "is offered" },
	{ AE_CA_NOTE, "ca.note", "policy", "something" },
	{ AE_CA_STOP, "deny.key-length", "policy", "too short" },
};
static const struct ae_ca_ruling rulings[] = {
	{ { "template.offered", "MS-WCCE 1", "is it" }, AE_CA_HELD, 0, 2 },
	{ { "request.key", "policy", "is it long" }, AE_CA_DECIDED, 2, 1 },
	{ { "ca.disposition", "policy", "?" }, AE_CA_NOT_REACHED, 0, 0 },
};
static const struct explained told = {
	.d = { .verdict = AE_CA_DENY,
	    .hresult = 0x80094811,
	    .message = "Denied by Policy Module",
	    .requester = "LAB\\PC1$",
	    .request_flags = 2,
	    .not_before = 5,
	    .tbs = csr,
	    .tbs_len = sizeof(csr),
	    .reasons = reasons,
	    .nreasons = 3,
	    .rulings = rulings,
	    .nrulings = 3 },
	.template = "Machine",
	.sid = "S-1-5-18",
	.row = 7,
	.by_directory = true,
	.nsids = 12,
	.disabled = true,
};

static void
explanation_comes_back(void **state)
{
	struct ae_arena *a = ae_arena_new(65536);
	struct ae_wr w, again;
	struct explained x;
	struct ae_rd r;

	(void)state;
	ae_wr_init(&w, 65536);
	ae_wr_init(&again, 65536);
	put_explained(&w, &told);
	ae_rd_init(&r, w.p, w.len);
	get_explained(&r, &x, a);
	assert_true(ae_rd_done(&r));
	put_explained(&again, &x);
	assert_int_equal(w.len, again.len);
	assert_memory_equal(w.p, again.p, w.len);
	assert_int_equal(x.d.rulings[1].outcome, AE_CA_DECIDED);
	assert_string_equal(
	    x.d.reasons[x.d.rulings[1].first].check, "deny.key-length");
	ae_wr_done(&w);
	ae_wr_done(&again);
	ae_arena_free(a);
}

/* A rule whose reasons are not there. */
static void
reasons_beyond_the_end(void **state)
{
	static const struct ae_ca_ruling bad = { { "x", "policy", "?" },
		AE_CA_HELD, 3, 1 };
	struct ae_arena *a = ae_arena_new(65536);
	struct explained x = told;
	struct ae_wr w;
	struct ae_rd r;

	(void)state;
	x.d.rulings = &bad;
	x.d.nrulings = 1;
	ae_wr_init(&w, 65536);
	put_explained(&w, &x);
	ae_rd_init(&r, w.p, w.len);
	get_explained(&r, &x, a);
	assert_false(ae_rd_done(&r));
	assert_int_equal(x.d.nrulings, 0);
	ae_wr_done(&w);
	ae_arena_free(a);
}

static void
mutation(const uint8_t *p, size_t len, void *arg)
{
	struct ae_arena *a = ae_arena_new(4096);
	struct ae_wcce_request q;
	struct ae_wcce_reply rep;
	struct ae_db_request db;
	struct explained x;
	struct ae_rd r;

	ae_rd_init(&r, p, len);
	if (*(int *)arg == 3)
		get_explained(&r, &x, a);
	else if (*(int *)arg == 0)
		get_request(&r, &q, a);
	else if (*(int *)arg == 1)
		get_reply(&r, &rep, a);
	else
		get_row(&r, &db, a);
	if (ae_rd_done(&r) && *(int *)arg == 2)
		assert_true(db.serial_len <= sizeof(db.serial));
	ae_arena_free(a);
}

static void
mutations(void **state)
{
	struct ae_wr w;
	int kind;

	(void)state;
	for (kind = 0; kind < 4; kind++) {
		ae_wr_init(&w, 65536);
		if (kind == 0)
			put_request(&w, &request);
		else if (kind == 1)
			put_reply(&w, &reply);
		else if (kind == 3)
			put_explained(&w, &told);
		else
			put_row(&w, &row);
		assert_true(ae_mutate(w.p, w.len, mutation, &kind) > 400);
		ae_wr_done(&w);
	}
}

static void
names_of_roles(void **state)
{
	unsigned r;

	(void)state;
	for (r = 0; r < ROLE_COUNT; r++)
		assert_int_equal(role_find(role_name((enum role)r)), r);
	assert_int_equal(role_find("root"), ROLE_COUNT);
	assert_string_equal(role_name(ROLE_COUNT), "?");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(administration_comes_back),
		cmocka_unit_test(request_comes_back),
		cmocka_unit_test(reply_comes_back),
		cmocka_unit_test(row_comes_back),
		cmocka_unit_test(a_string_with_a_nul),
		cmocka_unit_test(a_length_past_the_end),
		cmocka_unit_test(more_than_the_arena_takes),
		cmocka_unit_test(an_interface_that_is_none),
		cmocka_unit_test(a_serial_that_is_too_long),
		cmocka_unit_test(explanation_comes_back),
		cmocka_unit_test(reasons_beyond_the_end),
		cmocka_unit_test(mutations),
		cmocka_unit_test(names_of_roles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
