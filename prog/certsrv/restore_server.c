/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * certsrv restore where several nodes have their database on a server: rows
 * are copied into it when no node is at work, and the tables that were there
 * stay in a schema of their own.
 */
#include "restore.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "db/copy.h"
#include "dbconf.h"
#include "sys/clock.h"

int
restore_elsewhere(struct conf *c, const char *uri, struct ae_err *e)
{
	bool local;
	int rc = ae_db_server_check(uri, &local, e);
	char *database, *server;

	if (rc != AE_OK)
		return rc;
	database = strdup(uri);
	server = strdup(uri);
	if (database == NULL || server == NULL) {
		free(database);
		free(server);
		return ae_fail_mem(e);
	}
	free(c->database);
	free(c->db_server);
	c->database = database;
	c->db_server = server;
	return AE_OK;
}

int
restore_server_look(const struct conf *c, bool *rows, struct ae_err *e)
{
	struct ae_db_options o = { .read_only = true };
	struct ae_err why = AE_ERR_INIT;
	struct ae_db *db = NULL;
	bool empty = true;
	int rc = dbconf_open(&db, c, &o, &why);

	*rows = false;
	if (rc == AE_EPROTO)
		return AE_OK; /* no tables of a CA */
	if (rc == AE_OK)
		rc = ae_db_server_unused(db, &why);
	if (rc == AE_OK)
		rc = ae_db_is_empty(db, &empty, &why);
	*rows = !empty;
	ae_db_free(db);
	if (rc < 0)
		*e = why;
	return rc;
}

/* "replaced_20261128t103000z" */
static void
name_kept(char kept[RESTORE_KEPT_MAX])
{
	char when[AE_TIME_STR_MAX], *p;
	size_t n;

	n = (size_t)snprintf(kept, RESTORE_KEPT_MAX, "replaced_");
	(void)ae_time_print(when, ae_clock_now());
	for (p = when; *p != '\0' && n + 1 < RESTORE_KEPT_MAX; p++)
		if (isalnum((unsigned char)*p))
			kept[n++] = (char)tolower((unsigned char)*p);
	kept[n] = '\0';
}

/* A database without rows, whatever was there. */
static int
make_room(struct ae_db **db, const struct conf *c, char kept[RESTORE_KEPT_MAX],
    struct ae_err *e)
{
	struct ae_db_options o = { .create = true };
	bool empty = false;
	int rc = dbconf_open(db, c, &o, e);

	kept[0] = '\0';
	if (rc == AE_OK)
		rc = ae_db_server_unused(*db, e);
	if (rc == AE_OK)
		rc = ae_db_is_empty(*db, &empty, e);
	if (rc != AE_OK || empty)
		return rc;
	name_kept(kept);
	rc = ae_db_server_aside(*db, kept, e);
	ae_db_free(*db);
	*db = NULL;
	return rc == AE_OK ? dbconf_open(db, c, &o, e) : rc;
}

int
restore_server_put(const struct conf *c, const char *from,
    char kept[RESTORE_KEPT_MAX], struct ae_err *e)
{
	const struct ae_db_options o = { .path = from, .read_only = true };
	struct ae_db *file = NULL, *db = NULL;
	struct ae_db_copied copied;
	int rc = ae_db_open(&file, &o, e);

	if (rc == AE_OK)
		rc = make_room(&db, c, kept, e);
	if (rc == AE_OK)
		rc = ae_db_copy(db, file, &copied, e);
	ae_db_free(db);
	ae_db_free(file);
	return rc;
}
