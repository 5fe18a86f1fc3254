/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Rows: what may follow what, what is refused, and finding them again.
 */
#include "dbtest.h"
#include "torture.h"

static void
a_row_comes_back_as_it_went(void **state)
{
	struct ae_arena *a = ae_arena_new(1 << 20);
	struct ae_db *db = dbtest_open(NULL);
	struct ae_db_request r, want = dbtest_row(AE_DB_ACTIVE, 7);
	int64_t id = dbtest_issue(db, 7);

	(void)state;
	/* opened anew, so that it comes from the file */
	ae_db_free(db);
	db = dbtest_open(NULL);
	assert_int_equal(ae_db_request_get(db, id, &r, a, NULL), AE_OK);
	assert_int_equal(r.id, id);
	assert_int_equal(r.disp, AE_DB_ISSUED);
	assert_string_equal(r.sid, SID);
	assert_string_equal(r.account, "EXAMPLE\\PC1$");
	assert_string_equal(r.template, "Workstation");
	assert_string_equal(r.subject, "CN=pc1.example.com");
	assert_string_equal(r.attrs, "CertificateTemplate:Workstation");
	assert_string_equal(r.message, "Issued");
	assert_int_equal(r.flags, 0x100);
	assert_memory_equal(r.csr_hash, want.csr_hash, AE_DB_HASH_LEN);
	assert_int_equal(r.serial_len, 17);
	assert_memory_equal(r.serial, want.serial, 17);
	assert_int_equal(r.csr_len, 20);
	assert_memory_equal(r.csr, want.csr, 20);
	assert_int_equal(r.cert_len, 11);
	assert_memory_equal(r.cert, "certificate", 11);
	assert_int_equal(r.submitted, NOW);
	assert_int_equal(r.resolved, NOW + 1);
	assert_int_equal(r.not_before, NOW);
	assert_int_equal(r.not_after, NOW + 86400);

	assert_int_equal(
	    ae_db_request_by_serial(db, want.serial, 17, &r, a, NULL), AE_OK);
	assert_int_equal(r.id, id);
	assert_int_equal(
	    ae_db_request_same(db, SID, want.csr_hash, want.attrs, &r, a, NULL),
	    AE_OK);
	assert_int_equal(r.id, id);

	/* not there: another id, serial, SID, hash */
	assert_int_equal(
	    ae_db_request_get(db, id + 1, &r, a, NULL), AE_ENOTFOUND);
	assert_int_equal(
	    ae_db_request_by_serial(db, want.serial, 16, &r, a, NULL),
	    AE_ENOTFOUND);
	assert_int_equal(ae_db_request_same(db, "S-1-5-21-1-2-3-1105",
			     want.csr_hash, want.attrs, &r, a, NULL),
	    AE_ENOTFOUND);
	want.csr_hash[31] = 1;
	assert_int_equal(
	    ae_db_request_same(db, SID, want.csr_hash, want.attrs, &r, a, NULL),
	    AE_ENOTFOUND);
	ae_db_free(db);
	ae_arena_free(a);
}

/*
 * What a repeated request finds: its own answer, whatever was decided about
 * the same bytes with other attributes, by others, or refused.
 */
static void
the_answer_to_a_repeated_request_is_found(void **state)
{
	struct ae_arena *a = ae_arena_new(1 << 20);
	struct ae_db *db = dbtest_open(NULL);
	struct ae_db_request r, row = dbtest_row(AE_DB_ACTIVE, 1);
	int64_t first, second;
	unsigned i;

	(void)state;
	/* an intent has no answer yet */
	assert_int_equal(ae_db_begin(db, NULL), AE_OK);
	assert_int_equal(
	    ae_db_request_add(db, &row, dbtest_hash, &first, NULL), AE_OK);
	assert_int_equal(ae_db_commit(db, NULL), AE_OK);
	assert_int_equal(
	    ae_db_request_same(db, SID, row.csr_hash, row.attrs, &r, a, NULL),
	    AE_ENOTFOUND);
	assert_int_equal(ae_db_begin(db, NULL), AE_OK);
	assert_int_equal(ae_db_request_issue(db, first, "certificate", 11, NOW,
			     NOW + 86400, NOW + 1, "Issued", NULL),
	    AE_OK);
	/* without attributes: another request, and it waits */
	row = dbtest_row(AE_DB_PENDING, 1);
	row.attrs = NULL;
	assert_int_equal(
	    ae_db_request_add(db, &row, NULL, &second, NULL), AE_OK);
	assert_int_equal(ae_db_commit(db, NULL), AE_OK);
	for (i = 0; i < 50; i++)
		(void)dbtest_add(db, AE_DB_DENIED, 1);
	assert_int_equal(ae_db_request_same(db, SID, row.csr_hash,
			     "CertificateTemplate:Workstation", &r, a, NULL),
	    AE_OK);
	assert_int_equal(r.id, first);
	assert_memory_equal(r.cert, "certificate", 11);
	assert_int_equal(
	    ae_db_request_same(db, SID, row.csr_hash, NULL, &r, a, NULL),
	    AE_OK);
	assert_int_equal(r.id, second);
	assert_int_equal(
	    ae_db_request_same(db, SID, row.csr_hash, "", &r, a, NULL), AE_OK);
	assert_int_equal(r.id, second);
	assert_int_equal(
	    ae_db_request_same(db, SID, row.csr_hash, "x", &r, a, NULL),
	    AE_ENOTFOUND);
	/* the second one is denied: it is decided anew when it comes again */
	assert_int_equal(ae_db_begin(db, NULL), AE_OK);
	assert_int_equal(ae_db_request_refuse(db, second, AE_DB_DENIED,
			     0x80094014, "Denied", NULL, NOW, NULL),
	    AE_OK);
	assert_int_equal(ae_db_commit(db, NULL), AE_OK);
	assert_int_equal(
	    ae_db_request_same(db, SID, row.csr_hash, NULL, &r, a, NULL),
	    AE_ENOTFOUND);
	ae_db_free(db);
	ae_arena_free(a);
}

