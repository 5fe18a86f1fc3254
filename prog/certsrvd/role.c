/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The common life of a child: read the configuration, open, give up
 * everything else, say READY, serve.
 */
#include "role.h"

#include <errno.h>
#include <pwd.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hex.h"
#include "metrics.h"
#include "sys/clock.h"
#include "sys/sandbox.h"
#include "sys/spawn.h"

#define FD_CONTROL AE_SPAWN_FD_FIRST
#define FD_LISTEN (AE_SPAWN_FD_FIRST + 1)

static const struct role_def *const roles[] = { &role_rpc135, &role_rpc,
	&role_auth, &role_ca, &role_ad, &role_db, &role_sign, &role_ticket,
	&role_http, &role_ocsp };

static const struct role_def *
role_def_find(enum role r)
{
	size_t i;

	for (i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
		if (roles[i]->role == r)
			return roles[i];
	return NULL;
}

int
role_user(
    const struct conf *c, enum role r, uid_t *uid, gid_t *gid, struct ae_err *e)
{
	const struct role_def *d = role_def_find(r);
	struct passwd pw, *found = NULL;
	char buf[4096];
	int err;

	if (c->uid_base != 0) {
		/* Those that share a user by name share its number. */
		if (r == ROLE_TICKET)
			r = ROLE_AUTH;
		else if (r == ROLE_RPC135)
			r = ROLE_RPC;
		*uid = c->uid_base + (uid_t)r;
		*gid = *uid;
		return AE_OK;
	}
	err = getpwnam_r(d->user, &pw, buf, sizeof(buf), &found);
	if (found == NULL)
		return ae_fail(e, AE_ENOTFOUND, AE_DOM_ERRNO, err,
		    "there is no user %s (systemd-sysusers makes it)", d->user);
	*uid = pw.pw_uid;
	*gid = pw.pw_gid;
	return AE_OK;
}

/* ---- logging ---- */

static void
send_record(struct proc *p, enum msg type, const uint8_t *b, size_t len)
{
	struct ae_err e = AE_ERR_INIT;

	if (p->control == NULL || ae_ipc_queued(p->control) > (1u << 20) ||
	    ae_ipc_send(p->control, type, 0, b, len, -1, &e) < 0)
		return; /* the parent is away or does not keep up */
}

static void
carry(void *arg, const uint8_t *b, size_t len)
{
	send_record(arg, MSG_LOG, b, len);
}

static void
carry_event(void *arg, const uint8_t *b, size_t len)
{
	send_record(arg, MSG_EVENT, b, len);
}

void
log_line(struct proc *p, enum ae_log_level level, const char *fmt, ...)
{
	char text[AE_LOG_TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	ae_log_printf(p->log, level, "%s", text);
}

void
log_outside(struct proc *p, const char *fmt, ...)
{
	char text[AE_LOG_TEXT_MAX];
	unsigned dropped;
	va_list ap;

	if (!ae_log_rate_ok(&p->rate, ae_clock_mono_ms(), &dropped))
		return;
	if (dropped > 0)
		ae_log_printf(p->log, AE_LOG_WARNING,
		    "%u lines like these were not written", dropped);
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	ae_log_printf(p->log, AE_LOG_NOTICE, "%s", text);
}

void
log_event(struct proc *p, const struct ae_log_record *r)
{
	struct ae_log *g = ae_log_new_remote(carry_event, p);

	if (g == NULL)
		return;
	ae_log_set_level(g, AE_LOG_DEBUG);
	ae_log_write(g, r);
	ae_log_free(g);
}

void
proc_exit(struct proc *p, int code)
{
	ae_loop_exit(p->loop, code);
}

static bool
add_path(char **list, size_t n, const char *path)
{
	size_t i;

	for (i = 0; i + 1 < n; i++)
		if (list[i] == NULL)
			return (list[i] = strdup(path)) != NULL;
	return false;
}

bool
proc_allow_read(struct proc *p, const char *path)
{
	return add_path(p->read_paths,
	    sizeof(p->read_paths) / sizeof(p->read_paths[0]), path);
}

bool
proc_allow_write(struct proc *p, const char *path)
{
	return add_path(p->write_paths,
	    sizeof(p->write_paths) / sizeof(p->write_paths[0]), path);
}

/* ---- peers ---- */

static bool
send_body(struct peer *peer, enum msg type, uint32_t id,
    const struct ae_wr *body, bool secret)
{
	struct ae_err e = AE_ERR_INIT;
	const uint8_t *b = body == NULL ? NULL : body->p;
	size_t len = body == NULL ? 0 : body->len;
	int rc;

	if (peer->ipc == NULL)
		return false;
	if (body != NULL && !ae_wr_ok(body)) {
		log_line(peer->p, AE_LOG_ERROR,
		    "a message for %s could not be built",
		    role_name(peer->role));
		return false;
	}
	if (secret)
		rc = ae_ipc_send_secret(peer->ipc, type, id, b, len, &e);
	else
		rc = ae_ipc_send(peer->ipc, type, id, b, len, -1, &e);
	if (rc < 0 && rc != AE_EUNAVAIL)
		log_line(peer->p, AE_LOG_ERROR, "to %s: %s",
		    role_name(peer->role), e.text);
	return rc == AE_OK;
}

bool
peer_send(
    struct peer *peer, enum msg type, uint32_t id, const struct ae_wr *body)
{
	return send_body(peer, type, id, body, false);
}

void
peer_cork(struct peer *peer, bool cork)
{
	if (peer->ipc != NULL)
		ae_ipc_cork(peer->ipc, cork);
}

bool
peer_send_secret(
    struct peer *peer, enum msg type, uint32_t id, const struct ae_wr *body)
{
	return send_body(peer, type, id, body, true);
}

void
figures_send(struct proc *p, const struct metrics *m)
{
	struct ae_wr w;

	ae_wr_init(&w, METRICS_BYTES);
	metrics_put(&w, m);
	(void)peer_send(peer_of(p, ROLE_CA, 0), MSG_FIGURES, 0, &w);
	ae_wr_done(&w);
}

static void
peer_drop(struct peer *peer)
{
	struct proc *p = peer->p;

	if (peer->ipc == NULL)
		return;
	ae_ipc_free(peer->ipc);
	peer->ipc = NULL;
	if (p->def->peer_down != NULL)
		p->def->peer_down(p, peer);
}

/* Ended by the peer's death, or cut by us: then the parent must know. */
static void
on_peer_closed(void *arg, struct ae_ipc *c, const struct ae_err *why)
{
	struct peer *peer = arg;
	struct ae_err e = AE_ERR_INIT;
	struct ae_wr w;

	(void)c;
	if (why->rc != AE_EUNAVAIL && why->rc != AE_EIO) {
		ae_wr_init(&w, MSG_TEXT_MAX);
		ae_wr_u8(&w, (uint8_t)peer->role);
		ae_wr_u8(&w, peer->index);
		ae_wr_u32(&w, peer->generation);
		put_str(&w, why->text);
		if (ae_wr_ok(&w) &&
		    ae_ipc_send(
			peer->p->control, MSG_CUT, 0, w.p, w.len, -1, &e) < 0)
			proc_exit(peer->p, 1);
		ae_wr_done(&w);
	}
	peer_drop(peer);
}

static const struct ae_ipc_row *
rows_for(const struct role_def *d, enum role r)
{
	const struct role_link *l;

	for (l = d->links; l != NULL && l->rows != NULL; l++)
		if (l->role == r)
			return l->rows;
	return NULL;
}

static int
on_peer(void *arg, struct ae_ipc *c, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct proc *p = arg;
	const struct ae_ipc_row *rows;
	struct ae_rd r;
	struct peer *peer;
	uint8_t role, index;
	uint32_t generation;
	int fd, rc;

	(void)c;
	ae_rd_init(&r, m->body, m->len);
	role = ae_rd_u8(&r);
	index = ae_rd_u8(&r);
	generation = ae_rd_u32(&r);
	if (!ae_rd_done(&r) || role >= ROLE_COUNT || index >= WORKERS_MAX)
		return bad_message(&r, "PEER", e);
	rows = rows_for(p->def, (enum role)role);
	if (rows == NULL)
		return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
		    "%s is no peer of %s", role_name((enum role)role),
		    role_name(p->def->role));
	peer = peer_of(p, role, index);
	peer_drop(peer);
	peer->p = p;
	peer->role = (enum role)role;
	peer->index = index;
	peer->generation = generation;
	fd = m->fd;
	m->fd = -1;
	rc = ae_ipc_new(&peer->ipc, p->loop, fd, rows, on_peer_closed, peer, e);
	if (rc < 0)
		return rc;
	if (p->def->peer_up != NULL)
		p->def->peer_up(p, peer);
	return AE_OK;
}

static int
on_stop(void *arg, struct ae_ipc *c, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct proc *p = arg;

	(void)c;
	(void)m;
	(void)e;
	if (p->def->stop != NULL)
		p->def->stop(p);
	else
		proc_exit(p, 0);
	return AE_OK;
}

static int
on_ticket(void *arg, struct ae_ipc *c, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct proc *p = arg;

	(void)c;
	(void)m;
	(void)e;
	if (p->def->ticket != NULL)
		p->def->ticket(p);
	return AE_OK;
}

static int
on_publish(void *arg, struct ae_ipc *c, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct proc *p = arg;

	(void)c;
	(void)m;
	(void)e;
	if (p->def->publish != NULL)
		p->def->publish(p);
	return AE_OK;
}

static int
on_admin(void *arg, struct ae_ipc *c, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct proc *p = arg;
	struct local_who who;
	struct ae_rd r;
	int fd;

	(void)c;
	if (p->def->admin == NULL)
		return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
		    "%s is not administered", role_name(p->def->role));
	ae_rd_init(&r, m->body, m->len);
	get_local_who(&r, &who);
	if (!ae_rd_done(&r))
		return bad_message(&r, "ADMIN", e);
	fd = m->fd;
	m->fd = -1;
	return p->def->admin(p, fd, &who, e);
}

