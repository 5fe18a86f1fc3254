/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What the directory's revocation lists (CN=CDP) say about certificates that
 * are here.  Nothing is fetched from URLs in certificates: a list is believed
 * when the key that signed the certificate signed the list.
 */
#ifndef AE_GATHER_REVOCATION_H
#define AE_GATHER_REVOCATION_H

#include <stddef.h>
#include <stdint.h>

#include "ad/ad.h"
#include "base/arena.h"
#include "base/err.h"
#include "enroll/inventory.h"
#include "pki/cert.h"

#define AE_REVOCATION_LIST_MAX (32u * 1024u * 1024u)

/* Lists, whoever made them. */
struct ae_revocation;

/* NULL: no memory. */
struct ae_revocation *ae_revocation_new(void);
void ae_revocation_free(struct ae_revocation *r);

/*
 * Take one DER list, copied.  One that does not parse, or begins in the
 * future, is worth nothing and is passed over: AE_OK.  AE_ENOMEM.
 */
int ae_revocation_add(struct ae_revocation *r, const void *der, size_t len,
    int64_t now, struct ae_err *e) AE_MUST_CHECK;

/*
 * Add every base and delta list below CN=CDP.  No such container is no list.
 */
int ae_revocation_read(struct ae_revocation *r, struct ae_ad *ad, int64_t now,
    struct ae_err *e) AE_MUST_CHECK;

/*
 * Fill in out's revocation, revoked_why, revoked_at and crl_stale for c.
 * issuers are the certificates its signer may be among.  A list out of date
 * clears nobody, but what it names stays named: a revocation, unlike a hold,
 * is never taken back.
 */
void ae_revocation_judge(struct ae_inv_cert *out, const struct ae_revocation *r,
    const struct ae_cert *c, const struct ae_cert *const *issuers,
    size_t nissuers);

#endif
