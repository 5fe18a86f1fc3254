/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The ASN.1 of TSS2 key files and the TPM's own TPM2B_PUBLIC in it; see
 * tss2.h.
 */
#include "pki/tss2.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>

#include "base/rd.h"
#include "pki/key_int.h"
#include "pki/ossl.h"

/*
 * TPMKey of "ASN.1 Specification for TPM 2.0 Key Files".  What is optional
 * only matters to the TPM.  emptyAuth is not DER as tpm2-openssl writes it.
 */
typedef struct {
	ASN1_OBJECT *type;
	ASN1_TYPE *empty_auth;
	ASN1_TYPE *policy;
	ASN1_TYPE *secret;
	ASN1_TYPE *auth_policy;
	ASN1_TYPE *description;
	ASN1_TYPE *rsa_parent;
	ASN1_INTEGER *parent;
	ASN1_OCTET_STRING *public;
	ASN1_OCTET_STRING *private;
} AE_TSS2;

/* clang-format off */
ASN1_SEQUENCE(AE_TSS2) = {
	ASN1_SIMPLE(AE_TSS2, type, ASN1_OBJECT),
	ASN1_EXP_OPT(AE_TSS2, empty_auth, ASN1_ANY, 0),
	ASN1_EXP_OPT(AE_TSS2, policy, ASN1_ANY, 1),
	ASN1_EXP_OPT(AE_TSS2, secret, ASN1_ANY, 2),
	ASN1_EXP_OPT(AE_TSS2, auth_policy, ASN1_ANY, 3),
	ASN1_EXP_OPT(AE_TSS2, description, ASN1_ANY, 4),
	ASN1_EXP_OPT(AE_TSS2, rsa_parent, ASN1_ANY, 5),
	ASN1_SIMPLE(AE_TSS2, parent, ASN1_INTEGER),
	ASN1_SIMPLE(AE_TSS2, public, ASN1_OCTET_STRING),
	ASN1_SIMPLE(AE_TSS2, private, ASN1_OCTET_STRING),
} static_ASN1_SEQUENCE_END(AE_TSS2)
/* clang-format on */

enum ae_hash
ae_tpm_hash(uint16_t alg)
{
	switch (alg) {
	case AE_TPM_ALG_SHA1:
		return AE_HASH_SHA1;
	case AE_TPM_ALG_SHA256:
		return AE_HASH_SHA256;
	case AE_TPM_ALG_SHA384:
		return AE_HASH_SHA384;
	case AE_TPM_ALG_SHA512:
		return AE_HASH_SHA512;
	default:
		return AE_HASH_NONE;
	}
}

/* A scheme is an algorithm and, unless that is NULL, a hash. */
static void
skip_scheme(struct ae_rd *r)
{
	if (ae_rd_u16(r) != AE_TPM_ALG_NULL)
		(void)ae_rd_u16(r);
}

static void
get_scheme(struct ae_tpm_public *out, struct ae_rd *r)
{
	out->scheme = ae_rd_u16(r);
	if (out->scheme != AE_TPM_ALG_NULL)
		out->scheme_hash = ae_tpm_hash(ae_rd_u16(r));
}

/* TPMT_SYM_DEF_OBJECT: of parents, but allowed. */
static void
skip_symmetric(struct ae_rd *r)
{
	if (ae_rd_u16(r) != AE_TPM_ALG_NULL)
		(void)ae_rd_u32(r);
}

static const uint8_t *
get_2b(struct ae_rd *r, size_t *len)
{
	*len = ae_rd_u16(r);
	return ae_rd_take(r, *len);
}

static void
put_rsa(struct ae_wr *w, struct ae_tpm_public *out, struct ae_rd *r)
{
	uint8_t exponent[4] = { 0, 1, 0, 1 };
	struct ae_der n, e = { exponent, sizeof(exponent) };
	const uint8_t *given;

	skip_symmetric(r);
	get_scheme(out, r);
	(void)ae_rd_u16(r); /* keyBits */
	given = ae_rd_take(r, sizeof(exponent));
	if (given != NULL && memcmp(given, "\0\0\0\0", 4) != 0)
		memcpy(exponent, given, sizeof(exponent));
	n.p = get_2b(r, &n.len);
	if (n.p != NULL)
		ae_spki_put_rsa(w, n, e);
}

/* A coordinate, filled up to the size of the field. */
static void
put_coordinate(struct ae_wr *w, struct ae_rd *r, size_t field)
{
	const uint8_t *p;
	size_t len;

	p = get_2b(r, &len);
	if (p == NULL || len > field) {
		ae_rd_fail(r);
		return;
	}
	ae_wr_zeros(w, field - len);
	ae_wr_bytes(w, p, len);
}

