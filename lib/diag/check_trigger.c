/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What starts a run, and whether it did: all could be well by now, and still
 * nothing was requested since.
 */
#include <stdio.h>
#include <string.h>

#include "diag/checks.h"

static void
disabled(struct ae_diag_walk *w)
{
	if (ae_fact_no(ae_diag_facts(w), "host.starters.enabled"))
		ae_diag_fail(w, NULL, NULL,
		    "The task is switched off: runs start by hand only.");
}

/* Daemon, timer, cron line: one of them is enough. */
static void
missing(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w);

	if (ae_fact_no(facts, "host.starters.daemon") &&
	    json_array_size(ae_fact(facts, "host.starters.files")) == 0)
		ae_diag_fail(w, NULL, NULL,
		    "No autoenrolld answers, no unit of it is enabled, and no "
		    "cron file speaks of autoenroll.");
}

static void
stuck(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w);
	int64_t age = 0;

	if (ae_fact_is(facts, "host.run_lock.state", "held") &&
	    ae_fact_int(&age, facts, "host.run_lock.age") &&
	    age > AE_DIAG_RUN_LONG)
		ae_diag_fail(w, NULL,
		    json_pack("{s:s}", "date",
			ae_fact_text(facts, "host.run_lock.since")),
		    "The lock of runs is held since %s.",
		    ae_fact_text(facts, "host.run_lock.since"));
}

/* How the last run ended. */
static bool
ended_as(const json_t *facts, const char *a, const char *b, const char *c)
{
	const char *outcome = ae_fact_text(facts, "host.task.outcome");

	return strcmp(outcome, a) == 0 || (b != NULL && !strcmp(outcome, b)) ||
	    (c != NULL && !strcmp(outcome, c));
}

/*
 * A template of ours that a run would request or renew in this moment, with
 * nothing against it: why did none?
 */
static const json_t *
undone(const json_t *facts)
{
	const json_t *item;
	size_t i;

	json_array_foreach(ae_fact(facts, "plan.plan"), i, item)
	{
		if (ae_diag_is_ours(facts, item) &&
		    (ae_fact_is(item, "action", "enroll") ||
			ae_fact_is(item, "action", "renew")))
			return item;
	}
	return NULL;
}

static json_t *
run_args(const json_t *facts, const json_t *item)
{
	return json_pack("{s:s, s:s?, s:s?}", "template",
	    ae_fact_text(item, "template"), "date",
	    ae_fact_str(facts, "host.task.last_run"), "code",
	    ae_fact_str(facts, "host.task.result"));
}

static void
late(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w), *item = undone(facts);

	if (item != NULL && ended_as(facts, "deferred", NULL, NULL))
		ae_diag_fail(w, ae_fact_text(item, "template"),
		    run_args(facts, item),
		    "The last run, %s, found nobody (%s); now a domain "
		    "controller answers, and %s could be requested.",
		    ae_fact_text(facts, "host.task.last_run"),
		    ae_fact_text(facts, "host.task.error"),
		    ae_fact_text(item, "template"));
}

static void
aborted(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w), *item = undone(facts);

	if (item != NULL && ended_as(facts, "failed", "ended", "lost"))
		ae_diag_fail(w, ae_fact_text(item, "template"),
		    run_args(facts, item), "The last run, %s, failed: %s.",
		    ae_fact_text(facts, "host.task.last_run"),
		    ae_fact_str(facts, "host.task.error") != NULL
			? ae_fact_text(facts, "host.task.error")
			: ae_fact_text(facts, "host.task.result"));
}

/* When the template was changed; times are of one form and compare. */
static const char *
changed(const json_t *facts, const char *cn)
{
	const json_t *t;
	size_t i;

	json_array_foreach(ae_fact(facts, "ad.templates"), i, t)
	{
		if (ae_fact_is(t, "cn", cn))
			return ae_fact_text(t, "changed");
	}
	return "";
}

static void
never(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w), *item = undone(facts);
	const char *last = ae_fact_str(facts, "host.task.last_end"), *cn, *when;
	int64_t code = 0;

	if (item == NULL ||
	    ae_diag_failed(w, "trigger.vpn-late trigger.run-aborted", NULL))
		return;
	cn = ae_fact_text(item, "template");
	when = changed(facts, cn);
	(void)ae_fact_int(&code, facts, "host.task.exit");
	if (last != NULL && strcmp(last, when) > 0 &&
	    (code != 0 || ae_fact_str(item, "have") != NULL))
		return; /* that run had its own reasons */
	if (last != NULL && strcmp(last, when) > 0)
		ae_diag_fail(w, cn, run_args(facts, item),
		    "A run would enroll for %s now, and nothing stands against "
		    "it.  The last run ended well on %s, later than the "
		    "template's last change (%s): what it is for came after "
		    "it, "
		    "as when a certificate was removed, or a group or policy "
		    "changed.",
		    cn, last, when);
	else
		ae_diag_fail(w, cn, run_args(facts, item),
		    "A run would %s for %s now, and nothing stands against it; "
		    "the template was changed on %s, %s%s.",
		    ae_fact_is(item, "action", "renew") ? "renew" : "enroll",
		    cn, when,
		    last == NULL ? "and no run has ended yet"
				 : "after the end of the last run on ",
		    last == NULL ? "" : last);
}

/* clang-format off */
#define AFTER_ALL AFTER_DIRECTORY " env.* join.* dns.* policy.* template.* context.* existing.* key.* ca.* trust.* " \
	"net.* auth.* dcom.* rpc.* token.* deny.* pending.* install.* use.* renew.*"

const struct ae_diag_check ae_diag_trigger[] = {
	{ "trigger.task-disabled", "host.starters", NULL, disabled },
	{ "trigger.task-missing", "host.starters", NULL, missing },
	{ "trigger.task-stuck-running", "host.run_lock", NULL, stuck },
	{ "trigger.vpn-late", "plan.plan", AFTER_ALL " trigger.task-*", late },
	{ "trigger.run-aborted", "plan.plan", AFTER_ALL " trigger.task-*", aborted },
	{ "trigger.never-fired", "plan.plan",
	  AFTER_ALL " trigger.task-* trigger.vpn-late trigger.run-aborted", never },
	{ 0 },
};
/* clang-format on */
