/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What several nodes, or two requests at one moment, must not do: answer the
 * same request twice, publish an older CRL after a newer one.
 */
#include "dbtest.h"

#include "db/copy.h"

static int
add(struct ae_db *db, const struct ae_db_request *r, int64_t *id,
    struct ae_err *e)
{
	int rc = ae_db_begin(db, e);

	if (rc != AE_OK)
		return rc;
	rc = ae_db_request_add(
	    db, r, r->disp == AE_DB_ACTIVE ? dbtest_hash : NULL, id, e);
	assert_true(rc == AE_OK || ae_db_refused_one(rc));
	assert_int_equal(ae_db_commit(db, NULL), AE_OK);
	return rc;
}

static int
issue(struct ae_db *db, int64_t id)
{
	int rc;

	assert_int_equal(ae_db_begin(db, NULL), AE_OK);
	rc = ae_db_request_issue(
	    db, id, "certificate", 11, NOW, NOW + 86400, NOW, "Issued", NULL);
	assert_int_equal(ae_db_commit(db, NULL), AE_OK);
	return rc;
}

static void
the_same_request_is_answered_once(void **state)
{
	struct ae_db *db = dbtest_open(NULL);
	struct ae_arena *a = ae_arena_new(1 << 20);
	struct ae_db_request r = dbtest_row(AE_DB_ACTIVE, 1), got;
	struct ae_err e = AE_ERR_INIT;
	int64_t first, second, id;

	(void)state;
	r.after = 0;
	assert_int_equal(add(db, &r, &first, &e), AE_OK);
	/* in hand elsewhere */
	r.serial[16] = 2;
	assert_int_equal(add(db, &r, &id, &e), AE_EINVAL);
	assert_non_null(strstr(e.text, "active"));
	/* others, and other attributes, are not concerned */
	r.sid = "S-1-5-21-1-2-3-1105";
	assert_int_equal(add(db, &r, &id, &e), AE_OK);
	r.sid = SID;
	r.serial[16] = 3;
	r.attrs = "CertificateTemplate:Other";
	assert_int_equal(add(db, &r, &id, &e), AE_OK);
	r = dbtest_row(AE_DB_ACTIVE, 1);
	r.after = 0;
	r.serial[16] = 4;
	/* issued meanwhile: whoever did not see it may not answer */
	assert_int_equal(issue(db, first), AE_OK);
	assert_int_equal(add(db, &r, &id, &e), AE_EINVAL);
	assert_non_null(strstr(e.text, "issued"));
	/* who has seen it and decided anew may; so may who does not care */
	r.after = first;
	assert_int_equal(add(db, &r, &second, &e), AE_OK);
	r.after = -1;
	r.serial[16] = 5;
	assert_int_equal(add(db, &r, &id, &e), AE_OK);
	assert_int_equal(ae_db_begin(db, NULL), AE_OK);
	assert_int_equal(
	    ae_db_request_refuse(db, id, AE_DB_VOID, 0, NULL, NULL, NOW, NULL),
	    AE_OK);
	assert_int_equal(ae_db_commit(db, NULL), AE_OK);

	/* left behind: who comes after its time makes it void */
	r.after = first;
	r.serial[16] = 6;
	r.submitted = NOW + AE_DB_INTENT_S - 1;
	assert_int_equal(add(db, &r, &id, &e), AE_EINVAL);
	r.submitted = NOW + AE_DB_INTENT_S;
	assert_int_equal(add(db, &r, &id, &e), AE_OK);
	assert_int_equal(ae_db_request_get(db, second, &got, a, NULL), AE_OK);
	assert_int_equal(got.disp, AE_DB_VOID);
	/* and who had it, woken up, cannot issue it any more */
	assert_int_equal(issue(db, second), AE_EINVAL);
	assert_int_equal(issue(db, id), AE_OK);
	ae_db_free(db);
	ae_arena_free(a);
}

static void
a_request_waits_once(void **state)
{
	struct ae_db *db = dbtest_open(NULL);
	struct ae_db_request r = dbtest_row(AE_DB_PENDING, 1);
	struct ae_err e = AE_ERR_INIT;
	int64_t id;

	(void)state;
	r.after = 0;
	assert_int_equal(add(db, &r, &id, &e), AE_OK);
	assert_int_equal(add(db, &r, &id, &e), AE_EINVAL);
	assert_non_null(strstr(e.text, "pending"));
	/* refusals are as many as there were */
	r = dbtest_row(AE_DB_DENIED, 1);
	r.after = 0;
	assert_int_equal(add(db, &r, &id, &e), AE_OK);
	assert_int_equal(add(db, &r, &id, &e), AE_OK);
	ae_db_free(db);
}

