/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * certsrv.conf: defaults, paths below a root, and what is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf.h"
#include "sys/files.h"
#include "torture.h"

#define MINIMAL "[ca]\nname = Example CA\ndns-name = ca.example.com\n"

static char path[] = "/tmp/ae-conf-XXXXXX";

static int
read_text(struct conf *c, const char *root, const char *text, struct ae_err *e)
{
	assert_int_equal(
	    ae_file_write(path, text, strlen(text), 0600, e), AE_OK);
	return conf_read(c, root, path, e);
}

static void
defaults(void **state)
{
	struct ae_err e = AE_ERR_INIT;
	struct conf c;

	(void)state;
	assert_int_equal(read_text(&c, NULL, MINIMAL, &e), AE_OK);
	assert_string_equal(c.name, "Example CA");
	assert_string_equal(
	    c.keys.v[0], "file:/var/lib/certsrv/private/ca.key");
	assert_string_equal(c.database, "/var/lib/certsrv/db/ca.sqlite");
	assert_string_equal(c.keytab, "/etc/krb5.keytab");
	assert_null(c.chain);
	assert_int_equal(c.port, 49500);
	assert_int_equal(c.address.n, 1);
	assert_string_equal(c.address.v[0], "0.0.0.0");
	assert_int_equal(c.serial_instance, 1);
	assert_false(c.allow_supplied_auth_subject);
	assert_false(c.allow_any_purpose);
	assert_false(c.allow_group_policies);
	assert_int_equal(c.any_host_names.n, 0);
	assert_false(c.allow_renew_on_behalf);
	assert_int_equal(c.requests, CONF_ISSUE);
	assert_string_equal(c.agents, "/etc/certsrv/agents.sd");
	conf_done(&c);
}

static void
what_becomes_of_requests(void **state)
{
	struct ae_err e = AE_ERR_INIT;
	struct conf c;

	(void)state;
	assert_int_equal(
	    read_text(&c, NULL,
		MINIMAL "requests = pend\nallow-renew-on-behalf = yes\n", &e),
	    AE_OK);
	assert_int_equal(c.requests, CONF_PEND);
	assert_true(c.allow_renew_on_behalf);
	conf_done(&c);
	assert_int_equal(
	    read_text(&c, NULL, MINIMAL "requests = perhaps\n", &e), AE_EINVAL);
	conf_done(&c);
}

static void
below_a_root(void **state)
{
	struct ae_err e = AE_ERR_INIT;
	struct conf c;
	char *p;

	(void)state;
	assert_int_equal(read_text(&c, "/lab/ca1",
			     MINIMAL "chain = /etc/certsrv/above.pem\n"
				     "key = pkcs11:token=x\n",
			     &e),
	    AE_OK);
	assert_string_equal(c.certificate, "/lab/ca1/etc/certsrv/ca.pem");
	assert_string_equal(c.chain, "/lab/ca1/etc/certsrv/above.pem");
	assert_string_equal(c.keys.v[0], "pkcs11:token=x"); /* names no file */
	p = conf_path(&c, RUN_DIR);
	assert_string_equal(p, "/lab/ca1/run/certsrv");
	free(p);
	conf_done(&c);
}

static void
refused(void **state)
{
	static const struct {
		const char *text, *says;
	} rows[] = {
		{ "[ca]\ndns-name = a.example\n", "name is not set" },
		{ "[ca]\nname = x\n", "dns-name is not set" },
		{ MINIMAL "nonsense = 1\n", "nonsense" },
		{ MINIMAL "name = twice\n", "name" },
		{ MINIMAL "serial-instance = 0\n", "serial-instance" },
		{ MINIMAL "serial-instance = 128\n", "serial-instance" },
		{ MINIMAL "rsa-bits-min = 1024\n", "rsa-bits-min" },
		{ MINIMAL "rsa-bits-min = 4096\nrsa-bits-max = 2048\n",
		    "rsa-bits-min is larger" },
		{ MINIMAL "[listen]\nport = 0\n", "port" },
		{ MINIMAL "[listen]\nport = 65536\n", "port" },
		{ MINIMAL "[directory]\nrefresh = 2h\n", "refresh" },
		{ MINIMAL "[sandbox]\nrequire = perhaps\n", "require" },
		{ MINIMAL "[log]\nlevel = loud\n", "level" },
	};
	struct ae_err e = AE_ERR_INIT;
	struct conf c;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(
		    read_text(&c, NULL, rows[i].text, &e), AE_EINVAL);
		assert_non_null(strstr(e.text, rows[i].says));
		conf_done(&c);
	}
	assert_int_equal(conf_read(&c, "/nonexistent", NULL, &e), AE_ENOTFOUND);
	conf_done(&c);
}

/* Nothing in the file leaves the SID, or another extension, out of all. */
static void
esc16_no_switch_for_the_sid(void **state)
{
	static const char *const keys[] = { "disable-extension-list",
		"disable-extensions", "DisableExtensionList",
		"no-security-extension", "sid-extension", "edit-flags",
		"enable-request-extension-list" };
	struct ae_err e = AE_ERR_INIT;
	char text[256];
	struct conf c;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		(void)snprintf(text, sizeof(text),
		    MINIMAL "%s = 1.3.6.1.4.1.311.25.2\n", keys[i]);
		assert_int_equal(read_text(&c, NULL, text, &e), AE_EINVAL);
		assert_non_null(strstr(e.text, keys[i]));
		conf_done(&c);
	}
}

static bool
tortured(void *arg)
{
	struct ae_err e = AE_ERR_INIT;
	struct conf c;
	int rc = conf_read(&c, "/r", arg, &e);

	conf_done(&c);
	return rc == AE_OK;
}

static void
without_memory(void **state)
{
	struct ae_err e = AE_ERR_INIT;

	(void)state;
	assert_int_equal(
	    ae_file_write(path, MINIMAL, strlen(MINIMAL), 0600, &e), AE_OK);
	(void)ae_torture(tortured, path, 200, false);
	assert_true(tortured(path));
}

static int
make_file(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	return fd < 0 ? -1 : close(fd);
}

static int
remove_file(void **state)
{
	(void)state;
	return unlink(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),
		cmocka_unit_test(what_becomes_of_requests),
		cmocka_unit_test(below_a_root),
		cmocka_unit_test(refused),
		cmocka_unit_test(esc16_no_switch_for_the_sid),
		cmocka_unit_test(without_memory),
	};

	return cmocka_run_group_tests(tests, make_file, remove_file);
}
