/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * autoenroll ca: which CAs there are, and what they say of themselves.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../autoenrolld/attempts.h"
#include "base/hex.h"
#include "base/str.h"
#include "base/utf16.h"
#include "cli.h"
#include "run/ca_client.h"
#include "session.h"
#include "wcce/caprop.h"
#include "wcce/hresult.h"

#define VALUE_MAX (4u * 1024u * 1024u)

struct ca_args {
	const char *config; /* --ca */
	bool stages;
	long prop, index;
};

/* A CA to talk to, and everything needed for it. */
struct talk {
	struct session s;
	const struct ae_enrollment_service *es;
	struct ae_run_ca *ca;
	struct ae_arena *a;
	char config[1024];
};

static void
talk_done(struct talk *t)
{
	ae_run_ca_free(t->ca);
	session_done(&t->s);
	ae_arena_free(t->a);
}

static int
talk_open(struct talk *t, const struct cli *cli, const struct ca_args *args,
    struct ae_err *e)
{
	struct ae_run_ca_config conf = { 0 };
	size_t i = 0;
	int rc;

	t->a = ae_arena_new(4 * VALUE_MAX);
	if (t->a == NULL)
		return ae_fail_mem(e);
	rc = session_open(&t->s, cli, e);
	if (rc == AE_OK)
		rc = session_cas(&t->s, args->config, &i, e);
	if (rc != AE_OK)
		return rc;
	t->es = t->s.pki->services[i];
	if (t->es->dns_host_name == NULL)
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "the AD object of %s names no host (dNSHostName)",
		    t->es->cn);
	(void)snprintf(t->config, sizeof(t->config), "%s\\%s",
	    t->es->dns_host_name, t->es->cn);
	conf.host = t->es->dns_host_name;
	conf.authority = t->es->cn;
	conf.cred = t->s.cred;
	conf.total_ms = (uint32_t)(cli->c.ca_timeout * 1000);
	return ae_run_ca_new(&t->ca, &conf, e);
}

static int
list(struct cli *cli, const struct ca_args *args)
{
	struct ae_err e = AE_ERR_INIT;
	struct session s = { 0 };
	json_t *all = json_array(), *names;
	size_t i, k, at;
	int rc, code;

	(void)args;
	rc = session_open(&s, cli, &e);
	if (rc == AE_OK)
		rc = session_cas(&s, NULL, &at, &e);
	for (i = 0; rc == AE_OK && i < s.pki->nservices; i++) {
		const struct ae_enrollment_service *es = s.pki->services[i];
		const char *host =
		    es->dns_host_name == NULL ? "" : es->dns_host_name;

		names = json_array();
		for (k = 0; k < es->templates.n; k++)
			(void)json_array_append_new(
			    names, json_string(es->templates.v[k]));
		(void)json_array_append_new(all,
		    json_pack("{s:o, s:s, s:s, s:s, s:o}", "config",
			json_sprintf("%s\\%s", host, es->cn), "name", es->cn,
			"host", host, "display_name",
			es->display_name == NULL ? es->cn : es->display_name,
			"templates", names));
		if (!cli->json)
			(void)printf("%s\\%s  (%zu templates)\n",
			    cli_safe(host), cli_safe(es->cn), es->templates.n);
	}
	if (cli->json && rc == AE_OK)
		cli_print_json(all);
	code = rc == AE_OK ? EXIT_OK : cli_fail(cli, &e);
	json_decref(all);
	session_done(&s);
	return code;
}

static void
print_stages(const json_t *attempts)
{
	const json_t *a, *st;
	const char *what, *error;
	size_t i, k;

	json_array_foreach(attempts, i, a)
	{
		(void)printf("by %s\n",
		    json_string_value(json_object_get(a, "transport")));
		json_array_foreach(json_object_get(a, "stages"), k, st)
		{
			what = json_string_value(json_object_get(st, "what"));
			error = json_string_value(json_object_get(st, "error"));
			(void)printf("  %-8s %-50s %9.1f ms%s%s\n",
			    json_string_value(json_object_get(st, "stage")),
			    cli_safe(what),
			    json_number_value(json_object_get(st, "ms")),
			    error == NULL ? "" : "  FAILED: ",
			    error == NULL ? "" : cli_safe(error));
		}
	}
}

