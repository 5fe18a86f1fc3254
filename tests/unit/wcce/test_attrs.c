/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Request attributes: what counts, what is ignored and why.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mutate.h"
#include "torture.h"
#include "wcce/attrs.h"

static struct ae_arena *arena;
static struct ae_wcce_attrs attrs;

static void
parse(const char *text)
{
	if (arena == NULL)
		arena = ae_arena_new(1 << 20);
	else
		ae_arena_reset(arena);
	assert_int_equal(ae_wcce_attrs_parse(&attrs, text, arena, NULL), 0);
}

static int
drop(void **state)
{
	(void)state;
	ae_arena_free(arena);
	arena = NULL;
	return 0;
}

static void
template_is_found(void **state)
{
	/* names in any case, blanks and minus signs anywhere before ':' */
	static const char *const forms[] = {
		"CertificateTemplate:Workstation",
		"certificatetemplate:Workstation\n",
		"CERTIFICATE-TEMPLATE: Workstation \r\n",
		"  Certificate Template\t:\tWorkstation",
		"-c-e-rtificatetemplate:Workstation",
		"ccm:pc1.example.com\nCertificateTemplate:Workstation",
		"\n\nnonsense\r\nCertificateTemplate:Workstation\n",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		parse(forms[i]);
		assert_string_equal(
		    ae_wcce_attrs_get(&attrs, "certificatetemplate"),
		    "Workstation");
	}
}

static void
first_value_wins(void **state)
{
	(void)state;
	parse("CertificateTemplate:A\nCertificateTemplate:B");
	assert_int_equal(attrs.n, 2);
	assert_string_equal(
	    ae_wcce_attrs_get(&attrs, "certificatetemplate"), "A");
}

static void
value_keeps_its_inside(void **state)
{
	(void)state;
	parse("ExpirationDate:  Tue, 21 Nov 2000 01:06:53 GMT \t");
	assert_int_equal(attrs.n, 1);
	assert_string_equal(attrs.v[0].value, "Tue, 21 Nov 2000 01:06:53 GMT");
	assert_string_equal(attrs.v[0].name, "ExpirationDate");
}

static void
bad_lines_are_counted_and_left_out(void **state)
{
	(void)state;
	parse(
	    "no separator\n:no name\nnovalue:\nnoval:  \n - : x\n\n \t\n\r\n");
	assert_int_equal(attrs.n, 0);
	assert_int_equal(attrs.bad_lines, 5);
	parse(NULL);
	assert_int_equal(attrs.n, 0);
	assert_int_equal(attrs.bad_lines, 0);
	parse("");
	assert_int_equal(attrs.n + attrs.bad_lines, 0);
}

static void
dangerous_ones_are_known_and_ignored(void **state)
{
	static const char *const lines[] = {
		"san:upn=administrator@example.com", "cdc:127.0.0.9",
		"rmd:127.0.0.9", "ccm:pc1", "cbm:pc1",
		"requestername:EXAMPLE\\administrator",
		"CertificateUsage:1.3.6.1.5.5.7.3.2", "certfile:c:\\boot.ini",
		"CertType:server", "challenge:x", "RequestId:5",
		"CRLPartitionIndex:1"
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		parse(lines[i]);
		assert_int_equal(attrs.n, 1);
		assert_int_equal(attrs.v[0].use, AE_WCCE_ATTR_IGNORED);
		assert_non_null(attrs.v[0].why);
	}
	/* the configuration's to say */
	parse("StartDate:now\nExpirationDate:never\nValidityPeriod:Years\n"
	      "ValidityPeriodUnits:99");
	for (i = 0; i < 4; i++) {
		assert_int_equal(attrs.v[i].use, AE_WCCE_ATTR_DATE);
		assert_non_null(attrs.v[i].why);
	}
	parse("whatever:x\nCertificateTemplate:T");
	assert_int_equal(attrs.v[0].use, AE_WCCE_ATTR_UNKNOWN);
	assert_int_equal(attrs.v[1].use, AE_WCCE_ATTR_USED);
}

