/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Files that are old or new and never half; nothing left over on failure.
 */
#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "sys/files.h"
#include "torture.h"

struct fix {
	char dir[32];
	char path[64];
	int fd;
};

static int
setup(void **state)
{
	struct fix *f = calloc(1, sizeof(*f));

	*state = f;
	assert_non_null(f);
	(void)snprintf(f->dir, sizeof(f->dir), "/tmp/ae-files-XXXXXX");
	if (mkdtemp(f->dir) == NULL)
		return -1;
	strcat(strcpy(f->path, f->dir), "/file");
	f->fd = open(f->dir, O_RDONLY | O_DIRECTORY);
	return f->fd < 0 ? -1 : 0;
}

/* Entries in the directory; removes them. */
static int
clear(struct fix *f)
{
	DIR *d = opendir(f->dir);
	struct dirent *de;
	int n = 0;

	while ((de = readdir(d)) != NULL) {
		if (strcmp(de->d_name, ".") == 0 ||
		    strcmp(de->d_name, "..") == 0)
			continue;
		n++;
		if (unlinkat(f->fd, de->d_name, 0) < 0)
			(void)unlinkat(f->fd, de->d_name, AT_REMOVEDIR);
	}
	closedir(d);
	return n;
}

static int
teardown(void **state)
{
	struct fix *f = *state;

	(void)clear(f);
	close(f->fd);
	(void)rmdir(f->dir);
	free(f);
	return 0;
}

static void
written_is_read(void **state)
{
	struct fix *f = *state;
	struct ae_err e = AE_ERR_INIT;
	struct stat st;
	uint8_t *p = NULL;
	size_t len = 0;

	assert_int_equal(ae_file_write(f->path, "one", 3, 0600, &e), AE_OK);
	assert_int_equal(ae_file_write(f->path, "second", 6, 0640, &e), AE_OK);
	assert_int_equal(ae_file_read(&p, &len, f->path, 6, &e), AE_OK);
	assert_int_equal(len, 6);
	assert_string_equal((char *)p, "second");
	free(p);
	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(clear(f), 1);
}

/* Without durability it is the same in every other respect. */
static void
put_is_read(void **state)
{
	struct fix *f = *state;
	struct ae_err e = AE_ERR_INIT;
	char victim[96], nowhere[128];
	struct stat st;
	uint8_t *p = NULL;
	size_t len = 0;

	(void)snprintf(victim, sizeof(victim), "%s/victim", f->dir);
	(void)snprintf(nowhere, sizeof(nowhere), "%s/no/file", f->dir);
	assert_int_equal(ae_file_put(victim, "safe", 4, 0600, &e), AE_OK);
	assert_int_equal(symlink(victim, f->path), 0);
	assert_int_equal(ae_file_put(f->path, "one", 3, 0600, &e), AE_OK);
	assert_int_equal(ae_file_put(f->path, "other", 5, 0644, &e), AE_OK);
	assert_int_equal(ae_file_read(&p, &len, f->path, 6, &e), AE_OK);
	assert_string_equal((char *)p, "other");
	free(p);
	assert_int_equal(lstat(f->path, &st), 0);
	assert_true(S_ISREG(st.st_mode));
	assert_int_equal(st.st_mode & 07777, 0644);
	assert_int_equal(stat(victim, &st), 0);
	assert_int_equal(st.st_size, 4);
	assert_int_equal(ae_file_put(nowhere, "x", 1, 0600, &e), AE_ENOTFOUND);
	*strrchr(nowhere, '/') = '\0';
	assert_int_equal(ae_file_put_dirs(nowhere, 0700, &e), AE_OK);
	assert_int_equal(ae_file_put_dirs(nowhere, 0700, &e), AE_OK);
	assert_int_equal(rmdir(nowhere), 0);
	assert_int_equal(clear(f), 2);
}

