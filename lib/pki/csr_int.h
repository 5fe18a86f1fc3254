/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What the files that read and write requests share.
 */
#ifndef AE_PKI_CSR_INT_H
#define AE_PKI_CSR_INT_H

#include "base/arena.h"
#include "pki/csr.h"
#include "pki/ossl.h"

/* MS-ERREF 2.1 numbers that MS-WCCE 3.2.1.4.2.1.4.1 assigns. */
#define AE_HR_INVALID_DATA ((int64_t)0x8007000d)
#define AE_HR_BAD_SIGNATURE ((int64_t)0x80090006)
#define AE_HR_INVALID_MSG_TYPE ((int64_t)0x80091004)
#define AE_HR_NO_SIGNER ((int64_t)0x8009200e)
#define AE_HR_BAD_RENEWAL_CERT ((int64_t)0x8009400e)
#define AE_HR_ASN1_BAD_TAG ((int64_t)0x8009310b)

/*
 * Attribute ::= SEQUENCE { type, SET OF value }, RFC 2986 4.1, RFC 5652 5.3.
 */
typedef struct {
	ASN1_OBJECT *type;
	STACK_OF(ASN1_TYPE) * values;
} AE_ATTR;
DECLARE_ASN1_ITEM(AE_ATTR)
DEFINE_STACK_OF(AE_ATTR)

/* The attribute's values, which must be n; AE_EPROTO with INVALID_DATA. */
int ae_attr_count(
    const AE_ATTR *a, int n, const char *what, struct ae_err *e) AE_MUST_CHECK;

/* The pairs of a szENROLLMENT_NAME_VALUE_PAIR attribute's values. */
int ae_pairs_decode(const struct ae_pair **out, size_t *n, struct ae_arena *a,
    const AE_ATTR *attr, struct ae_err *e) AE_MUST_CHECK;

/* The attribute with n pairs, one value each; nothing for none. */
int ae_pairs_put_attr(struct ae_wr *w, const struct ae_pair *v, size_t n,
    struct ae_err *e) AE_MUST_CHECK;

/* X.690 11.6: the order of two encodings in a SET OF. */
int ae_der_set_order(
    const uint8_t *a, size_t alen, const uint8_t *b, size_t blen);

#endif
