/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What signers say that they signed, beside the rows.
 */
#include "dbtest.h"

#include "db/rollback.h"
#include "db/signed.h"

static struct ae_db_signed
signed_as(unsigned n)
{
	const struct ae_db_request row = dbtest_row(AE_DB_ACTIVE, n);
	struct ae_db_signed s = { .serial_len = row.serial_len,
		.key_index = 0,
		.not_after = NOW + 86400 };

	memcpy(s.serial, row.serial, row.serial_len);
	memcpy(s.tbs_hash, dbtest_hash, sizeof(s.tbs_hash));
	return s;
}

static bool
known(struct ae_db *db, const struct ae_db_signed *s)
{
	bool yes = true;

	assert_int_equal(ae_db_signed_known(db, s, &yes, NULL), AE_OK);
	return yes;
}

static void
golden_every_signature_has_a_row(void **state)
{
	struct ae_db *db = dbtest_open(NULL);
	struct ae_db_signed s = signed_as(1);

	(void)state;
	assert_false(known(db, &s));
	(void)dbtest_add(db, AE_DB_ACTIVE, 1);
	assert_true(known(db, &s));
	/* the same serial number, and other bytes */
	s.tbs_hash[0] ^= 1;
	assert_false(known(db, &s));
	/* what was issued, and what became void, had their rows */
	s = signed_as(2);
	(void)dbtest_issue(db, 2);
	assert_true(known(db, &s));
	ae_db_free(db);
}

static int
count(void *arg, int64_t at, const char *detail, struct ae_err *e)
{
	(void)e;
	assert_int_equal(at, NOW);
	assert_non_null(strstr(detail, "serial 1f"));
	(*(int *)arg)++;
	return AE_OK;
}

static int
in_chain(struct ae_db *db)
{
	int n = 0;

	assert_int_equal(ae_db_signed_audit(db, count, &n, NULL), AE_OK);
	return n;
}

static void
noticed(struct ae_db *db, const struct ae_db_signed *s)
{
	assert_int_equal(ae_db_begin(db, NULL), AE_OK);
	assert_int_equal(
	    ae_db_signed_unrecorded(db, s, "ca1", NOW, NULL), AE_OK);
	assert_int_equal(ae_db_commit(db, NULL), AE_OK);
}

static size_t
listed(struct ae_db *db, struct ae_db_signed v[AE_DB_UNRECORDED_MAX])
{
	size_t n = 99;

	assert_int_equal(ae_db_signed_list(db, v, &n, NULL), AE_OK);
	return n;
}

static int
took_back(struct ae_db *db, const struct ae_db_signed *s)
{
	int rc;

	assert_int_equal(ae_db_begin(db, NULL), AE_OK);
	rc = ae_db_signed_revoke(
	    db, s->serial, s->serial_len, 1, "root", NOW + 5, NULL);
	assert_int_equal(ae_db_commit(db, NULL), AE_OK);
	return rc;
}

static int
see(void *arg, const struct ae_db_revoked *r, struct ae_err *e)
{
	(void)e;
	assert_int_equal(r->reason, 1);
	(*(int *)arg)++;
	return AE_OK;
}

static void
golden_one_without_a_row_is_kept(void **state)
{
	struct ae_db_signed v[AE_DB_UNRECORDED_MAX], a = signed_as(7),
						     b = signed_as(8);
	struct ae_db *db = dbtest_open(NULL);
	int64_t links;
	int n = 0;

	(void)state;
	assert_int_equal(listed(db, v), 0);
	noticed(db, &a);
	noticed(db, &a); /* by another node, or after a restart */
	noticed(db, &b);
	ae_db_free(db);
	db = dbtest_open(NULL);
	assert_int_equal(listed(db, v), 2);
	assert_memory_equal(v[0].serial, a.serial, a.serial_len);
	assert_memory_equal(v[0].tbs_hash, a.tbs_hash, AE_DB_HASH_LEN);
	assert_int_equal(v[0].not_after, a.not_after);
	assert_int_equal(v[0].at, NOW);
	assert_int_equal(in_chain(db), 2);
	/* it leaves when it is revoked, and a CRL has it */
	assert_int_equal(took_back(db, &a), AE_OK);
	assert_int_equal(took_back(db, &a), AE_ENOTFOUND);
	assert_int_equal(listed(db, v), 1);
	assert_memory_equal(v[0].serial, b.serial, b.serial_len);
	assert_int_equal(in_chain(db), 1);
	assert_int_equal(dbtest_revoked(db, NOW, see, &n), AE_OK);
	assert_int_equal(n, 1);
	assert_int_equal(ae_db_audit_verify(db, &links, NULL), AE_OK);
	ae_db_free(db);
}

static void
golden_more_than_the_list_holds(void **state)
{
	struct ae_db_signed v[AE_DB_UNRECORDED_MAX], s;
	struct ae_db *db = dbtest_open(NULL);
	unsigned i;

	(void)state;
	for (i = 0; i < AE_DB_UNRECORDED_MAX + 3; i++) {
		s = signed_as(100 + i);
		noticed(db, &s);
	}
	assert_int_equal(listed(db, v), AE_DB_UNRECORDED_MAX);
	assert_int_equal(in_chain(db), AE_DB_UNRECORDED_MAX + 3);
	ae_db_free(db);
}

int
main(int argc, char **argv)
{
#define T(f) cmocka_unit_test_setup_teardown(f, dbtest_setup, dbtest_teardown)
	static const struct CMUnitTest tests[] = {
		T(golden_every_signature_has_a_row),
		T(golden_one_without_a_row_is_kept),
		T(golden_more_than_the_list_holds),
	};

	(void)argv;
	dbtest_begin(argc);
	return dbtest_end(cmocka_run_group_tests(tests, NULL, NULL));
}
