/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Tests of enroll/status.h: what is a finding, and how grave it is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "enroll/status.h"

#define DAY 86400
#define NOW INT64_C(1795441228)

static void
thresholds(void **state)
{
	static const char *const bad[] = { "", "x", "0", "0%", "101%", "-1",
		"10 %", "10%%", "10dd", "99999", "d", "%", " 5" };
	struct ae_status_warn w = { 7, 7 };
	size_t i;

	(void)state;
	assert_true(ae_status_warn_parse(&w, "30"));
	assert_int_equal(w.days, 30);
	assert_int_equal(w.percent, 0);
	assert_true(ae_status_warn_parse(&w, "14d"));
	assert_int_equal(w.days, 14);
	assert_true(ae_status_warn_parse(&w, "100%"));
	assert_int_equal(w.days, 0);
	assert_int_equal(w.percent, 100);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (ae_status_warn_parse(&w, bad[i]))
			fail_msg("'%s' was taken", bad[i]);
	assert_int_equal(w.percent, 100);
}

static void
certificates(void **state)
{
	static const struct {
		int64_t begun, left; /* days */
		const char *state;
		struct ae_status_warn warn;
		enum ae_health want;
		const char *why;
	} rows[] = {
		{ 0, 365, "valid", { 0, 10 }, AE_HEALTH_OK, "is valid" },
		{ 328, 37, "valid", { 0, 10 }, AE_HEALTH_OK, "is valid" },
		{ 329, 36, "valid", { 0, 10 }, AE_HEALTH_WARNING,
		    "is about to expire" },
		{ 335, 30, "valid", { 30, 0 }, AE_HEALTH_WARNING,
		    "is about to expire" },
		{ 334, 31, "valid", { 30, 0 }, AE_HEALTH_OK, "is valid" },
		{ 365, 0, "valid", { 0, 0 }, AE_HEALTH_CRITICAL,
		    "has expired" },
		{ 400, -35, "expired", { 0, 0 }, AE_HEALTH_CRITICAL,
		    "has expired" },
		{ 1, 364, "key missing", { 0, 10 }, AE_HEALTH_CRITICAL,
		    "key missing" },
		{ 1, 364, "key fails", { 0, 10 }, AE_HEALTH_CRITICAL,
		    "key fails" },
		{ -1, 364, "not yet valid", { 0, 10 }, AE_HEALTH_WARNING,
		    "not yet valid" },
		/* Never ends, as the CA's own certificate in some tests. */
		{ 0, INT64_MAX / DAY / 2, "valid", { 36500, 100 }, AE_HEALTH_OK,
		    "is valid" },
	};
	const char *why;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ae_status_cert c = { NOW - rows[i].begun * DAY,
			NOW + rows[i].left * DAY, rows[i].state };

		if (ae_status_cert(&why, &c, &rows[i].warn, NOW) !=
			rows[i].want ||
		    strcmp(why, rows[i].why) != 0)
			fail_msg("row %zu: %s", i, why);
	}
}

static void
runs(void **state)
{
	static const struct {
		struct ae_status_task t;
		enum ae_health want;
		const char *why;
	} rows[] = {
		{ { .known = false }, AE_HEALTH_WARNING, "has never run" },
		{ { true, true, true, 0, 0, 0, 100 }, AE_HEALTH_OK,
		    "has never run" },
		{ { true, false, false, NOW, 0, 0, 100 }, AE_HEALTH_WARNING,
		    "is disabled" },
		{ { true, true, false, NOW - 10, 0, 0, 100 }, AE_HEALTH_OK,
		    "did well the last time" },
		{ { true, true, false, NOW - 10, 6, 0, 100 },
		    AE_HEALTH_CRITICAL, "failed the last time" },
		{ { true, true, false, NOW - 10, 9, 0, 100 }, AE_HEALTH_OK,
		    "waits for an approval" },
		{ { true, true, false, NOW - 201, 0, 0, 100 },
		    AE_HEALTH_CRITICAL, "has not run for a long time" },
		{ { true, true, true, NOW - 201, 0, 0, 100 }, AE_HEALTH_OK,
		    "did well the last time" },
	};
	const char *why;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (ae_status_task(&why, &rows[i].t, NOW) != rows[i].want ||
		    strcmp(why, rows[i].why) != 0)
			fail_msg("row %zu: %s", i, why);
	assert_string_equal(ae_health_name(AE_HEALTH_CRITICAL), "critical");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(thresholds),
		cmocka_unit_test(certificates),
		cmocka_unit_test(runs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
