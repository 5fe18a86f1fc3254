/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The control socket; see control.h.
 */
#include "control.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/clock.h"
#include "sys/files.h"
#include "sys/polkit.h"
#include "sys/spawn.h"

#define CONNS_MAX 16
#define OTHERS_MAX 8	/* of these for others than root, */
#define OTHER_MAX 2	/* and for each of them */
#define REFUSED_MS 1000 /* no question for one that polkit just refused */
#define ANSWER_MS 2000
#define REQUEST_MS 2000 /* for the whole line, then the place is free */

struct conn {
	struct control *ctl;
	struct ae_source *source, *late;
	int fd; /* -1: this place is free */
	char buf[CONTROL_REQUEST_MAX];
	size_t len;
	bool waiting, look, progress;
	uint64_t run; /* waiting for its report */
	struct ae_polkit_subject who;
	struct control_request q; /* while polkit is asked */
	struct ae_source *asking;
	pid_t asker;
};

struct control {
	struct ae_loop *loop;
	struct ae_source *source;
	int fd;
	char *path;
	control_pulse_fn *fn;
	void *arg;
	struct conn conns[CONNS_MAX];
	struct {
		uid_t uid;
		int64_t until;
	} refused[CONNS_MAX]; /* the latest, in a ring */
	size_t nrefused;
};

static int
address(struct sockaddr_un *sa, const char *path, struct ae_err *e)
{
	memset(sa, 0, sizeof(*sa));
	sa->sun_family = AF_UNIX;
	if (strlen(path) >= sizeof(sa->sun_path))
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "%s is too long for a socket", path);
	memcpy(sa->sun_path, path, strlen(path) + 1);
	return AE_OK;
}

/* Take the lines of stages off the front and tell them. */
static size_t
take_stages(const struct client *c, char *p, size_t len)
{
	static const char mark[] = "{\"stage\":";
	char *nl;

	while (len > sizeof(mark) && memcmp(p, mark, sizeof(mark) - 1) == 0 &&
	    (nl = memchr(p, '\n', len)) != NULL) {
		json_t *j = json_loadb(p, (size_t)(nl - p), 0, NULL);
		const char *stage =
		    json_string_value(json_object_get(j, "stage"));

		if (stage != NULL)
			client_progress(c, stage);
		json_decref(j);
		len -= (size_t)(nl + 1 - p);
		memmove(p, nl + 1, len);
	}
	return len;
}

/* Everything until the peer closes; heap, NUL-terminated. */
static char *
read_all(const struct client *c, int fd, size_t max)
{
	char *p = NULL, *q;
	size_t len = 0, cap = 0;
	ssize_t n = 1;

	while (n > 0 && len < max) {
		if (len + 65536 > cap) {
			q = realloc(p, cap += 131072);
			if (q == NULL)
				break;
			p = q;
		}
		n = read(fd, p + len, 65535);
		if (n > 0)
			len = take_stages(c, p, len + (size_t)n);
	}
	if (p != NULL)
		p[len] = '\0';
	return p;
}

int
control_fail_silent(struct ae_err *e)
{
	return ae_fail(e, AE_EUNAVAIL, AE_DOM_NONE, 0,
	    "autoenrolld ended the connection without an answer");
}

int
control_ask(const struct client *c, const struct control_request *q,
    char **report, struct ae_err *e)
{
	char line[CONTROL_REQUEST_MAX];
	struct sockaddr_un sa;
	int fd, rc;

	rc = address(&sa, c->socket, e);
	if (rc != AE_OK)
		return rc;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return ae_fail_errno(e, errno, "make a socket");
	if (connect(fd, (const struct sockaddr *)&sa, sizeof(sa)) != 0) {
		rc = errno == ENOENT || errno == ECONNREFUSED
		    ? AE_ENOTFOUND
		    : ae_fail_errno(e, errno, "connect to %s", c->socket);
		goto out;
	}
	(void)snprintf(line, sizeof(line),
	    "{\"op\": \"pulse\", \"trigger\": \"%s\", \"refresh\": %s, "
	    "\"wait\": %s, \"progress\": %s}\n",
	    ae_trigger_name(q->trigger), q->refresh ? "true" : "false",
	    q->wait ? "true" : "false", c->progress != NULL ? "true" : "false");
	if (write(fd, line, strlen(line)) != (ssize_t)strlen(line)) {
		rc = ae_fail_errno(e, errno, "ask autoenrolld");
		goto out;
	}
	*report = read_all(c, fd, RUNNER_REPORT_MAX);
	if (*report == NULL || (*report)[0] != '{') {
		free(*report);
		*report = NULL;
		rc = control_fail_silent(e);
	}
out:
	(void)close(fd);
	return rc;
}

