/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Security identifiers, MS-DTYP 2.4.2.
 */
#ifndef AE_BASE_SID_H
#define AE_BASE_SID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rd.h"
#include "base/wr.h"

#define AE_SID_SUBS_MAX 15
#define AE_SID_STR_MAX 192 /* "S-1-" + authority + 15 sub-authorities + NUL */
#define AE_SID_BIN_MAX (8 + 4 * AE_SID_SUBS_MAX)

/* Unused sub-authorities are zero, so equal SIDs are equal bytes. */
struct ae_sid {
	uint64_t authority; /* 48 bits */
	uint8_t nsubs;
	uint32_t sub[AE_SID_SUBS_MAX];
};

/*
 * The packet form, MS-DTYP 2.4.2.2.  Revision other than 1 or more than 15
 * sub-authorities makes the reader bad; trailing bytes are the caller's.
 */
struct ae_sid ae_sid_get(struct ae_rd *r);
void ae_sid_put(struct ae_wr *w, const struct ae_sid *s);

bool ae_sid_equal(const struct ae_sid *a, const struct ae_sid *b);

/* A total order for sorted sets: <0, 0, >0. */
int ae_sid_compare(const struct ae_sid *a, const struct ae_sid *b);

/* "S-1-5-21-..." */
const char *ae_sid_print(char out[AE_SID_STR_MAX], const struct ae_sid *s);

/* False when s is not a whole SID in S-1-… form; *out is then untouched. */
bool ae_sid_parse(struct ae_sid *out, const char *s);

/* *out = domain SID with one more sub-authority.  False when it is full. */
bool ae_sid_append(
    struct ae_sid *out, const struct ae_sid *domain, uint32_t rid);

/* Sorted set helpers over plain arrays, so that lookups are a search. */
void ae_sid_sort(struct ae_sid *v, size_t n);
bool ae_sid_in(const struct ae_sid *sorted, size_t n, const struct ae_sid *s);

#endif
