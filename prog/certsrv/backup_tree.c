/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Files of any length: copied, hashed; trees of them counted, synced,
 * removed; which paths they have.
 */
#include "backup_tree.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backup_set.h"
#include "base/hex.h"
#include "pki/key.h"
#include "sys/files.h"

bool
backup_good_path(const char *path)
{
	size_t len = strlen(path);

	return path[0] == '/' && len > 1 && len < 1024 &&
	    path[len - 1] != '/' && strstr(path, "//") == NULL &&
	    strstr(path, "/../") == NULL && strstr(path, "/./") == NULL &&
	    strcmp(path + len - (len < 3 ? len : 3), "/..") != 0 &&
	    strcmp(path + len - 2, "/.") != 0;
}

int
backup_hash(const char *path, char sha256[BACKUP_HASH_HEX + 1], uint64_t *size,
    struct ae_err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	uint8_t hash[AE_HASH_MAX];
	void *p = NULL;
	struct stat st;
	size_t len = 0;
	int rc = AE_OK;

	if (fd < 0 || fstat(fd, &st) != 0)
		rc = ae_fail_errno(e, errno, "%s", path);
	if (rc == AE_OK && (len = (size_t)st.st_size) > 0) {
		p = mmap(NULL, len, PROT_READ, MAP_PRIVATE, fd, 0);
		if (p == MAP_FAILED)
			rc = ae_fail_errno(e, errno, "%s", path);
	}
	if (rc == AE_OK) {
		if (ae_hash_bytes(
			hash, AE_HASH_SHA256, p == NULL ? "" : p, len) == 0)
			rc = ae_fail_mem(e);
		ae_hex_encode(sha256, hash, BACKUP_HASH_HEX / 2);
		*size = len;
	}
	if (p != NULL && p != MAP_FAILED)
		(void)munmap(p, len);
	if (fd >= 0)
		(void)close(fd);
	return rc;
}

static int
copy_bytes(int in, int out, struct ae_err *e, const char *to)
{
	char buf[65536];
	ssize_t n, m, off;

	while ((n = read(in, buf, sizeof(buf))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return ae_fail_errno(e, errno, "reading for %s", to);
		for (off = 0; off < n; off += m) {
			m = write(out, buf + off, (size_t)(n - off));
			if (m < 0 && errno == EINTR)
				m = 0;
			else if (m < 0)
				return ae_fail_errno(e, errno, "%s", to);
		}
	}
	return fsync(out) == 0 ? AE_OK : ae_fail_errno(e, errno, "%s", to);
}

int
backup_copy(const char *from, const char *to, mode_t mode, struct ae_err *e)
{
	int in = open(from, O_RDONLY | O_CLOEXEC);
	int out = in < 0
	    ? -1
	    : open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
		  0600);
	int rc;

	if (in < 0)
		rc = ae_fail_errno(e, errno, "%s", from);
	else if (out < 0)
		rc = ae_fail_errno(e, errno, "%s", to);
	else
		rc = copy_bytes(in, out, e, to);
	if (rc == AE_OK && fchmod(out, mode) != 0)
		rc = ae_fail_errno(e, errno, "%s", to);
	if (in >= 0)
		(void)close(in);
	if (out >= 0)
		(void)close(out);
	if (rc < 0 && out >= 0)
		(void)unlink(to);
	return rc;
}

/* ---- trees ---- */

typedef int tree_fn(void *arg, const FTSENT *f, struct ae_err *e);

static int
walk(const char *dir, tree_fn *fn, void *arg, struct ae_err *e)
{
	char *copy = strdup(dir);
	char *const paths[] = { copy, NULL };
	FTS *t = copy == NULL
	    ? NULL
	    : fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, NULL);
	FTSENT *f;
	int rc = t == NULL ? ae_fail_errno(e, errno, "%s", dir) : AE_OK;

	while (rc == AE_OK && (f = fts_read(t)) != NULL)
		rc = fn(arg, f, e);
	if (t != NULL)
		(void)fts_close(t);
	free(copy);
	return rc;
}

static int
count_one(void *arg, const FTSENT *f, struct ae_err *e)
{
	if (f->fts_info == FTS_D || f->fts_info == FTS_DP)
		return AE_OK;
	if (f->fts_info != FTS_F)
		return ae_fail(e, AE_ETRUST, AE_DOM_NONE, 0,
		    "%s is no regular file", f->fts_path);
	++*(size_t *)arg;
	return AE_OK;
}

int
backup_tree_count(const char *dir, size_t *n, struct ae_err *e)
{
	*n = 0;
	return walk(dir, count_one, n, e);
}

static int
sync_one(void *arg, const FTSENT *f, struct ae_err *e)
{
	int fd, rc;

	(void)arg;
	if (f->fts_info != FTS_DP)
		return AE_OK; /* files were written back when they were made */
	fd = open(f->fts_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return ae_fail_errno(e, errno, "%s", f->fts_path);
	rc = ae_file_sync_dir(fd, e);
	(void)close(fd);
	return rc;
}

int
backup_tree_sync(const char *dir, struct ae_err *e)
{
	return walk(dir, sync_one, NULL, e);
}

int
backup_sync_name(const char *path, struct ae_err *e)
{
	char *above = strdup(path);
	int fd = above == NULL
	    ? -1
	    : open(dirname(above), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = fd < 0 ? ae_fail_errno(e, errno, "%s", path)
			: ae_file_sync_dir(fd, e);

	if (fd >= 0)
		(void)close(fd);
	free(above);
	return rc;
}

static int
remove_one(void *arg, const FTSENT *f, struct ae_err *e)
{
	(void)arg;
	(void)e;
	if (f->fts_info == FTS_DP)
		(void)rmdir(f->fts_path);
	else if (f->fts_info != FTS_D)
		(void)unlink(f->fts_path);
	return AE_OK;
}

void
backup_tree_remove(const char *dir)
{
	struct ae_err e = AE_ERR_INIT;

	(void)!walk(dir, remove_one, NULL, &e);
}
