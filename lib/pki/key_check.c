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

#include "base/breaks.h"
#include "pki/key_int.h"
#include "pki/ossl.h"

#define FERMAT_ROUNDS 100
#define MODULUS_MAX 2048 /* bytes; no key object has more */

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

/* Residues of a few primes at a time, by products that fit 32 bits. */
static bool
looks_roca(const BIGNUM *n)
{
	size_t i = 0, k;

	while (i < sizeof(roca_primes)) {
		BN_ULONG product = 1, r;

		for (k = i; k < sizeof(roca_primes) &&
		     product * roca_primes[k] <= UINT32_MAX;
		     k++)
			product *= roca_primes[k];
		r = BN_mod_word(n, product);
		for (; i < k; i++)
			if (!is_power_of_65537(
				r % roca_primes[i], roca_primes[i]))
				return false;
	}
	return true;
}

/*
 * A number above the root of n by one part in 2^29 at most: the root of the
 * first 62 or 61 bits, rounded up, and zeros.
 */
#define HEAD_BITS ((int)sizeof(BN_ULONG) * 8 - 2)
static bool
above_root(BIGNUM *x, const BIGNUM *n, BIGNUM *top)
{
	int bits = BN_num_bits(n);
	int shift = bits > HEAD_BITS ? bits - HEAD_BITS : 0;
	uint64_t head, lo = 0, hi = UINT64_C(1) << HEAD_BITS / 2;

	shift += shift & 1; /* what is left over has a root, too */
	if (!BN_rshift(top, n, shift))
		return false;
	head = BN_get_word(top);
	while (lo < hi) { /* the least whose square is above head */
		uint64_t mid = lo + (hi - lo) / 2;

		if (mid * mid > head)
			hi = mid;
		else
			lo = mid + 1;
	}
	return BN_set_word(x, (BN_ULONG)lo) && BN_lshift(x, x, shift / 2);
}

/*
 * Integer square root by Newton's method: *a = ceil(sqrt(n)).  The start is
 * above the root, so the sequence falls until it is there; each step doubles
 * the number of bits that are right.
 */
