/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What starts a run, and whether it did: all could be well by now, and still
 * nothing was requested since.
 */
#include <string.h>

#include "diag/checks.h"

static void
disabled(struct ae_diag_walk *w)
{
	if (ae_fact_no(ae_diag_facts(w), "host.starters.enabled"))
		ae_diag_say(w, AE_DIAG_FAIL, NULL, NULL, "");
}

/* Daemon, timer, cron line: one of them is enough. */
static void
missing(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w);

	if (ae_fact_no(facts, "host.starters.daemon") &&
	    json_array_size(ae_fact(facts, "host.starters.files")) == 0)
		ae_diag_say(w, AE_DIAG_FAIL, NULL, NULL, "");
}

static void
stuck(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w);
	int64_t age = 0;

	if (ae_fact_is(facts, "host.run_lock.state", "held") &&
	    ae_fact_int(&age, facts, "host.run_lock.age") &&
	    age > AE_DIAG_RUN_LONG)
		ae_diag_say(w, AE_DIAG_FAIL, NULL,
		    json_pack("{s:s}", "date",
			ae_fact_text(facts, "host.run_lock.since")),
		    "");
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
	const char *error = ae_fact_str(facts, "host.task.error");

	return json_pack("{s:s, s:s?, s:s?, s:s}", "template",
	    ae_fact_text(item, "template"), "date",
	    ae_fact_str(facts, "host.task.last_run"), "code",
	    ae_fact_str(facts, "host.task.result"), "error",
	    error != NULL ? error : ae_fact_text(facts, "host.task.result"));
}

/* The run at the start was too early, and nobody here tells of networks. */
static bool
is_untold(const json_t *facts)
{
	return ae_fact_is(facts, "host.task.trigger", "start") &&
	    json_is_array(ae_fact(facts, "host.starters.hooks")) &&
	    json_array_size(ae_fact(facts, "host.starters.hooks")) == 0;
}

static void
untold(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w), *item = undone(facts);

	if (item != NULL && is_untold(facts) &&
	    ended_as(facts, "deferred", NULL, NULL))
		ae_diag_say(w, AE_DIAG_FAIL, ae_fact_text(item, "template"),
		    run_args(facts, item), "");
}

static void
late(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w), *item = undone(facts);

	if (item != NULL && !is_untold(facts) &&
	    ended_as(facts, "deferred", NULL, NULL))
		ae_diag_say(w, AE_DIAG_FAIL, ae_fact_text(item, "template"),
		    run_args(facts, item), "");
}

static void
aborted(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w), *item = undone(facts);

	if (item != NULL && ended_as(facts, "failed", "ended", "lost"))
		ae_diag_say(w, AE_DIAG_FAIL, ae_fact_text(item, "template"),
		    run_args(facts, item), "");
}

static void
never(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w), *item = undone(facts);
	const char *last = ae_fact_str(facts, "host.task.last_end"), *cn, *when,
		   *seen;
	int64_t code = 0;
	json_t *args;
	bool renews;

	if (item == NULL ||
	    ae_diag_failed(w,
		"trigger.network-event-missed trigger.vpn-late "
		"trigger.run-aborted",
		NULL))
		return;
	cn = ae_fact_text(item, "template");
	/* Times are of one form and compare. */
	when = ae_fact_text(ae_diag_template_of(facts, cn), "changed");
	(void)ae_fact_int(&code, facts, "host.task.exit");
	if (last != NULL && strcmp(last, when) > 0 &&
	    (code != 0 || ae_fact_str(item, "have") != NULL))
		return; /* that run had its own reasons */
	args = run_args(facts, item);
	(void)json_object_set_new(args, "changed", json_string(when));
	(void)json_object_set_new(
	    args, "ended", json_string(last == NULL ? "" : last));
	renews = ae_fact_is(item, "action", "renew");
	if (last == NULL)
		seen = renews ? "never-renew" : "never-enroll";
	else if (strcmp(last, when) > 0)
		seen = "later";
	else
		seen = renews ? "since-renew" : "since-enroll";
	ae_diag_say(w, AE_DIAG_FAIL, cn, args, seen);
}

/* clang-format off */
#define AFTER_ALL AFTER_DIRECTORY " env.* join.* dns.* policy.* template.* context.* existing.* key.* ca.* trust.* " \
	"net.* auth.* dcom.* rpc.* token.* request.* deny.* pending.* install.* use.* renew.*"

const struct ae_diag_check ae_diag_trigger[] = {
	{ "trigger.task-disabled", "host.starters", NULL, disabled },
	{ "trigger.task-missing", "host.starters", NULL, missing },
	{ "trigger.task-stuck-running", "host.run_lock", NULL, stuck },
	{ "trigger.network-event-missed", "plan.plan", AFTER_ALL " trigger.task-*", untold },
	{ "trigger.vpn-late", "plan.plan", AFTER_ALL " trigger.task-*", late },
	{ "trigger.run-aborted", "plan.plan", AFTER_ALL " trigger.task-*", aborted },
	{ "trigger.never-fired", "plan.plan",
	  AFTER_ALL " trigger.task-* trigger.vpn-late trigger.run-aborted", never },
	{ 0 },
};
/* clang-format on */
