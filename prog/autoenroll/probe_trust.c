/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Probe of the directory, continued: the chain of a CA's newest certificate,
 * by the roots and intermediates of the directory as a run judges it, and
 * what this host holds of it.  Of each element of "ad.cas" (probe_ad.c):
 *
 *   "chain": { "thumbprint", "subject", "trusted": bool, "x509": number and
 *       "error": text of the verification that failed, "weak": text, of what
 *       is below the root, "missing": the issuer that nobody has, "orphan":
 *       (and "last", the thumbprint of the certificate that names it),
 *       a root of the directory that has nothing below it, "published": bool,
 *       "held": bool, "other": the host holds one of the same name, and
 *       "certs": what is there of it, from the CA upwards, as probe_put_der
 *       has it }
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "pki/name.h"
#include "pki/verify.h"
#include "probe_pki.h"
#include "store/store.h"
#include "sys/clock.h"

#define HELD_MAX 1024u
#define DEPTH_MAX 10u
#define RSA_SHORT 2048u

struct certs {
	struct ae_cert **v;
	size_t n;
};

struct pool {
	struct certs roots, others, held;
};

static void
parse(struct certs *out, const struct ae_octetsv *l)
{
	size_t i;

	out->v = calloc(l->n + 1, sizeof(struct ae_cert *));
	for (i = 0; out->v != NULL && i < l->n; i++)
		if (ae_cert_parse(
			&out->v[out->n], l->v[i].p, l->v[i].len, NULL) == AE_OK)
			out->n++;
}

static void
add_held(struct certs *out, struct ae_store *s, const char *name)
{
	struct ae_cert **more = NULL, **v;
	uint8_t *pem = NULL;
	size_t n = 0, len = 0;

	if (ae_store_trust_read(s, name, &pem, &len, NULL) == AE_OK &&
	    ae_certs_read(&more, &n, HELD_MAX, pem, len, NULL) == AE_OK) {
		v = reallocarray(out->v, out->n + n + 1, sizeof(*v));
		if (v != NULL) {
			memcpy(v + out->n, more, n * sizeof(*v));
			out->v = v;
			out->n += n;
			n = 0;
		}
	}
	ae_certs_free(more, n);
	free(pem);
}

struct pool *
probe_trust_pool(const struct client *c, const struct ae_pki *pki)
{
	struct pool *p = calloc(1, sizeof(*p));
	struct ae_store *s = NULL;

	if (p == NULL)
		return NULL;
	parse(&p->roots, &pki->roots);
	parse(&p->others, &pki->aia);
	if (ae_store_open(&s, c->state_dir, false, NULL) == AE_OK) {
		add_held(&p->held, s, "roots");
		add_held(&p->held, s, "intermediates");
	}
	ae_store_free(s);
	return p;
}

void
probe_trust_pool_free(struct pool *p)
{
	if (p == NULL)
		return;
	ae_certs_free(p->roots.v, p->roots.n);
	ae_certs_free(p->others.v, p->others.n);
	ae_certs_free(p->held.v, p->held.n);
	free(p);
}

static bool
has(const struct certs *l, const struct ae_cert *c)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		if (ae_der_equal(l->v[i]->der, c->der))
			return true;
	return false;
}

static bool
signed_by(const struct ae_cert *c, const struct ae_cert *issuer)
{
	struct ae_key *key = NULL;
	bool yes = ae_name_equal(c->issuer, issuer->subject) &&
	    ae_key_from_spki(&key, issuer->spki.p, issuer->spki.len, NULL) ==
		AE_OK &&
	    ae_cert_verify(c, key, NULL) == AE_OK;

	ae_key_free(key);
	return yes;
}

static const struct ae_cert *
issuer_of(const struct pool *p, const struct ae_cert *c)
{
	size_t i;

	for (i = 0; i < p->roots.n; i++)
		if (signed_by(c, p->roots.v[i]))
			return p->roots.v[i];
	for (i = 0; i < p->others.n; i++)
		if (signed_by(c, p->others.v[i]))
			return p->others.v[i];
	return NULL;
}

static void
put_name(json_t *j, const char *key, struct ae_der name)
{
	char *text = NULL;

	if (ae_name_print(&text, name, NULL) == AE_OK)
		(void)json_object_set_new(j, key, client_text(text));
	free(text);
}

/* What others refuse: SHA-1, a short RSA key. */
static void
put_weak(json_t *j, const struct ae_cert *c)
{
	struct ae_key *key = NULL;
	char *name = NULL, text[512];

	if (ae_key_from_spki(&key, c->spki.p, c->spki.len, NULL) != AE_OK ||
	    ae_name_print(&name, c->subject, NULL) != AE_OK)
		goto out;
	if (ae_key_type(key) == AE_KEY_RSA && ae_key_bits(key) < RSA_SHORT)
		(void)snprintf(text, sizeof(text), "%.300s: RSA with %u bits",
		    name, ae_key_bits(key));
	else if (c->sigalg.hash == AE_HASH_SHA1)
		(void)snprintf(text, sizeof(text), "%.300s: %s", name,
		    ae_sigalg_name(&c->sigalg));
	else
		goto out;
	(void)json_object_set_new(j, "weak", client_text(text));
out:
	free(name);
	ae_key_free(key);
}

