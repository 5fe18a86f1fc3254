/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Files that are either the old or the new one, never half: write to a
 * temporary name, fsync, rename, fsync the directory.  Symlinks switched the
 * same way.  Locks.  Paths below a movable root.  (Not named file.h: this
 * folder must not shadow <sys/file.h>.)
 */
#ifndef AE_SYS_FILES_H
#define AE_SYS_FILES_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/*
 * The whole file into fresh memory (free() it; one NUL follows, not counted).
 * AE_ENOTFOUND, AE_ELIMIT above max, AE_EIO; never a device or a FIFO.  Those
 * of /proc and /sys, too, which have a size only when they were read.
 */
int ae_file_read(uint8_t **out, size_t *len, const char *path, size_t max,
    struct ae_err *e) AE_MUST_CHECK;

/*
 * Replace path by these bytes with this mode, durably.  The temporary file
 * lives in the same directory, is created 0600 and is gone on failure.
 * A symlink at path is replaced, not followed.
 */
int ae_file_write(const char *path, const void *p, size_t len, mode_t mode,
    struct ae_err *e) AE_MUST_CHECK;

/*
 * The same, but only against whoever reads at that moment: after a power
 * loss it may be the old one, the new one, or damaged.  For what says
 * nothing to the next start of the machine, and for what can be had again.
 */
int ae_file_put(const char *path, const void *p, size_t len, mode_t mode,
    struct ae_err *e) AE_MUST_CHECK;

/* ae_file_write below a directory descriptor; name has no '/'. */
int ae_file_write_at(int dirfd, const char *name, const void *p, size_t len,
    mode_t mode, struct ae_err *e) AE_MUST_CHECK;

/* Like ae_file_write_at, owned by uid:gid ((uid_t)-1: as it comes). */
int ae_file_write_owned(int dirfd, const char *name, const void *p, size_t len,
    mode_t mode, uid_t uid, gid_t gid, struct ae_err *e) AE_MUST_CHECK;

/* Make name in dirfd a symlink to target in one step, durably. */
int ae_file_symlink_at(int dirfd, const char *name, const char *target,
    struct ae_err *e) AE_MUST_CHECK;

/* Write back a directory's entries. */
int ae_file_sync_dir(int dirfd, struct ae_err *e) AE_MUST_CHECK;

/* A directory, durably; AE_OK when there is one, whose mode stays. */
int ae_file_mkdir(
    const char *path, mode_t mode, struct ae_err *e) AE_MUST_CHECK;

/* The same with those above it. */
int ae_file_mkdirs(
    const char *path, mode_t mode, struct ae_err *e) AE_MUST_CHECK;
/* The same as ae_file_put is to ae_file_write: for what is below /run. */
int ae_file_put_dirs(
    const char *path, mode_t mode, struct ae_err *e) AE_MUST_CHECK;

/*
 * Open (creating it 0600) and lock path exclusively; the lock lasts until
 * *fd is closed.  With wait false, AE_EUNAVAIL when somebody holds it.
 */
int ae_file_lock(
    int *fd, const char *path, bool wait, struct ae_err *e) AE_MUST_CHECK;

/*
 * path below root: "/lab/ca1" and "/etc/certsrv" give "/lab/ca1/etc/certsrv".
 * root NULL or "" gives path.  Heap, free() it; NULL when out of memory.
 */
char *ae_path_root(const char *root, const char *path);

#endif
