/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The CA's own certificates as the list that MS-WCCE calls the Signing_Cert
 * table: each has an index, its place, and a key index, the index of the
 * first certificate with the same key (MS-WCCE 3.2.1.4.3.2.39).  Renewed with
 * the same key, 1 has the version 0.1; renewed with a new one, 2 has 2.2.
 *
 * Which certificate signs is decided by the time; every key goes on having a
 * CRL until its last certificate has ended.
 */
#ifndef AE_CA_CACERTS_H
#define AE_CA_CACERTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "pki/cert.h"
#include "pki/key.h"

#define AE_CA_SIGNING_MAX 32

/* A key of the CA, seen from its certificates. */
struct ae_ca_key {
	uint16_t index; /* key index */
	struct ae_key *pub;
	struct ae_sigalg alg; /* what it signs with */
	uint16_t newest;      /* index of its newest certificate */
	int64_t end;	      /* the last of its certificates ends */
};

struct ae_ca_cert {
	const struct ae_cert *cert; /* borrowed */
	uint16_t index;
	uint8_t key; /* place in keys[] */
	/* What it signs says this in the authority key identifier. */
	uint8_t keyid_sha1[AE_KEY_ID_LEN];
	struct ae_der keyid;
};

struct ae_ca_certs {
	struct ae_ca_cert v[AE_CA_SIGNING_MAX];
	size_t n;
	struct ae_ca_key keys[AE_CA_SIGNING_MAX]; /* by key index */
	size_t nkeys;
};

/*
 * From certificates, oldest first; they must outlive the list, which must not
 * be moved.  AE_EINVAL without any, with one twice, or with one that carries
 * another version (1.3.6.1.4.1.311.21.1) than its place gives it: then the
 * order is not that of their making.
 */
int ae_ca_certs_init(struct ae_ca_certs *l, struct ae_cert *const *certs,
    size_t n, struct ae_err *e) AE_MUST_CHECK;
void ae_ca_certs_done(struct ae_ca_certs *l);

static inline const struct ae_ca_key *
ae_ca_cert_key(const struct ae_ca_certs *l, const struct ae_ca_cert *c)
{
	return &l->keys[c->key];
}

/* Key index << 16 | certificate index. */
uint32_t ae_ca_cert_version(
    const struct ae_ca_certs *l, const struct ae_ca_cert *c);

/* The one of this index, or of a version with it; NULL: there is none. */
const struct ae_ca_cert *ae_ca_certs_get(
    const struct ae_ca_certs *l, unsigned index);

/*
 * The one to sign with at that time: the newest that is valid, or just the
 * newest when none is.
 */
const struct ae_ca_cert *ae_ca_certs_at(
    const struct ae_ca_certs *l, int64_t now);

/* The place of the key of this key index in keys[]; -1: none. */
int ae_ca_certs_key(const struct ae_ca_certs *l, unsigned key_index);

/* Does this key still need a CRL? */
bool ae_ca_key_lives(const struct ae_ca_key *k, int64_t now);

/*
 * "(2)" for the key or certificate of that index, "" for the first: what
 * %8 and %4 stand for in the names of files and objects (MS-CSRA, notes on
 * CRLPublicationURLs).
 */
#define AE_CA_SUFFIX_MAX 8
const char *ae_ca_suffix(char out[AE_CA_SUFFIX_MAX], unsigned index);

/*
 * A URL of the configuration for one certificate: %8 becomes the suffix of its
 * key, %4 its own; in a URL of a CRL without %8 that of the key goes before
 * ".crl" at the end, as the files of CRLs are named.  A "%8" that begins a
 * percent-encoded byte (%8A) is left alone.  False: no memory.
 */
bool ae_ca_url(struct ae_strv *out, const struct ae_ca_certs *l,
    const struct ae_ca_cert *c, const char *url, bool crl);
/* The same for a certificate and a key by their indexes. */
bool ae_ca_url_of(struct ae_strv *out, unsigned cert_index, unsigned key_index,
    const char *url, bool crl);

#endif
