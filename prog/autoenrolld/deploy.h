/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What happens with certificates after they are in the store: deploy.conf,
 * hooks, and the system's trust.  Done in a process of its own, which has
 * the rights of the store's owner because hooks need them, and neither
 * network nor a byte that was not judged before.
 */
#ifndef AE_CLIENT_DEPLOY_H
#define AE_CLIENT_DEPLOY_H

#include <jansson.h>
#include <stdbool.h>

#include "client.h"
#include "deploy/deploy.h"
#include "deploy/trust.h"

/*
 * The run's one call, after whatever it did: bring targets, hooks and system
 * trust to what the store holds now.  Cheap when nothing is configured.  It
 * is given the run's report and adds
 *
 *   "deploy": [ {template, number, event, outcome,
 *                items: [ {what, path, outcome, text} ]} ]
 *   "system_trust": {method, dir, changed, items: [ {state, file, subject,
 *                text} ]}
 *   "deploy_errors": [ text ]   what failed as a whole
 *
 * A failure is in the report and the log; it never undoes an installation,
 * and the next run tries again.
 */
void deploy_run(const struct client *c, json_t *report);

/* Event 1007 for each key of a "deploy" that was written somewhere. */
void deploy_tell_exports(const struct client *c, const json_t *list);

/* Something in a report's deployment failed. */
bool deploy_failed(const json_t *report);

/* The process that deploy_run starts; prints those three as JSON. */
int deploy_role(const struct client *c);

/* The same in this process, for the command line. */
void deploy_settings(struct ae_deploy *d, const struct client *c);
int deploy_apply(const struct client *c, const char *only, bool dry_run,
    json_t **out, struct ae_err *e) AE_MUST_CHECK;

/*
 * The system's trust as by asks for it: AE_BY_NOBODY takes ours out.
 * AE_ENOTFOUND when the directory's roots were never read.
 */
int deploy_trust(const struct client *c, enum ae_manifest_by by, bool dry_run,
    json_t **out, struct ae_err *e) AE_MUST_CHECK;

#endif
