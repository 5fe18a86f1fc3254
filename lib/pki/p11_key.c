/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Keys in a PKCS#11 token: made there so that they never leave, named by the
 * id that X.509 gives them (SHA-1 of the public key), and signing.  Keys that
 * somebody else made are named by whatever id and label they have.  A token
 * that was away is opened again once per question.
 */
#include <openssl/asn1.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pki/nte.h"
#include "pki/ossl.h"
#include "pki/p11_int.h"

#define RAW_MAX 1024

/* The object of a class; CKR_OBJECT_HANDLE_INVALID: there is none. */
static CK_RV
find(struct ae_p11 *p, ck_object_class_t class, const struct ae_p11_match *m,
    ck_object_handle_t *out)
{
	struct ck_attribute t[3] = { AE_P11_ATTR(
	    CKA_CLASS, &class, sizeof(class)) };
	unsigned long n = 0, nt = 1;
	CK_RV rv;

	if (m->id_len > 0)
		t[nt++] = AE_P11_ATTR(CKA_ID, m->id, m->id_len);
	if (m->label_len > 0)
		t[nt++] = AE_P11_ATTR(CKA_LABEL, m->label, m->label_len);
	rv = p->f->C_FindObjectsInit(p->session, t, nt);
	if (rv != CKR_OK)
		return rv;
	rv = p->f->C_FindObjects(p->session, out, 1, &n);
	(void)p->f->C_FindObjectsFinal(p->session);
	if (rv == CKR_OK && n == 0)
		rv = CKR_OBJECT_HANDLE_INVALID;
	return rv;
}

CK_RV
ae_p11_find(struct ae_p11 *p, ck_object_class_t class,
    const uint8_t id[AE_KEY_ID_LEN], ck_object_handle_t *out)
{
	struct ae_p11_match m = { .id_len = AE_KEY_ID_LEN };

	memcpy(m.id, id, AE_KEY_ID_LEN);
	return find(p, class, &m, out);
}

/* An attribute into a buffer; length 0 when there is none. */
static size_t
attribute(struct ae_p11 *p, ck_object_handle_t o, ck_attribute_type_t type,
    uint8_t *buf, size_t max)
{
	struct ck_attribute a = AE_P11_ATTR(type, buf, max);

	if (p->f->C_GetAttributeValue(p->session, o, &a, 1) != CKR_OK ||
	    a.value_len > max)
		return 0;
	return a.value_len;
}

/* The point is in an OCTET STRING; some tokens leave that off. */
static struct ae_der
point_of(const uint8_t *p, size_t len)
{
	struct ae_der d = { p, len };

	if (len > 2 && p[0] == AE_DER_OCTETS && p[1] == len - 2)
		d = (struct ae_der){ p + 2, len - 2 };
	else if (len > 3 && p[0] == AE_DER_OCTETS && p[1] == 0x81 &&
	    p[2] == len - 3)
		d = (struct ae_der){ p + 3, len - 3 };
	return d;
}

/* The public half, from the public key object. */
static int
read_public(struct ae_key **out, struct ae_p11 *p, ck_object_handle_t o,
    struct ae_err *e)
{
	uint8_t a[2048], b[64];
	struct ae_der x = { a, 0 }, y = { b, 0 };
	unsigned long kind = 0;
	unsigned bits;
	struct ae_wr w;
	int rc;

	ae_wr_init(&w, AE_PKI_REQUEST_MAX);
	if (attribute(p, o, CKA_KEY_TYPE, (uint8_t *)&kind, sizeof(kind)) !=
	    sizeof(kind))
		kind = ULONG_MAX;
	if (kind == CKK_RSA) {
		x.len = attribute(p, o, CKA_MODULUS, a, sizeof(a));
		y.len = attribute(p, o, CKA_PUBLIC_EXPONENT, b, sizeof(b));
		ae_spki_put_rsa(&w, x, y);
	} else if (kind == CKK_EC) {
		x = point_of(a, attribute(p, o, CKA_EC_POINT, a, sizeof(a)));
		bits = x.len == 133 ? 521 : x.len == 97 ? 384 : 256;
		ae_spki_put_ec(&w, bits, x);
	}
	if (x.len == 0)
		rc = ae_fail(e, AE_ENOTFOUND, AE_DOM_HRESULT, NTE_BAD_KEYSET,
		    "the token does not show the public key");
	else
		rc = ae_wr_ok(&w) ? ae_key_from_spki(out, w.p, w.len, e)
				  : ae_fail_mem(e);
	ae_wr_done(&w);
	return rc;
}

