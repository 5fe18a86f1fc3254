/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Renewing the CA's own certificate; see carenew.h.
 */
#include "carenew.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ca/own.h"
#include "cafile.h"
#include "cakey.h"
#include "pki/request.h"
#include "pki/response.h"
#include "setup_files.h"
#include "sys/clock.h"
#include "sys/files.h"

#define BACKDATE 600
#define FILE_MAX (1024u * 1024u)
#define ABOVE_MAX 64

struct work {
	const struct conf *conf;
	struct cafile file;
	bool has_file;
	struct cakeys *keys;
	struct ae_key *old, *key; /* of the newest certificate; the next */
	char *conf_path, *req_path, *req_key_path, *cert_path;
	char *uri; /* of a new key, as the configuration has it; or NULL */
	uid_t uid;
	gid_t gid;
};

void
ca_renewed_done(struct ca_renewed *r)
{
	free(r->path);
	memset(r, 0, sizeof(*r));
}

static int
begin(struct work *w, const struct conf *c, bool first, struct ae_err *e)
{
	int rc = AE_OK;

	memset(w, 0, sizeof(*w));
	w->conf = c;
	w->conf_path = conf_path(c, CONF_PATH);
	w->req_path = conf_path(c, CA_REQUEST_PATH);
	w->req_key_path = conf_path(c, CA_REQUEST_KEY_PATH);
	w->cert_path = strdup(c->certificate);
	if (w->conf_path == NULL || w->req_path == NULL ||
	    w->req_key_path == NULL || w->cert_path == NULL)
		return ae_fail_mem(e);
	/* A subordinate CA has none before its first answer. */
	if (!first || setup_exists(c->certificate)) {
		rc = cafile_read(&w->file, c, false, e);
		w->has_file = rc == AE_OK;
	}
	if (rc == AE_OK)
		rc = cakeys_new(&w->keys, c, e);
	if (rc == AE_OK)
		rc = setup_owner(c->uid_base, ROLE_SIGN, SETUP_KEY_USER,
		    &w->uid, &w->gid, e);
	return rc;
}

static void
done(struct work *w)
{
	ae_key_free(w->key);
	ae_key_free(w->old);
	cakeys_free(w->keys);
	if (w->has_file)
		cafile_done(&w->file);
	free(w->conf_path);
	free(w->req_path);
	free(w->req_key_path);
	free(w->cert_path);
	free(w->uri);
}

/* Which of the configured keys has this public half? */
static int
find_key(struct ae_key **out, struct work *w, const struct ae_key *public,
    struct ae_err *e)
{
	const struct ae_strv *uris = &w->conf->keys;
	struct ae_err why = AE_ERR_INIT;
	size_t i;

	for (i = uris->n; i > 0; i--) {
		struct ae_key *k = NULL;

		/* A token is asked: its URI says nothing of its half. */
		if (cakeys_open(&k, w->keys, uris->v[i - 1], NULL, &why) !=
		    AE_OK)
			continue;
		if (ae_key_same_public(k, public)) {
			*out = k;
			return AE_OK;
		}
		ae_key_free(k);
	}
	return why.rc != AE_OK
	    ? ae_fail(e, why.rc, AE_DOM_NONE, 0, "the CA's key: %s", why.text)
	    : ae_fail(e, AE_ENOTFOUND, AE_DOM_NONE, 0,
		  "no configured key is the CA's");
}

/* ---- a new key ---- */

/* "rsa3072" of the key before. */
static const char *
same_kind(const struct ae_key *k, char out[16])
{
	return ae_key_print(out, k);
}

/*
 * Where it is: a file beside the others named by the index of the
 * certificate it is for, or a token.
 */
static int
new_key(
    struct work *w, const struct ca_renew *r, unsigned index, struct ae_err *e)
{
	struct ae_secret stored = { NULL, 0 };
	char kind[16], *path = NULL, *whole = NULL;
	struct cakey_spec spec;
	int rc;

