/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * PKCS#10 certification requests with Microsoft's attributes, RFC 2986 and
 * MS-WCCE 2.2.2.6.1, 2.2.2.7: both directions.
 */
#ifndef AE_PKI_CSR_H
#define AE_PKI_CSR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/wr.h"
#include "pki/der.h"
#include "pki/ext.h"
#include "pki/key.h"

/* A request attribute of MS-WCCE 2.2.2.7.10. */
struct ae_pair {
	const char *name;
	const char *value; /* UTF-8 */
};

#define AE_PAIRS_MAX 64

/* MS-WCCE 2.2.2.7.4.  client_id 6 is what Windows' auto-enrollment sends. */
struct ae_client_info {
	uint32_t client_id;
	const char *machine; /* UTF-8; machine NULL: no such attribute */
	const char *user;
	const char *process;
};

/* What a request asks.  Borrowed for the call; zero means leave out. */
struct ae_csr_spec {
	struct ae_der subject; /* DER Name; absent: the empty name */
	struct ae_exts x;      /* go into one attribute, see ms_extensions */
	/* Use 1.3.6.1.4.1.311.2.1.14 instead of extensionRequest. */
	bool ms_extensions;
	const char *os_version; /* "10.0.20348.2" */
	const char *csp_name;	/* with key spec 1 */
	struct ae_client_info client;
	const struct ae_pair *pairs;
	size_t npairs;
	struct ae_der renewal_cert; /* DER certificate being renewed */
	/*
	 * Key attestation, MS-WCCE 2.2.2.7.12 to .14: an envelope with the
	 * endorsement key, a statement, and the name of the TPM's provider.
	 */
	struct ae_der ek_info;
	struct ae_der attestation;
	const char *ksp_name;
	enum ae_hash hash;
	bool pss; /* RSA keys sign with RSASSA-PSS */
};

/* Append the request, signed by k.  AE_EINVAL when it cannot be written. */
int ae_csr_build(struct ae_wr *w, const struct ae_csr_spec *s,
    const struct ae_key *k, struct ae_err *e) AE_MUST_CHECK;

/* How possession of the private key was shown. */
enum ae_pop {
	AE_POP_NONE = 0,
	AE_POP_SIGNATURE, /* the PKCS#10's own signature */
	AE_POP_NULL,	  /* a null signature, MS-WCCE 2.2.2.6.5: proves
			     nothing alone */
};

/* Self-owned; everything in it is borrowed from it.  Read only. */
struct ae_csr {
	struct ae_der der;
	struct ae_der info; /* CertificationRequestInfo as signed */
	struct ae_der subject;
	struct ae_der spki;
	struct ae_key *key; /* the requested public key, yours to ref */
	bool has_sigalg;    /* false: not one we know; see null_hash */
	struct ae_sigalg sigalg;
	enum ae_hash null_hash; /* the algorithm is a bare hash */
	struct ae_der signature;
	/* requested extensions, both attributes' forms */
	struct ae_exts x;
	const char *os_version, *csp_name;
	struct ae_client_info client;
	const struct ae_pair *pairs;
	size_t npairs;
	struct ae_der renewal_cert;
	/* value of szOID_ENCRYPTED_KEY_HASH when present there */
	struct ae_der encrypted_key_hash;
	/* Key attestation; the envelopes and the statement not looked into. */
	struct ae_der ek_info, aik_info;
	struct ae_der attestation;
	const char *ksp_name;
	struct ae_arena *arena; /* not yours */
};

/*
 * Parse one DER request of at most AE_PKI_REQUEST_MAX bytes.  Refused, with
 * AE_EPROTO: anything not strict DER, an attribute type twice, an attribute
 * that must have one value with another number of them (MS-WCCE note 23:
 * HRESULT 0x8007000D in e), both forms of extension attributes, an
 * extension twice, malformed known attributes or extensions.  Unknown
 * attributes are passed over.  No signature is checked.
 */
int ae_csr_parse(struct ae_csr **out, const void *der, size_t len,
    struct ae_err *e) AE_MUST_CHECK;
void ae_csr_free(struct ae_csr *c);

/*
 * Proof of possession: the request is signed by the key in it.  AE_ETRUST
 * (NTE_BAD_SIGNATURE as HRESULT) when it is not.  The hash is in
 * c->sigalg.hash for the caller's policy.
 */
int ae_csr_verify(const struct ae_csr *c, struct ae_err *e) AE_MUST_CHECK;

/*
 * The null signature of MS-WCCE 2.2.2.6.5.  To be tried only inside CMS and
 * CMC and after ae_csr_verify has failed; possession then rests on the
 * outer signature.
 */
int ae_csr_verify_null(const struct ae_csr *c, struct ae_err *e) AE_MUST_CHECK;

/* "Name=Value&Name=Value" (MS-WCCE 2.2.2.6.3), appended. */
int ae_pairs_put(struct ae_wr *w, const struct ae_pair *v, size_t n,
    struct ae_err *e) AE_MUST_CHECK;

/* Value of the last pair of this name (ASCII case folded), or NULL. */
const char *ae_pairs_get(const struct ae_pair *v, size_t n, const char *name);

#endif