/* RFC 8017 9.2: what CKM_RSA_PKCS pads is the DigestInfo. */
static int
digest_info(struct ae_wr *w, enum ae_hash h, const uint8_t *hash, size_t len)
{
	size_t seq = ae_der_open(w, AE_DER_SEQUENCE);

	ae_hash_put(w, h);
	ae_der_put(w, AE_DER_OCTETS, hash, len);
	ae_der_close(w, seq);
	return ae_wr_ok(w) ? AE_OK : AE_ENOMEM;
}

/* r and s of one size after another become an ECDSA-Sig-Value. */
static void
put_ecdsa(struct ae_wr *w, const uint8_t *raw, size_t len)
{
	size_t seq = ae_der_open(w, AE_DER_SEQUENCE);

	ae_der_bignum(w, raw, len / 2);
	ae_der_bignum(w, raw + len / 2, len / 2);
	ae_der_close(w, seq);
}

static struct ck_rsa_pkcs_pss_params
pss_params(enum ae_hash h, size_t len)
{
	struct ck_rsa_pkcs_pss_params p = { .s_len = len };

	p.hash_alg = h == AE_HASH_SHA512 ? CKM_SHA512
	    : h == AE_HASH_SHA384	 ? CKM_SHA384
					 : CKM_SHA256;
	p.mgf = h == AE_HASH_SHA512 ? CKG_MGF1_SHA512
	    : h == AE_HASH_SHA384   ? CKG_MGF1_SHA384
				    : CKG_MGF1_SHA256;
	return p;
}

static CK_RV
sign_once(struct ae_p11_key *k, struct ck_mechanism *m, const struct ae_der in,
    uint8_t *raw, unsigned long *n)
{
	struct ae_p11 *p = k->p11;
	uint8_t copy[AE_HASH_MAX + 64];
	CK_RV rv = CKR_OK;

	/* A handle is good for its session; finding it costs a round trip. */
	if (k->session_no != p->session_no)
		rv = find(p, CKO_PRIVATE_KEY, &k->match, &k->private);
	if (rv != CKR_OK)
		return rv;
	k->session_no = p->session_no;
	rv = p->f->C_SignInit(p->session, m, k->private);
	if (rv != CKR_OK)
		return rv;
	memcpy(copy, in.p, in.len);
	return p->f->C_Sign(p->session, copy, in.len, raw, n);
}

static int
p11_sign(const struct ae_key *key, struct ae_wr *sig,
    const struct ae_sigalg *alg, const uint8_t *hash, size_t len,
    struct ae_err *e)
{
	struct ck_rsa_pkcs_pss_params pss = pss_params(alg->hash, len);
	struct ck_mechanism m = { .mechanism = CKM_ECDSA };
	struct ae_der in = { hash, len };
	struct ae_p11_key *k = key->at;
	uint8_t raw[RAW_MAX];
	unsigned long n = sizeof(raw);
	struct ae_wr info;
	CK_RV rv = CKR_OK;
	int rc = AE_OK, tries;

