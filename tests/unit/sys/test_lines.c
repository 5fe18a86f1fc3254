/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Tests of sys/lines.h: order, bounds, damage, and writers that are killed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/lines.h"
#include "torture.h"

struct fixture {
	char dir[64], path[96];
	struct ae_lines f;
};

static int
setup(void **state)
{
	struct fixture *x = calloc(1, sizeof(*x));

	(void)snprintf(x->dir, sizeof(x->dir), "/tmp/test_lines.XXXXXX");
	if (mkdtemp(x->dir) == NULL)
		return -1;
	(void)snprintf(x->path, sizeof(x->path), "%s/log", x->dir);
	x->f = (struct ae_lines){
		.path = x->path, .max_size = 100, .keep = 3, .mode = 0644
	};
	*state = x;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *x = *state;
	char cmd[128];

	(void)snprintf(cmd, sizeof(cmd), "rm -rf '%s'", x->dir);
	if (system(cmd) != 0) /* NOLINT */
		return -1;
	free(x);
	return 0;
}

/* Numbers: in what order they came, and whether each was one. */
struct seen {
	long v[20000];
	size_t n;
};

static bool
number(void *arg, const char *line, size_t len)
{
	struct seen *s = arg;
	char *end;
	long v = strtol(line, &end, 10);

	(void)len;
	if (end == line || *end != '\0')
		return false;
	if (s->n < sizeof(s->v) / sizeof(s->v[0]))
		s->v[s->n++] = v;
	return true;
}

static void
append(const struct ae_lines *f, long v)
{
	char line[32];

	(void)snprintf(line, sizeof(line), "%06ld", v);
	assert_int_equal(ae_lines_append(f, line, strlen(line), NULL), AE_OK);
}

static void
raw(const struct fixture *x, const char *name, const void *p, size_t len)
{
	char path[128];
	int fd;

	(void)snprintf(path, sizeof(path), "%s%s", x->path, name);
	fd = open(path, O_WRONLY | O_APPEND | O_CREAT, 0644);
	assert_int_equal(write(fd, p, len), len);
	(void)close(fd);
}

static size_t
read_all(const struct ae_lines *f, struct seen *s)
{
	struct ae_lines_reader *r = NULL;
	size_t damaged;

	s->n = 0;
	assert_int_equal(ae_lines_open(&r, f, NULL), AE_OK);
	assert_int_equal(ae_lines_next(r, number, s, NULL), AE_OK);
	damaged = ae_lines_damaged(r);
	ae_lines_close(r);
	return damaged;
}

static void
bounded_and_in_order(void **state)
{
	struct fixture *x = *state;
	static struct seen s;
	struct stat st;
	char name[128];
	unsigned i;
	long v;

	assert_int_equal(read_all(&x->f, &s), 0); /* no file, no line */
	assert_int_equal(s.n, 0);
	for (v = 0; v < 500; v++)
		append(&x->f, v);
	assert_int_equal(read_all(&x->f, &s), 0);
	/* 14 lines of 7 bytes in each of the four files, the last as it is. */
	assert_in_range(s.n, 3 * 14 - 3, 4 * 14);
	for (i = 0; i < s.n; i++)
		assert_int_equal(s.v[i], 500 - (long)s.n + (long)i);
	for (i = 0; i <= 4; i++) {
		(void)snprintf(
		    name, sizeof(name), i == 0 ? "%s" : "%s.%u", x->path, i);
		assert_int_equal(stat(name, &st), i <= 3 ? 0 : -1);
		if (i <= 3)
			assert_true(st.st_size <= 100);
	}
	(void)snprintf(name, sizeof(name), "%s.lock", x->path);
	assert_int_equal(stat(name, &st), 0);
	assert_int_equal(st.st_mode & 077, 0); /* nobody else can hold it */
}

static void
not_a_line(void **state)
{
	struct fixture *x = *state;
	static char big[AE_LINE_MAX + 1];

	memset(big, 'a', sizeof(big));
	assert_int_equal(ae_lines_append(&x->f, "a\nb", 3, NULL), AE_EINVAL);
	assert_int_equal(ae_lines_append(&x->f, "a\0b", 3, NULL), AE_EINVAL);
	assert_int_equal(
	    ae_lines_append(&x->f, big, sizeof(big), NULL), AE_EINVAL);
	assert_int_equal(access(x->path, F_OK), -1);
}

static void
damage_is_counted(void **state)
{
	struct fixture *x = *state;
	static char big[AE_LINE_MAX + 2];
	static struct seen s;

	x->f.max_size = 1 << 20;
	append(&x->f, 1);
	raw(x, "", "garbage\n", 8);
	append(&x->f, 2);
	raw(x, "", "3\0003\n", 4);
	memset(big, '1', sizeof(big));
	raw(x, "", big, sizeof(big));
	raw(x, "", "\n\n4\n", 4); /* empty lines are no damage */
	raw(x, "", "{\"cut", 5);  /* killed in mid-line */
	append(&x->f, 5);
	assert_int_equal(read_all(&x->f, &s), 4);
	assert_int_equal(s.n, 4);
	assert_int_equal(s.v[2], 4);
	assert_int_equal(s.v[3], 5);
	/* A gap, as a rotation killed between two renames leaves it. */
	raw(x, ".2", "0\nx", 3);
	assert_int_equal(read_all(&x->f, &s), 5);
	assert_int_equal(s.n, 5);
	assert_int_equal(s.v[0], 0);
}

