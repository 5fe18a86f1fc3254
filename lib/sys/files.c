/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Durable replacement of files and links, and the few other things the
 * programs do with the file system.
 */
#include "sys/files.h"

#include <sys/file.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sys/clock.h"

#define NAME_TRIES 16
#define UNSIZED_FIRST 4096u

static int
fail_path(struct ae_err *e, int err, const char *path)
{
	if (err == ENOENT || err == ENOTDIR)
		return ae_fail(e, AE_ENOTFOUND, AE_DOM_ERRNO, err,
		    "%s: no such file or directory", path);
	return ae_fail_errno(e, err, "%s", path);
}

static int
read_all(int fd, uint8_t *p, size_t len, size_t *got)
{
	ssize_t n;

	for (*got = 0; *got < len; *got += (size_t)n) {
		n = read(fd, p + *got, len - *got);
		if (n < 0 && errno == EINTR)
			n = 0;
		else if (n < 0)
			return errno;
		else if (n == 0)
			break;
	}
	return 0;
}

/*
 * The kernel's own files say that they have no bytes.  To the end of such a
 * one, which for most files with that size is here.
 */
static int
read_unsized(int fd, uint8_t **p, size_t *got, const char *path, size_t max,
    struct ae_err *e)
{
	size_t room = max < UNSIZED_FIRST ? max : UNSIZED_FIRST, n;
	uint8_t *more;
	int err;

	for (*got = 0;; room = room > max / 2 ? max : 2 * room) {
		/* One more tells that it goes on. */
		more = realloc(*p, room + 1);
		if (more == NULL)
			return ae_fail_mem(e);
		*p = more;
		err = read_all(fd, *p + *got, room + 1 - *got, &n);
		if (err != 0)
			return ae_fail_errno(e, err, "reading %s", path);
		*got += n;
		if (*got <= room)
			return AE_OK;
		if (room == max)
			return ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
			    "%s: more than %zu bytes", path, max);
	}
}

