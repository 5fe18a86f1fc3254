/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Tests of the text forms: utf16, hex, guid, sid, time, str.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/guid.h"
#include "base/hex.h"
#include "base/sid.h"
#include "base/str.h"
#include "base/time.h"
#include "base/utf16.h"
#include "mutate.h"

static void
utf16_round_trip(void **state)
{
	static const char *const texts[] = { "", "abc", "M\xc3\xbcnchen",
		"\xe2\x82\xac", "\xf0\x9f\x98\x80x" };
	struct ae_arena *a = ae_arena_new(4096);
	struct ae_wr w;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		ae_wr_init(&w, 100);
		assert_true(ae_utf16_put(&w, texts[i]));
		assert_int_equal(w.len, 2 * ae_utf16_units(texts[i]));
		assert_string_equal(
		    ae_utf16_to_utf8(a, w.p, w.len / 2), texts[i]);
		ae_wr_done(&w);
	}
	ae_arena_free(a);
}

static void
strings_utf16_refuses(void **state)
{
	static const struct {
		const char *b;
		size_t units;
	} bad[] = {
		{ "a\0\0\0", 2 },	   /* U+0000 */
		{ "\x00\xd8", 1 },	   /* lone high surrogate */
		{ "\x00\xdc", 1 },	   /* lone low surrogate */
		{ "\x00\xd8\x61\x00", 2 }, /* high surrogate, then a letter */
	};
	static const char *const bad8[] = { "\xc0\x80", "\xff", "\xe2\x82",
		"\xed\xa0\x80", "\xf4\x90\x80\x80", "\x80", "\xc1\xbf" };
	struct ae_arena *a = ae_arena_new(4096);
	struct ae_wr w;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(
		    ae_utf16_valid((const uint8_t *)bad[i].b, bad[i].units));
		assert_null(ae_utf16_to_utf8(
		    a, (const uint8_t *)bad[i].b, bad[i].units));
	}
	ae_wr_init(&w, 100);
	for (i = 0; i < sizeof(bad8) / sizeof(bad8[0]); i++) {
		assert_false(ae_utf8_valid(bad8[i]));
		assert_false(ae_utf16_put(&w, bad8[i]));
	}
	assert_int_equal(w.len, 0);
	ae_wr_done(&w);
	ae_arena_free(a);
}

static void
hex(void **state)
{
	uint8_t b[4];
	char out[9];

	(void)state;
	assert_true(ae_hex_decode(b, 4, "00fFa5Ab"));
	ae_hex_encode(out, b, 4);
	assert_string_equal(out, "00ffa5ab");
	assert_false(ae_hex_decode(b, 4, "00ffa5a"));
	assert_false(ae_hex_decode(b, 4, "00ffa5ag"));
	assert_false(ae_hex_decode(b, 4, "00ffa5ab0"));
	assert_false(ae_hex_decode(b, 1, "+1"));
}

static void
guids(void **state)
{
	static const char text[] = "d99e6e70-fc88-11d0-b498-00a0c90312f3";
	static const uint8_t wire[] = { 0x70, 0x6e, 0x9e, 0xd9, 0x88, 0xfc,
		0xd0, 0x11, 0xb4, 0x98, 0x00, 0xa0, 0xc9, 0x03, 0x12, 0xf3 };
	struct ae_guid g, h;
	char out[AE_GUID_STR_MAX];
	struct ae_wr w;
	struct ae_rd r;

	(void)state;
	assert_true(ae_guid_parse(&g, text));
	assert_string_equal(ae_guid_print(out, &g), text);
	assert_true(
	    ae_guid_parse(&h, "{D99E6E70-FC88-11D0-B498-00A0C90312F3}"));
	assert_true(ae_guid_equal(&g, &h));
	assert_false(ae_guid_is_nil(&g));
	ae_wr_init(&w, 16);
	ae_guid_put(&w, &g);
	assert_memory_equal(w.p, wire, 16);
	ae_rd_init(&r, wire, 16);
	h = ae_guid_get(&r);
	assert_true(ae_rd_done(&r) && ae_guid_equal(&g, &h));
	ae_wr_done(&w);
	assert_false(ae_guid_parse(&g, "d99e6e70-fc88-11d0-b49800a0c90312f3"));
	assert_false(ae_guid_parse(&g, "d99e6e70-fc88-11d0-b498-00a0c90312fx"));
	assert_false(ae_guid_parse(&g, "d99e6e7--fc88-11d0-b498-00a0c90312f3"));
	assert_false(
	    ae_guid_parse(&g, "{d99e6e70-fc88-11d0-b498-00a0c90312f3"));
	assert_false(ae_guid_parse(&g, ""));
}

