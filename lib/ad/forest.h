/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The domains of the forest, as the configuration knows them: which one a
 * SID or a name belongs to, for those who then ask a DC of that domain.
 */
#ifndef AE_AD_FOREST_H
#define AE_AD_FOREST_H

#include <stdbool.h>
#include <stddef.h>

#include "ad/ad.h"
#include "base/err.h"
#include "base/sid.h"

#define AE_AD_DOMAINS_MAX 64u

struct ae_ad_forest_domain {
	char dns[256];
	char netbios[64];
	bool has_sid;	   /* false: neither our own nor trusted directly */
	struct ae_sid sid; /* of the domain */
};

struct ae_ad_forest {
	size_t n;
	struct ae_ad_forest_domain v[AE_AD_DOMAINS_MAX];
};

/*
 * The crossRef objects of domains; SIDs from the domain of the connection
 * and the trusts it has.  AE_ELIMIT: more than AE_AD_DOMAINS_MAX.
 */
int ae_ad_forest(
    struct ae_ad_forest *out, struct ae_ad *ad, struct ae_err *e) AE_MUST_CHECK;

/*
 * The two halves of that, from entries: crossRefs, and trusts, of which those
 * with domains of other forests are passed over.  Pure.
 */
int ae_ad_forest_take_domains(struct ae_ad_forest *f,
    const struct ae_entries *l, struct ae_err *e) AE_MUST_CHECK;
void ae_ad_forest_take_trusts(
    struct ae_ad_forest *f, const struct ae_entries *l);

/* The domain a SID is of: all but its last part.  Pure; NULL: none. */
const struct ae_ad_forest_domain *ae_ad_forest_by_sid(
    const struct ae_ad_forest *f, const struct ae_sid *sid);
/* By NetBIOS name, which need not end in NUL.  Pure; NULL: none. */
const struct ae_ad_forest_domain *ae_ad_forest_by_netbios(
    const struct ae_ad_forest *f, const char *name, size_t len);
/* The domain a host is in by its DNS name, the nearest.  Pure; NULL: none. */
const struct ae_ad_forest_domain *ae_ad_forest_by_host(
    const struct ae_ad_forest *f, const char *host);

#endif
