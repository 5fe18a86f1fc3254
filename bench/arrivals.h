/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * An open loop: requests arrive when chance says, whether or not the server
 * has answered those before.  The times are drawn beforehand; whichever client
 * is free takes the next one, and its latency counts from the time that was
 * drawn.  A server that stalls thus shows in every request that came
 * meanwhile (no coordinated omission).
 */
#ifndef BENCH_ARRIVALS_H
#define BENCH_ARRIVALS_H

#include <stdatomic.h>
#include <stddef.h>

struct arrivals {
	_Atomic double start; /* of the clock; 0: not yet */
	atomic_size_t next;
	size_t n;
	double at[]; /* seconds after start */
};

/* A Poisson process of that rate for so many seconds, in shared memory. */
struct arrivals *arrivals_new(double rate, double seconds);

/*
 * The time of the next arrival, and its number; waits neither for it nor for
 * the start.  HUGE_VAL: no more.
 */
double arrivals_take(struct arrivals *a, size_t *number);

#endif
