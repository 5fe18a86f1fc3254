/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * All rows of one database into another, empty one: from a file to a server,
 * or back.
 */
#ifndef AE_DB_COPY_H
#define AE_DB_COPY_H

#include "db/db.h"

struct ae_db_copied {
	int64_t rows;	  /* of all tables */
	int64_t requests; /* of the one that people count */
	int64_t links;	  /* of the audit chain, verified on both sides */
};

/*
 * One batch of to, which has to be without rows (AE_EINVAL otherwise); on
 * failure nothing of it is there.  What is copied is from as it is when this
 * begins, whoever writes meanwhile; from is of no other use afterwards.  Both
 * sides' rows are counted and their audit chains walked.
 */
int ae_db_copy(struct ae_db *to, struct ae_db *from, struct ae_db_copied *out,
    struct ae_err *e) AE_MUST_CHECK;

/* The i-th table of the schema; false: there are fewer. */
bool ae_db_copy_table(size_t i, const char **name);

/* Has it no rows? */
int ae_db_is_empty(
    struct ae_db *db, bool *empty, struct ae_err *e) AE_MUST_CHECK;

/*
 * A server's database, before another one is put in its place: AE_EUNAVAIL,
 * nodes are connected to it.
 */
int ae_db_server_unused(struct ae_db *db, struct ae_err *e) AE_MUST_CHECK;
/*
 * Its tables into a schema of this name, a new one: what was there is kept,
 * and the database is as before the first start.  The handle is of no other
 * use afterwards.
 */
int ae_db_server_aside(
    struct ae_db *db, const char *name, struct ae_err *e) AE_MUST_CHECK;

#endif
