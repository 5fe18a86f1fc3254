/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What one account may take of the CA: so many requests a minute (in ca), so
 * many connections of one process (in rpc).  The others are to be served
 * whatever it does.
 */
#ifndef CERTSRVD_ACCOUNTS_H
#define CERTSRVD_ACCOUNTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/sid.h"

/*
 * Token buckets, one for each SID that asked lately: a minute's worth at
 * once, and then as many as come back with time.  Of fixed size; where its
 * places do not suffice the account that asked least begins anew.
 */
struct rate;
struct rate *rate_new(unsigned per_minute); /* NULL: no memory */
void rate_free(struct rate *r);
/* One more request at this time (monotonic ms)?  0 a minute: always. */
bool rate_take(struct rate *r, const struct ae_sid *sid, int64_t now);

/* Who has which of the connections: security contexts, by their names. */
struct holders;
struct holders *holders_new(unsigned max); /* for each SID; 0: any */
void holders_free(struct holders *h);
/* False: this account has its share already (or no memory). */
bool holders_add(struct holders *h, uint64_t name, const struct ae_sid *sid);
/* The context is gone; an unknown name is fine. */
void holders_remove(struct holders *h, uint64_t name);

#endif
