/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Probe of the directory: our own account, its groups beside the ticket's,
 * templates and CAs as they are written there.
 *
 *   "ad": { "dc", "ahead": seconds that the DC's clock is ahead,
 *           "config_nc", "default_nc",
 *           "me": { "dn", "account", "sid", "dns_host_name", "upn", "mail",
 *                   "computer": bool, "account_control", "kvno", "enctypes",
 *                   "spns": [ name ], "created": time, "published": [
 *                   thumbprint of its userCertificate ] },
 *           "groups": [ { "sid", "name", "in_ticket", "in_directory",
 *                         "check" } ],
 *           "templates": [ { "cn", "display_name", "oid", "schema_version",
 *                   "flags", "enrollment_flag", "private_key_flag",
 *                   "name_flag", "ra_signature", "min_key_size", "validity",
 *                   "overlap", "sd_readable": bool, "changed": time } ],
 *           "refused": [ { "dn", "why" } ],
 *           "cas": [ { "config", "name", "host", "templates": [ cn ],
 *                   "certificates": number, "spn": name,
 *                   "spn_owners": [ DN ], "owner": account of that host,
 *                   "other": account that has the name besides,
 *                   "chain": as probe_trust.c has it } ],
 *           "roots", "aia", "ntauth": number of certificates,
 *           and what probe_pki.c, probe_trustees.c have }
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../autoenrolld/keys.h"
#include "ad/ad.h"
#include "ad/escape.h"
#include "ad/pki.h"
#include "ad/principal.h"
#include "base/hex.h"
#include "base/time.h"
#include "diag/facts.h"
#include "gather/groups.h"
#include "gss/cred.h"
#include "probe.h"
#include "probe_pki.h"

static int
open_dc(struct ae_ad **ad, struct ae_gss_cred *cred, struct probe *p,
    struct ae_err *e)
{
	struct ae_ad_conf conf = { .host = ae_fact_text(p->facts, "dc.host"),
		.cred = cred,
		.timeout = 6 };

	probe_set(p, "dc", client_text(conf.host));
	probe_doing(p, "ldap", conf.host);
	return ae_ad_open(ad, &conf, e);
}

static void
put_opt(json_t *j, const char *name, const char *s)
{
	if (s != NULL && s[0] != '\0')
		(void)json_object_set_new(j, name, client_text(s));
}

static void
put_time(json_t *j, const char *name, int64_t t)
{
	char when[AE_TIME_STR_MAX];

	if (t != INT64_MAX)
		(void)json_object_set_new(
		    j, name, json_string(ae_time_print(when, t)));
}

#define PUBLISHED_MAX 256u

static void
put_published(json_t *j, const struct ae_attr *a)
{
	json_t *list = json_array();
	struct ae_cert *c;
	uint8_t sha1[20];
	char thumb[41];
	size_t i;

	for (i = 0; a != NULL && i < a->n && i < PUBLISHED_MAX; i++) {
		if (ae_cert_parse(&c, a->v[i].p, a->v[i].len, NULL) != AE_OK)
			continue;
		ae_cert_sha1(sha1, c);
		ae_hex_encode(thumb, sha1, sizeof(sha1));
		(void)json_array_append_new(list, json_string(thumb));
		ae_cert_free(c);
	}
	(void)json_object_set_new(j, "published", list);
}

/* What only Kerberos cares about in an account, and who looks for it. */
static void
more_of_me(json_t *j, struct ae_ad *ad, const char *dn)
{
	static const char *const attrs[] = { "msDS-KeyVersionNumber",
		"msDS-SupportedEncryptionTypes", "servicePrincipalName",
		"whenCreated", "userCertificate", NULL };
	struct ae_entries l = { 0 };
	const struct ae_attr *spns;
	json_t *list = json_array();
	uint32_t n;
	int64_t t;
	size_t i;

	if (ae_ad_read(ad, dn, attrs, &l, NULL) == AE_OK) {
		if (ae_entry_u32(&l.v[0], attrs[0], &n, NULL) == AE_OK)
			(void)json_object_set_new(j, "kvno", json_integer(n));
		if (ae_entry_u32(&l.v[0], attrs[1], &n, NULL) == AE_OK)
			(void)json_object_set_new(
			    j, "enctypes", json_integer(n));
		if (ae_entry_time(&l.v[0], attrs[3], &t, NULL) == AE_OK)
			put_time(j, "created", t);
		put_published(j, ae_entry_get(&l.v[0], attrs[4]));
		spns = ae_entry_get(&l.v[0], attrs[2]);
		for (i = 0; spns != NULL && i < spns->n; i++)
			(void)json_array_append_new(
			    list, client_text((const char *)spns->v[i].p));
	}
	(void)json_object_set_new(j, "spns", list);
	ae_entries_done(&l);
}

