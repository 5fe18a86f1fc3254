/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Tests of pki/key.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "fixture.h"
#include "mutate.h"
#include "torture.h"

static const struct ae_key_policy policy = { 2048, 4096, 256 };

static struct ae_key *
import(struct ae_der spki)
{
	struct ae_key *k = NULL;

	assert_ok(ae_key_from_spki(&k, spki.p, spki.len, NULL));
	return k;
}

static void
each_kind_signs_and_verifies(void **state)
{
	static const struct {
		enum ae_key_type type;
		unsigned bits;
		const char *name;
	} kinds[] = { { AE_KEY_EC, 256, "p256" }, { AE_KEY_EC, 384, "p384" },
		{ AE_KEY_EC, 521, "p521" }, { AE_KEY_RSA, 2048, "rsa2048" } };
	struct ae_key *k, *pub;
	struct ae_sigalg alg;
	char name[16];
	struct ae_wr sig;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		k = NULL;
		assert_ok(
		    ae_key_generate(&k, kinds[i].type, kinds[i].bits, NULL));
		assert_true(ae_key_is_private(k));
		assert_int_equal(ae_key_bits(k), kinds[i].bits);
		assert_string_equal(ae_key_print(name, k), kinds[i].name);
		assert_ok(ae_key_check(k, &policy, NULL));
		pub = import(ae_key_spki(k));
		assert_false(ae_key_is_private(pub));
		assert_true(ae_key_same_public(k, pub));
		assert_int_equal(ae_key_bits(pub), kinds[i].bits);
		assert_ok(ae_key_check(pub, &policy, NULL));
		for (int h = AE_HASH_SHA256; h <= AE_HASH_SHA512; h++) {
			alg = ae_key_sigalg(k, (enum ae_hash)h);
			ae_wr_init(&sig, AE_SIG_MAX);
			assert_ok(ae_key_sign(&sig, k, &alg, "abc", 3, NULL));
			assert_ok(ae_key_verify(
			    pub, &alg, "abc", 3, sig.p, sig.len, NULL));
			assert_rc(ae_key_verify(pub, &alg, "abd", 3, sig.p,
				      sig.len, NULL),
			    AE_ETRUST);
			assert_rc(ae_key_verify(pub, &alg, "abc", 3, sig.p,
				      sig.len - 1, NULL),
			    AE_ETRUST);
			assert_rc(
			    ae_key_verify(pub, &alg, "abc", 3, NULL, 0, NULL),
			    AE_ETRUST);
			ae_wr_done(&sig);
		}
		ae_wr_init(&sig, AE_SIG_MAX);
		assert_rc(
		    ae_key_sign(&sig, pub, &alg, "abc", 3, NULL), AE_EINVAL);
		ae_wr_done(&sig);
		ae_key_free(pub);
		ae_key_free(k);
	}
}

static void
pss(void **state)
{
	struct ae_sigalg alg = { AE_KEY_RSA, AE_HASH_SHA256, true };
	struct ae_sigalg plain = { AE_KEY_RSA, AE_HASH_SHA256, false };
	struct ae_wr sig;

	(void)state;
	ae_wr_init(&sig, AE_SIG_MAX);
	assert_ok(ae_key_sign(&sig, fix_rsa_key(), &alg, "abc", 3, NULL));
	assert_ok(
	    ae_key_verify(fix_rsa_key(), &alg, "abc", 3, sig.p, sig.len, NULL));
	assert_rc(ae_key_verify(
		      fix_rsa_key(), &plain, "abc", 3, sig.p, sig.len, NULL),
	    AE_ETRUST);
	ae_wr_reset(&sig);
	assert_ok(ae_key_sign(&sig, fix_rsa_key(), &plain, "abc", 3, NULL));
	assert_ok(ae_key_verify(
	    fix_rsa_key(), &plain, "abc", 3, sig.p, sig.len, NULL));
	assert_rc(
	    ae_key_verify(fix_rsa_key(), &alg, "abc", 3, sig.p, sig.len, NULL),
	    AE_ETRUST);
	ae_wr_done(&sig);
}