static void
f7_a_serial_is_promised_once(void **state)
{
	struct ae_db *db = dbtest_open(NULL);
	struct ae_db_request r = dbtest_row(AE_DB_ACTIVE, 1);
	int64_t id = dbtest_add(db, AE_DB_ACTIVE, 1), pending, other = 0;
	struct ae_err e = AE_ERR_INIT;

	(void)state;
	pending = dbtest_add(db, AE_DB_PENDING, 2);
	/* void or not, for ever; and the batch goes on after the refusal */
	assert_int_equal(ae_db_begin(db, NULL), AE_OK);
	assert_int_equal(
	    ae_db_request_refuse(db, id, AE_DB_VOID, 0, NULL, NULL, NOW, NULL),
	    AE_OK);
	assert_int_equal(
	    ae_db_request_add(db, &r, dbtest_hash, &other, &e), AE_EINVAL);
	assert_non_null(strstr(e.text, "request 1"));
	assert_int_equal(ae_db_request_activate(db, pending, r.serial, 17,
			     dbtest_hash, 0, "root", NOW, NULL),
	    AE_EINVAL);
	r.serial[16] = 9;
	assert_int_equal(
	    ae_db_request_add(db, &r, dbtest_hash, &other, NULL), AE_OK);
	assert_int_equal(ae_db_commit(db, NULL), AE_OK);
	ae_db_free(db);
}

static void
states_are_checked(void **state)
{
	struct ae_db *db = dbtest_open(NULL);
	struct ae_db_request r = dbtest_row(AE_DB_ACTIVE, 50);
	int64_t active = dbtest_add(db, AE_DB_ACTIVE, 1);
	int64_t pending = dbtest_add(db, AE_DB_PENDING, 2);
	int64_t denied = dbtest_add(db, AE_DB_DENIED, 3);
	int64_t issued = dbtest_issue(db, 4), id;
	const uint8_t *s = r.serial;

	(void)state;
#define ISSUE(i) \
	ae_db_request_issue(db, i, "c", 1, NOW, NOW + 1, NOW, NULL, NULL)
#define REFUSE(i, d) ae_db_request_refuse(db, i, d, 1, NULL, NULL, NOW, NULL)
#define ACTIVATE(i) \
	ae_db_request_activate(db, i, s, 17, dbtest_hash, 0, "root", NOW, NULL)
	assert_int_equal(ae_db_begin(db, NULL), AE_OK);
	assert_int_equal(ISSUE(pending), AE_EINVAL);
	assert_int_equal(ISSUE(denied), AE_EINVAL);
	assert_int_equal(ISSUE(issued), AE_EINVAL);
	assert_int_equal(ISSUE(99), AE_ENOTFOUND);
	assert_int_equal(REFUSE(denied, AE_DB_DENIED), AE_EINVAL);
	assert_int_equal(REFUSE(issued, AE_DB_VOID), AE_EINVAL);
	assert_int_equal(REFUSE(active, AE_DB_ISSUED), AE_EINVAL);
	assert_int_equal(REFUSE(99, AE_DB_DENIED), AE_ENOTFOUND);
	assert_int_equal(ACTIVATE(active), AE_EINVAL);
	assert_int_equal(ACTIVATE(issued), AE_EINVAL);
	assert_int_equal(ACTIVATE(99), AE_ENOTFOUND);
	assert_int_equal(ae_db_revoke(db, s, 17, 1, NOW, "x", NULL),
	    AE_ENOTFOUND); /* nobody's serial */

	/* what does not make sense as a new row */
	r.disp = AE_DB_ISSUED;
	assert_int_equal(
	    ae_db_request_add(db, &r, dbtest_hash, &id, NULL), AE_EINVAL);
	r.disp = AE_DB_ACTIVE;
	assert_int_equal(ae_db_request_add(db, &r, NULL, &id, NULL), AE_EINVAL);
	r.serial_len = 0;
	assert_int_equal(
	    ae_db_request_add(db, &r, dbtest_hash, &id, NULL), AE_EINVAL);
	r = dbtest_row(AE_DB_DENIED, 51);
	r.sid = NULL;
	assert_int_equal(ae_db_request_add(db, &r, NULL, &id, NULL), AE_EINVAL);
	r = dbtest_row((enum ae_db_disp)77, 51);
	assert_int_equal(ae_db_request_add(db, &r, NULL, &id, NULL), AE_EINVAL);
	r = dbtest_row(AE_DB_DENIED, 51);
	r.csr_len = AE_DB_BLOB_MAX + 1;
	assert_int_equal(ae_db_request_add(db, &r, NULL, &id, NULL), AE_EINVAL);

	/* and the roads that are open */
	assert_int_equal(ACTIVATE(pending), AE_OK);
	assert_int_equal(ISSUE(pending), AE_OK);
	assert_int_equal(REFUSE(active, AE_DB_VOID), AE_OK);
	assert_int_equal(ae_db_commit(db, NULL), AE_OK);
	ae_db_free(db);
}

