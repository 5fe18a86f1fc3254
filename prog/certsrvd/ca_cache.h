/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Answers of the directory about requesters, for as long as they may be
 * reused (doc/architecture.md, decision 8).
 */
#ifndef CERTSRVD_CA_CACHE_H
#define CERTSRVD_CA_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/sid.h"

#define CA_CACHE_MS 60000 /* times are monotonic milliseconds, above 0 */

struct ca_cache;

struct ca_cache *ca_cache_new(void); /* NULL: out of memory */
void ca_cache_free(struct ca_cache *c);

/* The encoded object of this SID, borrowed until the next call; or NULL. */
const uint8_t *ca_cache_requester(
    struct ca_cache *c, const struct ae_sid *sid, int64_t now, size_t *len);
void ca_cache_set_requester(struct ca_cache *c, const struct ae_sid *sid,
    const uint8_t *body, size_t len, int64_t now);

/* How many others bear this DNS name.  False: not known. */
bool ca_cache_owners(struct ca_cache *c, const struct ae_sid *sid,
    const char *dns, int64_t now, unsigned *owners);
void ca_cache_set_owners(struct ca_cache *c, const struct ae_sid *sid,
    const char *dns, unsigned owners, int64_t now);

#endif
