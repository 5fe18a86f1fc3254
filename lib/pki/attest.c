/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Reading and judging KeyAttestationStatements; see attest.h.  Windows'
 * numbers are little endian, those of the TPM big endian.
 */
#include "pki/attest.h"

#include <string.h>

#include "base/breaks.h"
#include "base/rd.h"
#include "pki/tss2.h"

#define STATEMENT_MAGIC 0x5453414bu /* "KAST" */
#define KEY_MAGIC 0x5344414bu	    /* "KADS" */
#define BLOB_MAGIC 0x4d504350u	    /* "PCPM" */
#define PLATFORM_TPM20 2
#define STATEMENT_HEADER 28
#define KEY_HEADER 24
#define BLOB_HEADER 54 /* of the blobs written here */

/* TPM 2.0 Part 2, 6.2 TPM_GENERATED, 6.9 TPM_ST */
#define GENERATED 0xff544347u
#define ATTEST_CERTIFY 0x8017u
#define ATTEST_CREATION 0x801au

/* A key that was made in its TPM and never leaves it. */
#define BOUND                                       \
	(AE_TPMA_FIXED_TPM | AE_TPMA_FIXED_PARENT | \
	    AE_TPMA_SENSITIVE_DATA_ORIGIN)

struct statement {
	struct ae_der id_binding, opaque;
	struct ae_der attest, signature, blob;
};

/* TPMS_ATTEST, TPM 2.0 Part 2, 10.12.8 */
struct attest {
	uint16_t type;
	struct ae_der name;	 /* of the object */
	struct ae_der qualified; /* its qualified name, or the creation hash */
};

static struct ae_der
take(struct ae_rd *r, size_t len)
{
	struct ae_der d;

	d.p = ae_rd_take(r, len);
	d.len = d.p == NULL ? 0 : len;
	return d;
}

/* The content of a TPM2B. */
static struct ae_der
take_2b(struct ae_rd *r)
{
	size_t n = ae_rd_u16(r);

	return take(r, n);
}

static struct ae_rd
reader(struct ae_der d, bool big)
{
	struct ae_rd r;

	ae_rd_init(&r, d.p, d.len);
	r.big = big;
	return r;
}

/* MS-WCCE 2.2.2.5, the inner structure */
static bool
take_key(struct statement *s, struct ae_der d)
{
	struct ae_rd r = reader(d, false);
	uint32_t magic = ae_rd_u32(&r), platform = ae_rd_u32(&r),
		 header = ae_rd_u32(&r), nattest = ae_rd_u32(&r),
		 nsig = ae_rd_u32(&r), nblob = ae_rd_u32(&r);

	if (magic != KEY_MAGIC || platform != PLATFORM_TPM20 ||
	    header != KEY_HEADER)
		return false;
	s->attest = take(&r, nattest);
	s->signature = take(&r, nsig);
	s->blob = take(&r, nblob);
	return ae_rd_done(&r);
}

/* and the outer one; nothing lies between or behind the parts */
static bool
take_statement(struct statement *s, struct ae_der d)
{
	struct ae_rd r = reader(d, false);
	uint32_t magic = ae_rd_u32(&r), version = ae_rd_u32(&r),
		 platform = ae_rd_u32(&r), header = ae_rd_u32(&r),
		 nid = ae_rd_u32(&r), nkey = ae_rd_u32(&r),
		 nopaque = ae_rd_u32(&r);
	struct ae_der key;

	if (magic != STATEMENT_MAGIC || version != 1 ||
	    platform != PLATFORM_TPM20 || header != STATEMENT_HEADER ||
	    d.len > AE_ATTESTATION_MAX)
		return false;
	s->id_binding = take(&r, nid);
	key = take(&r, nkey);
	s->opaque = take(&r, nopaque);
	return ae_rd_done(&r) && take_key(s, key);
}

static bool
take_attest(struct attest *a, struct ae_der d)
{
	struct ae_rd r = reader(d, true);
	uint32_t magic = ae_rd_u32(&r);

	a->type = ae_rd_u16(&r);
	(void)take_2b(&r);	/* qualifiedSigner */
	(void)take_2b(&r);	/* extraData */
	ae_rd_skip(&r, 17 + 8); /* clockInfo, firmwareVersion */
	a->name = take_2b(&r);
	a->qualified = take_2b(&r);
	return ae_rd_done(&r) && magic == GENERATED;
}

