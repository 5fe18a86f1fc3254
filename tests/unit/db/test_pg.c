/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What only a server can do to us: go away between batches, in one, in a
 * commit whose answer is lost; other nodes that write at the same time, that
 * stand still in a batch, that have our number; and that nothing is lost or
 * doubled by any of it.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

#include "dbtest.h"

#include "db/backup.h"
#include "db/copy.h"
#include "db/impl.h"
#include "db/rollback.h"

static int
try_add(struct ae_db *db, unsigned n, struct ae_err *e)
{
	struct ae_db_request r = dbtest_row(AE_DB_ACTIVE, n);
	int64_t id;
	int rc;

	rc = ae_db_begin(db, e);
	if (rc == AE_OK)
		rc = ae_db_request_add(db, &r, dbtest_hash, &id, e);
	if (rc == AE_OK)
		rc = ae_db_commit(db, e);
	if (rc != AE_OK)
		ae_db_rollback(db);
	return rc;
}

static size_t
rows(struct ae_db *db)
{
	struct ae_arena *a = ae_arena_new(1 << 22);
	struct ae_db_filter f = { .limit = AE_DB_PAGE_MAX };
	struct ae_db_request *v;
	size_t n = 0, all = 0;

	do {
		assert_int_equal(
		    ae_db_request_list(db, &f, &v, &n, a, NULL), AE_OK);
		all += n;
		if (n > 0)
			f.after = v[n - 1].id;
	} while (n == f.limit);
	ae_arena_free(a);
	return all;
}

/* The chain is whole and has that many links. */
static void
whole(struct ae_db *db, int64_t want)
{
	struct ae_err e = AE_ERR_INIT;
	int64_t links = 0;

	if (ae_db_audit_verify(db, &links, &e) != AE_OK)
		fail_msg("%s", e.text);
	assert_int_equal(links, want);
	if (ae_db_check(db, &e) != AE_OK)
		fail_msg("%s", e.text);
}

static void
f24_a_server_that_dies_loses_nothing_acknowledged(void **state)
{
	struct ae_db *db = dbtest_open(NULL);
	struct ae_err e = AE_ERR_INIT;
	struct ae_db_request r = dbtest_row(AE_DB_ACTIVE, 7);
	int64_t id;

	(void)state;
	assert_int_equal(try_add(db, 1, NULL), AE_OK);
	assert_int_equal(try_add(db, 2, NULL), AE_OK);
	pgcluster_crash(dbtest_pg);
	/* away: clear errors, the second one at once */
	assert_int_equal(try_add(db, 3, &e), AE_EUNAVAIL);
	assert_non_null(strstr(e.text, "connecting"));
	assert_int_equal(try_add(db, 3, &e), AE_EUNAVAIL);
	assert_non_null(strstr(e.text, "next try"));
	assert_true(pgcluster_start(dbtest_pg));
	(void)usleep(200000);
	assert_int_equal(try_add(db, 3, NULL), AE_OK);
	/* restarted while nobody used it: nobody notices */
	pgcluster_crash(dbtest_pg);
	assert_true(pgcluster_start(dbtest_pg));
	assert_int_equal(rows(db), 3);
	pgcluster_crash(dbtest_pg);
	assert_true(pgcluster_start(dbtest_pg));
	assert_int_equal(try_add(db, 4, NULL), AE_OK);
	/* in a batch: it is undone, and told at every step */
	assert_int_equal(ae_db_begin(db, NULL), AE_OK);
	assert_int_equal(
	    ae_db_request_add(db, &r, dbtest_hash, &id, NULL), AE_OK);
	pgcluster_crash(dbtest_pg);
	assert_true(pgcluster_start(dbtest_pg));
	r.serial[16] = 1;
	assert_int_equal(
	    ae_db_request_add(db, &r, dbtest_hash, &id, &e), AE_EUNAVAIL);
	ae_db_rollback(db);
	assert_int_equal(rows(db), 4);
	/* before the commit alone */
	assert_int_equal(ae_db_begin(db, NULL), AE_OK);
	assert_int_equal(
	    ae_db_request_add(db, &r, dbtest_hash, &id, NULL), AE_OK);
	pgcluster_crash(dbtest_pg);
	assert_true(pgcluster_start(dbtest_pg));
	assert_int_equal(ae_db_commit(db, &e), AE_EUNAVAIL);
	assert_int_equal(rows(db), 4);
	assert_int_equal(try_add(db, 5, NULL), AE_OK);
	whole(db, 5);
	ae_db_free(db);
}

