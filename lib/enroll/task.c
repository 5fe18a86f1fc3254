/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The task's step function; see task.h.
 */
#include "enroll/task.h"

#include <stdio.h>
#include <string.h>

#include "enroll/schedule.h"

#define E_FAIL 0x80004005u
#define MS 1000
#define QUIET (3600 * MS)	 /* a run this recent is good for the network */
#define RESTART_QUIET (600 * MS) /* and this recent for a daemon's restart */
#define WINDOW (600 * MS)	 /* AE_TASK_RECENT repeats at most in it */
#define RETRY_FIRST 30
#define RETRY_MOST 3600
#define BUSY_LEAST 60	/* who is told to wait waits */
#define SETTLE (2 * MS) /* interfaces come up in flocks */
#define NETWORK_SPREAD_MOST 60
#define GRACE (5 * MS) /* between asking a run to end and making it */

/* clang-format off */
static const char *const triggers[] = {
	[AE_TRIGGER_NONE] = "none",
	[AE_TRIGGER_START] = "start",
	[AE_TRIGGER_LOGON] = "logon",
	[AE_TRIGGER_SCHEDULE] = "schedule",
	[AE_TRIGGER_POLICY] = "policy",
	[AE_TRIGGER_NETWORK] = "network",
	[AE_TRIGGER_RETRY] = "retry",
	[AE_TRIGGER_MANUAL] = "manual",
	[AE_TRIGGER_DUE] = "due",
};
static const char *const outcomes[] = {
	[AE_OUTCOME_NONE] = "none",
	[AE_OUTCOME_DONE] = "done",
	[AE_OUTCOME_DEFERRED] = "deferred",
	[AE_OUTCOME_FAILED] = "failed",
	[AE_OUTCOME_ENDED] = "ended",
	[AE_OUTCOME_LOST] = "lost",
};
static const char *const states[] = {
	[AE_TASK_READY] = "Ready",
	[AE_TASK_RUNNING] = "Running",
	[AE_TASK_QUEUED] = "Queued",
	[AE_TASK_DISABLED] = "Disabled",
};
/* clang-format on */

#define COUNT(v) (sizeof(v) / sizeof((v)[0]))

const char *
ae_trigger_name(enum ae_trigger t)
{
	return (size_t)t < COUNT(triggers) ? triggers[t] : "none";
}

enum ae_trigger
ae_trigger_parse(const char *name)
{
	size_t i;

	for (i = 1; name != NULL && i < COUNT(triggers); i++)
		if (strcmp(name, triggers[i]) == 0)
			return (enum ae_trigger)i;
	return AE_TRIGGER_NONE;
}

const char *
ae_outcome_name(enum ae_outcome o)
{
	return (size_t)o < COUNT(outcomes) ? outcomes[o] : "none";
}

enum ae_outcome
ae_outcome_parse(const char *name)
{
	size_t i;

	for (i = 1; name != NULL && i < COUNT(outcomes); i++)
		if (strcmp(name, outcomes[i]) == 0)
			return (enum ae_outcome)i;
	return AE_OUTCOME_NONE;
}

const char *
ae_task_state_name(enum ae_task_state s)
{
	return (size_t)s < COUNT(states) ? states[s] : "Ready";
}

void
ae_task_new_boot(struct ae_task_past *past)
{
	past->start_up = past->end_up = past->checked_up = 0;
	past->at = past->check_at = 0;
	memset(past->recent, 0, sizeof(past->recent));
}

/* The earliest moment for one more repeat by ourselves. */
static int64_t
permitted(const struct ae_task *t, int64_t at)
{
	int64_t oldest = t->past.recent[AE_TASK_RECENT - 1];

	return oldest > 0 && at < oldest + WINDOW ? oldest + WINDOW : at;
}

static void
note_repeat(struct ae_task *t, int64_t up)
{
	memmove(t->past.recent + 1, t->past.recent,
	    (AE_TASK_RECENT - 1) * sizeof(t->past.recent[0]));
	t->past.recent[0] = up > 0 ? up : 1;
}

