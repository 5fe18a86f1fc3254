/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Tests of sys/growing.h: the old file or the new one, never half.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/files.h"
#include "sys/growing.h"

static char dir[64], path[96];

static int
setup(void **state)
{
	(void)state;
	(void)snprintf(dir, sizeof(dir), "/tmp/ae-growing-XXXXXX");
	if (mkdtemp(dir) == NULL)
		return -1;
	(void)snprintf(path, sizeof(path), "%s/list", dir);
	return 0;
}

static unsigned
files(void)
{
	struct dirent *d;
	DIR *at = opendir(dir);
	unsigned n = 0;

	while (at != NULL && (d = readdir(at)) != NULL)
		n +=
		    strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0;
	if (at != NULL)
		closedir(at);
	return n;
}

static int
teardown(void **state)
{
	(void)state;
	(void)unlink(path);
	return rmdir(dir);
}

static void
is(const char *text)
{
	uint8_t *p;
	size_t len;

	assert_int_equal(ae_file_read(&p, &len, path, 1000, NULL), AE_OK);
	assert_int_equal(len, strlen(text));
	assert_memory_equal(p, text, len);
	free(p);
}

static void
appears_as_a_whole(void **state)
{
	struct ae_growing *g = NULL;
	struct stat st;

	(void)state;
	assert_int_equal(ae_file_write(path, "old", 3, 0600, NULL), AE_OK);
	assert_int_equal(ae_growing_new(&g, dir, "list", 0644, 4, NULL), AE_OK);
	assert_int_equal(ae_growing_add(g, "one, ", 5, NULL), AE_OK);
	assert_int_equal(ae_growing_add(g, "two", 3, NULL), AE_OK);
	is("old"); /* while the new one grows beside it */
	assert_int_equal(files(), 2);
	assert_int_equal(ae_growing_done(g, "123", 3, NULL), AE_EINVAL);
	assert_int_equal(ae_growing_done(g, "123:", 4, NULL), AE_OK);
	is("123:one, two");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	ae_growing_free(g);
	is("123:one, two");
	assert_int_equal(files(), 1);
}

#define WRITTEN 100

/* The n-th file: n times a thousand bytes of its own, behind a head. */
static void
write_files(void)
{
	static uint8_t body[WRITTEN * 100];
	struct ae_growing *g;
	uint8_t head[4];
	unsigned n, i;

	for (n = 1; n <= WRITTEN; n++) {
		g = NULL;
		memset(body, (int)n, sizeof(body));
		memset(head, (int)n, sizeof(head));
		if (ae_growing_new(&g, dir, "list", 0644, sizeof(head), NULL) !=
		    AE_OK)
			_exit(1);
		for (i = 0; i < 10; i++)
			if (ae_growing_add(g, body, (size_t)n * 100, NULL) !=
			    AE_OK)
				_exit(1);
		if (ae_growing_done(g, head, sizeof(head), NULL) != AE_OK)
			_exit(1);
		ae_growing_free(g);
	}
	_exit(0);
}

/* Who reads while somebody else writes has a whole file, and none twice. */
static void
f19_readers_see_whole_files(void **state)
{
	size_t len, i, reads = 0;
	unsigned last = 0;
	int status = -1;
	uint8_t *p;
	pid_t pid;

	(void)state;
	assert_int_equal(ae_file_write(path, "", 0, 0600, NULL), AE_OK);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		write_files();
	while (waitpid(pid, &status, WNOHANG) == 0) {
		assert_int_equal(
		    ae_file_read(&p, &len, path, 1 << 20, NULL), AE_OK);
		if (len > 0) {
			assert_true(p[0] >= last);
			last = p[0];
			assert_int_equal(len, 4 + last * 1000u);
			for (i = 0; i < len; i++)
				assert_int_equal(p[i], last);
		}
		free(p);
		reads++;
	}
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_true(reads >= 10 && last > 0);
	assert_int_equal(files(), 1);
}

static void
given_up_it_never_was(void **state)
{
	struct ae_growing *g = NULL;

	(void)state;
	assert_int_equal(ae_file_write(path, "old", 3, 0600, NULL), AE_OK);
	assert_int_equal(ae_growing_new(&g, dir, "list", 0644, 0, NULL), AE_OK);
	assert_int_equal(ae_growing_add(g, "half", 4, NULL), AE_OK);
	ae_growing_free(g);
	is("old");
	assert_int_equal(files(), 1);
	ae_growing_free(NULL);
}

static void
where_it_cannot_be(void **state)
{
	struct ae_growing *g = NULL;
	struct ae_err e = AE_ERR_INIT;

	(void)state;
	assert_int_equal(
	    ae_growing_new(&g, dir, "a/b", 0644, 0, &e), AE_EINVAL);
	assert_int_equal(ae_growing_new(&g, dir, "", 0644, 0, &e), AE_EINVAL);
	assert_int_equal(
	    ae_growing_new(&g, "/nowhere", "list", 0644, 0, &e), AE_EIO);
	assert_non_null(strstr(e.text, "/nowhere"));
	assert_null(g);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		T(appears_as_a_whole),
		T(f19_readers_see_whole_files),
		T(given_up_it_never_was),
		T(where_it_cannot_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
