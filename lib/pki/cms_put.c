/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Writing CMS signed-data.
 */
#include "pki/cms_int.h"

#define OID_CONTENT_TYPE "1.2.840.113549.1.9.3"
#define OID_MESSAGE_DIGEST "1.2.840.113549.1.9.4"

/* RFC 5652 5.1, up to and with encapContentInfo */
void
ae_cms_open(struct ae_wr *w, struct ae_cms_out *o, unsigned version,
    const enum ae_hash *digests, size_t n, const char *type,
    struct ae_der content)
{
	size_t set, encap, mark;

	o->info = ae_der_open(w, AE_DER_SEQUENCE);
	(void)ae_der_oid(w, AE_OID_CMS_SIGNED_DATA);
	o->explicit_ = ae_der_open(w, AE_DER_CTX_CONS(0));
	o->data = ae_der_open(w, AE_DER_SEQUENCE);
	ae_der_uint(w, version);
	set = ae_der_open(w, AE_DER_SET);
	for (size_t i = 0; i < n; i++)
		if (i == 0 || digests[i] != digests[0])
			ae_hash_put(w, digests[i]);
	ae_der_close(w, set);
	encap = ae_der_open(w, AE_DER_SEQUENCE);
	(void)ae_der_oid(w, type);
	if (content.p != NULL) {
		mark = ae_der_open(w, AE_DER_CTX_CONS(0));
		ae_der_put(w, AE_DER_OCTETS, content.p, content.len);
		ae_der_close(w, mark);
	}
	ae_der_close(w, encap);
}

void
ae_cms_put_all(struct ae_wr *w, int tag, const struct ae_der *v, size_t n)
{
	size_t mark;

	if (n == 0)
		return;
	mark = ae_der_open(w, AE_DER_CTX_CONS(tag));
	for (size_t i = 0; i < n; i++)
		ae_der_raw(w, v[i]);
	ae_der_close(w, mark);
}

void
ae_cms_close(struct ae_wr *w, const struct ae_cms_out *o)
{
	ae_der_close(w, o->data);
	ae_der_close(w, o->explicit_);
	ae_der_close(w, o->info);
}

/* In this order they are sorted: the first is the shorter one. */
int
ae_cms_signed_attrs(struct ae_wr *w, const char *type, enum ae_hash h,
    struct ae_der content, struct ae_err *e)
{
	uint8_t hash[AE_HASH_MAX];
	size_t set, attr, vals, n;

	n = ae_hash_bytes(hash, h, content.p, content.len);
	if (n == 0)
		return ae_fail_ossl(e, AE_EINVAL, "hashing a message");
	set = ae_der_open(w, AE_DER_SET);
	attr = ae_der_open(w, AE_DER_SEQUENCE);
	(void)ae_der_oid(w, OID_CONTENT_TYPE);
	vals = ae_der_open(w, AE_DER_SET);
	(void)ae_der_oid(w, type);
	ae_der_close(w, vals);
	ae_der_close(w, attr);
	attr = ae_der_open(w, AE_DER_SEQUENCE);
	(void)ae_der_oid(w, OID_MESSAGE_DIGEST);
	vals = ae_der_open(w, AE_DER_SET);
	ae_der_put(w, AE_DER_OCTETS, hash, n);
	ae_der_close(w, vals);
	ae_der_close(w, attr);
	ae_der_close(w, set);
	return ae_wr_ok(w) ? AE_OK : ae_fail_mem(e);
}

/* RFC 5652 5.3; for RSA the algorithm is rsaEncryption, RFC 3370 3.2. */
static void
put_alg(struct ae_wr *w, const struct ae_sigalg *alg)
{
	size_t mark;

	if (alg->key != AE_KEY_RSA || alg->pss) {
		ae_sigalg_put(w, alg);
		return;
	}
	mark = ae_der_open(w, AE_DER_SEQUENCE);
	(void)ae_der_oid(w, "1.2.840.113549.1.1.1");
	ae_der_put(w, AE_DER_NULL, NULL, 0);
	ae_der_close(w, mark);
}

void
ae_cms_put_signer(struct ae_wr *w, const struct ae_cert *cert,
    struct ae_der ski, const struct ae_sigalg *alg, struct ae_der attrs,
    struct ae_der sig, struct ae_der unsigned_attrs)
{
	size_t info, sid, at;

	info = ae_der_open(w, AE_DER_SEQUENCE);
	ae_der_uint(w, cert != NULL ? 1 : 3);
	if (cert != NULL) {
		sid = ae_der_open(w, AE_DER_SEQUENCE);
		ae_der_raw(w, cert->issuer);
		ae_der_bignum(w, cert->serial.p, cert->serial.len);
		ae_der_close(w, sid);
	} else {
		ae_der_put(w, AE_DER_CTX(0), ski.p, ski.len);
	}
	ae_hash_put(w, alg->hash);
	at = w->len;
	ae_der_raw(w, attrs);
	if (ae_wr_ok(w))
		w->p[at] = AE_DER_CTX_CONS(0);
	put_alg(w, alg);
	ae_der_put(w, AE_DER_OCTETS, sig.p, sig.len);
	if (unsigned_attrs.p != NULL)
		ae_der_raw(w, unsigned_attrs);
	ae_der_close(w, info);
}
