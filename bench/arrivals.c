/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * See arrivals.h.
 */
#include "arrivals.h"

#include <sys/mman.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

struct arrivals *
arrivals_new(double rate, double seconds)
{
	/* more than the square root of what is expected is never needed ten
	   times over */
	double expected = rate * seconds;
	size_t max = (size_t)(expected + 10 * sqrt(expected) + 10);
	size_t size = sizeof(struct arrivals) + max * sizeof(double);
	struct arrivals *a = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	double t = 0;

	if (a == MAP_FAILED) {
		perror("load");
		exit(1);
	}
	srand48(1); /* the same times for everybody who is compared */
	while (a->n < max) {
		t -= log(1 - drand48()) / rate;
		if (t >= seconds)
			break;
		a->at[a->n++] = t;
	}
	return a;
}

double
arrivals_take(struct arrivals *a, size_t *number)
{
	*number = atomic_fetch_add(&a->next, 1);
	return *number < a->n ? a->start + a->at[*number] : HUGE_VAL;
}