static void
changes_need_a_batch(void **state)
{
	struct ae_db *db = dbtest_open(NULL);
	struct ae_db_request r = dbtest_row(AE_DB_DENIED, 1);
	int64_t id;

	(void)state;
	assert_int_equal(
	    ae_db_request_add(db, &r, NULL, &id, NULL), AE_EINTERNAL);
	assert_int_equal(ae_db_meta_set(db, "a", "b", NULL), AE_EINTERNAL);
	assert_int_equal(
	    ae_db_crl_number(db, 0, 0, NOW, &id, NULL), AE_EINTERNAL);
	assert_int_equal(ae_db_commit(db, NULL), AE_EINTERNAL);
	assert_int_equal(ae_db_begin(db, NULL), AE_OK);
	assert_int_equal(ae_db_begin(db, NULL), AE_EINTERNAL);
	assert_int_equal(ae_db_request_add(db, &r, NULL, &id, NULL), AE_OK);
	ae_db_rollback(db);
	ae_db_free(db);
}

static void
a_rolled_back_batch_leaves_nothing(void **state)
{
	struct ae_arena *a = ae_arena_new(1 << 20);
	struct ae_db *db = dbtest_open(NULL);
	struct ae_db_request r = dbtest_row(AE_DB_ACTIVE, 1);
	int64_t id, links;

	(void)state;
	assert_int_equal(ae_db_begin(db, NULL), AE_OK);
	assert_int_equal(
	    ae_db_request_add(db, &r, dbtest_hash, &id, NULL), AE_OK);
	ae_db_rollback(db);
	assert_int_equal(ae_db_request_get(db, id, &r, a, NULL), AE_ENOTFOUND);
	/* the chain goes on from where it was; the serial is free */
	(void)dbtest_add(db, AE_DB_ACTIVE, 1);
	assert_int_equal(ae_db_audit_verify(db, &links, NULL), AE_OK);
	assert_int_equal(links, 1);
	ae_db_free(db);
	ae_arena_free(a);
}