static int
ping(struct cli *cli, const struct ca_args *args)
{
	/* The CA's name, property 6, is what Windows' own test reads. */
	struct ae_wcce_request rq = { .call = AE_WCCE_CALL_GETPROPERTY,
		.prop_id = AE_CR_PROP_CANAME,
		.prop_type = AE_PROPTYPE_STRING };
	struct ae_wcce_reply reply = { 0 };
	struct ae_err e = AE_ERR_INIT;
	struct talk t = { 0 };
	json_t *j, *attempts = NULL;
	int rc, code;

	rc = talk_open(&t, cli, args, &e);
	if (rc == AE_OK) {
		rc = ae_run_ca_ask(t.ca, &rq, &reply, t.a, &e);
		attempts = attempts_to_json(t.ca, t.config);
	}
	if (rc == AE_OK && reply.hresult != 0)
		rc = ae_fail(&e, AE_EREMOTE, AE_DOM_HRESULT,
		    (int64_t)reply.hresult, "%s answered 0x%08" PRIx32,
		    t.config, reply.hresult);
	if (cli->json) {
		j = json_pack("{s:s, s:b, s:O?}", "ca", t.config, "ok",
		    rc == AE_OK, "attempts", attempts);
		cli_print_json(j);
		json_decref(j);
		cli->json = false; /* the failure is in it already */
	} else {
		if (args->stages)
			print_stages(attempts);
		if (rc == AE_OK)
			(void)printf("%s answers\n", cli_safe(t.config));
	}
	code = rc == AE_OK ? EXIT_OK : cli_fail(cli, &e);
	json_decref(attempts);
	talk_done(&t);
	return code;
}

static int
get_prop(struct talk *t, const struct ae_catransprop *row, long index,
    struct ae_wcce_reply *reply, struct ae_err *e)
{
	struct ae_wcce_request rq = { .call = AE_WCCE_CALL_GETPROPERTY,
		.prop_id = (int32_t)row->prop_id,
		.prop_index = (int32_t)index,
		.prop_type = (int32_t)row->prop_type };
	char text[AE_HRESULT_STR_MAX];
	int rc;

	rc = ae_run_ca_ask(t->ca, &rq, reply, t->a, e);
	if (rc == AE_OK && reply->hresult != 0)
		rc = ae_fail(e, AE_EREMOTE, AE_DOM_HRESULT,
		    (int64_t)reply->hresult, "%s: %s", row->name,
		    ae_hresult_print(text, reply->hresult));
	return rc;
}

/* A value as JSON: text, a number, CAINFO as an object, or hex. */
static json_t *
value_json(struct talk *t, const struct ae_catransprop *row,
    const struct ae_wcce_blob *v)
{
	struct ae_cainfo info;
	size_t units = v->len / 2;
	char *text;

	if (row->prop_type == AE_PROPTYPE_STRING) {
		if (units > 0 && v->p[2 * units - 2] == 0 &&
		    v->p[2 * units - 1] == 0)
			units--;
		text = ae_utf16_to_utf8(t->a, v->p, units);
		return json_string(text == NULL ? "" : text);
	}
	if (row->prop_type == AE_PROPTYPE_LONG &&
	    ae_cainfo_get(&info, v->p, v->len))
		return json_pack("{s:i, s:I, s:I, s:i, s:i, s:I}", "ca_type",
		    (int)info.ca_type, "signing_certs",
		    (json_int_t)info.sig_certs, "exchange_certs",
		    (json_int_t)info.xchg_certs, "prop_id_max",
		    (int)info.prop_id_max, "role_separation",
		    (int)info.role_separation, "advanced_server",
		    (json_int_t)info.advanced_server);
	text = ae_arena_alloc(t->a, 2 * v->len + 1);
	if (text == NULL)
		return NULL;
	ae_hex_encode(text, v->p, v->len);
	return json_string(text);
}

