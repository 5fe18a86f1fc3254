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

#include "base/time.h"
#include "cli.h"
#include "cmd_diagnose_csv.h"
#include "diag/diag.h"
#include "diag/facts.h"
#include "diag/page.h"
#include "diag/report.h"
#include "diagnose.h"
#include "probe.h"
#include "sys/clock.h"
#include "sys/files.h"

#define TEXT_MAX (4u << 20)
#define PAGE_MAX (64u << 20)

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
	struct probe p = { .cli = cli,
		.ca = o->ca,
		.only = o->template,
		.live = o->live,
		.other = o->user && o->whose != NULL };
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

/* Readable by nobody else: it says much about a machine. */
static int
write_page(const json_t *reports, const struct diagnose *o, struct ae_err *e)
{
	struct ae_wr w;
	int rc;

	ae_wr_init(&w, PAGE_MAX);
	ae_diag_report_html(&w, reports, o->lang);
	rc = ae_wr_ok(&w) ? ae_file_write(o->html, w.p, w.len, 0600, e)
			  : ae_fail_mem(e);
	ae_wr_done(&w);
	return rc;
}

static void
print_text(const json_t *report, const struct diagnose *o)
{
	struct ae_wr w;

	ae_wr_init(&w, TEXT_MAX);
	ae_diag_report_text(&w, report, o->lang, o->verbose);
	(void)fputs(ae_wr_cstr(&w), stdout);
	ae_wr_done(&w);
}

/* What is wrong is a finding; not to know is none. */
static bool
has_finding(const json_t *report)
{
	return json_is_object(json_object_get(report, "root"));
}

static void
warn(const struct diagnose *o, const char *frame)
{
	struct ae_wr w;

	ae_wr_init(&w, PAGE_MAX);
	ae_diag_page(&w, 0, "autoenroll", ae_diag_frame(o->lang, frame));
	(void)fputs(ae_wr_cstr(&w) == NULL ? "" : ae_wr_cstr(&w), stderr);
	ae_wr_done(&w);
}

static int
diagnose_here(json_t **report, struct cli *cli, const struct diagnose *o,
    struct ae_err *e)
{
	char when[AE_TIME_STR_MAX];
	const int64_t start = probe_now_us();
	json_t *facts = NULL;
	struct ae_diag *d = NULL;
	int rc;

	if (o->live)
		warn(o, "live.warning");
	rc = look(&facts, cli, o, e);
	if (rc == AE_OK) {
		(void)json_object_set_new(facts, "asked",
		    json_pack("{s:s?, s:s?, s:s, s:f}", "template", o->template,
			"ca", o->ca, "time",
			ae_time_print(when, ae_clock_now()), "ms",
			probe_ms(start)));
		rc = ae_diag_make(&d, facts, e);
	}
	if (rc == AE_OK) {
		*report = ae_diag_report(d, facts, o->lang);
		if (*report == NULL)
			rc = ae_fail_mem(e);
		else if (o->verbose)
			(void)json_object_set(*report, "facts", facts);
	}
	ae_diag_free(d);
	json_decref(facts);
	return rc;
}

static int
one(struct cli *cli, const struct diagnose *o)
{
	json_t *report = NULL, *list;
	struct ae_err e = AE_ERR_INIT;
	int rc, code;

	rc = diagnose_here(&report, cli, o, &e);
	if (rc == AE_OK && o->html != NULL) {
		list = json_pack("[O]", report);
		rc = write_page(list, o, &e);
		json_decref(list);
	}
	if (rc != AE_OK) {
		code = cli_fail(cli, &e);
	} else {
		if (cli->json)
			cli_print_json(report);
		else
			print_text(report, o);
		code = has_finding(report) ? EXIT_FINDING : EXIT_OK;
	}
	json_decref(report);
	return code;
}

