/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Batches in PostgreSQL.  One at a time over all nodes: a lock that the
 * server holds for the transaction makes the audit chain one chain.  A
 * commit whose answer got lost is looked up in that chain.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/hex.h"
#include "db/pg.h"
#include "sys/clock.h"

#define DOUBT_MS 20000 /* for finding out what became of a commit */
#define CLAIM_MS 3000  /* for a session of ours that is just ending */
#define PAUSE_MS 100
#define LOCK "SELECT pg_advisory_xact_lock(16709, 'audit'::regclass::oid::int);"

static void
pause_ms(long ms)
{
	const struct timespec t = { .tv_nsec = ms * 1000000 };

	(void)nanosleep(&t, NULL);
}

/*
 * This node's byte of serial numbers, held by the session.  Without it
 * another node could have the same, and make void what we have in hand.
 */
static int
claim(struct ae_db *db, struct ae_err *e)
{
	const int64_t until = ae_clock_mono_ms() + CLAIM_MS;
	struct pg *p = pg_of(db);
	PGresult *r = NULL;
	char sql[160];
	int rc;

	if (p->claimed || db->opt.instance == 0)
		return AE_OK;
	(void)snprintf(sql, sizeof(sql),
	    "SELECT pg_try_advisory_lock((16709::bigint << 48) |"
	    " ('audit'::regclass::oid::bigint << 8) | %u)",
	    db->opt.instance);
	for (;;) {
		rc = pg_query(db, sql, &r, e);
		if (rc != AE_OK)
			return rc;
		p->claimed = PQgetvalue(r, 0, 0)[0] == 't';
		PQclear(r);
		if (p->claimed)
			return AE_OK;
		if (ae_clock_mono_ms() >= until)
			return ae_fail(e, AE_EUNAVAIL, AE_DOM_NONE, 0,
			    "another node of this CA uses serial-instance %u: "
			    "each needs its own",
			    db->opt.instance);
		pause_ms(PAUSE_MS);
	}
}

/*
 * What was committed through this handle is still there, and nobody has found
 * that something else is not.
 */
static int
expect_ours(struct ae_db *db, PGresult *r, struct ae_err *e)
{
	char ours[2 * AE_DB_HASH_LEN + 1];

	if (db->opt.forgiving)
		return AE_OK;
	if (PQgetvalue(r, 0, 3)[0] != '\0')
		return ae_fail(e, AE_ETRUST, AE_DOM_NONE, 0, "%.400s",
		    PQgetvalue(r, 0, 3));
	ae_hex_encode(ours, db->link_committed, AE_DB_HASH_LEN);
	if (db->seq_committed > 0 && strcmp(PQgetvalue(r, 0, 2), ours) != 0)
		return ae_fail(e, AE_ETRUST, AE_DOM_NONE, db->seq_committed,
		    AE_DB_GONE_BACK, (long long)db->seq_committed);
	return AE_OK;
}

/* Where the audit chain ends: what begin() asked for. */
static int
take_end(struct ae_db *db, PGresult *r, struct ae_err *e)
{
	const char *link;
	int rc = expect_ours(db, r, e);

	if (rc != AE_OK)
		return rc;
	if (PQgetisnull(r, 0, 0)) { /* nothing was written yet */
		db->seq = 0;
		memset(db->link, 0, sizeof(db->link));
	} else {
		db->seq = strtoll(PQgetvalue(r, 0, 0), NULL, 10);
		link = PQgetvalue(r, 0, 1);
		if (!ae_hex_decode(db->link, sizeof(db->link), link))
			return ae_fail(e, AE_EPROTO, AE_DOM_NONE, db->seq,
			    "the last link of the audit chain is no hash");
	}
	db->seq_committed = db->seq;
	memcpy(db->link_committed, db->link, sizeof(db->link));
	return AE_OK;
}

static int
try_begin(struct ae_db *db, struct ae_err *e)
{
	/* each with a view of its own: the last one sees what the holder of
	   the lock before us wrote */
	static const char sql[] =
	    "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;" LOCK
	    "SELECT a.seq, encode(a.link, 'hex'),"
	    " (SELECT encode(link, 'hex') FROM audit WHERE seq = %lld),"
	    " (SELECT value FROM meta WHERE key = '" AE_DB_SUSPENDED "')"
	    " FROM (SELECT max(seq) AS seq FROM audit) m"
	    " LEFT JOIN audit a ON a.seq = m.seq";
	char text[sizeof(sql) + 20];
	PGresult *r = NULL;
	int rc;

	(void)snprintf(text, sizeof(text), sql, (long long)db->seq_committed);

	rc = pg_ready(db, e);
	if (rc == AE_OK)
		rc = claim(db, e);
	if (rc == AE_OK)
		rc = pg_query(db, text, &r, e);
	if (rc == AE_OK) {
		rc = take_end(db, r, e);
		PQclear(r);
	}
	if (rc == AE_OK)
		pg_of(db)->batch = pg_of(db)->generation;
	return rc;
}

