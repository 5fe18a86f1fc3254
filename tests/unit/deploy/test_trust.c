/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Tests of deploy/trust.h: a root tree with programs that write down what they
 * are told, in place of the system's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "deploy/trust.h"
#include "fixture.h"
#include "sys/files.h"

#define DEBIAN "/usr/local/share/ca-certificates"
#define REDHAT "/etc/pki/ca-trust/source/anchors"

struct world {
	char root[64], state[128];
	struct ae_trust t;
	char *pem; /* the directory's roots */
	size_t len;
};

static void
put(const struct world *w, const char *path, const char *text, mode_t mode)
{
	char full[512];

	(void)snprintf(full, sizeof(full), "%s%s", w->root, path);
	assert_ok(ae_file_write(full, text, strlen(text), mode, NULL));
}

static void
dir(const struct world *w, const char *path)
{
	char full[512];

	(void)snprintf(full, sizeof(full), "%s%s", w->root, path);
	assert_ok(ae_file_mkdirs(full, 0755, NULL));
}

/* What was written at path; NULL: nothing is there.  free() it. */
static char *
get(const struct world *w, const char *path)
{
	char full[512];
	uint8_t *p = NULL;
	size_t len;

	(void)snprintf(full, sizeof(full), "%s%s", w->root, path);
	return ae_file_read(&p, &len, full, 65536, NULL) == AE_OK ? (char *)p
								  : NULL;
}

static void
gone(const struct world *w, const char *path)
{
	char full[512];

	(void)snprintf(full, sizeof(full), "%s%s", w->root, path);
	if (unlink(full) != 0)
		assert_int_equal(errno, ENOENT);
}

/* A program that adds its arguments to /log. */
static void
program(const struct world *w, const char *path, int code)
{
	char text[256];

	(void)snprintf(text, sizeof(text),
	    "#!/bin/sh\necho \"$@\" >> %s/log\nexit %d\n", w->root, code);
	put(w, path, text, 0755);
}

static int
setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct ae_der der = fix_root();
	struct ae_cert *c;
	struct ae_wr pem;

	assert_non_null(w);
	(void)snprintf(w->root, sizeof(w->root), "/tmp/ae-trust-XXXXXX");
	assert_non_null(mkdtemp(w->root));
	(void)snprintf(w->state, sizeof(w->state), "%s/state", w->root);
	dir(w, "/state/trust");
	dir(w, "/usr/sbin");
	dir(w, "/usr/bin");
	w->t = (struct ae_trust){
		.root = w->root, .state_dir = w->state, .method = "auto"
	};
	assert_ok(ae_cert_parse(&c, der.p, der.len, NULL));
	ae_wr_init(&pem, 65536);
	ae_cert_put_pem(&pem, c);
	w->len = pem.len;
	ae_wr_u8(&pem, 0);
	w->pem = (char *)ae_wr_take(&pem, NULL);
	ae_cert_free(c);
	*state = w;
	return 0;
}

static int
teardown(void **state)
{
	struct world *w = *state;
	char cmd[128];

	(void)snprintf(cmd, sizeof(cmd), "rm -rf %s", w->root);
	assert_int_equal(system(cmd), 0);
	free(w->pem);
	free(w);
	return 0;
}

static char *
file_of(const struct world *w, const char *where)
{
	char name[AE_MANIFEST_NAME_MAX], *path;
	struct ae_cert **v;
	size_t n;

	assert_ok(ae_certs_read(&v, &n, 1, w->pem, w->len, NULL));
	ae_trust_name(name, v[0]);
	ae_certs_free(v, n);
	assert_true(asprintf(&path, "%s/%s", where, name) > 0);
	return path;
}

static void
expect_log(const struct world *w, const char *want)
{
	char *log = get(w, "/log");

	assert_string_equal(log == NULL ? "" : log, want);
	free(log);
}

/* Sync and say what became of the one item, or -1 without one. */
static int
sync_one(struct world *w, enum ae_manifest_by by, bool roots)
{
	struct ae_trust_report r;
	struct ae_err e = AE_ERR_INIT;
	int state;

	if (ae_trust_sync(&r, &w->t, by, w->pem, roots ? w->len : 0, &e) !=
	    AE_OK)
		fail_msg("%s", e.text);
	state = r.n == 0 ? -1 : (int)r.v[0].state;
	ae_trust_report_done(&r);
	return state;
}