/* ---- CRLs ---- */

#define KEEP(db, num, ep) keep(db, num, ep, &e)

static int
lead(struct ae_db *db, int64_t have, int64_t seconds, int64_t *epoch,
    int64_t *number, struct ae_err *e)
{
	int rc;

	assert_int_equal(ae_db_begin(db, NULL), AE_OK);
	rc = ae_db_crl_lead(db, 0, false, have, seconds, epoch, e);
	if (rc == AE_OK)
		rc = ae_db_crl_number(db, 0, 0, NOW, number, e);
	assert_int_equal(ae_db_commit(db, NULL), AE_OK);
	return rc;
}

static int
keep(struct ae_db *db, int64_t number, int64_t epoch, struct ae_err *e)
{
	const struct ae_db_crl_newest n = { .number = number,
		.this_update = NOW,
		.next_update = NOW + 2,
		.next_publish = NOW + 1,
		.der = (const uint8_t *)"a CRL",
		.der_len = 5 };
	int rc;

	assert_int_equal(ae_db_begin(db, NULL), AE_OK);
	rc = ae_db_crl_keep(db, &n, epoch, e);
	assert_int_equal(ae_db_commit(db, NULL), AE_OK);
	return rc;
}

static struct ae_db *
open_as(uint8_t instance)
{
	const struct ae_db_options o = { .instance = instance };

	return dbtest_open(&o);
}

static void
one_node_makes_the_crl(void **state)
{
	struct ae_arena *arena = ae_arena_new(1 << 20);
	struct ae_db_crl_newest n;
	struct ae_db *a, *b;
	struct ae_err e = AE_ERR_INIT;
	int64_t ea, eb, number = 0;

	(void)state;
	ae_db_free(dbtest_open(NULL));
	a = open_as(1);
	b = open_as(2);
	assert_int_equal(lead(a, 0, 60, &ea, &number, &e), AE_OK);
	assert_int_equal(number, 1);
	assert_int_equal(lead(b, 0, 60, &eb, &number, &e), AE_EDENIED);
	assert_non_null(strstr(e.text, "node 1"));
	assert_int_equal(
	    ae_db_crl_newest(b, 0, false, 0, &n, arena, &e), AE_ENOTFOUND);
	assert_int_equal(KEEP(a, 1, ea), AE_OK);
	/* the other one takes it over before it may make one */
	assert_int_equal(lead(b, 0, 60, &eb, &number, &e), AE_EINVAL);
	assert_int_equal(
	    ae_db_crl_newest(b, 0, false, 0, &n, arena, &e), AE_OK);
	assert_int_equal(n.number, 1);
	assert_int_equal(n.der_len, 5);
	assert_memory_equal(n.der, "a CRL", 5);
	assert_int_equal(n.next_publish, NOW + 1);
	assert_int_equal(
	    ae_db_crl_newest(b, 0, false, 1, &n, arena, &e), AE_ENOTFOUND);
	assert_int_equal(
	    ae_db_crl_newest(b, 0, true, 0, &n, arena, &e), AE_ENOTFOUND);
	assert_int_equal(lead(b, 1, 60, &eb, &number, &e), AE_OK);
	assert_int_equal(number, 2);
	assert_int_equal(KEEP(b, 2, eb), AE_OK);
	ae_db_free(a);
	ae_db_free(b);
	ae_arena_free(arena);
}

