/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Files of a backup into a tar archive and out of it, by libarchive.  What is
 * taken out is judged by the manifest afterwards; here a name must be that of
 * a file of a backup, its bytes must all be in the archive, and nothing is
 * overwritten: libarchive only reads, the files are ours.
 */
#include "backup_tar.h"

#include <sys/stat.h>

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backup_tree.h"
#include "sys/files.h"

#define COPY 65536u

bool
backup_tar_named(const char *path)
{
	const size_t n = strlen(path);

	return n > 4 && strcmp(path + n - 4, ".tar") == 0;
}

/* As read(2), interruptions aside. */
static ssize_t
read_some(int fd, void *to, size_t len)
{
	ssize_t n;

	do
		n = read(fd, to, len);
	while (n < 0 && errno == EINTR);
	return n;
}

/* ---- writing ---- */

static int
write_failed(struct archive *a, struct ae_err *e)
{
	return ae_fail_errno(e, archive_errno(a), "writing a backup");
}

/* The bytes of a file whose header is written. */
static int
put_bytes(
    struct archive *a, int in, int64_t size, const char *name, struct ae_err *e)
{
	uint8_t buf[COPY];
	ssize_t n;

	while ((n = read_some(in, buf, sizeof(buf))) > 0 && n <= size) {
		if (archive_write_data(a, buf, (size_t)n) != n)
			return write_failed(a, e);
		size -= n;
	}
	if (n < 0)
		return ae_fail_errno(e, errno, "reading a backup");
	if (n > 0 || size > 0)
		return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
		    "%s changed while it was written into the archive", name);
	return AE_OK;
}

static int
put_file(struct archive *a, const char *dir, const char *name, unsigned mode,
    int64_t time, struct ae_err *e)
{
	struct archive_entry *t = archive_entry_new();
	char *path = NULL;
	struct stat st;
	int in = -1, rc = AE_OK;

	if (t == NULL || asprintf(&path, "%s/%s", dir, name) < 0) {
		archive_entry_free(t);
		return ae_fail_mem(e);
	}
	in = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (in < 0 || fstat(in, &st) != 0) {
		rc = ae_fail_errno(e, errno, "%s", path);
	} else {
		archive_entry_copy_pathname(t, name);
		archive_entry_set_filetype(t, AE_IFREG);
		archive_entry_set_perm(t, mode & 0777);
		archive_entry_set_mtime(t, time, 0);
		archive_entry_set_size(t, st.st_size);
		/* a warning: the name is no ASCII, and written as it is */
		if (archive_write_header(a, t) < ARCHIVE_WARN)
			rc = write_failed(a, e);
	}
	if (rc == AE_OK)
		rc = put_bytes(a, in, st.st_size, name, e);
	if (rc == AE_OK && archive_write_finish_entry(a) != ARCHIVE_OK)
		rc = write_failed(a, e);
	if (in >= 0)
		(void)close(in);
	free(path);
	archive_entry_free(t);
	return rc;
}

static int
put_files(struct archive *a, const struct backup_set *s, const char *dir,
    struct ae_err *e)
{
	char *name = NULL;
	size_t i;
	int rc = put_file(a, dir, BACKUP_MANIFEST, 0600, s->time, e);

	for (i = 0; i < s->n && rc == AE_OK; i++) {
		if (asprintf(&name, BACKUP_FILES "%s", s->file[i].path) < 0)
			return ae_fail_mem(e);
		rc = put_file(a, dir, name, s->file[i].mode, s->time, e);
		free(name);
	}
	return rc;
}

static int
put_archive(
    int out, const struct backup_set *s, const char *dir, struct ae_err *e)
{
	struct archive *a = archive_write_new();
	int rc = AE_OK;

	if (a == NULL)
		return ae_fail_mem(e);
	if (archive_write_set_format_pax_restricted(a) != ARCHIVE_OK ||
	    archive_write_add_filter_none(a) != ARCHIVE_OK ||
	    archive_write_open_fd(a, out) != ARCHIVE_OK)
		rc = write_failed(a, e);
	if (rc == AE_OK)
		rc = put_files(a, s, dir, e);
	if (rc == AE_OK && archive_write_close(a) != ARCHIVE_OK)
		rc = write_failed(a, e);
	if (rc == AE_OK && fsync(out) != 0)
		rc = ae_fail_errno(e, errno, "writing a backup");
	(void)archive_write_free(a);
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
	rc = put_archive(fd, s, dir, e);
	(void)close(fd);
	if (rc < 0)
		(void)unlink(path);
	return rc;
}

/* ---- reading ---- */

/* An archive's file, as libarchive asks for it. */
struct source {
	int fd;
	int error;  /* errno of reading */
	bool ended; /* more was asked for than there is */
	uint8_t buf[COPY];
};