/*
 * The public area in a key blob of Windows' provider: a header of its own,
 * whose second number is its length and whose fifth that of the
 * TPM2B_PUBLIC behind it.
 */
static bool
take_blob(struct ae_der *area, struct ae_der d)
{
	struct ae_rd r = reader(d, false);
	uint32_t magic = ae_rd_u32(&r), header = ae_rd_u32(&r),
		 type = ae_rd_u32(&r), n;

	(void)ae_rd_u32(&r); /* flags */
	n = ae_rd_u32(&r);
	ae_rd_seek(&r, header);
	*area = take(&r, n);
	return ae_rd_ok(&r) && magic == BLOB_MAGIC && type == PLATFORM_TPM20;
}

/* ---- signatures ---- */

/* How the attestation key signs: a restricted one has no choice. */
static bool
its_algorithm(struct ae_sigalg *out, const struct ae_tpm_public *k)
{
	out->key = ae_key_type(k->key);
	out->hash = k->scheme_hash;
	out->pss = k->scheme == AE_TPM_ALG_RSAPSS;
	return out->hash != AE_HASH_NONE &&
	    (k->scheme == AE_TPM_ALG_ECDSA) == (out->key == AE_KEY_EC);
}

/* r and s as X.509 writes them. */
static void
put_ecdsa(struct ae_wr *w, struct ae_der r, struct ae_der s)
{
	size_t seq = ae_der_open(w, AE_DER_SEQUENCE);

	ae_der_bignum(w, r.p, r.len);
	ae_der_bignum(w, s.p, s.len);
	ae_der_close(w, seq);
}

/* TPMT_SIGNATURE, TPM 2.0 Part 2, 11.3.4; false: it is none of this key. */
static bool
take_signature(struct ae_wr *w, struct ae_der d, const struct ae_tpm_public *k)
{
	struct ae_rd rd = reader(d, true);
	uint16_t scheme = ae_rd_u16(&rd);
	enum ae_hash hash = ae_tpm_hash(ae_rd_u16(&rd));
	struct ae_der one = take_2b(&rd), two = { NULL, 0 };

	if (scheme != k->scheme || hash != k->scheme_hash)
		return false;
	if (scheme == AE_TPM_ALG_ECDSA)
		two = take_2b(&rd);
	if (!ae_rd_done(&rd))
		return false;
	if (scheme == AE_TPM_ALG_ECDSA)
		put_ecdsa(w, one, two);
	else
		ae_wr_bytes(w, one.p, one.len);
	return true;
}

/* The bare numbers, as Windows' provider has them. */
static bool
take_bare(struct ae_wr *w, struct ae_der d, const struct ae_tpm_public *k)
{
	const size_t field = (ae_key_bits(k->key) + 7) / 8;

	if (ae_key_type(k->key) == AE_KEY_EC && d.len == 2 * field)
		put_ecdsa(w, (struct ae_der){ d.p, field },
		    (struct ae_der){ d.p + field, field });
	else if (ae_key_type(k->key) == AE_KEY_RSA && d.len == field)
		ae_wr_bytes(w, d.p, d.len);
	else
		return false;
	return true;
}

static int
verify(const struct ae_tpm_public *aik, struct ae_der said,
    struct ae_der signature, struct ae_err *e)
{
	struct ae_sigalg alg;
	struct ae_wr w;
	int rc;

	ae_wr_init(&w, AE_SIG_MAX);
	if (!its_algorithm(&alg, aik) ||
	    (!take_signature(&w, signature, aik) &&
		!take_bare(&w, signature, aik)))
		rc = ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
		    "a signature that is none of the attestation key");
	else if (!ae_wr_ok(&w))
		rc = ae_fail_mem(e);
	else
		rc = ae_key_verify(
		    aik->key, &alg, said.p, said.len, w.p, w.len, e);
	ae_wr_done(&w);
	if (rc == AE_ETRUST && AE_BREAK(attest_signature))
		return AE_OK;
	return rc;
}

/* ---- judging ---- */

