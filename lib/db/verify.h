/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The rows against the audit chain: pages that are whole can hold a byte that
 * is not what was written.
 */
#ifndef AE_DB_VERIFY_H
#define AE_DB_VERIFY_H

#include "db/db.h"

/*
 * Every certificate that the chain says was issued: its row is there, has
 * that certificate and the request it was made for, is issued or revoked, and
 * its serial number is known as its own, and as revoked only when it is.
 * *rows: how many.  AE_EPROTO names the first that is not so.
 */
int ae_db_verify_rows(
    struct ae_db *db, int64_t *rows, struct ae_err *e) AE_MUST_CHECK;

#endif
