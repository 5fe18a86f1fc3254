/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What the processes of a run tell each other about the plan: key says what
 * the store holds, policy answers with what to do, the run carries it out.
 * Both directions of each are here, so that they cannot drift apart.
 */
#ifndef AE_CLIENT_PULSE_WIRE_H
#define AE_CLIENT_PULSE_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ad/template.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/rd.h"
#include "base/wr.h"
#include "enroll/plan.h"
#include "gather/stored.h"

#define PULSE_ITEMS_MAX 512
#define PULSE_CAS_MAX 32
#define PULSE_CERTS_MAX 4096
#define PULSE_NOW SIZE_MAX /* of no item */

struct pulse_ca {
	const char *host, *cn;
};

/* What to request: an item of the plan that is ENROLL or RENEW. */
struct pulse_item {
	struct ae_template *tmpl;
	enum ae_plan_action action;
	bool same_key;	    /* RENEW: for the key of have */
	const char *have;   /* "<template>/<number>" in the store, or NULL */
	const char *signer; /* likewise: who signs besides, or NULL */
	const char *resume; /* likewise in request: send it again, or NULL */
	uint32_t alg, bits;
	struct pulse_ca cas[PULSE_CAS_MAX];
	size_t ncas;
};

struct pulse_store_action {
	const char *name; /* "<template>/<number>" */
	enum ae_plan_store_what what;
	const char *check, *text;
	size_t after; /* index into items, or PULSE_NOW */
};

struct pulse_pending {
	const char *name; /* "<template>/<number>" in request */
	enum ae_plan_pending_what what;
	const char *check, *text;
	struct ae_template *tmpl; /* NULL: not in the directory any more */
};

struct pulse_unpublish {
	const char *tmpl; /* its name, or what the certificate says of it */
	const char *thumbprint, *subject;
	int64_t not_after;
};

struct pulse_expiring {
	const char *name, *thumbprint, *text;
	const char *subject; /* the first name in it; "" without one */
	int64_t not_after;
	size_t unless; /* index into items, or PULSE_NOW */
};

/* A plan as the run has it; templates are owned, the rest is in an arena. */
struct pulse_wire_plan {
	bool enabled;
	struct pulse_item *items;
	size_t nitems;
	struct pulse_store_action *store;
	size_t nstore;
	struct pulse_pending *pending;
	size_t npending;
	struct pulse_unpublish *unpublish;
	size_t nunpublish;
	struct pulse_expiring *expiring;
	size_t nexpiring;
};

/* Items that request nothing are left out: their reasons are in the JSON. */
void pulse_wire_put_plan(struct ae_wr *w, const struct ae_plan *p);

/* AE_EPROTO, AE_ELIMIT, AE_ENOMEM; in any case *out is to be done with. */
int pulse_wire_get_plan(struct pulse_wire_plan *out, struct ae_arena *a,
    struct ae_rd *in, struct ae_err *e) AE_MUST_CHECK;
void pulse_wire_plan_done(struct pulse_wire_plan *p);

/* The store's content: certificates and requests under way. */
void pulse_wire_put_stored(struct ae_wr *w, const struct ae_stored *s);
void pulse_wire_put_request(struct ae_wr *w, const struct ae_inv_request *q);

/* A list of either: its length, then each by the two above. */
struct pulse_wire_stored {
	struct ae_stored *certs;
	size_t ncerts;
	struct ae_inv_request *requests;
	size_t nrequests;
};
int pulse_wire_get_stored(struct pulse_wire_stored *out, struct ae_arena *a,
    struct ae_rd *in, struct ae_err *e) AE_MUST_CHECK;

#endif
