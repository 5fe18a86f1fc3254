/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The receiving half of sys/ipcmsg.h without the socket: bytes and descriptors
 * in, messages out, so that tests and fuzzers can play the peer.
 */
#ifndef AE_SYS_IPCMSG_IN_H
#define AE_SYS_IPCMSG_IN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "sys/ipcmsg.h"

#define AE_IPC_HEADER 16u
#define AE_IPC_FLAG_FD 1u /* the only flag */

/* Descriptors that may wait for their message. */
#define AE_IPC_IN_FDS 8

/* Zeroed is empty. */
struct ae_ipc_in {
	uint8_t *buf;
	size_t off;  /* start of the first whole message not yet taken */
	size_t have; /* end of what was received */
	size_t cap;
	int fd[AE_IPC_IN_FDS];
	size_t nfd;
};

void ae_ipc_in_done(struct ae_ipc_in *in);

/* Room for the next read, at least one byte; NULL when out of memory. */
uint8_t *ae_ipc_in_room(struct ae_ipc_in *in, size_t *room);

/* n bytes were put there. */
void ae_ipc_in_add(struct ae_ipc_in *in, size_t n);

/* A descriptor came along; yours no more.  AE_EPROTO: too many. */
int ae_ipc_in_fd(
    struct ae_ipc_in *in, int take_fd, struct ae_err *e) AE_MUST_CHECK;

/*
 * The next message by this table and state.  *row is NULL when there is none
 * yet.  m->body borrows from the buffer until the next call.  AE_EPROTO when
 * the peer sent what the table does not allow.
 */
int ae_ipc_in_next(struct ae_ipc_in *in, const struct ae_ipc_row *rows,
    uint32_t state, const struct ae_ipc_row **row, struct ae_ipc_msg *m,
    struct ae_err *e) AE_MUST_CHECK;

/* The header both halves agree on. */
void ae_ipc_header(uint8_t out[AE_IPC_HEADER], uint32_t type, uint32_t id,
    uint32_t len, uint32_t flags);

#endif
