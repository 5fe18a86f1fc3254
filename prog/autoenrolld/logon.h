/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Whether a user's process belongs to a logon of that user, or was started
 * out of somebody else's by su, sudo or the like – what Windows calls RunAs.
 */
#ifndef AE_CLIENT_LOGON_H
#define AE_CLIENT_LOGON_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define LOGON_UNKNOWN ((uid_t)-1)

/* What can be seen of a process. */
struct logon {
	uid_t uid;		  /* whose process it is */
	const char *name;	  /* of that uid */
	uid_t logged_in;	  /* who logged in (audit); LOGON_UNKNOWN */
	const char *logged_in_as; /* that name, NULL: none known */
	const char *sudo_user;	  /* SUDO_USER, NULL: not by sudo */
	const char *principal;	  /* of the ticket, NULL: none */
};

/*
 * The check env.runas-no-gpo.  True: it is no logon of its own, and text
 * says what it is and what follows.  Pure.
 */
bool logon_is_runas(const struct logon *l, char *text, size_t len);

/*
 * Look at this process; principal may be NULL.  An object {"runas", "check",
 * "text"} for a report, NULL when it is a logon of its own.
 */
json_t *logon_json(const char *principal);

#endif
