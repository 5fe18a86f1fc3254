/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * certsrv root: a root CA that is offline – a directory with its key and
 * certificate, what it issued and what it revoked.  It signs the requests of
 * subordinate CAs and CRLs from files and knows nothing of a network.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hex.h"
#include "base/time.h"
#include "ca/own.h"
#include "cakey.h"
#include "cli.h"
#include "pki/crl.h"
#include "pki/name.h"
#include "pki/request.h"
#include "sys/clock.h"
#include "sys/files.h"

#define DAY INT64_C(86400)
#define BACKDATE 600
#define LIST_MAX (1u << 20)
#define URLS_MAX 8

struct root {
	struct cli *cli;
	const char *dir, *name, *key, *passphrase_file, *out;
	long years, days, path_len;
	struct ae_strv cdp, aia;
	int fd; /* of the directory, locked */
	struct conf conf;
	struct cakeys *keys;
	struct ae_key *k;
	struct ae_cert **certs;
	size_t ncerts;
};

static char *
path_in(const struct root *r, const char *name)
{
	char *p;

	return asprintf(&p, "%s/%s", r->dir, name) < 0 ? NULL : p;
}

/* One command at a time in a directory. */
static int
lock(struct root *r, struct ae_err *e)
{
	char *p = path_in(r, "lock");
	int rc = p == NULL ? ae_fail_mem(e) : ae_file_lock(&r->fd, p, true, e);

	free(p);
	return rc;
}

static int
open_keys(struct root *r, struct ae_err *e)
{
	if (r->passphrase_file != NULL &&
	    (r->conf.key_passphrase_file = strdup(r->passphrase_file)) == NULL)
		return ae_fail_mem(e);
	return cakeys_new(&r->keys, &r->conf, e);
}

/* What is there: certificate and key. */
static int
load(struct root *r, struct ae_err *e)
{
	char *cert = path_in(r, "root.pem"), *uri = NULL, *p;
	uint8_t *pem = NULL;
	size_t len;
	int rc = cert == NULL ? ae_fail_mem(e) : lock(r, e);

	if (rc == AE_OK)
		rc = ae_file_read(&pem, &len, cert, 1 << 20, e);
	if (rc == AE_OK)
		rc = ae_certs_read(&r->certs, &r->ncerts, 1, pem, len, e);
	p = realpath(r->dir, NULL);
	if (rc == AE_OK &&
	    (p == NULL || asprintf(&uri, "file:%s/root.key", p) < 0))
		rc = ae_fail_errno(e, errno, "%s", r->dir);
	if (rc == AE_OK)
		rc = open_keys(r, e);
	if (rc == AE_OK)
		rc = cakeys_open(&r->k, r->keys, uri, NULL, e);
	if (rc == AE_OK && !ae_cert_has_key(r->certs[0], r->k))
		rc = ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "root.key is not the key of root.pem");
	free(cert);
	free(uri);
	free(p);
	free(pem);
	return rc;
}

static int
put_file(const struct root *r, const char *name, const void *p, size_t len,
    mode_t mode, struct ae_err *e)
{
	char *path = path_in(r, name);
	int rc = path == NULL ? ae_fail_mem(e)
			      : ae_file_write(path, p, len, mode, e);

	free(path);
	return rc;
}

/* ---- init ---- */

