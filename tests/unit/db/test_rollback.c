/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The anchor, going back in time, and copies that are made while others
 * write.
 */
#include "dbtest.h"

#include <sys/stat.h>

#include "db/anchor.h"
#include "db/backup.h"

static struct ae_anchor
anchor_of(struct ae_db *db)
{
	struct ae_anchor a = { .restored = false };

	assert_int_equal(ae_db_state(db, &a.at, NULL), AE_OK);
	return a;
}

static void
crl_made(struct ae_db *db, unsigned key, int64_t want)
{
	int64_t n = 0;

	assert_int_equal(ae_db_begin(db, NULL), AE_OK);
	assert_int_equal(ae_db_crl_number(db, key, 0, NOW, &n, NULL), AE_OK);
	assert_int_equal(ae_db_commit(db, NULL), AE_OK);
	assert_int_equal(n, want);
}

/* What a copy of the file at this moment would be. */
static void
copy(const char *name, char path[128])
{
	struct ae_db_backup *b = NULL;
	struct ae_err e = AE_ERR_INIT;
	bool done = false;
	int n = 0;

	(void)snprintf(path, 128, "%s/%s", dbtest_dir, name);
	if (ae_db_backup_new(&b, dbtest_path, path, &e) != AE_OK)
		fail_msg("%s", e.text);
	while (!done) {
		if (ae_db_backup_step(b, 3, &done, &e) != AE_OK)
			fail_msg("%s", e.text);
		n++;
	}
	assert_true(n > 3);
	ae_db_backup_free(b);
}

static struct ae_db *
open_at(const char *path)
{
	struct ae_db_options o = { .path = path };
	struct ae_err e = AE_ERR_INIT;
	struct ae_db *db = NULL;

	if (ae_db_open(&db, &o, &e) != AE_OK)
		fail_msg("%s", e.text);
	return db;
}

/* ---- the text ---- */

static void
text_round(void **state)
{
	struct ae_anchor a = { .at = { .seq = 77,
				   .last_id = 20012,
				   .ncrl = 2,
				   .crl = { { 0, 5 }, { 3, 1 } } },
		.restored = true };
	struct ae_anchor b;
	struct ae_wr w;
	size_t i;

	(void)state;
	memset(a.at.link, 0xab, sizeof(a.at.link));
	ae_wr_init(&w, AE_ANCHOR_MAX);
	ae_anchor_put(&w, &a);
	assert_true(ae_wr_ok(&w));
	memset(&b, 0, sizeof(b));
	assert_int_equal(ae_anchor_parse(&b, w.p, w.len, NULL), AE_OK);
	assert_int_equal(b.at.seq, 77);
	assert_int_equal(b.at.last_id, 20012);
	assert_memory_equal(b.at.link, a.at.link, sizeof(a.at.link));
	assert_int_equal(ae_db_state_crl(&b.at, 0), 5);
	assert_int_equal(ae_db_state_crl(&b.at, 3), 1);
	assert_int_equal(ae_db_state_crl(&b.at, 9), 0);
	assert_true(b.restored);
	/* each truncation, each bit */
	for (i = 0; i < w.len; i++)
		assert_int_equal(ae_anchor_parse(&b, w.p, i, NULL), AE_EPROTO);
	for (i = 0; i < w.len * 8; i++) {
		w.p[i / 8] ^= (uint8_t)(1u << i % 8);
		assert_int_equal(
		    ae_anchor_parse(&b, w.p, w.len, NULL), AE_EPROTO);
		w.p[i / 8] ^= (uint8_t)(1u << i % 8);
	}
	assert_int_equal(b.at.seq, 77);
	ae_wr_done(&w);
}

static void
merge_takes_the_higher(void **state)
{
	struct ae_anchor a = {
		.at = { .seq = 5, .last_id = 9, .ncrl = 1, .crl = { { 0, 7 } } }
	};
	struct ae_anchor b = { .at = { .seq = 8,
				   .last_id = 3,
				   .ncrl = 2,
				   .crl = { { 0, 6 }, { 1, 2 } } },
		.restored = true };

	(void)state;
	b.at.link[0] = 0x5a;
	ae_anchor_merge(&a, &b);
	assert_int_equal(a.at.seq, 8);
	assert_int_equal(a.at.link[0], 0x5a);
	assert_int_equal(a.at.last_id, 9);
	assert_int_equal(ae_db_state_crl(&a.at, 0), 7);
	assert_int_equal(ae_db_state_crl(&a.at, 1), 2);
	assert_true(a.restored);
}

