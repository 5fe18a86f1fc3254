/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * ICertAdminD: the tables, who may call what, every method in both
 * directions, and what is refused on the way in.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "mutate.h"
#include "ndr/ndr.h"
#include "wcce/admin.h"
#include "wcce/hresult.h"

#define ROLECONFLICT 0x80094008u

static const uint8_t value[] = { 9, 0, 0, 0 };
static const struct ae_admin_restriction restrictions[] = {
	{ 0x1009, AE_ADMIN_SEEK_EQ, AE_ADMIN_SORT_NONE, value, 4 },
	{ 0x1000, AE_ADMIN_SEEK_GE, AE_ADMIN_SORT_DESC, NULL, 0 },
};
static const uint32_t columns[] = { 0x1000, 0x1010, 0x2007 };

static const struct ae_admin_request request = {
	.authority = "Example CA",
	.id = 17,
	.text = "1f0a",
	.entry = "CAType",
	.flags = 0xffffffff,
	.time = { 0x11223344, 0x01d90000 },
	.table = 0x5000,
	.from = 3,
	.count = 100,
	.prop_id = 29,
	.prop_index = 0xffffffff,
	.prop_type = 4,
	.nrestrictions = 2,
	.restrictions = restrictions,
	.ncolumns = 3,
	.columns = columns,
};

static void
tables_are_sound(void **state)
{
	const struct ae_admin_method *m;
	struct ae_err e = AE_ERR_INIT;
	uint16_t last = 2;

	(void)state;
	for (m = ae_admin_methods; m->name != NULL; m++) {
		assert_true(m->opnum > last && m->opnum < AE_ADMIN_OPS_D2);
		last = m->opnum;
		assert_int_equal(m->roles == 0, m->in == NULL);
		if ((m->in != NULL && ae_ndr_lint(m->in, &e) != AE_OK) ||
		    ae_ndr_lint(m->out, &e) != AE_OK)
			fail_msg("%s: %s", m->name, e.text);
		assert_ptr_equal(ae_admin_method_find(m->opnum), m);
	}
	assert_null(ae_admin_method_find(20));
	assert_null(ae_admin_method_find(49));
}

static void
interface_ids(void **state)
{
	char out[AE_GUID_STR_MAX];

	(void)state;
	assert_string_equal(ae_guid_print(out, &ae_iid_icertadmind),
	    "d99e6e71-fc88-11d0-b498-00a0c90312f3");
	assert_string_equal(ae_guid_print(out, &ae_iid_icertadmind2),
	    "7fe0d935-dda6-443f-85d0-1cfb58fe41dd");
	assert_string_equal(ae_guid_print(out, &ae_clsid_ccertadmind),
	    "d99e6e73-fc88-11d0-b498-00a0c90312f3");
}

/* MS-CSRA 3.1.1.7, by hand. */
static const struct {
	uint32_t role;
	uint16_t opnum[20];
} may[] = {
	{ AE_ADMIN_ROLE_ADMIN, { 8, 18, 31, 38 } },
	{ AE_ADMIN_ROLE_OFFICER, { 4, 5, 6, 10, 39 } },
	{ AE_ADMIN_ROLE_READ,
	    { 7, 9, 11, 12, 13, 14, 15, 16, 19, 32, 34, 35, 36, 40, 42, 44,
		47 } },
};

static bool
expected(uint32_t roles, uint16_t opnum)
{
	size_t i, k;

	for (i = 0; i < sizeof(may) / sizeof(may[0]); i++)
		for (k = 0; k < 20; k++)
			if (may[i].opnum[k] == opnum && (roles & may[i].role))
				return true;
	return false;
}

static void
who_may_what(void **state)
{
	uint32_t rights, roles;
	uint16_t op;

	(void)state;
	for (rights = 0; rights < 0x400; rights++) {
		roles = ae_admin_roles(rights);
		/* whoever has a role reads; enrolling is none */
		assert_int_equal(roles != 0, (rights & 0x10f) != 0);
		assert_int_equal((roles & AE_ADMIN_ROLE_READ) != 0, roles != 0);
		for (op = 1; op < 60; op++)
			assert_int_equal(ae_admin_may(op, roles, false),
			    expected(roles, op) ? 0 : AE_HR_E_ACCESSDENIED);
	}
}

static void
roles_apart(void **state)
{
	static const struct {
		uint32_t rights;
		uint32_t hresult; /* of GetMyRoles */
	} v[] = { { 0x200, AE_HR_E_ACCESSDENIED }, { 0x201, 0 }, { 0x302, 0 },
		{ 0x104, 0 }, { 0x108, 0 }, { 0x003, ROLECONFLICT },
		{ 0x006, ROLECONFLICT }, { 0x30c, ROLECONFLICT },
		{ 0x00f, ROLECONFLICT }, { 0x100, 0 } };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++)
		assert_int_equal(ae_admin_may(AE_ADMIN_GETMYROLES,
				     ae_admin_roles(v[i].rights), true),
		    v[i].hresult);
}