	ae_wr_init(&info, sizeof(((struct ae_err *)0)->text));
	if (alg->pss) {
		m.mechanism = CKM_RSA_PKCS_PSS;
		m.parameter = &pss;
		m.parameter_len = sizeof(pss);
	} else if (alg->key == AE_KEY_RSA) {
		m.mechanism = CKM_RSA_PKCS;
		if (digest_info(&info, alg->hash, hash, len) != AE_OK) {
			rc = ae_fail_mem(e);
			goto out;
		}
		in = (struct ae_der){ info.p, info.len };
	}
	for (tries = 0; tries < 2; tries++) {
		rc = ae_p11_session(k->p11, true, e);
		if (rc != AE_OK)
			goto out;
		n = sizeof(raw);
		rv = sign_once(k, &m, in, raw, &n);
		if (rv == CKR_OK || !ae_p11_lost(rv))
			break;
		ae_p11_drop(k->p11);
	}
	if (rv != CKR_OK)
		rc = ae_p11_fail(e, rv, "signing in the token");
	else if (alg->key == AE_KEY_EC)
		put_ecdsa(sig, raw, n);
	else
		ae_wr_bytes(sig, raw, n);
out:
	ae_wr_done(&info);
	return rc;
}

static int
p11_find(const struct ae_key *key, struct ae_err *e)
{
	const struct ae_p11_key *k = key->at;
	ck_object_handle_t o;
	CK_RV rv = CKR_OK;
	int rc, tries;

	for (tries = 0; tries < 2; tries++) {
		rc = ae_p11_session(k->p11, false, e);
		if (rc != AE_OK)
			return rc;
		rv = find(k->p11, CKO_PUBLIC_KEY, &k->match, &o);
		if (rv == CKR_OK || !ae_p11_lost(rv))
			break;
		ae_p11_drop(k->p11);
	}
	return rv == CKR_OK ? AE_OK : ae_p11_fail(e, rv, "looking for the key");
}

static int
p11_destroy(struct ae_key *key, struct ae_err *e)
{
	static const ck_object_class_t classes[] = { CKO_CERTIFICATE,
		CKO_PRIVATE_KEY, CKO_PUBLIC_KEY };
	struct ae_p11_key *k = key->at;
	ck_object_handle_t o;
	CK_RV rv;
	size_t i;
	int rc;

	rc = ae_p11_session(k->p11, true, e);
	if (rc != AE_OK)
		return rc;
	for (i = 0; i < 3; i++) {
		rv = find(k->p11, classes[i], &k->match, &o);
		if (rv == CKR_OK)
			rv = k->p11->f->C_DestroyObject(k->p11->session, o);
		if (rv != CKR_OK && rv != CKR_OBJECT_HANDLE_INVALID)
			return ae_p11_fail(e, rv, "removing the key");
	}
	return AE_OK;
}

static int
p11_store(struct ae_secret *out, const struct ae_key *key, struct ae_err *e)
{
	const struct ae_p11_key *k = key->at;
	char line[AE_P11_URI_MAX + 2];
	int n = snprintf(line, sizeof(line), "%s\n", k->uri);

	return ae_secret_set(out, line, (size_t)n) == 0 ? AE_OK
							: ae_fail_mem(e);
}

static const struct ae_key_ops p11_ops = {
	.home = AE_KEY_IN_TOKEN,
	.sign = p11_sign,
	.find = p11_find,
	.destroy = p11_destroy,
	.put_cert = ae_p11_put_cert,
	.store = p11_store,
	.free = free,
};

/* The URI of a key of this id: the token's own names and the id. */
static int
make_uri(char out[AE_P11_URI_MAX], struct ae_p11 *p, const uint8_t *id,
    struct ae_err *e)
{
	ck_object_class_t class = CKO_PRIVATE_KEY;
	uint8_t copy[AE_KEY_ID_LEN];
	struct ck_attribute a = AE_P11_ATTR(CKA_ID, copy, sizeof(copy));
	struct ck_attribute c = AE_P11_ATTR(CKA_CLASS, &class, sizeof(class));
	P11KitUri *uri = p11_kit_uri_new();
	char *text = NULL;
	int rc;

	if (uri == NULL)
		return ae_fail_mem(e);
	memcpy(copy, id, sizeof(copy));
	memcpy(p11_kit_uri_get_token_info(uri), &p->token, sizeof(p->token));
	if (p11_kit_uri_set_attribute(uri, &a) != P11_KIT_URI_OK ||
	    p11_kit_uri_set_attribute(uri, &c) != P11_KIT_URI_OK ||
	    p11_kit_uri_format(uri, P11_KIT_URI_FOR_OBJECT_ON_TOKEN, &text) !=
		P11_KIT_URI_OK) {
		rc = ae_fail_mem(e);
	} else if (strlen(text) >= AE_P11_URI_MAX) {
		rc = ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
		    "the token's URI is longer than %d", AE_P11_URI_MAX);
	} else {
		(void)snprintf(out, AE_P11_URI_MAX, "%s", text);
		rc = AE_OK;
	}
	free(text);
	p11_kit_uri_free(uri);
	return rc;
}