static int
several(struct cli *cli, const struct diagnose *o)
{
	json_t *reports = NULL, *r;
	struct ae_err e = AE_ERR_INIT;
	int rc, code = EXIT_OK;
	size_t i;

	warn(o, "hosts.warning");
	rc = diagnose_hosts(&reports, o, &e);
	if (rc == AE_OK && o->html != NULL)
		rc = write_page(reports, o, &e);
	if (rc != AE_OK) {
		json_decref(reports);
		return cli_fail(cli, &e);
	}
	json_array_foreach(reports, i, r)
	{
		if (ae_fact(r, "error") != NULL && code == EXIT_OK)
			code = EXIT_NETWORK;
		if (has_finding(r))
			code = EXIT_FINDING;
	}
	if (cli->json)
		cli_print_json(reports);
	else
		diagnose_print_hosts(reports);
	json_decref(reports);
	return code;
}

/* For whom: the machine, oneself, or somebody that root becomes. */
static int
choose_whom(struct cli *cli, const struct diagnose *o, struct ae_err *e)
{
	int rc = AE_OK;

	if (!o->user)
		return AE_OK;
	if (o->whose != NULL)
		rc = diagnose_become(o->whose, e);
	return rc == AE_OK ? cli_for_user(cli, e) : rc;
}

static int
read_options(struct diagnose *o, struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {
		{ "machine", no_argument, NULL, 'm' },
		{ "user", optional_argument, NULL, 'u' },
		{ "template", required_argument, NULL, 'T' },
		{ "ca", required_argument, NULL, 'c' },
		{ "from-csv", no_argument, NULL, 'f' },
		{ "host", required_argument, NULL, 'h' },
		{ "html", required_argument, NULL, 'H' },
		{ "lang", required_argument, NULL, 'l' },
		{ "live", no_argument, NULL, 'L' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "json", no_argument, NULL, 'j' },
		{ 0 },
	};
	int opt;

	while ((opt = getopt_long(argc, argv, "T:v", options, NULL)) != -1) {
		switch (opt) {
		case 'm':
			o->user = false;
			break;
		case 'u':
			o->user = true;
			o->whose = optarg;
			break;
		case 'T':
			o->template = optarg;
			break;
		case 'c':
			o->ca = optarg;
			break;
		case 'h':
			if (optarg[0] == '-' || !ae_strv_add(&o->hosts, optarg))
				return cli_usage("diagnose", "'%s' is no host",
				    cli_safe(optarg));
			break;
		case 'H':
			o->html = optarg;
			break;
		case 'f':
			o->from_csv = true;
			break;
		case 'l':
			if (!ae_diag_lang_find(&o->lang, optarg))
				return cli_usage("diagnose",
				    "there is no language '%s'",
				    cli_safe(optarg));
			break;
		case 'L':
			o->live = true;
			break;
		case 'v':
			o->verbose = true;
			break;
		case 'j':
			cli->json = true;
			break;
		default:
			return cli_usage("diagnose", "unknown option");
		}
	}
	if (o->from_csv && optind == argc)
		return cli_usage(
		    "diagnose", "--from-csv wants files, directories or -");
	if (o->from_csv)
		return EXIT_OK;
	/* "--user alice" is what people type, too. */
	if (o->user && o->whose == NULL && optind + 1 == argc)
		o->whose = argv[optind++];
	if (optind != argc)
		return cli_usage("diagnose", "no arguments are expected");
	return EXIT_OK;
}

int
cmd_diagnose(struct cli *cli, int argc, char **argv)
{
	struct diagnose o = { .user = geteuid() != 0,
		.lang = ae_diag_lang_pick(
		    getenv("LC_ALL"), getenv("LC_MESSAGES"), getenv("LANG")) };
	struct ae_err e = AE_ERR_INIT;
	int code = read_options(&o, cli, argc, argv);

	if (code == EXIT_OK && o.from_csv)
		code = ae_diagnose_csv(cli, argv + optind,
		    (size_t)(argc - optind), o.lang, o.verbose);
	else if (code == EXIT_OK && o.hosts.n > 0)
		code = several(cli, &o);
	else if (code == EXIT_OK)
		code = choose_whom(cli, &o, &e) == AE_OK ? one(cli, &o)
							 : cli_fail(cli, &e);
	ae_strv_done(&o.hosts);
	return code;
}
