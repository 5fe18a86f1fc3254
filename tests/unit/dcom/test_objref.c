/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Object references, bindings and contexts: round trips, hand-written
 * bytes, refusals, every mutation.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "dcom/actprops.h"
#include "dcom/objref.h"
#include "fixture.h"
#include "mutate.h"
#include "torture.h"

static struct ae_arena *arena;

static const struct ae_dcom_binding strings[] = {
	{ AE_DCOM_TOWER_TCP, "ca.example.test", 49500 },
	{ AE_DCOM_TOWER_TCP, "192.0.2.7", 0 },
	{ 0x0f, "\\\\CA[\\pipe\\cert]", 0 },
};
static const struct ae_dcom_security security[] = {
	{ 9, "host/ca.example.test" },
	{ 16, "" },
};
static const struct ae_dcom_bindings bindings = { strings, 3, security, 2 };

static void
bindings_round_trip(void **state)
{
	struct ae_dcom_bindings b;
	struct ae_dcom_dsa d;

	(void)state;
	assert_int_equal(
	    ae_dcom_bindings_put(&d, &bindings, true, arena, NULL), AE_OK);
	assert_int_equal(ae_dcom_bindings_get(&b, &d, arena, NULL), AE_OK);
	assert_int_equal(b.nstrings, 3);
	assert_string_equal(b.strings[0].host, "ca.example.test");
	assert_int_equal(b.strings[0].port, 49500);
	assert_string_equal(b.strings[1].host, "192.0.2.7");
	assert_int_equal(b.strings[1].port, 0);
	assert_int_equal(b.strings[2].tower, 0x0f);
	assert_string_equal(b.strings[2].host, "\\\\CA[\\pipe\\cert]");
	assert_int_equal(b.nsecurity, 2);
	assert_int_equal(b.security[0].service, 9);
	assert_string_equal(b.security[0].spn, "host/ca.example.test");
	assert_string_equal(b.security[1].spn, "");
	/* Without ports, as a resolver gives them. */
	assert_int_equal(
	    ae_dcom_bindings_put(&d, &bindings, false, arena, NULL), AE_OK);
	assert_int_equal(ae_dcom_bindings_get(&b, &d, arena, NULL), AE_OK);
	assert_int_equal(b.strings[0].port, 0);
}

static void
smallest_bindings(void **state)
{
	static const struct ae_dcom_bindings none = { 0 };
	uint16_t zeros[4] = { 0 };
	struct ae_dcom_dsa d = { 0 };
	struct ae_dcom_bindings b;

	(void)state;
	assert_int_equal(
	    ae_dcom_bindings_put(&d, &none, true, arena, NULL), AE_OK);
	assert_int_equal(d.entries, 4);
	assert_int_equal(d.security, 2);
	assert_memory_equal(d.units, zeros, sizeof(zeros));
	assert_int_equal(ae_dcom_bindings_get(&b, &d, arena, NULL), AE_OK);
	assert_int_equal(b.nstrings + b.nsecurity, 0);
	d = (struct ae_dcom_dsa){ 0 };
	assert_int_equal(ae_dcom_bindings_get(&b, &d, arena, NULL), AE_OK);
	assert_int_equal(b.nstrings, 0);
}

static void
bindings_refused(void **state)
{
	static uint16_t unended[] = { 7, 'a', 'b', 9 };
	static uint16_t open[] = { 7, 'a', 0 };
	static uint16_t surrogate[] = { 7, 0xd800, 0, 0, 0 };
	static uint16_t security_open[] = { 0, 9, 0xffff, 'x' };
	static uint16_t port[] = { 7, 'a', '[', '0', ']', 0, 0, 0 };
	static uint16_t high[] = { 7, 'a', '[', '6', '5', '5', '3', '6', ']', 0,
		0, 0 };
	static uint16_t tail[] = { 7, 'a', '[', '1', ']', 'x', 0, 0, 0 };
	static const struct ae_dcom_dsa bad[] = {
		{ 4, 3, unended },
		{ 4, 5, unended },
		{ 3, 3, open },
		{ 5, 4, surrogate },
		{ 4, 1, security_open },
		{ 8, 7, port },
		{ 12, 11, high },
		{ 9, 8, tail },
	};
	struct ae_dcom_bindings b;
	struct ae_err e;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		e = (struct ae_err)AE_ERR_INIT;
		if (ae_dcom_bindings_get(&b, &bad[i], arena, &e) != AE_EPROTO)
			fail_msg("row %zu was taken", i);
		assert_int_equal(e.code, AE_DCOM_E_INVALID_OBJREF);
	}
}

