/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * One healthy world for the tests of plan: a workstation template that one
 * trusted CA offers, all rights granted to one group.  A second template and
 * certificates are there to be switched on.
 */
#ifndef AE_TEST_PLAN_WORLD_H
#define AE_TEST_PLAN_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "enroll/plan.h"

#define NOW 1795000000
#define DAY 86400
#define CERTS 8

struct world {
	struct ae_template t, t2;
	struct ae_enrollment_service ca;
	struct ae_plan_ca cas[1];
	const struct ae_template *templates[2];
	struct ae_inv_cert cert[CERTS];	  /* [0] is a good one */
	struct ae_inv_request request[2]; /* [0] is pending since yesterday */
	struct ae_inv_cert published;
	struct ae_plan_input in;
	struct ae_arena *a;
	struct ae_token *token;
	struct ae_sid sid;
	char *offers[2], *supersedes[1], *back[1], *dns[1], *upn[1], *usage[1];
};

struct ae_sid world_sid(const char *text);
/* Read, Enroll and Autoenroll for the group, as bits 1, 2 and 4 say. */
struct ae_sd *world_grants(unsigned what);
void world_set_rights(struct ae_template *t, unsigned what);

/* cmocka's */
int world_setup(void **state);
int world_teardown(void **state);
#define T(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)

/* The plan for the world as it stands. */
struct ae_plan *world_plan(struct world *w);
/* The first template's item in it. */
const struct ae_plan_item *world_item(struct world *w);
/* The item has a reason of this check; NULL in *r otherwise. */
bool world_has(const struct ae_plan_item *item, const char *check);
const struct ae_plan_store *world_leaves(
    const struct ae_plan *p, const struct ae_inv_cert *c);

#endif
