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
#include "pki/nte.h"

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
			    ae_key_spec_from_template(&k, &t, NULL, &e),
			    AE_EINVAL);
			continue;
		}
		assert_int_equal(
		    ae_key_spec_from_template(&k, &t, NULL, &e), AE_OK);
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
	assert_int_equal(ae_key_spec_from_template(&k, &t, NULL, &e), AE_OK);
	assert_int_equal(k.alg, AE_ALG_P384);
	assert_int_equal(k.bits, 384);
	assert_string_equal(ae_key_alg_name(k.alg), "ECDSA_P384");
	t.min_key_size = 521;
	assert_int_equal(
	    ae_key_spec_from_template(&k, &t, NULL, &e), AE_EINVAL);
	t.algorithms.asymmetric = dsa;
	assert_int_equal(
	    ae_key_spec_from_template(&k, &t, NULL, &e), AE_EINVAL);
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
	assert_int_equal(ae_key_spec_from_template(&k, &t, NULL, &e), AE_OK);
	list[1] = unheard;
	assert_int_equal(
	    ae_key_spec_from_template(&k, &t, NULL, &e), AE_EINVAL);
	assert_int_equal(k.provider, AE_PROVIDER_NONE);
	assert_int_equal(e.code, NTE_DEVICE_NOT_FOUND);
	assert_non_null(strstr(e.text, "Crypto Provider': there is no TPM"));
	assert_non_null(strstr(e.text, "Magic Provider': nothing here"));
	assert_string_equal(k.check, "key.provider-missing");
	assert_int_equal(k.event, 55);
	list[1] = software;
	assert_int_equal(ae_key_spec_from_template(&k, &t, NULL, &e), AE_OK);
	assert_int_equal(ae_provider_find(NULL, platform), AE_PROVIDER_TPM);
	assert_int_equal(ae_provider_find(NULL, unheard), AE_PROVIDER_NONE);
}

/* The template's order decides among what is here. */
static void
at_hand(void **state)
{
	char *list[] = { platform, schannel },
	     card[] = "Microsoft Smart Card "
		      "Key Storage Provider";
	struct ae_template t = { .csps = { list, 2 } };
	struct ae_provider_choice c[AE_PROVIDERS];
	struct ae_err e = AE_ERR_INIT;
	struct ae_providers p;
	struct ae_key_spec k;

	(void)state;
	ae_providers_init(&p);
	p.state[AE_PROVIDER_TPM].present = true;
	assert_int_equal(ae_key_spec_from_template(&k, &t, &p, &e), AE_OK);
	assert_int_equal(k.provider, AE_PROVIDER_TPM);
	assert_ptr_equal(k.provider_name, platform);
	list[0] = schannel;
	list[1] = platform;
	assert_int_equal(ae_key_spec_from_template(&k, &t, &p, &e), AE_OK);
	assert_int_equal(k.provider, AE_PROVIDER_SOFTWARE);
	list[0] = card;
	assert_int_equal(ae_provider_choices(c, &p, &t), 2);
	assert_int_equal(c[0].kind, AE_PROVIDER_TOKEN);
	assert_int_equal(c[1].kind, AE_PROVIDER_TPM);
	assert_int_equal(ae_key_spec_from_template(&k, &t, &p, &e), AE_OK);
	assert_int_equal(k.provider, AE_PROVIDER_TPM);
	t.csps.n = 0;
	assert_int_equal(ae_provider_choices(c, &p, &t), 1);
	assert_int_equal(c[0].kind, AE_PROVIDER_SOFTWARE);
	assert_null(c[0].name);
}

/* What the admin says about a name comes before our table. */
static void
overruled(void **state)
{
	char *list[] = { unheard },
	     *rules[] = { unheard, (char[]){ "pkcs11" }, software,
		     (char[]){ "none" } };
	struct ae_template t = { .csps = { list, 1 } };
	struct ae_err e = AE_ERR_INIT;
	struct ae_providers p;
	struct ae_key_spec k;

	(void)state;
	ae_providers_init(&p);
	p.rules = (struct ae_strv){ rules, 4 };
	assert_int_equal(ae_provider_find(&p, unheard), AE_PROVIDER_TOKEN);
	assert_int_equal(ae_provider_find(&p, software), AE_PROVIDER_NONE);
	assert_int_equal(ae_key_spec_from_template(&k, &t, &p, &e), AE_EINVAL);
	assert_non_null(strstr(e.text, "no PKCS#11 token is configured"));
	p.state[AE_PROVIDER_TOKEN].present = true;
	assert_int_equal(ae_key_spec_from_template(&k, &t, &p, &e), AE_OK);
	assert_int_equal(k.provider, AE_PROVIDER_TOKEN);
}

