/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * A server's database that another one takes the place of: nobody may be at
 * work with it, and what it has is kept in a schema of another name.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/wr.h"
#include "db/copy.h"
#include "db/pg.h"

#define NAME_MAX_LEN 40u

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

int
ae_db_server_unused(struct ae_db *db, struct ae_err *e)
{
	PGresult *r = NULL;
	int rc = expect_server(db, e);

	if (rc == AE_OK)
		rc = pg_query(db, nodes, &r, e);
	if (rc == AE_OK && strcmp(PQgetvalue(r, 0, 0), "0") != 0)
		rc = ae_fail(e, AE_EUNAVAIL, AE_DOM_NONE, 0,
		    "%s nodes are connected to the database: stop certsrvd on "
		    "all of them",
		    PQgetvalue(r, 0, 0));
	PQclear(r);
	return rc;
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
