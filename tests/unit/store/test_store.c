/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Tests of store/store.h on a real directory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scratch.h"
#include "store/store.h"
#include "torture.h"

static char dir[64];

static int
setup(void **state)
{
	(void)state;
	return scratch_make(dir);
}

static int
teardown(void **state)
{
	(void)state;
	return scratch_remove(dir);
}

static const struct ae_store_meta meta = { .template_oid = "1.2.3",
	.ca_config = "ca1.lab.example\\Lab CA",
	.request_id = 7,
	.installed = 1795000000 };

static unsigned
install(struct ae_store *s, const char *cert)
{
	struct ae_store_draft *d = NULL;
	struct ae_err e = AE_ERR_INIT;
	unsigned number = 0;

	assert_int_equal(
	    ae_store_draft_new(&d, s, "Workstation", "KEY\n", 4, &e), AE_OK);
	assert_int_equal(ae_store_commit(d, cert, strlen(cert), "CHAIN\n", 6,
			     &meta, &number, &e),
	    AE_OK);
	ae_store_draft_free(d);
	return number;
}

static char *
slurp(const char *rel, mode_t *mode)
{
	static char buf[256];
	char path[256];
	struct stat st;
	ssize_t n;
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, rel);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return NULL;
	assert_int_equal(fstat(fd, &st), 0);
	if (mode != NULL)
		*mode = st.st_mode & 0777;
	n = read(fd, buf, sizeof(buf) - 1);
	assert_true(n >= 0);
	buf[n] = '\0';
	(void)close(fd);
	return buf;
}

static void
install_switches_the_pair(void **state)
{
	struct ae_store *s = NULL;
	struct ae_store_list l;
	mode_t mode;

	(void)state;
	assert_int_equal(ae_store_open(&s, dir, true, NULL), AE_OK);
	assert_int_equal(install(s, "ONE\n"), 1);
	assert_string_equal(
	    slurp("my/Workstation/current/cert.pem", &mode), "ONE\n");
	assert_int_equal(mode, 0644);
	assert_string_equal(
	    slurp("my/Workstation/current/key.pem", &mode), "KEY\n");
	assert_int_equal(mode, 0600);
	assert_string_equal(slurp("my/Workstation/current/fullchain.pem", NULL),
	    "ONE\nCHAIN\n");
	assert_int_equal(install(s, "TWO\n"), 2);
	assert_string_equal(
	    slurp("my/Workstation/current/cert.pem", NULL), "TWO\n");

	assert_int_equal(ae_store_list(s, &l, NULL), AE_OK);
	assert_int_equal(l.n, 2);
	assert_false(l.v[0].current);
	assert_true(l.v[1].current);
	assert_true(l.v[1].has_key);
	assert_string_equal((char *)l.v[0].cert_pem, "ONE\n");
	assert_string_equal(l.v[1].tmpl, "Workstation");
	assert_int_equal(l.v[1].meta.request_id, 7);
	assert_string_equal(l.v[1].meta.ca_config, meta.ca_config);
	assert_true(l.v[1].meta.installed == meta.installed);
	ae_store_list_done(&l);

	assert_int_equal(
	    ae_store_archive(s, "Workstation", 2, meta.installed, "test", NULL),
	    AE_OK);
	assert_int_equal(
	    ae_store_archive(s, "Workstation", 2, meta.installed, "test", NULL),
	    AE_OK);
	assert_null(slurp("my/Workstation/current/cert.pem", NULL));
	assert_non_null(slurp("my/Workstation/2/cert.pem", NULL));
	ae_store_free(s);
}

static void
abandoned_drafts_disappear(void **state)
{
	struct ae_store_draft *d = NULL;
	struct ae_store *s = NULL;
	struct ae_store_list l;
	int status;
	pid_t pid;

	(void)state;
	assert_int_equal(ae_store_open(&s, dir, true, NULL), AE_OK);
	assert_int_equal(install(s, "ONE\n"), 1);
	assert_int_equal(
	    ae_store_draft_new(&d, s, "Workstation", "K", 1, NULL), AE_OK);
	ae_store_draft_free(d);
	assert_int_equal(ae_store_list(s, &l, NULL), AE_OK);
	assert_int_equal(l.n, 1);
	ae_store_list_done(&l);
	ae_store_free(s);

	pid = fork(); /* a writer that is killed between key and certificate */
	if (pid == 0) {
		if (ae_store_open(&s, dir, true, NULL) != AE_OK ||
		    ae_store_draft_new(&d, s, "Workstation", "K", 1, NULL) !=
			AE_OK)
			_exit(1);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(ae_store_open(&s, dir, true, NULL), AE_OK);
	assert_string_equal(
	    slurp("my/Workstation/current/cert.pem", NULL), "ONE\n");
	assert_int_equal(install(s, "TWO\n"), 2);
	ae_store_free(s);
}

static void
one_writer_at_a_time(void **state)
{
	struct ae_store *s = NULL, *other = NULL;
	struct ae_err e = AE_ERR_INIT;

	(void)state;
	assert_int_equal(ae_store_open(&s, dir, true, NULL), AE_OK);
	assert_int_equal(ae_store_open(&other, dir, true, &e), AE_EUNAVAIL);
	assert_int_equal(ae_store_open(&other, dir, false, &e), AE_OK);
	ae_store_free(other);
	ae_store_free(s);
	assert_int_equal(ae_store_open(&s, dir, true, NULL), AE_OK);
	ae_store_free(s);
}

static void
reading_nothing(void **state)
{
	struct ae_store *s = NULL;
	struct ae_store_list l = { 0 };
	uint8_t *pem;
	size_t len;

	(void)state;
	assert_int_equal(ae_store_open(&s, dir, false, NULL), AE_OK);
	assert_int_equal(ae_store_list(s, &l, NULL), AE_OK);
	assert_int_equal(l.n, 0);
	assert_int_equal(
	    ae_store_trust_read(s, "roots", &pem, &len, NULL), AE_ENOTFOUND);
	ae_store_list_done(&l);
	ae_store_free(s);
	assert_int_equal(
	    ae_store_open(&s, "/nonexistent/x", false, NULL), AE_ENOTFOUND);
}

static void
names_that_are_no_file_names(void **state)
{
	static const char *const bad[] = { "", ".", "..", ".x", "a/b", "a\nb",
		"M\xc3\xbcller", "a:b" };
	struct ae_store_draft *d;
	struct ae_store *s = NULL;
	char big[AE_STORE_NAME_MAX + 2];
	size_t i;

	(void)state;
	assert_int_equal(ae_store_open(&s, dir, true, NULL), AE_OK);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(ae_store_name_ok(bad[i]));
		assert_int_equal(
		    ae_store_draft_new(&d, s, bad[i], "K", 1, NULL), AE_EINVAL);
		assert_int_equal(
		    ae_store_archive(s, bad[i], 1, 0, "", NULL), AE_EINVAL);
	}
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	assert_false(ae_store_name_ok(big));
	assert_true(ae_store_name_ok("Lab Web Server v2.1"));
	ae_store_free(s);
}

