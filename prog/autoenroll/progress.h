/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What a run is doing while somebody waits for it: a line for each stage on
 * standard error, when that is a terminal.
 */
#ifndef AE_CLI_PROGRESS_H
#define AE_CLI_PROGRESS_H

#include "cli.h"

/*
 * Show it from now on: verbose in any case, quiet in none, else when
 * standard error is a terminal and the result is not JSON.
 */
void progress_begin(struct cli *cli, bool quiet, bool verbose);

#endif
