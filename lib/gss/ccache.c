/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * A session's tickets for processes that cannot reach where the session
 * keeps them: a kernel keyring, a directory, KCM.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gss/cred_int.h"
#include "gss/status.h"

/* The ticket-granting ticket of the cache's own realm; 0 as krb5 does. */
static krb5_error_code
get_tgt(krb5_context k, krb5_ccache cc, krb5_creds *out)
{
	krb5_creds want = { 0 };
	krb5_error_code code;

	code = krb5_cc_get_principal(k, cc, &want.client);
	if (code == 0)
		code = krb5_build_principal_ext(k, &want.server,
		    want.client->realm.length, want.client->realm.data,
		    KRB5_TGS_NAME_SIZE, KRB5_TGS_NAME,
		    want.client->realm.length, want.client->realm.data, 0);
	if (code == 0)
		code = krb5_cc_retrieve_cred(k, cc, 0, &want, out);
	krb5_free_cred_contents(k, &want);
	return code;
}

/* Both hold the very same ticket, so the copy is one of this session. */
static bool
same_tgt(krb5_context k, krb5_ccache a, krb5_ccache b)
{
	krb5_creds x = { 0 }, y = { 0 };
	bool same;

	same = get_tgt(k, a, &x) == 0 && get_tgt(k, b, &y) == 0 &&
	    x.ticket.length == y.ticket.length &&
	    memcmp(x.ticket.data, y.ticket.data, x.ticket.length) == 0;
	krb5_free_cred_contents(k, &x);
	krb5_free_cred_contents(k, &y);
	return same;
}

static krb5_error_code
copy(krb5_context k, krb5_ccache from, const char *to)
{
	krb5_principal owner = NULL;
	krb5_ccache cc = NULL;
	krb5_error_code code;

	code = krb5_cc_resolve(k, to, &cc);
	if (code == 0)
		code = krb5_cc_get_principal(k, from, &owner);
	if (code == 0)
		code = krb5_cc_initialize(k, cc, owner);
	if (code == 0)
		code = krb5_cc_copy_creds(k, from, cc);
	if (cc != NULL)
		(void)krb5_cc_close(k, cc);
	krb5_free_principal(k, owner);
	return code;
}

/* Beside and renamed over: a reader sees the old one or the new one. */
static int
replace(krb5_context k, krb5_ccache from, const char *path, struct ae_err *e)
{
	krb5_error_code code;
	char *tmp = NULL;
	int rc = AE_OK;

	if (asprintf(&tmp, "FILE:%s.new", path) < 0)
		return ae_fail_mem(e);
	code = copy(k, from, tmp);
	if (code != 0)
		rc = ae_gss_fail_krb5(
		    e, AE_EIO, k, code, "copying the tickets to %s", path);
	else if (rename(tmp + 5, path) != 0)
		rc = ae_fail_errno(e, errno, "renaming %s", tmp + 5);
	if (rc != AE_OK)
		(void)unlink(tmp + 5);
	free(tmp);
	return rc;
}

int
ae_gss_ccache_copy(const char *path, const char *ccache, struct ae_err *e)
{
	krb5_ccache from = NULL, to = NULL;
	krb5_context k = NULL;
	krb5_error_code code;
	char *name = NULL;
	int rc = AE_OK;

	if (asprintf(&name, "FILE:%s", path) < 0)
		return ae_fail_mem(e);
	code = krb5_init_context(&k);
	if (code == 0)
		code = ccache == NULL ? krb5_cc_default(k, &from)
				      : krb5_cc_resolve(k, ccache, &from);
	if (code == 0)
		code = krb5_cc_resolve(k, name, &to);
	if (code != 0)
		rc = ae_gss_fail_krb5(
		    e, AE_EIO, k, code, "opening the credential cache");
	else if (!same_tgt(k, from, to))
		rc = replace(k, from, path, e);
	if (from != NULL)
		(void)krb5_cc_close(k, from);
	if (to != NULL)
		(void)krb5_cc_close(k, to);
	if (k != NULL)
		krb5_free_context(k);
	free(name);
	return rc;
}
