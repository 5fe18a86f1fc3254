/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The groups of a ticket beside those of the directory.  A client decides by
 * the directory, a CA by the ticket; a group joined since the last logon
 * makes the one ask and the other refuse.
 */
#ifndef AE_GATHER_GROUPS_H
#define AE_GATHER_GROUPS_H

#include <stdbool.h>
#include <stddef.h>

#include "ad/ad.h"
#include "base/err.h"
#include "base/sid.h"

struct ae_group {
	struct ae_sid sid;
	char *name; /* NULL: the directory knows none */
	bool in_ticket, in_directory;
	/*
	 * A group of a domain, which belongs into both.  Others are one
	 * side's alone: BUILTIN groups are those of each computer, S-1-18-1
	 * and the like are the KDC's statements.
	 */
	bool comparable;
};

struct ae_groups {
	struct ae_group *v; /* by SID */
	size_t n;
};

/* "token.group-not-in-ticket", "token.group-removed-still-in-ticket", or
 * NULL: nothing to be said about it. */
const char *ae_group_check(const struct ae_group *g);

/* How many differ. */
size_t ae_groups_differ(const struct ae_groups *g);

/* Both lists may be in any order; self is left out. */
int ae_groups_merge(struct ae_groups *out, const struct ae_sid *ticket,
    size_t nticket, const struct ae_sid *directory, size_t ndirectory,
    const struct ae_sid *self, struct ae_err *e) AE_MUST_CHECK;

/* Look up the names; groups that cannot be read stay without one. */
int ae_groups_resolve(
    struct ae_groups *g, struct ae_ad *ad, struct ae_err *e) AE_MUST_CHECK;

void ae_groups_done(struct ae_groups *g);

#endif
