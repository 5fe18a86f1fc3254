/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * autoenroll submit and retrieve: a request in a file to a CA, a certificate
 * in a file back.  No store and no directory are involved.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../autoenrolld/attempts.h"
#include "cli.h"
#include "options.h"
#include "pki/cert.h"
#include "pki/request.h"
#include "run/ca_client.h"
#include "session.h"
#include "sys/files.h"
#include "wcce/hresult.h"

#define ANSWER_MAX (8u * 1024u * 1024u)
#define FILE_MAX_LEN (1024 * 1024)

struct args {
	const char *config, *transport, *out;
	struct ae_wr attributes; /* lines of name:value */
};

/* A CA to talk to, and what it answered. */
struct talk {
	struct ae_gss_cred *cred;
	struct session s;
	struct ae_arena *a;
	struct ae_run_ca *ca;
	struct ae_wcce_reply reply;
	json_t *attempts;
};

/* -a name=value: a line of pwszAttributes, which has no room for line ends. */
static bool
add_attribute(void *arg, const char *text)
{
	struct args *a = arg;
	const char *eq = strchr(text, '=');

	if (eq == NULL || eq == text || strpbrk(text, "\r\n") != NULL)
		return false;
	ae_wr_printf(&a->attributes, "%s%.*s:%s",
	    a->attributes.len > 0 ? "\n" : "", (int)(eq - text), text, eq + 1);
	return ae_wr_ok(&a->attributes);
}

static bool
set_transport(void *arg, const char *text)
{
	struct args *a = arg;

	a->transport = text;
	return strcmp(text, "dcom") == 0 || strcmp(text, "icpr") == 0;
}

static bool
take_options(struct args *a, struct cli *cli, int argc, char **argv)
{
	/* clang-format off */
	const struct cli_option options[] = {
		{ "ca", required_argument, 0, .text = &a->config },
		{ "attribute", required_argument, 'a', .take = add_attribute },
		{ "transport", required_argument, 0, .take = set_transport },
		{ "out", required_argument, 0, .text = &a->out },
		{ "json", no_argument, 0, .flag = &cli->json },
	};
	/* clang-format on */

	return cli_options(
	    argc, argv, options, sizeof(options) / sizeof(options[0]), a);
}

/* The method itself failed; for two of its codes we have an exit code. */
static int
refused(uint32_t hr, const char *config, struct ae_err *e)
{
	char text[AE_HRESULT_STR_MAX];
	enum ae_rc rc = AE_EREMOTE;

	if (hr == 0x80094004u) /* CERTSRV_E_PROPERTY_EMPTY: no such request */
		rc = AE_ENOTFOUND;
	else if (hr == 0x80094014u) /* CERTSRV_E_ADMIN_DENIED_REQUEST */
		rc = AE_EDENIED;
	return ae_fail(e, rc, AE_DOM_HRESULT, (int64_t)hr, "%s answered %s",
	    config, ae_hresult_print(text, hr));
}

static int
talk(struct talk *t, const struct cli *cli, const struct args *a,
    struct ae_wcce_request *rq, struct ae_err *e)
{
	const char *slash = strchr(a->config, '\\');
	struct ae_run_ca_config conf = { .authority = slash + 1,
		.no_dcom =
		    a->transport != NULL && strcmp(a->transport, "icpr") == 0,
		.no_icpr =
		    a->transport != NULL && strcmp(a->transport, "dcom") == 0,
		.total_ms = (uint32_t)(cli->c.ca_timeout * 1000) };
	int rc;

	t->a = ae_arena_new(ANSWER_MAX);
	if (t->a == NULL)
		return ae_fail_mem(e);
	rc = session_ticket(&t->s, cli, e);
	if (rc != AE_OK)
		return rc;
	conf.cred = t->s.cred;
	conf.host =
	    ae_arena_strndup(t->a, a->config, (size_t)(slash - a->config));
	rc = ae_run_ca_new(&t->ca, &conf, e);
	if (rc != AE_OK)
		return rc;
	rc = ae_run_ca_ask(t->ca, rq, &t->reply, t->a, e);
	t->attempts = attempts_to_json(t->ca, a->config);
	if (rc != AE_OK && ae_run_ca_in_doubt(t->ca))
		rc = ae_note(e, rc,
		    "the answer was lost; the CA may have acted; sending the "
		    "same file again is safe with our CA, another may issue "
		    "twice");
	return rc == AE_OK && t->reply.hresult != 0
	    ? refused(t->reply.hresult, a->config, e)
	    : rc;
}

static void
talk_done(struct talk *t)
{
	ae_run_ca_free(t->ca);
	session_done(&t->s);
	ae_arena_free(t->a);
	json_decref(t->attempts);
}

static int
issued(const struct talk *t, const struct args *a, json_t *j, struct ae_err *e)
{
	struct ae_cert *c = NULL;
	struct ae_wr pem;
	int rc;

	ae_wr_init(&pem, FILE_MAX_LEN);
	rc = ae_cert_parse(&c, t->reply.cert.p, t->reply.cert.len, e);
	if (rc == AE_OK)
		ae_cert_put_pem(&pem, c);
	if (rc == AE_OK && !ae_wr_ok(&pem))
		rc = ae_fail_mem(e);
	if (rc == AE_OK && a->out != NULL)
		rc = ae_file_write(a->out, pem.p, pem.len, 0644, e);
	if (rc == AE_OK)
		(void)json_object_set_new(j, "certificate",
		    json_stringn((const char *)pem.p, pem.len));
	ae_cert_free(c);
	ae_wr_done(&pem);
	return rc == AE_OK ? AE_OK
			   : ae_note(e, rc, "the certificate in the answer");
}