static void
algorithm_of_another_key(void **state)
{
	struct ae_sigalg rsa = { AE_KEY_RSA, AE_HASH_SHA256, false };
	struct ae_sigalg ecpss = { AE_KEY_EC, AE_HASH_SHA256, true };
	struct ae_sigalg none = { AE_KEY_EC, AE_HASH_NONE, false };
	struct ae_wr sig;

	(void)state;
	ae_wr_init(&sig, AE_SIG_MAX);
	assert_rc(
	    ae_key_sign(&sig, fix_ca_key(), &rsa, "", 0, NULL), AE_EINVAL);
	assert_rc(
	    ae_key_sign(&sig, fix_ca_key(), &ecpss, "", 0, NULL), AE_EINVAL);
	assert_rc(
	    ae_key_sign(&sig, fix_ca_key(), &none, "", 0, NULL), AE_EINVAL);
	assert_rc(
	    ae_key_verify(fix_ca_key(), &rsa, "", 0, "x", 1, NULL), AE_ETRUST);
	ae_wr_done(&sig);
}

static void
algorithms_round_trip(void **state)
{
	struct ae_sigalg a, b;
	struct ae_wr w;
	int n = 0;

	(void)state;
	for (int key = AE_KEY_RSA; key <= AE_KEY_EC; key++)
		for (int h = AE_HASH_SHA1; h <= AE_HASH_SHA512; h++)
			for (int p = 0; p < 2; p++) {
				a = (struct ae_sigalg){ (enum ae_key_type)key,
					(enum ae_hash)h, p == 1 };
				if (strcmp(ae_sigalg_name(&a), "unknown") == 0)
					continue;
				ae_wr_init(&w, 200);
				ae_sigalg_put(&w, &a);
				assert_true(ae_wr_ok(&w));
				assert_ok(ae_der_check(w.p, w.len, NULL));
				assert_ok(ae_sigalg_get(&b, w.p, w.len, NULL));
				assert_true(ae_sigalg_equal(&a, &b));
				assert_rc(
				    ae_sigalg_get(&b, w.p, w.len - 1, NULL),
				    AE_EPROTO);
				ae_wr_done(&w);
				n++;
			}
	assert_int_equal(n, 11);
	assert_rc(ae_sigalg_get(&b, "", 0, NULL), AE_EPROTO);
}

static void
pem_round_trip(void **state)
{
	struct ae_secret pass = { NULL, 0 }, wrong = { NULL, 0 };
	struct ae_secret pem = { NULL, 0 };
	struct ae_key *k = NULL, *pub;

	(void)state;
	assert_int_equal(ae_secret_set(&pass, "open sesame", 11), 0);
	assert_int_equal(ae_secret_set(&wrong, "open", 4), 0);
	assert_ok(ae_key_to_pem(&pem, fix_ca_key(), NULL, NULL));
	assert_memory_equal(pem.p, "-----BEGIN PRIVATE KEY-----", 27);
	assert_ok(ae_key_from_pem(&k, pem.p, pem.len, NULL, NULL));
	assert_true(ae_key_is_private(k));
	assert_true(ae_key_same_public(k, fix_ca_key()));
	ae_key_free(k);
	k = NULL;
	assert_ok(ae_key_to_pem(&pem, fix_ca_key(), &pass, NULL));
	assert_memory_equal(pem.p, "-----BEGIN ENCRYPTED PRIVATE KEY-----", 37);
	assert_ok(ae_key_from_pem(&k, pem.p, pem.len, &pass, NULL));
	assert_true(ae_key_same_public(k, fix_ca_key()));
	ae_key_free(k);
	k = NULL;
	assert_rc(ae_key_from_pem(&k, pem.p, pem.len, NULL, NULL), AE_EAUTH);
	assert_rc(ae_key_from_pem(&k, pem.p, pem.len, &wrong, NULL), AE_EAUTH);
	assert_rc(
	    ae_key_from_pem(&k, pem.p, pem.len / 2, &pass, NULL), AE_EPROTO);
	assert_rc(ae_key_from_pem(&k, "", 0, NULL, NULL), AE_EPROTO);
	assert_null(k);
	pub = import(ae_key_spki(fix_ca_key()));
	assert_rc(ae_key_to_pem(&pem, pub, NULL, NULL), AE_EINVAL);
	ae_key_free(pub);
	ae_secret_done(&pem);
	ae_secret_done(&pass);
	ae_secret_done(&wrong);
}