	rc = cakey_parse(&spec,
	    r->key != NULL ? r->key : same_kind(w->old, kind), r->key_type, e);
	if (rc == AE_OK)
		rc = cakeys_become(w->uid, w->gid, e);
	if (rc == AE_OK) {
		rc = cakeys_make(
		    &w->key, &stored, w->keys, &spec, w->conf->name, e);
		cakeys_return();
	}
	if (rc != AE_OK)
		return rc;
	if (spec.home == AE_KEY_IN_TOKEN) {
		w->uri = spec.existing
		    ? strdup(spec.uri)
		    : strndup((const char *)stored.p,
			  strcspn((const char *)stored.p, "\n"));
		rc = w->uri == NULL ? ae_fail_mem(e) : AE_OK;
	} else if (asprintf(&path, STATE_DIR "/private/ca-%u.key", index) < 0 ||
	    asprintf(&w->uri, "file:%s", path) < 0 ||
	    (whole = conf_path(w->conf, path)) == NULL) {
		rc = ae_fail_mem(e);
	} else if (setup_exists(whole)) {
		rc = ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "%s is there already: a renewal that was not finished; "
		    "remove it when its certificate was never issued",
		    whole);
	} else {
		rc = setup_write(
		    whole, 0711, stored.p, stored.len, 0600, w->uid, w->gid, e);
	}
	ae_secret_done(&stored);
	free(path);
	free(whole);
	return rc;
}

/* ---- a root ---- */

/* The certificates that are there, and one more. */
static int
append_cert(const char *path, struct ae_cert *const *v, size_t n,
    struct ae_cert *more, struct ae_err *e)
{
	struct ae_cert **all = calloc(n + 1, sizeof(struct ae_cert *));
	int rc;

	if (all == NULL)
		return ae_fail_mem(e);
	if (n > 0)
		memcpy(all, v, n * sizeof(struct ae_cert *));
	all[n] = more;
	rc = setup_write_certs(path, all, n + 1, e);
	free(all);
	return rc;
}

/* Both directions between the key before and the new one. */
static int
cross(struct work *w, const struct ae_cert *next, struct ae_err *e)
{
	const struct ae_cert *last = cafile_cert(&w->file);
	struct ae_cert *all[2 * AE_CA_SIGNING_MAX + 2];
	struct ae_cert *made[2] = { NULL, NULL };
	uint8_t serial[AE_CA_OWN_SERIAL];
	char *path = conf_path(w->conf, CA_CROSS_PATH);
	size_t n = w->file.ncross;
	int64_t now = ae_clock_now();
	struct ae_wr der;
	int rc = path == NULL ? ae_fail_mem(e) : AE_OK, i;

	if (n > 2 * AE_CA_SIGNING_MAX)
		n = 2 * AE_CA_SIGNING_MAX;
	if (n > 0)
		memcpy(all, w->file.cross, n * sizeof(all[0]));
	for (i = 0; i < 2 && rc == AE_OK; i++) {
		ae_random(serial, sizeof(serial));
		ae_wr_init(&der, AE_PKI_CERT_MAX);
		rc = ae_ca_own_cross(&der, i == 0 ? next : last,
		    i == 0 ? last : next, i == 0 ? w->old : w->key,
		    cakey_hash(i == 0 ? w->old : w->key), serial, now, e);
		if (rc == AE_OK)
			rc = ae_cert_parse(&made[i], der.p, der.len, e);
		ae_wr_done(&der);
		all[n + (size_t)i] = made[i];
	}
	if (rc == AE_OK)
		rc = setup_write_certs(path, all, n + 2, e);
	if (rc == AE_OK)
		rc = setup_conf_add(w->conf_path, "cross", CA_CROSS_PATH, e);
	ae_cert_free(made[0]);
	ae_cert_free(made[1]);
	free(path);
	return rc < 0 ? ae_note(e, rc, "cross certificates") : rc;
}

