/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The event loop on epoll.  A turn takes all that is ready at one go, then
 * timers, then what was deferred; what is for later only when there was none
 * of these.  Timers are a heap and need no descriptor.  Children are reaped
 * by SIGCHLD and waitpid(), not by pidfds: the wake-up of a pidfd is lost
 * when the child died under a debugger.
 */
#include "sys/loop.h"

#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "sys/clock.h"

#define READY_MAX 64 /* descriptors of one turn */
#define WAIT_MAX (24 * 3600 * 1000)
#define IDLE SIZE_MAX /* heap index of a timer that is not armed */

enum kind {
	SOURCE_FD,
	SOURCE_TIMER,
	SOURCE_PLAIN,
	SOURCE_SIGNAL,
	SOURCE_CHILD
};

/* In a ring with its head, or with itself when it is in none. */
struct ring {
	struct ring *prev, *next;
};

struct ae_source {
	struct ring link; /* first: a ring's member is its source */
	enum kind kind;
	struct ae_loop *loop;
	void *arg;
	union {
		ae_loop_fd_fn *fd;
		ae_loop_fn *plain;
		ae_loop_signal_fn *signal;
		ae_loop_child_fn *child;
	} fn;
	int fd; /* or the signal's number */
	unsigned events;
	int64_t at; /* of a timer */
	size_t index;
	pid_t pid; /* 0: it was reaped */
};

struct ae_loop {
	int epoll, signals; /* signals: -1 as long as there are none */
	struct ae_source *signals_in, *sigchld;
	sigset_t mask;
	struct ring deferred, later, handlers, children;
	struct ring *next_child; /* the reaping walk's */
	/* The turn's events; a source that is freed is taken out. */
	struct epoll_event ready[READY_MAX];
	int nready, at;
	/* Armed timers, the earliest first; room for all there are. */
	struct ae_source **heap;
	size_t nheap, ntimers, cap;
	int64_t now;
	bool turning, ended;
	int code;
};

/* ---- rings ---- */

static void
ring_init(struct ring *r)
{
	r->prev = r->next = r;
}

static void
ring_remove(struct ring *r)
{
	r->prev->next = r->next;
	r->next->prev = r->prev;
	ring_init(r);
}

static void
ring_append(struct ring *head, struct ring *r)
{
	ring_remove(r);
	r->prev = head->prev;
	r->next = head;
	head->prev->next = r;
	head->prev = r;
}

/* All of from, which is empty then, to the empty ring to. */
static void
ring_move(struct ring *to, struct ring *from)
{
	ring_init(to);
	if (from->next == from)
		return;
	*to = *from;
	to->next->prev = to->prev->next = to;
	ring_init(from);
}

/* ---- the loop ---- */

int
ae_loop_new(struct ae_loop **out, struct ae_err *e)
{
	struct ae_loop *l = calloc(1, sizeof(*l));
	sigset_t set;

	if (l == NULL)
		return ae_fail_mem(e);
	/* Before the first child is there. */
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGCHLD);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	(void)sigemptyset(&l->mask);
	ring_init(&l->deferred);
	ring_init(&l->later);
	ring_init(&l->handlers);
	ring_init(&l->children);
	l->signals = -1;
	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (l->epoll < 0) {
		free(l);
		return ae_fail_errno(e, errno, "making an event loop");
	}
	*out = l;
	return AE_OK;
}

void
ae_loop_free(struct ae_loop *l)
{
	if (l == NULL)
		return;
	ae_source_free(l->signals_in);
	if (l->signals >= 0)
		(void)close(l->signals);
	(void)close(l->epoll);
	free(l->heap);
	free(l);
}

static struct ae_source *
source_new(struct ae_loop *l, enum kind kind, void *arg)
{
	struct ae_source *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	ring_init(&s->link);
	s->kind = kind;
	s->loop = l;
	s->arg = arg;
	s->fd = -1;
	s->index = IDLE;
	return s;
}

/* ---- descriptors ---- */

static uint32_t
to_epoll(unsigned events)
{
	return ((events & AE_LOOP_IN) != 0 ? (uint32_t)EPOLLIN : 0u) |
	    ((events & AE_LOOP_OUT) != 0 ? (uint32_t)EPOLLOUT : 0u);
}

