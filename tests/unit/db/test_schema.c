/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Databases that older programs made: each schema that was ever in use comes
 * up to today's with every row, and can be worked with; the same in both
 * backends.  Schema 1 is here to the letter; the steps that follow are those
 * of the program, and their hashes are here, so that none is ever changed.
 */
#include "dbtest.h"

#include <sqlite3.h>

#include "base/hex.h"
#include "db/sql.h"
#include "pki/key.h"

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

/* In the words of db/sql.h. */
#define B(hex) "{x'" hex "'|'\\x" hex "'}"
#define ZERO "{zeroblob(32)|decode(repeat('00', 32), 'hex')}"
/* One of each: issued with serial 1f02, pending, denied, revoked 1f03. */
static const char rows_1[] =
	"INSERT INTO request (disp, hresult, message, sid, account, template,"
	"  subject, attrs, flags, csr_hash, serial, submitted, resolved,"
	"  not_before, not_after, csr, cert) VALUES"
	" (20, 0, 'Issued', '" SID "', 'EXAMPLE\\PC1$', 'Workstation', 'CN=pc1',"
	"  'CertificateTemplate:Workstation', 0, " ZERO ", " B("1f02") ","
	"  1790000000, 1790000001, 1790000000, 1790086400, " B("30") ", " B("3030") "),"
	" (9, 0, 'Taken Under Submission', '" SID "', 'EXAMPLE\\PC1$', 'Wait',"
	"  NULL, NULL, 0, " ZERO ", NULL, 1790000000, 0, 0, 0, " B("30") ", NULL),"
	" (31, 2148081682, 'Denied', '" SID "', NULL, NULL, NULL, NULL, 0,"
	"  " ZERO ", NULL, 1790000000, 1790000000, 0, 0, " B("30") ", NULL),"
	" (21, 0, 'Issued', '" SID "', NULL, 'Workstation', NULL, NULL, 0,"
	"  " ZERO ", " B("1f03") ", 1790000000, 1790000001, 1790000000,"
	"  1790086400, " B("30") ", " B("3030") ");"
	"INSERT INTO serial VALUES (" B("1f02") ", 1), (" B("1f03") ", 4);"
	"INSERT INTO revoked VALUES (" B("1f03") ", 4, 1790000100, 1, 1790086400);"
	"INSERT INTO crl_number VALUES (0, 7);"
	"INSERT INTO quota VALUES ('" SID "', 1, 1, 20717);";

/* SHA-256 of each step from 2 on, as it is written. */
static const char *const hashes[] = {
	"7e6914c29582c6f3b2e3fac9a4dfce55c055e9621fe0831089be392dfbda8bf7",
	"35ee3d743a2680ff6404813c888ca989ba7d566a66fb460ded22b3a2412c7d47",
	"1b800ff155c387a2e0e74a867b2596e5de5b70d0e020966de2e1875f4fbc012f",
	"f85afca134123fc7fc8313620645dc0af2c7cd9bb5a98da0af3f75bd7e5fabb9",
	"5a362558b8d08b7322ff1bf562a5ed2c5ce607399c29c92a6621dbc48c0d7510",
	"1d3269e8ee094ced405047b3010bcd2c694ed617049886f5a3208b350c71dce6",
	"35536c6c11e7c1d100b7cce09bb9410ea7f9ef8dfbfdc41a4a67145cfd3653a8",
	"6269f1c05ad550bdbc534271fbcec4eb10e4bc12452a621006e3fcfac5e32aa9",
	"3a9149e653ff2ba1ae241b38f9ef475ba73fffb857adc11e6d2b55f72fc26050",
};
/* clang-format on */

static void
run_sql(const char *sql)
{
	sqlite3 *h = NULL;
	char *why = NULL;

	if (dbtest_pg != NULL) {
		assert_true(pgcluster_sql(dbtest_pg, sql));
		return;
	}
	assert_int_equal(sqlite3_open(dbtest_path, &h), SQLITE_OK);
	if (sqlite3_exec(h, sql, NULL, NULL, &why) != SQLITE_OK)
		fail_msg("%s", why);
	assert_int_equal(sqlite3_close(h), SQLITE_OK);
}

static void
run_words(const char *text)
{
	char own[AE_DB_SQL_MAX];

	assert_true(ae_db_dialect(
	    own, sizeof(own), text, dbtest_pg != NULL ? AE_DB_PG : AE_DB_LITE));
	run_sql(own);
}

/* A database as the program of schema n made it, rows of schema 1 in it. */
static void
make(int n)
{
	char mark[96];
	int i;

	if (dbtest_pg == NULL) {
		run_sql(schema_1);
	} else {
		run_words(ae_db_steps[0]);
		run_sql("CREATE TABLE ca_schema (version BIGINT PRIMARY KEY)");
	}
	run_words(rows_1);
	for (i = 2; i <= n; i++)
		run_words(ae_db_steps[i - 1]);
	snprintf(mark, sizeof(mark),
	    dbtest_pg != NULL ? "INSERT INTO ca_schema VALUES (%d)"
			      : "PRAGMA user_version = %d",
	    n);
	run_sql(mark);
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
comes_up_to_date(int from)
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

	make(from);
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

static void
f25_every_schema_comes_up_to_date(void **state)
{
	int n;

	assert_true(ae_db_version >= 9);
	for (n = 1; n < ae_db_version; n++) {
		comes_up_to_date(n);
		assert_int_equal(dbtest_teardown(state), 0);
		assert_int_equal(dbtest_setup(state), 0);
	}
}

/* What was in use is in somebody's database. */
static void
no_step_was_changed(void **state)
{
	uint8_t hash[AE_HASH_MAX];
	char hex[2 * AE_DB_HASH_LEN + 1];
	int n;

	(void)state;
	assert_int_equal(sizeof(hashes) / sizeof(hashes[0]), ae_db_version - 1);
	for (n = 2; n <= ae_db_version; n++) {
		assert_int_equal(
		    ae_hash_bytes(hash, AE_HASH_SHA256, ae_db_steps[n - 1],
			strlen(ae_db_steps[n - 1])),
		    AE_DB_HASH_LEN);
		ae_hex_encode(hex, hash, AE_DB_HASH_LEN);
		assert_string_equal(hex, hashes[n - 2]);
	}
}

static void
a_newer_one_is_refused(void **state)
{
	const struct ae_db_options o = { .path = dbtest_path };
	struct ae_err e = AE_ERR_INIT;
	struct ae_db *db = NULL;

	(void)state;
	make(ae_db_version);
	run_sql(dbtest_pg != NULL ? "INSERT INTO ca_schema VALUES (99)"
				  : "PRAGMA user_version = 99");
	assert_int_equal(ae_db_open(&db, &o, &e), AE_EINVAL);
	assert_non_null(strstr(e.text, "newer program"));
}

#define T(f) cmocka_unit_test_setup_teardown(f, dbtest_setup, dbtest_teardown)

int
main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		T(f25_every_schema_comes_up_to_date),
		T(no_step_was_changed),
		T(a_newer_one_is_refused),
	};

	(void)argv;
	dbtest_begin(argc);
	return dbtest_end(cmocka_run_group_tests(tests, NULL, NULL));
}
