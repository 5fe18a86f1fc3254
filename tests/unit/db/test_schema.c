/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Databases that older programs made: each schema that was ever in use, as
 * it was, comes up to today's with every row, and can be worked with.
 */
#include "dbtest.h"

#include <sqlite3.h>

/* clang-format off */
/* Schema 1, to the letter. */
static const char schema_1[] =
	"CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL"
	") STRICT, WITHOUT ROWID;"
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
	"  csr BLOB, cert BLOB) STRICT;"
	"CREATE INDEX request_same ON request (csr_hash, sid, id);"
	"CREATE INDEX request_disp ON request (disp, id);"
	"CREATE INDEX request_sid ON request (sid, id);"
	"CREATE INDEX request_template ON request (template, id);"
	"CREATE TABLE serial ("
	"  serial BLOB PRIMARY KEY, request_id INTEGER NOT NULL"
	") STRICT, WITHOUT ROWID;"
	"CREATE TABLE revoked ("
	"  serial BLOB PRIMARY KEY, request_id INTEGER NOT NULL,"
	"  revoked_at INTEGER NOT NULL, reason INTEGER NOT NULL,"
	"  not_after INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
	"CREATE TABLE crl_number ("
	"  key_index INTEGER PRIMARY KEY, number INTEGER NOT NULL) STRICT;"
	"CREATE TABLE quota ("
	"  sid TEXT PRIMARY KEY, pending INTEGER NOT NULL,"
	"  refused INTEGER NOT NULL, day INTEGER NOT NULL"
	") STRICT, WITHOUT ROWID;"
	"CREATE TABLE audit ("
	"  seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, what TEXT NOT NULL,"
	"  request_id INTEGER NOT NULL, who TEXT NOT NULL,"
	"  detail TEXT NOT NULL, link BLOB NOT NULL) STRICT;"
	"PRAGMA application_id = 1095058241;"
	"PRAGMA user_version = 1;";

/* One of each: issued with serial 1f02, pending, denied, revoked 1f03. */
static const char rows_1[] =
	"INSERT INTO request (disp, hresult, message, sid, account, template,"
	"  subject, attrs, flags, csr_hash, serial, submitted, resolved,"
	"  not_before, not_after, csr, cert) VALUES"
	" (20, 0, 'Issued', '" SID "', 'EXAMPLE\\PC1$', 'Workstation', 'CN=pc1',"
	"  'CertificateTemplate:Workstation', 0, zeroblob(32), x'1f02',"
	"  1790000000, 1790000001, 1790000000, 1790086400, x'30', x'3030'),"
	" (9, 0, 'Taken Under Submission', '" SID "', 'EXAMPLE\\PC1$', 'Wait',"
	"  NULL, NULL, 0, zeroblob(32), NULL, 1790000000, 0, 0, 0, x'30', NULL),"
	" (31, 2148081682, 'Denied', '" SID "', NULL, NULL, NULL, NULL, 0,"
	"  zeroblob(32), NULL, 1790000000, 1790000000, 0, 0, x'30', NULL),"
	" (21, 0, 'Issued', '" SID "', NULL, 'Workstation', NULL, NULL, 0,"
	"  zeroblob(32), x'1f03', 1790000000, 1790000001, 1790000000,"
	"  1790086400, x'30', x'3030');"
	"INSERT INTO serial VALUES (x'1f02', 1), (x'1f03', 4);"
	"INSERT INTO revoked VALUES (x'1f03', 4, 1790000100, 1, 1790086400);"
	"INSERT INTO crl_number VALUES (0, 7);"
	"INSERT INTO quota VALUES ('" SID "', 1, 1, 20717);";
/* clang-format on */

static void
make(const char *schema, const char *rows)
{
	sqlite3 *h = NULL;
	char *why = NULL;

	assert_int_equal(sqlite3_open(dbtest_path, &h), SQLITE_OK);
	if (sqlite3_exec(h, schema, NULL, NULL, &why) != SQLITE_OK ||
	    sqlite3_exec(h, rows, NULL, NULL, &why) != SQLITE_OK)
		fail_msg("%s", why);
	assert_int_equal(sqlite3_close(h), SQLITE_OK);
}

static int
count_revoked(void *arg, const struct ae_db_revoked *r, struct ae_err *e)
{
	(void)e;
	assert_int_equal(r->serial_len, 2);
	assert_memory_equal(r->serial, "\x1f\x03", 2);
	assert_int_equal(r->reason, 1);
	++*(unsigned *)arg;
	return AE_OK;
}

static void
f25_schema_1_comes_up_to_date(void **state)
{
	static const uint8_t zero[AE_DB_HASH_LEN];
	const struct ae_db_options beside = { .path = dbtest_path,
		.read_only = true };
	struct ae_arena *a = ae_arena_new(1 << 20);
	struct ae_err e = AE_ERR_INIT;
	struct ae_db_request r;
	struct ae_db *db = NULL;
	unsigned revoked = 0;
	int64_t number = 0;

	(void)state;
	make(schema_1, rows_1);
	/* a tool beside does not migrate */
	assert_int_equal(ae_db_open(&db, &beside, &e), AE_EUNAVAIL);
	assert_non_null(strstr(e.text, "start the CA once"));
	db = dbtest_open(NULL);
	assert_int_equal(ae_db_request_get(db, 1, &r, a, &e), AE_OK);
	assert_int_equal(r.disp, AE_DB_ISSUED);
	assert_string_equal(r.subject, "CN=pc1");
	assert_int_equal(ae_db_request_by_serial(
			     db, (const uint8_t *)"\x1f\x03", 2, &r, a, &e),
	    AE_OK);
	assert_int_equal(r.id, 4);
	assert_int_equal(
	    ae_db_request_same(db, SID, zero, NULL, &r, a, &e), AE_OK);
	assert_int_equal(r.id, 2);
	assert_int_equal(
	    dbtest_revoked(db, NOW, count_revoked, &revoked), AE_OK);
	assert_int_equal(revoked, 1);
	assert_int_equal(ae_db_begin(db, &e), AE_OK);
	assert_int_equal(ae_db_crl_number(db, 0, 0, NOW, &number, &e), AE_OK);
	assert_int_equal(number, 8);
	assert_int_equal(ae_db_request_refuse(db, 2, AE_DB_DENIED, 0x80094014,
			     "Denied", NULL, NOW, &e),
	    AE_OK);
	assert_int_equal(ae_db_commit(db, &e), AE_OK);
	ae_db_free(db);
	/* up to date now, for tools, too */
	assert_int_equal(ae_db_open(&db, &beside, &e), AE_OK);
	ae_db_free(db);
	ae_arena_free(a);
}

#define T(f) cmocka_unit_test_setup_teardown(f, dbtest_setup, dbtest_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		T(f25_schema_1_comes_up_to_date),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