/* ---- judged ---- */

static void
goes_on(void **state)
{
	struct ae_db *db = dbtest_open(NULL);
	struct ae_anchor a = anchor_of(db);

	(void)state;
	assert_int_equal(a.at.seq, 0);
	assert_int_equal(ae_anchor_judge(&a, db, NULL), AE_OK);
	(void)dbtest_issue(db, 1);
	assert_int_equal(ae_anchor_judge(&a, db, NULL), AE_OK);
	a = anchor_of(db);
	assert_int_equal(a.at.last_id, 1);
	(void)dbtest_issue(db, 2);
	crl_made(db, 0, 1);
	assert_int_equal(ae_anchor_judge(&a, db, NULL), AE_OK);
	ae_db_free(db);
	db = dbtest_open(NULL);
	assert_int_equal(ae_anchor_judge(&a, db, NULL), AE_OK);
	ae_db_free(db);
}

static void
f7_an_older_copy_is_noticed(void **state)
{
	struct ae_err e = AE_ERR_INIT;
	struct ae_db *db = dbtest_open(NULL), *old;
	struct ae_anchor a;
	char path[128];

	(void)state;
	(void)dbtest_issue(db, 1);
	copy("old.db", path);
	(void)dbtest_issue(db, 2);
	a = anchor_of(db);
	ae_db_free(db);
	old = open_at(path);
	assert_int_equal(ae_anchor_judge(&a, old, &e), AE_ETRUST);
	assert_non_null(strstr(e.text, "ends at entry 2, but was at 4"));
	/* it grows beyond: other entries stand where the anchor saw some */
	(void)dbtest_issue(old, 3);
	(void)dbtest_issue(old, 4);
	e = (struct ae_err)AE_ERR_INIT;
	assert_int_equal(ae_anchor_judge(&a, old, &e), AE_ETRUST);
	assert_non_null(strstr(e.text, "entry 4 is another one"));
	ae_db_free(old);
}

static void
f7_a_restored_one_waits(void **state)
{
	struct ae_db *db = dbtest_open(NULL);
	struct ae_anchor a = anchor_of(db);

	(void)state;
	a.restored = true;
	assert_int_equal(ae_anchor_judge(&a, db, NULL), AE_ETRUST);
	ae_db_free(db);
}

static void
f7_a_lower_crl_number_is_noticed(void **state)
{
	struct ae_db *db = dbtest_open(NULL);
	struct ae_anchor a;

	(void)state;
	crl_made(db, 0, 1);
	a = anchor_of(db);
	assert_true(ae_db_state_crl_raise(&a.at, 0, 2));
	assert_int_equal(ae_anchor_judge(&a, db, NULL), AE_ETRUST);
	ae_db_free(db);
}

/* ---- going on ---- */

static int
count(void *arg, const struct ae_db_audit_entry *n, struct ae_err *e)
{
	(void)e;
	assert_string_equal(n->what, AE_DB_GAP);
	assert_string_equal(n->who, "root");
	++*(int *)arg;
	return AE_OK;
}

static void
f7_ids_and_numbers_go_past(void **state)
{
	struct ae_db *db = dbtest_open(NULL);
	struct ae_db_state to = {
		.last_id = 5000, .ncrl = 2, .crl = { { 0, 40 }, { 2, 7 } }
	};
	struct ae_db_state s;
	int64_t links = 0;
	int n = 0;

	(void)dbtest_issue(db, 1);
	crl_made(db, 0, 1);
	assert_int_equal(ae_db_begin(db, NULL), AE_OK);
	assert_int_equal(
	    ae_db_go_past(db, &to, "root", "why", NOW, NULL), AE_OK);
	assert_int_equal(ae_db_commit(db, NULL), AE_OK);
	assert_int_equal(dbtest_issue(db, 2), 5001);
	crl_made(db, 0, 41);
	crl_made(db, 2, 8);
	/* never down */
	to = (struct ae_db_state){
		.last_id = 3, .ncrl = 1, .crl = { { 0, 4 } }
	};
	assert_int_equal(ae_db_begin(db, NULL), AE_OK);
	assert_int_equal(
	    ae_db_go_past(db, &to, "root", "why", NOW, NULL), AE_OK);
	assert_int_equal(ae_db_commit(db, NULL), AE_OK);
	assert_int_equal(dbtest_issue(db, 3), 5002);
	crl_made(db, 0, 42);
	assert_int_equal(ae_db_audit_verify(db, &links, NULL), AE_OK);
	assert_int_equal(
	    ae_db_audit_each(db, AE_DB_GAP, count, &n, NULL), AE_OK);
	assert_int_equal(n, 2);
	assert_int_equal(ae_db_state(db, &s, NULL), AE_OK);
	assert_int_equal(s.last_id, 5002);
	assert_int_equal(s.seq, links);
	/* an empty database, too */
	ae_db_free(db);
	assert_int_equal(dbtest_teardown(state), 0);
	assert_int_equal(dbtest_setup(state), 0);
	db = dbtest_open(NULL);
	to.last_id = 900;
	assert_int_equal(ae_db_begin(db, NULL), AE_OK);
	assert_int_equal(
	    ae_db_go_past(db, &to, "root", "why", NOW, NULL), AE_OK);
	assert_int_equal(ae_db_commit(db, NULL), AE_OK);
	assert_int_equal(dbtest_issue(db, 3), 901);
	ae_db_free(db);
}

