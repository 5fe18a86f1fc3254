/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Sites, links, costs; see sites.h.
 */
#include "ad/sites.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "base/wr.h"
#include "sys/address.h"

#define ARENA_MAX (32u * 1024u * 1024u)
#define IP_TRANSPORT "CN=IP,CN=Inter-Site Transports,"
#define BRIDGES_REQUIRED UINT32_C(2) /* NTDSTRANSPORT_OPT_BRIDGES_REQUIRED */
#define COST_DEFAULT 100	     /* of a link that says none */

struct site {
	const char *dn, *name;
};

struct link {
	const char *dn;
	uint32_t cost;
	size_t *sites;
	size_t n;
};

struct bridge {
	size_t *links;
	size_t n;
};

struct subnet {
	struct ae_address prefix;
	unsigned bits;
	size_t site;
};

struct ae_ad_sites {
	struct ae_arena *arena;
	struct site *sites;
	struct link *links;
	struct bridge *bridges;
	struct subnet *subnets;
	size_t nsites, nlinks, nbridges, nsubnets;
	bool bridged; /* ways lead along the links of one bridge alone */
};

static bool
is_a(const struct ae_entry *entry, const char *class)
{
	const struct ae_attr *a = ae_entry_get(entry, "objectClass");
	size_t i;

	for (i = 0; a != NULL && i < a->n; i++)
		if (a->v[i].len == strlen(class) &&
		    strncasecmp((const char *)a->v[i].p, class, a->v[i].len) ==
			0)
			return true;
	return false;
}

/* "CN=x,CN=IP,CN=Inter-Site Transports,…", not one of SMTP. */
static bool
is_ip(const char *dn)
{
	const char *up = strchr(dn, ',');

	return up != NULL &&
	    strncasecmp(up + 1, IP_TRANSPORT, strlen(IP_TRANSPORT)) == 0;
}

static size_t
site_by_dn(const struct ae_ad_sites *s, const char *dn)
{
	size_t i;

	for (i = 0; i < s->nsites; i++)
		if (ae_str_eq_nocase(s->sites[i].dn, dn))
			return i;
	return AE_AD_SITE_NONE;
}

static size_t
link_by_dn(const struct ae_ad_sites *s, const char *dn)
{
	size_t i;

	for (i = 0; i < s->nlinks; i++)
		if (ae_str_eq_nocase(s->links[i].dn, dn))
			return i;
	return AE_AD_SITE_NONE;
}

/* The DNs of an attribute, found among what is known. */
static int
members(size_t **out, size_t *n, const struct ae_ad_sites *s,
    const struct ae_entry *entry, const char *name,
    size_t (*find)(const struct ae_ad_sites *, const char *), struct ae_err *e)
{
	const struct ae_attr *a = ae_entry_get(entry, name);
	size_t i, found;
	char *dn;

	*n = 0;
	*out = ae_arena_array(s->arena, a == NULL ? 1 : a->n, sizeof(**out));
	if (*out == NULL)
		return ae_fail_mem(e);
	for (i = 0; a != NULL && i < a->n; i++) {
		dn = ae_arena_strndup(
		    s->arena, (const char *)a->v[i].p, a->v[i].len);
		if (dn == NULL)
			return ae_fail_mem(e);
		found = find(s, dn);
		if (found != AE_AD_SITE_NONE)
			(*out)[(*n)++] = found;
	}
	return AE_OK;
}

static int
take_site(struct ae_ad_sites *s, const struct ae_entry *entry, struct ae_err *e)
{
	struct site *to = &s->sites[s->nsites];
	const char *name = NULL;
	int rc = ae_entry_str(entry, "cn", s->arena, &name, NULL);

	if (rc == AE_ENOMEM)
		return ae_fail_mem(e);
	if (rc != AE_OK || name[0] == '\0')
		return AE_OK;
	to->name = name;
	to->dn = ae_arena_strdup(s->arena, entry->dn);
	if (to->dn == NULL)
		return ae_fail_mem(e);
	s->nsites++;
	return AE_OK;
}

static int
take_link(struct ae_ad_sites *s, const struct ae_entry *entry, struct ae_err *e)
{
	struct link *to = &s->links[s->nlinks];
	int rc;

	to->cost = COST_DEFAULT;
	rc = ae_entry_u32(entry, "cost", &to->cost, NULL);
	if ((rc != AE_OK && rc != AE_ENOTFOUND) || to->cost == 0 ||
	    to->cost > INT32_MAX)
		return AE_OK; /* a cost is positive */
	to->dn = ae_arena_strdup(s->arena, entry->dn);
	if (to->dn == NULL)
		return ae_fail_mem(e);
	rc = members(&to->sites, &to->n, s, entry, "siteList", site_by_dn, e);
	if (rc == AE_OK)
		s->nlinks++;
	return rc;
}

