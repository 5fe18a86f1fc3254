/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Starting a process: this program again in another role, or a helper.  The
 * child gets a clean environment and exactly the descriptors it is given.
 */
#ifndef AE_SYS_SPAWN_H
#define AE_SYS_SPAWN_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define AE_SPAWN_FDS_MAX 32
#define AE_SPAWN_FD_FIRST 3 /* fds[i] is descriptor AE_SPAWN_FD_FIRST + i */

struct ae_spawn {
	const char *path;	 /* NULL: this program, /proc/self/exe */
	const char *const *argv; /* ends with NULL */
	/*
	 * Names of environment variables the child keeps, ends with NULL;
	 * NULL: none.  PATH is always set to the system's directories.
	 */
	const char *const *keep_env;
	/* More variables, "NAME=value"; borrowed, ends with NULL; NULL: none.
	 */
	const char *const *env;
	/*
	 * Borrowed; arrive as AE_SPAWN_FD_FIRST.. in this order.  -1 leaves a
	 * hole.  0, 1, 2 of the child are /dev/null, /dev/null and our 2,
	 * unless std says otherwise.
	 */
	const int *fds;
	size_t nfds;
	const int *std;	  /* three borrowed descriptors for 0, 1, 2; -1: the
			     default of that one */
	bool session;	  /* a session, and process group, of its own */
	int death_signal; /* the child gets it when the parent dies; 0: none */
};

/*
 * Start it.  On success *pid is the child, to be watched with
 * ae_loop_child().  That the program could be executed is known on return.
 */
int ae_spawn(
    pid_t *pid, const struct ae_spawn *s, struct ae_err *e) AE_MUST_CHECK;

/*
 * What ps and top call this process: "<program>-<role>", of which the kernel
 * keeps 15 characters.  Without it a role is called "exe", as it was started.
 */
void ae_process_name(const char *program, const char *role);

#endif
