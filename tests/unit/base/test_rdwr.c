/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Tests of base/rd.h and base/wr.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/rd.h"
#include "base/wr.h"
#include "mutate.h"
#include "torture.h"

static void
reads_in_order(void **state)
{
	static const uint8_t b[] = { 1, 2, 0, 3, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0,
		0, 9 };
	struct ae_rd r, s;

	(void)state;
	ae_rd_init(&r, b, sizeof(b));
	assert_int_equal(ae_rd_u8(&r), 1);
	assert_int_equal(ae_rd_u16(&r), 2);
	assert_int_equal(ae_rd_u32(&r), 3);
	assert_int_equal(ae_rd_u64(&r), 4);
	assert_int_equal(ae_rd_left(&r), 1);
	assert_false(ae_rd_done(&r));
	s = ae_rd_sub(&r, 1);
	assert_int_equal(ae_rd_u8(&s), 9);
	assert_true(ae_rd_done(&s));
	assert_true(ae_rd_done(&r));
}

static void
past_the_end_is_sticky_and_zero(void **state)
{
	static const uint8_t b[] = { 0xff, 0xff, 0xff };
	struct ae_rd r, s;
	uint8_t out[4] = { 1, 1, 1, 1 };

	(void)state;
	ae_rd_init(&r, b, sizeof(b));
	assert_int_equal(ae_rd_u32(&r), 0);
	assert_false(ae_rd_ok(&r));
	assert_int_equal(ae_rd_u8(&r), 0);
	assert_int_equal(ae_rd_left(&r), 0);
	assert_null(ae_rd_take(&r, 0));
	ae_rd_copy(&r, out, 4);
	assert_memory_equal(out, "\0\0\0\0", 4);
	s = ae_rd_sub(&r, 1);
	assert_false(ae_rd_ok(&s));
	ae_rd_init(&r, b, sizeof(b));
	ae_rd_skip(&r, SIZE_MAX);
	assert_false(ae_rd_ok(&r));
	ae_rd_init(&r, NULL, 0);
	assert_non_null(ae_rd_take(&r, 0));
	assert_true(ae_rd_done(&r));
	ae_rd_align(&r, 8);
	assert_true(ae_rd_ok(&r));
	ae_rd_seek(&r, 1);
	assert_false(ae_rd_ok(&r));
}

static void
align_and_order(void **state)
{
	static const uint8_t b[] = { 1, 0, 0, 0, 0x12, 0x34 };
	struct ae_rd r;

	(void)state;
	ae_rd_init(&r, b, sizeof(b));
	(void)ae_rd_u8(&r);
	ae_rd_align(&r, 4);
	assert_int_equal(r.off, 4);
	ae_rd_align(&r, 4);
	assert_int_equal(r.off, 4);
	r.big = true;
	assert_int_equal(ae_rd_u16(&r), 0x1234);
	ae_rd_seek(&r, 0);
	assert_int_equal(ae_rd_u8(&r), 1);
}

static void
writes_what_is_read(void **state)
{
	struct ae_wr w;
	struct ae_rd r;
	uint8_t *p;
	size_t len;

	(void)state;
	ae_wr_init(&w, 100);
	ae_wr_u8(&w, 7);
	ae_wr_align(&w, 4);
	ae_wr_u32(&w, 0);
	ae_wr_u64(&w, 0x1122334455667788);
	ae_wr_u16(&w, 0);
	ae_wr_set_u32(&w, 4, 0xdeadbeef);
	ae_wr_set_u16(&w, 16, 0xbeef);
	ae_wr_printf(&w, "%s", "hi");
	assert_string_equal(ae_wr_cstr(&w) + 18, "hi");
	p = ae_wr_take(&w, &len);
	assert_int_equal(len, 20);
	ae_rd_init(&r, p, len);
	assert_int_equal(ae_rd_u8(&r), 7);
	ae_rd_align(&r, 4);
	assert_int_equal(ae_rd_u32(&r), 0xdeadbeef);
	assert_true(ae_rd_u64(&r) == 0x1122334455667788);
	assert_int_equal(ae_rd_u16(&r), 0xbeef);
	assert_memory_equal(ae_rd_take(&r, 2), "hi", 2);
	assert_true(ae_rd_done(&r));
	free(p);
}

static void
maximum_holds(void **state)
{
	struct ae_wr w;

	(void)state;
	ae_wr_init(&w, 10);
	ae_wr_zeros(&w, 10);
	assert_true(ae_wr_ok(&w));
	ae_wr_u8(&w, 1);
	assert_false(ae_wr_ok(&w));
	assert_true(ae_wr_full(&w));
	assert_int_equal(w.len, 10);
	assert_null(ae_wr_take(&w, NULL));
	ae_wr_reset(&w);
	ae_wr_u8(&w, 1);
	assert_true(ae_wr_ok(&w));
	ae_wr_bytes(&w, "x", SIZE_MAX);
	assert_true(ae_wr_full(&w));
	ae_wr_wipe(&w);
	ae_wr_init(&w, 0);
	assert_string_equal(ae_wr_cstr(&w), "");
	ae_wr_done(&w);
}

static bool
write_work(void *arg)
{
	struct ae_wr w;
	bool ok;
	int i;

	(void)arg;
	ae_wr_init(&w, 1 << 20);
	for (i = 0; i < 1000; i++)
		ae_wr_u32(&w, 1);
	ok = ae_wr_ok(&w);
	assert_false(ae_wr_full(&w));
	ae_wr_done(&w);
	return ok;
}

static void
out_of_memory(void **state)
{
	(void)state;
	assert_true(ae_torture(write_work, NULL, 100, true) > 3);
}

static void
parse_some(const uint8_t *p, size_t len, void *arg)
{
	struct ae_rd r, s;

	ae_rd_init(&r, p, len);
	s = ae_rd_sub(&r, ae_rd_u16(&r));
	(void)ae_rd_u64(&s);
	ae_rd_align(&r, 8);
	(void)ae_rd_u32(&r);
	*(size_t *)arg += ae_rd_ok(&r) && ae_rd_ok(&s);
}

static void
mutated_input_stays_in_bounds(void **state)
{
	static const uint8_t b[] = { 8, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0,
		0, 0, 9, 9, 9, 9 };
	size_t good = 0, n;

	(void)state;
	n = ae_mutate(b, sizeof(b), parse_some, &good);
	assert_int_equal(n, sizeof(b) * 13);
	assert_true(good > 0 && good < n);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_in_order),
		cmocka_unit_test(past_the_end_is_sticky_and_zero),
		cmocka_unit_test(align_and_order),
		cmocka_unit_test(writes_what_is_read),
		cmocka_unit_test(maximum_holds),
		cmocka_unit_test(out_of_memory),
		cmocka_unit_test(mutated_input_stays_in_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
