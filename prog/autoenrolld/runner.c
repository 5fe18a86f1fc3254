/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Starting, hearing and ending a run; see runner.h.
 */
#include "runner.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/spawn.h"

struct runner {
	struct ae_source *child, *pipe;
	pid_t pid; /* 0: it has ended */
	pid_t group;
	bool told_to_end;
	int fd;
	char *buf; /* of the line that is being read */
	size_t len, cap;
	bool full; /* too long a line: the rest is not read */
	char *report;
	size_t report_len;
	json_t *result;
	runner_stage_fn *stage;
	runner_end_fn *end;
	void *arg;
};

/* line is NUL-terminated; the report keeps its memory. */
static void
take_line(struct runner *r, char *line, size_t len)
{
	if (line[0] == 'S' && len < 64 && r->stage != NULL) {
		r->stage(r->arg, line + 1);
	} else if (line[0] == 'R' && len < RUNNER_RESULT_MAX) {
		json_decref(r->result);
		r->result = json_loadb(line + 1, len - 1, 0, NULL);
	} else if (line[0] == 'J' && r->report == NULL) {
		r->report = malloc(len);
		if (r->report == NULL)
			return;
		memcpy(r->report, line + 1, len - 1);
		r->report_len = len - 1;
	}
}

static void
take_lines(struct runner *r)
{
	char *line = r->buf, *nl;
	size_t left = r->len;

	while ((nl = memchr(line, '\n', left)) != NULL) {
		*nl = '\0';
		if (nl > line)
			take_line(r, line, (size_t)(nl - line));
		left -= (size_t)(nl - line) + 1;
		line = nl + 1;
	}
	memmove(r->buf, line, left);
	r->len = left;
}

static bool
room(struct runner *r)
{
	size_t cap = r->cap == 0 ? 65536 : 2 * r->cap;
	char *p;

	if (r->len < r->cap)
		return true;
	p = cap > 2 * RUNNER_REPORT_MAX ? NULL : realloc(r->buf, cap);
	if (p == NULL)
		return false;
	r->buf = p;
	r->cap = cap;
	return true;
}

static void
on_pipe(void *arg, int fd, unsigned events)
{
	struct runner *r = arg;
	ssize_t n = 0;

	(void)events;
	if (room(r))
		n = read(fd, r->buf + r->len, r->cap - r->len);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		ae_source_free(r->pipe);
		r->pipe = NULL;
		return;
	}
	r->len += (size_t)n;
	take_lines(r);
}

static void
on_child(void *arg, pid_t pid, int status)
{
	struct runner *r = arg;
	struct runner_end end;
	size_t before;

	(void)pid;
	/* What is still in the pipe; it may be open elsewhere, so no waiting.
	 */
	do {
		before = r->len + r->report_len;
		if (r->pipe != NULL)
			on_pipe(r, r->fd, AE_LOOP_IN);
	} while (r->pipe != NULL && r->len + r->report_len != before);
	r->pid = 0;
	/* Of a run that had to be ended, or crashed, nothing stays; what a
	 * hook of any other left behind is the hook's business. */
	if (r->told_to_end || WIFSIGNALED(status))
		(void)kill(-r->group, SIGKILL);
	end = (struct runner_end){
		.report = r->report, .len = r->report_len, .result = r->result
	};
	r->end(r->arg, &end);
}

int
runner_start(struct runner **out, const struct client *c, struct ae_loop *loop,
    enum runner_kind kind, runner_stage_fn *stage, runner_end_fn *end,
    void *arg, struct ae_err *e)
{
	static const char *const names[] = { [RUNNER_RUN] = "run",
		[RUNNER_REFRESH] = "run-refresh",
		[RUNNER_CHECK] = "check" };
	static const char *const keep[] = { "KRB5_CONFIG", "LDAPCONF",
		"ASAN_OPTIONS", NULL };
	/* Where a user's things are, and the ticket of the session. */
	static const char *const users[] = { "KRB5_CONFIG", "LDAPCONF",
		"KRB5CCNAME", "HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME",
		"XDG_RUNTIME_DIR", "ASAN_OPTIONS", NULL };
	const char *argv[] = { "autoenrolld", "--role", names[kind], "--root",
		c->root, c->user ? "--as-user" : NULL, NULL };
	struct runner *r = calloc(1, sizeof(*r));
	int fds[2] = { -1, -1 }, rc;
	struct ae_spawn sp = { .argv = argv,
		.keep_env = c->user ? users : keep,
		.fds = &fds[1],
		.nfds = 1,
		.death_signal = SIGTERM };

	if (r == NULL)
		return ae_fail_mem(e);
	r->stage = stage;
	r->end = end;
	r->arg = arg;
	r->fd = -1;
	if (pipe2(fds, O_CLOEXEC) != 0) {
		rc = ae_fail_errno(e, errno, "make a pipe");
		goto out;
	}
	r->fd = fds[0];
	(void)fcntl(r->fd, F_SETFL, O_NONBLOCK);
	rc = ae_spawn(&r->pid, &sp, e);
	(void)close(fds[1]);
	if (rc != AE_OK)
		goto out;
	/* Both do it, so that it is done whoever comes first. */
	r->group = r->pid;
	(void)setpgid(r->pid, r->pid);
	rc = ae_loop_fd(&r->pipe, loop, r->fd, AE_LOOP_IN, on_pipe, r, e);
	if (rc == AE_OK)
		rc = ae_loop_child(&r->child, loop, r->pid, on_child, r, e);
out:
	if (rc != AE_OK) {
		runner_free(r);
		return ae_note(e, rc, "starting a run");
	}
	*out = r;
	return AE_OK;
}

void
runner_signal(struct runner *r, int signo)
{
	r->told_to_end = true;
	if (r->pid > 0 && kill(-r->group, signo) != 0)
		(void)kill(r->pid, signo);
}

void
runner_free(struct runner *r)
{
	if (r == NULL)
		return;
	runner_signal(r, SIGTERM);
	ae_source_free(r->pipe);
	ae_source_free(r->child);
	if (r->fd >= 0)
		(void)close(r->fd);
	json_decref(r->result);
	free(r->report);
	free(r->buf);
	free(r);
}
