/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * In which order several CAs are asked.
 */
#ifndef AE_ENROLL_CA_ORDER_H
#define AE_ENROLL_CA_ORDER_H

#include <stddef.h>

#include "ad/enrollment_service.h"
#include "base/sid.h"

/*
 * Sort n CAs: those of our own site first (msPKI-Site-Name), then those that
 * name none, then those of other sites.  Among equals the order is fixed by
 * who we are: each principal keeps to its own, so that a request whose
 * answer was lost meets the same CA again, and all together spread over all.
 * site NULL: ours is not known.
 */
void ae_ca_order(const struct ae_enrollment_service **cas, size_t n,
    const char *site, const struct ae_sid *self);

#endif
