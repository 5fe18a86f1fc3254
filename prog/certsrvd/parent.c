/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Processes of the CA: which there are, who talks to whom, and what happens
 * when one ends.
 */
#include "parent.h"

#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hex.h"
#include "conf.h"
#include "events.h"
#include "proto.h"
#include "role.h"
#include "run/rpc_server.h"
#include "sys/clock.h"
#include "sys/files.h"
#include "sys/ipcmsg.h"
#include "sys/log.h"
#include "sys/loop.h"
#include "sys/spawn.h"

#define CHILDREN_MAX 32
#define LISTEN_MAX 8
#define MAPPER_PORT 135
#define STOP_MS 5000	       /* from the request to leave to SIGKILL */
#define KILL_MS 2000	       /* for the kernel to carry that out */
#define BACKOFF_FIRST_MS 50    /* restart of what died ... */
#define BACKOFF_READY_MS 1000  /* ... again and again at work */
#define BACKOFF_MAX_MS 30000   /* ... or before it was ready */
#define BACKOFF_FORGET_MS 5000 /* lived this long: starts from the first */
#define LOG_BURST 1000	       /* lines of one process ... */
#define LOG_MS 10000	       /* ... in so long: a broken one says anything */
#define TICKET_MS (4LL * 3600 * 1000)
#define TICKET_RETRY_MS 30000

/* What a child may say on its control channel, by state. */
enum { ST_STARTING = 1, ST_RUNNING = 2, ST_CA = 4, ST_TICKET = 8 };

struct parent;

struct child {
	struct parent *p;
	enum role role;
	uint8_t index;
	uint32_t generation; /* grows with each start */
	pid_t pid;	     /* 0: not running */
	bool ready;
	bool was_ready; /* of any generation */
	struct ae_ipc *control;
	struct ae_source *watch;
	struct ae_source *timer; /* restart */
	int64_t started, backoff;
	struct ae_log_rate rate; /* of its lines; events are requests' */
};

struct parent {
	struct parent_options opt;
	struct conf conf;
	struct ae_loop *loop;
	struct ae_log *log;
	struct child child[CHILDREN_MAX];
	size_t n;
	int mapper[LISTEN_MAX], port[LISTEN_MAX];
	size_t nlisten;
	struct ae_source *sig[4];
	int pid_fd; /* locked as long as we run */
	struct ae_source *kill_timer, *ticket_timer, *watchdog;
	bool stopping, killed, announced, failed, reload;
	char seed[33]; /* of DCOM identifiers: names, not secrets */
};

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
};

static int start_child(struct child *c, struct ae_err *e);
static void stop_all(struct parent *p);

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

static bool
linked(enum role a, enum role b)
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
introduce(struct child *c, struct ae_err *e)
{
	struct parent *p = c->p;
	size_t i;
	int rc;

	for (i = 0; i < p->n; i++) {
		struct child *o = &p->child[i];

		if (o == c || o->control == NULL || !linked(c->role, o->role))
			continue;
		rc = join(c, o, e);
		if (rc < 0)
			return rc;
	}
	return AE_OK;
}

/* ---- what children say ---- */

static struct child *
find(struct parent *p, enum role role, uint8_t index)
{
	size_t i;

	for (i = 0; i < p->n; i++)
		if (p->child[i].role == role && p->child[i].index == index)
			return &p->child[i];
	return NULL;
}

static void
announce(struct parent *p)
{
	size_t i;

	for (i = 0; i < p->n; i++)
		if (!p->child[i].ready && p->child[i].role != ROLE_TICKET)
			return;
	if (p->announced)
		return;
	p->announced = true;
	ae_log_printf(p->log, AE_LOG_NOTICE,
	    "ready: CA \"%s\" on port %u and the endpoint mapper on %u",
	    p->conf.name, p->conf.port, MAPPER_PORT);
	ae_notify("READY=1");
}

static int
on_ready(void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct child *c = arg;

	(void)e;
	c->ready = c->was_ready = true;
	ae_ipc_set_state(ipc,
	    ST_RUNNING | (c->role == ROLE_CA ? ST_CA : 0u) |
		(c->role == ROLE_TICKET ? ST_TICKET : 0u));
	if (m->len > 0)
		ae_log_printf(c->p->log, AE_LOG_WARNING,
		    "%s runs without: %.*s", role_name(c->role), (int)m->len,
		    (const char *)m->body);
	announce(c->p);
	return AE_OK;
}

static void
write_record(struct child *c, struct ae_log_record *r, bool event)
{
	struct parent *p = c->p;
	struct ae_err e = AE_ERR_INIT;

	r->role = role_name(c->role);
	ae_log_write(p->log, r);
	if (!event || p->conf.events == NULL || p->conf.events[0] == '\0')
		return;
	if (events_append(p->conf.events, r, ae_clock_now(), &e) < 0)
		ae_log_printf(p->log, AE_LOG_ERROR, "event file: %s", e.text);
}

