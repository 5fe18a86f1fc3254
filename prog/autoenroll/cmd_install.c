/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * autoenroll install: what a CA answered to a request that a person carried
 * there.
 */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "cmd_run.h"
#include "pki/cert.h"
#include "pki/request.h"
#include "pki/response.h"
#include "progress.h"
#include "store/request.h"
#include "sys/files.h"

#define FILE_MAX_LEN (1024 * 1024)

/* Which template a kept request with the key of this certificate is for. */
static int
find_request(char *tmpl, const struct cli *cli, const struct ae_cert *c,
    struct ae_err *e)
{
	struct ae_store_request_list l = { 0 };
	struct ae_request *rq = NULL;
	struct ae_store *s = NULL;
	bool found = false;
	size_t i;
	int rc;

	rc = ae_store_open(&s, cli->c.state_dir, false, e);
	if (rc == AE_OK)
		rc = ae_store_request_list(s, &l, e);
	for (i = 0; rc == AE_OK && i < l.n && !found; i++) {
		if (ae_request_parse(&rq, AE_REQUEST_ANY, l.v[i].der,
			l.v[i].der_len, NULL) != AE_OK)
			continue;
		found = ae_cert_has_key(c, rq->csr->key);
		if (found)
			memcpy(tmpl, l.v[i].tmpl, strlen(l.v[i].tmpl) + 1);
		ae_request_free(rq);
	}
	ae_store_request_list_done(&l);
	ae_store_free(s);
	if (rc == AE_OK && !found)
		return ae_fail(e, AE_ENOTFOUND, AE_DOM_NONE, 0,
		    "no request that is kept here has the key of this "
		    "certificate");
	return rc;
}

/* The answer's certificate that a request of ours is for. */
static int
find_answer(char *tmpl, const struct cli *cli, const uint8_t *p, size_t len,
    struct ae_err *e)
{
	struct ae_answer *answer = NULL;
	struct ae_cert **v = NULL;
	size_t n = 0, i;
	int rc = AE_ENOTFOUND;

	if (ae_certs_read(&v, &n, AE_CHAIN_MAX, p, len, NULL) == AE_OK) {
		for (i = 0; i < n && rc == AE_ENOTFOUND; i++)
			rc = find_request(tmpl, cli, v[i], e);
		ae_certs_free(v, n);
		return rc;
	}
	rc = ae_answer_parse(&answer, p, len, e);
	if (rc != AE_OK)
		return ae_note(e, rc,
		    "neither a certificate nor an answer of "
		    "a CA");
	rc = ae_fail(
	    e, AE_ENOTFOUND, AE_DOM_NONE, 0, "there is no certificate in it");
	for (i = 0; i < answer->ncerts && rc == AE_ENOTFOUND; i++)
		rc = find_request(tmpl, cli, answer->certs[i], e);
	ae_answer_free(answer);
	return rc;
}

int
cmd_install(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {
		{ "quiet", no_argument, NULL, 'q' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "user", no_argument, NULL, 'U' },
		{ "json", no_argument, NULL, 'j' },
		{ 0 },
	};
	bool user = false, quiet = false, verbose = false;
	char tmpl[AE_STORE_NAME_MAX + 1] = "";
	struct pulse_options o = { .show = tmpl };
	struct ae_err e = AE_ERR_INIT;
	uint8_t *answer = NULL;
	size_t len = 0;
	int opt, code, rc;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (opt == 'q')
			quiet = true;
		else if (opt == 'v')
			verbose = true;
		else if (opt == 'U')
			user = true;
		else if (opt == 'j')
			cli->json = true;
		else
			return cli_usage("install", "unknown option");
	}
	if (optind + 1 != argc)
		return cli_usage("install", "expected FILE");
	code = cmd_whose(cli, "install", user);
	if (code != EXIT_OK)
		return code;
	rc = ae_file_read(&answer, &len, argv[optind], FILE_MAX_LEN, &e);
	if (rc == AE_OK)
		rc = find_answer(tmpl, cli, answer, len, &e);
	o.install = answer;
	o.install_len = len;
	if (rc == AE_OK) {
		progress_begin(cli, quiet, verbose);
		code = cmd_run_here(cli, &o, false, true);
	} else {
		code = cli_fail(cli, &e);
	}
	free(answer);
	return code;
}
