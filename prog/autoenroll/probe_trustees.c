/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Probe of the directory, continued: who has the rights on templates of our
 * kind that we lack, where that is a domain local group: of another domain it
 * does not come with us, of our own it may have us as somebody of another
 * forest.  Asked only then, a few groups at most.  Members of "ad":
 *
 *   "trustees": [ { "template", "sid", "name", "domain", "scope":
 *           "domain-local" | "global" | "universal", "member": bool, directly
 *           or by other groups; "foreign_member": bool, as a foreign security
 *           principal; "error": why it was not looked at } ]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ad/escape.h"
#include "ad/forest.h"
#include "ad/locate.h"
#include "base/str.h"
#include "diag/facts.h"
#include "probe_pki.h"
#include "sys/clock.h"

#define TRUSTEES_MAX 16u
#define DOMAINS_ASKED 2u
#define SECONDS 3u
#define OWN_RIDS 1000u
#define SCOPE_GLOBAL 0x2u /* MS-ADTS 2.2.12 */
#define SCOPE_LOCAL 0x4u
#define CHAIN ":1.2.840.113556.1.4.1941:" /* MS-ADTS 3.1.1.3.4.4.3 */

struct other {
	char dns[256];
	struct ae_ad *ad; /* NULL: it does not answer */
	struct ae_err why;
};

struct looking {
	struct ae_ad *ad;
	const struct ae_gss_cred *cred;
	const struct ae_principal *me;
	struct ae_ad_forest forest;
	bool has_forest;
	struct other others[DOMAINS_ASKED];
	size_t nothers;
	json_t *list;
};

static bool
grants(const struct ae_ace *a)
{
	return (a->type == AE_ACE_ALLOWED_OBJECT ||
		   a->type == AE_ACE_ALLOWED) &&
	    a->known && (a->flags & AE_ACE_INHERIT_ONLY) == 0 &&
	    (a->mask & AE_ACCESS_CONTROL) != 0 &&
	    (!a->has_object || ae_guid_equal(&a->object, &ae_right_enroll) ||
		ae_guid_equal(&a->object, &ae_right_autoenroll));
}

/*
 * S-1-5-21-…, and none of the groups that every domain has: but for a few,
 * which nobody puts there, they are global or universal (MS-DTYP 2.4.2.4).
 */
static bool
is_of_a_domain(const struct ae_sid *sid)
{
	return sid->authority == 5 && sid->nsubs == 5 && sid->sub[0] == 21 &&
	    sid->sub[4] >= OWN_RIDS;
}

/* All but the last part. */
static bool
same_domain(const struct ae_sid *a, const struct ae_sid *b)
{
	return a->nsubs == b->nsubs &&
	    memcmp(a->sub, b->sub, (a->nsubs - 1) * sizeof(a->sub[0])) == 0;
}

/* The connection to a DC of that domain; NULL with *e. */
static struct ae_ad *
connect_to(struct looking *l, const char *domain, struct ae_err *e)
{
	struct ae_ad_conf conf = { .cred = l->cred, .timeout = SECONDS };
	struct ae_ad_ping dc;
	struct other *o;
	size_t i;

	for (i = 0; i < l->nothers; i++)
		if (strcmp(l->others[i].dns, domain) == 0)
			break;
	if (i == DOMAINS_ASKED) {
		(void)ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
		    "too many other domains to ask");
		return NULL;
	}
	o = &l->others[i];
	if (i == l->nothers) {
		l->nothers++;
		(void)snprintf(o->dns, sizeof(o->dns), "%s", domain);
		conf.host = dc.host;
		if (ae_ad_locate(&dc, domain, NULL, NULL, ae_random_u64(),
			&o->why) != AE_OK ||
		    ae_ad_open(&o->ad, &conf, &o->why) != AE_OK)
			o->ad = NULL;
	}
	if (o->ad == NULL)
		*e = o->why;
	return o->ad;
}

/* Is there this object with this filter? */
static bool
fits(struct ae_ad *ad, const char *base, struct ae_wr *filter)
{
	static const char *const attrs[] = { "cn", NULL };
	struct ae_ad_query q = { .base = base,
		.scope = AE_AD_BASE,
		.filter = ae_wr_cstr(filter),
		.attrs = attrs,
		.max = 1 };
	struct ae_entries l = { 0 };
	bool yes;

	yes = q.filter != NULL && ae_ad_search(ad, &q, &l, NULL) == AE_OK &&
	    l.n == 1;
	ae_entries_done(&l);
	return yes;
}

static void
see_members(
    json_t *j, const struct looking *l, struct ae_ad *ad, const char *base)
{
	char sid[AE_SID_STR_MAX], dn[512];
	struct ae_wr w;

	ae_wr_init(&w, 8192);
	ae_wr_str(&w, "(member" CHAIN "=");
	ae_ad_put_filter_value(&w, l->me->dn, strlen(l->me->dn));
	ae_wr_str(&w, ")");
	(void)json_object_set_new(
	    j, "member", json_boolean(fits(ad, base, &w)));
	ae_wr_reset(&w);
	(void)snprintf(dn, sizeof(dn), "CN=%s,CN=ForeignSecurityPrincipals,%s",
	    ae_sid_print(sid, &l->me->sid), ae_ad_root(ad)->default_nc);
	ae_wr_str(&w, "(member=");
	ae_ad_put_filter_value(&w, dn, strlen(dn));
	ae_wr_str(&w, ")");
	(void)json_object_set_new(
	    j, "foreign_member", json_boolean(fits(ad, base, &w)));
	ae_wr_done(&w);
}

