/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The parent of the CA's processes: its beginning, signals, and its end.
 */
#include "parent_int.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hex.h"
#include "role.h"
#include "run/rpc_server.h"
#include "sys/clock.h"
#include "sys/files.h"

#define STOP_MS 5000   /* from the request to leave to SIGKILL */
#define KILL_MS 2000   /* for the kernel to carry that out */
#define LOG_BURST 1000 /* lines of one process ... */
#define LOG_MS 10000   /* ... in so long: a broken one says anything */

/* ---- the end ---- */

static void
kill_all(struct parent *p)
{
	size_t i;

	for (i = 0; i < p->n; i++)
		if (p->child[i].pid != 0)
			(void)kill(p->child[i].pid, SIGKILL);
}

/* Those that do not leave are made to; one that cannot die is left behind. */
static void
on_stop_timer(void *arg)
{
	struct parent *p = arg;

	if (p->killed)
		ae_loop_exit(p->loop, 1);
	kill_all(p);
	p->killed = true;
	ae_source_set_timer(p->kill_timer, ae_loop_now(p->loop) + KILL_MS);
}

void
parent_stop(struct parent *p)
{
	struct ae_err e;
	size_t i;

	if (p->stopping)
		return;
	p->stopping = true;
	if (p->announced)
		parent_event(p, AE_LOG_NOTICE, "38", "the CA is being stopped");
	ae_notify("STOPPING=1");
	for (i = 0; i < p->n; i++) {
		struct child *c = &p->child[i];

		if (c->pid != 0 &&
		    (c->control == NULL ||
			ae_ipc_send(c->control, MSG_STOP, 0, NULL, 0, -1, &e) <
			    0))
			(void)kill(c->pid, SIGKILL);
	}
	ae_source_set_timer(p->kill_timer, ae_loop_now(p->loop) + STOP_MS);
	if (!children_left(p))
		ae_loop_exit(p->loop, p->failed ? 1 : 0);
}

/* certsrv asks for a CRL: the signal says that and nothing else. */
static void
publish_crl(struct parent *p)
{
	struct child *ca = child_find(p, ROLE_CA, 0);
	struct ae_err e = AE_ERR_INIT;

	if (ca != NULL && ca->control != NULL &&
	    ae_ipc_send(ca->control, MSG_PUBLISH, 0, NULL, 0, -1, &e) < 0)
		ae_log_printf(
		    p->log, AE_LOG_WARNING, "asking for a CRL: %s", e.text);
}

static void
on_signal(void *arg, int signo)
{
	struct parent *p = arg;
	struct conf c;
	struct ae_err e = AE_ERR_INIT;

	if (signo == SIGUSR1) {
		publish_crl(p);
		return;
	}
	if (signo == SIGUSR2) {
		policies_send(p);
		return;
	}
	if (signo != SIGHUP) {
		p->reload = false; /* also when one is under way */
		parent_stop(p);
		return;
	}
	if (p->stopping)
		return;
	/* A broken file must not take down what runs. */
	if (conf_read(&c, p->opt.root, p->opt.config, &e) < 0) {
		ae_log_printf(p->log, AE_LOG_ERROR,
		    "configuration not taken over: %s", e.text);
	} else {
		p->reload = true;
		parent_stop(p);
	}
	conf_done(&c);
}

static void
on_watchdog(void *arg)
{
	struct parent *p = arg;

	ae_notify("WATCHDOG=1");
	ae_source_set_timer(
	    p->watchdog, ae_loop_now(p->loop) + ae_watchdog_ms());
}

/* ---- the beginning ---- */

static int
listen_all(struct parent *p, struct ae_err *e)
{
	size_t i;
	int rc = AE_OK;

	if (p->conf.address.n > LISTEN_MAX)
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "more than %d listening addresses", LISTEN_MAX);
	for (i = 0; i < p->conf.address.n && rc == AE_OK; i++) {
		p->mapper[i] = p->port[i] = -1;
		p->nlisten = i + 1;
		rc = ae_run_tcp_listen(
		    &p->mapper[i], p->conf.address.v[i], MAPPER_PORT, e);
		if (rc == AE_OK)
			rc = ae_run_tcp_listen(&p->port[i],
			    p->conf.address.v[i], (uint16_t)p->conf.port, e);
	}
	return rc;
}

static int
listen_http(struct parent *p, const struct ae_strv *address, uint32_t port,
    struct ae_err *e)
{
	size_t i;
	int rc = AE_OK;

	for (i = 0; i < address->n && rc == AE_OK; i++) {
		rc = ae_run_tcp_listen(
		    &p->http[p->nhttp], address->v[i], (uint16_t)port, e);
		if (rc == AE_OK)
			p->nhttp++;
	}
	return rc;
}