/* ---- a commit whose answer is lost ---- */

/* Passes on what both say, until the client says COMMIT. */
static void
proxy(const char *from, const char *to, bool pass)
{
	struct sockaddr_un in = { .sun_family = AF_UNIX };
	struct sockaddr_un out = { .sun_family = AF_UNIX };
	int l = socket(AF_UNIX, SOCK_STREAM, 0), a, b, i;
	bool cut = false;
	char buf[16384];
	ssize_t n;

	(void)snprintf(in.sun_path, sizeof(in.sun_path), "%s", from);
	(void)snprintf(out.sun_path, sizeof(out.sun_path), "%s", to);
	if (bind(l, (struct sockaddr *)&in, sizeof(in)) != 0 ||
	    listen(l, 8) != 0)
		_exit(1);
	for (;;) {
		a = accept(l, NULL, NULL);
		b = socket(AF_UNIX, SOCK_STREAM, 0);
		if (connect(b, (struct sockaddr *)&out, sizeof(out)) != 0)
			_exit(1);
		for (;;) {
			struct pollfd p[2] = { { a, POLLIN, 0 },
				{ b, POLLIN, 0 } };

			(void)poll(p, 2, -1);
			i = p[0].revents != 0 ? 0 : 1;
			n = read(p[i].fd, buf, sizeof(buf));
			if (n <= 0)
				break;
			if (i == 0 && !cut &&
			    memmem(buf, (size_t)n, "COMMIT", 7) != NULL) {
				cut = true;
				if (pass)
					(void)!write(b, buf, (size_t)n);
				(void)usleep(200000);
				break;
			}
			if (write(p[1 - i].fd, buf, (size_t)n) != n)
				break;
		}
		close(a);
		close(b);
	}
}

static void
lost_answer(bool pass)
{
	char dir[] = "/tmp/ae-cut-XXXXXX", from[64], to[128], uri[192];
	struct ae_db_options o = { .path = uri };
	struct ae_err e = AE_ERR_INIT;
	struct ae_db *db = NULL;
	const char *at;
	pid_t pid;
	int rc;

	assert_non_null(mkdtemp(dir));
	(void)snprintf(from, sizeof(from), "%s/.s.PGSQL.5432", dir);
	at = strstr(dbtest_path, "host=") + 5;
	(void)snprintf(
	    to, sizeof(to), "%.*s/.s.PGSQL.5432", (int)strcspn(at, "&"), at);
	pid = fork();
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		proxy(from, to, pass);
	}
	ae_db_free(dbtest_open(NULL)); /* the schema, not through the proxy */
	while (access(from, F_OK) != 0)
		(void)usleep(1000);
	(void)snprintf(uri, sizeof(uri), "postgresql:///%.*s?host=%s&user=ca",
	    (int)strcspn(dbtest_path + 14, "?"), dbtest_path + 14, dir);
	if (ae_db_open(&db, &o, &e) != AE_OK)
		fail_msg("%s", e.text);
	rc = try_add(db, 1, &e);
	if (rc != (pass ? AE_OK : AE_EUNAVAIL))
		fail_msg("%d %s", rc, e.text);
	assert_int_equal(rows(db), pass ? 1 : 0);
	if (!pass) /* and so it can be done again */
		assert_int_equal(try_add(db, 1, NULL), AE_OK);
	assert_int_equal(try_add(db, 2, NULL), AE_OK);
	whole(db, 2);
	ae_db_free(db);
	kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	unlink(from);
	assert_int_equal(rmdir(dir), 0);
}

static void
a_commit_that_was_done_is_known_as_done(void **state)
{
	(void)state;
	lost_answer(true);
}

static void
a_commit_that_was_not_done_is_known_as_undone(void **state)
{
	(void)state;
	lost_answer(false);
}

/* ---- several nodes ---- */

#define WRITERS 4
#define EACH 40

