/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Certificates and their keys; see certs.h.
 */
#include "certs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../autoenrolld/keys.h"
#include "../autoenrolld/revocation_state.h"
#include "base/hex.h"
#include "base/time.h"
#include "pki/cert.h"
#include "pki/keydev.h"
#include "pki/name.h"
#include "store/request.h"
#include "store/store.h"
#include "sys/clock.h"

#define PATH_MAX_LEN 4096

/* What came of using a key. */
struct key_test {
	enum { PASSED, FAILED, MISSING, FOREIGN, NOT_MADE } result;
	const char *provider;
	char alg[16];
	struct ae_err why;
};

static json_t *
time_or_null(int64_t t)
{
	char text[AE_TIME_STR_MAX];

	return t == 0 || t == INT64_MAX ? json_null()
					: json_string(ae_time_print(text, t));
}

static const char *
provider_of(const struct ae_key *k)
{
	switch (ae_key_home(k)) {
	case AE_KEY_IN_TPM:
		return "TPM";
	case AE_KEY_IN_TOKEN:
		return "PKCS#11 token";
	case AE_KEY_IN_SOFTWARE:
		break;
	}
	return "software";
}

static int
sign_and_verify(
    const struct ae_key *k, const struct ae_cert *c, struct ae_err *e)
{
	static const char text[] = "autoenroll tests this key";
	struct ae_sigalg alg = ae_key_sigalg(k, AE_HASH_SHA256);
	struct ae_key *public = NULL;
	struct ae_wr sig;
	int rc;

	ae_wr_init(&sig, AE_SIG_MAX);
	rc = ae_key_sign(&sig, k, &alg, text, sizeof(text), e);
	if (rc == AE_OK)
		rc = ae_key_from_spki(&public, c->spki.p, c->spki.len, e);
	if (rc == AE_OK)
		rc = ae_key_verify(
		    public, &alg, text, sizeof(text), sig.p, sig.len, e);
	ae_key_free(public);
	ae_wr_done(&sig);
	return rc;
}

static void
test_key(struct key_test *t, struct keys *keys, const char *dir,
    const struct ae_cert *c)
{
	struct ae_key *k = NULL, *public = NULL;
	int rc;

	*t = (struct key_test){ .result = FAILED, .provider = "" };
	if (ae_key_from_spki(&public, c->spki.p, c->spki.len, NULL) == AE_OK)
		(void)ae_key_print(t->alg, public);
	ae_key_free(public);
	if (keys->dev == NULL) {
		t->result = NOT_MADE;
		return;
	}
	rc = keys_open(&k, keys, dir, &t->why);
	if (rc == AE_ENOTFOUND) {
		t->result = MISSING;
	} else if (rc == AE_EIO && t->why.dom == AE_DOM_ERRNO &&
	    t->why.code == EACCES) {
		t->result = NOT_MADE; /* not for these eyes */
	} else if (rc == AE_OK) {
		t->provider = provider_of(k);
		if (!ae_cert_has_key(c, k))
			t->result = FOREIGN;
		else if (sign_and_verify(k, c, &t->why) == AE_OK)
			t->result = PASSED;
	}
	ae_key_free(k);
}

static const char *
state_of(const struct ae_store_entry *en, const struct ae_cert *c,
    const struct key_test *t, const char *revocation)
{
	int64_t now = ae_clock_now();

	if (!en->current)
		return "archived";
	if (now >= c->not_after)
		return "expired";
	if (strcmp(revocation, "revoked") == 0)
		return "revoked";
	if (strcmp(revocation, "hold") == 0)
		return "on hold";
	switch (t->result) {
	case MISSING:
		return "key missing";
	case FOREIGN:
		return "key does not fit";
	case FAILED:
		return "key fails";
	case PASSED:
	case NOT_MADE:
		break;
	}
	return now < c->not_before ? "not yet valid" : "valid";
}

