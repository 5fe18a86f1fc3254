/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Keys: RSA and the NIST curves, private or public alone.  A private key in a
 * file is named by a "file:" URI; those a device holds come from pki/keydev.h
 * and are used by the same functions.  Writing key files is not done here: the
 * bytes are handed out and the store places them.
 */
#ifndef AE_PKI_KEY_H
#define AE_PKI_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/secret.h"
#include "base/wr.h"
#include "pki/der.h"

enum ae_key_type {
	AE_KEY_RSA = 1,
	AE_KEY_EC = 2, /* bits 256, 384, 521 name P-256, P-384, P-521 */
};

enum ae_hash {
	AE_HASH_NONE = 0,
	AE_HASH_SHA1, /* verified so that it can be refused by policy */
	AE_HASH_SHA256,
	AE_HASH_SHA384,
	AE_HASH_SHA512,
};

#define AE_HASH_MAX 64
#define AE_KEY_ID_LEN 20
/* Larger than any signature and any SubjectPublicKeyInfo accepted. */
#define AE_SIG_MAX 2048

/* How something is signed. */
struct ae_sigalg {
	enum ae_key_type key;
	enum ae_hash hash;
	bool pss; /* RSASSA-PSS, salt as long as the hash */
};

struct ae_key;

/* RSA 2048..8192 by 1024 or EC 256/384/521; else AE_EINVAL. */
int ae_key_generate(struct ae_key **out, enum ae_key_type type, unsigned bits,
    struct ae_err *e) AE_MUST_CHECK;

/*
 * The private key named by uri, "file:/path" or "file:///path": PEM, PKCS#8
 * (encrypted or not) or a traditional form.  pass may be NULL; an encrypted
 * key without or with a wrong one is AE_EAUTH and never prompts.  AE_ENOTFOUND
 * when there is no such file, AE_EINVAL for a scheme that is not known.
 */
int ae_key_open(struct ae_key **out, const char *uri,
    const struct ae_secret *pass, struct ae_err *e) AE_MUST_CHECK;

/* The same from memory. */
int ae_key_from_pem(struct ae_key **out, const void *pem, size_t len,
    const struct ae_secret *pass, struct ae_err *e) AE_MUST_CHECK;

/* PKCS#8 PEM of a private key into *out, AES-256-CBC under pass if given. */
int ae_key_to_pem(struct ae_secret *out, const struct ae_key *k,
    const struct ae_secret *pass, struct ae_err *e) AE_MUST_CHECK;

/*
 * The form in which key archival hands a private key to the CA, MS-WCCE
 * 2.2.2.9.1 (RSA) and 2.2.2.9.3 (EC).  Of a key that a device holds:
 * AE_EDENIED with NTE_BAD_KEY_STATE.  Reading checks that the halves fit.
 */
int ae_key_to_private_blob(struct ae_secret *out, const struct ae_key *k,
    struct ae_err *e) AE_MUST_CHECK;
int ae_key_from_private_blob(struct ae_key **out, const void *blob, size_t len,
    struct ae_err *e) AE_MUST_CHECK;

/*
 * A public key from a DER SubjectPublicKeyInfo, on the fast path.  RSA and
 * named curves only, else AE_EPROTO; an EC point is checked to be on its
 * curve; RSA moduli above 16384 bits are AE_ELIMIT.  Strength is not judged
 * here: ae_key_check does that.
 */
int ae_key_from_spki(struct ae_key **out, const void *spki, size_t len,
    struct ae_err *e) AE_MUST_CHECK;

/* Another hold on the same key, for the price of a counter. */
struct ae_key *ae_key_ref(struct ae_key *k);
void ae_key_free(struct ae_key *k);

bool ae_key_is_private(const struct ae_key *k);
enum ae_key_type ae_key_type(const struct ae_key *k);
unsigned ae_key_bits(const struct ae_key *k);

/* The DER SubjectPublicKeyInfo, borrowed from k. */
struct ae_der ae_key_spki(const struct ae_key *k);

