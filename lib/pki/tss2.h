/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * "TSS2 PRIVATE KEY" files: what they say in the clear.  The private half is
 * sealed to one TPM; the public half is read here without asking it.  For
 * this folder and its tests.
 */
#ifndef AE_PKI_TSS2_H
#define AE_PKI_TSS2_H

#include "pki/key.h"

/* TPM 2.0 Part 2, 6.3 TPM_ALG_ID */
enum {
	AE_TPM_ALG_RSA = 0x0001,
	AE_TPM_ALG_SHA1 = 0x0004,
	AE_TPM_ALG_SHA256 = 0x000b,
	AE_TPM_ALG_SHA384 = 0x000c,
	AE_TPM_ALG_SHA512 = 0x000d,
	AE_TPM_ALG_NULL = 0x0010,
	AE_TPM_ALG_RSASSA = 0x0014,
	AE_TPM_ALG_RSAPSS = 0x0016,
	AE_TPM_ALG_ECDSA = 0x0018,
	AE_TPM_ALG_ECC = 0x0023,
};

/* TPM 2.0 Part 2, 8.3 TPMA_OBJECT */
#define AE_TPMA_FIXED_TPM 0x00000002u
#define AE_TPMA_FIXED_PARENT 0x00000010u
#define AE_TPMA_SENSITIVE_DATA_ORIGIN 0x00000020u
#define AE_TPMA_RESTRICTED 0x00010000u
#define AE_TPMA_DECRYPT 0x00020000u
#define AE_TPMA_SIGN 0x00040000u

#define AE_TPM_NAME_MAX (2 + AE_HASH_MAX)

/* A TPM2B_PUBLIC.  The key is the caller's. */
struct ae_tpm_public {
	struct ae_key *key;
	enum ae_hash name_alg;
	uint32_t attributes;	  /* AE_TPMA_* */
	uint16_t scheme;	  /* AE_TPM_ALG_*; NULL: any */
	enum ae_hash scheme_hash; /* NONE without a scheme, or not known */
	uint8_t name[AE_TPM_NAME_MAX];
	size_t name_len;
};
int ae_tpm_public_parse(struct ae_tpm_public *out, const void *p, size_t len,
    struct ae_err *e) AE_MUST_CHECK;

enum ae_hash ae_tpm_hash(uint16_t alg); /* NONE: not one we know */

#define AE_TSS2_PEM "TSS2 PRIVATE KEY"

/*
 * The public key of a TSS2 file in PEM.  AE_EPROTO when it is none, or not a
 * key on a curve of ours or RSA with a usable exponent.
 */
int ae_tss2_public(struct ae_key **out, const void *pem, size_t len,
    struct ae_err *e) AE_MUST_CHECK;

/* The key alone of the TPM2B_PUBLIC inside. */
int ae_tpm2b_public(struct ae_key **out, const void *p, size_t len,
    struct ae_err *e) AE_MUST_CHECK;

#endif
