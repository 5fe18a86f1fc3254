/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * certsrv attestation: whose TPMs count when a key is attested – the
 * manufacturers' roots and intermediates, and a list of endorsement keys.
 * Each is a file of [attestation] directory, which certsrvd looks at by
 * itself.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/hex.h"
#include "ca/attest.h"
#include "cli.h"
#include "pki/name.h"
#include "sys/files.h"

#define HEX (2 * AE_CA_EK_HASH)

struct files {
	uint8_t *p[AE_CA_TRUST_FILES];
	size_t len[AE_CA_TRUST_FILES];
	struct ae_ca_trust *trust; /* what they say */
};

static void
path_of(char out[4096], const struct cli *cli, size_t i)
{
	(void)snprintf(out, 4096, "%s/%s", cli->conf.attest_dir,
	    ae_ca_trust_files[i].name);
}

static struct ae_ca_trust_text
text(const struct files *f, size_t i)
{
	return (struct ae_ca_trust_text){ f->p[i], f->len[i] };
}

static void
files_done(struct files *f)
{
	size_t i;

	for (i = 0; i < AE_CA_TRUST_FILES; i++)
		free(f->p[i]);
	ae_ca_trust_free(f->trust);
}

static int
files_read(struct files *f, const struct cli *cli, struct ae_err *e)
{
	char path[4096];
	size_t i;
	int rc = AE_OK;

	for (i = 0; i < AE_CA_TRUST_FILES && rc == AE_OK; i++) {
		path_of(path, cli, i);
		rc = ae_file_read(
		    &f->p[i], &f->len[i], path, ae_ca_trust_files[i].max, e);
		if (rc == AE_ENOTFOUND)
			rc = AE_OK;
	}
	if (rc == AE_OK)
		rc = ae_ca_trust_parse(&f->trust, text(f, AE_CA_TRUST_ROOTS),
		    text(f, AE_CA_TRUST_OTHERS), text(f, AE_CA_TRUST_KEYS), e);
	return rc == AE_OK ? rc : ae_note(e, rc, "%s", cli->conf.attest_dir);
}

/* The file whole or as it was; what is written can be read. */
static int
file_write(const struct cli *cli, const struct files *f, size_t i,
    const struct ae_wr *w, struct ae_err *e)
{
	struct ae_ca_trust_text all[AE_CA_TRUST_FILES];
	struct ae_ca_trust *t = NULL;
	char path[4096];
	size_t k;
	int rc;

	if (!ae_wr_ok(w))
		return ae_fail_mem(e);
	for (k = 0; k < AE_CA_TRUST_FILES; k++)
		all[k] = text(f, k);
	all[i] = (struct ae_ca_trust_text){ w->p, w->len };
	rc = ae_ca_trust_parse(&t, all[AE_CA_TRUST_ROOTS],
	    all[AE_CA_TRUST_OTHERS], all[AE_CA_TRUST_KEYS], e);
	ae_ca_trust_free(t);
	if (rc != AE_OK)
		return rc;
	if (mkdir(cli->conf.attest_dir, 0755) != 0 && errno != EEXIST)
		return ae_fail_errno(e, errno, "%s", cli->conf.attest_dir);
	path_of(path, cli, i);
	return ae_file_write(path, w->p, w->len, 0644, e);
}

/* ---- show ---- */

static void
hash_of(char hex[HEX + 1], const struct ae_cert *c)
{
	uint8_t hash[AE_CA_EK_HASH];

	ae_cert_sha256(hash, c);
	ae_hex_encode(hex, hash, sizeof(hash));
}

static json_t *
show_certs(
    const struct cli *cli, const char *what, struct ae_cert *const *v, size_t n)
{
	json_t *list = json_array();
	char hex[HEX + 1], *name;
	size_t i;

	for (i = 0; i < n; i++) {
		name = NULL;
		(void)!ae_name_print(&name, v[i]->subject, NULL);
		hash_of(hex, v[i]);
		(void)json_array_append_new(list,
		    json_pack("{s:s, s:o, s:o}", "sha256", hex, "subject",
			cli_json_text(name), "not_after",
			cli_json_time(v[i]->not_after)));
		if (!cli->json)
			(void)printf(
			    "%-12s  %s  %s\n", what, hex, cli_safe(name));
		free(name);
	}
	return list;
}

static json_t *
show_keys(const struct cli *cli, const struct ae_ca_trust *t)
{
	json_t *list = json_array();
	char hex[HEX + 1];
	size_t i;

	for (i = 0; i < t->nkeys; i++) {
		ae_hex_encode(hex, t->keys[i], AE_CA_EK_HASH);
		(void)json_array_append_new(list, json_string(hex));
		if (!cli->json)
			(void)printf("%-12s  %s\n", "key", hex);
	}
	return list;
}

