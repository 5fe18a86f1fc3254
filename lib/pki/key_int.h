/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What the files that implement pki/key.h share.
 */
#ifndef AE_PKI_KEY_INT_H
#define AE_PKI_KEY_INT_H

#include "pki/key.h"

#include <openssl/evp.h>

/*
 * A signing context made ready once and copied for each signature, which
 * saves about 10 us of every ECDSA signature.
 */
struct ae_key_cache {
	EVP_MD_CTX *ctx;
	struct ae_sigalg alg;
};

struct ae_key {
	unsigned refs;
	bool private;
	enum ae_key_type type;
	unsigned bits;
	EVP_PKEY *pkey;
	uint8_t *spki; /* OPENSSL_malloc */
	size_t spki_len;
	struct ae_key_cache *cache;
};

/* Takes the key over, also when it fails. */
int ae_key_wrap_private(struct ae_key **out, EVP_PKEY *take, struct ae_err *e);

#endif