static int
init(struct root *r, struct ae_err *e)
{
	struct ae_ca_own own = { .path_len = (int)r->path_len };
	struct ae_secret stored = { NULL, 0 };
	uint8_t serial[AE_CA_OWN_SERIAL];
	struct cakey_spec spec;
	struct ae_cert *c = NULL;
	struct ae_wr name, der, pem, text;
	int64_t now = ae_clock_now();
	char *cert;
	int rc;

	rc = cakey_parse(&spec, r->key, NULL, e);
	if (rc == AE_OK && spec.home != AE_KEY_IN_SOFTWARE)
		rc = ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "an offline root has its key in a file: " CAKEY_TYPES);
	if (rc == AE_OK)
		rc = ae_file_mkdirs(r->dir, 0700, e);
	if (rc == AE_OK)
		rc = lock(r, e);
	cert = path_in(r, "root.pem");
	if (rc == AE_OK && (cert == NULL || access(cert, F_OK) == 0))
		rc = ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "%s is there already", cert != NULL ? cert : "root.pem");
	if (rc == AE_OK)
		rc = open_keys(r, e);
	if (rc == AE_OK)
		rc = cakeys_make(&r->k, &stored, r->keys, &spec, r->name, e);
	ae_wr_init(&name, AE_PKI_NAME_MAX);
	ae_wr_init(&text, AE_PKI_NAME_MAX);
	ae_wr_init(&der, AE_PKI_CERT_MAX);
	ae_wr_init(&pem, 2 * AE_PKI_CERT_MAX);
	if (rc == AE_OK) {
		/* a distinguished name, or the common name alone */
		ae_wr_printf(&text, "%s%s",
		    strchr(r->name, '=') != NULL ? "" : "CN=", r->name);
		rc = ae_wr_cstr(&text) == NULL
		    ? ae_fail_mem(e)
		    : ae_name_from_text(&name, ae_wr_cstr(&text), e);
	}
	if (rc == AE_OK) {
		own.name = (struct ae_der){ name.p, name.len };
		own.hash = cakey_hash(r->k);
		ae_random(serial, sizeof(serial));
		rc = ae_ca_own_root(&der, &own, r->k, serial, now - BACKDATE,
		    now + r->years * 365 * DAY, e);
	}
	if (rc == AE_OK)
		rc = ae_cert_parse(&c, der.p, der.len, e);
	if (rc == AE_OK)
		rc = put_file(r, "root.key", stored.p, stored.len, 0600, e);
	if (rc == AE_OK) {
		ae_cert_put_pem(&pem, c);
		rc = ae_wr_ok(&pem)
		    ? put_file(r, "root.pem", pem.p, pem.len, 0644, e)
		    : ae_fail_mem(e);
	}
	if (rc == AE_OK)
		(void)printf("%s\n", cert);
	ae_secret_done(&stored);
	ae_cert_free(c);
	ae_wr_done(&name);
	ae_wr_done(&text);
	ae_wr_done(&der);
	ae_wr_done(&pem);
	free(cert);
	return rc;
}

/* ---- sign ---- */

/* It is on record before anybody has it. */
static int
record(struct root *r, const struct ae_cert *c, struct ae_err *e)
{
	char serial[2 * AE_CA_OWN_SERIAL + 1], *name = NULL;
	char *dir = path_in(r, "issued");
	struct ae_wr pem;
	int rc = dir == NULL ? ae_fail_mem(e) : ae_file_mkdirs(dir, 0755, e);

	ae_hex_encode(serial, c->serial.p, c->serial.len);
	ae_wr_init(&pem, 8 * AE_PKI_CERT_MAX);
	ae_cert_put_pem(&pem, c);
	/* With the root: the subordinate needs no other file. */
	ae_cert_put_pem(&pem, r->certs[0]);
	if (rc == AE_OK &&
	    (!ae_wr_ok(&pem) || asprintf(&name, "issued/%s.pem", serial) < 0))
		rc = ae_fail_mem(e);
	if (rc == AE_OK)
		rc = put_file(r, name, pem.p, pem.len, 0644, e);
	if (rc == AE_OK && r->out != NULL)
		rc = ae_file_write(r->out, pem.p, pem.len, 0644, e);
	if (rc == AE_OK && r->out != NULL)
		(void)printf("%s: %s\n", serial, r->out);
	else if (rc == AE_OK)
		(void)printf("%s: %s/%s\n", serial, r->dir, name);
	ae_wr_done(&pem);
	free(name);
	free(dir);
	return rc;
}

