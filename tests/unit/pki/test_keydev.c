/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Tests of pki/keydev.h on a TPM (swtpm) and a PKCS#11 token (SoftHSM).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "devices.h"
#include "fixture.h"
#include "pki/keydev.h"
#include "pki/nte.h"
#include "pki/seal.h"

static struct ae_secret pin;
static bool devices;

static struct ae_keydev *
open_devices(void)
{
	struct ae_keydev_conf conf = { .tcti = dev_tcti(),
		.module = dev_module(),
		.token = DEV_TOKEN,
		.pin = &pin };
	struct ae_keydev *d = NULL;

	assert_ok(ae_keydev_new(&d, &conf, NULL));
	return d;
}

static void
set_pin(const char *s)
{
	assert_int_equal(ae_secret_set(&pin, s, strlen(s)), 0);
}

static int
setup(void **state)
{
	(void)state;
	set_pin(DEV_PIN);
	return devices && dev_tpm_start() ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	dev_tpm_stop();
	return 0;
}

static void
signs(const struct ae_key *k, enum ae_hash hash, bool pss)
{
	struct ae_sigalg alg = ae_key_sigalg(k, hash);
	struct ae_key *pub = NULL;
	struct ae_err e = AE_ERR_INIT;
	struct ae_der spki = ae_key_spki(k);
	struct ae_wr sig;
	int rc;

	alg.pss = pss;
	ae_wr_init(&sig, AE_SIG_MAX);
	rc = ae_key_sign(&sig, k, &alg, "tbs", 3, &e);
	assert_string_equal(e.text, "");
	assert_ok(rc);
	assert_ok(ae_key_from_spki(&pub, spki.p, spki.len, NULL));
	assert_ok(ae_key_verify(pub, &alg, "tbs", 3, sig.p, sig.len, NULL));
	ae_key_free(pub);
	ae_wr_done(&sig);
}

/* clang-format off */
static const struct kind {
	enum ae_key_home home;
	enum ae_key_type type;
	unsigned bits;
	enum ae_hash hash;
	bool pss;
} kinds[] = {
	{ AE_KEY_IN_SOFTWARE, AE_KEY_EC, 256, AE_HASH_SHA256, false },
	{ AE_KEY_IN_TPM, AE_KEY_EC, 256, AE_HASH_SHA256, false },
	{ AE_KEY_IN_TPM, AE_KEY_EC, 384, AE_HASH_SHA384, false },
	{ AE_KEY_IN_TPM, AE_KEY_RSA, 2048, AE_HASH_SHA256, false },
	{ AE_KEY_IN_TOKEN, AE_KEY_EC, 256, AE_HASH_SHA256, false },
	{ AE_KEY_IN_TOKEN, AE_KEY_EC, 384, AE_HASH_SHA384, false },
	{ AE_KEY_IN_TOKEN, AE_KEY_EC, 521, AE_HASH_SHA512, false },
	{ AE_KEY_IN_TOKEN, AE_KEY_RSA, 2048, AE_HASH_SHA256, false },
	{ AE_KEY_IN_TOKEN, AE_KEY_RSA, 2048, AE_HASH_SHA384, true },
};
/* clang-format on */

/* What nodes share (seal.h): an RSA key makes it in a device as well. */
static void
seal(struct ae_wr *sealed, const struct ae_key *k)
{
	ae_wr_init(sealed, AE_SEALED_MAX);
	assert_rc(ae_seal(sealed, k, "test", "secret", 6, NULL),
	    ae_key_type(k) == AE_KEY_RSA || ae_key_home(k) == AE_KEY_IN_SOFTWARE
		? AE_OK
		: AE_EUNAVAIL);
}

static void
unseal(struct ae_wr *sealed, const struct ae_key *k)
{
	struct ae_secret got = { 0 };

	if (sealed->len > 0) {
		assert_ok(
		    ae_unseal(&got, k, "test", sealed->p, sealed->len, NULL));
		assert_int_equal(got.len, 6);
		assert_memory_equal(got.p, "secret", 6);
	}
	ae_secret_done(&got);
	ae_wr_done(sealed);
}