/* A key that has to leave is not made where it cannot. */
static void
must_leave(void **state)
{
	static const uint32_t flags[] = { AE_CT_EXPORTABLE_KEY,
		AE_CT_REQUIRE_PRIVATE_KEY_ARCHIVAL };
	char *list[] = { platform, software };
	struct ae_template t = { .csps = { list, 2 } };
	struct ae_err e = AE_ERR_INIT;
	struct ae_providers p;
	struct ae_key_spec k;
	size_t i;

	(void)state;
	ae_providers_init(&p);
	p.state[AE_PROVIDER_TPM].present = true;
	for (i = 0; i < 2; i++) {
		t.private_key_flag = flags[i];
		t.csps.n = 2;
		assert_int_equal(
		    ae_key_spec_from_template(&k, &t, &p, &e), AE_OK);
		assert_int_equal(k.provider, AE_PROVIDER_SOFTWARE);
		assert_true(k.exportable);
		t.csps.n = 1;
		assert_int_equal(
		    ae_key_spec_from_template(&k, &t, &p, &e), AE_EINVAL);
		assert_string_equal(k.check, "key.exportable-hardware");
		assert_int_equal(e.code, NTE_PERM);
	}
}

static void
signing(void **state)
{
	char sha1[] = "SHA1", sha384[] = "sha384", p256[] = "ECDSA_P256";
	struct ae_template t = { .algorithms.hash = sha1 };
	struct ae_key_spec k;

	(void)state;
	assert_int_equal(ae_key_spec_from_template(&k, &t, NULL, NULL), AE_OK);
	assert_int_equal(k.hash, AE_HASH_SHA256);
	assert_false(k.pss);
	assert_false(k.exportable);
	t.algorithms.hash = sha384;
	t.private_key_flag = AE_CT_REQUIRE_ALTERNATE_SIGNATURE;
	assert_int_equal(ae_key_spec_from_template(&k, &t, NULL, NULL), AE_OK);
	assert_int_equal(k.hash, AE_HASH_SHA384);
	assert_true(k.pss);
	t.algorithms.asymmetric = p256;
	assert_int_equal(ae_key_spec_from_template(&k, &t, NULL, NULL), AE_OK);
	assert_false(k.pss);
}

static void
attestation(void **state)
{
	struct ae_template t = { 0 };
	char text[AE_ATTEST_STR_MAX];

	(void)state;
	assert_int_equal(ae_attestation(&t, text), AE_ATTEST_NONE);
	assert_string_equal(text, "");
	t.private_key_flag = AE_CT_ATTEST_PREFERRED | AE_CT_EK_TRUST_ON_USE;
	assert_int_equal(ae_attestation(&t, text), AE_ATTEST_PREFERRED);
	assert_non_null(strstr(text, "would like"));
	assert_non_null(strstr(text, "trusted as it is"));
	t.private_key_flag = AE_CT_ATTEST_PREFERRED | AE_CT_ATTEST_REQUIRED |
	    AE_CT_EK_VALIDATE_CERT | AE_CT_EK_VALIDATE_KEY |
	    AE_CT_ATTESTATION_WITHOUT_POLICY;
	assert_int_equal(ae_attestation(&t, text), AE_ATTEST_REQUIRED);
	assert_non_null(
	    strstr(text, "vouched for by its certificate or on the CA's list"));
	assert_non_null(strstr(text, "not attested"));
}

/* Every name of the table once, every kind with a word. */
static void
table(void **state)
{
	enum ae_provider kind, again;
	const char *name;
	size_t i;
	int k;

	(void)state;
	for (i = 0; (name = ae_provider_name(i, &kind)) != NULL; i++) {
		again = ae_provider_find(NULL, name);
		assert_int_equal(again, kind);
	}
	assert_true(i > 8);
	for (k = 0; k < AE_PROVIDERS; k++)
		assert_int_equal(ae_provider_from_word(
				     ae_provider_word((enum ae_provider)k)),
		    k);
	assert_int_equal(ae_provider_from_word("TPM"), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rsa_sizes),
		cmocka_unit_test(curves),
		cmocka_unit_test(provider_order),
		cmocka_unit_test(at_hand),
		cmocka_unit_test(overruled),
		cmocka_unit_test(must_leave),
		cmocka_unit_test(signing),
		cmocka_unit_test(attestation),
		cmocka_unit_test(table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