static int
renew_root(struct work *w, const struct ca_renew *r,
    const struct ae_ca_own *own, struct ae_err *e)
{
	const struct ae_cert *last = cafile_cert(&w->file);
	int64_t now = ae_clock_now(), life = r->validity;
	struct ae_cert *cert = NULL;
	uint8_t serial[AE_CA_OWN_SERIAL];
	struct ae_wr der;
	int rc;

	if (life == 0)
		life = last->not_after - last->not_before - BACKDATE;
	ae_random(serial, sizeof(serial));
	ae_wr_init(&der, AE_PKI_CERT_MAX);
	rc = ae_ca_own_root(
	    &der, own, w->key, serial, now - BACKDATE, now + life, e);
	if (rc == AE_OK)
		rc = ae_cert_parse(&cert, der.p, der.len, e);
	ae_wr_done(&der);
	if (rc == AE_OK && w->uri != NULL && !r->no_cross &&
	    now < last->not_after)
		rc = cross(w, cert, e);
	if (rc == AE_OK && w->uri != NULL)
		rc = setup_conf_add(w->conf_path, "key", w->uri, e);
	/* Now it counts. */
	if (rc == AE_OK)
		rc = append_cert(
		    w->cert_path, w->file.certs, w->file.ncerts, cert, e);
	ae_cert_free(cert);
	return rc;
}

/* ---- a subordinate CA's request ---- */

static int
write_request(struct work *w, const struct ae_ca_own *own, struct ae_err *e)
{
	struct ae_wr der, pem;
	int rc;

	ae_wr_init(&der, AE_PKI_REQUEST_MAX);
	ae_wr_init(&pem, 2 * AE_PKI_REQUEST_MAX);
	rc = ae_ca_own_request(&der, own, w->key, e);
	if (rc == AE_OK)
		rc = ae_request_put_pem(
		    &pem, (struct ae_der){ der.p, der.len }, e);
	/* Its key first: a request whose key nobody knows is worth nothing. */
	if (rc == AE_OK && w->uri != NULL)
		rc = setup_write(w->req_key_path, 0755, w->uri, strlen(w->uri),
		    0600, (uid_t)-1, (gid_t)-1, e);
	if (rc == AE_OK)
		rc = setup_write(w->req_path, 0755, pem.p, pem.len, 0644,
		    (uid_t)-1, (gid_t)-1, e);
	ae_wr_done(&pem);
	ae_wr_done(&der);
	return rc;
}

static int
renew(struct ca_renewed *out, struct work *w, const struct ca_renew *r,
    struct ae_err *e)
{
	const struct ae_ca_certs *l = &w->file.list;
	const struct ae_ca_cert *last = &l->v[l->n - 1];
	const bool root = ae_cert_self_issued(last->cert);
	struct ae_ca_own own = { .name = last->cert->subject,
		.previous = last->cert,
		.path_len = last->cert->x.ca ? last->cert->x.path_len : -1 };
	unsigned key_index = ae_ca_cert_key(l, last)->index;
	int rc;

	if (l->n == AE_CA_SIGNING_MAX)
		return ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
		    "the CA has %d certificates", AE_CA_SIGNING_MAX);
	if (!root && setup_exists(w->req_path))
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "%s waits for its answer; remove it and %s to ask anew",
		    w->req_path, w->req_key_path);
	rc = find_key(&w->old, w, ae_ca_cert_key(l, last)->pub, e);
	if (rc != AE_OK)
		return rc;
	if (r->new_key) {
		key_index = (unsigned)l->n;
		rc = new_key(w, r, (unsigned)l->n, e);
	} else {
		w->key = ae_key_ref(w->old);
	}
	if (rc != AE_OK)
		return rc;
	own.version = (uint32_t)key_index << 16 | (uint32_t)l->n;
	own.hash =
	    r->new_key ? cakey_hash(w->key) : ae_ca_cert_key(l, last)->alg.hash;
	rc = root ? renew_root(w, r, &own, e) : write_request(w, &own, e);
	if (rc != AE_OK)
		return rc;
	out->request = !root;
	out->version = own.version;
	out->path = strdup(root ? w->cert_path : w->req_path);
	return out->path == NULL ? ae_fail_mem(e) : AE_OK;
}

int
ca_renew(struct ca_renewed *out, const struct conf *c, const struct ca_renew *r,
    struct ae_err *e)
{
	struct work w;
	int rc = begin(&w, c, false, e);

