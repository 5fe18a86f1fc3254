/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The event loop on sd-event.  Children are reaped by SIGCHLD and waitpid()
 * here, not by sd-event's pidfds: the wake-up of a pidfd is lost when the
 * child died under a debugger.  A source that frees itself inside its own
 * callback is unreferenced there; sd-event keeps its own reference for the
 * duration of a dispatch.
 */
#include "sys/loop.h"

#include <sys/epoll.h>
#include <sys/wait.h>

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include <systemd/sd-event.h>

struct ae_loop {
	sd_event *ev;
	int exit_code;
	sd_event_source *sigchld; /* while there are children */
	struct ae_source *children;
	struct ae_source *next_child; /* the reaping walk's; or NULL */
};

struct ae_source {
	sd_event_source *s; /* NULL: a child */
	struct ae_loop *loop;
	struct ae_source *next; /* in loop->children */
	pid_t pid;
	bool reaped;
	void *arg;
	union {
		ae_loop_fd_fn *fd;
		ae_loop_fn *plain;
		ae_loop_signal_fn *signal;
		ae_loop_child_fn *child;
	} fn;
};

int
ae_loop_new(struct ae_loop **out, struct ae_err *e)
{
	struct ae_loop *l = calloc(1, sizeof(*l));
	sigset_t set;
	int r;

	if (l == NULL)
		return ae_fail_mem(e);
	/* sd-event watches children by SIGCHLD or pidfd: block it early. */
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGCHLD);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	r = sd_event_new(&l->ev);
	if (r < 0) {
		free(l);
		return ae_fail_errno(e, -r, "making an event loop");
	}
	*out = l;
	return AE_OK;
}

void
ae_loop_free(struct ae_loop *l)
{
	if (l == NULL)
		return;
	sd_event_unref(l->ev);
	free(l);
}

static struct ae_source *
source_new(struct ae_loop *l, void *arg)
{
	struct ae_source *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->loop = l;
	s->arg = arg;
	return s;
}

/* The common end of every constructor. */
static int
source_made(struct ae_source **out, struct ae_source *s, int r,
    const char *what, struct ae_err *e)
{
	if (r < 0) {
		free(s);
		return ae_fail_errno(e, -r, "watching %s", what);
	}
	*out = s;
	return AE_OK;
}

static uint32_t
to_epoll(unsigned events)
{
	return ((events & AE_LOOP_IN) != 0 ? (uint32_t)EPOLLIN : 0u) |
	    ((events & AE_LOOP_OUT) != 0 ? (uint32_t)EPOLLOUT : 0u);
}

static int
on_fd(sd_event_source *src, int fd, uint32_t revents, void *userdata)
{
	struct ae_source *s = userdata;
	unsigned ev = 0;

	(void)src;
	if ((revents & EPOLLIN) != 0)
		ev |= AE_LOOP_IN;
	if ((revents & EPOLLOUT) != 0)
		ev |= AE_LOOP_OUT;
	if ((revents & (EPOLLHUP | EPOLLERR)) != 0)
		ev |= AE_LOOP_HUP;
	s->fn.fd(s->arg, fd, ev);
	return 0;
}

int
ae_loop_fd(struct ae_source **out, struct ae_loop *l, int fd, unsigned events,
    ae_loop_fd_fn *fn, void *arg, struct ae_err *e)
{
	struct ae_source *s = source_new(l, arg);

	if (s == NULL)
		return ae_fail_mem(e);
	s->fn.fd = fn;
	return source_made(out, s,
	    sd_event_add_io(l->ev, &s->s, fd, to_epoll(events), on_fd, s),
	    "a descriptor", e);
}

void
ae_source_set_events(struct ae_source *s, unsigned events)
{
	int r = sd_event_source_set_io_events(s->s, to_epoll(events));

	/* Fails only for a source that is not of this kind, or memory. */
	assert(r >= 0);
	(void)r;
}

static int
on_timer(sd_event_source *src, uint64_t usec, void *userdata)
{
	struct ae_source *s = userdata;

	(void)src;
	(void)usec;
	s->fn.plain(s->arg);
	return 0;
}

int
ae_loop_timer(struct ae_source **out, struct ae_loop *l, ae_loop_fn *fn,
    void *arg, struct ae_err *e)
{
	struct ae_source *s = source_new(l, arg);
	int r;

	if (s == NULL)
		return ae_fail_mem(e);
	s->fn.plain = fn;
	/* Accuracy 1 ms: deadlines are in milliseconds. */
	r = sd_event_add_time(
	    l->ev, &s->s, CLOCK_MONOTONIC, UINT64_MAX, 1000, on_timer, s);
	if (r >= 0)
		(void)sd_event_source_set_enabled(s->s, SD_EVENT_OFF);
	return source_made(out, s, r, "the clock", e);
}

void
ae_source_set_timer(struct ae_source *s, int64_t at)
{
	if (at == AE_LOOP_NEVER) {
		(void)sd_event_source_set_enabled(s->s, SD_EVENT_OFF);
		return;
	}
	if (at < 0)
		at = 0;
	if (at > INT64_MAX / 1000)
		at = INT64_MAX / 1000;
	(void)sd_event_source_set_time(s->s, (uint64_t)at * 1000);
	(void)sd_event_source_set_enabled(s->s, SD_EVENT_ONESHOT);
}

