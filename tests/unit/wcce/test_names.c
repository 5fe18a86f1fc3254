/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Sanitized names, the authority check, and the table of HRESULTs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "torture.h"
#include "wcce/hresult.h"
#include "wcce/name.h"

#define FIFTY "0123456789012345678901234567890123456789abcdefghij"

/*
 * Expected values: the escapes and the hash are worked out by hand and by
 * an independent five-line script from MS-WCCE 3.1.1.4.1.1.1.
 */
static const struct {
	const char *name, *full, *brief;
} names[] = {
	{ "Example CA", "Example CA", "Example CA" },
	{ "LabCA-1_x.y~$@", "LabCA-1_x.y~$@", "LabCA-1_x.y~$@" },
	{ "A&B", "A!0026B", "A!0026B" },
	{ "!\"#%&'()*+,/:;<=>?[\\]^`{|}",
	    "!0021!0022!0023!0025!0026!0027!0028!0029!002a!002b!002c!002f!003a"
	    "!003b!003c!003d!003e!003f!005b!005c!005d!005e!0060!007b!007c!007d",
	    "!0021!0022!0023!0025!0026!0027!0028!0029!002a!002b-51883" },
	{ "\x01\x1f\x7f", "!0001!001f!007f", "!0001!001f!007f" },
	{ "Z\xc3\xbcrich", "Z!00fcrich", "Z!00fcrich" },
	{ "\xf0\x9f\x98\x80", "!d83d!de00", "!d83d!de00" }, /* U+1F600 */
	{ FIFTY "k", FIFTY "k", FIFTY "k" },		    /* 51: not cut */
	{ FIFTY "kl", FIFTY "kl", FIFTY "k-00108" },
	{ FIFTY "klm", FIFTY "klm", FIFTY "k-00325" },
	/* the cut would fall into an escape: the whole of it goes */
	{ FIFTY "&&", FIFTY "!0026!0026", FIFTY "-41514" },
	{ "", "", "" },
};

static void
sanitizing(void **state)
{
	struct ae_arena *a = ae_arena_new(65536);
	size_t i;

	(void)state;
	assert_non_null(a);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_string_equal(
		    ae_wcce_sanitize(a, names[i].name), names[i].full);
		assert_string_equal(
		    ae_wcce_sanitize_short(a, names[i].name), names[i].brief);
		assert_true(
		    strlen(ae_wcce_sanitize_short(a, names[i].name)) <= 57);
	}
	assert_null(ae_wcce_sanitize(a, "\xff"));
	assert_null(ae_wcce_sanitize_short(a, "\xc3"));
	assert_string_equal(ae_wcce_config_string(a, "ca1.example.com", "A B"),
	    "ca1.example.com\\A B");
	ae_arena_free(a);
}

static void
authority(void **state)
{
	(void)state;
	assert_true(ae_wcce_authority_matches("A&B", "A&B", false));
	assert_true(ae_wcce_authority_matches("A&B", "a&b", false));
	assert_true(ae_wcce_authority_matches("A&B", "A!0026B", false));
	assert_true(
	    ae_wcce_authority_matches(FIFTY "kl", FIFTY "k-00108", false));
	assert_false(ae_wcce_authority_matches("A&B", "A!0026C", false));
	assert_false(ae_wcce_authority_matches("A&B", "A&B ", false));
	assert_false(ae_wcce_authority_matches("A&B", "", false));
	assert_false(ae_wcce_authority_matches("A&B", NULL, false));
	assert_true(ae_wcce_authority_matches("A&B", NULL, true));
	assert_true(ae_wcce_authority_matches("A&B", "", true));
	assert_false(ae_wcce_authority_matches("A&B", "other", true));
}

static void
hresults_are_sorted_and_whole(void **state)
{
	size_t i;

	(void)state;
	assert_true(ae_hresult_count > 300);
	for (i = 0; i < ae_hresult_count; i++) {
		const struct ae_hresult *h = &ae_hresult_table[i];

		if (i > 0)
			assert_true(h[-1].value < h->value);
		assert_ptr_equal(ae_hresult_find(h->value), h);
		assert_true(strlen(h->symbol) > 3);
		assert_true(strlen(h->text) > 3);
		assert_true(h->text[strlen(h->text) - 1] != '.');
	}
	assert_null(ae_hresult_find(0x8009ffff));
	assert_null(ae_hresult_find(0xffffffff));
	assert_null(ae_hresult_find_symbol("NO_SUCH"));
}

