/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * certsrv request: reads the database beside the running CA, or a view of
 * that of a CA on another host; what waits is approved and denied through the
 * CA.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hex.h"
#include "base/time.h"
#include "base/wr.h"
#include "ca/decide.h"
#include "cli.h"
#include "db/db.h"
#include "dbconf.h"
#include "pki/cert.h"
#include "local.h"
#include "remote.h"
#include "wcce/hresult.h"

#define ARENA_MAX (64u << 20)

struct query {
	struct ae_db_filter filter;
	bool pem;
};

/* Where rows come from: one of the two, or certsrvd here. */
struct source {
	struct ae_db *db;
	struct remote *remote;
};

/* clang-format off */
static const struct option options[] = {
	{ "state", required_argument, NULL, 's' },
	{ "template", required_argument, NULL, 't' },
	{ "sid", required_argument, NULL, 'u' },
	{ "limit", required_argument, NULL, 'l' },
	{ "after", required_argument, NULL, 'a' },
	{ "oldest", no_argument, NULL, 'o' },
	{ "pem", no_argument, NULL, 'p' },
	{ 0 },
};

static const int states[] = { AE_DB_ACTIVE, AE_DB_PENDING, AE_DB_ISSUED,
	AE_DB_REVOKED, AE_DB_VOID, AE_DB_FAILED, AE_DB_DENIED };
/* clang-format on */

/* A number in full; false: it is none, or outside. */
static bool
number(const char *s, long long lo, long long hi, long long *out)
{
	char *end;

	*out = strtoll(s, &end, 10);
	return end != s && *end == '\0' && *out >= lo && *out <= hi;
}

static bool
state(const char *s, int *out)
{
	size_t i;

	for (i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		if (strcmp(ae_db_disp_name(states[i]), s) == 0) {
			*out = states[i];
			return true;
		}
	return false;
}

/* The options behind "list" or "show"; 0 or an exit code. */
static int
parse(struct query *q, int argc, char **argv)
{
	long long n;
	int c;

	q->filter.limit = 50;
	q->filter.newest_first = true;
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 's':
			if (!state(optarg, &q->filter.disp))
				return cli_usage(
				    "request", "no state \"%s\"", optarg);
			break;
		case 't':
			q->filter.template = optarg;
			break;
		case 'u':
			q->filter.sid = optarg;
			break;
		case 'l':
			if (!number(optarg, 1, AE_DB_PAGE_MAX, &n))
				return cli_usage("request",
				    "--limit is 1 to %d", AE_DB_PAGE_MAX);
			q->filter.limit = (unsigned)n;
			break;
		case 'a':
			if (!number(optarg, 1, INT32_MAX, &n))
				return cli_usage(
				    "request", "--after is a request id");
			q->filter.after = n;
			break;
		case 'o':
			q->filter.newest_first = false;
			break;
		case 'p':
			q->pem = true;
			break;
		default:
			return cli_usage("request", "unknown option");
		}
	}
	return EXIT_OK;
}

static json_t *
json_row(const struct ae_db_request *r)
{
	char hex[2 * AE_DB_HASH_LEN + 1], serial[2 * AE_DB_SERIAL_MAX + 1];
	char hr[16], symbol[16];

	ae_hex_encode(hex, r->csr_hash, sizeof(r->csr_hash));
	ae_hex_encode(serial, r->serial, r->serial_len);
	(void)snprintf(hr, sizeof(hr), "0x%08x", r->hresult);
	return json_pack("{s:I, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o,"
			 " s:I, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:i, s:o,"
			 " s:I}",
	    "id", (json_int_t)r->id, "disp", ae_db_disp_name((int)r->disp),
	    "hresult", hr, "hresult_symbol",
	    r->hresult == 0 ? "" : ae_hresult_symbol(symbol, r->hresult),
	    "message", cli_json_text(r->message), "sid", cli_json_text(r->sid),
	    "account", cli_json_text(r->account), "template",
	    cli_json_text(r->template), "subject", cli_json_text(r->subject),
	    "attrs", cli_json_text(r->attrs), "flags", (json_int_t)r->flags,
	    "csr_hash", hex, "serial", serial, "submitted",
	    cli_json_time(r->submitted), "resolved", cli_json_time(r->resolved),
	    "not_before", cli_json_time(r->not_before), "not_after",
	    cli_json_time(r->not_after), "revoked_at",
	    cli_json_time(r->revoked_at), "revoked_reason", r->revoked_reason,
	    "on_behalf", cli_json_text(r->on_behalf), "request_flags",
	    (json_int_t)r->request_flags);
}

