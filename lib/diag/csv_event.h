/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * A row of the article's export as an event: whose it is, for whom, for
 * which template, with which code.  The export has no column for the source,
 * and its messages are in the host's language.
 */
#ifndef AE_DIAG_CSV_EVENT_H
#define AE_DIAG_CSV_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "diag/code.h"
#include "diag/csv_read.h"

#define AE_DIAG_EV_TIME_MAX 40
#define AE_DIAG_EV_TEMPLATE_MAX 65
#define AE_DIAG_EV_ACCOUNT_MAX 97
#define AE_DIAG_EV_HOST_MAX 65

enum ae_diag_ev_for {
	AE_DIAG_FOR_UNKNOWN,
	AE_DIAG_FOR_MACHINE,
	AE_DIAG_FOR_USER,
	AE_DIAG_FORS,
};

struct ae_diag_ev {
	size_t line;
	char time[AE_DIAG_EV_TIME_MAX]; /* as the file has it */
	struct ae_diag_event event;	/* source "AE", "CSC", "CE", … */
	unsigned level;			/* 2 error, 3 warning, 4 information;
					   0: not known */
	enum ae_diag_ev_for whose;
	char account[AE_DIAG_EV_ACCOUNT_MAX];	/* of a user; "" */
	char template[AE_DIAG_EV_TEMPLATE_MAX]; /* "" */
	char host[AE_DIAG_EV_HOST_MAX];		/* MachineName; "" */
	bool coded;
	uint32_t code;	     /* an HRESULT */
	const char *message; /* borrowed from the row */
};

/* Which column is which; SIZE_MAX: there is none. */
struct ae_diag_csv_columns {
	size_t time, id, level, message, provider, host;
};

/*
 * From the row with the names.  AE_EPROTO when it lacks Id or Message: it is
 * no such export.
 */
int ae_diag_csv_columns(struct ae_diag_csv_columns *out,
    const struct ae_diag_csv_row *row, struct ae_err *e) AE_MUST_CHECK;

/* False: the row has no event number. */
bool ae_diag_csv_event(struct ae_diag_ev *out,
    const struct ae_diag_csv_columns *cols, const struct ae_diag_csv_row *row);

/*
 * -1, 0 or 1: is the time a before b, whatever the order of day and month?
 * 0 when that cannot be told.
 */
int ae_diag_csv_time_cmp(const char *a, const char *b);

#endif
