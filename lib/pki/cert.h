/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * X.509 certificates: parsing into one flat struct.  Making them is
 * pki/tbs.h, judging a chain is pki/verify.h.
 */
#ifndef AE_PKI_CERT_H
#define AE_PKI_CERT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "pki/der.h"
#include "pki/ext.h"
#include "pki/key.h"

/* Self-owned; everything in it is borrowed from it.  Read only. */
struct ae_cert {
	struct ae_der der;     /* the certificate; absent in a bare TBS */
	struct ae_der tbs;     /* the TBSCertificate as signed */
	struct ae_der serial;  /* content bytes, big endian, no leading 00 */
	struct ae_der issuer;  /* DER Name */
	struct ae_der subject; /* DER Name */
	struct ae_der spki;
	int64_t not_before, not_after;
	struct ae_sigalg sigalg;
	struct ae_der signature; /* absent in a bare TBS */
	struct ae_exts x;
	struct ae_arena *arena; /* not yours */
};

/*
 * Parse one DER certificate of at most AE_PKI_CERT_MAX bytes: strict DER,
 * version 3 or (a root without extensions) 1, inner and outer algorithm
 * equal, no extension twice, and every extension of ae_exts well-formed.
 * Unknown extensions are listed in x.raw, critical or not.  AE_EPROTO.
 */
int ae_cert_parse(struct ae_cert **out, const void *der, size_t len,
    struct ae_err *e) AE_MUST_CHECK;

/* The same for a TBSCertificate that nobody has signed yet. */
int ae_cert_parse_tbs(struct ae_cert **out, const void *der, size_t len,
    struct ae_err *e) AE_MUST_CHECK;

/*
 * The certificates of a PEM text, or one DER certificate, in order.  At most
 * max; AE_ELIMIT beyond, AE_ENOTFOUND when there is none.  *v is heap: free
 * with ae_certs_free.
 */
int ae_certs_read(struct ae_cert ***v, size_t *n, size_t max, const void *p,
    size_t len, struct ae_err *e) AE_MUST_CHECK;
void ae_certs_free(struct ae_cert **v, size_t n);

/* PEM text, appended. */
void ae_cert_put_pem(struct ae_wr *w, const struct ae_cert *c);

void ae_cert_free(struct ae_cert *c);

/* A copy with its own memory; NULL when out of memory. */
struct ae_cert *ae_cert_dup(const struct ae_cert *c);

void ae_cert_sha1(uint8_t out[20], const struct ae_cert *c);
void ae_cert_sha256(uint8_t out[32], const struct ae_cert *c);

/* Subject and issuer are the same name. */
bool ae_cert_self_issued(const struct ae_cert *c);

/* The certificate carries k's public half. */
bool ae_cert_has_key(const struct ae_cert *c, const struct ae_key *k);

/*
 * The usage is among the EKUs and among the application policies, as far as
 * the certificate has the one and the other; it must have one of them.
 * (Windows lets application policies override; whoever could put one in a
 * request would then choose, CVE-2024-49019.)
 */
bool ae_cert_allows(const struct ae_cert *c, const char *oid);

/* AE_ETRUST unless issuer's key signed c.  Names are not compared. */
int ae_cert_verify(const struct ae_cert *c, const struct ae_key *issuer,
    struct ae_err *e) AE_MUST_CHECK;

#endif
