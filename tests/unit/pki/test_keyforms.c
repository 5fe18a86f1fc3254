/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Tests of the forms keys have outside: the TPM's public area, what is stored
 * beside a certificate, and the blob of key archival.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "hexfile.h"
#include "mutate.h"
#include "pki/keydev.h"
#include "pki/nte.h"
#include "pki/tss2.h"
#include "torture.h"

static uint8_t *vector;
static size_t vector_len;

/* The point and the modulus are in the vectors as they are in a key. */
static void
tpm_public_areas(void **state)
{
	static const struct {
		const char *name;
		enum ae_key_type type;
		unsigned bits;

	} areas[] = { { "pki-tpm2b-p256.hex", AE_KEY_EC, 256 },
		{ "pki-tpm2b-rsa2048.hex", AE_KEY_RSA, 2048 } };
	struct ae_key *k;
	uint8_t *p;
	size_t len;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		p = ae_hexfile(AE_VECTORS, areas[i].name, &len);
		k = NULL;
		assert_ok(ae_tpm2b_public(&k, p, len, NULL));
		assert_int_equal(ae_key_type(k), areas[i].type);
		assert_int_equal(ae_key_bits(k), areas[i].bits);
		assert_non_null(memmem(
		    ae_key_spki(k).p, ae_key_spki(k).len, p + len - 32, 32));
		ae_key_free(k);
		free(p);
	}
}

static void
read_area(const uint8_t *p, size_t len, void *arg)
{
	struct ae_key *k = NULL;

	(void)arg;
	if (ae_tpm2b_public(&k, p, len, NULL) == AE_OK)
		ae_key_free(k);
}

static bool
area_torture(void *arg)
{
	struct ae_key *k = NULL;
	int rc = ae_tpm2b_public(&k, vector, vector_len, NULL);

	(void)arg;
	ae_key_free(k);
	return rc == AE_OK;
}

static void
area_survives(void **state)
{
	struct ae_key *k = NULL;

	(void)state;
	vector = ae_hexfile(AE_VECTORS, "pki-tpm2b-p256.hex", &vector_len);
	assert_true(ae_mutate(vector, vector_len, read_area, NULL) > 500);
	assert_true(ae_torture(area_torture, NULL, 5000, false) > 5);
	vector[3] = 0x08; /* TPM_ALG_KEYEDHASH */
	assert_rc(ae_tpm2b_public(&k, vector, vector_len, NULL), AE_EPROTO);
	free(vector);
}

static struct ae_key *
make(enum ae_key_type type, unsigned bits)
{
	struct ae_key *k = NULL;

	assert_ok(ae_key_generate(&k, type, bits, NULL));
	return k;
}

static void
stored_forms(void **state)
{
	static const char uri[] = "pkcs11:token=lab;id=%01%02%03%04%05%06%07"
				  "%08%09%0a%0b%0c%0d%0e%0f%10%11%12%13%14"
				  ";type=private\n",
			  short_id[] = "pkcs11:token=lab;id=%01%02",
			  no_id[] = "pkcs11:token=lab";
	struct ae_key *k = make(AE_KEY_EC, 384), *pub = NULL;
	uint8_t id[AE_KEY_ID_LEN], want[AE_KEY_ID_LEN];
	struct ae_secret pem = { 0 };

	(void)state;
	assert_ok(ae_key_store(&pem, k, NULL));
	assert_ok(ae_key_stored_public(&pub, id, pem.p, pem.len, NULL));
	assert_true(ae_key_same_public(k, pub));
	assert_ok(ae_key_id(want, k, NULL));
	assert_memory_equal(id, want, sizeof(id));
	ae_key_free(pub);
	ae_key_free(k);
	ae_secret_done(&pem);
	pub = (struct ae_key *)(uintptr_t)1;
	assert_ok(ae_key_stored_public(&pub, id, uri, strlen(uri), NULL));
	assert_null(pub);
	for (uint8_t i = 0; i < AE_KEY_ID_LEN; i++)
		assert_int_equal(id[i], i + 1);
	assert_rc(
	    ae_key_stored_public(&pub, id, short_id, strlen(short_id), NULL),
	    AE_EPROTO);
	assert_rc(ae_key_stored_public(&pub, id, no_id, strlen(no_id), NULL),
	    AE_EPROTO);
	assert_rc(ae_key_stored_public(&pub, id, "x", 1, NULL), AE_EPROTO);
}

