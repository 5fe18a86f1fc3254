/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * F2: the power goes while the database is written to.  Every tree that the
 * medium may then hold opens, is whole, and has what a commit had answered:
 * see ../../tools/power.h.  The same with flushes that do nothing must fail.
 */
#include "dbtest.h"

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "../../tools/power.h"

#define ROWS 4
#define REPLAYS 150 /* POWER_REPLAYS has another number */

/* For the one who watches: so many commits have answered. */
static void
say(unsigned commits)
{
	char path[32];

	(void)snprintf(path, sizeof(path), "/power-mark/%u", commits);
	(void)access(path, F_OK);
}

static bool
commit(struct ae_db *db, bool done)
{
	return done && ae_db_commit(db, NULL) == AE_OK;
}

/* An intent, durable; then its certificate, durable; and again. */
static bool
issue_some(void)
{
	const struct ae_db_options o = { .path = dbtest_path };
	struct ae_db *db = NULL;
	struct ae_db_request r;
	bool done;
	int64_t id = 0;
	unsigned n;

	done = ae_db_open(&db, &o, NULL) == AE_OK;
	for (n = 0; done && n < ROWS; n++) {
		r = dbtest_row(AE_DB_ACTIVE, n + 1);
		done = ae_db_begin(db, NULL) == AE_OK;
		done = commit(db,
		    done &&
			ae_db_request_add(db, &r, dbtest_hash, &id, NULL) ==
			    AE_OK);
		say(2 * n + 1);
		done = done && ae_db_begin(db, NULL) == AE_OK;
		done = commit(db,
		    done &&
			ae_db_request_issue(db, id, "certificate", 11, NOW,
			    NOW + 1, NOW, "Issued", NULL) == AE_OK);
		say(2 * n + 2);
	}
	ae_db_free(db);
	return done;
}

static void
record(struct power_log *log)
{
	const char *roots[] = { dbtest_dir };
	int status;
	pid_t pid;

	*log = (struct power_log){ 0 };
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
			_exit(2);
		(void)raise(SIGSTOP);
		_exit(issue_some() ? 0 : 1);
	}
	status = power_record(log, roots, 1, pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_true(log->n - log->start > 4 * ROWS);
}

/* Rows 1 to n are there, as far as so many commits say. */
static const char *
look(struct ae_db *db, uint64_t commits)
{
	struct ae_arena *a = ae_arena_new(1 << 20);
	struct ae_db_filter f = { .limit = 100 };
	struct ae_db_request *v = NULL;
	const char *wrong = NULL;
	size_t n = 0, issued = 0, i;

	if (ae_db_request_list(db, &f, &v, &n, a, NULL) != AE_OK)
		wrong = "rows cannot be read";
	for (i = 0; wrong == NULL && i < n; i++) {
		issued += v[i].disp == AE_DB_ISSUED;
		if (i > 0 && memcmp(v[i].serial, v[i - 1].serial, 17) == 0)
			wrong = "a serial twice";
	}
	if (wrong == NULL && (n < (commits + 1) / 2 || issued < commits / 2))
		wrong = "what was durable is lost";
	ae_arena_free(a);
	return wrong;
}

static const char *
judge(const struct power_log *log, uint64_t seed, bool flushes)
{
	const struct ae_db_options o = { .path = dbtest_path };
	size_t cut = power_cut(log, seed), i;
	struct power_tree t = { 0 };
	const char *wrong = NULL;
	struct ae_db *db = NULL;
	uint64_t commits = 0;
	int64_t links;

	for (i = log->start; i < cut; i++)
		if (log->v[i].kind == POWER_MARK)
			commits = log->v[i].off;
	power_replay(&t, log, cut, seed, flushes);
	power_tree_put(&t);
	power_tree_done(&t);
	if (ae_db_open(&db, &o, NULL) != AE_OK)
		return "it does not open";
	if (ae_db_check(db, NULL) != AE_OK)
		wrong = "it is damaged";
	else if (ae_db_audit_verify(db, &links, NULL) != AE_OK)
		wrong = "the audit chain is broken";
	else
		wrong = look(db, commits);
	ae_db_free(db);
	return wrong;
}

static unsigned
series(const struct power_log *log, bool flushes, char first[128])
{
	const char *s = getenv("POWER_REPLAYS");
	unsigned bad = 0, i,
		 n = s == NULL ? REPLAYS : (unsigned)strtoul(s, NULL, 10);
	const char *wrong;

	for (i = 1; i <= n; i++) {
		wrong = judge(log, i, flushes);
		if (wrong != NULL && bad++ == 0)
			(void)snprintf(first, 128, "seed %u: %s", i, wrong);
	}
	return bad;
}

static void
f2_power_loss(void **state)
{
	char first[128] = "";
	struct power_log log;
	unsigned bad, control;

	(void)state;
	ae_db_free(dbtest_open(NULL));
	record(&log);
	bad = series(&log, true, first);
	if (bad > 0)
		fail_msg("%u trees are bad; %s", bad, first);
	control = series(&log, false, first);
	print_message("%zu operations, no bad tree; without flushes %u\n",
	    log.n - log.start, control);
	assert_true(control > 0);
	power_log_done(&log);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    f2_power_loss, dbtest_setup, dbtest_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
