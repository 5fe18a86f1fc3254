/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * autoenroll task: what Get-ScheduledTask and Get-ScheduledTaskInfo tell on
 * Windows, the switch, and the lines for cron.
 */
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../autoenrolld/task.h"
#include "cli.h"
#include "enroll/schedule.h"

static const char *
text(const json_t *j, const char *key)
{
	const char *s = json_string_value(json_object_get(j, key));

	return s == NULL ? "" : cli_safe(s);
}

static void
row(const char *name, const char *value, const char *more)
{
	if (value[0] != '\0')
		(void)printf("%-14s %s%s%s\n", name, value,
		    more[0] == '\0' ? "" : "  ", more);
}

/* The Task Scheduler's numbers, in words. */
static const char *
result_text(const json_t *j)
{
	static const struct {
		const char *code, *text;
	} words[] = {
		{ "0x00000000", "success" },
		{ "0x00041301", "the task is running" },
		{ "0x00041303", "the task has not run yet" },
		{ "0x00041306", "the last run was ended" },
	};
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(text(j, "result"), words[i].code) == 0)
			return words[i].text;
	return "";
}

static void
show(const json_t *j, bool verbose)
{
	bool queued = strcmp(text(j, "state"), "Queued") == 0;

	row("state", text(j, "state"),
	    queued ? "deferred, will be repeated" : "");
	row("last run", text(j, "last_run"), text(j, "trigger"));
	row("ended", text(j, "last_end"), text(j, "outcome"));
	row("last result", text(j, "result"), result_text(j));
	row("error", text(j, "error"), "");
	if (strcmp(text(j, "state"), "Running") == 0 || verbose) {
		row("busy with", text(j, "stage"), "");
		row("since", text(j, "stage_since"), "");
	}
	row("next run", text(j, "next_run"), text(j, "next_trigger"));
	(void)printf("%-14s %d\n", "missed runs",
	    (int)json_integer_value(json_object_get(j, "missed_runs")));
	if (!verbose)
		return;
	(void)printf("%-14s %d\n", "exit code",
	    (int)json_integer_value(json_object_get(j, "exit")));
	(void)printf("%-14s %d\n", "runs",
	    (int)json_integer_value(json_object_get(j, "runs")));
	(void)printf("%-14s %d\n", "deferred",
	    (int)json_integer_value(json_object_get(j, "retries")));
	row("policy seen", text(j, "policy_checked"), "");
	row("next look", text(j, "next_policy_check"), "");
}

static void
cron(const struct task *t)
{
	char lines[1024];

	(void)ae_cron_lines(lines, sizeof(lines), t->id, t->c->interval,
	    t->c->start_spread, t->c->user ? NULL : "root",
	    t->c->user ? "autoenroll pulse --user" : "autoenroll pulse");
	(void)fputs(lines, stdout);
}

static int
switch_task(struct cli *cli, bool on)
{
	struct ae_err e = AE_ERR_INIT;

	if (!cli->c.user && geteuid() != 0) {
		(void)fprintf(stderr,
		    "autoenroll task: the machine's task is root's to %s\n",
		    on ? "enable" : "disable");
		return EXIT_LOCAL;
	}
	if (task_enable(&cli->c, on, &e) != AE_OK)
		return cli_fail(cli, &e);
	return EXIT_OK;
}

int
cmd_task(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {
		{ "user", no_argument, NULL, 'u' },
		{ "cron", no_argument, NULL, 'c' },
		{ "json", no_argument, NULL, 'j' },
		{ 0 },
	};
	bool verbose = false, user = false, lines = false;
	struct ae_err e = AE_ERR_INIT;
	struct task t = { .lock = -1 };
	const char *verb;
	json_t *j;
	int opt;

	while ((opt = getopt_long(argc, argv, "v", options, NULL)) != -1) {
		switch (opt) {
		case 'u':
			user = true;
			break;
		case 'c':
			lines = true;
			break;
		case 'j':
			cli->json = true;
			break;
		case 'v':
			verbose = true;
			break;
		default:
			return cli_usage("task", "unknown option");
		}
	}
	verb = optind < argc ? argv[optind] : NULL;
	if (argc - optind > 1 ||
	    (verb != NULL && strcmp(verb, "enable") != 0 &&
		strcmp(verb, "disable") != 0))
		return cli_usage("task", "expected 'enable' or 'disable'");
	if (user && cli_for_user(cli, &e) != AE_OK)
		return cli_fail(cli, &e);
	if (verb != NULL)
		return switch_task(cli, strcmp(verb, "enable") == 0);
	task_look(&t, &cli->c);
	if (lines) {
		cron(&t);
		return EXIT_OK;
	}
	j = task_to_json(&t, false);
	if (cli->json)
		cli_print_json(j);
	else
		show(j, verbose);
	json_decref(j);
	return EXIT_OK;
}