/* Rows, CRL numbers; what it was told on fd. */
static void
node(unsigned k, int fd)
{
	struct ae_db_options o = { .path = dbtest_path,
		.instance = (uint8_t)(k + 1) };
	struct ae_db_request r;
	struct ae_db *db;
	int64_t out[2];
	unsigned i;

	if (ae_db_open(&db, &o, NULL) != AE_OK)
		_exit(2);
	for (i = 0; i < EACH; i++) {
		r = dbtest_row(AE_DB_ACTIVE, k << 16 | i);
		r.serial[0] = (uint8_t)(k + 1);
		if (ae_db_begin(db, NULL) != AE_OK ||
		    ae_db_request_add(db, &r, dbtest_hash, &out[0], NULL) !=
			AE_OK ||
		    ae_db_crl_number(db, 0, 0, NOW, &out[1], NULL) != AE_OK ||
		    ae_db_commit(db, NULL) != AE_OK ||
		    write(fd, out, sizeof(out)) != sizeof(out))
			_exit(3);
	}
	ae_db_free(db);
	_exit(0);
}

static void
f24_nodes_make_one_chain(void **state)
{
	struct ae_db *db = dbtest_open(NULL);
	bool ids[WRITERS * EACH + 1] = { false };
	bool numbers[WRITERS * EACH + 1] = { false };
	int64_t got[2];
	int p[2], status;
	unsigned k, n = 0;

	(void)state;
	assert_int_equal(pipe(p), 0);
	for (k = 0; k < WRITERS; k++)
		if (fork() == 0)
			node(k, p[1]);
	close(p[1]);
	while (read(p[0], got, sizeof(got)) == sizeof(got)) {
		assert_true(got[0] > 0 && got[0] <= WRITERS * EACH);
		assert_false(ids[got[0]]);
		ids[got[0]] = true;
		assert_true(got[1] > 0 && got[1] <= WRITERS * EACH);
		assert_false(numbers[got[1]]);
		numbers[got[1]] = true;
		n++;
	}
	close(p[0]);
	for (k = 0; k < WRITERS; k++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	assert_int_equal(n, WRITERS * EACH);
	assert_int_equal(rows(db), WRITERS * EACH);
	whole(db, 2 * WRITERS * EACH);
	ae_db_free(db);
}

static struct ae_db *
open_as(uint8_t instance)
{
	const struct ae_db_options o = { .instance = instance };

	return dbtest_open(&o);
}

/* One that stands still in a batch is put out of it by the server. */
static void
f24_a_node_that_stands_still_stops_nobody(void **state)
{
	struct ae_db *a, *b;
	struct ae_db_request r = dbtest_row(AE_DB_ACTIVE, 1);
	struct timespec t0, t1;
	int64_t id;

	(void)state;
	ae_db_free(dbtest_open(NULL));
	a = open_as(1);
	b = open_as(2);
	assert_int_equal(ae_db_begin(a, NULL), AE_OK);
	assert_int_equal(
	    ae_db_request_add(a, &r, dbtest_hash, &id, NULL), AE_OK);
	clock_gettime(CLOCK_MONOTONIC, &t0);
	assert_int_equal(try_add(b, 2, NULL), AE_OK);
	clock_gettime(CLOCK_MONOTONIC, &t1);
	assert_true(t1.tv_sec - t0.tv_sec >= 2);
	assert_true(t1.tv_sec - t0.tv_sec < 9);
	/* it wakes up: what it had is undone, and it goes on */
	assert_int_equal(ae_db_commit(a, NULL), AE_EUNAVAIL);
	assert_int_equal(try_add(a, 1, NULL), AE_OK);
	whole(b, 2);
	ae_db_free(a);
	ae_db_free(b);
}

static void
f24_a_number_is_one_nodes(void **state)
{
	struct ae_db_options o = { .path = dbtest_path, .instance = 3 };
	struct ae_arena *arena = ae_arena_new(1 << 20);
	struct ae_err e = AE_ERR_INIT;
	struct ae_db *a, *b = NULL;
	struct ae_db_request r = dbtest_row(AE_DB_ACTIVE, 1), got;
	int64_t mine, other;
	size_t n = 0;

	(void)state;
	ae_db_free(dbtest_open(NULL));
	a = open_as(3);
	assert_int_equal(ae_db_open(&b, &o, &e), AE_EUNAVAIL);
	assert_non_null(strstr(e.text, "serial-instance 3"));
	o.instance = 4;
	assert_int_equal(ae_db_open(&b, &o, &e), AE_OK);
	/* what others have in hand is not made void */
	assert_int_equal(ae_db_begin(a, NULL), AE_OK);
	r.serial[0] = 3;
	assert_int_equal(
	    ae_db_request_add(a, &r, dbtest_hash, &mine, NULL), AE_OK);
	r = dbtest_row(AE_DB_ACTIVE, 2);
	r.serial[0] = 4;
	assert_int_equal(
	    ae_db_request_add(a, &r, dbtest_hash, &other, NULL), AE_OK);
	assert_int_equal(ae_db_commit(a, NULL), AE_OK);
	assert_int_equal(ae_db_void_intents(b, 1, "x", NOW, &n, NULL), AE_OK);
	assert_int_equal(n, 1);
	assert_int_equal(ae_db_request_get(b, mine, &got, arena, NULL), AE_OK);
	assert_int_equal(got.disp, AE_DB_ACTIVE);
	assert_int_equal(ae_db_request_get(b, other, &got, arena, NULL), AE_OK);
	assert_int_equal(got.disp, AE_DB_VOID);
	/* when it has gone the number is free at once */
	ae_db_free(a);
	a = open_as(3);
	ae_db_free(a);
	ae_db_free(b);
	ae_arena_free(arena);
}

/* ---- what the server was told ---- */

static void
commits_are_durable_whatever_the_database_says(void **state)
{
	struct ae_db *db;

	(void)state;
	ae_db_free(dbtest_open(NULL));
	assert_true(pgcluster_sql(dbtest_pg,
	    "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET"
	    " synchronous_commit = off', current_database()); END $$"));
	assert_true(pgcluster_sql(dbtest_pg,
	    "CREATE TABLE told (v TEXT); CREATE FUNCTION tell() RETURNS"
	    " trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO told VALUES"
	    " (current_setting('synchronous_commit')); RETURN NEW; END $$;"
	    "CREATE TRIGGER t AFTER INSERT ON audit FOR EACH ROW EXECUTE"
	    " FUNCTION tell()"));
	db = dbtest_open(NULL);
	assert_int_equal(try_add(db, 1, NULL), AE_OK);
	ae_db_free(db);
	/* an error of division unless it was on, once */
	assert_true(pgcluster_sql(dbtest_pg,
	    "SELECT 1 / (count(*) = 1 AND bool_and(v = 'on'))::int"
	    " FROM told"));
}

/* ---- bytes ---- */

static void
what_is_no_utf8_is_stored_all_the_same(void **state)
{
	struct ae_arena *a = ae_arena_new(1 << 20);
	struct ae_db *db = dbtest_open(NULL);
	struct ae_db_request r = dbtest_row(AE_DB_DENIED, 1), got;
	int64_t id;

	(void)state;
	r.message = "cut in the middle: \xc3";
	r.account = "LAB\\m\xc3\xbcller";
	assert_int_equal(ae_db_begin(db, NULL), AE_OK);
	assert_int_equal(ae_db_request_add(db, &r, NULL, &id, NULL), AE_OK);
	assert_int_equal(
	    ae_db_audit(db, "note", id, "x\xff", "\xe2\x82", NOW, NULL), AE_OK);
	assert_int_equal(ae_db_commit(db, NULL), AE_OK);
	assert_int_equal(ae_db_request_get(db, id, &got, a, NULL), AE_OK);
	assert_string_equal(got.message, "cut in the middle: ?");
	assert_string_equal(got.account, "LAB\\m\xc3\xbcller");
	whole(db, 2);
	ae_db_free(db);
	ae_arena_free(a);
}

static void
a_server_is_named_without_a_password(void **state)
{
	struct ae_err e = AE_ERR_INIT;
	bool local = false;

	(void)state;
	assert_int_equal(
	    ae_db_server_check("postgresql:///ca", &local, &e), AE_OK);
	assert_true(local);
	assert_int_equal(
	    ae_db_server_check("postgresql:///ca?host=/run/pg", &local, &e),
	    AE_OK);
	assert_true(local);
	assert_int_equal(
	    ae_db_server_check("postgresql://db1,db2/ca?user=x", &local, &e),
	    AE_OK);
	assert_false(local);
	assert_int_equal(
	    ae_db_server_check("postgresql://x:secret@db1/ca", &local, &e),
	    AE_EINVAL);
	assert_null(strstr(e.text, "secret"));
	assert_int_equal(
	    ae_db_server_check("postgresql://db1/ca?nothing=1", &local, &e),
	    AE_EINVAL);
	assert_false(ae_db_is_server("/var/lib/certsrv/db/ca.sqlite"));
}

/* ---- the server goes back ---- */

static struct ae_db *
a_node(uint8_t instance, bool forgiving)
{
	const struct ae_db_options o = { .instance = instance,
		.forgiving = forgiving };

	return dbtest_open(&o);
}

static void
sql(const char *text)
{
	struct ae_db *db = dbtest_open(NULL);
	struct ae_db_st st;

	assert_int_equal(ae_db_stmt_text(db, &st, text, false, NULL), AE_OK);
	assert_int_equal(ae_db_step_done(&st, "sql", NULL), AE_OK);
	ae_db_finish(&st);
	ae_db_free(db);
}

/* As a standby without the last commits, under handles that made them. */
static void
f7_a_server_that_went_back_is_noticed(void **state)
{
	struct ae_db *a, *b, *knows;
	struct ae_err e = AE_ERR_INIT;
	struct ae_db_state s;

	(void)state;
	a = a_node(1, false);
	b = a_node(2, false);
	assert_int_equal(try_add(a, 1, NULL), AE_OK);
	assert_int_equal(try_add(b, 2, NULL), AE_OK);
	assert_int_equal(try_add(a, 3, NULL), AE_OK);
	sql("DELETE FROM audit WHERE seq = (SELECT max(seq) FROM audit)");
	/* who wrote it knows; to who did not, nothing is missing */
	assert_int_equal(try_add(a, 4, &e), AE_ETRUST);
	assert_non_null(strstr(e.text, "went back"));
	assert_int_equal(ae_db_state(a, &s, NULL), AE_ETRUST);
	assert_int_equal(try_add(b, 5, NULL), AE_OK);
	/* not even when another entry has its number by now */
	assert_int_equal(try_add(a, 6, NULL), AE_ETRUST);

	/* so he tells the others, and whoever comes; the first reason stays */
	assert_int_equal(ae_db_suspend(a, "node 1 saw it", NOW, NULL), AE_OK);
	assert_int_equal(ae_db_suspend(b, "something else", NOW, NULL), AE_OK);
	e = (struct ae_err)AE_ERR_INIT;
	assert_int_equal(try_add(b, 7, &e), AE_ETRUST);
	assert_string_equal(e.text, "node 1 saw it");
	ae_db_free(b);
	b = a_node(2, false); /* a restart is no way out, but it opens */
	assert_int_equal(try_add(b, 7, NULL), AE_ETRUST);

	/* until somebody says so */
	knows = a_node(0, true);
	assert_int_equal(ae_db_state(knows, &s, NULL), AE_OK);
	assert_int_equal(ae_db_begin(knows, NULL), AE_OK);
	assert_int_equal(
	    ae_db_go_past(knows, &s, "root", "known", NOW, NULL), AE_OK);
	assert_int_equal(ae_db_commit(knows, NULL), AE_OK);
	assert_int_equal(try_add(b, 7, NULL), AE_OK);
	whole(b, s.seq + 2);
	ae_db_free(knows);
	ae_db_free(a);
	ae_db_free(b);
}

/* ---- copies of it ---- */

static void
expect_same(const struct ae_db_state *a, const struct ae_db_state *b)
{
	assert_int_equal(a->seq, b->seq);
	assert_int_equal(a->last_id, b->last_id);
	assert_memory_equal(a->link, b->link, sizeof(a->link));
}

static void
a_backup_is_of_one_moment_and_comes_back(void **state)
{
	char dir[] = "/tmp/ae-backup-XXXXXX", path[64], log[80];
	struct ae_db_options o = { .path = path, .read_only = true };
	struct ae_db *db = a_node(1, false), *reads, *file = NULL, *new;
	struct ae_db_state before, after;
	struct ae_err e = AE_ERR_INIT;
	struct ae_db_copied c;
	bool empty = true;

	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/ca.sqlite", dir);
	(void)snprintf(log, sizeof(log), "%s-wal", path);
	for (unsigned n = 1; n <= 20; n++)
		assert_int_equal(try_add(db, n, NULL), AE_OK);
	assert_int_equal(ae_db_state(db, &before, NULL), AE_OK);
	reads = dbtest_open(&(struct ae_db_options){ .read_only = true });
	if (ae_db_backup_server(reads, path, &e) != AE_OK)
		fail_msg("%s", e.text);
	ae_db_free(reads);
	assert_int_equal(access(log, F_OK), -1);
	/* what comes later is not in it */
	assert_int_equal(try_add(db, 21, NULL), AE_OK);
	assert_int_equal(ae_db_open(&file, &o, &e), AE_OK);
	assert_int_equal(ae_db_check(file, NULL), AE_OK);
	assert_int_equal(ae_db_state(file, &after, NULL), AE_OK);
	expect_same(&before, &after);
	reads = dbtest_open(&(struct ae_db_options){ .read_only = true });
	assert_int_equal(ae_db_backup_server(reads, path, NULL), AE_EINVAL);

	/* back: not beside a node, not over rows, which are kept */
	assert_int_equal(ae_db_server_unused(reads, &e), AE_EUNAVAIL);
	assert_non_null(strstr(e.text, "1 nodes are connected"));
	ae_db_free(db);
	assert_int_equal(ae_db_server_unused(reads, NULL), AE_OK);
	ae_db_free(reads);
	new = a_node(0, false);
	assert_int_equal(ae_db_copy(new, file, &c, NULL), AE_EINVAL);
	ae_db_free(file);
	assert_int_equal(ae_db_is_empty(new, &empty, NULL), AE_OK);
	assert_false(empty);
	assert_int_equal(
	    ae_db_server_aside(new, "x; DROP TABLE audit", NULL), AE_EINTERNAL);
	assert_int_equal(ae_db_server_aside(new, "replaced_1", NULL), AE_OK);
	ae_db_free(new);
	new = a_node(0, false);
	file = NULL;
	assert_int_equal(ae_db_open(&file, &o, &e), AE_OK);
	assert_int_equal(ae_db_copy(new, file, &c, NULL), AE_OK);
	ae_db_free(file);
	assert_int_equal(rows(new), 20);
	assert_int_equal(ae_db_state(new, &after, NULL), AE_OK);
	expect_same(&before, &after);
	assert_int_equal(try_add(new, 22, NULL), AE_OK);
	sql("INSERT INTO meta SELECT 'kept', count(*)::text"
	    " FROM replaced_1.request");
	ae_db_free(new);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0);
}

