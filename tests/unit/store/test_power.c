/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * F2 and F21: the power goes while the store is written to.  What a writer
 * does is recorded, and hundreds of trees that the medium may then hold are
 * made and judged: see ../../tools/power.h.  The same with flushes that do
 * nothing must fail, or the test would prove nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <signal.h>
#include <unistd.h>

#include "../../tools/power.h"
#include "cycle.h"

#define REPLAYS 250 /* of each; POWER_REPLAYS has another number */

static char dir[64];

static unsigned
replays(void)
{
	const char *s = getenv("POWER_REPLAYS");

	return s == NULL ? REPLAYS : (unsigned)strtoul(s, NULL, 10);
}

static void
record(struct power_log *log, unsigned gen)
{
	const char *roots[] = { dir };
	int status;
	pid_t pid;

	*log = (struct power_log){ 0 };
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
			_exit(2);
		(void)raise(SIGSTOP);
		_exit((gen == 0 ? cycle_retire(dir) : cycle_enroll(dir, gen))
			? 0
			: 1);
	}
	status = power_record(log, roots, 1, pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_true(log->n - log->start > 10);
}

static enum cycle_mark
reached(const struct power_log *log, size_t cut)
{
	enum cycle_mark at = CYCLE_NONE;
	size_t i;

	for (i = log->start; i < cut; i++)
		if (log->v[i].kind == POWER_MARK)
			at = (enum cycle_mark)log->v[i].off;
	return at;
}

/* What is wrong with one tree, and whether the next run mends it. */
static const char *
judge(const struct power_log *log, uint64_t seed, unsigned gen, bool flushes,
    unsigned *seen)
{
	size_t cut = power_cut(log, seed);
	struct power_tree t = { 0 };
	const char *wrong;
	unsigned now = 0;

	power_replay(&t, log, cut, seed, flushes);
	power_tree_put(&t);
	power_tree_done(&t);
	wrong = cycle_check(dir, gen, reached(log, cut), &now);
	*seen |= 1u << now;
	if (wrong == NULL)
		wrong = cycle_go_on(dir, 9);
	if (wrong == NULL)
		wrong = cycle_check(dir, 9, CYCLE_NONE, &now);
	if (wrong == NULL && now == 0)
		wrong = "the next run has no certificate";
	return wrong;
}

/* Trees in which something is wrong; that of the first in *first. */
static unsigned
series(const struct power_log *log, unsigned gen, bool flushes, char first[128])
{
	unsigned bad = 0, seen = 0, i;
	const char *wrong;

	for (i = 0; i < replays(); i++) {
		wrong = judge(log, i + 1, gen, flushes, &seen);
		if (wrong != NULL && bad++ == 0)
			(void)snprintf(first, 128, "seed %u: %s", i + 1, wrong);
	}
	/* Both ends came about. */
	assert_true((seen & 1u << gen) != 0 && (seen & (seen - 1)) != 0);
	return bad;
}

/* The store was in state before, and goes to generation gen. */
static void
lose_power(unsigned before, unsigned gen)
{
	char first[128] = "";
	struct power_log log;
	unsigned bad, control;

	if (before > 0)
		assert_true(cycle_enroll(dir, before));
	record(&log, gen);
	bad = series(&log, gen, true, first);
	if (bad > 0)
		fail_msg("%u of %u trees are bad; %s", bad, replays(), first);
	control = series(&log, gen, false, first);
	print_message("%u trees of %zu operations, none bad; without flushes "
		      "%u\n",
	    replays(), log.n - log.start, control);
	assert_true(control > 0);
	power_log_done(&log);
}

static void
f2_first_certificate(void **state)
{
	(void)state;
	lose_power(0, 1);
}

static void
f2_renewal(void **state)
{
	(void)state;
	lose_power(1, 2);
}

/* Whatever is left, is whole: the last one, or nothing. */
static void
archived_and_deleted(void **state)
{
	(void)state;
	assert_true(cycle_enroll(dir, 1));
	lose_power(2, 0);
}

static int
setup(void **state)
{
	(void)state;
	(void)snprintf(dir, sizeof(dir), "%s/ae-power-XXXXXX",
	    access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	return mkdtemp(dir) == NULL ? -1 : 0;
}

static int
teardown(void **state)
{
	char cmd[96];

	(void)state;
	(void)snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	return system(cmd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    f2_first_certificate, setup, teardown),
		cmocka_unit_test_setup_teardown(f2_renewal, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    archived_and_deleted, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
