/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Certificate revocation lists.  Writing is streamed: entries are appended
 * as they come from the database and no object tree is ever built.
 */
#ifndef AE_PKI_CRL_H
#define AE_PKI_CRL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "base/wr.h"
#include "pki/der.h"
#include "pki/key.h"

/* CRLReason, RFC 5280 5.3.1. */
enum ae_crl_reason {
	AE_CRL_UNSPECIFIED = 0, /* written as no reason at all */
	AE_CRL_KEY_COMPROMISE = 1,
	AE_CRL_CA_COMPROMISE = 2,
	AE_CRL_AFFILIATION_CHANGED = 3,
	AE_CRL_SUPERSEDED = 4,
	AE_CRL_CESSATION = 5,
	AE_CRL_HOLD = 6,
	AE_CRL_REMOVE = 8, /* delta CRLs only */
	AE_CRL_PRIVILEGE_WITHDRAWN = 9,
	AE_CRL_AA_COMPROMISE = 10,
};

/* The list but its entries.  Borrowed until finish. */
struct ae_crl_spec {
	struct ae_sigalg sigalg;
	struct ae_der issuer; /* DER Name */
	int64_t this_update, next_update;
	uint64_t number;
	struct ae_der aki;    /* key identifier */
	uint32_t ca_version;  /* 1.3.6.1.4.1.311.21.1 */
	int64_t next_publish; /* 1.3.6.1.4.1.311.21.4; 0: none */
	bool delta;	      /* with base_number */
	uint64_t base_number;
	struct ae_strv freshest; /* URLs of the delta CRL, base only */
	struct ae_strv self_cdp; /* where it is published, 311.21.14 */
	struct ae_strv idp;	 /* URLs; empty: no IDP extension */
};

/*
 * Begin, add any number of entries in any order, end: w then holds the
 * TBSCertList.  Choose w's maximum for the number of entries (64 bytes each
 * are plenty).  A serial is 1..20 big-endian bytes, positive.
 */
struct ae_crl_build {
	struct ae_wr *w;
	const struct ae_crl_spec *spec;
	size_t tbs, list;
	size_t n;
};
int ae_crl_begin(struct ae_crl_build *b, struct ae_wr *w,
    const struct ae_crl_spec *s, struct ae_err *e) AE_MUST_CHECK;
int ae_crl_add(struct ae_crl_build *b, const void *serial, size_t len,
    int64_t revoked, enum ae_crl_reason reason, struct ae_err *e) AE_MUST_CHECK;
int ae_crl_end(struct ae_crl_build *b, struct ae_err *e) AE_MUST_CHECK;

/*
 * The same in parts, for lists that are never in memory as a whole: the
 * sizes of the entries are added up first, then head, entries in the same
 * order and number, tail.  *total is what the parts come to together.
 */
#define AE_CRL_HEAD_MAX (64u * 1024u) /* head or tail */
size_t ae_crl_entry_size(const void *serial, size_t len, int64_t revoked,
    enum ae_crl_reason reason); /* 0: it can be none */
int ae_crl_head(struct ae_wr *w, size_t *total, const struct ae_crl_spec *s,
    size_t list, struct ae_err *e) AE_MUST_CHECK;
int ae_crl_entry(struct ae_wr *w, const struct ae_crl_spec *s,
    const void *serial, size_t len, int64_t revoked, enum ae_crl_reason reason,
    struct ae_err *e) AE_MUST_CHECK;
int ae_crl_tail(struct ae_wr *w, const struct ae_crl_spec *s,
    struct ae_err *e) AE_MUST_CHECK;

/* Append the CRL made of a TBSCertList and its signature. */
int ae_crl_assemble(struct ae_wr *w, const void *tbs, size_t len,
    const struct ae_sigalg *alg, const void *sig, size_t siglen,
    struct ae_err *e) AE_MUST_CHECK;

/* What a CRL says of itself.  Self-owned. */
struct ae_crl {
	struct ae_der der, tbs, issuer, signature, aki;
	struct ae_sigalg sigalg;
	int64_t this_update, next_update; /* 0: no nextUpdate */
	bool has_number, has_base_number, has_ca_version;
	uint64_t number, base_number;
	uint32_t ca_version;
	int64_t next_publish; /* 0: none */
	size_t entries;
	void *impl;
};

/*
 * Parse a CRL, or with bare a TBSCertList that nobody has signed yet (what
 * the sign process judges).  max bounds its size in bytes.
 */
int ae_crl_parse(struct ae_crl **out, const void *der, size_t len, size_t max,
    bool bare, struct ae_err *e) AE_MUST_CHECK;
void ae_crl_free(struct ae_crl *c);

/* AE_ETRUST unless k signed it. */
int ae_crl_verify(const struct ae_crl *c, const struct ae_key *k,
    struct ae_err *e) AE_MUST_CHECK;

/*
 * Whether the serial is listed, and then since when and why.  AE_EPROTO when
 * an entry on the way is malformed: a list that cannot be read to the end
 * clears nobody.
 */
int ae_crl_find(const struct ae_crl *c, struct ae_der serial, bool *listed,
    int64_t *revoked, enum ae_crl_reason *reason,
    struct ae_err *e) AE_MUST_CHECK;

/*
 * Each entry in its order; a non-zero return of fn stops and is returned.
 * AE_EPROTO at the first malformed one.
 */
typedef int ae_crl_entry_fn(void *arg, struct ae_der serial, int64_t revoked,
    enum ae_crl_reason reason, struct ae_err *e);
int ae_crl_each(const struct ae_crl *c, ae_crl_entry_fn *fn, void *arg,
    struct ae_err *e) AE_MUST_CHECK;

#endif