static int
sign(struct root *r, const char *file, struct ae_err *e)
{
	int64_t now = ae_clock_now();
	struct ae_ca_issue s = { .hash = AE_HASH_SHA256,
		.not_before = now - BACKDATE,
		.not_after = now + r->years * 365 * DAY,
		.path_len = (int)r->path_len,
		.cdp = r->cdp,
		.aia = r->aia };
	uint8_t serial[AE_CA_OWN_SERIAL], *text = NULL;
	struct ae_cert *c = NULL;
	struct ae_csr *csr = NULL;
	struct ae_wr req, der;
	size_t len;
	int rc = load(r, e);

	ae_wr_init(&req, AE_PKI_REQUEST_MAX);
	ae_wr_init(&der, AE_PKI_CERT_MAX);
	if (rc == AE_OK)
		rc = ae_file_read(&text, &len, file, 1 << 20, e);
	if (rc == AE_OK)
		rc = ae_request_read(&req, text, len, e);
	if (rc == AE_OK)
		rc = ae_csr_parse(&csr, req.p, req.len, e);
	if (rc == AE_OK) {
		s.issuer = r->certs[0];
		s.key = r->k;
		s.hash = cakey_hash(r->k);
		if (s.not_before < s.issuer->not_before)
			s.not_before = s.issuer->not_before;
		if (s.not_after > s.issuer->not_after)
			s.not_after = s.issuer->not_after;
		ae_random(serial, sizeof(serial));
		rc = ae_ca_own_issue(&der, &s, csr, serial, e);
	}
	if (rc < 0)
		rc = ae_note(e, rc, "%s", file);
	if (rc == AE_OK)
		rc = ae_cert_parse(&c, der.p, der.len, e);
	if (rc == AE_OK)
		rc = record(r, c, e);
	ae_cert_free(c);
	ae_csr_free(csr);
	ae_wr_done(&req);
	ae_wr_done(&der);
	free(text);
	return rc;
}

/* ---- revoke, crl ---- */

/* "SERIAL SECONDS REASON" a line. */
static int
read_list(struct root *r, char **out, struct ae_err *e)
{
	char *path = path_in(r, "revoked");
	uint8_t *p = NULL;
	size_t len;
	int rc = path == NULL ? ae_fail_mem(e)
			      : ae_file_read(&p, &len, path, LIST_MAX, e);

	free(path);
	if (rc == AE_ENOTFOUND)
		p = (uint8_t *)strdup("");
	if (rc != AE_OK && rc != AE_ENOTFOUND)
		return rc;
	if (p == NULL)
		return ae_fail_mem(e);
	*out = (char *)p;
	return AE_OK;
}

#define SERIAL_MAX 40u /* digits */

/* As the files are called, whoever spelled it: openssl(1) has capitals. */
static bool
read_serial(char out[SERIAL_MAX + 1], const char *s)
{
	size_t i;

	for (i = 0; i < SERIAL_MAX && isxdigit((unsigned char)s[i]); i++)
		out[i] = (char)tolower((unsigned char)s[i]);
	out[i] = '\0';
	return i > 0 && s[i] == '\0';
}

static int
revoke_one(struct root *r, const char *given, struct ae_err *e)
{
	char serial[SERIAL_MAX + 1], *name = NULL, *path, *list = NULL;
	struct ae_wr w;
	int rc = load(r, e);

	if (rc != AE_OK)
		return rc;
	if (!read_serial(serial, given) ||
	    asprintf(&name, "issued/%s.pem", serial) < 0)
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "a serial number is hex digits, as sign said it");
	path = path_in(r, name);
	if (path == NULL || access(path, F_OK) != 0)
		rc = ae_fail(e, AE_ENOTFOUND, AE_DOM_NONE, 0,
		    "no certificate %s was issued here", serial);
	if (rc == AE_OK)
		rc = read_list(r, &list, e);
	if (rc == AE_OK && strstr(list, serial) != NULL)
		rc = ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "%s is revoked already", serial);
	ae_wr_init(&w, LIST_MAX);
	if (rc == AE_OK) {
		ae_wr_printf(
		    &w, "%s%s %lld\n", list, serial, (long long)ae_clock_now());
		rc = ae_wr_ok(&w) ? put_file(r, "revoked", w.p, w.len, 0644, e)
				  : ae_fail_mem(e);
	}
	if (rc == AE_OK)
		(void)printf("%s is revoked; make a CRL now\n", serial);
	ae_wr_done(&w);
	free(list);
	free(path);
	free(name);
	return rc;
}