static void
sids(void **state)
{
	static const char text[] =
	    "S-1-5-21-1004336348-1177238915-682003330-512";
	static const char *const bad[] = { "", "S-1", "S-1-5", "S-2-5-1",
		"S-1-5-", "S-1-5-x", "S-1-5-4294967296", "S-1-5-+1",
		"S-1-281474976710656-1",
		"S-1-5-1-1-1-1-1-1-1-1-1-1-1-1-1-1-1-1", "S-1-5-1 " };
	struct ae_sid s, t, v[3];
	char out[AE_SID_STR_MAX];
	struct ae_wr w;
	struct ae_rd r;
	size_t i;

	(void)state;
	assert_true(ae_sid_parse(&s, text));
	assert_string_equal(ae_sid_print(out, &s), text);
	ae_wr_init(&w, 100);
	ae_sid_put(&w, &s);
	assert_int_equal(w.len, 8 + 4 * 5);
	ae_rd_init(&r, w.p, w.len);
	t = ae_sid_get(&r);
	assert_true(ae_rd_done(&r) && ae_sid_equal(&s, &t));
	w.p[0] = 2;
	ae_rd_init(&r, w.p, w.len);
	(void)ae_sid_get(&r);
	assert_false(ae_rd_ok(&r));
	w.p[0] = 1;
	w.p[1] = 16;
	ae_rd_init(&r, w.p, w.len);
	(void)ae_sid_get(&r);
	assert_false(ae_rd_ok(&r));
	ae_wr_done(&w);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(ae_sid_parse(&t, bad[i]));
	assert_true(ae_sid_parse(&t, "S-1-0x1000000000000-1") == false);
	assert_true(ae_sid_parse(&t, "S-1-0x100000000-1"));
	assert_string_equal(ae_sid_print(out, &t), "S-1-0x000100000000-1");
	assert_true(ae_sid_parse(&v[0], "S-1-5-32-544"));
	assert_true(ae_sid_parse(&v[1], "S-1-1-0"));
	v[2] = s;
	ae_sid_sort(v, 3);
	assert_true(ae_sid_in(v, 3, &s));
	assert_false(ae_sid_in(v, 3, &t));
	assert_false(ae_sid_in(v, 0, &s));
	assert_true(ae_sid_append(&t, &s, 7));
	assert_int_equal(t.sub[t.nsubs - 1], 7);
	t.nsubs = AE_SID_SUBS_MAX;
	assert_false(ae_sid_append(&t, &t, 7));
}

static void
times(void **state)
{
	/* pKIExpirationPeriod of one year as stock templates carry it. */
	static const uint8_t year[8] = { 0x00, 0x40, 0x39, 0x87, 0x2e, 0xe1,
		0xfe, 0xff };
	uint8_t p[8];
	char out[AE_TIME_STR_MAX];
	int64_t t;

	(void)state;
	assert_int_equal(ae_span_from_period(year), 365 * 86400);
	ae_span_to_period(p, 365 * 86400);
	assert_memory_equal(p, year, 8);
	assert_int_equal(ae_span_from_period((const uint8_t[8]){ 1 }), -1);
	assert_true(ae_time_from_filetime(116444736000000000u) == 0);
	assert_true(ae_time_to_filetime(0) == 116444736000000000u);
	assert_true(ae_time_from_filetime(0x7fffffffffffffff) == INT64_MAX);
	assert_true(ae_time_from_filetime(0) == INT64_MAX);
	assert_true(ae_time_to_filetime(INT64_MIN) == 0);
	assert_true(ae_time_to_filetime(INT64_MAX) == INT64_MAX);
	assert_string_equal(
	    ae_time_print(out, 1795000000), "2026-11-18T11:06:40Z");
	assert_true(ae_time_parse(&t, "2026-11-18T11:06:40Z"));
	assert_true(t == 1795000000);
	assert_false(ae_time_parse(&t, "2026-02-31T00:00:00Z"));
	assert_false(ae_time_parse(&t, "2026-11-18T11:06:40"));
	assert_true(ae_time_parse_http(&t, "Wed, 18 Nov 2026 11:06:40 GMT"));
	assert_true(t == 1795000000);
	assert_false(ae_time_parse_http(&t, "Tue, 18 Nov 2026 11:06:40 GMT"));
	assert_false(ae_time_parse_http(&t, "Wed, 18 Nov 2026 11:06:40"));
	assert_false(ae_time_parse_http(&t, "Wed, 8 Nov 2026 11:06:40 GMT"));
	assert_false(ae_time_parse_http(&t, "Wed, 31 Nov 2026 11:06:40 GMT"));
	assert_false(ae_time_parse_http(&t, ""));
	assert_true(t == 1795000000);
	assert_string_equal(ae_time_print(out, ae_time_add_months(t, 14)),
	    "2028-01-18T11:06:40Z");
	assert_true(ae_time_add_months(t, 0) == t);
	assert_string_equal(ae_time_print(out, INT64_MAX), "never");
	assert_string_equal(ae_span_print(out, 365 * 86400), "1 year");
	assert_string_equal(ae_span_print(out, 42 * 86400), "6 weeks");
	assert_string_equal(ae_span_print(out, 5400), "90 min");
	assert_string_equal(ae_span_print(out, 0), "0 s");
}