static bool
same(const struct ae_admin_request *a, const struct ae_admin_request *b)
{
	struct ae_wr x, y;
	bool ok;

	ae_wr_init(&x, 1 << 16);
	ae_wr_init(&y, 1 << 16);
	ok = ae_admin_request_encode(&x, a, NULL) == AE_OK &&
	    ae_admin_request_encode(&y, b, NULL) == AE_OK && x.len == y.len &&
	    memcmp(x.p, y.p, x.len) == 0;
	ae_wr_done(&x);
	ae_wr_done(&y);
	return ok;
}

static void
requests_round_trip(void **state)
{
	struct ae_arena *a = ae_arena_new(AE_ADMIN_ARENA_MAX);
	const struct ae_admin_method *m;
	struct ae_admin_request in = request, out;
	struct ae_err e = AE_ERR_INIT;
	struct ae_wr w;

	(void)state;
	for (m = ae_admin_methods; m->name != NULL; m++) {
		in.opnum = m->opnum;
		ae_wr_init(&w, 1 << 16);
		if (m->in == NULL) {
			assert_int_equal(
			    ae_admin_request_encode(&w, &in, &e), AE_ENOTFOUND);
			assert_int_equal(ae_admin_request_decode(&out, m->opnum,
					     "", 0, false, a, &e),
			    AE_ENOTFOUND);
			ae_wr_done(&w);
			continue;
		}
		if (ae_admin_request_encode(&w, &in, &e) != AE_OK ||
		    ae_admin_request_decode(
			&out, m->opnum, w.p, w.len, false, a, &e) != AE_OK)
			fail_msg("%s: %s", m->name, e.text);
		assert_int_equal(out.opnum, m->opnum);
		assert_string_equal(out.authority, "Example CA");
		assert_true(same(&in, &out));
		/* sixteen bytes of padding are one too many */
		ae_wr_zeros(&w, 15);
		assert_int_equal(ae_admin_request_decode(
				     &out, m->opnum, w.p, w.len, false, a, &e),
		    AE_OK);
		ae_wr_zeros(&w, 1);
		assert_int_equal(ae_admin_request_decode(
				     &out, m->opnum, w.p, w.len, false, a, &e),
		    AE_EPROTO);
		ae_wr_done(&w);
		ae_arena_reset(a);
	}
	ae_arena_free(a);
}

static void
replies_round_trip(void **state)
{
	static const uint8_t der[] = { 0x30, 0 };
	const struct ae_admin_reply in = {
		.hresult = 0x80094004, .n = 7, .m = 3, .blob = { 2, der }
	};
	struct ae_arena *a = ae_arena_new(AE_ADMIN_ARENA_MAX);
	const struct ae_admin_method *m;
	struct ae_admin_reply out;
	struct ae_err e = AE_ERR_INIT;
	struct ae_wr w;

	(void)state;
	for (m = ae_admin_methods; m->name != NULL; m++) {
		ae_wr_init(&w, 4096);
		if (ae_admin_reply_encode(&w, m->opnum, &in, &e) != AE_OK ||
		    ae_admin_reply_decode(
			&out, m->opnum, w.p, w.len, false, a, &e) != AE_OK)
			fail_msg("%s: %s", m->name, e.text);
		assert_int_equal(out.hresult, in.hresult);
		assert_true(out.n == 0 || out.n == 7);
		assert_true(out.blob.len == 0 || out.blob.len == 2);
		ae_wr_done(&w);
		ae_arena_reset(a);
	}
	ae_arena_free(a);
}