static int
see_me(struct ae_principal **me, struct ae_ad *ad, struct probe *p,
    struct ae_err *e)
{
	const char *principal = ae_fact_text(p->facts, "krb.principal");
	char account[256], sid[AE_SID_STR_MAX];
	json_t *j = json_object();
	int rc;

	(void)snprintf(account, sizeof(account), "%.*s",
	    (int)strcspn(principal, "@"), principal);
	probe_doing(p, "account", account);
	rc = ae_ad_principal_account(me, ad, account, e);
	if (rc != AE_OK) {
		json_decref(j);
		return rc;
	}
	put_opt(j, "dn", (*me)->dn);
	put_opt(j, "account", (*me)->sam_account_name);
	put_opt(j, "sid", ae_sid_print(sid, &(*me)->sid));
	put_opt(j, "dns_host_name", (*me)->dns_host_name);
	put_opt(j, "upn", (*me)->upn);
	put_opt(j, "mail", (*me)->mail);
	(void)json_object_set_new(
	    j, "computer", json_boolean((*me)->is_computer));
	(void)json_object_set_new(
	    j, "account_control", json_integer((*me)->account_control));
	more_of_me(j, ad, (*me)->dn);
	probe_set(p, "me", j);
	return AE_OK;
}

/* The ticket's groups, as another probe wrote them down. */
static struct ae_sid *
ticket_groups(size_t *n, const json_t *list)
{
	struct ae_sid *v = calloc(json_array_size(list) + 1, sizeof(*v));
	const char *s;
	size_t i;

	*n = 0;
	for (i = 0; v != NULL && i < json_array_size(list); i++) {
		s = json_string_value(json_array_get(list, i));
		if (s != NULL && ae_sid_parse(&v[*n], s))
			(*n)++;
	}
	return v;
}

static void
put_groups(struct probe *p, const struct ae_groups *g)
{
	json_t *list = json_array(), *j;
	char sid[AE_SID_STR_MAX];
	size_t i;

	for (i = 0; i < g->n; i++) {
		j = json_pack("{s:s, s:b, s:b, s:s?}", "sid",
		    ae_sid_print(sid, &g->v[i].sid), "in_ticket",
		    g->v[i].in_ticket, "in_directory", g->v[i].in_directory,
		    "check", ae_group_check(&g->v[i]));
		put_opt(j, "name", g->v[i].name);
		(void)json_array_append_new(list, j);
	}
	probe_set(p, "groups", list);
}

/* token: what the directory counts the account to be. */
static int
see_groups(struct ae_token **token, struct ae_ad *ad,
    const struct ae_principal *me, struct probe *p, struct ae_err *e)
{
	const json_t *told = ae_fact(p->facts, "krb.groups");
	struct ae_sid *mine = NULL, *ticket = NULL;
	struct ae_groups g = { 0 };
	size_t n = 0, nticket;
	int rc;

	probe_doing(p, "groups", me->sam_account_name);
	rc = ae_ad_token_groups(&mine, &n, ad, me->dn, e);
	if (rc == AE_OK)
		rc = ae_token_new(token, &me->sid, mine, n, 0, e);
	if (rc != AE_OK || told == NULL) {
		put_opt(p->mine, "groups_because",
		    ae_fact_str(p->facts, "krb.groups_error.text"));
		free(mine);
		return rc;
	}
	ticket = ticket_groups(&nticket, told);
	if (ticket == NULL)
		rc = ae_fail_mem(e);
	if (rc == AE_OK)
		rc = ae_groups_merge(&g, ticket, nticket, mine, n, &me->sid, e);
	if (rc == AE_OK)
		rc = ae_groups_resolve(&g, ad, e);
	if (rc == AE_OK)
		put_groups(p, &g);
	ae_groups_done(&g);
	free(mine);
	free(ticket);
	return rc;
}