static int
on_log(void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct child *c = arg;
	struct ae_log_record r;
	unsigned dropped = 0;
	int rc = ae_log_decode(&r, m->body, m->len, e);

	(void)ipc;
	if (rc != AE_OK)
		return rc;
	if (m->type == MSG_LOG &&
	    !ae_log_rate_ok(&c->rate, ae_clock_mono_ms(), &dropped))
		return AE_OK;
	if (dropped > 0)
		ae_log_printf(c->p->log, AE_LOG_WARNING,
		    "%u lines of %s were not written", dropped,
		    role_name(c->role));
	write_record(c, &r, m->type == MSG_EVENT);
	return AE_OK;
}

/*
 * One process cut another off.  The accused is restarted; but the processes
 * that parse bytes from the network are not believed: they go themselves.
 */
static int
on_cut(void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct child *c = arg, *o, *guilty;
	struct ae_rd r;
	uint8_t role, index;
	uint32_t generation;
	const uint8_t *text;
	size_t len;
	char quoted[512];

	(void)ipc;
	ae_rd_init(&r, m->body, m->len);
	role = ae_rd_u8(&r);
	index = ae_rd_u8(&r);
	generation = ae_rd_u32(&r);
	text = get_bytes(&r, &len);
	if (!ae_rd_done(&r))
		return bad_message(&r, "CUT", e);
	o = find(c->p, (enum role)role, index);
	if (o == NULL || !linked(c->role, o->role))
		return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
		    "cut off a process it has no channel to");
	if (o->generation != generation || o->pid == 0)
		return AE_OK; /* gone already */
	guilty = c->role == ROLE_RPC || c->role == ROLE_RPC135 ? c : o;
	ae_log_printf(c->p->log, AE_LOG_ERROR, "%s cut off %s: %s; %s is ended",
	    role_name(c->role), role_name(o->role),
	    ae_str_quote(quoted, sizeof(quoted), (const char *)text, len),
	    role_name(guilty->role));
	(void)kill(guilty->pid, SIGKILL);
	return AE_OK;
}

/*
 * Where the cache is that ad uses; only its user can read it.  The directory
 * is that user's, too: by name, ad could put a link there between the writing
 * and the giving away.
 */
