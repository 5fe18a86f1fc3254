/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Is a requested public key too weak to certify?  Cheap tests only: sizes,
 * the exponent, factors close together, and the fingerprint of the flawed
 * generator of CVE-2017-15361.
 */
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>

#include "pki/key_int.h"
#include "pki/ossl.h"

#define FERMAT_ROUNDS 100

/*
 * Nemec et al., "The Return of Coppersmith's Attack", CCS 2017: the moduli
 * of the flawed library are powers of 65537 modulo each of these primes.
 * Chosen are those where the powers of 65537 are a small part of the group;
 * a random modulus passes all of them with a chance below 2^-27.
 */
static const unsigned char roca_primes[] = { 11, 13, 17, 19, 37, 53, 61, 71, 73,
	79, 97, 103, 107, 109, 127, 151, 157 };

static bool
is_power_of_65537(BN_ULONG residue, unsigned prime)
{
	unsigned g = 65537 % prime, x = 1;

	do {
		if (x == residue)
			return true;
		x = x * g % prime;
	} while (x != 1);
	return false;
}

static bool
looks_roca(const BIGNUM *n)
{
	for (size_t i = 0; i < sizeof(roca_primes); i++)
		if (!is_power_of_65537(
			BN_mod_word(n, roca_primes[i]), roca_primes[i]))
			return false;
	return true;
}

/*
 * Integer square root by Newton's method: *a = ceil(sqrt(n)).  The start is
 * a power of two above the root, so the sequence falls until it is there.
 */
static bool
root_up(BIGNUM *a, const BIGNUM *n, BN_CTX *ctx)
{
	BIGNUM *x, *y;
	bool ok = false;

	BN_CTX_start(ctx);
	x = BN_CTX_get(ctx);
	y = BN_CTX_get(ctx);
	if (y == NULL || !BN_set_bit(x, BN_num_bits(n) / 2 + 1))
		goto out;
	for (;;) {
		if (!BN_div(y, NULL, n, x, ctx) || !BN_add(y, y, x) ||
		    !BN_rshift1(y, y))
			goto out;
		if (BN_cmp(y, x) >= 0)
			break;
		BN_swap(x, y);
	}
	if (!BN_sqr(y, x, ctx) || (BN_cmp(y, n) < 0 && !BN_add_word(x, 1)) ||
	    BN_copy(a, x) == NULL)
		goto out;
	ok = true;
out:
	BN_CTX_end(ctx);
	return ok;
}

/*
 * Rules out 99 of 100 numbers that are no squares by their residues, without
 * a root: the residue modulo 64 * 63 * 65 * 11 (which fits 32 bits) is taken
 * once, its parts are looked at in turn.
 */
static bool
may_be_square(const BIGNUM *b)
{
	static const unsigned moduli[] = { 64, 63, 65, 11 };
	BN_ULONG r = BN_mod_word(b, 64 * 63 * 65 * 11);
	unsigned x;

	for (size_t i = 0; i < sizeof(moduli) / sizeof(moduli[0]); i++) {
		for (x = 0; x <= moduli[i] / 2; x++)
			if (x * x % moduli[i] == r % moduli[i])
				break;
		if (x > moduli[i] / 2)
			return false;
	}
	return true;
}

/*
 * Fermat: n = a^2 - b^2 for an a just above the root when its factors are
 * close.  1 found, 0 not, -1 out of memory.  b2 = a^2 - n is kept up by
 * adding 2a + 1, so that a round costs an addition.
 */
static int
fermat(const BIGNUM *n, BN_CTX *ctx)
{
	BIGNUM *a, *b2, *step, *root;
	int found = -1;

	BN_CTX_start(ctx);
	a = BN_CTX_get(ctx);
	b2 = BN_CTX_get(ctx);
	step = BN_CTX_get(ctx);
	root = BN_CTX_get(ctx);
	if (root == NULL || !root_up(a, n, ctx) || !BN_sqr(b2, a, ctx) ||
	    !BN_sub(b2, b2, n) || !BN_lshift1(step, a) || !BN_add_word(step, 1))
		goto out;
	for (int i = 0; i < FERMAT_ROUNDS; i++) {
		if (may_be_square(b2)) {
			if (!BN_is_zero(b2) && !root_up(root, b2, ctx))
				goto out;
			if (BN_is_zero(b2) ||
			    (BN_sqr(root, root, ctx) &&
				BN_cmp(root, b2) == 0)) {
				found = 1;
				goto out;
			}
		}
		if (!BN_add(b2, b2, step) || !BN_add_word(step, 2))
			goto out;
	}
	found = 0;
out:
	BN_CTX_end(ctx);
	return found;
}

static int
weak(struct ae_err *e, const char *why)
{
	return ae_fail(e, AE_EDENIED, AE_DOM_NONE, 0, "weak RSA key: %s", why);
}

static int
check_rsa_numbers(const BIGNUM *n, const BIGNUM *pub, struct ae_err *e)
{
	BN_CTX *ctx;
	int close;

	if (!BN_is_odd(n))
		return weak(e, "the modulus is even");
	if (!BN_is_odd(pub) || BN_is_one(pub) || BN_num_bits(pub) > 32)
		return weak(e, "the exponent is not odd and 3 to 2^32");
	if (looks_roca(n))
		return weak(e, "made by a flawed generator (CVE-2017-15361)");
	ctx = BN_CTX_new();
	close = ctx == NULL ? -1 : fermat(n, ctx);
	BN_CTX_free(ctx);
	if (close < 0)
		return ae_fail_ossl(e, AE_ENOMEM, "checking an RSA key");
	return close == 0 ? AE_OK : weak(e, "its factors are close together");
}

static int
check_rsa(
    const struct ae_key *k, const struct ae_key_policy *p, struct ae_err *e)
{
	BIGNUM *n = NULL, *pub = NULL;
	int rc;

	if (p->rsa_max == 0)
		return ae_fail(
		    e, AE_EDENIED, AE_DOM_NONE, 0, "RSA keys are not accepted");
	if (k->bits < p->rsa_min || k->bits > p->rsa_max)
		return ae_fail(e, AE_EDENIED, AE_DOM_NONE, 0,
		    "an RSA key of %u bits, not %u to %u", k->bits, p->rsa_min,
		    p->rsa_max);
	if (EVP_PKEY_get_bn_param(k->pkey, OSSL_PKEY_PARAM_RSA_N, &n) != 1 ||
	    EVP_PKEY_get_bn_param(k->pkey, OSSL_PKEY_PARAM_RSA_E, &pub) != 1)
		rc = ae_fail_ossl(e, AE_ENOMEM, "reading an RSA key");
	else
		rc = check_rsa_numbers(n, pub, e);
	BN_free(n);
	BN_free(pub);
	return rc;
}

int
ae_key_check(
    const struct ae_key *k, const struct ae_key_policy *p, struct ae_err *e)
{
	if (k->type == AE_KEY_RSA)
		return check_rsa(k, p, e);
	/* The point is on its curve: a key object cannot be made otherwise. */
	if (p->ec_min == 0)
		return ae_fail(
		    e, AE_EDENIED, AE_DOM_NONE, 0, "EC keys are not accepted");
	if (k->bits < p->ec_min)
		return ae_fail(e, AE_EDENIED, AE_DOM_NONE, 0,
		    "an EC key of %u bits, not at least %u", k->bits,
		    p->ec_min);
	return AE_OK;
}