/* Stopped while it made one, and woken when another had taken over. */
static void
a_leader_that_wakes_up_publishes_nothing_older(void **state)
{
	struct ae_arena *arena = ae_arena_new(1 << 20);
	struct ae_db_crl_newest n;
	struct ae_db *a, *b;
	struct ae_err e = AE_ERR_INIT;
	int64_t ea, eb, na = 0, nb = 0;

	(void)state;
	ae_db_free(dbtest_open(NULL));
	a = open_as(1);
	b = open_as(2);
	/* over before it began: as if it had slept */
	assert_int_equal(lead(a, 0, 0, &ea, &na, &e), AE_OK);
	assert_int_equal(lead(b, 0, 60, &eb, &nb, &e), AE_OK);
	assert_true(nb > na && eb > ea);
	assert_int_equal(KEEP(a, na, ea), AE_EDENIED);
	assert_int_equal(ae_db_begin(a, NULL), AE_OK);
	assert_int_equal(ae_db_crl_lead_on(a, ea, 60, &e), AE_EDENIED);
	assert_int_equal(ae_db_commit(a, NULL), AE_OK);
	assert_int_equal(KEEP(b, nb, eb), AE_OK);
	assert_int_equal(KEEP(a, na, ea), AE_EDENIED);
	assert_int_equal(
	    ae_db_crl_newest(a, 0, false, 0, &n, arena, &e), AE_OK);
	assert_int_equal(n.number, nb);
	/* the same node twice: the number decides */
	assert_int_equal(lead(a, nb, 60, &ea, &na, &e), AE_OK);
	assert_int_equal(lead(a, nb, 60, &ea, &nb, &e), AE_OK);
	assert_int_equal(KEEP(a, na, ea), AE_EINVAL);
	assert_int_equal(ae_db_begin(a, NULL), AE_OK);
	assert_int_equal(ae_db_crl_lead_on(a, ea, 60, &e), AE_OK);
	assert_int_equal(ae_db_commit(a, NULL), AE_OK);
	assert_int_equal(KEEP(a, nb, ea), AE_OK);
	ae_db_free(a);
	ae_db_free(b);
	ae_arena_free(arena);
}

/* ---- what one node made, any other finds ---- */

static int
keep_key(struct ae_db *db, uint8_t n, int64_t until, int64_t now)
{
	const uint8_t serial[2] = { 1, n };
	int rc;

	assert_int_equal(ae_db_begin(db, NULL), AE_OK);
	rc = ae_db_exchange_keep(db, serial, 2, "sealed", 6, until, now, NULL);
	if (rc == AE_OK)
		rc = ae_db_commit(db, NULL);
	ae_db_rollback(db);
	return rc;
}

static int
find_key(struct ae_db *db, uint8_t n)
{
	struct ae_arena *a = ae_arena_new(1 << 16);
	const uint8_t serial[2] = { 1, n }, *sealed;
	size_t len;
	int rc = ae_db_exchange_get(db, serial, 2, &sealed, &len, a, NULL);

	if (rc == AE_OK) {
		assert_int_equal(len, 6);
		assert_memory_equal(sealed, "sealed", 6);
	}
	ae_arena_free(a);
	return rc;
}

static void
exchange_keys_are_found_until_they_end(void **state)
{
	struct ae_db *a, *b;

	(void)state;
	ae_db_free(dbtest_open(NULL));
	a = open_as(1);
	b = open_as(2);
	assert_int_equal(keep_key(a, 1, NOW + 10, NOW), AE_OK);
	assert_int_equal(keep_key(b, 2, NOW + 30, NOW), AE_OK);
	assert_int_equal(find_key(b, 1), AE_OK);
	assert_int_equal(find_key(a, 2), AE_OK);
	assert_int_equal(find_key(a, 3), AE_ENOTFOUND);
	/* the next one made is the last time that an old one is there */
	assert_int_equal(keep_key(a, 3, NOW + 40, NOW + 11), AE_OK);
	assert_int_equal(find_key(b, 1), AE_ENOTFOUND);
	assert_int_equal(find_key(b, 2), AE_OK);
	assert_int_equal(ae_db_begin(a, NULL), AE_OK);
	assert_int_equal(
	    ae_db_exchange_keep(a, NULL, 0, "x", 1, NOW, NOW, NULL), AE_EINVAL);
	ae_db_rollback(a);
	ae_db_free(a);
	ae_db_free(b);
}

/* ---- from a file to a server ---- */