json_t *
probe_pki_template_new(const struct ae_template *t)
{
	json_t *j = json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}",
	    "schema_version", (json_int_t)t->schema_version, "flags",
	    (json_int_t)t->flags, "enrollment_flag",
	    (json_int_t)t->enrollment_flag, "private_key_flag",
	    (json_int_t)t->private_key_flag, "name_flag",
	    (json_int_t)t->name_flag, "ra_signature",
	    (json_int_t)t->ra_signature, "min_key_size",
	    (json_int_t)t->min_key_size, "validity", (json_int_t)t->validity,
	    "overlap", (json_int_t)t->overlap);

	put_opt(j, "cn", t->cn);
	put_opt(j, "dn", t->dn);
	put_opt(j, "display_name", t->display_name);
	put_opt(j, "oid", t->oid);
	(void)json_object_set_new(
	    j, "sd_readable", json_boolean(t->sd != NULL));
	put_time(j, "changed", t->when_changed);
	return j;
}

/* Of two who have the name, one runs the CA: its host has it, too. */
static void
owner_and_other(json_t *j, const struct ae_entries *l, const char *host)
{
	const char *account, *dns;
	bool owns;
	size_t i;
	int rc;

	for (i = 0; i < l->n && l->n <= 2; i++) {
		account = dns = NULL;
		rc =
		    ae_entry_str(&l->v[i], "dNSHostName", l->arena, &dns, NULL);
		if ((rc != AE_OK && rc != AE_ENOTFOUND) ||
		    ae_entry_str(&l->v[i], "sAMAccountName", l->arena, &account,
			NULL) != AE_OK)
			continue;
		owns =
		    l->n == 1 || (dns != NULL && ae_str_eq_nocase(dns, host));
		put_opt(j, owns ? "owner" : "other", account);
	}
	if (json_object_get(j, "owner") == NULL)
		(void)json_object_del(j, "other");
}

/* Who has the service name that tickets for the CA are asked with? */
static void
spn_owners(json_t *j, struct ae_ad *ad, const char *host)
{
	static const char *const attrs[] = { "sAMAccountName", "dNSHostName",
		NULL };
	struct ae_entries l = { 0 };
	struct ae_ad_query q = { .base = ae_ad_root(ad)->default_nc,
		.scope = AE_AD_SUB,
		.attrs = attrs,
		.max = 16 };
	json_t *list = json_array();
	struct ae_wr w;
	size_t i;

	ae_wr_init(&w, 4096);
	ae_wr_str(&w, "(servicePrincipalName=HOST/");
	ae_ad_put_filter_value(&w, host, strlen(host));
	ae_wr_str(&w, ")");
	q.filter = ae_wr_cstr(&w);
	if (q.filter != NULL && ae_ad_search(ad, &q, &l, NULL) == AE_OK) {
		for (i = 0; i < l.n; i++)
			(void)json_array_append_new(
			    list, client_text(l.v[i].dn));
		(void)json_object_set(j, "spn_owners", list);
		owner_and_other(j, &l, host);
	}
	json_decref(list);
	ae_entries_done(&l);
	ae_wr_done(&w);
}

static json_t *
ca_json(struct ae_ad *ad, const struct ae_enrollment_service *es)
{
	const char *host = es->dns_host_name == NULL ? "" : es->dns_host_name;
	json_t *names = json_array(), *servers = json_array(), *j;
	char text[1024];
	size_t i;

	for (i = 0; i < es->enrollment_servers.n; i++)
		(void)json_array_append_new(
		    servers, client_text(es->enrollment_servers.v[i]));

	for (i = 0; i < es->templates.n; i++)
		(void)json_array_append_new(
		    names, client_text(es->templates.v[i]));
	j = json_pack("{s:o, s:I}", "templates", names, "certificates",
	    (json_int_t)es->ca_certificates.n);
	(void)snprintf(text, sizeof(text), "%s\\%s", host, es->cn);
	put_opt(j, "config", text);
	if (es->when_changed != INT64_MAX)
		(void)json_object_set_new(
		    j, "changed", json_integer((json_int_t)es->when_changed));
	(void)json_object_set_new(j, "enrollment_servers", servers);
	put_opt(j, "name", es->cn);
	put_opt(j, "dn", es->dn);
	put_opt(j, "host", host);
	if (host[0] != '\0')
		spn_owners(j, ad, host);
	return j;
}

/* A template's rights come by groups that are not with us everywhere. */
static void
see_trustees(struct ae_ad *ad, const struct ae_pki *pki,
    const struct ae_token *token, const struct ae_principal *me,
    struct probe *p)
{
	struct ae_gss_cred *cred = NULL;
	unsigned int asked = 0;

