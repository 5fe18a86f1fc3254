/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What the room ad sees of a real domain, as JSON on standard output, for
 * the tests in tests/lab.  It connects with KRB5CCNAME, or as
 * ADPROBE_PRINCIPAL with the keytab in ADPROBE_KEYTAB.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ad/locate.h"
#include "ad/pki.h"
#include "ad/principal.h"
#include "base/hex.h"
#include "gather/policy.h"
#include "gather/setup.h"
#include "sys/files.h"

static int
done(json_t *o)
{
	(void)json_dumpf(o, stdout, JSON_INDENT(1) | JSON_SORT_KEYS);
	(void)putchar('\n');
	json_decref(o);
	return 0;
}

static int
failed(const struct ae_err *e, int rc)
{
	(void)done(
	    json_pack("{s:s,s:s}", "error", ae_rc_name(rc), "text", e->text));
	return 1;
}

static json_t *
hex(const void *p, size_t len)
{
	char *s = calloc(1, 2 * len + 1);
	json_t *o;

	if (s == NULL)
		abort();
	ae_hex_encode(s, p, len);
	o = json_string(s);
	free(s);
	return o;
}

static json_t *
strings(const struct ae_strv *l)
{
	json_t *o = json_array();
	size_t i;

	for (i = 0; i < l->n; i++)
		(void)json_array_append_new(o, json_string(l->v[i]));
	return o;
}

static json_t *
octets(const struct ae_octetsv *l)
{
	json_t *o = json_array();
	size_t i;

	for (i = 0; i < l->n; i++)
		(void)json_array_append_new(o, hex(l->v[i].p, l->v[i].len));
	return o;
}

static json_t *
pong(const struct ae_ad_ping *p)
{
	return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:I}", "host", p->host,
	    "domain", p->domain, "forest", p->forest, "netbios_domain",
	    p->netbios_domain, "netbios_host", p->netbios_host, "dc_site",
	    p->dc_site, "client_site", p->client_site, "flags",
	    (json_int_t)p->flags);
}

static int
cmd_locate(char **arg)
{
	struct ae_err e = AE_ERR_INIT;
	struct ae_ad_ping p;
	int rc = ae_ad_locate(&p, arg[0], arg[1], NULL, 7, &e);

	return rc != AE_OK ? failed(&e, rc) : done(pong(&p));
}

static int
cmd_ping(char **arg)
{
	struct ae_err e = AE_ERR_INIT;
	struct ae_ad_ping p;
	int rc = ae_ad_ping(&p, arg[0], arg[1], 3, &e);

	return rc != AE_OK ? failed(&e, rc) : done(pong(&p));
}

static int
cmd_root(struct ae_ad *ad, char **arg, struct ae_err *e)
{
	const struct ae_ad_root *r = ae_ad_root(ad);
	struct ae_ad_domain d;
	char sid[AE_SID_STR_MAX];
	int rc;

	(void)arg;
	if ((rc = ae_ad_domain(&d, ad, e)) != AE_OK)
		return failed(e, rc);
	return done(json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s}", "host", r->host,
	    "default", r->default_nc, "config", r->config_nc, "root",
	    r->root_domain_nc, "sid", ae_sid_print(sid, &d.sid), "dns", d.dns,
	    "netbios", d.netbios));
}

static json_t *
template_json(const struct ae_template *t)
{
	return json_pack("{s:s,s:s?,s:s?,s:I,s:I,s:I,s:I,s:I,s:I,s:o,s:o,s:I,"
			 "s:I,s:o,s:b}",
	    "cn", t->cn, "displayName", t->display_name, "oid", t->oid,
	    "schema", (json_int_t)t->schema_version, "revision",
	    (json_int_t)t->revision, "flags", (json_int_t)t->flags,
	    "enrollment_flag", (json_int_t)t->enrollment_flag, "name_flag",
	    (json_int_t)t->name_flag, "min_key", (json_int_t)t->min_key_size,
	    "ekus", strings(&t->ekus), "csps", strings(&t->csps), "validity",
	    (json_int_t)t->validity, "overlap", (json_int_t)t->overlap, "sd",
	    hex(t->sd_raw.p, t->sd_raw.len), "dacl",
	    t->sd != NULL && t->sd->has_dacl);
}

