/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * A run for "autoenroll pulse": by the daemon when it is there, else here,
 * with the same state, the same limits and the same report.
 */
#ifndef AE_CLI_FOREGROUND_H
#define AE_CLI_FOREGROUND_H

#include "../autoenrolld/control.h"
#include "cli.h"

/*
 * Ask for it.  *answer is a new reference: a report, or when there is none
 * – the daemon's is not waited for, nothing is due, the task is disabled –
 * {"answer": "…", "text": "…"}.  A run here is always waited for.  While
 * another process is at it, what nobody waits for is left to that one.
 */
int foreground_pulse(struct cli *cli, const struct control_request *q,
    json_t **answer, struct ae_err *e) AE_MUST_CHECK;

#endif
