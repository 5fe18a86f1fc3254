/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What a credential is made of.  For lib/gss itself.
 */
#ifndef AE_GSS_CRED_INT_H
#define AE_GSS_CRED_INT_H

#include <gssapi/gssapi.h>
#include <krb5.h>
#include <sys/stat.h>

#include "base/str.h"
#include "gss/cred.h"
#include "gss/ctx.h"

/* What keeps krb5.conf in memory; also a context for questions about it. */
struct ae_gss_warm {
	krb5_context k;
};

/* A service whose ticket is in the cache, and when that ends. */
#define AE_GSS_SEEN 8
struct ae_gss_seen {
	char *service;
	int64_t until;
};
struct ae_gss_seen_list {
	struct ae_gss_seen v[AE_GSS_SEEN];
	size_t next;
};
void ae_gss_seen_forget(struct ae_gss_seen_list *l);

struct ae_gss_cred {
	bool service;
	struct ae_gss_service conf; /* service; a copy */
	struct ae_strv only;	    /* service: conf.spns, if any */
	struct stat seen;	    /* service: the keytab that was loaded */
	unsigned int generation;    /* service: of the in-memory keytab */
	gss_cred_id_t krb5;   /* one handle per mechanism: SPNEGO does not */
	gss_cred_id_t spnego; /* work with a krb5 credential */
	char *principal;      /* client */
	char *ccache;	      /* client; service: the replay cache */
	char *keytab;	      /* service, or client that can renew */
	int64_t expires;
	struct ae_gss_warm *warm;
	struct ae_gss_seen_list *seen_tickets; /* client */
};

/* The handle to give to the library for this mechanism. */
gss_cred_id_t ae_gss_cred_handle(
    const struct ae_gss_cred *c, enum ae_gss_mech mech);

/* The keys taken over from a service's keytab. */
struct ae_gss_keytab {
	krb5_context k;
	krb5_keytab kt; /* in memory; lives as long as somebody has it open */
};

/*
 * Copy the allowed keys of conf->keytab to the in-memory keytab of that name
 * ("MEMORY:x", unused so far).
 */
int ae_gss_keytab_load(struct ae_gss_keytab *out, const char *name,
    const struct ae_gss_service *conf, struct ae_err *e) AE_MUST_CHECK;
void ae_gss_keytab_done(struct ae_gss_keytab *t);

/* Read the keytab again when the file is another one by now. */
int ae_gss_cred_reload(struct ae_gss_cred *c, struct ae_err *e) AE_MUST_CHECK;

/*
 * A ticket-granting ticket for principal by keytab into ccache, unless one
 * that lasts until keep_until is there.  See ae_gss_cred_keytab.
 */
int ae_gss_tgt_obtain(const char *keytab, const char *principal,
    const char *ccache, int64_t keep_until, struct ae_err *e) AE_MUST_CHECK;

/*
 * A service whose host krb5.conf puts into another realm ([domain_realm]) is
 * asked for there; without such a line our own KDC is asked, which knows, or
 * refers to who does.  free(); NULL: out of memory.
 */
char *ae_gss_with_realm(const struct ae_gss_cred *c, const char *spn);

#endif
