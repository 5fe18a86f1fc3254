/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The orchestrator's side: start a role, ask it, wait; see role.h.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "enroll/event.h"
#include "role.h"
#include "sys/clock.h"
#include "sys/spawn.h"

#define PEER_FDS_MAX 4
#define PEER_ENV_MAX 16
#define PEER_ARGS_MAX 9
/* A role lives for one run: more than all templates of a forest give. */
#define PEER_TALK_MAX 2048

struct peer {
	struct peer_conf conf;
	struct ae_loop *loop;
	struct ae_ipc *ipc;
	pid_t pid;
	uint32_t next_id;

	enum role_msg asked;
	uint32_t waiting; /* id of the question, 0: none */
	uint32_t type;	  /* of the answer that came, 0: none yet */
	uint8_t *body;	  /* of the answer, wiped */
	size_t len;
	bool gone;
	unsigned told; /* events and log records */
};

static void
forget(struct peer *p)
{
	if (p->body != NULL)
		explicit_bzero(p->body, p->len);
	free(p->body);
	p->body = NULL;
	p->len = 0;
	p->type = 0;
}

static int
on_answer(void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct peer *p = arg;

	(void)ipc;
	if (p->waiting == 0 || m->id != p->waiting || p->type != 0)
		return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
		    "%s answers what was not asked", p->conf.role);
	p->body = malloc(m->len + 1);
	if (p->body == NULL)
		return ae_fail_mem(e);
	memcpy(p->body, m->body, m->len);
	p->len = m->len;
	p->type = m->type;
	return AE_OK;
}

/*
 * A role that an outsider has in hand must not fill the event file and the
 * journal, and with that push out what was told before.
 */
static bool
talks_too_much(struct peer *p)
{
	if (p->told++ < PEER_TALK_MAX)
		return false;
	if (p->told == PEER_TALK_MAX + 1 && p->conf.c->log != NULL)
		ae_log_printf(p->conf.c->log, AE_LOG_WARNING,
		    "%s told more than %d things in one run; the rest of them "
		    "is dropped",
		    p->conf.role, PEER_TALK_MAX);
	return true;
}

static int
on_log(void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct peer *p = arg;
	struct ae_log_record rec;
	uint8_t *copy = malloc(m->len + 1);
	int rc;

	(void)ipc;
	if (copy == NULL)
		return ae_fail_mem(e);
	memcpy(copy, m->body, m->len);
	rc = ae_log_decode(&rec, copy, m->len, e);
	if (rc == AE_OK && !talks_too_much(p) && p->conf.c->log != NULL) {
		rec.role = p->conf.role;
		ae_log_write(p->conf.c->log, &rec);
	}
	free(copy);
	return rc;
}

static int
on_event(void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct ae_arena *a = ae_arena_new(128 * 1024);
	const char *params[AE_EVENT_PARAMS_MAX];
	uint32_t source, id, n, i;
	struct peer *p = arg;
	struct ae_rd r;
	int rc = AE_OK;

	(void)ipc;
	if (a == NULL)
		return ae_fail_mem(e);
	ae_rd_init(&r, m->body, m->len);
	source = ae_rd_u32(&r);
	id = ae_rd_u32(&r);
	n = ae_rd_u32(&r);
	if (n > AE_EVENT_PARAMS_MAX || source > AE_EVENT_CERTENROLL)
		ae_rd_fail(&r);
	for (i = 0; i < n && ae_rd_ok(&r); i++)
		params[i] = msg_get_str(a, &r, 4096);
	if (!ae_rd_done(&r))
		rc = ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
		    "%s tells a malformed event", p->conf.role);
	else if (!talks_too_much(p) && p->conf.event != NULL)
		p->conf.event(p->conf.arg, source, id, params, n);
	ae_arena_free(a);
	return rc;
}

/* A role never leaves by itself: CertificateServicesClient 1004. */
static void
tell_gone(struct peer *p)
{
	const char *params[] = { p->conf.role, "0x8000ffff" };

	if (p->conf.event != NULL)
		p->conf.event(p->conf.arg, AE_EVENT_CSC, 1004, params, 2);
}

