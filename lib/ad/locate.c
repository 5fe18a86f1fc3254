/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * DNS service records and the choice of a DC; see locate.h.
 */
#include "ad/locate.h"

#include <arpa/nameser.h>
#include <errno.h>
#include <resolv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ad/escape.h"
#include "ad/ldap_int.h"
#include "ad/result.h"
#include "base/str.h"

#define ANSWER_MAX 65536u
#define PING_TIMEOUT 3u

static bool
get_record(struct ae_ad_srv *out, const ns_msg *m, const ns_rr *rr)
{
	const uint8_t *p = ns_rr_rdata(*rr);

	if (ns_rr_type(*rr) != ns_t_srv || ns_rr_class(*rr) != ns_c_in ||
	    ns_rr_rdlen(*rr) < 7)
		return false;
	out->priority = (uint16_t)ns_get16(p);
	out->weight = (uint16_t)ns_get16(p + 2);
	out->port = (uint16_t)ns_get16(p + 4);
	if (ns_name_uncompress(ns_msg_base(*m), ns_msg_end(*m), p + 6,
		out->host, sizeof(out->host)) < 0)
		return false;
	return out->port != 0 && ae_ad_dns_ok(out->host);
}

size_t
ae_ad_srv_decode(
    struct ae_ad_srv *out, size_t max, const void *answer, size_t len)
{
	size_t n = 0;
	ns_msg m;
	ns_rr rr;
	int i;

	if (len > INT32_MAX || ns_initparse(answer, (int)len, &m) != 0)
		return 0;
	for (i = 0; i < ns_msg_count(m, ns_s_an) && n < max; i++) {
		if (ns_parserr(&m, ns_s_an, i, &rr) != 0)
			break;
		if (get_record(&out[n], &m, &rr))
			n++;
	}
	return n;
}

/* splitmix64: spreading load needs no secrecy. */
static uint64_t
next_random(uint64_t *seed)
{
	uint64_t z = *seed += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

void
ae_ad_srv_order(struct ae_ad_srv *v, size_t n, uint64_t *seed)
{
	struct ae_ad_srv keep;
	uint64_t sum, pick;
	size_t i, j;
	uint16_t best;

	for (i = 0; i + 1 < n; i++) {
		best = v[i].priority;
		for (j = i + 1; j < n; j++)
			if (v[j].priority < best)
				best = v[j].priority;
		/* Weight 0 keeps a small chance: RFC 2782. */
		for (sum = 0, j = i; j < n; j++)
			if (v[j].priority == best)
				sum += (uint64_t)v[j].weight * 16 + 1;
		pick = next_random(seed) % sum;
		for (j = i;; j++) {
			if (v[j].priority != best)
				continue;
			if (pick < (uint64_t)v[j].weight * 16 + 1)
				break;
			pick -= (uint64_t)v[j].weight * 16 + 1;
		}
		keep = v[i];
		v[i] = v[j];
		v[j] = keep;
	}
}

int
ae_ad_srv_lookup(struct ae_ad_srv *out, size_t *n, const char *domain,
    const char *site, struct ae_err *e)
{
	struct __res_state res = { 0 };
	char name[NS_MAXDNAME];
	uint8_t *answer;
	int len;

	if (site != NULL && site[0] != '\0')
		len = snprintf(name, sizeof(name),
		    "_ldap._tcp.%s._sites.dc._msdcs.%s", site, domain);
	else
		len = snprintf(
		    name, sizeof(name), "_ldap._tcp.dc._msdcs.%s", domain);
	if (!ae_ad_dns_ok(domain) || len < 0 || (size_t)len >= sizeof(name))
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "the domain's name is not a DNS name");
	if (res_ninit(&res) != 0)
		return ae_fail(
		    e, AE_EIO, AE_DOM_NONE, 0, "the resolver does not start");
	answer = malloc(ANSWER_MAX);
	if (answer == NULL) {
		res_nclose(&res);
		return ae_fail_mem(e);
	}
	len =
	    res_nquery(&res, name, ns_c_in, ns_t_srv, answer, (int)ANSWER_MAX);
	*n = len > 0 ? ae_ad_srv_decode(out, AE_AD_DCS_MAX, answer,
			   (size_t)len < ANSWER_MAX ? (size_t)len : ANSWER_MAX)
		     : 0;
	free(answer);
	len = len < 0 ? res.res_h_errno : 0;
	res_nclose(&res);
	if (*n > 0)
		return AE_OK;
	/* 1 HOST_NOT_FOUND, 4 NO_DATA; <netdb.h> is not for this room. */
	return ae_fail(e,
	    len == 0 || len == 1 || len == 4 ? AE_ENOTFOUND : AE_EUNAVAIL,
	    AE_DOM_NONE, len, "DNS: no service records %s", name);
}

