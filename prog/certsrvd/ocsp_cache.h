/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * OCSP responses that were signed already.  A table of fixed size; each has
 * one place, and the later one stays there.  Only certificates there are have
 * any: questions about others push nobody out.
 */
#ifndef CERTSRVD_OCSP_CACHE_H
#define CERTSRVD_OCSP_CACHE_H

#include <stddef.h>
#include <stdint.h>

#include "db/db.h"
#include "pki/ocsp.h"

/* A CertID, and its serial when it is one of ours. */
struct ask_id {
	uint8_t der[AE_OCSP_ID_MAX];
	size_t len;
	uint8_t serial[AE_DB_SERIAL_MAX];
	size_t serial_len; /* 0: of another issuer */
};

struct cached {
	struct ask_id id;
	enum ae_ocsp_status status;
	int64_t until; /* after that it is made anew */
	int64_t next_update;
	uint8_t *response;
	size_t response_len;
};

struct cache;
struct cache *cache_new(void); /* NULL: no memory */
void cache_free(struct cache *c);

/* The response about this CertID, if it is young enough; or NULL. */
const struct cached *cache_get(
    const struct cache *c, const void *id, size_t len, int64_t now);
/* Keep a copy for half of its time.  Without memory it is not kept. */
void cache_put(struct cache *c, const struct ask_id *id,
    const struct ae_ocsp_single *s, const struct ae_wr *response, int64_t now);
/* That certificate has changed. */
void cache_drop(struct cache *c, const uint8_t *serial, size_t len);
void cache_clear(struct cache *c);

#endif
