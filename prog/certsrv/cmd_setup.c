/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * certsrv setup: from a domain that has never seen a CA to one with an
 * Enterprise CA, templates and the auto-enrollment policy.  The local half
 * (key, certificate, configuration) is setup_local.h, the directory's is
 * publish.h; this puts them together and says what it did.
 */
#include <ctype.h>
#include <errno.h>
#include <ftw.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cakey.h"
#include "cli.h"
#include "publish.h"
#include "setup_files.h"
#include "setup_local.h"
#include "sys/files.h"
#include "wcce/name.h"

struct setup {
	struct publish p;
	const char *name; /* of the CA */
	const char *key, *key_type;
	const char *passphrase_file, *module, *pin_file, *tpm;
	const char *db_server, *db_password_file;
	const char *paths[17]; /* of the PKCS#11 library */
	const char *sysvol;
	const char *subject_suffix;
	const char *cdp[17];
	uint32_t uid_base, years;
	bool dry_run, templates, gpo, machine_logon, new_database, subordinate;
	bool waits;	   /* for the answer of an issuer above */
	char *sample_root; /* of a dry run without a CA */
};

/* The CA that is here has its name; no second one is announced beside it. */
static int
name_that_is(struct setup *s, struct ae_err *e)
{
	char *path = ae_path_root(s->p.cli->root, CONF_PATH);
	struct conf c;
	int rc = path == NULL ? ae_fail_mem(e) : AE_OK;

	if (rc != AE_OK || !setup_exists(path)) {
		free(path);
		return rc;
	}
	free(path);
	rc = conf_read(&c, s->p.cli->root, NULL, e);
	if (rc == AE_OK && s->name != NULL && strcmp(s->name, c.name) != 0)
		rc = ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "this host has the CA %s already", c.name);
	else if (rc == AE_OK &&
	    (s->name = ae_arena_strdup(s->p.a, c.name)) == NULL)
		rc = ae_fail_mem(e);
	conf_done(&c);
	return rc;
}

/* As Windows names a CA unless told: "example-CA1-CA". */
static int
choose_name(struct setup *s, struct ae_err *e)
{
	char host[64];
	size_t n = strcspn(s->p.fqdn, "."), i;
	int rc;

	s->subject_suffix = ae_ad_root(s->p.ad)->default_nc;
	if ((rc = name_that_is(s, e)) != AE_OK || s->name != NULL)
		return rc;
	for (i = 0; i < n && i < sizeof(host) - 1; i++)
		host[i] = (char)toupper((unsigned char)s->p.fqdn[i]);
	host[i] = '\0';
	s->name = ae_arena_printf(s->p.a, "%.*s-%s-CA",
	    (int)strcspn(s->p.domain.dns, "."), s->p.domain.dns, host);
	return s->name == NULL ? ae_fail_mem(e) : AE_OK;
}

/* A subordinate CA has none before the issuer above has answered. */
static bool
has_certificate(const struct setup *s)
{
	char *path = ae_path_root(s->p.cli->root, CA_CERT_PATH);
	bool has = path != NULL && setup_exists(path);

	free(path);
	return has;
}

