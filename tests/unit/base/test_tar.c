/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Headers of tar archives: written and read, names that need both fields,
 * sizes that need binary, and what is refused.  GNU tar is the witness in
 * tests/lab/test_backup.py.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>
#include <string.h>

#include "base/tar.h"

static struct ae_tar_entry
entry(const char *name, uint64_t size)
{
	struct ae_tar_entry t = {
		.mode = 0640, .size = size, .time = 1790000000
	};

	assert_true(strlen(name) < sizeof(t.name));
	strcpy(t.name, name);
	return t;
}

static void
round_trip(const char *name, uint64_t size)
{
	const struct ae_tar_entry t = entry(name, size);
	struct ae_tar_entry got;
	uint8_t b[AE_TAR_BLOCK];
	bool end = true;

	assert_int_equal(ae_tar_put(b, &t, NULL), AE_OK);
	assert_int_equal(ae_tar_get(&got, &end, b, NULL), AE_OK);
	assert_false(end);
	assert_string_equal(got.name, t.name);
	assert_int_equal(got.mode, t.mode);
	assert_true(got.size == t.size);
	assert_int_equal(got.time, t.time);
}

static void
what_is_written_is_read(void **state)
{
	char longest[AE_TAR_NAME_MAX], exact[101];

	(void)state;
	round_trip("manifest.json", 0);
	round_trip("files/etc/certsrv/ca.pem", 1234);
	memset(exact, 'x', sizeof(exact));
	exact[100] = '\0';
	round_trip(exact, 1);
	/* 155, '/', and 99 more */
	memset(longest, 'y', sizeof(longest));
	longest[155] = '/';
	longest[255] = '\0';
	round_trip(longest, 1);
	round_trip("big", (UINT64_C(1) << 33) - 1);
	round_trip("bigger", UINT64_C(1) << 33);
	round_trip("biggest", INT64_MAX);
}

static void
blocks_are_filled(void **state)
{
	(void)state;
	assert_int_equal(ae_tar_fill(0), 0);
	assert_int_equal(ae_tar_fill(1), 511);
	assert_int_equal(ae_tar_fill(512), 0);
	assert_int_equal(ae_tar_fill((UINT64_C(1) << 40) + 513), 511);
}

static void
what_does_not_fit_is_refused(void **state)
{
	struct ae_tar_entry t = entry("", 1);
	struct ae_err e = AE_ERR_INIT;
	uint8_t b[AE_TAR_BLOCK];

	(void)state;
	assert_int_equal(ae_tar_put(b, &t, NULL), AE_EINVAL);
	memset(t.name, 'x', 101); /* nowhere to cut */
	assert_int_equal(ae_tar_put(b, &t, &e), AE_EINVAL);
	assert_non_null(strstr(e.text, "no room for the name"));
	t = entry("x", UINT64_MAX);
	assert_int_equal(ae_tar_put(b, &t, NULL), AE_EINVAL);
	t = entry("x", 1);
	t.time = -1;
	assert_int_equal(ae_tar_put(b, &t, NULL), AE_EINVAL);
}

/* The sum of a header that was changed. */
static void
resum(uint8_t b[AE_TAR_BLOCK])
{
	unsigned sum = 0;
	size_t i;

	memset(b + 148, ' ', 8);
	for (i = 0; i < AE_TAR_BLOCK; i++)
		sum += b[i];
	for (i = 6; i-- > 0; sum >>= 3)
		b[148 + i] = (uint8_t)('0' + (sum & 7));
	b[154] = '\0';
}

static int
changed(size_t at, uint8_t to, bool sum)
{
	const struct ae_tar_entry t = entry("files/x", 5);
	struct ae_tar_entry got;
	uint8_t b[AE_TAR_BLOCK];
	bool end;

	assert_int_equal(ae_tar_put(b, &t, NULL), AE_OK);
	assert_int_not_equal(b[at], to);
	b[at] = to;
	if (sum)
		resum(b);
	return ae_tar_get(&got, &end, b, NULL);
}

static void
what_is_no_header_is_refused(void **state)
{
	struct ae_tar_entry t;
	uint8_t b[AE_TAR_BLOCK] = { 0 };
	bool end = false;
	size_t i;

	(void)state;
	assert_int_equal(ae_tar_get(&t, &end, b, NULL), AE_OK);
	assert_true(end);
	/* each byte counts */
	for (i = 0; i < AE_TAR_BLOCK; i++) {
		if (i == 154 || i == 155) /* behind the sum's digits */
			continue;
		assert_int_equal(changed(i, 0x7f, false), AE_EPROTO);
	}
	assert_int_equal(changed(156, '2', true), AE_EPROTO); /* a link */
	assert_int_equal(changed(156, '5', true), AE_EPROTO); /* a directory */
	assert_int_equal(changed(156, 'x', true), AE_EPROTO); /* pax */
	assert_int_equal(changed(0, '\0', true), AE_EPROTO);  /* no name */
	assert_int_equal(changed(124, '9', true), AE_EPROTO);
	assert_int_equal(changed(124, 0xff, true), AE_EPROTO); /* negative */
	assert_int_equal(changed(130, ' ', true), AE_EPROTO);
	assert_int_equal(
	    changed(265, ' ', true), AE_OK); /* a name of its owner */
	assert_int_equal(changed(156, '\0', true), AE_OK); /* as before POSIX */
}

static void
a_binary_size_that_is_too_long_is_refused(void **state)
{
	const struct ae_tar_entry t = entry("x", UINT64_C(1) << 40);
	struct ae_tar_entry got;
	uint8_t b[AE_TAR_BLOCK];
	bool end;

	(void)state;
	assert_int_equal(ae_tar_put(b, &t, NULL), AE_OK);
	b[128] = 0x80; /* 2^63 and more */
	resum(b);
	assert_int_equal(ae_tar_get(&got, &end, b, NULL), AE_EPROTO);
	b[128] = 0;
	b[125] = 1;
	resum(b);
	assert_int_equal(ae_tar_get(&got, &end, b, NULL), AE_EPROTO);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(blocks_are_filled),
		cmocka_unit_test(what_does_not_fit_is_refused),
		cmocka_unit_test(what_is_no_header_is_refused),
		cmocka_unit_test(a_binary_size_that_is_too_long_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