static void
hresults_by_symbol(void **state)
{
	/* the numbers of MS-ERREF, so that a slip in a macro shows */
	static const struct {
		const char *symbol;
		uint32_t value, macro;
	} v[] = {
		{ "CERTSRV_E_ENROLL_DENIED", 0x80094011, AE_HR_ENROLL_DENIED },
		{ "CERTSRV_E_TEMPLATE_DENIED", 0x80094012,
		    AE_HR_TEMPLATE_DENIED },
		{ "CERTSRV_E_UNSUPPORTED_CERT_TYPE", 0x80094800,
		    AE_HR_UNSUPPORTED_CERT_TYPE },
		{ "CERTSRV_E_NO_CERT_TYPE", 0x80094801, AE_HR_NO_CERT_TYPE },
		{ "CERTSRV_E_TEMPLATE_CONFLICT", 0x80094802,
		    AE_HR_TEMPLATE_CONFLICT },
		{ "CERTSRV_E_BAD_TEMPLATE_VERSION", 0x80094807,
		    AE_HR_BAD_TEMPLATE_VERSION },
		{ "CERTSRV_E_SIGNATURE_POLICY_REQUIRED", 0x80094809,
		    AE_HR_SIGNATURE_POLICY_REQUIRED },
		{ "CERTSRV_E_SUBJECT_UPN_REQUIRED", 0x8009480d,
		    AE_HR_SUBJECT_UPN_REQUIRED },
		{ "CERTSRV_E_SUBJECT_DNS_REQUIRED", 0x8009480f,
		    AE_HR_SUBJECT_DNS_REQUIRED },
		{ "CERTSRV_E_KEY_LENGTH", 0x80094811, AE_HR_KEY_LENGTH },
		{ "CERTSRV_E_SEC_EXT_DIRECTORY_SID_REQUIRED", 0x80094821,
		    AE_HR_SEC_EXT_DIRECTORY_SID_REQUIRED },
		{ "CERTSRV_E_BAD_REQUESTSUBJECT", 0x80094001,
		    AE_HR_BAD_REQUESTSUBJECT },
		{ "CERTSRV_E_PROPERTY_EMPTY", 0x80094004,
		    AE_HR_PROPERTY_EMPTY },
		{ "CRYPT_E_INVALID_MSG_TYPE", 0x80091004,
		    AE_HR_CRYPT_E_INVALID_MSG_TYPE },
		{ "E_INVALIDARG", 0x80070057, AE_HR_E_INVALIDARG },
		{ "NTE_BAD_SIGNATURE", 0x80090006, AE_HR_NTE_BAD_SIGNATURE },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		assert_int_equal(v[i].value, v[i].macro);
		assert_non_null(ae_hresult_find_symbol(v[i].symbol));
		assert_int_equal(
		    ae_hresult_find_symbol(v[i].symbol)->value, v[i].value);
	}
}

static void
hresults_print(void **state)
{
	char out[AE_HRESULT_STR_MAX], brief[16];

	(void)state;
	assert_string_equal(ae_hresult_print(out, 0x80094012),
	    "The permissions on the certificate template do not allow the "
	    "current user to enroll for this type of certificate. "
	    "0x80094012 (-2146877422 CERTSRV_E_TEMPLATE_DENIED)");
	assert_string_equal(
	    ae_hresult_print(out, 0x8009ffff), "0x8009ffff (-2146828289)");
	assert_string_equal(
	    ae_hresult_symbol(brief, 0x80094012), "CERTSRV_E_TEMPLATE_DENIED");
	assert_string_equal(ae_hresult_symbol(brief, 1234567), "0x0012d687");
}

static bool
tortured(void *arg)
{
	struct ae_arena *a = ae_arena_new(65536);
	bool ok;

	(void)arg;
	if (a == NULL)
		return false;
	ok = ae_wcce_sanitize(a, "A&B") != NULL &&
	    ae_wcce_sanitize_short(a, FIFTY FIFTY) != NULL &&
	    ae_wcce_config_string(a, "h", "c") != NULL &&
	    ae_wcce_authority_matches("A&B", "A!0026B", false);
	ae_arena_free(a);
	return ok;
}

static void
torture(void **state)
{
	(void)state;
	assert_true(ae_torture(tortured, NULL, 100, true) > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sanitizing),
		cmocka_unit_test(authority),
		cmocka_unit_test(hresults_are_sorted_and_whole),
		cmocka_unit_test(hresults_by_symbol),
		cmocka_unit_test(hresults_print),
		cmocka_unit_test(torture),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
