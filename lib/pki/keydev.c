/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The devices together, and telling stored keys apart; see keydev.h.
 */
#include "pki/keydev.h"

#include <stdlib.h>
#include <string.h>

#include "pki/key_int.h"
#include "pki/nte.h"
#include "pki/tss2.h"

struct ae_keydev {
	struct ae_keydev_conf conf;
	struct ae_tpm *tpm; /* NULL until wanted */
	struct ae_p11 *p11;
};

int
ae_keydev_new(
    struct ae_keydev **out, const struct ae_keydev_conf *conf, struct ae_err *e)
{
	struct ae_keydev *d = calloc(1, sizeof(*d));

	if (d == NULL)
		return ae_fail_mem(e);
	d->conf = *conf;
	*out = d;
	return AE_OK;
}

void
ae_keydev_free(struct ae_keydev *d)
{
	if (d == NULL)
		return;
	ae_tpm_free(d->tpm);
	ae_p11_free(d->p11);
	free(d);
}

static int
get_tpm(struct ae_tpm **out, void *arg, struct ae_err *e)
{
	struct ae_keydev *d = arg;
	int rc = AE_OK;

	if (d->conf.tcti == NULL)
		return ae_fail(e, AE_EUNAVAIL, AE_DOM_HRESULT,
		    NTE_DEVICE_NOT_FOUND, "there is no TPM");
	if (d->tpm == NULL)
		rc = ae_tpm_new(&d->tpm, d->conf.tcti, d->conf.tpm_parent, e);
	*out = d->tpm;
	return rc;
}

static int
get_p11(struct ae_p11 **out, struct ae_keydev *d, struct ae_err *e)
{
	int rc = d->p11 != NULL ? AE_OK : ae_p11_new(&d->p11, &d->conf, e);

	*out = d->p11;
	return rc;
}

int
ae_keydev_ready(struct ae_keydev *d, enum ae_key_home home, struct ae_err *e)
{
	struct ae_tpm *tpm;
	struct ae_p11 *p;
	int rc;

	switch (home) {
	case AE_KEY_IN_TPM:
		return get_tpm(&tpm, d, e);
	case AE_KEY_IN_TOKEN:
		rc = get_p11(&p, d, e);
		return rc == AE_OK ? ae_p11_ready(p, e) : rc;
	case AE_KEY_IN_SOFTWARE:
		break;
	}
	return AE_OK;
}

const char *
ae_keydev_name(const struct ae_keydev *d, enum ae_key_home home)
{
	switch (home) {
	case AE_KEY_IN_TPM:
		return d->conf.tcti != NULL ? d->conf.tcti : "no TPM";
	case AE_KEY_IN_TOKEN:
		if (d->p11 != NULL && ae_p11_name(d->p11)[0] != '\0')
			return ae_p11_name(d->p11);
		return d->conf.token != NULL ? d->conf.token : "no token";
	case AE_KEY_IN_SOFTWARE:
		break;
	}
	return "OpenSSL";
}

bool
ae_keydev_pin_refused(const struct ae_keydev *d)
{
	return d->p11 != NULL && ae_p11_pin_refused(d->p11);
}

int
ae_keydev_generate(struct ae_key **out, struct ae_keydev *d,
    enum ae_key_home home, enum ae_key_type type, unsigned bits,
    const char *label, struct ae_err *e)
{
	struct ae_tpm *tpm = NULL;
	struct ae_p11 *p;
	int rc;

	if (type == AE_KEY_RSA ? bits < 2048 || bits > 8192 || bits % 1024 != 0
			       : ae_key_curve(bits) == NULL)
		return ae_fail(e, AE_EINVAL, AE_DOM_HRESULT, NTE_BAD_FLAGS,
		    "no keys of %u bits of this kind are made", bits);
	switch (home) {
	case AE_KEY_IN_TPM:
		rc = get_tpm(&tpm, d, e);
		return rc == AE_OK ? ae_tpm_generate(out, tpm, type, bits, e)
				   : rc;
	case AE_KEY_IN_TOKEN:
		rc = get_p11(&p, d, e);
		return rc == AE_OK
		    ? ae_p11_generate(out, p, type, bits, label, e)
		    : rc;
	case AE_KEY_IN_SOFTWARE:
		break;
	}
	return ae_key_generate(out, type, bits, e);
}