static la_ssize_t
source_read(struct archive *a, void *arg, const void **buf)
{
	struct source *in = arg;
	const ssize_t n = read_some(in->fd, in->buf, sizeof(in->buf));

	if (n < 0) {
		in->error = errno;
		archive_set_error(a, errno, "cannot be read");
		return ARCHIVE_FATAL;
	}
	in->ended = n == 0;
	*buf = in->buf;
	return n;
}

/* Why there was no more to get: the file's fault, or its bytes'. */
static int
read_failed(const struct source *in, struct archive *a, const char *what,
    struct ae_err *e)
{
	if (in->error != 0)
		return ae_fail_errno(e, in->error, "reading a backup");
	if (archive_errno(a) == ENOMEM)
		return ae_fail_mem(e);
	return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0, "%s",
	    in->ended ? "the tar archive ends too early" : what);
}

/* manifest.json, or a path below files/ that leads nowhere else. */
static bool
is_ours(const char *name)
{
	return strcmp(name, BACKUP_MANIFEST) == 0 ||
	    (strncmp(name, BACKUP_FILES "/", strlen(BACKUP_FILES "/")) == 0 &&
		backup_good_path(name + strlen(BACKUP_FILES)));
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

/* All bytes of an entry, with no hole between them that a few bytes of the
 * archive would make gigabytes of. */
static int
take_bytes(int out, const struct source *in, struct archive *a, int64_t size,
    struct ae_err *e)
{
	const void *part;
	size_t len;
	int64_t at, had = 0;
	int r = ARCHIVE_OK, rc = AE_OK;

	while (rc == AE_OK &&
	    (r = archive_read_data_block(a, &part, &len, &at)) == ARCHIVE_OK &&
	    at == had) {
		rc = write_all(out, part, len, e);
		had += (int64_t)len;
	}
	if (rc < 0)
		return rc;
	if (r != ARCHIVE_OK && r != ARCHIVE_EOF)
		return read_failed(in, a, "the tar archive is damaged", e);
	if (r == ARCHIVE_OK || had != size)
		return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
		    "a file in the tar archive has holes");
	return AE_OK;
}

static int
take_file(const struct source *in, struct archive *a, struct archive_entry *t,
    const char *dir, struct ae_err *e)
{
	char *path = NULL, *above = NULL;
	int out = -1, rc = AE_OK;

	if (asprintf(&path, "%s/%s", dir, archive_entry_pathname(t)) < 0)
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
		rc = take_bytes(out, in, a, archive_entry_size(t), e);
	if (out >= 0)
		(void)close(out);
	free(path);
	free(above);
	return rc;
}

/* What may be taken out, the n-th entry. */
static int
judge_entry(struct archive_entry *t, size_t n, struct ae_err *e)
{
	const char *name = archive_entry_pathname(t);

	if (n > BACKUP_FILES_MAX)
		return ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
		    "more than %d files", BACKUP_FILES_MAX);
	if (name == NULL || !archive_entry_size_is_set(t))
		return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
		    "a header of the tar archive is damaged");
	if (archive_entry_filetype(t) != AE_IFREG ||
	    archive_entry_hardlink(t) != NULL)
		return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
		    "%s in the tar archive is no regular file", name);
	if (!is_ours(name))
		return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
		    "the tar archive has a file that is of no backup: %s",
		    name);
	return AE_OK;
}

static int
take_files(const struct source *in, struct archive *a, const char *dir,
    struct ae_err *e)
{
	struct archive_entry *t;
	size_t n;
	int r, rc;

	for (n = 0; (r = archive_read_next_header(a, &t)) == ARCHIVE_OK; n++) {
		rc = judge_entry(t, n, e);
		if (rc == AE_OK)
			rc = take_file(in, a, t, dir, e);
		if (rc < 0)
			return rc;
	}
	/* libarchive would do without the blocks that end an archive */
	if (r != ARCHIVE_EOF || in->ended)
		return read_failed(
		    in, a, "a header of the tar archive is damaged", e);
	return AE_OK;
}

static int
take_archive(int fd, const char *dir, struct ae_err *e)
{
	struct source *in = calloc(1, sizeof(*in));
	struct archive *a = archive_read_new();
	int rc;

	if (in == NULL || a == NULL) {
		rc = ae_fail_mem(e);
	} else {
		in->fd = fd;
		/* no filters: nothing is unpacked into more than it is */
		if (archive_read_support_format_tar(a) != ARCHIVE_OK ||
		    archive_read_open(a, in, NULL, source_read, NULL) !=
			ARCHIVE_OK)
			rc = read_failed(in, a, "it is no tar archive", e);
		else
			rc = take_files(in, a, dir, e);
	}
	(void)archive_read_free(a);
	free(in);
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
		rc = take_archive(in, to, e);
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