static void
flood_caps_per_sid(void **state)
{
	const struct ae_db_options o = { .max_pending_per_sid = 2,
		.max_refused_per_sid_day = 3 };
	struct ae_db *db = dbtest_open(&o);
	struct ae_db_request r;
	struct ae_err e = AE_ERR_INIT;
	int64_t id, first;
	unsigned i;

	(void)state;
	first = dbtest_add(db, AE_DB_PENDING, 1);
	(void)dbtest_add(db, AE_DB_PENDING, 2);
	assert_int_equal(ae_db_begin(db, NULL), AE_OK);
	r = dbtest_row(AE_DB_PENDING, 3);
	assert_int_equal(ae_db_request_add(db, &r, NULL, &id, &e), AE_EDENIED);
	assert_non_null(strstr(e.text, "2 pending"));
	/* somebody else is not concerned */
	r.sid = "S-1-5-21-1-2-3-2000";
	assert_int_equal(ae_db_request_add(db, &r, NULL, &id, NULL), AE_OK);
	/* a decision makes room */
	r = dbtest_row(AE_DB_PENDING, 3);
	assert_int_equal(ae_db_request_refuse(
			     db, first, AE_DB_DENIED, 1, NULL, NULL, NOW, NULL),
	    AE_OK);
	assert_int_equal(ae_db_request_add(db, &r, NULL, &id, NULL), AE_OK);

	for (i = 0; i < 3; i++) {
		r = dbtest_row(i == 1 ? AE_DB_FAILED : AE_DB_DENIED, 10 + i);
		assert_int_equal(
		    ae_db_request_add(db, &r, NULL, &id, NULL), AE_OK);
	}
	assert_int_equal(
	    ae_db_request_add(db, &r, NULL, &id, NULL), AE_EDENIED);
	/* an issued one still passes, and so does the next day */
	r = dbtest_row(AE_DB_ACTIVE, 20);
	assert_int_equal(
	    ae_db_request_add(db, &r, dbtest_hash, &id, NULL), AE_OK);
	r = dbtest_row(AE_DB_DENIED, 21);
	r.submitted += 86400;
	assert_int_equal(ae_db_request_add(db, &r, NULL, &id, NULL), AE_OK);
	assert_int_equal(ae_db_commit(db, NULL), AE_OK);
	ae_db_free(db);
}

static void
pages_do_not_move(void **state)
{
	struct ae_arena *a = ae_arena_new(1 << 22);
	struct ae_db *db = dbtest_open(NULL);
	struct ae_db_filter f = { .limit = 4 };
	struct ae_db_request *v;
	size_t n, seen = 0;
	unsigned i;

	(void)state;
	for (i = 0; i < 10; i++)
		(void)dbtest_add(
		    db, i % 2 == 0 ? AE_DB_DENIED : AE_DB_PENDING, i);
	do {
		assert_int_equal(
		    ae_db_request_list(db, &f, &v, &n, a, NULL), AE_OK);
		for (i = 0; i < n; i++)
			assert_int_equal(v[i].id, ++seen);
		if (n > 0)
			f.after = v[n - 1].id;
		/* a row that comes in between changes nothing before it */
		if (seen == 4)
			(void)dbtest_add(db, AE_DB_DENIED, 100);
	} while (n == f.limit);
	assert_int_equal(seen, 11);

	f = (struct ae_db_filter){ .limit = 3, .newest_first = true };
	assert_int_equal(ae_db_request_list(db, &f, &v, &n, a, NULL), AE_OK);
	assert_int_equal(n, 3);
	assert_int_equal(v[0].id, 11);
	assert_int_equal(v[2].id, 9);
	assert_null(v[0].csr);
	f.after = v[2].id;
	f.blobs = true;
	f.disp = AE_DB_PENDING;
	f.sid = SID;
	f.template = "Workstation";
	assert_int_equal(ae_db_request_list(db, &f, &v, &n, a, NULL), AE_OK);
	assert_int_equal(n, 3);
	assert_int_equal(v[0].id, 8);
	assert_int_equal(v[0].csr_len, 20);
	f.template = "x' OR '1'='1";
	assert_int_equal(ae_db_request_list(db, &f, &v, &n, a, NULL), AE_OK);
	assert_int_equal(n, 0);
	f.limit = 0;
	assert_int_equal(
	    ae_db_request_list(db, &f, &v, &n, a, NULL), AE_EINVAL);
	f.limit = AE_DB_PAGE_MAX + 1;
	assert_int_equal(
	    ae_db_request_list(db, &f, &v, &n, a, NULL), AE_EINVAL);
	ae_db_free(db);
	ae_arena_free(a);
}

static int
count_revoked(void *arg, const struct ae_db_revoked *r, struct ae_err *e)
{
	size_t *n = arg;

	if (*n == 99)
		return ae_fail(e, AE_EIO, AE_DOM_NONE, 0, "enough");
	assert_int_equal(r->serial_len, 17);
	assert_int_equal(r->revoked_at, NOW + 5);
	assert_int_equal(r->reason, 4);
	(*n)++;
	return AE_OK;
}

