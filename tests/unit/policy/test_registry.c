/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Registry.pol and what its instructions do, MS-GPREG 2.2.1 and 3.2.5.1.2.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf16.h"
#include "hexfile.h"
#include "mutate.h"
#include "policy/registry.h"
#include "torture.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define KEY "Software\\Policies\\Test"

static const char *const prefixes[] = { KEY, NULL };

/* An instruction whose data is UTF-16 text with its NUL. */
struct text {
	const char *key, *value, *data;
};

static uint8_t *
utf16(const char *s, size_t *len)
{
	struct ae_wr w;

	ae_wr_init(&w, 4096);
	assert_true(ae_utf16_put(&w, s));
	ae_wr_u16(&w, 0);
	return ae_wr_take(&w, len);
}

static void
apply(struct ae_registry *r, const struct text *t, size_t n, size_t source)
{
	struct ae_pol_instruction v[16];
	struct ae_pol pol = { NULL, v, n };
	struct ae_err e = AE_ERR_INIT;
	size_t i;

	for (i = 0; i < n; i++) {
		v[i].key = t[i].key;
		v[i].value = t[i].value;
		v[i].type = AE_REG_SZ;
		v[i].data = utf16(t[i].data, &v[i].len);
	}
	assert_int_equal(ae_registry_apply(r, &pol, source, &e), AE_OK);
	for (i = 0; i < n; i++)
		free((void *)(uintptr_t)v[i].data);
}

static void
expect(const struct ae_registry *r, const char *key, const char *name,
    const char *want)
{
	const struct ae_registry_value *v = ae_registry_get(r, key, name);
	char *s;

	if (want == NULL) {
		if (v != NULL)
			fail_msg("%s\\%s is there", key, name);
		return;
	}
	if (v == NULL)
		fail_msg("%s\\%s is not there", key, name);
	s = ae_registry_text(v);
	assert_non_null(s);
	assert_string_equal(s, want);
	free(s);
}

static void
later_wins(void **state)
{
	static const struct text a[] = { { KEY, "x", "1" }, { KEY, "y", "1" } };
	static const struct text b[] = { { "SOFTWARE\\policies\\TEST", "X",
	    "2" } };
	struct ae_registry *r = ae_registry_new(prefixes);
	size_t n;

	(void)state;
	apply(r, a, 2, 1);
	apply(r, b, 1, 5);
	expect(r, KEY, "x", "2");
	expect(r, KEY, "y", "1");
	assert_int_equal(ae_registry_get(r, KEY, "x")->source, 5);
	assert_int_equal(ae_registry_get(r, KEY, "Y")->source, 1);
	(void)ae_registry_all(r, &n);
	assert_int_equal(n, 2);
	ae_registry_free(r);
}

static void
special_values(void **state)
{
	static const struct text set[] = { { KEY, "a", "1" }, { KEY, "b", "1" },
		{ KEY, "c", "1" }, { KEY "\\Sub", "d", "1" },
		{ KEY "\\Sub\\Deep", "e", "1" }, { KEY "\\Subway", "f", "1" } };
	static const struct {
		struct text t;
		const char *gone; /* of "abcdef" */
	} rows[] = {
		{ { KEY, "**Del.a", " " }, "a" },
		{ { KEY, "**del.A", " " }, "a" },
		{ { KEY, "**Del.", " " }, "" },
		{ { KEY, "**Del.nothing", " " }, "" },
		{ { KEY, "**DeleteValues", "a;C;z" }, "ac" },
		{ { KEY, "**deletevalues", ";;b;" }, "b" },
		{ { KEY, "**DelVals.", " " }, "abc" },
		{ { KEY, "**DelVals", " " }, "abc" },
		{ { KEY "\\Sub", "**DelVals.", " " }, "d" },
		{ { KEY, "**DeleteKeys", "Sub" }, "de" },
		{ { KEY, "**DeleteKeys", "sub;Subway" }, "def" },
		{ { KEY, "**DeleteKeys", "Sub\\Deep" }, "" },
		{ { KEY, "**DeleteKeys", ";" }, "" },
		{ { "Software", "**DeleteKeys", "Policies" }, "abcdef" },
		{ { "Soft", "**DeleteKeys", "ware" }, "" },
		{ { KEY, "**SecureKey", "1" }, "" },
		{ { KEY, "**soft.a", "2" }, "" },
	};
	static const char *const keys[] = { KEY, KEY, KEY, KEY "\\Sub",
		KEY "\\Sub\\Deep", KEY "\\Subway" };
	struct ae_registry *r;
	char name[2] = "";
	size_t i, j;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		r = ae_registry_new(prefixes);
		apply(r, set, COUNT(set), 0);
		apply(r, &rows[i].t, 1, 1);
		for (j = 0; j < 6; j++) {
			name[0] = (char)('a' + j);
			expect(r, keys[j], name,
			    strchr(rows[i].gone, name[0]) != NULL ? NULL : "1");
		}
		/* None of them is a value itself. */
		expect(r, KEY, rows[i].t.value, NULL);
		ae_registry_free(r);
	}
}

