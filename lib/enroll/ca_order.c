/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The order of CAs; see ca_order.h.
 */
#include "enroll/ca_order.h"

#include <stdint.h>
#include <string.h>

#include "base/str.h"

enum nearness { OWN_SITE, ANY_SITE, OTHER_SITE };

static enum nearness
nearness(const struct ae_enrollment_service *s, const char *site)
{
	if (s->sites.n == 0)
		return ANY_SITE;
	return site != NULL && ae_strv_has_nocase(&s->sites, site) ? OWN_SITE
								   : OTHER_SITE;
}

/* FNV-1a, 64 bits: spreads, and needs to withstand nobody. */
static uint64_t
mix(uint64_t h, const char *s)
{
	for (; *s != '\0'; s++)
		h = (h ^ (uint8_t)*s) * UINT64_C(0x100000001b3);
	return h;
}

static uint64_t
rank(const struct ae_enrollment_service *s, const struct ae_sid *self)
{
	char sid[AE_SID_STR_MAX];
	uint64_t h = mix(UINT64_C(0xcbf29ce484222325), ae_sid_print(sid, self));

	h = mix(h, s->dns_host_name == NULL ? "" : s->dns_host_name);
	return mix(h, s->cn);
}

void
ae_ca_order(const struct ae_enrollment_service **cas, size_t n,
    const char *site, const struct ae_sid *self)
{
	const struct ae_enrollment_service *one;
	enum nearness a, b;
	size_t i, j;

	for (i = 1; i < n; i++) {
		one = cas[i];
		a = nearness(one, site);
		for (j = i; j > 0; j--) {
			b = nearness(cas[j - 1], site);
			if (b < a ||
			    (b == a &&
				rank(cas[j - 1], self) <= rank(one, self)))
				break;
			cas[j] = cas[j - 1];
		}
		cas[j] = one;
	}
}
