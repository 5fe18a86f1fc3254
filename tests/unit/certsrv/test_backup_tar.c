/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Archives of backups: written and read again, and what is not unpacked.
 * GNU tar is the witness in tests/lab/test_backup.py; here libarchive writes
 * what no backup has.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include <sys/stat.h>

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backup_tar.h"
#include "backup_tree.h"
#include "scratch.h"

#define BLOCK 512
#define MOST 65536

static char top[64];

static const char *
at(const char *name)
{
	static char path[4][1500];
	static unsigned next;
	char *p = path[next++ % 4];

	assert_true(snprintf(p, 1500, "%s/%s", top, name) < 1500);
	return p;
}

static size_t
slurp(const char *path, uint8_t *buf, size_t size)
{
	FILE *f = fopen(path, "re");
	size_t n;

	assert_non_null(f);
	n = fread(buf, 1, size, f);
	assert_true(n < size);
	assert_int_equal(fclose(f), 0);
	return n;
}

static void
spill(const char *path, const void *bytes, size_t len)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

/* Nothing is left in TMPDIR. */
static void
nothing_left(void)
{
	size_t n = 1;

	assert_int_equal(backup_tree_count(at("tmp"), &n, NULL), AE_OK);
	assert_int_equal(n, 0);
	assert_int_equal(rmdir(at("tmp")), 0);
	assert_int_equal(mkdir(at("tmp"), 0700), 0);
}

static void
refused(const char *path, int code, const char *why)
{
	struct ae_err e = AE_ERR_INIT;
	char *dir = NULL;
	bool made = true;

	assert_int_equal(backup_tar_open(&dir, &made, path, &e), code);
	assert_null(dir);
	assert_false(made);
	if (strstr(e.text, why) == NULL)
		fail_msg("\"%s\" has no \"%s\"", e.text, why);
	nothing_left();
}

/* A backup of these files, all with the same text; the archive's path. */
static const char *
backup(const char *const paths[], size_t n, const char *text)
{
	struct backup_file file[4] = { 0 };
	struct backup_set s = { .file = file, .n = n, .time = 1790000000 };
	struct ae_err e = AE_ERR_INIT;
	const char *to = at("backup.tar");
	char rel[1300];
	size_t i;

	(void)unlink(to);
	backup_tree_remove(at("from"));
	scratch_write(top, "from/manifest.json", "{}");
	for (i = 0; i < n; i++) {
		file[i].path = strdup(paths[i]);
		file[i].mode = 0640;
		assert_true(snprintf(rel, sizeof(rel), "from/files%s",
				paths[i]) < (int)sizeof(rel));
		scratch_write(top, rel, text);
	}
	assert_int_equal(backup_tar_write(&s, at("from"), to, &e), AE_OK);
	/* there is one already */
	assert_int_equal(backup_tar_write(&s, at("from"), to, &e), AE_EIO);
	for (i = 0; i < n; i++)
		free(file[i].path);
	return to;
}

