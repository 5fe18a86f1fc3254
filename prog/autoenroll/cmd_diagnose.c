/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * autoenroll diagnose: name the cause.
 */
#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"
#include "cmd_diagnose_csv.h"
#include "diag/diag.h"
#include "diag/facts.h"
#include "diag/report.h"
#include "probe.h"

#define TEXT_MAX (4u << 20)

struct diagnose {
	const char *template, *ca;
	enum ae_diag_lang lang;
	bool verbose;
};

/* What the probes left in their private directory. */
static void
remove_below(const char *dir)
{
	char path[4096];
	struct dirent *d;
	DIR *list = opendir(dir);

	while (list != NULL && (d = readdir(list)) != NULL) {
		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", dir, d->d_name);
		if (unlink(path) != 0 && errno == EISDIR)
			remove_below(path);
	}
	if (list != NULL)
		(void)closedir(list);
	(void)rmdir(dir);
}

static int
look(
    json_t **facts, struct cli *cli, const struct diagnose *o, struct ae_err *e)
{
	const char *tmp = getenv("TMPDIR");
	char dir[512];
	struct probe p = { .cli = cli, .ca = o->ca, .only = o->template };
	int rc;

	(void)snprintf(dir, sizeof(dir), "%s/autoenroll-XXXXXX",
	    tmp != NULL && tmp[0] == '/' ? tmp : "/tmp");
	if (mkdtemp(dir) == NULL)
		return ae_fail_errno(e, errno, "make a directory %s", dir);
	/* The unprivileged user of the planning roles goes through it; what is
	 * in it has modes of its own. */
	(void)chmod(dir, 0711);
	p.dir = dir;
	rc = probe_all(facts, &p, e);
	remove_below(dir);
	return rc;
}

static void
show(const json_t *report, const struct diagnose *o)
{
	struct ae_wr w;

	ae_wr_init(&w, TEXT_MAX);
	ae_diag_report_text(&w, report, o->lang, o->verbose);
	(void)fputs(ae_wr_cstr(&w), stdout);
	ae_wr_done(&w);
}

/* What is wrong is a finding; not to know is none. */
static int
code_of(const json_t *report)
{
	return json_is_object(json_object_get(report, "root")) ? EXIT_FINDING
							       : EXIT_OK;
}

static int
diagnose(struct cli *cli, const struct diagnose *o)
{
	json_t *facts = NULL, *report = NULL;
	struct ae_err e = AE_ERR_INIT;
	struct ae_diag *d = NULL;
	int rc, code;

	rc = look(&facts, cli, o, &e);
	if (rc == AE_OK) {
		(void)json_object_set_new(facts, "asked",
		    json_pack(
			"{s:s?, s:s?}", "template", o->template, "ca", o->ca));
		rc = ae_diag_make(&d, facts, &e);
	}
	if (rc == AE_OK) {
		report = ae_diag_report(d, facts, o->lang);
		if (report == NULL)
			rc = ae_fail_mem(&e);
	}
	if (rc != AE_OK) {
		code = cli_fail(cli, &e);
	} else {
		if (cli->json && o->verbose)
			(void)json_object_set(report, "facts", facts);
		if (cli->json)
			cli_print_json(report);
		else
			show(report, o);
		code = code_of(report);
	}
	ae_diag_free(d);
	json_decref(report);
	json_decref(facts);
	return code;
}

int
cmd_diagnose(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {
		{ "machine", no_argument, NULL, 'm' },
		{ "user", no_argument, NULL, 'u' },
		{ "template", required_argument, NULL, 'T' },
		{ "ca", required_argument, NULL, 'c' },
		{ "from-csv", no_argument, NULL, 'f' },
		{ "lang", required_argument, NULL, 'l' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "json", no_argument, NULL, 'j' },
		{ 0 },
	};
	struct diagnose o = { .lang = ae_diag_lang_pick(getenv("LC_ALL"),
				  getenv("LC_MESSAGES"), getenv("LANG")) };
	bool user = geteuid() != 0, from_csv = false;
	struct ae_err e = AE_ERR_INIT;
	int opt;

	while ((opt = getopt_long(argc, argv, "T:v", options, NULL)) != -1) {
		switch (opt) {
		case 'm':
			user = false;
			break;
		case 'u':
			user = true;
			break;
		case 'T':
			o.template = optarg;
			break;
		case 'c':
			o.ca = optarg;
			break;
		case 'f':
			from_csv = true;
			break;
		case 'l':
			if (!ae_diag_lang_find(&o.lang, optarg))
				return cli_usage("diagnose",
				    "there is no language '%s'", optarg);
			break;
		case 'v':
			o.verbose = true;
			break;
		case 'j':
			cli->json = true;
			break;
		default:
			return cli_usage("diagnose", "unknown option");
		}
	}
	if (from_csv && optind == argc)
		return cli_usage(
		    "diagnose", "--from-csv wants files, directories or -");
	if (from_csv)
		return ae_diagnose_csv(cli, argv + optind,
		    (size_t)(argc - optind), o.lang, o.verbose);
	if (optind != argc)
		return cli_usage("diagnose", "no arguments are expected");
	if (user && cli_for_user(cli, &e) != AE_OK)
		return cli_fail(cli, &e);
	return diagnose(cli, &o);
}