static void
set_at(struct ae_task *t, int64_t at, enum ae_trigger why)
{
	t->past.at = at;
	t->past.at_trigger = why;
}

/* An interval after the last run began, at this machine's own moment. */
static void
plan_interval(struct ae_task *t, const struct ae_task_now *now)
{
	int64_t begun = t->past.start_up, at, day;

	if (begun <= 0 || begun > now->up)
		begun = now->up;
	at = begun + t->conf.interval * MS;
	day = ae_day(now->wall + (at - now->up) / MS);
	set_at(t, at + ae_spread(t->id, day, t->conf.spread) * MS,
	    AE_TRIGGER_SCHEDULE);
}

/* What was deferred comes earlier; r is NULL when nothing more is known. */
static void
plan_retry(struct ae_task *t, const struct ae_task_result *r,
    const struct ae_task_now *now)
{
	int64_t wait, at, most = RETRY_MOST;

	if (t->past.retries == 0)
		return;
	/* A CA that is gone for good must not keep the directory busy. */
	if (r != NULL && r->no_ca && t->conf.interval > most)
		most = t->conf.interval;
	wait = ae_backoff(t->past.retries, RETRY_FIRST, most, now->random);
	if (r != NULL && r->busy)
		wait += BUSY_LEAST;
	at = permitted(t, now->up + wait * MS);
	if (at < t->past.at)
		set_at(t, at, AE_TRIGGER_RETRY);
}

/* MS-GPOL 3.2.1.17: 90 minutes and up to a third of it more, by chance. */
static void
plan_check(struct ae_task *t, const struct ae_task_now *now)
{
	int64_t base = t->past.checked_up, more = t->conf.policy_interval / 3;

	if (t->conf.policy_interval <= 0) {
		t->past.check_at = AE_TASK_NEVER;
		return;
	}
	if (base <= 0 || base > now->up)
		base = now->up;
	more = (int64_t)(now->random % (uint64_t)(more + 1));
	t->past.check_at = base + (t->conf.policy_interval + more) * MS;
}

/* A moment that was planned before: not further away than any could be. */
static bool
plausible(const struct ae_task *t, int64_t at, const struct ae_task_now *now)
{
	int64_t most = t->conf.interval + t->conf.spread + RETRY_MOST;

	if (most < 2 * t->conf.policy_interval)
		most = 2 * t->conf.policy_interval;
	return at > 0 && at <= now->up + most * MS;
}

static void
resume(struct ae_task *t, const struct ae_task_now *now)
{
	struct ae_task_past *p = &t->past;
	size_t i;

	if (p->start_up > now->up) /* not of this clock */
		ae_task_new_boot(p);
	for (i = 0; i < AE_TASK_RECENT; i++)
		if (p->recent[i] < 0 || p->recent[i] > now->up)
			p->recent[i] = 0;
	if (p->open) { /* whoever ran it died */
		p->open = false;
		p->outcome = AE_OUTCOME_LOST;
		p->end = now->wall;
		p->result = E_FAIL;
		p->exit = 1;
		(void)snprintf(p->error, sizeof(p->error),
		    "the run ended without a report");
	}
	if (!plausible(t, p->check_at, now))
		plan_check(t, now);
	if (!plausible(t, p->at, now)) {
		plan_interval(t, now);
		plan_retry(t, NULL, now);
	}
}

void
ae_task_begin(
    struct ae_task *t, bool new_session, const struct ae_task_now *now)
{
	int64_t at = now->up;

	resume(t, now);
	if (!new_session && t->past.runs > 0 && t->past.start_up > 0 &&
	    (!t->conf.keeps_running ||
		now->up - t->past.start_up < RESTART_QUIET))
		return;
	if (!t->conf.user) {
		/* All machines of a site start when power is back. */
		at = ae_spread(t->id, ae_day(now->wall), t->conf.start_spread) *
		    MS;
		if (at < now->up)
			at = now->up;
	}
	set_at(t, at, t->conf.user ? AE_TRIGGER_LOGON : AE_TRIGGER_START);
}

