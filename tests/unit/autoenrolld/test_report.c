/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * A run's report on its way: put together as text, and read in part.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "../../../prog/autoenroll/report.h"
#include "mutate.h"
#include "pulse.h"

static const char report[] =
    "{\"enabled\":true,\"policy_reasons\":[{\"check\":\"p\",\"verdict\":"
    "\"fail\"}],"
    "\"plan\":[{\"template\":\"A\\\"\",\"cas\":[\"x\\\\y\"],\"reasons\":["
    "{\"check\":\"one\",\"verdict\":\"pass\",\"text\":\"]\"},"
    "{\"check\":\"two\",\"verdict\":\"fail\",\"text\":\"}\"},"
    "{\"check\":\"three\",\"verdict\":\"fail\",\"text\":\"\"}],\"have\":\"A/"
    "1\"},"
    "{\"template\":\"B\",\"reasons\":[]},{\"template\":\"C\"}],"
    "\"results\":[{\"reasons\":[1,2]}],\"exit\":0}";

static json_t *
read_it(bool all)
{
	json_t *j = report_read(report, sizeof(report) - 1, all);

	assert_non_null(j);
	return j;
}

/* All is there but the reasons that did not decide. */
static void
in_part(void **state)
{
	json_t *whole = read_it(true), *part = read_it(false);
	json_t *a = json_array_get(json_object_get(part, "plan"), 0);
	json_t *reasons = json_object_get(a, "reasons");

	(void)state;
	assert_int_equal(json_array_size(reasons), 1);
	assert_string_equal(json_string_value(json_object_get(
				json_array_get(reasons, 0), "check")),
	    "two");
	(void)json_object_set(a, "reasons",
	    json_object_get(
		json_array_get(json_object_get(whole, "plan"), 0), "reasons"));
	assert_true(json_equal(whole, part));
	json_decref(whole);
	json_decref(part);
}

static void
with_a_newline(void **state)
{
	char text[sizeof(report) + 1];
	json_t *j, *part = read_it(false);

	(void)state;
	(void)snprintf(text, sizeof(text), "%s\n", report);
	j = report_read(text, strlen(text), false);
	assert_true(json_equal(j, part));
	json_decref(j);
	json_decref(part);
}

static void
not_readable(void **state)
{
	static const char *const rows[] = { "", "\n", "{", "{\"plan\":[{]}",
		"{\"plan\":nonsense}", "{} {}", "{\"plan\":[1 2]}",
		"{\"plan\":[{\"a\" 1}]}", "{\"plan\":[{\"reasons\":[1 2]}]}",
		"{\"plan\":[] \"b\":1}" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_null(report_read(rows[i], strlen(rows[i]), false));
}

static void
try_one(const uint8_t *p, size_t len, void *arg)
{
	(void)arg;
	json_decref(report_read((const char *)p, len, false));
}

static void
mutated(void **state)
{
	(void)state;
	assert_true(ae_mutate((const uint8_t *)report, sizeof(report) - 1,
			try_one, NULL) > 1000);
}

/* Of two members with one name the run's own counts. */
static void
put_together(void **state)
{
	json_t *own = json_pack("{s:i, s:s}", "exit", 3, "sid", "S-1"), *j;
	char *text = pulse_report_text(own, "{\"exit\":0,\"plan\":[1]}");

	(void)state;
	assert_non_null(text);
	j = json_loads(text, 0, NULL);
	assert_int_equal(json_object_size(j), 3);
	assert_int_equal(json_integer_value(json_object_get(j, "exit")), 3);
	assert_int_equal(json_array_size(json_object_get(j, "plan")), 1);
	json_decref(j);
	free(text);
	text = pulse_report_text(own, NULL);
	assert_string_equal(text, "{\"exit\":3,\"sid\":\"S-1\"}");
	free(text);
	text = pulse_report_text(own, "{}");
	assert_string_equal(text, "{\"exit\":3,\"sid\":\"S-1\"}");
	free(text);
	json_decref(own);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_part),
		cmocka_unit_test(with_a_newline),
		cmocka_unit_test(not_readable),
		cmocka_unit_test(mutated),
		cmocka_unit_test(put_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
