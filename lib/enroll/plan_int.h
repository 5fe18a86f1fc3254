/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The walk over the templates, for the files that plan is made of: plan.c
 * has the order of the checks, plan_cert.c judges certificates,
 * plan_template.c, plan_ca.c and plan_have.c check one side each,
 * plan_store.c says what leaves the store, plan_pending.c what becomes of
 * requests under way.
 */
#ifndef AE_ENROLL_PLAN_INT_H
#define AE_ENROLL_PLAN_INT_H

#include "enroll/plan.h"

/*
 * What a certificate is worth for its template, best first.  Up to
 * CERT_MISMATCH the pair works for whoever uses it; it is never taken away
 * before there is another.
 */
enum cert_state {
	CERT_GOOD,
	CERT_DUE,	/* in its renewal window */
	CERT_REVISED,	/* of an older major version of the template */
	CERT_MISMATCH,	/* names that the directory does not give us */
	CERT_HOLD,	/* revoked for the time being */
	CERT_FUTURE,	/* not valid yet */
	CERT_UNTRUSTED, /* no chain to a trusted root any more */
	CERT_REVOKED,
	CERT_EXPIRED,
	CERT_NO_KEY,
};

struct cert_judged {
	enum cert_state state;
	bool due;	   /* also when the state is about something worse */
	bool wait;	   /* MISMATCH: it is too new to be replaced again */
	const char *check; /* "existing.renewal-due" and so on */
	uint16_t event;
	char text[256]; /* a clause about it: "it expired on …" */
};

struct walk {
	const struct ae_plan_input *in;
	struct ae_plan *plan;
	struct ae_arena *a;
	bool nomem;
	uint32_t may;	/* bits of AEPolicy in effect */
	bool clock_bad; /* our clock and the DC's disagree */
	bool *usable;	/* by template: can be had, or is there */

	/* the template at hand */
	struct ae_plan_item *item;
	bool quiet; /* only find out whether it fails: no reasons */
	bool failed;
	/* What the certificates call for, if nothing speaks against it. */
	enum ae_plan_action want;
	struct cert_judged judged; /* of item->have */
};

/*
 * A check adds its reasons and returns true to go on with the next one;
 * false ends the walk for this template because nothing after it would mean
 * anything.
 */
typedef bool check_fn(struct walk *w, const struct ae_template *t);

/* plan.c */
void plan_reason(struct walk *w, struct ae_reasons *rs, const char *check,
    enum ae_verdict verdict, uint16_t event, const char *fmt, ...)
    AE_PRINTF(6, 7);
/* A failure; with a good certificate there it is a warning instead. */
void plan_fail(struct walk *w, const char *check, uint16_t event,
    const char *fmt, ...) AE_PRINTF(4, 5);
/* What the reason that was given last is about (struct ae_reason). */
void plan_about(struct walk *w, struct ae_reasons *rs, const char *fmt, ...)
    AE_PRINTF(3, 4);
/* A copy in the plan's arena; NULL, and w->nomem, without room. */
const char *plan_text(struct walk *w, const char *fmt, ...) AE_PRINTF(2, 3);

#define PASS(w, check, ...) \
	plan_reason(w, &(w)->item->reasons, check, AE_PASS, 0, __VA_ARGS__)
#define WARN(w, check, ...) \
	plan_reason(w, &(w)->item->reasons, check, AE_WARN, 0, __VA_ARGS__)
#define FAIL(w, check, event, ...) plan_fail(w, check, event, __VA_ARGS__)
#define ABOUT(w, ...) plan_about(w, &(w)->item->reasons, __VA_ARGS__)

/* May this template be enrolled without being asked for? */
bool plan_is_auto(const struct walk *w, const struct ae_template *t);
/* The template's own item, or NULL. */
struct ae_plan_item *plan_item_of(
    const struct walk *w, const struct ae_template *t);

/* plan_cert.c */
bool plan_cert_is_of(const struct ae_inv_cert *c, const struct ae_template *t);
void plan_cert_judge(struct cert_judged *out, const struct walk *w,
    const struct ae_template *t, const struct ae_inv_cert *c);
bool plan_cert_works(enum cert_state s);
/* The best certificate of the template that is in use, judged, or NULL. */
const struct ae_inv_cert *plan_cert_best(
    struct cert_judged *out, const struct walk *w, const struct ae_template *t);
/* An own certificate that may sign for the template, or NULL. */
const struct ae_inv_cert *plan_cert_signer(
    const struct walk *w, const struct ae_template *t);
/* The template of a certificate, or NULL. */
const struct ae_template *plan_cert_template(
    const struct walk *w, const struct ae_inv_cert *c);

/* plan_template.c */
check_fn plan_check_not_ca, plan_check_context, plan_check_read,
    plan_check_enroll, plan_check_autoenroll_flag, plan_check_autoenroll,
    plan_check_versions, plan_check_superseded, plan_check_subject,
    plan_check_interaction, plan_check_ra_signature, plan_check_archival,
    plan_check_attestation, plan_check_key, plan_check_periods;
/* The template that supersedes t and can be had, or NULL. */
const struct ae_template *plan_superseder(
    const struct walk *w, const struct ae_template *t);

/* plan_ca.c */
check_fn plan_check_cas;

/* plan_have.c */
void plan_want(struct walk *w, const struct ae_template *t);
check_fn plan_check_existing, plan_check_published, plan_check_pending,
    plan_check_clock, plan_check_policy;

/* plan_store.c, plan_pending.c: after the items */
void plan_store(struct walk *w);
void plan_unpublish(struct walk *w);
void plan_expiring(struct walk *w);
void plan_pending(struct walk *w);
bool plan_request_is_of(
    const struct ae_inv_request *q, const struct ae_template *t);
bool plan_request_is_old(const struct walk *w, const struct ae_inv_request *q);
/* Its CA is among those of the directory, or not known yet. */
bool plan_request_has_ca(const struct walk *w, const struct ae_inv_request *q);

#endif
