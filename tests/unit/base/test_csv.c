/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Tests of base/csv.h: the bytes, one by one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/csv.h"

static void
utf16_bytes(void **state)
{
	static const char *const row[] = { "Id", "a\"b", "\xc3\xbc", NULL };
	static const uint8_t want[] = { 0xff, 0xfe,	/* mark */
		'"', 0, 'I', 0, 'd', 0, '"', 0, ',', 0, /* "Id", */
		'"', 0, 'a', 0, '"', 0, '"', 0, 'b', 0, '"', 0, ',', 0, '"', 0,
		0xfc, 0, '"', 0, ',', 0, /* ü */
		'"', 0, '"', 0, '\r', 0, '\n', 0 };
	struct ae_wr w;

	(void)state;
	ae_wr_init(&w, 1000);
	ae_csv_begin(&w, AE_CSV_UTF16);
	assert_true(ae_csv_row(&w, AE_CSV_UTF16, row, 4));
	assert_true(ae_wr_ok(&w));
	assert_int_equal(w.len, sizeof(want));
	assert_memory_equal(w.p, want, sizeof(want));
	ae_wr_done(&w);
}

static void
utf8_text(void **state)
{
	static const char *const row[] = { "x,y", "two\r\nlines", "\"\"", "" };
	struct ae_wr w;

	(void)state;
	ae_wr_init(&w, 1000);
	ae_csv_begin(&w, AE_CSV_UTF8);
	assert_true(ae_csv_row(&w, AE_CSV_UTF8, row, 4));
	assert_string_equal(
	    ae_wr_cstr(&w), "\"x,y\",\"two\r\nlines\",\"\"\"\"\"\",\"\"\r\n");
	ae_wr_done(&w);
}

/* Longer than the pieces in which text is converted, whatever they cut. */
static void
long_fields(void **state)
{
	char text[1200];
	const char *row[] = { text };
	struct ae_wr w;
	size_t lead, i, n;

	(void)state;
	for (lead = 0; lead < 4; lead++) {
		memset(text, 'a', lead);
		for (n = lead, i = 0; i < 270; i++, n += 4)
			memcpy(text + n, "\xf0\x9f\x98\x80", 4);
		text[n] = '\0';
		ae_wr_init(&w, 10000);
		assert_true(ae_csv_row(&w, AE_CSV_UTF16, row, 1));
		assert_int_equal(w.len, 2 * (1 + lead + 2 * 270 + 1 + 2));
		for (i = 0; i < 270; i++)
			assert_memory_equal(w.p + 2 * (1 + lead) + 4 * i,
			    "\x3d\xd8\x00\xde", 4);
		ae_wr_done(&w);
	}
}

static void
not_utf8(void **state)
{
	static const char *const row[] = { "fine", "\xff" };
	struct ae_wr w;

	(void)state;
	ae_wr_init(&w, 1000);
	assert_false(ae_csv_row(&w, AE_CSV_UTF16, row, 2));
	assert_false(ae_csv_row(&w, AE_CSV_UTF8, row, 2));
	assert_int_equal(w.len, 0);
	ae_wr_done(&w);
}

static void
too_much(void **state)
{
	static const char *const row[] = { "0123456789" };
	struct ae_wr w;

	(void)state;
	ae_wr_init(&w, 20);
	assert_true(ae_csv_row(&w, AE_CSV_UTF16, row, 1));
	assert_false(ae_wr_ok(&w));
	ae_wr_done(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(utf16_bytes),
		cmocka_unit_test(utf8_text),
		cmocka_unit_test(long_fields),
		cmocka_unit_test(not_utf8),
		cmocka_unit_test(too_much),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
