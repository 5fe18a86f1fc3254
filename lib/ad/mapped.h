/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The user or computer that a policy file's rules are about: found by SID or
 * by one of a few attributes, with those attributes the rules look at.
 */
#ifndef AE_AD_MAPPED_H
#define AE_AD_MAPPED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ad/ad.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/sid.h"

struct ae_ad_mapping {
	const struct ae_sid *sid; /* NULL: by attribute and value */
	const char *attribute;
	const char *value;
	bool computer;	  /* else a user that is no computer */
	const char *root; /* DN the search begins at; NULL: the domain */
	const char *const *attributes;
	size_t nattributes;
	bool spns;
};

struct ae_ad_mapped {
	unsigned found; /* 0, 1, or 2 for more; the rest is of the one */
	const char *dn;
	struct ae_sid sid;
	uint32_t account_control;
	/* of the attributes that are there, single-valued and text */
	const char **names, **values;
	size_t n;
	const char **spns;
	size_t nspns;
};

#define AE_AD_MAPPED_ATTRS_MAX 160 /* that can be asked for */

/*
 * One read.  None found is AE_OK.  AE_EDENIED: it is there, and whether it is
 * disabled cannot be read.
 */
int ae_ad_mapped(struct ae_ad_mapped *out, struct ae_ad *ad,
    const struct ae_ad_mapping *q, struct ae_arena *a,
    struct ae_err *e) AE_MUST_CHECK;

/* What an entry says; for tests, and the second half of the above. */
int ae_ad_mapped_decode(struct ae_ad_mapped *out, const struct ae_entry *entry,
    const struct ae_ad_mapping *q, struct ae_arena *a,
    struct ae_err *e) AE_MUST_CHECK;

/* The SID of the group with this DN.  AE_ENOTFOUND: there is none. */
int ae_ad_group_sid(struct ae_sid *out, struct ae_ad *ad, const char *dn,
    struct ae_err *e) AE_MUST_CHECK;

/*
 * What a group that an issuance policy makes one a member of should not be:
 * other than a universal security group, which alone domain controllers add;
 * or one with members, who then have what only the certificate should give.
 */
#define AE_AD_GROUP_NOT_UNIVERSAL 0x1u
#define AE_AD_GROUP_HAS_MEMBERS 0x2u
int ae_ad_group_flaws(unsigned *out, struct ae_ad *ad, const char *dn,
    struct ae_err *e) AE_MUST_CHECK;

#endif
