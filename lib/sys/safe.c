/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The walk; see safe.h.
 */
#include "sys/safe.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

static int
deny(struct ae_err *e, const char *path, size_t len, const char *why)
{
	return ae_fail(e, AE_EDENIED, AE_DOM_NONE, 0, "%.*s %s",
	    len == 0 ? 1 : (int)len, len == 0 ? "/" : path, why);
}

/* What is wrong with an owner and a mode; NULL: nothing. */
static const char *
owner_or_mode(const struct stat *st, bool on_the_way)
{
	if (st->st_uid != 0 && st->st_uid != geteuid())
		return geteuid() == 0 ? "is not owned by root"
				      : "is owned by another user";
	if ((st->st_mode & 022) != 0 &&
	    !(on_the_way && (st->st_mode & S_ISVTX) != 0))
		return "can be written by others than its owner";
	return NULL;
}

/* One step down; len is how much of path has been walked with it. */
static int
descend(int *fd, const char *name, const char *path, size_t len, bool last,
    struct ae_err *e)
{
	int next =
	    openat(*fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	const char *why;
	struct stat st;
	int err = errno;

	if (next < 0 && (err == ELOOP || err == ENOTDIR))
		return deny(e, path, len,
		    "is a symbolic link or no directory; name the real path");
	if (next < 0 && err == ENOENT)
		return ae_fail(e, AE_ENOTFOUND, AE_DOM_ERRNO, err,
		    "there is no directory %.*s", (int)len, path);
	if (next < 0)
		return ae_fail_errno(e, err, "open %.*s", (int)len, path);
	(void)close(*fd);
	*fd = next;
	if (fstat(next, &st) != 0)
		return ae_fail_errno(e, errno, "%.*s", (int)len, path);
	why = owner_or_mode(&st, !last);
	return why == NULL ? AE_OK : deny(e, path, len, why);
}

/* path up to len bytes. */
static int
walk(int *out, const char *path, size_t len, struct ae_err *e)
{
	size_t at = 0, n;
	char name[256];
	int rc = AE_OK, fd;

	if (path[0] != '/')
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "%s is not an absolute path", path);
	fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return ae_fail_errno(e, errno, "open /");
	while (rc == AE_OK && at < len) {
		at += strspn(path + at, "/");
		n = strcspn(path + at, "/");
		if (at >= len)
			break;
		if (n >= sizeof(name) ||
		    (path[at] == '.' &&
			(n == 1 || (n == 2 && path[at + 1] == '.')))) {
			rc = ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
			    "%s: '.' and '..' have no place here", path);
			break;
		}
		memcpy(name, path + at, n);
		name[n] = '\0';
		at += n;
		rc = descend(&fd, name, path, at,
		    path[at + strspn(path + at, "/")] == '\0' || at >= len, e);
	}
	if (rc != AE_OK) {
		(void)close(fd);
		return rc;
	}
	*out = fd;
	return AE_OK;
}

int
ae_safe_dir(int *fd, const char *path, struct ae_err *e)
{
	return walk(fd, path, strlen(path), e);
}

int
ae_safe_parent(int *fd, const char **name, const char *path, struct ae_err *e)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL || slash[1] == '\0')
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "%s does not name a file by its absolute path", path);
	*name = slash + 1;
	return walk(fd, path, (size_t)(slash - path), e);
}

int
ae_safe_check(const char *path, enum ae_safe_kind kind, struct ae_err *e)
{
	const char *name = NULL, *why = NULL;
	struct stat st;
	int rc, fd;

	rc = ae_safe_parent(&fd, &name, path, e);
	if (rc != AE_OK)
		return rc;
	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		rc = errno == ENOENT ? ae_fail(e, AE_ENOTFOUND, AE_DOM_ERRNO,
					   ENOENT, "there is no %s", path)
				     : ae_fail_errno(e, errno, "%s", path);
	else if (!S_ISREG(st.st_mode))
		why = "is not a regular file";
	else if ((why = owner_or_mode(&st, false)) == NULL &&
	    kind == AE_SAFE_PROGRAM && (st.st_mode & 0111) == 0)
		why = "is not executable";
	(void)close(fd);
	return why == NULL ? rc : deny(e, path, strlen(path), why);
}
