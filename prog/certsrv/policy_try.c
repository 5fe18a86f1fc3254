/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * certsrv policy try: a request against a policy file, before the file is in
 * force.  With an account the running CA decides (certsrv explain); without
 * one the file alone is asked, here, about what the request says.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "pki/request.h"
#include "policy.h"
#include "rules/judge.h"
#include "sys/clock.h"
#include "sys/files.h"
#include "wcce/hresult.h"

#define FILE_MAX (1u << 20)
#define NAME_MAX_LEN 256
#define YEAR (365 * 86400)

/* clang-format off */
static const struct option options[] = {
	{ "as", required_argument, NULL, 'a' },
	{ "template", required_argument, NULL, 't' },
	{ 0 },
};
/* clang-format on */

/* "/etc/certsrv/policy/Web.xml" is the file of template Web. */
static const char *
template_of(char out[NAME_MAX_LEN], const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t n;

	(void)snprintf(
	    out, NAME_MAX_LEN, "%s", slash != NULL ? slash + 1 : path);
	n = strlen(out);
	if (n > 4 && strcmp(out + n - 4, ".xml") == 0)
		out[n - 4] = '\0';
	return out;
}

static int
as_account(struct cli *cli, const char *file, const char *request,
    const char *as, const char *template)
{
	const char *words[] = { "explain", request, "--as", as, "--template",
		template, "--policy", file, NULL };
	char *argv[sizeof(words) / sizeof(words[0])] = { NULL };
	size_t i;
	int code = EXIT_LOCAL;

	for (i = 0; words[i] != NULL; i++)
		if ((argv[i] = strdup(words[i])) == NULL)
			goto out;
	optind = 0;
	code = cmd_explain(cli, (int)i, argv);
out:
	for (i = 0; i < sizeof(argv) / sizeof(argv[0]); i++)
		free(argv[i]);
	return code;
}

/* ---- the file alone ---- */

static int
read_csr(struct ae_request **out, const char *path, struct ae_err *e)
{
	uint8_t *text = NULL;
	struct ae_wr der;
	size_t len = 0;
	int rc;

	ae_wr_init(&der, FILE_MAX);
	rc = ae_file_read(&text, &len, path, FILE_MAX, e);
	if (rc == AE_OK)
		rc = ae_request_read(&der, text, len, e);
	if (rc == AE_OK)
		rc = ae_request_parse(out, AE_REQUEST_ANY, der.p, der.len, e);
	free(text);
	ae_wr_done(&der);
	return rc == AE_OK ? rc : ae_note(e, rc, "%s", path);
}

static void
show(const struct cli *cli, const struct ae_rules *r,
    const struct ae_rules_outcome *out)
{
	json_t *v = json_array();
	char hr[16], symbol[16];
	size_t i;

	for (i = 0; i < out->n; i++) {
		const struct ae_rules_violation *x = &out->violations[i];

		(void)snprintf(hr, sizeof(hr), "0x%08x", x->hresult);
		if (cli->json)
			(void)json_array_append_new(v,
			    json_pack("{s:s, s:s, s:s, s:o}", "check_id",
				x->check, "hresult", hr, "hresult_symbol",
				ae_hresult_symbol(symbol, x->hresult), "text",
				cli_json_text(x->text)));
		else
			(void)printf(
			    "%-16s %s  %s\n", x->check, hr, cli_safe(x->text));
	}
	if (cli->json) {
		cli_print_json(
		    json_pack("{s:b, s:b, s:b, s:o}", "kept", out->n == 0,
			"audit_only", r->audit_only, "directory_not_asked",
			r->directory != NULL, "violations", v));
		return;
	}
	json_decref(v);
	(void)printf("%s%s\n", out->n == 0 ? "kept" : "not kept",
	    r->audit_only ? "; it only audits" : "");
	if (r->directory != NULL)
		(void)puts("the directory was not asked: --as tells for whom");
}

/*
 * The file about the request: as if the template took names from it, and were
 * for keys of its kind, and the directory had nobody's object.
 */
static int
alone(struct cli *cli, const struct ae_rules *r, const struct ae_request *q,
    struct ae_err *e)
{
	const struct ae_csr *csr = q->csr;
	struct ae_rules_facts f = { .now = ae_clock_now(),
		.csr = csr,
		.supplied = true,
		.user = true,
		.wanted_key = ae_key_type(csr->key),
		.subject = csr->subject,
		.sans = csr->x.sans,
		.nsans = csr->x.nsans };
	struct ae_rules_outcome out;
	struct ae_arena *a = ae_arena_new(FILE_MAX);
	int rc;

	f.not_after = f.now + YEAR;
	rc = a == NULL ? ae_fail_mem(e) : ae_rules_judge(&out, r, &f, a, e);
	if (rc == AE_OK) {
		show(cli, r, &out);
		rc = out.n == 0 || r->audit_only ? EXIT_OK : EXIT_DENIED;
	}
	ae_arena_free(a);
	return rc;
}

int
policy_try(struct cli *cli, int argc, char **argv)
{
	char name[NAME_MAX_LEN];
	const char *as = NULL, *template = NULL;
	struct ae_request *q = NULL;
	struct ae_err e = AE_ERR_INIT;
	struct ae_rules *r = NULL;
	int c, rc;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'a')
			as = optarg;
		else if (c == 't')
			template = optarg;
		else
			return cli_usage("policy", "unknown option");
	}
	if (optind + 2 != argc || (template != NULL && as == NULL))
		return cli_usage("policy",
		    "try needs a policy file and a request; --template goes "
		    "with --as");
	if (as != NULL)
		return as_account(cli, argv[optind], argv[optind + 1], as,
		    template != NULL ? template
				     : template_of(name, argv[optind]));
	rc = policy_load(&r, argv[optind], &e);
	if (rc == AE_OK)
		rc = read_csr(&q, argv[optind + 1], &e);
	if (rc == AE_OK)
		rc = alone(cli, r, q, &e);
	ae_request_free(q);
	ae_rules_free(r);
	return rc < 0 ? cli_fail(cli, &e) : rc;
}
