/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Users, computers, their groups and their domain; see principal.h.
 */
#include "ad/principal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ad/escape.h"
#include "ad/value.h"
#include "base/str.h"

#define FILTER_MAX 4096u
#define GROUPS_MAX 4096u

static const char *const attrs[] = { "objectClass", "cn", "sAMAccountName",
	"userPrincipalName", "dNSHostName", "mail", "userAccountControl",
	"objectSid", "objectGUID", "servicePrincipalName", NULL };

void
ae_principal_free(struct ae_principal *p)
{
	if (p == NULL)
		return;
	free(p->dn);
	free(p->cn);
	free(p->sam_account_name);
	free(p->upn);
	free(p->dns_host_name);
	free(p->mail);
	ae_strv_done(&p->hosts);
	free(p->domain_dns);
	free(p->domain_netbios);
	free(p);
}

/* An optional string attribute as heap copy. */
static int
opt_str(
    char **out, const struct ae_entries *l, const char *name, struct ae_err *e)
{
	const char *s = NULL;
	int rc = ae_entry_str(&l->v[0], name, l->arena, &s, e);

	if (rc == AE_ENOTFOUND)
		return AE_OK;
	if (rc != AE_OK)
		return rc;
	*out = strdup(s);
	return *out != NULL ? AE_OK : ae_fail_mem(e);
}

/* nETBIOSName of the domain nc, from its crossRef; NULL: not said. */
static int
netbios_name(char **out, struct ae_ad *ad, const char *nc, struct ae_err *e)
{
	static const char *const want[] = { "nETBIOSName", NULL };
	struct ae_ad_query q = { .scope = AE_AD_ONE, .attrs = want, .max = 2 };
	struct ae_entries l = { 0 };
	struct ae_wr base, filter;
	int rc;

	ae_wr_init(&base, FILTER_MAX);
	ae_wr_init(&filter, FILTER_MAX);
	ae_wr_printf(&base, "CN=Partitions,%s", ae_ad_root(ad)->config_nc);
	ae_wr_str(&filter, "(&(objectClass=crossRef)(nCName=");
	ae_ad_put_filter_value(&filter, nc, strlen(nc));
	ae_wr_str(&filter, "))");
	q.base = ae_wr_cstr(&base);
	q.filter = ae_wr_cstr(&filter);
	if (q.base == NULL || q.filter == NULL)
		rc = ae_fail_mem(e);
	else
		rc = ae_ad_search(ad, &q, &l, e);
	if (rc == AE_OK && l.n == 1)
		rc = opt_str(out, &l, want[0], e);
	ae_entries_done(&l);
	ae_wr_done(&base);
	ae_wr_done(&filter);
	return rc;
}

/* The DC= tail of a DN, in place; NULL: none. */
static const char *
domain_part(const char *dn)
{
	while (dn != NULL && strncasecmp(dn, "DC=", 3) != 0)
		dn = ae_ad_dn_parent(dn);
	return dn;
}

size_t
ae_spn_host(char *out, size_t size, const char *spn, size_t len)
{
	const char *from = memchr(spn, '/', len), *to;
	size_t n;

	if (from == NULL)
		return 0;
	from++;
	for (to = from; to < spn + len && *to != '/' && *to != ':'; to++)
		if (*to == '\0')
			return 0;
	n = (size_t)(to - from);
	if (n == 0 || n >= size)
		return 0;
	memcpy(out, from, n);
	out[n] = '\0';
	return n;
}

static int
decode_hosts(
    struct ae_principal *p, const struct ae_entry *entry, struct ae_err *e)
{
	const struct ae_attr *a = ae_entry_get(entry, "servicePrincipalName");
	char host[256];
	size_t i;

	for (i = 0; a != NULL && i < a->n; i++) {
		if (p->hosts.n == AE_PRINCIPAL_HOSTS_MAX)
			break;
		if (ae_spn_host(host, sizeof(host), (const char *)a->v[i].p,
			a->v[i].len) == 0 ||
		    ae_strv_has_nocase(&p->hosts, host))
			continue;
		if (!ae_strv_add(&p->hosts, host))
			return ae_fail_mem(e);
	}
	return AE_OK;
}

static int
decode(struct ae_principal *p, struct ae_ad *ad, const struct ae_entries *l,
    struct ae_err *e)
{
	const struct {
		const char *name;
		char **out;
	} strings[] = { { "cn", &p->cn },
		{ "sAMAccountName", &p->sam_account_name },
		{ "userPrincipalName", &p->upn },
		{ "dNSHostName", &p->dns_host_name }, { "mail", &p->mail } };
	const struct ae_attr *classes;
	char dns[256];
	const char *nc;
	size_t i;
	int rc;