/* A question costs a process and a line in the log: not more of them than
 * one a second for whoever gets nowhere with it. */
static void
remember_refused(struct control *ctl, uid_t uid)
{
	size_t i = ctl->nrefused++ % CONNS_MAX;

	ctl->refused[i].uid = uid;
	ctl->refused[i].until = ae_clock_mono_ms() + REFUSED_MS;
}

static bool
just_refused(const struct control *ctl, uid_t uid)
{
	int64_t now = ae_clock_mono_ms();
	size_t i;

	for (i = 0; i < CONNS_MAX; i++)
		if (ctl->refused[i].uid == uid && ctl->refused[i].until > now)
			return true;
	return false;
}

static void
drop(struct conn *cn)
{
	ae_source_free(cn->source);
	ae_source_free(cn->late);
	ae_source_free(cn->asking);
	if (cn->asker > 0) { /* nobody wants to know any more */
		remember_refused(cn->ctl, cn->who.uid);
		(void)kill(cn->asker, SIGKILL);
		(void)waitpid(cn->asker, NULL, 0);
	}
	if (cn->fd >= 0)
		(void)close(cn->fd);
	cn->source = cn->late = cn->asking = NULL;
	cn->asker = 0;
	cn->fd = -1;
	cn->waiting = false;
}

/* The whole answer at once: a reader that does not read loses it. */
static void
answer(struct conn *cn, const char *text, size_t len)
{
	struct timeval tv = { .tv_sec = ANSWER_MS / 1000 };
	int64_t until = ae_clock_mono_ms() + ANSWER_MS;
	ssize_t n = 1;

	(void)setsockopt(cn->fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	while (len > 0 && ae_clock_mono_ms() < until &&
	    (n = send(cn->fd, text, len, MSG_NOSIGNAL)) > 0) {
		text += n;
		len -= (size_t)n;
	}
	drop(cn);
}

static void
answer_json(struct conn *cn, json_t *take)
{
	char *text = take == NULL ? NULL : json_dumps(take, JSON_COMPACT);

	json_decref(take);
	if (text == NULL)
		drop(cn);
	else
		answer(cn, text, strlen(text));
	free(text);
}

/* False: not one. */
static bool
parse(struct control_request *q, const struct conn *cn)
{
	json_t *j = json_loadb(cn->buf, cn->len, 0, NULL);
	const char *op = json_string_value(json_object_get(j, "op"));
	bool known = op != NULL && strcmp(op, "pulse") == 0;

	q->trigger =
	    ae_trigger_parse(json_string_value(json_object_get(j, "trigger")));
	q->refresh = json_is_true(json_object_get(j, "refresh"));
	q->wait = json_is_true(json_object_get(j, "wait"));
	q->progress = json_is_true(json_object_get(j, "progress"));
	json_decref(j);
	return known && q->trigger != AE_TRIGGER_NONE;
}

static void
pulse(struct conn *cn, const struct control_request *q)
{
	struct driver_answer a = cn->ctl->fn(cn->ctl->arg, q);

	cn->run = a.run;
	cn->progress = q->progress;
	cn->look =
	    q->trigger == AE_TRIGGER_POLICY || q->trigger == AE_TRIGGER_DUE;
	cn->waiting = q->wait && a.what != AE_TASK_NOT_NEEDED &&
	    a.what != AE_TASK_IS_DISABLED;
	if (cn->waiting)
		ae_source_set_events(cn->source, 0);
	else
		answer_json(cn,
		    json_pack("{s:s, s:s}", "answer",
			driver_answer_name(a.what), "text",
			driver_answer_text(a.what)));
}

static void
refuse(struct conn *cn, int code, const char *text)
{
	answer_json(cn, json_pack("{s:s, s:i}", "error", text, "exit", code));
}

static void
on_asked(void *arg, pid_t pid, int status)
{
	struct conn *cn = arg;

	(void)pid;
	cn->asker = 0; /* it is reaped */
	if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_OK) {
		pulse(cn, &cn->q);
		return;
	}
	remember_refused(cn->ctl, cn->who.uid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_DENIED)
		refuse(cn, EXIT_DENIED,
		    "polkit does not authorize you for " CONTROL_POLKIT_ACTION
		    "; root may run this, and --user is for your own");
	else
		refuse(cn, EXIT_DENIED,
		    "the machine's run is root's to ask for, and there is no "
		    "polkit to say that you may, too; --user is for your own");
}

