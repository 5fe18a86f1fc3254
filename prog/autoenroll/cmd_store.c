/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * autoenroll store: what is installed, and whether its keys work.
 */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "certs.h"
#include "cli.h"

static const char *
text(const json_t *j, const char *key)
{
	const char *s = json_string_value(json_object_get(j, key));

	return s == NULL ? "" : cli_safe(s);
}

static void
print_key(const json_t *j)
{
	const char *provider = text(j, "provider"), *why;

	(void)printf("  %-13s %s%s%s, signature test %s\n", "key",
	    text(j, "key"), provider[0] == '\0' ? "" : ", ", provider,
	    text(j, "key_test"));
	why = text(j, "key_error");
	if (why[0] != '\0')
		(void)printf("  %-13s %s\n", "", why);
}

static void
print_revocation(const json_t *j)
{
	(void)printf("  %-13s %s\n", "revocation",
	    text(json_object_get(j, "revocation"), "text"));
}

static void
print_usages(const json_t *j)
{
	const json_t *usages = json_object_get(j, "usages"), *u;
	size_t i;

	json_array_foreach(usages, i, u)
	{
		(void)printf("  %-13s %s\n", i == 0 ? "usages" : "",
		    cli_safe(json_string_value(u)));
	}
}

static void
print_cert(const json_t *j, bool verbose)
{
	static const struct {
		const char *key, *label;
		bool verbose;
	} rows[] = {
		{ "friendly_name", "friendly name", false },
		{ "subject", "subject", false },
		{ "dns", "DNS name", false },
		{ "upn", "UPN", false },
		{ "sid", "SID", true },
		{ "issuer", "issuer", false },
		{ "serial", "serial", false },
		{ "not_before", "valid from", false },
		{ "not_after", "valid until", false },
		{ "thumbprint", "thumbprint", false },
		{ "thumbprint_sha256", "SHA-256", true },
		{ "template_name", "template", true },
		{ "template_oid", "template OID", true },
		{ "ca", "CA", false },
		{ "installed", "installed", true },
		{ "archived", "archived", false },
		{ "why", "because", false },
		{ "path", "files", false },
	};
	size_t i;

	(void)printf("%s/%d: %s\n", text(j, "template"),
	    (int)json_integer_value(json_object_get(j, "number")),
	    text(j, "state"));
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *v = text(j, rows[i].key);

		if (v[0] != '\0' && (verbose || !rows[i].verbose))
			(void)printf("  %-13s %s\n", rows[i].label, v);
	}
	if (verbose)
		print_usages(j);
	print_revocation(j);
	print_key(j);
}

static void
print_request(const json_t *j)
{
	(void)printf("request/%s/%d: %s\n", text(j, "template"),
	    (int)json_integer_value(json_object_get(j, "number")),
	    text(j, "state"));
	if (text(j, "ca")[0] != '\0')
		(void)printf("  %-13s %s, request id %d\n", "CA", text(j, "ca"),
		    (int)json_integer_value(json_object_get(j, "request_id")));
	(void)printf("  %-13s %s\n", "made", text(j, "made"));
}

static int
list(struct cli *cli, bool archived, bool requests, bool verbose)
{
	json_t *certs = NULL, *open = NULL, *j;
	struct ae_err e = AE_ERR_INIT;
	size_t i, n;
	int rc;

	rc = certs_load(&certs, cli, archived, &e);
	if (rc == AE_OK && requests)
		rc = certs_requests(&open, cli, &e);
	if (rc != AE_OK) {
		json_decref(certs);
		return cli_fail(cli, &e);
	}
	n = json_array_size(certs) + json_array_size(open);
	if (cli->json && requests) {
		j = json_pack(
		    "{s:O, s:O}", "certificates", certs, "requests", open);
		cli_print_json(j);
		json_decref(j);
	} else if (cli->json) {
		cli_print_json(certs);
	} else {
		json_array_foreach(certs, i, j)
		{
			print_cert(j, verbose);
		}
		json_array_foreach(open, i, j)
		{
			print_request(j);
		}
		if (n == 0)
			(void)printf("no certificates\n");
	}
	json_decref(certs);
	json_decref(open);
	return n > 0 ? EXIT_OK : EXIT_NOT_FOUND;
}

int
cmd_store(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {
		{ "archived", no_argument, NULL, 'a' },
		{ "all", no_argument, NULL, 'A' },
		{ "user", no_argument, NULL, 'u' },
		{ "json", no_argument, NULL, 'j' },
		{ 0 },
	};
	bool archived = false, all = false, user = false, verbose = false;
	struct ae_err e = AE_ERR_INIT;
	int opt;

	while ((opt = getopt_long(argc, argv, "v", options, NULL)) != -1) {
		switch (opt) {
		case 'a':
			archived = true;
			break;
		case 'A':
			all = true;
			break;
		case 'u':
			user = true;
			break;
		case 'v':
			verbose = true;
			break;
		case 'j':
			cli->json = true;
			break;
		default:
			return cli_usage("store", "unknown option");
		}
	}
	if (argc - optind != 1 || strcmp(argv[optind], "list") != 0)
		return cli_usage("store", "expected 'list'");
	if (user && cli_for_user(cli, &e) != AE_OK)
		return cli_fail(cli, &e);
	return list(cli, archived || all, all, verbose);
}