static void
print_list(const struct ae_db_request *v, size_t n)
{
	char when[AE_TIME_STR_MAX], symbol[16];
	size_t i;

	if (n == 0)
		(void)puts("no requests");
	for (i = 0; i < n; i++)
		(void)printf("%6lld  %-8s %s  %-24s %-20s %s\n",
		    (long long)v[i].id, ae_db_disp_name((int)v[i].disp),
		    ae_time_print(when, v[i].submitted), cli_safe(v[i].account),
		    cli_safe(v[i].template),
		    v[i].hresult != 0 ? ae_hresult_symbol(symbol, v[i].hresult)
				      : cli_safe(v[i].subject));
}

static int
list(struct cli *cli, const struct source *src, const struct query *q,
    struct ae_arena *a, struct ae_err *e)
{
	struct ae_db_request *v;
	json_t *rows;
	size_t n, i;
	int rc;

	rc = src->remote != NULL
	    ? remote_list(src->remote, &q->filter, &v, &n, a, e)
	    : src->db == NULL
	    ? local_list(cli, &q->filter, &v, &n, a, e)
	    : ae_db_request_list(src->db, &q->filter, &v, &n, a, e);
	if (rc != AE_OK)
		return rc;
	if (!cli->json) {
		print_list(v, n);
		if (n == q->filter.limit)
			(void)printf(
			    "(more: --after %lld)\n", (long long)v[n - 1].id);
		return AE_OK;
	}
	rows = json_array();
	for (i = 0; i < n; i++)
		(void)json_array_append_new(rows, json_row(&v[i]));
	cli_print_json(json_pack("{s:o, s:b, s:I}", "requests", rows, "more",
	    n == q->filter.limit, "after",
	    (json_int_t)(n == 0 ? 0 : v[n - 1].id)));
	return AE_OK;
}

/* The certificate as PEM text in w; AE_OK with none when there is none. */
static int
pem(struct ae_wr *w, const struct ae_db_request *r, struct ae_err *e)
{
	struct ae_cert *c = NULL;
	int rc;

	if (r->cert_len == 0)
		return AE_OK;
	rc = ae_cert_parse(&c, r->cert, r->cert_len, e);
	if (rc == AE_OK)
		ae_cert_put_pem(w, c);
	ae_cert_free(c);
	return rc;
}

static void
print_row(const struct ae_db_request *r)
{
	char t[AE_TIME_STR_MAX], serial[2 * AE_DB_SERIAL_MAX + 1];
	char hr[AE_HRESULT_STR_MAX];

	(void)printf("id          %lld\nstate       %s\n", (long long)r->id,
	    ae_db_disp_name((int)r->disp));
	if (r->hresult != 0)
		(void)printf(
		    "reason      %s\n", ae_hresult_print(hr, r->hresult));
	(void)printf("message     %s\n", cli_safe(r->message));
	(void)printf(
	    "requester   %s  %s\n", cli_safe(r->account), cli_safe(r->sid));
	if (r->on_behalf != NULL)
		(void)printf("on behalf   %s\n", cli_safe(r->on_behalf));
	if (r->request_flags & AE_CR_FLG_RENEWAL)
		(void)puts("kind        a renewal");
	(void)printf("template    %s\n", cli_safe(r->template));
	(void)printf("subject     %s\n", cli_safe(r->subject));
	(void)printf("attributes  %s\n", cli_safe(r->attrs));
	(void)printf("submitted   %s\n", ae_time_print(t, r->submitted));
	if (r->resolved != 0)
		(void)printf("resolved    %s\n", ae_time_print(t, r->resolved));
	if (r->serial_len > 0) {
		ae_hex_encode(serial, r->serial, r->serial_len);
		(void)printf("serial      %s\n", serial);
	}
	if (r->cert_len > 0) {
		(void)printf(
		    "not before  %s\n", ae_time_print(t, r->not_before));
		(void)printf(
		    "not after   %s\n", ae_time_print(t, r->not_after));
	}
	if (r->revoked_at != 0)
		(void)printf("revoked     %s, reason %d\n",
		    ae_time_print(t, r->revoked_at), r->revoked_reason);
}

