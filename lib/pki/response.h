/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What a CA answers with, MS-WCCE 2.2.2.8 and 3.2.1.4.2.1.4.8: a
 * certificates-only CMS, or a CMC full response signed by the CA.
 */
#ifndef AE_PKI_RESPONSE_H
#define AE_PKI_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/wr.h"
#include "pki/cert.h"
#include "pki/der.h"
#include "pki/key.h"

#define AE_CHAIN_MAX 32

/*
 * Append a degenerate SignedData with n certificates (DER, in the order
 * given) and m CRLs.  This is pctbCertChain, and CR_PROP CASIGCERTCHAIN.
 */
int ae_chain_build(struct ae_wr *w, const struct ae_der *certs, size_t n,
    const struct ae_der *crls, size_t m, struct ae_err *e) AE_MUST_CHECK;

/*
 * The same around a certificate: CR_PROP CAXCHGCERTCHAIN and
 * CAXCHGCERTCRLCHAIN, the exchange certificate as the content (MS-WCCE
 * 3.2.1.4.3.2.16, .33).
 */
int ae_chain_build_around(struct ae_wr *w, struct ae_der content,
    const struct ae_der *certs, size_t n, const struct ae_der *crls, size_t m,
    struct ae_err *e) AE_MUST_CHECK;

enum ae_cmc_status {
	AE_CMC_SUCCESS = 0,
	AE_CMC_FAILED = 2,
	AE_CMC_PENDING = 3,
};

/* What a client is asked that attests its key, MS-WCCE 2.2.2.8.1. */
struct ae_response_challenge {
	struct ae_der challenge;     /* pki/attest.h */
	struct ae_der exchange_cert; /* to which the answer is encrypted */
	struct ae_der algorithm;     /* and by what, AlgorithmIdentifier */
	const char *ksp_name;
};

/* A full response.  Borrowed for the call. */
struct ae_response_spec {
	enum ae_cmc_status status;
	const char *status_text; /* UTF-8; NULL: none */
	uint32_t request_id;	 /* pendToken when pending */
	int64_t pend_time;	 /* when pending */
	struct ae_der issued; /* the new certificate; absent unless success */
	struct ae_der encrypted_key_hash; /* of a key that was archived */
	/* when pending; NULL: nothing is asked */
	const struct ae_response_challenge *challenge;
	const struct ae_der *chain; /* the CA's certificate first */
	size_t nchain;
	const struct ae_der *crls;
	size_t ncrls;
	const struct ae_cert *ca; /* signer */
	enum ae_hash hash;
};

/*
 * A full response in two steps, for a CA whose key is in another process:
 * begin yields the bytes to be signed (the DER SET of signed attributes),
 * finish takes the signature and appends the message.
 */
struct ae_response;
int ae_response_begin(struct ae_response **out, struct ae_der *to_sign,
    const struct ae_response_spec *s, struct ae_err *e) AE_MUST_CHECK;
int ae_response_finish(struct ae_wr *w, const struct ae_response *r,
    const void *sig, size_t len, struct ae_err *e) AE_MUST_CHECK;
void ae_response_free(struct ae_response *r);

/* What a client finds in either form.  Self-owned.  Read only. */
struct ae_answer {
	bool cmc; /* a full response: status… are set, signature verified */
	enum ae_cmc_status status;
	const char *status_text; /* or NULL */
	bool has_request_id;
	uint32_t request_id;
	struct ae_der issued_hash; /* SHA-1, from a full response; or absent */
	/*
	 * An attestation challenge, and the SHA-1 of the exchange certificate
	 * its answer is for; or absent.
	 */
	struct ae_der challenge, exchange_hash;
	struct ae_cert **certs; /* all that came, unjudged */
	size_t ncerts;
	const struct ae_cert *signer; /* of a full response, one of certs */
	struct ae_der *crls;
	size_t ncrls;
	struct ae_arena *arena; /* not yours */
};

/*
 * Parse a CMS answer of at most AE_PKI_RESPONSE_MAX bytes; the signature of
 * a full response is verified with the certificate that came along, which
 * proves integrity and nothing about trust.
 */
int ae_answer_parse(struct ae_answer **out, const void *der, size_t len,
    struct ae_err *e) AE_MUST_CHECK;
void ae_answer_free(struct ae_answer *a);

/*
 * The certificate for key k among those of a: the only one with k's public
 * half and, when a has an issued_hash, with that hash.
 * AE_ENOTFOUND when none, AE_EPROTO when several.  Borrowed from a.
 */
int ae_answer_cert(const struct ae_cert **out, const struct ae_answer *a,
    const struct ae_key *k, struct ae_err *e) AE_MUST_CHECK;

#endif