static bool
root_up(BIGNUM *a, const BIGNUM *n, BN_CTX *ctx)
{
	BIGNUM *x, *y;
	bool ok = false;

	BN_CTX_start(ctx);
	x = BN_CTX_get(ctx);
	y = BN_CTX_get(ctx);
	if (y == NULL || !above_root(x, n, y))
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
 * A number modulo a few small ones that are prime to each other.  Squares
 * leave few residues: of other numbers all but one in 3000 show themselves.
 */
static const unsigned char square_moduli[] = { 64, 63, 5, 13, 11, 17, 19, 23,
	29, 31 };
#define NMODULI (sizeof(square_moduli) / sizeof(square_moduli[0]))

/* Products of the moduli that fit a word that BN_mod_word takes at once. */
static const struct {
	BN_ULONG product;
	size_t first, end;
} square_words[] = {
	{ 64 * 63 * 5 * 13 * 11, 0, 5 },
	{ 17 * 19 * 23 * 29 * 31, 5, NMODULI },
};

struct residues {
	unsigned r[NMODULI];
};

static void
residues_of(struct residues *out, const BIGNUM *b)
{
	for (size_t i = 0; i < sizeof(square_words) / sizeof(square_words[0]);
	     i++) {
		BN_ULONG r = BN_mod_word(b, square_words[i].product);

		for (size_t k = square_words[i].first; k < square_words[i].end;
		     k++)
			out->r[k] = (unsigned)(r % square_moduli[k]);
	}
}

/* Bit x of squares[i]: x is a square modulo square_moduli[i]. */
static void
squares_fill(uint64_t squares[NMODULI])
{
	for (size_t i = 0; i < NMODULI; i++) {
		squares[i] = 0;
		for (unsigned x = 0; x <= square_moduli[i] / 2u; x++)
			squares[i] |= UINT64_C(1) << x * x % square_moduli[i];
	}
}

static bool
may_be_square(const struct residues *b, const uint64_t squares[NMODULI])
{
	for (size_t i = 0; i < NMODULI; i++)
		if ((squares[i] >> b->r[i] & 1) == 0)
			return false;
	return true;
}

/* b += step; step += 2 */
static void
residues_next(struct residues *b, struct residues *step)
{
	for (size_t i = 0; i < NMODULI; i++) {
		b->r[i] = (b->r[i] + step->r[i]) % square_moduli[i];
		step->r[i] = (step->r[i] + 2) % square_moduli[i];
	}
}

/* Is b2 + i * step + i * (i - 1) a square?  -1: out of memory. */
static int
is_square(const BIGNUM *b2, const BIGNUM *step, unsigned i, BN_CTX *ctx)
{
	BIGNUM *x, *root;
	int yes = -1;

	BN_CTX_start(ctx);
	x = BN_CTX_get(ctx);
	root = BN_CTX_get(ctx);
	if (root == NULL || BN_copy(x, step) == NULL || !BN_mul_word(x, i) ||
	    !BN_add(x, x, b2) || (i > 1 && !BN_add_word(x, i * (i - 1))))
		goto out;
	if (BN_is_zero(x))
		yes = 1;
	else if (root_up(root, x, ctx) && BN_sqr(root, root, ctx))
		yes = BN_cmp(root, x) == 0;
out:
	BN_CTX_end(ctx);
	return yes;
}

/*
 * Fermat: n = a^2 - b^2 for an a just above the root when its factors are
 * close.  1 found, 0 not, -1 out of memory.  With each next a, b^2 = a^2 - n
 * grows by 2a + 1; only its residues are kept up, and the number itself is
 * looked at when they are all those of a square.
 */
static int
fermat(const BIGNUM *n, BN_CTX *ctx)
{
	uint64_t squares[NMODULI];
	struct residues rb, rstep;
	BIGNUM *a, *b2, *step;
	int found = -1;

	BN_CTX_start(ctx);
	a = BN_CTX_get(ctx);
	b2 = BN_CTX_get(ctx);
	step = BN_CTX_get(ctx);
	if (step == NULL || !root_up(a, n, ctx) || !BN_sqr(b2, a, ctx) ||
	    !BN_sub(b2, b2, n) || !BN_lshift1(step, a) || !BN_add_word(step, 1))
		goto out;
	squares_fill(squares);
	residues_of(&rb, b2);
	residues_of(&rstep, step);
	found = 0;
	for (unsigned i = 0; i < FERMAT_ROUNDS && found == 0; i++) {
		if (may_be_square(&rb, squares))
			found = is_square(b2, step, i, ctx);
		residues_next(&rb, &rstep);
	}
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
	if ((!BN_is_odd(pub) || BN_is_one(pub) || BN_num_bits(pub) > 32) &&
	    !AE_BREAK(weak_key_exponent))
		return weak(e, "the exponent is not odd and 3 to 2^32");
	if (looks_roca(n) && !AE_BREAK(weak_key_roca))
		return weak(e, "made by a flawed generator (CVE-2017-15361)");
	ctx = BN_CTX_new();
	close = ctx == NULL ? -1 : fermat(n, ctx);
	BN_CTX_free(ctx);
	if (close < 0)
		return ae_fail_ossl(e, AE_ENOMEM, "checking an RSA key");
	return close == 0 || AE_BREAK(weak_key_fermat)
	    ? AE_OK
	    : weak(e, "its factors are close together");
}

/*
 * Both numbers with one question, because each takes the provider all of the
 * key.  False: the exponent has more bytes than one that is not weak.
 */
static bool
rsa_numbers(const struct ae_key *k, BIGNUM **n, BIGNUM **pub)
{
	uint8_t modulus[MODULUS_MAX], exponent[8];
	size_t len = (k->bits + 7) / 8;
	OSSL_PARAM p[] = { OSSL_PARAM_construct_BN(
			       OSSL_PKEY_PARAM_RSA_N, modulus, len),
		OSSL_PARAM_construct_BN(
		    OSSL_PKEY_PARAM_RSA_E, exponent, sizeof(exponent)),
		OSSL_PARAM_construct_end() };

	if (len <= MODULUS_MAX && EVP_PKEY_get_params(k->pkey, p) == 1)
		return OSSL_PARAM_get_BN(&p[0], n) == 1 &&
		    OSSL_PARAM_get_BN(&p[1], pub) == 1;
	ERR_clear_error();
	return false;
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
	if (!rsa_numbers(k, &n, &pub) &&
	    (EVP_PKEY_get_bn_param(k->pkey, OSSL_PKEY_PARAM_RSA_N, &n) != 1 ||
		EVP_PKEY_get_bn_param(k->pkey, OSSL_PKEY_PARAM_RSA_E, &pub) !=
		    1))
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
