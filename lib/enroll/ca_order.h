/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * In which order several CAs are asked.
 */
#ifndef AE_ENROLL_CA_ORDER_H
#define AE_ENROLL_CA_ORDER_H

#include <stddef.h>
#include <stdint.h>

#include "ad/enrollment_service.h"
#include "base/sid.h"

/* How far a CA is from our site: the cost of the way there, 0 for a CA of our
 * own, or one of these. */
#define AE_CA_COST_UNKNOWN (UINT32_MAX - 1) /* nobody knows its site */
#define AE_CA_COST_NO_WAY UINT32_MAX	    /* no link leads there */

struct ae_ca_cost {
	const struct ae_enrollment_service *service;
	uint32_t cost;
	const char *site; /* the nearest of its sites; NULL: unknown */
};

/*
 * Sort n CAs: the nearest first, then those of which nothing is known, then
 * those no link leads to; all are kept, for a link that is missing in the
 * directory may be there in the world.  Among equals the order is fixed by
 * who we are: each principal keeps to its own, so that a request whose
 * answer was lost meets the same CA again, and all together spread over all.
 * A CA that is not among the costs counts as unknown.
 */
void ae_ca_order(const struct ae_enrollment_service **cas, size_t n,
    const struct ae_ca_cost *costs, size_t ncosts, const struct ae_sid *self);

#endif
