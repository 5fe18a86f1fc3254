/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Paths that somebody else could redirect are not used: a directory is
 * walked to component by component, without following links, and each must
 * belong to root or to ourselves and be writable by its owner alone.
 */
#ifndef AE_SYS_SAFE_H
#define AE_SYS_SAFE_H

#include "base/err.h"

/*
 * Open the directory of an absolute path.  AE_EDENIED with the component and
 * the reason when others could change where it leads: owned by somebody
 * else, a symbolic link, writable by group or others (for those on the way a
 * sticky bit is enough).  AE_ENOTFOUND.
 */
int ae_safe_dir(int *fd, const char *path, struct ae_err *e) AE_MUST_CHECK;

/*
 * The same for the directory that path is in; *name is the part of path
 * behind its last '/'.
 */
int ae_safe_parent(int *fd, const char **name, const char *path,
    struct ae_err *e) AE_MUST_CHECK;

enum ae_safe_kind {
	AE_SAFE_FILE,	 /* regular, read by us */
	AE_SAFE_PROGRAM, /* and executable */
};

/*
 * AE_OK when path is a regular file in such a directory, owned and writable
 * by root or ourselves alone.  For configuration and hooks.
 */
int ae_safe_check(
    const char *path, enum ae_safe_kind kind, struct ae_err *e) AE_MUST_CHECK;

#endif