	memset(out, 0, sizeof(*out));
	if (rc == AE_OK)
		rc = renew(out, &w, r, e);
	done(&w);
	return rc;
}

/* ---- an answer ---- */

int
ca_read_certs(
    struct ae_cert ***v, size_t *n, const void *p, size_t len, struct ae_err *e)
{
	struct ae_answer *a = NULL;
	struct ae_wr der;
	int rc = ae_certs_read(v, n, CA_ANSWER_MAX, p, len, NULL);

	if (rc == AE_OK)
		return rc;
	ae_wr_init(&der, AE_PKI_RESPONSE_MAX);
	rc = ae_request_read(&der, p, len, e);
	if (rc == AE_OK)
		rc = ae_answer_parse(&a, der.p, der.len, e);
	if (rc == AE_OK && a->ncerts == 0)
		rc = ae_fail(e, AE_ENOTFOUND, AE_DOM_NONE, 0,
		    "a PKCS#7 without a certificate");
	if (rc == AE_OK) {
		*v = a->certs;
		*n = a->ncerts;
		a->certs = NULL;
		a->ncerts = 0;
	} else {
		rc = ae_note(e, rc,
		    "neither PEM nor DER nor PKCS#7 with "
		    "certificates");
	}
	ae_answer_free(a);
	ae_wr_done(&der);
	return rc;
}

struct above {
	struct ae_cert *v[ABOVE_MAX]; /* borrowed */
	size_t n;
};

static void
add_above(struct above *a, struct ae_cert *const *v, size_t n,
    const struct ae_cert * not )
{
	size_t i, k;

	for (i = 0; i < n; i++) {
		for (k = 0; k < a->n; k++)
			if (ae_der_equal(a->v[k]->der, v[i]->der))
				break;
		if (k == a->n && a->n < ABOVE_MAX && v[i] != not )
			a->v[a->n++] = v[i];
	}
}

/* Does the private key work, and is it the certificate's? */
static int
try_key(struct work *w, const struct ae_csr *csr, struct ae_err *e)
{
	static const char text[] = "is this the key";
	struct ae_sigalg alg;
	uint8_t *uri = NULL;
	struct ae_wr sig;
	size_t len;
	char *whole;
	int rc;

	rc = ae_file_read(&uri, &len, w->req_key_path, 4096, e);
	if (rc == AE_ENOTFOUND) {
		rc = find_key(&w->key, w, csr->key, e);
	} else if (rc == AE_OK) {
		w->uri = (char *)uri;
		whole = strncmp(w->uri, "file:", 5) == 0
		    ? conf_path(w->conf, w->uri + 5)
		    : NULL;
		if (whole != NULL) {
			char *full;

			rc = asprintf(&full, "file:%s", whole) < 0
			    ? ae_fail_mem(e)
			    : AE_OK;
			if (rc == AE_OK) {
				rc = cakeys_open(
				    &w->key, w->keys, full, csr->key, e);
				free(full);
			}
		} else {
			rc = cakeys_open(&w->key, w->keys, w->uri, csr->key, e);
		}
		free(whole);
	}
	if (rc != AE_OK)
		return rc;
	alg = ae_key_sigalg(w->key, cakey_hash(w->key));
	ae_wr_init(&sig, AE_SIG_MAX);
	rc = ae_key_sign(&sig, w->key, &alg, text, sizeof(text), e);
	if (rc == AE_OK)
		rc = ae_key_verify(
		    csr->key, &alg, text, sizeof(text), sig.p, sig.len, e);
	ae_wr_done(&sig);
	return rc < 0 ? ae_note(e, rc, "the key of the request") : rc;
}

static struct ae_cert *
find_leaf(struct ae_cert *const *v, size_t n, const struct ae_key *k)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (ae_cert_has_key(v[i], k))
			return v[i];
	return NULL;
}

/* It is good: chain, configuration, certificate, in this order. */
static int
take_over(
    struct work *w, struct ae_cert *leaf, struct above *above, struct ae_err *e)
{
	char *chain = conf_path(w->conf, CA_CHAIN_PATH);
	int rc;

