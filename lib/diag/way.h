/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Where the way to a CA ends, and which check that belongs to.  One code,
 * 0x800706ba, stands for most of it: the stage, how fast it ended, what the
 * KDC said and what else was seen on the way tell the causes apart.  For
 * lib/diag itself.
 */
#ifndef AE_DIAG_WAY_H
#define AE_DIAG_WAY_H

#include "diag/checks.h"

struct ae_diag_end {
	const json_t *facts, *ca, *way, *stage;
	const char *kind, *what, *rc, *domain;
	int64_t code; /* as the failure has it; -1: none */
	int64_t krb;  /* of a KDC or service; -1: none */
};

/* False: the way to this CA does not end (as far as was seen). */
bool ae_diag_end_read(struct ae_diag_end *x, const json_t *facts,
    const json_t *ca, const json_t *way);

/* The id of the cause; NULL: no row knows it. */
const char *ae_diag_end_cause(const struct ae_diag_end *x);

/* Does the CA answer, by DCOM or by plain RPC? */
bool ae_diag_answers(const json_t *facts, const char *config);

/*
 * The CA answers at privacy, and what is only signed it refuses by saying so:
 * as it should be.
 */
bool ae_diag_is_unsealed_refused(const json_t *facts, const char *config);

/* The judge of a row: each CA whose way by DCOM ends for its reason. */
void ae_diag_judge_way(struct ae_diag_walk *w);

/* The same for ends that belong to no row: unknown, with what was seen. */
void ae_diag_judge_rest(struct ae_diag_walk *w);

/* Say that the way ended so, as a finding or as harmless. */
void ae_diag_tell_end(struct ae_diag_walk *w, const struct ae_diag_end *x);

#endif