static void
soft_values(void **state)
{
	static const struct text t[] = { { KEY, "**soft.x", "1" },
		{ KEY, "**SOFT.x", "2" }, { KEY, "**Del.x", " " },
		{ KEY, "**soft.x", "3" } };
	struct ae_registry *r = ae_registry_new(prefixes);

	(void)state;
	apply(r, t, 2, 0);
	expect(r, KEY, "x", "1");
	apply(r, t + 2, 2, 0);
	expect(r, KEY, "x", "3");
	ae_registry_free(r);
}

static void
only_what_is_wanted(void **state)
{
	static const struct text t[] = { { "Software\\Policies\\Tests", "x",
					     "1" },
		{ "Software\\Policies", "x", "1" }, { KEY "\\Sub", "x", "1" } };
	struct ae_registry *r = ae_registry_new(prefixes);
	size_t n;

	(void)state;
	apply(r, t, 3, 0);
	(void)ae_registry_all(r, &n);
	assert_int_equal(n, 1);
	expect(r, KEY "\\Sub", "x", "1");
	ae_registry_free(r);
}

static void
too_many_values(void **state)
{
	struct ae_registry *r = ae_registry_new(prefixes);
	struct ae_err e = AE_ERR_INIT;
	char name[16];
	int i, rc = AE_OK;

	(void)state;
	for (i = 0; rc == AE_OK && i < 10000; i++) {
		(void)snprintf(name, sizeof(name), "v%d", i);
		rc = ae_registry_set(
		    r, KEY, name, AE_REG_DWORD, "abcd", 4, 0, &e);
	}
	assert_int_equal(rc, AE_ELIMIT);
	assert_int_equal(i, AE_REGISTRY_VALUES_MAX + 1);
	ae_registry_free(r);
}

static void
numbers(void **state)
{
	uint8_t b[4] = { 7, 0, 0, 0x80 };
	struct ae_registry_value v = {
		.type = AE_REG_DWORD, .data = b, .len = 4
	};
	uint32_t n = 0;

	(void)state;
	assert_true(ae_registry_u32(&v, &n));
	assert_int_equal(n, 0x80000007);
	v.type = AE_REG_DWORD_BE;
	assert_true(ae_registry_u32(&v, &n));
	assert_int_equal(n, 0x07000080);
	v.len = 3;
	assert_false(ae_registry_u32(&v, &n));
	v.len = 4;
	v.type = AE_REG_SZ;
	assert_false(ae_registry_u32(&v, &n));
	assert_false(ae_registry_u32(NULL, &n));
	assert_int_equal(n, 0x07000080);
	assert_null(ae_registry_text(NULL));
	v.type = AE_REG_DWORD;
	assert_null(ae_registry_text(&v));
}

static void
texts(void **state)
{
	struct ae_registry_value v = { .type = AE_REG_SZ };
	char *s;

	(void)state;
	v.data = (uint8_t[]){ 'M', 0, 'Y', 0, 0, 0, 'x', 0 };
	v.len = 8;
	s = ae_registry_text(&v);
	assert_string_equal(s, "MY");
	free(s);
	v.len = 4; /* without its NUL */
	s = ae_registry_text(&v);
	assert_string_equal(s, "MY");
	free(s);
	v.len = 3; /* half a character is none */
	s = ae_registry_text(&v);
	assert_string_equal(s, "M");
	free(s);
	v.len = 0;
	s = ae_registry_text(&v);
	assert_string_equal(s, "");
	free(s);
	v.data = (uint8_t[]){ 0x00, 0xd8 };
	v.len = 2;
	assert_null(ae_registry_text(&v));
}

