/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Keys that a device holds: a TPM 2.0, through OpenSSL's provider "tpm2", and
 * a PKCS#11 token.  What comes out is a struct ae_key like any other: it
 * signs by asking its device, and every signature is verified with the public
 * key before it leaves.  Software keys are made and opened here too, so that
 * a caller need not know which kind it has.
 *
 * Failures of a device carry the NTE_ code (pki/nte.h) that Windows' provider
 * would give.  AE_EUNAVAIL: the device is not there or not ready, and may be
 * later; AE_ENOTFOUND: it is, the key is not; AE_EAUTH: the PIN.
 */
#ifndef AE_PKI_KEYDEV_H
#define AE_PKI_KEYDEV_H

#include "pki/cert.h"
#include "pki/key.h"

enum ae_key_home {
	AE_KEY_IN_SOFTWARE,
	AE_KEY_IN_TPM,
	AE_KEY_IN_TOKEN,
};

/* Everything is borrowed, and must live as long as the devices. */
struct ae_keydev_conf {
	const char *tcti;    /* how the TPM is reached, "device:/dev/tpmrm0";
				NULL: there is no TPM */
	uint32_t tpm_parent; /* handle of the parent key; 0: owner hierarchy */
	const char *module;  /* PKCS#11 library */
	const char *token;   /* "pkcs11:token=…", matches one; NULL: none */
	const struct ae_secret *pin;  /* NULL or empty: no login */
	const char *pin_refused;      /* why pin must not be tried again */
	const struct ae_secret *pass; /* of software keys; NULL: none */
	/*
	 * Around each try of the PIN, for several processes with one token:
	 * begin may wait, and false forbids it; end hears whether it was
	 * refused.  NULL: nobody else tries.
	 */
	bool (*login_begin)(void *arg);
	void (*login_end)(void *arg, bool refused);
	void *login_arg;
};

struct ae_keydev;

/* Touches no device yet: each is opened when it is first used. */
int ae_keydev_new(struct ae_keydev **out, const struct ae_keydev_conf *conf,
    struct ae_err *e) AE_MUST_CHECK;
void ae_keydev_free(struct ae_keydev *d); /* after its keys */

/* Can keys be made there now?  Opens the device, logs in. */
int ae_keydev_ready(
    struct ae_keydev *d, enum ae_key_home home, struct ae_err *e) AE_MUST_CHECK;

/* What the device calls itself: "SoftHSM v2 (token lab, serial 1234)". */
const char *ae_keydev_name(const struct ae_keydev *d, enum ae_key_home home);

/*
 * Did the token refuse the PIN?  It is not tried a second time on these
 * devices; the caller remembers it for the next ones (conf.pin_refused), so
 * that no token is ever locked by us.
 */
bool ae_keydev_pin_refused(const struct ae_keydev *d);

/*
 * Make a key where home says: sizes as ae_key_generate, AE_EUNAVAIL with
 * NTE_NOT_SUPPORTED when the device does not make this kind.  label is what a
 * token shows.  A TPM's key exists in what ae_key_store gives alone; a
 * token's is there until ae_keydev_destroy.
 */
int ae_keydev_generate(struct ae_key **out, struct ae_keydev *d,
    enum ae_key_home home, enum ae_key_type type, unsigned bits,
    const char *label, struct ae_err *e) AE_MUST_CHECK;

/*
 * The key whose stored form is text: PEM (PKCS#8 or another private key:
 * software; TSS2 PRIVATE KEY: the TPM) or a "pkcs11:" URI.  Whether the TPM
 * or token is there is seen when the key is used.
 */
int ae_keydev_open(struct ae_key **out, struct ae_keydev *d, const void *text,
    size_t len, struct ae_err *e) AE_MUST_CHECK;

/*
 * The private key at this URI or in this text that goes with a public half
 * that is known.  Of a token it may have any id or label, and is not asked
 * for before it signs, so that a token that is away now may come back.
 * AE_ETRUST: text has another key.
 */
int ae_keydev_attach(struct ae_key **out, struct ae_keydev *d, const void *text,
    size_t len, const struct ae_key *public, struct ae_err *e) AE_MUST_CHECK;

/* A key that is in the token already, by any id or label. */
int ae_keydev_find_uri(struct ae_key **out, struct ae_keydev *d,
    const char *uri, struct ae_err *e) AE_MUST_CHECK;

/*
 * The part of a key's URI that names its token, for ae_keydev_conf.token;
 * *object: it names a key as well.  AE_EINVAL, also for one with a PIN.
 */
#define AE_KEYDEV_URI_MAX 1024
int ae_keydev_token_uri(char out[AE_KEYDEV_URI_MAX], const char *uri,
    bool *object, struct ae_err *e) AE_MUST_CHECK;

/*
 * Does the device still know the key?  AE_ENOTFOUND with NTE_BAD_KEYSET when
 * it says no; AE_EUNAVAIL when it cannot be asked.  Nothing is signed and no
 * PIN is needed.
 */
int ae_keydev_find(const struct ae_key *k, struct ae_err *e) AE_MUST_CHECK;

/*
 * Put the certificate into the token beside its key, in place of an older one
 * of the same key: who logs in with a card looks for it there.  For other
 * keys there is nothing to do.
 */
int ae_keydev_put_cert(const struct ae_key *k, const struct ae_cert *cert,
    const char *label, struct ae_err *e) AE_MUST_CHECK;

/*
 * Remove a token's key, and its certificate there; for others there is
 * nothing to do.
 */
int ae_keydev_destroy(struct ae_key *k, struct ae_err *e) AE_MUST_CHECK;

enum ae_key_home ae_key_home(const struct ae_key *k);

/*
 * What is written beside the certificate: PEM for a file key.pem, or for a
 * token's key one line for key.uri.
 */
int ae_key_store(struct ae_secret *out, const struct ae_key *k,
    struct ae_err *e) AE_MUST_CHECK;

/*
 * The public half of a stored form, without a device: from PEM its
 * SubjectPublicKeyInfo; a URI has none, but its id is that of the key
 * (ae_key_id), which is answered in id instead and *out is NULL.
 */
int ae_key_stored_public(struct ae_key **out, uint8_t id[AE_KEY_ID_LEN],
    const void *text, size_t len, struct ae_err *e) AE_MUST_CHECK;

#endif
