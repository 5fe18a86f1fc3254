/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The order of CAs; see ca_order.h.
 */
#include "enroll/ca_order.h"

static uint32_t
cost_of(const struct ae_enrollment_service *s, const struct ae_ca_cost *costs,
    size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (costs[i].service == s)
			return costs[i].cost;
	return AE_CA_COST_UNKNOWN;
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
    const struct ae_ca_cost *costs, size_t ncosts, const struct ae_sid *self)
{
	const struct ae_enrollment_service *one;
	uint32_t a, b;
	size_t i, j;

	for (i = 1; i < n; i++) {
		one = cas[i];
		a = cost_of(one, costs, ncosts);
		for (j = i; j > 0; j--) {
			b = cost_of(cas[j - 1], costs, ncosts);
			if (b < a ||
			    (b == a &&
				rank(cas[j - 1], self) <= rank(one, self)))
				break;
			cas[j] = cas[j - 1];
		}
		cas[j] = one;
	}
}
