/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Users and computers, found by SID and never by a name somebody claims,
 * and the groups AD counts them into.
 */
#ifndef AE_AD_PRINCIPAL_H
#define AE_AD_PRINCIPAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ad/ad.h"
#include "base/err.h"
#include "base/guid.h"
#include "base/sid.h"
#include "base/str.h"

#define AE_PRINCIPAL_HOSTS_MAX 64 /* more of them are left out */

/* userAccountControl: MS-ADTS 2.2.16 */
#define AE_UAC_DISABLED UINT32_C(0x00000002)
#define AE_UAC_SERVER_TRUST UINT32_C(0x00002000) /* a domain controller */

/* Absent attributes are NULL. */
struct ae_principal {
	char *dn;
	char *cn;
	char *sam_account_name;
	char *upn;	     /* userPrincipalName */
	char *dns_host_name; /* dNSHostName */
	char *mail;
	struct ae_strv hosts; /* of its service principal names, once each */
	char *domain_dns;     /* of the domain the object is in */
	char *domain_netbios; /* NULL: the directory did not say */
	bool is_computer;     /* objectClass computer */
	bool is_user;	      /* objectClass user, which computers are too */
	uint32_t account_control;
	struct ae_sid sid;
	struct ae_guid guid;
};

/*
 * The object whose objectSid this is, in the DC's domain.  AE_ENOTFOUND:
 * none; AE_EPROTO: what came back is another, or malformed.
 */
int ae_ad_principal(struct ae_principal **out, struct ae_ad *ad,
    const struct ae_sid *sid, struct ae_err *e) AE_MUST_CHECK;
/* The object whose DN is given; for setup and for our own account. */
int ae_ad_principal_dn(struct ae_principal **out, struct ae_ad *ad,
    const char *dn, struct ae_err *e) AE_MUST_CHECK;
/* The one account with that sAMAccountName in the DC's domain ("PC1$"). */
int ae_ad_principal_account(struct ae_principal **out, struct ae_ad *ad,
    const char *account, struct ae_err *e) AE_MUST_CHECK;
/* The one with that userPrincipalName. */
int ae_ad_principal_upn(struct ae_principal **out, struct ae_ad *ad,
    const char *upn, struct ae_err *e) AE_MUST_CHECK;
void ae_principal_free(struct ae_principal *p);

/*
 * The host of a service principal name, "HTTP/www.example.com:8443/x"; its
 * length, 0: it has none, or none that fits.
 */
size_t ae_spn_host(char *out, size_t size, const char *spn, size_t len);

/*
 * tokenGroups: every group the DC would put into a token, nested ones and
 * the primary group included, sorted; free(*out).
 */
int ae_ad_token_groups(struct ae_sid **out, size_t *n, struct ae_ad *ad,
    const char *dn, struct ae_err *e) AE_MUST_CHECK;

/*
 * How many objects other than the one with this SID bear the DNS name, as
 * dNSHostName or as host of a HOST/ service name.
 */
int ae_ad_dns_owners(unsigned int *out, struct ae_ad *ad, const char *dns,
    const struct ae_sid *except, struct ae_err *e) AE_MUST_CHECK;

/* The domain of the connection. */
struct ae_ad_domain {
	struct ae_sid sid;
	struct ae_guid guid;
	char dns[256];
	char netbios[64];
};
int ae_ad_domain(
    struct ae_ad_domain *out, struct ae_ad *ad, struct ae_err *e) AE_MUST_CHECK;

#endif
