/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Tests of enroll/keyspec.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "enroll/keyspec.h"

static char schannel[] = "Microsoft RSA SChannel Cryptographic Provider";
static char platform[] = "Microsoft Platform Crypto Provider";
static char software[] = "microsoft software key storage provider";
static char unheard[] = "Contoso Magic Provider";

static void
rsa_sizes(void **state)
{
	static const struct {
		uint32_t min, bits; /* 0: refused */
	} sizes[] = { { 0, 2048 }, { 512, 2048 }, { 2048, 2048 },
		{ 2049, 3072 }, { 3072, 3072 }, { 4096, 4096 }, { 4097, 0 },
		{ UINT32_MAX, 0 } };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct ae_template t = { .min_key_size = sizes[i].min };
		struct ae_err e = AE_ERR_INIT;
		struct ae_key_spec k;

		if (sizes[i].bits == 0) {
			assert_int_equal(
			    ae_key_spec_from_template(&k, &t, &e), AE_EINVAL);
			continue;
		}
		assert_int_equal(ae_key_spec_from_template(&k, &t, &e), AE_OK);
		assert_int_equal(k.alg, AE_ALG_RSA);
		assert_int_equal(k.bits, sizes[i].bits);
		assert_int_equal(k.provider, AE_PROVIDER_SOFTWARE);
	}
}

static void
curves(void **state)
{
	char p384[] = "ecdsa_p384", dsa[] = "DSA";
	struct ae_template t = { .algorithms.asymmetric = p384,
		.min_key_size = 256 };
	struct ae_err e = AE_ERR_INIT;
	struct ae_key_spec k;

	(void)state;
	assert_int_equal(ae_key_spec_from_template(&k, &t, &e), AE_OK);
	assert_int_equal(k.alg, AE_ALG_P384);
	assert_int_equal(k.bits, 384);
	assert_string_equal(ae_key_alg_name(k.alg), "ECDSA_P384");
	t.min_key_size = 521;
	assert_int_equal(ae_key_spec_from_template(&k, &t, &e), AE_EINVAL);
	t.algorithms.asymmetric = dsa;
	assert_int_equal(ae_key_spec_from_template(&k, &t, &e), AE_EINVAL);
	assert_non_null(strstr(e.text, "'DSA'"));
	assert_int_equal(k.provider, AE_PROVIDER_SOFTWARE);
}

static void
provider_order(void **state)
{
	char *list[] = { platform, schannel };
	struct ae_template t = { .csps = { list, 2 } };
	struct ae_err e = AE_ERR_INIT;
	struct ae_key_spec k;

	(void)state;
	assert_int_equal(ae_key_spec_from_template(&k, &t, &e), AE_OK);
	list[1] = unheard;
	assert_int_equal(ae_key_spec_from_template(&k, &t, &e), AE_EINVAL);
	assert_int_equal(k.provider, AE_PROVIDER_NONE);
	assert_int_equal(e.code, 0x80090019);
	list[1] = software;
	assert_int_equal(ae_key_spec_from_template(&k, &t, &e), AE_OK);
	assert_int_equal(ae_provider_find(platform), AE_PROVIDER_TPM);
	assert_int_equal(ae_provider_find(unheard), AE_PROVIDER_NONE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rsa_sizes),
		cmocka_unit_test(curves),
		cmocka_unit_test(provider_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
