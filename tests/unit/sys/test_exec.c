/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Tests of sys/exec.h and sys/safe.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/clock.h"
#include "sys/exec.h"
#include "sys/files.h"
#include "sys/safe.h"

#define LONG_MS 60000

static int
sh(const char *script, struct ae_wr *out, int64_t ms, int *status,
    struct ae_err *e)
{
	static const char *const env[] = { "ONE=1", "TWO=a b", NULL };
	const char *argv[] = { "sh", "-c", script, NULL };
	struct ae_exec x = { .path = "/bin/sh",
		.argv = argv,
		.env = env,
		.timeout_ms = ms,
		.output = out,
		.with_stderr = out != NULL };

	return ae_exec_run(&x, status, e);
}

static void
output_and_code(void **state)
{
	struct ae_err e = AE_ERR_INIT;
	struct ae_wr out;
	int status = -1;

	(void)state;
	ae_wr_init(&out, 1024);
	assert_int_equal(
	    sh("echo $ONE; echo $TWO >&2; echo ${HOME-none}; exit 7", &out,
		LONG_MS, &status, &e),
	    AE_OK);
	assert_int_equal(status, 7);
	assert_string_equal(ae_wr_cstr(&out), "1\na b\nnone\n");
	ae_wr_done(&out);
	assert_int_equal(sh("kill -9 $$", NULL, LONG_MS, &status, &e), AE_OK);
	assert_int_equal(status, 128 + SIGKILL);
}

static void
input_is_read(void **state)
{
	const char *argv[] = { "cat", NULL };
	struct ae_err e = AE_ERR_INIT;
	struct ae_wr out;
	struct ae_exec x = { .path = "/bin/cat",
		.argv = argv,
		.timeout_ms = LONG_MS,
		.output = &out };
	int fds[2], status = -1;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], "told", 4), 4);
	(void)close(fds[1]);
	ae_wr_init(&out, 64);
	assert_int_equal(ae_exec_run(&x, &status, &e), AE_OK);
	assert_int_equal(out.len, 0);
	x.input = &fds[0];
	assert_int_equal(ae_exec_run(&x, &status, &e), AE_OK);
	assert_string_equal(ae_wr_cstr(&out), "told");
	assert_int_equal(status, 0);
	ae_wr_done(&out);
	(void)close(fds[0]);
}

static void
output_is_bounded(void **state)
{
	struct ae_err e = AE_ERR_INIT;
	struct ae_wr out;
	int status = -1;

	(void)state;
	ae_wr_init(&out, 100);
	/* More than a pipe holds: it must be read to the end all the same. */
	assert_int_equal(sh("i=0; while [ $i -lt 20000 ]; do echo 123456789; "
			    "i=$((i+1)); done; exit 3",
			     &out, LONG_MS, &status, &e),
	    AE_OK);
	assert_int_equal(status, 3);
	assert_true(ae_wr_ok(&out));
	assert_int_equal(out.len, 100);
	ae_wr_done(&out);
}

/* Writers enough that the pipe is never empty. */
static void
endless_output_does_not_outlast_the_deadline(void **state)
{
	struct ae_err e = AE_ERR_INIT;
	struct ae_wr out;
	int status = -1;

	(void)state;
	ae_wr_init(&out, 100);
	assert_int_equal(
	    sh("yes & yes & yes & wait", &out, 500, &status, &e), AE_ETIMEDOUT);
	assert_int_equal(out.len, 100);
	ae_wr_done(&out);
}

static void
the_deadline_reaches_what_it_started(void **state)
{
	char path[] = "/tmp/ae-exec-XXXXXX", script[256];
	struct ae_err e = AE_ERR_INIT;
	int64_t until = ae_clock_mono_ms() + LONG_MS;
	int fd = mkstemp(path), status = -1;
	uint8_t *text = NULL;
	size_t len = 0;
	pid_t pid;

	(void)state;
	assert_true(fd >= 0);
	(void)snprintf(
	    script, sizeof(script), "sleep 600 & echo $! > %s; wait", path);
	assert_int_equal(sh(script, NULL, 2000, &status, &e), AE_ETIMEDOUT);
	assert_non_null(strstr(e.text, "was killed"));
	assert_int_equal(ae_file_read(&text, &len, path, 64, &e), AE_OK);
	pid = (pid_t)strtol((char *)text, NULL, 10);
	assert_true(pid > 1);
	/* Reaped by whoever inherited it; until then a zombie answers. */
	while (kill(pid, 0) == 0 && ae_clock_mono_ms() < until) {
		char stat[64], buf[512] = "";
		FILE *f;

		(void)snprintf(stat, sizeof(stat), "/proc/%d/stat", pid);
		f = fopen(stat, "re");
		if (f != NULL && fread(buf, 1, sizeof(buf) - 1, f) > 0 &&
		    strstr(buf, ") Z ") != NULL)
			until = 0;
		if (f != NULL)
			(void)fclose(f);
		(void)usleep(10000);
	}
	assert_true(until == 0 || kill(pid, 0) != 0);
	free(text);
	(void)close(fd);
	(void)unlink(path);
}

/* One that goes on in the background does not hold us. */
static void
a_daemon_is_not_waited_for(void **state)
{
	struct ae_err e = AE_ERR_INIT;
	struct ae_wr out;
	int status = -1;
	long pid;

	(void)state;
	ae_wr_init(&out, 64);
	assert_int_equal(
	    sh("sleep 600 & echo $!", &out, LONG_MS, &status, &e), AE_OK);
	assert_int_equal(status, 0);
	pid = strtol(ae_wr_cstr(&out), NULL, 10);
	assert_true(pid > 1);
	assert_int_equal(kill((pid_t)pid, SIGKILL), 0);
	ae_wr_done(&out);
}

