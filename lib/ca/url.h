/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The variables of the URLs that go into certificates, as a Windows CA has
 * them in CRLPublicationURLs and CACertPublicationURLs (MS-CSRA 3.1.1.8):
 *
 *	%1 host	%2 short host	%3 CA	%6 configuration	%7 CA, shortened
 *	%9 nothing in certificates	%10, %11 what LDAP asks of a CRL, of a
 *CA
 *
 * %4 and %8, which differ from one CA certificate to the next, are
 * cacerts.h's.  A variable before a hexadecimal digit is a percent-encoded
 * byte and stays; a space becomes one.
 */
#ifndef AE_CA_URL_H
#define AE_CA_URL_H

#include "base/err.h"
#include "base/str.h"

struct ae_ca_url_vars {
	const char *dns_name;  /* ca1.example.com */
	const char *ca_name;   /* sanitized */
	const char *ca_short;  /* sanitized and shortened */
	const char *config_dn; /* CN=Configuration,…; NULL: not known yet */
};

/*
 * Append url with its names in place, percent-encoded.  AE_EUNAVAIL: it
 * needs what is not known yet.
 */
int ae_ca_url_expand(struct ae_strv *out, const struct ae_ca_url_vars *v,
    const char *url, struct ae_err *e) AE_MUST_CHECK;

#endif
