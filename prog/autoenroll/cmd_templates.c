/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * autoenroll templates: what would be done about each, and why.
 */
#include <getopt.h>
#include <stdio.h>

#include "cli.h"
#include "cmd_run.h"
#include "show_plan.h"

int
cmd_templates(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {
		{ "explain", no_argument, NULL, 'e' },
		{ "all", no_argument, NULL, 'a' },
		{ "user", no_argument, NULL, 'u' },
		{ "json", no_argument, NULL, 'j' },
		{ 0 },
	};
	struct pulse_options o = { .dry_run = true };
	bool explain = false, all = false, user = false;
	struct ae_err e = AE_ERR_INIT;
	json_t *report = NULL;
	int opt, code;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (opt == 'e')
			explain = true;
		else if (opt == 'a')
			all = true;
		else if (opt == 'u')
			user = true;
		else if (opt == 'j')
			cli->json = true;
		else
			return cli_usage("templates", "unknown option");
	}
	if (argc - optind > 1)
		return cli_usage("templates", "at most one template");
	o.show = optind < argc ? argv[optind] : NULL;
	code = cmd_whose(cli, "templates", user);
	if (code != EXIT_OK)
		return code;
	code = cmd_plan_here(cli, &o, &report, &e) == AE_OK ? EXIT_OK
							    : cli_fail(cli, &e);
	if (code == EXIT_OK && !all && !explain && o.show == NULL)
		show_plan_own_kind(report);
	if (code == EXIT_OK && cli->json)
		cli_print_json(report);
	else if (code == EXIT_OK)
		show_plan(report, explain);
	json_decref(report);
	return code;
}
