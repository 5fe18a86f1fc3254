/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Allocation torture; see torture.h.  Wraps only calls made from objects
 * linked into the test program, not those inside shared libraries.
 */
#include "torture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
char *__real_strdup(const char *s);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
char *__wrap_strdup(const char *s);

/* The symbols exist only in programs linked with torture_wrap. */
#pragma weak __real_malloc
#pragma weak __real_calloc
#pragma weak __real_realloc
#pragma weak __real_strdup

static size_t count, fail_at;
static bool armed, failed;

static bool
fail_now(void)
{
	if (!armed || ++count != fail_at)
		return false;
	failed = true;
	return true;
}

void *
__wrap_malloc(size_t n)
{
	return fail_now() ? NULL : __real_malloc(n);
}

void *
__wrap_calloc(size_t n, size_t size)
{
	return fail_now() ? NULL : __real_calloc(n, size);
}

void *
__wrap_realloc(void *p, size_t n)
{
	return fail_now() ? NULL : __real_realloc(p, n);
}

char *
__wrap_strdup(const char *s)
{
	return fail_now() ? NULL : __real_strdup(s);
}

size_t
ae_torture(ae_torture_fn *fn, void *arg, size_t max, bool strict)
{
	bool ok;

	for (fail_at = 1; fail_at <= max; fail_at++) {
		count = 0;
		failed = false;
		armed = true;
		ok = fn(arg);
		armed = false;
		if (!failed && ok)
			return count;
		if (!failed) {
			(void)fprintf(stderr,
			    "torture: the work fails without a failed "
			    "allocation\n");
			abort();
		}
		if (ok && strict) {
			(void)fprintf(stderr,
			    "torture: success although allocation %zu "
			    "failed\n",
			    fail_at);
			abort();
		}
	}
	(void)fprintf(stderr, "torture: more than %zu allocations\n", max);
	abort();
}