/* Made, stored, opened again on devices that were closed: the same key. */
static void
each_home(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		const struct kind *kind = &kinds[i];
		struct ae_keydev *d = open_devices();
		struct ae_key *k = NULL, *again = NULL, *pub = NULL;
		struct ae_secret text = { 0 };
		uint8_t id[AE_KEY_ID_LEN], stored[AE_KEY_ID_LEN];
		struct ae_err e = AE_ERR_INIT;
		struct ae_wr sealed;
		int rc;

		rc = ae_keydev_generate(
		    &k, d, kind->home, kind->type, kind->bits, "test", &e);
		assert_string_equal(e.text, "");
		assert_ok(rc);
		assert_int_equal(ae_key_home(k), kind->home);
		assert_int_equal(ae_key_type(k), kind->type);
		assert_int_equal(ae_key_bits(k), kind->bits);
		assert_true(ae_key_is_private(k));
		signs(k, kind->hash, kind->pss);
		seal(&sealed, k);
		assert_ok(ae_key_store(&text, k, NULL));
		assert_ok(ae_key_id(id, k, NULL));
		assert_ok(
		    ae_key_stored_public(&pub, stored, text.p, text.len, NULL));
		assert_memory_equal(id, stored, sizeof(id));
		if (kind->home == AE_KEY_IN_TOKEN)
			assert_memory_equal(text.p, "pkcs11:", 7);
		else
			assert_true(ae_key_same_public(pub, k));
		ae_key_free(pub);
		ae_key_free(k);
		ae_keydev_free(d);

		d = open_devices();
		rc = ae_keydev_open(&again, d, text.p, text.len, &e);
		assert_string_equal(e.text, "");
		assert_ok(rc);
		assert_ok(ae_key_id(stored, again, NULL));
		assert_memory_equal(id, stored, sizeof(id));
		assert_ok(ae_keydev_find(again, NULL));
		signs(again, kind->hash, kind->pss);
		unseal(&sealed, again);
		assert_ok(ae_keydev_destroy(again, &e));
		if (kind->home == AE_KEY_IN_TOKEN) {
			assert_rc(ae_keydev_find(again, &e), AE_ENOTFOUND);
			assert_int_equal(e.code, NTE_BAD_KEYSET);
		}
		ae_key_free(again);
		ae_secret_done(&text);
		ae_keydev_free(d);
	}
}

/* A key that a device holds is in no file and in no archive. */
static void
never_leaves(void **state)
{
	struct ae_keydev *d = open_devices();
	struct ae_secret out = { 0 };

	(void)state;
	for (int home = AE_KEY_IN_TPM; home <= AE_KEY_IN_TOKEN; home++) {
		struct ae_err e = AE_ERR_INIT;
		struct ae_key *k = NULL;

		assert_ok(ae_keydev_generate(&k, d, (enum ae_key_home)home,
		    AE_KEY_EC, 256, "test", NULL));
		assert_rc(ae_key_to_pem(&out, k, NULL, &e), AE_EDENIED);
		assert_int_equal(e.code, NTE_BAD_KEY_STATE);
		assert_rc(ae_key_to_private_blob(&out, k, &e), AE_EDENIED);
		assert_int_equal(e.code, NTE_BAD_KEY_STATE);
		assert_ok(ae_keydev_destroy(k, NULL));
		ae_key_free(k);
	}
	ae_keydev_free(d);
}

/* What GnuTLS sees of certificates in the token: lines of p11tool. */
static unsigned
certificates_in_token(const char *having)
{
	char command[256], line[512];
	unsigned n = 0;
	FILE *f;

	(void)snprintf(command, sizeof(command),
	    "p11tool --batch --provider %s --list-all-certs '%s' 2>&1",
	    dev_module(), DEV_TOKEN);
	f = popen(command, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL)
		n += strstr(line, having) != NULL;
	(void)pclose(f);
	return n;
}

/* A card is shown by its certificate: the new one only, and gone with the key.
 */
