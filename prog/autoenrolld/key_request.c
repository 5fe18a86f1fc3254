/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The request for a template.  Its key and its bytes are durable before any
 * CA sees them; see role_key.h.
 */
#include "role_key.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/str.h"
#include "enroll/exchange.h"
#include "enroll/keyspec.h"
#include "enroll/request.h"
#include "pki/archive.h"
#include "sys/clock.h"

#define NAMES_MAX 64

/* One certificate of the store with its key. */
struct pair {
	struct ae_cert **certs; /* one, or NULL */
	size_t n;
	struct ae_key *key;
	char tmpl[AE_STORE_NAME_MAX + 1];
	unsigned number;
	char friendly[AE_STORE_FRIENDLY_MAX + 1];
};

/* ROLE_NEW, read. */
struct wanted {
	struct ae_arena *a;
	struct ae_template *tmpl;
	uint32_t alg, bits;
	bool automatic, same_key;
	const char *machine, *user, *requester;
	struct ae_wanted_names names;
	const char *renews, *agent; /* "<template>/<number>", or NULL */
	const char *friendly;
	const uint8_t *key; /* that is there already; PEM or a URI */
	size_t key_len;
	/* for the archive: the CA's exchange certificate and its judges */
	const uint8_t *exchange;
	size_t exchange_len;
	struct ae_exchange_trust trust;
};

static void
get_names(struct ae_wanted_names *n, struct ae_arena *a, struct ae_rd *in)
{
	struct ae_strv *lists[2] = { &n->dns, &n->upn };
	size_t i, j;

	n->subject = msg_get_str(a, in, 4096);
	for (i = 0; i < 2; i++) {
		uint32_t count = ae_rd_u32(in);

		if (count > NAMES_MAX)
			ae_rd_fail(in);
		for (j = 0; j < count && ae_rd_ok(in); j++) {
			const char *s = msg_get_str(a, in, 1024);

			if (s == NULL || !ae_strv_add(lists[i], s))
				ae_rd_fail(in);
		}
	}
}

static int
read_wanted(struct wanted *w, struct ae_rd *in, struct ae_err *e)
{
	struct ae_der *v;
	int rc;

	w->a = ae_arena_new(1024 * 1024);
	v = w->a == NULL
	    ? NULL
	    : ae_arena_array(w->a, (size_t)2 * KEY_ANCHORS_MAX, sizeof(*v));
	if (v == NULL)
		return ae_fail_mem(e);
	rc = ae_template_get(&w->tmpl, in, e);
	if (rc != AE_OK)
		return rc;
	w->alg = ae_rd_u32(in);
	w->bits = ae_rd_u32(in);
	w->automatic = ae_rd_u8(in) != 0;
	w->machine = msg_get_str(w->a, in, 512);
	w->user = msg_get_str(w->a, in, 512);
	get_names(&w->names, w->a, in);
	w->renews = msg_get_str(w->a, in, AE_STORE_NAME_MAX + 16);
	w->same_key = ae_rd_u8(in) != 0;
	w->agent = msg_get_str(w->a, in, AE_STORE_NAME_MAX + 16);
	w->requester = msg_get_str(w->a, in, 512);
	w->friendly = msg_get_str(w->a, in, AE_STORE_FRIENDLY_MAX);
	w->key = msg_get_bytes(in, AE_PKI_KEY_FILE_MAX, &w->key_len);
	w->exchange = msg_get_bytes(in, AE_PKI_CERT_MAX, &w->exchange_len);
	w->trust.authority = msg_get_str(w->a, in, 512);
	w->trust.roots = v;
	w->trust.nroots = key_get_ders(v, in);
	w->trust.others = v + KEY_ANCHORS_MAX;
	w->trust.nothers = key_get_ders(v + KEY_ANCHORS_MAX, in);
	return ae_rd_done(in) ? AE_OK : key_malformed(e, "new request");
}

static void
wanted_done(struct wanted *w)
{
	ae_strv_done(&w->names.dns);
	ae_strv_done(&w->names.upn);
	ae_template_free(w->tmpl);
	ae_arena_free(w->a);
}

