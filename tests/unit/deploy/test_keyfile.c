/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Tests of deploy/keyfile.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "deploy/keyfile.h"
#include "mutate.h"

static const struct ae_keyfile_row rows[] = {
	{ "connection", "id", "ours", .keep = true },
	{ "802-1x", "client-cert", "/my/cert.pem" },
	{ "802-1x", "phase2", NULL },
	{ "802-1x", "identity", " a\\b" },
	{ "ipv4", "method", "auto", .keep = true },
};

static int
update(const char *in, char *out, size_t size, struct ae_err *e)
{
	struct ae_wr w;
	int rc;

	ae_wr_init(&w, AE_KEYFILE_MAX);
	rc = ae_keyfile_update(
	    &w, in, strlen(in), rows, sizeof(rows) / sizeof(rows[0]), e);
	if (rc == AE_OK) {
		assert_true(w.len < size);
		memcpy(out, w.p, w.len);
		out[w.len] = '\0';
	}
	ae_wr_done(&w);
	return rc;
}

static void
expect(const char *in, const char *want)
{
	struct ae_err e = AE_ERR_INIT;
	char out[4096], again[4096];

	if (update(in, out, sizeof(out), &e) != AE_OK)
		fail_msg("%s: %s", in, e.text);
	assert_string_equal(out, want);
	assert_int_equal(update(out, again, sizeof(again), NULL), AE_OK);
	assert_string_equal(again, want); /* and stays so */
}

static void
a_new_file(void **state)
{
	(void)state;
	expect("",
	    "[connection]\nid=ours\n\n"
	    "[802-1x]\nclient-cert=/my/cert.pem\nidentity=\\sa\\\\b\n\n"
	    "[ipv4]\nmethod=auto\n");
}

static void
what_is_not_ours_stays(void **state)
{
	(void)state;
	expect("# by hand\n"
	       "[connection]\n"
	       "id=theirs\n"
	       "zone = home\n"
	       "\n"
	       "[802-1x]\n"
	       "phase2=x\n"
	       "client-cert = /old.pem\n"
	       "password=secret\n"
	       "\n"
	       "[ipv4]\n"
	       "method=manual\n"
	       "client-cert=of another section\n",
	    "# by hand\n"
	    "[connection]\n"
	    "id=theirs\n"
	    "zone = home\n"
	    "\n"
	    "[802-1x]\n"
	    "client-cert=/my/cert.pem\n"
	    "password=secret\n"
	    "identity=\\sa\\\\b\n"
	    "\n"
	    "[ipv4]\n"
	    "method=manual\n"
	    "client-cert=of another section\n");
}

static void
twice_becomes_once(void **state)
{
	(void)state;
	expect("[connection]\nid=a\nid=b\n[802-1x]\nclient-cert=1\n"
	       "client-cert=2\nidentity=x\n[ipv4]\nmethod=auto\n",
	    "[connection]\nid=a\n[802-1x]\nclient-cert=/my/cert.pem\n"
	    "identity=\\sa\\\\b\n[ipv4]\nmethod=auto\n");
}

static void
no_keyfile(void **state)
{
	static const char *const bad[] = { "hello", "a=b", "[x\na=b",
		"[connection]\nhello", "[]" };
	struct ae_err e = AE_ERR_INIT;
	char out[4096];
	struct ae_wr w;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(
		    update(bad[i], out, sizeof(out), &e), AE_EPROTO);
	ae_wr_init(&w, AE_KEYFILE_MAX);
	assert_int_equal(
	    ae_keyfile_update(&w, "[a]\nb=\0c", 8, rows, 1, &e), AE_EPROTO);
	assert_int_equal(
	    ae_keyfile_update(&w, "", AE_KEYFILE_MAX + 1, rows, 1, &e),
	    AE_ELIMIT);
	ae_wr_done(&w);
}

static void
update_any(const uint8_t *p, size_t len, void *arg)
{
	struct ae_wr w;

	ae_wr_init(&w, AE_KEYFILE_MAX);
	*(size_t *)arg += ae_keyfile_update(&w, (const char *)p, len, rows,
			      sizeof(rows) / sizeof(rows[0]), NULL) == AE_OK;
	ae_wr_done(&w);
}

static void
hostile(void **state)
{
	static const char text[] =
	    "#c\n[connection]\nid=a\n\n[802-1x]\r\nclient-cert=x\n\n\n[z]\n";
	size_t ok = 0;

	(void)state;
	(void)ae_mutate(
	    (const uint8_t *)text, sizeof(text) - 1, update_any, &ok);
	assert_true(ok > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_file),
		cmocka_unit_test(what_is_not_ours_stays),
		cmocka_unit_test(twice_becomes_once),
		cmocka_unit_test(no_keyfile),
		cmocka_unit_test(hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