static void
fill(struct ae_db *db)
{
	const struct ae_db_crl_base b = {
		.number = 3, .changed = 4, .at = NOW
	};
	struct ae_db_request r = dbtest_row(AE_DB_PENDING, 9);
	int64_t id, epoch;
	unsigned i;

	for (i = 1; i <= 5; i++)
		(void)dbtest_issue(db, i);
	(void)dbtest_add(db, AE_DB_DENIED, 6);
	(void)dbtest_add(db, AE_DB_ACTIVE, 7);
	r.caller = (const uint8_t *)"caller";
	r.caller_len = 6;
	r.archived = (const uint8_t *)"key";
	r.archived_len = 3;
	r.subject = "CN=m\xc3\xbcller";
	assert_int_equal(ae_db_begin(db, NULL), AE_OK);
	assert_int_equal(ae_db_request_add(db, &r, NULL, &id, NULL), AE_OK);
	assert_int_equal(ae_db_request_add(db, &r, NULL, &id, NULL), AE_OK);
	for (i = 1; i <= 3; i++) {
		r = dbtest_row(AE_DB_ACTIVE, i);
		assert_int_equal(
		    ae_db_revoke(db, r.serial, 17, 6, NOW, "x", NULL), AE_OK);
	}
	assert_int_equal(
	    ae_db_release(db, r.serial, 17, NOW, "x", NULL), AE_OK);
	assert_int_equal(ae_db_meta_set(db, "a", "b", NULL), AE_OK);
	assert_int_equal(ae_db_exchange_keep(
			     db, r.serial, 17, "sealed", 6, NOW + 9, NOW, NULL),
	    AE_OK);
	assert_int_equal(
	    ae_db_crl_lead(db, 0, false, 0, 60, &epoch, NULL), AE_OK);
	assert_int_equal(ae_db_crl_number(db, 0, 2, NOW, &id, NULL), AE_OK);
	assert_int_equal(id, 3);
	assert_int_equal(ae_db_commit(db, NULL), AE_OK);
	assert_int_equal(keep(db, 3, epoch, NULL), AE_OK);
	assert_int_equal(ae_db_begin(db, NULL), AE_OK);
	assert_int_equal(ae_db_crl_published(db, 1, &b, NOW, NULL), AE_OK);
	assert_int_equal(ae_db_commit(db, NULL), AE_OK);
}

static void
every_table_is_copied(void **state)
{
	char dir[] = "/tmp/ae-copy-XXXXXX", path[64];
	struct ae_db_options o = { .path = path, .create = true };
	struct ae_arena *a = ae_arena_new(1 << 20);
	struct ae_db *from = NULL, *to = dbtest_open(NULL);
	struct ae_db_copied c;
	struct ae_db_request x, y;
	struct ae_err e = AE_ERR_INIT;
	int64_t id;

	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/ca.db", dir);
	assert_int_equal(ae_db_open(&from, &o, NULL), AE_OK);
	fill(from);
	if (ae_db_copy(to, from, &c, &e) != AE_OK)
		fail_msg("%s", e.text);
	assert_int_equal(c.requests, 9);
	/* whatever tables there are: none was forgotten */
	assert_true(pgcluster_sql(dbtest_pg,
	    "DO $$ DECLARE t text; n bigint; BEGIN FOR t IN SELECT tablename"
	    " FROM pg_tables WHERE schemaname = 'public' LOOP EXECUTE"
	    " format('SELECT count(*) FROM %I', t) INTO n; IF n = 0 THEN"
	    " RAISE EXCEPTION '% has no rows', t; END IF; END LOOP; END $$"));
	for (id = 1; id <= 9; id++) {
		assert_int_equal(
		    ae_db_request_get(from, id, &x, a, NULL), AE_OK);
		assert_int_equal(ae_db_request_get(to, id, &y, a, NULL), AE_OK);
		assert_int_equal(x.disp, y.disp);
		assert_string_equal(x.subject, y.subject);
		assert_int_equal(x.serial_len, y.serial_len);
		assert_memory_equal(x.serial, y.serial, x.serial_len);
		assert_int_equal(x.cert_len, y.cert_len);
		assert_int_equal(x.caller_len, y.caller_len);
		assert_int_equal(x.revoked_reason, y.revoked_reason);
		assert_int_equal(x.not_after, y.not_after);
	}
	/* it goes on where it was */
	assert_int_equal(ae_db_check(to, &e), AE_OK);
	assert_int_equal(dbtest_add(to, AE_DB_DENIED, 20), 10);
	/* and is not written over */
	assert_int_equal(ae_db_copy(to, from, &c, &e), AE_EINVAL);
	assert_non_null(strstr(e.text, "empty"));
	ae_db_free(from);
	ae_db_free(to);
	ae_arena_free(a);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, dbtest_setup, dbtest_teardown)

int
main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		T(the_same_request_is_answered_once),
		T(a_request_waits_once),
	};
	/* SQLite has one writer */
	static const struct CMUnitTest several[] = {
		T(the_same_request_is_answered_once),
		T(a_request_waits_once),
		T(one_node_makes_the_crl),
		T(a_leader_that_wakes_up_publishes_nothing_older),
		T(exchange_keys_are_found_until_they_end),
		T(every_table_is_copied),
	};

	(void)argv;
	dbtest_begin(argc);
	return dbtest_end(dbtest_pg != NULL
		? cmocka_run_group_tests(several, NULL, NULL)
		: cmocka_run_group_tests(tests, NULL, NULL));
}
