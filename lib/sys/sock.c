/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Options of sockets; see sock.h.
 */
#include "sys/sock.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "sys/clock.h"

void
ae_sock_silence(int fd, unsigned seconds)
{
	const struct timeval most = { .tv_sec = seconds };

	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof(most));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &most, sizeof(most));
}

bool
ae_sock_wait(int fd, bool write, int64_t ms)
{
	const int64_t until = ae_clock_mono_ms() + ms;
	struct pollfd p = { .fd = fd,
		.events = (short)(POLLIN | (write ? POLLOUT : 0)) };
	int64_t left;
	int n;

	for (;;) {
		left = until - ae_clock_mono_ms();
		n = poll(&p, 1, left <= 0 ? 0 : (int)left);
		if (n != -1 || errno != EINTR)
			return n > 0;
	}
}