static int
on_policy(void *arg, struct ae_ipc *c, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct proc *p = arg;

	(void)c;
	if (p->def->policy == NULL)
		return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
		    "%s has no use for policy files", role_name(p->def->role));
	return p->def->policy(p, m, e);
}

static int
on_lost(void *arg, struct ae_ipc *c, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct proc *p = arg;
	struct ae_rd r;
	uint64_t lines;

	(void)c;
	ae_rd_init(&r, m->body, m->len);
	lines = ae_rd_u64(&r);
	if (!ae_rd_done(&r) || p->def->lost == NULL)
		return bad_message(&r, "LOST", e);
	p->def->lost(p, lines);
	return AE_OK;
}

static int
on_crl_said(void *arg, struct ae_ipc *c, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct proc *p = arg;

	(void)c;
	if (p->def->crl_said == NULL)
		return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
		    "%s writes no CRLs", role_name(p->def->role));
	return p->def->crl_said(p, m, e);
}

static const struct ae_ipc_row control_rows[] = {
	{ MSG_PEER, 6, 1, true, on_peer },
	{ MSG_STOP, 0, 1, false, on_stop },
	{ MSG_TICKET, 0, 1, false, on_ticket },
	{ MSG_PUBLISH, 0, 1, false, on_publish },
	{ MSG_ADMIN, 1024, 1, true, on_admin },
	{ MSG_POLICY_FILE, MSG_POLICY_MAX, 1, false, on_policy },
	{ MSG_POLICIES, 4, 1, false, on_policy },
	{ MSG_PIN_FILE, MSG_PIN_MAX, 1, false, on_policy },
	{ MSG_PINS, 4, 1, false, on_policy },
	{ MSG_LOST, 8, 1, false, on_lost },
	{ MSG_EK_TRUST, MSG_EK_TRUST_MAX, 1, false, on_policy },
	{ MSG_CRL_SAID, MSG_TEXT_MAX, 1, false, on_crl_said },
	{ .handle = NULL },
};