static void
ids_that_cannot_be(void **state)
{
	struct ae_db *db = dbtest_open(NULL);
	struct ae_db_state to = { .last_id = INT64_C(0x7fffffff) };

	(void)state;
	assert_int_equal(
	    ae_db_go_past(db, &to, "root", "why", NOW, NULL), AE_EINTERNAL);
	assert_int_equal(ae_db_begin(db, NULL), AE_OK);
	assert_int_equal(
	    ae_db_go_past(db, &to, "root", "why", NOW, NULL), AE_EINVAL);
	to.last_id = 1;
	to.ncrl = 1;
	to.crl[0] = (struct ae_db_crl_last){ 0, INT64_MAX };
	assert_int_equal(
	    ae_db_go_past(db, &to, "root", "why", NOW, NULL), AE_EINVAL);
	ae_db_rollback(db);
	ae_db_free(db);
}

/* ---- what CRLs told ---- */

static bool
import(struct ae_db *db, unsigned n, int reason)
{
	struct ae_db_request row = dbtest_row(AE_DB_ACTIVE, n);
	const struct ae_db_revoked r = { .serial = row.serial,
		.serial_len = row.serial_len,
		.revoked_at = NOW + 5,
		.reason = reason };
	bool was_new = false;

	assert_int_equal(ae_db_begin(db, NULL), AE_OK);
	assert_int_equal(ae_db_revoked_import(db, &r, 0, NOW + 1000, "root",
			     NOW + 9, &was_new, NULL),
	    AE_OK);
	assert_int_equal(ae_db_commit(db, NULL), AE_OK);
	return was_new;
}

static int
add_reason(void *arg, const struct ae_db_revoked *r, struct ae_err *e)
{
	(void)e;
	*(int *)arg += 100 + r->reason;
	return AE_OK;
}

static void
published_revocations(void **state)
{
	struct ae_db *db = dbtest_open(NULL);
	struct ae_arena *a = ae_arena_new(1 << 20);
	struct ae_db_request row = dbtest_row(AE_DB_ACTIVE, 3), found;
	int64_t links;
	int sum = 0;

	(void)state;
	(void)dbtest_issue(db, 1);
	(void)dbtest_add(db, AE_DB_ACTIVE, 2); /* issued later: not known */
	assert_true(import(db, 1, 4));
	assert_true(import(db, 2, 1));
	assert_true(import(db, 3, 6)); /* quite unknown, on hold */
	assert_false(import(db, 1, 4));
	assert_false(import(db, 2, 4));
	assert_false(import(db, 3, 6));
	assert_true(import(db, 3, 1)); /* more than on hold */
	assert_int_equal(
	    dbtest_revoked(db, NOW + 900, add_reason, &sum), AE_OK);
	assert_int_equal(sum, 306);
	assert_int_equal(ae_db_request_by_serial(
			     db, row.serial, row.serial_len, &found, a, NULL),
	    AE_OK);
	assert_int_equal(found.disp, AE_DB_REVOKED);
	assert_int_equal(found.revoked_reason, 1);
	assert_int_equal(found.not_after, NOW + 1000);
	assert_int_equal(ae_db_audit_verify(db, &links, NULL), AE_OK);
	ae_arena_free(a);
	ae_db_free(db);
}

/* ---- copies ---- */

