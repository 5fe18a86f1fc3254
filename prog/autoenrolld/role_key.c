/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The key role: makes keys and the requests for them, judges what the CA
 * answered and installs it.  The only process that writes the store; it has
 * no network.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hex.h"
#include "enroll/accept.h"
#include "enroll/keyspec.h"
#include "enroll/request.h"
#include "pki/name.h"
#include "role.h"
#include "roles.h"
#include "store/store.h"
#include "sys/clock.h"

#define LOCK_TRIES 100
#define LOCK_PAUSE_US 200000
#define NAMES_MAX 64
#define ANCHORS_MAX 256

struct key_role {
	struct ae_store *store;
	struct ae_store_draft *draft; /* of the request under way */
	struct ae_key *key;
	struct ae_template *tmpl;
};

static void
drop_draft(struct key_role *k)
{
	ae_store_draft_free(k->draft);
	k->draft = NULL;
	ae_key_free(k->key);
	k->key = NULL;
	ae_template_free(k->tmpl);
	k->tmpl = NULL;
}

static int
malformed(struct ae_err *e, const char *what)
{
	return ae_fail(
	    e, AE_EPROTO, AE_DOM_NONE, 0, "malformed question: %s", what);
}

/* The key on disk is the certificate's own. */
static bool
key_fits(const struct role *r, const struct ae_store_entry *en)
{
	struct ae_cert **certs = NULL;
	struct ae_key *key = NULL;
	bool fits = false;
	char uri[4096];
	size_t n = 0;

	if (en->has_key &&
	    (size_t)snprintf(uri, sizeof(uri), "file:%s/my/%s/%u/key.pem",
		r->c->state_dir, en->tmpl, en->number) < sizeof(uri) &&
	    ae_certs_read(&certs, &n, 1, en->cert_pem, en->cert_len, NULL) ==
		AE_OK &&
	    ae_key_open(&key, uri, NULL, NULL) == AE_OK)
		fits = ae_cert_has_key(certs[0], key);
	ae_key_free(key);
	ae_certs_free(certs, n);
	return fits;
}

static int
inventory(struct role *r, struct ae_rd *in, struct ae_wr *out, struct ae_err *e)
{
	struct key_role *k = r->state;
	struct ae_store_list l = { 0 };
	size_t i;
	int rc;

	if (!ae_rd_done(in))
		return malformed(e, "inventory");
	rc = ae_store_list(k->store, &l, e);
	if (rc != AE_OK)
		return rc;
	ae_wr_u32(out, (uint32_t)l.n);
	for (i = 0; i < l.n; i++) {
		const struct ae_store_entry *en = &l.v[i];

		msg_put_str(out, en->tmpl);
		ae_wr_u32(out, en->number);
		ae_wr_u8(out, en->current);
		ae_wr_u8(out, key_fits(r, en));
		msg_put_bytes(out, en->cert_pem, en->cert_len);
	}
	ae_store_list_done(&l);
	return AE_OK;
}

/* Three PEM texts: roots, intermediates, ntauth.  Answers what changed. */
static int
trust(struct role *r, struct ae_rd *in, struct ae_wr *out, struct ae_err *e)
{
	static const char *const names[] = { "roots", "intermediates",
		"ntauth" };
	struct key_role *k = r->state;
	const uint8_t *pem[3];
	size_t len[3], i;
	bool changed;
	int rc;

	for (i = 0; i < 3; i++)
		pem[i] = msg_get_bytes(in, AE_STORE_FILE_MAX, &len[i]);
	if (!ae_rd_done(in))
		return malformed(e, "trust");
	for (i = 0; i < 3; i++) {
		rc = ae_store_trust_write(
		    k->store, names[i], pem[i], len[i], &changed, e);
		if (rc != AE_OK)
			return rc;
		ae_wr_u8(out, changed);
	}
	return AE_OK;
}

static int
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
	return ae_rd_ok(in) ? AE_OK : AE_EPROTO;
}

static int
make_key(struct key_role *k, uint32_t alg, uint32_t bits, struct ae_err *e)
{
	if (alg > AE_ALG_P521)
		return malformed(e, "key algorithm");
	return ae_key_generate(
	    &k->key, alg == AE_ALG_RSA ? AE_KEY_RSA : AE_KEY_EC, bits, e);
}

