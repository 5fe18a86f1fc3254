/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What was found at an address that a certificate names: its issuer's
 * certificate (AIA), or its issuer's revocation list (CDP).  Anybody may have
 * put it there.
 */
#ifndef AE_PKI_PUBLISHED_H
#define AE_PKI_PUBLISHED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "pki/cert.h"
#include "pki/crl.h"

#define AE_PUBLISHED_CERTS_MAX 16u
#define AE_PUBLISHED_LIST_MAX (16u * 1024u * 1024u)

/*
 * The certificate of c's issuer in these bytes: one certificate in DER, PEM,
 * or a CMS message with certificates alone; its key signed c.  AE_EPROTO: no
 * certificate at all; AE_ENOTFOUND: of others.  *out is yours.
 */
int ae_published_issuer(struct ae_cert **out, const struct ae_cert *c,
    const void *p, size_t len, struct ae_err *e) AE_MUST_CHECK;

struct ae_published_list {
	int64_t next_update; /* 0: none */
	bool stale;	     /* that has passed */
	bool verified;	     /* the issuer's key signed it */
	bool listed;	     /* c is on it, verified only */
	int64_t revoked;     /* since when */
	enum ae_crl_reason reason;
};

/*
 * The revocation list of c's issuer in these bytes, DER.  issuer may
 * be NULL when it is not known; nothing is said about c then.  AE_EPROTO: no
 * list; AE_ENOTFOUND: of another issuer; AE_ETRUST: signed by another key.
 */
int ae_published_list(struct ae_published_list *out, const struct ae_cert *c,
    const struct ae_cert *issuer, int64_t now, const void *p, size_t len,
    struct ae_err *e) AE_MUST_CHECK;

#endif