static void
certificate_beside_its_key(void **state)
{
	struct ae_keydev *d = open_devices();
	struct ae_cert *first = NULL, *second = NULL;
	struct ae_der a = fix_leaf(), b = fix_root();
	struct ae_err e = AE_ERR_INIT;
	struct ae_key *k = NULL;

	(void)state;
	assert_ok(ae_cert_parse(&first, a.p, a.len, NULL));
	assert_ok(ae_cert_parse(&second, b.p, b.len, NULL));
	assert_ok(ae_keydev_generate(
	    &k, d, AE_KEY_IN_TOKEN, AE_KEY_EC, 256, "test", NULL));
	assert_int_equal(certificates_in_token("URL:"), 0);
	assert_ok(ae_keydev_put_cert(k, first, "Old", &e));
	assert_int_equal(certificates_in_token("Label: Old"), 1);
	assert_ok(ae_keydev_put_cert(k, second, "New", &e));
	assert_int_equal(certificates_in_token("Label: New"), 1);
	assert_int_equal(certificates_in_token("URL:"), 1);
	dev_token_out();
	assert_rc(ae_keydev_put_cert(k, first, "Away", &e), AE_EUNAVAIL);
	dev_token_in();
	assert_ok(ae_keydev_destroy(k, NULL));
	assert_int_equal(certificates_in_token("URL:"), 0);
	ae_key_free(k);
	assert_ok(ae_keydev_generate(
	    &k, d, AE_KEY_IN_SOFTWARE, AE_KEY_EC, 256, "test", NULL));
	assert_ok(ae_keydev_put_cert(k, first, "Nowhere", &e));
	ae_key_free(k);
	ae_cert_free(first);
	ae_cert_free(second);
	ae_keydev_free(d);
}

static void
tpm_not_ready(void **state)
{
	struct ae_keydev *d = open_devices();
	struct ae_secret text = { 0 };
	struct ae_err e = AE_ERR_INIT;
	struct ae_key *k = NULL, *pub = NULL;
	uint8_t id[AE_KEY_ID_LEN];
	struct ae_sigalg alg;
	struct ae_wr sig;

	(void)state;
	assert_ok(ae_keydev_generate(
	    &k, d, AE_KEY_IN_TPM, AE_KEY_EC, 256, "test", NULL));
	assert_ok(ae_key_store(&text, k, NULL));
	ae_key_free(k);
	ae_keydev_free(d);
	dev_tpm_stop();

	d = open_devices();
	assert_rc(ae_keydev_ready(d, AE_KEY_IN_TPM, &e), AE_EUNAVAIL);
	assert_int_equal(e.dom, AE_DOM_HRESULT);
	assert_int_equal(e.code, NTE_DEVICE_NOT_READY);
	assert_non_null(strstr(e.text, "not ready"));
	/* What the file says in the clear can be read all the same. */
	assert_ok(ae_key_stored_public(&pub, id, text.p, text.len, NULL));
	ae_key_free(pub);
	k = NULL;
	assert_ok(ae_keydev_open(&k, d, text.p, text.len, NULL));
	alg = ae_key_sigalg(k, AE_HASH_SHA256);
	ae_wr_init(&sig, AE_SIG_MAX);
	assert_rc(ae_key_sign(&sig, k, &alg, "tbs", 3, &e), AE_EUNAVAIL);
	assert_int_equal(e.code, NTE_DEVICE_NOT_READY);
	/* It is there again: the same object works. */
	assert_true(dev_tpm_start());
	signs(k, AE_HASH_SHA256, false);
	ae_key_free(k);
	ae_keydev_free(d);
	dev_tpm_stop();

	/* Another TPM, or this one cleared, does not know the key. */
	assert_true(dev_tpm_clear());
	assert_true(dev_tpm_start());
	d = open_devices();
	k = NULL;
	assert_ok(ae_keydev_open(&k, d, text.p, text.len, NULL));
	assert_rc(ae_keydev_find(k, &e), AE_ENOTFOUND);
	assert_int_equal(e.code, NTE_BAD_KEYSET);
	ae_wr_done(&sig);
	ae_key_free(k);
	ae_secret_done(&text);
	ae_keydev_free(d);
}

static void
tpm_refuses_sizes(void **state)
{
	struct ae_keydev *d = open_devices();
	struct ae_err e = AE_ERR_INIT;
	struct ae_key *k = NULL;

	(void)state;
	assert_int_not_equal(ae_keydev_generate(&k, d, AE_KEY_IN_TPM,
				 AE_KEY_RSA, 8192, "test", &e),
	    AE_OK);
	assert_int_equal(e.code, NTE_NOT_SUPPORTED);
	assert_rc(ae_keydev_generate(
		      &k, d, AE_KEY_IN_TPM, AE_KEY_RSA, 1024, "test", &e),
	    AE_EINVAL);
	assert_int_equal(e.code, NTE_BAD_FLAGS);
	ae_keydev_free(d);
}