static int
local_half(struct setup *s, struct ae_err *e)
{
	static const struct {
		unsigned bit;
		const char *what;
	} parts[] = {
		{ SETUP_MADE_KEY, "the CA's key" },
		{ SETUP_MADE_DATABASE, "the CA's database" },
		{ SETUP_MADE_CERTIFICATE,
		    "the CA's certificate " CA_CERT_PATH },
		{ SETUP_MADE_REQUEST,
		    "the request for the CA's certificate " CA_REQUEST_PATH },
		{ SETUP_MADE_SECURITY, "the CA's security descriptor" },
		{ SETUP_MADE_CONF, "/etc/certsrv/certsrv.conf" },
	};
	struct setup_local l = { .root = s->p.cli->root,
		.name = s->name,
		.dns_name = s->p.fqdn,
		.key = s->key,
		.key_type = s->key_type,
		.subordinate = s->subordinate,
		.passphrase_file = s->passphrase_file,
		.pkcs11_module = s->module,
		.pkcs11_pin_file = s->pin_file,
		.pkcs11_paths = s->paths,
		.tpm = s->tpm,
		.db_server = s->db_server,
		.db_password_file = s->db_password_file,
		.validity = (int64_t)s->years * 365 * 86400,
		.subject_suffix = s->subject_suffix,
		.cdp = s->cdp,
		.uid_base = s->uid_base,
		.new_database = s->new_database,
		.dry_run = s->dry_run };
	static const char *const ldap_aia[] = {
		"ldap:///CN=%7,CN=AIA,CN=Public Key Services,CN=Services,"
		"%6%11",
		NULL
	};
	static const char *const ldap_cdp[] = {
		"ldap:///CN=%7%8,CN=%2,CN=CDP,CN=Public Key Services,"
		"CN=Services,%6%10",
		NULL
	};
	unsigned made = 0, ignored;
	size_t i;
	int rc;

	l.aia = ldap_aia;
	if (l.cdp[0] == NULL) /* the object that the directory's half makes */
		l.cdp = ldap_cdp;
	rc = setup_local(&l, &made, e);
	s->waits = s->subordinate && !has_certificate(s);
	/* For the directory's half of a rehearsal something must stand in. */
	if (rc == AE_OK && s->dry_run && (made & SETUP_MADE_CERTIFICATE)) {
		char dir[] = "/tmp/certsrv-dry-run-XXXXXX";

		if (mkdtemp(dir) == NULL)
			return ae_fail_errno(e, errno, "make %s", dir);
		s->sample_root = ae_arena_strdup(s->p.a, dir);
		l.root = s->sample_root;
		l.key = "p256";
		l.key_type = NULL;
		l.passphrase_file = l.pkcs11_module = l.pkcs11_pin_file = NULL;
		l.uid_base = 65000; /* nobody's; it is gone again soon */
		l.dry_run = false;
		rc = setup_local(&l, &ignored, e);
	}
	for (i = 0; rc == AE_OK && i < sizeof(parts) / sizeof(parts[0]); i++) {
		bool is_made = (made & parts[i].bit) != 0;

		/* One of both is there, the other is not spoken of. */
		if (!is_made &&
		    (parts[i].bit == SETUP_MADE_REQUEST ||
			(parts[i].bit == SETUP_MADE_CERTIFICATE && s->waits)))
			continue;
		s->p.changes += is_made;
		publish_step(
		    &s->p, is_made ? "create" : "keep", parts[i].what, NULL);
	}
	return rc;
}

static int
remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static int
setup_all(struct setup *s, struct ae_err *e)
{
	struct publish_what w = { .sysvol = s->sysvol,
		.dry_run = s->dry_run,
		.templates = s->templates,
		.gpo = s->gpo,
		.machine_logon = s->machine_logon };
	int rc;

	rc = choose_name(s, e);
	if (rc == AE_OK)
		rc = local_half(s, e);
	if (rc != AE_OK || s->waits)
		return rc;
	w.root = s->sample_root != NULL ? s->sample_root : s->p.cli->root;
	w.name = s->name;
	return publish_ca(&s->p, &w, e);
}

