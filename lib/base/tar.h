/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Headers of a tar archive, POSIX.1-1988 "ustar", of regular files alone; a
 * file of 8 GiB and more has its size in binary, as GNU tar and pax write and
 * read it.  One block at a time, no files.
 */
#ifndef AE_BASE_TAR_H
#define AE_BASE_TAR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define AE_TAR_BLOCK 512u
#define AE_TAR_NAME_MAX 256u /* with its NUL */

struct ae_tar_entry {
	char name[AE_TAR_NAME_MAX];
	unsigned mode;
	uint64_t size; /* bytes that follow, filled up to a whole block */
	int64_t time;
};

/* AE_EINVAL: the name does not fit, or a number. */
int ae_tar_put(uint8_t block[AE_TAR_BLOCK], const struct ae_tar_entry *t,
    struct ae_err *e) AE_MUST_CHECK;

/*
 * A header.  *end: it is none but a block of zeros, with which the archive
 * ends.  AE_EPROTO: something else than the header of a regular file.
 */
int ae_tar_get(struct ae_tar_entry *t, bool *end,
    const uint8_t block[AE_TAR_BLOCK], struct ae_err *e) AE_MUST_CHECK;

/* What fills the last block of so many bytes. */
static inline unsigned
ae_tar_fill(uint64_t size)
{
	return (unsigned)(-size & (AE_TAR_BLOCK - 1));
}

#endif
