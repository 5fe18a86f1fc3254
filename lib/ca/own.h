/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * A CA's own certificates as they are made: signed by itself, asked for from
 * an issuer above, issued to another CA, crossed between two of its keys; and
 * whether one that came back will do.  The key is at hand; files, clocks and
 * chance are the caller's.
 */
#ifndef AE_CA_OWN_H
#define AE_CA_OWN_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "base/wr.h"
#include "pki/cert.h"
#include "pki/csr.h"
#include "pki/key.h"

/* What the next certificate of a CA says of itself.  Borrowed. */
struct ae_ca_own {
	struct ae_der name; /* DER Name */
	/* Key index << 16 | certificate index, as cacerts.h counts. */
	uint32_t version;
	const struct ae_cert *previous; /* that it follows; NULL: the first */
	enum ae_hash hash;		/* to sign with */
	int path_len;			/* -1: none */
};

/* A serial number is 16 random bytes, made positive here. */
#define AE_CA_OWN_SERIAL 16

/* Append a certificate that the key signs for itself. */
int ae_ca_own_root(struct ae_wr *der, const struct ae_ca_own *s,
    const struct ae_key *k, const uint8_t serial[AE_CA_OWN_SERIAL],
    int64_t not_before, int64_t not_after, struct ae_err *e) AE_MUST_CHECK;

/*
 * Append a PKCS#10 request for one, with the extensions that Windows puts
 * into it: CA, key usage, template name SubCA, version, previous hash.
 */
int ae_ca_own_request(struct ae_wr *der, const struct ae_ca_own *s,
    const struct ae_key *k, struct ae_err *e) AE_MUST_CHECK;

/* What an issuer above gives to a subordinate.  Borrowed. */
struct ae_ca_issue {
	const struct ae_cert *issuer;
	const struct ae_key *key; /* the issuer's */
	enum ae_hash hash;
	int64_t not_before, not_after;
	int path_len; /* -1: none */
	struct ae_strv cdp, aia;
};

/*
 * Append a CA certificate for a request, which proves possession of its key
 * (AE_ETRUST) and is for a CA of another name and key than the issuer.  Of
 * what it asks only the name, the key and the CA's version count.  AE_EDENIED
 * when it cannot be: not for a CA, no name, the issuer's own name, a weak key,
 * the issuer's path length or end.
 */
int ae_ca_own_issue(struct ae_wr *der, const struct ae_ca_issue *s,
    const struct ae_csr *csr, const uint8_t serial[AE_CA_OWN_SERIAL],
    struct ae_err *e) AE_MUST_CHECK;

/*
 * Append a cross certificate: the key of subject, signed by that of issuer,
 * both certificates of one CA.  It ends when the first of both does.
 */
int ae_ca_own_cross(struct ae_wr *der, const struct ae_cert *subject,
    const struct ae_cert *issuer, const struct ae_key *issuer_key,
    enum ae_hash hash, const uint8_t serial[AE_CA_OWN_SERIAL], int64_t now,
    struct ae_err *e) AE_MUST_CHECK;

/*
 * Will a certificate that came from an issuer above do?  It is for that name
 * and key; a CA's, for certificates and CRLs; not ended, not signed with
 * SHA-1; of the version that is its place, if it says one; with a chain to a
 * root among those above, whose path lengths leave room for what it will
 * issue.  AE_ETRUST or AE_EDENIED, and why.
 */
struct ae_ca_own_judge {
	struct ae_der name;
	const struct ae_key *key;
	uint32_t version;
	struct ae_cert *const *above; /* issuers and roots */
	size_t nabove;
	int64_t now;
};
int ae_ca_own_judge(const struct ae_cert *c, const struct ae_ca_own_judge *j,
    struct ae_err *e) AE_MUST_CHECK;

#endif