/* The number of the next CRL, on disk before it is used. */
static int
next_number(struct root *r, uint64_t *number, struct ae_err *e)
{
	char text[32], *path = path_in(r, "crlnumber");
	uint8_t *p = NULL;
	size_t len;
	int rc =
	    path == NULL ? ae_fail_mem(e) : ae_file_read(&p, &len, path, 32, e);

	free(path);
	if (rc == AE_OK)
		*number = strtoull((const char *)p, NULL, 10) + 1;
	else if (rc == AE_ENOTFOUND)
		*number = 1;
	else
		return rc;
	free(p);
	(void)snprintf(
	    text, sizeof(text), "%llu\n", (unsigned long long)*number);
	return put_file(r, "crlnumber", text, strlen(text), 0644, e);
}

static int
add_entries(struct ae_crl_build *b, char *list, struct ae_err *e)
{
	char *line, *rest = list;
	uint8_t serial[32];
	int rc = AE_OK;

	while (rc == AE_OK && (line = strsep(&rest, "\n")) != NULL) {
		size_t n = strcspn(line, " ");
		int64_t at;

		if (*line == '\0')
			continue;
		at = strtoll(line + n, NULL, 10);
		line[n] = '\0';
		if (n == 0 || n % 2 != 0 || n / 2 > 20 || at <= 0 ||
		    !ae_hex_decode(serial, n / 2, line))
			return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
			    "the list of revoked certificates is damaged");
		rc = ae_crl_add(b, serial, n / 2, at, AE_CRL_UNSPECIFIED, e);
	}
	return rc;
}

static int
make_crl(struct root *r, struct ae_err *e)
{
	int64_t now = ae_clock_now();
	struct ae_crl_spec s = { .this_update = now - BACKDATE,
		.next_update = now + r->days * DAY };
	struct ae_crl_build b;
	struct ae_wr tbs, sig, crl;
	char *list = NULL;
	int rc = load(r, e);

	ae_wr_init(&tbs, LIST_MAX);
	ae_wr_init(&sig, AE_SIG_MAX);
	ae_wr_init(&crl, 2 * LIST_MAX);
	if (rc == AE_OK)
		rc = next_number(r, &s.number, e);
	if (rc == AE_OK)
		rc = read_list(r, &list, e);
	if (rc == AE_OK) {
		s.sigalg = ae_key_sigalg(r->k, cakey_hash(r->k));
		s.issuer = r->certs[0]->subject;
		s.aki = r->certs[0]->x.ski;
		if (s.next_update > r->certs[0]->not_after)
			s.next_update = r->certs[0]->not_after;
		rc = ae_crl_begin(&b, &tbs, &s, e);
	}
	if (rc == AE_OK)
		rc = add_entries(&b, list, e);
	if (rc == AE_OK)
		rc = ae_crl_end(&b, e);
	if (rc == AE_OK)
		rc = ae_key_sign(&sig, r->k, &s.sigalg, tbs.p, tbs.len, e);
	if (rc == AE_OK)
		rc = ae_key_verify(
		    r->k, &s.sigalg, tbs.p, tbs.len, sig.p, sig.len, e);
	if (rc == AE_OK)
		rc = ae_crl_assemble(
		    &crl, tbs.p, tbs.len, &s.sigalg, sig.p, sig.len, e);
	if (rc == AE_OK)
		rc = put_file(r, "root.crl", crl.p, crl.len, 0644, e);
	if (rc == AE_OK && r->out != NULL)
		rc = ae_file_write(r->out, crl.p, crl.len, 0644, e);
	if (rc == AE_OK)
		(void)printf("CRL %llu: %s%s\n", (unsigned long long)s.number,
		    r->out != NULL ? r->out : r->dir,
		    r->out != NULL ? "" : "/root.crl");
	free(list);
	ae_wr_done(&tbs);
	ae_wr_done(&sig);
	ae_wr_done(&crl);
	return rc;
}

