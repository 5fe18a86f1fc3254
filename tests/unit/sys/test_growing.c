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
		T(given_up_it_never_was),
		T(where_it_cannot_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
