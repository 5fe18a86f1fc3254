/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The role's side: sandbox, then question and answer; see role.h.
 */
#include "role.h"

#include <errno.h>
#include <poll.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct server {
	struct role *r;
	const struct role_question *rows;
	struct ae_ipc_row *table;
	int code;
};

static int
answer(void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	const struct role_question *q;
	struct server *s = arg;
	struct ae_err why = AE_ERR_INIT;
	struct ae_wr out;
	struct ae_rd in;
	uint32_t type;
	int rc;

	for (q = s->rows; q->type != m->type; q++)
		;
	ae_rd_init(&in, m->body, m->len);
	ae_wr_init(&out, ROLE_BODY_MAX);
	rc = q->answer(s->r, &in, &out, &why);
	type = m->type + 1;
	if (rc == AE_OK && !ae_wr_ok(&out))
		rc = ae_fail_mem(&why);
	if (rc != AE_OK) {
		type = ROLE_FAILED;
		ae_wr_reset(&out);
		msg_put_err(&out, &why);
	}
	rc = ae_ipc_send_secret(ipc, type, m->id, out.p, out.len, e);
	ae_wr_wipe(&out);
	return rc;
}

static void
closed(void *arg, struct ae_ipc *ipc, const struct ae_err *why)
{
	struct server *s = arg;

	(void)ipc;
	s->code = why->rc == AE_EUNAVAIL ? 0 : 1;
	ae_loop_exit(s->r->loop, s->code);
}

static void
carry_log(void *arg, const uint8_t *p, size_t len)
{
	struct role *r = arg;

	/* A record that cannot be carried is lost; there is nowhere to say so.
	 */
	if (r->ipc == NULL ||
	    ae_ipc_send(r->ipc, ROLE_LOG, 0, p, len, -1, NULL) != AE_OK)
		return;
}

static void
tell_missing(struct role *r, const struct ae_sandbox_report *rep, bool no_user)
{
	struct ae_log *log;

	if (rep->missing[0] == '\0' && !no_user)
		return;
	log = ae_log_new_remote(carry_log, r);
	if (log != NULL)
		ae_log_printf(log, AE_LOG_NOTICE, "sandbox without: %s%s%s",
		    rep->missing, no_user ? " user " : "",
		    no_user ? r->c->role_user : "");
	ae_log_free(log);
}

void
role_await(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	while (poll(&p, 1, -1) < 0 && errno == EINTR)
		;
}

int
role_serve(struct role *r, int fd, const struct ae_sandbox *box,
    const struct role_question *rows, struct ae_err *e)
{
	struct server s = { .r = r, .rows = rows, .code = 1 };
	struct ae_sandbox mine = *box;
	struct ae_sandbox_report rep;
	size_t n, i;
	int rc;

	/* Who is not root cannot become another, and need not.  Without the
	 * user its processes keep ours: said, not fatal, unless the
	 * configuration insists. */
	if (geteuid() != 0)
		mine.user = NULL;
	else if (mine.user != NULL && getpwnam(mine.user) == NULL &&
	    !mine.require)
		mine.user = NULL;
	for (n = 0; rows[n].answer != NULL; n++)
		;
	s.table = calloc(n + 1, sizeof(*s.table));
	if (s.table == NULL)
		return ae_fail_mem(e);
	for (i = 0; i < n; i++)
		s.table[i] = (struct ae_ipc_row){ .type = rows[i].type,
			.max = ROLE_BODY_MAX,
			.states = 1,
			.handle = answer };
	rc = ae_loop_new(&r->loop, e);
	if (rc == AE_OK)
		rc = ae_ipc_new(&r->ipc, r->loop, fd, s.table, closed, &s, e);
	if (rc == AE_OK)
		rc = ae_sandbox_enter(&mine, &rep, e);
	if (rc == AE_OK) {
		tell_missing(r, &rep,
		    geteuid() == 0 && box->user != NULL && mine.user == NULL);
		rc = ae_loop_run(r->loop, &s.code, e);
	}
	ae_ipc_free(r->ipc);
	r->ipc = NULL;
	ae_loop_free(r->loop);
	free(s.table);
	return rc == AE_OK ? s.code : 1;
}

void
role_event(struct role *r, unsigned source, unsigned id,
    const char *const *params, size_t nparams)
{
	struct ae_wr w;
	bool told;
	size_t i;

	ae_wr_init(&w, 64 * 1024);
	ae_wr_u32(&w, source);
	ae_wr_u32(&w, id);
	ae_wr_u32(&w, (uint32_t)nparams);
	for (i = 0; i < nparams; i++)
		msg_put_str(&w, params[i]);
	told = ae_wr_ok(&w) &&
	    ae_ipc_send(r->ipc, ROLE_EVENT, 0, w.p, w.len, -1, NULL) == AE_OK;
	(void)told; /* without the orchestrator nobody is left to write it */
	ae_wr_done(&w);
}
