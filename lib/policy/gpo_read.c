/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Reading scopes of management and GPOs from the directory
 * (MS-GPOL 3.2.5.1.2 to .5).
 */
#include "policy/gpo.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ad/escape.h"
#include "base/str.h"

#define SOMS_MAX 128u
#define LINKS_MAX 4096u /* over all scopes */
#define FILTER_MAX (1024u * 1024u)
/* A filter of too many terms is refused by DCs; ask in portions. */
#define GPOS_PER_SEARCH 50u

static const char *const som_attrs[] = { "gPLink", "gPOptions", NULL };

static int
decode_som(struct ae_som *s, const struct ae_entries *l, struct ae_err *e)
{
	const char *links = NULL;
	uint32_t options = 0;
	int rc;

	rc = ae_entry_u32(&l->v[0], "gPOptions", &options, e);
	if (rc != AE_OK && rc != AE_ENOTFOUND)
		return rc;
	s->blocks = (options & 1) != 0;
	rc = ae_entry_str(&l->v[0], "gPLink", l->arena, &links, e);
	if (rc == AE_ENOTFOUND)
		return AE_OK;
	return rc != AE_OK ? rc : ae_gplink_parse(&s->links, links, e);
}

/* One scope; that it cannot be read ends everything (MS-GPOL 3.2.5.1.3). */
static int
add_som(struct ae_gpos *g, struct ae_ad *ad, enum ae_som_kind kind,
    bool loopback, const char *dn, struct ae_err *e)
{
	struct ae_entries l = { 0 };
	size_t i, links = 0;
	struct ae_som *s;
	int rc;

	if (g->nsoms == SOMS_MAX)
		return ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
		    "more than %u containers above %s", SOMS_MAX, dn);
	s = reallocarray(g->soms, g->nsoms + 1, sizeof(*s));
	if (s == NULL)
		return ae_fail_mem(e);
	g->soms = s;
	s = &g->soms[g->nsoms];
	memset(s, 0, sizeof(*s));
	s->kind = kind;
	s->loopback = loopback;
	if ((s->dn = strdup(dn)) == NULL)
		return ae_fail_mem(e);
	g->nsoms++;
	if ((rc = ae_ad_read(ad, dn, som_attrs, &l, e)) != AE_OK)
		return rc;
	rc = decode_som(s, &l, e);
	ae_entries_done(&l);
	for (i = 0; i < g->nsoms; i++)
		links += g->soms[i].links.n;
	if (rc == AE_OK && links > LINKS_MAX)
		rc = ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
		    "more than %u links to GPOs", LINKS_MAX);
	return rc != AE_OK ? ae_note(e, rc, "%s", dn) : AE_OK;
}

static int
read_soms(struct ae_gpos *g, struct ae_ad *ad, const char *dn, const char *site,
    bool loopback, struct ae_err *e)
{
	struct ae_wr w;
	const char *p;
	int rc = AE_OK;

	for (p = ae_ad_dn_parent(dn); p != NULL && rc == AE_OK;
	     p = ae_ad_dn_parent(p)) {
		if (strncasecmp(p, "OU=", 3) == 0) {
			rc = add_som(g, ad, AE_SOM_OU, loopback, p, e);
		} else if (strncasecmp(p, "DC=", 3) == 0) {
			rc = add_som(g, ad, AE_SOM_DOMAIN, loopback, p, e);
			break;
		}
	}
	if (rc != AE_OK || site == NULL || site[0] == '\0')
		return rc;
	ae_wr_init(&w, 4096);
	ae_wr_str(&w, "CN=");
	ae_ad_put_dn_value(&w, site);
	ae_wr_printf(&w, ",CN=Sites,%s", ae_ad_root(ad)->config_nc);
	if ((p = ae_wr_cstr(&w)) == NULL)
		rc = ae_fail_mem(e);
	else
		rc = add_som(g, ad, AE_SOM_SITE, loopback, p, e);
	ae_wr_done(&w);
	return rc;
}

static bool
asked_before(const struct ae_gpos *g, size_t som, size_t link)
{
	const char *dn = g->soms[som].links.v[link].dn;
	size_t i, j;

	for (i = 0; i <= som; i++)
		for (j = 0; j < (i == som ? link : g->soms[i].links.n); j++)
			if (ae_str_eq_nocase(g->soms[i].links.v[j].dn, dn))
				return true;
	return false;
}

