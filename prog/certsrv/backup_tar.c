/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Files of a backup into a tar archive and out of it.  What is taken out is
 * judged by the manifest afterwards; here a name must be that of a file of a
 * backup, and nothing is overwritten.
 */
#include "backup_tar.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backup_tree.h"
#include "base/tar.h"
#include "sys/files.h"

#define COPY 65536u

bool
backup_tar_named(const char *path)
{
	const size_t n = strlen(path);

	return n > 4 && strcmp(path + n - 4, ".tar") == 0;
}

static int
write_all(int fd, const void *from, size_t len, struct ae_err *e)
{
	const uint8_t *p = from;
	ssize_t n;

	for (; len > 0; len -= (size_t)n, p += n) {
		n = write(fd, p, len);
		if (n < 0 && errno == EINTR)
			n = 0;
		else if (n < 0)
			return ae_fail_errno(e, errno, "writing a backup");
	}
	return AE_OK;
}

/* All of it; AE_EPROTO: the file ends before. */
static int
read_all(int fd, void *to, size_t len, struct ae_err *e)
{
	uint8_t *p = to;
	ssize_t n;

	for (; len > 0; len -= (size_t)n, p += n) {
		n = read(fd, p, len);
		if (n < 0 && errno == EINTR)
			n = 0;
		else if (n < 0)
			return ae_fail_errno(e, errno, "reading a backup");
		else if (n == 0)
			return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
			    "the tar archive ends too early");
	}
	return AE_OK;
}

static int
copy_bytes(int out, int in, uint64_t size, struct ae_err *e)
{
	uint8_t buf[COPY];
	size_t n;
	int rc = AE_OK;

	for (; size > 0 && rc == AE_OK; size -= n) {
		n = size < sizeof(buf) ? (size_t)size : sizeof(buf);
		rc = read_all(in, buf, n, e);
		if (rc == AE_OK)
			rc = write_all(out, buf, n, e);
	}
	return rc;
}

/* ---- writing ---- */

static int
put_file(int out, const char *dir, const char *name, unsigned mode,
    int64_t time, struct ae_err *e)
{
	struct ae_tar_entry t = { .mode = mode, .time = time };
	uint8_t block[AE_TAR_BLOCK];
	char *path = NULL;
	struct stat st;
	int in = -1, rc = AE_OK;

	if (asprintf(&path, "%s/%s", dir, name) < 0)
		return ae_fail_mem(e);
	in = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (in < 0 || fstat(in, &st) != 0)
		rc = ae_fail_errno(e, errno, "%s", path);
	else if (snprintf(t.name, sizeof(t.name), "%s", name) >=
	    (int)sizeof(t.name))
		rc = ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "%s: its name is too long for a tar archive", name);
	if (rc == AE_OK) {
		t.size = (uint64_t)st.st_size;
		rc = ae_tar_put(block, &t, e);
	}
	if (rc == AE_OK)
		rc = write_all(out, block, sizeof(block), e);
	if (rc == AE_OK)
		rc = copy_bytes(out, in, t.size, e);
	memset(block, 0, sizeof(block));
	if (rc == AE_OK)
		rc = write_all(out, block, ae_tar_fill(t.size), e);
	if (in >= 0)
		(void)close(in);
	free(path);
	return rc;
}

static int
put_files(
    int out, const struct backup_set *s, const char *dir, struct ae_err *e)
{
	const uint8_t end[2 * AE_TAR_BLOCK] = { 0 };
	char *name = NULL;
	size_t i;
	int rc = put_file(out, dir, BACKUP_MANIFEST, 0600, s->time, e);

	for (i = 0; i < s->n && rc == AE_OK; i++) {
		if (asprintf(&name, BACKUP_FILES "%s", s->file[i].path) < 0)
			return ae_fail_mem(e);
		rc = put_file(out, dir, name, s->file[i].mode, s->time, e);
		free(name);
	}
	if (rc == AE_OK)
		rc = write_all(out, end, sizeof(end), e);
	if (rc == AE_OK && fsync(out) != 0)
		rc = ae_fail_errno(e, errno, "writing a backup");
	return rc;
}

