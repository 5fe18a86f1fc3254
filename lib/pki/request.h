/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Enrollment requests in the three forms of MS-WCCE 2.2.2.6: PKCS#10, CMS
 * around a PKCS#10, and CMC.  The door through which a CA takes requests,
 * and the builder a client uses.
 */
#ifndef AE_PKI_REQUEST_H
#define AE_PKI_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/wr.h"
#include "pki/cert.h"
#include "pki/csr.h"

enum ae_request_form {
	AE_REQUEST_ANY = 0,
	AE_REQUEST_PKCS10,
	AE_REQUEST_CMS,
	AE_REQUEST_CMC,
};

enum ae_signer_kind {
	AE_SIGNER_NEW_KEY =
	    1, /* by key identifier, verified with the PKCS#10's key */
	AE_SIGNER_NO_SIGNATURE, /* RFC 2797 3.3.3.1: a bare hash, proves nothing
				 */
	AE_SIGNER_CERT,		/* by a certificate that came along, verified */
};

#define AE_SIGNERS_MAX 8
#define AE_REQUEST_CERTS_MAX 16

struct ae_signer {
	enum ae_signer_kind kind;
	enum ae_hash hash;
	const struct ae_cert *cert; /* AE_SIGNER_CERT: one of certs */
	/* authenticated attribute szENROLLMENT_NAME_VALUE_PAIR, CMS form */
	const struct ae_pair *pairs;
	size_t npairs;
};

/* Self-owned.  Read only. */
struct ae_request {
	enum ae_request_form form;
	struct ae_csr *csr;
	enum ae_pop pop; /* how the PKCS#10 itself proved possession */
	/*
	 * Somebody proved to hold the new private key: a signature of the
	 * PKCS#10 or an AE_SIGNER_NEW_KEY.  A CA must insist on it.
	 */
	bool possession;
	/* RegInfo of a CMC; values are UTF-8 */
	const struct ae_pair *reginfo;
	size_t nreginfo;
	const struct ae_signer *signers; /* outermost CMS, in its order */
	size_t nsigners;
	struct ae_cert **certs; /* that came along, not judged */
	size_t ncerts;
	struct ae_der encrypted_key_hash; /* CMC control, archival */
	/*
	 * The unauthenticated attribute with the private key for the archive:
	 * has_ when anybody put one there, the value (a ContentInfo, not
	 * looked into) when it is the only one and the new key's signer's.
	 */
	bool has_archived_key;
	struct ae_der archived_key;
	struct ae_arena *arena; /* not yours */
};

/*
 * Parse and verify a request of the expected form.  Every signature in it is
 * checked against the key or certificate it names; chains, rights and hash
 * policy are the caller's.  *e carries the HRESULT the spec assigns:
 * 0x80091004 another form than expected, 0x8007000D no or more than one
 * PKCS#10, 0x8009200E no signer, 0x80090006 a signature is wrong, 0x80093102…
 * for malformed ASN.1 (MS-WCCE 3.2.1.4.2.1.4.1).
 */
int ae_request_parse(struct ae_request **out, enum ae_request_form expected,
    const void *der, size_t len, struct ae_err *e) AE_MUST_CHECK;
void ae_request_free(struct ae_request *r);

/* What the client wraps around a PKCS#10.  Borrowed for the call. */
struct ae_request_spec {
	struct ae_der pkcs10;
	const struct ae_key *key; /* the new key */
	enum ae_hash hash;
	bool pss;		       /* RSA keys sign with RSASSA-PSS */
	const struct ae_pair *reginfo; /* CMC only */
	size_t nreginfo;
	/* renewal: signs too, with its certificate going along; else NULL */
	const struct ae_key *old_key;
	const struct ae_cert *old_cert;
	/* the same for an enrollment agent or registration authority */
	const struct ae_key *agent_key;
	const struct ae_cert *agent_cert;
	/* CMC only: the private key for the archive, see archive.h; or absent
	 */
	struct ae_der archived_key;
};

/*
 * A CMC full request as Windows makes it for templates of schema 2 and up:
 * one TaggedRequest, RegInfo when there are pairs, first signer the new key
 * by SubjectKeyIdentifier, then the old key when renewing, then the agent
 * (MS-WCCE 3.1.1.4.3.1.3, 3.1.1.4.3.2.2, 3.1.1.4.3.3.3, 3.1.1.4.3.6.1).
 */
int ae_request_build_cmc(struct ae_wr *w, const struct ae_request_spec *s,
    struct ae_err *e) AE_MUST_CHECK;

/*
 * A CMS around the PKCS#10 signed by the old key alone: renewal for templates
 * of schema 1 (MS-WCCE 3.1.1.4.3.2.1).
 */
int ae_request_build_cms(struct ae_wr *w, const struct ae_request_spec *s,
    struct ae_err *e) AE_MUST_CHECK;

/*
 * The DER of a request in a file's content, DER, PEM ("NEW CERTIFICATE
 * REQUEST" and the other usual labels) or bare base64, appended; it is not
 * parsed.  AE_EPROTO when it is none of them.  And PEM of one, as certreq
 * labels it.
 */
int ae_request_read(
    struct ae_wr *w, const void *p, size_t len, struct ae_err *e) AE_MUST_CHECK;
int ae_request_put_pem(
    struct ae_wr *w, struct ae_der der, struct ae_err *e) AE_MUST_CHECK;

#endif