static void
revocations(void **state)
{
	struct ae_arena *a = ae_arena_new(1 << 20);
	struct ae_db *db = dbtest_open(NULL);
	struct ae_db_request r, row = dbtest_row(AE_DB_ACTIVE, 1);
	int64_t id = dbtest_issue(db, 1);
	size_t n = 0;

	(void)state;
	(void)dbtest_issue(db, 2);
	assert_int_equal(ae_db_begin(db, NULL), AE_OK);
	assert_int_equal(
	    ae_db_revoke(db, row.serial, 17, 7, NOW, "x", NULL), AE_EINVAL);
	assert_int_equal(
	    ae_db_revoke(db, row.serial, 17, 11, NOW, "x", NULL), AE_EINVAL);
	assert_int_equal(ae_db_revoke(db, row.serial, 17, 4, NOW + 5,
			     "EXAMPLE\\admin", NULL),
	    AE_OK);
	assert_int_equal(
	    ae_db_revoke(db, row.serial, 17, 4, NOW + 5, "x", NULL),
	    AE_EINVAL); /* once */
	assert_int_equal(ae_db_commit(db, NULL), AE_OK);
	assert_int_equal(ae_db_request_get(db, id, &r, a, NULL), AE_OK);
	assert_int_equal(r.disp, AE_DB_REVOKED);
	assert_int_equal(r.revoked_at, NOW + 5);
	assert_int_equal(r.revoked_reason, 4);

	assert_int_equal(dbtest_revoked(db, NOW, count_revoked, &n), AE_OK);
	assert_int_equal(n, 1);
	/* what has expired is no longer on the list */
	assert_int_equal(
	    dbtest_revoked(db, NOW + 86401, count_revoked, &n), AE_OK);
	assert_int_equal(n, 1);
	n = 99;
	assert_int_equal(dbtest_revoked(db, NOW, count_revoked, &n), AE_EIO);
	ae_db_free(db);
	ae_arena_free(a);
}

static void
intents_are_found(void **state)
{
	struct ae_arena *a = ae_arena_new(1 << 20);
	struct ae_db *db = dbtest_open(NULL);
	int64_t id = dbtest_add(db, AE_DB_ACTIVE, 1);
	struct ae_db_intent *v;
	size_t n;

	(void)state;
	(void)dbtest_issue(db, 2);
	ae_db_free(db);
	db = dbtest_open(NULL);
	assert_int_equal(ae_db_intents(db, &v, &n, a, NULL), AE_OK);
	assert_int_equal(n, 1);
	assert_int_equal(v[0].id, id);
	assert_int_equal(v[0].serial_len, 17);
	assert_memory_equal(v[0].tbs_hash, dbtest_hash, AE_DB_HASH_LEN);
	assert_int_equal(ae_db_begin(db, NULL), AE_OK);
	assert_int_equal(
	    ae_db_request_refuse(db, id, AE_DB_VOID, 0, NULL, NULL, NOW, NULL),
	    AE_OK);
	assert_int_equal(ae_db_commit(db, NULL), AE_OK);
	assert_int_equal(ae_db_intents(db, &v, &n, a, NULL), AE_OK);
	assert_int_equal(n, 0);
	ae_db_free(db);
	ae_arena_free(a);
}

/* More than one look-up gives at a time: a busy CA was killed. */
static void
f1_all_intents_become_void(void **state)
{
	struct ae_arena *a = ae_arena_new(1 << 20);
	struct ae_db *db = dbtest_open(NULL);
	struct ae_db_request r, row;
	struct ae_db_intent *v;
	int64_t id = 0;
	size_t n = 7;
	unsigned i;

	(void)state;
	assert_int_equal(ae_db_void_intents(db, 1, "x", NOW, &n, NULL), AE_OK);
	assert_int_equal(n, 0);
	assert_int_equal(ae_db_begin(db, NULL), AE_OK);
	for (i = 0; i < 2500; i++) {
		r = dbtest_row(AE_DB_ACTIVE, i);
		assert_int_equal(
		    ae_db_request_add(db, &r, dbtest_hash, &id, NULL), AE_OK);
	}
	assert_int_equal(ae_db_commit(db, NULL), AE_OK);
	assert_int_equal(
	    ae_db_void_intents(db, 0x80094006, "x", NOW, &n, NULL), AE_OK);
	assert_int_equal(n, 2500);
	assert_int_equal(ae_db_intents(db, &v, &n, a, NULL), AE_OK);
	assert_int_equal(n, 0);
	assert_int_equal(ae_db_request_get(db, id, &row, a, NULL), AE_OK);
	assert_int_equal(row.disp, AE_DB_VOID);
	assert_int_equal(row.hresult, 0x80094006);
	ae_db_free(db);
	ae_arena_free(a);
}

