/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Whom an enrollment agent may enroll for which template for, and, in the
 * same form, whose requests an officer may decide (MS-CSRA 2.2.1.11): a
 * security descriptor whose callback ACEs carry the others' SIDs and the
 * name of a template.  Read once, asked often.
 */
#ifndef AE_CA_RIGHTS_H
#define AE_CA_RIGHTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ad/sd.h"
#include "base/err.h"
#include "base/sid.h"

struct ae_template;

#define AE_CA_RIGHTS_TARGETS_MAX 1024 /* SIDs of one entry */
#define AE_CA_RIGHTS_MASK 0x00010000u /* of every ACE */

struct ae_ca_right {
	bool allow;
	struct ae_sid who;	      /* the agent or officer, or a group */
	const struct ae_sid *targets; /* users, computers, groups */
	size_t ntargets;
	const char *template; /* its cn or OID; NULL: every template */
};

/* Self-owned.  Read only. */
struct ae_ca_rights {
	struct ae_ca_right *v;
	size_t n;
	struct ae_arena *arena; /* not yours */
};

/*
 * AE_EPROTO: not such a descriptor.  An ACE of another kind, one that is
 * inherit-only and so counts for nothing, or one whose data does not decode
 * makes it so: nobody gets more rights because an entry was not understood.
 */
int ae_ca_rights_parse(struct ae_ca_rights **out, const void *p, size_t len,
    struct ae_err *e) AE_MUST_CHECK;
void ae_ca_rights_free(struct ae_ca_rights *r);

/* Append the descriptor of n entries, denials first. */
int ae_ca_rights_encode(struct ae_wr *w, const struct ae_ca_right *v, size_t n,
    struct ae_err *e) AE_MUST_CHECK;

/*
 * May the one with this token act for the one with these sorted SIDs (his
 * own and his groups') with that template?  The first entry that is about
 * all three decides; without one the answer is no.  *by is that entry.
 */
bool ae_ca_rights_allow(const struct ae_ca_rights *r,
    const struct ae_token *token, const struct ae_template *t,
    const struct ae_sid *sids, size_t n, const struct ae_ca_right **by);

#endif
