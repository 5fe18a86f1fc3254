/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Tickets into a credential cache: the ticket-granting one from a keytab, as
 * kinit -k does, without a moment in which readers of the cache see half of
 * it; and a service's, as kvno does.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "gss/cred_int.h"
#include "gss/status.h"

#define SKEW 300 /* what Kerberos allows */
#define DRIFT 60
#define SEEN_MARGIN 60 /* a ticket that ends sooner is looked for again */

/*
 * Is there a ticket for our realm's KDC in the cache, valid now and beyond
 * until?  A cache that was filled while the clock was wrong says by how much,
 * and the library goes on adding that when the clock is right again.  Whether
 * it is, only the KDC can tell: such a cache is as good as none.
 */
static bool
has_tgt(krb5_context k, krb5_ccache cc, krb5_principal client, int64_t until)
{
	krb5_creds want = { 0 }, have = { 0 };
	krb5_principal owner = NULL;
	krb5_timestamp now = 0, off = 0;
	krb5_int32 usec;
	bool good = false;

	if (krb5_cc_get_principal(k, cc, &owner) != 0)
		return false;
	if (!krb5_principal_compare(k, owner, client))
		goto out;
	want.client = client;
	if (krb5_build_principal_ext(k, &want.server, client->realm.length,
		client->realm.data, KRB5_TGS_NAME_SIZE, KRB5_TGS_NAME,
		client->realm.length, client->realm.data, 0) != 0)
		goto out;
	if (krb5_cc_retrieve_cred(k, cc, 0, &want, &have) == 0) {
		/* The protocol's 32 bits count to 2106, not 2038. */
		good = (int64_t)(uint32_t)have.times.endtime > until &&
		    krb5_timeofday(k, &now) == 0 &&
		    krb5_get_time_offsets(k, &off, &usec) == 0 &&
		    off >= -DRIFT && off <= DRIFT &&
		    (int64_t)(uint32_t)have.times.authtime <=
			(int64_t)(uint32_t)now + SKEW;
		krb5_free_cred_contents(k, &have);
	}
out:
	krb5_free_principal(k, want.server);
	krb5_free_principal(k, owner);
	return good;
}

static krb5_error_code
write_cache(
    krb5_context k, const char *name, krb5_principal client, krb5_creds *creds)
{
	krb5_ccache cc = NULL;
	krb5_error_code code;

	code = krb5_cc_resolve(k, name, &cc);
	if (code != 0)
		return code;
	code = krb5_cc_initialize(k, cc, client);
	if (code == 0)
		code = krb5_cc_store_cred(k, cc, creds);
	if (code != 0)
		(void)krb5_cc_destroy(k, cc);
	else
		code = krb5_cc_close(k, cc);
	return code;
}

/* A FILE cache is written beside and renamed over the old one. */
static int
replace_cache(krb5_context k, const char *ccache, krb5_principal client,
    krb5_creds *creds, struct ae_err *e)
{
	const char *path = strncmp(ccache, "FILE:", 5) == 0 ? ccache + 5 : NULL;
	krb5_error_code code;
	char *tmp = NULL;
	int rc = AE_OK;

	if (path != NULL && asprintf(&tmp, "FILE:%s.new", path) < 0)
		return ae_fail_mem(e);
	code = write_cache(k, tmp != NULL ? tmp : ccache, client, creds);
	if (code != 0)
		rc = ae_gss_fail_krb5(
		    e, AE_EIO, k, code, "writing credential cache %s", ccache);
	else if (tmp != NULL && rename(tmp + 5, path) != 0) {
		rc = ae_fail_errno(e, errno, "renaming %s", tmp + 5);
		(void)unlink(tmp + 5);
	}
	free(tmp);
	return rc;
}

static int
ask_kdc(krb5_context k, const char *keytab, krb5_principal client,
    const char *ccache, struct ae_err *e)
{
	krb5_get_init_creds_opt *opt = NULL;
	krb5_creds creds = { 0 };
	krb5_keytab kt = NULL;
	krb5_error_code code;
	char *name = NULL;
	int rc;

	code = krb5_kt_resolve(k, keytab, &kt);
	if (code == 0)
		code = krb5_get_init_creds_opt_alloc(k, &opt);
	if (code == 0)
		code = krb5_get_init_creds_keytab(
		    k, &creds, client, kt, 0, NULL, opt);
	if (code != 0) {
		(void)krb5_unparse_name(k, client, &name);
		rc = ae_gss_fail_krb5(e,
		    code == KRB5_KT_NOTFOUND || code == ENOENT ? AE_ENOTFOUND
							       : AE_EAUTH,
		    k, code, "ticket for %s with keytab %s",
		    name != NULL ? name : "?", keytab);
		krb5_free_unparsed_name(k, name);
		goto out;
	}
	/* The KDC may have canonicalised the name: the cache is the reply's. */
	rc = replace_cache(k, ccache, creds.client, &creds, e);
out:
	krb5_free_cred_contents(k, &creds);
	if (opt != NULL)
		krb5_get_init_creds_opt_free(k, opt);
	if (kt != NULL)
		(void)krb5_kt_close(k, kt);
	return rc;
}

