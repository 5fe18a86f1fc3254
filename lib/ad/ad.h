/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * A connection to one domain controller: LDAP on 389 with SASL GSSAPI,
 * signed and sealed, or not at all.  Calls block for at most the timeout of
 * the connection; they are for the processes that have LDAP as their job.
 */
#ifndef AE_AD_AD_H
#define AE_AD_AD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ad/entry.h"
#include "ad/sd.h"
#include "base/err.h"
#include "gss/cred.h"

struct ae_ad;

/* What one search may bring, over all its pages. */
#define AE_AD_RESULT_MAX (64u * 1024u * 1024u)
#define AE_AD_ENTRIES_MAX 10000u /* MS-WCCE 3.2.2.1 sizeLimit */
#define AE_AD_PAGE 500

struct ae_ad_conf {
	/* The DC's full DNS name: the ticket is for ldap/<host>. */
	const char *host;
	uint16_t port; /* 0: 389 */
	/*
	 * Whom to connect as, borrowed for ae_ad_open; it touches no
	 * environment variable.  NULL: the process's default, that is
	 * KRB5CCNAME; set that once, at the start of a process, before its
	 * first call into Kerberos.
	 */
	const struct ae_gss_cred *cred;
	unsigned int timeout; /* seconds for each exchange; 0: 20 */
	/*
	 * What an earlier connection was asked (ae_ad_asked), or NULL: sent
	 * all at once when this one is sealed.  ae_ad_search then finds the
	 * answer to what it is to ask under way.  Anything else in there is
	 * ignored.
	 */
	const void *ahead;
	size_t ahead_len;
	/* For ae_ad_locate_open alone: it is taken, also when opening fails. */
	struct ae_ad *take_found;
};

/*
 * Load the LDAP library now rather than with the first connection: before a
 * sandbox, or while there is nothing else to do.  AE_EINTERNAL: it is not
 * installed.
 */
int ae_ad_ready(struct ae_err *e) AE_MUST_CHECK;

/*
 * Connect, bind, read the rootDSE.  AE_EUNAVAIL and AE_ETIMEDOUT: another DC
 * may do better; AE_EAUTH: no ticket, refused, or no sealing to be had;
 * AE_EPROTO: what answers is no domain controller.
 */
int ae_ad_open(struct ae_ad **out, const struct ae_ad_conf *conf,
    struct ae_err *e) AE_MUST_CHECK;
void ae_ad_free(struct ae_ad *ad);

/* What the rootDSE said when the connection was made. */
struct ae_ad_root {
	char *host; /* dnsHostName; what was connected to when absent */
	char *default_nc;
	char *config_nc;
	char *schema_nc;
	char *root_domain_nc;
	char *ds_service_name; /* nTDSDSA object of the DC */
	char *server_name;     /* its parent, in the DC's site */
	bool has_time;	       /* currentTime was said: */
	int64_t ahead_of_us;   /* the DC's clock less ours, seconds */
};
const struct ae_ad_root *ae_ad_root(const struct ae_ad *ad);

/* CN=Public Key Services,CN=Services,<configuration>; borrowed. */
const char *ae_ad_pks_dn(const struct ae_ad *ad);

enum ae_ad_scope { AE_AD_BASE, AE_AD_ONE, AE_AD_SUB };

struct ae_ad_query {
	const char *base; /* a DN, "<SID=S-1-…>" or "<GUID=…>"; "": rootDSE */
	enum ae_ad_scope scope;
	const char *filter;	  /* NULL: (objectClass=*) */
	const char *const *attrs; /* ends with NULL; NULL: all */
	size_t max; /* entries; 0: AE_AD_ENTRIES_MAX; more is AE_ELIMIT */
	bool fresh; /* as it is now: no answer that was asked for ahead */
};

/*
 * All pages, with values beyond the server's range limit fetched too.  With
 * nTSecurityDescriptor in attrs, owner, group and DACL are asked for (the
 * SACL needs a privilege).  Referrals are not followed.  No match is AE_OK
 * and n 0; a base that is not there is AE_ENOTFOUND.
 */
int ae_ad_search(struct ae_ad *ad, const struct ae_ad_query *q,
    struct ae_entries *out, struct ae_err *e) AE_MUST_CHECK;

/*
 * What this connection was asked first, as ae_ad_conf.ahead wants it;
 * borrowed, until the next call.
 */
const void *ae_ad_asked(const struct ae_ad *ad, size_t *len);

/* One object by DN, exactly one entry in *out; AE_ENOTFOUND: none. */
int ae_ad_read(struct ae_ad *ad, const char *dn, const char *const *attrs,
    struct ae_entries *out, struct ae_err *e) AE_MUST_CHECK;

/* The DC's highestCommittedUSN now: unchanged means nothing has changed. */
int ae_ad_usn(struct ae_ad *ad, uint64_t *usn, struct ae_err *e) AE_MUST_CHECK;

/* The DC's clock now, to the second: rootDSE currentTime. */
int ae_ad_time(struct ae_ad *ad, int64_t *now, struct ae_err *e) AE_MUST_CHECK;

/* Writes.  AE_EDENIED: not allowed; the rest as the directory says. */
int ae_ad_add(struct ae_ad *ad, const char *dn, const struct ae_attr *attrs,
    size_t n, struct ae_err *e) AE_MUST_CHECK;

enum ae_ad_change { AE_AD_ADD, AE_AD_DELETE, AE_AD_REPLACE };
struct ae_ad_mod {
	enum ae_ad_change change;
	struct ae_attr attr; /* DELETE or REPLACE without values: all */
};
int ae_ad_modify(struct ae_ad *ad, const char *dn, const struct ae_ad_mod *mods,
    size_t n, struct ae_err *e) AE_MUST_CHECK;
int ae_ad_delete(
    struct ae_ad *ad, const char *dn, struct ae_err *e) AE_MUST_CHECK;

/* Replace DACL, and owner and group where sd has them. */
int ae_ad_write_sd(struct ae_ad *ad, const char *dn, const struct ae_sd *sd,
    struct ae_err *e) AE_MUST_CHECK;

/*
 * How many requests went out on this connection until now, its bind's legs
 * and pages of long answers among them: for whoever measures.
 */
unsigned int ae_ad_sent(const struct ae_ad *ad);

/*
 * The HRESULT a Microsoft CA would make of the last failure on this
 * connection, MS-WCCE 3.2.2.1.7; 0 when none failed.
 */
uint32_t ae_ad_last_hresult(const struct ae_ad *ad);

#endif
