/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Names to addresses, addresses to connected sockets; see rpc_client.h.
 */
#include "run/tcp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "run/trace.h"
#include "sys/clock.h"

#define CONNECT_MS 5000

static enum ae_rc
rc_of_resolver(int code)
{
	switch (code) {
	case EAI_NONAME:
	case EAI_NODATA:
		return AE_ENOTFOUND;
	case EAI_MEMORY:
		return AE_ENOMEM;
	default:
		return AE_EUNAVAIL;
	}
}

static int
resolve(struct ae_run_addrs *out, const char *host, struct ae_err *e)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
		.ai_flags = AI_ADDRCONFIG };
	struct addrinfo *list = NULL, *a;
	int code;

	*out = (struct ae_run_addrs){ .n = 0 };
	code = getaddrinfo(host, NULL, &hints, &list);
	if (code == EAI_SYSTEM)
		return ae_fail_errno(e, errno, "looking up %s", host);
	if (code != 0)
		return ae_fail(e, rc_of_resolver(code), AE_DOM_NONE, code,
		    "looking up %s: %s", host, gai_strerror(code));
	for (a = list; a != NULL && out->n < AE_RUN_ADDRS_MAX; a = a->ai_next) {
		if (a->ai_addrlen > sizeof(out->v[0]))
			continue;
		memcpy(&out->v[out->n], a->ai_addr, a->ai_addrlen);
		out->len[out->n++] = a->ai_addrlen;
	}
	freeaddrinfo(list);
	if (out->n == 0)
		return ae_fail(e, AE_ENOTFOUND, AE_DOM_NONE, 0,
		    "looking up %s: no address", host);
	return AE_OK;
}

int
ae_run_resolve(struct ae_run_addrs *out, const char *host,
    struct ae_run_trace *trace, struct ae_err *e)
{
	struct ae_err ours = AE_ERR_INIT;
	struct ae_run_timer timer;

	e = e != NULL ? e : &ours;
	ae_run_stage_begin(&timer, AE_RUN_NAME, "%s", host);
	return ae_run_stage_end(&timer, trace, resolve(out, host, e), e);
}

int
ae_run_left(int64_t deadline, int64_t most)
{
	int64_t left = most;

	if (deadline != 0 && deadline - ae_clock_mono_ms() < left)
		left = deadline - ae_clock_mono_ms();
	return left < 0 ? 0 : left > INT32_MAX ? INT32_MAX : (int)left;
}

/* The address with a port, and its text. */
static void
with_port(struct sockaddr_storage *out, char peer[AE_RUN_PEER_MAX],
    const struct sockaddr_storage *in, uint16_t port)
{
	char text[INET6_ADDRSTRLEN] = "?";
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)(void *)out;
	struct sockaddr_in *four = (struct sockaddr_in *)(void *)out;

	*out = *in;
	if (out->ss_family == AF_INET6) {
		six->sin6_port = htons(port);
		(void)inet_ntop(AF_INET6, &six->sin6_addr, text, sizeof(text));
		(void)snprintf(peer, AE_RUN_PEER_MAX, "[%s]:%u", text, port);
		return;
	}
	four->sin_port = htons(port);
	(void)inet_ntop(AF_INET, &four->sin_addr, text, sizeof(text));
	(void)snprintf(peer, AE_RUN_PEER_MAX, "%s:%u", text, port);
}

/* Wait for a connection under way. */
static int
finish(int fd, const char *peer, int wait_ms, struct ae_err *e)
{
	int64_t end = ae_clock_mono_ms() + wait_ms;
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	socklen_t len = sizeof(int);
	int n, err = 0;

	do
		n = poll(&p, 1, ae_run_left(end, wait_ms));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return ae_fail_errno(e, errno, "connecting to %s", peer);
	if (n == 0)
		return ae_fail(e, AE_ETIMEDOUT, AE_DOM_ERRNO, ETIMEDOUT,
		    "connecting to %s: no answer in %d ms", peer, wait_ms);
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len) != 0)
		err = errno;
	if (err != 0)
		return ae_fail(e, AE_EUNAVAIL, AE_DOM_ERRNO, err,
		    "connecting to %s: %s", peer, strerror(err));
	return AE_OK;
}

static int
connect_one(int *out, const struct sockaddr_storage *to, socklen_t len,
    const char *peer, int wait_ms, struct ae_err *e)
{
	int fd, rc = AE_OK, one = 1;

	fd = socket(
	    to->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return ae_fail_errno(e, errno, "socket for %s", peer);
	/* A request is one write; its fragments must not wait for ACKs. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(fd, (const struct sockaddr *)to, len) != 0) {
		if (errno == EINPROGRESS || errno == EINTR)
			rc = finish(fd, peer, wait_ms, e);
		else
			rc = ae_fail(e, AE_EUNAVAIL, AE_DOM_ERRNO, errno,
			    "connecting to %s: %s", peer, strerror(errno));
	}
	if (rc != AE_OK)
		(void)close(fd);
	else
		*out = fd;
	return rc;
}

int
ae_run_tcp_connect(int *fd, char peer[AE_RUN_PEER_MAX],
    const struct ae_run_target *t, struct ae_err *e)
{
	int64_t most = t->connect_ms != 0 ? t->connect_ms : CONNECT_MS;
	struct sockaddr_storage to;
	struct ae_run_timer timer;
	int wait, rc = AE_ENOTFOUND;
	size_t i;

	if (t->addrs->n == 0)
		return ae_fail(e, AE_ENOTFOUND, AE_DOM_NONE, 0,
		    "no address to connect to");
	for (i = 0; i < t->addrs->n && rc != AE_OK; i++) {
		with_port(&to, peer, &t->addrs->v[i], t->port);
		wait = ae_run_left(t->deadline, most);
		ae_run_stage_begin(&timer, AE_RUN_CONNECT, "%s", peer);
		if (wait == 0)
			rc = ae_fail(e, AE_ETIMEDOUT, AE_DOM_ERRNO, ETIMEDOUT,
			    "connecting to %s: no time left", peer);
		else
			rc = connect_one(
			    fd, &to, t->addrs->len[i], peer, wait, e);
		rc = ae_run_stage_end(&timer, t->trace, rc, e);
	}
	return rc;
}
