/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * CMS signed-data, RFC 5652, as MS-WCCE uses it: for this folder only.
 */
#ifndef AE_PKI_CMS_INT_H
#define AE_PKI_CMS_INT_H

#include "pki/cert.h"
#include "pki/csr_int.h"
#include "pki/ossl.h"

/* Templates in spec order.  ASN1_ANY keeps a part's bytes as they are. */
typedef struct {
	ASN1_OBJECT *type;
	ASN1_TYPE *content;
} AE_CONTENT_INFO; /* 3 */

typedef struct {
	ASN1_OBJECT *type;
	ASN1_OCTET_STRING *content;
} AE_ENCAP; /* 5.2 */

typedef struct {
	ASN1_TYPE *issuer;
	ASN1_INTEGER *serial;
} AE_ISSUER_SERIAL; /* 10.2.4 */

typedef struct {
	int type; /* 0: issuer and serial, 1: subject key identifier */
	union {
		AE_ISSUER_SERIAL *issuer;
		ASN1_OCTET_STRING *ski;
	} d;
} AE_SID;

typedef struct {
	ASN1_INTEGER *version;
	AE_SID *sid;
	ASN1_TYPE *digest;
	STACK_OF(AE_ATTR) * signed_attrs;
	ASN1_TYPE *alg;
	ASN1_OCTET_STRING *signature;
	STACK_OF(AE_ATTR) * unsigned_attrs;
} AE_SIGNER_INFO; /* 5.3 */
DEFINE_STACK_OF(AE_SIGNER_INFO)

typedef struct {
	ASN1_INTEGER *version;
	STACK_OF(ASN1_TYPE) * digests;
	AE_ENCAP *encap;
	STACK_OF(ASN1_TYPE) * certs;
	STACK_OF(ASN1_TYPE) * crls;
	STACK_OF(AE_SIGNER_INFO) * signers;
} AE_SIGNED_DATA; /* 5.1 */

/*
 * Decode a ContentInfo that holds signed-data.  AE_EINVAL, with nothing in
 * e, when it is no ContentInfo at all.  Free with ae_cms_free.
 */
int ae_cms_decode(
    AE_SIGNED_DATA **out, struct ae_der d, struct ae_err *e) AE_MUST_CHECK;
void ae_cms_free(AE_SIGNED_DATA *sd);

/* The content type is this OID. */
bool ae_cms_is(const AE_SIGNED_DATA *sd, const char *oid);

/* The content; .p NULL when there is none. */
struct ae_der ae_cms_content(const AE_SIGNED_DATA *sd);

/*
 * Parse the X.509 certificates that came along, at most max; other kinds
 * are passed over.  On failure *v and *n hold what ae_certs_free takes.
 */
int ae_cms_certs(struct ae_cert ***v, size_t *n, size_t max,
    const AE_SIGNED_DATA *sd, struct ae_err *e) AE_MUST_CHECK;

/* The digest of a signer; NONE when not one we know. */
enum ae_hash ae_cms_hash(const AE_SIGNER_INFO *si);

/* RFC 2797 3.3.3.1 */
bool ae_cms_no_signature(const AE_SIGNER_INFO *si);

/* The certificate among n that the signer names by issuer and serial, or by
 * its subject key identifier; NULL when there is none. */
const struct ae_cert *ae_cms_signer_cert(
    const AE_SIGNER_INFO *si, struct ae_cert *const *v, size_t n);

/*
 * Check the signed attributes against the content, and the signature with
 * key; key NULL: the bare hash of the no-signature form.  AE_ETRUST with
 * NTE_BAD_SIGNATURE.
 */
int ae_cms_verify(const AE_SIGNED_DATA *sd, const AE_SIGNER_INFO *si,
    const struct ae_key *key, struct ae_err *e) AE_MUST_CHECK;

/* The only value of the only attribute of this OID; NULL when there is
 * none, or more than one of either. */
const ASN1_TYPE *ae_attrs_one(const STACK_OF(AE_ATTR) * l, const char *oid);
bool ae_attrs_has(const STACK_OF(AE_ATTR) * l, const char *oid);
bool ae_oid_is(const ASN1_OBJECT *o, const char *oid);

/*
 * Writing.  A signed-data is opened, its certificates and CRLs put, its
 * signers put, closed.
 */
struct ae_cms_out {
	size_t info, explicit_, data, set;
};
void ae_cms_open(struct ae_wr *w, struct ae_cms_out *o, unsigned version,
    const enum ae_hash *digests, size_t n, const char *type,
    struct ae_der content);
void ae_cms_put_all(struct ae_wr *w, int tag, const struct ae_der *v, size_t n);
void ae_cms_close(struct ae_wr *w, const struct ae_cms_out *o);

/* The DER SET of contentType and messageDigest, which is what is signed. */
int ae_cms_signed_attrs(struct ae_wr *w, const char *type, enum ae_hash h,
    struct ae_der content, struct ae_err *e) AE_MUST_CHECK;

/* A SignerInfo with the attributes of ae_cms_signed_attrs; cert NULL: named
 * by ski.  unsigned_attrs: the element as it is, or absent. */
void ae_cms_put_signer(struct ae_wr *w, const struct ae_cert *cert,
    struct ae_der ski, const struct ae_sigalg *alg, struct ae_der attrs,
    struct ae_der sig, struct ae_der unsigned_attrs);

#endif
