/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The CMC structures that requests and answers share, RFC 2797: for this
 * folder only.
 */
#ifndef AE_PKI_CMC_INT_H
#define AE_PKI_CMC_INT_H

#include "pki/cms_int.h"

typedef struct {
	ASN1_INTEGER *id;
	ASN1_OBJECT *type;
	STACK_OF(ASN1_TYPE) * values;
} AE_CONTROL; /* 3.5 TaggedAttribute */
DECLARE_ASN1_ITEM(AE_CONTROL)
DEFINE_STACK_OF(AE_CONTROL)

/*
 * The only value of a control.  NULL with AE_OK: no such control; AE_EPROTO
 * for two of them or another number of values.
 */
int ae_control_one(const ASN1_TYPE **out, const STACK_OF(AE_CONTROL) * l,
    const char *oid, struct ae_err *e) AE_MUST_CHECK;

/*
 * The octet string an attribute holds that came in CMC_ADD_ATTRIBUTES (MS-
 * WCCE 3.2.1.4.2.1.4.8.2), into the arena; .p NULL when it is not there.
 */
int ae_added_octets(struct ae_der *out, struct ae_arena *a,
    const STACK_OF(AE_CONTROL) * l, const char *oid,
    struct ae_err *e) AE_MUST_CHECK;

/* The whole element v is, in the arena. */
int ae_arena_any(struct ae_der *out, struct ae_arena *a, const ASN1_TYPE *v,
    struct ae_err *e) AE_MUST_CHECK;

#endif
