/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * autoenroll policy: what group policy and the local layer say.
 */
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../autoenrolld/pulse.h"
#include "cli.h"

static const char *
text(const json_t *j, const char *key)
{
	const char *s = json_string_value(json_object_get(j, key));

	return s == NULL ? "" : cli_safe(s);
}

static void
show(const json_t *policy, bool verbose)
{
	const json_t *g;
	size_t i;

	if (json_is_true(json_object_get(policy, "aepolicy_set")))
		(void)printf("AEPolicy      0x%llx  (%s)\n",
		    (unsigned long long)json_integer_value(
			json_object_get(policy, "aepolicy")),
		    text(policy, "text"));
	else
		(void)printf("AEPolicy      not configured\n");
	(void)printf("from          %s%s%s\n", text(policy, "source"),
	    text(policy, "gpo")[0] ? ": " : "", text(policy, "gpo"));
	(void)printf("expiry        warn at %lld %% of the lifetime left\n",
	    (long long)json_integer_value(
		json_object_get(policy, "expiry_percent")));
	if (!verbose)
		return;
	(void)printf("group policy objects, the last that applies wins\n");
	json_array_foreach(json_object_get(policy, "gpos"), i, g)(void)
	    printf("  %s %-40s %s%s%s\n",
		strcmp(text(g, "verdict"), "applies") == 0 ? "+" : "-",
		text(g, "name"), text(g, "text"),
		text(g, "detail")[0] ? ": " : "", text(g, "detail"));
}

int
cmd_policy(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {
		{ "user", no_argument, NULL, 'u' },
		{ "json", no_argument, NULL, 'j' },
		{ 0 },
	};
	struct pulse_options o = { .dry_run = true };
	struct ae_err e = AE_ERR_INIT;
	json_t *report = NULL, *policy;
	bool verbose = false, user = false;
	int opt, code = EXIT_OK;

	while ((opt = getopt_long(argc, argv, "v", options, NULL)) != -1) {
		if (opt == 'v')
			verbose = true;
		else if (opt == 'u')
			user = true;
		else if (opt == 'j')
			cli->json = true;
		else
			return cli_usage("policy", "unknown option");
	}
	if (argc - optind != 1 || strcmp(argv[optind], "show") != 0)
		return cli_usage("policy", "expected 'show'");
	if (user && cli_for_user(cli, &e) != AE_OK)
		return cli_fail(cli, &e);
	if (!user && geteuid() != 0) {
		(void)fprintf(stderr,
		    "autoenroll policy: the machine's policy is read with its "
		    "keytab; run it as root, or with --user for your own\n");
		return EXIT_LOCAL;
	}
	if (pulse_run(&cli->c, &o, &report, &e) != AE_OK) {
		json_decref(report);
		return cli_fail(cli, &e);
	}
	policy = json_object_get(report, "policy");
	if (cli->json)
		cli_print_json(policy);
	else
		show(policy, verbose);
	json_decref(report);
	return code;
}
