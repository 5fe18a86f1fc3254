/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What else there is to see of a CA's host where the way to it ended: other
 * ports, all at once, and what its name leads to.  Part of the facts of that
 * way:
 *
 *   "canonical": the name behind an alias
 *   "same_as": the host of ours (a domain controller, this machine) that has
 *              the same address
 *   "beside": [ { "port", "state": "open" | "refused" | "dropped" } ]
 */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "diag/checks.h"
#include "diag/facts.h"
#include "probe.h"
#include "sys/clock.h"

#define BESIDE_MS 1500

static struct addrinfo *
look_up(const char *host, int flags)
{
	const struct addrinfo hints = { .ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = flags };
	struct addrinfo *found = NULL;

	return getaddrinfo(host, NULL, &hints, &found) == 0 ? found : NULL;
}

static void
set_port(struct sockaddr *sa, uint16_t port)
{
	if (sa->sa_family == AF_INET6)
		((struct sockaddr_in6 *)(void *)sa)->sin6_port = htons(port);
	else
		((struct sockaddr_in *)(void *)sa)->sin_port = htons(port);
}

static bool
same_address(const struct addrinfo *a, const struct addrinfo *b)
{
	const struct sockaddr_in *four = (const void *)a->ai_addr,
				 *five = (const void *)b->ai_addr;
	const struct sockaddr_in6 *six = (const void *)a->ai_addr,
				  *seven = (const void *)b->ai_addr;

	if (a->ai_family != b->ai_family)
		return false;
	if (a->ai_family == AF_INET)
		return four->sin_addr.s_addr == five->sin_addr.s_addr;
	return memcmp(&six->sin6_addr, &seven->sin6_addr,
		   sizeof(six->sin6_addr)) == 0;
}

/* Is what we dialled the address of a host that we know by another name? */
static void
see_same(struct probe *p, const struct addrinfo *at, const char *host)
{
	const char *others[] = { ae_fact_text(p->facts, "dc.host"),
		ae_fact_text(p->facts, "host.fqdn") };
	struct addrinfo *found;
	const struct addrinfo *one;
	size_t i;

	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		if (others[i][0] == '\0' || ae_str_eq_nocase(others[i], host))
			continue;
		found = look_up(others[i], 0);
		for (one = found; one != NULL; one = one->ai_next)
			if (same_address(one, at))
				probe_set(p, "same_as", client_text(others[i]));
		if (found != NULL)
			freeaddrinfo(found);
	}
}

static int
begin(const struct addrinfo *at, uint16_t port)
{
	struct sockaddr_storage to = { 0 };
	int fd = socket(
	    at->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	memcpy(&to, at->ai_addr, at->ai_addrlen);
	set_port((struct sockaddr *)&to, port);
	/* How it goes is told by poll. */
	(void)connect(fd, (struct sockaddr *)&to, at->ai_addrlen);
	return fd;
}

static const char *
state_of(int fd, short revents)
{
	socklen_t len = sizeof(int);
	int err = 0;

	if (fd < 0 || revents == 0)
		return "dropped";
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len) != 0)
		err = errno;
	return err == 0 ? "open" : err == ECONNREFUSED ? "refused" : "dropped";
}

static void
see_ports(struct probe *p, const struct addrinfo *at)
{
	static const uint16_t ports[] = { 135, 445, AE_DIAG_CA_PORT };
	enum { N = sizeof(ports) / sizeof(ports[0]) };
	const int64_t end = ae_clock_mono_ms() + BESIDE_MS;
	json_t *list = json_array();
	struct pollfd v[N];
	short got[N] = { 0 };
	size_t i, left = N;

	for (i = 0; i < N; i++)
		v[i] = (struct pollfd){ .fd = begin(at, ports[i]),
			.events = POLLOUT };
	while (left > 0 && ae_clock_mono_ms() < end) {
		if (poll(v, N, (int)(end - ae_clock_mono_ms())) <= 0)
			break;
		for (i = 0; i < N; i++) {
			if (v[i].revents == 0 || got[i] != 0)
				continue;
			got[i] = v[i].revents;
			v[i].events = 0;
			left--;
			(void)json_array_append_new(list,
			    json_pack("{s:i, s:s}", "port", (int)ports[i],
				"state", state_of(v[i].fd, got[i])));
			(void)close(v[i].fd);
			v[i].fd = -1;
		}
	}
	for (i = 0; i < N; i++) {
		if (got[i] == 0)
			(void)json_array_append_new(list,
			    json_pack("{s:i, s:s}", "port", (int)ports[i],
				"state", "dropped"));
		if (v[i].fd >= 0)
			(void)close(v[i].fd);
	}
	probe_set(p, "beside", list);
}

void
probe_beside(struct probe *p)
{
	const char *host = ae_fact_text(p->about, "host");
	struct addrinfo *at;

	probe_doing(p, "beside", host);
	at = look_up(host, AI_CANONNAME);
	if (at == NULL)
		return;
	if (at->ai_canonname != NULL &&
	    !ae_str_eq_nocase(at->ai_canonname, host))
		probe_set(p, "canonical", client_text(at->ai_canonname));
	see_same(p, at, host);
	see_ports(p, at);
	freeaddrinfo(at);
}