static int
ping_filter(struct ae_wr *w, const char *domain, struct ae_err *e)
{
	ae_wr_str(w, "(&(DnsDomain=");
	ae_ad_put_filter_value(w, domain, strlen(domain));
	/* NETLOGON_NT_VERSION_5 | _5EX, MS-ADTS 6.3.1.1 */
	ae_wr_str(w, ")(NtVer=\\06\\00\\00\\00))");
	return ae_wr_cstr(w) != NULL ? AE_OK : ae_fail_mem(e);
}

static int
ping(struct ae_ad_ping *out, struct ae_ad *ad, const char *filter,
    struct ae_err *e)
{
	char name[] = "netlogon", *attrs[] = { name, NULL };
	struct berval **vals = NULL;
	LDAPMessage *result = NULL, *m;
	int code, rc;

	code = ad->lib.ldap_search_ext_s(ad->ld, "", LDAP_SCOPE_BASE, filter,
	    attrs, 0, NULL, NULL, &ad->timeout, 1, &result);
	if (code != LDAP_SUCCESS)
		rc = ae_fail(e, ae_ad_result_rc(code), AE_DOM_LDAP, code, "%s",
		    ad->lib.ldap_err2string(code));
	else if ((m = ad->lib.ldap_first_entry(ad->ld, result)) == NULL ||
	    (vals = ad->lib.ldap_get_values_len(ad->ld, m, name)) == NULL ||
	    vals[0] == NULL)
		rc = ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
		    "no DC of this domain answers");
	else
		rc =
		    ae_ad_ping_decode(out, vals[0]->bv_val, vals[0]->bv_len, e);
	ad->lib.ldap_value_free_len(vals);
	(void)ad->lib.ldap_msgfree(result);
	return rc;
}

/* *open (NULL: not wanted) is the connection that was asked over. */
static int
ping_host(struct ae_ad_ping *out, struct ae_ad **open, const char *host,
    const char *domain, unsigned int timeout, struct ae_err *e)
{
	struct ae_ad *ad = NULL;
	struct ae_wr w;
	int rc;

	if (!ae_ad_dns_ok(host))
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0, "not a DNS name");
	ae_wr_init(&w, 4096);
	if ((rc = ping_filter(&w, domain, e)) == AE_OK &&
	    (rc = ae_ad_new(&ad, host, 0, timeout, e)) == AE_OK)
		rc = ping(out, ad, ae_wr_cstr(&w), e);
	ae_wr_done(&w);
	if (rc == AE_OK && open != NULL)
		*open = ad;
	else
		ae_ad_free(ad);
	return rc != AE_OK ? ae_note(e, rc, "LDAP ping to %s", host) : AE_OK;
}

int
ae_ad_ping(struct ae_ad_ping *out, const char *host, const char *domain,
    unsigned int timeout, struct ae_err *e)
{
	return ping_host(out, NULL, host, domain, timeout, e);
}

static bool
usable(const struct ae_ad_ping *p, const char *domain, const char *host)
{
	const uint32_t need = AE_AD_DS_LDAP | AE_AD_DS_KDC | AE_AD_DS_DS;

	/* Its own name must be the one that DNS gave: tickets are for that. */
	return (p->flags & need) == need &&
	    ae_str_eq_nocase(p->domain, domain) &&
	    ae_str_eq_nocase(p->host, host);
}

static void
drop(struct ae_ad **open)
{
	ae_ad_free(*open);
	*open = NULL;
}

/* The first of the list that answers as it should; avoid comes last. */
static int
first_alive(struct ae_ad_ping *out, struct ae_ad **open,
    const struct ae_ad_srv *v, size_t n, const char *domain, const char *avoid,
    struct ae_err *e)
{
	bool avoided;
	int round, rc;
	size_t i;

