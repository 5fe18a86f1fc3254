/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The children of certsrvd: who talks to whom, starting, and what happens
 * when one ends.
 */
#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "parent_int.h"
#include "sys/clock.h"
#include "sys/spawn.h"

#define BACKOFF_FIRST_MS 50    /* restart of what died ... */
#define BACKOFF_READY_MS 1000  /* ... again and again at work */
#define BACKOFF_MAX_MS 30000   /* ... or before it was ready */
#define BACKOFF_FORGET_MS 5000 /* lived this long: starts from the first */
#define TICKET_MS (4LL * 3600 * 1000)
#define TICKET_RETRY_MS 30000

/*
 * A Kerberos context or a certificate is some hundred small objects that
 * live for one call.  glibc keeps seven of each size at hand; with more the
 * long way through its lists is seldom taken.
 */
#define MALLOC_CACHE "GLIBC_TUNABLES=glibc.malloc.tcache_count=64"

/* Who talks to whom (doc/privsep.md). */
static const struct {
	enum role a, b;
} links[] = {
	{ ROLE_RPC135, ROLE_AUTH },
	{ ROLE_RPC, ROLE_AUTH },
	{ ROLE_RPC, ROLE_CA },
	{ ROLE_AUTH, ROLE_CA },
	{ ROLE_CA, ROLE_AD },
	{ ROLE_CA, ROLE_DB },
	{ ROLE_CA, ROLE_SIGN },
	{ ROLE_HTTP, ROLE_CA },
	{ ROLE_HTTP, ROLE_OCSP },
	{ ROLE_OCSP, ROLE_CA },
	{ ROLE_OCSP, ROLE_DB },
	{ ROLE_OCSP, ROLE_SIGN },
	{ ROLE_SIGN, ROLE_DB },
};

/* ---- joining ---- */

static int
tell_peer(
    struct child *to, const struct child *other, int take_fd, struct ae_err *e)
{
	struct ae_wr w;
	int rc;

	ae_wr_init(&w, 16);
	ae_wr_u8(&w, (uint8_t)other->role);
	ae_wr_u8(&w, other->index);
	ae_wr_u32(&w, other->generation);
	if (!ae_wr_ok(&w)) {
		(void)close(take_fd);
		rc = ae_fail_mem(e);
	} else {
		rc = ae_ipc_send(
		    to->control, MSG_PEER, 0, w.p, w.len, take_fd, e);
	}
	ae_wr_done(&w);
	return rc;
}

static int
join(struct child *a, struct child *b, struct ae_err *e)
{
	int fd[2], rc = ae_ipc_pair(fd, e);

	if (rc < 0)
		return rc;
	rc = tell_peer(a, b, fd[0], e);
	if (rc < 0) {
		(void)close(fd[1]);
		return rc;
	}
	rc = tell_peer(b, a, fd[1], e);
	/* It died a moment ago: its successor will be introduced to a. */
	return rc == AE_EUNAVAIL ? AE_OK : rc;
}