static void
no_such_program(void **state)
{
	const char *argv[] = { "x", NULL };
	struct ae_exec x = {
		.path = "/nonexistent/x", .argv = argv, .timeout_ms = LONG_MS
	};
	struct ae_err e = AE_ERR_INIT;
	int status;

	(void)state;
	assert_int_equal(ae_exec_run(&x, &status, &e), AE_ENOTFOUND);
	assert_non_null(strstr(e.text, "/nonexistent/x"));
}

/* A directory in /tmp, which is everybody's but sticky. */
static char *
tree(void)
{
	static char dir[] = "/tmp/ae-safe-XXXXXX";

	memcpy(dir + sizeof(dir) - 7, "XXXXXX", 6);
	assert_non_null(mkdtemp(dir));
	return dir;
}

static void
put(const char *dir, const char *name, mode_t mode)
{
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_int_equal(ae_file_write(path, "x", 1, mode, NULL), AE_OK);
}

static int
check(
    const char *dir, const char *name, enum ae_safe_kind kind, struct ae_err *e)
{
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	return ae_safe_check(path, kind, e);
}

static void
files_that_are_ours(void **state)
{
	struct ae_err e = AE_ERR_INIT;
	char *dir = tree(), path[256], link[256];

	(void)state;
	put(dir, "good", 0644);
	put(dir, "program", 0755);
	put(dir, "open", 0664);
	(void)snprintf(path, sizeof(path), "%s/good", dir);
	(void)snprintf(link, sizeof(link), "%s/link", dir);
	assert_int_equal(symlink(path, link), 0);
	assert_int_equal(check(dir, "good", AE_SAFE_FILE, &e), AE_OK);
	assert_int_equal(check(dir, "program", AE_SAFE_PROGRAM, &e), AE_OK);
	assert_int_equal(check(dir, "good", AE_SAFE_PROGRAM, &e), AE_EDENIED);
	assert_non_null(strstr(e.text, "not executable"));
	assert_int_equal(check(dir, "open", AE_SAFE_FILE, &e), AE_EDENIED);
	assert_non_null(strstr(e.text, "written by others"));
	assert_int_equal(check(dir, "link", AE_SAFE_FILE, &e), AE_EDENIED);
	assert_int_equal(check(dir, "none", AE_SAFE_FILE, &e), AE_ENOTFOUND);
	assert_int_equal(check(dir, ".", AE_SAFE_FILE, &e), AE_EDENIED);
	/* The directory itself becomes everybody's. */
	assert_int_equal(chmod(dir, 0777), 0);
	assert_int_equal(check(dir, "good", AE_SAFE_FILE, &e), AE_EDENIED);
	assert_int_equal(chmod(dir, 01777), 0); /* sticky is not enough here */
	assert_int_equal(check(dir, "good", AE_SAFE_FILE, &e), AE_EDENIED);
	assert_int_equal(chmod(dir, 0700), 0);
	if (geteuid() == 0) {
		assert_int_equal(chown(path, 65534, 65534), 0);
		assert_int_equal(
		    check(dir, "good", AE_SAFE_FILE, &e), AE_EDENIED);
		assert_non_null(strstr(e.text, "not owned by root"));
	}
}

static void
directories(void **state)
{
	char *dir = tree(), path[300];
	struct ae_err e = AE_ERR_INIT;
	const char *name;
	struct stat st;
	int fd;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s//sub/", dir);
	assert_int_equal(mkdir(path, 0755), 0);
	assert_int_equal(ae_safe_dir(&fd, path, &e), AE_OK);
	assert_int_equal(fstat(fd, &st), 0);
	assert_true(S_ISDIR(st.st_mode));
	(void)close(fd);
	(void)snprintf(path, sizeof(path), "%s/sub/file", dir);
	assert_int_equal(ae_safe_parent(&fd, &name, path, &e), AE_OK);
	assert_string_equal(name, "file");
	(void)close(fd);
	assert_int_equal(ae_safe_parent(&fd, &name, "/file", &e), AE_OK);
	(void)close(fd);
	(void)snprintf(path, sizeof(path), "%s/sub/../x", dir);
	assert_int_equal(ae_safe_parent(&fd, &name, path, &e), AE_EINVAL);
	assert_int_equal(ae_safe_parent(&fd, &name, "rel/x", &e), AE_EINVAL);
	assert_int_equal(ae_safe_parent(&fd, &name, "x", &e), AE_EINVAL);
	assert_int_equal(ae_safe_dir(&fd, "/tmp", &e), AE_EDENIED);
	(void)snprintf(path, sizeof(path), "%s/none/x", dir);
	assert_int_equal(ae_safe_parent(&fd, &name, path, &e), AE_ENOTFOUND);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(output_and_code),
		cmocka_unit_test(input_is_read),
		cmocka_unit_test(output_is_bounded),
		cmocka_unit_test(endless_output_does_not_outlast_the_deadline),
		cmocka_unit_test(the_deadline_reaches_what_it_started),
		cmocka_unit_test(a_daemon_is_not_waited_for),
		cmocka_unit_test(no_such_program),
		cmocka_unit_test(files_that_are_ours),
		cmocka_unit_test(directories),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
