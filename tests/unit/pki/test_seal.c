/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Secrets that only who has the CA's key can read: an RSA and an EC one, the
 * same key opened twice, another key, another use, each byte changed.  A key
 * in a token: test_keydev.c.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>
#include <string.h>

#include "pki/seal.h"

static const char plain[] = "an exchange key";

static struct ae_key *
make(enum ae_key_type type, unsigned bits)
{
	struct ae_key *k = NULL;

	assert_int_equal(ae_key_generate(&k, type, bits, NULL), AE_OK);
	return k;
}

/* The same key as another node has it, by way of its file. */
static struct ae_key *
elsewhere(const struct ae_key *k)
{
	struct ae_secret pem = { 0 };
	struct ae_key *out = NULL;

	assert_int_equal(ae_key_to_pem(&pem, k, NULL, NULL), AE_OK);
	assert_int_equal(
	    ae_key_from_pem(&out, pem.p, pem.len, NULL, NULL), AE_OK);
	ae_secret_done(&pem);
	return out;
}

static void
round_trip(enum ae_key_type type, unsigned bits)
{
	struct ae_key *a = make(type, bits), *b = elsewhere(a);
	struct ae_key *other = make(type, bits);
	struct ae_secret got = { 0 };
	struct ae_wr w, again;
	size_t i;

	ae_wr_init(&w, AE_SEALED_MAX);
	ae_wr_init(&again, AE_SEALED_MAX);
	assert_int_equal(
	    ae_seal(&w, a, "x", plain, sizeof(plain), NULL), AE_OK);
	assert_int_equal(
	    ae_seal(&again, a, "x", plain, sizeof(plain), NULL), AE_OK);
	assert_int_equal(w.len, again.len);
	assert_memory_not_equal(w.p, again.p, w.len);
	assert_int_equal(ae_unseal(&got, b, "x", w.p, w.len, NULL), AE_OK);
	assert_int_equal(got.len, sizeof(plain));
	assert_memory_equal(got.p, plain, sizeof(plain));
	ae_secret_done(&got);
	assert_int_equal(
	    ae_unseal(&got, other, "x", w.p, w.len, NULL), AE_ETRUST);
	assert_int_equal(ae_unseal(&got, b, "y", w.p, w.len, NULL), AE_ETRUST);
	assert_int_equal(
	    ae_unseal(&got, b, "x", w.p, w.len - 1, NULL), AE_ETRUST);
	assert_int_equal(ae_unseal(&got, b, "x", w.p, 0, NULL), AE_ETRUST);
	for (i = 0; i < w.len; i += type == AE_KEY_EC ? 1 : 7) {
		w.p[i] ^= 1;
		assert_int_equal(
		    ae_unseal(&got, b, "x", w.p, w.len, NULL), AE_ETRUST);
		w.p[i] ^= 1;
	}
	ae_wr_done(&w);
	ae_wr_done(&again);
	ae_key_free(a);
	ae_key_free(b);
	ae_key_free(other);
}

static void
whoever_has_the_key_reads_it(void **state)
{
	(void)state;
	round_trip(AE_KEY_RSA, 2048);
	round_trip(AE_KEY_EC, 256);
	round_trip(AE_KEY_EC, 521);
}

static void
what_is_too_long_is_refused(void **state)
{
	static const uint8_t big[AE_SEALED_MAX + 1];
	struct ae_key *k = make(AE_KEY_EC, 256), *public = NULL;
	struct ae_der spki = ae_key_spki(k);
	struct ae_secret got = { 0 };
	struct ae_wr w;

	(void)state;
	ae_wr_init(&w, AE_SEALED_MAX);
	assert_int_equal(
	    ae_seal(&w, k, "x", big, AE_SEALED_MAX, NULL), AE_ELIMIT);
	assert_int_equal(
	    ae_unseal(&got, k, "x", big, sizeof(big), NULL), AE_ETRUST);
	assert_int_equal(
	    ae_key_from_spki(&public, spki.p, spki.len, NULL), AE_OK);
	assert_int_equal(ae_seal(&w, public, "x", big, 1, NULL), AE_EUNAVAIL);
	assert_int_equal(w.len, 0);
	ae_wr_done(&w);
	ae_key_free(k);
	ae_key_free(public);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whoever_has_the_key_reads_it),
		cmocka_unit_test(what_is_too_long_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
