/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The database's columns, restrictions over them, and rows on the wire.
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
#include "wcce/admin_view.h"

static void
the_schema(void **state)
{
	static const uint32_t tables[] = { 0, 0x3000, 0x4000, 0x5000 };
	static const size_t counts[] = { 81, 4, 3, 18 };
	const struct ae_admin_column *v;
	const uint32_t *set;
	size_t n, i, k;
	uint32_t number;

	(void)state;
	for (i = 0; i < 4; i++) {
		v = ae_admin_columns(tables[i], &n);
		assert_int_equal(n, counts[i]);
		for (k = 0; k < n; k++) {
			assert_true(k == 0 || v[k].id > v[k - 1].id);
			assert_ptr_equal(ae_admin_column_find(v[k].id), &v[k]);
			assert_ptr_equal(
			    ae_admin_column_named(v[k].name), &v[k]);
			assert_int_equal(
			    ae_admin_column_is_request(v[k].id), i == 0);
			assert_int_equal(
			    ae_admin_column_is_crl(v[k].id), i == 3);
		}
	}
	assert_null(ae_admin_columns(1, &n));
	assert_null(ae_admin_column_find(0x1fff));
	assert_null(ae_admin_column_named("Request.Password"));
	for (number = 0xfffffff9; number != 0; number++) {
		set = ae_admin_default_columns(number, &n);
		assert_non_null(set);
		for (i = 0; i < n; i++)
			assert_non_null(ae_admin_column_find(set[i]));
	}
	assert_null(ae_admin_default_columns(0xfffffff8, &n));
	assert_null(ae_admin_default_columns(0, &n));
}

static int
parse(struct ae_admin_filter *f, struct ae_arena *a, uint32_t column,
    uint32_t seek, uint32_t sort, const void *p, uint32_t len)
{
	const struct ae_admin_restriction r = { column, seek, sort, p, len };

	return ae_admin_filter_parse(f, &r, a, NULL);
}

static void
restrictions_that_make_no_sense(void **state)
{
	/* column, operator, order, value */
	static const struct {
		uint32_t column, seek, sort, len;
		const char *value;
		int rc;
	} v[] = {
		{ 0x1000, 1, 0, 4, "\1\0\0\0", AE_OK },
		{ 0x1000, 1, 2, 4, "\1\0\0\0", AE_OK },
		{ 0x1000, 0, 1, 0, "", AE_OK },
		{ 0x1000, 0, 0, 0, "", AE_EINVAL },
		{ 0x1000, 0, 1, 4, "\1\0\0\0", AE_OK },
		{ 0x1000, 3, 0, 4, "\1\0\0\0", AE_EINVAL },
		{ 0x1000, 0x20, 0, 4, "\1\0\0\0", AE_EINVAL },
		{ 0x1000, 1, 3, 4, "\1\0\0\0", AE_EINVAL },
		{ 0x1000, 1, 0xffffffff, 4, "\1\0\0\0", AE_EINVAL },
		{ 0x1000, 1, 0, 3, "\1\0\0", AE_EINVAL },
		{ 0x1000, 1, 0, 5, "\1\0\0\0\0", AE_EINVAL },
		{ 0x0fff, 1, 0, 4, "\1\0\0\0", AE_EINVAL },
		{ 0x100b, 1, 0, 8, "\1\0\0\0\0\0\0\1", AE_OK },
		{ 0x100b, 1, 0, 4, "\1\0\0\0", AE_EINVAL },
		{ 0x2001, 1, 0, 2, "\x30\0", AE_OK },
		{ 0x2001, 2, 0, 2, "\x30\0", AE_EINVAL },
		{ 0x1010, 1, 0, 4, "A\0\0\0", AE_OK },
		{ 0x1010, 1, 0, 2, "A\0", AE_OK },
		{ 0x1010, 1, 0, 0, "", AE_OK },
		{ 0x1010, 1, 0, 3, "A\0\0", AE_EINVAL },
		{ 0x1010, 1, 0, 6, "A\0\0\0B\0", AE_EINVAL },
		{ 0x1010, 1, 0, 2, "\0\xd8", AE_EINVAL },
	};
	struct ae_arena *a = ae_arena_new(1 << 16);
	struct ae_admin_filter f;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++)
		if (parse(&f, a, v[i].column, v[i].seek, v[i].sort, v[i].value,
			v[i].len) != v[i].rc)
			fail_msg("row %zu", i);
	ae_arena_free(a);
}

static void
operators(void **state)
{
	static const uint32_t seeks[] = { 1, 2, 4, 8, 16 };
	/* how -1, 0 and 1 compare with 0 by them */
	static const bool want[5][3] = { { 0, 1, 0 }, { 1, 0, 0 }, { 1, 1, 0 },
		{ 0, 1, 1 }, { 0, 0, 1 } };
	const struct ae_admin_value none = { .type = AE_ADMIN_NONE };
	struct ae_arena *a = ae_arena_new(1 << 16);
	struct ae_admin_value have = { .type = AE_ADMIN_LONG };
	struct ae_admin_filter f;
	size_t i;
	int k;

	(void)state;
	for (i = 0; i < 5; i++) {
		assert_int_equal(
		    parse(&f, a, 0x1009, seeks[i], 0, "\0\0\0\0", 4), AE_OK);
		for (k = -1; k <= 1; k++) {
			have.number = (uint32_t)k;
			assert_int_equal(
			    ae_admin_filter_match(&f, &have), want[i][k + 1]);
		}
		assert_false(ae_admin_filter_match(&f, &none));
	}
	/* text in any case, but for serial numbers */
	have = (struct ae_admin_value){ .type = AE_ADMIN_STRING,
		.text = "lab\\ALICE" };
	assert_int_equal(parse(&f, a, 0x1010, 1, 0,
			     "l\0a\0b\0\\\0a\0l\0i\0c\0"
			     "e\0\0",
			     20),
	    AE_OK);
	assert_true(ae_admin_filter_match(&f, &have));
	have.text = "1F";
	assert_int_equal(parse(&f, a, 0x2007, 1, 0, "1\0f\0", 4), AE_OK);
	assert_false(ae_admin_filter_match(&f, &have));
	have.text = "1f";
	assert_true(ae_admin_filter_match(&f, &have));
	/* an order alone lets everything pass */
	assert_int_equal(parse(&f, a, 0x2007, 0, 1, NULL, 0), AE_OK);
	assert_true(ae_admin_filter_match(&f, &none));
	ae_arena_free(a);
}

