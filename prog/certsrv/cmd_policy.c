/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * certsrv policy: the policy files of templates.  "try" is in policy_try.c.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca/lint.h"
#include "cli.h"
#include "policy.h"
#include "sys/files.h"

int
policy_load(struct ae_rules **out, const char *path, struct ae_err *e)
{
	const char *slash = strrchr(path, '/');
	uint8_t *text = NULL;
	size_t len = 0;
	int rc;

	rc = ae_file_read(&text, &len, path, AE_RULES_FILE_MAX, e);
	if (rc == AE_OK)
		rc = ae_rules_load(
		    out, slash != NULL ? slash + 1 : path, text, len, e);
	free(text);
	return rc;
}

/* What is good as a file and would be denied by this CA's configuration. */
static int
check_conf(struct cli *cli, const char *path, const struct ae_rules *r,
    struct ae_err *e)
{
	const struct conf *c = &cli->conf;
	size_t i;

	if (cli_conf(cli, NULL) < 0)
		return AE_OK; /* no CA here */
	for (i = 0; i < r->extensions.n; i++)
		if (!ae_ca_extension_allowed(
			r->extensions.v[i].oid, &c->policy_extensions))
			return ae_fail(e, AE_EDENIED, AE_DOM_NONE, 0,
			    "%s: the configuration does not let policy files "
			    "add the extension %s: [policy] extension",
			    path, r->extensions.v[i].oid);
	if (r->yubikey.n > 0 && c->yubikey_roots == NULL)
		return ae_fail(e, AE_EDENIED, AE_DOM_NONE, 0,
		    "%s: no attestation is believed: [policy] yubikey-roots is "
		    "not set",
		    path);
	return AE_OK;
}

/* Each file, and whether the CA would take it. */
static int
check(struct cli *cli, int argc, char **argv)
{
	json_t *files = json_array();
	int i, broken = 0;

	for (i = 0; i < argc; i++) {
		struct ae_err e = AE_ERR_INIT;
		struct ae_rules *r = NULL;
		const bool ok = policy_load(&r, argv[i], &e) == AE_OK &&
		    check_conf(cli, argv[i], r, &e) == AE_OK;

		broken += !ok;
		if (cli->json)
			(void)json_array_append_new(files,
			    json_pack("{s:o, s:b, s:o}", "file",
				cli_json_text(argv[i]), "ok", ok, "error",
				cli_json_text(ok ? NULL : e.text)));
		else if (ok)
			(void)printf("%s: good%s\n", cli_safe(argv[i]),
			    r->audit_only ? ", audits only" : "");
		else
			(void)printf("%s\n", cli_safe(e.text));
		ae_rules_free(r);
	}
	if (cli->json)
		cli_print_json(json_pack("{s:o}", "files", files));
	else
		json_decref(files);
	return broken == 0 ? EXIT_OK : EXIT_FINDING;
}

/* The signal says that and nothing else; certsrvd looks by itself, too. */
static int
reload(struct cli *cli)
{
	struct ae_err e = AE_ERR_INIT;

	if (cli_conf(cli, &e) < 0)
		return cli_fail(cli, &e);
	if (!cli_signal(cli, SIGUSR2)) {
		(void)ae_fail(
		    &e, AE_EUNAVAIL, AE_DOM_NONE, 0, "certsrvd does not run");
		return cli_fail(cli, &e);
	}
	if (!cli->json)
		(void)puts("the policy files are read again");
	return EXIT_OK;
}

int
cmd_policy(struct cli *cli, int argc, char **argv)
{
	if (argc >= 2 && strcmp(argv[1], "try") == 0)
		return policy_try(cli, argc - 1, argv + 1);
	if (argc == 2 && strcmp(argv[1], "reload") == 0)
		return reload(cli);
	if (argc >= 3 && strcmp(argv[1], "check") == 0)
		return check(cli, argc - 2, argv + 2);
	return cli_usage(
	    "policy", "check FILE..., try FILE REQUEST, or reload?");
}