static int
cmd_pki(struct ae_ad *ad, char **arg, struct ae_err *e)
{
	json_t *templates, *services, *refused, *oids;
	struct ae_pki *p, *again;
	struct ae_wr w;
	struct ae_rd r;
	size_t i;
	int rc;

	(void)arg;
	if ((rc = ae_ad_pki_read(&p, ad, AE_PKI_ALL, e)) != AE_OK)
		return failed(e, rc);
	/* Shown is what came through our own encoding. */
	ae_wr_init(&w, AE_PKI_ENCODED_MAX);
	ae_pki_put(&w, p);
	ae_rd_init(&r, w.p, w.len);
	rc = ae_pki_get(&again, &r, e);
	ae_pki_free(p);
	ae_wr_done(&w);
	if (rc != AE_OK)
		return failed(e, rc);
	p = again;
	templates = json_array();
	services = json_array();
	refused = json_array();
	oids = json_array();
	for (i = 0; i < p->ntemplates; i++)
		(void)json_array_append_new(
		    templates, template_json(p->templates[i]));
	for (i = 0; i < p->nservices; i++)
		(void)json_array_append_new(services,
		    json_pack("{s:s,s:s?,s:o,s:o,s:I}", "cn",
			p->services[i]->cn, "host",
			p->services[i]->dns_host_name, "templates",
			strings(&p->services[i]->templates), "certificates",
			octets(&p->services[i]->ca_certificates), "flags",
			(json_int_t)p->services[i]->flags));
	for (i = 0; i < p->nrefused; i++)
		(void)json_array_append_new(refused,
		    json_pack("{s:s,s:s}", "dn", p->refused[i].dn, "why",
			p->refused[i].why));
	for (i = 0; i < p->noids; i++)
		(void)json_array_append_new(oids, json_string(p->oids[i].oid));
	rc = done(json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "templates",
	    templates, "services", services, "refused", refused, "oids", oids,
	    "ntauth", octets(&p->ntauth), "roots", octets(&p->roots), "aia",
	    octets(&p->aia), "kra", octets(&p->kra)));
	ae_pki_free(p);
	return rc;
}

static int
cmd_principal(struct ae_ad *ad, char **arg, struct ae_err *e)
{
	struct ae_principal *p = NULL, *again = NULL;
	char sid[AE_SID_STR_MAX];
	struct ae_sid *groups = NULL;
	json_t *list, *o;
	unsigned int owners = 0;
	size_t i, n = 0;
	int rc;

	if ((rc = ae_ad_principal_account(&p, ad, arg[0], e)) != AE_OK ||
	    (rc = ae_ad_principal(&again, ad, &p->sid, e)) != AE_OK ||
	    (rc = ae_ad_token_groups(&groups, &n, ad, again->dn, e)) != AE_OK)
		return failed(e, rc);
	if (again->dns_host_name != NULL &&
	    (rc = ae_ad_dns_owners(
		 &owners, ad, again->dns_host_name, &again->sid, e)) != AE_OK)
		return failed(e, rc);
	list = json_array();
	for (i = 0; i < n; i++)
		(void)json_array_append_new(
		    list, json_string(ae_sid_print(sid, &groups[i])));
	o = json_pack("{s:s,s:s,s:s,s:s?,s:s?,s:s,s:s?,s:b,s:b,s:I,s:o,s:i}",
	    "dn", again->dn, "cn", again->cn, "account",
	    again->sam_account_name, "upn", again->upn, "dns",
	    again->dns_host_name, "domain_dns", again->domain_dns,
	    "domain_netbios", again->domain_netbios, "computer",
	    again->is_computer, "user", again->is_user, "uac",
	    (json_int_t)again->account_control, "groups", list, "dns_owners",
	    (int)owners);
	(void)json_object_set_new(
	    o, "sid", json_string(ae_sid_print(sid, &again->sid)));
	free(groups);
	ae_principal_free(p);
	ae_principal_free(again);
	return done(o);
}

/* BASE FILTER ATTRIBUTE...: every value as hex. */
static int
cmd_search(struct ae_ad *ad, char **arg, struct ae_err *e)
{
	const char *attrs[16] = { NULL };
	struct ae_ad_query q = { .base = arg[0],
		.scope = AE_AD_SUB,
		.filter = arg[1],
		.attrs = attrs };
	struct ae_entries l = { 0 };
	json_t *list, *o, *vals;
	size_t i, j, k;
	int rc;

	for (i = 0; i < 15 && arg[2 + i] != NULL; i++)
		attrs[i] = arg[2 + i];
	if ((rc = ae_ad_search(ad, &q, &l, e)) != AE_OK)
		return failed(e, rc);
	list = json_array();
	for (i = 0; i < l.n; i++) {
		o = json_pack("{s:s}", "dn", l.v[i].dn);
		for (j = 0; j < l.v[i].n; j++) {
			vals = json_array();
			for (k = 0; k < l.v[i].attrs[j].n; k++)
				(void)json_array_append_new(vals,
				    hex(l.v[i].attrs[j].v[k].p,
					l.v[i].attrs[j].v[k].len));
			(void)json_object_set_new(
			    o, l.v[i].attrs[j].name, vals);
		}
		(void)json_array_append_new(list, o);
	}
	ae_entries_done(&l);
	return done(list);
}

