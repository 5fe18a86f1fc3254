/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What a TPM answers about itself; the bytes are those of swtpm 0.7.1, but for
 * what was made wrong in them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "pki/tpm_look.h"

/* In lockout after one failure of one, forgiven after 1000 s. */
static const uint8_t properties[] = { 0x80, 0x01, 0, 0, 0, 0x33, 0, 0, 0, 0, 1,
	0, 0, 0, 6, 0, 0, 0, 4, 0, 0, 2, 0, 0, 0, 6, 0, 0, 0, 2, 0x0e, 0, 0, 0,
	1, 0, 0, 2, 0x0f, 0, 0, 0, 1, 0, 0, 2, 0x10, 0, 0, 3, 0xe8 };

static void
test_properties(void **state)
{
	struct ae_tpm_seen seen;

	(void)state;
	assert_true(
	    ae_tpm_take_properties(&seen, properties, sizeof(properties)));
	assert_true(seen.locked);
	assert_int_equal(seen.failures, 1);
	assert_int_equal(seen.max_failures, 1);
	assert_int_equal(seen.interval, 1000);
}

/* Cut anywhere, or another thing said: nothing is taken. */
static void
test_broken_properties(void **state)
{
	static const struct {
		size_t at;
		uint8_t value;
	} v[] = { { 1, 2 }, { 5, 0x32 }, { 9, 1 }, { 14, 7 }, { 15, 0xff },
		{ 18, 5 }, { 18, 3 } };
	uint8_t bad[sizeof(properties)];
	struct ae_tpm_seen seen = { .interval = 77 };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(properties); i++)
		assert_false(ae_tpm_take_properties(&seen, properties, i));
	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		memcpy(bad, properties, sizeof(bad));
		bad[v[i].at] = v[i].value;
		assert_false(ae_tpm_take_properties(&seen, bad, sizeof(bad)));
	}
	assert_int_equal(seen.interval, 77);
}

static void
test_verdicts(void **state)
{
	static const struct {
		uint8_t code[2];
		bool taken, yes;
	} v[] = {
		{ { 0, 0 }, true, true },
		{ { 1, 0xc4 }, true, false },  /* RC_VALUE of parameter 1 */
		{ { 1, 0xc7 }, true, false },  /* RC_KEY_SIZE */
		{ { 1, 0xe6 }, true, false },  /* RC_CURVE */
		{ { 1, 0x43 }, false, false }, /* it knows no such command */
		{ { 9, 0x21 }, false, false }, /* lockout, a warning */
		{ { 1, 0x80 }, false, false },
	};
	uint8_t p[11] = { 0x80, 0x01, 0, 0, 0, 10 };
	size_t i;
	bool yes;

	(void)state;
	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		memcpy(p + 8, v[i].code, 2);
		yes = false;
		assert_int_equal(ae_tpm_take_verdict(&yes, p, 10), v[i].taken);
		assert_int_equal(yes, v[i].yes);
		assert_false(ae_tpm_take_verdict(&yes, p, 9));
		assert_false(ae_tpm_take_verdict(&yes, p, 11));
	}
}

static void
test_names(void **state)
{
	size_t n = 0;

	(void)state;
	while (ae_tpm_kind(n) != NULL)
		n++;
	assert_int_equal(n, 6);
	assert_string_equal(ae_tpm_kind(0), "RSA:2048");
	assert_string_equal(ae_tpm_kind(5), "P521");
}

/* Nothing there: a failure with words, not a crash. */
static void
test_no_tpm(void **state)
{
	struct ae_err e = AE_ERR_INIT;
	struct ae_tpm_seen seen;
	bool makes[6] = { false };

	(void)state;
	assert_int_equal(
	    ae_tpm_look(&seen, makes, 6, "swtpm:path=/nowhere/at/all", &e),
	    AE_EUNAVAIL);
	assert_true(e.text[0] != '\0');
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_properties),
		cmocka_unit_test(test_broken_properties),
		cmocka_unit_test(test_verdicts),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_no_tpm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
