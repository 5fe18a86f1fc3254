/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * A request that a CA denied, in this diagnosis (--live) or in the last run,
 * and which check that belongs to: by its code, and where one code stands for
 * several causes by what else was seen.  For lib/diag itself.
 */
#ifndef AE_DIAG_DENIAL_H
#define AE_DIAG_DENIAL_H

#include "diag/checks.h"

struct ae_diag_denial {
	const json_t *facts;
	const char *tmpl, *ca, *text, *when;
	uint32_t code;
	int64_t request_id; /* 0: none */
	bool live;
};

#define AE_DIAG_DENIALS_MAX 64u

/*
 * The denials that count: of templates of ours, and of the last run only
 * where nothing good came since.  How many are in v.
 */
size_t ae_diag_denials(
    struct ae_diag_denial v[AE_DIAG_DENIALS_MAX], const json_t *facts);

/* The id; NULL: no row knows it. */
const char *ae_diag_denial_cause(const struct ae_diag_denial *d);

/* What there is to say of it. */
json_t *ae_diag_denial_args(const struct ae_diag_denial *d);

/* A request was made now (--live), and no answer was seen to it. */
bool ae_diag_live_is_open(const json_t *facts);

/*
 * The judge of a row: each denial for its reason; unknown while an answer is
 * open.
 */
void ae_diag_judge_denial(struct ae_diag_walk *w);

/* Is a policy module at work there that is not the usual one? */
bool ae_diag_custom_policy(const json_t *facts, const char *config);

#endif