static void
debian_in_and_out(void **state)
{
	struct world *w = *state;
	struct ae_manifest m;
	char *file, *text;

	dir(w, DEBIAN);
	program(w, "/usr/sbin/update-ca-certificates", 0);
	put(w, DEBIAN "/corp.crt", "theirs", 0644);
	file = file_of(w, DEBIAN);
	assert_int_equal(sync_one(w, AE_BY_CONFIG, true), AE_TRUST_ADDED);
	text = get(w, file);
	assert_string_equal(text, w->pem);
	free(text);
	expect_log(w, "\n");
	assert_ok(ae_trust_manifest(&m, &w->t, NULL));
	assert_int_equal(m.by, AE_BY_CONFIG);
	assert_false(m.pending);
	assert_string_equal(m.method, "ca-certificates");
	ae_manifest_done(&m);
	/* Nothing changed, nothing is run. */
	assert_int_equal(sync_one(w, AE_BY_CONFIG, true), AE_TRUST_KEPT);
	expect_log(w, "\n");
	/* Out again; theirs stays, and the manifest is gone. */
	assert_int_equal(sync_one(w, AE_BY_NOBODY, false), AE_TRUST_REMOVED);
	assert_null(get(w, file));
	expect_log(w, "\n\n");
	text = get(w, DEBIAN "/corp.crt");
	assert_string_equal(text, "theirs");
	free(text);
	assert_rc(ae_trust_manifest(&m, &w->t, NULL), AE_ENOTFOUND);
	assert_int_equal(sync_one(w, AE_BY_NOBODY, false), -1);
	expect_log(w, "\n\n");
	free(file);
}

static void
red_hat(void **state)
{
	struct world *w = *state;
	char *file, *text;

	dir(w, REDHAT);
	program(w, "/usr/bin/update-ca-trust", 0);
	file = file_of(w, REDHAT);
	assert_int_equal(sync_one(w, AE_BY_COMMAND, true), AE_TRUST_ADDED);
	text = get(w, file);
	assert_string_equal(text, w->pem);
	free(text);
	expect_log(w, "extract\n");
	assert_int_equal(sync_one(w, AE_BY_NOBODY, false), AE_TRUST_REMOVED);
	expect_log(w, "extract\nextract\n");
	assert_null(get(w, file));
	free(file);
}

static void
p11_kit_is_told_of_each(void **state)
{
	struct world *w = *state;
	char *file, want[512];

	program(w, "/usr/bin/trust", 0);
	file = file_of(w, "/state/trust/anchors");
	assert_int_equal(sync_one(w, AE_BY_COMMAND, true), AE_TRUST_ADDED);
	(void)snprintf(
	    want, sizeof(want), "anchor --store %s%s\n", w->root, file);
	expect_log(w, want);
	gone(w, "/log");
	assert_int_equal(sync_one(w, AE_BY_NOBODY, false), AE_TRUST_REMOVED);
	(void)snprintf(
	    want, sizeof(want), "anchor --remove %s%s\n", w->root, file);
	expect_log(w, want);
	assert_null(get(w, file));
	free(file);
}

static void
a_dry_run_touches_nothing(void **state)
{
	struct world *w = *state;
	struct ae_trust_report r;
	struct ae_manifest m;
	char *file = file_of(w, DEBIAN);

	dir(w, DEBIAN);
	program(w, "/usr/sbin/update-ca-certificates", 0);
	w->t.dry_run = true;
	assert_ok(
	    ae_trust_sync(&r, &w->t, AE_BY_COMMAND, w->pem, w->len, NULL));
	assert_true(r.changed);
	assert_int_equal(r.v[0].state, AE_TRUST_ADDED);
	assert_non_null(strstr(r.v[0].subject, "Example CA"));
	ae_trust_report_done(&r);
	assert_null(get(w, file));
	assert_rc(ae_trust_manifest(&m, &w->t, NULL), AE_ENOTFOUND);
	expect_log(w, "");
	free(file);
}

/* Killed, or refused by the system, half way: the next call goes on. */
static void
what_was_begun_is_finished(void **state)
{
	struct world *w = *state;
	struct ae_trust_report r;
	struct ae_err e = AE_ERR_INIT;
	struct ae_manifest m;

	dir(w, DEBIAN);
	program(w, "/usr/sbin/update-ca-certificates", 9);
	assert_rc(
	    ae_trust_sync(&r, &w->t, AE_BY_CONFIG, w->pem, w->len, &e), AE_EIO);
	assert_non_null(strstr(e.text, "exit 9"));
	assert_ok(ae_trust_manifest(&m, &w->t, NULL));
	assert_true(m.pending);
	assert_int_equal(m.n, 1);
	ae_manifest_done(&m);
	program(w, "/usr/sbin/update-ca-certificates", 0);
	assert_int_equal(sync_one(w, AE_BY_CONFIG, true), AE_TRUST_KEPT);
	expect_log(w, "\n\n"); /* told again, though the file was there */
	assert_ok(ae_trust_manifest(&m, &w->t, NULL));
	assert_false(m.pending);
	ae_manifest_done(&m);
}

