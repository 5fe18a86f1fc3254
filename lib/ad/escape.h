/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Names inside LDAP filters and DNs.  Pure.
 */
#ifndef AE_AD_ESCAPE_H
#define AE_AD_ESCAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/wr.h"

/* A value inside a filter, RFC 4515: NUL ( ) * \ and non-ASCII as \xx. */
void ae_ad_put_filter_value(struct ae_wr *w, const void *p, size_t len);

/* An attribute value inside a DN, RFC 4514 section 2.4. */
void ae_ad_put_dn_value(struct ae_wr *w, const char *s);

/*
 * The DNS name a DN's DC= components spell: "DC=lab,DC=example" and
 * "CN=x,DC=lab,DC=example" give "lab.example".  False: none, malformed or
 * too long for out.
 */
bool ae_ad_dn_to_dns(char *out, size_t outlen, const char *dn);

/* What follows the first RDN; NULL: there is only one. */
const char *ae_ad_dn_parent(const char *dn);

/* A DNS name of letters, digits, - _ and dots, at most 253 characters. */
bool ae_ad_dns_ok(const char *name);

#endif