static int
add_gpo(struct ae_gpos *g, const struct ae_entry *entry, struct ae_err *e)
{
	struct ae_err why = AE_ERR_INIT;
	struct ae_gpo_refused *r;
	struct ae_gpo **v;
	int rc;

	v = reallocarray(g->gpos, g->ngpos + 1, sizeof(*v));
	if (v == NULL)
		return ae_fail_mem(e);
	g->gpos = v;
	rc = ae_gpo_decode(&g->gpos[g->ngpos], entry, &why);
	if (rc == AE_OK) {
		g->ngpos++;
		return AE_OK;
	}
	if (rc == AE_ENOMEM)
		return ae_fail_mem(e);
	/* As if it had not been found: the choice says unreadable. */
	if (rc == AE_EDENIED)
		return AE_OK;
	r = reallocarray(g->refused, g->nrefused + 1, sizeof(*r));
	if (r == NULL)
		return ae_fail_mem(e);
	g->refused = r;
	r = &g->refused[g->nrefused++];
	r->dn = strdup(entry->dn);
	r->why = strdup(why.text);
	return r->dn != NULL && r->why != NULL ? AE_OK : ae_fail_mem(e);
}

static int
search(
    struct ae_gpos *g, struct ae_ad *ad, struct ae_wr *filter, struct ae_err *e)
{
	struct ae_ad_query q = { .scope = AE_AD_SUB, .attrs = ae_gpo_attrs };
	struct ae_entries l = { 0 };
	struct ae_wr base;
	size_t i;
	int rc;

	ae_wr_init(&base, FILTER_MAX);
	ae_wr_printf(
	    &base, "CN=Policies,CN=System,%s", ae_ad_root(ad)->default_nc);
	ae_wr_str(filter, ")");
	q.base = ae_wr_cstr(&base);
	q.filter = ae_wr_cstr(filter);
	rc = q.base != NULL && q.filter != NULL ? ae_ad_search(ad, &q, &l, e)
						: ae_fail_mem(e);
	for (i = 0; rc == AE_OK && i < l.n; i++)
		rc = add_gpo(g, &l.v[i], e);
	ae_entries_done(&l);
	ae_wr_done(&base);
	return rc;
}

/* GPOs of this domain; those of others stay unread and are shown so. */
static int
read_gpos(struct ae_gpos *g, struct ae_ad *ad, struct ae_err *e)
{
	struct ae_wr w;
	size_t i, j, n = 0, total = 0;
	const char *dn;
	int rc = AE_OK;

	ae_wr_init(&w, FILTER_MAX);
	for (i = 0; i < g->nsoms && rc == AE_OK; i++)
		for (j = 0; j < g->soms[i].links.n && rc == AE_OK; j++) {
			dn = g->soms[i].links.v[j].dn;
			if (asked_before(g, i, j))
				continue;
			if (++total > AE_GPO_MAX) {
				rc = ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
				    "more than %u GPOs", AE_GPO_MAX);
				break;
			}
			ae_wr_str(&w,
			    n == 0 ? "(|(distinguishedName="
				   : "(distinguishedName=");
			ae_ad_put_filter_value(&w, dn, strlen(dn));
			ae_wr_str(&w, ")");
			if (++n == GPOS_PER_SEARCH) {
				rc = search(g, ad, &w, e);
				ae_wr_reset(&w);
				n = 0;
			}
		}
	if (rc == AE_OK && n != 0)
		rc = search(g, ad, &w, e);
	ae_wr_done(&w);
	return rc;
}

int
ae_gpos_read(struct ae_gpos **out, struct ae_ad *ad,
    const struct ae_gpo_target *t, const struct ae_token *token,
    struct ae_err *e)
{
	struct ae_gpos *g = calloc(1, sizeof(*g));
	int rc = AE_OK;

	if (g == NULL)
		return ae_fail_mem(e);
	g->user = t->user;
	if (t->loopback != AE_LOOPBACK_REPLACE)
		rc = read_soms(g, ad, t->dn, t->site, false, e);
	if (rc == AE_OK && t->loopback != AE_LOOPBACK_OFF)
		rc = read_soms(g, ad, t->computer, t->site, true, e);
	if (rc == AE_OK)
		rc = read_gpos(g, ad, e);
	if (rc == AE_OK)
		rc = ae_gpo_select(g, token, e);
	if (rc != AE_OK) {
		ae_gpos_free(g);
		return ae_note(e, rc, "group policy");
	}
	*out = g;
	return AE_OK;
}