static void
put_key(json_t *j, const struct key_test *t)
{
	static const char *const words[] = { [PASSED] = "passed",
		[FAILED] = "failed",
		[MISSING] = "failed",
		[FOREIGN] = "failed",
		[NOT_MADE] = "not made" };
	const char *why = t->why.text;

	if (t->result == MISSING)
		why = "there is no private key";
	if (t->result == FOREIGN)
		why = "the private key is another one's";
	(void)json_object_set_new(j, "provider", json_string(t->provider));
	(void)json_object_set_new(j, "key", json_string(t->alg));
	(void)json_object_set_new(j, "key_test", json_string(words[t->result]));
	(void)json_object_set_new(j, "key_error",
	    json_string(t->result == PASSED ? "" : cli_safe(why)));
}

/* The name that goes with the OID in the certificate: of any entry that has
 * it, else the name an old template puts in, else none. */
static const char *
template_name(const struct ae_store_list *l, const struct ae_cert *c)
{
	size_t i;

	for (i = 0; c->x.template_oid != NULL && i < l->n; i++)
		if (strcmp(l->v[i].meta.template_oid, c->x.template_oid) == 0)
			return l->v[i].tmpl;
	return c->x.template_name == NULL ? "" : c->x.template_name;
}

static void
put_times(json_t *j, const struct ae_store_entry *en, const struct ae_cert *c)
{
	(void)json_object_set_new(j, "not_before", time_or_null(c->not_before));
	(void)json_object_set_new(j, "not_after", time_or_null(c->not_after));
	(void)json_object_set_new(
	    j, "installed", time_or_null(en->meta.installed));
	(void)json_object_set_new(j, "archived", time_or_null(en->archived));
	(void)json_object_set_new(j, "why", json_string(en->why));
}

static void
put_names(json_t *j, const struct ae_cert *c)
{
	char thumb[41], thumb256[65], serial[129], sid[AE_SID_STR_MAX] = "";
	const struct ae_san *dns = ae_exts_san(&c->x, AE_SAN_DNS);
	const struct ae_san *upn = ae_exts_san(&c->x, AE_SAN_UPN);
	char *subject = NULL, *issuer = NULL;
	json_t *usages = json_array();
	uint8_t sha1[20], sha256[32];
	size_t i;

	if (ae_name_print(&subject, c->subject, NULL) != AE_OK)
		subject = NULL;
	if (ae_name_print(&issuer, c->issuer, NULL) != AE_OK)
		issuer = NULL;
	ae_cert_sha1(sha1, c);
	ae_hex_encode(thumb, sha1, sizeof(sha1));
	ae_cert_sha256(sha256, c);
	ae_hex_encode(thumb256, sha256, sizeof(sha256));
	ae_hex_encode(
	    serial, c->serial.p, c->serial.len > 64 ? 64 : c->serial.len);
	if (c->x.has_sid)
		(void)ae_sid_print(sid, &c->x.sid);
	for (i = 0; i < c->x.eku.n; i++)
		(void)json_array_append_new(usages, json_string(c->x.eku.v[i]));
	(void)json_object_set_new(j, "thumbprint", json_string(thumb));
	(void)json_object_set_new(
	    j, "thumbprint_sha256", json_string(thumb256));
	(void)json_object_set_new(j, "serial", json_string(serial));
	(void)json_object_set_new(
	    j, "subject", json_string(subject == NULL ? "" : subject));
	(void)json_object_set_new(
	    j, "issuer", json_string(issuer == NULL ? "" : issuer));
	(void)json_object_set_new(
	    j, "dns", json_string(dns == NULL ? "" : dns->text));
	(void)json_object_set_new(
	    j, "upn", json_string(upn == NULL ? "" : upn->text));
	(void)json_object_set_new(j, "sid", json_string(sid));
	(void)json_object_set_new(j, "usages", usages);
	free(subject);
	free(issuer);
}

/* As of the last run that looked: nothing is asked here. */
static json_t *
revocation_now(const json_t *kept, const struct ae_cert *c)
{
	uint8_t sha1[20];
	char thumb[41];

	ae_cert_sha1(sha1, c);
	ae_hex_encode(thumb, sha1, sizeof(sha1));
	return revocation_of(kept, thumb, ae_clock_now());
}

