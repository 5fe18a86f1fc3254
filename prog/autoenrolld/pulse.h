/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * One run of auto-enrollment: gather, plan, and carry the plan out.  The
 * orchestrator itself decides nothing and parses no outside byte; it asks
 * the roles (doc/privsep.md).
 */
#ifndef AE_CLIENT_PULSE_H
#define AE_CLIENT_PULSE_H

#include <jansson.h>
#include <stdbool.h>

#include "base/str.h"
#include "base/wr.h"
#include "client.h"

struct pulse_options {
	bool dry_run;	  /* stop after the plan; no event, nothing stored */
	bool refresh;	  /* read group policy again even if unchanged */
	const char *only; /* this template alone, by hand; NULL: a usual run */
	const char
	    *show;	/* plan for this template alone, as a usual run would */
	const char *ca; /* this CA ("host\\name"), NULL: as planned */
	const char
	    *subject; /* by hand: names for a supplies-subject template */
	struct ae_strv dns, upn;

	/* By hand, with only. */
	const char *friendly;  /* friendly name; NULL: as the old one's */
	const char *renew;     /* renew this one: "<template>/<number>" */
	bool reuse_key;	       /* and keep its key */
	const char *requester; /* on behalf of: "DOMAIN\\name" */
	const char *agent;     /* "<template>/<number>": signs too */
	const uint8_t *key;    /* for this key, a PEM or a URI; not yours */
	size_t key_len;
	bool keep;		/* make the request, ask nobody */
	struct ae_wr *keep_der; /* its bytes go here; or NULL */

	/* An answer that came by another way, for a request that is kept. */
	const uint8_t *install;
	size_t install_len;
};

/*
 * Run once.  *report (new reference, also on failure unless NULL) is
 *
 *   { "context": "machine", "started", "finished": times,
 *     "policy": {...}, "plan": [ {template, action, reasons...} ],
 *     "results": [ {template, outcome, ca, request_id, hresult, message,
 *                   thumbprint, serial, subject, not_after, path,
 *                   attempts: [...], stage, why: {rc, domain, code}} ],
 *     "revocation": {...}   as revocation_state.h has it
 *     "site", "nearness": [ {ca, site, cost} ]   where one of several is chosen
 *     "unpublished": [ thumbprint ] or "unpublish_error": text,
 *     "ldap_requests": how many the plan took }
 *
 * outcome is "issued", "pending", "denied", "failed", "abandoned" (given up
 * after MaxPendingRequestDays) or "made";
 * of a failure before a CA was asked, or after it had answered, stage is
 * "exchange" (no CA gave the certificate that a key is archived with),
 * "request" (none could be made) or "install", and why is its ae_err.  AE_OK
 * also when a request was denied or is pending: that is in results.  Runs
 * follow one another; one that only waited for another like it takes over its
 * report, with "joined": true.
 */
int pulse_run(struct client *c, const struct pulse_options *o, json_t **report,
    struct ae_err *e) AE_MUST_CHECK;

/*
 * The same for who passes the report on: the plan with its reasons, by far
 * the most of it, is left out of *report and is *plan, as the JSON text that
 * it came as; NULL when there is none.  pulse_report_text puts both together
 * again: free() what it returns; NULL: out of memory.
 */
int pulse_run_text(struct client *c, const struct pulse_options *o,
    json_t **report, char **plan, struct ae_err *e) AE_MUST_CHECK;
char *pulse_report_text(const json_t *report, const char *plan);

/*
 * Look which group policy applies now and in which version, without keys,
 * store or CA: {"policy_version": "…"}.
 */
int pulse_check(
    struct client *c, json_t **report, struct ae_err *e) AE_MUST_CHECK;

/*
 * Was this process started, however deep, by the run that goes on now?  A
 * hook that waited for another run would wait for itself.
 */
bool pulse_is_within_run(const struct client *c);
int pulse_fail_within(struct ae_err *e); /* says so: AE_EINVAL */

/* The code a failure on this side stands for in events and results. */
uint32_t pulse_code_of(const struct ae_err *e);

/* The exit code a report stands for: the gravest outcome in it. */
int pulse_exit_code(const json_t *report);

#endif
