/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * TPM 2.0 key attestation as MS-WCCE carries it: the endorsement key and its
 * certificates (2.2.2.7.13), the KeyAttestationStatement (2.2.2.5), and the
 * challenge that only the TPM with that endorsement key can answer, for the
 * attestation key alone that the statement names.  Bytes in, verdict out: no
 * TPM is needed here.
 */
#ifndef AE_PKI_ATTEST_H
#define AE_PKI_ATTEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/wr.h"
#include "pki/cert.h"
#include "pki/key.h"

#define AE_EK_INFO_MAX 0x4000 /* EndorsementKeyInfo, in the clear */
#define AE_EK_CERTS_MAX 4
#define AE_ATTESTATION_MAX 0x4000 /* a KeyAttestationStatement */
#define AE_ATTEST_SECRET 32	  /* bytes of a challenge's secret */
#define AE_ATTEST_CHALLENGE_MAX 0x4000

/* The name Windows' provider has on the wire, MS-WCCE note 131. */
#define AE_TPM_KSP_NAME "Microsoft Platform Crypto Provider"

/* EndorsementKeyInfo.  Read only; release with _done. */
struct ae_ek_info {
	struct ae_key *ek;
	struct ae_cert *certs[AE_EK_CERTS_MAX]; /* that parse; not judged */
	size_t ncerts;
	uint8_t hash[32];      /* SHA-256 of the RSAPublicKey */
	uint8_t spki_hash[32]; /* and of the SubjectPublicKeyInfo */
};

/*
 * AE_EPROTO: not one.  AE_EINVAL: an endorsement key other than RSA of 2048
 * bits, which is the only kind whose template a CA can know.
 */
int ae_ek_info_parse(struct ae_ek_info *out, const void *der, size_t len,
    struct ae_err *e) AE_MUST_CHECK;
void ae_ek_info_done(struct ae_ek_info *i);
/* Append one; the manufacturer's certificate may be NULL. */
int ae_ek_info_put(struct ae_wr *w, const struct ae_key *ek, struct ae_der cert,
    struct ae_err *e) AE_MUST_CHECK;

/* Which part of a statement is wrong. */
enum ae_attest_part {
	AE_ATTEST_FORM,	      /* it is no statement of a TPM 2.0 */
	AE_ATTEST_ID_BINDING, /* the attestation key's own part */
	AE_ATTEST_KEY,	      /* the part about the requested key */
};

/* What a good statement says. */
struct ae_attestation {
	uint8_t aik_name[2 + AE_HASH_MAX]; /* TPM 2.0 Part 1, 16 */
	size_t aik_name_len;
	struct ae_der aik_opaque; /* for the client's TPM; in the statement */
};

/*
 * Is this statement true, as far as a statement can be, about the key?  The
 * attestation key is restricted and made by a TPM that never lets it go, it
 * signs its own creation, and that the key is one of the same TPM, made
 * there and fixed to it.  Whose TPM it is remains to be asked by a
 * challenge.  AE_EPROTO, AE_ETRUST: no, see *part.  sha1: signatures over
 * SHA-1 count.
 */
int ae_attestation_verify(struct ae_attestation *out, enum ae_attest_part *part,
    struct ae_der statement, const struct ae_key *key, bool sha1,
    struct ae_err *e) AE_MUST_CHECK;

/*
 * What a client puts together; the parts are as the TPM gave them:
 * TPM2B_PUBLIC, TPM2B_CREATION_DATA, TPMS_ATTEST, TPMT_SIGNATURE.
 */
struct ae_attestation_spec {
	struct ae_der aik_public, creation_data, id_attest, id_signature;
	struct ae_der key_public, key_attest, key_signature;
};
int ae_attestation_put(struct ae_wr *w, const struct ae_attestation_spec *s,
    struct ae_err *e) AE_MUST_CHECK;

/*
 * Append the challenge: the secret under TPM2_MakeCredential for the object
 * of that name in the TPM with the endorsement key (TPM 2.0 Part 1, 24),
 * which is one of the TCG's default template, with the opaque part of the
 * statement.
 */
int ae_attest_challenge(struct ae_wr *w, const struct ae_key *ek,
    const struct ae_attestation *to, const uint8_t secret[AE_ATTEST_SECRET],
    struct ae_err *e) AE_MUST_CHECK;

/* Its parts, TPM2B_ID_OBJECT and TPM2B_ENCRYPTED_SECRET. */
int ae_attest_challenge_parse(struct ae_der *id_object,
    struct ae_der *encrypted, const void *p, size_t len,
    struct ae_err *e) AE_MUST_CHECK;

#endif
