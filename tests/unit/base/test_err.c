/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Tests of base/err.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "base/err.h"

static void
fail_then_note(void **state)
{
	struct ae_err e = AE_ERR_INIT;

	(void)state;
	assert_int_equal(
	    ae_fail(&e, AE_EPROTO, AE_DOM_RPC, 5, "bind: %s", "refused"),
	    AE_EPROTO);
	assert_int_equal(ae_note(&e, AE_EPROTO, "asking %s", "dc1"), AE_EPROTO);
	assert_string_equal(e.text, "asking dc1: bind: refused");
	assert_int_equal(e.rc, AE_EPROTO);
	assert_int_equal(e.dom, AE_DOM_RPC);
	assert_int_equal(e.code, 5);
}

static void
note_cuts_the_tail_never_the_head(void **state)
{
	struct ae_err e = AE_ERR_INIT;
	char big[600];
	int i;

	(void)state;
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	(void)ae_fail(&e, AE_EIO, AE_DOM_NONE, 0, "%s", big);
	assert_int_equal(strlen(e.text), AE_ERR_TEXT_MAX - 1);
	(void)ae_note(&e, AE_EIO, "head");
	assert_memory_equal(e.text, "head: xxx", 9);
	assert_int_equal(strlen(e.text), AE_ERR_TEXT_MAX - 1);
	for (i = 0; i < 100; i++)
		(void)ae_note(&e, AE_EIO, "%s", big);
	assert_true(strlen(e.text) < AE_ERR_TEXT_MAX);
}

/* Characters of one to four bytes, behind a lead of every length. */
static void
cuts_between_characters(void **state)
{
	static const char *const chars[] = { "x", "\xc3\xa9", "\xe2\x82\xac",
		"\xf0\x9f\x94\x91" };
	char big[AE_ERR_TEXT_MAX * 2], lead[8];
	size_t c, size, i, n, len, at;
	struct ae_err e;

	(void)state;
	for (c = 0; c < 4; c++) {
		size = strlen(chars[c]);
		big[0] = '\0';
		for (i = 0; i + size < sizeof(big); i += size)
			memcpy(big + i, chars[c], size + 1);
		for (n = 0; n < 8; n++) {
			memset(lead, 'a', n);
			lead[n] = '\0';
			/* the message itself */
			e = (struct ae_err)AE_ERR_INIT;
			(void)ae_fail(
			    &e, AE_EIO, AE_DOM_NONE, 0, "%s%s", lead, big);
			len = strlen(e.text);
			assert_true(len > AE_ERR_TEXT_MAX - 1 - size);
			assert_int_equal((len - n) % size, 0);
			/* its tail, behind what was noted */
			(void)ae_note(&e, AE_EIO, "b%s", lead);
			at = 1 + n + 2 + n;
			len = strlen(e.text);
			assert_true(len > AE_ERR_TEXT_MAX - 1 - size);
			assert_int_equal((len - at) % size, 0);
			/* a note that is too long itself */
			(void)ae_note(&e, AE_EIO, "%s%s", lead, big);
			len = (size_t)(strstr(e.text, ": ") - e.text);
			assert_int_equal((len - n) % size, 0);
			/* and one to which errno adds what still fits */
			(void)ae_fail_errno(&e, ENOENT, "%s%s", lead, big);
			len = strcspn(e.text, ": ");
			assert_int_equal((len - n) % size, 0);
		}
	}
}

static void
what_is_not_cut_stays(void **state)
{
	struct ae_err e = AE_ERR_INIT;

	(void)state;
	(void)ae_fail(&e, AE_EIO, AE_DOM_NONE, 0, "ends in \xe2\x82");
	assert_string_equal(e.text, "ends in \xe2\x82");
}

static void
null_err_is_accepted(void **state)
{
	(void)state;
	assert_int_equal(ae_fail(NULL, AE_EIO, AE_DOM_NONE, 0, "x"), AE_EIO);
	assert_int_equal(ae_note(NULL, AE_EIO, "x"), AE_EIO);
	assert_int_equal(ae_fail_errno(NULL, ENOENT, "x"), AE_EIO);
	assert_int_equal(ae_fail_mem(NULL), AE_ENOMEM);
}

static void
errno_text_is_appended(void **state)
{
	struct ae_err e = AE_ERR_INIT;

	(void)state;
	(void)ae_fail_errno(&e, ENOENT, "open %s", "/x");
	assert_string_equal(e.text, "open /x: No such file or directory");
	assert_int_equal(e.code, ENOENT);
}

static void
names(void **state)
{
	(void)state;
	assert_string_equal(ae_rc_name(AE_EPROTO), "AE_EPROTO");
	assert_string_equal(ae_rc_name(AE_EINTERNAL), "AE_EINTERNAL");
	assert_string_equal(ae_rc_name(-999), "AE_UNKNOWN");
	assert_string_equal(ae_rc_name(1), "AE_UNKNOWN");
	assert_string_equal(ae_dom_name(AE_DOM_SQLITE), "sqlite");
	assert_string_equal(ae_dom_name((enum ae_dom)99), "unknown");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fail_then_note),
		cmocka_unit_test(note_cuts_the_tail_never_the_head),
		cmocka_unit_test(cuts_between_characters),
		cmocka_unit_test(what_is_not_cut_stays),
		cmocka_unit_test(null_err_is_accepted),
		cmocka_unit_test(errno_text_is_appended),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
