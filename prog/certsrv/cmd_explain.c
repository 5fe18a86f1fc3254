/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * certsrv explain: what the running CA would decide about a request, rule by
 * rule.  It leaves no row and no certificate.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/time.h"
#include "control.h"
#include "explain.h"
#include "pki/cert.h"
#include "pki/name.h"
#include "pki/request.h"
#include "rules/rules.h"
#include "sys/files.h"
#include "wcce/hresult.h"

#define FILE_MAX (1u << 20)
#define ARENA_MAX (8u << 20)

struct query {
	const char *path; /* "-": standard input; NULL: a stored request */
	const char *as;
	const char *policy; /* a policy file that is to count; NULL: none */
	long long id;
	struct ae_wr attrs; /* "Name:Value\n" each */
	bool renew_on_behalf;
};

/* What came back; it lives in the arena. */
struct result {
	struct ae_arena *a;
	struct explained x;
	struct ae_cert *cert; /* of x.d.tbs; NULL: none */
};

/* clang-format off */
static const struct option options[] = {
	{ "as", required_argument, NULL, 'a' },
	{ "template", required_argument, NULL, 't' },
	{ "attrib", required_argument, NULL, 'A' },
	{ "request", required_argument, NULL, 'r' },
	{ "renew-on-behalf", no_argument, NULL, 'b' },
	{ "policy", required_argument, NULL, 'p' },
	{ 0 },
};

static const struct {
	enum ae_san_type type;
	const char *name;
} san_names[] = {
	{ AE_SAN_DNS, "dns" }, { AE_SAN_EMAIL, "email" }, { AE_SAN_URI, "uri" },
	{ AE_SAN_UPN, "upn" }, { AE_SAN_GUID, "guid" }, { AE_SAN_IP, "ip" },
	{ AE_SAN_DN, "directory" },
};
/* clang-format on */

/* ---- the command line ---- */

static int
parse(struct query *q, int argc, char **argv)
{
	char *end;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'a':
			q->as = optarg;
			break;
		case 't':
			ae_wr_printf(
			    &q->attrs, "CertificateTemplate:%s\n", optarg);
			break;
		case 'A':
			ae_wr_printf(&q->attrs, "%s\n", optarg);
			break;
		case 'r':
			q->id = strtoll(optarg, &end, 10);
			if (*end != '\0' || q->id < 1 || q->id > INT32_MAX)
				return cli_usage(
				    "explain", "--request is a request id");
			break;
		case 'p':
			q->policy = optarg;
			break;
		case 'b':
			q->renew_on_behalf = true;
			break;
		default:
			return cli_usage("explain", "unknown option");
		}
	}
	if (optind < argc)
		q->path = argv[optind++];
	if (optind < argc || (q->path == NULL) == (q->id == 0))
		return cli_usage(
		    "explain", "one request: a file, - or --request ID");
	if (q->path != NULL && q->as == NULL)
		return cli_usage(
		    "explain", "--as says whose request it is to be");
	if (q->id != 0 && (q->attrs.len > 0 || q->renew_on_behalf))
		return cli_usage("explain",
		    "a stored request has the attributes and flags it came "
		    "with");
	return EXIT_OK;
}

static int
read_input(struct ae_wr *w, struct ae_err *e)
{
	uint8_t buf[4096];
	size_t n;

	while ((n = fread(buf, 1, sizeof(buf), stdin)) > 0)
		ae_wr_bytes(w, buf, n);
	if (ae_wr_full(w))
		return ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
		    "more than %u bytes on standard input", FILE_MAX);
	return ae_wr_ok(w) ? AE_OK : ae_fail_mem(e);
}

/* DER of the file, whichever way it is written. */
static int
read_request(struct ae_wr *der, const char *path, struct ae_err *e)
{
	uint8_t *p = NULL;
	struct ae_wr text;
	size_t len = 0;
	int rc;

	ae_wr_init(&text, FILE_MAX);
	if (strcmp(path, "-") == 0) {
		rc = read_input(&text, e);
		if (rc == AE_OK)
			rc = ae_request_read(der, text.p, text.len, e);
	} else {
		rc = ae_file_read(&p, &len, path, FILE_MAX, e);
		if (rc == AE_OK)
			rc = ae_request_read(der, p, len, e);
	}
	free(p);
	ae_wr_done(&text);
	return rc < 0 ? ae_note(e, rc, "%s", path) : rc;
}