/* STDOBJREF and a smallest array, written out from 2.2.18. */
#define STD                                                                    \
	"\x00\x10\0\0\5\0\0\0\x88\x77\x66\x55\x44\x33\x22\x11\1\0\0\0\0\0\0\0" \
	"\x20\x21\x22\x23\x24\x25\x26\x27\x28\x29\x2a\x2b\x2c\x2d\x2e\x2f"
#define DSA "\4\0\2\0\0\0\0\0\0\0\0\0"
#define HEAD(kind)  \
	"MEOW" kind \
	"\0\0\0\x70\x6e\x9e\xd9\x88\xfc\xd0\x11\xb4\x98\0\xa0\xc9\3\x12\xf3"
#define GUID "\x01\0\0\0\0\0\0\0\xc0\0\0\0\0\0\0\x46"

static int
decode(struct ae_dcom_objref *o, const char *p, size_t len)
{
	return ae_dcom_objref_decode(o, (const uint8_t *)p, len, arena, NULL);
}
#define DECODE(o, s) decode(o, s, sizeof(s) - 1)

static void
kinds(void **state)
{
	struct ae_dcom_objref o;
	struct ae_wr w;

	(void)state;
	assert_int_equal(DECODE(&o, HEAD("\1") STD DSA), AE_OK);
	assert_int_equal(o.kind, AE_DCOM_OBJREF_STANDARD);
	assert_true(ae_guid_equal(&o.iid, &fixture_iid));
	assert_int_equal(o.std.flags, AE_DCOM_SORF_NOPING);
	assert_int_equal(o.std.refs, 5);
	assert_int_equal(o.std.oxid, 0x1122334455667788);
	assert_int_equal(o.std.oid, 1);
	assert_int_equal(o.std.ipid.d1, 0x23222120);
	assert_int_equal(o.resolver.entries, 4);
	ae_wr_init(&w, 4096);
	assert_int_equal(ae_dcom_objref_encode(&o, &w, NULL), AE_OK);
	assert_int_equal(w.len, sizeof(HEAD("\1") STD DSA) - 1);
	assert_memory_equal(w.p, HEAD("\1") STD DSA, w.len);
	ae_wr_done(&w);

	assert_int_equal(DECODE(&o, HEAD("\2") STD GUID DSA), AE_OK);
	assert_true(ae_guid_equal(&o.clsid, &ae_dcom_iid_class_factory));
	assert_int_equal(ae_dcom_objref_encode(&o, &w, NULL), AE_EINVAL);
	assert_int_equal(
	    DECODE(&o, HEAD("\4") GUID "\0\0\0\0\x0b\0\0\0abc"), AE_OK);
	assert_int_equal(o.data_len, 3);
	assert_memory_equal(o.data, "abc", 3);
	assert_int_equal(DECODE(&o,
			     HEAD("\x08") STD "VYSN" DSA "\1\0\0\0VYSN" GUID
					      "\3\0\0\0\x08\0\0\0abc"),
	    AE_OK);
	assert_int_equal(o.data_len, 3);
}

static void
refused(void **state)
{
	static const struct {
		const char *p;
		size_t len;
	} bad[] = {
#define B(s) { s, sizeof(s) - 1 }
		B("NEOW\1\0\0\0" GUID STD DSA),
		B(HEAD("\0") STD DSA),
		B(HEAD("\3") STD DSA),
		B(HEAD("\x10") STD DSA),
		B(HEAD("\1") STD "\5\0\2\0\0\0\0\0\0\0\0\0"),
		B(HEAD("\1") STD "\4\0\5\0\0\0\0\0\0\0\0\0"),
		B(HEAD("\1") STD "\xff\xff\2\0\0\0\0\0\0\0\0\0"),
		B(HEAD("\4") GUID "\0\0\0\0"),
		B(HEAD("\x08") STD "XYSN" DSA "\1\0\0\0VYSN" GUID
				   "\3\0\0\0\x08\0\0\0abc"),
		B(HEAD("\x08") STD "VYSN" DSA "\2\0\0\0VYSN" GUID
				   "\3\0\0\0\x08\0\0\0abc"),
		B(HEAD("\x08") STD "VYSN" DSA "\1\0\0\0VYSN" GUID
				   "\3\0\0\0\4\0\0\0abc"),
		B(HEAD("\x08") STD "VYSN" DSA "\1\0\0\0VYSN" GUID
				   "\0\0\0\0\0\0\0\0abc"),
	};
	struct ae_dcom_objref o;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (decode(&o, bad[i].p, bad[i].len) != AE_EPROTO)
			fail_msg("row %zu was taken", i);
	for (i = 0; i < sizeof(HEAD("\1") STD DSA) - 1; i++)
		assert_int_equal(decode(&o, HEAD("\1") STD DSA, i), AE_EPROTO);
}