	for (i = 0; i < sizeof(strings) / sizeof(strings[0]); i++)
		if ((rc = opt_str(strings[i].out, l, strings[i].name, e)) !=
		    AE_OK)
			return rc;
	rc = ae_entry_u32(
	    &l->v[0], "userAccountControl", &p->account_control, e);
	if (rc != AE_OK && rc != AE_ENOTFOUND)
		return rc;
	if ((rc = ae_entry_sid(&l->v[0], "objectSid", &p->sid, e)) != AE_OK ||
	    (rc = ae_entry_guid(&l->v[0], "objectGUID", &p->guid, e)) != AE_OK)
		return rc == AE_ENOTFOUND
		    ? ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
			  "%s: no SID or GUID", l->v[0].dn)
		    : rc;
	if ((rc = decode_hosts(p, &l->v[0], e)) != AE_OK)
		return rc;
	classes = ae_entry_get(&l->v[0], "objectClass");
	for (i = 0; classes != NULL && i < classes->n; i++) {
		const char *class = (const char *)classes->v[i].p;

		p->is_computer |= ae_str_eq_nocase(class, "computer");
		p->is_user |= ae_str_eq_nocase(class, "user");
	}
	if ((p->dn = strdup(l->v[0].dn)) == NULL)
		return ae_fail_mem(e);
	nc = domain_part(p->dn);
	if (nc == NULL || !ae_ad_dn_to_dns(dns, sizeof(dns), nc))
		return ae_fail(
		    e, AE_EPROTO, AE_DOM_NONE, 0, "%s: in no domain", p->dn);
	if ((p->domain_dns = strdup(dns)) == NULL)
		return ae_fail_mem(e);
	return netbios_name(&p->domain_netbios, ad, nc, e);
}

static int
principal(struct ae_principal **out, struct ae_ad *ad,
    const struct ae_entries *l, struct ae_err *e)
{
	struct ae_principal *p = calloc(1, sizeof(*p));
	int rc;

	if (p == NULL)
		return ae_fail_mem(e);
	if ((rc = decode(p, ad, l, e)) != AE_OK) {
		ae_principal_free(p);
		return rc;
	}
	*out = p;
	return AE_OK;
}

int
ae_ad_principal_dn(struct ae_principal **out, struct ae_ad *ad, const char *dn,
    struct ae_err *e)
{
	struct ae_entries l = { 0 };
	int rc;

	if ((rc = ae_ad_read(ad, dn, attrs, &l, e)) != AE_OK)
		return rc;
	rc = principal(out, ad, &l, e);
	ae_entries_done(&l);
	return rc;
}

int
ae_ad_principal(struct ae_principal **out, struct ae_ad *ad,
    const struct ae_sid *sid, struct ae_err *e)
{
	char s[AE_SID_STR_MAX], base[AE_SID_STR_MAX + 8];
	struct ae_principal *p = NULL;
	int rc;

	(void)snprintf(base, sizeof(base), "<SID=%s>", ae_sid_print(s, sid));
	if ((rc = ae_ad_principal_dn(&p, ad, base, e)) != AE_OK)
		return rc;
	if (!ae_sid_equal(&p->sid, sid)) {
		ae_principal_free(p);
		return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
		    "asked for %s, got another object", s);
	}
	*out = p;
	return AE_OK;
}

/* The one account whose attribute has this value. */
static int
by_value(struct ae_principal **out, struct ae_ad *ad, const char *attribute,
    const char *value, struct ae_err *e)
{
	struct ae_ad_query q = { .base = ae_ad_root(ad)->default_nc,
		.scope = AE_AD_SUB,
		.attrs = attrs,
		.max = 2 };
	struct ae_entries l = { 0 };
	struct ae_wr w;
	int rc;

	ae_wr_init(&w, FILTER_MAX);
	ae_wr_printf(&w, "(&(objectClass=user)(%s=", attribute);
	ae_ad_put_filter_value(&w, value, strlen(value));
	ae_wr_str(&w, "))");
	q.filter = ae_wr_cstr(&w);
	rc = q.filter != NULL ? ae_ad_search(ad, &q, &l, e) : ae_fail_mem(e);
	if (rc == AE_OK && l.n != 1)
		rc = ae_fail(e, l.n == 0 ? AE_ENOTFOUND : AE_EPROTO,
		    AE_DOM_NONE, 0, "%s: %zu such accounts", value, l.n);
	if (rc == AE_OK)
		rc = principal(out, ad, &l, e);
	ae_entries_done(&l);
	ae_wr_done(&w);
	return rc;
}

int
ae_ad_principal_account(struct ae_principal **out, struct ae_ad *ad,
    const char *account, struct ae_err *e)
{
	return by_value(out, ad, "sAMAccountName", account, e);
}