/* ---- asking ---- */

static int
take(void *arg, struct ae_rd *r, struct ae_err *e)
{
	struct result *out = arg;

	get_explained(r, &out->x, out->a);
	if (!ae_rd_done(r))
		return bad_message(r, "the explanation", e);
	if (out->x.d.tbs_len == 0)
		return AE_OK;
	return ae_cert_parse_tbs(&out->cert, out->x.d.tbs, out->x.d.tbs_len, e);
}

static int
explain(struct cli *cli, const struct query *q, struct result *out,
    struct ae_err *e)
{
	struct ae_wr body, der;
	uint8_t *policy = NULL;
	size_t policy_len = 0;
	int rc;

	ae_wr_init(&body, MSG_EXPLAIN_MAX);
	ae_wr_init(&der, FILE_MAX);
	rc = cli_conf(cli, e);
	if (rc == AE_OK && q->path != NULL)
		rc = read_request(&der, q->path, e);
	if (rc == AE_OK && q->policy != NULL)
		rc = ae_file_read(
		    &policy, &policy_len, q->policy, AE_RULES_FILE_MAX, e);
	if (rc == AE_OK) {
		ae_wr_u64(&body, (uint64_t)q->id);
		put_str(&body, q->as);
		ae_wr_u32(&body, q->renew_on_behalf ? AE_CR_IN_ROBO : 0);
		put_bytes(&body, q->attrs.p, q->attrs.len);
		put_bytes(&body, der.p, der.len);
		put_bytes(&body, policy, policy_len);
		if (!ae_wr_ok(&body))
			rc = ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
			    "the request is larger than any the CA takes");
	}
	if (rc == AE_OK)
		rc = control_ask_for(cli, MSG_ADMIN_EXPLAIN, &body,
		    MSG_ADMIN_EXPLAINED, take, out, e);
	free(policy);
	ae_wr_done(&body);
	ae_wr_done(&der);
	return rc;
}

/* ---- showing ---- */

static const char *
san_name(enum ae_san_type type)
{
	size_t i;

	for (i = 0; i < sizeof(san_names) / sizeof(san_names[0]); i++)
		if (san_names[i].type == type)
			return san_names[i].name;
	return "other";
}

/* A name as text, in the arena. */
static const char *
san_text(const struct ae_san *s, struct ae_arena *a)
{
	char guid[AE_GUID_STR_MAX];
	char *dn = NULL;
	const char *out;

	if (s->type == AE_SAN_GUID)
		return ae_arena_strdup(a, ae_guid_print(guid, &s->guid));
	if (s->type == AE_SAN_IP && s->der.len == 4)
		return ae_arena_printf(a, "%u.%u.%u.%u", s->der.p[0],
		    s->der.p[1], s->der.p[2], s->der.p[3]);
	if (s->type == AE_SAN_DN && ae_name_print(&dn, s->der, NULL) == AE_OK) {
		out = ae_arena_strdup(a, dn);
		free(dn);
		return out;
	}
	return s->text != NULL ? s->text : "(bytes)";
}

static json_t *
json_strings(const struct ae_strv *l)
{
	json_t *out = json_array();
	size_t i;

	for (i = 0; i < l->n; i++)
		(void)json_array_append_new(out, cli_json_text(l->v[i]));
	return out;
}

