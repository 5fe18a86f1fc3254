/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Connecting TCP sockets with a deadline, and what is to know about accepted
 * ones.  For lib/run itself.
 */
#ifndef AE_RUN_TCP_H
#define AE_RUN_TCP_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "run/rpc_client.h"

#define AE_RUN_PEER_MAX 64 /* "[2001:db8::1]:49500" and NUL */

/*
 * A connected, non-blocking socket to the first address of t that answers,
 * and what to call it.  Every address tried is a stage.
 */
int ae_run_tcp_connect(int *fd, char peer[AE_RUN_PEER_MAX],
    const struct ae_run_target *t, struct ae_err *e) AE_MUST_CHECK;

/* Milliseconds left until deadline (0: none), at most most, at least 0. */
int ae_run_left(int64_t deadline, int64_t most);

/*
 * Keep-alive, no delay and the like; what a socket does not know is left.  On
 * a listening socket they are those of all connections that it accepts.
 */
void ae_run_tcp_options(int fd);

/* The bytes of an IP address (0: it is none), their number, and its port. */
size_t ae_run_tcp_addr(
    const struct sockaddr_storage *ss, uint8_t ip[16], uint16_t *port);

#endif