/* Microsoft's RSA blob is one OpenSSL reads, too. */
static void
witnessed(const struct ae_secret *blob, const struct ae_key *k)
{
	const unsigned char *p = blob->p;
	EVP_PKEY *pkey = b2i_PrivateKey(&p, (long)blob->len);
	unsigned char *spki = NULL;
	int n;

	assert_non_null(pkey);
	n = i2d_PUBKEY(pkey, &spki);
	assert_int_equal(n, ae_key_spki(k).len);
	assert_memory_equal(spki, ae_key_spki(k).p, (size_t)n);
	OPENSSL_free(spki);
	EVP_PKEY_free(pkey);
}

static void
archived_keys(void **state)
{
	static const struct {
		enum ae_key_type type;
		unsigned bits;
		size_t len;
	} kinds[] = { { AE_KEY_RSA, 2048, 1172 }, { AE_KEY_EC, 256, 104 },
		{ AE_KEY_EC, 384, 152 }, { AE_KEY_EC, 521, 206 } };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct ae_key *k = make(kinds[i].type, kinds[i].bits);
		struct ae_key *again = NULL, *pub = NULL;
		struct ae_secret blob = { 0 };
		struct ae_err e = AE_ERR_INIT;

		assert_ok(ae_key_to_private_blob(&blob, k, NULL));
		assert_int_equal(blob.len, kinds[i].len);
		if (kinds[i].type == AE_KEY_RSA)
			witnessed(&blob, k);
		assert_ok(
		    ae_key_from_private_blob(&again, blob.p, blob.len, NULL));
		assert_true(ae_key_is_private(again));
		assert_true(ae_key_same_public(k, again));
		ae_key_free(again);
		again = NULL;
		/* Halves that do not fit, too short, too long. */
		blob.p[blob.len - 1] ^= 1;
		blob.p[blob.len - 2] ^= 1;
		assert_rc(
		    ae_key_from_private_blob(&again, blob.p, blob.len, NULL),
		    AE_EPROTO);
		assert_rc(ae_key_from_private_blob(
			      &again, blob.p, blob.len - 1, NULL),
		    AE_EPROTO);
		ae_secret_done(&blob);
		assert_ok(ae_key_from_spki(
		    &pub, ae_key_spki(k).p, ae_key_spki(k).len, NULL));
		assert_rc(ae_key_to_private_blob(&blob, pub, &e), AE_EDENIED);
		assert_int_equal(e.code, NTE_BAD_KEY_STATE);
		ae_key_free(pub);
		ae_key_free(k);
	}
}

/* MS-WCCE says little endian, CNG writes big endian: both are read. */
static void
ec_either_way(void **state)
{
	struct ae_key *k = make(AE_KEY_EC, 256), *again = NULL;
	struct ae_secret blob = { 0 };
	uint8_t t;

	(void)state;
	assert_ok(ae_key_to_private_blob(&blob, k, NULL));
	assert_memory_equal(blob.p, "ECK2\x20\0\0\0", 8);
	for (size_t part = 8; part < blob.len; part += 32)
		for (size_t i = 0; i < 16; i++) {
			t = blob.p[part + i];
			blob.p[part + i] = blob.p[part + 31 - i];
			blob.p[part + 31 - i] = t;
		}
	assert_ok(ae_key_from_private_blob(&again, blob.p, blob.len, NULL));
	assert_true(ae_key_same_public(k, again));
	ae_key_free(again);
	ae_key_free(k);
	ae_secret_done(&blob);
}

static void
read_blob(const uint8_t *p, size_t len, void *arg)
{
	struct ae_key *k = NULL;

	(void)arg;
	if (ae_key_from_private_blob(&k, p, len, NULL) == AE_OK)
		ae_key_free(k);
}

static bool
blob_torture(void *arg)
{
	struct ae_secret blob = { 0 };
	struct ae_key *k = NULL;
	bool ok;

	ok = ae_key_to_private_blob(&blob, arg, NULL) == AE_OK &&
	    ae_key_from_private_blob(&k, blob.p, blob.len, NULL) == AE_OK;
	ae_key_free(k);
	ae_secret_done(&blob);
	return ok;
}

static void
blob_survives(void **state)
{
	struct ae_secret blob = { 0 };

	(void)state;
	assert_ok(ae_key_to_private_blob(&blob, fix_leaf_key(), NULL));
	assert_true(ae_mutate(blob.p, blob.len, read_blob, NULL) > 500);
	ae_secret_done(&blob);
	assert_true(ae_torture(blob_torture, fix_leaf_key(), 5000, false) > 5);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(tpm_public_areas),
		cmocka_unit_test(area_survives),
		cmocka_unit_test(stored_forms),
		cmocka_unit_test(archived_keys),
		cmocka_unit_test(ec_either_way),
		cmocka_unit_test(blob_survives),
	};

	fix_init();
	return fix_done(cmocka_run_group_tests(tests, NULL, NULL));
}
