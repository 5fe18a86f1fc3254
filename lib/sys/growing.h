/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * A file that is written in parts and appears under its name as a whole, or
 * not at all: the long form of ae_file_write.
 */
#ifndef AE_SYS_GROWING_H
#define AE_SYS_GROWING_H

#include <sys/types.h>

#include <stddef.h>

#include "base/err.h"

struct ae_growing;

/* Leave the first bytes free for ae_growing_done; mode is the finished one's.
 */
int ae_growing_new(struct ae_growing **out, const char *dir, const char *name,
    mode_t mode, size_t reserve, struct ae_err *e) AE_MUST_CHECK;
int ae_growing_add(struct ae_growing *g, const void *p, size_t len,
    struct ae_err *e) AE_MUST_CHECK;
/*
 * The reserved bytes, exactly so many; then it is synced and takes its name,
 * in place of what had it.
 */
int ae_growing_done(struct ae_growing *g, const void *head, size_t len,
    struct ae_err *e) AE_MUST_CHECK;
/* Without ae_growing_done there was no file.  NULL is fine. */
void ae_growing_free(struct ae_growing *g);

#endif