static void
somebody_changed_ours(void **state)
{
	struct world *w = *state;
	char *file = file_of(w, DEBIAN), *text;

	dir(w, DEBIAN);
	program(w, "/usr/sbin/update-ca-certificates", 0);
	assert_int_equal(sync_one(w, AE_BY_CONFIG, true), AE_TRUST_ADDED);
	put(w, file, "theirs now", 0644);
	assert_int_equal(sync_one(w, AE_BY_CONFIG, true), AE_TRUST_FOREIGN);
	assert_int_equal(sync_one(w, AE_BY_NOBODY, false), AE_TRUST_FOREIGN);
	text = get(w, file);
	assert_string_equal(text, "theirs now");
	free(text);
	free(file);
}

/* A manifest that names other files must not make us remove them. */
static void
a_manifest_of_somebody_else(void **state)
{
	struct world *w = *state;
	struct ae_trust_report r;
	char *text;

	dir(w, DEBIAN);
	program(w, "/usr/sbin/update-ca-certificates", 0);
	put(w, DEBIAN "/corp.crt", "theirs", 0644);
	put(w, "/state/trust/system.manifest",
	    "autoenroll-trust 1\nby config\nmethod ca-certificates\n"
	    "1111111111111111111111111111111111111111111111111111111111111111"
	    " corp.crt\n",
	    0644);
	assert_rc(
	    ae_trust_sync(&r, &w->t, AE_BY_NOBODY, NULL, 0, NULL), AE_EPROTO);
	text = get(w, DEBIAN "/corp.crt");
	assert_string_equal(text, "theirs");
	free(text);
}

static void
roots_too_many_or_garbage(void **state)
{
	struct world *w = *state;
	struct ae_trust_report r;
	size_t n = AE_TRUST_ROOTS_MAX + 1, i;
	char *many = malloc(n * w->len + 1), *file = file_of(w, DEBIAN);

	dir(w, DEBIAN);
	program(w, "/usr/sbin/update-ca-certificates", 0);
	assert_non_null(many);
	for (i = 0; i < n; i++)
		memcpy(many + i * w->len, w->pem, w->len);
	assert_rc(
	    ae_trust_sync(&r, &w->t, AE_BY_CONFIG, many, n * w->len, NULL),
	    AE_ELIMIT);
	assert_rc(ae_trust_sync(&r, &w->t, AE_BY_CONFIG,
		      "-----BEGIN CERTIFICATE-----\nAAAA\n-----END "
		      "CERTIFICATE-----\n",
		      59, NULL),
	    AE_EPROTO);
	assert_null(get(w, file));
	expect_log(w, "");
	/* The same one several times is one. */
	assert_ok(
	    ae_trust_sync(&r, &w->t, AE_BY_CONFIG, many, 3 * w->len, NULL));
	assert_int_equal(r.n, 1);
	ae_trust_report_done(&r);
	free(many);
	free(file);
}

static void
no_trust_store_here(void **state)
{
	struct world *w = *state;
	struct ae_trust_report r;
	struct ae_err e = AE_ERR_INIT;

	assert_rc(ae_trust_sync(&r, &w->t, AE_BY_CONFIG, w->pem, w->len, &e),
	    AE_ENOTFOUND);
	w->t.method = "windows";
	assert_rc(ae_trust_sync(&r, &w->t, AE_BY_CONFIG, w->pem, w->len, &e),
	    AE_EINVAL);
	assert_non_null(strstr(e.text, "windows"));
}

static void
roots_who_is_one(void **state)
{
	struct ae_der leaf = fix_leaf(), root = fix_root();
	struct ae_cert *c;

	(void)state;
	assert_ok(ae_cert_parse(&c, leaf.p, leaf.len, NULL));
	assert_non_null(ae_trust_refuses(c, FIX_NOW));
	assert_non_null(
	    strstr(ae_trust_refuses(c, FIX_NOW), "an intermediate"));
	ae_cert_free(c);
	assert_ok(ae_cert_parse(&c, root.p, root.len, NULL));
	assert_null(ae_trust_refuses(c, FIX_NOW));
	assert_non_null(strstr(ae_trust_refuses(c, c->not_after), "expired"));
	ae_cert_free(c);
}

int
main(void)
{
#define ONE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		ONE(debian_in_and_out),
		ONE(red_hat),
		ONE(p11_kit_is_told_of_each),
		ONE(a_dry_run_touches_nothing),
		ONE(what_was_begun_is_finished),
		ONE(somebody_changed_ours),
		ONE(a_manifest_of_somebody_else),
		ONE(roots_too_many_or_garbage),
		ONE(no_trust_store_here),
		cmocka_unit_test(roots_who_is_one),
	};

	fix_init();
	return fix_done(cmocka_run_group_tests(tests, NULL, NULL));
}
