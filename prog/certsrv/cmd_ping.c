/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * certsrv ping: is the CA there, and which roles has one at it.
 */
#include <stdio.h>

#include "remote.h"

/* clang-format off */
static const struct {
	uint32_t role;
	const char *name; /* of the right, as "permission" has it */
} roles[] = {
	{ AE_ADMIN_ROLE_ADMIN, "manage-ca" },
	{ AE_ADMIN_ROLE_OFFICER, "manage-certificates" },
	{ AE_ADMIN_ROLE_AUDITOR, "audit" },
	{ AE_ADMIN_ROLE_OPERATOR, "backup" },
	{ AE_ADMIN_ROLE_READ, "read" },
	{ AE_ADMIN_ROLE_ENROLL, "enroll" },
};
/* clang-format on */

static void
tell(const struct cli *cli, uint32_t mine)
{
	json_t *v = json_array();
	bool first = true;
	size_t i;

	if (!cli->json)
		(void)printf("%s answers; you have ", cli_safe(cli->ca));
	for (i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
		if ((mine & roles[i].role) == 0)
			continue;
		if (!cli->json)
			(void)printf("%s%s", first ? "" : ", ", roles[i].name);
		(void)json_array_append_new(v, json_string(roles[i].name));
		first = false;
	}
	if (cli->json) {
		cli_print_json(json_pack(
		    "{s:b, s:s, s:o}", "alive", 1, "ca", cli->ca, "roles", v));
		return;
	}
	json_decref(v);
	(void)puts("");
}

/* GetMyRoles needs less than Ping, and says more. */
static int
remote(struct cli *cli, struct ae_err *e)
{
	struct ae_admin_request rq = { .opnum = AE_ADMIN_GETMYROLES };
	struct ae_admin_reply p;
	struct remote *r = NULL;
	int rc = remote_open(&r, cli, e);

	if (rc == AE_OK)
		rc = remote_ask(r, &rq, &p, e);
	if (rc == AE_OK)
		tell(cli, p.n);
	remote_close(r);
	return rc;
}

static int
here(struct cli *cli, struct ae_err *e)
{
	int rc = cli_conf(cli, e), pid;

	if (rc < 0)
		return rc;
	pid = cli_daemon(cli);
	if (pid == 0)
		return ae_fail(
		    e, AE_EUNAVAIL, AE_DOM_NONE, 0, "certsrvd does not run");
	if (cli->json)
		cli_print_json(json_pack("{s:b, s:o, s:i}", "alive", 1, "ca",
		    cli_json_text(cli->conf.name), "pid", pid));
	else
		(void)printf("certsrvd of \"%s\" runs, process %d\n",
		    cli_safe(cli->conf.name), pid);
	return AE_OK;
}

int
cmd_ping(struct cli *cli, int argc, char **argv)
{
	struct ae_err e = AE_ERR_INIT;
	int rc;

	(void)argv;
	if (argc != 1)
		return cli_usage("ping", "it takes no arguments");
	rc = cli->ca != NULL ? remote(cli, &e) : here(cli, &e);
	return rc == AE_OK ? EXIT_OK : cli_fail(cli, &e);
}
