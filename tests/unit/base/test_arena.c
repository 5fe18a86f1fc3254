/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Tests of base/arena.h and base/secret.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/arena.h"
#include "base/secret.h"
#include "torture.h"

static void
ceiling_holds(void **state)
{
	struct ae_arena *a = ae_arena_new(4096);
	size_t got = 0;

	(void)state;
	while (ae_arena_alloc(a, 16) != NULL)
		got += 16;
	assert_int_equal(got, 4096);
	assert_true(ae_arena_full(a));
	assert_int_equal(ae_arena_used(a), 4096);
	ae_arena_reset(a);
	assert_false(ae_arena_full(a));
	assert_non_null(ae_arena_alloc(a, 4096));
	ae_arena_free(a);
}

static void
overflow_is_refused(void **state)
{
	struct ae_arena *a = ae_arena_new(SIZE_MAX);

	(void)state;
	assert_null(ae_arena_array(a, SIZE_MAX / 2, 3));
	assert_null(ae_arena_alloc(a, SIZE_MAX));
	assert_null(ae_arena_strndup(a, "", SIZE_MAX));
	assert_true(ae_arena_full(a));
	ae_arena_free(a);
	ae_arena_free(NULL);
}

static void
memory_is_zeroed_and_aligned(void **state)
{
	struct ae_arena *a = ae_arena_new(1 << 20);
	unsigned char *p;
	size_t i, n;

	(void)state;
	for (n = 0; n < 3; n++) {
		p = ae_arena_alloc(a, 3000);
		assert_non_null(p);
		assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
		for (i = 0; i < 3000; i++)
			assert_int_equal(p[i], 0);
		memset(p, 0xff, 3000);
		ae_arena_reset(a);
	}
	ae_arena_free(a);
}

static void
copies(void **state)
{
	struct ae_arena *a = ae_arena_new(1 << 20);

	(void)state;
	assert_string_equal(ae_arena_strdup(a, "abc"), "abc");
	assert_string_equal(ae_arena_strndup(a, "abcdef", 3), "abc");
	assert_memory_equal(ae_arena_dup(a, "xyz", 3), "xyz", 3);
	assert_non_null(ae_arena_dup(a, NULL, 0));
	assert_string_equal(ae_arena_printf(a, "%d-%s", 5, "x"), "5-x");
	ae_arena_free(a);
}

static bool
some_work(void *arg)
{
	struct ae_arena *a = ae_arena_new(1 << 20);
	bool ok = a != NULL;
	int i;

	(void)arg;
	for (i = 0; ok && i < 100; i++)
		ok = ae_arena_alloc(a, 1000) != NULL;
	ae_arena_free(a);
	return ok;
}

static void
out_of_memory(void **state)
{
	(void)state;
	assert_true(ae_torture(some_work, NULL, 100, true) > 2);
}

static bool
secret_work(void *arg)
{
	struct ae_secret s = { 0 };
	bool ok = ae_secret_set(&s, arg, 4) == 0;

	ae_secret_done(&s);
	return ok;
}

static void
secrets(void **state)
{
	struct ae_secret s = { 0 };
	char copy[] = "abcd";

	(void)state;
	assert_int_equal(ae_secret_set(&s, "abcd", 4), 0);
	assert_int_equal(ae_secret_set(&s, "xyz", 3), 0);
	assert_memory_equal(s.p, "xyz", 3);
	assert_int_equal(s.len, 3);
	ae_secret_done(&s);
	assert_null(s.p);
	ae_secret_done(&s);
	ae_secret_done(NULL);
	assert_int_equal(ae_torture(secret_work, copy, 10, true), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ceiling_holds),
		cmocka_unit_test(overflow_is_refused),
		cmocka_unit_test(memory_is_zeroed_and_aligned),
		cmocka_unit_test(copies),
		cmocka_unit_test(out_of_memory),
		cmocka_unit_test(secrets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
