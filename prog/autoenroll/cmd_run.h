/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What the commands share that do a run in this process; cmd_pulse.c.
 */
#ifndef AE_AUTOENROLL_CMD_RUN_H
#define AE_AUTOENROLL_CMD_RUN_H

#include <stdbool.h>

#include "../autoenrolld/pulse.h"
#include "cli.h"

/* For the user who asks, or for the machine, which is root's: EXIT_OK, or
 * the exit code after saying why not. */
int cmd_whose(struct cli *cli, const char *command, bool user);

/* Run here; what fails is for the caller to say. */
int cmd_plan_here(struct cli *cli, const struct pulse_options *o,
    json_t **report, struct ae_err *e) AE_MUST_CHECK;

/* Run here and show it; the exit code. */
int cmd_run_here(struct cli *cli, const struct pulse_options *o, bool plan_only,
    bool explain);

#endif
