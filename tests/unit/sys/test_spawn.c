/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What a spawned process finds: its descriptors in order and no others, a
 * clean environment, default signals.  The test program is its own child.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "sys/spawn.h"

extern char **environ;

/* In the child: 0 when everything is as promised, else the number of the
   broken promise. */
static int
role_check(void)
{
	struct stat a, b;
	sigset_t set;
	char c = 0;
	int fd, n;

	if (read(3, &c, 1) != 1 || c != 'x')
		return 1;
	if (fcntl(4, F_GETFD) != -1)
		return 2; /* the hole */
	if (write(5, "y", 1) != 1)
		return 3;
	for (fd = 6; fd < 1024; fd++)
		if (fcntl(fd, F_GETFD) != -1)
			return 4;
	if (fstat(0, &a) < 0 || stat("/dev/null", &b) < 0 ||
	    a.st_rdev != b.st_rdev)
		return 5;
	for (n = 0; environ[n] != NULL; n++)
		if (strncmp(environ[n], "PATH=", 5) != 0 &&
		    strncmp(environ[n], "ASAN_OPTIONS=", 13) != 0 &&
		    strncmp(environ[n], "LSAN_OPTIONS=", 13) != 0 &&
		    strncmp(environ[n], "UBSAN_OPTIONS=", 14) != 0 &&
		    strcmp(environ[n], "AE_KEEP=kept") != 0)
			return 6;
	if (getenv("AE_KEEP") == NULL || getenv("AE_SECRET") != NULL)
		return 7;
	if (sigprocmask(SIG_SETMASK, NULL, &set) < 0 ||
	    sigismember(&set, SIGTERM))
		return 8;
	return 0;
}

static _Noreturn void
role_wait(void)
{
	for (;;)
		(void)pause();
}

static int
wait_for(pid_t pid)
{
	int status = -1;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void
child_has_what_it_was_given(void **state)
{
	static const char *const argv[] = { "child", "check", NULL };
	static const char *const keep[] = { "AE_KEEP", "ASAN_OPTIONS",
		"AE_NOT_SET", NULL };
	struct ae_spawn s = { .argv = argv, .keep_env = keep };
	struct ae_err e = AE_ERR_INIT;
	int in[2], out[2], fds[3], i, stray[40];
	sigset_t set;
	pid_t pid;
	char c = 0;

	(void)state;
	assert_int_equal(pipe(in), 0);
	assert_int_equal(pipe(out), 0);
	/* inherited descriptors all over the place, without close-on-exec */
	for (i = 0; i < 40; i++)
		stray[i] = dup(0);
	fds[0] = in[0];
	fds[1] = -1;
	fds[2] = out[1];
	s.fds = fds;
	s.nfds = 3;
	assert_int_equal(write(in[1], "x", 1), 1);
	assert_int_equal(setenv("AE_KEEP", "kept", 1), 0);
	assert_int_equal(setenv("AE_SECRET", "s", 1), 0);
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	assert_int_equal(ae_spawn(&pid, &s, &e), AE_OK);
	i = wait_for(pid);
	assert_true(WIFEXITED(i));
	assert_int_equal(WEXITSTATUS(i), 0);
	assert_int_equal(read(out[0], &c, 1), 1);
	assert_int_equal(c, 'y');
	for (i = 0; i < 40; i++)
		close(stray[i]);
	for (i = 0; i < 2; i++) {
		close(in[i]);
		close(out[i]);
	}
}

/* Two descriptors that sit on each other's targets. */
static void
descriptors_that_cross(void **state)
{
	static const char *const argv[] = { "child", "check", NULL };
	static const char *const keep[] = { "AE_KEEP", "ASAN_OPTIONS", NULL };
	struct ae_spawn s = { .argv = argv, .keep_env = keep, .nfds = 3 };
	struct ae_err e = AE_ERR_INIT;
	int in[2], out[2], hi[4], fds[3] = { 5, -1, 3 }, st, i;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(in), 0);
	assert_int_equal(pipe(out), 0);
	for (i = 0; i < 4; i++) {
		int *end = i < 2 ? &in[i] : &out[i - 2];

		hi[i] = fcntl(*end, F_DUPFD, 40);
		close(*end);
	}
	/* 5 is to become 3 and 3 is to become 5 */
	assert_int_equal(dup2(hi[0], 5), 5);
	assert_int_equal(dup2(hi[3], 3), 3);
	s.fds = fds;
	assert_int_equal(write(hi[1], "x", 1), 1);
	assert_int_equal(ae_spawn(&pid, &s, &e), AE_OK);
	st = wait_for(pid);
	assert_true(WIFEXITED(st));
	assert_int_equal(WEXITSTATUS(st), 0);
	for (i = 0; i < 4; i++)
		close(hi[i]);
	close(3);
	close(5);
}

static void
failed_exec_is_known_at_once(void **state)
{
	static const char *const argv[] = { "x", NULL };
	struct ae_spawn s = { .path = "/nonexistent/program", .argv = argv };
	struct ae_err e = AE_ERR_INIT;
	pid_t pid = -7;

	(void)state;
	assert_int_equal(ae_spawn(&pid, &s, &e), AE_EIO);
	assert_int_equal(e.code, ENOENT);
	assert_int_equal(pid, -7);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no zombie */
}

static void
too_many_descriptors(void **state)
{
	static const char *const argv[] = { "x", NULL };
	struct ae_spawn s = { .argv = argv, .nfds = AE_SPAWN_FDS_MAX + 1 };
	struct ae_err e = AE_ERR_INIT;
	pid_t pid;

	(void)state;
	assert_int_equal(ae_spawn(&pid, &s, &e), AE_EINVAL);
}

static void
bad_descriptor(void **state)
{
	static const char *const argv[] = { "x", NULL };
	static const int fds[] = { 900 };
	struct ae_spawn s = { .argv = argv, .fds = fds, .nfds = 1 };
	struct ae_err e = AE_ERR_INIT;
	pid_t pid;

	(void)state;
	assert_int_equal(ae_spawn(&pid, &s, &e), AE_EIO);
	assert_int_equal(e.code, EBADF);
}

/* A middle process spawns a waiter and dies; the waiter must follow. */
static void
dies_with_its_parent(void **state)
{
	static const char *const argv[] = { "child", "wait", NULL };
	int out[2];
	pid_t mid;
	char c;

	(void)state;
	assert_int_equal(pipe(out), 0);
	mid = fork();
	assert_true(mid >= 0);
	if (mid == 0) {
		struct ae_spawn s = { .argv = argv,
			.fds = &out[1],
			.nfds = 1,
			.death_signal = SIGKILL };
		struct ae_err e = AE_ERR_INIT;
		pid_t pid;

		_exit(ae_spawn(&pid, &s, &e) == AE_OK ? 0 : 1);
	}
	assert_int_equal(wait_for(mid), 0);
	close(out[1]);
	/* End of file comes when the waiter, the last writer, is gone. */
	assert_int_equal(read(out[0], &c, 1), 0);
	close(out[0]);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(failed_exec_is_known_at_once),
		cmocka_unit_test(child_has_what_it_was_given),
		cmocka_unit_test(too_many_descriptors),
		cmocka_unit_test(bad_descriptor),
		cmocka_unit_test(dies_with_its_parent),
		cmocka_unit_test(descriptors_that_cross),
	};

	if (argc > 1 && strcmp(argv[1], "check") == 0)
		_exit(role_check());
	if (argc > 1 && strcmp(argv[1], "wait") == 0)
		role_wait();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
