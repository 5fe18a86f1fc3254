/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Every method in both directions, what is refused on the way in, and the
 * mutator and allocation torture over all of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf16.h"
#include "mutate.h"
#include "ndr/ndr.h"
#include "samples.h"
#include "torture.h"
#include "wcce/hresult.h"
#include "wcce/icpr.h"

static void
same_text(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		assert_ptr_equal(a, b);
	else
		assert_string_equal(a, b);
}

static void
same_blob(struct ae_wcce_blob a, struct ae_wcce_blob b)
{
	assert_int_equal(a.len, b.len);
	assert_int_equal(a.p == NULL, b.p == NULL);
	if (a.len > 0)
		assert_memory_equal(a.p, b.p, a.len);
}

static void
tables_are_sound(void **state)
{
	const struct ae_wcce_method *m;
	struct ae_err e = AE_ERR_INIT;
	size_t n = 0;

	(void)state;
	for (m = ae_wcce_methods; m->name != NULL; m++, n++)
		if (ae_ndr_lint(m->in, &e) != AE_OK ||
		    ae_ndr_lint(m->out, &e) != AE_OK)
			fail_msg("%s: %s", m->name, e.text);
	assert_int_equal(n, 8);
}

static void
requests_round_trip(void **state)
{
	struct ae_arena *a = ae_arena_new(AE_WCCE_ARENA_MAX);
	struct ae_err e = AE_ERR_INIT;
	struct ae_wcce_request in, out;
	struct ae_wr w;
	uint32_t refuse;
	size_t i;

	(void)state;
	for (i = 0; sample_request(&in, i); i++) {
		ae_wr_init(&w, 1 << 20);
		if (ae_wcce_request_encode(&w, &in, &e) != AE_OK)
			fail_msg("%zu: %s", i, e.text);
		if (ae_wcce_request_decode(&out, &refuse, in.iface, in.opnum,
			w.p, w.len, false, a, &e) != AE_OK)
			fail_msg("%zu: %s", i, e.text);
		assert_int_equal(refuse, 0);
		assert_int_equal(out.iface, in.iface);
		assert_int_equal(out.call, in.call);
		assert_int_equal(out.opnum, in.opnum);
		same_text(out.authority, in.authority);
		same_text(out.attributes, in.attributes);
		same_text(out.serial, in.serial);
		same_blob(out.csr, in.csr);
		assert_int_equal(out.flags, in.flags);
		assert_int_equal(out.request_id, in.request_id);
		assert_int_equal(out.fchain, in.fchain);
		assert_int_equal(out.prop_id, in.prop_id);
		assert_int_equal(out.prop_index, in.prop_index);
		assert_int_equal(out.prop_type, in.prop_type);
		ae_wr_done(&w);
		ae_arena_reset(a);
	}
	assert_true(i >= 8);
	ae_arena_free(a);
}

static void
replies_round_trip(void **state)
{
	struct ae_arena *a = ae_arena_new(AE_WCCE_ARENA_MAX);
	struct ae_err e = AE_ERR_INIT;
	struct ae_wcce_request rq;
	struct ae_wcce_reply in, out;
	struct ae_wr w;
	size_t i;

	(void)state;
	for (i = 0; sample_request(&rq, i); i++) {
		sample_reply(&in, &rq);
		ae_wr_init(&w, 1 << 20);
		if (ae_wcce_reply_encode(&w, &rq, &in, &e) != AE_OK)
			fail_msg("%zu: %s", i, e.text);
		if (ae_wcce_reply_decode(&out, &rq, w.p, w.len, false, a, &e) !=
		    AE_OK)
			fail_msg("%zu: %s", i, e.text);
		assert_int_equal(out.hresult, in.hresult);
		assert_int_equal(out.request_id, in.request_id);
		assert_int_equal(out.disposition, in.disposition);
		assert_int_equal(out.nprops, in.nprops);
		same_blob(out.chain, in.chain);
		same_blob(out.cert, in.cert);
		same_blob(out.value, in.value);
		same_text(out.message, in.message);
		ae_wr_done(&w);
		ae_arena_reset(a);
	}
	ae_arena_free(a);
}