	for (round = 0; round < 2; round++)
		for (i = 0; i < n; i++) {
			avoided =
			    avoid != NULL && ae_str_eq_nocase(v[i].host, avoid);
			if (avoided != (round == 1))
				continue;
			rc = ping_host(
			    out, open, v[i].host, domain, PING_TIMEOUT, e);
			if (rc != AE_OK)
				continue;
			if (usable(out, domain, v[i].host))
				return AE_OK;
			drop(open);
			(void)ae_fail(e, AE_EUNAVAIL, AE_DOM_NONE, out->flags,
			    "%s is no usable DC of %s (flags 0x%x)", v[i].host,
			    domain, out->flags);
		}
	/* Whatever the last of them answered: there is no DC for us now. */
	if (e != NULL)
		e->rc = AE_EUNAVAIL;
	return AE_EUNAVAIL;
}

/* *open (NULL on failure) is the connection over which it was asked. */
static int
find(struct ae_ad_ping *out, struct ae_ad **open, const char *domain,
    const char *site, const char *avoid, uint64_t seed, struct ae_err *e)
{
	struct ae_ad_ping near = { 0 };
	struct ae_ad *nearer = NULL;
	struct ae_ad_srv *v;
	size_t n = 0;
	int rc;

	*open = NULL;
	v = calloc(AE_AD_DCS_MAX, sizeof(*v));
	if (v == NULL)
		return ae_fail_mem(e);
	if (site != NULL && site[0] != '\0' &&
	    ae_ad_srv_lookup(v, &n, domain, site, e) == AE_OK) {
		ae_ad_srv_order(v, n, &seed);
		if (first_alive(out, open, v, n, domain, avoid, e) == AE_OK) {
			if (ae_str_eq_nocase(out->client_site, site))
				goto found;
			drop(open);
		}
	}
	if ((rc = ae_ad_srv_lookup(v, &n, domain, NULL, e)) != AE_OK)
		goto out;
	ae_ad_srv_order(v, n, &seed);
	if ((rc = first_alive(out, open, v, n, domain, avoid, e)) != AE_OK)
		goto out;
	/* It says where we are; one that is nearer may be alive too. */
	if ((out->flags & AE_AD_DS_CLOSEST) == 0 &&
	    out->client_site[0] != '\0' &&
	    ae_ad_srv_lookup(v, &n, domain, out->client_site, NULL) == AE_OK) {
		ae_ad_srv_order(v, n, &seed);
		if (first_alive(&near, &nearer, v, n, domain, avoid, NULL) ==
		    AE_OK) {
			drop(open);
			*open = nearer;
			*out = near;
		}
	}
found:
	rc = AE_OK;
out:
	free(v);
	return rc != AE_OK
	    ? ae_note(e, rc, "looking for a domain controller of %s", domain)
	    : AE_OK;
}

int
ae_ad_locate(struct ae_ad_ping *out, const char *domain, const char *site,
    const char *avoid, uint64_t seed, struct ae_err *e)
{
	struct ae_ad *open;
	int rc;

	rc = find(out, &open, domain, site, avoid, seed, e);
	ae_ad_free(open);
	return rc;
}

/* It is that DC, or the way to it, and not what we are or may. */
static bool
worth_another(int rc)
{
	return rc == AE_EUNAVAIL || rc == AE_ETIMEDOUT || rc == AE_EPROTO ||
	    rc == AE_EREMOTE;
}

int
ae_ad_locate_open(struct ae_ad **ad, struct ae_ad_ping *out, const char *domain,
    const struct ae_ad_conf *conf, uint64_t seed, struct ae_err *e)
{
	struct ae_ad_conf c = *conf;
	struct ae_ad_ping next;
	int rc;

	rc = find(out, &c.take_found, domain, NULL, NULL, seed, e);
	if (rc != AE_OK)
		return rc;
	c.host = out->host;
	rc = ae_ad_open(ad, &c, e);
	if (worth_another(rc) &&
	    find(&next, &c.take_found, domain, NULL, out->host, seed, NULL) ==
		AE_OK) {
		if (ae_str_eq_nocase(next.host, out->host)) {
			ae_ad_free(c.take_found);
		} else {
			*out = next;
			rc = ae_ad_open(ad, &c, e);
		}
	}
	return rc == AE_OK ? AE_OK : ae_note(e, rc, "%s", out->host);
}