static void
limits_of_reading(void **state)
{
	struct fix *f = *state;
	struct ae_err e = AE_ERR_INIT;
	uint8_t *p = NULL;
	size_t len;

	assert_int_equal(ae_file_read(&p, &len, f->path, 10, &e), AE_ENOTFOUND);
	assert_int_equal(ae_file_write(f->path, "12345", 5, 0600, &e), AE_OK);
	assert_int_equal(ae_file_read(&p, &len, f->path, 4, &e), AE_ELIMIT);
	assert_int_equal(ae_file_read(&p, &len, f->dir, 10, &e), AE_EINVAL);
	assert_int_equal(
	    ae_file_read(&p, &len, "/dev/zero", 10, &e), AE_EINVAL);
	assert_int_equal(unlink(f->path), 0);
	assert_int_equal(mkfifo(f->path, 0600), 0);
	assert_int_equal(ae_file_read(&p, &len, f->path, 10, &e), AE_EINVAL);
	assert_null(p);
}

/* Files of the kernel have no size until they were read. */
static void
files_of_the_kernel(void **state)
{
	uint8_t *p = NULL;
	size_t len = 0;

	(void)state;
	assert_int_equal(
	    ae_file_read(&p, &len, "/proc/self/comm", 64, NULL), AE_OK);
	assert_true(len > 1 && p[len - 1] == '\n' && p[len] == '\0');
	free(p);
	p = NULL;
	assert_int_equal(
	    ae_file_read(&p, &len, "/proc/self/maps", 1 << 20, NULL), AE_OK);
	assert_true(len > 4096 && p[len] == '\0');
	free(p);
	p = NULL;
	assert_int_equal(
	    ae_file_read(&p, &len, "/proc/self/maps", 4097, NULL), AE_ELIMIT);
	assert_int_equal(
	    ae_file_read(&p, &len, "/proc/self/comm", 1, NULL), AE_ELIMIT);
	assert_null(p);
}

static void
a_link_is_replaced_not_followed(void **state)
{
	struct fix *f = *state;
	struct ae_err e = AE_ERR_INIT;
	struct stat st;
	char victim[96];

	(void)snprintf(victim, sizeof(victim), "%s/victim", f->dir);
	assert_int_equal(ae_file_write(victim, "safe", 4, 0600, &e), AE_OK);
	assert_int_equal(symlink(victim, f->path), 0);
	assert_int_equal(ae_file_write(f->path, "new", 3, 0600, &e), AE_OK);
	assert_int_equal(lstat(f->path, &st), 0);
	assert_true(S_ISREG(st.st_mode));
	assert_int_equal(stat(victim, &st), 0);
	assert_int_equal(st.st_size, 4);
}

static void
failure_leaves_nothing(void **state)
{
	struct fix *f = *state;
	struct ae_err e = AE_ERR_INIT;

	/* the target is a directory: rename fails after the bytes are out */
	assert_int_equal(mkdir(f->path, 0700), 0);
	assert_int_equal(ae_file_write(f->path, "x", 1, 0600, &e), AE_EIO);
	assert_int_equal(clear(f), 1);
	assert_int_equal(
	    ae_file_write_at(f->fd, "a/b", "x", 1, 0600, &e), AE_EINVAL);
	assert_int_equal(
	    ae_file_write_at(f->fd, "", "x", 1, 0600, &e), AE_EINVAL);
	assert_int_equal(
	    ae_file_write("/nonexistent/x", "x", 1, 0600, &e), AE_ENOTFOUND);
	assert_int_equal(clear(f), 0);
}

/* A full device: the old file stays whole. */
static void
disk_full_keeps_the_old(void **state)
{
	struct fix *f = *state;
	struct ae_err e = AE_ERR_INIT;
	uint8_t *p = NULL;
	size_t len;
	int st;
	pid_t pid;

	assert_int_equal(ae_file_write(f->path, "old", 3, 0600, &e), AE_OK);
	pid = fork();
	if (pid == 0) {
		/* -1 and EFBIG in place of a device that is full */
		struct rlimit rl = { 4096, 4096 };
		uint8_t *big = calloc(1, 65536);

		(void)signal(SIGXFSZ, SIG_IGN);
		(void)setrlimit(RLIMIT_FSIZE, &rl);
		st = ae_file_write(f->path, big, 65536, 0600, &e);
		free(big);
		_exit(st == AE_EIO ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &st, 0), pid);
	assert_int_equal(st, 0);
	assert_int_equal(ae_file_read(&p, &len, f->path, 100, &e), AE_OK);
	assert_string_equal((char *)p, "old");
	free(p);
	assert_int_equal(clear(f), 1);
}

