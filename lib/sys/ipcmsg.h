/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Messages between processes of one program, over a stream socketpair.  A
 * message is a header of 16 bytes (type, id, body length, flags; in host
 * order: both ends are the same binary) and a body, and carries at most one
 * descriptor.  The receiver owns a table of what it may be told in which
 * state; anything else ends the channel.  Bodies are decoded with base/rd.h
 * like bytes from the network.  (Not named ipc.h: this folder must not
 * shadow <sys/ipc.h>.)
 */
#ifndef AE_SYS_IPCMSG_H
#define AE_SYS_IPCMSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/rd.h"
#include "sys/loop.h"

struct ae_ipc;

/* No table may accept more than this in one body. */
#define AE_IPC_BODY_MAX (64u * 1024u * 1024u)
/* Bytes waiting to be sent before ae_ipc_send() refuses. */
#define AE_IPC_QUEUE_MAX (96u * 1024u * 1024u)

struct ae_ipc_msg {
	uint32_t type;
	uint32_t id; /* chosen by the asker, returned in the answer */
	const uint8_t *body;
	size_t len;
	int fd; /* -1: none.  The handler that keeps it sets -1 here; what
		   is left is closed after the handler */
};

/*
 * Handle one message.  A return other than AE_OK means the peer broke the
 * contract: the channel is closed with that error.  The body is good until
 * the handler returns.  The handler may free the ipc.
 */
typedef int ae_ipc_handler(
    void *arg, struct ae_ipc *c, struct ae_ipc_msg *m, struct ae_err *e);

/* One message a receiver accepts.  Tables end with a row whose handle is NULL.
 */
struct ae_ipc_row {
	uint32_t type;
	uint32_t max;	 /* longest body */
	uint32_t states; /* allowed when (state & states) != 0 */
	bool fd;	 /* must carry a descriptor; otherwise must not */
	ae_ipc_handler *handle;
};

/*
 * The channel is over: closed by the peer (e->rc == AE_EUNAVAIL), broken, or
 * cut because the peer sent something outside the table.  Called once, from
 * the loop or from ae_ipc_send's deferred work, never from inside
 * ae_ipc_send; the callback may free the ipc.
 */
typedef void ae_ipc_closed_fn(
    void *arg, struct ae_ipc *c, const struct ae_err *why);

/* A pair of connected, close-on-exec, non-blocking stream sockets. */
int ae_ipc_pair(int fd[2], struct ae_err *e) AE_MUST_CHECK;

/*
 * Serve fd (yours no more, also on failure) in the loop with this table
 * (borrowed).  The state starts as 1.
 */
int ae_ipc_new(struct ae_ipc **out, struct ae_loop *l, int take_fd,
    const struct ae_ipc_row *rows, ae_ipc_closed_fn *closed, void *arg,
    struct ae_err *e) AE_MUST_CHECK;

/* Close without a word.  NULL is fine. */
void ae_ipc_free(struct ae_ipc *c);

/* Which rows are allowed from now on: a set of bits of the program's making. */
void ae_ipc_set_state(struct ae_ipc *c, uint32_t state);

/*
 * Queue a message; written at once when the socket takes it.  take_fd (-1:
 * none) is closed when sent, and on failure.  AE_ELIMIT when the queue is
 * full, AE_EUNAVAIL when the channel is over.
 */
int ae_ipc_send(struct ae_ipc *c, uint32_t type, uint32_t id, const void *body,
    size_t len, int take_fd, struct ae_err *e) AE_MUST_CHECK;

/* As ae_ipc_send, and the queued copy is wiped once it is written. */
int ae_ipc_send_secret(struct ae_ipc *c, uint32_t type, uint32_t id,
    const void *body, size_t len, struct ae_err *e) AE_MUST_CHECK;

/*
 * While corked, what is sent is only queued; uncorked, all of it goes out by
 * as few writes as that takes.  For a batch of answers: the peer wakes once.
 */
void ae_ipc_cork(struct ae_ipc *c, bool cork);

/* Bytes queued and not yet written. */
size_t ae_ipc_queued(const struct ae_ipc *c);

/* Stop reading (back-pressure), or go on. */
void ae_ipc_pause(struct ae_ipc *c, bool pause);

#endif
