/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Tests of base/conf.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/conf.h"
#include "base/str.h"
#include "mutate.h"
#include "torture.h"

struct settings {
	char *name;
	bool on;
	uint32_t port;
	int64_t every;
	int level;
	struct ae_strv urls;
	struct ae_strv pairs;
};

static const char *const levels[] = { "low", "high", NULL };

/* clang-format off */
static const struct ae_conf_key keys[] = {
	{ "",     "name",  AE_CONF_STR,  offsetof(struct settings, name) },
	{ "",     "on",    AE_CONF_BOOL, offsetof(struct settings, on) },
	{ "net",  "port",  AE_CONF_U32,  offsetof(struct settings, port), 1, 65535 },
	{ "net",  "every", AE_CONF_SPAN, offsetof(struct settings, every), 60, 86400 },
	{ "net",  "level", AE_CONF_ENUM, offsetof(struct settings, level), .words = levels },
	{ "net",  "url",   AE_CONF_STRV, offsetof(struct settings, urls) },
	{ "map",  "*",     AE_CONF_PAIRS, offsetof(struct settings, pairs) },
	{ 0 },
};
/* clang-format on */

static const char good[] = "# comment\n"
			   "name = CA one\n"
			   "on=yes\n"
			   "\n"
			   "[net]\n"
			   "port = 0x87\r\n"
			   "every = 8h\n"
			   "level = HIGH\n"
			   "url = http://a\n"
			   "url = http://b\n"
			   "[map]\n"
			   "A name, v1.0 = some thing\n"
			   "* = all";

static int
parse(struct settings *s, const char *text, struct ae_err *e)
{
	return ae_conf_parse(s, keys, "t.conf", text, strlen(text), e);
}

static void
everything_lands(void **state)
{
	struct ae_err e = AE_ERR_INIT;
	struct settings s = { 0 };

	(void)state;
	assert_int_equal(parse(&s, good, &e), AE_OK);
	assert_string_equal(s.name, "CA one");
	assert_true(s.on);
	assert_int_equal(s.port, 135);
	assert_int_equal(s.every, 8 * 3600);
	assert_int_equal(s.level, 1);
	assert_int_equal(s.urls.n, 2);
	assert_string_equal(s.urls.v[1], "http://b");
	assert_int_equal(s.pairs.n, 4);
	assert_string_equal(s.pairs.v[0], "A name, v1.0");
	assert_string_equal(s.pairs.v[1], "some thing");
	assert_string_equal(s.pairs.v[2], "*");
	assert_string_equal(s.pairs.v[3], "all");
	ae_conf_done(&s, keys);
	assert_null(s.name);
}

static void
errors_say_where(void **state)
{
	static const struct {
		const char *text;
		const char *starts;
	} bad[] = {
		{ "nam = x", "t.conf:1:1: unknown key 'nam'" },
		{ "[web]", "t.conf:1:1: unknown section [web]" },
		{ "\n  hello", "t.conf:2:3: expected 'key = value'" },
		{ "on = maybe", "t.conf:1:6: 'on' wants yes or no" },
		{ "on = 1\non = 0", "t.conf:2:1: 'on' is set a second time" },
		{ "[net]\nport = 0", "t.conf:2:8: 'port' must lie between 1" },
		{ "[net]\nport = 70000", "t.conf:2:8: 'port' must lie" },
		{ "[net]\nport = -1", "t.conf:2:8: 'port' wants a whole" },
		{ "[net]\nport = 9x", "t.conf:2:8: 'port' wants a whole" },
		{ "[net]\nevery = 8 hours",
		    "t.conf:2:9: 'every' wants a time" },
		{ "[net]\nevery = 99999999999999999y", "t.conf:2:9: 'every'" },
		{ "[net]\nlevel = mid",
		    "t.conf:2:9: 'level' must be one of: low, high" },
		{ "[map]\na = b\n A = c",
		    "t.conf:3:2: 'A' is set a second time" },
		{ "[map]\n = c", "t.conf:2:" },
		{ "[net", "t.conf:1:1: a section heading looks like [name]" },
		{ "[]", "t.conf:1:1: a section heading looks like [name]" },
		{ "[net]\nname = x",
		    "t.conf:2:1: unknown key 'name' in section" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct ae_err e = AE_ERR_INIT;
		struct settings s = { 0 };

		assert_int_equal(parse(&s, bad[i].text, &e), AE_EINVAL);
		if (strncmp(e.text, bad[i].starts, strlen(bad[i].starts)) != 0)
			fail_msg("'%s' gave '%s'", bad[i].text, e.text);
		ae_conf_done(&s, keys);
	}
}

static void
long_lines_and_nul(void **state)
{
	struct ae_err e = AE_ERR_INIT;
	struct settings s = { 0 };
	char big[5000];

	(void)state;
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	assert_int_equal(parse(&s, big, &e), AE_EINVAL);
	assert_int_equal(
	    ae_conf_parse(&s, keys, "t", "on\0=1", 5, &e), AE_EINVAL);
	ae_conf_done(&s, keys);
}

static void
files(void **state)
{
	char path[] = "/tmp/ae-conf-XXXXXX";
	struct ae_err e = AE_ERR_INIT;
	struct settings s = { 0 };
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, good, sizeof(good) - 1), sizeof(good) - 1);
	assert_int_equal(ae_conf_read(&s, keys, path, &e), AE_OK);
	assert_int_equal(s.port, 135);
	ae_conf_done(&s, keys);
	assert_int_equal(ftruncate(fd, AE_CONF_FILE_MAX + 1), 0);
	assert_int_equal(ae_conf_read(&s, keys, path, &e), AE_ELIMIT);
	(void)close(fd);
	(void)unlink(path);
	assert_int_equal(ae_conf_read(&s, keys, path, &e), AE_ENOTFOUND);
}

static void
parse_any(const uint8_t *p, size_t len, void *arg)
{
	struct ae_err e = AE_ERR_INIT;
	struct settings s = { 0 };

	*(size_t *)arg +=
	    ae_conf_parse(&s, keys, "m", (const char *)p, len, &e) == AE_OK;
	ae_conf_done(&s, keys);
}

static bool
parse_work(void *arg)
{
	struct settings s = { 0 };
	bool ok = parse(&s, arg, NULL) == AE_OK;

	ae_conf_done(&s, keys);
	return ok;
}

static void
hostile(void **state)
{
	char copy[sizeof(good)];
	size_t ok = 0;

	(void)state;
	(void)ae_mutate(
	    (const uint8_t *)good, sizeof(good) - 1, parse_any, &ok);
	assert_true(ok > 0);
	memcpy(copy, good, sizeof(good));
	assert_true(ae_torture(parse_work, copy, 60, true) >= 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_lands),
		cmocka_unit_test(errors_say_where),
		cmocka_unit_test(long_lines_and_nul),
		cmocka_unit_test(files),
		cmocka_unit_test(hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
