/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Asking polkit whether somebody may.  The process that asks is root's and
 * waits; who cannot wait starts one for it.
 */
#ifndef AE_SYS_POLKIT_H
#define AE_SYS_POLKIT_H

#include <sys/types.h>

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* A process as polkit names it: its pid alone might be another's soon. */
struct ae_polkit_subject {
	pid_t pid;
	uint64_t start; /* field 22 of /proc/PID/stat */
	uid_t uid;
};

/* Who is at the other end of a connected Unix socket. */
int ae_polkit_peer(
    struct ae_polkit_subject *out, int fd, struct ae_err *e) AE_MUST_CHECK;

/*
 * The start time in a line of /proc/PID/stat.  The name of the program, the
 * second field, is its owner's choice and may look like the rest.
 */
bool ae_polkit_start_time(uint64_t *out, const char *stat);

/*
 * AE_OK: it may.  AE_EDENIED: it may not, or the person asked did not prove
 * who he is.  AE_EUNAVAIL: there is no polkit, or no system bus.
 */
int ae_polkit_check(const char *action, const struct ae_polkit_subject *s,
    struct ae_err *e) AE_MUST_CHECK;

#endif