#define CTX_HEAD "MEOW\4\0\0\0\xc0\1\0\0\0\0\0\0\xc0\0\0\0\0\0\0\x46"
#define CTX_CLASS "\x3b\3\0\0\0\0\0\0\xc0\0\0\0\0\0\0\x46\0\0\0\0\0\0\0\0"
#define CTX(flags, extents, count)                                        \
	CTX_HEAD CTX_CLASS "\1\0\1\0" GUID flags "\0\0\0\0\0\0\0" extents \
			   "\0\0\0\0\0\0\0\0\0\0\0" count "\0\0\0\1\0\0\0"

static void
contexts(void **state)
{
	static const struct {
		const char *p;
		size_t len;
		bool ok;
	} all[] = {
#define C(ok, s) { s, sizeof(s) - 1, ok }
		C(true, CTX("\2", "\0", "\0")),
		C(true, CTX("\2", "\0", "\1") GUID GUID "\1\0\0\0\2\0\0\0ab"),
		C(false, CTX("\2", "\0", "\1") GUID GUID "\1\0\0\0\3\0\0\0ab"),
		C(false, CTX("\2", "\0", "\1")),
		C(false, CTX("\2", "\0", "\x7f")),
		C(false, CTX("\1", "\0", "\0")),
		C(false, CTX("\2", "\1", "\0")),
		C(false, CTX_HEAD CTX_CLASS "\1\0"),
		C(false, HEAD("\4") CTX_CLASS "\1\0\1\0"),
		C(false, HEAD("\1") STD DSA),
		C(false, ""),
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		uint8_t copy[200];
		struct ae_dcom_mip m = { (uint32_t)all[i].len, copy };

		memcpy(copy, all[i].p, all[i].len);
		if (ae_dcom_context_ok(&m, arena) != all[i].ok)
			fail_msg("row %zu", i);
	}
}

static void
look(const uint8_t *p, size_t len, void *arg)
{
	struct ae_arena *a = ae_arena_new(1 << 17);
	struct ae_dcom_bindings b;
	struct ae_dcom_objref o;

	(void)arg;
	if (ae_dcom_objref_decode(&o, p, len, a, NULL) == AE_OK &&
	    o.kind != AE_DCOM_OBJREF_CUSTOM)
		(void)!ae_dcom_bindings_get(&b, &o.resolver, a, NULL);
	ae_arena_free(a);
}

static void
mutated(void **state)
{
	struct ae_dcom_objref o = { .kind = AE_DCOM_OBJREF_STANDARD };
	struct ae_wr w;

	(void)state;
	assert_int_equal(
	    ae_dcom_bindings_put(&o.resolver, &bindings, true, arena, NULL),
	    AE_OK);
	ae_wr_init(&w, 4096);
	assert_int_equal(ae_dcom_objref_encode(&o, &w, NULL), AE_OK);
	assert_int_equal(ae_mutate(w.p, w.len, look, NULL), 13 * w.len);
	ae_wr_done(&w);
}

static const struct ae_guid iids[2] = { { .d1 = 1 }, { .d1 = 2 } };

/* Our own request; copies it so that it can be broken. */
static struct ae_dcom_mip *
request(struct ae_arena *a, struct ae_err *e)
{
	const struct ae_dcom_props_in in = {
		.clsid = { .d1 = 9 }, .iids = iids, .niids = 2
	};
	const struct ae_dcom_version v = { 5, 7 };

	return ae_dcom_props_in_put(&in, &v, a, e);
}