static int64_t
network_delay(const struct ae_task *t, const struct ae_task_now *now)
{
	int64_t window = t->conf.spread;

	if (!t->conf.keeps_running)
		return 0;
	if (window > NETWORK_SPREAD_MOST)
		window = NETWORK_SPREAD_MOST;
	return SETTLE + ae_spread(t->id, ae_day(now->wall), window) * MS;
}

static enum ae_task_answer
ask_network(struct ae_task *t, const struct ae_task_now *now)
{
	int64_t at;

	if (t->running != AE_TRIGGER_NONE) {
		t->network_again = true; /* counts if the run is deferred */
		return AE_TASK_JOINS;
	}
	if (t->past.retries == 0 && t->past.outcome == AE_OUTCOME_DONE &&
	    t->past.end_up > 0 && now->up - t->past.end_up < QUIET)
		return AE_TASK_NOT_NEEDED;
	at = permitted(t, now->up + network_delay(t, now));
	if (at < t->past.at)
		set_at(t, at, AE_TRIGGER_NETWORK);
	return t->past.at > now->up ? AE_TASK_LATER : AE_TASK_STARTS;
}

static enum ae_task_answer
ask_policy(struct ae_task *t, const struct ae_task_now *now)
{
	if (t->checking)
		return AE_TASK_JOINS;
	if (t->running != AE_TRIGGER_NONE) {
		t->check_again = true;
		return AE_TASK_FOLLOWS;
	}
	t->past.check_at = now->up;
	return AE_TASK_STARTS;
}

enum ae_task_answer
ae_task_ask(struct ae_task *t, enum ae_trigger trigger, bool refresh,
    const struct ae_task_now *now)
{
	if (!t->enabled)
		return AE_TASK_IS_DISABLED;
	if (trigger == AE_TRIGGER_DUE)
		return t->running != AE_TRIGGER_NONE ? AE_TASK_JOINS
		    : t->past.at <= now->up || t->past.check_at <= now->up
		    ? AE_TASK_STARTS
		    : AE_TASK_NOT_NEEDED;
	if (trigger == AE_TRIGGER_POLICY && !refresh)
		return ask_policy(t, now);
	if (trigger == AE_TRIGGER_NETWORK)
		return ask_network(t, now);
	if (t->running != AE_TRIGGER_NONE) {
		if (!refresh || t->refresh)
			return AE_TASK_JOINS;
		t->again = true;
		return AE_TASK_FOLLOWS;
	}
	set_at(t, now->up, trigger);
	t->again = t->again || refresh;
	return t->checking ? AE_TASK_FOLLOWS : AE_TASK_STARTS;
}

static enum ae_task_do
watch(struct ae_task *t, const struct ae_task_now *now)
{
	int64_t late = now->up - t->since - t->conf.run_timeout * MS;

	if (late < 0)
		return AE_TASK_NOTHING;
	if (!t->ending) {
		t->ending = true;
		return AE_TASK_END;
	}
	return late >= GRACE ? AE_TASK_KILL : AE_TASK_NOTHING;
}

static void
begin_run(struct ae_task *t, const struct ae_task_now *now)
{
	struct ae_task_past *p = &t->past;

	p->missed = ae_task_missed(t, p->start_up > 0, now);
	t->running = t->past.at_trigger;
	t->refresh = t->again;
	t->again = t->network_again = t->ending = false;
	t->since = t->stage_since = now->up;
	p->runs++;
	p->open = true;
	p->trigger = t->running;
	p->start = now->wall;
	p->start_up = now->up > 0 ? now->up : 1;
	p->stage[0] = '\0';
	if (t->running == AE_TRIGGER_RETRY || t->running == AE_TRIGGER_NETWORK)
		note_repeat(t, now->up);
	t->past.at = AE_TASK_NEVER;
}

