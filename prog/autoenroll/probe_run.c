/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Probes of runs: what came of the last one, and – with --live alone – one
 * request now, by the code of every run.  That leaves a row at the CA.
 *
 *   "last", "live": { "started", "finished", "results": [ as pulse.h has ],
 *           "deploy": [ as deploy.h has ] }
 *   "live" besides: { "template" }
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../autoenrolld/pulse.h"
#include "base/str.h"
#include "diag/checks.h"
#include "diag/facts.h"
#include "probe.h"
#include "sys/files.h"

#define LAST_MAX (16u << 20)

static void
put(struct probe *p, const json_t *report)
{
	static const char *const names[] = { "started", "finished", "results",
		"deploy" };
	json_t *one;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		one = json_object_get(report, names[i]);
		if (one != NULL)
			probe_set(p, names[i], json_incref(one));
	}
}

int
probe_last(struct probe *p, struct ae_err *e)
{
	char path[4096];
	uint8_t *text = NULL;
	json_t *j;
	size_t len;

	(void)snprintf(
	    path, sizeof(path), "%s/last-run.json", p->cli->c.run_dir);
	/* There may have been none since the host started. */
	if (ae_file_read(&text, &len, path, LAST_MAX, NULL) != AE_OK)
		return AE_OK;
	j = json_loadb((const char *)text, len, JSON_REJECT_DUPLICATES, NULL);
	free(text);
	if (j == NULL)
		return ae_fail(
		    e, AE_EPROTO, AE_DOM_NONE, 0, "%s is damaged", path);
	put(p, json_object_get(j, "report"));
	json_decref(j);
	return AE_OK;
}

/* What was asked for; else the first that is due; else the first of ours. */
static const char *
pick(const struct probe *p)
{
	const json_t *item;
	const char *ours = NULL;
	size_t i;

	if (p->only != NULL)
		return p->only;
	json_array_foreach(ae_fact(p->facts, "plan.plan"), i, item)
	{
		if (ae_fact_is(item, "action", "enroll") ||
		    ae_fact_is(item, "action", "renew"))
			return ae_fact_str(item, "template");
		if (ours == NULL && ae_diag_is_ours(p->facts, item))
			ours = ae_fact_str(item, "template");
	}
	return ours;
}

int
probe_live(struct probe *p, struct ae_err *e)
{
	struct pulse_options o = { .ca = p->ca };
	json_t *report = NULL;
	int rc;

	if (!p->live)
		return AE_OK;
	o.only = pick(p);
	if (o.only == NULL)
		return ae_fail(e, AE_ENOTFOUND, AE_DOM_NONE, 0,
		    "there is no template to make a request for");
	probe_set(p, "template", client_text(o.only));
	probe_doing(p, "request", o.only);
	rc = pulse_run(&p->cli->c, &o, &report, e);
	put(p, report);
	json_decref(report);
	return rc;
}