/* Root's own, or polkit has to agree; a process of its own waits for that. */
static void
authorize(struct conn *cn)
{
	char role[96];
	const char *argv[] = { "autoenrolld", "--role", role, NULL };
	struct ae_spawn sp = { .argv = argv, .death_signal = SIGKILL };

	(void)snprintf(role, sizeof(role), CONTROL_POLKIT "%d:%" PRIu64 ":%u",
	    (int)cn->who.pid, cn->who.start, (unsigned)cn->who.uid);
	ae_source_set_events(cn->source, 0);
	if (ae_spawn(&cn->asker, &sp, NULL) != AE_OK ||
	    ae_loop_child(&cn->asking, cn->ctl->loop, cn->asker, on_asked, cn,
		NULL) != AE_OK)
		refuse(cn, EXIT_LOCAL, "polkit could not be asked");
}

int
control_polkit(const char *role, struct ae_err *e)
{
	struct ae_polkit_subject s = { 0 };
	unsigned uid;
	int pid, rc;

	if (sscanf(role, CONTROL_POLKIT "%d:%" SCNu64 ":%u", &pid, &s.start,
		&uid) != 3)
		return EXIT_USAGE;
	s.pid = pid;
	s.uid = uid;
	rc = ae_polkit_check(CONTROL_POLKIT_ACTION, &s, e);
	return rc == AE_OK     ? EXIT_OK
	    : rc == AE_EDENIED ? EXIT_DENIED
			       : EXIT_NETWORK;
}

static void
on_late(void *arg)
{
	drop(arg);
}

static void
request(struct conn *cn)
{
	ae_source_set_timer(cn->late, AE_LOOP_NEVER);
	if (!parse(&cn->q, cn))
		refuse(cn, EXIT_USAGE, "unknown request");
	else if (cn->who.uid == 0)
		pulse(cn, &cn->q);
	else if (just_refused(cn->ctl, cn->who.uid))
		refuse(cn, EXIT_DENIED,
		    "you were refused a moment ago; wait a second");
	else
		authorize(cn);
}

static void
on_conn(void *arg, int fd, unsigned events)
{
	struct conn *cn = arg;
	ssize_t n;

	if (cn->waiting || cn->asker > 0 || (events & AE_LOOP_IN) == 0) {
		drop(cn); /* gone while waiting */
		return;
	}
	n = recv(
	    fd, cn->buf + cn->len, sizeof(cn->buf) - cn->len, MSG_DONTWAIT);
	if (n <= 0) {
		drop(cn);
		return;
	}
	cn->len += (size_t)n;
	if (memchr(cn->buf, '\n', cn->len) != NULL)
		request(cn);
	else if (cn->len == sizeof(cn->buf))
		drop(cn);
}

/* Others than root must not take all places, nor one of them theirs. */
static bool
is_full_for(const struct control *ctl, uid_t uid)
{
	size_t i, others = 0, own = 0;

	for (i = 0; i < CONNS_MAX; i++) {
		const struct conn *cn = &ctl->conns[i];

		others += cn->fd >= 0 && cn->who.uid != 0;
		own += cn->fd >= 0 && cn->who.uid == uid;
	}
	return uid != 0 && (others >= OTHERS_MAX || own >= OTHER_MAX);
}