static void
print(const struct args *a, const json_t *j, const char *outcome)
{
	const char *pem = json_string_value(json_object_get(j, "certificate"));
	const char *code =
	    json_string_value(json_object_get(j, "hresult_text"));
	const char *message = json_string_value(json_object_get(j, "message"));

	(void)fprintf(stderr, "%s: %s, request id %d\n", cli_safe(a->config),
	    outcome, (int)json_integer_value(json_object_get(j, "request_id")));
	if (code != NULL)
		(void)fprintf(stderr, "  code     %s\n", code);
	if (message != NULL)
		(void)fprintf(stderr, "  message  %s\n", cli_safe(message));
	if (pem != NULL && a->out == NULL)
		(void)fputs(pem, stdout);
}

/* Show the answer; the exit code. */
static int
show(const struct cli *cli, const struct talk *t, const struct args *a)
{
	const struct ae_wcce_reply *r = &t->reply;
	char text[AE_HRESULT_STR_MAX];
	struct ae_err e = AE_ERR_INIT;
	const char *outcome = "denied";
	int code = EXIT_DENIED;
	json_t *j;

	j = json_pack("{s:s, s:I, s:I, s:O}", "ca", a->config, "request_id",
	    (json_int_t)r->request_id, "disposition",
	    (json_int_t)r->disposition, "attempts", t->attempts);
	if (r->message != NULL)
		(void)json_object_set_new(
		    j, "message", json_string(cli_safe(r->message)));
	if (r->disposition == AE_CR_DISP_ISSUED ||
	    r->disposition == AE_CR_DISP_ISSUED_OUT_OF_BAND) {
		outcome = "issued";
		code =
		    issued(t, a, j, &e) == AE_OK ? EXIT_OK : cli_fail(cli, &e);
	} else if (r->disposition == AE_CR_DISP_UNDER_SUBMISSION) {
		outcome = "pending";
		code = EXIT_PENDING;
	} else if (ae_cr_disp_name(r->disposition) == NULL) {
		(void)ae_hresult_print(text, r->disposition);
		(void)json_object_set_new(
		    j, "hresult", json_integer((json_int_t)r->disposition));
		(void)json_object_set_new(j, "hresult_text", json_string(text));
	}
	(void)json_object_set_new(j, "outcome", json_string(outcome));
	if (cli->json)
		cli_print_json(j);
	else
		print(a, j, outcome);
	json_decref(j);
	return code;
}

static int
ask(struct cli *cli, const struct args *a, struct ae_wcce_request *rq)
{
	struct ae_err e = AE_ERR_INIT;
	struct talk t = { 0 };
	int code;

	if (talk(&t, cli, a, rq, &e) == AE_OK)
		code = show(cli, &t, a);
	else
		code = cli_fail(cli, &e);
	talk_done(&t);
	return code;
}

static bool
has_ca(const struct args *a)
{
	const char *slash = a->config == NULL ? NULL : strchr(a->config, '\\');

	return slash != NULL && slash != a->config && slash[1] != '\0';
}

int
cmd_submit(struct cli *cli, int argc, char **argv)
{
	struct ae_wcce_request rq = { .call = AE_WCCE_CALL_REQUEST };
	struct ae_err e = AE_ERR_INIT;
	struct args a = { 0 };
	uint8_t *text = NULL;
	struct ae_wr der;
	size_t len;
	int code;

	ae_wr_init(&der, FILE_MAX_LEN);
	ae_wr_init(&a.attributes, 4096);
	if (!take_options(&a, cli, argc, argv))
		code = cli_usage("submit", "unknown or malformed option");
	else if (!has_ca(&a))
		code = cli_usage("submit", "expected --ca 'HOST\\NAME'");
	else if (optind + 1 != argc)
		code = cli_usage("submit", "expected FILE");
	else if (ae_file_read(&text, &len, argv[optind], FILE_MAX_LEN, &e) !=
		AE_OK ||
	    ae_request_read(&der, text, len, &e) != AE_OK)
		code = cli_fail(cli, &e);
	else {
		rq.csr = (struct ae_wcce_blob){ der.p, der.len };
		if (a.attributes.len > 0)
			rq.attributes = ae_wr_cstr(&a.attributes);
		code = ask(cli, &a, &rq);
	}
	free(text);
	ae_wr_done(&a.attributes);
	ae_wr_done(&der);
	return code;
}

int
cmd_retrieve(struct cli *cli, int argc, char **argv)
{
	struct ae_wcce_request rq = { .call = AE_WCCE_CALL_REQUEST };
	struct args a = { 0 };
	unsigned long id = 0;
	char *end = NULL;
	int code;

	ae_wr_init(&a.attributes, 4096);
	if (!take_options(&a, cli, argc, argv) || a.attributes.len > 0) {
		code = cli_usage("retrieve", "unknown or malformed option");
		goto out;
	}
	if (optind + 1 == argc) {
		errno = 0;
		id = strtoul(argv[optind], &end, 10);
	}
	if (!has_ca(&a))
		code = cli_usage("retrieve", "expected --ca 'HOST\\NAME'");
	else if (end == NULL || *end != '\0' || errno != 0 || id == 0 ||
	    id > UINT32_MAX)
		code = cli_usage("retrieve", "expected the id of a request");
	else {
		rq.request_id = (uint32_t)id;
		code = ask(cli, &a, &rq);
	}
out:
	ae_wr_done(&a.attributes);
	return code;
}