static int
on_plain(sd_event_source *src, void *userdata)
{
	struct ae_source *s = userdata;

	(void)src;
	s->fn.plain(s->arg);
	return 0;
}

int
ae_loop_later(struct ae_source **out, struct ae_loop *l, ae_loop_fn *fn,
    void *arg, struct ae_err *e)
{
	struct ae_source *s = source_new(l, arg);
	int r;

	if (s == NULL)
		return ae_fail_mem(e);
	s->fn.plain = fn;
	r = sd_event_add_defer(l->ev, &s->s, on_plain, s);
	if (r >= 0) {
		(void)sd_event_source_set_enabled(s->s, SD_EVENT_OFF);
		(void)sd_event_source_set_priority(
		    s->s, SD_EVENT_PRIORITY_IDLE);
	}
	return source_made(out, s, r, "for a quiet moment", e);
}

void
ae_source_later(struct ae_source *s)
{
	(void)sd_event_source_set_enabled(s->s, SD_EVENT_ONESHOT);
}

static int
on_signal(
    sd_event_source *src, const struct signalfd_siginfo *si, void *userdata)
{
	struct ae_source *s = userdata;

	(void)src;
	s->fn.signal(s->arg, (int)si->ssi_signo);
	return 0;
}

int
ae_loop_signal(struct ae_source **out, struct ae_loop *l, int signo,
    ae_loop_signal_fn *fn, void *arg, struct ae_err *e)
{
	struct ae_source *s = source_new(l, arg);
	sigset_t set;

	if (s == NULL)
		return ae_fail_mem(e);
	s->fn.signal = fn;
	(void)sigemptyset(&set);
	(void)sigaddset(&set, signo);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	return source_made(out, s,
	    sd_event_add_signal(l->ev, &s->s, signo, on_signal, s), "a signal",
	    e);
}

/* Some child changed: ask for each of ours.  Callbacks may free any. */
static int
on_sigchld(
    sd_event_source *src, const struct signalfd_siginfo *si, void *userdata)
{
	struct ae_loop *l = userdata;
	struct ae_source *s;
	int status;

	(void)src;
	(void)si;
	for (s = l->children; s != NULL; s = l->next_child) {
		l->next_child = s->next;
		if (s->reaped || waitpid(s->pid, &status, WNOHANG) != s->pid)
			continue;
		s->reaped = true;
		s->fn.child(s->arg, s->pid, status);
	}
	return 0;
}

static int
watch_children(struct ae_loop *l)
{
	if (l->sigchld != NULL)
		return 0;
	return sd_event_add_signal(l->ev, &l->sigchld, SIGCHLD, on_sigchld, l);
}

int
ae_loop_child(struct ae_source **out, struct ae_loop *l, pid_t pid,
    ae_loop_child_fn *fn, void *arg, struct ae_err *e)
{
	struct ae_source *s = source_new(l, arg);
	int r;

	if (s == NULL)
		return ae_fail_mem(e);
	s->fn.child = fn;
	s->pid = pid;
	r = watch_children(l);
	if (r >= 0) {
		s->next = l->children;
		l->children = s;
	}
	return source_made(out, s, r, "a child process", e);
}

static void
child_forget(struct ae_source *s)
{
	struct ae_loop *l = s->loop;
	struct ae_source **at = &l->children;

	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	if (l->next_child == s)
		l->next_child = s->next;
	if (l->children == NULL)
		l->sigchld = sd_event_source_disable_unref(l->sigchld);
}

int
ae_loop_defer(struct ae_source **out, struct ae_loop *l, ae_loop_fn *fn,
    void *arg, struct ae_err *e)
{
	struct ae_source *s = source_new(l, arg);

	if (s == NULL)
		return ae_fail_mem(e);
	s->fn.plain = fn;
	return source_made(out, s,
	    sd_event_add_defer(l->ev, &s->s, on_plain, s), "the next turn", e);
}

void
ae_source_free(struct ae_source *s)
{
	if (s == NULL)
		return;
	if (s->s == NULL)
		child_forget(s);
	else
		(void)sd_event_source_disable_unref(s->s);
	free(s);
}

int64_t
ae_loop_now(struct ae_loop *l)
{
	uint64_t usec = 0;

	(void)sd_event_now(l->ev, CLOCK_MONOTONIC, &usec);
	return (int64_t)(usec / 1000);
}

int
ae_loop_run(struct ae_loop *l, int *code, struct ae_err *e)
{
	int r;

	while (sd_event_get_state(l->ev) != SD_EVENT_FINISHED) {
		r = sd_event_run(l->ev, UINT64_MAX);
		if (r < 0)
			return ae_fail_errno(e, -r, "waiting for events");
	}
	*code = l->exit_code;
	return AE_OK;
}

void
ae_loop_exit(struct ae_loop *l, int code)
{
	l->exit_code = code;
	(void)sd_event_exit(l->ev, code);
}

int
ae_loop_turn(struct ae_loop *l, int64_t wait_ms, struct ae_err *e)
{
	uint64_t usec = wait_ms < 0 ? UINT64_MAX : (uint64_t)wait_ms * 1000;
	int r = sd_event_run(l->ev, usec);

	return r < 0 ? ae_fail_errno(e, -r, "waiting for events") : AE_OK;
}
