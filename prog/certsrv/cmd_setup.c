/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * certsrv setup: from a domain that has never seen a CA to one with an
 * Enterprise CA, templates and the auto-enrollment policy.  The local half
 * (key, certificate, configuration) is setup_local.h, the directory's is
 * gather/setup.h; this puts them together and says what it did.
 */
#include <ctype.h>
#include <errno.h>
#include <ftw.h>
#include <getopt.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ad/ad.h"
#include "ad/locate.h"
#include "ad/principal.h"
#include "base/arena.h"
#include "cli.h"
#include "gather/setup.h"
#include "gss/cred.h"
#include "pki/cert.h"
#include "pki/name.h"
#include "setup_local.h"
#include "sys/clock.h"
#include "sys/files.h"
#include "wcce/name.h"

#define CA_PEM "/etc/certsrv/ca.pem"

struct setup {
	struct cli *cli;
	struct ae_arena *a;
	struct ae_gss_cred *cred;
	struct ae_ad *ad;
	struct ae_ad_domain domain;
	char fqdn[256];
	const char *name; /* of the CA */
	const char *key;
	const char *sysvol;
	const char *subject_suffix;
	const char *cdp[17];
	uint32_t uid_base, years;
	bool dry_run, templates, gpo, machine_logon, new_database;
	char *sample_root; /* of a dry run without a CA */
	struct ae_cert **certs;
	size_t ncerts;
	json_t *steps;
	size_t changes;
};

static int
find_host(struct setup *s, struct ae_err *e)
{
	struct addrinfo hints = { .ai_flags = AI_CANONNAME }, *ai = NULL;
	char *p;

	if (gethostname(s->fqdn, sizeof(s->fqdn)) != 0)
		return ae_fail_errno(e, errno, "read the host name");
	s->fqdn[sizeof(s->fqdn) - 1] = '\0';
	if (strchr(s->fqdn, '.') == NULL &&
	    getaddrinfo(s->fqdn, NULL, &hints, &ai) == 0 &&
	    ai->ai_canonname != NULL &&
	    strlen(ai->ai_canonname) < sizeof(s->fqdn))
		memcpy(s->fqdn, ai->ai_canonname, strlen(ai->ai_canonname) + 1);
	if (ai != NULL)
		freeaddrinfo(ai);
	for (p = s->fqdn; *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
	return strchr(s->fqdn, '.') != NULL
	    ? AE_OK
	    : ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		  "the host name '%s' has no domain; set the fully qualified "
		  "name",
		  s->fqdn);
}

/* The ticket decides which domain, and must be an administrator's. */
static int
connect_domain(struct setup *s, struct ae_err *e)
{
	struct ae_ad_conf conf = { 0 };
	struct ae_ad_ping dc;
	const char *realm;
	int rc;

	rc = ae_gss_cred_ccache(&s->cred, NULL, e);
	if (rc != AE_OK)
		return ae_note(e, rc,
		    "setup writes the configuration of the forest and needs an "
		    "Enterprise Admin's ticket (kinit Administrator)");
	realm = strrchr(ae_gss_cred_principal(s->cred), '@');
	if (realm == NULL)
		return ae_fail(e, AE_EINTERNAL, AE_DOM_NONE, 0,
		    "the ticket names no realm");
	rc = ae_ad_locate(&dc, realm + 1, NULL, NULL, ae_random_u64(), e);
	if (rc == AE_OK) {
		conf.host = dc.host;
		conf.cred = s->cred;
		rc = ae_ad_open(&s->ad, &conf, e);
	}
	if (rc == AE_OK)
		rc = ae_ad_domain(&s->domain, s->ad, e);
	return rc;
}

/* As Windows names a CA unless told: "example-CA1-CA". */
static int
choose_name(struct setup *s, struct ae_err *e)
{
	char host[64];
	size_t n = strcspn(s->fqdn, "."), i;

	s->subject_suffix = ae_ad_root(s->ad)->default_nc;
	if (s->name != NULL)
		return AE_OK;
	for (i = 0; i < n && i < sizeof(host) - 1; i++)
		host[i] = (char)toupper((unsigned char)s->fqdn[i]);
	host[i] = '\0';
	s->name = ae_arena_printf(s->a, "%.*s-%s-CA",
	    (int)strcspn(s->domain.dns, "."), s->domain.dns, host);
	return s->name == NULL ? ae_fail_mem(e) : AE_OK;
}

static void
step(struct setup *s, const char *action, const char *what, const char *detail)
{
	(void)json_array_append_new(s->steps,
	    json_pack("{s:s, s:s, s:s?}", "action", action, "what", what,
		"detail", detail));
	if (!s->cli->json)
		(void)printf("%-7s %s%s%s\n", action, cli_safe(what),
		    detail == NULL ? "" : ": ",
		    detail == NULL ? "" : cli_safe(detail));
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
		{ SETUP_MADE_CERTIFICATE, "the CA's certificate " CA_PEM },
		{ SETUP_MADE_SECURITY, "the CA's security descriptor" },
		{ SETUP_MADE_CONF, "/etc/certsrv/certsrv.conf" },
	};
	struct setup_local l = { .root = s->cli->root,
		.name = s->name,
		.dns_name = s->fqdn,
		.key = s->key,
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
	/* For the directory's half of a rehearsal something must stand in. */
	if (rc == AE_OK && s->dry_run && (made & SETUP_MADE_CERTIFICATE)) {
		char dir[] = "/tmp/certsrv-dry-run-XXXXXX";

		if (mkdtemp(dir) == NULL)
			return ae_fail_errno(e, errno, "make %s", dir);
		s->sample_root = ae_arena_strdup(s->a, dir);
		l.root = s->sample_root;
		l.key = "p256";
		l.uid_base = 65000; /* nobody's; it is gone again soon */
		l.dry_run = false;
		rc = setup_local(&l, &ignored, e);
	}
	for (i = 0; rc == AE_OK && i < sizeof(parts) / sizeof(parts[0]); i++) {
		bool is_made = (made & parts[i].bit) != 0;

		s->changes += is_made;
		step(s, is_made ? "create" : "keep", parts[i].what, NULL);
	}
	return rc;
}

