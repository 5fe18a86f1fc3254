/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * A server's database that another one takes the place of: nobody may be at
 * work with it, and what it has is kept in a schema of another name.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/wr.h"
#include "db/copy.h"
#include "db/pg.h"
#include "sys/clock.h"

#define NAME_MAX_LEN 40u
#define ENDING_MS 2000 /* for a node that is just ending */

/* The locks that nodes hold while they are connected; see pg_batch.c. */
static const char nodes[] =
    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
    " AND objsubid = 1 AND (classid::bigint >> 16) = 16709"
    " AND database = (SELECT oid FROM pg_database"
    " WHERE datname = current_database()) AND pid <> pg_backend_pid()";

static int
expect_server(struct ae_db *db, struct ae_err *e)
{
	return db->port == &ae_db_port_pg
	    ? pg_ready(db, e)
	    : ae_fail(e, AE_EINTERNAL, AE_DOM_NONE, 0,
		  "the database is no server's");
}

/* How many nodes are connected, as text. */
static int
count_nodes(struct ae_db *db, char n[16], struct ae_err *e)
{
	PGresult *r = NULL;
	int rc = pg_query(db, nodes, &r, e);

	if (rc == AE_OK)
		(void)snprintf(n, 16, "%s", PQgetvalue(r, 0, 0));
	PQclear(r);
	return rc;
}

int
ae_db_server_unused(struct ae_db *db, struct ae_err *e)
{
	const int64_t until = ae_clock_mono_ms() + ENDING_MS;
	const struct timespec pause = { .tv_nsec = 100000000 };
	int rc = expect_server(db, e);
	char n[16] = "0";

	while (rc == AE_OK) {
		rc = count_nodes(db, n, e);
		if (rc != AE_OK || strcmp(n, "0") == 0)
			return rc;
		if (ae_clock_mono_ms() >= until)
			break;
		(void)nanosleep(&pause, NULL);
	}
	return rc != AE_OK ? rc
			   : ae_fail(e, AE_EUNAVAIL, AE_DOM_NONE, 0,
				 "%s nodes are connected to the database: stop "
				 "certsrvd on all of them",
				 n);
}

int
ae_db_server_aside(struct ae_db *db, const char *name, struct ae_err *e)
{
	const char *table, *sql;
	struct ae_wr w;
	size_t i;
	int rc = expect_server(db, e);

	if (rc == AE_OK &&
	    (strlen(name) > NAME_MAX_LEN ||
		strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") !=
		    strlen(name)))
		rc = ae_fail(e, AE_EINTERNAL, AE_DOM_NONE, 0,
		    "a schema cannot be called %.60s", name);
	if (rc != AE_OK)
		return rc;
	ae_wr_init(&w, 4096);
	ae_wr_printf(&w, "BEGIN; CREATE SCHEMA %s;", name);
	for (i = 0; ae_db_copy_table(i, &table); i++)
		ae_wr_printf(&w, " ALTER TABLE %s SET SCHEMA %s;", table, name);
	ae_wr_printf(&w, " ALTER TABLE ca_schema SET SCHEMA %s; COMMIT", name);
	sql = ae_wr_cstr(&w);
	rc = sql == NULL ? ae_fail_mem(e) : pg_query(db, sql, NULL, e);
	if (rc != AE_OK)
		pg_rollback(db);
	ae_wr_done(&w);
	return rc == AE_OK
	    ? rc
	    : ae_note(e, rc, "keeping the tables that are there");
}