/* Without a parent there is nothing to do. */
static void
on_control_closed(void *arg, struct ae_ipc *c, const struct ae_err *why)
{
	struct proc *p = arg;

	(void)c;
	(void)why;
	p->control = NULL;
	proc_exit(p, 1);
}

/* ---- the life ---- */

static int
enter_sandbox(struct proc *p, struct ae_sandbox_report *r, struct ae_err *e)
{
	struct ae_sandbox s = {
		.uid = p->uid,
		.gid = p->gid,
		.groups = p->groups,
		.ngroups = p->ngroups,
		.may = p->may | AE_MAY_PASS_FDS,
		.read_paths = (const char *const *)p->read_paths,
		.write_paths = (const char *const *)p->write_paths,
		.max_memory = p->def->max_memory,
		.max_files = p->nlisten > 0 ? p->conf.max_connections + 64 : 64,
		.max_file_size =
		    (p->may & AE_MAY_WRITE_FILES) != 0 ? UINT64_MAX : 0,
		.require = p->conf.sandbox_require,
	};

	if (geteuid() != 0 && p->uid != 0)
		return ae_fail(
		    e, AE_EDENIED, AE_DOM_NONE, 0, "must be started as root");
	return ae_sandbox_enter(&s, r, e);
}

/* When memory runs out, those that parse go first and the signer last. */
static void
choose_victim(const struct role_def *d)
{
	FILE *f = fopen("/proc/self/oom_score_adj", "we");

	if (f == NULL)
		return;
	(void)fprintf(f, "%d\n", d->oom);
	(void)fclose(f);
}

