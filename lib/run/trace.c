/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Stages of talking to a server, timed; see rpc_client.h.
 */
#include "run/trace.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

static const char *const names[] = {
	[AE_RUN_NAME] = "name",
	[AE_RUN_CONNECT] = "connect",
	[AE_RUN_TICKET] = "ticket",
	[AE_RUN_BIND] = "bind",
	[AE_RUN_CALL] = "call",
};

const char *
ae_run_stage_name(enum ae_run_stage_kind kind)
{
	return names[kind];
}

static int64_t
mono_us(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

void
ae_run_stage_begin(
    struct ae_run_timer *t, enum ae_run_stage_kind kind, const char *fmt, ...)
{
	va_list ap;

	t->stage = (struct ae_run_stage){ .kind = kind };
	va_start(ap, fmt);
	(void)vsnprintf(t->stage.what, sizeof(t->stage.what), fmt, ap);
	va_end(ap);
	t->start = mono_us();
}

int
ae_run_stage_end(struct ae_run_timer *t, struct ae_run_trace *trace, int rc,
    const struct ae_err *e)
{
	t->stage.us = mono_us() - t->start;
	if (rc != AE_OK)
		t->stage.err = *e;
	if (trace != NULL && trace->n < AE_RUN_STAGES_MAX)
		trace->v[trace->n++] = t->stage;
	return rc;
}
