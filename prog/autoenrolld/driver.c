/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Driving the task; see driver.h.
 */
#include "driver.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/time.h"
#include "runner.h"
#include "sys/clock.h"
#include "task.h"

/* At least this often, because the loop's clock stands still in sleep. */
#define LOOK_MS 60000
/* A run that takes longer than this is written down while it runs. */
#define WRITE_MS 1000
/* A lock that somebody only tries is soon free again. */
#define LOCK_TRIES 20
#define LOCK_PAUSE_NS 25000000

struct driver {
	struct client *c;
	struct ae_loop *loop;
	struct ae_source *timer, *writer;
	struct task task;
	struct runner *runner;
	bool write_due;
	driver_report_fn *fn;
	void *arg;
};

static void
write_now(struct driver *d)
{
	struct ae_err e = AE_ERR_INIT;

	d->write_due = false;
	if (task_write(&d->task, &e) != AE_OK && d->c->log != NULL)
		ae_log_printf(d->c->log, AE_LOG_WARNING,
		    "the state of the task was not stored: %s", e.text);
}

static void
on_writer(void *arg)
{
	write_now(arg);
}

static void
write_soon(struct driver *d)
{
	if (d->write_due)
		return;
	d->write_due = true;
	ae_source_set_timer(d->writer, ae_loop_now(d->loop) + WRITE_MS);
}

static void
on_stage(void *arg, const char *stage)
{
	struct driver *d = arg;
	struct ae_task_now now = task_now();

	ae_task_stage(&d->task.t, stage, &now);
	d->task.stage_at = now.wall;
	write_soon(d);
	client_progress(d->c, stage);
}

static const char *
str(const json_t *j, const char *key)
{
	return json_string_value(json_object_get(j, key));
}

/* Make up a report for a run that gave none. */
static char *
report_of(const struct ae_task_past *p)
{
	json_t *j = json_pack("{s:s, s:s, s:i}", "error", p->error, "outcome",
	    ae_outcome_name(p->outcome), "exit", p->exit);
	char *text = j == NULL ? NULL : json_dumps(j, JSON_COMPACT);

	json_decref(j);
	return text;
}

static void
say(struct driver *d)
{
	const struct ae_task_past *p = &d->task.t.past;
	struct ae_task_now now = task_now();
	int64_t in = (p->at - now.up) / 1000;

	if (d->c->log == NULL || p->outcome == AE_OUTCOME_DONE)
		return;
	if (p->outcome == AE_OUTCOME_DEFERRED && d->task.t.conf.keeps_running)
		ae_log_printf(d->c->log, AE_LOG_NOTICE,
		    "deferred: %s%sagain in %" PRId64
		    " s, or when the network changes",
		    p->error, p->error[0] == '\0' ? "" : "; ", in);
	else if (p->outcome == AE_OUTCOME_ENDED ||
	    p->outcome == AE_OUTCOME_LOST)
		ae_log_printf(d->c->log, AE_LOG_WARNING, "%s", p->error);
}

