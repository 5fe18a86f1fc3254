/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Collecting a caller's SIDs with where they came from.  For lib/gss itself.
 */
#ifndef AE_GSS_CALLER_INT_H
#define AE_GSS_CALLER_INT_H

#include "gss/caller.h"

struct ae_sid_from {
	struct ae_sid sid;
	uint8_t from;
};

/* Zeroed is empty. */
struct ae_sid_list {
	struct ae_sid_from *v;
	size_t n;
	size_t cap;
};

/* AE_ELIMIT over AE_CALLER_SIDS_MAX entries. */
int ae_sid_list_add(struct ae_sid_list *l, const struct ae_sid *sid,
    uint8_t from, struct ae_err *e) AE_MUST_CHECK;

/* Sort, merge equal ones, and put the result into c, replacing what it had. */
int ae_sid_list_take(
    struct ae_sid_list *l, struct ae_caller *c, struct ae_err *e) AE_MUST_CHECK;

void ae_sid_list_done(struct ae_sid_list *l);

#endif