static void
opened_by_uri(void **state)
{
	char path[] = "/tmp/ae-key-XXXXXX", uri[64];
	struct ae_secret pem = { NULL, 0 };
	struct ae_key *k = NULL;
	struct ae_err e = AE_ERR_INIT;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_ok(ae_key_to_pem(&pem, fix_ca_key(), NULL, NULL));
	assert_int_equal(write(fd, pem.p, pem.len), (ssize_t)pem.len);
	(void)snprintf(uri, sizeof(uri), "file:%s", path);
	assert_ok(ae_key_open(&k, uri, NULL, NULL));
	ae_key_free(k);
	k = NULL;
	(void)snprintf(uri, sizeof(uri), "file://%s", path);
	assert_ok(ae_key_open(&k, uri, NULL, NULL));
	ae_key_free(k);
	k = NULL;
	assert_int_equal(ftruncate(fd, 70 * 1024), 0);
	assert_rc(ae_key_open(&k, uri, NULL, &e), AE_ELIMIT);
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_rc(ae_key_open(&k, uri, NULL, &e), AE_EPROTO);
	assert_non_null(strstr(e.text, path));
	(void)close(fd);
	(void)unlink(path);
	assert_rc(ae_key_open(&k, uri, NULL, NULL), AE_ENOTFOUND);
	assert_rc(ae_key_open(&k, "file:/", NULL, NULL), AE_ELIMIT);
	assert_rc(ae_key_open(&k, path, NULL, NULL), AE_EINVAL);
	assert_rc(ae_key_open(&k, "file://host/x", NULL, NULL), AE_EINVAL);
	assert_rc(ae_key_open(&k, "pkcs11:token=x", NULL, NULL), AE_EINVAL);
	assert_null(k);
	ae_secret_done(&pem);
}

static void
sizes_that_are_not_made(void **state)
{
	struct ae_key *k = NULL;

	(void)state;
	assert_rc(ae_key_generate(&k, AE_KEY_RSA, 1024, NULL), AE_EINVAL);
	assert_rc(ae_key_generate(&k, AE_KEY_RSA, 2049, NULL), AE_EINVAL);
	assert_rc(ae_key_generate(&k, AE_KEY_RSA, 16384, NULL), AE_EINVAL);
	assert_rc(ae_key_generate(&k, AE_KEY_EC, 224, NULL), AE_EINVAL);
	assert_rc(ae_key_generate(&k, AE_KEY_EC, 0, NULL), AE_EINVAL);
	assert_null(k);
}

/* A SubjectPublicKeyInfo of n and e, whatever they are. */
static void
rsa_spki(struct ae_wr *w, const BIGNUM *n, const char *e_hex)
{
	static const char alg[] = "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d"
				  "\x01\x01\x01\x05\x00";
	uint8_t nb[4096], eb[64];
	BIGNUM *e = NULL;
	size_t m1, m2, m3;

	assert_true(BN_hex2bn(&e, e_hex) > 0);
	ae_wr_init(w, 8192);
	m1 = ae_der_open(w, AE_DER_SEQUENCE);
	ae_wr_bytes(w, alg, sizeof(alg) - 1);
	m2 = ae_der_open(w, AE_DER_BITSTRING);
	ae_wr_u8(w, 0);
	m3 = ae_der_open(w, AE_DER_SEQUENCE);
	ae_der_bignum(w, nb, (size_t)BN_bn2bin(n, nb));
	ae_der_bignum(w, eb, (size_t)BN_bn2bin(e, eb));
	ae_der_close(w, m3);
	ae_der_close(w, m2);
	ae_der_close(w, m1);
	BN_free(e);
}

static struct ae_key *
rsa_of(const BIGNUM *n, const char *e_hex)
{
	struct ae_key *k = NULL;
	struct ae_wr w;

	rsa_spki(&w, n, e_hex);
	assert_ok(ae_key_from_spki(&k, w.p, w.len, NULL));
	ae_wr_done(&w);
	return k;
}

static void
is_weak(const BIGNUM *n, const char *e_hex, const char *why)
{
	struct ae_key *k = rsa_of(n, e_hex);
	struct ae_err e = AE_ERR_INIT;

	assert_rc(ae_key_check(k, &policy, &e), AE_EDENIED);
	assert_non_null(strstr(e.text, why));
	ae_key_free(k);
}