static int
on_cache(void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct child *c = arg, *ad = find(c->p, ROLE_AD, 0);
	struct ae_err why = AE_ERR_INIT;
	char *dir = conf_path(&c->p->conf, RUN_DIR "/ad");
	int fd = -1, rc;
	uid_t uid;
	gid_t gid;

	(void)ipc;
	if (dir == NULL)
		return ae_fail_mem(e);
	rc = role_user(&c->p->conf, ROLE_AD, &uid, &gid, &why);
	if (rc == AE_OK &&
	    (fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		rc = ae_fail_errno(&why, errno, "%s", dir);
	if (rc == AE_OK)
		rc = ae_file_write_owned(
		    fd, "ccache", m->body, m->len, 0600, uid, gid, &why);
	if (fd >= 0)
		(void)close(fd);
	free(dir);
	if (rc < 0) {
		ae_log_printf(c->p->log, AE_LOG_ERROR, "keeping the ticket: %s",
		    why.text);
		return AE_OK;
	}
	if (ad != NULL && ad->control != NULL &&
	    ae_ipc_send(ad->control, MSG_TICKET, 0, NULL, 0, -1, &why) != AE_OK)
		ae_log_printf(c->p->log, AE_LOG_ERROR,
		    "telling ad of the ticket: %s", why.text);
	return AE_OK;
}

/* A CRL goes where the configuration says, under the CA's name. */
static int
on_crl(void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct child *c = arg;
	const struct conf *conf = &c->p->conf;
	struct ae_err why = AE_ERR_INIT;
	char *path = NULL, *p;

	(void)ipc;
	if (asprintf(&path, "%s/%s.crl", conf->crl_dir, conf->name) < 0)
		return ae_fail_mem(e);
	for (p = path + strlen(conf->crl_dir) + 1; *p != '\0'; p++)
		if (*p == '/')
			*p = '_';
	if (ae_file_write(path, m->body, m->len, 0644, &why) < 0)
		ae_log_printf(c->p->log, AE_LOG_ERROR, "CRL: %s", why.text);
	free(path);
	return AE_OK;
}

static const struct ae_ipc_row control_rows[] = {
	{ MSG_READY, 256, ST_STARTING, false, on_ready },
	{ MSG_LOG, AE_LOG_RECORD_MAX, ST_STARTING | ST_RUNNING, false, on_log },
	{ MSG_EVENT, AE_LOG_RECORD_MAX, ST_CA, false, on_log },
	{ MSG_CUT, MSG_TEXT_MAX, ST_RUNNING, false, on_cut },
	{ MSG_CACHE, MSG_CACHE_MAX, ST_TICKET, false, on_cache },
	{ MSG_CRL, MSG_CRL_MAX, ST_CA, false, on_crl },
	{ .handle = NULL },
};

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

/* ---- life and death ---- */

static void
restart(void *arg)
{
	struct child *c = arg;
	struct ae_err e = AE_ERR_INIT;

	if (c->p->stopping || c->pid != 0)
		return;
	if (start_child(c, &e) == AE_OK)
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

static bool
any_left(const struct parent *p)
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
	ae_source_free(c->watch);
	c->watch = NULL;
	if (p->stopping) {
		if (!any_left(p))
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
		p->failed = true;
		stop_all(p);
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
	static const char *const keep[] = { "ASAN_OPTIONS", "UBSAN_OPTIONS",
		NULL };
	struct parent *p = c->p;
	int fds[1 + LISTEN_MAX];
	char index[8], count[8];
	const char *argv[20];
	struct ae_spawn s = { .argv = argv,
		.keep_env = keep,
		.fds = fds,
		.death_signal = SIGKILL };
	size_t n = 0, i;

	fds[s.nfds++] = control;
	for (i = 0; i < p->nlisten; i++)
		if (c->role == ROLE_RPC || c->role == ROLE_RPC135)
			fds[s.nfds++] =
			    c->role == ROLE_RPC ? p->port[i] : p->mapper[i];
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

static int
start_child(struct child *c, struct ae_err *e)
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
	rc = ae_ipc_new(
	    &c->control, p->loop, fd[0], control_rows, on_control_closed, c, e);
	if (rc == AE_OK)
		rc = introduce(c, e);
	/* Half of its peers are of no use; its end is what starts it again. */
	if (rc < 0)
		(void)kill(c->pid, SIGKILL);
	return rc;
}

static void
on_ticket_timer(void *arg)
{
	struct parent *p = arg;
	struct child *c = find(p, ROLE_TICKET, 0);
	struct ae_err e = AE_ERR_INIT;

	if (p->stopping || c == NULL || c->pid != 0)
		return;
	if (start_child(c, &e) < 0) {
		ae_log_printf(
		    p->log, AE_LOG_ERROR, "starting ticket: %s", e.text);
		ae_source_set_timer(
		    p->ticket_timer, ae_loop_now(p->loop) + TICKET_RETRY_MS);
	}
}

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

static void
stop_all(struct parent *p)
{
	struct ae_err e;
	size_t i;

	if (p->stopping)
		return;
	p->stopping = true;
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
	if (!any_left(p))
		ae_loop_exit(p->loop, p->failed ? 1 : 0);
}

/* certsrv asks for a CRL: the signal says that and nothing else. */
static void
publish_crl(struct parent *p)
{
	struct child *ca = find(p, ROLE_CA, 0);
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
	if (signo != SIGHUP) {
		p->reload = false; /* also when one is under way */
		stop_all(p);
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
		stop_all(p);
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

/* Directories of the state, and who owns them. */
static const struct {
	const char *path;
	enum role owner; /* ROLE_PARENT: root */
	mode_t mode;
} dirs[] = {
	{ STATE_DIR, ROLE_PARENT, 0755 },
	{ STATE_DIR "/private", ROLE_PARENT, 0711 },
	{ STATE_DIR "/db", ROLE_DB, 0700 },
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

static int
add_child(struct parent *p, enum role role, uint8_t index, struct ae_err *e)
{
	struct child *c = &p->child[p->n++];

	c->p = p;
	c->role = role;
	c->index = index;
	c->rate.burst = LOG_BURST;
	c->rate.interval_ms = LOG_MS;
	return ae_loop_timer(&c->timer, p->loop, restart, c, e);
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
	for (i = 0; i < p->n && rc == AE_OK; i++)
		rc = start_child(&p->child[i], e);
	return rc;
}

static int
watch_all(struct parent *p, struct ae_err *e)
{
	static const int sigs[] = { SIGTERM, SIGINT, SIGHUP, SIGUSR1 };
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
		    &p->ticket_timer, p->loop, on_ticket_timer, p, e);
	if (rc == AE_OK)
		rc = ae_loop_timer(&p->watchdog, p->loop, on_watchdog, p, e);
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
	}
	for (i = 0; i < p->nlisten; i++) {
		if (p->mapper[i] >= 0)
			(void)close(p->mapper[i]);
		if (p->port[i] >= 0)
			(void)close(p->port[i]);
	}
	if (p->pid_fd >= 0)
		(void)close(p->pid_fd);
	for (i = 0; i < sizeof(p->sig) / sizeof(p->sig[0]); i++)
		ae_source_free(p->sig[i]);
	ae_source_free(p->kill_timer);
	ae_source_free(p->ticket_timer);
	ae_source_free(p->watchdog);
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
	ae_random(seed, sizeof(seed));
	ae_hex_encode(p->seed, seed, sizeof(seed));
	p->log = ae_log_new("certsrvd", o->foreground);
	rc = p->log == NULL ? ae_fail_mem(&e) : ae_loop_new(&p->loop, &e);
	if (rc == AE_OK)
		rc = conf_read(&p->conf, o->root, o->config, &e);
	if (rc == AE_OK) {
		ae_log_set_level(p->log,
		    o->debug
			? AE_LOG_DEBUG
			: (enum ae_log_level)(AE_LOG_ERROR + p->conf.level));
		rc = make_dirs(p, &e);
	}
	if (rc == AE_OK)
		rc = write_pid(p, &e);
	if (rc == AE_OK)
		rc = listen_all(p, &e);
	if (rc == AE_OK)
		rc = watch_all(p, &e);
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
