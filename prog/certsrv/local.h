/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The database for those who cannot open it: administrators on the CA's host
 * who are not root have its rows from the running certsrvd.
 */
#ifndef CERTSRV_LOCAL_H
#define CERTSRV_LOCAL_H

#include "cli.h"
#include "db/db.h"

/* As ae_db_request_list and ae_db_request_get. */
int local_list(const struct cli *cli, const struct ae_db_filter *f,
    struct ae_db_request **out, size_t *n, struct ae_arena *a,
    struct ae_err *e) AE_MUST_CHECK;
int local_get(const struct cli *cli, int64_t id, struct ae_db_request *out,
    struct ae_arena *a, struct ae_err *e) AE_MUST_CHECK;

#endif
