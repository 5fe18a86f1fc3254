/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Signature algorithms and hashes: one table of the AlgorithmIdentifiers we
 * write and accept, as bytes.  RFC 4055, RFC 5758; RSASSA-PSS only with
 * MGF1 over the same hash and a salt of its length, which is what Windows'
 * "alternate signature algorithm" and OpenSSL emit.
 */
#include "pki/key.h"

#include <string.h>

#include "pki/ossl.h"

#define RSA_OID(last) \
	"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01" last "\x05\x00"
#define ECDSA_OID(last) "\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03" last
#define SHA2(n) "\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02" n "\x05\x00"
#define PSS(n, salt)                                                          \
	"\x30\x41\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a\x30\x34"        \
	"\xa0\x0f" SHA2(n) "\xa1\x1c\x30\x1a\x06\x09\x2a\x86\x48\x86\xf7\x0d" \
			   "\x01\x01\x08" SHA2(n) "\xa2\x03\x02\x01" salt
#define ROW(k, h, p, n, bytes)                                               \
	{                                                                    \
		{ AE_KEY_##k, AE_HASH_##h, p }, n, (const uint8_t *)(bytes), \
		    sizeof(bytes) - 1                                        \
	}

/* clang-format off */
static const struct {
	struct ae_sigalg alg;
	const char *name;
	const uint8_t *der;
	size_t len;
} algs[] = {
	ROW(RSA, SHA256, false, "sha256WithRSAEncryption", RSA_OID("\x0b")),
	ROW(EC,  SHA256, false, "ecdsa-with-SHA256", ECDSA_OID("\x02")),
	ROW(RSA, SHA384, false, "sha384WithRSAEncryption", RSA_OID("\x0c")),
	ROW(RSA, SHA512, false, "sha512WithRSAEncryption", RSA_OID("\x0d")),
	ROW(EC,  SHA384, false, "ecdsa-with-SHA384", ECDSA_OID("\x03")),
	ROW(EC,  SHA512, false, "ecdsa-with-SHA512", ECDSA_OID("\x04")),
	ROW(RSA, SHA256, true,  "RSASSA-PSS-SHA256", PSS("\x01", "\x20")),
	ROW(RSA, SHA384, true,  "RSASSA-PSS-SHA384", PSS("\x02", "\x30")),
	ROW(RSA, SHA512, true,  "RSASSA-PSS-SHA512", PSS("\x03", "\x40")),
	ROW(RSA, SHA1,   false, "sha1WithRSAEncryption", RSA_OID("\x05")),
	ROW(EC,  SHA1,   false, "ecdsa-with-SHA1", "\x30\x09\x06\x07\x2a\x86\x48\xce\x3d\x04\x01"),
};

static const struct {
	const char *name;
	const EVP_MD *(*md)(void);
	const uint8_t *oid; /* the whole element */
	size_t len;
} hashes[] = {
	[AE_HASH_NONE] = { "none", NULL, NULL, 0 },
	[AE_HASH_SHA1] = { "sha1", EVP_sha1, (const uint8_t *)"\x06\x05\x2b\x0e\x03\x02\x1a", 7 },
	[AE_HASH_SHA256] = { "sha256", EVP_sha256, (const uint8_t *)"\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01", 11 },
	[AE_HASH_SHA384] = { "sha384", EVP_sha384, (const uint8_t *)"\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02", 11 },
	[AE_HASH_SHA512] = { "sha512", EVP_sha512, (const uint8_t *)"\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03", 11 },
};
/* clang-format on */

#define N(a) (sizeof(a) / sizeof((a)[0]))

bool
ae_sigalg_equal(const struct ae_sigalg *a, const struct ae_sigalg *b)
{
	return a->key == b->key && a->hash == b->hash && a->pss == b->pss;
}

const char *
ae_sigalg_name(const struct ae_sigalg *alg)
{
	for (size_t i = 0; i < N(algs); i++)
		if (ae_sigalg_equal(&algs[i].alg, alg))
			return algs[i].name;
	return "unknown";
}

void
ae_sigalg_put(struct ae_wr *w, const struct ae_sigalg *alg)
{
	for (size_t i = 0; i < N(algs); i++)
		if (ae_sigalg_equal(&algs[i].alg, alg)) {
			ae_wr_bytes(w, algs[i].der, algs[i].len);
			return;
		}
	w->bad = true;
}

int
ae_sigalg_get(
    struct ae_sigalg *out, const void *der, size_t len, struct ae_err *e)
{
	for (size_t i = 0; i < N(algs); i++)
		if (algs[i].len == len && memcmp(algs[i].der, der, len) == 0) {
			*out = algs[i].alg;
			return AE_OK;
		}
	return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
	    "signature algorithm is not one we accept");
}

struct ae_sigalg
ae_key_sigalg(const struct ae_key *k, enum ae_hash hash)
{
	struct ae_sigalg alg = { ae_key_type(k), hash, false };

	return alg;
}

const char *
ae_hash_name(enum ae_hash h)
{
	return (size_t)h < N(hashes) ? hashes[h].name : "unknown";
}

const EVP_MD *
ae_hash_md(enum ae_hash h)
{
	return (size_t)h < N(hashes) && hashes[h].md != NULL ? hashes[h].md()
							     : NULL;
}

void
ae_hash_put(struct ae_wr *w, enum ae_hash h)
{
	size_t mark = ae_der_open(w, AE_DER_SEQUENCE);

	ae_wr_bytes(w, hashes[h].oid, hashes[h].len);
	ae_der_put(w, AE_DER_NULL, NULL, 0);
	ae_der_close(w, mark);
}

/* SEQUENCE { hash OID, NULL OPTIONAL }: RFC 5754 2 allows both. */
enum ae_hash
ae_hash_get(struct ae_der d)
{
	size_t len;

	for (size_t i = 1; i < N(hashes); i++) {
		len = hashes[i].len;
		if (d.len < 2 + len || d.p[0] != AE_DER_SEQUENCE ||
		    memcmp(d.p + 2, hashes[i].oid, len) != 0)
			continue;
		if (d.len == 2 + len && d.p[1] == len)
			return (enum ae_hash)i;
		if (d.len == 4 + len && d.p[1] == len + 2 &&
		    d.p[2 + len] == AE_DER_NULL && d.p[3 + len] == 0)
			return (enum ae_hash)i;
	}
	return AE_HASH_NONE;
}

size_t
ae_hash_bytes(
    uint8_t out[AE_HASH_MAX], enum ae_hash h, const void *p, size_t len)
{
	const EVP_MD *md = ae_hash_md(h);
	unsigned int n = 0;

	if (md == NULL || EVP_Digest(p, len, out, &n, md, NULL) != 1)
		return 0;
	return n;
}
