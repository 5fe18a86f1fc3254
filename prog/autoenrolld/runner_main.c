/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The process of one run: it tells what it does, and at the end how it went;
 * see runner.h.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pulse.h"
#include "runner.h"

#define SERVER_UNAVAILABLE 0x800706bau
#define SERVER_TOO_BUSY 0x800706bbu

/* What the results add up to. */
struct sum {
	enum ae_outcome outcome;
	bool no_ca, busy;
	uint32_t code;
};

/* A request that reached no CA, or one that had too much to do, is made
   again; an answer is an answer. */
static struct sum
add_up(const json_t *report)
{
	struct sum s = { .outcome = AE_OUTCOME_DONE };
	const json_t *res;
	size_t i;

	json_array_foreach(json_object_get(report, "results"), i, res)
	{
		const char *what =
		    json_string_value(json_object_get(res, "outcome"));
		uint32_t code = (uint32_t)json_integer_value(
		    json_object_get(res, "hresult"));

		if (what == NULL || strcmp(what, "issued") == 0)
			continue;
		if (s.code == 0)
			s.code = code;
		s.busy = s.busy || code == SERVER_TOO_BUSY;
		if (code == SERVER_TOO_BUSY ||
		    (code == SERVER_UNAVAILABLE && strcmp(what, "failed") == 0))
			s.no_ca = true;
	}
	if (s.no_ca)
		s.outcome = AE_OUTCOME_DEFERRED;
	return s;
}

static struct sum
failed(const struct client *c, const struct ae_err *e)
{
	/* A user who is not on the network yet has no ticket either. */
	bool later = e->rc == AE_EUNAVAIL || e->rc == AE_ETIMEDOUT ||
	    (c->user && e->rc == AE_EAUTH);

	return (struct sum){ .outcome = later ? AE_OUTCOME_DEFERRED
					      : AE_OUTCOME_FAILED,
		.code = pulse_code_of(e) };
}

static void
put_line(FILE *f, char kind, const char *text)
{
	(void)fprintf(f, "%c%s\n", kind, text);
	(void)fflush(f);
}

static void
put_result(FILE *f, const struct client *c, json_t *report, int rc,
    const struct ae_err *e)
{
	struct sum s = rc == AE_OK ? add_up(report) : failed(c, e);
	int code = rc == AE_OK ? pulse_exit_code(report) : client_exit_code(e);
	json_t *j;
	char *text;

	j = json_pack("{s:s, s:i, s:I, s:b, s:b, s:o?, s:O?, s:O?}", "outcome",
	    ae_outcome_name(s.outcome), "exit", code, "result",
	    (json_int_t)s.code, "busy", s.busy, "no_ca", s.no_ca, "error",
	    rc == AE_OK ? NULL : client_text(e->text), "sid",
	    json_object_get(report, "sid"), "policy_version",
	    json_object_get(report, "policy_version"));
	if (report != NULL) {
		(void)json_object_set_new(
		    report, "outcome", json_string(ae_outcome_name(s.outcome)));
		(void)json_object_set_new(report, "exit", json_integer(code));
	}
	if (rc != AE_OK && report != NULL) {
		(void)json_object_set_new(
		    report, "kind", json_string(ae_rc_name(e->rc)));
		(void)json_object_set_new(
		    report, "domain", json_string(ae_dom_name(e->dom)));
		(void)json_object_set_new(
		    report, "code", json_integer(e->code));
	}
	text = j == NULL ? NULL : json_dumps(j, JSON_COMPACT);
	if (text != NULL)
		put_line(f, 'R', text);
	free(text);
	json_decref(j);
}

static void
tell_stage(void *arg, const char *stage)
{
	FILE *f = arg;

	(void)fprintf(f, "S%s\n", stage);
	(void)fflush(f);
}

int
runner_main(struct client *c, int fd, enum runner_kind kind, struct ae_err *e)
{
	struct pulse_options o = { .refresh = kind == RUNNER_REFRESH };
	json_t *report = NULL;
	char *plan = NULL, *text;
	FILE *f = fdopen(fd, "w");
	int rc;

	if (f == NULL)
		return ae_fail_errno(e, errno, "open the report");
	if (c->log == NULL && (c->log = ae_log_new("autoenroll", true)) != NULL)
		ae_log_set_level(c->log, AE_LOG_WARNING);
	/* A group of our own, so that all of a run can be ended. */
	(void)setpgid(0, 0);
	c->progress = tell_stage;
	c->progress_arg = f;
	rc = kind == RUNNER_CHECK ? pulse_check(c, &report, e)
				  : pulse_run_text(c, &o, &report, &plan, e);
	put_result(f, c, report, rc, e);
	text = report == NULL ? NULL : pulse_report_text(report, plan);
	if (text != NULL)
		put_line(f, 'J', text);
	json_decref(report);
	free(text);
	free(plan);
	c->progress = NULL;
	(void)fclose(f);
	return rc == AE_OK ? EXIT_OK : EXIT_FINDING;
}
