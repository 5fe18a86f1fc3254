/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Tests of deploy/manifest.h and deploy/state.h: the two files that remember
 * what we did.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "deploy/manifest.h"
#include "deploy/state.h"
#include "mutate.h"
#include "torture.h"

#define A "autoenroll-00112233445566778899aabbccddeeff.crt"
#define B "autoenroll-ffeeddccbbaa99887766554433221100.crt"
#define H1 "1111111111111111111111111111111111111111111111111111111111111111"
#define H2 "2222222222222222222222222222222222222222222222222222222222222222"
#define T1 "0123456789abcdef0123456789abcdef01234567"

static const char good[] =
    "autoenroll-trust 1\nby command\n"
    "method ca-certificates\npending\n" H1 " " A "\n" H2 " " B "\n";

static int
parse(struct ae_manifest *m, const char *text, struct ae_err *e)
{
	return ae_manifest_parse(m, text, strlen(text), e);
}

static void
there_and_back(void **state)
{
	struct ae_err e = AE_ERR_INIT;
	struct ae_manifest m;
	struct ae_wr w;

	(void)state;
	if (parse(&m, good, &e) != AE_OK)
		fail_msg("%s", e.text);
	assert_int_equal(m.by, AE_BY_COMMAND);
	assert_true(m.pending);
	assert_int_equal(m.n, 2);
	assert_string_equal(ae_manifest_find(&m, B)->sha256, H2);
	assert_null(ae_manifest_find(&m, "other"));
	ae_wr_init(&w, AE_MANIFEST_MAX);
	ae_manifest_print(&w, &m);
	assert_string_equal(ae_wr_cstr(&w), good);
	assert_int_equal(ae_manifest_add(&m, A, H2, &e), AE_OK);
	assert_int_equal(m.n, 2);
	assert_string_equal(ae_manifest_find(&m, A)->sha256, H2);
	ae_wr_done(&w);
	ae_manifest_done(&m);
}

static void
names_are_ours_alone(void **state)
{
	static const char *const bad[] = { "", "autoenroll-.crt",
		"autoenroll-00112233.crt", "../autoenroll-0011223344556677.crt",
		"autoenroll-0011223344556677.pem",
		"autoenroll-0011223344556677/x.crt",
		"autoenroll-0011223344556677.crt/",
		"autoenroll-00112233445566AA.crt", "corp-root.crt" };
	size_t i;

	(void)state;
	assert_true(ae_manifest_name_ok(A));
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(ae_manifest_name_ok(bad[i]));
}

static void
not_ours(void **state)
{
	static const char head[] = "autoenroll-trust 1\nmethod x\n";
	static const char *const bad[] = { "", "hello\n",
		"autoenroll-trust 2\nmethod x\n", "autoenroll-trust 1\n",
		"autoenroll-trust 1\nby me\nmethod x\n",
		"autoenroll-trust 1\nmethod \n" };
	static const char *const rows[] = { "x\n", H1 " /etc/passwd\n",
		H1 " ../" A "\n", "zz" H1 " " A "\n", H1 A "\n", H1 " " A };
	struct ae_manifest m = { 0 };
	char text[512];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(parse(&m, bad[i], NULL), AE_EPROTO);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		(void)snprintf(text, sizeof(text), "%s%s", head, rows[i]);
		assert_int_equal(parse(&m, text, NULL), AE_EPROTO);
	}
	assert_int_equal(parse(&m, head, NULL), AE_OK);
	ae_manifest_done(&m);
}

static void
parse_any(const uint8_t *p, size_t len, void *arg)
{
	struct ae_manifest m;
	size_t i;

	if (ae_manifest_parse(&m, (const char *)p, len, NULL) != AE_OK)
		return;
	for (i = 0; i < m.n; i++)
		assert_true(ae_manifest_name_ok(m.v[i].name));
	++*(size_t *)arg;
	ae_manifest_done(&m);
}

static bool
parse_work(void *arg)
{
	struct ae_manifest m;

	if (parse(&m, arg, NULL) != AE_OK)
		return false;
	ae_manifest_done(&m);
	return true;
}

static void
hostile(void **state)
{
	char copy[sizeof(good)];
	size_t ok = 0;

	(void)state;
	(void)ae_mutate(
	    (const uint8_t *)good, sizeof(good) - 1, parse_any, &ok);
	assert_true(ok > 0);
	memcpy(copy, good, sizeof(good));
	assert_true(ae_torture(parse_work, copy, 20, true) >= 2);
}

static void
what_was_deployed(void **state)
{
	static const char text[] = T1 " 3 Web\n" T1 " 1 Web Server\n";
	static const char *const bad[] = { "x\n", T1 "\n", T1 " 0 Web\n",
		T1 " 3\n", T1 " 3 \n", T1 " 3 ../x\n", T1 " 3 .x\n",
		T1 " 9999999999 Web\n" };
	struct ae_deployed_list l;
	struct ae_wr w;
	size_t i;

	(void)state;
	assert_int_equal(
	    ae_deployed_parse(&l, text, sizeof(text) - 1, NULL), AE_OK);
	assert_int_equal(l.n, 2);
	assert_int_equal(ae_deployed_find(&l, "Web")->number, 3);
	ae_wr_init(&w, 1024);
	ae_deployed_print(&w, &l);
	assert_string_equal(ae_wr_cstr(&w), text);
	ae_wr_done(&w);
	assert_int_equal(ae_deployed_set(&l, "Web", T1, 4, NULL), AE_OK);
	assert_int_equal(ae_deployed_find(&l, "Web")->number, 4);
	assert_int_equal(ae_deployed_set(&l, "a/b", T1, 4, NULL), AE_EPROTO);
	ae_deployed_drop(&l, "Web");
	ae_deployed_drop(&l, "Web");
	assert_null(ae_deployed_find(&l, "Web"));
	assert_non_null(ae_deployed_find(&l, "Web Server"));
	ae_deployed_done(&l);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(
		    ae_deployed_parse(&l, bad[i], strlen(bad[i]), NULL),
		    AE_EPROTO);
}

static void
deployed_any(const uint8_t *p, size_t len, void *arg)
{
	struct ae_deployed_list l;

	if (ae_deployed_parse(&l, (const char *)p, len, NULL) != AE_OK)
		return;
	++*(size_t *)arg;
	ae_deployed_done(&l);
}

static void
hostile_state(void **state)
{
	static const char text[] = T1 " 3 Web\n" T1 " 12 B\n";
	size_t ok = 0;

	(void)state;
	(void)ae_mutate(
	    (const uint8_t *)text, sizeof(text) - 1, deployed_any, &ok);
	assert_true(ok > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(names_are_ours_alone),
		cmocka_unit_test(not_ours),
		cmocka_unit_test(hostile),
		cmocka_unit_test(what_was_deployed),
		cmocka_unit_test(hostile_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
