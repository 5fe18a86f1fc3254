/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The forest's other domains: which of them holds an account, and one
 * connection to a DC of it, made when somebody from there asks.  What cannot
 * be reached is let be for a while, so that it does not hold up the others.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ad/ad.h"
#include "ad/escape.h"
#include "ad/forest.h"
#include "ad/locate.h"
#include "ad/principal.h"
#include "ad.h"
#include "base/str.h"
#include "sys/clock.h"

#define LDAP_TIMEOUT 5	/* seconds for one exchange */
#define AWAY_MS 30000	/* how long one that failed is not tried */
#define REREAD_MS 60000 /* the list, when somebody is of no domain in it */
#define ACCOUNT_SUBS 5	/* parts of S-1-5-21-x-y-z-rid behind the authority */

struct ad_forest {
	struct ae_ad_forest list;
	bool have;
	int64_t read;
	struct dc {
		struct ae_ad *ad;
		char host[256], site[256];
		int64_t away_until;
	} dc[AE_AD_DOMAINS_MAX]; /* of list.v[same] */
};

struct ad_forest *
ad_forest_new(void)
{
	return calloc(1, sizeof(struct ad_forest));
}

void
ad_forest_drop(struct ad_forest *f, const struct ae_ad *ad)
{
	size_t i;

	for (i = 0; i < AE_AD_DOMAINS_MAX; i++)
		if (f->dc[i].ad != NULL && (ad == NULL || f->dc[i].ad == ad)) {
			ae_ad_free(f->dc[i].ad);
			f->dc[i].ad = NULL;
		}
}

/* With the list, connections go: they are by place in it. */
static int
read_list(struct ad_forest *f, struct ae_ad *home, struct ae_err *e)
{
	int64_t now = ae_clock_mono_ms();
	int rc;

	if (f->have && now - f->read < REREAD_MS)
		return AE_OK;
	ad_forest_drop(f, NULL);
	memset(f, 0, sizeof(*f));
	f->read = now;
	rc = ae_ad_forest(&f->list, home, e);
	f->have = rc == AE_OK;
	return rc;
}

/* What DNS led to must be of the domain that was meant. */
static int
check(struct ae_ad_forest_domain *want, struct ae_ad *ad, struct ae_err *e)
{
	struct ae_ad_domain is;
	int rc = ae_ad_domain(&is, ad, e);

	if (rc < 0)
		return rc;
	if (!ae_str_eq_nocase(is.dns, want->dns) ||
	    (want->has_sid && !ae_sid_equal(&is.sid, &want->sid)))
		return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
		    "%s is a domain controller of %s, not of %s",
		    ae_ad_root(ad)->host, is.dns, want->dns);
	want->sid = is.sid;
	want->has_sid = true;
	return AE_OK;
}

static int
reach(struct ad_forest *f, size_t i, const struct ae_gss_cred *cred,
    struct ae_err *e)
{
	struct ae_ad_conf conf = { .cred = cred, .timeout = LDAP_TIMEOUT };
	struct dc *dc = &f->dc[i];
	struct ae_ad_ping ping;
	int rc;

	rc =
	    ae_ad_locate(&ping, f->list.v[i].dns, dc->site[0] ? dc->site : NULL,
		dc->host[0] ? dc->host : NULL, ae_random_u64(), e);
	if (rc < 0)
		return rc;
	(void)snprintf(dc->host, sizeof(dc->host), "%s", ping.host);
	(void)snprintf(dc->site, sizeof(dc->site), "%s", ping.client_site);
	conf.host = dc->host;
	rc = ae_ad_open(&dc->ad, &conf, e);
	if (rc == AE_OK && (rc = check(&f->list.v[i], dc->ad, e)) < 0)
		ad_forest_drop(f, dc->ad);
	return rc;
}

/* A connection to the i-th domain; AE_EUNAVAIL: not now. */
static int
connection(struct ae_ad **out, struct ad_forest *f, size_t i,
    struct ae_ad *home, const struct ae_gss_cred *cred, struct ae_err *e)
{
	struct dc *dc = &f->dc[i];
	const char *dns = f->list.v[i].dns;
	char own[256];
	int rc;

