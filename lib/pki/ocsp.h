/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * OCSP (RFC 6960): requests are read, the data of responses is written, and
 * read again by the one who signs it.
 */
#ifndef AE_PKI_OCSP_H
#define AE_PKI_OCSP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/wr.h"
#include "pki/crl.h"
#include "pki/der.h"
#include "pki/key.h"

#define AE_OCSP_REQUEST_MAX 8192u
#define AE_OCSP_IDS_MAX 16u    /* certificates in one request */
#define AE_OCSP_ID_MAX 256u    /* bytes of one CertID */
#define AE_OCSP_NONCE_MAX 132u /* RFC 9654: 128, and its header */
#define AE_OCSP_DATA_MAX 16384u
#define AE_OCSP_RESPONSE_MAX (AE_OCSP_DATA_MAX + AE_PKI_CERT_MAX)

/* OCSPResponseStatus, 4.2.1 */
enum ae_ocsp_error {
	AE_OCSP_MALFORMED = 1,
	AE_OCSP_INTERNAL = 2,
	AE_OCSP_TRY_LATER = 3,
	AE_OCSP_UNAUTHORIZED = 6,
};

/* Which certificate: by hashes of its issuer's name and key. */
struct ae_ocsp_id {
	enum ae_hash hash; /* NONE: one we do not compute */
	struct ae_der name_hash, key_hash;
	struct ae_der serial; /* big endian, no leading 00 */
	struct ae_der der;    /* the whole CertID, to be echoed */
};

/* Self-owned. */
struct ae_ocsp_request {
	struct ae_ocsp_id id[AE_OCSP_IDS_MAX];
	size_t n;
	struct ae_der nonce; /* contents of the extension; p NULL: none */
	void *arena;
};

/*
 * AE_EPROTO for what is no request, AE_ELIMIT for one of too many
 * certificates.  A signature is not looked at (4.1.2: nobody has to know
 * who asks); a critical extension that is not known is an error.
 */
int ae_ocsp_request_parse(struct ae_ocsp_request **out, const void *der,
    size_t len, struct ae_err *e) AE_MUST_CHECK;
void ae_ocsp_request_free(struct ae_ocsp_request *q);

/* A CertID as one gets it in a message: the same checks. */
int ae_ocsp_id_parse(struct ae_ocsp_request **out, const void *der, size_t len,
    struct ae_err *e) AE_MUST_CHECK;

/* What an issuer is called in a CertID; false: not with this hash. */
struct ae_ocsp_issuer {
	uint8_t name[AE_HASH_MAX], key[AE_HASH_MAX];
	size_t len;
};
int ae_ocsp_issuer(struct ae_ocsp_issuer *out, enum ae_hash h,
    struct ae_der name, struct ae_der spki, struct ae_err *e) AE_MUST_CHECK;

enum ae_ocsp_status {
	AE_OCSP_GOOD,
	AE_OCSP_REVOKED,
	AE_OCSP_UNKNOWN,
};

struct ae_ocsp_single {
	struct ae_der id; /* a whole CertID */
	enum ae_ocsp_status status;
	int64_t revoked; /* with its reason */
	enum ae_crl_reason reason;
	int64_t this_update, next_update;
};

/* Append the ResponseData: to be signed. */
int ae_ocsp_data_put(struct ae_wr *w, const uint8_t responder[AE_KEY_ID_LEN],
    int64_t produced, const struct ae_ocsp_single *v, size_t n,
    struct ae_der nonce, struct ae_err *e) AE_MUST_CHECK;

/* Append the OCSPResponse of it, with the certificate of who signed. */
int ae_ocsp_assemble(struct ae_wr *w, const void *data, size_t len,
    const struct ae_sigalg *alg, const void *sig, size_t siglen,
    struct ae_der cert, struct ae_err *e) AE_MUST_CHECK;

/* Append an answer without any data. */
void ae_ocsp_error_put(struct ae_wr *w, enum ae_ocsp_error what);

/* What a ResponseData says, for who is asked to sign it. */
struct ae_ocsp_data {
	uint8_t responder[AE_KEY_ID_LEN];
	int64_t produced;
	size_t n;
	/* over all of them */
	int64_t this_first, this_last, next_first, next_last;
};
int ae_ocsp_data_parse(struct ae_ocsp_data *out, const void *der, size_t len,
    struct ae_err *e) AE_MUST_CHECK;

#endif
