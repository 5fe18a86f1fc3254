/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Addresses as bytes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sys/address.h"

static void
texts(void **state)
{
	static const char *const none[] = { "", "192.0.2", "192.0.2.256",
		"192.0.2.1/24", "x", "2001:db8::g", " 192.0.2.1", "::1%eth0" };
	struct ae_address a = ae_address_parse("192.0.2.1");
	size_t i;

	(void)state;
	assert_int_equal(a.len, 4);
	assert_memory_equal(a.p, "\xc0\x00\x02\x01", 4);
	a = ae_address_parse("2001:db8::1");
	assert_int_equal(a.len, 16);
	assert_memory_equal(
	    a.p, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01", 16);
	for (i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		assert_int_equal(ae_address_parse(none[i]).len, 0);
}

static void
hosts(void **state)
{
	struct ae_address a[4];

	(void)state;
	assert_int_equal(ae_address_lookup(a, 4, "192.0.2.7"), 1);
	assert_int_equal(a[0].len, 4);
	assert_memory_equal(a[0].p, "\xc0\x00\x02\x07", 4);
	assert_int_equal(ae_address_lookup(a, 4, "2001:db8::2"), 1);
	assert_int_equal(a[0].len, 16);
	assert_int_equal(ae_address_lookup(a, 0, "192.0.2.7"), 0);
	assert_int_equal(ae_address_lookup(a, 4, ""), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts),
		cmocka_unit_test(hosts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