static void
activation_properties(void **state)
{
	struct ae_dcom_mip *m = request(arena, NULL);
	struct ae_dcom_props_in in;
	uint32_t hr = 0;

	(void)state;
	assert_non_null(m);
	assert_int_equal(ae_dcom_props_in_get(&in, m, arena, &hr, NULL), AE_OK);
	assert_int_equal(in.clsid.d1, 9);
	assert_int_equal(in.niids, 2);
	assert_true(ae_guid_equal(&in.iids[1], &iids[1]));
	/* No interface pointer at all; another class's; cut off. */
	assert_int_equal(
	    ae_dcom_props_in_get(&in, NULL, arena, &hr, NULL), AE_EPROTO);
	assert_int_equal(hr, AE_DCOM_E_INVALID_OBJREF);
	m->data[24] ^= 1;
	assert_int_equal(
	    ae_dcom_props_in_get(&in, m, arena, &hr, NULL), AE_EPROTO);
	assert_int_equal(hr, AE_DCOM_E_INVALID_OBJREF);
	m->data[24] ^= 1;
	m->len -= 8;
	hr = 0;
	assert_int_equal(
	    ae_dcom_props_in_get(&in, m, arena, &hr, NULL), AE_EPROTO);
	assert_int_equal(hr, AE_DCOM_E_INVALIDARG);
}

/* Take one property's class id for another and see what is said. */
static void
missing_and_double_properties(void **state)
{
	static const struct {
		uint8_t from, to;
		const char *text;
	} rows[] = {
		{ 0xab, 0xee,
		    "InstantiationInfoData: activation properties: "
		    "missing" },
		{ 0xa4, 0xee, "LocationInfoData" },
		{ 0xaa, 0xee, "ScmRequestInfoData" },
		{ 0xa4, 0xaa, "twice" },
	};
	struct ae_dcom_props_in in;
	struct ae_dcom_mip *m;
	size_t i, j, hits;
	uint32_t hr;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ae_err e = AE_ERR_INIT;

		m = request(arena, NULL);
		assert_non_null(m);
		for (j = hits = 0; j + 16 <= m->len; j++) {
			if (m->data[j] != rows[i].from ||
			    memcmp(m->data + j + 1, "\1\0\0\0\0\0\0\xc0", 8) !=
				0)
				continue;
			m->data[j] = rows[i].to;
			hits++;
		}
		assert_int_equal(hits, 1);
		assert_int_equal(
		    ae_dcom_props_in_get(&in, m, arena, &hr, &e), AE_EPROTO);
		assert_int_equal(hr, AE_DCOM_E_INVALIDARG);
		if (strstr(e.text, rows[i].text) == NULL)
			fail_msg("%s", e.text);
	}
}

static void
look_at_props(const uint8_t *p, size_t len, void *arg)
{
	struct ae_arena *a = ae_arena_new(1 << 17);
	struct ae_dcom_props_reply reply;
	struct ae_dcom_props_in in;
	struct ae_dcom_mip m = { (uint32_t)len, NULL };
	uint32_t hr = 0;

	(void)arg;
	m.data = ae_arena_dup(a, p, len);
	if (ae_dcom_props_in_get(&in, &m, a, &hr, NULL) != AE_OK)
		assert_int_not_equal(hr, 0);
	(void)!ae_dcom_props_reply_get(&reply, &m, a, NULL);
	ae_arena_free(a);
}

static void
properties_mutated(void **state)
{
	struct ae_dcom_mip *m = request(arena, NULL);

	(void)state;
	assert_non_null(m);
	assert_int_equal(
	    ae_mutate(m->data, m->len, look_at_props, NULL), 13 * m->len);
}

static bool
work(void *arg)
{
	struct ae_arena *a = ae_arena_new(1 << 16);
	struct ae_err e = AE_ERR_INIT;
	struct ae_dcom_props_in in;
	struct ae_dcom_mip *m;
	uint32_t hr = 0;
	bool ok;

	(void)arg;
	if (a == NULL)
		return false;
	m = request(a, &e);
	ok = m != NULL && ae_dcom_props_in_get(&in, m, a, &hr, &e) == AE_OK;
	if (!ok)
		assert_int_equal(e.rc, AE_ENOMEM);
	ae_arena_free(a);
	return ok;
}

static void
torture(void **state)
{
	(void)state;
	assert_true(ae_torture(work, NULL, 200, true) > 3);
}

static int
setup(void **state)
{
	(void)state;
	arena = ae_arena_new(1 << 20);
	return arena == NULL;
}

static int
teardown(void **state)
{
	(void)state;
	ae_arena_free(arena);
	return 0;
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(bindings_round_trip),
		T(smallest_bindings),
		T(bindings_refused),
		T(kinds),
		T(refused),
		T(contexts),
		T(mutated),
		T(activation_properties),
		T(missing_and_double_properties),
		T(properties_mutated),
		T(torture),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
