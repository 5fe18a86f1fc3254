/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * DER as the rest of this folder needs it: a borrowed run of bytes, a
 * strictness gate in front of every parser, and a forward writer.  Meaning
 * is parsed by ASN.1 item templates, never here.
 */
#ifndef AE_PKI_DER_H
#define AE_PKI_DER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/wr.h"

/* Bytes that belong to somebody else.  p NULL: absent. */
struct ae_der {
	const uint8_t *p;
	size_t len;
};

#define AE_DER_DEPTH_MAX 32

/* Largest object of each kind that is looked at, in bytes. */
#define AE_PKI_REQUEST_MAX (64u * 1024u) /* PKCS#10, CMS and CMC requests */
#define AE_PKI_CERT_MAX (64u * 1024u)
#define AE_PKI_RESPONSE_MAX (1024u * 1024u) /* CMS with a chain */
#define AE_PKI_KEY_FILE_MAX (64u * 1024u)
#define AE_PKI_NAME_MAX (8u * 1024u)

bool ae_der_equal(struct ae_der a, struct ae_der b);

/*
 * Exactly one element that fills len bytes, and everything constructed in it
 * likewise: definite lengths in their shortest form, low tag numbers only,
 * no constructed strings, booleans 00 or ff, minimal integers, at most
 * AE_DER_DEPTH_MAX levels.  The order in a SET OF is not looked at (Windows
 * does not sort the certificates of a CMS).  AE_EPROTO with the offset.
 */
int ae_der_check(const void *der, size_t len, struct ae_err *e) AE_MUST_CHECK;

/*
 * Writing.  An element whose length is not known yet is opened, filled and
 * closed; elements nest.  Errors are the writer's (ae_wr_ok).
 */
size_t ae_der_open(struct ae_wr *w, uint8_t tag); /* a mark for close */
void ae_der_close(struct ae_wr *w, size_t mark);
void ae_der_put(struct ae_wr *w, uint8_t tag, const void *p, size_t len);
/* Tag and length alone: the contents come from elsewhere. */
void ae_der_head(struct ae_wr *w, uint8_t tag, size_t len);
size_t ae_der_head_size(size_t len);		   /* how many bytes that is */
void ae_der_raw(struct ae_wr *w, struct ae_der d); /* a whole element */
void ae_der_bool(struct ae_wr *w, bool v);
void ae_der_uint(struct ae_wr *w, uint64_t v);
/* A big-endian non-negative number of any size, leading zeros dropped. */
void ae_der_bignum(struct ae_wr *w, const void *be, size_t len);
/* False, and nothing written, when oid is not dotted-decimal text. */
bool ae_der_oid(struct ae_wr *w, const char *oid);
/* UTCTime up to 2049, GeneralizedTime after, RFC 5280 4.1.2.5. */
void ae_der_time(struct ae_wr *w, int64_t t);
void ae_der_gentime(struct ae_wr *w, int64_t t); /* whatever the year */
/* BMPString.  False, and nothing written, when s is not UTF-8. */
bool ae_der_bmp(struct ae_wr *w, const char *s);
/* The same with a NUL at its end, as Windows has some. */
bool ae_der_bmp_nul(struct ae_wr *w, const char *s);

enum {
	AE_DER_BOOLEAN = 0x01,
	AE_DER_INTEGER = 0x02,
	AE_DER_BITSTRING = 0x03,
	AE_DER_OCTETS = 0x04,
	AE_DER_NULL = 0x05,
	AE_DER_OID = 0x06,
	AE_DER_ENUMERATED = 0x0a,
	AE_DER_UTF8 = 0x0c,
	AE_DER_PRINTABLE = 0x13,
	AE_DER_IA5 = 0x16,
	AE_DER_UTCTIME = 0x17,
	AE_DER_GENTIME = 0x18,
	AE_DER_BMPSTRING = 0x1e,
	AE_DER_SEQUENCE = 0x30,
	AE_DER_SET = 0x31,
};
#define AE_DER_CTX(n) ((uint8_t)(0x80 + (n)))	   /* [n] primitive */
#define AE_DER_CTX_CONS(n) ((uint8_t)(0xa0 + (n))) /* [n] constructed */

#endif
