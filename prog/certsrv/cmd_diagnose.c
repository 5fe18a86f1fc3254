/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * certsrv diagnose: why does this CA not start, not serve a template, or why
 * has it denied somebody.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "diag/diag.h"
#include "diag/facts.h"
#include "diag/report.h"
#include "look.h"

#define TEXT_MAX (4u << 20)

struct diagnose {
	struct look look;
	const char *template;
	enum ae_diag_lang lang;
	bool verbose;
};

static int
parse(struct diagnose *o, int argc, char **argv)
{
	static const struct option options[] = {
		{ "request", required_argument, NULL, 'r' },
		{ "requester", required_argument, NULL, 'w' },
		{ "template", required_argument, NULL, 't' },
		{ "lang", required_argument, NULL, 'l' },
		{ "verbose", no_argument, NULL, 'v' },
		{ 0 },
	};
	char *end;
	int c;

	while ((c = getopt_long(argc, argv, "v", options, NULL)) != -1) {
		switch (c) {
		case 'r':
			o->look.request = strtoll(optarg, &end, 10);
			if (*end != '\0' || o->look.request < 1 ||
			    o->look.request > INT32_MAX)
				return cli_usage(
				    "diagnose", "--request is a request id");
			break;
		case 'w':
			o->look.requester = optarg;
			break;
		case 't':
			o->template = optarg;
			break;
		case 'l':
			if (!ae_diag_lang_find(&o->lang, optarg))
				return cli_usage("diagnose",
				    "there is no language '%s'", optarg);
			break;
		case 'v':
			o->verbose = true;
			break;
		default:
			return cli_usage("diagnose", "unknown option");
		}
	}
	if (optind != argc)
		return cli_usage("diagnose", "no arguments are expected");
	if (o->look.request > 0 && o->look.requester != NULL)
		return cli_usage(
		    "diagnose", "--request or --requester, not both");
	return EXIT_OK;
}

static void
show(json_t *report, const json_t *facts, const struct diagnose *o)
{
	struct ae_wr w;

	if (o->look.cli->json) {
		if (o->verbose)
			(void)json_object_set(
			    report, "facts", (json_t *)(uintptr_t)facts);
		cli_print_json(json_incref(report));
		return;
	}
	ae_wr_init(&w, TEXT_MAX);
	ae_diag_report_text(&w, report, o->lang, o->verbose);
	(void)fputs(ae_wr_cstr(&w), stdout);
	ae_wr_done(&w);
}

/* A request that is not there is no finding about the CA. */
static int
code_of(const json_t *report, const json_t *facts)
{
	const char *error = ae_fact_str(facts, "server.request_error");

	if (json_is_object(json_object_get(report, "root")))
		return EXIT_FINDING;
	if (error == NULL)
		return EXIT_OK;
	(void)fprintf(stderr, "certsrv: %s\n", cli_safe(error));
	return EXIT_NOT_FOUND;
}

int
cmd_diagnose(struct cli *cli, int argc, char **argv)
{
	struct diagnose o = { .look = { .cli = cli },
		.lang = ae_diag_lang_pick(
		    getenv("LC_ALL"), getenv("LC_MESSAGES"), getenv("LANG")) };
	json_t *facts, *report = NULL;
	struct ae_err e = AE_ERR_INIT;
	struct ae_diag *d = NULL;
	int code = parse(&o, argc, argv), rc;

	if (code != EXIT_OK)
		return code;
	facts = look_at_ca(&o.look);
	if (facts == NULL)
		rc = ae_fail_mem(&e);
	else
		rc = json_object_set_new(facts, "asked",
			 json_pack("{s:s?}", "template", o.template)) != 0
		    ? ae_fail_mem(&e)
		    : ae_diag_make_server(&d, facts, &e);
	if (rc == AE_OK && (report = ae_diag_report(d, facts, o.lang)) == NULL)
		rc = ae_fail_mem(&e);
	if (rc == AE_OK) {
		show(report, facts, &o);
		code = code_of(report, facts);
	} else {
		code = cli_fail(cli, &e);
	}
	ae_diag_free(d);
	json_decref(report);
	json_decref(facts);
	return code;
}