static const uint32_t ids[] = { 0x1000, 0x100b, 0x1001, 0x1010, 0x2007 };
static const struct ae_admin_value values[] = {
	{ .type = AE_ADMIN_LONG, .number = 0xfffffff0 },
	{ .type = AE_ADMIN_DATE, .date = 133000000000000001 },
	{ .type = AE_ADMIN_BINARY, .p = (const uint8_t *)"\x30\1\2", .len = 3 },
	{ .type = AE_ADMIN_STRING, .text = "LAB\\J\xc3\xb6rg" },
	{ .type = AE_ADMIN_NONE },
};

static void
put_two(struct ae_wr *w)
{
	ae_wr_init(w, 1 << 16);
	ae_admin_put_row(w, 17, ids, values, 5);
	ae_admin_put_row(w, 18, ids + 2, values + 2, 1);
	ae_admin_put_end(w, 2);
	assert_true(ae_wr_ok(w));
}

static void
rows(void **state)
{
	struct ae_arena *a = ae_arena_new(1 << 16);
	struct ae_err e = AE_ERR_INIT;
	struct ae_admin_row *v;
	int64_t total;
	struct ae_wr w;
	size_t i;

	(void)state;
	put_two(&w);
	if (ae_admin_get_rows(&v, 2, &total, w.p, w.len, a, &e) != AE_OK)
		fail_msg("%s", e.text);
	assert_int_equal(total, 2);
	assert_int_equal(v[0].id, 17);
	assert_int_equal(v[0].n, 5);
	for (i = 0; i < 5; i++) {
		assert_int_equal(v[0].ids[i], ids[i]);
		assert_int_equal(v[0].values[i].type, values[i].type);
		assert_int_equal(
		    ae_admin_value_compare(ids[i], &v[0].values[i], &values[i]),
		    0);
	}
	/* without the extra row it goes on */
	assert_int_equal(
	    ae_admin_get_rows(&v, 2, &total, w.p, w.len - 12, a, &e), AE_OK);
	assert_int_equal(total, -1);
	assert_int_equal(
	    ae_admin_get_rows(&v, 3, &total, w.p, w.len - 12, a, &e),
	    AE_EPROTO);
	assert_int_equal(
	    ae_admin_get_rows(&v, 1000000, &total, w.p, w.len, a, &e),
	    AE_EPROTO);
	ae_wr_done(&w);
	ae_arena_free(a);
}

static void
columns_both_ways(void **state)
{
	struct ae_arena *a = ae_arena_new(1 << 18);
	const struct ae_admin_column *v;
	struct ae_admin_column *back;
	struct ae_err e = AE_ERR_INIT;
	struct ae_wr w;
	size_t n, i;

	(void)state;
	v = ae_admin_columns(AE_ADMIN_TABLE_REQUEST, &n);
	ae_wr_init(&w, 1 << 18);
	ae_admin_put_columns(&w, v, n);
	assert_true(ae_wr_ok(&w));
	if (ae_admin_get_columns(&back, n, w.p, w.len, a, &e) != AE_OK)
		fail_msg("%s", e.text);
	for (i = 0; i < n; i++) {
		assert_int_equal(back[i].id, v[i].id);
		assert_int_equal(back[i].type, v[i].type);
		assert_int_equal(back[i].max, v[i].max);
		assert_string_equal(back[i].name, v[i].name);
		assert_string_equal(back[i].display, v[i].display);
	}
	assert_int_equal(
	    ae_admin_get_columns(&back, n, w.p, 20 * n, a, &e), AE_EPROTO);
	assert_int_equal(
	    ae_admin_get_columns(&back, 100000, w.p, w.len, a, &e), AE_EPROTO);
	ae_wr_done(&w);
	ae_arena_free(a);
}

static void
get_any(const uint8_t *p, size_t len, void *arg)
{
	struct ae_arena *a = ae_arena_new(1 << 20);
	struct ae_admin_column *c;
	struct ae_admin_row *v;
	int64_t total;

	(void)arg;
	(void)!ae_admin_get_rows(&v, 2, &total, p, len, a, NULL);
	(void)!ae_admin_get_columns(&c, 2, p, len, a, NULL);
	ae_arena_free(a);
}

static void
mutations(void **state)
{
	const struct ae_admin_column *v;
	struct ae_wr w;
	size_t n;

	(void)state;
	put_two(&w);
	assert_true(ae_mutate(w.p, w.len, get_any, NULL) > 1000);
	ae_wr_reset(&w);
	v = ae_admin_columns(AE_ADMIN_TABLE_CRL, &n);
	ae_admin_put_columns(&w, v, 2);
	assert_true(ae_mutate(w.p, w.len, get_any, NULL) > 1000);
	ae_wr_done(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_schema),
		cmocka_unit_test(restrictions_that_make_no_sense),
		cmocka_unit_test(operators),
		cmocka_unit_test(rows),
		cmocka_unit_test(columns_both_ways),
		cmocka_unit_test(mutations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
