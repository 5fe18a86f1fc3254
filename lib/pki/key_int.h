/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What the files that implement pki/key.h share.
 */
#ifndef AE_PKI_KEY_INT_H
#define AE_PKI_KEY_INT_H

#include "pki/cert.h"
#include "pki/key.h"
#include "pki/keydev.h"

#include <openssl/evp.h>

/*
 * Contexts made ready once and copied for each signature, which saves about
 * 10 us of every one; to verify, from the second signature on: most keys see
 * one.
 */
struct ae_key_cache {
	EVP_MD_CTX *ctx;
	struct ae_sigalg alg;
	EVP_MD_CTX *verify;
	struct ae_sigalg verify_alg;
	bool verified;
};

struct ae_key;

/* Where a private key lives when it is not in pkey. */
struct ae_key_ops {
	enum ae_key_home home;
	/* Append a signature over a hash. */
	int (*sign)(const struct ae_key *k, struct ae_wr *sig,
	    const struct ae_sigalg *alg, const uint8_t *hash, size_t len,
	    struct ae_err *e);
	int (*find)(const struct ae_key *k, struct ae_err *e);
	int (*destroy)(struct ae_key *k, struct ae_err *e); /* may be NULL */
	/* Keep the certificate beside the key; may be NULL. */
	int (*put_cert)(const struct ae_key *k, const struct ae_cert *cert,
	    const char *label, struct ae_err *e);
	int (*store)(
	    struct ae_secret *out, const struct ae_key *k, struct ae_err *e);
	void (*free)(void *at);
};

struct ae_key {
	unsigned refs;
	bool private;
	const struct ae_key_ops *ops; /* NULL: the private key is in pkey */
	void *at;		      /* the device's handle on it */
	enum ae_key_type type;
	unsigned bits;
	EVP_PKEY *pkey;
	uint8_t *spki; /* OPENSSL_malloc */
	size_t spki_len;
	struct ae_key_cache *cache;
};

/* Takes the key over, also when it fails. */
int ae_key_wrap_private(struct ae_key **out, EVP_PKEY *take, struct ae_err *e);

/* The key k, public so far, signs by ops from now on; takes at over. */
void ae_key_attach(struct ae_key *k, const struct ae_key_ops *ops, void *at);

/* "P-256" for a size of ours, else NULL. */
const char *ae_key_curve(unsigned bits);

/* A SubjectPublicKeyInfo of big-endian numbers; of an uncompressed point. */
void ae_spki_put_rsa(struct ae_wr *w, struct ae_der n, struct ae_der exponent);
void ae_spki_put_ec(struct ae_wr *w, unsigned curve, struct ae_der point);
const char *ae_key_curve_oid(unsigned bits);

/*
 * The TPM.  Keys borrow it.  new opens it; AE_EUNAVAIL with the NTE_ code of
 * why not.
 */
struct ae_tpm;
int ae_tpm_new(struct ae_tpm **out, const char *tcti, uint32_t parent,
    struct ae_err *e) AE_MUST_CHECK;
void ae_tpm_free(struct ae_tpm *t);
int ae_tpm_generate(struct ae_key **out, struct ae_tpm *t,
    enum ae_key_type type, unsigned bits, struct ae_err *e) AE_MUST_CHECK;

/*
 * A key of a TSS2 file.  get, which opens the TPM, is called when the key is
 * first used.
 */
typedef int ae_tpm_get(struct ae_tpm **out, void *arg, struct ae_err *e);
int ae_tpm_open(struct ae_key **out, ae_tpm_get *get, void *arg,
    const void *pem, size_t len, struct ae_err *e) AE_MUST_CHECK;

/* A PKCS#11 token: its library is loaded by new, and asked by the others. */
struct ae_p11;
int ae_p11_new(struct ae_p11 **out, const struct ae_keydev_conf *conf,
    struct ae_err *e) AE_MUST_CHECK;
void ae_p11_free(struct ae_p11 *p);
int ae_p11_ready(struct ae_p11 *p, struct ae_err *e) AE_MUST_CHECK;
bool ae_p11_pin_refused(const struct ae_p11 *p);
const char *ae_p11_name(const struct ae_p11 *p);
int ae_p11_generate(struct ae_key **out, struct ae_p11 *p,
    enum ae_key_type type, unsigned bits, const char *label,
    struct ae_err *e) AE_MUST_CHECK;
/* The public half is read from the token: it has to be there. */
int ae_p11_open(struct ae_key **out, struct ae_p11 *p, const char *uri,
    struct ae_err *e) AE_MUST_CHECK;
/*
 * The token's private key that goes with a public half that is known: the
 * token is not asked before it signs.  uri has an id or a label.
 */
int ae_p11_attach(struct ae_key **out, struct ae_p11 *p, const char *uri,
    const struct ae_key *public, struct ae_err *e) AE_MUST_CHECK;
/* The same with the public half from the token, logged in. */
int ae_p11_find_uri(struct ae_key **out, struct ae_p11 *p, const char *uri,
    struct ae_err *e) AE_MUST_CHECK;
/* The part of a URI that names the token; does it name an object, too? */
#define AE_P11_TOKEN_MAX AE_KEYDEV_URI_MAX
int ae_p11_token_uri(char out[AE_P11_TOKEN_MAX], const char *text, bool *object,
    struct ae_err *e) AE_MUST_CHECK;
/* The id of a URI; AE_EPROTO without one of 20 bytes. */
int ae_p11_uri_id(
    uint8_t id[AE_KEY_ID_LEN], const char *uri, struct ae_err *e) AE_MUST_CHECK;

#endif
