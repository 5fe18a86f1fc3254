/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Tests of base/json.h, with jansson as the reader of what is written.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>
#include <string.h>

#include "base/json.h"
#include "mutate.h"

static void
strings(void **state)
{
	static const char *const rows[][2] = {
		{ "", "" },
		{ "plain", "plain" },
		{ "a\"b\\c/d", "a\"b\\c/d" },
		{ "\b\f\n\r\t\x01\x1f\x7f", "\b\f\n\r\t\x01\x1f\x7f" },
		{ "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9d\x84\x9e",
		    "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9d\x84\x9e" },
		/* not UTF-8: quoted, as everywhere */
		{ "a\xff\xc0z", "a\\xff\\xc0z" },
	};
	struct ae_wr w;
	json_t *j;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ae_wr_init(&w, 1000);
		ae_wr_u8(&w, '{');
		ae_json_put_member(&w, "first", "x");
		ae_json_put_member(&w, "text", rows[i][0]);
		ae_wr_u8(&w, '}');
		assert_true(ae_wr_ok(&w));
		assert_true(ae_json_is_line((const char *)w.p, w.len));
		j = json_loadb((const char *)w.p, w.len, 0, NULL);
		assert_non_null(j);
		assert_int_equal(json_object_size(j), 2);
		assert_string_equal(
		    json_string_value(json_object_get(j, "text")), rows[i][1]);
		json_decref(j);
		ae_wr_done(&w);
	}
}

static void
commas(void **state)
{
	struct ae_wr w;

	(void)state;
	ae_wr_init(&w, 1000);
	ae_json_put_next(&w);
	ae_wr_str(&w, "{\"a\":[");
	ae_json_put_next(&w);
	ae_json_put_str(&w, "[");
	ae_json_put_next(&w);
	ae_json_put_str(&w, "{");
	ae_wr_str(&w, "]");
	ae_json_put_member(&w, "b", "");
	ae_wr_str(&w, "}");
	assert_string_equal(ae_wr_cstr(&w), "{\"a\":[\"[\",\"{\"],\"b\":\"\"}");
	ae_wr_done(&w);
}

/* What stands in a line, or is opened, must not reach beyond itself. */
static void
lines(void **state)
{
	static const char *const good[] = { "{}", "{\"a\":{\"b\":[1,2]}}",
		"{\"a\":\"}\"}", "{\"a\":\"\\\"}\"}", "{\"a\":\"\\\\\"}",
		"{ \"a\" : [ ] }" };
	static const char *const bad[] = { "", "{", "}", "[]", "\"a\"", "null",
		"{}}", "{}{}", "{} ", " {}", "{\"a\":1", "{\"a\":[1}", "{[}]",
		"{\"a}", "{\"a\\\"}", "{\"a\n\":1}", "{\"a\":1,\n\"b\":2}",
		"{\"a\":\"\\\n\"}", "{}\n", "{\"a\":\"\\\\\\\"}" };
	char deep[200];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(ae_json_is_line(good[i], strlen(good[i])));
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(ae_json_is_line(bad[i], strlen(bad[i])));
	assert_false(ae_json_is_line("{\"a\":\"\0\"}", 10));
	memset(deep, '{', 100);
	memset(deep + 100, '}', 100);
	assert_false(ae_json_is_line(deep, 200));
	assert_true(ae_json_is_line(deep + 50, 100));
}

static void
assert_part(struct ae_json_walk *w, const char *name, const char *value)
{
	struct ae_json_part part;

	assert_true(ae_json_step(w, &part));
	if (name != NULL)
		assert_true(ae_json_is(&part, name));
	else
		assert_null(part.name);
	assert_int_equal(part.len, strlen(value));
	assert_memory_equal(part.p, value, part.len);
}

static void
walks(void **state)
{
	static const char text[] =
	    "{\"a\":1,\"b\":[\"x,]\",{\"c\":\"}\"},[],null], "
	    "\"d\" : \"\\\"\" ,\"e\":{}}";
	struct ae_json_walk w, list;
	struct ae_json_part part;

	(void)state;
	assert_true(ae_json_walk(&w, text, sizeof(text) - 1));
	assert_part(&w, "a", "1");
	assert_true(ae_json_step(&w, &part));
	assert_true(ae_json_is(&part, "b"));
	assert_false(ae_json_is(&part, "bb"));
	assert_true(ae_json_walk(&list, part.p, part.len));
	assert_part(&list, NULL, "\"x,]\"");
	assert_part(&list, NULL, "{\"c\":\"}\"}");
	assert_part(&list, NULL, "[]");
	assert_part(&list, NULL, "null");
	assert_false(ae_json_step(&list, &part));
	assert_part(&w, "d", "\"\\\"\"");
	assert_part(&w, "e", "{}");
	assert_false(ae_json_step(&w, &part));
	assert_true(ae_json_ended(&w));
	assert_true(ae_json_ended(&list));
}

/* Each ends, and says no piece that is not there. */
static void
walks_nowhere(void **state)
{
	static const char *const rows[] = { "{", "[", "{}", "[]", "{\"a\"",
		"{\"a\"}", "{\"a\":", "{\"a\":}", "{a:1}", "{:1}", "{,}", "[,]",
		"[:]", "[\"a]", "[{]", "[\"\\", "{\"a\":\"b}", "[\n" };
	struct ae_json_walk w;
	struct ae_json_part part;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_true(ae_json_walk(&w, rows[i], strlen(rows[i])));
		assert_false(ae_json_step(&w, &part));
		assert_int_equal(ae_json_ended(&w), i == 2 || i == 3);
	}
	/* Two that begin well: no comma, and one too many. */
	for (i = 0; i < 2; i++) {
		const char *text = i == 0 ? "[1 2]" : "[1,]";

		assert_true(ae_json_walk(&w, text, strlen(text)));
		assert_true(ae_json_step(&w, &part));
		assert_false(ae_json_step(&w, &part));
		assert_false(ae_json_ended(&w));
	}
	assert_false(ae_json_walk(&w, "", 0));
	assert_false(ae_json_walk(&w, "\"a\"", 3));
	assert_false(ae_json_walk(&w, "1", 1));
}

static void
walk_mutated(const uint8_t *p, size_t len, void *arg)
{
	struct ae_json_walk w, inner;
	struct ae_json_part part;

	(void)arg;
	(void)ae_json_is_line((const char *)p, len);
	if (!ae_json_walk(&w, (const char *)p, len))
		return;
	while (ae_json_step(&w, &part))
		if (ae_json_walk(&inner, part.p, part.len))
			while (ae_json_step(&inner, &part))
				continue;
}

static void
mutated(void **state)
{
	static const char text[] =
	    "{\"a\":[{\"b\":\"\\\"\"}, 12],\"c\" : [true,[]]}";

	(void)state;
	assert_true(ae_mutate((const uint8_t *)text, sizeof(text) - 1,
			walk_mutated, NULL) > 400);
}

static void
too_much(void **state)
{
	struct ae_wr w;

	(void)state;
	ae_wr_init(&w, 8);
	ae_json_put_str(&w, "more than that");
	assert_false(ae_wr_ok(&w));
	ae_wr_done(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strings),
		cmocka_unit_test(commas),
		cmocka_unit_test(lines),
		cmocka_unit_test(walks),
		cmocka_unit_test(walks_nowhere),
		cmocka_unit_test(mutated),
		cmocka_unit_test(too_much),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