static void
no_devices(void **state)
{
	static const char *const bad[] = { "", "device:/dev/x\nactivate = 1",
		"$ENV::HOME", "device:/dev/tpm0#" };
	struct ae_keydev_conf conf = { 0 };
	struct ae_keydev *d = NULL;
	struct ae_err e = AE_ERR_INIT;

	(void)state;
	assert_ok(ae_keydev_new(&d, &conf, NULL));
	assert_rc(ae_keydev_ready(d, AE_KEY_IN_TPM, &e), AE_EUNAVAIL);
	assert_int_equal(e.code, NTE_DEVICE_NOT_FOUND);
	assert_rc(ae_keydev_ready(d, AE_KEY_IN_TOKEN, &e), AE_EUNAVAIL);
	assert_int_equal(e.code, NTE_DEVICE_NOT_FOUND);
	assert_ok(ae_keydev_ready(d, AE_KEY_IN_SOFTWARE, NULL));
	ae_keydev_free(d);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		conf.tcti = bad[i];
		assert_ok(ae_keydev_new(&d, &conf, NULL));
		assert_rc(ae_keydev_ready(d, AE_KEY_IN_TPM, &e), AE_EINVAL);
		ae_keydev_free(d);
	}
	conf.module = "/nowhere.so";
	conf.token = "pkcs11:token=x?pin-value=1234";
	assert_ok(ae_keydev_new(&d, &conf, NULL));
	assert_rc(ae_keydev_ready(d, AE_KEY_IN_TOKEN, &e), AE_EINVAL);
	ae_keydev_free(d);
	conf.token = DEV_TOKEN;
	assert_ok(ae_keydev_new(&d, &conf, NULL));
	assert_rc(ae_keydev_ready(d, AE_KEY_IN_TOKEN, &e), AE_EUNAVAIL);
	assert_int_equal(e.code, NTE_PROVIDER_DLL_FAIL);
	ae_keydev_free(d);
}

/* Wrong PINs are counted by tokens: one try, however often we are asked. */
static void
wrong_pin(void **state)
{
	struct ae_keydev *d = open_devices();
	struct ae_err e = AE_ERR_INIT;
	struct ae_key *k = NULL;

	(void)state;
	set_pin("000000");
	for (int i = 0; i < 5; i++) {
		assert_rc(ae_keydev_generate(&k, d, AE_KEY_IN_TOKEN, AE_KEY_EC,
			      256, "test", &e),
		    AE_EAUTH);
		assert_int_equal(e.code, NTE_INCORRECT_PASSWORD);
		assert_true(ae_keydev_pin_refused(d));
		assert_int_equal(
		    strstr(e.text, "not tried again") != NULL, i > 0);
	}
	ae_keydev_free(d);
	set_pin("");
	d = open_devices();
	assert_rc(ae_keydev_ready(d, AE_KEY_IN_TOKEN, &e), AE_EAUTH);
	assert_int_equal(e.code, NTE_SILENT_CONTEXT);
	assert_false(ae_keydev_pin_refused(d));
	ae_keydev_free(d);
}

/* The token is pulled out and put back while a key of it is in use. */
static void
token_away(void **state)
{
	struct ae_keydev *d = open_devices();
	struct ae_err e = AE_ERR_INIT;
	struct ae_key *k = NULL;
	struct ae_sigalg alg;
	struct ae_wr sig;
	int rc;

	(void)state;
	assert_ok(ae_keydev_generate(
	    &k, d, AE_KEY_IN_TOKEN, AE_KEY_RSA, 2048, "test", NULL));
	alg = ae_key_sigalg(k, AE_HASH_SHA256);
	for (int i = 0; i < 3; i++) {
		ae_wr_init(&sig, AE_SIG_MAX);
		dev_token_out();
		rc = ae_key_sign(&sig, k, &alg, "tbs", 3, &e);
		dev_token_in();
		ae_wr_done(&sig);
		assert_int_not_equal(rc, AE_OK);
		assert_int_equal(e.dom, AE_DOM_HRESULT);
		signs(k, AE_HASH_SHA256, false);
	}
	assert_ok(ae_keydev_destroy(k, NULL));
	ae_key_free(k);
	ae_keydev_free(d);
}

