/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Doors: the plan that the policy process answers, and the inventory that it
 * is told: the one sees outside bytes, the other root's store.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "../../prog/autoenrolld/pulse_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

static void
plan(struct ae_arena *a, const uint8_t *p, size_t len)
{
	struct pulse_wire_plan plan;
	struct ae_rd r;
	size_t i;

	ae_rd_init(&r, p, len);
	if (pulse_wire_get_plan(&plan, a, &r, NULL) == AE_OK) {
		for (i = 0; i < plan.nstore; i++)
			if (plan.store[i].after != PULSE_NOW &&
			    plan.store[i].after >= plan.nitems)
				abort();
		for (i = 0; i < plan.nexpiring; i++)
			if (plan.expiring[i].unless != PULSE_NOW &&
			    plan.expiring[i].unless >= plan.nitems)
				abort();
	}
	pulse_wire_plan_done(&plan);
}

static void
stored(struct ae_arena *a, const uint8_t *p, size_t len)
{
	struct pulse_wire_stored s;
	struct ae_rd r;
	size_t i;

	ae_rd_init(&r, p, len);
	if (pulse_wire_get_stored(&s, a, &r, NULL) != AE_OK)
		return;
	for (i = 0; i < s.ncerts; i++)
		if (s.certs[i].tmpl == NULL || s.certs[i].pem == NULL)
			abort();
	for (i = 0; i < s.nrequests; i++)
		if (s.requests[i].template_cn == NULL)
			abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct ae_arena *a = ae_arena_new(8 * 1024 * 1024);

	if (a == NULL || len == 0)
		goto out;
	if (p[0] == 0)
		plan(a, p + 1, len - 1);
	else
		stored(a, p + 1, len - 1);
out:
	ae_arena_free(a);
	return 0;
}
