/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * vfork, tidy up, exec.  Everything the child needs is laid out before;
 * between vfork and exec only system calls are made, for until then it runs
 * in our memory (a copy of it, page by page, would cost more than all the
 * rest).  A close-on-exec pipe carries errno back when exec fails.
 */
#include "sys/spawn.h"

#include <sys/prctl.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ENV_MAX 64
#define ENV_PATH "PATH=/usr/sbin:/usr/bin:/sbin:/bin"

/* Where descriptors are parked while they are put in order. */
#define PARK 64

struct plan {
	const struct ae_spawn *s;
	const char *path;
	char *envp[ENV_MAX + 2];
	pid_t parent;
	int report; /* the pipe's write end */
};

static void
env_free(struct plan *p)
{
	size_t i;

	for (i = 0; p->envp[i] != NULL; i++)
		free(p->envp[i]);
}

/* What sanitizers are told holds for every process of a build with them. */
static const char *const sanitizers[] = {
#ifdef __SANITIZE_ADDRESS__
	"ASAN_OPTIONS", "LSAN_OPTIONS", "UBSAN_OPTIONS",
#endif
#ifdef AE_MUTATIONS
	"AE_MUTATION",
#endif
	NULL
};

static int
env_build(struct plan *p, struct ae_err *e)
{
	const char *const *kept[] = { p->s->keep_env, sanitizers };
	const char *const *k;
	const char *v;
	size_t n = 0, i;

	p->envp[n] = strdup(ENV_PATH);
	if (p->envp[n++] == NULL)
		return ae_fail_mem(e);
	for (i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
		for (k = kept[i]; k != NULL && *k != NULL && n < ENV_MAX; k++) {
			v = getenv(*k);
			if (v == NULL)
				continue;
			if (asprintf(&p->envp[n], "%s=%s", *k, v) < 0) {
				p->envp[n] = NULL;
				return ae_fail_mem(e);
			}
			n++;
		}
	}
	for (k = p->s->env; k != NULL && *k != NULL; k++) {
		if (n > ENV_MAX)
			return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
			    "more than %d environment variables", ENV_MAX);
		p->envp[n] = strdup(*k);
		if (p->envp[n++] == NULL)
			return ae_fail_mem(e);
	}
	return AE_OK;
}

static _Noreturn void
child_fail(const struct plan *p)
{
	int err = errno;

	(void)!write(p->report, &err, sizeof(err));
	_exit(127);
}

/* Copy fd to number to without close-on-exec, or leave to closed for -1. */
static void
child_place(const struct plan *p, int fd, int to)
{
	if (fd < 0)
		(void)close(to);
	else if (dup2(fd, to) < 0)
		child_fail(p);
}

/*
 * Descriptors move in two steps, first all out of the way, then to their
 * numbers: a source may sit on another one's target.
 */
static void
child_fds(struct plan *p)
{
	const struct ae_spawn *s = p->s;
	int parked[AE_SPAWN_FD_FIRST + AE_SPAWN_FDS_MAX], null, i, n;

	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0)
		child_fail(p);
	p->report = fcntl(p->report, F_DUPFD_CLOEXEC, PARK);
	n = AE_SPAWN_FD_FIRST + (int)s->nfds;
	for (i = 0; i < n; i++) {
		int src = i < 2 ? null : i == 2 ? STDERR_FILENO : -1;

		if (i < 3 && s->std != NULL && s->std[i] >= 0)
			src = s->std[i];
		else if (i >= 3)
			src = s->fds[i - AE_SPAWN_FD_FIRST];
		parked[i] = src < 0 ? -1 : fcntl(src, F_DUPFD_CLOEXEC, PARK);
		if (src >= 0 && parked[i] < 0)
			child_fail(p);
	}
	for (i = 0; i < n; i++)
		child_place(p, parked[i], i);
	/* All the rest goes with the exec; the report pipe must stay. */
	if (close_range((unsigned)n, ~0u, CLOSE_RANGE_CLOEXEC) < 0)
		child_fail(p);
}

static _Noreturn void
child(struct plan *p)
{
	sigset_t none;
	int sig;
	union {
		const char *const *in;
		char *const *out;
	} argv = { .in = p->s->argv };

	/* A signal before the exec must not run the parent's handlers: all
	 * are blocked until this is done. */
	for (sig = 1; sig < NSIG; sig++)
		if (sig != SIGKILL && sig != SIGSTOP)
			(void)signal(sig, SIG_DFL);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	child_fds(p);
	if (p->s->session)
		(void)setsid();
	if (p->s->death_signal != 0) {
		(void)prctl(PR_SET_PDEATHSIG, p->s->death_signal);
		/* It may have died before we asked. */
		if (getppid() != p->parent)
			_exit(127);
	}
	(void)execve(p->path, argv.out, p->envp);
	child_fail(p);
}

/*
 * The child has our memory until its exec: it must not be interrupted into
 * a handler of ours, and we stand still meanwhile.
 */
static pid_t
start(struct plan *p)
{
	sigset_t all, before;
	pid_t pid;

	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, &before);
	pid = vfork(); /* NOLINT(clang-analyzer-security.insecureAPI.vfork) */
	if (pid == 0)  /* it makes system calls and execs, or exits */
		child(p); /* NOLINT(clang-analyzer-unix.Vfork) */
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	return pid;
}

/* Wait for exec to close the pipe, or for the number of what went wrong. */
static int
await_exec(int fd, pid_t pid, const char *path, struct ae_err *e)
{
	int err = 0;
	ssize_t n;

	do
		n = read(fd, &err, sizeof(err));
	while (n < 0 && errno == EINTR);
	if (n == 0)
		return AE_OK;
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return ae_fail_errno(
	    e, n == sizeof(err) ? err : EIO, "starting %s", path);
}

int
ae_spawn(pid_t *out, const struct ae_spawn *s, struct ae_err *e)
{
	struct plan p = { .s = s, .parent = getpid(), .report = -1 };
	int pipefd[2] = { -1, -1 }, rc;
	pid_t pid;

	if (s->nfds > AE_SPAWN_FDS_MAX)
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "%zu descriptors for one process", s->nfds);
	p.path = s->path != NULL ? s->path : "/proc/self/exe";
	rc = env_build(&p, e);
	if (rc < 0)
		goto out;
	if (pipe2(pipefd, O_CLOEXEC) < 0) {
		rc = ae_fail_errno(e, errno, "making a pipe");
		goto out;
	}
	p.report = pipefd[1];
	pid = start(&p);
	if (pid < 0) {
		rc = ae_fail_errno(e, errno, "fork");
		goto out;
	}
	(void)close(pipefd[1]);
	pipefd[1] = -1;
	rc = await_exec(pipefd[0], pid, p.path, e);
	if (rc == AE_OK)
		*out = pid;
out:
	if (pipefd[0] >= 0)
		(void)close(pipefd[0]);
	if (pipefd[1] >= 0)
		(void)close(pipefd[1]);
	env_free(&p);
	return rc;
}

void
ae_process_name(const char *program, const char *role)
{
	char name[16];

	(void)snprintf(name, sizeof(name), "%s-%s", program, role);
	(void)prctl(PR_SET_NAME, name, 0, 0, 0);
}