/* What concerns one operation alone leaves the others of the batch. */
static void
one_refused_leaves_the_batch(void **state)
{
	struct ae_arena *a = ae_arena_new(1 << 20);
	struct ae_db *db = dbtest_open(NULL);
	int64_t gone = dbtest_add(db, AE_DB_ACTIVE, 1), id = 0;
	struct ae_db_request r = dbtest_row(AE_DB_DENIED, 2), row;
	size_t n;
	int rc;

	(void)state;
	assert_int_equal(ae_db_void_intents(db, 1, "x", NOW, &n, NULL), AE_OK);
	assert_int_equal(ae_db_begin(db, NULL), AE_OK);
	assert_int_equal(ae_db_request_add(db, &r, NULL, &id, NULL), AE_OK);
	rc = ae_db_request_issue(db, gone, "c", 1, NOW, NOW, NOW, NULL, NULL);
	assert_true(ae_db_refused_one(rc));
	assert_int_equal(ae_db_commit(db, NULL), AE_OK);
	assert_int_equal(ae_db_request_get(db, id, &row, a, NULL), AE_OK);
	assert_int_equal(ae_db_request_get(db, gone, &row, a, NULL), AE_OK);
	assert_int_equal(row.disp, AE_DB_VOID);
	assert_false(ae_db_refused_one(AE_OK));
	assert_false(ae_db_refused_one(AE_EIO));
	assert_false(ae_db_refused_one(AE_ENOMEM));
	assert_false(ae_db_refused_one(AE_ELIMIT));
	ae_db_free(db);
	ae_arena_free(a);
}

static void
f19_crl_numbers_only_rise(void **state)
{
	struct ae_db *db = dbtest_open(NULL);
	int64_t n, i;

	(void)state;
	for (i = 1; i <= 3; i++) {
		assert_int_equal(ae_db_begin(db, NULL), AE_OK);
		assert_int_equal(
		    ae_db_crl_number(db, 0, 0, NOW, &n, NULL), AE_OK);
		assert_int_equal(ae_db_commit(db, NULL), AE_OK);
		assert_int_equal(n, i);
		ae_db_free(db);
		db = dbtest_open(NULL);
	}
	assert_int_equal(ae_db_begin(db, NULL), AE_OK);
	assert_int_equal(ae_db_crl_number(db, 1, 0, NOW, &n, NULL), AE_OK);
	assert_int_equal(n, 1); /* another key, its own numbers */
	ae_db_rollback(db);
	ae_db_free(db);
}

static void
meta_values(void **state)
{
	struct ae_arena *a = ae_arena_new(4096);
	struct ae_db *db = dbtest_open(NULL);
	char *value = NULL;

	(void)state;
	assert_int_equal(ae_db_meta_get(db, "ca", &value, a, NULL), AE_OK);
	assert_null(value);
	assert_int_equal(ae_db_begin(db, NULL), AE_OK);
	assert_int_equal(ae_db_meta_set(db, "ca", "one", NULL), AE_OK);
	assert_int_equal(ae_db_meta_set(db, "ca", "two", NULL), AE_OK);
	assert_int_equal(ae_db_commit(db, NULL), AE_OK);
	assert_int_equal(ae_db_meta_get(db, "ca", &value, a, NULL), AE_OK);
	assert_string_equal(value, "two");
	ae_db_free(db);
	ae_arena_free(a);
}

static bool
tortured(void *arg)
{
	const struct ae_db_options o = { .path = dbtest_path, .create = true };
	struct ae_arena *a = ae_arena_new(1 << 20);
	struct ae_db_request r = dbtest_row(AE_DB_ACTIVE, 1), got;
	struct ae_db *db = NULL;
	int64_t id = 0;
	bool ok = false;

	(void)arg;
	if (a == NULL)
		return false;
	if (ae_db_open(&db, &o, NULL) != AE_OK)
		goto out;
	/* what an earlier round committed stays: a serial for each round */
	while (
	    ae_db_request_by_serial(db, r.serial, 17, &got, a, NULL) == AE_OK)
		r.serial[16]++;
	ok = ae_db_begin(db, NULL) == AE_OK &&
	    ae_db_request_add(db, &r, dbtest_hash, &id, NULL) == AE_OK &&
	    ae_db_request_issue(db, id, "cert", 4, NOW, NOW, NOW, NULL, NULL) ==
		AE_OK &&
	    ae_db_commit(db, NULL) == AE_OK &&
	    ae_db_request_get(db, id, &got, a, NULL) == AE_OK &&
	    got.cert_len == 4 && strcmp(got.sid, SID) == 0;
out:
	ae_db_free(db);
	ae_arena_free(a);
	return ok;
}

static void
torture(void **state)
{
	(void)state;
	/* a new connection makes some of them good again */
	assert_true(ae_torture(tortured, NULL, 400, dbtest_pg == NULL) > 5);
}