	if (ae_ad_dn_to_dns(own, sizeof(own), ae_ad_root(home)->default_nc) &&
	    ae_str_eq_nocase(own, dns)) {
		*out = home;
		return AE_OK;
	}
	*out = NULL; /* what fails from here is not home */
	if (dc->ad == NULL) {
		if (ae_clock_mono_ms() < dc->away_until)
			return ae_fail(e, AE_EUNAVAIL, AE_DOM_NONE, 0,
			    "domain %s did not answer a moment ago", dns);
		rc = reach(f, i, cred, e);
		if (rc < 0) {
			dc->away_until = ae_clock_mono_ms() + AWAY_MS;
			return ae_note(e, AE_EUNAVAIL,
			    "connecting to domain %s of the forest", dns);
		}
	}
	*out = dc->ad;
	return AE_OK;
}

/*
 * A domain that is trusted through others only: its SID is with its own
 * controllers.  AE_EUNAVAIL when one that may be it does not say.
 */
static int
learn(struct ad_forest *f, struct ae_ad *home, const struct ae_gss_cred *cred,
    struct ae_err *e)
{
	struct ae_ad *ad;
	size_t i;
	int rc = AE_OK, one;

	for (i = 0; i < f->list.n; i++) {
		if (f->list.v[i].has_sid)
			continue;
		one = connection(&ad, f, i, home, cred, e);
		if (one < 0)
			rc = one;
	}
	return rc;
}

int
ad_forest_by_sid(struct ae_ad **out, struct ad_forest *f, struct ae_ad *home,
    const struct ae_gss_cred *cred, const struct ae_sid *sid, struct ae_err *e)
{
	const struct ae_ad_forest_domain *d;
	int rc, learned = AE_OK;

	*out = home;
	if (sid->nsubs != ACCOUNT_SUBS || sid->sub[0] != 21)
		return AE_OK; /* of no domain */
	d = ae_ad_forest_by_sid(&f->list, sid);
	if (d == NULL && (rc = read_list(f, home, e)) < 0)
		return rc;
	if (d == NULL && (d = ae_ad_forest_by_sid(&f->list, sid)) == NULL) {
		learned = learn(f, home, cred, e);
		d = ae_ad_forest_by_sid(&f->list, sid);
	}
	if (d == NULL && learned < 0)
		*out = NULL;
	if (d == NULL)
		return learned;
	return connection(out, f, (size_t)(d - f->list.v), home, cred, e);
}

int
ad_forest_by_name(struct ae_ad **out, struct ad_forest *f, struct ae_ad *home,
    const struct ae_gss_cred *cred, const char *name, size_t len,
    struct ae_err *e)
{
	const struct ae_ad_forest_domain *d;
	int rc;

	*out = home;
	d = ae_ad_forest_by_netbios(&f->list, name, len);
	if (d == NULL && (rc = read_list(f, home, e)) < 0)
		return rc;
	if (d == NULL)
		d = ae_ad_forest_by_netbios(&f->list, name, len);
	if (d == NULL)
		return ae_fail(e, AE_ENOTFOUND, AE_DOM_NONE, 0,
		    "an account of no domain of this forest");
	return connection(out, f, (size_t)(d - f->list.v), home, cred, e);
}

int
ad_forest_by_host(struct ae_ad **out, struct ad_forest *f, struct ae_ad *home,
    const struct ae_gss_cred *cred, const char *host, struct ae_err *e)
{
	const struct ae_ad_forest_domain *d;
	int rc;

	*out = home;
	d = ae_ad_forest_by_host(&f->list, host);
	if (d == NULL && (rc = read_list(f, home, e)) < 0)
		return rc;
	if (d == NULL)
		d = ae_ad_forest_by_host(&f->list, host);
	return d == NULL
	    ? AE_OK
	    : connection(out, f, (size_t)(d - f->list.v), home, cred, e);
}
