/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * certsrv recover-key: the message in which a request's private key lies for
 * the key recovery agents.  Nobody here can open it.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control.h"
#include "pki/recover.h"
#include "remote.h"
#include "sys/files.h"

/* clang-format off */
static const struct option options[] = {
	{ "out", required_argument, NULL, 'o' },
	{ 0 },
};
/* clang-format on */

static int
keep(const struct cli *cli, int64_t id, const char *path, const uint8_t *p,
    size_t len, struct ae_err *e)
{
	int rc = ae_file_write(path, p, len, 0600, e);

	if (rc == AE_OK && cli->json)
		cli_print_json(json_pack("{s:I, s:o}", "id", (json_int_t)id,
		    "path", cli_json_text(path)));
	else if (rc == AE_OK)
		(void)printf("request %lld: %s\n", (long long)id, path);
	return rc;
}

static int
fetch(struct cli *cli, int64_t id, const char *path, struct ae_err *e)
{
	struct control_answer *a = calloc(1, sizeof(*a));
	struct ae_wr w;
	int rc;

	if (a == NULL)
		return ae_fail_mem(e);
	ae_wr_init(&w, 8);
	ae_wr_u64(&w, (uint64_t)id);
	rc = control_ask(cli, MSG_ADMIN_RECOVER, &w, a, e);
	ae_wr_done(&w);
	if (rc == AE_OK)
		rc = keep(cli, id, path, a->blob, a->blob_len, e);
	free(a);
	return rc;
}

/* The CA's signature around it came over a sealed channel, and goes no further.
 */
static int
keep_inner(struct cli *cli, int64_t id, const char *path, const uint8_t *p,
    size_t len, struct ae_err *e)
{
	struct ae_wr w;
	int rc;

	ae_wr_init(&w, AE_ARCHIVED_MAX);
	rc = ae_archive_unwrap(&w, p, len, e);
	if (rc == AE_OK)
		rc = keep(cli, id, path, w.p, w.len, e);
	ae_wr_done(&w);
	return rc;
}

/* From a CA on another host. */
static int
fetch_remote(struct cli *cli, int64_t id, const char *path, struct ae_err *e)
{
	struct ae_admin_request rq = { .opnum = AE_ADMIN_GETARCHIVEDKEY,
		.id = (uint32_t)id };
	struct ae_admin_reply p;
	struct remote *r = NULL;
	int rc = remote_open(&r, cli, e);

	if (rc == AE_OK)
		rc = remote_ask(r, &rq, &p, e);
	if (rc == AE_OK)
		rc = keep_inner(cli, id, path, p.blob.p, p.blob.len, e);
	remote_close(r);
	return rc;
}

int
cmd_recover(struct cli *cli, int argc, char **argv)
{
	struct ae_err e = AE_ERR_INIT;
	const char *path = NULL;
	char made[64], *end;
	long long id;
	int c, rc;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c != 'o')
			return cli_usage("recover-key", "unknown option");
		path = optarg;
	}
	if (optind + 1 != argc)
		return cli_usage("recover-key", "which request? One id");
	id = strtoll(argv[optind], &end, 10);
	if (*end != '\0' || id <= 0 || id > INT32_MAX)
		return cli_usage("recover-key", "which request? One id");
	if (path == NULL) {
		(void)snprintf(made, sizeof(made), "%lld.p7m", id);
		path = made;
	}
	if (cli->ca != NULL)
		rc = fetch_remote(cli, id, path, &e);
	else if ((rc = cli_conf(cli, &e)) == AE_OK)
		rc = fetch(cli, id, path, &e);
	return rc == AE_OK ? EXIT_OK : cli_fail(cli, &e);
}
