/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * How often one address may ask: token buckets in a table of fixed size.
 * Addresses that share a place share its tokens; a /64 is one address.
 */
#ifndef CERTSRVD_HTTP_LIMIT_H
#define CERTSRVD_HTTP_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

struct limit;
struct sockaddr;

/* So many in a second, four seconds' worth at once; 0: any.  NULL: memory. */
struct limit *limit_new(unsigned per_second, const uint8_t seed[16]);
void limit_free(struct limit *l);
/* One more of this address at this time (monotonic ms)? */
bool limit_take(struct limit *l, const struct sockaddr *from, int64_t now);

#endif