/* Addresses of the site, then those of the figures: http.c relies on it. */
static int
listen_web(struct parent *p, struct ae_err *e)
{
	const struct conf *c = &p->conf;
	int rc = listen_http(p, &c->http_address, c->http_port, e);

	if (rc == AE_OK && c->metrics_port != 0)
		rc = listen_http(p, &c->metrics_address, c->metrics_port, e);
	return rc;
}

/* Directories of the state, and who owns them. */
static const struct {
	const char *path;
	enum role owner; /* ROLE_PARENT: root */
	mode_t mode;
} dirs[] = {
	{ STATE_DIR, ROLE_PARENT, 0755 },
	{ STATE_DIR "/private", ROLE_PARENT, 0711 },
	{ STATE_DIR "/db", ROLE_DB, 0700 },
	{ STATE_DIR "/anchor", ROLE_DB, 0700 },
	{ STATE_DIR "/crl", ROLE_PARENT, 0755 },
	{ RUN_DIR, ROLE_PARENT, 0755 },
	{ RUN_DIR "/auth", ROLE_AUTH, 0700 },
	{ RUN_DIR "/ad", ROLE_AD, 0700 },
};

static int
make_dirs(struct parent *p, struct ae_err *e)
{
	size_t i;
	uid_t uid = 0;
	gid_t gid = 0;
	int rc = AE_OK;

	for (i = 0; i < sizeof(dirs) / sizeof(dirs[0]) && rc == AE_OK; i++) {
		char *path = conf_path(&p->conf, dirs[i].path);

		if (path == NULL)
			return ae_fail_mem(e);
		uid = gid = 0;
		rc = ae_file_mkdirs(path, dirs[i].mode, e);
		if (rc == AE_OK && dirs[i].owner != ROLE_PARENT)
			rc = role_user(&p->conf, dirs[i].owner, &uid, &gid, e);
		if (rc == AE_OK &&
		    (chmod(path, dirs[i].mode) < 0 ||
			lchown(path, uid, gid) < 0))
			rc = ae_fail_errno(e, errno, "%s", path);
		free(path);
	}
	return rc;
}

/*
 * The locked file that tells certsrv whom to signal.  Whoever holds the lock
 * is alive, so the number in it is not somebody else's by now.
 */
static int
write_pid(struct parent *p, struct ae_err *e)
{
	char *path = conf_path(&p->conf, RUN_DIR "/certsrvd.pid");
	int rc = path == NULL ? ae_fail_mem(e)
			      : ae_file_lock(&p->pid_fd, path, false, e);

	if (rc == AE_OK &&
	    (ftruncate(p->pid_fd, 0) < 0 ||
		dprintf(p->pid_fd, "%ld\n", (long)getpid()) < 0))
		rc = ae_fail_errno(e, errno, "%s", path);
	else if (rc == AE_EUNAVAIL)
		rc = ae_note(e, rc, "another certsrvd runs");
	free(path);
	return rc;
}

/*
 * What the signers share so that a wrong PIN is tried once: a new start of
 * the whole CA is one more try, a restart of one of them is not.
 */
static int
make_pin_file(struct parent *p, struct ae_err *e)
{
	char *path = conf_path(&p->conf, PIN_TRIED);
	int rc =
	    path == NULL ? ae_fail_mem(e) : ae_file_write(path, "", 0, 0600, e);

	free(path);
	return rc;
}

static int
add_child(struct parent *p, enum role role, uint8_t index, struct ae_err *e)
{
	struct child *c = &p->child[p->n++];

	c->p = p;
	c->role = role;
	c->index = index;
	c->rate.burst = LOG_BURST;
	c->rate.interval_ms = LOG_MS;
	return ae_loop_timer(&c->timer, p->loop, child_restart, c, e);
}

static unsigned
workers(const struct conf *c)
{
	long n =
	    c->workers != 0 ? (long)c->workers : sysconf(_SC_NPROCESSORS_ONLN);

	return n < 1 ? 1 : n > WORKERS_MAX ? WORKERS_MAX : (unsigned)n;
}

static int
start_all(struct parent *p, struct ae_err *e)
{
	static const enum role one[] = { ROLE_DB, ROLE_AD, ROLE_CA, ROLE_AUTH,
		ROLE_RPC135, ROLE_TICKET };
	size_t i;
	unsigned w;
	int rc = AE_OK;

	for (w = 0; w < workers(&p->conf) && rc == AE_OK; w++) {
		rc = add_child(p, ROLE_SIGN, (uint8_t)w, e);
		if (rc == AE_OK)
			rc = add_child(p, ROLE_RPC, (uint8_t)w, e);
	}
	for (i = 0; i < sizeof(one) / sizeof(one[0]) && rc == AE_OK; i++)
		rc = add_child(p, one[i], 0, e);
	if (rc == AE_OK && p->conf.http_address.n > 0)
		rc = add_child(p, ROLE_OCSP, 0, e);
	if (rc == AE_OK && p->nhttp > 0)
		rc = add_child(p, ROLE_HTTP, 0, e);
	for (i = 0; i < p->n && rc == AE_OK; i++)
		rc = child_start(&p->child[i], e);
	return rc;
}

