/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Allocation torture: run a piece of work again and again, failing its
 * first, second, third … allocation, until it gets through without one.
 * Link the test with torture_wrap.
 */
#ifndef AE_TEST_TORTURE_H
#define AE_TEST_TORTURE_H

#include <stdbool.h>
#include <stddef.h>

/* Returns true when the work succeeded. Must clean up after itself. */
typedef bool ae_torture_fn(void *arg);

/*
 * Runs fn with allocation 1, 2, 3 … failing.  Aborts the test when fn claims
 * success although an allocation it made failed and fn is not in a position
 * to do without (strict), or when more than max allocations were needed.
 * Returns the number of allocations the work makes.
 */
size_t ae_torture(ae_torture_fn *fn, void *arg, size_t max, bool strict);

#endif
