/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * How the planner runs every statement there is: nothing that runs for a
 * request reads a whole table.  The list is the program's own table, so that
 * a new statement is looked at without anybody thinking of it.
 */
#include "dbtest.h"

#include "db/impl.h"

struct plan {
	char text[2048];
	bool scans;
};

static void
take_line(void *arg, const char *line)
{
	struct plan *p = arg;
	size_t n = strlen(p->text);

	snprintf(p->text + n, sizeof(p->text) - n, "%s\n", line);
	/* SQLite; PostgreSQL, which was told to avoid it */
	if (strncmp(line, "SCAN ", 5) == 0)
		p->scans = true;
	if (strstr(line, "Seq Scan") != NULL)
		p->scans = true;
}

static struct plan
plan_of(struct ae_db *db, const char *sql)
{
	struct ae_err e = AE_ERR_INIT;
	struct plan p = { .scans = false };

	if (db->port->explain(db, sql, take_line, &p, &e) != AE_OK)
		fail_msg("%s: %s", sql, e.text);
	return p;
}

static bool
has(const char *sql, const char *word)
{
	return strcasestr(sql, word) != NULL;
}

static void
no_statement_of_a_request_scans(void **state)
{
	struct ae_db *db = dbtest_open(NULL);
	struct plan p;
	unsigned i, looked = 0;

	(void)state;
	for (i = 0; i < ST_COUNT; i++) {
		const struct ae_db_sql *s = &ae_db_sql[i];

		assert_non_null(s->text);
		if (has(s->text, "count(") || has(s->text, "offset"))
			fail_msg("it counts or skips: %s", s->text);
		p = plan_of(db, s->text);
		if (s->scans == NULL && p.scans)
			fail_msg("%s\n%s", s->text, p.text);
		looked++;
	}
	assert_int_equal(looked, ST_COUNT);
	ae_db_free(db);
}

/* Every combination that a list can be asked in. */
static void
no_list_scans(void **state)
{
	static const uint8_t serial[17] = { 1 };
	struct ae_db *db = dbtest_open(NULL);
	struct plan p;
	struct ae_wr w;
	unsigned i;

	(void)state;
	for (i = 0; i < 64; i++) {
		const struct ae_db_filter f = { .limit = 100,
			.after = (i & 1) != 0 ? 77 : 0,
			.newest_first = (i & 2) != 0,
			.disp = (i & 4) != 0 ? AE_DB_PENDING : 0,
			.sid = (i & 8) != 0 ? SID : NULL,
			.template = (i & 16) != 0 ? "Machine" : NULL,
			.serial = serial,
			.serial_len = (i & 32) != 0 ? sizeof(serial) : 0,
			.blobs = (i & 2) != 0 };
		const char *sql;

		ae_wr_init(&w, 4096);
		sql = ae_db_list_text(&w, &f);
		assert_non_null(sql);
		p = plan_of(db, sql);
		if (p.scans)
			fail_msg("%s\n%s", sql, p.text);
		ae_wr_done(&w);
	}
	ae_db_free(db);
}

/* What the test would say of one that does. */
static void
a_scan_is_seen(void **state)
{
	struct ae_db *db = dbtest_open(NULL);

	(void)state;
	assert_true(
	    plan_of(db, "SELECT id FROM request WHERE account = ?1").scans);
	assert_true(
	    plan_of(db, "DELETE FROM released WHERE request_id = ?1").scans);
	assert_true(plan_of(db, ae_db_sql[ST_AUDIT_ALL].text).text[0] != '\0');
	ae_db_free(db);
}

static void
dialects(void **state)
{
	char out[64];

	(void)state;
	assert_true(ae_db_dialect(
	    out, sizeof(out), "a {x|y} ?1 {|z}b{c|}", AE_DB_LITE));
	assert_string_equal(out, "a x ?1 bc");
	assert_true(
	    ae_db_dialect(out, sizeof(out), "a {x|y} ?1 {|z}b{c|}", AE_DB_PG));
	assert_string_equal(out, "a y $1 zb");
	assert_false(ae_db_dialect(out, 5, "12345", AE_DB_PG));
	assert_true(ae_db_dialect(out, 6, "12345", AE_DB_PG));
}

#define T(f) cmocka_unit_test_setup_teardown(f, dbtest_setup, dbtest_teardown)

int
main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		T(no_statement_of_a_request_scans),
		T(no_list_scans),
		T(a_scan_is_seen),
		cmocka_unit_test(dialects),
	};

	(void)argv;
	dbtest_begin(argc);
	return dbtest_end(cmocka_run_group_tests(tests, NULL, NULL));
}
