/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The plan of a run that would begin now, with its reasons: the same that
 * pulse --dry-run prints.
 *
 *   "plan": as pulse.h has a report, with "policy" and "plan" in it
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../autoenrolld/pulse.h"
#include "diag/facts.h"
#include "probe.h"

static void
on_progress(void *arg, const char *stage)
{
	probe_doing(arg, "plan", stage);
}

int
probe_plan(struct probe *p, struct ae_err *e)
{
	struct pulse_options o = { .dry_run = true, .show = p->only };
	struct client *c = &p->cli->c;
	json_t *report = NULL, *value;
	const char *key;
	char dir[4096];
	int rc;

	/* A run that goes on now is not waited for. */
	(void)snprintf(dir, sizeof(dir), "%s/run", p->dir);
	rc = client_move_run(c, dir, e);
	if (rc != AE_OK)
		return rc;
	c->progress = on_progress;
	c->progress_arg = p;
	rc = pulse_run(c, &o, &report, e);
	probe_asked(p, "ldap",
	    (unsigned)json_integer_value(
		json_object_get(report, "ldap_requests")));
	json_object_foreach(report, key, value)
	{
		probe_set(p, key, json_incref(value));
	}
	json_decref(report);
	return rc;
}
