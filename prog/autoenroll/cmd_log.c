/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * autoenroll log, autoenroll events.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../autoenrolld/eventlog.h"
#include "base/time.h"
#include "cli.h"
#include "sys/clock.h"

int
cmd_log(struct cli *cli, int argc, char **argv)
{
	static const char *const names[] = { "minimal", "terse", "error",
		"warning", "verbose", "exhaustive" };
	struct ae_err e = AE_ERR_INIT;
	unsigned level;
	json_t *j;
	int want;

	if (argc > 2 && strcmp(argv[argc - 1], "--json") == 0) {
		cli->json = true;
		argc--;
	}
	if (argc < 2 || argc > 3 || strcmp(argv[1], "level") != 0)
		return cli_usage("log", "expected 'level [0-5|default]'");
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
	level = eventlog_level(&cli->c);
	if (cli->json) {
		j = json_pack("{s:i, s:s}", "log_level", (int)level, "name",
		    names[level]);
		cli_print_json(j);
		json_decref(j);
	} else {
		(void)printf("LogLevel %u (%s)\n", level, names[level]);
	}
	return EXIT_OK;
}

/* A time, or an age before now.  False when it is neither. */
static bool
parse_since(int64_t *out, const char *s)
{
	static const struct {
		char unit;
		int64_t len;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
	char *end;
	long n;
	size_t i;

	if (ae_time_parse(out, s))
		return true;
	if (*s < '0' || *s > '9')
		return false;
	n = strtol(s, &end, 10);
	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (end[0] == units[i].unit && end[1] == '\0' && n < 1000000) {
			*out = ae_clock_now() - n * units[i].len;
			return true;
		}
	}
	return false;
}

/* "Microsoft-Windows-CertificateServicesClient-CertEnroll": the last part. */
static const char *
short_source(const char *source)
{
	const char *dash = strrchr(source, '-');

	return dash == NULL ? source : dash + 1;
}

int
cmd_events(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {
		{ "since", required_argument, NULL, 's' },
		{ "user", no_argument, NULL, 'u' },
		{ "json", no_argument, NULL, 'j' },
		{ 0 },
	};
	struct ae_err e = AE_ERR_INIT;
	int64_t since = INT64_MIN;
	json_t *all = NULL, *ev;
	bool user = false;
	size_t i;
	int opt;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (opt == 'j')
			cli->json = true;
		else if (opt == 'u')
			user = true;
		else if (opt != 's')
			return cli_usage("events", "unknown option");
		else if (!parse_since(&since, optarg))
			return cli_usage("events",
			    "'%s' is neither a time nor an age",
			    cli_safe(optarg));
	}
	if (optind != argc)
		return cli_usage("events", "no arguments are expected");
	if (user && cli_for_user(cli, &e) != AE_OK)
		return cli_fail(cli, &e);
	if (eventlog_read(&all, &cli->c, since, &e) != AE_OK)
		return cli_fail(cli, &e);
	if (cli->json)
		cli_print_json(all);
	json_array_foreach(all, i, ev)
	{
		const char *time = NULL, *source = NULL, *level = NULL,
			   *message = NULL;
		int id = 0;

		if (cli->json ||
		    json_unpack(ev, "{s:s, s:s, s:i, s:s, s:s}", "time", &time,
			"source", &source, "id", &id, "level", &level,
			"message", &message) != 0)
			continue;
		(void)printf("%s  %-11s  %-25s %5d  %s\n", cli_safe(time),
		    cli_safe(level), cli_safe(short_source(source)), id,
		    cli_safe(message));
	}
	opt = json_array_size(all) > 0 ? EXIT_OK : EXIT_NOT_FOUND;
	json_decref(all);
	return opt;
}
