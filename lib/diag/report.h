/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * A diagnosis as a report: findings with their words, consequences folded,
 * what is harmless and what is unknown, and a template × reason matrix.  One
 * JSON document; text and HTML are made from it.  report.c has its members.
 */
#ifndef AE_DIAG_REPORT_H
#define AE_DIAG_REPORT_H

#include <jansson.h>

#include "base/wr.h"
#include "diag/diag.h"
#include "diag/text.h"

/* New reference; NULL: out of memory. */
json_t *ae_diag_report(
    const struct ae_diag *d, const json_t *facts, enum ae_diag_lang lang);

/* For a person at a terminal; all adds the whole walk with its times. */
void ae_diag_report_text(
    struct ae_wr *w, const json_t *report, enum ae_diag_lang lang, bool all);

/*
 * The same as a page of its own, for several reports one below the other;
 * every text in it is escaped, and nothing is loaded from elsewhere.
 */
void ae_diag_report_html(
    struct ae_wr *w, const json_t *reports, enum ae_diag_lang lang);

#endif