static json_t *
json_certificate(const struct result *r)
{
	const struct ae_exts *x;
	json_t *sans = json_array(), *exts = json_array();
	char sid[AE_SID_STR_MAX], *subject = NULL;
	size_t i;
	json_t *out;

	if (r->cert == NULL) {
		json_decref(sans);
		json_decref(exts);
		return json_null();
	}
	x = &r->cert->x;
	for (i = 0; i < x->nsans; i++)
		(void)json_array_append_new(sans,
		    json_pack("{s:s, s:o}", "type", san_name(x->sans[i].type),
			"value", cli_json_text(san_text(&x->sans[i], r->a))));
	for (i = 0; i < x->nraw; i++)
		(void)json_array_append_new(exts,
		    json_pack("{s:s, s:b}", "oid", x->raw[i].oid, "critical",
			x->raw[i].critical));
	(void)!ae_name_print(&subject, r->cert->subject, NULL);
	out = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
	    "subject", cli_json_text(subject), "sans", sans, "not_before",
	    cli_json_time(r->cert->not_before), "not_after",
	    cli_json_time(r->cert->not_after), "eku", json_strings(&x->eku),
	    "app_policies", json_strings(&x->app_policies), "cert_policies",
	    json_strings(&x->cert_policies), "sid",
	    x->has_sid ? json_string(ae_sid_print(sid, &x->sid)) : json_null(),
	    "extensions", exts);
	free(subject);
	return out;
}

static json_t *
json_checks(const struct ae_decision *d)
{
	json_t *out = json_array(), *reasons;
	size_t i, k;

	for (i = 0; i < d->nrulings; i++) {
		const struct ae_ca_ruling *u = &d->rulings[i];

		reasons = json_array();
		for (k = u->first; k < u->first + u->n; k++)
			(void)json_array_append_new(reasons,
			    json_pack("{s:s, s:s, s:s, s:o}", "mark",
				ae_ca_mark_name(d->reasons[k].mark), "check_id",
				d->reasons[k].check, "section",
				d->reasons[k].section, "text",
				cli_json_text(d->reasons[k].text)));
		(void)json_array_append_new(out,
		    json_pack("{s:s, s:s, s:s, s:s, s:o}", "rule", u->rule.id,
			"section", u->rule.section, "what", u->rule.what,
			"outcome", ae_ca_outcome_name(u->outcome), "reasons",
			reasons));
	}
	return out;
}

static void
print_json(const struct result *r)
{
	const struct explained *x = &r->x;
	const struct ae_decision *d = &x->d;
	char hr[16], symbol[16];

	(void)snprintf(hr, sizeof(hr), "0x%08x", d->hresult);
	cli_print_json(json_pack(
	    "{s:s, s:s, s:s, s:o, s:o, s:s, s:b, s:s, s:i, s:o, s:o, s:o, s:I,"
	    " s:I, s:o, s:o}",
	    "verdict", ae_ca_verdict_name(d->verdict), "hresult", hr,
	    "hresult_symbol",
	    d->hresult == 0 ? "" : ae_hresult_symbol(symbol, d->hresult),
	    "message", cli_json_text(d->message), "account",
	    cli_json_text(d->requester), "sid", x->sid == NULL ? "" : x->sid,
	    "disabled", x->disabled, "groups_from",
	    x->by_directory ? "directory" : "ticket", "sids", (int)x->nsids,
	    "on_behalf", cli_json_text(d->on_behalf), "template",
	    cli_json_text(x->template), "subject", cli_json_text(d->subject),
	    "request_flags", (json_int_t)d->request_flags, "row",
	    (json_int_t)x->row, "certificate", json_certificate(r), "checks",
	    json_checks(d)));
}

static void
print_checks(const struct ae_decision *d)
{
	static const char *const marks[] = {
		[AE_CA_PASS] = " ", [AE_CA_NOTE] = "note:", [AE_CA_STOP] = "->"
	};
	size_t i, k;

	for (i = 0; i < d->nrulings; i++) {
		const struct ae_ca_ruling *u = &d->rulings[i];

		(void)printf("%-11s  %-23s %s  (%s)\n",
		    ae_ca_outcome_name(u->outcome), cli_safe(u->rule.id),
		    cli_safe(u->rule.what), cli_safe(u->rule.section));
		for (k = u->first; k < u->first + u->n; k++)
			(void)printf("             %s %s\n",
			    marks[d->reasons[k].mark],
			    cli_safe(d->reasons[k].text));
	}
}

