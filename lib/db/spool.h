/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Revoked rows that are needed twice: read from the database once, and from
 * then on out of a file without a name.  Their number costs no memory.
 */
#ifndef AE_DB_SPOOL_H
#define AE_DB_SPOOL_H

#include "db/db.h"

struct ae_db_spool;

/* In a directory that can be written to. */
int ae_db_spool_new(
    struct ae_db_spool **out, const char *dir, struct ae_err *e) AE_MUST_CHECK;
void ae_db_spool_free(struct ae_db_spool *s);

/* One more row behind the others; AE_ELIMIT: the disk is full. */
int ae_db_spool_add(struct ae_db_spool *s, const struct ae_db_revoked *r,
    struct ae_err *e) AE_MUST_CHECK;

/* No row is added any more; the next one is the first. */
int ae_db_spool_rewind(struct ae_db_spool *s, struct ae_err *e) AE_MUST_CHECK;

/*
 * The next row, AE_ENOTFOUND behind the last one.  Its serial number is
 * borrowed until the next call.
 */
int ae_db_spool_next(struct ae_db_spool *s, struct ae_db_revoked *r,
    struct ae_err *e) AE_MUST_CHECK;

#endif
