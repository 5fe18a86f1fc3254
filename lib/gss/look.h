/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Looking at what Kerberos has on this machine, without using it: the entries
 * of a keytab and the default realm.  Keys themselves are never given out.
 */
#ifndef AE_GSS_LOOK_H
#define AE_GSS_LOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define AE_GSS_KEYS_MAX 1024u

struct ae_gss_key {
	char principal[320]; /* "PC1$@EXAMPLE.COM" */
	uint32_t kvno;
	int32_t enctype;     /* RFC 3961 number */
	char etype_name[40]; /* "aes256-cts-hmac-sha1-96" */
};

/*
 * The entries of a keytab file, in its order; free(*out).  AE_ENOTFOUND: no
 * such file or no entry; AE_EDENIED: not allowed to read it; AE_EPROTO: it is
 * no keytab; AE_ELIMIT: more entries than AE_GSS_KEYS_MAX.
 */
int ae_gss_keytab_list(struct ae_gss_key **out, size_t *n, const char *path,
    struct ae_err *e) AE_MUST_CHECK;

/* krb5.conf's default_realm.  False: there is none. */
bool ae_gss_default_realm(char *out, size_t len);

/*
 * Does the KDC know this account?  A ticket is asked for, and given up as soon
 * as a password would be needed: none is tried.  AE_ENOTFOUND: it does not;
 * AE_EUNAVAIL: it could not be asked.
 */
int ae_gss_account_known(const char *principal, struct ae_err *e) AE_MUST_CHECK;

#endif