static void
print_value(const char *name, const json_t *v)
{
	const char *key, *s = json_string_value(v);
	const json_t *field;
	char line[512];
	size_t len;

	if (s != NULL && strchr(s, '\n') == NULL) {
		(void)printf("%-24s %s\n", name, cli_safe(s));
		return;
	}
	if (s != NULL) { /* a list, one entry a line */
		(void)printf("%s\n", name);
		for (; *s != '\0'; s += len + (s[len] == '\n')) {
			len = strcspn(s, "\n");
			(void)snprintf(line, sizeof(line), "%.*s", (int)len, s);
			(void)printf("  %s\n", cli_safe(line));
		}
		return;
	}
	(void)printf("%s\n", name);
	json_object_foreach((json_t *)(uintptr_t)v, key, field)(void)
	    printf("  %-22s %" JSON_INTEGER_FORMAT "\n", key,
		json_integer_value(field));
}

static int
prop(struct cli *cli, const struct ca_args *args)
{
	const struct ae_catransprop *row = ae_cr_prop_find((int32_t)args->prop);
	struct ae_wcce_reply reply = { 0 };
	struct ae_err e = AE_ERR_INIT;
	struct talk t = { 0 };
	json_t *j, *v = NULL;
	int rc, code;

	if (row == NULL)
		return cli_usage("ca", "there is no property %ld", args->prop);
	rc = talk_open(&t, cli, args, &e);
	if (rc == AE_OK)
		rc = get_prop(&t, row, args->index, &reply, &e);
	if (rc == AE_OK) {
		v = value_json(&t, row, &reply.value);
		j = json_pack("{s:i, s:s, s:O}", "id", (int)row->prop_id,
		    "name", row->name, "value", v);
		if (cli->json)
			cli_print_json(j);
		else
			print_value(row->name, v);
		json_decref(j);
		json_decref(v);
	}
	code = rc == AE_OK ? EXIT_OK : cli_fail(cli, &e);
	talk_done(&t);
	return code;
}

static int
info(struct cli *cli, const struct ca_args *args)
{
	static const int32_t ids[] = { AE_CR_PROP_CANAME,
		AE_CR_PROP_SANITIZEDCANAME, AE_CR_PROP_DNSNAME,
		AE_CR_PROP_CATYPE, AE_CR_PROP_PRODUCTVERSION,
		AE_CR_PROP_POLICYDESCRIPTION };
	struct ae_err e = AE_ERR_INIT;
	struct talk t = { 0 };
	json_t *all = json_object(), *v;
	size_t i;
	int rc, code;

	rc = talk_open(&t, cli, args, &e);
	for (i = 0; rc == AE_OK && i < sizeof(ids) / sizeof(ids[0]); i++) {
		const struct ae_catransprop *row = ae_cr_prop_find(ids[i]);
		struct ae_wcce_reply reply = { 0 };
		struct ae_err one = AE_ERR_INIT;

		/* A CA may lack one; the first must be there. */
		rc = get_prop(&t, row, 0, &reply, i == 0 ? &e : &one);
		if (rc != AE_OK) {
			rc = i == 0 ? rc : AE_OK;
			continue;
		}
		v = value_json(&t, row, &reply.value);
		if (!cli->json)
			print_value(row->name, v);
		(void)json_object_set_new(all, row->name, v);
	}
	if (rc == AE_OK && cli->json)
		cli_print_json(all);
	code = rc == AE_OK ? EXIT_OK : cli_fail(cli, &e);
	json_decref(all);
	talk_done(&t);
	return code;
}

/* "cn\nOID\ncn\nOID\n": the names alone. */
static void
loaded_names(struct ae_strv *out, char *text)
{
	char *line, *nl;
	size_t i = 0;

	for (line = text; *line != '\0'; line = nl + 1, i++) {
		nl = strchr(line, '\n');
		if (nl == NULL)
			break;
		*nl = '\0';
		if (i % 2 == 0)
			(void)ae_strv_add(out, line);
	}
}

