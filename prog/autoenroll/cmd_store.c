/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * autoenroll store: what is installed.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/time.h"
#include "cli.h"
#include "pki/cert.h"
#include "pki/name.h"
#include "store/store.h"
#include "sys/clock.h"

static const char *
state_of(const struct ae_store_entry *en, const struct ae_cert *c)
{
	int64_t now = ae_clock_now();

	if (!en->current)
		return "archived";
	if (!en->has_key)
		return "key missing";
	if (now >= c->not_after)
		return "expired";
	return now < c->not_before ? "not yet valid" : "valid";
}

static json_t *
entry_json(
    const struct ae_store_entry *en, const struct ae_cert *c, const char *dir)
{
	char nb[AE_TIME_STR_MAX], na[AE_TIME_STR_MAX], at[AE_TIME_STR_MAX];
	char thumb[41], serial[129], path[4096], sid[AE_SID_STR_MAX] = "";
	char *subject = NULL, *issuer = NULL;
	const struct ae_san *dns, *upn;
	uint8_t sha1[20];
	json_t *j = NULL;

	if (ae_name_print(&subject, c->subject, NULL) != AE_OK ||
	    ae_name_print(&issuer, c->issuer, NULL) != AE_OK)
		goto out;
	ae_cert_sha1(sha1, c);
	ae_hex_encode(thumb, sha1, sizeof(sha1));
	ae_hex_encode(
	    serial, c->serial.p, c->serial.len > 64 ? 64 : c->serial.len);
	(void)snprintf(
	    path, sizeof(path), "%s/my/%s/%u", dir, en->tmpl, en->number);
	if (c->x.has_sid)
		(void)ae_sid_print(sid, &c->x.sid);
	dns = ae_exts_san(&c->x, AE_SAN_DNS);
	upn = ae_exts_san(&c->x, AE_SAN_UPN);
	j = json_pack("{s:s, s:i, s:b, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, "
		      "s:s, s:s, s:s, s:I, s:s, s:s}",
	    "template", en->tmpl, "number", (int)en->number, "current",
	    en->current, "state", state_of(en, c), "thumbprint", thumb,
	    "serial", serial, "subject", subject, "issuer", issuer,
	    "not_before", ae_time_print(nb, c->not_before), "not_after",
	    ae_time_print(na, c->not_after), "dns", dns ? dns->text : "", "upn",
	    upn ? upn->text : "", "sid", sid, "ca", en->meta.ca_config,
	    "request_id", (json_int_t)en->meta.request_id, "installed",
	    ae_time_print(at, en->meta.installed), "path", path);
out:
	free(subject);
	free(issuer);
	return j;
}

static void
print_entry(const json_t *j)
{
	static const char *const rows[][2] = {
		{ "subject", "subject" },
		{ "issuer", "issuer" },
		{ "serial", "serial" },
		{ "thumbprint", "thumbprint" },
		{ "not_before", "valid from" },
		{ "not_after", "valid until" },
		{ "dns", "DNS name" },
		{ "upn", "UPN" },
		{ "sid", "SID" },
		{ "ca", "CA" },
		{ "path", "files" },
	};
	size_t i;

	(void)printf("%s/%d: %s\n",
	    cli_safe(json_string_value(json_object_get(j, "template"))),
	    (int)json_integer_value(json_object_get(j, "number")),
	    json_string_value(json_object_get(j, "state")));
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *v =
		    json_string_value(json_object_get(j, rows[i][0]));

		if (v != NULL && v[0] != '\0')
			(void)printf("  %-12s %s\n", rows[i][1], cli_safe(v));
	}
}

int
cmd_store(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {
		{ "archived", no_argument, NULL, 'a' },
		{ "user", no_argument, NULL, 'u' },
		{ "json", no_argument, NULL, 'j' },
		{ 0 },
	};
	struct ae_store_list l = { 0 };
	struct ae_err e = AE_ERR_INIT;
	struct ae_store *s = NULL;
	bool archived = false, user = false;
	json_t *all, *j;
	size_t i;
	int opt, rc;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (opt == 'a')
			archived = true;
		else if (opt == 'u')
			user = true;
		else if (opt == 'j')
			cli->json = true;
		else
			return cli_usage("store", "unknown option");
	}
	if (argc - optind != 1 || strcmp(argv[optind], "list") != 0)
		return cli_usage("store", "expected 'list'");
	if (user && cli_for_user(cli, &e) != AE_OK)
		return cli_fail(cli, &e);
	all = json_array();
	rc = ae_store_open(&s, cli->c.state_dir, false, &e);
	if (rc == AE_OK)
		rc = ae_store_list(s, &l, &e);
	if (rc != AE_OK && rc != AE_ENOTFOUND) {
		ae_store_free(s);
		json_decref(all);
		return cli_fail(cli, &e);
	}
	for (i = 0; i < l.n; i++) {
		struct ae_cert **certs = NULL;
		size_t n = 0;

		if (!l.v[i].current && !archived)
			continue;
		if (ae_certs_read(&certs, &n, 1, l.v[i].cert_pem,
			l.v[i].cert_len, NULL) != AE_OK)
			continue;
		j = entry_json(&l.v[i], certs[0], cli->c.state_dir);
		ae_certs_free(certs, n);
		if (j != NULL && !cli->json)
			print_entry(j);
		(void)json_array_append_new(all, j);
	}
	if (cli->json)
		cli_print_json(all);
	else if (json_array_size(all) == 0)
		(void)printf("no certificates\n");
	opt = json_array_size(all) > 0 ? EXIT_OK : EXIT_NOT_FOUND;
	json_decref(all);
	ae_store_list_done(&l);
	ae_store_free(s);
	return opt;
}
