/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The sysvol helper as a child with two pipes; see sysvol.h.
 */
#include "gather/sysvol.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/wr.h"
#include "sys/clock.h"
#include "sys/spawn.h"

#define TIMEOUT_DEFAULT 60u
#define CHUNK 65536u

struct pipes {
	int in[2], out[2]; /* in: to the helper */
};

static void
shut(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

static int
start(pid_t *pid, struct pipes *p, const struct ae_gather_sysvol *how,
    bool writes, struct ae_err *e)
{
	const char *argv[4] = { "sysvol", NULL, NULL, NULL };
	static const char *const keep[] = { "KRB5CCNAME", "KRB5_CONFIG", NULL };
	struct ae_spawn s = { .path = how->program,
		.argv = argv,
		.keep_env = keep,
		.death_signal = SIGKILL };
	int std[3], n = 1;

	if (pipe2(p->in, O_CLOEXEC) != 0 || pipe2(p->out, O_CLOEXEC) != 0)
		return ae_fail_errno(e, errno, "pipe");
	std[0] = p->in[0];
	std[1] = p->out[1];
	std[2] = -1;
	s.std = std;
	if (writes)
		argv[n++] = "--write";
	argv[n] = how->ccache;
	return ae_spawn(pid, &s, e);
}

/* Room in fd_sets, and never blocking: the helper may do what it likes. */
static int
prepare(int fd, struct ae_err *e)
{
	if (fd >= FD_SETSIZE || fcntl(fd, F_SETFL, O_NONBLOCK) != 0)
		return ae_fail_errno(e, errno, "pipe to the sysvol helper");
	return AE_OK;
}

/* Write what can be written, read what can be read, once. */
static int
step(struct pipes *p, const struct ae_wr *request, size_t *sent,
    struct ae_wr *reply, int64_t left_ms, struct ae_err *e)
{
	struct timeval tv = { .tv_sec = left_ms / 1000,
		.tv_usec = left_ms % 1000 * 1000 };
	int nfds = (p->in[1] > p->out[0] ? p->in[1] : p->out[0]) + 1;
	fd_set rd, wr;
	uint8_t *room;
	ssize_t n;

	FD_ZERO(&rd);
	FD_ZERO(&wr);
	FD_SET(p->out[0], &rd);
	if (p->in[1] >= 0)
		FD_SET(p->in[1], &wr);
	if (select(nfds, &rd, &wr, NULL, &tv) < 0)
		return errno == EINTR ? AE_OK
				      : ae_fail_errno(e, errno, "select");
	if (p->in[1] >= 0 && FD_ISSET(p->in[1], &wr)) {
		n = write(p->in[1], request->p + *sent, request->len - *sent);
		if (n > 0)
			*sent += (size_t)n;
		/* It closed its side: what it says tells why. */
		if (*sent == request->len ||
		    (n < 0 && errno != EAGAIN && errno != EINTR))
			shut(&p->in[1]);
	}
	if (!FD_ISSET(p->out[0], &rd))
		return AE_OK;
	if ((room = ae_wr_room(reply, CHUNK)) == NULL)
		return ae_wr_full(reply)
		    ? ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
			  "the sysvol helper says too much")
		    : ae_fail_mem(e);
	n = read(p->out[0], room, CHUNK);
	reply->len -= CHUNK - (n > 0 ? (size_t)n : 0);
	if (n == 0)
		shut(&p->out[0]);
	else if (n < 0 && errno != EAGAIN && errno != EINTR)
		return ae_fail_errno(e, errno, "reading the helper");
	return AE_OK;
}

static int
talk(struct pipes *p, const struct ae_wr *request, struct ae_wr *reply,
    unsigned int timeout, struct ae_err *e)
{
	int64_t until = ae_clock_mono_ms() + (int64_t)timeout * 1000, left;
	size_t sent = 0;
	int rc;

	if ((rc = prepare(p->in[1], e)) != AE_OK ||
	    (rc = prepare(p->out[0], e)) != AE_OK)
		return rc;
	while (p->out[0] >= 0) {
		left = until - ae_clock_mono_ms();
		if (left <= 0)
			return ae_fail(e, AE_ETIMEDOUT, AE_DOM_NONE, 0,
			    "no answer in %u seconds", timeout);
		if ((rc = step(p, request, &sent, reply, left, e)) != AE_OK)
			return rc;
	}
	return AE_OK;
}

int
ae_gather_sysvol_frame(struct ae_wr *reply, const struct ae_gather_sysvol *how,
    const struct ae_wr *request, bool writes, struct ae_err *e)
{
	unsigned int timeout =
	    how->timeout != 0 ? how->timeout : TIMEOUT_DEFAULT;
	struct pipes p = { { -1, -1 }, { -1, -1 } };
	struct sigaction ignore = { .sa_handler = SIG_IGN }, before;
	pid_t pid = -1;
	int rc, status = 0;

	(void)sigaction(SIGPIPE, &ignore, &before);
	rc = start(&pid, &p, how, writes, e);
	shut(&p.in[0]);
	shut(&p.out[1]);
	if (rc == AE_OK)
		rc = talk(&p, request, reply, timeout, e);
	shut(&p.in[1]);
	shut(&p.out[0]);
	if (pid > 0) {
		if (rc != AE_OK)
			(void)kill(pid, SIGKILL);
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
	}
	if (rc == AE_OK && (!WIFEXITED(status) || WEXITSTATUS(status) != 0))
		rc = ae_fail(e, AE_EUNAVAIL, AE_DOM_NONE, status,
		    "it ended with status 0x%x", (unsigned int)status);
	(void)sigaction(SIGPIPE, &before, NULL);
	return rc != AE_OK ? ae_note(e, rc, "sysvol helper %s", how->program)
			   : AE_OK;
}

int
ae_gather_sysvol(struct ae_sysvol_reply *out,
    const struct ae_gather_sysvol *how, const struct ae_sysvol_request *q,
    struct ae_err *e)
{
	struct ae_wr request, reply;
	int rc;

	ae_wr_init(&request, AE_SYSVOL_REQUEST_MAX);
	ae_wr_init(&reply, AE_SYSVOL_REPLY_MAX + CHUNK);
	ae_sysvol_request_put(&request, q);
	if (!ae_wr_ok(&request))
		rc = ae_wr_full(&request)
		    ? ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0, "too many files")
		    : ae_fail_mem(e);
	else
		rc = ae_gather_sysvol_frame(
		    &reply, how, &request, q->op == AE_SYSVOL_WRITE, e);
	if (rc == AE_OK)
		rc = ae_sysvol_reply_get(out, reply.p, reply.len, q->n, e);
	ae_wr_done(&request);
	ae_wr_done(&reply);
	return rc;
}
