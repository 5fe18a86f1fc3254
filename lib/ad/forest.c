/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The domains of the forest; see forest.h.
 */
#include "ad/forest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ad/escape.h"
#include "ad/principal.h"
#include "base/str.h"

/* crossRef of a domain, MS-ADTS 6.1.1.2.1.1.5: FLAG_CR_NTDS_DOMAIN */
#define DOMAINS                    \
	"(&(objectClass=crossRef)" \
	"(systemFlags:1.2.840.113556.1.4.803:=2))"

/* A string attribute into room that is there. */
static int
text(char *out, size_t max, const struct ae_entry *entry,
    const struct ae_entries *l, const char *name, struct ae_err *e)
{
	const char *s = NULL;
	int rc = ae_entry_str(entry, name, l->arena, &s, e);

	if (rc == AE_ENOTFOUND || (rc == AE_OK && strlen(s) >= max))
		return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
		    "%s: no %s, or one too long", entry->dn, name);
	if (rc == AE_OK)
		(void)snprintf(out, max, "%s", s);
	return rc;
}

int
ae_ad_forest_take_domains(
    struct ae_ad_forest *f, const struct ae_entries *l, struct ae_err *e)
{
	struct ae_ad_forest_domain *d;
	size_t i;
	int rc = AE_OK;

	if (l->n > AE_AD_DOMAINS_MAX)
		return ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
		    "more than %u domains", AE_AD_DOMAINS_MAX);
	for (i = 0; rc == AE_OK && i < l->n; i++) {
		d = &f->v[i];
		rc = text(d->dns, sizeof(d->dns), &l->v[i], l, "dnsRoot", e);
		if (rc == AE_OK)
			rc = text(d->netbios, sizeof(d->netbios), &l->v[i], l,
			    "nETBIOSName", e);
		if (rc == AE_OK && !ae_ad_dns_ok(d->dns))
			rc = ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
			    "%s: dnsRoot is no DNS name", l->v[i].dn);
		f->n = i + 1;
	}
	return rc;
}

static int
read_domains(struct ae_ad_forest *f, struct ae_ad *ad, struct ae_err *e)
{
	static const char *const want[] = { "dnsRoot", "nETBIOSName", NULL };
	struct ae_ad_query q = { .scope = AE_AD_ONE,
		.filter = DOMAINS,
		.attrs = want,
		.max = AE_AD_DOMAINS_MAX };
	struct ae_entries l = { 0 };
	struct ae_wr base;
	int rc;

	ae_wr_init(&base, 4096);
	ae_wr_printf(&base, "CN=Partitions,%s", ae_ad_root(ad)->config_nc);
	q.base = ae_wr_cstr(&base);
	rc = q.base != NULL ? ae_ad_search(ad, &q, &l, e) : ae_fail_mem(e);
	if (rc == AE_OK)
		rc = ae_ad_forest_take_domains(f, &l, e);
	ae_entries_done(&l);
	ae_wr_done(&base);
	return rc;
}

static void
set_sid(struct ae_ad_forest *f, const char *dns, const struct ae_sid *sid)
{
	size_t i;

	for (i = 0; i < f->n; i++)
		if (ae_str_eq_nocase(f->v[i].dns, dns)) {
			f->v[i].sid = *sid;
			f->v[i].has_sid = true;
		}
}

void
ae_ad_forest_take_trusts(struct ae_ad_forest *f, const struct ae_entries *l)
{
	struct ae_sid sid;
	char partner[256];
	size_t i;

	for (i = 0; i < l->n; i++)
		if (text(partner, sizeof(partner), &l->v[i], l, "trustPartner",
			NULL) == AE_OK &&
		    ae_entry_sid(&l->v[i], "securityIdentifier", &sid, NULL) ==
			AE_OK)
			set_sid(f, partner, &sid);
}

static int
read_trusts(struct ae_ad_forest *f, struct ae_ad *ad, struct ae_err *e)
{
	static const char *const want[] = { "trustPartner",
		"securityIdentifier", NULL };
	struct ae_ad_query q = { .scope = AE_AD_ONE,
		.filter = "(objectClass=trustedDomain)",
		.attrs = want };
	struct ae_entries l = { 0 };
	struct ae_wr base;
	int rc;

	ae_wr_init(&base, 4096);
	ae_wr_printf(&base, "CN=System,%s", ae_ad_root(ad)->default_nc);
	q.base = ae_wr_cstr(&base);
	rc = q.base != NULL ? ae_ad_search(ad, &q, &l, e) : ae_fail_mem(e);
	if (rc == AE_OK)
		ae_ad_forest_take_trusts(f, &l);
	ae_entries_done(&l);
	ae_wr_done(&base);
	return rc;
}

int
ae_ad_forest(struct ae_ad_forest *out, struct ae_ad *ad, struct ae_err *e)
{
	struct ae_ad_domain own;
	int rc;

	memset(out, 0, sizeof(*out));
	if ((rc = read_domains(out, ad, e)) != AE_OK ||
	    (rc = read_trusts(out, ad, e)) != AE_OK ||
	    (rc = ae_ad_domain(&own, ad, e)) != AE_OK)
		return ae_note(e, rc, "reading the domains of the forest");
	set_sid(out, own.dns, &own.sid);
	return AE_OK;
}

const struct ae_ad_forest_domain *
ae_ad_forest_by_sid(const struct ae_ad_forest *f, const struct ae_sid *sid)
{
	struct ae_sid domain = *sid;
	size_t i;

	if (domain.nsubs == 0)
		return NULL;
	domain.sub[--domain.nsubs] = 0;
	for (i = 0; i < f->n; i++)
		if (f->v[i].has_sid && ae_sid_equal(&f->v[i].sid, &domain))
			return &f->v[i];
	return NULL;
}

const struct ae_ad_forest_domain *
ae_ad_forest_by_netbios(
    const struct ae_ad_forest *f, const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < f->n; i++)
		if (strlen(f->v[i].netbios) == len &&
		    strncasecmp(f->v[i].netbios, name, len) == 0)
			return &f->v[i];
	return NULL;
}

const struct ae_ad_forest_domain *
ae_ad_forest_by_host(const struct ae_ad_forest *f, const char *host)
{
	const struct ae_ad_forest_domain *best = NULL;
	size_t i, len, all = strlen(host);

	for (i = 0; i < f->n; i++) {
		len = strlen(f->v[i].dns);
		if (len + 1 < all && host[all - len - 1] == '.' &&
		    ae_str_eq_nocase(host + all - len, f->v[i].dns) &&
		    (best == NULL || strlen(best->dns) < len))
			best = &f->v[i];
	}
	return best;
}
