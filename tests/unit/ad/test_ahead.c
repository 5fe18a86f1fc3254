/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Questions as bytes.  That an answer is found under way is seen in the lab.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "ad/ahead.h"
#include "mutate.h"
#include "torture.h"

static const char *const attrs[] = { "cn", "nTSecurityDescriptor", NULL };
static const char *const none[] = { NULL };
static const struct ae_ad_query questions[] = {
	{ .base = "", .scope = AE_AD_BASE, .attrs = attrs },
	{ .base = "CN=a,DC=b", .scope = AE_AD_SUB, .filter = "(cn=\xc3\xbc)" },
	{ .base = "DC=b",
	    .scope = AE_AD_ONE,
	    .filter = "(x=1)",
	    .attrs = none },
};
#define N (sizeof(questions) / sizeof(questions[0]))

static void
assert_text(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		assert_true(a == b);
	else
		assert_string_equal(a, b);
}

static void
assert_same(const struct ae_ad_query *a, const struct ae_ad_query *b)
{
	size_t i;

	assert_int_equal(a->scope, b->scope);
	assert_text(a->base, b->base);
	assert_text(a->filter, b->filter);
	assert_int_equal(a->attrs == NULL, b->attrs == NULL);
	for (i = 0; a->attrs != NULL && a->attrs[i] != NULL; i++)
		assert_text(a->attrs[i], b->attrs[i]);
	if (a->attrs != NULL)
		assert_null(b->attrs[i]);
}

static void
put_all(struct ae_wr *w)
{
	size_t i;

	ae_wr_init(w, 4096);
	for (i = 0; i < N; i++)
		ae_ad_question_put(w, &questions[i]);
	assert_true(ae_wr_ok(w));
}

/* Come back as they were, and their bytes are what putting them gives. */
static void
there_and_back(void **state)
{
	struct ae_arena *a = ae_arena_new(65536);
	struct ae_ad_query q;
	struct ae_wr w, again;
	const uint8_t *p;
	struct ae_rd r;
	size_t i, len;

	(void)state;
	put_all(&w);
	ae_rd_init(&r, w.p, w.len);
	for (i = 0; i < N; i++) {
		assert_true(ae_ad_question_get(&q, &p, &len, a, &r));
		assert_same(&questions[i], &q);
		ae_wr_init(&again, 4096);
		ae_ad_question_put(&again, &q);
		assert_int_equal(again.len, len + 4);
		assert_memory_equal(again.p + 4, p, len);
		ae_wr_done(&again);
	}
	assert_false(ae_ad_question_get(&q, &p, &len, a, &r));
	assert_true(ae_rd_done(&r));
	ae_wr_done(&w);
	ae_arena_free(a);
}

static void
get_all(const uint8_t *p, size_t len, void *arg)
{
	struct ae_arena *a = ae_arena_new(65536);
	struct ae_ad_query q;
	const uint8_t *bytes;
	struct ae_rd r;
	size_t n;

	(void)arg;
	ae_rd_init(&r, p, len);
	while (a != NULL && ae_ad_question_get(&q, &bytes, &n, a, &r))
		assert_non_null(q.base);
	ae_arena_free(a);
}

static void
mutated(void **state)
{
	struct ae_wr w;

	(void)state;
	put_all(&w);
	assert_true(ae_mutate(w.p, w.len, get_all, NULL) > 1000);
	ae_wr_done(&w);
}

static void
nonsense(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} rows[] = {
		{ "\x01\0\0", 3 },     /* no length */
		{ "\x05\0\0\0\0", 5 }, /* less than it says */
		{ "\x0d\0\0\0\x03\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff",
		    17 },
		{ "\x0d\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
		  "\xff",
		    17 }, /* no base */
		{ "\x0e\0\0\0\0\1\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff",
		    18 }, /* a NUL in it */
		{ "\x0e\0\0\0\0\1\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\xff",
		    18 }, /* not UTF-8 */
		{ "\x0d\0\0\0\0\0\0\0\0\xff\xff\xff\xff\xff\xff\0\0", 17 },
		{ "\x0e\0\0\0\0\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\0",
		    18 }, /* more behind it */
	};
	struct ae_arena *a = ae_arena_new(65536);
	struct ae_ad_query q;
	const uint8_t *p;
	struct ae_rd r;
	size_t i, len;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ae_rd_init(&r, rows[i].bytes, rows[i].len);
		assert_false(ae_ad_question_get(&q, &p, &len, a, &r));
		assert_false(ae_rd_ok(&r));
	}
	ae_arena_free(a);
}

static bool
work(void *arg)
{
	struct ae_wr *w = arg;
	struct ae_arena *a = ae_arena_new(65536);
	struct ae_ad_query q;
	const uint8_t *p;
	struct ae_rd r;
	size_t len, n = 0;

	if (a == NULL)
		return false;
	ae_rd_init(&r, w->p, w->len);
	while (ae_ad_question_get(&q, &p, &len, a, &r))
		n++;
	ae_arena_free(a);
	return n == N;
}

static void
without_memory(void **state)
{
	struct ae_wr w;

	(void)state;
	put_all(&w);
	assert_true(ae_torture(work, &w, 100, true) > 0);
	ae_wr_done(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(mutated),
		cmocka_unit_test(nonsense),
		cmocka_unit_test(without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