/* Asks once a line of standard input: is anything new? */
static int
cmd_changed(struct ae_ad *ad, char **arg, struct ae_err *e)
{
	struct ae_pki_mark mark = { 0 };
	char line[16];
	bool changed;
	int rc;

	(void)arg;
	while (fgets(line, sizeof(line), stdin) != NULL) {
		rc = ae_ad_pki_changed(&changed, &mark, ad, e);
		if (rc != AE_OK)
			return failed(e, rc);
		(void)printf("%s\n", changed ? "changed" : "same");
		(void)fflush(stdout);
	}
	return 0;
}

static const char *const sources[] = { "default", "gpo", "local" };

static json_t *
setting(
    uint32_t value, const struct ae_setting *from, const struct ae_settings *s)
{
	return json_pack("{s:I,s:s,s:s?}", "value", (json_int_t)value, "from",
	    sources[from->source], "gpo",
	    from->source == AE_SETTING_GPO ? s->gpos[from->gpo].name : NULL);
}

static json_t *
settings_json(const struct ae_settings *s)
{
	json_t *gpos = json_array(), *servers = json_array();
	char text[128];
	size_t i;

	for (i = 0; i < s->ngpos; i++)
		(void)json_array_append_new(gpos,
		    json_pack("{s:s,s:s,s:s,s:s,s:b,s:I,s:s?}", "name",
			s->gpos[i].name, "dn", s->gpos[i].dn, "scope",
			s->gpos[i].scope, "verdict",
			ae_gpo_verdict_name(
			    (enum ae_gpo_verdict)s->gpos[i].verdict),
			"enforced", (int)s->gpos[i].enforced, "version",
			(json_int_t)s->gpos[i].version, "detail",
			s->gpos[i].detail));
	for (i = 0; i < s->nservers; i++)
		(void)json_array_append_new(servers,
		    json_pack("{s:s,s:s?,s:I}", "key", s->servers[i].key, "url",
			s->servers[i].url, "cost",
			(json_int_t)s->servers[i].cost));
	return json_pack("{s:s,s:o,s:o,s:o,s:o,s:o,s:o}", "text",
	    ae_settings_text(s, text, sizeof(text)), "ae_policy",
	    setting(s->ae_policy, &s->ae_policy_from, s), "percent",
	    setting(s->expiry_percent, &s->expiry_percent_from, s), "log_level",
	    setting(s->log_level, &s->log_level_from, s), "stores",
	    strings(&s->expiry_stores), "gpos", gpos, "servers", servers);
}

/*
 * ACCOUNT HELPER SITE computer|user [LOCAL]: the settings, gathered once for
 * every line of standard input with one cache; and how many files the cache
 * holds.
 */
static int
cmd_policy(struct ae_ad *ad, char **arg, struct ae_err *e)
{
	struct ae_gather_policy how = { .ad = ad,
		.site = arg[2],
		.user = strcmp(arg[3], "user") == 0,
		.sysvol = { .program = arg[1], .timeout = 20 } };
	struct ae_policy_cache cache = { 0 };
	struct ae_local_policy local;
	struct ae_principal *p = NULL;
	struct ae_token *token = NULL;
	struct ae_settings *s = NULL;
	struct ae_sid *groups = NULL;
	char line[16];
	size_t n;
	int rc;

	ae_local_policy_init(&local);
	how.local = &local;
	if ((rc = ae_ad_principal_account(&p, ad, arg[0], e)) == AE_OK &&
	    (rc = ae_ad_token_groups(&groups, &n, ad, p->dn, e)) == AE_OK &&
	    (rc = ae_token_new(&token, &p->sid, groups, n, 0, e)) == AE_OK &&
	    arg[4] != NULL)
		rc = ae_local_policy_read(&local, arg[4], e);
	how.principal = p;
	how.token = token;
	while (rc == AE_OK && fgets(line, sizeof(line), stdin) != NULL) {
		rc = ae_gather_policy(&s, &how, &cache, e);
		if (rc == AE_OK)
			(void)done(settings_json(s));
		else
			(void)failed(e, rc);
		if (rc == AE_OK)
			ae_settings_free(s);
		rc = AE_OK;
		(void)fflush(stdout);
	}
	free(groups);
	ae_token_free(token);
	ae_principal_free(p);
	ae_local_policy_done(&local);
	ae_policy_cache_done(&cache);
	return rc != AE_OK ? failed(e, rc) : 0;
}

