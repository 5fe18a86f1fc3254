/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Comma-separated values as PowerShell's Export-Csv -NoTypeInformation
 * writes them: every field in quotes, quotes doubled, rows end with CR LF.
 */
#ifndef AE_BASE_CSV_H
#define AE_BASE_CSV_H

#include <stdbool.h>
#include <stddef.h>

#include "base/wr.h"

enum ae_csv_encoding {
	AE_CSV_UTF16, /* little endian, after a byte order mark: "Unicode" */
	AE_CSV_UTF8,  /* without a mark */
};

/* The beginning of a file: the byte order mark or nothing. */
void ae_csv_begin(struct ae_wr *w, enum ae_csv_encoding enc);

/*
 * One row of UTF-8 strings; NULL is an empty field.  False, and nothing
 * appended, when one is not valid UTF-8.
 */
bool ae_csv_row(struct ae_wr *w, enum ae_csv_encoding enc,
    const char *const *fields, size_t n);

#endif