static int
show(const struct cli *cli, const struct files *f)
{
	const struct ae_ca_trust *t = f->trust;
	json_t *roots = show_certs(cli, "root", t->roots, t->nroots);
	json_t *others = show_certs(cli, "intermediate", t->others, t->nothers);
	json_t *keys = show_keys(cli, t);

	if (!cli->json && t->nroots + t->nothers + t->nkeys == 0)
		(void)puts("no TPM is trusted but on its user's word");
	if (cli->json) {
		cli_print_json(json_pack("{s:o, s:o, s:o}", "roots", roots,
		    "intermediates", others, "keys", keys));
		return EXIT_OK;
	}
	json_decref(roots);
	json_decref(others);
	json_decref(keys);
	return EXIT_OK;
}

/* ---- changes ---- */

static int
read_certs(struct ae_cert ***v, size_t *n, const char *path, struct ae_err *e)
{
	uint8_t *p = NULL;
	size_t len = 0;
	int rc;

	rc = ae_file_read(&p, &len, path, AE_CA_EK_PEM_MAX, e);
	if (rc == AE_OK)
		rc = ae_certs_read(v, n, AE_CA_EK_CERTS, p, len, e);
	free(p);
	return rc == AE_OK ? rc : ae_note(e, rc, "%s", path);
}

static bool
among(const struct ae_cert *c, struct ae_cert *const *v, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (ae_der_equal(c->der, v[i]->der))
			return true;
	return false;
}

/* A file's certificates behind those there are. */
static int
add_certs(const struct cli *cli, const struct files *f, size_t i,
    const char *path, struct ae_err *e)
{
	const struct ae_ca_trust *t = f->trust;
	const bool root = i == AE_CA_TRUST_ROOTS;
	struct ae_cert **v = NULL;
	struct ae_wr w;
	size_t n = 0, k, new = 0;
	int rc;

	rc = read_certs(&v, &n, path, e);
	ae_wr_init(&w, ae_ca_trust_files[i].max);
	ae_wr_bytes(&w, f->p[i], f->len[i]);
	for (k = 0; k < n; k++) {
		if (among(v[k], root ? t->roots : t->others,
			root ? t->nroots : t->nothers))
			continue;
		ae_cert_put_pem(&w, v[k]);
		new ++;
	}
	if (rc == AE_OK)
		rc = file_write(cli, f, i, &w, e);
	if (rc == AE_OK && !cli->json)
		(void)printf("%zu of %zu were not there yet\n", new, n);
	ae_wr_done(&w);
	ae_certs_free(v, n);
	return rc;
}

/* A hash as it is written, or that of an endorsement key's certificate. */
static int
key_hash(char hex[HEX + 1], const char *word, struct ae_err *e)
{
	uint8_t hash[AE_HASH_MAX];
	struct ae_cert **v = NULL;
	size_t n = 0;
	int rc;

	if (strlen(word) == HEX && ae_ca_trust_line(hash, word, HEX) == 1) {
		ae_hex_encode(hex, hash, AE_CA_EK_HASH);
		return AE_OK;
	}
	rc = read_certs(&v, &n, word, e);
	if (rc == AE_OK && n != 1)
		rc = ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "%s: one certificate of an endorsement key is wanted",
		    word);
	if (rc == AE_OK &&
	    ae_hash_bytes(hash, AE_HASH_SHA256, v[0]->spki.p, v[0]->spki.len) !=
		AE_CA_EK_HASH)
		rc = ae_fail_mem(e);
	if (rc == AE_OK)
		ae_hex_encode(hex, hash, AE_CA_EK_HASH);
	ae_certs_free(v, n);
	return rc;
}

static int
add_key(const struct cli *cli, const struct files *f, const char *word,
    const char *comment, struct ae_err *e)
{
	const size_t i = AE_CA_TRUST_KEYS;
	char hex[HEX + 1];
	struct ae_wr w;
	int rc;

	rc = key_hash(hex, word, e);
	if (rc == AE_OK && comment != NULL && strpbrk(comment, "\r\n") != NULL)
		rc = ae_fail(
		    e, AE_EINVAL, AE_DOM_NONE, 0, "a comment is one line");
	if (rc != AE_OK)
		return rc;
	ae_wr_init(&w, ae_ca_trust_files[i].max);
	ae_wr_bytes(&w, f->p[i], f->len[i]);
	if (f->len[i] > 0 && f->p[i][f->len[i] - 1] != '\n')
		ae_wr_str(&w, "\n");
	ae_wr_printf(&w, "%s%s%s\n", hex, comment != NULL ? " " : "",
	    comment != NULL ? comment : "");
	rc = file_write(cli, f, i, &w, e);
	ae_wr_done(&w);
	return rc;
}

