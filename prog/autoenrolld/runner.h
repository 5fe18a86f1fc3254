/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The process of one run, seen from the one that started it: what it does at
 * the moment, how it ended, its report – which is passed on unread – and how
 * to end it with all it started.
 *
 * The run writes lines: 'S' and a stage, 'R' and its result as a small JSON
 * object, 'J' and the report.
 */
#ifndef AE_CLIENT_RUNNER_H
#define AE_CLIENT_RUNNER_H

#include <jansson.h>

#include "client.h"
#include "enroll/task.h"
#include "sys/loop.h"

#define RUNNER_REPORT_MAX (16u * 1024u * 1024u)
#define RUNNER_RESULT_MAX 8192u

struct runner;

enum runner_kind { RUNNER_RUN, RUNNER_REFRESH, RUNNER_CHECK };

struct runner_end {
	const char *report; /* NULL: none came; borrowed */
	size_t len;
	json_t *result; /* of the 'R' line, NULL: none came; borrowed */
};

typedef void runner_stage_fn(void *arg, const char *stage);
/* The process is gone.  The runner is freed by who made it, maybe here. */
typedef void runner_end_fn(void *arg, const struct runner_end *end);

int runner_start(struct runner **out, const struct client *c,
    struct ae_loop *loop, enum runner_kind kind, runner_stage_fn *stage,
    runner_end_fn *end, void *arg, struct ae_err *e) AE_MUST_CHECK;

/* To the process and all of its group: SIGTERM, or SIGKILL. */
void runner_signal(struct runner *r, int signo);

/* A process that still runs is ended with all it started. */
void runner_free(struct runner *r);

/* The process itself: do it, writing the lines to fd; the exit code. */
int runner_main(
    struct client *c, int fd, enum runner_kind kind, struct ae_err *e);

#endif
