/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * A child, a pipe and a deadline; see exec.h.
 */
#include "sys/exec.h"

#include <sys/pidfd.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "sys/clock.h"
#include "sys/spawn.h"

/* More than a pipe holds; who never stops writing must not keep us here. */
#define CHUNKS_MAX 64

/* Take what is there; false at the end. */
static bool
drain(int fd, struct ae_wr *out)
{
	uint8_t chunk[4096];
	ssize_t n = 1;
	unsigned i;

	if (out == NULL) /* nobody wants it: there is no pipe either */
		return false;
	for (i = 0; n > 0 && i < CHUNKS_MAX; i++) {
		size_t room = out->max > out->len ? out->max - out->len : 0;

		n = read(fd, chunk, sizeof(chunk));
		if (n > 0)
			ae_wr_bytes(
			    out, chunk, (size_t)n < room ? (size_t)n : room);
	}
	return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

/* Until the program ends: 0; or the deadline passes: -1. */
static int
attend(const struct ae_exec *x, int pidfd, int out)
{
	int64_t until = ae_clock_mono_ms() + x->timeout_ms, left;
	struct pollfd p[2] = { { .fd = pidfd, .events = POLLIN },
		{ .fd = out, .events = POLLIN } };

	while ((left = until - ae_clock_mono_ms()) > 0) {
		if (poll(p, 2, left > 60000 ? 60000 : (int)left) < 0 &&
		    errno != EINTR)
			return -1;
		if (p[1].fd >= 0 && p[1].revents != 0 && !drain(out, x->output))
			p[1].fd = -1;
		if ((p[0].revents & POLLIN) != 0) {
			if (p[1].fd >= 0)
				(void)drain(out, x->output);
			return 0;
		}
	}
	return -1;
}

static int
reap(pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int
ae_exec_run(const struct ae_exec *x, int *status, struct ae_err *e)
{
	int pipefd[2] = { -1, -1 }, std[3] = { -1, -1, -1 }, null = -1;
	int pidfd = -1, rc;
	struct ae_spawn s = { .path = x->path,
		.argv = x->argv,
		.keep_env = x->keep_env,
		.env = x->env,
		.std = std,
		.session = true,
		.death_signal = SIGKILL };
	pid_t pid = -1;

	if (x->input != NULL)
		std[0] = *x->input;
	if (x->output != NULL) {
		if (pipe2(pipefd, O_CLOEXEC) != 0 ||
		    fcntl(pipefd[0], F_SETFL, O_NONBLOCK) != 0) {
			rc = ae_fail_errno(e, errno, "making a pipe");
			goto out;
		}
		std[1] = pipefd[1];
		if (x->with_stderr)
			std[2] = pipefd[1];
	}
	if (x->drop_stderr)
		std[2] = null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	rc = ae_spawn(&pid, &s, e);
	if (rc != AE_OK) {
		if (e != NULL && e->dom == AE_DOM_ERRNO && e->code == ENOENT)
			rc = e->rc = AE_ENOTFOUND;
		goto out;
	}
	if (pipefd[1] >= 0)
		(void)close(pipefd[1]);
	pipefd[1] = -1;
	pidfd = pidfd_open(pid, 0);
	if (pidfd < 0 || attend(x, pidfd, pipefd[0]) != 0) {
		(void)kill(-pid, SIGKILL);
		(void)kill(pid, SIGKILL);
		(void)reap(pid);
		rc = ae_fail(e, AE_ETIMEDOUT, AE_DOM_NONE, 0,
		    "%s did not end within %lld s and was killed", x->argv[0],
		    (long long)(x->timeout_ms / 1000));
		goto out;
	}
	*status = reap(pid);
out:
	if (null >= 0)
		(void)close(null);
	if (pidfd >= 0)
		(void)close(pidfd);
	if (pipefd[0] >= 0)
		(void)close(pipefd[0]);
	if (pipefd[1] >= 0)
		(void)close(pipefd[1]);
	return rc;
}