static int
show(struct cli *cli, const struct source *src, int64_t id, bool with_pem,
    struct ae_arena *a, struct ae_err *e)
{
	struct ae_db_request r;
	struct ae_wr w;
	json_t *j;
	int rc;

	rc = src->remote != NULL ? remote_get(src->remote, id, &r, a, e)
	    : src->db == NULL	 ? local_get(cli, id, &r, a, e)
				 : ae_db_request_get(src->db, id, &r, a, e);
	if (rc != AE_OK)
		return ae_note(e, rc, "request %lld", (long long)id);
	ae_wr_init(&w, 1 << 18);
	if (with_pem)
		rc = pem(&w, &r, e);
	if (rc == AE_OK && cli->json) {
		j = json_row(&r);
		if (w.len > 0 && ae_wr_cstr(&w) != NULL)
			(void)json_object_set_new(
			    j, "cert", json_string(ae_wr_cstr(&w)));
		cli_print_json(j);
	} else if (rc == AE_OK) {
		print_row(&r);
		if (w.len > 0 && ae_wr_cstr(&w) != NULL)
			(void)fputs(ae_wr_cstr(&w), stdout);
	}
	ae_wr_done(&w);
	return rc;
}

/* "approve ID" and "deny ID". */
static int
decide(struct cli *cli, int argc, char **argv)
{
	long long id;

	if (argc != 2 || !number(argv[1], 1, INT32_MAX, &id))
		return cli_usage("request", "%s needs one request id", argv[0]);
	return request_decide(cli, argv[0][0] == 'a', id);
}

int
cmd_request(struct cli *cli, int argc, char **argv)
{
	struct ae_db_options o = { .read_only = true };
	struct ae_err e = AE_ERR_INIT;
	struct ae_arena *a = NULL;
	struct source src = { .db = NULL };
	struct query q = { .pem = false };
	long long id = 0;
	bool one;
	int rc;

	if (argc >= 2 &&
	    (strcmp(argv[1], "approve") == 0 || strcmp(argv[1], "deny") == 0))
		return decide(cli, argc - 1, argv + 1);
	if (argc < 2 ||
	    (strcmp(argv[1], "list") != 0 && strcmp(argv[1], "show") != 0))
		return cli_usage("request", "list, show, approve or deny?");
	one = argv[1][0] == 's';
	rc = parse(&q, argc - 1, argv + 1);
	if (rc != EXIT_OK)
		return rc;
	if (one &&
	    (optind + 1 != argc - 1 ||
		!number(argv[1 + optind], 1, INT32_MAX, &id)))
		return cli_usage("request", "show needs one request id");
	if (!one && optind != argc - 1)
		return cli_usage("request", "list takes options only");
	if (cli->ca != NULL) {
		rc = remote_open(&src.remote, cli, &e);
	} else if ((rc = cli_conf(cli, &e)) == AE_OK && geteuid() == 0) {
		rc = dbconf_open(&src.db, &cli->conf, &o, &e);
	}
	a = ae_arena_new(ARENA_MAX);
	if (rc == AE_OK && a == NULL)
		rc = ae_fail_mem(&e);
	if (rc == AE_OK)
		rc = one ? show(cli, &src, id, q.pem, a, &e)
			 : list(cli, &src, &q, a, &e);
	remote_close(src.remote);
	ae_db_free(src.db);
	ae_arena_free(a);
	return rc == AE_OK ? EXIT_OK : cli_fail(cli, &e);
}