/* Every byte of an answer is written: none is left of what was there before. */
static void
cve_2026_69395_answers_are_all_written(void **state)
{
	static const uint8_t fill[] = { 0x00, 0x55, 0xaa, 0xff };
	struct ae_err e = AE_ERR_INIT;
	struct ae_wcce_request rq;
	struct ae_wcce_reply in;
	struct ae_wr first, again;
	size_t i, k, n;

	(void)state;
	for (i = 0; sample_request(&rq, i); i++) {
		sample_reply(&in, &rq);
		ae_wr_init(&first, 1 << 20);
		assert_int_equal(
		    ae_wcce_reply_encode(&first, &rq, &in, &e), AE_OK);
		for (k = 0; k < sizeof(fill); k++) {
			ae_wr_init(&again, 1 << 20);
			for (n = 0; n < first.len + 64; n++)
				ae_wr_u8(&again, fill[k]);
			ae_wr_reset(&again);
			assert_int_equal(
			    ae_wcce_reply_encode(&again, &rq, &in, &e), AE_OK);
			assert_int_equal(again.len, first.len);
			assert_memory_equal(again.p, first.p, first.len);
			ae_wr_done(&again);
		}
		ae_wr_done(&first);
	}
	assert_true(i > 5);
}

static void
opnums_that_do_not_exist(void **state)
{
	static const struct {
		enum ae_wcce_iface iface;
		uint16_t opnum;
	} v[] = { { AE_WCCE_ICERTPASSAGE, 1 }, { AE_WCCE_ICERTPASSAGE, 3 },
		{ AE_WCCE_ICERTREQUESTD, 0 }, { AE_WCCE_ICERTREQUESTD, 2 },
		{ AE_WCCE_ICERTREQUESTD, 6 }, { AE_WCCE_ICERTREQUESTD, 9 },
		{ AE_WCCE_ICERTREQUESTD2, 1 }, { AE_WCCE_ICERTREQUESTD2, 10 },
		{ AE_WCCE_ICERTREQUESTD2, 0xffff } };
	struct ae_arena *a = ae_arena_new(4096);
	struct ae_wcce_request out;
	uint32_t refuse;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		assert_null(ae_wcce_method_name(v[i].iface, v[i].opnum));
		assert_int_equal(
		    ae_wcce_request_decode(&out, &refuse, v[i].iface,
			v[i].opnum, "", 0, false, a, NULL),
		    AE_ENOTFOUND);
	}
	/* D2 inherits D's */
	assert_string_equal(ae_wcce_method_name(AE_WCCE_ICERTREQUESTD2, 3),
	    "ICertRequestD::Request");
	ae_arena_free(a);
}

static void
interface_ids(void **state)
{
	static const struct {
		const char *text;
		const struct ae_guid *iid;
	} v[] = { { "91ae6020-9e3c-11cf-8d7c-00aa00c091be",
		      &ae_iid_icertpassage },
		{ "d99e6e70-fc88-11d0-b498-00a0c90312f3",
		    &ae_iid_icertrequestd },
		{ "5422fd3a-d4b8-4cef-a12e-e87d4ca22e90",
		    &ae_iid_icertrequestd2 },
		{ "d99e6e74-fc88-11d0-b498-00a0c90312f3",
		    &ae_clsid_ccertrequestd } };
	enum ae_wcce_iface iface;
	char out[AE_GUID_STR_MAX];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		assert_string_equal(ae_guid_print(out, v[i].iid), v[i].text);
		assert_int_equal(ae_wcce_iface_find(&iface, v[i].iid), i < 3);
		if (i < 3)
			assert_int_equal(iface, i);
	}
	assert_string_equal(ae_cr_disp_name(5), "CR_DISP_UNDER_SUBMISSION");
	assert_null(ae_cr_disp_name(7));
	assert_null(ae_cr_disp_name(0x80094012));
}

