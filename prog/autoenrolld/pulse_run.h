/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * One run, for the files that carry it out: pulse.c has the order of a
 * cycle, pulse_plan.c asks what to do, pulse_request.c takes one template to
 * issued, pending or denied, pulse_store.c takes old certificates out of
 * use, pulse_peers.c starts the processes that do all of it.
 */
#ifndef AE_CLIENT_PULSE_RUN_H
#define AE_CLIENT_PULSE_RUN_H

#include "ad/template.h"
#include "base/arena.h"
#include "base/sid.h"
#include "enroll/event.h"
#include "pulse.h"
#include "pulse_wire.h"
#include "role.h"

#define PULSE_PLAN_MS 60000
#define PULSE_KEY_MS 60000

struct run {
	struct client *c;
	const struct pulse_options *o;
	struct ae_arena *a;
	struct peer *policy, *key, *net;
	char fqdn[256];
	char principal[256];
	json_t *results;

	/* what the policy role answered */
	struct ae_sid sid;
	const uint8_t *anchors; /* two encoded lists, passed on unread */
	size_t anchors_len;
	struct pulse_wire_plan plan;
};

/* pulse.c: an event of this run's context; none in a dry run. */
void pulse_event(struct run *r, enum ae_event_source source, unsigned id,
    const char *const *more, size_t nmore);

#define EVENT(r, source, id, ...)                                        \
	pulse_event(r, source, id, (const char *const[]){ __VA_ARGS__ }, \
	    sizeof((const char *const[]){ __VA_ARGS__ }) /               \
		sizeof(const char *))

/* The failure of a process that does not keep to role.h. */
int pulse_nonsense(struct ae_err *e, const char *who);

/* The code a failure on this side stands for in events. */
uint32_t pulse_code_of(const struct ae_err *e);

/* pulse_peers.c: the ticket and the processes of the run. */
void pulse_guess_context(struct run *r);
int pulse_get_ticket(struct run *r, struct ae_err *e) AE_MUST_CHECK;
int pulse_start_policy(struct run *r, struct ae_err *e) AE_MUST_CHECK;
int pulse_start_key(struct run *r, struct ae_err *e) AE_MUST_CHECK;
/* Once; the second call finds it running. */
int pulse_start_net(struct run *r, struct ae_err *e) AE_MUST_CHECK;

/*
 * pulse_plan.c: gather and plan, write the directory's anchors to the
 * store.  Fills in the part of r that the policy role answers, and adds its
 * explanations to report.
 */
int pulse_plan(struct run *r, json_t *report, struct ae_err *e) AE_MUST_CHECK;

/* pulse_request.c: one template; what came of it goes to r->results. */
void pulse_request(struct run *r, const struct pulse_item *it);

/* pulse_store.c: what was superseded or replaced leaves the store. */
void pulse_archive(struct run *r);

#endif
