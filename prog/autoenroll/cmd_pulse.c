/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * autoenroll pulse: one run, or its plan.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../autoenrolld/pulse.h"
#include "cli.h"
#include "cmd_run.h"
#include "foreground.h"
#include "progress.h"
#include "show_plan.h"

static const char *
text(const json_t *j, const char *key)
{
	const char *s = json_string_value(json_object_get(j, key));

	return s == NULL ? "" : cli_safe(s);
}

static void
print_results(const json_t *report)
{
	static const char *const rows[][2] = { { "ca", "CA" },
		{ "transport", "transport" }, { "subject", "subject" },
		{ "serial", "serial" }, { "thumbprint", "thumbprint" },
		{ "not_after", "valid until" }, { "path", "files" },
		{ "hresult_text", "code" }, { "renews", "renews" },
		{ "message", "message" } };
	const json_t *res, *a;
	size_t i, j;

	json_array_foreach(json_object_get(report, "results"), i, res)
	{
		(void)printf(
		    "%s: %s\n", text(res, "template"), text(res, "outcome"));
		for (j = 0; j < sizeof(rows) / sizeof(rows[0]); j++)
			if (text(res, rows[j][0])[0] != '\0')
				(void)printf("  %-12s %s\n", rows[j][1],
				    text(res, rows[j][0]));
		if (json_object_get(res, "request_id") != NULL)
			(void)printf("  request id   %d\n",
			    (int)json_integer_value(
				json_object_get(res, "request_id")));
		json_array_foreach(json_object_get(res, "attempts"), j,
		    a) if (text(a, "error")[0] != '\0')(void)
		    printf("  tried        %s%s%s: %s\n", text(a, "ca"),
			text(a, "transport")[0] ? " by " : "",
			text(a, "transport"), text(a, "error"));
	}
}

/* For the user who asks, or for the machine, which is root's. */
int
cmd_whose(struct cli *cli, const char *command, bool user)
{
	struct ae_err e = AE_ERR_INIT;

	if (user)
		return cli_for_user(cli, &e) == AE_OK ? EXIT_OK
						      : cli_fail(cli, &e);
	if (geteuid() == 0)
		return EXIT_OK;
	(void)fprintf(stderr,
	    "autoenroll %s: the machine's certificates are root's; run it as "
	    "root, or with --user for your own\n",
	    command);
	return EXIT_LOCAL;
}

int
cmd_plan_here(struct cli *cli, const struct pulse_options *o, json_t **report,
    struct ae_err *e)
{
	cli->c.log = ae_log_new("autoenroll", true);
	if (cli->c.log != NULL)
		ae_log_set_level(cli->c.log, AE_LOG_WARNING);
	return pulse_run(&cli->c, o, report, e);
}

/* Run here and show it. */
int
cmd_run_here(struct cli *cli, const struct pulse_options *o, bool plan_only,
    bool explain)
{
	struct ae_err e = AE_ERR_INIT;
	json_t *report = NULL;
	int code = EXIT_OK;

	if (cmd_plan_here(cli, o, &report, &e) != AE_OK) {
		json_decref(report);
		return cli_fail(cli, &e);
	}
	if (cli->json) {
		cli_print_json(report);
	} else {
		if (plan_only ||
		    json_array_size(json_object_get(report, "results")) == 0)
			show_plan(report, explain);
		print_results(report);
	}
	cli_print_after(cli, report);
	if (!plan_only)
		code = pulse_exit_code(report);
	json_decref(report);
	return code;
}

/* A report, or what was answered instead of one. */
static int
show_answer(
    struct cli *cli, const struct control_request *q, const json_t *report)
{
	bool by_hand = q->trigger == AE_TRIGGER_MANUAL;
	int code = (int)json_integer_value(json_object_get(report, "exit"));

	if (cli->json)
		cli_print_json(report);
	if (json_object_get(report, "answer") != NULL) {
		bool off = strcmp(text(report, "answer"), "disabled") == 0;

		if (!cli->json)
			(void)fprintf(off ? stderr : stdout, "%s\n",
			    text(report, "text"));
		return off && by_hand ? EXIT_FINDING : EXIT_OK;
	}
	if (!cli->json) {
		if (json_array_size(json_object_get(report, "results")) == 0)
			show_plan(report, false);
		print_results(report);
	}
	cli_print_after(cli, report);
	if (json_object_get(report, "error") != NULL)
		(void)fprintf(
		    stderr, "autoenroll: %s\n", text(report, "error"));
	/* It comes back by itself: no news for whoever runs the timer. */
	if (!by_hand && strcmp(text(report, "outcome"), "deferred") == 0)
		return EXIT_OK;
	return code;
}

int
cmd_pulse(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {
		{ "wait", no_argument, NULL, 'w' },
		{ "dry-run", no_argument, NULL, 'n' },
		{ "refresh-policy", no_argument, NULL, 'r' },
		{ "trigger", required_argument, NULL, 't' },
		{ "quiet", no_argument, NULL, 'q' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "user", no_argument, NULL, 'u' },
		{ "json", no_argument, NULL, 'j' },
		{ 0 },
	};
	struct control_request q = { .trigger = AE_TRIGGER_MANUAL };
	struct pulse_options o = { 0 };
	struct ae_err e = AE_ERR_INIT;
	json_t *report = NULL;
	bool user = false, quiet = false, verbose = false;
	int opt, code;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (opt) {
		case 'q':
			quiet = true;
			break;
		case 'v':
			verbose = true;
			break;
		case 'w':
			q.wait = true;
			break;
		case 'n':
			o.dry_run = true;
			break;
		case 'r':
			q.refresh = o.refresh = true;
			break;
		case 't':
			q.trigger = ae_trigger_parse(optarg);
			break;
		case 'u':
			user = true;
			break;
		case 'j':
			cli->json = true;
			break;
		default:
			return cli_usage("pulse", "unknown option");
		}
	}
	if (q.trigger == AE_TRIGGER_NONE)
		return cli_usage("pulse", "there is no such trigger");
	if (optind != argc)
		return cli_usage("pulse", "no arguments are expected");
	if (o.dry_run) {
		code = cmd_whose(cli, "pulse", user);
		progress_begin(cli, quiet, verbose);
		return code != EXIT_OK ? code
				       : cmd_run_here(cli, &o, true, false);
	}
	if (user && cli_for_user(cli, &e) != AE_OK)
		return cli_fail(cli, &e);
	progress_begin(cli, quiet || !q.wait, verbose);
	if (foreground_pulse(cli, &q, &report, &e) != AE_OK)
		return cli_fail(cli, &e);
	code = show_answer(cli, &q, report);
	json_decref(report);
	return code;
}
