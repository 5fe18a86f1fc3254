/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Between the two halves of the port to PostgreSQL: the connection, and what
 * is said over it.
 */
#ifndef AE_DB_PG_H
#define AE_DB_PG_H

#include <libpq-fe.h>

#include "db/impl.h"

/* Nothing the server is asked takes longer, or it counts as gone. */
#define PG_ANSWER_MS 30000
#define PG_MIGRATE_MS (3600 * 1000)

struct pg {
	PGconn *c; /* NULL: there is none now */
	/* Counts connections: a statement of an earlier one is prepared anew,
	   a batch of an earlier one is lost. */
	unsigned generation, batch;
	char *uri, *password;
	bool once;		   /* a snapshot: gone with its connection */
	bool claimed;		   /* instance is ours on this connection */
	int64_t retry_at, backoff; /* milliseconds */
	int64_t answer_ms;
	unsigned names;
};

static inline struct pg *
pg_of(const struct ae_db *db)
{
	return db->impl;
}

/*
 * There is a connection after this, made now if need be.  Tries that fail
 * are at least db.h's backoff apart: until then AE_EUNAVAIL at once.
 */
int pg_ready(struct ae_db *db, struct ae_err *e) AE_MUST_CHECK;
/* It can be used no longer. */
void pg_lost(struct ae_db *db);

/*
 * Wait for all that a query that was just sent gives.  *res is the last
 * result, and is the caller's, also with AE_EREMOTE: the server says no.
 * AE_EUNAVAIL: the connection is gone.
 */
int pg_wait(struct ae_db *db, PGresult **res, struct ae_err *e) AE_MUST_CHECK;
/* The next result alone, of a query in single-row mode. */
int pg_wait_one(
    struct ae_db *db, PGresult **res, struct ae_err *e) AE_MUST_CHECK;

/* Statements without parameters; *res (NULL: dropped) is the last one's. */
int pg_query(struct ae_db *db, const char *sql, PGresult **res,
    struct ae_err *e) AE_MUST_CHECK;

/*
 * What the server said, as ours, in doing what; takes res.  A batch that is
 * open is undone.
 */
int pg_refused(struct ae_db *db, PGresult *res, const char *what,
    struct ae_err *e) AE_MUST_CHECK;

/* A connection like that one, not connected yet. */
int pg_like(
    struct ae_db *out, const struct pg *like, struct ae_err *e) AE_MUST_CHECK;

/* The batches, pg_batch.c. */
int pg_begin(struct ae_db *db, struct ae_err *e) AE_MUST_CHECK;
int pg_commit(struct ae_db *db, struct ae_err *e) AE_MUST_CHECK;
void pg_rollback(struct ae_db *db);

#endif