static void
strings(void **state)
{
	struct ae_strv l = { 0 };
	char out[32];

	(void)state;
	assert_true(ae_strv_add(&l, "One") && ae_strv_add(&l, "two"));
	assert_true(ae_strv_has(&l, "One"));
	assert_false(ae_strv_has(&l, "one"));
	assert_true(ae_strv_has_nocase(&l, "one"));
	ae_strv_done(&l);
	assert_int_equal(l.n, 0);
	assert_true(ae_str_eq_nocase("aBc", "AbC"));
	assert_false(ae_str_eq_nocase("abc", "abcd"));
	assert_false(ae_str_eq_nocase("[", "{"));
	assert_string_equal(ae_str_quote(out, sizeof(out), "a\n\"\x1b[", 5),
	    "a\\x0a\\x22\\x1b[");
	assert_string_equal(ae_str_quote(out, 8, "abcdefghij", 10), "abcd...");
	assert_string_equal(ae_str_quote(out, 8, "abcdefg", 7), "abcdefg");
	assert_string_equal(ae_str_quote(out, 1, "abc", 3), "");
}

static void
sid_any(const uint8_t *p, size_t len, void *arg)
{
	char out[AE_SID_STR_MAX];
	struct ae_rd r;
	struct ae_sid s;

	ae_rd_init(&r, p, len);
	s = ae_sid_get(&r);
	(void)ae_sid_print(out, &s);
	*(size_t *)arg += ae_rd_done(&r);
}

static void
sid_mutated(void **state)
{
	static const uint8_t b[] = { 1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 32, 2,
		0, 0 };
	size_t good = 0;

	(void)state;
	assert_true(ae_mutate(b, sizeof(b), sid_any, &good) > good);
	assert_true(good > 0);
}

/* What a terminal or a reader obeys is not shown as it is. */
static void
utf8_shown(void **state)
{
	static const char *const as_it_is[] = { "a", " ", "~", "\xc3\xa9",
		"\xc2\xa0", "\xd8\xa7", "\xd7\x90", "\xe2\x80\x93",
		"\xe2\x82\xac", "\xf0\x9f\x98\x80" };
	static const char *const obeyed[] = { "\x1b", "\x07", "\n", "\x7f",
		"\xc2\x9b", "\xe2\x80\xae", "\xe2\x80\xa8", "\xe2\x81\xa6",
		"\xe2\x80\x8e", "\xe2\x80\x8f", "\xd8\x9c", "\xff", "\xc0\xaf",
		"\xc3", "\xe2\x80", "\xed\xa0\x80", "\xe0\x80\xaf",
		"\xf5\x80\x80\x80" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(as_it_is) / sizeof(as_it_is[0]); i++)
		assert_int_equal(
		    ae_utf8_shown(as_it_is[i], strlen(as_it_is[i])),
		    strlen(as_it_is[i]));
	for (i = 0; i < sizeof(obeyed) / sizeof(obeyed[0]); i++)
		assert_int_equal(
		    ae_utf8_shown(obeyed[i], strlen(obeyed[i])), 0);
	assert_int_equal(ae_utf8_shown("a", 0), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(utf16_round_trip),
		cmocka_unit_test(strings_utf16_refuses),
		cmocka_unit_test(hex),
		cmocka_unit_test(guids),
		cmocka_unit_test(sids),
		cmocka_unit_test(times),
		cmocka_unit_test(strings),
		cmocka_unit_test(sid_mutated),
		cmocka_unit_test(utf8_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
