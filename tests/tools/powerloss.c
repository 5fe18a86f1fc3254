/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Power loss for whole programs; what it means is said in power.h.
 *
 *   powerloss record LOG DIR[:DIR...] PROGRAM ARGUMENT...
 *       runs it, and exits as it does
 *   powerloss replay LOG SEED [no-flushes]
 *       makes the recorded directories what the medium may hold; prints at
 *       which operation the power went, of how many
 *   powerloss verify LOG
 *       makes them what they were in the end
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "power.h"

#define ROOTS 8

static int
record(char **argv)
{
	const char *roots[ROOTS];
	struct power_log log = { 0 };
	char *save = NULL, *one;
	size_t n = 0;
	int status;
	pid_t pid;

	for (one = strtok_r(argv[1], ":", &save); one != NULL && n < ROOTS;
	     one = strtok_r(NULL, ":", &save))
		roots[n++] = one;
	pid = fork();
	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0 &&
		    raise(SIGSTOP) == 0)
			(void)execv(argv[2], argv + 2);
		_exit(127);
	}
	status = power_record(&log, roots, n, pid);
	power_log_save(&log, argv[0]);
	(void)fprintf(stderr, "powerloss: %zu operations\n", log.n - log.start);
	power_log_done(&log);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

static int
replay(const char *path, const char *seed, bool flushes)
{
	struct power_tree t = { 0 };
	struct power_log log;
	size_t cut;
	uint64_t s = seed == NULL ? 0 : strtoull(seed, NULL, 10);

	power_log_load(&log, path);
	cut = seed == NULL ? log.n : power_cut(&log, s);
	power_replay(&t, &log, seed == NULL ? log.start : cut, s, flushes);
	for (size_t i = log.start; seed == NULL && i < log.n; i++)
		power_tree_apply(&t, &log.v[i]);
	power_tree_put(&t);
	(void)printf("%zu %zu\n", cut - log.start, log.n - log.start);
	power_tree_done(&t);
	power_log_done(&log);
	return 0;
}

int
main(int argc, char **argv)
{
	if (argc > 4 && strcmp(argv[1], "record") == 0)
		return record(argv + 2);
	if (argc > 3 && strcmp(argv[1], "replay") == 0)
		return replay(argv[2], argv[3],
		    argc < 5 || strcmp(argv[4], "no-flushes") != 0);
	if (argc == 3 && strcmp(argv[1], "verify") == 0)
		return replay(argv[2], NULL, true);
	(void)fprintf(stderr,
	    "usage: powerloss record LOG DIR[:DIR...] PROGRAM ARGUMENT...\n"
	    "       powerloss replay LOG SEED [no-flushes]\n"
	    "       powerloss verify LOG\n");
	return 2;
}
