/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The settings that outlive a run: those of the last time a domain
 * controller answered, and the local layers, which are read anew each time.
 */
#ifndef AE_CLIENT_POLICY_STATE_H
#define AE_CLIENT_POLICY_STATE_H

#include <jansson.h>

#include "base/arena.h"
#include "client.h"
#include "policy/settings.h"

/*
 * The last good policy of a file (c->policy_last, c->machine_policy_last).
 * AE_ENOTFOUND: none; one that does not decode is none.
 */
int policy_state_read(struct ae_policy_last *out, const char *path,
    struct ae_err *e) AE_MUST_CHECK;

/*
 * Keep an encoded ae_policy_last.  The same settings are written again only
 * when the kept ones are older than ten minutes.
 */
int policy_state_keep(const struct client *c, const uint8_t *p, size_t len,
    struct ae_err *e) AE_MUST_CHECK;

/* policy.conf of the machine, over the user's own where there is one. */
int policy_state_override(struct ae_settings *s, const struct client *c,
    struct ae_err *e) AE_MUST_CHECK;

/*
 * The last good policy as "policy" of a report, with its age and why there
 * is nothing newer; NULL: there is none.
 */
json_t *policy_state_json(const struct client *c, const char *why);

#endif