/* SHA-1 of the subjectPublicKey bits, RFC 5280 4.2.1.2 (1). */
int ae_key_id(uint8_t out[AE_KEY_ID_LEN], const struct ae_key *k,
    struct ae_err *e) AE_MUST_CHECK;
/* The same from a DER SubjectPublicKeyInfo; AE_EPROTO when it is none. */
int ae_spki_id(uint8_t out[AE_KEY_ID_LEN], const void *spki, size_t len,
    struct ae_err *e) AE_MUST_CHECK;

/* Same public half, whatever the encoding. */
bool ae_key_same_public(const struct ae_key *a, const struct ae_key *b);

/* "rsa2048", "p256": for logs. */
const char *ae_key_print(char out[16], const struct ae_key *k);

/*
 * Append the signature over len bytes at tbs to *sig: what goes into a BIT
 * STRING.  AE_EINVAL for a public key or an algorithm of another key type.
 */
int ae_key_sign(struct ae_wr *sig, const struct ae_key *k,
    const struct ae_sigalg *alg, const void *tbs, size_t len,
    struct ae_err *e) AE_MUST_CHECK;

/* AE_ETRUST when the signature is not one of k over these bytes. */
int ae_key_verify(const struct ae_key *k, const struct ae_sigalg *alg,
    const void *tbs, size_t len, const void *sig, size_t siglen,
    struct ae_err *e) AE_MUST_CHECK;

/*
 * The same over bytes that come in parts: hashed here as they come, by the
 * process that has the key, and signed or verified at the end.
 */
struct ae_key_stream;
int ae_key_stream_new(struct ae_key_stream **out, struct ae_key *k,
    const struct ae_sigalg *alg, struct ae_err *e) AE_MUST_CHECK;
int ae_key_stream_add(struct ae_key_stream *s, const void *p, size_t len,
    struct ae_err *e) AE_MUST_CHECK;
/* Once: append the signature of the stream's (private) key. */
int ae_key_stream_sign(
    struct ae_key_stream *s, struct ae_wr *sig, struct ae_err *e) AE_MUST_CHECK;
/* Once: AE_ETRUST when the signature is not the key's over what came. */
int ae_key_stream_verify(struct ae_key_stream *s, const void *sig, size_t len,
    struct ae_err *e) AE_MUST_CHECK;
void ae_key_stream_free(struct ae_key_stream *s);

/* No signature of k is longer. */
size_t ae_key_sig_size(const struct ae_key *k);

/* The algorithm k signs with under hash (PKCS#1 v1.5 for RSA). */
struct ae_sigalg ae_key_sigalg(const struct ae_key *k, enum ae_hash hash);

/* An AlgorithmIdentifier: write, and read (AE_EPROTO for one not known). */
void ae_sigalg_put(struct ae_wr *w, const struct ae_sigalg *alg);
int ae_sigalg_get(struct ae_sigalg *out, const void *der, size_t len,
    struct ae_err *e) AE_MUST_CHECK;
bool ae_sigalg_equal(const struct ae_sigalg *a, const struct ae_sigalg *b);
/* "sha256WithRSAEncryption" and the like; never NULL. */
const char *ae_sigalg_name(const struct ae_sigalg *alg);
const char *ae_hash_name(enum ae_hash h); /* "sha256"; never NULL */

/* Length of the digest of len bytes, which is in out; 0: out of memory. */
size_t ae_hash_bytes(
    uint8_t out[AE_HASH_MAX], enum ae_hash h, const void *p, size_t len);

/* What a requested public key must be like. */
struct ae_key_policy {
	unsigned rsa_min, rsa_max; /* bits; 0, 0: RSA refused */
	unsigned ec_min;	   /* bits; 0: EC refused */
};

/*
 * AE_EDENIED with the reason when the key is weak: outside the policy's
 * sizes, RSA exponent even, below 3 or above 2^32, modulus even, factors
 * close together (Fermat, 100 rounds), modulus with the fingerprint of
 * CVE-2017-15361 (ROCA), or no valid EC point.
 */
int ae_key_check(const struct ae_key *k, const struct ae_key_policy *p,
    struct ae_err *e) AE_MUST_CHECK;

#endif
