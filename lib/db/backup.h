/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * A copy of the database as it is at one moment, made while others write: one
 * file of SQLite.
 */
#ifndef AE_DB_BACKUP_H
#define AE_DB_BACKUP_H

#include "db/db.h"

struct ae_db_backup;

/*
 * Begin a copy of the database at from into a new file at to (AE_EINVAL when
 * there is one).  What is copied is what was committed when this returned.
 */
int ae_db_backup_new(struct ae_db_backup **out, const char *from,
    const char *to, struct ae_err *e) AE_MUST_CHECK;

/* So many more pages; *done: it is whole, in one file, and durable. */
int ae_db_backup_step(struct ae_db_backup *b, int pages, bool *done,
    struct ae_err *e) AE_MUST_CHECK;

/* Pages that are copied, of how many; 0 of 0 before the first step. */
void ae_db_backup_progress(
    const struct ae_db_backup *b, int *copied, int *total);

/* Not done: the file is removed. */
void ae_db_backup_free(struct ae_db_backup *b);

/*
 * A server's database, as it is now, into a new file at to (AE_EINVAL when
 * there is one): SQLite's as well, so that all backups are read the same way.
 * From is of no other use afterwards.  Whole, in one file, and durable; on
 * failure there is none.
 */
int ae_db_backup_server(
    struct ae_db *from, const char *to, struct ae_err *e) AE_MUST_CHECK;

/*
 * In a batch: one more backup is being made; its number, which the copy
 * carries as well when it is made afterwards, and an entry of the audit chain.
 */
int ae_db_backup_begin(struct ae_db *db, const char *by, int64_t now,
    int64_t *generation, struct ae_err *e) AE_MUST_CHECK;

#endif