enum ae_task_do
ae_task_step(struct ae_task *t, const struct ae_task_now *now)
{
	if (t->running != AE_TRIGGER_NONE || t->checking)
		return watch(t, now);
	if (!t->enabled)
		return AE_TASK_NOTHING;
	if (t->past.at <= now->up) {
		begin_run(t, now);
		return AE_TASK_RUN;
	}
	if (t->past.check_at <= now->up) {
		t->checking = true;
		t->ending = false;
		t->since = t->stage_since = now->up;
		return AE_TASK_CHECK;
	}
	return AE_TASK_NOTHING;
}

int64_t
ae_task_deadline(const struct ae_task *t)
{
	if (t->running != AE_TRIGGER_NONE || t->checking)
		return t->since + t->conf.run_timeout * MS +
		    (t->ending ? GRACE : 0);
	if (!t->enabled)
		return AE_TASK_NEVER;
	return t->past.at < t->past.check_at ? t->past.at : t->past.check_at;
}

void
ae_task_stage(
    struct ae_task *t, const char *stage, const struct ae_task_now *now)
{
	(void)snprintf(t->past.stage, sizeof(t->past.stage), "%s", stage);
	t->stage_since = now->up;
}

static void
saw_policy(
    struct ae_task *t, const char *version, const struct ae_task_now *now)
{
	t->past.checked_up = now->up;
	t->past.checked = now->wall;
	(void)snprintf(t->past.policy_version, sizeof(t->past.policy_version),
	    "%s", version);
}

void
ae_task_ended(struct ae_task *t, const struct ae_task_result *r,
    const struct ae_task_now *now)
{
	struct ae_task_past *p = &t->past;
	bool network = t->network_again;

	t->running = AE_TRIGGER_NONE;
	t->ending = t->network_again = p->open = false;
	p->end = now->wall;
	p->end_up = now->up;
	p->outcome = r->outcome;
	p->exit = r->exit;
	p->result = r->result;
	(void)snprintf(
	    p->error, sizeof(p->error), "%s", r->error == NULL ? "" : r->error);
	if (r->sid != NULL)
		(void)snprintf(p->sid, sizeof(p->sid), "%s", r->sid);
	/* Not one that went on with the last good policy. */
	if (r->policy_version != NULL && r->policy_version[0] != '\0')
		saw_policy(t, r->policy_version, now);
	p->retries = r->outcome == AE_OUTCOME_DEFERRED ? p->retries + 1 : 0;
	plan_interval(t, now);
	plan_retry(t, r, now);
	plan_check(t, now);
	if (p->retries > 0 && network)
		(void)ask_network(t, now);
	if (t->again)
		set_at(t, now->up, AE_TRIGGER_MANUAL);
	if (t->check_again)
		p->check_at = now->up;
	t->check_again = false;
}

bool
ae_task_checked(
    struct ae_task *t, const char *version, const struct ae_task_now *now)
{
	bool changed;

	t->checking = t->ending = false;
	t->past.checked_up =
	    now->up; /* also when it failed: not at once again */
	if (version == NULL) {
		plan_check(t, now);
		return false;
	}
	changed = t->past.policy_version[0] != '\0' &&
	    strcmp(version, t->past.policy_version) != 0;
	saw_policy(t, version, now);
	plan_check(t, now);
	if (changed && t->past.at > now->up)
		set_at(t, now->up, AE_TRIGGER_POLICY);
	return changed;
}

enum ae_task_state
ae_task_state(const struct ae_task *t)
{
	if (t->running != AE_TRIGGER_NONE)
		return AE_TASK_RUNNING;
	if (!t->enabled)
		return AE_TASK_DISABLED;
	return t->past.retries > 0 || t->again ? AE_TASK_QUEUED : AE_TASK_READY;
}

uint32_t
ae_task_missed(
    const struct ae_task *t, bool same_boot, const struct ae_task_now *now)
{
	const struct ae_task_past *p = &t->past;
	int64_t elapsed;

	if (p->runs == 0)
		return 0;
	elapsed =
	    same_boot ? (now->up - p->start_up) / MS : now->wall - p->start;
	return ae_missed(elapsed, t->conf.interval, t->conf.spread);
}
