/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The spread of many machines, back-off, missed points, cron's lines.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "enroll/schedule.h"

#define MACHINES 10000
#define WINDOW 1800
#define BUCKETS 60

static void
sid_of(char out[64], unsigned i)
{
	(void)snprintf(
	    out, 64, "S-1-5-21-3623811015-3361044348-30300820-%u", 1100 + i);
}

/* Neighbouring SIDs, as a domain hands them out. */
static void
f20_ten_thousand_machines_are_spread(void **state)
{
	unsigned count[BUCKETS], peak;
	int64_t day, at;
	char sid[64];
	unsigned i;

	(void)state;
	for (day = 20000; day < 20003; day++) {
		memset(count, 0, sizeof(count));
		for (i = 0; i < MACHINES; i++) {
			sid_of(sid, i);
			at = ae_spread(sid, day, WINDOW);
			assert_in_range(at, 0, WINDOW - 1);
			count[at * BUCKETS / WINDOW]++;
		}
		for (peak = 0, i = 0; i < BUCKETS; i++) {
			peak = count[i] > peak ? count[i] : peak;
			assert_true(count[i] > 0);
		}
		assert_true(peak <= 3 * MACHINES / BUCKETS);
	}
}

/* Even by the second, three times the mean plus chance is not passed. */
static void
f20_no_second_has_a_herd(void **state)
{
	static unsigned count[WINDOW];
	unsigned i, peak = 0;
	char sid[64];

	(void)state;
	for (i = 0; i < MACHINES; i++) {
		sid_of(sid, i);
		peak = ++count[ae_spread(sid, 1, WINDOW)] > peak
		    ? count[ae_spread(sid, 1, WINDOW)]
		    : peak;
	}
	assert_true(peak <= 20); /* mean 5.6; a Poisson tail of 1e-5 */
}

static void
test_a_place_is_the_same_each_time_and_another_each_day(void **state)
{
	const char *sid = "S-1-5-21-1-2-3-1104";
	unsigned same = 0;
	int64_t day;

	(void)state;
	for (day = 0; day < 100; day++) {
		assert_int_equal(
		    ae_spread(sid, day, WINDOW), ae_spread(sid, day, WINDOW));
		same += ae_spread(sid, day, WINDOW) ==
		    ae_spread(sid, day + 1, WINDOW);
	}
	assert_true(same < 5);
	assert_int_equal(ae_spread(sid, 1, 0), 0);
	assert_int_equal(ae_spread(sid, 1, -5), 0);
	assert_int_equal(ae_spread("", 1, 1), 0);
}

static void
test_days(void **state)
{
	(void)state;
	assert_int_equal(ae_day(0), 0);
	assert_int_equal(ae_day(86399), 0);
	assert_int_equal(ae_day(86400), 1);
	assert_int_equal(ae_day(-1), -1);
	assert_int_equal(ae_day(-86400), -1);
	assert_int_equal(ae_day(-86401), -2);
	assert_true(ae_day(INT64_MIN) < 0);
}

static void
test_back_off_grows_to_its_bound(void **state)
{
	unsigned n;

	(void)state;
	/* The luckiest waits nothing, the unluckiest everything. */
	assert_int_equal(ae_backoff(1, 30, 3600, 0), 0);
	assert_int_equal(ae_backoff(1, 30, 3600, 30), 30);
	assert_int_equal(ae_backoff(2, 30, 3600, 60), 60);
	assert_int_equal(ae_backoff(3, 30, 3600, 120), 120);
	assert_int_equal(ae_backoff(20, 30, 3600, 3600), 3600);
	for (n = 0; n < 200; n++) {
		assert_in_range(ae_backoff(n, 30, 3600, UINT64_MAX), 0, 3600);
		assert_in_range(
		    ae_backoff(n, 30, 3600, 0x123456789abcdefu), 0, 3600);
	}
	assert_int_equal(ae_backoff(4000000000u, 0, 0, 77), 0);
}