/* ---- the command line ---- */

static bool
number(const char *text, long lo, long hi, long *out)
{
	char *end;

	*out = strtol(text, &end, 10);
	return *text != '\0' && *end == '\0' && *out >= lo && *out <= hi;
}

static bool
take(struct root *r, int opt)
{
	switch (opt) {
	case 'd':
		r->dir = optarg;
		return true;
	case 'n':
		r->name = optarg;
		return optarg[0] != '\0';
	case 'k':
		r->key = optarg;
		return true;
	case 'P':
		r->passphrase_file = optarg;
		return true;
	case 'o':
		r->out = optarg;
		return true;
	case 'y':
		return number(optarg, 1, 50, &r->years);
	case 'D':
		return number(optarg, 1, 3660, &r->days);
	case 'l':
		return number(optarg, 0, 10, &r->path_len);
	case 'c':
		return r->cdp.n < URLS_MAX && ae_strv_add(&r->cdp, optarg);
	case 'a':
		return r->aia.n < URLS_MAX && ae_strv_add(&r->aia, optarg);
	default:
		return false;
	}
}

int
cmd_root(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {
		{ "dir", required_argument, NULL, 'd' },
		{ "name", required_argument, NULL, 'n' },
		{ "key", required_argument, NULL, 'k' },
		{ "passphrase-file", required_argument, NULL, 'P' },
		{ "out", required_argument, NULL, 'o' },
		{ "years", required_argument, NULL, 'y' },
		{ "days", required_argument, NULL, 'D' },
		{ "path-length", required_argument, NULL, 'l' },
		{ "cdp", required_argument, NULL, 'c' },
		{ "aia", required_argument, NULL, 'a' },
		{ 0 },
	};
	struct root r = { .cli = cli,
		.key = "rsa4096",
		.days = 180,
		.path_len = -1,
		.fd = -1 };
	struct ae_err e = AE_ERR_INIT;
	const char *what, *arg;
	int opt, rc = 1;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1)
		if (!take(&r, opt))
			return cli_usage("root", "unknown option or bad value");
	what = optind < argc ? argv[optind] : "";
	arg = optind + 1 < argc ? argv[optind + 1] : NULL;
	if (r.dir == NULL || optind + 2 < argc)
		return cli_usage(
		    "root", "init, sign, revoke or crl with --dir");
	if (r.years == 0)
		r.years = strcmp(what, "init") == 0 ? 20 : 10;
	if (strcmp(what, "init") == 0 && arg == NULL && r.name != NULL)
		rc = init(&r, &e);
	else if (strcmp(what, "sign") == 0 && arg != NULL)
		rc = sign(&r, arg, &e);
	else if (strcmp(what, "revoke") == 0 && arg != NULL)
		rc = revoke_one(&r, arg, &e);
	else if (strcmp(what, "crl") == 0 && arg == NULL)
		rc = make_crl(&r, &e);
	ae_key_free(r.k);
	cakeys_free(r.keys);
	ae_certs_free(r.certs, r.ncerts);
	ae_strv_done(&r.cdp);
	ae_strv_done(&r.aia);
	free(r.conf.key_passphrase_file);
	if (r.fd >= 0)
		(void)close(r.fd);
	if (rc > 0)
		return cli_usage(
		    "root", "init, sign, revoke or crl with --dir");
	return rc < 0 ? cli_fail(cli, &e) : EXIT_OK;
}
