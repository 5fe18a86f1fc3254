/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * autoenroll key: where keys can be made on this machine, and whether it
 * works: what certutil -csplist and -csptest tell on Windows.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../autoenrolld/keys.h"
#include "cli.h"
#include "key_test.h"
#include "wcce/hresult.h"

/* "0x80090030", "NTE_DEVICE_NOT_READY" and the story, into an object. */
static void
put_failure(json_t *j, uint32_t code, const char *why)
{
	char hex[16], symbol[16];

	(void)snprintf(hex, sizeof(hex), "0x%08x", code);
	(void)json_object_set_new(j, "hresult", json_string(hex));
	(void)json_object_set_new(
	    j, "hresult_symbol", json_string(ae_hresult_symbol(symbol, code)));
	(void)json_object_set_new(j, "error", json_string(cli_safe(why)));
}

static uint32_t
code_of(const struct ae_err *e)
{
	return e->dom == AE_DOM_HRESULT ? (uint32_t)e->code : AE_HR_E_FAIL;
}

static const char *
words(const json_t *j, const char *key)
{
	const char *s = json_string_value(json_object_get(j, key));

	return s == NULL ? "" : s;
}

/* One place for keys, asked whether it is ready. */
static json_t *
place(struct keys *k, enum ae_provider kind)
{
	struct ae_err e = AE_ERR_INIT;
	bool ready = keys_ready(k, kind, &e) == AE_OK;
	json_t *j = json_pack("{s:s, s:b, s:s}", "provider",
	    ae_provider_word(kind), "ready", ready, "name",
	    cli_safe(ae_keydev_name(k->dev, keys_home(kind))));

	if (j != NULL && !ready)
		put_failure(j, code_of(&e), e.text);
	return j;
}

static json_t *
name_row(const struct keys *k, const char *name, bool configured,
    const json_t *const places[AE_PROVIDERS])
{
	enum ae_provider kind = ae_provider_find(&k->providers, name);
	const json_t *at = places[kind];

	return json_pack("{s:s, s:s, s:b, s:b}", "name", name, "provider",
	    ae_provider_word(kind), "ready",
	    at != NULL && json_is_true(json_object_get(at, "ready")),
	    "configured", configured);
}

static json_t *
name_rows(const struct keys *k, const json_t *const places[AE_PROVIDERS])
{
	const struct ae_strv *rules = &k->providers.rules;
	json_t *list = json_array();
	enum ae_provider kind;
	const char *name;
	size_t i, r;

	for (r = 0; r + 1 < rules->n; r += 2)
		(void)json_array_append_new(
		    list, name_row(k, rules->v[r], true, places));
	for (i = 0; (name = ae_provider_name(i, &kind)) != NULL; i++) {
		for (r = 0; r + 1 < rules->n; r += 2)
			if (ae_str_eq_nocase(rules->v[r], name))
				break;
		if (r + 1 >= rules->n)
			(void)json_array_append_new(
			    list, name_row(k, name, false, places));
	}
	return list;
}

static void
show_providers(const json_t *j)
{
	const json_t *p;
	size_t i;

	json_array_foreach(json_object_get(j, "providers"), i, p)
	{
		(void)printf("%-9s %-9s %s\n", words(p, "provider"),
		    json_is_true(json_object_get(p, "ready")) ? "ready"
							      : "not ready",
		    cli_safe(words(p, "name")));
		if (words(p, "hresult")[0] != '\0')
			(void)printf("%20s%s %s: %s\n", "", words(p, "hresult"),
			    words(p, "hresult_symbol"),
			    cli_safe(words(p, "error")));
	}
	(void)printf("\n");
	json_array_foreach(json_object_get(j, "names"), i, p)(void)
	    printf("%-66s %-9s %s%s\n", cli_safe(words(p, "name")),
		words(p, "provider"),
		strcmp(words(p, "provider"), "none") == 0 ? "no counterpart"
		    : json_is_true(json_object_get(p, "ready")) ? "ready"
								: "not ready",
		json_is_true(json_object_get(p, "configured")) ? ", by "
								 "configuration"
							       : "");
}

/* A device that is configured, or simply there, and does not work. */
static int
cmd_providers(struct cli *cli)
{
	const json_t *places[AE_PROVIDERS] = { NULL };
	json_t *list = json_array(), *j;
	struct ae_err e = AE_ERR_INIT;
	int kind, code = EXIT_OK;
	struct keys k;

	if (keys_init(&k, &cli->c, &e) != AE_OK) {
		json_decref(list);
		return cli_fail(cli, &e);
	}
	for (kind = AE_PROVIDER_SOFTWARE; kind < AE_PROVIDERS; kind++) {
		json_t *p = place(&k, (enum ae_provider)kind);

		places[kind] = p;
		if (!json_is_true(json_object_get(p, "ready")) &&
		    (kind == AE_PROVIDER_TPM ? k.conf.tcti : k.conf.token) !=
			NULL)
			code = EXIT_FINDING;
		(void)json_array_append_new(list, p);
	}
	j = json_pack(
	    "{s:o, s:o}", "providers", list, "names", name_rows(&k, places));
	if (cli->json)
		cli_print_json(j);
	else
		show_providers(j);
	json_decref(j);
	keys_done(&k);
	return code;
}

