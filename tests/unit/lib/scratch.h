/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * A directory of a test's own, and files in it.
 */
#ifndef AE_TEST_SCRATCH_H
#define AE_TEST_SCRATCH_H

#include <stdbool.h>

/* A new one, in memory where there is room for it; for cmocka's fixtures: 0,
 * or -1 when there is none. */
int scratch_make(char out[64]);

/* A directory with all that is in it; no link is followed.  0, or -1. */
int scratch_remove(const char *dir);

/* dir/rel with this text; the directories on the way are made.  Fails the
 * test when it cannot. */
void scratch_write(const char *dir, const char *rel, const char *text);

#endif
