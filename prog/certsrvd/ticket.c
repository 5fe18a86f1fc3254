/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * A short-lived process that turns the host's keytab into a ticket for ad:
 * the one that talks LDAP all day then needs no keytab.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "gss/cred.h"
#include "keytab.h"
#include "role.h"
#include "sys/files.h"
#include "sys/sandbox.h"

struct ticket {
	char *keytab, *dir;
	char account[128];
	struct ae_source *work;
};

static int
make(struct proc *p, struct ticket *t, struct ae_err *e)
{
	struct ae_gss_cred *cred = NULL;
	struct ae_secret bytes = { NULL, 0 };
	char *path = NULL, *name = NULL;
	int rc;

	if (asprintf(&path, "%s/ticket.cc", t->dir) < 0 ||
	    asprintf(&name, "FILE:%s", path) < 0)
		return ae_fail_mem(e);
	rc = ae_gss_cred_keytab(&cred, t->keytab, t->account, name, e);
	if (rc == AE_OK)
		rc = ae_file_read(&bytes.p, &bytes.len, path, MSG_CACHE_MAX, e);
	if (rc == AE_OK)
		rc = ae_ipc_send_secret(
		    p->control, MSG_CACHE, 0, bytes.p, bytes.len, e);
	ae_gss_cred_free(cred);
	ae_secret_done(&bytes);
	free(path);
	free(name);
	return rc;
}

/* After READY; the answer is small, so it is written when send returns. */
static void
work(void *arg)
{
	struct proc *p = arg;
	struct ae_err e = AE_ERR_INIT;
	int rc = make(p, p->state, &e);

	if (rc < 0)
		log_line(p, AE_LOG_ERROR, "ticket for %s: %s",
		    ((struct ticket *)p->state)->account, e.text);
	proc_exit(p, rc < 0 ? 1 : 0);
}

/* "ca1.example.com" is the account CA1$. */
static void
account_name(struct ticket *t, const struct conf *c)
{
	size_t i;

	if (c->account != NULL) {
		(void)snprintf(
		    t->account, sizeof(t->account), "%s", c->account);
		return;
	}
	for (i = 0; i < 15 && c->dns_name[i] != '.' && c->dns_name[i] != '\0';
	     i++)
		t->account[i] = (char)toupper((unsigned char)c->dns_name[i]);
	t->account[i] = '$';
}

static int
ticket_open(struct proc *p, struct ae_err *e)
{
	struct ticket *t = calloc(1, sizeof(*t));
	int rc;

	if (t == NULL)
		return ae_fail_mem(e);
	p->state = t;
	account_name(t, &p->conf);
	t->dir = conf_path(&p->conf, RUN_DIR "/auth");
	if (t->dir == NULL)
		return ae_fail_mem(e);
	rc = keytab_copy(p, "ticket.keytab", &t->keytab, e);
	if (rc < 0)
		return rc;
	if (!proc_allow_write(p, t->dir) || !proc_allow_read(p, "/etc") ||
	    !proc_allow_read(p, "/usr") || !proc_allow_read(p, "/lib") ||
	    !proc_allow_read(p, p->conf.krb5_conf))
		return ae_fail_mem(e);
	return AE_OK;
}

static int
ticket_start(struct proc *p, struct ae_err *e)
{
	struct ticket *t = p->state;

	return ae_loop_defer(&t->work, p->loop, work, p, e);
}

const struct role_def role_ticket = {
	.role = ROLE_TICKET,
	.user = "_certsrv-auth",
	.may = AE_MAY_CONNECT | AE_MAY_RESOLVE | AE_MAY_READ_FILES |
	    AE_MAY_WRITE_FILES,
	.max_memory = 512ULL * 1024 * 1024,
	.oom = 300,
	.open = ticket_open,
	.start = ticket_start,
};
