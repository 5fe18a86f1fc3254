/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Attestation challenges that are out: of which request, for whom, until
 * when, and the hash of the secret that answers.  Each can be taken once, by
 * whom it is for.
 */
#ifndef CERTSRVD_CHALLENGES_H
#define CERTSRVD_CHALLENGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/sid.h"

#define CHALLENGES_MAX 4096
#define CHALLENGES_PER_SID 8
#define CHALLENGE_MS (10 * 60 * 1000)
#define CHALLENGE_HASH 32

struct challenge {
	int64_t row; /* of the request; 0: a free place */
	struct ae_sid sid;
	uint8_t hash[CHALLENGE_HASH];
	int64_t deadline; /* monotonic ms */
};

/* Zeroed is empty. */
struct challenges {
	struct challenge v[CHALLENGES_MAX];
};

/*
 * One more.  Returns the row whose challenge had to go for it, the oldest of
 * that SID or of all; 0: there was a place.
 */
int64_t challenge_add(struct challenges *c, int64_t row,
    const struct ae_sid *sid, const uint8_t hash[CHALLENGE_HASH], int64_t now);

/* The hash, and it is over; false: none is out for that SID and row. */
bool challenge_take(struct challenges *c, int64_t row, const struct ae_sid *sid,
    uint8_t hash[CHALLENGE_HASH], int64_t now);

/* A row whose time is over, and it is forgotten; 0: none. */
int64_t challenge_expired(struct challenges *c, int64_t now);

#endif
