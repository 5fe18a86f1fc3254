/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The list of the CA's certificates and of their keys.
 */
#include "ca/cacerts.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/wr.h"

#define URL_MAX 4096u

static bool
same_spki(const struct ae_cert *a, const struct ae_cert *b)
{
	return ae_der_equal(a->spki, b->spki);
}

/* The key of certificate i; a new one when no older certificate has it. */
static int
take_key(struct ae_ca_certs *l, size_t i, struct ae_err *e)
{
	const struct ae_cert *c = l->v[i].cert;
	struct ae_ca_key *k;
	size_t j;
	int rc;

	for (j = 0; j < i; j++)
		if (same_spki(l->v[j].cert, c))
			break;
	if (j < i) {
		l->v[i].key = l->v[j].key;
		k = &l->keys[l->v[i].key];
	} else {
		k = &l->keys[l->nkeys];
		rc = ae_key_from_spki(&k->pub, c->spki.p, c->spki.len, e);
		if (rc != AE_OK)
			return rc;
		k->index = (uint16_t)i;
		l->v[i].key = (uint8_t)l->nkeys++;
	}
	k->newest = (uint16_t)i;
	if (c->not_after > k->end)
		k->end = c->not_after;
	return AE_OK;
}

/*
 * With the hash its own certificate was signed with: that is what was chosen
 * for it.  One that another CA signed says nothing of this key's.
 */
static void
choose_alg(struct ae_ca_key *k, const struct ae_cert *c)
{
	enum ae_hash h = AE_HASH_SHA256;

	if (ae_cert_self_issued(c))
		h = c->sigalg.hash;
	else if (ae_key_type(k->pub) == AE_KEY_EC && ae_key_bits(k->pub) > 256)
		h = ae_key_bits(k->pub) > 384 ? AE_HASH_SHA512 : AE_HASH_SHA384;
	k->alg = ae_key_sigalg(k->pub, h);
}

static int
take_cert(struct ae_ca_certs *l, const struct ae_cert *c, struct ae_err *e)
{
	struct ae_ca_cert *v = &l->v[l->n];
	size_t i;
	int rc;

	for (i = 0; i < l->n; i++)
		if (ae_der_equal(l->v[i].cert->der, c->der))
			return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
			    "the CA's certificate %zu is there twice", i);
	v->cert = c;
	v->index = (uint16_t)l->n;
	rc = take_key(l, l->n, e);
	if (rc == AE_OK && c->x.ski.len == 0)
		rc = ae_spki_id(v->keyid_sha1, c->spki.p, c->spki.len, e);
	v->keyid = c->x.ski.len > 0
	    ? c->x.ski
	    : (struct ae_der){ v->keyid_sha1, AE_KEY_ID_LEN };
	l->n++;
	if (rc == AE_OK && c->x.has_ca_version &&
	    c->x.ca_version != ae_ca_cert_version(l, v))
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "the CA's certificate %u.%u is in the place of %u.%u: one "
		    "before it is missing, or they are not in order",
		    c->x.ca_version & 0xffff, c->x.ca_version >> 16, v->index,
		    l->keys[v->key].index);
	if (rc == AE_OK && l->keys[v->key].index == v->index)
		choose_alg(&l->keys[v->key], c);
	return rc;
}

int
ae_ca_certs_init(struct ae_ca_certs *l, struct ae_cert *const *certs, size_t n,
    struct ae_err *e)
{
	size_t i;
	int rc = AE_OK;

	memset(l, 0, sizeof(*l));
	if (n == 0 || n > AE_CA_SIGNING_MAX)
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "a CA with %zu certificates", n);
	for (i = 0; i < n && rc == AE_OK; i++)
		rc = take_cert(l, certs[i], e);
	if (rc != AE_OK)
		ae_ca_certs_done(l);
	return rc;
}

void
ae_ca_certs_done(struct ae_ca_certs *l)
{
	size_t i;

	for (i = 0; i < l->nkeys; i++)
		ae_key_free(l->keys[i].pub);
	memset(l, 0, sizeof(*l));
}

uint32_t
ae_ca_cert_version(const struct ae_ca_certs *l, const struct ae_ca_cert *c)
{
	return (uint32_t)l->keys[c->key].index << 16 | c->index;
}

const struct ae_ca_cert *
ae_ca_certs_get(const struct ae_ca_certs *l, unsigned index)
{
	index &= 0xffff;
	return index < l->n ? &l->v[index] : NULL;
}

const struct ae_ca_cert *
ae_ca_certs_at(const struct ae_ca_certs *l, int64_t now)
{
	size_t i;

	for (i = l->n; i > 0; i--)
		if (now >= l->v[i - 1].cert->not_before &&
		    now <= l->v[i - 1].cert->not_after)
			return &l->v[i - 1];
	return &l->v[l->n - 1];
}

int
ae_ca_certs_key(const struct ae_ca_certs *l, unsigned key_index)
{
	size_t i;

	for (i = 0; i < l->nkeys; i++)
		if (l->keys[i].index == key_index)
			return (int)i;
	return -1;
}

bool
ae_ca_key_lives(const struct ae_ca_key *k, int64_t now)
{
	return now <= k->end;
}

const char *
ae_ca_suffix(char out[AE_CA_SUFFIX_MAX], unsigned index)
{
	out[0] = '\0';
	if (index > 0)
		(void)snprintf(out, AE_CA_SUFFIX_MAX, "(%u)", index & 0xffff);
	return out;
}

/* "%8" that is not the beginning of %80 to %8F. */
static bool
is_token(const char *s, char digit)
{
	return s[0] == '%' && s[1] == digit && !isxdigit((unsigned char)s[2]);
}

bool
ae_ca_url(struct ae_strv *out, const struct ae_ca_certs *l,
    const struct ae_ca_cert *c, const char *url, bool crl)
{
	return ae_ca_url_of(out, c->index, l->keys[c->key].index, url, crl);
}

bool
ae_ca_url_of(struct ae_strv *out, unsigned cert_index, unsigned key_index,
    const char *url, bool crl)
{
	static const char base[] = ".crl", delta[] = "+.crl";
	char key[AE_CA_SUFFIX_MAX], own[AE_CA_SUFFIX_MAX];
	const size_t n = strlen(url);
	bool named = false, ok;
	const char *s, *end;
	struct ae_wr w;

	(void)ae_ca_suffix(key, key_index);
	(void)ae_ca_suffix(own, cert_index);
	for (s = url; *s != '\0'; s++)
		named = named || is_token(s, '8');
	/* a delta's file is named "Example CA(2)+.crl" */
	end = n > sizeof(delta) - 1 ? url + n - (sizeof(delta) - 1) : url;
	if (strcmp(end, delta) != 0)
		end = n > sizeof(base) - 1 ? url + n - (sizeof(base) - 1) : url;
	named = named || (strcmp(end, delta) != 0 && strcmp(end, base) != 0);
	ae_wr_init(&w, URL_MAX);
	for (s = url; *s != '\0'; s++) {
		if (is_token(s, '8') || is_token(s, '4')) {
			ae_wr_str(&w, s[1] == '8' ? key : own);
			s++;
			continue;
		}
		if (crl && !named && s == end)
			ae_wr_str(&w, key);
		ae_wr_u8(&w, (uint8_t)*s);
	}
	ok = ae_wr_cstr(&w) != NULL && ae_strv_add(out, ae_wr_cstr(&w));
	ae_wr_done(&w);
	return ok;
}
