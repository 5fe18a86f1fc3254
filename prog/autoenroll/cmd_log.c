/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * autoenroll log: the LogLevel of events.
 */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "../autoenrolld/eventlog.h"
#include "cli.h"

static const char *const names[] = { "minimal", "terse", "error", "warning",
	"verbose", "exhaustive" };

static void
print_level(struct cli *cli)
{
	static const struct {
		const char *word, *text;
	} by[] = {
		[EVENTLOG_LOCAL] = { "local", "set by 'autoenroll log level'" },
		[EVENTLOG_POLICY] = { "policy", "set by policy" },
		[EVENTLOG_DEFAULT] = { "default", "the default" },
	};
	enum eventlog_from from;
	unsigned level = eventlog_level(&cli->c, &from);
	json_t *j;

	if (cli->json) {
		j = json_pack("{s:i, s:s, s:s}", "log_level", (int)level,
		    "name", names[level], "source", by[from].word);
		cli_print_json(j);
		json_decref(j);
		return;
	}
	(void)printf(
	    "LogLevel %u (%s), %s\n", level, names[level], by[from].text);
}

int
cmd_log(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {
		{ "user", no_argument, NULL, 'u' },
		{ "json", no_argument, NULL, 'j' },
		{ 0 },
	};
	struct ae_err e = AE_ERR_INIT;
	bool user = false;
	int want, opt;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (opt == 'j')
			cli->json = true;
		else if (opt == 'u')
			user = true;
		else
			return cli_usage("log", "unknown option");
	}
	argc -= optind - 1;
	argv += optind - 1;
	if (argc < 2 || argc > 3 || strcmp(argv[1], "level") != 0)
		return cli_usage("log", "expected 'level [0-5|default]'");
	if (user && cli_for_user(cli, &e) != AE_OK)
		return cli_fail(cli, &e);
	if (argc == 3) {
		if (strcmp(argv[2], "default") == 0)
			want = -1;
		else if (strlen(argv[2]) == 1 && argv[2][0] >= '0' &&
		    argv[2][0] <= '5')
			want = argv[2][0] - '0';
		else
			return cli_usage("log",
			    "'%s' is no level; 0 to 5 or default",
			    cli_safe(argv[2]));
		if (eventlog_set_level(&cli->c, want, &e) != AE_OK)
			return cli_fail(cli, &e);
	}
	print_level(cli);
	return EXIT_OK;
}
