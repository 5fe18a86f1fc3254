/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Run a program and kill one of its roles at its N-th system call, counted
 * from its exec: killstep ROLE N PROGRAM ARGUMENT...  Says "killed" on
 * standard error when it came to that, and exits as the program does.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#define OPTIONS                                                             \
	(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | \
	    PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC)

/* "--role" and the role stand among the arguments. */
static int
is_role(pid_t pid, const char *role)
{
	char path[64], text[4096];
	size_t n, i;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
	f = fopen(path, "r");
	if (f == NULL)
		return 0;
	n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = '\0';
	(void)fclose(f);
	for (i = 0; i < n; i += strlen(text + i) + 1)
		if (strcmp(text + i, "--role") == 0)
			return i + 7 < n && strcmp(text + i + 7, role) == 0;
	return 0;
}

int
main(int argc, char **argv)
{
	unsigned long at, seen = 0;
	pid_t first, pid, victim = 0;
	int status, code = 0;

	if (argc < 4) {
		(void)fprintf(stderr, "usage: killstep ROLE N PROGRAM ...\n");
		return 2;
	}
	at = strtoul(argv[2], NULL, 10);
	first = fork();
	if (first == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0)
			(void)execv(argv[3], argv + 3);
		_exit(127);
	}
	if (first < 0 || waitpid(first, &status, 0) != first)
		return 2;
	(void)ptrace(PTRACE_SETOPTIONS, first, NULL, OPTIONS);
	(void)ptrace(PTRACE_CONT, first, NULL, NULL);
	while ((pid = waitpid(-1, &status, __WALL)) > 0) {
		int sig = 0;

		if (WIFEXITED(status) || WIFSIGNALED(status)) {
			if (pid == first)
				code = WIFEXITED(status) ? WEXITSTATUS(status)
							 : 128;
			continue;
		}
		if (status >> 8 == (SIGTRAP | PTRACE_EVENT_EXEC << 8) &&
		    victim == 0 && is_role(pid, argv[1]))
			victim = pid;
		else if (pid == victim &&
		    WSTOPSIG(status) == (SIGTRAP | 0x80)) {
			/* Every other stop is the way out of a call. */
			if (++seen == 2 * at - 1) {
				(void)kill(pid, SIGKILL);
				(void)fprintf(stderr, "killed\n");
				continue;
			}
		} else if (status >> 16 == 0 && WSTOPSIG(status) != SIGTRAP &&
		    WSTOPSIG(status) != SIGSTOP) {
			sig = WSTOPSIG(status);
		}
		(void)ptrace(pid == victim ? PTRACE_SYSCALL : PTRACE_CONT, pid,
		    NULL, sig);
	}
	return code;
}
