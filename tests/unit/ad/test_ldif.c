/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * LDIF: entries written and read again, and what is not read.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "ad/ldif.h"
#include "torture.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static int
parse(struct ae_entries *l, const char *text, struct ae_err *e)
{
	return ae_ldif_parse(l, "x.ldif", text, strlen(text), e);
}

static void
entries_are_read(void **state)
{
	static const char text[] = "version: 1\n"
				   "# a remark\n"
				   "dn: CN=One,DC=lab\r\n"
				   "changetype: add\r\n"
				   "cn: One\r\n"
				   "flags: 7\r\n"
				   "eku: 1.2\n"
				   "displayName: a name that\n"
				   "  goes on\n"
				   "EKU: 1.3\n"
				   "pKIKeyUsage:: oAA=\n"
				   "\n\n"
				   "dn:: Q049VHdv\n"
				   "empty:\n";
	struct ae_err e = AE_ERR_INIT;
	const struct ae_attr *a;
	struct ae_entries l;

	(void)state;
	if (parse(&l, text, &e) != AE_OK)
		fail_msg("%s", e.text);
	assert_int_equal(l.n, 2);
	assert_string_equal(l.v[0].dn, "CN=One,DC=lab");
	assert_string_equal(l.v[1].dn, "CN=Two");
	a = ae_entry_get(&l.v[0], "eku");
	assert_int_equal(a->n, 2);
	assert_string_equal((const char *)a->v[1].p, "1.3");
	a = ae_entry_get(&l.v[0], "displayName");
	assert_string_equal((const char *)a->v[0].p, "a name that goes on");
	a = ae_entry_get(&l.v[0], "pKIKeyUsage");
	assert_int_equal(a->v[0].len, 2);
	assert_memory_equal(a->v[0].p, "\xa0\x00", 2);
	assert_null(ae_entry_get(&l.v[0], "changetype"));
	ae_entries_done(&l);
}

static void
written_and_read_again(void **state)
{
	static const struct ae_value v[] = {
		{ (const uint8_t *)"plain", 5 },
		{ (const uint8_t *)" blank before", 13 },
		{ (const uint8_t *)"\x00\xff\n", 3 },
		{ (const uint8_t *)"", 0 },
	};
	static const struct ae_attr attrs[] = { { "a", v, COUNT(v) } };
	struct ae_err e = AE_ERR_INIT;
	const struct ae_attr *a;
	struct ae_entries l;
	struct ae_wr w;
	size_t i;

	(void)state;
	ae_wr_init(&w, 4096);
	ae_ldif_put(&w, "CN=\xc3\x84,DC=lab", attrs, 1);
	ae_ldif_put(&w, "CN=B", attrs, 0);
	assert_true(ae_wr_ok(&w));
	assert_int_equal(ae_ldif_parse(&l, "x", w.p, w.len, &e), AE_OK);
	assert_int_equal(l.n, 2);
	assert_string_equal(l.v[0].dn, "CN=\xc3\x84,DC=lab");
	a = ae_entry_get(&l.v[0], "a");
	assert_int_equal(a->n, COUNT(v));
	for (i = 0; i < COUNT(v); i++) {
		assert_int_equal(a->v[i].len, v[i].len);
		assert_memory_equal(a->v[i].p, v[i].p, v[i].len);
	}
	ae_entries_done(&l);
	ae_wr_done(&w);
}

/* Nothing of another file, no changes, nothing without a beginning. */
static void
what_is_not_read(void **state)
{
	static const struct {
		const char *text, *why;
	} bad[] = {
		{ "dn: CN=x\ncn:< file:///etc/passwd\n", "from elsewhere" },
		{ "include: file:///etc/passwd\n\ndn: CN=x\n", "its dn" },
		{ "cn: x\ndn: CN=x\n", "its dn" },
		{ "dn: CN=x\nchangetype: modify\nreplace: cn\ncn: y\n-\n", "" },
		{ "dn: CN=x\nchangetype: delete\n", "whole entries" },
		{ "dn: CN=x\nno colon\n", "without an attribute" },
		{ "dn: CN=x\n: y\n", "without an attribute" },
		{ "dn: CN=x\ncn:: !!!\n", "no LDIF" },
	};
	struct ae_err e = AE_ERR_INIT;
	struct ae_entries l;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(bad); i++) {
		assert_int_equal(parse(&l, bad[i].text, &e), AE_EPROTO);
		if (strstr(e.text, bad[i].why) == NULL)
			fail_msg("%s: %s", bad[i].text, e.text);
		assert_int_equal(l.n, 0);
	}
	assert_int_equal(ae_ldif_parse(&l, "x", "dn: a\0b", 7, &e), AE_EPROTO);
	assert_int_equal(parse(&l, "", &e), AE_OK);
	assert_int_equal(l.n, 0);
	ae_entries_done(&l);
}

static void
limits(void **state)
{
	struct ae_err e = AE_ERR_INIT;
	struct ae_entries l;
	struct ae_wr w;
	size_t i;

	(void)state;
	ae_wr_init(&w, 2 * AE_LDIF_MAX);
	for (i = 0; i <= AE_LDIF_ENTRIES_MAX; i++)
		ae_wr_str(&w, "dn: CN=x\n\n");
	assert_int_equal(ae_ldif_parse(&l, "x", w.p, w.len, &e), AE_EPROTO);
	ae_wr_reset(&w);
	ae_wr_str(&w, "dn: CN=x\n");
	for (i = 0; i <= AE_LDIF_VALUES_MAX; i++)
		ae_wr_str(&w, "a: b\n");
	assert_int_equal(ae_ldif_parse(&l, "x", w.p, w.len, &e), AE_EPROTO);
	ae_wr_reset(&w);
	ae_wr_str(&w, "dn: CN=x\n");
	while (w.len <= AE_LDIF_MAX)
		ae_wr_str(&w, "#                                        \n");
	assert_int_equal(ae_ldif_parse(&l, "x", w.p, w.len, &e), AE_ELIMIT);
	ae_wr_done(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries_are_read),
		cmocka_unit_test(written_and_read_again),
		cmocka_unit_test(what_is_not_read),
		cmocka_unit_test(limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
