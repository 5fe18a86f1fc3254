/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What is done to a CA that does not run: between the commands backup and
 * restore.
 */
#ifndef CERTSRV_RESTORE_H
#define CERTSRV_RESTORE_H

#include "cli.h"

/*
 * No certsrvd of this root runs, and none starts until *lock is closed.
 * AE_EUNAVAIL: one runs; doing is what was to be done, for the text.
 */
int restore_stopped(struct cli *cli, int *lock, const char *doing,
    struct ae_err *e) AE_MUST_CHECK;

cli_fn restore_acknowledge; /* restore_ack.c */

#endif
