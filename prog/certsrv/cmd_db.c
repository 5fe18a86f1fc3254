/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * certsrv db: is the database whole, and from SQLite to PostgreSQL.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "db/copy.h"
#include "dbconf.h"

/* The configuration as it is going to be. */
static int
target_conf(struct conf *c, const struct conf *now, const char *uri,
    const char *password_file, struct ae_err *e)
{
	bool local;
	int rc = ae_db_server_check(uri, &local, e);

	if (rc != AE_OK)
		return rc;
	*c = *now;
	c->database = strdup(uri);
	c->db_server = strdup(uri);
	c->db_password_file =
	    password_file == NULL ? NULL : strdup(password_file);
	return c->database == NULL || c->db_server == NULL ||
		(password_file != NULL && c->db_password_file == NULL)
	    ? ae_fail_mem(e)
	    : AE_OK;
}

static int
copy(struct cli *cli, const char *uri, const char *password_file,
    struct ae_db_copied *out, struct ae_err *e)
{
	struct ae_db_options from_opt = { .read_only = true };
	struct ae_db_options to_opt = { .create = true };
	struct ae_db *from = NULL, *to = NULL;
	struct conf target = { .database = NULL };
	int rc = target_conf(&target, &cli->conf, uri, password_file, e);

	if (rc == AE_OK)
		rc = dbconf_open(&from, &cli->conf, &from_opt, e);
	if (rc == AE_OK)
		rc = dbconf_open(&to, &target, &to_opt, e);
	if (rc == AE_OK)
		rc = ae_db_copy(to, from, out, e);
	ae_db_free(to);
	ae_db_free(from);
	free(target.database);
	free(target.db_server);
	free(target.db_password_file);
	return rc;
}

static int
copy_verb(struct cli *cli, const char *uri, const char *password_file)
{
	struct ae_err e = AE_ERR_INIT;
	struct ae_db_copied c = { 0 };
	int rc;

	if (cli_daemon(cli) != 0) {
		(void)ae_fail(&e, AE_EUNAVAIL, AE_DOM_NONE, 0,
		    "certsrvd is running: stop it first, so that nothing is "
		    "written while rows are copied");
		return cli_fail(cli, &e);
	}
	rc = cli_conf(cli, &e);
	if (rc == AE_OK)
		rc = copy(cli, uri, password_file, &c, &e);
	if (rc != AE_OK) {
		(void)cli_fail(cli, &e);
		return EXIT_LOCAL;
	}
	if (cli->json)
		cli_print_json(json_pack("{s:I, s:I, s:I}", "rows",
		    (json_int_t)c.rows, "requests", (json_int_t)c.requests,
		    "links", (json_int_t)c.links));
	else
		(void)printf("%lld rows, %lld of them requests; the audit "
			     "chain is whole on both sides: %lld links\n"
			     "Now write it into certsrv.conf, section "
			     "database, as server, and start certsrvd.\n",
		    (long long)c.rows, (long long)c.requests,
		    (long long)c.links);
	return EXIT_OK;
}

/* Every page and every link, beside a running certsrvd. */
static int
check_verb(struct cli *cli)
{
	struct ae_db_options o = { .read_only = true };
	struct ae_err e = AE_ERR_INIT;
	struct ae_db *db = NULL;
	int64_t links = 0;
	int rc;

	rc = cli_conf(cli, &e);
	if (rc == AE_OK)
		rc = dbconf_open(&db, &cli->conf, &o, &e);
	if (rc == AE_OK)
		rc = ae_db_check(db, &e);
	if (rc == AE_OK)
		rc = ae_db_audit_verify(db, &links, &e);
	ae_db_free(db);
	if (rc != AE_OK) {
		(void)cli_fail(cli, &e);
		return rc == AE_EPROTO ? EXIT_FINDING : EXIT_LOCAL;
	}
	if (cli->json)
		cli_print_json(json_pack(
		    "{s:b, s:I}", "whole", true, "links", (json_int_t)links));
	else
		(void)printf("the database is whole, and its audit chain of "
			     "%lld links\n",
		    (long long)links);
	return EXIT_OK;
}

int
cmd_db(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {
		{ "password-file", required_argument, NULL, 'P' },
		{ "json", no_argument, NULL, 'j' },
		{ 0 },
	};
	const char *password_file = NULL;
	int opt;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (opt == 'P')
			password_file = optarg;
		else if (opt == 'j')
			cli->json = true;
		else
			return cli_usage("db", "no such option");
	}
	if (argc - optind == 1 && strcmp(argv[optind], "check") == 0)
		return check_verb(cli);
	if (argc - optind == 2 && strcmp(argv[optind], "copy") == 0)
		return copy_verb(cli, argv[optind + 1], password_file);
	return cli_usage("db", "check; or copy, and where to");
}