static int
take_bridge(
    struct ae_ad_sites *s, const struct ae_entry *entry, struct ae_err *e)
{
	struct bridge *to = &s->bridges[s->nbridges];
	int rc = members(
	    &to->links, &to->n, s, entry, "siteLinkList", link_by_dn, e);

	if (rc == AE_OK)
		s->nbridges++;
	return rc;
}

/* "192.0.2.0/24", "2001:db8::/32", MS-ADTS 6.1.1.2.2.2.1 */
static bool
parse_subnet(struct subnet *out, const char *name)
{
	const char *slash = strchr(name, '/');
	char text[64], *end;
	unsigned long bits;

	if (slash == NULL || slash[1] < '0' || slash[1] > '9' ||
	    (size_t)(slash - name) >= sizeof(text))
		return false;
	memcpy(text, name, (size_t)(slash - name));
	text[slash - name] = '\0';
	out->prefix = ae_address_parse(text);
	bits = strtoul(slash + 1, &end, 10);
	out->bits = (unsigned)bits;
	return out->prefix.len > 0 && *end == '\0' &&
	    bits <= out->prefix.len * 8;
}

static int
take_subnet(
    struct ae_ad_sites *s, const struct ae_entry *entry, struct ae_err *e)
{
	struct subnet *to = &s->subnets[s->nsubnets];
	const char *name = NULL, *site = NULL;
	int rc = ae_entry_str(entry, "cn", s->arena, &name, NULL);

	if (rc == AE_OK)
		rc = ae_entry_str(entry, "siteObject", s->arena, &site, NULL);
	if (rc == AE_ENOMEM)
		return ae_fail_mem(e);
	if (rc != AE_OK || !parse_subnet(to, name))
		return AE_OK; /* of no site, or no subnet */
	to->site = site_by_dn(s, site);
	s->nsubnets += to->site != AE_AD_SITE_NONE;
	return AE_OK;
}

typedef int take_fn(
    struct ae_ad_sites *s, const struct ae_entry *entry, struct ae_err *e);

/* Each refers to those before it. */
static const struct {
	const char *class;
	bool of_ip;
	take_fn *take;
} kinds[] = {
	{ "site", false, take_site },
	{ "siteLink", true, take_link },
	{ "siteLinkBridge", true, take_bridge },
	{ "subnet", false, take_subnet },
};

static int
decode(struct ae_ad_sites *s, const struct ae_entries *l, struct ae_err *e)
{
	uint32_t options;
	size_t i, k;
	int rc = AE_OK;

	s->sites = ae_arena_array(s->arena, l->n + 1, sizeof(*s->sites));
	s->links = ae_arena_array(s->arena, l->n + 1, sizeof(*s->links));
	s->bridges = ae_arena_array(s->arena, l->n + 1, sizeof(*s->bridges));
	s->subnets = ae_arena_array(s->arena, l->n + 1, sizeof(*s->subnets));
	if (s->sites == NULL || s->links == NULL || s->bridges == NULL ||
	    s->subnets == NULL)
		return ae_fail_mem(e);
	for (k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++)
		for (i = 0; i < l->n && rc == AE_OK; i++)
			if (is_a(&l->v[i], kinds[k].class) &&
			    (!kinds[k].of_ip || is_ip(l->v[i].dn)))
				rc = kinds[k].take(s, &l->v[i], e);
	for (i = 0; i < l->n; i++)
		if (is_a(&l->v[i], "interSiteTransport") &&
		    strncasecmp(
			l->v[i].dn, IP_TRANSPORT, strlen(IP_TRANSPORT)) == 0 &&
		    ae_entry_u32(&l->v[i], "options", &options, NULL) == AE_OK)
			s->bridged = (options & BRIDGES_REQUIRED) != 0;
	return rc;
}

int
ae_ad_sites_decode(
    struct ae_ad_sites **out, const struct ae_entries *l, struct ae_err *e)
{
	struct ae_ad_sites *s = calloc(1, sizeof(*s));
	int rc;

	if (s == NULL)
		return ae_fail_mem(e);
	s->arena = ae_arena_new(ARENA_MAX);
	rc = s->arena == NULL ? ae_fail_mem(e) : decode(s, l, e);
	if (rc != AE_OK) {
		ae_ad_sites_free(s);
		return rc;
	}
	*out = s;
	return AE_OK;
}

int
ae_ad_sites_read(
    struct ae_ad_sites **out, struct ae_ad *ad, bool subnets, struct ae_err *e)
{
	static const char *const attrs[] = { "objectClass", "cn", "cost",
		"siteList", "siteLinkList", "options", "siteObject", NULL };
	struct ae_ad_query q = { .scope = AE_AD_SUB, .attrs = attrs };
	struct ae_entries l = { 0 };
	struct ae_wr base;
	int rc;

