/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * A run by the daemon, or here; see foreground.h.
 */
#include "foreground.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../autoenrolld/pulse.h"
#include "report.h"
#include "sys/clock.h"

#define AGAIN_NS 200000000 /* between looks whether the other is done */
#define PATIENCE_MS 60000  /* beyond the longest that a run may take */

struct wait {
	uint64_t run;
	bool look, all;
	json_t *report;
};

static void
on_report(void *arg, uint64_t run, const char *report, size_t len)
{
	struct wait *w = arg;

	if (w->report == NULL && (run == 0 ? w->look : run >= w->run))
		w->report = report_read(report, len, w->all);
	if (w->report == NULL && run >= w->run)
		w->report = json_pack(
		    "{s:s}", "error", "the run's report cannot be read");
}

static json_t *
say(const struct driver_answer *a)
{
	return json_pack("{s:s, s:s}", "answer", driver_answer_name(a->what),
	    "text", driver_answer_text(a->what));
}

static int
drive(struct driver *d, struct ae_loop *loop, const struct control_request *q,
    struct wait *w, struct ae_err *e)
{
	struct driver_answer a;
	int rc = AE_OK;

	w->look =
	    q->trigger == AE_TRIGGER_POLICY || q->trigger == AE_TRIGGER_DUE;
	a = driver_ask(d, q->trigger, q->refresh);
	w->run = a.run;
	if (a.what == AE_TASK_NOT_NEEDED || a.what == AE_TASK_IS_DISABLED ||
	    a.what == AE_TASK_LATER) {
		w->report = say(&a);
		return AE_OK;
	}
	while (rc == AE_OK && (w->report == NULL || !driver_is_idle(d)))
		rc = ae_loop_turn(loop, -1, e);
	return rc;
}

/* AE_EUNAVAIL: another process drives the task. */
static int
here(struct cli *cli, const struct control_request *q, json_t **answer,
    struct ae_err *e)
{
	struct wait w = { .all = cli->json };
	struct driver *d = NULL;
	struct ae_loop *loop = NULL;
	bool driving = false;
	int rc;

	rc = ae_loop_new(&loop, e);
	if (rc == AE_OK)
		rc = driver_new(&d, &cli->c, loop, false, on_report, &w, e);
	if (rc == AE_OK) {
		driving = true;
		rc = drive(d, loop, q, &w, e);
	}
	driver_free(d);
	ae_loop_free(loop);
	if (rc != AE_OK) {
		json_decref(w.report);
		return driving && rc == AE_EUNAVAIL ? AE_EINTERNAL : rc;
	}
	*answer = w.report;
	return AE_OK;
}

static int
ask_daemon(struct cli *cli, const struct control_request *q, json_t **answer,
    struct ae_err *e)
{
	char *text = NULL;
	int rc;

	rc = control_ask(&cli->c, q, &text, e);
	if (rc != AE_OK)
		return rc;
	*answer = report_read(text, strlen(text), cli->json);
	free(text);
	if (json_is_object(*answer))
		return AE_OK;
	json_decref(*answer);
	*answer = NULL;
	return control_fail_silent(e);
}

int
foreground_pulse(struct cli *cli, const struct control_request *q,
    json_t **answer, struct ae_err *e)
{
	const struct timespec pause = { .tv_nsec = AGAIN_NS };
	int64_t until =
	    ae_clock_mono_ms() + cli->c.run_timeout * 1000 + PATIENCE_MS;
	struct driver_answer joins = { .what = AE_TASK_JOINS };
	bool within = pulse_is_within_run(&cli->c);
	int rc;

	if (within && q->wait)
		return pulse_fail_within(e);

	cli->c.log = ae_log_new("autoenroll", true);
	if (cli->c.log != NULL)
		ae_log_set_level(cli->c.log, AE_LOG_WARNING);
	for (;;) {
		rc = ask_daemon(cli, q, answer, e);
		if (rc != AE_ENOTFOUND)
			return rc;
		if (within)
			return pulse_fail_within(e);
		if (!cli->c.user && geteuid() != 0)
			return ae_fail(e, AE_EIO, AE_DOM_NONE, 0,
			    "autoenrolld does not run, and without it the "
			    "machine's certificates are root's: run this as "
			    "root, or with --user for your own");
		rc = here(cli, q, answer, e);
		if (rc != AE_EUNAVAIL)
			return rc;
		if (q->trigger != AE_TRIGGER_MANUAL) {
			*answer = say(&joins);
			return AE_OK;
		}
		if (ae_clock_mono_ms() > until)
			return ae_note(e, rc, "another run does not end");
		*e = (struct ae_err)AE_ERR_INIT;
		(void)nanosleep(&pause, NULL);
	}
}
