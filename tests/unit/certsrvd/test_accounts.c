/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What one account may take: requests a minute, connections of a process.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>
#include <stdio.h>

#include "accounts.h"

static struct ae_sid
account(unsigned n)
{
	struct ae_sid sid;
	char text[64];

	(void)snprintf(text, sizeof(text), "S-1-5-21-1-2-3-%u", 1000 + n);
	assert_true(ae_sid_parse(&sid, text));
	return sid;
}

static void
flood_a_minute_s_worth_and_then_with_time(void **state)
{
	struct rate *r = rate_new(60);
	struct ae_sid a = account(1), b = account(2);
	int64_t now = 5000;
	int i;

	(void)state;
	for (i = 0; i < 60; i++)
		assert_true(rate_take(r, &a, now));
	assert_false(rate_take(r, &a, now));
	assert_false(rate_take(r, &a, now + 999));
	/* one comes back each second; asking in vain costs nothing */
	assert_true(rate_take(r, &a, now + 1000));
	assert_false(rate_take(r, &a, now + 1001));
	/* others do not notice */
	assert_true(rate_take(r, &b, now + 1001));
	/* a long pause brings a minute's worth and no more */
	now += 3600 * 1000;
	for (i = 0; i < 60; i++)
		assert_true(rate_take(r, &a, now));
	assert_false(rate_take(r, &a, now));
	/* a clock that stands still or goes back brings nothing */
	assert_false(rate_take(r, &a, now - 10000));
	rate_free(r);
}

static void
none_is_no_bound(void **state)
{
	struct rate *r = rate_new(0);
	struct ae_sid a = account(1);
	int i;

	(void)state;
	for (i = 0; i < 10000; i++)
		assert_true(rate_take(r, &a, 1));
	rate_free(r);
}

/* More accounts than places: who is at work keeps its place. */
static void
many_accounts_do_not_free_one(void **state)
{
	struct rate *r = rate_new(10);
	struct ae_sid busy = account(0), other;
	unsigned i, granted = 0;

	(void)state;
	for (i = 1; i < 60000; i++) {
		other = account(i);
		assert_true(rate_take(r, &other, 1000));
		granted += rate_take(r, &busy, 1000);
	}
	assert_int_equal(granted, 10);
	rate_free(r);
}

static void
flood_connections_of_one_account(void **state)
{
	struct holders *h = holders_new(3);
	struct ae_sid a = account(1), b = account(2);
	uint64_t n;

	(void)state;
	for (n = 1; n <= 3; n++)
		assert_true(holders_add(h, n << 40, &a));
	assert_false(holders_add(h, 99, &a));
	assert_true(holders_add(h, 100, &b));
	holders_remove(h, 99); /* was not taken */
	assert_false(holders_add(h, 99, &a));
	holders_remove(h, 2ull << 40);
	assert_true(holders_add(h, 99, &a));
	holders_remove(h, 12345);
	holders_free(h);
	/* and without a bound nothing is counted */
	h = holders_new(0);
	for (n = 0; n < 10000; n++)
		assert_true(holders_add(h, n, &a));
	holders_remove(h, 7);
	holders_free(h);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(flood_a_minute_s_worth_and_then_with_time),
		cmocka_unit_test(none_is_no_bound),
		cmocka_unit_test(many_accounts_do_not_free_one),
		cmocka_unit_test(flood_connections_of_one_account),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