static void
a_flood_is_cut(void **state)
{
	char text[4 * 300 + 1];
	size_t i;

	(void)state;
	for (i = 0; i < 300; i++)
		memcpy(text + 4 * i, "a:b\n", 4);
	text[sizeof(text) - 1] = '\0';
	parse(text);
	assert_int_equal(attrs.n, AE_WCCE_ATTRS_COUNT_MAX);
	assert_int_equal(attrs.bad_lines, 300 - AE_WCCE_ATTRS_COUNT_MAX);
}

static void
pairs_follow_the_same_rules(void **state)
{
	(void)state;
	parse("ccm:x");
	assert_int_equal(ae_wcce_attrs_add(&attrs, "Certificate-Template",
			     " Web Server ", arena, NULL),
	    0);
	assert_int_equal(ae_wcce_attrs_add(&attrs, "", "x", arena, NULL), 0);
	assert_int_equal(attrs.n, 2);
	assert_int_equal(attrs.bad_lines, 1);
	assert_string_equal(
	    ae_wcce_attrs_get(&attrs, "certificatetemplate"), "Web Server");
	assert_null(ae_wcce_attrs_get(&attrs, "san"));
}

static void
mutated(const uint8_t *p, size_t len, void *arg)
{
	struct ae_wcce_attrs out;
	char *s = malloc(len + 1);
	size_t i;

	(void)arg;
	assert_non_null(s);
	memcpy(s, p, len);
	s[len] = '\0';
	ae_arena_reset(arena);
	assert_int_equal(ae_wcce_attrs_parse(&out, s, arena, NULL), 0);
	for (i = 0; i < out.n; i++) {
		/* a key never holds what folding removes */
		assert_null(strpbrk(out.v[i].key, " \t-ABCXYZ:\n"));
		assert_true(out.v[i].value[0] != '\0');
		assert_null(strchr(out.v[i].value, '\n'));
	}
	free(s);
}

static void
mutations(void **state)
{
	static const char text[] = "CertificateTemplate:User\r\ncdc: dc1\n"
				   "rmd:pc1.example.com\nbad\n:\nsan:dns=x";

	(void)state;
	parse(NULL);
	assert_true(ae_mutate((const uint8_t *)text, sizeof(text) - 1, mutated,
			NULL) > 500);
}

static bool
tortured(void *arg)
{
	struct ae_arena *a = ae_arena_new(65536);
	struct ae_wcce_attrs out;
	bool ok;

	(void)arg;
	if (a == NULL)
		return false;
	ok = ae_wcce_attrs_parse(
		 &out, "CertificateTemplate:T\nsan:x\nccm:y", a, NULL) == 0 &&
	    out.n == 3;
	ae_arena_free(a);
	return ok;
}

static void
torture(void **state)
{
	(void)state;
	assert_true(ae_torture(tortured, NULL, 100, true) > 0);
}

static void
a_full_arena_is_no_memory(void **state)
{
	struct ae_arena *a = ae_arena_new(64);
	struct ae_wcce_attrs out;

	(void)state;
	assert_non_null(a);
	assert_int_equal(
	    ae_wcce_attrs_parse(&out, "CertificateTemplate:T", a, NULL),
	    AE_ENOMEM);
	ae_arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(template_is_found),
		cmocka_unit_test(first_value_wins),
		cmocka_unit_test(value_keeps_its_inside),
		cmocka_unit_test(bad_lines_are_counted_and_left_out),
		cmocka_unit_test(dangerous_ones_are_known_and_ignored),
		cmocka_unit_test(a_flood_is_cut),
		cmocka_unit_test(pairs_follow_the_same_rules),
		cmocka_unit_test(mutations),
		cmocka_unit_test(torture),
		cmocka_unit_test(a_full_arena_is_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, drop);
}
