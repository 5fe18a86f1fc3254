/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Options of sockets; see sock.h.
 */
#include "sys/sock.h"

#include <sys/socket.h>
#include <sys/time.h>

void
ae_sock_silence(int fd, unsigned seconds)
{
	const struct timeval most = { .tv_sec = seconds };

	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof(most));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &most, sizeof(most));
}