static void
a_backup_that_fails_leaves_nothing(void **state)
{
	char dir[] = "/tmp/ae-backup-XXXXXX", path[64];
	struct ae_db *db = a_node(1, false), *reads;

	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/ca.sqlite", dir);
	assert_int_equal(try_add(db, 1, NULL), AE_OK);
	sql("UPDATE audit SET detail = 'changed' WHERE seq = 1");
	reads = dbtest_open(&(struct ae_db_options){ .read_only = true });
	assert_int_equal(ae_db_backup_server(reads, path, NULL), AE_EPROTO);
	ae_db_free(reads);
	ae_db_free(db);
	assert_int_equal(rmdir(dir), 0); /* it is empty */
}

#define T(f) cmocka_unit_test_setup_teardown(f, dbtest_setup, dbtest_teardown)

int
main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		T(f24_a_server_that_dies_loses_nothing_acknowledged),
		T(a_commit_that_was_done_is_known_as_done),
		T(a_commit_that_was_not_done_is_known_as_undone),
		T(f24_nodes_make_one_chain),
		T(f24_a_node_that_stands_still_stops_nobody),
		T(f24_a_number_is_one_nodes),
		T(commits_are_durable_whatever_the_database_says),
		T(what_is_no_utf8_is_stored_all_the_same),
		cmocka_unit_test(a_server_is_named_without_a_password),
		T(f7_a_server_that_went_back_is_noticed),
		T(a_backup_is_of_one_moment_and_comes_back),
		T(a_backup_that_fails_leaves_nothing),
	};

	(void)argv;
	dbtest_begin(argc);
	return dbtest_end(cmocka_run_group_tests(tests, NULL, NULL));
}