static void
ended(struct driver *d, const struct runner_end *end)
{
	struct ae_task_now now = task_now();
	struct ae_task *t = &d->task.t;
	const json_t *j = end == NULL ? NULL : end->result;
	char why[AE_TASK_TEXT_MAX], since[AE_TIME_STR_MAX], *made = NULL;
	struct ae_task_result res = { .outcome = AE_OUTCOME_LOST,
		.exit = 1,
		.result = 0x80004005,
		.error = "the run ended without a report" };

	if (t->ending) {
		(void)snprintf(why, sizeof(why),
		    "the run was ended after %" PRId64
		    " s (run-timeout); since %s it was busy with: %s",
		    (now.up - t->since) / 1000,
		    ae_time_print(since, d->task.stage_at),
		    t->past.stage[0] == '\0' ? "starting" : t->past.stage);
		res.outcome = AE_OUTCOME_ENDED;
		res.result = AE_SCHED_S_TASK_TERMINATED;
		res.error = why;
	} else if (j != NULL) {
		res = (struct ae_task_result){
			.outcome = ae_outcome_parse(str(j, "outcome")),
			.exit =
			    (int)json_integer_value(json_object_get(j, "exit")),
			.result = (uint32_t)json_integer_value(
			    json_object_get(j, "result")),
			.busy = json_is_true(json_object_get(j, "busy")),
			.no_ca = json_is_true(json_object_get(j, "no_ca")),
			.error = str(j, "error"),
			.sid = str(j, "sid"),
			.policy_version = str(j, "policy_version"),
		};
	}
	ae_task_ended(t, &res, &now);
	say(d);
	write_now(d);
	if (end == NULL || end->report == NULL ||
	    res.outcome > AE_OUTCOME_FAILED)
		made = report_of(&t->past);
	if (made != NULL)
		d->fn(d->arg, t->past.runs, made, strlen(made));
	else if (end != NULL && end->report != NULL)
		d->fn(d->arg, t->past.runs, end->report, end->len);
	free(made);
}

static void
looked(struct driver *d, const struct runner_end *end)
{
	static const char nothing[] =
	    "{\"outcome\": \"done\", \"exit\": 0, \"changed\": false}";
	struct ae_task_now now = task_now();
	const char *version =
	    end == NULL ? NULL : str(end->result, "policy_version");
	bool ended_by_us = d->task.t.ending;

	if (ae_task_checked(&d->task.t, version, &now) && d->c->log != NULL)
		ae_log_printf(
		    d->c->log, AE_LOG_INFO, "group policy has changed");
	else if (version == NULL && d->c->log != NULL)
		ae_log_printf(d->c->log, AE_LOG_INFO,
		    "group policy could not be looked at: %s",
		    ended_by_us ? "it took too long"
			: end == NULL || str(end->result, "error") == NULL
			? "no answer"
			: str(end->result, "error"));
	write_now(d);
	if (version == NULL && end != NULL && end->report != NULL)
		d->fn(d->arg, 0, end->report, end->len);
	else if (d->task.t.past.at > now.up)
		d->fn(d->arg, 0, nothing, sizeof(nothing) - 1);
}

static void
on_end(void *arg, const struct runner_end *end)
{
	struct driver *d = arg;

	if (d->task.t.checking)
		looked(d, end);
	else
		ended(d, end);
	runner_free(d->runner);
	d->runner = NULL;
	driver_go(d);
}

static void
start(struct driver *d, enum runner_kind kind)
{
	struct ae_err e = AE_ERR_INIT;

	if (runner_start(&d->runner, d->c, d->loop, kind, on_stage, on_end, d,
		&e) == AE_OK) {
		write_soon(d);
		return;
	}
	d->runner = NULL;
	if (d->c->log != NULL)
		ae_log_printf(d->c->log, AE_LOG_ERROR, "%s", e.text);
	if (kind == RUNNER_CHECK)
		looked(d, NULL);
	else
		ended(d, NULL);
}

static void
end_run(struct driver *d, int signo)
{
	if (d->runner == NULL)
		return;
	if (signo == SIGTERM && d->c->log != NULL)
		ae_log_printf(d->c->log, AE_LOG_WARNING,
		    "ending the run: it takes longer than run-timeout allows");
	runner_signal(d->runner, signo);
}

static void
wake(struct driver *d)
{
	struct ae_task_now now = task_now();
	int64_t at = ae_task_deadline(&d->task.t), in = LOOK_MS;

	if (at != AE_TASK_NEVER && at - now.up < in)
		in = at - now.up < 0 ? 0 : at - now.up;
	ae_source_set_timer(d->timer, ae_loop_now(d->loop) + in + 1);
}

