/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * A plan as JSON: what --dry-run, --explain and the reports print.
 */
#ifndef AE_CLIENT_PLAN_JSON_H
#define AE_CLIENT_PLAN_JSON_H

#include <jansson.h>

#include "enroll/plan.h"

/*
 * { "enabled", "policy_reasons": [...], "plan": [ {template, display_name,
 * action, reasons: [ {check, verdict, text} ], cas, key, replaces} ] }.
 * New reference; NULL when out of memory.
 */
json_t *plan_to_json(const struct ae_plan *p);

#endif
