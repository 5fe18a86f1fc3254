/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The schema, step by step from an empty file, and which step a file is at.
 */
#include <stdio.h>

#include "db/impl.h"

/* "AECA": tells file(1) and us that this is a CA's database. */
#define APPLICATION_ID 0x41454341

/* clang-format off */
static const char *const steps[] = {
	/* 1 */
	"CREATE TABLE meta ("
	"  key TEXT PRIMARY KEY, value TEXT NOT NULL"
	") STRICT, WITHOUT ROWID;"

	/* AUTOINCREMENT: a request id is never used twice */
	"CREATE TABLE request ("
	"  id INTEGER PRIMARY KEY AUTOINCREMENT,"
	"  disp INTEGER NOT NULL, hresult INTEGER NOT NULL, message TEXT,"
	"  sid TEXT NOT NULL, account TEXT, template TEXT, subject TEXT,"
	"  attrs TEXT, flags INTEGER NOT NULL, csr_hash BLOB NOT NULL,"
	"  serial BLOB, tbs_hash BLOB, submitted INTEGER NOT NULL,"
	"  resolved INTEGER NOT NULL DEFAULT 0,"
	"  not_before INTEGER NOT NULL DEFAULT 0,"
	"  not_after INTEGER NOT NULL DEFAULT 0,"
	"  revoked_at INTEGER NOT NULL DEFAULT 0,"
	"  revoked_reason INTEGER NOT NULL DEFAULT 0,"
	"  csr BLOB, cert BLOB"
	") STRICT;"
	"CREATE INDEX request_same ON request (csr_hash, sid, id);"
	"CREATE INDEX request_disp ON request (disp, id);"
	"CREATE INDEX request_sid ON request (sid, id);"
	"CREATE INDEX request_template ON request (template, id);"

	/* every serial ever promised, whatever became of it */
	"CREATE TABLE serial ("
	"  serial BLOB PRIMARY KEY, request_id INTEGER NOT NULL"
	") STRICT, WITHOUT ROWID;"

	/* what CRLs are made of */
	"CREATE TABLE revoked ("
	"  serial BLOB PRIMARY KEY, request_id INTEGER NOT NULL,"
	"  revoked_at INTEGER NOT NULL, reason INTEGER NOT NULL,"
	"  not_after INTEGER NOT NULL"
	") STRICT, WITHOUT ROWID;"

	"CREATE TABLE crl_number ("
	"  key_index INTEGER PRIMARY KEY, number INTEGER NOT NULL"
	") STRICT;"

	/* counters, so that a cap costs one look-up */
	"CREATE TABLE quota ("
	"  sid TEXT PRIMARY KEY, pending INTEGER NOT NULL,"
	"  refused INTEGER NOT NULL, day INTEGER NOT NULL"
	") STRICT, WITHOUT ROWID;"

	/* link = SHA-256(previous link, this row); see audit.c */
	"CREATE TABLE audit ("
	"  seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, what TEXT NOT NULL,"
	"  request_id INTEGER NOT NULL, who TEXT NOT NULL,"
	"  detail TEXT NOT NULL, link BLOB NOT NULL"
	") STRICT;",

	/* 2: what a repeated request is looked up by: requests that have an
	   answer.  Refusals, of which one SID may have many, are not in it. */
	"DROP INDEX request_same;"
	"CREATE INDEX request_answered ON request (csr_hash, sid, id)"
	" WHERE disp IN (9, 20);",

	/* 3: who asked for what waits: the decision is made again, with his
	   groups as they were, when nobody is connected any more */
	"CREATE TABLE pending ("
	"  request_id INTEGER PRIMARY KEY, caller BLOB NOT NULL"
	") STRICT;",

	/* 4: renewals and requests for others are told from new ones */
	"ALTER TABLE request ADD COLUMN on_behalf TEXT;"
	"ALTER TABLE request ADD COLUMN request_flags INTEGER NOT NULL"
	" DEFAULT 0;",

	/* 5: private keys, each a message for the key recovery agents */
	"CREATE TABLE archived_key ("
	"  request_id INTEGER PRIMARY KEY, blob BLOB NOT NULL"
	") STRICT;",

	/* 6: which of the CA's certificates it was issued under, and of which
	   of its keys the CRL names it.  What is there is of the first. */
	"ALTER TABLE request ADD COLUMN issuer INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE revoked ADD COLUMN key_index INTEGER NOT NULL DEFAULT 0;"
	"CREATE INDEX revoked_key ON revoked (key_index, serial);",

	/* 7: attributes that an officer set beside those that came */
	"ALTER TABLE request ADD COLUMN set_attrs TEXT;",

	/* 8: what delta CRLs are made of: changed is the audit entry of the
	   change, so that "since" is one comparison */
	"ALTER TABLE revoked ADD COLUMN changed INTEGER NOT NULL DEFAULT 0;"
	"CREATE INDEX revoked_changed ON revoked (key_index, changed);"
	"CREATE TABLE released ("
	"  serial BLOB PRIMARY KEY, request_id INTEGER NOT NULL,"
	"  key_index INTEGER NOT NULL, released_at INTEGER NOT NULL,"
	"  changed INTEGER NOT NULL, not_after INTEGER NOT NULL"
	") STRICT, WITHOUT ROWID;"
	"CREATE INDEX released_changed ON released (key_index, changed);"
	"CREATE TABLE crl_base ("
	"  key_index INTEGER PRIMARY KEY, number INTEGER NOT NULL,"
	"  changed INTEGER NOT NULL, at INTEGER NOT NULL"
	") STRICT;",
};
/* clang-format on */
#define VERSION ((int)(sizeof(steps) / sizeof(steps[0])))