static int
no(struct ae_err *e, const char *why)
{
	return ae_fail(e, AE_ETRUST, AE_DOM_NONE, 0, "%s", why);
}

static bool
is_name(struct ae_der d, const struct ae_tpm_public *k)
{
	const struct ae_der name = { k->name, k->name_len };

	return ae_der_equal(d, name);
}

/* A key that signs nothing but what its TPM says. */
static int
check_aik(const struct ae_tpm_public *k, bool sha1, struct ae_err *e)
{
	const uint32_t want = BOUND | AE_TPMA_SIGN;

	if ((k->attributes & want) != want || (k->attributes & AE_TPMA_DECRYPT))
		return no(e,
		    "the attestation key is not a signing key that its TPM "
		    "made and never lets go");
	if (!(k->attributes & AE_TPMA_RESTRICTED) &&
	    !AE_BREAK(attest_restricted))
		return no(e,
		    "the attestation key is not restricted: it signs "
		    "whatever it is given");
	if (!sha1 &&
	    (k->scheme_hash == AE_HASH_SHA1 || k->name_alg == AE_HASH_SHA1))
		return no(e, "the attestation key works with SHA-1");
	return AE_OK;
}

/* The attestation key says of itself how it was made. */
static int
check_creation(const struct ae_tpm_public *aik, struct ae_der data,
    struct ae_der said, struct ae_err *e)
{
	uint8_t hash[AE_HASH_MAX];
	struct attest a;
	size_t n = ae_hash_bytes(hash, aik->name_alg, data.p, data.len);

	if (n == 0)
		return ae_fail_mem(e);
	if (!take_attest(&a, said) || a.type != ATTEST_CREATION)
		return no(e, "no statement of a TPM about a key's creation");
	if (!is_name(a.name, aik))
		return no(e, "it is about the creation of another key");
	if (!ae_der_equal(a.qualified, (struct ae_der){ hash, n }))
		return no(e, "its creation data is another");
	return AE_OK;
}

/* MS-WCCE 2.2.2.5 idBinding, platform 2 */
static int
check_id_binding(
    struct ae_tpm_public *aik, struct ae_der d, bool sha1, struct ae_err *e)
{
	struct ae_rd r = reader(d, true);
	struct ae_der area = { d.p, 0 }, data, said, signature;
	int rc;

	area.len = 2 + take_2b(&r).len;
	data = take_2b(&r);
	said = take_2b(&r);
	signature = take(&r, ae_rd_left(&r));
	if (!ae_rd_ok(&r))
		return ae_fail(
		    e, AE_EPROTO, AE_DOM_NONE, 0, "it does not hold together");
	rc = ae_tpm_public_parse(aik, area.p, area.len, e);
	if (rc == AE_OK)
		rc = check_aik(aik, sha1, e);
	if (rc == AE_OK)
		rc = verify(aik, said, signature, e);
	if (rc == AE_OK)
		rc = check_creation(aik, data, said, e);
	return rc;
}

/* The attested key is the requested one, and bound to its TPM. */
static int
check_object(const struct ae_tpm_public *k, const struct attest *a,
    const struct ae_key *key, struct ae_err *e)
{
	if (!ae_key_same_public(k->key, key) && !AE_BREAK(attest_same_key))
		return no(e, "it is about another key than the requested one");
	if (!is_name(a->name, k))
		return no(e, "the TPM certified another key");
	if (is_name(a->qualified, k))
		return no(e, "the key is not loaded under one of the TPM's");
	if ((k->attributes & BOUND) != BOUND && !AE_BREAK(attest_fixed))
		return no(
		    e, "the key was not made by the TPM, or may leave it");
	return AE_OK;
}

static int
check_key(const struct statement *s, const struct ae_tpm_public *aik,
    const struct ae_key *key, struct ae_err *e)
{
	struct ae_tpm_public k = { .key = NULL };
	struct ae_der area;
	struct attest a;
	int rc;

	rc = verify(aik, s->attest, s->signature, e);
	if (rc != AE_OK)
		return rc;
	if (!take_attest(&a, s->attest) || a.type != ATTEST_CERTIFY)
		return no(e, "no statement of a TPM about a key");
	if (!take_blob(&area, s->blob))
		return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
		    "the key's blob is not one of a TPM 2.0");
	rc = ae_tpm_public_parse(&k, area.p, area.len, e);
	if (rc == AE_OK)
		rc = check_object(&k, &a, key, e);
	ae_key_free(k.key);
	return rc;
}

