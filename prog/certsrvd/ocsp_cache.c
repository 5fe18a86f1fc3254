/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * OCSP responses, kept.
 */
#include "ocsp_cache.h"

#include <stdlib.h>
#include <string.h>

#define PLACES 8192u

struct cache {
	struct cached *place[PLACES];
};

struct cache *
cache_new(void)
{
	return calloc(1, sizeof(struct cache));
}

static void
cached_free(struct cached *c)
{
	if (c == NULL)
		return;
	free(c->response);
	free(c);
}

void
cache_clear(struct cache *c)
{
	size_t i;

	for (i = 0; i < PLACES; i++) {
		cached_free(c->place[i]);
		c->place[i] = NULL;
	}
}

void
cache_free(struct cache *c)
{
	if (c == NULL)
		return;
	cache_clear(c);
	free(c);
}

/* FNV-1a: serials that we issued are random, whoever asks. */
static size_t
place(const uint8_t *id, size_t len)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);
	size_t i;

	for (i = 0; i < len; i++)
		h = (h ^ id[i]) * UINT64_C(0x100000001b3);
	return (size_t)(h % PLACES);
}

const struct cached *
cache_get(const struct cache *c, const void *id, size_t len, int64_t now)
{
	const struct cached *e = c->place[place(id, len)];

	return e != NULL && now < e->until && e->id.len == len &&
		memcmp(e->id.der, id, len) == 0
	    ? e
	    : NULL;
}

void
cache_put(struct cache *c, const struct ask_id *id,
    const struct ae_ocsp_single *s, const struct ae_wr *response, int64_t now)
{
	struct cached **at = &c->place[place(id->der, id->len)];
	struct cached *e = calloc(1, sizeof(*e));

	if (e == NULL || (e->response = malloc(response->len)) == NULL) {
		free(e);
		return;
	}
	e->id = *id;
	e->status = s->status;
	e->until = now + (s->next_update - now) / 2;
	e->next_update = s->next_update;
	memcpy(e->response, response->p, response->len);
	e->response_len = response->len;
	cached_free(*at);
	*at = e;
}

void
cache_drop(struct cache *c, const uint8_t *serial, size_t len)
{
	size_t i;

	for (i = 0; i < PLACES; i++)
		if (c->place[i] != NULL && c->place[i]->id.serial_len == len &&
		    memcmp(c->place[i]->id.serial, serial, len) == 0) {
			cached_free(c->place[i]);
			c->place[i] = NULL;
		}
}
