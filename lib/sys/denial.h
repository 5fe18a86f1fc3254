/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What SELinux or AppArmor refused, as the kernel says it: a line of the audit
 * log or of the kernel's own.  Names in it are whatever somebody called a
 * file.
 */
#ifndef AE_SYS_DENIAL_H
#define AE_SYS_DENIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ae_denial {
	int64_t when;	   /* seconds since the epoch; 0: not said */
	bool selinux;	   /* else AppArmor */
	bool only_told;	   /* it was let through (permissive, complain) */
	char process[64];  /* its name, at most 15 characters of it */
	char what[64];	   /* "write", "add_name"; "open" */
	char path[512];	   /* or the last part of it alone; "": not said */
	char profile[256]; /* AppArmor's, or the context of the process */
};

/* False: the line is about something else, or no line of theirs. */
bool ae_denial_parse(struct ae_denial *out, const char *line);

#endif
