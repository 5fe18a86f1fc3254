/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * autoenroll deploy: carry out deploy.conf for what is installed, or look at
 * it.
 */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "../autoenrolld/deploy.h"
#include "cli.h"
#include "cmd_run.h"

static const char *
text(const json_t *j, const char *key)
{
	const char *s = json_string_value(json_object_get(j, key));

	return s == NULL ? "" : cli_safe(s);
}

static void
print(const json_t *list)
{
	const json_t *one, *it;
	size_t i, j;

	json_array_foreach(list, i, one)
	{
		(void)printf("deploy %s/%d: %s, %s\n", text(one, "template"),
		    (int)json_integer_value(json_object_get(one, "number")),
		    text(one, "event"), text(one, "outcome"));
		json_array_foreach(json_object_get(one, "items"), j, it)
		{
			(void)printf("  %-13s %-12s %s\n", text(it, "what"),
			    text(it, "outcome"), text(it, "path"));
			if (strcmp(text(it, "outcome"), "failed") == 0)
				(void)printf("    %s\n", text(it, "text"));
		}
	}
}

void
cli_print_after(const struct cli *cli, const json_t *report)
{
	const json_t *trust = json_object_get(report, "system_trust"), *error;
	size_t i;

	json_array_foreach(json_object_get(report, "deploy_errors"), i, error)(
	    void) fprintf(stderr, "autoenroll: %s\n",
	    cli_safe(json_string_value(error)));
	if (cli->json)
		return;
	if (json_is_true(json_object_get(trust, "changed")))
		(void)printf("system trust: changed in %s; 'autoenroll trust "
			     "status' tells more\n",
		    text(trust, "dir"));
	print(json_object_get(report, "deploy"));
}

static int
check(struct cli *cli)
{
	struct ae_deploy_conf conf;
	struct ae_err e = AE_ERR_INIT;
	struct ae_deploy d;
	json_t *j;

	deploy_settings(&d, &cli->c);
	if (ae_deploy_conf_load(&conf, &d, &e) != AE_OK)
		return cli_fail(cli, &e);
	if (cli->json) {
		j = json_pack(
		    "{s:s, s:i}", "file", d.conf_path, "sections", (int)conf.n);
		cli_print_json(j);
		json_decref(j);
	} else {
		(void)printf(
		    "%s: %zu sections, no errors\n", d.conf_path, conf.n);
	}
	ae_deploy_conf_done(&conf);
	return EXIT_OK;
}

int
cmd_deploy(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {
		{ "template", required_argument, NULL, 'T' },
		{ "dry-run", no_argument, NULL, 'n' },
		{ "user", no_argument, NULL, 'u' },
		{ "json", no_argument, NULL, 'j' },
		{ 0 },
	};
	const char *only = NULL;
	struct ae_err e = AE_ERR_INIT;
	json_t *list = NULL, *report;
	bool dry = false, user = false;
	int opt, code;

	while ((opt = getopt_long(argc, argv, "T:", options, NULL)) != -1) {
		switch (opt) {
		case 'T':
			only = optarg;
			break;
		case 'n':
			dry = true;
			break;
		case 'u':
			user = true;
			break;
		case 'j':
			cli->json = true;
			break;
		default:
			return cli_usage("deploy", "unknown option");
		}
	}
	if (user && cli_for_user(cli, &e) != AE_OK)
		return cli_fail(cli, &e);
	if (argc - optind == 1 && strcmp(argv[optind], "check") == 0)
		return check(cli);
	if (argc != optind)
		return cli_usage("deploy", "expected 'check' or nothing");
	code = user ? EXIT_OK : cmd_whose(cli, "deploy", false);
	if (code != EXIT_OK)
		return code;
	if (deploy_apply(&cli->c, only, dry, &list, &e) != AE_OK)
		return cli_fail(cli, &e);
	deploy_tell_exports(&cli->c, list);
	report = json_pack("{s:o}", "deploy", list);
	if (cli->json)
		cli_print_json(report);
	else if (json_array_size(list) == 0)
		(void)printf("nothing to deploy\n");
	else
		print(list);
	code = deploy_failed(report)	 ? EXIT_LOCAL
	    : json_array_size(list) == 0 ? EXIT_NOT_FOUND
					 : EXIT_OK;
	json_decref(report);
	return code;
}