static int
pragma_int(struct ae_db *db, const char *sql, int *out, struct ae_err *e)
{
	sqlite3_stmt *st = NULL;
	int rc;

	rc = sqlite3_prepare_v2(db->h, sql, -1, &st, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	if (rc == SQLITE_ROW) {
		*out = sqlite3_column_int(st, 0);
		rc = SQLITE_OK;
	}
	sqlite3_finalize(st);
	return rc == SQLITE_OK
	    ? AE_OK
	    : ae_db_fail(db, rc, "reading the schema version", e);
}

/* One step in one transaction: a kill in between leaves the old version. */
static int
run_step(struct ae_db *db, int version, struct ae_err *e)
{
	char tail[96];
	int rc;

	snprintf(tail, sizeof(tail),
	    "PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT",
	    APPLICATION_ID, version);
	rc = sqlite3_exec(db->h, "BEGIN IMMEDIATE", NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(db->h, steps[version - 1], NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(db->h, tail, NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		return AE_OK;
	rc = ae_db_fail(db, rc, "migrating the schema", e);
	(void)sqlite3_exec(db->h, "ROLLBACK", NULL, NULL, NULL);
	return rc;
}

int
ae_db_schema(struct ae_db *db, struct ae_err *e)
{
	int version = 0, app = 0, rc;

	rc = pragma_int(db, "PRAGMA user_version", &version, e);
	if (rc == AE_OK)
		rc = pragma_int(db, "PRAGMA application_id", &app, e);
	if (rc != AE_OK)
		return rc;
	if (version > VERSION)
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, version,
		    "the database has schema version %d, this program knows "
		    "%d: use the newer program",
		    version, VERSION);
	if (version == 0 ? !db->opt.create : app != APPLICATION_ID)
		return ae_fail(e, AE_EPROTO, AE_DOM_NONE, app,
		    "the file is not a database of a CA");
	if (version < VERSION && db->opt.read_only)
		return ae_fail(e, AE_EUNAVAIL, AE_DOM_NONE, version,
		    "the database has schema version %d: start the CA once to "
		    "bring it to %d",
		    version, VERSION);
	while (version < VERSION && rc == AE_OK)
		rc = run_step(db, ++version, e);
	return rc;
}