static void
pair_done(struct pair *p)
{
	ae_certs_free(p->certs, p->n);
	ae_key_free(p->key);
}

static int
find_cert(
    struct pair *p, struct key_role *k, const char *name, struct ae_err *e)
{
	struct ae_store_list l = { 0 };
	char mine[AE_STORE_NAME_MAX + 16];
	int rc;
	size_t i;

	rc = ae_store_list(k->store, &l, e);
	if (rc != AE_OK)
		return rc;
	rc = AE_ENOTFOUND;
	for (i = 0; i < l.n && rc == AE_ENOTFOUND; i++) {
		(void)snprintf(
		    mine, sizeof(mine), "%s/%u", l.v[i].tmpl, l.v[i].number);
		if (strcmp(mine, name) != 0)
			continue;
		rc = ae_certs_read(
		    &p->certs, &p->n, 1, l.v[i].cert_pem, l.v[i].cert_len, e);
		(void)snprintf(p->tmpl, sizeof(p->tmpl), "%s", l.v[i].tmpl);
		p->number = l.v[i].number;
		memcpy(p->friendly, l.v[i].meta.friendly_name,
		    sizeof(p->friendly));
	}
	ae_store_list_done(&l);
	return i == l.n && rc == AE_ENOTFOUND
	    ? ae_fail(e, rc, AE_DOM_NONE, 0,
		  "there is no certificate %s in the store", name)
	    : rc;
}

/* A certificate of ours that is to sign. */
static int
open_pair(struct pair *p, struct role *r, const char *name, const char *what,
    struct ae_err *e)
{
	int rc;

	if (name == NULL)
		return AE_OK;
	rc = find_cert(p, r->state, name, e);
	if (rc == AE_OK)
		rc = key_open(&p->key, r, "my", p->tmpl, p->number, e);
	return rc == AE_OK ? AE_OK : ae_note(e, rc, "%s %s", what, name);
}

/* Somebody's own key, if it is one that the template takes. */
static int
take_key(struct key_role *k, const struct wanted *w, struct ae_err *e)
{
	bool rsa = w->alg == AE_ALG_RSA;
	int rc = ae_keydev_open(&k->key, k->keys.dev, w->key, w->key_len, e);

	if (rc != AE_OK)
		return ae_note(e, rc, "the key to use");
	if ((ae_key_type(k->key) == AE_KEY_RSA) != rsa ||
	    (rsa ? ae_key_bits(k->key) < w->bits
		 : ae_key_bits(k->key) != w->bits))
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "the key has %u bits; the template %s wants %s%u",
		    ae_key_bits(k->key), w->tmpl->cn,
		    rsa ? "RSA, at least " : "ECC, ", w->bits);
	return AE_OK;
}

/* The new key, or the old one again; what is stored of it. */
static int
get_key(struct role *r, const struct wanted *w, const struct pair *old,
    struct ae_secret *file, const char **name, struct ae_err *e)
{
	struct key_role *k = r->state;
	int rc;

	if (w->same_key && old->key != NULL) {
		k->key = ae_key_ref(old->key);
		return ae_store_key_get(
		    file, name, k->store, old->tmpl, old->number, e);
	}
	rc = w->key_len > 0 ? take_key(k, w, e)
			    : key_make(&k->key, r, w->tmpl, w->alg, w->bits, e);
	return rc == AE_OK ? key_file(file, name, k->key, e) : rc;
}

static int
seal(struct ae_wr *out, struct key_role *k, struct wanted *w,
    struct ae_request_input *req, struct ae_err *e)
{
	struct ae_cert *x = NULL;
	int rc;

	if (w->exchange_len == 0)
		return AE_OK;
	if (w->trust.authority == NULL)
		return key_malformed(e, "exchange certificate");
	w->trust.now = ae_clock_now();
	rc = ae_cert_parse(&x, w->exchange, w->exchange_len, e);
	if (rc == AE_OK)
		rc = ae_exchange_check(x, &w->trust, e);
	if (rc == AE_OK)
		rc = ae_archive_seal(out, k->key, x, e);
	ae_cert_free(x);
	req->archived_key = (struct ae_der){ out->p, out->len };
	return rc == AE_OK
	    ? AE_OK
	    : ae_note(e, rc,
		  "the CA's exchange certificate, to which the key "
		  "is to be encrypted");
}