/* A user who plants a symlink in place of a template's directory. */
static void
planted_symlinks_are_not_followed(void **state)
{
	struct ae_store_draft *d;
	struct ae_store *s = NULL;
	char path[96];

	(void)state;
	assert_int_equal(ae_store_open(&s, dir, true, NULL), AE_OK);
	(void)snprintf(path, sizeof(path), "%s/my/Evil", dir);
	assert_int_equal(symlink("/tmp", path), 0);
	assert_int_not_equal(
	    ae_store_draft_new(&d, s, "Evil", "K", 1, NULL), AE_OK);
	ae_store_free(s);
}

static void
trust_files(void **state)
{
	struct ae_store *s = NULL;
	uint8_t *pem = NULL;
	bool changed;
	size_t len;

	(void)state;
	assert_int_equal(ae_store_open(&s, dir, true, NULL), AE_OK);
	assert_int_equal(
	    ae_store_trust_write(s, "roots", "PEM", 3, &changed, NULL), AE_OK);
	assert_true(changed);
	assert_int_equal(
	    ae_store_trust_write(s, "roots", "PEM", 3, &changed, NULL), AE_OK);
	assert_false(changed);
	assert_int_equal(
	    ae_store_trust_write(s, "roots", "", 0, &changed, NULL), AE_OK);
	assert_true(changed);
	assert_int_equal(
	    ae_store_trust_read(s, "roots", &pem, &len, NULL), AE_OK);
	assert_int_equal(len, 0);
	free(pem);
	assert_int_equal(
	    ae_store_trust_write(s, "../x", "", 0, &changed, NULL), AE_EINVAL);
	ae_store_free(s);
}

static void
damaged_meta_is_an_error_with_a_name(void **state)
{
	struct ae_store *s = NULL;
	struct ae_store_list l = { 0 };
	struct ae_err e = AE_ERR_INIT;
	char path[96];
	int fd;

	(void)state;
	assert_int_equal(ae_store_open(&s, dir, true, NULL), AE_OK);
	(void)install(s, "ONE\n");
	(void)snprintf(
	    path, sizeof(path), "%s/my/Workstation/1/meta.json", dir);
	fd = open(path, O_WRONLY | O_TRUNC);
	assert_int_equal(write(fd, "{\"x", 3), 3);
	(void)close(fd);
	assert_int_equal(ae_store_list(s, &l, &e), AE_EPROTO);
	assert_non_null(strstr(e.text, "template Workstation"));
	ae_store_free(s);
}

static bool
whole_work(void *arg)
{
	struct ae_store_list l = { 0 };
	struct ae_store_draft *d = NULL;
	struct ae_store *s = NULL;
	char my[96];
	bool ok;

	(void)arg;
	(void)snprintf(my, sizeof(my), "%s/my", dir);
	if (access(my, F_OK) == 0)
		assert_int_equal(scratch_remove(my), 0);
	ok = ae_store_open(&s, dir, true, NULL) == AE_OK &&
	    ae_store_draft_new(&d, s, "Workstation", "K", 1, NULL) == AE_OK &&
	    ae_store_commit(d, "C", 1, "", 0, &meta, NULL, NULL) == AE_OK &&
	    ae_store_list(s, &l, NULL) == AE_OK;
	ae_store_list_done(&l);
	ae_store_draft_free(d);
	ae_store_free(s);
	return ok;
}

static void
out_of_memory(void **state)
{
	(void)state;
	assert_true(ae_torture(whole_work, NULL, 200, true) > 4);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(install_switches_the_pair),
		T(abandoned_drafts_disappear),
		T(one_writer_at_a_time),
		T(reading_nothing),
		T(names_that_are_no_file_names),
		T(planted_symlinks_are_not_followed),
		T(trust_files),
		T(damaged_meta_is_an_error_with_a_name),
		T(out_of_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
