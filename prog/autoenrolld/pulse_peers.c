/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The processes of a run, and the ticket they work with; see pulse_run.h.
 */
#include "pulse_run.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "eventlog.h"
#include "gss/cred.h"
#include "sys/files.h"

static void
role_told_event(void *arg, unsigned source, unsigned id,
    const char *const *params, size_t nparams)
{
	struct run *r = arg;

	if (!r->o->dry_run)
		eventlog_write(
		    r->c, (enum ae_event_source)source, id, params, nparams);
}

/*
 * A user's session has the ticket already, perhaps where the roles cannot
 * reach: they get a copy.
 */
static int
users_ticket(struct run *r, struct ae_err *e)
{
	struct ae_gss_cred *cred = NULL;
	int rc;

	rc = ae_gss_cred_ccache(&cred, NULL, e);
	if (rc != AE_OK)
		return ae_note(e, rc,
		    "your Kerberos ticket (kinit, or log in again, gets one)");
	(void)snprintf(r->principal, sizeof(r->principal), "%s",
	    ae_gss_cred_principal(cred));
	ae_gss_cred_free(cred);
	return ae_gss_ccache_copy(r->c->ccache, NULL, e);
}

/*
 * Whose ticket it is, before any work: the first event comes before any DC
 * is asked.  Until one was, a domain's short name is taken to be the first
 * part of the realm, as it nearly always is.  No ticket is no failure here.
 */
int
pulse_guess_context(struct run *r, struct ae_err *e)
{
	struct ae_gss_cred *cred = NULL;
	char account[256], domain[64];
	size_t i;

	if (!r->c->user || ae_gss_cred_ccache(&cred, NULL, NULL) != AE_OK)
		return AE_OK;
	(void)snprintf(r->principal, sizeof(r->principal), "%s",
	    ae_gss_cred_principal(cred));
	ae_gss_cred_free(cred);
	if (sscanf(r->principal, "%255[^@]@%63[^.]", account, domain) != 2)
		return AE_OK;
	for (i = 0; domain[i] != '\0'; i++)
		domain[i] = (char)toupper((unsigned char)domain[i]);
	return client_set_context(r->c, domain, account, e);
}

static int
machines_ticket(struct run *r, const char *name, struct ae_err *e)
{
	struct ae_gss_cred *cred = NULL;
	int rc;

	rc = ae_gss_cred_keytab(&cred, r->c->keytab, r->principal, name, e);
	if (rc != AE_OK)
		return ae_note(e, rc, "getting a ticket for %s", r->principal);
	(void)snprintf(r->principal, sizeof(r->principal), "%s",
	    ae_gss_cred_principal(cred)); /* with its realm */
	ae_gss_cred_free(cred);
	return AE_OK;
}

/* A ticket for the roles, readable by the user they run as. */
int
pulse_get_ticket(struct run *r, struct ae_err *e)
{
	char name[PATH_MAX + 8];
	struct passwd *pw;
	int rc;

	(void)snprintf(name, sizeof(name), "FILE:%s", r->c->ccache);
	client_progress(r->c, "ticket");
	rc = r->c->user ? users_ticket(r, e) : machines_ticket(r, name, e);
	if (rc != AE_OK)
		return rc;
	pw = geteuid() == 0 ? getpwnam(r->c->role_user) : NULL;
	if (pw != NULL && chown(r->c->ccache, pw->pw_uid, pw->pw_gid) != 0)
		return ae_fail_errno(e, errno, "chown %s", r->c->ccache);
	if (setenv("KRB5CCNAME", name, 1) != 0)
		return ae_fail_mem(e);
	return AE_OK;
}

/*
 * Started before the ticket is there, which takes as long: it goes on with
 * the first question.
 */
int
pulse_start_policy(struct run *r, struct ae_err *e)
{
	static const char *const keep[] = { "KRB5_CONFIG", "LDAPCONF", NULL };
	char ccache[PATH_MAX + 32];
	/* libldap's GnuTLS starts when TLS is used, which it is not. */
	const char *const env[] = { ccache, "GNUTLS_NO_IMPLICIT_INIT=1", NULL };
	struct peer_conf conf = { .c = r->c,
		.role = "policy",
		.keep_env = keep,
		.env = env,
		.event = role_told_event,
		.arg = r };

	(void)snprintf(
	    ccache, sizeof(ccache), "KRB5CCNAME=FILE:%s", r->c->ccache);
	return peer_start(&r->policy, &conf, e);
}

int
pulse_start_key(struct run *r, struct ae_err *e)
{
	struct peer_conf conf = {
		.c = r->c, .role = "key", .event = role_told_event, .arg = r
	};

	return peer_start(&r->key, &conf, e);
}

int
pulse_start_net(struct run *r, struct ae_err *e)
{
	static const char *const keep[] = { "KRB5CCNAME", "KRB5_CONFIG", NULL };
	struct peer_conf conf = { .c = r->c,
		.role = "net",
		.keep_env = keep,
		.event = role_told_event,
		.arg = r };

	return r->net != NULL ? AE_OK : peer_start(&r->net, &conf, e);
}