int
ae_loop_fd(struct ae_source **out, struct ae_loop *l, int fd, unsigned events,
    ae_loop_fd_fn *fn, void *arg, struct ae_err *e)
{
	struct ae_source *s = source_new(l, SOURCE_FD, arg);
	struct epoll_event ev = { .events = to_epoll(events) };

	if (s == NULL)
		return ae_fail_mem(e);
	s->fn.fd = fn;
	s->fd = fd;
	s->events = events;
	ev.data.ptr = s;
	if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, fd, &ev) < 0) {
		free(s);
		return ae_fail_errno(e, errno, "watching a descriptor");
	}
	*out = s;
	return AE_OK;
}

void
ae_source_set_events(struct ae_source *s, unsigned events)
{
	struct epoll_event ev = { .events = to_epoll(events), .data.ptr = s };
	int r;

	assert(s->kind == SOURCE_FD);
	if (s->events == events)
		return;
	s->events = events;
	r = epoll_ctl(s->loop->epoll, EPOLL_CTL_MOD, s->fd, &ev);
	/* It is there, and changing it takes no memory. */
	assert(r == 0);
	(void)r;
}

static void
fd_forget(struct ae_source *s)
{
	struct ae_loop *l = s->loop;
	int i;

	/* Of a descriptor that was closed the kernel knows nothing any more. */
	(void)epoll_ctl(l->epoll, EPOLL_CTL_DEL, s->fd, NULL);
	for (i = l->at; i < l->nready; i++)
		if (l->ready[i].data.ptr == s)
			l->ready[i].data.ptr = NULL;
}

/* Also what is not wanted any more since it was ready is left out. */
static void
fd_dispatch(struct ae_source *s, uint32_t revents)
{
	unsigned ev = 0;

	if ((revents & EPOLLIN) != 0)
		ev |= s->events & AE_LOOP_IN;
	if ((revents & EPOLLOUT) != 0)
		ev |= s->events & AE_LOOP_OUT;
	if ((revents & (EPOLLHUP | EPOLLERR)) != 0)
		ev |= AE_LOOP_HUP;
	if (ev != 0)
		s->fn.fd(s->arg, s->fd, ev);
}

/* ---- timers ---- */

static void
heap_put(struct ae_loop *l, size_t i, struct ae_source *s)
{
	l->heap[i] = s;
	s->index = i;
}

/* Move s, whose place i is, to where its time belongs. */
static void
heap_settle(struct ae_loop *l, size_t i, struct ae_source *s)
{
	size_t k;

	for (; i > 0 && l->heap[(i - 1) / 2]->at > s->at; i = (i - 1) / 2)
		heap_put(l, i, l->heap[(i - 1) / 2]);
	for (;; i = k) {
		k = 2 * i + 1;
		if (k + 1 < l->nheap && l->heap[k + 1]->at < l->heap[k]->at)
			k++;
		if (k >= l->nheap || l->heap[k]->at >= s->at)
			break;
		heap_put(l, i, l->heap[k]);
	}
	heap_put(l, i, s);
}

static void
heap_remove(struct ae_source *s)
{
	struct ae_loop *l = s->loop;
	size_t i = s->index;
	struct ae_source *last;

	if (i == IDLE)
		return;
	s->index = IDLE;
	last = l->heap[--l->nheap];
	if (last != s)
		heap_settle(l, i, last);
}

int
ae_loop_timer(struct ae_source **out, struct ae_loop *l, ae_loop_fn *fn,
    void *arg, struct ae_err *e)
{
	struct ae_source *s, **heap;
	size_t cap;

	/* Arming it does not fail then. */
	if (l->ntimers == l->cap) {
		cap = l->cap == 0 ? 8 : 2 * l->cap;
		heap = reallocarray(l->heap, cap, sizeof(struct ae_source *));
		if (heap == NULL)
			return ae_fail_mem(e);
		l->heap = heap;
		l->cap = cap;
	}
	s = source_new(l, SOURCE_TIMER, arg);
	if (s == NULL)
		return ae_fail_mem(e);
	s->fn.plain = fn;
	l->ntimers++;
	*out = s;
	return AE_OK;
}

void
ae_source_set_timer(struct ae_source *s, int64_t at)
{
	struct ae_loop *l = s->loop;

	assert(s->kind == SOURCE_TIMER);
	s->at = at;
	if (at == AE_LOOP_NEVER)
		heap_remove(s);
	else
		heap_settle(l, s->index != IDLE ? s->index : l->nheap++, s);
}

