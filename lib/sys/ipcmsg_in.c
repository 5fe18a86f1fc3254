/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The frame decoder of ipc.  Memory grows with what has arrived, not with
 * what a header claims.
 */
#include "sys/ipcmsg_in.h"

#include "base/breaks.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define READ_SIZE (64u * 1024u)

void
ae_ipc_in_done(struct ae_ipc_in *in)
{
	while (in->nfd > 0)
		(void)close(in->fd[--in->nfd]);
	/* Tickets and session keys pass through here. */
	if (in->buf != NULL)
		explicit_bzero(in->buf, in->cap);
	free(in->buf);
	memset(in, 0, sizeof(*in));
}

static bool
grow(struct ae_ipc_in *in)
{
	size_t cap = in->cap == 0 ? READ_SIZE : in->cap * 2;
	uint8_t *p;

	/* One message of the greatest size and one read behind it. */
	if (cap > AE_IPC_BODY_MAX * 2u)
		return false;
	p = malloc(cap);
	if (p == NULL)
		return false;
	if (in->buf != NULL) {
		memcpy(p, in->buf, in->have);
		explicit_bzero(in->buf, in->cap);
	}
	free(in->buf);
	in->buf = p;
	in->cap = cap;
	return true;
}

uint8_t *
ae_ipc_in_room(struct ae_ipc_in *in, size_t *room)
{
	if (in->off > 0) {
		memmove(in->buf, in->buf + in->off, in->have - in->off);
		in->have -= in->off;
		in->off = 0;
	}
	if (in->have == in->cap && !grow(in))
		return NULL;
	*room = in->cap - in->have;
	return in->buf + in->have;
}

void
ae_ipc_in_add(struct ae_ipc_in *in, size_t n)
{
	assert(n <= in->cap - in->have);
	in->have += n;
}

int
ae_ipc_in_fd(struct ae_ipc_in *in, int take_fd, struct ae_err *e)
{
	if (in->nfd == AE_IPC_IN_FDS) {
		(void)close(take_fd);
		return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
		    "more descriptors than messages that carry one");
	}
	in->fd[in->nfd++] = take_fd;
	return AE_OK;
}

static uint32_t
host32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

void
ae_ipc_header(uint8_t out[AE_IPC_HEADER], uint32_t type, uint32_t id,
    uint32_t len, uint32_t flags)
{
	memcpy(out, &type, 4);
	memcpy(out + 4, &id, 4);
	memcpy(out + 8, &len, 4);
	memcpy(out + 12, &flags, 4);
}

/* The row that allows this header, or why none does. */
static int
allowed(const struct ae_ipc_row **out, const struct ae_ipc_row *rows,
    uint32_t state, uint32_t type, uint32_t len, uint32_t flags,
    struct ae_err *e)
{
	const struct ae_ipc_row *r;

	for (r = rows; r->handle != NULL; r++)
		if (r->type == type)
			break;
	if (r->handle == NULL)
		return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
		    "message type %u is not accepted here", type);
	if ((r->states & state) == 0 && !AE_BREAK(ipc_state))
		return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
		    "message type %u is not accepted in state 0x%x", type,
		    state);
	if (len > r->max && !AE_BREAK(ipc_size))
		return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
		    "message type %u of %u bytes, at most %u", type, len,
		    r->max);
	if (flags != (r->fd ? AE_IPC_FLAG_FD : 0))
		return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
		    "message type %u with flags 0x%x", type, flags);
	*out = r;
	return AE_OK;
}

int
ae_ipc_in_next(struct ae_ipc_in *in, const struct ae_ipc_row *rows,
    uint32_t state, const struct ae_ipc_row **row, struct ae_ipc_msg *m,
    struct ae_err *e)
{
	size_t left = in->have - in->off;
	const uint8_t *h = in->buf + in->off;
	const struct ae_ipc_row *r = NULL;
	uint32_t len;
	int rc;

	*row = NULL;
	if (left < AE_IPC_HEADER)
		return AE_OK;
	len = host32(h + 8);
	rc = allowed(&r, rows, state, host32(h), len, host32(h + 12), e);
	if (rc < 0)
		return rc;
	assert(r->max <= AE_IPC_BODY_MAX);
	if (left - AE_IPC_HEADER < len)
		return AE_OK;
	m->type = host32(h);
	m->id = host32(h + 4);
	m->body = h + AE_IPC_HEADER;
	m->len = len;
	m->fd = -1;
	if (r->fd) {
		if (in->nfd == 0)
			return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
			    "message type %u without its descriptor", m->type);
		m->fd = in->fd[0];
		in->nfd--;
		memmove(in->fd, in->fd + 1, in->nfd * sizeof(in->fd[0]));
	}
	in->off += AE_IPC_HEADER + len;
	*row = r;
	return AE_OK;
}