bool
children_linked(enum role a, enum role b)
{
	size_t i;

	for (i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		if ((links[i].a == a && links[i].b == b) ||
		    (links[i].a == b && links[i].b == a))
			return true;
	return false;
}

/* A new process meets all of its peers that are there. */
static int
child_introduce(struct child *c, struct ae_err *e)
{
	struct parent *p = c->p;
	size_t i;
	int rc;

	for (i = 0; i < p->n; i++) {
		struct child *o = &p->child[i];

		if (o == c || o->control == NULL ||
		    !children_linked(c->role, o->role))
			continue;
		rc = join(c, o, e);
		if (rc < 0)
			return rc;
	}
	return AE_OK;
}

/* ---- life and death ---- */

static void
on_control_closed(void *arg, struct ae_ipc *ipc, const struct ae_err *why)
{
	struct child *c = arg;

	if (why->rc != AE_EUNAVAIL && why->rc != AE_EIO)
		ae_log_printf(c->p->log, AE_LOG_ERROR,
		    "%s broke the contract with its parent: %s",
		    role_name(c->role), why->text);
	/* One that has closed its end but lives could neither log nor be
	   stopped nor meet new peers; one that is ending does not mind. */
	if (c->pid > 0)
		(void)kill(c->pid, SIGKILL);
	ae_ipc_free(ipc);
	c->control = NULL;
}

void
child_restart(void *arg)
{
	struct child *c = arg;
	struct ae_err e = AE_ERR_INIT;

	if (c->p->stopping || c->pid != 0)
		return;
	if (child_start(c, &e) == AE_OK)
		return;
	ae_log_printf(c->p->log, AE_LOG_ERROR, "starting %s: %s",
	    role_name(c->role), e.text);
	c->backoff = BACKOFF_MAX_MS;
	ae_source_set_timer(c->timer, ae_loop_now(c->p->loop) + c->backoff);
}

static void
describe(char out[64], int status)
{
	if (WIFSIGNALED(status))
		(void)snprintf(out, 64, "killed by signal %d%s",
		    WTERMSIG(status),
		    WTERMSIG(status) == SIGSYS ? " (forbidden system call)"
					       : "");
	else
		(void)snprintf(out, 64, "exited with %d", WEXITSTATUS(status));
}

bool
children_left(const struct parent *p)
{
	size_t i;

	for (i = 0; i < p->n; i++)
		if (p->child[i].pid != 0)
			return true;
	return false;
}

/* The ticket process comes and goes by the clock, not by restarts. */
static void
ticket_ended(struct child *c, int status)
{
	bool ok = WIFEXITED(status) && WEXITSTATUS(status) == 0;

	ae_source_set_timer(c->p->ticket_timer,
	    ae_loop_now(c->p->loop) + (ok ? TICKET_MS : TICKET_RETRY_MS));
}

static void
on_child(void *arg, pid_t pid, int status)
{
	struct child *c = arg;
	struct parent *p = c->p;
	int64_t now = ae_loop_now(p->loop), most;
	char how[64];

	(void)pid;
	c->pid = 0;
	child_crl_drop(c);
	ae_source_free(c->watch);
	c->watch = NULL;
	if (p->stopping) {
		if (!children_left(p))
			ae_loop_exit(p->loop, p->failed ? 1 : 0);
		return;
	}
	/* Its last words are still in the channel: that ends by itself. */
	if (c->role == ROLE_TICKET) {
		ticket_ended(c, status);
		return;
	}
	describe(how, status);
	ae_log_printf(p->log, AE_LOG_ERROR, "%s %s", role_name(c->role), how);
	if (!p->announced && !c->was_ready) {
		/* It cannot even start: that is for the admin to repair. */
		(void)snprintf(how, sizeof(how),
		    "the CA could not start: its process %s ended",
		    role_name(c->role));
		if (!p->failed)
			parent_event(p, AE_LOG_ERROR, "100", how);
		p->failed = true;
		parent_stop(p);
		return;
	}
	most = c->ready ? BACKOFF_READY_MS : BACKOFF_MAX_MS;
	c->backoff = now - c->started > BACKOFF_FORGET_MS || c->backoff == 0
	    ? BACKOFF_FIRST_MS
	    : c->backoff * 2;
	if (c->backoff > most)
		c->backoff = most;
	ae_source_set_timer(c->timer, now + c->backoff);
}

static int
spawn_child(struct child *c, int control, struct ae_err *e)
{
	struct parent *p = c->p;
	int fds[1 + LISTEN_MAX];
	static const char *const credentials[] = { "CREDENTIALS_DIRECTORY",
		NULL };
	static const char *const environment[] = { MALLOC_CACHE, NULL };
	char index[8], count[8];
	const char *argv[20];
	struct ae_spawn s = { .argv = argv,
		.env = environment,
		.fds = fds,
		.death_signal = SIGKILL };
	size_t n = 0, i;

	/* Where systemd put PIN and password; nobody else needs to know. */
	if (c->role == ROLE_SIGN || c->role == ROLE_DB)
		s.keep_env = credentials;
	fds[s.nfds++] = control;
	for (i = 0; i < p->nlisten; i++)
		if (c->role == ROLE_RPC || c->role == ROLE_RPC135)
			fds[s.nfds++] =
			    c->role == ROLE_RPC ? p->port[i] : p->mapper[i];
	for (i = 0; i < p->nhttp && c->role == ROLE_HTTP; i++)
		fds[s.nfds++] = p->http[i];
	(void)snprintf(index, sizeof(index), "%u", c->index);
	(void)snprintf(count, sizeof(count), "%zu", s.nfds - 1);
	argv[n++] = "certsrvd";
	argv[n++] = "--role";
	argv[n++] = role_name(c->role);
	argv[n++] = "--index";
	argv[n++] = index;
	argv[n++] = "--listen";
	argv[n++] = count;
	argv[n++] = "--seed";
	argv[n++] = p->seed;
	if (p->opt.root != NULL) {
		argv[n++] = "--root";
		argv[n++] = p->opt.root;
	}
	if (p->opt.config != NULL) {
		argv[n++] = "--config";
		argv[n++] = p->opt.config;
	}
	argv[n] = NULL;
	return ae_spawn(&c->pid, &s, e);
}

int
child_start(struct child *c, struct ae_err *e)
{
	struct parent *p = c->p;
	int fd[2], rc;

	ae_ipc_free(c->control);
	c->control = NULL;
	rc = ae_ipc_pair(fd, e);
	if (rc < 0)
		return rc;
	rc = spawn_child(c, fd[1], e);
	(void)close(fd[1]);
	if (rc < 0) {
		(void)close(fd[0]);
		return rc;
	}
	c->generation++;
	c->ready = false;
	c->started = ae_clock_mono_ms();
	rc = ae_loop_child(&c->watch, p->loop, c->pid, on_child, c, e);
	if (rc < 0) {
		(void)close(fd[0]);
		return rc;
	}
	rc = ae_ipc_new(&c->control, p->loop, fd[0], child_control_rows,
	    on_control_closed, c, e);
	if (rc == AE_OK)
		rc = child_introduce(c, e);
	if (rc == AE_OK && c->role == ROLE_CA)
		policies_send(p); /* it decides nothing before */
	/* Half of its peers are of no use; its end is what starts it again. */
	if (rc < 0)
		(void)kill(c->pid, SIGKILL);
	return rc;
}

void
child_on_ticket_timer(void *arg)
{
	struct parent *p = arg;
	struct child *c = child_find(p, ROLE_TICKET, 0);
	struct ae_err e = AE_ERR_INIT;

	if (p->stopping || c == NULL || c->pid != 0)
		return;
	if (child_start(c, &e) < 0) {
		ae_log_printf(
		    p->log, AE_LOG_ERROR, "starting ticket: %s", e.text);
		ae_source_set_timer(
		    p->ticket_timer, ae_loop_now(p->loop) + TICKET_RETRY_MS);
	}
}
