/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Run another program to its end: no shell, a deadline, and only so much of
 * its output.  When the deadline passes, the program and all that it started
 * in its session are killed; when we are, the program is.
 */
#ifndef AE_SYS_EXEC_H
#define AE_SYS_EXEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/wr.h"

struct ae_exec {
	const char *path;	     /* NULL: this program */
	const char *const *argv;     /* ends with NULL */
	const char *const *keep_env; /* see sys/spawn.h */
	const char *const *env;
	int64_t timeout_ms;
	const int *input; /* borrowed, to read from; NULL: nothing */
	/*
	 * Initialised by the caller; what the program writes to standard
	 * output is appended up to its maximum, the rest is read and dropped.
	 * NULL: its output goes nowhere.
	 */
	struct ae_wr *output;
	/* Standard error: ours; or where the output goes; or nowhere. */
	bool with_stderr, drop_stderr;
};

/*
 * AE_OK when the program ran and ended by itself; *status is its exit code,
 * or 128 + the signal that ended it.  AE_ETIMEDOUT when it had to be killed,
 * AE_ENOTFOUND when there is no such program.  A process it leaves behind is
 * not waited for.
 */
int ae_exec_run(
    const struct ae_exec *x, int *status, struct ae_err *e) AE_MUST_CHECK;

#endif