static void
on_closed(void *arg, struct ae_ipc *ipc, const struct ae_err *why)
{
	struct peer *p = arg;

	(void)ipc;
	p->gone = true;
	tell_gone(p);
	if (why->rc != AE_EUNAVAIL && p->conf.c->log != NULL)
		ae_log_printf(p->conf.c->log, AE_LOG_ERROR, "%s: %s",
		    p->conf.role, why->text);
}

/* clang-format off */
#define ANSWER(q) { .type = (q) + 1, .max = ROLE_BODY_MAX, .states = 1, .handle = on_answer }
static const struct ae_ipc_row rows[] = {
	ANSWER(ROLE_SETTINGS),
	ANSWER(ROLE_PLAN),
	ANSWER(ROLE_CHECK),
	ANSWER(ROLE_UNPUBLISH),
	ANSWER(ROLE_INVENTORY),
	ANSWER(ROLE_TRUST),
	ANSWER(ROLE_NEW),
	ANSWER(ROLE_INSTALL),
	ANSWER(ROLE_ARCHIVE),
	ANSWER(ROLE_OPEN),
	ANSWER(ROLE_LOAD),
	ANSWER(ROLE_MARK),
	ANSWER(ROLE_DROP),
	ANSWER(ROLE_REQUEST),
	ANSWER(ROLE_EXCHANGE),
	{ .type = ROLE_FAILED, .max = 4096, .states = 1, .handle = on_answer },
	{ .type = ROLE_LOG, .max = AE_LOG_RECORD_MAX, .states = 1, .handle = on_log },
	{ .type = ROLE_EVENT, .max = 65536, .states = 1, .handle = on_event },
	{ 0 },
};
/* clang-format on */

/* A role of a user's run finds the same paths by the same variables. */
static void
keep_env(const char *kept[PEER_ENV_MAX], const struct peer_conf *conf)
{
	static const char *const dirs[] = { "HOME", "XDG_DATA_HOME",
		"XDG_CONFIG_HOME", "XDG_RUNTIME_DIR", NULL };
	const char *const *lists[] = { conf->keep_env,
		conf->c->user ? dirs : NULL };
	size_t i, j, n = 0;

	for (i = 0; i < 2; i++)
		for (j = 0; lists[i] != NULL && lists[i][j] != NULL &&
		     n + 1 < PEER_ENV_MAX;
		     j++)
			kept[n++] = lists[i][j];
	kept[n] = NULL;
}

/* The role works for the same, and has the same paths. */
static void
role_args(const char *argv[PEER_ARGS_MAX], const struct peer_conf *conf)
{
	size_t n = 0;

	argv[n++] = "autoenrolld";
	argv[n++] = "--role";
	argv[n++] = conf->role;
	argv[n++] = "--root";
	argv[n++] = conf->c->root;
	if (conf->c->user)
		argv[n++] = "--as-user";
	if (conf->c->run_moved) {
		argv[n++] = "--run-dir";
		argv[n++] = conf->c->run_dir;
	}
	argv[n] = NULL;
}

int
peer_start(struct peer **out, const struct peer_conf *conf, struct ae_err *e)
{
	const char *argv[PEER_ARGS_MAX];
	const char *kept[PEER_ENV_MAX];
	int fds[1 + PEER_FDS_MAX], pair[2] = { -1, -1 }, rc;
	struct ae_spawn sp = { .argv = argv,
		.keep_env = kept,
		.env = conf->env,
		.fds = fds,
		.nfds = 1 + conf->nfds,
		.death_signal = SIGKILL };
	struct peer *p;

	if (conf->nfds > PEER_FDS_MAX)
		return ae_fail(
		    e, AE_EINTERNAL, AE_DOM_NONE, 0, "too many descriptors");
	p = calloc(1, sizeof(*p));
	if (p == NULL)
		return ae_fail_mem(e);
	p->conf = *conf;
	keep_env(kept, conf);
	role_args(argv, conf);
	rc = ae_loop_new(&p->loop, e);
	if (rc == AE_OK)
		rc = ae_ipc_pair(pair, e);
	if (rc != AE_OK)
		goto out;
	fds[0] = pair[1];
	for (size_t i = 0; i < conf->nfds; i++)
		fds[1 + i] = conf->fds[i];
	rc = ae_spawn(&p->pid, &sp, e);
	(void)close(pair[1]);
	if (rc != AE_OK) {
		(void)close(pair[0]);
		goto out;
	}
	rc = ae_ipc_new(&p->ipc, p->loop, pair[0], rows, on_closed, p, e);
out:
	if (rc != AE_OK) {
		peer_stop(p);
		return ae_note(e, rc, "starting %s", conf->role);
	}
	*out = p;
	return AE_OK;
}