static void
follow_across_rotations(void **state)
{
	struct fixture *x = *state;
	struct ae_lines_reader *r = NULL;
	static struct seen s;
	size_t i;
	long v, round;

	s.n = 0;
	assert_int_equal(ae_lines_open(&r, &x->f, NULL), AE_OK);
	assert_int_equal(ae_lines_next(r, number, &s, NULL), AE_OK);
	for (v = 0, round = 0; round < 60; round++) {
		long until = v + round % 40; /* up to three rotations */

		for (; v < until; v++)
			append(&x->f, v);
		raw(x, "", "0000", 4); /* half a line is not there yet */
		assert_int_equal(ae_lines_next(r, number, &s, NULL), AE_OK);
		assert_int_equal(s.n, v);
		raw(x, "", "xx\n", 3);
	}
	assert_int_equal(ae_lines_next(r, number, &s, NULL), AE_OK);
	assert_int_equal(ae_lines_damaged(r), 60);
	ae_lines_close(r);
	for (i = 0; i < s.n; i++)
		assert_int_equal(s.v[i], i);
}

/* Only whole lines, each once and in its writer's order, whenever it dies. */
static void
killed_writers(void **state)
{
	struct fixture *x = *state;
	static struct seen s;
	long v, round, last;
	size_t i;
	pid_t pid;

	x->f.max_size = 3000;
	x->f.keep = 20;
	for (round = 0; round < 40; round++) {
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0) {
			for (v = round * 20000;; v++)
				append(&x->f, v);
		}
		(void)usleep((useconds_t)(1000 + 977 * round % 5000));
		(void)kill(pid, SIGKILL);
		(void)waitpid(pid, NULL, 0);
	}
	append(&x->f, 999999);
	(void)read_all(&x->f, &s);
	for (last = -1, i = 0; i < s.n; i++) {
		assert_true(s.v[i] > last);
		last = s.v[i];
	}
	assert_int_equal(last, 999999);
}

static void
two_writers(void **state)
{
	struct fixture *x = *state;
	static struct seen s;
	long v, next[2] = { 0, 100000 };
	pid_t pid[2];
	int w, status;
	size_t i;

	x->f.max_size = 1000;
	x->f.keep = 99;
	for (w = 0; w < 2; w++) {
		pid[w] = fork();
		assert_true(pid[w] >= 0);
		if (pid[w] == 0) {
			for (v = 0; v < 1000; v++)
				append(&x->f, w * 100000 + v);
			_exit(0);
		}
	}
	for (w = 0; w < 2; w++) {
		(void)waitpid(pid[w], &status, 0);
		assert_int_equal(status, 0);
	}
	assert_int_equal(read_all(&x->f, &s), 0);
	assert_int_equal(s.n, 2000);
	for (i = 0; i < s.n; i++) {
		w = s.v[i] >= 100000;
		assert_int_equal(s.v[i], next[w]++);
	}
}

/* The file may grow no further: what was there stays readable. */
static void
full_disk(void **state)
{
	struct fixture *x = *state;
	struct rlimit none = { 20, RLIM_INFINITY }, was;
	struct ae_err e = AE_ERR_INIT;
	static struct seen s;

	x->f.max_size = 1000;
	append(&x->f, 1);
	append(&x->f, 2);
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	none.rlim_max = was.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	assert_int_not_equal(ae_lines_append(&x->f, "000003", 6, NULL), AE_OK);
	assert_int_not_equal(
	    ae_lines_append(&x->f, "0000000003", 10, &e), AE_OK);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
	assert_non_null(strstr(e.text, x->path));
	append(&x->f, 4);
	assert_int_equal(read_all(&x->f, &s), 0);
	assert_int_equal(s.n, 3);
	assert_int_equal(s.v[2], 4);
}

static bool
append_and_read(void *arg)
{
	struct fixture *x = arg;
	struct ae_lines_reader *r = NULL;
	static struct seen s;
	bool ok;

	s.n = 0;
	ok = ae_lines_append(&x->f, "000001", 6, NULL) == AE_OK &&
	    ae_lines_open(&r, &x->f, NULL) == AE_OK &&
	    ae_lines_next(r, number, &s, NULL) == AE_OK;
	ae_lines_close(r);
	return ok;
}

static void
no_memory(void **state)
{
	static struct seen s;
	struct fixture *x = *state;

	assert_true(ae_torture(append_and_read, x, 100, true) > 0);
	assert_int_equal(read_all(&x->f, &s), 0);
}

int
main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(bounded_and_in_order),
		TEST(not_a_line),
		TEST(damage_is_counted),
		TEST(follow_across_rotations),
		TEST(killed_writers),
		TEST(two_writers),
		TEST(full_disk),
		TEST(no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