static int
build(struct ae_wr *der, struct role *r, struct wanted *w,
    const struct pair *old, const struct pair *agent, struct ae_err *e)
{
	struct key_role *k = r->state;
	struct ae_request_input req = { .tmpl = w->tmpl,
		.key = k->key,
		.machine = w->machine,
		.user = w->user,
		.process = "autoenroll",
		.automatic = w->automatic,
		.names = w->names,
		.requester = w->requester };
	struct ae_wr envelope;
	int rc;

	if (old->key != NULL)
		req.old = (struct ae_request_signer){ old->certs[0], old->key };
	if (agent->key != NULL)
		req.agent =
		    (struct ae_request_signer){ agent->certs[0], agent->key };
	ae_wr_init(&envelope, AE_PKI_REQUEST_MAX);
	rc = seal(&envelope, k, w, &req, e);
	if (rc == AE_OK)
		rc = ae_enroll_request_build(der, &req, e);
	ae_wr_done(&envelope);
	return rc;
}

static void
describe(struct ae_store_request_meta *m, const struct wanted *w,
    const struct pair *old)
{
	uint8_t sha1[20];

	*m = (struct ae_store_request_meta){ .state = AE_STORE_MADE,
		.made = ae_clock_now(),
		.automatic = w->automatic,
		.archival = w->exchange_len > 0,
		.imported = w->key_len > 0 };
	if (w->tmpl->oid != NULL)
		(void)snprintf(m->template_oid, sizeof(m->template_oid), "%s",
		    w->tmpl->oid);
	(void)snprintf(m->friendly_name, sizeof(m->friendly_name), "%s",
	    w->friendly != NULL ? w->friendly : old->friendly);
	if (old->key != NULL) {
		ae_cert_sha1(sha1, old->certs[0]);
		ae_hex_encode(m->renews, sha1, sizeof(sha1));
	}
}

int
key_new_request(
    struct role *r, struct ae_rd *in, struct ae_wr *out, struct ae_err *e)
{
	struct pair old = { 0 }, agent = { 0 };
	struct ae_err why = AE_ERR_INIT;
	struct key_role *k = r->state;
	struct ae_secret file = { 0 };
	struct wanted w = { 0 };
	const char *name = NULL;
	struct ae_wr der;
	int rc;

	key_let_go(k);
	ae_wr_init(&der, AE_PKI_REQUEST_MAX);
	rc = read_wanted(&w, in, e);
	if (rc == AE_OK)
		rc =
		    open_pair(&old, r, w.renews, "the certificate to renew", e);
	if (rc == AE_OK)
		rc =
		    open_pair(&agent, r, w.agent, "the signing certificate", e);
	if (rc == AE_OK)
		rc = get_key(r, &w, &old, &file, &name, e);
	if (rc == AE_OK)
		rc = build(&der, r, &w, &old, &agent, e);
	if (rc == AE_OK) {
		describe(&k->meta, &w, &old);
		rc = ae_store_request_new(&k->number, k->store, w.tmpl->cn,
		    name, file.p, file.len, der.p, der.len, &k->meta, e);
	}
	if (rc == AE_OK) {
		k->tmpl = w.tmpl;
		w.tmpl = NULL;
		ae_wr_u32(out, k->number);
		msg_put_str(out, k->meta.renews);
		msg_put_bytes(out, der.p, der.len);
	} else {
		/* One that nothing will ever name must not fill a token. */
		if (k->key != NULL && k->key != old.key && w.key_len == 0)
			(void)(ae_keydev_destroy(k->key, &why) == AE_OK);
		key_let_go(k);
	}
	ae_secret_done(&file);
	pair_done(&old);
	pair_done(&agent);
	wanted_done(&w);
	ae_wr_done(&der);
	return rc;
}
