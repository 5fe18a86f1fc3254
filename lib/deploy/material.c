/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Reading a version and telling its facts; see material.h.
 */
#include "deploy/material.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/time.h"
#include "pki/name.h"
#include "store/store.h"
#include "sys/files.h"

#define TSS2 "-----BEGIN TSS2 PRIVATE KEY-----"

static int
read_part(uint8_t **out, size_t *len, const struct ae_material *m,
    const char *name, struct ae_err *e)
{
	char path[4096];

	(void)snprintf(path, sizeof(path), "%s/%s", m->dir, name);
	return ae_file_read(out, len, path, AE_STORE_FILE_MAX, e);
}

/* Without key.pem there may be key.uri; without both, no key. */
static int
find_key(struct ae_material *m, struct ae_err *e)
{
	uint8_t *uri = NULL;
	size_t len;
	int rc;

	rc = read_part(&uri, &len, m, "key.uri", e);
	if (rc == AE_OK) {
		uri[strcspn((char *)uri, "\r\n")] = '\0';
		m->key_uri = (char *)uri;
		m->place = AE_KEY_TOKEN;
		return AE_OK;
	}
	if (rc != AE_ENOTFOUND)
		return rc;
	if (asprintf(&m->key_uri, "%s/key.pem", m->dir) < 0) {
		m->key_uri = NULL;
		return ae_fail_mem(e);
	}
	rc = read_part(&m->key_pem, &m->key_len, m, "key.pem", e);
	if (rc == AE_ENOTFOUND)
		return AE_OK;
	if (rc != AE_OK)
		return rc;
	m->place =
	    strstr((char *)m->key_pem, TSS2) != NULL ? AE_KEY_TPM : AE_KEY_FILE;
	return AE_OK;
}

static int
read_certs(struct ae_material *m, struct ae_err *e)
{
	struct ae_cert **one = NULL;
	uint8_t sha1[20];
	size_t n = 0;
	int rc;

	rc = ae_certs_read(&one, &n, 1, m->cert_pem, m->cert_len, e);
	if (rc != AE_OK)
		return rc;
	m->cert = one[0];
	free(one);
	rc = ae_certs_read(&m->chain, &m->nchain, AE_MATERIAL_CHAIN_MAX,
	    m->chain_pem, m->chain_len, e);
	if (rc != AE_OK && rc != AE_ENOTFOUND)
		return rc;
	ae_cert_sha1(sha1, m->cert);
	ae_hex_encode(m->thumbprint, sha1, sizeof(sha1));
	ae_hex_encode(m->serial, m->cert->serial.p,
	    m->cert->serial.len > 64 ? 64 : m->cert->serial.len);
	rc = ae_name_print(&m->subject, m->cert->subject, e);
	if (rc == AE_OK)
		rc = ae_name_print(&m->issuer, m->cert->issuer, e);
	return rc;
}

int
ae_material_load(struct ae_material *m, const char *state_dir, const char *tmpl,
    unsigned number, struct ae_err *e)
{
	int rc;

	memset(m, 0, sizeof(*m));
	(void)snprintf(m->tmpl, sizeof(m->tmpl), "%s", tmpl);
	m->number = number;
	if (asprintf(&m->dir, "%s/my/%s/%u", state_dir, tmpl, number) < 0) {
		m->dir = NULL;
		return ae_fail_mem(e);
	}
	rc = read_part(&m->cert_pem, &m->cert_len, m, "cert.pem", e);
	if (rc == AE_OK)
		rc = read_part(&m->chain_pem, &m->chain_len, m, "chain.pem", e);
	if (rc == AE_OK)
		rc = read_certs(m, e);
	if (rc == AE_OK)
		rc = find_key(m, e);
	if (rc != AE_OK) {
		rc = ae_note(e, rc, "%s", m->dir);
		ae_material_done(m);
		return rc;
	}
	if (e != NULL)
		*e = (struct ae_err)AE_ERR_INIT; /* parts that may be absent */
	return AE_OK;
}