static void
put_ec(struct ae_wr *w, struct ae_tpm_public *out, struct ae_rd *r)
{
	/* TPM_ECC_NIST_P256 is 3, and so on */
	static const unsigned bits[] = { 0, 0, 0, 256, 384, 521 };
	struct ae_der d;
	struct ae_wr point;
	uint16_t curve;

	skip_symmetric(r);
	get_scheme(out, r);
	curve = ae_rd_u16(r);
	skip_scheme(r); /* kdf */
	if (curve >= sizeof(bits) / sizeof(bits[0]) || bits[curve] == 0) {
		ae_rd_fail(r);
		return;
	}
	ae_wr_init(&point, 256);
	ae_wr_u8(&point, 4); /* uncompressed */
	put_coordinate(&point, r, (bits[curve] + 7) / 8);
	put_coordinate(&point, r, (bits[curve] + 7) / 8);
	d.p = point.p;
	d.len = point.len;
	if (ae_wr_ok(&point) && ae_rd_ok(r))
		ae_spki_put_ec(w, bits[curve], d);
	else if (!ae_wr_ok(&point))
		w->bad = true;
	ae_wr_done(&point);
}

/* TPM 2.0 Part 1, 16: nameAlg and the digest of the area. */
static int
make_name(struct ae_tpm_public *out, uint16_t alg, const uint8_t *area,
    size_t len, struct ae_err *e)
{
	size_t n;

	if (out->name_alg == AE_HASH_NONE)
		return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
		    "the name of a TPM's key is made by algorithm 0x%04x", alg);
	n = ae_hash_bytes(out->name + 2, out->name_alg, area, len);
	if (n == 0)
		return ae_fail_mem(e);
	out->name[0] = (uint8_t)(alg >> 8);
	out->name[1] = (uint8_t)alg;
	out->name_len = 2 + n;
	return AE_OK;
}

/* TPMT_PUBLIC: everything but the name; the key's SubjectPublicKeyInfo. */
static uint16_t
get_area(struct ae_tpm_public *out, struct ae_wr *spki, struct ae_rd *r)
{
	uint16_t type, alg;
	size_t n;

	type = ae_rd_u16(r);
	alg = ae_rd_u16(r);
	out->name_alg = ae_tpm_hash(alg);
	out->attributes = ae_rd_u32(r);
	(void)get_2b(r, &n); /* authPolicy */
	if (type == AE_TPM_ALG_RSA)
		put_rsa(spki, out, r);
	else if (type == AE_TPM_ALG_ECC)
		put_ec(spki, out, r);
	else
		ae_rd_fail(r);
	return alg;
}

int
ae_tpm_public_parse(
    struct ae_tpm_public *out, const void *p, size_t len, struct ae_err *e)
{
	struct ae_tpm_public pub = { .scheme = AE_TPM_ALG_NULL };
	struct ae_rd r;
	struct ae_wr w;
	uint16_t alg;
	int rc;

	ae_rd_init(&r, p, len);
	r.big = true;
	ae_wr_init(&w, AE_SIG_MAX);
	if (ae_rd_u16(&r) != ae_rd_left(&r))
		ae_rd_fail(&r);
	alg = get_area(&pub, &w, &r);
	if (!ae_rd_done(&r))
		rc = ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
		    "the public part of the TPM's key is malformed, or of a "
		    "kind not used here");
	else if (!ae_wr_ok(&w))
		rc = ae_fail_mem(e);
	else
		rc = make_name(&pub, alg, (const uint8_t *)p + 2, len - 2, e);
	if (rc == AE_OK)
		rc = ae_key_from_spki(&pub.key, w.p, w.len, e);
	ae_wr_done(&w);
	if (rc == AE_OK)
		*out = pub;
	return rc;
}

int
ae_tpm2b_public(
    struct ae_key **out, const void *p, size_t len, struct ae_err *e)
{
	struct ae_tpm_public pub;
	int rc = ae_tpm_public_parse(&pub, p, len, e);

	if (rc == AE_OK)
		*out = pub.key;
	return rc;
}

int
ae_tss2_public(
    struct ae_key **out, const void *pem, size_t len, struct ae_err *e)
{
	BIO *bio =
	    len > AE_PKI_KEY_FILE_MAX ? NULL : BIO_new_mem_buf(pem, (int)len);
	unsigned char *der = NULL;
	const unsigned char *p;
	AE_TSS2 *k = NULL;
	char *name = NULL;
	long n = 0;
	int rc;

	if (bio == NULL ||
	    PEM_bytes_read_bio(&der, &n, &name, AE_TSS2_PEM, bio, NULL, NULL) !=
		1) {
		rc = ae_fail_ossl(e, AE_EPROTO, "no " AE_TSS2_PEM " in PEM");
		goto out;
	}
	p = der;
	k = (AE_TSS2 *)ASN1_item_d2i(NULL, &p, n, ASN1_ITEM_rptr(AE_TSS2));
	if (k == NULL || p != der + n) {
		rc = ae_fail_ossl(e, AE_EPROTO, "a malformed " AE_TSS2_PEM);
		goto out;
	}
	rc = ae_tpm2b_public(out, ASN1_STRING_get0_data(k->public),
	    (size_t)ASN1_STRING_length(k->public), e);
out:
	ASN1_item_free((ASN1_VALUE *)k, ASN1_ITEM_rptr(AE_TSS2));
	OPENSSL_free(name);
	OPENSSL_free(der);
	BIO_free(bio);
	ERR_clear_error();
	return rc;
}
