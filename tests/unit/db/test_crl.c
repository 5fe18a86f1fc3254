/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What CRLs are made of: base and delta rows, holds that were released, a
 * list that stays what it was, numbers that never fall.
 */
#include "dbtest.h"

#include <signal.h>
#include <sys/resource.h>

#include "db/spool.h"

struct seen {
	size_t n, holds, removed;
	unsigned last; /* the number of the row */
};

static int
see(void *arg, const struct ae_db_revoked *r, struct ae_err *e)
{
	struct seen *s = arg;

	(void)e;
	assert_int_equal(r->serial_len, 17);
	memcpy(&s->last, r->serial + 1, sizeof(s->last));
	s->n++;
	s->holds += r->reason == AE_DB_REASON_HOLD;
	s->removed += r->reason == 8;
	return AE_OK;
}

static void
change(struct ae_db *db, unsigned n, int reason)
{
	struct ae_db_request r = dbtest_row(AE_DB_ACTIVE, n);
	struct ae_err e = AE_ERR_INIT;
	int rc;

	assert_int_equal(ae_db_begin(db, NULL), AE_OK);
	rc = reason < 0
	    ? ae_db_release(db, r.serial, 17, NOW + 9, "x", &e)
	    : ae_db_revoke(db, r.serial, 17, reason, NOW + 5, "x", &e);
	if (rc != AE_OK)
		fail_msg("%s", e.text);
	assert_int_equal(ae_db_commit(db, NULL), AE_OK);
}

static struct seen
base(struct ae_db *db)
{
	struct seen s = { 0 };

	assert_int_equal(dbtest_revoked(db, NOW, see, &s), AE_OK);
	return s;
}

static struct seen
delta(struct ae_db *db)
{
	struct ae_db_crl_query q = { .dir = dbtest_spool(), .not_after = NOW };
	struct ae_db_crl_base b;
	struct seen s = { 0 };

	assert_int_equal(ae_db_crl_base(db, 0, &b, NULL), AE_OK);
	q.since = b.changed;
	assert_int_equal(dbtest_crl_rows(db, &q, 1, see, &s), AE_OK);
	return s;
}

/* As certsrvd does: a number, the rows, and when it is out its place. */
static int64_t
publish(struct ae_db *db)
{
	const struct ae_db_crl_query q = {
		.dir = dbtest_spool(), .not_after = NOW, .since = -1
	};
	struct ae_db_crl_base b = { .at = NOW };
	struct ae_db_crl_rows *l = NULL;

	assert_int_equal(ae_db_begin(db, NULL), AE_OK);
	assert_int_equal(
	    ae_db_crl_number(db, 0, 0, NOW, &b.number, NULL), AE_OK);
	assert_int_equal(ae_db_commit(db, NULL), AE_OK);
	assert_int_equal(ae_db_crl_rows_new(&l, db, &q, NULL), AE_OK);
	b.changed = ae_db_crl_rows_changed(l);
	ae_db_crl_rows_free(l);
	assert_int_equal(ae_db_begin(db, NULL), AE_OK);
	assert_int_equal(ae_db_crl_published(db, 0, &b, NOW, NULL), AE_OK);
	assert_int_equal(ae_db_commit(db, NULL), AE_OK);
	return b.number;
}

static void
a_delta_has_what_changed_since_the_base(void **state)
{
	struct ae_db *db = dbtest_open(NULL);
	struct seen s;

	(void)state;
	for (unsigned i = 1; i <= 5; i++)
		(void)dbtest_issue(db, i);
	change(db, 1, 1);
	change(db, 2, AE_DB_REASON_HOLD);
	s = delta(db); /* of no base: everything */
	assert_int_equal(s.n, 2);
	assert_int_equal(publish(db), 1);
	assert_int_equal(base(db).n, 2);
	assert_int_equal(delta(db).n, 0);

	change(db, 3, 4);
	s = delta(db);
	assert_int_equal(s.n, 1);
	assert_int_equal(s.last, 3);
	/* on the base on hold, now free: told as removed */
	change(db, 2, -1);
	s = delta(db);
	assert_int_equal(s.n, 2);
	assert_int_equal(s.removed, 1);
	assert_int_equal(base(db).n, 2);
	/* and revoked again: once, with its reason */
	change(db, 2, 1);
	s = delta(db);
	assert_int_equal(s.n, 2);
	assert_int_equal(s.removed, 0);
	/* a hold that came and went between two bases is told, too: a delta
	   in between may have listed it */
	change(db, 4, AE_DB_REASON_HOLD);
	assert_int_equal(delta(db).holds, 1);
	change(db, 4, -1);
	s = delta(db);
	assert_int_equal(s.holds, 0);
	assert_int_equal(s.removed, 1);
	assert_int_equal(publish(db), 2);
	assert_int_equal(delta(db).n, 0);
	assert_int_equal(base(db).n, 3);
	ae_db_free(db);
}