static void
print_certificate(const struct result *r)
{
	char t[AE_TIME_STR_MAX], u[AE_TIME_STR_MAX], sid[AE_SID_STR_MAX];
	const struct ae_exts *x = &r->cert->x;
	char *subject = NULL;
	size_t i;

	if (ae_name_print(&subject, r->cert->subject, NULL) == AE_OK)
		(void)printf("subject     %s\n", cli_safe(subject));
	free(subject);
	for (i = 0; i < x->nsans; i++)
		(void)printf("name        %s %s\n", san_name(x->sans[i].type),
		    cli_safe(san_text(&x->sans[i], r->a)));
	(void)printf("valid       %s to %s\n",
	    ae_time_print(t, r->cert->not_before),
	    ae_time_print(u, r->cert->not_after));
	for (i = 0; i < x->eku.n; i++)
		(void)printf("usage       %s\n", x->eku.v[i]);
	if (x->has_sid)
		(void)printf("SID         %s\n", ae_sid_print(sid, &x->sid));
	for (i = 0; i < x->nraw; i++)
		(void)printf("extension   %s%s\n", x->raw[i].oid,
		    x->raw[i].critical ? " critical" : "");
}

static void
print_text(const struct result *r)
{
	const struct explained *x = &r->x;
	const struct ae_decision *d = &x->d;
	char hr[AE_HRESULT_STR_MAX];

	(void)printf(
	    "decided for %s  %s\n", cli_safe(d->requester), cli_safe(x->sid));
	if (x->disabled)
		(void)puts("            the account is disabled: nobody gets a "
			   "ticket for it");
	(void)printf("groups      %u SIDs, %s\n", x->nsids,
	    x->by_directory
		? "the directory's; a ticket may know others until it is "
		  "renewed"
		: "those of the ticket the request came with");
	print_checks(d);
	(void)printf("verdict     %s\n", ae_ca_verdict_name(d->verdict));
	if (d->hresult != 0)
		(void)printf(
		    "reason      %s\n", ae_hresult_print(hr, d->hresult));
	if (d->message != NULL)
		(void)printf("message     %s\n", cli_safe(d->message));
	if (x->template != NULL)
		(void)printf("template    %s\n", cli_safe(x->template));
	if (d->on_behalf != NULL)
		(void)printf("on behalf   %s\n", cli_safe(d->on_behalf));
	if (x->row != 0)
		(void)printf(
		    "answer      that of request %lld\n", (long long)x->row);
	if (r->cert != NULL)
		print_certificate(r);
}

/* What a script may want to know. */
static int
exit_code(enum ae_ca_verdict v)
{
	switch (v) {
	case AE_CA_ISSUE:
	case AE_CA_STORED:
		return EXIT_OK;
	case AE_CA_PEND:
		return EXIT_PENDING;
	case AE_CA_ASK:
	case AE_CA_DENY:
	case AE_CA_FAIL:
	case AE_CA_REFUSE:
		break;
	}
	return EXIT_DENIED;
}

int
cmd_explain(struct cli *cli, int argc, char **argv)
{
	struct query q = { .path = NULL };
	struct ae_err e = AE_ERR_INIT;
	struct result r = { 0 };
	int code, rc;

	ae_wr_init(&q.attrs, AE_WCCE_ATTRS_MAX);
	code = parse(&q, argc, argv);
	if (code != EXIT_OK) {
		ae_wr_done(&q.attrs);
		return code;
	}
	r.a = ae_arena_new(ARENA_MAX);
	rc = r.a == NULL ? ae_fail_mem(&e) : explain(cli, &q, &r, &e);
	if (rc < 0) {
		code = cli_fail(cli, &e);
	} else {
		if (cli->json)
			print_json(&r);
		else
			print_text(&r);
		code = exit_code(r.x.d.verdict);
	}
	ae_cert_free(r.cert);
	ae_arena_free(r.a);
	ae_wr_done(&q.attrs);
	return code;
}
