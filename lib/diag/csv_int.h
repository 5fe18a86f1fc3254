/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What csv_judge.c collects and csv_verdict.c judges.
 */
#ifndef AE_DIAG_CSV_INT_H
#define AE_DIAG_CSV_INT_H

#include "diag/csv_judge.h"

#define ISSUED_MAX 64

enum ae_diag_role {
	ROLE_NOTHING, /* tells nothing about a fault */
	ROLE_START,
	ROLE_END,
	ROLE_ENGINE,
	ROLE_POLICY,
	ROLE_ISSUED,
	ROLE_NOISE,	/* these are findings, from here on */
	ROLE_DIRECTORY, /* the directory or its policy was not read */
	ROLE_FINDING,
};

enum ae_diag_role ae_diag_role(const struct ae_diag_ev *ev);

/* From the first to the last row, by their number. */
struct span {
	bool any;
	size_t min, max;
};

struct run {
	enum ae_diag_role mark; /* what it began with; ROLE_NOTHING: unknown */
	bool engine, policy, issued, finding;
};

struct runs {
	size_t n, quiet, off;
	/* the first and the last of the file */
	struct ae_diag_ev quiet_ev[2], off_ev[2];
};

struct collected {
	struct ae_diag_found f;
	struct ae_diag_ev first, last; /* in the order of the file */
	struct span span;
};

struct ae_diag_judge {
	bool named;
	struct ae_diag_csv_columns cols;
	size_t at; /* number of the row */
	size_t ascending, descending;
	struct run run[AE_DIAG_FORS];
	struct runs runs[2]; /* oldest first, newest first */
	struct span policy[AE_DIAG_FORS];
	struct span beyond[AE_DIAG_FORS]; /* a template was looked at */
	struct span issued_any[AE_DIAG_FORS];
	struct {
		enum ae_diag_ev_for whose;
		char template[AE_DIAG_EV_TEMPLATE_MAX];
		struct span span;
	} issued[ISSUED_MAX];
	size_t nissued;
	struct collected found[AE_DIAG_FOUND_MAX + 2]; /* and two symptoms */
	size_t nfound;
	struct ae_diag_verdict v;
};

#endif