/* ---- deferred, and for later ---- */

static int
plain_new(struct ae_source **out, struct ae_loop *l, struct ring *due,
    ae_loop_fn *fn, void *arg, struct ae_err *e)
{
	struct ae_source *s = source_new(l, SOURCE_PLAIN, arg);

	if (s == NULL)
		return ae_fail_mem(e);
	s->fn.plain = fn;
	if (due != NULL)
		ring_append(due, &s->link);
	*out = s;
	return AE_OK;
}

int
ae_loop_defer(struct ae_source **out, struct ae_loop *l, ae_loop_fn *fn,
    void *arg, struct ae_err *e)
{
	return plain_new(out, l, &l->deferred, fn, arg, e);
}

int
ae_loop_later(struct ae_source **out, struct ae_loop *l, ae_loop_fn *fn,
    void *arg, struct ae_err *e)
{
	return plain_new(out, l, NULL, fn, arg, e);
}

void
ae_source_later(struct ae_source *s)
{
	ring_append(&s->loop->later, &s->link);
}

/* Those that are due now; what they ask for again is for the next turn. */
static int
run_ring(struct ae_loop *l, struct ring *due)
{
	struct ae_source *s;
	struct ring now;
	int n = 0;

	ring_move(&now, due);
	while (now.next != &now) {
		s = (struct ae_source *)now.next;
		if (l->ended) {
			ring_append(due, &s->link);
			continue;
		}
		ring_remove(&s->link);
		s->fn.plain(s->arg);
		n++;
	}
	return n;
}

/* ---- signals and children ---- */

static void
on_signals(void *arg, int fd, unsigned events)
{
	struct ae_loop *l = arg;
	struct signalfd_siginfo si;
	struct ring *r;

	(void)events;
	while (!l->ended && read(fd, &si, sizeof(si)) == (ssize_t)sizeof(si)) {
		for (r = l->handlers.next; r != &l->handlers; r = r->next) {
			struct ae_source *s = (struct ae_source *)r;

			if (s->fd != (int)si.ssi_signo)
				continue;
			s->fn.signal(s->arg, s->fd);
			break;
		}
	}
}

/* The descriptor they are read from is for those that somebody waits for. */
static int
signals_watch(struct ae_loop *l, struct ae_err *e)
{
	int fd = signalfd(l->signals, &l->mask, SFD_CLOEXEC | SFD_NONBLOCK);

	if (fd < 0)
		return ae_fail_errno(e, errno, "watching a signal");
	if (l->signals >= 0)
		return AE_OK;
	l->signals = fd;
	return ae_loop_fd(&l->signals_in, l, fd, AE_LOOP_IN, on_signals, l, e);
}

int
ae_loop_signal(struct ae_source **out, struct ae_loop *l, int signo,
    ae_loop_signal_fn *fn, void *arg, struct ae_err *e)
{
	struct ae_source *s = source_new(l, SOURCE_SIGNAL, arg);
	sigset_t set;
	int rc;

	if (s == NULL)
		return ae_fail_mem(e);
	s->fn.signal = fn;
	s->fd = signo;
	(void)sigemptyset(&set);
	(void)sigaddset(&set, signo);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	(void)sigaddset(&l->mask, signo);
	rc = signals_watch(l, e);
	if (rc < 0) {
		free(s);
		return rc;
	}
	ring_append(&l->handlers, &s->link);
	*out = s;
	return AE_OK;
}

static void
signal_forget(struct ae_source *s)
{
	struct ae_loop *l = s->loop;
	struct ae_err ignored = AE_ERR_INIT;

	/* It stays blocked, as it was promised. */
	(void)sigdelset(&l->mask, s->fd);
	if (signals_watch(l, &ignored) < 0)
		ignored.rc = AE_OK; /* then nobody is told when it comes */
}

/* Some child changed: ask for each of ours.  Callbacks may free any. */
static void
on_sigchld(void *arg, int signo)
{
	struct ae_loop *l = arg;
	struct ring *r;
	int status;

	(void)signo;
	for (r = l->children.next; r != &l->children; r = l->next_child) {
		struct ae_source *s = (struct ae_source *)r;
		pid_t pid = s->pid;

		l->next_child = r->next;
		if (pid == 0 || waitpid(pid, &status, WNOHANG) != pid)
			continue;
		s->pid = 0;
		s->fn.child(s->arg, pid, status);
	}
}

