/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The socket half of ipc: reading into the frame decoder, the queue of what
 * waits to be written, and the end of a channel.
 */
#include "sys/ipcmsg.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sys/ipcmsg_in.h"

/* Messages gathered into one write. */
#define GATHER 16

struct chunk {
	struct chunk *next;
	size_t len, off;
	int fd;
	bool secret;
	uint8_t data[];
};

struct ae_ipc {
	struct ae_loop *loop;
	struct ae_source *src;
	struct ae_source *kick; /* dispatch what is buffered after a pause */
	int fd;
	const struct ae_ipc_row *rows;
	ae_ipc_closed_fn *closed;
	void *arg;
	uint32_t state;
	struct ae_ipc_in in;
	struct chunk *head, **tail;
	size_t queued;
	bool paused;
	bool corked;
	bool over;	  /* no more sending or receiving */
	bool dispatching; /* a handler is on the stack */
	bool free_later;
};

int
ae_ipc_pair(int fd[2], struct ae_err *e)
{
	if (socketpair(
		AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fd) < 0)
		return ae_fail_errno(e, errno, "making a socket pair");
	return AE_OK;
}

static void
chunk_free(struct chunk *k)
{
	if (k->fd >= 0)
		(void)close(k->fd);
	if (k->secret)
		explicit_bzero(k->data, k->len);
	free(k);
}

static void
set_events(struct ae_ipc *c)
{
	ae_source_set_events(c->src,
	    (c->paused ? 0 : AE_LOOP_IN) | (c->head != NULL ? AE_LOOP_OUT : 0));
}

static void
ipc_destroy(struct ae_ipc *c)
{
	struct chunk *k;

	while ((k = c->head) != NULL) {
		c->head = k->next;
		chunk_free(k);
	}
	ae_ipc_in_done(&c->in);
	ae_source_free(c->kick);
	ae_source_free(c->src);
	(void)close(c->fd);
	free(c);
}

void
ae_ipc_free(struct ae_ipc *c)
{
	if (c == NULL)
		return;
	if (c->dispatching) {
		c->over = true;
		c->free_later = true;
		return;
	}
	ipc_destroy(c);
}

/* The end: tell once.  c may be gone afterwards. */
static void
finish(struct ae_ipc *c, const struct ae_err *why)
{
	if (c->over)
		return;
	c->over = true;
	ae_source_free(c->src);
	c->src = NULL;
	/* The peer must see the end now, whenever the owner frees us. */
	(void)shutdown(c->fd, SHUT_RDWR);
	c->closed(c->arg, c, why);
}

/* Every whole message in the buffer.  False: c is over, perhaps gone. */
static bool
dispatch(struct ae_ipc *c)
{
	const struct ae_ipc_row *row;
	struct ae_ipc_msg m;
	struct ae_err e = AE_ERR_INIT;
	int rc = AE_OK;

	while (!c->paused && !c->over) {
		rc = ae_ipc_in_next(&c->in, c->rows, c->state, &row, &m, &e);
		if (rc < 0 || row == NULL)
			break;
		c->dispatching = true;
		rc = row->handle(c->arg, c, &m, &e);
		c->dispatching = false;
		if (m.fd >= 0)
			(void)close(m.fd);
		if (c->free_later) {
			ipc_destroy(c);
			return false;
		}
		if (rc < 0)
			break;
	}
	if (rc < 0) {
		finish(c, &e);
		return false;
	}
	return true;
}

static int
take_fds(struct ae_ipc *c, struct msghdr *mh, struct ae_err *e)
{
	struct cmsghdr *h;
	int fds[AE_IPC_IN_FDS], rc = AE_OK;
	size_t i, n;

	for (h = CMSG_FIRSTHDR(mh); h != NULL; h = CMSG_NXTHDR(mh, h)) {
		if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS)
			continue;
		n = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		if (n > AE_IPC_IN_FDS)
			n = AE_IPC_IN_FDS;
		memcpy(fds, CMSG_DATA(h), n * sizeof(int));
		for (i = 0; i < n; i++) {
			int r = ae_ipc_in_fd(&c->in, fds[i], e);

			if (r < 0)
				rc = r;
		}
	}
	if (rc == AE_OK && (mh->msg_flags & MSG_CTRUNC) != 0)
		rc = ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
		    "more descriptors than a message may carry");
	return rc;
}

