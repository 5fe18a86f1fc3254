/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * See faketpm.h; the numbers are those of TPM 2.0 Part 2.
 */
#include "faketpm.h"

#include <string.h>

#define BOUND \
	0x72u /* fixedTPM, fixedParent, sensitiveDataOrigin, userWithAuth */
#define SIGN 0x40000u
#define RESTRICTED 0x10000u

bool
faketpm_begin(struct faketpm *t)
{
	t->ek = t->aik = NULL;
	t->aik_attributes = BOUND | SIGN | RESTRICTED;
	t->key_attributes = BOUND | SIGN;
	return ae_key_generate(&t->ek, AE_KEY_RSA, 2048, NULL) == AE_OK &&
	    ae_key_generate(&t->aik, AE_KEY_EC, 256, NULL) == AE_OK;
}

void
faketpm_end(struct faketpm *t)
{
	ae_key_free(t->ek);
	ae_key_free(t->aik);
}

static void
put_2b(struct ae_wr *w, const void *p, size_t len)
{
	ae_wr_u16(w, (uint16_t)len);
	ae_wr_bytes(w, p, len);
}

/* TPM2B_PUBLIC of a P-256 key; the point ends its SubjectPublicKeyInfo. */
static void
put_public(
    struct ae_wr *w, const struct ae_key *k, uint32_t attributes, bool scheme)
{
	const struct ae_der spki = ae_key_spki(k);

	ae_wr_u16(w, scheme ? 88 : 86);
	ae_wr_u16(w, 0x23); /* ECC */
	ae_wr_u16(w, 0x0b); /* SHA-256 */
	ae_wr_u32(w, attributes);
	ae_wr_u16(w, 0);
	ae_wr_u16(w, 0x10);
	ae_wr_u16(w, scheme ? 0x18 : 0x10); /* ECDSA or NULL */
	if (scheme)
		ae_wr_u16(w, 0x0b);
	ae_wr_u16(w, 3);
	ae_wr_u16(w, 0x10);
	put_2b(w, spki.p + spki.len - 64, 32);
	put_2b(w, spki.p + spki.len - 32, 32);
}

static void
put_name(struct ae_wr *w, const struct ae_wr *public)
{
	uint8_t hash[AE_HASH_MAX];

	(void)!ae_hash_bytes(
	    hash, AE_HASH_SHA256, public->p + 2, public->len - 2);
	ae_wr_u16(w, 34);
	ae_wr_u16(w, 0x0b);
	ae_wr_bytes(w, hash, 32);
}

/* TPMS_ATTEST about that public area */
static void
put_attest(struct ae_wr *w, uint16_t type, const struct ae_wr *public,
    const void *more, size_t len)
{
	ae_wr_u32(w, 0xff544347u);
	ae_wr_u16(w, type);
	ae_wr_u16(w, 0);
	ae_wr_u16(w, 0);
	ae_wr_zeros(w, 25);
	put_name(w, public);
	put_2b(w, more, len);
}

/* Of DER r and s: 32 bytes each. */
static void
put_number(struct ae_wr *w, const uint8_t **p)
{
	uint8_t n[32] = { 0 };
	size_t len = (*p)[1];
	const uint8_t *v = *p + 2;

	*p += 2 + len;
	if (len > 32) {
		v++;
		len--;
	}
	memcpy(n + 32 - len, v, len);
	ae_wr_bytes(w, n, sizeof(n));
}

static bool
put_signature(struct ae_wr *w, const struct ae_key *k, const struct ae_wr *said)
{
	const struct ae_sigalg alg = { AE_KEY_EC, AE_HASH_SHA256, false };
	const uint8_t *p;
	struct ae_wr der;
	bool ok;

	ae_wr_init(&der, AE_SIG_MAX);
	ok = ae_key_sign(&der, k, &alg, said->p, said->len, NULL) == AE_OK;
	p = ok ? der.p + 2 : NULL;
	if (ok) {
		put_number(w, &p);
		put_number(w, &p);
	}
	ae_wr_done(&der);
	return ok;
}

static void
begin(struct ae_wr *v, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		ae_wr_init(&v[i], 4096);
		v[i].big = true;
	}
}

static struct ae_der
der(const struct ae_wr *w)
{
	return (struct ae_der){ w->p, w->len };
}

bool
faketpm_attest(
    const struct faketpm *t, struct ae_wr *w, const struct ae_key *key)
{
	enum { AIK, DATA, ID, IDSIG, PUBLIC, CERTIFY, SIG, PARTS };
	uint8_t hash[AE_HASH_MAX], qualified[34] = { 0, 0x0b, 1 };
	struct ae_attestation_spec s;
	struct ae_wr v[PARTS];
	bool ok;
	size_t i;

	begin(v, PARTS);
	put_public(&v[AIK], t->aik, t->aik_attributes, true);
	put_2b(&v[DATA], "made here", 9);
	(void)!ae_hash_bytes(hash, AE_HASH_SHA256, "made here", 9);
	put_attest(&v[ID], 0x801a, &v[AIK], hash, 32);
	put_public(&v[PUBLIC], key, t->key_attributes, false);
	put_attest(&v[CERTIFY], 0x8017, &v[PUBLIC], qualified, 34);
	ok = put_signature(&v[IDSIG], t->aik, &v[ID]) &&
	    put_signature(&v[SIG], t->aik, &v[CERTIFY]);
	s = (struct ae_attestation_spec){ der(&v[AIK]), der(&v[DATA]),
		der(&v[ID]), der(&v[IDSIG]), der(&v[PUBLIC]), der(&v[CERTIFY]),
		der(&v[SIG]) };
	ok = ok && ae_attestation_put(w, &s, NULL) == AE_OK;
	for (i = 0; i < PARTS; i++)
		ae_wr_done(&v[i]);
	return ok;
}