static void
a_list_stays_what_it_was(void **state)
{
	const struct ae_db_crl_query q = {
		.dir = dbtest_spool(), .not_after = NOW, .since = -1
	};
	struct ae_db *db = dbtest_open(NULL);
	struct ae_db_crl_rows *l = NULL;
	struct seen s = { 0 };
	bool done;

	(void)state;
	for (unsigned i = 1; i <= 6; i++)
		(void)dbtest_issue(db, i);
	for (unsigned i = 1; i <= 4; i++)
		change(db, i, i == 1 ? AE_DB_REASON_HOLD : 1);
	assert_int_equal(ae_db_crl_rows_new(&l, db, &q, NULL), AE_OK);
	assert_int_equal(
	    ae_db_crl_rows_next(l, 2, see, &s, &done, NULL), AE_OK);
	assert_false(done);
	change(db, 5, 1); /* while it is read */
	change(db, 1, -1);
	assert_int_equal(
	    ae_db_crl_rows_next(l, 100, see, &s, &done, NULL), AE_OK);
	assert_true(done);
	assert_int_equal(s.n, 4);
	/* from the beginning once more, the same again */
	assert_int_equal(
	    ae_db_crl_rows_next(l, 100, see, &s, &done, NULL), AE_OK);
	assert_true(done);
	assert_int_equal(s.n, 8);
	assert_int_equal(s.holds, 2);
	ae_db_crl_rows_free(l);
	s = base(db);
	assert_int_equal(s.n, 4);
	assert_int_equal(s.holds, 0);
	ae_db_free(db);
}

static void
keys_have_lists_of_their_own(void **state)
{
	struct ae_db_request r = dbtest_row(AE_DB_ACTIVE, 9);
	struct ae_db_crl_query q = {
		.dir = dbtest_spool(), .not_after = NOW, .since = -1
	};
	struct ae_arena *a = ae_arena_new(1 << 20);
	struct ae_db *db = dbtest_open(NULL);
	struct ae_db_request got;
	struct seen s = { 0 };
	int64_t id;

	(void)state;
	(void)dbtest_issue(db, 1);
	r.issuer = 2 << 16 | 3;
	assert_int_equal(ae_db_begin(db, NULL), AE_OK);
	assert_int_equal(
	    ae_db_request_add(db, &r, dbtest_hash, &id, NULL), AE_OK);
	assert_int_equal(ae_db_request_issue(db, id, "certificate", 11, NOW,
			     NOW + 86400, NOW + 1, "Issued", NULL),
	    AE_OK);
	assert_int_equal(ae_db_commit(db, NULL), AE_OK);
	assert_int_equal(ae_db_request_get(db, id, &got, a, NULL), AE_OK);
	assert_int_equal(got.issuer, 2 << 16 | 3);
	change(db, 1, 1);
	change(db, 9, 1);
	s = base(db);
	assert_int_equal(s.n, 1);
	assert_int_equal(s.last, 1);
	memset(&s, 0, sizeof(s));
	q.key_index = 2;
	assert_int_equal(dbtest_crl_rows(db, &q, 7, see, &s), AE_OK);
	assert_int_equal(s.n, 1);
	assert_int_equal(s.last, 9);
	ae_db_free(db);
	ae_arena_free(a);
}

/* f19: a restored database does not number from its own past. */
static void
f19_numbers_rise_over_a_restore(void **state)
{
	struct ae_db *db = dbtest_open(NULL);
	const struct ae_db_crl_base old = { .number = 1, .at = NOW };
	int64_t n;

	(void)state;
	assert_int_equal(publish(db), 1);
	assert_int_equal(ae_db_begin(db, NULL), AE_OK);
	/* 41 was seen in the published file */
	assert_int_equal(ae_db_crl_number(db, 0, 41, NOW, &n, NULL), AE_OK);
	assert_int_equal(n, 42);
	assert_int_equal(ae_db_crl_number(db, 0, 41, NOW, &n, NULL), AE_OK);
	assert_int_equal(n, 43);
	assert_int_equal(ae_db_crl_number(db, 0, 0, NOW, &n, NULL), AE_OK);
	assert_int_equal(n, 44);
	/* the base does not go back either */
	assert_int_equal(
	    ae_db_crl_published(db, 0, &old, NOW, NULL), AE_EINVAL);
	assert_int_equal(ae_db_commit(db, NULL), AE_OK);
	ae_db_free(db);
}

