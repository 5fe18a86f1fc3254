/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * certsrv ca: the CA's own certificates – which there are, a new one, and the
 * answer of an issuer above.
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hex.h"
#include "base/time.h"
#include "ca/cacerts.h"
#include "cafile.h"
#include "carenew.h"
#include "cli.h"
#include "pki/name.h"
#include "pki/tbs.h"
#include "publish.h"
#include "setup_files.h"
#include "sys/clock.h"
#include "sys/files.h"

struct options {
	bool new_key, no_cross, no_directory, no_templates, no_gpo;
	const char *key, *key_type, *chain;
	uint32_t years;
};

/* ---- what there is ---- */

static const char *
state(const struct cafile *f, const struct ae_ca_cert *c, int64_t now)
{
	if (now > c->cert->not_after)
		return "expired";
	if (now < c->cert->not_before)
		return "not yet valid";
	return c == ae_ca_certs_at(&f->list, now) ? "signs" : "valid";
}

static json_t *
describe(const struct cafile *f, const struct ae_ca_cert *c)
{
	const struct ae_ca_key *k = ae_ca_cert_key(&f->list, c);
	char sha1[41], serial[2 * AE_SERIAL_MAX + 1], key[16];
	char *subject = NULL, *issuer = NULL;
	uint8_t hash[20];
	json_t *j;

	ae_cert_sha1(hash, c->cert);
	ae_hex_encode(sha1, hash, sizeof(hash));
	ae_hex_encode(serial, c->cert->serial.p,
	    c->cert->serial.len < AE_SERIAL_MAX ? c->cert->serial.len
						: AE_SERIAL_MAX);
	if (ae_name_print(&subject, c->cert->subject, NULL) != AE_OK ||
	    ae_name_print(&issuer, c->cert->issuer, NULL) != AE_OK)
		issuer = NULL;
	j = json_pack("{s:i, s:i, s:s, s:o, s:o, s:b, s:s, s:s, s:o, s:o, "
		      "s:s, s:o}",
	    "index", c->index, "key_index", k->index, "state",
	    state(f, c, ae_clock_now()), "subject", cli_json_text(subject),
	    "issuer", cli_json_text(issuer), "root",
	    ae_cert_self_issued(c->cert), "serial", serial, "sha1", sha1,
	    "not_before", cli_json_time(c->cert->not_before), "not_after",
	    cli_json_time(c->cert->not_after), "key", ae_key_print(key, k->pub),
	    "crl_until", cli_json_time(k->end));
	free(subject);
	free(issuer);
	return j;
}

static void
print_list(const struct cafile *f, const char *name)
{
	char until[AE_TIME_STR_MAX], key[16], suffix[AE_CA_SUFFIX_MAX];
	size_t i;

	(void)printf("%-8s %-14s %-8s %-21s %s\n", "VERSION", "STATE", "KEY",
	    "UNTIL", "CRL");
	for (i = 0; i < f->list.n; i++) {
		const struct ae_ca_cert *c = &f->list.v[i];
		const struct ae_ca_key *k = ae_ca_cert_key(&f->list, c);

		(void)printf("%u.%-6u %-14s %-8s %-21s %s%s.crl\n", c->index,
		    k->index, state(f, c, ae_clock_now()),
		    ae_key_print(key, k->pub),
		    ae_time_print(until, c->cert->not_after), cli_safe(name),
		    ae_ca_suffix(suffix, k->index));
	}
}

static void
print_one(json_t *j)
{
	const char *key;
	json_t *v;

	json_object_foreach(j, key, v)
	{
		if (json_is_string(v))
			(void)printf(
			    "%-10s %s\n", key, cli_safe(json_string_value(v)));
		else if (json_is_integer(v))
			(void)printf("%-10s %lld\n", key,
			    (long long)json_integer_value(v));
		else
			(void)printf(
			    "%-10s %s\n", key, json_is_true(v) ? "yes" : "no");
	}
}

