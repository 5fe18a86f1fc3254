/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * autoenroll diagnose --from-csv: events that other hosts exported.
 */
#ifndef AE_CLI_CMD_DIAGNOSE_CSV_H
#define AE_CLI_CMD_DIAGNOSE_CSV_H

#include "cli.h"
#include "diag/text.h"

/*
 * Files, directories of them (*.csv), or "-" for standard input.  One is
 * told in full, of several one line each and the hosts by cause; all tells
 * everything of everyone.  The exit code: 0 nothing is wrong, 1 something
 * is, 3 no events, 4 nothing could be read.
 */
int ae_diagnose_csv(struct cli *cli, char *const *paths, size_t n,
    enum ae_diag_lang lang, bool all);

#endif
