/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The processes of a run, and the ticket they work with; see pulse_run.h.
 */
#include "pulse_run.h"

#include <errno.h>
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

/* A ticket for the roles, readable by the user they run as. */
int
pulse_get_ticket(struct run *r, struct ae_err *e)
{
	struct ae_gss_cred *cred = NULL;
	char name[4096 + 8];
	struct passwd *pw;
	int rc;

	rc = ae_file_mkdirs(r->c->run_dir, 0755, e);
	if (rc != AE_OK)
		return rc;
	(void)snprintf(name, sizeof(name), "FILE:%s", r->c->ccache);
	rc = ae_gss_cred_keytab(&cred, r->c->keytab, r->principal, name, e);
	if (rc != AE_OK)
		return ae_note(e, rc, "getting a ticket for %s", r->principal);
	(void)snprintf(r->principal, sizeof(r->principal), "%s",
	    ae_gss_cred_principal(cred)); /* with its realm */
	ae_gss_cred_free(cred);
	pw = getpwnam(r->c->user);
	if (pw != NULL && chown(r->c->ccache, pw->pw_uid, pw->pw_gid) != 0)
		return ae_fail_errno(e, errno, "chown %s", r->c->ccache);
	if (setenv("KRB5CCNAME", name, 1) != 0)
		return ae_fail_mem(e);
	return AE_OK;
}

int
pulse_start_policy(struct run *r, struct ae_err *e)
{
	static const char *const keep[] = { "KRB5CCNAME", "KRB5_CONFIG",
		"LDAPCONF", NULL };
	struct peer_conf conf = { .c = r->c,
		.role = "policy",
		.keep_env = keep,
		.event = role_told_event,
		.arg = r };

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