static int
show(struct cli *cli, const char *which)
{
	struct ae_err e = AE_ERR_INIT;
	const struct ae_ca_cert *c;
	char *path = conf_path(&cli->conf, CA_REQUEST_PATH), *end;
	unsigned long index;
	struct cafile f;
	json_t *list;
	size_t i;
	int code = EXIT_OK;

	if (cafile_read(&f, &cli->conf, false, &e) < 0) {
		if (path != NULL && setup_exists(path))
			(void)fprintf(stderr,
			    "certsrv ca: %s waits for its answer\n", path);
		free(path);
		return cli_fail(cli, &e);
	}
	if (which == NULL) {
		list = json_array();
		for (i = 0; i < f.list.n; i++)
			(void)json_array_append_new(
			    list, describe(&f, &f.list.v[i]));
		if (cli->json)
			cli_print_json(json_pack("{s:s, s:o, s:b}", "ca",
			    cli->conf.name, "certificates", list, "waits",
			    path != NULL && setup_exists(path)));
		else
			print_list(&f, cli->conf.name);
		if (!cli->json)
			json_decref(list);
	} else {
		index = strtoul(which, &end, 10);
		c = *which == '\0' ? ae_ca_certs_at(&f.list, ae_clock_now())
		    : *end == '\0' && index < f.list.n ? &f.list.v[index]
						       : NULL;
		if (c == NULL) {
			(void)fprintf(stderr,
			    "certsrv ca: the CA has no certificate %s\n",
			    cli_safe(which));
			code = EXIT_NOT_FOUND;
		} else if (cli->json) {
			cli_print_json(describe(&f, c));
		} else {
			list = describe(&f, c);
			print_one(list);
			json_decref(list);
		}
	}
	if (!cli->json && path != NULL && setup_exists(path))
		(void)printf("%s waits for its answer\n", path);
	free(path);
	cafile_done(&f);
	return code;
}

/* ---- changing it ---- */

/* The directory, and the CA that runs, hear of a certificate. */
static int
spread(struct cli *cli, struct publish *p, const struct options *o, bool first,
    struct ae_err *e)
{
	const char *helper = getenv("CERTSRV_SYSVOL");
	struct publish_what w = { .root = cli->root,
		.name = cli->conf.name,
		.sysvol = helper != NULL ? helper : AE_LIBEXECDIR "/sysvol",
		.templates = first && !o->no_templates,
		.gpo = first && !o->no_gpo };
	int rc = AE_OK;

	if (!o->no_directory) {
		rc = publish_ca(p, &w, e);
		if (rc < 0)
			return ae_note(e, rc,
			    "the certificate is there, but not in the "
			    "directory; certsrv setup puts it there");
	}
	if (cli_signal(cli, SIGHUP) && !cli->json)
		(void)printf("certsrvd reads it now\n");
	return rc;
}

static void
report(struct cli *cli, struct publish *p, const struct ca_renewed *r)
{
	if (cli->json)
		cli_print_json(json_pack("{s:b, s:s, s:i, s:i, s:i, s:O?}",
		    "waits", r->request, "path", r->path, "index",
		    (int)(r->version & 0xffff), "key_index",
		    (int)(r->version >> 16), "changes", (int)p->changes,
		    "steps", p->steps));
	else if (r->request)
		(void)printf("%s: have the issuer above sign it, then: certsrv "
			     "ca install-certificate ANSWER\n",
		    r->path);
	else
		(void)printf("certificate %u.%u of the CA: %s\n",
		    r->version & 0xffff, r->version >> 16, r->path);
}

static bool
is_root_ca(const struct cli *cli, struct ae_err *e)
{
	struct cafile f;
	bool root;

	if (cafile_read(&f, &cli->conf, false, e) < 0)
		return false;
	root = ae_cert_self_issued(cafile_cert(&f));
	cafile_done(&f);
	return root;
}

static int
renew(struct cli *cli, struct options *o, struct ae_err *e)
{
	struct ca_renew how = { .new_key = o->new_key || o->key != NULL,
		.key = o->key,
		.key_type = o->key_type,
		.no_cross = o->no_cross,
		.validity = (int64_t)o->years * 365 * 86400 };
	struct ca_renewed r = { .path = NULL };
	struct publish p = { .cli = cli };
	int rc = AE_OK;

	/* A request concerns the directory when it is answered. */
	if (!is_root_ca(cli, e))
		o->no_directory = true;
	if (!o->no_directory)
		rc = publish_open(&p, cli, e);
	if (rc == AE_OK)
		rc = ca_renew(&r, &cli->conf, &how, e);
	if (rc == AE_OK && !r.request)
		rc = spread(cli, &p, o, false, e);
	if (r.path != NULL)
		report(cli, &p, &r);
	ca_renewed_done(&r);
	publish_done(&p);
	return rc;
}

