/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The sites of the forest, what the links between them cost, and which
 * subnet is in which site (MS-ADTS 6.1.1.2.2).  Costs are those that
 * IDL_DRSQuerySitesByCost answers, MS-DRSR 4.1.16.3, computed here from the
 * same objects.
 */
#ifndef AE_AD_SITES_H
#define AE_AD_SITES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ad/ad.h"
#include "base/err.h"

#define AE_AD_SITE_NONE SIZE_MAX
#define AE_AD_COST_NONE UINT32_MAX /* there is no way */

struct ae_ad_sites;

/*
 * Sites, site links and bridges; then, with subnets, those too.  Objects
 * that make no sense are passed over, as are links of another transport than
 * IP and values that lead nowhere.  The first is pure.
 */
int ae_ad_sites_decode(struct ae_ad_sites **out, const struct ae_entries *l,
    struct ae_err *e) AE_MUST_CHECK;
int ae_ad_sites_read(struct ae_ad_sites **out, struct ae_ad *ad, bool subnets,
    struct ae_err *e) AE_MUST_CHECK;
void ae_ad_sites_free(struct ae_ad_sites *s);

size_t ae_ad_sites_n(const struct ae_ad_sites *s);
const char *ae_ad_site_name(const struct ae_ad_sites *s, size_t site);
/* By its name, in any case of letters; AE_AD_SITE_NONE. */
size_t ae_ad_site_find(const struct ae_ad_sites *s, const char *name);

/* Of the narrowest subnet that an IPv4 (4) or IPv6 (16 bytes) address is in. */
size_t ae_ad_site_of_address(
    const struct ae_ad_sites *s, const uint8_t *address, size_t len);

/*
 * What it costs to get from a site to each: ae_ad_sites_n of them; 0 for the
 * site itself, AE_AD_COST_NONE where no link leads.
 */
int ae_ad_sites_costs(uint32_t *costs, const struct ae_ad_sites *s, size_t from,
    struct ae_err *e) AE_MUST_CHECK;

#endif
