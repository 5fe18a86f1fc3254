/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * A verdict about a host's events as a report, and those of many hosts
 * counted by cause.
 */
#ifndef AE_DIAG_CSV_REPORT_H
#define AE_DIAG_CSV_REPORT_H

#include <jansson.h>

#include "base/wr.h"
#include "diag/csv_judge.h"

/*
 * New reference; NULL: out of memory.  damage says what could not be read,
 * NULL: nothing.
 */
json_t *ae_diag_csv_report(const struct ae_diag_verdict *v, const char *file,
    const char *host, const char *damage, enum ae_diag_lang lang);

/* The same for a person at a terminal; all: also what is past and harmless. */
void ae_diag_csv_text(struct ae_wr *w, const struct ae_diag_verdict *v,
    const char *file, const char *host, const char *damage,
    enum ae_diag_lang lang, bool all);

/* One line: host, category, cause. */
void ae_diag_csv_line(struct ae_wr *w, const struct ae_diag_verdict *v,
    const char *host, const char *damage, enum ae_diag_lang lang);

/* ---- many hosts ---- */

#define AE_DIAG_FLEET_CAUSES 256
#define AE_DIAG_FLEET_NAMES 8 /* of hosts that are named for a cause */

struct ae_diag_fleet;

struct ae_diag_fleet *ae_diag_fleet_new(void); /* NULL: out of memory */
void ae_diag_fleet_free(struct ae_diag_fleet *f);

/* v NULL: the file could not be read at all. */
void ae_diag_fleet_add(
    struct ae_diag_fleet *f, const struct ae_diag_verdict *v, const char *host);

/* Hosts by cause, the most frequent first. */
json_t *ae_diag_fleet_report(
    const struct ae_diag_fleet *f, enum ae_diag_lang lang);
void ae_diag_fleet_text(
    struct ae_wr *w, const struct ae_diag_fleet *f, enum ae_diag_lang lang);

#endif