/* An ICPR stub by hand: flags, authority "CA", id, attributes, no request. */
static void
icpr_stub(struct ae_wr *w, const void *attribs, uint32_t len)
{
	ae_wr_init(w, 4096);
	ae_wr_u32(w, 0x100);
	ae_wr_u32(w, 0x20000); /* referent */
	ae_wr_u32(w, 3);
	ae_wr_u32(w, 0);
	ae_wr_u32(w, 3);
	ae_wr_bytes(w, "C\0A\0\0", 6);
	ae_wr_align(w, 4);
	ae_wr_u32(w, 0);
	ae_wr_u32(w, len);
	ae_wr_u32(w, len == 0 ? 0 : 0x20004);
	if (len > 0) {
		ae_wr_u32(w, len);
		ae_wr_bytes(w, attribs, len);
		ae_wr_align(w, 4);
	}
	ae_wr_u32(w, 0);
	ae_wr_u32(w, 0);
	assert_true(ae_wr_ok(w));
}

static void
icpr_attributes(void **state)
{
	static const struct {
		const char *bytes;
		uint32_t len;
		uint32_t refuse;
		const char *text;
	} v[] = {
		{ "A\0:\0B\0\0", 8, 0, "A:B" }, /* as MS-ICPR wants it */
		{ "A\0:\0B\0", 6, 0, "A:B" },	/* as some send it */
		{ "", 0, 0, NULL }, { "\0", 2, 0, "" },
		{ "A\0:\0B\0\0", 7, AE_HR_E_INVALIDARG, NULL }, /* odd */
		{ "A", 1, AE_HR_E_INVALIDARG, NULL },
		{ "A\0\0\0B\0\0\0", 8, AE_HR_E_INVALIDARG, NULL }, /* two */
		{ "A\0\0\0\0\0", 6, AE_HR_E_INVALIDARG, NULL },
		{ "\x00\xd8"
		  "A\0\0",
		    6, AE_HR_E_INVALIDARG, NULL }, /* lone surrogate */
	};
	struct ae_arena *a = ae_arena_new(AE_WCCE_ARENA_MAX);
	struct ae_wcce_request out;
	struct ae_wr w;
	uint32_t refuse;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		icpr_stub(&w, v[i].bytes, v[i].len);
		refuse = 1;
		assert_int_equal(
		    ae_wcce_request_decode(&out, &refuse, AE_WCCE_ICERTPASSAGE,
			0, w.p, w.len, false, a, NULL),
		    AE_OK);
		assert_int_equal(refuse, v[i].refuse);
		if (refuse == 0)
			same_text(out.attributes, v[i].text);
		assert_string_equal(out.authority, "CA");
		assert_null(out.csr.p);
		ae_wr_done(&w);
	}
	ae_arena_free(a);
}

static void
padding_behind_the_arguments(void **state)
{
	struct ae_arena *a = ae_arena_new(AE_WCCE_ARENA_MAX);
	struct ae_wcce_request out;
	struct ae_wr w;
	uint32_t refuse;
	int i;

	(void)state;
	icpr_stub(&w, "", 0);
	for (i = 0; i <= 16; i++) {
		assert_int_equal(
		    ae_wcce_request_decode(&out, &refuse, AE_WCCE_ICERTPASSAGE,
			0, w.p, w.len, false, a, NULL),
		    i <= 15 ? AE_OK : AE_EPROTO);
		ae_wr_u8(&w, 0);
	}
	ae_wr_done(&w);
	ae_arena_free(a);
}

static void
big_endian_stubs(void **state)
{
	struct ae_arena *a = ae_arena_new(AE_WCCE_ARENA_MAX);
	struct ae_wcce_request out;
	struct ae_wr w;
	uint32_t refuse;

	(void)state;
	/* GetCACert(fchain 'name', authority NULL) */
	ae_wr_init(&w, 64);
	w.big = true;
	ae_wr_u32(&w, 0x6e616d65);
	ae_wr_u32(&w, 0);
	assert_int_equal(
	    ae_wcce_request_decode(&out, &refuse, AE_WCCE_ICERTREQUESTD,
		AE_OP_GETCACERT, w.p, w.len, true, a, NULL),
	    AE_OK);
	assert_int_equal(out.fchain, 0x6e616d65);
	assert_null(out.authority);
	ae_wr_done(&w);
	ae_arena_free(a);
}