static const struct ae_pol_instruction sample[] = {
	{ "Software\\Policies\\Microsoft\\Cryptography\\AutoEnrollment",
	    "AEPolicy", AE_REG_DWORD, (const uint8_t *)"\7\0\0\0", 4 },
	{ KEY, "", AE_REG_SZ, (const uint8_t *)"M\0Y\0\0\0", 6 },
	{ KEY, "\xc3\xa4", AE_REG_BINARY, (const uint8_t *)"", 0 },
};

static void
round_trip(void **state)
{
	struct ae_err e = AE_ERR_INIT;
	struct ae_pol pol;
	struct ae_wr w;
	size_t i;

	(void)state;
	ae_wr_init(&w, AE_POL_FILE_MAX);
	assert_int_equal(ae_pol_encode(&w, sample, COUNT(sample), &e), AE_OK);
	assert_memory_equal(w.p, "PReg\1\0\0\0[\0S\0", 12);
	assert_int_equal(ae_pol_parse(&pol, w.p, w.len, &e), AE_OK);
	assert_int_equal(pol.n, COUNT(sample));
	for (i = 0; i < pol.n; i++) {
		assert_string_equal(pol.v[i].key, sample[i].key);
		assert_string_equal(pol.v[i].value, sample[i].value);
		assert_int_equal(pol.v[i].type, sample[i].type);
		assert_int_equal(pol.v[i].len, sample[i].len);
		assert_memory_equal(
		    pol.v[i].data, sample[i].data, sample[i].len);
	}
	ae_pol_done(&pol);
	ae_wr_done(&w);
	ae_wr_init(&w, AE_POL_FILE_MAX);
	assert_int_equal(ae_pol_encode(&w, NULL, 0, &e), AE_OK);
	assert_int_equal(ae_pol_parse(&pol, w.p, w.len, &e), AE_OK);
	assert_int_equal(pol.n, 0);
	ae_pol_done(&pol);
	ae_wr_done(&w);
}

static void
not_encoded(void **state)
{
	char key[AE_POL_KEY_MAX + 2];
	struct ae_pol_instruction bad[] = {
		{ key, "v", 1, NULL, 0 },
		{ "k\xff", "v", 1, NULL, 0 },
		{ "k", "\xff", 1, NULL, 0 },
		{ "k", "v", 1, NULL, AE_POL_DATA_MAX + 1 },
	};
	struct ae_err e = AE_ERR_INIT;
	struct ae_wr w;
	size_t i;

	(void)state;
	memset(key, 'k', sizeof(key));
	key[sizeof(key) - 1] = '\0';
	for (i = 0; i < COUNT(bad); i++) {
		ae_wr_init(&w, AE_POL_FILE_MAX);
		assert_int_equal(ae_pol_encode(&w, &bad[i], 1, &e), AE_EINVAL);
		ae_wr_done(&w);
	}
}

/* A file of the header and these units; 0xdead stands for the end. */
static int
refused(const uint16_t *units, size_t n)
{
	struct ae_err e = AE_ERR_INIT;
	struct ae_pol pol;
	struct ae_wr w;
	size_t i;
	int rc;

	ae_wr_init(&w, 4096);
	ae_wr_str(&w, "PReg");
	ae_wr_u32(&w, 1);
	for (i = 0; i < n; i++)
		ae_wr_u16(&w, units[i]);
	rc = ae_pol_parse(&pol, w.p, w.len, &e);
	if (rc == AE_OK)
		ae_pol_done(&pol);
	ae_wr_done(&w);
	return rc;
}

#define U(...)                                                    \
	{                                                         \
		(const uint16_t[]){ __VA_ARGS__ },                \
		    sizeof((const uint16_t[]){ __VA_ARGS__ }) / 2 \
	}

