/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * A log of lines in a file that stays bounded: when a line would make it
 * larger than its maximum, path is renamed to path.1, path.1 to path.2 and so
 * on, and the oldest goes.  A writer killed in mid-line leaves one damaged
 * line and never harms the next one; a full disk leaves what was there.
 *
 * Writers take turns by the lock path.lock, which only its owner can open, so
 * that a reader can stop nobody.  Readers need no lock: they may meet a
 * rotation and still see every line once.
 */
#ifndef AE_SYS_LINES_H
#define AE_SYS_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

#define AE_LINE_MAX (64u * 1024u)
#define AE_LINES_KEEP_MAX 99

struct ae_lines {
	const char *path;
	uint64_t max_size; /* of each file */
	unsigned keep;	   /* old files, 1 to AE_LINES_KEEP_MAX */
	mode_t mode;	   /* of a new file */
};

/*
 * Append one line, given without its newline and free of newlines and NULs.
 * AE_EINVAL when it is not such a line; on every failure the file holds no
 * part of it that a reader would take for a line.
 */
int ae_lines_append(const struct ae_lines *f, const char *line, size_t len,
    struct ae_err *e) AE_MUST_CHECK;

/* One line, NUL-terminated.  False: it is damaged and counts as such. */
typedef bool ae_lines_fn(void *arg, const char *line, size_t len);

struct ae_lines_reader;

/* At the oldest line.  f and what it points to are borrowed until _free. */
int ae_lines_open(struct ae_lines_reader **out, const struct ae_lines *f,
    struct ae_err *e) AE_MUST_CHECK;
void ae_lines_close(struct ae_lines_reader *r);

/*
 * Hand every whole line that was not handed yet to fn, oldest first.  Called
 * again later it goes on there, across rotations.  No file is no line.
 * AE_EIO when a file cannot be read.
 */
int ae_lines_next(struct ae_lines_reader *r, ae_lines_fn *fn, void *arg,
    struct ae_err *e) AE_MUST_CHECK;

/* Lines passed over so far: too long, with a NUL, or refused by fn. */
size_t ae_lines_damaged(const struct ae_lines_reader *r);

#endif