int
ae_attestation_verify(struct ae_attestation *out, enum ae_attest_part *part,
    struct ae_der d, const struct ae_key *key, bool sha1, struct ae_err *e)
{
	struct ae_tpm_public aik = { .key = NULL };
	struct statement s;
	int rc;

	*part = AE_ATTEST_FORM;
	if (!take_statement(&s, d))
		return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
		    "no attestation statement of a TPM 2.0");
	*part = AE_ATTEST_ID_BINDING;
	rc = check_id_binding(&aik, s.id_binding, sha1, e);
	if (rc != AE_OK) {
		ae_key_free(aik.key);
		return ae_note(e, rc, "the statement's identity binding");
	}
	*part = AE_ATTEST_KEY;
	rc = check_key(&s, &aik, key, e);
	if (rc == AE_OK) {
		memcpy(out->aik_name, aik.name, aik.name_len);
		out->aik_name_len = aik.name_len;
		out->aik_opaque = s.opaque;
	}
	ae_key_free(aik.key);
	return rc == AE_OK ? rc : ae_note(e, rc, "the statement about the key");
}

/* ---- writing ---- */

static void
put_2b(struct ae_wr *w, struct ae_der d)
{
	ae_wr_u16(w, (uint16_t)d.len);
	ae_wr_bytes(w, d.p, d.len);
}

/* A blob with the public area alone. */
static void
put_blob(struct ae_wr *w, struct ae_der area)
{
	ae_wr_u32(w, BLOB_MAGIC);
	ae_wr_u32(w, BLOB_HEADER);
	ae_wr_u32(w, PLATFORM_TPM20);
	ae_wr_u32(w, 0);
	ae_wr_u32(w, (uint32_t)area.len);
	ae_wr_zeros(w, BLOB_HEADER - 20);
	ae_wr_bytes(w, area.p, area.len);
}

int
ae_attestation_put(
    struct ae_wr *w, const struct ae_attestation_spec *s, struct ae_err *e)
{
	const size_t start = w->len;
	struct ae_wr id;

	ae_wr_init(&id, AE_ATTESTATION_MAX);
	id.big = true;
	ae_wr_bytes(&id, s->aik_public.p, s->aik_public.len);
	ae_wr_bytes(&id, s->creation_data.p, s->creation_data.len);
	put_2b(&id, s->id_attest);
	ae_wr_bytes(&id, s->id_signature.p, s->id_signature.len);
	ae_wr_u32(w, STATEMENT_MAGIC);
	ae_wr_u32(w, 1);
	ae_wr_u32(w, PLATFORM_TPM20);
	ae_wr_u32(w, STATEMENT_HEADER);
	ae_wr_u32(w, (uint32_t)id.len);
	ae_wr_u32(w,
	    (uint32_t)(KEY_HEADER + s->key_attest.len + s->key_signature.len +
		BLOB_HEADER + s->key_public.len));
	ae_wr_u32(w, 0);
	ae_wr_bytes(w, id.p, id.len);
	ae_wr_u32(w, KEY_MAGIC);
	ae_wr_u32(w, PLATFORM_TPM20);
	ae_wr_u32(w, KEY_HEADER);
	ae_wr_u32(w, (uint32_t)s->key_attest.len);
	ae_wr_u32(w, (uint32_t)s->key_signature.len);
	ae_wr_u32(w, (uint32_t)(BLOB_HEADER + s->key_public.len));
	ae_wr_bytes(w, s->key_attest.p, s->key_attest.len);
	ae_wr_bytes(w, s->key_signature.p, s->key_signature.len);
	put_blob(w, s->key_public);
	if (!ae_wr_ok(&id) || !ae_wr_ok(w)) {
		ae_wr_done(&id);
		return ae_fail_mem(e);
	}
	ae_wr_done(&id);
	if (w->len - start > AE_ATTESTATION_MAX)
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "a statement of %zu bytes", w->len - start);
	return AE_OK;
}