static void
an_oversize_request_is_an_answer_not_a_fault(void **state)
{
	struct ae_arena *a = ae_arena_new(AE_WCCE_ARENA_MAX);
	struct ae_wcce_request rq = { .iface = AE_WCCE_ICERTREQUESTD,
		.call = AE_WCCE_CALL_REQUEST,
		.opnum = AE_OP_REQUEST };
	struct ae_wcce_request out;
	const size_t big[] = { AE_WCCE_REQUEST_MAX, AE_WCCE_REQUEST_MAX + 1,
		AE_WCCE_BLOB_MAX, AE_WCCE_BLOB_MAX + 1 };
	const int rc[] = { AE_OK, AE_OK, AE_OK, AE_ELIMIT };
	uint8_t *bytes = calloc(1, AE_WCCE_BLOB_MAX + 1);
	struct ae_wr w;
	uint32_t refuse;
	size_t i;

	(void)state;
	assert_non_null(bytes);
	for (i = 0; i < 4; i++) {
		rq.csr = (struct ae_wcce_blob){ bytes, big[i] };
		ae_wr_init(&w, 1 << 20);
		if (i > 0)
			assert_int_equal(
			    ae_wcce_request_encode(&w, &rq, NULL), AE_ELIMIT);
		/* a peer of ours would not send it: by hand */
		ae_wr_reset(&w);
		ae_wr_zeros(&w, 16); /* flags, authority, id, attributes */
		ae_wr_u32(&w, (uint32_t)big[i]);
		ae_wr_u32(&w, 0x20000);
		ae_wr_u32(&w, (uint32_t)big[i]);
		ae_wr_bytes(&w, bytes, big[i]);
		ae_arena_reset(a);
		assert_int_equal(
		    ae_wcce_request_decode(&out, &refuse, AE_WCCE_ICERTREQUESTD,
			AE_OP_REQUEST, w.p, w.len, false, a, NULL),
		    rc[i]);
		if (rc[i] == AE_OK)
			assert_int_equal(
			    refuse, i == 0 ? 0 : AE_HR_E_INVALID_DATA);
		ae_wr_done(&w);
	}
	free(bytes);
	ae_arena_free(a);
}

static void
encoding_refuses_what_a_method_cannot_carry(void **state)
{
	struct ae_wcce_request rq = { .iface = AE_WCCE_ICERTREQUESTD,
		.call = AE_WCCE_CALL_REQUEST,
		.opnum = AE_OP_REQUEST,
		.serial = "0a" };
	struct ae_wcce_reply reply = { 0 };
	static char text[AE_WCCE_STRING_MAX + 1];
	struct ae_wr w;

	(void)state;
	ae_wr_init(&w, 1 << 16);
	assert_int_equal(ae_wcce_request_encode(&w, &rq, NULL), AE_EINVAL);
	rq.serial = NULL;
	rq.opnum = AE_OP_PING; /* carries another call */
	assert_int_equal(ae_wcce_request_encode(&w, &rq, NULL), AE_EINTERNAL);
	rq.opnum = 77;
	assert_int_equal(ae_wcce_request_encode(&w, &rq, NULL), AE_EINTERNAL);
	assert_int_equal(
	    ae_wcce_reply_encode(&w, &rq, &reply, NULL), AE_EINTERNAL);
	rq.opnum = AE_OP_REQUEST;
	memset(text, 'a', sizeof(text) - 1);
	rq.authority = text; /* 1536 and a NUL: one too many */
	assert_true(ae_wcce_request_encode(&w, &rq, NULL) != AE_OK);
	rq.authority = "\xff";
	assert_true(ae_wcce_request_encode(&w, &rq, NULL) != AE_OK);
	rq = (struct ae_wcce_request){ .iface = AE_WCCE_ICERTPASSAGE,
		.attributes = "\xff" };
	assert_int_equal(ae_wcce_request_encode(&w, &rq, NULL), AE_EINVAL);
	ae_wr_done(&w);
}

