/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What the probes of diagnose saw, as one JSON document: plain data that can
 * be kept, sent and judged somewhere else.  Each probe's file lists its
 * members. A fact is named by its path, "host.keytab.state".  One that is not
 * there was not seen: that is "unknown", never "no".
 *
 * Each probe leaves, beside its own member, how it went:
 *   "probes": { "dc": { "state": "done", "ms": 12.5 } }
 * with state "done", "failed", "late" (killed at its deadline) or "left out"
 * (what it needs was not there).  What is not done has "error", what was
 * said; "doing": { "what", "about" } and "seconds" when it was cut off; and
 * "lacks", the fact that it needs, when there is one.
 */
#ifndef AE_DIAG_FACTS_H
#define AE_DIAG_FACTS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define AE_FACT_PATH_MAX 128

/* Borrowed; NULL: not seen, or null. */
const json_t *ae_fact(const json_t *facts, const char *path);
/* NULL: not seen, or no string. */
const char *ae_fact_str(const json_t *facts, const char *path);
/* The same, "" in place of NULL. */
const char *ae_fact_text(const json_t *facts, const char *path);
/* False: not seen, or no integer. */
bool ae_fact_int(int64_t *out, const json_t *facts, const char *path);
/* Seen and true; seen and false. */
bool ae_fact_yes(const json_t *facts, const char *path);
bool ae_fact_no(const json_t *facts, const char *path);
/* Is it this string (exactly)? */
bool ae_fact_is(const json_t *facts, const char *path, const char *value);

/* Why a fact was not seen. */
struct ae_fact_why {
	/* The catalogue's sentence that says it: "late", "not-looked" … */
	const char *seen;
	const char *error; /* what was said, "" when nothing was */
	int64_t seconds;   /* "late": for how long it was waited */
	/* What was being done: a phrase "doing.<what>", and about what. */
	const char *what, *about;
};
/*
 * The fact <path>_because, or what became of the probe that is named before
 * the path's first dot, or of the one that it waited for.
 */
void ae_fact_why(
    struct ae_fact_why *out, const json_t *facts, const char *path);

#endif
