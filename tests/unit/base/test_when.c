/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Tests of base/when.h, in a zone with summer time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/when.h"

/* 2026-11-23T13:40:28Z, 14:40:28 in the zone of the tests */
#define NOW INT64_C(1795441228)

static int
set_zone(void **state)
{
	(void)state;
	(void)setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
	tzset();
	return 0;
}

static void
understood(void **state)
{
	static const struct {
		const char *text;
		int64_t want;
	} rows[] = {
		{ "now", NOW },
		{ "today", 1795388400 },
		{ "yesterday", 1795388400 - 86400 },
		{ "1s", NOW - 1 },
		{ "2h", NOW - 7200 },
		{ "3d", NOW - 3 * 86400 },
		{ "2w", NOW - 14 * 86400 },
		{ "0m", NOW },
		{ "2026-11-23", 1795388400 },
		{ "2026-11-23T14:40:28", NOW },
		{ "2026-11-23 14:40", NOW - 28 },
		{ "2026-11-23T13:40:28Z", NOW },
		{ "2026-11-23T14:40:28+01:00", NOW },
		{ "2026-11-23T14:40:28+01", NOW },
		{ "2026-11-23 08:10:28-0530", NOW },
		{ "2026-07-01", 1782856800 }, /* summer time */
		{ "2024-02-29T00:00:00Z", 1709164800 },
		{ "1970-01-01T00:00:00Z", 0 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int64_t t = -1;

		if (!ae_when_parse(&t, rows[i].text, NOW) || t != rows[i].want)
			fail_msg("%s: %lld", rows[i].text, (long long)t);
	}
}

static void
refused(void **state)
{
	static const char *const rows[] = { "", "tomorrow", "1", "1y", "s",
		"-1h", "1h ", "1 h", "99999999999d", "2026", "2026-11",
		"2026-1-2", "2026-13-01", "2026-00-10", "2026-02-30",
		"2023-02-29T00:00:00Z", "2026-11-23T", "2026-11-23T8:00",
		"2026-11-23T24:00", "2026-11-23T23:60", "2026-11-23T23:00:60",
		"2026-11-23T08:00z", "2026-11-23T08:00+1",
		"2026-11-23T08:00+24", "2026-11-23T08:00+01:60",
		"2026-11-23T08:00Zx", "2026-11-23x", "2026-11-23  08:00",
		"today ", "\xff" };
	int64_t t = 42;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (ae_when_parse(&t, rows[i], NOW))
			fail_msg("'%s' was taken", rows[i]);
	assert_int_equal(t, 42);
}

/* Every truncation and every changed byte is answered, whatever with. */
static void
mutated(void **state)
{
	static const char text[] = "2026-11-23T14:40:28+01:00";
	char s[sizeof(text)];
	int64_t t;
	size_t i;
	int c;

	(void)state;
	for (i = 0; i < sizeof(text) - 1; i++) {
		memcpy(s, text, sizeof(text));
		s[i] = '\0';
		(void)ae_when_parse(&t, s, NOW);
		for (c = 1; c < 256; c++) {
			memcpy(s, text, sizeof(text));
			s[i] = (char)c;
			(void)ae_when_parse(&t, s, NOW);
		}
	}
}

/* On the day on which summer time ends noon is 13 hours after midnight. */
static void
midnight(void **state)
{
	(void)state;
	assert_int_equal(ae_when_midnight(1792926000, 0), 1792879200);
	assert_int_equal(ae_when_midnight(1792926000, 1), 1792879200 - 86400);
	assert_int_equal(ae_when_midnight(1792879200, 0), 1792879200);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(understood),
		cmocka_unit_test(refused),
		cmocka_unit_test(mutated),
		cmocka_unit_test(midnight),
	};

	return cmocka_run_group_tests(tests, set_zone, NULL);
}