static json_t *
entry_json(const struct ae_store_entry *en, const struct ae_store_list *l,
    const struct ae_cert *c, struct keys *keys, const json_t *kept,
    const char *state_dir)
{
	json_t *revocation = revocation_now(kept, c), *j;
	const char *revoked =
	    json_string_value(json_object_get(revocation, "state"));
	char path[PATH_MAX_LEN];
	struct key_test t;

	(void)snprintf(
	    path, sizeof(path), "%s/my/%s/%u", state_dir, en->tmpl, en->number);
	test_key(&t, keys, path, c);
	j = json_pack("{s:s, s:s, s:s, s:i, s:b, s:s, s:s, s:I, s:s, s:s, s:o}",
	    "template", en->tmpl, "template_oid",
	    c->x.template_oid == NULL ? "" : c->x.template_oid, "template_name",
	    template_name(l, c), "number", (int)en->number, "current",
	    en->current, "state",
	    state_of(en, c, &t, revoked == NULL ? "" : revoked), "ca",
	    en->meta.ca_config, "request_id", (json_int_t)en->meta.request_id,
	    "path", path, "friendly_name", en->meta.friendly_name, "revocation",
	    revocation);
	if (j == NULL)
		return NULL;
	put_names(j, c);
	put_times(j, en, c);
	put_key(j, &t);
	return j;
}

static int
open_store(struct ae_store **s, const struct cli *cli, struct ae_err *e)
{
	int rc = ae_store_open(s, cli->c.state_dir, false, e);

	if (rc == AE_ENOTFOUND) { /* nothing was installed yet */
		*e = (struct ae_err)AE_ERR_INIT;
		*s = NULL;
		return AE_OK;
	}
	return rc;
}

int
certs_load(json_t **out, const struct cli *cli, bool archived, struct ae_err *e)
{
	struct ae_store_list l = { 0 };
	struct keys keys = { 0 };
	struct ae_store *s = NULL;
	json_t *all = json_array(), *kept = revocation_read(&cli->c);
	size_t i;
	int rc;

	rc = open_store(&s, cli, e);
	if (rc == AE_OK && s != NULL)
		rc = ae_store_list(s, &l, e);
	/* Who may not read the PIN still sees the certificates. */
	if (rc == AE_OK && keys_init(&keys, &cli->c, NULL) != AE_OK)
		keys.dev = NULL;
	for (i = 0; rc == AE_OK && i < l.n; i++) {
		struct ae_cert **certs = NULL;
		size_t n = 0;

		if (!l.v[i].current && !archived)
			continue;
		if (ae_certs_read(&certs, &n, 1, l.v[i].cert_pem,
			l.v[i].cert_len, NULL) != AE_OK)
			continue;
		(void)json_array_append_new(all,
		    entry_json(
			&l.v[i], &l, certs[0], &keys, kept, cli->c.state_dir));
		ae_certs_free(certs, n);
	}
	keys_done(&keys);
	json_decref(kept);
	ae_store_list_done(&l);
	ae_store_free(s);
	if (rc == AE_OK)
		*out = all;
	else
		json_decref(all);
	return rc;
}

int
certs_requests(json_t **out, const struct cli *cli, struct ae_err *e)
{
	struct ae_store_request_list l = { 0 };
	struct ae_store *s = NULL;
	json_t *all = json_array(), *j;
	size_t i;
	int rc;

	rc = open_store(&s, cli, e);
	if (rc == AE_OK && s != NULL)
		rc = ae_store_request_list(s, &l, e);
	for (i = 0; rc == AE_OK && i < l.n; i++) {
		const struct ae_store_request_meta *m = &l.v[i].meta;

		j = json_pack("{s:s, s:i, s:s, s:s, s:I}", "template",
		    l.v[i].tmpl, "number", (int)l.v[i].number, "state",
		    ae_store_request_state_name(m->state), "ca", m->ca_config,
		    "request_id", (json_int_t)m->request_id);
		(void)json_object_set_new(j, "made", time_or_null(m->made));
		(void)json_object_set_new(j, "asked", time_or_null(m->asked));
		(void)json_array_append_new(all, j);
	}
	ae_store_request_list_done(&l);
	ae_store_free(s);
	if (rc == AE_OK)
		*out = all;
	else
		json_decref(all);
	return rc;
}