/* "tpm", "software", "soft", "pkcs11", "pkcs11:URI", or a Windows name. */
static int
which(struct keys *k, const char *name, struct ae_err *e)
{
	int kind = ae_provider_from_word(name);

	if (strcmp(name, "soft") == 0)
		kind = AE_PROVIDER_SOFTWARE;
	if (strncmp(name, "pkcs11:", 7) == 0) {
		kind = AE_PROVIDER_TOKEN;
		k->conf.token = name;
	}
	if (kind < 0)
		kind = (int)ae_provider_find(&k->providers, name);
	if (kind != AE_PROVIDER_NONE)
		return kind;
	(void)ae_fail(e, AE_EINVAL, AE_DOM_HRESULT, 0x80090013,
	    "nothing here stands for the provider '%s'; [providers] in %s can "
	    "say what does",
	    cli_safe(name), cli_safe(k->c->conf_path));
	return AE_EINVAL;
}

static json_t *
result_json(const struct key_result *r)
{
	json_t *j = json_pack("{s:s, s:b, s:b, s:I}", "algorithm", r->name,
	    "pass", r->err.rc == AE_OK, "pss", r->pss, "milliseconds",
	    (json_int_t)r->ms);

	if (j == NULL)
		return NULL;
	if (r->err.rc != AE_OK)
		put_failure(j, code_of(&r->err), r->err.text);
	if (r->thumbprint[0] != '\0')
		(void)json_object_set_new(
		    j, "thumbprint", json_string(r->thumbprint));
	return j;
}

static void
show_result(const struct key_result *r)
{
	char symbol[16];

	if (r->err.rc != AE_OK) {
		(void)printf("  %-9s Fail: 0x%08x %s\n            %s\n",
		    r->name, code_of(&r->err),
		    ae_hresult_symbol(symbol, code_of(&r->err)),
		    cli_safe(r->err.text));
		return;
	}
	(void)printf("  %-9s Pass: made, stored, opened, signed, verified%s in "
		     "%lld ms\n",
	    r->name, r->pss ? " (RSASSA-PSS, too)" : "", (long long)r->ms);
	if (r->thumbprint[0] != '\0')
		(void)printf("            self-signed certificate CN=Test, "
			     "thumbprint %s; removed\n",
		    r->thumbprint);
}

static int
run_tests(struct cli *cli, struct keys *k, enum ae_provider kind,
    const char *name, const char *alg, bool self_signed)
{
	size_t i, tried = 0, passed = 0;
	json_t *list = json_array(), *j;
	struct key_result r;

	if (!cli->json)
		(void)printf("Provider: %s (%s)\n", cli_safe(name),
		    ae_provider_word(kind));
	for (i = 0; key_test_name(i) != NULL; i++) {
		if (alg != NULL && !ae_str_eq_nocase(alg, key_test_name(i)))
			continue;
		if (alg == NULL && !key_test_usual(i))
			continue;
		key_test(&r, k, kind, i, self_signed);
		tried++;
		passed += r.err.rc == AE_OK;
		if (!cli->json)
			show_result(&r);
		(void)json_array_append_new(list, result_json(&r));
	}
	j = json_pack("{s:s, s:s, s:s, s:i, s:i, s:o}", "provider",
	    ae_provider_word(kind), "asked_for", cli_safe(name), "device",
	    cli_safe(ae_keydev_name(k->dev, keys_home(kind))), "tried",
	    (int)tried, "passed", (int)passed, "tests", list);
	if (cli->json)
		cli_print_json(j);
	else
		(void)printf("%zu of %zu passed with %s\n", passed, tried,
		    cli_safe(words(j, "device")));
	json_decref(j);
	return passed == tried ? EXIT_OK
	    : passed == 0      ? EXIT_LOCAL
			       : EXIT_FINDING;
}

static int
cmd_test(struct cli *cli, const char *name, const char *alg, bool self_signed)
{
	struct ae_err e = AE_ERR_INIT;
	struct keys k;
	int kind, code;
	size_t i;

	if (name == NULL)
		return cli_usage("key", "which provider? --provider NAME");
	for (i = 0; alg != NULL && key_test_name(i) != NULL; i++)
		if (ae_str_eq_nocase(alg, key_test_name(i)))
			break;
	if (alg != NULL && key_test_name(i) == NULL)
		return cli_usage("key",
		    "--alg is RSA:2048, RSA:3072, RSA:4096, P256, P384 or "
		    "P521");
	if (keys_init(&k, &cli->c, &e) != AE_OK)
		return cli_fail(cli, &e);
	kind = which(&k, name, &e);
	if (kind > 0)
		kind = keys_again(&k, &e) == AE_OK ? kind : AE_EINTERNAL;
	code = kind < 0 ? cli_fail(cli, &e)
			: run_tests(cli, &k, (enum ae_provider)kind, name, alg,
			      self_signed);
	keys_done(&k);
	return code;
}

int
cmd_key(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {
		{ "provider", required_argument, NULL, 'p' },
		{ "alg", required_argument, NULL, 'a' },
		{ "self-signed", no_argument, NULL, 's' },
		{ "user", no_argument, NULL, 'u' },
		{ "json", no_argument, NULL, 'j' },
		{ 0 },
	};
	const char *provider = NULL, *alg = NULL, *verb;
	bool self_signed = false, user = false;
	struct ae_err e = AE_ERR_INIT;
	int opt;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (opt == 'p')
			provider = optarg;
		else if (opt == 'a')
			alg = optarg;
		else if (opt == 's')
			self_signed = true;
		else if (opt == 'u')
			user = true;
		else if (opt == 'j')
			cli->json = true;
		else
			return cli_usage("key", "unknown option");
	}
	if (user && cli_for_user(cli, &e) != AE_OK)
		return cli_fail(cli, &e);
	verb = argc - optind == 1 ? argv[optind] : "";
	if (strcmp(verb, "providers") == 0 && provider == NULL && alg == NULL &&
	    !self_signed)
		return cmd_providers(cli);
	if (strcmp(verb, "test") == 0)
		return cmd_test(cli, provider, alg, self_signed);
	return cli_usage("key", "expected 'providers' or 'test'");
}
