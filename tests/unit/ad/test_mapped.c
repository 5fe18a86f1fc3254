/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Tests of ad/mapped.h: what an entry says to a policy file's rules.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "ad/mapped.h"

/* S-1-5-21-1-2-3-1104 */
static const uint8_t sid[] = { 1, 5, 0, 0, 0, 0, 0, 5, 21, 0, 0, 0, 1, 0, 0, 0,
	2, 0, 0, 0, 3, 0, 0, 0, 0x50, 4, 0, 0 };

#define TEXT(s)                                     \
	{                                           \
		(const uint8_t *)(s), sizeof(s) - 1 \
	}
static const struct ae_value v_sid[] = { { sid, sizeof(sid) } };
static const struct ae_value v_control[] = { TEXT("514") };
static const struct ae_value v_mail[] = { TEXT("a@b") };
static const struct ae_value v_two[] = { TEXT("x"), TEXT("y") };
static const struct ae_value v_nul[] = { TEXT("x\0y") };
static const struct ae_value v_latin[] = { TEXT("\xe4") };
static const struct ae_value v_spns[] = { TEXT("HOST/a"), TEXT("\xff"),
	TEXT("HTTP/b") };

#define ATTR(n, v)                               \
	{                                        \
		n, v, sizeof(v) / sizeof((v)[0]) \
	}
static const struct ae_attr attrs[] = { ATTR("objectSid", v_sid),
	ATTR("userAccountControl", v_control), ATTR("mail", v_mail),
	ATTR("otherMailbox", v_two), ATTR("info", v_nul),
	ATTR("company", v_latin), ATTR("servicePrincipalName", v_spns) };
static const struct ae_entry entry = { "CN=a,DC=b", attrs, 7 };

static void
text_of_one_value_is_taken(void **state)
{
	static const char *const want[] = { "title", "MAIL", "otherMailbox",
		"info", "company" };
	const struct ae_ad_mapping q = {
		.attributes = want, .nattributes = 5, .spns = true
	};
	struct ae_arena *a = ae_arena_new(1 << 16);
	struct ae_ad_mapped m;
	struct ae_err e = AE_ERR_INIT;
	char s[AE_SID_STR_MAX];

	(void)state;
	assert_int_equal(ae_ad_mapped_decode(&m, &entry, &q, a, &e), AE_OK);
	assert_int_equal(m.found, 1);
	assert_string_equal(m.dn, "CN=a,DC=b");
	assert_string_equal(ae_sid_print(s, &m.sid), "S-1-5-21-1-2-3-1104");
	assert_int_equal(m.account_control, 514);
	/* several values, a NUL, what is no UTF-8: as if it were not there */
	assert_int_equal(m.n, 1);
	assert_string_equal(m.names[0], "MAIL");
	assert_string_equal(m.values[0], "a@b");
	assert_int_equal(m.nspns, 2);
	assert_string_equal(m.spns[1], "HTTP/b");
	ae_arena_free(a);
}

/* Whether it is disabled must be known. */
static void
what_cannot_be_read_is_an_error(void **state)
{
	const struct ae_ad_mapping q = { .spns = false };
	const struct ae_entry without_control = { "CN=a", attrs, 1 };
	const struct ae_entry without_sid = { "CN=a", attrs + 1, 1 };
	struct ae_arena *a = ae_arena_new(1 << 16);
	struct ae_ad_mapped m;
	struct ae_err e = AE_ERR_INIT;

	(void)state;
	assert_int_equal(
	    ae_ad_mapped_decode(&m, &without_control, &q, a, &e), AE_EDENIED);
	assert_int_equal(
	    ae_ad_mapped_decode(&m, &without_sid, &q, a, &e), AE_EPROTO);
	ae_arena_free(a);
	a = ae_arena_new(16);
	assert_int_equal(ae_ad_mapped_decode(&m, &entry, &q, a, &e), AE_ENOMEM);
	ae_arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_of_one_value_is_taken),
		cmocka_unit_test(what_cannot_be_read_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
