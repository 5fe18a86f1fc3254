/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Bounded line logs; see lines.h.
 */
#include "sys/lines.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "sys/files.h"

#define NAME_MAX_LEN 4096

struct ae_lines_reader {
	const struct ae_lines *f;
	int fds[AE_LINES_KEEP_MAX + 1]; /* to be read, the newest first */
	size_t nfds;
	char buf[AE_LINE_MAX + 1]; /* the line begun */
	size_t len;
	bool skip; /* it is too long: its rest is passed over */
	size_t damaged;
};

static bool
old_name(char out[NAME_MAX_LEN], const struct ae_lines *f, unsigned i)
{
	int n;

	n = i == 0 ? snprintf(out, NAME_MAX_LEN, "%s", f->path)
		   : snprintf(out, NAME_MAX_LEN, "%s.%u", f->path, i);
	return n > 0 && n < NAME_MAX_LEN;
}

static int
too_long(struct ae_err *e, const struct ae_lines *f)
{
	return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
	    "the file name %.200s… is too long", f->path);
}

/* Killed between two renames, the next rotation finds a gap: no harm. */
static int
rotate(const struct ae_lines *f, struct ae_err *e)
{
	char from[NAME_MAX_LEN], to[NAME_MAX_LEN];
	unsigned i;

	for (i = f->keep; i > 0; i--) {
		if (!old_name(from, f, i - 1) || !old_name(to, f, i))
			return too_long(e, f);
		if (rename(from, to) != 0 && errno != ENOENT)
			return ae_fail_errno(
			    e, errno, "rename %s to %s", from, to);
	}
	return AE_OK;
}

/* What a killed writer left unfinished is closed off first. */
static int
put_line(int fd, off_t size, const char *line, size_t len,
    const struct ae_lines *f, struct ae_err *e)
{
	static char newline[] = "\n";
	struct iovec iov[3];
	char last = '\n', *copy = strndup(line, len);
	size_t all = len + 1;
	int n = 0, saved;
	ssize_t got;

	if (size > 0 && pread(fd, &last, 1, size - 1) != 1)
		last = '\0';
	if (copy == NULL)
		return ae_fail_mem(e);
	if (last != '\n') {
		iov[n++] = (struct iovec){ newline, 1 };
		all++;
	}
	iov[n++] = (struct iovec){ copy, len };
	iov[n++] = (struct iovec){ newline, 1 };
	got = writev(fd, iov, n);
	saved = got < 0 ? errno : ENOSPC;
	free(copy);
	if (got == (ssize_t)all)
		return AE_OK;
	if (got > 0 && ftruncate(fd, size) != 0)
		saved = errno;
	return ae_fail_errno(e, saved, "write %s", f->path);
}

int
ae_lines_append(
    const struct ae_lines *f, const char *line, size_t len, struct ae_err *e)
{
	char lock[NAME_MAX_LEN];
	int lockfd = -1, fd = -1, rc, n;
	struct stat st = { 0 };

	if (len > AE_LINE_MAX || memchr(line, '\n', len) != NULL ||
	    memchr(line, '\0', len) != NULL)
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "what should go to %s is not a line", f->path);
	n = snprintf(lock, sizeof(lock), "%s.lock", f->path);
	if (n < 0 || n >= (int)sizeof(lock))
		return too_long(e, f);
	rc = ae_file_lock(&lockfd, lock, true, e);
	if (rc != AE_OK)
		return rc;
	if (stat(f->path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 &&
	    (uint64_t)st.st_size + len + 2 > f->max_size)
		rc = rotate(f, e);
	if (rc != AE_OK)
		goto out;
	fd = open(f->path, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC,
	    f->mode);
	if (fd < 0 || fstat(fd, &st) != 0)
		rc = ae_fail_errno(e, errno, "open %s", f->path);
	else
		rc = put_line(fd, st.st_size, line, len, f, e);
out:
	if (fd >= 0)
		(void)close(fd);
	(void)close(lockfd);
	return rc;
}

static bool
same_file(int a, const struct stat *b)
{
	struct stat st;

	return fstat(a, &st) == 0 && st.st_dev == b->st_dev &&
	    st.st_ino == b->st_ino;
}

/*
 * Open what is newer than the file done (-1: everything).  The newest is
 * opened first: a rotation meanwhile moves files towards the old end, where
 * they are met again and known by their inode, and none is missed.
 */