/* On hold: back again, or away for good; and nothing else is on hold. */
static void
a_hold_is_released_or_final(void **state)
{
	struct ae_db_request r = dbtest_row(AE_DB_ACTIVE, 7), now;
	struct ae_arena *a = ae_arena_new(1 << 20);
	struct ae_db *db = dbtest_open(NULL);
	int64_t id = dbtest_issue(db, 7);
	size_t n = 0;

	(void)state;
	assert_int_equal(ae_db_begin(db, NULL), AE_OK);
	assert_int_equal(
	    ae_db_release(db, r.serial, 17, NOW, "x", NULL), AE_EINVAL);
	assert_int_equal(ae_db_revoke(db, r.serial, 17, AE_DB_REASON_HOLD,
			     NOW + 5, "x", NULL),
	    AE_OK);
	assert_int_equal(ae_db_request_get(db, id, &now, a, NULL), AE_OK);
	assert_int_equal(now.disp, AE_DB_REVOKED);
	assert_int_equal(
	    ae_db_release(db, r.serial, 17, NOW, "x", NULL), AE_OK);
	assert_int_equal(ae_db_request_get(db, id, &now, a, NULL), AE_OK);
	assert_int_equal(now.disp, AE_DB_ISSUED);
	assert_int_equal(now.revoked_at, 0);
	assert_int_equal(ae_db_commit(db, NULL), AE_OK);
	assert_int_equal(dbtest_revoked(db, NOW, count_revoked, &n), AE_OK);
	assert_int_equal(n, 0);
	assert_int_equal(ae_db_begin(db, NULL), AE_OK);
	assert_int_equal(ae_db_revoke(db, r.serial, 17, AE_DB_REASON_HOLD,
			     NOW + 5, "x", NULL),
	    AE_OK);
	assert_int_equal(
	    ae_db_revoke(db, r.serial, 17, 4, NOW + 5, "x", NULL), AE_OK);
	assert_int_equal(
	    ae_db_release(db, r.serial, 17, NOW, "x", NULL), AE_EINVAL);
	assert_int_equal(
	    ae_db_revoke(db, r.serial, 17, 1, NOW, "x", NULL), AE_EINVAL);
	assert_int_equal(ae_db_request_get(db, id, &now, a, NULL), AE_OK);
	assert_int_equal(now.revoked_reason, 4);
	assert_int_equal(ae_db_commit(db, NULL), AE_OK);
	assert_int_equal(dbtest_revoked(db, NOW, count_revoked, &n), AE_OK);
	assert_int_equal(n, 1);
	ae_db_free(db);
	ae_arena_free(a);
}

/* Kept while it waits, and no longer. */
static void
the_caller_of_a_pending_row_is_kept(void **state)
{
	struct ae_db_request r = dbtest_row(AE_DB_PENDING, 1), got;
	struct ae_arena *a = ae_arena_new(1 << 21);
	const uint8_t *big = ae_arena_alloc(a, AE_DB_CALLER_MAX + 1);
	struct ae_db *db = dbtest_open(NULL);
	int64_t id = 0, other = 0;
	const uint8_t serial[] = { 0x1f, 9 };

	(void)state;
	assert_non_null(big);
	r.caller = (const uint8_t *)"who";
	r.caller_len = 3;
	assert_int_equal(ae_db_begin(db, NULL), AE_OK);
	assert_int_equal(ae_db_request_add(db, &r, NULL, &id, NULL), AE_OK);
	assert_int_equal(ae_db_request_add(db, &r, NULL, &other, NULL), AE_OK);
	assert_int_equal(ae_db_commit(db, NULL), AE_OK);
	assert_int_equal(ae_db_request_get(db, id, &got, a, NULL), AE_OK);
	assert_int_equal(got.caller_len, 3);
	assert_memory_equal(got.caller, "who", 3);
	assert_int_equal(ae_db_begin(db, NULL), AE_OK);
	assert_int_equal(ae_db_request_activate(db, id, serial, 2, dbtest_hash,
			     0x20003, "root", NOW, NULL),
	    AE_OK);
	assert_int_equal(ae_db_request_get(db, id, &got, a, NULL), AE_OK);
	assert_int_equal(got.issuer, 0x20003);
	/* an intent is not denied any more */
	assert_int_equal(ae_db_request_refuse(
			     db, id, AE_DB_DENIED, 1, NULL, "root", NOW, NULL),
	    AE_EINVAL);
	assert_int_equal(ae_db_request_refuse(db, other, AE_DB_DENIED, 1, NULL,
			     "root", NOW, NULL),
	    AE_OK);
	/* only what waits has one, and not an endless one */
	r.disp = AE_DB_DENIED;
	assert_int_equal(ae_db_request_add(db, &r, NULL, &id, NULL), AE_EINVAL);
	r.disp = AE_DB_PENDING;
	r.caller = big;
	r.caller_len = AE_DB_CALLER_MAX + 1;
	assert_int_equal(ae_db_request_add(db, &r, NULL, &id, NULL), AE_EINVAL);
	assert_int_equal(ae_db_commit(db, NULL), AE_OK);
	assert_int_equal(ae_db_request_get(db, other, &got, a, NULL), AE_OK);
	assert_int_equal(got.caller_len, 0);
	ae_db_free(db);
	ae_arena_free(a);
}

