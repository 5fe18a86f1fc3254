/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What CRLs are made of: base and delta rows, holds that were released, a
 * list that stays what it was, numbers that never fall.
 */
#include "dbtest.h"

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
	struct ae_db_crl_query q = { .not_after = NOW };
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
	const struct ae_db_crl_query q = { .not_after = NOW, .since = -1 };
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
	const struct ae_db_crl_query q = { .not_after = NOW, .since = -1 };
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
	struct ae_db_crl_query q = { .not_after = NOW, .since = -1 };
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

#define T(f) cmocka_unit_test_setup_teardown(f, dbtest_setup, dbtest_teardown)

int
main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		T(a_delta_has_what_changed_since_the_base),
		T(a_list_stays_what_it_was),
		T(keys_have_lists_of_their_own),
		T(f19_numbers_rise_over_a_restore),
	};

	(void)argv;
	dbtest_begin(argc);
	return dbtest_end(cmocka_run_group_tests(tests, NULL, NULL));
}
