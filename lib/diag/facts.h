/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What the probes of diagnose saw, as one JSON document: plain data that can
 * be kept, sent and judged somewhere else.  Each probe's file lists its
 * members. A fact is named by its path, "host.keytab.state".  One that is not
 * there was not seen: that is "unknown", never "no".
 *
 * Each probe leaves, beside its own member, how it went:
 *   "probes": { "dc": { "state": "done", "ms": 12.5, "because": "…" } }
 * with state "done", "failed", "late" (killed at its deadline) or "left out"
 * (what it needs was not there), and because saying why it is not "done".
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

/* Why this was not seen: the fact <path>_because, or what became of the probe
 * that is named before the path's first dot; never NULL. */
const char *ae_fact_because(const json_t *facts, const char *path);

#endif
