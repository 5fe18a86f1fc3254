/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Token buckets by address.
 */
#include "http_limit.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define PLACES 4096u
#define BURST 4 /* seconds' worth */

struct bucket {
	int64_t at; /* when it was looked at */
	int64_t thousandths;
};

struct limit {
	unsigned per_second;
	uint64_t seed[2];
	struct bucket place[PLACES];
};

struct limit *
limit_new(unsigned per_second, const uint8_t seed[16])
{
	struct limit *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return NULL;
	l->per_second = per_second;
	memcpy(l->seed, seed, sizeof(l->seed));
	return l;
}

void
limit_free(struct limit *l)
{
	free(l);
}

/* Where it belongs; nobody outside knows the seed. */
static uint64_t
place(const struct limit *l, const struct sockaddr *from)
{
	uint64_t v = 0;

	if (from->sa_family == AF_INET)
		v = ((const struct sockaddr_in *)(const void *)from)
			->sin_addr.s_addr;
	else if (from->sa_family == AF_INET6)
		memcpy(&v,
		    &((const struct sockaddr_in6 *)(const void *)from)
			 ->sin6_addr,
		    sizeof(v));
	v ^= l->seed[0];
	v *= l->seed[1] | 1;
	v ^= v >> 32;
	v *= UINT64_C(0x9e3779b97f4a7c15);
	return (v >> 40) % PLACES;
}

bool
limit_take(struct limit *l, const struct sockaddr *from, int64_t now)
{
	const int64_t most = (int64_t)l->per_second * BURST * 1000;
	struct bucket *b;

	if (l->per_second == 0)
		return true;
	b = &l->place[place(l, from)];
	if (b->at == 0)
		b->thousandths = most;
	else if (now > b->at)
		b->thousandths += (now - b->at) * (int64_t)l->per_second;
	if (b->thousandths > most)
		b->thousandths = most;
	b->at = now;
	if (b->thousandths < 1000)
		return false;
	b->thousandths -= 1000;
	return true;
}