/* The lines without that key; how many were. */
static size_t
without_key(struct ae_wr *w, const struct files *f, const uint8_t *hash)
{
	const char *p = (const char *)f->p[AE_CA_TRUST_KEYS], *end, *nl;
	uint8_t one[AE_CA_EK_HASH];
	size_t gone = 0;

	end = p + f->len[AE_CA_TRUST_KEYS];
	for (; p != NULL && p < end; p = nl) {
		nl = memchr(p, '\n', (size_t)(end - p));
		nl = nl == NULL ? end : nl + 1;
		if (ae_ca_trust_line(one, p,
			(size_t)(nl - p) - (nl > p && nl[-1] == '\n')) == 1 &&
		    memcmp(one, hash, sizeof(one)) == 0)
			gone++;
		else
			ae_wr_bytes(w, p, (size_t)(nl - p));
	}
	return gone;
}

static size_t
without_cert(
    struct ae_wr *w, struct ae_cert *const *v, size_t n, const char *hex)
{
	char its[HEX + 1];
	size_t i, gone = 0;

	for (i = 0; i < n; i++) {
		hash_of(its, v[i]);
		if (strcmp(its, hex) == 0)
			gone++;
		else
			ae_cert_put_pem(w, v[i]);
	}
	return gone;
}

/* A key or a certificate, wherever it is. */
static int
drop(const struct cli *cli, const struct files *f, const char *word,
    struct ae_err *e)
{
	const struct ae_ca_trust *t = f->trust;
	uint8_t hash[AE_CA_EK_HASH];
	char hex[HEX + 1];
	struct ae_wr w;
	size_t i, gone, all = 0;
	int rc = AE_OK;

	if (strlen(word) != HEX || ae_ca_trust_line(hash, word, HEX) != 1)
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "a SHA-256 in hex is wanted, as \"show\" has it");
	ae_hex_encode(hex, hash, sizeof(hash));
	for (i = 0; i < AE_CA_TRUST_FILES && rc == AE_OK; i++) {
		ae_wr_init(&w, ae_ca_trust_files[i].max);
		if (i == AE_CA_TRUST_KEYS)
			gone = without_key(&w, f, hash);
		else if (i == AE_CA_TRUST_ROOTS)
			gone = without_cert(&w, t->roots, t->nroots, hex);
		else
			gone = without_cert(&w, t->others, t->nothers, hex);
		if (gone > 0)
			rc = file_write(cli, f, i, &w, e);
		all += gone;
		ae_wr_done(&w);
	}
	if (rc == AE_OK && all == 0)
		rc = ae_fail(e, AE_ENOTFOUND, AE_DOM_NONE, 0,
		    "there is no key and no certificate %s", hex);
	return rc;
}

int
cmd_attestation(struct cli *cli, int argc, char **argv)
{
	struct ae_err e = AE_ERR_INIT;
	struct files f = { .trust = NULL };
	const char *verb = argc >= 2 ? argv[1] : "";
	const bool key = strcmp(verb, "add-key") == 0;
	int rc;

	if (!(argc == 2 && strcmp(verb, "show") == 0) &&
	    !(key && (argc == 3 || argc == 4)) &&
	    !(argc == 3 &&
		(strcmp(verb, "add-root") == 0 ||
		    strcmp(verb, "add-intermediate") == 0 ||
		    strcmp(verb, "remove") == 0)))
		return cli_usage("attestation",
		    "show, add-root FILE, add-intermediate FILE, add-key, or "
		    "remove HASH?");
	rc = cli_conf(cli, &e);
	if (rc == AE_OK && cli->conf.attest_dir == NULL)
		rc = ae_fail(&e, AE_ENOTFOUND, AE_DOM_NONE, 0,
		    "this CA checks no key attestation: [attestation] "
		    "directory is not set");
	if (rc == AE_OK)
		rc = files_read(&f, cli, &e);
	if (rc == AE_OK && argc == 2)
		rc = show(cli, &f);
	else if (rc == AE_OK && key)
		rc = add_key(cli, &f, argv[2], argc == 4 ? argv[3] : NULL, &e);
	else if (rc == AE_OK && strcmp(verb, "remove") == 0)
		rc = drop(cli, &f, argv[2], &e);
	else if (rc == AE_OK)
		rc = add_certs(cli, &f,
		    strcmp(verb, "add-root") == 0 ? AE_CA_TRUST_ROOTS
						  : AE_CA_TRUST_OTHERS,
		    argv[2], &e);
	files_done(&f);
	return rc < 0 ? cli_fail(cli, &e) : EXIT_OK;
}
