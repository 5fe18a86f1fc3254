/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Tests of base/base64.h: the vectors of RFC 4648 10, and what is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/base64.h"

static void
vectors(void **state)
{
	/* one byte more of "foobar" each */
	static const char *const v[] = { "", "Zg==", "Zm8=", "Zm9v",
		"Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy" };
	uint8_t out[16];
	size_t n;

	(void)state;
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		assert_true(
		    ae_base64_decode(out, sizeof(out), &n, v[i], strlen(v[i])));
		assert_int_equal(n, i);
		assert_memory_equal(out, "foobar", n);
	}
	assert_true(ae_base64_decode(out, sizeof(out), &n, "+/+/", 4));
	assert_int_equal(n, 3);
	assert_memory_equal(out, "\xfb\xff\xbf", 3);
}

static void
refused(void **state)
{
	static const char *const v[] = { "Z", "Zg",
		"Zg=", "Zg==Zg==", "Z===", "====", "Zh==", "Zm9=", "Zm9v\n",
		"Zm 9", "-_-_", "=Zm9" };
	uint8_t out[16];
	size_t n;

	(void)state;
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++)
		assert_false(
		    ae_base64_decode(out, sizeof(out), &n, v[i], strlen(v[i])));
	assert_false(ae_base64_decode(out, 2, &n, "Zm9v", 4));
	assert_true(ae_base64_decode(out, 3, &n, "Zm9v", 4));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors),
		cmocka_unit_test(refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