int
ae_ad_principal_upn(struct ae_principal **out, struct ae_ad *ad,
    const char *upn, struct ae_err *e)
{
	return by_value(out, ad, "userPrincipalName", upn, e);
}

int
ae_ad_token_groups(struct ae_sid **out, size_t *n, struct ae_ad *ad,
    const char *dn, struct ae_err *e)
{
	static const char *const want[] = { "tokenGroups", NULL };
	struct ae_entries l = { 0 };
	const struct ae_attr *a;
	struct ae_sid *v = NULL;
	size_t i;
	int rc;

	if ((rc = ae_ad_read(ad, dn, want, &l, e)) != AE_OK)
		return rc;
	a = ae_entry_get(&l.v[0], want[0]);
	/* Everybody has a primary group: none means we may not see them. */
	if (a == NULL)
		rc = ae_fail(e, AE_EDENIED, AE_DOM_NONE, 0,
		    "%s: tokenGroups is not readable", dn);
	else if (a->n > GROUPS_MAX)
		rc = ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0, "%s: in %zu groups",
		    dn, a->n);
	else if ((v = calloc(a->n, sizeof(*v))) == NULL)
		rc = ae_fail_mem(e);
	for (i = 0; rc == AE_OK && i < a->n; i++)
		if (!ae_value_sid(&a->v[i], &v[i]))
			rc = ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
			    "%s: tokenGroups: not a SID", dn);
	if (rc == AE_OK) {
		ae_sid_sort(v, a->n);
		*out = v;
		*n = a->n;
		v = NULL;
	}
	free(v);
	ae_entries_done(&l);
	return rc;
}

int
ae_ad_dns_owners(unsigned int *out, struct ae_ad *ad, const char *dns,
    const struct ae_sid *except, struct ae_err *e)
{
	static const char *const want[] = { "objectSid", NULL };
	struct ae_ad_query q = { .base = ae_ad_root(ad)->default_nc,
		.scope = AE_AD_SUB,
		.attrs = want };
	struct ae_entries l = { 0 };
	struct ae_sid sid;
	struct ae_wr w;
	unsigned int n = 0;
	size_t i;
	int rc;

	ae_wr_init(&w, FILTER_MAX);
	ae_wr_str(&w, "(|(dNSHostName=");
	ae_ad_put_filter_value(&w, dns, strlen(dns));
	ae_wr_str(&w, ")(servicePrincipalName=HOST/");
	ae_ad_put_filter_value(&w, dns, strlen(dns));
	ae_wr_str(&w, "))");
	q.filter = ae_wr_cstr(&w);
	rc = q.filter != NULL ? ae_ad_search(ad, &q, &l, e) : ae_fail_mem(e);
	for (i = 0; rc == AE_OK && i < l.n; i++) {
		rc = ae_entry_sid(&l.v[i], want[0], &sid, e);
		if (rc == AE_ENOTFOUND ||
		    (rc == AE_OK && !ae_sid_equal(&sid, except)))
			n++;
		if (rc == AE_ENOTFOUND)
			rc = AE_OK;
	}
	if (rc == AE_OK)
		*out = n;
	ae_entries_done(&l);
	ae_wr_done(&w);
	return rc;
}

int
ae_ad_domain(struct ae_ad_domain *out, struct ae_ad *ad, struct ae_err *e)
{
	static const char *const want[] = { "objectSid", "objectGUID", NULL };
	const char *nc = ae_ad_root(ad)->default_nc;
	struct ae_ad_domain d = { 0 };
	struct ae_entries l = { 0 };
	char *netbios = NULL;
	int rc;

	if ((rc = ae_ad_read(ad, nc, want, &l, e)) != AE_OK)
		return rc;
	if ((rc = ae_entry_sid(&l.v[0], want[0], &d.sid, e)) == AE_OK)
		rc = ae_entry_guid(&l.v[0], want[1], &d.guid, e);
	ae_entries_done(&l);
	if (rc == AE_OK && !ae_ad_dn_to_dns(d.dns, sizeof(d.dns), nc))
		rc = AE_ENOTFOUND;
	if (rc == AE_OK)
		rc = netbios_name(&netbios, ad, nc, e);
	if (rc == AE_OK &&
	    (netbios == NULL || strlen(netbios) >= sizeof(d.netbios)))
		rc = AE_ENOTFOUND;
	if (rc == AE_ENOTFOUND)
		rc = ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
		    "%s: no SID, GUID or names", nc);
	if (rc == AE_OK) {
		(void)snprintf(d.netbios, sizeof(d.netbios), "%s", netbios);
		*out = d;
	}
	free(netbios);
	return rc;
}
