/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Kerberos credentials: a service's, from a keytab, and a client's, from a
 * credential cache or from a keytab.  Kerberos only: SPNEGO is restricted to
 * it, NTLM is never offered nor accepted.  krb5.conf is the process's own
 * (KRB5_CONFIG or /etc/krb5.conf).
 */
#ifndef AE_GSS_CRED_H
#define AE_GSS_CRED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct ae_gss_cred;

/* A service's credential. */
struct ae_gss_service {
	/* Path of the keytab; required. */
	const char *keytab;

	/*
	 * The keytab's entries to use, as names without a realm
	 * ("host/ca1.example.com"), compared without case as AD does.  NULL:
	 * all of the service classes host, rpc, rpcss and RestrictedKrbHost.
	 *
	 * Tickets that another key opens are refused.  The name in a ticket
	 * is not looked at: it stands outside the encryption, AD opens all
	 * names of an account with one key, and clients ask for names that
	 * AD knows as aliases (RPCSS/host) and the keytab does not list.
	 */
	const char *const *spns;
	size_t nspns;

	/*
	 * Replay cache, in krb5's own spelling ("dfl:", "none:",
	 * "file2:/run/certsrv/rcache").  NULL is "none:", which is safe here
	 * because only three-leg DCE-style exchanges are accepted: a replayed
	 * AP-REQ is answered but its sender cannot make the third leg.
	 */
	const char *rcache;

	/*
	 * Accept RC4 too.  Otherwise only the keytab's AES keys are used, so
	 * that an RC4 ticket cannot be read, and message keys are AES.
	 */
	bool allow_rc4;
};

/*
 * Reads the keytab.  AE_ENOTFOUND: no such file or nothing usable in it;
 * AE_EIO: it cannot be read.
 */
int ae_gss_cred_service(struct ae_gss_cred **out,
    const struct ae_gss_service *conf, struct ae_err *e) AE_MUST_CHECK;

/*
 * A client's credential from an existing cache ("FILE:/x", "MEMORY:y"; NULL:
 * the process's default).  AE_EAUTH when it holds no ticket-granting ticket
 * or only an expired one.
 */
int ae_gss_cred_ccache(struct ae_gss_cred **out, const char *ccache,
    struct ae_err *e) AE_MUST_CHECK;

/*
 * Copy the tickets of a cache ("KEYRING:x", "KCM:1000", …; NULL: the
 * process's default) to the file path, mode 0600, renamed over the old one.
 * A copy of the same ticket-granting ticket stays as it is, and with it the
 * tickets that were added to it since.
 */
int ae_gss_ccache_copy(
    const char *path, const char *ccache, struct ae_err *e) AE_MUST_CHECK;

/*
 * A client's credential from its keytab: asks the KDC for a ticket-granting
 * ticket for principal ("PC1$", "PC1$@REALM") and puts it into ccache, which
 * is FILE:path (written beside and renamed over, mode 0600, so that other
 * processes read the old one or the new one) or MEMORY:name.  A ticket for
 * that principal which is in the cache and good for ten more minutes is used
 * as it is.  AE_EAUTH: the KDC refused; AE_EUNAVAIL: no KDC answered.
 */
int ae_gss_cred_keytab(struct ae_gss_cred **out, const char *keytab,
    const char *principal, const char *ccache, struct ae_err *e) AE_MUST_CHECK;

/*
 * For a client credential that came from a keytab: renews the ticket when
 * less than ten minutes of it are left, otherwise does nothing.  Others:
 * AE_EAUTH when it has expired.  A service's keytab is read again when the
 * file has changed (ae_gss_ctx_accept does that by itself).  On failure the
 * credential is as it was.  Contexts made earlier are not affected.
 */
int ae_gss_cred_refresh(struct ae_gss_cred *c, struct ae_err *e) AE_MUST_CHECK;

/*
 * Have a ticket for the service ("host/ca1.example.com") in the client's
 * cache, asking the KDC when there is none.  ae_gss_step does it by itself;
 * on its own it tells the KDC's refusal from the server's, and its time.
 * One that was seen there before and has not ended is not looked for again.
 * AE_EAUTH, AE_EUNAVAIL as for ae_gss_cred_keytab.
 */
int ae_gss_cred_ticket(const struct ae_gss_cred *c, const char *service,
    struct ae_err *e) AE_MUST_CHECK;

/*
 * Whose credential: "PC1$@EXAMPLE.COM"; NULL for a service.  Borrowed.
 */
const char *ae_gss_cred_principal(const struct ae_gss_cred *c);

/*
 * What libraries of this thread find that ask for no credential in
 * particular, SASL inside LDAP among them: this client credential, or with
 * NULL what the process's environment says.  No environment is touched, so
 * nothing races.  The credential must stay until it is set back.
 */
int ae_gss_cred_default(
    const struct ae_gss_cred *c, struct ae_err *e) AE_MUST_CHECK;

/* When the ticket-granting ticket ends; INT64_MAX for a service. */
int64_t ae_gss_cred_expires(const struct ae_gss_cred *c);

/* NULL is fine.  Contexts may outlive the credential they were made with. */
void ae_gss_cred_free(struct ae_gss_cred *c);

#endif