static int
install(struct cli *cli, const char *file, const struct options *o,
    struct ae_err *e)
{
	struct ca_renewed r = { .path = NULL };
	struct publish p = { .cli = cli };
	uint8_t *answer = NULL, *chain = NULL;
	size_t len = 0, chain_len = 0;
	bool first = !setup_exists(cli->conf.certificate);
	int rc = AE_OK;

	rc = ae_file_read(&answer, &len, file, 1 << 20, e);
	if (rc == AE_OK && o->chain != NULL)
		rc = ae_file_read(&chain, &chain_len, o->chain, 1 << 20, e);
	if (rc == AE_OK && !o->no_directory)
		rc = publish_open(&p, cli, e);
	if (rc == AE_OK) {
		rc = ca_install(
		    &r, &cli->conf, answer, len, chain, chain_len, e);
		if (rc < 0)
			rc = ae_note(e, rc, "%s", file);
	}
	if (rc == AE_OK)
		rc = spread(cli, &p, o, first, e);
	if (r.path != NULL)
		report(cli, &p, &r);
	free(answer);
	free(chain);
	ca_renewed_done(&r);
	publish_done(&p);
	return rc;
}

/* ---- the command line ---- */

static bool
take(struct cli *cli, struct options *o, int opt)
{
	char *end;

	switch (opt) {
	case 'n':
		o->new_key = true;
		return true;
	case 'k':
		o->key = optarg;
		return true;
	case 't':
		o->key_type = optarg;
		return true;
	case 'y':
		o->years = (uint32_t)strtoul(optarg, &end, 10);
		return *end == '\0' && o->years >= 1 && o->years <= 50;
	case 'x':
		o->no_cross = true;
		return true;
	case 'c':
		o->chain = optarg;
		return true;
	case 'D':
		o->no_directory = true;
		return true;
	case 'T':
		o->no_templates = true;
		return true;
	case 'G':
		o->no_gpo = true;
		return true;
	case 'j':
		cli->json = true;
		return true;
	default:
		return false;
	}
}

int
cmd_ca(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {
		{ "new-key", no_argument, NULL, 'n' },
		{ "key", required_argument, NULL, 'k' },
		{ "key-type", required_argument, NULL, 't' },
		{ "years", required_argument, NULL, 'y' },
		{ "no-cross", no_argument, NULL, 'x' },
		{ "chain", required_argument, NULL, 'c' },
		{ "no-directory", no_argument, NULL, 'D' },
		{ "no-templates", no_argument, NULL, 'T' },
		{ "no-gpo", no_argument, NULL, 'G' },
		{ "json", no_argument, NULL, 'j' },
		{ 0 },
	};
	struct options o = { .years = 0 };
	struct ae_err e = AE_ERR_INIT;
	const char *what, *arg;
	int opt, rc;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1)
		if (!take(cli, &o, opt))
			return cli_usage("ca", "unknown option or bad value");
	what = optind < argc ? argv[optind] : NULL;
	arg = optind + 1 < argc ? argv[optind + 1] : NULL;
	if (what == NULL || optind + 2 < argc)
		return cli_usage("ca",
		    "list, show, renew or "
		    "install-certificate is expected");
	if (cli_conf(cli, &e) < 0)
		return cli_fail(cli, &e);
	if (strcmp(what, "list") == 0 && arg == NULL)
		return show(cli, NULL);
	if (strcmp(what, "show") == 0)
		return show(cli, arg != NULL ? arg : "");
	if (geteuid() != 0) {
		(void)fprintf(
		    stderr, "certsrv ca: uses the CA's key; run it as root\n");
		return EXIT_LOCAL;
	}
	if (strcmp(what, "renew") == 0 && arg == NULL)
		rc = renew(cli, &o, &e);
	else if (strcmp(what, "install-certificate") == 0 && arg != NULL)
		rc = install(cli, arg, &o, &e);
	else
		return cli_usage("ca", "%s", cli_safe(what));
	return rc < 0 ? cli_fail(cli, &e) : EXIT_OK;
}
