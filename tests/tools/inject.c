/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * inject PID NUMBER [TEXT]: makes a process that waits in a system call make
 * another one, as code that broke into it would: with TEXT, or nothing, as
 * its first argument and three that are zero.  Prints
 * what it returned, or "killed".  x86_64; no debugger's knowledge of the
 * processor's registers is needed.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>

#define INSN_LEN 2 /* of the system call instruction, 0f 05 */

static _Noreturn void
die(const char *what)
{
	(void)fprintf(stderr, "inject: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* The signal it stopped with; ends when the process does. */
static int
wait_stop(pid_t pid)
{
	int status;

	for (;;) {
		if (waitpid(pid, &status, __WALL) != pid)
			die("waitpid");
		if (WIFSTOPPED(status))
			return WSTOPSIG(status);
		if (WIFEXITED(status) || WIFSIGNALED(status)) {
			(void)puts("killed");
			exit(0);
		}
	}
}

/* TEXT on its stack, well below what it uses; the address. */
static unsigned long long
put_text(pid_t pid, unsigned long long sp, const char *text)
{
	unsigned long long at = (sp - 4096) & ~0xfULL;
	size_t len = strlen(text) + 1, i;
	long word;

	for (i = 0; i < len; i += sizeof(word)) {
		word = 0;
		memcpy(&word, text + i,
		    len - i < sizeof(word) ? len - i : sizeof(word));
		if (ptrace(PTRACE_POKEDATA, pid, (void *)(at + i),
			(void *)word) != 0)
			die("text");
	}
	return at;
}

int
main(int argc, char **argv)
{
	struct user_regs_struct old, regs;
	int signal;
	long insn;
	pid_t pid;

	if (argc != 3 && argc != 4) {
		(void)fprintf(stderr, "usage: inject PID NUMBER [TEXT]\n");
		return 2;
	}
	pid = (pid_t)strtol(argv[1], NULL, 10);
	if (ptrace(PTRACE_ATTACH, pid, NULL, NULL) != 0)
		die("attach");
	(void)wait_stop(pid);
	if (ptrace(PTRACE_GETREGS, pid, NULL, &old) != 0)
		die("registers");
	errno = 0;
	insn = ptrace(PTRACE_PEEKTEXT, pid, (void *)(old.rip - INSN_LEN), NULL);
	if (errno != 0 || (insn & 0xffff) != 0x050f) {
		(void)fprintf(stderr, "inject: not in a system call\n");
		(void)ptrace(PTRACE_DETACH, pid, NULL, NULL);
		return 1;
	}
	regs = old;
	regs.rip -= INSN_LEN;
	regs.rax = strtoull(argv[2], NULL, 10);
	regs.orig_rax = (unsigned long long)-1; /* nothing is restarted */
	regs.rdi = regs.rsi = regs.rdx = regs.r10 = 0;
	if (argc == 4)
		regs.rdi = put_text(pid, old.rsp, argv[3]);
	if (ptrace(PTRACE_SETREGS, pid, NULL, &regs) != 0 ||
	    ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL) != 0)
		die("step");
	signal = wait_stop(pid);
	if (signal != SIGTRAP) { /* what the filter sends: let it arrive */
		(void)ptrace(PTRACE_DETACH, pid, NULL, signal);
		(void)puts("killed");
		return 0;
	}
	if (ptrace(PTRACE_GETREGS, pid, NULL, &regs) != 0)
		die("registers");
	(void)printf("%lld\n", (long long)regs.rax);
	(void)fflush(stdout);
	/* The call it was in is made again. */
	if ((long long)old.rax == -EINTR || (long long)old.rax <= -512) {
		old.rax = old.orig_rax;
		old.rip -= INSN_LEN;
	}
	old.orig_rax = (unsigned long long)-1;
	if (ptrace(PTRACE_SETREGS, pid, NULL, &old) != 0 ||
	    ptrace(PTRACE_DETACH, pid, NULL, NULL) != 0)
		die("detach");
	return 0;
}