int
ae_loop_child(struct ae_source **out, struct ae_loop *l, pid_t pid,
    ae_loop_child_fn *fn, void *arg, struct ae_err *e)
{
	struct ae_source *s = source_new(l, SOURCE_CHILD, arg);
	int rc = AE_OK;

	if (s == NULL)
		return ae_fail_mem(e);
	s->fn.child = fn;
	s->pid = pid;
	if (l->sigchld == NULL)
		rc = ae_loop_signal(&l->sigchld, l, SIGCHLD, on_sigchld, l, e);
	if (rc < 0) {
		free(s);
		return rc;
	}
	ring_append(&l->children, &s->link);
	*out = s;
	return AE_OK;
}

static void
child_forget(struct ae_source *s)
{
	struct ae_loop *l = s->loop;

	if (l->next_child == &s->link)
		l->next_child = s->link.next;
	ring_remove(&s->link);
	if (l->children.next != &l->children)
		return;
	ae_source_free(l->sigchld);
	l->sigchld = NULL;
}

void
ae_source_free(struct ae_source *s)
{
	if (s == NULL)
		return;
	switch (s->kind) {
	case SOURCE_FD:
		fd_forget(s);
		break;
	case SOURCE_TIMER:
		heap_remove(s);
		s->loop->ntimers--;
		break;
	case SOURCE_SIGNAL:
		signal_forget(s);
		break;
	case SOURCE_CHILD:
		child_forget(s);
		break;
	case SOURCE_PLAIN:
		break;
	}
	ring_remove(&s->link);
	free(s);
}

/* ---- turns ---- */

int64_t
ae_loop_now(struct ae_loop *l)
{
	return l->turning ? l->now : ae_clock_mono_ms();
}

/* How long epoll may wait, at most that. */
static int
patience(const struct ae_loop *l, int64_t most)
{
	int64_t left;

	if (l->deferred.next != &l->deferred || l->later.next != &l->later)
		return 0;
	if (l->nheap > 0) {
		left = l->heap[0]->at - ae_clock_mono_ms();
		left = left < 0 ? 0 : left;
		most = most < 0 || left < most ? left : most;
	}
	return most < 0 ? -1 : most < WAIT_MAX ? (int)most : WAIT_MAX;
}

static int
run_timers(struct ae_loop *l)
{
	struct ae_source *s;
	int n = 0;

	/* One that arms itself for now again has its turn in the next. */
	for (; !l->ended && l->nheap > 0 && n < READY_MAX; n++) {
		s = l->heap[0];
		if (s->at > l->now)
			break;
		heap_remove(s);
		s->fn.plain(s->arg);
	}
	return n;
}

static void
dispatch(struct ae_loop *l)
{
	int n = l->nready;

	for (l->at = 0; l->at < l->nready && !l->ended;) {
		struct epoll_event *ev = &l->ready[l->at++];

		if (ev->data.ptr != NULL)
			fd_dispatch(ev->data.ptr, ev->events);
	}
	l->nready = l->at = 0;
	n += run_timers(l);
	n += run_ring(l, &l->deferred);
	if (n == 0)
		(void)run_ring(l, &l->later);
}

int
ae_loop_turn(struct ae_loop *l, int64_t wait_ms, struct ae_err *e)
{
	int n;

	if (l->ended)
		return ae_fail_errno(e, ESTALE, "waiting for events");
	n = epoll_wait(l->epoll, l->ready, READY_MAX, patience(l, wait_ms));
	if (n < 0 && errno != EINTR)
		return ae_fail_errno(e, errno, "waiting for events");
	l->nready = n < 0 ? 0 : n;
	l->now = ae_clock_mono_ms();
	l->turning = true;
	dispatch(l);
	l->turning = false;
	return AE_OK;
}

int
ae_loop_run(struct ae_loop *l, int *code, struct ae_err *e)
{
	int rc;

	while (!l->ended)
		if ((rc = ae_loop_turn(l, -1, e)) < 0)
			return rc;
	*code = l->code;
	return AE_OK;
}

void
ae_loop_exit(struct ae_loop *l, int code)
{
	l->code = code;
	l->ended = true;
}
