/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * certsrv crl publish: asks the running CA and waits until a CRL with a
 * higher number lies in the CRL directory.  certsrv crl show: the newest one
 * there, entry by entry.
 */
#include <dirent.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/hex.h"
#include "base/time.h"
#include "cli.h"
#include "control.h"
#include "pki/crl.h"
#include "remote.h"
#include "sys/files.h"

#define CRL_MAX (256u << 20)
#define POLL_MS 100

struct newest {
	unsigned key; /* index of the CA's key */
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
	    crl->has_number &&
	    (n->path == NULL || crl->ca_version >> 16 > n->key ||
		(crl->ca_version >> 16 == n->key && crl->number > n->number))) {
		free(n->path);
		n->path = strdup(path);
		n->key = crl->ca_version >> 16;
		n->number = crl->number;
		n->next_update = crl->next_update;
	}
	ae_crl_free(crl);
	free(p);
}

/* The CRL of the newest key, with the highest number, in the directory. */
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

/* Not root, but an administrator here. */
static int
ask_local(struct cli *cli, struct ae_err *e)
{
	struct control_answer *a = calloc(1, sizeof(*a));
	struct ae_wr none;
	int rc;

	if (a == NULL)
		return ae_fail_mem(e);
	ae_wr_init(&none, 1);
	rc = control_ask(cli, MSG_ADMIN_PUBLISH, &none, a, e);
	free(a);
	return rc;
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
	if (geteuid() != 0) {
		rc = ask_local(cli, e);
		if (rc < 0) {
			free(before.path);
			return rc;
		}
	} else if (!cli_signal(cli, SIGUSR1)) {
		free(before.path);
		return ae_fail(e, AE_EUNAVAIL, AE_DOM_NONE, 0,
		    "certsrvd does not run (or not as yours to signal); it "
		    "publishes a CRL when it starts");
	}
	for (i = 0; i < seconds * 1000 / POLL_MS; i++) {
		find_newest(&now, cli->conf.crl_dir);
		if (now.path != NULL &&
		    (before.path == NULL || now.number > before.number ||
			now.key > before.key))
			break;
		(void)nanosleep(&pause, NULL);
	}
	if (now.path == NULL ||
	    (before.path != NULL && now.number <= before.number &&
		now.key <= before.key))
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

/* ---- show ---- */

struct listing {
	json_t *rows; /* NULL: as text */
};

static const char *
reason_name(enum ae_crl_reason r)
{
	static const char *const names[] = {
		[AE_CRL_UNSPECIFIED] = "unspecified",
		[AE_CRL_KEY_COMPROMISE] = "key-compromise",
		[AE_CRL_CA_COMPROMISE] = "ca-compromise",
		[AE_CRL_AFFILIATION_CHANGED] = "affiliation-changed",
		[AE_CRL_SUPERSEDED] = "superseded",
		[AE_CRL_CESSATION] = "cessation-of-operation",
		[AE_CRL_HOLD] = "hold",
	};

	return (size_t)r < sizeof(names) / sizeof(names[0]) && names[r] != NULL
	    ? names[r]
	    : "other";
}

static int
print_entry(void *arg, struct ae_der serial, int64_t revoked,
    enum ae_crl_reason reason, struct ae_err *e)
{
	struct listing *l = arg;
	char hex[2 * 64 + 1], when[AE_TIME_STR_MAX];

	(void)e;
	ae_hex_encode(hex, serial.p, serial.len > 64 ? 64 : serial.len);
	if (l->rows == NULL)
		(void)printf("%s  %s  %s\n", hex, ae_time_print(when, revoked),
		    reason_name(reason));
	else
		(void)json_array_append_new(l->rows,
		    json_pack("{s:s, s:o, s:s}", "serial", hex, "revoked",
			cli_json_time(revoked), "reason", reason_name(reason)));
	return AE_OK;
}

static int
print_crl(struct cli *cli, const char *where, const uint8_t *p, size_t len,
    struct ae_err *e)
{
	struct listing l = { cli->json ? json_array() : NULL };
	char from[AE_TIME_STR_MAX], to[AE_TIME_STR_MAX];
	struct ae_crl *crl = NULL;
	int rc;

	rc = ae_crl_parse(&crl, p, len, CRL_MAX, false, e);
	if (rc == AE_OK && !cli->json)
		(void)printf("%s\nCRL %llu, %s to %s, %zu entries\n",
		    cli_safe(where), (unsigned long long)crl->number,
		    ae_time_print(from, crl->this_update),
		    ae_time_print(to, crl->next_update), crl->entries);
	if (rc == AE_OK)
		rc = ae_crl_each(crl, print_entry, &l, e);
	if (rc == AE_OK && cli->json)
		cli_print_json(json_pack("{s:o, s:I, s:o, s:o, s:O}", "path",
		    cli_json_text(where), "number", (json_int_t)crl->number,
		    "this_update", cli_json_time(crl->this_update),
		    "next_update", cli_json_time(crl->next_update), "entries",
		    l.rows));
	json_decref(l.rows);
	ae_crl_free(crl);
	return rc;
}

static int
show_crl(struct cli *cli, const char *path, struct ae_err *e)
{
	uint8_t *p = NULL;
	size_t len;
	int rc = ae_file_read(&p, &len, path, CRL_MAX, e);

	if (rc == AE_OK)
		rc = print_crl(cli, path, p, len, e);
	free(p);
	return rc;
}

static int
show(struct cli *cli, struct ae_err *e)
{
	struct newest n = { 0 };
	int rc;

	find_newest(&n, cli->conf.crl_dir);
	rc = n.path == NULL ? ae_fail(e, AE_ENOTFOUND, AE_DOM_NONE, 0,
				  "no CRL in %s", cli->conf.crl_dir)
			    : show_crl(cli, n.path, e);
	free(n.path);
	return rc;
}

/* ---- a CA on another host ---- */

static int
ask_remote(struct cli *cli, bool shows, struct ae_err *e)
{
	struct ae_admin_request rq = { .opnum = AE_ADMIN_PUBLISHCRL };
	struct ae_admin_reply p;
	struct remote *r = NULL;
	int rc = remote_open(&r, cli, e);

	if (rc == AE_OK && !shows)
		rc = remote_ask(r, &rq, &p, e);
	rq.opnum = AE_ADMIN_GETCRL;
	if (rc == AE_OK)
		rc = remote_ask(r, &rq, &p, e);
	if (rc == AE_OK)
		rc = print_crl(cli, cli->ca, p.blob.p, p.blob.len, e);
	remote_close(r);
	return rc;
}

int
cmd_crl(struct cli *cli, int argc, char **argv)
{
	struct ae_err e = AE_ERR_INIT;
	long seconds = 20;
	bool shows;
	char *end;
	int c, rc;

	if (argc < 2 ||
	    (strcmp(argv[1], "publish") != 0 && strcmp(argv[1], "show") != 0))
		return cli_usage("crl", "publish or show?");
	shows = argv[1][0] == 's';
	while ((c = getopt_long(argc - 1, argv + 1, "", options, NULL)) != -1) {
		seconds = c == 'w' && !shows ? strtol(optarg, &end, 10) : -1;
		if (seconds < 0 || seconds > 3600 || *end != '\0')
			return cli_usage("crl", "--wait is 0 to 3600");
	}
	if (optind != argc - 1)
		return cli_usage("crl", "%s takes options only", argv[1]);
	if (cli->ca != NULL)
		rc = ask_remote(cli, shows, &e);
	else if ((rc = cli_conf(cli, &e)) == AE_OK)
		rc = shows ? show(cli, &e) : publish(cli, seconds, &e);
	return rc == AE_OK ? EXIT_OK : cli_fail(cli, &e);
}