int
pg_begin(struct ae_db *db, struct ae_err *e)
{
	struct ae_err first = AE_ERR_INIT;
	const bool had = pg_of(db)->c != NULL;
	int rc = try_begin(db, &first);

	/* one that died while nobody used it: nothing was begun on it */
	if (rc == AE_EUNAVAIL && had && pg_of(db)->c == NULL)
		return try_begin(db, e);
	if (rc != AE_OK) {
		pg_rollback(db);
		if (e != NULL)
			*e = first;
	}
	return rc;
}

/*
 * Behind the lock, which whoever is still at it holds, the chain has our last
 * link or never will.  A transaction's number would not do: a server that
 * crashed may give it to another one.
 */
static int
look(struct ae_db *db, bool *done, struct ae_err *e)
{
	char sql[200], ours[2 * AE_DB_HASH_LEN + 1];
	PGresult *r = NULL;
	int rc;

	ae_hex_encode(ours, db->link, sizeof(db->link));
	(void)snprintf(sql, sizeof(sql),
	    "BEGIN;" LOCK "SELECT encode(link, 'hex') FROM audit"
	    " WHERE seq = %lld",
	    (long long)db->seq);
	rc = pg_ready(db, e);
	if (rc == AE_OK)
		rc = pg_query(db, sql, &r, e);
	if (rc == AE_OK)
		*done = db->seq > db->seq_committed && PQntuples(r) == 1 &&
		    strcmp(PQgetvalue(r, 0, 0), ours) == 0;
	PQclear(r);
	pg_rollback(db);
	return rc;
}

/* The answer to COMMIT did not come: was it done? */
static int
in_doubt(struct ae_db *db, struct ae_err *e)
{
	const int64_t until = ae_clock_mono_ms() + DOUBT_MS;
	struct ae_err why = AE_ERR_INIT;
	bool done = false;

	do {
		if (look(db, &done, &why) == AE_OK)
			return done
			    ? AE_OK
			    : ae_fail(e, AE_EUNAVAIL, AE_DOM_NONE, 0,
				  "the connection was lost and the batch "
				  "undone");
		pause_ms(PAUSE_MS);
	} while (ae_clock_mono_ms() < until);
	db->broken = true;
	return ae_fail(e, AE_EIO, AE_DOM_NONE, 0,
	    "PostgreSQL went away in a commit, and whether it was done is not "
	    "known: %.300s",
	    why.text);
}

int
pg_commit(struct ae_db *db, struct ae_err *e)
{
	struct pg *p = pg_of(db);
	struct ae_err why = AE_ERR_INIT;
	PGresult *r = NULL;
	bool done;
	int rc;

	if (p->c == NULL || p->batch != p->generation)
		return ae_fail(e, AE_EUNAVAIL, AE_DOM_NONE, 0,
		    "the connection to PostgreSQL was lost in a batch");
	if (PQsendQuery(p->c, "COMMIT") != 1) {
		pg_lost(db);
		return in_doubt(db, e);
	}
	rc = pg_wait(db, &r, &why);
	if (rc == AE_EREMOTE && PQstatus(p->c) == CONNECTION_OK)
		return pg_refused(db, r, "committing a batch", e);
	if (rc != AE_OK) {
		PQclear(r);
		pg_lost(db);
		return in_doubt(db, e);
	}
	/* of a transaction that had failed, COMMIT makes ROLLBACK */
	done = strcmp(PQcmdStatus(r), "COMMIT") == 0;
	PQclear(r);
	return done ? AE_OK
		    : ae_fail(e, AE_EUNAVAIL, AE_DOM_NONE, 0,
			  "PostgreSQL has undone the batch");
}

void
pg_rollback(struct ae_db *db)
{
	struct ae_err ignored = AE_ERR_INIT;
	struct pg *p = pg_of(db);

	if (p->c == NULL || PQtransactionStatus(p->c) == PQTRANS_IDLE)
		return;
	/* what cannot be undone ends with its session */
	if (pg_query(db, "ROLLBACK", NULL, &ignored) != AE_OK)
		pg_lost(db);
}