static int
start_draft(struct key_role *k, struct ae_err *e)
{
	struct ae_secret pem = { 0 };
	int rc;

	rc = ae_key_to_pem(&pem, k->key, NULL, e);
	if (rc == AE_OK)
		rc = ae_store_draft_new(
		    &k->draft, k->store, k->tmpl->cn, pem.p, pem.len, e);
	ae_secret_done(&pem);
	return rc;
}

/* The key is made, and durable, before any CA is asked. */
static int
new_request(
    struct role *r, struct ae_rd *in, struct ae_wr *out, struct ae_err *e)
{
	struct ae_arena *a = ae_arena_new(256 * 1024);
	struct ae_request_input req = { .process = "autoenroll" };
	struct key_role *k = r->state;
	uint32_t alg, bits;
	struct ae_wr der;
	int rc;

	drop_draft(k);
	ae_wr_init(&der, AE_PKI_REQUEST_MAX);
	if (a == NULL)
		return ae_fail_mem(e);
	rc = ae_template_get(&k->tmpl, in, e);
	if (rc != AE_OK)
		goto out;
	alg = ae_rd_u32(in);
	bits = ae_rd_u32(in);
	req.automatic = ae_rd_u8(in) != 0;
	req.machine = msg_get_str(a, in, 512);
	req.user = msg_get_str(a, in, 512);
	if (get_names(&req.names, a, in) != AE_OK || !ae_rd_done(in)) {
		rc = malformed(e, "new request");
		goto out;
	}
	rc = make_key(k, alg, bits, e);
	if (rc == AE_OK)
		rc = start_draft(k, e);
	req.tmpl = k->tmpl;
	req.key = k->key;
	if (rc == AE_OK)
		rc = ae_enroll_request_build(&der, &req, e);
	if (rc == AE_OK)
		msg_put_bytes(out, der.p, der.len);
out:
	if (rc != AE_OK)
		drop_draft(k);
	ae_strv_done(&req.names.dns);
	ae_strv_done(&req.names.upn);
	ae_wr_done(&der);
	ae_arena_free(a);
	return rc;
}

static size_t
get_ders(struct ae_der *v, struct ae_rd *in)
{
	uint32_t n = ae_rd_u32(in), i;

	if (n > ANCHORS_MAX)
		ae_rd_fail(in);
	for (i = 0; i < n && ae_rd_ok(in); i++)
		v[i].p = msg_get_bytes(in, AE_PKI_CERT_MAX, &v[i].len);
	return ae_rd_ok(in) ? n : 0;
}

/* PEM of every certificate of the answer that is not the one and no root. */
static void
put_chain(
    struct ae_wr *w, const struct ae_answer *a, const struct ae_cert *leaf)
{
	size_t i;

	for (i = 0; i < a->ncerts; i++)
		if (!ae_der_equal(a->certs[i]->der, leaf->der))
			ae_cert_put_pem(w, a->certs[i]);
}

static int
put_installed(struct ae_wr *out, const struct ae_cert *c, unsigned number,
    const char *tmpl, const char *dir, struct ae_err *e)
{
	char hex[41], serial[2 * 64 + 1], *subject = NULL, path[4096];
	uint8_t sha1[20];
	int rc;

	rc = ae_name_print(&subject, c->subject, e);
	if (rc != AE_OK)
		return rc;
	ae_cert_sha1(sha1, c);
	ae_hex_encode(hex, sha1, sizeof(sha1));
	ae_hex_encode(
	    serial, c->serial.p, c->serial.len > 64 ? 64 : c->serial.len);
	(void)snprintf(path, sizeof(path), "%s/my/%s/current", dir, tmpl);
	ae_wr_u32(out, number);
	msg_put_str(out, hex);
	msg_put_str(out, serial);
	msg_put_str(out, subject);
	ae_wr_u64(out, (uint64_t)c->not_before);
	ae_wr_u64(out, (uint64_t)c->not_after);
	msg_put_str(out, path);
	free(subject);
	return AE_OK;
}

