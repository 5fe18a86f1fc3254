/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Files written in parts.
 */
#include "sys/growing.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sys/clock.h"
#include "sys/files.h"

struct ae_growing {
	int dirfd, fd;
	char *name, *tmp; /* tmp NULL: it has its name */
	mode_t mode;
	size_t reserve;
};

static int
write_at(int fd, const void *p, size_t len, off_t at)
{
	const uint8_t *b = p;
	ssize_t n;

	while (len > 0) {
		n = at < 0 ? write(fd, b, len) : pwrite(fd, b, len, at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno;
		b += n;
		at = at < 0 ? at : at + n;
		len -= (size_t)n;
	}
	return 0;
}

static int
begin(struct ae_growing *g, const char *dir, struct ae_err *e)
{
	g->dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (g->dirfd < 0)
		return ae_fail_errno(e, errno, "%s", dir);
	g->fd = openat(g->dirfd, g->tmp,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (g->fd < 0)
		return ae_fail_errno(
		    e, errno, "creating a file beside %s", g->name);
	if (lseek(g->fd, (off_t)g->reserve, SEEK_SET) < 0)
		return ae_fail_errno(e, errno, "%s", g->name);
	return AE_OK;
}

int
ae_growing_new(struct ae_growing **out, const char *dir, const char *name,
    mode_t mode, size_t reserve, struct ae_err *e)
{
	struct ae_growing *g;
	int rc;

	if (strchr(name, '/') != NULL || name[0] == '\0')
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "\"%s\" is not a file's name", name);
	g = calloc(1, sizeof(*g));
	if (g == NULL)
		return ae_fail_mem(e);
	g->dirfd = g->fd = -1;
	g->mode = mode;
	g->reserve = reserve;
	g->name = strdup(name);
	if (asprintf(&g->tmp, ".%.200s.%016llx", name,
		(unsigned long long)ae_random_u64()) < 0)
		g->tmp = NULL;
	rc = g->name == NULL || g->tmp == NULL ? ae_fail_mem(e)
					       : begin(g, dir, e);
	if (rc < 0)
		ae_growing_free(g);
	else
		*out = g;
	return rc;
}

int
ae_growing_add(
    struct ae_growing *g, const void *p, size_t len, struct ae_err *e)
{
	int err = write_at(g->fd, p, len, -1);

	return err == 0 ? AE_OK : ae_fail_errno(e, err, "writing %s", g->name);
}

int
ae_growing_done(
    struct ae_growing *g, const void *head, size_t len, struct ae_err *e)
{
	int err;

	if (len != g->reserve)
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "%s: %zu bytes where %zu are reserved", g->name, len,
		    g->reserve);
	err = write_at(g->fd, head, len, 0);
	if (err == 0 && (fchmod(g->fd, g->mode) < 0 || fsync(g->fd) < 0))
		err = errno;
	if (err == 0 && close(g->fd) < 0)
		err = errno;
	g->fd = err == 0 ? -1 : g->fd;
	if (err == 0 && renameat(g->dirfd, g->tmp, g->dirfd, g->name) < 0)
		err = errno;
	if (err != 0)
		return ae_fail_errno(e, err, "writing %s", g->name);
	free(g->tmp);
	g->tmp = NULL;
	return ae_file_sync_dir(g->dirfd, e);
}

void
ae_growing_free(struct ae_growing *g)
{
	if (g == NULL)
		return;
	if (g->fd >= 0)
		(void)close(g->fd);
	if (g->tmp != NULL && g->dirfd >= 0)
		(void)unlinkat(g->dirfd, g->tmp, 0);
	if (g->dirfd >= 0)
		(void)close(g->dirfd);
	free(g->name);
	free(g->tmp);
	free(g);
}