static int
open_files(struct ae_lines_reader *r, int done, struct ae_err *e)
{
	char name[NAME_MAX_LEN];
	struct stat st;
	unsigned i;
	int fd;

	r->nfds = 0;
	for (i = 0; i <= r->f->keep; i++) {
		if (!old_name(name, r->f, i))
			return too_long(e, r->f);
		fd = open(name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
		if (fd < 0 && errno == ENOENT)
			continue;
		if (fd < 0 || fstat(fd, &st) != 0)
			return ae_fail_errno(e, errno, "open %s", name);
		if (done >= 0 && same_file(done, &st)) {
			(void)close(fd);
			break;
		}
		if (!S_ISREG(st.st_mode) ||
		    (r->nfds > 0 && same_file(r->fds[r->nfds - 1], &st)))
			(void)close(fd);
		else
			r->fds[r->nfds++] = fd;
	}
	return AE_OK;
}

int
ae_lines_open(
    struct ae_lines_reader **out, const struct ae_lines *f, struct ae_err *e)
{
	struct ae_lines_reader *r = calloc(1, sizeof(*r));
	int rc;

	if (r == NULL)
		return ae_fail_mem(e);
	r->f = f;
	rc = open_files(r, -1, e);
	if (rc != AE_OK) {
		ae_lines_close(r);
		return rc;
	}
	*out = r;
	return AE_OK;
}

void
ae_lines_close(struct ae_lines_reader *r)
{
	size_t i;

	if (r == NULL)
		return;
	for (i = 0; i < r->nfds; i++)
		(void)close(r->fds[i]);
	free(r);
}

size_t
ae_lines_damaged(const struct ae_lines_reader *r)
{
	return r->damaged;
}

/* The line in buf is over. */
static void
end_line(struct ae_lines_reader *r, ae_lines_fn *fn, void *arg)
{
	r->buf[r->len] = '\0';
	if (r->skip ||
	    (r->len > 0 &&
		(memchr(r->buf, '\0', r->len) != NULL ||
		    !fn(arg, r->buf, r->len))))
		r->damaged++;
	r->len = 0;
	r->skip = false;
}

static void
take(struct ae_lines_reader *r, const char *p, size_t n, ae_lines_fn *fn,
    void *arg)
{
	const char *nl;
	size_t part;

	while (n > 0) {
		nl = memchr(p, '\n', n);
		part = nl == NULL ? n : (size_t)(nl - p);
		if (r->len + part > AE_LINE_MAX)
			r->skip = true;
		if (!r->skip) {
			memcpy(r->buf + r->len, p, part);
			r->len += part;
		}
		if (nl == NULL)
			return;
		end_line(r, fn, arg);
		p += part + 1;
		n -= part + 1;
	}
}

static int
drain(struct ae_lines_reader *r, int fd, ae_lines_fn *fn, void *arg,
    struct ae_err *e)
{
	char chunk[16384];
	ssize_t n;

	while ((n = read(fd, chunk, sizeof(chunk))) > 0)
		take(r, chunk, (size_t)n, fn, arg);
	if (n < 0)
		return ae_fail_errno(e, errno, "read %s", r->f->path);
	return AE_OK;
}

/* Nothing more will come to this file: what is in buf was cut off. */
static void
file_ends(struct ae_lines_reader *r, int fd, ae_lines_fn *fn, void *arg)
{
	(void)close(fd);
	if (r->len > 0 || r->skip)
		end_line(r, fn, arg);
}

int
ae_lines_next(
    struct ae_lines_reader *r, ae_lines_fn *fn, void *arg, struct ae_err *e)
{
	struct stat st;
	int fd, rc;

	if (r->nfds == 0) {
		rc = open_files(r, -1, e);
		if (rc != AE_OK || r->nfds == 0)
			return rc;
	}
	for (;;) {
		fd = r->fds[r->nfds - 1];
		rc = drain(r, fd, fn, arg, e);
		if (rc != AE_OK)
			return rc;
		if (r->nfds > 1) {
			file_ends(r, fd, fn, arg);
			r->nfds--;
			continue;
		}
		if (stat(r->f->path, &st) != 0 || same_file(fd, &st))
			return AE_OK;
		/* Rotated: what was written until then, and the newer. */
		rc = drain(r, fd, fn, arg, e);
		if (rc == AE_OK)
			rc = open_files(r, fd, e);
		file_ends(r, fd, fn, arg);
		if (rc != AE_OK || r->nfds == 0)
			return rc;
	}
}