static int
install(struct role *r, struct ae_rd *in, struct ae_wr *out, struct ae_err *e)
{
	struct ae_arena *arena = ae_arena_new(1 << 20);
	struct key_role *k = r->state;
	struct ae_store_meta meta = { .installed = ae_clock_now() };
	struct ae_accept acc = { .tmpl = k->tmpl, .key = k->key };
	struct ae_answer *answer = NULL;
	const struct ae_cert *cert;
	struct ae_wr pem, chain;
	const char *config;
	const uint8_t *bytes;
	struct ae_sid sid;
	struct ae_der *v;
	unsigned number;
	size_t len;
	int rc;

	ae_wr_init(&pem, AE_STORE_FILE_MAX);
	ae_wr_init(&chain, AE_STORE_FILE_MAX);
	v = arena == NULL
	    ? NULL
	    : ae_arena_array(arena, (size_t)2 * ANCHORS_MAX, sizeof(*v));
	if (v == NULL) {
		rc = ae_fail_mem(e);
		goto out;
	}
	bytes = msg_get_bytes(in, AE_PKI_RESPONSE_MAX, &len);
	sid = ae_sid_get(in);
	acc.sid = &sid;
	acc.roots = v;
	acc.nroots = get_ders(v, in);
	acc.others = v + ANCHORS_MAX;
	acc.nothers = get_ders(v + ANCHORS_MAX, in);
	acc.now = meta.installed;
	config = msg_get_str(arena, in, sizeof(meta.ca_config) - 1);
	meta.request_id = ae_rd_u32(in);
	if (!ae_rd_done(in) || k->draft == NULL || config == NULL) {
		rc = malformed(e, "install");
		goto out;
	}
	(void)snprintf(meta.ca_config, sizeof(meta.ca_config), "%s", config);
	if (k->tmpl->oid != NULL)
		(void)snprintf(meta.template_oid, sizeof(meta.template_oid),
		    "%s", k->tmpl->oid);
	rc = ae_answer_parse(&answer, bytes, len, e);
	if (rc == AE_OK)
		rc = ae_accept_check(&cert, answer, &acc, e);
	if (rc != AE_OK)
		goto out;
	ae_cert_put_pem(&pem, cert);
	put_chain(&chain, answer, cert);
	if (!ae_wr_ok(&pem) || !ae_wr_ok(&chain)) {
		rc = ae_fail_mem(e);
		goto out;
	}
	rc = ae_store_commit(
	    k->draft, pem.p, pem.len, chain.p, chain.len, &meta, &number, e);
	if (rc == AE_OK)
		rc = put_installed(
		    out, cert, number, k->tmpl->cn, r->c->state_dir, e);
out:
	drop_draft(k);
	ae_answer_free(answer);
	ae_wr_done(&pem);
	ae_wr_done(&chain);
	ae_arena_free(arena);
	return rc;
}

static int
archive(struct role *r, struct ae_rd *in, struct ae_wr *out, struct ae_err *e)
{
	struct ae_arena *a = ae_arena_new(4096);
	struct key_role *k = r->state;
	const char *tmpl;
	int rc;

	(void)out;
	if (a == NULL)
		return ae_fail_mem(e);
	tmpl = msg_get_str(a, in, AE_STORE_NAME_MAX);
	rc = tmpl == NULL || !ae_rd_done(in)
	    ? malformed(e, "archive")
	    : ae_store_archive(k->store, tmpl, e);
	ae_arena_free(a);
	return rc;
}

static const struct role_question questions[] = {
	{ ROLE_INVENTORY, inventory },
	{ ROLE_TRUST, trust },
	{ ROLE_NEW, new_request },
	{ ROLE_INSTALL, install },
	{ ROLE_ARCHIVE, archive },
	{ 0, NULL },
};

int
role_key(const struct client *c, int fd, struct ae_err *e)
{
	const char *paths[] = { c->state_dir, NULL };
	struct ae_sandbox box = { .may = AE_MAY_READ_FILES | AE_MAY_WRITE_FILES,
		.write_paths = paths,
		.max_file_size = UINT64_MAX,
		.require = c->require_sandbox };
	struct key_role k = { 0 };
	struct role r = { .c = c, .state = &k };
	unsigned tries;
	int rc;

	/* A run that began a moment earlier is let finish: one after the
	 * other, never two at once. */
	rc = ae_store_open(&k.store, c->state_dir, true, e);
	for (tries = 0; rc == AE_EUNAVAIL && tries < LOCK_TRIES; tries++) {
		(void)usleep(LOCK_PAUSE_US);
		rc = ae_store_open(&k.store, c->state_dir, true, e);
	}
	if (rc == AE_OK) {
		if (e != NULL)
			e->rc = AE_OK;
		rc = role_serve(&r, fd, &box, questions, e);
	}
	drop_draft(&k);
	ae_store_free(k.store);
	return rc;
}
