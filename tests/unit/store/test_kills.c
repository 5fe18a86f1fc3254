/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * F21: a writer of the store is killed at every one of its system calls, on
 * the way in and on the way out.  Whatever the point, what is left is the old
 * pair or the new one, complete; no request without its key; no key that
 * others may read; and the next writer goes on from there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cycle.h"
#include "scratch.h"

#define POINTS_MIN 150 /* fewer: the tracer does not see them */
#define POINTS_MAX 5000

static char dir[64];

/* False: it came to its end before the point. */
static bool
work_killed_at(unsigned gen, unsigned point)
{
	unsigned stops = 0;
	int status;
	pid_t pid;

	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
			_exit(2);
		(void)raise(SIGSTOP);
		_exit(cycle_enroll(dir, gen) ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSTOPPED(status));
	for (;;) {
		assert_int_equal(ptrace(PTRACE_SYSCALL, pid, NULL, NULL), 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (WIFEXITED(status)) {
			assert_int_equal(WEXITSTATUS(status), 0);
			return false;
		}
		assert_true(WIFSTOPPED(status));
		if (++stops == point)
			break;
	}
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	return true;
}

static void
f21_killed_at_every_system_call(void **state)
{
	unsigned point, gen = 1, now, seen_old = 0, seen_new = 0;
	const char *wrong;

	(void)state;
	assert_true(cycle_enroll(dir, gen));
	for (point = 1; point < POINTS_MAX; point++) {
		unsigned old = gen++;
		bool killed = work_killed_at(gen, point);

		wrong = cycle_check(dir, gen, CYCLE_NONE, &now);
		if (wrong != NULL)
			fail_msg("point %u: %s", point, wrong);
		assert_true(now == old || now == gen);
		seen_old += now == old;
		seen_new += now == gen;
		wrong = cycle_go_on(dir, gen);
		if (wrong != NULL)
			fail_msg("after point %u: %s", point, wrong);
		assert_null(cycle_check(dir, gen, CYCLE_NONE, &gen));
		if (!killed)
			break;
	}
	assert_true(point > POINTS_MIN && point < POINTS_MAX);
	assert_true(seen_old > 10 && seen_new > 10);
	print_message("%u points: the old pair after %u, the new one after "
		      "%u\n",
	    point - 1, seen_old, seen_new);
}

static int
setup(void **state)
{
	(void)state;
	return scratch_make(dir);
}

static int
teardown(void **state)
{
	(void)state;
	return scratch_remove(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    f21_killed_at_every_system_call, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