/*
 * NAME HOST ACCOUNT CERTIFICATE HELPER [dry]: what certsrv setup does to the
 * directory, for a root CA.
 */
static int
cmd_setup(struct ae_ad *ad, char **arg, struct ae_err *e)
{
	struct ae_setup s = { .ad = ad,
		.ca_name = arg[0],
		.ca_object = arg[0],
		.ca_subject = "CN=lab",
		.host = arg[1],
		.account = arg[2],
		.root = true,
		.templates = true,
		.machine_logon = true,
		.gpo = true,
		.sysvol = { .program = arg[4], .timeout = 20 },
		.dry_run = arg[5] != NULL };
	struct ae_setup_report report;
	json_t *steps;
	struct ae_value cert = { NULL, 0 };
	uint8_t *der = NULL;
	size_t i;
	int rc;

	rc = ae_file_read(&der, &cert.len, arg[3], 65536, e);
	if (rc != AE_OK)
		return failed(e, rc);
	cert.p = der;
	s.certs = &cert;
	s.ncerts = 1;
	rc = ae_setup_directory(&report, &s, e);
	steps = json_array();
	for (i = 0; i < report.n; i++)
		(void)json_array_append_new(steps,
		    json_pack("[s,s,s?]",
			ae_setup_action_name(report.v[i].action),
			report.v[i].what, report.v[i].detail));
	(void)done(json_pack(
	    "{s:i,s:o}", "changes", (int)report.changes, "steps", steps));
	ae_setup_report_done(&report);
	free(der);
	return rc != AE_OK ? failed(e, rc) : 0;
}

static const struct command {
	const char *name;
	int args;
	int (*alone)(char **arg);
	int (*connected)(struct ae_ad *ad, char **arg, struct ae_err *e);
} commands[] = {
	{ "locate", 1, cmd_locate, NULL },
	{ "ping", 2, cmd_ping, NULL },
	{ "root", 0, NULL, cmd_root },
	{ "pki", 0, NULL, cmd_pki },
	{ "principal", 1, NULL, cmd_principal },
	{ "search", 2, NULL, cmd_search },
	{ "changed", 0, NULL, cmd_changed },
	{ "policy", 4, NULL, cmd_policy },
	{ "setup", 5, NULL, cmd_setup },
};

int
main(int argc, char **argv)
{
	struct ae_ad_conf conf = { .timeout = 5 };
	struct ae_err e = AE_ERR_INIT;
	struct ae_gss_cred *cred = NULL;
	struct ae_ad *ad = NULL;
	size_t i;
	int rc;

	if (getenv("ADPROBE_KEYTAB") != NULL &&
	    (rc = ae_gss_cred_keytab(&cred, getenv("ADPROBE_KEYTAB"),
		 getenv("ADPROBE_PRINCIPAL"), "MEMORY:adprobe", &e)) != AE_OK)
		return failed(&e, rc);
	conf.cred = cred;
	for (i = 0; argc > 1 && i < sizeof(commands) / sizeof(*commands); i++) {
		const struct command *c = &commands[i];
		int skip = c->alone != NULL ? 2 : 3;

		if (strcmp(argv[1], c->name) != 0 || argc < skip + c->args)
			continue;
		if (c->alone != NULL)
			return c->alone(argv + skip);
		conf.host = argv[2];
		rc = ae_ad_open(&ad, &conf, &e);
		rc = rc != AE_OK ? failed(&e, rc)
				 : c->connected(ad, argv + skip, &e);
		ae_ad_free(ad);
		ae_gss_cred_free(cred);
		return rc;
	}
	(void)fprintf(stderr,
	    "usage: adprobe locate DOMAIN [SITE] | ping HOST DOMAIN |\n"
	    "       root|pki|changed HOST | principal HOST ACCOUNT |\n"
	    "       search HOST BASE FILTER ATTRIBUTE...\n");
	return 2;
}
