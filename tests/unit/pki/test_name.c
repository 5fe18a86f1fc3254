/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Tests of pki/name.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "mutate.h"
#include "pki/name.h"
#include "torture.h"

static struct ae_der
der(const struct ae_wr *w)
{
	return (struct ae_der){ w->p, w->len };
}

static void
exact_bytes(void **state)
{
	static const struct ae_name_part parts[] = { { "DC", "com" },
		{ "CN", "A\xc3\xbc" } };
	static const char want[] =
	    "\x30\x23\x31\x13\x30\x11\x06\x0a\x09\x92\x26\x89\x93\xf2"
	    "\x2c\x64\x01\x19\x16\x03"
	    "com"
	    "\x31\x0c\x30\x0a\x06\x03\x55\x04\x03\x0c\x03"
	    "A\xc3\xbc";
	struct ae_wr w;

	(void)state;
	ae_wr_init(&w, 1000);
	assert_ok(ae_name_encode(&w, parts, 2, NULL));
	assert_ok(ae_der_check(w.p, w.len, NULL));
	assert_int_equal(w.len, sizeof(want) - 1);
	assert_memory_equal(w.p, want, w.len);
	ae_wr_reset(&w);
	assert_ok(ae_name_encode(&w, NULL, 0, NULL));
	assert_int_equal(w.len, 2);
	assert_true(ae_name_is_empty(der(&w)));
	assert_true(ae_name_is_empty((struct ae_der){ NULL, 0 }));
	ae_wr_done(&w);
}

/* Text in, text out. */
static void
prints(const char *dn, const char *want)
{
	char *text = NULL;
	struct ae_wr w;

	ae_wr_init(&w, AE_PKI_NAME_MAX);
	assert_ok(ae_name_from_text(&w, dn, NULL));
	assert_ok(ae_der_check(w.p, w.len, NULL));
	assert_ok(ae_name_print(&text, der(&w), NULL));
	assert_string_equal(text, want);
	free(text);
	ae_wr_done(&w);
}

static void
directory_names_round_trip(void **state)
{
	(void)state;
	prints("CN=PC1,CN=Computers,DC=example,DC=com",
	    "CN=PC1,CN=Computers,DC=example,DC=com");
	prints("", "");
	prints("CN=Doe\\, Jane", "CN=Doe\\, Jane");
	prints("CN=Doe\\2C Jane", "CN=Doe\\, Jane");
	prints("cn = x , ou=y z ", "CN=x,OU=y z");
	prints("CN=\\ x\\ ", "CN=\\ x\\ ");
	prints("CN=\\#1", "CN=\\#1");
	prints("CN=a#1", "CN=a#1");
	prints("CN=a=b", "CN=a=b");
	prints("CN=J\xc3\xbcrgen,O=\\C3\\BC", "CN=J\xc3\xbcrgen,O=\xc3\xbc");
	prints("CN=A\\+B\\\"\\\\", "CN=A\\+B\\\"\\\\");
	prints("2.5.4.3=x", "CN=x");
	prints("E=a@b.c,ST=x,S=y,C=DE", "emailAddress=a@b.c,ST=x,ST=y,C=DE");
	prints("CN=a\\0AB", "CN=a\\0AB");
}

static void
strings_what_is_no_name_is_refused(void **state)
{
	static const char *const wrong[] = { "CN", "=x", "CN=", "CN=x,",
		",CN=x", "CN=x,,DC=y", "CN=x+OU=y", "CN=#0401", "CN=x\\",
		"CN=x\\q", "CN=x;y", "CN=\"x\"", "FOO=x", "CN=\xff", "3.1=x",
		"1=x", "C=\xc3\xbc", "DC=\xc3\xbc", "CN=\\00", "CN=a<b",
		"C=a_b" };
	struct ae_wr w;

	(void)state;
	ae_wr_init(&w, AE_PKI_NAME_MAX);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_rc(ae_name_from_text(&w, wrong[i], NULL), AE_EINVAL);
		assert_int_equal(w.len, 0);
	}
	ae_wr_done(&w);
}

