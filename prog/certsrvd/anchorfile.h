/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The anchor of the database as a file.
 */
#ifndef CERTSRVD_ANCHORFILE_H
#define CERTSRVD_ANCHORFILE_H

#include <sys/types.h>

#include "db/anchor.h"

/* AE_ENOTFOUND: there is none; AE_EPROTO: damaged. */
int anchorfile_read(
    struct ae_anchor *a, const char *path, struct ae_err *e) AE_MUST_CHECK;

/* Durably, whole or not at all; (uid_t)-1: owned as it comes. */
int anchorfile_write(const char *path, const struct ae_anchor *a, uid_t uid,
    gid_t gid, struct ae_err *e) AE_MUST_CHECK;

#endif