static void
what_is_written_is_read(void **state)
{
	char far[400], text[10000];
	const char *const paths[] = { "/etc/certsrv/ca.pem", far,
		"/etc/k\xc3\xa4se" };
	struct ae_err e = AE_ERR_INIT;
	uint8_t buf[MOST];
	char *dir = NULL, *p = NULL;
	bool made = false;
	size_t i, n;

	(void)state;
	memset(far, 'y', sizeof(far)); /* more than ustar has room for */
	far[0] = far[200] = '/';
	far[399] = '\0';
	memset(text, 't', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	(void)backup(paths, 3, text);
	n = slurp(at("backup.tar"), buf, sizeof(buf));
	assert_int_equal(n % BLOCK, 0);
	assert_string_equal((char *)buf, "manifest.json");
	assert_memory_equal(buf + 257,
	    "ustar\0"
	    "00",
	    8);
	assert_int_equal(
	    backup_tar_open(&dir, &made, at("backup.tar"), &e), AE_OK);
	assert_true(made);
	for (i = 0; i < 3; i++) {
		assert_true(asprintf(&p, "%s/files%s", dir, paths[i]) > 0);
		n = slurp(p, buf, sizeof(buf));
		assert_int_equal(n, strlen(text));
		assert_memory_equal(buf, text, n);
		free(p);
	}
	backup_tree_remove(dir);
	free(dir);
	nothing_left();
}

/* Wherever it is cut. */
static void
a_part_of_one_is_refused(void **state)
{
	const char *const paths[] = { "/a", "/b" };
	const char *from = backup(paths, 2, "of no matter");
	uint8_t buf[MOST];
	const size_t len = slurp(from, buf, sizeof(buf));
	size_t n;

	(void)state;
	assert_int_equal(len, 8 * BLOCK);
	for (n = 0; n < len - BLOCK; n += 64) {
		spill(at("part.tar"), buf, n);
		refused(at("part.tar"), AE_EPROTO, "ends too early");
	}
}

static void
changed_headers_are_refused(void **state)
{
	const char *const paths[] = { "/a" };
	uint8_t buf[MOST];
	const size_t len =
	    slurp(backup(paths, 1, "of no matter"), buf, sizeof(buf));
	size_t i;

	(void)state;
	for (i = 0; i < BLOCK; i++) {
		if (i == 154 || i == 155) /* behind the sum's digits */
			continue;
		buf[i] ^= 0x41;
		spill(at("changed.tar"), buf, len);
		refused(at("changed.tar"), AE_EPROTO, "no tar archive");
		buf[i] ^= 0x41;
		buf[2 * BLOCK + i] ^= 0x41;
		spill(at("changed.tar"), buf, len);
		refused(at("changed.tar"), AE_EPROTO, "damaged");
		buf[2 * BLOCK + i] ^= 0x41;
	}
}

/* An entry of some kind; NULL: a regular file. */
typedef void shape_fn(struct archive_entry *t);

static void
made_by(struct archive *a, const char *name, shape_fn *shape, unsigned times)
{
	static const char text[4096] = "text";
	struct archive_entry *t;

	assert_int_equal(archive_write_set_format_pax_restricted(a), 0);
	assert_int_equal(archive_write_open_filename(a, at("evil.tar")), 0);
	for (; times > 0; times--) {
		t = archive_entry_new();
		archive_entry_set_pathname(t, name);
		archive_entry_set_filetype(t, AE_IFREG);
		archive_entry_set_perm(t, 0600);
		archive_entry_set_size(t, 4);
		if (shape != NULL)
			shape(t);
		assert_int_equal(archive_write_header(a, t), 0);
		assert_true(archive_write_data(a, text, sizeof(text)) >= 0);
		archive_entry_free(t);
	}
	assert_int_equal(archive_write_free(a), 0);
}

static void
made_of(const char *name, shape_fn *shape, unsigned times)
{
	made_by(archive_write_new(), name, shape, times);
}

static void
as_symlink(struct archive_entry *t)
{
	archive_entry_set_filetype(t, AE_IFLNK);
	archive_entry_set_symlink(t, "/etc/passwd");
	archive_entry_set_size(t, 0);
}

static void
as_hardlink(struct archive_entry *t)
{
	archive_entry_set_hardlink(t, "/etc/passwd");
}

static void
as_directory(struct archive_entry *t)
{
	archive_entry_set_filetype(t, AE_IFDIR);
	archive_entry_set_size(t, 0);
}

static void
as_fifo(struct archive_entry *t)
{
	archive_entry_set_filetype(t, AE_IFIFO);
	archive_entry_set_size(t, 0);
}

/* A terabyte of which one page is there, at its end. */
static void
as_holes(struct archive_entry *t)
{
	archive_entry_set_size(t, INT64_C(1) << 40);
	archive_entry_sparse_add_entry(t, (INT64_C(1) << 40) - 4096, 4096);
}

static void
as_hole_behind(struct archive_entry *t)
{
	archive_entry_set_size(t, INT64_C(1) << 40);
	archive_entry_sparse_add_entry(t, 0, 4096);
}

static void
what_is_no_file_of_a_backup_is_refused(void **state)
{
	static const char *const names[] = { "x", "/manifest.json",
		"manifest.json/x", "./manifest.json", "files", "filesx/y",
		"files/../x", "files/a/../../../x", "files/./x", "files//x",
		"files/a/..", "../files/x" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		made_of(names[i], NULL, 1);
		refused(at("evil.tar"), AE_EPROTO, "of no backup");
	}
	made_of("files/x", as_symlink, 1);
	refused(at("evil.tar"), AE_EPROTO, "no regular file");
	made_of("files/x", as_hardlink, 1);
	refused(at("evil.tar"), AE_EPROTO, "no regular file");
	made_of("files/x", as_directory, 1);
	refused(at("evil.tar"), AE_EPROTO, "no regular file");
	made_of("files/x", as_fifo, 1);
	refused(at("evil.tar"), AE_EPROTO, "no regular file");
}

static void
holes_are_refused(void **state)
{
	(void)state;
	made_of("files/x", as_holes, 1);
	refused(at("evil.tar"), AE_EPROTO, "has holes");
	made_of("files/x", as_hole_behind, 1);
	refused(at("evil.tar"), AE_EPROTO, "has holes");
}

static void
nothing_is_written_over(void **state)
{
	(void)state;
	made_of("files/x", NULL, 2);
	refused(at("evil.tar"), AE_EIO, "File exists");
	made_of("manifest.json", NULL, 2);
	refused(at("evil.tar"), AE_EIO, "File exists");
}

/* A link, a device, a directory, a part of a file: with bytes behind it. */
static void
types_with_bytes_are_refused(void **state)
{
	static const char types[] = "123456DM";
	uint8_t buf[MOST];
	unsigned sum;
	size_t i, k, len;

	(void)state;
	made_of("files/x", NULL, 1);
	len = slurp(at("evil.tar"), buf, sizeof(buf));
	memcpy(buf + 157, "/etc/passwd", sizeof("/etc/passwd"));
	for (k = 0; types[k] != '\0'; k++) {
		buf[156] = (uint8_t)types[k];
		memset(buf + 148, ' ', 8);
		for (i = 0, sum = 0; i < BLOCK; i++)
			sum += buf[i];
		(void)snprintf((char *)buf + 148, 7, "%06o", sum);
		spill(at("typed.tar"), buf, len);
		refused(at("typed.tar"), AE_EPROTO, "no regular file");
	}
}

static void
a_compressed_one_is_refused(void **state)
{
	struct archive *a = archive_write_new();

	(void)state;
	assert_int_equal(archive_write_add_filter_gzip(a), 0);
	assert_int_equal(archive_write_set_bytes_in_last_block(a, 10240), 0);
	made_by(a, "files/x", NULL, 1);
	refused(at("evil.tar"), AE_EPROTO, "no tar archive");
}

static int
begin(void **state)
{
	(void)state;
	if (scratch_make(top) != 0 || mkdir(at("tmp"), 0700) != 0)
		return -1;
	return setenv("TMPDIR", at("tmp"), 1);
}

static int
end(void **state)
{
	(void)state;
	return scratch_remove(top);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(a_part_of_one_is_refused),
		cmocka_unit_test(changed_headers_are_refused),
		cmocka_unit_test(what_is_no_file_of_a_backup_is_refused),
		cmocka_unit_test(holes_are_refused),
		cmocka_unit_test(nothing_is_written_over),
		cmocka_unit_test(types_with_bytes_are_refused),
		cmocka_unit_test(a_compressed_one_is_refused),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
