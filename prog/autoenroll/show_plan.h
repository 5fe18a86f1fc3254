/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * A plan for people to read: the reasons in it are those that decided.
 */
#ifndef AE_AUTOENROLL_SHOW_PLAN_H
#define AE_AUTOENROLL_SHOW_PLAN_H

#include <jansson.h>
#include <stdbool.h>

/* The plan of a report; with explain every reason of every template. */
void show_plan(const json_t *report, bool explain);

/*
 * Take what is for another kind of account out of a report: templates of
 * users for a computer and the reverse, those of CAs for both.
 */
void show_plan_own_kind(json_t *report);

#endif