static void
strings_names_are_bounded(void **state)
{
	char *dn = calloc(1, 5 * 66 + 1);
	struct ae_wr w;

	(void)state;
	for (size_t i = 0; i < 65; i++)
		memcpy(dn + 5 * i, "CN=x,", 5);
	dn[5 * 65 - 1] = '\0';
	ae_wr_init(&w, 1 << 20);
	assert_rc(ae_name_from_text(&w, dn, NULL), AE_EINVAL);
	dn[5 * 64 - 1] = '\0';
	assert_ok(ae_name_from_text(&w, dn, NULL));
	free(dn);
	ae_wr_reset(&w);
	dn = malloc(AE_PKI_NAME_MAX + 2);
	memset(dn, 'x', AE_PKI_NAME_MAX + 1);
	memcpy(dn, "CN=", 3);
	dn[AE_PKI_NAME_MAX + 1] = '\0';
	assert_rc(ae_name_from_text(&w, dn, NULL), AE_ELIMIT);
	dn[AE_PKI_NAME_MAX] = '\0';
	assert_rc(ae_name_from_text(&w, dn, NULL), AE_ELIMIT);
	assert_int_equal(w.len, 0);
	free(dn);
	ae_wr_done(&w);
}

static void
parts_are_found(void **state)
{
	struct ae_wr w;
	char *v = NULL;

	(void)state;
	ae_wr_init(&w, AE_PKI_NAME_MAX);
	assert_ok(ae_name_from_text(
	    &w, "CN=J\xc3\xbcrgen,CN=Users,DC=example", NULL));
	assert_ok(ae_name_get(&v, der(&w), "CN", NULL));
	assert_string_equal(v, "J\xc3\xbcrgen");
	free(v);
	v = NULL;
	assert_rc(ae_name_get(&v, der(&w), "OU", NULL), AE_ENOTFOUND);
	assert_rc(ae_name_get(&v, der(&w), "FOO", NULL), AE_EINVAL);
	assert_rc(
	    ae_name_get(&v, (struct ae_der){ w.p, w.len - 1 }, "CN", NULL),
	    AE_EPROTO);
	assert_null(v);
	ae_wr_done(&w);
}

static bool
same(const char *a, const char *b)
{
	struct ae_wr wa, wb;
	bool r;

	ae_wr_init(&wa, AE_PKI_NAME_MAX);
	ae_wr_init(&wb, AE_PKI_NAME_MAX);
	assert_ok(ae_name_from_text(&wa, a, NULL));
	assert_ok(ae_name_from_text(&wb, b, NULL));
	r = ae_name_equal(der(&wa), der(&wb));
	assert_int_equal(r, ae_name_equal(der(&wb), der(&wa)));
	ae_wr_done(&wa);
	ae_wr_done(&wb);
	return r;
}

static void
comparison(void **state)
{
	static const uint8_t broken[] = { 0x30, 0x01 };

	(void)state;
	assert_true(same("CN=a,DC=b", "CN=a,DC=b"));
	assert_true(same("CN=Example  CA", "CN=example ca"));
	assert_false(same("CN=a,DC=b", "DC=b,CN=a"));
	assert_false(same("CN=a", "OU=a"));
	assert_false(same("CN=a", "CN=a,DC=b"));
	assert_false(same("CN=a", ""));
	assert_false(ae_name_equal(
	    (struct ae_der){ broken, 2 }, (struct ae_der){ broken, 1 }));
}

static void
try_name(const uint8_t *p, size_t len, void *arg)
{
	struct ae_der d = { p, len };
	char *v = NULL;

	(void)arg;
	if (ae_name_print(&v, d, NULL) == AE_OK)
		free(v);
	if (ae_name_get(&v, d, "CN", NULL) == AE_OK)
		free(v);
}