/* A product of two 1024-bit primes of a distance of about 2^bits. */
static void
close_primes(BIGNUM *n, int bits)
{
	BN_CTX *ctx = BN_CTX_new();
	BIGNUM *p = BN_new(), *q = BN_new(), *d = BN_new();

	assert_true(BN_generate_prime_ex(p, 1024, 0, NULL, NULL, NULL));
	assert_true(BN_set_bit(d, bits));
	assert_true(BN_add(q, p, d));
	if (!BN_is_odd(q))
		assert_true(BN_add_word(q, 1));
	while (BN_check_prime(q, ctx, NULL) != 1)
		assert_true(BN_add_word(q, 2));
	assert_true(BN_mul(n, p, q, ctx));
	BN_free(p);
	BN_free(q);
	BN_free(d);
	BN_CTX_free(ctx);
}

/*
 * A modulus with the flawed generator's fingerprint: 65537 to some power
 * modulo the product of its small primes, made odd and large.
 */
static void
roca_modulus(BIGNUM *n, BN_ULONG power)
{
	static const unsigned char primes[] = { 3, 5, 7, 11, 13, 17, 19, 23, 29,
		31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101,
		103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163,
		167 };
	BIGNUM *m = BN_new(), *g = BN_new(), *a = BN_new(), *t = BN_new();
	BN_CTX *ctx = BN_CTX_new();

	assert_true(
	    BN_one(m) && BN_set_word(g, 65537) && BN_set_word(a, power));
	for (size_t i = 0; i < sizeof(primes); i++)
		assert_true(BN_mul_word(m, primes[i]));
	assert_true(BN_mod_exp(n, g, a, m, ctx));
	assert_true(BN_set_bit(t, 2047));
	assert_true(BN_div(t, NULL, t, m, ctx) && BN_add_word(t, 2));
	assert_true(BN_mul(t, t, m, ctx) && BN_add(n, n, t));
	if (!BN_is_odd(n))
		assert_true(BN_add(n, n, m));
	BN_free(m);
	BN_free(g);
	BN_free(a);
	BN_free(t);
	BN_CTX_free(ctx);
}

static void
weak_key_rsa(void **state)
{
	BIGNUM *n = BN_new();
	struct ae_key *k;

	(void)state;
	close_primes(n, 1016);
	k = rsa_of(n, "010001");
	assert_ok(ae_key_check(k, &policy, NULL));
	ae_key_free(k);
	k = rsa_of(n, "03");
	assert_ok(ae_key_check(k, &policy, NULL));
	ae_key_free(k);
	is_weak(n, "01", "exponent");
	is_weak(n, "010000", "exponent");
	is_weak(n, "0100000001", "exponent");
	/* more bytes than are asked for at first */
	is_weak(n, "01000000000000000001", "exponent");
	assert_true(BN_add_word(n, 1));
	is_weak(n, "010001", "even");
	close_primes(n, 20);
	is_weak(n, "010001", "close");
	close_primes(n, 500);
	is_weak(n, "010001", "close");
	roca_modulus(n, 1234567);
	is_weak(n, "010001", "CVE-2017-15361");
	BN_free(n);
}

static void
weak_key_sizes(void **state)
{
	static const struct ae_key_policy no_rsa = { 0, 0, 256 },
					  no_ec = { 2048, 4096, 0 },
					  big = { 3072, 4096, 384 };

	(void)state;
	assert_rc(ae_key_check(fix_rsa_key(), &no_rsa, NULL), AE_EDENIED);
	assert_rc(ae_key_check(fix_rsa_key(), &big, NULL), AE_EDENIED);
	assert_rc(ae_key_check(fix_ca_key(), &no_ec, NULL), AE_EDENIED);
	assert_rc(ae_key_check(fix_ca_key(), &big, NULL), AE_EDENIED);
	assert_ok(ae_key_check(fix_rsa_key(), &no_ec, NULL));
}

static int
spki_with(size_t at, uint8_t v, size_t cut)
{
	struct ae_der d = ae_key_spki(fix_ca_key());
	struct ae_key *k = NULL;
	uint8_t b[128];
	int rc;

	assert_true(d.len <= sizeof(b));
	memcpy(b, d.p, d.len);
	b[at] = v;
	rc = ae_key_from_spki(&k, b, d.len - cut, NULL);
	ae_key_free(k);
	return rc;
}

