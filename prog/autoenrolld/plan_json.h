/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * A plan as JSON, with the reasons for every template: what the tools print.
 * It is long and most often nobody reads it, so it is text from the start.
 */
#ifndef AE_CLIENT_PLAN_JSON_H
#define AE_CLIENT_PLAN_JSON_H

#include "base/wr.h"
#include "enroll/plan.h"

/* {"enabled": …, "policy_reasons": […], "plan": […], "store_actions": […],
 *  "pending": […], "unpublish": […], "expiring": […]}, on one line */
void plan_put_json(struct ae_wr *w, const struct ae_plan *p);

#endif