/* ---- rows that are needed twice ---- */

#define MANY 5000u /* some buffers full, and a part of one */

static int
add_one(struct ae_db_spool *s, unsigned n, int reason)
{
	uint8_t serial[AE_DB_SERIAL_MAX] = { 1 };
	const struct ae_db_revoked r = { .serial = serial,
		.serial_len = 4 + n % 17,
		.revoked_at = NOW + n,
		.reason = reason };

	memcpy(serial, &n, sizeof(n));
	return ae_db_spool_add(s, &r, NULL);
}

static void
expect_all(struct ae_db_spool *s, unsigned n)
{
	struct ae_db_revoked r;
	unsigned i, got;

	assert_int_equal(ae_db_spool_rewind(s, NULL), AE_OK);
	for (i = 0; i < n; i++) {
		assert_int_equal(ae_db_spool_next(s, &r, NULL), AE_OK);
		memcpy(&got, r.serial, sizeof(got));
		assert_int_equal(got, i);
		assert_int_equal(r.serial_len, 4 + i % 17);
		assert_int_equal(r.revoked_at, NOW + i);
		assert_int_equal(r.reason, i % 11);
	}
	assert_int_equal(ae_db_spool_next(s, &r, NULL), AE_ENOTFOUND);
}

static void
rows_come_again_as_they_were(void **state)
{
	static const unsigned sizes[] = { 0, 1, 2047, 2048, 2049, MANY };
	struct ae_db_spool *s = NULL;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		assert_int_equal(
		    ae_db_spool_new(&s, dbtest_spool(), NULL), AE_OK);
		for (unsigned n = 0; n < sizes[i]; n++)
			assert_int_equal(add_one(s, n, (int)(n % 11)), AE_OK);
		expect_all(s, sizes[i]);
		expect_all(s, sizes[i]);
		ae_db_spool_free(s);
	}
	/* what no CRL could have */
	assert_int_equal(ae_db_spool_new(&s, dbtest_spool(), NULL), AE_OK);
	assert_int_equal(add_one(s, 1, -1), AE_EPROTO);
	assert_int_equal(add_one(s, 1, 256), AE_EPROTO);
	expect_all(s, 0);
	ae_db_spool_free(s);
	assert_int_equal(ae_db_spool_new(&s, "/nonexistent", NULL), AE_EIO);
}

/* A disk that is full is no broken database. */
static void
a_full_disk_is_told(void **state)
{
	struct rlimit was, none;
	struct ae_db_spool *s = NULL;
	int rc = AE_OK;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	none = was;
	none.rlim_cur = 4096;
	assert_int_equal(ae_db_spool_new(&s, dbtest_spool(), NULL), AE_OK);
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	for (unsigned n = 0; n < MANY && rc == AE_OK; n++)
		rc = add_one(s, n, 1);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
	assert_int_equal(rc, AE_ELIMIT);
	ae_db_spool_free(s);
}

/* The database is let go when its rows were read: its log can be cut. */
static void
a_list_does_not_hold_the_database(void **state)
{
	const struct ae_db_crl_query q = {
		.dir = dbtest_spool(), .not_after = NOW, .since = -1
	};
	struct ae_db *db = dbtest_open(NULL);
	struct ae_db_crl_rows *l = NULL;
	struct seen s = { 0 };
	bool done;

	(void)state;
	(void)dbtest_issue(db, 1);
	change(db, 1, 1);
	assert_int_equal(ae_db_crl_rows_new(&l, db, &q, NULL), AE_OK);
	assert_int_equal(
	    ae_db_crl_rows_next(l, 9, see, &s, &done, NULL), AE_OK);
	assert_true(done);
	ae_db_free(db); /* and with it a server's last connection */
	assert_int_equal(
	    ae_db_crl_rows_next(l, 9, see, &s, &done, NULL), AE_OK);
	assert_true(done);
	assert_int_equal(s.n, 2);
	ae_db_crl_rows_free(l);
}

#define T(f) cmocka_unit_test_setup_teardown(f, dbtest_setup, dbtest_teardown)

int
main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		T(a_delta_has_what_changed_since_the_base),
		T(a_list_stays_what_it_was),
		T(keys_have_lists_of_their_own),
		T(f19_numbers_rise_over_a_restore),
		T(rows_come_again_as_they_were),
		T(a_full_disk_is_told),
		T(a_list_does_not_hold_the_database),
	};

	(void)argv;
	dbtest_begin(argc);
	return dbtest_end(cmocka_run_group_tests(tests, NULL, NULL));
}
