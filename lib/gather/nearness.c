/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * How far each CA is; see nearness.h.
 */
#include "gather/nearness.h"

#include <stdlib.h>

#include "sys/address.h"

#define ADDRESSES_MAX 16

/* The nearest of the sites that a CA names. */
static size_t
nearest(const struct ae_enrollment_service *s, const struct ae_ad_sites *sites,
    const uint32_t *dist)
{
	size_t best = AE_AD_SITE_NONE, site, i;

	for (i = 0; i < s->sites.n; i++) {
		site = ae_ad_site_find(sites, s->sites.v[i]);
		if (site != AE_AD_SITE_NONE &&
		    (best == AE_AD_SITE_NONE || dist[site] < dist[best]))
			best = site;
	}
	return best;
}

static int
judge(struct ae_ca_cost *to, const struct ae_ad_sites *sites, size_t site,
    const uint32_t *dist, struct ae_arena *a, struct ae_err *e)
{
	if (site == AE_AD_SITE_NONE)
		return AE_OK;
	to->cost = dist[site] == AE_AD_COST_NONE ? AE_CA_COST_NO_WAY
	    : dist[site] >= AE_CA_COST_UNKNOWN	 ? AE_CA_COST_UNKNOWN - 1
						 : dist[site];
	to->site = ae_arena_strdup(a, ae_ad_site_name(sites, site));
	return to->site == NULL ? ae_fail_mem(e) : AE_OK;
}

int
ae_nearness_judge(struct ae_ca_cost *costs,
    struct ae_enrollment_service *const *services, size_t n,
    const struct ae_ad_sites *sites, const char *own,
    ae_nearness_fn *by_address, void *arg, struct ae_arena *a, struct ae_err *e)
{
	size_t here = ae_ad_site_find(sites, own), site, i;
	uint32_t *dist;
	int rc;

	for (i = 0; i < n; i++)
		costs[i] = (struct ae_ca_cost){ services[i], AE_CA_COST_UNKNOWN,
			NULL };
	if (here == AE_AD_SITE_NONE)
		return AE_OK;
	dist = calloc(ae_ad_sites_n(sites), sizeof(*dist));
	if (dist == NULL)
		return ae_fail_mem(e);
	rc = ae_ad_sites_costs(dist, sites, here, e);
	for (i = 0; rc == AE_OK && i < n; i++) {
		site = nearest(services[i], sites, dist);
		if (services[i]->sites.n == 0 && by_address != NULL &&
		    services[i]->dns_host_name != NULL)
			site =
			    by_address(arg, sites, services[i]->dns_host_name);
		rc = judge(&costs[i], sites, site, dist, a, e);
	}
	free(dist);
	return rc;
}

static size_t
by_address(void *arg, const struct ae_ad_sites *sites, const char *host)
{
	struct ae_address v[ADDRESSES_MAX];
	size_t n = ae_address_lookup(v, ADDRESSES_MAX, host), i;
	size_t site = AE_AD_SITE_NONE;

	(void)arg;
	for (i = 0; i < n && site == AE_AD_SITE_NONE; i++)
		site = ae_ad_site_of_address(sites, v[i].p, v[i].len);
	return site;
}

int
ae_gather_nearness(struct ae_ca_cost *costs,
    struct ae_enrollment_service *const *services, size_t n, struct ae_ad *ad,
    const char *own, struct ae_arena *a, struct ae_err *e)
{
	struct ae_ad_sites *sites = NULL;
	bool subnets = false;
	size_t i;
	int rc;

	for (i = 0; i < n; i++)
		subnets = subnets || services[i]->sites.n == 0;
	rc = ae_ad_sites_read(&sites, ad, subnets, e);
	if (rc == AE_OK)
		rc = ae_nearness_judge(
		    costs, services, n, sites, own, by_address, NULL, a, e);
	ae_ad_sites_free(sites);
	return rc;
}
