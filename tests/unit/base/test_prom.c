/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Tests of base/prom.h, the exposition format's own examples among them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/prom.h"

static void
text(void **state)
{
	static const struct ae_prom_label odd[] = {
		{ "path", "C:\\DIR\\FILE.TXT" },
		{ "error", "Cannot find file:\n\"FILE.TXT\"" },
	};
	static const struct ae_prom_label empty[] = {
		{ "a", NULL },
		{ "b", "\xff" },
		{ "c", "\xc3\xbc" },
	};
	struct ae_wr w;

	(void)state;
	ae_wr_init(&w, 1000);
	ae_prom_gauge(&w, "m", "line\\one\n\"two\"");
	ae_prom_sample(&w, "m", NULL, 0, INT64_MIN);
	ae_prom_sample(&w, "m", odd, 2, 1458255915);
	ae_prom_sample(&w, "m", empty, 3, -1);
	assert_string_equal(ae_wr_cstr(&w),
	    "# HELP m line\\\\one\\n\"two\"\n"
	    "# TYPE m gauge\n"
	    "m -9223372036854775808\n"
	    "m{path=\"C:\\\\DIR\\\\FILE.TXT\",error=\"Cannot find "
	    "file:\\n\\\"FILE.TXT\\\"\"} 1458255915\n"
	    "m{a=\"\",b=\"\",c=\"\xc3\xbc\"} -1\n");
	ae_wr_done(&w);
}

static void
bounded(void **state)
{
	struct ae_wr w;

	(void)state;
	ae_wr_init(&w, 20);
	ae_prom_gauge(&w, "metric", "longer than the writer may be");
	assert_false(ae_wr_ok(&w));
	ae_wr_done(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text),
		cmocka_unit_test(bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