/* A stored URI: one line of text. */
static bool
is_uri(const char *text, size_t len, char out[1024])
{
	while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r'))
		len--;
	if (len < 7 || len >= 1024 || strncmp(text, "pkcs11:", 7) != 0 ||
	    memchr(text, '\0', len) != NULL || memchr(text, '\n', len) != NULL)
		return false;
	memcpy(out, text, len);
	out[len] = '\0';
	return true;
}

static bool
is_tss2(const void *text, size_t len)
{
	static const char begin[] = "-----BEGIN " AE_TSS2_PEM "-----";

	return memmem(text, len, begin, sizeof(begin) - 1) != NULL;
}

int
ae_keydev_open(struct ae_key **out, struct ae_keydev *d, const void *text,
    size_t len, struct ae_err *e)
{
	struct ae_p11 *p;
	char uri[1024];
	int rc;

	if (is_uri(text, len, uri)) {
		rc = get_p11(&p, d, e);
		return rc == AE_OK ? ae_p11_open(out, p, uri, e) : rc;
	}
	if (is_tss2(text, len))
		return ae_tpm_open(out, get_tpm, d, text, len, e);
	return ae_key_from_pem(out, text, len, d->conf.pass, e);
}

int
ae_keydev_attach(struct ae_key **out, struct ae_keydev *d, const void *text,
    size_t len, const struct ae_key *public, struct ae_err *e)
{
	struct ae_key *k = NULL;
	struct ae_p11 *p;
	char uri[1024];
	int rc;

	if (is_uri(text, len, uri)) {
		rc = get_p11(&p, d, e);
		return rc == AE_OK ? ae_p11_attach(out, p, uri, public, e) : rc;
	}
	rc = ae_keydev_open(&k, d, text, len, e);
	if (rc == AE_OK && !ae_key_same_public(k, public)) {
		ae_key_free(k);
		return ae_fail(
		    e, AE_ETRUST, AE_DOM_NONE, 0, "it is another key");
	}
	if (rc == AE_OK)
		*out = k;
	return rc;
}

int
ae_keydev_find_uri(
    struct ae_key **out, struct ae_keydev *d, const char *uri, struct ae_err *e)
{
	struct ae_p11 *p;
	int rc = get_p11(&p, d, e);

	return rc == AE_OK ? ae_p11_find_uri(out, p, uri, e) : rc;
}

int
ae_keydev_token_uri(char out[AE_KEYDEV_URI_MAX], const char *uri, bool *object,
    struct ae_err *e)
{
	return ae_p11_token_uri(out, uri, object, e);
}

int
ae_keydev_find(const struct ae_key *k, struct ae_err *e)
{
	return k->ops == NULL ? AE_OK : k->ops->find(k, e);
}

int
ae_keydev_put_cert(const struct ae_key *k, const struct ae_cert *cert,
    const char *label, struct ae_err *e)
{
	return k->ops == NULL || k->ops->put_cert == NULL
	    ? AE_OK
	    : k->ops->put_cert(k, cert, label, e);
}

int
ae_keydev_destroy(struct ae_key *k, struct ae_err *e)
{
	return k->ops == NULL || k->ops->destroy == NULL
	    ? AE_OK
	    : k->ops->destroy(k, e);
}

enum ae_key_home
ae_key_home(const struct ae_key *k)
{
	return k->ops == NULL ? AE_KEY_IN_SOFTWARE : k->ops->home;
}

int
ae_key_store(struct ae_secret *out, const struct ae_key *k, struct ae_err *e)
{
	return k->ops == NULL ? ae_key_to_pem(out, k, NULL, e)
			      : k->ops->store(out, k, e);
}

int
ae_key_stored_public(struct ae_key **out, uint8_t id[AE_KEY_ID_LEN],
    const void *text, size_t len, struct ae_err *e)
{
	char uri[1024];
	int rc;

	if (is_uri(text, len, uri)) {
		*out = NULL;
		return ae_p11_uri_id(id, uri, e);
	}
	rc = is_tss2(text, len) ? ae_tss2_public(out, text, len, e)
				: ae_key_from_pem(out, text, len, NULL, e);
	return rc == AE_OK ? ae_key_id(id, *out, e) : rc;
}
