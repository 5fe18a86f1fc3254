/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Making keys and finding them again, before any CA is asked; see
 * role_key.h.
 */
#include "role_key.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "enroll/event.h"
#include "enroll/keyspec.h"
#include "sys/files.h"

/* Event 57: one that could not, whatever comes of the others. */
static void
tell_failed(
    struct role *r, const struct ae_provider_choice *c, const struct ae_err *e)
{
	const char *params[] = { r->c->context,
		c->name != NULL ? c->name : ae_provider_word(c->kind),
		e->text };

	role_event(r, AE_EVENT_CERTENROLL, 57, params, 3);
}

int
key_make(struct ae_key **out, struct role *r, const struct ae_template *t,
    uint32_t alg, uint32_t bits, struct ae_err *e)
{
	enum ae_key_type type = alg == AE_ALG_RSA ? AE_KEY_RSA : AE_KEY_EC;
	struct ae_provider_choice c[AE_PROVIDERS];
	struct key_role *k = r->state;
	struct ae_err why = AE_ERR_INIT;
	struct key_owner own;
	size_t n, i;
	int rc;

	if (alg > AE_ALG_P521)
		return key_malformed(e, "key algorithm");
	rc = keys_owner(&own, &k->keys, t->cn, e);
	if (rc != AE_OK)
		return rc;
	n = ae_provider_choices(c, &k->keys.providers, t);
	for (i = 0; i < n; i++) {
		if (!k->keys.providers.state[c[i].kind].present ||
		    ae_key_kind_refused(t, c[i].kind) != NULL)
			continue;
		rc = keys_generate(
		    out, &k->keys, c[i].kind, type, bits, t->cn, &why);
		if (rc == AE_OK || rc == AE_ENOMEM)
			return rc == AE_OK ? rc : ae_fail_mem(e);
		tell_failed(r, &c[i], &why);
		if (e->rc == AE_OK)
			*e = why;
	}
	if (e->rc != AE_OK)
		return ae_note(e, e->rc, "making the key for %s", t->cn);
	return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
	    "no provider of the template %s is here", t->cn);
}

int
key_file(struct ae_secret *out, const char **name, const struct ae_key *k,
    struct ae_err *e)
{
	*name = ae_key_home(k) == AE_KEY_IN_TOKEN ? AE_STORE_KEY_URI
						  : AE_STORE_KEY_PEM;
	return ae_key_store(out, k, e);
}

static int
key_dir(char out[4096], const struct role *r, const char *area,
    const char *tmpl, unsigned number, struct ae_err *e)
{
	if (snprintf(out, 4096, "%s/%s/%s/%u", r->c->state_dir, area, tmpl,
		number) >= 4096)
		return ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
		    "the path of a key is too long");
	return AE_OK;
}

int
key_open(struct ae_key **out, const struct role *r, const char *area,
    const char *tmpl, unsigned number, struct ae_err *e)
{
	struct key_role *k = r->state;
	char dir[4096];
	int rc = key_dir(dir, r, area, tmpl, number, e);

	return rc == AE_OK ? keys_open(out, &k->keys, dir, e) : rc;
}

/* What the key file says in the clear fits the certificate. */
static bool
stored_fits(const char *dir, const char *name, const struct ae_cert *cert)
{
	uint8_t id[AE_KEY_ID_LEN], want[AE_KEY_ID_LEN], *text = NULL;
	struct ae_key *pub = NULL;
	char path[4096 + 16];
	bool fits = false;
	size_t len = 0;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (ae_file_read(&text, &len, path, AE_PKI_KEY_FILE_MAX, NULL) ==
		AE_OK &&
	    ae_key_stored_public(&pub, id, text, len, NULL) == AE_OK &&
	    ae_spki_id(want, cert->spki.p, cert->spki.len, NULL) == AE_OK)
		fits = memcmp(id, want, sizeof(id)) == 0;
	if (text != NULL)
		explicit_bzero(text, len);
	free(text);
	ae_key_free(pub);
	return fits;
}

/*
 * The file decides, and for a token's key the token, if it is there: one that
 * was pulled out does not make its certificates worthless.  The TPM is not
 * woken for this.
 */
bool
key_is_there(const struct role *r, const char *tmpl, unsigned number,
    const struct ae_cert *cert)
{
	struct ae_key *key = NULL;
	char dir[4096];
	int rc;

	if (key_dir(dir, r, "my", tmpl, number, NULL) != AE_OK)
		return false;
	if (stored_fits(dir, AE_STORE_KEY_PEM, cert))
		return true;
	if (!stored_fits(dir, AE_STORE_KEY_URI, cert))
		return false;
	rc = key_open(&key, r, "my", tmpl, number, NULL);
	ae_key_free(key);
	return rc != AE_ENOTFOUND;
}

/*
 * Is the key of this request that of a certificate we have?  One that cannot
 * be read may be its: a key in a token is not destroyed on a guess.
 */
static bool
in_use(const struct key_role *k, const struct ae_key *key)
{
	struct ae_store_list l = { 0 };
	struct ae_cert **one = NULL;
	bool used = false;
	size_t i, n;

	if (ae_store_list(k->store, &l, NULL) != AE_OK)
		return true;
	for (i = 0; i < l.n && !used; i++) {
		n = 0;
		used = ae_certs_read(&one, &n, 1, l.v[i].cert_pem,
			   l.v[i].cert_len, NULL) != AE_OK ||
		    ae_cert_has_key(one[0], key);
		ae_certs_free(one, n);
		one = NULL;
	}
	ae_store_list_done(&l);
	return used;
}

/* Nobody else's: one that a person brought along stays his. */
static bool
is_ours(const struct key_role *k, const char *tmpl, unsigned number)
{
	struct ae_store_request_list l = { 0 };
	bool ours = false;
	size_t i;

	if (ae_store_request_list(k->store, &l, NULL) != AE_OK)
		return false;
	for (i = 0; i < l.n; i++)
		if (strcmp(l.v[i].tmpl, tmpl) == 0 && l.v[i].number == number)
			ours = !l.v[i].meta.imported;
	ae_store_request_list_done(&l);
	return ours;
}

void
key_forget(const struct role *r, const char *tmpl, unsigned number)
{
	struct ae_key *key = NULL;
	struct ae_err why = AE_ERR_INIT;
	char path[4096 + 16], dir[4096];

	if (key_dir(dir, r, "request", tmpl, number, NULL) != AE_OK)
		return;
	(void)snprintf(path, sizeof(path), "%s/" AE_STORE_KEY_URI, dir);
	if (access(path, F_OK) != 0 ||
	    key_open(&key, r, "request", tmpl, number, NULL) != AE_OK)
		return;
	/* A token that says no keeps a key that nobody misses. */
	if (is_ours(r->state, tmpl, number) && !in_use(r->state, key))
		(void)(ae_keydev_destroy(key, &why) == AE_OK);
	ae_key_free(key);
}

int
key_own(struct ae_store_draft *d, const struct key_role *k, struct ae_err *e)
{
	struct key_owner own;
	int rc = keys_owner(&own, &k->keys, k->tmpl->cn, e);

	return rc == AE_OK
	    ? ae_store_draft_own(d, own.mode, own.uid, own.gid, e)
	    : rc;
}