/* One read.  AE_OK with *got 0: nothing there now. */
static int
receive(struct ae_ipc *c, size_t *got, struct ae_err *e)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(AE_IPC_IN_FDS * sizeof(int))];
	} ctl;
	struct iovec iov;
	struct msghdr mh = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = ctl.buf,
		.msg_controllen = sizeof(ctl.buf) };
	ssize_t n;

	*got = 0;
	iov.iov_base = ae_ipc_in_room(&c->in, &iov.iov_len);
	if (iov.iov_base == NULL)
		return ae_fail_mem(e);
	n = recvmsg(c->fd, &mh, MSG_CMSG_CLOEXEC);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return AE_OK;
	if (n < 0)
		return ae_fail_errno(e, errno, "reading from the peer");
	if (n == 0)
		return ae_fail(
		    e, AE_EUNAVAIL, AE_DOM_NONE, 0, "closed by the peer");
	ae_ipc_in_add(&c->in, (size_t)n);
	*got = (size_t)n;
	return take_fds(c, &mh, e);
}

/* One gathered write from the queue.  AE_OK with *sent 0: the socket is full.
 */
static int
transmit(struct ae_ipc *c, size_t *sent, struct ae_err *e)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(int))];
	} ctl = { .buf = { 0 } };
	struct iovec iov[GATHER];
	struct msghdr mh = { .msg_iov = iov };
	struct chunk *k;
	struct cmsghdr *h;
	ssize_t n;

	*sent = 0;
	for (k = c->head; k != NULL && mh.msg_iovlen < GATHER; k = k->next) {
		/* A descriptor travels with the first byte of its message. */
		if (k->fd >= 0 && mh.msg_iovlen > 0)
			break;
		iov[mh.msg_iovlen].iov_base = k->data + k->off;
		iov[mh.msg_iovlen].iov_len = k->len - k->off;
		mh.msg_iovlen++;
	}
	if (c->head->fd >= 0) {
		mh.msg_control = ctl.buf;
		mh.msg_controllen = sizeof(ctl.buf);
		h = CMSG_FIRSTHDR(&mh);
		h->cmsg_level = SOL_SOCKET;
		h->cmsg_type = SCM_RIGHTS;
		h->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(h), &c->head->fd, sizeof(int));
	}
	n = sendmsg(c->fd, &mh, MSG_NOSIGNAL);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return AE_OK;
	if (n < 0)
		return ae_fail_errno(e, errno, "writing to the peer");
	if (n > 0 && c->head->fd >= 0) {
		(void)close(c->head->fd);
		c->head->fd = -1;
	}
	*sent = (size_t)n;
	return AE_OK;
}

static void
sent_bytes(struct ae_ipc *c, size_t n)
{
	struct chunk *k;
	size_t left;

	c->queued -= n;
	while (n > 0 && (k = c->head) != NULL) {
		left = k->len - k->off;
		if (n < left) {
			k->off += n;
			return;
		}
		n -= left;
		c->head = k->next;
		if (c->head == NULL)
			c->tail = &c->head;
		chunk_free(k);
	}
}

static int
flush(struct ae_ipc *c, struct ae_err *e)
{
	size_t n = 1;
	int rc = AE_OK;

	while (c->head != NULL && n > 0) {
		rc = transmit(c, &n, e);
		if (rc < 0)
			return rc;
		sent_bytes(c, n);
	}
	return AE_OK;
}

static void
on_socket(void *arg, int fd, unsigned events)
{
	struct ae_ipc *c = arg;
	struct ae_err e = AE_ERR_INIT;
	size_t got = 0;
	int rc = AE_OK;

	(void)fd;
	if ((events & AE_LOOP_OUT) != 0) {
		rc = flush(c, &e);
		/* A peer that is gone may have left us something to read. */
		if (rc < 0)
			events |= AE_LOOP_HUP;
		else
			set_events(c);
	}
	if ((events & AE_LOOP_HUP) != 0)
		c->paused = false;
	if ((events & (AE_LOOP_IN | AE_LOOP_HUP)) == 0)
		return;
	rc = receive(c, &got, &e);
	if (got > 0 && rc == AE_OK && !dispatch(c))
		return;
	if (rc < 0)
		finish(c, &e);
}