struct mutant {
	struct ae_wcce_request rq;
	bool reply;
};

static void
mutated(const uint8_t *p, size_t len, void *arg)
{
	const struct mutant *m = arg;
	struct ae_arena *a = ae_arena_new(AE_WCCE_ARENA_MAX);
	struct ae_wcce_request out;
	struct ae_wcce_reply reply;
	uint32_t refuse = 0;

	assert_non_null(a);
	if (m->reply) {
		(void)!ae_wcce_reply_decode(
		    &reply, &m->rq, p, len, false, a, NULL);
	} else if (ae_wcce_request_decode(&out, &refuse, m->rq.iface,
		       m->rq.opnum, p, len, false, a, NULL) == AE_OK &&
	    refuse == 0) {
		assert_true(out.csr.len <= AE_WCCE_REQUEST_MAX);
		assert_true(
		    out.attributes == NULL || ae_utf8_valid(out.attributes));
	}
	ae_arena_free(a);
}

static void
mutations(void **state)
{
	struct ae_wcce_reply reply;
	struct mutant m;
	struct ae_wr w;
	size_t i;

	(void)state;
	for (i = 0; sample_request(&m.rq, i); i++) {
		m.reply = false;
		ae_wr_init(&w, 1 << 16);
		assert_int_equal(
		    ae_wcce_request_encode(&w, &m.rq, NULL), AE_OK);
		(void)ae_mutate(w.p, w.len, mutated, &m);
		ae_wr_reset(&w);
		m.reply = true;
		sample_reply(&reply, &m.rq);
		assert_int_equal(
		    ae_wcce_reply_encode(&w, &m.rq, &reply, NULL), AE_OK);
		(void)ae_mutate(w.p, w.len, mutated, &m);
		ae_wr_done(&w);
	}
}

static bool
tortured(void *arg)
{
	const struct ae_wcce_request *rq = arg;
	struct ae_arena *a = ae_arena_new(AE_WCCE_ARENA_MAX);
	struct ae_wcce_request out;
	struct ae_wcce_reply in, reply;
	struct ae_wr w;
	uint32_t refuse;
	bool ok;

	if (a == NULL)
		return false;
	sample_reply(&in, rq);
	ae_wr_init(&w, 1 << 16);
	ok = ae_wcce_request_encode(&w, rq, NULL) == AE_OK &&
	    ae_wcce_request_decode(&out, &refuse, rq->iface, rq->opnum, w.p,
		w.len, false, a, NULL) == AE_OK;
	ae_wr_reset(&w);
	ok = ok && ae_wcce_reply_encode(&w, rq, &in, NULL) == AE_OK &&
	    ae_wcce_reply_decode(&reply, rq, w.p, w.len, false, a, NULL) ==
		AE_OK;
	ok = ok && (in.message == NULL || reply.message != NULL);
	ae_wr_done(&w);
	ae_arena_free(a);
	return ok;
}

static void
torture(void **state)
{
	struct ae_wcce_request rq;
	size_t i;

	(void)state;
	for (i = 0; sample_request(&rq, i); i++)
		assert_true(ae_torture(tortured, &rq, 300, true) > 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables_are_sound),
		cmocka_unit_test(requests_round_trip),
		cmocka_unit_test(replies_round_trip),
		cmocka_unit_test(cve_2026_69395_answers_are_all_written),
		cmocka_unit_test(opnums_that_do_not_exist),
		cmocka_unit_test(interface_ids),
		cmocka_unit_test(icpr_attributes),
		cmocka_unit_test(padding_behind_the_arguments),
		cmocka_unit_test(big_endian_stubs),
		cmocka_unit_test(an_oversize_request_is_an_answer_not_a_fault),
		cmocka_unit_test(encoding_refuses_what_a_method_cannot_carry),
		cmocka_unit_test(mutations),
		cmocka_unit_test(torture),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