static void
malformed(void **state)
{
	const struct {
		const uint16_t *u;
		size_t n;
	} rows[] = {
		U('x'),
		U('['),
		U('[', 'k'),
		U('[', 'k', 0),
		U('[', 'k', 0, ',', 'v', 0, ';', 1, 0, ';', 0, 0, ';', ']'),
		U('[', 'k', 0, ';', 'v', 0, ';', 1, 0, ';', 0, 0, ';', ')'),
		U('[', 'k', 0, ';', 'v', 0, ';', 1, 0, ';', 4, 0, ';', ']'),
		U('[', 'k', 0, ';', 'v', 0, ';', 1, 0, ';', 0xffff, 0xffff, ';',
		    ']'),
		U('[', 'k', 0, ';', 'v', 0, ';', 1, 0, ';', 0, 1, ';', ']'),
		U('[', 0xd800, 0, ';', 'v', 0, ';', 1, 0, ';', 0, 0, ';', ']'),
		U('[', 'k', 0, ';', 'v', 0, ';', 1, 0, ';', 0, 0, ';', ']', 0),
	};
	static const uint16_t good[] = { '[', 'k', 0, ';', 'v', 0, ';', 1, 0,
		';', 0, 0, ';', ']' };
	struct ae_err e = AE_ERR_INIT;
	struct ae_pol pol;
	size_t i;

	(void)state;
	assert_int_equal(refused(good, COUNT(good)), AE_OK);
	for (i = 0; i < COUNT(rows); i++)
		if (refused(rows[i].u, rows[i].n) != AE_EPROTO)
			fail_msg("row %zu", i);
	assert_int_equal(ae_pol_parse(&pol, "", 0, &e), AE_EPROTO);
	assert_int_equal(ae_pol_parse(&pol, "PReh\1\0\0\0", 8, &e), AE_EPROTO);
	assert_int_equal(ae_pol_parse(&pol, "PReg\2\0\0\0", 8, &e), AE_EPROTO);
	assert_int_equal(
	    ae_pol_parse(&pol, "PReg", AE_POL_FILE_MAX + 1, &e), AE_ELIMIT);
}

static void
limits(void **state)
{
	static struct ae_pol_instruction many[AE_POL_INSTRUCTIONS_MAX + 1];
	struct ae_err e = AE_ERR_INIT;
	struct ae_pol pol;
	struct ae_wr w;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(many); i++)
		many[i] = (struct ae_pol_instruction){ "k", "v", 1, NULL, 0 };
	ae_wr_init(&w, AE_POL_FILE_MAX);
	assert_int_equal(ae_pol_encode(&w, many, COUNT(many), &e), AE_OK);
	assert_int_equal(ae_pol_parse(&pol, w.p, w.len, &e), AE_ELIMIT);
	ae_wr_done(&w);
}

static void
mutated(const uint8_t *p, size_t len, void *arg)
{
	struct ae_registry *r;
	struct ae_pol pol;

	(void)arg;
	if (ae_pol_parse(&pol, p, len, NULL) != AE_OK)
		return;
	r = ae_registry_new(prefixes);
	assert_int_equal(ae_registry_apply(r, &pol, 0, NULL), AE_OK);
	ae_registry_free(r);
	ae_pol_done(&pol);
}

static void
every_mutation(void **state)
{
	struct ae_err e = AE_ERR_INIT;
	struct ae_wr w;

	(void)state;
	ae_wr_init(&w, AE_POL_FILE_MAX);
	assert_int_equal(ae_pol_encode(&w, sample, COUNT(sample), &e), AE_OK);
	assert_true(ae_mutate(w.p, w.len, mutated, NULL) > w.len);
	ae_wr_done(&w);
}

static bool
work(void *arg)
{
	const struct ae_wr *in = arg;
	struct ae_registry *r = NULL;
	struct ae_err e = AE_ERR_INIT;
	struct ae_pol pol = { 0 };
	bool ok = false;
	char *s = NULL;

	if (ae_pol_parse(&pol, in->p, in->len, &e) == AE_OK &&
	    (r = ae_registry_new(prefixes)) != NULL &&
	    ae_registry_apply(r, &pol, 0, &e) == AE_OK)
		s = ae_registry_text(ae_registry_get(r, KEY, ""));
	ok = s != NULL;
	free(s);
	ae_registry_free(r);
	ae_pol_done(&pol);
	return ok;
}

static void
torture(void **state)
{
	struct ae_err e = AE_ERR_INIT;
	struct ae_wr w;

	(void)state;
	ae_wr_init(&w, AE_POL_FILE_MAX);
	assert_int_equal(ae_pol_encode(&w, sample, COUNT(sample), &e), AE_OK);
	assert_true(ae_torture(work, &w, 100, true) > 8);
	ae_wr_done(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(later_wins),
		cmocka_unit_test(special_values),
		cmocka_unit_test(soft_values),
		cmocka_unit_test(only_what_is_wanted),
		cmocka_unit_test(too_many_values),
		cmocka_unit_test(numbers),
		cmocka_unit_test(texts),
		cmocka_unit_test(round_trip),
		cmocka_unit_test(not_encoded),
		cmocka_unit_test(malformed),
		cmocka_unit_test(limits),
		cmocka_unit_test(every_mutation),
		cmocka_unit_test(torture),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
