/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Trees of files: what a backup is on disk.
 */
#ifndef CERTSRV_BACKUP_TREE_H
#define CERTSRV_BACKUP_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* A path in it: absolute, and without a step that leads elsewhere? */
bool backup_good_path(const char *path);

/* How many files there are; AE_ETRUST: something that is no file. */
int backup_tree_count(
    const char *dir, size_t *n, struct ae_err *e) AE_MUST_CHECK;

/* Write back all of it; then it may get its name. */
int backup_tree_sync(const char *dir, struct ae_err *e) AE_MUST_CHECK;

/* Write back that a file has this name. */
int backup_sync_name(const char *path, struct ae_err *e) AE_MUST_CHECK;

/* Gone with all that is in it, as far as that can be. */
void backup_tree_remove(const char *dir);

#endif
