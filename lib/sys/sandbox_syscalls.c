/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * One table: system call, and which permission it comes with.  What is not
 * in it fails with EPERM, so that a C library trying something new degrades;
 * what only an intruder would try ends the process.
 */
#include "sys/sandbox_syscalls.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include <seccomp.h>

#define ALWAYS 0x80000000u
#define FILES ((unsigned)AE_MAY_READ_FILES | (unsigned)AE_MAY_WRITE_FILES)
#define WRITES ((unsigned)AE_MAY_WRITE_FILES)
#define ACCEPTS ((unsigned)AE_MAY_ACCEPT)
#define CONNECTS ((unsigned)AE_MAY_CONNECT)
#define RESOLVES ((unsigned)AE_MAY_RESOLVE | (unsigned)AE_MAY_CONNECT)

struct call {
	int nr;
	unsigned may; /* allowed with any of these */
};

/* clang-format off */
static const struct call allowed[] = {
	/* bytes on descriptors it has */
	{ SCMP_SYS(read), ALWAYS },
	{ SCMP_SYS(write), ALWAYS },
	{ SCMP_SYS(readv), ALWAYS },
	{ SCMP_SYS(writev), ALWAYS },
	{ SCMP_SYS(recvmsg), ALWAYS },
	{ SCMP_SYS(sendmsg), ALWAYS },
	{ SCMP_SYS(recvfrom), ALWAYS },
	{ SCMP_SYS(sendto), ALWAYS },
	{ SCMP_SYS(shutdown), ALWAYS },
	{ SCMP_SYS(close), ALWAYS },
	{ SCMP_SYS(fcntl), ALWAYS },
	{ SCMP_SYS(fstat), ALWAYS },
	{ SCMP_SYS(newfstatat), ALWAYS },
	{ SCMP_SYS(access), ALWAYS }, /* libkrb5: is krb5.conf as it was */
	{ SCMP_SYS(faccessat), ALWAYS },
	{ SCMP_SYS(faccessat2), ALWAYS },
	{ SCMP_SYS(lseek), ALWAYS },
	/* waiting */
	{ SCMP_SYS(epoll_wait), ALWAYS },
	{ SCMP_SYS(epoll_pwait), ALWAYS },
	{ SCMP_SYS(epoll_pwait2), ALWAYS },
	{ SCMP_SYS(epoll_ctl), ALWAYS },
	{ SCMP_SYS(epoll_create1), ALWAYS },
	{ SCMP_SYS(poll), ALWAYS },
	{ SCMP_SYS(timerfd_create), ALWAYS },
	{ SCMP_SYS(timerfd_settime), ALWAYS },
	{ SCMP_SYS(clock_nanosleep), ALWAYS },
	{ SCMP_SYS(restart_syscall), ALWAYS },
	/* memory, time, chance, itself */
	{ SCMP_SYS(brk), ALWAYS },
	{ SCMP_SYS(munmap), ALWAYS },
	{ SCMP_SYS(mremap), ALWAYS },
	{ SCMP_SYS(madvise), ALWAYS },
	{ SCMP_SYS(futex), ALWAYS },
	{ SCMP_SYS(clock_gettime), ALWAYS },
	{ SCMP_SYS(gettimeofday), ALWAYS },
	{ SCMP_SYS(time), ALWAYS },
	{ SCMP_SYS(getrandom), ALWAYS },
	{ SCMP_SYS(getpid), ALWAYS },
	{ SCMP_SYS(gettid), ALWAYS },
	{ SCMP_SYS(getuid), ALWAYS },
	{ SCMP_SYS(geteuid), ALWAYS },
	{ SCMP_SYS(getgid), ALWAYS },
	{ SCMP_SYS(getegid), ALWAYS },
	{ SCMP_SYS(getresuid), ALWAYS },
	{ SCMP_SYS(getresgid), ALWAYS },
	{ SCMP_SYS(rt_sigprocmask), ALWAYS },
	{ SCMP_SYS(rt_sigaction), ALWAYS },
	{ SCMP_SYS(rt_sigreturn), ALWAYS },
	{ SCMP_SYS(signalfd4), ALWAYS },
	{ SCMP_SYS(sigaltstack), ALWAYS },
	{ SCMP_SYS(tgkill), ALWAYS }, /* abort() */
	{ SCMP_SYS(exit), ALWAYS },
	{ SCMP_SYS(exit_group), ALWAYS },
	/* files */
	{ SCMP_SYS(openat), FILES },
	{ SCMP_SYS(open), FILES },
	{ SCMP_SYS(stat), FILES },
	{ SCMP_SYS(lstat), FILES },
	{ SCMP_SYS(statx), FILES },
	{ SCMP_SYS(readlink), FILES },
	{ SCMP_SYS(readlinkat), FILES },
	{ SCMP_SYS(getcwd), FILES },
	{ SCMP_SYS(pread64), FILES },
	{ SCMP_SYS(getdents64), FILES },
	{ SCMP_SYS(fstatfs), FILES },
	{ SCMP_SYS(statfs), FILES },
	{ SCMP_SYS(flock), FILES },
	{ SCMP_SYS(pwrite64), WRITES },
	{ SCMP_SYS(pwritev), WRITES },
	{ SCMP_SYS(fsync), WRITES },
	{ SCMP_SYS(fdatasync), WRITES },
	{ SCMP_SYS(ftruncate), WRITES },
	{ SCMP_SYS(fallocate), WRITES },
	{ SCMP_SYS(rename), WRITES },
	{ SCMP_SYS(renameat), WRITES },
	{ SCMP_SYS(renameat2), WRITES },
	{ SCMP_SYS(unlink), WRITES },
	{ SCMP_SYS(unlinkat), WRITES },
	{ SCMP_SYS(mkdir), WRITES },
	{ SCMP_SYS(mkdirat), WRITES },
	{ SCMP_SYS(rmdir), WRITES },
	{ SCMP_SYS(symlinkat), WRITES },
	{ SCMP_SYS(fchmod), WRITES },
	{ SCMP_SYS(fchmodat), WRITES },
	{ SCMP_SYS(chmod), WRITES },
	{ SCMP_SYS(fchown), WRITES },
	{ SCMP_SYS(umask), WRITES },
	/* connections that come in */
	{ SCMP_SYS(accept4), ACCEPTS },
	{ SCMP_SYS(getsockname), ACCEPTS | CONNECTS },
	{ SCMP_SYS(getpeername), ACCEPTS | CONNECTS },
	{ SCMP_SYS(setsockopt), ACCEPTS | CONNECTS },
	{ SCMP_SYS(getsockopt), ACCEPTS | CONNECTS },
	/* connections that go out */
	{ SCMP_SYS(socket), RESOLVES },
	{ SCMP_SYS(connect), RESOLVES },
	{ SCMP_SYS(bind), RESOLVES },
	{ SCMP_SYS(sendmmsg), RESOLVES },
	{ SCMP_SYS(ioctl), RESOLVES },
	{ SCMP_SYS(uname), RESOLVES },
	{ SCMP_SYS(ppoll), RESOLVES },
	{ SCMP_SYS(select), RESOLVES },
	{ SCMP_SYS(pselect6), RESOLVES },
#if AE_SANITIZED
	/* what sanitizers do to print a report */
	{ SCMP_SYS(sched_yield), ALWAYS },
	{ SCMP_SYS(sched_getaffinity), ALWAYS },
	{ SCMP_SYS(set_robust_list), ALWAYS },
	{ SCMP_SYS(prlimit64), ALWAYS },
#endif
};