static void
attributes_are_set_while_it_waits(void **state)
{
	struct ae_arena *a = ae_arena_new(1 << 20);
	struct ae_db *db = dbtest_open(NULL);
	int64_t waits = dbtest_add(db, AE_DB_PENDING, 1);
	int64_t denied = dbtest_add(db, AE_DB_DENIED, 2), links = 0;
	struct ae_db_request got;

	(void)state;
	assert_int_equal(
	    ae_db_request_set_attrs(db, waits, "a:b", "x", NOW, NULL),
	    AE_EINTERNAL); /* no batch */
	assert_int_equal(ae_db_begin(db, NULL), AE_OK);
	assert_int_equal(ae_db_request_set_attrs(
			     db, waits, "Ticket:1", "LAB\\alice", NOW, NULL),
	    AE_OK);
	assert_int_equal(ae_db_request_set_attrs(
			     db, waits, "Ticket:2", "LAB\\alice", NOW, NULL),
	    AE_OK);
	assert_int_equal(
	    ae_db_request_set_attrs(db, denied, "a:b", "x", NOW, NULL),
	    AE_EINVAL);
	assert_int_equal(
	    ae_db_request_set_attrs(db, 999, "a:b", "x", NOW, NULL),
	    AE_ENOTFOUND);
	assert_int_equal(ae_db_commit(db, NULL), AE_OK);
	assert_int_equal(ae_db_request_get(db, waits, &got, a, NULL), AE_OK);
	assert_string_equal(got.set_attrs, "Ticket:2");
	/* what came is as it came: the same request is found by it */
	assert_string_equal(got.attrs, "CertificateTemplate:Workstation");
	assert_int_equal(ae_db_request_get(db, denied, &got, a, NULL), AE_OK);
	assert_null(got.set_attrs);
	assert_int_equal(ae_db_audit_verify(db, &links, NULL), AE_OK);
	ae_db_free(db);
	ae_arena_free(a);
}

static void
a_list_by_serial_number(void **state)
{
	struct ae_arena *a = ae_arena_new(1 << 20);
	struct ae_db *db = dbtest_open(NULL);
	struct ae_db_filter f = { .limit = 10 };
	struct ae_db_request *v, row;
	int64_t id = dbtest_issue(db, 3);
	size_t n;

	(void)state;
	(void)dbtest_issue(db, 4);
	assert_int_equal(ae_db_request_get(db, id, &row, a, NULL), AE_OK);
	f.serial = row.serial;
	f.serial_len = row.serial_len;
	assert_int_equal(ae_db_request_list(db, &f, &v, &n, a, NULL), AE_OK);
	assert_int_equal(n, 1);
	assert_int_equal(v[0].id, id);
	f.after = id; /* it is not behind itself */
	assert_int_equal(ae_db_request_list(db, &f, &v, &n, a, NULL), AE_OK);
	assert_int_equal(n, 0);
	f.after = 0;
	f.disp = AE_DB_REVOKED; /* and the others count, too */
	assert_int_equal(ae_db_request_list(db, &f, &v, &n, a, NULL), AE_OK);
	assert_int_equal(n, 0);
	ae_db_free(db);
	ae_arena_free(a);
}

#define T(f) cmocka_unit_test_setup_teardown(f, dbtest_setup, dbtest_teardown)

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		T(a_row_comes_back_as_it_went),
		T(the_answer_to_a_repeated_request_is_found),
		T(f7_a_serial_is_promised_once),
		T(a_hold_is_released_or_final),
		T(the_caller_of_a_pending_row_is_kept),
		T(attributes_are_set_while_it_waits),
		T(a_list_by_serial_number),
		T(states_are_checked),
		T(changes_need_a_batch),
		T(a_rolled_back_batch_leaves_nothing),
		T(flood_caps_per_sid),
		T(pages_do_not_move),
		T(revocations),
		T(intents_are_found),
		T(f1_all_intents_become_void),
		T(one_refused_leaves_the_batch),
		T(f19_crl_numbers_only_rise),
		T(meta_values),
		T(torture),
	};

	(void)argv;
	dbtest_begin(argc);
	return dbtest_end(cmocka_run_group_tests(tests, NULL, NULL));
}
