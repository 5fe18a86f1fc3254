/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Answers kept for a minute and a SID, and for no longer and nobody else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "ca_cache.h"

static struct ae_sid
sid(uint32_t rid)
{
	struct ae_sid s = {
		.authority = 5, .nsubs = 5, .sub = { 21, 1, 2, 3, rid }
	};

	return s;
}

static void
kept_for_a_minute(void **state)
{
	struct ca_cache *c = ca_cache_new();
	struct ae_sid a = sid(1104);
	size_t len = 0;

	(void)state;
	assert_null(ca_cache_requester(c, &a, 1000, &len));
	ca_cache_set_requester(c, &a, (const uint8_t *)"pc1", 3, 1000);
	assert_memory_equal(ca_cache_requester(c, &a, 1000, &len), "pc1", 3);
	assert_int_equal(len, 3);
	assert_non_null(
	    ca_cache_requester(c, &a, 1000 + CA_CACHE_MS - 1, &len));
	assert_null(ca_cache_requester(c, &a, 1000 + CA_CACHE_MS, &len));
	/* a clock that went back does not make it young */
	assert_null(ca_cache_requester(c, &a, 999, &len));
	ca_cache_free(c);
}

static void
for_that_one_only(void **state)
{
	struct ca_cache *c = ca_cache_new();
	struct ae_sid a = sid(1104), b;
	char body[16];
	size_t len = 0;
	uint32_t rid, wrong = 0;
	unsigned n = 0;

	(void)state;
	ca_cache_set_requester(c, &a, (const uint8_t *)"pc1", 3, 1000);
	ca_cache_set_owners(c, &a, "pc1.example.com", 7, 1000);
	for (rid = 1105; rid < 20000; rid++) {
		b = sid(rid);
		wrong += ca_cache_requester(c, &b, 1000, &len) != NULL;
		wrong += ca_cache_owners(c, &b, "pc1.example.com", 1000, &n);
	}
	assert_int_equal(wrong, 0);
	/* many more than there are places: each found is its own */
	for (rid = 1; rid < 20000; rid++) {
		b = sid(rid);
		(void)snprintf(body, sizeof(body), "%u", rid);
		ca_cache_set_requester(
		    c, &b, (const uint8_t *)body, strlen(body), 1000);
	}
	for (rid = 1; rid < 20000; rid++) {
		const uint8_t *got;

		b = sid(rid);
		(void)snprintf(body, sizeof(body), "%u", rid);
		got = ca_cache_requester(c, &b, 1000, &len);
		if (got != NULL) {
			n++;
			assert_int_equal(len, strlen(body));
			assert_memory_equal(got, body, len);
		}
	}
	assert_true(n > 1000);
	ca_cache_free(c);
}

static void
owners_of_that_name_only(void **state)
{
	struct ca_cache *c = ca_cache_new();
	struct ae_sid a = sid(1104);
	char longer[400];
	unsigned n = 99;

	(void)state;
	ca_cache_set_owners(c, &a, "pc1.example.com", 0, 1000);
	assert_true(ca_cache_owners(c, &a, "pc1.example.com", 1000, &n));
	assert_int_equal(n, 0);
	assert_false(ca_cache_owners(c, &a, "pc2.example.com", 1000, &n));
	assert_false(
	    ca_cache_owners(c, &a, "pc1.example.com", 1000 + CA_CACHE_MS, &n));
	/* a name too long to keep is not kept, nor is the one before it */
	memset(longer, 'x', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	ca_cache_set_owners(c, &a, longer, 0, 1000);
	assert_false(ca_cache_owners(c, &a, longer, 1000, &n));
	assert_false(ca_cache_owners(c, &a, "pc1.example.com", 1000, &n));
	ca_cache_free(c);
}

static void
a_large_answer_is_not_kept(void **state)
{
	static const uint8_t big[8192];
	struct ca_cache *c = ca_cache_new();
	struct ae_sid a = sid(1104);
	size_t len;

	(void)state;
	ca_cache_set_requester(c, &a, (const uint8_t *)"old", 3, 1000);
	ca_cache_set_requester(c, &a, big, sizeof(big), 1000);
	assert_null(ca_cache_requester(c, &a, 1000, &len));
	ca_cache_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kept_for_a_minute),
		cmocka_unit_test(for_that_one_only),
		cmocka_unit_test(owners_of_that_name_only),
		cmocka_unit_test(a_large_answer_is_not_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
