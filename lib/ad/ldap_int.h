/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The inside of a connection, shared by the files that talk to libldap.
 */
#ifndef AE_AD_LDAP_INT_H
#define AE_AD_LDAP_INT_H

#include <sys/time.h>

#include "ad/ad.h"
#include "ad/libldap.h"
#include "base/wr.h"

#define AE_AD_OID_SD_FLAGS "1.2.840.113556.1.4.801"

struct ae_ad {
	struct ae_ad_lib lib;
	LDAP *ld;
	char *host;
	char *pks_dn;
	struct ae_ad_root root;
	struct timeval timeout;
	struct ldap_conncb connected; /* libldap keeps a pointer to it */
	uint32_t hresult;	      /* of the last failure */
	bool lost;		      /* see ae_ad_is_up */
	struct ae_ad_ahead *ahead;    /* asked, and not yet wanted */
	struct ae_wr asked;	      /* the first ones, for ae_ad_asked */
	size_t nasked;
	int sent; /* the last message's number; libldap counts from 1 */
};

/* A connection in the making: the first question makes it. */
int ae_ad_new(struct ae_ad **out, const char *host, uint16_t port,
    unsigned int timeout, struct ae_err *e);

/* Record what the server said about result code and return ours. */
int ae_ad_fail(struct ae_ad *ad, int code, struct ae_err *e, const char *fmt,
    ...) AE_PRINTF(4, 5);

/*
 * An LDAP_SERVER_SD_FLAGS control (MS-ADTS 3.1.1.3.4.1.11) for owner, group
 * and DACL as flags say; ldap_control_free it.
 */
int ae_ad_sd_flags(
    struct ae_ad *ad, LDAPControl **out, int flags, struct ae_err *e);

/*
 * libldap would connect again by itself, to whoever answers there, without
 * bind or seal: a connection that was lost is not used any more.
 */
int ae_ad_is_up(const struct ae_ad *ad, struct ae_err *e) AE_MUST_CHECK;

/* Send a search, or its next page: cookie NULL is the first. */
int ae_ad_search_send(struct ae_ad *ad, const struct ae_ad_query *q,
    struct berval *cookie, int *id, struct ae_err *e);

/*
 * ahead.c: ask what is in the list; the message of one that was asked, which
 * is the caller's then, or -1; remember a question; forget what was asked,
 * for it may be different now.
 */
void ae_ad_ahead_start(struct ae_ad *ad, const void *list, size_t len);
int ae_ad_ahead_take(struct ae_ad *ad, const struct ae_ad_query *q);
void ae_ad_ahead_note(struct ae_ad *ad, const struct ae_ad_query *q);
void ae_ad_ahead_done(struct ae_ad *ad);

#endif
