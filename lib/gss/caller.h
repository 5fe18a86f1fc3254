/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Who is calling: SIDs and names out of the verified PAC of the client's
 * ticket (MS-PAC, MS-KILE 3.4.5.3).  The only identity the CA knows.
 */
#ifndef AE_GSS_CALLER_H
#define AE_GSS_CALLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/rd.h"
#include "base/sid.h"
#include "base/wr.h"

struct ae_gss_ctx;

/* Where a SID of the caller came from; a SID may have several sources. */
#define AE_CALLER_FROM_USER 0x01     /* the account itself */
#define AE_CALLER_FROM_PRIMARY 0x02  /* PrimaryGroupId */
#define AE_CALLER_FROM_GROUPS 0x04   /* GroupIds */
#define AE_CALLER_FROM_EXTRA 0x08    /* ExtraSids: other domains, SIDHistory */
#define AE_CALLER_FROM_RESOURCE 0x10 /* ResourceGroupIds: domain-local */
#define AE_CALLER_FROM_WELL_KNOWN 0x20 /* ae_caller_add_well_known() */

/* Bounds; a PAC or an encoding over them is refused (AE_ELIMIT). */
#define AE_CALLER_SIDS_MAX 4096
#define AE_CALLER_NAME_MAX 1024 /* bytes of UTF-8 */
#define AE_CALLER_WIRE_MAX (512 * 1024)

struct ae_caller {
	struct ae_sid user;
	struct ae_sid domain_sid; /* user without its RID */

	/*
	 * Everything access is decided with: the user, enabled groups
	 * (SE_GROUP_ENABLED, not USE_FOR_DENY_ONLY) and well-known SIDs;
	 * sorted by ae_sid_compare, unique.  from[i] tells where sids[i]
	 * came from.
	 */
	struct ae_sid *sids;
	uint8_t *from;
	size_t nsids;

	char *account;	   /* sAMAccountName: "PC1$" */
	char *netbios;	   /* NetBIOS name of the domain: "EXAMPLE" */
	char *dns_domain;  /* "example.com": UPN_DNS_INFO, else the realm */
	char *realm;	   /* of the client principal: "EXAMPLE.COM" */
	char *upn;	   /* NULL when AD knows none (a made-up one is none) */
	char *principal;   /* "PC1$@EXAMPLE.COM" */
	uint32_t uac;	   /* UserAccountControl of KERB_VALIDATION_INFO:
			      SAMR bits (MS-SAMR 2.2.1.12), AE_CALLER_UAC_* */
	int64_t auth_time; /* when the client authenticated to the KDC */
	int64_t logon_time;
	bool delegated; /* a service acts for the client (S4U2proxy, MS-PAC
			   2.9): policy decides whether that is good enough */
};

#define AE_CALLER_UAC_DISABLED 0x00000001
#define AE_CALLER_UAC_NORMAL 0x00000010
#define AE_CALLER_UAC_WORKSTATION 0x00000080 /* a member computer */
#define AE_CALLER_UAC_SERVER 0x00000100	     /* a domain controller */

/*
 * The caller of a finished acceptor context (not of an imported one), with the
 * well-known SIDs of a network logon added.  AE_EAUTH: no PAC, one without
 * logon information, one whose signature did not verify, or one that
 * contradicts itself; AE_EPROTO, AE_ELIMIT: it does not decode.
 */
int ae_caller_get(struct ae_caller **out, struct ae_gss_ctx *ctx,
    struct ae_err *e) AE_MUST_CHECK;

/*
 * Who a client's own ticket says it is: the groups that services will see,
 * those of the moment the ticket-granting ticket was issued.  Asks the KDC
 * for a ticket to oneself; needs no keytab.  Without the well-known SIDs.
 * AE_EAUTH: no ticket, the KDC refused, or the ticket has no PAC;
 * AE_EUNAVAIL: no KDC answers.
 */
struct ae_gss_cred;
int ae_caller_own(struct ae_caller **out, const struct ae_gss_cred *c,
    struct ae_err *e) AE_MUST_CHECK;

/*
 * The SIDs that Windows adds to the token of every authenticated network
 * logon: Everyone S-1-1-0, NETWORK S-1-5-2, Authenticated Users S-1-5-11.
 * A directory view of a principal (tokenGroups) needs the same three.
 */
int ae_caller_add_well_known(
    struct ae_caller *c, struct ae_err *e) AE_MUST_CHECK;

/* Is sid one of the caller's? */
bool ae_caller_has(const struct ae_caller *c, const struct ae_sid *sid);

/*
 * The form that crosses process boundaries.  Decoding checks every bound and
 * the order of the SIDs; the same caller always has the same bytes.
 */
void ae_caller_encode(struct ae_wr *w, const struct ae_caller *c);
int ae_caller_decode(
    struct ae_caller **out, struct ae_rd *r, struct ae_err *e) AE_MUST_CHECK;

struct ae_caller *ae_caller_clone(const struct ae_caller *c); /* NULL: memory */
void ae_caller_free(struct ae_caller *c);

#endif
