/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The sockets of a server: listening, the options of an accepted one, and
 * whom it leads to.  What is done with them is rpc_server.c's.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "run/rpc_server.h"
#include "run/tcp.h"

int
ae_run_tcp_listen(int *out, const char *addr, uint16_t port, struct ae_err *e)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_port = htons(port) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6,
		.sin6_port = htons(port) };
	bool v6 = strchr(addr, ':') != NULL;
	int fd, one = 1, err, r;

	if (inet_pton(v6 ? AF_INET6 : AF_INET, addr,
		v6 ? (void *)&in6.sin6_addr : (void *)&in.sin_addr) != 1)
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "\"%s\" is not an IP address", addr);
	fd = socket(v6 ? AF_INET6 : AF_INET,
	    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return ae_fail_errno(e, errno, "making a socket");
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (v6)
		(void)setsockopt(
		    fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	r = v6 ? bind(fd, (struct sockaddr *)&in6, sizeof(in6))
	       : bind(fd, (struct sockaddr *)&in, sizeof(in));
	if (r < 0 || listen(fd, 1024) < 0) {
		err = errno;
		(void)close(fd);
		return ae_fail_errno(
		    e, err, "listening on %s port %u", addr, port);
	}
	*out = fd;
	return AE_OK;
}

void
ae_run_tcp_options(int fd)
{
	static const struct {
		int level, name, value;
	} opt[] = {
		{ IPPROTO_TCP, TCP_NODELAY, 1 },
		{ SOL_SOCKET, SO_KEEPALIVE, 1 },
		/* a peer that vanished is found within 2 + 3 x 20 s ... */
		{ IPPROTO_TCP, TCP_KEEPIDLE, 120 },
		{ IPPROTO_TCP, TCP_KEEPINTVL, 20 },
		{ IPPROTO_TCP, TCP_KEEPCNT, 3 },
		/* ... or when it does not acknowledge for a minute */
		{ IPPROTO_TCP, TCP_USER_TIMEOUT, 60 * 1000 },
	};
	size_t i;

	/* None of them matters enough to refuse a client (and on a Unix
	   socket none exists). */
	for (i = 0; i < sizeof(opt) / sizeof(opt[0]); i++)
		(void)setsockopt(fd, opt[i].level, opt[i].name, &opt[i].value,
		    sizeof(opt[i].value));
}

size_t
ae_run_tcp_addr(
    const struct sockaddr_storage *ss, uint8_t ip[16], uint16_t *port)
{
	const struct sockaddr_in *in = (const void *)ss;
	const struct sockaddr_in6 *in6 = (const void *)ss;

	*port = 0;
	if (ss->ss_family == AF_INET) {
		memcpy(ip, &in->sin_addr, 4);
		*port = ntohs(in->sin_port);
		return 4;
	}
	if (ss->ss_family == AF_INET6) {
		memcpy(ip, &in6->sin6_addr, 16);
		*port = ntohs(in6->sin6_port);
		return 16;
	}
	return 0;
}
