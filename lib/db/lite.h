/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * For those who work with SQLite's files themselves.
 */
#ifndef AE_DB_LITE_H
#define AE_DB_LITE_H

#include <sqlite3.h>

#include "db/db.h"

/*
 * SQLite's verdict as ours, in doing what.  *broken (which may be NULL) is
 * set when nothing may be done with the file any more.
 */
int ae_db_lite_fail(sqlite3 *h, int sqlite_rc, const char *what, bool *broken,
    struct ae_err *e) AE_MUST_CHECK;

#endif
