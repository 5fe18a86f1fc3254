/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * See accounts.h.
 */
#include "accounts.h"

#include <stdlib.h>
#include <string.h>

#include "base/breaks.h"

#define SETS 4096u
#define WAYS 4u
#define BUCKETS 4096u
#define MINUTE_MS 60000

/* FNV-1a over what tells SIDs apart. */
static uint32_t
hash_sid(const struct ae_sid *sid)
{
	char text[AE_SID_STR_MAX];
	uint32_t h = 2166136261u;
	const char *p;

	for (p = ae_sid_print(text, sid); *p != '\0'; p++)
		h = (h ^ (uint8_t)*p) * 16777619u;
	return h;
}

/* ---- requests ---- */

struct bucket {
	struct ae_sid sid;
	bool used;
	int64_t last;	/* ms */
	int64_t tokens; /* in 1/60000 of a request: one ms brings per_minute */
};

struct rate {
	unsigned per_minute;
	struct bucket set[SETS][WAYS];
};

struct rate *
rate_new(unsigned per_minute)
{
	struct rate *r = calloc(1, sizeof(*r));

	if (r != NULL)
		r->per_minute = per_minute;
	return r;
}

void
rate_free(struct rate *r)
{
	free(r);
}

static int64_t
full(const struct rate *r)
{
	return (int64_t)r->per_minute * MINUTE_MS;
}

static void
refill(const struct rate *r, struct bucket *b, int64_t now)
{
	int64_t ms = now - b->last;

	if (ms > MINUTE_MS)
		ms = MINUTE_MS;
	if (ms > 0)
		b->tokens += ms * r->per_minute;
	if (b->tokens > full(r))
		b->tokens = full(r);
	b->last = now;
}

/* The account's place; a new one takes that of who asked least. */
static struct bucket *
place(struct rate *r, const struct ae_sid *sid, int64_t now)
{
	struct bucket *v = r->set[hash_sid(sid) % SETS], *idle = NULL;
	size_t i;

	for (i = 0; i < WAYS; i++) {
		if (v[i].used && ae_sid_equal(&v[i].sid, sid))
			return &v[i];
		if (v[i].used)
			refill(r, &v[i], now);
		if (idle == NULL || !v[i].used ||
		    (idle->used && v[i].tokens > idle->tokens))
			idle = &v[i];
	}
	*idle = (struct bucket){
		.sid = *sid, .used = true, .last = now, .tokens = full(r)
	};
	return idle;
}

bool
rate_take(struct rate *r, const struct ae_sid *sid, int64_t now)
{
	struct bucket *b;

	if (r->per_minute == 0)
		return true;
	b = place(r, sid, now);
	refill(r, b, now);
	if (b->tokens < MINUTE_MS && !AE_BREAK(flood_rate))
		return false;
	b->tokens -= MINUTE_MS;
	return true;
}

/* ---- connections ---- */

struct holder {
	struct holder *next;
	struct ae_sid sid;
	unsigned n;
};

struct held {
	struct held *next;
	uint64_t name;
	struct holder *by;
};

struct holders {
	unsigned max;
	struct holder *who[BUCKETS];
	struct held *what[BUCKETS];
};

struct holders *
holders_new(unsigned max)
{
	struct holders *h = calloc(1, sizeof(*h));

	if (h != NULL)
		h->max = max;
	return h;
}

void
holders_free(struct holders *h)
{
	size_t i;

	for (i = 0; h != NULL && i < BUCKETS; i++) {
		while (h->what[i] != NULL)
			holders_remove(h, h->what[i]->name);
	}
	free(h);
}

static struct holder **
find_holder(struct holders *h, const struct ae_sid *sid)
{
	struct holder **at = &h->who[hash_sid(sid) % BUCKETS];

	while (*at != NULL && !ae_sid_equal(&(*at)->sid, sid))
		at = &(*at)->next;
	return at;
}

bool
holders_add(struct holders *h, uint64_t name, const struct ae_sid *sid)
{
	struct held **first = &h->what[name % BUCKETS], *one;
	struct holder **at;

	if (h->max == 0)
		return true;
	at = find_holder(h, sid);
	if (*at != NULL && (*at)->n >= h->max)
		return false;
	one = calloc(1, sizeof(*one));
	if (*at == NULL && one != NULL) {
		*at = calloc(1, sizeof(**at));
		if (*at != NULL)
			(*at)->sid = *sid;
	}
	if (one == NULL || *at == NULL) {
		free(one);
		return false;
	}
	*one = (struct held){ .next = *first, .name = name, .by = *at };
	*first = one;
	(*at)->n++;
	return true;
}

void
holders_remove(struct holders *h, uint64_t name)
{
	struct held **at = &h->what[name % BUCKETS], *gone;
	struct holder **who, *empty;

	while (*at != NULL && (*at)->name != name)
		at = &(*at)->next;
	gone = *at;
	if (gone == NULL)
		return;
	*at = gone->next;
	if (--gone->by->n == 0) {
		who = find_holder(h, &gone->by->sid);
		empty = *who;
		*who = empty->next;
		free(empty);
	}
	free(gone);
}
