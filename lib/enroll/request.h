/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The request for one template, as Windows' client words it: which form,
 * which attributes, which extensions (MS-WCCE 3.1.2.4.2).
 */
#ifndef AE_ENROLL_REQUEST_H
#define AE_ENROLL_REQUEST_H

#include <stddef.h>

#include "ad/template.h"
#include "base/err.h"
#include "base/str.h"
#include "base/wr.h"
#include "pki/cert.h"
#include "pki/key.h"

/* A subject that is supplied by hand; all empty when AD builds it. */
struct ae_wanted_names {
	const char *subject; /* "CN=www.example.com,O=Example", or NULL */
	struct ae_strv dns;
	struct ae_strv upn;
};

/* A certificate and its key, which signs the request besides the new key. */
struct ae_request_signer {
	const struct ae_cert *cert; /* NULL: nobody */
	const struct ae_key *key;
};

struct ae_request_input {
	const struct ae_template *tmpl;
	const struct ae_key *key;
	const char *machine; /* FQDN, for RequestClientInfo */
	const char *user;    /* "EXAMPLE\\PC1$" */
	const char *process; /* "autoenroll" */
	bool automatic;	     /* client id 6; otherwise 9, as certreq */
	struct ae_wanted_names names;
	/* The certificate this request renews; key may be the new one. */
	struct ae_request_signer old;
	/*
	 * An enrollment agent, when requester is set: who gets the certificate
	 * ("EXAMPLE\\alice").  Otherwise the registration authority whose
	 * signature the template asks for.
	 */
	struct ae_request_signer agent;
	const char *requester;
	/* DER EnvelopedData for the archive of keys, see pki/archive.h */
	struct ae_der archived_key;
};

/* The hash that requests for this template are signed with. */
enum ae_hash ae_enroll_request_hash(const struct ae_template *t);

/*
 * Append the DER request: PKCS#10 for schema version 1, CMC around it for 2
 * and up, and whenever it is more than a new request for oneself; a renewal
 * of schema version 1 is a CMS signed by the old key.  Hash and RSA padding
 * are the template's, but never SHA-1.  AE_EINVAL when a name cannot be
 * encoded or a certificate is not its key's.
 */

int ae_enroll_request_build(struct ae_wr *w, const struct ae_request_input *in,
    struct ae_err *e) AE_MUST_CHECK;

/*
 * Append the attribute string for pwszAttributes, UTF-8, LF-separated:
 * the template.  cdc and rmd are not sent: they would ask the CA to connect
 * to names of our choice.
 */
void ae_enroll_request_attributes(struct ae_wr *w, const struct ae_template *t);

#endif
