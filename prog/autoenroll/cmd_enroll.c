/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * autoenroll enroll and request: one certificate by hand, in one step or –
 * where a person carries the request, see cmd_install.c – in two.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/str.h"
#include "base/utf16.h"
#include "cli.h"
#include "cmd_run.h"
#include "options.h"
#include "progress.h"
#include "pki/cert.h"
#include "pki/key.h"
#include "pki/request.h"
#include "store/request.h"
#include "sys/files.h"

#define FILE_MAX_LEN (1024 * 1024)

struct args {
	struct pulse_options o;
	const char *renew, *agent, *out, *key;
	uint8_t *key_text; /* of --key, wiped */
	bool user, quiet, verbose;
	/* "<template>/<number>" of renew and agent, the template of renew */
	char renew_name[AE_STORE_NAME_MAX + 16];
	char agent_name[AE_STORE_NAME_MAX + 16];
	char tmpl[AE_STORE_NAME_MAX + 1];
};

static bool
take_options(struct args *a, struct cli *cli, int argc, char **argv)
{
	/* clang-format off */
	const struct cli_option options[] = {
		{ "template", required_argument, 'T', .text = &a->o.only },
		{ "ca", required_argument, 0, .text = &a->o.ca },
		{ "subject", required_argument, 0, .text = &a->o.subject },
		{ "dns", required_argument, 0, .list = &a->o.dns },
		{ "upn", required_argument, 0, .list = &a->o.upn },
		{ "renew", required_argument, 0, .text = &a->renew },
		{ "reuse-key", no_argument, 0, .flag = &a->o.reuse_key },
		{ "on-behalf-of", required_argument, 0, .text = &a->o.requester },
		{ "agent", required_argument, 0, .text = &a->agent },
		{ "friendly-name", required_argument, 0, .text = &a->o.friendly },
		{ "key", required_argument, 0, .text = &a->key },
		{ "out", required_argument, 0, .text = &a->out },
		{ "quiet", no_argument, 0, .flag = &a->quiet },
		{ "verbose", no_argument, 0, .flag = &a->verbose },
		{ "user", no_argument, 0, .flag = &a->user },
		{ "json", no_argument, 0, .flag = &cli->json },
	};
	/* clang-format on */

	return cli_options(
	    argc, argv, options, sizeof(options) / sizeof(options[0]), NULL);
}

/* "<template>", "<template>/<number>" or a thumbprint names this one. */
static bool
is_meant(const struct ae_store_entry *en, const char *text)
{
	char name[AE_STORE_NAME_MAX + 16], hex[41] = "";
	struct ae_cert **certs = NULL;
	uint8_t sha1[20];
	size_t n = 0;

	(void)snprintf(name, sizeof(name), "%s/%u", en->tmpl, en->number);
	if (ae_str_eq_nocase(text, name))
		return true;
	if (en->current && ae_str_eq_nocase(text, en->tmpl))
		return true;
	if (ae_certs_read(&certs, &n, 1, en->cert_pem, en->cert_len, NULL) ==
	    AE_OK) {
		ae_cert_sha1(sha1, certs[0]);
		ae_hex_encode(hex, sha1, sizeof(sha1));
	}
	ae_certs_free(certs, n);
	return ae_str_eq_nocase(text, hex);
}

static int
find_cert(char *name, size_t len, char *tmpl, const struct cli *cli,
    const char *text, struct ae_err *e)
{
	struct ae_store_list l = { 0 };
	struct ae_store *s = NULL;
	bool found = false;
	size_t i;
	int rc;

	rc = ae_store_open(&s, cli->c.state_dir, false, e);
	if (rc == AE_OK)
		rc = ae_store_list(s, &l, e);
	for (i = 0; rc == AE_OK && i < l.n && !found; i++) {
		found = is_meant(&l.v[i], text);
		if (!found)
			continue;
		(void)snprintf(name, len, "%s/%u", l.v[i].tmpl, l.v[i].number);
		if (tmpl != NULL)
			memcpy(tmpl, l.v[i].tmpl, strlen(l.v[i].tmpl) + 1);
	}
	ae_store_list_done(&l);
	ae_store_free(s);
	if (rc == AE_OK && !found)
		return ae_fail(e, AE_ENOTFOUND, AE_DOM_NONE, 0,
		    "no certificate '%s' in the store; 'autoenroll store "
		    "list' shows them; name it by template, template/number "
		    "or thumbprint",
		    text);
	return rc;
}

/* Certificates that are named get their place in the store. */
static int
find_certs(struct args *a, const struct cli *cli, struct ae_err *e)
{
	int rc = AE_OK;

	if (a->renew != NULL) {
		rc = find_cert(a->renew_name, sizeof(a->renew_name), a->tmpl,
		    cli, a->renew, e);
		a->o.renew = a->renew_name;
		if (a->o.only == NULL)
			a->o.only = a->tmpl;
	}
	if (rc == AE_OK && a->agent != NULL) {
		rc = find_cert(a->agent_name, sizeof(a->agent_name), NULL, cli,
		    a->agent, e);
		a->o.agent = a->agent_name;
	}
	return rc;
}