static int
read_certificate(struct setup *s, struct ae_err *e)
{
	const char *root =
	    s->sample_root != NULL ? s->sample_root : s->cli->root;
	char *path = ae_path_root(root, CA_PEM);
	uint8_t *pem = NULL;
	size_t len;
	int rc;

	if (path == NULL)
		return ae_fail_mem(e);
	rc = ae_file_read(&pem, &len, path, 1 << 20, e);
	if (rc == AE_OK)
		rc = ae_certs_read(&s->certs, &s->ncerts, 16, pem, len, e);
	free(pem);
	free(path);
	return rc;
}

static int
directory_half(struct setup *s, struct ae_err *e)
{
	const struct ae_cert *c = s->certs[s->ncerts - 1];
	struct ae_setup_report report = { 0 };
	struct ae_setup d = { .ad = s->ad,
		.dry_run = s->dry_run,
		.ca_name = s->name,
		.ca_object = ae_wcce_sanitize_short(s->a, s->name),
		.host = s->fqdn,
		.cert = c->der.p,
		.cert_len = c->der.len,
		.root = ae_cert_self_issued(c),
		.templates = s->templates,
		.machine_logon = s->machine_logon,
		.gpo = s->gpo,
		.sysvol = { .program = s->sysvol } };
	char account[32], *subject = NULL;
	size_t i;
	int rc;

	for (i = 0; i < 15 && s->fqdn[i] != '.'; i++)
		account[i] = (char)toupper((unsigned char)s->fqdn[i]);
	account[i++] = '$';
	account[i] = '\0';
	d.account = account;
	rc = ae_name_print(&subject, c->subject, e);
	if (rc != AE_OK)
		return rc;
	d.ca_subject = subject;
	rc = ae_setup_directory(&report, &d, e);
	for (i = 0; i < report.n; i++)
		step(s, ae_setup_action_name(report.v[i].action),
		    report.v[i].what, report.v[i].detail);
	s->changes += report.changes;
	ae_setup_report_done(&report);
	free(subject);
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
	int rc;

	s->a = ae_arena_new(1 << 20);
	if (s->a == NULL)
		return ae_fail_mem(e);
	rc = find_host(s, e);
	if (rc == AE_OK)
		rc = connect_domain(s, e);
	if (rc == AE_OK)
		rc = choose_name(s, e);
	if (rc == AE_OK)
		rc = local_half(s, e);
	if (rc == AE_OK)
		rc = read_certificate(s, e);
	return rc == AE_OK ? directory_half(s, e) : rc;
}

static void
setup_done(struct setup *s)
{
	if (s->sample_root != NULL)
		(void)nftw(s->sample_root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	ae_certs_free(s->certs, s->ncerts);
	ae_ad_free(s->ad);
	ae_gss_cred_free(s->cred);
	ae_arena_free(s->a);
}

/* False: not an option's value as it should be. */
static bool
take(struct setup *s, int opt, size_t *ncdp)
{
	char *end;

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
		s->cli->json = true;
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
		{ "dry-run", no_argument, NULL, 'd' },
		{ "json", no_argument, NULL, 'j' },
		{ 0 },
	};
	const char *helper = getenv("CERTSRV_SYSVOL");
	struct setup s = { .cli = cli,
		.key = "rsa3072",
		.years = 10,
		.templates = true,
		.gpo = true,
		.sysvol = helper != NULL ? helper : AE_LIBEXECDIR "/sysvol" };
	struct ae_err e = AE_ERR_INIT;
	enum ae_key_type type;
	unsigned bits;
	size_t ncdp = 0;
	int opt, rc;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1)
		if (!take(&s, opt, &ncdp))
			return cli_usage(
			    "setup", "unknown option or bad value");
	if (optind != argc)
		return cli_usage("setup", "no arguments are expected");
	if (!setup_key_type(s.key, &type, &bits))
		return cli_usage("setup",
		    "'%s' is no key; rsa2048, rsa3072, rsa4096, p256 or p384",
		    cli_safe(s.key));
	if (geteuid() != 0) {
		(void)fprintf(stderr,
		    "certsrv setup: makes the CA's key; run it as root\n");
		return EXIT_LOCAL;
	}
	s.steps = json_array();
	rc = setup_all(&s, &e);
	if (cli->json && rc == AE_OK)
		cli_print_json(json_pack("{s:s, s:s, s:b, s:i, s:O}", "ca",
		    s.name, "host", s.fqdn, "dry_run", s.dry_run, "changes",
		    (int)s.changes, "steps", s.steps));
	else if (rc == AE_OK)
		(void)printf("%zu change%s%s\n", s.changes,
		    s.changes == 1 ? "" : "s",
		    s.dry_run ? " would be made"
			: s.changes
			? "; start it: systemctl enable --now certsrvd"
			: "");
	json_decref(s.steps);
	setup_done(&s);
	return rc == AE_OK ? EXIT_OK : cli_fail(cli, &e);
}