static void
a_copy_is_of_one_moment(void **state)
{
	struct ae_db *db = dbtest_open(NULL), *c;
	struct ae_db_backup *b = NULL;
	struct ae_db_state s;
	int64_t generation = 0, links;
	int copied, total, more = 0;
	bool done = false;
	char path[128], beside[160];
	struct stat st;
	unsigned i;

	(void)state;
	for (i = 0; i < 50; i++)
		(void)dbtest_issue(db, i);
	assert_int_equal(ae_db_begin(db, NULL), AE_OK);
	assert_int_equal(
	    ae_db_backup_begin(db, "root", NOW, &generation, NULL), AE_OK);
	assert_int_equal(ae_db_commit(db, NULL), AE_OK);
	assert_int_equal(generation, 1);
	(void)snprintf(path, sizeof(path), "%s/copy.db", dbtest_dir);
	assert_int_equal(ae_db_backup_new(&b, dbtest_path, path, NULL), AE_OK);
	while (!done) {
		assert_int_equal(ae_db_backup_step(b, 2, &done, NULL), AE_OK);
		ae_db_backup_progress(b, &copied, &total);
		assert_true(done || (copied > 0 && copied <= total));
		(void)dbtest_issue(db, 1000 + i++); /* meanwhile */
		more++;
	}
	ae_db_backup_free(b);
	assert_true(more > 5);
	(void)snprintf(beside, sizeof(beside), "%s-wal", path);
	assert_int_equal(stat(beside, &st), -1);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	c = open_at(path);
	assert_int_equal(ae_db_state(c, &s, NULL), AE_OK);
	assert_int_equal(s.last_id, 50);
	assert_int_equal(ae_db_audit_verify(c, &links, NULL), AE_OK);
	assert_int_equal(ae_db_check(c, NULL), AE_OK);
	assert_int_equal(links, s.seq);
	ae_db_free(c);
	assert_int_equal(ae_db_state(db, &s, NULL), AE_OK);
	assert_int_equal(s.last_id, 50 + more);
	/* the next one has the next number */
	assert_int_equal(ae_db_begin(db, NULL), AE_OK);
	assert_int_equal(
	    ae_db_backup_begin(db, "root", NOW, &generation, NULL), AE_OK);
	assert_int_equal(ae_db_commit(db, NULL), AE_OK);
	assert_int_equal(generation, 2);
	ae_db_free(db);
}

static void
copies_that_fail(void **state)
{
	struct ae_db *db = dbtest_open(NULL);
	struct ae_db_backup *b = NULL;
	struct ae_err e = AE_ERR_INIT;
	char path[128];
	bool done;

	(void)state;
	(void)dbtest_issue(db, 1);
	(void)snprintf(path, sizeof(path), "%s/none.db", dbtest_dir);
	assert_int_equal(
	    ae_db_backup_new(&b, path, dbtest_path, NULL), AE_ENOTFOUND);
	assert_int_equal(
	    ae_db_backup_new(&b, dbtest_path, dbtest_path, &e), AE_EINVAL);
	assert_non_null(strstr(e.text, "there is a file already"));
	/* given up half way: nothing is left */
	assert_int_equal(ae_db_backup_new(&b, dbtest_path, path, NULL), AE_OK);
	assert_int_equal(ae_db_backup_step(b, 1, &done, NULL), AE_OK);
	assert_false(done);
	ae_db_backup_free(b);
	assert_int_equal(access(path, F_OK), -1);
	ae_db_free(db);
}

int
main(int argc, char **argv)
{
#define T(f) cmocka_unit_test_setup_teardown(f, dbtest_setup, dbtest_teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_round),
		cmocka_unit_test(merge_takes_the_higher),
		T(goes_on),
		T(f7_an_older_copy_is_noticed),
		T(f7_a_restored_one_waits),
		T(f7_a_lower_crl_number_is_noticed),
		T(f7_ids_and_numbers_go_past),
		T(ids_that_cannot_be),
		T(published_revocations),
		T(a_copy_is_of_one_moment),
		T(copies_that_fail),
	};
	/* copies of its files are the server's business */
	const struct CMUnitTest server[] = {
		T(goes_on),
		T(f7_a_restored_one_waits),
		T(f7_a_lower_crl_number_is_noticed),
		T(f7_ids_and_numbers_go_past),
		T(ids_that_cannot_be),
		T(published_revocations),
	};

	(void)argv;
	dbtest_begin(argc);
	return dbtest_end(dbtest_pg != NULL
		? cmocka_run_group_tests(server, NULL, NULL)
		: cmocka_run_group_tests(tests, NULL, NULL));
}