static void
survives_mutation(void **state)
{
	struct ae_wr w;

	(void)state;
	ae_wr_init(&w, AE_PKI_NAME_MAX);
	assert_ok(ae_name_from_text(
	    &w, "CN=J\xc3\xbcrgen,E=x@y.z,C=DE,DC=example", NULL));
	assert_true(ae_mutate(w.p, w.len, try_name, NULL) > 1000);
	ae_wr_done(&w);
}

static bool
work(void *arg)
{
	struct ae_wr w;
	char *v = NULL;
	bool ok;

	(void)arg;
	ae_wr_init(&w, AE_PKI_NAME_MAX);
	ok = ae_name_from_text(&w, "CN=x,DC=y", NULL) == AE_OK &&
	    ae_name_print(&v, der(&w), NULL) == AE_OK;
	free(v);
	v = NULL;
	ok = ok && ae_name_get(&v, der(&w), "CN", NULL) == AE_OK;
	free(v);
	ae_wr_done(&w);
	return ok;
}

/* In the certificate's order, whatever the RDNs are. */
static void
all_parts_are_listed(void **state)
{
	static const struct ae_name_part parts[] = { { "DC", "com" },
		{ "CN", "A\xc3\xbc" }, { "1.2.3.4", "x" }, { "CN", "b" } };
	/* CN=a+OU=b, a RDN of two */
	static const uint8_t multi[] = { 0x30, 0x16, 0x31, 0x14, 0x30, 0x08,
		0x06, 0x03, 0x55, 0x04, 0x03, 0x0c, 0x01, 'a', 0x30, 0x08, 0x06,
		0x03, 0x55, 0x04, 0x0b, 0x0c, 0x01, 'b' };
	/* a NUL in it */
	static const uint8_t nul[] = { 0x30, 0x0d, 0x31, 0x0b, 0x30, 0x09, 0x06,
		0x03, 0x55, 0x04, 0x03, 0x0c, 0x02, 'a', 0 };
	struct ae_arena *a = ae_arena_new(1 << 14);
	struct ae_name_part *got = NULL;
	struct ae_wr w;
	size_t n = 9;

	(void)state;
	ae_wr_init(&w, 1000);
	assert_ok(ae_name_encode(&w, parts, 4, NULL));
	assert_ok(ae_name_list(&got, &n, der(&w), a, NULL));
	assert_int_equal(n, 4);
	assert_string_equal(got[0].type, "0.9.2342.19200300.100.1.25");
	assert_string_equal(got[1].value, "A\xc3\xbc");
	assert_string_equal(got[2].type, "1.2.3.4");
	assert_string_equal(got[3].value, "b");
	assert_ok(ae_name_list(
	    &got, &n, (struct ae_der){ multi, sizeof(multi) }, a, NULL));
	assert_int_equal(n, 2);
	assert_string_equal(got[1].type, "2.5.4.11");
	assert_rc(ae_name_list(
		      &got, &n, (struct ae_der){ nul, sizeof(nul) }, a, NULL),
	    AE_EPROTO);
	assert_ok(ae_name_list(&got, &n, (struct ae_der){ NULL, 0 }, a, NULL));
	assert_int_equal(n, 0);
	ae_arena_free(a);
	a = ae_arena_new(64);
	assert_rc(ae_name_list(&got, &n, der(&w), a, NULL), AE_ELIMIT);
	ae_arena_free(a);
	ae_wr_done(&w);
}

static void
survives_lack_of_memory(void **state)
{
	(void)state;
	assert_true(work(NULL));
	assert_true(ae_torture(work, NULL, 5000, false) > 10);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(exact_bytes),
		cmocka_unit_test(directory_names_round_trip),
		cmocka_unit_test(strings_what_is_no_name_is_refused),
		cmocka_unit_test(strings_names_are_bounded),
		cmocka_unit_test(parts_are_found),
		cmocka_unit_test(comparison),
		cmocka_unit_test(all_parts_are_listed),
		cmocka_unit_test(survives_mutation),
		cmocka_unit_test(survives_lack_of_memory),
	};

	fix_init();
	return fix_done(cmocka_run_group_tests(tests, NULL, NULL));
}
