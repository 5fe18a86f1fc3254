/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What codes, events, checks and messages mean, as autoenroll explain tells
 * it: a JSON document and the text that is made from it.
 */
#ifndef AE_DIAG_EXPLAIN_H
#define AE_DIAG_EXPLAIN_H

#include <jansson.h>

#include "base/wr.h"
#include "diag/text.h"

/*
 * {"known": bool, "items": [...], "nearest": [...]} for what somebody asks
 * about; an item is of "kind" "code", "event" or "check".  New reference,
 * NULL: out of memory.
 */
json_t *ae_diag_explain(const char *what, size_t len, enum ae_diag_lang lang);

/* For a person at a terminal. */
void ae_diag_explain_text(
    struct ae_wr *w, const json_t *explained, enum ae_diag_lang lang);

/* The command that shows more about a check: "autoenroll policy show -v". */
const char *ae_diag_command(const char *check_id);

#endif
