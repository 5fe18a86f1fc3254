/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Finding domain controllers as MS-ADTS 6.3.6 does: DNS service records,
 * first those of our site, and an LDAP ping to see which one lives and what
 * our site is.  The ping goes over TCP: what cannot answer there is of no
 * use to LDAP either.
 */
#ifndef AE_AD_LOCATE_H
#define AE_AD_LOCATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ad/ad.h"
#include "ad/ping.h"
#include "base/err.h"

#define AE_AD_DCS_MAX 64u

/* One service record, RFC 2782. */
struct ae_ad_srv {
	char host[AE_AD_NAME_MAX];
	uint16_t port, priority, weight;
};

/*
 * Records out of a DNS answer: only SRV records of class IN; host names that
 * are none, and "." (service not available), are passed over.  Pure.
 */
size_t ae_ad_srv_decode(
    struct ae_ad_srv *out, size_t max, const void *answer, size_t len);

/*
 * By ascending priority, inside a priority by weight, drawn with random
 * numbers from *seed (RFC 2782); the seed advances.  Pure.
 */
void ae_ad_srv_order(struct ae_ad_srv *v, size_t n, uint64_t *seed);

/*
 * _ldap._tcp.dc._msdcs.<domain>, or of one site when site is not NULL.
 * AE_ENOTFOUND: no such records; AE_EUNAVAIL: no DNS server answers.
 */
int ae_ad_srv_lookup(struct ae_ad_srv *out, size_t *n, const char *domain,
    const char *site, struct ae_err *e) AE_MUST_CHECK;

/* Ask one DC; timeout in seconds. */
int ae_ad_ping(struct ae_ad_ping *out, const char *host, const char *domain,
    unsigned int timeout, struct ae_err *e) AE_MUST_CHECK;

/*
 * The DC to use: site is what was found last time, or NULL.  The answer's
 * client_site is what to remember.  avoid (NULL: none) names a DC that just
 * failed; it is taken only when there is no other.
 */
int ae_ad_locate(struct ae_ad_ping *out, const char *domain, const char *site,
    const char *avoid, uint64_t seed, struct ae_err *e) AE_MUST_CHECK;

/*
 * Find a DC and connect to it, over the connection that answered: *out is
 * its answer, *ad is connected.  When the
 * first one cannot be talked to after all, one other is tried.  conf's host
 * is set here.
 */
int ae_ad_locate_open(struct ae_ad **ad, struct ae_ad_ping *out,
    const char *domain, const struct ae_ad_conf *conf, uint64_t seed,
    struct ae_err *e) AE_MUST_CHECK;

#endif
