/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * A backup in one file: the directory as a tar archive, which any tar reads.
 */
#ifndef CERTSRV_BACKUP_TAR_H
#define CERTSRV_BACKUP_TAR_H

#include <stdbool.h>

#include "backup_set.h"

/* Is that the name of one? */
bool backup_tar_named(const char *path);

/*
 * The backup at dir, with its manifest first, into a new file at path,
 * durably; on failure there is none.
 */
int backup_tar_write(const struct backup_set *s, const char *dir,
    const char *path, struct ae_err *e) AE_MUST_CHECK;

/*
 * A backup as a directory: path itself, or what the archive at path has, in a
 * directory of its own below TMPDIR (/var/tmp).  *dir is heap; *made: it goes
 * with backup_tree_remove.
 */
int backup_tar_open(
    char **dir, bool *made, const char *path, struct ae_err *e) AE_MUST_CHECK;

#endif