static void
setup_done(struct setup *s)
{
	if (s->sample_root != NULL)
		(void)nftw(s->sample_root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	publish_done(&s->p);
}

/* False: not an option's value as it should be. */
static bool
take(struct setup *s, int opt, size_t *ncdp)
{
	char *end;
	size_t i;

	switch (opt) {
	case 'n':
		s->name = optarg;
		return optarg[0] != '\0';
	case 'k':
		s->key = optarg;
		return true;
	case 'y':
		s->years = (uint32_t)strtoul(optarg, &end, 10);
		return *end == '\0' && s->years >= 1 && s->years <= 50;
	case 'c':
		if (*ncdp + 1 >= sizeof(s->cdp) / sizeof(s->cdp[0]))
			return false;
		s->cdp[(*ncdp)++] = optarg;
		return true;
	case 'u':
		s->uid_base = (uint32_t)strtoul(optarg, &end, 10);
		return *end == '\0';
	case 'T':
		s->templates = false;
		return true;
	case 'G':
		s->gpo = false;
		return true;
	case 'm':
		s->machine_logon = true;
		return true;
	case 'D':
		s->new_database = true;
		return true;
	case 'd':
		s->dry_run = true;
		return true;
	case 'j':
		s->p.cli->json = true;
		return true;
	case 'S':
		s->subordinate = true;
		return true;
	case 't':
		s->key_type = optarg;
		return true;
	case 'P':
		s->passphrase_file = optarg;
		return true;
	case 'M':
		s->module = optarg;
		return true;
	case 'I':
		s->pin_file = optarg;
		return true;
	case 'W':
		for (i = 0; s->paths[i] != NULL; i++)
			;
		if (i + 1 >= sizeof(s->paths) / sizeof(s->paths[0]))
			return false;
		s->paths[i] = optarg;
		return true;
	case 'C':
		s->tpm = optarg;
		return true;
	case 'B':
		s->db_server = optarg;
		return true;
	case 'Q':
		s->db_password_file = optarg;
		return true;
	default:
		return false;
	}
}

int
cmd_setup(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {
		{ "name", required_argument, NULL, 'n' },
		{ "key", required_argument, NULL, 'k' },
		{ "years", required_argument, NULL, 'y' },
		{ "cdp", required_argument, NULL, 'c' },
		{ "uid-base", required_argument, NULL, 'u' },
		{ "no-templates", no_argument, NULL, 'T' },
		{ "no-gpo", no_argument, NULL, 'G' },
		{ "machine-logon", no_argument, NULL, 'm' },
		{ "new-database", no_argument, NULL, 'D' },
		{ "subordinate", no_argument, NULL, 'S' },
		{ "key-type", required_argument, NULL, 't' },
		{ "passphrase-file", required_argument, NULL, 'P' },
		{ "pkcs11-module", required_argument, NULL, 'M' },
		{ "pkcs11-pin-file", required_argument, NULL, 'I' },
		{ "pkcs11-path", required_argument, NULL, 'W' },
		{ "tpm", required_argument, NULL, 'C' },
		{ "database", required_argument, NULL, 'B' },
		{ "database-password-file", required_argument, NULL, 'Q' },
		{ "dry-run", no_argument, NULL, 'd' },
		{ "json", no_argument, NULL, 'j' },
		{ 0 },
	};
	const char *helper = getenv("CERTSRV_SYSVOL");
	struct setup s = { .p = { .cli = cli },
		.key = "rsa3072",
		.years = 10,
		.templates = true,
		.gpo = true,
		.sysvol = helper != NULL ? helper : AE_LIBEXECDIR "/sysvol" };
	struct ae_err e = AE_ERR_INIT;
	struct cakey_spec spec;
	size_t ncdp = 0;
	int opt, rc;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1)
		if (!take(&s, opt, &ncdp))
			return cli_usage(
			    "setup", "unknown option or bad value");
	if (optind != argc)
		return cli_usage("setup", "no arguments are expected");
	if (cakey_parse(&spec, s.key, s.key_type, &e) != AE_OK)
		return cli_usage("setup", "%s", cli_safe(e.text));
	if (geteuid() != 0) {
		(void)fprintf(stderr,
		    "certsrv setup: makes the CA's key; run it as root\n");
		return EXIT_LOCAL;
	}
	rc = publish_open(&s.p, cli, &e);
	if (rc == AE_OK)
		rc = setup_all(&s, &e);
	if (cli->json && rc == AE_OK)
		cli_print_json(json_pack("{s:s, s:s, s:b, s:b, s:i, s:O}", "ca",
		    s.name, "host", s.p.fqdn, "dry_run", s.dry_run, "waits",
		    s.waits, "changes", (int)s.p.changes, "steps", s.p.steps));
	else if (rc == AE_OK && s.waits)
		(void)printf("%s: have the issuer above sign it, then: certsrv "
			     "ca install-certificate ANSWER\n",
		    CA_REQUEST_PATH);
	else if (rc == AE_OK)
		(void)printf("%zu change%s%s\n", s.p.changes,
		    s.p.changes == 1 ? "" : "s",
		    s.dry_run ? " would be made"
			: s.p.changes
			? "; start it: systemctl enable --now certsrvd"
			: "");
	setup_done(&s);
	return rc == AE_OK ? EXIT_OK : cli_fail(cli, &e);
}