void
ae_material_done(struct ae_material *m)
{
	if (m->key_pem != NULL)
		explicit_bzero(m->key_pem, m->key_len);
	free(m->key_pem);
	free(m->cert_pem);
	free(m->chain_pem);
	ae_cert_free(m->cert);
	ae_certs_free(m->chain, m->nchain);
	free(m->key_uri);
	free(m->subject);
	free(m->issuer);
	free(m->dir);
	memset(m, 0, sizeof(*m));
}

int
ae_material_key_copies(const struct ae_material *m, struct ae_err *e)
{
	switch (m->place) {
	case AE_KEY_FILE:
		return AE_OK;
	case AE_KEY_TPM:
		return ae_fail(e, AE_EDENIED, AE_DOM_NONE, 0,
		    "the key is bound to this machine's TPM and is not "
		    "copied; give the service file:%s and OpenSSL's tpm2 "
		    "provider",
		    m->key_uri);
	case AE_KEY_TOKEN:
		return ae_fail(e, AE_EDENIED, AE_DOM_NONE, 0,
		    "the key never leaves its token; give the service its "
		    "URI, %s",
		    m->key_uri);
	case AE_KEY_NOWHERE:
		break;
	}
	return ae_fail(e, AE_ENOTFOUND, AE_DOM_NONE, 0,
	    "there is no key beside the certificate in %s", m->dir);
}

const char *
ae_material_dns(const struct ae_material *m)
{
	const struct ae_san *s = ae_exts_san(&m->cert->x, AE_SAN_DNS);

	return s == NULL ? NULL : s->text;
}

const char *
ae_material_upn(const struct ae_material *m)
{
	const struct ae_san *s = ae_exts_san(&m->cert->x, AE_SAN_UPN);

	return s == NULL ? NULL : s->text;
}

bool
ae_env_add(struct ae_strv *env, const char *name, const char *value)
{
	size_t len = value == NULL ? 0 : strcspn(value, "\r\n");
	char *s;
	bool ok;

	if (asprintf(&s, "%s=%.*s", name, (int)len, len > 0 ? value : "") < 0)
		return false;
	ok = ae_strv_add(env, s);
	free(s);
	return ok;
}

bool
ae_material_env(struct ae_strv *env, const struct ae_material *m)
{
	static const char *const files[][2] = { { "AE_CERT", "cert.pem" },
		{ "AE_CHAIN", "chain.pem" },
		{ "AE_FULLCHAIN", "fullchain.pem" } };
	char when[AE_TIME_STR_MAX], path[4096], number[16];
	bool ok = true;
	size_t i;

	(void)snprintf(number, sizeof(number), "%u", m->number);
	ok = ae_env_add(env, "AE_TEMPLATE", m->tmpl) &&
	    ae_env_add(env, "AE_SUBJECT", m->subject) &&
	    ae_env_add(env, "AE_ISSUER", m->issuer) &&
	    ae_env_add(env, "AE_SERIAL", m->serial) &&
	    ae_env_add(env, "AE_THUMBPRINT", m->thumbprint) &&
	    ae_env_add(env, "AE_NOT_BEFORE",
		ae_time_print(when, m->cert->not_before)) &&
	    ae_env_add(
		env, "AE_NOT_AFTER", ae_time_print(when, m->cert->not_after)) &&
	    ae_env_add(env, "AE_DNS", ae_material_dns(m)) &&
	    ae_env_add(env, "AE_UPN", ae_material_upn(m)) &&
	    ae_env_add(env, "AE_VERSION", number) &&
	    ae_env_add(env, "AE_KEY", m->key_uri);
	for (i = 0; ok && i < sizeof(files) / sizeof(files[0]); i++) {
		(void)snprintf(
		    path, sizeof(path), "%s/%s", m->dir, files[i][1]);
		ok = ae_env_add(env, files[i][0], path);
	}
	return ok;
}