static void
weak_key_points_off_the_curve(void **state)
{
	struct ae_der d = ae_key_spki(fix_ca_key());

	(void)state;
	assert_ok(spki_with(0, 0x30, 0));
	assert_rc(
	    spki_with(d.len - 1, (uint8_t)(d.p[d.len - 1] ^ 1), 0), AE_EPROTO);
	assert_rc(spki_with(d.len - 65, 0x02, 0), AE_EPROTO); /* compressed */
	assert_rc(spki_with(d.len - 65, 0x00, 0), AE_EPROTO); /* infinity */
	assert_rc(spki_with(d.len - 66, 0x01, 0), AE_EPROTO); /* unused bit */
	assert_rc(spki_with(0, 0x30, 1), AE_EPROTO);
	assert_rc(spki_with(22, 0x06, 0), AE_EPROTO); /* another curve */
}

/* ---- sixty vectors, each refused, and soon ---- */

#ifdef __SANITIZE_ADDRESS__
#define SOON_MS 50
#else
#define SOON_MS 5
#endif

static unsigned vectors;

static void
refused_soon(const void *spki, size_t len, const char *what)
{
	struct timespec t0, t1;
	struct ae_key *k = NULL;
	double ms;
	int rc;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t0);
	rc = ae_key_from_spki(&k, spki, len, NULL);
	if (rc == AE_OK)
		rc = ae_key_check(k, &policy, NULL);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t1);
	ae_key_free(k);
	ms = (double)(t1.tv_sec - t0.tv_sec) * 1e3 +
	    (double)(t1.tv_nsec - t0.tv_nsec) / 1e6;
	if (rc == AE_OK || rc == AE_ENOMEM || ms > SOON_MS)
		fail_msg("%s: %s, %.1f ms", what, ae_rc_name(rc), ms);
	vectors++;
}

static void
refused_rsa(const BIGNUM *n, const char *e_hex, const char *what)
{
	struct ae_wr w;

	rsa_spki(&w, n, e_hex);
	refused_soon(w.p, w.len, what);
	ae_wr_done(&w);
}

/* Every kind of public key that OpenSSL makes and we do not certify. */
static void
refused_kinds(void)
{
	static const char *const kinds[] = { "ED25519", "ED448", "X25519",
		"X448", "DH" };
	static const char *const curves[] = { "secp224r1", "prime192v1",
		"secp256k1", "brainpoolP256r1", "sect283r1", "secp160r1" };
	EVP_PKEY *k;
	uint8_t *der;
	size_t i;
	int len;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]) +
		 sizeof(curves) / sizeof(curves[0]);
	     i++) {
		const char *name = i < 5 ? kinds[i] : curves[i - 5];
		EVP_PKEY_CTX *ctx;

		k = NULL;
		if (i == 4) { /* a group by name, or there is nothing to do */
			ctx = EVP_PKEY_CTX_new_from_name(NULL, "DH", NULL);
			assert_true(EVP_PKEY_keygen_init(ctx) == 1 &&
			    EVP_PKEY_CTX_set_group_name(ctx, "ffdhe2048") ==
				1 &&
			    EVP_PKEY_keygen(ctx, &k) == 1);
			EVP_PKEY_CTX_free(ctx);
		} else {
			k = i < 5 ? EVP_PKEY_Q_keygen(NULL, NULL, name)
				  : EVP_EC_gen(name);
		}
		assert_non_null(k);
		der = NULL;
		len = i2d_PUBKEY(k, &der);
		assert_true(len > 0);
		refused_soon(der, (size_t)len, name);
		OPENSSL_free(der);
		EVP_PKEY_free(k);
	}
}

static void
refused_points(void)
{
	struct ae_der d = ae_key_spki(fix_ca_key());
	uint8_t b[128];
	size_t i;

	assert_true(d.len <= sizeof(b));
	for (i = 0; i < 8; i++) { /* off the curve */
		memcpy(b, d.p, d.len);
		b[d.len - 1 - 8 * i] ^= 1;
		refused_soon(b, d.len, "a point off the curve");
	}
	for (i = 0; i < 5; i++) { /* other forms of a point, or none */
		memcpy(b, d.p, d.len);
		b[d.len - 65] = (uint8_t[]){ 0, 2, 3, 5, 6 }[i];
		refused_soon(b, d.len, "another form of a point");
	}
	memcpy(b, d.p, d.len);
	memset(b + d.len - 64, 0, 64);
	refused_soon(b, d.len, "zero");
	memset(b + d.len - 64, 0xff, 64);
	refused_soon(b, d.len, "beyond the field");
	memcpy(b, d.p, d.len);
	b[22] = 0x22;
	refused_soon(b, d.len, "P-384's name over a point of P-256");
}

