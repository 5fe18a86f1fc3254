/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * A command's connection to the directory, and this CA's enrollment service
 * object in it.
 */
#ifndef CERTSRV_SESSION_H
#define CERTSRV_SESSION_H

#include "ad/ad.h"
#include "ad/pki.h"
#include "cli.h"

struct session {
	struct ae_gss_cred *cred;
	struct ae_ad *ad;
	struct ae_pki *pki;
	const struct ae_enrollment_service *service; /* ours; of pki */
};

/*
 * Connect with your own Kerberos ticket, or as this machine when you have
 * none, and read the parts of Public Key Services (AE_PKI_*).  With
 * AE_PKI_SERVICES the CA must be there: AE_ENOTFOUND otherwise.
 */
int session_open(struct session *s, struct cli *cli, unsigned parts,
    struct ae_err *e) AE_MUST_CHECK;
void session_done(struct session *s);

/* The SID of a SID or account name, with or without realm; AE_ENOTFOUND. */
int session_sid(struct session *s, const char *who, struct ae_sid *sid,
    struct ae_err *e) AE_MUST_CHECK;

/* The account's name, or the SID as text; out has AE_SID_STR_MAX or more. */
const char *session_name(
    struct session *s, const struct ae_sid *sid, char *out, size_t len);

#endif
