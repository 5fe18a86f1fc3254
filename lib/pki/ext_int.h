/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What the files that read and write extensions share.
 */
#ifndef AE_PKI_EXT_INT_H
#define AE_PKI_EXT_INT_H

#include "base/arena.h"
#include "pki/ext.h"
#include "pki/ossl.h"

/* A CRLDistributionPoints value with one point: also freshestCRL. */
int ae_ext_put_cdp(struct ae_wr *w, const struct ae_strv *urls,
    struct ae_err *e) AE_MUST_CHECK;

/*
 * Decode a list of extensions into *x, everything in the arena; refuses one
 * that is there twice.  exts may be NULL.
 */
int ae_exts_decode(struct ae_exts *x, struct ae_arena *a,
    const STACK_OF(X509_EXTENSION) * exts, struct ae_err *e) AE_MUST_CHECK;

/* UTF-8 text of a BMPString, UTF8String, PrintableString or IA5String. */
int ae_arena_text(const char **out, struct ae_arena *a, const ASN1_STRING *s,
    struct ae_err *e) AE_MUST_CHECK;

/* Room for n more strings in a list whose memory is the arena's. */
int ae_arena_strv(struct ae_strv *l, struct ae_arena *a, size_t n,
    struct ae_err *e) AE_MUST_CHECK;

#endif
