/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What the directory said about a requester, kept for at most a minute per
 * SID, so that a machine that asks for several certificates is looked up
 * once.  Only answers are kept, never failures or "there is no such object".
 */
#include "ca_cache.h"

#include <stdlib.h>
#include <string.h>

#define PLACES 4096u /* one entry each: a newer one takes the place */
#define BODY_MAX 4096u
#define DNS_MAX 256u

struct entry {
	struct ae_sid sid;
	int64_t requester_at; /* monotonic ms; 0: none */
	uint8_t *body;
	size_t len;
	int64_t dns_at;
	char dns[DNS_MAX];
	unsigned owners;
};

struct ca_cache {
	struct entry v[PLACES];
};

struct ca_cache *
ca_cache_new(void)
{
	return calloc(1, sizeof(struct ca_cache));
}

void
ca_cache_free(struct ca_cache *c)
{
	size_t i;

	if (c == NULL)
		return;
	for (i = 0; i < PLACES; i++)
		free(c->v[i].body);
	free(c);
}

static struct entry *
place(struct ca_cache *c, const struct ae_sid *sid)
{
	uint32_t h = 2166136261u;
	unsigned i;

	for (i = 0; i < sid->nsubs; i++)
		h = (h ^ sid->sub[i]) * 16777619u;
	return &c->v[(h ^ h >> 15) % PLACES];
}

/* The entry of this SID, emptied when it was another's. */
static struct entry *
claim(struct ca_cache *c, const struct ae_sid *sid)
{
	struct entry *e = place(c, sid);

	if (!ae_sid_equal(&e->sid, sid)) {
		e->sid = *sid;
		e->requester_at = 0;
		e->dns_at = 0;
	}
	return e;
}

static bool
is_fresh(int64_t at, int64_t now)
{
	return at != 0 && now >= at && now - at < CA_CACHE_MS;
}

const uint8_t *
ca_cache_requester(
    struct ca_cache *c, const struct ae_sid *sid, int64_t now, size_t *len)
{
	struct entry *e = place(c, sid);

	if (!ae_sid_equal(&e->sid, sid) || !is_fresh(e->requester_at, now))
		return NULL;
	*len = e->len;
	return e->body;
}

void
ca_cache_set_requester(struct ca_cache *c, const struct ae_sid *sid,
    const uint8_t *body, size_t len, int64_t now)
{
	struct entry *e = claim(c, sid);
	uint8_t *copy = len > BODY_MAX ? NULL : malloc(len == 0 ? 1 : len);
	uint8_t *old = e->body;

	e->body = copy;
	free(old);
	e->requester_at = copy != NULL ? now : 0;
	e->len = copy != NULL ? len : 0;
	if (copy != NULL)
		memcpy(copy, body, len);
}

bool
ca_cache_owners(struct ca_cache *c, const struct ae_sid *sid, const char *dns,
    int64_t now, unsigned *owners)
{
	struct entry *e = place(c, sid);

	if (!ae_sid_equal(&e->sid, sid) || !is_fresh(e->dns_at, now) ||
	    strcmp(e->dns, dns) != 0)
		return false;
	*owners = e->owners;
	return true;
}

void
ca_cache_set_owners(struct ca_cache *c, const struct ae_sid *sid,
    const char *dns, unsigned owners, int64_t now)
{
	struct entry *e = claim(c, sid);
	size_t len = strlen(dns);

	e->dns_at = 0;
	if (len >= sizeof(e->dns))
		return;
	memcpy(e->dns, dns, len + 1);
	e->owners = owners;
	e->dns_at = now;
}