static bool
has_child(const struct certs *l, const struct ae_cert *root)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		if (!ae_cert_self_issued(l->v[i]) &&
		    ae_name_equal(l->v[i]->issuer, root->subject))
			return true;
	return false;
}

/* A root from which nothing leads down: something is missing below it. */
static void
put_orphan(json_t *j, const struct pool *p, const struct ae_cert *ca)
{
	const struct ae_cert *r;
	size_t i;

	for (i = 0; i < p->roots.n; i++) {
		r = p->roots.v[i];
		if (ae_cert_self_issued(r) &&
		    !ae_name_equal(r->subject, ca->subject) &&
		    !has_child(&p->others, r) && !has_child(&p->roots, r)) {
			put_name(j, "orphan", r->subject);
			return;
		}
	}
}

static void
put_thumbprint(json_t *j, const char *name, const struct ae_cert *c)
{
	uint8_t sha1[20];
	char thumb[41];

	ae_cert_sha1(sha1, c);
	ae_hex_encode(thumb, sha1, sizeof(sha1));
	(void)json_object_set_new(j, name, json_string(thumb));
}

void
probe_put_der(json_t *list, const struct ae_cert *c)
{
	char *hex = malloc(2 * c->der.len + 1);

	if (hex == NULL)
		return;
	ae_hex_encode(hex, c->der.p, c->der.len);
	(void)json_array_append_new(list, json_string(hex));
	free(hex);
}

static void
climb(json_t *j, const struct pool *p, const struct ae_cert *ca)
{
	const struct ae_cert *c = ca, *up;
	json_t *certs = json_array();
	size_t i;

	(void)json_object_set_new(j, "certs", certs);
	probe_put_der(certs, c);
	for (i = 0; i < DEPTH_MAX && !ae_cert_self_issued(c); i++) {
		put_thumbprint(j, "last", c);
		if (json_object_get(j, "weak") == NULL)
			put_weak(j, c);
		up = issuer_of(p, c);
		if (up == NULL) {
			put_name(j, "missing", c->issuer);
			put_orphan(j, p, ca);
			return;
		}
		c = up;
		probe_put_der(certs, c);
	}
}

static void
put_verified(json_t *j, const struct pool *p, const struct ae_cert *c)
{
	struct ae_verify v = {
		.anchors = (const struct ae_cert *const *)p->roots.v,
		.nanchors = p->roots.n,
		.others = (const struct ae_cert *const *)p->others.v,
		.nothers = p->others.n,
		.at = ae_clock_now(),
	};
	struct ae_err e = AE_ERR_INIT;
	bool ok = ae_verify_chain(c, &v, &e) == AE_OK;

	(void)json_object_set_new(j, "trusted", json_boolean(ok));
	if (ok)
		return;
	(void)json_object_set_new(j, "error", client_text(e.text));
	if (e.dom == AE_DOM_X509)
		(void)json_object_set_new(
		    j, "x509", json_integer((json_int_t)e.code));
}

/* What the host has of this certificate, and another of the same CA. */
static void
put_held(json_t *j, const struct pool *p, const struct ae_cert *c)
{
	bool other = false;
	size_t i;

	for (i = 0; i < p->held.n; i++)
		other |= ae_name_equal(p->held.v[i]->subject, c->subject) &&
		    !ae_der_equal(p->held.v[i]->der, c->der);
	(void)json_object_update_new(j,
	    json_pack("{s:b, s:b, s:b}", "published",
		has(&p->roots, c) || has(&p->others, c), "held",
		has(&p->held, c), "other", other));
}

json_t *
probe_trust_chain(const struct pool *p, const struct ae_enrollment_service *es)
{
	struct certs own = { 0 };
	const struct ae_cert *newest = NULL;
	int64_t now = ae_clock_now();
	json_t *j = NULL;
	size_t i;

	parse(&own, &es->ca_certificates);
	for (i = 0; i < own.n; i++)
		if (now >= own.v[i]->not_before && now < own.v[i]->not_after &&
		    (newest == NULL ||
			own.v[i]->not_before > newest->not_before))
			newest = own.v[i];
	if (p != NULL && newest != NULL) {
		j = json_object();
		put_thumbprint(j, "thumbprint", newest);
		put_name(j, "subject", newest->subject);
		put_verified(j, p, newest);
		climb(j, p, newest);
		put_held(j, p, newest);
	}
	ae_certs_free(own.v, own.n);
	return j;
}
