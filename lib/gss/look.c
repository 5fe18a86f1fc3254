/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Keytab entries and the default realm; see look.h.
 */
#include "gss/look.h"

#include <errno.h>
#include <krb5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gss/status.h"

static krb5_error_code
copy_entry(
    struct ae_gss_key *out, krb5_context k, const krb5_keytab_entry *entry)
{
	krb5_error_code code;
	char *name = NULL;

	memset(out, 0, sizeof(*out));
	code = krb5_unparse_name(k, entry->principal, &name);
	if (code != 0)
		return code;
	(void)snprintf(out->principal, sizeof(out->principal), "%s", name);
	krb5_free_unparsed_name(k, name);
	out->kvno = entry->vno;
	out->enctype = entry->key.enctype;
	if (krb5_enctype_to_name(entry->key.enctype, FALSE, out->etype_name,
		sizeof(out->etype_name)) != 0)
		(void)snprintf(out->etype_name, sizeof(out->etype_name),
		    "enctype %d", (int)entry->key.enctype);
	return 0;
}

static krb5_error_code
read_entries(krb5_context k, krb5_keytab kt, struct ae_gss_key *v, size_t *n)
{
	krb5_keytab_entry entry;
	krb5_kt_cursor cursor;
	krb5_error_code code, last;

	code = krb5_kt_start_seq_get(k, kt, &cursor);
	if (code != 0)
		return code;
	while (*n < AE_GSS_KEYS_MAX &&
	    (code = krb5_kt_next_entry(k, kt, &entry, &cursor)) == 0) {
		code = copy_entry(&v[*n], k, &entry);
		(void)krb5_free_keytab_entry_contents(k, &entry);
		if (code != 0)
			break;
		(*n)++;
	}
	last = krb5_kt_end_seq_get(k, kt, &cursor);
	return code == KRB5_KT_END ? last : code;
}

int
ae_gss_keytab_list(
    struct ae_gss_key **out, size_t *n, const char *path, struct ae_err *e)
{
	krb5_keytab kt = NULL;
	krb5_context k = NULL;
	krb5_error_code code;
	char *name = NULL;
	int rc = AE_OK;

	*n = 0;
	*out = NULL;
	if (access(path, R_OK) != 0)
		return ae_fail(e, errno == ENOENT ? AE_ENOTFOUND : AE_EDENIED,
		    AE_DOM_ERRNO, errno, "keytab %s: %s", path,
		    strerror(errno));
	*out = calloc(AE_GSS_KEYS_MAX, sizeof(**out));
	if (*out == NULL || asprintf(&name, "FILE:%s", path) < 0) {
		free(*out);
		*out = NULL;
		return ae_fail_mem(e);
	}
	code = krb5_init_context(&k);
	if (code == 0)
		code = krb5_kt_resolve(k, name, &kt);
	if (code == 0)
		code = read_entries(k, kt, *out, n);
	if (code != 0)
		rc = ae_gss_fail_krb5(e, AE_EPROTO, k, code, "keytab %s", path);
	else if (*n == 0)
		rc = ae_fail(e, AE_ENOTFOUND, AE_DOM_NONE, 0,
		    "keytab %s has no entry", path);
	else if (*n == AE_GSS_KEYS_MAX)
		rc = ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
		    "keytab %s has more than %u entries", path,
		    AE_GSS_KEYS_MAX - 1);
	free(name);
	if (kt != NULL)
		(void)krb5_kt_close(k, kt);
	if (k != NULL)
		krb5_free_context(k);
	if (rc != AE_OK) {
		free(*out);
		*out = NULL;
		*n = 0;
	}
	return rc;
}

bool
ae_gss_default_realm(char *out, size_t len)
{
	krb5_context k = NULL;
	char *realm = NULL;
	bool found;

	if (krb5_init_context(&k) != 0)
		return false;
	found = krb5_get_default_realm(k, &realm) == 0 && realm[0] != '\0' &&
	    (size_t)snprintf(out, len, "%s", realm) < len;
	krb5_free_default_realm(k, realm);
	krb5_free_context(k);
	return found;
}

static krb5_error_code KRB5_CALLCONV
no_password(krb5_context k, void *arg, const char *name, const char *banner,
    int n, krb5_prompt prompts[])
{
	(void)k;
	(void)arg;
	(void)name;
	(void)banner;
	(void)n;
	(void)prompts;
	return KRB5_LIBOS_CANTREADPWD;
}

int
ae_gss_account_known(const char *principal, struct ae_err *e)
{
	krb5_principal client = NULL;
	krb5_creds creds = { 0 };
	krb5_context k = NULL;
	krb5_error_code code;
	int rc = AE_OK;

	code = krb5_init_context(&k);
	if (code == 0)
		code = krb5_parse_name(k, principal, &client);
	if (code == 0)
		code = krb5_get_init_creds_password(
		    k, &creds, client, NULL, no_password, NULL, 0, NULL, NULL);
	if (code == KRB5KDC_ERR_C_PRINCIPAL_UNKNOWN)
		rc = ae_gss_fail_krb5(
		    e, AE_ENOTFOUND, k, code, "account %s", principal);
	else if (code == KRB5_KDC_UNREACH || code == KRB5_REALM_UNKNOWN ||
	    code == KRB5_REALM_CANT_RESOLVE || client == NULL)
		rc = ae_gss_fail_krb5(
		    e, AE_EUNAVAIL, k, code, "account %s", principal);
	if (k != NULL)
		krb5_free_cred_contents(k, &creds);
	if (client != NULL)
		krb5_free_principal(k, client);
	if (k != NULL)
		krb5_free_context(k);
	return rc;
}