int
ae_file_read(
    uint8_t **out, size_t *len, const char *path, size_t max, struct ae_err *e)
{
	struct stat st;
	uint8_t *p = NULL;
	size_t got = 0;
	int fd, rc, err;

	/* O_NONBLOCK: a FIFO must not hold us before we can refuse it. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return fail_path(e, errno, path);
	if (fstat(fd, &st) < 0)
		rc = ae_fail_errno(e, errno, "%s", path);
	else if (!S_ISREG(st.st_mode))
		rc = ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "%s: not a regular file", path);
	else if (st.st_size < 0 || (uint64_t)st.st_size > max)
		rc = ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
		    "%s: %lld bytes, at most %zu", path, (long long)st.st_size,
		    max);
	else if (st.st_size == 0)
		rc = read_unsized(fd, &p, &got, path, max, e);
	else if ((p = malloc((size_t)st.st_size + 1)) == NULL)
		rc = ae_fail_mem(e);
	else if ((err = read_all(fd, p, (size_t)st.st_size, &got)) != 0)
		rc = ae_fail_errno(e, err, "reading %s", path);
	else
		rc = AE_OK;
	(void)close(fd);
	if (rc < 0) {
		free(p);
		return rc;
	}
	p[got] = '\0';
	*out = p;
	*len = got;
	return AE_OK;
}

static int
write_all(int fd, const void *p, size_t len)
{
	const uint8_t *b = p;
	ssize_t n;

	while (len > 0) {
		n = write(fd, b, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno;
		b += n;
		len -= (size_t)n;
	}
	return 0;
}

/* A name nobody else has: ".name.<16 hex digits>". */
static char *
temp_name(const char *name)
{
	char *t;

	return asprintf(&t, ".%.200s.%016llx", name,
		   (unsigned long long)ae_random_u64()) < 0
	    ? NULL
	    : t;
}

static int
temp_open(int dirfd, const char *name, char **tmp, struct ae_err *e)
{
	int i, fd;

	for (i = 0; i < NAME_TRIES; i++) {
		*tmp = temp_name(name);
		if (*tmp == NULL)
			return ae_fail_mem(e);
		fd = openat(dirfd, *tmp,
		    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (fd >= 0)
			return fd;
		free(*tmp);
		*tmp = NULL;
		if (errno != EEXIST)
			break;
	}
	return ae_fail_errno(e, errno, "creating a file beside %s", name);
}

int
ae_file_sync_dir(int dirfd, struct ae_err *e)
{
	if (fsync(dirfd) < 0)
		return ae_fail_errno(e, errno, "syncing a directory");
	return AE_OK;
}

/* Bytes, then mode, then owner. */
static int
fill(int fd, const void *p, size_t len, mode_t mode, uid_t uid, gid_t gid)
{
	int err = write_all(fd, p, len);

	if (err != 0)
		return err;
	/* The mode first: of another's file it would take CAP_FOWNER. */
	if (fchmod(fd, mode) < 0)
		return errno;
	if ((uid != (uid_t)-1 || gid != (gid_t)-1) && fchown(fd, uid, gid) < 0)
		return errno;
	return 0;
}

static int
replace(int dirfd, const char *name, const void *p, size_t len, mode_t mode,
    uid_t uid, gid_t gid, bool durable, struct ae_err *e)
{
	char *tmp = NULL;
	int fd, rc, err;

	if (strchr(name, '/') != NULL || name[0] == '\0')
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "\"%s\" is not a file's name", name);
	fd = temp_open(dirfd, name, &tmp, e);
	if (fd < 0)
		return fd;
	err = fill(fd, p, len, mode, uid, gid);
	if (err == 0 && durable && fsync(fd) < 0)
		err = errno;
	if (close(fd) < 0 && err == 0)
		err = errno;
	if (err == 0 && renameat(dirfd, tmp, dirfd, name) < 0)
		err = errno;
	if (err != 0) {
		(void)unlinkat(dirfd, tmp, 0);
		rc = ae_fail_errno(e, err, "writing %s", name);
	} else {
		rc = durable ? ae_file_sync_dir(dirfd, e) : AE_OK;
	}
	free(tmp);
	return rc;
}

int
ae_file_write_owned(int dirfd, const char *name, const void *p, size_t len,
    mode_t mode, uid_t uid, gid_t gid, struct ae_err *e)
{
	return replace(dirfd, name, p, len, mode, uid, gid, true, e);
}

int
ae_file_write_at(int dirfd, const char *name, const void *p, size_t len,
    mode_t mode, struct ae_err *e)
{
	return ae_file_write_owned(
	    dirfd, name, p, len, mode, (uid_t)-1, (gid_t)-1, e);
}

/* The directory that path is in; fd, or a failure. */
static int
open_parent(const char *path, struct ae_err *e)
{
	const char *slash = strrchr(path, '/');
	char *dir;
	int fd;

	if (slash == NULL)
		dir = strdup(".");
	else
		dir = strndup(path, slash == path ? 1 : (size_t)(slash - path));
	if (dir == NULL)
		return ae_fail_mem(e);
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		fd = fail_path(e, errno, dir);
	free(dir);
	return fd;
}

static int
replace_path(const char *path, const void *p, size_t len, mode_t mode,
    bool durable, struct ae_err *e)
{
	const char *slash = strrchr(path, '/');
	int rc, fd = open_parent(path, e);

	if (fd < 0)
		return fd;
	rc = replace(fd, slash == NULL ? path : slash + 1, p, len, mode,
	    (uid_t)-1, (gid_t)-1, durable, e);
	(void)close(fd);
	return rc;
}

int
ae_file_write(
    const char *path, const void *p, size_t len, mode_t mode, struct ae_err *e)
{
	return replace_path(path, p, len, mode, true, e);
}

int
ae_file_put(
    const char *path, const void *p, size_t len, mode_t mode, struct ae_err *e)
{
	return replace_path(path, p, len, mode, false, e);
}

int
ae_file_symlink_at(
    int dirfd, const char *name, const char *target, struct ae_err *e)
{
	char *tmp = temp_name(name);
	int rc = AE_OK, err;

	if (tmp == NULL)
		return ae_fail_mem(e);
	if (symlinkat(target, dirfd, tmp) < 0)
		rc = ae_fail_errno(e, errno, "making a link beside %s", name);
	else if (renameat(dirfd, tmp, dirfd, name) < 0) {
		err = errno;
		(void)unlinkat(dirfd, tmp, 0);
		rc = ae_fail_errno(e, err, "switching the link %s", name);
	} else
		rc = ae_file_sync_dir(dirfd, e);
	free(tmp);
	return rc;
}

static int
make_dir(const char *path, mode_t mode, bool durable, struct ae_err *e)
{
	int rc, fd;

	if (mkdir(path, mode) < 0)
		return errno == EEXIST
		    ? AE_OK
		    : ae_fail_errno(e, errno, "making %s", path);
	if (!durable)
		return AE_OK;
	fd = open_parent(path, e);
	if (fd < 0)
		return fd;
	rc = ae_file_sync_dir(fd, e);
	(void)close(fd);
	return rc;
}

int
ae_file_mkdir(const char *path, mode_t mode, struct ae_err *e)
{
	return make_dir(path, mode, true, e);
}

static int
make_dirs(const char *path, mode_t mode, bool durable, struct ae_err *e)
{
	char *p = strdup(path), *s;
	int rc = AE_OK;

	if (p == NULL)
		return ae_fail_mem(e);
	for (s = p + 1; rc == AE_OK; s++) {
		char c = *s;

		if (c != '/' && c != '\0')
			continue;
		*s = '\0';
		rc = make_dir(p, c == '\0' ? mode : (mode | 0755), durable, e);
		*s = c;
		if (c == '\0')
			break;
	}
	free(p);
	return rc;
}

int
ae_file_mkdirs(const char *path, mode_t mode, struct ae_err *e)
{
	return make_dirs(path, mode, true, e);
}

int
ae_file_put_dirs(const char *path, mode_t mode, struct ae_err *e)
{
	return make_dirs(path, mode, false, e);
}

int
ae_file_lock(int *out, const char *path, bool wait, struct ae_err *e)
{
	int fd, err;

	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return fail_path(e, errno, path);
	while (flock(fd, LOCK_EX | (wait ? 0 : LOCK_NB)) < 0) {
		err = errno;
		if (err == EINTR)
			continue;
		(void)close(fd);
		if (err == EWOULDBLOCK)
			return ae_fail(e, AE_EUNAVAIL, AE_DOM_ERRNO, err,
			    "%s is locked by another process", path);
		return ae_fail_errno(e, err, "locking %s", path);
	}
	*out = fd;
	return AE_OK;
}

char *
ae_path_root(const char *root, const char *path)
{
	char *out;

	if (root == NULL || root[0] == '\0')
		return strdup(path);
	return asprintf(&out, "%s/%s", root, path + (path[0] == '/')) < 0 ? NULL
									  : out;
}
