/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Between the files of the process that speaks LDAP.
 */
#ifndef CERTSRVD_AD_H
#define CERTSRVD_AD_H

#include "base/err.h"
#include "base/sid.h"
#include "conf.h"
#include "crlseen.h"
#include "gss/cred.h"

struct ae_ad;
struct ae_arena;
struct ae_pki;
struct ae_rules_object;
struct ae_rules_question;
struct ad_forest;

/*
 * A connection to a DC of the domain that an account (by SID, or by the
 * NetBIOS name of its domain) or a host (by its DNS name) is of.  home is the
 * one to the CA's own domain, and the answer for what is of no domain.  The
 * connection stays the forest's.  AE_EUNAVAIL: that domain does not answer.
 */
struct ad_forest *ad_forest_new(void);
int ad_forest_by_sid(struct ae_ad **out, struct ad_forest *f,
    struct ae_ad *home, const struct ae_gss_cred *cred,
    const struct ae_sid *sid, struct ae_err *e) AE_MUST_CHECK;
int ad_forest_by_name(struct ae_ad **out, struct ad_forest *f,
    struct ae_ad *home, const struct ae_gss_cred *cred, const char *name,
    size_t len, struct ae_err *e) AE_MUST_CHECK;
int ad_forest_by_host(struct ae_ad **out, struct ad_forest *f,
    struct ae_ad *home, const struct ae_gss_cred *cred, const char *host,
    struct ae_err *e) AE_MUST_CHECK;
/* A connection that failed ends; NULL: all do. */
void ad_forest_drop(struct ad_forest *f, const struct ae_ad *ad);

/* The ways to the directory; at: the connection that was last used. */
struct ad_reach {
	struct ad_forest *forest;
	struct ae_ad *home, *at;
	const struct ae_gss_cred *cred;
};

/* The DC of the domain a DN is in; our own when that is not known. */
int ad_dc_of(struct ad_reach *d, const char *dn, struct ae_ad **at,
    struct ae_err *e) AE_MUST_CHECK;
/* Errors that say nothing of what was asked for but of the way to it. */
bool ad_is_away(int rc);

/*
 * The SIDs of the groups that issuance policies are linked to.  fn is told of
 * each that is not found: nobody is in it then; and with found, what a group
 * is that it should not be.  AE_EUNAVAIL and the like: its domain did not
 * answer, and it is worth another try.
 */
typedef void ad_link_fn(
    void *arg, const char *oid, const char *group, bool found, const char *why);
int ad_resolve_links(struct ad_reach *d, struct ae_pki *pki, ad_link_fn *fn,
    void *arg, struct ae_err *e) AE_MUST_CHECK;

/*
 * The object that the rules of a policy file ask about.  Without a place to
 * search it is looked for in the CA's own domain; the domain of such a place,
 * of the requester and of each group may be any of the forest.
 */
int ad_object(struct ad_reach *d, const struct ae_rules_question *q,
    const struct ae_sid *own, struct ae_rules_object *out, struct ae_arena *a,
    struct ae_err *e) AE_MUST_CHECK;

/*
 * Replace the base or delta CRL of this CA's object, of that key index, below
 * CN=CDP. AE_ENOTFOUND: certsrv setup has not made it; AE_EDENIED: the host's
 * account may not write it.  AE_ETRUST: the one that is there has a higher
 * number, and was given to newer->fn; with that NULL it is replaced anyhow.
 */
struct ad_newer {
	crlseen_fn *fn;
	void *arg;
};
int ad_write_crl(const struct conf *c, struct ae_ad *ad, unsigned key,
    bool delta, const void *der, size_t len, const struct ad_newer *newer,
    struct ae_err *e) AE_MUST_CHECK;

/* A certificate and whose it is: an account's, or a recovery agent's. */
struct ad_published {
	const char *kra; /* the CA's name; NULL: of the owner's object */
	struct ae_sid owner;
	const uint8_t *der;
	size_t len;
};

/*
 * Put it into userCertificate of its object, and take away what has ended
 * more than a day ago.  dn is the object, for whoever reads of a failure.
 */
int ad_publish_cert(struct ae_ad *ad, const struct ad_published *p, int64_t now,
    char *dn, size_t dn_len, struct ae_err *e) AE_MUST_CHECK;

#endif
