/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The event file: a line is a JSON object whatever a client called itself.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "events.h"
#include "sys/files.h"

static char dir[] = "/tmp/ae-events-XXXXXX";
static char path[64];

static const struct ae_log_record denied = {
	.level = AE_LOG_WARNING,
	.text = "denied \"x\"\n{\"event\":\"6\"}",
	.field = { { "AE_EVENT", "53" }, { "AE_REQUEST_ID", "17" },
	    { "MESSAGE_ID", "8c1f" }, { "AE_SUBJECT", "CN=\x1b[31m\"}\n" },
	    { "AE_CLIENT", "bad \xff utf-8" } },
	.nfield = 5,
};

static void
one_object_a_line(void **state)
{
	struct ae_err e = AE_ERR_INIT;
	uint8_t *text = NULL;
	size_t len;
	char *line, *save = NULL;
	unsigned n = 0;

	(void)state;
	assert_int_equal(events_append(path, &denied, 1795441228, &e), AE_OK);
	assert_int_equal(events_append(path, &denied, 1795441229, &e), AE_OK);
	assert_int_equal(ae_file_read(&text, &len, path, 65536, &e), AE_OK);
	for (line = strtok_r((char *)text, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save), n++) {
		json_t *o = json_loads(line, JSON_REJECT_DUPLICATES, NULL);

		assert_non_null(o);
		assert_string_equal(
		    json_string_value(json_object_get(o, "event")), "53");
		assert_string_equal(
		    json_string_value(json_object_get(o, "level")), "warning");
		assert_string_equal(
		    json_string_value(json_object_get(o, "subject")),
		    denied.field[3].value);
		assert_string_equal(
		    json_string_value(json_object_get(o, "text")), denied.text);
		assert_string_equal(
		    json_string_value(json_object_get(o, "client")),
		    "(not UTF-8)");
		json_decref(o);
	}
	assert_int_equal(n, 2);
	free(text);
}

static void
made_private(void **state)
{
	struct ae_err e = AE_ERR_INIT;
	struct stat st;

	(void)state;
	(void)unlink(path);
	assert_int_equal(events_append(path, &denied, 0, &e), AE_OK);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07, 0);
}

/* A link in its place is not followed; a missing directory is an error. */
static void
nowhere_else(void **state)
{
	struct ae_err e = AE_ERR_INIT;
	char other[80];
	struct stat st;

	(void)state;
	(void)unlink(path);
	(void)snprintf(other, sizeof(other), "%s/other", dir);
	assert_int_equal(symlink(other, path), 0);
	assert_int_equal(events_append(path, &denied, 0, &e), AE_EIO);
	assert_int_equal(stat(other, &st), -1);
	assert_int_equal(
	    events_append("/nonexistent/events", &denied, 0, &e), AE_EIO);
	(void)unlink(path);
}

static int
make_dir(void **state)
{
	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	(void)snprintf(path, sizeof(path), "%s/events.jsonl", dir);
	return 0;
}

static int
remove_dir(void **state)
{
	(void)state;
	(void)unlink(path);
	return rmdir(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_object_a_line),
		cmocka_unit_test(made_private),
		cmocka_unit_test(nowhere_else),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