static int
watch_all(struct parent *p, struct ae_err *e)
{
	static const int sigs[] = { SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2 };
	size_t i;
	int rc = AE_OK;

	for (i = 0; i < sizeof(sigs) / sizeof(sigs[0]) && rc == AE_OK; i++)
		rc = ae_loop_signal(
		    &p->sig[i], p->loop, sigs[i], on_signal, p, e);
	if (rc == AE_OK)
		rc =
		    ae_loop_timer(&p->kill_timer, p->loop, on_stop_timer, p, e);
	if (rc == AE_OK)
		rc = ae_loop_timer(
		    &p->ticket_timer, p->loop, child_on_ticket_timer, p, e);
	if (rc == AE_OK)
		rc = ae_loop_timer(&p->watchdog, p->loop, on_watchdog, p, e);
	if (rc == AE_OK)
		rc = policies_watch(p, e);
	if (rc == AE_OK && ae_watchdog_ms() > 0)
		on_watchdog(p);
	return rc;
}

static void
parent_done(struct parent *p)
{
	size_t i;

	for (i = 0; i < p->n; i++) {
		ae_ipc_free(p->child[i].control);
		ae_source_free(p->child[i].watch);
		ae_source_free(p->child[i].timer);
		child_crl_drop(&p->child[i]);
	}
	for (i = 0; i < p->nlisten; i++) {
		if (p->mapper[i] >= 0)
			(void)close(p->mapper[i]);
		if (p->port[i] >= 0)
			(void)close(p->port[i]);
	}
	for (i = 0; i < p->nhttp; i++)
		(void)close(p->http[i]);
	control_close(p);
	if (p->pid_fd >= 0)
		(void)close(p->pid_fd);
	for (i = 0; i < sizeof(p->sig) / sizeof(p->sig[0]); i++)
		ae_source_free(p->sig[i]);
	ae_source_free(p->kill_timer);
	ae_source_free(p->ticket_timer);
	ae_source_free(p->watchdog);
	ae_source_free(p->policies_timer);
	ae_loop_free(p->loop);
	ae_log_free(p->log);
	conf_done(&p->conf);
}

/* One run from a configuration to its end; *again: it was a reload. */
static int
run_once(const struct parent_options *o, bool *again)
{
	struct parent *p = calloc(1, sizeof(*p));
	struct ae_err e = AE_ERR_INIT;
	uint8_t seed[16];
	int rc, code = 1;

	*again = false;
	if (p == NULL)
		return 1;
	p->opt = *o;
	p->pid_fd = -1;
	p->control_fd = -1;
	ae_random(seed, sizeof(seed));
	ae_hex_encode(p->seed, seed, sizeof(seed));
	p->log = ae_log_new("certsrvd", o->foreground);
	rc = p->log == NULL ? ae_fail_mem(&e) : ae_loop_new(&p->loop, &e);
	if (rc == AE_OK)
		rc = conf_read(&p->conf, o->root, o->config, &e);
	if (rc == AE_OK) {
		ae_log_set_json(p->log, p->conf.log_json);
		ae_log_set_level(p->log,
		    o->debug
			? AE_LOG_DEBUG
			: (enum ae_log_level)(AE_LOG_ERROR + p->conf.level));
		rc = make_dirs(p, &e);
	}
	if (rc == AE_OK)
		rc = write_pid(p, &e);
	if (rc == AE_OK)
		rc = make_pin_file(p, &e);
	if (rc == AE_OK)
		rc = listen_all(p, &e);
	if (rc == AE_OK)
		rc = listen_web(p, &e);
	if (rc == AE_OK)
		rc = watch_all(p, &e);
	if (rc == AE_OK)
		rc = control_open(p, &e);
	if (rc == AE_OK)
		rc = start_all(p, &e);
	if (rc == AE_OK)
		rc = ae_loop_run(p->loop, &code, &e);
	if (rc < 0) {
		if (p->log != NULL)
			ae_log_printf(p->log, AE_LOG_ERROR, "%s", e.text);
		kill_all(p);
	}
	*again = p->reload && rc == AE_OK;
	parent_done(p);
	free(p);
	return rc < 0 ? 1 : code;
}

int
parent_main(const struct parent_options *o)
{
	bool again;
	int code;

	do
		code = run_once(o, &again);
	while (again);
	return code;
}