/* --key: a file in PEM, or a pkcs11: URI. */
static int
read_key(struct args *a, struct ae_err *e)
{
	int rc = AE_OK;

	if (a->key == NULL)
		return AE_OK;
	if (strncmp(a->key, "pkcs11:", 7) == 0) {
		a->key_text = (uint8_t *)strdup(a->key);
		a->o.key_len = strlen(a->key);
		if (a->key_text == NULL)
			rc = ae_fail_mem(e);
	} else {
		rc = ae_file_read(&a->key_text, &a->o.key_len, a->key,
		    AE_PKI_KEY_FILE_MAX, e);
	}
	a->o.key = a->key_text;
	if (rc == AE_OK && a->o.key_len == 0)
		rc = ae_fail(
		    e, AE_EINVAL, AE_DOM_NONE, 0, "%s is empty", a->key);
	return rc;
}

static void
args_done(struct args *a)
{
	if (a->key_text != NULL)
		explicit_bzero(a->key_text, a->o.key_len);
	free(a->key_text);
	ae_strv_done(&a->o.dns);
	ae_strv_done(&a->o.upn);
}

/* NULL when the options fit together. */
static const char *
contradiction(const struct args *a)
{
	if (a->o.only == NULL && a->renew == NULL)
		return "expected -T TEMPLATE, or --renew CERT";
	if (a->key != NULL && a->renew != NULL)
		return "--key is for a new request; a renewal has --reuse-key";
	if (a->o.friendly != NULL &&
	    (strlen(a->o.friendly) > AE_STORE_FRIENDLY_MAX ||
		!ae_utf8_valid(a->o.friendly)))
		return "--friendly-name is text of at most 255 bytes";
	if (a->o.reuse_key && a->renew == NULL)
		return "--reuse-key is for --renew";
	if (a->o.requester != NULL && a->agent == NULL)
		return "--on-behalf-of needs the enrollment agent's "
		       "certificate: --agent CERT";
	if (a->o.requester != NULL && strchr(a->o.requester, '\\') == NULL)
		return "--on-behalf-of expects DOMAIN\\name";
	if (a->o.requester != NULL && a->renew != NULL)
		return "--renew and --on-behalf-of do not go together";
	return NULL;
}

static int
run_shown(struct cli *cli, const struct args *a)
{
	progress_begin(cli, a->quiet, a->verbose);
	return cmd_run_here(cli, &a->o, false, true);
}

int
cmd_enroll(struct cli *cli, int argc, char **argv)
{
	struct ae_err e = AE_ERR_INIT;
	struct args a = { 0 };
	const char *wrong;
	int code;

	if (!take_options(&a, cli, argc, argv) || a.out != NULL)
		code = cli_usage("enroll", "unknown option");
	else if (optind != argc)
		code = cli_usage("enroll", "no arguments are expected");
	else if ((wrong = contradiction(&a)) != NULL)
		code = cli_usage("enroll", "%s", wrong);
	else if ((code = cmd_whose(cli, "enroll", a.user)) != EXIT_OK)
		;
	else if (find_certs(&a, cli, &e) != AE_OK || read_key(&a, &e) != AE_OK)
		code = cli_fail(cli, &e);
	else
		code = run_shown(cli, &a);
	args_done(&a);
	return code;
}

static int
write_request(const char *path, const struct ae_wr *der, struct ae_err *e)
{
	struct ae_wr pem;
	int rc;

	ae_wr_init(&pem, FILE_MAX_LEN);
	rc = ae_request_put_pem(&pem, (struct ae_der){ der->p, der->len }, e);
	if (rc == AE_OK)
		rc = ae_file_write(path, pem.p, pem.len, 0644, e);
	ae_wr_done(&pem);
	return rc;
}

/* request new: the key stays here, the request goes to a file. */
int
cmd_request(struct cli *cli, int argc, char **argv)
{
	struct ae_err e = AE_ERR_INIT;
	struct args a = { 0 };
	const char *wrong;
	struct ae_wr der;
	int code;

	ae_wr_init(&der, FILE_MAX_LEN);
	a.o.keep = true;
	a.o.keep_der = &der;
	if (!take_options(&a, cli, argc, argv))
		code = cli_usage("request", "unknown option");
	else if (optind + 1 != argc || strcmp(argv[optind], "new") != 0)
		code = cli_usage("request", "expected 'request new'");
	else if ((wrong = contradiction(&a)) != NULL)
		code = cli_usage("request", "%s", wrong);
	else if (a.out == NULL)
		code = cli_usage("request", "expected --out FILE");
	else if ((code = cmd_whose(cli, "request", a.user)) != EXIT_OK)
		;
	else if (find_certs(&a, cli, &e) != AE_OK || read_key(&a, &e) != AE_OK)
		code = cli_fail(cli, &e);
	else if ((code = run_shown(cli, &a)) == EXIT_OK &&
	    write_request(a.out, &der, &e) != AE_OK)
		code = cli_fail(cli, &e);
	args_done(&a);
	ae_wr_done(&der);
	return code;
}