/* A key of ours around the public half that the token showed. */
static int
wrap(struct ae_key **out, struct ae_p11 *p, ck_object_handle_t public,
    struct ae_err *e)
{
	struct ae_p11_key *k = calloc(1, sizeof(*k));
	struct ae_key *key = NULL;
	int rc;

	if (k == NULL)
		return ae_fail_mem(e);
	k->p11 = p;
	rc = read_public(&key, p, public, e);
	if (rc == AE_OK)
		rc = ae_key_id(k->match.id, key, e);
	k->match.id_len = AE_KEY_ID_LEN;
	memcpy(k->id, k->match.id, AE_KEY_ID_LEN);
	if (rc == AE_OK)
		rc = make_uri(k->uri, p, k->match.id, e);
	if (rc != AE_OK) {
		ae_key_free(key);
		free(k);
		return rc;
	}
	ae_key_attach(key, &p11_ops, k);
	*out = key;
	return AE_OK;
}

static CK_RV
generate(struct ae_p11 *p, enum ae_key_type type, unsigned bits,
    const char *label, ck_object_handle_t pair[2])
{
	struct ck_mechanism m = { .mechanism = type == AE_KEY_RSA
		    ? CKM_RSA_PKCS_KEY_PAIR_GEN
		    : CKM_EC_KEY_PAIR_GEN };
	static const uint8_t exponent[] = { 1, 0, 1 };
	unsigned char yes = 1, no = 0;
	unsigned long size = bits;
	struct ae_wr oid;
	CK_RV rv = CKR_HOST_MEMORY;

	ae_wr_init(&oid, 64);
	(void)ae_der_oid(&oid, ae_key_curve_oid(bits));
	if (ae_wr_ok(&oid)) {
		struct ck_attribute pub[] = {
			AE_P11_ATTR(CKA_TOKEN, &yes, 1),
			AE_P11_ATTR(CKA_PRIVATE, &no, 1),
			AE_P11_ATTR(CKA_VERIFY, &yes, 1),
			AE_P11_ATTR(CKA_LABEL, label, strlen(label)),
			type == AE_KEY_RSA
			    ? AE_P11_ATTR(CKA_MODULUS_BITS, &size, sizeof(size))
			    : AE_P11_ATTR(CKA_EC_PARAMS, oid.p, oid.len),
			AE_P11_ATTR(
			    CKA_PUBLIC_EXPONENT, exponent, sizeof(exponent)),
		};
		struct ck_attribute priv[] = {
			AE_P11_ATTR(CKA_TOKEN, &yes, 1),
			AE_P11_ATTR(CKA_PRIVATE, &yes, 1),
			AE_P11_ATTR(CKA_SENSITIVE, &yes, 1),
			AE_P11_ATTR(CKA_EXTRACTABLE, &no, 1),
			AE_P11_ATTR(CKA_SIGN, &yes, 1),
			AE_P11_ATTR(CKA_LABEL, label, strlen(label)),
		};

		rv = p->f->C_GenerateKeyPair(p->session, &m, pub,
		    type == AE_KEY_RSA ? 6 : 5, priv, 6, &pair[0], &pair[1]);
	}
	ae_wr_done(&oid);
	return rv;
}

/* Only now that the public half is known can both get their id. */
static int
name_pair(struct ae_p11 *p, const struct ae_key *key,
    const ck_object_handle_t pair[2], struct ae_err *e)
{
	const struct ae_p11_key *k = key->at;
	struct ck_attribute a =
	    AE_P11_ATTR(CKA_ID, k->match.id, k->match.id_len);
	CK_RV rv = CKR_OK;
	size_t i;

	for (i = 0; i < 2 && rv == CKR_OK; i++)
		rv = p->f->C_SetAttributeValue(p->session, pair[i], &a, 1);
	return rv == CKR_OK ? AE_OK : ae_p11_fail(e, rv, "naming the key");
}

