/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * EndorsementKeyInfo, MS-WCCE 2.2.2.7.13.
 */
#include <openssl/err.h>
#include <string.h>

#include "pki/attest.h"
#include "pki/ossl.h"

/* RSA of 2048 bits: the TCG's template L-1, SHA-256 and AES-128. */
#define EK_BITS 2048

static int
bad(struct ae_err *e, const char *what)
{
	return ae_fail(
	    e, AE_EPROTO, AE_DOM_NONE, 0, "endorsement key: %s", what);
}

static int
hash_key(struct ae_ek_info *i, struct ae_err *e)
{
	const struct ae_der spki = ae_key_spki(i->ek);
	uint8_t hash[AE_HASH_MAX];
	AE_SPKI *s = NULL;
	int rc;

	rc = ae_item_decode(
	    &s, ASN1_ITEM_rptr(AE_SPKI), spki, "endorsement key", e);
	if (rc != AE_OK)
		return rc;
	if (ae_hash_bytes(hash, AE_HASH_SHA256, s->key->data,
		(size_t)s->key->length) == sizeof(i->hash))
		memcpy(i->hash, hash, sizeof(i->hash));
	else
		rc = ae_fail_mem(e);
	ASN1_item_free((ASN1_VALUE *)s, ASN1_ITEM_rptr(AE_SPKI));
	if (rc == AE_OK &&
	    ae_hash_bytes(hash, AE_HASH_SHA256, spki.p, spki.len) ==
		sizeof(i->spki_hash))
		memcpy(i->spki_hash, hash, sizeof(i->spki_hash));
	else
		rc = ae_fail_mem(e);
	return rc;
}

static int
take_key(struct ae_ek_info *i, const ASN1_TYPE *t, struct ae_err *e)
{
	const struct ae_der d = ae_any_sequence(t);
	int rc;

	if (d.p == NULL)
		return bad(e, "the first element is no public key");
	rc = ae_key_from_spki(&i->ek, d.p, d.len, e);
	if (rc != AE_OK)
		return rc == AE_ENOMEM ? rc : ae_note(e, AE_EPROTO, "the EK");
	if (ae_key_type(i->ek) != AE_KEY_RSA || ae_key_bits(i->ek) != EK_BITS)
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "the endorsement key is not RSA of %d bits", EK_BITS);
	return hash_key(i, e);
}

/*
 * NULL stands for the manufacturer's certificate that is not there.  Some
 * manufacturers' are not what RFC 5280 allows: those do not count, and are
 * no fault of who sends them.
 */
static int
take_cert(
    struct ae_ek_info *i, const ASN1_TYPE *t, bool first, struct ae_err *e)
{
	const struct ae_der d = ae_any_sequence(t);
	int rc;

	if (first && t->type == V_ASN1_NULL)
		return AE_OK;
	if (d.p == NULL)
		return bad(e, "an element is no certificate");
	rc = ae_cert_parse(&i->certs[i->ncerts], d.p, d.len, NULL);
	if (rc == AE_ENOMEM)
		return ae_fail_mem(e);
	if (rc == AE_OK)
		i->ncerts++;
	return AE_OK;
}

int
ae_ek_info_parse(
    struct ae_ek_info *out, const void *der, size_t len, struct ae_err *e)
{
	struct ae_ek_info i = { .ek = NULL };
	ASN1_SEQUENCE_ANY *all = NULL;
	int rc, n, k;

	if (len > AE_EK_INFO_MAX)
		return ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
		    "endorsement key: %zu bytes", len);
	rc = ae_item_decode(&all, ASN1_ITEM_rptr(ASN1_SEQUENCE_ANY),
	    (struct ae_der){ der, len }, "endorsement key", e);
	n = rc == AE_OK ? sk_ASN1_TYPE_num(all) : 0;
	if (rc == AE_OK && (n < 2 || n > 1 + AE_EK_CERTS_MAX))
		rc = bad(e, "not two to five elements");
	if (rc == AE_OK)
		rc = take_key(&i, sk_ASN1_TYPE_value(all, 0), e);
	for (k = 1; k < n && rc == AE_OK; k++)
		rc = take_cert(&i, sk_ASN1_TYPE_value(all, k), k == 1, e);
	sk_ASN1_TYPE_pop_free(all, ASN1_TYPE_free);
	ERR_clear_error();
	if (rc == AE_OK)
		*out = i;
	else
		ae_ek_info_done(&i);
	return rc;
}

void
ae_ek_info_done(struct ae_ek_info *i)
{
	size_t k;

	ae_key_free(i->ek);
	for (k = 0; k < i->ncerts; k++)
		ae_cert_free(i->certs[k]);
	memset(i, 0, sizeof(*i));
}

int
ae_ek_info_put(struct ae_wr *w, const struct ae_key *ek, struct ae_der cert,
    struct ae_err *e)
{
	size_t seq = ae_der_open(w, AE_DER_SEQUENCE);

	ae_der_raw(w, ae_key_spki(ek));
	if (cert.p != NULL)
		ae_der_raw(w, cert);
	else
		ae_der_put(w, AE_DER_NULL, NULL, 0);
	ae_der_close(w, seq);
	return ae_wr_ok(w) ? AE_OK : ae_fail_mem(e);
}
