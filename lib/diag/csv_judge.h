/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What the events of one host say: taken one by one, in whichever order the
 * file has them, into a bounded number of findings; then judged together.
 * What succeeded later is past; what may have several causes is said to.
 */
#ifndef AE_DIAG_CSV_JUDGE_H
#define AE_DIAG_CSV_JUDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "diag/csv_event.h"

#define AE_DIAG_FOUND_MAX 128  /* different happenings of one file */
#define AE_DIAG_FOUND_CHECKS 8 /* causes that one may have */
#define AE_DIAG_FOUND_TEXT 240 /* bytes of the message that are shown */

enum ae_diag_state {
	AE_DIAG_OPEN,	  /* nothing later says that it is over */
	AE_DIAG_HARMLESS, /* worth knowing, not the cause */
	AE_DIAG_PAST,	  /* it worked later */
};

/* Rows that tell of the same: event, code, account, template. */
struct ae_diag_found {
	struct ae_diag_ev ev; /* of the newest; message is not to be used */
	char text[AE_DIAG_FOUND_TEXT];
	size_t count;
	size_t newest_line, oldest_line;
	char oldest[AE_DIAG_EV_TIME_MAX];
	enum ae_diag_state state;
	char category;	 /* "N", "T", … */
	const char *key; /* the check's id when one alone is possible, else
			    the code, event or symptom: AE_DIAG_KEY_MAX */
	char key_buf[AE_DIAG_KEY_MAX];
	const struct ae_diag_text *checks[AE_DIAG_FOUND_CHECKS];
	size_t nchecks;
	bool by_event; /* they are the event's, not the code's */
};

/* What is known about a host when all rows are in. */
struct ae_diag_verdict {
	size_t rows, bad_rows, cut_rows, dropped;
	size_t runs, quiet_runs, issued;
	bool newest_first;
	char host[AE_DIAG_EV_HOST_MAX];
	char first[AE_DIAG_EV_TIME_MAX], last[AE_DIAG_EV_TIME_MAX];
	char category; /* 'N' …; 'O' healthy, '?' nothing can be said */
	const struct ae_diag_found *root; /* NULL: nothing is wrong */
	const char *key;		  /* of root; "" */
	/* In the order of the walk: open ones, root first, then others. */
	const struct ae_diag_found *found[AE_DIAG_FOUND_MAX + 2];
	size_t nfound;
};

struct ae_diag_judge;

struct ae_diag_judge *ae_diag_judge_new(void); /* NULL: out of memory */
void ae_diag_judge_free(struct ae_diag_judge *j);

/* An ae_diag_csv_fn whose arg is the judge: names first, then events. */
int ae_diag_judge_row(
    void *arg, const struct ae_diag_csv_row *row, struct ae_err *e);

/* The judgement of what came; borrowed from j. */
const struct ae_diag_verdict *ae_diag_judge_end(struct ae_diag_judge *j);

#endif
