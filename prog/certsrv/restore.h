/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What is done to a CA that does not run: between the commands backup and
 * restore.
 */
#ifndef CERTSRV_RESTORE_H
#define CERTSRV_RESTORE_H

#include <stdbool.h>

#include "cli.h"

/*
 * No certsrvd of this root runs, and none starts until *lock is closed.
 * AE_EUNAVAIL: one runs; doing is what was to be done, for the text.
 */
int restore_stopped(struct cli *cli, int *lock, const char *doing,
    struct ae_err *e) AE_MUST_CHECK;

cli_fn restore_acknowledge; /* restore_ack.c */

/* ---- restore_server.c: the database is a server's ---- */

#define RESTORE_KEPT_MAX 48

/* The configuration with this server instead of its own. */
int restore_elsewhere(
    struct conf *c, const char *uri, struct ae_err *e) AE_MUST_CHECK;

/* Has it rows?  AE_EUNAVAIL: nodes are at work with it. */
int restore_server_look(
    const struct conf *c, bool *rows, struct ae_err *e) AE_MUST_CHECK;

/*
 * The rows of the file from; tables that are there go into the schema kept
 * ("": there were none).
 */
int restore_server_put(const struct conf *c, const char *from,
    char kept[RESTORE_KEPT_MAX], struct ae_err *e) AE_MUST_CHECK;

#endif
