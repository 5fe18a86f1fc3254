/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * PKCS#12: a private key and its certificates in one file under a password,
 * for consumers that read nothing else.
 */
#ifndef AE_PKI_PKCS12_H
#define AE_PKI_PKCS12_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/secret.h"
#include "pki/cert.h"
#include "pki/key.h"

#define AE_PKCS12_PASSWORD_MAX 256

/* What goes into one file; all borrowed. */
struct ae_pkcs12 {
	const struct ae_key *key; /* private */
	const struct ae_cert *cert;
	struct ae_cert *const *chain;
	size_t nchain;
	const char *name;     /* friendly name, NULL: none */
	const char *password; /* not NULL, not empty */
};

/*
 * AES-256 with PBKDF2, MAC with SHA-256: what OpenSSL 1.1, NSS 3.5x, Java 8u301
 * and GnuTLS read.  Two files of the same content differ, the salts do.
 */
int ae_pkcs12_build(struct ae_secret *out, const struct ae_pkcs12 *p,
    struct ae_err *e) AE_MUST_CHECK;

/* The file holds this key, certificate and chain, under this password. */
bool ae_pkcs12_same(const void *der, size_t len, const struct ae_pkcs12 *p);

#endif
