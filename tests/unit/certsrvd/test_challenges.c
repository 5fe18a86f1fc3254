/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Tests of the attestation challenges that are out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "challenges.h"

#define NOW INT64_C(1000000)

static struct challenges all;
static const uint8_t secret[CHALLENGE_HASH] = "hash of a secret";

static struct ae_sid
sid(uint32_t rid)
{
	struct ae_sid s = { 5, 5, { 21, 1, 2, 3 } };

	s.sub[4] = rid;
	return s;
}

static int
reset(void **state)
{
	struct ae_sid alice = sid(1104);

	(void)state;
	memset(&all, 0, sizeof(all));
	assert_int_equal(challenge_add(&all, 7, &alice, secret, NOW), 0);
	return 0;
}

static bool
take(int64_t row, uint32_t rid, int64_t now)
{
	uint8_t hash[CHALLENGE_HASH] = { 0 };
	struct ae_sid who = sid(rid);
	bool ok = challenge_take(&all, row, &who, hash, now);

	if (ok)
		assert_memory_equal(hash, secret, sizeof(hash));
	return ok;
}

static void
attest_answer_replayed(void **state)
{
	(void)state;
	assert_true(take(7, 1104, NOW + 1));
	assert_false(take(7, 1104, NOW + 2));
}

static void
attest_answer_of_another(void **state)
{
	(void)state;
	assert_false(take(7, 1105, NOW));
	assert_true(take(7, 1104, NOW)); /* it cost its owner nothing */
}

static void
attest_answer_too_late(void **state)
{
	(void)state;
	assert_false(take(7, 1104, NOW + CHALLENGE_MS + 1));
	assert_int_equal(challenge_expired(&all, NOW + CHALLENGE_MS), 0);
	assert_int_equal(challenge_expired(&all, NOW + CHALLENGE_MS + 1), 7);
	assert_int_equal(challenge_expired(&all, NOW + CHALLENGE_MS + 1), 0);
}

static void
another_request(void **state)
{
	(void)state;
	assert_false(take(8, 1104, NOW));
	assert_false(take(0, 1104, NOW));
	assert_true(take(7, 1104, NOW));
}

/* One account crowds out itself alone; the place is bounded. */
static void
too_many(void **state)
{
	struct ae_sid one = sid(1104), other = sid(1105);
	int64_t row, gone = 0;

	(void)state;
	for (row = 8; row < 7 + CHALLENGES_PER_SID; row++)
		assert_int_equal(
		    challenge_add(&all, row, &one, secret, NOW + row), 0);
	assert_int_equal(challenge_add(&all, 100, &one, secret, NOW + 100), 7);
	assert_int_equal(
	    challenge_add(&all, 101, &other, secret, NOW + 101), 0);
	for (row = 1000; gone == 0 && row < 2 * CHALLENGES_MAX + 1000; row++) {
		other = sid((uint32_t)row + 10000);
		gone = challenge_add(&all, row, &other, secret, NOW + row);
	}
	assert_int_equal(gone, 8); /* the oldest of all */
	assert_int_equal(row - 1000, CHALLENGES_MAX - CHALLENGES_PER_SID);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(attest_answer_replayed, reset),
		cmocka_unit_test_setup(attest_answer_of_another, reset),
		cmocka_unit_test_setup(attest_answer_too_late, reset),
		cmocka_unit_test_setup(another_request, reset),
		cmocka_unit_test_setup(too_many, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