static void
fault(const char *what)
{
	assert_int_equal(setenv("AE_P11_FAULT", what, 1), 0);
}

/* F18: answers that a new session cures, and those that nothing does. */
static void
token_misbehaves(void **state)
{
	static const struct {
		const char *fault;
		enum ae_rc rc; /* of signing */
		uint32_t nte;
	} rows[] = {
		{ "C_Sign b3 1", AE_OK, 0 },	 /* SESSION_HANDLE_INVALID */
		{ "C_Sign 32 1", AE_OK, 0 },	 /* DEVICE_REMOVED */
		{ "C_SignInit b0 1", AE_OK, 0 }, /* SESSION_CLOSED */
		{ "C_SignInit 82 1", AE_OK, 0 }, /* OBJECT_HANDLE_INVALID */
		{ "C_FindObjectsInit 5 1", AE_OK, 0 }, /* GENERAL_ERROR */
		{ "C_Sign 32 9", AE_EUNAVAIL, NTE_DEVICE_NOT_READY },
		{ "C_OpenSession e0 9", AE_OK, 0 }, /* it has one */
		{ "C_Sign 70 1", AE_EUNAVAIL, NTE_NOT_SUPPORTED },
		{ "C_Sign 7fff 1", AE_EUNAVAIL, NTE_FAIL },
		{ "flip", AE_ETRUST, NTE_BAD_SIGNATURE },
	};
	struct ae_keydev_conf conf = {
		.module = AE_P11_FAULTS, .token = DEV_TOKEN, .pin = &pin
	};
	struct ae_keydev *d = NULL;
	struct ae_key *k = NULL, *none = NULL;
	struct ae_err e = AE_ERR_INIT;
	struct ae_sigalg alg;
	struct ae_wr sig;
	int rc;

	(void)state;
	fault("");
	assert_ok(ae_keydev_new(&d, &conf, NULL));
	rc = ae_keydev_generate(
	    &k, d, AE_KEY_IN_TOKEN, AE_KEY_EC, 256, "test", &e);
	assert_string_equal(e.text, "");
	assert_ok(rc);
	alg = ae_key_sigalg(k, AE_HASH_SHA256);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		fault(rows[i].fault);
		ae_wr_init(&sig, AE_SIG_MAX);
		e = (struct ae_err)AE_ERR_INIT;
		assert_rc(ae_key_sign(&sig, k, &alg, "tbs", 3, &e), rows[i].rc);
		assert_int_equal((uint32_t)e.code, rows[i].nte);
		ae_wr_done(&sig);
		fault("");
		signs(k, AE_HASH_SHA256, false);
	}
	fault("C_GenerateKeyPair 31 1"); /* DEVICE_MEMORY */
	assert_rc(ae_keydev_generate(
		      &none, d, AE_KEY_IN_TOKEN, AE_KEY_EC, 256, "test", &e),
	    AE_EUNAVAIL);
	assert_int_equal(e.code, NTE_TOKEN_KEYSET_STORAGE_FULL);
	fault("C_GenerateKeyPair b3 1");
	assert_ok(ae_keydev_generate(
	    &none, d, AE_KEY_IN_TOKEN, AE_KEY_EC, 256, "test", NULL));
	fault("");
	assert_ok(ae_keydev_destroy(none, NULL));
	assert_ok(ae_keydev_destroy(k, NULL));
	ae_key_free(none);
	ae_key_free(k);
	ae_keydev_free(d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_home, setup, teardown),
		cmocka_unit_test_setup_teardown(never_leaves, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    certificate_beside_its_key, setup, teardown),
		cmocka_unit_test_setup_teardown(tpm_not_ready, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    tpm_refuses_sizes, setup, teardown),
		cmocka_unit_test(no_devices),
		cmocka_unit_test_setup_teardown(wrong_pin, setup, teardown),
		cmocka_unit_test_setup_teardown(token_away, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    token_misbehaves, setup, teardown),
	};
	int failed;

	fix_init();
	devices = dev_init();
	if (!devices) {
		print_message("swtpm, tpm2-openssl or SoftHSM are not here\n");
		dev_done();
		return fix_done(77);
	}
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	ae_secret_done(&pin);
	dev_done();
	return fix_done(failed);
}
