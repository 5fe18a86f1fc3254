/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Tests of sys/denial.h: lines in the forms that the kernel and auditd write
 * (Documentation: audit(8), Red Hat's "AVC denials", Ubuntu's AppArmor wiki),
 * with our own names in them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "sys/denial.h"

static void
lines_of_each_kind(void **state)
{
	static const struct {
		const char *line;
		struct ae_denial want;
	} rows[] = {
		{ "type=AVC msg=audit(1764325037.123:456): avc:  denied  "
		  "{ write add_name } for  pid=812 comm=\"autoenrolld\" "
		  "name=\"my\" dev=\"vda1\" ino=99 "
		  "scontext=system_u:system_r:certmonger_t:s0 "
		  "tcontext=system_u:object_r:var_lib_t:s0 tclass=dir "
		  "permissive=0",
		    { 1764325037, true, false, "autoenrolld", "write add_name",
			"my", "system_u:system_r:certmonger_t:s0" } },
		{ "type=AVC msg=audit(1764325037.123:456): avc:  denied  "
		  "{ open } for  pid=8 comm=\"autoenrolld\" "
		  "path=\"/etc/nginx/web.pem\" name=\"no\" "
		  "scontext=a:b:c:s0 tclass=file permissive=1",
		    { 1764325037, true, true, "autoenrolld", "open",
			"/etc/nginx/web.pem", "a:b:c:s0" } },
		/* A name with a blank in it. */
		{ "audit: type=1400 audit(1764325037.123:45): "
		  "apparmor=\"DENIED\""
		  " operation=\"mknod\" profile=\"/usr/sbin/autoenrolld\" "
		  "name=2F7661722F6C69622F6120622F782E70656D pid=812 "
		  "comm=\"autoenrolld\" requested_mask=\"c\" denied_mask=\"c\" "
		  "fsuid=0 ouid=0",
		    { 1764325037, false, false, "autoenrolld", "mknod",
			"/var/lib/a b/x.pem", "/usr/sbin/autoenrolld" } },
		{ "6,4711,99,-;audit: type=1400 audit(5.0:1): "
		  "apparmor=\"ALLOWED\" operation=\"open\" profile=\"p\" "
		  "name=\"/x\" comm=\"cat\"",
		    { 5, false, true, "cat", "open", "/x", "p" } },
	};
	struct ae_denial d;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct ae_denial *w = &rows[i].want;

		assert_true(ae_denial_parse(&d, rows[i].line));
		assert_int_equal(d.when, w->when);
		assert_int_equal(d.selinux, w->selinux);
		assert_int_equal(d.only_told, w->only_told);
		assert_string_equal(d.process, w->process);
		assert_string_equal(d.what, w->what);
		assert_string_equal(d.path, w->path);
		assert_string_equal(d.profile, w->profile);
	}
}

static void
lines_about_something_else(void **state)
{
	static const char *const other[] = { "", "avc:", "denied  { write }",
		"type=AVC msg=audit(1.0:1): avc:  granted  { load_policy } for"
		"  pid=1",
		"type=SYSCALL msg=audit(1.0:1): arch=c000003e syscall=2 "
		"comm=\"autoenrolld\"",
		"apparmor=\"STATUS\" operation=\"profile_load\"",
		"apparmor=DENIED operation=open" };
	size_t i;
	struct ae_denial d;

	(void)state;
	for (i = 0; i < sizeof(other) / sizeof(other[0]); i++)
		if (ae_denial_parse(&d, other[i]))
			fail_msg("%s", other[i]);
}

/* Values that are too long, not closed, or not there are cut or empty. */
static void
values_that_do_not_fit(void **state)
{
	char line[4096];
	struct ae_denial d;

	(void)state;
	(void)snprintf(line, sizeof(line),
	    "audit(99999999999999999999.1:1): apparmor=\"DENIED\" name=\"%0*d",
	    2000, 7);
	assert_true(ae_denial_parse(&d, line));
	assert_int_equal(d.when, 0);
	assert_int_equal(strlen(d.path), sizeof(d.path) - 1);
	assert_string_equal(d.process, "");
	(void)snprintf(line, sizeof(line),
	    "apparmor=\"DENIED\" name=%0*d comm=00 profile=4", 2000, 0);
	assert_true(ae_denial_parse(&d, line));
	assert_string_equal(d.profile, "4");
	assert_true(ae_denial_parse(&d, "avc: denied  { "));
	assert_string_equal(d.what, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_of_each_kind),
		cmocka_unit_test(lines_about_something_else),
		cmocka_unit_test(values_that_do_not_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