static void
test_missed_points(void **state)
{
	const int64_t h = 3600;

	(void)state;
	assert_int_equal(ae_missed(0, 8 * h, 0), 0);
	assert_int_equal(ae_missed(8 * h - 1, 8 * h, 0), 0);
	assert_int_equal(ae_missed(8 * h, 8 * h, 1800), 0);
	assert_int_equal(ae_missed(8 * h + 1800, 8 * h, 1800), 1);
	assert_int_equal(ae_missed(72 * h + 1800, 8 * h, 1800), 9);
	/* Clocks that jumped. */
	assert_int_equal(ae_missed(-365 * 24 * h, 8 * h, 1800), 0);
	assert_int_equal(ae_missed(INT64_MIN, 8 * h, 1800), 0);
	assert_int_equal(
	    ae_missed(10 * 365 * 24 * h, 8 * h, 1800), AE_MISSED_MAX);
	assert_int_equal(ae_missed(INT64_MAX, 8 * h, 0), AE_MISSED_MAX);
	assert_int_equal(ae_missed(100, 0, 0), 0);
}

static void
test_lines_for_cron(void **state)
{
	char out[1024], a[64], b[64], c[64];
	unsigned minute, h1, h2, h3, wait;

	(void)state;
	(void)ae_cron_lines(out, sizeof(out), "S-1-5-21-1-2-3-1104", 8 * 3600,
	    600, "root", "autoenroll pulse");
	assert_int_equal(
	    sscanf(out,
		"@reboot root sleep %u; autoenroll pulse --trigger %63s\n"
		"%u %u,%u,%u * * * root %63s %63s --trigger schedule\n",
		&wait, a, &minute, &h1, &h2, &h3, b, c),
	    8);
	assert_string_equal(a, "start");
	assert_true(wait < 600 && minute < 60 && h1 < 8);
	assert_int_equal(h2, h1 + 8);
	assert_int_equal(h3, h1 + 16);

	/* A quarter of an hour, a user's own; a week is cut to a day. */
	(void)ae_cron_lines(out, sizeof(out), "x", 900, 0, NULL, "run");
	assert_non_null(strstr(out, "@reboot sleep 0; run --trigger start\n"));
	assert_non_null(strstr(out, " * * * * run --trigger schedule\n"));
	(void)ae_cron_lines(out, sizeof(out), "x", 7 * 86400, 0, NULL, "run");
	assert_int_equal(
	    sscanf(strchr(out, '\n') + 1, "%u %u * * * run", &minute, &h1), 2);
	/* Seven hours do not divide a day: six do. */
	(void)ae_cron_lines(out, sizeof(out), "x", 7 * 3600, 0, NULL, "run");
	assert_int_equal(sscanf(strchr(out, '\n') + 1, "%u %u,%u,%u,%u * * *",
			     &minute, &h1, &h2, &h3, &wait),
	    5);
}

static void
test_any_interval_gives_lines_that_fit(void **state)
{
	char out[1024];
	int64_t interval;

	(void)state;
	for (interval = 60; interval <= 7 * 86400; interval += 613) {
		int n = ae_cron_lines(out, sizeof(out), "x", interval, 600,
		    "root", "autoenroll pulse");

		assert_in_range(n, 1, sizeof(out) - 1);
		assert_null(strstr(out, ",,"));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(f20_ten_thousand_machines_are_spread),
		cmocka_unit_test(f20_no_second_has_a_herd),
		cmocka_unit_test(
		    test_a_place_is_the_same_each_time_and_another_each_day),
		cmocka_unit_test(test_days),
		cmocka_unit_test(test_back_off_grows_to_its_bound),
		cmocka_unit_test(test_missed_points),
		cmocka_unit_test(test_lines_for_cron),
		cmocka_unit_test(test_any_interval_gives_lines_that_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
