/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * For this folder only: turning OpenSSL's failures into ours, decoding by
 * item template with nothing left over, and the templates that several
 * files use.
 */
#ifndef AE_PKI_OSSL_H
#define AE_PKI_OSSL_H

#include <openssl/asn1.h>
#include <openssl/asn1t.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/arena.h"
#include "base/err.h"
#include "pki/der.h"
#include "pki/key.h"

/*
 * Like ae_fail, with OpenSSL's latest reason appended and its queue emptied.
 * An allocation failure in the queue makes it AE_ENOMEM.
 */
int ae_fail_ossl(struct ae_err *e, enum ae_rc rc, const char *fmt, ...)
    AE_PRINTF(3, 4);

/*
 * Decode strict DER by an item; *out is to be freed with ASN1_item_free.
 * what names it in the message.
 */
int ae_item_decode(void *out, const ASN1_ITEM *it, struct ae_der d,
    const char *what, struct ae_err *e) AE_MUST_CHECK;

/* Encode by an item and append. */
int ae_item_encode(struct ae_wr *w, const ASN1_ITEM *it, const void *val,
    struct ae_err *e) AE_MUST_CHECK;

/* RFC 5280 4.1.2.7, the key left alone: X509_PUBKEY decodes it at a cost. */
typedef struct {
	X509_ALGOR *alg;
	ASN1_BIT_STRING *key;
} AE_SPKI;
DECLARE_ASN1_ITEM(AE_SPKI)

/* Copies into the arena; .p is NULL when the arena is exhausted. */
struct ae_der ae_arena_asn1(struct ae_arena *a, const ASN1_STRING *s);
struct ae_der ae_arena_der(struct ae_arena *a, const void *p, size_t len);
/* The bytes of a BIT STRING, which must be whole ones. */
int ae_arena_bits(struct ae_der *out, struct ae_arena *a,
    const ASN1_BIT_STRING *s, struct ae_err *e) AE_MUST_CHECK;
/* Dotted text; false: too long. */
#define AE_OID_TEXT_MAX 256
bool ae_oid_text(char out[AE_OID_TEXT_MAX], const ASN1_OBJECT *o);
/* The same; NULL: arena exhausted, too. */
const char *ae_arena_oid(struct ae_arena *a, const ASN1_OBJECT *o);

/* The whole element an ASN1_ANY holds; .p NULL unless it is a SEQUENCE. */
struct ae_der ae_any_sequence(const ASN1_TYPE *t);

/* Exactly the forms of RFC 5280 4.1.2.5. */
bool ae_asn1_time(int64_t *out, const ASN1_TIME *t);

/* Failure of an arena allocation, told apart. */
int ae_fail_arena(struct ae_arena *a, struct ae_err *e);

const EVP_MD *ae_hash_md(enum ae_hash h); /* NULL for AE_HASH_NONE */
/* A digest AlgorithmIdentifier, with NULL; NONE when not one we know. */
void ae_hash_put(struct ae_wr *w, enum ae_hash h);
enum ae_hash ae_hash_get(struct ae_der d);

/* Only key.c and verify.c look inside a key. */
EVP_PKEY *ae_key_pkey(const struct ae_key *k);

#endif
