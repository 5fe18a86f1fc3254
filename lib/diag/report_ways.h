/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The part of a report that judges nothing: the way to each CA with its
 * stages, and what the whole of it cost.
 */
#ifndef AE_DIAG_REPORT_WAYS_H
#define AE_DIAG_REPORT_WAYS_H

#include <jansson.h>

#include "base/wr.h"
#include "diag/text.h"

/*
 * A list, by CA: { "ca", "way": "dcom" | "integrity" | "icpr", "result":
 * "answered" | "refused" (as it should be) | "ended", "ms", "stages" }, and
 * of the first "said", what the CA said of itself.  New.
 */
json_t *ae_diag_ways(const json_t *facts);

/*
 * { "ms", "ldap", "rpc", "probes": { name: { "ldap", "rpc" } } }: the round
 * trips that the probes told ("asked" of their facts).  New.
 */
json_t *ae_diag_measured(const json_t *facts);

/* Both as they are in the report r, for a terminal. */
void ae_diag_put_ways(struct ae_wr *w, const json_t *r, enum ae_diag_lang lang);

#endif