int
ae_gss_tgt_obtain(const char *keytab, const char *principal, const char *ccache,
    int64_t keep_until, struct ae_err *e)
{
	krb5_principal client = NULL;
	krb5_context k = NULL;
	krb5_ccache cc = NULL;
	krb5_error_code code;
	int rc;

	if (strncmp(ccache, "FILE:", 5) != 0 &&
	    strncmp(ccache, "MEMORY:", 7) != 0)
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "credential cache %s is neither FILE: nor MEMORY:", ccache);
	code = krb5_init_context(&k);
	if (code == 0)
		code = krb5_parse_name(k, principal, &client);
	if (code == 0)
		code = krb5_cc_resolve(k, ccache, &cc);
	if (code != 0)
		rc = ae_gss_fail_krb5(
		    e, AE_EINVAL, k, code, "ticket for %s", principal);
	else if (has_tgt(k, cc, client, keep_until))
		rc = AE_OK;
	else
		rc = ask_kdc(k, keytab, client, ccache, e);
	if (cc != NULL)
		(void)krb5_cc_close(k, cc);
	krb5_free_principal(k, client);
	if (k != NULL)
		krb5_free_context(k);
	return rc;
}

/*
 * Services whose tickets were seen: a connection asks twice, and the question
 * is a context, a principal and a walk through the cache each time.
 */
static struct ae_gss_seen *
seen(const struct ae_gss_cred *c, const char *name)
{
	size_t i;

	for (i = 0; i < AE_GSS_SEEN; i++)
		if (c->seen_tickets->v[i].service != NULL &&
		    strcmp(c->seen_tickets->v[i].service, name) == 0)
			return &c->seen_tickets->v[i];
	return NULL;
}

static int
remember(const struct ae_gss_cred *c, const char *name, int64_t until,
    struct ae_err *e)
{
	struct ae_gss_seen *s = seen(c, name);
	char *copy;

	if (s == NULL) {
		copy = strdup(name);
		if (copy == NULL)
			return ae_fail_mem(e);
		s = &c->seen_tickets->v[c->seen_tickets->next];
		c->seen_tickets->next =
		    (c->seen_tickets->next + 1) % AE_GSS_SEEN;
		free(s->service);
		s->service = copy;
	}
	s->until = until;
	return AE_OK;
}

void
ae_gss_seen_forget(struct ae_gss_seen_list *l)
{
	size_t i;

	for (i = 0; l != NULL && i < AE_GSS_SEEN; i++) {
		free(l->v[i].service);
		l->v[i].service = NULL;
	}
}

/*
 * The library would fetch it in the first leg too, but SPNEGO hides why that
 * failed: a KDC that does not answer looks like one that refuses.
 */
int
ae_gss_cred_ticket(
    const struct ae_gss_cred *c, const char *service, struct ae_err *e)
{
	const struct ae_gss_seen *before = seen(c, service);
	krb5_creds want = { 0 }, *have = NULL;
	krb5_context k = NULL;
	krb5_ccache cc = NULL;
	krb5_error_code code;
	char *name;
	int rc = AE_OK;

	if (before != NULL && before->until > time(NULL) + SEEN_MARGIN)
		return AE_OK;
	name = ae_gss_with_realm(c, service);
	code = krb5_init_context(&k);
	if (code == 0)
		code = krb5_cc_resolve(k, c->ccache, &cc);
	if (code == 0)
		code = krb5_cc_get_principal(k, cc, &want.client);
	if (code == 0)
		code = name == NULL ? ENOMEM
				    : krb5_parse_name(k, name, &want.server);
	if (code == 0)
		code = krb5_get_credentials(k, 0, cc, &want, &have);
	if (code != 0)
		rc = ae_gss_fail_krb5(e, AE_EAUTH, k, code, "%s: ticket for %s",
		    c->principal, service);
	else
		rc = remember(c, service, (uint32_t)have->times.endtime, e);
	free(name);
	if (have != NULL)
		krb5_free_creds(k, have);
	krb5_free_cred_contents(k, &want);
	if (cc != NULL)
		(void)krb5_cc_close(k, cc);
	if (k != NULL)
		krb5_free_context(k);
	return rc;
}
