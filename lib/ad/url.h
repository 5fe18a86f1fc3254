/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * LDAP URLs (RFC 4516) as certificates have them for what their issuer
 * publishes: one attribute of one object.
 */
#ifndef AE_AD_URL_H
#define AE_AD_URL_H

#include "base/err.h"

#define AE_AD_URL_MAX 2048u

struct ae_ad_url {
	char host[256]; /* "": of whoever reads it, his own directory */
	char dn[1024];
	char attr[64]; /* without its options, as ";binary" */
};

/*
 * "ldap://[host]/dn?attribute[?base[?filter]]".  AE_EPROTO for what is no such
 * URL, asks for more than one object, or must not be read without an
 * extension; the filter does not matter for one object and is passed over.
 */
int ae_ad_url_parse(
    struct ae_ad_url *out, const char *url, struct ae_err *e) AE_MUST_CHECK;

#endif