static void
on_kick(void *arg)
{
	(void)dispatch(arg);
}

int
ae_ipc_new(struct ae_ipc **out, struct ae_loop *l, int take_fd,
    const struct ae_ipc_row *rows, ae_ipc_closed_fn *closed, void *arg,
    struct ae_err *e)
{
	struct ae_ipc *c = calloc(1, sizeof(*c));
	int rc;

	if (c == NULL) {
		(void)close(take_fd);
		return ae_fail_mem(e);
	}
	c->loop = l;
	c->fd = take_fd;
	c->rows = rows;
	c->closed = closed;
	c->arg = arg;
	c->state = 1;
	c->tail = &c->head;
	rc = ae_loop_fd(&c->src, l, take_fd, AE_LOOP_IN, on_socket, c, e);
	if (rc == AE_OK)
		rc = ae_loop_timer(&c->kick, l, on_kick, c, e);
	if (rc < 0) {
		ipc_destroy(c);
		return rc;
	}
	*out = c;
	return AE_OK;
}

void
ae_ipc_set_state(struct ae_ipc *c, uint32_t state)
{
	c->state = state;
}

static int
queue(struct ae_ipc *c, uint32_t type, uint32_t id, const void *body,
    size_t len, int take_fd, bool secret, struct ae_err *e)
{
	struct chunk *k = NULL;
	bool first = c->head == NULL;
	struct ae_err ignored;
	int rc;

	if (c->over)
		rc = ae_fail(
		    e, AE_EUNAVAIL, AE_DOM_NONE, 0, "the channel is closed");
	else if (len > AE_IPC_BODY_MAX || c->queued + len > AE_IPC_QUEUE_MAX)
		rc = ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
		    "message of %zu bytes behind %zu queued", len, c->queued);
	else if ((k = malloc(sizeof(*k) + AE_IPC_HEADER + len)) == NULL)
		rc = ae_fail_mem(e);
	else
		rc = AE_OK;
	if (k == NULL) {
		if (take_fd >= 0)
			(void)close(take_fd);
		return rc;
	}
	k->next = NULL;
	k->off = 0;
	k->len = AE_IPC_HEADER + len;
	k->fd = take_fd;
	k->secret = secret;
	ae_ipc_header(k->data, type, id, (uint32_t)len,
	    take_fd >= 0 ? AE_IPC_FLAG_FD : 0);
	if (len > 0)
		memcpy(k->data + AE_IPC_HEADER, body, len);
	*c->tail = k;
	c->tail = &k->next;
	c->queued += k->len;
	/*
	 * Write now when nothing waits.  An error is left for the loop: the
	 * socket reports the hang-up there and the owner is told once.
	 */
	if (c->corked)
		return AE_OK;
	if (first)
		(void)flush(c, &ignored);
	set_events(c);
	return AE_OK;
}

int
ae_ipc_send(struct ae_ipc *c, uint32_t type, uint32_t id, const void *body,
    size_t len, int take_fd, struct ae_err *e)
{
	return queue(c, type, id, body, len, take_fd, false, e);
}

int
ae_ipc_send_secret(struct ae_ipc *c, uint32_t type, uint32_t id,
    const void *body, size_t len, struct ae_err *e)
{
	return queue(c, type, id, body, len, -1, true, e);
}

void
ae_ipc_cork(struct ae_ipc *c, bool cork)
{
	struct ae_err ignored;

	c->corked = cork;
	if (cork || c->over)
		return;
	(void)flush(c, &ignored);
	set_events(c);
}

size_t
ae_ipc_queued(const struct ae_ipc *c)
{
	return c->queued;
}

void
ae_ipc_pause(struct ae_ipc *c, bool pause)
{
	if (c->over || c->paused == pause)
		return;
	c->paused = pause;
	set_events(c);
	/* What is buffered already makes no socket readable. */
	if (!pause)
		ae_source_set_timer(c->kick, 0);
}