	q.filter = subnets
	    ? "(|(objectClass=site)(objectClass=siteLink)(objectClass="
	      "siteLinkBridge)(objectClass=interSiteTransport)(objectClass="
	      "subnet))"
	    : "(|(objectClass=site)(objectClass=siteLink)(objectClass="
	      "siteLinkBridge)(objectClass=interSiteTransport))";
	ae_wr_init(&base, 4096);
	ae_wr_printf(&base, "CN=Sites,%s", ae_ad_root(ad)->config_nc);
	q.base = ae_wr_cstr(&base);
	rc = q.base != NULL ? ae_ad_search(ad, &q, &l, e) : ae_fail_mem(e);
	if (rc == AE_OK)
		rc = ae_ad_sites_decode(out, &l, e);
	ae_entries_done(&l);
	ae_wr_done(&base);
	return rc == AE_OK ? AE_OK : ae_note(e, rc, "reading sites");
}

void
ae_ad_sites_free(struct ae_ad_sites *s)
{
	if (s == NULL)
		return;
	ae_arena_free(s->arena);
	free(s);
}

size_t
ae_ad_sites_n(const struct ae_ad_sites *s)
{
	return s->nsites;
}

const char *
ae_ad_site_name(const struct ae_ad_sites *s, size_t site)
{
	return site < s->nsites ? s->sites[site].name : NULL;
}

size_t
ae_ad_site_find(const struct ae_ad_sites *s, const char *name)
{
	size_t i;

	for (i = 0; name != NULL && i < s->nsites; i++)
		if (ae_str_eq_nocase(s->sites[i].name, name))
			return i;
	return AE_AD_SITE_NONE;
}

static bool
is_in(const struct subnet *net, const uint8_t *address)
{
	unsigned whole = net->bits / 8, rest = net->bits % 8;
	uint8_t mask = (uint8_t)(0xff00u >> rest);

	return memcmp(net->prefix.p, address, whole) == 0 &&
	    (rest == 0 ||
		((net->prefix.p[whole] ^ address[whole]) & mask) == 0);
}

size_t
ae_ad_site_of_address(
    const struct ae_ad_sites *s, const uint8_t *address, size_t len)
{
	const struct subnet *best = NULL;
	size_t i;

	for (i = 0; i < s->nsubnets; i++)
		if (s->subnets[i].prefix.len == len &&
		    is_in(&s->subnets[i], address) &&
		    (best == NULL || s->subnets[i].bits > best->bits))
			best = &s->subnets[i];
	return best == NULL ? AE_AD_SITE_NONE : best->site;
}

/* Every site of a link is as far as the nearest of them, and its cost. */
static bool
relax(uint32_t *dist, const uint32_t *from, const struct link *l)
{
	uint64_t near = AE_AD_COST_NONE, far;
	bool changed = false;
	size_t i;

	for (i = 0; i < l->n; i++)
		if (from[l->sites[i]] < near)
			near = from[l->sites[i]];
	far = near + l->cost;
	if (far >= AE_AD_COST_NONE) /* beyond all measure is no way, too */
		return false;
	for (i = 0; i < l->n; i++)
		if (dist[l->sites[i]] > far) {
			dist[l->sites[i]] = (uint32_t)far;
			changed = true;
		}
	return changed;
}

static void
start(uint32_t *dist, const struct ae_ad_sites *s, size_t from)
{
	size_t i;

	for (i = 0; i < s->nsites; i++)
		dist[i] = i == from ? 0 : AE_AD_COST_NONE;
}

/* All ways, along every link or those of one bridge. */
static void
walk(uint32_t *dist, const struct ae_ad_sites *s, const struct bridge *b)
{
	size_t n = b == NULL ? s->nlinks : b->n, i, round;
	bool changed = true;

	/* No way needs more links than there are sites. */
	for (round = 0; changed && round <= s->nsites; round++)
		for (changed = false, i = 0; i < n; i++)
			changed |= relax(
			    dist, dist, &s->links[b == NULL ? i : b->links[i]]);
}

int
ae_ad_sites_costs(
    uint32_t *costs, const struct ae_ad_sites *s, size_t from, struct ae_err *e)
{
	uint32_t *one = NULL;
	size_t i, k;

	start(costs, s, from);
	if (!s->bridged) {
		walk(costs, s, NULL);
		return AE_OK;
	}
	one = calloc(s->nsites + 1, sizeof(*one));
	if (one == NULL)
		return ae_fail_mem(e);
	start(one, s, from);
	for (i = 0; i < s->nlinks; i++) /* one link alone, no further */
		(void)relax(costs, one, &s->links[i]);
	for (k = 0; k < s->nbridges; k++) {
		start(one, s, from);
		walk(one, s, &s->bridges[k]);
		for (i = 0; i < s->nsites; i++)
			if (one[i] < costs[i])
				costs[i] = one[i];
	}
	free(one);
	return AE_OK;
}
