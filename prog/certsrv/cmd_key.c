/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * certsrv key test: each of the CA's keys makes a signature that is looked
 * at, where the key is and with the secrets the CA would use.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ca/cacerts.h"
#include "cafile.h"
#include "cakey.h"
#include "cli.h"
#include "setup_files.h"
#include "sys/clock.h"

static int
test_one(struct cakeys *keys, const char *uri, const struct cafile *f,
    json_t *out, struct ae_err *e)
{
	uint8_t text[32];
	struct ae_key *k = NULL;
	struct ae_sigalg alg;
	struct ae_wr sig;
	char kind[16];
	int index = -1, rc;
	size_t i;

	ae_random(text, sizeof(text));
	ae_wr_init(&sig, AE_SIG_MAX);
	rc = cakeys_open(&k, keys, uri, NULL, e);
	if (rc == AE_OK) {
		alg = ae_key_sigalg(k, cakey_hash(k));
		rc = ae_key_sign(&sig, k, &alg, text, sizeof(text), e);
	}
	if (rc == AE_OK)
		rc = ae_key_verify(
		    k, &alg, text, sizeof(text), sig.p, sig.len, e);
	for (i = 0; rc == AE_OK && f != NULL && i < f->list.nkeys; i++)
		if (ae_key_same_public(f->list.keys[i].pub, k))
			index = f->list.keys[i].index;
	(void)json_object_set_new(out, "uri", cli_json_text(uri));
	(void)json_object_set_new(out, "works", json_boolean(rc == AE_OK));
	if (rc == AE_OK) {
		(void)json_object_set_new(
		    out, "key", cli_json_text(ae_key_print(kind, k)));
		(void)json_object_set_new(
		    out, "device", cli_json_text(cakeys_device(keys, k)));
		(void)json_object_set_new(out, "key_index",
		    index >= 0 ? json_integer(index) : json_null());
	} else {
		(void)json_object_set_new(out, "error", cli_json_text(e->text));
	}
	ae_wr_done(&sig);
	ae_key_free(k);
	return rc;
}

static void
print(json_t *j)
{
	const char *uri = json_string_value(json_object_get(j, "uri"));
	json_t *index = json_object_get(j, "key_index");

	if (!json_is_true(json_object_get(j, "works"))) {
		(void)printf("%s: %s\n", cli_safe(uri),
		    cli_safe(json_string_value(json_object_get(j, "error"))));
		return;
	}
	(void)printf("%s: %s in %s, ", cli_safe(uri),
	    json_string_value(json_object_get(j, "key")),
	    cli_safe(json_string_value(json_object_get(j, "device"))));
	if (json_is_integer(index))
		(void)printf("key %lld of the CA\n",
		    (long long)json_integer_value(index));
	else
		(void)printf("of no certificate of the CA\n");
}

int
key_test_all(struct cli *cli, json_t *list, size_t *broken, struct ae_err *e)
{
	struct cakeys *keys = NULL;
	json_t *one;
	struct ae_err why;
	struct cafile f;
	uid_t uid = 0;
	gid_t gid = 0;
	size_t i, bad = 0;
	bool has;
	int rc;

	has = cafile_read(&f, &cli->conf, false, NULL) == AE_OK;
	rc = cakeys_new(&keys, &cli->conf, e);
	if (rc == AE_OK)
		rc = setup_owner(cli->conf.uid_base, ROLE_SIGN, SETUP_KEY_USER,
		    &uid, &gid, e);
	/* As the process that signs; what it may not read, we do not. */
	if (rc == AE_OK)
		rc = cakeys_become(uid, gid, e);
	for (i = 0; rc == AE_OK && i < cli->conf.keys.n; i++) {
		why = (struct ae_err)AE_ERR_INIT;
		one = json_object();
		if (test_one(keys, cli->conf.keys.v[i], has ? &f : NULL, one,
			&why) < 0)
			bad++;
		(void)json_array_append_new(list, one);
	}
	cakeys_return();
	cakeys_free(keys);
	if (has)
		cafile_done(&f);
	*broken = bad;
	return rc;
}

static int
test_all(struct cli *cli, struct ae_err *e)
{
	json_t *list = json_array(), *one;
	size_t i, bad = 0;
	int rc = key_test_all(cli, list, &bad, e);

	json_array_foreach(list, i, one)
	{
		if (!cli->json)
			print(one);
	}
	if (cli->json && rc == AE_OK)
		cli_print_json(json_pack("{s:O}", "keys", list));
	json_decref(list);
	return rc < 0 ? rc : bad > 0 ? EXIT_FINDING : EXIT_OK;
}

int
cmd_key(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ 0 },
	};
	struct ae_err e = AE_ERR_INIT;
	int opt, rc;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (opt != 'j')
			return cli_usage("key", "unknown option");
		cli->json = true;
	}
	if (optind + 1 != argc || strcmp(argv[optind], "test") != 0)
		return cli_usage("key", "test is expected");
	if (cli_conf(cli, &e) < 0)
		return cli_fail(cli, &e);
	if (geteuid() != 0) {
		(void)fprintf(
		    stderr, "certsrv key: uses the CA's key; run it as root\n");
		return EXIT_LOCAL;
	}
	rc = test_all(cli, &e);
	return rc < 0 ? cli_fail(cli, &e) : rc;
}
