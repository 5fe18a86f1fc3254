/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The rows of each stage, and what their judges share.  For lib/diag itself.
 */
#ifndef AE_DIAG_CHECKS_H
#define AE_DIAG_CHECKS_H

#include "diag/diag.h"
#include "diag/facts.h"

/* What stands between us and the directory: "after" of all that reads it. */
#define AFTER_TICKET                                                    \
	"join.not-joined join.keytab-missing-principal join.account-* " \
	"join.secure-channel-broken time.skew dns.resolver-wrong "      \
	"dc.unreachable"
#define AFTER_DIRECTORY \
	AFTER_TICKET " auth.no-tgt ad.* env.readonly-state env.disk-full"

/* The port of our own CA; a fixed one, so that a firewall can name it. */
#define AE_DIAG_CA_PORT 49500

/* A stage's rows, in a file of their own each; they end with a NULL id. */
extern const struct ae_diag_check ae_diag_host[], ae_diag_session[],
    ae_diag_replica[], ae_diag_policy[], ae_diag_trigger[], ae_diag_existing[],
    ae_diag_directory[], ae_diag_template[], ae_diag_ca[], ae_diag_keys[],
    ae_diag_published[], ae_diag_trust[], ae_diag_way[], ae_diag_auth[],
    ae_diag_said[], ae_diag_web[], ae_diag_foretold[], ae_diag_request[],
    ae_diag_deny[], ae_diag_after[], ae_diag_install[], ae_diag_use[],
    ae_diag_foreign[], ae_diag_stores[], ae_diag_copies[], ae_diag_choice[];

/* ---- values for sentences ---- */

/* "0x28", as the directory's consoles show flags; returns buf. */
#define AE_DIAG_FLAGS_MAX 20
const char *ae_diag_flags(char buf[AE_DIAG_FLAGS_MAX], int64_t flags);

/*
 * A word or two that each language has its own for: [group.name] of
 * frame.txt, in which {about} is about (NULL: nothing); the name itself where
 * the catalogue has no such phrase.  New references, NULL: out of memory.
 */
#define AE_DIAG_KEY_MAX 64
json_t *ae_diag_phrase(const char *group, const char *name, const char *about);
/* "365 days", "20 hours", "5 minutes". */
json_t *ae_diag_span(int64_t seconds);
/* The strings of an array, or this member of its objects, "," between them;
 * those for which there is no room are left out. */
json_t *ae_diag_names(const json_t *list, const char *member);

/* Of an item's reason: what the directory has of its template and CA. */
json_t *ae_diag_reason_args(
    const json_t *facts, const json_t *item, const json_t *reason);

/* The values for the sentence that why names. */
json_t *ae_diag_why_args(const struct ae_fact_why *why);
/* Why this fact was not seen, as a finding or, mostly, as unknown. */
void ae_diag_say_why(struct ae_diag_walk *w, enum ae_diag_verdict verdict,
    json_t *args, const char *path);

/* No run takes so long, in seconds. */
#define AE_DIAG_RUN_LONG 1800

/* ---- templates, out of the plan ---- */

/*
 * Is this item of plan.plan about a certificate that the account should
 * have?  With --template, that one.  Otherwise what is set up to be
 * auto-enrolled by it; and when nothing is, what comes nearest to that.
 */
bool ae_diag_is_ours(const json_t *facts, const json_t *item);

/* The reason of an item with this check; NULL: none. */
const json_t *ae_diag_reason(const json_t *item, const char *check);
bool ae_diag_reason_is(
    const json_t *item, const char *check, const char *verdict);

/* It is for computers and this is a user, or the reverse. */
bool ae_diag_is_other_kind(const json_t *item);

/* The item of plan.plan about this template; NULL: none. */
const json_t *ae_diag_item_of(const json_t *facts, const char *cn);
/* The template of this name, as the directory has it; NULL: none. */
const json_t *ae_diag_template_of(const json_t *facts, const char *cn);

/* Of an item of the plan; ca may be NULL.  To be given to a finding. */
json_t *ae_diag_template_args(
    const json_t *facts, const json_t *item, const char *ca);

/*
 * A row whose check plan makes: a finding for each of our templates that it
 * speaks against, in plan's own words.
 */
void ae_diag_by_plan(struct ae_diag_walk *w);
/* The same where plan only warns. */
void ae_diag_by_warning(struct ae_diag_walk *w);
/* A reason of the run as a whole. */
void ae_diag_by_run(struct ae_diag_walk *w);

/* ---- CAs ---- */

/* Harmless yet: a CA that says it could not publish its newest list. */
void ae_diag_judge_publishing(struct ae_diag_walk *w);

/* The CA's element of "dcom" or "icpr", by its config; NULL: none. */
const json_t *ae_diag_way_to(
    const json_t *facts, const char *transport, const char *config);

/* The CA of "ad.cas" by its config; NULL: none. */
const json_t *ae_diag_ca_of(const json_t *facts, const char *config);
/* Does this list of names, as facts have it, have that one? */
bool ae_diag_lists(const json_t *names, const char *name);

/*
 * Does the account depend on this CA: one of its templates is there and at no
 * other CA that answers?
 */
bool ae_diag_needs_ca(const json_t *facts, const json_t *ca);

#endif
