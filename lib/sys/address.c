/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Addresses; see address.h.
 */
#include "sys/address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

struct ae_address
ae_address_parse(const char *text)
{
	struct ae_address a = { 0 };

	if (inet_pton(AF_INET, text, a.p) == 1)
		a.len = 4;
	else if (inet_pton(AF_INET6, text, a.p) == 1)
		a.len = 16;
	return a;
}

static struct ae_address
of_info(const struct addrinfo *p)
{
	struct ae_address a = { 0 };
	struct sockaddr_in6 v6;
	struct sockaddr_in v4;

	if (p->ai_family == AF_INET && p->ai_addrlen >= sizeof(v4)) {
		memcpy(&v4, p->ai_addr, sizeof(v4));
		a.len = sizeof(v4.sin_addr);
		memcpy(a.p, &v4.sin_addr, a.len);
	} else if (p->ai_family == AF_INET6 && p->ai_addrlen >= sizeof(v6)) {
		memcpy(&v6, p->ai_addr, sizeof(v6));
		a.len = sizeof(v6.sin6_addr);
		memcpy(a.p, &v6.sin6_addr, a.len);
	}
	return a;
}

size_t
ae_address_lookup(struct ae_address *out, size_t max, const char *host)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *list = NULL, *p;
	size_t n = 0;

	if (getaddrinfo(host, NULL, &hints, &list) != 0)
		return 0;
	for (p = list; p != NULL && n < max; p = p->ai_next) {
		out[n] = of_info(p);
		n += out[n].len > 0;
	}
	freeaddrinfo(list);
	return n;
}