int
backup_tar_write(const struct backup_set *s, const char *dir, const char *path,
    struct ae_err *e)
{
	int fd = open(
	    path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	int rc;

	if (fd < 0)
		return ae_fail_errno(e, errno, "%s", path);
	rc = put_files(fd, s, dir, e);
	(void)close(fd);
	if (rc < 0)
		(void)unlink(path);
	return rc;
}

/* ---- reading ---- */

/* manifest.json, or a path below files/ that leads nowhere else. */
static bool
is_ours(const char *name)
{
	return strcmp(name, BACKUP_MANIFEST) == 0 ||
	    (strncmp(name, BACKUP_FILES "/", strlen(BACKUP_FILES "/")) == 0 &&
		backup_good_path(name + strlen(BACKUP_FILES)));
}

static int
take_file(
    int in, const char *dir, const struct ae_tar_entry *t, struct ae_err *e)
{
	uint8_t fill[AE_TAR_BLOCK];
	char *path = NULL, *above = NULL;
	int out = -1, rc = AE_OK;

	if (asprintf(&path, "%s/%s", dir, t->name) < 0)
		return ae_fail_mem(e);
	above = strdup(path);
	rc = above == NULL ? ae_fail_mem(e)
			   : ae_file_put_dirs(dirname(above), 0700, e);
	if (rc == AE_OK) {
		out = open(path,
		    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (out < 0)
			rc = ae_fail_errno(e, errno, "%s", path);
	}
	if (rc == AE_OK)
		rc = copy_bytes(out, in, t->size, e);
	if (rc == AE_OK)
		rc = read_all(in, fill, ae_tar_fill(t->size), e);
	if (out >= 0)
		(void)close(out);
	free(path);
	free(above);
	return rc;
}

static int
take_files(int in, const char *dir, struct ae_err *e)
{
	uint8_t block[AE_TAR_BLOCK];
	struct ae_tar_entry t;
	bool end = false;
	size_t n;
	int rc = AE_OK;

	for (n = 0; rc == AE_OK; n++) {
		rc = read_all(in, block, sizeof(block), e);
		if (rc == AE_OK)
			rc = ae_tar_get(&t, &end, block, e);
		if (rc < 0 || end)
			break;
		if (n > BACKUP_FILES_MAX)
			rc = ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
			    "more than %d files", BACKUP_FILES_MAX);
		else if (!is_ours(t.name))
			rc = ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
			    "the tar archive has a file that is of no backup: "
			    "%s",
			    t.name);
		else
			rc = take_file(in, dir, &t, e);
	}
	return rc;
}

int
backup_tar_open(char **dir, bool *made, const char *path, struct ae_err *e)
{
	const char *tmp = getenv("TMPDIR");
	char *to = NULL;
	struct stat st;
	int in, rc = AE_OK;

	*made = false;
	if (stat(path, &st) != 0 || !S_ISREG(st.st_mode)) {
		*dir = strdup(path); /* what is wrong with it is said later */
		return *dir == NULL ? ae_fail_mem(e) : AE_OK;
	}
	in = open(path, O_RDONLY | O_CLOEXEC);
	if (in < 0)
		return ae_fail_errno(e, errno, "%s", path);
	if (asprintf(&to, "%s/certsrv-backup-XXXXXX",
		tmp != NULL && tmp[0] == '/' ? tmp : "/var/tmp") < 0) {
		(void)close(in);
		return ae_fail_mem(e);
	}
	if (mkdtemp(to) == NULL) {
		rc = ae_fail_errno(e, errno, "%s", to);
	} else {
		rc = take_files(in, to, e);
		if (rc < 0)
			backup_tree_remove(to);
	}
	(void)close(in);
	if (rc < 0) {
		free(to);
		return ae_note(e, rc, "%s", path);
	}
	*dir = to;
	*made = true;
	return AE_OK;
}