int
ae_p11_generate(struct ae_key **out, struct ae_p11 *p, enum ae_key_type type,
    unsigned bits, const char *label, struct ae_err *e)
{
	ck_object_handle_t pair[2] = { 0 };
	struct ae_key *key = NULL;
	CK_RV rv = CKR_OK;
	int rc, tries;

	for (tries = 0; tries < 2; tries++) {
		rc = ae_p11_session(p, true, e);
		if (rc != AE_OK)
			return rc;
		rv = generate(p, type, bits, label, pair);
		if (rv == CKR_OK || !ae_p11_lost(rv))
			break;
		ae_p11_drop(p);
	}
	if (rv != CKR_OK)
		return ae_p11_fail(e, rv, "making a key in the token");
	rc = wrap(&key, p, pair[0], e);
	if (rc == AE_OK)
		rc = name_pair(p, key, pair, e);
	if (rc != AE_OK) {
		ae_key_free(key);
		(void)p->f->C_DestroyObject(p->session, pair[0]);
		(void)p->f->C_DestroyObject(p->session, pair[1]);
		return rc;
	}
	*out = key;
	return AE_OK;
}

int
ae_p11_uri_id(uint8_t id[AE_KEY_ID_LEN], const char *text, struct ae_err *e)
{
	P11KitUri *uri = p11_kit_uri_new();
	struct ck_attribute *a = NULL;
	int rc = AE_OK;

	if (uri == NULL)
		return ae_fail_mem(e);
	if (p11_kit_uri_parse(text, P11_KIT_URI_FOR_ANY, uri) == P11_KIT_URI_OK)
		a = p11_kit_uri_get_attribute(uri, CKA_ID);
	if (a == NULL || a->value_len != AE_KEY_ID_LEN)
		rc = ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
		    "not the URI of a key with an id of %d bytes",
		    AE_KEY_ID_LEN);
	else
		memcpy(id, a->value, AE_KEY_ID_LEN);
	p11_kit_uri_free(uri);
	return rc;
}

int
ae_p11_open(
    struct ae_key **out, struct ae_p11 *p, const char *uri, struct ae_err *e)
{
	struct ae_p11_match m = { .id_len = AE_KEY_ID_LEN };
	ck_object_handle_t o = 0;
	CK_RV rv = CKR_OK;
	int rc, tries;

	rc = ae_p11_uri_id(m.id, uri, e);
	for (tries = 0; rc == AE_OK && tries < 2; tries++) {
		rc = ae_p11_session(p, false, e);
		if (rc != AE_OK)
			return rc;
		rv = find(p, CKO_PUBLIC_KEY, &m, &o);
		if (rv == CKR_OK || !ae_p11_lost(rv))
			break;
		ae_p11_drop(p);
	}
	if (rc == AE_OK && rv != CKR_OK)
		return ae_p11_fail(e, rv, "looking for the key");
	return rc == AE_OK ? wrap(out, p, o, e) : rc;
}

static bool
take_attribute(
    P11KitUri *uri, ck_attribute_type_t type, uint8_t *out, size_t *len)
{
	const struct ck_attribute *a = p11_kit_uri_get_attribute(uri, type);

	if (a == NULL)
		return true;
	if (a->value_len > *len)
		return false;
	memcpy(out, a->value, a->value_len);
	*len = a->value_len;
	return true;
}