void
peer_leave(struct peer *p)
{
	if (p == NULL)
		return;
	ae_ipc_free(p->ipc); /* the role sees this and leaves */
	p->ipc = NULL;
}

void
peer_stop(struct peer *p)
{
	if (p == NULL)
		return;
	peer_leave(p);
	if (p->pid > 0) {
		int64_t until = ae_clock_mono_ms() + 500;
		pid_t got;

		while ((got = waitpid(p->pid, NULL, WNOHANG)) == 0 &&
		    ae_clock_mono_ms() < until)
			(void)usleep(200);
		if (got == 0) {
			(void)kill(p->pid, SIGKILL);
			(void)waitpid(p->pid, NULL, 0);
		}
	}
	ae_loop_free(p->loop);
	forget(p);
	free(p);
}

/* What a question is about, for whoever wonders what a run is doing. */
static const char *
stage_of(enum role_msg type)
{
	static const struct {
		enum role_msg type;
		const char *name;
	} names[] = {
		{ ROLE_SETTINGS, "directory" },
		{ ROLE_PLAN, "plan" },
		{ ROLE_CHECK, "policy check" },
		{ ROLE_UNPUBLISH, "directory" },
		{ ROLE_INVENTORY, "inventory" },
		{ ROLE_TRUST, "trust" },
		{ ROLE_NEW, "key" },
		{ ROLE_INSTALL, "install" },
		{ ROLE_ARCHIVE, "archive" },
		{ ROLE_REQUEST, "request" },
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].type == type)
			return names[i].name;
	return "work";
}

int
peer_begin(struct peer *p, enum role_msg type, const struct ae_wr *question,
    struct ae_err *e)
{
	forget(p);
	if (!ae_wr_ok(question))
		return ae_fail_mem(e);
	client_progress(p->conf.c, stage_of(type));
	p->asked = type;
	p->waiting = ++p->next_id;
	return ae_ipc_send(p->ipc, (uint32_t)type, p->waiting, question->p,
	    question->len, -1, e);
}

int
peer_end(
    struct peer *p, int64_t timeout_ms, struct ae_rd *answer, struct ae_err *e)
{
	int64_t until = ae_clock_mono_ms() + timeout_ms, left;
	int rc = AE_OK;

	while (rc == AE_OK && p->type == 0 && !p->gone &&
	    (left = until - ae_clock_mono_ms()) > 0)
		rc = ae_loop_turn(p->loop, left, e);
	p->waiting = 0;
	if (rc != AE_OK)
		return rc;
	if (p->type == 0)
		return p->gone ? ae_fail(e, AE_EUNAVAIL, AE_DOM_NONE, 0,
				     "the %s process ended without an answer",
				     p->conf.role)
			       : ae_fail(e, AE_ETIMEDOUT, AE_DOM_NONE, 0,
				     "the %s process did not answer in time",
				     p->conf.role);
	ae_rd_init(answer, p->body, p->len);
	if (p->type == ROLE_FAILED) {
		msg_get_err(answer, e);
		return e == NULL ? AE_EINTERNAL : e->rc;
	}
	if (p->type != (uint32_t)p->asked + 1)
		return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
		    "the %s process answered another question", p->conf.role);
	return AE_OK;
}

int
peer_ask(struct peer *p, enum role_msg type, const struct ae_wr *question,
    int64_t timeout_ms, struct ae_rd *answer, struct ae_err *e)
{
	int rc = peer_begin(p, type, question, e);

	return rc == AE_OK ? peer_end(p, timeout_ms, answer, e) : rc;
}
