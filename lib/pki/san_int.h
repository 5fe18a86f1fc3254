/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Decoding general names; for this folder only.
 */
#ifndef AE_PKI_SAN_INT_H
#define AE_PKI_SAN_INT_H

#include "base/arena.h"
#include "pki/ext.h"
#include "pki/ossl.h"

/* Printable ASCII, as names of hosts and URLs are. */
int ae_arena_ascii(const char **out, struct ae_arena *a, const ASN1_STRING *s,
    struct ae_err *e) AE_MUST_CHECK;

/* The values of subjectAltName and of the SID extension. */
int ae_san_decode(struct ae_exts *x, struct ae_arena *a, struct ae_der v,
    struct ae_err *e) AE_MUST_CHECK;
int ae_sid_decode(struct ae_exts *x, struct ae_arena *a, struct ae_der v,
    struct ae_err *e) AE_MUST_CHECK;

#endif