	if (chain == NULL)
		return ae_fail_mem(e);
	rc = setup_write_certs(w->conf->chain != NULL ? w->conf->chain : chain,
	    above->v, above->n, e);
	if (rc == AE_OK && w->conf->chain == NULL)
		rc = setup_conf_add(w->conf_path, "chain", CA_CHAIN_PATH, e);
	if (rc == AE_OK && w->uri != NULL)
		rc = setup_conf_add(w->conf_path, "key", w->uri, e);
	if (rc == AE_OK)
		rc = append_cert(w->cert_path, w->file.certs,
		    w->has_file ? w->file.ncerts : 0, leaf, e);
	free(chain);
	if (rc != AE_OK)
		return rc;
	/* What is left of these would only be taken for another request. */
	if (unlink(w->req_path) < 0 ||
	    (unlink(w->req_key_path) < 0 && errno != ENOENT))
		return ae_fail_errno(e, errno, "removing %s", w->req_path);
	return AE_OK;
}

static int
install(struct ca_renewed *out, struct work *w, struct ae_cert *const *certs,
    size_t n, struct above *above, const struct ae_csr *csr, struct ae_err *e)
{
	const size_t index = w->has_file ? w->file.ncerts : 0;
	struct ae_ca_own_judge j = { .name = csr->subject,
		.key = csr->key,
		.version = csr->x.ca_version,
		.now = ae_clock_now() };
	struct ae_cert *leaf = find_leaf(certs, n, csr->key);
	int rc;

	if (leaf == NULL)
		return ae_fail(e, AE_ETRUST, AE_DOM_NONE, 0,
		    "no certificate for the key of %s is in it", w->req_path);
	if ((csr->x.ca_version & 0xffff) != index)
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "%s is for certificate %u, and the next one is %zu",
		    w->req_path, csr->x.ca_version & 0xffff, index);
	add_above(above, certs, n, leaf);
	if (w->has_file)
		add_above(above, w->file.chain, w->file.nchain, leaf);
	j.above = above->v;
	j.nabove = above->n;
	rc = ae_ca_own_judge(leaf, &j, e);
	if (rc == AE_OK)
		rc = try_key(w, csr, e);
	if (rc == AE_OK)
		rc = take_over(w, leaf, above, e);
	out->version = csr->x.ca_version;
	return rc;
}

int
ca_install(struct ca_renewed *out, const struct conf *c, const void *p,
    size_t len, const void *chain, size_t chain_len, struct ae_err *e)
{
	struct ae_cert **certs = NULL, **more = NULL;
	size_t n = 0, nmore = 0, req_len = 0;
	struct above above = { .n = 0 };
	struct ae_csr *csr = NULL;
	uint8_t *req = NULL;
	struct ae_wr der;
	struct work w;
	int rc = begin(&w, c, true, e);

	memset(out, 0, sizeof(*out));
	ae_wr_init(&der, AE_PKI_REQUEST_MAX);
	if (rc == AE_OK) {
		rc = ae_file_read(&req, &req_len, w.req_path, FILE_MAX, e);
		if (rc == AE_ENOTFOUND)
			rc = ae_fail(e, rc, AE_DOM_NONE, 0,
			    "no request waits for an answer (%s)", w.req_path);
	}
	if (rc == AE_OK)
		rc = ae_request_read(&der, req, req_len, e);
	if (rc == AE_OK)
		rc = ae_csr_parse(&csr, der.p, der.len, e);
	if (rc == AE_OK)
		rc = ca_read_certs(&certs, &n, p, len, e);
	if (rc == AE_OK && chain_len > 0)
		rc = ca_read_certs(&more, &nmore, chain, chain_len, e);
	if (rc == AE_OK) {
		add_above(&above, more, nmore, NULL);
		rc = install(out, &w, certs, n, &above, csr, e);
	}
	if (rc == AE_OK) {
		out->path = strdup(w.cert_path);
		if (out->path == NULL)
			rc = ae_fail_mem(e);
	}
	ae_certs_free(certs, n);
	ae_certs_free(more, nmore);
	ae_csr_free(csr);
	ae_wr_done(&der);
	free(req);
	done(&w);
	return rc;
}
