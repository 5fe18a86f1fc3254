/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Defences that can be taken away, to see whether their tests notice.  Only
 * in what is compiled with -DAE_MUTATIONS (meson -Dmutations=true, and a few
 * test programs of each build): there the environment's AE_MUTATION names
 * the one that is missing.  Everywhere else AE_BREAK is false and leaves
 * nothing behind.  tests/mutations.list has them all, with the tests that
 * must fail; ./campaign mutations tries each.
 */
#ifndef AE_BASE_BREAKS_H
#define AE_BASE_BREAKS_H

#include <stdbool.h>

#ifdef AE_MUTATIONS
#include <stdlib.h>
#include <string.h>

static inline bool
ae_break(const char *name)
{
	const char *chosen = getenv("AE_MUTATION");

	return chosen != NULL && strcmp(chosen, name) == 0;
}

#define AE_BREAK(name) ae_break(#name)
#else
#define AE_BREAK(name) false
#endif

#endif