/* MS-OAUT 2.2.29.1 by hand: where the discriminant and the text lie. */
static void
variants(void **state)
{
	static const uint8_t text[] = { 0, 0, 2, 0, 0, 0, 0, 0, /* referent */
		5, 0, 0, 0, 0, 0, 0, 0,	    /* clSize, rpcReserved */
		8, 0, 0, 0, 0, 0, 0, 0,	    /* vt */
		8, 0, 0, 0, 4, 0, 2, 0,	    /* switch, referent */
		2, 0, 0, 0, 4, 0, 0, 0,	    /* conformance, cBytes */
		2, 0, 0, 0, 'C', 0, 'A', 0, /* clSize, asData */
		0, 0, 0, 0 };		    /* HRESULT */
	struct ae_admin_reply in = { .vt = AE_ADMIN_VT_BSTR, .text = "CA" };
	struct ae_arena *a = ae_arena_new(AE_ADMIN_ARENA_MAX);
	struct ae_admin_reply out;
	struct ae_err e = AE_ERR_INIT;
	struct ae_wr w;

	(void)state;
	ae_wr_init(&w, 4096);
	assert_int_equal(
	    ae_admin_reply_encode(&w, AE_ADMIN_GETCONFIGENTRY, &in, &e), AE_OK);
	assert_int_equal(w.len, sizeof(text));
	w.p[0] = w.p[1] = w.p[3] = w.p[28] = 0; /* referents are our own */
	assert_int_equal(w.p[2], 2);
	w.p[28] = text[28];
	w.p[30] = text[30];
	assert_memory_equal(w.p, text, sizeof(text));
	if (ae_admin_reply_decode(&out, AE_ADMIN_GETCONFIGENTRY, text,
		sizeof(text), false, a, &e) != AE_OK)
		fail_msg("%s", e.text);
	assert_int_equal(out.vt, AE_ADMIN_VT_BSTR);
	assert_string_equal(out.text, "CA");
	/* a number */
	in = (struct ae_admin_reply){ .vt = AE_ADMIN_VT_I4, .n = 0x600 };
	ae_wr_reset(&w);
	assert_int_equal(
	    ae_admin_reply_encode(&w, AE_ADMIN_GETCONFIGENTRY, &in, &e), AE_OK);
	assert_int_equal(w.len, 36);
	assert_int_equal(ae_admin_reply_decode(&out, AE_ADMIN_GETCONFIGENTRY,
			     w.p, w.len, false, a, &e),
	    AE_OK);
	assert_int_equal(out.n, 0x600);
	/* text without text */
	in = (struct ae_admin_reply){ .vt = AE_ADMIN_VT_BSTR };
	ae_wr_reset(&w);
	assert_int_equal(
	    ae_admin_reply_encode(&w, AE_ADMIN_GETCONFIGENTRY, &in, &e),
	    AE_EINVAL);
	ae_wr_done(&w);
	ae_arena_free(a);
}

/* OpenView by hand, MS-CSRA 3.1.4.1.12: what a count may be. */
static int
open_view(uint32_t ccvr, uint32_t conformance, uint32_t ccol)
{
	struct ae_arena *a = ae_arena_new(AE_ADMIN_ARENA_MAX);
	struct ae_admin_request out;
	struct ae_wr w;
	int rc;

	ae_wr_init(&w, 1 << 16);
	ae_wr_u32(&w, 0); /* no authority */
	ae_wr_u32(&w, ccvr);
	ae_wr_u32(&w, conformance);
	ae_wr_zeros(&w, ccvr < 100 ? 20 * ccvr : 0);
	ae_wr_u32(&w, ccol);
	ae_wr_u32(&w, ccol);
	ae_wr_zeros(&w, ccol < 200 ? 4 * ccol : 0);
	ae_wr_u32(&w, 0);
	ae_wr_u32(&w, 0);
	rc = ae_admin_request_decode(
	    &out, AE_ADMIN_OPENVIEW, w.p, w.len, false, a, NULL);
	ae_wr_done(&w);
	ae_arena_free(a);
	return rc;
}

static void
counts_are_bounded(void **state)
{
	(void)state;
	assert_int_equal(open_view(0, 0, 1), AE_OK);
	assert_int_equal(open_view(2, 2, 0), AE_OK);
	assert_int_equal(open_view(2, 1, 0), AE_EPROTO);
	assert_int_equal(open_view(32, 32, 128), AE_OK);
	assert_int_equal(open_view(33, 33, 1), AE_ELIMIT);
	assert_int_equal(open_view(0, 0, 129), AE_ELIMIT);
	assert_int_equal(open_view(0xffffffff, 0xffffffff, 1), AE_ELIMIT);
}

static void
decode_any(const uint8_t *p, size_t len, void *arg)
{
	const struct ae_admin_method *m = arg;
	struct ae_arena *a = ae_arena_new(AE_ADMIN_ARENA_MAX);
	struct ae_admin_request out;

	(void)!ae_admin_request_decode(&out, m->opnum, p, len, false, a, NULL);
	ae_arena_free(a);
}

static void
mutations(void **state)
{
	struct ae_admin_request in = request;
	struct ae_wr w;
	size_t n = 0;

	(void)state;
	for (in.opnum = 3; in.opnum < AE_ADMIN_OPS_D2; in.opnum++) {
		const struct ae_admin_method *m =
		    ae_admin_method_find(in.opnum);
		union {
			const struct ae_admin_method *in;
			void *out;
		} arg = { .in = m };

		if (m == NULL || m->in == NULL)
			continue;
		ae_wr_init(&w, 1 << 16);
		assert_int_equal(ae_admin_request_encode(&w, &in, NULL), AE_OK);
		n += ae_mutate(w.p, w.len, decode_any, arg.out);
		ae_wr_done(&w);
	}
	assert_true(n > 1000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables_are_sound),
		cmocka_unit_test(interface_ids),
		cmocka_unit_test(who_may_what),
		cmocka_unit_test(roles_apart),
		cmocka_unit_test(requests_round_trip),
		cmocka_unit_test(replies_round_trip),
		cmocka_unit_test(variants),
		cmocka_unit_test(counts_are_bounded),
		cmocka_unit_test(mutations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