/* The group in its own domain.  False: it is none, or not to be seen. */
static bool
see_group(json_t *j, const struct looking *l, struct ae_ad *ad,
    const struct ae_sid *sid)
{
	static const char *const attrs[] = { "cn", "groupType", NULL };
	struct ae_entries found = { 0 };
	char base[AE_SID_STR_MAX + 8], text[AE_SID_STR_MAX];
	const char *cn = NULL;
	uint32_t type = 0;
	bool yes;

	(void)snprintf(base, sizeof(base), "<SID=%s>", ae_sid_print(text, sid));
	yes = ae_ad_read(ad, base, attrs, &found, NULL) == AE_OK &&
	    ae_entry_u32(&found.v[0], "groupType", &type, NULL) == AE_OK;
	if (yes) {
		if (ae_entry_str(&found.v[0], "cn", found.arena, &cn, NULL) ==
		    AE_OK)
			(void)json_object_set_new(j, "name", client_text(cn));
		(void)json_object_set_new(j, "scope",
		    json_string((type & SCOPE_LOCAL) != 0 ? "domain-local"
			    : (type & SCOPE_GLOBAL) != 0  ? "global"
							  : "universal"));
		see_members(j, l, ad, base);
	}
	ae_entries_done(&found);
	return yes;
}

static void
see_trustee(struct looking *l, const char *cn, const struct ae_sid *sid)
{
	const struct ae_ad_forest_domain *d;
	struct ae_err why = AE_ERR_INIT;
	char text[AE_SID_STR_MAX];
	json_t *j = json_pack("{s:s}", "sid", ae_sid_print(text, sid));
	struct ae_ad *ad = l->ad;
	bool own = same_domain(sid, &l->me->sid), seen = false;

	(void)json_object_set_new(j, "template", client_text(cn));
	if (!own) {
		if (!l->has_forest)
			l->has_forest =
			    ae_ad_forest(&l->forest, l->ad, &why) == AE_OK;
		d = l->has_forest ? ae_ad_forest_by_sid(&l->forest, sid) : NULL;
		ad = d == NULL ? NULL : connect_to(l, d->dns, &why);
		if (d != NULL)
			(void)json_object_set_new(
			    j, "domain", client_text(d->dns));
	}
	if (ad != NULL)
		seen = see_group(j, l, ad, sid);
	if (ad == NULL && why.rc != AE_OK)
		(void)json_object_set_new(j, "error", client_text(why.text));
	/* Our own domain's groups without us are nothing to tell. */
	if ((seen && (!own || ae_fact_yes(j, "foreign_member"))) ||
	    json_object_get(j, "error") != NULL)
		(void)json_array_append(l->list, j);
	json_decref(j);
}

static bool
is_listed(const json_t *list, const char *cn, const char *sid)
{
	const json_t *one;
	size_t i;

	json_array_foreach(list, i, one)
	{
		if (ae_fact_is(one, "sid", sid) &&
		    ae_fact_is(one, "template", cn))
			return true;
	}
	return false;
}

static void
see_template(struct looking *l, const struct ae_template *t,
    const struct ae_token *token)
{
	char text[AE_SID_STR_MAX];
	size_t i;

	for (i = 0; i < t->sd->dacl.n; i++) {
		const struct ae_ace *a = &t->sd->dacl.v[i];

		if (!grants(a) || !is_of_a_domain(&a->sid) ||
		    ae_token_has(token, &a->sid) ||
		    json_array_size(l->list) == TRUSTEES_MAX ||
		    is_listed(l->list, t->cn, ae_sid_print(text, &a->sid)))
			continue;
		see_trustee(l, t->cn, &a->sid);
	}
}

json_t *
probe_trustees(struct ae_ad *ad, const struct ae_gss_cred *cred,
    const struct ae_pki *pki, const struct ae_token *token,
    const struct ae_principal *me, const char *only, unsigned int *asked)
{
	struct looking l = {
		.ad = ad, .cred = cred, .me = me, .list = json_array()
	};
	size_t i;

	for (i = 0; i < pki->ntemplates; i++) {
		const struct ae_template *t = pki->templates[i];

		if (t->sd == NULL || !t->sd->has_dacl ||
		    ((t->flags & AE_CT_MACHINE_TYPE) != 0) != me->is_computer ||
		    (only != NULL && !ae_str_eq_nocase(only, t->cn)) ||
		    (ae_sd_can_enroll(t->sd, token) &&
			ae_sd_can_autoenroll(t->sd, token)))
			continue;
		see_template(&l, t, token);
	}
	for (i = 0; i < l.nothers; i++) {
		if (l.others[i].ad != NULL)
			*asked += ae_ad_sent(l.others[i].ad);
		ae_ad_free(l.others[i].ad);
	}
	return l.list;
}
