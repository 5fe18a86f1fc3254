/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Who asks: a process is its pid and when it started.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "sys/polkit.h"

static const char line[] =
    "4711 (autoenroll) S 4700 4711 4700 34816 4711 4194304 150 0 0 0 1 2 0 0 "
    "20 0 1 0 987654 8192000 500 18446744073709551615 1 1 0 0\n";

static void
test_the_start_time(void **state)
{
	uint64_t t = 0;

	(void)state;
	assert_true(ae_polkit_start_time(&t, line));
	assert_int_equal(t, 987654);
}

/* A program may call itself what it likes. */
static void
test_a_name_that_looks_like_the_rest(void **state)
{
	char text[512];
	uint64_t t = 0;

	(void)state;
	(void)snprintf(text, sizeof(text), "4711 (x) S 1 1 1 (y 1 2 3) %s",
	    strchr(line, ')') + 2);
	assert_true(ae_polkit_start_time(&t, text));
	assert_int_equal(t, 987654);
}

static void
test_lines_that_are_none(void **state)
{
	static const char *const bad[] = { "", ")", "4711", "4711 (x)",
		"4711 (x) S 1 2 3",
		"1 (x) S 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 -5 1",
		"1 (x) S 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 5x 1",
		("1 (x) S 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 "
		 "99999999999999999999 1") };
	uint64_t t = 77;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(ae_polkit_start_time(&t, bad[i]));
	assert_int_equal(t, 77);
}

/* Every truncation: a start time that was cut is another one, or none. */
static void
test_truncations(void **state)
{
	char text[sizeof(line)];
	uint64_t t;
	size_t n;

	(void)state;
	for (n = 0; n < sizeof(line); n++) {
		memcpy(text, line, n);
		text[n] = '\0';
		(void)ae_polkit_start_time(&t, text);
	}
}

static void
test_the_peer_is_ourselves(void **state)
{
	struct ae_polkit_subject s = { 0 };
	struct ae_err e = AE_ERR_INIT;
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_int_equal(ae_polkit_peer(&s, fds[0], &e), AE_OK);
	assert_int_equal(s.pid, getpid());
	assert_int_equal(s.uid, geteuid());
	assert_true(s.start > 0);
	(void)close(fds[0]);
	(void)close(fds[1]);
	assert_int_not_equal(ae_polkit_peer(&s, fds[0], &e), AE_OK);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_start_time),
		cmocka_unit_test(test_a_name_that_looks_like_the_rest),
		cmocka_unit_test(test_lines_that_are_none),
		cmocka_unit_test(test_truncations),
		cmocka_unit_test(test_the_peer_is_ourselves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
