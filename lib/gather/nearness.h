/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * How far each CA is: the site it names (msPKI-Site-Name), or the one its
 * address is in, and what the links from our site to that one cost.
 */
#ifndef AE_GATHER_NEARNESS_H
#define AE_GATHER_NEARNESS_H

#include "ad/ad.h"
#include "ad/sites.h"
#include "base/arena.h"
#include "enroll/ca_order.h"

/* The site of a host by its address; AE_AD_SITE_NONE.  Asks DNS. */
typedef size_t ae_nearness_fn(
    void *arg, const struct ae_ad_sites *sites, const char *host);

/*
 * One cost a service.  own: our site, NULL when it is not known: then all are
 * unknown.  by_address is asked about those that name no site; NULL: nobody
 * is.  Names are copied to a.  Pure but for by_address.
 */
int ae_nearness_judge(struct ae_ca_cost *costs,
    struct ae_enrollment_service *const *services, size_t n,
    const struct ae_ad_sites *sites, const char *own,
    ae_nearness_fn *by_address, void *arg, struct ae_arena *a,
    struct ae_err *e) AE_MUST_CHECK;

/* The same from the directory and DNS. */
int ae_gather_nearness(struct ae_ca_cost *costs,
    struct ae_enrollment_service *const *services, size_t n, struct ae_ad *ad,
    const char *own, struct ae_arena *a, struct ae_err *e) AE_MUST_CHECK;

#endif
