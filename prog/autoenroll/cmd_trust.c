/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * autoenroll trust: the directory's certificates that we hold, and those of
 * them that the whole system trusts.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../autoenrolld/deploy.h"
#include "base/hex.h"
#include "base/time.h"
#include "cli.h"
#include "cmd_run.h"
#include "pki/name.h"
#include "store/store.h"
#include "sys/clock.h"

#define LIST_MAX 1024

static const char *
text(const json_t *j, const char *key)
{
	const char *s = json_string_value(json_object_get(j, key));

	return s == NULL ? "" : cli_safe(s);
}

static json_t *
cert_json(const char *store, const struct ae_cert *c,
    const struct ae_manifest *system)
{
	char nb[AE_TIME_STR_MAX], na[AE_TIME_STR_MAX], thumb[41],
	    file[AE_MANIFEST_NAME_MAX];
	const char *why = ae_trust_refuses(c, ae_clock_now());
	char *subject = NULL, *issuer = NULL;
	uint8_t sha1[20];
	json_t *j = NULL;

	ae_cert_sha1(sha1, c);
	ae_hex_encode(thumb, sha1, sizeof(sha1));
	ae_trust_name(file, c);
	if (ae_name_print(&subject, c->subject, NULL) == AE_OK &&
	    ae_name_print(&issuer, c->issuer, NULL) == AE_OK)
		j = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:s?}",
		    "store", store, "subject", subject, "issuer", issuer,
		    "thumbprint", thumb, "not_before",
		    ae_time_print(nb, c->not_before), "not_after",
		    ae_time_print(na, c->not_after), "system",
		    ae_manifest_find(system, file) != NULL, "no_root_because",
		    why);
	free(subject);
	free(issuer);
	return j;
}

static int
list(struct cli *cli)
{
	static const char *const stores[] = { "roots", "intermediates",
		"ntauth" };
	struct ae_trust t = { .root = cli->c.root,
		.state_dir = cli->c.state_dir };
	struct ae_manifest m = { 0 };
	struct ae_store *s = NULL;
	struct ae_err e = AE_ERR_INIT;
	json_t *all, *j;
	size_t i, k;
	int rc;

	if (ae_store_open(&s, cli->c.state_dir, false, &e) != AE_OK)
		return cli_fail(cli, &e);
	rc = ae_trust_manifest(&m, &t, &e);
	if (rc != AE_OK && rc != AE_ENOTFOUND)
		(void)fprintf(
		    stderr, "autoenroll trust: %s\n", cli_safe(e.text));
	all = json_array();
	for (i = 0; i < sizeof(stores) / sizeof(stores[0]); i++) {
		struct ae_cert **certs = NULL;
		uint8_t *pem = NULL;
		size_t n = 0, len = 0;

		if (ae_store_trust_read(s, stores[i], &pem, &len, NULL) !=
			AE_OK ||
		    ae_certs_read(&certs, &n, LIST_MAX, pem, len, NULL) !=
			AE_OK)
			n = 0;
		for (k = 0; k < n; k++)
			(void)json_array_append_new(
			    all, cert_json(stores[i], certs[k], &m));
		ae_certs_free(certs, n);
		free(pem);
	}
	if (cli->json)
		cli_print_json(all);
	else
		json_array_foreach(all, i, j)(void) printf(
		    "%-13s %s\n  %-12s %s\n  %-12s %s\n  %-12s %s\n",
		    text(j, "store"), text(j, "subject"), "thumbprint",
		    text(j, "thumbprint"), "valid until", text(j, "not_after"),
		    "system",
		    json_is_true(json_object_get(j, "system")) ? "yes" : "no");
	if (json_array_size(all) == 0 && !cli->json)
		(void)printf("no certificates; 'autoenroll pulse' reads them "
			     "from the directory\n");
	rc = json_array_size(all) > 0 ? EXIT_OK : EXIT_NOT_FOUND;
	json_decref(all);
	ae_manifest_done(&m);
	ae_store_free(s);
	return rc;
}