static void
links_switch(void **state)
{
	struct fix *f = *state;
	struct ae_err e = AE_ERR_INIT;
	char to[32] = "";

	assert_int_equal(ae_file_symlink_at(f->fd, "current", "v1", &e), AE_OK);
	assert_int_equal(ae_file_symlink_at(f->fd, "current", "v2", &e), AE_OK);
	assert_int_equal(readlinkat(f->fd, "current", to, sizeof(to)), 2);
	assert_memory_equal(to, "v2", 2);
	assert_int_equal(mkdirat(f->fd, "dir", 0700), 0);
	assert_int_equal(ae_file_symlink_at(f->fd, "dir", "v3", &e), AE_EIO);
	assert_int_equal(clear(f), 2);
}

static void
one_lock_at_a_time(void **state)
{
	struct fix *f = *state;
	struct ae_err e = AE_ERR_INIT;
	int a = -1, b = -1;

	assert_int_equal(ae_file_lock(&a, f->path, false, &e), AE_OK);
	assert_int_equal(ae_file_lock(&b, f->path, false, &e), AE_EUNAVAIL);
	close(a);
	assert_int_equal(ae_file_lock(&b, f->path, true, &e), AE_OK);
	close(b);
}

static void
directories_and_roots(void **state)
{
	struct fix *f = *state;
	struct ae_err e = AE_ERR_INIT;
	struct stat st;
	char *p, *q;

	p = ae_path_root(f->dir, "/a/b/c");
	assert_non_null(p);
	assert_int_equal(ae_file_mkdirs(p, 0700, &e), AE_OK);
	assert_int_equal(ae_file_mkdirs(p, 0700, &e), AE_OK);
	assert_int_equal(stat(p, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(rmdir(p), 0);
	p[strlen(p) - 2] = '\0';
	assert_int_equal(rmdir(p), 0);
	assert_int_equal(ae_file_write(f->path, "x", 1, 0600, &e), AE_OK);
	q = ae_path_root(f->path, "below-a-file");
	assert_int_equal(ae_file_mkdirs(q, 0700, &e), AE_EIO);
	free(p);
	free(q);
	p = ae_path_root(NULL, "/etc/x");
	assert_string_equal(p, "/etc/x");
	free(p);
	p = ae_path_root("", "/etc/x");
	assert_string_equal(p, "/etc/x");
	free(p);
	p = ae_path_root("/r", "rel");
	assert_string_equal(p, "/r/rel");
	free(p);
}

static bool
torture_write(void *arg)
{
	struct fix *f = arg;
	struct ae_err e = AE_ERR_INIT;
	uint8_t *p = NULL;
	size_t len;
	bool ok;

	ok = ae_file_write(f->path, "abc", 3, 0600, &e) == AE_OK &&
	    ae_file_symlink_at(f->fd, "l", "t", &e) == AE_OK &&
	    ae_file_read(&p, &len, f->path, 10, &e) == AE_OK;
	free(p);
	return ok;
}

static void
without_memory(void **state)
{
	struct fix *f = *state;

	(void)ae_torture(torture_write, f, 20, false);
	assert_int_equal(clear(f), 2);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(written_is_read),
		T(put_is_read),
		T(limits_of_reading),
		T(files_of_the_kernel),
		T(a_link_is_replaced_not_followed),
		T(failure_leaves_nothing),
		T(disk_full_keeps_the_old),
		T(links_switch),
		T(one_lock_at_a_time),
		T(directories_and_roots),
		T(without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