/* Nothing of ours or of a library's does these by mistake. */
static const struct call fatal[] = {
	{ SCMP_SYS(execve), ALWAYS },
	{ SCMP_SYS(execveat), ALWAYS },
	{ SCMP_SYS(fork), ALWAYS },
	{ SCMP_SYS(vfork), ALWAYS },
	{ SCMP_SYS(ptrace), ALWAYS },
	{ SCMP_SYS(process_vm_readv), ALWAYS },
	{ SCMP_SYS(process_vm_writev), ALWAYS },
	{ SCMP_SYS(kill), ALWAYS },
	{ SCMP_SYS(tkill), ALWAYS },
	{ SCMP_SYS(mount), ALWAYS },
	{ SCMP_SYS(bpf), ALWAYS },
	{ SCMP_SYS(init_module), ALWAYS },
	{ SCMP_SYS(finit_module), ALWAYS },
	{ SCMP_SYS(userfaultfd), ALWAYS },
	{ SCMP_SYS(perf_event_open), ALWAYS },
	{ SCMP_SYS(io_uring_setup), ALWAYS },
	{ SCMP_SYS(listen), ALWAYS },
	{ SCMP_SYS(connect), ~RESOLVES },
};
/* clang-format on */

#define W PROT_WRITE
#define X PROT_EXEC

/*
 * No memory that is written becomes code: mprotect without PROT_EXEC, which
 * is what allocators need, and mmap with it only for what cannot be written –
 * dlopen maps the text of a Kerberos plugin or a token's library that way.
 */
static int
narrow(scmp_filter_ctx f)
{
	static const struct {
		int nr;
		scmp_datum_t mask, is; /* of the third argument */
	} rows[] = {
		{ SCMP_SYS(mprotect), X, 0 },
		{ SCMP_SYS(mmap), X, 0 },
		{ SCMP_SYS(mmap), W | X, X },
	};
	size_t i;
	int r = 0;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]) && r == 0; i++)
		r = seccomp_rule_add(f, SCMP_ACT_ALLOW, rows[i].nr, 1,
		    SCMP_A2(SCMP_CMP_MASKED_EQ, rows[i].mask, rows[i].is));
	/* prctl: names and dumpability, nothing that matters. */
	if (r == 0)
		r = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1,
		    SCMP_A0(SCMP_CMP_EQ, PR_GET_DUMPABLE));
	return r;
}

static int
add_fatal(scmp_filter_ctx f, unsigned may)
{
	size_t i;
	int r = 0;

	for (i = 0; i < sizeof(fatal) / sizeof(fatal[0]) && r == 0; i++) {
		/* ~mask: fatal without any of these permissions. */
		if (fatal[i].may != ALWAYS && (~fatal[i].may & may) != 0)
			continue;
		r = seccomp_rule_add(f, SCMP_ACT_KILL_PROCESS, fatal[i].nr, 0);
		if (r == -EDOM) /* not on this architecture */
			r = 0;
	}
	return r;
}

int
ae_sandbox_seccomp(unsigned may)
{
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	size_t i;
	int r = 0;

	if (f == NULL)
		return ENOMEM;
	may |= ALWAYS;
	for (i = 0; i < sizeof(allowed) / sizeof(allowed[0]) && r == 0; i++) {
		if ((allowed[i].may & may) == 0)
			continue;
		r = seccomp_rule_add(f, SCMP_ACT_ALLOW, allowed[i].nr, 0);
		if (r == -EDOM)
			r = 0;
	}
	if (r == 0)
		r = add_fatal(f, may);
	if (r == 0)
		r = narrow(f);
	if (r == 0)
		r = seccomp_load(f);
	seccomp_release(f);
	return -r;
}