void
driver_go(struct driver *d)
{
	struct ae_task_now now = task_now();

	d->task.t.enabled = task_enabled(d->c);
	switch (ae_task_step(&d->task.t, &now)) {
	case AE_TASK_RUN:
		start(d, d->task.t.refresh ? RUNNER_REFRESH : RUNNER_RUN);
		break;
	case AE_TASK_CHECK:
		start(d, RUNNER_CHECK);
		break;
	case AE_TASK_END:
		end_run(d, SIGTERM);
		break;
	case AE_TASK_KILL:
		end_run(d, SIGKILL);
		break;
	case AE_TASK_NOTHING:
		break;
	}
	wake(d);
}

static void
on_timer(void *arg)
{
	driver_go(arg);
}

struct driver_answer
driver_ask(struct driver *d, enum ae_trigger trigger, bool refresh)
{
	struct ae_task_now now = task_now();
	struct ae_task *t = &d->task.t;
	struct driver_answer a = { 0 };

	t->enabled = task_enabled(d->c);
	a.what = ae_task_ask(t, trigger, refresh, &now);
	a.run = t->past.runs + 1;
	if (a.what == AE_TASK_JOINS && t->running != AE_TRIGGER_NONE)
		a.run = t->past.runs;
	if (a.what == AE_TASK_LATER) {
		a.in_ms = t->past.at - now.up;
		write_soon(d);
	}
	/* At the next turn: who asks has to note the answer first. */
	ae_source_set_timer(d->timer, ae_loop_now(d->loop));
	return a;
}

/* clang-format off */
static const struct {
	const char *name, *text;
} answers[] = {
	[AE_TASK_STARTS] = { "starts", "auto-enrollment was started" },
	[AE_TASK_JOINS] = { "joins", "auto-enrollment is running already" },
	[AE_TASK_FOLLOWS] = { "follows", "another run follows the one under way" },
	[AE_TASK_LATER] = { "later", "auto-enrollment will be started" },
	[AE_TASK_NOT_NEEDED] = { "not-needed", "nothing is due: the last run is recent enough" },
	[AE_TASK_IS_DISABLED] = { "disabled", "the task is disabled (0x80041326); 'autoenroll task enable' switches it on" },
};
/* clang-format on */

const char *
driver_answer_name(enum ae_task_answer a)
{
	return answers[a].name;
}

const char *
driver_answer_text(enum ae_task_answer a)
{
	return answers[a].text;
}

bool
driver_is_idle(const struct driver *d)
{
	return d->runner == NULL;
}

int
driver_new(struct driver **out, struct client *c, struct ae_loop *loop,
    bool keeps_running, driver_report_fn *fn, void *arg, struct ae_err *e)
{
	const struct timespec pause = { .tv_nsec = LOCK_PAUSE_NS };
	struct driver *d = calloc(1, sizeof(*d));
	int rc, i;

	if (d == NULL)
		return ae_fail_mem(e);
	d->c = c;
	d->loop = loop;
	d->fn = fn;
	d->arg = arg;
	d->task.lock = -1;
	rc = ae_loop_timer(&d->timer, loop, on_timer, d, e);
	if (rc == AE_OK)
		rc = ae_loop_timer(&d->writer, loop, on_writer, d, e);
	for (i = 0; rc == AE_OK && d->task.lock < 0; i++) {
		rc = task_lock(&d->task, c, e);
		if (rc != AE_EUNAVAIL || i == LOCK_TRIES)
			break;
		rc = nanosleep(&pause, NULL) == 0 ? AE_OK : AE_EUNAVAIL;
	}
	if (rc != AE_OK) {
		driver_free(d);
		return rc;
	}
	task_read(&d->task, c, keeps_running);
	task_begin(&d->task);
	*out = d;
	return AE_OK;
}

void
driver_free(struct driver *d)
{
	if (d == NULL)
		return;
	if (d->write_due || d->runner != NULL)
		write_now(d); /* that it was not over, or when it will be */
	runner_free(d->runner);
	ae_source_free(d->timer);
	ae_source_free(d->writer);
	task_done(&d->task);
	free(d);
}