	probe_doing(p, "trustees", NULL);
	if (ae_gss_cred_ccache(&cred, probe_ccache(p), NULL) == AE_OK)
		probe_set(p, "trustees",
		    probe_trustees(ad, cred, pki, token, me, p->only, &asked));
	if (asked > 0)
		probe_asked(p, "ldap", asked);
	ae_gss_cred_free(cred);
}

static int
see_pki(struct ae_ad *ad, const struct ae_token *token,
    const struct ae_principal *who, struct probe *p, struct ae_err *e)
{
	json_t *templates = json_array(), *cas = json_array(),
	       *refused = json_array();
	struct ae_providers here;
	struct ae_pki *pki = NULL;
	struct pool *pool = NULL;
	size_t i;
	int rc;

	keys_at_hand(&here, &p->cli->c);
	probe_doing(p, "forest", NULL);
	rc = ae_ad_pki_read(&pki, ad,
	    AE_PKI_TEMPLATES | AE_PKI_SERVICES | AE_PKI_NTAUTH | AE_PKI_ROOTS |
		AE_PKI_AIA | AE_PKI_OIDS,
	    e);
	for (i = 0; rc == AE_OK && i < pki->ntemplates; i++) {
		json_t *t = probe_pki_template_new(pki->templates[i]);

		probe_pki_template(t, pki->templates[i], pki, token, &here);
		(void)json_array_append_new(templates, t);
	}
	if (rc == AE_OK)
		pool = probe_trust_pool(&p->cli->c, pki);
	for (i = 0; rc == AE_OK && i < pki->nservices; i++) {
		json_t *ca = ca_json(ad, pki->services[i]);
		json_t *chain = probe_trust_chain(pool, pki->services[i]);

		if (chain != NULL)
			(void)json_object_set_new(ca, "chain", chain);

		if (p->ca == NULL || ae_fact_is(ca, "config", p->ca))
			(void)json_array_append(cas, ca);
		json_decref(ca);
	}
	for (i = 0; rc == AE_OK && i < pki->nrefused; i++) {
		json_t *one = json_object();

		put_opt(one, "dn", pki->refused[i].dn);
		put_opt(one, "why", pki->refused[i].why);
		(void)json_array_append_new(refused, one);
	}
	if (rc == AE_OK) {
		probe_set(p, "roots", json_integer((json_int_t)pki->roots.n));
		probe_set(p, "aia", json_integer((json_int_t)pki->aia.n));
		probe_set(p, "ntauth", json_integer((json_int_t)pki->ntauth.n));
		probe_set(p, "templates", json_incref(templates));
		probe_set(p, "refused", json_incref(refused));
		probe_set(p, "unseen", probe_pki_unseen(ad, pki, p->only));
		probe_set(
		    p, "containers", probe_pki_containers(ad, pki, token));
		probe_set(p, "cas", json_incref(cas));
		see_trustees(ad, pki, token, who, p);
	}
	json_decref(templates);
	json_decref(refused);
	json_decref(cas);
	probe_trust_pool_free(pool);
	ae_pki_free(pki);
	return rc;
}

int
probe_ad(struct probe *p, struct ae_err *e)
{
	struct ae_principal *me = NULL;
	struct ae_gss_cred *cred = NULL;
	struct ae_token *token = NULL;
	struct ae_ad *ad = NULL;
	int rc;

	rc = ae_gss_cred_ccache(&cred, probe_ccache(p), e);
	if (rc == AE_OK)
		rc = open_dc(&ad, cred, p, e);
	if (rc == AE_OK) {
		const struct ae_ad_root *root = ae_ad_root(ad);

		if (root->has_time)
			probe_set(p, "ahead", json_integer(root->ahead_of_us));
		probe_set(p, "config_nc", client_text(root->config_nc));
		probe_set(p, "default_nc", client_text(root->default_nc));
		rc = see_me(&me, ad, p, e);
	}
	if (rc == AE_OK)
		rc = see_groups(&token, ad, me, p, e);
	if (rc == AE_OK)
		rc = see_pki(ad, token, me, p, e);
	if (ad != NULL)
		probe_asked(p, "ldap", ae_ad_sent(ad));
	ae_token_free(token);
	ae_principal_free(me);
	ae_ad_free(ad);
	ae_gss_cred_free(cred);
	return rc;
}