static int
serve(struct proc *p, struct ae_err *e)
{
	struct ae_sandbox_report report;
	int rc, code = 1;

	p->may = p->def->may;
	rc = role_user(&p->conf, p->def->role, &p->uid, &p->gid, e);
	choose_victim(p->def);
	if (rc == AE_OK && p->def->open != NULL)
		rc = p->def->open(p, e);
	if (rc == AE_OK)
		rc = enter_sandbox(p, &report, e);
	if (rc == AE_OK && p->def->start != NULL)
		rc = p->def->start(p, e);
	if (rc == AE_OK)
		rc = ae_ipc_send(p->control, MSG_READY, 0, report.missing,
		    strlen(report.missing), -1, e);
	if (rc == AE_OK)
		rc = ae_loop_run(p->loop, &code, e);
	return rc < 0 ? rc : code;
}

int
role_main(const struct role_args *args)
{
	static struct proc p; /* zeroed; too large for a stack frame */
	struct ae_err e = AE_ERR_INIT;
	size_t i;
	int rc;

	p.def = role_def_find(args->role);
	p.index = args->index;
	p.rate.burst = 20;
	p.rate.interval_ms = 10 * 1000;
	if (p.def == NULL || args->index >= WORKERS_MAX || args->nlisten > 8 ||
	    args->seed == NULL ||
	    !ae_hex_decode(p.seed, sizeof(p.seed), args->seed))
		return 2;
	ae_process_name("certsrvd", role_name(args->role));
	p.nlisten = args->nlisten;
	for (i = 0; i < p.nlisten; i++)
		p.listen[i] = FD_LISTEN + (int)i;
	rc = ae_loop_new(&p.loop, &e);
	if (rc == AE_OK)
		rc = ae_ipc_new(&p.control, p.loop, FD_CONTROL, control_rows,
		    on_control_closed, &p, &e);
	if (rc == AE_OK) {
		p.log = ae_log_new_remote(carry, &p);
		rc = p.log == NULL
		    ? ae_fail_mem(&e)
		    : conf_read(&p.conf, args->root, args->config, &e);
	}
	if (rc == AE_OK) {
		ae_log_set_level(
		    p.log, (enum ae_log_level)(AE_LOG_ERROR + p.conf.level));
		(void)setenv("KRB5_CONFIG", p.conf.krb5_conf, 1);
		rc = serve(&p, &e);
	}
	if (rc < 0 && p.log != NULL)
		ae_log_printf(p.log, AE_LOG_ERROR, "%s", e.text);
	else if (rc < 0)
		(void)!write(2, e.text, strlen(e.text));
	/* No destructors: the process is in a sandbox and has said it all. */
	_exit(rc < 0 ? 1 : rc);
}