/* What the CA has loaded beside what AD lists: a difference is a finding. */
static int
templates(struct cli *cli, const struct ca_args *args)
{
	const struct ae_catransprop *row =
	    ae_cr_prop_find(AE_CR_PROP_TEMPLATES);
	struct ae_wcce_reply reply = { 0 };
	struct ae_err e = AE_ERR_INIT;
	struct ae_strv loaded = { 0 };
	struct talk t = { 0 };
	json_t *all = json_array(), *v;
	char *text;
	size_t i, differ = 0;
	int rc, code;

	rc = talk_open(&t, cli, args, &e);
	if (rc == AE_OK)
		rc = get_prop(&t, row, 0, &reply, &e);
	if (rc == AE_OK) {
		v = value_json(&t, row, &reply.value);
		text = ae_arena_strdup(t.a, json_string_value(v));
		json_decref(v);
		if (text != NULL)
			loaded_names(&loaded, text);
		for (i = 0; i < t.es->templates.n; i++) {
			const char *cn = t.es->templates.v[i];
			bool has = ae_strv_has_nocase(&loaded, cn);

			differ += !has;
			(void)json_array_append_new(all,
			    json_pack("{s:s, s:b, s:b}", "template", cn, "ad",
				true, "ca", has));
		}
		for (i = 0; i < loaded.n; i++) {
			if (ae_enrollment_service_offers(t.es, loaded.v[i]))
				continue;
			differ++;
			(void)json_array_append_new(all,
			    json_pack("{s:s, s:b, s:b}", "template",
				loaded.v[i], "ad", false, "ca", true));
		}
	}
	if (rc == AE_OK && cli->json) {
		cli_print_json(all);
	} else if (rc == AE_OK) {
		json_array_foreach(all, i, v)(void) printf("%-32s %-6s %s\n",
		    cli_safe(json_string_value(json_object_get(v, "template"))),
		    json_is_true(json_object_get(v, "ad")) ? "AD" : "-",
		    json_is_true(json_object_get(v, "ca")) ? "CA" : "-");
	}
	code = rc != AE_OK ? cli_fail(cli, &e)
	    : differ > 0   ? EXIT_FINDING
			   : EXIT_OK;
	json_decref(all);
	ae_strv_done(&loaded);
	talk_done(&t);
	return code;
}

int
cmd_ca(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {
		{ "ca", required_argument, NULL, 'c' },
		{ "stages", no_argument, NULL, 's' },
		{ "index", required_argument, NULL, 'i' },
		{ "json", no_argument, NULL, 'j' },
		{ 0 },
	};
	static const struct {
		const char *name;
		int (*run)(struct cli *, const struct ca_args *);
		int args;
	} verbs[] = { { "list", list, 0 }, { "ping", ping, 0 },
		{ "info", info, 0 }, { "prop", prop, 1 },
		{ "templates", templates, 0 } };
	struct ca_args args = { 0 };
	char *end;
	size_t i;
	int opt;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (opt) {
		case 'c':
			args.config = optarg;
			break;
		case 's':
			args.stages = true;
			break;
		case 'i':
			args.index = strtol(optarg, &end, 0);
			if (*end != '\0')
				return cli_usage("ca", "bad index");
			break;
		case 'j':
			cli->json = true;
			break;
		default:
			return cli_usage("ca", "unknown option");
		}
	}
	for (i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (optind >= argc || strcmp(argv[optind], verbs[i].name) != 0)
			continue;
		if (argc - optind - 1 != verbs[i].args)
			break;
		if (verbs[i].args == 1) {
			args.prop = strtol(argv[optind + 1], &end, 0);
			if (*end != '\0')
				return cli_usage("ca", "a number is wanted");
		}
		return verbs[i].run(cli, &args);
	}
	return cli_usage(
	    "ca", "expected list, ping, info, prop N or templates");
}
