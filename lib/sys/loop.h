/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The event loop of a daemon process: descriptors, timers, signals and
 * children, one at a time, on one thread.  The only user of sd-event, so
 * that it can be replaced; protocol libraries do not know it exists.
 */
#ifndef AE_SYS_LOOP_H
#define AE_SYS_LOOP_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct ae_loop;
struct ae_source; /* one registration in a loop */

#define AE_LOOP_IN 1u
#define AE_LOOP_OUT 2u
#define AE_LOOP_HUP 4u /* reported, never asked for */

/*
 * Callbacks.  A callback may free its own source, any other source, and ask
 * the loop to exit; it may not free the loop.
 */
typedef void ae_loop_fd_fn(void *arg, int fd, unsigned events);
typedef void ae_loop_fn(void *arg);
typedef void ae_loop_signal_fn(void *arg, int signo);
typedef void ae_loop_child_fn(void *arg, pid_t pid, int status);

/* A loop of this thread.  Free the sources first. */
int ae_loop_new(struct ae_loop **out, struct ae_err *e) AE_MUST_CHECK;
void ae_loop_free(struct ae_loop *l);

/*
 * Watch fd (borrowed) for AE_LOOP_IN | AE_LOOP_OUT, level triggered.  0 keeps
 * the registration but reports only AE_LOOP_HUP.
 */
int ae_loop_fd(struct ae_source **out, struct ae_loop *l, int fd,
    unsigned events, ae_loop_fd_fn *fn, void *arg,
    struct ae_err *e) AE_MUST_CHECK;
void ae_source_set_events(struct ae_source *s, unsigned events);

/*
 * A one-shot timer, created idle; ae_source_set_timer() arms it for a point
 * of ae_loop_now() milliseconds, or disarms it with AE_LOOP_NEVER.  It may be
 * armed again from its own callback.
 */
#define AE_LOOP_NEVER INT64_MAX
int ae_loop_timer(struct ae_source **out, struct ae_loop *l, ae_loop_fn *fn,
    void *arg, struct ae_err *e) AE_MUST_CHECK;
void ae_source_set_timer(struct ae_source *s, int64_t at);

/*
 * Something for when all that has come in is dealt with: fn once, each time
 * ae_source_later() asks for it.  As long as descriptors are ready it waits,
 * so whoever uses it bounds for himself what is put off.
 */
int ae_loop_later(struct ae_source **out, struct ae_loop *l, ae_loop_fn *fn,
    void *arg, struct ae_err *e) AE_MUST_CHECK;
void ae_source_later(struct ae_source *s);

/* A signal of this process; it is blocked from here on. */
int ae_loop_signal(struct ae_source **out, struct ae_loop *l, int signo,
    ae_loop_signal_fn *fn, void *arg, struct ae_err *e) AE_MUST_CHECK;

/*
 * The end of a child, reaped by the loop; status as wait(2) gives it.  Once.
 * The caller blocks SIGCHLD (ae_loop_new does) before it forks.
 */
int ae_loop_child(struct ae_source **out, struct ae_loop *l, pid_t pid,
    ae_loop_child_fn *fn, void *arg, struct ae_err *e) AE_MUST_CHECK;

/* Call fn once, after the events of this turn.  Free the source after. */
int ae_loop_defer(struct ae_source **out, struct ae_loop *l, ae_loop_fn *fn,
    void *arg, struct ae_err *e) AE_MUST_CHECK;

/* Stop hearing of it and release the registration.  NULL is fine. */
void ae_source_free(struct ae_source *s);

/* Monotonic milliseconds, the same throughout one turn of the loop. */
int64_t ae_loop_now(struct ae_loop *l);

/* Runs until ae_loop_exit(); *code is what that was given. */
int ae_loop_run(struct ae_loop *l, int *code, struct ae_err *e) AE_MUST_CHECK;
void ae_loop_exit(struct ae_loop *l, int code);

/*
 * One turn: wait at most wait_ms (negative: until something happens) and
 * dispatch.  For programs that do one thing and leave.
 */
int ae_loop_turn(
    struct ae_loop *l, int64_t wait_ms, struct ae_err *e) AE_MUST_CHECK;

#endif
