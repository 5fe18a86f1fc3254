/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Reading comma-separated values piece by piece, as PowerShell's Export-Csv
 * and its relatives write them: UTF-16 of either order or UTF-8, with a byte
 * order mark or without; fields in quotes with line breaks in them; comma,
 * semicolon or tab between fields.  Memory stays bounded whatever comes.
 */
#ifndef AE_DIAG_CSV_READ_H
#define AE_DIAG_CSV_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define AE_DIAG_CSV_FIELDS_MAX 64	 /* those after it are not kept */
#define AE_DIAG_CSV_KEEP_MAX 16384	 /* bytes of a field that are kept */
#define AE_DIAG_CSV_FIELD_MAX (1u << 20) /* longer: a quote is missing */

struct ae_diag_csv_row {
	size_t line; /* on which it begins, from 1 */
	size_t n;
	const char *field[AE_DIAG_CSV_FIELDS_MAX]; /* UTF-8 without NUL */
	bool cut; /* something was too long or too much to be kept */
};

/* A row; what it returns other than AE_OK ends the reading. */
typedef int ae_diag_csv_fn(
    void *arg, const struct ae_diag_csv_row *row, struct ae_err *e);

struct ae_diag_csv;

/* NULL: out of memory. */
struct ae_diag_csv *ae_diag_csv_new(ae_diag_csv_fn *fn, void *arg);
void ae_diag_csv_free(struct ae_diag_csv *c);

/*
 * The next bytes.  What is no character of its encoding is read as if it
 * were Latin 1.  AE_EPROTO names the line on which a quote was opened and
 * never closed.
 */
int ae_diag_csv_feed(struct ae_diag_csv *c, const void *p, size_t len,
    struct ae_err *e) AE_MUST_CHECK;

/* There are no more bytes: the last row, if its line break is missing. */
int ae_diag_csv_end(struct ae_diag_csv *c, struct ae_err *e) AE_MUST_CHECK;

#endif
