/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Recording one stage.  For lib/run itself.
 */
#ifndef AE_RUN_TRACE_H
#define AE_RUN_TRACE_H

#include "run/rpc_client.h"

struct ae_run_timer {
	struct ae_run_stage stage;
	int64_t start;
};

void ae_run_stage_begin(struct ae_run_timer *t, enum ae_run_stage_kind kind,
    const char *fmt, ...) AE_PRINTF(3, 4);

/* Adds it to trace (NULL is fine); returns rc.  e is read when rc is not
 * AE_OK and must then not be NULL. */
int ae_run_stage_end(struct ae_run_timer *t, struct ae_run_trace *trace, int rc,
    const struct ae_err *e);

#endif
