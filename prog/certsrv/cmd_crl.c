/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * certsrv crl publish: asks the running CA and waits until a CRL with a
 * higher number lies in the CRL directory.
 */
#include <dirent.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/time.h"
#include "cli.h"
#include "pki/crl.h"
#include "sys/files.h"

#define CRL_MAX (256u << 20)
#define POLL_MS 100

struct newest {
	uint64_t number;
	int64_t next_update;
	char *path;
};

/* clang-format off */
static const struct option options[] = {
	{ "wait", required_argument, NULL, 'w' },
	{ 0 },
};
/* clang-format on */

static void
look_at(struct newest *n, const char *path)
{
	struct ae_crl *crl = NULL;
	uint8_t *p = NULL;
	size_t len;

	if (ae_file_read(&p, &len, path, CRL_MAX, NULL) == AE_OK &&
	    ae_crl_parse(&crl, p, len, CRL_MAX, false, NULL) == AE_OK &&
	    crl->has_number && (n->path == NULL || crl->number > n->number)) {
		free(n->path);
		n->path = strdup(path);
		n->number = crl->number;
		n->next_update = crl->next_update;
	}
	ae_crl_free(crl);
	free(p);
}

/* The CRL with the highest number in the directory. */
static void
find_newest(struct newest *n, const char *dir)
{
	struct dirent *d;
	char *path;
	DIR *list = opendir(dir);

	while (list != NULL && (d = readdir(list)) != NULL) {
		if (d->d_name[0] == '.' ||
		    asprintf(&path, "%s/%s", dir, d->d_name) < 0)
			continue;
		look_at(n, path);
		free(path);
	}
	if (list != NULL)
		(void)closedir(list);
}

static int
publish(struct cli *cli, long seconds, struct ae_err *e)
{
	const struct timespec pause = { 0, POLL_MS * 1000000L };
	struct newest before = { 0 }, now = { 0 };
	char when[AE_TIME_STR_MAX];
	long i;
	int rc = AE_OK;

	find_newest(&before, cli->conf.crl_dir);
	if (!cli_signal(cli, SIGUSR1)) {
		free(before.path);
		return ae_fail(e, AE_EUNAVAIL, AE_DOM_NONE, 0,
		    "certsrvd does not run (or not as yours to signal); it "
		    "publishes a CRL when it starts");
	}
	for (i = 0; i < seconds * 1000 / POLL_MS; i++) {
		find_newest(&now, cli->conf.crl_dir);
		if (now.path != NULL &&
		    (before.path == NULL || now.number > before.number))
			break;
		(void)nanosleep(&pause, NULL);
	}
	if (now.path == NULL ||
	    (before.path != NULL && now.number <= before.number))
		rc = ae_fail(e, AE_ETIMEDOUT, AE_DOM_NONE, 0,
		    "no new CRL within %ld seconds; certsrvd's log says why",
		    seconds);
	else if (cli->json)
		cli_print_json(json_pack("{s:I, s:o, s:o}", "number",
		    (json_int_t)now.number, "next_update",
		    cli_json_time(now.next_update), "path",
		    cli_json_text(now.path)));
	else
		(void)printf("CRL %llu, good until %s: %s\n",
		    (unsigned long long)now.number,
		    ae_time_print(when, now.next_update), now.path);
	free(before.path);
	free(now.path);
	return rc;
}

int
cmd_crl(struct cli *cli, int argc, char **argv)
{
	struct ae_err e = AE_ERR_INIT;
	long seconds = 20;
	char *end;
	int c, rc;

	if (argc < 2 || strcmp(argv[1], "publish") != 0)
		return cli_usage("crl", "publish?");
	while ((c = getopt_long(argc - 1, argv + 1, "", options, NULL)) != -1) {
		seconds = c == 'w' ? strtol(optarg, &end, 10) : -1;
		if (seconds < 0 || seconds > 3600 || *end != '\0')
			return cli_usage("crl", "--wait is 0 to 3600");
	}
	if (optind != argc - 1)
		return cli_usage("crl", "publish takes options only");
	rc = cli_conf(cli, &e);
	if (rc == AE_OK)
		rc = publish(cli, seconds, &e);
	return rc == AE_OK ? EXIT_OK : cli_fail(cli, &e);
}