static void
print_report(const json_t *r)
{
	const json_t *it;
	size_t i;

	(void)printf("system trust: %s%s%s\n",
	    json_array_size(json_object_get(r, "items")) > 0
		? text(r, "dir")
		: "nothing of ours",
	    text(r, "method")[0] ? " by " : "", text(r, "method"));
	json_array_foreach(json_object_get(r, "items"), i, it)(void)
	    printf("  %-8s %-50s %s%s%s\n", text(it, "state"), text(it, "file"),
		text(it, "subject"), text(it, "text")[0] ? ": " : "",
		text(it, "text"));
}

/* What is in the manifest, and whether the next run would change it. */
static int
status(struct cli *cli)
{
	struct ae_trust t = { .root = cli->c.root,
		.state_dir = cli->c.state_dir,
		.method = cli->c.trust_method,
		.dry_run = true };
	enum ae_manifest_by by = AE_BY_NOBODY;
	struct ae_manifest m = { 0 };
	struct ae_err e = AE_ERR_INIT;
	json_t *r = NULL;
	int rc;

	rc = ae_trust_manifest(&m, &t, &e);
	if (rc != AE_OK && rc != AE_ENOTFOUND)
		return cli_fail(cli, &e);
	if (m.by == AE_BY_COMMAND)
		by = AE_BY_COMMAND;
	else if (cli->c.trust_system)
		by = AE_BY_CONFIG;
	ae_manifest_done(&m);
	if (deploy_trust(&cli->c, by, true, &r, &e) != AE_OK)
		return cli_fail(cli, &e);
	(void)json_object_set_new(r, "wanted_by",
	    json_string(by == AE_BY_COMMAND ? "command"
		    : by == AE_BY_CONFIG    ? "config"
					    : "nobody"));
	if (cli->json) {
		cli_print_json(r);
	} else {
		print_report(r);
		(void)printf("wanted by     %s\n", text(r, "wanted_by"));
		if (json_is_true(json_object_get(r, "changed")))
			(void)printf("the next run will change this\n");
	}
	rc = json_is_true(json_object_get(r, "changed")) ? EXIT_FINDING
							 : EXIT_OK;
	json_decref(r);
	return rc;
}

static int
change(struct cli *cli, bool install, bool dry)
{
	struct ae_err e = AE_ERR_INIT;
	json_t *r = NULL;
	int code = cmd_whose(cli, "trust", false);

	if (code != EXIT_OK)
		return code;
	if (!install && cli->c.trust_system) {
		(void)ae_fail(&e, AE_EINVAL, AE_DOM_NONE, 0,
		    "%s has system = yes under [trust]: the next run would "
		    "put them back; set it to no, and the next run takes them "
		    "out",
		    cli->c.conf_path);
		return cli_fail(cli, &e);
	}
	if (deploy_trust(&cli->c, install ? AE_BY_COMMAND : AE_BY_NOBODY, dry,
		&r, &e) != AE_OK)
		return cli_fail(cli, &e);
	if (cli->json)
		cli_print_json(r);
	else
		print_report(r);
	json_decref(r);
	return EXIT_OK;
}

int
cmd_trust(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {
		{ "dry-run", no_argument, NULL, 'n' },
		{ "json", no_argument, NULL, 'j' },
		{ 0 },
	};
	const char *verb;
	bool dry = false;
	int opt;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (opt == 'n')
			dry = true;
		else if (opt == 'j')
			cli->json = true;
		else
			return cli_usage("trust", "unknown option");
	}
	verb = argc - optind == 1 ? argv[optind] : "";
	if (strcmp(verb, "list") == 0)
		return list(cli);
	if (strcmp(verb, "status") == 0)
		return status(cli);
	if (strcmp(verb, "install") == 0)
		return change(cli, true, dry);
	if (strcmp(verb, "remove") == 0)
		return change(cli, false, dry);
	return cli_usage(
	    "trust", "expected 'list', 'status', 'install' or 'remove'");
}