/* Id and label of any URI. */
static int
parse_match(struct ae_p11_match *m, const char *text, struct ae_err *e)
{
	size_t id = sizeof(m->id), label = sizeof(m->label);
	P11KitUri *uri = p11_kit_uri_new();
	bool ok;

	if (uri == NULL)
		return ae_fail_mem(e);
	memset(m, 0, sizeof(*m));
	ok =
	    p11_kit_uri_parse(text, P11_KIT_URI_FOR_ANY, uri) == P11_KIT_URI_OK;
	if (ok && p11_kit_uri_get_attribute(uri, CKA_ID) == NULL)
		id = 0;
	if (ok && p11_kit_uri_get_attribute(uri, CKA_LABEL) == NULL)
		label = 0;
	ok = ok && take_attribute(uri, CKA_ID, m->id, &id) &&
	    take_attribute(uri, CKA_LABEL, m->label, &label);
	m->id_len = id;
	m->label_len = label;
	p11_kit_uri_free(uri);
	if (ok && (id > 0 || label > 0))
		return AE_OK;
	return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
	    "%.200s names no key: pkcs11:token=TOKEN;id=... or "
	    ";object=LABEL",
	    text);
}

int
ae_p11_attach(struct ae_key **out, struct ae_p11 *p, const char *uri,
    const struct ae_key *public, struct ae_err *e)
{
	struct ae_der spki = ae_key_spki(public);
	struct ae_p11_key *k = calloc(1, sizeof(*k));
	struct ae_key *key = NULL;
	int rc;

	if (k == NULL)
		return ae_fail_mem(e);
	k->p11 = p;
	rc = parse_match(&k->match, uri, e);
	if (rc == AE_OK &&
	    snprintf(k->uri, sizeof(k->uri), "%s", uri) >= (int)sizeof(k->uri))
		rc = ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
		    "a key's URI is longer than %d", AE_P11_URI_MAX);
	if (rc == AE_OK)
		rc = ae_key_id(k->id, public, e);
	if (rc == AE_OK)
		rc = ae_key_from_spki(&key, spki.p, spki.len, e);
	if (rc != AE_OK) {
		free(k);
		return rc;
	}
	ae_key_attach(key, &p11_ops, k);
	*out = key;
	return AE_OK;
}

int
ae_p11_find_uri(
    struct ae_key **out, struct ae_p11 *p, const char *uri, struct ae_err *e)
{
	struct ae_key *public = NULL;
	ck_object_handle_t o;
	struct ae_p11_match m;
	CK_RV rv;
	int rc;

	rc = parse_match(&m, uri, e);
	if (rc == AE_OK)
		rc = ae_p11_session(p, true, e);
	if (rc != AE_OK)
		return rc;
	rv = find(p, CKO_PUBLIC_KEY, &m, &o);
	if (rv != CKR_OK)
		return ae_p11_fail(e, rv, "looking for the key");
	rc = read_public(&public, p, o, e);
	if (rc == AE_OK)
		rc = ae_p11_attach(out, p, uri, public, e);
	ae_key_free(public);
	return rc;
}

int
ae_p11_token_uri(char out[AE_P11_TOKEN_MAX], const char *text, bool *object,
    struct ae_err *e)
{
	P11KitUri *uri = p11_kit_uri_new();
	char *token = NULL;
	int rc = AE_OK;

	if (uri == NULL)
		return ae_fail_mem(e);
	if (p11_kit_uri_parse(text, P11_KIT_URI_FOR_ANY, uri) !=
	    P11_KIT_URI_OK) {
		rc = ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "%.200s is no URI like pkcs11:token=TOKEN", text);
	} else if (p11_kit_uri_get_pin_value(uri) != NULL ||
	    p11_kit_uri_get_pin_source(uri) != NULL) {
		rc = ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "a PIN has no place in a key's URI; it goes into a file "
		    "of its own");
	} else if (p11_kit_uri_format(uri, P11_KIT_URI_FOR_TOKEN, &token) !=
		P11_KIT_URI_OK ||
	    strlen(token) >= AE_P11_TOKEN_MAX) {
		rc = ae_fail(
		    e, AE_EINVAL, AE_DOM_NONE, 0, "the token of %.200s", text);
	} else {
		*object = p11_kit_uri_get_attribute(uri, CKA_ID) != NULL ||
		    p11_kit_uri_get_attribute(uri, CKA_LABEL) != NULL;
		(void)snprintf(out, AE_P11_TOKEN_MAX, "%s", token);
	}
	free(token);
	p11_kit_uri_free(uri);
	return rc;
}
