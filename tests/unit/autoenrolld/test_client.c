/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Paths and settings of the client.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "client.h"

static char root[] = "/tmp/ae-test-client-XXXXXX";

static void
write_conf(const char *text)
{
	char path[256];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/etc", root);
	(void)mkdir(path, 0755);
	(void)snprintf(path, sizeof(path), "%s/etc/autoenroll", root);
	(void)mkdir(path, 0755);
	(void)snprintf(
	    path, sizeof(path), "%s/etc/autoenroll/autoenroll.conf", root);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static int
make_root(void **state)
{
	(void)state;
	return mkdtemp(root) == NULL ? -1 : 0;
}

static int
remove_root(void **state)
{
	static const char *const parts[] = { "/etc/autoenroll/autoenroll.conf",
		"/etc/autoenroll", "/etc", "" };
	char path[256];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s%s", root, parts[i]);
		(void)remove(path);
	}
	return 0;
}

/* What a peer wrote stays readable, and in the report, whatever it is. */
static void
test_text_that_is_not_utf8(void **state)
{
	char big[4 * AE_ERR_TEXT_MAX];
	json_t *j;

	(void)state;
	j = client_text("no \xe2\x82\xac");
	assert_string_equal(json_string_value(j), "no \xe2\x82\xac");
	json_decref(j);
	j = client_text("cut \xe2\x82");
	assert_string_equal(json_string_value(j), "cut \\xe2\\x82");
	json_decref(j);
	memset(big, 0xff, sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	j = client_text(big);
	assert_non_null(json_string_value(j));
	json_decref(j);
}

/* No file is no failure, and leaves no story of one behind. */
static void
test_without_a_file(void **state)
{
	struct ae_err e = AE_ERR_INIT;
	struct client c;

	(void)state;
	assert_int_equal(client_init(&c, root, false, &e), AE_OK);
	assert_int_equal(e.rc, AE_OK);
	assert_string_equal(e.text, "");
	assert_int_equal(c.interval, 8 * 3600);
	assert_int_equal(c.ca_timeout, 60);
	assert_string_equal(c.role_user, "_autoenroll");
	assert_false(c.require_sandbox);
	assert_int_equal(strncmp(c.keytab, root, strlen(root)), 0);
	client_done(&c);
}

static void
test_every_key(void **state)
{
	struct ae_err e = AE_ERR_INIT;
	struct client c;

	(void)state;
	write_conf("principal = PC9$\nkeytab = /k\nuser = somebody\n"
		   "sysvol-helper = /h\ninterval = 2h\nca-timeout = 90\n"
		   "require-sandbox = yes\n");
	assert_int_equal(client_init(&c, root, false, &e), AE_OK);
	assert_string_equal(c.principal, "PC9$");
	assert_string_equal(c.keytab, "/k");
	assert_string_equal(c.role_user, "somebody");
	assert_string_equal(c.helper, "/h");
	assert_int_equal(c.interval, 7200);
	assert_int_equal(c.ca_timeout, 90);
	assert_true(c.require_sandbox);
	client_done(&c);
}

/* A directory of ours below /tmp that stands for a home. */
static void
test_user(void **state)
{
	struct ae_err e = AE_ERR_INIT;
	char home[] = "/tmp/ae-test-home-XXXXXX", expect[512];
	struct client c;

	(void)state;
	assert_non_null(mkdtemp(home));
	assert_int_equal(setenv("HOME", home, 1), 0);
	assert_int_equal(unsetenv("XDG_RUNTIME_DIR"), 0);
	assert_int_equal(unsetenv("XDG_DATA_HOME"), 0);
	assert_int_equal(unsetenv("XDG_CONFIG_HOME"), 0);
	assert_int_equal(client_init(&c, NULL, true, &e), AE_OK);
	assert_true(c.user);
	(void)snprintf(
	    expect, sizeof(expect), "%s/.local/share/autoenroll", home);
	assert_string_equal(c.state_dir, expect);
	(void)snprintf(
	    expect, sizeof(expect), "%s/.config/autoenroll/policy.conf", home);
	assert_string_equal(c.user_policy_path, expect);
	assert_string_equal(c.policy_path, "/etc/autoenroll/policy.conf");
	assert_int_equal(client_set_context(&c, "LAB", "alice", &e), AE_OK);
	assert_string_equal(c.context, "LAB\\alice");
	client_done(&c);

	/* What XDG says counts when it is absolute; root is above all of it. */
	assert_int_equal(setenv("XDG_DATA_HOME", "/data", 1), 0);
	assert_int_equal(setenv("XDG_CONFIG_HOME", "relative", 1), 0);
	assert_int_equal(setenv("XDG_RUNTIME_DIR", home, 1), 0);
	assert_int_equal(client_init(&c, root, true, &e), AE_OK);
	(void)snprintf(expect, sizeof(expect), "%s/data/autoenroll", root);
	assert_string_equal(c.state_dir, expect);
	(void)snprintf(
	    expect, sizeof(expect), "%s%s/autoenroll/krb5cc", root, home);
	assert_string_equal(c.ccache, expect);
	client_done(&c);
	assert_int_equal(rmdir(home), 0);

	/* A runtime directory of somebody else is not taken. */
	assert_int_equal(setenv("XDG_RUNTIME_DIR", "/nonexistent", 1), 0);
	assert_int_equal(client_init(&c, NULL, true, &e), AE_OK);
	assert_string_equal(c.run_dir, "/data/autoenroll/run");
	client_done(&c);
	assert_int_equal(unsetenv("XDG_DATA_HOME"), 0);
}

/* What su leaves in the environment: root writes nothing there. */
static void
test_data_of_somebody_else(void **state)
{
	static const char *const below[] = { "", "/not/there/yet" };
	char home[] = "/tmp/ae-test-home-XXXXXX", alice[512], expect[512];
	struct ae_err e = AE_ERR_INIT;
	struct client c;
	size_t i;

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_non_null(mkdtemp(home));
	assert_int_equal(setenv("HOME", home, 1), 0);
	(void)snprintf(alice, sizeof(alice), "%s/alice", home);
	assert_int_equal(mkdir(alice, 0755), 0);
	assert_int_equal(chown(alice, 1000, 1000), 0);
	for (i = 0; i < 2; i++) {
		(void)snprintf(expect, sizeof(expect), "%s%s", alice, below[i]);
		assert_int_equal(setenv("XDG_DATA_HOME", expect, 1), 0);
		assert_int_equal(setenv("XDG_CONFIG_HOME", expect, 1), 0);
		assert_int_equal(client_init(&c, NULL, true, &e), AE_OK);
		assert_null(strstr(c.state_dir, "alice"));
		assert_null(strstr(c.user_policy_path, "alice"));
		assert_null(strstr(c.hooks_dir, "alice"));
		client_done(&c);
	}
	assert_int_equal(unsetenv("XDG_DATA_HOME"), 0);
	assert_int_equal(unsetenv("XDG_CONFIG_HOME"), 0);
	assert_int_equal(rmdir(alice), 0);
	assert_int_equal(rmdir(home), 0);
}

static void
test_mistakes(void **state)
{
	static const char *const bad[] = { "intervals = 1h\n",
		"interval = 59s\n", "interval = 8d\n", "ca-timeout = 0\n",
		"ca-timeout = 2h\n", "user = a\nuser = b\n", "[x]\nuser = a\n",
		"require-sandbox = perhaps\n", "user\n" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct ae_err e = AE_ERR_INIT;
		struct client c;

		write_conf(bad[i]);
		assert_int_equal(client_init(&c, root, false, &e), AE_EINVAL);
		assert_non_null(strstr(e.text, "autoenroll.conf:"));
		assert_int_equal(client_exit_code(&e), EXIT_USAGE);
		client_done(&c);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_that_is_not_utf8),
		cmocka_unit_test(test_without_a_file),
		cmocka_unit_test(test_every_key),
		cmocka_unit_test(test_user),
		cmocka_unit_test(test_data_of_somebody_else),
		cmocka_unit_test(test_mistakes),
	};

	return cmocka_run_group_tests(tests, make_root, remove_root);
}
