/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * See challenges.h.
 */
#include <stdbool.h>
#include <string.h>

#include "base/breaks.h"
#include "challenges.h"

/* An empty place; or the oldest of that SID's when it has too many. */
static struct challenge *
place(struct challenges *all, const struct ae_sid *sid)
{
	struct challenge *c, *oldest = NULL, *his = NULL, *empty = NULL;
	size_t i, n = 0;

	for (i = 0; i < CHALLENGES_MAX; i++) {
		c = &all->v[i];
		if (c->row == 0) {
			empty = empty == NULL ? c : empty;
			continue;
		}
		if (oldest == NULL || c->deadline < oldest->deadline)
			oldest = c;
		if (!ae_sid_equal(&c->sid, sid))
			continue;
		n++;
		if (his == NULL || c->deadline < his->deadline)
			his = c;
	}
	if (n >= CHALLENGES_PER_SID)
		return his;
	return empty != NULL ? empty : oldest;
}

int64_t
challenge_add(struct challenges *all, int64_t row, const struct ae_sid *sid,
    const uint8_t hash[CHALLENGE_HASH], int64_t now)
{
	struct challenge *c = place(all, sid);
	int64_t gone = c->row;

	c->row = row;
	c->sid = *sid;
	memcpy(c->hash, hash, sizeof(c->hash));
	c->deadline = now + CHALLENGE_MS;
	return gone;
}

bool
challenge_take(struct challenges *all, int64_t row, const struct ae_sid *sid,
    uint8_t hash[CHALLENGE_HASH], int64_t now)
{
	struct challenge *c;
	size_t i;

	for (i = 0; row != 0 && i < CHALLENGES_MAX; i++) {
		c = &all->v[i];
		if (c->row != row ||
		    (!ae_sid_equal(&c->sid, sid) && !AE_BREAK(attest_caller)) ||
		    (now > c->deadline && !AE_BREAK(attest_expiry)))
			continue;
		memcpy(hash, c->hash, sizeof(c->hash));
		if (!AE_BREAK(attest_replay))
			memset(c, 0, sizeof(*c));
		return true;
	}
	return false;
}

int64_t
challenge_expired(struct challenges *all, int64_t now)
{
	struct challenge *c;
	int64_t row;
	size_t i;

	for (i = 0; i < CHALLENGES_MAX; i++) {
		c = &all->v[i];
		if (c->row == 0 || now <= c->deadline)
			continue;
		row = c->row;
		memset(c, 0, sizeof(*c));
		return row;
	}
	return 0;
}