static void
weak_key_sixty_vectors(void **state)
{
	static const char *const exponents[] = { "00", "01", "02", "04", "10",
		"010000", "FFFFFFFE", "0100000000", "0100000001",
		"0123456789ABCDEF01", "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF" };
	static const int sizes[] = { 512, 768, 1023, 1024, 1536, 2040, 2047,
		4097, 5120, 8192, 16384 };
	static const int distances[] = { 4, 20, 64, 128, 200, 256, 320, 400,
		450, 500 };
	BIGNUM *n = BN_new();
	size_t i;

	(void)state;
	vectors = 0;
	assert_true(BN_rand(n, 2048, BN_RAND_TOP_TWO, BN_RAND_BOTTOM_ODD));
	for (i = 0; i < sizeof(exponents) / sizeof(exponents[0]); i++)
		refused_rsa(n, exponents[i], exponents[i]);
	assert_true(BN_add_word(n, 1));
	refused_rsa(n, "010001", "an even modulus");
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		assert_true(
		    BN_rand(n, sizes[i], BN_RAND_TOP_TWO, BN_RAND_BOTTOM_ODD));
		refused_rsa(n, "010001", "a size");
	}
	for (i = 0; i < sizeof(distances) / sizeof(distances[0]); i++) {
		close_primes(n, distances[i]);
		refused_rsa(n, "010001", "close factors");
	}
	for (i = 0; i < 8; i++) {
		roca_modulus(n, 3 + i * i * 7919);
		refused_rsa(n, "010001", "the flawed generator's");
	}
	BN_free(n);
	refused_kinds();
	refused_points();
	assert_true(vectors >= 60);
}

static void
try_spki(const uint8_t *p, size_t len, void *arg)
{
	struct ae_key *k = NULL;

	(void)arg;
	if (ae_key_from_spki(&k, p, len, NULL) == AE_OK &&
	    ae_key_check(k, &policy, NULL) != AE_OK)
		assert_non_null(k);
	ae_key_free(k);
}

static void
import_survives_mutation(void **state)
{
	struct ae_der ec = ae_key_spki(fix_ca_key());
	struct ae_der rsa = ae_key_spki(fix_rsa_key());

	(void)state;
	assert_true(ae_mutate(ec.p, ec.len, try_spki, NULL) > 1000);
	assert_true(ae_mutate(rsa.p, rsa.len < 64 ? rsa.len : 64, try_spki,
			NULL) > 500);
}

static bool
work(void *arg)
{
	struct ae_key *k = NULL;
	struct ae_sigalg alg;
	struct ae_wr sig;
	bool ok;

	(void)arg;
	ae_wr_init(&sig, AE_SIG_MAX);
	alg = ae_key_sigalg(fix_ca_key(), AE_HASH_SHA256);
	ok = ae_key_from_spki(&k, ae_key_spki(fix_ca_key()).p,
		 ae_key_spki(fix_ca_key()).len, NULL) == AE_OK &&
	    ae_key_check(k, &policy, NULL) == AE_OK &&
	    ae_key_sign(&sig, fix_ca_key(), &alg, "abc", 3, NULL) == AE_OK &&
	    ae_key_verify(k, &alg, "abc", 3, sig.p, sig.len, NULL) == AE_OK;
	ae_wr_done(&sig);
	ae_key_free(k);
	return ok;
}

static void
survives_lack_of_memory(void **state)
{
	(void)state;
	assert_true(work(NULL));
	assert_true(ae_torture(work, NULL, 5000, false) > 10);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind_signs_and_verifies),
		cmocka_unit_test(pss),
		cmocka_unit_test(algorithm_of_another_key),
		cmocka_unit_test(algorithms_round_trip),
		cmocka_unit_test(pem_round_trip),
		cmocka_unit_test(opened_by_uri),
		cmocka_unit_test(sizes_that_are_not_made),
		cmocka_unit_test(weak_key_rsa),
		cmocka_unit_test(weak_key_sizes),
		cmocka_unit_test(weak_key_points_off_the_curve),
		cmocka_unit_test(weak_key_sixty_vectors),
		cmocka_unit_test(import_survives_mutation),
		cmocka_unit_test(survives_lack_of_memory),
	};

	fix_init();
	return fix_done(cmocka_run_group_tests(tests, NULL, NULL));
}