static void
on_listen(void *arg, int fd, unsigned events)
{
	struct control *ctl = arg;
	struct ae_polkit_subject who;
	struct conn *cn = NULL;
	int s;
	size_t i;

	(void)events;
	s = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
	if (s < 0)
		return;
	for (i = 0; i < CONNS_MAX && cn == NULL; i++)
		if (ctl->conns[i].fd < 0)
			cn = &ctl->conns[i];
	if (cn == NULL || ae_polkit_peer(&who, s, NULL) != AE_OK ||
	    is_full_for(ctl, who.uid)) {
		(void)close(s);
		return;
	}
	*cn = (struct conn){ .ctl = ctl, .fd = s, .who = who };
	if (ae_loop_fd(&cn->source, ctl->loop, s, AE_LOOP_IN, on_conn, cn,
		NULL) != AE_OK ||
	    ae_loop_timer(&cn->late, ctl->loop, on_late, cn, NULL) != AE_OK) {
		drop(cn);
		return;
	}
	ae_source_set_timer(cn->late, ae_loop_now(ctl->loop) + REQUEST_MS);
}

int
control_listen(struct control **out, const struct client *c, struct ae_loop *l,
    control_pulse_fn *fn, void *arg, struct ae_err *e)
{
	struct control *ctl = calloc(1, sizeof(*ctl));
	struct sockaddr_un sa;
	mode_t old;
	size_t i;
	int rc;

	if (ctl == NULL)
		return ae_fail_mem(e);
	ctl->loop = l;
	ctl->fn = fn;
	ctl->arg = arg;
	for (i = 0; i < CONNS_MAX; i++)
		ctl->conns[i].fd = -1;
	ctl->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	rc = address(&sa, c->socket, e);
	if (rc == AE_OK)
		rc = ae_file_mkdirs(c->run_dir, 0755, e);
	if (rc != AE_OK)
		goto out;
	ctl->path = strdup(c->socket);
	(void)unlink(c->socket);
	old = umask(0111); /* who may what is decided for each */
	if (ctl->path == NULL || ctl->fd < 0 ||
	    bind(ctl->fd, (const struct sockaddr *)&sa, sizeof(sa)) != 0 ||
	    listen(ctl->fd, 16) != 0)
		rc = ae_fail_errno(e, errno, "listen on %s", c->socket);
	(void)umask(old);
	if (rc == AE_OK)
		rc = ae_loop_fd(
		    &ctl->source, l, ctl->fd, AE_LOOP_IN, on_listen, ctl, e);
out:
	if (rc != AE_OK) {
		control_free(ctl);
		return rc;
	}
	*out = ctl;
	return AE_OK;
}

void
control_finish(
    struct control *ctl, uint64_t run, const char *report, size_t len)
{
	struct conn *cn;
	size_t i;

	for (i = 0; i < CONNS_MAX; i++) {
		cn = &ctl->conns[i];
		if (cn->fd >= 0 && cn->waiting &&
		    (run == 0 ? cn->look : cn->run <= run))
			answer(cn, report, len);
	}
}

/* A reader that does not read misses stages, never the report. */
void
control_progress(struct control *ctl, const char *stage)
{
	json_t *j = json_pack("{s:s}", "stage", stage);
	char *text = json_dumps(j, JSON_COMPACT), line[128];
	size_t i;
	int n;

	n = text == NULL ? -1 : snprintf(line, sizeof(line), "%s\n", text);
	for (i = 0; n > 0 && (size_t)n < sizeof(line) && i < CONNS_MAX; i++)
		if (ctl->conns[i].fd >= 0 && ctl->conns[i].waiting &&
		    ctl->conns[i].progress)
			(void)send(ctl->conns[i].fd, line, (size_t)n,
			    MSG_NOSIGNAL | MSG_DONTWAIT);
	free(text);
	json_decref(j);
}

void
control_free(struct control *ctl)
{
	size_t i;

	if (ctl == NULL)
		return;
	for (i = 0; i < CONNS_MAX; i++)
		if (ctl->conns[i].fd >= 0)
			drop(&ctl->conns[i]);
	ae_source_free(ctl->source);
	if (ctl->fd >= 0)
		(void)close(ctl->fd);
	if (ctl->path != NULL)
		(void)unlink(ctl->path);
	free(ctl->path);
	free(ctl);
}
